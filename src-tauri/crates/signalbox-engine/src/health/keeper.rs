//! Keeps the board: writes steps of circuits and the state of targets, and finds out for free whether a refused credential
//! is taken again.

use std::sync::Weak;
use std::sync::atomic::Ordering;
use std::time::Duration;

use signalbox_core::health::TargetHealth;
use signalbox_core::ids::{NodeId, ProviderName};
use signalbox_core::route::Target;
use signalbox_store::{HealthEvent, Store};
use tokio::sync::mpsc;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use super::{EVENTS_WAITING, HealthBoard, lock};
use crate::engine::Engine;
use crate::ledger::error_chain;

/// How often what has changed is stored. A crash forgets as much, but no step of a circuit: those are stored at once.
const STORE_EVERY: Duration = Duration::from_secs(30);
/// How often a provider that refused its credential is asked for its models, which costs nothing.
const PROBE_EVERY: Duration = Duration::from_mins(1);
/// Steps written at once.
const BATCH: usize = 64;

/// Where steps of circuits arrive.
#[derive(Debug)]
pub(crate) struct Outbox(pub(super) mpsc::Receiver<HealthEvent>);

/// Stores what the board learns until `stop`, and then everything once more.
pub(crate) async fn keep(
    board: HealthBoard,
    mut outbox: Outbox,
    store: Store,
    node: NodeId,
    stop: CancellationToken,
) {
    let mut unwritten = Vec::new();
    let mut tick = tokio::time::interval(STORE_EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let is_over = tokio::select! {
            received = outbox.0.recv_many(&mut unwritten, BATCH) => received == 0,
            _ = tick.tick() => {
                board.forget_what_is_over();
                false
            }
            () = stop.cancelled() => {
                outbox.0.close();
                while let Ok(event) = outbox.0.try_recv() {
                    unwritten.push(event);
                }
                true
            }
        };
        write(&board, &mut unwritten, &store, node).await;
        if is_over {
            return;
        }
    }
}

/// Writes steps first: they are the history, and the state only what follows from it.
async fn write(board: &HealthBoard, unwritten: &mut Vec<HealthEvent>, store: &Store, node: NodeId) {
    match store.insert_health_events(unwritten).await {
        Ok(()) => unwritten.clear(),
        Err(error) => {
            tracing::error!(error = %error_chain(&error), "the steps of a circuit cannot be stored; trying again");
            let too_many = unwritten.len().saturating_sub(EVENTS_WAITING);
            unwritten.drain(..too_many);
        }
    }
    let changed = board.take_changed();
    if let Err(error) = store.save_target_health(node, &changed, board.0.clock.now()).await {
        tracing::error!(error = %error_chain(&error), "the health of targets cannot be stored; trying again");
        board.mark_changed(changed.iter().map(|(target, _)| target));
    }
}

impl HealthBoard {
    fn take_changed(&self) -> Vec<(Target, TargetHealth)> {
        let slots = self.slots();
        let changed = slots.iter().filter(|slot| slot.is_changed.swap(false, Ordering::AcqRel));
        changed.map(|slot| (slot.target.clone(), slot.health().clone())).collect()
    }

    fn mark_changed<'a>(&self, targets: impl Iterator<Item = &'a Target>) {
        for target in targets {
            self.slot(target).is_changed.store(true, Ordering::Release);
        }
    }

    fn forget_what_is_over(&self) {
        lock(&self.0.caps).sweep(self.0.clock.now());
    }

    /// Providers that refused the credential for a target.
    fn providers_refusing(&self) -> Vec<ProviderName> {
        let mut refusing: Vec<ProviderName> = self
            .slots()
            .iter()
            .filter(|slot| slot.health().breaker().is_key_refused())
            .map(|slot| slot.target.provider.clone())
            .collect();
        refusing.sort_unstable();
        refusing.dedup();
        refusing
    }
}

/// Asks providers that refused their credential whether they take it again, until `stop`.
pub(crate) async fn probe_refused(engine: Weak<Engine>, stop: CancellationToken) {
    let mut tick = tokio::time::interval(PROBE_EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            () = stop.cancelled() => return,
        }
        let Some(engine) = engine.upgrade() else { return };
        engine.limits.forget_idle();
        if let Err(error) = engine.control.store.forget_expired_idempotency(engine.control.now()).await {
            tracing::warn!(error = %error_chain(&error), "expired idempotency keys cannot be forgotten");
        }
        for provider in engine.health.providers_refusing() {
            let probed = tokio::select! {
                probed = engine.probe(&provider) => probed,
                () = stop.cancelled() => return,
            };
            if let Err(error) = probed {
                tracing::debug!(%provider, error = %error_chain(&error), "a provider cannot be probed");
            }
        }
    }
}
