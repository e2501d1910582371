//! A streamed answer: frames are held back until the first one with content, so that a target that breaks before it can
//! still be replaced; and the last ones until the ledger has the settlement.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use signalbox_core::failure::FailureKind;
use signalbox_core::ledger::Outcome;
use signalbox_providers::{Account, Call, CallError, ChatStream, Metering, StreamItem, stream_error_frame};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::attempt::{Begun, at};
use super::kept::{Gathered, STREAM};
use super::run::{Ending, Run, Step};
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

/// What is noted of a stream on its way.
struct Noted {
    /// For the log, when payloads are logged.
    payload: Option<String>,
    /// For whoever is to be given the answer again.
    gathered: Gathered,
}

impl Noted {
    fn take(&mut self, bytes: &Bytes) {
        if let Some(payload) = self.payload.as_mut().filter(|payload| payload.len() < PAYLOAD_BYTES_MAX) {
            payload.push_str(&String::from_utf8_lossy(bytes));
        }
        self.gathered.take(bytes);
    }
}

impl Run {
    /// Nothing goes to the client before the first content, and until then the request's deadline and the target's own
    /// patience count. A stream that flows is not cut by either.
    pub(super) async fn try_stream(&mut self, account: &Account, call: Call, mut begun: Begun) -> Step {
        let engine = Arc::clone(&self.engine);
        let (deadline, flow) = (self.deadline, self.flow.clone());
        let opened = tokio::select! {
            biased;
            () = flow.cancelled() => return self.cut_off(begun, None).await,
            opened = engine.providers.stream(account, &call) => opened,
            () = self.caller.gone(&self.keeping) => return self.abandon(begun, None).await,
            () = at(deadline) => return self.expire(begun, None),
        };
        let mut stream = match opened {
            Ok(stream) => stream,
            Err(error) => return self.after_failure(begun, &error),
        };
        begun.headroom = stream.headroom();
        // A stream that only says that it lives must still say something some day.
        let patience = begun.patience.unwrap_or_else(|| Instant::now() + self.live.patience.complete_answer);
        let opening = tokio::select! {
            biased;
            () = flow.cancelled() => {
                stream.hang_up();
                return self.cut_off(begun, Some(stream.metering_so_far())).await;
            }
            opening = open(&mut stream) => opening,
            () = self.caller.gone(&self.keeping) => return self.abandon(begun, Some(stream.metering_so_far())).await,
            () = at(deadline) => return self.expire(begun, Some(stream.metering_so_far())),
            () = tokio::time::sleep_until(patience) => Opening::Broken(said_nothing(&begun, &stream)),
        };
        match opening {
            Opening::Broken(error) => self.after_failure(begun, &error),
            Opening::Committed { held_back, end } => {
                begun.first_token_us = Some(self.elapsed_us());
                let (frames_in, frames) = mpsc::channel(FRAMES_WAITING);
                let meta = self.meta(begun.target.clone(), self.attempts.len() + 1, None);
                let taken = self.caller.give(Ok(Answer::Stream { meta, frames }));
                if !taken && !self.keeping.is_awaited() {
                    return self.abandon(begun, Some(stream.metering_so_far())).await;
                }
                self.pump(stream, begun, held_back, end, &frames_in).await
            }
        }
    }

    /// Passes frames on until the end, a break, or the client's leave.
    async fn pump(
        &mut self,
        mut stream: ChatStream,
        begun: Begun,
        held_back: Bytes,
        mut end: Option<(Bytes, Metering)>,
        client: &mpsc::Sender<Bytes>,
    ) -> Step {
        let payload = self.logs_payloads().then(String::new);
        let mut noted = Noted { payload, gathered: Gathered::begin(self.keeping.wants()) };
        let mut frame = Some(held_back);
        let mut is_client_there = true;
        let flow = self.flow.clone();
        loop {
            if let Some(bytes) = frame.take().filter(|bytes| !bytes.is_empty()) {
                noted.take(&bytes);
                if is_client_there {
                    is_client_there = tokio::select! {
                        sent = client.send_timeout(bytes, CLIENT_STALL) => sent.is_ok(),
                        () = flow.cancelled() => true,
                    };
                }
                if !is_client_there && !self.keeping.is_awaited() {
                    return self.abandon(begun, Some(stream.metering_so_far())).await;
                }
            }
            if let Some((bytes, metering)) = end.take() {
                noted.take(&bytes);
                return self.finish(begun, bytes, metering, noted, client).await;
            }
            let item = tokio::select! {
                biased;
                () = flow.cancelled() => {
                    // At the provider first, before anything is counted, written or said.
                    stream.hang_up();
                    return self.go_down(begun, &stream.metering_so_far(), noted, client).await;
                }
                item = stream.next() => item,
                () = client.closed(), if is_client_there => {
                    is_client_there = false;
                    if self.keeping.is_awaited() {
                        continue;
                    }
                    return self.abandon(begun, Some(stream.metering_so_far())).await;
                }
            };
            match item {
                StreamItem::Frame { bytes, .. } => frame = Some(bytes),
                StreamItem::End { bytes, metering } => end = Some((bytes, metering)),
                StreamItem::Failed(error) => {
                    let metering = error.metering.clone().unwrap_or_else(|| stream.metering_so_far());
                    return self.break_off(begun, &error, &metering, noted, client).await;
                }
            }
        }
    }

    /// The clean end: settled first, then kept, then the last bytes.
    async fn finish(
        &mut self,
        begun: Begun,
        bytes: Bytes,
        metering: Metering,
        noted: Noted,
        client: &mpsc::Sender<Bytes>,
    ) -> Step {
        let target = begun.target.clone();
        self.end_attempt(begun, Outcome::Succeeded, None, Some(200), Some(&metering));
        let finish_reason = metering.finish_reason;
        let ending =
            Ending { outcome: Outcome::Succeeded, finish_reason, error: None, payload: noted.payload };
        let last = match self.settle(ending).await {
            Ok(cost) => {
                let meta = self.meta(target, self.attempts.len(), cost);
                self.keep(&meta, STREAM.into(), noted.gathered.finish()).await;
                bytes
            }
            Err(refusal) => stream_error_frame(self.start.surface, refusal.code.as_str(), &refusal.message),
        };
        self.say_last(last, client).await;
        Step::Done
    }

    /// Broken after content went out: there is no other target now, and the client must not take it for a whole answer.
    async fn break_off(
        &mut self,
        begun: Begun,
        error: &CallError,
        metering: &Metering,
        noted: Noted,
        client: &mpsc::Sender<Bytes>,
    ) -> Step {
        let message = format!("{} broke off its answer: {}", begun.target, error.message);
        self.end_attempt(begun, Outcome::Failed, Some(error), error.http_status, Some(metering));
        let code = Refusal::after(&self.attempts, None).code;
        let refused = Some((code, message.clone()));
        let ending =
            Ending { outcome: Outcome::Failed, finish_reason: None, error: refused, payload: noted.payload };
        let (code, message) = match self.settle(ending).await {
            Ok(_) => (code, message),
            Err(refusal) => (refusal.code, refusal.message),
        };
        let frame = stream_error_frame(self.start.surface, code.as_str(), &message);
        self.say_last(frame, client).await;
        Step::Done
    }

    /// The instance goes down, or all traffic is stopped, after content went out: that is not the target's fault.
    async fn go_down(
        &mut self,
        begun: Begun,
        metering: &Metering,
        noted: Noted,
        client: &mpsc::Sender<Bytes>,
    ) -> Step {
        self.end_attempt(begun, Outcome::Interrupted, None, None, Some(metering));
        let (code, message) = self.engine.kill_switch.why_ended();
        let error = Some((code, message.to_owned()));
        let ending =
            Ending { outcome: Outcome::Interrupted, finish_reason: None, error, payload: noted.payload };
        let _ = self.settle(ending).await;
        let frame = stream_error_frame(self.start.surface, code.as_str(), message);
        self.say_last(frame, client).await;
        Step::Done
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

fn said_nothing(begun: &Begun, stream: &ChatStream) -> CallError {
    CallError {
        kind: FailureKind::Timeout,
        http_status: Some(stream.http_status()),
        message: format!("{} opened a stream and said nothing in it in time", begun.target),
        retry_after: None,
        metering: Some(stream.metering_so_far()),
        headroom: None,
    }
}
