//! The change history.

use serde::{Deserialize, Serialize};
use specta::Type;

use super::{Instant, JsonText};

#[derive(Debug, Clone, Default, Serialize, Deserialize, Type)]
#[serde(default)]
pub struct ChangeFilter {
    /// `route`, `provider`, `model`, `price`, `key`, `credential`, `setting`.
    pub kind: Option<String>,
    pub subject: Option<String>,
    pub actor: Option<String>,
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
