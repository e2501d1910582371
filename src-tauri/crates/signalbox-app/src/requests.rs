//! The log: requests, newest first, and everything about one of them.

use std::collections::HashMap;

use signalbox_core::decide::{Candidate, Decision, Explanation};
use signalbox_core::ids::{KeyId, RequestId};
use signalbox_core::ledger::{Attempt, Outcome, RequestStart, Settlement};
use signalbox_core::meter::{CardRef, CostLine, CostStatus};
use signalbox_core::money::NanoUsd;
use signalbox_store::{Facet, RequestEnd, RequestFilter, RequestStatus, RequestSummary};

use crate::app::{App, Caller, Role};
use crate::error::AppError;
use crate::{dto, view};

/// Most rows of a page.
pub const PAGE_ROWS_MAX: u32 = 500;

/// A page of requests, newest first.
pub async fn page(
    app: &App,
    caller: &Caller,
    filter: dto::RequestFilter,
    cursor: Option<String>,
    limit: u32,
) -> Result<dto::RequestPage, AppError> {
    caller.must_be(Role::Viewer)?;
    let filter = parse_filter(filter)?;
    let before = cursor.map(|text| id(&text)).transpose()?;
    let limit = limit.clamp(1, PAGE_ROWS_MAX);
    let rows = app.control().store.requests(&filter, before, limit).await?;
    let full = rows.len() >= usize::try_from(limit).unwrap_or(usize::MAX);
    let next = rows.last().filter(|_| full).map(|row| row.id.to_string());
    let names = key_names(app).await?;
    Ok(dto::RequestPage { rows: rows.iter().map(|row| shown(row, &names)).collect(), next })
}

/// Distinct values with their counts, for the filter bar.
pub async fn facets(app: &App, caller: &Caller) -> Result<dto::Facets, AppError> {
    caller.must_be(Role::Viewer)?;
    let facets = app.control().store.facets().await?;
    let shown = |facets: Vec<Facet>| -> Vec<dto::Facet> {
        facets
            .into_iter()
            .map(|facet| dto::Facet { value: facet.value, count: view::count(facet.count) })
            .collect()
    };
    let mut statuses = shown(facets.outcomes);
    if facets.in_flight > 0 {
        statuses
            .insert(0, dto::Facet { value: "in_flight".to_owned(), count: view::count(facets.in_flight) });
    }
    Ok(dto::Facets {
        operations: shown(facets.operations),
        providers: shown(facets.providers),
        models: shown(facets.models),
        statuses,
    })
}

/// Everything about one request.
pub async fn detail(app: &App, caller: &Caller, text: &str) -> Result<dto::RequestDetail, AppError> {
    caller.must_be(Role::Viewer)?;
    let record = app.control().store.request(id(text)?).await?;
    let record = record.ok_or_else(|| AppError::not_found("request", text))?;
    let (start, settlement) = (record.start, record.settlement);
    let names = key_names(app).await?;
    let row = shown(&summary(&start, settlement.as_ref()), &names);
    let payload = dto::Payload {
        request: start.payload.clone(),
        response: settlement.as_ref().and_then(|settlement| settlement.payload.clone()),
    };
    let attempts = settlement.as_ref().map(|settlement| settlement.attempts.as_slice()).unwrap_or_default();
    Ok(dto::RequestDetail {
        surface: start.surface.as_str().to_owned(),
        requested_model: start.requested_model.clone(),
        tags: start.tags.iter().cloned().map(|(name, value)| dto::Tag { name, value }).collect(),
        config_revision: start.config_revision.into(),
        estimate: start.estimate.map(Into::into),
        decision: decision(&start.decision, attempts),
        attempts: attempts.iter().map(attempt).collect(),
        finish_reason: settlement.as_ref().and_then(|settlement| settlement.finish_reason.clone()),
        error_message: settlement.as_ref().and_then(|settlement| settlement.error_message.clone()),
        payload: (payload.request.is_some() || payload.response.is_some()).then_some(payload),
        row,
    })
}

/// A client's filter in the store's terms.
pub(crate) fn parse_filter(filter: dto::RequestFilter) -> Result<RequestFilter, AppError> {
    let instant = |field, value: &Option<dto::Instant>| {
        value.as_ref().map(|text| view::instant(field, text)).transpose()
    };
    let cost_min = |text: &dto::Money| {
        let nanos = text.0.parse().map(NanoUsd::from_nanos);
        nanos.map_err(|_| AppError::invalid("cost_min", "The least cost is a whole number of nano-dollars."))
    };
    let key = |text: &String| {
        text.parse::<KeyId>().map_err(|error| AppError::invalid("key_id", format!("{error}.")))
    };
    Ok(RequestFilter {
        from: instant("from", &filter.from)?,
        to: instant("to", &filter.to)?,
        cost_min: filter.cost_min.as_ref().map(cost_min).transpose()?,
        key: filter.key_id.as_ref().map(key).transpose()?,
        operation: filter.operation,
        provider: filter.provider,
        model: filter.model,
        status: filter.status.map(|status| match status {
            dto::RequestStatus::InFlight => RequestStatus::InFlight,
            dto::RequestStatus::Succeeded => RequestStatus::Ended(Outcome::Succeeded),
            dto::RequestStatus::Failed => RequestStatus::Ended(Outcome::Failed),
            dto::RequestStatus::Cancelled => RequestStatus::Ended(Outcome::Cancelled),
            dto::RequestStatus::Interrupted => RequestStatus::Ended(Outcome::Interrupted),
        }),
        cost_status: filter.cost_status.map(|status| match status {
            dto::CostStatus::Exact => CostStatus::Exact,
            dto::CostStatus::ProviderCharged => CostStatus::ProviderCharged,
            dto::CostStatus::Estimated => CostStatus::Estimated,
            dto::CostStatus::Unpriced => CostStatus::Unpriced,
        }),
        user: filter.user,
        simulated: filter.simulated,
        id_prefix: filter.id_prefix,
    })
}

pub(crate) async fn key_names(app: &App) -> Result<HashMap<KeyId, String>, AppError> {
    let live = app.live().await?;
    Ok(live.snapshot.keys.values().map(|key| (key.id, key.name.clone())).collect())
}

pub(crate) fn shown(row: &RequestSummary, key_names: &HashMap<KeyId, String>) -> dto::RequestRow {
    let end = row.end.as_ref();
    let target = end.and_then(|end| end.target.as_ref());
    dto::RequestRow {
        id: row.id.to_string(),
        started_at: row.started_at.into(),
        operation: row.operation.to_string(),
        status: end.map_or(dto::RequestStatus::InFlight, |end| status(end.outcome)),
        provider: target.map(|target| target.provider.to_string()),
        model: target.map(|target| target.model.to_string()),
        streamed: row.streamed,
        simulated: end.is_some_and(|end| end.simulated),
        attempts: end.map_or(0, |end| end.attempts),
        tokens_in: end.map_or(0, |end| view::count(end.tokens_in)),
        tokens_out: end.map_or(0, |end| view::count(end.tokens_out)),
        cost: end.and_then(|end| end.cost).map(Into::into),
        cost_status: end.map(|end| end.cost_status.into()),
        latency_ms: end.map(|end| view::milliseconds(end.latency_us)),
        first_token_ms: end.and_then(|end| end.first_token_us).map(view::milliseconds),
        key_name: row.key.and_then(|key| key_names.get(&key).cloned()),
        user: row.user.clone(),
        error_code: end.and_then(|end| end.error_code.clone()),
        cached: end.is_some_and(|end| end.cache.is_some()),
        saved: end.and_then(|end| end.cache?.saved).map(Into::into),
    }
}

fn summary(start: &RequestStart, settlement: Option<&Settlement>) -> RequestSummary {
    let end = settlement.map(|settlement| {
        let usage = settlement.usage();
        let (cost_status, cost) = settlement.cost();
        let held = |tokens: u64| i64::try_from(tokens).unwrap_or(i64::MAX);
        RequestEnd {
            finished_at: settlement.finished_at,
            outcome: settlement.outcome,
            target: settlement.target().cloned(),
            simulated: settlement.simulated,
            attempts: u32::try_from(settlement.attempts.len()).unwrap_or(u32::MAX),
            tokens_in: held(usage.tokens_in()),
            tokens_out: held(usage.tokens_out()),
            cost_status,
            cost,
            latency_us: settlement.latency_us,
            first_token_us: settlement.first_token_us(),
            finish_reason: settlement.finish_reason.clone(),
            error_code: settlement.error_code.clone(),
            cache: settlement.cache,
        }
    });
    RequestSummary {
        id: start.id,
        node: start.node,
        started_at: start.started_at,
        operation: start.operation.clone(),
        surface: start.surface,
        streamed: start.streamed,
        key: start.key,
        user: start.user.clone(),
        config_revision: start.config_revision,
        estimate: start.estimate,
        end,
    }
}

const fn status(outcome: Outcome) -> dto::RequestStatus {
    match outcome {
        Outcome::Succeeded => dto::RequestStatus::Succeeded,
        Outcome::Failed => dto::RequestStatus::Failed,
        Outcome::Cancelled => dto::RequestStatus::Cancelled,
        Outcome::Interrupted => dto::RequestStatus::Interrupted,
    }
}

fn id(text: &str) -> Result<RequestId, AppError> {
    text.parse().map_err(|error: signalbox_core::ids::InvalidId| AppError::invalid("id", format!("{error}.")))
}

fn attempt(attempt: &Attempt) -> dto::AttemptView {
    dto::AttemptView {
        ordinal: attempt.ordinal,
        provider: attempt.target.provider.to_string(),
        model: attempt.target.model.to_string(),
        outcome: match attempt.outcome {
            Outcome::Succeeded => dto::AttemptOutcome::Succeeded,
            Outcome::Failed => dto::AttemptOutcome::Failed,
            Outcome::Cancelled => dto::AttemptOutcome::Cancelled,
            Outcome::Interrupted => dto::AttemptOutcome::Interrupted,
        },
        failure: attempt.failure.map(|kind| kind.as_str().to_owned()),
        http_status: attempt.http_status.map(u32::from),
        message: attempt.message.clone(),
        started_ms: view::milliseconds(attempt.started_us),
        first_token_ms: attempt.first_token_us.map(view::milliseconds),
        finished_ms: view::milliseconds(attempt.finished_us),
        cost: attempt.cost.total.map(Into::into),
        cost_status: attempt.cost.status.into(),
        lines: attempt.cost.lines.iter().map(cost_line).collect(),
        price_source: attempt.cost.card.as_ref().map(price_source),
    }
}

fn cost_line(line: &CostLine) -> dto::CostLineView {
    dto::CostLineView {
        unit: line.unit.as_str().to_owned(),
        quantity: line.quantity.into(),
        price: line.price.map(|price| price.nano_usd().into()),
        per: line.price.map_or(1_000_000, signalbox_core::money::UnitPrice::per).into(),
        cost: line.cost.map(Into::into),
    }
}

fn price_source(card: &CardRef) -> dto::PriceSource {
    dto::PriceSource {
        url: card.source_url.clone(),
        as_of: card.as_of.clone(),
        effective_from: card.effective_from.into(),
    }
}

pub(crate) fn decision(decision: &Decision, attempts: &[Attempt]) -> dto::DecisionView {
    dto::DecisionView {
        strategy: decision.strategy.as_str().to_owned(),
        rule: decision.rule.as_ref().map(|rule| rule.name.clone()),
        summary: in_words(decision, attempts),
        candidates: decision.explain().map(candidate).collect(),
    }
}

fn candidate((candidate, explanation): (&Candidate, Explanation)) -> dto::CandidateView {
    dto::CandidateView {
        provider: candidate.target.provider.to_string(),
        model: candidate.target.model.to_string(),
        verdict: match explanation.order {
            Some(1) => dto::Verdict::Chosen,
            Some(_) => dto::Verdict::Standby,
            None => dto::Verdict::Rejected,
        },
        order: explanation.order,
        reason_code: explanation.code.to_owned(),
        reason: explanation.reason,
        until: candidate.until.map(Into::into),
        score: explanation.score,
        estimate: candidate.estimate.map(Into::into),
    }
}

/// One sentence that sums the decision up, with what became of it.
fn in_words(decision: &Decision, attempts: &[Attempt]) -> String {
    let Some(first) = decision.chain().next() else {
        return format!("No target could be used: {}.", decision.rejections_in_words());
    };
    let because = decision.why_first().unwrap_or_default();
    let answered = attempts.iter().find(|attempt| attempt.outcome == Outcome::Succeeded);
    match answered {
        Some(attempt) if attempt.target != first.target => {
            format!(
                "{} was tried first because {because}; it failed, and {} answered.",
                first.target, attempt.target
            )
        }
        _ => format!("{} was chosen because {because}.", first.target),
    }
}
