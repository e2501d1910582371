//! What a run leaves behind.

use std::fmt::Debug;
use std::fs;
use std::path::Path;

use serde::Serialize;
use signalbox_app::AppError;

use super::Scanner;

/// The artefacts of a run, by name.
#[derive(Debug, Default)]
pub struct Seen(Vec<(String, Vec<u8>)>);

impl Seen {
    /// Keeps an artefact.
    pub fn bytes(&mut self, name: impl Into<String>, bytes: impl Into<Vec<u8>>) {
        self.0.push((name.into(), bytes.into()));
    }

    /// What a command of the window gives: data or an error, both as JSON and as a person debugging would print it.
    pub fn command<T: Serialize + Debug>(&mut self, name: &str, result: Result<T, AppError>) -> Option<T> {
        let written = match &result {
            Ok(data) => serde_json::to_vec(data),
            Err(error) => serde_json::to_vec(error),
        };
        self.bytes(name, written.unwrap());
        self.bytes(format!("{name} (Debug)"), format!("{result:?}"));
        result.ok()
    }

    /// Every file below `folder` but those that hold secrets on purpose.
    pub fn files(&mut self, when: &str, folder: &Path) {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
            if path.is_dir() {
                self.files(when, &path);
            } else if name != "master.key" {
                self.bytes(format!("the file {name} {when}"), fs::read(&path).unwrap());
            }
        }
    }

    /// Whether text is in an artefact whose name begins so.
    pub fn has(&self, name: &str, text: &str) -> bool {
        let is_in = |bytes: &[u8]| String::from_utf8_lossy(bytes).contains(text);
        self.0.iter().any(|(found, bytes)| found.starts_with(name) && is_in(bytes))
    }

    /// Where something was found, and what.
    pub fn leaks(&self, scanner: &Scanner) -> Vec<String> {
        let found = |(name, bytes): &(String, Vec<u8>)| Some(format!("{name}: {}", scanner.find(bytes)?));
        self.0.iter().filter_map(found).collect()
    }
}
