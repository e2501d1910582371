//! The window's commands: each extracts, calls one function of `signalbox-app` and passes the result on.

#![expect(clippy::unreachable, reason = "Tauri's command macro writes one into every command")]

pub mod alerts;
pub mod approvals;
pub mod budgets;
pub mod changes;
pub mod desktop;
pub mod drills;
pub mod health;
pub mod keys;
pub mod operations;
pub mod overview;
pub mod people;
pub mod prices;
pub mod providers;
pub mod quick;
pub mod requests;
pub mod secrets;
pub mod settings;
pub mod status;
pub mod toggles;
pub mod trial;
