//! Connections: accepted without Nagle's delay, bounded in number and patience, and let go within a deadline.
//!
//! axum's own server cannot limit how long a client takes to send its headers, so hyper is driven here.

use std::io;
use std::pin::pin;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use signalbox_engine::engine::SHUTDOWN_GRACE;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::gateway::Shared;

/// Connections at a time; further ones wait to be accepted.
const CONNECTIONS_MAX: usize = 4_096;
/// By then a client has sent its headers, and an idle connection its next request.
const HEADER_READ_MAX: Duration = Duration::from_secs(30);
/// What is read ahead of a connection. Units: bytes. Above the limit for headers, so that a client somewhat beyond it
/// still hears so in its API's shape.
const BUFFER_BYTES_MAX: usize = 64 * 1024;
/// Pause when the system has no more file handles.
const ACCEPT_PAUSE: Duration = Duration::from_millis(500);
/// How long connections may go on after the stop: as long as the engine lets requests run, and a moment to send.
const DRAIN_MAX: Duration = SHUTDOWN_GRACE.saturating_add(Duration::from_secs(2));

/// Serves `router` on `listener` until `stop`, then drains for [`DRAIN_MAX`] and cuts what is left.
pub(crate) async fn serve(listener: TcpListener, router: Router, shared: &Shared, stop: CancellationToken) {
    let connections = std::sync::Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let cut = CancellationToken::new();
    let _cut_when_dropped = cut.clone().drop_guard();
    loop {
        let next = async {
            let permit = std::sync::Arc::clone(&connections).acquire_owned().await;
            (permit, listener.accept().await)
        };
        let (permit, accepted) = tokio::select! {
            biased;
            () = stop.cancelled() => break,
            next = next => next,
        };
        match accepted {
            Ok((tcp, _)) => {
                let connection = connection(tcp, router.clone(), shared.stop.clone());
                let cut = cut.clone();
                shared.tasks.spawn(async move {
                    let _permit = permit;
                    tokio::select! {
                        () = connection => {}
                        () = cut.cancelled() => {}
                    }
                });
            }
            Err(error) => pause_after(&error).await,
        }
    }
    drop(listener);
    shared.stop.cancel();
    shared.tasks.close();
    if tokio::time::timeout(DRAIN_MAX, shared.tasks.wait()).await.is_err() {
        tracing::warn!(connections = shared.tasks.len(), "cutting connections that are still open");
        cut.cancel();
        shared.tasks.wait().await;
    }
}

async fn connection(tcp: TcpStream, router: Router, stop: CancellationToken) {
    if let Err(error) = tcp.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY was refused");
    }
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_READ_MAX)
        .max_buf_size(BUFFER_BYTES_MAX)
        .serve_connection(TokioIo::new(tcp), TowerToHyperService::new(router));
    let mut serving = pin!(serving);
    let ended = tokio::select! {
        ended = serving.as_mut() => ended,
        () = stop.cancelled() => {
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}

/// A client that went away before it was accepted is nothing; a lack of file handles needs time.
async fn pause_after(error: &io::Error) {
    let client_gone = matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset
    );
    if !client_gone {
        tracing::error!(%error, "a connection cannot be accepted");
        tokio::time::sleep(ACCEPT_PAUSE).await;
    }
}
