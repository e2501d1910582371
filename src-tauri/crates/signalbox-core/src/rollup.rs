//! Rollups: sums per minute, hour and day, so that no chart reads the ledger.

use crate::ids::OperationId;
use crate::ledger::{Outcome, Settlement};
use crate::meter::CostStatus;
use crate::time::{MICROS_PER_SECOND, Timestamp};

/// The width of a bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Step {
    /// 60 seconds.
    Minute,
    /// 60 minutes.
    Hour,
    /// A UTC day.
    Day,
}

impl Step {
    /// Every width.
    pub const ALL: [Self; 3] = [Self::Minute, Self::Hour, Self::Day];

    /// The word in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Day => "day",
        }
    }

    /// Its width in microseconds.
    pub const fn micros(self) -> i64 {
        let seconds = match self {
            Self::Minute => 60,
            Self::Hour => 3_600,
            Self::Day => 86_400,
        };
        seconds * MICROS_PER_SECOND
    }
}

/// Which bucket a settled request belongs to. The time is that of the request's start.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RollupKey {
    /// How wide.
    pub step: Step,
    /// First instant of the bucket.
    pub start: Timestamp,
    /// What kind of work.
    pub operation: String,
    /// Whose account; empty when no target was reached.
    pub provider: String,
    /// Which model; empty when no target was reached.
    pub model: String,
    /// For whom; empty when the client did not say.
    pub user: String,
    /// How it ended.
    pub outcome: &'static str,
    /// Whether the simulator answered.
    pub simulated: bool,
}

/// What is summed per bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sums {
    /// Requests.
    pub requests: i64,
    /// Nano-dollars of all that is priced.
    pub cost_nano_usd: i64,
    /// Requests without a known cost.
    pub unpriced: i64,
    /// Requests with estimated usage.
    pub estimated: i64,
    /// Tokens read.
    pub tokens_in: i64,
    /// Tokens written.
    pub tokens_out: i64,
}

impl Sums {
    /// Adds `other`, held at the end of the range.
    pub const fn add(&mut self, other: &Self) {
        self.requests = self.requests.saturating_add(other.requests);
        self.cost_nano_usd = self.cost_nano_usd.saturating_add(other.cost_nano_usd);
        self.unpriced = self.unpriced.saturating_add(other.unpriced);
        self.estimated = self.estimated.saturating_add(other.estimated);
        self.tokens_in = self.tokens_in.saturating_add(other.tokens_in);
        self.tokens_out = self.tokens_out.saturating_add(other.tokens_out);
    }
}

/// What one settled request adds: to which buckets, which sums.
pub fn contribution(
    started_at: Timestamp,
    operation: &OperationId,
    user: Option<&str>,
    settlement: &Settlement,
) -> ([RollupKey; 3], Sums) {
    let (status, cost) = settlement.cost();
    let usage = settlement.usage();
    let counted = |quantity: u64| i64::try_from(quantity).unwrap_or(i64::MAX);
    let sums = Sums {
        requests: 1,
        cost_nano_usd: cost.map_or(0, crate::money::NanoUsd::as_nanos),
        unpriced: i64::from(status == CostStatus::Unpriced),
        estimated: i64::from(status == CostStatus::Estimated),
        tokens_in: counted(usage.tokens_in()),
        tokens_out: counted(usage.tokens_out()),
    };
    let target = settlement.target();
    let keys = Step::ALL.map(|step| RollupKey {
        step,
        start: started_at.floor_to(step.micros()),
        operation: operation.to_string(),
        provider: target.map(|target| target.provider.to_string()).unwrap_or_default(),
        model: target.map(|target| target.model.to_string()).unwrap_or_default(),
        user: user.unwrap_or_default().to_owned(),
        outcome: Outcome::as_str(settlement.outcome),
        simulated: settlement.simulated,
    });
    (keys, sums)
}

/// Sub-steps per power of two: a bucket is at most 1/16 wide, so a quantile is within about 3 %.
const SUB_STEPS_LOG2: u32 = 4;

/// The histogram bucket of a duration. Units: microseconds in; an index that grows with the duration out.
///
/// Log-linear as in HDR histograms, in integers only, so both databases can add buckets up.
pub fn latency_bucket(micros: i64) -> i32 {
    let value = u64::try_from(micros).unwrap_or(0);
    let exponent = (u64::BITS - value.leading_zeros()).saturating_sub(SUB_STEPS_LOG2 + 1);
    let mantissa = value >> exponent;
    i32::try_from((u64::from(exponent) << SUB_STEPS_LOG2) + mantissa).unwrap_or(i32::MAX)
}

/// The middle of a histogram bucket, in microseconds.
pub fn bucket_middle(bucket: i32) -> i64 {
    let index = u64::try_from(bucket).unwrap_or(0);
    let first_split = 1_u64 << (SUB_STEPS_LOG2 + 1);
    if index < first_split {
        return i64::try_from(index).unwrap_or(0);
    }
    let exponent = (index >> SUB_STEPS_LOG2) - 1;
    let mantissa = index - (exponent << SUB_STEPS_LOG2);
    let low = u128::from(mantissa) << exponent;
    let width = 1_u128 << exponent;
    i64::try_from(low + width / 2).unwrap_or(i64::MAX)
}

/// The `quantile` (0..=1) of a histogram of `(bucket, count)`, in microseconds; `None` without data.
pub fn quantile_of(histogram: &mut [(i32, i64)], quantile: f64) -> Option<i64> {
    histogram.sort_unstable_by_key(|(bucket, _)| *bucket);
    let total: i64 = histogram.iter().map(|(_, count)| *count).sum();
    if total <= 0 {
        return None;
    }
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "a rank among counts")]
    let rank = ((total as f64 * quantile).ceil() as i64).clamp(1, total);
    let mut seen = 0;
    histogram.iter().find_map(|(bucket, count)| {
        seen += count;
        (seen >= rank).then(|| bucket_middle(*bucket))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_bucket_stands_for_its_durations_within_three_and_a_bit_percent(micros in 0..4_000_000_000_000_i64) {
            let middle = bucket_middle(latency_bucket(micros));
            prop_assert!((middle - micros).abs() * 32 <= micros.max(32), "{micros} → {middle}");
        }

        #[test]
        fn a_longer_duration_never_falls_into_a_lower_bucket(left in 0..i64::MAX, right in 0..i64::MAX) {
            let (short, long) = (left.min(right), left.max(right));
            prop_assert!(latency_bucket(short) <= latency_bucket(long));
        }
    }

    #[test]
    fn quantiles_are_ranks() {
        let mut histogram: Vec<(i32, i64)> =
            (1..=20).rev().map(|micros| (latency_bucket(micros), 1)).collect();
        assert_eq!(quantile_of(&mut histogram, 0.5), Some(10));
        assert_eq!(quantile_of(&mut histogram, 0.95), Some(19));
        assert_eq!(quantile_of(&mut histogram, 1.0), Some(20));
        assert_eq!(quantile_of(&mut [], 0.5), None);
    }
}
