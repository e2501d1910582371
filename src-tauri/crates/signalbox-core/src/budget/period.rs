//! How long a budget lasts before it begins anew.

use std::fmt;
use std::str::FromStr;

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{ToSpan, Zoned};
use serde::{Deserialize, Serialize};

use crate::time::{MICROS_PER_SECOND, Timestamp};

const DAY: i64 = 24 * 3_600 * MICROS_PER_SECOND;

/// How long a budget lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Period {
    /// From midnight to midnight.
    Day,
    /// From Monday to Sunday.
    Week,
    /// From the first to the last day.
    Month,
    /// For ever: it never begins anew.
    Total,
}

/// The stretch of time that one purse is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Its first instant.
    pub start: Timestamp,
    /// The first instant after it; `None` when it never ends.
    pub end: Option<Timestamp>,
}

/// A time zone of the IANA database, such as `Europe/Berlin`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Zone {
    name: String,
    rules: TimeZone,
}

/// A text that names no time zone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no time zone; write one like `UTC` or `Europe/Berlin`")]
pub struct InvalidZone(String);

impl Zone {
    /// Coordinated universal time.
    pub fn utc() -> Self {
        Self { name: "UTC".to_owned(), rules: TimeZone::UTC }
    }

    /// The zone of that name.
    pub fn new(name: &str) -> Result<Self, InvalidZone> {
        if name == "UTC" {
            return Ok(Self::utc());
        }
        let rules = TimeZone::get(name).map_err(|_| InvalidZone(name.chars().take(40).collect()))?;
        Ok(Self { name: name.to_owned(), rules })
    }

    /// Its name.
    pub fn as_str(&self) -> &str {
        &self.name
    }
}

impl Default for Zone {
    fn default() -> Self {
        Self::utc()
    }
}

impl FromStr for Zone {
    type Err = InvalidZone;

    fn from_str(name: &str) -> Result<Self, InvalidZone> {
        Self::new(name)
    }
}

impl TryFrom<String> for Zone {
    type Error = InvalidZone;

    fn try_from(name: String) -> Result<Self, InvalidZone> {
        Self::new(&name)
    }
}

impl From<Zone> for String {
    fn from(zone: Zone) -> Self {
        zone.name
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl Window {
    /// Whether `now` is in it.
    pub fn contains(&self, now: Timestamp) -> bool {
        self.start <= now && self.end.is_none_or(|end| now < end)
    }
}

impl Period {
    /// Every period, shortest first.
    pub const ALL: &'static [Self] = &[Self::Day, Self::Week, Self::Month, Self::Total];

    /// The word on the wire and in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Total => "total",
        }
    }

    /// The period of that word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|period| period.as_str() == word)
    }

    /// The period that contains `now`, by the clocks of `zone`. Where midnight is skipped it begins when the day does.
    ///
    /// It always has an answer: beyond the years a calendar knows it is the UTC day.
    pub fn window(self, zone: &Zone, now: Timestamp) -> Window {
        if self == Self::Total {
            return Window { start: Timestamp::from_micros(0), end: None };
        }
        self.of_calendar(zone, now).unwrap_or_else(|| {
            let start = now.floor_to(DAY);
            Window { start, end: Some(start.plus_micros(DAY)) }
        })
    }

    fn of_calendar(self, zone: &Zone, now: Timestamp) -> Option<Window> {
        let instant = jiff::Timestamp::from_microsecond(now.as_micros()).ok()?;
        let today = Zoned::new(instant, zone.rules.clone()).date();
        let first = match self {
            Self::Day | Self::Total => today,
            Self::Week => {
                let since_monday = today.weekday().since(Weekday::Monday);
                today.checked_sub(i64::from(since_monday).days()).ok()?
            }
            Self::Month => today.first_of_month(),
        };
        let next = match self {
            Self::Day | Self::Total => first.checked_add(1.day()),
            Self::Week => first.checked_add(7.days()),
            Self::Month => first.checked_add(1.month()),
        };
        Some(Window { start: beginning(first, zone)?, end: Some(beginning(next.ok()?, zone)?) })
    }
}

/// The first instant of a day: where midnight is skipped the one after the gap, where it comes twice the first.
fn beginning(day: Date, zone: &Zone) -> Option<Timestamp> {
    let zoned = day.to_zoned(zone.rules.clone()).ok()?;
    Some(Timestamp::from_micros(zoned.timestamp().as_microsecond()))
}
