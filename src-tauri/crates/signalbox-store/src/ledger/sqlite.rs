//! The ledger in `SQLite`: a batch is two or three scripts, each one hand-over to the connection's thread.
//!
//! A script's text is fixed; places for rows that a batch does not fill stay empty.

mod budgets;
mod scripts;

use std::collections::HashSet;

use futures::FutureExt;
use signalbox_core::ids::RequestId;
use signalbox_core::money::NanoUsd;
use sqlx::sqlite::SqliteArguments;
use sqlx::{Executor, Sqlite, SqliteConnection};
use uuid::Uuid;

use super::rows::{
    AttemptRow, CellKey, EndRow, FailoverRow, LatencyKey, LineRow, StartRow, WholeRow, attempts_of,
    failovers_of,
};
use super::{Batch, End, OPERATION, cells_of, effective};
use crate::error::{StoreError, during};
use crate::pools::SqlitePools;
use crate::rollup::LatencyKind;
use crate::values::counted;
use scripts::{
    ATTEMPTS_EACH, DETAILS, DETAILS_LAST, ENDS, ENDS_FIRST, LATENCIES_EACH, LINES_EACH, SIZE_MAX, SIZES,
    STARTS, STARTS_ALONE, SUMS_EACH, WHOLES, WHOLES_FIRST,
};
use signalbox_core::rollup::Sums;

type Query<'q> = sqlx::query::Query<'q, Sqlite, SqliteArguments>;

/// Pages the write-ahead log may get before the writer itself moves it into the file. Far above what
/// [`CHECKPOINT_EVERY`] entries write, so that a batch normally does not wait for it.
const CHECKPOINT_PAGES_MAX: u32 = 16_384;

/// Entries after which the other connection moves the log into the file meanwhile. Each time syncs the file; pages that
/// changed often are moved once.
const CHECKPOINT_EVERY: usize = 2_048;

/// The connection of the ledger's writer.
#[derive(Debug)]
pub(super) struct Ledger {
    writer: SqliteConnection,
    checkpointer: SqliteConnection,
    since_checkpoint: usize,
    /// Whether a batch was left in the middle, by an error or because its future was dropped.
    in_doubt: bool,
}

impl Ledger {
    pub(super) async fn open(pools: &SqlitePools) -> Result<Self, sqlx::Error> {
        Ok(Self {
            writer: pools.own_writer(CHECKPOINT_PAGES_MAX).await?,
            checkpointer: pools.own_writer(0).await?,
            since_checkpoint: 0,
            in_doubt: false,
        })
    }

    #[cfg(test)]
    pub(super) fn writer(&mut self) -> &mut SqliteConnection {
        &mut self.writer
    }

    pub(super) async fn commit(&mut self, batch: &Batch<'_>) -> Result<(), StoreError> {
        if self.in_doubt {
            self.roll_back().await;
        }
        self.in_doubt = true;
        let committed = self.write(batch).await;
        if committed.is_err() {
            self.roll_back().await;
        }
        self.in_doubt = false;
        committed?;
        self.checkpoint_sometimes(batch.starts.len() + batch.ends.len() + 2 * batch.wholes.len());
        Ok(())
    }

    /// Ends what an earlier batch may have left open. Without an open transaction it fails, and that is fine.
    async fn roll_back(&mut self) {
        let _ = sqlx::query("ROLLBACK").execute(&mut self.writer).await;
    }

    async fn write(&mut self, batch: &Batch<'_>) -> Result<(), StoreError> {
        let has_ends = !(batch.ends.is_empty() && batch.wholes.is_empty());
        let starts = batch.starts.iter().map(|start| StartRow::of(start)).collect::<Result<Vec<_>, _>>()?;
        let concerns_budgets = !(batch.purses.is_empty() && batch.calls.is_empty());
        if !has_ends
            && !concerns_budgets
            && starts.len() <= SIZE_MAX
            && batch.request_payloads().next().is_none()
        {
            return self.run(starts_query(&STARTS_ALONE, &starts)).await;
        }
        // Whichever script is the first begins the transaction.
        let mut has_begun = !starts.is_empty() || concerns_budgets;
        if has_begun {
            self.run(sqlx::query("BEGIN IMMEDIATE")).await?;
            for chunk in starts.chunks(SIZE_MAX) {
                self.run(starts_query(&STARTS, chunk)).await?;
            }
        }
        let mut inserted = HashSet::with_capacity(batch.wholes.len());
        for chunk in batch.wholes.chunks(SIZE_MAX) {
            let texts = if has_begun { &WHOLES } else { &WHOLES_FIRST };
            self.ids_into(&mut inserted, wholes_query(texts, &WholeRow::of_all(chunk)?)).await?;
            has_begun = true;
        }
        for (id, body) in batch.request_payloads() {
            self.payload(id, "request", Some(body)).await?;
        }
        if concerns_budgets {
            self.run(budgets::open_query(batch)?).await?;
        }
        if !has_ends {
            return self.run(sqlx::query("COMMIT")).await;
        }
        let mut settled = effective(&batch.wholes, &inserted);
        let ends = batch.ends_but(&inserted);
        if !ends.is_empty() {
            settled.extend(self.settle(&ends, if has_begun { &ENDS } else { &ENDS_FIRST }).await?);
        }
        if let Some(query) = budgets::posting_query(&settled) {
            self.run(query).await?;
        }
        self.details(&settled).await
    }

    /// Settles what is open and returns it.
    async fn settle<'a>(
        &mut self,
        ends: &[End<'a>],
        texts: &[&'static str; 5],
    ) -> Result<Vec<End<'a>>, StoreError> {
        let mut settled = self.settle_open(ends, texts).await?;
        if settled.len() < ends.len() {
            // Either settled before, which is fine, or never started: then its start is written now, so that an answer
            // a client has is never missing.
            let rest: Vec<End<'a>> =
                ends.iter().copied().filter(|end| !settled.contains(&end.start.id)).collect();
            for chunk in rest.chunks(SIZE_MAX) {
                let starts =
                    chunk.iter().map(|end| StartRow::of(end.start)).collect::<Result<Vec<_>, _>>()?;
                self.run(starts_query(&STARTS, &starts)).await?;
            }
            settled.extend(self.settle_open(&rest, &ENDS).await?);
        }
        Ok(effective(ends, &settled))
    }

    async fn settle_open(
        &mut self,
        ends: &[End<'_>],
        texts: &[&'static str; 5],
    ) -> Result<HashSet<RequestId>, StoreError> {
        let mut settled = HashSet::with_capacity(ends.len());
        let mut texts = texts;
        for chunk in ends.chunks(SIZE_MAX) {
            self.ids_into(&mut settled, ends_query(texts, chunk)).await?;
            texts = &ENDS;
        }
        Ok(settled)
    }

    /// Runs a script and collects the ids it returns.
    async fn ids_into(&mut self, ids: &mut HashSet<RequestId>, query: Query<'_>) -> Result<(), StoreError> {
        let rows = query.fetch_all(&mut self.writer).await.map_err(during(OPERATION))?;
        for row in rows {
            let id: Uuid = sqlx::Row::try_get(&row, 0).map_err(during(OPERATION))?;
            ids.insert(RequestId::from_uuid(id));
        }
        Ok(())
    }

    /// Writes everything else about settled requests, and commits.
    async fn details(&mut self, ends: &[End<'_>]) -> Result<(), StoreError> {
        for end in ends {
            let settlement = end.settlement;
            self.payload(settlement.id, "response", settlement.payload.as_deref()).await?;
            if let Some(message) = &settlement.error_message {
                let query = sqlx::query("INSERT INTO request_errors (request_id, message) VALUES ($1, $2)");
                self.run(query.bind(end.start.id.as_uuid()).bind(crate::values::clean(message))).await?;
            }
        }
        for row in failovers_of(ends) {
            self.run(failover_query(&row)).await?;
        }
        let (attempts, lines) = attempts_of(ends)?;
        let cells = cells_of(ends);
        let sums: Vec<(&CellKey, &Sums)> = cells.sums.iter().collect();
        let latencies: Vec<(&LatencyKey, &i64)> = cells.latencies.iter().collect();
        let mut left = Details { attempts: &attempts, lines: &lines, sums: &sums, latencies: &latencies };
        loop {
            let part = left.take(SIZE_MAX);
            let last = left.is_empty();
            let texts = if last { &DETAILS_LAST } else { &DETAILS };
            self.run(part.query(texts)).await?;
            if last {
                return Ok(());
            }
        }
    }

    async fn payload(&mut self, id: RequestId, part: &str, body: Option<&str>) -> Result<(), StoreError> {
        let Some(body) = body else { return Ok(()) };
        let query = sqlx::query(
            "INSERT INTO payloads (request_id, part, body) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        );
        self.run(query.bind(id.as_uuid()).bind(part).bind(body.as_bytes())).await
    }

    async fn run(&mut self, query: Query<'_>) -> Result<(), StoreError> {
        query.execute(&mut self.writer).await.map(drop).map_err(during(OPERATION))
    }

    /// Lets the other connection move the log into the file, without waiting for it: its thread does the work.
    fn checkpoint_sometimes(&mut self, entries: usize) {
        self.since_checkpoint += entries;
        if self.since_checkpoint >= CHECKPOINT_EVERY {
            self.since_checkpoint = 0;
            let _ = self.checkpointer.execute("PRAGMA wal_checkpoint(PASSIVE)").now_or_never();
        }
    }
}

/// The index in [`SIZES`] of the smallest script with that many places.
fn size_for(requests: usize) -> usize {
    SIZES.iter().position(|size| *size >= requests).unwrap_or(SIZES.len() - 1)
}

/// Leaves the places of `rows` rows of `columns` columns empty.
fn leave_empty(mut query: Query<'_>, rows: usize, columns: usize) -> Query<'_> {
    for _ in 0..rows * columns {
        query = query.bind(None::<i64>);
    }
    query
}

fn nanos(amount: Option<NanoUsd>) -> Option<i64> {
    amount.map(NanoUsd::as_nanos)
}

fn starts_query<'q>(texts: &[&'static str; 5], rows: &[StartRow<'_>]) -> Query<'q> {
    let size = size_for(rows.len());
    let empty = SIZES[size] - rows.len();
    let mut query = sqlx::query(texts[size]);
    for row in rows {
        query = bind_start(query, row);
    }
    query = leave_empty(query, empty, 10);
    for row in rows {
        query = bind_start_details(query, row);
    }
    leave_empty(query, empty, 6)
}

fn wholes_query<'q>(texts: &[&'static str; 5], rows: &[WholeRow<'_>]) -> Query<'q> {
    let size = size_for(rows.len());
    let empty = SIZES[size] - rows.len();
    let mut query = sqlx::query(texts[size]);
    for row in rows {
        query = bind_end(bind_start(query, &row.start), &row.end);
    }
    query = leave_empty(query, empty, 26);
    for row in rows {
        query = bind_start_details(query, &row.start);
    }
    leave_empty(query, empty, 6)
}

fn ends_query<'q>(texts: &[&'static str; 5], ends: &[End<'_>]) -> Query<'q> {
    let size = size_for(ends.len());
    let mut query = sqlx::query(texts[size]);
    for end in ends {
        let row = EndRow::of(*end);
        query = bind_end(query.bind(row.id), &row);
    }
    leave_empty(query, SIZES[size] - ends.len(), 17)
}

fn bind_start<'q>(query: Query<'q>, row: &StartRow<'_>) -> Query<'q> {
    let start = row.start;
    query
        .bind(row.id())
        .bind(start.node.as_uuid())
        .bind(start.started_at.as_micros())
        .bind(start.operation.as_str())
        .bind(start.surface.as_str())
        .bind(start.streamed)
        .bind(start.key.map(signalbox_core::ids::KeyId::as_uuid))
        .bind(row.user.as_deref())
        .bind(start.config_revision)
        .bind(nanos(start.estimate))
}

fn bind_start_details<'q>(query: Query<'q>, row: &StartRow<'_>) -> Query<'q> {
    query
        .bind(row.id())
        .bind(&*row.requested_model)
        .bind(row.tags.0.get())
        .bind(row.decision.0.get())
        .bind(row.holding.as_ref().map(|holding| holding.0.get()))
        .bind(row.refused_by.as_ref().map(|shortfall| shortfall.0.get()))
}

/// Everything of an end but its id.
fn bind_end<'q>(query: Query<'q>, row: &EndRow<'_>) -> Query<'q> {
    let settlement = row.settlement;
    query
        .bind(settlement.finished_at.as_micros())
        .bind(settlement.outcome.as_str())
        .bind(row.provider())
        .bind(row.model())
        .bind(settlement.simulated)
        .bind(row.attempts)
        .bind(row.tokens_in)
        .bind(row.tokens_out)
        .bind(row.cost_status.as_str())
        .bind(nanos(row.cost))
        .bind(settlement.latency_us)
        .bind(settlement.first_token_us())
        .bind(row.finish_reason.as_deref())
        .bind(row.error_code.as_deref())
        .bind(row.cache.as_deref())
        .bind(nanos(row.saved))
}

fn failover_query<'q>(row: &FailoverRow<'_>) -> Query<'q> {
    sqlx::query(
        "INSERT INTO failovers (request_id, ordinal, at, operation, from_provider, from_model, to_provider, to_model, \
         reason, hop_us) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(row.request)
    .bind(row.ordinal)
    .bind(row.at)
    .bind(row.operation)
    .bind(row.from.provider.as_str())
    .bind(row.from.model.as_str())
    .bind(row.to.provider.as_str())
    .bind(row.to.model.as_str())
    .bind(row.reason.as_str())
    .bind(row.hop_us)
}

/// Rows that are still to be written.
struct Details<'a> {
    attempts: &'a [AttemptRow<'a>],
    lines: &'a [LineRow<'a>],
    sums: &'a [(&'a CellKey, &'a Sums)],
    latencies: &'a [(&'a LatencyKey, &'a i64)],
}

impl Details<'_> {
    const fn is_empty(&self) -> bool {
        self.attempts.is_empty() && self.lines.is_empty() && self.sums.is_empty() && self.latencies.is_empty()
    }

    /// Takes what a script for `requests` requests has places for. Lines wait for their attempts.
    fn take(&mut self, requests: usize) -> Self {
        fn front<'a, T>(rows: &mut &'a [T], places: usize) -> &'a [T] {
            let (taken, left) = rows.split_at(places.min(rows.len()));
            *rows = left;
            taken
        }
        let attempts = front(&mut self.attempts, requests * ATTEMPTS_EACH);
        let lines =
            if self.attempts.is_empty() { front(&mut self.lines, requests * LINES_EACH) } else { &[] };
        Self {
            attempts,
            lines,
            sums: front(&mut self.sums, requests * SUMS_EACH),
            latencies: front(&mut self.latencies, requests * LATENCIES_EACH),
        }
    }

    fn query<'q>(&self, texts: &[&'static str; 5]) -> Query<'q> {
        let requests = [
            self.attempts.len().div_ceil(ATTEMPTS_EACH),
            self.lines.len().div_ceil(LINES_EACH),
            self.sums.len().div_ceil(SUMS_EACH),
            self.latencies.len().div_ceil(LATENCIES_EACH),
        ];
        let size = size_for(requests.into_iter().max().unwrap_or(1));
        let places = SIZES[size];
        let query = self.bind_attempts(sqlx::query(texts[size]));
        let query = leave_empty(query, places * ATTEMPTS_EACH - self.attempts.len(), 15);
        let query = self.bind_lines(query);
        let query = leave_empty(query, places * LINES_EACH - self.lines.len(), 8);
        let query = self.bind_sums(query);
        let query = leave_empty(query, places * SUMS_EACH - self.sums.len(), 14);
        let query = self.bind_latencies(query);
        leave_empty(query, places * LATENCIES_EACH - self.latencies.len(), 9)
    }

    fn bind_attempts<'q>(&self, mut query: Query<'q>) -> Query<'q> {
        for row in self.attempts {
            let attempt = row.attempt;
            query = query
                .bind(row.request)
                .bind(i64::from(attempt.ordinal))
                .bind(attempt.target.provider.as_str())
                .bind(attempt.target.model.as_str())
                .bind(attempt.outcome.as_str())
                .bind(attempt.failure.map(signalbox_core::failure::FailureKind::as_str))
                .bind(attempt.http_status.map(i64::from))
                .bind(row.message.as_deref())
                .bind(attempt.started_us)
                .bind(attempt.first_token_us)
                .bind(attempt.finished_us)
                .bind(row.usage.0.get())
                .bind(attempt.cost.status.as_str())
                .bind(nanos(attempt.cost.total))
                .bind(row.card.as_ref().map(|card| card.0.get()));
        }
        query
    }

    fn bind_lines<'q>(&self, mut query: Query<'q>) -> Query<'q> {
        for row in self.lines {
            query = query
                .bind(row.request)
                .bind(row.ordinal)
                .bind(row.number)
                .bind(row.line.unit.as_str())
                .bind(counted(row.line.quantity))
                .bind(row.line.price.map(|price| price.nano_usd().as_nanos()))
                .bind(row.line.price.map(|price| counted(price.per())))
                .bind(nanos(row.line.cost));
        }
        query
    }

    fn bind_sums<'q>(&self, mut query: Query<'q>) -> Query<'q> {
        for (key, sums) in self.sums {
            query = query
                .bind(key.step)
                .bind(key.start)
                .bind(key.operation.as_str())
                .bind(key.provider.as_str())
                .bind(key.model.as_str())
                .bind(key.user.as_str())
                .bind(key.outcome)
                .bind(key.simulated)
                .bind(sums.requests)
                .bind(sums.cost_nano_usd)
                .bind(sums.unpriced)
                .bind(sums.estimated)
                .bind(sums.tokens_in)
                .bind(sums.tokens_out);
        }
        query
    }

    fn bind_latencies<'q>(&self, mut query: Query<'q>) -> Query<'q> {
        for (key, count) in self.latencies {
            query = query
                .bind(key.step)
                .bind(key.start)
                .bind(key.operation.as_str())
                .bind(key.provider.as_str())
                .bind(key.model.as_str())
                .bind(key.simulated)
                .bind(LatencyKind::as_str(key.kind))
                .bind(i64::from(key.bucket))
                .bind(**count);
        }
        query
    }
}
