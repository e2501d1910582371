//! Whole requests, with everything their own page shows; and those that were never settled.

use std::collections::HashMap;

use signalbox_core::decide::Decision;
use signalbox_core::failure::FailureKind;
use signalbox_core::ids::{ModelName, ProviderName, RequestId};
use signalbox_core::ledger::{Attempt, Outcome, RequestStart, Settlement};
use signalbox_core::meter::{Cost, CostLine, CostStatus};
use signalbox_core::money::{NanoUsd, UnitPrice};
use signalbox_core::route::Target;
use signalbox_core::usage::Unit;
use uuid::Uuid;

use super::{OpenRequest, RequestEnd, RequestRecord, RequestSummary, list};
use crate::Store;
use crate::dialect::{reading, within};
use crate::error::{StoreError, during};
use crate::pools::Transaction;
use crate::values::{JsonText, corrupt, number, parsed, valid, word};

const OPERATION: &str = "read a request";

/// Most requests a node can have left open: a bound for one read, far above what fits into memory at once in flight.
const OPEN_PAGE: u32 = 1_000;

#[derive(sqlx::FromRow)]
pub(super) struct DetailsRow {
    requested_model: String,
    tags: JsonText,
    decision: JsonText,
    holding: Option<JsonText>,
    refused_by: Option<JsonText>,
}

#[derive(sqlx::FromRow)]
struct AttemptRow {
    ordinal: i64,
    provider: String,
    model: String,
    outcome: String,
    failure: Option<String>,
    http_status: Option<i64>,
    message: Option<String>,
    started_us: i64,
    first_token_us: Option<i64>,
    finished_us: i64,
    usage: JsonText,
    cost_status: String,
    cost_nano_usd: Option<i64>,
    card: Option<JsonText>,
}

#[derive(sqlx::FromRow)]
struct LineRow {
    ordinal: i64,
    unit: String,
    quantity: i64,
    price_nano_usd: Option<i64>,
    price_per: Option<i64>,
    cost_nano_usd: Option<i64>,
}

impl Store {
    /// Everything known of one request.
    pub async fn request(&self, id: RequestId) -> Result<Option<RequestRecord>, StoreError> {
        let mut transaction = self.inner.pools.begin_read(OPERATION).await?;
        let row: Option<list::Row> = within!(&mut transaction, connection => {
            let mut query = sqlx::QueryBuilder::new("SELECT ");
            query.push(list::COLUMNS).push(" FROM requests WHERE id = ").push_bind(id.as_uuid());
            query.build_query_as().fetch_optional(connection).await
        })
        .map_err(during(OPERATION))?;
        let Some(row) = row else { return Ok(None) };
        let summary = RequestSummary::try_from(row)?;
        let details: DetailsRow = within!(&mut transaction, connection => sqlx::query_as(
            "SELECT requested_model, tags, decision, holding, refused_by FROM request_details WHERE request_id = $1",
        )
        .bind(id.as_uuid())
        .fetch_one(connection)
        .await)
        .map_err(during(OPERATION))?;
        let mut payloads = payloads(&mut transaction, id).await?;
        let settlement = match &summary.end {
            Some(end) => Some(settlement(&mut transaction, id, end, payloads.remove("response")).await?),
            None => None,
        };
        let start = RequestStart { payload: payloads.remove("request"), ..start_of(&summary, &details)? };
        transaction.commit(OPERATION).await?;
        Ok(Some(RequestRecord { start, settlement }))
    }

    /// Requests started and never settled, of all nodes, oldest first, without their payloads.
    pub async fn open_requests(&self) -> Result<Vec<OpenRequest>, StoreError> {
        let mut open = Vec::new();
        let mut after = (i64::MIN, Uuid::nil());
        loop {
            let rows: Vec<OpenRow> = reading!(self, pool => {
                let mut query = sqlx::QueryBuilder::new("SELECT ");
                query.push(list::COLUMNS).push(
                    ", requested_model, tags, decision, holding, refused_by, \
                     (SELECT call FROM open_calls WHERE open_calls.request_id = requests.id) AS call \
                     FROM requests JOIN request_details ON request_details.request_id = requests.id \
                     WHERE settled_at IS NULL AND (started_at, id) > (",
                );
                query.push_bind(after.0).push(", ").push_bind(after.1).push(") ORDER BY started_at, id LIMIT ");
                query.push_bind(i64::from(OPEN_PAGE)).build_query_as().fetch_all(pool).await
            })
            .map_err(during("read open requests"))?;
            let Some(last) = rows.last() else { return Ok(open) };
            after = (last.request.started_at, last.request.id);
            for row in rows {
                let summary = RequestSummary::try_from(row.request)?;
                let call = row.call.map(|call| parsed("open_calls.call", &call)).transpose()?;
                open.push(OpenRequest { start: start_of(&summary, &row.details)?, call });
            }
        }
    }
}

#[derive(sqlx::FromRow)]
struct OpenRow {
    #[sqlx(flatten)]
    request: list::Row,
    #[sqlx(flatten)]
    details: DetailsRow,
    call: Option<JsonText>,
}

pub(super) fn start_of(summary: &RequestSummary, details: &DetailsRow) -> Result<RequestStart, StoreError> {
    Ok(RequestStart {
        idempotency: None,
        holding: details
            .holding
            .as_ref()
            .map(|holding| parsed("request_details.holding", holding))
            .transpose()?,
        refused_by: details
            .refused_by
            .as_ref()
            .map(|shortfall| parsed("request_details.refused_by", shortfall))
            .transpose()?,
        id: summary.id,
        node: summary.node,
        started_at: summary.started_at,
        operation: summary.operation.clone(),
        surface: summary.surface,
        streamed: summary.streamed,
        requested_model: details.requested_model.clone(),
        key: summary.key,
        user: summary.user.clone(),
        tags: parsed("request_details.tags", &details.tags)?,
        config_revision: summary.config_revision,
        decision: parsed::<Decision>("request_details.decision", &details.decision)?,
        estimate: summary.estimate,
        payload: None,
    })
}

async fn payloads(
    transaction: &mut Transaction,
    id: RequestId,
) -> Result<HashMap<String, String>, StoreError> {
    let rows: Vec<(String, Vec<u8>)> = within!(transaction, connection =>
        sqlx::query_as("SELECT part, body FROM payloads WHERE request_id = $1")
            .bind(id.as_uuid())
            .fetch_all(connection)
            .await)
    .map_err(during(OPERATION))?;
    rows.into_iter()
        .map(|(part, body)| Ok((part, valid("payloads.body", String::from_utf8(body))?)))
        .collect()
}

async fn settlement(
    transaction: &mut Transaction,
    id: RequestId,
    end: &RequestEnd,
    payload: Option<String>,
) -> Result<Settlement, StoreError> {
    let error_message: Option<String> = within!(transaction, connection =>
        sqlx::query_scalar("SELECT message FROM request_errors WHERE request_id = $1")
            .bind(id.as_uuid())
            .fetch_optional(connection)
            .await)
    .map_err(during(OPERATION))?;
    Ok(Settlement {
        cache: end.cache,
        postings: crate::budgets::postings_of(transaction, id).await?,
        id,
        finished_at: end.finished_at,
        outcome: end.outcome,
        attempts: attempts(transaction, id).await?,
        simulated: end.simulated,
        finish_reason: end.finish_reason.clone(),
        error_code: end.error_code.clone(),
        error_message,
        latency_us: end.latency_us,
        payload,
    })
}

async fn attempts(transaction: &mut Transaction, id: RequestId) -> Result<Vec<Attempt>, StoreError> {
    let rows: Vec<AttemptRow> = within!(transaction, connection => sqlx::query_as(
        "SELECT ordinal, provider, model, outcome, failure, http_status, message, started_us, first_token_us, \
         finished_us, usage, cost_status, cost_nano_usd, card FROM attempts WHERE request_id = $1 ORDER BY ordinal",
    )
    .bind(id.as_uuid())
    .fetch_all(connection)
    .await)
    .map_err(during(OPERATION))?;
    let mut lines: HashMap<i64, Vec<CostLine>> = HashMap::new();
    let line_rows: Vec<LineRow> = within!(transaction, connection => sqlx::query_as(
        "SELECT ordinal, unit, quantity, price_nano_usd, price_per, cost_nano_usd FROM cost_lines \
         WHERE request_id = $1 ORDER BY ordinal, line",
    )
    .bind(id.as_uuid())
    .fetch_all(connection)
    .await)
    .map_err(during(OPERATION))?;
    for row in line_rows {
        lines.entry(row.ordinal).or_default().push(line_of(&row)?);
    }
    rows.into_iter()
        .map(|row| {
            let lines = lines.remove(&row.ordinal).unwrap_or_default();
            attempt_of(row, lines)
        })
        .collect()
}

fn attempt_of(row: AttemptRow, lines: Vec<CostLine>) -> Result<Attempt, StoreError> {
    Ok(Attempt {
        ordinal: number("attempts.ordinal", row.ordinal)?,
        target: Target {
            provider: valid("attempts.provider", ProviderName::new(&row.provider))?,
            model: valid("attempts.model", ModelName::new(&row.model))?,
        },
        outcome: word("attempts.outcome", &row.outcome, Outcome::from_word)?,
        failure: row
            .failure
            .map(|failure| word("attempts.failure", &failure, FailureKind::from_word))
            .transpose()?,
        http_status: row.http_status.map(|status| number("attempts.http_status", status)).transpose()?,
        message: row.message,
        started_us: row.started_us,
        first_token_us: row.first_token_us,
        finished_us: row.finished_us,
        usage: parsed("attempts.usage", &row.usage)?,
        cost: Cost {
            status: word("attempts.cost_status", &row.cost_status, CostStatus::from_word)?,
            total: row.cost_nano_usd.map(NanoUsd::from_nanos),
            lines,
            card: row.card.map(|card| parsed("attempts.card", &card)).transpose()?,
        },
    })
}

fn line_of(row: &LineRow) -> Result<CostLine, StoreError> {
    let price = match (row.price_nano_usd, row.price_per) {
        (Some(nanos), Some(per)) => {
            let per = number("cost_lines.price_per", per)?;
            Some(valid("cost_lines.price", UnitPrice::new(NanoUsd::from_nanos(nanos), per))?)
        }
        (None, None) => None,
        _ => return Err(corrupt("cost_lines.price", "half a price")),
    };
    Ok(CostLine {
        unit: word("cost_lines.unit", &row.unit, Unit::from_word)?,
        quantity: number("cost_lines.quantity", row.quantity)?,
        price,
        cost: row.cost_nano_usd.map(NanoUsd::from_nanos),
    })
}
