//! What was spent by whom and on what, over time. Read from rollups, whose key begins with step and time.

use signalbox_core::rollup::Step;
use signalbox_core::time::Timestamp;

use crate::Store;
use crate::dialect::reading;
use crate::error::{StoreError, during};
use crate::rollup::{sum_in_parts, whole};

/// By what spend is split.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SpendBy {
    /// Not at all; the key is empty.
    Total,
    /// By operation.
    Operation,
    /// By user; the key is empty for requests that name none.
    User,
    /// By provider; the key is empty for requests that reached none.
    Provider,
    /// By target; the key is `provider/model`, empty for requests that reached none.
    Model,
}

/// Which spend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpendQuery {
    /// How wide the buckets are.
    pub step: Step,
    /// First instant; the bucket that contains it is part of the answer.
    pub from: Timestamp,
    /// The instant after the last.
    pub to: Timestamp,
    /// By what it is split.
    pub by: SpendBy,
    /// Only this key.
    pub only: Option<String>,
}

/// Spend of one key in one bucket. Empty buckets have no row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpendRow {
    /// First instant of the bucket.
    pub start: Timestamp,
    /// Whose, as [`SpendBy`] says.
    pub key: String,
    /// Settled requests.
    pub requests: i64,
    /// Nano-dollars of all that is priced.
    pub cost_nano_usd: i64,
    /// Tokens, read and written.
    pub tokens: i64,
}

/// Spend of one key over the whole range of a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpendRanked {
    /// Whose, as [`SpendBy`] says.
    pub key: String,
    /// Settled requests.
    pub requests: i64,
    /// Nano-dollars of all that is priced.
    pub cost_nano_usd: i64,
    /// Tokens, read and written.
    pub tokens: i64,
}

#[derive(sqlx::FromRow)]
struct BucketRow {
    start_at: i64,
    group_key: String,
    requests: i64,
    cost_high: i64,
    cost_low: i64,
    tokens_in_high: i64,
    tokens_in_low: i64,
    tokens_out_high: i64,
    tokens_out_low: i64,
}

macro_rules! sums {
    () => {
        concat!(
            "CAST(SUM(requests) AS BIGINT) AS requests, ",
            sum_in_parts!("cost_nano_usd", "cost"),
            ", ",
            sum_in_parts!("tokens_in", "tokens_in"),
            ", ",
            sum_in_parts!("tokens_out", "tokens_out"),
            " FROM rollups WHERE step = $1 AND start_at >= $2 AND start_at < $3 "
        )
    };
}

macro_rules! buckets_by {
    ($key:literal) => {
        concat!(
            "SELECT start_at, ",
            $key,
            " AS group_key, ",
            sums!(),
            "AND (CAST($4 AS TEXT) IS NULL OR ",
            $key,
            " = $4) GROUP BY 1, 2 ORDER BY 1, 2"
        )
    };
}

macro_rules! ranking_by {
    ($key:literal) => {
        concat!(
            "SELECT CAST(0 AS BIGINT) AS start_at, ",
            $key,
            " AS group_key, ",
            sums!(),
            "AND (CAST($4 AS TEXT) IS NULL OR ",
            $key,
            // In micro-dollars, whose sum stays within the range.
            " = $4) GROUP BY 2 ORDER BY SUM(cost_nano_usd / 1000) DESC, SUM(requests) DESC, 2 LIMIT $5"
        )
    };
}

macro_rules! by {
    ($by:expr, $text:ident) => {
        match $by {
            SpendBy::Total => $text!("''"),
            SpendBy::Operation => $text!("operation"),
            SpendBy::User => $text!("user_name"),
            SpendBy::Provider => $text!("provider"),
            SpendBy::Model => $text!("CASE WHEN provider = '' THEN '' ELSE provider || '/' || model END"),
        }
    };
}

impl Store {
    /// Spend per bucket and key, by start, then key.
    pub async fn spend(&self, query: &SpendQuery) -> Result<Vec<SpendRow>, StoreError> {
        let rows: Vec<BucketRow> = reading!(self, pool => sqlx::query_as(by!(query.by, buckets_by))
            .bind(query.step.as_str())
            .bind(query.from.floor_to(query.step.micros()).as_micros())
            .bind(query.to.as_micros())
            .bind(query.only.as_deref())
            .fetch_all(pool)
            .await)
        .map_err(during("read the spend"))?;
        Ok(rows
            .into_iter()
            .map(|row| SpendRow {
                start: Timestamp::from_micros(row.start_at),
                requests: row.requests,
                cost_nano_usd: row.cost(),
                tokens: row.tokens(),
                key: row.group_key,
            })
            .collect())
    }

    /// The `most` keys that spent most over the whole range of the query, the largest first.
    pub async fn spend_ranking(&self, query: &SpendQuery, most: u32) -> Result<Vec<SpendRanked>, StoreError> {
        let rows: Vec<BucketRow> = reading!(self, pool => sqlx::query_as(by!(query.by, ranking_by))
            .bind(query.step.as_str())
            .bind(query.from.floor_to(query.step.micros()).as_micros())
            .bind(query.to.as_micros())
            .bind(query.only.as_deref())
            .bind(i64::from(most))
            .fetch_all(pool)
            .await)
        .map_err(during("read who spent most"))?;
        Ok(rows
            .into_iter()
            .map(|row| SpendRanked {
                requests: row.requests,
                cost_nano_usd: row.cost(),
                tokens: row.tokens(),
                key: row.group_key,
            })
            .collect())
    }
}

impl BucketRow {
    fn cost(&self) -> i64 {
        whole(self.cost_high, self.cost_low)
    }

    fn tokens(&self) -> i64 {
        let read = whole(self.tokens_in_high, self.tokens_in_low);
        read.saturating_add(whole(self.tokens_out_high, self.tokens_out_low))
    }
}
