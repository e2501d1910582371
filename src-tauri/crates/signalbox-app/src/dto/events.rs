//! What makes a screen stale.

use serde::{Deserialize, Serialize};
use specta::Type;

/// What changed; the window refetches the queries that carry the tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum CacheTag {
    Status,
    Requests,
    Operations,
    Providers,
    Health,
    Prices,
    Keys,
    Changes,
    Budgets,
    Approvals,
    Toggles,
    Alerts,
    People,
}
