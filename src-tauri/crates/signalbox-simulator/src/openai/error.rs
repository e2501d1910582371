//! Errors in `OpenAI`'s shape.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::dials::ErrorKind;

/// An error body.
///
/// Source: the error object of the published API reference.
pub(crate) fn body(message: &str, kind: &str, param: Option<&str>, code: Option<&str>) -> Value {
    json!({"error": {"message": message, "type": kind, "param": param, "code": code}})
}

/// A request the vendor would refuse.
pub(crate) fn invalid(message: &str, param: Option<&str>) -> (StatusCode, Value) {
    (StatusCode::BAD_REQUEST, body(message, "invalid_request_error", param, None))
}

/// A missing or unknown key.
pub(crate) fn unauthorized(present: bool) -> (StatusCode, Value) {
    let (message, code) = if present {
        ("Incorrect API key provided. The simulator accepts one key only.", Some("invalid_api_key"))
    } else {
        (
            "You didn't provide an API key. You need to provide your API key in an Authorization header using \
             Bearer auth (i.e. Authorization: Bearer YOUR_KEY).",
            None,
        )
    };
    (StatusCode::UNAUTHORIZED, body(message, "invalid_request_error", None, code))
}

/// The vendor's answer to a fault; none where the fault is no error answer.
pub(crate) fn of_fault(kind: ErrorKind, model: &str) -> Option<(StatusCode, Value)> {
    let invalid = "invalid_request_error";
    Some(match kind {
        ErrorKind::RateLimit => (
            StatusCode::TOO_MANY_REQUESTS,
            body(
                &format!(
                    "Rate limit reached for {model} on requests per min (RPM): Limit 3, Used 3, Requested 1."
                ),
                "requests",
                None,
                Some("rate_limit_exceeded"),
            ),
        ),
        ErrorKind::InsufficientQuota => (
            StatusCode::TOO_MANY_REQUESTS,
            body(
                "You exceeded your current quota, please check your plan and billing details.",
                "insufficient_quota",
                None,
                Some("insufficient_quota"),
            ),
        ),
        ErrorKind::Overloaded => (
            StatusCode::SERVICE_UNAVAILABLE,
            body("The engine is currently overloaded, please try again later.", "server_error", None, None),
        ),
        ErrorKind::ServerError => (
            StatusCode::INTERNAL_SERVER_ERROR,
            body("The server had an error while processing your request.", "server_error", None, None),
        ),
        ErrorKind::InvalidKey => unauthorized(true),
        ErrorKind::PermissionDenied => (
            StatusCode::FORBIDDEN,
            body("You are not allowed to use this model.", invalid, None, Some("permission_denied")),
        ),
        ErrorKind::ModelNotFound => (
            StatusCode::NOT_FOUND,
            body(
                &format!("The model `{model}` does not exist or you do not have access to it."),
                invalid,
                None,
                Some("model_not_found"),
            ),
        ),
        ErrorKind::BadRequest => {
            (StatusCode::BAD_REQUEST, body("Invalid value for 'messages'.", invalid, Some("messages"), None))
        }
        ErrorKind::ContextLength => (
            StatusCode::BAD_REQUEST,
            body(
                "This model's maximum context length is 128000 tokens. However, your messages resulted in 130000 \
                 tokens. Please reduce the length of the messages.",
                invalid,
                Some("messages"),
                Some("context_length_exceeded"),
            ),
        ),
        ErrorKind::ContentFilter => (
            StatusCode::BAD_REQUEST,
            body(
                "The response was filtered due to the prompt triggering the content management policy.",
                invalid,
                Some("prompt"),
                Some("content_filter"),
            ),
        ),
        ErrorKind::None
        | ErrorKind::BadGateway
        | ErrorKind::Timeout
        | ErrorKind::Refusal
        | ErrorKind::Malformed
        | ErrorKind::Empty
        | ErrorKind::Drop => return None,
    })
}
