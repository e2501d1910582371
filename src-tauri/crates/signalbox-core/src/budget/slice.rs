//! Slices: how the nodes on one database part a budget between them.
//!
//! A node may use what it was granted of a purse without asking anybody. The database keeps how much that is, beside what
//! the node has settled of it. What is granted and not settled is gone for everybody else, so that all nodes together
//! never use more than there is, and each of them decides in memory.

use super::{Amount, Limits, Measure};

/// A grant is at least this part of what nobody has, so that a node asks seldom while there is much.
const SHARE_OF_FREE: i64 = 16;

/// One node's part of a purse, counted from the beginning of the period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Slice {
    /// How much it may use.
    pub granted: Amount,
    /// How much of that its requests came to.
    pub settled: Amount,
}

impl Slice {
    /// What it may still use, and nobody else.
    #[must_use]
    pub fn outstanding(&self) -> Amount {
        self.granted.less(self.settled).at_least_nothing()
    }
}

/// A purse as all nodes see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Pool {
    /// How much there is in all.
    pub limits: Limits,
    /// What all requests came to, with what admins added or took off.
    pub used: Amount,
    /// What other nodes may still use.
    pub elsewhere: Amount,
}

/// How much a node asks for, counted as [`Slice::granted`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Wish {
    /// What it keeps of what it has; the rest it gives back.
    pub keeps: Amount,
    /// What helps at all: with less than that it gets nothing.
    pub least: Amount,
    /// What it would like.
    pub wanted: Amount,
}

impl Wish {
    /// Gives back everything else.
    pub const fn no_more_than(keeps: Amount) -> Self {
        Self { keeps, least: keeps, wanted: keeps }
    }
}

impl Pool {
    /// What a node that has `own` is granted from now on. Where nothing limits a measure it is only kept.
    ///
    /// All nodes together are never granted more than there is, unless they were before a limit was lowered; then nobody is
    /// granted more.
    #[must_use]
    pub fn grant(&self, own: Slice, wish: &Wish) -> Amount {
        let kept = |measure: Measure| wish.keeps.of(measure).max(own.settled.of(measure));
        let limited =
            || Measure::ALL.into_iter().filter_map(|measure| Some((measure, self.top(own, measure)?)));
        let asks = limited().any(|(measure, _)| wish.wanted.of(measure) > kept(measure));
        let helps = limited().all(|(measure, top)| wish.least.of(measure) <= top.max(kept(measure)));
        let granted = |measure: Measure| match self.top(own, measure) {
            Some(top) if asks && helps => {
                let free = top.saturating_sub(kept(measure)).max(0);
                let more = wish.wanted.of(measure).saturating_sub(kept(measure)).max(free / SHARE_OF_FREE);
                kept(measure).saturating_add(more.min(free))
            }
            _ => kept(measure),
        };
        Amount::of_measures(granted)
    }

    /// Whether a grant is enough.
    pub fn is_enough(&self, granted: Amount, least: Amount) -> bool {
        let is_enough = |measure: &Measure| {
            self.limits.of(*measure).is_none() || least.of(*measure) <= granted.of(*measure)
        };
        Measure::ALL.iter().all(is_enough)
    }

    /// Whether it would be enough if every other node gave back all it has.
    pub fn could_ever(&self, own: Slice, least: Amount) -> bool {
        let whole = Self { elsewhere: Amount::default(), ..*self };
        Measure::ALL
            .into_iter()
            .all(|measure| whole.top(own, measure).is_none_or(|top| least.of(measure) <= top))
    }

    /// The most a node that has `own` could be granted; `None` without a limit.
    fn top(&self, own: Slice, measure: Measure) -> Option<i64> {
        let limit = self.limits.of(measure)?;
        let gone = self.used.of(measure).saturating_add(self.elsewhere.of(measure));
        Some(limit.saturating_sub(gone).saturating_add(own.settled.of(measure)))
    }
}

/// A node's part of a purse, as the node itself holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Part {
    /// What it may use and what its requests came to, also where the database does not know yet.
    pub(super) slice: Slice,
    /// What other nodes may still use, as it was last heard.
    pub(super) elsewhere: Amount,
    /// How often the database has changed it.
    pub(super) turn: i64,
    /// Grows when the node itself gives something up: what was asked for before counts no more.
    pub(super) edition: u32,
    /// Whether it has given up something that the database does not know of.
    pub(super) is_given_up: bool,
    /// Whether anything was held or charged since it was last looked at.
    pub(super) is_touched: bool,
}
