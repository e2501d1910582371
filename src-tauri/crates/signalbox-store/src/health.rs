//! What is known of targets' health, and the steps of their circuits.

use signalbox_core::breaker::{Cause, Circuit};
use signalbox_core::health::{FailureNote, TargetHealth};
use signalbox_core::ids::{HealthEventId, ModelName, NodeId, ProviderName};
use signalbox_core::route::Target;
use signalbox_core::time::Timestamp;
use uuid::Uuid;

use crate::Store;
use crate::dialect::{reading, within};
use crate::error::{StoreError, during};
use crate::values::{JsonText, clean, json, label, parsed, valid, word};

/// A step of a target's circuit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HealthEvent {
    /// Its identity.
    pub id: HealthEventId,
    /// When.
    pub at: Timestamp,
    /// Whose circuit.
    pub target: Target,
    /// Where it stood.
    pub from: Circuit,
    /// Where it stands since.
    pub to: Circuit,
    /// Why.
    pub cause: Cause,
    /// Who did it by hand, if somebody did.
    pub actor: Option<String>,
    /// What that person wrote.
    pub reason: Option<String>,
    /// The calls that tripped it, oldest first.
    pub calls: Vec<FailureNote>,
}

/// All set conditions must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HealthEventFilter {
    /// Whose targets.
    pub provider: Option<ProviderName>,
    /// Which model.
    pub model: Option<ModelName>,
    /// At or after.
    pub from: Option<Timestamp>,
    /// Older than this event; for the next page.
    pub before: Option<(Timestamp, HealthEventId)>,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: Uuid,
    at: i64,
    provider: String,
    model: String,
    from_state: String,
    to_state: String,
    cause: String,
    actor: Option<String>,
    reason: Option<String>,
    calls: JsonText,
}

#[derive(sqlx::FromRow)]
struct StateRow {
    provider: String,
    model: String,
    state: JsonText,
}

impl Store {
    /// Keeps the health of targets as this node sees it, in place of what was kept before.
    pub async fn save_target_health(
        &self,
        node: NodeId,
        targets: &[(Target, TargetHealth)],
        at: Timestamp,
    ) -> Result<(), StoreError> {
        const OPERATION: &str = "store the health of targets";
        if targets.is_empty() {
            return Ok(());
        }
        let mut transaction = self.inner.pools.begin_write(OPERATION).await?;
        for (target, health) in targets {
            within!(&mut transaction, connection => sqlx::query(
                "INSERT INTO target_health (node_id, provider, model, state, updated_at) VALUES ($1, $2, $3, $4, $5) \
                 ON CONFLICT (node_id, provider, model) DO UPDATE \
                 SET state = excluded.state, updated_at = excluded.updated_at",
            )
            .bind(node.as_uuid())
            .bind(target.provider.as_str())
            .bind(target.model.as_str())
            .bind(json(health)?)
            .bind(at.as_micros())
            .execute(connection)
            .await
            .map(drop))
            .map_err(during(OPERATION))?;
        }
        transaction.commit(OPERATION).await
    }

    /// The health of targets as this node last kept it. What cannot be read any more is left out: a target nothing is
    /// known of is simply tried.
    pub async fn target_health(&self, node: NodeId) -> Result<Vec<(Target, TargetHealth)>, StoreError> {
        let rows: Vec<StateRow> = reading!(self, pool => sqlx::query_as(
            "SELECT provider, model, state FROM target_health WHERE node_id = $1 ORDER BY provider, model",
        )
        .bind(node.as_uuid())
        .fetch_all(pool)
        .await)
        .map_err(during("read the health of targets"))?;
        Ok(rows
            .into_iter()
            .filter_map(|row| {
                let health = parsed("target_health.state", &row.state).ok()?;
                Some((target(&row.provider, &row.model).ok()?, health))
            })
            .collect())
    }

    /// Adds steps of circuits.
    pub async fn insert_health_events(&self, events: &[HealthEvent]) -> Result<(), StoreError> {
        const OPERATION: &str = "store the steps of a circuit";
        if events.is_empty() {
            return Ok(());
        }
        let mut transaction = self.inner.pools.begin_write(OPERATION).await?;
        for event in events {
            within!(&mut transaction, connection => sqlx::query(
                "INSERT INTO health_events (id, at, provider, model, from_state, to_state, cause, actor, reason, calls) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING",
            )
            .bind(event.id.as_uuid())
            .bind(event.at.as_micros())
            .bind(event.target.provider.as_str())
            .bind(event.target.model.as_str())
            .bind(event.from.as_str())
            .bind(event.to.as_str())
            .bind(event.cause.as_str())
            .bind(event.actor.as_deref().map(|actor| label(actor).into_owned()))
            .bind(event.reason.as_deref().map(|reason| clean(reason).into_owned()))
            .bind(json(&event.calls)?)
            .execute(connection)
            .await
            .map(drop))
            .map_err(during(OPERATION))?;
        }
        transaction.commit(OPERATION).await
    }

    /// A page of steps, newest first.
    pub async fn health_events(
        &self,
        filter: &HealthEventFilter,
        limit: u32,
    ) -> Result<Vec<HealthEvent>, StoreError> {
        let rows: Vec<Row> = reading!(self, pool => {
            let mut query = sqlx::QueryBuilder::new(
                "SELECT id, at, provider, model, from_state, to_state, cause, actor, reason, calls FROM health_events \
                 WHERE at >= ",
            );
            query.push_bind(filter.from.map_or(i64::MIN, Timestamp::as_micros));
            if let Some(provider) = &filter.provider {
                query.push(" AND provider = ").push_bind(provider.as_str().to_owned());
            }
            if let Some(model) = &filter.model {
                query.push(" AND model = ").push_bind(model.as_str().to_owned());
            }
            if let Some((at, id)) = filter.before {
                query.push(" AND (at, id) < (").push_bind(at.as_micros());
                query.push(", ").push_bind(id.as_uuid()).push(")");
            }
            query.push(" ORDER BY at DESC, id DESC LIMIT ").push_bind(i64::from(limit));
            query.build_query_as().fetch_all(pool).await
        })
        .map_err(during("read the steps of circuits"))?;
        rows.into_iter().map(HealthEvent::try_from).collect()
    }
}

impl TryFrom<Row> for HealthEvent {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: HealthEventId::from_uuid(row.id),
            at: Timestamp::from_micros(row.at),
            target: target(&row.provider, &row.model)?,
            from: word("health_events.from_state", &row.from_state, Circuit::from_word)?,
            to: word("health_events.to_state", &row.to_state, Circuit::from_word)?,
            cause: word("health_events.cause", &row.cause, Cause::from_word)?,
            actor: row.actor,
            reason: row.reason,
            calls: parsed("health_events.calls", &row.calls)?,
        })
    }
}

fn target(provider: &str, model: &str) -> Result<Target, StoreError> {
    Ok(Target {
        provider: valid("provider", ProviderName::new(provider))?,
        model: valid("model", ModelName::new(model))?,
    })
}
