//! A book of one of several nodes: it may use its part of each purse, and says when it needs more.

use super::{Book, Offer, Placed, Search, tell_threshold};
use crate::budget::slice::Part;
use crate::budget::{Amount, Measure, Notice, Posting, Purse, PurseKey, Slice, Spender};
use crate::ids::RequestId;
use crate::money::NanoUsd;
use crate::time::Timestamp;

/// How many more requests like the one that comes in a node wants to have at hand.
const AHEAD: i64 = 8;
/// With less than so many at hand it asks for more before it has to wait for them.
const LOW: i64 = 4;

/// What must be granted of a purse before a request can be held in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Need {
    /// Which purse.
    pub purse: PurseKey,
    /// What helps; counted as [`Slice::granted`] is.
    pub least: Amount,
    /// What would serve the next requests as well.
    pub wanted: Amount,
}

impl Need {
    /// What helps one of both, and would serve both.
    pub fn join(&mut self, other: &Self) {
        let (least, wanted) = (self.least, self.wanted);
        self.least = Amount::of_measures(|measure| least.of(measure).min(other.least.of(measure)));
        self.wanted = Amount::of_measures(|measure| wanted.of(measure).max(other.wanted.of(measure)));
    }

    /// Whether nothing helps that would not help `other` as well.
    pub fn needs_no_less_than(&self, other: Amount) -> bool {
        Measure::ALL.into_iter().all(|measure| self.least.of(measure) >= other.of(measure))
    }
}

/// What this node needs before a request can go out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Needs {
    /// For each offer that does not fit into this node's part, in the order in which they would be tried: all its needs.
    pub short: Vec<Vec<Need>>,
    /// What the request does not have to wait for.
    pub soon: Vec<Need>,
}

/// This node's part of a purse, as it asks for more of it or gives some back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Parcel {
    /// What it may use.
    pub granted: Amount,
    /// How often the database has changed it, as far as this node knows.
    pub turn: i64,
    edition: u32,
}

/// This node's part of a purse and the purse as a whole, as the database has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Share {
    /// This node's part.
    pub slice: Slice,
    /// What the requests of all nodes came to.
    pub settled: Amount,
    /// What admins added to that, or took off.
    pub adjusted: NanoUsd,
    /// What other nodes may still use.
    pub elsewhere: Amount,
    /// How often this node's part was changed.
    pub turn: i64,
}

impl Book {
    /// From now on it is one of several: it may use its part of each purse, which is nothing at first.
    pub fn share(&mut self) {
        self.is_shared = true;
    }

    /// Whether it may use its parts at all: not while others may have taken them.
    pub fn cut_off(&mut self, is_cut_off: bool) {
        self.is_cut_off = is_cut_off;
    }

    /// What this node must be granted before one of the offers fits, and what it should ask for before it runs out.
    pub fn needs(
        &self,
        request: RequestId,
        spender: &Spender<'_>,
        offers: &[Offer<'_>],
        is_approved: bool,
        now: Timestamp,
    ) -> Needs {
        if !self.is_shared || self.is_cut_off {
            return Needs::default();
        }
        let Search { order, left_out, .. } = self.search(request, spender, offers, is_approved, now);
        let needs = |place: usize, claims: i64| {
            let Some(offer) = offers.get(place) else { return Vec::new() };
            let holds = self.holds_of(request, spender, offer, now);
            holds.iter().filter_map(|hold| self.need(hold, offer, is_approved, claims)).collect()
        };
        let short = left_out.iter().map(|(place, _)| needs(*place, 1)).filter(|needs| !needs.is_empty());
        let soon = order.first().map_or_else(Vec::new, |place| needs(*place, LOW));
        Needs { short: short.collect(), soon }
    }

    /// What must be granted before so many claims like this one fit; `None` when they do.
    fn need(&self, placed: &Placed, offer: &Offer<'_>, is_approved: bool, claims: i64) -> Option<Need> {
        let (place, hold, end) = placed;
        let budget = self.budgets.get(*place).filter(|budget| !budget.action.is_passed(is_approved))?;
        let purse = self.purse_or_new(&hold.purse, *end);
        let claim = offer.claim.with_request(hold.counts);
        let is_enough = if claims == 1 {
            purse.room(budget, &claim).is_ok()
        } else {
            purse.granted_covers(budget, purse.reach(budget, &claim, claims))
        };
        (!is_enough).then(|| Need {
            purse: hold.purse.clone(),
            least: purse.reach(budget, &claim, 1),
            wanted: purse.reach(budget, &claim, AHEAD),
        })
    }

    /// This node's part of a purse.
    pub fn parcel(&self, key: &PurseKey) -> Parcel {
        let part = self.purses.get(key).and_then(|purse| purse.part).unwrap_or_default();
        let Slice { granted, settled } = part.slice;
        // What is used already, e.g. by requests of a run that crashed, cannot be given back.
        let granted = Amount::of_measures(|measure| granted.of(measure).max(settled.of(measure)));
        Parcel { granted, turn: part.turn, edition: part.edition }
    }

    /// Gives up what is not held or used of this node's part. It may be granted to others once the database knows.
    pub fn give_up(&mut self, key: &PurseKey) {
        if let Some(purse) = self.purses.get_mut(key) {
            purse.give_up();
        }
    }

    /// Whether it has given up something of a purse that the database does not know of.
    pub fn has_given_up(&self, key: &PurseKey) -> bool {
        let part = self.purses.get(key).and_then(|purse| purse.part.as_ref());
        part.is_some_and(|part| part.is_given_up)
    }

    /// Gives up what is not held or used of any purse.
    pub fn give_up_all(&mut self) {
        self.purses.values_mut().for_each(Purse::give_up);
    }

    /// The purses of which something was given up that the database does not know of.
    pub fn given_up(&self) -> Vec<PurseKey> {
        self.keys_of(|part| part.is_given_up)
    }

    /// At most so many of the purses in which something was held or charged since they were asked for last.
    pub fn touched(&mut self, limit: usize) -> Vec<PurseKey> {
        let parts = self.purses.iter_mut().filter_map(|(key, purse)| Some((key, purse.part.as_mut()?)));
        let touched = parts.filter(|(_, part)| part.is_touched).take(limit);
        let asked_for = touched.map(|(key, part)| {
            part.is_touched = false;
            key.clone()
        });
        asked_for.collect()
    }

    fn keys_of(&self, is_wanted: impl Fn(&Part) -> bool) -> Vec<PurseKey> {
        let wanted = self.purses.iter().filter(|(_, purse)| purse.part.as_ref().is_some_and(&is_wanted));
        wanted.map(|(key, _)| key.clone()).collect()
    }

    /// Takes over what the database says of a purse after it was asked with `asked`. If this node has given something up
    /// since then it is not granted more: it has to ask again.
    pub fn take(&mut self, key: &PurseKey, share: &Share, asked: Parcel) -> Vec<Notice> {
        let notices = self.see(key, share);
        if let Some(part) = self.purses.get_mut(key).and_then(|purse| purse.part.as_mut()) {
            part.turn = share.turn;
            part.elsewhere = share.elsewhere;
            part.is_given_up = part.edition != asked.edition;
            if !part.is_given_up {
                part.slice.granted = share.slice.granted;
            }
        }
        notices
    }

    /// Takes over what the requests of all nodes came to.
    pub fn see(&mut self, key: &PurseKey, share: &Share) -> Vec<Notice> {
        if !self.purses.contains_key(key) {
            self.restore(key, share.settled, share.adjusted);
        }
        let Some(purse) = self.purses.get_mut(key) else { return Vec::new() };
        let own = purse.part.unwrap_or_default().slice.settled;
        // What this node's requests came to may not be in the database yet.
        purse.settled = share.settled.plus(own.less(share.slice.settled).at_least_nothing());
        purse.adjusted = share.adjusted;
        let budget = self.budgets.iter().find(|budget| budget.id == key.budget);
        budget.and_then(|budget| tell_threshold(purse, budget, key)).into_iter().collect()
    }

    /// Learns of the database's newer turn: an answer to this node was lost on its way.
    pub fn set_turn(&mut self, key: &PurseKey, turn: i64) {
        if let Some(part) = self.part_mut(key) {
            part.turn = turn;
        }
    }

    /// Notes that the database may have granted more than this node heard of: it says what it keeps once it can.
    pub fn note_unheard(&mut self, key: &PurseKey) {
        if let Some(part) = self.part_mut(key) {
            part.is_given_up = true;
        }
    }

    fn part_mut(&mut self, key: &PurseKey) -> Option<&mut Part> {
        if !self.purses.contains_key(key) {
            self.restore(key, Amount::default(), NanoUsd::ZERO);
        }
        self.purses.get_mut(key)?.part.as_mut()
    }

    /// What this node's requests came to in an earlier run. What it was granted then it has to ask for anew.
    pub fn restore_part(&mut self, key: &PurseKey, settled: Amount, turn: i64) {
        if let Some(part) = self.purses.get_mut(key).and_then(|purse| purse.part.as_mut()) {
            let settled = part.slice.settled.plus(settled);
            part.slice = Slice { granted: settled, settled };
            part.turn = turn;
            part.is_given_up = true;
        }
    }

    /// Whether no request has anything to do with it.
    pub fn is_idle(&self) -> bool {
        self.open.is_empty()
    }

    /// Forgets all purses, to be filled anew, unless a request has to do with one.
    pub fn clear_if_idle(&mut self) -> bool {
        if self.is_idle() {
            self.purses.clear();
        }
        self.is_idle()
    }

    pub(super) fn new_purse(&self, end: Option<Timestamp>) -> Purse {
        Purse { end, part: self.is_shared.then(Part::default), ..Purse::default() }
    }

    fn purse_or_new(&self, key: &PurseKey, end: Option<Timestamp>) -> Purse {
        self.purses.get(key).copied().unwrap_or_else(|| self.new_purse(end))
    }

    /// A purse with what this node may use of it now.
    pub(super) fn purse_as_usable(&self, key: &PurseKey, end: Option<Timestamp>) -> Purse {
        let mut purse = self.purse_or_new(key, end);
        if let Some(part) = purse.part.as_mut().filter(|_| self.is_cut_off) {
            part.slice.granted = Amount::default();
        }
        purse
    }

    /// Counts what this node charges to a purse that it did not have until now.
    pub(super) fn count_as_own(&mut self, posting: &Posting) {
        if let Some(part) = self.purses.get_mut(&posting.purse).and_then(|purse| purse.part.as_mut()) {
            part.slice.settled = part.slice.settled.plus(posting.amount);
        }
    }
}

impl Purse {
    /// Keeps no more of this node's part than it uses and holds.
    pub(in crate::budget) fn give_up(&mut self) {
        let in_use = self.held_max;
        let Some(part) = &mut self.part else { return };
        let in_use = part.slice.settled.plus(in_use);
        let granted = part.slice.granted;
        let kept = Amount::of_measures(|measure| granted.of(measure).min(in_use.of(measure)));
        part.slice.granted = kept;
        part.edition = part.edition.wrapping_add(1);
        part.is_given_up |= kept != granted;
    }
}
