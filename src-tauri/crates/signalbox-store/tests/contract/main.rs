//! What the store promises, on both databases.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod alerts;
mod approvals;
mod budgets;
mod config;
mod database;
mod feedback;
mod health;
mod history;
mod idempotency;
mod ledger;
mod list;
mod opening;
mod people;
#[path = "../../../signalbox-testkit/src/postgres.rs"]
mod postgres;
mod rollups;
mod samples;
mod slices;
mod spend;
mod toggles;
mod verify;
mod wholes;
