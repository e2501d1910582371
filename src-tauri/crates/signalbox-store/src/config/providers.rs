//! Providers.

use signalbox_core::ids::ProviderName;
use signalbox_core::provider::{Provider, ProviderKind};
use url::Url;

use super::VersionOf;
use crate::dialect::within;
use crate::error::{StoreError, during};
use crate::pools::Transaction;
use crate::values::{JsonText, json, number, or_default, parsed, valid, word};

#[derive(sqlx::FromRow)]
struct Row {
    name: String,
    kind: String,
    base_url: String,
    enabled: bool,
    credential: JsonText,
    auth: Option<JsonText>,
    max_concurrent: Option<i64>,
    version: i64,
}

pub(super) async fn all(transaction: &mut Transaction) -> Result<Vec<Provider>, StoreError> {
    let rows: Vec<Row> = within!(transaction, connection => sqlx::query_as(
        "SELECT name, kind, base_url, enabled, credential, auth, max_concurrent, version FROM providers ORDER BY name",
    )
    .fetch_all(connection)
    .await)
    .map_err(during("read providers"))?;
    rows.into_iter()
        .map(|row| {
            Ok(Provider {
                name: valid("providers.name", ProviderName::new(&row.name))?,
                kind: word("providers.kind", &row.kind, ProviderKind::from_word)?,
                base_url: valid("providers.base_url", Url::parse(&row.base_url))?,
                enabled: row.enabled,
                credential: parsed("providers.credential", &row.credential)?,
                auth: or_default("providers.auth", row.auth.as_ref())?,
                max_concurrent: row
                    .max_concurrent
                    .map(|calls| number("providers.max_concurrent", calls))
                    .transpose()?,
                version: number("providers.version", row.version)?,
            })
        })
        .collect()
}

pub(super) async fn put(
    transaction: &mut Transaction,
    provider: &Provider,
    base_version: Option<u32>,
) -> Result<(), StoreError> {
    let credential = json(&provider.credential)?;
    let auth = json(&provider.auth)?;
    let max_concurrent = provider.max_concurrent.map(i64::from);
    let written = match base_version {
        None => within!(transaction, connection => sqlx::query(
            "INSERT INTO providers (name, kind, base_url, enabled, credential, auth, max_concurrent, version) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (name) DO NOTHING",
        )
        .bind(provider.name.as_str())
        .bind(provider.kind.as_str())
        .bind(provider.base_url.as_str())
        .bind(provider.enabled)
        .bind(credential)
        .bind(auth)
        .bind(max_concurrent)
        .bind(i64::from(provider.version))
        .execute(connection)
        .await
        .map(|done| done.rows_affected())),
        Some(base) => within!(transaction, connection => sqlx::query(
            "UPDATE providers SET kind = $1, base_url = $2, enabled = $3, credential = $4, auth = $5, \
             max_concurrent = $6, version = $7 WHERE name = $8 AND version = $9",
        )
        .bind(provider.kind.as_str())
        .bind(provider.base_url.as_str())
        .bind(provider.enabled)
        .bind(credential)
        .bind(auth)
        .bind(max_concurrent)
        .bind(i64::from(provider.version))
        .bind(provider.name.as_str())
        .bind(i64::from(base))
        .execute(connection)
        .await
        .map(|done| done.rows_affected())),
    }
    .map_err(during("store a provider"))?;
    match (written, base_version) {
        (1.., _) => Ok(()),
        (0, None) => Err(StoreError::AlreadyExists { kind: "provider", subject: provider.name.to_string() }),
        (0, Some(_)) => Err(VersionOf::Provider(&provider.name).refusal(transaction).await),
    }
}

pub(super) async fn remove(
    transaction: &mut Transaction,
    name: &ProviderName,
    base_version: u32,
) -> Result<(), StoreError> {
    let removed = within!(transaction, connection => sqlx::query(
        "DELETE FROM providers WHERE name = $1 AND version = $2",
    )
    .bind(name.as_str())
    .bind(i64::from(base_version))
    .execute(connection)
    .await
    .map(|done| done.rows_affected()))
    .map_err(during("remove a provider"))?;
    if removed == 0 { Err(VersionOf::Provider(name).refusal(transaction).await) } else { Ok(()) }
}
