//! Chats, in whatever dialect the provider speaks.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use reqwest::Method;
use reqwest::header::HeaderMap;
use secrecy::SecretString;
use serde_json::Value;
use signalbox_core::failure::FailureKind;

use crate::adapter::{ChatAdapter, ModelLister};
use crate::call::{Account, Call, CallAnswer, CallError, ChatCall};
use crate::chat::{ChatEvent, ChatResponse, Part};
use crate::dialect::{Decoder, Dialect, Encoder, anthropic, openai_chat, openai_responses};
use crate::failure::{ErrorBody, failed, tidy};
use crate::headroom::Headroom;
use crate::http::{Answered, Body, Broken, Http, Outgoing, answered_at, is_page, media_type};
use crate::request::{self, wants_stream_usage, wants_thinking};
use crate::sse::Events;
use crate::stream::{ChatStream, Source, Writer};
use crate::tally::Tally;

/// How long the list of models may take.
const LIST_WAIT: Duration = Duration::from_secs(15);

/// Holds chats with every provider that speaks one of the dialects.
#[derive(Debug, Clone)]
pub(crate) struct Chats {
    http: Http,
}

impl Chats {
    /// Over this client.
    pub fn new(http: &Http) -> Self {
        Self { http: http.clone() }
    }

    async fn send(
        &self,
        dialect: Dialect,
        account: &Account,
        call: &ChatCall,
        body: Vec<u8>,
        stream: bool,
    ) -> Result<Answered, CallError> {
        let outgoing = Outgoing {
            method: Method::POST,
            url: request::chat_url(dialect, &account.base_url, &call.model, stream),
            headers: request::headers(dialect, stream),
            body: Body::Bytes(body.into()),
            scheme: request::scheme(dialect),
            wait: call.timeouts.first_byte,
        };
        self.http.send(account, outgoing).await
    }
}

#[async_trait]
impl ChatAdapter for Chats {
    async fn complete(&self, account: &Account, call: &Call) -> Result<CallAnswer, CallError> {
        let call = &chat_of(account, call)?;
        let dialect = dialect_for(account, call)?;
        let body = request::body(dialect, call, false)?;
        let answered = self.send(dialect, account, call, body, false).await?;
        let head = Head::new(dialect, account, &answered);
        let mut tally = Tally::new(call.surface, dialect, Arc::clone(&call.body));
        let bytes = match answered.read(call.timeouts.idle).await {
            Ok(bytes) => bytes,
            Err(broken) => {
                tally.unread(&String::from_utf8_lossy(&broken.read));
                return Err(CallError { metering: Some(tally.metering()), ..head.broken(&broken) });
            }
        };
        let (body, response) = head
            .understood(&bytes)
            .map_err(|error| billed_all_the_same(error, dialect, &bytes, &mut tally))?;
        tally.response(&response, dialect.read_usage(&body).as_ref());
        let metering = tally.metering();
        let body = if Dialect::of_surface(call.surface) == dialect {
            bytes
        } else {
            let response = presentable(call, response, &head.headers);
            Bytes::from(
                Dialect::of_surface(call.surface)
                    .encode_response(&response, &metering.usage, &call.body)
                    .to_string(),
            )
        };
        Ok(CallAnswer {
            body,
            content_type: "application/json".into(),
            metering,
            http_status: head.status,
            headroom: Headroom::of(&head.headers),
        })
    }

    async fn stream(&self, account: &Account, call: &Call) -> Result<ChatStream, CallError> {
        let call = &chat_of(account, call)?;
        let dialect = dialect_for(account, call)?;
        let body = request::body(dialect, call, true)?;
        let answered = self.send(dialect, account, call, body, true).await?;
        let head = Head::new(dialect, account, &answered);
        let mut tally = Tally::new(call.surface, dialect, Arc::clone(&call.body));
        let (source, writer) = match form_of(&head.headers) {
            Form::Events => {
                let events = Events::new(answered.response.bytes_stream(), call.timeouts.idle);
                (
                    Source::Events(Box::new((events, Decoder::new(dialect)))),
                    stream_writer(dialect, call, &head.headers),
                )
            }
            Form::Json => {
                let bytes = answered.read(call.timeouts.idle).await.map_err(|broken| head.broken(&broken))?;
                let (body, response) = head
                    .understood(&bytes)
                    .map_err(|error| billed_all_the_same(error, dialect, &bytes, &mut tally))?;
                if let Some(report) = dialect.read_usage(&body) {
                    tally.report(&report);
                }
                let response = presentable(call, response, &head.headers);
                (Source::Whole(events_of(response)), Writer::Encode(encoder(call, &head.headers)))
            }
            Form::Page => {
                let message = format!("{} answered with a web page: its URL is probably wrong", account.name);
                return Err(head.bad(&message));
            }
        };
        let headroom = Headroom::of(&head.headers);
        Ok(ChatStream::new(source, writer, tally, head.secret, head.status).with_headroom(headroom))
    }
}

#[async_trait]
impl ModelLister for Chats {
    async fn list_models(&self, account: &Account) -> Result<Vec<String>, CallError> {
        let dialect = dialect_of(account)?;
        let outgoing = Outgoing {
            method: Method::GET,
            url: request::models_url(dialect, &account.base_url),
            headers: request::headers(dialect, false),
            body: Body::Empty,
            scheme: request::scheme(dialect),
            wait: LIST_WAIT,
        };
        let answered = self.http.send(account, outgoing).await?;
        let status = answered.status();
        let bytes = answered.read_all(account, LIST_WAIT).await?;
        let list: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        let (models, name) = match dialect {
            Dialect::Gemini => (list.get("models"), "name"),
            Dialect::OpenaiChat | Dialect::OpenaiResponses | Dialect::Anthropic => (list.get("data"), "id"),
        };
        let Some(Value::Array(models)) = models else {
            let message =
                format!("{} answered without a list of models: its URL is probably wrong", account.name);
            return Err(failed(FailureKind::BadResponse, Some(status), message));
        };
        let names = models.iter().filter_map(|model| model.get(name).and_then(Value::as_str));
        // Google lists `models/…` and takes the bare name.
        Ok(names.map(|name| name.strip_prefix("models/").unwrap_or(name).to_owned()).collect())
    }
}

fn chat_of(account: &Account, call: &Call) -> Result<ChatCall, CallError> {
    call.as_chat().ok_or_else(|| {
        failed(FailureKind::BadRequest, None, format!("{} takes chats only as JSON", account.name))
    })
}

fn dialect_for(account: &Account, call: &ChatCall) -> Result<Dialect, CallError> {
    Dialect::for_call(account, call.surface, &call.model).ok_or_else(|| no_chats(account))
}

fn no_chats(account: &Account) -> CallError {
    failed(FailureKind::ModelNotFound, None, format!("{} holds no chats", account.name))
}

fn dialect_of(account: &Account) -> Result<Dialect, CallError> {
    Dialect::of_provider(account.kind).ok_or_else(|| no_chats(account))
}

/// An answer that cannot be understood may still say what it cost.
fn billed_all_the_same(mut error: CallError, dialect: Dialect, bytes: &[u8], tally: &mut Tally) -> CallError {
    let body: Value = serde_json::from_slice(bytes).unwrap_or_default();
    if let Some(report) = dialect.read_usage(&body) {
        tally.report(&report);
        error.metering = Some(tally.metering());
    }
    error
}

/// The head of an answer, and whose it is.
struct Head<'a> {
    dialect: Dialect,
    account: &'a Account,
    status: u16,
    headers: HeaderMap,
    secret: Option<SecretString>,
}

impl<'a> Head<'a> {
    fn new(dialect: Dialect, account: &'a Account, answered: &Answered) -> Self {
        let (status, headers) = (answered.status(), answered.headers().clone());
        Self { dialect, account, status, headers, secret: answered.secret.clone() }
    }

    /// Reads an answer that came with a good status, which does not make it a good answer.
    fn understood(&self, bytes: &[u8]) -> Result<(Value, ChatResponse), CallError> {
        let body: Value = serde_json::from_slice(bytes).map_err(|error| {
            let name = &self.account.name;
            self.bad(&format!("{name} answered with something that is no JSON: {error}"))
        })?;
        let is_error = body.get("error").is_some_and(|error| !error.is_null())
            || body.get("type").and_then(Value::as_str) == Some("error");
        if is_error {
            let error = ErrorBody::of_json(&body).into_error(None, Some(&self.headers), self.secret.as_ref());
            return Err(CallError { http_status: Some(self.status), ..error });
        }
        let response = self.dialect.decode_response(&body).map_err(|message| self.bad(&message))?;
        Ok((body, response))
    }

    fn bad(&self, message: &str) -> CallError {
        failed(FailureKind::BadResponse, Some(self.status), tidy(message, self.secret.as_ref()))
    }

    fn broken(&self, broken: &Broken) -> CallError {
        failed(broken.kind, Some(self.status), tidy(&broken.message, self.secret.as_ref()))
    }
}

/// The answer as this client may see it in another dialect.
fn presentable(call: &ChatCall, mut response: ChatResponse, headers: &HeaderMap) -> ChatResponse {
    if response.created == 0 {
        response.created = answered_at(headers);
    }
    if response.model.is_empty() {
        call.model.as_str().clone_into(&mut response.model);
    }
    let shows_thinking = match Dialect::of_surface(call.surface) {
        Dialect::Anthropic => wants_thinking(&call.body),
        // Responses choose by themselves which of them, and which signatures, they show.
        Dialect::OpenaiChat | Dialect::OpenaiResponses | Dialect::Gemini => true,
    };
    if !shows_thinking {
        response.parts.retain(|part| !matches!(part, Part::Thinking { .. }));
    }
    response
}

/// A whole answer as the events a stream of it would have.
fn events_of(response: ChatResponse) -> VecDeque<ChatEvent> {
    let ChatResponse { id, model, created, parts, finish } = response;
    let mut events = VecDeque::from([ChatEvent::Start { id, model, created: Some(created) }]);
    let mut calls = 0_usize;
    for part in parts {
        match part {
            Part::Text(text) => events.push_back(ChatEvent::Text(text)),
            Part::Refusal(text) => events.push_back(ChatEvent::Refusal(text)),
            Part::Thinking { text, signature } => {
                events.extend((!text.is_empty()).then_some(ChatEvent::Thinking(text)));
                events.extend(signature.map(ChatEvent::Signature));
            }
            Part::ToolUse { id, name, arguments } => {
                events.push_back(ChatEvent::ToolStart { index: calls, id, name });
                events.push_back(ChatEvent::ToolArguments { index: calls, fragment: arguments });
                calls = calls.saturating_add(1);
            }
            Part::Image(_) | Part::Audio { .. } | Part::Document { .. } | Part::ToolResult { .. } => {}
        }
    }
    events.push_back(ChatEvent::Finish(finish));
    events.push_back(ChatEvent::Done);
    events
}

/// How a stream of `dialect` is written for the client.
pub(crate) fn stream_writer(dialect: Dialect, call: &ChatCall, headers: &HeaderMap) -> Writer {
    if Dialect::of_surface(call.surface) == dialect {
        Writer::Forward { hides_usage: !wants_stream_usage(&call.body) }
    } else {
        Writer::Encode(encoder(call, headers))
    }
}

fn encoder(call: &ChatCall, headers: &HeaderMap) -> Encoder {
    let model = call.model.as_str();
    match Dialect::of_surface(call.surface) {
        Dialect::OpenaiResponses => Encoder::OpenaiResponses(Box::new(
            openai_responses::encoder::Encoder::new(model, answered_at(headers), &call.body),
        )),
        // No client speaks it.
        Dialect::OpenaiChat | Dialect::Gemini => Encoder::OpenaiChat(openai_chat::stream::Encoder::new(
            model,
            answered_at(headers),
            wants_stream_usage(&call.body),
        )),
        Dialect::Anthropic => {
            Encoder::Anthropic(anthropic::stream::Encoder::new(model, wants_thinking(&call.body)))
        }
    }
}

/// What the body of a good answer to a stream is.
enum Form {
    Events,
    Json,
    Page,
}

fn form_of(headers: &HeaderMap) -> Form {
    if is_page(headers) {
        return Form::Page;
    }
    // Servers name streams in many ways; only JSON is surely none.
    if media_type(headers) == "application/json" { Form::Json } else { Form::Events }
}
