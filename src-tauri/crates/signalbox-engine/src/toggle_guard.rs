//! Watches over the stored rows of locked toggles. What they say changes nothing; that they say something else than the
//! build means that somebody has been at the file.

use std::sync::Weak;
use std::time::Duration;

use signalbox_core::alert::AlertKind;
use signalbox_core::change::{Change, ChangeKind};
use signalbox_core::ids::ChangeId;
use signalbox_core::toggle::{Locked, tampered};
use signalbox_store::{ConfigEdit, ConfigWrite};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::alerts::Alerts;
use crate::control::Control;
use crate::engine::Engine;
use crate::error::EngineError;
use crate::ledger::error_chain;

/// How often the rows are looked at: a few rows of one small table.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Puts rows right that say something else than the build, with an entry in the history and an alert for each. Says how
/// many there were.
///
/// Errors: the database refuses. The constants hold all the same.
pub(crate) async fn repair(control: &Control, alerts: &Alerts) -> Result<usize, EngineError> {
    let broken = tampered(&control.store.toggles().await?);
    for locked in &broken {
        let edit = edit_of(control, *locked);
        let (name, sentence) = (locked.toggle().name(), edit.change.sentence.clone());
        tracing::error!(toggle = name, "{sentence}");
        alerts.raise(AlertKind::ToggleTampered, name, &format!("{name} {}", edit.change.at), sentence);
        control.write(vec![edit]).await?;
    }
    Ok(broken.len())
}

fn edit_of(control: &Control, locked: Locked) -> ConfigEdit {
    let name = locked.toggle().name();
    let word = if locked.value() { "on" } else { "off" };
    let change = Change {
        id: ChangeId::generate(),
        at: control.now(),
        actor: "signalbox".to_owned(),
        source: "guard".to_owned(),
        kind: ChangeKind::Toggle,
        subject: name.to_owned(),
        sentence: format!(
            "The stored row of the locked toggle {name} had been changed past Signalbox; it was {word} all the time and its \
             row says so again"
        ),
        before: None,
        after: Some(format!("\"{word}\"")),
        reason: None,
        approval: None,
    };
    ConfigEdit { writes: vec![ConfigWrite::RepairToggle(locked)], change }
}

/// Looks at the rows every few seconds, until `stop`.
pub(crate) async fn watch(engine: Weak<Engine>, stop: CancellationToken) {
    let mut tick = tokio::time::interval(LOOK_EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            () = stop.cancelled() => return,
        }
        let Some(engine) = engine.upgrade() else { return };
        if let Err(error) = repair(&engine.control, &engine.alerts).await {
            tracing::warn!(error = %error_chain(&error), "the rows of locked toggles cannot be checked; looking again");
        }
    }
}
