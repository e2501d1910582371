//! Configuration: read whole, written in one transaction with its history.

mod alerting;
mod budgets;
mod keys;
mod models;
mod operations;
mod people;
mod providers;
mod toggles;

use std::collections::HashMap;

use signalbox_core::alert::{AlertKind, AlertRule, Alerting, Channel};
use signalbox_core::approval::Approval;
use signalbox_core::breach::Breach;
use signalbox_core::budget::{Budget, PurseKey};
use signalbox_core::change::{ChainedChange, Change};
use signalbox_core::ids::{BudgetId, ChannelId, OperationId, PersonName, ProviderName};
use signalbox_core::key::{ApiKey, KeyHash};
use signalbox_core::kill_switch::Stop;
use signalbox_core::money::NanoUsd;
use signalbox_core::operation::{Criticality, Operation};
use signalbox_core::person::Person;
use signalbox_core::price::PriceCard;
use signalbox_core::provider::{Model, Provider};
use signalbox_core::route::{Route, Target};
use signalbox_core::snapshot::{ModelEntry, OperationEntry};
use signalbox_core::time::Timestamp;
use signalbox_core::toggle::{Locked, StoredToggle};

pub use self::keys::StoredKey;
pub use self::toggles::ToggleEdit;
use crate::dialect::{NOTIFY_POSTGRES, reading, within};
use crate::error::{StoreError, during};
use crate::pools::Transaction;
use crate::values::number;
use crate::{Store, approvals, history};

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
    /// API keys with the hashes of their secrets, oldest first.
    pub keys: Vec<StoredKey>,
    /// Budgets, oldest first.
    pub budgets: Vec<Budget>,
    /// Settings, by name.
    pub settings: Vec<(String, String)>,
    /// Everybody who may come in or could once, by name.
    pub people: Vec<Person>,
    /// What is stored of the toggles.
    pub toggles: Vec<StoredToggle>,
    /// Where and when alerts are told.
    pub alerting: Alerting,
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
    /// Stores a price card; a card of the same first instant is replaced, unless it has been in force before.
    PutPriceCard {
        /// Whose prices.
        target: Target,
        /// The card.
        card: PriceCard,
    },
    /// Leaves a model out because of its bill, or lets it be used again.
    PutBreach {
        /// Which one.
        target: Target,
        /// The bill; `None` lets it be used again.
        breach: Option<Breach>,
    },
    /// Stores a new API key.
    InsertKey {
        /// The key.
        key: ApiKey,
        /// The keyed hash of its secret.
        hash: KeyHash,
    },
    /// Changes anything of a key but its secret. Without a `former` the secret before the last rotation is forgotten.
    PutKey {
        /// The key as it shall be.
        key: ApiKey,
    },
    /// Gives a key another secret; what its `former` says becomes of the one before.
    RotateKey {
        /// The key as it shall be.
        key: ApiKey,
        /// The keyed hash of the secret it has.
        from: KeyHash,
        /// The keyed hash of the new one.
        to: KeyHash,
    },
    /// Stores a budget; its version is the new one.
    PutBudget {
        /// The budget.
        budget: Budget,
        /// The version it was edited from; `None`: it must not exist yet.
        base_version: Option<u32>,
    },
    /// Removes a budget. What was charged to it stays.
    RemoveBudget {
        /// Which one.
        id: BudgetId,
        /// The version it was seen at.
        base_version: u32,
    },
    /// Adds to what a purse was charged, or takes off; when, by whom and why, its entry in the history says.
    AdjustBudget {
        /// Which purse.
        purse: PurseKey,
        /// How much; negative gives back.
        amount: NanoUsd,
    },
    /// Stores a setting.
    PutSetting {
        /// Its name.
        key: String,
        /// Its value.
        value: String,
    },
    /// Stores a person; the version is the new one. Refused when no admin would be left.
    PutPerson {
        /// The person as they shall be.
        person: Person,
        /// The version it was edited from; `None`: nobody of that name may exist yet.
        base_version: Option<u32>,
    },
    /// Puts a change into the queue of what waits for a person.
    FileApproval {
        /// As it is asked.
        approval: Box<Approval>,
    },
    /// Takes an approval's next step.
    PutApproval {
        /// As it shall be.
        approval: Box<Approval>,
        /// The version it was read at.
        base_version: u32,
    },
    /// Sets a toggle, or leaves it to its default again.
    PutToggle(ToggleEdit),
    /// Makes the stored rows of a locked toggle say what the program says.
    RepairToggle(Locked),
    /// Stops all AI traffic, or lets it run again.
    PutKillSwitch(Option<Stop>),
    /// Stores a channel of alerts; its version is the new one.
    PutChannel {
        /// The channel.
        channel: Channel,
        /// The version it was edited from; `None`: it must not exist yet.
        base_version: Option<u32>,
    },
    /// Removes a channel of alerts. What was delivered there keeps its name.
    RemoveChannel {
        /// Which one.
        id: ChannelId,
        /// The version it was seen at.
        base_version: u32,
    },
    /// Stores what becomes of alerts of a kind.
    PutAlertRule {
        /// Which kind.
        kind: AlertKind,
        /// The rule; `None`: the usual one.
        rule: Option<AlertRule>,
    },
}

impl Store {
    /// The configuration's revision; 0 when nothing was ever installed. Cheap enough to poll.
    pub async fn revision(&self) -> Result<i64, StoreError> {
        reading!(self, pool => sqlx::query_scalar("SELECT revision FROM config_revision WHERE id = 1")
            .fetch_one(pool)
            .await)
        .map_err(during("read the revision"))
    }

    /// The whole configuration, as it was at one instant.
    pub async fn load_config(&self) -> Result<Config, StoreError> {
        const OPERATION: &str = "read the configuration";
        let mut transaction = self.inner.pools.begin_read(OPERATION).await?;
        let revision = within!(&mut transaction, connection =>
            sqlx::query_scalar("SELECT revision FROM config_revision WHERE id = 1").fetch_one(connection).await)
        .map_err(during(OPERATION))?;
        let operations = operations::all(&mut transaction).await?;
        let changed_at =
            operations.iter().map(|(entry, changed_at)| (entry.operation.id.clone(), *changed_at)).collect();
        let config = Config {
            revision,
            operations: operations.into_iter().map(|(entry, _)| entry).collect(),
            providers: providers::all(&mut transaction).await?,
            models: models::all(&mut transaction).await?,
            keys: keys::all(&mut transaction).await?,
            budgets: budgets::all(&mut transaction).await?,
            settings: keys::settings(&mut transaction).await?,
            people: people::all(&mut transaction).await?,
            toggles: toggles::all(&mut transaction).await?,
            alerting: alerting::all(&mut transaction).await?,
            changed_at,
        };
        transaction.commit(OPERATION).await?;
        Ok(config)
    }

    /// Writes configuration, its history and the next revision in one transaction: all of it or nothing.
    ///
    /// Returns the entries of the history in the order of `edits`. Without edits nothing is written.
    ///
    /// Errors: [`StoreError::Conflict`], [`StoreError::AlreadyExists`] and [`StoreError::NotFound`] when the
    /// configuration is not what an edit was made from.
    pub async fn write_config(&self, edits: Vec<ConfigEdit>) -> Result<Vec<ChainedChange>, StoreError> {
        const OPERATION: &str = "write the configuration";
        if edits.is_empty() {
            return Ok(Vec::new());
        }
        let mut transaction = self.inner.pools.begin_write(OPERATION).await?;
        // First of all: on PostgreSQL this row's lock makes nodes write one after the other.
        within!(&mut transaction, connection =>
            sqlx::query("UPDATE config_revision SET revision = revision + 1 WHERE id = 1")
                .execute(connection)
                .await
                .map(drop))
        .map_err(during(OPERATION))?;
        let mut changes = Vec::with_capacity(edits.len());
        for ConfigEdit { writes, change } in edits {
            for write in &writes {
                write.apply(&mut transaction, &change).await?;
            }
            changes.push(change);
        }
        let chained = history::append(&mut transaction, changes).await?;
        if let Transaction::Postgres(transaction) = &mut transaction {
            sqlx::query(NOTIFY_POSTGRES).execute(&mut **transaction).await.map_err(during(OPERATION))?;
        }
        transaction.commit(OPERATION).await?;
        Ok(chained)
    }
}

impl ConfigWrite {
    async fn apply(&self, transaction: &mut Transaction, change: &Change) -> Result<(), StoreError> {
        let now = change.at;
        match self {
            Self::PutOperation { operation, route, base_version } => {
                operations::put(transaction, operation, route, *base_version, now).await
            }
            Self::PutProvider { provider, base_version } => {
                providers::put(transaction, provider, *base_version).await
            }
            Self::RemoveProvider { name, base_version } => {
                providers::remove(transaction, name, *base_version).await
            }
            Self::PutModel { model } => models::put(transaction, model).await,
            Self::RemoveModel { target } => models::remove(transaction, target).await,
            Self::PutPriceCard { target, card } => models::put_card(transaction, target, card, now).await,
            Self::PutBreach { target, breach } => {
                models::put_breach(transaction, target, breach.as_ref()).await
            }
            Self::InsertKey { key, hash } => keys::insert(transaction, key, hash).await,
            Self::PutKey { key } => keys::put(transaction, key).await,
            Self::RotateKey { key, from, to } => keys::rotate(transaction, key, from, to).await,
            Self::PutBudget { budget, base_version } => {
                budgets::put(transaction, budget, *base_version).await
            }
            Self::RemoveBudget { id, base_version } => budgets::remove(transaction, *id, *base_version).await,
            Self::AdjustBudget { purse, amount } => {
                budgets::adjust(transaction, purse, *amount, change).await
            }
            Self::PutSetting { key, value } => keys::put_setting(transaction, key, value).await,
            Self::PutPerson { person, base_version } => people::put(transaction, person, *base_version).await,
            Self::FileApproval { approval } => approvals::file(transaction, approval).await,
            Self::PutApproval { approval, base_version } => {
                approvals::put(transaction, approval, *base_version).await
            }
            Self::PutToggle(edit) => toggles::put(transaction, edit, change).await,
            Self::RepairToggle(locked) => toggles::repair(transaction, *locked, now).await,
            Self::PutKillSwitch(stop) => toggles::put_kill_switch(transaction, stop.as_ref(), now).await,
            Self::PutChannel { channel, base_version } => {
                alerting::put_channel(transaction, channel, *base_version).await
            }
            Self::RemoveChannel { id, base_version } => {
                alerting::remove_channel(transaction, *id, *base_version).await
            }
            Self::PutAlertRule { kind, rule } => alerting::put_rule(transaction, *kind, rule.as_ref()).await,
        }
    }
}

/// A thing with a version that a write did not find as it expected.
#[derive(Clone, Copy)]
enum VersionOf<'a> {
    Route(&'a OperationId),
    Provider(&'a ProviderName),
    Person(&'a PersonName),
    Budget(BudgetId),
}

impl VersionOf<'_> {
    /// Why the write was refused.
    async fn refusal(self, transaction: &mut Transaction) -> StoreError {
        let (kind, subject) = match self {
            Self::Route(id) => ("operation", id.to_string()),
            Self::Provider(name) => ("provider", name.to_string()),
            Self::Person(name) => ("person", name.to_string()),
            Self::Budget(id) => ("budget", id.to_string()),
        };
        let current: Result<Option<i64>, sqlx::Error> = within!(transaction, connection => match self {
            Self::Route(id) => {
                let query = sqlx::query_scalar("SELECT version FROM routes WHERE operation = $1");
                query.bind(id.as_str()).fetch_optional(connection).await
            }
            Self::Provider(name) => {
                let query = sqlx::query_scalar("SELECT version FROM providers WHERE name = $1");
                query.bind(name.as_str()).fetch_optional(connection).await
            }
            Self::Person(name) => {
                let query = sqlx::query_scalar("SELECT version FROM people WHERE name = $1");
                query.bind(name.as_str()).fetch_optional(connection).await
            }
            Self::Budget(id) => {
                let query = sqlx::query_scalar("SELECT version FROM budgets WHERE id = $1");
                query.bind(id.as_uuid()).fetch_optional(connection).await
            }
        });
        match current.map(|version| version.map(|version| number("version", version))) {
            Ok(Some(Ok(current_version))) => StoreError::Conflict { kind, subject, current_version },
            Ok(Some(Err(error))) => error,
            Ok(None) => StoreError::NotFound { kind, subject },
            Err(error) => during("read a version")(error),
        }
    }
}

fn criticality_from_word(word: &str) -> Option<Criticality> {
    use Criticality::{High, Low, Medium};
    [Low, Medium, High].into_iter().find(|criticality| criticality.as_str() == word)
}
