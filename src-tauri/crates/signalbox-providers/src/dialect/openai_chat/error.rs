//! Errors in `OpenAI`'s form.

use bytes::Bytes;
use serde_json::json;

use crate::sse::write_event;

/// An error event inside a stream.
///
/// Source: the official clients raise on any chunk that has `error`.
pub(crate) fn frame(code: &str, message: &str) -> Bytes {
    let event = json!({"error": {"message": message, "type": "server_error", "param": null, "code": code}});
    let mut out = Vec::with_capacity(128);
    write_event(&mut out, None, &event.to_string());
    out.into()
}
