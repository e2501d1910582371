//! What users of other gateways complained about, and what the health of targets does to a decision.

use super::*;
use crate::breaker::{Block, Blocked, BreakerSettings};
use crate::failure::FailureKind;
use crate::health::{FAILOVERS_PER_HOUR, Failed, FailoverCap, TargetHealth, TargetView};
use crate::retry::wait_for_soonest;
use crate::time::MICROS_PER_SECOND;

const SETTINGS: BreakerSettings = BreakerSettings { failures: 3, window_s: 300, open_s: 300 };

const fn after(seconds: i64) -> Timestamp {
    NOW.plus_micros(seconds * MICROS_PER_SECOND)
}

fn blocked(why: Block, until: Option<Timestamp>) -> TargetView {
    TargetView { blocked: Some(Blocked { until, why }), ..TargetView::default() }
}

fn with(snapshot: &Snapshot, views: &[(&str, TargetView)]) -> Decision {
    let health: HealthViews = views.iter().map(|(text, view)| (target(text), *view)).collect();
    decided(snapshot, |ask| ask.health = Box::leak(Box::new(health)))
}

/// The health of a target after calls that failed so, all at [`NOW`].
fn failing(kinds: &[FailureKind], retry_after_s: Option<i64>) -> TargetHealth {
    let mut health = TargetHealth::default();
    let permits: Vec<_> = kinds.iter().map(|_| health.permit(SETTINGS, NOW).unwrap().permit).collect();
    for (permit, kind) in permits.into_iter().zip(kinds) {
        let failed = Failed {
            kind: *kind,
            message: String::new(),
            http_status: None,
            latency_us: 1,
            retry_after_us: retry_after_s.map(|seconds| seconds * MICROS_PER_SECOND),
            request: None,
        };
        let _ = health.failed(permit, &failed, SETTINGS, NOW);
    }
    health
}

#[test]
fn each_unwell_target_is_skipped_with_its_reason_and_when_it_is_back() {
    let snapshot = snapshot(&["open/x", "probe/x", "held/x", "key/x", "cool/x", "full/x", "cap/x", "ok/x"]);
    let decision = with(
        &snapshot,
        &[
            ("open/x", blocked(Block::CircuitOpen, Some(after(300)))),
            ("probe/x", blocked(Block::Probing, None)),
            ("held/x", blocked(Block::Held, None)),
            ("key/x", blocked(Block::InvalidKey, Some(after(200)))),
            ("cool/x", blocked(Block::CoolingDown, Some(after(30)))),
            ("full/x", TargetView { is_full: true, ..TargetView::default() }),
            ("cap/x", TargetView { capped_until: Some(after(900)), ..TargetView::default() }),
        ],
    );
    assert_eq!(chain(&decision), ["ok/x"]);
    for (text, reason, until) in [
        ("open/x", Rejection::CircuitOpen, Some(after(300))),
        ("probe/x", Rejection::Probing, None),
        ("held/x", Rejection::Held, None),
        ("key/x", Rejection::CredentialRefused, Some(after(200))),
        ("cool/x", Rejection::CoolingDown, Some(after(30))),
        ("full/x", Rejection::AtCapacity, None),
        ("cap/x", Rejection::FailoverCap, Some(after(900))),
    ] {
        let candidate = candidate(&decision, text);
        assert_eq!((candidate.verdict, candidate.until), (Verdict::Rejected(reason), until), "{text}");
    }
    assert_eq!((decision.cools_until(), decision.back_at(), decision.is_passing()), (None, None, false));
    let skipped = decision.explain().find(|(candidate, _)| candidate.target == target("open/x")).unwrap().1;
    assert_eq!(skipped.reason, "its circuit is open after too many failures, until 00:05:00 UTC");
}

#[test]
fn the_last_target_is_called_although_its_circuit_is_open_and_the_decision_says_despite_what() {
    let snapshot = snapshot(&["a/x"]);
    for (view, despite) in [
        (blocked(Block::CircuitOpen, Some(after(300))), Rejection::CircuitOpen),
        (blocked(Block::Probing, None), Rejection::Probing),
        (TargetView { capped_until: Some(after(9)), ..TargetView::default() }, Rejection::FailoverCap),
    ] {
        let decision = with(&snapshot, &[("a/x", view)]);
        assert_eq!(chain(&decision), ["a/x"]);
        let last = &decision.candidates[0];
        assert_eq!((last.verdict, last.despite), (Verdict::Accepted(Acceptance::LastResort), Some(despite)));
        assert!(last.is_last_resort());
        let (_, explained) = decision.explain().next().unwrap();
        assert_eq!((explained.order, explained.code), (Some(1), "last_resort"));
        assert!(explained.reason.ends_with("but there is no other target"));
    }
}

#[test]
fn a_target_is_left_alone_to_the_last_when_somebody_said_so_or_it_cannot_help() {
    let snapshot = snapshot(&["a/x"]);
    for view in [
        blocked(Block::Held, None),
        blocked(Block::InvalidKey, Some(after(300))),
        blocked(Block::CoolingDown, Some(after(30))),
        TargetView { is_full: true, ..TargetView::default() },
        TargetView { is_full: true, ..blocked(Block::CircuitOpen, Some(after(300))) },
    ] {
        let decision = with(&snapshot, &[("a/x", view)]);
        assert!(chain(&decision).is_empty(), "{view:?}");
        assert_eq!(decision.is_passing(), view.blocked.is_none_or(|blocked| blocked.why != Block::Held));
    }
}

#[test]
fn of_several_the_last_resort_is_the_one_that_is_least_unwell() {
    let snapshot = snapshot(&["a/x", "b/x", "c/x", "d/x"]);
    let open = blocked(Block::CircuitOpen, Some(after(300)));
    let probing = blocked(Block::Probing, None);
    let capped = TargetView { capped_until: Some(after(9)), ..TargetView::default() };
    let held = blocked(Block::Held, None);
    let all = |c, d| with(&snapshot, &[("a/x", held), ("b/x", open), ("c/x", c), ("d/x", d)]);
    assert_eq!(chain(&all(probing, capped)), ["d/x"]);
    assert_eq!(chain(&all(open, probing)), ["d/x"]);
    assert_eq!(chain(&all(open, open)), ["b/x"], "the first of equals, and only that one");
    assert_eq!(all(open, open).candidates.len(), 4);
}

#[test]
fn a_pinned_target_with_an_open_circuit_is_its_own_last_resort() {
    let snapshot = snapshot(&["a/x", "b/x"]);
    let pin = target("a/x");
    let health = HealthViews::from_iter([(pin.clone(), blocked(Block::CircuitOpen, Some(after(9))))]);
    let decision = decided(&snapshot, |ask| {
        ask.pinned = Some(&pin);
        ask.health = Box::leak(Box::new(health));
    });
    assert_eq!(chain(&decision), ["a/x"]);
    assert_eq!(decision.candidates[0].verdict, Verdict::Accepted(Acceptance::LastResort));
}

#[test]
fn targets_most_of_whose_calls_fail_come_after_the_others_but_stay_in_the_chain() {
    let snapshot = snapshot(&["a/x", "b/x", "c/x"]);
    let degraded = TargetView { is_degraded: true, ..TargetView::default() };
    let decision = with(&snapshot, &[("a/x", degraded), ("b/x", degraded)]);
    assert_eq!(chain(&decision), ["c/x", "a/x", "b/x"]);
    let only = with(&snapshot, &[("a/x", degraded), ("b/x", degraded), ("c/x", degraded)]);
    assert_eq!(chain(&only), ["a/x", "b/x", "c/x"]);
    assert!(only.why_first().unwrap().contains("too many of its calls fail"));
}

/// litellm#3646: all cooled → error instead of waiting the remaining second.
#[test]
fn when_every_target_cools_down_the_request_waits_for_the_soonest() {
    let snapshot = snapshot(&["a/x", "b/x"]);
    let cooling = |micros| blocked(Block::CoolingDown, Some(NOW.plus_micros(micros)));
    let decision = with(&snapshot, &[("a/x", cooling(60_000_000)), ("b/x", cooling(1_000_000))]);
    assert!(chain(&decision).is_empty());
    let soonest = decision.cools_until();
    assert_eq!(soonest, Some(after(1)));
    assert_eq!(wait_for_soonest(soonest, Some(5_000_000), NOW), Some(1_000_000));
    let long = with(&snapshot, &[("a/x", cooling(60_000_000)), ("b/x", cooling(30_000_000))]);
    assert_eq!(wait_for_soonest(long.cools_until(), None, NOW), None);
    assert_eq!((long.back_at(), long.is_passing()), (Some(after(30)), true), "the client is told when");
}

#[test]
fn a_target_that_cools_down_for_a_moment_is_waited_for_rather_than_calling_a_dead_one() {
    let snapshot = snapshot(&["dead/x", "busy/x"]);
    let dead = blocked(Block::CircuitOpen, Some(after(300)));
    let cooling = |micros| blocked(Block::CoolingDown, Some(NOW.plus_micros(micros)));
    let soon = with(&snapshot, &[("dead/x", dead), ("busy/x", cooling(WAIT_MAX_US))]);
    assert_eq!((chain(&soon).len(), soon.cools_until()), (0, Some(after(2))));
    let late = with(&snapshot, &[("dead/x", dead), ("busy/x", cooling(WAIT_MAX_US + 1))]);
    assert_eq!((chain(&late), late.cools_until()), (vec!["dead/x".to_owned()], None));
}

/// litellm#40130: a second, longer cooldown does not extend the first.
#[test]
fn a_second_longer_cool_down_extends_the_first_and_the_decision_knows() {
    let snapshot = snapshot(&["a/x", "b/x"]);
    let mut health = failing(&[FailureKind::RateLimit; 2], Some(5));
    assert_eq!(with(&snapshot, &[("a/x", health.view(SETTINGS, NOW))]).candidates[1].until, Some(after(5)));
    let mut longer = failing(&[FailureKind::RateLimit], Some(5));
    let permit = TargetHealth::default().permit(SETTINGS, NOW).unwrap().permit;
    let failed = Failed {
        kind: FailureKind::RateLimit,
        message: String::new(),
        http_status: Some(429),
        latency_us: 1,
        retry_after_us: Some(60 * MICROS_PER_SECOND),
        request: None,
    };
    let _ = longer.failed(permit, &failed, SETTINGS, after(1));
    let decision = with(&snapshot, &[("a/x", longer.view(SETTINGS, after(2)))]);
    assert_eq!(chain(&decision), ["b/x"]);
    assert_eq!(candidate(&decision, "a/x").until, Some(after(61)));
}

/// agentgateway#1500: needs rate-limit headers to fail over; 503 never failed over.
#[test]
fn a_429_without_headers_and_a_503_both_move_on() {
    let snapshot = snapshot(&["a/x", "b/x"]);
    let mut limited = failing(&[FailureKind::RateLimit], None);
    assert_eq!(chain(&with(&snapshot, &[("a/x", limited.view(SETTINGS, NOW))])), ["b/x"]);
    let mut overloaded = failing(&[FailureKind::Overloaded; 3], None);
    assert_eq!(chain(&with(&snapshot, &[("a/x", overloaded.view(SETTINGS, NOW))])), ["b/x"]);
    assert!(FailureKind::Overloaded.fails_over() && FailureKind::RateLimit.fails_over());
}

/// langwatch#7027: four hours of 100 % 429, never moved on.
#[test]
fn a_target_that_only_ever_says_429_is_left_for_the_next_one() {
    let snapshot = snapshot(&["a/x", "b/x"]);
    let mut health = TargetHealth::default();
    for minute in 0..240 {
        let now = after(minute * 60);
        if let Ok(permitted) = health.permit(SETTINGS, now) {
            let failed = Failed {
                kind: FailureKind::RateLimit,
                message: String::new(),
                http_status: Some(429),
                latency_us: 1,
                retry_after_us: None,
                request: None,
            };
            let _ = health.failed(permitted.permit, &failed, SETTINGS, now);
        }
        let view = health.view(SETTINGS, now.plus_micros(1));
        assert_eq!(chain(&with(&snapshot, &[("a/x", view)])).remove(0), "b/x", "minute {minute}");
    }
}

/// hermes-agent#71336: 500/502 not in the failover class; local-operator#198: every message replays the whole dead chain.
#[test]
fn a_dead_chain_is_not_replayed_on_every_message() {
    let snapshot = snapshot(&["a/x", "b/x", "c/x"]);
    let mut dead = failing(&[FailureKind::ServerError; 3], None);
    let view = dead.view(SETTINGS, after(1));
    assert_eq!(chain(&with(&snapshot, &[("a/x", view), ("b/x", view)])), ["c/x"]);
    let all = with(&snapshot, &[("a/x", view), ("b/x", view), ("c/x", view)]);
    assert_eq!(chain(&all), ["a/x"], "one call finds out, the others are not asked");
}

/// bifrost#5876: healthy keys unused because rotation shares the retry counter.
#[test]
fn the_failures_of_one_target_take_nothing_from_another() {
    let snapshot = snapshot(&["a/x", "b/x", "c/x"]);
    let mut dead = failing(&[FailureKind::InvalidKey], None);
    let decision = with(&snapshot, &[("a/x", dead.view(SETTINGS, after(1)))]);
    assert_eq!(chain(&decision), ["b/x", "c/x"]);
    assert_eq!(rejection_of(&decision, "a/x"), Some(Rejection::CredentialRefused));
}

/// website#884: without eviction set it never will.
#[test]
fn targets_are_left_alone_by_default_and_nobody_has_to_set_anything() {
    let settings = crate::snapshot::Settings::default().breaker;
    assert_eq!((settings.failures, settings.window_s, settings.open_s), (3, 300, 300));
}

#[test]
fn the_sixth_failover_of_an_hour_does_not_happen_because_the_target_is_skipped() {
    let snapshot = snapshot(&["a/x", "b/x"]);
    let chat = OperationId::new("chat").unwrap();
    let mut cap = FailoverCap::default();
    let view = |cap: &FailoverCap| TargetView {
        capped_until: cap.until(&chat, &target("a/x"), NOW),
        ..TargetView::default()
    };
    for _ in 0..FAILOVERS_PER_HOUR {
        assert_eq!(chain(&with(&snapshot, &[("a/x", view(&cap))])).remove(0), "a/x");
        cap.note(&chat, &target("a/x"), NOW, NOW);
    }
    let decision = with(&snapshot, &[("a/x", view(&cap))]);
    assert_eq!(chain(&decision), ["b/x"]);
    assert_eq!(rejection_of(&decision, "a/x"), Some(Rejection::FailoverCap));
}
