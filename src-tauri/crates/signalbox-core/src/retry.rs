//! What follows a failed attempt: the next target, the same one again, or the end.
//!
//! The next target comes first and at once; the same target is asked again only when it is the last one, only for faults
//! that pass, after a pause, and within a budget per route: retries are at most a fifth of the traffic and one a second.
//! So a provider that is down gets little more than the calls it is offered. Nothing is retried once a byte has reached the
//! client, and no pause goes beyond the client's deadline.

use serde::{Deserialize, Serialize};

use crate::failure::FailureKind;
use crate::time::{MICROS_PER_SECOND, Timestamp};

/// Retries of the last target, at most: two pauses are what a client barely notices.
pub const RETRIES_MAX: u32 = 2;

/// Longest pause before a retry, and longest wait for targets that all cool down. A client that has to wait longer does
/// better to come back by itself.
pub const WAIT_MAX_US: i64 = 2 * MICROS_PER_SECOND;

/// Upper end of the first pause; it doubles with each retry.
const PAUSE_FIRST_US: i64 = 200_000;

/// Thousandths of a retry that each request adds to the budget: a fifth of the traffic.
const MILLI_PER_REQUEST: i64 = 200;

/// Thousandths of a retry that each second adds to the budget.
const MILLI_PER_SECOND: i64 = 1_000;

/// Most that a budget holds, in thousandths of a retry: ten seconds' worth.
const MILLI_MAX: i64 = 10_000;

const MILLI_PER_RETRY: i64 = 1_000;

/// How far apart the instants of concurrent requests may lie; no moment is earned twice for it.
const CLOCK_SLACK_US: i64 = MICROS_PER_SECOND;

/// The retries a route may still make: at most a fifth of its requests, and one a second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetryBudget {
    milli: i64,
    /// Until when the seconds have been added.
    filled_at: Timestamp,
}

impl RetryBudget {
    /// A budget with one retry to begin with.
    pub const fn new(now: Timestamp) -> Self {
        Self { milli: MILLI_PER_RETRY, filled_at: now }
    }

    /// A request came.
    pub fn note_request(&mut self, now: Timestamp) {
        self.fill(now);
        self.milli = (self.milli + MILLI_PER_REQUEST).min(MILLI_MAX);
    }

    /// Takes one retry, if there is one.
    pub fn spend(&mut self, now: Timestamp) -> bool {
        self.fill(now);
        let has_one = self.milli >= MILLI_PER_RETRY;
        if has_one {
            self.milli -= MILLI_PER_RETRY;
        }
        has_one
    }

    /// Whole retries left.
    pub fn left(&mut self, now: Timestamp) -> u32 {
        self.fill(now);
        u32::try_from(self.milli / MILLI_PER_RETRY).unwrap_or(0)
    }

    /// Adds what the time since the last call is worth. A clock set back is worth nothing.
    fn fill(&mut self, now: Timestamp) {
        let passed_us = now.micros_since(self.filled_at).clamp(0, MILLI_MAX * MICROS_PER_SECOND);
        let earned = passed_us.saturating_mul(MILLI_PER_SECOND) / MICROS_PER_SECOND;
        let was_set_back = self.filled_at.micros_since(now) > CLOCK_SLACK_US;
        if earned >= MILLI_MAX || was_set_back {
            self.filled_at = now;
        } else {
            // Only whole thousandths are taken, so that many short steps earn what one long step does.
            self.filled_at = self.filled_at.plus_micros(earned * MICROS_PER_SECOND / MILLI_PER_SECOND);
        }
        self.milli = (self.milli + earned).min(MILLI_MAX);
    }
}

/// A failed attempt, and what is left to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AfterAttempt {
    /// Why it failed.
    pub kind: FailureKind,
    /// How long the provider asks to wait, in microseconds.
    pub retry_after_us: Option<i64>,
    /// Whether the chain has another target that can be called now.
    pub has_next: bool,
    /// How often this target was tried again for this request.
    pub retries: u32,
    /// Whether a byte of an answer has reached the client.
    pub is_committed: bool,
    /// Microseconds until the client's deadline; `None` without one.
    pub deadline_left_us: Option<i64>,
}

/// What follows a failed attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NextStep {
    /// The next target, at once.
    NextTarget,
    /// The same target again.
    Retry {
        /// After so many microseconds.
        pause_us: i64,
    },
    /// The client is told.
    GiveUp(GiveUp),
}

/// Why nothing more is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum GiveUp {
    /// The client has got the beginning of an answer.
    Committed,
    /// The fault is the client's own: it would happen everywhere.
    ClientFault,
    /// The client's deadline is over, or would be after the pause.
    Deadline,
    /// The last target failed in a way that does not pass.
    Permanent,
    /// The last target was tried often enough.
    RetriesUsedUp,
    /// The last target asks to wait for longer than a client should.
    WaitTooLong,
    /// The route's retries are used up.
    BudgetUsedUp,
}

impl GiveUp {
    /// The reason in words for a person.
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::Committed => "the answer had begun",
            Self::ClientFault => "the request itself is at fault",
            Self::Deadline => "the request's time is over",
            Self::Permanent => "trying again would not help",
            Self::RetriesUsedUp => "it was tried again often enough",
            Self::WaitTooLong => "the provider asks to wait for longer",
            Self::BudgetUsedUp => "too many requests of this route are being tried again",
        }
    }
}

/// Whether the same target may do better a moment later.
///
/// A timeout has already taken the client's time and may be billed, so it is not repeated there; a refused credential, an
/// empty account and an unknown model stay as they are.
pub const fn may_pass(kind: FailureKind) -> bool {
    match kind {
        FailureKind::RateLimit
        | FailureKind::Overloaded
        | FailureKind::ServerError
        | FailureKind::Network
        | FailureKind::BadResponse
        | FailureKind::Truncated => true,
        FailureKind::Timeout
        | FailureKind::InvalidKey
        | FailureKind::OutOfCredit
        | FailureKind::ModelNotFound
        | FailureKind::ContentFilter
        | FailureKind::ContextLength
        | FailureKind::BadRequest
        | FailureKind::Unsupported => false,
    }
}

/// Decides what follows a failed attempt. A retry is taken from `budget`.
///
/// `random` is any uniformly random number; it spreads the pauses of many clients over the whole range (full jitter).
pub fn after_failure(
    attempt: AfterAttempt,
    budget: &mut RetryBudget,
    random: u64,
    now: Timestamp,
) -> NextStep {
    if attempt.is_committed {
        return NextStep::GiveUp(GiveUp::Committed);
    }
    if !attempt.kind.fails_over() {
        return NextStep::GiveUp(GiveUp::ClientFault);
    }
    if attempt.deadline_left_us.is_some_and(|left_us| left_us <= 0) {
        return NextStep::GiveUp(GiveUp::Deadline);
    }
    if attempt.has_next {
        return NextStep::NextTarget;
    }
    if !may_pass(attempt.kind) {
        return NextStep::GiveUp(GiveUp::Permanent);
    }
    if attempt.retries >= RETRIES_MAX {
        return NextStep::GiveUp(GiveUp::RetriesUsedUp);
    }
    let named_us = attempt.retry_after_us.filter(|wait_us| *wait_us > 0);
    let pause_us = named_us.unwrap_or_else(|| jittered_us(attempt.retries, random));
    if pause_us > WAIT_MAX_US {
        return NextStep::GiveUp(GiveUp::WaitTooLong);
    }
    if attempt.deadline_left_us.is_some_and(|left_us| pause_us >= left_us) {
        return NextStep::GiveUp(GiveUp::Deadline);
    }
    if !budget.spend(now) {
        return NextStep::GiveUp(GiveUp::BudgetUsedUp);
    }
    NextStep::Retry { pause_us }
}

/// How long a request waits when every target it could go to cools down: until the soonest is back, if that is within
/// [`WAIT_MAX_US`] and before the deadline. `None`: it does not wait, and the client is told when to come back.
pub fn wait_for_soonest(
    soonest: Option<Timestamp>,
    deadline_left_us: Option<i64>,
    now: Timestamp,
) -> Option<i64> {
    let wait_us = soonest?.micros_since(now).max(0);
    let is_in_time = deadline_left_us.is_none_or(|left_us| wait_us < left_us);
    (wait_us <= WAIT_MAX_US && is_in_time).then_some(wait_us)
}

/// A uniformly random share of the longest pause after so many retries.
fn jittered_us(retries: u32, random: u64) -> i64 {
    let longest_us = PAUSE_FIRST_US.saturating_mul(1 << retries.min(16)).min(WAIT_MAX_US);
    let share = (u128::from(random) * u128::from(longest_us.unsigned_abs())) >> u64::BITS;
    i64::try_from(share).unwrap_or(longest_us)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const fn at(micros: i64) -> Timestamp {
        Timestamp::from_micros(1_000_000_000_000 + micros)
    }

    const BROKEN: AfterAttempt = AfterAttempt {
        kind: FailureKind::ServerError,
        retry_after_us: None,
        has_next: false,
        retries: 0,
        is_committed: false,
        deadline_left_us: None,
    };

    fn step(attempt: AfterAttempt) -> NextStep {
        after_failure(attempt, &mut RetryBudget::new(at(0)), u64::MAX, at(0))
    }

    fn given_up(attempt: AfterAttempt) -> Option<GiveUp> {
        match step(attempt) {
            NextStep::GiveUp(why) => Some(why),
            NextStep::NextTarget | NextStep::Retry { .. } => None,
        }
    }

    #[test]
    fn every_fault_but_the_clients_own_goes_to_the_next_target_at_once() {
        for kind in FailureKind::ALL {
            let next = step(AfterAttempt { kind: *kind, has_next: true, retry_after_us: Some(9), ..BROKEN });
            if kind.fails_over() {
                assert_eq!(next, NextStep::NextTarget, "{kind:?}");
            } else {
                assert_eq!(next, NextStep::GiveUp(GiveUp::ClientFault), "{kind:?}");
            }
        }
    }

    #[test]
    fn nothing_is_tried_again_once_a_byte_reached_the_client() {
        for has_next in [true, false] {
            let attempt = AfterAttempt { is_committed: true, has_next, ..BROKEN };
            assert_eq!(given_up(attempt), Some(GiveUp::Committed));
        }
    }

    #[test]
    fn the_last_target_is_tried_again_only_for_faults_that_pass() {
        let retried: Vec<&str> = FailureKind::ALL
            .iter()
            .filter(|kind| matches!(step(AfterAttempt { kind: **kind, ..BROKEN }), NextStep::Retry { .. }))
            .map(|kind| kind.as_str())
            .collect();
        let passing = ["rate_limit", "overloaded", "server_error", "network", "bad_response", "truncated"];
        assert_eq!(retried, passing);
        assert_eq!(
            given_up(AfterAttempt { kind: FailureKind::InvalidKey, ..BROKEN }),
            Some(GiveUp::Permanent)
        );
    }

    #[test]
    fn the_last_target_is_tried_again_twice_at_most() {
        assert!(matches!(step(AfterAttempt { retries: 1, ..BROKEN }), NextStep::Retry { .. }));
        assert_eq!(given_up(AfterAttempt { retries: 2, ..BROKEN }), Some(GiveUp::RetriesUsedUp));
    }

    #[test]
    fn a_short_retry_after_is_waited_for_exactly_and_a_long_one_is_left_to_the_client() {
        let asks =
            |wait_us| AfterAttempt { kind: FailureKind::RateLimit, retry_after_us: Some(wait_us), ..BROKEN };
        assert_eq!(step(asks(1_000_000)), NextStep::Retry { pause_us: 1_000_000 });
        assert_eq!(step(asks(WAIT_MAX_US)), NextStep::Retry { pause_us: WAIT_MAX_US });
        assert_eq!(given_up(asks(WAIT_MAX_US + 1)), Some(GiveUp::WaitTooLong));
        assert!(matches!(step(asks(0)), NextStep::Retry { pause_us } if pause_us > 0));
    }

    #[test]
    fn no_pause_goes_beyond_the_deadline() {
        let within =
            |left_us| AfterAttempt { retry_after_us: Some(1_000), deadline_left_us: Some(left_us), ..BROKEN };
        assert_eq!(step(within(1_001)), NextStep::Retry { pause_us: 1_000 });
        assert_eq!(given_up(within(1_000)), Some(GiveUp::Deadline));
        assert_eq!(given_up(AfterAttempt { has_next: true, ..within(0) }), Some(GiveUp::Deadline));
        assert_eq!(step(AfterAttempt { has_next: true, ..within(1) }), NextStep::NextTarget);
    }

    #[test]
    fn a_route_out_of_retries_gives_up() {
        let mut budget = RetryBudget::new(at(0));
        assert!(matches!(after_failure(BROKEN, &mut budget, 0, at(0)), NextStep::Retry { .. }));
        let second = after_failure(BROKEN, &mut budget, 0, at(0));
        assert_eq!(second, NextStep::GiveUp(GiveUp::BudgetUsedUp));
    }

    #[test]
    fn a_route_out_of_retries_still_moves_to_its_next_target() {
        let mut budget = RetryBudget::new(at(0));
        assert!(budget.spend(at(0)));
        let next = after_failure(AfterAttempt { has_next: true, ..BROKEN }, &mut budget, 0, at(0));
        assert_eq!(next, NextStep::NextTarget);
    }

    #[test]
    fn what_cannot_be_retried_takes_nothing_from_the_budget() {
        let mut budget = RetryBudget::new(at(0));
        for attempt in [
            AfterAttempt { has_next: true, ..BROKEN },
            AfterAttempt { retries: RETRIES_MAX, ..BROKEN },
            AfterAttempt { deadline_left_us: Some(0), ..BROKEN },
        ] {
            let _ = after_failure(attempt, &mut budget, 0, at(0));
        }
        assert_eq!(budget.left(at(0)), 1);
    }

    #[test]
    fn pauses_double_and_are_spread_over_their_whole_range() {
        assert_eq!((jittered_us(0, 0), jittered_us(0, u64::MAX)), (0, 199_999));
        assert_eq!((jittered_us(1, u64::MAX / 2), jittered_us(1, u64::MAX)), (199_999, 399_999));
        assert_eq!(jittered_us(u32::MAX, u64::MAX), WAIT_MAX_US - 1);
    }

    #[test]
    fn when_all_cool_down_the_request_waits_for_the_soonest_instead_of_failing() {
        let back = |micros| Some(at(micros));
        assert_eq!(wait_for_soonest(back(1_000_000), None, at(0)), Some(1_000_000));
        assert_eq!(wait_for_soonest(back(WAIT_MAX_US), None, at(0)), Some(WAIT_MAX_US));
        assert_eq!(wait_for_soonest(back(WAIT_MAX_US + 1), None, at(0)), None);
        assert_eq!(wait_for_soonest(back(1_000), Some(1_001), at(0)), Some(1_000));
        assert_eq!(wait_for_soonest(back(1_000), Some(1_000), at(0)), None);
        assert_eq!(wait_for_soonest(back(-5), None, at(0)), Some(0), "it is back already");
        assert_eq!(wait_for_soonest(None, None, at(0)), None);
    }

    #[test]
    fn a_budget_earns_a_fifth_of_the_requests_and_one_a_second_and_holds_ten() {
        let mut budget = RetryBudget::new(at(0));
        assert!(budget.spend(at(0)));
        assert!(!budget.spend(at(999_999)));
        assert!(budget.spend(at(1_000_000)));
        for _ in 0..4 {
            budget.note_request(at(1_000_000));
        }
        assert!(!budget.spend(at(1_000_000)));
        budget.note_request(at(1_000_000));
        assert!(budget.spend(at(1_000_000)));
        assert_eq!(budget.left(at(1_000_000_000)), 10);
        for _ in 0..100 {
            budget.note_request(at(1_000_000_000));
        }
        assert_eq!(budget.left(at(1_000_000_000)), 10);
    }

    #[test]
    fn a_clock_set_back_neither_earns_nor_costs() {
        let mut budget = RetryBudget::new(at(0));
        assert_eq!(budget.left(at(-1_000_000)), 1);
        assert_eq!(budget.left(at(0)), 1, "instants a little apart earn nothing twice");
        assert_eq!(budget.left(at(-5_000_000)), 1);
        assert_eq!(budget.left(at(-4_000_000)), 2);
        let mut budget = RetryBudget::new(Timestamp::from_micros(i64::MIN));
        assert_eq!(budget.left(Timestamp::from_micros(i64::MAX)), 10);
    }

    proptest! {
        /// Brown-out: however calls and retries fall, there are never more retries than the budget's rule allows.
        #[test]
        fn retries_are_at_most_a_fifth_of_the_traffic_and_one_a_second(
            steps in proptest::collection::vec((0..200_000_i64, any::<bool>()), 1..2_000),
        ) {
            let mut budget = RetryBudget::new(at(0));
            let (mut now_us, mut requests, mut retries) = (0, 0_i64, 0_i64);
            for (wait_us, is_request) in steps {
                now_us += wait_us;
                if is_request {
                    requests += 1;
                    budget.note_request(at(now_us));
                }
                if budget.spend(at(now_us)) {
                    retries += 1;
                }
                prop_assert!(retries * 1_000 <= 1_000 + requests * 200 + now_us / 1_000);
            }
        }

        #[test]
        fn no_pause_is_longer_than_the_longest(retries in any::<u32>(), random in any::<u64>()) {
            prop_assert!((0..WAIT_MAX_US).contains(&jittered_us(retries, random)));
        }
    }
}
