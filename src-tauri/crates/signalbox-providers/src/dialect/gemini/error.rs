//! What goes wrong in Google's words.

use serde_json::Value;
use signalbox_core::failure::FailureKind;

use crate::call::CallError;
use crate::failure::{ErrorBody, failed};

/// The error that stands where a chunk should be: a `google.rpc.Status`, alone or in a list of one.
pub(super) fn of_chunk(chunk: &Value) -> Option<CallError> {
    let body = match chunk {
        Value::Array(list) => list.first()?,
        other => other,
    };
    let said = body.get("error").is_some_and(|error| !error.is_null());
    said.then(|| ErrorBody::of_json(body).into_error(None, None, None))
}

/// What happened when the model stopped for `word`, if that is no end of an answer: what the client is owed, such as the
/// call of its tool, is not there.
///
/// Source: `FinishReason` of the API reference.
pub(super) fn broken_off(word: &str, message: Option<&str>) -> Option<String> {
    let what = match word {
        "MALFORMED_FUNCTION_CALL" => "the model wrote a call that cannot be read",
        "UNEXPECTED_TOOL_CALL" => "the model called a tool it was not given",
        "TOO_MANY_TOOL_CALLS" => "the model called too many tools in a row",
        "MALFORMED_RESPONSE" => "the model wrote an answer that cannot be read",
        "MISSING_THOUGHT_SIGNATURE" => "the conversation lacks a signature of the model's thoughts",
        _ => return None,
    };
    Some(match message.filter(|message| !message.is_empty()) {
        Some(message) => format!("{what} ({word}): {message}"),
        None => format!("{what} ({word})"),
    })
}

/// The same as a failure.
pub(super) fn broken(message: &str) -> CallError {
    failed(FailureKind::BadResponse, None, crate::failure::tidy(message, None))
}
