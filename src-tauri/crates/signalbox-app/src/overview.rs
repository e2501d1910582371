//! Figures and charts, from rollups only: no chart ever reads the ledger.

use std::collections::{BTreeMap, HashMap};

use signalbox_core::ids::OperationId;
use signalbox_core::ledger::Outcome;
use signalbox_core::money::NanoUsd;
use signalbox_core::rollup::{Step, Sums, quantile_of};
use signalbox_core::time::Timestamp;
use signalbox_store::{GroupBy, LatencyKind, LatencyQuery, LatencyRow, RollupQuery, RollupRow};

use crate::app::{App, Caller, Role};
use crate::error::AppError;
use crate::{dto, view};

/// Most groups a chart gets; the window folds those past its colours into "Other".
const GROUPS_MAX: usize = 50;
/// Most buckets a query may ask for.
const BUCKETS_MAX: i64 = 3_000;
/// Up to this range a chart is drawn by the minute.
const MINUTES_UP_TO: i64 = 3 * 3_600 * 1_000_000;
/// Up to this range a chart is drawn by the hour.
const HOURS_UP_TO: i64 = 5 * Step::Day.micros();

/// The figures of a period, those of the period before, and spend over time by group.
pub async fn overview(
    app: &App,
    caller: &Caller,
    query: dto::OverviewQuery,
) -> Result<dto::Overview, AppError> {
    caller.must_be(Role::Viewer)?;
    let period = Period::parse(&query)?;
    let group_by = match query.group_by {
        dto::GroupBy::Operation => GroupBy::Operation,
        dto::GroupBy::Provider => GroupBy::Provider,
        dto::GroupBy::Model => GroupBy::Model,
    };
    let store = &app.control().store;
    let exact = period.finer();
    let rows = store.rollups(&period.rollups(group_by)).await?;
    let totals = store.rollups(&exact.rollups(group_by)).await?;
    let latencies = store.latencies(&exact.latencies(group_by)).await?;
    let before = exact.before();
    let earlier = store.rollups(&before.rollups(GroupBy::Total)).await?;
    let earlier_latencies = store.latencies(&before.latencies(GroupBy::Total)).await?;
    Ok(dto::Overview {
        figures: figures(totals.iter(), latencies.iter()),
        previous: figures(earlier.iter(), earlier_latencies.iter()),
        bucket: period.bucket(),
        buckets: period.starts().map(Into::into).collect(),
        groups: groups(&period, &rows, &totals, &latencies),
        at: app.now().into(),
    })
}

/// A range cut into buckets; it begins at the start of one.
struct Period {
    /// As asked for.
    asked_from: Timestamp,
    /// Start of the bucket that contains it.
    from: Timestamp,
    to: Timestamp,
    step: Step,
}

impl Period {
    fn parse(query: &dto::OverviewQuery) -> Result<Self, AppError> {
        let from = view::instant("from", &query.from)?;
        let to = view::instant("to", &query.to)?;
        let length = to.micros_since(from);
        if length <= 0 {
            return Err(AppError::invalid("to", "The end of the range must be after its start."));
        }
        let step = match query.bucket {
            Some(dto::Bucket::Minute) => Step::Minute,
            Some(dto::Bucket::Hour) => Step::Hour,
            None if length <= MINUTES_UP_TO => Step::Minute,
            None if length <= HOURS_UP_TO => Step::Hour,
            Some(dto::Bucket::Day) | None => Step::Day,
        };
        let period = Self::of(from, to, step);
        if to.micros_since(period.from) / step.micros() > BUCKETS_MAX {
            let message =
                format!("The range has more than {BUCKETS_MAX} {}s; choose a wider bucket.", step.as_str());
            return Err(AppError::invalid("bucket", message));
        }
        Ok(period)
    }

    const fn of(asked_from: Timestamp, to: Timestamp, step: Step) -> Self {
        Self { asked_from, from: asked_from.floor_to(step.micros()), to, step }
    }

    /// The same range for figures: a chart by the day would count whole days, its figures count whole hours.
    fn finer(&self) -> Self {
        Self::of(self.asked_from, self.to, self.step.min(Step::Hour))
    }

    /// The range of equal length just before.
    fn before(&self) -> Self {
        let length = self.to.micros_since(self.asked_from);
        Self { to: self.from, ..Self::of(self.asked_from.plus_micros(-length), self.from, self.step) }
    }

    fn starts(&self) -> impl Iterator<Item = Timestamp> + use<> {
        let (to, width) = (self.to, self.step.micros());
        std::iter::successors(Some(self.from), move |start| Some(start.plus_micros(width)))
            .take_while(move |start| *start < to)
    }

    const fn bucket(&self) -> dto::Bucket {
        match self.step {
            Step::Minute => dto::Bucket::Minute,
            Step::Hour => dto::Bucket::Hour,
            Step::Day => dto::Bucket::Day,
        }
    }

    const fn rollups(&self, group_by: GroupBy) -> RollupQuery {
        RollupQuery { step: self.step, from: self.from, to: self.to, group_by, operation: None }
    }

    const fn latencies(&self, group_by: GroupBy) -> LatencyQuery {
        LatencyQuery { step: self.step, from: self.from, to: self.to, group_by, operation: None }
    }
}

fn figures<'a>(
    rows: impl Iterator<Item = &'a RollupRow>,
    latencies: impl Iterator<Item = &'a LatencyRow>,
) -> dto::Figures {
    let mut all = Sums::default();
    let (mut simulated, mut by_outcome) = (0, HashMap::new());
    for row in rows {
        all.add(&row.sums);
        *by_outcome.entry(row.outcome).or_insert(0_i64) += row.sums.requests;
        simulated += if row.simulated { row.sums.requests } else { 0 };
    }
    let ended = |outcome| view::count(by_outcome.get(&outcome).copied().unwrap_or(0));
    let [total, first_token] = histograms(latencies);
    let quantile =
        |histogram: &[(i32, i64)], at| quantile_of(&mut histogram.to_vec(), at).map(view::milliseconds);
    dto::Figures {
        spend: NanoUsd::from_nanos(all.cost_nano_usd).into(),
        requests: view::count(all.requests),
        succeeded: ended(Outcome::Succeeded),
        failed: ended(Outcome::Failed) + ended(Outcome::Interrupted),
        cancelled: ended(Outcome::Cancelled),
        simulated: view::count(simulated),
        unpriced: view::count(all.unpriced),
        estimated: view::count(all.estimated),
        tokens_in: all.tokens_in.into(),
        tokens_out: all.tokens_out.into(),
        latency_ms_p50: quantile(&total, 0.5),
        latency_ms_p95: quantile(&total, 0.95),
        first_token_ms_p50: quantile(&first_token, 0.5),
        first_token_ms_p95: quantile(&first_token, 0.95),
    }
}

fn histograms<'a>(rows: impl Iterator<Item = &'a LatencyRow>) -> [Vec<(i32, i64)>; 2] {
    let mut histograms = [BTreeMap::new(), BTreeMap::new()];
    for row in rows {
        let kind = match row.kind {
            LatencyKind::Total => 0,
            LatencyKind::FirstToken => 1,
        };
        *histograms[kind].entry(row.bucket).or_insert(0) += row.count;
    }
    histograms.map(|histogram| histogram.into_iter().collect())
}

fn groups(
    period: &Period,
    rows: &[RollupRow],
    totals: &[RollupRow],
    latencies: &[LatencyRow],
) -> Vec<dto::GroupSeries> {
    let place: HashMap<Timestamp, usize> =
        period.starts().enumerate().map(|(index, start)| (start, index)).collect();
    let mut by_group: BTreeMap<(&str, bool), Vec<&RollupRow>> = BTreeMap::new();
    for row in rows {
        by_group.entry((&row.key, row.simulated)).or_default().push(row);
    }
    let mut groups: Vec<(i64, i64, dto::GroupSeries)> = by_group
        .into_iter()
        .map(|((key, simulated), rows)| {
            let mut spend = vec![0_i64; place.len()];
            let mut requests = vec![0_i64; place.len()];
            for row in &rows {
                if let Some(index) = place.get(&row.start) {
                    spend[*index] = spend[*index].saturating_add(row.sums.cost_nano_usd);
                    requests[*index] += row.sums.requests;
                }
            }
            let own = latencies.iter().filter(|row| row.key == key && row.simulated == simulated);
            let total = totals.iter().filter(|row| row.key == key && row.simulated == simulated);
            let total_spend = spend.iter().fold(0_i64, |sum, nanos| sum.saturating_add(*nanos));
            let total_requests = requests.iter().sum();
            let series = dto::GroupSeries {
                key: key.to_owned(),
                simulated,
                spend: spend.into_iter().map(|nanos| NanoUsd::from_nanos(nanos).into()).collect(),
                requests: requests.into_iter().map(view::count).collect(),
                total: figures(total, own),
            };
            (total_spend, total_requests, series)
        })
        .collect();
    groups.sort_by_key(|(spend, requests, _)| std::cmp::Reverse((*spend, *requests)));
    groups.into_iter().take(GROUPS_MAX).map(|(_, _, series)| series).collect()
}

/// Traffic of the last 24 hours by group.
pub(crate) struct Traffics(HashMap<String, dto::Traffic>);

impl Traffics {
    /// Of one group; all zero when it had none.
    pub(crate) fn of(&self, key: &str) -> dto::Traffic {
        let none =
            || dto::Traffic { requests: 0, failed: 0, spend: NanoUsd::ZERO.into(), latency_ms_p95: None };
        self.0.get(key).cloned().unwrap_or_else(none)
    }

    /// Each group's share of all requests, 0..1.
    pub(crate) fn shares(&self) -> HashMap<String, f64> {
        let all: u32 = self.0.values().map(|traffic| traffic.requests).sum();
        let share = |traffic: &dto::Traffic| f64::from(traffic.requests) / f64::from(all.max(1));
        self.0.iter().map(|(key, traffic)| (key.clone(), share(traffic))).collect()
    }
}

pub(crate) async fn last_24h(
    app: &App,
    group_by: GroupBy,
    operation: Option<OperationId>,
) -> Result<Traffics, AppError> {
    let to = app.now().plus_micros(1);
    let period = Period::of(to.plus_micros(-Step::Day.micros()), to, Step::Hour);
    let store = &app.control().store;
    let rows =
        store.rollups(&RollupQuery { operation: operation.clone(), ..period.rollups(group_by) }).await?;
    let latencies = store.latencies(&LatencyQuery { operation, ..period.latencies(group_by) }).await?;
    let mut by_key: BTreeMap<&str, Vec<&RollupRow>> = BTreeMap::new();
    for row in &rows {
        by_key.entry(&row.key).or_default().push(row);
    }
    let traffic = |(key, rows): (&str, Vec<&RollupRow>)| {
        let figures = figures(rows.into_iter(), latencies.iter().filter(|row| row.key == key));
        let traffic = dto::Traffic {
            requests: figures.requests,
            failed: figures.failed,
            spend: figures.spend,
            latency_ms_p95: figures.latency_ms_p95,
        };
        (key.to_owned(), traffic)
    };
    Ok(Traffics(by_key.into_iter().map(traffic).collect()))
}

/// Spend and requests since the start of the UTC day.
pub(crate) async fn today(app: &App) -> Result<(NanoUsd, i64), AppError> {
    let now = app.now();
    let period = Period::of(now, now.plus_micros(1), Step::Day);
    let rows = app.control().store.rollups(&period.rollups(GroupBy::Total)).await?;
    let mut sums = Sums::default();
    for row in &rows {
        sums.add(&row.sums);
    }
    Ok((NanoUsd::from_nanos(sums.cost_nano_usd), sums.requests))
}
