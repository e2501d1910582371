//! Approvals, as a running instance sees them: who waits, and what is still to be done about it.
//!
//! The database is the truth: whether an approval holds is read there, and it is used up there, in one conditional write.
//! So an approval is good once whatever happens, with many at once, many nodes, and a process that dies in between. Only
//! requests that need a person pay for that; all others ask nobody. What is kept here is to not ask the database the same
//! thing over and over.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use signalbox_core::alert::AlertKind;
use signalbox_core::approval::{Approval, ApprovalState, Digest, UNDO_US};
use signalbox_core::ids::{ApprovalId, KeyId};
use signalbox_core::time::{MICROS_PER_SECOND, Timestamp};
use signalbox_store::StoreError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio_util::sync::CancellationToken;

use crate::engine::Engine;
use crate::events::Topic;
use crate::ledger::error_chain;

/// Clients that may be kept waiting for a person at once; each is a connection.
const HOLDS_MAX: usize = 256;
/// Identical requests that are folded in memory; more go to the database.
const FOLDED_MAX: usize = 4_096;
/// How often it is looked whether something is due.
const TICK: Duration = Duration::from_secs(1);
/// How often the database is asked for what is open, when nothing seems to be due. Units: microseconds.
const LOOK_EVERY_US: i64 = 60 * MICROS_PER_SECOND;
/// Open approvals that are looked at, the next to expire first.
const OPEN_MAX: u32 = 500;
/// A person is reminded when less than this part of the time is left, at most an hour.
const REMIND_PART: i64 = 10;
const REMIND_US_MAX: i64 = 3_600 * MICROS_PER_SECOND;

/// What a running instance knows of approvals.
#[derive(Debug, Clone)]
pub(crate) struct Approvals(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// Wakes those who wait for a decision.
    moved: watch::Sender<()>,
    seats: Arc<Semaphore>,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    /// Requests that wait, by their fingerprint, and how often each came again since that was written down.
    folded: HashMap<Digest, Folded>,
    /// Submitters that have as many waiting as they may.
    full: HashSet<String>,
    /// Pending ones a person was reminded of.
    reminded: HashSet<ApprovalId>,
    /// When something is due next; `None`: that is not known.
    due: Option<Timestamp>,
}

#[derive(Debug)]
struct Folded {
    id: ApprovalId,
    expires_at: Timestamp,
    repeats: u32,
}

impl Default for Approvals {
    fn default() -> Self {
        let (moved, _) = watch::channel(());
        Self(Arc::new(Inner { moved, seats: Arc::new(Semaphore::new(HOLDS_MAX)), known: Mutex::default() }))
    }
}

impl Approvals {
    /// Something was decided, filed or ended: what is remembered may be wrong by now.
    pub(crate) fn moved(&self) {
        let mut known = self.known();
        known.due = None;
        known.full.clear();
        // How often they came again is written down before it is forgotten.
        for folded in known.folded.values_mut() {
            folded.expires_at = Timestamp::default();
        }
        drop(known);
        self.0.moved.send_replace(());
    }

    /// Hears of it.
    pub(crate) fn watch(&self) -> watch::Receiver<()> {
        self.0.moved.subscribe()
    }

    /// A place to wait in; `None` when all are taken.
    pub(crate) fn seat(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.0.seats).try_acquire_owned().ok()
    }

    /// The place in the queue of the identical request, if it is known to wait; it is counted.
    pub(crate) fn fold(&self, fingerprint: Digest, now: Timestamp) -> Option<(ApprovalId, Timestamp)> {
        let mut known = self.known();
        let folded = known.folded.get_mut(&fingerprint).filter(|folded| now < folded.expires_at)?;
        folded.repeats = folded.repeats.saturating_add(1);
        Some((folded.id, folded.expires_at))
    }

    /// Remembers that a request waits.
    pub(crate) fn waits(&self, fingerprint: Digest, id: ApprovalId, expires_at: Timestamp) {
        let mut known = self.known();
        known.due = None;
        if known.folded.len() < FOLDED_MAX {
            let repeats = known.folded.remove(&fingerprint).map_or(0, |folded| folded.repeats);
            known.folded.insert(fingerprint, Folded { id, expires_at, repeats });
        }
    }

    /// Whether that submitter is known to have as many waiting as one may.
    pub(crate) fn is_full(&self, submitter: &str) -> bool {
        self.known().full.contains(submitter)
    }

    /// Remembers that it has.
    pub(crate) fn filled(&self, submitter: &str) {
        self.known().full.insert(submitter.to_owned());
    }

    /// How often requests came again since the last time this was asked; what no longer counts is forgotten.
    fn take_repeats(&self, now: Timestamp) -> Vec<(ApprovalId, u32)> {
        let mut known = self.known();
        let mut repeats = Vec::new();
        known.folded.retain(|_, folded| {
            if folded.repeats > 0 {
                repeats.push((folded.id, std::mem::take(&mut folded.repeats)));
            }
            now < folded.expires_at
        });
        repeats
    }

    fn is_due(&self, now: Timestamp) -> bool {
        self.known().due.is_none_or(|due| due <= now)
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// When a person is reminded that it will soon be too late.
fn remind_at(approval: &Approval) -> Timestamp {
    let life = approval.expires_at.micros_since(approval.created_at);
    approval.expires_at.plus_micros(-(life / REMIND_PART).min(REMIND_US_MAX))
}

impl Engine {
    /// An approval, for the key that asked for it and no other.
    ///
    /// Errors: the database refuses.
    pub async fn approval_of_key(&self, key: KeyId, id: ApprovalId) -> Result<Option<Approval>, StoreError> {
        let approval = self.control.store.approval(id).await?;
        let is_its = |approval: &Approval| approval.request().is_ok_and(|asked| asked.terms.key == Some(key));
        Ok(approval.filter(is_its))
    }

    /// Does what is due: marks what has expired, reminds people of what will, forgets what nobody has to see any more. The
    /// background does this every second; a test does it when its clock has moved.
    ///
    /// Errors: the database refuses; the next time does it all.
    pub async fn tidy_approvals(&self) -> Result<(), StoreError> {
        let (store, now) = (&self.control.store, self.control.now());
        store.note_approval_repeats(&self.approvals.take_repeats(now)).await?;
        if !self.approvals.is_due(now) {
            return Ok(());
        }
        let mut due = now.plus_micros(LOOK_EVERY_US);
        let mut has_expired = false;
        let open = store.open_approvals(OPEN_MAX).await?;
        self.approvals.known().reminded.retain(|id| open.iter().any(|approval| approval.id == *id));
        for approval in open {
            if let Ok(expired) = approval.expire(now) {
                has_expired |= store.step_approval(&expired, approval.version).await?;
                continue;
            }
            due = due.min(approval.expires_at);
            if approval.state == ApprovalState::Pending {
                let remind_at = remind_at(&approval);
                if now < remind_at {
                    due = due.min(remind_at);
                } else if self.approvals.known().reminded.insert(approval.id) {
                    self.remind(&approval);
                }
            }
        }
        store.forget_rejected_requests(now.plus_micros(-UNDO_US)).await?;
        if has_expired {
            self.approvals.moved();
            self.events.publish(Topic::Approvals);
        }
        self.approvals.known().due = Some(due);
        Ok(())
    }

    fn remind(&self, approval: &Approval) {
        let id = approval.id.to_string();
        let what = match approval.request() {
            Ok(asked) => format!("A request for {}", asked.terms.operation),
            Err(_) => "A change".to_owned(),
        };
        let sentence = format!(
            "{what} by {} has waited since {} and expires at {}",
            approval.submitter.name, approval.created_at, approval.expires_at
        );
        self.alerts.raise(AlertKind::ApprovalExpiring, &id, &id, sentence);
    }
}

/// Keeps the queue in order until the instance ends.
pub(crate) async fn keep(engine: Weak<Engine>, stop: CancellationToken) {
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = stop.cancelled() => return,
        }
        let Some(engine) = engine.upgrade() else { return };
        if let Err(error) = engine.tidy_approvals().await {
            tracing::warn!(error = %error_chain(&error), "approvals cannot be kept in order; trying again");
        }
    }
}

#[cfg(test)]
mod tests {
    use signalbox_core::approval::{AskedChange, Submitter};
    use signalbox_core::change::ChangeKind;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_micros(1_795_219_200_000_000).plus_micros(second * MICROS_PER_SECOND)
    }

    #[test]
    fn what_is_folded_is_counted_once_and_forgotten_when_something_was_decided() {
        let (approvals, one, id) = (Approvals::default(), Digest::of(b"one"), ApprovalId::generate());
        assert_eq!(approvals.fold(one, at(0)), None);
        approvals.waits(one, id, at(100));
        assert_eq!(approvals.fold(one, at(1)), Some((id, at(100))));
        assert_eq!(approvals.fold(one, at(2)), Some((id, at(100))));
        assert_eq!(approvals.fold(one, at(100)), None, "its time is over");
        assert_eq!(approvals.take_repeats(at(3)), [(id, 2)]);
        assert_eq!(approvals.take_repeats(at(3)), []);
        approvals.fold(one, at(4));
        approvals.filled("key_1");
        let moved = approvals.watch();
        approvals.moved();
        assert!(moved.has_changed().unwrap());
        assert_eq!((approvals.fold(one, at(5)), approvals.is_full("key_1")), (None, false));
        assert_eq!(approvals.take_repeats(at(5)), [(id, 1)], "what was counted before is still written down");
        assert_eq!(approvals.known().folded.len(), 0);
    }

    #[test]
    fn no_more_clients_wait_than_there_are_places() {
        let approvals = Approvals::default();
        let seats: Vec<_> = (0..HOLDS_MAX).map(|_| approvals.seat().unwrap()).collect();
        assert!(approvals.seat().is_none());
        drop(seats);
        assert!(approvals.seat().is_some());
    }

    #[test]
    fn a_person_is_reminded_when_a_tenth_of_the_time_is_left_or_an_hour() {
        let asked = AskedChange {
            kind: ChangeKind::Setting,
            subject: "x".to_owned(),
            sentence: "x".to_owned(),
            proposed: "{}".to_owned(),
            before: None,
            after: None,
            impact: None,
            monthly_impact: None,
        };
        let submitter = Submitter { id: "ann".to_owned(), name: "ann".to_owned(), person: None };
        let waiting = |expires_s| Approval::of_change(asked.clone(), submitter.clone(), at(0), expires_s);
        assert_eq!(remind_at(&waiting(600)), at(540));
        assert_eq!(remind_at(&waiting(86_400)), at(82_800));
    }
}
