//! The Gemini wire: `generateContent`, streamed and not, token counts and the list of models.

mod contents;
pub(crate) mod error;
pub(crate) mod reply;
pub(crate) mod request;
pub(crate) mod target;
