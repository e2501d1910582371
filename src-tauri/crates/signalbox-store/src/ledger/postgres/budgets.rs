//! What a batch means for budgets.

use std::collections::BTreeMap;

use signalbox_core::budget::{Amount, PurseKey};
use signalbox_core::ids::NodeId;
use sqlx::PgConnection;

use super::{Query, column, run};
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

/// Of the same purses as [`SUMS`], whose rows are locked by then: nobody else changes their slices meanwhile.
const SLICES: &str = concat!(
    "INSERT INTO budget_slices (budget_id, start_at, member, node_id, cost_nano_usd, tokens, requests, ",
    "settled_cost_nano_usd, settled_tokens, settled_requests) ",
    "SELECT v.budget_id, v.start_at, v.member, v.node_id, 0, 0, 0, v.cost, v.tokens, v.requests ",
    "FROM UNNEST($1::uuid[], $2::bigint[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[], $7::uuid[]) ",
    "AS v (budget_id, start_at, member, cost, tokens, requests, node_id) ",
    "ON CONFLICT (budget_id, start_at, member, node_id) DO UPDATE SET ",
    held_sum!("budget_slices", "settled_cost_nano_usd"),
    ", ",
    held_sum!("budget_slices", "settled_tokens"),
    ", ",
    held_sum!("budget_slices", "settled_requests"),
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
        run(connection, bind_sums(SUMS, &sums)).await?;
        let (sums, nodes): (Vec<(&PurseKey, Amount)>, Vec<NodeId>) = by_node(ends).into_iter().unzip();
        run(connection, bind_sums(SLICES, &sums).bind(column(&nodes, |node| node.as_uuid()))).await?;
    }
    let over: Vec<_> =
        ends.iter().filter(|end| forgets_call(end)).map(|end| end.start.id.as_uuid()).collect();
    if over.is_empty() { Ok(()) } else { run(connection, sqlx::query(CALLS_OVER).bind(over)).await }
}

fn bind_sums<'q>(text: &'static str, sums: &[(&PurseKey, Amount)]) -> Query<'q> {
    sqlx::query(text)
        .bind(column(sums, |(purse, _)| purse.budget.as_uuid()))
        .bind(column(sums, |(purse, _)| purse.start.as_micros()))
        .bind(column(sums, |(purse, _)| purse.member.to_string()))
        .bind(column(sums, |(_, sum)| sum.cost.as_nanos()))
        .bind(column(sums, |(_, sum)| counted(sum.tokens)))
        .bind(column(sums, |(_, sum)| counted(sum.requests)))
}

/// What the requests of each node came to, purse by purse.
fn by_node<'a>(ends: &[End<'a>]) -> Vec<((&'a PurseKey, Amount), NodeId)> {
    let mut sums: BTreeMap<(&PurseKey, NodeId), Amount> = BTreeMap::new();
    for end in ends {
        for posting in &end.settlement.postings {
            let sum = sums.entry((&posting.purse, end.start.node)).or_default();
            *sum = sum.plus(posting.amount);
        }
    }
    sums.into_iter().map(|((purse, node), sum)| ((purse, sum), node)).collect()
}
