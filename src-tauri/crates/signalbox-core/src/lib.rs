//! The domain of Signalbox: nouns, invariants and pure decisions.
//!
//! Nothing here does I/O, awaits, or reads a clock: every decision takes `now` and one [`snapshot::Snapshot`] and gives
//! the same answer for the same input, so a stored decision can be replayed. Money is integer nano-dollars throughout.

#![deny(missing_docs)]

pub mod address;
pub mod alert;
pub mod anomaly;
pub mod approval;
pub mod breach;
pub mod breaker;
pub mod budget;
pub mod catalogue;
pub mod change;
pub mod decide;
pub mod defaults;
pub mod entry;
pub mod failure;
pub mod forecast;
pub mod health;
pub mod hours;
pub mod ids;
pub mod key;
pub mod kill_switch;
pub mod ledger;
pub mod meter;
pub mod money;
pub mod operation;
pub mod person;
pub mod price;
pub mod price_import;
pub mod provider;
pub mod rate;
pub mod redact;
pub mod retry;
pub mod rollup;
pub mod route;
pub mod rule;
pub mod snapshot;
pub mod state_at;
pub mod time;
pub mod toggle;
pub mod usage;
