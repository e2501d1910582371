//! Drills: faults of the simulator, rehearsed on purpose.

use std::time::Duration;

use signalbox_core::breaker::Circuit;
use signalbox_core::change::{Change, ChangeKind};
use signalbox_core::defaults::SIMULATOR;
use signalbox_core::ids::{ModelName, OperationId, ProviderName};
use signalbox_core::time::Timestamp;
use signalbox_engine::drill::{DrillError, Fault, Plan, Report};
use signalbox_store::{FailoverFilter, HealthEventFilter};

use crate::app::{App, Caller, Role, json, sentence};
use crate::error::{AppError, Code};
use crate::{dto, view};

/// Failovers that are read for the figures of a drill.
const FAILOVERS_READ: u32 = 1_000;
/// Steps of circuits that are read for them.
const EVENTS_READ: u32 = 100;

/// The drill that runs, or the last one.
pub async fn state(app: &App, caller: &Caller) -> Result<Option<dto::Drill>, AppError> {
    caller.must_be(Role::Viewer)?;
    let report = app.engine().and_then(|engine| engine.drill());
    match report {
        Some(report) => shown(app, report).await.map(Some),
        None => Ok(None),
    }
}

/// Begins a drill; one at a time.
///
/// Errors: a field out of range, a drill is running, or no engine with a simulator runs here.
pub async fn start(app: &App, caller: &Caller, input: dto::DrillInput) -> Result<dto::Drill, AppError> {
    caller.must_be(Role::Operator)?;
    let engine = app.engine().ok_or_else(|| {
        AppError::new(Code::Refused, "Drills run where Signalbox runs: start one in its window.")
    })?;
    let report = engine.start_drill(plan(&input)?).await.map_err(|error| refusal(&error))?;
    let shown = shown(app, report).await?;
    let words = format!("A drill begins: {} s of faults at {}", input.seconds, input.model);
    told(app, caller, &input, words).await?;
    Ok(shown)
}

/// Ends the drill that runs.
pub async fn stop(app: &App, caller: &Caller) -> Result<Option<dto::Drill>, AppError> {
    caller.must_be(Role::Operator)?;
    let before = state(app, caller).await?;
    if let Some(engine) = app.engine() {
        engine.stop_drill();
    }
    if let Some(running) = before.filter(|drill| drill.running) {
        let words = format!("The drill at {} is ended", running.input.model);
        told(app, caller, &running.input, words).await?;
    }
    state(app, caller).await
}

/// Writes into the history that a drill was begun or ended by hand.
async fn told(app: &App, caller: &Caller, input: &dto::DrillInput, words: String) -> Result<(), AppError> {
    let change =
        Change { after: Some(json(input)?), ..app.change(caller, ChangeKind::Drill, &input.model, words) };
    app.commit(Vec::new(), change).await.map(drop)
}

fn plan(input: &dto::DrillInput) -> Result<Plan, AppError> {
    Ok(Plan {
        model: ModelName::new(&input.model)
            .map_err(|error| AppError::invalid("model", format!("{error}.")))?,
        fault: match input.fault {
            dto::DrillFault::Outage => Fault::Outage,
            dto::DrillFault::RateLimit => Fault::RateLimit,
            dto::DrillFault::SlowFirstByte => Fault::SlowFirstByte,
            dto::DrillFault::CutStreams => Fault::CutStreams,
        },
        percent: input.percent,
        length: Duration::from_secs(input.seconds.into()),
        rate: input.requests_per_second,
        operation: OperationId::new(&input.operation)
            .map_err(|error| AppError::invalid("operation", format!("{error}.")))?,
    })
}

fn refusal(error: &DrillError) -> AppError {
    let message = sentence(&error.to_string());
    match error {
        DrillError::UnknownModel(_) => AppError::invalid("model", message),
        DrillError::Operation(_) => AppError::invalid("operation", message),
        DrillError::OutOfRange(_) => AppError::invalid("drill", message),
        DrillError::SimulatorOff | DrillError::Stopped | DrillError::Running | DrillError::Dials(_) => {
            AppError::new(Code::Refused, message)
        }
    }
}

async fn shown(app: &App, report: Report) -> Result<dto::Drill, AppError> {
    let hops = hops(app, &report).await?;
    let opened_after_us = opened_after(app, &report).await?;
    let Report { plan, running, started_at, ends_at, sent, succeeded, failed, failed_over } = report;
    Ok(dto::Drill {
        running,
        started_at: started_at.into(),
        ends_at: ends_at.into(),
        sent,
        succeeded,
        failed,
        failed_over,
        hop_ms_p50: hops.get(hops.len() / 2).copied().map(view::milliseconds),
        hop_ms_max: hops.last().copied().map(view::milliseconds),
        opened_after_ms: opened_after_us.map(view::milliseconds),
        verdict: verdict(sent, succeeded, failed, failed_over, opened_after_us),
        input: dto::DrillInput {
            model: plan.model.to_string(),
            fault: match plan.fault {
                Fault::Outage => dto::DrillFault::Outage,
                Fault::RateLimit => dto::DrillFault::RateLimit,
                Fault::SlowFirstByte => dto::DrillFault::SlowFirstByte,
                Fault::CutStreams => dto::DrillFault::CutStreams,
            },
            percent: plan.percent,
            seconds: u32::try_from(plan.length.as_secs()).unwrap_or(u32::MAX),
            requests_per_second: plan.rate,
            operation: plan.operation.to_string(),
        },
    })
}

/// Our own time between two targets, for each failover of the drill, the shortest first. Units: microseconds.
async fn hops(app: &App, report: &Report) -> Result<Vec<i64>, AppError> {
    let filter = FailoverFilter {
        operation: Some(report.plan.operation.clone()),
        from_provider: Some(simulator()?),
        from_model: Some(report.plan.model.clone()),
        since: Some(report.started_at),
    };
    let failovers = app.control().store.failovers(&filter, None, FAILOVERS_READ).await?;
    let mut hops: Vec<i64> = failovers
        .into_iter()
        .filter(|failover| failover.at <= report.ends_at)
        .map(|failover| failover.hop_us)
        .collect();
    hops.sort_unstable();
    Ok(hops)
}

/// When the failing target's circuit first opened. Units: microseconds from the start.
async fn opened_after(app: &App, report: &Report) -> Result<Option<i64>, AppError> {
    let filter = HealthEventFilter {
        provider: Some(simulator()?),
        model: Some(report.plan.model.clone()),
        from: Some(report.started_at),
        before: None,
    };
    let events = app.control().store.health_events(&filter, EVENTS_READ).await?;
    let opened = |at: Timestamp| at.micros_since(report.started_at);
    Ok(events.iter().filter(|event| event.to == Circuit::Open).map(|event| opened(event.at)).min())
}

fn simulator() -> Result<ProviderName, AppError> {
    ProviderName::new(SIMULATOR).map_err(|error| AppError::internal("name the simulator", &error))
}

/// How the chain did, in words.
fn verdict(sent: u32, succeeded: u32, failed: u32, failed_over: u32, opened_after_us: Option<i64>) -> String {
    let circuit = opened_after_us.map_or_else(
        || "the circuit stayed closed".to_owned(),
        |micros| format!("the circuit opened after {:.1} s", view::milliseconds(micros) / 1_000.0),
    );
    match (sent, failed) {
        (0, _) => format!("No requests of its own yet; {circuit}."),
        (_, 0) => format!(
            "Nobody noticed: {succeeded} of {sent} requests were answered, {failed_over} of them by the next target; {circuit}."
        ),
        _ => format!(
            "{failed} of {sent} requests failed, {failed_over} were answered by the next target; {circuit}."
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_verdict_says_whether_anybody_noticed() {
        assert_eq!(verdict(0, 0, 0, 0, None), "No requests of its own yet; the circuit stayed closed.");
        assert_eq!(
            verdict(9, 9, 0, 3, Some(1_250_000)),
            "Nobody noticed: 9 of 9 requests were answered, 3 of them by the next target; the circuit opened after 1.2 s."
        );
        assert_eq!(
            verdict(9, 7, 2, 3, None),
            "2 of 9 requests failed, 3 were answered by the next target; the circuit stayed closed."
        );
    }
}
