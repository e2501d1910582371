//! A stream as a script: frames written up front, then played with the pace and the faults of the dials.

use std::io;
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use futures::stream;
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use crate::dials::Dials;
use crate::faults::jitter_ms;
use crate::record::InFlight;

/// Writes the frames of a stream into one buffer, which they then share.
#[derive(Debug, Default)]
pub(crate) struct FrameWriter {
    buffer: Vec<u8>,
    ends: Vec<(usize, bool)>,
}

/// One event of a stream.
#[derive(Debug, Clone)]
pub(crate) struct Frame {
    pub bytes: Bytes,
    /// Whether it carries a piece of the answer; truncation and stalls count these.
    pub content: bool,
}

impl FrameWriter {
    /// A frame of an `event:` line (when named) and a `data:` line with `value` as JSON.
    pub fn event(&mut self, name: Option<&str>, value: &impl Serialize, content: bool) {
        if let Some(name) = name {
            self.buffer.extend_from_slice(b"event: ");
            self.buffer.extend_from_slice(name.as_bytes());
            self.buffer.push(b'\n');
        }
        self.buffer.extend_from_slice(b"data: ");
        write_json(&mut self.buffer, value);
        self.buffer.extend_from_slice(b"\n\n");
        self.ends.push((self.buffer.len(), content));
    }

    /// A frame of exactly these bytes.
    pub fn raw(&mut self, bytes: &[u8], content: bool) {
        self.buffer.extend_from_slice(bytes);
        self.ends.push((self.buffer.len(), content));
    }

    pub fn frames(self) -> Vec<Frame> {
        let whole = Bytes::from(self.buffer);
        let mut start = 0;
        let slice = |(end, content)| {
            let bytes = whole.slice(start..end);
            start = end;
            Frame { bytes, content }
        };
        self.ends.into_iter().map(slice).collect()
    }
}

/// Appends `value` as JSON. Serialising plain structs into memory cannot fail; if it ever did, the answer would be
/// visibly malformed and the reason logged.
pub(crate) fn write_json(buffer: &mut Vec<u8>, value: &impl Serialize) {
    if let Err(error) = serde_json::to_writer(buffer, value) {
        tracing::error!(%error, "an answer could not be written as JSON");
    }
}

/// How a stream ends once its frames are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// As HTTP ends a body.
    Whole,
    /// The connection breaks.
    Cut,
    /// Nothing more comes until the client leaves.
    Stall,
}

/// Frames with the wait before each, and how it all ends.
#[derive(Debug)]
pub(crate) struct Script {
    steps: Vec<(Duration, Bytes)>,
    end: End,
}

/// Where a dial interrupts a stream: after how many content frames, with which last words, and how it then ends.
#[derive(Debug, Clone)]
struct Interruption {
    after: usize,
    last_words: Option<Bytes>,
    end: End,
}

/// How an error inside the stream shows itself.
#[derive(Debug, Clone)]
pub(crate) struct StreamError {
    pub event: Option<Bytes>,
    pub end: End,
}

impl Script {
    /// The script of `frames` under `dials`, for the request at `position`; `error` replaces what comes after
    /// [`Dials::error_after_chunks`] content frames. Of several interruptions the earliest happens.
    pub fn new(frames: Vec<Frame>, dials: &Dials, position: u64, error: Option<StreamError>) -> Self {
        let interruption = interruption(dials, error);
        let mut script = Self { steps: Vec::with_capacity(frames.len()), end: End::Whole };
        if dials.sse_comments {
            script.push(Duration::ZERO, Bytes::from_static(b": SIMULATED\n\n: keep-alive\n\n"), dials);
        }
        let mut contents = 0;
        for (index, frame) in frames.into_iter().enumerate() {
            if let Some(interruption) = &interruption
                && frame.content
                && contents == interruption.after
            {
                if let Some(last_words) = interruption.last_words.clone() {
                    script.push(Duration::ZERO, last_words, dials);
                }
                script.end = interruption.end;
                break;
            }
            let wait = wait_before(index, frame.content && contents > 0, dials, position);
            contents += usize::from(frame.content);
            script.push(wait, frame.bytes, dials);
        }
        script
    }

    /// A complete answer sent under the same dials: half of it is its one content frame.
    pub fn of_complete(body: Bytes, dials: &Dials) -> Self {
        let end = match (dials.truncate_after_chunks, dials.stall_after_chunks) {
            (Some(_), _) if dials.truncate_cleanly => End::Whole,
            (Some(_), _) => End::Cut,
            (None, Some(_)) => End::Stall,
            (None, None) => {
                let mut script = Self { steps: Vec::new(), end: End::Whole };
                script.push(Duration::ZERO, body, dials);
                return script;
            }
        };
        let mut script = Self { steps: Vec::new(), end };
        script.push(Duration::ZERO, body.slice(..body.len() / 2), dials);
        script
    }

    fn push(&mut self, wait: Duration, bytes: Bytes, dials: &Dials) {
        let bytes = if dials.sse_crlf { with_crlf(&bytes) } else { bytes };
        let Some(frame_bytes) = dials.frame_bytes else {
            self.steps.push((wait, bytes));
            return;
        };
        let mut wait = wait;
        let mut rest = bytes;
        while !rest.is_empty() {
            let piece = rest.split_to(frame_bytes.min(rest.len()));
            self.steps.push((std::mem::take(&mut wait), piece));
        }
    }

    /// Plays the script as an HTTP body. `in_flight` is finished by the last frame, or cancelled by being dropped.
    pub fn play(self, in_flight: InFlight, stop: CancellationToken) -> Body {
        struct Playing {
            steps: std::vec::IntoIter<(Duration, Bytes)>,
            end: End,
            in_flight: InFlight,
            stop: CancellationToken,
        }
        let playing = Playing { steps: self.steps.into_iter(), end: self.end, in_flight, stop };
        Body::from_stream(stream::unfold(Some(playing), async |playing| {
            let mut playing = playing?;
            let Some((wait, bytes)) = playing.steps.next() else {
                match playing.end {
                    End::Whole => {}
                    // A body that breaks takes along what was not flushed yet: let go of the thread once, so that
                    // the frames before the break reach the client.
                    End::Cut => tokio::task::yield_now().await,
                    End::Stall => playing.stop.cancelled().await,
                }
                playing.in_flight.finish();
                return (playing.end != End::Whole).then(|| (Err(broken()), None));
            };
            if !wait.is_zero() {
                tokio::select! {
                    () = playing.stop.cancelled() => {
                        playing.in_flight.finish();
                        return Some((Err(broken()), None));
                    }
                    () = tokio::time::sleep(wait) => {}
                }
            }
            Some((Ok(bytes), Some(playing)))
        }))
    }
}

fn broken() -> io::Error {
    io::ErrorKind::ConnectionAborted.into()
}

fn interruption(dials: &Dials, error: Option<StreamError>) -> Option<Interruption> {
    let failing = dials.error_after_chunks.zip(error).map(|(after, error)| Interruption {
        after,
        last_words: error.event,
        end: error.end,
    });
    let stalling =
        dials.stall_after_chunks.map(|after| Interruption { after, last_words: None, end: End::Stall });
    let cut = if dials.truncate_cleanly { End::Whole } else { End::Cut };
    let truncating =
        dials.truncate_after_chunks.map(|after| Interruption { after, last_words: None, end: cut });
    [failing, stalling, truncating].into_iter().flatten().min_by_key(|interruption| interruption.after)
}

/// The wait before the frame at `index`: the first one has its own, later content frames are spaced.
fn wait_before(index: usize, later_content: bool, dials: &Dials, position: u64) -> Duration {
    let base = match (index, later_content) {
        (0, _) => dials.first_chunk_ms,
        (_, true) => dials.chunk_interval_ms,
        (_, false) => return Duration::ZERO,
    };
    if base == 0 {
        return Duration::ZERO;
    }
    Duration::from_millis(base + jitter_ms(dials, position.wrapping_mul(1009).wrapping_add(index as u64)))
}

fn with_crlf(bytes: &Bytes) -> Bytes {
    let mut out = Vec::with_capacity(bytes.len() + 4);
    for byte in bytes {
        if *byte == b'\n' {
            out.push(b'\r');
        }
        out.push(*byte);
    }
    Bytes::from(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames() -> Vec<Frame> {
        let mut writer = FrameWriter::default();
        writer.raw(b"head\n", false);
        for word in ["one\n", "two\n", "three\n"] {
            writer.raw(word.as_bytes(), true);
        }
        writer.raw(b"tail\n", false);
        writer.frames()
    }

    fn sent(script: &Script) -> String {
        script.steps.iter().map(|(_, bytes)| String::from_utf8_lossy(bytes).into_owned()).collect()
    }

    #[test]
    fn truncation_counts_content_and_keeps_the_head() {
        let dials = Dials { truncate_after_chunks: Some(0), ..Dials::default() };
        let script = Script::new(frames(), &dials, 0, None);
        assert_eq!((sent(&script).as_str(), script.end), ("head\n", End::Cut));
        let dials = Dials { truncate_after_chunks: Some(2), truncate_cleanly: true, ..Dials::default() };
        let script = Script::new(frames(), &dials, 0, None);
        assert_eq!((sent(&script).as_str(), script.end), ("head\none\ntwo\n", End::Whole));
    }

    #[test]
    fn the_earliest_interruption_happens() {
        let dials = Dials {
            truncate_after_chunks: Some(2),
            stall_after_chunks: Some(1),
            error_after_chunks: Some(1),
            ..Dials::default()
        };
        let error = StreamError { event: Some(Bytes::from_static(b"oops\n")), end: End::Whole };
        let script = Script::new(frames(), &dials, 0, Some(error));
        assert_eq!((sent(&script).as_str(), script.end), ("head\none\noops\n", End::Whole));
    }

    #[test]
    fn an_interruption_beyond_the_end_changes_nothing() {
        let dials = Dials { truncate_after_chunks: Some(4), ..Dials::default() };
        let script = Script::new(frames(), &dials, 0, None);
        assert_eq!(script.end, End::Whole);
        assert!(sent(&script).ends_with("tail\n"));
    }

    #[test]
    fn waits_space_the_content_frames_only() {
        let dials = Dials { first_chunk_ms: 5, chunk_interval_ms: 20, ..Dials::default() };
        let script = Script::new(frames(), &dials, 0, None);
        let waits: Vec<u128> = script.steps.iter().map(|(wait, _)| wait.as_millis()).collect();
        assert_eq!(waits, [5, 0, 20, 20, 0]);
    }

    #[test]
    fn small_frames_carry_the_same_bytes() {
        let dials = Dials { frame_bytes: Some(3), ..Dials::default() };
        let script = Script::new(frames(), &dials, 0, None);
        assert_eq!(sent(&script), "head\none\ntwo\nthree\ntail\n");
        assert!(script.steps.iter().all(|(_, bytes)| bytes.len() <= 3));
    }
}
