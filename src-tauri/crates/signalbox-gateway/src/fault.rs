//! What a client is told when there is no answer, in the shape of the API it speaks.

use std::time::Duration;

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use signalbox_core::budget::Measure;
use signalbox_core::ids::RequestId;
use signalbox_core::ledger::{Surface, WireFamily};
use signalbox_core::money::NanoUsd;
use signalbox_engine::dispatch::{Refusal, RefusalCode, RefusalDetails, Ticket};

use crate::answer::{ATTEMPTS, REQUEST_ID, put, sdk_request_id};
use crate::approvals;

/// When to come back while the instance restarts or its disk is full. Units: seconds.
const COME_BACK_S: u64 = 2;

/// The official clients try a 503 again unless this header says no. Source: their `_should_retry`.
const SHOULD_RETRY: &str = "x-should-retry";

/// A request that gets no answer, before it is put into an API's shape.
#[derive(Debug)]
pub(crate) struct Fault {
    pub status: StatusCode,
    pub code: &'static str,
    pub message: String,
    retry_after: Option<Duration>,
    request: Option<RequestId>,
    attempts: u32,
    approval: Option<Ticket>,
    /// What a program may look at besides.
    details: Option<Box<Value>>,
    /// Whether the connection cannot go on after it.
    closes: bool,
}

/// A fault in the shape of one API.
#[derive(Debug)]
pub(crate) struct Shaped {
    fault: Fault,
    surface: Surface,
}

impl Fault {
    fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        let message = message.into();
        Self {
            status,
            code,
            message,
            retry_after: None,
            request: None,
            attempts: 0,
            approval: None,
            details: None,
            closes: false,
        }
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, RefusalCode::InvalidRequest.as_str(), message)
    }

    pub(crate) fn invalid_key(message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, RefusalCode::InvalidKey.as_str(), message)
    }

    pub(crate) fn host(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "host_not_allowed", message)
    }

    pub(crate) fn origin(message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "origin_not_allowed", message)
    }

    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", message)
    }

    pub(crate) fn wrong_method(message: impl Into<String>) -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", message)
    }

    pub(crate) fn media_type(message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", message)
    }

    pub(crate) fn body_too_large(message: impl Into<String>) -> Self {
        Self { closes: true, ..Self::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", message) }
    }

    pub(crate) fn body_too_slow(message: impl Into<String>) -> Self {
        Self { closes: true, ..Self::new(StatusCode::REQUEST_TIMEOUT, "request_timeout", message) }
    }

    pub(crate) fn headers_too_large(message: impl Into<String>) -> Self {
        let status = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
        Self { closes: true, ..Self::new(status, "headers_too_large", message) }
    }

    pub(crate) fn internal() -> Self {
        let message = "Signalbox failed while handling the request. The log has the cause.";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, RefusalCode::Internal.as_str(), message)
    }

    pub(crate) fn for_surface(self, surface: Surface) -> Shaped {
        Shaped { fault: self, surface }
    }
}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Self {
        let waiting_helps =
            matches!(refusal.code, RefusalCode::ShuttingDown | RefusalCode::LedgerUnavailable);
        let come_back = waiting_helps.then_some(Duration::from_secs(COME_BACK_S));
        Self {
            status: StatusCode::from_u16(refusal.code.http_status())
                .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            code: refusal.code.as_str(),
            message: refusal.message,
            retry_after: refusal.retry_after.or(come_back),
            request: refusal.request,
            attempts: refusal.attempts,
            approval: refusal.approval,
            details: refusal.details.map(|details| Box::new(details_of(&details))),
            closes: false,
        }
    }
}

impl Shaped {
    fn body(&self) -> Value {
        let Fault { status, code, message, request, approval, details, .. } = &self.fault;
        let mut body = match self.surface.family() {
            WireFamily::Openai => json!({
                "error": {"message": message, "type": openai_type(*status), "param": null, "code": code},
            }),
            WireFamily::Anthropic => json!({
                "type": "error",
                "error": {"type": anthropic_type(*status), "message": message, "code": code},
                "request_id": request.map(|id| id.to_string()),
            }),
        };
        if let Some(ticket) = approval {
            body["error"]["approval"] = approvals::shown(ticket, None);
        }
        if let Some(details) = details {
            body["error"]["details"] = Value::clone(details);
        }
        body
    }
}

impl IntoResponse for Shaped {
    fn into_response(self) -> Response {
        let body = self.body().to_string();
        let fault = self.fault;
        let mut response = (fault.status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        if fault.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if fault.closes {
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        if let Some(wait) = fault.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(whole_seconds(wait)));
        }
        if let Some(ticket) = fault.approval {
            put(headers, approvals::HEADER, &ticket.id.to_string());
        }
        if fault.code == RefusalCode::KillSwitch.as_str() {
            headers.insert(HeaderName::from_static(SHOULD_RETRY), HeaderValue::from_static("false"));
        }
        if let Some(request) = fault.request {
            let id = request.to_string();
            put(headers, sdk_request_id(self.surface), &id);
            put(headers, REQUEST_ID, &id);
            headers.insert(HeaderName::from_static(ATTEMPTS), HeaderValue::from(fault.attempts));
        }
        response
    }
}

/// The budget that refused, as a program reads it. Money is decimal dollars.
fn details_of(details: &RefusalDetails) -> Value {
    let RefusalDetails::Budget(shortfall) = details;
    let amount = |amount: i64| match shortfall.measure {
        Measure::Cost => json!(NanoUsd::from_nanos(amount).to_string()),
        Measure::Tokens | Measure::Requests => json!(amount),
    };
    json!({
        "budget_id": shortfall.purse.budget.to_string(),
        "budget": shortfall.name,
        "scope": shortfall.scope.to_string(),
        "measure": match shortfall.measure {
            Measure::Cost => "usd",
            Measure::Tokens => "tokens",
            Measure::Requests => "requests",
        },
        "limit": amount(shortfall.limit),
        "left": amount(shortfall.left()),
        "needed": amount(shortfall.needed),
        "resets_at": shortfall.resets_at.map(|at| at.to_string()),
    })
}

/// Rounded up: a client that comes back a moment early only hears the same again.
fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

/// Source: <https://platform.openai.com/docs/guides/error-codes>.
fn openai_type(status: StatusCode) -> &'static str {
    match status.as_u16() {
        401 => "authentication_error",
        402 => "insufficient_quota",
        403 => "permission_error",
        429 => "rate_limit_error",
        500.. => "server_error",
        _ => "invalid_request_error",
    }
}

/// Source: <https://docs.claude.com/en/api/errors>.
fn anthropic_type(status: StatusCode) -> &'static str {
    match status.as_u16() {
        401 => "authentication_error",
        402 => "billing_error",
        403 => "permission_error",
        404 => "not_found_error",
        413 => "request_too_large",
        429 => "rate_limit_error",
        503 => "overloaded_error",
        504 => "timeout_error",
        500.. => "api_error",
        _ => "invalid_request_error",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal() -> Refusal {
        Refusal {
            retry_after: Some(Duration::from_millis(1_001)),
            request: Some(RequestId::generate()),
            attempts: 2,
            ..Refusal::new(RefusalCode::RateLimited, "Wait.")
        }
    }

    #[test]
    fn each_surface_gets_its_own_shape_with_our_code() {
        let openai = Fault::from(refusal()).for_surface(Surface::OpenaiChat).body();
        let expected = json!({"error": {"message": "Wait.", "type": "rate_limit_error", "param": null, "code": "rate_limited"}});
        assert_eq!(openai, expected);
        let refusal = refusal();
        let id = refusal.request.unwrap().to_string();
        let anthropic = Fault::from(refusal).for_surface(Surface::AnthropicMessages).body();
        let error = json!({"type": "rate_limit_error", "message": "Wait.", "code": "rate_limited"});
        assert_eq!(anthropic, json!({"type": "error", "error": error, "request_id": id}));
    }

    #[test]
    fn the_headers_say_when_to_come_back_and_which_ledger_entry_it_is() {
        let refusal = refusal();
        let id = refusal.request.unwrap().to_string();
        let response = Fault::from(refusal).for_surface(Surface::OpenaiChat).into_response();
        assert_eq!(response.status(), 429);
        let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
        assert_eq!((header("retry-after"), header("x-signalbox-request-id")), ("2".to_owned(), id.clone()));
        assert_eq!((header("x-signalbox-attempts"), header("x-request-id")), ("2".to_owned(), id));
    }

    #[test]
    fn a_client_is_told_not_to_try_again_while_traffic_is_stopped() {
        for surface in [Surface::OpenaiChat, Surface::AnthropicMessages] {
            let fault = Fault::from(Refusal::new(RefusalCode::KillSwitch, "All AI traffic is stopped."));
            let response = fault.for_surface(surface).into_response();
            assert_eq!(
                (response.status().as_u16(), response.headers().contains_key("retry-after")),
                (503, false)
            );
            assert_eq!(response.headers()["x-should-retry"], "false");
        }
    }

    #[test]
    fn a_restart_asks_the_client_to_come_back() {
        let fault = Fault::from(Refusal::new(RefusalCode::ShuttingDown, "Going."));
        let response = fault.for_surface(Surface::AnthropicMessages).into_response();
        assert_eq!((response.status().as_u16(), response.headers().contains_key("retry-after")), (503, true));
    }
}
