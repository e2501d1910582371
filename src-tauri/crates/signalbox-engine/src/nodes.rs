//! Nodes that are gone: what they left open is settled, and what they had of shared budgets is free again.

use std::collections::HashMap;
use std::sync::Weak;
use std::time::Duration;

use signalbox_core::ids::NodeId;
use signalbox_core::snapshot::Snapshot;
use signalbox_core::time::Timestamp;
use signalbox_store::{Backend, NodeBeat, Store};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::engine::Engine;
use crate::error::EngineError;
use crate::ledger::{Ledger, error_chain};
use crate::recovery;

/// A node whose beat stands still for this long is gone. It stopped using its parts of budgets five seconds after its last
/// beat; the rest is for it to start again, because only it can read its journal: requests in there that the database never
/// heard of can only be charged when it is back.
pub const GONE_AFTER: Duration = Duration::from_mins(10);
/// How often it is looked.
const LOOK_EVERY: Duration = Duration::from_secs(10);
/// How long the settlements of a gone node may take into the database.
const PATIENCE: Duration = Duration::from_mins(1);

/// Looks for gone nodes until `stop`. Each node does; whatever is done twice does no harm.
pub(crate) async fn watch(engine: Weak<Engine>, stop: CancellationToken) {
    let mut watch = Watch::default();
    loop {
        tokio::select! {
            () = tokio::time::sleep(LOOK_EVERY) => {}
            () = stop.cancelled() => return,
        }
        let Some(engine) = engine.upgrade() else { return };
        if engine.control.store.backend() != Backend::Postgres {
            return;
        }
        let look = async {
            for gone in watch.gone(&engine.control.store.nodes().await?, engine.node) {
                let (live, now) = (engine.live(), engine.control.now());
                bury(&engine.control.store, &engine.ledger, gone, &live.snapshot, now).await?;
            }
            Ok::<_, EngineError>(())
        };
        let looked = tokio::select! {
            looked = look => looked,
            () = stop.cancelled() => return,
        };
        if let Err(error) = looked {
            tracing::warn!(
                error = error_chain(&error),
                "what a gone node left cannot be settled; trying again"
            );
        }
    }
}

/// Since when each node's beat stands still. No clock of another machine is trusted.
#[derive(Debug, Default)]
struct Watch(HashMap<NodeId, (i64, Instant)>);

impl Watch {
    fn gone(&mut self, nodes: &[NodeBeat], own: NodeId) -> Vec<NodeBeat> {
        let now = Instant::now();
        self.0.retain(|node, _| nodes.iter().any(|found| found.node == *node));
        let stands_still = |found: &&NodeBeat| {
            let known = self.0.entry(found.node).or_insert((found.beat, now));
            if known.0 != found.beat {
                *known = (found.beat, now);
            }
            found.node != own && now.duration_since(known.1) >= GONE_AFTER
        };
        nodes.iter().filter(stands_still).copied().collect()
    }
}

/// Settles what a gone node left open, and frees what it had. Should it come back meanwhile, it finds that it must begin
/// anew.
pub(crate) async fn bury(
    store: &Store,
    ledger: &Ledger,
    gone: NodeBeat,
    snapshot: &Snapshot,
    now: Timestamp,
) -> Result<(), EngineError> {
    let life = Uuid::now_v7();
    if !store.take_for_gone(gone, life).await? {
        return Ok(());
    }
    let settled = recovery::settle_interrupted(store, ledger, None, gone.node, snapshot, now).await?;
    if !ledger.caught_up(PATIENCE).await {
        return Ok(());
    }
    store.take_back_slices(gone.node).await?;
    store.leave_node(gone.node, life).await?;
    tracing::warn!(node = %gone.node, settled, last_seen = %gone.seen_at, "a node is gone; its open requests are settled");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_node_is_gone_once_its_beat_stood_still_for_ten_minutes_whatever_its_clock_says() {
        let own = NodeId::generate();
        let [slow, dead] = [NodeId::generate(), NodeId::generate()];
        let heard = |node, beat| NodeBeat { node, beat, seen_at: Timestamp::from_micros(beat) };
        let mut watch = Watch::default();
        let mut gone = |beats: [i64; 3]| -> Vec<NodeId> {
            let nodes = [heard(own, beats[0]), heard(slow, beats[1]), heard(dead, beats[2])];
            watch.gone(&nodes, own).into_iter().map(|gone| gone.node).collect()
        };
        assert_eq!(gone([1, 1, 1]), []);
        tokio::time::advance(Duration::from_mins(9)).await;
        assert_eq!(gone([1, 2, 1]), []);
        tokio::time::advance(Duration::from_mins(1)).await;
        assert_eq!(gone([1, 2, 1]), [dead], "nobody takes itself for gone");
        tokio::time::advance(GONE_AFTER).await;
        assert_eq!(gone([1, 2, 2]), [slow], "the other one is back");
    }
}
