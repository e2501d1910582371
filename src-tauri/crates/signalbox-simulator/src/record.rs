//! What the simulator saw: the last requests, and how many are in flight or were given up by their client.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use axum::http::{HeaderMap, header, request::Parts};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::Notify;

use crate::multipart;

/// Bodies beyond this are counted, not kept. Units: bytes.
const KEPT_BODY_MAX: usize = 1024 * 1024;
/// Keys shorter than this show no last characters: four of them would be half the key.
const SHOWN_KEY_MIN: usize = 12;
/// Headers that carry a credential.
const CREDENTIAL_HEADERS: [&str; 5] =
    ["authorization", "x-api-key", "x-goog-api-key", "xi-api-key", "api-key"];

/// Everything seen so far.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Observed {
    /// Requests to the vendors' paths since the start.
    pub received: u64,
    /// Requests being answered now, streams included.
    pub in_flight: u64,
    /// Requests whose client went away before the answer was complete.
    pub cancelled: u64,
    /// The last requests, oldest first.
    pub requests: Vec<ObservedRequest>,
}

/// One request exactly as it arrived, without its secrets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ObservedRequest {
    /// Position since the start, 1 for the first.
    pub seq: u64,
    /// HTTP method.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// Headers other than credentials.
    pub headers: BTreeMap<String, String>,
    /// The credential, if one came.
    pub credential: Option<ObservedCredential>,
    /// The body as JSON, a form as an object of its fields; null when it is empty, neither of them, or too large to keep.
    pub body: Value,
    /// Size of the body. Units: bytes.
    pub body_bytes: u64,
}

/// That a credential came, and where; never the credential.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObservedCredential {
    /// The header that carried it.
    pub header: String,
    /// Its last four characters; empty when it is short.
    pub last4: String,
}

/// Counts and the ring of the last requests.
#[derive(Debug, Default)]
pub(crate) struct Recorder {
    received: AtomicU64,
    in_flight: AtomicU64,
    cancelled: AtomicU64,
    changed: Notify,
    ring: Mutex<VecDeque<Recorded>>,
}

/// A request as it is kept; JSON is made of it only when somebody looks.
#[derive(Debug, Clone)]
struct Recorded {
    seq: u64,
    method: axum::http::Method,
    path: axum::http::Uri,
    headers: HeaderMap,
    credential: Option<ObservedCredential>,
    body: Bytes,
    body_bytes: usize,
}

impl Recorder {
    /// Counts a request and keeps it, if `keep` is above 0. Secrets are dropped here, before anything is kept.
    pub fn begin(self: &Arc<Self>, parts: &mut Parts, body: &Bytes, keep: usize) -> InFlight {
        let seq = self.received.fetch_add(1, Ordering::Relaxed) + 1;
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        self.changed.notify_waiters();
        if keep > 0 {
            self.keep(seq, parts, body, keep);
        }
        InFlight { recorder: Arc::clone(self), seq, finished: false }
    }

    fn keep(&self, seq: u64, parts: &mut Parts, body: &Bytes, keep: usize) {
        let mut headers = std::mem::take(&mut parts.headers);
        let credential = credential_of(&headers);
        for name in CREDENTIAL_HEADERS {
            headers.remove(name);
        }
        let recorded = Recorded {
            seq,
            method: parts.method.clone(),
            path: parts.uri.clone(),
            headers,
            credential,
            body: if body.len() <= KEPT_BODY_MAX { body.clone() } else { Bytes::new() },
            body_bytes: body.len(),
        };
        let mut ring = self.ring.lock().unwrap_or_else(PoisonError::into_inner);
        while ring.len() >= keep {
            ring.pop_front();
        }
        ring.push_back(recorded);
    }

    pub fn observed(&self, limit: usize) -> Observed {
        let recorded: Vec<Recorded> = {
            let ring = self.ring.lock().unwrap_or_else(PoisonError::into_inner);
            ring.iter().skip(ring.len().saturating_sub(limit)).cloned().collect()
        };
        Observed {
            received: self.received.load(Ordering::Relaxed),
            in_flight: self.in_flight.load(Ordering::Relaxed),
            cancelled: self.cancelled.load(Ordering::Relaxed),
            requests: recorded.into_iter().map(ObservedRequest::from).collect(),
        }
    }

    /// Forgets the kept requests and the cancelled ones; requests in flight stay counted.
    pub fn clear(&self) {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.received.store(0, Ordering::Relaxed);
        self.cancelled.store(0, Ordering::Relaxed);
    }

    /// Waits until the counts satisfy `reached`, without polling.
    pub async fn until(&self, reached: impl Fn(&Observed) -> bool) -> Observed {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            let observed = self.observed(usize::MAX);
            if reached(&observed) {
                return observed;
            }
            changed.await;
        }
    }
}

/// One request being answered. Dropping it unfinished counts the request as cancelled.
#[derive(Debug)]
pub(crate) struct InFlight {
    recorder: Arc<Recorder>,
    pub seq: u64,
    finished: bool,
}

impl InFlight {
    /// The answer is complete as far as the simulator is concerned.
    pub fn finish(mut self) {
        self.finished = true;
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        if !self.finished {
            self.recorder.cancelled.fetch_add(1, Ordering::Relaxed);
        }
        self.recorder.in_flight.fetch_sub(1, Ordering::Relaxed);
        self.recorder.changed.notify_waiters();
    }
}

fn credential_of(headers: &HeaderMap) -> Option<ObservedCredential> {
    CREDENTIAL_HEADERS.iter().find_map(|name| {
        let value = headers.get(*name)?.to_str().unwrap_or_default();
        let secret =
            ["Bearer ", "Token "].iter().find_map(|scheme| value.strip_prefix(scheme)).unwrap_or(value);
        let shown = secret.len() >= SHOWN_KEY_MIN && secret.is_ascii();
        let last4 = if shown { secret[secret.len() - 4..].to_owned() } else { String::new() };
        Some(ObservedCredential { header: (*name).to_owned(), last4 })
    })
}

impl From<Recorded> for ObservedRequest {
    fn from(recorded: Recorded) -> Self {
        let shown = |(name, value): (&header::HeaderName, &header::HeaderValue)| {
            (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        };
        Self {
            seq: recorded.seq,
            method: recorded.method.to_string(),
            path: recorded.path.path_and_query().map(ToString::to_string).unwrap_or_default(),
            headers: recorded.headers.iter().map(shown).collect(),
            credential: recorded.credential,
            body: multipart::shown(&recorded.headers, &recorded.body)
                .unwrap_or_else(|| serde_json::from_slice(&recorded.body).unwrap_or_default()),
            body_bytes: recorded.body_bytes as u64,
        }
    }
}
