//! What crosses the border to an admin client: plain data with specta types.
//!
//! Money and counters that may pass 2^53 are decimal strings, because JavaScript's numbers lose digits there.
//! Times are RFC 3339 in UTC. Secrets never appear here: [`SecretInput`] goes in, nothing comes out.

mod alerts;
mod approvals;
mod budgets;
mod changes;
mod drills;
mod events;
mod export;
mod health;
mod keys;
mod operations;
mod overview;
mod people;
mod prices;
mod providers;
mod requests;
mod settings;
mod status;
mod toggles;
mod trial;

pub use alerts::*;
pub use approvals::*;
pub use budgets::*;
pub use changes::*;
pub use drills::*;
pub use events::*;
pub use export::*;
pub use health::*;
pub use keys::*;
pub use operations::*;
pub use overview::*;
pub use people::*;
pub use prices::*;
pub use providers::*;
pub use requests::*;
pub use settings::*;
pub use status::*;
pub use toggles::*;
pub use trial::*;

use serde::{Deserialize, Serialize};
use specta::Type;

/// Nano-dollars (1 USD = 1,000,000,000) as a decimal string, exact at any size.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(transparent)]
pub struct Money(pub String);

/// A counter that may pass 2^53, as a decimal string.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(transparent)]
pub struct Counter(pub String);

/// An instant: RFC 3339, UTC, microseconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(transparent)]
pub struct Instant(pub String);

/// Opaque JSON as text, for diffs and for values whose shape the window does not interpret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(transparent)]
pub struct JsonText(pub String);

/// A secret on its way in. It cannot be printed or sent back.
#[derive(Clone, Deserialize, Type)]
#[serde(transparent)]
pub struct SecretInput(pub(crate) String);

impl SecretInput {
    /// A secret from a place other than the page, e.g. the clipboard.
    pub const fn new(secret: String) -> Self {
        Self(secret)
    }
}

impl From<SecretInput> for secrecy::SecretString {
    fn from(input: SecretInput) -> Self {
        Self::from(input.0)
    }
}

impl std::fmt::Debug for SecretInput {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretInput([REDACTED])")
    }
}
