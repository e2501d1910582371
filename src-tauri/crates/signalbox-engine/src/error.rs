//! Why the engine cannot start or serve.

use std::path::PathBuf;

use signalbox_core::defaults::BrokenDefaults;
use signalbox_core::toggle::CriticalToggleBroken;
use signalbox_providers::ProvidersError;
use signalbox_store::StoreError;

use crate::secrets::SecretsError;

/// A fault of the living core.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The data directory cannot be made or written.
    #[error("cannot use the data directory {}: {source}", path.display())]
    DataDirectory {
        /// Which directory.
        path: PathBuf,
        /// The operating system's answer.
        #[source]
        source: std::io::Error,
    },
    /// Another instance serves this data directory.
    #[error("another Signalbox is running on {}; stop it first or choose another --data-dir", path.display())]
    AlreadyRunning {
        /// Which directory.
        path: PathBuf,
    },
    /// The database refuses.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Secrets cannot be read or kept.
    #[error(transparent)]
    Secrets(#[from] SecretsError),
    /// The HTTP client cannot be made.
    #[error(transparent)]
    Providers(#[from] ProvidersError),
    /// The build is broken.
    #[error(transparent)]
    Defaults(#[from] BrokenDefaults),
    /// The build is broken where it guards money.
    #[error(transparent)]
    CriticalToggle(#[from] CriticalToggleBroken),
    /// The engine is shutting down.
    #[error("Signalbox is shutting down")]
    ShuttingDown,
}
