//! The inbox of alerts, and what became of each telling.

mod rows;

use signalbox_core::alert::{Alert, AlertKind, AlertRule, Cause, DeliveryState, Planned, Severity};
use signalbox_core::ids::{AlertId, ChannelId, DeliveryId};
use signalbox_core::time::Timestamp;
use uuid::Uuid;

use self::rows::{AlertRow, DeliveryRow};
use crate::Store;
use crate::dialect::{reading, within};
use crate::error::{StoreError, during};
use crate::pools::Transaction;
use crate::values::{clean, label, number, word};

/// An alert in the inbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptAlert {
    /// What was raised; `at` is the first time.
    pub alert: Alert,
    /// How much it matters, by the rule of that time.
    pub severity: Severity,
    /// When its state came up last.
    pub last_at: Timestamp,
    /// How often.
    pub times: u32,
    /// When and by whom it was acknowledged.
    pub acknowledged: Option<(Timestamp, String)>,
    /// When its state ended.
    pub resolved_at: Option<Timestamp>,
}

/// What became of an alert that was raised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AlertKept {
    /// It is new in the inbox, with its deliveries.
    New,
    /// It was counted for one that is there already.
    Again(AlertId),
}

/// All set conditions must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AlertFilter {
    /// Which kind.
    pub kind: Option<AlertKind>,
    /// How much it matters.
    pub severity: Option<Severity>,
    /// Only what nobody acknowledged and what still holds.
    pub is_open: bool,
    /// Older than this one; for the next page.
    pub before: Option<(Timestamp, AlertId)>,
}

/// A delivery to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDelivery {
    /// Its identity.
    pub id: DeliveryId,
    /// Where, when and why.
    pub planned: Planned,
    /// What the channel is called now.
    pub channel_name: String,
    /// The word of its means.
    pub means: &'static str,
}

/// A delivery as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Its identity.
    pub id: DeliveryId,
    /// What is told; `None`: somebody tried the channel.
    pub alert: Option<AlertId>,
    /// Where.
    pub channel: ChannelId,
    /// What the channel was called.
    pub channel_name: String,
    /// The word of its means.
    pub means: String,
    /// Why.
    pub cause: Cause,
    /// How it stands.
    pub state: DeliveryState,
    /// How often it was tried.
    pub tries: u32,
    /// When it was planned.
    pub created_at: Timestamp,
    /// When it is tried, or tried again.
    pub due_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// What the last try failed of.
    pub error: Option<String>,
}

/// All set conditions must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeliveryFilter {
    /// How it stands.
    pub state: Option<DeliveryState>,
    /// On which channel.
    pub channel: Option<ChannelId>,
    /// Of which alert.
    pub alert: Option<AlertId>,
    /// Older than this one; for the next page.
    pub before: Option<(Timestamp, DeliveryId)>,
}

/// Everything of alerts, as [`AlertRow`] reads it.
macro_rules! alert_columns {
    () => {
        "SELECT id, kind, severity, subject, state_key, sentence, first_at, last_at, times, acknowledged_at, \
         acknowledged_by, resolved_at FROM alerts "
    };
}

/// Everything of deliveries, as [`DeliveryRow`] reads it.
macro_rules! delivery_columns {
    () => {
        "SELECT id, alert_id, channel_id, channel_name, means, cause, state, tries, created_at, due_at, ended_at, \
         error FROM alert_deliveries "
    };
}

impl Store {
    /// Puts an alert into the inbox with its deliveries, or counts it for the alert of the same state that `rule` says is
    /// the same. It came up `times` times. Two nodes that raise one state at once get one alert.
    pub async fn keep_alert(
        &self,
        alert: &Alert,
        times: u32,
        rule: &AlertRule,
        deliveries: &[NewDelivery],
    ) -> Result<AlertKept, StoreError> {
        const OPERATION: &str = "keep an alert";
        let mut transaction = self.inner.pools.begin_write(OPERATION).await?;
        let kept = match newest_of_state(&mut transaction, alert).await? {
            Some((id, since)) if rule.is_same(since, alert.at) => {
                count(&mut transaction, id, alert, times).await?;
                AlertKept::Again(id)
            }
            _ => {
                insert(&mut transaction, alert, times, rule.severity).await?;
                for delivery in deliveries {
                    insert_delivery(&mut transaction, Some(alert.id), delivery, alert.at).await?;
                }
                AlertKept::New
            }
        };
        if let Some(ended) = alert.kind.ends() {
            resolve(&mut transaction, ended, &alert.key, alert.at).await?;
        }
        transaction.commit(OPERATION).await?;
        Ok(kept)
    }

    /// A page of the inbox, newest first.
    pub async fn alerts(&self, filter: &AlertFilter, limit: u32) -> Result<Vec<KeptAlert>, StoreError> {
        let rows: Vec<AlertRow> = reading!(self, pool => {
            let mut query = sqlx::QueryBuilder::new(
                concat!(alert_columns!(), "WHERE first_at >= "),
            );
            query.push_bind(i64::MIN);
            if let Some(kind) = filter.kind {
                query.push(" AND kind = ").push_bind(kind.as_str());
            }
            if let Some(severity) = filter.severity {
                query.push(" AND severity = ").push_bind(severity.as_str());
            }
            if filter.is_open {
                query.push(" AND acknowledged_at IS NULL AND resolved_at IS NULL");
            }
            if let Some((at, id)) = filter.before {
                query.push(" AND (first_at, id) < (").push_bind(at.as_micros());
                query.push(", ").push_bind(id.as_uuid()).push(")");
            }
            query.push(" ORDER BY first_at DESC, id DESC LIMIT ").push_bind(i64::from(limit));
            query.build_query_as().fetch_all(pool).await
        })
        .map_err(during("read alerts"))?;
        rows.into_iter().map(KeptAlert::try_from).collect()
    }

    /// One alert of the inbox.
    pub async fn alert(&self, id: AlertId) -> Result<Option<KeptAlert>, StoreError> {
        let row: Option<AlertRow> = reading!(self, pool => sqlx::query_as(
            concat!(alert_columns!(), "WHERE id = $1"),
        )
        .bind(id.as_uuid())
        .fetch_optional(pool)
        .await)
        .map_err(during("read an alert"))?;
        row.map(KeptAlert::try_from).transpose()
    }

    /// How many alerts still hold and were acknowledged by nobody, by severity, mildest first; severities without any are
    /// left out.
    pub async fn open_alerts(&self) -> Result<Vec<(Severity, u32)>, StoreError> {
        let rows: Vec<(String, i64)> = reading!(self, pool => sqlx::query_as(
            "SELECT severity, COUNT(*) FROM alerts WHERE acknowledged_at IS NULL AND resolved_at IS NULL GROUP BY severity",
        )
        .fetch_all(pool)
        .await)
        .map_err(during("count alerts"))?;
        let mut open = rows
            .iter()
            .map(|(severity, count)| {
                Ok((word("alerts.severity", severity, Severity::from_word)?, number("alerts", *count)?))
            })
            .collect::<Result<Vec<_>, StoreError>>()?;
        open.sort_unstable();
        Ok(open)
    }

    /// Notes that a person has seen these alerts; nobody else is told of them then. `None`: all there are. Gives how many
    /// were new to them.
    pub async fn acknowledge_alerts(
        &self,
        ids: Option<&[AlertId]>,
        by: &str,
        at: Timestamp,
    ) -> Result<u64, StoreError> {
        const OPERATION: &str = "acknowledge alerts";
        let mut transaction = self.inner.pools.begin_write(OPERATION).await?;
        let mut acknowledged = 0;
        match ids {
            None => {
                acknowledged = within!(&mut transaction, connection => sqlx::query(
                    "UPDATE alerts SET acknowledged_at = $1, acknowledged_by = $2 \
                     WHERE acknowledged_at IS NULL AND first_at <= $1",
                )
                .bind(at.as_micros())
                .bind(label(by).into_owned())
                .execute(connection)
                .await
                .map(|done| done.rows_affected()))
                .map_err(during(OPERATION))?;
            }
            Some(ids) => {
                for id in ids {
                    acknowledged += within!(&mut transaction, connection => sqlx::query(
                        "UPDATE alerts SET acknowledged_at = $1, acknowledged_by = $2 \
                         WHERE id = $3 AND acknowledged_at IS NULL",
                    )
                    .bind(at.as_micros())
                    .bind(label(by).into_owned())
                    .bind(id.as_uuid())
                    .execute(connection)
                    .await
                    .map(|done| done.rows_affected()))
                    .map_err(during(OPERATION))?;
                }
            }
        }
        drop_escalations(&mut transaction, at).await?;
        transaction.commit(OPERATION).await?;
        Ok(acknowledged)
    }

    /// Forgets alerts that came up last before `before`, with their deliveries, and deliveries of trials from then.
    pub async fn forget_alerts(&self, before: Timestamp) -> Result<(), StoreError> {
        const OPERATION: &str = "forget old alerts";
        let mut transaction = self.inner.pools.begin_write(OPERATION).await?;
        for statement in [
            "DELETE FROM alert_deliveries WHERE created_at < $1 AND (alert_id IS NULL OR alert_id IN \
             (SELECT id FROM alerts WHERE last_at < $1))",
            "DELETE FROM alert_states WHERE since < $1",
            "DELETE FROM alerts WHERE last_at < $1",
        ] {
            within!(&mut transaction, connection =>
                sqlx::query(statement).bind(before.as_micros()).execute(connection).await.map(drop))
            .map_err(during(OPERATION))?;
        }
        transaction.commit(OPERATION).await
    }

    /// Adds a delivery that was made, as a trial of a channel is.
    pub async fn insert_trial(
        &self,
        delivery: &NewDelivery,
        state: DeliveryState,
        error: Option<&str>,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        const OPERATION: &str = "store a delivery";
        let mut transaction = self.inner.pools.begin_write(OPERATION).await?;
        insert_delivery(&mut transaction, None, delivery, at).await?;
        end(&mut transaction, delivery.id, state, error, at).await?;
        transaction.commit(OPERATION).await
    }

    /// Deliveries that are due, the longest first; those to the desktop only if there is one.
    pub async fn due_deliveries(
        &self,
        now: Timestamp,
        has_desktop: bool,
        limit: u32,
    ) -> Result<Vec<Delivery>, StoreError> {
        let rows: Vec<DeliveryRow> = reading!(self, pool => sqlx::query_as(
            concat!(delivery_columns!(), "WHERE state = 'waiting' AND due_at <= $1 AND (means <> 'desktop' OR $2) \
             ORDER BY due_at, id LIMIT $3"),
        )
        .bind(now.as_micros())
        .bind(has_desktop)
        .bind(i64::from(limit))
        .fetch_all(pool)
        .await)
        .map_err(during("read deliveries"))?;
        rows.into_iter().map(Delivery::try_from).collect()
    }

    /// When the next delivery is due.
    pub async fn next_delivery_at(&self, has_desktop: bool) -> Result<Option<Timestamp>, StoreError> {
        let at: Option<i64> = reading!(self, pool => sqlx::query_scalar(
            "SELECT MIN(due_at) FROM alert_deliveries WHERE state = 'waiting' AND (means <> 'desktop' OR $1)",
        )
        .bind(has_desktop)
        .fetch_one(pool)
        .await)
        .map_err(during("read deliveries"))?;
        Ok(at.map(Timestamp::from_micros))
    }

    /// Takes a due delivery before trying it: nobody else tries it until `until`, and then only if this try never ended.
    /// False when somebody else was first.
    pub async fn claim_delivery(&self, seen: &Delivery, until: Timestamp) -> Result<bool, StoreError> {
        const OPERATION: &str = "take a delivery";
        let mut transaction = self.inner.pools.begin_write(OPERATION).await?;
        let taken = within!(&mut transaction, connection => sqlx::query(
            "UPDATE alert_deliveries SET due_at = $1, tries = tries + 1 \
             WHERE id = $2 AND state = 'waiting' AND due_at = $3",
        )
        .bind(until.as_micros())
        .bind(seen.id.as_uuid())
        .bind(seen.due_at.as_micros())
        .execute(connection)
        .await
        .map(|done| done.rows_affected()))
        .map_err(during(OPERATION))?;
        transaction.commit(OPERATION).await?;
        Ok(taken > 0)
    }

    /// A try failed; the next one is due at `due_at`.
    pub async fn postpone_delivery(
        &self,
        id: DeliveryId,
        due_at: Timestamp,
        error: &str,
    ) -> Result<(), StoreError> {
        const OPERATION: &str = "store a delivery";
        let mut transaction = self.inner.pools.begin_write(OPERATION).await?;
        within!(&mut transaction, connection => sqlx::query(
            "UPDATE alert_deliveries SET due_at = $1, error = $2 WHERE id = $3 AND state = 'waiting'",
        )
        .bind(due_at.as_micros())
        .bind(clean(error).into_owned())
        .bind(id.as_uuid())
        .execute(connection)
        .await
        .map(drop))
        .map_err(during(OPERATION))?;
        transaction.commit(OPERATION).await
    }

    /// A delivery ended, well or not.
    pub async fn end_delivery(
        &self,
        id: DeliveryId,
        state: DeliveryState,
        error: Option<&str>,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        const OPERATION: &str = "store a delivery";
        let mut transaction = self.inner.pools.begin_write(OPERATION).await?;
        end(&mut transaction, id, state, error, at).await?;
        transaction.commit(OPERATION).await
    }

    /// A page of deliveries, newest first.
    pub async fn deliveries(&self, filter: &DeliveryFilter, limit: u32) -> Result<Vec<Delivery>, StoreError> {
        let rows: Vec<DeliveryRow> = reading!(self, pool => {
            let mut query = sqlx::QueryBuilder::new(
                concat!(delivery_columns!(), "WHERE created_at >= "),
            );
            query.push_bind(i64::MIN);
            if let Some(state) = filter.state {
                query.push(" AND state = ").push_bind(state.as_str());
            }
            if let Some(channel) = filter.channel {
                query.push(" AND channel_id = ").push_bind(channel.as_uuid());
            }
            if let Some(alert) = filter.alert {
                query.push(" AND alert_id = ").push_bind(alert.as_uuid());
            }
            if let Some((at, id)) = filter.before {
                query.push(" AND (created_at, id) < (").push_bind(at.as_micros());
                query.push(", ").push_bind(id.as_uuid()).push(")");
            }
            query.push(" ORDER BY created_at DESC, id DESC LIMIT ").push_bind(i64::from(limit));
            query.build_query_as().fetch_all(pool).await
        })
        .map_err(during("read deliveries"))?;
        rows.into_iter().map(Delivery::try_from).collect()
    }
}

/// The newest alert of the state and since when it is told, with the state's row locked until the end.
async fn newest_of_state(
    transaction: &mut Transaction,
    alert: &Alert,
) -> Result<Option<(AlertId, Timestamp)>, StoreError> {
    let (id, since): (Uuid, i64) = within!(transaction, connection => sqlx::query_as(
        "INSERT INTO alert_states (kind, state_key, alert_id, since) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (kind, state_key) DO UPDATE SET kind = excluded.kind RETURNING alert_id, since",
    )
    .bind(alert.kind.as_str())
    .bind(label(&alert.key).into_owned())
    .bind(alert.id.as_uuid())
    .bind(alert.at.as_micros())
    .fetch_one(connection)
    .await)
    .map_err(during("keep an alert"))?;
    let id = AlertId::from_uuid(id);
    Ok((id != alert.id).then_some((id, Timestamp::from_micros(since))))
}

/// Counts a state that came up again; what had ended has begun again.
async fn count(
    transaction: &mut Transaction,
    id: AlertId,
    again: &Alert,
    times: u32,
) -> Result<(), StoreError> {
    within!(transaction, connection => sqlx::query(
        "UPDATE alerts SET times = times + $1, last_at = $2, sentence = $3, resolved_at = NULL WHERE id = $4",
    )
    .bind(i64::from(times))
    .bind(again.at.as_micros())
    .bind(clean(&again.sentence).into_owned())
    .bind(id.as_uuid())
    .execute(connection)
    .await
    .map(drop))
    .map_err(during("keep an alert"))
}

async fn insert(
    transaction: &mut Transaction,
    alert: &Alert,
    times: u32,
    severity: Severity,
) -> Result<(), StoreError> {
    const OPERATION: &str = "keep an alert";
    within!(transaction, connection => sqlx::query(
        "INSERT INTO alerts (id, kind, severity, subject, state_key, sentence, first_at, last_at, times) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $8)",
    )
    .bind(alert.id.as_uuid())
    .bind(alert.kind.as_str())
    .bind(severity.as_str())
    .bind(label(&alert.subject).into_owned())
    .bind(label(&alert.key).into_owned())
    .bind(clean(&alert.sentence).into_owned())
    .bind(alert.at.as_micros())
    .bind(i64::from(times))
    .execute(connection)
    .await
    .map(drop))
    .map_err(during(OPERATION))?;
    within!(transaction, connection => sqlx::query(
        "UPDATE alert_states SET alert_id = $1, since = $2 WHERE kind = $3 AND state_key = $4",
    )
    .bind(alert.id.as_uuid())
    .bind(alert.at.as_micros())
    .bind(alert.kind.as_str())
    .bind(label(&alert.key).into_owned())
    .execute(connection)
    .await
    .map(drop))
    .map_err(during(OPERATION))
}

/// The state of that kind and key is over.
async fn resolve(
    transaction: &mut Transaction,
    kind: AlertKind,
    key: &str,
    at: Timestamp,
) -> Result<(), StoreError> {
    within!(transaction, connection => sqlx::query(
        "UPDATE alerts SET resolved_at = $1 WHERE resolved_at IS NULL AND id = \
         (SELECT alert_id FROM alert_states WHERE kind = $2 AND state_key = $3)",
    )
    .bind(at.as_micros())
    .bind(kind.as_str())
    .bind(label(key).into_owned())
    .execute(connection)
    .await
    .map(drop))
    .map_err(during("keep an alert"))?;
    drop_escalations(transaction, at).await
}

/// Nobody is told a second time of what was acknowledged or is over.
async fn drop_escalations(transaction: &mut Transaction, at: Timestamp) -> Result<(), StoreError> {
    within!(transaction, connection => sqlx::query(
        "UPDATE alert_deliveries SET state = 'dropped', ended_at = $1 \
         WHERE state = 'waiting' AND cause = 'escalated' AND tries = 0 AND alert_id IN \
         (SELECT id FROM alerts WHERE acknowledged_at IS NOT NULL OR resolved_at IS NOT NULL)",
    )
    .bind(at.as_micros())
    .execute(connection)
    .await
    .map(drop))
    .map_err(during("drop what nobody needs to be told"))
}

async fn insert_delivery(
    transaction: &mut Transaction,
    alert: Option<AlertId>,
    delivery: &NewDelivery,
    at: Timestamp,
) -> Result<(), StoreError> {
    within!(transaction, connection => sqlx::query(
        "INSERT INTO alert_deliveries (id, alert_id, channel_id, channel_name, means, cause, state, tries, created_at, \
         due_at) VALUES ($1, $2, $3, $4, $5, $6, 'waiting', 0, $7, $8)",
    )
    .bind(delivery.id.as_uuid())
    .bind(alert.map(AlertId::as_uuid))
    .bind(delivery.planned.channel.as_uuid())
    .bind(clean(&delivery.channel_name).into_owned())
    .bind(delivery.means)
    .bind(delivery.planned.cause.as_str())
    .bind(at.as_micros())
    .bind(delivery.planned.at.as_micros())
    .execute(connection)
    .await
    .map(drop))
    .map_err(during("store a delivery"))
}

async fn end(
    transaction: &mut Transaction,
    id: DeliveryId,
    state: DeliveryState,
    error: Option<&str>,
    at: Timestamp,
) -> Result<(), StoreError> {
    within!(transaction, connection => sqlx::query(
        "UPDATE alert_deliveries SET state = $1, error = $2, ended_at = $3, \
         tries = CASE WHEN tries = 0 AND cause = 'test' THEN 1 ELSE tries END WHERE id = $4",
    )
    .bind(state.as_str())
    .bind(error.map(|error| clean(error).into_owned()))
    .bind(at.as_micros())
    .bind(id.as_uuid())
    .execute(connection)
    .await
    .map(drop))
    .map_err(during("store a delivery"))
}
