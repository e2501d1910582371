//! The gateway over real sockets, in front of a real engine with a real store.

#![expect(clippy::unwrap_used, reason = "a test that cannot arrange or read has failed")]

mod bad_input;
mod doors;
mod lifecycle;
mod media;
mod raw;
mod responses;
mod surfaces;
