//! A receiver of webhooks: a real HTTP server that remembers what it got and answers as told.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::IntoResponse;
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

/// What a receiver got.
#[derive(Debug, Clone)]
pub struct Received {
    /// Path and query.
    pub path: String,
    /// By name, in lower case.
    pub headers: BTreeMap<String, String>,
    /// As it came.
    pub body: Vec<u8>,
}

/// How a receiver answers.
#[derive(Debug, Clone)]
pub struct Answering {
    /// With this status.
    pub status: u16,
    /// With these headers.
    pub headers: Vec<(&'static str, String)>,
    /// And this text.
    pub text: String,
}

#[derive(Debug)]
struct Desk {
    received: Mutex<Vec<Received>>,
    answering: Mutex<Answering>,
}

/// A server for webhooks. It stops when dropped.
#[derive(Debug)]
pub struct Receiver {
    /// Where it listens.
    pub addr: SocketAddr,
    desk: Arc<Desk>,
    _stop: DropGuard,
}

impl Receiver {
    /// Starts on a free port of this machine and answers `204`.
    pub async fn start() -> anyhow::Result<Self> {
        let answering = Answering { status: 204, headers: Vec::new(), text: String::new() };
        let desk = Arc::new(Desk { received: Mutex::default(), answering: Mutex::new(answering) });
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let addr = listener.local_addr()?;
        let router = Router::new().fallback(receive).with_state(Arc::clone(&desk));
        let stop = CancellationToken::new();
        let stopped = stop.clone().cancelled_owned();
        let tasks = TaskTracker::new();
        tasks.spawn(async move { axum::serve(listener, router).with_graceful_shutdown(stopped).await });
        Ok(Self { addr, desk, _stop: stop.drop_guard() })
    }

    /// A URL of it.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.addr)
    }

    /// Answers otherwise from now on.
    pub fn answer(&self, status: u16, headers: Vec<(&'static str, String)>, text: &str) {
        let answering = Answering { status, headers, text: text.to_owned() };
        *self.desk.answering.lock().unwrap_or_else(PoisonError::into_inner) = answering;
    }

    /// Everything it got, oldest first.
    pub fn received(&self) -> Vec<Received> {
        self.desk.received.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn receive(
    State(desk): State<Arc<Desk>>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> impl IntoResponse {
    let text = |value: &axum::http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let headers = headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect();
    let received = Received { path: uri.to_string(), headers, body: body.to_vec() };
    desk.received.lock().unwrap_or_else(PoisonError::into_inner).push(received);
    let answering = desk.answering.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let mut answer =
        (StatusCode::from_u16(answering.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), answering.text)
            .into_response();
    for (name, value) in answering.headers {
        if let Ok(value) = value.parse() {
            answer.headers_mut().insert(name, value);
        }
    }
    answer
}
