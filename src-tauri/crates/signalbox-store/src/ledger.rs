//! The ledger writer's own connection: one transaction per batch.

use std::sync::Arc;

use signalbox_core::ledger::{RequestStart, Settlement};

use crate::StoreError;

/// One thing the ledger writer commits.
#[derive(Debug, Clone)]
pub enum LedgerEntry {
    /// T1: a request begins.
    Start(Arc<RequestStart>),
    /// T2: a request ends.
    Settle {
        /// As it was started.
        start: Arc<RequestStart>,
        /// How it ended.
        settlement: Arc<Settlement>,
    },
}

/// The one connection that writes the ledger.
#[derive(Debug)]
pub struct LedgerConnection {}

impl LedgerConnection {
    /// Commits a batch in one transaction.
    ///
    /// Every entry may be given again, also in a later batch: a request is inserted once and settled once, and its sums
    /// are counted with the settlement that took effect.
    pub async fn commit(&mut self, _entries: &[LedgerEntry]) -> Result<(), StoreError> {
        Err(StoreError::Busy { operation: "commit the ledger" })
    }
}
