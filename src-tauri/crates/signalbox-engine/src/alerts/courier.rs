//! Makes the deliveries that are due, and tries again those that failed.
//!
//! A delivery is taken before it is tried, for a while: a process that dies meanwhile leaves it to the next look of
//! whoever runs. A receiver may so get a message twice, with the same id.

use std::sync::Weak;
use std::time::Duration;

use futures::future::join_all;
use signalbox_core::alert::{Cause, Channel, DeliveryState, Planned, next_try};
use signalbox_core::ids::DeliveryId;
use signalbox_core::time::{MICROS_PER_SECOND, Timestamp};
use signalbox_store::{Delivery, NewDelivery, StoreError};
use tokio_util::sync::CancellationToken;

pub use super::means::Undelivered;
use super::means::{self, Again};
use super::{Message, Notifier};
use crate::control::Control;
use crate::engine::Engine;
use crate::events::Topic;
use crate::ledger::error_chain;

/// Deliveries tried side by side.
const AT_ONCE: u32 = 8;
/// How long a delivery is ours; longer than any try takes. Units: microseconds.
const LEASE_US: i64 = 60 * MICROS_PER_SECOND;
/// How long nothing is looked for at most: another node may have left something.
const LOOK_EVERY: Duration = Duration::from_secs(30);
/// Pause after the database failed.
const STORE_PAUSE: Duration = Duration::from_secs(5);
/// How long alerts are kept. Units: microseconds.
const KEPT_US: i64 = 180 * 24 * 3_600 * MICROS_PER_SECOND;
/// How often old ones are forgotten. Units: microseconds.
const FORGET_EVERY_US: i64 = 24 * 3_600 * MICROS_PER_SECOND;

/// Delivers until `stop`.
pub(crate) async fn run(engine: Weak<Engine>, stop: CancellationToken) {
    let mut forgotten_at: Option<Timestamp> = None;
    loop {
        let Some(running) = engine.upgrade() else { return };
        let now = running.control.now();
        let round = async {
            if forgotten_at.is_none_or(|at| now.micros_since(at) >= FORGET_EVERY_US) {
                running.control.store.forget_alerts(now.plus_micros(-KEPT_US)).await?;
                forgotten_at = Some(now);
            }
            deliver_due(&running).await
        };
        let round = tokio::select! {
            round = round => round,
            () = stop.cancelled() => return,
        };
        let pause = round.unwrap_or_else(|error| {
            tracing::error!(error = %error_chain(&error), "alerts cannot be delivered; trying again");
            STORE_PAUSE
        });
        let due = running.alerts.due.clone();
        drop(running);
        tokio::select! {
            () = due.notified() => {}
            () = tokio::time::sleep(pause) => {}
            () = stop.cancelled() => return,
        }
    }
}

/// Makes every delivery that is due, and says how long there is nothing to do.
async fn deliver_due(engine: &Engine) -> Result<Duration, StoreError> {
    let store = &engine.control.store;
    let has_desktop = engine.alerts.desktop().is_some();
    loop {
        let due = store.due_deliveries(engine.control.now(), has_desktop, AT_ONCE).await?;
        if due.is_empty() {
            break;
        }
        let tries = join_all(due.iter().map(|delivery| attempt(engine, delivery))).await;
        tries.into_iter().collect::<Result<(), _>>()?;
        engine.events.publish(Topic::Alerts);
    }
    let next = store.next_delivery_at(has_desktop).await?;
    let wait_us = next.map_or(i64::MAX, |at| at.micros_since(engine.control.now()).max(0));
    Ok(Duration::from_micros(u64::try_from(wait_us).unwrap_or(0)).min(LOOK_EVERY))
}

/// Tries a delivery, unless somebody else does or nobody needs it.
async fn attempt(engine: &Engine, delivery: &Delivery) -> Result<(), StoreError> {
    let control = &engine.control;
    let store = &control.store;
    if !store.claim_delivery(delivery, control.now().plus_micros(LEASE_US)).await? {
        return Ok(());
    }
    let (live, alert) = (
        engine.live(),
        match delivery.alert {
            Some(id) => store.alert(id).await?,
            None => None,
        },
    );
    let ready = live.alerting.channel(delivery.channel).filter(|channel| channel.is_ready());
    let (Some(channel), Some(alert)) = (ready, alert) else {
        let why = Some("the channel was switched off or removed");
        return store.end_delivery(delivery.id, DeliveryState::Dropped, why, control.now()).await;
    };
    let is_settled = alert.acknowledged.is_some() || alert.resolved_at.is_some();
    if delivery.cause == Cause::Escalated && is_settled {
        return store.end_delivery(delivery.id, DeliveryState::Dropped, None, control.now()).await;
    }
    let message = Message::of(&alert, delivery.id, delivery.cause);
    let desktop = engine.alerts.desktop();
    let sent = means::send(control, desktop.as_deref(), channel, &message).await;
    let now = control.now();
    let Err(Undelivered { why, again }) = sent else {
        return store.end_delivery(delivery.id, DeliveryState::Sent, None, now).await;
    };
    let tries = delivery.tries.saturating_add(1);
    let next = match again {
        Again::Perhaps { asked_s } => next_try(tries, asked_s, now),
        Again::No => None,
    };
    let Some(at) = next else {
        tracing::error!(channel = channel.name, tries, why, "an alert was not delivered");
        return store.end_delivery(delivery.id, DeliveryState::Failed, Some(&why), now).await;
    };
    tracing::warn!(channel = channel.name, tries, why, "an alert was not delivered; trying again");
    store.postpone_delivery(delivery.id, at, &why).await
}

/// Sends a trial on a channel, now and once, and lists it.
///
/// Errors of the inner result: what the receiver or the way to it said.
pub async fn try_channel(
    control: &Control,
    desktop: Option<&dyn Notifier>,
    channel: &Channel,
) -> Result<Result<(), Undelivered>, StoreError> {
    let (id, now) = (DeliveryId::generate(), control.now());
    let sent = means::send(control, desktop, channel, &Message::trial(id, now)).await;
    let trial = NewDelivery {
        id,
        planned: Planned { channel: channel.id, at: now, cause: Cause::Test },
        channel_name: channel.name.clone(),
        means: channel.means.as_str(),
    };
    let (state, why) = match &sent {
        Ok(()) => (DeliveryState::Sent, None),
        Err(undelivered) => (DeliveryState::Failed, Some(&*undelivered.why)),
    };
    control.store.insert_trial(&trial, state, why, now).await?;
    Ok(sent)
}
