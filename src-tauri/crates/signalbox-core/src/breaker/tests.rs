use proptest::prelude::*;

use super::*;

const SETTINGS: BreakerSettings = BreakerSettings { failures: 3, window_s: 300, open_s: 300 };
const MINUTE: i64 = 60;

/// An instant, in seconds.
const fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros(1_000_000_000_000_000 + seconds * MICROS_PER_SECOND)
}

const fn just_before(instant: Timestamp) -> Timestamp {
    instant.plus_micros(-1)
}

const fn failure(kind: FailureKind) -> FailedCall {
    FailedCall { kind, retry_after_us: None, request: None }
}

const fn limited_for(seconds: i64) -> FailedCall {
    FailedCall {
        kind: FailureKind::RateLimit,
        retry_after_us: Some(seconds * MICROS_PER_SECOND),
        request: None,
    }
}

const BROKEN: FailedCall = failure(FailureKind::ServerError);

fn permit(breaker: &mut Breaker, now: Timestamp) -> Permit {
    breaker.permit(SETTINGS, now).unwrap().permit
}

fn fail(breaker: &mut Breaker, call: FailedCall, now: Timestamp) -> Option<Transition> {
    let permit = permit(breaker, now);
    breaker.failed(permit, call, SETTINGS, now)
}

fn why(breaker: &Breaker, now: Timestamp) -> Option<Block> {
    breaker.check(SETTINGS, now).err().map(|blocked| blocked.why)
}

/// Open since second 0.
fn opened() -> Breaker {
    let mut breaker = Breaker::default();
    for _ in 0..3 {
        fail(&mut breaker, BROKEN, at(0));
    }
    assert_eq!(breaker.circuit(), Circuit::Open);
    breaker
}

/// Half-open at second 300, with its probe on the way.
fn probing() -> (Breaker, Permit) {
    let mut breaker = opened();
    let permit = permit(&mut breaker, at(300));
    assert!(permit.is_probe());
    (breaker, permit)
}

#[test]
fn the_third_failure_inside_the_window_opens_the_circuit_and_names_all_three() {
    let mut breaker = Breaker::default();
    let request = RequestId::generate();
    assert_eq!(fail(&mut breaker, FailedCall { request: Some(request), ..BROKEN }, at(0)), None);
    assert_eq!(fail(&mut breaker, failure(FailureKind::Timeout), at(100)), None);
    assert_eq!(breaker.circuit(), Circuit::Closed);
    let transition = fail(&mut breaker, failure(FailureKind::Network), just_before(at(300))).unwrap();
    assert_eq!(
        (transition.from, transition.to, transition.cause),
        (Circuit::Closed, Circuit::Open, Cause::Failures)
    );
    assert_eq!(transition.at, just_before(at(300)));
    assert_eq!(
        transition.failures[0],
        CountedFailure { at: at(0), kind: FailureKind::ServerError, request: Some(request) }
    );
    let kinds: Vec<_> = transition.failures.iter().map(|failure| failure.kind).collect();
    assert_eq!(kinds, [FailureKind::ServerError, FailureKind::Timeout, FailureKind::Network]);
}

#[test]
fn a_failure_as_old_as_the_window_no_longer_counts() {
    let mut breaker = Breaker::default();
    fail(&mut breaker, BROKEN, at(0));
    fail(&mut breaker, BROKEN, at(100));
    assert_eq!(breaker.failures_counted(SETTINGS, just_before(at(300))), 2);
    assert_eq!(breaker.failures_counted(SETTINGS, at(300)), 1);
    assert_eq!(fail(&mut breaker, BROKEN, at(300)), None, "the first one is exactly 300 seconds old");
    assert!(fail(&mut breaker, BROKEN, at(301)).is_some());
}

#[test]
fn an_open_circuit_lets_nothing_through_until_its_time_is_over_and_then_exactly_one_probe() {
    let mut breaker = opened();
    let blocked = breaker.permit(SETTINGS, just_before(at(300))).unwrap_err();
    assert_eq!(blocked, Blocked { until: Some(at(300)), why: Block::CircuitOpen });
    let Permitted { permit, transition } = breaker.permit(SETTINGS, at(300)).unwrap();
    assert!(permit.is_probe());
    let transition = transition.unwrap();
    assert_eq!(
        (transition.from, transition.to, transition.cause, transition.failures.len()),
        (Circuit::Open, Circuit::HalfOpen, Cause::OpenTimeOver, 0)
    );
    let second = breaker.permit(SETTINGS, at(300)).unwrap_err();
    assert_eq!(second, Blocked { until: None, why: Block::Probing });
}

#[test]
fn the_probes_success_closes_and_forgets_and_its_failure_opens_for_the_whole_time_again() {
    let (mut breaker, permit) = probing();
    let closed = breaker.succeeded(permit, at(301)).unwrap();
    assert_eq!(
        (closed.from, closed.to, closed.cause),
        (Circuit::HalfOpen, Circuit::Closed, Cause::ProbeSucceeded)
    );
    assert_eq!(fail(&mut breaker, BROKEN, at(302)), None, "the failures from before are forgotten");

    let (mut breaker, permit) = probing();
    let reopened = breaker.failed(permit, BROKEN, SETTINGS, at(310)).unwrap();
    assert_eq!((reopened.to, reopened.cause), (Circuit::Open, Cause::ProbeFailed));
    assert_eq!(reopened.failures.len(), 1);
    assert_eq!(why(&breaker, just_before(at(610))), Some(Block::CircuitOpen));
    assert_eq!(breaker.check(SETTINGS, at(610)), Ok(Admission::Probe));
}

#[test]
fn a_cancelled_probe_neither_closes_nor_opens_and_gives_the_probe_back() {
    let (mut breaker, first) = probing();
    breaker.cancelled(first);
    assert_eq!(breaker.circuit(), Circuit::HalfOpen);
    let Permitted { permit: second, transition } = breaker.permit(SETTINGS, at(301)).unwrap();
    assert!(second.is_probe() && transition.is_none(), "it is half-open already");
    assert!(breaker.succeeded(second, at(302)).is_some());
}

#[test]
fn a_probe_that_never_reports_expires_and_what_it_says_late_does_not_count() {
    let (mut breaker, lost) = probing();
    let expires = at(300).plus_micros(PROBE_EXPIRES_US);
    assert_eq!(why(&breaker, just_before(expires)), Some(Block::Probing));
    let next = permit(&mut breaker, expires);
    assert!(next.is_probe());
    assert_eq!(breaker.succeeded(lost, expires), None);
    assert_eq!(breaker.circuit(), Circuit::HalfOpen);
    assert!(breaker.failed(next, BROKEN, SETTINGS, expires).is_some());
}

#[test]
fn a_late_probe_nobody_replaced_still_counts() {
    let (mut breaker, permit) = probing();
    assert!(breaker.succeeded(permit, at(10_000)).is_some());
}

#[test]
fn faults_of_the_clients_own_request_never_count_not_even_a_hundred_of_them() {
    for kind in FailureKind::ALL.iter().copied().filter(|kind| !kind.speaks_against_target()) {
        let mut breaker = Breaker::default();
        for second in 0..100 {
            assert_eq!(fail(&mut breaker, failure(kind), at(second)), None);
        }
        assert_eq!((breaker.failures_counted(SETTINGS, at(100)), breaker.circuit()), (0, Circuit::Closed));
        let (mut breaker, permit) = probing();
        assert_eq!(breaker.failed(permit, failure(kind), SETTINGS, at(301)), None);
        assert_eq!(breaker.check(SETTINGS, at(301)), Ok(Admission::Probe), "the probe is given back");
    }
}

#[test]
fn every_fault_of_the_providers_own_counts_three_times_and_opens() {
    for kind in FailureKind::ALL.iter().copied().filter(|kind| kind.speaks_against_target()) {
        if matches!(kind, FailureKind::RateLimit | FailureKind::InvalidKey) {
            continue;
        }
        let mut breaker = Breaker::default();
        let opened: Vec<bool> =
            (0..3).map(|second| fail(&mut breaker, failure(kind), at(second)).is_some()).collect();
        assert_eq!(opened, [false, false, true], "{kind:?}");
    }
}

#[test]
fn a_refused_credential_opens_at_once_and_is_tried_again_like_any_open_circuit() {
    let mut breaker = Breaker::default();
    fail(&mut breaker, BROKEN, at(0));
    let transition = fail(&mut breaker, failure(FailureKind::InvalidKey), at(1)).unwrap();
    assert_eq!((transition.to, transition.cause), (Circuit::Open, Cause::InvalidKey));
    assert_eq!(transition.failures.len(), 1, "only the refusal opened it");
    assert!(breaker.is_key_refused());
    assert_eq!(breaker.failures_counted(SETTINGS, at(1)), 0, "an open circuit counts nothing");
    assert_eq!(why(&breaker, just_before(at(301))), Some(Block::InvalidKey));
    let permit = permit(&mut breaker, at(301));
    assert!(breaker.is_key_refused(), "nothing has shown yet that the key is taken");
    breaker.succeeded(permit, at(302));
    assert!(!breaker.is_key_refused());
}

#[test]
fn a_probe_that_fails_otherwise_says_so_and_the_key_stays_refused() {
    let mut breaker = Breaker::default();
    fail(&mut breaker, failure(FailureKind::InvalidKey), at(0));
    let permit = permit(&mut breaker, at(300));
    let transition = breaker.failed(permit, BROKEN, SETTINGS, at(301)).unwrap();
    assert_eq!(transition.cause, Cause::ProbeFailed);
    assert_eq!(why(&breaker, at(302)), Some(Block::InvalidKey));
}

#[test]
fn a_rate_limit_with_retry_after_cools_down_and_never_opens() {
    let mut breaker = Breaker::default();
    for round in 0..10 {
        let now = at(round * 10);
        assert_eq!(fail(&mut breaker, limited_for(10), now), None);
        let blocked = breaker.permit(SETTINGS, just_before(now.plus_micros(10_000_000))).unwrap_err();
        assert_eq!(blocked, Blocked { until: Some(now.plus_micros(10_000_000)), why: Block::CoolingDown });
    }
    assert_eq!((breaker.circuit(), breaker.failures_counted(SETTINGS, at(100))), (Circuit::Closed, 0));
    assert_eq!(breaker.check(SETTINGS, at(100)), Ok(Admission::Call));
}

#[test]
fn a_second_longer_cool_down_extends_the_first_and_a_shorter_one_does_not_shorten_it() {
    let mut breaker = Breaker::default();
    let (first, second, third) =
        (permit(&mut breaker, at(0)), permit(&mut breaker, at(0)), permit(&mut breaker, at(0)));
    breaker.failed(first, limited_for(5), SETTINGS, at(0));
    assert_eq!(breaker.cooling_until(at(0)), Some(at(5)));
    breaker.failed(second, limited_for(60), SETTINGS, at(1));
    assert_eq!(breaker.cooling_until(at(1)), Some(at(61)));
    breaker.failed(third, limited_for(2), SETTINGS, at(2));
    assert_eq!(breaker.cooling_until(at(2)), Some(at(61)));
    assert_eq!(breaker.cooling_until(just_before(at(61))), Some(at(61)));
    assert_eq!(breaker.cooling_until(at(61)), None);
}

#[test]
fn a_cool_down_is_never_longer_than_the_longest_whatever_the_provider_says() {
    let mut breaker = Breaker::default();
    fail(&mut breaker, limited_for(10 * 86_400), at(0));
    assert_eq!(breaker.cooling_until(at(0)), Some(at(0).plus_micros(COOL_DOWN_MAX_US)));
    let mut breaker = Breaker::default();
    let overflow = FailedCall { retry_after_us: Some(i64::MAX), ..limited_for(0) };
    fail(&mut breaker, overflow, at(0));
    assert_eq!(breaker.cooling_until(at(0)), Some(at(0).plus_micros(COOL_DOWN_MAX_US)));
}

#[test]
fn rate_limits_that_name_no_time_cool_down_briefly_and_count_from_the_second_on() {
    for nameless in [failure(FailureKind::RateLimit), limited_for(0), limited_for(-1)] {
        let mut breaker = Breaker::default();
        let step = |number: i64| at(number * 2);
        assert_eq!(fail(&mut breaker, nameless, step(0)), None);
        assert_eq!(why(&breaker, just_before(step(1))), Some(Block::CoolingDown));
        assert_eq!(breaker.failures_counted(SETTINGS, step(1)), 0);
        assert_eq!(fail(&mut breaker, nameless, step(1)), None);
        assert_eq!(breaker.failures_counted(SETTINGS, step(1)), 1);
        assert_eq!(fail(&mut breaker, nameless, step(2)), None);
        assert!(fail(&mut breaker, nameless, step(3)).is_some(), "four hours of 429 do not go on for ever");
    }
}

#[test]
fn a_rate_limit_that_names_no_time_is_the_first_again_once_the_last_fell_out_of_the_window() {
    let mut breaker = Breaker::default();
    for round in 0..10 {
        assert_eq!(fail(&mut breaker, failure(FailureKind::RateLimit), at(round * 300)), None);
    }
    assert_eq!(breaker.failures_counted(SETTINGS, at(2_700)), 0);
}

#[test]
fn an_overloaded_provider_that_names_a_time_is_left_alone_for_it_and_it_counts() {
    let mut breaker = Breaker::default();
    let call = FailedCall { kind: FailureKind::Overloaded, ..limited_for(7) };
    fail(&mut breaker, call, at(0));
    assert_eq!(breaker.cooling_until(at(0)), Some(at(7)));
    assert_eq!(breaker.failures_counted(SETTINGS, at(0)), 1);
}

#[test]
fn a_rate_limited_probe_waits_when_told_how_long_and_opens_again_when_not() {
    let (mut breaker, permit_) = probing();
    assert_eq!(breaker.failed(permit_, limited_for(30), SETTINGS, at(301)), None);
    assert_eq!(why(&breaker, just_before(at(331))), Some(Block::CoolingDown));
    assert!(permit(&mut breaker, at(331)).is_probe());

    let (mut breaker, permit_) = probing();
    let transition = breaker.failed(permit_, failure(FailureKind::RateLimit), SETTINGS, at(301));
    assert_eq!(transition.unwrap().cause, Cause::ProbeFailed);
}

#[test]
fn reports_of_calls_from_before_a_move_or_a_reset_do_not_count() {
    let mut breaker = Breaker::default();
    let early: Vec<Permit> = (0..8).map(|_| permit(&mut breaker, at(0))).collect();
    let mut early = early.into_iter();
    breaker.reset(at(1));
    for _ in 0..3 {
        assert_eq!(breaker.failed(early.next().unwrap(), BROKEN, SETTINGS, at(2)), None);
    }
    let refused = failure(FailureKind::InvalidKey);
    assert_eq!(breaker.failed(early.next().unwrap(), refused, SETTINGS, at(2)), None);
    assert_eq!(breaker.failed(early.next().unwrap(), limited_for(60), SETTINGS, at(2)), None);
    assert_eq!(breaker.check(SETTINGS, at(2)), Ok(Admission::Call));

    for _ in 0..3 {
        fail(&mut breaker, BROKEN, at(3));
    }
    assert_eq!(breaker.succeeded(early.next().unwrap(), at(4)), None);
    let probe = permit(&mut breaker, at(303));
    assert_eq!(breaker.succeeded(early.next().unwrap(), at(304)), None, "only the probe may close");
    assert_eq!(breaker.failed(early.next().unwrap(), BROKEN, SETTINGS, at(304)), None);
    assert_eq!(breaker.circuit(), Circuit::HalfOpen);
    assert!(breaker.succeeded(probe, at(305)).is_some());
}

#[test]
fn a_held_circuit_stays_open_over_time_success_and_restart_until_it_is_reset() {
    let mut breaker = Breaker::default();
    let early = permit(&mut breaker, at(0));
    let held = breaker.hold(at(1)).unwrap();
    assert_eq!((held.from, held.to, held.cause), (Circuit::Closed, Circuit::Held, Cause::HeldByAdmin));
    assert_eq!(breaker.hold(at(2)), None);
    assert_eq!(breaker.succeeded(early, at(3)), None);
    let mut breaker: Breaker = serde_json::from_str(&serde_json::to_string(&breaker).unwrap()).unwrap();
    let blocked = Blocked { until: None, why: Block::Held };
    assert_eq!(breaker.permit(SETTINGS, at(1_000_000)), Err(blocked));
    assert_eq!(breaker.permit_last_resort(SETTINGS, at(1_000_000)), Err(blocked));
    let reset = breaker.reset(at(1_000_001)).unwrap();
    assert_eq!((reset.from, reset.to, reset.cause), (Circuit::Held, Circuit::Closed, Cause::Reset));
    assert_eq!(breaker.check(SETTINGS, at(1_000_001)), Ok(Admission::Call));
}

#[test]
fn a_reset_forgets_failures_cool_downs_and_a_refused_credential() {
    let mut breaker = Breaker::default();
    fail(&mut breaker, BROKEN, at(0));
    fail(&mut breaker, BROKEN, at(0));
    fail(&mut breaker, limited_for(600), at(0));
    assert_eq!(breaker.reset(at(1)), None, "it was closed already");
    assert_eq!(breaker.check(SETTINGS, at(1)), Ok(Admission::Call));
    assert_eq!(breaker.failures_counted(SETTINGS, at(1)), 0);
    for second in [1, 2] {
        fail(&mut breaker, failure(FailureKind::RateLimit), at(second));
        assert_eq!(breaker.failures_counted(SETTINGS, at(second)), 0, "each is the first after its reset");
        breaker.reset(at(second));
    }
    let transition = fail(&mut breaker, failure(FailureKind::InvalidKey), at(2));
    assert!(transition.is_some());
    assert_eq!(breaker.reset(at(2)).unwrap().cause, Cause::Reset);
    assert!(!breaker.is_key_refused());
}

#[test]
fn the_last_target_is_called_although_its_circuit_is_open_and_its_answer_closes_it() {
    let mut breaker = opened();
    let Permitted { permit, transition } = breaker.permit_last_resort(SETTINGS, at(1)).unwrap();
    let transition = transition.unwrap();
    assert_eq!((transition.to, transition.cause), (Circuit::HalfOpen, Cause::LastResort));
    let beside = breaker.permit_last_resort(SETTINGS, at(1)).unwrap();
    assert!(permit.is_probe() && !beside.permit.is_probe() && beside.transition.is_none());
    assert_eq!(breaker.succeeded(beside.permit, at(2)), None, "it is not the probe");
    assert_eq!(breaker.succeeded(permit, at(2)).unwrap().to, Circuit::Closed);
}

#[test]
fn not_even_the_last_target_is_called_with_a_refused_key_or_while_it_cools_down() {
    let mut breaker = Breaker::default();
    fail(&mut breaker, failure(FailureKind::InvalidKey), at(0));
    assert_eq!(breaker.permit_last_resort(SETTINGS, at(1)).unwrap_err().why, Block::InvalidKey);
    assert!(breaker.permit_last_resort(SETTINGS, at(300)).unwrap().permit.is_probe());
    let mut breaker = Breaker::default();
    fail(&mut breaker, limited_for(60), at(0));
    assert_eq!(breaker.permit_last_resort(SETTINGS, at(1)).unwrap_err().why, Block::CoolingDown);
    assert!(!breaker.permit_last_resort(SETTINGS, at(60)).unwrap().permit.is_probe());
}

#[test]
fn settings_count_from_the_next_call_on() {
    let mut breaker = Breaker::default();
    fail(&mut breaker, BROKEN, at(0));
    let one = BreakerSettings { failures: 1, window_s: 10, open_s: 5 };
    let permit = breaker.permit(one, at(1)).unwrap().permit;
    assert!(breaker.failed(permit, BROKEN, one, at(1)).is_some());
    assert_eq!(breaker.probe_at(one), Some(at(6)));
    assert!(breaker.check(one, just_before(at(6))).is_err());
    assert_eq!(breaker.check(one, at(6)), Ok(Admission::Probe));
    assert!(breaker.check(SETTINGS, at(6)).is_err(), "a longer time keeps it open");
}

#[test]
fn absurd_settings_are_held_within_their_bounds() {
    let none = BreakerSettings { failures: 0, ..SETTINGS };
    let mut breaker = Breaker::default();
    let permit = breaker.permit(none, at(0)).unwrap().permit;
    assert!(breaker.failed(permit, BROKEN, none, at(0)).is_some());
    let many = BreakerSettings { failures: u32::MAX, ..SETTINGS };
    let mut breaker = Breaker::default();
    for number in 1..=FAILURES_MAX {
        let permit = breaker.permit(many, at(0)).unwrap().permit;
        let opened = breaker.failed(permit, BROKEN, many, at(0)).is_some();
        assert_eq!(opened, number == FAILURES_MAX);
    }
}

#[test]
fn a_clock_set_back_does_not_leave_a_target_out_for_longer_than_its_time() {
    let mut breaker = opened();
    let an_hour_ago = at(-60 * MINUTE);
    assert!(permit(&mut breaker, an_hour_ago).is_probe());
    let mut breaker = opened();
    assert!(breaker.permit(SETTINGS, at(-1)).is_err(), "instants of concurrent calls may be a little apart");
    let mut breaker = Breaker::default();
    fail(&mut breaker, limited_for(3_600), at(86_400));
    assert_eq!(breaker.check(SETTINGS, at(0)), Ok(Admission::Call));
    fail(&mut breaker, limited_for(3), at(0));
    assert_eq!(breaker.cooling_until(at(0)), Some(at(3)), "the stale cool-down does not extend the new one");
}

#[test]
fn state_survives_a_restart_and_a_probe_on_its_way_is_given_back() {
    let through_store = |breaker: &Breaker| -> Breaker {
        serde_json::from_str(&serde_json::to_string(breaker).unwrap()).unwrap()
    };
    let mut closed = Breaker::default();
    fail(&mut closed, FailedCall { request: Some(RequestId::generate()), ..BROKEN }, at(0));
    fail(&mut closed, limited_for(60), at(1));
    assert_eq!(through_store(&closed), closed);
    assert_eq!(through_store(&opened()), opened());
    let (half_open, _lost) = probing();
    assert_eq!(through_store(&half_open).check(SETTINGS, at(301)), Ok(Admission::Probe));
}

#[test]
fn words_are_their_values() {
    for circuit in Circuit::ALL {
        assert_eq!(Circuit::from_word(circuit.as_str()), Some(*circuit));
    }
    for cause in Cause::ALL {
        assert_eq!(Cause::from_word(cause.as_str()), Some(*cause));
        assert_eq!(serde_json::to_value(cause).unwrap(), cause.as_str());
    }
}

mod model;
