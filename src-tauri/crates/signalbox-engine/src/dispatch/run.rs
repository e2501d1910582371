//! One request on its way along the chain.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use signalbox_core::decide::Candidate;
use signalbox_core::failure::FailureKind;
use signalbox_core::ledger::{Attempt, Outcome, RequestStart, Settlement};
use signalbox_core::meter::{Cost, UsageSource, price_usage};
use signalbox_core::money::NanoUsd;
use signalbox_core::price::ServiceMode;
use signalbox_core::provider::ProviderKind;
use signalbox_core::route::Target;
use signalbox_core::time::Timestamp;
use signalbox_core::usage::{Unit, Usage};
use signalbox_providers::{Account, Call, CallError, Metering, Payload, Timeouts, inspect};
use signalbox_store::LedgerEntry;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::{Answer, AnswerMeta, CacheUse, Refusal, RefusalCode};
use crate::engine::{Engine, InFlight};
use crate::live::Live;
use crate::recovery::interrupted;

/// Until the first byte of a stream.
const STREAM_FIRST_BYTE: Duration = Duration::from_secs(30);
/// Until a complete answer: all of its generation.
const COMPLETE_ANSWER: Duration = Duration::from_mins(5);
/// Between two pieces of a stream; models that think send their headers and then nothing for a while.
const STREAM_IDLE: Duration = Duration::from_mins(2);

/// Where the caller waits for the answer; closed when it no longer does.
pub(super) type AnswerTo = oneshot::Sender<Result<Answer, Refusal>>;

/// A request that was admitted.
pub(super) struct Run {
    pub(super) engine: Arc<Engine>,
    pub(super) live: Arc<Live>,
    pub(super) start: Arc<RequestStart>,
    pub(super) payload: Payload,
    pub(super) attempts: Vec<Attempt>,
    began: Instant,
    retry_after: Option<Duration>,
    _in_flight: InFlight,
}

/// An attempt that has begun.
pub(super) struct Begun {
    pub(super) target: Target,
    started_us: i64,
    pub(super) first_token_us: Option<i64>,
}

/// How a request ended, besides what its attempts say.
pub(super) struct Ending {
    pub(super) outcome: Outcome,
    pub(super) finish_reason: Option<String>,
    pub(super) error: Option<(RefusalCode, String)>,
    pub(super) payload: Option<String>,
}

impl Run {
    pub(super) fn new(engine: Arc<Engine>, live: Arc<Live>, start: RequestStart, payload: Payload) -> Self {
        let in_flight = InFlight::begin(&engine);
        Self {
            engine,
            live,
            start: Arc::new(start),
            payload,
            attempts: Vec::new(),
            began: Instant::now(),
            retry_after: None,
            _in_flight: in_flight,
        }
    }

    /// Serves the request; a fault of ours on the way still leaves it settled, at its estimate.
    pub(super) async fn serve_whatever_happens(self, answer_to: AnswerTo) {
        let (engine, live, start) =
            (Arc::clone(&self.engine), Arc::clone(&self.live), Arc::clone(&self.start));
        if AssertUnwindSafe(self.serve(answer_to)).catch_unwind().await.is_err() {
            tracing::error!(request = %start.id, "a request ended in a fault of ours; it is settled at its estimate");
            let settlement = Arc::new(interrupted(&start, &live.snapshot, engine.control.now()));
            let entry =
                LedgerEntry::Settle { start: Arc::clone(&start), settlement: Arc::clone(&settlement) };
            if engine.ledger.write(entry).await.is_err() {
                engine.settle_later(start, settlement);
            }
        }
    }

    /// T1, the chain, T2.
    async fn serve(mut self, mut answer_to: AnswerTo) {
        if let Err(error) = self.engine.ledger.write(LedgerEntry::Start(Arc::clone(&self.start))).await {
            let refusal = Refusal::new(RefusalCode::LedgerUnavailable, format!("Nothing was sent: {error}."));
            let _ = answer_to.send(Err(refusal));
            return;
        }
        let chain: Vec<Candidate> = self.start.decision.chain().cloned().collect();
        for candidate in chain {
            if self.engine.abort.is_cancelled() {
                break;
            }
            let Some(account) = self.live.accounts.get(&candidate.target.provider).cloned() else { continue };
            let call = self.call_of(&candidate.target);
            let begun = self.begin(candidate.target);
            let next = if self.start.streamed {
                self.try_stream(&account, call, begun, answer_to).await
            } else {
                self.try_complete(&account, call, begun, answer_to).await
            };
            match next {
                Next::Done => return,
                Next::Target(run, waiting) => (self, answer_to) = (*run, waiting),
                Next::GiveUp(run, waiting) => {
                    (self, answer_to) = (*run, waiting);
                    break;
                }
            }
        }
        self.refuse(answer_to).await;
    }

    async fn try_complete(
        mut self,
        account: &Account,
        call: Call,
        begun: Begun,
        mut answer_to: AnswerTo,
    ) -> Next {
        let engine = Arc::clone(&self.engine);
        let result = tokio::select! {
            result = engine.providers.complete(account, &call) => result,
            () = answer_to.closed() => return self.abandon(begun, None).await,
            () = engine.abort.cancelled() => return self.cut_off(begun, None, answer_to).await,
        };
        match result {
            Ok(answer) => {
                let call_target = begun.target.clone();
                self.end_attempt(
                    begun,
                    Outcome::Succeeded,
                    None,
                    Some(answer.http_status),
                    Some(&answer.metering),
                );
                let payload =
                    self.logs_payloads().then(|| String::from_utf8_lossy(&answer.body).into_owned());
                let finish_reason = answer.metering.finish_reason;
                let ending = Ending { outcome: Outcome::Succeeded, finish_reason, error: None, payload };
                let settled = self.settle(ending).await;
                let meta = |cost| self.meta(call_target, self.attempts.len(), cost);
                let result = settled.map(|cost| Answer::Complete {
                    meta: meta(cost),
                    content_type: answer.content_type,
                    body: answer.body,
                });
                let _ = answer_to.send(result);
                Next::Done
            }
            Err(error) => self.after_failure(begun, &error, answer_to),
        }
    }

    /// Records the failure and says whether the next target may do better.
    pub(super) fn after_failure(mut self, begun: Begun, error: &CallError, answer_to: AnswerTo) -> Next {
        let metering = error.metering.clone().or_else(|| self.metering_of_silence(error.kind));
        self.end_attempt(begun, Outcome::Failed, Some(error), error.http_status, metering.as_ref());
        self.retry_after = error.retry_after;
        if error.kind.fails_over() {
            Next::Target(Box::new(self), answer_to)
        } else {
            Next::GiveUp(Box::new(self), answer_to)
        }
    }

    /// The client went away: the call is dropped, which ends it at the provider too, and what was used is charged.
    pub(super) async fn abandon(mut self, begun: Begun, metering: Option<Metering>) -> Next {
        let metering = metering.or_else(|| self.metering_of_silence(FailureKind::Timeout));
        self.end_attempt(begun, Outcome::Cancelled, None, None, metering.as_ref());
        let error = Some((RefusalCode::ClientClosed, "The client closed the connection.".to_owned()));
        let ending = Ending { outcome: Outcome::Cancelled, finish_reason: None, error, payload: None };
        let _ = self.settle(ending).await;
        Next::Done
    }

    /// The instance goes down: the request ends here, settled.
    pub(super) async fn cut_off(
        mut self,
        begun: Begun,
        metering: Option<Metering>,
        answer_to: AnswerTo,
    ) -> Next {
        let metering = metering.or_else(|| self.metering_of_silence(FailureKind::Timeout));
        self.end_attempt(begun, Outcome::Interrupted, None, None, metering.as_ref());
        let message = "Signalbox shut down while the request was running.".to_owned();
        let error = Some((RefusalCode::ShuttingDown, message.clone()));
        let ending = Ending { outcome: Outcome::Interrupted, finish_reason: None, error, payload: None };
        let _ = self.settle(ending).await;
        let _ = answer_to.send(Err(Refusal::new(RefusalCode::ShuttingDown, message)));
        Next::Done
    }

    /// Nobody answered: settles and tells the client.
    async fn refuse(mut self, answer_to: AnswerTo) {
        let mut refusal = if self.attempts.is_empty() {
            let why = self.start.decision.rejections_in_words();
            let operation = &self.start.operation;
            let message = format!(
                "No target of `{operation}` can be used now: {why}. Connect one of these providers, or put a connected one \
                 into the route."
            );
            let too_long = self.start.decision.is_too_long();
            Refusal::new(if too_long { RefusalCode::ContextLength } else { RefusalCode::NoTarget }, message)
        } else {
            Refusal::after(&self.attempts, self.retry_after)
        };
        let error = Some((refusal.code, refusal.message.clone()));
        let ending = Ending { outcome: Outcome::Failed, finish_reason: None, error, payload: None };
        if let Err(ledger) = self.settle(ending).await {
            refusal = ledger;
        }
        refusal.request = Some(self.start.id);
        let _ = answer_to.send(Err(refusal));
    }

    pub(super) fn begin(&self, target: Target) -> Begun {
        Begun { target, started_us: self.elapsed_us(), first_token_us: None }
    }

    pub(super) fn end_attempt(
        &mut self,
        begun: Begun,
        outcome: Outcome,
        error: Option<&CallError>,
        http_status: Option<u16>,
        metering: Option<&Metering>,
    ) {
        let finished_us = self.elapsed_us();
        let ordinal = u32::try_from(self.attempts.len() + 1).unwrap_or(u32::MAX);
        self.attempts.push(Attempt {
            ordinal,
            outcome,
            failure: error.map(|error| error.kind),
            http_status,
            message: error.map(|error| error.message.clone()),
            started_us: begun.started_us,
            first_token_us: begun.first_token_us.or((outcome == Outcome::Succeeded).then_some(finished_us)),
            finished_us,
            usage: metering.map(|metering| metering.usage).unwrap_or_default(),
            cost: self.cost_of(&begun.target, begun.started_us, metering),
            target: begun.target,
        });
    }

    fn cost_of(&self, target: &Target, started_us: i64, metering: Option<&Metering>) -> Cost {
        let Some(metering) = metering else { return Cost::nothing() };
        let cards = self.live.snapshot.models.get(target).map_or(&[][..], |entry| &entry.cards);
        let dispatched_at = self.start.started_at.plus_micros(started_us);
        price_usage(
            cards,
            dispatched_at,
            &metering.usage,
            metering.source,
            metering.charged,
            ServiceMode::Standard,
        )
    }

    /// What a provider that never said so may have billed: the input, which it had read. Nothing where it cannot have
    /// begun to work.
    fn metering_of_silence(&self, kind: FailureKind) -> Option<Metering> {
        if !matches!(kind, FailureKind::Timeout | FailureKind::Truncated) {
            return None;
        }
        let tokens_in =
            inspect(self.start.surface, &self.payload).map_or(0, |features| features.bound.tokens_in);
        let usage = Usage::default().with(Unit::InputTokens, tokens_in);
        Some(Metering { usage, source: UsageSource::Estimated, charged: None, finish_reason: None })
    }

    /// T2. What the client may be told comes after it.
    ///
    /// Errors: the ledger did not take it; the answer must not go out as if nothing had happened.
    pub(super) async fn settle(&mut self, ending: Ending) -> Result<Option<NanoUsd>, Refusal> {
        // Money that a real provider took before the simulator answered is real money.
        let simulated = !self.attempts.is_empty()
            && self.attempts.iter().all(|attempt| self.is_simulated(&attempt.target));
        let (error_code, error_message) = ending
            .error
            .map_or((None, None), |(code, message)| (Some(code.as_str().to_owned()), Some(message)));
        let settlement = Settlement {
            cache: None,
            id: self.start.id,
            finished_at: self.now(),
            outcome: ending.outcome,
            attempts: std::mem::take(&mut self.attempts),
            simulated,
            finish_reason: ending.finish_reason,
            error_code,
            error_message,
            latency_us: self.elapsed_us(),
            payload: ending.payload.filter(|_| self.logs_payloads()),
        };
        let settlement = Arc::new(settlement);
        let entry =
            LedgerEntry::Settle { start: Arc::clone(&self.start), settlement: Arc::clone(&settlement) };
        let written = self.engine.ledger.write(entry).await;
        let (_, cost) = settlement.cost();
        self.attempts.clone_from(&settlement.attempts);
        match written {
            Ok(()) => Ok(cost),
            Err(error) => {
                self.engine.settle_later(Arc::clone(&self.start), settlement);
                let message = format!("The answer cannot be given out: {error}.");
                let refusal = Refusal::new(RefusalCode::LedgerUnavailable, message);
                Err(Refusal { request: Some(self.start.id), ..refusal })
            }
        }
    }

    /// What the answer of `target`, the attempt of this number, says about itself.
    pub(super) fn meta(&self, target: Target, attempt: usize, cost: Option<NanoUsd>) -> AnswerMeta {
        AnswerMeta {
            request: self.start.id,
            operation: self.start.operation.clone(),
            simulated: self.is_simulated(&target),
            target,
            attempts: u32::try_from(attempt).unwrap_or(u32::MAX),
            cost,
            cache: CacheUse::Off,
            replayed: false,
        }
    }

    pub(super) fn logs_payloads(&self) -> bool {
        self.live.snapshot.settings.log_payloads
    }

    pub(super) fn elapsed_us(&self) -> i64 {
        i64::try_from(self.began.elapsed().as_micros()).unwrap_or(i64::MAX)
    }

    /// The wall clock at the start plus the time that really passed: a clock set back meanwhile does not matter.
    fn now(&self) -> Timestamp {
        self.start.started_at.plus_micros(self.elapsed_us())
    }

    fn is_simulated(&self, target: &Target) -> bool {
        let provider = self.live.snapshot.providers.get(&target.provider);
        provider.is_some_and(|entry| entry.provider.kind == ProviderKind::Simulator)
    }

    fn call_of(&self, target: &Target) -> Call {
        let first_byte = if self.start.streamed { STREAM_FIRST_BYTE } else { COMPLETE_ANSWER };
        Call {
            surface: self.start.surface,
            payload: self.payload.clone(),
            model: target.model.clone(),
            timeouts: Timeouts { first_byte, idle: STREAM_IDLE },
        }
    }
}

/// What follows an attempt.
pub(super) enum Next {
    /// The request is settled and answered.
    Done,
    /// The next target is tried.
    Target(Box<Run>, AnswerTo),
    /// The next target would not do better.
    GiveUp(Box<Run>, AnswerTo),
}
