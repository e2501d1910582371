//! The book of all purses: the authority on what may still be used while an instance runs.
//!
//! A state machine without clock or I/O. What a call holds, it holds in all purses that apply or in none; a purse is made in
//! the same step as the first hold in it. Whoever drives the book writes down what it says: holds before a call goes out,
//! postings when the request ends.

mod shared;

use std::collections::{BTreeSet, HashMap};

pub use shared::{Need, Needs, Parcel, Share};

use serde::{Deserialize, Serialize};

use super::purse::Lack;
use super::{
    Action, Amount, Budget, Claim, Hold, Holding, Member, Notice, Posting, Purse, PurseKey, Scope, Shortfall,
    Spender, Tag, Window,
};
use crate::ids::{BudgetId, RequestId};
use crate::money::NanoUsd;
use crate::route::Target;
use crate::time::Timestamp;

/// How many of those that hold something are named with a refusal.
const HOLDERS_NAMED_MAX: usize = 5;

/// All purses of a running instance.
#[derive(Debug, Default)]
pub struct Book {
    budgets: Vec<Budget>,
    by_scope: HashMap<Scope, Vec<usize>>,
    purses: HashMap<PurseKey, Purse>,
    open: HashMap<RequestId, Tab>,
    /// Whether other nodes use the same purses: then this one may only use its part of each.
    is_shared: bool,
    /// Whether it may not even use that, because it cannot know whether others have taken it.
    is_cut_off: bool,
}

/// What a running request holds and was charged so far.
#[derive(Debug, Default)]
struct Tab {
    holding: Option<Holding>,
    postings: Vec<Posting>,
}

/// A target a request may go to, and what it may cost there.
#[derive(Debug, Clone)]
pub struct Offer<'a> {
    /// Where.
    pub target: &'a Target,
    /// How much.
    pub claim: Claim,
    /// Whether the owner of the key pays for it: then it counts in their own budgets alone.
    pub paid_by_owner: bool,
}

/// What the budgets say of a request that comes in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admission {
    /// The offers to be tried, by their place, in this order. The first one's claim is held.
    pub order: Vec<usize>,
    /// The offers for which not enough is left, and why.
    pub left_out: Vec<(usize, Shortfall)>,
    /// What is held; `None` when no budget applies, or nothing fits.
    pub holding: Option<Holding>,
    /// Names of the budgets that keep it back although a person may let it pass them; empty when nobody has to be asked, and
    /// when a person could not help either.
    pub asks_for: Vec<String>,
    /// What a person should be told.
    pub notices: Vec<Notice>,
}

/// What would become of a request's offers.
struct Search {
    order: Vec<usize>,
    left_out: Vec<(usize, Shortfall)>,
    /// Where the first offer that fits would be held.
    holds: Vec<Placed>,
}

/// A hold, its budget's place and its purse's end.
type Placed = (usize, Hold, Option<Timestamp>);

impl Admission {
    /// The budget that refuses the request, if nothing is left to try.
    pub fn refused_by(&self) -> Option<&Shortfall> {
        let shortfalls = self.left_out.iter().map(|(_, shortfall)| shortfall);
        self.order.is_empty().then(|| shortfalls.max_by_key(|shortfall| shortfall.action)).flatten()
    }
}

/// What a call held, once it may go out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// What is held; `None` when no budget applies.
    pub holding: Option<Holding>,
}

/// The end of a call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ended {
    /// What a person should be told.
    pub notices: Vec<Notice>,
}

/// A running request that holds something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Which.
    pub request: RequestId,
    /// How much money, as calls like it usually cost.
    pub held: NanoUsd,
}

/// How a purse stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PurseStatus {
    /// Which.
    pub key: PurseKey,
    /// Its period.
    pub window: Window,
    /// What is in it.
    pub purse: Purse,
    /// Running requests that hold something in it.
    pub running: u32,
}

impl Book {
    /// Takes over the budgets as they are configured now. What is used and held stays.
    pub fn set_budgets(&mut self, budgets: &[Budget]) {
        if self.budgets == budgets {
            return;
        }
        let before = std::mem::replace(&mut self.budgets, budgets.to_vec());
        self.by_scope.clear();
        for (place, budget) in self.budgets.iter().enumerate().filter(|(_, budget)| budget.enabled) {
            self.by_scope.entry(budget.scope.clone()).or_default().push(place);
        }
        let is_as_before = |budget: &Budget| before.contains(budget);
        let changed = self.budgets.iter().filter(|budget| !is_as_before(budget));
        let changed: HashMap<BudgetId, &Budget> = changed.map(|budget| (budget.id, budget)).collect();
        for (key, purse) in &mut self.purses {
            if let Some(budget) = changed.get(&key.budget) {
                // What is reached already, whoever moved the limit knows.
                purse.told_percent = purse.reached(budget);
                purse.told_refusal = false;
                purse.give_up();
            }
        }
    }

    /// The budgets.
    pub fn budgets(&self) -> &[Budget] {
        &self.budgets
    }

    /// Puts a purse in place as it was written down, e.g. at a start. What is held in it stays.
    pub fn restore(&mut self, key: &PurseKey, settled: Amount, adjusted: NanoUsd) {
        let Some(budget) = self.budgets.iter().find(|budget| budget.id == key.budget) else { return };
        let window = budget.window(key.start);
        if window.start != key.start {
            return;
        }
        let new = self.new_purse(window.end);
        let purse = self.purses.entry(key.clone()).or_insert(new);
        (purse.settled, purse.adjusted, purse.end) = (settled, adjusted, window.end);
        purse.told_percent = purse.reached(budget);
    }

    /// Takes over what an admin added to what was charged, or took off; purses that are not named have none.
    pub fn set_adjustments(&mut self, adjustments: &HashMap<PurseKey, NanoUsd>) {
        for (key, purse) in &mut self.purses {
            purse.adjusted = adjustments.get(key).copied().unwrap_or_default();
        }
        for (key, adjusted) in adjustments {
            if !self.purses.contains_key(key) {
                self.restore(key, Amount::default(), *adjusted);
            }
        }
    }

    /// Decides a request that comes in: which of its offers may be tried, and holds the first one's claim.
    ///
    /// An offer for which a budget that refuses has not enough left ends the search, unless that budget is about its target
    /// alone; one that asks for a cheaper target lets the next ones be tried, those that cost nothing last. `is_approved`
    /// passes budgets that ask a person.
    pub fn admit(
        &mut self,
        request: RequestId,
        spender: &Spender<'_>,
        offers: &[Offer<'_>],
        is_approved: bool,
        now: Timestamp,
    ) -> Admission {
        self.release(request);
        let Search { order, left_out, holds } = self.search(request, spender, offers, is_approved, now);
        let first = order.first().and_then(|place| offers.get(*place));
        let holding = first.and_then(|offer| self.place(request, offer.claim, holds));
        let asks_for = if order.is_empty() && !is_approved {
            self.a_person_may_pass(request, spender, offers, &left_out, now)
        } else {
            Vec::new()
        };
        let notices = left_out.iter().filter_map(|(_, shortfall)| self.tell_refusal(shortfall)).collect();
        Admission { order, left_out, holding, asks_for, notices }
    }

    /// Which offers may be tried, and why the others may not. Nothing is held.
    fn search(
        &self,
        request: RequestId,
        spender: &Spender<'_>,
        offers: &[Offer<'_>],
        is_approved: bool,
        now: Timestamp,
    ) -> Search {
        let mut order: Vec<usize> = (0..offers.len()).collect();
        let mut left_out = Vec::new();
        let mut free_are_last = false;
        while let Some(offer) = order.first().and_then(|place| offers.get(*place)) {
            let holds = self.holds_of(request, spender, offer, now);
            let shortfall = match self.check(&holds, offer.claim, is_approved) {
                Ok(()) => return Search { order, left_out, holds },
                Err(shortfall) => *shortfall,
            };
            let place = order.remove(0);
            let goes_on = shortfall.scope.is_of_target() || shortfall.action == Action::Downgrade;
            if !goes_on {
                left_out.push((place, shortfall.clone()));
                left_out.extend(order.drain(..).map(|place| (place, shortfall.clone())));
                break;
            }
            if shortfall.action == Action::Downgrade && !free_are_last {
                free_are_last = true;
                let is_free = |place: &usize| offers[*place].claim.most.cost == NanoUsd::ZERO;
                order.sort_by_key(is_free);
            }
            left_out.push((place, shortfall));
        }
        Search { order, left_out, holds: Vec::new() }
    }

    /// The budgets that a person may let a refused request pass, if it could go out then.
    fn a_person_may_pass(
        &self,
        request: RequestId,
        spender: &Spender<'_>,
        offers: &[Offer<'_>],
        left_out: &[(usize, Shortfall)],
        now: Timestamp,
    ) -> Vec<String> {
        let asking = left_out.iter().filter(|(_, shortfall)| shortfall.action == Action::RequireApproval);
        let names: BTreeSet<&str> = asking.map(|(_, shortfall)| shortfall.name.as_str()).collect();
        if names.is_empty() || self.search(request, spender, offers, true, now).order.is_empty() {
            return Vec::new();
        }
        names.into_iter().map(str::to_owned).collect()
    }

    /// Holds what a call may cost in every budget that applies, or nowhere. What the request's call before it held must
    /// have ended.
    ///
    /// Errors: the budget that has not enough left.
    pub fn hold(
        &mut self,
        request: RequestId,
        spender: &Spender<'_>,
        offer: &Offer<'_>,
        is_approved: bool,
        now: Timestamp,
    ) -> Result<Opened, Box<Shortfall>> {
        self.release(request);
        let holds = self.holds_of(request, spender, offer, now);
        self.check(&holds, offer.claim, is_approved)?;
        Ok(Opened { holding: self.place(request, offer.claim, holds) })
    }

    /// Where a call of the offer would be held, in ascending order.
    fn holds_of(
        &self,
        request: RequestId,
        spender: &Spender<'_>,
        offer: &Offer<'_>,
        now: Timestamp,
    ) -> Vec<Placed> {
        let postings = self.open.get(&request).map_or(&[][..], |tab| tab.postings.as_slice());
        let counted = |key: &PurseKey| postings.iter().any(|posting| posting.purse == *key);
        let applying = self.applying_to(spender, offer.target, offer.paid_by_owner, now);
        let placed = |(key, (place, end))| (place, Hold { counts: !counted(&key), purse: key }, end);
        applying.into_iter().map(placed).collect()
    }

    /// Holds a claim that fits; `None` where no budget applies.
    fn place(&mut self, request: RequestId, claim: Claim, holds: Vec<Placed>) -> Option<Holding> {
        if holds.is_empty() {
            return None;
        }
        let hold = |(place, hold, end): Placed| {
            debug_assert!(self.budgets.get(place).is_some());
            let new = self.new_purse(end);
            self.purses.entry(hold.purse.clone()).or_insert(new).hold(claim, hold.counts);
            hold
        };
        let holding = Holding { claim, holds: holds.into_iter().map(hold).collect() };
        self.open.entry(request).or_default().holding = Some(holding.clone());
        Some(holding)
    }

    /// Ends the request's running call at what it came to; where nobody knows what it cost, at the most it was held at.
    /// Nothing is charged where nothing was held.
    pub fn end_call(&mut self, request: RequestId, cost: Option<NanoUsd>, tokens: u64) -> Ended {
        let Some(tab) = self.open.get_mut(&request) else { return Ended::default() };
        let Some(holding) = tab.holding.take() else { return Ended::default() };
        let mut notices = Vec::new();
        let cost = cost.unwrap_or(holding.claim.most.cost);
        let actual = Amount { cost, tokens, requests: 0 };
        if actual.cost > holding.claim.most.cost {
            let (held, cost) = (holding.claim.most.cost, actual.cost);
            notices.push(Notice::Overrun { request, held, cost });
        }
        for (hold, posting) in holding.holds.iter().zip(holding.posted(actual)) {
            if let Some(purse) = self.purses.get_mut(&hold.purse) {
                purse.release(holding.claim, hold.counts);
                purse.post(posting.amount);
                let budget = self.budgets.iter().find(|budget| budget.id == hold.purse.budget);
                notices.extend(budget.and_then(|budget| tell_threshold(purse, budget, &hold.purse)));
            }
            match tab.postings.iter_mut().find(|known| known.purse == posting.purse) {
                Some(known) => known.amount = known.amount.plus(posting.amount),
                None => tab.postings.push(posting),
            }
        }
        Ended { notices }
    }

    /// Ends the request's running call without a charge: it never went out.
    pub fn release(&mut self, request: RequestId) {
        let Some(holding) = self.open.get_mut(&request).and_then(|tab| tab.holding.take()) else { return };
        for hold in &holding.holds {
            if let Some(purse) = self.purses.get_mut(&hold.purse) {
                purse.release(holding.claim, hold.counts);
            }
        }
    }

    /// What the ended calls of a running request were charged.
    pub fn postings(&self, request: RequestId) -> Vec<Posting> {
        self.open.get(&request).map(|tab| tab.postings.clone()).unwrap_or_default()
    }

    /// Ends a request: gives back what it still holds and returns what it was charged.
    pub fn close(&mut self, request: RequestId) -> Vec<Posting> {
        self.release(request);
        self.open.remove(&request).map(|tab| tab.postings).unwrap_or_default()
    }

    /// Charges what an earlier run left open.
    pub fn post(&mut self, postings: &[Posting]) {
        for posting in postings {
            if let Some(purse) = self.purses.get_mut(&posting.purse) {
                purse.post(posting.amount);
            } else {
                self.restore(&posting.purse, posting.amount, NanoUsd::ZERO);
                self.count_as_own(posting);
            }
        }
    }

    /// Forgets purses whose period is over and in which nothing is held.
    pub fn forget_over(&mut self, now: Timestamp) {
        self.purses.retain(|_, purse| !purse.is_idle() || purse.end.is_none_or(|end| now < end));
    }

    /// How every purse of the running periods stands, in ascending order; a budget nobody used yet has an empty one, unless
    /// it is for each user or operation.
    pub fn statuses(&self, now: Timestamp) -> Vec<PurseStatus> {
        let mut running: HashMap<&PurseKey, u32> = HashMap::new();
        for holding in self.open.values().filter_map(|tab| tab.holding.as_ref()) {
            for hold in &holding.holds {
                *running.entry(&hold.purse).or_default() += 1;
            }
        }
        let windows: HashMap<BudgetId, Window> =
            self.budgets.iter().map(|budget| (budget.id, budget.window(now))).collect();
        let mut statuses: Vec<PurseStatus> = self
            .purses
            .iter()
            .filter_map(|(key, purse)| {
                let window = *windows.get(&key.budget).filter(|window| window.start == key.start)?;
                let running = running.get(key).copied().unwrap_or(0);
                Some(PurseStatus { key: key.clone(), window, purse: *purse, running })
            })
            .collect();
        for budget in self.budgets.iter().filter(|budget| !budget.scope.is_for_each()) {
            let Some(window) = windows.get(&budget.id) else { continue };
            let key = PurseKey { budget: budget.id, member: Member::everyone(), start: window.start };
            if !self.purses.contains_key(&key) {
                statuses.push(PurseStatus { key, window: *window, purse: Purse::default(), running: 0 });
            }
        }
        statuses.sort_by(|a, b| a.key.cmp(&b.key));
        statuses
    }

    /// The purses a call of `target` would use, with their budgets, in ascending order.
    pub fn paying(
        &self,
        spender: &Spender<'_>,
        target: &Target,
        paid_by_owner: bool,
        now: Timestamp,
    ) -> impl Iterator<Item = (PurseKey, &Budget)> {
        let applying = self.applying_to(spender, target, paid_by_owner, now);
        applying.into_iter().filter_map(|(key, (place, _))| Some((key, self.budgets.get(place)?)))
    }

    /// Names of the budgets that pay for a request to one of the targets and have passed their warning.
    pub fn warned<'a>(
        &self,
        spender: &Spender<'_>,
        targets: impl IntoIterator<Item = (&'a Target, bool)>,
        now: Timestamp,
    ) -> Vec<String> {
        let mut warned: Vec<&Budget> = Vec::new();
        for (target, paid_by_owner) in targets {
            for (key, budget) in self.paying(spender, target, paid_by_owner, now) {
                let is_warned = self.purses.get(&key).is_some_and(|purse| purse.is_warned(budget));
                if is_warned && warned.iter().all(|known| known.id != budget.id) {
                    warned.push(budget);
                }
            }
        }
        warned.into_iter().map(|budget| budget.name.clone()).collect()
    }

    /// The running requests that hold most in a purse, those first.
    pub fn holders(&self, purse: &PurseKey) -> Vec<Holder> {
        let holds_there = |holding: &&Holding| holding.holds.iter().any(|hold| hold.purse == *purse);
        let mut holders: Vec<Holder> = self
            .open
            .iter()
            .filter_map(|(request, tab)| {
                let holding = tab.holding.as_ref().filter(holds_there)?;
                Some(Holder { request: *request, held: holding.claim.likely.cost })
            })
            .collect();
        holders.sort_by_key(|holder| (std::cmp::Reverse(holder.held), holder.request));
        holders.truncate(HOLDERS_NAMED_MAX);
        holders
    }

    /// The purses that apply to a call of `target`: where the key's owner pays for it, their own alone.
    fn applying_to(
        &self,
        spender: &Spender<'_>,
        target: &Target,
        paid_by_owner: bool,
        now: Timestamp,
    ) -> std::collections::BTreeMap<PurseKey, (usize, Option<Timestamp>)> {
        if !paid_by_owner {
            return self.applying(spender, target, now);
        }
        let owner = Spender { user: spender.owner, ..*spender };
        let mut applying = self.applying(&owner, target, now);
        applying.retain(|_, (place, _)| self.is_of_user(*place));
        applying
    }

    /// The purses that apply, in ascending order, each with its budget's place and its period's end.
    fn applying(
        &self,
        spender: &Spender<'_>,
        target: &Target,
        now: Timestamp,
    ) -> std::collections::BTreeMap<PurseKey, (usize, Option<Timestamp>)> {
        let mut places = Vec::new();
        let mut look = |scope: &Scope| places.extend(self.by_scope.get(scope).into_iter().flatten());
        if self.by_scope.is_empty() {
            return std::collections::BTreeMap::new();
        }
        look(&Scope::Global);
        look(&Scope::Operation(spender.operation.clone()));
        look(&Scope::EachOperation);
        look(&Scope::Provider(target.provider.clone()));
        look(&Scope::Model(target.clone()));
        if let Some(key) = spender.key {
            look(&Scope::Key(key));
        }
        for (name, value) in spender.tags {
            look(&Scope::Tag(Tag { name: name.clone(), value: value.clone() }));
        }
        let user = spender.user.map(Member::named);
        let mut own_periods = BTreeSet::new();
        if let Some(user) = user {
            let own = Scope::User(user);
            let of_user = self.by_scope.get(&own).into_iter().flatten();
            own_periods.extend(of_user.filter_map(|place| Some(self.budgets.get(*place)?.period)));
            look(&own);
            look(&Scope::EachUser);
        }
        let purse_of = |place: usize| {
            let budget = self.budgets.get(place)?;
            let gives_way = budget.scope == Scope::EachUser && own_periods.contains(&budget.period);
            let member = budget.scope.member(spender, target).filter(|_| !gives_way)?;
            let window = budget.window(now);
            Some((PurseKey { budget: budget.id, member, start: window.start }, (place, window.end)))
        };
        places.into_iter().filter_map(purse_of).collect()
    }

    fn is_of_user(&self, place: usize) -> bool {
        let budget = self.budgets.get(place);
        budget.is_some_and(|budget| matches!(budget.scope, Scope::User(_) | Scope::EachUser))
    }

    /// Whether the claim fits everywhere.
    fn check(&self, holds: &[Placed], claim: Claim, is_approved: bool) -> Result<(), Box<Shortfall>> {
        let mut binding: Option<(&Budget, &Hold, Option<Timestamp>, Lack)> = None;
        for (place, hold, end) in holds {
            let Some(budget) = self.budgets.get(*place) else { continue };
            let is_passed = budget.action.is_passed(is_approved);
            let purse = self.purse_as_usable(&hold.purse, *end);
            if let Err(lack) = purse.room(budget, &claim.with_request(hold.counts))
                && !is_passed
                && binding.is_none_or(|(known, ..)| known.action < budget.action)
            {
                binding = Some((budget, hold, *end, lack));
            }
        }
        let Some((budget, hold, resets_at, lack)) = binding else { return Ok(()) };
        // Enough is left of the whole, and this node could not get its part of it.
        let is_elsewhere = lack.limit.saturating_sub(lack.used).saturating_sub(lack.held) >= lack.needed;
        Err(Box::new(Shortfall {
            purse: hold.purse.clone(),
            name: budget.name.clone(),
            scope: budget.scope.clone(),
            action: budget.action,
            measure: lack.measure,
            limit: lack.limit,
            used: lack.used,
            held: lack.held,
            needed: lack.needed,
            resets_at,
            holders: self.holders(&hold.purse),
            is_cut_off: self.is_shared && (self.is_cut_off || is_elsewhere),
        }))
    }

    /// The first refusal of a period is told.
    fn tell_refusal(&mut self, shortfall: &Shortfall) -> Option<Notice> {
        let new = self.new_purse(shortfall.resets_at);
        let purse = self.purses.entry(shortfall.purse.clone()).or_insert(new);
        (!std::mem::replace(&mut purse.told_refusal, true)).then(|| Notice::Exhausted(shortfall.clone()))
    }
}

/// The highest threshold reached, once.
fn tell_threshold(purse: &mut Purse, budget: &Budget, key: &PurseKey) -> Option<Notice> {
    let percent = purse.reached(budget);
    if percent <= purse.told_percent {
        return None;
    }
    purse.told_percent = percent;
    let severity = budget.thresholds.iter().find(|threshold| threshold.percent == percent)?.severity;
    let used = purse.settled.cost.saturating_add(purse.adjusted);
    let (name, limit) = (budget.name.clone(), budget.limits.cost);
    Some(Notice::Threshold { purse: key.clone(), name, percent, severity, used, limit })
}
