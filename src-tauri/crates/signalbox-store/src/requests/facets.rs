//! What a filter can choose from, and other questions that must not read the ledger through.

use std::collections::{BTreeMap, HashMap};

use signalbox_core::ids::{KeyId, RequestId};
use signalbox_core::time::Timestamp;
use uuid::Uuid;

use super::{Facet, Facets};
use crate::Store;
use crate::dialect::reading;
use crate::error::{StoreError, during};
use crate::rollup::EVER;

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

    /// When each key that was ever used was last used.
    pub async fn key_last_used(&self) -> Result<HashMap<KeyId, Timestamp>, StoreError> {
        let rows: Vec<(Uuid, Option<i64>)> = reading!(self, pool => sqlx::query_as(
            "SELECT id, (SELECT MAX(started_at) FROM requests WHERE key_id = api_keys.id) FROM api_keys",
        )
        .fetch_all(pool)
        .await)
        .map_err(during("read when keys were used"))?;
        Ok(rows
            .into_iter()
            .filter_map(|(id, at)| Some((KeyId::from_uuid(id), Timestamp::from_micros(at?))))
            .collect())
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
