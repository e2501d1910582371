//! The HTTP gateway: where programs bring their AI calls.
//!
//! One surface per wire family; each speaks its own API's shapes, also in its errors. A request passes [`guard`] (no
//! browser page gets through), is authenticated, read once, and handed to the engine; the answer's bytes pass through.
//! HTTP/1.1 only: no client library needs more on a plain connection, and each further protocol is more to defend.
//!
//! Deliberately absent: anything that changes configuration. Admin functions are on no HTTP port at all.

#![deny(missing_docs)]

mod answer;
mod approvals;
mod body;
mod chat;
mod count_tokens;
mod credential;
mod fault;
mod feedback;
mod gateway;
mod guard;
mod health;
mod labels;
mod media;
mod metrics;
mod models;
mod server;

pub use gateway::{DEFAULT_LISTEN, Exposure, Gateway, GatewayError};
