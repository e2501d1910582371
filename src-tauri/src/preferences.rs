//! What one person wants of the window on this machine. It is nothing of the installation, which others may share, so it
//! stands in a file of its own beside it and not in the change history.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::{fs, io};

use serde::{Deserialize, Serialize};

const FILE: &str = "desktop.json";

/// What is kept; what the file does not say is as usual.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Preferences {
    /// Closing the window leaves the program running behind its tray icon.
    pub close_to_tray: bool,
    /// It has been said once that it does.
    pub tray_explained: bool,
}

impl Default for Preferences {
    fn default() -> Self {
        Self { close_to_tray: true, tray_explained: false }
    }
}

/// The preferences, in memory and in their file.
#[derive(Debug)]
pub struct Kept {
    path: PathBuf,
    now: Mutex<Preferences>,
}

impl Kept {
    /// As they stand in a data directory. A file that cannot be read is as none.
    pub fn open(data_dir: &Path) -> Self {
        let path = data_dir.join(FILE);
        let read = fs::read(&path).ok().and_then(|text| serde_json::from_slice(&text).ok());
        Self { path, now: Mutex::new(read.unwrap_or_default()) }
    }

    /// How they stand.
    pub fn get(&self) -> Preferences {
        *self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes them, here and in the file.
    ///
    /// Errors: the file could not be written; then nothing has changed.
    pub fn change(&self, edit: impl FnOnce(&mut Preferences)) -> io::Result<Preferences> {
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        let mut next = *now;
        edit(&mut next);
        if next != *now {
            // Written whole beside the old one first: a crash leaves one or the other.
            let draft = self.path.with_extension("json.new");
            fs::write(&draft, serde_json::to_vec_pretty(&next)?)?;
            fs::rename(draft, &self.path)?;
            *now = next;
        }
        Ok(next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_person_chose_is_there_at_the_next_start() {
        let dir = tempfile::tempdir().unwrap();
        let kept = Kept::open(dir.path());
        assert_eq!(kept.get(), Preferences { close_to_tray: true, tray_explained: false });
        kept.change(|preferences| preferences.close_to_tray = false).unwrap();
        kept.change(|preferences| preferences.tray_explained = true).unwrap();
        let again = Kept::open(dir.path()).get();
        assert_eq!(again, Preferences { close_to_tray: false, tray_explained: true });
    }

    #[test]
    fn a_file_that_cannot_be_read_is_as_none_and_one_that_cannot_be_written_changes_nothing() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(FILE), "{").unwrap();
        let kept = Kept::open(dir.path());
        assert_eq!(kept.get(), Preferences::default());
        drop(dir);
        assert!(kept.change(|preferences| preferences.close_to_tray = false).is_err());
        assert_eq!(kept.get(), Preferences::default());
    }
}
