//! What will have been spent when a period ends, with an interval, from sums per hour. Whole numbers only, as everywhere
//! with money.

use crate::hours::{DAY_HOURS, Hours, WEEK_HOURS, hour_of_week};
use crate::money::NanoUsd;
use crate::rollup::Step;
use crate::time::Timestamp;

/// With fewer hours of history nothing is foretold.
const HOURS_MIN: usize = 3;
/// From this much history on the time of day is known.
const DAILY_FROM: usize = 3 * DAY_HOURS;
/// From this much history on the hour of the week is known.
const WEEKLY_FROM: usize = 4 * WEEK_HOURS;
/// With fewer whole periods nothing is foretold from them.
pub const PERIODS_MIN: usize = 3;
/// Furthest end of a period. A year and a day; budgets have no longer period that ends.
const AHEAD_HOURS_MAX: i64 = 367 * 24;
/// How far the last day may move the forecast from what was usual. Units: thousandths.
const LEVEL_MILLI: std::ops::RangeInclusive<i128> = 250..=4_000;

const HOUR_US: i128 = Step::Hour.micros() as i128;

/// What is expected, and between which amounts it will be in four of five cases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Forecast {
    /// Spent at the end of the period, most likely.
    pub expected: NanoUsd,
    /// Less in one of ten cases. Never below what is spent already.
    pub low: NanoUsd,
    /// More in one of ten cases.
    pub high: NanoUsd,
    /// What it is made from.
    pub basis: Basis,
}

/// How much the history tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Basis {
    /// Hours only: the mean of all so far. The interval is wide.
    Pace,
    /// Days: each hour is expected to be like the same hour of the days before.
    Daily,
    /// Four weeks: each hour is expected to be like the same hour of the weeks before.
    Weekly,
    /// Whole periods: the rest is expected to be like the same share of the periods before.
    Periods,
}

impl Basis {
    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pace => "pace",
            Self::Daily => "daily",
            Self::Weekly => "weekly",
            Self::Periods => "periods",
        }
    }
}

/// How hours are told apart and compared.
#[derive(Clone, Copy)]
struct Pattern {
    basis: Basis,
    /// Kinds of hours that are told apart.
    slots: usize,
    /// Hours whose sums are compared with what was expected of them: within a day hours follow each other.
    block_hours: usize,
    /// Means that were taken of the blocks, and so are no longer free to differ.
    means: usize,
}

impl Pattern {
    const fn of(hours: usize) -> Self {
        match hours {
            WEEKLY_FROM.. => {
                Self { basis: Basis::Weekly, slots: WEEK_HOURS, block_hours: DAY_HOURS, means: 7 }
            }
            DAILY_FROM.. => Self { basis: Basis::Daily, slots: DAY_HOURS, block_hours: DAY_HOURS, means: 1 },
            _ => Self { basis: Basis::Pace, slots: 1, block_hours: 1, means: 1 },
        }
    }
}

/// What will be spent at `until`, when `spent` is spent at `now`; `None` while there is too little history to say.
pub fn forecast(history: &Hours, spent: NanoUsd, now: Timestamp, until: Timestamp) -> Option<Forecast> {
    let hours = history.complete();
    if hours.len() < HOURS_MIN {
        return None;
    }
    let pattern = Pattern::of(hours.len());
    let usual = Usual::new(history, pattern);
    let until = until.min(now.plus_micros(AHEAD_HOURS_MAX * Step::Hour.micros()));
    let level_milli = usual.level_milli(history);
    let ahead_us = i128::from(until.micros_since(now)).max(0);
    let rest = usual.between(now, until).saturating_mul(level_milli) / 1_000;
    let half = usual.half_interval(history, ahead_us).saturating_mul(level_milli) / 1_000;
    // A last day unlike the others may be a change or chance: the interval covers both.
    let unsure = rest.saturating_mul((level_milli - 1_000).abs()) / level_milli / 2;
    let half = half.saturating_add(unsure);
    let spent_nanos = i128::from(spent.as_nanos());
    let expected = spent_nanos.saturating_add(rest);
    Some(Forecast {
        expected: nano_usd(expected),
        low: nano_usd(expected.saturating_sub(half).max(spent_nanos)),
        high: nano_usd(expected.saturating_add(half)),
        basis: pattern.basis,
    })
}

/// What will be spent at the end of the period `[start, end)`, when `spent` is spent at `now`, told from what whole periods
/// before came to: what is left of this one is expected to be like the same share of those. `None` while there are fewer than
/// [`PERIODS_MIN`].
pub fn from_periods(
    earlier: &[NanoUsd],
    spent: NanoUsd,
    now: Timestamp,
    (start, end): (Timestamp, Timestamp),
) -> Option<Forecast> {
    let length_us = i128::from(end.micros_since(start)).max(1);
    let ahead_us = i128::from(end.micros_since(now)).clamp(0, length_us);
    let count = i128::try_from(earlier.len()).ok()?;
    if earlier.len() < PERIODS_MIN {
        return None;
    }
    let amount = |amount: &NanoUsd| i128::from(amount.as_nanos()).max(0);
    let mean = earlier.iter().map(amount).sum::<i128>() / count;
    let blocks: Vec<(i128, i128)> = earlier.iter().map(|period| (amount(period), mean)).collect();
    let half = half_interval(&blocks, earlier.len() - 1, ahead_us, length_us);
    let spent_nanos = i128::from(spent.as_nanos());
    let expected = spent_nanos.saturating_add(mean.saturating_mul(ahead_us) / length_us);
    Some(Forecast {
        expected: nano_usd(expected),
        low: nano_usd(expected.saturating_sub(half).max(spent_nanos)),
        high: nano_usd(expected.saturating_add(half)),
        basis: Basis::Periods,
    })
}

/// Half the width of the interval of what comes in the next `ahead_us`, when blocks of `block_us` came to so much instead of
/// so much: blocks differ from their mean, and the mean is not known exactly either. `free`: blocks that are free to differ.
fn half_interval(blocks: &[(i128, i128)], free: usize, ahead_us: i128, block_us: i128) -> i128 {
    if free == 0 {
        return 0;
    }
    let count = u128::try_from(blocks.len()).unwrap_or(u128::MAX);
    let squares = blocks.iter().fold(0_u128, |sum, (real, usual)| {
        let off = real.abs_diff(*usual);
        sum.saturating_add(off.saturating_mul(off))
    });
    let deviation = (squares / u128::try_from(free).unwrap_or(1)).isqrt();
    let ahead_milli = (ahead_us.unsigned_abs() * 1_000) / block_us.unsigned_abs().max(1);
    let root_milli = (ahead_milli * 1_000 + ahead_milli * ahead_milli / count.max(1)).isqrt();
    let half = deviation.saturating_mul(root_milli) / 1_000;
    let half = half.saturating_mul(quantile_milli(free)) / 1_000;
    i128::try_from(half).unwrap_or(i128::MAX)
}

/// The mean of each kind of hour.
struct Usual {
    pattern: Pattern,
    /// Per slot: the sum, and of how many hours.
    slots: Vec<(i128, i128)>,
}

impl Usual {
    fn new(history: &Hours, pattern: Pattern) -> Self {
        let mut slots = vec![(0_i128, 0_i128); pattern.slots];
        for (index, amount) in history.complete().iter().enumerate() {
            let slot = hour_of_week(history.start_of(index)) % pattern.slots;
            if let Some((sum, count)) = slots.get_mut(slot) {
                *sum += i128::from(*amount).max(0);
                *count += 1;
            }
        }
        Self { pattern, slots }
    }

    /// What `part_us` of the hour that `at` is in usually has.
    fn of_hour(&self, at: Timestamp, part_us: i128) -> i128 {
        let (sum, count) = self.slots.get(hour_of_week(at) % self.pattern.slots).copied().unwrap_or_default();
        if count == 0 { 0 } else { sum.saturating_mul(part_us) / (count * HOUR_US) }
    }

    fn between(&self, from: Timestamp, to: Timestamp) -> i128 {
        let mut sum = 0_i128;
        let mut at = from;
        while at < to {
            let next = at.floor_to(Step::Hour.micros()).plus_micros(Step::Hour.micros()).min(to);
            sum = sum.saturating_add(self.of_hour(at, i128::from(next.micros_since(at))));
            at = next;
        }
        sum
    }

    /// Sums of the latest blocks that are over, each with what was usual for it; newest first.
    fn blocks(&self, history: &Hours) -> Vec<(i128, i128)> {
        let (hours, width) = (history.complete(), self.pattern.block_hours);
        let start_of_chunk = |chunk: usize| hours.len() - (chunk + 1) * width;
        hours
            .rchunks_exact(width)
            .enumerate()
            .map(|(chunk, block)| {
                let real = block.iter().map(|amount| i128::from(*amount).max(0)).sum();
                let from = history.start_of(start_of_chunk(chunk));
                let to = from.plus_micros(i64::try_from(width).unwrap_or(0) * Step::Hour.micros());
                (real, self.between(from, to))
            })
            .collect()
    }

    /// How the last day was beside the usual, half believed. Units: thousandths.
    fn level_milli(&self, history: &Hours) -> i128 {
        if self.pattern.basis == Basis::Pace {
            return 1_000;
        }
        let (real, usual) = self.blocks(history).first().copied().unwrap_or_default();
        if usual == 0 {
            return 1_000;
        }
        let level = real.saturating_add(usual).saturating_mul(1_000) / usual.saturating_mul(2);
        level.clamp(*LEVEL_MILLI.start(), *LEVEL_MILLI.end())
    }

    /// As [`half_interval`], from the latest blocks.
    fn half_interval(&self, history: &Hours, ahead_us: i128) -> i128 {
        let blocks = self.blocks(history);
        let free = blocks.len().saturating_sub(self.pattern.means);
        let block_us = i128::try_from(self.pattern.block_hours).unwrap_or(1) * HOUR_US;
        let half = half_interval(&blocks, free, ahead_us, block_us);
        // Hours are more alike their neighbours than chance would have it.
        if self.pattern.basis == Basis::Pace { half.saturating_mul(2) } else { half }
    }
}

/// Student's t at 90 % for so many degrees of freedom: one in ten is above. Units: thousandths.
const fn quantile_milli(free: usize) -> u128 {
    match free {
        0 | 1 => 3_078,
        2 => 1_886,
        3 => 1_638,
        4 => 1_533,
        5 => 1_476,
        6 => 1_440,
        7..=9 => 1_415,
        10..=14 => 1_372,
        15..=29 => 1_341,
        _ => 1_310,
    }
}

/// Held at the ends of the range.
fn nano_usd(nanos: i128) -> NanoUsd {
    let end = if nanos < 0 { i64::MIN } else { i64::MAX };
    NanoUsd::from_nanos(i64::try_from(nanos).unwrap_or(end))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HOUR: i64 = Step::Hour.micros();
    const USD: i64 = 1_000_000_000;

    fn hour(number: i64) -> Timestamp {
        Timestamp::from_micros(number * HOUR)
    }

    /// History of `hours` hours before hour `now`, each as `amount` says.
    fn history(now: i64, hours: i64, amount: impl Fn(i64) -> i64) -> Hours {
        Hours::new((now - hours..now).map(|number| (hour(number), amount(number))), hour(now))
    }

    fn usd(dollars: i64) -> NanoUsd {
        NanoUsd::from_nanos(dollars * USD)
    }

    #[test]
    fn too_little_history_foretells_nothing() {
        for hours in 0..3 {
            assert_eq!(forecast(&history(1_000, hours, |_| USD), usd(1), hour(1_000), hour(1_010)), None);
        }
    }

    #[test]
    fn an_even_pace_goes_on_evenly_and_surely() {
        for (hours, basis) in [(10, Basis::Pace), (100, Basis::Daily), (696, Basis::Weekly)] {
            let found = forecast(&history(1_000, hours, |_| USD), usd(12), hour(1_000), hour(1_012)).unwrap();
            assert_eq!(found, Forecast { expected: usd(24), low: usd(24), high: usd(24), basis });
        }
    }

    #[test]
    fn a_quiet_night_is_expected_to_be_quiet_again() {
        // $1 in each hour from 8 to 20, for ten days; it is 20:00.
        let day = |number: i64| if (8..20).contains(&(number % 24)) { USD } else { 0 };
        let now = 24 * 100 + 20;
        let evening = forecast(&history(now, 240, day), usd(12), hour(now), hour(24 * 101)).unwrap();
        assert_eq!(evening.expected, usd(12));
        let noon = forecast(&history(now - 8, 240, day), usd(4), hour(now - 8), hour(24 * 101)).unwrap();
        assert_eq!(noon.expected, usd(12));
    }

    #[test]
    fn after_four_weeks_a_weekend_is_expected_to_be_a_weekend() {
        // The epoch was a Thursday, so days 2 and 3 of each seven are Saturday and Sunday.
        let workdays = |number: i64| if matches!((number / 24) % 7, 2 | 3) { 0 } else { USD };
        let friday_night = (7 * 20 + 2) * 24;
        let found = forecast(
            &history(friday_night, 696, workdays),
            usd(24),
            hour(friday_night),
            hour(friday_night + 48),
        );
        assert_eq!((found.unwrap().expected, found.unwrap().basis), (usd(24), Basis::Weekly));
    }

    #[test]
    fn a_last_day_of_twice_the_spend_raises_the_forecast_and_widens_it() {
        let now = 24 * 100;
        let doubled = |number: i64| if number >= now - 24 { 2 * USD } else { USD };
        let found = forecast(&history(now, 240, doubled), usd(0), hour(now), hour(now + 24)).unwrap();
        assert!(found.expected > usd(26) && found.high > usd(48) && found.low < usd(30), "{found:?}");
    }

    #[test]
    fn a_period_is_expected_to_end_like_the_ones_before_it() {
        let of = |earlier: &[i64], spent, now| {
            let earlier: Vec<NanoUsd> = earlier.iter().copied().map(usd).collect();
            from_periods(&earlier, usd(spent), hour(now), (hour(240), hour(264)))
        };
        assert_eq!(of(&[10, 10], 3, 252), None, "two say nothing");
        let even = Forecast { expected: usd(8), low: usd(8), high: usd(8), basis: Basis::Periods };
        assert_eq!(of(&[10, 10, 10], 3, 252), Some(even), "half the period is left");
        let uneven = of(&[0, 10, 20], 3, 252).unwrap();
        assert_eq!(uneven.expected, usd(8));
        assert!(usd(3) <= uneven.low && uneven.low < usd(8) && uneven.high > usd(16), "{uneven:?}");
        let over = of(&[0, 10, 20], 3, 264).unwrap();
        assert_eq!((over.low, over.expected, over.high), (usd(3), usd(3), usd(3)));
    }

    proptest! {
        #[test]
        fn what_is_spent_stays_spent_and_the_expected_is_within_its_interval(
            amounts in proptest::collection::vec(0..i64::MAX, 0..800),
            spent in any::<i64>(), ahead in 0..20_000_i64, offset in 0..HOUR,
        ) {
            let now = hour(10_000).plus_micros(offset);
            let first = 10_000 - i64::try_from(amounts.len()).unwrap();
            let sums = amounts.iter().zip(first..).map(|(amount, number)| (hour(number), *amount));
            let spent = NanoUsd::from_nanos(spent);
            if let Some(found) = forecast(&Hours::new(sums, now), spent, now, now.plus_micros(ahead * HOUR)) {
                prop_assert!(spent <= found.low && found.low <= found.expected && found.expected <= found.high);
            }
        }

        #[test]
        fn at_the_end_of_the_period_there_is_nothing_left_to_guess(
            amounts in proptest::collection::vec(0..50_000_000_000_i64, 3..800), spent in 0..i64::MAX / 2,
        ) {
            let sums = amounts.iter().zip(0..).map(|(amount, number)| (hour(number), *amount));
            let now = hour(i64::try_from(amounts.len()).unwrap());
            let spent = NanoUsd::from_nanos(spent);
            if let Some(found) = forecast(&Hours::new(sums, now), spent, now, now) {
                prop_assert_eq!((found.low, found.expected, found.high), (spent, spent, spent));
            }
        }

        #[test]
        fn more_time_never_means_less_spend(
            amounts in proptest::collection::vec(0..50_000_000_000_i64, 3..800),
            ahead in 0..1_000_i64, more in 0..1_000_i64,
        ) {
            let sums = amounts.iter().zip(0..).map(|(amount, number)| (hour(number), *amount));
            let now = hour(i64::try_from(amounts.len()).unwrap());
            let hours = Hours::new(sums, now);
            let at = |ahead| forecast(&hours, NanoUsd::ZERO, now, now.plus_micros(ahead * HOUR));
            if let (Some(sooner), Some(later)) = (at(ahead), at(ahead + more)) {
                prop_assert!(sooner.expected <= later.expected && sooner.high <= later.high);
            }
        }
    }
}
