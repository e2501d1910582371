//! Circuit breakers: when a target is left alone, and when it is tried again.

use serde::{Deserialize, Serialize};

/// When a circuit opens and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct BreakerSettings {
    /// Failures inside the window that open it.
    pub failures: u32,
    /// Length of the window. Units: seconds.
    pub window_s: u32,
    /// How long it stays open before one call may probe. Units: seconds.
    pub open_s: u32,
}

impl Default for BreakerSettings {
    fn default() -> Self {
        Self { failures: 3, window_s: 300, open_s: 300 }
    }
}
