//! What the status bar and the first run show.

use serde::{Deserialize, Serialize};
use specta::Type;

use super::{BudgetGlance, ChainReport, Instant, Money, TrafficStop};

/// What the status bar and the first run need at a glance.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct Status {
    pub gateway: GatewayState,
    /// The address programs use, e.g. `http://127.0.0.1:4180/v1`.
    pub base_url: String,
    pub listen: String,
    /// Why the gateway is stopped, in words for a person.
    pub problem: Option<String>,
    /// Secrets are sealed until their passphrase is given.
    pub awaits_passphrase: bool,
    /// Who stopped all AI traffic; `None` while it flows.
    pub stopped: Option<TrafficStop>,
    pub version: String,
    pub data_dir: String,
    pub database: String,
    pub durability: String,
    pub in_flight: u32,
    pub spend_today: Money,
    pub requests_today: u32,
    /// What waits for a person.
    pub approvals_pending: u32,
    pub simulator: SimulatorStatus,
    /// The budget to keep an eye on.
    pub budget: Option<BudgetGlance>,
    pub first_run: FirstRun,
    /// Who asks, and what they may do: `viewer`, `operator`, `admin`.
    pub person: String,
    pub role: String,
    /// Whether somebody else has to approve changes that move money.
    pub four_eyes: bool,
    /// What was found when the change history was last walked; absent until then.
    pub history: Option<ChainReport>,
    pub at: Instant,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum GatewayState {
    Starting,
    Running,
    Stopped,
    /// Secrets cannot be decrypted: reading works, calling providers does not.
    Sealed,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct SimulatorStatus {
    pub on: bool,
    pub base_url: Option<String>,
}

/// Progress of the first-run steps. It is derived from what exists, so it needs no bookkeeping.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct FirstRun {
    /// A provider other than the simulator has a credential (or needs none).
    pub provider_connected: bool,
    pub key_created: bool,
    pub first_request: Option<String>,
}
