//! Drills: rehearsed faults of the simulator, watched live.

use serde::{Deserialize, Serialize};
use specta::Type;

use super::Instant;

/// What the simulator does wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum DrillFault {
    /// Every call fails with a server error.
    Outage,
    /// Every call is refused for its rate, with a time to come back.
    RateLimit,
    /// Answers begin very late.
    SlowFirstByte,
    /// Streams break off in the middle.
    CutStreams,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct DrillInput {
    /// Which simulated model goes wrong, e.g. `sim-chat`.
    pub model: String,
    pub fault: DrillFault,
    /// Share of the calls an outage or a rate limit hits, 1 to 100 percent.
    pub percent: u32,
    /// It ends by itself after this long, at most an hour.
    pub seconds: u32,
    /// Requests to send through the gateway while it runs, per second; 0 to watch own traffic only.
    pub requests_per_second: u32,
    /// Under which operation they run. They take a chain of simulated targets, the failing one first.
    pub operation: String,
}

/// The drill that runs, or the last one.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct Drill {
    pub running: bool,
    pub input: DrillInput,
    pub started_at: Instant,
    pub ends_at: Instant,
    /// Requests the drill itself sent, and how they ended.
    pub sent: u32,
    pub succeeded: u32,
    pub failed: u32,
    /// Those that another target answered.
    pub failed_over: u32,
    /// Our own time between two targets, at the median and at worst.
    pub hop_ms_p50: Option<f64>,
    pub hop_ms_max: Option<f64>,
    /// When the circuit opened, measured from the start.
    pub opened_after_ms: Option<f64>,
    /// How the chain did, in words.
    pub verdict: String,
}
