//! The lease of a node on its parts of shared budgets: it holds while the node tells its database every second that it
//! serves. A node that cannot do so uses nothing more, long before others take it for gone.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use signalbox_core::time::Timestamp;
use tokio::time::Instant;
use uuid::Uuid;

/// How long a node may use its parts after it last began to tell that it serves. Others take it for gone after
/// [`crate::nodes::GONE_AFTER`], which is a hundred times as long.
const HELD_FOR: Duration = Duration::from_secs(5);

/// Whether this node may use its parts.
#[derive(Debug)]
pub(super) struct Lease(Mutex<State>);

#[derive(Debug, Clone, Copy)]
struct State {
    /// Which process this is; another one after it was taken for gone.
    life: Uuid,
    renewed: Option<Moment>,
}

/// When something was begun, by both clocks: the one that only runs forward stands still while the machine sleeps.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    at: Instant,
    wall: Timestamp,
}

impl Moment {
    pub(super) fn at(wall: Timestamp) -> Self {
        Self { at: Instant::now(), wall }
    }

    fn is_recent(self, now: Timestamp) -> bool {
        let passed = Duration::from_micros(now.micros_since(self.wall).unsigned_abs());
        self.at.elapsed() < HELD_FOR && passed < HELD_FOR
    }
}

impl Lease {
    pub(super) fn new() -> Self {
        Self(Mutex::new(State { life: Uuid::now_v7(), renewed: None }))
    }

    /// Which process this is.
    pub(super) fn life(&self) -> Uuid {
        self.state().life
    }

    /// The database knew at a moment after `begun` that this node serves.
    pub(super) fn renew(&self, begun: Moment) {
        self.with(|state| state.renewed = Some(begun));
    }

    /// It was taken for gone, or ends.
    pub(super) fn lose(&self) {
        self.with(|state| state.renewed = None);
    }

    /// Begins anew after it was taken for gone.
    pub(super) fn begin_anew(&self) -> Uuid {
        let life = Uuid::now_v7();
        self.with(|state| *state = State { life, renewed: None });
        life
    }

    pub(super) fn is_held(&self, now: Timestamp) -> bool {
        self.state().renewed.is_some_and(|renewed| renewed.is_recent(now))
    }

    fn state(&self) -> State {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_lease_ends_by_whichever_clock_runs_further() {
        let start = Timestamp::from_micros(1_000_000_000);
        let later = |seconds: i64| start.plus_micros(seconds * 1_000_000);
        let lease = Lease::new();
        assert!(!lease.is_held(start), "nobody has told yet");
        lease.renew(Moment::at(start));
        assert!(lease.is_held(later(4)));
        assert!(!lease.is_held(later(6)), "the machine slept");
        assert!(!lease.is_held(later(-6)), "somebody set the clock back: nobody knows how long it was");
        tokio::time::advance(Duration::from_secs(6)).await;
        assert!(!lease.is_held(start), "the wall clock was stopped");
        lease.renew(Moment::at(later(6)));
        assert!(lease.is_held(later(6)));
        lease.lose();
        assert!(!lease.is_held(later(6)));
    }
}
