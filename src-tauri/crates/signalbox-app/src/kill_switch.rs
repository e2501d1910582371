//! The kill switch: stop all AI traffic, and let it run again.

use signalbox_core::change::{Change, ChangeKind};
use signalbox_core::kill_switch::{RELEASE_WORD, Stop, check_release};
use signalbox_store::{ConfigEdit, ConfigWrite};

use crate::app::{App, Caller, Role, json, reason, sentence};
use crate::dto;
use crate::error::AppError;

const SUBJECT: &str = "kill_switch";

/// Whether AI traffic flows.
pub async fn state(app: &App, caller: &Caller) -> Result<dto::KillSwitch, AppError> {
    caller.must_be(Role::Viewer)?;
    Ok(shown(app, stop_of(app).await?))
}

/// Stops all AI traffic: what is under way ends, what comes is refused, also after a restart. Whoever may send test
/// requests may do it, since waiting for an admin costs money. Traffic that is stopped stays stopped as it was.
///
/// Errors: the database did not take it. A running instance stops all the same, until it ends.
pub async fn engage(
    app: &App,
    caller: &Caller,
    input: dto::KillSwitchInput,
) -> Result<dto::KillSwitch, AppError> {
    caller.must_be(Role::Operator)?;
    let stop = Stop {
        at: app.now(),
        by: caller.id.clone(),
        source: caller.source.as_str().to_owned(),
        reason: reason(input.reason),
    };
    let change = Change {
        before: Some(json(&"running")?),
        after: Some(json(&"stopped")?),
        reason: stop.reason.clone(),
        ..app.change(caller, ChangeKind::KillSwitch, SUBJECT, "All AI traffic is stopped".to_owned())
    };
    let edit = ConfigEdit { writes: vec![ConfigWrite::PutKillSwitch(Some(stop.clone()))], change };
    let stop = match app.engine() {
        Some(engine) => engine.stop_traffic(stop, edit).await.map_err(not_kept)?.stop,
        None => {
            if let Some(earlier) = app.control().store.kill_switch().await? {
                earlier
            } else {
                app.control().write(vec![edit]).await?;
                stop
            }
        }
    };
    Ok(shown(app, Some(stop)))
}

/// Lets AI traffic run again, when the person has typed [`RELEASE_WORD`]. Where it runs nothing changes.
pub async fn release(
    app: &App,
    caller: &Caller,
    input: dto::KillSwitchReleaseInput,
) -> Result<dto::KillSwitch, AppError> {
    caller.must_be(Role::Admin)?;
    check_release(&input.typed).map_err(|error| AppError::invalid("typed", sentence(&error.to_string())))?;
    if stop_of(app).await?.is_none() {
        return Ok(shown(app, None));
    }
    let change = Change {
        before: Some(json(&"stopped")?),
        after: Some(json(&"running")?),
        reason: reason(input.reason),
        ..app.change(caller, ChangeKind::KillSwitch, SUBJECT, "AI traffic runs again".to_owned())
    };
    let edit = ConfigEdit { writes: vec![ConfigWrite::PutKillSwitch(None)], change };
    match app.engine() {
        Some(engine) => engine.release_traffic(edit).await?,
        None => {
            app.control().write(vec![edit]).await?;
        }
    }
    Ok(shown(app, None))
}

/// The stop that holds, if one does.
pub(crate) async fn stop_of(app: &App) -> Result<Option<Stop>, AppError> {
    match app.engine() {
        Some(engine) => Ok(engine.kill_switch.stop()),
        None => Ok(app.control().store.kill_switch().await?),
    }
}

fn shown(app: &App, stop: Option<Stop>) -> dto::KillSwitch {
    dto::KillSwitch {
        stopped: stop.map(shown_stop),
        in_flight: app.engine().map_or(0, |engine| engine.in_flight()),
        release_word: RELEASE_WORD.to_owned(),
    }
}

pub(crate) fn shown_stop(stop: Stop) -> dto::TrafficStop {
    dto::TrafficStop { at: stop.at.into(), by: stop.by, source: stop.source, reason: stop.reason }
}

fn not_kept(error: signalbox_engine::EngineError) -> AppError {
    let error = AppError::from(error);
    let message = format!(
        "All AI traffic of this instance is stopped, but the database did not keep it: a restart, or another node, would let \
         it run. {}",
        error.message
    );
    AppError { message, ..error }
}
