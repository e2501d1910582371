//! Budgets: limits on what may be used, and how they stand.

use serde::{Deserialize, Serialize};
use specta::Type;

use super::{Counter, Instant, Money, Problem};

/// Whose use a budget counts. For `each_user` and `each_operation` each of them has a purse of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum BudgetScopeKind {
    Global,
    Operation,
    User,
    Key,
    Provider,
    Model,
    Tag,
    EachUser,
    EachOperation,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct BudgetScope {
    pub kind: BudgetScopeKind,
    /// The operation, user, key's id, provider, `provider/model` or `label=value`; absent where there is none.
    pub value: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum BudgetPeriod {
    Day,
    Week,
    Month,
    Total,
}

/// What becomes of a request for which not enough is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum BudgetAction {
    Notify,
    Downgrade,
    RequireApproval,
    Block,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum ThresholdSeverity {
    Info,
    Warning,
    Critical,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct BudgetThreshold {
    pub percent: u32,
    pub severity: ThresholdSeverity,
}

/// At least one is set.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(default)]
pub struct BudgetLimits {
    pub cost: Option<Money>,
    pub tokens: Option<Counter>,
    pub requests: Option<Counter>,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct BudgetList {
    /// The most general first.
    pub budgets: Vec<Budget>,
    /// What is far above the usual today.
    pub anomalies: Vec<SpendAnomaly>,
    pub at: Instant,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct Budget {
    pub id: String,
    pub name: String,
    pub scope: BudgetScope,
    /// For a person, e.g. `operation chat_message`.
    pub scope_words: String,
    pub period: BudgetPeriod,
    pub zone: String,
    pub limits: BudgetLimits,
    pub thresholds: Vec<BudgetThreshold>,
    pub action: BudgetAction,
    pub overrun_percent: u32,
    pub enabled: bool,
    pub version: u32,
    /// What it does at its limit and by how much it can be passed, in plain words.
    pub promise: String,
    /// How it stands; absent for a budget of each user or operation, whose members have one each.
    pub purse: Option<BudgetPurse>,
    /// How many have a purse of their own in this period.
    pub members: u32,
    /// Thousandths of the fullest limit that is used or held, of all its purses. 0 and up.
    pub used_permille: u32,
}

/// One period of a budget, or of one of its members.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct BudgetPurse {
    pub budget: String,
    /// The user or operation; empty where all share one.
    pub member: String,
    pub from: Instant,
    /// Absent when it never ends.
    pub to: Option<Instant>,
    pub settled: Money,
    /// Held by requests that run.
    pub reserved: Money,
    /// Absent without a limit of money. Never negative.
    pub left: Option<Money>,
    pub tokens: Counter,
    pub requests: Counter,
    /// Thousandths of the fullest limit that is used or held.
    pub used_permille: u32,
    pub forecast: Option<BudgetForecast>,
    /// Of all budgets that stop spending it has the least left.
    pub binding: bool,
    /// A more general budget has less left and refuses first: its name.
    pub bound_by: Option<String>,
}

/// What will have been spent when the period ends, in four of five cases between `low` and `high`.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct BudgetForecast {
    pub expected: Money,
    pub low: Money,
    pub high: Money,
    pub basis: ForecastBasis,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum ForecastBasis {
    Pace,
    Daily,
    Weekly,
    Periods,
}

/// Far more than usual today.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct SpendAnomaly {
    /// `spend`, `requests` or `tokens`.
    pub measure: String,
    /// Only that operation's, if it is one's.
    pub operation: Option<String>,
    /// Only that user's, if it is one's.
    pub user: Option<String>,
    pub sentence: String,
    /// The requests behind it began since.
    pub since: Instant,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct BudgetDetail {
    pub budget: Budget,
    /// Of the member that was asked for, else of the budget; absent for a budget of each without a member.
    pub purse: Option<BudgetPurse>,
    /// Of the member that was asked for, else of the budget; newest first, the one that runs included.
    pub periods: Vec<BudgetPeriodRow>,
    /// Largest first; at most 200.
    pub holds: Vec<BudgetHold>,
    /// Newest first.
    pub adjustments: Vec<BudgetAdjustment>,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct BudgetPeriodRow {
    pub member: String,
    pub from: Instant,
    pub to: Option<Instant>,
    pub settled: Money,
    pub tokens: Counter,
    pub requests: Counter,
    /// Thousandths of the fullest limit that was used, by the limits of today.
    pub used_permille: u32,
}

/// What a request that runs holds.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct BudgetHold {
    pub request_id: String,
    pub operation: String,
    pub user: Option<String>,
    pub amount: Money,
    pub since: Instant,
}

/// A correction by a person.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct BudgetAdjustment {
    pub at: Instant,
    pub by: String,
    /// Negative gives back.
    pub amount: Money,
    pub member: String,
    pub period_from: Instant,
    pub reason: String,
}

/// A budget as a person wants it.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct BudgetDraft {
    /// Absent for a new one.
    pub id: Option<String>,
    /// The version it was edited from.
    pub base_version: Option<u32>,
    pub name: String,
    pub scope: BudgetScope,
    pub period: BudgetPeriod,
    /// An IANA name; absent: UTC.
    pub zone: Option<String>,
    pub limits: BudgetLimits,
    pub thresholds: Vec<BudgetThreshold>,
    pub action: BudgetAction,
    pub overrun_percent: u32,
    pub enabled: bool,
    pub reason: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct BudgetRemoval {
    pub id: String,
    /// The version it was seen at.
    pub base_version: u32,
    pub reason: Option<String>,
}

/// What a draft would do. Nothing is written.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct BudgetPreview {
    /// What keeps it from being applied.
    pub problems: Vec<Problem>,
    /// What changes, in words; empty when nothing does.
    pub sentences: Vec<String>,
    pub promise: String,
    /// What a person should know before it is applied, e.g. that it lies below what is used already.
    pub warnings: Vec<String>,
    /// The last whole period replayed; absent where that says nothing.
    pub last_period: Option<BudgetReplay>,
}

/// What the budget would have done in a period that is over, by the requests of the ledger.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct BudgetReplay {
    pub from: Instant,
    pub to: Instant,
    pub requests: u32,
    pub spent: Money,
    /// Requests it would not have let through as they were.
    pub refused: u32,
    /// What those cost.
    pub refused_cost: Money,
    pub first_refused_at: Option<Instant>,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct BudgetAdjustInput {
    pub id: String,
    /// The user or operation; empty where all share one.
    pub member: String,
    /// Nano-dollars; negative gives back.
    pub amount: Money,
    pub reason: String,
}

/// "Why was I refused?"
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct BudgetRefusal {
    pub request_id: String,
    pub at: Instant,
    /// Absent when the budget was removed since.
    pub budget_id: Option<String>,
    pub budget_name: String,
    pub member: String,
    pub action: BudgetAction,
    /// What there was not enough of: `cost`, `tokens` or `requests`.
    pub measure: String,
    /// Nano-dollars, tokens or requests, as `measure` says.
    pub limit: Counter,
    pub left: Counter,
    pub needed: Counter,
    pub resets_at: Option<Instant>,
    /// Requests that held the most at that moment.
    pub holders: Vec<BudgetHold>,
}

/// By what a history of spend is split.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum SpendSplit {
    Operation,
    User,
    Provider,
    Model,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct SpendHistoryQuery {
    pub split: SpendSplit,
    /// Only this operation, user, provider or `provider/model`.
    pub only: Option<String>,
    /// 7, 30 or 90.
    pub days: u32,
}

/// Spend by day, of those who spent most.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct SpendHistory {
    /// Start of each UTC day, without gaps; today last.
    pub days: Vec<Instant>,
    /// Largest first; at most 50.
    pub series: Vec<SpendSeries>,
    /// Of everybody, also those past the 50.
    pub total: Money,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct SpendSeries {
    /// Empty for requests that name no user or reached no target.
    pub key: String,
    /// One entry per day.
    pub spend: Vec<Money>,
    pub requests: Vec<u32>,
    pub total: Money,
    pub total_requests: Counter,
}

/// The budget to keep an eye on, for the status bar.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct BudgetGlance {
    pub id: String,
    pub name: String,
    pub period: BudgetPeriod,
    pub limit: Money,
    pub settled: Money,
    pub reserved: Money,
    pub used_permille: u32,
    pub stops: bool,
    /// What will have been spent when the period ends, if it goes on like this.
    pub expected: Option<Money>,
}
