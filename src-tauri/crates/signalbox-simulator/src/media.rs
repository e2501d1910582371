//! The course of a request that is no chat: admitted, checked, delayed, failed or answered, as the dials say.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde_json::Value;

use crate::connection::Cut;
use crate::dials::{DIALS_HEADER, Dials, ErrorKind};
use crate::faults::{fault_at, jitter_ms};
use crate::record::InFlight;
use crate::script::Script;
use crate::server::{BODY_MAX, Inner};
use crate::vendor::{Vendor, VendorError};
use crate::{deepgram, elevenlabs};

/// Whose wire it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wire {
    OpenAi,
    Gemini,
    Deepgram,
    ElevenLabs,
}

/// A request as it was asked, admitted.
#[derive(Debug)]
pub(crate) struct Asked {
    pub parts: Parts,
    pub body: Bytes,
    pub dials: Arc<Dials>,
    pub seq: u64,
    pub in_flight: InFlight,
}

/// An answer, checked and ready to be sent.
#[derive(Debug)]
pub(crate) struct Made {
    /// The model that was asked for, to be named in errors.
    pub model: String,
    pub body: Bytes,
    pub content_type: &'static str,
    pub headers: Vec<(&'static str, String)>,
}

impl Made {
    /// A JSON answer.
    pub fn json(model: &str, body: &Value) -> Self {
        let (body, content_type) = (body.to_string().into(), "application/json");
        Self { model: model.to_owned(), body, content_type, headers: Vec::new() }
    }
}

impl Wire {
    fn admit(self, headers: &HeaderMap, dials: &Dials) -> Result<(), VendorError> {
        let (name, prefix) = match self {
            Self::OpenAi => return Vendor::OpenAi.admit(headers, dials),
            Self::Gemini => return Vendor::Gemini.admit(headers, dials),
            Self::Deepgram => ("authorization", "Token "),
            Self::ElevenLabs => ("xi-api-key", ""),
        };
        let text = headers.get(name).and_then(|value| value.to_str().ok());
        let key = text.and_then(|text| text.strip_prefix(prefix)).filter(|key| !key.is_empty());
        let wanted = dials.api_key.as_deref();
        let admitted = match key {
            Some(key) => wanted.is_none_or(|wanted| wanted == key),
            None => wanted.is_none() && !dials.require_key,
        };
        if admitted { Ok(()) } else { Err(self.fault_or_invalid(ErrorKind::InvalidKey)) }
    }

    /// The vendor's answer to a fault; none where the fault is no error answer.
    pub fn fault(self, kind: ErrorKind, model: &str) -> Option<VendorError> {
        match self {
            Self::OpenAi => Vendor::OpenAi.fault(kind, model),
            Self::Gemini => Vendor::Gemini.fault(kind, model),
            Self::Deepgram => deepgram::of_fault(kind),
            Self::ElevenLabs => elevenlabs::of_fault(kind),
        }
    }

    fn fault_or_invalid(self, kind: ErrorKind) -> VendorError {
        self.fault(kind, "sim").unwrap_or_else(|| self.invalid("The request is invalid."))
    }

    /// A request the vendor would refuse.
    pub fn invalid(self, message: &str) -> VendorError {
        match self {
            Self::OpenAi => Vendor::OpenAi.bad_dials(message),
            Self::Gemini => Vendor::Gemini.bad_dials(message),
            Self::Deepgram => deepgram::invalid(message),
            Self::ElevenLabs => elevenlabs::invalid(message),
        }
    }
}

impl Inner {
    /// Answers a request with what `make` makes of it.
    pub(crate) async fn make(
        &self,
        wire: Wire,
        cut: Cut,
        request: Request,
        make: impl FnOnce(&Asked) -> Result<Made, VendorError>,
    ) -> Response {
        let asked = match self.take(wire, request).await {
            Ok(asked) => asked,
            Err(response) => return response,
        };
        let made = match make(&asked) {
            Ok(made) => made,
            Err(error) => {
                asked.in_flight.finish();
                return Vendor::respond(error, &asked.dials);
            }
        };
        let (dials, cut) = match self.fate(wire, &asked, &made.model, cut).await {
            Ok(fate) => fate,
            Err(response) => {
                asked.in_flight.finish();
                return response;
            }
        };
        drop(cut);
        let seq = asked.seq;
        let mut response = self.send(made, asked.in_flight, &dials);
        if let Ok(id) = HeaderValue::from_str(&format!("req_sim_{seq}")) {
            response.headers_mut().insert(HeaderName::from_static("x-request-id"), id);
        }
        response
    }

    /// Lists what needs no answer, under the faults of every request.
    pub(crate) async fn tell(
        &self,
        wire: Wire,
        request: Request,
        told: impl FnOnce(&Dials) -> Value,
    ) -> Response {
        let asked = match self.take(wire, request).await {
            Ok(asked) => asked,
            Err(response) => return response,
        };
        let dials = &asked.dials;
        let always = dials.error_rate >= 1.0 && dials.fail_first_n == 0;
        let fault = if always { wire.fault(dials.error, "sim") } else { None };
        let response = match fault {
            Some(error) => Vendor::respond(error, dials),
            None => axum::Json(told(dials)).into_response(),
        };
        asked.in_flight.finish();
        response
    }

    /// Reads and records a request; refuses it when its key or its dials are wrong.
    async fn take(&self, wire: Wire, request: Request) -> Result<Asked, Response> {
        let live = self.dials.get();
        let (mut parts, body) = request.into_parts();
        let Ok(body) = axum::body::to_bytes(body, BODY_MAX).await else {
            return Err(Vendor::respond(wire.fault_or_invalid(ErrorKind::ContextLength), &live));
        };
        let dials = match parts.headers.get(DIALS_HEADER) {
            Some(overlay) => live.overlaid(overlay.as_bytes()).map(Arc::new),
            None => Ok(Arc::clone(&live)),
        };
        let admitted = wire.admit(&parts.headers, dials.as_deref().unwrap_or(&live));
        let headers = parts.headers.clone();
        let in_flight = self.recorder.begin(&mut parts, &body, live.observe);
        parts.headers = headers;
        let refused = match (dials, admitted) {
            (Ok(dials), Ok(())) => {
                let seq = in_flight.seq;
                return Ok(Asked { parts, body, dials, seq, in_flight });
            }
            (_, Err(error)) => error,
            (Err(invalid), Ok(())) => wire.invalid(&format!("{DIALS_HEADER}: {invalid}")),
        };
        in_flight.finish();
        Err(Vendor::respond(refused, &live))
    }

    /// Waits, and decides whether the request goes wrong.
    async fn fate(
        &self,
        wire: Wire,
        asked: &Asked,
        model: &str,
        cut: Cut,
    ) -> Result<(Arc<Dials>, Cut), Response> {
        let dials = asked.dials.for_model(model).map_or_else(|| Arc::clone(&asked.dials), Arc::new);
        let position = self.dials.next_position();
        let wait = dials.latency_ms.saturating_add(jitter_ms(&dials, position));
        if self.wait(Duration::from_millis(wait)).await.is_err() {
            cut.cut();
            return Err(StatusCode::SERVICE_UNAVAILABLE.into_response());
        }
        match fault_at(&dials, position) {
            ErrorKind::None | ErrorKind::Refusal => Ok((dials, cut)),
            fault => Err(match wire.fault(fault, model) {
                Some(error) => Vendor::respond(error, &dials),
                None => self.faulty(Vendor::OpenAi, fault, model, false, &dials, &cut).await,
            }),
        }
    }

    /// The same for a request whose answer is no body: waits, and refuses it when it goes wrong.
    pub(crate) async fn fated(
        &self,
        dials: &Dials,
        cut: &Cut,
        refusal: impl Fn(ErrorKind) -> Option<(StatusCode, &'static str)>,
    ) -> Result<(), Response> {
        let position = self.dials.next_position();
        let wait = dials.latency_ms.saturating_add(jitter_ms(dials, position));
        if self.wait(Duration::from_millis(wait)).await.is_err() {
            cut.cut();
            return Err(StatusCode::SERVICE_UNAVAILABLE.into_response());
        }
        match fault_at(dials, position) {
            ErrorKind::None | ErrorKind::Refusal => Ok(()),
            fault => Err(match refusal(fault) {
                Some(refusal) => refusal.into_response(),
                None => self.faulty(Vendor::OpenAi, fault, "sim", false, dials, cut).await,
            }),
        }
    }

    fn send(&self, made: Made, in_flight: InFlight, dials: &Dials) -> Response {
        let whole = dials.truncate_after_chunks.is_none()
            && dials.stall_after_chunks.is_none()
            && dials.frame_bytes.is_none();
        let body = if whole {
            in_flight.finish();
            Body::from(made.body)
        } else {
            Script::of_complete(made.body, dials).play(in_flight, self.stop.clone())
        };
        let mut response = Response::new(body);
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(made.content_type));
        for (name, value) in made.headers {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(HeaderName::from_static(name), value);
            }
        }
        response
    }
}
