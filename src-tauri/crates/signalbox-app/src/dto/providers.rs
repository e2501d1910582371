//! Providers, their credentials, models and prices.

use serde::{Deserialize, Serialize};
use specta::Type;

use super::{Instant, Money, PriceSource, Readiness, Traffic};

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
    /// How its credential travels.
    pub auth: Auth,
    /// Calls at once at most; absent: no limit of ours.
    pub max_concurrent: Option<u32>,
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

/// How a credential travels.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(tag = "scheme", rename_all = "snake_case")]
pub enum Auth {
    /// As the vendor wants it: a bearer token at OpenAI-compatible servers.
    #[default]
    Vendor,
    /// In a header of this name, e.g. Azure's `api-key`.
    Header { name: String },
    /// Exchanged for a token that expires; the credential is then the client's secret.
    ClientCredentials { token_url: String, client_id: String, scope: Option<String> },
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
    pub auth: Auth,
    /// What a person has to fill in or should know.
    pub hint: Option<String>,
    /// How many models of it the shipped catalogue prices.
    pub catalogue_models: u32,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct ProviderInput {
    pub name: String,
    pub kind: String,
    pub base_url: String,
    /// Absent: as the preset of that name has it, else as the vendor wants it.
    #[serde(default)]
    pub auth: Option<Auth>,
}

/// Absent fields stay as they are. A new `base_url` removes the stored credential, because a key is bound to its origin.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct ProviderPatch {
    pub name: String,
    pub base_version: u32,
    pub base_url: Option<String>,
    pub enabled: Option<bool>,
    /// Another place tokens come from removes the stored credential too.
    #[serde(default)]
    pub auth: Option<Auth>,
    /// 0: no limit of ours.
    #[serde(default)]
    pub max_concurrent: Option<u32>,
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
