//! Instants and the seam through which drivers read the clock.

use std::fmt;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};

/// Microseconds in a second.
pub const MICROS_PER_SECOND: i64 = 1_000_000;

/// An instant. Units: microseconds since the Unix epoch, UTC.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From microseconds since the Unix epoch.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since the Unix epoch.
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// From RFC 3339 text; digits below a microsecond are cut off.
    pub fn parse(text: &str) -> Result<Self, chrono::ParseError> {
        DateTime::parse_from_rfc3339(text).map(|time| Self(time.timestamp_micros()))
    }

    /// Microseconds from `earlier` to `self`; negative when `earlier` is later.
    pub const fn micros_since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// `micros` later (or earlier when negative).
    #[must_use]
    pub const fn plus_micros(self, micros: i64) -> Self {
        Self(self.0.saturating_add(micros))
    }

    /// The start of the step of `step_micros` that contains this instant, counted from the epoch (so days are UTC days).
    #[must_use]
    pub const fn floor_to(self, step_micros: i64) -> Self {
        Self(self.0.saturating_sub(self.0.rem_euclid(step_micros)))
    }

    /// As chrono's type; `None` beyond the year 262142.
    pub fn to_chrono(self) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp_micros(self.0)
    }
}

impl From<DateTime<Utc>> for Timestamp {
    fn from(time: DateTime<Utc>) -> Self {
        Self(time.timestamp_micros())
    }
}

impl Timestamp {
    /// For a sentence: `2026-11-21 12:00 UTC`.
    pub fn to_the_minute(self) -> String {
        self.to_chrono().map_or_else(|| self.to_string(), |at| at.format("%Y-%m-%d %H:%M UTC").to_string())
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.to_chrono() {
            Some(time) => f.write_str(&time.to_rfc3339_opts(SecondsFormat::Micros, true)),
            None => write!(f, "{}us", self.0),
        }
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The clock, as drivers hold it. Decisions never do: they take `now`.
pub trait Clock: Send + Sync + fmt::Debug {
    /// The current instant.
    fn now(&self) -> Timestamp;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_survives_its_text_to_the_microsecond() {
        let instant = Timestamp::from_micros(1_795_257_021_123_456);
        assert_eq!(Timestamp::parse(&instant.to_string()), Ok(instant));
        assert!(instant.to_string().ends_with('Z'));
    }

    #[test]
    fn flooring_goes_down_also_before_the_epoch() {
        let hour = 3_600 * MICROS_PER_SECOND;
        assert_eq!(Timestamp::from_micros(-1).floor_to(hour), Timestamp::from_micros(-hour));
        assert_eq!(Timestamp::from_micros(hour).floor_to(hour), Timestamp::from_micros(hour));
    }
}
