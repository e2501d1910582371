//! Alerts on their way: raised anywhere without waiting, kept in the inbox, and told on channels.
//!
//! Whoever raises an alert puts it into a queue and goes on. The [`inbox`] task writes it down with the deliveries that
//! its rule asks for; the [`courier`] task makes the deliveries that are due and tries again what failed. Both work on
//! the store alone, so that a restart goes on where the last run ended, and neither is on the way of a request.

pub mod courier;
pub(crate) mod inbox;
mod means;
mod message;
mod secret;
mod signature;

use std::sync::{Arc, PoisonError, RwLock};

use signalbox_core::alert::{Alert, AlertKind};
use signalbox_core::ids::AlertId;
use signalbox_core::time::Clock;
use tokio::sync::{Notify, mpsc};

pub use means::is_mail_address;
pub use message::Message;
pub use secret::{InvalidSecret, SIGNING_KEY_PREFIX, check_secret, new_signing_key};

/// Alerts that wait to be kept; more at once are left out, and the log says so.
const BACKLOG: usize = 1_024;

/// What shows notifications on this machine's desktop.
pub trait Notifier: Send + Sync + std::fmt::Debug {
    /// Shows one.
    ///
    /// Errors: why the desktop would not, in words.
    fn notify(&self, title: &str, body: &str) -> Result<(), String>;
}

/// Where alerts are raised. Clones lead to the same place.
#[derive(Debug, Clone)]
pub struct Alerts {
    to: mpsc::Sender<Alert>,
    clock: Arc<dyn Clock>,
    desktop: Arc<RwLock<Option<Arc<dyn Notifier>>>>,
    due: Arc<Notify>,
}

impl Alerts {
    /// A place to raise alerts, and where they come out.
    pub fn new(clock: Arc<dyn Clock>) -> (Self, mpsc::Receiver<Alert>) {
        let (to, raised) = mpsc::channel(BACKLOG);
        (Self { to, clock, desktop: Arc::default(), due: Arc::default() }, raised)
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

    /// From now on, this desktop shows notifications.
    pub fn use_desktop(&self, notifier: Arc<dyn Notifier>) {
        *self.desktop.write().unwrap_or_else(PoisonError::into_inner) = Some(notifier);
        self.look_again();
    }

    /// What shows notifications here, if anything does.
    pub fn desktop(&self) -> Option<Arc<dyn Notifier>> {
        self.desktop.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Has the courier look for deliveries that are due now.
    pub fn look_again(&self) {
        self.due.notify_one();
    }
}
