//! The only crate with SQL: pools, migrations, one file per noun, the ledger statements, rollups.

#![deny(missing_docs)]
#![expect(clippy::unused_async, unused_variables, reason = "skeleton")]

mod config;
mod error;
mod history;
mod ledger;
mod request;
mod rollup;
mod verify;

use std::collections::HashMap;
use std::path::Path;

use signalbox_core::change::{ChainVerifier, ChainedChange};
use signalbox_core::ids::{KeyId, RequestId};
use signalbox_core::time::Timestamp;

pub use config::{Config, ConfigEdit, ConfigWrite};
pub use error::StoreError;
pub use history::ChangeFilter;
pub use ledger::{LedgerConnection, LedgerEntry};
pub use request::{
    Facet, Facets, OpenRequest, RequestEnd, RequestFilter, RequestRecord, RequestStatus, RequestSummary,
};
pub use rollup::{GroupBy, LatencyKind, LatencyQuery, LatencyRow, RollupQuery, RollupRow};
pub use verify::LedgerReport;

/// What survives a power cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// Nothing acknowledged is lost when the process dies (`synchronous = NORMAL`).
    Process,
    /// Nor when the power fails (`synchronous = FULL`).
    Power,
}

/// Which database is behind the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    /// The embedded one.
    Sqlite,
    /// A server several nodes share.
    Postgres,
}

/// The store. Clones share the same connections.
#[derive(Debug, Clone)]
pub struct Store {}

const SKELETON: StoreError = StoreError::Busy { operation: "exist" };

impl Store {
    /// Opens (and creates) the embedded database.
    pub async fn open_sqlite(path: &Path, durability: Durability) -> Result<Self, StoreError> {
        Err(SKELETON)
    }

    /// Opens a shared database.
    pub async fn open_postgres(url: &str) -> Result<Self, StoreError> {
        Err(SKELETON)
    }

    /// Closes every connection.
    pub async fn close(&self) {}

    /// Which database is behind it.
    pub fn backend(&self) -> Backend {
        Backend::Sqlite
    }

    /// The configuration's revision; 0 before anything was installed.
    pub async fn revision(&self) -> Result<i64, StoreError> {
        Err(SKELETON)
    }

    /// A signal that fires when any process writes the configuration.
    pub async fn config_signal(&self) -> ConfigSignal {
        ConfigSignal {}
    }

    /// The whole configuration, in one consistent read.
    pub async fn load_config(&self) -> Result<Config, StoreError> {
        Err(SKELETON)
    }

    /// Writes configuration, its history and the next revision, all or nothing.
    pub async fn write_config(&self, edits: Vec<ConfigEdit>) -> Result<Vec<ChainedChange>, StoreError> {
        Err(SKELETON)
    }

    /// A connection of its own for the ledger's writer.
    pub async fn ledger(&self) -> Result<LedgerConnection, StoreError> {
        Err(SKELETON)
    }

    /// Requests started and never settled, of all nodes, oldest first.
    pub async fn open_requests(&self) -> Result<Vec<OpenRequest>, StoreError> {
        Err(SKELETON)
    }

    /// A page of requests, newest first, older than `before`.
    pub async fn requests(
        &self,
        filter: &RequestFilter,
        before: Option<RequestId>,
        limit: u32,
    ) -> Result<Vec<RequestSummary>, StoreError> {
        Err(SKELETON)
    }

    /// Everything known of one request.
    pub async fn request(&self, id: RequestId) -> Result<Option<RequestRecord>, StoreError> {
        Err(SKELETON)
    }

    /// Distinct values for filters.
    pub async fn facets(&self) -> Result<Facets, StoreError> {
        Err(SKELETON)
    }

    /// The first request ever.
    pub async fn has_requests(&self) -> Result<Option<RequestId>, StoreError> {
        Err(SKELETON)
    }

    /// When each key was last used.
    pub async fn key_last_used(&self) -> Result<HashMap<KeyId, Timestamp>, StoreError> {
        Err(SKELETON)
    }

    /// Sums for charts.
    pub async fn rollups(&self, query: &RollupQuery) -> Result<Vec<RollupRow>, StoreError> {
        Err(SKELETON)
    }

    /// Histograms of durations.
    pub async fn latencies(&self, query: &LatencyQuery) -> Result<Vec<LatencyRow>, StoreError> {
        Err(SKELETON)
    }

    /// A page of the history, newest first, older than `before_seq`.
    pub async fn changes(
        &self,
        filter: &ChangeFilter,
        before_seq: Option<i64>,
        limit: u32,
    ) -> Result<Vec<ChainedChange>, StoreError> {
        Err(SKELETON)
    }

    /// One entry of the history.
    pub async fn change(&self, seq: i64) -> Result<Option<ChainedChange>, StoreError> {
        Err(SKELETON)
    }

    /// Checks the whole history.
    pub async fn verify_chain(&self) -> Result<ChainVerifier, StoreError> {
        Err(SKELETON)
    }

    /// Checks that the ledger adds up.
    pub async fn verify_ledger(&self) -> Result<LedgerReport, StoreError> {
        Err(SKELETON)
    }
}

/// Fires when any process has written the configuration.
#[derive(Debug)]
pub struct ConfigSignal {}

impl ConfigSignal {
    /// Waits for the next revision. Dropping the future loses nothing: the next call fires at once.
    pub async fn changed(&mut self) -> Result<i64, StoreError> {
        Err(SKELETON)
    }
}
