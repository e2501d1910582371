//! Whether what budgets were charged adds up.

use futures::TryStreamExt;
use uuid::Uuid;

use super::{LedgerReport, OPERATION};
use crate::dialect::within;
use crate::error::{StoreError, during};
use crate::pools::Transaction;

/// A purse with what its postings add up to, in two parts: past the range a sum would be an error in one database and a
/// float in the other.
#[derive(sqlx::FromRow)]
struct PurseRow {
    budget_id: Uuid,
    start_at: i64,
    member: String,
    cost_nano_usd: i64,
    tokens: i64,
    requests: i64,
    cost_high: i64,
    cost_low: i64,
    tokens_high: i64,
    tokens_low: i64,
    counted: i64,
}

const PURSES: &str = "SELECT p.budget_id, p.start_at, p.member, p.cost_nano_usd, p.tokens, p.requests, \
    COALESCE(s.cost_high, 0) AS cost_high, COALESCE(s.cost_low, 0) AS cost_low, \
    COALESCE(s.tokens_high, 0) AS tokens_high, COALESCE(s.tokens_low, 0) AS tokens_low, \
    COALESCE(s.counted, 0) AS counted FROM budget_periods p LEFT JOIN (\
    SELECT budget_id, start_at, member, CAST(SUM(cost_nano_usd / 1000000000) AS BIGINT) AS cost_high, \
    CAST(SUM(cost_nano_usd % 1000000000) AS BIGINT) AS cost_low, \
    CAST(SUM(tokens / 1000000000) AS BIGINT) AS tokens_high, \
    CAST(SUM(tokens % 1000000000) AS BIGINT) AS tokens_low, CAST(SUM(requests) AS BIGINT) AS counted \
    FROM budget_postings GROUP BY budget_id, start_at, member) s \
    ON s.budget_id = p.budget_id AND s.start_at = p.start_at AND s.member = p.member";

/// What must not be there, and how many of it there are.
const NEVER: [(&str, &str); 4] = [
    (
        "postings to a purse that is not there",
        "SELECT COUNT(*) FROM budget_postings b WHERE NOT EXISTS (SELECT 1 FROM budget_periods p \
         WHERE p.budget_id = b.budget_id AND p.start_at = b.start_at AND p.member = b.member)",
    ),
    (
        "postings of requests that are not settled",
        "SELECT COUNT(*) FROM budget_postings b JOIN requests r ON r.id = b.request_id WHERE r.settled_at IS NULL",
    ),
    (
        "requests that charged a budget more than they cost",
        "SELECT COUNT(*) FROM (SELECT request_id, budget_id, SUM(cost_nano_usd) AS charged FROM budget_postings \
         GROUP BY request_id, budget_id) b JOIN requests r ON r.id = b.request_id \
         WHERE r.cost_nano_usd IS NOT NULL AND b.charged > r.cost_nano_usd",
    ),
    (
        "settled requests that still seem to call somebody",
        "SELECT COUNT(*) FROM open_calls c JOIN requests r ON r.id = c.request_id WHERE r.settled_at IS NOT NULL",
    ),
];

/// The same, where several nodes share the database: elsewhere nothing is written there.
const NEVER_SHARED: (&str, &str) = (
    "slices of nodes that do not say what their node's requests were charged",
    "SELECT COUNT(*) FROM budget_slices s LEFT JOIN (SELECT b.budget_id, b.start_at, b.member, r.node_id, \
     SUM(b.cost_nano_usd) AS cost, SUM(b.tokens) AS tokens, SUM(b.requests) AS counted \
     FROM budget_postings b JOIN requests r ON r.id = b.request_id \
     GROUP BY b.budget_id, b.start_at, b.member, r.node_id) p \
     ON p.budget_id = s.budget_id AND p.start_at = s.start_at AND p.member = s.member AND p.node_id = s.node_id \
     WHERE s.settled_cost_nano_usd < 9223372036854775807 AND s.settled_tokens < 9223372036854775807 \
     AND (s.settled_cost_nano_usd <> COALESCE(p.cost, 0) OR s.settled_tokens <> COALESCE(p.tokens, 0) \
     OR s.settled_requests <> COALESCE(p.counted, 0))",
);

/// Compares every purse with its postings.
pub(super) async fn check(
    report: &mut LedgerReport,
    transaction: &mut Transaction,
) -> Result<(), StoreError> {
    within!(transaction, connection => {
        let mut purses = sqlx::query_as::<_, PurseRow>(PURSES).fetch(connection);
        while let Some(purse) = purses.try_next().await.map_err(during(OPERATION))? {
            compare(report, &purse);
        }
    });
    let is_shared = matches!(transaction, Transaction::Postgres(_));
    for (what, text) in NEVER.into_iter().chain(is_shared.then_some(NEVER_SHARED)) {
        let found: i64 = within!(transaction, connection =>
            sqlx::query_scalar(text).fetch_one(connection).await)
        .map_err(during(OPERATION))?;
        if found != 0 {
            report.tell(|| format!("{found} {what}"));
        }
    }
    Ok(())
}

fn compare(report: &mut LedgerReport, purse: &PurseRow) {
    const PART: i128 = 1_000_000_000;
    report.purses += 1;
    let held = |sum: i128| i64::try_from(sum).unwrap_or(i64::MAX);
    let cost = held(i128::from(purse.cost_high) * PART + i128::from(purse.cost_low));
    let tokens = held(i128::from(purse.tokens_high) * PART + i128::from(purse.tokens_low));
    let expected = (cost, tokens, purse.counted);
    let found = (purse.cost_nano_usd, purse.tokens, purse.requests);
    if expected != found {
        let (budget, member, start) = (purse.budget_id.simple(), &purse.member, purse.start_at);
        report.tell(|| {
            format!("budget {budget} {member:?} since {start} is {found:?}, its postings say {expected:?}")
        });
    }
}
