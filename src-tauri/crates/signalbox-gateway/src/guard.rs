//! What every request passes first, whatever it asks for: no web page gets through, whichever name it uses for us.
//!
//! A page in a browser can send requests to this machine, and after DNS rebinding even read the answers. So the name in
//! `Host` must be one of ours with our port, an `Origin` must be listed, and what the browser itself says of the
//! request's site must not be foreign. There are no CORS headers, no cookies, and no GET with effects.
//! Sources: <https://www.w3.org/TR/fetch-metadata/>, <https://www.rfc-editor.org/rfc/rfc9112#section-3.2>.

use std::net::{IpAddr, SocketAddr};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures::FutureExt;
use signalbox_core::ledger::Surface;

use crate::body::discard;
use crate::fault::Fault;
use crate::gateway::{Exposure, Shared};

/// Request line and headers together. Units: bytes.
pub(crate) const HEADER_BYTES_MAX: usize = 32 * 1024;

/// Names the gateway answers to and origins it lets in.
#[derive(Debug)]
pub(crate) struct Doors {
    hosts: Vec<String>,
    origins: Vec<String>,
}

impl Doors {
    pub(crate) fn new(addr: SocketAddr, exposure: &Exposure) -> Self {
        let port = addr.port();
        let mut names = vec!["127.0.0.1".to_owned(), "localhost".to_owned(), "[::1]".to_owned()];
        match addr.ip() {
            ip if ip.is_unspecified() => {}
            IpAddr::V4(ip) => names.push(ip.to_string()),
            IpAddr::V6(ip) => names.push(format!("[{ip}]")),
        }
        let mut hosts: Vec<String> = names.iter().map(|name| format!("{name}:{port}")).collect();
        if port == 80 {
            // The port that clients leave out.
            hosts.extend(names);
        }
        for host in exposure.hosts.iter().map(|host| host.to_ascii_lowercase()) {
            hosts.push(format!("{host}:{port}"));
            hosts.push(host);
        }
        let origins = exposure.origins.iter().map(|origin| origin.to_ascii_lowercase()).collect();
        Self { hosts, origins }
    }

    /// Lets a request in or says why not.
    pub(crate) fn admit(&self, method: &Method, uri: &Uri, headers: &HeaderMap) -> Result<(), Fault> {
        check_size(uri, headers)?;
        if method == Method::CONNECT {
            return Err(Fault::wrong_method("Signalbox is no proxy: it does not take CONNECT."));
        }
        self.check_host(uri, headers)?;
        self.check_origin(headers)?;
        check_fetch_site(headers)
    }

    fn check_host(&self, uri: &Uri, headers: &HeaderMap) -> Result<(), Fault> {
        let mut hosts = headers.get_all(header::HOST).iter();
        let (Some(host), None) = (hosts.next(), hosts.next()) else {
            return Err(Fault::host("The request must have exactly one Host header."));
        };
        let known = |name: &[u8]| self.hosts.iter().any(|own| own.as_bytes().eq_ignore_ascii_case(name));
        if !known(host.as_bytes()) {
            return Err(Fault::host(format!(
                "`{}` is not a name of this Signalbox; use {}.",
                shown(host),
                self.hosts.first().map_or("127.0.0.1", String::as_str)
            )));
        }
        match uri.authority() {
            Some(authority) if !authority.as_str().as_bytes().eq_ignore_ascii_case(host.as_bytes()) => {
                Err(Fault::host("The request line and the Host header name different hosts."))
            }
            _ => Ok(()),
        }
    }

    fn check_origin(&self, headers: &HeaderMap) -> Result<(), Fault> {
        let listed = |origin: &HeaderValue| {
            self.origins.iter().any(|own| own.as_bytes().eq_ignore_ascii_case(origin.as_bytes()))
        };
        match headers.get_all(header::ORIGIN).iter().find(|origin| !listed(origin)) {
            Some(origin) => Err(Fault::origin(format!(
                "Web pages may not call Signalbox; this request comes from `{}`. Call it from a program.",
                shown(origin)
            ))),
            None => Ok(()),
        }
    }
}

fn check_size(uri: &Uri, headers: &HeaderMap) -> Result<(), Fault> {
    let path = uri.path_and_query().map_or(0, |path| path.as_str().len());
    let size = headers.iter().fold(path, |sum, (name, value)| sum + name.as_str().len() + value.len() + 4);
    if size > HEADER_BYTES_MAX {
        let kilobytes = HEADER_BYTES_MAX / 1024;
        return Err(Fault::headers_too_large(format!(
            "The request's headers are larger than {kilobytes} KB."
        )));
    }
    Ok(())
}

/// `none` is a person who typed the address, `same-origin` a page of our own; there is none, and it could not be foreign.
fn check_fetch_site(headers: &HeaderMap) -> Result<(), Fault> {
    let foreign = |site: &&HeaderValue| {
        !site.as_bytes().eq_ignore_ascii_case(b"none")
            && !site.as_bytes().eq_ignore_ascii_case(b"same-origin")
    };
    match headers.get_all("sec-fetch-site").iter().find(foreign) {
        Some(site) => Err(Fault::origin(format!(
            "Web pages may not call Signalbox; the browser says that this request is {}.",
            shown(site)
        ))),
        None => Ok(()),
    }
}

/// A header's value for a message: short, without control characters.
fn shown(value: &HeaderValue) -> String {
    String::from_utf8_lossy(value.as_bytes()).chars().filter(|c| !c.is_control()).take(80).collect()
}

/// The API whose shape an error takes.
pub(crate) fn surface_of(request: &Request) -> Surface {
    let anthropic = request.uri().path().starts_with("/v1/messages")
        || request.headers().contains_key("anthropic-version");
    if anthropic { Surface::AnthropicMessages } else { Surface::OpenaiChat }
}

/// The layer around every route: admits, and turns a panic into an answer.
pub(crate) async fn guard(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let surface = surface_of(&request);
    if let Err(fault) = shared.doors.admit(request.method(), request.uri(), request.headers()) {
        tracing::debug!(code = fault.code, "refused at the door");
        let (parts, body) = request.into_parts();
        discard(&shared.tasks, &parts.headers, body);
        return fault.for_surface(surface).into_response();
    }
    unless_panic(surface, next.run(request)).await
}

/// A panic ends its request, not the connection: the client hears that it was our fault.
async fn unless_panic(surface: Surface, response: impl Future<Output = Response>) -> Response {
    match AssertUnwindSafe(response).catch_unwind().await {
        Ok(response) => response,
        Err(panic) => {
            let words = panic
                .downcast_ref::<String>()
                .map(String::as_str)
                .or_else(|| panic.downcast_ref::<&str>().copied())
                .unwrap_or("no words");
            tracing::error!(panic = words, "a request's handler panicked");
            Fault::internal().for_surface(surface).into_response()
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderName;

    use super::*;

    fn doors() -> Doors {
        let origins = vec!["https://desk.example".to_owned()];
        Doors::new("127.0.0.1:4180".parse().unwrap(), &Exposure { origins, ..Exposure::default() })
    }

    fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (name.parse::<HeaderName>().unwrap(), value.parse::<HeaderValue>().unwrap()))
            .fold(HeaderMap::new(), |mut map, (name, value)| {
                map.append(name, value);
                map
            })
    }

    fn status(uri: &str, pairs: &[(&str, &str)]) -> u16 {
        let result = doors().admit(&Method::POST, &uri.parse().unwrap(), &headers(pairs));
        result.map_or_else(|fault| fault.status.as_u16(), |()| 200)
    }

    #[test]
    fn only_our_own_names_with_our_port_are_answered() {
        for host in ["127.0.0.1:4180", "localhost:4180", "LocalHost:4180", "[::1]:4180"] {
            assert_eq!(status("/v1/models", &[("host", host)]), 200, "{host}");
        }
        for host in [
            "",
            "127.0.0.1",
            "localhost",
            "127.0.0.1:4181",
            "evil.example:4180",
            "localhost.:4180",
            "127.0.0.2:4180",
            "0.0.0.0:4180",
            "2130706433:4180",
            "127.1:4180",
            "localhost:4180:80",
            "user@localhost:4180",
            "127.0.0.1:4180, evil.example",
            "[::ffff:127.0.0.1]:4180",
            "localhost:04180",
        ] {
            assert_eq!(status("/v1/models", &[("host", host)]), 400, "{host}");
        }
    }

    #[test]
    fn a_missing_a_second_and_a_contradicted_host_are_refused() {
        assert_eq!(status("/v1/models", &[]), 400);
        assert_eq!(status("/v1/models", &[("host", "localhost:4180"), ("host", "localhost:4180")]), 400);
        let absolute = |host: &str| status("http://localhost:4180/v1/models", &[("host", host)]);
        assert_eq!(absolute("localhost:4180"), 200);
        assert_eq!(absolute("127.0.0.1:4180"), 400);
        assert_eq!(status("http://evil.example/v1/models", &[("host", "localhost:4180")]), 400);
        assert_eq!(status("http://u@localhost:4180/v1/models", &[("host", "localhost:4180")]), 400);
    }

    #[test]
    fn foreign_origins_and_foreign_sites_are_refused() {
        let from = |pairs: &[(&str, &str)]| {
            let mut all = vec![("host", "localhost:4180")];
            all.extend_from_slice(pairs);
            status("/v1/models", &all)
        };
        assert_eq!(from(&[("origin", "https://desk.example")]), 200);
        for origin in
            ["null", "http://localhost:4180", "https://evil.example", "https://desk.example.evil", ""]
        {
            assert_eq!(from(&[("origin", origin)]), 403, "{origin}");
        }
        assert_eq!(from(&[("origin", "https://desk.example"), ("origin", "https://evil.example")]), 403);
        for (site, expected) in [
            ("none", 200),
            ("same-origin", 200),
            ("same-site", 403),
            ("cross-site", 403),
            ("future-value", 403),
        ] {
            assert_eq!(from(&[("sec-fetch-site", site)]), expected, "{site}");
        }
    }

    #[test]
    fn of_ten_thousand_header_combinations_only_those_with_no_foreign_part_get_in() {
        let hosts = [
            Some("127.0.0.1:4180"),
            Some("localhost:4180"),
            Some("[::1]:4180"),
            None,
            Some("evil.example"),
            Some("evil.example:4180"),
            Some("127.0.0.1"),
            Some("localhost:80"),
            Some("[::1]"),
            Some("0:4180"),
            Some("localhost"),
            Some("127.0.0.1:4180.evil.example"),
        ];
        let origins = [
            None,
            Some("https://desk.example"),
            Some("null"),
            Some("http://127.0.0.1:4180"),
            Some("http://localhost:4180"),
            Some("https://evil.example"),
            Some("file://"),
            Some("https://desk.example:8443"),
            Some("chrome-extension://x"),
            Some(" "),
        ];
        let sites =
            [None, Some("none"), Some("same-origin"), Some("same-site"), Some("cross-site"), Some("?")];
        let uris = [
            "/v1/chat/completions",
            "/v1/models",
            "http://evil.example/v1/models",
            "http://localhost:4180/v1/models",
            "/",
        ];
        let second_hosts = [None, Some("127.0.0.1:4180"), Some("evil.example")];
        let (mut tried, mut passed) = (0, 0);
        let all = hosts.len() * origins.len() * sites.len() * uris.len() * second_hosts.len();
        for nth in 0..all {
            let mut rest = nth;
            let mut pick = |among: usize| {
                let picked = rest % among;
                rest /= among;
                picked
            };
            let (host, origin, site) =
                (hosts[pick(hosts.len())], origins[pick(origins.len())], sites[pick(sites.len())]);
            let (uri, second) = (uris[pick(uris.len())], second_hosts[pick(second_hosts.len())]);
            let pairs: Vec<(&str, &str)> =
                [("host", host), ("host", second), ("origin", origin), ("sec-fetch-site", site)]
                    .into_iter()
                    .filter_map(|(name, value)| value.map(|value| (name, value)))
                    .collect();
            let named: Vec<&str> = [host, second].into_iter().flatten().collect();
            let ours = matches!(named[..], ["127.0.0.1:4180" | "localhost:4180" | "[::1]:4180"])
                && (uri.starts_with('/')
                    || named == ["localhost:4180"] && uri.starts_with("http://localhost:4180"));
            let fair = ours
                && matches!(origin, None | Some("https://desk.example"))
                && matches!(site, None | Some("none" | "same-origin"));
            tried += 1;
            passed += usize::from(fair);
            assert_eq!(status(uri, &pairs) == 200, fair, "{uri} {pairs:?}");
        }
        assert!(tried >= 10_000 && passed > 0, "{tried} tried, {passed} passed");
    }

    #[test]
    fn headers_beyond_their_limit_and_tunnels_are_refused() {
        let long = "x".repeat(HEADER_BYTES_MAX);
        assert_eq!(status("/v1/models", &[("host", "localhost:4180"), ("x-long", &long)]), 431);
        let headers = headers(&[("host", "localhost:4180")]);
        let fault =
            doors().admit(&Method::CONNECT, &"localhost:4180".parse().unwrap(), &headers).unwrap_err();
        assert_eq!(fault.status, 405);
    }

    #[tokio::test]
    async fn a_panic_is_answered_in_the_shape_of_the_surface_without_its_words() {
        let response = unless_panic(Surface::AnthropicMessages, async { panic!("secret detail") }).await;
        assert_eq!(response.status(), 500);
        let body = axum::body::to_bytes(response.into_body(), 10_000).await.unwrap();
        let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!((&body["type"], &body["error"]["code"]), (&"error".into(), &"internal".into()));
        assert!(!body.to_string().contains("secret detail"));
    }
}
