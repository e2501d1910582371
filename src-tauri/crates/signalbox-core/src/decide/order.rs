//! Strategies: in which order the targets that can serve are tried.
//!
//! All arithmetic is in whole numbers: nano-dollars, microseconds, tenths of quality, millionths of a score.
//!
//! - *Priority*: the chain as written.
//! - *Cheapest*: the estimated cost of this very request; a target without a price comes last.
//! - *Fastest*: the usual time to an answer. A target nobody has measured counts as the median of the measured ones and
//!   goes before its equals, so that new targets get tried and slow ones are looked at again once an hour.
//! - *Quality*: the model's quality; where it is not known, last.
//! - *Balanced*: the sum of cost, time and quality, each between 0 (best) and 1 (worst), by the route's weights. Cost is 1
//!   from a cent per thousand tokens on (or thousand characters, or minute of sound), time from a second on. A missing
//!   price or quality counts as the worst, a missing time as the median.
//! - *Weighted*: a draw by weight decides who is first, the others follow by weight. The draw is over all targets that are
//!   set up, well or not: while one is unwell, the share of the others stays theirs, and only its own moves.
//!
//! Equals keep the chain's order. Whatever the strategy, the targets a rule prefers go first, in the rule's order, and
//! those too many of whose calls fail go last.

use serde::{Deserialize, Serialize};

use super::Features;
use crate::meter::Bound;
use crate::money::NanoUsd;
use crate::route::{Balance, Strategy};

/// What a candidate was ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Score {
    /// The estimated cost of the request.
    Cost(NanoUsd),
    /// The usual time to an answer.
    Latency {
        /// In microseconds.
        us: i64,
        /// Whether it stands in for a time nobody has measured.
        #[serde(default, skip_serializing_if = "is_false")]
        assumed: bool,
    },
    /// The model's quality, in tenths.
    Quality(u32),
    /// Cost, time and quality together. Units: millionths, 0 is best.
    Balanced {
        /// The weighted sum.
        total: u64,
        /// Before weighting.
        cost: u64,
        /// Before weighting.
        latency: u64,
        /// Before weighting.
        quality: u64,
    },
    /// Its share.
    Weight {
        /// Of the sum of all weights.
        weight: u32,
        /// Whether the draw fell on it.
        #[serde(default, skip_serializing_if = "is_false")]
        drawn: bool,
    },
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
const fn is_false(flag: &bool) -> bool {
    !*flag
}

impl Score {
    /// In words for a person, e.g. `$0.00021` or `412 ms`.
    pub fn in_words(&self) -> String {
        let thousandths = |millionths: u64| (millionths + 500) / 1_000;
        let part = |millionths: u64| {
            format!("{}.{:03}", thousandths(millionths) / 1_000, thousandths(millionths) % 1_000)
        };
        match *self {
            Self::Cost(amount) => format!("${amount}"),
            Self::Latency { us, assumed: false } => format!("{} ms", us / 1_000),
            Self::Latency { us, assumed: true } => format!("not measured yet, taken for {} ms", us / 1_000),
            Self::Quality(tenths) => format!("quality {}.{} of 10", tenths / 10, tenths % 10),
            Self::Balanced { total, cost, latency, quality } => format!(
                "{} (cost {}, time {}, quality {})",
                part(total),
                part(cost),
                part(latency),
                part(quality)
            ),
            Self::Weight { weight, drawn: false } => format!("weight {weight}"),
            Self::Weight { weight, drawn: true } => format!("weight {weight}, drawn"),
        }
    }
}

/// A target that can serve, and what it is ordered by.
#[derive(Debug, Clone, Copy)]
pub(super) struct Contender {
    /// Its place in the chain.
    pub place: usize,
    /// Its place among the targets the rule prefers.
    pub preferred: Option<usize>,
    /// What the request costs there at most.
    pub estimate: Option<NanoUsd>,
    /// The usual time to an answer, in microseconds.
    pub p50_us: Option<i64>,
    /// The model's quality, in tenths.
    pub quality: Option<u32>,
    /// Its weight in the route.
    pub weight: u32,
    /// Whether too many of its calls fail.
    pub is_degraded: bool,
    /// What it was ordered by.
    pub score: Option<Score>,
    key: (u64, u64),
}

impl Contender {
    pub(super) const fn new(place: usize, weight: u32) -> Self {
        Self {
            place,
            preferred: None,
            estimate: None,
            p50_us: None,
            quality: None,
            weight,
            is_degraded: false,
            score: None,
            key: (0, 0),
        }
    }

    fn stands_at(&mut self, key: (u64, u64), score: Option<Score>) {
        self.key = key;
        self.score = score;
    }
}

/// Puts the contenders into the order in which they are tried.
///
/// `drawn` is the place in the chain on which the draw by weight fell.
pub(super) fn order(
    contenders: &mut [Contender],
    strategy: Strategy,
    balance: Balance,
    drawn: Option<usize>,
    features: &Features<'_>,
) {
    match strategy {
        Strategy::Priority => {}
        Strategy::Cheapest => {
            for contender in &mut *contenders {
                let cost = contender.estimate.map_or(u64::MAX, nanos);
                contender.stands_at((cost, 0), contender.estimate.map(Score::Cost));
            }
        }
        Strategy::Fastest => {
            let median_us = median(contenders);
            for contender in &mut *contenders {
                let assumed = contender.p50_us.is_none();
                let us = contender.p50_us.or(median_us);
                let key = (us.map_or(0, i64::unsigned_abs), u64::from(!assumed));
                contender.stands_at(key, us.map(|us| Score::Latency { us, assumed }));
            }
        }
        Strategy::Quality => {
            for contender in &mut *contenders {
                let missing = contender.quality.map_or(u64::MAX, |tenths| QUALITY_MAX - quality(tenths));
                contender.stands_at((missing, 0), contender.quality.map(Score::Quality));
            }
        }
        Strategy::Balanced => {
            let median_us = median(contenders);
            let units = thousandths_of_a_unit(features.bound);
            for contender in &mut *contenders {
                let (sum, score) = balanced(contender, balance, median_us, units);
                contender.stands_at((sum, 0), Some(score));
            }
        }
        Strategy::Weighted => {
            for contender in &mut *contenders {
                let drawn = drawn == Some(contender.place);
                let weight = contender.weight;
                let key = (u64::from(!drawn), u64::from(u32::MAX - weight));
                contender.stands_at(key, Some(Score::Weight { weight, drawn }));
            }
        }
    }
    contenders.sort_by_key(|contender| {
        (contender.is_degraded, contender.preferred.unwrap_or(usize::MAX), contender.key, contender.place)
    });
}

/// The place on which the draw falls: each place gets its weight's share of all numbers.
pub(super) fn draw(weights: impl Iterator<Item = (usize, u32)> + Clone, lot: u64) -> Option<usize> {
    let sum: u64 = weights.clone().map(|(_, weight)| u64::from(weight)).sum();
    let mut left = lot.checked_rem(sum)?;
    for (place, weight) in weights {
        match left.checked_sub(u64::from(weight)) {
            None => return Some(place),
            Some(rest) => left = rest,
        }
    }
    None
}

/// The best quality there is, in tenths.
const QUALITY_MAX: u64 = 100;

/// One, in millionths.
const ONE: u64 = 1_000_000;

fn quality(tenths: u32) -> u64 {
    u64::from(tenths).min(QUALITY_MAX)
}

fn nanos(amount: NanoUsd) -> u64 {
    u64::try_from(amount.as_nanos()).unwrap_or(0)
}

/// The lower median of the measured times.
fn median(contenders: &[Contender]) -> Option<i64> {
    let mut measured: Vec<i64> = contenders.iter().filter_map(|contender| contender.p50_us).collect();
    measured.sort_unstable();
    let middle = measured.len().checked_sub(1)? / 2;
    measured.get(middle).copied()
}

/// How much work the request is: tokens, characters, or thousandths of minutes of sound.
fn thousandths_of_a_unit(bound: Bound) -> u64 {
    let minutes_milli = bound.audio_milliseconds / 60;
    let tokens =
        bound.tokens_in.saturating_add(bound.tokens_out_max).saturating_add(bound.audio_tokens_out_max);
    let units = tokens.saturating_add(bound.characters).saturating_add(minutes_milli);
    // A request without a size is priced as one of a thousand.
    if units == 0 { 1_000 } else { units }
}

/// The weighted sum, times 100, and its parts.
fn balanced(contender: &Contender, balance: Balance, median_us: Option<i64>, units: u64) -> (u64, Score) {
    // A cent per thousand units is one: nanos / units · 1,000 / 10,000,000, in millionths.
    let cost = contender.estimate.map_or(ONE, |amount| (nanos(amount).saturating_mul(100) / units).min(ONE));
    // A second is one, so microseconds are millionths.
    let latency_us = contender.p50_us.or(median_us).map_or(0, |us| u64::try_from(us).unwrap_or(0));
    let latency = latency_us.min(ONE);
    let missing = contender.quality.map_or(QUALITY_MAX, |tenths| QUALITY_MAX - quality(tenths));
    let quality = missing * (ONE / QUALITY_MAX);
    let sum = u64::from(balance.cost) * cost
        + u64::from(balance.latency) * latency
        + u64::from(balance.quality) * quality;
    let weights = u64::from(balance.cost) + u64::from(balance.latency) + u64::from(balance.quality);
    let total = sum.checked_div(weights).unwrap_or(0);
    (sum, Score::Balanced { total, cost, latency, quality })
}
