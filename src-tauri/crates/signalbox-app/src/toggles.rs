//! Toggles: how they stand, how often they were flipped, and setting those that can be set.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use signalbox_core::change::ChangeKind;
use signalbox_core::ids::OperationId;
use signalbox_core::rollup::Step;
use signalbox_core::toggle::{Band, ControlledBy, Settable, StoredToggle, Toggle, Toggles};
use signalbox_store::{ChangeFilter, ConfigWrite, ToggleEdit};

use crate::app::{App, Caller, Role, json, sentence};
use crate::dto;
use crate::error::{AppError, Code};
use crate::propose::{Plan, ProposedChange};

/// Days of flips that are told, today included.
const FLIP_DAYS: usize = 30;
/// Entries of the history that are read for them; a toggle that is flipped more often has other problems.
const FLIPS_READ: u32 = 2_000;

/// How the history keeps a toggle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ToggleState {
    name: String,
    operation: Option<OperationId>,
    /// `None`: not set.
    enabled: Option<bool>,
}

/// Every toggle of what this version has; locked ones first.
pub async fn list(app: &App, caller: &Caller) -> Result<Vec<dto::Toggle>, AppError> {
    caller.must_be(Role::Viewer)?;
    let stored = app.control().store.toggles().await?;
    let flips = flips(app).await?;
    let built = Toggle::ALL.iter().filter(|toggle| toggle.definition().is_built);
    Ok(built.map(|toggle| shown(*toggle, &stored, &flips)).collect())
}

/// Sets a toggle, for all or for one operation. Where four eyes are needed, switching on what touches safety waits for
/// another admin; switching it off never does.
///
/// Errors: there is no such toggle or operation; [`Code::Refused`] for a locked one, which is logged.
pub async fn set(
    app: &App,
    caller: &Caller,
    input: dto::ToggleInput,
) -> Result<dto::Proposed<dto::Toggle>, AppError> {
    let toggle = known(&input.name)?;
    settable(toggle, &caller.id)?;
    let outcome = app.propose(caller, &ProposedChange::Toggle(input)).await?;
    outcome.shown(async || Ok(shown(toggle, &app.control().store.toggles().await?, &flips(app).await?))).await
}

/// What setting a toggle would write; `None` when it stands so already.
pub(crate) async fn plan(app: &App, input: &dto::ToggleInput) -> Result<Option<Plan>, AppError> {
    let toggle = known(&input.name)?;
    let settable = settable(toggle, "a proposal")?;
    let operation = operation(app, toggle, input.operation.as_deref()).await?;
    let before = state_of(toggle, operation.clone(), &app.control().store.toggles().await?);
    let after = ToggleState { enabled: input.enabled, ..before.clone() };
    if before == after {
        return Ok(None);
    }
    let edit = ToggleEdit { toggle: settable, operation, enabled: input.enabled };
    Ok(Some(Plan {
        kind: ChangeKind::Toggle,
        subject: toggle.name().to_owned(),
        sentence: in_words(&after),
        before: Some(json(&before)?),
        after: Some(json(&after)?),
        writes: vec![ConfigWrite::PutToggle(edit)],
    }))
}

/// Whether writes switch on, for anybody, what touches safety.
pub(crate) async fn unlocks(app: &App, writes: &[ConfigWrite]) -> Result<bool, AppError> {
    let toggles = Toggles::of(&app.control().store.toggles().await?);
    Ok(writes.iter().any(|write| match write {
        ConfigWrite::PutToggle(edit) => is_unlocked(edit, &toggles),
        _ => false,
    }))
}

fn is_unlocked(edit: &ToggleEdit, now: &Toggles) -> bool {
    let toggle = edit.toggle.toggle();
    let definition = toggle.definition();
    // What is not set for an operation is as for all, and what is not set for all is as usual.
    let otherwise = || match edit.operation {
        Some(_) => now.is_on(toggle, None),
        None => definition.default,
    };
    let will_be_on = edit.enabled.unwrap_or_else(otherwise);
    definition.band == Band::Safety && will_be_on && !now.is_on(toggle, edit.operation.as_ref())
}

/// How often each toggle was flipped on each of the last [`FLIP_DAYS`] days (UTC), by name, oldest first.
async fn flips(app: &App) -> Result<BTreeMap<String, Vec<u32>>, AppError> {
    let today = app.now().floor_to(Step::Day.micros());
    let days = i64::try_from(FLIP_DAYS).unwrap_or(i64::MAX);
    let first = today.plus_micros((1 - days).saturating_mul(Step::Day.micros()));
    let filter =
        ChangeFilter { kind: Some(ChangeKind::Toggle), from: Some(first), ..ChangeFilter::default() };
    let mut flips: BTreeMap<String, Vec<u32>> = BTreeMap::new();
    for entry in app.control().store.changes(&filter, None, FLIPS_READ).await? {
        let day = entry.change.at.micros_since(first) / Step::Day.micros();
        let of_toggle = flips.entry(entry.change.subject).or_insert_with(|| vec![0; FLIP_DAYS]);
        if let Some(count) = usize::try_from(day).ok().and_then(|day| of_toggle.get_mut(day)) {
            *count = count.saturating_add(1);
        }
    }
    Ok(flips)
}

/// What puts a toggle back to how it stood, and how it stands before that.
pub(crate) async fn undo(app: &App, wanted: &ToggleState) -> Result<(ConfigWrite, ToggleState), AppError> {
    let toggle = known(&wanted.name)?;
    let settable = settable(toggle, "a revert")?;
    let before = state_of(toggle, wanted.operation.clone(), &app.control().store.toggles().await?);
    let edit = ToggleEdit { toggle: settable, operation: wanted.operation.clone(), enabled: wanted.enabled };
    Ok((ConfigWrite::PutToggle(edit), before))
}

/// How a toggle stood for all, before it was one: from an old entry of the history.
pub(crate) fn state_of_setting(name: &str, value: &str) -> Option<ToggleState> {
    let toggle = Toggle::from_name(name)?;
    let enabled = Some(value == "true");
    Some(ToggleState { name: toggle.name().to_owned(), operation: None, enabled })
}

fn known(name: &str) -> Result<Toggle, AppError> {
    Toggle::from_name(name)
        .filter(|toggle| toggle.definition().is_built)
        .ok_or_else(|| AppError::not_found("toggle", name))
}

/// A locked toggle is refused to everybody, and each try is in the log.
fn settable(toggle: Toggle, by: &str) -> Result<Settable, AppError> {
    toggle.settable().map_err(|locked| {
        tracing::warn!(toggle = toggle.name(), by, "somebody tried to set a locked toggle");
        AppError::new(Code::Refused, sentence(&locked.to_string()))
    })
}

async fn operation(app: &App, toggle: Toggle, id: Option<&str>) -> Result<Option<OperationId>, AppError> {
    let Some(id) = id else { return Ok(None) };
    if !toggle.definition().per_operation {
        let message = format!("{} is for all operations at once.", toggle.name());
        return Err(AppError::invalid("operation", message));
    }
    let live = app.live().await?;
    let known = live.snapshot.operations.get(id);
    let entry = known.ok_or_else(|| AppError::not_found("operation", id))?;
    Ok(Some(entry.operation.id.clone()))
}

fn state_of(toggle: Toggle, operation: Option<OperationId>, stored: &[StoredToggle]) -> ToggleState {
    let row = stored.iter().find(|row| row.name == toggle.name() && row.operation == operation);
    ToggleState { name: toggle.name().to_owned(), operation, enabled: row.map(|row| row.enabled) }
}

fn in_words(state: &ToggleState) -> String {
    let word = match state.enabled {
        Some(true) => "on",
        Some(false) => "off",
        None if state.operation.is_some() => "as for all",
        None => "as usual",
    };
    match &state.operation {
        Some(operation) => format!("{} is {word} for {operation}", state.name),
        None => format!("{} is {word}", state.name),
    }
}

fn shown(toggle: Toggle, stored: &[StoredToggle], flips: &BTreeMap<String, Vec<u32>>) -> dto::Toggle {
    let definition = toggle.definition();
    let enabled = Toggles::of(stored).is_on(toggle, None);
    let (effect, otherwise) = if enabled {
        (definition.when_on, definition.when_off)
    } else {
        (definition.when_off, definition.when_on)
    };
    let is_locked = definition.lock.is_some();
    let rows = || stored.iter().filter(|row| row.name == definition.name && !is_locked);
    let own = rows().find(|row| row.operation.is_none());
    let of_operation = |row: &StoredToggle| {
        Some(dto::ToggleOfOperation {
            operation: row.operation.as_ref()?.to_string(),
            enabled: row.enabled,
            changed_at: row.changed_at.into(),
            changed_by: row.changed_by.clone(),
        })
    };
    dto::Toggle {
        name: definition.name.to_owned(),
        band: match definition.band {
            Band::Locked => dto::ToggleBand::Locked,
            Band::Safety => dto::ToggleBand::Safety,
            Band::Feature => dto::ToggleBand::Feature,
        },
        effect: effect.to_owned(),
        otherwise: otherwise.to_owned(),
        enabled,
        usual: definition.default,
        lock: definition.lock.map(str::to_owned),
        controlled_by: match definition.controlled_by {
            ControlledBy::Admin => dto::ToggleControl::Admin,
            ControlledBy::User => dto::ToggleControl::User,
            ControlledBy::Both => dto::ToggleControl::Both,
        },
        per_operation: definition.per_operation,
        operations: rows().filter_map(of_operation).collect(),
        changed_at: own.map(|row| row.changed_at.into()),
        changed_by: own.map(|row| row.changed_by.clone()),
        note: own.and_then(|row| row.note.clone()),
        flips: flips.get(definition.name).cloned().unwrap_or_else(|| vec![0; FLIP_DAYS]),
    }
}
