//! The least possible HTTP client: what is measured must not be the client.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Someone to send requests to, with the bytes to send.
pub struct Peer {
    /// Where.
    pub address: SocketAddr,
    complete: Arc<[u8]>,
    streamed: Arc<[u8]>,
}

impl Peer {
    pub fn new(address: SocketAddr, model: &str, key: &str) -> Self {
        let request = |streamed: bool| {
            let stream =
                if streamed { r#","stream":true,"stream_options":{"include_usage":true}"# } else { "" };
            let body = format!(
                r#"{{"model":"{model}","max_tokens":64,"messages":[{{"role":"system","content":"Answer briefly."}},{{"role":"user","content":"What does a signal box do on a railway?"}}]{stream}}}"#
            );
            let head = format!(
                "POST /v1/chat/completions HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {key}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
                body.len()
            );
            Arc::from([head.as_bytes(), body.as_bytes()].concat())
        };
        Self { address, complete: request(false), streamed: request(true) }
    }

    pub fn bytes(&self, streamed: bool) -> Arc<[u8]> {
        Arc::clone(if streamed { &self.streamed } else { &self.complete })
    }
}

/// One keep-alive connection of the least possible client: what is measured must not be the client.
pub struct Connection {
    socket: TcpStream,
    /// The answer that was read last.
    pub buffer: Vec<u8>,
}

impl Connection {
    pub async fn open(address: SocketAddr) -> Self {
        let socket = TcpStream::connect(address).await.unwrap();
        socket.set_nodelay(true).unwrap();
        Self { socket, buffer: Vec::with_capacity(16_384) }
    }

    /// Sends and reads the whole answer; returns when its first byte of body came, or `None` if it is no success.
    pub async fn exchange(&mut self, request: &[u8]) -> Option<Instant> {
        self.socket.write_all(request).await.ok()?;
        self.buffer.clear();
        let mut first = None;
        loop {
            if self.socket.read_buf(&mut self.buffer).await.ok()? == 0 {
                return None;
            }
            let Some(head_end) = find(&self.buffer, b"\r\n\r\n") else { continue };
            let body = &self.buffer[head_end + 4..];
            if !body.is_empty() {
                first.get_or_insert_with(Instant::now);
            }
            let head = std::str::from_utf8(&self.buffer[..head_end]).ok()?;
            let complete = match content_length(head) {
                Some(length) => body.len() >= length,
                None => body.ends_with(b"0\r\n\r\n"),
            };
            if complete {
                let well = head.starts_with("HTTP/1.1 200")
                    && (content_length(head).is_some() || find(body, b"[DONE]").is_some());
                return first.filter(|_| well);
            }
        }
    }
}

fn content_length(head: &str) -> Option<usize> {
    head.lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .and_then(|text| text.trim().parse().ok())
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}
