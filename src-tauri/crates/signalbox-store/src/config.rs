//! Configuration: read whole, written in one transaction with its history.

use std::collections::HashMap;

use signalbox_core::change::Change;
use signalbox_core::ids::{OperationId, ProviderName};
use signalbox_core::key::{ApiKey, KeyHash};
use signalbox_core::operation::Operation;
use signalbox_core::price::PriceCard;
use signalbox_core::provider::{Model, Provider};
use signalbox_core::route::{Route, Target};
use signalbox_core::snapshot::{ModelEntry, OperationEntry};
use signalbox_core::time::Timestamp;

/// The whole configuration at one revision.
#[derive(Debug, Clone, Default)]
pub struct Config {
    /// Grows by one with each [`crate::Store::write_config`]; 0 before the first.
    pub revision: i64,
    /// Operations with their routes, by id.
    pub operations: Vec<OperationEntry>,
    /// Providers, by name.
    pub providers: Vec<Provider>,
    /// Models with their price cards, by target.
    pub models: Vec<ModelEntry>,
    /// API keys with the hash of their secret, oldest first.
    pub keys: Vec<(KeyHash, ApiKey)>,
    /// Settings, by name.
    pub settings: Vec<(String, String)>,
    /// When each operation was last changed.
    pub changed_at: HashMap<OperationId, Timestamp>,
}

/// Writes that belong to one entry of the history.
#[derive(Debug, Clone)]
pub struct ConfigEdit {
    /// What is written.
    pub writes: Vec<ConfigWrite>,
    /// How the history tells it.
    pub change: Change,
}

/// One write to the configuration.
#[derive(Debug, Clone)]
pub enum ConfigWrite {
    /// Stores an operation and its route; the route's version is the new one.
    PutOperation {
        /// The operation.
        operation: Operation,
        /// Its route.
        route: Route,
        /// The version it was edited from; `None`: it must not exist yet.
        base_version: Option<u32>,
    },
    /// Stores a provider; its version is the new one.
    PutProvider {
        /// The provider.
        provider: Provider,
        /// The version it was edited from; `None`: it must not exist yet.
        base_version: Option<u32>,
    },
    /// Removes a provider with its models and prices. The ledger keeps its name.
    RemoveProvider {
        /// Which one.
        name: ProviderName,
        /// The version it was seen at.
        base_version: u32,
    },
    /// Stores a model.
    PutModel {
        /// The model.
        model: Model,
    },
    /// Removes a model with its prices.
    RemoveModel {
        /// Which one.
        target: Target,
    },
    /// Stores a price card; a card of the same first instant is replaced.
    PutPriceCard {
        /// Whose prices.
        target: Target,
        /// The card.
        card: PriceCard,
    },
    /// Stores a new API key.
    InsertKey {
        /// The key.
        key: ApiKey,
        /// The keyed hash of its secret.
        hash: KeyHash,
    },
    /// Changes a key's name, operations or revocation.
    PutKey {
        /// The key as it shall be.
        key: ApiKey,
    },
    /// Stores a setting.
    PutSetting {
        /// Its name.
        key: String,
        /// Its value.
        value: String,
    },
}
