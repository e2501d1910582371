//! Approvals: a request or a change asks, a person answers, and the answer is good once.
//!
//! The states of an approval are a machine: each step gives the next version or says why it is not possible. Whoever writes
//! one does so on the version it was read at, so of two that happen at once one is refused. Nothing here decides *for* a
//! person: only `signalbox-app` takes the steps of one, for a caller whose role allows it.

mod canonical;
mod policy;
mod risk;
mod terms;

use serde::{Deserialize, Serialize};

use crate::change::ChangeKind;
use crate::decide::Asked;
use crate::entry::EntryPath;
use crate::ids::{ApprovalId, ChangeId, RequestId};
use crate::money::NanoUsd;
use crate::route::Target;
use crate::time::{MICROS_PER_SECOND, Timestamp};

pub use canonical::{Canonical, visible};
pub use policy::{
    ApprovalFacts, ApprovalPolicy, ApprovalRule, EXPIRES_S, EXPIRES_S_USUAL, HOLD_S_MAX, Reason,
};
pub use risk::Risk;
pub use terms::{Difference, Digest, Terms};

/// Requests of one submitter that may wait at once: nobody fills the queue for all the others.
pub const PENDING_MAX: u32 = 20;
/// How long a decision made in the window can be taken back before anything is sent on it. Units: microseconds.
pub const UNDO_US: i64 = 5 * MICROS_PER_SECOND;
/// How long a rejection answers the identical request, sent again: a program that tries in a loop gets the answer it has,
/// not a new ticket. Units: microseconds.
pub const REJECTION_HOLDS_US: i64 = 600 * MICROS_PER_SECOND;
/// Longest reason a person gives. Units: characters.
pub const REASON_CHARS_MAX: usize = 500;

/// Where an approval stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ApprovalState {
    /// It waits for a person.
    Pending,
    /// A person said yes; it can be used once.
    Approved,
    /// A person said no.
    Rejected,
    /// Its time was over before it was decided or used.
    Expired,
    /// It is no longer wanted.
    Withdrawn,
    /// The request was sent.
    Consumed,
    /// The change was made.
    Applied,
    /// The change could not be made.
    Failed,
}

impl ApprovalState {
    /// Every state.
    pub const ALL: &'static [Self] = &[
        Self::Pending,
        Self::Approved,
        Self::Rejected,
        Self::Expired,
        Self::Withdrawn,
        Self::Consumed,
        Self::Applied,
        Self::Failed,
    ];

    /// The word on the wire and in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::Rejected => "rejected",
            Self::Expired => "expired",
            Self::Withdrawn => "withdrawn",
            Self::Consumed => "consumed",
            Self::Applied => "applied",
            Self::Failed => "failed",
        }
    }

    /// The state of that word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|state| state.as_str() == word)
    }

    /// Whether something can still come of it.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Pending | Self::Approved)
    }
}

/// What asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// An AI call that would cost money.
    Request(Box<AskedRequest>),
    /// A change of the configuration that moves money.
    Change(Box<AskedChange>),
}

impl Subject {
    /// The word of its kind on the wire and in the store.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Request(_) => "request",
            Self::Change(_) => "change",
        }
    }
}

/// An AI call that asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AskedRequest {
    /// What the approval is bound to.
    pub terms: Terms,
    /// Why a person is asked.
    pub reasons: Vec<Reason>,
    /// By which way it came.
    pub via: EntryPath,
    /// Where it may go, in order.
    pub targets: Vec<Target>,
    /// What it is like, so that another target's cost can be estimated.
    pub asked: Asked,
    /// Its parameters but no text of anybody's, for the comparison with earlier ones.
    pub parameters: Vec<(String, String)>,
}

/// A change of the configuration that asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AskedChange {
    /// What kind of thing would change.
    pub kind: ChangeKind,
    /// Which one.
    pub subject: String,
    /// The change in words.
    pub sentence: String,
    /// The proposal as JSON, as whoever applies it wants it.
    pub proposed: String,
    /// Canonical JSON before; `None` when it does not exist yet.
    pub before: Option<String>,
    /// Canonical JSON after; `None` when it would be gone.
    pub after: Option<String>,
    /// What it would have meant for the last 30 days, as JSON.
    pub impact: Option<String>,
    /// What it would cost (or save) in a month, if that can be said.
    pub monthly_impact: Option<NanoUsd>,
}

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Submitter {
    /// What stays the same: the API key's id, or the person.
    pub id: String,
    /// What a person calls it.
    pub name: String,
    /// The person behind it, if that is known: who may not approve it where there is another admin.
    pub person: Option<String>,
}

/// What a person decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ruling {
    /// Who.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// From when on it counts; until then it can be taken back.
    pub effective_at: Timestamp,
    /// Why. Whoever asked is told.
    pub reason: Option<String>,
    /// The one target it may go to, when that is another than asked for.
    pub target: Option<Target>,
    /// What it may cost there.
    pub ceiling: Option<NanoUsd>,
}

/// How it ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ending {
    /// When.
    pub at: Timestamp,
    /// The request that used it.
    pub request: Option<RequestId>,
    /// The change that was made of it.
    pub change: Option<ChangeId>,
    /// What is to be known of it, e.g. why it failed or who withdrew it.
    pub note: Option<String>,
}

/// A question to a person, from its first to its last state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// Its identity.
    pub id: ApprovalId,
    /// Grows by one with each step.
    pub version: u32,
    /// What asks.
    pub subject: Subject,
    /// Who asks.
    pub submitter: Submitter,
    /// How much a mistake could hurt.
    pub risk: Risk,
    /// When it was asked.
    pub created_at: Timestamp,
    /// From when on it can no longer be decided or used.
    pub expires_at: Timestamp,
    /// Where it stands.
    pub state: ApprovalState,
    /// What was decided.
    pub ruling: Option<Ruling>,
    /// How it ended.
    pub ending: Option<Ending>,
    /// How often the identical request came again.
    pub repeats: u32,
    /// The request as it was hashed, for the person who decides. Prompts are kept no longer than that takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shown: Option<String>,
}

/// Where an approval allows a request to go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// The one target, when another was chosen.
    pub target: Option<Target>,
}

/// Why a step is not possible.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ApprovalFault {
    /// Its state does not allow it.
    #[error("it is {} already", .0.as_str())]
    Already(ApprovalState),
    /// Nobody has approved it yet.
    #[error("it still waits for a person")]
    Undecided,
    /// Its time is over.
    #[error("it expired at {0}")]
    Expired(Timestamp),
    /// The decision is there, but can still be taken back.
    #[error("its decision counts from {0} on")]
    NotYet(Timestamp),
    /// The decision counts by now.
    #[error("the decision counts since {0} and can no longer be taken back")]
    TooLate(Timestamp),
    /// Whoever asked may not answer while somebody else can.
    #[error("it is your own: another admin has to decide it")]
    Own,
    /// A request's step was tried on a change, or the other way round.
    #[error("it is a {0}")]
    OtherKind(&'static str),
    /// It was given for another request.
    #[error("it was given for another request: {0}")]
    Differs(Difference),
    /// The request may cost more than was approved.
    #[error("{}", over_ceiling(*.estimate, *.ceiling))]
    OverCeiling {
        /// What it may cost now; `None`: that is not known.
        estimate: Option<NanoUsd>,
        /// What was approved; `None`: an unknown cost.
        ceiling: Option<NanoUsd>,
    },
}

fn over_ceiling(estimate: Option<NanoUsd>, ceiling: Option<NanoUsd>) -> String {
    let words = |cost: Option<NanoUsd>| {
        cost.map_or_else(|| "an unknown amount".to_owned(), |cost| format!("${cost}"))
    };
    format!("it allows {} and the request may cost {} by now", words(ceiling), words(estimate))
}

impl Approval {
    /// A request that asks.
    pub fn of_request(
        request: AskedRequest,
        submitter: Submitter,
        risk: Risk,
        shown: String,
        now: Timestamp,
        expires_s: u32,
    ) -> Self {
        Self {
            risk,
            shown: Some(shown),
            ..Self::pending(Subject::Request(Box::new(request)), submitter, now, expires_s)
        }
    }

    /// A change that asks.
    pub fn of_change(change: AskedChange, submitter: Submitter, now: Timestamp, expires_s: u32) -> Self {
        let risk = Risk::of_change(change.monthly_impact);
        Self { risk, ..Self::pending(Subject::Change(Box::new(change)), submitter, now, expires_s) }
    }

    fn pending(subject: Subject, submitter: Submitter, now: Timestamp, expires_s: u32) -> Self {
        Self {
            id: ApprovalId::generate(),
            version: 1,
            subject,
            submitter,
            risk: Risk::High,
            created_at: now,
            expires_at: now.plus_micros(i64::from(expires_s).saturating_mul(MICROS_PER_SECOND)),
            state: ApprovalState::Pending,
            ruling: None,
            ending: None,
            repeats: 0,
            shown: None,
        }
    }

    /// Its state at `now`: what is open past its time is expired, whether or not somebody has written that down.
    pub fn state_at(&self, now: Timestamp) -> ApprovalState {
        if self.state.is_open() && now >= self.expires_at { ApprovalState::Expired } else { self.state }
    }

    /// The state as whoever asked may know it: a decision that can still be taken back is none yet.
    pub fn public_state_at(&self, now: Timestamp) -> ApprovalState {
        match (self.state_at(now), &self.ruling) {
            (ApprovalState::Approved | ApprovalState::Rejected, Some(ruling))
                if now < ruling.effective_at =>
            {
                ApprovalState::Pending
            }
            (state, _) => state,
        }
    }

    /// When its last step was taken.
    pub fn moved_at(&self) -> Timestamp {
        let decided_at = self.ruling.as_ref().map(|ruling| ruling.at);
        self.ending.as_ref().map(|ending| ending.at).or(decided_at).unwrap_or(self.created_at)
    }

    /// SHA-256 over everything that a person agrees to, in hexadecimal: what is decided is what was shown.
    pub fn hash(&self) -> Digest {
        match &self.subject {
            Subject::Request(request) => request.terms.digest(),
            Subject::Change(change) => Digest::of_json(&**change),
        }
    }

    /// Whether that person may decide it. `admins` is how many people could.
    ///
    /// Errors: [`ApprovalFault::Own`] when it is their own and somebody else could.
    pub fn may_be_decided_by(&self, person: &str, admins: u32) -> Result<(), ApprovalFault> {
        let is_own = self.submitter.person.as_deref() == Some(person);
        if is_own && admins > 1 { Err(ApprovalFault::Own) } else { Ok(()) }
    }

    /// A person says yes. For another target than asked for, `elsewhere` names it and what the request may cost there.
    ///
    /// Errors: it is not pending any more.
    pub fn approve(
        &self,
        by: &str,
        reason: Option<String>,
        elsewhere: Option<(Target, Option<NanoUsd>)>,
        undo_us: i64,
        now: Timestamp,
    ) -> Result<Self, ApprovalFault> {
        self.must_be_pending(now)?;
        if elsewhere.is_some() {
            self.request()?;
        }
        let (target, ceiling) = elsewhere.map_or((None, None), |(target, ceiling)| (Some(target), ceiling));
        let effective_at = now.plus_micros(undo_us);
        let ruling = Ruling { by: by.to_owned(), at: now, effective_at, reason, target, ceiling };
        Ok(Self { ruling: Some(ruling), ..self.next(ApprovalState::Approved) })
    }

    /// A person says no.
    ///
    /// Errors: it is not pending any more.
    pub fn reject(
        &self,
        by: &str,
        reason: Option<String>,
        undo_us: i64,
        now: Timestamp,
    ) -> Result<Self, ApprovalFault> {
        self.must_be_pending(now)?;
        let effective_at = now.plus_micros(undo_us);
        let ruling = Ruling { by: by.to_owned(), at: now, effective_at, reason, target: None, ceiling: None };
        let shown = self.shown.clone().filter(|_| undo_us > 0);
        Ok(Self { ruling: Some(ruling), shown, ..self.next(ApprovalState::Rejected) })
    }

    /// The person takes the decision back before it counts.
    ///
    /// Errors: it counts already, or there is none.
    pub fn undo(&self, now: Timestamp) -> Result<Self, ApprovalFault> {
        match (self.state_at(now), &self.ruling) {
            (ApprovalState::Approved | ApprovalState::Rejected, Some(ruling))
                if now < ruling.effective_at =>
            {
                Ok(Self { ruling: None, ..self.next(ApprovalState::Pending) })
            }
            (ApprovalState::Approved | ApprovalState::Rejected, Some(ruling)) => {
                Err(ApprovalFault::TooLate(ruling.effective_at))
            }
            (ApprovalState::Pending, _) => Err(ApprovalFault::Undecided),
            (ApprovalState::Expired, _) => Err(ApprovalFault::Expired(self.expires_at)),
            (state, _) => Err(ApprovalFault::Already(state)),
        }
    }

    /// It is no longer wanted; also one that is approved and not used yet.
    ///
    /// Errors: nothing can come of it any more.
    pub fn withdraw(&self, by: &str, reason: Option<String>, now: Timestamp) -> Result<Self, ApprovalFault> {
        self.must_be_open(now)?;
        let note = reason.map_or_else(|| format!("by {by}"), |reason| format!("by {by}: {reason}"));
        Ok(self.ended(ApprovalState::Withdrawn, Ending { note: Some(note), ..Ending::at(now) }))
    }

    /// Its time is over.
    ///
    /// Errors: it is not, or nothing could come of it anyway.
    pub fn expire(&self, now: Timestamp) -> Result<Self, ApprovalFault> {
        if !self.state.is_open() {
            return Err(ApprovalFault::Already(self.state));
        }
        if now < self.expires_at {
            return Err(ApprovalFault::NotYet(self.expires_at));
        }
        Ok(self.ended(ApprovalState::Expired, Ending::at(now)))
    }

    /// Whether a request may go out with it, and where. `terms` are those of the request at hand, with what it may cost now
    /// as their ceiling.
    ///
    /// Errors: not approved, not any more, or not for this request.
    pub fn grants(&self, terms: &Terms, now: Timestamp) -> Result<Grant, ApprovalFault> {
        let asked = self.request()?;
        let ruling = self.effective_approval(now)?;
        if let Some(difference) = asked.terms.difference(terms) {
            return Err(ApprovalFault::Differs(difference));
        }
        // What it costs elsewhere is known only once it was decided for there.
        if ruling.target.is_none() && !within(asked.terms.ceiling, terms.ceiling) {
            return Err(ApprovalFault::OverCeiling { estimate: terms.ceiling, ceiling: asked.terms.ceiling });
        }
        Ok(Grant { target: ruling.target.clone() })
    }

    /// Whether the request may cost `estimate` at the target it was approved for instead of the one it asked for.
    ///
    /// Errors: that is more than was approved.
    pub fn grants_elsewhere(&self, estimate: Option<NanoUsd>) -> Result<(), ApprovalFault> {
        let ceiling = self.ruling.as_ref().and_then(|ruling| ruling.ceiling);
        if within(ceiling, estimate) { Ok(()) } else { Err(ApprovalFault::OverCeiling { estimate, ceiling }) }
    }

    /// A request uses it up. That it fits is asked first, with [`Self::grants`].
    ///
    /// Errors: not approved, not any more.
    pub fn consume(&self, request: RequestId, now: Timestamp) -> Result<Self, ApprovalFault> {
        self.request()?;
        self.effective_approval(now)?;
        let ending = Ending { request: Some(request), ..Ending::at(now) };
        Ok(self.ended(ApprovalState::Consumed, ending))
    }

    /// The change was made.
    ///
    /// Errors: not approved, not any more, or no change.
    pub fn apply(&self, change: ChangeId, now: Timestamp) -> Result<Self, ApprovalFault> {
        self.change()?;
        self.effective_approval(now)?;
        let ending = Ending { change: Some(change), ..Ending::at(now) };
        Ok(self.ended(ApprovalState::Applied, ending))
    }

    /// The change could not be made.
    ///
    /// Errors: not approved, not any more, or no change.
    pub fn fail(&self, note: String, now: Timestamp) -> Result<Self, ApprovalFault> {
        self.change()?;
        self.effective_approval(now)?;
        Ok(self.ended(ApprovalState::Failed, Ending { note: Some(note), ..Ending::at(now) }))
    }

    /// The request that asks.
    ///
    /// Errors: it is a change.
    pub fn request(&self) -> Result<&AskedRequest, ApprovalFault> {
        match &self.subject {
            Subject::Request(request) => Ok(request),
            Subject::Change(_) => Err(ApprovalFault::OtherKind("change")),
        }
    }

    /// The change that asks.
    ///
    /// Errors: it is a request.
    pub fn change(&self) -> Result<&AskedChange, ApprovalFault> {
        match &self.subject {
            Subject::Change(change) => Ok(change),
            Subject::Request(_) => Err(ApprovalFault::OtherKind("request")),
        }
    }

    /// The most the request may cost: as decided, else as asked. `None`: that is not known, or it is a change.
    pub fn ceiling(&self) -> Option<NanoUsd> {
        let asked = self.request().ok()?;
        match &self.ruling {
            Some(ruling) if ruling.target.is_some() => ruling.ceiling,
            _ => asked.terms.ceiling,
        }
    }

    fn effective_approval(&self, now: Timestamp) -> Result<&Ruling, ApprovalFault> {
        match (self.state_at(now), &self.ruling) {
            (ApprovalState::Approved, Some(ruling)) if now >= ruling.effective_at => Ok(ruling),
            (ApprovalState::Approved, Some(ruling)) => Err(ApprovalFault::NotYet(ruling.effective_at)),
            (ApprovalState::Pending | ApprovalState::Approved, _) => Err(ApprovalFault::Undecided),
            (ApprovalState::Expired, _) => Err(ApprovalFault::Expired(self.expires_at)),
            (state, _) => Err(ApprovalFault::Already(state)),
        }
    }

    fn must_be_pending(&self, now: Timestamp) -> Result<(), ApprovalFault> {
        match self.state_at(now) {
            ApprovalState::Pending => Ok(()),
            ApprovalState::Expired => Err(ApprovalFault::Expired(self.expires_at)),
            state => Err(ApprovalFault::Already(state)),
        }
    }

    fn must_be_open(&self, now: Timestamp) -> Result<(), ApprovalFault> {
        match self.state_at(now) {
            state if state.is_open() => Ok(()),
            ApprovalState::Expired => Err(ApprovalFault::Expired(self.expires_at)),
            state => Err(ApprovalFault::Already(state)),
        }
    }

    fn next(&self, state: ApprovalState) -> Self {
        Self { state, version: self.version.saturating_add(1), ..self.clone() }
    }

    /// What ended is not shown again: prompts are kept only while somebody decides on them.
    fn ended(&self, state: ApprovalState, ending: Ending) -> Self {
        Self { ending: Some(ending), shown: None, ..self.next(state) }
    }
}

impl Ending {
    const fn at(now: Timestamp) -> Self {
        Self { at: now, request: None, change: None, note: None }
    }
}

/// Whether a cost is within what was agreed to; an unknown cost is within an unknown one only.
fn within(ceiling: Option<NanoUsd>, estimate: Option<NanoUsd>) -> bool {
    match (ceiling, estimate) {
        (Some(ceiling), Some(estimate)) => estimate <= ceiling,
        (None, None) => true,
        (Some(_), None) | (None, Some(_)) => false,
    }
}

#[cfg(test)]
mod tests;
