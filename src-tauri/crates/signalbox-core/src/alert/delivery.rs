//! When a delivery that failed is tried again.

use serde::{Deserialize, Serialize};

use crate::time::{MICROS_PER_SECOND, Timestamp};

/// Pauses after the first, second, … try. One more failure ends it, after some nine hours. Units: seconds.
const PAUSES_S: [u32; 6] = [30, 120, 600, 1_800, 7_200, 21_600];
/// The longest pause that a receiver can ask for. Units: seconds.
const ASKED_S_MAX: u32 = 21_600;

/// Why a delivery is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The alert came up.
    Raised,
    /// Nobody acknowledged it in time.
    Escalated,
    /// Somebody tries the channel.
    Test,
}

impl Cause {
    /// Every cause.
    pub const ALL: &'static [Self] = &[Self::Raised, Self::Escalated, Self::Test];

    /// The word on the wire and in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Raised => "raised",
            Self::Escalated => "escalated",
            Self::Test => "test",
        }
    }

    /// The cause of that word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|cause| cause.as_str() == word)
    }
}

/// How a delivery stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    /// It will be tried, or tried again.
    Waiting,
    /// The receiver took it.
    Sent,
    /// The receiver will not take it.
    Failed,
    /// Nobody needs it any more.
    Dropped,
}

impl DeliveryState {
    /// Every state.
    pub const ALL: &'static [Self] = &[Self::Waiting, Self::Sent, Self::Failed, Self::Dropped];

    /// The word on the wire and in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Sent => "sent",
            Self::Failed => "failed",
            Self::Dropped => "dropped",
        }
    }

    /// The state of that word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|state| state.as_str() == word)
    }
}

/// When to try again after `tries` failures; `None` when it is given up. `asked_s` is the pause the receiver asked for.
pub fn next_try(tries: u32, asked_s: Option<u32>, now: Timestamp) -> Option<Timestamp> {
    let usual = PAUSES_S.get(usize::try_from(tries.max(1)).ok()?.saturating_sub(1))?;
    let pause = asked_s.map_or(*usual, |asked| asked.min(ASKED_S_MAX).max(*usual));
    Some(now.plus_micros(i64::from(pause) * MICROS_PER_SECOND))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_word_leads_back() {
        assert!(Cause::ALL.iter().all(|cause| Cause::from_word(cause.as_str()) == Some(*cause)));
        assert!(
            DeliveryState::ALL.iter().all(|state| DeliveryState::from_word(state.as_str()) == Some(*state))
        );
    }

    proptest! {
        #[test]
        fn tries_end_their_pauses_grow_and_no_receiver_can_ask_for_more_than_hours(asked: Option<u32>) {
            let (start, mut now, mut tries, mut last) = (Timestamp::from_micros(0), Timestamp::from_micros(0), 1, 0);
            while let Some(next) = next_try(tries, asked, now) {
                let pause = next.micros_since(now);
                prop_assert!(pause >= last && pause <= 21_600 * MICROS_PER_SECOND);
                (last, now, tries) = (pause, next, tries + 1);
            }
            prop_assert_eq!(tries, 7);
            prop_assert!(now.micros_since(start) <= 6 * 21_600 * MICROS_PER_SECOND);
        }
    }
}
