//! What happens to a call before a provider hears of it: limits, what it is, whether its answer is known already, and
//! where it goes. Nothing is read from the database here, unless the client sends an idempotency key.

use std::sync::Arc;
use std::time::Duration;

use signalbox_core::budget::Admission;
use signalbox_core::decide::{self, Ask, Decision, Features, decide};
use signalbox_core::ids::{OperationId, RequestId};
use signalbox_core::ledger::{CacheHit, Outcome, RequestStart, Settlement, Surface, Work};
use signalbox_core::money::NanoUsd;
use signalbox_core::operation::Capability;
use signalbox_core::retry::wait_for_soonest;
use signalbox_core::route::Route;
use signalbox_core::toggle::Toggle;
use signalbox_providers::{RequestFeatures, inspect};
use signalbox_store::LedgerEntry;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::approval::{Asking, Leave, spender};
use super::fingerprint::{self, Addressed};
use super::keeping::{Keeping, Question};
use super::kept::KeptAnswer;
use super::run::{Admitted, micros};
use super::{Answer, AnswerMeta, CacheUse, Call, Payload, Refusal, RefusalCode};
use crate::budgets::{self, Tab};
use crate::engine::Engine;
use crate::idempotency::Claimed;
use crate::live::Live;

/// What an admitted call is.
pub(super) enum Entry {
    /// One for a provider.
    Run(Box<Admitted>),
    /// One whose answer is known.
    Answered(Answer),
}

/// A call on its way in.
#[derive(Clone, Copy)]
struct Way<'a> {
    live: &'a Live,
    features: &'a RequestFeatures,
    id: RequestId,
    deadline: Option<Instant>,
    flow: &'a CancellationToken,
}

/// A call that may go out, or that a budget refuses.
struct Allowed {
    decision: Decision,
    leave: Option<Leave>,
    admission: Admission,
    tab: Tab,
}

impl Engine {
    /// Lets a call in; it waits for nothing once `flow` is cancelled.
    ///
    /// Errors: a [`Refusal`]; nothing has been written then.
    pub(super) async fn admit(
        self: &Arc<Self>,
        live: &Arc<Live>,
        mut call: Call,
        flow: &CancellationToken,
    ) -> Result<Entry, Refusal> {
        let began = Instant::now();
        let key = call.key.and_then(|id| live.key(id));
        let place = self.limits.enter(key, live.snapshot.settings.max_requests)?;
        let entry = live.snapshot.operations.get(&call.resolved.operation);
        if let Some(entry) = entry {
            refuse_foreign_capability(&entry.operation.id, entry.operation.capability, call.surface)?;
        }
        let features = inspect(call.surface, &call.payload)
            .map_err(|fault| Refusal::new(RefusalCode::InvalidRequest, fault.to_string()))?;
        let addressed = Addressed {
            surface: call.surface,
            operation: &call.resolved.operation,
            pinned: call.resolved.pinned.as_ref(),
        };
        let id = RequestId::generate();
        let deadline = deadline(call.deadline, entry.map(|entry| &entry.route)).map(|wait| began + wait);
        let mut claim = None;
        if let Some(text) = &call.idempotency_key {
            match self.claim(call.key, text, addressed, &call.payload, id, deadline).await? {
                Claimed::First(leave) => claim = Some(leave),
                Claimed::Answered(answer) => return Ok(Entry::Answered(answer)),
            }
        }
        let logs_payloads = live.snapshot.toggles.is_on(Toggle::LogPayloads, Some(&call.resolved.operation));
        let way = Way { live, features: &features, id, deadline, flow };
        let decision = self.decide_patiently(&way, &call).await?;
        let question = question(live, &call, addressed, features.streamed);
        let kept = question.and_then(|asked| self.answers.get(&asked.fingerprint, self.control.now()));
        let payload = call.payload.clone();
        let began_at = self.control.now().plus_micros(-micros(began.elapsed()));
        let begin = |call: Call, decision: Decision| RequestStart {
            idempotency: claim.as_ref().map(crate::idempotency::Claim::idempotency),
            id,
            node: self.node,
            started_at: began_at,
            operation: call.resolved.operation,
            surface: call.surface,
            streamed: features.streamed,
            requested_model: call.requested_model,
            key: call.key,
            user: call.user,
            tags: call.tags,
            config_revision: live.snapshot.revision,
            estimate: decision.estimate_max(),
            decision,
            holding: None,
            refused_by: None,
            payload: logs_payloads.then(|| payload_text(&call.payload)),
        };
        // An answer that was paid for already needs neither a budget nor anybody's leave.
        if let Some(kept) = kept {
            let answer = self.answer_from_cache(begin(call, decision), &kept, logs_payloads).await?;
            if let Some(claim) = claim {
                let cost = Some(NanoUsd::ZERO);
                claim.answered(Arc::new(KeptAnswer { request: id, attempts: 0, cost, ..kept })).await;
            }
            return Ok(Entry::Answered(answer));
        }
        let Allowed { decision, leave, admission, tab } = self.allow(&way, &mut call, decision).await?;
        let mut start = begin(call, decision);
        budgets::write_into(&mut start, admission);
        let cache_use = if question.is_some() { CacheUse::Miss } else { CacheUse::Off };
        Ok(Entry::Run(Box::new(Admitted {
            start,
            payload,
            tokens_in: features.bound.tokens_in,
            began,
            deadline,
            keeping: Keeping { question, claim, cache_use },
            leave,
            place,
            tab,
        })))
    }

    /// Holds what the first call may cost, and asks a person where one has to be asked: the route says so, or a budget that
    /// is at its limit. With a person's leave the call goes where they said.
    ///
    /// Errors: as [`Engine::leave_of_a_person`]; nothing is held then. What a budget refuses is no error: it is in the
    /// admission.
    async fn allow(&self, way: &Way<'_>, call: &mut Call, decision: Decision) -> Result<Allowed, Refusal> {
        let (live, now) = (way.live, self.control.now());
        let (admission, tab) = self.budgets.admit(live, way.id, &spender(live, call), &decision, false).await;
        let features = features_of(live, call, way.features);
        let at_limit = admission.asks_for.as_slice();
        let asking = Asking { live, call, features: &features, decision: &decision, at_limit };
        let reasons = asking.reasons(&self.budgets, now);
        // Where a budget refuses whatever a person says, nobody is asked.
        let is_refused = admission.refused_by().is_some() && at_limit.is_empty() && call.approval.is_none();
        if reasons.is_empty() || is_refused {
            return Ok(Allowed { decision, leave: None, admission, tab });
        }
        // Nothing is held for a request that waits.
        drop(tab);
        let leave = self.leave_of_a_person(&asking, reasons, now).await?;
        let decision = match leave.target().cloned() {
            Some(target) => {
                call.resolved.pinned = Some(target);
                let decision = self.decide_patiently(way, call).await?;
                leave.covers(&decision)?;
                decision
            }
            None => decision,
        };
        let (admission, tab) = self.budgets.admit(live, way.id, &spender(live, call), &decision, true).await;
        Ok(Allowed { decision, leave: Some(leave), admission, tab })
    }

    /// Where the call goes. When every target cools down for no more than a moment, it waits for the first of them.
    async fn decide_patiently(&self, way: &Way<'_>, call: &Call) -> Result<Decision, Refusal> {
        let Way { live, features, deadline, flow, .. } = *way;
        let (operation, pinned) = (&call.resolved.operation, call.resolved.pinned.as_ref());
        let key = call.key.and_then(|id| live.key(id));
        let features = features_of(live, call, features);
        let decide_now = || {
            let now = self.control.now();
            let targets = decide::targets(&live.snapshot, operation, pinned);
            let health = self.health.views(operation, targets, live, now);
            let ask = Ask { operation, pinned, key, features, health: &health, lot: lot_of(way.id) };
            decide(&live.snapshot, &ask, now).map_err(Refusal::from)
        };
        let decision = decide_now()?;
        let left_us = deadline.map(|deadline| micros(deadline.saturating_duration_since(Instant::now())));
        let wait_us = wait_for_soonest(decision.cools_until(), left_us, self.control.now());
        let Some(wait) = wait_us.and_then(|wait_us| u64::try_from(wait_us).ok()) else { return Ok(decision) };
        tokio::select! {
            () = tokio::time::sleep(Duration::from_micros(wait)) => decide_now(),
            () = flow.cancelled() => Ok(decision),
        }
    }

    /// An answer that another request has paid for: logged as a request that cost nothing, with what it saved.
    async fn answer_from_cache(
        self: &Arc<Self>,
        start: RequestStart,
        kept: &KeptAnswer,
        logs_payloads: bool,
    ) -> Result<Answer, Refusal> {
        let start = Arc::new(start);
        let finished_at = self.control.now();
        let settlement = Arc::new(Settlement {
            cache: Some(CacheHit { of: kept.request, saved: kept.cost }),
            postings: Vec::new(),
            id: start.id,
            finished_at,
            outcome: Outcome::Succeeded,
            attempts: Vec::new(),
            simulated: kept.simulated,
            finish_reason: None,
            error_code: None,
            error_message: None,
            latency_us: finished_at.micros_since(start.started_at).max(0),
            payload: logs_payloads.then(|| String::from_utf8_lossy(&kept.body).into_owned()),
        });
        let meta = AnswerMeta {
            request: start.id,
            operation: start.operation.clone(),
            target: kept.target.clone(),
            attempts: 0,
            cost: Some(NanoUsd::ZERO),
            simulated: kept.simulated,
            cache: CacheUse::Hit,
            replayed: false,
        };
        let engine = Arc::clone(self);
        // A task of its own: a client that leaves now must not leave a request begun and never settled.
        let written = self.requests.spawn(async move {
            engine.ledger.write(LedgerEntry::Start(Arc::clone(&start))).await?;
            let entry =
                LedgerEntry::Settle { start: Arc::clone(&start), settlement: Arc::clone(&settlement) };
            let settled = engine.ledger.write(entry).await;
            if settled.is_err() {
                engine.settle_later(start, settlement);
            }
            settled
        });
        match written.await {
            Ok(Ok(())) => Ok(kept.as_answer(meta)),
            Ok(Err(error)) => {
                let message = format!("The answer cannot be given out: {error}.");
                Err(Refusal::new(RefusalCode::LedgerUnavailable, message))
            }
            Err(_) => Err(Refusal::new(RefusalCode::Internal, "The request ended without an answer.")),
        }
    }
}

/// What the router knows of the call.
fn features_of<'a>(live: &'a Live, call: &'a Call, features: &RequestFeatures) -> Features<'a> {
    Features {
        bound: features.bound,
        surface: call.surface,
        has_images: features.has_images,
        has_audio: features.has_audio,
        has_tools: features.has_tools,
        json_output: features.json_output,
        streamed: features.streamed,
        user: call.user.as_deref(),
        key: call.key.and_then(|id| live.key(id)).map(|key| key.name.as_str()),
        tags: &call.tags,
    }
}

/// A number that is spread evenly over requests: the end of their ids is random.
const fn lot_of(id: RequestId) -> u64 {
    let (_, low) = id.as_uuid().as_u64_pair();
    low
}

/// The question of a call whose answer may be shared; `None` when the operation or the client does not want that.
fn question(live: &Live, call: &Call, addressed: Addressed<'_>, streamed: bool) -> Option<Question> {
    if call.no_cache {
        return None;
    }
    let entry = live.snapshot.operations.get(&call.resolved.operation)?;
    let ttl_s = entry.operation.cache_ttl_s.filter(|ttl_s| *ttl_s > 0)?;
    let fingerprint = fingerprint::of_question(addressed, &call.payload, entry.route.version, streamed);
    Some(Question { fingerprint, ttl_s })
}

/// The sooner of the client's and the route's.
fn deadline(of_client: Option<Duration>, route: Option<&Route>) -> Option<Duration> {
    let of_route = route.and_then(|route| route.deadline_ms).map(|ms| Duration::from_millis(ms.into()));
    of_client.into_iter().chain(of_route).min()
}

/// What is stored of a request's body when payloads are logged. A recording is named, not kept.
fn payload_text(payload: &Payload) -> String {
    match payload {
        Payload::Json(body) => serde_json::to_string(&**body).unwrap_or_default(),
        Payload::Audio(upload) => format!("{upload:?}"),
    }
}

/// Each endpoint serves its own kind of work.
fn refuse_foreign_capability(
    operation: &OperationId,
    capability: Capability,
    surface: Surface,
) -> Result<(), Refusal> {
    let (work, serves) = match capability {
        Capability::Chat | Capability::Vision | Capability::AudioInput => (Work::Chat, "chat"),
        Capability::Embedding => (Work::Embedding, "embeddings"),
        Capability::Transcription => (Work::Transcription, "transcription"),
        Capability::Speech => (Work::Speech, "speech"),
    };
    if surface.work() == work {
        return Ok(());
    }
    let message = format!("The operation `{operation}` is for {serves}, which this endpoint does not serve.");
    Err(Refusal::new(RefusalCode::CapabilityMismatch, message))
}
