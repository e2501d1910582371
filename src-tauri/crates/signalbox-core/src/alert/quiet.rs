//! Hours in which nobody wants to be told of what can wait.

use std::sync::LazyLock;

use jiff::civil::{Date, Time};
use jiff::tz::{TimeZone, TimeZoneDatabase};
use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// Minutes in a day.
const DAY_MIN: u16 = 24 * 60;

/// The rules of time zones that this build was made with: the same input gives the same answer on every machine.
static ZONES: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// From one time of the day to another, also past midnight, in a time zone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Given", into = "Given")]
pub struct QuietHours {
    from_min: u16,
    until_min: u16,
    zone: TimeZone,
    zone_name: String,
}

/// Quiet hours as they are written down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Given {
    from_min: u16,
    until_min: u16,
    zone: String,
}

/// Why these are no quiet hours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidQuietHours {
    /// A time that no day has, or the same twice.
    #[error("quiet hours go from one time of the day to another")]
    Times,
    /// No such time zone.
    #[error("`{0}` is not a time zone such as Europe/Berlin or UTC")]
    Zone(String),
}

impl QuietHours {
    /// From and until are minutes after midnight in `zone`, an IANA name; until is the first minute that is not quiet.
    ///
    /// Errors: [`InvalidQuietHours`].
    pub fn new(from_min: u16, until_min: u16, zone: &str) -> Result<Self, InvalidQuietHours> {
        if from_min >= DAY_MIN || until_min >= DAY_MIN || from_min == until_min {
            return Err(InvalidQuietHours::Times);
        }
        let known = ZONES.get(zone).map_err(|_| InvalidQuietHours::Zone(zone.chars().take(40).collect()))?;
        Ok(Self { from_min, until_min, zone: known, zone_name: zone.to_owned() })
    }

    /// The first quiet minute. Units: minutes after midnight.
    pub const fn from_min(&self) -> u16 {
        self.from_min
    }

    /// The first minute that is not quiet. Units: minutes after midnight.
    pub const fn until_min(&self) -> u16 {
        self.until_min
    }

    /// The time zone's name.
    pub fn zone(&self) -> &str {
        &self.zone_name
    }

    /// When what comes up now may be told: now, or when the quiet hours are over.
    pub fn release(&self, now: Timestamp) -> Timestamp {
        let Some((date, minute)) = self.local(now).filter(|(_, minute)| self.is_quiet(*minute)) else {
            return now;
        };
        let is_tomorrow = self.until_min <= minute;
        let day = if is_tomorrow { date.tomorrow().unwrap_or(date) } else { date };
        self.instant(day, now).unwrap_or(now)
    }

    /// Whether a time of the day is quiet.
    const fn is_quiet(&self, minute: u16) -> bool {
        if self.from_min < self.until_min {
            self.from_min <= minute && minute < self.until_min
        } else {
            self.from_min <= minute || minute < self.until_min
        }
    }

    /// The date and the time of the day there; `None` beyond the years of the calendar.
    fn local(&self, now: Timestamp) -> Option<(Date, u16)> {
        let there = jiff::Timestamp::from_microsecond(now.as_micros()).ok()?.to_zoned(self.zone.clone());
        let minute = u16::try_from(there.hour()).ok()? * 60 + u16::try_from(there.minute()).ok()?;
        Some((there.date(), minute))
    }

    /// When the quiet hours end on a day. Where clocks go back, that time comes twice: the one after `now` counts. Where
    /// they go forward over it, the first time after the gap counts.
    fn instant(&self, day: Date, now: Timestamp) -> Option<Timestamp> {
        let (hour, minute) =
            (i8::try_from(self.until_min / 60).ok()?, i8::try_from(self.until_min % 60).ok()?);
        let at = day.to_datetime(Time::new(hour, minute, 0, 0).ok()?);
        let ambiguous = self.zone.to_ambiguous_timestamp(at);
        let first = Timestamp::from_micros(ambiguous.compatible().ok()?.as_microsecond());
        if first > now {
            return Some(first);
        }
        Some(Timestamp::from_micros(ambiguous.later().ok()?.as_microsecond()))
    }
}

impl TryFrom<Given> for QuietHours {
    type Error = InvalidQuietHours;

    fn try_from(given: Given) -> Result<Self, InvalidQuietHours> {
        Self::new(given.from_min, given.until_min, &given.zone)
    }
}

impl From<QuietHours> for Given {
    fn from(hours: QuietHours) -> Self {
        Self { from_min: hours.from_min, until_min: hours.until_min, zone: hours.zone_name }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    #[test]
    fn the_night_ends_in_the_morning_of_its_own_zone() {
        let night = QuietHours::new(22 * 60, 7 * 60, "Europe/Berlin").unwrap();
        assert_eq!(night.release(at("2026-11-21T21:30:00Z")), at("2026-11-22T06:00:00Z"));
        assert_eq!(night.release(at("2026-11-22T05:59:59Z")), at("2026-11-22T06:00:00Z"));
        for told_at_once in ["2026-11-22T06:00:00Z", "2026-11-22T20:59:59Z"] {
            assert_eq!(night.release(at(told_at_once)), at(told_at_once));
        }
        let lunch = QuietHours::new(12 * 60, 13 * 60, "UTC").unwrap();
        assert_eq!(lunch.release(at("2026-11-21T12:10:00Z")), at("2026-11-21T13:00:00Z"));
    }

    #[test]
    fn where_the_clocks_change_the_night_ends_at_a_time_that_exists_and_is_not_quiet() {
        let night = QuietHours::new(60, 150, "Europe/Berlin").unwrap();
        // 02:30 does not exist on 29 March.
        assert_eq!(night.release(at("2026-03-29T00:30:00Z")), at("2026-03-29T01:30:00Z"));
        // 02:30 comes twice on 25 October, and between the two it is quiet once more.
        assert_eq!(night.release(at("2026-10-25T00:10:00Z")), at("2026-10-25T00:30:00Z"));
        assert_eq!(night.release(at("2026-10-25T01:10:00Z")), at("2026-10-25T01:30:00Z"));
    }

    #[test]
    fn hours_that_no_day_has_and_zones_that_do_not_exist_are_refused() {
        assert_eq!(QuietHours::new(0, 1_440, "UTC"), Err(InvalidQuietHours::Times));
        assert_eq!(QuietHours::new(60, 60, "UTC"), Err(InvalidQuietHours::Times));
        assert_eq!(
            QuietHours::new(0, 60, "Moon/Tycho"),
            Err(InvalidQuietHours::Zone("Moon/Tycho".to_owned()))
        );
        assert!(serde_json::from_str::<QuietHours>(r#"{"from_min":0,"until_min":0,"zone":"UTC"}"#).is_err());
        let night = QuietHours::new(1_320, 420, "Asia/Tokyo").unwrap();
        let text = serde_json::to_string(&night).unwrap();
        assert_eq!(text, r#"{"from_min":1320,"until_min":420,"zone":"Asia/Tokyo"}"#);
        assert_eq!(serde_json::from_str::<QuietHours>(&text).unwrap(), night);
    }

    proptest! {
        #[test]
        fn nothing_that_can_wait_is_told_in_quiet_hours_and_nothing_waits_for_more_than_a_day_and_an_hour(
            from in 0_u16..DAY_MIN,
            until in 0_u16..DAY_MIN,
            zone in prop::sample::select(vec![
                "UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Africa/Cairo",
            ]),
            second in 1_700_000_000_i64..1_900_000_000,
        ) {
            prop_assume!(from != until);
            let hours = QuietHours::new(from, until, zone).unwrap();
            let now = Timestamp::from_micros(second * 1_000_000);
            let told = hours.release(now);
            prop_assert!(told >= now);
            prop_assert!(told.micros_since(now) <= 25 * 3_600 * 1_000_000);
            let (_, minute) = hours.local(told).unwrap();
            prop_assert!(!hours.is_quiet(minute), "{} told at minute {}", now, minute);
        }
    }
}
