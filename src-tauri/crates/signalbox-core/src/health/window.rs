//! A sliding hour of calls: counts per minute, durations per five minutes.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::failure::FailureKind;
use crate::rollup::{latency_bucket, quantile_of};
use crate::time::{MICROS_PER_SECOND, Timestamp};

/// Minutes that are kept.
pub const STRIP_MINUTES: usize = 60;

/// The same as a number of minutes.
pub(super) const STRIP: u32 = 60;

/// Longest duration told apart; it bounds a histogram to 464 buckets.
pub const DURATION_MAX_US: i64 = 3_600 * MICROS_PER_SECOND;

const MINUTE_US: i64 = 60 * MICROS_PER_SECOND;
const MINUTES_PER_PERIOD: u32 = 5;

/// Minutes ahead of now that are believed; what lies further ahead was noted before the clock was set back.
const AHEAD_MAX: i64 = 1;

/// How the calls of some time went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Counts {
    /// Answered.
    #[serde(default, rename = "s", skip_serializing_if = "is_zero")]
    pub succeeded: u32,
    /// Failed at the provider or on the way.
    #[serde(default, rename = "f", skip_serializing_if = "is_zero")]
    pub failed: u32,
    /// Refused by the provider's rate limit.
    #[serde(default, rename = "l", skip_serializing_if = "is_zero")]
    pub rate_limited: u32,
    /// Refused for a fault of the client's own request.
    #[serde(default, rename = "r", skip_serializing_if = "is_zero")]
    pub refused: u32,
    /// Ended by the client.
    #[serde(default, rename = "c", skip_serializing_if = "is_zero")]
    pub cancelled: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
const fn is_zero(count: &u32) -> bool {
    *count == 0
}

impl Counts {
    /// Calls that say something about the target: neither the client's faults nor those it ended.
    pub fn judged(&self) -> u64 {
        u64::from(self.succeeded) + u64::from(self.failed) + u64::from(self.rate_limited)
    }

    /// All calls.
    pub fn calls(&self) -> u64 {
        self.judged() + u64::from(self.refused) + u64::from(self.cancelled)
    }

    /// Share of the judged calls that were answered, in basis points, rounded down; `None` when there were none.
    pub fn success_bp(&self) -> Option<u32> {
        let share = (u64::from(self.succeeded) * 10_000).checked_div(self.judged())?;
        u32::try_from(share).ok()
    }

    /// Adds `other`, held at the end of the range.
    pub const fn add(&mut self, other: &Self) {
        self.succeeded = self.succeeded.saturating_add(other.succeeded);
        self.failed = self.failed.saturating_add(other.failed);
        self.rate_limited = self.rate_limited.saturating_add(other.rate_limited);
        self.refused = self.refused.saturating_add(other.refused);
        self.cancelled = self.cancelled.saturating_add(other.cancelled);
    }
}

/// One minute of a strip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MinuteCounts {
    /// Its first instant.
    pub start: Timestamp,
    /// How its calls went.
    pub counts: Counts,
}

/// How long the answered calls of some time took. Units: microseconds; quantiles are within about 3 %.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Durations {
    /// How many there were.
    pub calls: u64,
    /// Exact mean, rounded down.
    pub mean_us: i64,
    /// Half took at most this.
    pub p50_us: i64,
    /// 95 of 100 took at most this.
    pub p95_us: i64,
    /// 99 of 100 took at most this.
    pub p99_us: i64,
}

/// Counts per bucket of [`latency_bucket`], with their sum.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
struct Histogram {
    /// Sorted by bucket.
    buckets: Vec<(i32, u32)>,
    sum_us: i64,
}

impl Histogram {
    fn add(&mut self, duration_us: i64) {
        let duration_us = duration_us.clamp(0, DURATION_MAX_US);
        let bucket = latency_bucket(duration_us);
        self.sum_us = self.sum_us.saturating_add(duration_us);
        match self.buckets.binary_search_by_key(&bucket, |(bucket, _)| *bucket) {
            Ok(index) => {
                if let Some((_, count)) = self.buckets.get_mut(index) {
                    *count = count.saturating_add(1);
                }
            }
            Err(index) => self.buckets.insert(index, (bucket, 1)),
        }
    }

    fn is_empty(&self) -> bool {
        self.buckets.is_empty()
    }
}

/// Puts histograms together.
fn durations<'a>(histograms: impl Iterator<Item = &'a Histogram>) -> Option<Durations> {
    let mut merged: Vec<(i32, i64)> = Vec::new();
    let mut sum_us = 0_i64;
    for histogram in histograms {
        sum_us = sum_us.saturating_add(histogram.sum_us);
        merged.extend(histogram.buckets.iter().map(|(bucket, count)| (*bucket, i64::from(*count))));
    }
    let calls: i64 = merged.iter().map(|(_, count)| *count).sum();
    Some(Durations {
        calls: u64::try_from(calls).ok()?,
        mean_us: sum_us.checked_div(calls)?,
        p50_us: quantile_of(&mut merged, 0.5)?,
        p95_us: quantile_of(&mut merged, 0.95)?,
        p99_us: quantile_of(&mut merged, 0.99)?,
    })
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Minute {
    number: i64,
    counts: Counts,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Period {
    number: i64,
    #[serde(default, skip_serializing_if = "Histogram::is_empty")]
    latency: Histogram,
    #[serde(default, skip_serializing_if = "Histogram::is_empty")]
    first_token: Histogram,
}

/// The last hour. Only minutes and periods with calls are kept, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Window {
    #[serde(default)]
    minutes: VecDeque<Minute>,
    #[serde(default)]
    periods: VecDeque<Period>,
}

const fn minute_of(at: Timestamp) -> i64 {
    at.as_micros().div_euclid(MINUTE_US)
}

const fn period_of(at: Timestamp) -> i64 {
    at.as_micros().div_euclid(MINUTE_US * MINUTES_PER_PERIOD as i64)
}

impl Window {
    pub(super) fn answered(&mut self, latency_us: i64, first_token_us: Option<i64>, now: Timestamp) {
        self.minute(now).succeeded += 1;
        let period = self.period(now);
        period.latency.add(latency_us);
        if let Some(first_token_us) = first_token_us {
            period.first_token.add(first_token_us);
        }
    }

    pub(super) fn failed(&mut self, kind: FailureKind, now: Timestamp) {
        let counts = self.minute(now);
        if kind == FailureKind::RateLimit {
            counts.rate_limited += 1;
        } else if kind.speaks_against_target() {
            counts.failed += 1;
        } else {
            counts.refused += 1;
        }
    }

    pub(super) fn cancelled(&mut self, now: Timestamp) {
        self.minute(now).cancelled += 1;
    }

    /// Sums of the current minute and those before it, `minutes` together.
    pub(super) fn counts(&self, minutes: u32, now: Timestamp) -> Counts {
        self.counts_from(minute_of(now) - i64::from(minutes) + 1, now)
    }

    /// The same, without minutes that began before `since`.
    pub(super) fn counts_since(&self, minutes: u32, since: Timestamp, now: Timestamp) -> Counts {
        let whole = minute_of(since.plus_micros(MINUTE_US - 1));
        self.counts_from(whole.max(minute_of(now) - i64::from(minutes) + 1), now)
    }

    fn counts_from(&self, first: i64, now: Timestamp) -> Counts {
        let last = minute_of(now) + AHEAD_MAX;
        let mut sum = Counts::default();
        for minute in self.minutes.iter().filter(|minute| (first..=last).contains(&minute.number)) {
            sum.add(&minute.counts);
        }
        sum
    }

    pub(super) fn strip(&self, now: Timestamp) -> Vec<MinuteCounts> {
        let last = minute_of(now);
        let kept = i64::from(STRIP);
        (last - kept + 1..=last)
            .map(|number| {
                let found = self.minutes.iter().find(|minute| minute.number == number);
                MinuteCounts {
                    start: Timestamp::from_micros(number.saturating_mul(MINUTE_US)),
                    counts: found.map(|minute| minute.counts).unwrap_or_default(),
                }
            })
            .collect()
    }

    /// Durations of at least the last `minutes`, as whole periods.
    pub(super) fn latency(&self, minutes: u32, now: Timestamp) -> Option<Durations> {
        durations(self.periods_of(minutes, now).map(|period| &period.latency))
    }

    /// The same, until the first token.
    pub(super) fn first_token(&self, minutes: u32, now: Timestamp) -> Option<Durations> {
        durations(self.periods_of(minutes, now).map(|period| &period.first_token))
    }

    fn periods_of(&self, minutes: u32, now: Timestamp) -> impl Iterator<Item = &Period> {
        let last = period_of(now) + AHEAD_MAX;
        let first = period_of(now) - i64::from(minutes.div_ceil(MINUTES_PER_PERIOD));
        self.periods.iter().filter(move |period| (first..=last).contains(&period.number))
    }

    /// Durations of several targets together.
    pub(super) fn latency_of_all<'a>(
        windows: impl Iterator<Item = &'a Self>,
        minutes: u32,
        now: Timestamp,
    ) -> Option<Durations> {
        durations(windows.flat_map(|window| window.periods_of(minutes, now)).map(|period| &period.latency))
    }

    /// The same, until the first token.
    pub(super) fn first_token_of_all<'a>(
        windows: impl Iterator<Item = &'a Self>,
        minutes: u32,
        now: Timestamp,
    ) -> Option<Durations> {
        durations(
            windows.flat_map(|window| window.periods_of(minutes, now)).map(|period| &period.first_token),
        )
    }

    fn minute(&mut self, now: Timestamp) -> &mut Counts {
        let number = minute_of(now);
        let kept = number - i64::from(STRIP) + 1..=number + AHEAD_MAX;
        self.minutes.retain(|minute| kept.contains(&minute.number));
        let index = self.minutes.partition_point(|minute| minute.number < number);
        if self.minutes.get(index).is_none_or(|minute| minute.number != number) {
            self.minutes.insert(index, Minute { number, counts: Counts::default() });
        }
        &mut self.minutes[index].counts
    }

    fn period(&mut self, now: Timestamp) -> &mut Period {
        let number = period_of(now);
        let kept = number - i64::from(STRIP / MINUTES_PER_PERIOD)..=number + AHEAD_MAX;
        self.periods.retain(|period| kept.contains(&period.number));
        let index = self.periods.partition_point(|period| period.number < number);
        if self.periods.get(index).is_none_or(|period| period.number != number) {
            self.periods.insert(
                index,
                Period { number, latency: Histogram::default(), first_token: Histogram::default() },
            );
        }
        &mut self.periods[index]
    }
}
