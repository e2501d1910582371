//! The configuration as it was at an instant, told from the history.

use signalbox_core::budget::Budget;
use signalbox_core::change::{ChainedChange, Change, ChangeKind};
use signalbox_core::key::ApiKey;
use signalbox_core::provider::Provider;
use signalbox_core::state_at::{StateAt, Step, Thing};
use signalbox_engine::live::Live;

use super::PAGE_ROWS_MAX;
use crate::app::{App, Caller, Role, json};
use crate::error::{AppError, Code};
use crate::models::{self, ModelState};
use crate::operations;
use crate::prices::restore::PricesState;
use crate::providers::RemovedProvider;
use crate::{dto, settings, view};

/// How every operation, provider, model, setting, key and whatever else has entries stood at an instant.
///
/// Errors: [`Code::Refused`] for an instant before the installation.
pub async fn state_at(app: &App, caller: &Caller, at: dto::Instant) -> Result<dto::StateAt, AppError> {
    caller.must_be(Role::Viewer)?;
    let at = view::instant("at", &at)?;
    let mut state = StateAt::new(at);
    let mut last = 0;
    loop {
        let page = app.control().store.changes_after(last, PAGE_ROWS_MAX).await?;
        let Some(newest) = page.last() else { break };
        if last == 0 && page.first().is_some_and(|first| first.change.at > at) {
            return Err(AppError::new(Code::Refused, "Signalbox was not installed at that time."));
        }
        last = newest.seq;
        for step in page.iter().flat_map(steps) {
            state.take(step);
        }
    }
    as_now(app, &*app.live().await?, &mut state).await?;
    let all: Vec<_> = state.into_things().collect();
    let is_there = |provider: &str| {
        all.iter().any(|(thing, _)| thing.kind == ChangeKind::Provider.as_str() && thing.name == provider)
    };
    // A provider brings its models along without an entry for each; without it they were not there either.
    let orphaned = |thing: &Thing| {
        thing.kind == ChangeKind::Model.as_str()
            && !thing.name.split_once('/').is_some_and(|(provider, _)| is_there(provider))
    };
    let things = all
        .iter()
        .filter(|(thing, _)| !orphaned(thing))
        .map(|(thing, standing)| dto::ThingState {
            kind: thing.kind.to_owned(),
            name: thing.name.clone(),
            state: dto::JsonText(standing.state.clone()),
            seq: standing.since.map(|(seq, _)| view::count(seq)),
            since: standing.since.map(|(_, since)| since.into()),
        })
        .collect();
    Ok(dto::StateAt { at: at.into(), things })
}

/// What no entry speaks of has been as it is since the beginning.
async fn as_now(app: &App, live: &Live, state: &mut StateAt) -> Result<(), AppError> {
    let thing = |kind: ChangeKind, name: String| Thing { kind: kind.as_str(), name };
    for entry in live.snapshot.operations.values() {
        let name = entry.operation.id.to_string();
        state.unchanged(thing(ChangeKind::Route, name), operations::state_json(entry)?);
    }
    for entry in live.snapshot.providers.values() {
        let name = entry.provider.name.to_string();
        state.unchanged(thing(ChangeKind::Provider, name), json(&entry.provider)?);
    }
    for (target, entry) in &live.snapshot.models {
        state.unchanged(thing(ChangeKind::Model, target.to_string()), models::state_json(entry)?);
    }
    for person in &live.people {
        state.unchanged(thing(ChangeKind::Person, person.name.to_string()), json(person)?);
    }
    for (name, value) in settings::values(app).await? {
        state.unchanged(thing(ChangeKind::Setting, name), json(&value)?);
    }
    Ok(())
}

/// What an entry did, thing by thing.
fn steps(entry: &ChainedChange) -> Vec<Step> {
    let change = &entry.change;
    let step = |kind: ChangeKind, name: &str, before: Option<String>, after: Option<String>| Step {
        seq: entry.seq,
        at: change.at,
        thing: Thing { kind: kind.as_str(), name: name.to_owned() },
        before,
        after,
    };
    let whole = |kind| vec![step(kind, &change.subject, change.before.clone(), change.after.clone())];
    match change.kind {
        ChangeKind::Price => {
            let (before, after) = (prices(change.before.as_deref()), prices(change.after.as_deref()));
            let names: std::collections::BTreeSet<&String> =
                before.iter().chain(&after).map(|(name, _)| name).collect();
            let of = |states: &[(String, String)], wanted: &String| {
                states.iter().find(|(name, _)| name == wanted).map(|(_, state)| state.clone())
            };
            names
                .into_iter()
                .map(|name| step(ChangeKind::Model, name, of(&before, name), of(&after, name)))
                .collect()
        }
        ChangeKind::Provider => {
            let mut steps = whole(ChangeKind::Provider);
            if let Some(removed) = removed(change) {
                let gone = removed.models.iter().filter_map(named);
                steps.extend(gone.map(|(name, state)| step(ChangeKind::Model, &name, Some(state), None)));
                let keys = removed.keys.iter().zip(removed.keys_without_it());
                steps.extend(keys.map(|(key, without)| {
                    step(ChangeKind::Key, &key.name, json(key).ok(), json(&without).ok())
                }));
            }
            steps
        }
        // Where a credential comes from is part of its provider, or of the key that brought it.
        ChangeKind::Credential if is::<Provider>(change) => whole(ChangeKind::Provider),
        ChangeKind::Credential if is::<ApiKey>(change) => whole(ChangeKind::Key),
        // A correction of what counts as spent is of a period, not of the budget.
        ChangeKind::Budget if !is::<Budget>(change) => Vec::new(),
        // None is configuration: credentials are nowhere in the history, circuits and drills are over after a while, and
        // decisions were made once.
        ChangeKind::Credential
        | ChangeKind::Health
        | ChangeKind::Drill
        | ChangeKind::Approval
        | ChangeKind::Install => Vec::new(),
        kind => whole(kind),
    }
}

/// Whether a change is of something of that form.
fn is<T: serde::de::DeserializeOwned>(change: &Change) -> bool {
    let state = change.after.as_deref().or(change.before.as_deref());
    state.is_some_and(|text| serde_json::from_str::<T>(text).is_ok())
}

fn prices(text: Option<&str>) -> Vec<(String, String)> {
    let state = text.and_then(|text| serde_json::from_str::<PricesState>(text).ok());
    state.iter().flat_map(|state| &state.models).filter_map(named).collect()
}

fn removed(change: &Change) -> Option<RemovedProvider> {
    let before = change.before.as_deref().filter(|_| change.after.is_none())?;
    serde_json::from_str(before).ok()
}

fn named(model: &ModelState) -> Option<(String, String)> {
    let name = format!("{}/{}", model.model.provider, model.model.name);
    json(model).ok().map(|state| (name, state))
}
