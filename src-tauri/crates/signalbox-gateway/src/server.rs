//! Connections: accepted without Nagle's delay, bounded in number and patience, and let go within a deadline.
//!
//! axum's own server cannot limit how long a client takes to send its headers, so hyper is driven here.

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
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

/// Where connections come from.
pub(crate) struct Listeners {
    pub first: TcpListener,
    pub second: Option<TcpListener>,
}

impl Listeners {
    async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        match &self.second {
            None => self.first.accept().await,
            Some(second) => tokio::select! {
                accepted = self.first.accept() => accepted,
                accepted = second.accept() => accepted,
            },
        }
    }
}

/// Serves `router` on `listeners` until `stop`, then lets connections end for `drain_max` and cuts what is left.
pub(crate) async fn serve(
    listeners: Listeners,
    router: Router,
    shared: &Shared,
    stop: CancellationToken,
    drain_max: Duration,
) {
    let connections = std::sync::Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let cut = CancellationToken::new();
    let _cut_when_dropped = cut.clone().drop_guard();
    loop {
        let next = async {
            let permit = std::sync::Arc::clone(&connections).acquire_owned().await;
            (permit, listeners.accept().await)
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
    drop(listeners);
    shared.stop.cancel();
    shared.tasks.close();
    if tokio::time::timeout(drain_max, shared.tasks.wait()).await.is_err() {
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

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    /// A client that has sent these bytes, and the other end of its connection.
    async fn connected(sent: &[u8]) -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        client.write_all(sent).await.unwrap();
        (client, listener.accept().await.unwrap().0)
    }

    #[tokio::test]
    async fn a_client_that_never_ends_its_headers_and_one_that_never_begins_are_let_go() {
        for sent in ["", "GET /livez HTTP/1.1\r\nHost: loc"] {
            let (mut client, server) = connected(sent.as_bytes()).await;
            // From here on time passes as soon as nothing else can happen.
            tokio::time::pause();
            let began = tokio::time::Instant::now();
            connection(server, Router::new(), CancellationToken::new()).await;
            assert!(began.elapsed() >= HEADER_READ_MAX, "{:?}", began.elapsed());
            tokio::time::resume();
            let mut answer = Vec::new();
            let _ = client.read_to_end(&mut answer).await;
            assert_eq!(String::from_utf8_lossy(&answer), "");
        }
    }

    #[tokio::test]
    async fn accepted_connections_do_not_wait_to_fill_packets() {
        let (client, server) = connected(b"").await;
        assert!(!server.nodelay().unwrap());
        let raw = server.into_std().unwrap();
        let watched = TcpStream::from_std(raw.try_clone().unwrap()).unwrap();
        drop(client);
        connection(TcpStream::from_std(raw).unwrap(), Router::new(), CancellationToken::new()).await;
        assert!(watched.nodelay().unwrap());
    }
}
