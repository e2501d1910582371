//! Operations, routes and drafts of them.

use serde::{Deserialize, Serialize};
use specta::Type;

use super::{Instant, JsonText, Money};

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
