//! Why a command failed: a sentence for a person, an exit code for a script.

use std::io;
use std::process::ExitCode;

use signalbox_app::{AppError, Code};
use signalbox_engine::EngineError;
use signalbox_gateway::GatewayError;

/// How the process ends. The numbers are listed in `--help` and are never given another meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done.
    Ok = 0,
    /// It did not work, or what was checked is not in order.
    Failed = 1,
    /// The command line or a value on it is wrong.
    Usage = 2,
    /// There is no such thing.
    NotFound = 3,
    /// The state refuses: it exists already, it is in use, it was changed meanwhile.
    Refused = 4,
    /// Data directory, database, port or secrets are not available now.
    Unavailable = 5,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// A failed command.
#[derive(Debug)]
pub struct Failure {
    /// For a script.
    pub exit: Exit,
    /// For a person.
    pub message: String,
}

impl Failure {
    pub fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into() }
    }
}

impl From<AppError> for Failure {
    fn from(error: AppError) -> Self {
        let exit = match error.code {
            Code::Invalid => Exit::Usage,
            Code::NotFound => Exit::NotFound,
            Code::AlreadyExists | Code::Conflict | Code::Refused | Code::Forbidden => Exit::Refused,
            Code::Sealed | Code::Unavailable => Exit::Unavailable,
            Code::Internal => Exit::Failed,
        };
        Self { exit, message: error.message }
    }
}

impl From<EngineError> for Failure {
    fn from(error: EngineError) -> Self {
        AppError::from(error).into()
    }
}

impl From<GatewayError> for Failure {
    fn from(error: GatewayError) -> Self {
        match &error {
            GatewayError::PortTaken { .. } => Self::new(Exit::Unavailable, format!("{error} (--listen).")),
            GatewayError::NotLoopback { .. } => Self::new(Exit::Usage, format!("{error} (--allow-remote).")),
            GatewayError::Listen { source, .. } => {
                Self::new(Exit::Unavailable, format!("{error}: {source}."))
            }
        }
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        Self::new(Exit::Failed, format!("The output cannot be written: {error}."))
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::new(Exit::Failed, format!("The output cannot be written: {error}."))
    }
}
