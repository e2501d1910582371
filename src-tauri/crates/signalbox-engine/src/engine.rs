//! The running instance.

use std::collections::HashSet;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use signalbox_core::alert::AlertKind;
use signalbox_core::ids::NodeId;
use signalbox_core::ledger::{RequestStart, Settlement};
use signalbox_core::route::Target;
use signalbox_core::time::{Clock, MICROS_PER_SECOND};
use signalbox_core::toggle;
use signalbox_providers::Providers;
use signalbox_store::{ConfigSignal, Failover, FailoverFilter, LedgerEntry};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use url::Url;

use crate::alerts::{self, Alerts};
use crate::answer_cache::AnswerCache;
use crate::approvals::{self, Approvals};
use crate::budgets::{self, Budgets};
use crate::control::{Control, Options};
use crate::data_dir::InstanceLock;
use crate::disk;
use crate::drill::Drills;
use crate::error::EngineError;
use crate::events::{CONFIGURATION, Events, Topic};
use crate::health::{self, HealthBoard};
use crate::history;
use crate::idempotency::FirstRuns;
use crate::key_expiry;
use crate::kill_switch::{self, KillSwitch};
use crate::ledger::{Ledger, error_chain};
use crate::limits::Limits;
use crate::live::{self, Live};
use crate::nodes;
use crate::recovery;
use crate::spend;
use crate::toggle_guard;

/// How long a running request may take to finish after shutdown was asked for.
pub const SHUTDOWN_GRACE: Duration = Duration::from_secs(5);
/// How long a reader waits at most for what was written before.
const CATCH_UP_MAX: Duration = Duration::from_secs(5);
/// Pause before a settlement that the ledger refused is written again.
const SETTLE_PAUSE: Duration = Duration::from_secs(1);
/// How long a failover counts. Units: microseconds.
const FAILOVERS_COUNT_US: i64 = 3_600 * MICROS_PER_SECOND;
/// Failovers that are read at a start; a few per operation and target count.
const FAILOVERS_MAX: u32 = 10_000;
/// Pause before watching the configuration again after the database failed.
const WATCH_PAUSE: Duration = Duration::from_secs(2);

/// How to start an instance.
#[derive(Debug, Clone)]
pub struct EngineOptions {
    /// Which installation.
    pub installation: Options,
    /// Where the simulator listens, if it is on.
    pub simulator: Option<Url>,
}

/// A running instance: configuration in memory, traffic, ledger writer.
#[derive(Debug)]
pub struct Engine {
    /// The configuration side.
    pub control: Control,
    /// What changed.
    pub events: Events,
    /// Where a person is told of something.
    pub alerts: Alerts,
    /// What may still be used.
    pub budgets: Budgets,
    /// How targets serve, and who may be called.
    pub health: HealthBoard,
    /// How much may be asked for.
    pub limits: Limits,
    pub(crate) approvals: Approvals,
    /// Whether AI traffic flows.
    pub kill_switch: KillSwitch,
    pub(crate) answers: AnswerCache,
    pub(crate) first_runs: FirstRuns,
    /// Targets without a price that were told of already.
    unpriced_told: Mutex<HashSet<Target>>,
    pub(crate) live: ArcSwap<Live>,
    pub(crate) ledger: Ledger,
    pub(crate) providers: Providers,
    pub(crate) node: NodeId,
    pub(crate) in_flight: Arc<AtomicU32>,
    /// Requests; shutdown lets them finish first.
    pub(crate) requests: TaskTracker,
    /// Cancelled when requests must end now.
    pub(crate) abort: CancellationToken,
    pub(crate) drills: Drills,
    simulator: Option<Url>,
    pub(crate) background: TaskTracker,
    stop: CancellationToken,
    reloading: tokio::sync::Mutex<()>,
    _lock: InstanceLock,
}

impl Engine {
    /// Opens the installation, settles what a crash left open and begins to serve.
    ///
    /// Errors: the directory is not usable or in use, the database refuses, the build is broken (a critical toggle too). Sealed secrets are no
    /// error: everything can be read, and [`Live::sealed`] says why nothing can be called.
    pub async fn start(options: EngineOptions, clock: Arc<dyn Clock>) -> Result<Arc<Self>, EngineError> {
        toggle::verify_critical_toggles()?;
        crate::data_dir::prepare(&options.installation.data_dir)?;
        let lock = InstanceLock::acquire(&options.installation.data_dir)?;
        let control = Control::open(&options.installation, clock).await?;
        let node = node_id(&control.data_dir)?;
        let (background, stop) = (TaskTracker::new(), CancellationToken::new());
        let events = Events::default();
        let (alerts, raised) = Alerts::new(Arc::clone(&control.clock));
        toggle_guard::repair(&control, &alerts).await?;
        let abort = CancellationToken::new();
        let kill_switch = KillSwitch::new(
            control.store.kill_switch().await?,
            control.store.backend(),
            abort.clone(),
            alerts.clone(),
            events.clone(),
        );
        let ledger = Ledger::start(&control, events.clone(), &background, stop.clone()).await?;
        let signal = control.store.config_signal().await;
        let live = live::build(&control, options.simulator.as_ref()).await?;
        let clock = Arc::clone(&control.clock);
        let budgets =
            Budgets::open(&control.store, node, &live.snapshot.budgets, alerts.clone(), clock).await?;
        let recovered = recovery::settle_interrupted(
            &control.store,
            &ledger,
            Some(&budgets),
            node,
            &live.snapshot,
            control.now(),
        )
        .await?;
        if recovered > 0 {
            tracing::warn!(
                recovered,
                "requests of an earlier run were interrupted and are settled at their estimate"
            );
        }
        let (health, outbox) = HealthBoard::new(Arc::clone(&control.clock), events.clone(), alerts.clone());
        health.restore(control.store.target_health(node).await?, &live);
        health.restore_failovers(&last_failovers(&control).await?);
        control.store.release_idempotency_of(node).await?;
        let limits = Limits::new(Arc::clone(&control.clock));
        background.spawn(budgets::keep(budgets.clone(), stop.clone()));
        background.spawn(budgets::serve(budgets.clone(), stop.clone()));
        background.spawn(budgets::listen(budgets.clone(), stop.clone()));
        background.spawn(budgets::beat(budgets.clone(), ledger.clone(), stop.clone()));
        background.spawn(health::keep(health.clone(), outbox, control.store.clone(), node, stop.clone()));
        let engine = Arc::new(Self {
            control,
            events,
            alerts,
            budgets,
            health,
            limits,
            approvals: Approvals::default(),
            kill_switch,
            answers: AnswerCache::default(),
            first_runs: FirstRuns::default(),
            unpriced_told: Mutex::default(),
            live: ArcSwap::from_pointee(live),
            ledger,
            providers: Providers::new()?,
            node,
            in_flight: Arc::default(),
            requests: TaskTracker::new(),
            abort,
            drills: Drills::default(),
            simulator: options.simulator,
            background,
            stop,
            reloading: tokio::sync::Mutex::new(()),
            _lock: lock,
        });
        // The tokenizer's vocabulary takes a moment to load; the first request shall not wait for it.
        engine.background.spawn_blocking(signalbox_providers::warm);
        engine.background.spawn(health::probe_refused(Arc::downgrade(&engine), engine.stop.clone()));
        engine.background.spawn(history::verify_at_start(Arc::downgrade(&engine)));
        engine.background.spawn(approvals::keep(Arc::downgrade(&engine), engine.stop.clone()));
        engine.background.spawn(kill_switch::follow(Arc::downgrade(&engine), engine.stop.clone()));
        engine.background.spawn(nodes::watch(Arc::downgrade(&engine), engine.stop.clone()));
        engine.background.spawn(toggle_guard::watch(Arc::downgrade(&engine), engine.stop.clone()));
        engine.background.spawn(alerts::inbox::run(Arc::downgrade(&engine), raised, engine.stop.clone()));
        engine.background.spawn(alerts::courier::run(Arc::downgrade(&engine), engine.stop.clone()));
        let data_dir = engine.control.data_dir.to_path_buf();
        engine.background.spawn(disk::watch(data_dir, engine.alerts.clone(), engine.stop.clone()));
        engine.background.spawn(spend::watch(Arc::downgrade(&engine), engine.stop.clone()));
        engine.background.spawn(key_expiry::watch(Arc::downgrade(&engine), engine.stop.clone()));
        engine.background.spawn(follow_configuration(Arc::downgrade(&engine), signal, engine.stop.clone()));
        Ok(engine)
    }

    /// The configuration in memory.
    pub fn live(&self) -> Arc<Live> {
        self.live.load_full()
    }

    /// Waits until everything that was written until now can be read from the store: the ledger's entries get there a
    /// moment after they are written. Returns after a few seconds at the latest.
    pub async fn caught_up(&self) {
        self.ledger.caught_up(CATCH_UP_MAX).await;
    }

    /// Requests that run at this moment.
    pub fn in_flight(&self) -> u32 {
        self.in_flight.load(Ordering::Relaxed)
    }

    /// Whether shutdown has begun: running requests may finish, new ones are refused.
    pub fn is_shutting_down(&self) -> bool {
        self.requests.is_closed()
    }

    /// Where the simulator listens, if it is on.
    pub const fn simulator(&self) -> Option<&Url> {
        self.simulator.as_ref()
    }

    /// Reads the configuration anew and swaps it in whole; requests under way keep what they started with.
    pub async fn reload(&self) -> Result<(), EngineError> {
        let _one_at_a_time = self.reloading.lock().await;
        let live = live::build(&self.control, self.simulator.as_ref()).await?;
        let before = self.live.load_full();
        if live.snapshot.revision >= before.snapshot.revision {
            self.budgets.follow(&self.control.store, &live.snapshot.budgets).await?;
            self.health.follow_credentials(&before, &live);
            self.health.forget_missing(&live);
            lock(&self.unpriced_told).clear();
            self.live.store(Arc::new(live));
            self.approvals.moved();
            for topic in CONFIGURATION {
                self.events.publish(topic);
            }
        }
        Ok(())
    }

    /// Tells once, until the configuration changes, that a target has no price: what it costs is not known.
    pub(crate) fn tell_unpriced(&self, target: &Target) {
        if lock(&self.unpriced_told).insert(target.clone()) {
            let text = target.to_string();
            let sentence = format!("{text} answered without a price: what it costs is not known.");
            self.alerts.raise(AlertKind::UnpricedUsage, &text, &text, sentence);
            self.events.publish(Topic::Health);
        }
    }

    /// Writes a settlement that the ledger refused as soon as it takes it again; the request stays open until then, and a
    /// start after a crash settles it at its estimate. Writing twice does no harm.
    pub(crate) fn settle_later(&self, start: Arc<RequestStart>, settlement: Arc<Settlement>) {
        let (ledger, stop) = (self.ledger.clone(), self.stop.clone());
        self.background.spawn(async move {
            loop {
                tokio::select! {
                    () = tokio::time::sleep(SETTLE_PAUSE) => {}
                    () = stop.cancelled() => return,
                }
                let (start, settlement) = (Arc::clone(&start), Arc::clone(&settlement));
                if ledger.write(LedgerEntry::Settle { start, settlement }).await.is_ok() {
                    return;
                }
            }
        });
    }

    /// Lets running requests finish for [`SHUTDOWN_GRACE`], then ends them, writes the ledger out and closes the store.
    pub async fn shutdown(&self) {
        self.requests.close();
        if tokio::time::timeout(SHUTDOWN_GRACE, self.requests.wait()).await.is_err() {
            tracing::warn!(in_flight = self.in_flight(), "ending requests that are still running");
            self.abort.cancel();
            self.requests.wait().await;
        }
        self.abort.cancel();
        self.stop.cancel();
        self.background.close();
        self.background.wait().await;
        self.control.store.close().await;
    }
}

/// Failovers that still count: those of the last hour.
async fn last_failovers(control: &Control) -> Result<Vec<Failover>, EngineError> {
    let since = Some(control.now().plus_micros(-FAILOVERS_COUNT_US));
    let filter = FailoverFilter { since, ..FailoverFilter::default() };
    Ok(control.store.failovers(&filter, None, FAILOVERS_MAX).await?)
}

/// Reloads whenever any process wrote configuration.
async fn follow_configuration(
    engine: std::sync::Weak<Engine>,
    mut signal: ConfigSignal,
    stop: CancellationToken,
) {
    loop {
        let changed = tokio::select! {
            changed = signal.changed() => changed,
            () = stop.cancelled() => return,
        };
        let Some(engine) = engine.upgrade() else { return };
        let result = match changed {
            Ok(revision) if revision <= engine.live.load().snapshot.revision => continue,
            Ok(_) => engine.reload().await,
            Err(error) => Err(error.into()),
        };
        if let Err(error) = result {
            tracing::error!(error = %error_chain(&error), "the configuration cannot be followed; trying again");
            // What was announced has not been taken over: it must be announced again.
            signal.seen(engine.live.load().snapshot.revision);
            drop(engine);
            tokio::select! {
                () = tokio::time::sleep(WATCH_PAUSE) => {}
                () = stop.cancelled() => return,
            }
        }
    }
}

/// This instance's identity, kept in its data directory so that it recognises its own rows after a crash.
pub(crate) fn node_id(data_dir: &Path) -> Result<NodeId, EngineError> {
    let path = data_dir.join("node-id");
    let failed = |source| EngineError::DataDirectory { path: path.clone(), source };
    if let Some(node) = std::fs::read_to_string(&path).ok().and_then(|text| text.trim().parse().ok()) {
        return Ok(node);
    }
    let node = NodeId::generate();
    std::fs::write(&path, node.to_string()).map_err(failed)?;
    Ok(node)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Counts a request as in flight until dropped.
#[derive(Debug)]
pub(crate) struct InFlight {
    count: Arc<AtomicU32>,
    events: Events,
}

impl InFlight {
    pub(crate) fn begin(engine: &Engine) -> Self {
        engine.in_flight.fetch_add(1, Ordering::Relaxed);
        Self { count: Arc::clone(&engine.in_flight), events: engine.events.clone() }
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.count.fetch_sub(1, Ordering::Relaxed);
        self.events.publish(Topic::Requests);
    }
}
