//! Figures and charts.

use serde::{Deserialize, Serialize};
use specta::Type;

use super::{Counter, Instant, Money};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum GroupBy {
    Operation,
    Provider,
    Model,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum Bucket {
    Minute,
    Hour,
    Day,
}

/// Half-open time range `[from, to)` and how to slice it.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct OverviewQuery {
    pub from: Instant,
    pub to: Instant,
    pub group_by: GroupBy,
    /// Absent: chosen so that there are at most about 120 buckets.
    pub bucket: Option<Bucket>,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct Overview {
    pub figures: Figures,
    /// The same figures for the period of equal length just before.
    pub previous: Figures,
    pub bucket: Bucket,
    /// Start of each bucket, without gaps.
    pub buckets: Vec<Instant>,
    /// Largest spend first. At most 50 groups.
    pub groups: Vec<GroupSeries>,
    pub at: Instant,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct Figures {
    pub spend: Money,
    pub requests: u32,
    pub succeeded: u32,
    pub failed: u32,
    pub cancelled: u32,
    /// Requests answered by the simulator; they cost nothing and are counted apart.
    pub simulated: u32,
    /// Requests whose cost is not known; they are *not* in `spend`.
    pub unpriced: u32,
    /// Requests whose usage was estimated rather than reported.
    pub estimated: u32,
    pub tokens_in: Counter,
    pub tokens_out: Counter,
    /// Milliseconds; absent without data. Within 5 % (log-scale histogram).
    pub latency_ms_p50: Option<f64>,
    pub latency_ms_p95: Option<f64>,
    pub first_token_ms_p50: Option<f64>,
    pub first_token_ms_p95: Option<f64>,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct GroupSeries {
    /// The operation id, provider name or `provider/model`; empty when no target was reached.
    pub key: String,
    pub simulated: bool,
    /// One entry per bucket.
    pub spend: Vec<Money>,
    pub requests: Vec<u32>,
    pub total: Figures,
}
