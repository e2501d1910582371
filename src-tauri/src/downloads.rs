//! Files that are written for the person at this machine.

use std::fs::File;
use std::path::{Path, PathBuf};

use signalbox_app::{AppError, Code};

/// A new file in `folder`, under the first free name, so that no earlier one is overwritten.
///
/// Errors: the folder cannot be written to.
pub fn new_file(folder: &Path, stem: &str, ending: &str) -> Result<(PathBuf, File), AppError> {
    let mut number = 1;
    loop {
        let suffix = if number == 1 { String::new() } else { format!("-{number}") };
        let path = folder.join(format!("{stem}{suffix}.{ending}"));
        match create_private(&path) {
            Ok(file) => return Ok((path, file)),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => number += 1,
            Err(error) => {
                let message = format!("The export cannot be written to {}: {error}.", folder.display());
                return Err(AppError::new(Code::Refused, message));
            }
        }
    }
}

/// Opens a new file that only its owner can read, where the system has a way to: it tells who spent what and who did what.
fn create_private(path: &Path) -> std::io::Result<File> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}
