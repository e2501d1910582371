//! Drills: one simulated model goes wrong on purpose while traffic runs through the one way every request takes.
//!
//! A drill changes no configuration. Its own requests take a chain of simulated targets, the failing one first, so that
//! they cost nothing and the circuit, the failovers and the log can be watched while it runs.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Map, Value, json};
use signalbox_core::defaults::SIMULATOR;
use signalbox_core::entry::EntryPath;
use signalbox_core::ids::{ModelName, OperationId, ProviderName};
use signalbox_core::ledger::Surface;
use signalbox_core::operation::{Capability, Operation};
use signalbox_core::provider::ProviderKind;
use signalbox_core::route::{Route, RouteTarget, Target};
use signalbox_core::time::Timestamp;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::dispatch::{Answer, Call, Payload, Resolved};
use crate::engine::Engine;
use crate::events::Topic;
use crate::live::Live;

/// Longest drill.
pub const LENGTH_MAX: Duration = Duration::from_hours(1);
/// Most requests a drill sends in a second.
pub const RATE_MAX: u32 = 50;
/// How long the failing target of a drill's own chain may take to begin.
const PATIENCE_MS: u32 = 1_000;
/// How late a slow target begins: past any drill's patience.
const SLOW_MS: u64 = 5_000;
/// When a refused client may come back. Units: seconds.
const RETRY_AFTER_S: u64 = 5;
/// How long turning the simulator's dials may take.
const DIALS_WAIT: Duration = Duration::from_secs(5);

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Calls fail with a server error.
    Outage,
    /// Calls are refused for their rate, with a time to come back.
    RateLimit,
    /// Answers begin too late.
    SlowFirstByte,
    /// Streams break off after their first words.
    CutStreams,
}

/// What is rehearsed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Which simulated model goes wrong.
    pub model: ModelName,
    /// How.
    pub fault: Fault,
    /// Share of the calls that an outage or a rate limit hits. Units: percent, 1 to 100.
    pub percent: u32,
    /// How long.
    pub length: Duration,
    /// Requests the drill sends in a second; 0 to watch other traffic only.
    pub rate: u32,
    /// Under which operation they run.
    pub operation: OperationId,
}

/// A drill and how it went so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// What is rehearsed.
    pub plan: Plan,
    /// Whether it goes on.
    pub running: bool,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ends, or ended, by itself.
    pub ends_at: Timestamp,
    /// Requests it sent.
    pub sent: u32,
    /// Those with a whole answer.
    pub succeeded: u32,
    /// Those without.
    pub failed: u32,
    /// Those another target answered.
    pub failed_over: u32,
}

/// Why there is no drill.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DrillError {
    /// The simulator is off.
    #[error("the simulator is switched off")]
    SimulatorOff,
    /// All AI traffic is stopped.
    #[error("all AI traffic is stopped; let it run again first")]
    Stopped,
    /// One at a time.
    #[error("a drill is running; stop it first")]
    Running,
    /// There is no such simulated model.
    #[error("the simulator has no model `{0}`")]
    UnknownModel(ModelName),
    /// There is no such operation, or it holds no conversations.
    #[error("`{0}` is no operation for conversations that is switched on")]
    Operation(OperationId),
    /// A number out of range.
    #[error("{0}")]
    OutOfRange(&'static str),
    /// The simulator did not take the dials.
    #[error("the simulator did not take the fault: {0}")]
    Dials(String),
}

/// The drill that runs, or the last one.
#[derive(Debug, Default)]
pub(crate) struct Drills(Mutex<Option<Arc<Drill>>>);

#[derive(Debug)]
struct Drill {
    plan: Plan,
    started_at: Timestamp,
    ended: CancellationToken,
    sent: AtomicU32,
    succeeded: AtomicU32,
    failed: AtomicU32,
    failed_over: AtomicU32,
}

impl Drill {
    fn report(&self) -> Report {
        let micros = i64::try_from(self.plan.length.as_micros()).unwrap_or(i64::MAX);
        Report {
            plan: self.plan.clone(),
            running: !self.ended.is_cancelled(),
            started_at: self.started_at,
            ends_at: self.started_at.plus_micros(micros),
            sent: self.sent.load(Ordering::Relaxed),
            succeeded: self.succeeded.load(Ordering::Relaxed),
            failed: self.failed.load(Ordering::Relaxed),
            failed_over: self.failed_over.load(Ordering::Relaxed),
        }
    }
}

impl Engine {
    /// The drill that runs, or the last one.
    pub fn drill(&self) -> Option<Report> {
        self.drills.0.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(|drill| drill.report())
    }

    /// Begins a drill, which ends by itself.
    ///
    /// Errors: [`DrillError`]; nothing goes wrong then.
    pub async fn start_drill(self: &Arc<Self>, plan: Plan) -> Result<Report, DrillError> {
        let dials = self.simulator().map(dials_url).ok_or(DrillError::SimulatorOff)?;
        let flow = self.kill_switch.open_flow().map_err(|_| DrillError::Stopped)?;
        check(&self.live(), &plan)?;
        let drill = Arc::new(Drill {
            started_at: self.control.now(),
            ended: CancellationToken::new(),
            sent: AtomicU32::new(0),
            succeeded: AtomicU32::new(0),
            failed: AtomicU32::new(0),
            failed_over: AtomicU32::new(0),
            plan,
        });
        {
            let mut slot = self.drills.0.lock().unwrap_or_else(PoisonError::into_inner);
            if slot.as_ref().is_some_and(|drill| !drill.ended.is_cancelled()) {
                return Err(DrillError::Running);
            }
            *slot = Some(Arc::clone(&drill));
        }
        if let Err(error) = turn(&dials, Some(&drill.plan)).await {
            drill.ended.cancel();
            return Err(error);
        }
        self.background.spawn(conduct(Arc::clone(self), Arc::clone(&drill), dials, flow));
        self.events.publish(Topic::Providers);
        Ok(drill.report())
    }

    /// Ends the drill that runs.
    pub fn stop_drill(&self) {
        let slot = self.drills.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(drill) = slot.as_ref() {
            drill.ended.cancel();
        }
    }
}

fn check(live: &Live, plan: &Plan) -> Result<(), DrillError> {
    if !(1..=100).contains(&plan.percent) {
        return Err(DrillError::OutOfRange("the share is between 1 and 100 percent"));
    }
    if plan.length < Duration::from_secs(1) || plan.length > LENGTH_MAX {
        return Err(DrillError::OutOfRange("a drill takes between a second and an hour"));
    }
    if plan.rate > RATE_MAX {
        return Err(DrillError::OutOfRange("a drill sends at most 50 requests in a second"));
    }
    if !simulated_chats(live).any(|target| target.model == plan.model) {
        return Err(DrillError::UnknownModel(plan.model.clone()));
    }
    let operation = live.snapshot.operations.get(&plan.operation).map(|entry| &entry.operation);
    if operation.is_some_and(|operation| operation.enabled && holds_chats(operation)) {
        Ok(())
    } else {
        Err(DrillError::Operation(plan.operation.clone()))
    }
}

const fn holds_chats(operation: &Operation) -> bool {
    matches!(operation.capability, Capability::Chat | Capability::Vision)
}

fn simulated_chats(live: &Live) -> impl Iterator<Item = &Target> {
    live.snapshot
        .models
        .iter()
        .filter(|(target, entry)| {
            let provider = live.snapshot.providers.get(&target.provider);
            provider.is_some_and(|known| known.provider.kind == ProviderKind::Simulator)
                && entry.model.capabilities.contains(&Capability::Chat)
        })
        .map(|(target, _)| target)
}

/// Lets the drill run to its end and puts the simulator right again, whatever happens.
async fn conduct(engine: Arc<Engine>, drill: Arc<Drill>, dials: Url, flow: CancellationToken) {
    let over = tokio::time::sleep(drill.plan.length);
    tokio::select! {
        () = over => {}
        () = drill.ended.cancelled() => {}
        () = flow.cancelled() => {}
        () = send_all(&engine, &drill) => {}
    }
    drill.ended.cancel();
    if let Err(error) = turn(&dials, None).await {
        tracing::warn!(%error, "the simulator keeps its fault until it restarts");
    }
    engine.events.publish(Topic::Providers);
}

/// Sends the drill's own requests, evenly; never returns.
async fn send_all(engine: &Arc<Engine>, drill: &Arc<Drill>) {
    if drill.plan.rate == 0 {
        return std::future::pending().await;
    }
    let live = rehearsal_of(&engine.live(), &drill.plan);
    let mut ticks = tokio::time::interval(Duration::from_secs(1) / drill.plan.rate);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        ticks.tick().await;
        drill.sent.fetch_add(1, Ordering::Relaxed);
        engine.background.spawn(send(Arc::clone(engine), Arc::clone(drill), Arc::clone(&live)));
    }
}

async fn send(engine: Arc<Engine>, drill: Arc<Drill>, live: Arc<Live>) {
    let answer = engine.dispatch(live, call(&drill.plan)).await;
    let (whole, attempts) = match answer {
        Err(_) => (false, 0),
        Ok(Answer::Complete { meta, .. }) => (true, meta.attempts),
        Ok(Answer::Stream { meta, mut frames }) => {
            let mut last = bytes::Bytes::new();
            while let Some(frame) = frames.recv().await {
                last = frame;
            }
            // A stream that broke ends with an error event instead of its terminal one.
            let whole = last.windows(6).any(|part| part == b"[DONE]");
            (whole, meta.attempts)
        }
    };
    let count = if whole { &drill.succeeded } else { &drill.failed };
    count.fetch_add(1, Ordering::Relaxed);
    if whole && attempts > 1 {
        drill.failed_over.fetch_add(1, Ordering::Relaxed);
    }
}

fn call(plan: &Plan) -> Call {
    let mut body = Map::new();
    let message = "This is a drill. Say that you are here.";
    body.insert("messages".to_owned(), json!([{"role": "user", "content": message}]));
    body.insert("stream".to_owned(), Value::Bool(true));
    Call {
        surface: Surface::OpenaiChat,
        payload: Payload::Json(Arc::new(body)),
        requested_model: plan.operation.to_string(),
        resolved: Resolved { operation: plan.operation.clone(), pinned: None },
        key: None,
        user: None,
        tags: vec![("source".to_owned(), "drill".to_owned())],
        deadline: None,
        idempotency_key: None,
        no_cache: true,
        via: EntryPath::Drill,
        person: None,
        approval: None,
    }
}

/// The configuration as it is, but with the drill's own chain: the failing model first, then the other simulated ones.
fn rehearsal_of(live: &Live, plan: &Plan) -> Arc<Live> {
    let mut rehearsal = live.clone();
    let mut others: Vec<Target> =
        simulated_chats(live).filter(|target| target.model != plan.model).cloned().collect();
    others.sort();
    if let (Ok(provider), Some(entry)) =
        (ProviderName::new(SIMULATOR), rehearsal.snapshot.operations.get_mut(&plan.operation))
    {
        let first = Target { provider, model: plan.model.clone() };
        let impatient = RouteTarget { timeout_ms: Some(PATIENCE_MS), ..RouteTarget::of(first) };
        let chain = std::iter::once(impatient).chain(others.into_iter().map(RouteTarget::of)).collect();
        entry.route = Route { version: entry.route.version, ..Route::of(plan.operation.clone(), chain) };
        entry.operation.cache_ttl_s = None;
        entry.operation.allowed_providers.clear();
    }
    Arc::new(rehearsal)
}

/// Where the simulator's dials are turned.
fn dials_url(simulator: &Url) -> Url {
    let mut url = simulator.clone();
    url.set_path("/dials");
    url
}

/// Makes the planned model go wrong, or all right again.
async fn turn(dials: &Url, plan: Option<&Plan>) -> Result<(), DrillError> {
    let failed = |error: reqwest::Error| DrillError::Dials(error.without_url().to_string());
    let per_model = plan.map_or_else(|| json!({}), |plan| json!({plan.model.as_str(): overlay(plan)}));
    let client = reqwest::Client::builder().no_proxy().timeout(DIALS_WAIT).build().map_err(failed)?;
    let body = json!({"per_model": per_model}).to_string();
    let response = client.patch(dials.clone()).body(body).send().await.map_err(failed)?;
    response.error_for_status().map(drop).map_err(failed)
}

fn overlay(plan: &Plan) -> Value {
    let share = f64::from(plan.percent) / 100.0;
    match plan.fault {
        Fault::Outage => json!({"error": "server_error", "error_rate": share}),
        Fault::RateLimit => {
            json!({"error": "rate_limit", "error_rate": share, "retry_after_s": RETRY_AFTER_S})
        }
        Fault::SlowFirstByte => json!({"latency_ms": SLOW_MS}),
        Fault::CutStreams => json!({"truncate_after_chunks": 2}),
    }
}
