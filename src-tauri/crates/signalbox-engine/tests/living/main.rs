//! The living part of the data plane over real sockets: health, failover, deadlines, limits, answers given again.
//!
//! Named after what users of other gateways complain about.

#![expect(clippy::unwrap_used, reason = "tests stop at the first fault")]

mod again;
mod alerts;
mod cache;
mod crowd;
mod failover;
mod health;
mod limits;
mod support;
