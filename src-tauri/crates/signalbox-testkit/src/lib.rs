//! For tests only: a running Signalbox in a temporary directory, with simulators for vendors.
//!
//! Everything is the real thing over real sockets: store, engine, gateway, adapters, simulator. Nothing is mocked.
//!
//! ```no_run
//! # async fn test() -> anyhow::Result<()> {
//! use signalbox_testkit::{Prices, TestApp};
//!
//! let app = TestApp::start().await?;
//! let alpha = app.add_openai("alpha").await?;
//! app.add_model("alpha/gpt-test", Prices::per_mtok("2", "8")).await?;
//! app.set_route("chat_message", &["alpha/gpt-test"]).await?;
//! alpha.dials().update(|dials| dials.latency_ms = 50);
//!
//! let reply = app.chat("op:chat_message", "Hello there").await?;
//! assert_eq!(reply.status, 200);
//! let row = app.settled(reply.request_id()?).await?;
//! assert_eq!(row.start.operation.as_str(), "chat_message");
//! # Ok(())
//! # }
//! ```

#![deny(missing_docs)]

mod app;
mod client;
mod config;
mod fake_clock;
mod ledger;
mod mail_server;
pub mod postgres;
mod receiver;
pub mod seed;

pub use app::{Builder, TestApp};
pub use client::{Reply, Streamed, chat_body, message_body};
pub use config::{CREDENTIAL, Prices, Vendor};
pub use fake_clock::FakeClock;
pub use mail_server::{Mail, MailServer};
pub use receiver::{Answering, Received, Receiver};
