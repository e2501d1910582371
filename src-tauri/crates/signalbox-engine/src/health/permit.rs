//! Leave to call a target, and the report of how it went.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use signalbox_core::breaker::{BreakerSettings, Permit};
use signalbox_core::health::{Answered, Failed, RateHeadroom};
use signalbox_core::ids::OperationId;
use signalbox_core::route::Target;

use super::{Board, HealthBoard, Skipped, Slot, lock};
use crate::events::Topic;

/// Leave to make one call. Dropped without a report it says nothing about the target; in every case the place at the
/// provider, and the probe if it was one, are free again.
#[derive(Debug)]
#[must_use = "report how the call went: succeeded, failed or cancelled"]
pub struct CallPermit {
    board: Arc<Board>,
    pub(super) slot: Arc<Slot>,
    provider: Arc<AtomicU32>,
    settings: BreakerSettings,
    permit: Option<Permit>,
}

/// What is called, and under which rules.
#[derive(Debug, Clone, Copy)]
pub struct Terms<'a> {
    /// For which operation.
    pub operation: &'a OperationId,
    /// Which target.
    pub target: &'a Target,
    /// Calls that may be on their way to its provider.
    pub concurrent_max: Option<u32>,
    /// When circuits open.
    pub settings: BreakerSettings,
    /// Whether the request has no other target: then neither an open circuit nor earlier failovers stop the call.
    pub is_last_resort: bool,
    /// Whether the call is made with the caller's own credential: then what the provider said of the installation's
    /// account does not stop it.
    pub own_credential: bool,
}

impl HealthBoard {
    /// Leave for one call.
    ///
    /// Errors: [`Skipped`], with the reason.
    pub fn permit(&self, terms: Terms<'_>) -> Result<CallPermit, Skipped> {
        let now = self.0.clock.now();
        let capped = || lock(&self.0.caps).until(terms.operation, terms.target, now);
        if !terms.is_last_resort
            && let Some(until) = capped()
        {
            return Err(Skipped::Capped { until });
        }
        let provider = self.provider(&terms.target.provider);
        take_place(&provider, terms.concurrent_max)?;
        let slot = self.slot(terms.target);
        slot.in_use.fetch_add(1, Ordering::AcqRel);
        // From here on the places are given back when this is dropped.
        let mut permit = CallPermit {
            board: Arc::clone(&self.0),
            slot: Arc::clone(&slot),
            provider,
            settings: terms.settings,
            permit: None,
        };
        let mut health = slot.health();
        let permitted = if terms.is_last_resort {
            health.permit_last_resort(terms.settings, now)
        } else {
            health.permit(terms.settings, now)
        };
        let permitted = match permitted {
            Ok(permitted) => permitted,
            // A call with another account, of which the board hears nothing.
            Err(blocked) if terms.own_credential && blocked.why.is_about_account() => {
                drop(health);
                return Ok(permit);
            }
            Err(blocked) => return Err(Skipped::Blocked(blocked)),
        };
        permit.permit = Some(permitted.permit);
        if let Some(transition) = permitted.transition {
            self.0.announce(&slot, &health, &transition, None);
        }
        drop(health);
        Ok(permit)
    }
}

impl CallPermit {
    /// The call was answered.
    pub fn succeeded(mut self, answered: Answered, headroom: Option<RateHeadroom>) {
        let Some(permit) = self.permit.take() else { return };
        let now = self.board.clock.now();
        let mut health = self.slot.health();
        let transition = health.succeeded(permit, answered, now);
        if let Some(headroom) = headroom {
            health.note_headroom(headroom);
        }
        self.slot.is_changed.store(true, Ordering::Release);
        if let Some(transition) = transition {
            self.board.announce(&self.slot, &health, &transition, None);
        }
    }

    /// The call failed.
    pub fn failed(mut self, failed: &Failed, headroom: Option<RateHeadroom>) {
        let Some(permit) = self.permit.take() else { return };
        let now = self.board.clock.now();
        let mut health = self.slot.health();
        let transition = health.failed(permit, failed, self.settings, now);
        if let Some(headroom) = headroom {
            health.note_headroom(headroom);
        }
        self.slot.is_changed.store(true, Ordering::Release);
        match transition {
            Some(transition) => self.board.announce(&self.slot, &health, &transition, None),
            None => self.board.events.publish(Topic::Health),
        }
    }

    /// The call ended without showing anything about the target.
    pub fn cancelled(mut self) {
        let Some(permit) = self.permit.take() else { return };
        let now = self.board.clock.now();
        self.slot.health().cancelled(permit, now);
        self.slot.is_changed.store(true, Ordering::Release);
    }

    /// Whether the circuit waits for this very call.
    pub fn is_probe(&self) -> bool {
        self.permit.as_ref().is_some_and(Permit::is_probe)
    }
}

impl Drop for CallPermit {
    fn drop(&mut self) {
        if let Some(permit) = self.permit.take() {
            self.slot.health().unused(permit);
        }
        self.slot.in_use.fetch_sub(1, Ordering::AcqRel);
        self.provider.fetch_sub(1, Ordering::AcqRel);
    }
}

/// One more call on its way to the provider, unless there are as many as may be.
fn take_place(provider: &AtomicU32, most: Option<u32>) -> Result<(), Skipped> {
    let most = most.unwrap_or(u32::MAX);
    let one_more = |count: u32| (count < most).then(|| count.saturating_add(1));
    match provider.fetch_update(Ordering::AcqRel, Ordering::Acquire, one_more) {
        Ok(_) => Ok(()),
        Err(_) => Err(Skipped::Full),
    }
}
