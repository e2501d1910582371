//! The Anthropic wire: messages, token counts and the list of models.

pub(crate) mod error;
pub(crate) mod reply;
pub(crate) mod request;
