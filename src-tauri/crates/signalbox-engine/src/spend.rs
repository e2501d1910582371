//! What is spent hour by hour, beside what was usual: forecasts, anomalies, and telling of them once each.

use std::collections::{HashMap, HashSet};
use std::sync::Weak;
use std::time::Duration;

use signalbox_core::alert::AlertKind;
use signalbox_core::anomaly::{Anomaly, Measure, anomaly};
use signalbox_core::budget::{Amount, Budget, Member, PurseKey, Scope, Window};
use signalbox_core::forecast::{Basis, Forecast, forecast, from_periods};
use signalbox_core::hours::{DAY_HOURS, HISTORY_HOURS, Hours};
use signalbox_core::ids::BudgetId;
use signalbox_core::money::NanoUsd;
use signalbox_core::rollup::Step;
use signalbox_core::time::Timestamp;
use signalbox_store::{SpendBy, SpendQuery, SpendRow, Store, StoreError};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::engine::Engine;
use crate::error::EngineError;
use crate::ledger::error_chain;
use crate::standing::{self, Standing};

/// How often it is looked at what is spent, besides after every change of the configuration. Units: microseconds.
const LOOK_EVERY_US: i64 = Step::Hour.micros();
/// How often it is seen whether that time has come.
const CHECK_EVERY: Duration = Duration::from_mins(1);
/// Hours of history of users, of whom there may be many: a week and the day that runs.
const USER_HOURS: usize = 8 * DAY_HOURS;
/// Periods before the running one that a forecast is made from, where sums per hour are not kept.
const EARLIER_PERIODS: u32 = 28;
/// States that were told of and are remembered; past that all are forgotten, and told of once more.
const TOLD_MAX: usize = 10_000;

/// Whose spend it is.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Spender {
    /// Everybody's.
    Everybody,
    /// One operation's.
    Operation(String),
    /// One user's.
    User(String),
}

impl Spender {
    /// What a sentence about it begins with.
    pub fn in_words(&self) -> &str {
        match self {
            Self::Everybody => "All traffic",
            Self::Operation(name) | Self::User(name) => name,
        }
    }
}

/// Spend per hour of the last four weeks, by whom and on what.
#[derive(Debug)]
pub struct SpendHistory {
    at: Timestamp,
    operations: HashMap<String, Vec<SpendRow>>,
    providers: HashMap<String, Vec<SpendRow>>,
    models: HashMap<String, Vec<SpendRow>>,
    users: HashMap<String, Vec<SpendRow>>,
    /// Of keys and labels, by which no sums per hour are kept: what their budgets were charged in earlier periods.
    periods: HashMap<BudgetId, Vec<(PurseKey, Amount)>>,
}

/// Something to tell a person, once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What kind of thing.
    pub kind: AlertKind,
    /// The budget's id, the operation, the user, or all traffic.
    pub subject: String,
    /// Which state: the same key is the same state.
    pub key: String,
    /// In a sentence.
    pub sentence: String,
}

impl SpendHistory {
    /// Reads it as it is at `now`.
    pub async fn read(store: &Store, budgets: &[Budget], now: Timestamp) -> Result<Self, StoreError> {
        let by = async |by, hours| {
            let hours = i64::try_from(hours).unwrap_or(0);
            let from = now.plus_micros(-hours * Step::Hour.micros());
            let query = SpendQuery { step: Step::Hour, from, to: now.plus_micros(1), by, only: None };
            let mut keyed: HashMap<String, Vec<SpendRow>> = HashMap::new();
            for row in store.spend(&query).await? {
                keyed.entry(row.key.clone()).or_default().push(row);
            }
            Ok::<_, StoreError>(keyed)
        };
        let mut periods = HashMap::new();
        for budget in budgets.iter().filter(|budget| is_told_from_periods(&budget.scope)) {
            let purses = store.purses_of(budget.id, &Member::everyone(), EARLIER_PERIODS + 1).await?;
            periods.insert(budget.id, purses);
        }
        Ok(Self {
            at: now,
            periods,
            operations: by(SpendBy::Operation, HISTORY_HOURS).await?,
            providers: by(SpendBy::Provider, HISTORY_HOURS).await?,
            models: by(SpendBy::Model, HISTORY_HOURS).await?,
            users: by(SpendBy::User, USER_HOURS).await?,
        })
    }

    /// When it was read.
    pub const fn at(&self) -> Timestamp {
        self.at
    }

    /// What a purse will have been charged when its period ends; `None` when it never does, or with too little history.
    pub fn forecast(&self, budget: &Budget, purse: &Standing) -> Option<Forecast> {
        let until = purse.window.end?;
        let used = purse.spent();
        let of = |map: &HashMap<String, Vec<SpendRow>>, key: &str| {
            map.get(key).map(|rows| self.hours(rows.iter(), Measure::Spend))
        };
        let member = &purse.key.member;
        let hours = match &budget.scope {
            Scope::Global => Some(self.hours(self.operations.values().flatten(), Measure::Spend)),
            Scope::Operation(operation) => of(&self.operations, operation.as_str()),
            Scope::EachOperation => of(&self.operations, member.as_str()),
            Scope::User(user) => of(&self.users, user.as_str()),
            Scope::EachUser => of(&self.users, member.as_str()),
            Scope::Provider(provider) => of(&self.providers, provider.as_str()),
            Scope::Model(target) => of(&self.models, &target.to_string()),
            Scope::Key(_) | Scope::Tag(_) => {
                let earlier = earlier(budget, self.periods.get(&budget.id)?, purse.window);
                return from_periods(&earlier, used, self.at, (purse.window.start, until));
            }
        }?;
        forecast(&hours, used, self.at, until)
    }

    /// Who is far above the usual today, in the order of names. What one operation accounts for is not told of all
    /// traffic once more.
    pub fn anomalies(&self) -> Vec<(Spender, Anomaly)> {
        let mut found = Vec::new();
        for (operation, rows) in &self.operations {
            found.extend(self.anomalies_of(rows).map(|it| (Spender::Operation(operation.clone()), it)));
        }
        let told: HashSet<Measure> = found.iter().map(|(_, anomaly)| anomaly.measure).collect();
        let all: Vec<SpendRow> = self.operations.values().flatten().cloned().collect();
        let of_all = self.anomalies_of(&all).filter(|anomaly| !told.contains(&anomaly.measure));
        found.extend(of_all.map(|anomaly| (Spender::Everybody, anomaly)));
        for (user, rows) in self.users.iter().filter(|(user, _)| !user.is_empty()) {
            found.extend(self.anomalies_of(rows).map(|it| (Spender::User(user.clone()), it)));
        }
        found.sort_by(|(left, a), (right, b)| (left, a.measure).cmp(&(right, b.measure)));
        found
    }

    fn anomalies_of(&self, rows: &[SpendRow]) -> impl Iterator<Item = Anomaly> {
        let midnight = self.at.floor_to(Step::Day.micros());
        Measure::ALL.into_iter().filter_map(move |measure| {
            let today = rows.iter().filter(|row| row.start >= midnight);
            let today = today.fold(0_i64, |sum, row| sum.saturating_add(amount(row, measure)));
            // Most are quiet: that is seen without laying out four weeks of hours.
            (today >= measure.excess_min()).then(|| anomaly(measure, &self.hours(rows.iter(), measure)))?
        })
    }

    fn hours<'a>(&self, rows: impl Iterator<Item = &'a SpendRow>, measure: Measure) -> Hours {
        Hours::new(rows.map(|row| (row.start, amount(row, measure))), self.at)
    }

    /// What a person should know, given how the budgets stand.
    pub fn findings(&self, budgets: &[Budget], standing: &[Standing]) -> Vec<Finding> {
        let day = self.at.floor_to(Step::Day.micros());
        let mut findings: Vec<Finding> = self
            .anomalies()
            .into_iter()
            .map(|(spender, anomaly)| Finding {
                kind: match anomaly.measure {
                    Measure::Tokens => AlertKind::TokenSpike,
                    Measure::Spend | Measure::Requests => AlertKind::Anomaly,
                },
                key: format!("{} {} {day}", anomaly.measure.as_str(), spender.in_words()),
                sentence: anomaly.sentence(spender.in_words()),
                subject: spender.in_words().to_owned(),
            })
            .collect();
        let budgets: HashMap<_, _> = budgets.iter().map(|budget| (budget.id, budget)).collect();
        findings.extend(
            standing
                .iter()
                .filter_map(|purse| self.overspend(budgets.get(&purse.key.budget).copied()?, purse)),
        );
        findings
    }

    /// That a budget will not last, if spending goes on like this; nothing once it has been passed: that is told otherwise.
    fn overspend(&self, budget: &Budget, purse: &Standing) -> Option<Finding> {
        let limit = budget.limits.cost.filter(|_| budget.enabled)?;
        let used = purse.spent();
        let foretold = self.forecast(budget, purse)?;
        let sure = match foretold.basis {
            // A few hours say little: only when even the low end is too much.
            Basis::Pace => foretold.low,
            Basis::Daily | Basis::Weekly | Basis::Periods => foretold.expected,
        };
        if used >= limit || sure <= limit {
            return None;
        }
        let whose = if purse.key.member.is_everyone() {
            budget.name.clone()
        } else {
            format!("{} ({})", budget.name, purse.key.member)
        };
        let until = purse.window.end.map(Timestamp::to_the_minute).unwrap_or_default();
        Some(Finding {
            kind: AlertKind::OverspendForecast,
            subject: budget.id.to_string(),
            key: format!("{} {} {}", budget.id, purse.key.member, purse.key.start),
            sentence: format!(
                "{whose} will have spent {} of {} by {until} if it goes on like this, in four of five cases between {} and {}.",
                foretold.expected.in_dollars(),
                limit.in_dollars(),
                foretold.low.in_dollars(),
                foretold.high.in_dollars(),
            ),
        })
    }
}

/// Whether no sums per hour are kept by a scope, so that a forecast is made from whole periods.
const fn is_told_from_periods(scope: &Scope) -> bool {
    matches!(scope, Scope::Key(_) | Scope::Tag(_))
}

/// What each period before the running one came to, since the first in which anything was charged; the latest first.
fn earlier(budget: &Budget, purses: &[(PurseKey, Amount)], running: Window) -> Vec<NanoUsd> {
    let Some(first) = purses.iter().map(|(key, _)| key.start).min() else { return Vec::new() };
    let charged: HashMap<Timestamp, NanoUsd> =
        purses.iter().map(|(key, amount)| (key.start, amount.cost)).collect();
    let before = |start: &Timestamp| Some(budget.window(start.plus_micros(-1)).start);
    std::iter::successors(before(&running.start), before)
        .take_while(|start| *start >= first)
        .take(usize::try_from(EARLIER_PERIODS).unwrap_or(usize::MAX))
        .map(|start| charged.get(&start).copied().unwrap_or_default())
        .collect()
}

const fn amount(row: &SpendRow, measure: Measure) -> i64 {
    match measure {
        Measure::Spend => row.cost_nano_usd,
        Measure::Requests => row.requests,
        Measure::Tokens => row.tokens,
    }
}

/// States that were told of.
#[derive(Debug, Default)]
pub struct Told(HashSet<(AlertKind, String)>);

impl Told {
    /// Those that were not told of yet; from now on they are.
    pub fn news(&mut self, findings: Vec<Finding>) -> Vec<Finding> {
        if self.0.len() > TOLD_MAX {
            self.0.clear();
        }
        findings.into_iter().filter(|finding| self.0.insert((finding.kind, finding.key.clone()))).collect()
    }
}

impl Engine {
    /// What a person should know of what is spent now.
    pub async fn look_at_spend(&self) -> Result<Vec<Finding>, EngineError> {
        let now = self.control.now();
        let live = self.live();
        let history = SpendHistory::read(&self.control.store, &live.snapshot.budgets, now).await?;
        let standing = standing::read(&self.control.store, &live.snapshot.budgets, now).await?;
        Ok(history.findings(&live.snapshot.budgets, &standing))
    }
}

/// Looks at what is spent every hour, and within a minute of a change of the configuration, and tells of what is new.
pub(crate) async fn watch(engine: Weak<Engine>, stop: CancellationToken) {
    let mut told = Told::default();
    let mut looked: Option<(Timestamp, i64)> = None;
    let mut tick = tokio::time::interval(CHECK_EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            () = stop.cancelled() => return,
        }
        let Some(engine) = engine.upgrade() else { return };
        let state = (engine.control.now().floor_to(LOOK_EVERY_US), engine.live().snapshot.revision);
        if looked == Some(state) {
            continue;
        }
        match engine.look_at_spend().await {
            Ok(findings) => {
                looked = Some(state);
                for finding in told.news(findings) {
                    engine.alerts.raise(finding.kind, &finding.subject, &finding.key, finding.sentence);
                }
            }
            Err(error) => {
                tracing::warn!(error = %error_chain(&error), "what is spent cannot be looked at");
            }
        }
    }
}
