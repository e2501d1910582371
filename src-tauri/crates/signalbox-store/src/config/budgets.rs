//! Budgets as they are configured, and adjustments of what they were charged.

use signalbox_core::budget::{Action, Budget, Period, PurseKey, Zone};
use signalbox_core::change::Change;
use signalbox_core::ids::BudgetId;
use signalbox_core::money::NanoUsd;
use uuid::Uuid;

use super::VersionOf;
use crate::dialect::within;
use crate::error::{StoreError, during};
use crate::pools::Transaction;
use crate::values::{JsonText, clean, json, label, number, parsed, valid, word};

#[derive(sqlx::FromRow)]
struct Row {
    id: Uuid,
    name: String,
    scope: JsonText,
    period: String,
    zone: String,
    limits: JsonText,
    thresholds: JsonText,
    action: String,
    overrun_percent: i64,
    enabled: bool,
    version: i64,
}

pub(super) async fn all(transaction: &mut Transaction) -> Result<Vec<Budget>, StoreError> {
    let rows: Vec<Row> = within!(transaction, connection => sqlx::query_as(
        "SELECT id, name, scope, period, zone, limits, thresholds, action, overrun_percent, enabled, version \
         FROM budgets ORDER BY id",
    )
    .fetch_all(connection)
    .await)
    .map_err(during("read budgets"))?;
    rows.into_iter()
        .map(|row| {
            Ok(Budget {
                id: BudgetId::from_uuid(row.id),
                name: row.name,
                scope: parsed("budgets.scope", &row.scope)?,
                period: word("budgets.period", &row.period, Period::from_word)?,
                zone: valid("budgets.zone", Zone::new(&row.zone))?,
                limits: parsed("budgets.limits", &row.limits)?,
                thresholds: parsed("budgets.thresholds", &row.thresholds)?,
                action: word("budgets.action", &row.action, Action::from_word)?,
                overrun_percent: number("budgets.overrun_percent", row.overrun_percent)?,
                enabled: row.enabled,
                version: number("budgets.version", row.version)?,
            })
        })
        .collect()
}

pub(super) async fn put(
    transaction: &mut Transaction,
    budget: &Budget,
    base_version: Option<u32>,
) -> Result<(), StoreError> {
    let (limits, thresholds) = (json(&budget.limits)?, json(&budget.thresholds)?);
    let name = clean(&budget.name).into_owned();
    let written = match base_version {
        None => within!(transaction, connection => sqlx::query(
            "INSERT INTO budgets (id, name, scope, period, zone, limits, thresholds, action, overrun_percent, enabled, \
             version) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (id) DO NOTHING",
        )
        .bind(budget.id.as_uuid())
        .bind(name)
        .bind(json(&budget.scope)?)
        .bind(budget.period.as_str())
        .bind(budget.zone.as_str())
        .bind(limits)
        .bind(thresholds)
        .bind(budget.action.as_str())
        .bind(i64::from(budget.overrun_percent))
        .bind(budget.enabled)
        .bind(i64::from(budget.version))
        .execute(connection)
        .await
        .map(|done| done.rows_affected())),
        // Scope, period and zone stay: what was counted would mean something else.
        Some(base) => within!(transaction, connection => sqlx::query(
            "UPDATE budgets SET name = $1, limits = $2, thresholds = $3, action = $4, overrun_percent = $5, \
             enabled = $6, version = $7 WHERE id = $8 AND version = $9",
        )
        .bind(name)
        .bind(limits)
        .bind(thresholds)
        .bind(budget.action.as_str())
        .bind(i64::from(budget.overrun_percent))
        .bind(budget.enabled)
        .bind(i64::from(budget.version))
        .bind(budget.id.as_uuid())
        .bind(i64::from(base))
        .execute(connection)
        .await
        .map(|done| done.rows_affected())),
    }
    .map_err(during("store a budget"))?;
    match (written, base_version) {
        (1.., _) => Ok(()),
        (0, None) => Err(StoreError::AlreadyExists { kind: "budget", subject: budget.id.to_string() }),
        (0, Some(_)) => Err(VersionOf::Budget(budget.id).refusal(transaction).await),
    }
}

pub(super) async fn remove(
    transaction: &mut Transaction,
    id: BudgetId,
    base_version: u32,
) -> Result<(), StoreError> {
    let removed = within!(transaction, connection => sqlx::query(
        "DELETE FROM budgets WHERE id = $1 AND version = $2",
    )
    .bind(id.as_uuid())
    .bind(i64::from(base_version))
    .execute(connection)
    .await
    .map(|done| done.rows_affected()))
    .map_err(during("remove a budget"))?;
    if removed == 0 { Err(VersionOf::Budget(id).refusal(transaction).await) } else { Ok(()) }
}

pub(super) async fn adjust(
    transaction: &mut Transaction,
    purse: &PurseKey,
    amount: NanoUsd,
    change: &Change,
) -> Result<(), StoreError> {
    let reason = change.reason.as_deref().unwrap_or_default();
    within!(transaction, connection => sqlx::query(
        "INSERT INTO budget_adjustments (change_id, at, budget_id, start_at, member, cost_nano_usd, actor, reason) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(change.id.as_uuid())
    .bind(change.at.as_micros())
    .bind(purse.budget.as_uuid())
    .bind(purse.start.as_micros())
    .bind(purse.member.as_str())
    .bind(amount.as_nanos())
    .bind(label(&change.actor).into_owned())
    .bind(clean(reason).into_owned())
    .execute(connection)
    .await
    .map(drop))
    .map_err(during("adjust a budget"))
}
