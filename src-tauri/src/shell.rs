//! What every command can reach.

use std::path::PathBuf;
use std::sync::{PoisonError, RwLock};

use signalbox_app::{App, AppError, Caller, Code, Source};
use tokio_util::sync::CancellationToken;

use crate::clipboard::Clipboard;

/// How far the backend has come.
#[derive(Debug, Clone)]
pub enum Backend {
    /// On its way.
    Starting,
    /// There.
    Ready(App),
    /// It could not start, and why.
    Failed(String),
}

/// The shell's state.
#[derive(Debug)]
pub struct Shell {
    /// Where the installation is.
    pub data_dir: PathBuf,
    /// Where exports go.
    pub downloads: PathBuf,
    /// The person's clipboard.
    pub clipboard: Clipboard,
    /// Cancelled when the program quits.
    pub stop: CancellationToken,
    backend: RwLock<Backend>,
}

impl Shell {
    /// With a backend still on its way.
    pub fn new(data_dir: PathBuf, downloads: PathBuf) -> Self {
        Self {
            data_dir,
            downloads,
            clipboard: Clipboard::default(),
            stop: CancellationToken::new(),
            backend: RwLock::new(Backend::Starting),
        }
    }

    /// How far the backend has come.
    pub fn backend(&self) -> Backend {
        self.backend.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Tells how far the backend has come.
    pub fn set_backend(&self, backend: Backend) {
        *self.backend.write().unwrap_or_else(PoisonError::into_inner) = backend;
    }

    /// The use cases.
    ///
    /// Errors: [`Code::Unavailable`] while the backend is starting or when it could not.
    pub fn app(&self) -> Result<App, AppError> {
        match self.backend() {
            Backend::Ready(app) => Ok(app),
            Backend::Starting => Err(AppError::new(Code::Unavailable, "Signalbox is starting.")),
            Backend::Failed(problem) => Err(AppError::new(Code::Unavailable, problem)),
        }
    }
}

/// The person at this machine.
pub fn caller() -> Caller {
    Caller::local(Source::Window)
}
