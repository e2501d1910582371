//! What the ledger of a [`TestApp`] says.

use std::time::Duration;

use anyhow::{Context, ensure};
use signalbox_core::ids::RequestId;
use signalbox_store::{LedgerReport, RequestFilter, RequestRecord, RequestSummary};
use tokio::time::timeout;

use crate::app::TestApp;

/// Far beyond what a settlement takes; reached only when one is lost.
const SETTLEMENT_MAX: Duration = Duration::from_secs(20);
/// More rows than a test writes.
const ROWS_MAX: u32 = 10_000;

impl TestApp {
    /// Every row, newest first.
    pub async fn rows(&self) -> anyhow::Result<Vec<RequestSummary>> {
        self.engine.caught_up().await;
        Ok(self.engine.control.store.requests(&RequestFilter::default(), None, ROWS_MAX).await?)
    }

    /// Everything known of one request.
    pub async fn record(&self, id: RequestId) -> anyhow::Result<RequestRecord> {
        self.engine.caught_up().await;
        self.engine.control.store.request(id).await?.with_context(|| format!("no row for {id}"))
    }

    /// A request once it is settled.
    ///
    /// Errors: it is not settled in time.
    pub async fn settled(&self, id: RequestId) -> anyhow::Result<RequestRecord> {
        let mut events = self.engine.events.subscribe();
        let settled = async {
            loop {
                let record = self.record(id).await?;
                if record.settlement.is_some() {
                    return Ok(record);
                }
                // Lagging behind only means that much happened; the next look tells.
                let _ = events.recv().await;
            }
        };
        timeout(SETTLEMENT_MAX, settled).await.with_context(|| format!("{id} is not settled"))?
    }

    /// Every row, once there are `count` and all are settled.
    ///
    /// Errors: not in time.
    pub async fn settled_rows(&self, count: usize) -> anyhow::Result<Vec<RequestSummary>> {
        let mut events = self.engine.events.subscribe();
        let settled = async {
            loop {
                let rows = self.rows().await?;
                if rows.len() >= count && rows.iter().all(|row| row.end.is_some()) {
                    return Ok(rows);
                }
                let _ = events.recv().await;
            }
        };
        timeout(SETTLEMENT_MAX, settled)
            .await
            .with_context(|| format!("there are no {count} settled rows"))?
    }

    /// Checks that the ledger adds up and the history chain is intact.
    ///
    /// Errors: what does not fit.
    pub async fn verify(&self) -> anyhow::Result<LedgerReport> {
        self.engine.caught_up().await;
        let store = &self.engine.control.store;
        let chain = store.verify_chain().await?;
        ensure!(chain.first_bad().is_none(), "the history chain breaks at {:?}", chain.first_bad());
        let report = store.verify_ledger().await?;
        ensure!(report.is_clean(), "the ledger does not add up: {:?}", report.first_differences);
        Ok(report)
    }
}
