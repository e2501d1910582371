//! Deepgram's speech.

use async_trait::async_trait;
use reqwest::Method;
use reqwest::header::HeaderMap;
use serde_json::json;
use signalbox_core::failure::FailureKind;
use signalbox_core::usage::{Unit, Usage};
use url::Url;

use super::Deepgram;
use crate::adapter::SpeechAdapter;
use crate::auth::Scheme;
use crate::call::{Account, Call, CallAnswer, CallError, Metering};
use crate::failure::failed;
use crate::media::spoken::{AudioFormat, SpeechRequest};
use crate::media::{
    CHARACTERS_MAX, Reply, estimated, json_of, json_request, refused, reported, unsupported, written,
};
use crate::request::{join, versioned};

/// Longest text of one request. Units: characters. Source: the vendor's limit of a request.
const TEXT_CHARS_MAX: u64 = 2000;

/// A voice of both generations of the vendor's models for each name of `OpenAI`'s voices.
const VOICES: [(&str, &str); 13] = [
    ("alloy", "asteria"),
    ("ash", "orion"),
    ("ballad", "orpheus"),
    ("cedar", "zeus"),
    ("coral", "luna"),
    ("echo", "arcas"),
    ("fable", "athena"),
    ("marin", "hera"),
    ("nova", "luna"),
    ("onyx", "zeus"),
    ("sage", "athena"),
    ("shimmer", "hera"),
    ("verse", "orpheus"),
];

#[async_trait]
impl SpeechAdapter for Deepgram {
    /// `instructions` are left out: the vendor's voices take none.
    async fn speak(&self, account: &Account, call: &Call) -> Result<CallAnswer, CallError> {
        let request = SpeechRequest::read(json_of(call)?).map_err(refused)?;
        check(account, &request)?;
        let model = model_of(account, call.model.as_str(), request.voice)?;
        let body = written(&json!({"text": request.input}))?;
        let url = speak_url(account, &model, request.format);
        let wait = call.timeouts.first_byte;
        let outgoing = json_request(Method::POST, url, Some(body), Scheme::Token, wait);
        let bill = || Some(spoken(&HeaderMap::new(), &request));
        let reply = Reply::to(&self.http, account, outgoing, call.timeouts.idle, bill).await?;
        let sound = reply.sound(account)?.clone();
        Ok(reply.answer(sound, request.format.content_type(), spoken(&reply.headers, &request)))
    }
}

/// What the vendor cannot do.
fn check(account: &Account, request: &SpeechRequest<'_>) -> Result<(), CallError> {
    let fault = if request.characters() > TEXT_CHARS_MAX {
        format!("input: {} speaks at most {TEXT_CHARS_MAX} characters at once", account.name)
    } else if request.speed != 1000 {
        format!("speed: {} speaks at its normal speed alone", account.name)
    } else {
        return Ok(());
    };
    Err(failed(FailureKind::Unsupported, None, fault))
}

/// The vendor's models have the voice in their name: `aura-2` and `thalia` are `aura-2-thalia-en`. A model with a voice in its
/// name is taken as it is.
fn model_of(account: &Account, model: &str, voice: &str) -> Result<String, CallError> {
    let has_voice = model.trim_start_matches("aura-2").matches('-').count() >= 2;
    if has_voice || !model.starts_with("aura") {
        return Ok(model.to_owned());
    }
    let known = VOICES.iter().find(|(name, _)| voice.eq_ignore_ascii_case(name));
    let voice = known.map_or(voice, |(_, voice)| voice);
    let is_name = voice.len() <= 40 && voice.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
    if !is_name {
        let has = format!("{} and names such as thalia", VOICES.map(|(name, _)| name).join(", "));
        return Err(unsupported(account, "voice", voice, &has));
    }
    let language = if voice.contains('-') { "" } else { "-en" };
    Ok(format!("{model}-{voice}{language}"))
}

fn speak_url(account: &Account, model: &str, format: AudioFormat) -> Url {
    let mut url = join(&account.base_url, &versioned(&account.base_url, "/v1", "/speak"));
    let mut query = url.query_pairs_mut();
    query.append_pair("model", model);
    let wishes: &[(&str, &str)] = match format {
        AudioFormat::Mp3 => &[("encoding", "mp3")],
        AudioFormat::Opus => &[("encoding", "opus"), ("container", "ogg")],
        AudioFormat::Aac => &[("encoding", "aac")],
        AudioFormat::Flac => &[("encoding", "flac")],
        AudioFormat::Wav => &[("encoding", "linear16"), ("container", "wav"), ("sample_rate", "24000")],
        AudioFormat::Pcm => &[("encoding", "linear16"), ("container", "none"), ("sample_rate", "24000")],
    };
    query.extend_pairs(wishes);
    drop(query);
    url
}

/// The characters that the head of the answer says it took, else those of the text.
fn spoken(headers: &HeaderMap, request: &SpeechRequest<'_>) -> Metering {
    let said = headers.get("dg-char-count").and_then(|count| count.to_str().ok()?.trim().parse::<u64>().ok());
    let of = |characters: u64| Usage::default().with(Unit::Characters, characters);
    match said.filter(|characters| (1..=CHARACTERS_MAX).contains(characters)) {
        Some(characters) => reported(of(characters)),
        None => estimated(of(request.characters())),
    }
}
