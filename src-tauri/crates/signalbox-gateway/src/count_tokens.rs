//! `POST /v1/messages/count_tokens`: how much a request would read, counted here.
//!
//! No provider hears of it and nothing is charged, so there is no ledger entry. The vocabulary is `OpenAI`'s; for other
//! vendors, who publish none, the number is an estimate, the same that a request is estimated with.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use signalbox_core::ledger::Surface;
use signalbox_engine::dispatch::{Payload, Resolved, count_input};

use crate::body::{BODY_BYTES_MAX, discard, limit_of, read_object};
use crate::chat::{admit, named_model};
use crate::fault::Fault;
use crate::gateway::Shared;
use crate::labels;

/// Answers `{"input_tokens": n}`.
pub(crate) async fn count_tokens(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    match counted(&shared, request).await {
        Ok(tokens) => Json(json!({"input_tokens": tokens})).into_response(),
        Err(fault) => fault.for_surface(Surface::AnthropicMessages).into_response(),
    }
}

async fn counted(shared: &Shared, request: Request) -> Result<u64, Fault> {
    let live = shared.engine.live();
    let (parts, body) = request.into_parts();
    let key = match admit(shared, &live, &parts) {
        Ok(key) => key,
        Err(fault) => {
            discard(&shared.tasks, &parts.headers, body);
            return Err(fault);
        }
    };
    let body = read_object(&shared.tasks, &parts.headers, body, limit_of(key, BODY_BYTES_MAX)).await?;
    // Who may not use an operation may not probe it either.
    let operation = labels::text(&parts.headers, "x-signalbox-operation")?;
    Resolved::from_request(&live.snapshot, named_model(&body)?, operation, Some(key))?;
    let payload = Payload::Json(Arc::new(body));
    count_input(Surface::AnthropicMessages, &payload).map_err(|fault| Fault::invalid(fault.to_string()))
}
