//! The log and one request of it.

use serde::{Deserialize, Serialize};
use specta::Type;

use super::{Counter, Instant, Money};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum RequestStatus {
    InFlight,
    Succeeded,
    Failed,
    Cancelled,
    /// The process died while the request ran; settled at its estimate on the next start.
    Interrupted,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum CostStatus {
    Exact,
    ProviderCharged,
    Estimated,
    Unpriced,
}

/// All set conditions must hold. Absent means "any".
#[derive(Debug, Clone, Default, Serialize, Deserialize, Type)]
#[serde(default)]
pub struct RequestFilter {
    pub operation: Option<String>,
    pub provider: Option<String>,
    pub model: Option<String>,
    pub status: Option<RequestStatus>,
    pub cost_status: Option<CostStatus>,
    pub key_id: Option<String>,
    pub user: Option<String>,
    pub simulated: Option<bool>,
    /// Nano-dollars; rows that cost at least this.
    pub cost_min: Option<Money>,
    pub from: Option<Instant>,
    pub to: Option<Instant>,
    /// A request id or the beginning of one.
    pub id_prefix: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct RequestPage {
    /// Newest first.
    pub rows: Vec<RequestRow>,
    /// Pass it back for the next (older) page; absent at the end.
    pub next: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct RequestRow {
    pub id: String,
    pub started_at: Instant,
    pub operation: String,
    pub status: RequestStatus,
    /// The target that answered, or the last one tried.
    pub provider: Option<String>,
    pub model: Option<String>,
    pub streamed: bool,
    pub simulated: bool,
    pub attempts: u32,
    pub tokens_in: u32,
    pub tokens_out: u32,
    /// Absent while in flight and when unpriced.
    pub cost: Option<Money>,
    pub cost_status: Option<CostStatus>,
    pub latency_ms: Option<f64>,
    pub first_token_ms: Option<f64>,
    pub key_name: Option<String>,
    pub user: Option<String>,
    pub error_code: Option<String>,
    /// The answer came from the cache; what it would have cost is `saved`.
    pub cached: bool,
    pub saved: Option<Money>,
}

/// Distinct values with their counts, for the filter bar.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct Facets {
    pub operations: Vec<Facet>,
    pub providers: Vec<Facet>,
    pub models: Vec<Facet>,
    pub statuses: Vec<Facet>,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct Facet {
    pub value: String,
    pub count: u32,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct RequestDetail {
    pub row: RequestRow,
    /// `openai_chat` or `anthropic_messages`.
    pub surface: String,
    /// What the client put in `model`.
    pub requested_model: String,
    pub tags: Vec<Tag>,
    /// Revision of the configuration the decision was taken on.
    pub config_revision: Counter,
    /// What it was expected to cost at most, before the call.
    pub estimate: Option<Money>,
    pub decision: DecisionView,
    pub attempts: Vec<AttemptView>,
    pub finish_reason: Option<String>,
    pub error_message: Option<String>,
    /// Present only when payload logging was on.
    pub payload: Option<Payload>,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct Tag {
    pub name: String,
    pub value: String,
}

/// "Why this model?"
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct DecisionView {
    pub strategy: String,
    /// The rule that matched, if one did.
    pub rule: Option<String>,
    /// One sentence that sums the decision up.
    pub summary: String,
    pub candidates: Vec<CandidateView>,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct CandidateView {
    pub provider: String,
    pub model: String,
    pub verdict: Verdict,
    /// 1 is tried first; absent when rejected.
    pub order: Option<u32>,
    /// Machine word, e.g. `no_credential`.
    pub reason_code: String,
    pub reason: String,
    /// When it may be tried again, where that is known.
    pub until: Option<Instant>,
    /// What it was ordered by, in words, e.g. "$0.00021" or "412 ms".
    pub score: Option<String>,
    /// Upper estimate for this request on this target.
    pub estimate: Option<Money>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Chosen,
    Standby,
    Rejected,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct AttemptView {
    pub ordinal: u32,
    pub provider: String,
    pub model: String,
    pub outcome: AttemptOutcome,
    /// E.g. `rate_limit`, `timeout`; absent on success.
    pub failure: Option<String>,
    pub http_status: Option<u32>,
    pub message: Option<String>,
    /// Milliseconds from the start of the request.
    pub started_ms: f64,
    pub first_token_ms: Option<f64>,
    pub finished_ms: f64,
    pub cost: Option<Money>,
    pub cost_status: CostStatus,
    pub lines: Vec<CostLineView>,
    /// Which price card was used: source page and date.
    pub price_source: Option<PriceSource>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum AttemptOutcome {
    Succeeded,
    Failed,
    Cancelled,
    Interrupted,
}

/// `quantity × price = cost`, one line per unit.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct CostLineView {
    /// E.g. `input_tokens`, `cached_input_tokens`, `output_tokens`.
    pub unit: String,
    pub quantity: Counter,
    /// Nano-dollars for `per` units; absent when this unit has no price.
    pub price: Option<Money>,
    pub per: Counter,
    pub cost: Option<Money>,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct PriceSource {
    pub url: Option<String>,
    pub as_of: Option<String>,
    pub effective_from: Instant,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct Payload {
    pub request: Option<String>,
    pub response: Option<String>,
}
