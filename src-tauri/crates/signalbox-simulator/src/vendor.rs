//! The vendors' wires behind one face: who may ask, what is asked, how an answer or a fault is written.

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde_json::{Value, json};

use crate::answer::{Answer, answer, refusal};
use crate::dials::{Dials, ErrorKind};
use crate::gemini::target::{Method, Target};
use crate::prompt::{Last, Prompt};
use crate::script::{End, Frame, FrameWriter, StreamError};
use crate::usage::{Counts, reported};
use crate::{anthropic, gemini, openai, responses};

/// A wire format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Vendor {
    OpenAi,
    OpenAiResponses,
    Anthropic,
    Gemini,
}

/// A checked request on either wire.
#[derive(Debug)]
pub(crate) struct Asked<'a> {
    pub vendor: Vendor,
    pub model: String,
    pub stream: bool,
    pub include_usage: bool,
    pub prompt: Prompt<'a>,
    pub gemini: GeminiWish,
}

/// What only the Gemini wire can ask for.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct GeminiWish {
    pub shows_thoughts: bool,
    /// All chunks of a stream as one list.
    pub as_list: bool,
}

/// An answer ready to be sent.
#[derive(Debug)]
pub(crate) enum Written {
    Complete(Bytes),
    Stream(Vec<Frame>),
}

/// A status with an error body in the vendor's shape.
pub(crate) type VendorError = (StatusCode, Value);

impl Vendor {
    /// Refuses a missing or wrong key, and what else the vendor demands of the headers.
    pub fn admit(self, headers: &HeaderMap, dials: &Dials) -> Result<(), VendorError> {
        let key = self.key(headers);
        let wanted = dials.api_key.as_deref();
        let admitted = match key {
            Some(key) => wanted.is_none_or(|wanted| wanted == key),
            None => wanted.is_none() && !dials.require_key,
        };
        if !admitted {
            return Err(match self {
                Self::OpenAi | Self::OpenAiResponses => openai::error::unauthorized(key.is_some()),
                Self::Anthropic => anthropic::error::unauthorized(key.is_some()),
                Self::Gemini => gemini::error::unauthorized(key.is_some()),
            });
        }
        if self == Self::Anthropic && !headers.contains_key("anthropic-version") {
            return Err(anthropic::error::invalid("anthropic-version: header is required"));
        }
        Ok(())
    }

    fn key(self, headers: &HeaderMap) -> Option<&str> {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let bearer = text("authorization").and_then(|value| value.strip_prefix("Bearer "));
        let key = match self {
            Self::OpenAi | Self::OpenAiResponses => bearer,
            Self::Anthropic => text("x-api-key").or(bearer),
            // A key in the URL, which the vendor takes too, would stand in the record.
            Self::Gemini => text("x-goog-api-key"),
        };
        key.filter(|key| !key.is_empty())
    }

    /// Reads and checks a request for an answer; `target` is what the URL says on the Gemini wire.
    pub fn read(self, body: &[u8], target: Option<Target>) -> Result<Asked<'_>, VendorError> {
        match self {
            Self::OpenAi | Self::OpenAiResponses => {
                let checked = match self {
                    Self::OpenAiResponses => responses::request::check(body),
                    _ => openai::request::check(body),
                };
                let checked =
                    checked.map_err(|refused| openai::error::invalid(&refused.message, refused.param))?;
                Ok(Asked {
                    vendor: self,
                    model: checked.model,
                    stream: checked.stream,
                    include_usage: checked.include_usage,
                    prompt: checked.prompt,
                    gemini: GeminiWish::default(),
                })
            }
            Self::Anthropic => {
                let checked = anthropic::request::check(body, true)
                    .map_err(|message| anthropic::error::invalid(&message))?;
                Ok(Asked {
                    vendor: self,
                    model: checked.model,
                    stream: checked.stream,
                    include_usage: true,
                    prompt: checked.prompt,
                    gemini: GeminiWish::default(),
                })
            }
            Self::Gemini => {
                let target = target.ok_or_else(|| gemini::error::not_found("Not Found"))?;
                let checked = gemini::request::check(body, &target.model)
                    .map_err(|message| gemini::error::invalid(&message))?;
                Ok(Asked {
                    vendor: self,
                    model: target.model,
                    stream: target.method == Method::Stream { events: true },
                    include_usage: true,
                    prompt: checked.prompt,
                    gemini: GeminiWish {
                        shows_thoughts: checked.shows_thoughts,
                        as_list: target.method == Method::Stream { events: false },
                    },
                })
            }
        }
    }

    /// A body beyond the simulator's limit.
    pub fn too_large(self) -> VendorError {
        let message = "Request exceeds the maximum size";
        let body = match self {
            Self::OpenAi | Self::OpenAiResponses => {
                openai::error::body(message, "invalid_request_error", None, None)
            }
            Self::Anthropic => anthropic::error::body("request_too_large", message),
            Self::Gemini => return gemini::error::too_large(),
        };
        (StatusCode::PAYLOAD_TOO_LARGE, body)
    }

    /// A path or method the vendor does not have.
    pub fn unknown_path(self, method: &str, path: &str) -> VendorError {
        let body = match self {
            Self::OpenAi | Self::OpenAiResponses => openai::error::body(
                &format!("Invalid URL ({method} {path})"),
                "invalid_request_error",
                None,
                Some("unknown_url"),
            ),
            Self::Anthropic => anthropic::error::body("not_found_error", "Not Found"),
            Self::Gemini => return gemini::error::not_found(&format!("{method} {path} is not found.")),
        };
        (StatusCode::NOT_FOUND, body)
    }

    /// Unusable dials in a header.
    pub fn bad_dials(self, message: &str) -> VendorError {
        match self {
            Self::OpenAi | Self::OpenAiResponses => openai::error::invalid(message, None),
            Self::Anthropic => anthropic::error::invalid(message),
            Self::Gemini => gemini::error::invalid(message),
        }
    }

    /// Whether the vendor answers a request that goes wrong like this as it answers any other, with a good status.
    pub fn answers(self, kind: ErrorKind) -> bool {
        match kind {
            ErrorKind::None | ErrorKind::Refusal => true,
            ErrorKind::ContentFilter => self == Self::Gemini,
            _ => false,
        }
    }

    /// The vendor's answer to a fault; none where the fault is no error answer.
    pub fn fault(self, kind: ErrorKind, model: &str) -> Option<VendorError> {
        match self {
            Self::OpenAi | Self::OpenAiResponses => openai::error::of_fault(kind, model),
            Self::Anthropic => anthropic::error::of_fault(kind, model),
            Self::Gemini => gemini::error::of_fault(kind, model),
        }
    }

    /// How a fault shows itself once a stream has begun.
    pub fn stream_fault(self, kind: ErrorKind, model: &str) -> Option<StreamError> {
        let garbage = || Some(Bytes::from_static(b"data: {\"choices\":[{\"del\n\n"));
        match kind {
            ErrorKind::None | ErrorKind::Refusal => None,
            ErrorKind::Timeout => Some(StreamError { event: None, end: End::Stall }),
            ErrorKind::Drop => Some(StreamError { event: None, end: End::Cut }),
            ErrorKind::Empty => Some(StreamError { event: None, end: End::Whole }),
            ErrorKind::Malformed => Some(StreamError { event: garbage(), end: End::Whole }),
            _ => {
                let (_, body) =
                    self.fault(kind, model).or_else(|| self.fault(ErrorKind::ServerError, model))?;
                let mut writer = FrameWriter::default();
                match self {
                    Self::OpenAi | Self::Gemini => writer.event(None, &body, false),
                    Self::OpenAiResponses => {
                        writer.event(Some("error"), &responses::error::event(&body), false);
                    }
                    Self::Anthropic => writer.event(Some("error"), &body, false),
                }
                let event = writer.frames().pop().map(|frame| frame.bytes);
                Some(StreamError { event, end: End::Whole })
            }
        }
    }

    /// The list of models.
    pub fn models(self, models: &[String]) -> Value {
        match self {
            Self::OpenAi | Self::OpenAiResponses => json!({
                "object": "list",
                "data": models.iter().map(|id| self.model(id)).collect::<Vec<_>>(),
            }),
            Self::Anthropic => json!({
                "data": models.iter().map(|id| self.model(id)).collect::<Vec<_>>(),
                "has_more": false,
                "first_id": models.first(),
                "last_id": models.last(),
            }),
            Self::Gemini => json!({"models": models.iter().map(|id| self.model(id)).collect::<Vec<_>>()}),
        }
    }

    /// One model of the list.
    pub fn model(self, id: &str) -> Value {
        match self {
            Self::OpenAi | Self::OpenAiResponses => {
                json!({"id": id, "object": "model", "created": 1_760_000_000, "owned_by": "simulator"})
            }
            Self::Anthropic => {
                json!({"type": "model", "id": id, "display_name": id, "created_at": "2026-01-01T00:00:00Z"})
            }
            Self::Gemini => json!({
                "name": format!("models/{id}"), "version": "001", "displayName": id, "inputTokenLimit": 1_048_576,
                "outputTokenLimit": 65_536, "supportedGenerationMethods": ["generateContent", "countTokens"],
            }),
        }
    }

    /// Name of the header with the vendor's id of a request.
    pub fn request_id_header(self) -> HeaderName {
        match self {
            // Google's answers carry their id in the body; the header is for whoever reads along.
            Self::OpenAi | Self::OpenAiResponses | Self::Gemini => HeaderName::from_static("x-request-id"),
            Self::Anthropic => HeaderName::from_static("request-id"),
        }
    }

    /// An error as a response, with the headers the vendor adds.
    pub fn respond((status, mut body): VendorError, dials: &Dials) -> Response {
        if gemini::error::add_wait(&mut body, dials.retry_after_s) {
            return (status, axum::Json(body)).into_response();
        }
        let mut response = (status, axum::Json(body)).into_response();
        if status == StatusCode::TOO_MANY_REQUESTS
            && let Some(seconds) = dials.retry_after_s
            && let Ok(value) = HeaderValue::from_str(&seconds.to_string())
        {
            response.headers_mut().insert(header::RETRY_AFTER, value);
        }
        response
    }
}

impl Asked<'_> {
    /// The answer in the vendor's format.
    pub fn write(&self, dials: &Dials, seq: u64, fault: ErrorKind) -> Written {
        let blocked = fault == ErrorKind::ContentFilter && dials.error_after_chunks.is_none();
        let answer = match fault {
            ErrorKind::Refusal => refusal(),
            _ if blocked => Answer { text: String::new(), ..refusal() },
            _ => answer(&self.prompt, dials),
        };
        let counts = Counts::of(&self.prompt, &answer, dials);
        match self.vendor {
            Vendor::Gemini => {
                self.write_gemini(&answer, reported(counts.gemini(), dials).as_ref(), dials, seq, blocked)
            }
            Vendor::OpenAi => {
                self.write_openai(&answer, reported(counts.openai(), dials).as_ref(), dials, seq)
            }
            Vendor::OpenAiResponses => {
                self.write_responses(&answer, reported(counts.responses(), dials).as_ref(), dials, seq)
            }
            Vendor::Anthropic => {
                self.write_anthropic(&answer, reported(counts.anthropic(), dials).as_ref(), dials, seq)
            }
        }
    }

    fn write_openai(&self, answer: &Answer, usage: Option<&Value>, dials: &Dials, seq: u64) -> Written {
        let reply = openai::reply::Reply {
            seq,
            model: &self.model,
            answer,
            usage,
            include_usage: self.include_usage,
            dials,
        };
        if self.stream { Written::Stream(reply.stream()) } else { Written::Complete(reply.complete().into()) }
    }

    fn write_responses(&self, answer: &Answer, usage: Option<&Value>, dials: &Dials, seq: u64) -> Written {
        let asks =
            matches!(&self.prompt.last, Last::User(text) if text.to_lowercase().contains("search the web"));
        let reply = responses::reply::Reply {
            seq,
            model: &self.model,
            answer,
            usage,
            searches: self.prompt.searches && asks,
            dials,
        };
        if self.stream { Written::Stream(reply.stream()) } else { Written::Complete(reply.complete().into()) }
    }

    fn write_gemini(
        &self,
        answer: &Answer,
        usage: Option<&Value>,
        dials: &Dials,
        seq: u64,
        blocked: bool,
    ) -> Written {
        let GeminiWish { shows_thoughts, as_list } = self.gemini;
        let reply =
            gemini::reply::Reply { seq, model: &self.model, answer, usage, shows_thoughts, blocked, dials };
        match (self.stream, as_list) {
            (true, _) => Written::Stream(reply.stream()),
            (false, true) => Written::Complete(reply.list().into()),
            (false, false) => Written::Complete(reply.complete().into()),
        }
    }

    fn write_anthropic(&self, answer: &Answer, usage: Option<&Value>, dials: &Dials, seq: u64) -> Written {
        let reply = anthropic::reply::Reply { seq, model: &self.model, answer, usage, dials };
        if self.stream { Written::Stream(reply.stream()) } else { Written::Complete(reply.complete().into()) }
    }
}
