//! Budgets of a running instance: what a request may still use is decided in memory, before anything can be spent.
//!
//! The [`Book`] is the authority while the instance runs; it is filled from the database at the start. Everything here takes
//! microseconds and waits for nothing: whoever asks writes down what he was told.

mod claim;
mod escrow;
mod lease;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use signalbox_core::alert::AlertKind;
use signalbox_core::budget::{
    Admission, Amount, AnswerSizes, Book, Budget, Claim, Holder, Holding, Measure, Notice, Offer, Posting,
    PurseKey, PurseStatus, Shortfall, Slice, Spender,
};
use signalbox_core::decide::{Candidate, Decision, Rejection, Verdict};
use signalbox_core::ids::{NodeId, OperationId, RequestId};
use signalbox_core::ledger::RequestStart;
use signalbox_core::meter::Bound;
use signalbox_core::money::NanoUsd;
use signalbox_core::route::Target;
use signalbox_core::time::{Clock, Timestamp};
use signalbox_store::{Backend, Store, StoreError};
use tokio_util::sync::CancellationToken;

use crate::alerts::Alerts;
use crate::live::Live;

pub(crate) use claim::tokens_out_max;
pub(crate) use escrow::{beat, listen, serve};

/// Answers that are looked at to learn how long answers usually are.
const ANSWERS_LEARNED_FROM: u32 = 20_000;
/// How often purses are forgotten whose period is over.
const FORGET_EVERY: Duration = Duration::from_mins(1);

/// The budgets of a running instance. Clones share the same book.
#[derive(Debug, Clone)]
pub struct Budgets(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    book: Mutex<Book>,
    /// How long answers usually are, by operation and target.
    sizes: Mutex<HashMap<(OperationId, Target), AnswerSizes>>,
    /// Where this node gets its parts of budgets; `None` where one process has the database to itself.
    escrow: Option<escrow::Escrow>,
    alerts: Alerts,
    clock: Arc<dyn Clock>,
}

impl Budgets {
    /// The budgets as they stand in the database. Where several nodes share it, this one enters with nothing of its own.
    pub(crate) async fn open(
        store: &Store,
        node: NodeId,
        budgets: &[Budget],
        alerts: Alerts,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, StoreError> {
        let mut book = Book::default();
        let mut escrow = None;
        if store.backend() == Backend::Postgres {
            book.share();
            let entered = escrow.insert(escrow::Escrow::new(store.clone(), node));
            entered.enter(clock.now()).await?;
        }
        let inner = Inner { book: Mutex::new(book), sizes: Mutex::default(), escrow, alerts, clock };
        let opened = Self(Arc::new(inner));
        opened.follow(store, budgets).await?;
        for answer in store.answer_sizes(ANSWERS_LEARNED_FROM).await?.into_iter().rev() {
            opened.learn(&answer.operation, &answer.target, answer.tokens);
        }
        Ok(opened)
    }

    /// Takes over the budgets as they are configured now, and what admins adjusted.
    pub(crate) async fn follow(&self, store: &Store, budgets: &[Budget]) -> Result<(), StoreError> {
        let new: Vec<Budget> = {
            let book = self.book();
            let is_known = |budget: &&Budget| book.budgets().iter().any(|known| known.id == budget.id);
            budgets.iter().filter(|budget| !is_known(budget)).cloned().collect()
        };
        let purses = self.read(store, &new).await?;
        let mut adjusted: HashMap<PurseKey, NanoUsd> = HashMap::new();
        for adjustment in store.adjustments(None).await? {
            let sum = adjusted.entry(adjustment.purse).or_default();
            *sum = sum.saturating_add(adjustment.amount);
        }
        let mut book = self.book();
        book.set_budgets(budgets);
        purses.put_into(&mut book);
        book.set_adjustments(&adjusted);
        // What a lower limit took from this node's parts, the others may have.
        let given_up = book.given_up();
        drop(book);
        if let Some(escrow) = &self.0.escrow {
            for purse in given_up {
                escrow.give_back(purse);
            }
        }
        Ok(())
    }

    /// What is written down of the purses of the running periods.
    async fn read(&self, store: &Store, budgets: &[Budget]) -> Result<Written, StoreError> {
        let now = self.0.clock.now();
        let mut written = Written::default();
        for budget in budgets {
            let start = budget.window(now).start;
            written.purses.extend(store.purses(budget.id, start, start.plus_micros(1)).await?);
            if let Some(escrow) = &self.0.escrow {
                written.own.extend(store.slices_of(escrow.node, budget.id, start).await?);
            }
        }
        Ok(written)
    }

    /// How every purse of the running periods stands.
    pub fn statuses(&self) -> Vec<PurseStatus> {
        self.book().statuses(self.0.clock.now())
    }

    /// The running requests that hold most in a purse.
    pub fn holders(&self, purse: &PurseKey) -> Vec<Holder> {
        self.book().holders(purse)
    }

    /// What a request of that bound asks to hold for a call of `target`.
    pub fn claim(&self, live: &Live, operation: &OperationId, target: &Target, bound: Bound) -> Claim {
        let usual = {
            let sizes = lock(&self.0.sizes);
            sizes.get(&(operation.clone(), target.clone())).and_then(AnswerSizes::p95)
        };
        claim::claim(live, operation, target, bound, usual, self.0.clock.now())
    }

    /// Decides by the budgets a request that may go where `decision` says: what its first call may cost is held in the tab.
    ///
    /// Waits only where this node's part of a shared budget is used up and the budget is not.
    pub(crate) async fn admit(
        &self,
        live: &Live,
        request: RequestId,
        spender: &Spender<'_>,
        decision: &Decision,
        is_approved: bool,
    ) -> (Admission, Tab) {
        let bound = decision.asked.map(|asked| asked.bound).unwrap_or_default();
        let chain = decision.chain().map(|candidate| (&candidate.target, candidate.own_credential));
        let offers: Vec<Offer<'_>> = chain
            .map(|(target, paid_by_owner)| {
                let claim = self.claim(live, spender.operation, target, bound);
                Offer { target, claim, paid_by_owner }
            })
            .collect();
        self.provide(request, spender, &offers, is_approved).await;
        let now = self.0.clock.now();
        let mut admission = self.book().admit(request, spender, &offers, is_approved, now);
        self.tell(std::mem::take(&mut admission.notices));
        (admission, Tab { budgets: self.clone(), request })
    }

    /// Names of the budgets that would pay for a request and have passed their warning.
    pub(crate) fn warned(&self, spender: &Spender<'_>, decision: &Decision) -> Vec<String> {
        let targets = decision.chain().map(|candidate| (&candidate.target, candidate.own_credential));
        self.book().warned(spender, targets, self.0.clock.now())
    }

    /// Notes how long an answer was.
    pub(crate) fn learn(&self, operation: &OperationId, target: &Target, tokens_out: u64) {
        let mut sizes = lock(&self.0.sizes);
        sizes.entry((operation.clone(), target.clone())).or_default().note(tokens_out);
    }

    /// Charges what an earlier run left open.
    pub(crate) fn post(&self, postings: &[Posting]) {
        self.book().post(postings);
    }

    fn tell(&self, notices: Vec<Notice>) {
        for notice in notices {
            let (kind, subject, key, sentence) = told(&notice);
            self.0.alerts.raise(kind, &subject, &key, sentence);
        }
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        lock(&self.0.book)
    }
}

/// What is written down of purses, and what of that this node's requests came to.
#[derive(Default)]
struct Written {
    purses: Vec<(PurseKey, Amount)>,
    own: Vec<(PurseKey, Slice, i64)>,
}

impl Written {
    fn put_into(self, book: &mut Book) {
        for (key, settled) in self.purses {
            book.restore(&key, settled, NanoUsd::ZERO);
        }
        for (key, slice, turn) in self.own {
            book.restore_part(&key, slice.settled, turn);
        }
    }
}

/// A request's account with the budgets, from its admission to its settlement. What it still holds when this is dropped is
/// given back.
#[derive(Debug)]
#[must_use = "what is held is given back when this is dropped"]
pub(crate) struct Tab {
    budgets: Budgets,
    request: RequestId,
}

impl Tab {
    /// Holds what another call may cost.
    ///
    /// Errors: the budget that has not enough left; nothing is held then.
    pub(crate) async fn hold(
        &self,
        live: &Live,
        start: &RequestStart,
        candidate: &Candidate,
        is_approved: bool,
    ) -> Result<Option<Holding>, Box<Shortfall>> {
        let bound = start.decision.asked.map(|asked| asked.bound).unwrap_or_default();
        let target = &candidate.target;
        let claim = self.budgets.claim(live, &start.operation, target, bound);
        let offer = Offer { target, claim, paid_by_owner: candidate.own_credential };
        let spender = spender(live, start);
        self.budgets.provide(self.request, &spender, std::slice::from_ref(&offer), is_approved).await;
        let now = self.budgets.0.clock.now();
        let opened = self.budgets.book().hold(self.request, &spender, &offer, is_approved, now);
        opened.map(|opened| opened.holding)
    }

    /// Ends the running call at what it came to; where nobody knows what it cost, at the most it was held at.
    pub(crate) fn end_call(&self, cost: Option<NanoUsd>, tokens: u64) {
        let ended = self.budgets.book().end_call(self.request, cost, tokens);
        self.budgets.tell(ended.notices);
    }

    /// What ended calls were charged so far.
    pub(crate) fn postings(&self) -> Vec<Posting> {
        self.budgets.book().postings(self.request)
    }

    /// Gives back what is still held and returns what the request was charged.
    pub(crate) fn close(&self) -> Vec<Posting> {
        self.budgets.book().close(self.request)
    }
}

impl Drop for Tab {
    fn drop(&mut self) {
        self.close();
    }
}

/// Forgets purses whose period is over.
pub(crate) async fn keep(budgets: Budgets, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(FORGET_EVERY) => {}
            () = stop.cancelled() => return,
        }
        let now = budgets.0.clock.now();
        budgets.book().forget_over(now);
    }
}

/// By whom a request is paid for.
fn spender<'a>(live: &'a Live, start: &'a RequestStart) -> Spender<'a> {
    Spender {
        operation: &start.operation,
        user: start.user.as_deref(),
        owner: start.key.and_then(|key| live.key(key)?.owner.as_deref()),
        key: start.key,
        tags: &start.tags,
    }
}

/// Puts what the budgets say into a request: what is held, or the budget that refuses it, and which targets are left out.
pub(crate) fn write_into(start: &mut RequestStart, admission: Admission) {
    start.refused_by = admission.refused_by().cloned().map(Box::new);
    leave_out(&mut start.decision, &admission.order, &admission.left_out);
    start.holding = admission.holding;
}

/// Puts what the budgets say into the decision: first what is to be tried, in its order, then what is left out.
fn leave_out(decision: &mut Decision, order: &[usize], left_out: &[(usize, Shortfall)]) {
    if left_out.is_empty() {
        return;
    }
    let (accepted, rejected): (Vec<_>, Vec<_>) =
        std::mem::take(&mut decision.candidates).into_iter().partition(Candidate::is_accepted);
    let tried = order.iter().filter_map(|place| accepted.get(*place).cloned());
    let kept_out = left_out.iter().filter_map(|(place, shortfall)| {
        let mut candidate = accepted.get(*place)?.clone();
        candidate.verdict = Verdict::Rejected(Rejection::OverBudget);
        candidate.until = shortfall.resets_at;
        Some(candidate)
    });
    decision.candidates = tried.chain(kept_out).collect();
    decision.candidates.extend(rejected);
}

/// What an alert says: its kind, what it is about, which state it is, and the sentence.
fn told(notice: &Notice) -> (AlertKind, String, String, String) {
    match notice {
        Notice::Threshold { purse, name, percent, used, limit, .. } => {
            let kind = if *percent >= 100 { AlertKind::BudgetExhausted } else { AlertKind::BudgetThreshold };
            let of =
                limit.map_or_else(String::new, |limit| format!(": {} of {}", dollars(*used), dollars(limit)));
            let whose = whose(purse);
            let sentence = format!("The budget “{name}”{whose} is used to {percent} %{of}.");
            (kind, purse.budget.to_string(), key(purse, &percent.to_string()), sentence)
        }
        Notice::Exhausted(shortfall) => {
            let sentence = in_words(shortfall);
            let purse = &shortfall.purse;
            (AlertKind::BudgetExhausted, purse.budget.to_string(), key(purse, "100"), sentence)
        }
        Notice::Overrun { request, held, cost } => {
            let (held, cost) = (dollars(*held), dollars(*cost));
            let sentence = format!("{request} cost {cost}; the most it was thought to cost is {held}.");
            (AlertKind::Overrun, request.to_string(), request.to_string(), sentence)
        }
    }
}

fn key(purse: &PurseKey, state: &str) -> String {
    format!("{}:{}:{}:{state}", purse.budget, purse.member, purse.start.as_micros())
}

fn whose(purse: &PurseKey) -> String {
    if purse.member.is_everyone() { String::new() } else { format!(" of {}", purse.member) }
}

/// Why a budget kept a request back, for a person.
pub fn in_words(shortfall: &Shortfall) -> String {
    let amount = |amount: i64| match shortfall.measure {
        Measure::Cost => dollars(NanoUsd::from_nanos(amount)),
        Measure::Tokens => format!("{amount} tokens"),
        Measure::Requests => format!("{amount} requests"),
    };
    let (name, whose) = (&shortfall.name, whose(&shortfall.purse));
    let (left, limit, needed) = (amount(shortfall.left()), amount(shortfall.limit), amount(shortfall.needed));
    if shortfall.is_cut_off {
        return format!(
            "The budget “{name}”{whose} is shared by several nodes, and this node does not reach their database in time: it \
             cannot know what is left and lets nothing through until it does."
        );
    }
    let held = if shortfall.held > 0 {
        format!(", while running requests hold {}", amount(shortfall.held))
    } else {
        String::new()
    };
    let resets = shortfall
        .resets_at
        .map_or_else(|| "It does not begin anew.".to_owned(), |at| format!("It begins anew at {at}."));
    format!(
        "The budget “{name}”{whose} has {left} of {limit} left{held}; the request may need {needed}. {resets}"
    )
}

fn dollars(amount: NanoUsd) -> String {
    format!("${amount}")
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing in there is left half done by a panic: no step of a book panics.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// When a client that was refused may come back, if that is soon.
pub(crate) fn retry_after(shortfall: &Shortfall, now: Timestamp) -> Option<Duration> {
    let wait = u64::try_from(shortfall.resets_at?.micros_since(now)).ok().map(Duration::from_micros)?;
    (wait <= RETRY_AFTER_MAX).then_some(wait)
}

/// A reset further away is not worth waiting for: a client that waits holds its own caller up.
const RETRY_AFTER_MAX: Duration = Duration::from_mins(2);

#[cfg(test)]
mod tests;
