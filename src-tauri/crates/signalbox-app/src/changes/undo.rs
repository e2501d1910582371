//! What puts a change back. A kind of change that can be undone has its own function here or in its noun's module; the
//! match in [`undo`] lists them all.

use signalbox_core::budget::Budget;
use signalbox_core::change::{Change, ChangeKind};
use signalbox_core::key::ApiKey;
use signalbox_core::person::Person;
use signalbox_core::provider::{CredentialSource, Provider};
use signalbox_core::route::{Route, Target};
use signalbox_core::toggle::Toggle;
use signalbox_store::ConfigWrite;

use super::alerting;
use crate::app::{App, json};
use crate::error::{AppError, Code};
use crate::models::ModelState;
use crate::operations::OperationState;
use crate::people;
use crate::prices;
use crate::prices::restore::PricesState;
use crate::providers::RemovedProvider;
use crate::toggles::{self, ToggleState};

/// What puts a change back, and how the subject stands before and after that.
#[derive(Debug)]
pub(crate) struct Undo {
    pub(crate) writes: Vec<ConfigWrite>,
    pub(crate) before: Option<String>,
    pub(crate) after: Option<String>,
}

/// What puts the configuration back to what it was before a change.
///
/// Errors: [`Code::Refused`] for what cannot be undone, or is in use by now.
pub(crate) async fn undo(app: &App, change: &Change) -> Result<Undo, AppError> {
    match change.kind {
        ChangeKind::Route => undo_route(app, change).await,
        ChangeKind::Provider => undo_provider(app, change).await,
        ChangeKind::Model => undo_model(app, change).await,
        ChangeKind::Price => undo_prices(app, change).await,
        ChangeKind::Setting => undo_setting(app, change).await,
        ChangeKind::Toggle => undo_toggle(app, stored(change.before.as_deref(), change)?).await,
        ChangeKind::Key => undo_key(app, change).await,
        ChangeKind::Person => undo_person(app, change).await,
        ChangeKind::Alert => alerting::undo(app, change).await,
        ChangeKind::Budget => undo_budget(app, change).await,
        ChangeKind::Credential
        | ChangeKind::ModelBlock
        | ChangeKind::Health
        | ChangeKind::Install
        | ChangeKind::Approval
        | ChangeKind::KillSwitch
        | ChangeKind::Drill => Err(not_revertible(change)),
    }
}

/// Whether [`undo`] has something to go back to. It may be refused nevertheless, by what has happened since.
pub(crate) fn is_revertible(change: &Change) -> bool {
    match change.kind {
        ChangeKind::Route | ChangeKind::Provider | ChangeKind::Setting | ChangeKind::Toggle => {
            change.before.is_some()
        }
        ChangeKind::Model | ChangeKind::Price => change.after.is_some(),
        // Who was let in is shut out, not forgotten: on their own line in the list of people.
        ChangeKind::Person => change.before.is_some() && change.after.is_some(),
        ChangeKind::Key => is_of_what_a_key_may(change),
        ChangeKind::Alert => alerting::is_revertible(change),
        // A correction of what counts as spent is answered by another one.
        ChangeKind::Budget => {
            let states = [&change.before, &change.after].into_iter().flatten();
            states.into_iter().any(|state| serde_json::from_str::<Budget>(state).is_ok())
        }
        ChangeKind::Credential
        | ChangeKind::ModelBlock
        | ChangeKind::Health
        | ChangeKind::Install
        | ChangeKind::Approval
        | ChangeKind::KillSwitch
        | ChangeKind::Drill => false,
    }
}

/// As which kind of change the way back stands in the history: a setting that has become a toggle goes back as that.
pub(crate) fn kind_of_undo(change: &Change) -> ChangeKind {
    match change.kind {
        ChangeKind::Setting if Toggle::from_name(&change.subject).is_some() => ChangeKind::Toggle,
        kind => kind,
    }
}

/// A new budget goes, a removed one comes back, a changed one is as it was.
async fn undo_budget(app: &App, change: &Change) -> Result<Undo, AppError> {
    if !is_revertible(change) {
        return Err(not_revertible(change));
    }
    let read =
        |state: &Option<String>| state.as_ref().map(|text| stored::<Budget>(Some(text), change)).transpose();
    let (wanted, other) = (read(&change.before)?, read(&change.after)?);
    let id = wanted.as_ref().or(other.as_ref()).map(|budget| budget.id);
    let live = app.live().await?;
    let now = live.snapshot.budgets.iter().find(|budget| Some(budget.id) == id);
    let before = now.map(json).transpose()?;
    match (wanted, now) {
        (Some(wanted), now) => {
            let base_version = now.map(|now| now.version);
            let version = base_version.map_or(1, |version| version.saturating_add(1));
            let budget = Budget { version, ..wanted };
            let after = Some(json(&budget)?);
            Ok(Undo { writes: vec![ConfigWrite::PutBudget { budget, base_version }], before, after })
        }
        (None, Some(now)) => {
            let writes = vec![ConfigWrite::RemoveBudget { id: now.id, base_version: now.version }];
            Ok(Undo { writes, before, after: None })
        }
        (None, None) => Err(AppError::new(Code::Refused, "The budget is gone already.")),
    }
}

async fn undo_route(app: &App, change: &Change) -> Result<Undo, AppError> {
    let wanted: OperationState = stored(change.before.as_deref(), change)?;
    let live = app.live().await?;
    let now = live.snapshot.operations.get(&wanted.operation.id);
    let now = now.ok_or_else(|| AppError::not_found("operation", wanted.operation.id.as_str()))?;
    for card in &wanted.route.targets {
        if !live.snapshot.models.contains_key(&card.target) {
            return Err(AppError::new(
                Code::Refused,
                format!("{} is gone, so the route cannot go back to it.", card.target),
            ));
        }
    }
    let route = Route { version: now.route.version.saturating_add(1), ..wanted.route };
    let before = OperationState { operation: now.operation.clone(), route: now.route.clone() };
    let after = OperationState { operation: wanted.operation, route };
    let (before, after_json) = (json(&before)?, json(&after)?);
    let (operation, route) = (after.operation, after.route);
    let base_version = Some(now.route.version);
    let writes = vec![ConfigWrite::PutOperation { operation, route, base_version }];
    Ok(Undo { writes, before: Some(before), after: Some(after_json) })
}

/// A credential is never in the history: a provider that comes back keeps the one it has, or comes back without.
async fn undo_provider(app: &App, change: &Change) -> Result<Undo, AppError> {
    let live = app.live().await?;
    let removed: Option<RemovedProvider> =
        change.before.as_ref().map(|text| stored(Some(text), change)).transpose()?;
    let (wanted, models) = removed.map(|removed| (removed.provider, removed.models)).unzip();
    let now = live.snapshot.providers.values().find(|entry| entry.provider.name.as_str() == change.subject);
    match (wanted, now.map(|entry| &entry.provider)) {
        (Some(wanted), Some(now)) => {
            let credential = if wanted.base_url.origin() == now.base_url.origin() {
                now.credential.clone()
            } else {
                without_secret(wanted.credential)
            };
            let after = Provider { credential, version: now.version.saturating_add(1), ..wanted };
            let (before, after_json) = (json(now)?, json(&after)?);
            let writes = vec![ConfigWrite::PutProvider { provider: after, base_version: Some(now.version) }];
            Ok(Undo { writes, before: Some(before), after: Some(after_json) })
        }
        (Some(wanted), None) => {
            let after = Provider { credential: without_secret(wanted.credential), version: 1, ..wanted };
            let after_json = json(&after)?;
            let mut writes = vec![ConfigWrite::PutProvider { provider: after, base_version: None }];
            for ModelState { model, cards } in models.unwrap_or_default() {
                let target = Target { provider: model.provider.clone(), model: model.name.clone() };
                writes.push(ConfigWrite::PutModel { model });
                let cards = cards.into_iter();
                writes.extend(cards.map(|card| ConfigWrite::PutPriceCard { target: target.clone(), card }));
            }
            Ok(Undo { writes, before: None, after: Some(after_json) })
        }
        (None, Some(_)) => Err(AppError::new(
            Code::Refused,
            "Remove the provider on its own page, so that its credential goes with it.",
        )),
        (None, None) => Err(AppError::new(Code::Refused, "The provider is gone already.")),
    }
}

fn without_secret(credential: CredentialSource) -> CredentialSource {
    match credential {
        CredentialSource::Stored { .. } => CredentialSource::Missing,
        other => other,
    }
}

/// Prices are dated: what was charged stays in the books, and the old prices hold again from now on.
async fn undo_prices(app: &App, change: &Change) -> Result<Undo, AppError> {
    let before: PricesState = stored(change.before.as_deref(), change)?;
    let after: PricesState = stored(change.after.as_deref(), change)?;
    undone(prices::restore::restore(app, before, after).await?)
}

fn undone(restored: prices::restore::Restored) -> Result<Undo, AppError> {
    let (before, after) = (json(&restored.before)?, json(&restored.after)?);
    Ok(Undo { writes: restored.writes, before: Some(before), after: Some(after) })
}

/// A model that was added goes, one that was repriced gets its old price again.
async fn undo_model(app: &App, change: &Change) -> Result<Undo, AppError> {
    if change.before.is_some() {
        let before: ModelState = stored(change.before.as_deref(), change)?;
        let after: ModelState = stored(change.after.as_deref(), change)?;
        let restored = prices::restore::restore(app, before.into(), after.into()).await?;
        // The history keeps a single model here, as when it was changed.
        let one = |state: PricesState| state.models.first().map(json).transpose();
        return Ok(Undo {
            writes: restored.writes,
            before: one(restored.before)?,
            after: one(restored.after)?,
        });
    }
    let added: ModelState = stored(change.after.as_deref(), change)?;
    let target = Target { provider: added.model.provider, model: added.model.name };
    let live = app.live().await?;
    let mut users = live.snapshot.operations.values();
    if let Some(user) = users.find(|entry| entry.route.targets.iter().any(|card| card.target == target)) {
        let message = format!("{target} is still in the route of {}.", user.operation.id);
        return Err(AppError::new(Code::Refused, message));
    }
    Ok(Undo { writes: vec![ConfigWrite::RemoveModel { target }], before: change.after.clone(), after: None })
}

/// A setting that has become a toggle meanwhile goes back as that.
async fn undo_setting(app: &App, change: &Change) -> Result<Undo, AppError> {
    let value: String = stored(change.before.as_deref(), change)?;
    if let Some(state) = toggles::state_of_setting(&change.subject, &value) {
        return undo_toggle(app, state).await;
    }
    let writes = vec![ConfigWrite::PutSetting { key: change.subject.clone(), value }];
    Ok(Undo { writes, before: change.after.clone(), after: change.before.clone() })
}

async fn undo_toggle(app: &App, wanted: ToggleState) -> Result<Undo, AppError> {
    let (write, before) = toggles::undo(app, &wanted).await?;
    Ok(Undo { writes: vec![write], before: Some(json(&before)?), after: Some(json(&wanted)?) })
}

pub(super) fn stored<T: serde::de::DeserializeOwned>(
    text: Option<&str>,
    change: &Change,
) -> Result<T, AppError> {
    let text = text.ok_or_else(|| not_revertible(change))?;
    serde_json::from_str(text)
        .map_err(|error| AppError::internal("read an old state from the history", &error))
}

pub(super) fn not_revertible(change: &Change) -> AppError {
    AppError::new(Code::Refused, format!("This change of {} cannot be reverted.", change.subject))
}

/// A key's limits and scopes go back; a key that was revoked stays so, and one that was made is revoked on its own page.
async fn undo_key(app: &App, change: &Change) -> Result<Undo, AppError> {
    if !is_of_what_a_key_may(change) {
        return Err(not_revertible(change));
    }
    let was: ApiKey = stored(change.before.as_deref(), change)?;
    let live = app.live().await?;
    let now = live.key(was.id).ok_or_else(|| AppError::not_found("key", &change.subject))?;
    if !now.is_live(app.now()) {
        return Err(AppError::new(
            Code::Refused,
            format!("The key `{}` no longer opens anything.", now.name),
        ));
    }
    // Which secret opens it is no state to go back to, nor are credentials that only the vault has.
    let key = ApiKey {
        last4: now.last4.clone(),
        former: now.former.clone(),
        own_credentials: now.own_credentials.clone(),
        ..was
    };
    let (before, after) = (json(now)?, json(&key)?);
    Ok(Undo { writes: vec![ConfigWrite::PutKey { key }], before: Some(before), after: Some(after) })
}

/// Whether a change was of what a key may do. Which secrets open it, and whose credentials it brings, are no states to go
/// back to: the secrets are gone.
fn is_of_what_a_key_may(change: &Change) -> bool {
    let key = |text: Option<&str>| text.and_then(|text| serde_json::from_str::<ApiKey>(text).ok());
    let Some((before, after)) = key(change.before.as_deref()).zip(key(change.after.as_deref())) else {
        return false;
    };
    let scope = |key: ApiKey| (key.name, key.owner, key.operations, key.targets, key.expires_at, key.limits);
    let is_live = before.revoked_at.is_none() && after.revoked_at.is_none();
    is_live && scope(before) != scope(after)
}

async fn undo_person(app: &App, change: &Change) -> Result<Undo, AppError> {
    let was: Person = stored(change.before.as_deref(), change)?;
    let plan = people::plan_back(app, &was).await?;
    let unchanged = || AppError::new(Code::Refused, format!("{} is what they were before.", was.name));
    let plan = plan.ok_or_else(unchanged)?;
    Ok(Undo { writes: plan.writes, before: plan.before, after: plan.after })
}
