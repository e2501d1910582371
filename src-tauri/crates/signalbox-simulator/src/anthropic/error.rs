//! Errors in Anthropic's shape.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::dials::ErrorKind;

/// The vendor's status for *overloaded*, which has no name in HTTP.
const OVERLOADED: u16 = 529;

/// An error body.
///
/// Source: the error object of the published API reference.
pub(crate) fn body(kind: &str, message: &str) -> Value {
    json!({"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_sim"})
}

/// A request the vendor would refuse.
pub(crate) fn invalid(message: &str) -> (StatusCode, Value) {
    (StatusCode::BAD_REQUEST, body("invalid_request_error", message))
}

/// A missing or unknown key.
pub(crate) fn unauthorized(present: bool) -> (StatusCode, Value) {
    let message = if present { "invalid x-api-key" } else { "x-api-key header is required" };
    (StatusCode::UNAUTHORIZED, body("authentication_error", message))
}

/// The vendor's answer to a fault; none where the fault is no error answer.
pub(crate) fn of_fault(kind: ErrorKind, model: &str) -> Option<(StatusCode, Value)> {
    Some(match kind {
        ErrorKind::RateLimit => (
            StatusCode::TOO_MANY_REQUESTS,
            body("rate_limit_error", "This request would exceed your organization's rate limit."),
        ),
        ErrorKind::InsufficientQuota => (
            StatusCode::PAYMENT_REQUIRED,
            body("billing_error", "Your credit balance is too low to access the Anthropic API."),
        ),
        ErrorKind::Overloaded => (
            StatusCode::from_u16(OVERLOADED).unwrap_or(StatusCode::SERVICE_UNAVAILABLE),
            body("overloaded_error", "Overloaded"),
        ),
        ErrorKind::ServerError => {
            (StatusCode::INTERNAL_SERVER_ERROR, body("api_error", "Internal server error"))
        }
        ErrorKind::InvalidKey => unauthorized(true),
        ErrorKind::PermissionDenied => (
            StatusCode::FORBIDDEN,
            body("permission_error", "Your API key does not have permission to use the specified resource."),
        ),
        ErrorKind::ModelNotFound => {
            (StatusCode::NOT_FOUND, body("not_found_error", &format!("model: {model}")))
        }
        ErrorKind::BadRequest => invalid("messages: Input should be a valid list"),
        ErrorKind::ContextLength => invalid("prompt is too long: 210000 tokens > 200000 maximum"),
        ErrorKind::ContentFilter => invalid("Output blocked by content filtering policy"),
        ErrorKind::None
        | ErrorKind::BadGateway
        | ErrorKind::Timeout
        | ErrorKind::Refusal
        | ErrorKind::Malformed
        | ErrorKind::Empty
        | ErrorKind::Drop => return None,
    })
}
