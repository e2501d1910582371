//! The gateway as its owner holds it: bound, then served until told to stop.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use signalbox_engine::Engine;
use signalbox_engine::engine::SHUTDOWN_GRACE;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::body::discard;
use crate::fault::Fault;
use crate::guard::{Doors, guard, surface_of};
use crate::server::Listeners;
use crate::{approvals, chat, count_tokens, feedback, health, media, metrics, models, server};

/// Where the gateway listens unless told otherwise.
pub const DEFAULT_LISTEN: SocketAddr = SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 4180));

/// How long programs are told to come back while running requests end; past it their connections are cut.
const FAREWELL_MAX: Duration = SHUTDOWN_GRACE.saturating_add(Duration::from_secs(1));

/// How long the bytes of ended answers may take to their clients.
const LAST_BYTES_MAX: Duration = Duration::from_secs(2);

/// Why the gateway cannot listen.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// Another program has the port.
    #[error(
        "port {} on {} is already in use: stop the program that uses it or listen on another port",
        addr.port(),
        addr.ip()
    )]
    PortTaken {
        /// What was asked for.
        addr: SocketAddr,
    },
    /// Other machines could reach it, and nobody said that they may.
    #[error(
        "{addr} can be reached from other machines, without encryption; that has to be allowed explicitly"
    )]
    NotLoopback {
        /// What was asked for.
        addr: SocketAddr,
    },
    /// The operating system refuses.
    #[error("cannot listen on {addr}")]
    Listen {
        /// What was asked for.
        addr: SocketAddr,
        /// Its answer.
        #[source]
        source: io::Error,
    },
}

/// Who besides programs of this machine may reach the gateway. The default: nobody.
#[derive(Debug, Clone, Default)]
pub struct Exposure {
    /// Whether an address other than loopback may be bound. The connection is not encrypted: put TLS in front.
    pub remote: bool,
    /// Further names (`name` or `name:port`) that clients may put in `Host`, besides this machine's own.
    pub hosts: Vec<String>,
    /// Web pages' origins (`https://name`) that may call. They need the key too.
    pub origins: Vec<String>,
}

/// A bound gateway. It answers once it is served.
#[derive(Debug)]
pub struct Gateway {
    listener: TcpListener,
    twin: Option<TcpListener>,
    addr: SocketAddr,
    shared: Arc<Shared>,
}

/// What the handlers share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub engine: Arc<Engine>,
    pub doors: Doors,
    /// Cancelled when the gateway takes no more connections.
    pub stop: CancellationToken,
    /// Connections, and what is still read of refused bodies.
    pub tasks: TaskTracker,
}

impl Gateway {
    /// Binds `listen` (port 0 for a free one) in front of `engine`; with `127.0.0.1` also `::1` where there is one.
    ///
    /// Errors: the port is taken, the address is not a loopback one without [`Exposure::remote`], or the system refuses.
    pub async fn bind(
        engine: Arc<Engine>,
        listen: SocketAddr,
        exposure: Exposure,
    ) -> Result<Self, GatewayError> {
        if !listen.ip().is_loopback() && !exposure.remote {
            return Err(GatewayError::NotLoopback { addr: listen });
        }
        let refused = |source: io::Error| match source.kind() {
            io::ErrorKind::AddrInUse => GatewayError::PortTaken { addr: listen },
            _ => GatewayError::Listen { addr: listen, source },
        };
        let listener = TcpListener::bind(listen).await.map_err(refused)?;
        let addr = listener.local_addr().map_err(refused)?;
        let twin = bind_twin(addr, listen.port() != 0).await?;
        let shared = Arc::new(Shared {
            engine,
            doors: Doors::new(addr, &exposure),
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
        });
        Ok(Self { listener, twin, addr, shared })
    }

    /// The bound address.
    pub const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The base URL for `OpenAI` clients; Anthropic clients leave the `/v1` off.
    pub fn base_url(&self) -> String {
        let ip = match self.addr.ip() {
            ip if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
            ip => ip,
        };
        format!("http://{}/v1", SocketAddr::new(ip, self.addr.port()))
    }

    /// Serves until `stop` is cancelled, then lets running answers finish for a bounded time. The engine goes on.
    pub async fn serve(self, stop: CancellationToken) {
        self.serve_and_drain(stop, SHUTDOWN_GRACE.saturating_add(LAST_BYTES_MAX)).await;
    }

    async fn serve_and_drain(self, stop: CancellationToken, drain_max: Duration) {
        let router = router(Arc::clone(&self.shared));
        let listeners = Listeners { first: self.listener, second: self.twin };
        server::serve(listeners, router, &self.shared, stop, drain_max).await;
    }

    /// Serves until `stop` is cancelled, then shuts the engine down and stops: the way to end a whole instance.
    ///
    /// While running requests end, new ones are told to come back and `/readyz` says why. A client that takes nothing
    /// cannot hold this up: its connection is cut.
    pub async fn serve_to_the_end(self, stop: CancellationToken) {
        let engine = Arc::clone(&self.shared.engine);
        let no_more = CancellationToken::new();
        let serving = self.serve_and_drain(no_more.clone(), LAST_BYTES_MAX);
        let ending = async {
            stop.cancelled().await;
            tracing::info!(in_flight = engine.in_flight(), "stopping");
            let mut settling = pin!(engine.shutdown());
            let settled = tokio::time::timeout(FAREWELL_MAX, settling.as_mut()).await.is_ok();
            no_more.cancel();
            if !settled {
                settling.await;
            }
        };
        tokio::join!(serving, ending);
    }
}

/// Binds `::1` beside `127.0.0.1`: clients that say `localhost` may try either, and no other program shall get to see
/// their keys there. A machine without IPv6 has no such address, which is no fault.
async fn bind_twin(addr: SocketAddr, port_was_chosen: bool) -> Result<Option<TcpListener>, GatewayError> {
    if addr.ip() != IpAddr::V4(Ipv4Addr::LOCALHOST) {
        return Ok(None);
    }
    let twin = SocketAddr::from((Ipv6Addr::LOCALHOST, addr.port()));
    match TcpListener::bind(twin).await {
        Ok(listener) => Ok(Some(listener)),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse && port_was_chosen => {
            Err(GatewayError::PortTaken { addr: twin })
        }
        Err(error) => {
            tracing::debug!(%error, %twin, "only IPv4 is served");
            Ok(None)
        }
    }
}

fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/v1/chat/completions", post(chat::chat_completions))
        .route("/v1/responses", post(chat::responses))
        .route("/v1/messages", post(chat::messages))
        .route("/v1/messages/count_tokens", post(count_tokens::count_tokens))
        .route("/v1/embeddings", post(media::embeddings))
        .route("/v1/audio/transcriptions", post(media::transcriptions))
        .route("/v1/audio/speech", post(media::speech))
        .route("/v1/models", get(models::models))
        .route("/v1/approvals/{id}", get(approvals::approval))
        .route("/v1/feedback", post(feedback::feedback))
        .route("/metrics", get(metrics::metrics))
        .route("/livez", get(health::livez))
        .route("/readyz", get(health::readyz))
        .fallback(unknown_path)
        .method_not_allowed_fallback(wrong_method)
        .layer(from_fn_with_state(Arc::clone(&shared), guard))
        .with_state(shared)
}

async fn unknown_path(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let path: String = request.uri().path().chars().take(80).collect();
    let message = format!(
        "There is nothing at {path}. Signalbox serves chat/completions, responses, embeddings, audio/transcriptions, \
         audio/speech, messages and models under /v1."
    );
    refuse_unread(&shared, request, Fault::not_found(message))
}

async fn wrong_method(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let message = format!("{} does not take {}.", request.uri().path(), request.method());
    refuse_unread(&shared, request, Fault::wrong_method(message))
}

fn refuse_unread(shared: &Shared, request: Request, fault: Fault) -> Response {
    let surface = surface_of(&request);
    let (parts, body) = request.into_parts();
    discard(&shared.tasks, &parts.headers, body);
    fault.for_surface(surface).into_response()
}
