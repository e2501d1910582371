//! The way of a call through the gateway: check, read, resolve, dispatch, answer; and the chat surfaces.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value};
use signalbox_core::entry::EntryPath;
use signalbox_core::key::ApiKey;
use signalbox_core::ledger::Surface;
use signalbox_engine::dispatch::{Answer, Call, Payload, RefusalCode, Resolved};
use signalbox_engine::live::Live;

use crate::body::{BODY_BYTES_MAX, discard, limit_of, read_object};
use crate::fault::Fault;
use crate::gateway::Shared;
use crate::{answer, credential, labels};

/// `POST /v1/chat/completions`.
pub(crate) async fn chat_completions(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    serve(&shared, Surface::OpenaiChat, request).await
}

/// `POST /v1/responses`.
pub(crate) async fn responses(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    serve(&shared, Surface::OpenaiResponses, request).await
}

/// `POST /v1/messages`.
pub(crate) async fn messages(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    serve(&shared, Surface::AnthropicMessages, request).await
}

/// Serves one of the surfaces that take JSON.
pub(crate) async fn serve(shared: &Shared, surface: Surface, request: Request) -> Response {
    match call(shared, surface, request).await {
        Ok(answer) => answer::respond(surface, answer),
        Err(fault) => {
            tracing::debug!(code = fault.code, surface = surface.as_str(), "refused");
            fault.for_surface(surface).into_response()
        }
    }
}

async fn call(shared: &Shared, surface: Surface, request: Request) -> Result<Answer, Fault> {
    let live = shared.engine.live();
    let (parts, body) = request.into_parts();
    let key = match admit(shared, &live, &parts) {
        Ok(key) => key,
        Err(fault) => {
            discard(&shared.tasks, &parts.headers, body);
            return Err(fault);
        }
    };
    let limit = limit_of(key, BODY_BYTES_MAX);
    let body = read_object(&shared.tasks, &parts.headers, body, limit).await?;
    let model = named_model(&body)?.to_owned();
    let call = understand(surface, &live, key, &parts.headers, &model, Payload::Json(Arc::new(body)))?;
    Ok(shared.engine.dispatch(live, call).await?)
}

/// What is checked before a byte of the body is read.
pub(crate) fn admit<'a>(shared: &Shared, live: &'a Live, parts: &Parts) -> Result<&'a ApiKey, Fault> {
    let key = authenticate(shared, live, &parts.headers)?;
    require_json(&parts.headers)?;
    Ok(key)
}

/// The key's owner.
pub(crate) fn authenticate<'a>(
    shared: &Shared,
    live: &'a Live,
    headers: &HeaderMap,
) -> Result<&'a ApiKey, Fault> {
    let presented = credential::presented(headers)?;
    shared.engine.authenticate(live, presented).map_err(|refusal| {
        let nothing_sent = presented.is_empty() && refusal.code == RefusalCode::InvalidKey;
        if nothing_sent { credential::missing() } else { refusal.into() }
    })
}

/// A form in a web page can send text and form data across sites, but not JSON.
fn require_json(headers: &HeaderMap) -> Result<(), Fault> {
    let mut types = headers.get_all(header::CONTENT_TYPE).iter();
    let is_json = match (types.next(), types.next()) {
        (Some(only), None) => only.to_str().is_ok_and(is_utf8_json),
        _ => false,
    };
    if !is_json {
        return Err(Fault::media_type("The request needs the header `Content-Type: application/json`."));
    }
    match headers.get(header::CONTENT_ENCODING) {
        Some(encoding) if encoding != "identity" => {
            Err(Fault::media_type("The request body must not be compressed."))
        }
        _ => Ok(()),
    }
}

fn is_utf8_json(content_type: &str) -> bool {
    let mut parts = content_type.split(';').map(str::trim);
    let is_json = parts.next().is_some_and(|essence| essence.eq_ignore_ascii_case("application/json"));
    let utf8 = |value: &str| {
        let value = value.trim_matches('"');
        value.eq_ignore_ascii_case("utf-8") || value.eq_ignore_ascii_case("utf8")
    };
    is_json
        && parts
            .filter_map(|part| part.split_once('='))
            .all(|(name, value)| !name.trim().eq_ignore_ascii_case("charset") || utf8(value.trim()))
}

/// What the client asks for.
pub(crate) fn understand(
    surface: Surface,
    live: &Live,
    key: &ApiKey,
    headers: &HeaderMap,
    model: &str,
    payload: Payload,
) -> Result<Call, Fault> {
    let operation = labels::text(headers, "x-signalbox-operation")?;
    let resolved = Resolved::from_request(&live.snapshot, model, operation, Some(key))?;
    Ok(Call {
        surface,
        requested_model: model.to_owned(),
        resolved,
        key: Some(key.id),
        user: labels::user(headers, &payload)?,
        tags: labels::tags(headers)?,
        deadline: labels::deadline(headers)?,
        idempotency_key: labels::idempotency_key(headers)?,
        no_cache: labels::no_cache(headers)?,
        via: EntryPath::Gateway,
        person: None,
        approval: labels::approval(headers)?,
        payload,
    })
}

/// What the client put in `model`.
pub(crate) fn named_model(body: &Map<String, Value>) -> Result<&str, Fault> {
    body.get("model").and_then(Value::as_str).ok_or_else(|| {
        Fault::invalid(
            "`model` is missing or not a string. Put an operation there, e.g. \"op:chat_message\"; GET /v1/models lists them.",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_json_in_utf8_is_taken() {
        for good in [
            "application/json",
            "Application/JSON; charset=UTF-8",
            "application/json;charset=\"utf-8\"",
            "application/json; v=1",
        ] {
            assert!(is_utf8_json(good), "{good}");
        }
        for bad in
            ["text/plain", "application/jsonp", "application/json+x", "", "application/json; charset=utf-16"]
        {
            assert!(!is_utf8_json(bad), "{bad}");
        }
    }

    #[test]
    fn a_missing_a_second_and_a_compressed_content_are_refused() {
        let mut headers = HeaderMap::new();
        assert!(require_json(&headers).is_err());
        headers.append(header::CONTENT_TYPE, "application/json".parse().unwrap());
        assert!(require_json(&headers).is_ok());
        headers.insert(header::CONTENT_ENCODING, "gzip".parse().unwrap());
        assert!(require_json(&headers).is_err());
        headers.remove(header::CONTENT_ENCODING);
        headers.append(header::CONTENT_TYPE, "text/plain".parse().unwrap());
        assert!(require_json(&headers).is_err());
    }
}
