//! Providers.

use signalbox_core::ids::ProviderName;
use signalbox_core::provider::{Provider, ProviderKind};
use url::Url;

use super::VersionOf;
use crate::dialect::within;
use crate::error::{StoreError, during};
use crate::pools::Transaction;
use crate::values::{JsonText, json, number, parsed, valid, word};

#[derive(sqlx::FromRow)]
struct Row {
    name: String,
    kind: String,
    base_url: String,
    enabled: bool,
    credential: JsonText,
    version: i64,
}

pub(super) async fn all(transaction: &mut Transaction) -> Result<Vec<Provider>, StoreError> {
    let rows: Vec<Row> = within!(transaction, connection => sqlx::query_as(
        "SELECT name, kind, base_url, enabled, credential, version FROM providers ORDER BY name",
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
    let written = match base_version {
        None => within!(transaction, connection => sqlx::query(
            "INSERT INTO providers (name, kind, base_url, enabled, credential, version) \
             VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (name) DO NOTHING",
        )
        .bind(provider.name.as_str())
        .bind(provider.kind.as_str())
        .bind(provider.base_url.as_str())
        .bind(provider.enabled)
        .bind(credential)
        .bind(i64::from(provider.version))
        .execute(connection)
        .await
        .map(|done| done.rows_affected())),
        Some(base) => within!(transaction, connection => sqlx::query(
            "UPDATE providers SET kind = $1, base_url = $2, enabled = $3, credential = $4, version = $5 \
             WHERE name = $6 AND version = $7",
        )
        .bind(provider.kind.as_str())
        .bind(provider.base_url.as_str())
        .bind(provider.enabled)
        .bind(credential)
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
