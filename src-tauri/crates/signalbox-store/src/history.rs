//! The change history: append-only and hash-chained.

use signalbox_core::change::ChangeKind;

/// All set conditions must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChangeFilter {
    /// What kind of thing was changed.
    pub kind: Option<ChangeKind>,
    /// Which one.
    pub subject: Option<String>,
    /// By whom.
    pub actor: Option<String>,
}
