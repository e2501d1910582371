//! Budgets: how much may be used, by whom and until when, and what happens at the end of it.
//!
//! A budget has one [`Purse`] per period; one for each user or for each operation has a purse for each of them. A request
//! holds what it may cost in every purse that applies before anything can be spent, posts what it did cost and gives the
//! rest back. The [`Book`] keeps all purses of a running instance.

mod book;
mod learned;
mod period;
mod purse;
mod scope;
mod slice;

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

pub use book::{Admission, Book, Ended, Holder, Need, Needs, Offer, Opened, Parcel, PurseStatus, Share};
pub use learned::{AnswerSizes, OBSERVATIONS_MIN};
pub use period::{InvalidZone, Period, Window, Zone};
pub use purse::{Amount, Claim, Hold, Holding, Measure, Notice, Posting, Purse, PurseKey, Shortfall};
pub use scope::{Member, Scope, Spender, Tag};
pub use slice::{Pool, Slice, Wish};

use crate::alert::Severity;
use crate::ids::{BudgetId, ChangeId};
use crate::money::NanoUsd;
use crate::time::Timestamp;

/// Longest name. Units: characters.
pub const NAME_CHARS_MAX: usize = 80;
/// Most thresholds of one budget.
pub const THRESHOLDS_MAX: usize = 8;
/// How far a budget may be passed at most unless somebody says otherwise. Units: percent of its limit.
pub const OVERRUN_PERCENT_USUAL: u32 = 5;

/// A limit on what may be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Budget {
    /// Its identity.
    pub id: BudgetId,
    /// What a person calls it.
    pub name: String,
    /// Whose use counts. It never changes: what was counted would mean something else.
    pub scope: Scope,
    /// How long it lasts before it begins anew. It never changes either.
    pub period: Period,
    /// By whose clock a period begins. It never changes either.
    #[serde(default)]
    pub zone: Zone,
    /// How much, in a period.
    pub limits: Limits,
    /// When a person is told, mildest first.
    pub thresholds: Vec<Threshold>,
    /// What becomes of a request that does not fit.
    pub action: Action,
    /// By how much it may be passed at most, because requests hold what they usually cost rather than what they could.
    /// Units: percent of each limit. 0: every request holds the most it could cost, and the limit is never passed.
    pub overrun_percent: u32,
    /// Whether it counts and holds at all.
    pub enabled: bool,
    /// Grows by one with every change, from 1.
    pub version: u32,
}

/// How much may be used in a period. At least one is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Limits {
    /// Money.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<NanoUsd>,
    /// Tokens, read and written together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens: Option<u64>,
    /// Requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requests: Option<u64>,
}

/// A share of a budget that somebody is told of, once per period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Threshold {
    /// From 1 to 100, of the limit that is used most.
    pub percent: u32,
    /// How much it matters.
    pub severity: Severity,
}

/// What an admin added to what a purse was charged, or took off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Adjustment {
    /// The entry of the history that tells of it.
    pub change: ChangeId,
    /// When.
    pub at: Timestamp,
    /// Which purse.
    pub purse: PurseKey,
    /// How much; negative takes off.
    pub amount: NanoUsd,
    /// Who.
    pub actor: String,
    /// Why.
    pub reason: String,
}

/// What becomes of a request for which not enough is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// It goes out all the same; somebody is told.
    Notify,
    /// It goes to a target of its route for which enough is left, free ones last; it is refused when there is none.
    Downgrade,
    /// It waits for a person.
    RequireApproval,
    /// It is refused.
    Block,
}

impl Action {
    /// Every action, mildest first.
    pub const ALL: &'static [Self] = &[Self::Notify, Self::Downgrade, Self::RequireApproval, Self::Block];

    /// The word on the wire and in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Notify => "notify",
            Self::Downgrade => "downgrade",
            Self::RequireApproval => "require_approval",
            Self::Block => "block",
        }
    }

    /// Whether a request goes out although not enough is left.
    const fn is_passed(self, is_approved: bool) -> bool {
        match self {
            Self::Notify => true,
            Self::RequireApproval => is_approved,
            Self::Downgrade | Self::Block => false,
        }
    }

    /// The action of that word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|action| action.as_str() == word)
    }
}

/// Something about a budget that cannot be, and in which field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BudgetFault {
    /// The field's name.
    pub field: &'static str,
    /// What is wrong, for a person.
    pub message: String,
}

impl Budget {
    /// A budget of money as most are: warned of at 50, 80 and 100 percent, refusing what does not fit.
    pub fn usual(name: &str, scope: Scope, period: Period, cost: NanoUsd) -> Self {
        Self {
            id: BudgetId::generate(),
            name: name.to_owned(),
            scope,
            period,
            zone: Zone::utc(),
            limits: Limits { cost: Some(cost), ..Limits::default() },
            thresholds: Threshold::usual(),
            action: Action::Block,
            overrun_percent: OVERRUN_PERCENT_USUAL,
            enabled: true,
            version: 1,
        }
    }

    /// Everything that is wrong with it; empty when it can be used.
    pub fn faults(&self) -> Vec<BudgetFault> {
        let mut faults = Vec::new();
        let mut fault = |field, message: String| faults.push(BudgetFault { field, message });
        if self.name.trim().is_empty() {
            fault("name", "A budget needs a name.".to_owned());
        } else if self.name.chars().count() > NAME_CHARS_MAX {
            fault("name", format!("A name has at most {NAME_CHARS_MAX} characters."));
        }
        let Limits { cost, tokens, requests } = self.limits;
        if cost.is_none() && tokens.is_none() && requests.is_none() {
            fault("limits", "A budget needs a limit in dollars, tokens or requests.".to_owned());
        }
        if cost.is_some_and(|cost| cost < NanoUsd::ZERO) {
            fault("cost", "The limit must not be negative.".to_owned());
        }
        if self.overrun_percent > 100 {
            fault("overrun_percent", "A budget can be passed by at most 100 %.".to_owned());
        }
        if self.thresholds.len() > THRESHOLDS_MAX {
            fault("thresholds", format!("A budget has at most {THRESHOLDS_MAX} thresholds."));
        }
        if self.thresholds.iter().any(|threshold| !(1..=100).contains(&threshold.percent)) {
            fault("thresholds", "A threshold is between 1 and 100 %.".to_owned());
        }
        if self.thresholds.windows(2).any(|pair| pair[0].percent >= pair[1].percent) {
            fault("thresholds", "Thresholds must grow and each may be there once.".to_owned());
        }
        faults.extend(self.scope.fault());
        faults
    }

    /// How far past each limit what was used can come at most, short of a bill above its bound. The bound that is told.
    pub fn overrun_max(&self) -> Limits {
        self.limits.overrun_max(self.overrun_percent)
    }

    /// The period that contains `now`.
    pub fn window(&self, now: Timestamp) -> Window {
        self.period.window(&self.zone, now)
    }
}

impl Limits {
    fn overrun_max(&self, percent: u32) -> Self {
        let of =
            |limit: u64| u64::try_from(u128::from(limit) * u128::from(percent) / 100).unwrap_or(u64::MAX);
        let of_money = |cost: NanoUsd| {
            let nanos = of(u64::try_from(cost.as_nanos()).unwrap_or_default());
            NanoUsd::from_nanos(i64::try_from(nanos).unwrap_or(i64::MAX))
        };
        Self { cost: self.cost.map(of_money), tokens: self.tokens.map(of), requests: None }
    }
}

impl Threshold {
    /// Half: a warning; four fifths and all of it: critical.
    pub fn usual() -> Vec<Self> {
        vec![
            Self { percent: 50, severity: Severity::Warning },
            Self { percent: 80, severity: Severity::Warning },
            Self { percent: 100, severity: Severity::Critical },
        ]
    }
}
