//! People and their roles, and changes that somebody else has to approve.

use serde::{Deserialize, Serialize};
use specta::Type;

use super::Instant;

/// Somebody who may come in, or could once.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct Person {
    pub name: String,
    /// `viewer`, `operator`, `admin`.
    pub role: String,
    pub enabled: bool,
    pub created_at: Instant,
    /// Whether it is the one who asks.
    pub is_you: bool,
    /// Why neither role nor entry can be changed, if so.
    pub fixed: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct PersonInput {
    pub name: String,
    /// `viewer`, `operator`, `admin`.
    pub role: String,
    pub reason: Option<String>,
}

/// What shall become of a person; what is absent stays.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct PersonPatch {
    pub name: String,
    pub role: Option<String>,
    pub enabled: Option<bool>,
    pub reason: Option<String>,
}

/// What became of a change that moves money.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Proposed<T> {
    /// It is in force.
    Applied { value: T },
    /// Somebody else than its author has to approve it first. Nothing has changed yet.
    Asked { request: FiledChange },
}

/// A change that waits for an approval.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct FiledChange {
    /// The approval's id.
    pub approval: String,
    /// What it would do, in words.
    pub sentence: String,
}

impl<T> Proposed<T> {
    /// What the change made, if it is in force.
    pub fn applied(self) -> Option<T> {
        match self {
            Self::Applied { value } => Some(value),
            Self::Asked { .. } => None,
        }
    }
}
