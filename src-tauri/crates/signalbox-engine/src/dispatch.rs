//! The way of one request, and the only way: authenticate, resolve, decide, write T1, try the chain, meter, write T2,
//! answer. Schedules, batches and jobs will take it too.

mod admit;
mod approval;
mod attempt;
mod breach;
pub(crate) mod fingerprint;
mod keeping;
pub(crate) mod kept;
mod refusal;
mod resolve;
mod run;
mod stream;

pub use approval::Ticket;
pub(crate) use attempt::at;
pub use refusal::{Refusal, RefusalCode, RefusalDetails};
pub use resolve::Resolved;
pub use signalbox_providers::{AudioUpload, InvalidRequest, Payload, count_input};

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use signalbox_core::entry::EntryPath;
use signalbox_core::ids::{ApprovalId, KeyId, OperationId, RequestId};
use signalbox_core::key::ApiKey;
use signalbox_core::ledger::Surface;
use signalbox_core::money::NanoUsd;
use signalbox_core::route::Target;
use signalbox_core::snapshot::KeyRefused;
use tokio::sync::mpsc;

use self::admit::Entry;
use self::run::{Caller, Run};
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
    /// By which way it came.
    pub via: EntryPath,
    /// Which person sent it, if a person did.
    pub person: Option<String>,
    /// The approval the client says it has.
    pub approval: Option<ApprovalId>,
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
    /// Errors: no such key, revoked, expired, replaced by a rotation, or secrets are sealed.
    pub fn authenticate<'a>(&self, live: &'a Live, presented: &str) -> Result<&'a ApiKey, Refusal> {
        let Some(hasher) = &live.key_hasher else {
            let why = live.sealed.as_deref().unwrap_or("secrets are sealed");
            return Err(Refusal::new(RefusalCode::Sealed, format!("API keys cannot be checked: {why}.")));
        };
        let known = live.snapshot.presented(&hasher.hash(presented), self.control.now());
        known.map_err(|refused| {
            let message = match refused {
                KeyRefused::Unknown => {
                    "The API key is not valid. Create one in Signalbox or with `signalbox-node keys create`."
                        .to_owned()
                }
                KeyRefused::Revoked(key) => format!("The API key `{}` has been revoked.", key.name),
                KeyRefused::Expired(key, at) => {
                    format!("The API key `{}` expired at {}.", key.name, at.to_the_minute())
                }
                KeyRefused::Replaced(key, at) => format!(
                    "The API key `{}` was given a new secret, and this one was good until {}.",
                    key.name,
                    at.to_the_minute()
                ),
            };
            Refusal::new(RefusalCode::InvalidKey, message)
        })
    }

    /// Serves a call. It runs to its settlement even when the caller stops waiting: then it is cancelled, and what it
    /// used until then is charged.
    ///
    /// Errors: a [`Refusal`], whose text is for the client.
    pub async fn dispatch(self: &Arc<Self>, live: Arc<Live>, call: Call) -> Result<Answer, Refusal> {
        if self.requests.is_closed() {
            return Err(Refusal::new(RefusalCode::ShuttingDown, "Signalbox is shutting down."));
        }
        let flow = self.kill_switch.open_flow()?;
        let held = Self::hold_of(&live, &call).map(|hold| (hold, call.clone()));
        let (live, entry) = match (self.admit(&live, call, &flow).await, held) {
            (Ok(entry), _) => (live, entry),
            (Err(refusal), Some((hold, call))) => self.hold(call, refusal, hold, &flow).await?,
            (Err(refusal), None) => return Err(refusal),
        };
        let admitted = match entry {
            Entry::Run(admitted) => *admitted,
            Entry::Answered(answer) => return Ok(answer),
        };
        let (caller, answer) = Caller::new();
        self.requests
            .spawn(Run::new(Arc::clone(self), live, admitted, caller, flow).serve_whatever_happens());
        let broken = |_| Refusal::new(RefusalCode::Internal, "The request ended without an answer.");
        answer.await.map_err(broken)?
    }
}
