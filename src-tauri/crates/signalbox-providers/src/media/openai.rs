//! `OpenAI` and the servers compatible with it: vectors, transcripts, speech.

use std::borrow::Cow;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use reqwest::Method;
use reqwest::header::{ACCEPT, HeaderMap, HeaderValue};
use serde_json::{Value, json};
use signalbox_core::usage::{Unit, Usage};

use super::embedding::EmbeddingRequest;
use super::recording::Recording;
use super::spoken::{AudioFormat, SpeechRequest};
use super::transcript::{Form, Transcript};
use super::{
    Forwarded, Reply, container, estimated, json_of, json_request, millis, refused, reported, unsupported,
    upload_of, written,
};
use crate::adapter::{EmbeddingAdapter, SpeechAdapter, TranscriptionAdapter};
use crate::auth::Scheme;
use crate::call::{Account, Call, CallAnswer, CallError, Metering};
use crate::headroom::Headroom;
use crate::http::{Body, Http, Outgoing, media_type};
use crate::request::join;
use crate::tokens::{self, as_u64};

/// Tokens of a second of sound that `OpenAI`'s transcribing models read. Source: their published prices per minute.
const TOKENS_PER_SECOND_HEARD: u64 = 10;

/// Tokens of a second of sound that `OpenAI`'s speaking models make, rounded up. Source: their published prices per minute.
pub(super) const TOKENS_PER_SECOND_SPOKEN: u64 = 21;

/// Characters spoken in a second, for sound whose length its file does not say.
const CHARS_PER_SECOND: u64 = 14;

/// `OpenAI`'s audio and embedding API.
#[derive(Debug)]
pub(crate) struct OpenaiMedia {
    http: Http,
}

impl OpenaiMedia {
    /// Over this client.
    pub fn new(http: &Http) -> Self {
        Self { http: http.clone() }
    }
}

#[async_trait]
impl EmbeddingAdapter for OpenaiMedia {
    async fn embed(&self, account: &Account, call: &Call) -> Result<CallAnswer, CallError> {
        let body = json_of(call)?;
        let request = EmbeddingRequest::read(body).map_err(refused)?;
        let out = written(&Forwarded { model: call.model.as_str(), body })?;
        let url = join(&account.base_url, "/embeddings");
        let outgoing = json_request(Method::POST, url, Some(out), Scheme::Bearer, call.timeouts.first_byte);
        let counted = || estimated(of_input(request.tokens(tokens::SETTLE_BYTES_EXACT)));
        let reply = Reply::to(&self.http, account, outgoing, call.timeouts.idle, || Some(counted())).await?;
        let answer = reply.json(account)?;
        let metering = embedding_usage(&answer).map_or_else(counted, reported);
        if !answer.get("data").is_some_and(Value::is_array) {
            let error = reply.bad(&format!("{} answered without vectors", account.name));
            return Err(CallError { metering: Some(metering), ..error });
        }
        Ok(reply.answer(reply.body.clone(), "application/json", metering))
    }
}

#[async_trait]
impl TranscriptionAdapter for OpenaiMedia {
    async fn transcribe(&self, account: &Account, call: &Call) -> Result<CallAnswer, CallError> {
        let upload = upload_of(call)?;
        let recording = Recording::read(upload).map_err(refused)?;
        let model = call.model.as_str();
        let asked = asked_for(account, model, recording.form)?;
        let headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static("*/*"))]);
        let body = Body::Form {
            fields: fields(&recording, model, asked),
            upload: Arc::clone(upload),
            content_type: recording.content_type().to_owned(),
        };
        let url = join(&account.base_url, "/audio/transcriptions");
        let wait = call.timeouts.first_byte;
        let outgoing = Outgoing { method: Method::POST, url, headers, body, scheme: Scheme::Bearer, wait };
        let bill = || Some(heard(None, &recording, model, ""));
        let reply = Reply::to(&self.http, account, outgoing, call.timeouts.idle, bill).await?;
        let answer = reply.json(account)?;
        let Some(transcript) = Transcript::of_openai(&answer) else {
            let error = reply.bad(&format!("{} answered without a transcript", account.name));
            return Err(CallError { metering: Some(heard(Some(&answer), &recording, model, "")), ..error });
        };
        let metering = heard(Some(&answer), &recording, model, &transcript.text);
        let body = if asked == recording.form {
            reply.body.clone()
        } else {
            let usage = answer.get("usage").cloned().unwrap_or_else(|| usage_in_words(&metering.usage));
            transcript.write(recording.form, recording.granularity, &usage)
        };
        Ok(reply.answer(body, recording.form.content_type(), metering))
    }
}

#[async_trait]
impl SpeechAdapter for OpenaiMedia {
    async fn speak(&self, account: &Account, call: &Call) -> Result<CallAnswer, CallError> {
        let body = json_of(call)?;
        let request = SpeechRequest::read(body).map_err(refused)?;
        let model = call.model.as_str();
        let out = written(&Forwarded { model, body })?;
        let url = join(&account.base_url, "/audio/speech");
        let outgoing = json_request(Method::POST, url, Some(out), Scheme::Bearer, call.timeouts.first_byte);
        let bill = || Some(spoken(&request, model, &Bytes::new()));
        let reply = Reply::to(&self.http, account, outgoing, call.timeouts.idle, bill).await?;
        let sound = reply.sound(account)?.clone();
        let metering = spoken(&request, model, &sound);
        let named = media_type(&reply.headers);
        let content_type = if named.starts_with("audio/") {
            Cow::Owned(named)
        } else {
            Cow::Borrowed(request.format.content_type())
        };
        Ok(CallAnswer {
            body: sound,
            content_type,
            metering,
            http_status: reply.status,
            headroom: Headroom::of(&reply.headers),
        })
    }
}

fn of_input(tokens: u64) -> Usage {
    Usage::default().with(Unit::InputTokens, tokens)
}

/// `usage.prompt_tokens`; a count of nothing for something is not believed.
fn embedding_usage(answer: &Value) -> Option<Usage> {
    let tokens = answer.pointer("/usage/prompt_tokens")?.as_u64()?;
    (1..=TOKENS_MAX).contains(&tokens).then(|| of_input(tokens))
}

/// More tokens than any call can use.
const TOKENS_MAX: u64 = 1_000_000_000;

/// Whether a model is billed by the token. All others are billed by the time, or the character.
fn is_billed_by_token(model: &str) -> bool {
    let name = model.rsplit('/').next().unwrap_or(model);
    name.starts_with("gpt-4o")
}

/// The form to ask the provider for, so that the answer says how much was heard. Whisper says so only in `verbose_json`;
/// its successors know `json` alone.
fn asked_for(account: &Account, model: &str, wanted: Form) -> Result<Form, CallError> {
    let name = model.rsplit('/').next().unwrap_or(model);
    if name.contains("whisper") {
        return match wanted {
            Form::DiarizedJson => {
                let has = [Form::Json, Form::Text, Form::Srt, Form::Vtt, Form::VerboseJson];
                Err(unsupported(account, "response_format", wanted.as_str(), &Form::words(&has)))
            }
            _ => Ok(Form::VerboseJson),
        };
    }
    let is_own = name.starts_with("gpt-");
    match wanted {
        Form::Json | Form::Text => Ok(Form::Json),
        Form::DiarizedJson if is_own && name.contains("diarize") => Ok(wanted),
        Form::Srt | Form::Vtt | Form::VerboseJson if !is_own => Ok(Form::VerboseJson),
        Form::Srt | Form::Vtt | Form::VerboseJson | Form::DiarizedJson => {
            let has = [Form::Json, Form::Text];
            Err(unsupported(account, "response_format", wanted.as_str(), &Form::words(&has)))
        }
    }
}

/// The client's fields with what the call decides in place of what the client wrote.
fn fields(recording: &Recording<'_>, model: &str, asked: Form) -> Vec<(String, String)> {
    let decided = ["model", "response_format", "stream"];
    let kept = recording.upload.fields.iter().filter(|(name, value)| {
        let is_of_verbose = name.starts_with("timestamp_granularities");
        !decided.contains(&name.as_str())
            && !value.is_empty()
            && (!is_of_verbose || asked == Form::VerboseJson && recording.form == asked)
    });
    let mut fields = vec![
        ("model".to_owned(), model.to_owned()),
        ("response_format".to_owned(), asked.as_str().to_owned()),
    ];
    fields.extend(kept.cloned());
    fields
}

/// What a transcript used.
fn heard(answer: Option<&Value>, recording: &Recording<'_>, model: &str, text: &str) -> Metering {
    if let Some(usage) = answer.and_then(transcription_usage) {
        return reported(usage);
    }
    let millis = recording.millis_max();
    estimated(if is_billed_by_token(model) {
        Usage::default()
            .with(Unit::AudioInputTokens, millis.saturating_mul(TOKENS_PER_SECOND_HEARD).div_ceil(1000))
            .with(Unit::OutputTokens, tokens::count(text, tokens::SETTLE_BYTES_EXACT))
    } else {
        Usage::default().with(Unit::AudioMilliseconds, millis)
    })
}

/// What an answer says was heard: tokens, or seconds where time is billed. Nothing at all is not believed.
fn transcription_usage(answer: &Value) -> Option<Usage> {
    let usage = answer.get("usage").unwrap_or(&Value::Null);
    // Mistral's name of the time stands before its tokens, which are not what it bills.
    let seconds = ["seconds", "prompt_audio_seconds"].iter().find_map(|key| usage.get(*key));
    let seconds = seconds.or_else(|| answer.get("duration").filter(|_| usage.get("input_tokens").is_none()));
    let by_time = seconds.and_then(millis::of_seconds).filter(|millis| *millis > 0);
    by_time.map(|millis| Usage::default().with(Unit::AudioMilliseconds, millis)).or_else(|| by_tokens(usage))
}

/// Tokens taken apart, so that none is counted twice. Source: `Transcription.usage` of the official client.
fn by_tokens(usage: &Value) -> Option<Usage> {
    let count = |place: &str| -> Option<u64> {
        match usage.pointer(place) {
            None | Some(Value::Null) => Some(0),
            Some(count) => count.as_u64().filter(|count| *count <= TOKENS_MAX),
        }
    };
    let (input, output) = (count("/input_tokens")?, count("/output_tokens")?);
    let audio = match usage.pointer("/input_token_details/audio_tokens") {
        // Where nothing is said, what a transcribing model reads is sound.
        None => input.checked_sub(count("/input_token_details/text_tokens")?)?,
        Some(_) => count("/input_token_details/audio_tokens")?,
    };
    let text = input.checked_sub(audio)?;
    (input > 0).then(|| {
        Usage::default()
            .with(Unit::InputTokens, text)
            .with(Unit::AudioInputTokens, audio)
            .with(Unit::OutputTokens, output)
    })
}

/// Usage as `OpenAI` writes it, for answers that are made here.
pub(super) fn usage_in_words(usage: &Usage) -> Value {
    let millis = usage.get(Unit::AudioMilliseconds);
    if millis > 0 {
        return json!({"type": "duration", "seconds": millis::to_seconds(millis)});
    }
    let (input, output) = (usage.tokens_in(), usage.tokens_out());
    json!({
        "type": "tokens", "input_tokens": input, "output_tokens": output,
        "total_tokens": input.saturating_add(output),
        "input_token_details": {
            "audio_tokens": usage.get(Unit::AudioInputTokens), "text_tokens": usage.get(Unit::InputTokens),
        },
    })
}

/// What speech used. A file of sound reports nothing, so all of it is counted here: the characters that older models bill,
/// or the tokens of newer ones, which follow from how long the sound is.
fn spoken(request: &SpeechRequest<'_>, model: &str, sound: &[u8]) -> Metering {
    if !is_billed_by_token(model) {
        return estimated(Usage::default().with(Unit::Characters, request.characters()));
    }
    let text = [Some(request.input), request.instructions].into_iter().flatten();
    let read =
        text.fold(0_u64, |sum, text| sum.saturating_add(tokens::count(text, tokens::SETTLE_BYTES_EXACT)));
    let millis = sound_millis(request, sound);
    estimated(
        of_input(read)
            .with(Unit::AudioOutputTokens, millis.saturating_mul(TOKENS_PER_SECOND_SPOKEN).div_ceil(1000)),
    )
}

fn sound_millis(request: &SpeechRequest<'_>, sound: &[u8]) -> u64 {
    let said = match request.format {
        // 16 bits at 24 kHz: 48 bytes a millisecond.
        AudioFormat::Pcm => Some(as_u64(sound.len()).div_ceil(48)),
        _ => container::millis(sound),
    };
    said.filter(|millis| *millis > 0).unwrap_or_else(|| {
        request.characters().saturating_mul(1_000_000) / (CHARS_PER_SECOND * request.speed.max(1))
    })
}
