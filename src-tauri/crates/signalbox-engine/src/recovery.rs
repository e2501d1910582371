//! After a crash: requests that were started and never settled are settled at what they could have cost, and say so.

use std::sync::Arc;
use std::time::Duration;

use signalbox_core::decide::Candidate;
use signalbox_core::failure::FailureKind;
use signalbox_core::ids::NodeId;
use signalbox_core::ledger::{Attempt, Outcome, RequestStart, Settlement};
use signalbox_core::meter::{Cost, CostStatus};
use signalbox_core::provider::ProviderKind;
use signalbox_core::snapshot::Snapshot;
use signalbox_core::time::Timestamp;
use signalbox_core::usage::Usage;
use signalbox_store::{Backend, LedgerEntry, Store};

use crate::error::EngineError;
use crate::ledger::Ledger;

/// How long a start waits for the database to take the settlements; they are in the journal already.
const PATIENCE: Duration = Duration::from_secs(5);

/// Settles what an earlier run of this node left open. Nobody else can be serving those requests: the data directory is
/// locked, and on a shared database only this node's own rows are touched.
pub async fn settle_interrupted(
    store: &Store,
    ledger: &Ledger,
    node: NodeId,
    snapshot: &Snapshot,
    now: Timestamp,
) -> Result<usize, EngineError> {
    let mut open = store.open_requests().await?;
    if store.backend() == Backend::Postgres {
        open.retain(|request| request.start.node == node);
    }
    let count = open.len();
    for request in open {
        let start = Arc::new(request.start);
        let settlement = Arc::new(interrupted(&start, snapshot, now));
        if let Err(error) = ledger.write(LedgerEntry::Settle { start, settlement }).await {
            tracing::error!(%error, "an interrupted request could not be settled; the next start tries again");
        }
    }
    if count > 0 {
        ledger.caught_up(PATIENCE).await;
    }
    Ok(count)
}

/// Whether the provider was reached, and what it billed, is unknown: the whole estimate is taken as spent.
pub fn interrupted(start: &RequestStart, snapshot: &Snapshot, now: Timestamp) -> Settlement {
    let latency_us = now.micros_since(start.started_at).max(0);
    let attempt = |candidate: &Candidate| Attempt {
        ordinal: 1,
        target: candidate.target.clone(),
        outcome: Outcome::Interrupted,
        failure: Some(FailureKind::Network),
        http_status: None,
        message: Some("Signalbox stopped while the request was running.".to_owned()),
        started_us: 0,
        first_token_us: None,
        finished_us: latency_us,
        usage: Usage::default(),
        cost: cost_at_estimate(start),
    };
    let first = start.decision.chain().next();
    let simulated = first
        .and_then(|candidate| snapshot.providers.get(&candidate.target.provider))
        .is_some_and(|entry| entry.provider.kind == ProviderKind::Simulator);
    Settlement {
        cache: None,
        postings: Vec::new(),
        id: start.id,
        finished_at: now,
        outcome: Outcome::Interrupted,
        attempts: first.map(attempt).into_iter().collect(),
        simulated,
        finish_reason: None,
        error_code: Some("interrupted".to_owned()),
        error_message: Some(
            "Signalbox stopped while the request was running; settled at its estimate.".to_owned(),
        ),
        latency_us,
        payload: None,
    }
}

fn cost_at_estimate(start: &RequestStart) -> Cost {
    let status = if start.estimate.is_some() { CostStatus::Estimated } else { CostStatus::Unpriced };
    Cost { status, total: start.estimate, lines: Vec::new(), card: None }
}
