//! The ledger as a file.

use serde::{Deserialize, Serialize};
use specta::Type;

use super::Counter;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum ExportFormat {
    Jsonl,
    Csv,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct Exported {
    pub path: String,
    pub rows: Counter,
}
