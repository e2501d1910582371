//! The first start of an installation: ten operations, eight providers, their priced models, one history entry.

use signalbox_core::budget::{Budget, Period, Scope};
use signalbox_core::change::{Change, ChangeKind};
use signalbox_core::defaults::Defaults;
use signalbox_core::ids::ChangeId;
use signalbox_core::money::{NANOS_PER_USD, NanoUsd};
use signalbox_core::route::Target;
use signalbox_core::time::Timestamp;
use signalbox_store::{ConfigEdit, ConfigWrite, Store, StoreError};

use crate::error::EngineError;

/// The budget that a new installation begins with: nobody wakes up to a bill above it.
const FIRST_BUDGET: &str = "Everything, per day";
/// Its limit: 50 dollars.
const FIRST_LIMIT: NanoUsd = NanoUsd::from_nanos(50 * NANOS_PER_USD);

/// Writes the defaults into an empty store; a second process doing the same at once finds them there.
pub async fn if_new(store: &Store, now: Timestamp) -> Result<(), EngineError> {
    if store.revision().await? > 0 {
        return Ok(());
    }
    match store.write_config(vec![first_edit(now)?]).await {
        Ok(_) => Ok(()),
        Err(StoreError::AlreadyExists { .. }) if store.revision().await? > 0 => Ok(()),
        Err(error) => Err(error.into()),
    }
}

fn first_edit(now: Timestamp) -> Result<ConfigEdit, EngineError> {
    let defaults = Defaults::of_new_installation()?;
    let mut writes = Vec::new();
    let models = defaults.models.len();
    for provider in defaults.providers {
        writes.push(ConfigWrite::PutProvider { provider, base_version: None });
    }
    for entry in defaults.models {
        let target = Target { provider: entry.model.provider.clone(), model: entry.model.name.clone() };
        writes.push(ConfigWrite::PutModel { model: entry.model });
        let cards = entry.cards.into_iter();
        writes.extend(cards.map(|card| ConfigWrite::PutPriceCard { target: target.clone(), card }));
    }
    let operations = defaults.operations.len();
    for entry in defaults.operations {
        let (operation, route) = (entry.operation, entry.route);
        writes.push(ConfigWrite::PutOperation { operation, route, base_version: None });
    }
    let budget = Budget::usual(FIRST_BUDGET, Scope::Global, Period::Day, FIRST_LIMIT);
    writes.push(ConfigWrite::PutBudget { budget, base_version: None });
    let change = Change {
        id: ChangeId::generate(),
        at: now,
        actor: "signalbox".to_owned(),
        source: "install".to_owned(),
        kind: ChangeKind::Install,
        subject: "installation".to_owned(),
        sentence: format!("Installed with {operations} operations and {models} priced models"),
        before: None,
        after: None,
        reason: None,
        approval: None,
    };
    Ok(ConfigEdit { writes, change })
}
