//! What the store promises, on both databases.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![expect(clippy::print_stderr, reason = "a skipped test says so")]

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
mod rollups;
mod samples;
mod spend;
mod toggles;
mod verify;
mod wholes;
