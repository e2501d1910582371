//! The configuration as it was at an instant. No copy of it is kept: the history's entries say what was before and after
//! each of them.

use std::collections::BTreeMap;

use crate::time::Timestamp;

/// A thing the history speaks of.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Thing {
    /// What kind of thing, e.g. `route`.
    pub kind: &'static str,
    /// Which one.
    pub name: String,
}

/// What one entry did to one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The entry.
    pub seq: i64,
    /// When.
    pub at: Timestamp,
    /// To what.
    pub thing: Thing,
    /// Its state before; `None` when it did not exist.
    pub before: Option<String>,
    /// Its state after; `None` when it no longer exists.
    pub after: Option<String>,
}

/// How a thing stood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Its state.
    pub state: String,
    /// The entry that made it so, and when; `None`: it had been so since the beginning.
    pub since: Option<(i64, Timestamp)>,
}

/// Gathers how everything stood at an instant, entry by entry. Memory grows with the things, not with the history.
#[derive(Debug, Clone)]
pub struct StateAt {
    at: Timestamp,
    things: BTreeMap<Thing, Option<Standing>>,
}

impl StateAt {
    /// Nothing is known yet.
    pub const fn new(at: Timestamp) -> Self {
        Self { at, things: BTreeMap::new() }
    }

    /// Looks at the next step; steps must come in the order of the history.
    pub fn take(&mut self, step: Step) {
        let Step { seq, at, thing, before, after } = step;
        if at <= self.at {
            let standing = after.map(|state| Standing { state, since: Some((seq, at)) });
            self.things.insert(thing, standing);
        } else {
            self.things.entry(thing).or_insert_with(|| before.map(|state| Standing { state, since: None }));
        }
    }

    /// A thing that no entry speaks of has always been as it is now.
    pub fn unchanged(&mut self, thing: Thing, state: String) {
        self.things.entry(thing).or_insert(Some(Standing { state, since: None }));
    }

    /// What existed then, by kind and name.
    pub fn into_things(self) -> impl Iterator<Item = (Thing, Standing)> {
        self.things.into_iter().filter_map(|(thing, standing)| standing.map(|standing| (thing, standing)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn thing(number: u8) -> Thing {
        Thing { kind: "setting", name: number.to_string() }
    }

    fn shown(state: StateAt) -> BTreeMap<Thing, String> {
        state.into_things().map(|(thing, standing)| (thing, standing.state)).collect()
    }

    proptest! {
        /// Things are made, changed and removed one step at a time; some of them were there from the beginning, and some
        /// are never touched.
        #[test]
        fn the_state_at_any_instant_is_what_replaying_the_changes_until_then_gives(
            first in proptest::collection::btree_map(0..6_u8, "[a-c]", 0..6),
            steps in proptest::collection::vec((0..6_u8, proptest::option::of("[a-c]")), 0..20),
            at in 0..22_i64,
        ) {
            let mut now: BTreeMap<u8, String> = first.clone();
            let mut wanted = first;
            let mut told = Vec::new();
            for ((number, after), seq) in steps.into_iter().zip(1..) {
                let before = now.get(&number).cloned();
                if before == after {
                    continue;
                }
                match &after {
                    Some(state) => now.insert(number, state.clone()),
                    None => now.remove(&number),
                };
                if seq <= at {
                    wanted.clone_from(&now);
                }
                told.push(Step { seq, at: Timestamp::from_micros(seq), thing: thing(number), before, after });
            }
            let mut state = StateAt::new(Timestamp::from_micros(at));
            for step in told {
                state.take(step);
            }
            for (number, text) in now {
                state.unchanged(thing(number), text);
            }
            let wanted: BTreeMap<Thing, String> =
                wanted.into_iter().map(|(number, state)| (thing(number), state)).collect();
            prop_assert_eq!(shown(state), wanted);
        }
    }

    #[test]
    fn a_state_names_the_entry_that_made_it_so() {
        let at = Timestamp::from_micros;
        let step = |seq, before: &str, after: &str| Step {
            seq,
            at: at(seq),
            thing: thing(0),
            before: Some(before.to_owned()),
            after: Some(after.to_owned()),
        };
        for (instant, state, since) in
            [(0, "a", None), (1, "b", Some((1, at(1)))), (9, "c", Some((2, at(2))))]
        {
            let mut standing = StateAt::new(at(instant));
            standing.take(step(1, "a", "b"));
            standing.take(step(2, "b", "c"));
            let wanted = Standing { state: state.to_owned(), since };
            assert_eq!(standing.into_things().next(), Some((thing(0), wanted)));
        }
    }
}
