//! Operations and their routes.

use signalbox_core::ids::OperationId;
use signalbox_core::operation::{Capability, Operation};
use signalbox_core::route::{Route, Strategy};
use signalbox_core::snapshot::OperationEntry;
use signalbox_core::time::Timestamp;

use super::VersionOf;
use crate::dialect::within;
use crate::error::{StoreError, during};
use crate::pools::Transaction;
use crate::values::{JsonText, clean, json, number, or_default, parsed, valid, word};

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    description: String,
    capability: String,
    criticality: String,
    enabled: bool,
    batch_eligible: bool,
    cacheable: bool,
    cache_ttl_s: Option<i64>,
    allowed_providers: Option<JsonText>,
    changed_at: i64,
    version: i64,
    strategy: String,
    targets: JsonText,
    rules: Option<JsonText>,
    balance: Option<JsonText>,
    deadline_ms: Option<i64>,
    approval: Option<JsonText>,
}

pub(super) async fn all(
    transaction: &mut Transaction,
) -> Result<Vec<(OperationEntry, Timestamp)>, StoreError> {
    let rows: Vec<Row> = within!(transaction, connection => sqlx::query_as(
        "SELECT o.id, o.description, o.capability, o.criticality, o.enabled, o.batch_eligible, o.cacheable, \
         o.cache_ttl_s, o.allowed_providers, o.changed_at, r.version, r.strategy, r.targets, r.rules, r.balance, \
         r.deadline_ms, r.approval \
         FROM operations o JOIN routes r ON r.operation = o.id ORDER BY o.id",
    )
    .fetch_all(connection)
    .await)
    .map_err(during("read operations"))?;
    rows.into_iter().map(entry).collect()
}

fn entry(row: Row) -> Result<(OperationEntry, Timestamp), StoreError> {
    let id = valid("operations.id", OperationId::new(&row.id))?;
    let operation = Operation {
        id: id.clone(),
        description: row.description,
        capability: word("operations.capability", &row.capability, Capability::from_word)?,
        criticality: word("operations.criticality", &row.criticality, super::criticality_from_word)?,
        enabled: row.enabled,
        batch_eligible: row.batch_eligible,
        cacheable: row.cacheable,
        cache_ttl_s: row.cache_ttl_s.map(|ttl| number("operations.cache_ttl_s", ttl)).transpose()?,
        allowed_providers: or_default("operations.allowed_providers", row.allowed_providers.as_ref())?,
    };
    let route = Route {
        operation: id,
        version: number("routes.version", row.version)?,
        strategy: word("routes.strategy", &row.strategy, Strategy::from_word)?,
        targets: parsed("routes.targets", &row.targets)?,
        rules: or_default("routes.rules", row.rules.as_ref())?,
        balance: or_default("routes.balance", row.balance.as_ref())?,
        deadline_ms: row.deadline_ms.map(|deadline| number("routes.deadline_ms", deadline)).transpose()?,
        approval: row.approval.as_ref().map(|policy| parsed("routes.approval", policy)).transpose()?,
    };
    Ok((OperationEntry { operation, route }, Timestamp::from_micros(row.changed_at)))
}

pub(super) async fn put(
    transaction: &mut Transaction,
    operation: &Operation,
    route: &Route,
    base_version: Option<u32>,
    now: Timestamp,
) -> Result<(), StoreError> {
    match base_version {
        None => insert(transaction, operation, route, now).await,
        Some(base) => update(transaction, operation, route, base, now).await,
    }
}

async fn insert(
    transaction: &mut Transaction,
    operation: &Operation,
    route: &Route,
    now: Timestamp,
) -> Result<(), StoreError> {
    let inserted = within!(transaction, connection => sqlx::query(
        "INSERT INTO operations (id, description, capability, criticality, enabled, batch_eligible, cacheable, \
         cache_ttl_s, allowed_providers, changed_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) \
         ON CONFLICT (id) DO NOTHING",
    )
    .bind(operation.id.as_str())
    .bind(clean(&operation.description).into_owned())
    .bind(operation.capability.as_str())
    .bind(operation.criticality.as_str())
    .bind(operation.enabled)
    .bind(operation.batch_eligible)
    .bind(operation.cacheable)
    .bind(operation.cache_ttl_s.map(i64::from))
    .bind(json(&operation.allowed_providers)?)
    .bind(now.as_micros())
    .execute(connection)
    .await
    .map(|done| done.rows_affected()))
    .map_err(during("store an operation"))?;
    if inserted == 0 {
        return Err(StoreError::AlreadyExists { kind: "operation", subject: operation.id.to_string() });
    }
    within!(transaction, connection => sqlx::query(
        "INSERT INTO routes (operation, version, strategy, targets, rules, balance, deadline_ms, approval) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(operation.id.as_str())
    .bind(i64::from(route.version))
    .bind(route.strategy.as_str())
    .bind(json(&route.targets)?)
    .bind(json(&route.rules)?)
    .bind(json(&route.balance)?)
    .bind(route.deadline_ms.map(i64::from))
    .bind(route.approval.as_ref().map(json).transpose()?)
    .execute(connection)
    .await
    .map(drop))
    .map_err(during("store a route"))
}

async fn update(
    transaction: &mut Transaction,
    operation: &Operation,
    route: &Route,
    base: u32,
    now: Timestamp,
) -> Result<(), StoreError> {
    let updated = within!(transaction, connection => sqlx::query(
        "UPDATE routes SET version = $1, strategy = $2, targets = $3, rules = $4, balance = $5, deadline_ms = $6, \
         approval = $7 WHERE operation = $8 AND version = $9",
    )
    .bind(i64::from(route.version))
    .bind(route.strategy.as_str())
    .bind(json(&route.targets)?)
    .bind(json(&route.rules)?)
    .bind(json(&route.balance)?)
    .bind(route.deadline_ms.map(i64::from))
    .bind(route.approval.as_ref().map(json).transpose()?)
    .bind(operation.id.as_str())
    .bind(i64::from(base))
    .execute(connection)
    .await
    .map(|done| done.rows_affected()))
    .map_err(during("store a route"))?;
    if updated == 0 {
        return Err(VersionOf::Route(&operation.id).refusal(transaction).await);
    }
    within!(transaction, connection => sqlx::query(
        "UPDATE operations SET description = $1, capability = $2, criticality = $3, enabled = $4, \
         batch_eligible = $5, cacheable = $6, cache_ttl_s = $7, allowed_providers = $8, changed_at = $9 WHERE id = $10",
    )
    .bind(clean(&operation.description).into_owned())
    .bind(operation.capability.as_str())
    .bind(operation.criticality.as_str())
    .bind(operation.enabled)
    .bind(operation.batch_eligible)
    .bind(operation.cacheable)
    .bind(operation.cache_ttl_s.map(i64::from))
    .bind(json(&operation.allowed_providers)?)
    .bind(now.as_micros())
    .bind(operation.id.as_str())
    .execute(connection)
    .await
    .map(drop))
    .map_err(during("store an operation"))
}
