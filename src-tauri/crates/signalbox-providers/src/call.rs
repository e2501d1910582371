//! One call: what goes in, what comes out, and how it can fail.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use secrecy::SecretString;
use serde_json::{Map, Value};
use signalbox_core::failure::FailureKind;
use signalbox_core::ids::{ModelName, ProviderName};
use signalbox_core::ledger::Surface;
use signalbox_core::meter::UsageSource;
use signalbox_core::money::NanoUsd;
use signalbox_core::provider::{Auth, ProviderKind};
use signalbox_core::usage::Usage;
use url::Url;

use crate::headroom::Headroom;

/// Where to call and as whom. The credential goes to this URL's origin and nowhere else.
#[derive(Debug, Clone)]
pub struct Account {
    /// Whose account, for messages.
    pub name: ProviderName,
    /// Which dialect it speaks.
    pub kind: ProviderKind,
    /// Where it is, e.g. `https://api.deepseek.com/v1`.
    pub base_url: Url,
    /// What it asks for; `None` for a server that asks for nothing.
    pub credential: Option<SecretString>,
    /// How the credential travels.
    pub auth: Auth,
}

/// One call, as the client made it.
#[derive(Debug, Clone)]
pub struct Call {
    /// The API of `payload`, and of the answer.
    pub surface: Surface,
    /// What the client sent.
    pub payload: Payload,
    /// The provider's name of the model to call.
    pub model: ModelName,
    /// How long to wait for the provider.
    pub timeouts: Timeouts,
}

/// What a client sent.
#[derive(Clone)]
pub enum Payload {
    /// A JSON object in the surface's own form. Its `model` and `stream` are not read.
    Json(Arc<Map<String, Value>>),
    /// Sound with its form fields.
    Audio(Arc<AudioUpload>),
}

/// Leaves the content out: prompts do not belong in logs.
impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Json(_) => "Json(…)",
            Self::Audio(_) => "Audio(…)",
        })
    }
}

/// A recording to be written down, as it came in a form.
#[derive(Clone, PartialEq, Eq)]
pub struct AudioUpload {
    /// The file.
    pub bytes: Bytes,
    /// What the client calls the file.
    pub file_name: String,
    /// The file's media type, where the client says it.
    pub content_type: Option<String>,
    /// The form's other fields, in order, `model` among them.
    pub fields: Vec<(String, String)>,
}

/// Leaves the recording out: it does not belong in logs.
impl fmt::Debug for AudioUpload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AudioUpload")
            .field("bytes", &self.bytes.len())
            .field("content_type", &self.content_type)
            .finish_non_exhaustive()
    }
}

/// A complete answer.
#[derive(Clone)]
pub struct CallAnswer {
    /// As the surface has it.
    pub body: Bytes,
    /// The media type of `body`.
    pub content_type: Cow<'static, str>,
    /// What was used.
    pub metering: Metering,
    /// The provider's status code.
    pub http_status: u16,
    /// The room the provider leaves, if it said so.
    pub headroom: Option<Headroom>,
}

/// Leaves the body out: answers do not belong in logs.
impl fmt::Debug for CallAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallAnswer")
            .field("http_status", &self.http_status)
            .field("metering", &self.metering)
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// One chat call, as the client made it.
#[derive(Clone)]
pub(crate) struct ChatCall {
    /// The dialect of `body`, and of the answer.
    pub surface: Surface,
    /// The client's request in its own dialect. Its `model` and `stream` are not read.
    pub body: Arc<Map<String, Value>>,
    /// The provider's name of the model to call.
    pub model: ModelName,
    /// How long to wait for the provider.
    pub timeouts: Timeouts,
}

/// Leaves the body out: prompts do not belong in logs.
impl fmt::Debug for ChatCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChatCall")
            .field("surface", &self.surface)
            .field("model", &self.model)
            .field("timeouts", &self.timeouts)
            .finish_non_exhaustive()
    }
}

/// How long to wait for a provider. There is no limit on the whole: a long answer that keeps coming is a good answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// Until the headers of the answer. Of a complete answer that is all of its generation.
    pub first_byte: Duration,
    /// Between two pieces of the answer.
    pub idle: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { first_byte: Duration::from_secs(30), idle: Duration::from_secs(30) }
    }
}

/// What a call used and how it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metering {
    /// In disjoint units.
    pub usage: Usage,
    /// Who counted.
    pub source: UsageSource,
    /// The amount the provider itself named, e.g. an aggregator's `usage.cost`.
    pub charged: Option<NanoUsd>,
    /// Why the model stopped, in the surface's word.
    pub finish_reason: Option<String>,
}

/// A piece of a streamed answer.
#[derive(Clone)]
pub enum StreamItem {
    /// Server-sent events in the surface's dialect.
    Frame {
        /// Whole events, ready to send.
        bytes: Bytes,
        /// Whether they carry content (text, a tool call, reasoning), as opposed to openings and pings.
        semantic: bool,
    },
    /// The clean end. Its bytes hold everything from the finish reason on, to be sent only after the ledger is settled.
    End {
        /// The last events, ready to send.
        bytes: Bytes,
        /// What was used.
        metering: Metering,
    },
    /// The stream broke after its start. Nothing follows.
    Failed(CallError),
}

/// Leaves the bytes out: answers do not belong in logs.
impl fmt::Debug for StreamItem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Frame { bytes, semantic } => {
                f.debug_struct("Frame").field("bytes", &bytes.len()).field("semantic", semantic).finish()
            }
            Self::End { bytes, metering } => {
                f.debug_struct("End").field("bytes", &bytes.len()).field("metering", metering).finish()
            }
            Self::Failed(error) => f.debug_tuple("Failed").field(error).finish(),
        }
    }
}

/// A call that failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct CallError {
    /// What that means for the chain.
    pub kind: FailureKind,
    /// The provider's status code, if it answered.
    pub http_status: Option<u16>,
    /// The provider's or our own words; at most 500 characters, no control characters, no credential.
    pub message: String,
    /// How long the provider asks to wait.
    pub retry_after: Option<Duration>,
    /// What the provider billed all the same.
    pub metering: Option<Metering>,
    /// The room the provider leaves, if it said so.
    pub headroom: Option<Headroom>,
}

impl Call {
    /// The chat in it; `None` when it is no JSON.
    pub(crate) fn as_chat(&self) -> Option<ChatCall> {
        let Payload::Json(body) = &self.payload else { return None };
        let body = Arc::clone(body);
        Some(ChatCall { surface: self.surface, body, model: self.model.clone(), timeouts: self.timeouts })
    }
}
