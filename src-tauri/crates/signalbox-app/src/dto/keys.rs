//! API keys of programs.

use serde::{Deserialize, Serialize};
use specta::Type;

use super::{Instant, Money};

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct ApiKey {
    pub id: String,
    pub name: String,
    /// Who answers for it, by name.
    pub owner: Option<String>,
    pub prefix: String,
    pub last4: String,
    /// Operations it may use; empty means all.
    pub operations: Vec<String>,
    /// Where its requests may go, as `provider` or `provider/model`; empty means anywhere.
    pub targets: Vec<String>,
    pub created_at: Instant,
    pub expires_at: Option<Instant>,
    pub last_used_at: Option<Instant>,
    /// The operation it was last used for.
    pub last_used_for: Option<String>,
    pub revoked_at: Option<Instant>,
    pub state: KeyState,
    /// It will expire within a week.
    pub expires_soon: bool,
    /// Nobody used it for 90 days.
    pub idle: bool,
    /// The secret before the last rotation, while it still opens.
    pub former: Option<FormerSecret>,
    pub limits: KeyLimits,
    pub own_credentials: Vec<OwnCredential>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum KeyState {
    Active,
    Expired,
    Revoked,
}

/// A replaced secret in its overlap.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct FormerSecret {
    pub last4: String,
    /// Until when it opens.
    pub until: Instant,
}

/// A credential of the owner's own: requests with the key to that provider use it.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct OwnCredential {
    pub provider: String,
    /// The last four characters at most.
    pub hint: String,
    pub set_at: Instant,
    /// Whether it can be read; if not, the key's requests do not go to that provider.
    pub ready: bool,
}

/// What is absent has no limit of the key's own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(default)]
pub struct KeyLimits {
    pub requests_per_minute: Option<u32>,
    pub concurrent: Option<u32>,
    pub body_bytes: Option<u32>,
}

/// What a key is for: who answers for it, what it may do, and until when.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(default)]
pub struct KeyScope {
    pub owner: Option<String>,
    pub operations: Vec<String>,
    pub targets: Vec<String>,
    pub expires_at: Option<Instant>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize, Type)]
#[serde(default)]
pub struct KeyInput {
    pub name: String,
    pub scope: KeyScope,
    pub limits: KeyLimits,
    /// A budget of its own, per UTC day; it is made together with the key.
    pub budget_per_day: Option<Money>,
}

/// Another scope for a key; it replaces the one it has.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct KeyScopeInput {
    pub id: String,
    pub scope: KeyScope,
}

/// Other limits for a key.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct KeyLimitsInput {
    pub id: String,
    pub limits: KeyLimits,
}

/// A new secret for a key.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct KeyRotation {
    pub id: String,
    /// How long the secret it has opens as well; 0: it stops at once.
    pub overlap_hours: u32,
}

/// The new secret itself was put on the clipboard by the backend; the window never sees it.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct KeyCreated {
    pub key: ApiKey,
    /// False when there is no clipboard: then the key was written to `saved_to`, readable by the owner only.
    pub copied: bool,
    pub saved_to: Option<String>,
}
