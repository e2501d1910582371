use super::*;
use crate::health::TargetView;
use crate::rule::Condition;

fn rule(name: &str, when: &str, effect: RuleEffect, targets: &[&str]) -> RouteRule {
    RouteRule {
        name: name.to_owned(),
        when: Condition::new(when).unwrap(),
        effect,
        targets: targets.iter().map(|text| target(text)).collect(),
    }
}

fn with_rules(rules: Vec<RouteRule>) -> Snapshot {
    let mut snapshot = snapshot(&["a/x", "b/x", "c/x"]);
    route_mut(&mut snapshot).rules = rules;
    snapshot
}

#[test]
fn a_rule_that_prefers_moves_its_targets_to_the_front_in_its_own_order() {
    let snapshot =
        with_rules(vec![rule("short", "input_tokens <= 100", RuleEffect::Prefer, &["c/x", "b/x"])]);
    let short = decided(&snapshot, |_| {});
    assert_eq!(chain(&short), ["c/x", "b/x", "a/x"]);
    let matched = MatchedRule { name: "short".to_owned(), effect: RuleEffect::Prefer };
    assert_eq!(short.rule, Some(matched));
    assert_eq!(short.candidates[0].verdict, Verdict::Accepted(Acceptance::Preferred));
    assert_eq!(short.candidates[2].verdict, Verdict::Accepted(Acceptance::Chain));
    assert_eq!(short.why_first().unwrap(), "the rule “short” prefers it");
    let long = decided(&snapshot, |ask| ask.features.bound.tokens_in = 101);
    assert_eq!((chain(&long).remove(0), long.rule), ("a/x".to_owned(), None));
}

#[test]
fn a_rule_that_insists_leaves_the_others_out_and_says_so() {
    let mut snapshot = with_rules(vec![rule("team", "tags.team == 'eu'", RuleEffect::Only, &["c/x", "b/x"])]);
    let tags = [("team".to_owned(), "eu".to_owned())];
    let decision = decided(&snapshot, |ask| ask.features.tags = Box::leak(Box::new(tags.clone())));
    assert_eq!(chain(&decision), ["b/x", "c/x"], "in the strategy's order");
    assert_eq!(rejection_of(&decision, "a/x"), Some(Rejection::RuledOut));
    let explained = decision.explain().find(|(candidate, _)| candidate.target == target("a/x")).unwrap().1;
    assert_eq!((explained.code, explained.order), ("ruled_out", None));
    assert_eq!(explained.reason, "the rule “team” wants other targets");
    provider_mut(&mut snapshot, "b").provider.enabled = false;
    provider_mut(&mut snapshot, "c").provider.enabled = false;
    let decision = decided(&snapshot, |ask| ask.features.tags = Box::leak(Box::new(tags)));
    assert!(chain(&decision).is_empty(), "a rule is not broken because its targets are away");
}

#[test]
fn only_the_first_rule_that_matches_counts() {
    let snapshot = with_rules(vec![
        rule("never", "has_images", RuleEffect::Only, &["a/x"]),
        rule("second", "true", RuleEffect::Prefer, &["b/x"]),
        rule("third", "true", RuleEffect::Only, &["c/x"]),
    ]);
    let decision = decided(&snapshot, |_| {});
    assert_eq!(chain(&decision), ["b/x", "a/x", "c/x"]);
    assert_eq!(decision.rule.unwrap().name, "second");
}

#[test]
fn a_rule_that_cannot_be_evaluated_does_not_match_and_is_reported() {
    let snapshot = with_rules(vec![
        rule("tagged", "tags.department == 'x'", RuleEffect::Only, &["c/x"]),
        rule("all", "true", RuleEffect::Prefer, &["b/x"]),
    ]);
    let decision = decided(&snapshot, |_| {});
    assert_eq!(chain(&decision).remove(0), "b/x");
    assert_eq!(decision.rule_faults.len(), 1);
    assert_eq!(decision.rule_faults[0].name, "tagged");
    assert!(decision.rule_faults[0].fault.contains("department"));
}

#[test]
fn a_client_that_pins_a_target_gets_it_whatever_the_rules_say() {
    let snapshot = with_rules(vec![rule("all", "true", RuleEffect::Only, &["c/x"])]);
    let pin = target("a/x");
    let decision = decided(&snapshot, |ask| ask.pinned = Some(&pin));
    assert_eq!((chain(&decision), decision.rule), (vec!["a/x".to_owned()], None));
}

#[test]
fn a_preferred_target_that_serves_badly_still_comes_after_those_that_serve_well() {
    let snapshot = with_rules(vec![rule("all", "true", RuleEffect::Prefer, &["c/x"])]);
    let view = TargetView { is_degraded: true, ..TargetView::default() };
    let health = HealthViews::from_iter([(target("c/x"), view)]);
    let decision = decided(&snapshot, |ask| ask.health = Box::leak(Box::new(health)));
    assert_eq!(chain(&decision), ["a/x", "b/x", "c/x"]);
    assert_eq!(decision.candidates[2].verdict, Verdict::Accepted(Acceptance::Degraded));
}

/// bifrost#3261: a 429 in routing rules never falls back.
#[test]
fn a_rule_gives_a_chain_and_not_one_target_so_a_429_falls_over_within_it() {
    let mut snapshot = with_rules(vec![rule("all", "true", RuleEffect::Prefer, &["b/x"])]);
    assert_eq!(chain(&decided(&snapshot, |_| {})), ["b/x", "a/x", "c/x"]);
    route_mut(&mut snapshot).rules = vec![rule("only", "true", RuleEffect::Only, &["b/x", "c/x"])];
    let cooling = TargetView {
        blocked: Some(crate::breaker::Blocked {
            until: Some(NOW.plus_micros(60_000_000)),
            why: crate::breaker::Block::CoolingDown,
        }),
        ..TargetView::default()
    };
    let health = HealthViews::from_iter([(target("b/x"), cooling)]);
    assert_eq!(chain(&decided(&snapshot, |ask| ask.health = Box::leak(Box::new(health)))), ["c/x"]);
}
