//! Edge's speech: the voices behind the browser's "read aloud", over a websocket.
//!
//! **Experimental.** Microsoft documents neither the service nor its token, promises nothing, and changes it about once a
//! year; a provider of this kind is off until somebody turns it on. It costs nothing, speaks MP3 alone, and takes no key.
//! What is known of it: github.com/rany2/edge-tts.

mod protocol;

use std::collections::HashMap;
use std::sync::{Mutex, OnceLock, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use futures::{SinkExt, StreamExt};
use reqwest::header::{CONNECTION, HeaderMap, HeaderValue, ORIGIN, UPGRADE};
use reqwest::{Response, StatusCode};
use signalbox_core::failure::FailureKind;
use signalbox_core::usage::{Unit, Usage};
use tokio::time::Instant;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::{client::generate_key, derive_accept_key};
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error as SocketError, Message};
use url::Url;

use self::protocol::{Incoming, Turn};
use super::spoken::{AudioFormat, SpeechRequest};
use super::{LIST_WAIT, estimated, json_of, refused, unsupported};
use crate::adapter::{ModelLister, SpeechAdapter};
use crate::call::{Account, Call, CallAnswer, CallError, Timeouts};
use crate::failure::failed;
use crate::http::{self, Http, answered_at, in_time, unreachable_provider};
use crate::request::join;

/// The one name under which all voices are listed: a voice is chosen by the request, not by the model.
const MODEL: &str = "edge-tts";

/// What the service takes for its browser.
const BROWSER_ORIGIN: HeaderValue =
    HeaderValue::from_static("chrome-extension://jdiccldimpdaibmpdkjnbmckianbfold");

/// Longest message of the service, and longest sound of one request.
const SOUND_BYTES_MAX: usize = 32 * 1024 * 1024;

/// A voice of the service for each name of `OpenAI`'s voices, so that a client need not know which vendor speaks.
const VOICES: [(&str, &str); 13] = [
    ("alloy", "en-US-AvaMultilingualNeural"),
    ("ash", "en-US-AndrewMultilingualNeural"),
    ("ballad", "en-GB-RyanNeural"),
    ("cedar", "en-US-EricNeural"),
    ("coral", "en-US-EmmaMultilingualNeural"),
    ("echo", "en-US-BrianMultilingualNeural"),
    ("fable", "en-GB-ThomasNeural"),
    ("marin", "en-GB-SoniaNeural"),
    ("nova", "en-US-JennyNeural"),
    ("onyx", "en-US-ChristopherNeural"),
    ("sage", "en-US-AriaNeural"),
    ("shimmer", "en-US-MichelleNeural"),
    ("verse", "en-US-GuyNeural"),
];

/// Edge's speech service.
#[derive(Debug)]
pub(crate) struct EdgeTts {
    /// Websockets begin as HTTP/1.1, which the client of all others would not speak; made when first needed.
    client: OnceLock<Option<reqwest::Client>>,
    /// What time each service said it was, and when: the token wants the service's clock, not ours.
    clocks: Mutex<HashMap<Url, (i64, Instant)>>,
}

impl EdgeTts {
    /// Over a client of its own.
    pub fn new(_: &Http) -> Self {
        Self { client: OnceLock::new(), clocks: Mutex::new(HashMap::new()) }
    }

    fn client(&self) -> Result<&reqwest::Client, CallError> {
        let client = self.client.get_or_init(|| http::base_client().http1_only().build().ok());
        client
            .as_ref()
            .ok_or_else(|| failed(FailureKind::Network, None, "the HTTP client could not be set up"))
    }

    /// Seconds since the Unix epoch by the service's own clock.
    async fn time(&self, account: &Account) -> Result<i64, CallError> {
        let known =
            self.clocks.lock().unwrap_or_else(PoisonError::into_inner).get(&account.base_url).copied();
        if let Some((said, at)) = known {
            return Ok(said.saturating_add(i64::try_from(at.elapsed().as_secs()).unwrap_or(i64::MAX)));
        }
        // Any answer carries the time, a refusal too.
        let asking = self.client()?.get(voices_url(account, 0)).send();
        let response = answer_of(account, in_time(LIST_WAIT, asking).await)?;
        self.set_clock(account, response.headers()).ok_or_else(|| {
            let message = format!("{} does not say what time it is: its URL is probably wrong", account.name);
            failed(FailureKind::BadResponse, Some(response.status().as_u16()), message)
        })
    }

    /// Takes the time from an answer.
    fn set_clock(&self, account: &Account, headers: &HeaderMap) -> Option<i64> {
        let said = Some(answered_at(headers)).filter(|seconds| *seconds > 0)?;
        let mut clocks = self.clocks.lock().unwrap_or_else(PoisonError::into_inner);
        clocks.insert(account.base_url.clone(), (said, Instant::now()));
        Some(said)
    }

    /// Opens a websocket. A token of the wrong time is refused together with the right time, so there is a second try.
    async fn open(&self, account: &Account, timeouts: Timeouts) -> Result<(Socket, i64), CallError> {
        let mut tries = 2;
        loop {
            tries -= 1;
            let now = self.time(account).await?;
            let key = generate_key();
            let asking = self
                .client()?
                .get(speak_url(account, now)?)
                .header(CONNECTION, "Upgrade")
                .header(UPGRADE, "websocket")
                .header("sec-websocket-version", "13")
                .header("sec-websocket-key", &key)
                .header(ORIGIN, BROWSER_ORIGIN)
                .header(reqwest::header::USER_AGENT, protocol::USER_AGENT)
                .header(reqwest::header::COOKIE, format!("muid={};", protocol::random_id()?.to_uppercase()))
                .send();
            let response = answer_of(account, in_time(timeouts.first_byte, asking).await)?;
            let status = response.status();
            if status == StatusCode::SWITCHING_PROTOCOLS {
                return Ok((upgraded(account, response, &key).await?, now));
            }
            if status.is_success() {
                return Err(no_websocket(account, status));
            }
            let is_new =
                self.set_clock(account, response.headers()).is_some_and(|said| (said - now).abs() > 60);
            if status == StatusCode::FORBIDDEN && is_new && tries > 0 {
                continue;
            }
            return Err(turned_away(account, response).await);
        }
    }

    /// Speaks one piece of a text on a connection of its own.
    async fn piece(
        &self,
        account: &Account,
        timeouts: Timeouts,
        turn: &Turn<'_>,
        sound: &mut Vec<u8>,
    ) -> Result<(), CallError> {
        let (mut socket, now) = self.open(account, timeouts).await?;
        for message in turn.messages(now)? {
            let sending = in_time(timeouts.idle, socket.send(Message::text(message))).await;
            sending.ok_or_else(|| silent(account, timeouts))?.map_err(|error| broken(account, &error))?;
        }
        let before = sound.len();
        loop {
            let message = match in_time(timeouts.idle, socket.next()).await {
                None => return Err(silent(account, timeouts)),
                Some(None | Some(Ok(Message::Close(_)))) => {
                    let message = format!("{} hung up before the end of the speech", account.name);
                    return Err(failed(FailureKind::Truncated, None, message));
                }
                Some(Some(Err(error))) => return Err(broken(account, &error)),
                Some(Some(Ok(message))) => message,
            };
            match protocol::read(&message) {
                Some(Incoming::Sound(more)) if sound.len().saturating_add(more.len()) <= SOUND_BYTES_MAX => {
                    sound.extend_from_slice(more);
                }
                Some(Incoming::End) => break,
                Some(Incoming::Other) => {}
                Some(Incoming::Sound(_)) | None => {
                    let message = format!("{} sent something that is no speech", account.name);
                    return Err(failed(FailureKind::BadResponse, None, message));
                }
            }
        }
        // The service has got what it needs to know; whether it hears a good-bye does not matter.
        let _ = in_time(timeouts.idle, socket.close(None)).await;
        if sound.len() == before {
            let message = format!("{} made no sound of the text: the voice may not exist", account.name);
            return Err(failed(FailureKind::ModelNotFound, None, message));
        }
        Ok(())
    }
}

/// A websocket over whatever the HTTP client connected with.
type Socket = WebSocketStream<reqwest::Upgraded>;

#[async_trait]
impl SpeechAdapter for EdgeTts {
    /// `instructions` are left out: the voices take none.
    async fn speak(&self, account: &Account, call: &Call) -> Result<CallAnswer, CallError> {
        let request = SpeechRequest::read(json_of(call)?).map_err(refused)?;
        if request.format != AudioFormat::Mp3 {
            let (wanted, has) = (request.format.as_str(), AudioFormat::Mp3.as_str());
            return Err(unsupported(account, "response_format", wanted, has));
        }
        let voice = voice_of(account, request.voice)?;
        let mut sound = Vec::new();
        // The frames of several MP3 files one after the other are one file.
        for text in protocol::pieces(request.input) {
            let turn = Turn { voice, text: &text, speed: request.speed };
            self.piece(account, call.timeouts, &turn, &mut sound).await?;
        }
        // Free, so there is nothing to report; what was spoken is counted all the same.
        let metering = estimated(Usage::default().with(Unit::Characters, request.characters()));
        let content_type = AudioFormat::Mp3.content_type().into();
        Ok(CallAnswer { body: Bytes::from(sound), content_type, metering, http_status: 200, headroom: None })
    }
}

#[async_trait]
impl ModelLister for EdgeTts {
    async fn list_models(&self, account: &Account) -> Result<Vec<String>, CallError> {
        let now = self.time(account).await?;
        let asking = self.client()?.get(voices_url(account, now)).send();
        let response = answer_of(account, in_time(LIST_WAIT, asking).await)?;
        if response.status().is_success() {
            Ok(vec![MODEL.to_owned()])
        } else {
            Err(turned_away(account, response).await)
        }
    }
}

fn voices_url(account: &Account, now: i64) -> Url {
    let mut url = join(&account.base_url, "/consumer/speech/synthesize/readaloud/voices/list");
    url.query_pairs_mut()
        .append_pair("trustedclienttoken", protocol::CLIENT_TOKEN)
        .append_pair("Sec-MS-GEC", &protocol::token(now))
        .append_pair("Sec-MS-GEC-Version", protocol::VERSION);
    url
}

fn speak_url(account: &Account, now: i64) -> Result<Url, CallError> {
    let mut url = join(&account.base_url, "/consumer/speech/synthesize/readaloud/edge/v1");
    url.query_pairs_mut()
        .append_pair("TrustedClientToken", protocol::CLIENT_TOKEN)
        .append_pair("ConnectionId", &protocol::random_id()?)
        .append_pair("Sec-MS-GEC", &protocol::token(now))
        .append_pair("Sec-MS-GEC-Version", protocol::VERSION);
    Ok(url)
}

/// The service's name of a voice: such a name as it is, or the voice that stands for a name of `OpenAI`'s.
fn voice_of<'a>(account: &Account, voice: &'a str) -> Result<&'a str, CallError> {
    if let Some((_, name)) = VOICES.iter().find(|(name, _)| voice.eq_ignore_ascii_case(name)) {
        return Ok(name);
    }
    let is_name = voice.ends_with("Neural")
        && voice.len() <= 64
        && voice.matches('-').count() >= 2
        && voice.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let names = || VOICES.map(|(name, _)| name).join(", ");
    if is_name {
        Ok(voice)
    } else {
        let has = format!("{} and names such as en-GB-SoniaNeural", names());
        Err(unsupported(account, "voice", voice, &has))
    }
}

fn answer_of(account: &Account, sent: Option<reqwest::Result<Response>>) -> Result<Response, CallError> {
    match sent {
        None => Err(failed(FailureKind::Timeout, None, format!("{} did not begin to answer", account.name))),
        Some(Err(error)) => Err(unreachable_provider(account, None, error)),
        Some(Ok(response)) => Ok(response),
    }
}

async fn upgraded(account: &Account, response: Response, key: &str) -> Result<Socket, CallError> {
    let accepted = response.headers().get("sec-websocket-accept").and_then(|accept| accept.to_str().ok());
    if accepted != Some(derive_accept_key(key.as_bytes()).as_str()) {
        return Err(no_websocket(account, response.status()));
    }
    let stream = response.upgrade().await.map_err(|error| unreachable_provider(account, None, error))?;
    let config = WebSocketConfig::default().max_message_size(Some(SOUND_BYTES_MAX));
    Ok(WebSocketStream::from_raw_socket(stream, Role::Client, Some(config)).await)
}

fn no_websocket(account: &Account, status: StatusCode) -> CallError {
    let message =
        format!("{} does not speak the websocket protocol: its URL is probably wrong", account.name);
    failed(FailureKind::BadResponse, Some(status.as_u16()), message)
}

/// A refusal. There is no key that could be wrong: who is turned away speaks an outdated protocol.
async fn turned_away(account: &Account, response: Response) -> CallError {
    let error = http::refusal(account, None, response).await;
    if error.kind != FailureKind::InvalidKey {
        return error;
    }
    let message = format!(
        "{} turned us away: the service changes without notice and this adapter is experimental",
        account.name
    );
    CallError { kind: FailureKind::BadResponse, message, ..error }
}

fn silent(account: &Account, timeouts: Timeouts) -> CallError {
    let message = format!("{} was silent for {} ms", account.name, timeouts.idle.as_millis());
    failed(FailureKind::Timeout, None, message)
}

fn broken(account: &Account, error: &SocketError) -> CallError {
    let kind = match error {
        SocketError::Capacity(_) | SocketError::Protocol(_) | SocketError::Utf8(_) => {
            FailureKind::BadResponse
        }
        _ => FailureKind::Truncated,
    };
    failed(kind, None, format!("{} broke the connection: {error}", account.name))
}
