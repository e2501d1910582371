//! Answers on their way out: the provider's bytes, with what Signalbox knows about them in headers.

use std::convert::Infallible;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::Response;
use futures::StreamExt;
use signalbox_core::ledger::{Surface, WireFamily};
use signalbox_engine::dispatch::{Answer, AnswerMeta};
use tokio_stream::wrappers::ReceiverStream;

pub(crate) const REQUEST_ID: &str = "x-signalbox-request-id";
pub(crate) const ATTEMPTS: &str = "x-signalbox-attempts";
const OPERATION: &str = "x-signalbox-operation";
const PROVIDER: &str = "x-signalbox-provider";
const MODEL: &str = "x-signalbox-model";
const COST: &str = "x-signalbox-cost-usd";
const CACHE: &str = "x-signalbox-cache";
const REPLAYED: &str = "x-signalbox-replayed";
const SIMULATED: &str = "x-signalbox-simulated";

/// The answer as HTTP.
pub(crate) fn respond(surface: Surface, answer: Answer) -> Response {
    match answer {
        Answer::Complete { meta, content_type, body } => {
            let mut response = Response::new(Body::from(body));
            let headers = response.headers_mut();
            put_type(headers, &content_type);
            describe(headers, surface, &meta);
            response
        }
        Answer::Stream { meta, frames } => {
            let frames = ReceiverStream::new(frames).map(Ok::<_, Infallible>);
            let mut response = Response::new(Body::from_stream(frames));
            let headers = response.headers_mut();
            headers
                .insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream; charset=utf-8"));
            headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
            headers.insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
            describe(headers, surface, &meta);
            response
        }
    }
}

fn describe(headers: &mut HeaderMap, surface: Surface, meta: &AnswerMeta) {
    let id = meta.request.to_string();
    put(headers, sdk_request_id(surface), &id);
    put(headers, REQUEST_ID, &id);
    put(headers, OPERATION, meta.operation.as_str());
    put(headers, PROVIDER, meta.target.provider.as_str());
    put(headers, MODEL, meta.target.model.as_str());
    headers.insert(HeaderName::from_static(ATTEMPTS), HeaderValue::from(meta.attempts));
    if let Some(cost) = meta.cost {
        put(headers, COST, &cost.to_string());
    }
    put(headers, CACHE, meta.cache.as_str());
    if meta.replayed {
        headers.insert(HeaderName::from_static(REPLAYED), HeaderValue::from_static("true"));
    }
    if meta.simulated {
        headers.insert(HeaderName::from_static(SIMULATED), HeaderValue::from_static("true"));
    }
}

/// Where the vendor's own client libraries look for the request's id.
pub(crate) const fn sdk_request_id(surface: Surface) -> &'static str {
    match surface.family() {
        WireFamily::Openai => "x-request-id",
        WireFamily::Anthropic => "request-id",
    }
}

/// A provider's media type is only passed on when it is one.
fn put_type(headers: &mut HeaderMap, content_type: &str) {
    let value = HeaderValue::from_str(content_type);
    headers
        .insert(header::CONTENT_TYPE, value.unwrap_or(HeaderValue::from_static("application/octet-stream")));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
}

/// Names and ids are visible ASCII by their own rules, so nothing is ever left out.
pub(crate) fn put(headers: &mut HeaderMap, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(HeaderName::from_static(name), value);
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use signalbox_core::ids::{OperationId, RequestId};
    use signalbox_core::money::NanoUsd;
    use signalbox_engine::dispatch::CacheUse;

    use super::*;

    fn meta(cost: Option<i64>) -> AnswerMeta {
        AnswerMeta {
            request: RequestId::generate(),
            operation: OperationId::new("chat_message").unwrap(),
            target: "openrouter/openai/gpt-oss-120b".parse().unwrap(),
            attempts: 2,
            cost: cost.map(NanoUsd::from_nanos),
            simulated: false,
            cache: CacheUse::Off,
            replayed: false,
        }
    }

    #[test]
    fn a_complete_answer_tells_its_cost_in_decimal_dollars() {
        let (content_type, body) = ("application/json".into(), Bytes::from_static(b"{}"));
        let answer = Answer::Complete { meta: meta(Some(333_000)), content_type, body };
        let response = respond(Surface::OpenaiChat, answer);
        let header = |name: &str| response.headers()[name].to_str().unwrap();
        assert_eq!(header("x-signalbox-cost-usd"), "0.000333");
        assert_eq!(
            (header("x-signalbox-provider"), header("x-signalbox-model")),
            ("openrouter", "openai/gpt-oss-120b")
        );
        assert_eq!((header("x-signalbox-operation"), header("x-signalbox-attempts")), ("chat_message", "2"));
        assert_eq!(header("x-request-id"), header("x-signalbox-request-id"));
    }

    #[test]
    fn an_unpriced_answer_claims_no_cost_and_a_stream_is_not_buffered_on_its_way() {
        let (_, frames) = tokio::sync::mpsc::channel(1);
        let response = respond(Surface::AnthropicMessages, Answer::Stream { meta: meta(None), frames });
        let headers = response.headers();
        assert!(!headers.contains_key("x-signalbox-cost-usd"));
        assert_eq!(headers["x-accel-buffering"], "no");
        assert_eq!(headers["cache-control"], "no-cache");
        assert_eq!(headers["content-type"], "text/event-stream; charset=utf-8");
        assert!(headers.contains_key("request-id"));
    }
}
