//! Use cases for every admin client: one function per command, typed input and output, authorisation.
//!
//! The window's commands, the command line and (later) a node's admin page call the same functions, so who may do what, what
//! is written to the change history and which caches go stale is said once. Nothing here knows Tauri or HTTP.

#![deny(missing_docs)]

pub mod alert_rules;
pub mod alerts;
pub mod app;
pub mod approvals;
mod auth;
pub mod budgets;
pub mod changes;
pub mod channels;
mod credential;
pub mod drills;
#[expect(
    missing_docs,
    reason = "plain data; the field names are the documentation where a comment would only repeat them"
)]
pub mod dto;
pub mod error;
pub mod export;
pub mod health;
mod impact;
pub mod keys;
pub mod kill_switch;
pub mod models;
pub mod operations;
pub mod overview;
pub mod people;
pub mod prices;
mod propose;
pub mod providers;
pub mod requests;
pub mod secrets;
pub mod settings;
pub mod simulation;
pub mod status;
pub mod toggles;
pub mod trial;
mod view;

pub use app::{App, Caller, GatewayReport, Role, Source};
pub use error::{AppError, Code};
pub use propose::ProposedChange;
