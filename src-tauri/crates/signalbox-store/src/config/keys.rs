//! API keys, and settings.

use std::borrow::Cow;

use signalbox_core::ids::KeyId;
use signalbox_core::key::{ApiKey, FormerSecret, KeyHash};
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
    former_hash: Option<Vec<u8>>,
    former_last4: Option<String>,
    former_until: Option<i64>,
    name: String,
    owner: Option<String>,
    last4: String,
    operations: JsonText,
    targets: Option<JsonText>,
    created_at: i64,
    expires_at: Option<i64>,
    revoked_at: Option<i64>,
    limits: Option<JsonText>,
    own_credentials: Option<JsonText>,
}

/// An API key and the hashes of its secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredKey {
    /// The key.
    pub key: ApiKey,
    /// The hash of its secret.
    pub hash: KeyHash,
    /// The hash of the secret before the last rotation, if that had an overlap.
    pub former_hash: Option<KeyHash>,
}

pub(super) async fn all(transaction: &mut Transaction) -> Result<Vec<StoredKey>, StoreError> {
    let rows: Vec<Row> = within!(transaction, connection => sqlx::query_as(
        "SELECT id, hash, former_hash, former_last4, former_until, name, owner, last4, operations, targets, created_at, \
         expires_at, revoked_at, limits, own_credentials FROM api_keys ORDER BY created_at, id",
    )
    .fetch_all(connection)
    .await)
    .map_err(during("read keys"))?;
    rows.into_iter().map(StoredKey::try_from).collect()
}

impl TryFrom<Row> for StoredKey {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let former = row.former_last4.zip(row.former_until);
        let key = ApiKey {
            id: KeyId::from_uuid(row.id),
            name: row.name,
            owner: row.owner,
            last4: row.last4,
            operations: parsed("api_keys.operations", &row.operations)?,
            targets: or_default("api_keys.targets", row.targets.as_ref())?,
            created_at: Timestamp::from_micros(row.created_at),
            expires_at: row.expires_at.map(Timestamp::from_micros),
            revoked_at: row.revoked_at.map(Timestamp::from_micros),
            former: former.map(|(last4, until)| FormerSecret { last4, until: Timestamp::from_micros(until) }),
            limits: or_default("api_keys.limits", row.limits.as_ref())?,
            own_credentials: or_default("api_keys.own_credentials", row.own_credentials.as_ref())?,
        };
        let former_hash = row.former_hash.map(|bytes| hash("api_keys.former_hash", &bytes)).transpose()?;
        Ok(Self {
            key,
            hash: KeyHash(hash("api_keys.hash", &row.hash)?),
            former_hash: former_hash.map(KeyHash),
        })
    }
}

pub(super) async fn insert(
    transaction: &mut Transaction,
    key: &ApiKey,
    hash: &KeyHash,
) -> Result<(), StoreError> {
    let inserted = within!(transaction, connection => sqlx::query(
        "INSERT INTO api_keys (id, hash, name, last4, operations, created_at, revoked_at, limits, owner, targets, \
         expires_at, own_credentials) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT DO NOTHING",
    )
    .bind(key.id.as_uuid())
    .bind(hash.0.to_vec())
    .bind(clean(&key.name).into_owned())
    .bind(clean(&key.last4).into_owned())
    .bind(json(&key.operations)?)
    .bind(key.created_at.as_micros())
    .bind(key.revoked_at.map(Timestamp::as_micros))
    .bind(json(&key.limits)?)
    .bind(key.owner.as_deref().map(clean).map(Cow::into_owned))
    .bind(json(&key.targets)?)
    .bind(key.expires_at.map(Timestamp::as_micros))
    .bind(json(&key.own_credentials)?)
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

/// Changes anything of a key but its secrets; without a `former`, the one before stops opening.
pub(super) async fn put(transaction: &mut Transaction, key: &ApiKey) -> Result<(), StoreError> {
    let updated = within!(transaction, connection => sqlx::query(
        "UPDATE api_keys SET name = $1, operations = $2, revoked_at = $3, limits = $4, owner = $5, targets = $6, \
         expires_at = $7, own_credentials = $8, former_hash = CASE WHEN $9 THEN former_hash END, \
         former_last4 = CASE WHEN $9 THEN former_last4 END, former_until = CASE WHEN $9 THEN former_until END WHERE id = $10",
    )
    .bind(clean(&key.name).into_owned())
    .bind(json(&key.operations)?)
    .bind(key.revoked_at.map(Timestamp::as_micros))
    .bind(json(&key.limits)?)
    .bind(key.owner.as_deref().map(clean).map(Cow::into_owned))
    .bind(json(&key.targets)?)
    .bind(key.expires_at.map(Timestamp::as_micros))
    .bind(json(&key.own_credentials)?)
    .bind(key.former.is_some())
    .bind(key.id.as_uuid())
    .execute(connection)
    .await
    .map(|done| done.rows_affected()))
    .map_err(during("store a key"))?;
    found(updated, key)
}

/// Puts a new secret in the place of the one whose hash is `from`, which becomes the former one if the key has an overlap.
///
/// Errors: [`StoreError::NotFound`] when another secret took that place meanwhile.
pub(super) async fn rotate(
    transaction: &mut Transaction,
    key: &ApiKey,
    from: &KeyHash,
    to: &KeyHash,
) -> Result<(), StoreError> {
    let former = key.former.as_ref();
    let updated = within!(transaction, connection => sqlx::query(
        "UPDATE api_keys SET hash = $1, last4 = $2, former_hash = $3, former_last4 = $4, former_until = $5 \
         WHERE id = $6 AND hash = $7",
    )
    .bind(to.0.to_vec())
    .bind(clean(&key.last4).into_owned())
    .bind(former.map(|_| from.0.to_vec()))
    .bind(former.map(|former| clean(&former.last4).into_owned()))
    .bind(former.map(|former| former.until.as_micros()))
    .bind(key.id.as_uuid())
    .bind(from.0.to_vec())
    .execute(connection)
    .await
    .map(|done| done.rows_affected()))
    .map_err(during("rotate a key"))?;
    found(updated, key)
}

fn found(rows: u64, key: &ApiKey) -> Result<(), StoreError> {
    if rows == 0 { Err(StoreError::NotFound { kind: "key", subject: key.id.to_string() }) } else { Ok(()) }
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
