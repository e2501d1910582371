//! `OpenAI`'s Responses wire. Its errors and its list of models are those of the `OpenAI` wire.

pub(crate) mod error;
pub(crate) mod reply;
pub(crate) mod request;
