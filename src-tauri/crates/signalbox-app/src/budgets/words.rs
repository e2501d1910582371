//! Budgets in plain words.

use signalbox_core::budget::{Action, Budget, Limits, Period};
use signalbox_core::money::NanoUsd;

/// What a budget does at its limit, and by how much it can be passed.
pub fn promise(budget: &Budget) -> String {
    if !budget.enabled {
        return "Off: it counts nothing and refuses nothing.".to_owned();
    }
    let limit = limits(&budget.limits);
    let does = match budget.action {
        Action::Notify => return "Notify only. This does not stop spending.".to_owned(),
        Action::Block => format!("Hard stop: requests that could exceed {limit} are refused."),
        Action::Downgrade => format!(
            "Hard stop: near {limit} only targets that still fit are tried, free ones last; then requests are refused."
        ),
        Action::RequireApproval => format!("Requests that could exceed {limit} wait for a person."),
    };
    format!("{does} {}", overrun(budget))
}

/// By how much it can be passed.
fn overrun(budget: &Budget) -> String {
    let most = budget.overrun_max();
    let most = Limits {
        cost: most.cost.filter(|cost| *cost > NanoUsd::ZERO),
        tokens: most.tokens.filter(|tokens| *tokens > 0),
        requests: None,
    };
    if most == Limits::default() {
        return "It is never passed.".to_owned();
    }
    format!("It can pass the limit by at most {}.", limits(&most))
}

/// `$50.00`, or whatever it is limited by.
pub(super) fn limits(limits: &Limits) -> String {
    let words = [
        limits.cost.map(NanoUsd::in_dollars),
        limits.tokens.map(|tokens| format!("{tokens} tokens")),
        limits.requests.map(|requests| format!("{requests} requests")),
    ];
    let words: Vec<String> = words.into_iter().flatten().collect();
    if words.is_empty() { "nothing".to_owned() } else { words.join(" or ") }
}

/// `per day`.
pub(super) const fn per(period: Period) -> &'static str {
    match period {
        Period::Day => "per day",
        Period::Week => "per week",
        Period::Month => "per month",
        Period::Total => "in total",
    }
}

/// What a draft changes, each in a sentence; empty when nothing changes.
pub(super) fn differences(before: Option<&Budget>, after: &Budget, counts: &str) -> Vec<String> {
    let Some(before) = before else {
        let limits = limits(&after.limits);
        return vec![format!("A new budget of {limits} {} counts {counts}.", per(after.period))];
    };
    let mut sentences = Vec::new();
    if before.name != after.name {
        sentences.push(format!("Its name is {} instead of {}.", after.name, before.name));
    }
    if before.limits != after.limits {
        let (was, is) = (limits(&before.limits), limits(&after.limits));
        sentences.push(format!("Its limit is {is} instead of {was}."));
    }
    if before.action != after.action {
        sentences.push(at_the_limit(after.action).to_owned());
    }
    if before.overrun_percent != after.overrun_percent {
        let (was, is) = (before.overrun_percent, after.overrun_percent);
        sentences.push(format!("It can be passed by at most {is} % instead of {was} %."));
    }
    if before.thresholds != after.thresholds {
        let percents: Vec<String> =
            after.thresholds.iter().map(|threshold| format!("{} %", threshold.percent)).collect();
        sentences.push(match percents.as_slice() {
            [] => "Nobody is told of any share of it.".to_owned(),
            percents => format!("Somebody is told at {}.", percents.join(", ")),
        });
    }
    if before.enabled != after.enabled {
        sentences.push(if after.enabled { "It is turned on." } else { "It is turned off." }.to_owned());
    }
    sentences
}

const fn at_the_limit(action: Action) -> &'static str {
    match action {
        Action::Notify => "At its limit nothing is stopped any more; somebody is told.",
        Action::Downgrade => "At its limit cheaper targets are tried, then requests are refused.",
        Action::RequireApproval => "At its limit requests wait for a person.",
        Action::Block => "At its limit requests are refused.",
    }
}

#[cfg(test)]
mod tests {
    use signalbox_core::budget::Scope;

    use super::*;

    fn budget() -> Budget {
        Budget::usual("All", Scope::Global, Period::Day, NanoUsd::from_nanos(5_000_000_000))
    }

    #[test]
    fn a_promise_says_what_is_refused_and_by_how_much_it_can_be_passed() {
        assert_eq!(
            promise(&budget()),
            "Hard stop: requests that could exceed $5.00 are refused. It can pass the limit by at most $0.25."
        );
        let strict = Budget { overrun_percent: 0, ..budget() };
        assert!(promise(&strict).ends_with("It is never passed."));
        let soft = Budget { action: Action::Notify, ..budget() };
        assert_eq!(promise(&soft), "Notify only. This does not stop spending.");
    }

    #[test]
    fn a_draft_that_changes_nothing_has_nothing_to_say() {
        let before = budget();
        assert!(differences(Some(&before), &before.clone(), "everything").is_empty());
        let lower = Budget {
            limits: Limits { cost: Some(NanoUsd::from_nanos(1_000_000_000)), ..Limits::default() },
            ..before.clone()
        };
        assert_eq!(differences(Some(&before), &lower, ""), ["Its limit is $1.00 instead of $5.00."]);
    }
}
