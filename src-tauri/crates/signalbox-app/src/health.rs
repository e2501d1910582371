//! Health of providers and targets, and what an admin does about it.

use std::collections::HashMap;

use signalbox_core::change::{Change, ChangeKind};
use signalbox_core::health::{
    FailureNote, HealthState, HealthSummary, MinuteCounts, RateHeadroom, TargetHealth, WINDOW_MINUTES,
    roll_up,
};
use signalbox_core::ids::{ModelName, OperationId, ProviderName};
use signalbox_core::provider::CredentialSource;
use signalbox_core::route::Target;
use signalbox_core::snapshot::{ProviderEntry, Snapshot};
use signalbox_core::time::Timestamp;
use signalbox_engine::health::{Circuits, TargetStanding};
use signalbox_store::{Failover, FailoverFilter, FailoverPlace, GroupBy, HealthEvent, HealthEventFilter};

use crate::app::{App, Caller, Role, reason, sentence};
use crate::error::{AppError, Code};
use crate::overview::last_24h;
use crate::{dto, view};

/// Most failovers of a page.
const PAGE_ROWS_MAX: u32 = 500;
/// Steps of circuits that are read for all targets together.
const EVENTS_READ: u32 = 500;
/// Steps shown of one target.
const EVENTS_SHOWN: usize = 20;

/// All providers with their targets' health: as the running engine sees it, or as it was last written down.
pub async fn list(app: &App, caller: &Caller) -> Result<Vec<dto::ProviderHealth>, AppError> {
    caller.must_be(Role::Viewer)?;
    let live = app.live().await?;
    let standings = standings(app).await?;
    let events = app.control().store.health_events(&HealthEventFilter::default(), EVENTS_READ).await?;
    let spend = last_24h(app, GroupBy::Provider, None).await?;
    let board = Board {
        snapshot: &live.snapshot,
        now: app.now(),
        ranks: ranks(&live.snapshot, &standings, app.now()),
    };
    let mut providers: Vec<&ProviderEntry> = live.snapshot.providers.values().collect();
    providers.sort_by(|left, right| left.provider.name.cmp(&right.provider.name));
    Ok(providers
        .into_iter()
        .map(|entry| {
            let name = &entry.provider.name;
            let own: Vec<&TargetStanding> =
                standings.iter().filter(|standing| standing.target.provider == *name).collect();
            board.provider(entry, &own, &events, spend.of(name.as_str()).spend)
        })
        .collect())
}

/// Holds a target's circuit open, or resets it; of all targets of a provider when no model is named. Both are entries of
/// the change history.
///
/// Errors: no such provider or model, an unknown action, or no engine runs here.
pub async fn circuit(
    app: &App,
    caller: &Caller,
    action: dto::CircuitAction,
) -> Result<Vec<dto::ProviderHealth>, AppError> {
    caller.must_be(Role::Operator)?;
    let live = app.live().await?;
    let which = circuits(&live.snapshot, &action)?;
    let engine = app.engine().ok_or_else(no_engine)?;
    let why = reason(action.reason);
    let subject = match &which.model {
        Some(model) => format!("{}/{model}", which.provider),
        None => which.provider.to_string(),
    };
    let (word, moved) = match action.action.as_str() {
        "hold" => ("held open", engine.hold_circuits(&which, &caller.id, why.as_deref())),
        "reset" => ("reset", engine.reset_circuits(&which, &caller.id, why.as_deref())),
        other => return Err(AppError::invalid("action", format!("There is no action `{other:.40}`."))),
    };
    if moved > 0 {
        let change = Change {
            after: Some(format!("\"{word}\"")),
            reason: why,
            ..app.change(caller, ChangeKind::Health, &subject, format!("The circuit of {subject} is {word}"))
        };
        app.commit(Vec::new(), change).await?;
    }
    list(app, caller).await
}

fn no_engine() -> AppError {
    AppError::new(Code::Refused, "Circuits are acted on where Signalbox runs: in its window.")
}

fn circuits(snapshot: &Snapshot, action: &dto::CircuitAction) -> Result<Circuits, AppError> {
    let provider = ProviderName::new(&action.provider)
        .ok()
        .filter(|name| snapshot.providers.contains_key(name))
        .ok_or_else(|| AppError::not_found("provider", &action.provider))?;
    let Some(model) = &action.model else { return Ok(Circuits { provider, model: None }) };
    let unknown = || AppError::not_found("model", &format!("{provider}/{model}"));
    let model = ModelName::new(model).map_err(|_| unknown())?;
    let target = Target { provider: provider.clone(), model: model.clone() };
    if !snapshot.models.contains_key(&target) {
        return Err(unknown());
    }
    Ok(Circuits { provider, model: Some(model) })
}

/// What is known of each target: from the engine if one runs here, else as it was last written down.
async fn standings(app: &App) -> Result<Vec<TargetStanding>, AppError> {
    match app.engine() {
        Some(engine) => Ok(engine.health.targets()),
        None => Ok(signalbox_engine::health::last_known(app.control()).await?),
    }
}

/// The place of each target that was called lately, the best first.
fn ranks(snapshot: &Snapshot, standings: &[TargetStanding], now: Timestamp) -> HashMap<Target, u32> {
    let mut called: Vec<(&Target, HealthSummary)> = standings
        .iter()
        .filter(|standing| snapshot.models.contains_key(&standing.target))
        .map(|standing| (&standing.target, standing.health.summary(snapshot.settings.breaker, now)))
        .filter(|(_, summary)| summary.counts.calls() > 0)
        .collect();
    called.sort_by(|left, right| left.1.rank(&right.1).then_with(|| left.0.cmp(right.0)));
    called.into_iter().zip(1..).map(|((target, _), rank)| (target.clone(), rank)).collect()
}

/// What every row of the answer looks at.
struct Board<'a> {
    snapshot: &'a Snapshot,
    now: Timestamp,
    ranks: HashMap<Target, u32>,
}

impl Board<'_> {
    fn provider(
        &self,
        entry: &ProviderEntry,
        own: &[&TargetStanding],
        events: &[HealthEvent],
        spend_24h: dto::Money,
    ) -> dto::ProviderHealth {
        let settings = self.snapshot.settings.breaker;
        let healths: Vec<&TargetHealth> = own.iter().map(|standing| &standing.health).collect();
        let summary = roll_up(healths.iter().copied(), settings, self.now);
        let mut targets: Vec<dto::TargetHealth> =
            own.iter().map(|standing| self.target(standing, events)).collect();
        targets.sort_by_key(|target| (target.rank.unwrap_or(u32::MAX), target.model.clone()));
        let (state, text) = match (why_off(entry), &summary) {
            (Some(why), _) => (dto::HealthState::Off, why.to_owned()),
            (None, Some(summary)) => (summary.state.into(), sentence(summary.state.in_words())),
            (None, None) => (dto::HealthState::Idle, sentence(HealthState::NoData.in_words())),
        };
        dto::ProviderHealth {
            provider: entry.provider.name.to_string(),
            state,
            text,
            window: window(summary.as_ref()),
            strip: together(&healths, self.now),
            in_use: own.iter().map(|standing| standing.in_use).sum(),
            max_concurrent: entry.provider.max_concurrent,
            headroom: summary.and_then(|summary| summary.headroom).map(headroom),
            spend_24h,
            targets,
        }
    }

    fn target(&self, standing: &TargetStanding, events: &[HealthEvent]) -> dto::TargetHealth {
        let TargetStanding { target, health, in_use } = standing;
        let summary = health.summary(self.snapshot.settings.breaker, self.now);
        let steps = events.iter().filter(|event| event.target == *target).take(EVENTS_SHOWN);
        dto::TargetHealth {
            provider: target.provider.to_string(),
            model: target.model.to_string(),
            state: summary.state.into(),
            text: sentence(summary.state.in_words()),
            rank: self.ranks.get(target).copied(),
            until: summary.until.map(Into::into),
            window: window(Some(&summary)),
            strip: health.strip(self.now).into_iter().map(minute).collect(),
            failures: health.failures().map(note).collect(),
            events: steps.map(step).collect(),
            in_use: *in_use,
        }
    }
}

/// Why nothing is sent to a provider whatever its health.
fn why_off(entry: &ProviderEntry) -> Option<&'static str> {
    if !entry.provider.enabled {
        return Some("switched off");
    }
    if entry.provider.credential == CredentialSource::Missing {
        return Some("no credential yet");
    }
    (!entry.credential_ready).then_some("its credential cannot be read now")
}

impl From<HealthState> for dto::HealthState {
    fn from(state: HealthState) -> Self {
        match state {
            HealthState::Healthy => Self::Healthy,
            HealthState::Degraded => Self::Degraded,
            HealthState::Open => Self::Open,
            HealthState::Probing => Self::Probing,
            HealthState::Held => Self::Held,
            HealthState::CoolingDown => Self::CoolingDown,
            HealthState::CredentialBad => Self::CredentialBad,
            HealthState::NoData => Self::Idle,
        }
    }
}

fn window(summary: Option<&HealthSummary>) -> dto::HealthWindow {
    let counts = summary.map(|summary| summary.counts).unwrap_or_default();
    let latency = summary.and_then(|summary| summary.latency);
    let first_token = summary.and_then(|summary| summary.first_token);
    let ms = view::milliseconds;
    dto::HealthWindow {
        minutes: WINDOW_MINUTES,
        succeeded: counts.succeeded,
        failed: counts.failed.saturating_add(counts.rate_limited),
        success_rate: counts.success_bp().map(|share| f64::from(share) / 10_000.0),
        latency_ms_mean: latency.map(|durations| ms(durations.mean_us)),
        latency_ms_p50: latency.map(|durations| ms(durations.p50_us)),
        latency_ms_p95: latency.map(|durations| ms(durations.p95_us)),
        latency_ms_p99: latency.map(|durations| ms(durations.p99_us)),
        first_token_ms_p50: first_token.map(|durations| ms(durations.p50_us)),
    }
}

fn minute(minute: MinuteCounts) -> dto::HealthMinute {
    dto::HealthMinute {
        at: minute.start.into(),
        succeeded: minute.counts.succeeded,
        failed: minute.counts.failed.saturating_add(minute.counts.rate_limited),
    }
}

/// The minutes of several targets as one strip.
fn together(healths: &[&TargetHealth], now: Timestamp) -> Vec<dto::HealthMinute> {
    let nobody = [TargetHealth::default()];
    let mut strips = match healths {
        [] => nobody.iter().map(|health| health.strip(now)).collect::<Vec<_>>(),
        some => some.iter().map(|health| health.strip(now)).collect(),
    }
    .into_iter();
    let mut sum = strips.next().unwrap_or_default();
    for strip in strips {
        for (minute, other) in sum.iter_mut().zip(strip) {
            minute.counts.add(&other.counts);
        }
    }
    sum.into_iter().map(minute).collect()
}

fn headroom(headroom: RateHeadroom) -> dto::RateHeadroom {
    let held = |count: Option<u64>| count.map(|count| u32::try_from(count).unwrap_or(u32::MAX));
    dto::RateHeadroom {
        requests_left: held(headroom.remaining_requests),
        requests_limit: held(headroom.limit_requests),
        tokens_left: held(headroom.remaining_tokens),
        tokens_limit: held(headroom.limit_tokens),
        resets_at: headroom.resets_at.map(Into::into),
        seen_at: headroom.seen_at.into(),
    }
}

fn note(note: &FailureNote) -> dto::FailureNote {
    dto::FailureNote {
        at: note.at.into(),
        kind: note.kind.as_str().to_owned(),
        http_status: note.http_status.map(u32::from),
        message: note.message.clone(),
        latency_ms: view::milliseconds(note.latency_us),
        request_id: note.request.map(|id| id.to_string()),
    }
}

fn step(event: &HealthEvent) -> dto::CircuitEvent {
    let mut cause = event.cause.in_words().to_owned();
    if let Some(why) = &event.reason {
        cause.push_str(": ");
        cause.push_str(why);
    }
    dto::CircuitEvent {
        id: event.id.to_string(),
        at: event.at.into(),
        provider: event.target.provider.to_string(),
        model: event.target.model.to_string(),
        from: event.from.as_str().to_owned(),
        to: event.to.as_str().to_owned(),
        cause,
        actor: event.actor.clone(),
        calls: event.calls.iter().map(note).collect(),
    }
}

/// Failovers, newest first.
///
/// Errors: a filter or cursor that is none.
pub async fn failovers(
    app: &App,
    caller: &Caller,
    filter: dto::FailoverFilter,
    cursor: Option<String>,
    limit: u32,
) -> Result<dto::FailoverPage, AppError> {
    caller.must_be(Role::Viewer)?;
    let limit = limit.clamp(1, PAGE_ROWS_MAX);
    let filter = FailoverFilter {
        operation: named("operation", filter.operation, OperationId::new)?,
        from_provider: named("provider", filter.provider, ProviderName::new)?,
        from_model: named("model", filter.model, ModelName::new)?,
        since: None,
    };
    let before = cursor.as_deref().map(place).transpose()?;
    let rows = app.control().store.failovers(&filter, before, limit).await?;
    let full = rows.len() >= usize::try_from(limit).unwrap_or(usize::MAX);
    let next = rows
        .last()
        .filter(|_| full)
        .map(|row| format!("{}.{}.{}", row.at.as_micros(), row.request, row.ordinal));
    Ok(dto::FailoverPage { rows: rows.iter().map(failover).collect(), next })
}

fn named<T, E: std::fmt::Display>(
    field: &'static str,
    text: Option<String>,
    read: impl Fn(&str) -> Result<T, E>,
) -> Result<Option<T>, AppError> {
    let read = |text: String| read(&text).map_err(|error| AppError::invalid(field, format!("{error}.")));
    text.map(read).transpose()
}

/// Where a page begins, as the page before it said.
fn place(cursor: &str) -> Result<FailoverPlace, AppError> {
    let mut parts = cursor.splitn(3, '.');
    let mut read = || {
        let at = Timestamp::from_micros(parts.next()?.parse().ok()?);
        let request = parts.next()?.parse().ok()?;
        Some((at, request, parts.next()?.parse().ok()?))
    };
    read().ok_or_else(|| AppError::invalid("cursor", "The page does not exist."))
}

fn failover(row: &Failover) -> dto::Failover {
    dto::Failover {
        request_id: row.request.to_string(),
        at: row.at.into(),
        operation: row.operation.to_string(),
        from_provider: row.from.provider.to_string(),
        from_model: row.from.model.to_string(),
        to_provider: row.to.provider.to_string(),
        to_model: row.to.model.to_string(),
        reason: row.reason.as_str().to_owned(),
        hop_ms: view::milliseconds(row.hop_us),
    }
}
