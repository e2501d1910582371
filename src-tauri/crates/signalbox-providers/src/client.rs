//! The HTTP client that all providers share.

use std::error::Error as _;
use std::fmt::Write as _;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chrono::DateTime;
use reqwest::header::{CONTENT_TYPE, DATE, HeaderMap};
use reqwest::{Method, Response};
use serde_json::Value;
use signalbox_core::failure::FailureKind;
use url::Url;

use crate::call::{Account, Call, CallAnswer, CallError, ChatCall};
use crate::chat::{ChatEvent, ChatResponse, Part};
use crate::dialect::{Decoder, Dialect, Encoder, anthropic, openai_chat, openai_responses};
use crate::failure::{ErrorBody, failed, tidy};
use crate::request::{self, wants_stream_usage, wants_thinking};
use crate::sse::Events;
use crate::stream::{ChatStream, Source, Writer};
use crate::tally::Tally;

/// A connection that takes longer is not coming.
const CONNECT_WAIT: Duration = Duration::from_secs(5);

/// How long an unused connection is kept: past the gaps of interactive use, below the vendors' own limits.
const POOL_IDLE: Duration = Duration::from_secs(90);

/// Longest complete answer.
const ANSWER_BYTES_MAX: usize = 32 * 1024 * 1024;

/// Longest error body that is read; the message is at its beginning.
const ERROR_BYTES_MAX: usize = 64 * 1024;

/// How long an error body may take. Without it the status still says enough.
const ERROR_WAIT: Duration = Duration::from_secs(5);

/// How long the list of models may take.
const LIST_WAIT: Duration = Duration::from_secs(15);

/// No HTTP client could be made, e.g. because the system's certificates cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ProvidersError {
    /// The TLS or HTTP set-up failed.
    #[error("the HTTP client could not be set up")]
    Client(#[source] reqwest::Error),
}

/// One HTTP client for all providers. Cheap to clone; connections are kept and shared.
///
/// It follows no redirects, so that a credential stays with its origin, and asks no proxy that the environment names.
#[derive(Debug, Clone)]
pub struct Providers {
    http: reqwest::Client,
}

impl Providers {
    /// Sets the client up; no connection is made.
    ///
    /// Errors: [`ProvidersError::Client`].
    pub fn new() -> Result<Self, ProvidersError> {
        let http = reqwest::Client::builder()
            .user_agent(concat!("signalbox/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .no_proxy()
            .tcp_nodelay(true)
            .connect_timeout(CONNECT_WAIT)
            .pool_idle_timeout(POOL_IDLE)
            .http2_keep_alive_interval(Duration::from_secs(20))
            .http2_keep_alive_timeout(Duration::from_secs(10))
            .build()
            .map_err(ProvidersError::Client)?;
        Ok(Self { http })
    }

    /// Makes a call and waits for its complete answer.
    ///
    /// Errors: [`CallError`], with what was used if the provider had begun to answer.
    pub async fn complete(&self, account: &Account, call: &Call) -> Result<CallAnswer, CallError> {
        let call = &chat_of(account, call)?;
        let dialect = dialect_of(account)?;
        let body = request::body(dialect, call, false)?;
        let response = self.send(dialect, account, call, body, false).await?;
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let mut tally = Tally::new(call.surface, dialect, Arc::clone(&call.body));
        let bytes = match read_all(response, call.timeouts.idle).await {
            Ok(bytes) => bytes,
            Err(broken) => {
                tally.unread(&String::from_utf8_lossy(&broken.read));
                let mut error =
                    failed(broken.kind, Some(status), tidy(&broken.message, account.credential.as_ref()));
                error.metering = Some(tally.metering());
                return Err(error);
            }
        };
        let (body, response) = understood(dialect, account, status, &headers, &bytes)
            .map_err(|error| billed_all_the_same(error, dialect, &bytes, &mut tally))?;
        tally.response(&response, dialect.read_usage(&body).as_ref());
        let metering = tally.metering();
        let body = if Dialect::of_surface(call.surface) == dialect {
            bytes
        } else {
            let response = presentable(call, response, &headers);
            Bytes::from(
                Dialect::of_surface(call.surface).encode_response(&response, &metering.usage).to_string(),
            )
        };
        Ok(CallAnswer { body, content_type: "application/json".into(), metering, http_status: status })
    }

    /// Makes a call and gives its answer as it is made. Resolves when the headers of a good answer have arrived.
    ///
    /// Errors: [`CallError`]; nothing has been used then.
    pub async fn stream(&self, account: &Account, call: &Call) -> Result<ChatStream, CallError> {
        let call = &chat_of(account, call)?;
        let dialect = dialect_of(account)?;
        let body = request::body(dialect, call, true)?;
        let response = self.send(dialect, account, call, body, true).await?;
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let mut tally = Tally::new(call.surface, dialect, Arc::clone(&call.body));
        let (source, writer) = match media_type(&headers) {
            MediaType::Events => {
                let events = Events::new(response.bytes_stream(), call.timeouts.idle);
                (
                    Source::Events(Box::new((events, Decoder::new(dialect)))),
                    stream_writer(dialect, call, &headers),
                )
            }
            MediaType::Json => {
                let bytes = read_all(response, call.timeouts.idle).await.map_err(|broken| {
                    failed(broken.kind, Some(status), tidy(&broken.message, account.credential.as_ref()))
                })?;
                let (body, response) = understood(dialect, account, status, &headers, &bytes)
                    .map_err(|error| billed_all_the_same(error, dialect, &bytes, &mut tally))?;
                if let Some(report) = dialect.read_usage(&body) {
                    tally.report(&report);
                }
                let response = presentable(call, response, &headers);
                (Source::Whole(events_of(response)), Writer::Encode(encoder(call, &headers)))
            }
            MediaType::Page => {
                return Err(failed(
                    FailureKind::BadResponse,
                    Some(status),
                    format!("{} answered with a web page: its URL is probably wrong", account.name),
                ));
            }
        };
        Ok(ChatStream::new(source, writer, tally, account.credential.clone(), status))
    }

    /// The names of the provider's models: a check of URL and credential that costs nothing.
    ///
    /// Errors: [`CallError`] as for a call.
    pub async fn list_models(&self, account: &Account) -> Result<Vec<String>, CallError> {
        let dialect = dialect_of(account)?;
        let headers = request::headers(dialect, account, false)?;
        let url = request::models_url(dialect, &account.base_url);
        let response = self.answered(account, Method::GET, url, headers, None, LIST_WAIT).await?;
        let status = response.status().as_u16();
        let bytes = read_all(response, LIST_WAIT).await.map_err(|broken| {
            failed(broken.kind, Some(status), tidy(&broken.message, account.credential.as_ref()))
        })?;
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

    async fn send(
        &self,
        dialect: Dialect,
        account: &Account,
        call: &ChatCall,
        body: Vec<u8>,
        stream: bool,
    ) -> Result<Response, CallError> {
        let headers = request::headers(dialect, account, stream)?;
        let url = request::chat_url(dialect, &account.base_url, &call.model, stream);
        self.answered(account, Method::POST, url, headers, Some(body), call.timeouts.first_byte).await
    }

    /// Sends a request and gives its answer if that is a good one.
    async fn answered(
        &self,
        account: &Account,
        method: Method,
        url: Url,
        headers: HeaderMap,
        body: Option<Vec<u8>>,
        wait: Duration,
    ) -> Result<Response, CallError> {
        let mut request = self.http.request(method, url).headers(headers);
        if let Some(body) = body {
            request = request.body(body);
        }
        let response = match in_time(wait, request.send()).await {
            None => {
                let message =
                    format!("{} did not begin to answer within {} ms", account.name, wait.as_millis());
                return Err(failed(FailureKind::Timeout, None, message));
            }
            Some(Err(error)) => return Err(unreachable_provider(account, error)),
            Some(Ok(response)) => response,
        };
        if response.status().is_success() { Ok(response) } else { Err(refusal(account, response).await) }
    }
}

fn chat_of(account: &Account, call: &Call) -> Result<ChatCall, CallError> {
    call.as_chat().ok_or_else(|| {
        failed(FailureKind::BadRequest, None, format!("{} takes chats only as JSON", account.name))
    })
}

fn dialect_of(account: &Account) -> Result<Dialect, CallError> {
    Dialect::of_provider(account.kind)
        .ok_or_else(|| failed(FailureKind::ModelNotFound, None, format!("{} holds no chats", account.name)))
}

async fn in_time<T>(wait: Duration, future: impl Future<Output = T>) -> Option<T> {
    tokio::time::timeout(wait, future).await.ok()
}

/// No answer came about.
fn unreachable_provider(account: &Account, error: reqwest::Error) -> CallError {
    // A connection that breaks after the request went out is no proof that nothing was done, or billed, there.
    let (kind, what) = if error.is_connect() {
        (FailureKind::Network, "could not be reached")
    } else {
        (FailureKind::Truncated, "broke the connection")
    };
    let mut message = format!("{} {what}", account.name);
    // The error's own first line only repeats the URL; its causes say why.
    let error = error.without_url();
    let mut cause = error.source();
    while let Some(inner) = cause {
        if inner.source().is_none() {
            let _ = write!(message, ": {inner}");
        }
        cause = inner.source();
    }
    failed(kind, None, tidy(&message, account.credential.as_ref()))
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

/// What an answer that is no success means.
async fn refusal(account: &Account, mut response: Response) -> CallError {
    let status = response.status().as_u16();
    let headers = response.headers().clone();
    let mut bytes = Vec::new();
    let reading = async {
        while let Ok(Some(chunk)) = response.chunk().await {
            let room = ERROR_BYTES_MAX.saturating_sub(bytes.len());
            bytes.extend(chunk.iter().take(room));
            if chunk.len() >= room {
                break;
            }
        }
    };
    let _ = in_time(ERROR_WAIT, reading).await;
    if (300..400).contains(&status) {
        let message =
            format!("{} answered with a redirect ({status}), which is never followed", account.name);
        return failed(FailureKind::BadResponse, Some(status), message);
    }
    let body = if is_page(&headers) { ErrorBody::default() } else { ErrorBody::of_bytes(&bytes) };
    body.into_error(Some(status), Some(&headers), account.credential.as_ref())
}

/// A body that did not arrive.
struct Broken {
    kind: FailureKind,
    message: String,
    read: Vec<u8>,
}

/// Reads a body to its end, each piece of it within `idle`.
async fn read_all(mut response: Response, idle: Duration) -> Result<Bytes, Broken> {
    let mut read = Vec::new();
    loop {
        let (kind, message) = match in_time(idle, response.chunk()).await {
            Some(Ok(None)) => return Ok(read.into()),
            Some(Ok(Some(chunk))) if read.len().saturating_add(chunk.len()) <= ANSWER_BYTES_MAX => {
                read.extend_from_slice(&chunk);
                continue;
            }
            Some(Ok(Some(_))) => {
                (FailureKind::BadResponse, format!("the answer is longer than {ANSWER_BYTES_MAX} bytes"))
            }
            Some(Err(_)) => {
                (FailureKind::Truncated, "the answer stopped before its end: the connection broke".to_owned())
            }
            None => (FailureKind::Timeout, format!("the answer stopped for {} ms", idle.as_millis())),
        };
        return Err(Broken { kind, message, read });
    }
}

/// Reads an answer that came with a good status, which does not make it a good answer.
fn understood(
    dialect: Dialect,
    account: &Account,
    status: u16,
    headers: &HeaderMap,
    bytes: &[u8],
) -> Result<(Value, ChatResponse), CallError> {
    let bad = |message: String| {
        failed(FailureKind::BadResponse, Some(status), tidy(&message, account.credential.as_ref()))
    };
    let body: Value = serde_json::from_slice(bytes)
        .map_err(|error| bad(format!("{} answered with something that is no JSON: {error}", account.name)))?;
    let is_error = body.get("error").is_some_and(|error| !error.is_null())
        || body.get("type").and_then(Value::as_str) == Some("error");
    if is_error {
        let mut error =
            ErrorBody::of_json(&body).into_error(None, Some(headers), account.credential.as_ref());
        error.http_status = Some(status);
        return Err(error);
    }
    let response = dialect.decode_response(&body).map_err(bad)?;
    Ok((body, response))
}

/// The answer as this client may see it in another dialect.
fn presentable(call: &ChatCall, mut response: ChatResponse, headers: &HeaderMap) -> ChatResponse {
    if response.created == 0 {
        response.created = answered_at(headers);
    }
    if response.model.is_empty() {
        call.model.as_str().clone_into(&mut response.model);
    }
    if Dialect::of_surface(call.surface) == Dialect::Anthropic && !wants_thinking(&call.body) {
        response.parts.retain(|part| !matches!(part, Part::Thinking { .. }));
    }
    response
}

/// A whole answer as the events a stream of it would have.
fn events_of(response: ChatResponse) -> std::collections::VecDeque<ChatEvent> {
    let ChatResponse { id, model, created, parts, finish } = response;
    let mut events =
        std::collections::VecDeque::from([ChatEvent::Start { id, model, created: Some(created) }]);
    let mut calls = 0_usize;
    for part in parts {
        match part {
            Part::Text(text) => events.push_back(ChatEvent::Text(text)),
            Part::Refusal(text) => events.push_back(ChatEvent::Refusal(text)),
            Part::Thinking { text, .. } => events.push_back(ChatEvent::Thinking(text)),
            Part::ToolUse { id, name, arguments } => {
                events.push_back(ChatEvent::ToolStart { index: calls, id, name });
                events.push_back(ChatEvent::ToolArguments { index: calls, fragment: arguments });
                calls = calls.saturating_add(1);
            }
            Part::Image(_) | Part::Document { .. } | Part::ToolResult { .. } => {}
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
        Dialect::OpenaiResponses => {
            Encoder::OpenaiResponses(openai_responses::Encoder::new(model, answered_at(headers), &call.body))
        }
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

/// When the provider says it answered, in seconds since the Unix epoch; 0 when it does not say.
fn answered_at(headers: &HeaderMap) -> i64 {
    let date = headers.get(DATE).and_then(|date| date.to_str().ok());
    date.and_then(|date| DateTime::parse_from_rfc2822(date).ok()).map_or(0, |date| date.timestamp())
}

/// What the body of a good answer to a stream is.
enum MediaType {
    Events,
    Json,
    Page,
}

fn media_type(headers: &HeaderMap) -> MediaType {
    if is_page(headers) {
        return MediaType::Page;
    }
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    // Servers name streams in many ways; only JSON is surely none.
    if kind.to_ascii_lowercase().starts_with("application/json") {
        MediaType::Json
    } else {
        MediaType::Events
    }
}

fn is_page(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.to_ascii_lowercase().starts_with("text/html")
}
