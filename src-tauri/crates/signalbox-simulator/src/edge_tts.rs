//! The wire of Edge's speech: a websocket that takes a text and gives MP3.
//!
//! Source: what is known of the undocumented service, github.com/rany2/edge-tts. Its token is checked for its form alone, for
//! the simulator has no clock. A voice whose name holds `Nobody` makes no sound.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::connect_info::ConnectInfo;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use futures::{SinkExt, StreamExt};
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::Role;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_util::sync::CancellationToken;

use crate::audio::WORD_MILLIS;
use crate::audio::file::mp3;
use crate::connection::Cut;
use crate::dials::{Dials, ErrorKind};
use crate::prompt::words;
use crate::record::InFlight;
use crate::server::Inner;

/// What every copy of the browser calls itself.
const CLIENT_TOKEN: &str = "6A5AA1D4EAFF4E9FB37E23D68491D6F4";

/// Bytes of sound in a message.
const MESSAGE_BYTES: usize = 1024;

/// `GET …/readaloud/voices/list`.
pub(crate) async fn voices(State(server): State<Arc<Inner>>, request: Request) -> Response {
    let (mut parts, _) = request.into_parts();
    let admitted = is_admitted(&parts.uri, "trustedclienttoken");
    let dials = server.dials.get();
    let in_flight = server.recorder.begin(&mut parts, &bytes::Bytes::new(), dials.observe);
    let always = dials.error_rate >= 1.0 && dials.fail_first_n == 0;
    let response = match refusal(dials.error).filter(|_| always) {
        Some(refusal) => refusal.into_response(),
        None if !admitted => StatusCode::FORBIDDEN.into_response(),
        None => axum::Json(json!([{"ShortName": "en-US-AvaMultilingualNeural", "Locale": "en-US"}]))
            .into_response(),
    };
    in_flight.finish();
    response
}

/// `GET …/readaloud/edge/v1`: the websocket.
pub(crate) async fn speak(
    State(server): State<Arc<Inner>>,
    ConnectInfo(cut): ConnectInfo<Cut>,
    mut request: Request,
) -> Response {
    let dials = server.dials.get();
    let upgrade = hyper::upgrade::on(&mut request);
    let (mut parts, _) = request.into_parts();
    let accept = accept_of(&parts.headers).filter(|_| is_admitted(&parts.uri, "TrustedClientToken"));
    let in_flight = server.recorder.begin(&mut parts, &bytes::Bytes::new(), dials.observe);
    let Some(accept) = accept else {
        in_flight.finish();
        return StatusCode::FORBIDDEN.into_response();
    };
    if let Err(response) = server.fated(&dials, &cut, refusal).await {
        in_flight.finish();
        return response;
    }
    let stop = server.stop.clone();
    server.tracker.spawn(async move {
        if let Ok(io) = upgrade.await {
            let socket = WebSocketStream::from_raw_socket(TokioIo::new(io), Role::Server, None).await;
            let talk = Talk { socket, dials, stop: stop.clone() };
            tokio::select! {
                () = stop.cancelled() => {}
                held = talk.hold(in_flight) => {
                    if let Err(error) = held {
                        tracing::debug!(%error, "a websocket broke");
                    }
                }
            }
        }
    });
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = [
        (header::CONNECTION, Some("Upgrade".parse())),
        (header::UPGRADE, Some("websocket".parse())),
        (header::SEC_WEBSOCKET_ACCEPT, Some(accept.parse())),
    ];
    for (name, value) in headers {
        if let Some(Ok(value)) = value {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

/// The service's answer to a fault; none where the fault is no error answer.
fn refusal(kind: ErrorKind) -> Option<(StatusCode, &'static str)> {
    Some(match kind {
        ErrorKind::RateLimit | ErrorKind::InsufficientQuota => (StatusCode::TOO_MANY_REQUESTS, ""),
        ErrorKind::Overloaded => (StatusCode::SERVICE_UNAVAILABLE, ""),
        ErrorKind::ServerError => (StatusCode::INTERNAL_SERVER_ERROR, ""),
        ErrorKind::InvalidKey | ErrorKind::PermissionDenied => (StatusCode::FORBIDDEN, ""),
        ErrorKind::ModelNotFound => (StatusCode::NOT_FOUND, ""),
        ErrorKind::BadRequest | ErrorKind::ContextLength | ErrorKind::ContentFilter => {
            (StatusCode::BAD_REQUEST, "")
        }
        ErrorKind::None
        | ErrorKind::BadGateway
        | ErrorKind::Timeout
        | ErrorKind::Refusal
        | ErrorKind::Malformed
        | ErrorKind::Empty
        | ErrorKind::Drop => return None,
    })
}

/// Whether the URL has the browser's name and a token of the right form.
fn is_admitted(uri: &Uri, client: &str) -> bool {
    let pairs = uri.query().unwrap_or_default().split('&').filter_map(|pair| pair.split_once('='));
    let one = |name: &str| pairs.clone().find(|(key, _)| *key == name).map(|(_, value)| value);
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'A'..=b'F').contains(&byte);
    one(client) == Some(CLIENT_TOKEN)
        && one("Sec-MS-GEC").is_some_and(|token| token.len() == 64 && token.bytes().all(is_digit))
        && one("Sec-MS-GEC-Version").is_some_and(|version| version.starts_with("1-"))
}

/// The answer to a websocket's key; none where no websocket is asked for.
fn accept_of(headers: &HeaderMap) -> Option<String> {
    let is_websocket =
        headers.get(header::UPGRADE)?.to_str().is_ok_and(|kind| kind.eq_ignore_ascii_case("websocket"));
    let key = headers.get(header::SEC_WEBSOCKET_KEY)?;
    is_websocket.then(|| derive_accept_key(key.as_bytes()))
}

/// One conversation.
struct Talk {
    socket: WebSocketStream<TokioIo<hyper::upgrade::Upgraded>>,
    dials: Arc<Dials>,
    stop: CancellationToken,
}

impl Talk {
    async fn hold(mut self, in_flight: InFlight) -> Result<(), Error> {
        let config = self.next_text().await?;
        let ssml = self.next_text().await?;
        let asks = config.contains("Path:speech.config") && ssml.contains("Path:ssml");
        if !asks || !config.contains("audio-24khz-48kbitrate-mono-mp3") {
            in_flight.finish();
            return self.socket.close(None).await;
        }
        self.say("turn.start").await?;
        self.say("response").await?;
        let text = ssml.split("volume='+0%'>").nth(1).and_then(|rest| rest.split("</prosody>").next());
        let text = text.unwrap_or_default();
        let sound = if ssml.contains("Nobody") { Vec::new() } else { mp3(words(text) * WORD_MILLIS) };
        for (index, chunk) in sound.chunks(MESSAGE_BYTES).enumerate() {
            if self.dials.stall_after_chunks == Some(index) {
                self.stop.cancelled().await;
            }
            if self.dials.truncate_after_chunks == Some(index) {
                in_flight.finish();
                return self.socket.close(None).await;
            }
            let head = b"X-RequestId:sim\r\nContent-Type:audio/mpeg\r\nX-StreamId:sim\r\nPath:audio\r\n";
            let length = u16::try_from(head.len()).unwrap_or(0).to_be_bytes();
            self.socket.send(Message::binary([&length[..], head, chunk].concat())).await?;
        }
        self.say("turn.end").await?;
        in_flight.finish();
        // The browser hangs up.
        while self.socket.next().await.is_some_and(|message| message.is_ok()) {}
        Ok(())
    }

    async fn next_text(&mut self) -> Result<String, Error> {
        match self.socket.next().await {
            Some(Ok(Message::Text(text))) => Ok(text.to_string()),
            Some(Ok(_)) | None => Err(Error::ConnectionClosed),
            Some(Err(error)) => Err(error),
        }
    }

    async fn say(&mut self, path: &str) -> Result<(), Error> {
        let head = "X-RequestId:sim\r\nContent-Type:application/json; charset=utf-8\r\n";
        self.socket.send(Message::text(format!("{head}Path:{path}\r\n\r\n{{}}"))).await
    }
}
