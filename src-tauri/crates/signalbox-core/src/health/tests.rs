use proptest::prelude::*;

use super::*;
use crate::ids::OperationId;
use crate::route::Target;

const SETTINGS: BreakerSettings = BreakerSettings { failures: 3, window_s: 300, open_s: 300 };
/// A circuit that stays closed, to look at the window alone.
const NEVER: BreakerSettings = BreakerSettings { failures: 100, window_s: 1, open_s: 300 };
const MINUTE: i64 = 60;

/// An instant, in seconds after a whole hour.
const fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros((1_900_800_000 + seconds) * MICROS_PER_SECOND)
}

const fn just_before(instant: Timestamp) -> Timestamp {
    instant.plus_micros(-1)
}

fn failed(kind: FailureKind) -> Failed {
    Failed {
        kind,
        message: "no".to_owned(),
        http_status: Some(500),
        latency_us: 7,
        retry_after_us: None,
        request: None,
    }
}

fn answer_in(health: &mut TargetHealth, latency_us: i64, now: Timestamp) -> Option<Transition> {
    let permit = health.permit(NEVER, now).unwrap().permit;
    health.succeeded(permit, Answered { latency_us, first_token_us: Some(latency_us / 10) }, now)
}

fn answer(health: &mut TargetHealth, now: Timestamp) -> Option<Transition> {
    answer_in(health, 1_000, now)
}

fn fail(health: &mut TargetHealth, kind: FailureKind, now: Timestamp) {
    let permit = health.permit(NEVER, now).unwrap().permit;
    let _ = health.failed(permit, &failed(kind), NEVER, now);
}

fn state(health: &TargetHealth, now: Timestamp) -> HealthState {
    health.summary(SETTINGS, now).state
}

fn opened() -> TargetHealth {
    let mut health = TargetHealth::default();
    for _ in 0..3 {
        let permit = health.permit(SETTINGS, at(0)).unwrap().permit;
        let _ = health.failed(permit, &failed(FailureKind::ServerError), SETTINGS, at(0));
    }
    assert_eq!(state(&health, at(0)), HealthState::Open);
    health
}

#[test]
fn each_outcome_is_counted_as_what_it_is_and_only_the_targets_own_are_judged() {
    let mut health = TargetHealth::default();
    answer(&mut health, at(0));
    fail(&mut health, FailureKind::Timeout, at(0));
    fail(&mut health, FailureKind::ContextLength, at(0));
    let permit = health.permit(NEVER, at(0)).unwrap().permit;
    health.cancelled(permit, at(0));
    fail(&mut health, FailureKind::RateLimit, at(0));
    let counts = health.summary(SETTINGS, at(0)).counts;
    assert_eq!(counts, Counts { succeeded: 1, failed: 1, rate_limited: 1, refused: 1, cancelled: 1 });
    assert_eq!((counts.calls(), counts.judged(), counts.success_bp()), (5, 3, Some(3_333)));
    assert_eq!(Counts::default().success_bp(), None);
}

#[test]
fn a_permit_that_was_not_used_is_no_call() {
    let mut health = TargetHealth::default();
    let permit = health.permit(NEVER, at(0)).unwrap().permit;
    health.unused(permit);
    assert_eq!(health.summary(SETTINGS, at(0)).counts.calls(), 0);
    let mut health = opened();
    let probe = health.permit(SETTINGS, at(300)).unwrap().permit;
    health.unused(probe);
    assert!(health.permit(SETTINGS, at(300)).unwrap().permit.is_probe(), "the probe is given back");
}

#[test]
fn a_reset_forgets_by_what_a_target_was_judged_and_the_room_it_had() {
    let mut health = TargetHealth::default();
    for _ in 0..5 {
        fail(&mut health, FailureKind::ServerError, at(0));
    }
    let nothing_left = RateHeadroom {
        remaining_requests: Some(0),
        limit_requests: None,
        remaining_tokens: None,
        limit_tokens: None,
        resets_at: Some(at(9)),
        seen_at: at(0),
    };
    health.note_headroom(nothing_left);
    assert!(health.is_degraded(at(0)) && health.view(SETTINGS, at(0)).blocked.is_some());
    let _ = health.reset(at(0).plus_micros(1));
    assert!(!health.is_degraded(at(0)) && health.headroom().is_none());
    assert_eq!(health.view(SETTINGS, at(0)).blocked, None);
}

#[test]
fn a_target_is_judged_from_the_first_whole_minute_after_its_circuit_closed() {
    let closed_at = |now: Timestamp| {
        let mut health = opened();
        let permit = health.permit(SETTINGS, at(300)).unwrap().permit;
        let _ = health.succeeded(permit, Answered { latency_us: 1, first_token_us: None }, now);
        for _ in 0..5 {
            fail(&mut health, FailureKind::ServerError, at(360));
        }
        health.is_degraded(at(360))
    };
    assert!(closed_at(at(360)), "that minute is whole");
    assert!(!closed_at(at(360).plus_micros(1)), "this one is not");
}

#[test]
fn calls_of_the_next_minute_count_when_instants_of_concurrent_calls_are_a_little_apart() {
    let mut health = TargetHealth::default();
    answer(&mut health, at(300));
    answer(&mut health, just_before(at(300)));
    let summary = health.summary(SETTINGS, just_before(at(300)));
    assert_eq!((summary.counts.succeeded, summary.latency.unwrap().calls), (2, 2));
}

#[test]
fn a_decision_sees_nothing_of_what_only_the_engine_knows() {
    let view = TargetHealth::default().view(SETTINGS, at(0));
    assert_eq!(view, TargetView::default());
}

#[test]
fn a_target_is_unhealthy_from_half_failed_on_but_not_before_the_fifth_call() {
    let mut health = TargetHealth::default();
    for _ in 0..4 {
        fail(&mut health, FailureKind::ServerError, at(0));
    }
    assert!(health.is_healthy(at(0)), "four calls are too few to judge");
    answer(&mut health, at(0));
    assert!(!health.is_healthy(at(0)));
    assert_eq!(state(&health, at(0)), HealthState::Degraded);
    for _ in 0..3 {
        answer(&mut health, at(0));
    }
    assert!(!health.is_healthy(at(0)), "4 of 8 is exactly half, which is not more than half");
    answer(&mut health, at(0));
    assert!(health.is_healthy(at(0)));
    assert_eq!(state(&health, at(0)), HealthState::Healthy);
}

#[test]
fn calls_fall_out_of_judgement_after_fifteen_minutes_and_out_of_the_strip_after_sixty() {
    let mut health = TargetHealth::default();
    for _ in 0..5 {
        fail(&mut health, FailureKind::ServerError, at(0));
    }
    let last_judged = at(15 * MINUTE - 1);
    assert!(health.is_degraded(last_judged));
    assert!(!health.is_degraded(at(15 * MINUTE)));
    assert_eq!(state(&health, at(15 * MINUTE)), HealthState::NoData);
    let strip = health.strip(at(59 * MINUTE));
    assert_eq!((strip.len(), strip[0].start, strip[0].counts.failed), (60, at(0), 5));
    assert_eq!(strip[59].start, at(59 * MINUTE));
    assert!(health.strip(at(60 * MINUTE)).iter().all(|minute| minute.counts == Counts::default()));
}

#[test]
fn after_its_circuit_closed_a_target_is_judged_by_what_came_since() {
    let mut health = opened();
    for _ in 0..7 {
        fail_late(&mut health);
    }
    assert!(health.is_degraded(at(300)));
    let permit = health.permit(SETTINGS, at(300)).unwrap().permit;
    let answered = Answered { latency_us: 1_000, first_token_us: None };
    assert_eq!(health.succeeded(permit, answered, at(301)).unwrap().to, Circuit::Closed);
    assert!(!health.is_degraded(at(301)) && health.is_healthy(at(301)));
    assert_eq!(health.summary(SETTINGS, at(301)).counts.failed, 10, "what happened is not hidden");
    for _ in 0..5 {
        fail(&mut health, FailureKind::ServerError, at(360));
    }
    assert!(health.is_degraded(at(360)));
}

/// The report of a call from before the circuit opened.
fn fail_late(health: &mut TargetHealth) {
    let permit = TargetHealth::default().permit(SETTINGS, at(0)).unwrap().permit;
    assert_eq!(health.failed(permit, &failed(FailureKind::Timeout), SETTINGS, at(1)), None);
}

#[test]
fn quantiles_and_mean_are_of_the_answers_alone() {
    let mut health = TargetHealth::default();
    for milliseconds in 1..=100 {
        answer_in(&mut health, milliseconds * 1_000, at(0));
    }
    fail(&mut health, FailureKind::Timeout, at(0));
    let summary = health.summary(SETTINGS, at(0));
    let latency = summary.latency.unwrap();
    assert_eq!((latency.calls, latency.mean_us), (100, 50_500));
    let near = |measured: i64, exact: i64| (measured - exact).abs() * 32 <= exact;
    assert!(near(latency.p50_us, 50_000) && near(latency.p95_us, 95_000) && near(latency.p99_us, 99_000));
    let first = summary.first_token.unwrap();
    assert!(near(first.p50_us, 5_000));
    assert_eq!(health.summary(SETTINGS, at(3 * 3_600)).latency, None);
}

#[test]
fn the_usual_duration_outlives_the_window_until_the_hour_is_over() {
    let mut health = TargetHealth::default();
    answer_in(&mut health, 20, at(0));
    assert_eq!(health.view(SETTINGS, at(0)).p50_us, Some(20));
    assert_eq!(health.view(SETTINGS, at(40 * MINUTE)).p50_us, Some(20));
    answer_in(&mut health, 10, at(40 * MINUTE));
    assert_eq!(health.view(SETTINGS, at(40 * MINUTE + 2)).p50_us, Some(10), "what is recent counts first");
    assert_eq!(health.view(SETTINGS, at(3 * 3_600)).p50_us, None);
}

#[test]
fn the_usual_duration_is_worked_out_once_a_second() {
    let mut health = TargetHealth::default();
    assert_eq!(health.view(SETTINGS, at(0)).p50_us, None);
    answer_in(&mut health, 30, at(0));
    assert_eq!(health.view(SETTINGS, just_before(at(1))).p50_us, None);
    assert_eq!(health.view(SETTINGS, at(1)).p50_us, Some(30));
    assert_eq!(health.view(SETTINGS, at(0)).p50_us, Some(30), "a clock set back asks anew");
}

#[test]
fn the_last_ten_failures_are_kept_latest_first_and_short() {
    let mut health = TargetHealth::default();
    for second in 0..12 {
        let permit = health.permit(NEVER, at(second)).unwrap().permit;
        let message = format!("{second}{}", "é".repeat(1_000));
        let _ = health.failed(permit, &Failed { message, ..failed(FailureKind::Network) }, NEVER, at(second));
    }
    let notes: Vec<&FailureNote> = health.failures().collect();
    assert_eq!(notes.len(), FAILURES_NOTED);
    assert_eq!((notes[0].at, notes[9].at), (at(11), at(2)));
    assert_eq!(
        (notes[0].kind, notes[0].http_status, notes[0].latency_us),
        (FailureKind::Network, Some(500), 7)
    );
    assert_eq!(notes[0].message.chars().count(), 300);
}

#[test]
fn each_state_has_its_word_and_says_until_when() {
    let mut health = TargetHealth::default();
    assert_eq!(state(&health, at(0)), HealthState::NoData);
    answer(&mut health, at(0));
    assert_eq!(state(&health, at(0)), HealthState::Healthy);
    let permit = health.permit(SETTINGS, at(0)).unwrap().permit;
    let wait = Failed { retry_after_us: Some(30 * MICROS_PER_SECOND), ..failed(FailureKind::RateLimit) };
    let _ = health.failed(permit, &wait, SETTINGS, at(0));
    let cooling = health.summary(SETTINGS, at(0));
    assert_eq!((cooling.state, cooling.until), (HealthState::CoolingDown, Some(at(30))));
    let _ = health.hold(at(1));
    assert_eq!(state(&health, at(1)), HealthState::Held);
    let _ = health.reset(at(2));
    assert_eq!(state(&health, at(2)), HealthState::Healthy);
    fail(&mut health, FailureKind::InvalidKey, at(3));
    let refused = health.summary(SETTINGS, at(3));
    assert_eq!((refused.state, refused.until), (HealthState::CredentialBad, Some(at(303))));
    assert!(refused.is_credential_bad && !refused.is_healthy);

    let mut health = opened();
    assert_eq!(health.summary(SETTINGS, at(0)).until, Some(at(300)));
    assert_eq!(state(&health, at(300)), HealthState::Probing, "the next call probes");
    let permit = health.permit(SETTINGS, at(300)).unwrap().permit;
    assert_eq!(state(&health, at(301)), HealthState::Probing);
    assert!(health.view(SETTINGS, at(301)).blocked.is_some());
    health.cancelled(permit, at(302));
    assert!(health.view(SETTINGS, at(302)).is_probe_due);
}

#[test]
fn a_provider_without_room_left_is_waited_for_before_it_has_to_refuse() {
    let headroom = RateHeadroom {
        remaining_requests: Some(0),
        limit_requests: Some(60),
        remaining_tokens: Some(10),
        limit_tokens: Some(1_000),
        resets_at: Some(at(1)),
        seen_at: at(0),
    };
    let mut health = TargetHealth::default();
    health.note_headroom(headroom);
    let blocked = Blocked { until: Some(at(1)), why: Block::CoolingDown };
    assert_eq!(health.permit(SETTINGS, just_before(at(1))), Err(blocked));
    assert_eq!(health.permit_last_resort(SETTINGS, just_before(at(1))), Err(blocked));
    assert_eq!(state(&health, at(0)), HealthState::CoolingDown);
    assert!(health.permit(SETTINGS, at(1)).is_ok());
    let exhausted = |headroom: RateHeadroom| headroom.exhausted_until(at(0));
    assert_eq!(exhausted(RateHeadroom { remaining_requests: Some(1), ..headroom }), None);
    let by_tokens = RateHeadroom { remaining_requests: None, remaining_tokens: Some(0), ..headroom };
    assert_eq!(exhausted(by_tokens), Some(at(1)));
    assert_eq!(exhausted(RateHeadroom { resets_at: None, ..headroom }), None, "nobody said until when");
    let for_days = RateHeadroom { resets_at: Some(at(1_000_000)), ..headroom };
    assert_eq!(exhausted(for_days), Some(at(2)), "by then everything is back, but something is sooner");
    assert_eq!(headroom.exhausted_until(at(-1)), None, "the clock was set back");
}

#[test]
fn ranking_is_healthy_first_then_success_then_speed() {
    let mut good = TargetHealth::default();
    for _ in 0..10 {
        answer_in(&mut good, 500, at(0));
    }
    let mut fast = TargetHealth::default();
    for _ in 0..10 {
        answer_in(&mut fast, 5, at(0));
    }
    let mut flaky = fast.clone();
    fail(&mut flaky, FailureKind::Network, at(0));
    let mut bad = TargetHealth::default();
    for _ in 0..6 {
        fail(&mut bad, FailureKind::Network, at(0));
    }
    let named =
        [("bad", bad), ("flaky", flaky), ("new", TargetHealth::default()), ("good", good), ("fast", fast)];
    let mut ranked: Vec<_> =
        named.iter().map(|(name, health)| (*name, health.summary(SETTINGS, at(0)))).collect();
    ranked.sort_by(|(_, left), (_, right)| left.rank(right));
    let names: Vec<&str> = ranked.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, ["fast", "good", "new", "flaky", "bad"]);
}

#[test]
fn a_provider_is_the_sum_of_its_targets() {
    let mut one = TargetHealth::default();
    answer_in(&mut one, 10, at(0));
    let mut two = TargetHealth::default();
    answer_in(&mut two, 30, at(0));
    fail(&mut two, FailureKind::Network, at(0));
    let all = roll_up([&one, &two].into_iter(), SETTINGS, at(0)).unwrap();
    assert_eq!((all.counts.succeeded, all.counts.failed), (2, 1));
    assert_eq!(all.latency.unwrap().mean_us, 20);
    assert_eq!((all.state, all.is_healthy, all.until), (HealthState::Healthy, true, None));
    assert_eq!(roll_up([].into_iter(), SETTINGS, at(0)), None);
}

#[test]
fn a_provider_is_back_with_its_first_target_and_shows_the_latest_of_their_headers() {
    let waiting = |seconds: i64, seen: i64| {
        let mut health = TargetHealth::default();
        answer_in(&mut health, seconds * 10, at(0));
        let permit = health.permit(SETTINGS, at(0)).unwrap().permit;
        let wait_us = Some(seconds * MICROS_PER_SECOND);
        let limited = Failed { retry_after_us: wait_us, ..failed(FailureKind::RateLimit) };
        let _ = health.failed(permit, &limited, SETTINGS, at(0));
        health.note_headroom(RateHeadroom {
            remaining_requests: Some(5),
            limit_requests: None,
            remaining_tokens: None,
            limit_tokens: None,
            resets_at: None,
            seen_at: at(seen),
        });
        health
    };
    let (soon, late) = (waiting(10, 1), waiting(30, 2));
    for targets in [[&soon, &late], [&late, &soon]] {
        let all = roll_up(targets.into_iter(), SETTINGS, at(3)).unwrap();
        assert_eq!((all.state, all.until), (HealthState::CoolingDown, Some(at(10))));
        assert_eq!(all.headroom.unwrap().seen_at, at(2));
        assert_eq!(all.first_token.unwrap().calls, 2);
    }
}

#[test]
fn a_providers_word_says_whether_any_of_it_serves() {
    let mut served = TargetHealth::default();
    answer(&mut served, at(0));
    let mut held = TargetHealth::default();
    let _ = held.hold(at(0));
    let mut refused = TargetHealth::default();
    fail(&mut refused, FailureKind::InvalidKey, at(0));
    let (fresh, open) = (TargetHealth::default(), opened());
    let word = |targets: &[&TargetHealth]| roll_up(targets.iter().copied(), SETTINGS, at(1)).unwrap().state;
    assert_eq!(word(&[&fresh, &served]), HealthState::Healthy);
    assert_eq!(word(&[&fresh, &fresh]), HealthState::NoData);
    assert_eq!(word(&[&served, &open]), HealthState::Degraded);
    assert_eq!(word(&[&fresh, &open]), HealthState::Degraded);
    assert_eq!(word(&[&open, &held]), HealthState::Open);
    assert_eq!(word(&[&held, &open]), HealthState::Open);
    assert_eq!(word(&[&open, &open]), HealthState::Open);
    assert_eq!(word(&[&served, &refused]), HealthState::CredentialBad);
    let open_and_held = roll_up([&open, &held].into_iter(), SETTINGS, at(1)).unwrap();
    assert_eq!((open_and_held.until, open_and_held.is_healthy), (Some(at(300)), false));
}

#[test]
fn an_hour_of_a_thousand_calls_a_second_stays_small_and_survives_a_restart() {
    let mut health = TargetHealth::default();
    for minute in 0..150_i64 {
        for call in 0..400_i64 {
            answer_in(&mut health, call * call * (minute + 1), at(minute * MINUTE));
        }
        fail(&mut health, FailureKind::Network, at(minute * MINUTE));
    }
    let json = serde_json::to_string(&health).unwrap();
    assert!(json.len() < 150_000, "{} bytes", json.len());
    let kept: serde_json::Value = serde_json::from_str(&json).unwrap();
    let kept = |what: &str| kept["window"][what].as_array().unwrap().len();
    assert_eq!((kept("minutes"), kept("periods")), (60, 13));
    let back: TargetHealth = serde_json::from_str(&json).unwrap();
    let now = at(149 * MINUTE);
    assert_eq!(back.summary(SETTINGS, now), health.summary(SETTINGS, now));
    assert_eq!(back.strip(now), health.strip(now));
    assert_eq!(health.strip(now)[0].counts.succeeded, 400);
}

#[test]
fn what_was_noted_before_the_clock_was_set_back_neither_stays_nor_counts() {
    let mut health = TargetHealth::default();
    for _ in 0..5 {
        fail(&mut health, FailureKind::Network, at(86_400));
    }
    assert!(!health.is_degraded(at(0)));
    answer(&mut health, at(0));
    assert_eq!(health.summary(SETTINGS, at(0)).counts.calls(), 1);
    assert_eq!(health.summary(SETTINGS, at(86_400)).counts.calls(), 0, "it was forgotten");
}

fn chat() -> OperationId {
    OperationId::new("chat").unwrap()
}

fn target(text: &str) -> Target {
    text.parse().unwrap()
}

#[test]
fn the_fifth_failover_of_an_hour_leaves_the_target_alone_until_the_first_is_an_hour_old() {
    let (chat, other) = (chat(), OperationId::new("other").unwrap());
    let (a, b) = (target("a/x"), target("b/x"));
    let mut cap = FailoverCap::default();
    for minute in 0..4 {
        assert_eq!(cap.note(&chat, &a, at(minute * MINUTE), at(minute * MINUTE)), None);
    }
    assert_eq!(cap.until(&chat, &a, at(240)), None);
    assert_eq!(cap.note(&chat, &a, at(240), at(240)), Some(at(3_600)));
    assert_eq!(cap.until(&chat, &a, just_before(at(3_600))), Some(at(3_600)));
    assert_eq!(cap.until(&chat, &a, at(3_600)), None);
    assert_eq!(cap.counted(&chat, &a, at(3_600)), 4);
    assert_eq!((cap.until(&chat, &b, at(240)), cap.until(&other, &a, at(240))), (None, None));
    assert_eq!(cap.note(&chat, &a, at(3_600), at(3_600)), Some(at(3_660)), "five in the hour again");
}

#[test]
fn calls_that_were_on_their_way_when_the_cap_was_reached_keep_it_up_for_an_hour_after_the_latest_five() {
    let mut cap = FailoverCap::default();
    for second in [0, 1, 2, 3, 4, 5, 6] {
        cap.note(&chat(), &target("a/x"), at(second), at(second));
    }
    assert_eq!(cap.until(&chat(), &target("a/x"), at(7)), Some(at(3_602)));
    assert_eq!(cap.counted(&chat(), &target("a/x"), at(7)), FAILOVERS_PER_HOUR);
}

#[test]
fn a_cap_restored_from_stored_failovers_in_any_order_is_the_same() {
    let now = at(3_700);
    let mut cap = FailoverCap::default();
    for second in [300, 50, 200, 3_650, 100, 150] {
        cap.note(&chat(), &target("a/x"), at(second), now);
    }
    assert_eq!(cap.counted(&chat(), &target("a/x"), now), 4, "50 and 100 are more than an hour old");
    assert_eq!(cap.until(&chat(), &target("a/x"), now), None);
    cap.note(&chat(), &target("a/x"), at(3_660), now);
    assert_eq!(cap.until(&chat(), &target("a/x"), now), Some(at(3_750)));
}

#[test]
fn a_cap_gives_its_memory_back() {
    let mut cap = FailoverCap::default();
    cap.note(&chat(), &target("a/x"), at(0), at(0));
    cap.sweep(just_before(at(3_600)));
    assert_ne!(cap, FailoverCap::default());
    cap.sweep(at(3_600));
    assert_eq!(cap, FailoverCap::default());
    cap.note(&chat(), &target("a/x"), at(0), at(0));
    cap.forget(&target("a/x"));
    assert_eq!(cap, FailoverCap::default());
}

proptest! {
    #[test]
    fn counts_of_a_window_are_those_of_its_minutes(calls in proptest::collection::vec((0..7_200_i64, 0..4_u8), 1..200)) {
        let mut calls = calls;
        calls.sort_unstable();
        let mut health = TargetHealth::default();
        for (second, outcome) in &calls {
            let now = at(*second);
            match outcome {
                0 => { answer(&mut health, now); }
                1 => fail(&mut health, FailureKind::Network, now),
                2 => fail(&mut health, FailureKind::BadRequest, now),
                _ => {
                    let permit = health.permit(NEVER, now).unwrap().permit;
                    health.cancelled(permit, now);
                }
            }
        }
        let now = calls.last().unwrap().0;
        let minutes_ago = |second: i64| now / MINUTE - second / MINUTE;
        let count = |kept: i64, outcome: u8| {
            let matching = calls.iter().filter(|(second, done)| minutes_ago(*second) < kept && *done == outcome);
            u32::try_from(matching.count()).unwrap()
        };
        let counts = health.summary(NEVER, at(now)).counts;
        prop_assert_eq!(
            [counts.succeeded, counts.failed, counts.refused, counts.cancelled],
            [count(15, 0), count(15, 1), count(15, 2), count(15, 3)]
        );
        let strip: u32 = health.strip(at(now)).iter().map(|minute| minute.counts.succeeded).sum();
        prop_assert_eq!(strip, count(60, 0));
    }
}
