//! A streamed answer on its way from the provider's events to the surface's.

use std::collections::VecDeque;
use std::fmt;

use bytes::Bytes;
use secrecy::SecretString;
use signalbox_core::failure::FailureKind;
use signalbox_core::ledger::Surface;

use crate::call::{CallError, Metering, StreamItem};
use crate::chat::ChatEvent;
use crate::dialect::{Decoded, Decoder, Dialect, Encoder};
use crate::failure::{ErrorBody, failed, tidy};
use crate::headroom::Headroom;
use crate::sse::{Events, Fault, write_event};
use crate::tally::Tally;

/// A streamed answer. Dropping it cancels the provider's call.
pub struct ChatStream {
    source: Source,
    writer: Writer,
    tally: Tally,
    credential: Option<SecretString>,
    http_status: u16,
    headroom: Option<Headroom>,
    started: bool,
    /// Everything from the finish reason on: it goes out with the end, once the ledger is settled.
    held: Vec<u8>,
    over: bool,
}

/// Where the events come from.
pub(crate) enum Source {
    /// A stream.
    Events(Box<(Events, Decoder)>),
    /// An answer that came whole although a stream was asked for.
    Whole(VecDeque<ChatEvent>),
}

/// How events are written for the client.
pub(crate) enum Writer {
    /// As they came.
    Forward { hides_usage: bool },
    /// In another dialect.
    Encode(Encoder),
}

/// One event of the provider, read.
struct Step {
    decoded: Decoded,
    /// Name and data as they came.
    raw: Option<(Option<String>, String)>,
}

/// Leaves prompt and answer out: they do not belong in logs.
impl fmt::Debug for ChatStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChatStream")
            .field("http_status", &self.http_status)
            .field("over", &self.over)
            .finish_non_exhaustive()
    }
}

impl ChatStream {
    /// A stream from `source`, answered with `http_status`.
    pub(crate) fn new(
        source: Source,
        writer: Writer,
        tally: Tally,
        credential: Option<SecretString>,
        http_status: u16,
    ) -> Self {
        Self {
            source,
            writer,
            tally,
            credential,
            http_status,
            headroom: None,
            started: false,
            held: Vec::new(),
            over: false,
        }
    }

    /// With what the answer's headers said of the provider's limits.
    pub(crate) const fn with_headroom(mut self, headroom: Option<Headroom>) -> Self {
        self.headroom = headroom;
        self
    }

    /// The room the provider leaves, if it said so.
    pub const fn headroom(&self) -> Option<Headroom> {
        self.headroom
    }

    /// The provider's status code.
    pub const fn http_status(&self) -> u16 {
        self.http_status
    }

    /// The next piece. After [`StreamItem::End`] or [`StreamItem::Failed`] there is none; asking again gives a failure.
    ///
    /// Cancel-safe: a dropped future loses nothing.
    pub async fn next(&mut self) -> StreamItem {
        if self.over {
            return StreamItem::Failed(failed(FailureKind::Truncated, None, "the stream is over"));
        }
        let item = loop {
            match self.step().await {
                Ok(Some(step)) => match self.pass(step) {
                    Ok(Some(item)) => break item,
                    Ok(None) => {}
                    Err(error) => break StreamItem::Failed(error),
                },
                Ok(None) => break self.close(),
                Err(error) => break StreamItem::Failed(error),
            }
        };
        self.over = !matches!(item, StreamItem::Frame { .. });
        item
    }

    /// What was used so far, for a stream that was cancelled or broke: as reported if known, else counted by us.
    pub fn metering_so_far(&self) -> Metering {
        self.tally.metering()
    }

    /// Ends the connection to the provider now; what was used so far can still be told.
    pub fn hang_up(&mut self) {
        self.source = Source::Whole(VecDeque::new());
        self.over = true;
    }

    /// Reads one event; `None` when the provider closed the stream.
    async fn step(&mut self) -> Result<Option<Step>, CallError> {
        let (events, decoder) = match &mut self.source {
            Source::Whole(events) => {
                let decoded =
                    events.pop_front().map(|event| Decoded { events: vec![event], only_usage: false });
                return Ok(decoded.map(|decoded| Step { decoded, raw: None }));
            }
            Source::Events(reader) => (&mut reader.0, &mut reader.1),
        };
        loop {
            match events.next().await {
                Ok(Some(event)) => {
                    // Comments and bare `retry` lines carry nothing.
                    let Some(data) = event.data else { continue };
                    if event.event.as_deref() == Some("error") {
                        return Err(
                            self.given_up(ErrorBody::of_bytes(data.as_bytes()).into_error(None, None, None))
                        );
                    }
                    return match decoder.read(&data) {
                        Ok(decoded) => Ok(Some(Step { decoded, raw: Some((event.event, data)) })),
                        Err(fault) => Err(self.broken(FailureKind::BadResponse, &fault)),
                    };
                }
                Ok(None) => return Ok(None),
                // Where the finish is the end, what happens to the connection after it is no loss.
                Err(_) if self.tally.is_finished() && decoder.ends_with_finish() => return Ok(None),
                Err(fault) => {
                    let kind = match &fault {
                        Fault::Idle(_) => FailureKind::Timeout,
                        Fault::TooLong | Fault::NotText => FailureKind::BadResponse,
                        Fault::Broken(_) => FailureKind::Truncated,
                    };
                    return Err(self.broken(kind, &format!("the answer stopped before its end: {fault}")));
                }
            }
        }
    }

    /// Turns one event into what the client gets of it, if anything.
    fn pass(&mut self, step: Step) -> Result<Option<StreamItem>, CallError> {
        let Step { decoded: Decoded { events, only_usage }, raw } = step;
        let (mut semantic, mut finishes, mut done) = (false, self.tally.is_finished(), false);
        for event in &events {
            if let ChatEvent::Failed(error) = event {
                return Err(self.given_up(error.clone()));
            }
            self.tally.observe(event);
            semantic = semantic || event.is_semantic();
            done = done || matches!(event, ChatEvent::Done);
            // A second choice may still be talking when the first has finished.
            finishes = (finishes && !event.is_semantic()) || matches!(event, ChatEvent::Finish(_));
        }
        if done && !self.started {
            return Err(
                self.broken(FailureKind::BadResponse, "the provider ended its answer before it began")
            );
        }
        self.started = self.started || !events.is_empty();
        let mut bytes = std::mem::take(&mut self.held);
        self.write(&events, raw, only_usage, &mut bytes)?;
        if done {
            return Ok(Some(self.end(bytes)));
        }
        if finishes || bytes.is_empty() {
            self.held = bytes;
            return Ok(None);
        }
        Ok(Some(StreamItem::Frame { bytes: bytes.into(), semantic }))
    }

    fn write(
        &mut self,
        events: &[ChatEvent],
        raw: Option<(Option<String>, String)>,
        only_usage: bool,
        out: &mut Vec<u8>,
    ) -> Result<(), CallError> {
        match (&mut self.writer, raw) {
            (Writer::Forward { hides_usage }, Some((name, data))) => {
                if !(*hides_usage && only_usage) {
                    write_event(out, name.as_deref(), &data);
                }
                Ok(())
            }
            // A whole answer is always encoded.
            (Writer::Forward { .. }, None) => Ok(()),
            (Writer::Encode(encoder), _) => {
                let written = events.iter().try_for_each(|event| encoder.write(event, out));
                written.map_err(|fault| self.broken(FailureKind::BadResponse, &fault))
            }
        }
    }

    /// The clean end.
    fn end(&mut self, mut bytes: Vec<u8>) -> StreamItem {
        let metering = self.tally.metering();
        if let Writer::Encode(encoder) = &mut self.writer {
            encoder.finish(&metering.usage, &mut bytes);
        }
        StreamItem::End { bytes: bytes.into(), metering }
    }

    /// The provider closed the stream without its terminal event.
    fn close(&mut self) -> StreamItem {
        let forgiven = match &self.source {
            Source::Events(reader) => reader.1.forgives_missing_terminal(),
            Source::Whole(_) => true,
        };
        if !forgiven || !self.tally.is_finished() {
            return StreamItem::Failed(
                self.broken(FailureKind::Truncated, "the answer stopped before its end"),
            );
        }
        let mut bytes = std::mem::take(&mut self.held);
        if matches!(self.writer, Writer::Forward { .. }) {
            write_event(&mut bytes, None, "[DONE]");
        }
        self.end(bytes)
    }

    fn broken(&self, kind: FailureKind, message: &str) -> CallError {
        let message = tidy(message, self.credential.as_ref());
        self.with_bill(failed(kind, Some(self.http_status), message))
    }

    /// An error event of the provider itself.
    fn given_up(&self, error: CallError) -> CallError {
        let message = tidy(&error.message, self.credential.as_ref());
        self.with_bill(CallError { message, http_status: Some(self.http_status), ..error })
    }

    /// A provider bills what it has said, whether or not it came to an end.
    fn with_bill(&self, error: CallError) -> CallError {
        let metering = self.tally.is_billable().then(|| self.tally.metering());
        CallError { metering, ..error }
    }
}

/// An error event in the dialect of `surface`, for a stream that breaks after its first byte.
pub fn stream_error_frame(surface: Surface, code: &str, message: &str) -> Bytes {
    Dialect::of_surface(surface).error_frame(code, message)
}

#[cfg(test)]
mod tests;
