//! Calls that Signalbox makes on its own, to places an admin has named: resolved, checked, and connected to the address
//! that was checked. No proxy, no redirect, a few seconds, a small answer.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use signalbox_core::address::{InvalidDestination, may_call};
use url::{Host, Url};

/// How long a call may take, from the name to the end of the answer.
const CALL_WAIT: Duration = Duration::from_secs(5);
/// As much of an answer is read. Units: bytes.
const ANSWER_BYTES_MAX: usize = 64 * 1_024;
/// As much of it is kept for a person. Units: characters.
const ANSWER_CHARS_KEPT: usize = 200;

/// Why a call did not come about. No text has the URL, which may be a secret.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OutboundError {
    /// The place must not be called.
    #[error(transparent)]
    Refused(#[from] InvalidDestination),
    /// The name leads nowhere.
    #[error("the name {host} does not resolve: {source}")]
    Unresolved {
        /// Which name.
        host: String,
        /// The resolver's answer.
        source: std::io::Error,
    },
    /// It took too long.
    #[error("no answer within {} s", CALL_WAIT.as_secs())]
    TimedOut,
    /// The connection failed.
    #[error("{0}")]
    Connection(String),
}

impl OutboundError {
    /// Whether waiting cannot cure it.
    pub(crate) const fn is_for_good(&self) -> bool {
        matches!(self, Self::Refused(_))
    }
}

/// A call.
#[derive(Debug)]
pub(crate) struct Post {
    /// Where, as [`signalbox_core::address::check_destination`] let it through.
    pub url: Url,
    /// Whether it may be on this machine or in its network.
    pub is_local: bool,
    /// Beside the content type, which is JSON.
    pub headers: Vec<(&'static str, String)>,
    /// What is sent.
    pub body: Vec<u8>,
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    /// Its status.
    pub status: u16,
    /// The pause it asks for. Units: seconds.
    pub retry_after_s: Option<u32>,
    /// The beginning of its text. The other side wrote it: it is data, and not to be trusted.
    pub text: String,
}

/// Makes a call.
pub(crate) async fn post(post: Post) -> Result<Answer, OutboundError> {
    tokio::time::timeout(CALL_WAIT, exchange(post)).await.map_err(|_| OutboundError::TimedOut)?
}

/// The addresses that a name leads to and that may be called.
pub(crate) async fn addresses(
    host: &str,
    port: u16,
    is_local: bool,
) -> Result<Vec<SocketAddr>, OutboundError> {
    let unresolved = |source| OutboundError::Unresolved { host: host.to_owned(), source };
    let found = tokio::time::timeout(CALL_WAIT, tokio::net::lookup_host((host, port)));
    let found = found.await.map_err(|_| OutboundError::TimedOut)?.map_err(unresolved)?;
    let (mut allowed, mut refusal) = (Vec::new(), None);
    for address in found {
        match may_call(address.ip(), is_local) {
            Ok(()) => allowed.push(address),
            Err(error) => refusal = Some(error),
        }
    }
    match refusal {
        Some(refusal) if allowed.is_empty() => Err(refusal.into()),
        _ => Ok(allowed),
    }
}

async fn exchange(post: Post) -> Result<Answer, OutboundError> {
    let Post { url, is_local, headers, body } = post;
    let client = client(&url, is_local).await?;
    let mut request = client.post(url).header(CONTENT_TYPE, "application/json").body(body);
    for (name, value) in headers {
        request = request.header(name, value);
    }
    let mut response = request.send().await.map_err(failed)?;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let mut read = Vec::new();
    while let Ok(Some(piece)) = response.chunk().await {
        let room = ANSWER_BYTES_MAX.saturating_sub(read.len());
        read.extend(piece.iter().take(room));
        if piece.len() >= room {
            break;
        }
    }
    let asked = headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse::<f64>().ok());
    Ok(Answer {
        status,
        retry_after_s: asked.and_then(whole_seconds),
        text: String::from_utf8_lossy(&read).chars().take(ANSWER_CHARS_KEPT).collect(),
    })
}

/// A client that can connect to the checked addresses of this one place.
async fn client(url: &Url, is_local: bool) -> Result<reqwest::Client, OutboundError> {
    let builder = reqwest::Client::builder()
        .user_agent(concat!("signalbox/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .no_proxy()
        .no_gzip()
        .https_only(!is_local)
        .pool_max_idle_per_host(0);
    let port = url.port_or_known_default().unwrap_or(443);
    let builder = match url.host() {
        None => return Err(InvalidDestination::Malformed.into()),
        Some(Host::Domain(name)) => builder.resolve_to_addrs(name, &addresses(name, port, is_local).await?),
        Some(Host::Ipv4(address)) => may_call(IpAddr::V4(address), is_local).map(|()| builder)?,
        Some(Host::Ipv6(address)) => may_call(IpAddr::V6(address), is_local).map(|()| builder)?,
    };
    builder.build().map_err(failed)
}

/// The innermost cause says why; the outermost would repeat the URL.
#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err takes")]
fn failed(error: reqwest::Error) -> OutboundError {
    let mut cause: &dyn std::error::Error = &error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    let why = if std::ptr::addr_eq(cause, &raw const error) {
        "the connection failed".to_owned()
    } else {
        cause.to_string()
    };
    OutboundError::Connection(why)
}

/// Seconds rounded up.
fn whole_seconds(seconds: f64) -> Option<u32> {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "held within the bounds first"
    )]
    let whole = seconds.ceil().clamp(0.0, f64::from(u32::MAX)) as u32;
    seconds.is_finite().then_some(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_name_that_leads_to_this_machine_is_called_only_where_that_is_meant() {
        let refused = addresses("localhost", 80, false).await;
        assert!(
            matches!(refused, Err(OutboundError::Refused(InvalidDestination::NotPublic(_)))),
            "{refused:?}"
        );
        let allowed = addresses("localhost", 80, true).await.unwrap();
        assert!(!allowed.is_empty() && allowed.iter().all(|address| address.ip().is_loopback()));
    }

    #[test]
    fn a_pause_is_whole_seconds_rounded_up() {
        assert_eq!(whole_seconds(0.3), Some(1));
        assert_eq!(whole_seconds(-1.0), Some(0));
        assert_eq!((whole_seconds(f64::NAN), whole_seconds(1e30)), (None, Some(u32::MAX)));
    }
}
