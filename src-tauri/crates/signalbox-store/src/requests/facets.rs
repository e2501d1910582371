//! What a filter can choose from, and other questions that must not read the ledger through.

use std::collections::{BTreeMap, HashMap};

use signalbox_core::ids::{KeyId, OperationId, RequestId};
use signalbox_core::time::Timestamp;
use uuid::Uuid;

use super::{Facet, Facets, KeyUse};
use crate::Store;
use crate::dialect::reading;
use crate::error::{StoreError, during};
use crate::rollup::EVER;
use crate::values::valid;

#[derive(sqlx::FromRow)]
struct Row {
    operation: String,
    provider: String,
    model: String,
    outcome: String,
    requests: i64,
}

impl Store {
    /// Distinct values for filters, each with its number of settled requests. Never reads the ledger's rows, however
    /// many there are.
    pub async fn facets(&self) -> Result<Facets, StoreError> {
        const OPERATION: &str = "read the filter choices";
        let rows: Vec<Row> = reading!(self, pool => sqlx::query_as(
            "SELECT operation, provider, model, outcome, CAST(SUM(requests) AS BIGINT) AS requests FROM rollups \
             WHERE step = $1 GROUP BY operation, provider, model, outcome",
        )
        .bind(EVER)
        .fetch_all(pool)
        .await)
        .map_err(during(OPERATION))?;
        let in_flight = reading!(self, pool =>
            sqlx::query_scalar("SELECT COUNT(*) FROM requests WHERE settled_at IS NULL").fetch_one(pool).await)
        .map_err(during(OPERATION))?;
        Ok(Facets {
            operations: counts(&rows, |row| &row.operation),
            providers: counts(&rows, |row| &row.provider),
            models: counts(&rows, |row| &row.model),
            outcomes: counts(&rows, |row| &row.outcome),
            in_flight,
        })
    }

    /// The first request ever, if there was one.
    pub async fn has_requests(&self) -> Result<Option<RequestId>, StoreError> {
        let first: Option<Uuid> = reading!(self, pool =>
            sqlx::query_scalar("SELECT id FROM requests ORDER BY started_at, id LIMIT 1").fetch_optional(pool).await)
        .map_err(during("look for a request"))?;
        Ok(first.map(RequestId::from_uuid))
    }

    /// When and for what each key that was ever used was last used: its newest row in the ledger, so that no request has
    /// to write it anywhere.
    pub async fn key_last_used(&self) -> Result<HashMap<KeyId, KeyUse>, StoreError> {
        let rows: Vec<(Uuid, i64, String)> = reading!(self, pool => sqlx::query_as(
            "SELECT api_keys.id, requests.started_at, requests.operation FROM api_keys JOIN requests ON requests.id = \
             (SELECT newest.id FROM requests newest WHERE newest.key_id = api_keys.id \
              ORDER BY newest.started_at DESC, newest.id DESC LIMIT 1)",
        )
        .fetch_all(pool)
        .await)
        .map_err(during("read when keys were used"))?;
        rows.into_iter()
            .map(|(id, at, operation)| {
                let operation = valid("requests.operation", OperationId::new(&operation))?;
                Ok((KeyId::from_uuid(id), KeyUse { at: Timestamp::from_micros(at), operation }))
            })
            .collect()
    }
}

/// Requests per value, most frequent first, then by value. Requests that reached no provider have no value.
fn counts<'a>(rows: &'a [Row], value: impl Fn(&'a Row) -> &'a String) -> Vec<Facet> {
    let mut counts: BTreeMap<&str, i64> = BTreeMap::new();
    for row in rows {
        let count = counts.entry(value(row)).or_default();
        *count = count.saturating_add(row.requests);
    }
    counts.remove("");
    let mut facets: Vec<Facet> =
        counts.into_iter().map(|(value, count)| Facet { value: value.to_owned(), count }).collect();
    facets.sort_by_key(|facet| std::cmp::Reverse(facet.count));
    facets
}
