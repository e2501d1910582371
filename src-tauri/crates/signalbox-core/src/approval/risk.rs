//! How much a mistake could hurt.

use serde::{Deserialize, Serialize};

use crate::money::NanoUsd;
use crate::operation::Criticality;

/// From here on a request is worth a second look.
const MEDIUM_REQUEST: NanoUsd = NanoUsd::from_nanos(100_000_000);
/// From here on it is worth a third.
const HIGH_REQUEST: NanoUsd = NanoUsd::from_nanos(1_000_000_000);
/// The same for what a change costs or saves in a month.
const MEDIUM_MONTH: i64 = 1_000_000_000;
const HIGH_MONTH: i64 = 20_000_000_000;

/// How much a mistake could hurt, mildest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Risk {
    /// Little money, nothing critical.
    Low,
    /// Noticeable money, or the model may call tools.
    Medium,
    /// Much money, an unknown amount of it, or a critical operation.
    High,
}

impl Risk {
    /// Every risk, mildest first.
    pub const ALL: &'static [Self] = &[Self::Low, Self::Medium, Self::High];

    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }

    /// Its place in an order: 0 for the mildest.
    pub const fn rank(self) -> i64 {
        match self {
            Self::Low => 0,
            Self::Medium => 1,
            Self::High => 2,
        }
    }

    /// The risk of that place.
    pub fn from_rank(rank: i64) -> Option<Self> {
        Self::ALL.iter().copied().find(|risk| risk.rank() == rank)
    }

    /// Of a request that may cost `estimate`; `None`: nobody knows what.
    pub fn of_request(estimate: Option<NanoUsd>, criticality: Criticality, has_tools: bool) -> Self {
        match estimate {
            None => Self::High,
            Some(_) if criticality == Criticality::High => Self::High,
            Some(estimate) if estimate >= HIGH_REQUEST => Self::High,
            Some(estimate) if estimate >= MEDIUM_REQUEST || has_tools => Self::Medium,
            Some(_) => Self::Low,
        }
    }

    /// Of a change, by what it costs or saves in a month; `None`: that cannot be said.
    pub fn of_change(monthly: Option<NanoUsd>) -> Self {
        match monthly.map(|amount| amount.as_nanos().saturating_abs()) {
            None | Some(HIGH_MONTH..) => Self::High,
            Some(MEDIUM_MONTH..) => Self::Medium,
            Some(_) => Self::Low,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn risk_grows_with_money_tools_and_criticality_and_an_unknown_cost_is_the_worst() {
        let of = |nanos, criticality, tools| {
            Risk::of_request(Some(NanoUsd::from_nanos(nanos)), criticality, tools)
        };
        assert_eq!(of(99_999_999, Criticality::Medium, false), Risk::Low);
        assert_eq!(of(100_000_000, Criticality::Low, false), Risk::Medium);
        assert_eq!(of(1, Criticality::Low, true), Risk::Medium);
        assert_eq!(of(1_000_000_000, Criticality::Low, false), Risk::High);
        assert_eq!(of(1, Criticality::High, false), Risk::High);
        assert_eq!(Risk::of_request(None, Criticality::Low, false), Risk::High);
        assert_eq!(Risk::of_change(Some(NanoUsd::from_nanos(-20_000_000_000))), Risk::High);
        assert_eq!(Risk::of_change(Some(NanoUsd::from_nanos(i64::MIN))), Risk::High);
        assert_eq!(Risk::of_change(Some(NanoUsd::ZERO)), Risk::Low);
        for risk in Risk::ALL {
            assert_eq!(Risk::from_rank(risk.rank()), Some(*risk));
        }
    }
}
