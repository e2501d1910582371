//! The change history is looked at after each start, and whenever somebody asks. What was found last is remembered.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use signalbox_core::alert::AlertKind;
use signalbox_core::time::Timestamp;

use crate::control::Control;
use crate::engine::Engine;
use crate::error::EngineError;
use crate::events::Topic;
use crate::ledger::error_chain;

/// What walking the whole chain found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChainCheck {
    /// How many entries there are.
    pub entries: i64,
    /// The first one that does not fit, if any.
    pub first_bad: Option<i64>,
    /// When.
    pub at: Timestamp,
}

/// The newest check. Clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct LastCheck(Arc<Mutex<Option<ChainCheck>>>);

impl Control {
    /// Walks the whole history and says whether every entry still fits.
    pub async fn verify_history(&self) -> Result<ChainCheck, EngineError> {
        let verifier = self.store.verify_chain().await?;
        let check =
            ChainCheck { entries: verifier.entries(), first_bad: verifier.first_bad(), at: self.now() };
        *self.last_check.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(check);
        Ok(check)
    }

    /// What was found last; `None` until the history was looked at.
    pub fn history_checked(&self) -> Option<ChainCheck> {
        *self.last_check.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Engine {
    /// As [`Control::verify_history`]; a chain that does not fit is an alert.
    pub async fn verify_history(&self) -> Result<ChainCheck, EngineError> {
        let check = self.control.verify_history().await?;
        if let Some(seq) = check.first_bad {
            let sentence = format!(
                "The change history does not fit together: entry {seq} was changed, removed or added afterwards."
            );
            self.alerts.raise(AlertKind::HistoryBroken, "history", &seq.to_string(), sentence);
        }
        Ok(check)
    }
}

/// Looks at the history once, beside everything else that begins.
pub(crate) async fn verify_at_start(engine: Weak<Engine>) {
    let Some(engine) = engine.upgrade() else { return };
    match engine.verify_history().await {
        Ok(_) => engine.events.publish(Topic::Status),
        Err(error) => tracing::error!(error = %error_chain(&error), "the change history was not checked"),
    }
}
