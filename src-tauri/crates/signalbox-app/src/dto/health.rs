//! Health of providers and their targets, and failovers.

use serde::{Deserialize, Serialize};
use specta::Type;

use super::{Instant, Money};

/// A target's or provider's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum HealthState {
    /// No call lately.
    Idle,
    Healthy,
    /// Calls fail, but it is still tried.
    Degraded,
    /// The provider asked to wait.
    CoolingDown,
    /// Its circuit is open.
    Open,
    /// One call may try whether it is back.
    Probing,
    /// Held open by an admin.
    Held,
    /// The provider refuses the credential.
    CredentialBad,
    /// Switched off, or without a credential.
    Off,
}

/// One provider with its targets.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct ProviderHealth {
    pub provider: String,
    /// The worst state of its targets that were called lately.
    pub state: HealthState,
    /// One sentence for a person.
    pub text: String,
    pub window: HealthWindow,
    /// The last 60 minutes, oldest first.
    pub strip: Vec<HealthMinute>,
    pub in_use: u32,
    pub max_concurrent: Option<u32>,
    /// What the provider last said is left of its limits.
    pub headroom: Option<RateHeadroom>,
    pub spend_24h: Money,
    /// Best first.
    pub targets: Vec<TargetHealth>,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct TargetHealth {
    pub provider: String,
    pub model: String,
    pub state: HealthState,
    pub text: String,
    /// 1 is the best of all targets that were called lately.
    pub rank: Option<u32>,
    /// When the state may end by itself.
    pub until: Option<Instant>,
    pub window: HealthWindow,
    pub strip: Vec<HealthMinute>,
    /// The last ten, newest first.
    pub failures: Vec<FailureNote>,
    /// Steps of its circuit, newest first.
    pub events: Vec<CircuitEvent>,
    pub in_use: u32,
}

/// Calls of the sliding window.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct HealthWindow {
    pub minutes: u32,
    pub succeeded: u32,
    pub failed: u32,
    /// 0..1; absent without calls.
    pub success_rate: Option<f64>,
    pub latency_ms_mean: Option<f64>,
    pub latency_ms_p50: Option<f64>,
    pub latency_ms_p95: Option<f64>,
    pub latency_ms_p99: Option<f64>,
    pub first_token_ms_p50: Option<f64>,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct HealthMinute {
    pub at: Instant,
    pub succeeded: u32,
    pub failed: u32,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct FailureNote {
    pub at: Instant,
    /// E.g. `rate_limit`, `timeout`.
    pub kind: String,
    pub http_status: Option<u32>,
    pub message: String,
    pub latency_ms: f64,
    pub request_id: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct RateHeadroom {
    pub requests_left: Option<u32>,
    pub requests_limit: Option<u32>,
    pub tokens_left: Option<u32>,
    pub tokens_limit: Option<u32>,
    pub resets_at: Option<Instant>,
    pub seen_at: Instant,
}

/// A step of a circuit.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct CircuitEvent {
    pub id: String,
    pub at: Instant,
    pub provider: String,
    pub model: String,
    /// `closed`, `open`, `half_open`, `held`.
    pub from: String,
    pub to: String,
    /// In words, e.g. "3 failures in 5 min".
    pub cause: String,
    /// Who did it by hand, if somebody did.
    pub actor: Option<String>,
    /// The calls that tripped it.
    pub calls: Vec<FailureNote>,
}

/// What an admin does to a circuit.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct CircuitAction {
    pub provider: String,
    /// Absent: every target of the provider.
    pub model: Option<String>,
    /// `hold` (open until reset) or `reset` (closed, with a clean slate).
    pub action: String,
    pub reason: Option<String>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize, Type)]
#[serde(default)]
pub struct FailoverFilter {
    pub operation: Option<String>,
    /// As the one that failed.
    pub provider: Option<String>,
    pub model: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct FailoverPage {
    /// Newest first.
    pub rows: Vec<Failover>,
    pub next: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct Failover {
    pub request_id: String,
    pub at: Instant,
    pub operation: String,
    pub from_provider: String,
    pub from_model: String,
    pub to_provider: String,
    pub to_model: String,
    /// E.g. `timeout`.
    pub reason: String,
    /// Our own time between the two calls.
    pub hop_ms: f64,
}
