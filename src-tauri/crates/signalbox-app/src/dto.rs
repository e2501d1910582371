//! What crosses the border to an admin client: plain data with specta types.
//!
//! Money and counters that may pass 2^53 are decimal strings, because JavaScript's numbers lose digits there.
//! Times are RFC 3339 in UTC. Secrets never appear here: [`SecretInput`] goes in, nothing comes out.

use serde::{Deserialize, Serialize};
use specta::Type;

/// Nano-dollars (1 USD = 1,000,000,000) as a decimal string, exact at any size.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(transparent)]
pub struct Money(pub String);

/// A counter that may pass 2^53, as a decimal string.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(transparent)]
pub struct Counter(pub String);

/// An instant: RFC 3339, UTC, microseconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(transparent)]
pub struct Instant(pub String);

/// Opaque JSON as text, for diffs and for values whose shape the window does not interpret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(transparent)]
pub struct JsonText(pub String);

/// A secret on its way in. It cannot be printed or sent back.
#[derive(Clone, Deserialize, Type)]
#[serde(transparent)]
pub struct SecretInput(pub(crate) String);

impl SecretInput {
    /// A secret from a place other than the page, e.g. the clipboard.
    pub const fn new(secret: String) -> Self {
        Self(secret)
    }
}

impl std::fmt::Debug for SecretInput {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretInput([REDACTED])")
    }
}

// ---------------------------------------------------------------- status

/// What the status bar and the first run need at a glance.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct Status {
    pub gateway: GatewayState,
    /// The address programs use, e.g. `http://127.0.0.1:4180/v1`.
    pub base_url: String,
    pub listen: String,
    /// Why the gateway is stopped, in words for a person.
    pub problem: Option<String>,
    pub version: String,
    pub data_dir: String,
    pub database: String,
    pub durability: String,
    pub in_flight: u32,
    pub spend_today: Money,
    pub requests_today: u32,
    pub simulator: SimulatorStatus,
    pub first_run: FirstRun,
    pub at: Instant,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum GatewayState {
    Starting,
    Running,
    Stopped,
    /// Secrets cannot be decrypted: reading works, calling providers does not.
    Sealed,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct SimulatorStatus {
    pub on: bool,
    pub base_url: Option<String>,
}

/// Progress of the first-run steps. It is derived from what exists, so it needs no bookkeeping.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct FirstRun {
    /// A provider other than the simulator has a credential (or needs none).
    pub provider_connected: bool,
    pub key_created: bool,
    pub first_request: Option<String>,
}

// ---------------------------------------------------------------- overview

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum GroupBy {
    Operation,
    Provider,
    Model,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum Bucket {
    Minute,
    Hour,
    Day,
}

/// Half-open time range `[from, to)` and how to slice it.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct OverviewQuery {
    pub from: Instant,
    pub to: Instant,
    pub group_by: GroupBy,
    /// Absent: chosen so that there are at most about 120 buckets.
    pub bucket: Option<Bucket>,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct Overview {
    pub figures: Figures,
    /// The same figures for the period of equal length just before.
    pub previous: Figures,
    pub bucket: Bucket,
    /// Start of each bucket, without gaps.
    pub buckets: Vec<Instant>,
    /// Largest spend first. At most 50 groups.
    pub groups: Vec<GroupSeries>,
    pub at: Instant,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct Figures {
    pub spend: Money,
    pub requests: u32,
    pub succeeded: u32,
    pub failed: u32,
    pub cancelled: u32,
    /// Requests answered by the simulator; they cost nothing and are counted apart.
    pub simulated: u32,
    /// Requests whose cost is not known; they are *not* in `spend`.
    pub unpriced: u32,
    /// Requests whose usage was estimated rather than reported.
    pub estimated: u32,
    pub tokens_in: Counter,
    pub tokens_out: Counter,
    /// Milliseconds; absent without data. Within 5 % (log-scale histogram).
    pub latency_ms_p50: Option<f64>,
    pub latency_ms_p95: Option<f64>,
    pub first_token_ms_p50: Option<f64>,
    pub first_token_ms_p95: Option<f64>,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct GroupSeries {
    /// The operation id, provider name or `provider/model`; empty when no target was reached.
    pub key: String,
    pub simulated: bool,
    /// One entry per bucket.
    pub spend: Vec<Money>,
    pub requests: Vec<u32>,
    pub total: Figures,
}

// ---------------------------------------------------------------- requests (Logs)

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

// ---------------------------------------------------------------- operations and routes

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct Operation {
    pub id: String,
    pub description: String,
    /// `chat`, `embedding`, `transcription`, `speech`, `vision`.
    pub capability: String,
    /// `low`, `medium`, `high`.
    pub criticality: String,
    pub enabled: bool,
    pub batch_eligible: bool,
    pub cacheable: bool,
    pub strategy: String,
    /// Grows by one with each applied change; sent back as `base_version` of a draft.
    pub version: u32,
    pub targets: Vec<RouteTarget>,
    pub last_24h: Traffic,
    pub changed_at: Option<Instant>,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct RouteTarget {
    pub provider: String,
    pub model: String,
    pub enabled: bool,
    /// Whether a request would be sent there now, and if not, why.
    pub ready: Readiness,
    /// Share of the last 24 h of this operation it served, 0..1; absent without traffic.
    pub share_24h: Option<f64>,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct Readiness {
    pub ready: bool,
    /// `ready`, `no_credential`, `provider_disabled`, `no_adapter` ...
    pub code: String,
    pub text: String,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct Traffic {
    pub requests: u32,
    pub failed: u32,
    pub spend: Money,
    pub latency_ms_p95: Option<f64>,
}

/// One choice in a target dropdown.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct TargetOption {
    pub provider: String,
    pub model: String,
    pub capabilities: Vec<String>,
    pub context_window: Option<u32>,
    /// Nano-dollars per million tokens; absent when unpriced or not priced by tokens.
    pub input_per_mtok: Option<Money>,
    pub output_per_mtok: Option<Money>,
    pub simulated: bool,
    pub ready: Readiness,
}

/// What the editor wants the operation to become.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct RouteDraft {
    pub operation: String,
    pub base_version: u32,
    pub enabled: bool,
    pub targets: Vec<DraftTarget>,
    pub reason: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct DraftTarget {
    pub provider: String,
    pub model: String,
    pub enabled: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct RoutePreview {
    /// The change in words, e.g. "anthropic/claude-sonnet-4-5 moves to first".
    pub sentences: Vec<String>,
    pub before: JsonText,
    pub after: JsonText,
    /// Faults that stop it from being applied.
    pub problems: Vec<Problem>,
    /// Things to know that do not stop it (no price, no credential).
    pub warnings: Vec<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct Problem {
    /// Path of the field, e.g. `targets[1].model`.
    pub field: String,
    pub message: String,
}

// ---------------------------------------------------------------- providers and models

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct Provider {
    pub name: String,
    /// `openai`, `anthropic`, `simulator` ...
    pub kind: String,
    pub base_url: String,
    pub enabled: bool,
    /// The simulator belongs to the product and cannot be removed.
    pub builtin: bool,
    pub credential: Credential,
    pub ready: Readiness,
    pub last_check: Option<CheckResult>,
    pub models: Vec<Model>,
    pub last_24h: Traffic,
    pub version: u32,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct Credential {
    pub state: CredentialState,
    /// E.g. `…a91f`; never more than the last four characters.
    pub hint: Option<String>,
    /// The environment variable it is read from, if it is.
    pub env_var: Option<String>,
    pub set_at: Option<Instant>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum CredentialState {
    Set,
    Missing,
    NotNeeded,
}

/// Outcome of the free check (list of models).
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct CheckResult {
    pub ok: bool,
    /// For a person: what was found, or what is wrong and what to do.
    pub message: String,
    /// `ok`, `invalid_key`, `unreachable`, `not_found`, `bad_response` ...
    pub code: String,
    pub models_found: u32,
    pub latency_ms: f64,
    pub at: Instant,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct Model {
    pub name: String,
    pub capabilities: Vec<String>,
    pub context_window: Option<u32>,
    pub input_per_mtok: Option<Money>,
    pub cached_input_per_mtok: Option<Money>,
    pub output_per_mtok: Option<Money>,
    pub priced: bool,
    pub price_source: Option<PriceSource>,
}

/// A ready-made choice in "Add provider".
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct ProviderPreset {
    /// Suggested name, e.g. `deepseek`.
    pub name: String,
    pub label: String,
    pub kind: String,
    pub base_url: String,
    pub needs_credential: bool,
    /// How many models of it the shipped catalogue prices.
    pub catalogue_models: u32,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct ProviderInput {
    pub name: String,
    pub kind: String,
    pub base_url: String,
}

/// Absent fields stay as they are. A new `base_url` removes the stored credential, because a key is bound to its origin.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct ProviderPatch {
    pub name: String,
    pub base_version: u32,
    pub base_url: Option<String>,
    pub enabled: Option<bool>,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct ModelInput {
    pub provider: String,
    pub model: String,
    /// Decimal USD per million tokens, e.g. `"0.27"`. Absent: unpriced, and said so.
    pub input_usd_per_mtok: Option<String>,
    pub cached_input_usd_per_mtok: Option<String>,
    pub output_usd_per_mtok: Option<String>,
    pub context_window: Option<u32>,
}

// ---------------------------------------------------------------- keys

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct ApiKey {
    pub id: String,
    pub name: String,
    pub prefix: String,
    pub last4: String,
    /// Operations it may use; empty means all.
    pub operations: Vec<String>,
    pub created_at: Instant,
    pub last_used_at: Option<Instant>,
    pub revoked_at: Option<Instant>,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct KeyInput {
    pub name: String,
    pub operations: Vec<String>,
}

/// The new key itself was put on the clipboard by the backend; the window never sees it.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct KeyCreated {
    pub key: ApiKey,
    /// False when there is no clipboard: then the key was written to `saved_to`, readable by the owner only.
    pub copied: bool,
    pub saved_to: Option<String>,
}

// ---------------------------------------------------------------- trying it out

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct TestRequest {
    pub operation: String,
    pub message: String,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct TestAnswer {
    pub request_id: String,
    pub text: String,
    pub provider: String,
    pub model: String,
    pub cost: Option<Money>,
    pub simulated: bool,
}

// ---------------------------------------------------------------- change history

#[derive(Debug, Clone, Default, Serialize, Deserialize, Type)]
#[serde(default)]
pub struct ChangeFilter {
    /// `route`, `provider`, `model`, `price`, `key`, `credential`, `setting`.
    pub kind: Option<String>,
    pub subject: Option<String>,
    pub actor: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct ChangePage {
    /// Newest first.
    pub rows: Vec<Change>,
    pub next: Option<String>,
    pub chain: ChainReport,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct Change {
    pub seq: u32,
    pub id: String,
    pub at: Instant,
    pub actor: String,
    /// `window`, `cli`, `install`.
    pub source: String,
    pub kind: String,
    pub subject: String,
    pub sentence: String,
    pub before: Option<JsonText>,
    pub after: Option<JsonText>,
    pub reason: Option<String>,
    /// First 12 hex digits of the entry's SHA-256.
    pub hash: String,
    pub revertible: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct ChainReport {
    pub intact: bool,
    pub entries: u32,
    /// First entry whose hash does not match.
    pub first_bad: Option<u32>,
    pub checked_at: Instant,
}

// ---------------------------------------------------------------- export

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum ExportFormat {
    Jsonl,
    Csv,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct Exported {
    pub path: String,
    pub rows: Counter,
}

// ---------------------------------------------------------------- events

/// What changed; the window refetches the queries that carry the tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum CacheTag {
    Status,
    Requests,
    Operations,
    Providers,
    Keys,
    Changes,
}
