//! The HTTP client that all adapters share: one exchange, and what its failures mean.

use std::error::Error as _;
use std::fmt::Write as _;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chrono::DateTime;
use reqwest::header::{CONTENT_TYPE, DATE, HeaderMap};
use reqwest::multipart::{Form, Part};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use secrecy::SecretString;
use signalbox_core::failure::FailureKind;
use signalbox_core::provider::Auth;
use url::Url;

use crate::auth::{Scheme, Sent, Tokens, authorize};
use crate::call::{Account, AudioUpload, CallError};
use crate::failure::{ErrorBody, failed, tidy};
use crate::tokens::as_u64;

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

/// No HTTP client could be made, e.g. because the system's certificates cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ProvidersError {
    /// The TLS or HTTP set-up failed.
    #[error("the HTTP client could not be set up")]
    Client(#[source] reqwest::Error),
}

/// One HTTP client for all providers. Cheap to clone; connections and tokens are kept and shared.
///
/// It follows no redirects, so that a credential stays with its origin, and asks no proxy that the environment names.
#[derive(Debug, Clone)]
pub(crate) struct Http {
    client: reqwest::Client,
    tokens: Arc<Tokens>,
}

/// A request to a provider, but for its credential.
#[derive(Debug, Clone)]
pub(crate) struct Outgoing {
    pub method: Method,
    pub url: Url,
    pub headers: HeaderMap,
    pub body: Body,
    /// Where the vendor wants its key.
    pub scheme: Scheme,
    /// How long to wait for the head of the answer.
    pub wait: Duration,
}

/// What goes out. It can be sent twice, and nothing of it is copied.
#[derive(Debug, Clone, Default)]
pub(crate) enum Body {
    #[default]
    Empty,
    Bytes(Bytes),
    /// A form with a file. Its media type goes with it.
    Form {
        fields: Vec<(String, String)>,
        upload: Arc<AudioUpload>,
        content_type: String,
    },
}

/// The head of a good answer.
#[derive(Debug)]
pub(crate) struct Answered {
    pub response: Response,
    /// What the provider was shown; nothing it says may show it.
    pub secret: Option<SecretString>,
}

/// A body that did not arrive.
#[derive(Debug)]
pub(crate) struct Broken {
    pub kind: FailureKind,
    pub message: String,
    pub read: Vec<u8>,
}

impl Http {
    /// Sets the client up; no connection is made.
    ///
    /// Errors: [`ProvidersError::Client`].
    pub fn new() -> Result<Self, ProvidersError> {
        let client = base_client().build().map_err(ProvidersError::Client)?;
        Ok(Self { client, tokens: Arc::new(Tokens::default()) })
    }

    /// The tokens that credentials were exchanged for.
    pub fn tokens(&self) -> &Tokens {
        &self.tokens
    }

    /// Sends a request with the account's credential and gives its answer if that is a good one. A token that is refused is
    /// exchanged for a new one, once.
    pub async fn send(&self, account: &Account, outgoing: Outgoing) -> Result<Answered, CallError> {
        let expires = matches!(account.auth, Auth::ClientCredentials { .. });
        let again = expires.then(|| outgoing.clone());
        let (answered, sent) = self.send_once(account, outgoing).await?;
        match (answered, again) {
            (Err(error), Some(again))
                if sent.renewable && error.http_status == Some(StatusCode::UNAUTHORIZED.as_u16()) =>
            {
                self.tokens.forget(&account.name, &sent).await;
                self.send_once(account, again).await?.0
            }
            (answered, _) => answered,
        }
    }

    async fn send_once(
        &self,
        account: &Account,
        mut outgoing: Outgoing,
    ) -> Result<(Result<Answered, CallError>, Sent), CallError> {
        let sent = authorize(self, account, outgoing.scheme, &mut outgoing.headers).await?;
        let answered = self.exchange(account, outgoing, sent.secret.as_ref()).await;
        Ok((answered, sent))
    }

    /// Sends a request as it is and gives its answer if that is a good one. `secret` is what the request shows.
    pub async fn exchange(
        &self,
        account: &Account,
        outgoing: Outgoing,
        secret: Option<&SecretString>,
    ) -> Result<Answered, CallError> {
        let wait = outgoing.wait;
        let request = self.client.request(outgoing.method, outgoing.url).headers(outgoing.headers);
        let request = outgoing.body.put_in(request)?;
        let response = match in_time(wait, request.send()).await {
            None => {
                let message =
                    format!("{} did not begin to answer within {} ms", account.name, wait.as_millis());
                return Err(failed(FailureKind::Timeout, None, message));
            }
            Some(Err(error)) => return Err(unreachable_provider(account, secret, error)),
            Some(Ok(response)) => response,
        };
        if response.status().is_success() {
            Ok(Answered { response, secret: secret.cloned() })
        } else {
            Err(refusal(account, secret, response).await)
        }
    }
}

impl Body {
    fn put_in(self, request: RequestBuilder) -> Result<RequestBuilder, CallError> {
        let (fields, upload, content_type) = match self {
            Self::Empty => return Ok(request),
            Self::Bytes(bytes) => return Ok(request.body(bytes)),
            Self::Form { fields, upload, content_type } => (fields, upload, content_type),
        };
        let file = Part::stream_with_length(upload.bytes.clone(), as_u64(upload.bytes.len()))
            .file_name(upload.file_name.clone())
            .mime_str(&content_type)
            .map_err(|_| {
                failed(FailureKind::BadRequest, None, format!("file: `{content_type}` is no media type"))
            })?;
        let form = fields.into_iter().fold(Form::new(), |form, (name, value)| form.text(name, value));
        Ok(request.multipart(form.part("file", file)))
    }
}

/// What every client of ours is: no redirects, no proxies, patient with silence on an open connection only so far.
pub(crate) fn base_client() -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .user_agent(concat!("signalbox/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .no_proxy()
        .tcp_nodelay(true)
        .connect_timeout(CONNECT_WAIT)
        .pool_idle_timeout(POOL_IDLE)
        .http2_keep_alive_interval(Duration::from_secs(20))
        .http2_keep_alive_timeout(Duration::from_secs(10))
}

impl Answered {
    /// The provider's status code.
    pub fn status(&self) -> u16 {
        self.response.status().as_u16()
    }

    /// The head of the answer.
    pub fn headers(&self) -> &HeaderMap {
        self.response.headers()
    }

    /// The body, each piece of it within `idle`, and what was read of one that broke.
    pub async fn read(self, idle: Duration) -> Result<Bytes, Broken> {
        read_all(self.response, idle).await
    }

    /// The body, each piece of it within `idle`.
    pub async fn read_all(self, account: &Account, idle: Duration) -> Result<Bytes, CallError> {
        let (status, secret) = (self.status(), self.secret);
        read_all(self.response, idle).await.map_err(|broken| {
            let message = format!("{}: {}", account.name, broken.message);
            failed(broken.kind, Some(status), tidy(&message, secret.as_ref()))
        })
    }
}

/// Waits for `future` that long and no longer.
pub(crate) async fn in_time<T>(wait: Duration, future: impl Future<Output = T>) -> Option<T> {
    tokio::time::timeout(wait, future).await.ok()
}

/// No answer came about.
pub(crate) fn unreachable_provider(
    account: &Account,
    secret: Option<&SecretString>,
    error: reqwest::Error,
) -> CallError {
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
    failed(kind, None, tidy(&message, secret))
}

/// What an answer that is no success means.
pub(crate) async fn refusal(
    account: &Account,
    secret: Option<&SecretString>,
    mut response: Response,
) -> CallError {
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
    body.into_error(Some(status), Some(&headers), secret)
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

/// When the provider says it answered, in seconds since the Unix epoch; 0 when it does not say.
pub(crate) fn answered_at(headers: &HeaderMap) -> i64 {
    let date = headers.get(DATE).and_then(|date| date.to_str().ok());
    date.and_then(|date| DateTime::parse_from_rfc2822(date).ok()).map_or(0, |date| date.timestamp())
}

/// The media type of an answer, in lower case and without its parameters.
pub(crate) fn media_type(headers: &HeaderMap) -> String {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// Whether an answer is a page for a browser.
pub(crate) fn is_page(headers: &HeaderMap) -> bool {
    media_type(headers) == "text/html"
}
