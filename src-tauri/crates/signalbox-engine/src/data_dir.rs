//! The data directory, and the promise that one instance at a time serves it.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use crate::error::EngineError;

/// Makes the directory, readable by its owner only, if it is not there.
///
/// Errors: when it cannot be made or is not a directory that can be written.
pub fn prepare(path: &Path) -> Result<(), EngineError> {
    let failed = |source| EngineError::DataDirectory { path: path.to_owned(), source };
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(failed)?;
    let probe = path.join(".writable");
    File::create(&probe).and_then(|_| std::fs::remove_file(&probe)).map_err(failed)
}

/// Where this platform keeps an application's data; the window and the command line share it. `None` for an account
/// without a home.
pub fn default_location() -> Option<PathBuf> {
    dirs::data_dir().map(|path| path.join("signalbox"))
}

/// The SQLite file of a data directory.
pub fn database_file(path: &Path) -> PathBuf {
    path.join("signalbox.sqlite")
}

/// Held while an instance runs; the operating system lets go of it even after `kill -9`.
#[derive(Debug)]
pub struct InstanceLock {
    _file: File,
}

impl InstanceLock {
    /// Claims the directory.
    ///
    /// Errors: [`EngineError::AlreadyRunning`] when another process holds it.
    pub fn acquire(path: &Path) -> Result<Self, EngineError> {
        let failed = |source| EngineError::DataDirectory { path: path.to_owned(), source };
        let file = File::create(path.join("instance.lock")).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(EngineError::AlreadyRunning { path: path.to_owned() }),
            Err(TryLockError::Error(source)) => Err(failed(source)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_instance_at_a_time_and_the_next_once_it_is_gone() {
        let dir = tempfile::tempdir().unwrap();
        let first = InstanceLock::acquire(dir.path()).unwrap();
        assert!(matches!(InstanceLock::acquire(dir.path()), Err(EngineError::AlreadyRunning { .. })));
        drop(first);
        assert!(InstanceLock::acquire(dir.path()).is_ok());
    }

    #[test]
    fn a_directory_that_cannot_be_made_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        std::fs::write(&file, "").unwrap();
        let error = prepare(&file.join("below")).unwrap_err();
        assert!(error.to_string().contains("below"), "{error}");
    }
}
