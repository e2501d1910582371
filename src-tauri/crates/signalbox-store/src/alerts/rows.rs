//! Alerts and deliveries as they are stored.

use signalbox_core::alert::{Alert, AlertKind, Cause, DeliveryState, Severity};
use signalbox_core::ids::{AlertId, ChannelId, DeliveryId};
use signalbox_core::time::Timestamp;
use uuid::Uuid;

use super::{Delivery, KeptAlert};
use crate::error::StoreError;
use crate::values::{number, word};

#[derive(sqlx::FromRow)]
pub(super) struct AlertRow {
    pub(super) id: Uuid,
    pub(super) kind: String,
    pub(super) severity: String,
    pub(super) subject: String,
    pub(super) state_key: String,
    pub(super) sentence: String,
    pub(super) first_at: i64,
    pub(super) last_at: i64,
    pub(super) times: i64,
    pub(super) acknowledged_at: Option<i64>,
    pub(super) acknowledged_by: Option<String>,
    pub(super) resolved_at: Option<i64>,
}

#[derive(sqlx::FromRow)]
pub(super) struct DeliveryRow {
    pub(super) id: Uuid,
    pub(super) alert_id: Option<Uuid>,
    pub(super) channel_id: Uuid,
    pub(super) channel_name: String,
    pub(super) means: String,
    pub(super) cause: String,
    pub(super) state: String,
    pub(super) tries: i64,
    pub(super) created_at: i64,
    pub(super) due_at: i64,
    pub(super) ended_at: Option<i64>,
    pub(super) error: Option<String>,
}

impl TryFrom<AlertRow> for KeptAlert {
    type Error = StoreError;

    fn try_from(row: AlertRow) -> Result<Self, StoreError> {
        let by = row.acknowledged_by.unwrap_or_default();
        Ok(Self {
            alert: Alert {
                id: AlertId::from_uuid(row.id),
                at: Timestamp::from_micros(row.first_at),
                kind: word("alerts.kind", &row.kind, AlertKind::from_word)?,
                subject: row.subject,
                sentence: row.sentence,
                key: row.state_key,
            },
            severity: word("alerts.severity", &row.severity, Severity::from_word)?,
            last_at: Timestamp::from_micros(row.last_at),
            times: number("alerts.times", row.times)?,
            acknowledged: row.acknowledged_at.map(|at| (Timestamp::from_micros(at), by)),
            resolved_at: row.resolved_at.map(Timestamp::from_micros),
        })
    }
}

impl TryFrom<DeliveryRow> for Delivery {
    type Error = StoreError;

    fn try_from(row: DeliveryRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: DeliveryId::from_uuid(row.id),
            alert: row.alert_id.map(AlertId::from_uuid),
            channel: ChannelId::from_uuid(row.channel_id),
            channel_name: row.channel_name,
            means: row.means,
            cause: word("alert_deliveries.cause", &row.cause, Cause::from_word)?,
            state: word("alert_deliveries.state", &row.state, DeliveryState::from_word)?,
            tries: number("alert_deliveries.tries", row.tries)?,
            created_at: Timestamp::from_micros(row.created_at),
            due_at: Timestamp::from_micros(row.due_at),
            ended_at: row.ended_at.map(Timestamp::from_micros),
            error: row.error,
        })
    }
}
