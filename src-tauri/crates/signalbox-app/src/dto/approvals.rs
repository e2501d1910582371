//! The queue of what waits for a person, and what became of it.

use serde::{Deserialize, Serialize};
use specta::Type;

use super::{BudgetAction, Counter, Instant, JsonText, Money, Tag};

/// Which part of the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum ApprovalList {
    /// What waits: the riskiest first, and of those the oldest.
    #[default]
    Pending,
    /// What no longer waits: the last step first.
    Decided,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct ApprovalPage {
    pub rows: Vec<ApprovalRow>,
    /// Where the next page begins; absent on the last one.
    pub next: Option<String>,
    pub pending: u32,
    /// Decided by people within the last seven days.
    pub decided_this_week: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum ApprovalKind {
    Request,
    Change,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum ApprovalState {
    Pending,
    Approved,
    Rejected,
    Expired,
    Withdrawn,
    Consumed,
    Applied,
    Failed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum Risk {
    Low,
    Medium,
    High,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct ApprovalRow {
    pub id: String,
    /// SHA-256 over everything that is agreed to; sent back with the decision.
    pub hash: String,
    pub kind: ApprovalKind,
    pub state: ApprovalState,
    pub risk: Risk,
    /// The operation, or what would change.
    pub subject: String,
    /// In one line, e.g. "`chat_message` for crm at deepseek/deepseek-chat".
    pub sentence: String,
    /// Where a request goes first; `provider/model`.
    pub target: Option<String>,
    /// The most a request may cost; absent when nobody knows, and for changes.
    pub max_cost: Option<Money>,
    /// What a change costs (or, negative, saves) in a month; absent when that cannot be said, and for requests.
    pub monthly_impact: Option<Money>,
    pub submitter: String,
    /// By which way it came, in words.
    pub origin: String,
    pub created_at: Instant,
    pub expires_at: Instant,
    /// How often the identical request came again.
    pub repeats: u32,
    /// Whether it is the caller's own.
    pub own: bool,
    pub decided_by: Option<String>,
    pub decided_at: Option<Instant>,
    /// Why it was decided so, or what became of it.
    pub reason: Option<String>,
    /// The target it was approved for instead.
    pub decided_target: Option<String>,
    /// The request that used it.
    pub request_id: Option<String>,
    /// Until when the decision can be taken back.
    pub undo_until: Option<Instant>,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct ApprovalDetail {
    pub row: ApprovalRow,
    /// The request exactly as it was hashed, hidden characters made visible; absent once nothing can come of it.
    pub shown: Option<String>,
    /// `POST`, and where the program sent it.
    pub method: Option<String>,
    pub path: Option<String>,
    /// Why a person is asked, in sentences.
    pub reasons: Vec<String>,
    /// Where it may go, in order.
    pub targets: Vec<String>,
    pub parameters: Vec<Tag>,
    pub user: Option<String>,
    pub tags: Vec<Tag>,
    pub tokens_in: Option<u32>,
    /// What it would do to the budgets that pay for it, as they stand now; empty when nothing can come of it any more.
    pub budgets: Vec<BudgetEffect>,
    /// The last one like it that was approved.
    pub previous: Option<PreviousApproval>,
    /// Where it could go instead.
    pub other_targets: Vec<String>,
    pub change: Option<AskedChange>,
    pub may_decide: MayDecide,
}

/// What a request would do to one limit of a budget, if it came to the most it can.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct BudgetEffect {
    pub budget_id: String,
    pub name: String,
    /// The user or operation; empty where all share one.
    pub member: String,
    pub action: BudgetAction,
    /// What is counted: `cost` (nano-dollars), `tokens` or `requests`.
    pub measure: String,
    /// Used, and held by requests that run.
    pub before: Counter,
    /// Absent when nobody knows what it may cost.
    pub after: Option<Counter>,
    pub limit: Counter,
    /// Whether it would pass the limit.
    pub passes: bool,
}

/// The last approval of the same operation for the same submitter, and in what this one differs.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct PreviousApproval {
    pub id: String,
    pub decided_by: String,
    pub decided_at: Instant,
    pub differences: Vec<ApprovalDifference>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct ApprovalDifference {
    /// What, e.g. `max_tokens`.
    pub name: String,
    pub before: Option<String>,
    pub after: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct AskedChange {
    /// As in the change history, e.g. `route`.
    pub kind: String,
    pub before: Option<JsonText>,
    pub after: Option<JsonText>,
    /// What it would have meant for the last 30 days.
    pub impact: Option<JsonText>,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct MayDecide {
    pub allowed: bool,
    /// Why not.
    pub why: Option<String>,
}

/// Yes to what was shown.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct ApproveInput {
    pub id: String,
    /// [`ApprovalRow::hash`] of what was shown.
    pub hash: String,
    /// Another target than asked for.
    pub target: Option<String>,
    pub reason: Option<String>,
}

/// No to what was shown.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct RejectInput {
    pub id: String,
    /// [`ApprovalRow::hash`] of what was shown.
    pub hash: String,
    /// Whoever asked is told.
    pub reason: String,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct WithdrawInput {
    pub id: String,
    pub reason: Option<String>,
}

/// When a route's requests need a person. Any of the conditions is enough.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct ApprovalPolicy {
    pub always: bool,
    /// Requests that may cost more than this; absent: the cost does not matter.
    pub above: Option<Money>,
    /// Requests whose budgets have passed their warning.
    pub budget_warned: bool,
    /// A CEL rule over the request, e.g. `operation.criticality == "high" && estimate_usd > 0.5`.
    pub rule: Option<String>,
    /// How long the client is kept waiting before it is told to come back.
    pub hold_s: u32,
    /// How long an approval can be decided and used.
    pub expires_s: u32,
}
