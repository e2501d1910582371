//! The one error an admin client can get.

use serde::Serialize;
use specta::Type;

/// Closed list of codes; a new one is added only when a client acts on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// The input is wrong; `details` names the fields.
    Invalid,
    NotFound,
    /// Something of that name exists already.
    AlreadyExists,
    /// The object has changed since it was read; read it again.
    Conflict,
    /// The state does not allow it (e.g. the provider is still used by a route).
    Refused,
    Forbidden,
    /// Secrets cannot be decrypted on this machine now.
    Sealed,
    /// The gateway is not running.
    Unavailable,
    /// A fault of ours; the log has the cause under the same text.
    Internal,
}

/// What failed, for a program (`code`) and for a person (`message`).
#[derive(Debug, Clone, Serialize, Type, thiserror::Error)]
#[error("{message}")]
pub struct AppError {
    pub code: Code,
    pub message: String,
    /// Field-level problems, for forms.
    pub details: Vec<crate::dto::Problem>,
}
