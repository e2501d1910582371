//! Operations and their routes: list, preview, apply.

mod differences;
mod draft;

use std::collections::HashMap;

use signalbox_core::change::ChangeKind;
use signalbox_core::decide::{Rejection, readiness};
use signalbox_core::ids::OperationId;
use signalbox_core::operation::Operation;
use signalbox_core::price::card_at;
use signalbox_core::provider::ProviderKind;
use signalbox_core::route::{Route, RouteTarget, Target};
use signalbox_core::snapshot::{OperationEntry, Snapshot};
use signalbox_core::usage::Unit;
use signalbox_store::{ConfigWrite, GroupBy};

use crate::app::{App, Caller, Role, json};
use crate::error::{AppError, Code};
use crate::overview::{Traffics, last_24h};
use crate::propose::{Plan, ProposedChange};
use crate::{dto, impact, simulation, view};
use differences::differences;
pub(crate) use draft::proposed;
use draft::{shown_rule, trip_in_words};

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
        approval: route.approval.as_ref().map(draft::shown_policy),
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
    let (impact, month) = if problems.is_empty() {
        let traffic = last_24h(app, GroupBy::Operation, None).await?.of(&draft.operation);
        let day = simulation::impact(app, &live, &after, &traffic).await?;
        (day, Some(impact::of_route(app, &after).await?))
    } else {
        (None, None)
    };
    Ok(dto::RoutePreview {
        sentences: differences(before, &after),
        before: dto::JsonText(state_json(before)?),
        after: dto::JsonText(state_json(&after)?),
        problems,
        warnings: warnings(&live.snapshot, &after, app.now()),
        impact,
        month,
    })
}

/// Makes a draft the route, with an entry in the change history.
///
/// Errors: faulty fields; [`Code::Conflict`] when the route has changed since the draft was begun.
pub async fn route_apply(
    app: &App,
    caller: &Caller,
    draft: dto::RouteDraft,
) -> Result<dto::Proposed<dto::Operation>, AppError> {
    let operation = draft.operation.clone();
    let outcome = app.propose(caller, &ProposedChange::Route(draft)).await?;
    outcome.shown(async || find(app, caller, &operation).await).await
}

/// What a draft would write; nothing when it is the route as it is.
pub(crate) async fn plan(app: &App, draft: &dto::RouteDraft) -> Result<Option<Plan>, AppError> {
    let live = app.live().await?;
    let before = current(&live.snapshot, &draft.operation)?;
    let (after, problems) = proposed(&live.snapshot, before, draft);
    if !problems.is_empty() {
        let message = problems.iter().map(|problem| problem.message.as_str()).collect::<Vec<_>>().join(" ");
        return Err(AppError { code: Code::Invalid, message, details: problems });
    }
    let sentences = differences(before, &after);
    if sentences.is_empty() {
        return Ok(None);
    }
    Ok(Some(Plan {
        kind: ChangeKind::Route,
        subject: draft.operation.clone(),
        sentence: sentences.join("; "),
        before: Some(state_json(before)?),
        after: Some(state_json(&after)?),
        writes: vec![ConfigWrite::PutOperation {
            operation: after.operation,
            route: after.route,
            base_version: Some(draft.base_version),
        }],
    }))
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

pub(crate) fn state_json(entry: &OperationEntry) -> Result<String, AppError> {
    json(&OperationState { operation: entry.operation.clone(), route: entry.route.clone() })
}

pub(crate) fn current<'a>(snapshot: &'a Snapshot, id: &str) -> Result<&'a OperationEntry, AppError> {
    let operation = OperationId::new(id).ok().and_then(|id| snapshot.operations.get(&id));
    operation.ok_or_else(|| AppError::not_found("operation", id))
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
