//! The living core: it holds the configuration in memory, takes every AI call the one way there is, and writes the ledger.
//!
//! [`control`] is the configuration side and needs no traffic; [`engine`] runs traffic on top of it; [`dispatch`] is the
//! way of one request. There is no HTTP server and no SQL text here: the gateway brings requests in, the store writes.

#![deny(missing_docs)]

pub mod alerts;
mod answer_cache;
pub mod api_key;
mod approvals;
mod breach;
pub mod budgets;
pub mod check;
pub mod clock;
pub mod control;
pub mod data_dir;
mod disk;
pub mod dispatch;
pub mod drill;
pub mod engine;
pub mod error;
pub mod events;
pub mod feedback;
pub mod health;
pub mod history;
mod idempotency;
mod install;
mod journal;
pub mod key_expiry;
pub mod kill_switch;
pub mod ledger;
pub mod limits;
pub mod live;
pub mod metrics;
mod nodes;
mod outbound;
pub mod process;
mod recovery;
pub mod secrets;
pub mod spend;
pub mod standing;
mod toggle_guard;

pub use engine::{Engine, EngineOptions};
pub use error::EngineError;
