//! Deepgram: transcripts of whole recordings, and speech.
//!
//! Source: developers.deepgram.com, "Pre-Recorded Audio", "Single Text Request" and "Errors".

mod speech;

use async_trait::async_trait;
use reqwest::Method;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue};
use serde_json::Value;
use signalbox_core::failure::FailureKind;
use signalbox_core::usage::{Unit, Usage};
use url::Url;

use super::openai::usage_in_words;
use super::recording::Recording;
use super::transcript::{Form, Span, Transcript};
use super::{LIST_WAIT, Reply, estimated, json_request, millis, refused, reported, unsupported, upload_of};
use crate::adapter::{ModelLister, TranscriptionAdapter};
use crate::auth::Scheme;
use crate::call::{Account, Call, CallAnswer, CallError, Metering};
use crate::failure::failed;
use crate::http::{Body, Http, Outgoing};
use crate::request::{join, versioned};
use crate::tokens::as_u64;

/// What transcripts are written as.
const FORMS: [Form; 5] = [Form::Json, Form::Text, Form::Srt, Form::Vtt, Form::VerboseJson];

/// Most words of a prompt that are passed on as words that may come up. Source: the vendor's limit of 100 key terms.
const KEY_TERMS_MAX: usize = 100;

/// Longest of them.
const TERM_CHARS_MAX: usize = 60;

/// Deepgram's API.
#[derive(Debug)]
pub(crate) struct Deepgram {
    http: Http,
}

impl Deepgram {
    /// Over this client.
    pub fn new(http: &Http) -> Self {
        Self { http: http.clone() }
    }
}

#[async_trait]
impl TranscriptionAdapter for Deepgram {
    async fn transcribe(&self, account: &Account, call: &Call) -> Result<CallAnswer, CallError> {
        let upload = upload_of(call)?;
        let recording = Recording::read(upload).map_err(refused)?;
        if !FORMS.contains(&recording.form) {
            let (wanted, has) = (recording.form.as_str(), Form::words(&FORMS));
            return Err(unsupported(account, "response_format", wanted, &has));
        }
        let content_type = HeaderValue::from_str(recording.content_type())
            .map_err(|_| failed(FailureKind::BadRequest, None, "file: its media type is not one"))?;
        let headers = HeaderMap::from_iter([
            (CONTENT_TYPE, content_type),
            (ACCEPT, HeaderValue::from_static("application/json")),
        ]);
        let outgoing = Outgoing {
            method: Method::POST,
            url: listen_url(account, call.model.as_str(), &recording),
            headers,
            body: Body::Bytes(upload.bytes.clone()),
            scheme: Scheme::Token,
            wait: call.timeouts.first_byte,
        };
        let bill = || Some(heard(None, &recording));
        let reply = Reply::to(&self.http, account, outgoing, call.timeouts.idle, bill).await?;
        let answer = reply.json(account)?;
        let metering = heard(Some(&answer), &recording);
        let Some(transcript) = transcript_of(&answer) else {
            let error = reply.bad(&format!("{} answered without a transcript", account.name));
            return Err(CallError { metering: Some(metering), ..error });
        };
        let usage = usage_in_words(&metering.usage);
        let body = transcript.write(recording.form, recording.granularity, &usage);
        Ok(reply.answer(body, recording.form.content_type(), metering))
    }
}

#[async_trait]
impl ModelLister for Deepgram {
    /// Two questions: the list of models is public, so it is the first that proves the key.
    async fn list_models(&self, account: &Account) -> Result<Vec<String>, CallError> {
        let ask = |tail: &str| {
            let url = join(&account.base_url, &versioned(&account.base_url, "/v1", tail));
            json_request(Method::GET, url, None, Scheme::Token, LIST_WAIT)
        };
        Reply::to(&self.http, account, ask("/auth/token"), LIST_WAIT, || None).await?;
        let reply = Reply::to(&self.http, account, ask("/models"), LIST_WAIT, || None).await?;
        let list = reply.json(account)?;
        let Some(hears) = list.get("stt").and_then(Value::as_array) else {
            let message =
                format!("{} answered without a list of models: its URL is probably wrong", account.name);
            return Err(reply.bad(&message));
        };
        let speaks = list.get("tts").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let name = |model: &Value| {
            ["canonical_name", "name"].iter().find_map(|key| model.get(*key)?.as_str()).map(str::to_owned)
        };
        let mut names: Vec<String> = hears.iter().chain(speaks).filter_map(name).collect();
        names.sort();
        names.dedup();
        Ok(names)
    }
}

/// Where a recording goes, with everything the client wants in the query.
fn listen_url(account: &Account, model: &str, recording: &Recording<'_>) -> Url {
    let mut url = join(&account.base_url, &versioned(&account.base_url, "/v1", "/listen"));
    let mut query = url.query_pairs_mut();
    query.append_pair("model", model).append_pair("smart_format", "true").append_pair("utterances", "true");
    match recording.language {
        Some(language) => query.append_pair("language", language),
        None => query.append_pair("detect_language", "true"),
    };
    // Older models know key words by another name.
    let name = if model.starts_with("nova-3") || model.starts_with("flux") { "keyterm" } else { "keywords" };
    let terms = recording.prompt.unwrap_or_default().split([',', '\n', ';']).map(str::trim);
    // A whole sentence is no term.
    let is_term = |term: &&str| !term.is_empty() && term.chars().count() <= TERM_CHARS_MAX;
    for term in terms.filter(is_term).take(KEY_TERMS_MAX) {
        query.append_pair(name, term);
    }
    drop(query);
    url
}

/// What was heard: `metadata.duration`, which is what is billed.
fn heard(answer: Option<&Value>, recording: &Recording<'_>) -> Metering {
    let said = answer.and_then(|answer| answer.pointer("/metadata/duration")).and_then(millis::of_seconds);
    let channels = answer.and_then(|answer| answer.pointer("/results/channels")).and_then(Value::as_array);
    let of = |millis: u64| Usage::default().with(Unit::AudioMilliseconds, millis);
    match said.filter(|millis| *millis > 0) {
        // Each channel that is transcribed apart is billed; without being asked there is one.
        Some(millis) => {
            let channels = channels.map_or(1, |channels| as_u64(channels.len()).max(1));
            reported(of(millis.saturating_mul(channels)))
        }
        None => estimated(of(recording.millis_max())),
    }
}

fn transcript_of(answer: &Value) -> Option<Transcript> {
    let channel = answer.pointer("/results/channels/0")?;
    let best = channel.pointer("/alternatives/0")?;
    let spans = |list: Option<&Value>, texts: &[&str]| -> Vec<Span> {
        let list = list.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        list.iter().filter_map(|span| Span::read(span, texts)).collect()
    };
    Some(Transcript {
        text: best.get("transcript")?.as_str()?.to_owned(),
        language: channel.get("detected_language").and_then(Value::as_str).map(str::to_owned),
        duration: answer.pointer("/metadata/duration").and_then(millis::of_seconds),
        segments: spans(answer.pointer("/results/utterances"), &["transcript"]),
        words: spans(best.get("words"), &["punctuated_word", "word"]),
    })
}
