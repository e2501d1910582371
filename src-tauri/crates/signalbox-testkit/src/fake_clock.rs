//! A clock that stands until it is moved.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use signalbox_core::time::{Clock, Timestamp};

/// A clock for tests. Clones are the same clock.
#[derive(Debug, Clone)]
pub struct FakeClock(Arc<AtomicI64>);

impl FakeClock {
    /// Stands at an instant in RFC 3339, e.g. `2026-11-21T12:00:00Z`.
    ///
    /// Errors: the text is no instant.
    pub fn at(text: &str) -> anyhow::Result<Self> {
        Ok(Self(Arc::new(AtomicI64::new(Timestamp::parse(text)?.as_micros()))))
    }

    /// Moves it on.
    pub fn advance(&self, by: Duration) {
        let micros = i64::try_from(by.as_micros()).unwrap_or(i64::MAX);
        self.0.fetch_add(micros, Ordering::SeqCst);
    }

    /// Puts it anywhere, also back.
    pub fn set(&self, now: Timestamp) {
        self.0.store(now.as_micros(), Ordering::SeqCst);
    }
}

impl Clock for FakeClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::SeqCst))
    }
}
