//! One call of one target: made, watched, metered and reported.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};
use signalbox_core::decide::Candidate;
use signalbox_core::failure::FailureKind;
use signalbox_core::health::{Answered, Failed};
use signalbox_core::ledger::{Attempt, Outcome, Surface, Work};
use signalbox_core::meter::{Cost, UsageSource, price_usage};
use signalbox_core::price::ServiceMode;
use signalbox_core::route::{RouteTarget, Target};
use signalbox_core::usage::{Unit, Usage};
use signalbox_providers::{Account, Call, CallError, Headroom, Metering, Payload, Timeouts};
use tokio::time::Instant;

use super::run::{Ending, Run, Step, micros};
use super::{Answer, RefusalCode};
use crate::budgets::tokens_out_max;
use crate::health::CallPermit;

/// How long a call that the client's own deadline ends must have waited to speak against the target. A shorter deadline
/// says more about the client.
const DEADLINE_COUNTS_FROM: Duration = Duration::from_secs(10);

/// How long vectors may take: they are made at once, however many.
const VECTORS_MAX: Duration = Duration::from_mins(1);
/// How long speech may take to be made.
const SPEECH_MAX: Duration = Duration::from_mins(2);

/// The least Anthropic's models think.
const THINKING_TOKENS_MIN: u32 = 1_024;

/// An attempt that has begun.
pub(super) struct Begun {
    pub(super) target: Target,
    started_us: i64,
    pub(super) first_token_us: Option<i64>,
    /// When its answer must have begun, by the target's own card.
    pub(super) patience: Option<Instant>,
    /// The room the provider leaves, if it said so.
    pub(super) headroom: Option<Headroom>,
    /// Whether it is made with the caller's own credential.
    own_credential: bool,
    permit: CallPermit,
}

impl Run {
    /// Calls a target. Unless it answers, the client has nothing of it.
    pub(super) async fn attempt(&mut self, candidate: &Candidate, permit: CallPermit) -> Step {
        let target = &candidate.target;
        let Some(account) = self.live.account(&target.provider, self.start.key).cloned() else {
            return Step::Failed { kind: FailureKind::InvalidKey, retry_after: None };
        };
        // From here to the call nothing waits: traffic that was stopped before it sends nothing.
        if self.flow.is_cancelled() {
            drop(permit);
            self.leave(Outcome::Interrupted).await;
            return Step::Done;
        }
        let call = self.call_of(target);
        let timeout_ms = self.card(target).and_then(|card| card.timeout_ms);
        let patience = timeout_ms.map(|ms| Instant::now() + Duration::from_millis(ms.into()));
        let started_us = self.elapsed_us();
        let begun = Begun {
            target: target.clone(),
            started_us,
            first_token_us: None,
            patience,
            headroom: None,
            own_credential: candidate.own_credential,
            permit,
        };
        if self.start.streamed && self.start.surface.work() == Work::Chat {
            self.try_stream(&account, call, begun).await
        } else {
            self.try_complete(&account, call, begun).await
        }
    }

    async fn try_complete(&mut self, account: &Account, call: Call, mut begun: Begun) -> Step {
        let engine = Arc::clone(&self.engine);
        let (deadline, flow) = (self.deadline, self.flow.clone());
        let result = tokio::select! {
            biased;
            () = flow.cancelled() => return self.cut_off(begun, None).await,
            result = engine.providers.complete(account, &call) => result,
            () = self.caller.gone(&self.keeping) => return self.abandon(begun, None).await,
            () = at(deadline) => return self.expire(begun, None),
        };
        let answer = match result {
            Ok(answer) => answer,
            Err(error) => return self.after_failure(begun, &error),
        };
        let target = begun.target.clone();
        begun.headroom = answer.headroom;
        self.end_attempt(begun, Outcome::Succeeded, None, Some(answer.http_status), Some(&answer.metering));
        let payload = self.logs_payloads().then(|| String::from_utf8_lossy(&answer.body).into_owned());
        let finish_reason = answer.metering.finish_reason;
        let ending = Ending { outcome: Outcome::Succeeded, finish_reason, error: None, payload };
        let result = match self.settle(ending).await {
            Ok(cost) => {
                let meta = self.meta(target, self.attempts.len(), cost);
                self.keep(&meta, answer.content_type.clone(), Some(answer.body.clone())).await;
                Ok(Answer::Complete { meta, content_type: answer.content_type, body: answer.body })
            }
            Err(refusal) => Err(refusal),
        };
        self.caller.give(result);
        Step::Done
    }

    /// Records the failure.
    pub(super) fn after_failure(&mut self, begun: Begun, error: &CallError) -> Step {
        let metering = error.metering.clone().or_else(|| self.metering_of_silence(error.kind));
        self.end_attempt(begun, Outcome::Failed, Some(error), error.http_status, metering.as_ref());
        Step::Failed { kind: error.kind, retry_after: error.retry_after }
    }

    /// The request's time is over while the call runs: it is dropped, which ends it at the provider too.
    pub(super) fn expire(&mut self, begun: Begun, metering: Option<Metering>) -> Step {
        let waited_us = self.elapsed_us().saturating_sub(begun.started_us);
        let error = CallError {
            kind: FailureKind::Timeout,
            http_status: None,
            message: format!("the request's time was over after {} ms of this call", waited_us / 1_000),
            retry_after: None,
            metering,
            headroom: None,
        };
        self.after_failure(begun, &error)
    }

    /// The client went away: the call is dropped, which ends it at the provider too, and what was used is charged.
    pub(super) async fn abandon(&mut self, begun: Begun, metering: Option<Metering>) -> Step {
        let metering = metering.or_else(|| self.metering_of_silence(FailureKind::Timeout));
        self.end_attempt(begun, Outcome::Cancelled, None, None, metering.as_ref());
        self.leave(Outcome::Cancelled).await;
        Step::Done
    }

    /// The instance goes down or all traffic is stopped: the request ends here, settled.
    pub(super) async fn cut_off(&mut self, begun: Begun, metering: Option<Metering>) -> Step {
        let metering = metering.or_else(|| self.metering_of_silence(FailureKind::Timeout));
        self.end_attempt(begun, Outcome::Interrupted, None, None, metering.as_ref());
        self.leave(Outcome::Interrupted).await;
        Step::Done
    }

    /// Settles a request that its client or the instance gave up, and says so to whom it may concern.
    pub(super) async fn leave(&mut self, outcome: Outcome) {
        let (code, message) = match outcome {
            Outcome::Interrupted => self.engine.kill_switch.why_ended(),
            Outcome::Cancelled | Outcome::Succeeded | Outcome::Failed => {
                (RefusalCode::ClientClosed, "The client closed the connection.")
            }
        };
        let error = Some((code, message.to_owned()));
        let ending = Ending { outcome, finish_reason: None, error, payload: None };
        // A ledger that refuses it now gets it later; whoever could be told has gone or is told that we go.
        let _ = self.settle(ending).await;
        self.caller.give(Err(super::Refusal::new(code, message)));
    }

    /// Writes the attempt down and reports it to the board, which gives its permit back.
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
        let first_token_us = begun.first_token_us.or((outcome == Outcome::Succeeded).then_some(finished_us));
        let attempt = Attempt {
            ordinal,
            outcome,
            failure: error.map(|error| error.kind),
            http_status,
            message: error.map(|error| error.message.clone()),
            started_us: begun.started_us,
            first_token_us,
            finished_us,
            usage: metering.map(|metering| metering.usage).unwrap_or_default(),
            cost: self.cost_of(&begun.target, begun.started_us, metering),
            target: begun.target,
        };
        self.breaches.extend(self.breach_of(&attempt).map(|breach| (attempt.target.clone(), breach)));
        let tokens = attempt.usage.tokens_in().saturating_add(attempt.usage.tokens_out());
        self.tab.end_call(attempt.cost.total, tokens);
        if outcome == Outcome::Succeeded && self.start.surface.work() == Work::Chat {
            let (operation, target) = (&self.start.operation, &attempt.target);
            self.engine.budgets.learn(operation, target, attempt.usage.tokens_out());
        }
        let headroom = error.and_then(|error| error.headroom).or(begun.headroom);
        let of_another_account =
            begun.own_credential && error.is_some_and(|error| error.kind.is_about_account());
        if of_another_account {
            begun.permit.cancelled();
        } else {
            self.report(begun.permit, &attempt, error, headroom.filter(|_| !begun.own_credential));
        }
        self.attempts.push(attempt);
    }

    fn report(
        &self,
        permit: CallPermit,
        attempt: &Attempt,
        error: Option<&CallError>,
        headroom: Option<Headroom>,
    ) {
        let headroom = headroom.map(|headroom| headroom.seen_at(self.engine.control.now()));
        let latency_us = attempt.finished_us.saturating_sub(attempt.started_us);
        let since_start = |at_us: i64| at_us.saturating_sub(attempt.started_us);
        let ended_by_deadline = self.deadline.is_some_and(|deadline| deadline <= Instant::now());
        let too_short = latency_us < micros(DEADLINE_COUNTS_FROM);
        match (attempt.outcome, error) {
            (Outcome::Succeeded, _) => {
                let answered =
                    Answered { latency_us, first_token_us: attempt.first_token_us.map(since_start) };
                permit.succeeded(answered, headroom);
            }
            (Outcome::Failed, Some(error))
                if !(error.kind == FailureKind::Timeout && ended_by_deadline && too_short) =>
            {
                let failed = Failed {
                    kind: error.kind,
                    message: error.message.clone(),
                    http_status: error.http_status,
                    latency_us,
                    retry_after_us: error.retry_after.map(micros),
                    request: Some(self.start.id),
                };
                permit.failed(&failed, headroom);
            }
            (Outcome::Failed | Outcome::Cancelled | Outcome::Interrupted, _) => permit.cancelled(),
        }
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
        let usage = Usage::default().with(Unit::InputTokens, self.tokens_in);
        Some(Metering { usage, source: UsageSource::Estimated, charged: None, finish_reason: None })
    }

    fn call_of(&self, target: &Target) -> Call {
        let card = self.card(target);
        let patience = &self.live.patience;
        let usual = match self.start.surface.work() {
            Work::Chat if self.start.streamed => patience.stream_first_byte,
            Work::Chat | Work::Transcription => patience.complete_answer,
            Work::Embedding => patience.complete_answer.min(VECTORS_MAX),
            Work::Speech => patience.complete_answer.min(SPEECH_MAX),
        };
        let own = card.and_then(|card| card.timeout_ms).map(|ms| Duration::from_millis(ms.into()));
        Call {
            surface: self.start.surface,
            payload: self.payload_for(target, card),
            model: target.model.clone(),
            timeouts: Timeouts { first_byte: own.unwrap_or(usual), idle: patience.stream_idle },
        }
    }

    /// How long an answer may get that nobody else limits: what was held for it is only a bound if somebody does.
    fn most_of_open_answer(&self, target: &Target) -> Option<u32> {
        let bound = self.start.decision.asked?.bound;
        let is_limited = tokens_out_max(&self.live, &self.start.operation, target).is_some();
        if bound.open_answers == 0 || is_limited || self.start.holding.is_none() {
            return None;
        }
        u32::try_from(bound.tokens_out_max / bound.open_answers).ok()
    }

    /// The client's request, its answer kept to what the target's card allows.
    pub(super) fn payload_for(&self, target: &Target, card: Option<&RouteTarget>) -> Payload {
        let Some(most) = card.and_then(|card| card.max_output).or_else(|| self.most_of_open_answer(target))
        else {
            return self.payload.clone();
        };
        let Payload::Json(body) = &self.payload else { return self.payload.clone() };
        let Some(field) = output_field(self.start.surface, target, |field| body.contains_key(field)) else {
            return self.payload.clone();
        };
        let asked = body.get(field).and_then(Value::as_u64);
        if asked.is_some_and(|asked| asked <= u64::from(most)) {
            return self.payload.clone();
        }
        let mut capped = (**body).clone();
        capped.insert(field.to_owned(), most.into());
        fit_thinking(&mut capped, most);
        Payload::Json(Arc::new(capped))
    }
}

/// Anthropic wants thinking to fit into the answer: it is shortened with it, and left out where too little room remains.
fn fit_thinking(body: &mut Map<String, Value>, most: u32) {
    let Some(Value::Object(thinking)) = body.get_mut("thinking") else { return };
    let Some(budget) = thinking.get("budget_tokens").and_then(Value::as_u64) else { return };
    if budget < u64::from(most) {
        return;
    }
    if most / 2 >= THINKING_TOKENS_MIN {
        thinking.insert("budget_tokens".to_owned(), (most / 2).into());
    } else {
        body.remove("thinking");
    }
}

/// Where a request says how long its answer may get; `None` where it cannot.
pub(super) fn output_field(
    surface: Surface,
    target: &Target,
    has: impl Fn(&str) -> bool,
) -> Option<&'static str> {
    match surface {
        Surface::OpenaiChat => {
            let said = ["max_completion_tokens", "max_tokens"].into_iter().find(|field| has(field));
            // OpenAI's thinking models refuse the older name, and many compatible servers do not know the newer one.
            let model = target.model.as_str().rsplit('/').next().unwrap_or_default();
            let thinks = ["gpt-5", "o1", "o3", "o4"].iter().any(|prefix| model.starts_with(prefix));
            said.or(Some(if thinks { "max_completion_tokens" } else { "max_tokens" }))
        }
        Surface::OpenaiResponses => Some("max_output_tokens"),
        Surface::AnthropicMessages => Some("max_tokens"),
        Surface::OpenaiEmbeddings | Surface::OpenaiTranscription | Surface::OpenaiSpeech => None,
    }
}

/// Resolves at an instant; never without one.
pub(crate) async fn at(instant: Option<Instant>) {
    match instant {
        Some(instant) => tokio::time::sleep_until(instant).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn thinking_never_asks_for_more_room_than_the_answer_has() {
        for (budget, most, expected) in [
            (5_000, 8_000, Some(5_000)),
            (8_000, 8_000, Some(4_000)),
            (8_000, 2_000, None),
            (900, 1_000, Some(900)),
        ] {
            let mut body = Map::new();
            body.insert("thinking".to_owned(), json!({"type": "enabled", "budget_tokens": budget}));
            fit_thinking(&mut body, most);
            let left = body.get("thinking").and_then(|thinking| thinking["budget_tokens"].as_u64());
            assert_eq!(left, expected, "{budget} in {most}");
        }
    }

    #[test]
    fn the_limit_of_an_answer_goes_where_the_client_or_the_model_expects_it() {
        let field = |surface, target: &str, said: Option<&str>| {
            output_field(surface, &target.parse().unwrap(), |field| said == Some(field))
        };
        let chat = Surface::OpenaiChat;
        assert_eq!(field(chat, "deepseek/deepseek-chat", None), Some("max_tokens"));
        assert_eq!(field(chat, "openai/gpt-5-mini", None), Some("max_completion_tokens"));
        assert_eq!(field(chat, "openrouter/openai/o3", None), Some("max_completion_tokens"));
        let said = Some("max_completion_tokens");
        assert_eq!(field(chat, "deepseek/deepseek-chat", said), Some("max_completion_tokens"));
        assert_eq!(field(Surface::OpenaiResponses, "a/b", None), Some("max_output_tokens"));
        assert_eq!(field(Surface::AnthropicMessages, "a/b", None), Some("max_tokens"));
        assert_eq!(field(Surface::OpenaiSpeech, "a/b", None), None);
    }
}
