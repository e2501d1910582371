//! Keeps what is raised: one alert per state, with the deliveries its rule asks for.

use std::sync::Weak;
use std::time::Duration;

use signalbox_core::alert::{Alert, Channel, Means, Severity};
use signalbox_core::ids::DeliveryId;
use signalbox_store::{AlertKept, NewDelivery, StoreError};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{Alerts, BACKLOG};
use crate::control::Control;
use crate::engine::Engine;
use crate::events::{Events, Topic};
use crate::ledger::error_chain;
use crate::live::Live;

/// How long alerts are gathered: a state that comes up with every request is one write.
const GATHER: Duration = Duration::from_millis(100);
/// Pause before alerts that the database refused are kept again.
const STORE_PAUSE: Duration = Duration::from_secs(1);

/// Keeps alerts until `stop`, and then those that are still on their way.
pub(crate) async fn run(engine: Weak<Engine>, mut raised: mpsc::Receiver<Alert>, stop: CancellationToken) {
    let mut waiting = Vec::new();
    loop {
        let pause = if waiting.is_empty() { GATHER } else { STORE_PAUSE };
        let is_over = tokio::select! {
            received = raised.recv_many(&mut waiting, BACKLOG), if waiting.is_empty() => {
                tokio::select! {
                    () = tokio::time::sleep(pause) => received == 0,
                    () = stop.cancelled() => true,
                }
            }
            () = tokio::time::sleep(pause), if !waiting.is_empty() => false,
            () = stop.cancelled() => true,
        };
        while waiting.len() < BACKLOG
            && let Ok(alert) = raised.try_recv()
        {
            waiting.push(alert);
        }
        let Some(engine) = engine.upgrade() else { return };
        let desk = Desk {
            control: &engine.control,
            alerts: &engine.alerts,
            events: &engine.events,
            live: &engine.live(),
        };
        waiting = desk.keep_all(gathered(waiting)).await;
        if is_over {
            return;
        }
    }
}

/// Alerts of one state as the newest of them, with how many they are; in the order in which states came up.
fn gathered(alerts: Vec<Alert>) -> Vec<(Alert, u32)> {
    let mut states: Vec<(Alert, u32)> = Vec::new();
    for alert in alerts {
        match states.iter_mut().find(|(known, _)| known.kind == alert.kind && known.key == alert.key) {
            Some((known, times)) => {
                known.sentence = alert.sentence;
                *times = times.saturating_add(1);
            }
            None => states.push((alert, 1)),
        }
    }
    states
}

/// What keeping an alert takes.
struct Desk<'a> {
    control: &'a Control,
    alerts: &'a Alerts,
    events: &'a Events,
    live: &'a Live,
}

impl Desk<'_> {
    /// Keeps alerts; gives back those that the database refused.
    async fn keep_all(&self, alerts: Vec<(Alert, u32)>) -> Vec<Alert> {
        let (mut refused, mut is_changed) = (Vec::new(), false);
        for (alert, times) in alerts {
            match self.keep(&alert, times).await {
                Ok(kept) => is_changed |= kept,
                Err(error) if error.is_of_the_data() => {
                    tracing::error!(error = %error_chain(&error), "an alert cannot be kept and is left out");
                }
                Err(error) => {
                    tracing::error!(error = %error_chain(&error), "an alert cannot be kept; trying again");
                    refused.push(alert);
                }
            }
        }
        if is_changed {
            self.events.publish(Topic::Alerts);
            self.alerts.look_again();
        }
        refused
    }

    /// Whether the inbox changed.
    async fn keep(&self, alert: &Alert, times: u32) -> Result<bool, StoreError> {
        let rule = self.live.alerting.rule(alert.kind);
        if !rule.enabled {
            return Ok(false);
        }
        let has_desktop = self.alerts.desktop().is_some();
        let channels = &self.live.alerting.channels;
        let deliveries: Vec<NewDelivery> = rule
            .plan(channels, alert.at)
            .into_iter()
            .filter_map(|planned| {
                let channel = self.live.alerting.channel(planned.channel)?;
                let is_told = has_desktop || !is_desktop(channel);
                is_told.then(|| NewDelivery {
                    id: DeliveryId::generate(),
                    planned,
                    channel_name: channel.name.clone(),
                    means: channel.means.as_str(),
                })
            })
            .collect();
        let kept = self.control.store.keep_alert(alert, times, &rule, &deliveries).await?;
        if kept == AlertKept::New {
            log(alert, rule.severity);
        }
        Ok(true)
    }
}

fn is_desktop(channel: &Channel) -> bool {
    matches!(channel.means, Means::Desktop { .. })
}

fn log(alert: &Alert, severity: Severity) {
    let (kind, subject) = (alert.kind.as_str(), &alert.subject);
    match severity {
        Severity::Info => tracing::info!(kind, subject, "{}", alert.sentence),
        Severity::Warning => tracing::warn!(kind, subject, "{}", alert.sentence),
        Severity::Critical => tracing::error!(kind, subject, "{}", alert.sentence),
    }
}

#[cfg(test)]
mod tests {
    use signalbox_core::alert::AlertKind;
    use signalbox_core::ids::AlertId;
    use signalbox_core::time::Timestamp;

    use super::*;

    #[test]
    fn a_state_that_comes_up_with_every_request_is_kept_once_and_counted() {
        let alert = |key: &str, sentence: &str| Alert {
            id: AlertId::generate(),
            at: Timestamp::from_micros(0),
            kind: AlertKind::Overrun,
            subject: key.to_owned(),
            sentence: sentence.to_owned(),
            key: key.to_owned(),
        };
        let alerts = vec![alert("a", "one"), alert("b", "two"), alert("a", "three"), alert("a", "four")];
        let first = alerts[0].id;
        let states = gathered(alerts);
        let told: Vec<_> = states.iter().map(|(alert, times)| (&*alert.sentence, *times)).collect();
        assert_eq!((told, states[0].0.id), (vec![("four", 3), ("two", 1)], first));
    }
}
