//! A purse: one budget in one period, for one of its members.

use serde::{Deserialize, Serialize};

use super::slice::{Part, Slice};
use super::{Action, Budget, Limits, Member, Scope};
use crate::alert::Severity;
use crate::ids::{BudgetId, RequestId};
use crate::money::NanoUsd;
use crate::time::Timestamp;

/// Which purse. A request that was begun in a period is posted to it, also after midnight.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PurseKey {
    /// Of which budget.
    pub budget: BudgetId,
    /// For whom; empty where all share one.
    #[serde(default = "Member::everyone", skip_serializing_if = "Member::is_everyone")]
    pub member: Member,
    /// When its period began.
    pub start: Timestamp,
}

/// Money, tokens and requests together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Amount {
    /// Money.
    pub cost: NanoUsd,
    /// Tokens, read and written together.
    #[serde(skip_serializing_if = "is_zero")]
    pub tokens: u64,
    /// Requests.
    #[serde(skip_serializing_if = "is_zero")]
    pub requests: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
const fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl Amount {
    /// Both together, held at the ends of the ranges.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self {
            cost: self.cost.saturating_add(other.cost),
            tokens: self.tokens.saturating_add(other.tokens),
            requests: self.requests.saturating_add(other.requests),
        }
    }

    /// Both together, for a while: taking `other` off again ([`Self::without`]) gives back exactly what there was, also when
    /// both were more than fits meanwhile.
    const fn with(self, other: Self) -> Self {
        Self {
            cost: NanoUsd::from_nanos(self.cost.as_nanos().wrapping_add(other.cost.as_nanos())),
            tokens: self.tokens.wrapping_add(other.tokens),
            requests: self.requests.wrapping_add(other.requests),
        }
    }

    /// What there was before [`Self::with`].
    const fn without(self, other: Self) -> Self {
        Self {
            cost: NanoUsd::from_nanos(self.cost.as_nanos().wrapping_sub(other.cost.as_nanos())),
            tokens: self.tokens.wrapping_sub(other.tokens),
            requests: self.requests.wrapping_sub(other.requests),
        }
    }

    /// Without `other`.
    #[must_use]
    pub(super) const fn less(self, other: Self) -> Self {
        Self {
            cost: NanoUsd::from_nanos(self.cost.as_nanos().saturating_sub(other.cost.as_nanos())),
            tokens: self.tokens.saturating_sub(other.tokens),
            requests: self.requests.saturating_sub(other.requests),
        }
    }

    /// Money that is less than nothing is nothing.
    pub(super) fn at_least_nothing(self) -> Self {
        Self { cost: self.cost.max(NanoUsd::ZERO), ..self }
    }

    /// The amount that is so much of each measure; less than no tokens or requests are none.
    pub(super) fn of_measures(of: impl Fn(Measure) -> i64) -> Self {
        Self {
            cost: NanoUsd::from_nanos(of(Measure::Cost)),
            tokens: u64::try_from(of(Measure::Tokens)).unwrap_or_default(),
            requests: u64::try_from(of(Measure::Requests)).unwrap_or_default(),
        }
    }

    /// How much of one measure it is.
    pub fn of(&self, measure: Measure) -> i64 {
        match measure {
            Measure::Cost => self.cost.as_nanos(),
            Measure::Tokens => held_in_range(self.tokens),
            Measure::Requests => held_in_range(self.requests),
        }
    }
}

/// What is held is never less than nothing, unless it is more than fits.
const fn all_if_beyond(held: i64) -> i64 {
    if held < 0 { i64::MAX } else { held }
}

fn held_in_range(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// What is measured. Units: nano-dollars, tokens, requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// Money.
    Cost,
    /// Tokens.
    Tokens,
    /// Requests.
    Requests,
}

impl Measure {
    /// Every measure.
    pub const ALL: [Self; 3] = [Self::Cost, Self::Tokens, Self::Requests];

    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cost => "cost",
            Self::Tokens => "tokens",
            Self::Requests => "requests",
        }
    }
}

impl Limits {
    /// The limit of one measure, in its unit.
    pub fn of(&self, measure: Measure) -> Option<i64> {
        match measure {
            Measure::Cost => self.cost.map(NanoUsd::as_nanos),
            Measure::Tokens => self.tokens.map(held_in_range),
            Measure::Requests => self.requests.map(held_in_range),
        }
    }
}

/// What one call of a provider asks to hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Claim {
    /// What calls like it usually come to, never above the most.
    pub likely: Amount,
    /// The most it can come to.
    pub most: Amount,
}

impl Claim {
    /// A claim of nothing but the most it can come to.
    pub const fn strictly(most: Amount) -> Self {
        Self { likely: most, most }
    }

    pub(super) const fn with_request(self, counts: bool) -> Self {
        let one = Amount { cost: NanoUsd::ZERO, tokens: 0, requests: counts as u64 };
        Self { likely: self.likely.plus(one), most: self.most.plus(one) }
    }
}

/// What a call holds, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holding {
    /// How much, in each of the purses.
    pub claim: Claim,
    /// The purses, in ascending order.
    pub holds: Vec<Hold>,
}

/// One purse in which something is held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// Which.
    #[serde(flatten)]
    pub purse: PurseKey,
    /// Whether the request is counted there with this call; another call of the same request is not.
    #[serde(default)]
    pub counts: bool,
}

impl Holding {
    /// What each purse is charged when the call came to `actual`.
    pub fn posted(&self, actual: Amount) -> impl Iterator<Item = Posting> + '_ {
        self.holds.iter().map(move |hold| Posting {
            purse: hold.purse.clone(),
            amount: Amount { requests: u64::from(hold.counts), ..actual },
        })
    }

    /// What each purse is charged when nobody knows what the call came to: the most.
    pub fn posted_at_most(&self) -> Vec<Posting> {
        self.posted(self.claim.most).collect()
    }
}

/// What a request was charged in one purse.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Posting {
    /// Which.
    #[serde(flatten)]
    pub purse: PurseKey,
    /// How much.
    #[serde(flatten)]
    pub amount: Amount,
}

/// What is used and held of one budget in one period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Purse {
    /// What ended calls came to.
    pub settled: Amount,
    /// What an admin added (or took off, when negative) to what calls came to.
    pub adjusted: NanoUsd,
    /// What running calls usually come to.
    pub held: Amount,
    /// The most running calls can come to.
    pub held_max: Amount,
    /// When its period ends.
    pub(super) end: Option<Timestamp>,
    /// This node's part of it, where several nodes share it.
    pub(super) part: Option<Part>,
    /// The threshold somebody was told of last. Units: percent.
    pub(super) told_percent: u32,
    /// Whether somebody was told that it refuses.
    pub(super) told_refusal: bool,
}

impl Purse {
    /// What is used of one measure, adjustments included.
    pub fn used(&self, measure: Measure) -> i64 {
        let adjusted = if measure == Measure::Cost { self.adjusted.as_nanos() } else { 0 };
        self.settled.of(measure).saturating_add(adjusted)
    }

    /// How much may be used here: of what several nodes share, this node's part.
    fn limits(&self, budget: &Budget) -> Limits {
        let Some(Part { slice: Slice { granted, .. }, .. }) = self.part else { return budget.limits };
        Limits {
            cost: budget.limits.cost.map(|_| granted.cost),
            tokens: budget.limits.tokens.map(|_| granted.tokens),
            requests: budget.limits.requests.map(|_| granted.requests),
        }
    }

    /// How much of that is used.
    pub(super) fn used_here(&self, measure: Measure) -> i64 {
        self.part.map_or_else(|| self.used(measure), |part| part.slice.settled.of(measure))
    }

    /// Whether the claim fits.
    ///
    /// Errors: the first measure of which there is not enough left. Held as usual, everything together must stay within the
    /// limit; held at its most, within the limit and what it may be passed by. What costs nothing is never kept back for
    /// want of money.
    pub(super) fn room(&self, budget: &Budget, claim: &Claim) -> Result<(), Lack> {
        let (limits, whole) = (self.limits(budget), budget.limits);
        let percent = budget.overrun_percent;
        for measure in Measure::ALL {
            let (Some(limit), Some(whole_limit)) = (limits.of(measure), whole.of(measure)) else { continue };
            let (most, used) = (claim.most.of(measure), self.used_here(measure));
            if most == 0 {
                continue;
            }
            let likely = if percent == 0 { most } else { claim.likely.of(measure) };
            let held_max = all_if_beyond(self.held_max.of(measure));
            let held = if percent == 0 { held_max } else { all_if_beyond(self.held.of(measure)) };
            if used.saturating_add(held).saturating_add(likely) > limit {
                return Err(self.lack(measure, whole_limit, held, likely));
            }
            let passed_by = |limits: Limits| limits.overrun_max(percent).of(measure).unwrap_or(0);
            if used.saturating_add(held_max).saturating_add(most) > limit.saturating_add(passed_by(limits)) {
                return Err(self.lack(measure, whole_limit.saturating_add(passed_by(whole)), held_max, most));
            }
        }
        Ok(())
    }

    /// Whether this node was granted so much, of what is limited.
    pub(super) fn granted_covers(&self, budget: &Budget, reach: Amount) -> bool {
        let limits = self.limits(budget);
        Measure::ALL
            .into_iter()
            .all(|measure| limits.of(measure).is_none_or(|limit| reach.of(measure) <= limit))
    }

    /// What is missing, told of the whole budget: what other nodes may use counts as held.
    fn lack(&self, measure: Measure, limit: i64, held: i64, needed: i64) -> Lack {
        let elsewhere = self.part.map_or(0, |part| part.elsewhere.of(measure));
        Lack { measure, limit, used: self.used(measure), held: held.saturating_add(elsewhere), needed }
    }

    /// How much this node must be granted before so many claims like this one fit.
    pub(super) fn reach(&self, budget: &Budget, claim: &Claim, claims: i64) -> Amount {
        let of = |measure: Measure| {
            let granted = self.part.map_or(0, |part| part.slice.granted.of(measure));
            let (most, likely) = (claim.most.of(measure), claim.likely.of(measure));
            if most == 0 {
                return granted;
            }
            let used = self.used_here(measure);
            let with =
                |held: i64, each: i64| used.saturating_add(held).saturating_add(each.saturating_mul(claims));
            let at_most = with(self.held_max.of(measure), most);
            // Of requests there are never more than the limit says.
            let percent = if measure == Measure::Requests { 0 } else { budget.overrun_percent };
            if percent == 0 {
                return at_most;
            }
            let share = i128::from(100 + percent);
            let within_overrun = (i128::from(at_most) * 100 + share - 1).div_euclid(share);
            with(self.held.of(measure), likely).max(i64::try_from(within_overrun).unwrap_or(i64::MAX))
        };
        Amount::of_measures(of)
    }

    pub(super) const fn hold(&mut self, claim: Claim, counts: bool) {
        let claim = claim.with_request(counts);
        if let Some(part) = &mut self.part {
            part.is_touched = true;
        }
        self.held = self.held.with(claim.likely);
        self.held_max = self.held_max.with(claim.most);
    }

    pub(super) const fn release(&mut self, claim: Claim, counts: bool) {
        let claim = claim.with_request(counts);
        self.held = self.held.without(claim.likely);
        self.held_max = self.held_max.without(claim.most);
    }

    pub(super) const fn post(&mut self, amount: Amount) {
        self.settled = self.settled.plus(amount);
        if let Some(part) = &mut self.part {
            part.slice.settled = part.slice.settled.plus(amount);
            part.is_touched = true;
        }
    }

    /// Whether nothing runs that holds something in it.
    pub(super) const fn is_idle(&self) -> bool {
        self.held_max.cost.as_nanos() == 0 && self.held_max.tokens == 0 && self.held_max.requests == 0
    }

    /// Whether it has reached the first threshold at which somebody is warned.
    pub fn is_warned(&self, budget: &Budget) -> bool {
        let warnings = budget.thresholds.iter().filter(|threshold| threshold.severity >= Severity::Warning);
        let first = warnings.map(|threshold| threshold.percent).min();
        first.is_some_and(|first| self.reached(budget) >= first)
    }

    /// The highest threshold that is reached. Units: percent, 0 for none.
    pub(super) fn reached(&self, budget: &Budget) -> u32 {
        let reached = |percent: u32| {
            Measure::ALL.into_iter().any(|measure| {
                let (used, limit) = (self.used(measure), budget.limits.of(measure));
                used > 0
                    && limit.is_some_and(|limit| {
                        i128::from(used) * 100 >= i128::from(limit) * i128::from(percent)
                    })
            })
        };
        let percents = budget.thresholds.iter().map(|threshold| threshold.percent);
        percents.filter(|percent| reached(*percent)).max().unwrap_or(0)
    }
}

/// What there is not enough of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Lack {
    pub(super) measure: Measure,
    pub(super) limit: i64,
    pub(super) used: i64,
    pub(super) held: i64,
    pub(super) needed: i64,
}

/// The budget that kept a request from a target. Units of the numbers: those of the measure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shortfall {
    /// Which purse.
    #[serde(flatten)]
    pub purse: PurseKey,
    /// What a person calls the budget.
    pub name: String,
    /// Whose use it counts.
    pub scope: Scope,
    /// What becomes of the request.
    pub action: Action,
    /// What there is not enough of.
    pub measure: Measure,
    /// How much there is in all, with what it may be passed by where that was the bound.
    pub limit: i64,
    /// How much of that is used.
    pub used: i64,
    /// How much of that running requests hold, or other nodes may use.
    pub held: i64,
    /// How much the request needed.
    pub needed: i64,
    /// When the budget begins anew, if it ever does.
    pub resets_at: Option<Timestamp>,
    /// The running requests that hold most, those first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub holders: Vec<super::Holder>,
    /// Whether this node may use none of what is left, because it does not reach the database that several nodes share.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_cut_off: bool,
}

impl Shortfall {
    /// How much was left; to a node that is cut off, nothing.
    pub const fn left(&self) -> i64 {
        let left = self.limit.saturating_sub(self.used).saturating_sub(self.held);
        if left < 0 || self.is_cut_off { 0 } else { left }
    }
}

/// Something a person should be told of a purse.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// It has reached a threshold.
    Threshold {
        /// Which purse.
        purse: PurseKey,
        /// What a person calls the budget.
        name: String,
        /// Which threshold.
        percent: u32,
        /// How much it matters.
        severity: Severity,
        /// What is used of the money.
        used: NanoUsd,
        /// The limit of money, if it has one.
        limit: Option<NanoUsd>,
    },
    /// It keeps requests back, for the first time in its period.
    Exhausted(Shortfall),
    /// A call cost more than the most it was thought to.
    Overrun {
        /// Whose call.
        request: RequestId,
        /// The most it was thought to cost.
        held: NanoUsd,
        /// What it cost.
        cost: NanoUsd,
    },
}
