//! Whether the process lives and whether it can serve: the two paths without a key.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::gateway::Shared;

/// How long the database may take to answer before it counts as not there.
const DATABASE_ANSWER_MAX: Duration = Duration::from_secs(1);

/// `GET /livez`: the process answers.
pub(crate) async fn livez() -> Response {
    Json(json!({"status": "alive"})).into_response()
}

/// `GET /readyz`: whether a call would be served now, and if not, why.
pub(crate) async fn readyz(State(shared): State<Arc<Shared>>) -> Response {
    let live = shared.engine.live();
    let mut reasons = Vec::new();
    if shared.stop.is_cancelled() || shared.engine.is_shutting_down() {
        reasons.push(json!({"code": "shutting_down", "message": "Signalbox is shutting down."}));
    } else if !database_answers(&shared).await {
        reasons.push(json!({"code": "database", "message": "The database does not answer."}));
    }
    if let Some(stop) = shared.engine.kill_switch.stop() {
        reasons.push(json!({"code": "kill_switch", "message": format!("{}.", stop.in_words())}));
    }
    if let Some(sealed) = &live.sealed {
        reasons.push(json!({"code": "sealed", "message": sealed}));
    }
    let (status, word) = if reasons.is_empty() {
        (StatusCode::OK, "ready")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "not_ready")
    };
    let body = json!({
        "status": word,
        "reasons": reasons,
        "in_flight": shared.engine.in_flight(),
        "config_revision": live.snapshot.revision,
        "version": env!("CARGO_PKG_VERSION"),
    });
    (status, Json(body)).into_response()
}

async fn database_answers(shared: &Shared) -> bool {
    let asked = shared.engine.control.store.revision();
    matches!(tokio::time::timeout(DATABASE_ANSWER_MAX, asked).await, Ok(Ok(_)))
}
