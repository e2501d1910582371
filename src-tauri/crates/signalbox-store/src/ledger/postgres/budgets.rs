//! What a batch means for budgets.

use signalbox_core::budget::{Amount, PurseKey};
use sqlx::PgConnection;

use super::{column, run};
use crate::error::StoreError;
use crate::ledger::{Batch, End, forgets_call, postings_of};
use crate::values::{counted, json};

const PURSES: &str = "INSERT INTO budget_periods (budget_id, start_at, member, cost_nano_usd, tokens, requests) \
    SELECT v.budget_id, v.start_at, v.member, 0, 0, 0 FROM UNNEST($1::uuid[], $2::bigint[], $3::text[]) \
    AS v (budget_id, start_at, member) ON CONFLICT DO NOTHING";

const CALLS: &str = "INSERT INTO open_calls (request_id, call) SELECT v.request_id, v.call \
    FROM UNNEST($1::uuid[], $2::jsonb[]) AS v (request_id, call) \
    JOIN requests ON requests.id = v.request_id AND requests.outcome IS NULL \
    ON CONFLICT (request_id) DO UPDATE SET call = excluded.call";

const POSTINGS: &str = "INSERT INTO budget_postings (request_id, budget_id, start_at, member, cost_nano_usd, tokens, \
    requests) SELECT * FROM UNNEST($1::uuid[], $2::uuid[], $3::bigint[], $4::text[], $5::bigint[], $6::bigint[], \
    $7::bigint[])";

const SUMS: &str = concat!(
    "INSERT INTO budget_periods (budget_id, start_at, member, cost_nano_usd, tokens, requests) ",
    "SELECT * FROM UNNEST($1::uuid[], $2::bigint[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[]) ",
    "ON CONFLICT (budget_id, start_at, member) DO UPDATE SET ",
    held_sum!("budget_periods", "cost_nano_usd"),
    ", ",
    held_sum!("budget_periods", "tokens"),
    ", ",
    held_sum!("budget_periods", "requests"),
);

const CALLS_OVER: &str = "DELETE FROM open_calls WHERE request_id = ANY($1)";

/// Makes new purses, and notes the calls that open requests make now.
pub(super) async fn open(connection: &mut PgConnection, batch: &Batch<'_>) -> Result<(), StoreError> {
    let purses: Vec<&PurseKey> = batch.purses.iter().copied().collect();
    if !purses.is_empty() {
        let query = sqlx::query(PURSES)
            .bind(column(&purses, |purse| purse.budget.as_uuid()))
            .bind(column(&purses, |purse| purse.start.as_micros()))
            .bind(column(&purses, |purse| purse.member.to_string()));
        run(connection, query).await?;
    }
    if !batch.calls.is_empty() {
        let calls = batch.calls.iter().map(json).collect::<Result<Vec<_>, _>>()?;
        let query = sqlx::query(CALLS).bind(column(&batch.calls, |call| call.request.as_uuid())).bind(calls);
        run(connection, query).await?;
    }
    Ok(())
}

/// Charges what ended requests came to.
pub(super) async fn post(connection: &mut PgConnection, ends: &[End<'_>]) -> Result<(), StoreError> {
    let (rows, sums) = postings_of(ends);
    if !rows.is_empty() {
        let query = sqlx::query(POSTINGS)
            .bind(column(&rows, |row| row.request.as_uuid()))
            .bind(column(&rows, |row| row.posting.purse.budget.as_uuid()))
            .bind(column(&rows, |row| row.posting.purse.start.as_micros()))
            .bind(column(&rows, |row| row.posting.purse.member.to_string()))
            .bind(column(&rows, |row| row.posting.amount.cost.as_nanos()))
            .bind(column(&rows, |row| counted(row.posting.amount.tokens)))
            .bind(column(&rows, |row| counted(row.posting.amount.requests)));
        run(connection, query).await?;
        let sums: Vec<(&PurseKey, Amount)> = sums.into_iter().collect();
        let query = sqlx::query(SUMS)
            .bind(column(&sums, |(purse, _)| purse.budget.as_uuid()))
            .bind(column(&sums, |(purse, _)| purse.start.as_micros()))
            .bind(column(&sums, |(purse, _)| purse.member.to_string()))
            .bind(column(&sums, |(_, sum)| sum.cost.as_nanos()))
            .bind(column(&sums, |(_, sum)| counted(sum.tokens)))
            .bind(column(&sums, |(_, sum)| counted(sum.requests)));
        run(connection, query).await?;
    }
    let over: Vec<_> =
        ends.iter().filter(|end| forgets_call(end)).map(|end| end.start.id.as_uuid()).collect();
    if over.is_empty() { Ok(()) } else { run(connection, sqlx::query(CALLS_OVER).bind(over)).await }
}
