//! The way of one request, and the only way: authenticate, resolve, decide, write T1, try the chain, meter, write T2,
//! answer. Schedules, batches and jobs will take it too.

mod refusal;
mod resolve;
mod run;
mod stream;

pub use refusal::{Refusal, RefusalCode};
pub use resolve::Resolved;
pub use signalbox_providers::{AudioUpload, InvalidRequest, Payload, count_input};

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use signalbox_core::decide::{Ask, decide};
use signalbox_core::ids::{KeyId, OperationId, RequestId};
use signalbox_core::key::ApiKey;
use signalbox_core::ledger::{RequestStart, Surface, Work};
use signalbox_core::money::NanoUsd;
use signalbox_core::operation::Capability;
use signalbox_core::route::Target;
use signalbox_providers::inspect;
use tokio::sync::{mpsc, oneshot};

use crate::engine::Engine;
use crate::live::Live;

/// An AI call, resolved and authorised, on its way in.
#[derive(Clone)]
pub struct Call {
    /// The client's dialect.
    pub surface: Surface,
    /// The client's request in that dialect.
    pub payload: Payload,
    /// What the client put in `model`.
    pub requested_model: String,
    /// What that means.
    pub resolved: Resolved,
    /// With which key; `None` for the window's own test request.
    pub key: Option<KeyId>,
    /// For whom, as the client says.
    pub user: Option<String>,
    /// The client's own labels.
    pub tags: Vec<(String, String)>,
    /// How long the client waits, over all attempts; `None` when it does not say.
    pub deadline: Option<Duration>,
    /// What makes the request the same one when it is sent again.
    pub idempotency_key: Option<String>,
    /// Whether the client wants no answer from the cache.
    pub no_cache: bool,
}

/// Leaves the body out: prompts do not belong in logs.
impl std::fmt::Debug for Call {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Call")
            .field("surface", &self.surface)
            .field("resolved", &self.resolved)
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}

/// What an answer says about itself.
#[derive(Debug, Clone)]
pub struct AnswerMeta {
    /// Its ledger entry.
    pub request: RequestId,
    /// What kind of work it was.
    pub operation: OperationId,
    /// Who answered.
    pub target: Target,
    /// How many targets were tried.
    pub attempts: u32,
    /// What it cost; `None` while streaming and when unpriced.
    pub cost: Option<NanoUsd>,
    /// Whether the simulator answered.
    pub simulated: bool,
    /// What the answer cache had to do with it.
    pub cache: CacheUse,
    /// Whether it is the first answer to the same request, given again.
    pub replayed: bool,
}

/// What the answer cache had to do with an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CacheUse {
    /// The operation has none, or the client wants none.
    Off,
    /// It was asked and had nothing.
    Miss,
    /// The answer is from there.
    Hit,
}

impl CacheUse {
    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Miss => "miss",
            Self::Hit => "hit",
        }
    }
}

/// An answer in the client's dialect.
#[derive(Debug)]
pub enum Answer {
    /// All at once. It is settled.
    Complete {
        /// About it.
        meta: AnswerMeta,
        /// The media type of `body`.
        content_type: Cow<'static, str>,
        /// As the surface has it.
        body: Bytes,
    },
    /// As it comes. It is settled before its last frame.
    Stream {
        /// About it.
        meta: AnswerMeta,
        /// Server-sent events; the channel closes after the last.
        frames: mpsc::Receiver<Bytes>,
    },
}

impl Engine {
    /// The key's owner, by the presented secret.
    ///
    /// Errors: no such key, revoked, or secrets are sealed.
    pub fn authenticate<'a>(&self, live: &'a Live, presented: &str) -> Result<&'a ApiKey, Refusal> {
        let Some(hasher) = &live.key_hasher else {
            let why = live.sealed.as_deref().unwrap_or("secrets are sealed");
            return Err(Refusal::new(RefusalCode::Sealed, format!("API keys cannot be checked: {why}.")));
        };
        let invalid = || {
            let message =
                "The API key is not valid. Create one in Signalbox or with `signalbox-node keys create`.";
            Refusal::new(RefusalCode::InvalidKey, message)
        };
        let key = live.snapshot.keys.get(&hasher.hash(presented)).ok_or_else(invalid)?;
        if key.is_live(self.control.now()) {
            Ok(key)
        } else {
            Err(Refusal::new(
                RefusalCode::InvalidKey,
                format!("The API key `{}` has been revoked.", key.name),
            ))
        }
    }

    /// Serves a call. It runs to its settlement even when the caller stops waiting: then it is cancelled, and what it
    /// used until then is charged.
    ///
    /// Errors: a [`Refusal`], whose text is for the client.
    pub async fn dispatch(self: &Arc<Self>, live: Arc<Live>, call: Call) -> Result<Answer, Refusal> {
        if self.requests.is_closed() {
            return Err(Refusal::new(RefusalCode::ShuttingDown, "Signalbox is shutting down."));
        }
        let run = self.admit(live, call)?;
        let (answer_to, answer) = oneshot::channel();
        self.requests.spawn(run.serve_whatever_happens(answer_to));
        let broken = |_| Refusal::new(RefusalCode::Internal, "The request ended without an answer.");
        answer.await.map_err(broken)?
    }

    /// Everything that is decided before the first write. It does no I/O.
    fn admit(self: &Arc<Self>, live: Arc<Live>, call: Call) -> Result<run::Run, Refusal> {
        let snapshot = &live.snapshot;
        let now = self.control.now();
        let operation = &call.resolved.operation;
        if let Some(entry) = snapshot.operations.get(operation) {
            refuse_foreign_capability(operation, entry.operation.capability, call.surface)?;
        }
        let features = inspect(call.surface, &call.payload)
            .map_err(|fault| Refusal::new(RefusalCode::InvalidRequest, fault.to_string()))?;
        let ask = Ask {
            operation,
            pinned: call.resolved.pinned.as_ref(),
            has_images: features.has_images,
            bound: features.bound,
        };
        let decision = decide(snapshot, &ask, now).map_err(Refusal::from)?;
        let start = RequestStart {
            idempotency: None,
            id: RequestId::generate(),
            node: self.node,
            started_at: now,
            operation: operation.clone(),
            surface: call.surface,
            streamed: features.streamed,
            requested_model: call.requested_model,
            key: call.key,
            user: call.user,
            tags: call.tags,
            config_revision: snapshot.revision,
            estimate: decision.estimate_max(),
            decision,
            payload: snapshot.settings.log_payloads.then(|| payload_text(&call.payload)),
        };
        Ok(run::Run::new(Arc::clone(self), live, start, call.payload))
    }
}

/// What is stored of a request's body when payloads are logged. A recording is named, not kept.
fn payload_text(payload: &Payload) -> String {
    match payload {
        Payload::Json(body) => serde_json::to_string(&**body).unwrap_or_default(),
        Payload::Audio(upload) => format!("{upload:?}"),
    }
}

/// Each endpoint serves its own kind of work.
fn refuse_foreign_capability(
    operation: &OperationId,
    capability: Capability,
    surface: Surface,
) -> Result<(), Refusal> {
    let (work, serves) = match capability {
        Capability::Chat | Capability::Vision | Capability::AudioInput => (Work::Chat, "chat"),
        Capability::Embedding => (Work::Embedding, "embeddings"),
        Capability::Transcription => (Work::Transcription, "transcription"),
        Capability::Speech => (Work::Speech, "speech"),
    };
    if surface.work() == work {
        return Ok(());
    }
    let message = format!("The operation `{operation}` is for {serves}, which this endpoint does not serve.");
    Err(Refusal::new(RefusalCode::CapabilityMismatch, message))
}
