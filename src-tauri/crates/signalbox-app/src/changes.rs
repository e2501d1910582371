//! The change history: read, verify, revert.

use signalbox_core::change::{ChainVerifier, ChainedChange, Change, ChangeKind};
use signalbox_core::provider::{CredentialSource, Provider};
use signalbox_core::route::{Route, Target};
use signalbox_store::{ChangeFilter, ConfigWrite};

use crate::app::{App, Caller, Role, json, reason};
use crate::error::{AppError, Code};
use crate::models::ModelState;
use crate::operations::OperationState;
use crate::prices::restore::PricesState;
use crate::providers::RemovedProvider;
use crate::{dto, prices, view};

/// Most rows of a page.
const PAGE_ROWS_MAX: u32 = 500;

/// A page of changes, newest first, with the state of the chain.
pub async fn page(
    app: &App,
    caller: &Caller,
    filter: dto::ChangeFilter,
    cursor: Option<String>,
    limit: u32,
) -> Result<dto::ChangePage, AppError> {
    caller.must_be(Role::Viewer)?;
    let kind = |word: String| {
        ChangeKind::from_word(&word)
            .ok_or_else(|| AppError::invalid("kind", format!("There is no kind `{word:.40}`.")))
    };
    let filter = ChangeFilter {
        kind: filter.kind.map(kind).transpose()?,
        subject: filter.subject,
        actor: filter.actor,
    };
    let before = cursor.map(|text| text.parse::<i64>()).transpose();
    let before = before.map_err(|_| AppError::invalid("cursor", "The cursor is not one of ours."))?;
    let limit = limit.clamp(1, PAGE_ROWS_MAX);
    let rows = app.control().store.changes(&filter, before, limit).await?;
    let full = rows.len() >= usize::try_from(limit).unwrap_or(usize::MAX);
    let next = rows.last().filter(|_| full).map(|row| row.seq.to_string());
    // Walking the chain reads all of it: once for the newest page, not again for each older one.
    let chain = match app.last_chain_report().filter(|_| before.is_some()) {
        Some(report) => report,
        None => verify(app, caller).await?,
    };
    Ok(dto::ChangePage { rows: rows.into_iter().map(shown).collect(), next, chain })
}

/// Walks the whole chain and says whether every entry still fits.
pub async fn verify(app: &App, caller: &Caller) -> Result<dto::ChainReport, AppError> {
    caller.must_be(Role::Viewer)?;
    let verifier: ChainVerifier = app.control().store.verify_chain().await?;
    let report = dto::ChainReport {
        intact: verifier.first_bad().is_none(),
        entries: view::count(verifier.entries()),
        first_bad: verifier.first_bad().map(view::count),
        checked_at: app.now().into(),
    };
    app.remember_chain_report(report.clone());
    Ok(report)
}

/// Puts things back to what they were before a change. That is a change itself.
///
/// Errors: [`Code::Refused`] for what cannot be undone (keys, credentials, the installation) or is in use by now.
pub async fn revert(
    app: &App,
    caller: &Caller,
    seq: u32,
    why: Option<String>,
) -> Result<dto::Change, AppError> {
    caller.must_be(Role::Admin)?;
    let entry = app.control().store.change(i64::from(seq)).await?;
    let entry = entry.ok_or_else(|| AppError::not_found("change", &seq.to_string()))?;
    let undo = match entry.change.kind {
        ChangeKind::Route => undo_route(app, &entry.change).await?,
        ChangeKind::Provider => undo_provider(app, &entry.change).await?,
        ChangeKind::Model => undo_model(app, &entry.change).await?,
        ChangeKind::Price => undo_prices(app, &entry.change).await?,
        ChangeKind::Setting => undo_setting(&entry.change)?,
        ChangeKind::Credential
        | ChangeKind::Key
        | ChangeKind::Health
        | ChangeKind::Install
        | ChangeKind::Budget
        | ChangeKind::Approval
        | ChangeKind::Toggle
        | ChangeKind::KillSwitch
        | ChangeKind::Person
        | ChangeKind::Alert
        | ChangeKind::Drill => return Err(not_revertible(&entry.change)),
    };
    let sentence = format!("Change {seq} is reverted ({})", entry.change.sentence);
    let change = Change {
        before: undo.before,
        after: undo.after,
        reason: reason(why),
        ..app.change(caller, entry.change.kind, &entry.change.subject, sentence)
    };
    app.commit(undo.writes, change).await.map(shown)
}

/// What puts a change back, and how the subject stands before and after that.
struct Undo {
    writes: Vec<ConfigWrite>,
    before: Option<String>,
    after: Option<String>,
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

fn undo_setting(change: &Change) -> Result<Undo, AppError> {
    let value: String = stored(change.before.as_deref(), change)?;
    let writes = vec![ConfigWrite::PutSetting { key: change.subject.clone(), value }];
    Ok(Undo { writes, before: change.after.clone(), after: change.before.clone() })
}

fn stored<T: serde::de::DeserializeOwned>(text: Option<&str>, change: &Change) -> Result<T, AppError> {
    let text = text.ok_or_else(|| not_revertible(change))?;
    serde_json::from_str(text)
        .map_err(|error| AppError::internal("read an old state from the history", &error))
}

fn not_revertible(change: &Change) -> AppError {
    AppError::new(Code::Refused, format!("This change of {} cannot be reverted.", change.subject))
}

fn is_revertible(change: &Change) -> bool {
    match change.kind {
        ChangeKind::Route | ChangeKind::Provider | ChangeKind::Setting => change.before.is_some(),
        ChangeKind::Model | ChangeKind::Price => change.after.is_some(),
        ChangeKind::Credential
        | ChangeKind::Key
        | ChangeKind::Health
        | ChangeKind::Install
        | ChangeKind::Budget
        | ChangeKind::Approval
        | ChangeKind::Toggle
        | ChangeKind::KillSwitch
        | ChangeKind::Person
        | ChangeKind::Alert
        | ChangeKind::Drill => false,
    }
}

fn shown(entry: ChainedChange) -> dto::Change {
    let revertible = is_revertible(&entry.change);
    let change = entry.change;
    dto::Change {
        seq: view::count(entry.seq),
        id: change.id.to_string(),
        at: change.at.into(),
        actor: change.actor,
        source: change.source,
        kind: change.kind.as_str().to_owned(),
        subject: change.subject,
        sentence: change.sentence,
        before: change.before.map(dto::JsonText),
        after: change.after.map(dto::JsonText),
        reason: change.reason,
        hash: hex::encode(&entry.hash[..6]),
        revertible,
    }
}
