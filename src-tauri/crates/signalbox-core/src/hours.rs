//! Sums per hour without gaps: what forecasts and comparisons with the usual are made from.

use crate::rollup::Step;
use crate::time::Timestamp;

/// Hours in a day.
pub const DAY_HOURS: usize = 24;
/// Hours in a week.
pub const WEEK_HOURS: usize = 7 * DAY_HOURS;
/// Hours of history that are looked at: four weeks and the day that runs.
pub const HISTORY_HOURS: usize = 4 * WEEK_HOURS + DAY_HOURS;

const HOUR_US: i64 = Step::Hour.micros();

/// Amounts per UTC hour, from the first hour that has one to the hour that runs. Units: whatever is summed, e.g.
/// nano-dollars or requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hours {
    /// Start of the hour that runs.
    running: Timestamp,
    /// Hours that are over, oldest first, without gaps.
    complete: Vec<i64>,
    /// What the running hour has so far.
    so_far: i64,
}

impl Hours {
    /// From sums in any order; hours without one have 0. What lies before [`HISTORY_HOURS`] or after `now` is left out, and
    /// so is the time before the first amount: nothing was there yet to be measured.
    pub fn new(sums: impl IntoIterator<Item = (Timestamp, i64)>, now: Timestamp) -> Self {
        let running = now.floor_to(HOUR_US);
        let mut ago = vec![0_i64; HISTORY_HOURS];
        let (mut so_far, mut length) = (0_i64, 0);
        for (start, amount) in sums {
            let hours_ago = running.micros_since(start.floor_to(HOUR_US)) / HOUR_US;
            match usize::try_from(hours_ago) {
                Ok(0) => so_far = so_far.saturating_add(amount),
                Ok(hours) => {
                    if let Some(sum) = ago.get_mut(hours - 1) {
                        *sum = sum.saturating_add(amount);
                        length = length.max(hours);
                    }
                }
                Err(_) => {}
            }
        }
        ago.truncate(length);
        ago.reverse();
        Self { running, complete: ago, so_far }
    }

    /// Hours that are over, oldest first.
    pub fn complete(&self) -> &[i64] {
        &self.complete
    }

    /// What the running hour has so far.
    pub const fn so_far(&self) -> i64 {
        self.so_far
    }

    /// Start of the hour that runs.
    pub const fn running(&self) -> Timestamp {
        self.running
    }

    /// Start of the hour at an index of [`Self::complete`].
    pub fn start_of(&self, index: usize) -> Timestamp {
        let ago = i64::try_from(self.complete.len().saturating_sub(index)).unwrap_or(i64::MAX);
        self.running.plus_micros(ago.saturating_mul(-HOUR_US))
    }

    /// Hours since the UTC midnight before the running hour.
    pub fn of_today(&self) -> usize {
        hour_of_week(self.running) % DAY_HOURS
    }
}

/// Which hour of the week an instant is in, UTC, from Thursday 00:00, the weekday of the epoch.
pub fn hour_of_week(at: Timestamp) -> usize {
    let week = i64::try_from(WEEK_HOURS).unwrap_or(i64::MAX);
    usize::try_from((at.as_micros().div_euclid(HOUR_US)).rem_euclid(week)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn hour(number: i64) -> Timestamp {
        Timestamp::from_micros(number * HOUR_US)
    }

    #[test]
    fn gaps_are_zero_and_the_time_before_the_first_amount_is_no_history() {
        let hours = Hours::new([(hour(10), 7), (hour(13), 2), (hour(8), 5), (hour(13), 3)], hour(13));
        assert_eq!(hours.complete(), [5, 0, 7, 0, 0]);
        assert_eq!((hours.so_far(), hours.start_of(0), hours.start_of(5)), (5, hour(8), hour(13)));
        assert!(Hours::new([], hour(13)).complete().is_empty());
    }

    proptest! {
        #[test]
        fn no_amount_of_the_last_four_weeks_is_lost_and_none_of_later_is_taken(
            sums in proptest::collection::vec((-900..900_i64, 0..1_000_i64), 0..50), now in 0..2_000_i64,
        ) {
            let sums: Vec<_> = sums.into_iter().map(|(ago, amount)| (hour(now - ago), amount)).collect();
            let hours = Hours::new(sums.clone(), hour(now).plus_micros(1));
            let oldest = now - i64::try_from(HISTORY_HOURS).unwrap();
            let expected: i64 = sums.iter().filter(|(at, _)| *at >= hour(oldest) && *at <= hour(now)).map(|(_, amount)| amount).sum();
            prop_assert_eq!(hours.complete().iter().sum::<i64>() + hours.so_far(), expected);
        }
    }
}
