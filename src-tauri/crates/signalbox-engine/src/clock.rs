//! The system clock: the one place that reads it.

use signalbox_core::time::{Clock, Timestamp};

/// The operating system's wall clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the clock module; everything else takes `now` from it"
    )]
    fn now(&self) -> Timestamp {
        chrono::Utc::now().into()
    }
}
