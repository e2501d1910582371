//! Server-sent events as they come in: bounded in size and in time.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures::{Stream, StreamExt};
use sse_stream::{Error, Sse, SseByteStream};
use tokio::time::{Instant, Sleep};

/// Longest event. A whole picture fits; more is a provider gone wrong, and no parser bounds it by itself.
pub(crate) const EVENT_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Bytes as they arrive.
type Chunks = Pin<Box<dyn Stream<Item = Result<Bytes, reqwest::Error>> + Send>>;

/// Why a stream of events stopped before its end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    /// Nothing came for too long.
    #[error("nothing came for {} ms", .0.as_millis())]
    Idle(Duration),
    /// An event past [`EVENT_BYTES_MAX`].
    #[error("an event is longer than {EVENT_BYTES_MAX} bytes")]
    TooLong,
    /// The connection broke.
    #[error("the connection broke")]
    Broken(#[source] reqwest::Error),
    /// The bytes are no text.
    #[error("an event is no UTF-8 text")]
    NotText,
}

/// The events of one answer.
pub(crate) struct Events {
    parsed: SseByteStream<Bounded>,
    unparsed: Arc<AtomicUsize>,
}

impl Events {
    /// Reads events from `chunks`, which may be silent for `idle` at most.
    pub fn new(
        chunks: impl Stream<Item = Result<Bytes, reqwest::Error>> + Send + 'static,
        idle: Duration,
    ) -> Self {
        let unparsed = Arc::new(AtomicUsize::new(0));
        let bounded = Bounded {
            chunks: Box::pin(chunks),
            unparsed: Arc::clone(&unparsed),
            idle,
            patience: Box::pin(tokio::time::sleep(idle)),
            waiting: false,
        };
        Self { parsed: SseByteStream::new(bounded), unparsed }
    }

    /// The next event; `None` when the provider closed the stream. Cancel-safe.
    pub async fn next(&mut self) -> Result<Option<Sse>, Fault> {
        let event = match self.parsed.next().await {
            None => return Ok(None),
            Some(Ok(event)) => event,
            Some(Err(Error::Body(source))) => {
                return Err(source.downcast::<Fault>().map_or(Fault::NotText, |fault| *fault));
            }
            Some(Err(_)) => return Err(Fault::NotText),
        };
        self.unparsed.store(0, Ordering::Relaxed);
        Ok(Some(event))
    }
}

/// Chunks that end in a fault when one is late or an event does not end.
struct Bounded {
    chunks: Chunks,
    unparsed: Arc<AtomicUsize>,
    idle: Duration,
    patience: Pin<Box<Sleep>>,
    waiting: bool,
}

impl Stream for Bounded {
    type Item = Result<Bytes, Fault>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        match this.chunks.as_mut().poll_next(context) {
            Poll::Ready(chunk) => {
                this.waiting = false;
                Poll::Ready(chunk.map(|chunk| this.bound(chunk)))
            }
            Poll::Pending => {
                // The provider's silence counts from when we listen: a slow client is not its fault.
                if !this.waiting {
                    this.waiting = true;
                    let late = Instant::now().checked_add(this.idle).unwrap_or_else(|| Instant::now() + DAY);
                    this.patience.as_mut().reset(late);
                }
                this.patience.as_mut().poll(context).map(|()| Some(Err(Fault::Idle(this.idle))))
            }
        }
    }
}

/// Stands for "for ever" where a duration is beyond the clock's range.
const DAY: Duration = Duration::from_hours(24);

impl Bounded {
    fn bound(&self, chunk: Result<Bytes, reqwest::Error>) -> Result<Bytes, Fault> {
        let chunk = chunk.map_err(Fault::Broken)?;
        let unparsed = self.unparsed.fetch_add(chunk.len(), Ordering::Relaxed).saturating_add(chunk.len());
        if unparsed > EVENT_BYTES_MAX { Err(Fault::TooLong) } else { Ok(chunk) }
    }
}

/// One event as it goes out. Line ends inside `data` become further `data:` lines, as the standard asks.
pub(crate) fn write_event(out: &mut Vec<u8>, name: Option<&str>, data: &str) {
    if let Some(name) = name {
        out.extend_from_slice(b"event: ");
        out.extend_from_slice(name.as_bytes());
        out.push(b'\n');
    }
    for line in data.split('\n') {
        out.extend_from_slice(b"data: ");
        out.extend_from_slice(line.as_bytes());
        out.push(b'\n');
    }
    out.push(b'\n');
}
