//! The one error an admin client can get.

use serde::Serialize;
use signalbox_engine::ledger::error_chain;
use signalbox_engine::secrets::SecretsError;
use signalbox_store::StoreError;
use specta::Type;

use crate::app::sentence;
use crate::dto::Problem;

/// Closed list of codes; a new one is added only when a client acts on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// The input is wrong; `details` names the fields.
    Invalid,
    /// There is no such thing.
    NotFound,
    /// Something of that name exists already.
    AlreadyExists,
    /// The object has changed since it was read; read it again.
    Conflict,
    /// The state does not allow it (e.g. the provider is still used by a route).
    Refused,
    /// The caller's role does not allow it.
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
    /// For a program.
    pub code: Code,
    /// For a person.
    pub message: String,
    /// Field-level problems, for forms.
    pub details: Vec<Problem>,
}

impl AppError {
    /// An error without field-level problems.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), details: Vec::new() }
    }

    /// One wrong field.
    pub fn invalid(field: &str, message: impl Into<String>) -> Self {
        let message = message.into();
        let details = vec![Problem { field: field.to_owned(), message: message.clone() }];
        Self { code: Code::Invalid, message, details }
    }

    /// There is no such thing.
    pub fn not_found(kind: &str, subject: &str) -> Self {
        let shown: String = subject.chars().take(80).collect();
        Self::new(Code::NotFound, format!("There is no {kind} `{shown}`."))
    }

    /// A fault of ours: the cause goes to the log, the client hears what was being done.
    pub fn internal(doing: &str, cause: &dyn std::error::Error) -> Self {
        tracing::error!(cause = %error_chain(cause), "failed to {doing}");
        Self::new(Code::Internal, format!("Signalbox failed to {doing}. The log has the cause."))
    }
}

impl From<StoreError> for AppError {
    fn from(error: StoreError) -> Self {
        let code = match &error {
            StoreError::Conflict { .. } => Code::Conflict,
            StoreError::AlreadyExists { .. } => Code::AlreadyExists,
            StoreError::NotFound { .. } => Code::NotFound,
            StoreError::LastAdmin => Code::Refused,
            StoreError::Busy { .. }
            | StoreError::Full { .. }
            | StoreError::Unwritable { .. }
            | StoreError::ReadOnly { .. }
            | StoreError::NewerSchema { .. }
            | StoreError::ForeignSchema { .. }
            | StoreError::TooOldSqlite { .. } => Code::Unavailable,
            StoreError::Corrupt { .. } | StoreError::Database { .. } => {
                return Self::internal("use the database", &error);
            }
        };
        Self::new(code, sentence(&error.to_string()))
    }
}

impl From<SecretsError> for AppError {
    fn from(error: SecretsError) -> Self {
        match &error {
            SecretsError::WrongPassphrase | SecretsError::ShortPassphrase { .. } => {
                Self::invalid("passphrase", sentence(&error.to_string()))
            }
            SecretsError::NoPassphrase => Self::new(Code::Refused, sentence(&error.to_string())),
            SecretsError::Sealed { .. }
            | SecretsError::AwaitsPassphrase
            | SecretsError::Undecipherable { .. }
            | SecretsError::MalformedMasterKey => Self::new(Code::Sealed, sentence(&error.to_string())),
            SecretsError::Damaged { .. } | SecretsError::File { .. } | SecretsError::NoRandomness => {
                tracing::error!(cause = %error_chain(&error), "secrets failed");
                Self::new(Code::Unavailable, sentence(&error.to_string()))
            }
        }
    }
}
