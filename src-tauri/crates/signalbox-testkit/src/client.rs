//! Calling a [`TestApp`] as a program would.

use anyhow::Context;
use futures::StreamExt;
use reqwest::header::HeaderMap;
use serde_json::{Value, json};
use signalbox_core::ids::RequestId;

use crate::app::TestApp;

/// A complete answer.
#[derive(Debug, Clone)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// Headers.
    pub headers: HeaderMap,
    /// JSON; null when the body is none.
    pub body: Value,
}

/// A streamed answer, read to its end.
#[derive(Debug, Clone)]
pub struct Streamed {
    /// HTTP status.
    pub status: u16,
    /// Headers.
    pub headers: HeaderMap,
    /// All bytes.
    pub text: String,
    /// Whether the connection ended as HTTP wants it.
    pub ended_cleanly: bool,
}

impl Reply {
    /// Its ledger entry.
    pub fn request_id(&self) -> anyhow::Result<RequestId> {
        request_id(&self.headers)
    }

    /// A header's text; empty when it is not there.
    pub fn header(&self, name: &str) -> &str {
        text(&self.headers, name)
    }

    /// The machine-readable code of an error in either API's shape; empty when there is none.
    pub fn code(&self) -> &str {
        self.body["error"]["code"].as_str().unwrap_or_default()
    }

    /// The text of an answer in either API's shape; empty when there is none.
    pub fn text(&self) -> &str {
        let openai = self.body["choices"][0]["message"]["content"].as_str();
        openai.or_else(|| self.body["content"][0]["text"].as_str()).unwrap_or_default()
    }
}

impl Streamed {
    /// Its ledger entry.
    pub fn request_id(&self) -> anyhow::Result<RequestId> {
        request_id(&self.headers)
    }

    /// A header's text; empty when it is not there.
    pub fn header(&self, name: &str) -> &str {
        text(&self.headers, name)
    }

    /// What each event carries, `[DONE]` included.
    pub fn data(&self) -> Vec<&str> {
        self.text.lines().filter_map(|line| line.strip_prefix("data: ")).collect()
    }

    /// The JSON of each event that has one.
    pub fn events(&self) -> Vec<Value> {
        self.data().into_iter().filter_map(|data| serde_json::from_str(data).ok()).collect()
    }

    /// Whether the terminal event of either API came.
    pub fn is_whole(&self) -> bool {
        self.ended_cleanly
            && (self.data().contains(&"[DONE]")
                || self.events().iter().any(|event| event["type"] == "message_stop"))
    }

    /// The text of the deltas in either API's shape.
    pub fn answer(&self) -> String {
        let events = self.events();
        let openai = events.iter().filter_map(|event| event["choices"][0]["delta"]["content"].as_str());
        let anthropic = events.iter().filter_map(|event| event["delta"]["text"].as_str());
        openai.chain(anthropic).collect()
    }
}

/// A request for `POST /v1/chat/completions`.
pub fn chat_body(model: &str, message: &str) -> Value {
    json!({"model": model, "messages": [{"role": "user", "content": message}]})
}

/// A request for `POST /v1/messages`.
pub fn message_body(model: &str, message: &str) -> Value {
    json!({"model": model, "max_tokens": 256, "messages": [{"role": "user", "content": message}]})
}

impl TestApp {
    /// A request to a path, with the key as `OpenAI` clients send it.
    pub fn post(&self, path: &str, body: &Value) -> reqwest::RequestBuilder {
        self.http.post(self.url(path)).bearer_auth(&self.key).json(body)
    }

    /// Sends a request and reads the answer whole.
    pub async fn send(&self, request: reqwest::RequestBuilder) -> anyhow::Result<Reply> {
        let response = request.send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let bytes = response.bytes().await?;
        Ok(Reply { status, headers, body: serde_json::from_slice(&bytes).unwrap_or(Value::Null) })
    }

    /// Sends a request and reads the stream to its end, however it ends.
    pub async fn send_streamed(&self, request: reqwest::RequestBuilder) -> anyhow::Result<Streamed> {
        let response = request.send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let (mut bytes, mut ended_cleanly) = (Vec::new(), true);
        let mut chunks = response.bytes_stream();
        while let Some(chunk) = chunks.next().await {
            match chunk {
                Ok(chunk) => bytes.extend_from_slice(&chunk),
                Err(_) => ended_cleanly = false,
            }
        }
        Ok(Streamed { status, headers, text: String::from_utf8_lossy(&bytes).into_owned(), ended_cleanly })
    }

    /// Says `message` over the `OpenAI` surface.
    pub async fn chat(&self, model: &str, message: &str) -> anyhow::Result<Reply> {
        self.send(self.post("/v1/chat/completions", &chat_body(model, message))).await
    }

    /// Says `message` over the `OpenAI` surface and reads the stream.
    pub async fn chat_streamed(&self, model: &str, message: &str) -> anyhow::Result<Streamed> {
        let mut body = chat_body(model, message);
        body["stream"] = json!(true);
        self.send_streamed(self.post("/v1/chat/completions", &body)).await
    }

    /// Says `message` over the Anthropic surface.
    pub async fn message(&self, model: &str, message: &str) -> anyhow::Result<Reply> {
        self.send(self.post("/v1/messages", &message_body(model, message))).await
    }

    /// Says `message` over the Anthropic surface and reads the stream.
    pub async fn message_streamed(&self, model: &str, message: &str) -> anyhow::Result<Streamed> {
        let mut body = message_body(model, message);
        body["stream"] = json!(true);
        self.send_streamed(self.post("/v1/messages", &body)).await
    }
}

fn request_id(headers: &HeaderMap) -> anyhow::Result<RequestId> {
    let value = headers.get("x-signalbox-request-id").context("the answer names no request")?;
    Ok(value.to_str()?.parse()?)
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}
