//! Everything a decision looks at, as one immutable value that is swapped whole.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::breaker::BreakerSettings;
use crate::ids::{OperationId, ProviderName};
use crate::key::{ApiKey, KeyHash};
use crate::operation::Operation;
use crate::price::PriceCard;
use crate::provider::{Model, Provider};
use crate::route::{Route, Target};

/// The configuration at one revision. The revision is written on each ledger row, so a decision can be replayed.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    /// Which state of the configuration this is.
    pub revision: i64,
    /// Operations with their routes.
    pub operations: HashMap<OperationId, OperationEntry>,
    /// Providers, and whether their credential is at hand.
    pub providers: HashMap<ProviderName, ProviderEntry>,
    /// Models with their price cards.
    pub models: HashMap<Target, ModelEntry>,
    /// API keys by the hash of their secret.
    pub keys: HashMap<KeyHash, ApiKey>,
    /// Switches and defaults.
    pub settings: Settings,
}

/// An operation and where its requests go.
#[derive(Debug, Clone)]
pub struct OperationEntry {
    /// The operation.
    pub operation: Operation,
    /// Its route.
    pub route: Route,
}

/// A provider and whether it can be called now.
#[derive(Debug, Clone)]
pub struct ProviderEntry {
    /// The provider.
    pub provider: Provider,
    /// Whether its credential is at hand (or none is needed).
    pub credential_ready: bool,
}

/// A model and what it costs.
#[derive(Debug, Clone)]
pub struct ModelEntry {
    /// The model.
    pub model: Model,
    /// Its cards, in any order; empty when unpriced.
    pub cards: Vec<PriceCard>,
}

/// Switches and defaults an admin can set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Whether prompts and answers are stored. Off unless turned on.
    pub log_payloads: bool,
    /// When a target's circuit opens and for how long.
    pub breaker: BreakerSettings,
    /// What becomes of a request whose target has no price.
    pub unpriced: UnpricedPolicy,
    /// Requests that may run at once.
    pub max_requests: u32,
}

/// Requests that may run at once unless an admin says otherwise: what a small machine carries within 300 MB.
const MAX_REQUESTS: u32 = 2_048;

impl Default for Settings {
    fn default() -> Self {
        Self {
            log_payloads: false,
            breaker: BreakerSettings::default(),
            unpriced: UnpricedPolicy::Allow,
            max_requests: MAX_REQUESTS,
        }
    }
}

/// What becomes of a request whose target has no price. Its cost is never taken for 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnpricedPolicy {
    /// It is served, marked as unpriced and reported.
    #[default]
    Allow,
    /// It is served, and reserved at the dearest price its provider has.
    FamilyMaximum,
    /// It is not sent there.
    Block,
}

impl UnpricedPolicy {
    /// Every policy.
    pub const ALL: &'static [Self] = &[Self::Allow, Self::FamilyMaximum, Self::Block];

    /// The word on the wire and in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::FamilyMaximum => "family_maximum",
            Self::Block => "block",
        }
    }

    /// The policy of that word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|policy| policy.as_str() == word)
    }
}
