//! The rehearsal provider: a real HTTP server speaking the vendors' wire formats, with dials for faults.
//!
//! It stands in for a vendor wherever no real one should be called: tests, drills, demos, the benchmark's peer. The
//! product reaches it through the same adapters, over the same sockets, as any vendor. What it answers, and what it
//! says it used, follows rules that can be computed by hand:
//!
//! - input tokens: one per whitespace-separated word of every text (system, messages, tool results),
//!   [`IMAGE_TOKENS`] per image, [`TOOL_DEFINITION_TOKENS`] per tool, [`TOOL_CALL_TOKENS`] per earlier tool call;
//! - the answer: `You said: <the last user message>`, `The tool answered: <the result>`, or a tool call when the
//!   client forces one or the message contains `use tool`;
//! - output tokens: one per word, [`TOOL_CALL_TOKENS`] per tool call;
//! - a stream sends one content event per word, or per eight characters of a tool call's arguments (on the Gemini wire
//!   per call, as its calls are whole).
//!
//! The counts are the same on every wire. Deliberately absent: randomness, a clock, state between requests.
//!
//! Paths: `POST /v1/chat/completions`, `POST /v1/responses`, `POST /v1/messages`, `POST /v1/messages/count_tokens`, `GET /v1/models`
//! (Anthropic's shape when the request carries `anthropic-version`); `POST /v1beta/models/{model}:generateContent`,
//! `:streamGenerateContent` and `:countTokens`, `GET /v1beta/models`; vectors, transcripts and speech on the paths of `OpenAI`,
//! Gemini, Deepgram, `ElevenLabs` and Edge (what they answer: the modules `embeddings` and `audio`); `POST /oauth/token`; `GET | PUT | PATCH /dials` and
//! `GET | DELETE /observed` for whoever conducts the rehearsal.

#![deny(missing_docs)]

mod answer;
mod anthropic;
mod audio;
mod connection;
mod control;
mod deepgram;
mod dials;
mod edge_tts;
mod elevenlabs;
mod embeddings;
mod faults;
mod gemini;
mod media;
mod media_paths;
mod multipart;
mod oauth;
mod openai;
mod prompt;
mod record;
mod responses;
mod schema;
mod script;
mod server;
mod usage;
mod vendor;

pub use dials::{
    COUNT_MAX, DIALS_HEADER, Dials, DialsHandle, ErrorKind, InvalidDials, OBSERVE_DEFAULT, OUTPUT_TOKENS_MAX,
    UsageOverride, UsagePlacement,
};
pub use prompt::{IMAGE_TOKENS, TOOL_CALL_TOKENS, TOOL_DEFINITION_TOKENS};
pub use record::{Observed, ObservedCredential, ObservedRequest};
pub use server::{RunningSimulator, Simulator};
