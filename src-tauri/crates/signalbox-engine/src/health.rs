//! The health board: what is known of each target, who is being called, and who may be.
//!
//! Each target has its own small lock, held for as long as a few numbers change and never across an `await`. Whoever calls
//! a target holds a [`CallPermit`], which is given back however the call ends. Steps of circuits are told at once and
//! written by the [`keeper`], off the way of requests; a restart finds the board as it was left.

mod actions;
mod keeper;
mod permit;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use signalbox_core::alert::AlertKind;
use signalbox_core::breaker::{Blocked, BreakerSettings, Cause, Circuit, CountedFailure, Transition};
use signalbox_core::decide::HealthViews;
use signalbox_core::health::{FailoverCap, FailureNote, TargetHealth, TargetView};
use signalbox_core::ids::{HealthEventId, OperationId, ProviderName};
use signalbox_core::retry::{AfterAttempt, NextStep, RetryBudget, after_failure};
use signalbox_core::route::Target;
use signalbox_core::time::{Clock, Timestamp};
use signalbox_store::{Failover, HealthEvent};
use tokio::sync::mpsc;

pub use actions::Circuits;
pub(crate) use keeper::{Outbox, keep, probe_refused};
pub use permit::{CallPermit, Terms};

use crate::alerts::Alerts;
use crate::control::Control;
use crate::error::EngineError;
use crate::events::{Events, Topic};
use crate::live::Live;

/// Steps of circuits that may wait to be written. There are three to an outage.
const EVENTS_WAITING: usize = 1_024;

/// What is known of each target. Clones are the same board.
#[derive(Debug, Clone)]
pub struct HealthBoard(Arc<Board>);

#[derive(Debug)]
struct Board {
    clock: Arc<dyn Clock>,
    events: Events,
    alerts: Alerts,
    targets: RwLock<HashMap<Target, Arc<Slot>>>,
    /// Calls on their way to each provider.
    providers: RwLock<HashMap<ProviderName, Arc<AtomicU32>>>,
    caps: Mutex<FailoverCap>,
    budgets: Mutex<HashMap<OperationId, RetryBudget>>,
    outbox: mpsc::Sender<HealthEvent>,
}

/// One target's place on the board.
#[derive(Debug)]
struct Slot {
    target: Target,
    health: Mutex<TargetHealth>,
    in_use: AtomicU32,
    /// Whether it differs from what is stored.
    is_changed: AtomicBool,
}

/// A target as screens show it.
#[derive(Debug, Clone)]
pub struct TargetStanding {
    /// Which target.
    pub target: Target,
    /// What is known of it.
    pub health: TargetHealth,
    /// Calls on their way to it.
    pub in_use: u32,
}

/// Why a target is not called although the decision would have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Skipped {
    /// Its circuit or its provider's wish.
    Blocked(Blocked),
    /// As many calls are on their way to its provider as may be.
    Full,
    /// The operation has failed over from it too often within the hour.
    Capped {
        /// Until when.
        until: Timestamp,
    },
}

impl Skipped {
    /// From when on it may be called; `None` when no clock decides that.
    pub const fn until(self) -> Option<Timestamp> {
        match self {
            Self::Blocked(blocked) => blocked.until,
            Self::Full => None,
            Self::Capped { until } => Some(until),
        }
    }
}

/// What an installation last wrote down of its targets, for programs that run beside it.
///
/// Errors: the database or the data directory cannot be read.
pub async fn last_known(control: &Control) -> Result<Vec<TargetStanding>, EngineError> {
    let node = crate::engine::node_id(&control.data_dir)?;
    let known = control.store.target_health(node).await?;
    Ok(known.into_iter().map(|(target, health)| TargetStanding { target, health, in_use: 0 }).collect())
}

impl HealthBoard {
    /// An empty board, and where its steps of circuits arrive.
    pub(crate) fn new(clock: Arc<dyn Clock>, events: Events, alerts: Alerts) -> (Self, Outbox) {
        let (outbox, written_later) = mpsc::channel(EVENTS_WAITING);
        let board = Board {
            clock,
            events,
            alerts,
            targets: RwLock::default(),
            providers: RwLock::default(),
            caps: Mutex::default(),
            budgets: Mutex::default(),
            outbox,
        };
        (Self(Arc::new(board)), Outbox(written_later))
    }

    /// Puts back what was known when the instance stopped, of targets that still exist.
    pub(crate) fn restore(&self, known: Vec<(Target, TargetHealth)>, live: &Live) {
        let mut targets = self.0.targets.write().unwrap_or_else(PoisonError::into_inner);
        for (target, health) in known {
            if live.snapshot.models.contains_key(&target) {
                targets.insert(target.clone(), Arc::new(Slot::new(target, health)));
            }
        }
    }

    /// Forgets targets that no longer exist and that nobody calls any more.
    pub(crate) fn forget_missing(&self, live: &Live) {
        let mut targets = self.0.targets.write().unwrap_or_else(PoisonError::into_inner);
        targets.retain(|target, slot| {
            live.snapshot.models.contains_key(target) || slot.in_use.load(Ordering::Acquire) > 0
        });
    }

    /// Puts back failovers of the last hour.
    pub(crate) fn restore_failovers(&self, failovers: &[Failover]) {
        let now = self.0.clock.now();
        let mut caps = lock(&self.0.caps);
        // A target that was tried again did not hand over.
        for failover in failovers.iter().filter(|failover| failover.from != failover.to) {
            caps.note(&failover.operation, &failover.from, failover.at, now);
        }
    }

    /// What a decision about `operation` sees of a target; `concurrent_max` is its provider's.
    pub fn view(
        &self,
        operation: &OperationId,
        target: &Target,
        concurrent_max: Option<u32>,
        settings: BreakerSettings,
        now: Timestamp,
    ) -> TargetView {
        let known = self.0.targets.read().unwrap_or_else(PoisonError::into_inner).get(target).cloned();
        let seen = known.map_or_else(TargetView::default, |slot| slot.health().view(settings, now));
        TargetView {
            capped_until: lock(&self.0.caps).until(operation, target, now),
            is_full: concurrent_max.is_some_and(|most| self.in_use(&target.provider) >= most),
            ..seen
        }
    }

    /// What a decision about `operation` sees of the targets it may take.
    pub fn views<'a>(
        &self,
        operation: &OperationId,
        targets: impl Iterator<Item = &'a Target>,
        live: &Live,
        now: Timestamp,
    ) -> HealthViews {
        let settings = live.snapshot.settings.breaker;
        targets
            .map(|target| {
                let concurrent_max = live.concurrent_max(&target.provider);
                (target.clone(), self.view(operation, target, concurrent_max, settings, now))
            })
            .collect()
    }

    /// Every target that was ever called or acted on, by name.
    pub fn targets(&self) -> Vec<TargetStanding> {
        let mut standings: Vec<TargetStanding> = self.slots().iter().map(|slot| slot.standing()).collect();
        standings.sort_unstable_by(|left, right| left.target.cmp(&right.target));
        standings
    }

    /// One target; `None` when nothing is known of it.
    pub fn target(&self, target: &Target) -> Option<TargetStanding> {
        let slot = self.0.targets.read().unwrap_or_else(PoisonError::into_inner).get(target).cloned();
        slot.map(|slot| slot.standing())
    }

    /// Calls on their way to a provider.
    pub fn in_use(&self, provider: &ProviderName) -> u32 {
        let providers = self.0.providers.read().unwrap_or_else(PoisonError::into_inner);
        providers.get(provider).map_or(0, |count| count.load(Ordering::Acquire))
    }

    /// Calls on their way, to all providers together. Without requests there are none.
    pub fn calls(&self) -> u32 {
        let providers = self.0.providers.read().unwrap_or_else(PoisonError::into_inner);
        providers.values().map(|count| count.load(Ordering::Acquire)).sum()
    }

    /// Until when `operation` leaves the target alone because it failed over from it too often.
    pub fn capped_until(&self, operation: &OperationId, target: &Target) -> Option<Timestamp> {
        lock(&self.0.caps).until(operation, target, self.0.clock.now())
    }

    /// A request of `operation` came: its route may retry a little more.
    pub(crate) fn note_request(&self, operation: &OperationId, now: Timestamp) {
        let mut budgets = lock(&self.0.budgets);
        match budgets.get_mut(operation) {
            Some(budget) => budget.note_request(now),
            None => {
                budgets.insert(operation.clone(), RetryBudget::new(now));
            }
        }
    }

    /// What follows a failed attempt of `operation`; a retry is taken from its budget.
    pub(crate) fn after_failure(&self, operation: &OperationId, attempt: AfterAttempt) -> NextStep {
        let now = self.0.clock.now();
        let mut budgets = lock(&self.0.budgets);
        let budget = budgets.entry(operation.clone()).or_insert_with(|| RetryBudget::new(now));
        after_failure(attempt, budget, random(), now)
    }

    /// The chain of `operation` went on from `from` to another target.
    pub(crate) fn note_failover(&self, operation: &OperationId, from: &Target) {
        let now = self.0.clock.now();
        let mut caps = lock(&self.0.caps);
        let was_capped = caps.until(operation, from, now).is_some();
        let capped = caps.note(operation, from, now, now);
        drop(caps);
        if let Some(until) = capped.filter(|_| !was_capped) {
            let (subject, key) = (from.to_string(), format!("{operation} {from}"));
            let sentence =
                format!("{operation} failed over from {from} too often and leaves it alone until {until}.");
            self.0.alerts.raise(AlertKind::FailoverLimit, &subject, &key, sentence);
            self.0.events.publish(Topic::Health);
        }
    }

    fn slots(&self) -> Vec<Arc<Slot>> {
        self.0.targets.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    fn slot(&self, target: &Target) -> Arc<Slot> {
        if let Some(slot) = self.0.targets.read().unwrap_or_else(PoisonError::into_inner).get(target) {
            return Arc::clone(slot);
        }
        let mut targets = self.0.targets.write().unwrap_or_else(PoisonError::into_inner);
        let slot = targets
            .entry(target.clone())
            .or_insert_with(|| Arc::new(Slot::new(target.clone(), TargetHealth::default())));
        Arc::clone(slot)
    }

    fn provider(&self, name: &ProviderName) -> Arc<AtomicU32> {
        if let Some(count) = self.0.providers.read().unwrap_or_else(PoisonError::into_inner).get(name) {
            return Arc::clone(count);
        }
        let mut providers = self.0.providers.write().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(providers.entry(name.clone()).or_default())
    }
}

impl Board {
    /// Tells of a step and has it written.
    fn announce(&self, slot: &Slot, health: &TargetHealth, transition: &Transition, by: Option<ByHand>) {
        slot.is_changed.store(true, Ordering::Release);
        log(&slot.target, transition);
        self.alert(&slot.target, transition);
        let calls = transition.failures.iter().map(|failure| note_of(health, failure)).collect();
        let (actor, reason) = by.map_or((None, None), |by| (Some(by.actor), by.reason));
        let event = HealthEvent {
            id: HealthEventId::generate(),
            at: transition.at,
            target: slot.target.clone(),
            from: transition.from,
            to: transition.to,
            cause: transition.cause,
            actor,
            reason,
            calls,
        };
        if self.outbox.try_send(event).is_err() {
            tracing::error!(target = %slot.target, "too many steps of circuits wait to be written; this one is only in the log");
        }
        self.events.publish(Topic::Health);
    }

    /// Raises the alert of a step, if it is one that somebody should know of. Whoever holds a circuit knows already.
    fn alert(&self, target: &Target, transition: &Transition) {
        let name = target.to_string();
        match (transition.to, transition.cause) {
            (_, Cause::InvalidKey) => {
                let provider = target.provider.as_str();
                let sentence = format!("{provider} refuses its credential: give it a new one.");
                self.alerts.raise(AlertKind::CredentialInvalid, provider, provider, sentence);
            }
            (Circuit::Open, cause) => {
                let sentence = format!("{name} is left alone for now: {}.", cause.in_words());
                self.alerts.raise(AlertKind::CircuitOpened, &name, &name, sentence);
            }
            (Circuit::Closed, cause) => {
                let sentence = format!("{name} is called again: {}.", cause.in_words());
                self.alerts.raise(AlertKind::CircuitClosed, &name, &name, sentence);
            }
            (Circuit::HalfOpen | Circuit::Held, _) => {}
        }
    }
}

/// Who acted on a circuit, and why.
#[derive(Debug, Clone)]
struct ByHand {
    actor: String,
    reason: Option<String>,
}

impl Slot {
    fn new(target: Target, health: TargetHealth) -> Self {
        Self {
            target,
            health: Mutex::new(health),
            in_use: AtomicU32::new(0),
            is_changed: AtomicBool::new(false),
        }
    }

    fn health(&self) -> MutexGuard<'_, TargetHealth> {
        lock(&self.health)
    }

    fn standing(&self) -> TargetStanding {
        TargetStanding {
            target: self.target.clone(),
            health: self.health().clone(),
            in_use: self.in_use.load(Ordering::Acquire),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A uniformly random number, for pauses that shall not fall together.
fn random() -> u64 {
    getrandom::u64().unwrap_or(u64::MAX / 2)
}

/// The failure that counted, as it was noted.
fn note_of(health: &TargetHealth, counted: &CountedFailure) -> FailureNote {
    let is_it = |note: &&FailureNote| {
        note.at == counted.at && note.kind == counted.kind && note.request == counted.request
    };
    health.failures().find(is_it).cloned().unwrap_or_else(|| FailureNote {
        at: counted.at,
        kind: counted.kind,
        message: String::new(),
        latency_us: 0,
        http_status: None,
        request: counted.request,
    })
}

/// The one log line of a step; a refused credential is an alert, because no waiting cures it.
fn log(target: &Target, transition: &Transition) {
    let (from, to) = (transition.from.as_str(), transition.to.as_str());
    let why = transition.cause.in_words();
    match transition.cause {
        Cause::InvalidKey => {
            tracing::error!(%target, from, to, "a provider refuses its credential: give it a new one");
        }
        Cause::Failures | Cause::ProbeFailed | Cause::HeldByAdmin => {
            tracing::warn!(%target, from, to, why, "a circuit moved");
        }
        Cause::OpenTimeOver | Cause::LastResort | Cause::ProbeSucceeded | Cause::Reset => {
            tracing::info!(%target, from, to, why, "a circuit moved");
        }
    }
}

#[cfg(test)]
mod tests;
