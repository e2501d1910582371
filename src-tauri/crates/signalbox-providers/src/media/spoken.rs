//! A request for speech.

use serde_json::{Map, Value};

use super::millis;
use crate::inspect::{InvalidRequest, fault, given};
use crate::tokens::as_u64;

/// Longest text of one request. Units: characters. Source: `OpenAI`'s API reference.
const INPUT_CHARS_MAX: u64 = 4096;

/// A request for speech, read and checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SpeechRequest<'a> {
    pub input: &'a str,
    pub voice: &'a str,
    pub format: AudioFormat,
    /// Whether the client named the format, so that nothing may stand in for it.
    pub names_format: bool,
    /// Thousandths of the normal speed, 250 to 4000.
    pub speed: u64,
    /// How it is to sound, for models that follow instructions.
    pub instructions: Option<&'a str>,
}

/// What the sound is wrapped in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AudioFormat {
    Mp3,
    Opus,
    Aac,
    Flac,
    Wav,
    /// 16-bit samples at 24 kHz, one channel, without a header.
    Pcm,
}

impl AudioFormat {
    pub const ALL: [Self; 6] = [Self::Mp3, Self::Opus, Self::Aac, Self::Flac, Self::Wav, Self::Pcm];

    /// The word in `response_format`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mp3 => "mp3",
            Self::Opus => "opus",
            Self::Aac => "aac",
            Self::Flac => "flac",
            Self::Wav => "wav",
            Self::Pcm => "pcm",
        }
    }

    /// The format of that word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.as_str() == word)
    }

    /// The media type.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Mp3 => "audio/mpeg",
            Self::Opus => "audio/opus",
            Self::Aac => "audio/aac",
            Self::Flac => "audio/flac",
            Self::Wav => "audio/wav",
            Self::Pcm => "audio/pcm",
        }
    }

    /// The words of several formats, for a message.
    pub fn words(formats: &[Self]) -> String {
        formats.iter().map(|format| format.as_str()).collect::<Vec<_>>().join(", ")
    }
}

impl<'a> SpeechRequest<'a> {
    /// Reads `body`.
    ///
    /// Errors: [`InvalidRequest`] with the JSON path.
    pub fn read(body: &'a Map<String, Value>) -> Result<Self, InvalidRequest> {
        let input = match given(body, "input") {
            None => return Err(fault("input", "is missing")),
            Some(Value::String(text)) if text.trim().is_empty() => {
                return Err(fault("input", "must not be empty"));
            }
            Some(Value::String(text)) => text.as_str(),
            Some(_) => return Err(fault("input", "must be a text")),
        };
        if characters(input) > INPUT_CHARS_MAX {
            return Err(fault("input", format!("must have at most {INPUT_CHARS_MAX} characters")));
        }
        let request = Self {
            input,
            voice: voice(body)?,
            format: format(body)?,
            names_format: given(body, "response_format").is_some(),
            speed: speed(body)?,
            instructions: given(body, "instructions").and_then(Value::as_str),
        };
        match given(body, "stream_format").map(Value::as_str) {
            None | Some(Some("audio")) => Ok(request),
            Some(_) => Err(fault("stream_format", "must be audio: speech comes as a whole file here")),
        }
    }

    /// Characters that are billed: Unicode scalar values of the input, as vendors count.
    pub fn characters(&self) -> u64 {
        characters(self.input)
    }
}

fn characters(text: &str) -> u64 {
    as_u64(text.chars().count())
}

/// A name, or an object with the id of one's own voice.
fn voice(body: &Map<String, Value>) -> Result<&str, InvalidRequest> {
    let name = match given(body, "voice") {
        None => return Ok("alloy"),
        Some(Value::Object(own)) => own.get("id").and_then(Value::as_str),
        Some(name) => name.as_str(),
    };
    name.filter(|name| !name.is_empty()).ok_or_else(|| fault("voice", "must be the name of a voice"))
}

fn format(body: &Map<String, Value>) -> Result<AudioFormat, InvalidRequest> {
    match given(body, "response_format") {
        None => Ok(AudioFormat::Mp3),
        Some(word) => word.as_str().and_then(AudioFormat::from_word).ok_or_else(|| {
            fault("response_format", format!("must be one of {}", AudioFormat::words(&AudioFormat::ALL)))
        }),
    }
}

fn speed(body: &Map<String, Value>) -> Result<u64, InvalidRequest> {
    match given(body, "speed") {
        None => Ok(1000),
        // Thousandths are read as milliseconds of as many seconds are.
        Some(speed) => speed
            .is_number()
            .then(|| millis::of_seconds(speed))
            .flatten()
            .filter(|thousandths| (250..=4000).contains(thousandths))
            .ok_or_else(|| fault("speed", "must be a number from 0.25 to 4")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn body(value: Value) -> Map<String, Value> {
        let Value::Object(map) = value else { panic!("a body is an object") };
        map
    }

    #[test]
    fn a_request_is_read_with_its_defaults() {
        let body = body(json!({"input": "Grüß Gott 👋", "instructions": "warmly"}));
        let request = SpeechRequest::read(&body).unwrap();
        assert_eq!((request.voice, request.format, request.speed), ("alloy", AudioFormat::Mp3, 1000));
        assert_eq!(request.characters(), 11, "an emoji is one character, an umlaut too");
        assert_eq!(request.instructions, Some("warmly"));
    }

    #[test]
    fn what_is_asked_for_is_kept() {
        let body =
            body(json!({"input": "x", "voice": {"id": "own_1"}, "response_format": "wav", "speed": 1.25}));
        let request = SpeechRequest::read(&body).unwrap();
        assert_eq!((request.voice, request.format, request.speed), ("own_1", AudioFormat::Wav, 1250));
    }

    #[test]
    fn a_clients_fault_is_named_by_its_path() {
        for (bad, path) in [
            (json!({}), "input"),
            (json!({"input": " "}), "input"),
            (json!({"input": 7}), "input"),
            (json!({"input": "ä".repeat(4097)}), "input"),
            (json!({"input": "x", "voice": 7}), "voice"),
            (json!({"input": "x", "response_format": "ogg"}), "response_format"),
            (json!({"input": "x", "speed": 0.1}), "speed"),
            (json!({"input": "x", "speed": "fast"}), "speed"),
            (json!({"input": "x", "stream_format": "sse"}), "stream_format"),
        ] {
            assert_eq!(SpeechRequest::read(&body(bad.clone())).unwrap_err().path, path, "{bad}");
        }
        assert!(SpeechRequest::read(&body(json!({"input": "ä".repeat(4096)}))).is_ok());
    }
}
