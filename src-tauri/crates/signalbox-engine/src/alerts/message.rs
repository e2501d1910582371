//! What is told, before it takes the form of a channel.

use signalbox_core::alert::{Cause, Severity};
use signalbox_core::ids::DeliveryId;
use signalbox_core::time::Timestamp;
use signalbox_store::KeptAlert;

/// One telling of one alert. It holds no secret and no prompt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The delivery; the same for every try, so that a receiver knows a repetition.
    pub id: DeliveryId,
    /// Why it is told.
    pub cause: Cause,
    /// The alert's id on the wire; nothing for a trial.
    pub alert: Option<String>,
    /// The word of the alert's kind, or `test`.
    pub kind: &'static str,
    /// What it is about, in a few words.
    pub title: String,
    /// How much it matters.
    pub severity: Severity,
    /// Which thing.
    pub subject: String,
    /// In one sentence.
    pub sentence: String,
    /// When it came up.
    pub at: Timestamp,
    /// How often it came up until now.
    pub times: u32,
}

impl Message {
    /// The telling of an alert.
    pub fn of(kept: &KeptAlert, id: DeliveryId, cause: Cause) -> Self {
        let title = kept.alert.kind.title();
        let title = match cause {
            Cause::Escalated => format!("{title} (not acknowledged)"),
            Cause::Raised | Cause::Test => title.to_owned(),
        };
        Self {
            id,
            cause,
            alert: Some(kept.alert.id.to_string()),
            kind: kept.alert.kind.as_str(),
            title,
            severity: kept.severity,
            subject: kept.alert.subject.clone(),
            sentence: kept.alert.sentence.clone(),
            at: kept.alert.at,
            times: kept.times,
        }
    }

    /// What a person who tries a channel gets.
    pub fn trial(id: DeliveryId, at: Timestamp) -> Self {
        Self {
            id,
            cause: Cause::Test,
            alert: None,
            kind: "test",
            title: "Test".to_owned(),
            severity: Severity::Info,
            subject: "this channel".to_owned(),
            sentence: "Somebody tries this channel. Alerts of Signalbox arrive here.".to_owned(),
            at,
            times: 1,
        }
    }

    /// The severity as a word with a capital letter.
    pub(crate) const fn severity_word(&self) -> &'static str {
        match self.severity {
            Severity::Info => "Info",
            Severity::Warning => "Warning",
            Severity::Critical => "Critical",
        }
    }

    /// The severity as a colour: 24 bits of red, green and blue.
    pub(crate) const fn colour(&self) -> u32 {
        match self.severity {
            Severity::Info => 0x0034_83eb,
            Severity::Warning => 0x00d9_8a00,
            Severity::Critical => 0x00d6_3939,
        }
    }

    /// The first part of a text, at most `chars_max` characters.
    pub(crate) fn cut(text: &str, chars_max: usize) -> String {
        let mut short: String = text.chars().take(chars_max).collect();
        if short.len() < text.len() {
            short.pop();
            short.push('…');
        }
        short
    }
}
