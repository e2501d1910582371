//! Errors inside a stream of the Responses wire.

use serde_json::{Value, json};

/// The `error` event that says what `body`, an error of the `OpenAI` wire, says.
///
/// Source: the API nests the error, which its published schema shows flat.
pub(crate) fn event(body: &Value) -> Value {
    json!({"type": "error", "error": body["error"], "sequence_number": 2})
}
