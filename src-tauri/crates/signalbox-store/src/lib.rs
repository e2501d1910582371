//! The only crate with SQL: pools, migrations, one file per noun, the ledger statements, rollups.
//!
//! Two native pools stand behind one type, because the generic driver has no ids, JSON or booleans on both databases; one
//! text serves both wherever it can (`dialect.rs` and `ledger/` hold what differs). Ids and instants come from the caller.
//! Names and free text are stored as given, but for the character NUL, which `PostgreSQL` has no text for; users of
//! requests, subjects and actors of changes are cut at 256 characters, because they are indexed.

#![deny(missing_docs)]

mod alerts;
mod approvals;
mod budgets;
mod config;
mod dialect;
mod error;
mod failovers;
mod feedback;
mod health;
mod history;
mod idempotency;
mod ledger;
mod migrations;
mod nodes;
mod pools;
mod requests;
mod rollup;
mod signal;
mod slices;
mod spend;
mod values;
mod verify;

use std::path::Path;
use std::sync::Arc;

pub use alerts::{AlertFilter, AlertKept, Delivery, DeliveryFilter, KeptAlert, NewDelivery};
pub use approvals::{ApprovalCounts, FiledApproval, QueuePlace};
pub use budgets::AnswerSize;
pub use config::{Config, ConfigEdit, ConfigWrite, StoredKey, ToggleEdit};
pub use error::StoreError;
pub use failovers::{Failover, FailoverFilter, FailoverPlace};
pub use feedback::Feedback;
pub use health::{HealthEvent, HealthEventFilter};
pub use history::ChangeFilter;
pub use idempotency::{ClaimedKey, IdempotencyClaim};
pub use ledger::{LedgerConnection, LedgerEntry};
pub use nodes::NodeBeat;
pub use requests::{
    DecidedRequest, Facet, Facets, KeyUse, OpenRequest, RequestEnd, RequestFilter, RequestRecord,
    RequestStatus, RequestSummary,
};
pub use rollup::{GroupBy, LatencyKind, LatencyQuery, LatencyRow, RollupQuery, RollupRow};
pub use signal::ConfigSignal;
pub use slices::{Exchanged, SliceNews, SliceSignal};
pub use spend::{SpendBy, SpendQuery, SpendRanked, SpendRow};
pub use verify::LedgerReport;

use pools::{Pools, SqlitePools};

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
pub struct Store {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    pools: Pools,
}

impl Store {
    /// Opens the embedded database, makes it if it does not exist (readable by its owner only), and brings its schema up
    /// to date. Several processes may do so at once.
    ///
    /// Errors: [`StoreError::Unwritable`], [`StoreError::NewerSchema`], [`StoreError::Corrupt`] for a file that is no
    /// database, [`StoreError::Busy`] when another process holds it.
    pub async fn open_sqlite(path: &Path, durability: Durability) -> Result<Self, StoreError> {
        SqlitePools::open(path, durability).await.map(|pools| Self::of(Pools::Sqlite(Box::new(pools))))
    }

    /// Opens a database shared by several nodes, `postgres://…`, and brings its schema up to date.
    pub async fn open_postgres(url: &str) -> Result<Self, StoreError> {
        pools::open_postgres(url).await.map(|pool| Self::of(Pools::Postgres(pool)))
    }

    fn of(pools: Pools) -> Self {
        Self { inner: Arc::new(Inner { pools }) }
    }

    /// Closes the store's connections, of all clones. A [`LedgerConnection`] closes when it is dropped.
    pub async fn close(&self) {
        self.inner.pools.close().await;
    }

    /// Which database is behind it.
    pub fn backend(&self) -> Backend {
        match self.inner.pools {
            Pools::Sqlite(_) => Backend::Sqlite,
            Pools::Postgres(_) => Backend::Postgres,
        }
    }
}
