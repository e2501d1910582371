//! The kill switch: one control that stops all AI traffic until a person lets it run again.

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// What a person types to let traffic run again.
pub const RELEASE_WORD: &str = "RESUME";

/// AI traffic is stopped: by whom, since when and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stop {
    /// Since when.
    pub at: Timestamp,
    /// Who stopped it, as the change history names them.
    pub by: String,
    /// By which way: `window`, `cli`, `tray`.
    pub source: String,
    /// Why, if they said so.
    pub reason: Option<String>,
}

impl Stop {
    /// In one sentence for a person.
    pub fn in_words(&self) -> String {
        let why = self.reason.as_ref().map_or_else(String::new, |reason| format!(": {reason}"));
        format!("All AI traffic is stopped by {} since {}{why}", self.by, self.at)
    }
}

/// The release was not typed as it must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("type {RELEASE_WORD} to let AI traffic run again")]
pub struct NotTyped;

/// Whether a person has typed the release. Spaces around it do not matter, its letters do.
///
/// Errors: [`NotTyped`].
pub fn check_release(typed: &str) -> Result<(), NotTyped> {
    if typed.trim() == RELEASE_WORD { Ok(()) } else { Err(NotTyped) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_whole_word_in_its_own_letters_lets_traffic_run() {
        assert_eq!(check_release(" RESUME\n"), Ok(()));
        for typed in ["", "resume", "RESUM", "RESUME NOW", "yes"] {
            assert_eq!(check_release(typed), Err(NotTyped), "{typed}");
        }
    }

    #[test]
    fn a_stop_says_who_when_and_why() {
        let stop = Stop {
            at: Timestamp::from_micros(0),
            by: "local".to_owned(),
            source: "cli".to_owned(),
            reason: Some("spend is odd".to_owned()),
        };
        let words = stop.in_words();
        assert!(words.contains("by local since 1970-01-01T00:00:00") && words.ends_with(": spend is odd"));
    }
}
