//! Alerts on their way: raised anywhere, without waiting, and told by a task of their own.

use std::sync::Arc;

use signalbox_core::alert::{Alert, AlertKind};
use signalbox_core::ids::AlertId;
use signalbox_core::time::Clock;
use tokio::sync::mpsc;

/// Alerts that wait to be told; more at once are left out, and the log says so.
const BACKLOG: usize = 1_024;

/// Where alerts are raised. Clones lead to the same place.
#[derive(Debug, Clone)]
pub struct Alerts {
    to: mpsc::Sender<Alert>,
    clock: Arc<dyn Clock>,
}

impl Alerts {
    /// A place to raise alerts, and where they come out.
    pub fn new(clock: Arc<dyn Clock>) -> (Self, mpsc::Receiver<Alert>) {
        let (to, raised) = mpsc::channel(BACKLOG);
        (Self { to, clock }, raised)
    }

    /// Tells of something. Never waits, so that it can be called on the way of a request. `key` names the state: an alert
    /// of the same kind and key within the kind's window is the same alert.
    pub fn raise(&self, kind: AlertKind, subject: &str, key: &str, sentence: String) {
        let alert = Alert {
            id: AlertId::generate(),
            at: self.clock.now(),
            kind,
            subject: subject.to_owned(),
            sentence,
            key: key.to_owned(),
        };
        if let Err(error) = self.to.try_send(alert) {
            tracing::warn!(%error, kind = kind.as_str(), subject, "an alert was left out");
        }
    }
}

/// Writes alerts to the log until there is no one left to raise any.
pub(crate) async fn keep(mut raised: mpsc::Receiver<Alert>, stop: tokio_util::sync::CancellationToken) {
    loop {
        let alert = tokio::select! {
            alert = raised.recv() => alert,
            () = stop.cancelled() => None,
        };
        let Some(alert) = alert else { return };
        tracing::warn!(kind = alert.kind.as_str(), subject = alert.subject, "{}", alert.sentence);
    }
}
