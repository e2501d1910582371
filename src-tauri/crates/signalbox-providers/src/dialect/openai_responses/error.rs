//! Errors in the form of the Responses API.

use bytes::Bytes;
use serde_json::json;

use crate::sse::write_event;

/// An error event inside a stream.
///
/// Source: the API sends the error nested, its published schema has it flat, and each official client raises on one of
/// the two; both are there. What went before is not known here, so the sequence number is the smallest.
pub(crate) fn frame(code: &str, message: &str) -> Bytes {
    let event = json!({
        "type": "error",
        "code": code,
        "message": message,
        "param": null,
        "sequence_number": 0,
        "error": {"type": "server_error", "code": code, "message": message, "param": null},
    });
    let mut out = Vec::with_capacity(256);
    write_event(&mut out, Some("error"), &event.to_string());
    out.into()
}
