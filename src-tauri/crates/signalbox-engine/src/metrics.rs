//! Figures for a monitoring system.

use std::collections::BTreeMap;

use signalbox_core::money::NanoUsd;
use signalbox_core::rollup::Step;
use signalbox_store::{Facet, GroupBy, RollupQuery, StoreError};

use crate::engine::Engine;

/// What a monitoring system is told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Figures {
    /// Requests that run at this moment.
    pub in_flight: u32,
    /// Bytes of the journal that the database does not have yet.
    pub journal_waiting_bytes: u64,
    /// Settled requests by how they ended.
    pub by_outcome: Vec<Counted>,
    /// By operation.
    pub by_operation: Vec<Counted>,
    /// By the provider that answered.
    pub by_provider: Vec<Counted>,
    /// Real money since midnight UTC, by provider; the simulator's is none.
    pub spend_today: Vec<(String, NanoUsd)>,
}

/// A value and how many settled requests have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted {
    /// The value.
    pub value: String,
    /// How many.
    pub requests: i64,
}

impl Engine {
    /// The figures as they are now, from the ledger's sums.
    pub async fn figures(&self) -> Result<Figures, StoreError> {
        let store = &self.control.store;
        let facets = store.facets().await?;
        let now = self.control.now();
        let today = RollupQuery {
            step: Step::Day,
            from: now,
            to: now.plus_micros(1),
            group_by: GroupBy::Provider,
            operation: None,
        };
        let mut spend: BTreeMap<String, NanoUsd> = BTreeMap::new();
        for row in store.rollups(&today).await?.into_iter().filter(|row| !row.simulated) {
            let sum = spend.entry(row.key).or_default();
            let more = NanoUsd::from_nanos(row.sums.cost_nano_usd);
            *sum = sum.checked_add(more).unwrap_or(*sum);
        }
        Ok(Figures {
            in_flight: self.in_flight(),
            journal_waiting_bytes: self.ledger.waiting_bytes(),
            by_outcome: counted(facets.outcomes),
            by_operation: counted(facets.operations),
            by_provider: counted(facets.providers),
            spend_today: spend.into_iter().collect(),
        })
    }
}

fn counted(facets: Vec<Facet>) -> Vec<Counted> {
    facets.into_iter().map(|facet| Counted { value: facet.value, requests: facet.count }).collect()
}
