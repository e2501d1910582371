//! Rollups: what charts read.

use signalbox_core::ids::OperationId;
use signalbox_core::ledger::Outcome;
use signalbox_core::rollup::{Step, Sums};
use signalbox_core::time::Timestamp;

use crate::Store;
use crate::dialect::reading;
use crate::error::{StoreError, during};
use crate::values::{number, word};

/// The step of sums over all time, split by everything but the user. Filter choices are read from it.
pub(crate) const EVER: &str = "ever";

/// By what sums are split.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum GroupBy {
    /// Not at all; the key is empty.
    Total,
    /// By operation.
    Operation,
    /// By provider; the key is empty for requests that reached none.
    Provider,
    /// By target; the key is `provider/model`, empty for requests that reached none.
    Model,
}

/// Which buckets, split how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RollupQuery {
    /// How wide the buckets are.
    pub step: Step,
    /// First instant; the bucket that contains it is part of the answer.
    pub from: Timestamp,
    /// The instant after the last.
    pub to: Timestamp,
    /// By what they are split.
    pub group_by: GroupBy,
    /// Only this operation.
    pub operation: Option<OperationId>,
}

/// Sums of one bucket. Empty buckets have no row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RollupRow {
    /// First instant of the bucket.
    pub start: Timestamp,
    /// The group, as [`GroupBy`] says.
    pub key: String,
    /// Whether the simulator answered.
    pub simulated: bool,
    /// How the requests ended.
    pub outcome: Outcome,
    /// The sums.
    pub sums: Sums,
}

/// Which latencies, split how; the fields mean the same as in [`RollupQuery`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LatencyQuery {
    /// Which buckets are read; a wide one reads fewer rows.
    pub step: Step,
    /// First instant; the bucket that contains it is part of the answer.
    pub from: Timestamp,
    /// The instant after the last.
    pub to: Timestamp,
    /// By what they are split.
    pub group_by: GroupBy,
    /// Only this operation.
    pub operation: Option<OperationId>,
}

/// Which duration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LatencyKind {
    /// To the last byte.
    Total,
    /// To the first token.
    FirstToken,
}

impl LatencyKind {
    /// The word in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Total => "total",
            Self::FirstToken => "first_token",
        }
    }

    /// The kind of that word.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Total, Self::FirstToken].into_iter().find(|kind| kind.as_str() == word)
    }
}

/// One bar of a histogram over the whole range of the query. Only succeeded requests are counted: a quick failure must
/// not make a slow provider look fast.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LatencyRow {
    /// The group, as [`GroupBy`] says.
    pub key: String,
    /// Whether the simulator answered.
    pub simulated: bool,
    /// Which duration.
    pub kind: LatencyKind,
    /// See [`signalbox_core::rollup::latency_bucket`].
    pub bucket: i32,
    /// How many requests.
    pub count: i64,
}

#[derive(sqlx::FromRow)]
struct SumsRow {
    start_at: i64,
    group_key: String,
    simulated: bool,
    outcome: String,
    requests: i64,
    unpriced: i64,
    estimated: i64,
    cost_high: i64,
    cost_low: i64,
    tokens_in_high: i64,
    tokens_in_low: i64,
    tokens_out_high: i64,
    tokens_out_low: i64,
}

#[derive(sqlx::FromRow)]
struct HistogramRow {
    group_key: String,
    simulated: bool,
    kind: String,
    bucket: i64,
    requests: i64,
}

/// Large numbers are added up in two parts, because a sum past the range is an error in one database and a float in the
/// other.
const PART: i128 = 1_000_000_000;

/// Two columns that together are the sum of one; [`whole`] puts them together.
macro_rules! sum_in_parts {
    ($column:literal, $name:literal) => {
        concat!(
            "CAST(SUM(",
            $column,
            " / 1000000000) AS BIGINT) AS ",
            $name,
            "_high, ",
            "CAST(SUM(",
            $column,
            " % 1000000000) AS BIGINT) AS ",
            $name,
            "_low"
        )
    };
}

pub(crate) use sum_in_parts;

macro_rules! sums_by {
    ($key:literal) => {
        concat!(
            "SELECT start_at, ",
            $key,
            " AS group_key, simulated, outcome, ",
            "CAST(SUM(requests) AS BIGINT) AS requests, CAST(SUM(unpriced) AS BIGINT) AS unpriced, ",
            "CAST(SUM(estimated) AS BIGINT) AS estimated, ",
            sum_in_parts!("cost_nano_usd", "cost"),
            ", ",
            sum_in_parts!("tokens_in", "tokens_in"),
            ", ",
            sum_in_parts!("tokens_out", "tokens_out"),
            " FROM rollups WHERE step = $1 AND start_at >= $2 AND start_at < $3 ",
            "AND (CAST($4 AS TEXT) IS NULL OR operation = $4) ",
            "GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4"
        )
    };
}

macro_rules! histogram_by {
    ($key:literal) => {
        concat!(
            "SELECT ",
            $key,
            " AS group_key, simulated, kind, bucket, CAST(SUM(requests) AS BIGINT) AS requests ",
            "FROM rollup_latencies WHERE step = $1 AND start_at >= $2 AND start_at < $3 ",
            "AND (CAST($4 AS TEXT) IS NULL OR operation = $4) ",
            "GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4"
        )
    };
}

/// The same text for each way of grouping.
macro_rules! by_group {
    ($group_by:expr, $text:ident) => {
        match $group_by {
            GroupBy::Total => $text!("''"),
            GroupBy::Operation => $text!("operation"),
            GroupBy::Provider => $text!("provider"),
            GroupBy::Model => $text!("CASE WHEN provider = '' THEN '' ELSE provider || '/' || model END"),
        }
    };
}

impl Store {
    /// Sums of settled requests per bucket and group, by start, then group.
    pub async fn rollups(&self, query: &RollupQuery) -> Result<Vec<RollupRow>, StoreError> {
        let rows: Vec<SumsRow> = reading!(self, pool => sqlx::query_as(by_group!(query.group_by, sums_by))
            .bind(query.step.as_str())
            .bind(query.from.floor_to(query.step.micros()).as_micros())
            .bind(query.to.as_micros())
            .bind(query.operation.as_ref().map(OperationId::as_str))
            .fetch_all(pool)
            .await)
        .map_err(during("read the sums"))?;
        rows.into_iter().map(RollupRow::try_from).collect()
    }

    /// Histograms of succeeded requests' durations per group, by group, then duration.
    pub async fn latencies(&self, query: &LatencyQuery) -> Result<Vec<LatencyRow>, StoreError> {
        let rows: Vec<HistogramRow> =
            reading!(self, pool => sqlx::query_as(by_group!(query.group_by, histogram_by))
            .bind(query.step.as_str())
            .bind(query.from.floor_to(query.step.micros()).as_micros())
            .bind(query.to.as_micros())
            .bind(query.operation.as_ref().map(OperationId::as_str))
            .fetch_all(pool)
            .await)
            .map_err(during("read the latencies"))?;
        rows.into_iter().map(LatencyRow::try_from).collect()
    }
}

impl TryFrom<SumsRow> for RollupRow {
    type Error = StoreError;

    fn try_from(row: SumsRow) -> Result<Self, StoreError> {
        Ok(Self {
            start: Timestamp::from_micros(row.start_at),
            key: row.group_key,
            simulated: row.simulated,
            outcome: word("rollups.outcome", &row.outcome, Outcome::from_word)?,
            sums: Sums {
                requests: row.requests,
                cost_nano_usd: whole(row.cost_high, row.cost_low),
                unpriced: row.unpriced,
                estimated: row.estimated,
                tokens_in: whole(row.tokens_in_high, row.tokens_in_low),
                tokens_out: whole(row.tokens_out_high, row.tokens_out_low),
            },
        })
    }
}

impl TryFrom<HistogramRow> for LatencyRow {
    type Error = StoreError;

    fn try_from(row: HistogramRow) -> Result<Self, StoreError> {
        Ok(Self {
            key: row.group_key,
            simulated: row.simulated,
            kind: word("rollup_latencies.kind", &row.kind, LatencyKind::from_word)?,
            bucket: number("rollup_latencies.bucket", row.bucket)?,
            count: row.requests,
        })
    }
}

/// A sum from its two parts, held at the end of the range.
pub(crate) fn whole(high: i64, low: i64) -> i64 {
    let sum = i128::from(high) * PART + i128::from(low);
    i64::try_from(sum).unwrap_or(if sum < 0 { i64::MIN } else { i64::MAX })
}
