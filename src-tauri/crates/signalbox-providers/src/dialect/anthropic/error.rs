//! Errors in Anthropic's form.

use bytes::Bytes;
use serde_json::json;

use crate::sse::write_event;

/// An error event inside a stream.
///
/// Source: "Error events" of the streaming page; `code` is ours and ignored by the official clients.
pub(crate) fn frame(code: &str, message: &str) -> Bytes {
    let event = json!({"type": "error", "error": {"type": "api_error", "message": message, "code": code}});
    let mut out = Vec::with_capacity(128);
    write_event(&mut out, Some("error"), &event.to_string());
    out.into()
}
