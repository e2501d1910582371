//! A token server: `POST /oauth/token` gives a bearer token for any client id and secret that are not empty (with the dial
//! `api_key`: for that secret alone).
//!
//! Tokens are `sim-token-1`, `sim-token-2`, and so on; every path that takes a bearer token takes them. They hold an hour, or as long as
//! a scope of `expires:<seconds>` says. Source: RFC 6749, sections 4.4 and 5.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::server::{BODY_MAX, Inner};

/// How long a token holds. Units: seconds.
const LIFETIME: u64 = 3600;

/// `POST /oauth/token`.
pub(crate) async fn token(State(server): State<Arc<Inner>>, request: Request) -> Response {
    let dials = server.dials.get();
    let (mut parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, BODY_MAX).await else {
        return refused(StatusCode::PAYLOAD_TOO_LARGE, "invalid_request", "The form is too large.");
    };
    let is_form = parts
        .headers
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"application/x-www-form-urlencoded"));
    let in_flight = server.recorder.begin(&mut parts, &body, dials.observe);
    let text = String::from_utf8_lossy(&body).into_owned();
    let field = |name: &str| {
        let pair = text.split('&').filter_map(|pair| pair.split_once('=')).find(|(key, _)| *key == name);
        pair.map(|(_, value)| value).filter(|value| !value.is_empty())
    };
    let response = match (field("grant_type"), field("client_id"), field("client_secret")) {
        _ if !is_form => refused(StatusCode::BAD_REQUEST, "invalid_request", "The request is no form."),
        (Some("client_credentials"), Some(_), Some(secret))
            if dials.api_key.as_deref().is_none_or(|key| key == secret) =>
        {
            let asked = field("scope").and_then(|scope| scope.strip_prefix("expires%3A"));
            let lifetime = asked.and_then(|seconds| seconds.parse().ok()).unwrap_or(LIFETIME);
            let token = format!("sim-token-{}", in_flight.seq);
            axum::Json(json!({"access_token": token, "token_type": "Bearer", "expires_in": lifetime}))
                .into_response()
        }
        (Some("client_credentials"), _, _) => refused(
            StatusCode::UNAUTHORIZED,
            "invalid_client",
            "AADSTS7000215: Invalid client secret provided.",
        ),
        _ => refused(StatusCode::BAD_REQUEST, "unsupported_grant_type", "The grant type is not supported."),
    };
    in_flight.finish();
    response
}

fn refused(status: StatusCode, error: &str, description: &str) -> Response {
    (status, axum::Json(json!({"error": error, "error_description": description}))).into_response()
}
