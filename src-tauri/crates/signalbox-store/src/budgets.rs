//! What budgets were charged: purses, postings, adjustments.

use signalbox_core::budget::{Adjustment, Amount, Member, Posting, PurseKey};
use signalbox_core::ids::{BudgetId, ChangeId, OperationId, RequestId};
use signalbox_core::money::NanoUsd;
use signalbox_core::route::Target;
use signalbox_core::time::Timestamp;
use uuid::Uuid;

use crate::Store;
use crate::dialect::{reading, within};
use crate::error::{StoreError, during};
use crate::pools::Transaction;
use crate::values::{number, valid};

const OPERATION: &str = "read budgets";

/// How long an answer was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswerSize {
    /// The kind of work.
    pub operation: OperationId,
    /// Who answered.
    pub target: Target,
    /// Tokens written.
    pub tokens: u64,
}

#[derive(sqlx::FromRow)]
struct PurseRow {
    budget_id: Uuid,
    start_at: i64,
    member: String,
    cost_nano_usd: i64,
    tokens: i64,
    requests: i64,
}

impl PurseRow {
    fn into_purse(self) -> Result<(PurseKey, Amount), StoreError> {
        let key = PurseKey {
            budget: BudgetId::from_uuid(self.budget_id),
            member: Member::named(&self.member),
            start: Timestamp::from_micros(self.start_at),
        };
        let amount = Amount {
            cost: NanoUsd::from_nanos(self.cost_nano_usd),
            tokens: number("budget_periods.tokens", self.tokens)?,
            requests: number("budget_periods.requests", self.requests)?,
        };
        Ok((key, amount))
    }
}

impl Store {
    /// What a budget was charged in each period that began at or after `from` and before `to`, for each of its members, in
    /// the order of time. Adjustments are not in it.
    pub async fn purses(
        &self,
        budget: BudgetId,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<(PurseKey, Amount)>, StoreError> {
        let rows: Vec<PurseRow> = reading!(self, pool => sqlx::query_as(
            "SELECT budget_id, start_at, member, cost_nano_usd, tokens, requests FROM budget_periods \
             WHERE budget_id = $1 AND start_at >= $2 AND start_at < $3 ORDER BY start_at, member",
        )
        .bind(budget.as_uuid())
        .bind(from.as_micros())
        .bind(to.as_micros())
        .fetch_all(pool)
        .await)
        .map_err(during(OPERATION))?;
        rows.into_iter().map(PurseRow::into_purse).collect()
    }

    /// What one member of a budget was charged in its latest periods, the newest first, at most `limit`. Adjustments are not
    /// in it.
    pub async fn purses_of(
        &self,
        budget: BudgetId,
        member: &Member,
        limit: u32,
    ) -> Result<Vec<(PurseKey, Amount)>, StoreError> {
        let rows: Vec<PurseRow> = reading!(self, pool => sqlx::query_as(
            "SELECT budget_id, start_at, member, cost_nano_usd, tokens, requests FROM budget_periods \
             WHERE budget_id = $1 AND member = $2 ORDER BY start_at DESC LIMIT $3",
        )
        .bind(budget.as_uuid())
        .bind(member.as_str())
        .bind(i64::from(limit))
        .fetch_all(pool)
        .await)
        .map_err(during(OPERATION))?;
        rows.into_iter().map(PurseRow::into_purse).collect()
    }

    /// What admins added to a budget's purses or took off, oldest first; `None`: of every budget.
    pub async fn adjustments(&self, budget: Option<BudgetId>) -> Result<Vec<Adjustment>, StoreError> {
        #[derive(sqlx::FromRow)]
        struct Row {
            change_id: Uuid,
            at: i64,
            budget_id: Uuid,
            start_at: i64,
            member: String,
            cost_nano_usd: i64,
            actor: String,
            reason: String,
        }
        let rows: Vec<Row> = reading!(self, pool => sqlx::query_as(
            "SELECT change_id, at, budget_id, start_at, member, cost_nano_usd, actor, reason FROM budget_adjustments \
             WHERE $1 OR budget_id = $2 ORDER BY at, change_id",
        )
        .bind(budget.is_none())
        .bind(budget.map(BudgetId::as_uuid))
        .fetch_all(pool)
        .await)
        .map_err(during(OPERATION))?;
        let adjustment = |row: Row| Adjustment {
            change: ChangeId::from_uuid(row.change_id),
            at: Timestamp::from_micros(row.at),
            purse: PurseKey {
                budget: BudgetId::from_uuid(row.budget_id),
                member: Member::named(&row.member),
                start: Timestamp::from_micros(row.start_at),
            },
            amount: NanoUsd::from_nanos(row.cost_nano_usd),
            actor: row.actor,
            reason: row.reason,
        };
        Ok(rows.into_iter().map(adjustment).collect())
    }

    /// The latest answers that came at the first try, newest first, at most `limit`.
    pub async fn answer_sizes(&self, limit: u32) -> Result<Vec<AnswerSize>, StoreError> {
        let rows: Vec<(String, String, String, i64)> = reading!(self, pool => sqlx::query_as(
            "SELECT operation, provider, model, tokens_out FROM requests \
             WHERE outcome = 'succeeded' AND attempts = 1 ORDER BY started_at DESC, id DESC LIMIT $1",
        )
        .bind(i64::from(limit))
        .fetch_all(pool)
        .await)
        .map_err(during("read the lengths of answers"))?;
        let size = |(operation, provider, model, tokens): (String, String, String, i64)| {
            let target = Target {
                provider: valid("requests.provider", provider.parse())?,
                model: valid("requests.model", model.parse())?,
            };
            let operation = valid("requests.operation", OperationId::new(&operation))?;
            Ok(AnswerSize { operation, target, tokens: number("requests.tokens_out", tokens)? })
        };
        rows.into_iter().map(size).collect()
    }
}

/// What a request was charged, purse by purse.
pub(crate) async fn postings_of(
    transaction: &mut Transaction,
    request: RequestId,
) -> Result<Vec<Posting>, StoreError> {
    let rows: Vec<PurseRow> = within!(transaction, connection => sqlx::query_as(
        "SELECT budget_id, start_at, member, cost_nano_usd, tokens, requests FROM budget_postings \
         WHERE request_id = $1 ORDER BY budget_id, member, start_at",
    )
    .bind(request.as_uuid())
    .fetch_all(connection)
    .await)
    .map_err(during(OPERATION))?;
    let posting = |row: PurseRow| row.into_purse().map(|(purse, amount)| Posting { purse, amount });
    rows.into_iter().map(posting).collect()
}
