//! What a draft changes, in words.

use signalbox_core::approval::ApprovalPolicy;
use signalbox_core::route::{Balance, RouteRule, RouteTarget, Target};
use signalbox_core::snapshot::OperationEntry;

/// The change in words.
pub(super) fn differences(before: &OperationEntry, after: &OperationEntry) -> Vec<String> {
    let id = &after.operation.id;
    let mut sentences = Vec::new();
    match (before.operation.enabled, after.operation.enabled) {
        (false, true) => sentences.push(format!("{id} is switched on")),
        (true, false) => sentences.push(format!("{id} is switched off")),
        _ => {}
    }
    let (old, new) = (&before.route.targets, &after.route.targets);
    let place = |list: &[RouteTarget], target: &Target| list.iter().position(|card| card.target == *target);
    for card in old.iter().filter(|card| place(new, &card.target).is_none()) {
        sentences.push(format!("{} leaves the chain", card.target));
    }
    for (index, card) in new.iter().enumerate() {
        match place(old, &card.target) {
            None => sentences.push(format!("{} joins as {}", card.target, ordinal(index))),
            Some(was) => {
                if old[was].enabled != card.enabled {
                    let state = if card.enabled { "on" } else { "off" };
                    sentences.push(format!("{} is switched {state}", card.target));
                }
                sentences.extend(card_differences(&old[was], card));
            }
        }
    }
    sentences.extend(moves(old, new));
    sentences.extend(route_differences(before, after));
    sentences
}

/// What changes on one card of the chain, besides whether it is on.
fn card_differences(old: &RouteTarget, new: &RouteTarget) -> Vec<String> {
    let target = &new.target;
    let mut sentences = Vec::new();
    if old.weight != new.weight {
        sentences.push(format!("{target} gets the share {} instead of {}", new.weight, old.weight));
    }
    if old.timeout_ms != new.timeout_ms {
        let [from, to] =
            [old.timeout_ms, new.timeout_ms].map(|given| limit_in_words(given, "ms", "the usual time"));
        sentences.push(format!("{target} may take {to} instead of {from}"));
    }
    if old.max_output != new.max_output {
        let [from, to] = [old.max_output, new.max_output]
            .map(|given| limit_in_words(given, "tokens", "what the client asks"));
        sentences.push(format!("{target} may write {to} instead of {from}"));
    }
    sentences
}

fn limit_in_words(given: Option<u32>, unit: &str, none: &str) -> String {
    given.map_or_else(|| none.to_owned(), |given| format!("{given} {unit}"))
}

/// What changes on the route as a whole.
fn route_differences(before: &OperationEntry, after: &OperationEntry) -> Vec<String> {
    let (old, new) = (&before.route, &after.route);
    let mut sentences = Vec::new();
    if old.strategy != new.strategy {
        sentences.push(format!(
            "targets are picked by {} instead of {}",
            new.strategy.as_str(),
            old.strategy.as_str()
        ));
    }
    if old.balance != new.balance {
        let Balance { cost, latency, quality } = new.balance;
        sentences.push(format!("cost counts {cost} %, time {latency} %, quality {quality} %"));
    }
    for rule in old.rules.iter().filter(|rule| !new.rules.iter().any(|kept| kept.name == rule.name)) {
        sentences.push(format!("the rule `{}` is removed", rule.name));
    }
    for rule in &new.rules {
        match old.rules.iter().find(|known| known.name == rule.name) {
            None => sentences.push(format!("the rule `{}` is added: when {}", rule.name, rule.when)),
            Some(known) if known != rule => {
                sentences.push(format!("the rule `{}` changes: when {}", rule.name, rule.when));
            }
            Some(_) => {}
        }
    }
    sentences.extend(rule_order(&old.rules, &new.rules));
    if old.deadline_ms != new.deadline_ms {
        let [from, to] =
            [old.deadline_ms, new.deadline_ms].map(|given| limit_in_words(given, "ms", "the usual time"));
        sentences.push(format!("a request may take {to} over all attempts instead of {from}"));
    }
    if old.approval != new.approval {
        sentences.push(policy_in_words(new.approval.as_ref()));
    }
    let (old, new) = (&before.operation, &after.operation);
    if old.cache_ttl_s != new.cache_ttl_s {
        sentences.push(new.cache_ttl_s.map_or_else(
            || "identical requests no longer share an answer".to_owned(),
            |ttl| format!("identical requests share an answer for {ttl} s"),
        ));
    }
    if old.allowed_providers != new.allowed_providers {
        let names: Vec<String> = new.allowed_providers.iter().map(ToString::to_string).collect();
        sentences.push(if names.is_empty() {
            "its data may go to any provider of the route".to_owned()
        } else {
            format!("its data may go only to {}", names.join(", "))
        });
    }
    sentences
}

/// When its requests need a person, in words.
fn policy_in_words(policy: Option<&ApprovalPolicy>) -> String {
    let Some(policy) = policy else { return "its requests need nobody's approval".to_owned() };
    let mut when = Vec::new();
    if policy.always {
        when.push("always".to_owned());
    }
    if let Some(limit) = policy.above {
        when.push(format!("when it may cost more than ${limit}"));
    }
    if policy.budget_warned {
        when.push("when a budget has passed its warning".to_owned());
    }
    if let Some(rule) = &policy.rule {
        when.push(format!("when {rule}"));
    }
    let hold = match policy.hold_s {
        0 => "the client is told to come back".to_owned(),
        hold => format!("the client is kept waiting for up to {hold} s"),
    };
    format!(
        "a request needs a person {}; {hold}, and its approval is good for {} s",
        when.join(", or "),
        policy.expires_s
    )
}

/// The new order of the rules that stay: the first that matches counts, so another order is another route.
fn rule_order(old: &[RouteRule], new: &[RouteRule]) -> Option<String> {
    let stays = |list: &[RouteRule], other: &[RouteRule]| -> Vec<String> {
        let kept = |rule: &&RouteRule| other.iter().any(|known| known.name == rule.name);
        list.iter().filter(kept).map(|rule| format!("`{}`", rule.name)).collect()
    };
    let order = stays(new, old);
    (order != stays(old, new)).then(|| format!("the rules are looked at in the order {}", order.join(", ")))
}

/// Which of the targets that stay have changed places among each other.
fn moves(old: &[RouteTarget], new: &[RouteTarget]) -> Vec<String> {
    let stays = |list: &[RouteTarget], other: &[RouteTarget]| -> Vec<Target> {
        let kept = |card: &&RouteTarget| other.iter().any(|known| known.target == card.target);
        list.iter().filter(kept).map(|card| card.target.clone()).collect()
    };
    let mut order = stays(old, new);
    let mut sentences = Vec::new();
    for (index, target) in stays(new, old).into_iter().enumerate() {
        if order.get(index) == Some(&target) {
            continue;
        }
        order.retain(|known| *known != target);
        order.insert(index.min(order.len()), target.clone());
        let place = new.iter().position(|card| card.target == target).unwrap_or(index);
        sentences.push(format!("{target} moves to {}", ordinal(place)));
    }
    sentences
}

fn ordinal(index: usize) -> String {
    const WORDS: [&str; 5] = ["first", "second", "third", "fourth", "fifth"];
    WORDS.get(index).map_or_else(|| format!("number {}", index + 1), |word| (*word).to_owned())
}

#[cfg(test)]
mod tests {
    use signalbox_core::route::RuleEffect;
    use signalbox_core::rule::Condition;

    use super::*;

    fn chain(text: &str) -> Vec<RouteTarget> {
        let card = |text: &str| RouteTarget {
            weight: 1,
            timeout_ms: None,
            max_output: None,
            target: text.trim_start_matches('-').parse().unwrap(),
            enabled: !text.starts_with('-'),
        };
        text.split_whitespace().map(card).collect()
    }

    fn entry(targets: &str, enabled: bool) -> OperationEntry {
        let defaults = signalbox_core::defaults::Defaults::of_new_installation().unwrap();
        let mut entry = defaults.operations.into_iter().next().unwrap();
        entry.operation.enabled = enabled;
        entry.route.targets = chain(targets);
        entry
    }

    fn words(before: &str, after: &str) -> String {
        differences(&entry(before, true), &entry(after, true)).join("; ")
    }

    #[test]
    fn another_order_of_rules_is_a_change() {
        let rule = |name: &str| RouteRule {
            name: name.to_owned(),
            when: Condition::new("has_tools").unwrap(),
            effect: RuleEffect::Prefer,
            targets: chain("a/x").into_iter().map(|card| card.target).collect(),
        };
        let with = |names: [&str; 2]| {
            let mut entry = entry("a/x", true);
            entry.route.rules = names.map(rule).to_vec();
            entry
        };
        let (before, after) = (with(["one", "two"]), with(["two", "one"]));
        assert_eq!(differences(&before, &after), ["the rules are looked at in the order `two`, `one`"]);
        assert_eq!(differences(&before, &before), Vec::<String>::new());
        assert_eq!(differences(&with(["one", "two"]), &with(["two", "new"])).len(), 2);
    }

    #[test]
    fn a_change_of_route_is_told_in_words() {
        assert_eq!(words("a/x b/x", "a/x b/x"), "");
        assert_eq!(words("a/x b/x", "b/x a/x"), "b/x moves to first");
        assert_eq!(words("a/x b/x c/x", "c/x a/x b/x"), "c/x moves to first");
        assert_eq!(words("a/x", "c/x a/x"), "c/x joins as first");
        assert_eq!(words("a/x b/x", "b/x"), "a/x leaves the chain");
        assert_eq!(words("a/x b/x", "a/x -b/x"), "b/x is switched off");
        let (off, on) = (entry("a/x", false), entry("a/x", true));
        assert_eq!(differences(&off, &on), ["chat_message is switched on"]);
    }
}
