//! Where and when alerts are told: channels and rules.

use std::collections::BTreeMap;

use signalbox_core::alert::channel::SecretNote;
use signalbox_core::alert::{AlertKind, AlertRule, Alerting, Channel, Severity};
use signalbox_core::ids::ChannelId;
use uuid::Uuid;

use crate::dialect::within;
use crate::error::{StoreError, during};
use crate::pools::Transaction;
use crate::values::{JsonText, clean, json, number, parsed, word};

#[derive(sqlx::FromRow)]
struct Row {
    id: Uuid,
    name: String,
    enabled: bool,
    least: String,
    is_local: bool,
    means: JsonText,
    secret: Option<JsonText>,
    version: i64,
}

pub(super) async fn all(transaction: &mut Transaction) -> Result<Alerting, StoreError> {
    const OPERATION: &str = "read where alerts are told";
    let rows: Vec<Row> = within!(transaction, connection => sqlx::query_as(
        "SELECT id, name, enabled, least, is_local, means, secret, version FROM alert_channels ORDER BY id",
    )
    .fetch_all(connection)
    .await)
    .map_err(during(OPERATION))?;
    let channels = rows.into_iter().map(Channel::try_from).collect::<Result<_, _>>()?;
    let rules: Vec<(String, JsonText)> = within!(transaction, connection =>
        sqlx::query_as("SELECT kind, rule FROM alert_rules").fetch_all(connection).await)
    .map_err(during(OPERATION))?;
    let rules = rules
        .iter()
        .map(|(kind, rule)| {
            Ok((word("alert_rules.kind", kind, AlertKind::from_word)?, parsed("alert_rules.rule", rule)?))
        })
        .collect::<Result<BTreeMap<AlertKind, AlertRule>, StoreError>>()?;
    Ok(Alerting::new(rules, channels))
}

impl TryFrom<Row> for Channel {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let secret = row.secret.as_ref().map(|note| parsed::<SecretNote>("alert_channels.secret", note));
        Ok(Self {
            id: ChannelId::from_uuid(row.id),
            name: row.name,
            enabled: row.enabled,
            least: word("alert_channels.least", &row.least, Severity::from_word)?,
            is_local: row.is_local,
            means: parsed("alert_channels.means", &row.means)?,
            secret: secret.transpose()?,
            version: number("alert_channels.version", row.version)?,
        })
    }
}

/// Stores a channel in place of the version it was edited from; `None`: it must not exist yet.
pub(super) async fn put_channel(
    transaction: &mut Transaction,
    channel: &Channel,
    base_version: Option<u32>,
) -> Result<(), StoreError> {
    let secret = channel.secret.as_ref().map(json).transpose()?;
    let written = match base_version {
        None => within!(transaction, connection => sqlx::query(
            "INSERT INTO alert_channels (id, name, enabled, least, is_local, means, secret, version) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (id) DO NOTHING",
        )
        .bind(channel.id.as_uuid())
        .bind(clean(&channel.name).into_owned())
        .bind(channel.enabled)
        .bind(channel.least.as_str())
        .bind(channel.is_local)
        .bind(json(&channel.means)?)
        .bind(secret)
        .bind(i64::from(channel.version))
        .execute(connection)
        .await
        .map(|done| done.rows_affected())),
        Some(base) => within!(transaction, connection => sqlx::query(
            "UPDATE alert_channels SET name = $1, enabled = $2, least = $3, is_local = $4, means = $5, secret = $6, \
             version = $7 WHERE id = $8 AND version = $9",
        )
        .bind(clean(&channel.name).into_owned())
        .bind(channel.enabled)
        .bind(channel.least.as_str())
        .bind(channel.is_local)
        .bind(json(&channel.means)?)
        .bind(secret)
        .bind(i64::from(channel.version))
        .bind(channel.id.as_uuid())
        .bind(i64::from(base))
        .execute(connection)
        .await
        .map(|done| done.rows_affected())),
    }
    .map_err(during("store a channel"))?;
    match (written, base_version) {
        (1.., _) => Ok(()),
        (0, None) => Err(StoreError::AlreadyExists { kind: "channel", subject: channel.id.to_string() }),
        (0, Some(_)) => Err(refusal(transaction, channel.id).await),
    }
}

pub(super) async fn remove_channel(
    transaction: &mut Transaction,
    id: ChannelId,
    base_version: u32,
) -> Result<(), StoreError> {
    let removed = within!(transaction, connection => sqlx::query(
        "DELETE FROM alert_channels WHERE id = $1 AND version = $2",
    )
    .bind(id.as_uuid())
    .bind(i64::from(base_version))
    .execute(connection)
    .await
    .map(|done| done.rows_affected()))
    .map_err(during("remove a channel"))?;
    if removed == 0 { Err(refusal(transaction, id).await) } else { Ok(()) }
}

/// Why a channel was not found at the version it was edited from.
async fn refusal(transaction: &mut Transaction, id: ChannelId) -> StoreError {
    let current: Result<Option<i64>, sqlx::Error> = within!(transaction, connection =>
        sqlx::query_scalar("SELECT version FROM alert_channels WHERE id = $1")
            .bind(id.as_uuid())
            .fetch_optional(connection)
            .await);
    let (kind, subject) = ("channel", id.to_string());
    match current.map(|version| version.map(|version| number("alert_channels.version", version))) {
        Ok(Some(Ok(current_version))) => StoreError::Conflict { kind, subject, current_version },
        Ok(Some(Err(error))) => error,
        Ok(None) => StoreError::NotFound { kind, subject },
        Err(error) => during("read a version")(error),
    }
}

/// Stores the rule of a kind; `None`: the usual one from now on.
pub(super) async fn put_rule(
    transaction: &mut Transaction,
    kind: AlertKind,
    rule: Option<&AlertRule>,
) -> Result<(), StoreError> {
    const OPERATION: &str = "store a rule of alerts";
    match rule {
        None => within!(transaction, connection => sqlx::query("DELETE FROM alert_rules WHERE kind = $1")
            .bind(kind.as_str())
            .execute(connection)
            .await
            .map(drop)),
        Some(rule) => within!(transaction, connection => sqlx::query(
            "INSERT INTO alert_rules (kind, rule) VALUES ($1, $2) ON CONFLICT (kind) DO UPDATE SET rule = excluded.rule",
        )
        .bind(kind.as_str())
        .bind(json(rule)?)
        .execute(connection)
        .await
        .map(drop)),
    }
    .map_err(during(OPERATION))
}
