//! Operations, routes and drafts of them.

use serde::{Deserialize, Serialize};
use specta::Type;

use super::{ApprovalPolicy, DecisionView, Instant, JsonText, Money, Tag};

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
    /// `priority`, `cheapest`, `fastest`, `quality`, `balanced`, `weighted`.
    pub strategy: String,
    pub balance: Balance,
    pub rules: Vec<RouteRule>,
    /// Over all attempts; absent: as long as usual.
    pub deadline_ms: Option<u32>,
    /// How long identical requests share an answer; absent: they do not.
    pub cache_ttl_s: Option<u32>,
    /// Where its data may go; empty: anywhere in its route.
    pub allowed_providers: Vec<String>,
    /// When its requests need a person; absent: never.
    pub approval: Option<ApprovalPolicy>,
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
    /// Its share where the strategy is `weighted`.
    pub weight: u32,
    pub timeout_ms: Option<u32>,
    pub max_output: Option<u32>,
    /// When the next target takes over, in words, e.g. "if it fails, takes longer than 20 s, or its circuit is open".
    pub trip: String,
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
    /// Tenths, 0 to 100; absent when unknown.
    pub quality: Option<u32>,
    /// Median time to an answer lately; absent without traffic.
    pub latency_ms_p50: Option<f64>,
    pub ready: Readiness,
}

/// What the editor wants the operation to become.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct RouteDraft {
    pub operation: String,
    pub base_version: u32,
    pub enabled: bool,
    pub strategy: String,
    pub balance: Balance,
    pub rules: Vec<RouteRule>,
    pub deadline_ms: Option<u32>,
    pub cache_ttl_s: Option<u32>,
    pub allowed_providers: Vec<String>,
    pub approval: Option<ApprovalPolicy>,
    pub targets: Vec<DraftTarget>,
    pub reason: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct DraftTarget {
    pub provider: String,
    pub model: String,
    pub enabled: bool,
    pub weight: u32,
    pub timeout_ms: Option<u32>,
    pub max_output: Option<u32>,
}

impl DraftTarget {
    /// A plain card.
    pub fn of(provider: impl Into<String>, model: impl Into<String>) -> Self {
        let (provider, model) = (provider.into(), model.into());
        Self { provider, model, enabled: true, weight: 1, timeout_ms: None, max_output: None }
    }
}

impl Operation {
    /// A draft that changes nothing yet.
    pub fn draft(&self) -> RouteDraft {
        let target = |card: &RouteTarget| DraftTarget {
            provider: card.provider.clone(),
            model: card.model.clone(),
            enabled: card.enabled,
            weight: card.weight,
            timeout_ms: card.timeout_ms,
            max_output: card.max_output,
        };
        RouteDraft {
            operation: self.id.clone(),
            base_version: self.version,
            enabled: self.enabled,
            strategy: self.strategy.clone(),
            balance: self.balance,
            rules: self.rules.clone(),
            deadline_ms: self.deadline_ms,
            cache_ttl_s: self.cache_ttl_s,
            allowed_providers: self.allowed_providers.clone(),
            approval: self.approval.clone(),
            targets: self.targets.iter().map(target).collect(),
            reason: None,
        }
    }
}

/// What counts how much where the strategy is `balanced`, in percent; together 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct Balance {
    pub cost: u32,
    pub latency: u32,
    pub quality: u32,
}

/// Picks targets by what a request is like, before the strategy orders them. The first rule that matches counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct RouteRule {
    pub name: String,
    /// In the Common Expression Language, e.g. `complexity == "simple" && input_tokens < 500`.
    pub when: String,
    /// `prefer`: tried first, the others remain. `only`: the others are not tried.
    pub effect: String,
    /// `provider/model`, all of them in the chain.
    pub targets: Vec<String>,
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
    /// What it would have meant for the last 24 hours; absent without traffic and while there are problems.
    pub impact: Option<Impact>,
    /// What it would have meant for the cost of the last 30 days; absent while there are problems.
    pub month: Option<CostImpact>,
}

/// What a change would have meant for the cost of the last 30 days. Always an estimate.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct CostImpact {
    /// In one line, with the size of what it rests on.
    pub text: String,
    /// More (or, below 0, less) in 30 days; absent without traffic or when a price is missing.
    pub monthly: Option<Money>,
    /// Days that had traffic.
    pub days: u32,
    /// Their requests, and how many of them were looked at one by one.
    pub requests: u32,
    pub sampled: u32,
}

/// The requests of the last 24 hours, decided again with the draft. Always an estimate.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct Impact {
    /// In one line, e.g. "About + $3.10 a day; 212 of 1,204 requests would go elsewhere first."
    pub text: String,
    /// Requests of the last 24 hours, and how many of them were decided again.
    pub requests: u32,
    pub sampled: u32,
    /// Requests of the sample that another target would have got first.
    pub moved: u32,
    /// What they cost, and what they would have cost at the draft's first choices; absent when a price is missing.
    pub cost_before: Money,
    pub cost_after: Option<Money>,
    pub latency_ms_p95_before: Option<f64>,
    pub latency_ms_p95_after: Option<f64>,
    /// Requests no target of the draft could have taken.
    pub refused: u32,
    pub shares: Vec<ImpactShare>,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct ImpactShare {
    pub provider: String,
    pub model: String,
    /// Share of the requests, 0..1.
    pub before: f64,
    pub after: f64,
}

/// A request that is decided but not sent.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct SimulationInput {
    /// The route to decide by; it need not be applied.
    pub draft: RouteDraft,
    pub request: SimulatedRequest,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum SimulatedRequest {
    /// As an earlier request was.
    Past { request_id: String },
    /// As described.
    Described {
        message: Option<String>,
        /// Counted from the message when absent.
        input_tokens: Option<u32>,
        max_output_tokens: Option<u32>,
        has_images: bool,
        has_tools: bool,
        streamed: bool,
        user: Option<String>,
        tags: Vec<Tag>,
    },
}

/// Where the request would go. Nothing was sent or written.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct Simulation {
    pub decision: DecisionView,
    /// What the rules saw: name and value of every variable.
    pub features: Vec<Tag>,
    /// The most it may cost; absent when unpriced.
    pub estimate: Option<Money>,
    /// How long the decision took.
    pub micros: f64,
    pub problems: Vec<Problem>,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct Problem {
    /// Path of the field, e.g. `targets[1].model`.
    pub field: String,
    pub message: String,
}

impl CostImpact {
    /// As an amount.
    pub(crate) fn amount(&self) -> Option<signalbox_core::money::NanoUsd> {
        let nanos = self.monthly.as_ref()?.0.parse().ok()?;
        Some(signalbox_core::money::NanoUsd::from_nanos(nanos))
    }
}
