//! Rollups: what charts read.

use signalbox_core::ids::OperationId;
use signalbox_core::ledger::Outcome;
use signalbox_core::rollup::{Step, Sums};
use signalbox_core::time::Timestamp;

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
