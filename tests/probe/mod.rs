//! What a look at a running instance from outside needs: a vendor that answers word for word what a test wants, and
//! everything that is logged at any level.

use std::collections::HashMap;
use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;
use tracing_subscriber::filter::LevelFilter;

/// Log lines as the programs write them, without colours, kept in memory.
#[derive(Debug, Clone, Default)]
pub struct Logs(Arc<Mutex<Vec<u8>>>);

impl Logs {
    /// Keeps everything that this process logs from now on, `TRACE` included.
    pub fn capture() -> Self {
        let logs = Self::default();
        let writer = logs.clone();
        tracing_subscriber::fmt()
            .with_max_level(LevelFilter::TRACE)
            .with_ansi(false)
            .with_writer(move || writer.clone())
            .init();
        logs
    }

    pub fn bytes(&self) -> Vec<u8> {
        self.0.lock().unwrap().clone()
    }
}

impl Write for Logs {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A request as a vendor got it.
#[derive(Debug)]
pub struct Asked {
    pub path: String,
    /// The header that carries the key, as it was sent.
    pub credential: String,
    /// JSON; null when there is none.
    pub body: Value,
}

impl Asked {
    /// What the last message says, in either API's shape.
    pub fn says(&self) -> &str {
        let last = self.body["messages"].as_array().and_then(|messages| messages.last());
        let content = last.map(|message| &message["content"]);
        let text = content.and_then(|content| content.as_str().or_else(|| content[0]["text"].as_str()));
        text.unwrap_or_default()
    }

    pub fn wants_stream(&self) -> bool {
        self.body["stream"] == true
    }
}

/// What a vendor answers.
#[derive(Debug)]
pub struct Said {
    pub status: u16,
    pub content_type: &'static str,
    pub body: String,
}

impl Said {
    pub fn json(status: u16, body: &Value) -> Self {
        Self { status, content_type: "application/json", body: body.to_string() }
    }

    pub fn plain(status: u16, body: impl Into<String>) -> Self {
        Self { status, content_type: "text/plain", body: body.into() }
    }

    /// A stream of these events and the one that ends it.
    pub fn events(events: &[Value]) -> Self {
        let mut events: Vec<String> = events.iter().map(Value::to_string).collect();
        events.push("[DONE]".to_owned());
        let body = format!("data: {}\n\n", events.join("\n\ndata: "));
        Self { status: 200, content_type: "text/event-stream", body }
    }
}

/// A vendor on a port of its own. It stops when dropped.
#[derive(Debug)]
pub struct Vendor {
    /// Without a path.
    pub url: String,
    _stop: DropGuard,
}

impl Vendor {
    pub async fn start(answer: impl Fn(&Asked) -> Said + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (stop, answer) = (CancellationToken::new(), Arc::new(answer));
        let (tasks, stopped) = (TaskTracker::new(), stop.clone());
        tasks.clone().spawn(async move {
            while let Some(Ok((connection, _))) = stopped.run_until_cancelled(listener.accept()).await {
                let answer = Arc::clone(&answer);
                // A client may leave in the middle; that is its own business.
                tasks.spawn(async move { serve(connection, &*answer).await.unwrap_or_default() });
            }
        });
        Self { url, _stop: stop.drop_guard() }
    }
}

async fn serve(mut connection: TcpStream, answer: &(dyn Fn(&Asked) -> Said + Send + Sync)) -> io::Result<()> {
    let mut read = Vec::new();
    let head_end = loop {
        if let Some(end) = read.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
            break end;
        }
        if connection.read_buf(&mut read).await? == 0 {
            return Ok(());
        }
    };
    let head = String::from_utf8_lossy(&read[..head_end]).into_owned();
    let mut lines = head.lines();
    let path = lines.next().and_then(|line| line.split(' ').nth(1)).unwrap_or_default().to_owned();
    let headers: HashMap<String, &str> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value))
        .collect();
    let length: usize = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
    while read.len() < head_end + 4 + length {
        connection.read_buf(&mut read).await?;
    }
    let credential = headers.get("authorization").or_else(|| headers.get("x-api-key")).copied();
    let body = serde_json::from_slice(&read[head_end + 4..]).unwrap_or_default();
    let said = answer(&Asked { path, credential: credential.unwrap_or_default().to_owned(), body });
    let head = format!(
        "HTTP/1.1 {} Said\r\ncontent-type: {}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        said.status,
        said.content_type,
        said.body.len()
    );
    connection.write_all(head.as_bytes()).await?;
    connection.write_all(said.body.as_bytes()).await?;
    connection.shutdown().await
}
