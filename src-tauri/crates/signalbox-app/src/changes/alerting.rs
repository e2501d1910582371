//! What puts a change of where alerts are told back: of a rule, or of a channel. A channel comes back without its secret
//! where that was bound to another place.

use signalbox_core::alert::{AlertKind, AlertRule, Channel};
use signalbox_core::change::Change;
use signalbox_store::ConfigWrite;

use super::undo::{Undo, not_revertible, stored};
use crate::app::{App, json};
use crate::error::AppError;

/// Whether there is something to go back to: a secret never is, and a channel that was added is removed on its own page.
pub(super) fn is_revertible(change: &Change) -> bool {
    if AlertKind::from_word(&change.subject).is_some() {
        return change.before.is_some();
    }
    let channel = |text: Option<&str>| text.and_then(|text| serde_json::from_str::<Channel>(text).ok());
    let plain = |channel: Channel| Channel { secret: None, version: 0, ..channel };
    match (channel(change.before.as_deref()), channel(change.after.as_deref())) {
        (Some(before), Some(after)) => plain(before) != plain(after),
        (Some(_), None) => true,
        (None, _) => false,
    }
}

/// What puts a rule or a channel back.
pub(super) async fn undo(app: &App, change: &Change) -> Result<Undo, AppError> {
    if !is_revertible(change) {
        return Err(not_revertible(change));
    }
    match AlertKind::from_word(&change.subject) {
        Some(kind) => undo_rule(app, change, kind).await,
        None => undo_channel(app, change).await,
    }
}

/// Channels that are gone by now are left out.
async fn undo_rule(app: &App, change: &Change, kind: AlertKind) -> Result<Undo, AppError> {
    let live = app.live().await?;
    let mut wanted: AlertRule = stored(change.before.as_deref(), change)?;
    if let Some(channels) = &mut wanted.channels {
        channels.retain(|id| live.alerting.channel(*id).is_some());
    }
    if let Some(escalation) = &mut wanted.escalation {
        escalation.channels.retain(|id| live.alerting.channel(*id).is_some());
    }
    wanted.escalation = wanted.escalation.filter(|escalation| !escalation.channels.is_empty());
    let now = live.alerting.rule(kind);
    let (before, after) = (Some(json(&now)?), Some(json(&wanted)?));
    let rule = Some(wanted).filter(|rule| *rule != AlertRule::usual(kind));
    Ok(Undo { writes: vec![ConfigWrite::PutAlertRule { kind, rule }], before, after })
}

async fn undo_channel(app: &App, change: &Change) -> Result<Undo, AppError> {
    let wanted: Channel = stored(change.before.as_deref(), change)?;
    let live = app.live().await?;
    let now = live.alerting.channel(wanted.id);
    let channel = match now {
        Some(now) => {
            let secret = now.secret.clone().filter(|_| now.means.place() == wanted.means.place());
            Channel { secret, version: now.version.saturating_add(1), ..wanted }
        }
        None => Channel { secret: None, version: 1, ..wanted },
    };
    let (before, after) = (now.map(json).transpose()?, Some(json(&channel)?));
    // The desktop's channel is stored when it is changed for the first time.
    let base_version = now.map(|now| now.version).filter(|version| *version > 0);
    Ok(Undo { writes: vec![ConfigWrite::PutChannel { channel, base_version }], before, after })
}
