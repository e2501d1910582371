use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::Response;
use signalbox_core::failure::FailureKind;
use signalbox_core::usage::{Unit, Usage};
use tokio_util::task::TaskTracker;

use super::*;

/// What a server answers to any request, and how often it was asked.
#[derive(Clone)]
pub(super) struct Hostile {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
    asked: Arc<AtomicUsize>,
}

impl Hostile {
    pub(super) fn new(status: u16, kind: &'static str, body: impl Into<Bytes>) -> Self {
        let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static(kind))]);
        Self {
            status: StatusCode::from_u16(status).unwrap(),
            headers,
            body: body.into(),
            asked: Arc::new(AtomicUsize::new(0)),
        }
    }

    fn with(mut self, name: header::HeaderName, value: &str) -> Self {
        self.headers.insert(name, HeaderValue::from_str(value).unwrap());
        self
    }

    fn times_asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    /// Serves until the test's runtime ends; gives the base URL.
    pub(super) async fn serve(&self) -> String {
        let this = self.clone();
        let answer = move |_: Uri| {
            let this = this.clone();
            async move {
                this.asked.fetch_add(1, Ordering::SeqCst);
                let mut response = Response::new(Body::from(this.body));
                *response.status_mut() = this.status;
                response.headers_mut().extend(this.headers);
                response
            }
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/v1", listener.local_addr().unwrap());
        TaskTracker::new().spawn(async move { axum::serve(listener, Router::new().fallback(answer)).await });
        url
    }
}

async fn failures(base_url: &str) -> [CallError; 2] {
    let (account, call) = (account(ProviderKind::Openai, base_url), call(Surface::OpenaiChat, hello()));
    let complete = providers().complete(&account, &call).await.unwrap_err();
    let streamed = match providers().stream(&account, &call).await {
        Ok(mut stream) => play_out(&mut stream).await.1.unwrap_err(),
        Err(error) => error,
    };
    [complete, streamed]
}

#[tokio::test]
async fn a_redirect_is_never_followed_and_the_credential_stays_where_it_belongs() {
    let elsewhere = Hostile::new(200, "application/json", "{}");
    let target = elsewhere.serve().await;
    for status in [301, 302, 303, 307, 308] {
        let lure = Hostile::new(status, "text/plain", "moved").with(header::LOCATION, &target);
        for failure in failures(&lure.serve().await).await {
            assert_eq!((failure.kind, failure.http_status), (FailureKind::BadResponse, Some(status)));
        }
    }
    assert_eq!(elsewhere.times_asked(), 0);
}

#[tokio::test]
async fn a_credential_quoted_back_is_not_passed_on() {
    let body = json!({"error": {"message": format!("Incorrect API key provided: {SECRET}"), "code": "invalid_api_key"}});
    let echo = Hostile::new(401, "application/json", body.to_string()).serve().await;
    for failure in failures(&echo).await {
        assert_eq!(failure.kind, FailureKind::InvalidKey);
        assert!(!format!("{failure} {failure:?}").contains("0123456789"), "{failure:?}");
    }
    let account = account(ProviderKind::Openai, &echo);
    assert!(!format!("{account:?} {:?}", providers()).contains(SECRET));
}

#[tokio::test]
async fn a_web_page_is_no_answer() {
    let page = Hostile::new(200, "text/html; charset=utf-8", "<html>Sign in</html>").serve().await;
    for failure in failures(&page).await {
        assert_eq!(failure.kind, FailureKind::BadResponse);
    }
}

#[tokio::test]
async fn an_error_with_a_good_status_is_still_an_error() {
    let body = r#"{"error":{"message":"Rate limit reached","code":"rate_limit_exceeded"}}"#;
    let server = Hostile::new(200, "application/json", body).serve().await;
    for failure in failures(&server).await {
        assert_eq!((failure.kind, failure.http_status), (FailureKind::RateLimit, Some(200)));
    }
}

#[tokio::test]
async fn nobody_at_the_address_is_a_network_failure_without_the_credential() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    drop(listener);
    for failure in failures(&url).await {
        assert_eq!((failure.kind, failure.http_status), (FailureKind::Network, None));
        assert!(failure.message.starts_with("vendor could not be reached"), "{}", failure.message);
    }
}

#[tokio::test]
async fn an_endless_error_is_read_only_so_far() {
    let server = Hostile::new(500, "text/plain", vec![b'x'; 4 * 1024 * 1024]).serve().await;
    for failure in failures(&server).await {
        assert_eq!(failure.kind, FailureKind::ServerError);
        assert_eq!(failure.message.chars().count(), 500);
    }
}

#[tokio::test]
async fn an_answer_that_comes_whole_is_streamed_to_a_client_that_asked_for_a_stream() {
    let text = include_str!("../fixtures/openai/complete_tools.json");
    let server = Hostile::new(200, "application/json", text).serve().await;
    let account = account(ProviderKind::Openai, &server);
    for surface in [Surface::OpenaiChat, Surface::AnthropicMessages] {
        let mut stream = providers().stream(&account, &call(surface, hello())).await.unwrap();
        let (text, ended) = play_out(&mut stream).await;
        assert!(text.contains("get_current_weather") && text.contains("Boston"), "{text}");
        let expected = Usage::default().with(Unit::InputTokens, 82).with(Unit::OutputTokens, 17);
        assert_eq!(ended.unwrap().usage, expected);
        let terminal = match surface.family() {
            signalbox_core::ledger::WireFamily::Openai => "data: [DONE]\n\n",
            signalbox_core::ledger::WireFamily::Anthropic => {
                "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"
            }
        };
        assert!(text.ends_with(terminal), "{text}");
    }
}

#[tokio::test]
async fn a_complete_answer_is_forwarded_byte_for_byte() {
    for (kind, surface, text) in [
        (ProviderKind::Openai, Surface::OpenaiChat, include_str!("../fixtures/openai/openrouter.json")),
        (
            ProviderKind::Anthropic,
            Surface::AnthropicMessages,
            include_str!("../fixtures/anthropic/complete_tools.json"),
        ),
    ] {
        let server = Hostile::new(200, "application/json", text).serve().await;
        let answer = providers().complete(&account(kind, &server), &call(surface, hello())).await.unwrap();
        assert_eq!(answer.body, text.as_bytes());
    }
}

#[tokio::test]
async fn an_answer_cut_short_is_truncated_and_counted() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    TaskTracker::new().spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut request = vec![0; 4096];
        let _ = socket.read(&mut request).await;
        let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 5000\r\n\r\n";
        let _ = socket
            .write_all(format!("{head}{{\"choices\":[{{\"message\":{{\"content\":\"Once upon").as_bytes())
            .await;
    });
    let failure = providers()
        .complete(&account(ProviderKind::Openai, &url), &call(Surface::OpenaiChat, hello()))
        .await
        .unwrap_err();
    assert_eq!(failure.kind, FailureKind::Truncated);
    let metering = failure.metering.unwrap();
    assert!(metering.usage.tokens_in() > 0 && metering.usage.tokens_out() > 0);
}

#[tokio::test]
async fn a_provider_that_holds_no_chats_is_not_called() {
    let server = Hostile::new(200, "application/json", "{}");
    let account = account(ProviderKind::Deepgram, &server.serve().await);
    let failure = providers().complete(&account, &call(Surface::OpenaiChat, hello())).await.unwrap_err();
    assert!(failure.kind.fails_over());
    assert_eq!(server.times_asked(), 0);
}

#[tokio::test]
async fn a_request_this_providers_dialect_cannot_say_names_the_field_and_may_be_said_elsewhere() {
    let mut body = hello();
    body["n"] = json!(2);
    let server = Hostile::new(200, "application/json", "{}");
    let account = account(ProviderKind::Anthropic, &server.serve().await);
    let failure = providers().complete(&account, &call(Surface::OpenaiChat, body)).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Unsupported);
    assert!(failure.message.starts_with("n: "), "{}", failure.message);
    assert_eq!(server.times_asked(), 0);
}
