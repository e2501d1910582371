//! Toggles: how they stand, and setting those that can be set.

use serde::{Deserialize, Serialize};
use signalbox_core::change::{Change, ChangeKind};
use signalbox_core::ids::OperationId;
use signalbox_core::toggle::{Band, ControlledBy, Settable, StoredToggle, Toggle, Toggles};
use signalbox_store::{ConfigWrite, ToggleEdit};

use crate::app::{App, Caller, Role, json, reason, sentence};
use crate::dto;
use crate::error::{AppError, Code};

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
    let built = Toggle::ALL.iter().filter(|toggle| toggle.definition().is_built);
    Ok(built.map(|toggle| shown(*toggle, &stored)).collect())
}

/// Sets a toggle, for all or for one operation.
///
/// Errors: there is no such toggle or operation; [`Code::Refused`] for a locked one, which is logged.
pub async fn set(app: &App, caller: &Caller, input: dto::ToggleInput) -> Result<dto::Toggle, AppError> {
    let toggle = known(&input.name)?;
    let settable = settable(toggle, &caller.id)?;
    caller.must_be(Role::Admin)?;
    let operation = operation(app, toggle, input.operation.as_deref()).await?;
    let stored = app.control().store.toggles().await?;
    let before = state_of(toggle, operation.clone(), &stored);
    let after = ToggleState { enabled: input.enabled, ..before.clone() };
    if before == after {
        return Ok(shown(toggle, &stored));
    }
    let edit = ToggleEdit { toggle: settable, operation, enabled: input.enabled };
    let change = Change {
        before: Some(json(&before)?),
        after: Some(json(&after)?),
        reason: reason(input.reason),
        ..app.change(caller, ChangeKind::Toggle, toggle.name(), in_words(&after))
    };
    app.commit(vec![ConfigWrite::PutToggle(edit)], change).await?;
    Ok(shown(toggle, &app.control().store.toggles().await?))
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

fn shown(toggle: Toggle, stored: &[StoredToggle]) -> dto::Toggle {
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
    }
}
