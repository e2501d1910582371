//! Toggles and the kill switch.

use serde::{Deserialize, Serialize};
use specta::Type;

use super::Instant;

/// A toggle and how it stands.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct Toggle {
    pub name: String,
    pub band: ToggleBand,
    /// What holds now, in a sentence.
    pub effect: String,
    /// What would hold if it were the other way.
    pub otherwise: String,
    pub enabled: bool,
    /// What it is unless somebody sets it.
    pub usual: bool,
    /// Why nobody can set it; `None` when somebody can.
    pub lock: Option<String>,
    pub controlled_by: ToggleControl,
    /// Whether it can differ from operation to operation.
    pub per_operation: bool,
    /// The operations that have it otherwise or the same by a word of their own, by id.
    pub operations: Vec<ToggleOfOperation>,
    /// When it was last set for all; `None`: never.
    pub changed_at: Option<Instant>,
    pub changed_by: Option<String>,
    pub note: Option<String>,
    /// How often it was flipped, for all or for an operation, on each of the last 30 days (UTC), oldest first.
    pub flips: Vec<u32>,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct ToggleOfOperation {
    pub operation: String,
    pub enabled: bool,
    pub changed_at: Instant,
    pub changed_by: String,
}

/// How carefully a toggle is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum ToggleBand {
    /// Not at all.
    Locked,
    /// After a question.
    Safety,
    /// At once.
    Feature,
}

/// Who may set a toggle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum ToggleControl {
    Admin,
    User,
    Both,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
#[serde(deny_unknown_fields)]
pub struct ToggleInput {
    pub name: String,
    /// For which operation; `None` for all that have no word of their own.
    pub operation: Option<String>,
    /// `None`: as it usually is, or, for an operation, as it is for all.
    pub enabled: Option<bool>,
    pub reason: Option<String>,
}

/// Whether AI traffic flows.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct KillSwitch {
    /// `None`: traffic flows.
    pub stopped: Option<TrafficStop>,
    /// Requests under way in this instance.
    pub in_flight: u32,
    /// What a person types to let traffic run again.
    pub release_word: String,
}

/// Who stopped AI traffic, when and why.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct TrafficStop {
    pub at: Instant,
    pub by: String,
    /// By which way: `window`, `cli`, `tray`.
    pub source: String,
    pub reason: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
#[serde(deny_unknown_fields)]
pub struct KillSwitchInput {
    pub reason: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
#[serde(deny_unknown_fields)]
pub struct KillSwitchReleaseInput {
    /// The release word, as the person typed it.
    pub typed: String,
    pub reason: Option<String>,
}
