//! The rows a batch writes, the same for both databases.

use std::borrow::Cow;
use std::collections::BTreeMap;

use signalbox_core::failure::FailureKind;
use signalbox_core::ledger::{Attempt, Outcome, RequestStart, Settlement};
use signalbox_core::meter::{CostLine, CostStatus};
use signalbox_core::money::NanoUsd;
use signalbox_core::rollup::{RollupKey, Sums, contribution, latency_bucket};
use signalbox_core::route::Target;
use uuid::Uuid;

use super::End;
use crate::error::StoreError;
use crate::rollup::{EVER, LatencyKind};
use crate::values::{JsonText, clean, counted, json, label};

/// What T1 writes of a request.
pub(super) struct StartRow<'a> {
    pub(super) start: &'a RequestStart,
    pub(super) user: Option<Cow<'a, str>>,
    pub(super) requested_model: Cow<'a, str>,
    pub(super) tags: JsonText,
    pub(super) decision: JsonText,
    pub(super) holding: Option<JsonText>,
    pub(super) refused_by: Option<JsonText>,
}

impl<'a> StartRow<'a> {
    pub(super) fn of(start: &'a RequestStart) -> Result<Self, StoreError> {
        Ok(Self {
            start,
            user: start.user.as_deref().map(label),
            requested_model: clean(&start.requested_model),
            tags: json(&start.tags)?,
            decision: json(&start.decision)?,
            holding: start.holding.as_ref().map(json).transpose()?,
            refused_by: start.refused_by.as_ref().map(json).transpose()?,
        })
    }

    pub(super) fn id(&self) -> Uuid {
        self.start.id.as_uuid()
    }
}

/// What T2 writes into the request's own row.
pub(super) struct EndRow<'a> {
    pub(super) id: Uuid,
    pub(super) settlement: &'a Settlement,
    pub(super) attempts: i64,
    pub(super) tokens_in: i64,
    pub(super) tokens_out: i64,
    pub(super) cost_status: CostStatus,
    pub(super) cost: Option<NanoUsd>,
    pub(super) finish_reason: Option<Cow<'a, str>>,
    pub(super) error_code: Option<Cow<'a, str>>,
    /// The request whose answer it was given, from the answer cache.
    pub(super) cache: Option<String>,
    pub(super) saved: Option<NanoUsd>,
}

impl<'a> EndRow<'a> {
    pub(super) fn of(end: End<'a>) -> Self {
        let settlement = end.settlement;
        let usage = settlement.usage();
        let (cost_status, cost) = settlement.cost();
        Self {
            id: end.start.id.as_uuid(),
            settlement,
            attempts: i64::try_from(settlement.attempts.len()).unwrap_or(i64::MAX),
            tokens_in: counted(usage.tokens_in()),
            tokens_out: counted(usage.tokens_out()),
            cost_status,
            cost,
            finish_reason: settlement.finish_reason.as_deref().map(clean),
            error_code: settlement.error_code.as_deref().map(clean),
            cache: settlement.cache.map(|hit| hit.of.to_string()),
            saved: settlement.cache.and_then(|hit| hit.saved),
        }
    }

    pub(super) fn provider(&self) -> Option<&'a str> {
        self.settlement.target().map(|target| target.provider.as_str())
    }

    pub(super) fn model(&self) -> Option<&'a str> {
        self.settlement.target().map(|target| target.model.as_str())
    }
}

/// Both in one.
pub(super) struct WholeRow<'a> {
    pub(super) start: StartRow<'a>,
    pub(super) end: EndRow<'a>,
}

impl<'a> WholeRow<'a> {
    pub(super) fn of_all(ends: &[End<'a>]) -> Result<Vec<Self>, StoreError> {
        ends.iter().map(|end| Ok(Self { start: StartRow::of(end.start)?, end: EndRow::of(*end) })).collect()
    }
}

/// One attempt of a settled request.
pub(super) struct AttemptRow<'a> {
    pub(super) request: Uuid,
    pub(super) attempt: &'a Attempt,
    pub(super) message: Option<Cow<'a, str>>,
    pub(super) usage: JsonText,
    pub(super) card: Option<JsonText>,
}

/// One line of an attempt's cost.
pub(super) struct LineRow<'a> {
    pub(super) request: Uuid,
    pub(super) ordinal: i64,
    pub(super) number: i64,
    pub(super) line: &'a CostLine,
}

/// A step from a target that failed to the next one.
pub(super) struct FailoverRow<'a> {
    pub(super) request: Uuid,
    pub(super) ordinal: i64,
    pub(super) at: i64,
    pub(super) operation: &'a str,
    pub(super) from: &'a Target,
    pub(super) to: &'a Target,
    pub(super) reason: FailureKind,
    pub(super) hop_us: i64,
}

/// The steps between the attempts of ended requests; another try of the same target is none.
pub(super) fn failovers_of<'a>(ends: &[End<'a>]) -> Vec<FailoverRow<'a>> {
    let steps = |end: &End<'a>| {
        let (start, attempts) = (end.start, &end.settlement.attempts);
        attempts.iter().zip(attempts.iter().skip(1)).filter_map(move |(failed, next)| {
            let reason = failed.failure.filter(|_| failed.target != next.target)?;
            Some(FailoverRow {
                request: start.id.as_uuid(),
                ordinal: i64::from(failed.ordinal),
                at: start.started_at.plus_micros(next.started_us).as_micros(),
                operation: start.operation.as_str(),
                from: &failed.target,
                to: &next.target,
                reason,
                hop_us: next.started_us.saturating_sub(failed.finished_us).max(0),
            })
        })
    };
    ends.iter().flat_map(steps).collect()
}

/// Everything T2 writes about attempts, in the order of the ends.
pub(super) fn attempts_of<'a>(
    ends: &[End<'a>],
) -> Result<(Vec<AttemptRow<'a>>, Vec<LineRow<'a>>), StoreError> {
    let mut attempts = Vec::new();
    let mut lines = Vec::new();
    for end in ends {
        let request = end.start.id.as_uuid();
        for attempt in &end.settlement.attempts {
            let numbered = (1..).zip(&attempt.cost.lines);
            lines.extend(numbered.map(|(number, line)| LineRow {
                request,
                ordinal: i64::from(attempt.ordinal),
                number,
                line,
            }));
            attempts.push(AttemptRow {
                request,
                attempt,
                message: attempt.message.as_deref().map(clean),
                usage: json(&attempt.usage)?,
                card: attempt.cost.card.as_ref().map(json).transpose()?,
            });
        }
    }
    Ok((attempts, lines))
}

/// The key of a row in `rollups`. The order is that in which rows are locked, so that two nodes never wait for each other.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct CellKey {
    pub(crate) step: &'static str,
    pub(crate) start: i64,
    pub(crate) operation: String,
    pub(crate) provider: String,
    pub(crate) model: String,
    pub(crate) user: String,
    pub(crate) outcome: &'static str,
    pub(crate) simulated: bool,
}

/// The key of a row in `rollup_latencies`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct LatencyKey {
    pub(crate) step: &'static str,
    pub(crate) start: i64,
    pub(crate) operation: String,
    pub(crate) provider: String,
    pub(crate) model: String,
    pub(crate) simulated: bool,
    pub(crate) kind: LatencyKind,
    pub(crate) bucket: i32,
}

/// What settled requests add to the rollups, merged.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Cells {
    pub(crate) sums: BTreeMap<CellKey, Sums>,
    pub(crate) latencies: BTreeMap<LatencyKey, i64>,
}

impl Cells {
    /// Counts one settled request.
    pub(crate) fn add(&mut self, start: &RequestStart, settlement: &Settlement) {
        let user = start.user.as_deref().map(label);
        let (keys, sums) = contribution(start.started_at, &start.operation, user.as_deref(), settlement);
        let latencies = (settlement.outcome == Outcome::Succeeded).then_some(Latencies {
            total_us: settlement.latency_us,
            first_token_us: settlement.first_token_us(),
        });
        self.add_contribution(keys, &sums, latencies);
    }

    /// Counts what one settled request contributes; without latencies when it did not succeed.
    pub(crate) fn add_contribution(
        &mut self,
        keys: [RollupKey; 3],
        sums: &Sums,
        latencies: Option<Latencies>,
    ) {
        let ever = CellKey { step: EVER, start: 0, user: String::new(), ..CellKey::from(keys[0].clone()) };
        self.sums.entry(ever).or_default().add(sums);
        for key in keys {
            if let Some(latencies) = latencies {
                self.add_latency(&key, LatencyKind::Total, latencies.total_us);
                if let Some(first_token_us) = latencies.first_token_us {
                    self.add_latency(&key, LatencyKind::FirstToken, first_token_us);
                }
            }
            self.sums.entry(CellKey::from(key)).or_default().add(sums);
        }
    }

    fn add_latency(&mut self, key: &RollupKey, kind: LatencyKind, micros: i64) {
        let key = LatencyKey {
            step: key.step.as_str(),
            start: key.start.as_micros(),
            operation: key.operation.clone(),
            provider: key.provider.clone(),
            model: key.model.clone(),
            simulated: key.simulated,
            kind,
            bucket: latency_bucket(micros),
        };
        *self.latencies.entry(key).or_default() += 1;
    }
}

/// The durations of a succeeded request. Units: microseconds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Latencies {
    pub(crate) total_us: i64,
    pub(crate) first_token_us: Option<i64>,
}

impl From<RollupKey> for CellKey {
    fn from(key: RollupKey) -> Self {
        Self {
            step: key.step.as_str(),
            start: key.start.as_micros(),
            operation: key.operation,
            provider: key.provider,
            model: key.model,
            user: key.user,
            outcome: key.outcome,
            simulated: key.simulated,
        }
    }
}
