//! A draft of a route: read field by field, with every fault named.

use std::ops::RangeInclusive;

use signalbox_core::approval::{ApprovalPolicy, ApprovalRule, EXPIRES_S, HOLD_S_MAX};
use signalbox_core::decide::{Rejection, readiness};
use signalbox_core::ids::{InvalidId, ProviderName};
use signalbox_core::money::NanoUsd;
use signalbox_core::operation::Operation;
use signalbox_core::route::{
    Balance, Route, RouteRule, RouteTarget, RuleEffect, Strategy, Target, check_targets,
};
use signalbox_core::rule::Condition;
use signalbox_core::snapshot::{OperationEntry, Snapshot};

use super::current;
use crate::dto;

/// How long a target may take to begin. Units: milliseconds.
const TIMEOUT_MS: RangeInclusive<u32> = 100..=600_000;
/// How long a request may take over all attempts. Units: milliseconds.
const DEADLINE_MS: RangeInclusive<u32> = 500..=3_600_000;
/// How long answers may be shared. Units: seconds.
const CACHE_TTL_S: RangeInclusive<u32> = 1..=2_592_000;
/// Largest share of a target.
const WEIGHT_MAX: u32 = 10_000;
/// Most rules of a route: each is looked at for every request.
const RULES_MAX: usize = 16;
/// Longest name of a rule.
const RULE_NAME_CHARS_MAX: usize = 80;

/// The operation as the draft wants it, as far as it can be read, and every fault with its field.
pub(crate) fn proposed(
    snapshot: &Snapshot,
    before: &OperationEntry,
    draft: &dto::RouteDraft,
) -> (OperationEntry, Vec<dto::Problem>) {
    let (targets, mut problems) = parse_targets(snapshot, draft);
    let rules = parse_rules(draft, &targets, &mut problems);
    let strategy = Strategy::from_word(&draft.strategy).unwrap_or_else(|| {
        problems.push(problem("strategy", format!("There is no strategy `{}`.", draft.strategy)));
        before.route.strategy
    });
    let balance =
        Balance { cost: draft.balance.cost, latency: draft.balance.latency, quality: draft.balance.quality };
    let sum = [balance.cost, balance.latency, balance.quality]
        .iter()
        .try_fold(0_u32, |sum, part| sum.checked_add(*part));
    if sum != Some(100) {
        problems.push(problem("balance", "Cost, time and quality must add up to 100 percent.".to_owned()));
    }
    if strategy == Strategy::Weighted
        && !targets.is_empty()
        && targets.iter().filter(|card| card.enabled).all(|card| card.weight == 0)
    {
        problems.push(problem("targets", "At least one target that is on needs a share above 0.".to_owned()));
    }
    for (field, given, range) in
        [("deadline_ms", draft.deadline_ms, DEADLINE_MS), ("cache_ttl_s", draft.cache_ttl_s, CACHE_TTL_S)]
    {
        if let Some(given) = given.filter(|given| !range.contains(given)) {
            problems.push(problem(
                field,
                format!("{given} is not between {} and {}.", range.start(), range.end()),
            ));
        }
    }
    let allowed_providers = draft
        .allowed_providers
        .iter()
        .filter_map(|name| match ProviderName::new(name) {
            Ok(name) => Some(name),
            Err(error) => {
                problems.push(problem("allowed_providers", format!("{error}.")));
                None
            }
        })
        .collect();
    let operation = Operation {
        enabled: draft.enabled,
        cache_ttl_s: draft.cache_ttl_s,
        allowed_providers,
        ..before.operation.clone()
    };
    let route = Route {
        operation: operation.id.clone(),
        version: before.route.version.saturating_add(1),
        strategy,
        targets,
        rules,
        balance,
        deadline_ms: draft.deadline_ms,
        approval: draft.approval.as_ref().and_then(|policy| parse_policy(policy, &mut problems)),
    };
    (OperationEntry { operation, route }, problems)
}

fn problem(field: impl Into<String>, message: String) -> dto::Problem {
    dto::Problem { field: field.into(), message }
}

/// The policy as far as it can be read, and every fault with its field. One that never asks is none.
fn parse_policy(draft: &dto::ApprovalPolicy, problems: &mut Vec<dto::Problem>) -> Option<ApprovalPolicy> {
    let above = draft.above.as_ref().and_then(|amount| match amount.0.parse::<i64>() {
        Ok(nanos) if nanos >= 0 => Some(NanoUsd::from_nanos(nanos)),
        _ => {
            problems.push(problem("approval.above", "An amount of 0 or more dollars.".to_owned()));
            None
        }
    });
    let text = draft.rule.as_deref().map(str::trim).filter(|rule| !rule.is_empty());
    let rule = text.and_then(|text| {
        let fault = |error| problems.push(problem("approval.rule", format!("{error}.")));
        ApprovalRule::new(text).map_err(fault).ok()
    });
    if draft.hold_s > HOLD_S_MAX {
        problems.push(problem(
            "approval.hold_s",
            format!("A client is kept waiting for at most {HOLD_S_MAX} s."),
        ));
    }
    if !EXPIRES_S.contains(&draft.expires_s) {
        let message =
            format!("{} s is not between {} and {} s.", draft.expires_s, EXPIRES_S.start(), EXPIRES_S.end());
        problems.push(problem("approval.expires_s", message));
    }
    let (always, budget_warned) = (draft.always, draft.budget_warned);
    let (hold_s, expires_s) = (draft.hold_s, draft.expires_s);
    let policy = ApprovalPolicy { always, above, budget_warned, rule, hold_s, expires_s };
    policy.asks_at_all().then_some(policy)
}

pub(super) fn shown_policy(policy: &ApprovalPolicy) -> dto::ApprovalPolicy {
    dto::ApprovalPolicy {
        always: policy.always,
        above: policy.above.map(Into::into),
        budget_warned: policy.budget_warned,
        rule: policy.rule.as_ref().map(ToString::to_string),
        hold_s: policy.hold_s,
        expires_s: policy.expires_s,
    }
}

/// The rules that can be read, and every fault with its field.
fn parse_rules(
    draft: &dto::RouteDraft,
    targets: &[RouteTarget],
    problems: &mut Vec<dto::Problem>,
) -> Vec<RouteRule> {
    if draft.rules.len() > RULES_MAX {
        problems.push(problem("rules", format!("A route has at most {RULES_MAX} rules.")));
    }
    let mut rules = Vec::with_capacity(draft.rules.len());
    for (index, rule) in draft.rules.iter().enumerate() {
        let at = |field: &str| format!("rules[{index}].{field}");
        let earlier = draft.rules.iter().take(index).map(|rule| rule.name.as_str());
        if let Some(message) = name_fault(&rule.name, earlier) {
            problems.push(problem(at("name"), message.to_owned()));
        }
        let when = Condition::new(&rule.when)
            .map_err(|error| problems.push(problem(at("when"), format!("{error}."))))
            .ok();
        let effect = RuleEffect::from_word(&rule.effect);
        if effect.is_none() {
            problems.push(problem(at("effect"), format!("There is no effect `{}`.", rule.effect)));
        }
        if rule.targets.is_empty() {
            problems.push(problem(at("targets"), "A rule needs at least one target.".to_owned()));
        }
        let mut chosen = Vec::with_capacity(rule.targets.len());
        for text in &rule.targets {
            match text.parse::<Target>() {
                Ok(target) if targets.iter().any(|card| card.target == target) => chosen.push(target),
                _ => problems.push(problem(at("targets"), format!("{text} is not in the chain."))),
            }
        }
        if let (Some(when), Some(effect)) = (when, effect) {
            rules.push(RouteRule { name: rule.name.trim().to_owned(), when, effect, targets: chosen });
        }
    }
    rules
}

/// Receipts and the history tell rules apart by their names.
fn name_fault<'a>(name: &str, mut earlier: impl Iterator<Item = &'a str>) -> Option<&'static str> {
    let name = name.trim();
    if name.is_empty() {
        return Some("A rule needs a name.");
    }
    if name.chars().count() > RULE_NAME_CHARS_MAX || name.chars().any(char::is_control) {
        return Some("A name has at most 80 characters, without line breaks.");
    }
    earlier.any(|known| known.trim() == name).then_some("Another rule has this name.")
}

pub(super) fn shown_rule(rule: &RouteRule) -> dto::RouteRule {
    dto::RouteRule {
        name: rule.name.clone(),
        when: rule.when.to_string(),
        effect: rule.effect.as_str().to_owned(),
        targets: rule.targets.iter().map(ToString::to_string).collect(),
    }
}

/// When the next target takes over.
pub(super) fn trip_in_words(card: &RouteTarget) -> String {
    let timeout = card.timeout_ms.map_or_else(
        || "does not answer in time".to_owned(),
        |timeout| format!("does not begin to answer within {} s", f64::from(timeout) / 1000.0),
    );
    format!("if it fails or is overloaded, {timeout}, or its circuit is open")
}

/// The targets that can be read, and every fault with its field.
fn parse_targets(snapshot: &Snapshot, draft: &dto::RouteDraft) -> (Vec<RouteTarget>, Vec<dto::Problem>) {
    let mut problems = Vec::new();
    let mut targets = Vec::with_capacity(draft.targets.len());
    for (index, card) in draft.targets.iter().enumerate() {
        let parsed: Result<Target, InvalidId> = format!("{}/{}", card.provider, card.model).parse();
        let fault = match &parsed {
            Err(error) => Some(format!("{error}.")),
            Ok(target) => fault_of(snapshot, draft, target),
        };
        if let Some(message) = fault {
            problems.push(dto::Problem { field: format!("targets[{index}].model"), message });
        }
        if let Some(timeout) = card.timeout_ms.filter(|timeout| !TIMEOUT_MS.contains(timeout)) {
            let message =
                format!("{timeout} ms is not between {} and {} ms.", TIMEOUT_MS.start(), TIMEOUT_MS.end());
            problems.push(problem(format!("targets[{index}].timeout_ms"), message));
        }
        if card.max_output == Some(0) {
            problems.push(problem(format!("targets[{index}].max_output"), "It must be above 0.".to_owned()));
        }
        if card.weight > WEIGHT_MAX {
            let message = format!("A share is at most {WEIGHT_MAX}.");
            problems.push(problem(format!("targets[{index}].weight"), message));
        }
        if let Ok(target) = parsed {
            targets.push(RouteTarget {
                target,
                enabled: card.enabled,
                weight: card.weight,
                timeout_ms: card.timeout_ms,
                max_output: card.max_output,
            });
        }
    }
    let faults = check_targets(&targets).into_iter();
    problems.extend(faults.map(|fault| dto::Problem { field: fault.field(), message: format!("{fault}.") }));
    (targets, problems)
}

/// A target that could never serve is a fault; one that merely is not set up yet is not.
fn fault_of(snapshot: &Snapshot, draft: &dto::RouteDraft, target: &Target) -> Option<String> {
    let capability = current(snapshot, &draft.operation).ok()?.operation.capability;
    match readiness(snapshot, target, capability)? {
        Rejection::ProviderUnknown => Some(format!("There is no provider `{}`.", target.provider)),
        Rejection::ModelUnknown => {
            Some(format!("`{}` has no model `{}`; add it first.", target.provider, target.model))
        }
        Rejection::WrongCapability => Some(format!("{target} cannot do {}.", capability.as_str())),
        Rejection::TargetDisabled
        | Rejection::KeyNotAllowed
        | Rejection::ProviderDisabled
        | Rejection::NoAdapter
        | Rejection::NoCredential
        | Rejection::ContextWindow
        | Rejection::ProviderNotAllowed
        | Rejection::RuledOut
        | Rejection::Unpriced
        | Rejection::OverBudget
        | Rejection::BillAboveBound
        | Rejection::Held
        | Rejection::CredentialRefused
        | Rejection::CoolingDown
        | Rejection::AtCapacity
        | Rejection::CircuitOpen
        | Rejection::Probing
        | Rejection::FailoverCap => {
            let known = snapshot.models.get(target);
            match known {
                None => Some(format!("`{}` has no model `{}`; add it first.", target.provider, target.model)),
                Some(entry) if !entry.model.capabilities.contains(&capability) => {
                    Some(format!("{target} cannot do {}.", capability.as_str()))
                }
                Some(_) => None,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_have_names_of_their_own() {
        let fault = |name: &str| name_fault(name, ["Nights", "Short"].into_iter());
        assert_eq!(fault("Pictures"), None);
        assert_eq!(fault("  "), Some("A rule needs a name."));
        assert_eq!(fault(" Short "), Some("Another rule has this name."));
        assert!(fault("two\nlines").is_some() && fault(&"x".repeat(81)).is_some());
    }
}
