//! `ElevenLabs`: speech, and transcripts.
//!
//! Source: elevenlabs.io/docs, "Create speech", "Create transcript" and "Errors".

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use reqwest::Method;
use reqwest::header::{ACCEPT, HeaderMap, HeaderValue};
use serde_json::{Value, json};
use signalbox_core::failure::FailureKind;
use signalbox_core::usage::{Unit, Usage};
use url::Url;

use super::openai::usage_in_words;
use super::recording::Recording;
use super::spoken::{AudioFormat, SpeechRequest};
use super::transcript::{Form, Span, Transcript};
use super::{
    CHARACTERS_MAX, LIST_WAIT, Reply, container, estimated, json_of, json_request, millis, refused, reported,
    unsupported, upload_of, written,
};
use crate::adapter::{ModelLister, SpeechAdapter, TranscriptionAdapter};
use crate::auth::Scheme;
use crate::call::{Account, Call, CallAnswer, CallError, Metering};
use crate::failure::failed;
use crate::http::{Body, Http, Outgoing};
use crate::request::{join, versioned};

/// Where the vendor wants its key.
const KEY: Scheme = Scheme::Header("xi-api-key");

/// What it speaks in, and its word for each. A WAV file is its samples with a header put before them here.
const FORMATS: [(AudioFormat, &str); 4] = [
    (AudioFormat::Mp3, "mp3_44100_128"),
    (AudioFormat::Opus, "opus_48000_64"),
    (AudioFormat::Wav, "pcm_24000"),
    (AudioFormat::Pcm, "pcm_24000"),
];

/// What transcripts are written as.
const FORMS: [Form; 5] = [Form::Json, Form::Text, Form::Srt, Form::Vtt, Form::VerboseJson];

/// The speeds it knows. Units: thousandths.
const SPEEDS: std::ops::RangeInclusive<u64> = 700..=1200;

/// A voice that every account has, for each name of `OpenAI`'s voices, so that a client need not know which vendor speaks.
const VOICES: [(&str, &str); 13] = [
    ("alloy", "21m00Tcm4TlvDq8ikWAM"),
    ("ash", "pNInz6obpgDQGcFmaJgB"),
    ("ballad", "JBFqnCBsd6RMkjVDRZzb"),
    ("cedar", "iP95p4xoKVk53GoZ742B"),
    ("coral", "EXAVITQu4vr4xnSDxMaL"),
    ("echo", "TX3LPaxmHKxFdv7VOQHJ"),
    ("fable", "onwK4e9ZLuTAKqWW03F9"),
    ("marin", "XrExE9yKIg1WjnnlVkGX"),
    ("nova", "cgSgspJ2msm6clMCkdW9"),
    ("onyx", "nPczCjzI2devNBz1zQrb"),
    ("sage", "Xb7hH8MSUJpSbSDYk0k2"),
    ("shimmer", "pFZP5JQG7iQjIQuC4Bku"),
    ("verse", "cjVigY5qzO86Huf0OWal"),
];

/// `ElevenLabs`' API.
#[derive(Debug)]
pub(crate) struct ElevenLabs {
    http: Http,
}

impl ElevenLabs {
    /// Over this client.
    pub fn new(http: &Http) -> Self {
        Self { http: http.clone() }
    }
}

#[async_trait]
impl SpeechAdapter for ElevenLabs {
    /// `instructions` are left out: the vendor's voices take none.
    async fn speak(&self, account: &Account, call: &Call) -> Result<CallAnswer, CallError> {
        let request = SpeechRequest::read(json_of(call)?).map_err(refused)?;
        let format = format_of(account, request.format)?;
        let voice = voice_of(account, request.voice)?;
        let body = written(&speech_body(account, call.model.as_str(), &request)?)?;
        let mut url = at(account, &format!("/text-to-speech/{voice}"));
        url.query_pairs_mut().append_pair("output_format", format);
        let outgoing = json_request(Method::POST, url, Some(body), KEY, call.timeouts.first_byte);
        let bill = || Some(spoken(&HeaderMap::new(), &request));
        let reply = Reply::to(&self.http, account, outgoing, call.timeouts.idle, bill).await?;
        let sound = reply.sound(account)?;
        let body = match request.format {
            AudioFormat::Wav => Bytes::from(container::wav_of_pcm16(sound, 24_000)),
            _ => sound.clone(),
        };
        Ok(reply.answer(body, request.format.content_type(), spoken(&reply.headers, &request)))
    }
}

#[async_trait]
impl TranscriptionAdapter for ElevenLabs {
    /// `prompt` is left out: the vendor takes none.
    async fn transcribe(&self, account: &Account, call: &Call) -> Result<CallAnswer, CallError> {
        let upload = upload_of(call)?;
        let recording = Recording::read(upload).map_err(refused)?;
        if !FORMS.contains(&recording.form) {
            let (wanted, has) = (recording.form.as_str(), Form::words(&FORMS));
            return Err(unsupported(account, "response_format", wanted, &has));
        }
        let mut fields = vec![("model_id".to_owned(), call.model.as_str().to_owned())];
        fields.extend(recording.language.map(|language| ("language_code".to_owned(), language.to_owned())));
        let outgoing = Outgoing {
            method: Method::POST,
            url: at(account, "/speech-to-text"),
            headers: HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static("application/json"))]),
            body: Body::Form {
                fields,
                upload: Arc::clone(upload),
                content_type: recording.content_type().to_owned(),
            },
            scheme: KEY,
            wait: call.timeouts.first_byte,
        };
        let bill = || Some(heard(None, &recording));
        let reply = Reply::to(&self.http, account, outgoing, call.timeouts.idle, bill).await?;
        let answer = reply.json(account)?;
        let metering = heard(Some(&answer), &recording);
        let Some(transcript) = transcript_of(&answer, &recording) else {
            let error = reply.bad(&format!("{} answered without a transcript", account.name));
            return Err(CallError { metering: Some(metering), ..error });
        };
        let usage = usage_in_words(&metering.usage);
        let body = transcript.write(recording.form, recording.granularity, &usage);
        Ok(reply.answer(body, recording.form.content_type(), metering))
    }
}

#[async_trait]
impl ModelLister for ElevenLabs {
    async fn list_models(&self, account: &Account) -> Result<Vec<String>, CallError> {
        let outgoing = json_request(Method::GET, at(account, "/models"), None, KEY, LIST_WAIT);
        let reply = Reply::to(&self.http, account, outgoing, LIST_WAIT, || None).await?;
        let list = reply.json(account)?;
        let Some(models) = list.as_array() else {
            let message =
                format!("{} answered without a list of models: its URL is probably wrong", account.name);
            return Err(reply.bad(&message));
        };
        Ok(models.iter().filter_map(|model| Some(model.get("model_id")?.as_str()?.to_owned())).collect())
    }
}

fn at(account: &Account, tail: &str) -> Url {
    join(&account.base_url, &versioned(&account.base_url, "/v1", tail))
}

fn format_of(account: &Account, wanted: AudioFormat) -> Result<&'static str, CallError> {
    let found = FORMATS.iter().find(|(format, _)| *format == wanted).map(|(_, word)| *word);
    found.ok_or_else(|| {
        let has = FORMATS.map(|(format, _)| format);
        unsupported(account, "response_format", wanted.as_str(), &AudioFormat::words(&has))
    })
}

/// The id of a voice: an id as it is, or the voice that stands for a name of `OpenAI`'s.
fn voice_of<'a>(account: &Account, voice: &'a str) -> Result<&'a str, CallError> {
    if let Some((_, id)) = VOICES.iter().find(|(name, _)| voice.eq_ignore_ascii_case(name)) {
        return Ok(id);
    }
    let is_id = (10..=64).contains(&voice.len()) && voice.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let names = || VOICES.map(|(name, _)| name).join(", ");
    if is_id { Ok(voice) } else { Err(unsupported(account, "voice", voice, &format!("{} and ids", names()))) }
}

fn speech_body(account: &Account, model: &str, request: &SpeechRequest<'_>) -> Result<Value, CallError> {
    let mut body = json!({"text": request.input, "model_id": model});
    if request.speed != 1000 {
        if !SPEEDS.contains(&request.speed) {
            let message = format!("speed: {} speaks at 0.7 to 1.2 times its normal speed", account.name);
            return Err(failed(FailureKind::Unsupported, None, message));
        }
        if let Some(fields) = body.as_object_mut() {
            let settings = json!({"speed": millis::to_seconds(request.speed)});
            fields.insert("voice_settings".to_owned(), settings);
        }
    }
    Ok(body)
}

/// The characters that the head of the answer says were billed, else those of the text.
fn spoken(headers: &HeaderMap, request: &SpeechRequest<'_>) -> Metering {
    let names = ["character-cost", "x-character-count", "x-character-cost"];
    let said = names.iter().find_map(|name| headers.get(*name)?.to_str().ok()?.trim().parse::<u64>().ok());
    let of = |characters: u64| Usage::default().with(Unit::Characters, characters);
    match said.filter(|characters| *characters > 0 && *characters <= CHARACTERS_MAX) {
        Some(characters) => reported(of(characters)),
        None => estimated(of(request.characters())),
    }
}

fn heard(answer: Option<&Value>, recording: &Recording<'_>) -> Metering {
    let said = answer.and_then(|answer| answer.get("audio_duration_secs")).and_then(millis::of_seconds);
    let of = |millis: u64| Usage::default().with(Unit::AudioMilliseconds, millis);
    match said.filter(|millis| *millis > 0) {
        Some(millis) => reported(of(millis)),
        None => estimated(of(recording.millis_max())),
    }
}

fn transcript_of(answer: &Value, recording: &Recording<'_>) -> Option<Transcript> {
    let words = answer.get("words").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let is_word = |word: &&Value| word.get("type").and_then(Value::as_str).is_none_or(|kind| kind == "word");
    let words = words.iter().filter(is_word).filter_map(|word| Span::read(word, &["text"]));
    let said = answer.get("audio_duration_secs").and_then(millis::of_seconds);
    Some(Transcript {
        text: answer.get("text")?.as_str()?.to_owned(),
        language: answer.get("language_code").and_then(Value::as_str).map(str::to_owned),
        duration: said.or_else(|| recording.millis()),
        segments: Vec::new(),
        words: words.collect(),
    })
}
