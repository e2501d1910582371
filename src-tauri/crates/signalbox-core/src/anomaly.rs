//! Far more than usual: today beside the days before, or, once there are four weeks of history, beside the same hours of
//! the same weekday. Small amounts alarm nobody.

use crate::hours::{DAY_HOURS, Hours, WEEK_HOURS};
use crate::money::{NANOS_PER_USD, NanoUsd};

/// Whole days before today that are needed at least: on a first day everything is unusual.
const DAYS_MIN: usize = 3;
/// Days whose mean is the usual.
const DAYS: usize = 7;
/// Weeks whose mean is the usual once there are as many.
const WEEKS: usize = 4;

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Measure {
    /// Nano-dollars.
    Spend,
    /// Requests.
    Requests,
    /// Tokens, read and written.
    Tokens,
}

impl Measure {
    /// Every measure.
    pub const ALL: [Self; 3] = [Self::Spend, Self::Requests, Self::Tokens];

    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Spend => "spend",
            Self::Requests => "requests",
            Self::Tokens => "tokens",
        }
    }

    /// More than so many times the usual is an anomaly.
    const fn factor(self) -> i128 {
        match self {
            Self::Spend => 2,
            Self::Requests | Self::Tokens => 3,
        }
    }

    /// Less above the usual alarms nobody, however many times the usual it is.
    pub const fn excess_min(self) -> i64 {
        match self {
            Self::Spend => NANOS_PER_USD,
            Self::Requests => 100,
            Self::Tokens => 200_000,
        }
    }

    fn in_words(self, amount: i64) -> String {
        match self {
            Self::Spend => NanoUsd::from_nanos(amount).in_dollars(),
            Self::Requests => format!("{amount} requests"),
            Self::Tokens => format!("{amount} tokens"),
        }
    }
}

/// What today is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Usual {
    /// The mean of the last seven days, or of as many as there are.
    LastDays,
    /// The mean of the same weekday until the same hour, over four weeks.
    SameWeekday,
}

/// Today is far above the usual.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Anomaly {
    /// What is far above.
    pub measure: Measure,
    /// What today has so far.
    pub today: i64,
    /// What was usual.
    pub usual: i64,
    /// What it is compared with.
    pub compared_with: Usual,
}

impl Anomaly {
    /// In one sentence for a person; `who` begins it, e.g. "All traffic" or an operation.
    pub fn sentence(&self, who: &str) -> String {
        let (today, usual) = (self.measure.in_words(self.today), self.measure.in_words(self.usual));
        let verb = if self.measure == Measure::Spend { "has spent" } else { "has had" };
        let usual_time = match self.compared_with {
            Usual::LastDays => "on the days before",
            Usual::SameWeekday => "by this hour of the weekday",
        };
        if self.usual == 0 {
            return format!("{who} {verb} {today} today; usual {usual_time} is nothing.");
        }
        let tenths = i128::from(self.today).saturating_mul(10) / i128::from(self.usual);
        format!(
            "{who} {verb} {today} today, {}.{} times the {usual} usual {usual_time}.",
            tenths / 10,
            tenths % 10
        )
    }
}

/// Whether today is far above the usual, and if so, how far. Days are UTC days.
pub fn anomaly(measure: Measure, hours: &Hours) -> Option<Anomaly> {
    let today_hours = hours.of_today();
    let complete = hours.complete();
    let before = complete.get(..complete.len().checked_sub(today_hours)?)?;
    let days = before.len() / DAY_HOURS;
    if days < DAYS_MIN {
        return None;
    }
    let sum = |part: &[i64]| part.iter().map(|amount| i128::from(*amount)).sum::<i128>();
    let today = sum(complete.get(before.len()..)?) + i128::from(hours.so_far());
    let weekday = before.len().checked_sub(WEEKS * WEEK_HOURS).map(|_| {
        // The hour that runs counts as if it were over.
        let until_now = |week: usize| {
            let midnight = before.len() - week * WEEK_HOURS;
            before.get(midnight..=midnight + today_hours).map_or(0, sum)
        };
        (1..=WEEKS).map(until_now).sum::<i128>() / i128::try_from(WEEKS).unwrap_or(1)
    });
    let (usual, compared_with) = if let Some(usual) = weekday {
        (usual, Usual::SameWeekday)
    } else {
        let days = days.min(DAYS);
        let last = before.get(before.len() - days * DAY_HOURS..)?;
        (sum(last) / i128::try_from(days).ok()?, Usual::LastDays)
    };
    let is_far_above =
        today > usual.saturating_mul(measure.factor()) && today - usual >= i128::from(measure.excess_min());
    let held = |amount: i128| i64::try_from(amount).unwrap_or(i64::MAX);
    is_far_above.then(|| Anomaly { measure, today: held(today), usual: held(usual), compared_with })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::rollup::Step;
    use crate::time::Timestamp;

    const HOUR: i64 = Step::Hour.micros();
    const USD: i64 = NANOS_PER_USD;
    /// An hour that is the midnight of a Thursday.
    const MIDNIGHT: i64 = 24 * 7 * 100;

    fn hour(number: i64) -> Timestamp {
        Timestamp::from_micros(number * HOUR)
    }

    fn hours(from: i64, now: i64, amount: impl Fn(i64) -> i64) -> Hours {
        Hours::new((from..=now).map(|number| (hour(number), amount(number))), hour(now).plus_micros(1))
    }

    #[test]
    fn twice_the_spend_of_the_last_days_is_told_with_both_amounts() {
        let now = MIDNIGHT + 11;
        let found = anomaly(
            Measure::Spend,
            &hours(MIDNIGHT - 24 * 5, now, |number| if number < MIDNIGHT { USD / 8 } else { USD }),
        );
        let expected = Anomaly {
            measure: Measure::Spend,
            today: 12 * USD,
            usual: 3 * USD,
            compared_with: Usual::LastDays,
        };
        assert_eq!(found, Some(expected));
        assert_eq!(
            expected.sentence("chat_message"),
            "chat_message has spent $12.00 today, 4.0 times the $3.00 usual on the days before."
        );
    }

    #[test]
    fn a_new_installation_and_cents_alarm_nobody() {
        let loud = |number: i64| if number < MIDNIGHT { 1 } else { 100 * USD };
        assert_eq!(anomaly(Measure::Spend, &hours(MIDNIGHT - 24 * 2, MIDNIGHT + 5, loud)), None);
        let cents = |number: i64| if number < MIDNIGHT { 1 } else { USD / 100 };
        assert_eq!(anomaly(Measure::Spend, &hours(MIDNIGHT - 24 * 6, MIDNIGHT + 5, cents)), None);
    }

    #[test]
    fn requests_and_tokens_take_three_times_the_usual() {
        let twice_and_half = |number: i64| if number < MIDNIGHT { 1_000_000 } else { 2_500_000 };
        let four_times = |number: i64| if number < MIDNIGHT { 1_000_000 } else { 4_000_000 };
        for measure in [Measure::Requests, Measure::Tokens] {
            assert_eq!(anomaly(measure, &hours(MIDNIGHT - 24 * 6, MIDNIGHT + 23, twice_and_half)), None);
            assert!(anomaly(measure, &hours(MIDNIGHT - 24 * 6, MIDNIGHT + 23, four_times)).is_some());
        }
    }

    #[test]
    fn after_four_weeks_a_busy_weekday_is_compared_with_the_same_weekday() {
        // $1 an hour on Thursdays, one cent otherwise: today is a Thursday.
        let thursdays = |number: i64| if (number / 24) % 7 == 0 { USD } else { USD / 100 };
        let now = MIDNIGHT + 20;
        assert_eq!(anomaly(Measure::Spend, &hours(MIDNIGHT - 24 * 28, now, thursdays)), None);
        let twice = |number: i64| thursdays(number) * if number < MIDNIGHT { 1 } else { 3 };
        let found = anomaly(Measure::Spend, &hours(MIDNIGHT - 24 * 28, now, twice)).unwrap();
        assert_eq!((found.usual, found.compared_with), (21 * USD, Usual::SameWeekday));
        // With less history the same Thursday is an anomaly beside its quiet neighbours.
        assert!(anomaly(Measure::Spend, &hours(MIDNIGHT - 24 * 6, now, thursdays)).is_some());
    }

    proptest! {
        #[test]
        fn what_is_told_is_above_twice_the_usual_by_a_dollar(
            amounts in proptest::collection::vec(0..5 * USD, 0..750), offset in 0..24_i64,
        ) {
            let now = MIDNIGHT + offset;
            let first = now - i64::try_from(amounts.len()).unwrap();
            let sums = amounts.iter().zip(first..).map(|(amount, number)| (hour(number), *amount));
            if let Some(found) = anomaly(Measure::Spend, &Hours::new(sums, hour(now))) {
                prop_assert!(found.today > 2 * found.usual && found.today - found.usual >= USD);
            }
        }

        #[test]
        fn a_day_like_every_day_is_none(amount in 0..i64::MAX / 1_000, days in 0..29_i64, offset in 0..24_i64) {
            for measure in Measure::ALL {
                let now = MIDNIGHT + offset;
                prop_assert_eq!(anomaly(measure, &hours(MIDNIGHT - 24 * days, now, |_| amount)), None);
            }
        }
    }
}
