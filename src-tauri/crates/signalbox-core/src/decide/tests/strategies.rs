use proptest::prelude::*;

use super::*;
use crate::health::TargetView;
use crate::route::{Balance, Strategy};

/// A snapshot of three priced targets with that strategy.
fn by(strategy: Strategy) -> Snapshot {
    let mut snapshot = snapshot(&["a/x", "b/x", "c/x"]);
    route_mut(&mut snapshot).strategy = strategy;
    snapshot
}

/// Dollars per million tokens in and out.
fn set_price(snapshot: &mut Snapshot, text: &str, input: &str, output: &str) {
    let price = |text| usd_per_million(text).unwrap();
    let units = [(Unit::InputTokens, price(input)), (Unit::OutputTokens, price(output))];
    model_mut(snapshot, text).cards = vec![PriceCard::of_tokens(Timestamp::from_micros(0), units)];
}

fn taking(times: &[(&str, Option<i64>)]) -> HealthViews {
    times
        .iter()
        .map(|(text, p50_us)| (target(text), TargetView { p50_us: *p50_us, ..TargetView::default() }))
        .collect()
}

fn score(decision: &Decision, text: &str) -> Option<Score> {
    candidate(decision, text).score
}

#[test]
fn cheapest_is_the_lowest_cost_of_this_very_request_and_unpriced_comes_last() {
    let mut snapshot = by(Strategy::Cheapest);
    set_price(&mut snapshot, "a/x", "1", "20");
    set_price(&mut snapshot, "b/x", "2", "2");
    model_mut(&mut snapshot, "c/x").cards.clear();
    let with = |tokens_in, tokens_out_max| {
        decided(&snapshot, |ask| ask.features.bound = Bound { tokens_in, tokens_out_max, ..Bound::default() })
    };
    let long_answer = with(100, 100);
    assert_eq!(chain(&long_answer), ["b/x", "a/x", "c/x"]);
    assert_eq!(score(&long_answer, "b/x"), Some(Score::Cost(NanoUsd::from_nanos(400_000))));
    assert_eq!(score(&long_answer, "c/x"), None);
    assert_eq!(chain(&with(1_000, 10)), ["a/x", "b/x", "c/x"], "a long question is cheaper at the other one");
}

#[test]
fn equal_costs_keep_the_order_of_the_chain() {
    assert_eq!(chain(&decided(&by(Strategy::Cheapest), |_| {})), ["a/x", "b/x", "c/x"]);
    assert_eq!(chain(&decided(&by(Strategy::Balanced), |_| {})), ["a/x", "b/x", "c/x"]);
    assert_eq!(chain(&decided(&by(Strategy::Fastest), |_| {})), ["a/x", "b/x", "c/x"]);
    assert_eq!(chain(&decided(&by(Strategy::Quality), |_| {})), ["a/x", "b/x", "c/x"]);
}

#[test]
fn fastest_is_the_shortest_usual_answer() {
    let health = taking(&[("a/x", Some(900)), ("b/x", Some(700)), ("c/x", Some(701))]);
    let decision = decided(&by(Strategy::Fastest), |ask| ask.health = Box::leak(Box::new(health)));
    assert_eq!(chain(&decision), ["b/x", "c/x", "a/x"]);
    assert_eq!(score(&decision, "b/x"), Some(Score::Latency { us: 700, assumed: false }));
}

#[test]
fn a_target_nobody_has_measured_counts_as_the_median_and_goes_before_its_equals() {
    let two = taking(&[("a/x", Some(300))]);
    let decision = decided(&by(Strategy::Fastest), |ask| ask.health = Box::leak(Box::new(two)));
    assert_eq!(chain(&decision), ["b/x", "c/x", "a/x"], "new ones get tried, in the chain's order");
    assert_eq!(score(&decision, "c/x"), Some(Score::Latency { us: 300, assumed: true }));
    let three = taking(&[("a/x", Some(900)), ("b/x", Some(100))]);
    let decision = decided(&by(Strategy::Fastest), |ask| ask.health = Box::leak(Box::new(three)));
    assert_eq!(chain(&decision), ["c/x", "b/x", "a/x"], "the lower of two is the median");
    let nobody = decided(&by(Strategy::Fastest), |_| {});
    assert_eq!(score(&nobody, "a/x"), None);
}

#[test]
fn quality_is_the_best_known_one_and_unknown_comes_last() {
    let mut snapshot = by(Strategy::Quality);
    model_mut(&mut snapshot, "b/x").model.quality = Some(70);
    model_mut(&mut snapshot, "c/x").model.quality = Some(85);
    let decision = decided(&snapshot, |_| {});
    assert_eq!(chain(&decision), ["c/x", "b/x", "a/x"]);
    assert_eq!((score(&decision, "c/x"), score(&decision, "a/x")), (Some(Score::Quality(85)), None));
    model_mut(&mut snapshot, "a/x").model.quality = Some(0);
    assert_eq!(chain(&decided(&snapshot, |_| {})), ["c/x", "b/x", "a/x"]);
}

#[test]
fn balanced_is_the_formula_to_the_millionth() {
    let mut snapshot = by(Strategy::Balanced);
    // 100 tokens in and 100 out at $4 per million are 0.4 of a cent per thousand.
    set_price(&mut snapshot, "a/x", "4", "4");
    model_mut(&mut snapshot, "a/x").model.quality = Some(90);
    // Dearer than a cent per thousand, slower than a second, of unknown quality: the worst there is.
    set_price(&mut snapshot, "b/x", "100", "100");
    // Free, at once, perfect.
    set_price(&mut snapshot, "c/x", "0", "0");
    model_mut(&mut snapshot, "c/x").model.quality = Some(100);
    let health = taking(&[("a/x", Some(250_000)), ("b/x", Some(5_000_000)), ("c/x", Some(0))]);
    let decision = decided(&snapshot, |ask| {
        ask.features.bound = Bound { tokens_in: 100, tokens_out_max: 100, ..Bound::default() };
        ask.health = Box::leak(Box::new(health));
    });
    assert_eq!(chain(&decision), ["c/x", "a/x", "b/x"]);
    let a = Score::Balanced { total: 295_000, cost: 400_000, latency: 250_000, quality: 100_000 };
    assert_eq!(score(&decision, "a/x"), Some(a), "0.5·0.4 + 0.3·0.25 + 0.2·(1 − 9/10)");
    let b = Score::Balanced { total: 1_000_000, cost: 1_000_000, latency: 1_000_000, quality: 1_000_000 };
    assert_eq!(score(&decision, "b/x"), Some(b));
    let c = Score::Balanced { total: 0, cost: 0, latency: 0, quality: 0 };
    assert_eq!(score(&decision, "c/x"), Some(c));
}

#[test]
fn the_weights_of_the_balance_are_the_routes_own() {
    let mut snapshot = by(Strategy::Balanced);
    set_price(&mut snapshot, "a/x", "0", "0");
    set_price(&mut snapshot, "b/x", "9", "9");
    model_mut(&mut snapshot, "b/x").model.quality = Some(100);
    set_price(&mut snapshot, "c/x", "9", "9");
    let health =
        || Box::leak(Box::new(taking(&[("a/x", Some(900_000)), ("b/x", Some(900_000)), ("c/x", Some(1))])));
    let mut first = |cost, latency, quality| {
        route_mut(&mut snapshot).balance = Balance { cost, latency, quality };
        chain(&decided(&snapshot, |ask| ask.health = health())).remove(0)
    };
    assert_eq!(first(100, 0, 0), "a/x");
    assert_eq!(first(0, 0, 100), "b/x");
    assert_eq!(first(0, 100, 0), "c/x");
    assert_eq!(first(0, 0, 0), "a/x", "nothing counts: the chain's order");
}

#[test]
fn in_a_balance_an_unmeasured_time_is_the_median_and_a_missing_price_the_worst() {
    let mut snapshot = by(Strategy::Balanced);
    model_mut(&mut snapshot, "b/x").cards.clear();
    let health = taking(&[("a/x", Some(400_000))]);
    let decision = decided(&snapshot, |ask| ask.health = Box::leak(Box::new(health)));
    let Some(Score::Balanced { cost, latency, .. }) = score(&decision, "b/x") else { panic!("no score") };
    assert_eq!((cost, latency), (1_000_000, 400_000));
    assert_eq!(chain(&decision), ["a/x", "c/x", "b/x"]);
}

#[test]
fn speech_and_sound_have_their_own_thousands_in_a_balance() {
    let mut snapshot = by(Strategy::Balanced);
    let price = |nanos, per| crate::money::UnitPrice::new(NanoUsd::from_nanos(nanos), per).unwrap();
    let card =
        |unit, nanos, per| vec![PriceCard::of_tokens(Timestamp::from_micros(0), [(unit, price(nanos, per))])];
    // Half a cent per thousand characters, and per minute.
    model_mut(&mut snapshot, "a/x").cards = card(Unit::Characters, 5_000_000, 1_000);
    let cost_of = |snapshot: &Snapshot, bound| {
        let decision = decided(snapshot, |ask| ask.features.bound = bound);
        match score(&decision, "a/x") {
            Some(Score::Balanced { cost, .. }) => cost,
            _ => panic!("no score"),
        }
    };
    assert_eq!(cost_of(&snapshot, Bound { characters: 2_000, ..Bound::default() }), 500_000);
    model_mut(&mut snapshot, "a/x").cards = card(Unit::AudioMilliseconds, 5_000_000, 60_000);
    assert_eq!(cost_of(&snapshot, Bound { audio_milliseconds: 120_000, ..Bound::default() }), 500_000);
    model_mut(&mut snapshot, "a/x").cards = card(Unit::Requests, 5_000_000, 1);
    assert_eq!(cost_of(&snapshot, Bound::default()), 500_000, "without a size it counts as a thousand");
}

fn weights(snapshot: &mut Snapshot, weights: &[u32]) {
    for (card, weight) in route_mut(snapshot).targets.iter_mut().zip(weights) {
        card.weight = *weight;
    }
}

fn first_of(snapshot: &Snapshot, lot: u64) -> String {
    chain(&decided(snapshot, |ask| ask.lot = lot)).remove(0)
}

#[test]
fn a_draw_gives_each_target_exactly_its_share_and_the_rest_follow_by_weight() {
    let mut snapshot = by(Strategy::Weighted);
    weights(&mut snapshot, &[1, 7, 2]);
    let firsts: Vec<String> = (0..10).map(|lot| first_of(&snapshot, lot)).collect();
    assert_eq!(firsts[0], "a/x");
    assert!(firsts[1..8].iter().all(|first| first == "b/x"));
    assert!(firsts[8..].iter().all(|first| first == "c/x"));
    assert_eq!(first_of(&snapshot, 10), "a/x", "it goes round");
    let decision = decided(&snapshot, |_| {});
    assert_eq!(chain(&decision), ["a/x", "b/x", "c/x"]);
    assert_eq!(score(&decision, "a/x"), Some(Score::Weight { weight: 1, drawn: true }));
    assert_eq!(score(&decision, "b/x"), Some(Score::Weight { weight: 7, drawn: false }));
    let last = decided(&snapshot, |ask| ask.lot = 9);
    assert_eq!(chain(&last), ["c/x", "b/x", "a/x"]);
}

#[test]
fn a_target_of_no_weight_is_only_a_fallback_and_weights_of_nothing_are_the_chain() {
    let mut snapshot = by(Strategy::Weighted);
    weights(&mut snapshot, &[0, 3, 0]);
    assert!((0..20).all(|lot| first_of(&snapshot, lot) == "b/x"));
    assert_eq!(chain(&decided(&snapshot, |_| {})), ["b/x", "a/x", "c/x"]);
    weights(&mut snapshot, &[0, 0, 0]);
    assert_eq!(chain(&decided(&snapshot, |_| {})), ["a/x", "b/x", "c/x"]);
}

#[test]
fn a_switched_off_target_has_no_share_and_an_unwell_one_leaves_the_others_theirs() {
    let mut snapshot = by(Strategy::Weighted);
    weights(&mut snapshot, &[1, 1, 1]);
    route_mut(&mut snapshot).targets[1].enabled = false;
    assert_eq!([0, 1, 2, 3].map(|lot| first_of(&snapshot, lot)), ["a/x", "c/x", "a/x", "c/x"]);
    route_mut(&mut snapshot).targets[1].enabled = true;
    let full = || {
        let view = TargetView { is_full: true, ..TargetView::default() };
        Box::leak(Box::new(HealthViews::from_iter([(target("b/x"), view)])))
    };
    let firsts = [0, 1, 2].map(|lot| {
        chain(&decided(&snapshot, |ask| {
            ask.lot = lot;
            ask.health = full();
        }))
        .remove(0)
    });
    assert_eq!(firsts, ["a/x", "a/x", "c/x"], "only the second one's own share moves");
}

#[test]
fn scores_are_said_in_words() {
    let words = |score: Score| score.in_words();
    assert_eq!(words(Score::Cost(NanoUsd::from_nanos(210_000))), "$0.00021");
    assert_eq!(words(Score::Latency { us: 412_900, assumed: false }), "412 ms");
    assert_eq!(words(Score::Latency { us: 300_000, assumed: true }), "not measured yet, taken for 300 ms");
    assert_eq!(words(Score::Quality(85)), "quality 8.5 of 10");
    let balanced = Score::Balanced { total: 295_499, cost: 400_000, latency: 1_000_000, quality: 99_500 };
    assert_eq!(words(balanced), "0.295 (cost 0.400, time 1.000, quality 0.100)");
    assert_eq!(words(Score::Weight { weight: 7, drawn: true }), "weight 7, drawn");
    assert_eq!(words(Score::Weight { weight: 7, drawn: false }), "weight 7");
}

#[test]
fn each_strategy_says_why_its_first_target_is_first() {
    for (strategy, words) in [
        (Strategy::Priority, "it is the first of the chain"),
        (Strategy::Cheapest, "this request costs least there: $0.00012"),
        (Strategy::Fastest, "it usually answers soonest: 1 ms"),
        (Strategy::Quality, "its quality is the highest: quality 9.0 of 10"),
        (Strategy::Balanced, "its mix of cost, time and quality is the best: 0.075"),
        (Strategy::Weighted, "the draw by weight fell on it: weight 1, drawn"),
    ] {
        let mut snapshot = by(strategy);
        model_mut(&mut snapshot, "a/x").model.quality = Some(90);
        let health = taking(&[("a/x", Some(1_000)), ("b/x", Some(9_000)), ("c/x", Some(9_000))]);
        let decision = decided(&snapshot, |ask| ask.health = Box::leak(Box::new(health)));
        let why = decision.why_first().unwrap();
        assert!(why.starts_with(words), "{strategy:?}: {why}");
        let explained: Vec<_> = decision.explain().map(|(_, explanation)| explanation).collect();
        assert_eq!((explained[0].order, explained[0].code), (Some(1), "first"));
        assert_eq!(explained[0].reason, why);
        assert_eq!((explained[1].order, explained[1].code), (Some(2), "standby"));
    }
}

proptest! {
    #[test]
    fn whatever_the_strategy_each_target_is_considered_exactly_once(
        strategy in proptest::sample::select(Strategy::ALL),
        times in proptest::collection::vec(proptest::option::of(0..3_000_000_i64), 3),
        qualities in proptest::collection::vec(proptest::option::of(0..=100_u32), 3),
        shares in proptest::collection::vec(0..100_u32, 3),
        blocked in proptest::collection::vec(any::<(bool, bool)>(), 3),
        lot in any::<u64>(),
    ) {
        let mut snapshot = by(strategy);
        weights(&mut snapshot, &shares);
        let names = ["a/x", "b/x", "c/x"];
        let mut health = HealthViews::default();
        for (place, name) in names.iter().enumerate() {
            model_mut(&mut snapshot, name).model.quality = qualities[place];
            let (is_full, is_degraded) = blocked[place];
            let view = TargetView { p50_us: times[place], is_full, is_degraded, ..TargetView::default() };
            health.insert(target(name), view);
        }
        let operation = OperationId::new("chat").unwrap();
        let features = Features::of(Surface::OpenaiChat, Bound { tokens_in: 7, tokens_out_max: 3, ..Bound::default() });
        let ask = Ask { health: &health, lot, ..Ask::of(&operation, features) };
        let decision = decide(&snapshot, &ask, NOW).unwrap();
        let mut considered: Vec<String> =
            decision.candidates.iter().map(|candidate| candidate.target.to_string()).collect();
        considered.sort();
        prop_assert_eq!(considered, names);
        let accepted: Vec<bool> = decision.candidates.iter().map(Candidate::is_accepted).collect();
        prop_assert!(accepted.is_sorted_by(|left, right| left >= right), "the chain comes first");
        prop_assert_eq!(accepted.iter().filter(|yes| **yes).count(), blocked.iter().filter(|(full, _)| !full).count());
        let degraded: Vec<bool> = decision
            .chain()
            .map(|candidate| candidate.verdict == Verdict::Accepted(Acceptance::Degraded))
            .collect();
        prop_assert!(degraded.is_sorted(), "the degraded come last");
        let json = serde_json::to_string(&decision).unwrap();
        prop_assert_eq!(serde_json::from_str::<Decision>(&json).unwrap(), decision.clone());
        prop_assert_eq!(decide(&snapshot, &ask, NOW).unwrap(), decision, "the same input gives the same decision");
    }
}
