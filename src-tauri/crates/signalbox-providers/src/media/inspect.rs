//! What a request for vectors, a transcript or speech asks for and may use at most.

use signalbox_core::ledger::Work;
use signalbox_core::meter::Bound;

use super::embedding::EmbeddingRequest;
use super::openai::TOKENS_PER_SECOND_SPOKEN;
use super::recording::Recording;
use super::spoken::SpeechRequest;
use crate::call::Payload;
use crate::inspect::{InvalidRequest, RequestFeatures, fault};
use crate::tokens;

/// Tokens of what a model that hears is told to do with a recording, rounded up.
const TASK_TOKENS: u64 = 100;

/// Tokens that people say in a second at the most, rounded up.
const TOKENS_PER_SECOND_SAID_MAX: u64 = 8;

/// Fewest characters that are spoken in a second at normal speed.
const CHARS_PER_SECOND_MIN: u64 = 8;

/// Reads what `payload`, a request for `work` that is no chat, asks for and may use at most.
///
/// Units: tokens by `OpenAI`'s vocabulary, exact for the first 4 KiB of text and from above beyond; characters as Unicode
/// scalar values; milliseconds exactly where the file's header says them, else as of the lowest rate speech has.
/// Errors: [`InvalidRequest`] with the JSON path, or the form's field.
pub(crate) fn inspect(work: Work, payload: &Payload) -> Result<RequestFeatures, InvalidRequest> {
    let bound = match (work, payload) {
        (Work::Transcription, Payload::Audio(upload)) => transcription(&Recording::read(upload)?),
        (Work::Transcription, Payload::Json(_)) => return Err(fault("file", "is missing")),
        (_, Payload::Audio(_)) => return Err(fault("", "this surface takes JSON, not a file")),
        (Work::Speech, Payload::Json(body)) => speech(&SpeechRequest::read(body)?),
        (Work::Embedding | Work::Chat, Payload::Json(body)) => {
            let request = EmbeddingRequest::read(body)?;
            Bound { tokens_in: request.tokens(tokens::RESERVE_BYTES_EXACT), ..Bound::default() }
        }
    };
    Ok(RequestFeatures { bound, ..RequestFeatures::default() })
}

/// A transcript is billed by the time, or by the tokens it becomes, which the estimate derives from the time.
fn transcription(recording: &Recording<'_>) -> Bound {
    let millis = recording.millis_max();
    let prompt = recording.prompt.map_or(0, |prompt| tokens::count(prompt, tokens::RESERVE_BYTES_EXACT));
    Bound {
        tokens_in: prompt.saturating_add(TASK_TOKENS),
        tokens_out_max: millis.saturating_mul(TOKENS_PER_SECOND_SAID_MAX).div_ceil(1000),
        audio_milliseconds: millis,
        ..Bound::default()
    }
}

/// Speech is billed by the character, or by tokens in and of sound: whichever the price card has.
fn speech(request: &SpeechRequest<'_>) -> Bound {
    let characters = request.characters();
    let texts = [Some(request.input), request.instructions].into_iter().flatten();
    let read = texts.map(|text| tokens::count(text, tokens::RESERVE_BYTES_EXACT));
    let spoken = characters.saturating_mul(TOKENS_PER_SECOND_SPOKEN).saturating_mul(1000);
    Bound {
        tokens_in: read.fold(0, u64::saturating_add),
        characters,
        audio_tokens_out_max: spoken.div_ceil(CHARS_PER_SECOND_MIN * request.speed.max(1)),
        ..Bound::default()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::{Value, json};

    use super::*;
    use crate::call::AudioUpload;
    use crate::media::container::wav_of_pcm16;

    fn json_payload(value: Value) -> Payload {
        let Value::Object(map) = value else { panic!("a body is an object") };
        Payload::Json(Arc::new(map))
    }

    fn recorded(bytes: Vec<u8>) -> Payload {
        let fields = vec![("model".to_owned(), "whisper-1".to_owned())];
        let file_name = "hello.wav".to_owned();
        Payload::Audio(Arc::new(AudioUpload { bytes: bytes.into(), file_name, content_type: None, fields }))
    }

    #[test]
    fn vectors_read_tokens_and_write_none() {
        let features =
            inspect(Work::Embedding, &json_payload(json!({"input": ["hello world", "hi"]}))).unwrap();
        assert_eq!(features.bound, Bound { tokens_in: 3, ..Bound::default() });
    }

    #[test]
    fn speech_is_bounded_by_characters_and_by_the_sound_they_become() {
        let bound = |body| inspect(Work::Speech, &json_payload(body)).unwrap().bound;
        let normal = bound(json!({"input": "Hello there, how are you today?"}));
        assert_eq!(normal.characters, 31);
        assert_eq!(normal.audio_tokens_out_max, 82);
        let slow = bound(json!({"input": "Hello there, how are you today?", "speed": 0.25}));
        assert!(slow.audio_tokens_out_max >= 4 * normal.audio_tokens_out_max - 4);
    }

    #[test]
    fn a_recording_is_bounded_by_its_own_length_or_by_its_longest() {
        let exact = inspect(Work::Transcription, &recorded(wav_of_pcm16(&vec![0; 96_000], 24_000))).unwrap();
        assert_eq!((exact.bound.audio_milliseconds, exact.bound.tokens_out_max), (2_000, 16));
        let unknown = inspect(Work::Transcription, &recorded(vec![1; 60_000])).unwrap();
        assert_eq!(unknown.bound.audio_milliseconds, 60_000);
    }

    #[test]
    fn what_came_in_the_wrong_form_is_refused() {
        let form = recorded(vec![1; 10]);
        let json = json_payload(json!({"input": "x"}));
        assert_eq!(inspect(Work::Transcription, &json).unwrap_err().path, "file");
        assert!(inspect(Work::Embedding, &form).is_err() && inspect(Work::Speech, &form).is_err());
    }
}
