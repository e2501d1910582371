//! Everything a decision looks at, as one immutable value that is swapped whole.

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};

use crate::breach::Breach;
use crate::breaker::BreakerSettings;
use crate::budget::Budget;
use crate::ids::{KeyId, OperationId, ProviderName};
use crate::key::{ApiKey, KeyHash, KeyStanding};
use crate::operation::Operation;
use crate::price::PriceCard;
use crate::provider::{Model, Provider};
use crate::route::{Route, Target};
use crate::time::Timestamp;
use crate::toggle::Toggles;

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
    /// Secrets that were replaced, by hash: the hash of the one that replaced them.
    pub former_keys: HashMap<KeyHash, KeyHash>,
    /// Owners' own credentials that are at hand.
    pub own_credentials: HashSet<(KeyId, ProviderName)>,
    /// Budgets, oldest first.
    pub budgets: Vec<Budget>,
    /// Defaults and bounds.
    pub settings: Settings,
    /// What is switched on.
    pub toggles: Toggles,
}

/// Why a presented secret opens nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyRefused<'a> {
    /// It is nobody's.
    Unknown,
    /// Its key has expired.
    Expired(&'a ApiKey, Timestamp),
    /// Its key was revoked.
    Revoked(&'a ApiKey),
    /// It was replaced, and its overlap is over.
    Replaced(&'a ApiKey, Timestamp),
}

impl Snapshot {
    /// The key whose secret has this hash, if it opens anything at `now`.
    ///
    /// Errors: [`KeyRefused`].
    pub fn presented(&self, hash: &KeyHash, now: Timestamp) -> Result<&ApiKey, KeyRefused<'_>> {
        let current = self.keys.get(hash);
        let former = || self.keys.get(self.former_keys.get(hash)?);
        let key = current.or_else(former).ok_or(KeyRefused::Unknown)?;
        match key.standing(now) {
            KeyStanding::Revoked(_) => return Err(KeyRefused::Revoked(key)),
            KeyStanding::Expired(at) => return Err(KeyRefused::Expired(key, at)),
            KeyStanding::Active => {}
        }
        match &key.former {
            Some(former) if current.is_none() && former.until <= now => {
                Err(KeyRefused::Replaced(key, former.until))
            }
            // A secret without an overlap is not kept.
            None if current.is_none() => Err(KeyRefused::Unknown),
            Some(_) | None => Ok(key),
        }
    }

    /// Whether a provider can be called with this key: with its owner's own credential where it has one, else with the
    /// installation's. An own credential that cannot be read is never replaced by the installation's: that would spend
    /// other people's money.
    pub fn is_credential_ready(&self, provider: &ProviderName, key: Option<&ApiKey>) -> bool {
        match key.filter(|key| key.has_own_credential(provider)) {
            Some(key) => self.own_credentials.contains(&(key.id, provider.clone())),
            None => self.providers.get(provider).is_some_and(|entry| entry.credential_ready),
        }
    }
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
    /// The last bill that was above its bound, until an admin says that the model may be used again.
    pub breach: Option<Breach>,
}

impl ModelEntry {
    /// The bill because of which the model is left out at `now`.
    pub fn breach_at(&self, now: Timestamp) -> Option<&Breach> {
        self.breach.as_ref().filter(|breach| breach.holds(&self.cards, now))
    }
}

/// Defaults and bounds an admin can set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
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
