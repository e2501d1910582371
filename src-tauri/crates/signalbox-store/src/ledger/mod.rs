//! The ledger writer's own connection: one transaction per batch.
//!
//! This is on the way of every request, twice. `SQLite` runs a few prepared scripts of many statements, because each
//! script is one hand-over to the connection's thread; `PostgreSQL` takes arrays, because each statement is one round
//! trip. Sums are merged in memory first, so a bucket is written once per batch.

/// A sum that is held at either end of the range, past which one database refuses the batch and the other goes on in
/// floating point.
macro_rules! held_sum {
    ($table:literal, $column:literal) => {
        concat!(
            $column,
            " = CASE WHEN excluded.",
            $column,
            " > 0 AND ",
            $table,
            ".",
            $column,
            " > 9223372036854775807 - excluded.",
            $column,
            " THEN 9223372036854775807 WHEN excluded.",
            $column,
            " < 0 AND ",
            $table,
            ".",
            $column,
            " < -9223372036854775807 - excluded.",
            $column,
            " THEN -9223372036854775807 ELSE ",
            $table,
            ".",
            $column,
            " + excluded.",
            $column,
            " END"
        )
    };
}

mod postgres;
mod rows;
mod sqlite;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use signalbox_core::budget::{Amount, Posting, PurseKey};
use signalbox_core::ids::RequestId;
use signalbox_core::ledger::{NextCall, RequestStart, Settlement};

use crate::Store;
use crate::error::{StoreError, during};
use crate::pools::Pools;

pub(crate) use rows::{CellKey, Cells, Latencies, LatencyKey};

/// What errors of this file say was being done.
const OPERATION: &str = "write the ledger";

/// Purses remembered as having their row; past it they are looked for again.
const PURSES_REMEMBERED_MAX: usize = 65_536;

/// One thing the ledger's writer commits.
#[derive(Debug, Clone)]
pub enum LedgerEntry {
    /// T1: a request begins.
    Start(Arc<RequestStart>),
    /// A running request calls another provider, or the same one again.
    Call(Arc<NextCall>),
    /// T2: a request ends.
    Settle {
        /// As it was started.
        start: Arc<RequestStart>,
        /// How it ended.
        settlement: Arc<Settlement>,
    },
}

/// The one connection that writes the ledger.
#[derive(Debug)]
pub struct LedgerConnection {
    connection: Connection,
    /// Purses that have their row already.
    purses: HashSet<PurseKey>,
}

#[derive(Debug)]
enum Connection {
    Sqlite(sqlite::Ledger),
    Postgres(Box<postgres::Ledger>),
}

impl Store {
    /// A connection of its own for the ledger's writer.
    pub async fn ledger(&self) -> Result<LedgerConnection, StoreError> {
        let connection = match &self.inner.pools {
            Pools::Sqlite(pools) => {
                Connection::Sqlite(sqlite::Ledger::open(pools).await.map_err(during(OPERATION))?)
            }
            Pools::Postgres(pool) => Connection::Postgres(Box::new(postgres::Ledger::new(pool))),
        };
        Ok(LedgerConnection { connection, purses: HashSet::new() })
    }
}

impl LedgerConnection {
    /// Commits a batch in one transaction; when it returns, the batch is as durable as the store was opened for.
    ///
    /// Every entry may be given again, in this batch or a later one, e.g. because an answer got lost: a request is
    /// inserted once, settled once by the first settlement that arrives, and counted once.
    ///
    /// Dropping the future leaves the batch either committed or not, never in between.
    pub async fn commit(&mut self, entries: &[LedgerEntry]) -> Result<(), StoreError> {
        let batch = Batch::of(entries, &self.purses);
        if batch.is_empty() {
            return Ok(());
        }
        match &mut self.connection {
            Connection::Sqlite(ledger) => ledger.commit(&batch).await?,
            Connection::Postgres(ledger) => ledger.commit(&batch).await?,
        }
        if self.purses.len() >= PURSES_REMEMBERED_MAX {
            self.purses.clear();
        }
        self.purses.extend(batch.purses.into_iter().cloned());
        Ok(())
    }
}

/// The entries of a batch, each request at most once on each side.
struct Batch<'a> {
    starts: Vec<&'a RequestStart>,
    ends: Vec<End<'a>>,
    /// Requests that begin and end in this batch: most of them are inserted settled, in one step.
    wholes: Vec<End<'a>>,
    /// The latest calls of requests that do not end in this batch.
    calls: Vec<&'a NextCall>,
    /// Purses in which a request of this batch is the first that holds something, in the order of their rows' locks.
    purses: BTreeSet<&'a PurseKey>,
}

/// A request's end, with its start.
#[derive(Clone, Copy)]
struct End<'a> {
    start: &'a RequestStart,
    settlement: &'a Settlement,
}

impl<'a> Batch<'a> {
    fn of(entries: &'a [LedgerEntry], known: &HashSet<PurseKey>) -> Self {
        let mut batch = Self {
            starts: Vec::new(),
            ends: Vec::new(),
            wholes: Vec::new(),
            calls: Vec::new(),
            purses: BTreeSet::new(),
        };
        let mut started = HashMap::with_capacity(entries.len());
        for entry in entries {
            if let LedgerEntry::Start(start) = entry {
                started.entry(start.id).or_insert(&**start);
            }
        }
        let mut ended = HashSet::with_capacity(entries.len());
        for entry in entries {
            let LedgerEntry::Settle { start, settlement } = entry else { continue };
            if !ended.insert(start.id) {
                continue;
            }
            match started.remove(&start.id) {
                // As it was started: only that has the payload.
                Some(start) => batch.wholes.push(End { start, settlement }),
                None => batch.ends.push(End { start, settlement }),
            }
        }
        let mut calls = HashMap::new();
        for entry in entries {
            match entry {
                LedgerEntry::Start(start) => batch.starts.extend(started.remove(&start.id)),
                LedgerEntry::Call(call) if !ended.contains(&call.request) => {
                    calls.insert(call.request, &**call);
                }
                LedgerEntry::Call(_) | LedgerEntry::Settle { .. } => {}
            }
        }
        batch.calls = calls.into_values().collect();
        let of_starts = batch.starts.iter().filter_map(|start| start.holding.as_ref());
        let of_calls = batch.calls.iter().filter_map(|call| call.holding.as_ref());
        let held = of_starts.chain(of_calls).flat_map(|holding| &holding.holds).map(|hold| &hold.purse);
        batch.purses = held.filter(|purse| !known.contains(purse)).collect();
        batch
    }

    const fn is_empty(&self) -> bool {
        self.starts.is_empty() && self.ends.is_empty() && self.wholes.is_empty() && self.calls.is_empty()
    }

    /// The bodies of requests that begin here, where they are kept.
    fn request_payloads(&self) -> impl Iterator<Item = (RequestId, &'a str)> {
        let wholes = self.wholes.iter().map(|end| end.start);
        let starts = self.starts.iter().copied().chain(wholes);
        starts.filter_map(|start| Some((start.id, start.payload.as_deref()?)))
    }

    /// The ends that are still to be written when the requests `inserted` were inserted settled.
    fn ends_but(&self, inserted: &HashSet<RequestId>) -> Vec<End<'a>> {
        let wholes = self.wholes.iter().filter(|end| !inserted.contains(&end.start.id));
        wholes.chain(&self.ends).copied().collect()
    }
}

/// The ends that took effect, given the ids of the requests that were open until now.
fn effective<'a>(ends: &[End<'a>], settled: &HashSet<RequestId>) -> Vec<End<'a>> {
    ends.iter().copied().filter(|end| settled.contains(&end.start.id)).collect()
}

/// What the ends are charged, purse by purse, and what that adds up to.
fn postings_of<'a>(ends: &[End<'a>]) -> (Vec<PostingRow<'a>>, BTreeMap<&'a PurseKey, Amount>) {
    let mut rows = Vec::new();
    let mut sums = BTreeMap::new();
    for end in ends {
        for posting in &end.settlement.postings {
            let sum: &mut Amount = sums.entry(&posting.purse).or_default();
            *sum = sum.plus(posting.amount);
            rows.push(PostingRow { request: end.start.id, posting });
        }
    }
    (rows, sums)
}

/// Whether a note of the request's latest call may be there: it tried more than what it was started with.
fn forgets_call(end: &End<'_>) -> bool {
    let begun_with = end.start.decision.chain().next().map(|candidate| &candidate.target);
    end.settlement.attempts.len() > 1 || end.settlement.target() != begun_with
}

/// What a request was charged in one purse.
struct PostingRow<'a> {
    request: RequestId,
    posting: &'a Posting,
}

/// What the ends add to the rollups.
fn cells_of(ends: &[End<'_>]) -> Cells {
    let mut cells = Cells::default();
    for end in ends {
        cells.add(end.start, end.settlement);
    }
    cells
}

#[cfg(test)]
mod tests;
