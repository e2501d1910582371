//! A streamed answer: frames are held back until the first one with content, so that a target that breaks before it can
//! still be replaced; and the last ones until the ledger has the settlement.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use signalbox_core::failure::FailureKind;
use signalbox_core::ledger::Outcome;
use signalbox_providers::{Account, Call, CallError, ChatStream, Metering, StreamItem, stream_error_frame};
use tokio::sync::mpsc;

use super::run::{AnswerTo, Begun, Ending, Next, Run};
use super::{Answer, Refusal};

/// Frames that may wait for a slow client; past it the provider is read no faster than the client reads.
const FRAMES_WAITING: usize = 64;
/// A client that takes nothing for this long is gone.
const CLIENT_STALL: Duration = Duration::from_mins(2);
/// How much of a streamed answer is kept when payloads are logged.
const PAYLOAD_BYTES_MAX: usize = 1024 * 1024;

/// How the opening of a stream ended.
enum Opening {
    /// There is content (or a clean end): the answer is this target's.
    Committed { held_back: Bytes, end: Option<(Bytes, Metering)> },
    /// It broke before any content.
    Broken(CallError),
}

impl Run {
    pub(super) async fn try_stream(
        self,
        account: &Account,
        call: Call,
        mut begun: Begun,
        mut answer_to: AnswerTo,
    ) -> Next {
        let engine = std::sync::Arc::clone(&self.engine);
        let opened = tokio::select! {
            opened = engine.providers.stream(account, &call) => opened,
            () = answer_to.closed() => return self.abandon(begun, None).await,
            () = engine.abort.cancelled() => return self.cut_off(begun, None, answer_to).await,
        };
        let mut stream = match opened {
            Ok(stream) => stream,
            Err(error) => return self.after_failure(begun, &error, answer_to),
        };
        let opening = tokio::select! {
            opening = open(&mut stream) => opening,
            () = answer_to.closed() => return self.abandon(begun, Some(stream.metering_so_far())).await,
            () = engine.abort.cancelled() => {
                return self.cut_off(begun, Some(stream.metering_so_far()), answer_to).await;
            }
        };
        match opening {
            Opening::Broken(error) => self.after_failure(begun, &error, answer_to),
            Opening::Committed { held_back, end } => {
                begun.first_token_us = Some(self.elapsed_us());
                let (frames_in, frames) = mpsc::channel(FRAMES_WAITING);
                let meta = self.meta(begun.target.clone(), self.attempts.len() + 1, None);
                if answer_to.send(Ok(Answer::Stream { meta, frames })).is_err() {
                    return self.abandon(begun, Some(stream.metering_so_far())).await;
                }
                self.pump(stream, begun, held_back, end, &frames_in).await;
                Next::Done
            }
        }
    }

    /// Passes frames on until the end, a break, or the client's leave.
    async fn pump(
        mut self,
        mut stream: ChatStream,
        begun: Begun,
        held_back: Bytes,
        mut end: Option<(Bytes, Metering)>,
        client: &mpsc::Sender<Bytes>,
    ) {
        let mut answer = self.logs_payloads().then(String::new);
        let mut frame = Some(held_back);
        let abort = self.engine.abort.clone();
        loop {
            if let Some(bytes) = frame.take().filter(|bytes| !bytes.is_empty()) {
                note(&mut answer, &bytes);
                let taken = tokio::select! {
                    sent = client.send_timeout(bytes, CLIENT_STALL) => sent.is_ok(),
                    () = abort.cancelled() => true,
                };
                if !taken {
                    self.abandon(begun, Some(stream.metering_so_far())).await;
                    return;
                }
            }
            if let Some((bytes, metering)) = end.take() {
                note(&mut answer, &bytes);
                self.finish(begun, bytes, metering, answer, client).await;
                return;
            }
            let item = tokio::select! {
                item = stream.next() => item,
                () = client.closed() => {
                    self.abandon(begun, Some(stream.metering_so_far())).await;
                    return;
                }
                () = abort.cancelled() => StreamItem::Failed(going_down()),
            };
            match item {
                StreamItem::Frame { bytes, .. } => frame = Some(bytes),
                StreamItem::End { bytes, metering } => end = Some((bytes, metering)),
                StreamItem::Failed(error) => {
                    let metering = error.metering.clone().unwrap_or_else(|| stream.metering_so_far());
                    self.break_off(begun, &error, &metering, answer, client).await;
                    return;
                }
            }
        }
    }

    /// The clean end: settled first, then the last bytes.
    async fn finish(
        &mut self,
        begun: Begun,
        bytes: Bytes,
        metering: Metering,
        payload: Option<String>,
        client: &mpsc::Sender<Bytes>,
    ) {
        self.end_attempt(begun, Outcome::Succeeded, None, Some(200), Some(&metering));
        let finish_reason = metering.finish_reason;
        let ending = Ending { outcome: Outcome::Succeeded, finish_reason, error: None, payload };
        let last = match self.settle(ending).await {
            Ok(_) => bytes,
            Err(refusal) => stream_error_frame(self.start.surface, refusal.code.as_str(), &refusal.message),
        };
        self.say_last(last, client).await;
    }

    /// Broken after content went out: there is no other target now, and the client must not take it for a whole answer.
    async fn break_off(
        &mut self,
        begun: Begun,
        error: &CallError,
        metering: &Metering,
        payload: Option<String>,
        client: &mpsc::Sender<Bytes>,
    ) {
        let message = format!("{} broke off its answer: {}", begun.target, error.message);
        self.end_attempt(begun, Outcome::Failed, Some(error), error.http_status, Some(metering));
        let code = Refusal::after(&self.attempts, None).code;
        let refused = Some((code, message.clone()));
        let ending = Ending { outcome: Outcome::Failed, finish_reason: None, error: refused, payload };
        let (code, message) = match self.settle(ending).await {
            Ok(_) => (code, message),
            Err(refusal) => (refusal.code, refusal.message),
        };
        let frame = stream_error_frame(self.start.surface, code.as_str(), &message);
        self.say_last(frame, client).await;
    }

    /// The last bytes, unless the client does not take them or the instance goes down first.
    async fn say_last(&self, bytes: Bytes, client: &mpsc::Sender<Bytes>) {
        let Err(mpsc::error::TrySendError::Full(bytes)) = client.try_send(bytes) else { return };
        tokio::select! {
            _ = client.send_timeout(bytes, CLIENT_STALL) => {}
            () = self.engine.abort.cancelled() => {}
        }
    }
}

/// Reads until there is content, an end or a break.
async fn open(stream: &mut ChatStream) -> Opening {
    let mut held_back = BytesMut::new();
    loop {
        match stream.next().await {
            StreamItem::Frame { bytes, semantic } => {
                held_back.extend_from_slice(&bytes);
                if semantic {
                    return Opening::Committed { held_back: held_back.freeze(), end: None };
                }
            }
            StreamItem::End { bytes, metering } => {
                return Opening::Committed { held_back: held_back.freeze(), end: Some((bytes, metering)) };
            }
            StreamItem::Failed(error) => return Opening::Broken(error),
        }
    }
}

fn note(answer: &mut Option<String>, bytes: &Bytes) {
    if let Some(answer) = answer.as_mut().filter(|answer| answer.len() < PAYLOAD_BYTES_MAX) {
        answer.push_str(&String::from_utf8_lossy(bytes));
    }
}

fn going_down() -> CallError {
    CallError {
        kind: FailureKind::Network,
        http_status: None,
        message: "Signalbox shut down while the request was running.".to_owned(),
        retry_after: None,
        metering: None,
    }
}
