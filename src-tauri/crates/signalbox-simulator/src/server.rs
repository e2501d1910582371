//! The server: one listener, the vendors' paths, and the course of a request through the dials.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::connect_info::ConnectInfo;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use bytes::Bytes;
use serde_json::json;
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use crate::anthropic;
use crate::audio;
use crate::connection::{Cut, CuttingListener};
use crate::control;
use crate::dials::{DIALS_HEADER, Dials, DialsHandle, ErrorKind};
use crate::embeddings;
use crate::faults::{fault_at, jitter_ms};
use crate::gemini;
use crate::gemini::target::{Method, Target};
use crate::media::Wire;
use crate::media_paths;
use crate::record::{InFlight, Observed, Recorder};
use crate::script::Script;
use crate::vendor::{Vendor, Written};

/// Largest request body. Units: bytes. Source: Anthropic's published limit, the larger of the vendors'.
pub(crate) const BODY_MAX: usize = 32 * 1024 * 1024;
/// How long [`RunningSimulator::shutdown`] waits for connections whose clients do not read.
const DRAIN_MAX: Duration = Duration::from_secs(2);

/// Makes running simulators.
#[derive(Debug)]
pub struct Simulator;

/// A simulator that serves until it is shut down or dropped.
#[derive(Debug)]
pub struct RunningSimulator {
    addr: SocketAddr,
    inner: Arc<Inner>,
    tracker: TaskTracker,
    _stop_on_drop: DropGuard,
}

/// What the handlers share.
#[derive(Debug)]
pub(crate) struct Inner {
    pub dials: DialsHandle,
    pub recorder: Arc<Recorder>,
    pub stop: CancellationToken,
    /// Websockets that are held.
    pub tracker: TaskTracker,
}

impl Simulator {
    /// Binds `addr` (port 0 for a free one) and serves it under `dials`.
    ///
    /// Errors: the address cannot be bound.
    pub async fn bind(addr: SocketAddr, dials: Dials) -> io::Result<RunningSimulator> {
        let listener = TcpListener::bind(addr).await?;
        let addr = listener.local_addr()?;
        let stop = CancellationToken::new();
        let tracker = TaskTracker::new();
        let inner = Arc::new(Inner {
            dials: DialsHandle::new(dials),
            recorder: Arc::new(Recorder::default()),
            stop: stop.clone(),
            tracker: tracker.clone(),
        });
        let service = router(Arc::clone(&inner)).into_make_service_with_connect_info::<Cut>();
        let serving = axum::serve(CuttingListener(listener), service)
            .with_graceful_shutdown(stop.clone().cancelled_owned());
        tracker.spawn(async move {
            if let Err(error) = serving.await {
                tracing::error!(%error, "the simulator stopped serving");
            }
        });
        tracker.close();
        Ok(RunningSimulator { addr, inner, tracker, _stop_on_drop: stop.drop_guard() })
    }

    /// Binds a free port of the loopback address and serves it under `dials`.
    ///
    /// Errors: no port can be bound.
    pub async fn bind_ephemeral(dials: Dials) -> io::Result<RunningSimulator> {
        Self::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), dials).await
    }
}

impl RunningSimulator {
    /// The bound address.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Base URL for an `OpenAI`-compatible client: it ends in `/v1`.
    pub fn base_url_openai(&self) -> String {
        format!("http://{}/v1", self.addr)
    }

    /// Base URL for an Anthropic client, which adds `/v1` itself.
    pub fn base_url_anthropic(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Base URL for a Gemini client, which adds `/v1beta` itself.
    pub fn base_url_gemini(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Base URL for a client of Deepgram, `ElevenLabs` or Edge, which adds the whole path itself; also of `/oauth/token`.
    pub fn origin(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// The live dials.
    pub fn dials(&self) -> DialsHandle {
        self.inner.dials.clone()
    }

    /// Everything seen so far.
    pub fn observed(&self) -> Observed {
        self.inner.recorder.observed(usize::MAX)
    }

    /// Forgets what was seen so far.
    pub fn forget(&self) {
        self.inner.recorder.clear();
    }

    /// Waits until what was seen satisfies `reached`, without polling: tests wait for a cancellation with it.
    pub async fn observed_until(&self, reached: impl Fn(&Observed) -> bool) -> Observed {
        self.inner.recorder.until(reached).await
    }

    /// Stops accepting, breaks off what is being answered, and waits for the connections to close.
    pub async fn shutdown(self) {
        self.inner.stop.cancel();
        if tokio::time::timeout(DRAIN_MAX, self.tracker.wait()).await.is_err() {
            tracing::warn!("a client of the simulator kept its connection open");
        }
    }
}

fn router(inner: Arc<Inner>) -> Router {
    media_paths::add(Router::new())
        .route("/v1/chat/completions", post(chat_completions))
        .route("/v1/responses", post(responses))
        .route("/v1/messages", post(messages))
        .route("/v1/messages/count_tokens", post(count_tokens))
        .route("/v1/models", get(models))
        .route("/v1/models/{*id}", get(model))
        .route("/v1beta/models", get(gemini_models))
        .route("/v1beta/models/{*rest}", get(gemini_model).post(gemini))
        .route("/dials", get(control::get_dials).put(control::put_dials).patch(control::patch_dials))
        .route("/observed", get(control::get_observed).delete(control::delete_observed))
        .fallback(unknown_path)
        .method_not_allowed_fallback(unknown_path)
        .with_state(inner)
}

async fn chat_completions(
    State(server): State<Arc<Inner>>,
    ConnectInfo(cut): ConnectInfo<Cut>,
    request: Request,
) -> Response {
    server.answer(Vendor::OpenAi, cut, request).await
}

async fn responses(
    State(server): State<Arc<Inner>>,
    ConnectInfo(cut): ConnectInfo<Cut>,
    request: Request,
) -> Response {
    server.answer(Vendor::OpenAiResponses, cut, request).await
}

async fn messages(
    State(server): State<Arc<Inner>>,
    ConnectInfo(cut): ConnectInfo<Cut>,
    request: Request,
) -> Response {
    server.answer(Vendor::Anthropic, cut, request).await
}

async fn gemini(
    State(server): State<Arc<Inner>>,
    ConnectInfo(cut): ConnectInfo<Cut>,
    request: Request,
) -> Response {
    let target = Target::of(request.uri());
    let speaks = target.as_ref().is_some_and(|target| audio::is_gemini_speech(&target.model));
    match target.map(|target| target.method) {
        Some(Method::Generate) if speaks => {
            server.make(Wire::Gemini, cut, request, audio::gemini_speech).await
        }
        Some(Method::Generate | Method::Stream { .. }) => server.answer(Vendor::Gemini, cut, request).await,
        Some(Method::CountTokens) => gemini_count_tokens(&server, request).await,
        None if embeddings::is_gemini(request.uri()) => {
            server.make(Wire::Gemini, cut, request, embeddings::gemini).await
        }
        None => unknown_path(State(server), request).await,
    }
}

async fn gemini_count_tokens(server: &Inner, request: Request) -> Response {
    let model = Target::of(request.uri()).map(|target| target.model).unwrap_or_default();
    let arrived = match server.receive(Vendor::Gemini, request).await {
        Ok(arrived) => arrived,
        Err(response) => return response,
    };
    let response = match gemini::request::count_tokens(&arrived.body, &model) {
        Ok(tokens) => {
            let details = json!([{"modality": "TEXT", "tokenCount": tokens}]);
            axum::Json(json!({"totalTokens": tokens, "promptTokensDetails": details})).into_response()
        }
        Err(message) => Vendor::respond(gemini::error::invalid(&message), &arrived.dials),
    };
    arrived.in_flight.finish();
    response
}

async fn gemini_models(State(server): State<Arc<Inner>>, request: Request) -> Response {
    server.list(Vendor::Gemini, request, |vendor, dials| vendor.models(&dials.models)).await
}

async fn gemini_model(
    State(server): State<Arc<Inner>>,
    Path(id): Path<String>,
    request: Request,
) -> Response {
    server.list(Vendor::Gemini, request, |vendor, _| vendor.model(&id)).await
}

async fn count_tokens(State(server): State<Arc<Inner>>, request: Request) -> Response {
    let vendor = Vendor::Anthropic;
    let arrived = match server.receive(vendor, request).await {
        Ok(arrived) => arrived,
        Err(response) => return response,
    };
    let response = match anthropic::request::check(&arrived.body, false) {
        Ok(checked) => axum::Json(json!({"input_tokens": checked.prompt.input_tokens()})).into_response(),
        Err(message) => Vendor::respond(anthropic::error::invalid(&message), &arrived.dials),
    };
    arrived.in_flight.finish();
    response
}

async fn models(State(server): State<Arc<Inner>>, request: Request) -> Response {
    match media_paths::models(&server, request).await {
        Ok(listed) => listed,
        Err(request) => {
            server.list(vendor_of(&request), request, |vendor, dials| vendor.models(&dials.models)).await
        }
    }
}

async fn model(State(server): State<Arc<Inner>>, Path(id): Path<String>, request: Request) -> Response {
    server.list(vendor_of(&request), request, |vendor, _| vendor.model(&id)).await
}

async fn unknown_path(State(server): State<Arc<Inner>>, request: Request) -> Response {
    let vendor = vendor_of(&request);
    let error = vendor.unknown_path(request.method().as_str(), request.uri().path());
    Vendor::respond(error, &server.dials.get())
}

/// Whose client asks, on the paths that several vendors have.
fn vendor_of(request: &Request) -> Vendor {
    if request.uri().path().starts_with("/v1beta/") {
        Vendor::Gemini
    } else if request.headers().contains_key("anthropic-version") {
        Vendor::Anthropic
    } else {
        Vendor::OpenAi
    }
}

/// A request that was read, recorded and admitted.
struct Arrived {
    dials: Arc<Dials>,
    body: Bytes,
    in_flight: InFlight,
}

impl Inner {
    /// Reads and records a request; refuses it when its key or its dials are wrong.
    async fn receive(&self, vendor: Vendor, request: Request) -> Result<Arrived, Response> {
        let live = self.dials.get();
        let (mut parts, body) = request.into_parts();
        let Ok(body) = axum::body::to_bytes(body, BODY_MAX).await else {
            return Err(Vendor::respond(vendor.too_large(), &live));
        };
        let dials = match parts.headers.get(DIALS_HEADER) {
            Some(overlay) => live.overlaid(overlay.as_bytes()).map(Arc::new),
            None => Ok(Arc::clone(&live)),
        };
        let admitted = vendor.admit(&parts.headers, dials.as_deref().unwrap_or(&live));
        let in_flight = self.recorder.begin(&mut parts, &body, live.observe);
        let refused = match (dials, admitted) {
            (Ok(dials), Ok(())) => return Ok(Arrived { dials, body, in_flight }),
            (_, Err(error)) => error,
            (Err(invalid), Ok(())) => vendor.bad_dials(&format!("{DIALS_HEADER}: {invalid}")),
        };
        in_flight.finish();
        Err(Vendor::respond(refused, &live))
    }

    /// The course of a request for an answer.
    async fn answer(&self, vendor: Vendor, cut: Cut, request: Request) -> Response {
        let target = Target::of(request.uri());
        let Arrived { dials, body, in_flight } = match self.receive(vendor, request).await {
            Ok(arrived) => arrived,
            Err(response) => return response,
        };
        let asked = match vendor.read(&body, target) {
            Ok(asked) => asked,
            Err(error) => {
                in_flight.finish();
                return Vendor::respond(error, &dials);
            }
        };
        let dials = dials.for_model(&asked.model).map_or(dials, Arc::new);
        let position = self.dials.next_position();
        let wait = dials.latency_ms.saturating_add(jitter_ms(&dials, position));
        if self.wait(Duration::from_millis(wait)).await.is_err() {
            in_flight.finish();
            cut.cut();
            return StatusCode::SERVICE_UNAVAILABLE.into_response();
        }

        let fault = fault_at(&dials, position);
        let in_stream = asked.stream && dials.error_after_chunks.is_some();
        let seq = in_flight.seq;
        let mut response = if !vendor.answers(fault) && !in_stream {
            let response = self.faulty(vendor, fault, &asked.model, asked.stream, &dials, &cut).await;
            in_flight.finish();
            response
        } else {
            match asked.write(&dials, seq, fault) {
                Written::Complete(body) => self.send_complete(body, in_flight, &dials),
                Written::Stream(frames) => {
                    let error = vendor.stream_fault(fault, &asked.model);
                    let script = Script::new(frames, &dials, position, error);
                    event_stream(script.play(in_flight, self.stop.clone()))
                }
            }
        };
        if let Ok(id) = HeaderValue::from_str(&format!("req_sim_{seq}")) {
            response.headers_mut().insert(vendor.request_id_header(), id);
        }
        response
    }

    fn send_complete(&self, body: Bytes, in_flight: InFlight, dials: &Dials) -> Response {
        let whole = dials.truncate_after_chunks.is_none()
            && dials.stall_after_chunks.is_none()
            && dials.frame_bytes.is_none();
        let body = if whole {
            in_flight.finish();
            Body::from(body)
        } else {
            Script::of_complete(body, dials).play(in_flight, self.stop.clone())
        };
        typed("application/json", body)
    }

    /// An answer that is wrong from its first byte, or never comes.
    pub(crate) async fn faulty(
        &self,
        vendor: Vendor,
        fault: ErrorKind,
        model: &str,
        stream: bool,
        dials: &Dials,
        cut: &Cut,
    ) -> Response {
        if let Some(error) = vendor.fault(fault, model) {
            return Vendor::respond(error, dials);
        }
        match fault {
            ErrorKind::Timeout => {
                self.stop.cancelled().await;
                cut.cut();
                StatusCode::SERVICE_UNAVAILABLE.into_response()
            }
            ErrorKind::Drop => {
                cut.cut();
                StatusCode::SERVICE_UNAVAILABLE.into_response()
            }
            ErrorKind::BadGateway => {
                let page = "<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>";
                (StatusCode::BAD_GATEWAY, typed("text/html", Body::from(page))).into_response()
            }
            ErrorKind::Malformed if stream => {
                event_stream(Body::from("data: {\"id\":\"sim\",\"choices\":[{\"del\n\n"))
            }
            ErrorKind::Malformed => {
                typed("application/json", Body::from("{\"id\":\"sim\",\"choices\":[{\"mess"))
            }
            _ if stream => event_stream(Body::empty()),
            _ => typed("application/json", Body::empty()),
        }
    }

    /// Lists what needs no answer. Its errors are those of every request; a fault of some requests spares it.
    async fn list(
        &self,
        vendor: Vendor,
        request: Request,
        listed: impl FnOnce(Vendor, &Dials) -> serde_json::Value,
    ) -> Response {
        let Arrived { dials, in_flight, .. } = match self.receive(vendor, request).await {
            Ok(arrived) => arrived,
            Err(response) => return response,
        };
        let always = dials.error_rate >= 1.0 && dials.fail_first_n == 0;
        let fault = if always { vendor.fault(dials.error, "sim") } else { None };
        let response = match fault {
            Some(error) => Vendor::respond(error, &dials),
            None => axum::Json(listed(vendor, &dials)).into_response(),
        };
        in_flight.finish();
        response
    }

    /// Waits, unless the simulator stops meanwhile.
    pub(crate) async fn wait(&self, wait: Duration) -> Result<(), Stopped> {
        if wait.is_zero() {
            return Ok(());
        }
        tokio::select! {
            () = self.stop.cancelled() => Err(Stopped),
            () = tokio::time::sleep(wait) => Ok(()),
        }
    }
}

/// The simulator stopped while a request waited.
pub(crate) struct Stopped;

fn typed(content_type: &'static str, body: Body) -> Response {
    let mut response = Response::new(body);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

fn event_stream(body: Body) -> Response {
    let mut response = typed("text/event-stream; charset=utf-8", body);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}
