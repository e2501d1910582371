//! Requests as the ledger tells them: filters, list rows and whole records.

mod decided;
mod facets;
mod list;
mod record;

pub use decided::DecidedRequest;

use signalbox_core::ids::{KeyId, NodeId, OperationId, RequestId};
use signalbox_core::ledger::{CacheHit, NextCall, Outcome, RequestStart, Settlement, Surface};
use signalbox_core::meter::CostStatus;
use signalbox_core::money::NanoUsd;
use signalbox_core::route::Target;
use signalbox_core::time::Timestamp;

/// All set conditions must hold. Texts that name nothing match nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RequestFilter {
    /// What kind of work.
    pub operation: Option<String>,
    /// The provider that answered, or the last one tried.
    pub provider: Option<String>,
    /// The model that answered, or the last one tried; a trailing `*` matches every continuation.
    pub model: Option<String>,
    /// How it stands.
    pub status: Option<RequestStatus>,
    /// How sure its cost is.
    pub cost_status: Option<CostStatus>,
    /// With which key it came.
    pub key: Option<KeyId>,
    /// For whom.
    pub user: Option<String>,
    /// Whether the simulator answered.
    pub simulated: Option<bool>,
    /// It cost at least this much.
    pub cost_min: Option<NanoUsd>,
    /// Started at or after.
    pub from: Option<Timestamp>,
    /// Started before.
    pub to: Option<Timestamp>,
    /// Its id or the beginning of it, with or without `req_`.
    pub id_prefix: Option<String>,
}

/// How a request stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RequestStatus {
    /// Started and not settled.
    InFlight,
    /// Settled.
    Ended(Outcome),
}

/// A request started and never settled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenRequest {
    /// As it was started; without its payload.
    pub start: RequestStart,
    /// Its latest call of a provider, if that is not the one it was started with.
    pub call: Option<NextCall>,
}

/// A row of the request list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestSummary {
    /// Its identity.
    pub id: RequestId,
    /// Which instance served it.
    pub node: NodeId,
    /// When it came in.
    pub started_at: Timestamp,
    /// What kind of work it is.
    pub operation: OperationId,
    /// Through which API it came.
    pub surface: Surface,
    /// Whether the client asked for a stream.
    pub streamed: bool,
    /// With which key.
    pub key: Option<KeyId>,
    /// For whom.
    pub user: Option<String>,
    /// Which configuration it was decided on.
    pub config_revision: i64,
    /// The most it may cost.
    pub estimate: Option<NanoUsd>,
    /// How it ended; `None` while in flight.
    pub end: Option<RequestEnd>,
}

/// How a request ended, in brief.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestEnd {
    /// When.
    pub finished_at: Timestamp,
    /// How.
    pub outcome: Outcome,
    /// The target that answered, or the last one tried.
    pub target: Option<Target>,
    /// Whether the simulator answered.
    pub simulated: bool,
    /// How many targets were called.
    pub attempts: u32,
    /// Tokens read, held at the largest `i64`.
    pub tokens_in: i64,
    /// Tokens written, held at the largest `i64`.
    pub tokens_out: i64,
    /// How sure the cost is.
    pub cost_status: CostStatus,
    /// What it cost; `None` exactly when unpriced.
    pub cost: Option<NanoUsd>,
    /// Microseconds from the first to the last byte of our work.
    pub latency_us: i64,
    /// Microseconds to the first token of the answer.
    pub first_token_us: Option<i64>,
    /// Why the model stopped.
    pub finish_reason: Option<String>,
    /// The client's error code, if it got one.
    pub error_code: Option<String>,
    /// Where the answer came from, when no provider was called.
    pub cache: Option<CacheHit>,
}

impl RequestSummary {
    /// How it stands.
    pub fn status(&self) -> RequestStatus {
        self.end.as_ref().map_or(RequestStatus::InFlight, |end| RequestStatus::Ended(end.outcome))
    }
}

/// Everything known of one request, payloads included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestRecord {
    /// As it was started.
    pub start: RequestStart,
    /// How it ended; `None` while in flight.
    pub settlement: Option<Settlement>,
}

/// Distinct values with their numbers of settled requests, most frequent first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facets {
    /// Operations.
    pub operations: Vec<Facet>,
    /// Providers.
    pub providers: Vec<Facet>,
    /// Models, as the provider names them.
    pub models: Vec<Facet>,
    /// Outcomes, in the store's words.
    pub outcomes: Vec<Facet>,
    /// Requests started and not settled.
    pub in_flight: i64,
}

/// A key's newest request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyUse {
    /// When it came in.
    pub at: Timestamp,
    /// What kind of work it was.
    pub operation: OperationId,
}

/// A value and how many settled requests have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facet {
    /// The value.
    pub value: String,
    /// How many.
    pub count: i64,
}
