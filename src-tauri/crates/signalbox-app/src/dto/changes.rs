//! The change history.

use serde::{Deserialize, Serialize};
use specta::Type;

use super::{CostImpact, Instant, JsonText};

#[derive(Debug, Clone, Default, Serialize, Deserialize, Type)]
#[serde(default)]
pub struct ChangeFilter {
    /// As the history names kinds, e.g. `route`, `budget`, `kill_switch`.
    pub kind: Option<String>,
    pub subject: Option<String>,
    pub actor: Option<String>,
    /// From this instant on, and before that one.
    pub from: Option<Instant>,
    pub to: Option<Instant>,
    /// A part of the sentence, the reason or the subject.
    pub text: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct ChangePage {
    /// Newest first.
    pub rows: Vec<Change>,
    pub next: Option<String>,
    pub chain: ChainReport,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct Change {
    pub seq: u32,
    pub id: String,
    pub at: Instant,
    pub actor: String,
    /// `window`, `cli`, `install`.
    pub source: String,
    pub kind: String,
    pub subject: String,
    pub sentence: String,
    pub before: Option<JsonText>,
    pub after: Option<JsonText>,
    pub reason: Option<String>,
    /// The approval it was applied with, if it needed one.
    pub approval: Option<String>,
    /// First 12 hex digits of the entry's SHA-256.
    pub hash: String,
    pub revertible: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct ChainReport {
    pub intact: bool,
    pub entries: u32,
    /// First entry whose hash does not match.
    pub first_bad: Option<u32>,
    pub checked_at: Instant,
}

/// What a revert would write, as before and after of its subject. Nothing is written.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct RevertPreview {
    pub sentence: String,
    pub before: Option<JsonText>,
    pub after: Option<JsonText>,
    /// Later changes of the same thing, which are undone too.
    pub later: u32,
    /// What it would have meant for the cost of the last 30 days; absent when it does not change what requests cost.
    pub month: Option<CostImpact>,
}

/// Which form the history is written out in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum HistoryFormat {
    /// For a spreadsheet.
    Csv,
    /// Everything, with the hashes that chain the entries.
    Json,
}

/// The configuration as it was at an instant.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct StateAt {
    pub at: Instant,
    /// By kind and name.
    pub things: Vec<ThingState>,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct ThingState {
    /// As the history names kinds; prices belong to their `model`.
    pub kind: String,
    pub name: String,
    pub state: JsonText,
    /// The entry that made it so, and when; absent: it had been so since the beginning.
    pub seq: Option<u32>,
    pub since: Option<Instant>,
}
