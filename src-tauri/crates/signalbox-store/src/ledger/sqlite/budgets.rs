//! What a batch means for budgets: two scripts over JSON, because most batches fill only a few rows of them.

use serde_json::{Value, json};
use signalbox_core::budget::{Amount, PurseKey};

use super::Query;
use crate::error::StoreError;
use crate::ledger::{Batch, End, forgets_call, postings_of};
use crate::values::{counted, json as json_text};

/// New purses, and the calls that open requests make now.
const OPEN: &str = "INSERT INTO budget_periods (budget_id, start_at, member, cost_nano_usd, tokens, requests) \
    SELECT unhex(value ->> 0), value ->> 1, value ->> 2, 0, 0, 0 FROM json_each(?) WHERE true ON CONFLICT DO NOTHING; \
    INSERT INTO open_calls (request_id, call) SELECT unhex(value ->> 0), value ->> 1 FROM json_each(?) \
    WHERE EXISTS (SELECT 1 FROM requests WHERE id = unhex(value ->> 0) AND settled_at IS NULL) \
    ON CONFLICT (request_id) DO UPDATE SET call = excluded.call;";

/// Postings, what they add up to, and calls that are over.
const POST: &str = concat!(
    "INSERT INTO budget_postings (request_id, budget_id, start_at, member, cost_nano_usd, tokens, requests) ",
    "SELECT unhex(value ->> 0), unhex(value ->> 1), value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6 ",
    "FROM json_each(?); ",
    "INSERT INTO budget_periods (budget_id, start_at, member, cost_nano_usd, tokens, requests) ",
    "SELECT unhex(value ->> 0), value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5 ",
    "FROM json_each(?) WHERE true ON CONFLICT (budget_id, start_at, member) DO UPDATE SET ",
    held_sum!("budget_periods", "cost_nano_usd"),
    ", ",
    held_sum!("budget_periods", "tokens"),
    ", ",
    held_sum!("budget_periods", "requests"),
    "; DELETE FROM open_calls WHERE request_id IN (SELECT unhex(value) FROM json_each(?));"
);

fn purse(purse: &PurseKey) -> [Value; 3] {
    [
        json!(purse.budget.as_uuid().simple().to_string()),
        json!(purse.start.as_micros()),
        json!(purse.member.as_str()),
    ]
}

fn amount(amount: Amount) -> [Value; 3] {
    [json!(amount.cost.as_nanos()), json!(counted(amount.tokens)), json!(counted(amount.requests))]
}

fn text(rows: Vec<Value>) -> String {
    Value::Array(rows).to_string()
}

/// What is opened: purses and calls.
pub(super) fn open_query<'q>(batch: &Batch<'_>) -> Result<Query<'q>, StoreError> {
    let purses = batch.purses.iter().map(|key| Value::from(purse(key).to_vec())).collect();
    let mut calls = Vec::with_capacity(batch.calls.len());
    for call in &batch.calls {
        let id = call.request.as_uuid().simple().to_string();
        calls.push(json!([id, json_text(call)?.0.get()]));
    }
    Ok(sqlx::query(OPEN).bind(text(purses)).bind(text(calls)))
}

/// What is charged; `None` when nothing is.
pub(super) fn posting_query<'q>(ends: &[End<'_>]) -> Option<Query<'q>> {
    let (postings, sums) = postings_of(ends);
    let over = ends.iter().filter(|end| forgets_call(end));
    let over: Vec<Value> = over.map(|end| json!(end.start.id.as_uuid().simple().to_string())).collect();
    if postings.is_empty() && over.is_empty() {
        return None;
    }
    let postings = postings.iter().map(|row| {
        let request = json!(row.request.as_uuid().simple().to_string());
        let rest = purse(&row.posting.purse).into_iter().chain(amount(row.posting.amount));
        Value::Array(std::iter::once(request).chain(rest).collect())
    });
    let sums =
        sums.iter().map(|(key, sum)| Value::Array(purse(key).into_iter().chain(amount(*sum)).collect()));
    Some(sqlx::query(POST).bind(text(postings.collect())).bind(text(sums.collect())).bind(text(over)))
}
