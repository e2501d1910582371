//! What every command can reach.

use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::{PoisonError, RwLock};

use signalbox_app::{App, AppError, Caller, Code, Source};
use tokio_util::sync::CancellationToken;

use crate::clipboard::Clipboard;
use crate::preferences::Kept;

/// Names who uses the window, where several people share a database.
const PERSON_VARIABLE: &str = "SIGNALBOX_PERSON";

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
    /// What the person wants of the window.
    pub preferences: Kept,
    /// Whether the shortcut for quick approvals works everywhere on this desktop.
    pub has_shortcut: AtomicBool,
    /// Cancelled when the program quits.
    pub stop: CancellationToken,
    /// Who uses the window, if they said so.
    person: Option<String>,
    backend: RwLock<Backend>,
}

impl Shell {
    /// With a backend still on its way.
    pub fn new(data_dir: PathBuf, downloads: PathBuf) -> Self {
        Self {
            preferences: Kept::open(&data_dir),
            has_shortcut: AtomicBool::new(false),
            data_dir,
            downloads,
            clipboard: Clipboard::default(),
            stop: CancellationToken::new(),
            person: std::env::var(PERSON_VARIABLE).ok(),
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

    /// Who uses the window: the person at this machine, or whom [`PERSON_VARIABLE`] names.
    ///
    /// Errors: as [`Self::app`] and [`App::caller`].
    pub async fn caller(&self) -> Result<Caller, AppError> {
        self.app()?.caller(Source::Window, self.person.as_deref()).await
    }
}
