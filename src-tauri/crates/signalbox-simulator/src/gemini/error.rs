//! Errors in Google's shape.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::dials::ErrorKind;

/// An error body: a `google.rpc.Status`.
///
/// Source: the troubleshooting page of the API, and AIP-193.
pub(crate) fn body(code: StatusCode, status: &str, message: &str, details: &Value) -> Value {
    let mut error = json!({"code": code.as_u16(), "message": message, "status": status});
    if details.as_array().is_some_and(|details| !details.is_empty()) {
        error["details"] = details.clone();
    }
    json!({ "error": error })
}

fn plain(code: StatusCode, status: &str, message: &str) -> (StatusCode, Value) {
    (code, body(code, status, message, &json!([])))
}

/// A request the vendor would refuse.
pub(crate) fn invalid(message: &str) -> (StatusCode, Value) {
    let details = json!([{
        "@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": [{"description": message}],
    }]);
    let code = StatusCode::BAD_REQUEST;
    (code, body(code, "INVALID_ARGUMENT", message, &details))
}

/// A missing or unknown key.
pub(crate) fn unauthorized(present: bool) -> (StatusCode, Value) {
    if !present {
        return plain(
            StatusCode::FORBIDDEN,
            "PERMISSION_DENIED",
            "Method doesn't allow unregistered callers (callers without established identity). Please use API Key or \
             other form of API consumer identity to call this API.",
        );
    }
    let details = json!([{
        "@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID", "domain": "googleapis.com",
        "metadata": {"service": "generativelanguage.googleapis.com"},
    }]);
    let (code, message) = (StatusCode::BAD_REQUEST, "API key not valid. Please pass a valid API key.");
    (code, body(code, "INVALID_ARGUMENT", message, &details))
}

/// A path, method or model that is not there.
pub(crate) fn not_found(message: &str) -> (StatusCode, Value) {
    plain(StatusCode::NOT_FOUND, "NOT_FOUND", message)
}

/// A body beyond the limit.
pub(crate) fn too_large() -> (StatusCode, Value) {
    plain(
        StatusCode::PAYLOAD_TOO_LARGE,
        "INVALID_ARGUMENT",
        "Request payload size exceeds the limit: 20971520 bytes.",
    )
}

/// The vendor's answer to a fault; none where the fault is no error answer.
pub(crate) fn of_fault(kind: ErrorKind, model: &str) -> Option<(StatusCode, Value)> {
    Some(match kind {
        ErrorKind::RateLimit => rate_limit(model),
        ErrorKind::InsufficientQuota => plain(
            StatusCode::TOO_MANY_REQUESTS,
            "RESOURCE_EXHAUSTED",
            "Your prepayment credits are depleted. Please go to AI Studio at https://ai.studio/projects to manage your \
             project and billing.",
        ),
        ErrorKind::Overloaded => plain(
            StatusCode::SERVICE_UNAVAILABLE,
            "UNAVAILABLE",
            "The model is overloaded. Please try again later.",
        ),
        ErrorKind::ServerError => plain(
            StatusCode::INTERNAL_SERVER_ERROR,
            "INTERNAL",
            "An internal error has occurred. Please retry or report in \
             https://developers.generativeai.google/guide/troubleshooting",
        ),
        ErrorKind::InvalidKey => unauthorized(true),
        ErrorKind::PermissionDenied => plain(
            StatusCode::FORBIDDEN,
            "PERMISSION_DENIED",
            "Generative Language API has not been used in this project before or it is disabled.",
        ),
        ErrorKind::ModelNotFound => not_found(&format!(
            "models/{model} is not found for API version v1beta, or is not supported for generateContent. Call \
             ListModels to see the list of available models and their supported methods."
        )),
        ErrorKind::BadRequest => invalid("Request contains an invalid argument."),
        ErrorKind::ContextLength => {
            invalid("The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).")
        }
        // The vendor answers a refused prompt with its feedback and a good status.
        ErrorKind::ContentFilter
        | ErrorKind::None
        | ErrorKind::BadGateway
        | ErrorKind::Timeout
        | ErrorKind::Refusal
        | ErrorKind::Malformed
        | ErrorKind::Empty
        | ErrorKind::Drop => return None,
    })
}

fn rate_limit(model: &str) -> (StatusCode, Value) {
    let metric = "generativelanguage.googleapis.com/generate_content_paid_tier_requests";
    let details = json!([
        {
            "@type": "type.googleapis.com/google.rpc.QuotaFailure",
            "violations": [{
                "quotaMetric": metric, "quotaId": "GenerateRequestsPerMinutePerProjectPerModel",
                "quotaDimensions": {"location": "global", "model": model}, "quotaValue": "3",
            }],
        },
        {
            "@type": "type.googleapis.com/google.rpc.Help",
            "links": [{
                "description": "Learn more about Gemini API quotas",
                "url": "https://ai.google.dev/gemini-api/docs/rate-limits",
            }],
        },
    ]);
    let code = StatusCode::TOO_MANY_REQUESTS;
    let message = "You exceeded your current quota, please check your plan and billing details.";
    (code, body(code, "RESOURCE_EXHAUSTED", message, &details))
}

/// Adds how long to wait where Google says it: inside the body of a rate limit. False when `body` is none of Google's.
pub(crate) fn add_wait(body: &mut Value, seconds: Option<u64>) -> bool {
    if body.pointer("/error/status").and_then(Value::as_str) != Some("RESOURCE_EXHAUSTED") {
        return false;
    }
    if let (Some(Value::Array(details)), Some(seconds)) = (body.pointer_mut("/error/details"), seconds) {
        details.push(json!({
            "@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": format!("{seconds}s"),
        }));
    }
    true
}
