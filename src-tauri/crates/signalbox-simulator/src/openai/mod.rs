//! The `OpenAI` wire: chat completions and the list of models.

pub(crate) mod error;
pub(crate) mod reply;
pub(crate) mod request;
