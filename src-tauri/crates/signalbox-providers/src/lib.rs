//! Provider adapters: wire dialects, streaming, usage normalised at the edge.
//!
//! A call goes from the client's dialect (its surface) to the provider's. Where both are the same, the client's JSON and
//! the provider's bytes pass through untouched, so that neither side loses what we do not know. Where they differ, each
//! dialect converts to and from one neutral form, so that a new surface or a new provider is one conversion, not many.
//! Whatever the way, what was used is read by the same code for streamed and complete answers.
//!
//! What is no chat (vectors, transcripts, speech) has one surface, `OpenAI`'s, and an adapter per vendor translates to it. A
//! [`Registry`] holds the adapters by the kind of provider they speak to; [`Providers`] is their one face.
//!
//! Deliberately absent: budgets, routing, retries, and SQL. An adapter makes one call and says how it went.

#![deny(missing_docs)]
#![expect(
    clippy::result_large_err,
    reason = "failed calls are rare and their error is moved once or twice; a box would stand in every signature"
)]

mod adapter;
mod auth;
mod builtin;
mod call;
mod chat;
mod chat_adapter;
mod client;
mod dialect;
mod failure;
mod headroom;
mod http;
mod inspect;
mod media;
mod registry;
mod request;
mod sse;
mod stream;
mod tally;
mod tokens;

pub use adapter::{Adapter, ChatAdapter, EmbeddingAdapter, ModelLister, SpeechAdapter, TranscriptionAdapter};
pub use call::{Account, AudioUpload, Call, CallAnswer, CallError, Metering, Payload, StreamItem, Timeouts};
pub use client::Providers;
pub use headroom::Headroom;
pub use http::ProvidersError;
pub use inspect::{InvalidRequest, RequestFeatures, count_input, input_at_most, inspect};
pub use registry::{Registry, RegistryError};
pub use stream::{ChatStream, stream_error_frame};
pub use tokens::warm;
