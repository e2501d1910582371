//! API keys, and settings.

use signalbox_core::ids::KeyId;
use signalbox_core::key::{ApiKey, KeyHash};
use signalbox_core::time::Timestamp;
use uuid::Uuid;

use crate::dialect::within;
use crate::error::{StoreError, during};
use crate::pools::Transaction;
use crate::values::{JsonText, clean, hash, json, or_default, parsed};

#[derive(sqlx::FromRow)]
struct Row {
    id: Uuid,
    hash: Vec<u8>,
    name: String,
    last4: String,
    operations: JsonText,
    created_at: i64,
    revoked_at: Option<i64>,
    limits: Option<JsonText>,
}

pub(super) async fn all(transaction: &mut Transaction) -> Result<Vec<(KeyHash, ApiKey)>, StoreError> {
    let rows: Vec<Row> = within!(transaction, connection => sqlx::query_as(
        "SELECT id, hash, name, last4, operations, created_at, revoked_at, limits FROM api_keys ORDER BY created_at, id",
    )
    .fetch_all(connection)
    .await)
    .map_err(during("read keys"))?;
    rows.into_iter()
        .map(|row| {
            let key = ApiKey {
                id: KeyId::from_uuid(row.id),
                name: row.name,
                last4: row.last4,
                operations: parsed("api_keys.operations", &row.operations)?,
                created_at: Timestamp::from_micros(row.created_at),
                revoked_at: row.revoked_at.map(Timestamp::from_micros),
                limits: or_default("api_keys.limits", row.limits.as_ref())?,
            };
            Ok((KeyHash(hash("api_keys.hash", &row.hash)?), key))
        })
        .collect()
}

pub(super) async fn insert(
    transaction: &mut Transaction,
    key: &ApiKey,
    hash: &KeyHash,
) -> Result<(), StoreError> {
    let inserted = within!(transaction, connection => sqlx::query(
        "INSERT INTO api_keys (id, hash, name, last4, operations, created_at, revoked_at, limits) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING",
    )
    .bind(key.id.as_uuid())
    .bind(hash.0.to_vec())
    .bind(clean(&key.name).into_owned())
    .bind(clean(&key.last4).into_owned())
    .bind(json(&key.operations)?)
    .bind(key.created_at.as_micros())
    .bind(key.revoked_at.map(Timestamp::as_micros))
    .bind(json(&key.limits)?)
    .execute(connection)
    .await
    .map(|done| done.rows_affected()))
    .map_err(during("store a key"))?;
    if inserted == 0 {
        Err(StoreError::AlreadyExists { kind: "key", subject: key.id.to_string() })
    } else {
        Ok(())
    }
}

pub(super) async fn put(transaction: &mut Transaction, key: &ApiKey) -> Result<(), StoreError> {
    let updated = within!(transaction, connection => sqlx::query(
        "UPDATE api_keys SET name = $1, operations = $2, revoked_at = $3, limits = $4 WHERE id = $5",
    )
    .bind(clean(&key.name).into_owned())
    .bind(json(&key.operations)?)
    .bind(key.revoked_at.map(Timestamp::as_micros))
    .bind(json(&key.limits)?)
    .bind(key.id.as_uuid())
    .execute(connection)
    .await
    .map(|done| done.rows_affected()))
    .map_err(during("store a key"))?;
    if updated == 0 { Err(StoreError::NotFound { kind: "key", subject: key.id.to_string() }) } else { Ok(()) }
}

pub(super) async fn settings(transaction: &mut Transaction) -> Result<Vec<(String, String)>, StoreError> {
    within!(transaction, connection => sqlx::query_as("SELECT name, value FROM settings ORDER BY name")
        .fetch_all(connection)
        .await)
    .map_err(during("read settings"))
}

pub(super) async fn put_setting(
    transaction: &mut Transaction,
    name: &str,
    value: &str,
) -> Result<(), StoreError> {
    within!(transaction, connection => sqlx::query(
        "INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
    )
    .bind(clean(name).into_owned())
    .bind(clean(value).into_owned())
    .execute(connection)
    .await
    .map(drop))
    .map_err(during("store a setting"))
}
