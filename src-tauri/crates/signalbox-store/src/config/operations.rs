//! Operations and their routes.

use signalbox_core::ids::OperationId;
use signalbox_core::operation::Operation;
use signalbox_core::route::{Route, Strategy};
use signalbox_core::snapshot::OperationEntry;
use signalbox_core::time::Timestamp;

use super::VersionOf;
use crate::dialect::within;
use crate::error::{StoreError, during};
use crate::pools::Transaction;
use crate::values::{JsonText, clean, json, number, parsed, valid, word};

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    description: String,
    capability: String,
    criticality: String,
    enabled: bool,
    batch_eligible: bool,
    cacheable: bool,
    changed_at: i64,
    version: i64,
    strategy: String,
    targets: JsonText,
}

pub(super) async fn all(
    transaction: &mut Transaction,
) -> Result<Vec<(OperationEntry, Timestamp)>, StoreError> {
    let rows: Vec<Row> = within!(transaction, connection => sqlx::query_as(
        "SELECT o.id, o.description, o.capability, o.criticality, o.enabled, o.batch_eligible, o.cacheable, \
         o.changed_at, r.version, r.strategy, r.targets \
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
        capability: word("operations.capability", &row.capability, super::capability_from_word)?,
        criticality: word("operations.criticality", &row.criticality, super::criticality_from_word)?,
        enabled: row.enabled,
        batch_eligible: row.batch_eligible,
        cacheable: row.cacheable,
    };
    let route = Route {
        operation: id,
        version: number("routes.version", row.version)?,
        strategy: word("routes.strategy", &row.strategy, |word| {
            [Strategy::Priority].into_iter().find(|strategy| strategy.as_str() == word)
        })?,
        targets: parsed("routes.targets", &row.targets)?,
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
         changed_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (id) DO NOTHING",
    )
    .bind(operation.id.as_str())
    .bind(clean(&operation.description).into_owned())
    .bind(operation.capability.as_str())
    .bind(operation.criticality.as_str())
    .bind(operation.enabled)
    .bind(operation.batch_eligible)
    .bind(operation.cacheable)
    .bind(now.as_micros())
    .execute(connection)
    .await
    .map(|done| done.rows_affected()))
    .map_err(during("store an operation"))?;
    if inserted == 0 {
        return Err(StoreError::AlreadyExists { kind: "operation", subject: operation.id.to_string() });
    }
    within!(transaction, connection => sqlx::query(
        "INSERT INTO routes (operation, version, strategy, targets) VALUES ($1, $2, $3, $4)",
    )
    .bind(operation.id.as_str())
    .bind(i64::from(route.version))
    .bind(route.strategy.as_str())
    .bind(json(&route.targets)?)
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
        "UPDATE routes SET version = $1, strategy = $2, targets = $3 WHERE operation = $4 AND version = $5",
    )
    .bind(i64::from(route.version))
    .bind(route.strategy.as_str())
    .bind(json(&route.targets)?)
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
         batch_eligible = $5, cacheable = $6, changed_at = $7 WHERE id = $8",
    )
    .bind(clean(&operation.description).into_owned())
    .bind(operation.capability.as_str())
    .bind(operation.criticality.as_str())
    .bind(operation.enabled)
    .bind(operation.batch_eligible)
    .bind(operation.cacheable)
    .bind(now.as_micros())
    .bind(operation.id.as_str())
    .execute(connection)
    .await
    .map(drop))
    .map_err(during("store an operation"))
}
