//! The kill switch of a running instance: AI traffic flows, or it does not.
//!
//! Whoever calls a provider holds the [flow](KillSwitch::flow) that was open when it began and looks at it before each
//! call; stopping cancels it, so that calls on their way end at once. A stop holds in memory first and is then written,
//! and other processes on the same database find it there within [`LOOK_EVERY`].

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use arc_swap::ArcSwap;
use signalbox_core::alert::AlertKind;
use signalbox_core::kill_switch::Stop;
use signalbox_store::{Backend, ConfigEdit, Store, StoreError};
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use crate::alerts::Alerts;
use crate::dispatch::{Refusal, RefusalCode};
use crate::engine::Engine;
use crate::error::EngineError;
use crate::events::{Events, Topic};
use crate::ledger::error_chain;

/// How often it is looked whether another process has stopped or released traffic: one row by its key.
const LOOK_EVERY: Duration = Duration::from_millis(400);
/// How long such a look may take before it counts as failed.
const LOOK_MAX: Duration = Duration::from_secs(2);
/// A node that shares its database and has not been able to look for this long cannot know whether traffic is stopped.
const BLIND_AFTER: Duration = Duration::from_secs(5);
/// How long stopping waits for the calls it ended to be gone. Each needs a moment of the processor, not a provider's answer.
const END_MAX: Duration = Duration::from_secs(5);
/// Pause between two looks at what is still on its way.
const END_PAUSE: Duration = Duration::from_millis(1);

/// Whether AI traffic flows.
#[derive(Debug)]
pub struct KillSwitch {
    state: ArcSwap<State>,
    /// One change at a time, from memory to the database.
    changing: tokio::sync::Mutex<()>,
    /// Cancelled when the instance goes down, and every flow with it.
    abort: CancellationToken,
    alerts: Alerts,
    events: Events,
    sight: Sight,
}

#[derive(Debug)]
struct State {
    stop: Option<Stop>,
    /// Whether the database has it: a stop that it does not have is only let go by hand.
    is_stored: bool,
    flow: CancellationToken,
}

/// When this node last saw the switch in a database that it shares.
#[derive(Debug)]
struct Sight {
    is_shared: bool,
    began: Instant,
    seen_us: AtomicU64,
}

impl Sight {
    fn note(&self) {
        let us = u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.seen_us.store(us, Ordering::Release);
    }

    fn is_blind(&self) -> bool {
        let seen = Duration::from_micros(self.seen_us.load(Ordering::Acquire));
        self.is_shared && self.began.elapsed().saturating_sub(seen) > BLIND_AFTER
    }
}

/// What stopping did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stopped {
    /// The stop that holds: an earlier one if traffic was stopped already.
    pub stop: Stop,
    /// Requests that it ended.
    pub ended: u32,
}

impl KillSwitch {
    /// As it was left: `stop` is what the database has.
    pub(crate) fn new(
        stop: Option<Stop>,
        backend: Backend,
        abort: CancellationToken,
        alerts: Alerts,
        events: Events,
    ) -> Self {
        let flow = abort.child_token();
        if stop.is_some() {
            flow.cancel();
        }
        let sight = Sight {
            is_shared: backend == Backend::Postgres,
            began: Instant::now(),
            seen_us: AtomicU64::default(),
        };
        let switch = Self {
            state: ArcSwap::from_pointee(State { stop: None, is_stored: true, flow }),
            changing: tokio::sync::Mutex::default(),
            abort,
            alerts,
            events,
            sight,
        };
        if let Some(stop) = stop {
            switch.stop_in_memory(&stop, true);
        }
        switch
    }

    /// The stop that holds, if one does.
    pub fn stop(&self) -> Option<Stop> {
        self.state.load().stop.clone()
    }

    /// What calls to providers depend on: cancelled when they must end, and from the start while traffic is stopped.
    pub(crate) fn flow(&self) -> CancellationToken {
        self.state.load().flow.clone()
    }

    /// The flow for a new request.
    ///
    /// Errors: traffic is stopped, or this node cannot know whether it is.
    pub(crate) fn open_flow(&self) -> Result<CancellationToken, Refusal> {
        let state = self.state.load();
        if let Some(stop) = &state.stop {
            return Err(Refusal::new(RefusalCode::KillSwitch, format!("{}.", stop.in_words())));
        }
        if self.sight.is_blind() {
            let message = "The shared database has not answered for 5 seconds, so this node cannot know whether AI \
                           traffic is stopped. It sends nothing until it can.";
            return Err(Refusal::new(RefusalCode::KillSwitch, message));
        }
        Ok(state.flow.clone())
    }

    /// Why a request whose flow was cancelled ended: the instance goes down, or traffic was stopped.
    pub(crate) fn why_ended(&self) -> (RefusalCode, &'static str) {
        if self.abort.is_cancelled() {
            (RefusalCode::ShuttingDown, "Signalbox shut down while the request was running.")
        } else {
            (RefusalCode::KillSwitch, "All AI traffic was stopped while the request was running.")
        }
    }

    /// Holds at once. A stop that the database has counts before one that was only asked for.
    fn stop_in_memory(&self, stop: &Stop, is_stored: bool) {
        let before = self.state.load_full();
        let kept = before.stop.as_ref().filter(|_| !is_stored).unwrap_or(stop).clone();
        before.flow.cancel();
        self.state.store(Arc::new(State { stop: Some(kept), is_stored, flow: before.flow.clone() }));
        if before.stop.is_none() {
            tracing::warn!(by = stop.by, source = stop.source, "all AI traffic is stopped");
            let key = format!("stopped {}", stop.at);
            self.alerts.raise(AlertKind::KillSwitch, "kill_switch", &key, format!("{}.", stop.in_words()));
            self.tell();
        }
    }

    fn release_in_memory(&self) {
        let before = self.state.load_full();
        let Some(stop) = &before.stop else { return };
        self.state.store(Arc::new(State { stop: None, is_stored: true, flow: self.abort.child_token() }));
        tracing::warn!("AI traffic runs again");
        let sentence = format!("AI traffic runs again; it was stopped since {}.", stop.at);
        self.alerts.raise(AlertKind::KillSwitch, "kill_switch", &format!("released {}", stop.at), sentence);
        self.tell();
    }

    fn tell(&self) {
        for topic in [Topic::Status, Topic::Toggles, Topic::Changes] {
            self.events.publish(topic);
        }
    }

    /// Takes over what the database says.
    async fn look(&self, store: &Store) -> Result<(), StoreError> {
        let _one_at_a_time = self.changing.lock().await;
        let found = store.kill_switch().await?;
        self.sight.note();
        let state = self.state.load_full();
        match found {
            Some(stop) => self.stop_in_memory(&stop, true),
            None if state.stop.is_some() && state.is_stored => self.release_in_memory(),
            None => {}
        }
        Ok(())
    }
}

impl Engine {
    /// Stops all AI traffic. When it returns nothing is on its way to a provider any more, and a restart does not let
    /// traffic run again. `edit` is the entry of the history, with its write.
    ///
    /// Errors: the database did not take it. Traffic is stopped all the same, in this instance and until it ends.
    pub async fn stop_traffic(&self, stop: Stop, edit: ConfigEdit) -> Result<Stopped, EngineError> {
        let switch = &self.kill_switch;
        let running = self.in_flight();
        switch.stop_in_memory(&stop, false);
        let written = {
            let _one_at_a_time = switch.changing.lock().await;
            // Whoever looked a moment ago may have found it released.
            switch.stop_in_memory(&stop, false);
            self.store_stop(&stop, edit).await
        };
        let began = Instant::now();
        while self.health.calls() > 0 && began.elapsed() < END_MAX {
            tokio::time::sleep(END_PAUSE).await;
        }
        if self.health.calls() > 0 {
            tracing::error!(calls = self.health.calls(), "calls that were ended are not gone yet");
        }
        written?;
        Ok(Stopped { stop: switch.stop().unwrap_or(stop), ended: running })
    }

    /// Has the database keep a stop, unless it has one.
    async fn store_stop(&self, stop: &Stop, edit: ConfigEdit) -> Result<(), EngineError> {
        let kept = if let Some(earlier) = self.control.store.kill_switch().await? {
            earlier
        } else {
            self.control.write(vec![edit]).await?;
            stop.clone()
        };
        self.kill_switch.stop_in_memory(&kept, true);
        Ok(())
    }

    /// Lets AI traffic run again. `edit` is the entry of the history, with its write.
    ///
    /// Errors: the database did not take it; traffic stays stopped.
    pub async fn release_traffic(&self, edit: ConfigEdit) -> Result<(), EngineError> {
        let _one_at_a_time = self.kill_switch.changing.lock().await;
        self.control.write(vec![edit]).await?;
        self.kill_switch.release_in_memory();
        Ok(())
    }
}

/// Follows what other processes do with the switch, until `stop`.
pub(crate) async fn follow(engine: Weak<Engine>, stop: CancellationToken) {
    let mut tick = tokio::time::interval(LOOK_EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut fails = false;
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            () = stop.cancelled() => return,
        }
        let Some(engine) = engine.upgrade() else { return };
        let looked = tokio::select! {
            looked = tokio::time::timeout(LOOK_MAX, engine.kill_switch.look(&engine.control.store)) => looked,
            () = stop.cancelled() => return,
        };
        let failed = match looked {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(error_chain(&error)),
            Err(_) => Some("the database does not answer".to_owned()),
        };
        // Said once, not twice a second.
        if let Some(error) = failed.as_ref().filter(|_| !fails) {
            tracing::error!(error, "it cannot be seen whether another process stops AI traffic; looking on");
        }
        fails = failed.is_some();
    }
}
