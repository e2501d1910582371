//! API keys of programs.

use serde::{Deserialize, Serialize};
use specta::Type;

use super::Instant;

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct ApiKey {
    pub id: String,
    pub name: String,
    pub prefix: String,
    pub last4: String,
    /// Operations it may use; empty means all.
    pub operations: Vec<String>,
    pub created_at: Instant,
    pub last_used_at: Option<Instant>,
    pub revoked_at: Option<Instant>,
    pub limits: KeyLimits,
}

/// What is absent has no limit of the key's own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(default)]
pub struct KeyLimits {
    pub requests_per_minute: Option<u32>,
    pub concurrent: Option<u32>,
    pub body_bytes: Option<u32>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize, Type)]
#[serde(default)]
pub struct KeyInput {
    pub name: String,
    pub operations: Vec<String>,
    pub limits: KeyLimits,
}

/// Other limits for a key.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct KeyLimitsInput {
    pub id: String,
    pub limits: KeyLimits,
}

/// The new key itself was put on the clipboard by the backend; the window never sees it.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct KeyCreated {
    pub key: ApiKey,
    /// False when there is no clipboard: then the key was written to `saved_to`, readable by the owner only.
    pub copied: bool,
    pub saved_to: Option<String>,
}
