//! Operations and their routes: list, preview, apply.

use std::collections::HashMap;
use std::ops::RangeInclusive;

use signalbox_core::change::{Change, ChangeKind};
use signalbox_core::decide::{Rejection, readiness};
use signalbox_core::ids::{InvalidId, OperationId, ProviderName};
use signalbox_core::operation::Operation;
use signalbox_core::price::card_at;
use signalbox_core::provider::ProviderKind;
use signalbox_core::route::{
    Balance, Route, RouteRule, RouteTarget, RuleEffect, Strategy, Target, check_targets,
};
use signalbox_core::rule::Condition;
use signalbox_core::snapshot::{OperationEntry, Snapshot};
use signalbox_core::usage::Unit;
use signalbox_store::{ConfigWrite, GroupBy};

use crate::app::{App, Caller, Role, json, reason};
use crate::error::{AppError, Code};
use crate::overview::{Traffics, last_24h};
use crate::{dto, simulation, view};

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

/// All operations, with their routes and the traffic of the last 24 hours.
pub async fn list(app: &App, caller: &Caller) -> Result<Vec<dto::Operation>, AppError> {
    caller.must_be(Role::Viewer)?;
    let live = app.live().await?;
    let by_operation = last_24h(app, GroupBy::Operation, None).await?;
    let mut operations = Vec::with_capacity(live.snapshot.operations.len());
    for entry in live.snapshot.operations.values() {
        let changed_at = live.changed_at.get(&entry.operation.id).copied();
        operations.push(one(app, &live.snapshot, entry, changed_at, &by_operation).await?);
    }
    operations.sort_by(|left, right| left.id.cmp(&right.id));
    Ok(operations)
}

async fn one(
    app: &App,
    snapshot: &Snapshot,
    entry: &OperationEntry,
    changed_at: Option<signalbox_core::time::Timestamp>,
    by_operation: &Traffics,
) -> Result<dto::Operation, AppError> {
    let OperationEntry { operation, route } = entry;
    let traffic = by_operation.of(operation.id.as_str());
    let shares = if traffic.requests == 0 {
        HashMap::new()
    } else {
        last_24h(app, GroupBy::Model, Some(operation.id.clone())).await?.shares()
    };
    let target = |card: &RouteTarget| dto::RouteTarget {
        provider: card.target.provider.to_string(),
        model: card.target.model.to_string(),
        enabled: card.enabled,
        weight: card.weight,
        timeout_ms: card.timeout_ms,
        max_output: card.max_output,
        trip: trip_in_words(card),
        ready: if card.enabled {
            view::ready(snapshot, &card.target, operation.capability)
        } else {
            view::not_ready(Rejection::TargetDisabled)
        },
        share_24h: (traffic.requests > 0)
            .then(|| shares.get(&card.target.to_string()).copied().unwrap_or(0.0)),
    };
    Ok(dto::Operation {
        id: operation.id.to_string(),
        description: operation.description.clone(),
        capability: operation.capability.as_str().to_owned(),
        criticality: operation.criticality.as_str().to_owned(),
        enabled: operation.enabled,
        batch_eligible: operation.batch_eligible,
        cacheable: operation.cacheable,
        strategy: route.strategy.as_str().to_owned(),
        balance: dto::Balance {
            cost: route.balance.cost,
            latency: route.balance.latency,
            quality: route.balance.quality,
        },
        rules: route.rules.iter().map(shown_rule).collect(),
        deadline_ms: route.deadline_ms,
        cache_ttl_s: operation.cache_ttl_s,
        allowed_providers: operation.allowed_providers.iter().map(ToString::to_string).collect(),
        version: route.version,
        targets: route.targets.iter().map(target).collect(),
        last_24h: traffic,
        changed_at: changed_at.map(Into::into),
    })
}

/// Every target a route could have, by provider and model.
pub async fn target_options(app: &App, caller: &Caller) -> Result<Vec<dto::TargetOption>, AppError> {
    caller.must_be(Role::Viewer)?;
    let live = app.live().await?;
    let snapshot = &live.snapshot;
    let now = app.now();
    let mut options: Vec<dto::TargetOption> = snapshot
        .models
        .iter()
        .map(|(target, entry)| {
            let card = card_at(&entry.cards, now);
            let provider = snapshot.providers.get(&target.provider);
            let capability = entry.model.capabilities.first().copied();
            dto::TargetOption {
                provider: target.provider.to_string(),
                model: target.model.to_string(),
                capabilities: view::capabilities(entry),
                context_window: entry.model.context_window,
                input_per_mtok: view::per_million(card, Unit::InputTokens),
                output_per_mtok: view::per_million(card, Unit::OutputTokens),
                quality: entry.model.quality,
                latency_ms_p50: usual_ms(app, target),
                simulated: provider.is_some_and(|entry| entry.provider.kind == ProviderKind::Simulator),
                ready: capability.map_or_else(
                    || view::not_ready(Rejection::WrongCapability),
                    |capability| view::ready(snapshot, target, capability),
                ),
            }
        })
        .collect();
    options.sort_by(|left, right| (&left.provider, &left.model).cmp(&(&right.provider, &right.model)));
    Ok(options)
}

/// The usual time of its answers lately.
fn usual_ms(app: &App, target: &Target) -> Option<f64> {
    let standing = app.engine()?.health.target(target)?;
    let summary = standing.health.summary(app.engine()?.live().snapshot.settings.breaker, app.now());
    summary.latency.map(|durations| view::milliseconds(durations.p50_us))
}

/// What a draft would change, in words and as before and after. Nothing is written.
pub async fn route_preview(
    app: &App,
    caller: &Caller,
    draft: dto::RouteDraft,
) -> Result<dto::RoutePreview, AppError> {
    caller.must_be(Role::Viewer)?;
    let live = app.live().await?;
    let before = current(&live.snapshot, &draft.operation)?;
    let (after, problems) = proposed(&live.snapshot, before, &draft);
    let impact = if problems.is_empty() {
        let traffic = last_24h(app, GroupBy::Operation, None).await?.of(&draft.operation);
        simulation::impact(app, &live, &after, &traffic).await?
    } else {
        None
    };
    Ok(dto::RoutePreview {
        sentences: differences(before, &after),
        before: dto::JsonText(state_json(before)?),
        after: dto::JsonText(state_json(&after)?),
        problems,
        warnings: warnings(&live.snapshot, &after, app.now()),
        impact,
    })
}

/// Makes a draft the route, with an entry in the change history.
///
/// Errors: faulty fields; [`Code::Conflict`] when the route has changed since the draft was begun.
pub async fn route_apply(
    app: &App,
    caller: &Caller,
    draft: dto::RouteDraft,
) -> Result<dto::Operation, AppError> {
    caller.must_be(Role::Admin)?;
    let live = app.live().await?;
    let before = current(&live.snapshot, &draft.operation)?;
    let (after, problems) = proposed(&live.snapshot, before, &draft);
    if !problems.is_empty() {
        let message = problems.iter().map(|problem| problem.message.as_str()).collect::<Vec<_>>().join(" ");
        return Err(AppError { code: Code::Invalid, message, details: problems });
    }
    let sentences = differences(before, &after);
    if !sentences.is_empty() {
        let change = Change {
            before: Some(state_json(before)?),
            after: Some(state_json(&after)?),
            reason: reason(draft.reason),
            ..app.change(caller, ChangeKind::Route, &draft.operation, sentences.join("; "))
        };
        let write = ConfigWrite::PutOperation {
            operation: after.operation,
            route: after.route,
            base_version: Some(draft.base_version),
        };
        app.commit(vec![write], change).await?;
    }
    find(app, caller, &draft.operation).await
}

/// The operation of that name.
pub async fn find(app: &App, caller: &Caller, id: &str) -> Result<dto::Operation, AppError> {
    let operations = list(app, caller).await?;
    operations.into_iter().find(|known| known.id == id).ok_or_else(|| AppError::not_found("operation", id))
}

/// What the history keeps of an operation: enough to restore it.
#[derive(serde::Serialize, serde::Deserialize)]
pub(crate) struct OperationState {
    pub(crate) operation: Operation,
    pub(crate) route: Route,
}

fn state_json(entry: &OperationEntry) -> Result<String, AppError> {
    json(&OperationState { operation: entry.operation.clone(), route: entry.route.clone() })
}

pub(crate) fn current<'a>(snapshot: &'a Snapshot, id: &str) -> Result<&'a OperationEntry, AppError> {
    let operation = OperationId::new(id).ok().and_then(|id| snapshot.operations.get(&id));
    operation.ok_or_else(|| AppError::not_found("operation", id))
}

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
    };
    (OperationEntry { operation, route }, problems)
}

fn problem(field: impl Into<String>, message: String) -> dto::Problem {
    dto::Problem { field: field.into(), message }
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

fn shown_rule(rule: &RouteRule) -> dto::RouteRule {
    dto::RouteRule {
        name: rule.name.clone(),
        when: rule.when.to_string(),
        effect: rule.effect.as_str().to_owned(),
        targets: rule.targets.iter().map(ToString::to_string).collect(),
    }
}

/// When the next target takes over.
fn trip_in_words(card: &RouteTarget) -> String {
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
        | Rejection::ProviderDisabled
        | Rejection::NoAdapter
        | Rejection::NoCredential
        | Rejection::ContextWindow
        | Rejection::ProviderNotAllowed
        | Rejection::RuledOut
        | Rejection::Unpriced
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

/// The change in words.
fn differences(before: &OperationEntry, after: &OperationEntry) -> Vec<String> {
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
                sentences.push(format!("the rule `{}` changes: when {}", rule.name, rule.when))
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

fn warnings(
    snapshot: &Snapshot,
    after: &OperationEntry,
    now: signalbox_core::time::Timestamp,
) -> Vec<String> {
    let mut warnings = Vec::new();
    let mut ready = 0;
    for card in after.route.targets.iter().filter(|card| card.enabled) {
        match readiness(snapshot, &card.target, after.operation.capability) {
            None => ready += 1,
            Some(why) => warnings.push(format!("{} is skipped for now: {}.", card.target, why.in_words())),
        }
        let entry = snapshot.models.get(&card.target);
        if entry.is_some_and(|entry| card_at(&entry.cards, now).is_none()) {
            warnings.push(format!("{} has no price: its requests will be marked unpriced.", card.target));
        }
    }
    if ready == 0 {
        warnings.push("No target of this chain can answer at the moment.".to_owned());
    }
    warnings
}

#[cfg(test)]
mod tests {
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
