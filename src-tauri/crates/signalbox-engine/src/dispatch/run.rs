//! One request on its way along the chain.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use signalbox_core::breach::Breach;
use signalbox_core::breaker::Blocked;
use signalbox_core::budget::Shortfall;
use signalbox_core::decide::Candidate;
use signalbox_core::failure::FailureKind;
use signalbox_core::ledger::{Attempt, NextCall, Outcome, RequestStart, Settlement};
use signalbox_core::meter::CostStatus;
use signalbox_core::money::NanoUsd;
use signalbox_core::provider::ProviderKind;
use signalbox_core::retry::{AfterAttempt, GiveUp, NextStep, wait_for_soonest};
use signalbox_core::route::{RouteTarget, Target};
use signalbox_core::time::Timestamp;
use signalbox_core::toggle::Toggle;
use signalbox_providers::Payload;
use signalbox_store::LedgerEntry;
use tokio::sync::oneshot;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::approval::Leave;
use super::keeping::Keeping;
use super::{Answer, AnswerMeta, Refusal, RefusalCode};
use crate::budgets::Tab;
use crate::engine::{Engine, InFlight};
use crate::events::Topic;
use crate::health::{CallPermit, Skipped, Terms};
use crate::limits::Place;
use crate::live::Live;
use crate::recovery::interrupted;

/// A request that was admitted.
pub(super) struct Run {
    pub(super) engine: Arc<Engine>,
    pub(super) live: Arc<Live>,
    pub(super) start: Arc<RequestStart>,
    pub(super) payload: Payload,
    /// What it reads at most.
    pub(super) tokens_in: u64,
    pub(super) attempts: Vec<Attempt>,
    pub(super) began: Instant,
    /// When an answer must have begun.
    pub(super) deadline: Option<Instant>,
    pub(super) caller: Caller,
    pub(super) keeping: Keeping,
    /// A person's leave, until it is used.
    leave: Option<Leave>,
    /// Cancelled when the request must end now: the instance goes down, or AI traffic is stopped.
    pub(super) flow: CancellationToken,
    /// Whether a person let it go out.
    is_approved: bool,
    pub(super) tab: Tab,
    /// The target whose call is held for in the budgets and written down.
    held_for: Option<Target>,
    /// Bills above all that their call could come to, and whose.
    pub(super) breaches: Vec<(Target, Breach)>,
    /// The budget that kept a further call back, if one did.
    shortfall: Option<Box<Shortfall>>,
    retry_after: Option<Duration>,
    _in_flight: InFlight,
    _place: Place,
}

/// What a request is admitted with.
pub(super) struct Admitted {
    pub(super) start: RequestStart,
    pub(super) payload: Payload,
    pub(super) tokens_in: u64,
    pub(super) began: Instant,
    pub(super) deadline: Option<Instant>,
    pub(super) keeping: Keeping,
    pub(super) leave: Option<Leave>,
    pub(super) place: Place,
    pub(super) tab: Tab,
}

/// Where the client waits for the answer.
pub(super) struct Caller(Option<oneshot::Sender<Result<Answer, Refusal>>>);

impl Caller {
    /// A client, and where it waits.
    pub(super) fn new() -> (Self, oneshot::Receiver<Result<Answer, Refusal>>) {
        let (answer_to, answer) = oneshot::channel();
        (Self(Some(answer_to)), answer)
    }

    /// Resolves when the client leaves while no other, that sent the same request again, waits for its answer.
    pub(super) async fn gone(&mut self, keeping: &Keeping) {
        match &mut self.0 {
            Some(answer_to) => answer_to.closed().await,
            None => std::future::pending().await,
        }
        if keeping.is_awaited() {
            std::future::pending::<()>().await;
        }
    }

    /// Gives the answer. Says whether the client took it.
    pub(super) fn give(&mut self, answer: Result<Answer, Refusal>) -> bool {
        self.0.take().is_some_and(|answer_to| answer_to.send(answer).is_ok())
    }
}

/// How a request ended, besides what its attempts say.
pub(super) struct Ending {
    pub(super) outcome: Outcome,
    pub(super) finish_reason: Option<String>,
    pub(super) error: Option<(RefusalCode, String)>,
    pub(super) payload: Option<String>,
}

/// How an attempt ended.
pub(super) enum Step {
    /// The request is settled and answered, or nobody waits for an answer any more.
    Done,
    /// It failed, and the client has nothing yet.
    Failed { kind: FailureKind, retry_after: Option<Duration> },
}

/// How all tries of one target, or of a chain, ended.
enum Tried {
    /// The request is settled.
    Done,
    /// The next target may do better.
    Next,
    /// Nothing may, for now.
    Over(Option<GiveUp>),
}

impl Run {
    pub(super) fn new(
        engine: Arc<Engine>,
        live: Arc<Live>,
        admitted: Admitted,
        caller: Caller,
        flow: CancellationToken,
    ) -> Self {
        let in_flight = InFlight::begin(&engine);
        let held_for = admitted.start.decision.chain().next().map(|candidate| candidate.target.clone());
        Self {
            tab: admitted.tab,
            held_for,
            breaches: Vec::new(),
            shortfall: None,
            engine,
            live,
            start: Arc::new(admitted.start),
            payload: admitted.payload,
            tokens_in: admitted.tokens_in,
            attempts: Vec::new(),
            began: admitted.began,
            deadline: admitted.deadline,
            caller,
            keeping: admitted.keeping,
            is_approved: admitted.leave.is_some(),
            leave: admitted.leave,
            flow,
            retry_after: None,
            _in_flight: in_flight,
            _place: admitted.place,
        }
    }

    /// Serves the request; a fault of ours on the way still leaves it settled, at its estimate.
    pub(super) async fn serve_whatever_happens(self) {
        let (engine, live, start) =
            (Arc::clone(&self.engine), Arc::clone(&self.live), Arc::clone(&self.start));
        if AssertUnwindSafe(self.serve()).catch_unwind().await.is_err() {
            tracing::error!(request = %start.id, "a request ended in a fault of ours; it is settled at its estimate");
            let settlement = Arc::new(interrupted(&start, None, &live.snapshot, engine.control.now()));
            engine.budgets.post(&settlement.postings);
            let entry =
                LedgerEntry::Settle { start: Arc::clone(&start), settlement: Arc::clone(&settlement) };
            if engine.ledger.write(entry).await.is_err() {
                engine.settle_later(start, settlement);
            }
        }
    }

    /// A person's leave is used up, then T1, the chain, T2: after a crash in between the leave is gone and nothing was sent.
    async fn serve(mut self) {
        if let Some(leave) = self.leave.take().filter(|_| self.start.refused_by.is_none())
            && let Err(refusal) = self.engine.use_leave(&leave, self.start.id).await
        {
            self.caller.give(Err(refusal));
            return;
        }
        if let Err(error) = self.engine.ledger.write(LedgerEntry::Start(Arc::clone(&self.start))).await {
            let message = format!("Nothing was sent: {error}.");
            self.caller.give(Err(Refusal::new(RefusalCode::LedgerUnavailable, message)));
            return;
        }
        self.engine.health.note_request(&self.start.operation, self.start.started_at);
        let chain: Vec<Candidate> = self.start.decision.chain().cloned().collect();
        let mut skipped = Vec::new();
        let mut tried = self.walk(&chain, &mut skipped).await;
        if let Tried::Over(give_up) = &tried
            && !matches!(give_up, Some(GiveUp::ClientFault | GiveUp::Deadline))
            && let Some(waited) = self.wait_for_one_of(&skipped).await
        {
            tried = match waited {
                Waited::Gone => Tried::Done,
                Waited::Whole => {
                    let again: Vec<Candidate> = skipped.drain(..).map(|(candidate, _)| candidate).collect();
                    self.walk(&again, &mut skipped).await
                }
            };
        }
        match tried {
            Tried::Done => {}
            Tried::Next => self.refuse(None, &skipped).await,
            Tried::Over(give_up) => self.refuse(give_up, &skipped).await,
        }
    }

    /// Tries the targets in order. Those that may not be called now are put into `skipped`.
    async fn walk(&mut self, chain: &[Candidate], skipped: &mut Vec<(Candidate, Skipped)>) -> Tried {
        let mut failed_at: Option<&Target> = None;
        let mut over = None;
        for (place, candidate) in chain.iter().enumerate() {
            if self.flow.is_cancelled() || self.is_over() {
                break;
            }
            let is_last_resort = candidate.is_last_resort() || self.start.decision.chain().count() == 1;
            let permit = match self.permit(candidate, is_last_resort) {
                Ok(permit) => permit,
                Err(why) => {
                    skipped.push((candidate.clone(), why));
                    continue;
                }
            };
            match self.hold(candidate).await {
                Held::Yes => {}
                Held::OverBudget => continue,
                Held::Over => return Tried::Done,
            }
            let last = self.attempts.last().and_then(|attempt| attempt.failure);
            if let Some(from) =
                failed_at.take().filter(|_| last.is_some_and(FailureKind::speaks_against_target))
            {
                self.engine.health.note_failover(&self.start.operation, from);
            }
            let rest = chain.get(place + 1..).unwrap_or_default();
            match self.try_target(candidate, permit, is_last_resort, rest).await {
                Tried::Done => return Tried::Done,
                Tried::Next => failed_at = self.failed_there(candidate).then_some(&candidate.target),
                Tried::Over(give_up) => {
                    over = give_up;
                    if matches!(give_up, Some(GiveUp::ClientFault | GiveUp::Deadline)) {
                        return Tried::Over(give_up);
                    }
                    failed_at = self.failed_there(candidate).then_some(&candidate.target);
                }
            }
        }
        Tried::Over(if self.is_over() { Some(GiveUp::Deadline) } else { over })
    }

    /// Whether the last attempt failed for a reason that lies with its target: only then it counts as a failover from it.
    fn failed_there(&self, candidate: &Candidate) -> bool {
        let failure = self.attempts.last().and_then(|attempt| attempt.failure);
        failure.is_some_and(|kind| {
            kind.speaks_against_target() && !(candidate.own_credential && kind.is_about_account())
        })
    }

    /// Calls one target, and again when it is the last one, its fault may pass and the route's retries allow it.
    async fn try_target(
        &mut self,
        candidate: &Candidate,
        mut permit: CallPermit,
        is_last_resort: bool,
        rest: &[Candidate],
    ) -> Tried {
        let mut retries = 0;
        loop {
            let Step::Failed { kind, retry_after } = self.attempt(candidate, permit).await else {
                return Tried::Done;
            };
            self.retry_after = retry_after;
            let after = AfterAttempt {
                kind,
                retry_after_us: retry_after.map(micros),
                has_next: rest.iter().any(|next| self.may_call(next)),
                retries,
                is_committed: false,
                deadline_left_us: self.deadline_left_us(),
            };
            let pause_us = match self.engine.health.after_failure(&self.start.operation, after) {
                NextStep::NextTarget => return Tried::Next,
                NextStep::GiveUp(why) => return Tried::Over(Some(why)),
                NextStep::Retry { pause_us } => pause_us,
            };
            if matches!(self.pause(pause_us).await, Waited::Gone) {
                return Tried::Done;
            }
            retries += 1;
            permit = match self.permit(candidate, is_last_resort) {
                Ok(permit) => permit,
                Err(_) => return Tried::Over(None),
            };
            match self.hold(candidate).await {
                Held::Yes => {}
                Held::OverBudget => return Tried::Over(None),
                Held::Over => return Tried::Done,
            }
        }
    }

    /// Sees to it that what the next call may cost is held in the budgets and written down, before it goes out.
    async fn hold(&mut self, candidate: &Candidate) -> Held {
        if self.held_for.take().is_some_and(|target| target == candidate.target) {
            return Held::Yes;
        }
        let live = self.engine.live();
        let holding = match self.tab.hold(&live, &self.start, candidate, self.is_approved).await {
            Ok(holding) => holding,
            Err(shortfall) => {
                self.shortfall = Some(shortfall);
                return Held::OverBudget;
            }
        };
        if holding.is_none() && self.start.holding.is_none() {
            return Held::Yes;
        }
        let call = NextCall {
            request: self.start.id,
            attempts: self.attempts.clone(),
            postings: self.tab.postings(),
            target: candidate.target.clone(),
            estimate: candidate.estimate,
            holding,
        };
        match self.engine.ledger.write(LedgerEntry::Call(Arc::new(call))).await {
            Ok(()) => Held::Yes,
            Err(error) => {
                let message = format!("No further provider was called: {error}.");
                let ending = Ending {
                    outcome: Outcome::Failed,
                    finish_reason: None,
                    error: Some((RefusalCode::LedgerUnavailable, message.clone())),
                    payload: None,
                };
                let _ = self.settle(ending).await;
                let refusal = Refusal::new(RefusalCode::LedgerUnavailable, message);
                self.caller.give(Err(Refusal { request: Some(self.start.id), ..refusal }));
                Held::Over
            }
        }
    }

    fn permit(&self, candidate: &Candidate, is_last_resort: bool) -> Result<CallPermit, Skipped> {
        let target = &candidate.target;
        self.engine.health.permit(Terms {
            operation: &self.start.operation,
            target,
            concurrent_max: self.live.concurrent_max(&target.provider),
            settings: self.live.snapshot.settings.breaker,
            is_last_resort,
            own_credential: candidate.own_credential,
        })
    }

    /// Whether a target would get a permit now.
    fn may_call(&self, candidate: &Candidate) -> bool {
        let target = &candidate.target;
        let view = self.engine.health.view(
            &self.start.operation,
            target,
            self.live.concurrent_max(&target.provider),
            self.live.snapshot.settings.breaker,
            self.engine.control.now(),
        );
        let concerns_it = |blocked: &Blocked| !(candidate.own_credential && blocked.why.is_about_account());
        self.live.account(&target.provider, self.start.key).is_some()
            && !view.blocked.as_ref().is_some_and(concerns_it)
            && view.capped_until.is_none()
            && !view.is_full
    }

    /// Waits until one of the targets that were not called may be, if that is soon; `None` when it is not.
    async fn wait_for_one_of(&mut self, skipped: &[(Candidate, Skipped)]) -> Option<Waited> {
        let soonest = skipped.iter().filter_map(|(_, why)| why.until()).min();
        let wait_us = wait_for_soonest(soonest, self.deadline_left_us(), self.engine.control.now())?;
        Some(self.pause(wait_us).await)
    }

    /// Waits, unless the client leaves or all traffic ends meanwhile: then the request is settled.
    async fn pause(&mut self, pause_us: i64) -> Waited {
        let flow = self.flow.clone();
        let pause = Duration::from_micros(u64::try_from(pause_us).unwrap_or_default());
        let outcome = tokio::select! {
            () = tokio::time::sleep(pause) => return Waited::Whole,
            () = self.caller.gone(&self.keeping) => Outcome::Cancelled,
            () = flow.cancelled() => Outcome::Interrupted,
        };
        self.leave(outcome).await;
        Waited::Gone
    }

    /// Nobody answered: settles and tells the client.
    async fn refuse(&mut self, give_up: Option<GiveUp>, skipped: &[(Candidate, Skipped)]) {
        let mut refusal = self.refusal(give_up, skipped);
        let error = Some((refusal.code, refusal.message.clone()));
        let ending = Ending { outcome: Outcome::Failed, finish_reason: None, error, payload: None };
        if let Err(ledger) = self.settle(ending).await {
            refusal = ledger;
        }
        refusal.request = Some(self.start.id);
        self.caller.give(Err(refusal));
    }

    fn refusal(&self, give_up: Option<GiveUp>, skipped: &[(Candidate, Skipped)]) -> Refusal {
        if self.flow.is_cancelled() {
            let (code, message) = self.engine.kill_switch.why_ended();
            return Refusal::new(code, message);
        }
        if give_up == Some(GiveUp::Deadline) {
            return Refusal::too_late(&self.attempts, self.began.elapsed());
        }
        if self.attempts.is_empty()
            && let Some(shortfall) = self.shortfall.as_deref().or(self.start.refused_by.as_deref())
        {
            return Refusal::over_budget(shortfall, self.engine.control.now());
        }
        // Waiting does not cure a fault of the request itself.
        let come_back = self.come_back(skipped).filter(|_| give_up != Some(GiveUp::ClientFault));
        if self.attempts.is_empty() {
            Refusal::nothing_to_try(&self.start, skipped, come_back)
        } else {
            Refusal::after(&self.attempts, come_back)
        }
    }

    /// When trying again may help: when the first of the targets may be called again.
    fn come_back(&self, skipped: &[(Candidate, Skipped)]) -> Option<Duration> {
        let now = self.engine.control.now();
        let of_skipped = skipped
            .iter()
            .filter_map(|(_, why)| u64::try_from(why.until()?.micros_since(now)).ok())
            .map(Duration::from_micros);
        let of_decision = self.start.decision.back_at();
        let of_decision = of_decision.and_then(|back| u64::try_from(back.micros_since(now)).ok());
        of_skipped.chain(self.retry_after).chain(of_decision.map(Duration::from_micros)).min()
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
            postings: self.tab.close(),
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
        if !settlement.postings.is_empty() {
            self.engine.events.publish(Topic::Budgets);
        }
        let (_, cost) = settlement.cost();
        self.attempts.clone_from(&settlement.attempts);
        self.tell_unpriced();
        // The answer goes out when the model is blocked: whoever asks again because of it finds it so.
        for (target, breach) in std::mem::take(&mut self.breaches) {
            self.engine.block_model(&target, breach).await;
        }
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

    fn tell_unpriced(&self) {
        for attempt in &self.attempts {
            if attempt.cost.status == CostStatus::Unpriced {
                self.engine.tell_unpriced(&attempt.target);
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
            cache: self.keeping.cache_use,
            replayed: false,
        }
    }

    /// The route's card of a target; `None` for one the client pinned outside the route.
    pub(super) fn card(&self, target: &Target) -> Option<&RouteTarget> {
        let entry = self.live.snapshot.operations.get(&self.start.operation)?;
        entry.route.targets.iter().find(|card| card.target == *target)
    }

    pub(super) fn logs_payloads(&self) -> bool {
        self.live.snapshot.toggles.is_on(Toggle::LogPayloads, Some(&self.start.operation))
    }

    pub(super) fn elapsed_us(&self) -> i64 {
        micros(self.began.elapsed())
    }

    /// The wall clock at the start plus the time that really passed: a clock set back meanwhile does not matter.
    fn now(&self) -> Timestamp {
        self.start.started_at.plus_micros(self.elapsed_us())
    }

    fn is_over(&self) -> bool {
        self.deadline.is_some_and(|deadline| deadline <= Instant::now())
    }

    fn deadline_left_us(&self) -> Option<i64> {
        self.deadline.map(|deadline| micros(deadline.saturating_duration_since(Instant::now())))
    }

    fn is_simulated(&self, target: &Target) -> bool {
        let provider = self.live.snapshot.providers.get(&target.provider);
        provider.is_some_and(|entry| entry.provider.kind == ProviderKind::Simulator)
    }
}

/// Whether a call may go out.
enum Held {
    /// Yes: what it may cost is held.
    Yes,
    /// No: a budget has not enough left for it.
    OverBudget,
    /// No: the request is settled.
    Over,
}

/// How a pause ended.
enum Waited {
    /// It is over.
    Whole,
    /// The request is settled.
    Gone,
}

pub(super) fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}
