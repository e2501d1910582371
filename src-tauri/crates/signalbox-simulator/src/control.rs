//! The conductor's paths: turning the dials and reading the record over HTTP.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::json;

use crate::dials::{Dials, InvalidDials};
use crate::record::Observed;
use crate::server::Inner;

/// How many recorded requests are shown.
#[derive(Debug, Deserialize)]
pub(crate) struct Shown {
    limit: Option<usize>,
}

/// `GET /dials`.
pub(crate) async fn get_dials(State(server): State<Arc<Inner>>) -> Json<Dials> {
    Json(shown(&server.dials.get()))
}

/// `PUT /dials`: what is not named goes back to its default.
pub(crate) async fn put_dials(State(server): State<Arc<Inner>>, body: Bytes) -> Response {
    turn(&server, Dials::parse(&body))
}

/// `PATCH /dials`: what is not named stays.
pub(crate) async fn patch_dials(State(server): State<Arc<Inner>>, body: Bytes) -> Response {
    turn(&server, server.dials.get().overlaid(&body))
}

/// `GET /observed?limit=N`.
pub(crate) async fn get_observed(
    State(server): State<Arc<Inner>>,
    Query(query): Query<Shown>,
) -> Json<Observed> {
    Json(server.recorder.observed(query.limit.unwrap_or(usize::MAX)))
}

/// `DELETE /observed`.
pub(crate) async fn delete_observed(State(server): State<Arc<Inner>>) -> StatusCode {
    server.recorder.clear();
    StatusCode::NO_CONTENT
}

fn turn(server: &Inner, dials: Result<Dials, InvalidDials>) -> Response {
    match dials {
        Ok(dials) => {
            let now = Json(shown(&dials));
            server.dials.set(dials);
            now.into_response()
        }
        Err(invalid) => {
            let source = std::error::Error::source(&invalid).map(ToString::to_string);
            let body = json!({"error": {"message": invalid.to_string(), "detail": source}});
            (StatusCode::BAD_REQUEST, Json(body)).into_response()
        }
    }
}

/// The dials without the accepted key.
fn shown(dials: &Dials) -> Dials {
    Dials { api_key: None, ..dials.clone() }
}
