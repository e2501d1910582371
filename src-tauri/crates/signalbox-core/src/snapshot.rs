//! Everything a decision looks at, as one immutable value that is swapped whole.

use std::collections::HashMap;

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
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Settings {
    /// Whether prompts and answers are stored. Off unless turned on.
    pub log_payloads: bool,
}
