//! Models and their price cards.

use std::collections::HashMap;

use signalbox_core::breach::Breach;
use signalbox_core::ids::{ModelName, ProviderName};
use signalbox_core::price::{CardOrigin, PriceCard};
use signalbox_core::provider::Model;
use signalbox_core::route::Target;
use signalbox_core::snapshot::ModelEntry;
use signalbox_core::time::Timestamp;

use crate::dialect::within;
use crate::error::{StoreError, during, is_foreign_key_violation};
use crate::pools::Transaction;
use crate::values::{JsonText, clean, json, number, parsed, valid, word};

#[derive(sqlx::FromRow)]
struct Row {
    provider: String,
    name: String,
    capabilities: JsonText,
    context_window: Option<i64>,
    max_output: Option<i64>,
    quality: Option<i64>,
    breach: Option<JsonText>,
}

#[derive(sqlx::FromRow)]
struct CardRow {
    provider: String,
    model: String,
    effective_from: i64,
    units: JsonText,
    tiers: JsonText,
    source_url: Option<String>,
    as_of: Option<String>,
    origin: String,
    batch_percent: Option<i64>,
}

pub(super) async fn all(transaction: &mut Transaction) -> Result<Vec<ModelEntry>, StoreError> {
    let mut cards = cards(transaction).await?;
    let rows: Vec<Row> = within!(transaction, connection => sqlx::query_as(
        "SELECT provider, name, capabilities, context_window, max_output, quality, breach FROM models \
         ORDER BY provider, name",
    )
    .fetch_all(connection)
    .await)
    .map_err(during("read models"))?;
    rows.into_iter()
        .map(|row| {
            let tokens =
                |stored: Option<i64>| stored.map(|tokens| number("models.tokens", tokens)).transpose();
            let model = Model {
                provider: valid("models.provider", ProviderName::new(&row.provider))?,
                name: valid("models.name", ModelName::new(&row.name))?,
                capabilities: parsed("models.capabilities", &row.capabilities)?,
                context_window: tokens(row.context_window)?,
                max_output: tokens(row.max_output)?,
                quality: row.quality.map(|tenths| number("models.quality", tenths)).transpose()?,
            };
            let cards = cards.remove(&(row.provider, row.name)).unwrap_or_default();
            let breach = row.breach.as_ref().map(|breach| parsed("models.breach", breach)).transpose()?;
            Ok(ModelEntry { model, cards, breach })
        })
        .collect()
}

async fn cards(
    transaction: &mut Transaction,
) -> Result<HashMap<(String, String), Vec<PriceCard>>, StoreError> {
    let rows: Vec<CardRow> = within!(transaction, connection => sqlx::query_as(
        "SELECT provider, model, effective_from, units, tiers, source_url, as_of, origin, batch_percent FROM price_cards \
         ORDER BY provider, model, effective_from",
    )
    .fetch_all(connection)
    .await)
    .map_err(during("read prices"))?;
    let mut cards: HashMap<(String, String), Vec<PriceCard>> = HashMap::new();
    for row in rows {
        let card = PriceCard {
            effective_from: Timestamp::from_micros(row.effective_from),
            units: parsed("price_cards.units", &row.units)?,
            tiers: parsed("price_cards.tiers", &row.tiers)?,
            source_url: row.source_url,
            as_of: row.as_of,
            origin: word("price_cards.origin", &row.origin, CardOrigin::from_word)?,
            batch_percent: row
                .batch_percent
                .map(|percent| number("price_cards.batch_percent", percent))
                .transpose()?,
        };
        cards.entry((row.provider, row.model)).or_default().push(card);
    }
    Ok(cards)
}

pub(super) async fn put(transaction: &mut Transaction, model: &Model) -> Result<(), StoreError> {
    within!(transaction, connection => sqlx::query(
        "INSERT INTO models (provider, name, capabilities, context_window, max_output, quality) \
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (provider, name) DO UPDATE SET \
         capabilities = excluded.capabilities, context_window = excluded.context_window, \
         max_output = excluded.max_output, quality = excluded.quality",
    )
    .bind(model.provider.as_str())
    .bind(model.name.as_str())
    .bind(json(&model.capabilities)?)
    .bind(model.context_window.map(i64::from))
    .bind(model.max_output.map(i64::from))
    .bind(model.quality.map(i64::from))
    .execute(connection)
    .await
    .map(drop))
    .map_err(missing_or("provider", model.provider.as_str(), "store a model"))
}

pub(super) async fn put_breach(
    transaction: &mut Transaction,
    target: &Target,
    breach: Option<&Breach>,
) -> Result<(), StoreError> {
    let breach = breach.map(json).transpose()?;
    let stored = within!(transaction, connection => sqlx::query(
        "UPDATE models SET breach = $3 WHERE provider = $1 AND name = $2",
    )
    .bind(target.provider.as_str())
    .bind(target.model.as_str())
    .bind(breach)
    .execute(connection)
    .await
    .map(|done| done.rows_affected()))
    .map_err(during("block a model"))?;
    if stored == 0 {
        return Err(StoreError::NotFound { kind: "model", subject: target.to_string() });
    }
    Ok(())
}

pub(super) async fn remove(transaction: &mut Transaction, target: &Target) -> Result<(), StoreError> {
    let removed = within!(transaction, connection => sqlx::query(
        "DELETE FROM models WHERE provider = $1 AND name = $2",
    )
    .bind(target.provider.as_str())
    .bind(target.model.as_str())
    .execute(connection)
    .await
    .map(|done| done.rows_affected()))
    .map_err(during("remove a model"))?;
    if removed == 0 {
        Err(StoreError::NotFound { kind: "model", subject: target.to_string() })
    } else {
        Ok(())
    }
}

/// Stores a card. One that has not been in force before `now` may still be replaced; of one that has, something may have
/// been priced, and the ledger refers to it by its first instant.
pub(super) async fn put_card(
    transaction: &mut Transaction,
    target: &Target,
    card: &PriceCard,
    now: Timestamp,
) -> Result<(), StoreError> {
    let stored = within!(transaction, connection => sqlx::query(
        "INSERT INTO price_cards (provider, model, effective_from, units, tiers, source_url, as_of, origin, \
         batch_percent) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) \
         ON CONFLICT (provider, model, effective_from) DO UPDATE SET units = excluded.units, tiers = excluded.tiers, \
         source_url = excluded.source_url, as_of = excluded.as_of, origin = excluded.origin, \
         batch_percent = excluded.batch_percent WHERE price_cards.effective_from >= $10",
    )
    .bind(target.provider.as_str())
    .bind(target.model.as_str())
    .bind(card.effective_from.as_micros())
    .bind(json(&card.units)?)
    .bind(json(&card.tiers)?)
    .bind(card.source_url.as_deref().map(|text| clean(text).into_owned()))
    .bind(card.as_of.as_deref().map(|text| clean(text).into_owned()))
    .bind(card.origin.as_str())
    .bind(card.batch_percent.map(i64::from))
    .bind(now.as_micros())
    .execute(connection)
    .await
    .map(|done| done.rows_affected()))
    .map_err(missing_or("model", &target.to_string(), "store a price card"))?;
    if stored == 0 {
        let subject = format!("{target} from {}", card.effective_from);
        return Err(StoreError::AlreadyExists { kind: "price in force", subject });
    }
    Ok(())
}

/// A missing parent in the domain's words.
fn missing_or(
    kind: &'static str,
    subject: &str,
    operation: &'static str,
) -> impl Fn(sqlx::Error) -> StoreError {
    move |error| {
        if is_foreign_key_violation(&error) {
            StoreError::NotFound { kind, subject: subject.to_owned() }
        } else {
            during(operation)(error)
        }
    }
}
