//! Work that is no chat: vectors, transcripts and speech, each vendor in a file of its own, all for clients of `OpenAI`'s
//! surface.
//!
//! What was used is what the provider reports. Where it reports nothing, or nothing that can be believed, it is counted here
//! and marked as estimated: never left out, so that no transcript and no speech costs nothing by omission.

mod container;
mod deepgram;
mod edge_tts;
mod elevenlabs;
mod embedding;
mod gemini;
mod inspect;
mod millis;
mod openai;
mod recording;
mod spoken;
mod transcript;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use reqwest::Method;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue};
use secrecy::SecretString;
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use serde_json::{Map, Value};
use signalbox_core::failure::FailureKind;
use signalbox_core::meter::UsageSource;
use signalbox_core::usage::Usage;
use url::Url;

use crate::auth::Scheme;
use crate::call::{Account, AudioUpload, Call, CallAnswer, CallError, Metering, Payload};
use crate::failure::{ErrorBody, failed, tidy};
use crate::headroom::Headroom;
use crate::http::{Answered, Body, Http, Outgoing, is_page, media_type};
use crate::inspect::InvalidRequest;

pub(crate) use deepgram::Deepgram;
pub(crate) use edge_tts::EdgeTts;
pub(crate) use elevenlabs::ElevenLabs;
pub(crate) use gemini::GeminiMedia;
pub(crate) use inspect::inspect;
pub(crate) use openai::OpenaiMedia;

/// How long a list of models may take.
const LIST_WAIT: Duration = Duration::from_secs(15);

/// More characters than one text has; who says so is not believed.
const CHARACTERS_MAX: u64 = 1_000_000;

/// The JSON of a call.
fn json_of(call: &Call) -> Result<&Map<String, Value>, CallError> {
    match &call.payload {
        Payload::Json(body) => Ok(body),
        Payload::Audio(_) => {
            Err(failed(FailureKind::BadRequest, None, "this surface takes JSON, not a file"))
        }
    }
}

/// The recording of a call.
fn upload_of(call: &Call) -> Result<&Arc<AudioUpload>, CallError> {
    match &call.payload {
        Payload::Audio(upload) => Ok(upload),
        Payload::Json(_) => Err(failed(FailureKind::BadRequest, None, "file: is missing")),
    }
}

/// A fault of the client's request, as the end of a call.
#[expect(clippy::needless_pass_by_value, reason = "made to stand in map_err")]
fn refused(fault: InvalidRequest) -> CallError {
    failed(FailureKind::BadRequest, None, fault.to_string())
}

/// What the client wants is beyond this provider, which says what is not.
fn unsupported(account: &Account, field: &str, wanted: &str, supported: &str) -> CallError {
    let message = format!("{field}: {} has no `{wanted}`; it has {supported}", account.name);
    failed(FailureKind::Unsupported, None, message)
}

/// A request with a JSON body, or with none.
fn json_request(method: Method, url: Url, body: Option<Vec<u8>>, scheme: Scheme, wait: Duration) -> Outgoing {
    let headers = HeaderMap::from_iter([
        (CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (ACCEPT, HeaderValue::from_static("*/*")),
    ]);
    let body = body.map_or(Body::Empty, |body| Body::Bytes(body.into()));
    Outgoing { method, url, headers, body, scheme, wait }
}

/// JSON that was made here, as bytes.
fn written(body: &impl Serialize) -> Result<Vec<u8>, CallError> {
    serde_json::to_vec(body).map_err(|error| {
        failed(FailureKind::BadRequest, None, format!("the request cannot be written: {error}"))
    })
}

/// The client's own JSON with the provider's name of the model; all else as it is, in its order, and nothing cloned.
struct Forwarded<'a> {
    model: &'a str,
    body: &'a Map<String, Value>,
}

impl Serialize for Forwarded<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("model", self.model)?;
        for (key, value) in self.body.iter().filter(|(key, _)| *key != "model") {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

/// A good answer, read to its end.
struct Reply {
    status: u16,
    headers: HeaderMap,
    secret: Option<SecretString>,
    body: Bytes,
}

impl Reply {
    /// Sends a request and reads its whole answer. `bill` is what a provider takes for an answer that broke on its way.
    async fn to(
        http: &Http,
        account: &Account,
        outgoing: Outgoing,
        idle: Duration,
        bill: impl FnOnce() -> Option<Metering>,
    ) -> Result<Self, CallError> {
        let answered: Answered = http.send(account, outgoing).await?;
        let (status, headers) = (answered.status(), answered.headers().clone());
        let secret = answered.secret.clone();
        match answered.read_all(account, idle).await {
            Ok(body) => Ok(Self { status, headers, secret, body }),
            Err(error) => Err(CallError { metering: bill(), ..error }),
        }
    }

    /// The answer as JSON that is no error.
    fn json(&self, account: &Account) -> Result<Value, CallError> {
        let body: Value = serde_json::from_slice(&self.body).map_err(|error| {
            self.bad(&format!("{} answered with something that is no JSON: {error}", account.name))
        })?;
        let is_error =
            ["error", "err_code"].iter().any(|key| body.get(*key).is_some_and(|error| !error.is_null()));
        if is_error {
            let error = ErrorBody::of_json(&body).into_error(None, Some(&self.headers), self.secret.as_ref());
            return Err(CallError { http_status: Some(self.status), ..error });
        }
        Ok(body)
    }

    /// The answer as sound: not empty, no page, no JSON.
    fn sound(&self, account: &Account) -> Result<&Bytes, CallError> {
        if media_type(&self.headers) == "application/json" {
            self.json(account)?;
            return Err(self.bad(&format!("{} answered with JSON instead of sound", account.name)));
        }
        if is_page(&self.headers) {
            return Err(
                self.bad(&format!("{} answered with a web page: its URL is probably wrong", account.name))
            );
        }
        if self.body.is_empty() {
            return Err(self.bad(&format!("{} answered without any sound", account.name)));
        }
        Ok(&self.body)
    }

    fn bad(&self, message: &str) -> CallError {
        failed(FailureKind::BadResponse, Some(self.status), tidy(message, self.secret.as_ref()))
    }

    /// The end of a good call.
    fn answer(&self, body: Bytes, content_type: &'static str, metering: Metering) -> CallAnswer {
        CallAnswer {
            body,
            content_type: content_type.into(),
            metering,
            http_status: self.status,
            headroom: Headroom::of(&self.headers),
        }
    }
}

/// What the provider reported.
fn reported(usage: Usage) -> Metering {
    Metering { usage, source: UsageSource::Reported, charged: None, finish_reason: None }
}

/// What was counted here.
fn estimated(usage: Usage) -> Metering {
    Metering { usage, source: UsageSource::Estimated, charged: None, finish_reason: None }
}
