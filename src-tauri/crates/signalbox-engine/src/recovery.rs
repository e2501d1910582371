//! After a crash: requests that were started and never settled are settled at what they could have cost, and say so.

use std::sync::Arc;
use std::time::Duration;

use signalbox_core::budget::{Holding, Posting};
use signalbox_core::failure::FailureKind;
use signalbox_core::ids::NodeId;
use signalbox_core::ledger::{Attempt, NextCall, Outcome, RequestStart, Settlement};
use signalbox_core::meter::{Cost, CostStatus};
use signalbox_core::money::NanoUsd;
use signalbox_core::provider::ProviderKind;
use signalbox_core::snapshot::Snapshot;
use signalbox_core::time::Timestamp;
use signalbox_core::usage::Usage;
use signalbox_store::{Backend, LedgerEntry, OpenRequest, Store};

use crate::budgets::Budgets;
use crate::error::EngineError;
use crate::ledger::Ledger;

/// How long a start waits for the database to take the settlements; they are in the journal already.
const PATIENCE: Duration = Duration::from_secs(5);

/// Settles what an earlier run of `node` left open. Nobody else can be serving those requests: the data directory is
/// locked, or that node is gone. `budgets` are charged where it is this node that they belong to.
pub async fn settle_interrupted(
    store: &Store,
    ledger: &Ledger,
    budgets: Option<&Budgets>,
    node: NodeId,
    snapshot: &Snapshot,
    now: Timestamp,
) -> Result<usize, EngineError> {
    let mut open = store.open_requests().await?;
    if store.backend() == Backend::Postgres {
        open.retain(|request| request.start.node == node);
    }
    let count = open.len();
    for OpenRequest { start, call } in open {
        let start = Arc::new(start);
        let settlement = Arc::new(interrupted(&start, call, snapshot, now));
        let postings = settlement.postings.clone();
        match ledger.write(LedgerEntry::Settle { start, settlement }).await {
            Ok(()) => {
                if let Some(budgets) = budgets {
                    budgets.post(&postings);
                }
            }
            Err(error) => {
                tracing::error!(%error, "an interrupted request could not be settled; the next start tries again");
            }
        }
    }
    if count > 0 {
        ledger.caught_up(PATIENCE).await;
    }
    Ok(count)
}

/// Whether the provider was reached, and what it billed, is unknown: the most that the call under way could cost is taken
/// as spent. `call` is the request's latest one, if that is not the one it was started with.
pub fn interrupted(
    start: &RequestStart,
    call: Option<NextCall>,
    snapshot: &Snapshot,
    now: Timestamp,
) -> Settlement {
    let latency_us = now.micros_since(start.started_at).max(0);
    let call = call.or_else(|| first_call(start));
    let (attempts, postings) = call.map_or_else(Default::default, |call| ended(call, latency_us));
    let is_simulated = |attempt: &Attempt| {
        let provider = snapshot.providers.get(&attempt.target.provider);
        provider.is_some_and(|entry| entry.provider.kind == ProviderKind::Simulator)
    };
    Settlement {
        cache: None,
        postings,
        id: start.id,
        finished_at: now,
        outcome: Outcome::Interrupted,
        simulated: !attempts.is_empty() && attempts.iter().all(is_simulated),
        attempts,
        finish_reason: None,
        error_code: Some("interrupted".to_owned()),
        error_message: Some(
            "Signalbox stopped while the request was running; settled at its estimate.".to_owned(),
        ),
        latency_us,
        payload: None,
    }
}

/// The call that a request is started with; `None` when it was refused before any.
fn first_call(start: &RequestStart) -> Option<NextCall> {
    let first = start.decision.chain().next()?;
    Some(NextCall {
        request: start.id,
        attempts: Vec::new(),
        postings: Vec::new(),
        target: first.target.clone(),
        estimate: start.estimate,
        holding: start.holding.clone(),
    })
}

/// The attempts of a request whose last one was under way, and what budgets are charged.
fn ended(call: NextCall, latency_us: i64) -> (Vec<Attempt>, Vec<Posting>) {
    let NextCall { mut attempts, mut postings, target, estimate, holding, .. } = call;
    let most = holding.as_ref().map(|holding| holding.claim.most.cost);
    // Nothing held for a target without a price means that nobody knows what it cost.
    let total = most.filter(|most| estimate.is_some() || *most > NanoUsd::ZERO).or(estimate);
    let status = if total.is_some() { CostStatus::Estimated } else { CostStatus::Unpriced };
    attempts.push(Attempt {
        ordinal: u32::try_from(attempts.len() + 1).unwrap_or(u32::MAX),
        target,
        outcome: Outcome::Interrupted,
        failure: Some(FailureKind::Network),
        http_status: None,
        message: Some("Signalbox stopped while the request was running.".to_owned()),
        started_us: attempts.last().map_or(0, |before| before.finished_us),
        first_token_us: None,
        finished_us: latency_us,
        usage: Usage::default(),
        cost: Cost { status, total, lines: Vec::new(), card: None },
    });
    for posting in holding.iter().flat_map(Holding::posted_at_most) {
        match postings.iter_mut().find(|known| known.purse == posting.purse) {
            Some(known) => known.amount = known.amount.plus(posting.amount),
            None => postings.push(posting),
        }
    }
    (attempts, postings)
}
