//! Asking a person before a request goes out.
//!
//! A route's policy asks, and so does a budget that is at its limit and may be passed with a person's leave. A request that
//! needs a person is put into the queue and refused with its place there, or kept waiting for a while. It
//! comes back with the approval's id, is compared with what was approved to the byte, and uses the approval up before its
//! ledger entry is written. What it may cost is bounded by what was approved; budgets, limits and switches hold as ever.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value, json};
use signalbox_core::alert::AlertKind;
use signalbox_core::approval::{
    Approval, ApprovalFacts, ApprovalFault, ApprovalState, AskedRequest, Canonical, Digest, EXPIRES_S_USUAL,
    Grant, PENDING_MAX, Reason, Risk, Submitter, Terms,
};
use signalbox_core::budget::Spender;
use signalbox_core::decide::{Asked, DecideError, Decision, Features};
use signalbox_core::ids::{ApprovalId, RequestId};
use signalbox_core::route::Target;
use signalbox_core::rule::Facts;
use signalbox_core::snapshot::OperationEntry;
use signalbox_core::time::Timestamp;
use signalbox_store::{FiledApproval, StoreError};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::admit::Entry;
use super::{Call, Payload, Refusal, RefusalCode};
use crate::budgets::Budgets;
use crate::engine::Engine;
use crate::events::Topic;
use crate::ledger::error_chain;
use crate::live::Live;

/// When to ask again for what a person decides.
const COME_BACK: Duration = Duration::from_secs(10);
/// When to try again where too much waits.
const COME_BACK_FULL: Duration = Duration::from_mins(1);

/// A place in the queue, as the client is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ticket {
    /// Which approval.
    pub id: ApprovalId,
    /// Where it stands, as far as the client may know.
    pub state: ApprovalState,
    /// Until when it can be decided and used.
    pub expires_at: Timestamp,
}

impl Ticket {
    fn of(approval: &Approval, now: Timestamp) -> Self {
        Self { id: approval.id, state: approval.public_state_at(now), expires_at: approval.expires_at }
    }
}

/// A person's leave to go out, not used yet.
#[derive(Debug)]
pub(super) struct Leave {
    approval: Approval,
    grant: Grant,
}

impl Leave {
    /// Where it goes, when that is not where it asked to go.
    pub(super) const fn target(&self) -> Option<&Target> {
        self.grant.target.as_ref()
    }

    /// Whether what it may cost where it goes is what was approved.
    pub(super) fn covers(&self, decision: &Decision) -> Result<(), Refusal> {
        if self.grant.target.is_none() {
            return Ok(());
        }
        let within = self.approval.grants_elsewhere(decision.estimate_max());
        within.map_err(|fault| not_usable(self.approval.id, &fault))
    }
}

/// A request at the point where a person may have to be asked.
pub(super) struct Asking<'a> {
    pub(super) live: &'a Live,
    pub(super) call: &'a Call,
    pub(super) features: &'a Features<'a>,
    pub(super) decision: &'a Decision,
    /// Budgets that keep it back unless a person lets it pass, by name.
    pub(super) at_limit: &'a [String],
}

impl Asking<'_> {
    /// Why a person has to be asked, by its route and by the budgets; empty when nobody has.
    pub(super) fn reasons(&self, budgets: &Budgets, now: Timestamp) -> Vec<Reason> {
        // A request that nobody could answer needs nobody's leave to fail.
        let Some(entry) = self.entry().filter(|_| self.decision.chain().next().is_some()) else {
            return Vec::new();
        };
        let of_route = entry.route.approval.as_ref().map(|policy| {
            let warned = if policy.looks_at_budgets() {
                budgets.warned(&spender(self.live, self.call), self.decision)
            } else {
                Vec::new()
            };
            policy.reasons(&ApprovalFacts {
                facts: Facts { operation: &entry.operation.id, features: self.features, now },
                operation: &entry.operation,
                estimate: self.decision.estimate_max(),
                warned: &warned,
            })
        });
        let of_budgets = self.at_limit.iter().map(|budget| Reason::BudgetUsedUp { budget: budget.clone() });
        of_route.into_iter().flatten().chain(of_budgets).collect()
    }

    fn entry(&self) -> Option<&OperationEntry> {
        self.live.snapshot.operations.get(&self.call.resolved.operation)
    }

    fn submitter(&self) -> Submitter {
        let call = self.call;
        let key = call.key.and_then(|id| self.live.key(id));
        match key {
            Some(key) => {
                Submitter { id: key.id.to_string(), name: key.name.clone(), person: key.owner.clone() }
            }
            None => Submitter {
                id: "window".to_owned(),
                name: call.person.clone().unwrap_or_else(|| "this window".to_owned()),
                person: call.person.clone(),
            },
        }
    }

    fn terms(&self, entry: &OperationEntry, body: Digest) -> Terms {
        let call = self.call;
        Terms {
            surface: call.surface,
            operation: call.resolved.operation.clone(),
            key: call.key,
            user: call.user.clone(),
            tags: call.tags.clone(),
            pinned: call.resolved.pinned.clone(),
            route_version: entry.route.version,
            body,
            ceiling: self.decision.estimate_max(),
        }
    }
}

impl Engine {
    /// The leave of a person for a request that needs one.
    ///
    /// Errors: a [`Refusal`] with the place in the queue; the person said no; the approval is not for this request.
    pub(super) async fn leave_of_a_person(
        &self,
        asking: &Asking<'_>,
        reasons: Vec<Reason>,
        now: Timestamp,
    ) -> Result<Leave, Refusal> {
        let entry = asking.entry().ok_or_else(|| {
            let operation = asking.call.resolved.operation.clone();
            Refusal::from(DecideError::UnknownOperation(operation))
        })?;
        let canonical = canonical(&asking.call.payload).await?;
        let terms = asking.terms(entry, canonical.digest);
        match asking.call.approval {
            Some(id) => self.check_leave(id, &terms, now).await,
            None => Err(self.file(asking, entry, terms, canonical, reasons, now).await),
        }
    }

    /// Whether the approval the client names is for this request.
    async fn check_leave(&self, id: ApprovalId, terms: &Terms, now: Timestamp) -> Result<Leave, Refusal> {
        let found = self.control.store.approval(id).await.map_err(|error| unavailable(&error))?;
        // One of another key is none: its existence is nobody else's business.
        let approval = found
            .filter(|approval| approval.request().is_ok_and(|asked| asked.terms.key == terms.key))
            .ok_or_else(|| {
                let message = format!("There is no approval `{id}` for this API key.");
                Refusal::new(RefusalCode::ApprovalNotUsable, message)
            })?;
        match approval.grants(terms, now) {
            Ok(grant) => Ok(Leave { approval, grant }),
            Err(ApprovalFault::Undecided | ApprovalFault::NotYet(_)) => {
                Err(required(&Ticket::of(&approval, now), &[]))
            }
            Err(ApprovalFault::Already(ApprovalState::Rejected)) => Err(rejected(&approval, now)),
            Err(fault) => Err(not_usable(id, &fault)),
        }
    }

    /// Puts the request into the queue and says what to tell its client.
    async fn file(
        &self,
        asking: &Asking<'_>,
        entry: &OperationEntry,
        terms: Terms,
        canonical: Said,
        reasons: Vec<Reason>,
        now: Timestamp,
    ) -> Refusal {
        let (fingerprint, submitter) = (terms.fingerprint(), asking.submitter());
        if let Some((id, expires_at)) = self.approvals.fold(fingerprint, now) {
            return required(&Ticket { id, state: ApprovalState::Pending, expires_at }, &reasons);
        }
        if self.approvals.is_full(&submitter.id) {
            return full(&submitter);
        }
        let expires_s = entry.route.approval.as_ref().map_or(EXPIRES_S_USUAL, |policy| policy.expires_s);
        let criticality = entry.operation.criticality;
        let risk = Risk::of_request(terms.ceiling, criticality, asking.features.has_tools);
        let asked = AskedRequest {
            terms,
            reasons: reasons.clone(),
            via: asking.call.via,
            targets: asking.decision.chain().map(|candidate| candidate.target.clone()).collect(),
            asked: Asked::of(asking.features),
            parameters: canonical.parameters,
        };
        let approval = Approval::of_request(asked, submitter, risk, canonical.shown, now, expires_s);
        match self.control.store.file_approval(&approval, PENDING_MAX).await {
            Ok(FiledApproval::New) => {
                self.approvals.waits(fingerprint, approval.id, approval.expires_at);
                self.tell_waiting(&approval);
                required(&Ticket::of(&approval, now), &reasons)
            }
            Ok(FiledApproval::Known(known)) => match known.public_state_at(now) {
                ApprovalState::Rejected => rejected(&known, now),
                state => {
                    if state == ApprovalState::Pending {
                        self.approvals.waits(fingerprint, known.id, known.expires_at);
                    }
                    required(&Ticket::of(&known, now), &reasons)
                }
            },
            Ok(FiledApproval::Full) => {
                self.approvals.filled(&approval.submitter.id);
                full(&approval.submitter)
            }
            Err(error) => unavailable(&error),
        }
    }

    fn tell_waiting(&self, approval: &Approval) {
        let id = approval.id.to_string();
        let Ok(asked) = approval.request() else { return };
        let cost = asked
            .terms
            .ceiling
            .map_or_else(|| "an unknown amount".to_owned(), |cost| format!("up to ${cost}"));
        let sentence = format!(
            "A request for {} by {} waits for approval: {cost}",
            asked.terms.operation, approval.submitter.name
        );
        self.alerts.raise(AlertKind::ApprovalWaiting, &id, &id, sentence);
        self.events.publish(Topic::Approvals);
    }

    /// Uses a leave up, for good: from here on no other request goes out with it.
    ///
    /// Errors: another was faster, or it was withdrawn, or its time is over.
    pub(super) async fn use_leave(&self, leave: &Leave, request: RequestId) -> Result<(), Refusal> {
        let id = leave.approval.id;
        let used =
            leave.approval.consume(request, self.control.now()).map_err(|fault| not_usable(id, &fault))?;
        let taken = self.control.store.step_approval(&used, leave.approval.version).await;
        // The same request without a leave must not be folded into one that is used up.
        self.approvals.moved();
        self.events.publish(Topic::Approvals);
        match taken {
            Ok(true) => Ok(()),
            Ok(false) => {
                let message = format!("The approval {id} was used or withdrawn a moment ago.");
                Err(Refusal::new(RefusalCode::ApprovalNotUsable, message))
            }
            Err(error) => Err(unavailable(&error)),
        }
    }

    /// How long a client of the call may be kept waiting for a person; `None`: not at all.
    pub(super) fn hold_of(live: &Live, call: &Call) -> Option<Duration> {
        let entry = live.snapshot.operations.get(&call.resolved.operation)?;
        let hold_s = entry.route.approval.as_ref()?.hold_s;
        (hold_s > 0).then(|| Duration::from_secs(hold_s.into()))
    }

    /// Keeps the client waiting for a person, then lets the call in anew: on the configuration of then, as if it had come
    /// back with its approval. A client that leaves leaves its place in the queue behind.
    ///
    /// Errors: nobody decided in time, all traffic ends, the person said no, or the call is not let in any more.
    pub(super) async fn hold(
        self: &Arc<Self>,
        call: Call,
        refusal: Refusal,
        hold: Duration,
        flow: &CancellationToken,
    ) -> Result<(Arc<Live>, Entry), Refusal> {
        let waits =
            |ticket: &Ticket| matches!(ticket.state, ApprovalState::Pending | ApprovalState::Approved);
        let (Some(ticket), Some(_seat)) = (refusal.approval.filter(waits), self.approvals.seat()) else {
            return Err(refusal);
        };
        let began = Instant::now();
        let until = began + call.deadline.map_or(hold, |deadline| hold.min(deadline));
        let mut moved = self.approvals.watch();
        loop {
            let found = self.control.store.approval(ticket.id).await.map_err(|error| unavailable(&error))?;
            let Some(approval) = found else { return Err(refusal) };
            let now = self.control.now();
            match approval.public_state_at(now) {
                ApprovalState::Approved => break,
                ApprovalState::Pending => {}
                ApprovalState::Rejected => return Err(rejected(&approval, now)),
                state => return Err(not_usable(ticket.id, &ApprovalFault::Already(state))),
            }
            // A decision that can still be taken back counts in a moment.
            let counts_in = approval.ruling.map(|ruling| ruling.effective_at.micros_since(now));
            let counts_in = counts_in.and_then(|us| u64::try_from(us).ok()).map(Duration::from_micros);
            let wake = counts_in.map_or(until, |counts_in| until.min(Instant::now() + counts_in));
            tokio::select! {
                _ = moved.changed() => {}
                () = tokio::time::sleep_until(wake) => if wake == until { return Err(refusal) },
                () = flow.cancelled() => {
                    let (code, message) = self.kill_switch.why_ended();
                    return Err(Refusal::new(code, message));
                }
            }
        }
        let live = self.live();
        let is_gone =
            call.key.is_some_and(|id| live.key(id).is_none_or(|key| !key.is_live(self.control.now())));
        if is_gone {
            return Err(Refusal::new(RefusalCode::InvalidKey, "The API key has been revoked."));
        }
        let deadline = call.deadline.map(|deadline| deadline.saturating_sub(began.elapsed()));
        let call = Call { approval: Some(ticket.id), deadline, ..call };
        let entry = self.admit(&live, call, flow).await?;
        Ok((live, entry))
    }
}

/// By whom a call is paid for.
pub(super) fn spender<'a>(live: &'a Live, call: &'a Call) -> Spender<'a> {
    Spender {
        operation: &call.resolved.operation,
        user: call.user.as_deref(),
        owner: call.key.and_then(|key| live.key(key)?.owner.as_deref()),
        key: call.key,
        tags: &call.tags,
    }
}

/// What a request says, hashed and made readable.
struct Said {
    digest: Digest,
    shown: String,
    parameters: Vec<(String, String)>,
}

/// Of a payload; long ones take a while, so not on a thread that others wait for.
async fn canonical(payload: &Payload) -> Result<Said, Refusal> {
    let payload = payload.clone();
    let said = tokio::task::spawn_blocking(move || {
        let canonical = match &payload {
            Payload::Json(body) => Canonical::of(body),
            Payload::Audio(upload) => {
                let mut form = Map::new();
                let fields: Vec<Value> =
                    upload.fields.iter().map(|(name, value)| json!([name, value])).collect();
                form.insert("file_name".to_owned(), json!(upload.file_name));
                form.insert("content_type".to_owned(), json!(upload.content_type));
                form.insert("bytes".to_owned(), json!(upload.bytes.len()));
                form.insert("sha256".to_owned(), json!(Digest::of(&upload.bytes)));
                form.insert("fields".to_owned(), Value::Array(fields));
                Canonical::of(&form)
            }
        };
        Said { digest: canonical.digest(), shown: canonical.shown(), parameters: canonical.parameters() }
    });
    said.await.map_err(|_| Refusal::new(RefusalCode::Internal, "The request could not be read."))
}

fn required(ticket: &Ticket, reasons: &[Reason]) -> Refusal {
    let id = ticket.id;
    let why = reasons.first().map_or_else(String::new, |reason| format!(": {reason}"));
    let message = if ticket.state == ApprovalState::Approved {
        format!("This request is approved. Send it again with the header x-signalbox-approval: {id}.")
    } else {
        format!(
            "This request needs a person's approval{why}. It waits as {id}; GET /v1/approvals/{id} says how it stands. Once it is \
             approved, send the same request again with the header x-signalbox-approval: {id}."
        )
    };
    let refusal = Refusal::new(RefusalCode::ApprovalRequired, message);
    Refusal { retry_after: Some(COME_BACK), approval: Some(*ticket), ..refusal }
}

fn rejected(approval: &Approval, now: Timestamp) -> Refusal {
    let reason = approval.ruling.as_ref().and_then(|ruling| ruling.reason.as_deref());
    let why = reason.map_or_else(|| ".".to_owned(), |reason| format!(": {reason}"));
    let message = format!("A person has rejected this request{why}");
    let refusal = Refusal::new(RefusalCode::ApprovalRejected, message);
    Refusal { approval: Some(Ticket::of(approval, now)), ..refusal }
}

fn not_usable(id: ApprovalId, fault: &ApprovalFault) -> Refusal {
    let message = format!(
        "The approval {id} cannot be used: {fault}. Nothing was sent. Send the request without the header to ask again."
    );
    Refusal::new(RefusalCode::ApprovalNotUsable, message)
}

fn full(submitter: &Submitter) -> Refusal {
    let message = format!(
        "{PENDING_MAX} requests of `{}` wait for a person already; no more are taken until some of them are decided.",
        submitter.name
    );
    let refusal = Refusal::new(RefusalCode::ApprovalQueueFull, message);
    Refusal { retry_after: Some(COME_BACK_FULL), ..refusal }
}

fn unavailable(error: &StoreError) -> Refusal {
    tracing::error!(error = %error_chain(error), "approvals cannot be read or written");
    Refusal::new(RefusalCode::LedgerUnavailable, format!("Nothing was sent: {error}."))
}
