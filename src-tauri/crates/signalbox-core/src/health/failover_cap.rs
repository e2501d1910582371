//! How often an operation may fail over from one target before it leaves the target alone.

use std::collections::{HashMap, VecDeque};

use crate::ids::OperationId;
use crate::route::Target;
use crate::time::{MICROS_PER_SECOND, Timestamp};

/// Failovers from one target of one operation in an hour; with the last of them the target is left alone until the first
/// is an hour old.
pub const FAILOVERS_PER_HOUR: usize = 5;

const HOUR_US: i64 = 3_600 * MICROS_PER_SECOND;

/// How far ahead of now a failover may lie; what lies further ahead was noted before the clock was set back.
const AHEAD_MAX_US: i64 = 60 * MICROS_PER_SECOND;

/// The failovers of the last hour, by operation and target. Restored from the ledger with [`Self::note`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FailoverCap {
    by_operation: HashMap<OperationId, HashMap<Target, VecDeque<Timestamp>>>,
}

impl FailoverCap {
    /// Notes a failover. Says until when the target is left alone, if this one was the last allowed.
    ///
    /// The order in which failovers are noted does not matter: the latest are kept.
    pub fn note(
        &mut self,
        operation: &OperationId,
        from: &Target,
        at: Timestamp,
        now: Timestamp,
    ) -> Option<Timestamp> {
        let targets = match self.by_operation.get_mut(operation) {
            Some(targets) => targets,
            None => self.by_operation.entry(operation.clone()).or_default(),
        };
        let times = match targets.get_mut(from) {
            Some(times) => times,
            None => targets.entry(from.clone()).or_default(),
        };
        times.retain(|time| counts(*time, now));
        let index = times.partition_point(|time| *time <= at);
        times.insert(index, at);
        while times.len() > FAILOVERS_PER_HOUR {
            times.pop_front();
        }
        capped(times, now)
    }

    /// Until when the operation leaves the target alone; `None` when it does not.
    pub fn until(&self, operation: &OperationId, target: &Target, now: Timestamp) -> Option<Timestamp> {
        capped(self.by_operation.get(operation)?.get(target)?, now)
    }

    /// Failovers that count at `now`.
    pub fn counted(&self, operation: &OperationId, target: &Target, now: Timestamp) -> usize {
        let times = self.by_operation.get(operation).and_then(|targets| targets.get(target));
        times.map_or(0, |times| times.iter().filter(|time| counts(**time, now)).count())
    }

    /// Forgets the failovers from a target, e.g. because an admin reset it.
    pub fn forget(&mut self, target: &Target) {
        for targets in self.by_operation.values_mut() {
            targets.remove(target);
        }
        self.by_operation.retain(|_, targets| !targets.is_empty());
    }

    /// Gives back the memory of what is over.
    pub fn sweep(&mut self, now: Timestamp) {
        for targets in self.by_operation.values_mut() {
            targets.retain(|_, times| times.iter().any(|time| counts(*time, now)));
        }
        self.by_operation.retain(|_, targets| !targets.is_empty());
    }
}

fn counts(at: Timestamp, now: Timestamp) -> bool {
    (-AHEAD_MAX_US..HOUR_US).contains(&now.micros_since(at))
}

/// When the oldest that counts falls out, if as many as are allowed count.
fn capped(times: &VecDeque<Timestamp>, now: Timestamp) -> Option<Timestamp> {
    let mut counted = times.iter().filter(|time| counts(**time, now));
    let oldest = *counted.next()?;
    (counted.count() + 1 >= FAILOVERS_PER_HOUR).then(|| oldest.plus_micros(HOUR_US))
}
