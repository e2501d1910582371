//! The ledger in `PostgreSQL`: a batch is a few statements over arrays, each one round trip.

mod budgets;

use std::collections::HashSet;

use signalbox_core::failure::FailureKind;
use signalbox_core::ids::{KeyId, RequestId};
use signalbox_core::money::NanoUsd;
use sqlx::postgres::{PgArguments, PgConnectOptions};
use sqlx::{ConnectOptions, Connection, PgConnection, PgPool, Postgres};

use super::rows::{EndRow, FailoverRow, StartRow, WholeRow, attempts_of, failovers_of};
use super::{Batch, End, OPERATION, cells_of, effective};
use crate::error::{StoreError, during};
use crate::rollup::LatencyKind;
use crate::values::{clean, counted};

type Query<'q> = sqlx::query::Query<'q, Postgres, PgArguments>;

const STARTS: &str = "INSERT INTO requests (id, node_id, started_at, operation, surface, streamed, key_id, user_name, \
    config_revision, estimate_nano_usd) SELECT * FROM UNNEST($1::uuid[], $2::uuid[], $3::bigint[], $4::text[], \
    $5::text[], $6::boolean[], $7::uuid[], $8::text[], $9::bigint[], $10::bigint[]) ON CONFLICT (id) DO NOTHING";

const START_DETAILS: &str = "INSERT INTO request_details (request_id, requested_model, tags, decision, holding, \
    refused_by) SELECT * FROM UNNEST($1::uuid[], $2::text[], $3::jsonb[], $4::jsonb[], $5::jsonb[], $6::jsonb[]) ON CONFLICT (request_id) DO NOTHING";

/// Requests that begin and end in one batch; those that are there already, open or settled, are left as they are.
const WHOLES: &str = "INSERT INTO requests (id, node_id, started_at, operation, surface, streamed, key_id, user_name, \
    config_revision, estimate_nano_usd, settled_at, outcome, provider, model, simulated, attempts, tokens_in, \
    tokens_out, cost_status, cost_nano_usd, latency_us, first_token_us, finish_reason, error_code, cache, \
    saved_nano_usd) SELECT * FROM UNNEST($1::uuid[], $2::uuid[], $3::bigint[], $4::text[], $5::text[], $6::boolean[], \
    $7::uuid[], $8::text[], $9::bigint[], $10::bigint[], $11::bigint[], $12::text[], $13::text[], $14::text[], \
    $15::boolean[], $16::bigint[], $17::bigint[], $18::bigint[], $19::text[], $20::bigint[], $21::bigint[], \
    $22::bigint[], $23::text[], $24::text[], $25::text[], $26::bigint[]) ON CONFLICT (id) DO NOTHING RETURNING id";

/// Open is asked for as "no outcome", which is the same as "not settled": asked for like that, the planner would read the
/// index of open requests through, and every request passes through that one and leaves a dead entry there.
const ENDS: &str = "UPDATE requests SET settled_at = v.settled_at, outcome = v.outcome, provider = v.provider, \
    model = v.model, simulated = v.simulated, attempts = v.attempts, tokens_in = v.tokens_in, \
    tokens_out = v.tokens_out, cost_status = v.cost_status, cost_nano_usd = v.cost_nano_usd, \
    latency_us = v.latency_us, first_token_us = v.first_token_us, finish_reason = v.finish_reason, \
    error_code = v.error_code, cache = v.cache, saved_nano_usd = v.saved_nano_usd FROM UNNEST($1::uuid[], $2::bigint[], $3::text[], $4::text[], $5::text[], \
    $6::boolean[], $7::bigint[], $8::bigint[], $9::bigint[], $10::text[], $11::bigint[], $12::bigint[], \
    $13::bigint[], $14::text[], $15::text[], $16::text[], $17::bigint[]) AS v (id, settled_at, outcome, provider, \
    model, simulated, attempts, tokens_in, tokens_out, cost_status, cost_nano_usd, latency_us, first_token_us, \
    finish_reason, error_code, cache, saved_nano_usd) \
    WHERE requests.id = v.id AND requests.outcome IS NULL RETURNING requests.id";

const ATTEMPTS: &str = "INSERT INTO attempts (request_id, ordinal, provider, model, outcome, failure, http_status, \
    message, started_us, first_token_us, finished_us, usage, cost_status, cost_nano_usd, card) \
    SELECT * FROM UNNEST($1::uuid[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[], \
    $8::text[], $9::bigint[], $10::bigint[], $11::bigint[], $12::jsonb[], $13::text[], $14::bigint[], $15::jsonb[])";

const LINES: &str = "INSERT INTO cost_lines (request_id, ordinal, line, unit, quantity, price_nano_usd, price_per, \
    cost_nano_usd) SELECT * FROM UNNEST($1::uuid[], $2::bigint[], $3::bigint[], $4::text[], $5::bigint[], \
    $6::bigint[], $7::bigint[], $8::bigint[])";

const FAILOVERS: &str = "INSERT INTO failovers (request_id, ordinal, at, operation, from_provider, from_model, \
    to_provider, to_model, reason, hop_us) SELECT * FROM UNNEST($1::uuid[], $2::bigint[], $3::bigint[], $4::text[], \
    $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::bigint[])";

const SUMS: &str = concat!(
    "INSERT INTO rollups (step, start_at, operation, provider, model, user_name, outcome, simulated, requests, ",
    "cost_nano_usd, unpriced, estimated, tokens_in, tokens_out) SELECT * FROM UNNEST($1::text[], $2::bigint[], ",
    "$3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::boolean[], $9::bigint[], $10::bigint[], ",
    "$11::bigint[], $12::bigint[], $13::bigint[], $14::bigint[]) ",
    "ON CONFLICT (step, start_at, operation, provider, model, user_name, outcome, simulated) DO UPDATE SET ",
    "requests = rollups.requests + excluded.requests, ",
    held_sum!("rollups", "cost_nano_usd"),
    ", unpriced = rollups.unpriced + excluded.unpriced, estimated = rollups.estimated + excluded.estimated, ",
    held_sum!("rollups", "tokens_in"),
    ", ",
    held_sum!("rollups", "tokens_out"),
);

const LATENCIES: &str = "INSERT INTO rollup_latencies (step, start_at, operation, provider, model, simulated, kind, \
    bucket, requests) SELECT * FROM UNNEST($1::text[], $2::bigint[], $3::text[], $4::text[], $5::text[], \
    $6::boolean[], $7::text[], $8::bigint[], $9::bigint[]) \
    ON CONFLICT (step, start_at, operation, provider, model, simulated, kind, bucket) DO UPDATE SET \
    requests = rollup_latencies.requests + excluded.requests";

/// Every statement here looks up single rows by their keys. The planner would fix its plans while the tables are still
/// empty, when reading them through is cheapest, and keep them while the tables grow.
const BY_INDEX: [(&str, &str); 3] =
    [("enable_seqscan", "off"), ("enable_hashjoin", "off"), ("enable_mergejoin", "off")];

/// The connection of the ledger's writer, made anew after an error.
#[derive(Debug)]
pub(super) struct Ledger {
    options: PgConnectOptions,
    connection: Option<PgConnection>,
}

impl Ledger {
    pub(super) fn new(pool: &PgPool) -> Self {
        Self { options: (*pool.connect_options()).clone().options(BY_INDEX), connection: None }
    }

    pub(super) async fn commit(&mut self, batch: &Batch<'_>) -> Result<(), StoreError> {
        // Taken out while in use: a batch left in the middle takes its connection with it, and the server rolls back.
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.options.connect().await.map_err(during(OPERATION))?,
        };
        let mut transaction = connection.begin_with("BEGIN").await.map_err(during(OPERATION))?;
        write(&mut transaction, batch).await?;
        transaction.commit().await.map_err(during(OPERATION))?;
        self.connection = Some(connection);
        Ok(())
    }
}

async fn write(connection: &mut PgConnection, batch: &Batch<'_>) -> Result<(), StoreError> {
    start(connection, &batch.starts).await?;
    let inserted = insert_whole(connection, &batch.wholes).await?;
    for (id, body) in batch.request_payloads() {
        payload(connection, id, "request", Some(body)).await?;
    }
    budgets::open(connection, batch).await?;
    let ends = batch.ends_but(&inserted);
    let mut settled = settle_open(connection, &ends).await?;
    if settled.len() < ends.len() {
        // Either settled before, which is fine, or never started: then its start is written now, so that an answer a
        // client has is never missing.
        let rest: Vec<End<'_>> =
            ends.iter().copied().filter(|end| !settled.contains(&end.start.id)).collect();
        let starts: Vec<_> = rest.iter().map(|end| end.start).collect();
        start(connection, &starts).await?;
        settled.extend(settle_open(connection, &rest).await?);
    }
    let mut over = effective(&batch.wholes, &inserted);
    over.extend(effective(&ends, &settled));
    budgets::post(connection, &over).await?;
    details(connection, &over).await
}

async fn run(connection: &mut PgConnection, query: Query<'_>) -> Result<(), StoreError> {
    query.execute(connection).await.map(drop).map_err(during(OPERATION))
}

/// One column of rows, as an array.
fn column<R, T>(rows: &[R], of: impl Fn(&R) -> T) -> Vec<T> {
    rows.iter().map(of).collect()
}

fn nanos(amount: Option<NanoUsd>) -> Option<i64> {
    amount.map(NanoUsd::as_nanos)
}

async fn start(
    connection: &mut PgConnection,
    starts: &[&signalbox_core::ledger::RequestStart],
) -> Result<(), StoreError> {
    if starts.is_empty() {
        return Ok(());
    }
    let rows = starts.iter().map(|start| StartRow::of(start)).collect::<Result<Vec<_>, _>>()?;
    let rows: Vec<&StartRow<'_>> = rows.iter().collect();
    run(connection, bind_starts(sqlx::query(STARTS), &rows)).await?;
    start_details(connection, &rows).await
}

/// Inserts requests that begin and end in this batch and returns the ids of those that were not there.
async fn insert_whole(
    connection: &mut PgConnection,
    wholes: &[End<'_>],
) -> Result<HashSet<RequestId>, StoreError> {
    if wholes.is_empty() {
        return Ok(HashSet::new());
    }
    let rows = WholeRow::of_all(wholes)?;
    let starts: Vec<&StartRow<'_>> = rows.iter().map(|row| &row.start).collect();
    let ends: Vec<&EndRow<'_>> = rows.iter().map(|row| &row.end).collect();
    let query = bind_ends(bind_starts(sqlx::query(WHOLES), &starts), &ends);
    let inserted = ids(connection, query).await?;
    start_details(connection, &starts).await?;
    Ok(inserted)
}

fn bind_starts<'q>(query: Query<'q>, rows: &[&StartRow<'_>]) -> Query<'q> {
    query
        .bind(column(rows, |row| row.id()))
        .bind(column(rows, |row| row.start.node.as_uuid()))
        .bind(column(rows, |row| row.start.started_at.as_micros()))
        .bind(column(rows, |row| row.start.operation.to_string()))
        .bind(column(rows, |row| row.start.surface.as_str()))
        .bind(column(rows, |row| row.start.streamed))
        .bind(column(rows, |row| row.start.key.map(KeyId::as_uuid)))
        .bind(column(rows, |row| row.user.as_deref().map(str::to_owned)))
        .bind(column(rows, |row| row.start.config_revision))
        .bind(column(rows, |row| nanos(row.start.estimate)))
}

async fn start_details(connection: &mut PgConnection, rows: &[&StartRow<'_>]) -> Result<(), StoreError> {
    let query = sqlx::query(START_DETAILS)
        .bind(column(rows, |row| row.id()))
        .bind(column(rows, |row| row.requested_model.to_string()))
        .bind(column(rows, |row| row.tags.clone()))
        .bind(column(rows, |row| row.decision.clone()))
        .bind(column(rows, |row| row.holding.clone()))
        .bind(column(rows, |row| row.refused_by.clone()));
    run(connection, query).await
}

/// Runs a statement and returns the ids it returns.
async fn ids(connection: &mut PgConnection, query: Query<'_>) -> Result<HashSet<RequestId>, StoreError> {
    let rows = query.fetch_all(connection).await.map_err(during(OPERATION))?;
    rows.iter()
        .map(|row| sqlx::Row::try_get(row, 0).map(RequestId::from_uuid).map_err(during(OPERATION)))
        .collect()
}

/// Settles what is open and returns its ids.
async fn settle_open(
    connection: &mut PgConnection,
    ends: &[End<'_>],
) -> Result<HashSet<RequestId>, StoreError> {
    if ends.is_empty() {
        return Ok(HashSet::new());
    }
    let rows: Vec<EndRow<'_>> = ends.iter().map(|end| EndRow::of(*end)).collect();
    let rows: Vec<&EndRow<'_>> = rows.iter().collect();
    ids(connection, bind_ends(sqlx::query(ENDS).bind(column(&rows, |row| row.id)), &rows)).await
}

/// Everything of ends but their ids.
fn bind_ends<'q>(query: Query<'q>, rows: &[&EndRow<'_>]) -> Query<'q> {
    query
        .bind(column(rows, |row| row.settlement.finished_at.as_micros()))
        .bind(column(rows, |row| row.settlement.outcome.as_str()))
        .bind(column(rows, |row| row.provider().map(str::to_owned)))
        .bind(column(rows, |row| row.model().map(str::to_owned)))
        .bind(column(rows, |row| row.settlement.simulated))
        .bind(column(rows, |row| row.attempts))
        .bind(column(rows, |row| row.tokens_in))
        .bind(column(rows, |row| row.tokens_out))
        .bind(column(rows, |row| row.cost_status.as_str()))
        .bind(column(rows, |row| nanos(row.cost)))
        .bind(column(rows, |row| row.settlement.latency_us))
        .bind(column(rows, |row| row.settlement.first_token_us()))
        .bind(column(rows, |row| row.finish_reason.as_deref().map(str::to_owned)))
        .bind(column(rows, |row| row.error_code.as_deref().map(str::to_owned)))
        .bind(column(rows, |row| row.cache.clone()))
        .bind(column(rows, |row| nanos(row.saved)))
}

async fn details(connection: &mut PgConnection, ends: &[End<'_>]) -> Result<(), StoreError> {
    for end in ends {
        let settlement = end.settlement;
        payload(connection, settlement.id, "response", settlement.payload.as_deref()).await?;
        if let Some(message) = &settlement.error_message {
            let query = sqlx::query("INSERT INTO request_errors (request_id, message) VALUES ($1, $2)");
            run(connection, query.bind(end.start.id.as_uuid()).bind(clean(message).into_owned())).await?;
        }
    }
    attempts(connection, ends).await?;
    failovers(connection, &failovers_of(ends)).await?;
    let cells = cells_of(ends);
    let sums: Vec<_> = cells.sums.iter().collect();
    if !sums.is_empty() {
        let query = sqlx::query(SUMS)
            .bind(column(&sums, |(key, _)| key.step))
            .bind(column(&sums, |(key, _)| key.start))
            .bind(column(&sums, |(key, _)| key.operation.clone()))
            .bind(column(&sums, |(key, _)| key.provider.clone()))
            .bind(column(&sums, |(key, _)| key.model.clone()))
            .bind(column(&sums, |(key, _)| key.user.clone()))
            .bind(column(&sums, |(key, _)| key.outcome))
            .bind(column(&sums, |(key, _)| key.simulated))
            .bind(column(&sums, |(_, sums)| sums.requests))
            .bind(column(&sums, |(_, sums)| sums.cost_nano_usd))
            .bind(column(&sums, |(_, sums)| sums.unpriced))
            .bind(column(&sums, |(_, sums)| sums.estimated))
            .bind(column(&sums, |(_, sums)| sums.tokens_in))
            .bind(column(&sums, |(_, sums)| sums.tokens_out));
        run(connection, query).await?;
    }
    let latencies: Vec<_> = cells.latencies.iter().collect();
    if !latencies.is_empty() {
        let query = sqlx::query(LATENCIES)
            .bind(column(&latencies, |(key, _)| key.step))
            .bind(column(&latencies, |(key, _)| key.start))
            .bind(column(&latencies, |(key, _)| key.operation.clone()))
            .bind(column(&latencies, |(key, _)| key.provider.clone()))
            .bind(column(&latencies, |(key, _)| key.model.clone()))
            .bind(column(&latencies, |(key, _)| key.simulated))
            .bind(column(&latencies, |(key, _)| LatencyKind::as_str(key.kind)))
            .bind(column(&latencies, |(key, _)| i64::from(key.bucket)))
            .bind(column(&latencies, |(_, count)| **count));
        run(connection, query).await?;
    }
    Ok(())
}

async fn attempts(connection: &mut PgConnection, ends: &[End<'_>]) -> Result<(), StoreError> {
    let (attempts, lines) = attempts_of(ends)?;
    if !attempts.is_empty() {
        let query = sqlx::query(ATTEMPTS)
            .bind(column(&attempts, |row| row.request))
            .bind(column(&attempts, |row| i64::from(row.attempt.ordinal)))
            .bind(column(&attempts, |row| row.attempt.target.provider.as_str()))
            .bind(column(&attempts, |row| row.attempt.target.model.as_str()))
            .bind(column(&attempts, |row| row.attempt.outcome.as_str()))
            .bind(column(&attempts, |row| row.attempt.failure.map(FailureKind::as_str)))
            .bind(column(&attempts, |row| row.attempt.http_status.map(i64::from)))
            .bind(column(&attempts, |row| row.message.as_deref().map(str::to_owned)))
            .bind(column(&attempts, |row| row.attempt.started_us))
            .bind(column(&attempts, |row| row.attempt.first_token_us))
            .bind(column(&attempts, |row| row.attempt.finished_us))
            .bind(column(&attempts, |row| row.usage.clone()))
            .bind(column(&attempts, |row| row.attempt.cost.status.as_str()))
            .bind(column(&attempts, |row| nanos(row.attempt.cost.total)))
            .bind(column(&attempts, |row| row.card.clone()));
        run(connection, query).await?;
    }
    if !lines.is_empty() {
        let query = sqlx::query(LINES)
            .bind(column(&lines, |row| row.request))
            .bind(column(&lines, |row| row.ordinal))
            .bind(column(&lines, |row| row.number))
            .bind(column(&lines, |row| row.line.unit.as_str()))
            .bind(column(&lines, |row| counted(row.line.quantity)))
            .bind(column(&lines, |row| row.line.price.map(|price| price.nano_usd().as_nanos())))
            .bind(column(&lines, |row| row.line.price.map(|price| counted(price.per()))))
            .bind(column(&lines, |row| nanos(row.line.cost)));
        run(connection, query).await?;
    }
    Ok(())
}

async fn failovers(connection: &mut PgConnection, rows: &[FailoverRow<'_>]) -> Result<(), StoreError> {
    if rows.is_empty() {
        return Ok(());
    }
    let query = sqlx::query(FAILOVERS)
        .bind(column(rows, |row| row.request))
        .bind(column(rows, |row| row.ordinal))
        .bind(column(rows, |row| row.at))
        .bind(column(rows, |row| row.operation.to_owned()))
        .bind(column(rows, |row| row.from.provider.to_string()))
        .bind(column(rows, |row| row.from.model.to_string()))
        .bind(column(rows, |row| row.to.provider.to_string()))
        .bind(column(rows, |row| row.to.model.to_string()))
        .bind(column(rows, |row| row.reason.as_str()))
        .bind(column(rows, |row| row.hop_us));
    run(connection, query).await
}

async fn payload(
    connection: &mut PgConnection,
    id: RequestId,
    part: &str,
    body: Option<&str>,
) -> Result<(), StoreError> {
    let Some(body) = body else { return Ok(()) };
    let query = sqlx::query(
        "INSERT INTO payloads (request_id, part, body) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
    );
    run(connection, query.bind(id.as_uuid()).bind(part).bind(body.as_bytes())).await
}
