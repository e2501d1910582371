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

#[cfg(test)]
mod tests {
    use signalbox_core::breaker::BreakerSettings;
    use signalbox_core::failure::FailureKind;
    use signalbox_core::health::Failed;
    use signalbox_core::ids::RequestId;

    use super::*;
    use crate::Durability;

    const NOW: Timestamp = Timestamp::from_micros(1_800_000_000_000_000);

    async fn store(directory: &tempfile::TempDir) -> Store {
        Store::open_sqlite(&directory.path().join("t.db"), Durability::Process).await.unwrap()
    }

    fn broken() -> TargetHealth {
        let (mut health, settings) = (TargetHealth::default(), BreakerSettings::default());
        for _ in 0..3 {
            let permit = health.permit(settings, NOW).unwrap().permit;
            let failed = Failed {
                kind: FailureKind::ServerError,
                message: "boom \0 💥".to_owned(),
                http_status: Some(500),
                latency_us: 5,
                retry_after_us: None,
                request: Some(RequestId::generate()),
            };
            health.failed(permit, &failed, settings, NOW);
        }
        health
    }

    #[tokio::test]
    async fn an_open_circuit_is_read_back_as_it_was_by_its_own_node_only() {
        let directory = tempfile::tempdir().unwrap();
        let (store, node) = (store(&directory).await, NodeId::generate());
        let target: Target = "openrouter/openai/gpt".parse().unwrap();
        store.save_target_health(node, &[(target.clone(), TargetHealth::default())], NOW).await.unwrap();
        store.save_target_health(node, &[(target.clone(), broken())], NOW).await.unwrap();
        let read = store.target_health(node).await.unwrap();
        assert_eq!(read.len(), 1);
        assert_eq!((&read[0].0, read[0].1.breaker().circuit()), (&target, Circuit::Open));
        assert_eq!(read[0].1.failures().count(), 3);
        assert!(store.target_health(NodeId::generate()).await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn steps_are_paged_newest_first_and_filtered() {
        let directory = tempfile::tempdir().unwrap();
        let store = store(&directory).await;
        let event = |target: &str, second: i64| HealthEvent {
            id: HealthEventId::generate(),
            at: NOW.plus_micros(second * 1_000_000),
            target: target.parse().unwrap(),
            from: Circuit::Closed,
            to: Circuit::Open,
            cause: Cause::Failures,
            actor: Some("ann".to_owned()),
            reason: Some("maintenance".to_owned()),
            calls: broken()
                .failures()
                .cloned()
                .map(|note| FailureNote { message: "m".to_owned(), ..note })
                .collect(),
        };
        let events = [event("a/m", 1), event("b/m", 2), event("a/n", 3)];
        store.insert_health_events(&events).await.unwrap();
        store.insert_health_events(&events[..1]).await.unwrap();
        let page = store.health_events(&HealthEventFilter::default(), 2).await.unwrap();
        assert_eq!(page, [events[2].clone(), events[1].clone()]);
        let before = Some((page[1].at, page[1].id));
        let rest =
            store.health_events(&HealthEventFilter { before, ..HealthEventFilter::default() }, 2).await;
        assert_eq!(rest.unwrap(), [events[0].clone()]);
        let of_a = HealthEventFilter {
            provider: Some(ProviderName::new("a").unwrap()),
            ..HealthEventFilter::default()
        };
        assert_eq!(store.health_events(&of_a, 9).await.unwrap().len(), 2);
    }
}
