//! `GET /v1/approvals/{id}`: how a request that waits for a person stands, for the key that asked and no other.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use signalbox_core::approval::ApprovalState;
use signalbox_core::ids::ApprovalId;
use signalbox_core::ledger::Surface;
use signalbox_engine::dispatch::Ticket;

use crate::chat::authenticate;
use crate::fault::Fault;
use crate::gateway::Shared;

/// Names the approval: on a refusal for the client, on the request sent again for us.
pub(crate) const HEADER: &str = "x-signalbox-approval";

pub(crate) async fn approval(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    match state_of(&shared, &id, &headers).await {
        Ok(body) => Json(body).into_response(),
        Err(fault) => fault.for_surface(Surface::OpenaiChat).into_response(),
    }
}

async fn state_of(shared: &Shared, id: &str, headers: &HeaderMap) -> Result<Value, Fault> {
    let engine = &shared.engine;
    let live = engine.live();
    let key = authenticate(shared, &live, headers)?;
    let missing = || {
        let shown: String = id.chars().take(80).collect();
        Fault::not_found(format!("There is no approval `{shown}` for this API key."))
    };
    let id: ApprovalId = id.parse().map_err(|_| missing())?;
    let found = engine.approval_of_key(key.id, id).await.map_err(|error| {
        tracing::error!(%error, "an approval cannot be read");
        Fault::internal()
    })?;
    let approval = found.ok_or_else(missing)?;
    let state = approval.public_state_at(engine.control.now());
    let reason = approval.ruling.and_then(|ruling| ruling.reason);
    let ticket = Ticket { id, state, expires_at: approval.expires_at };
    Ok(shown(&ticket, reason.filter(|_| state == ApprovalState::Rejected).as_deref()))
}

/// A place in the queue, as a client reads it.
pub(crate) fn shown(ticket: &Ticket, reason: Option<&str>) -> Value {
    let Ticket { id, state, expires_at } = ticket;
    let mut shown = json!({
        "id": id.to_string(),
        "object": "approval",
        "state": state.as_str(),
        "url": format!("/v1/approvals/{id}"),
        "expires_at": expires_at.to_string(),
    });
    if let Some(reason) = reason {
        shown["reason"] = json!(reason);
    }
    shown
}
