//! The inbox of alerts, and what became of each telling.

use signalbox_core::alert::{AlertKind, DeliveryState, Severity};
use signalbox_core::ids::AlertId;
use signalbox_core::time::Timestamp;
use signalbox_engine::events::Topic;
use signalbox_store::{AlertFilter, Delivery, DeliveryFilter, KeptAlert};

use crate::app::{App, Caller, Role};
use crate::dto;
use crate::error::AppError;

/// Most rows of a page.
const PAGE_ROWS_MAX: u32 = 500;
/// Most alerts that are acknowledged one by one at once.
const IDS_MAX: usize = 1_000;

/// A page of the inbox, newest first.
///
/// Errors: a filter or cursor that is none.
pub async fn page(
    app: &App,
    caller: &Caller,
    filter: dto::AlertFilter,
    cursor: Option<String>,
    limit: u32,
) -> Result<dto::AlertPage, AppError> {
    caller.must_be(Role::Viewer)?;
    let limit = limit.clamp(1, PAGE_ROWS_MAX);
    let filter = AlertFilter {
        kind: filter.kind.map(|word| kind("kind", &word)).transpose()?,
        severity: filter.severity.map(Into::into),
        is_open: filter.open,
        before: cursor.as_deref().map(place).transpose()?,
    };
    let rows = app.control().store.alerts(&filter, limit).await?;
    let next = rows
        .last()
        .filter(|_| is_full(rows.len(), limit))
        .map(|row| format!("{}.{}", row.alert.at.as_micros(), row.alert.id));
    Ok(dto::AlertPage { rows: rows.into_iter().map(shown).collect(), next })
}

/// How many alerts nobody acknowledged and still hold.
pub async fn open(app: &App, caller: &Caller) -> Result<dto::OpenAlerts, AppError> {
    caller.must_be(Role::Viewer)?;
    let mut open = dto::OpenAlerts::default();
    for (severity, count) in app.control().store.open_alerts().await? {
        match severity {
            Severity::Info => open.info = count,
            Severity::Warning => open.warning = count,
            Severity::Critical => open.critical = count,
        }
    }
    Ok(open)
}

/// Notes that a person has seen alerts, so that nobody else is told; `None`: all there are.
///
/// Errors: something that is no alert's id.
pub async fn acknowledge(
    app: &App,
    caller: &Caller,
    ids: Option<Vec<String>>,
) -> Result<dto::OpenAlerts, AppError> {
    caller.must_be(Role::Operator)?;
    let ids = ids.map(|ids| ids.iter().map(|id| alert_id(id)).collect::<Result<Vec<_>, _>>()).transpose()?;
    if ids.as_ref().is_some_and(|ids| ids.len() > IDS_MAX) {
        return Err(AppError::invalid("ids", format!("At most {IDS_MAX} alerts at once.")));
    }
    app.control().store.acknowledge_alerts(ids.as_deref(), &caller.id, app.now()).await?;
    if let Some(engine) = app.engine() {
        engine.events.publish(Topic::Alerts);
    }
    open(app, caller).await
}

/// A page of deliveries, newest first.
///
/// Errors: a filter or cursor that is none.
pub async fn deliveries(
    app: &App,
    caller: &Caller,
    filter: dto::DeliveryFilter,
    cursor: Option<String>,
    limit: u32,
) -> Result<dto::DeliveryPage, AppError> {
    caller.must_be(Role::Viewer)?;
    let limit = limit.clamp(1, PAGE_ROWS_MAX);
    let channel = filter.channel.map(|id| id.parse().map_err(|_| AppError::not_found("channel", &id)));
    let filter = DeliveryFilter {
        state: filter.state.map(Into::into),
        channel: channel.transpose()?,
        alert: filter.alert.map(|id| alert_id(&id)).transpose()?,
        before: cursor.as_deref().map(place).transpose()?,
    };
    let rows = app.control().store.deliveries(&filter, limit).await?;
    let next = rows
        .last()
        .filter(|_| is_full(rows.len(), limit))
        .map(|row| format!("{}.{}", row.created_at.as_micros(), row.id));
    Ok(dto::DeliveryPage { rows: rows.into_iter().map(delivery).collect(), next })
}

/// The kind of that word.
pub(crate) fn kind(field: &str, word: &str) -> Result<AlertKind, AppError> {
    let unknown = || AppError::invalid(field, format!("There is no kind of alert `{word:.40}`."));
    AlertKind::from_word(word).ok_or_else(unknown)
}

fn alert_id(text: &str) -> Result<AlertId, AppError> {
    text.parse().map_err(|_| AppError::not_found("alert", text))
}

fn is_full(rows: usize, limit: u32) -> bool {
    rows >= usize::try_from(limit).unwrap_or(usize::MAX)
}

/// Where a page begins, as the page before it said.
fn place<Id: std::str::FromStr>(cursor: &str) -> Result<(Timestamp, Id), AppError> {
    let read = || {
        let (at, id) = cursor.split_once('.')?;
        Some((Timestamp::from_micros(at.parse().ok()?), id.parse().ok()?))
    };
    read().ok_or_else(|| AppError::invalid("cursor", "The page does not exist."))
}

fn shown(kept: KeptAlert) -> dto::Alert {
    let (acknowledged_at, acknowledged_by) = kept.acknowledged.unzip();
    dto::Alert {
        id: kept.alert.id.to_string(),
        kind: kept.alert.kind.as_str().to_owned(),
        title: kept.alert.kind.title().to_owned(),
        severity: kept.severity.into(),
        subject: kept.alert.subject,
        sentence: kept.alert.sentence,
        first_at: kept.alert.at.into(),
        last_at: kept.last_at.into(),
        times: kept.times,
        acknowledged_at: acknowledged_at.map(Into::into),
        acknowledged_by,
        resolved_at: kept.resolved_at.map(Into::into),
    }
}

pub(crate) fn delivery(row: Delivery) -> dto::AlertDelivery {
    dto::AlertDelivery {
        id: row.id.to_string(),
        alert_id: row.alert.map(|id| id.to_string()),
        channel_id: row.channel.to_string(),
        channel: row.channel_name,
        means: row.means,
        cause: row.cause.as_str().to_owned(),
        state: row.state.into(),
        tries: row.tries,
        created_at: row.created_at.into(),
        due_at: row.due_at.into(),
        ended_at: row.ended_at.map(Into::into),
        error: row.error,
    }
}

impl From<Severity> for dto::AlertSeverity {
    fn from(severity: Severity) -> Self {
        match severity {
            Severity::Info => Self::Info,
            Severity::Warning => Self::Warning,
            Severity::Critical => Self::Critical,
        }
    }
}

impl From<dto::AlertSeverity> for Severity {
    fn from(severity: dto::AlertSeverity) -> Self {
        match severity {
            dto::AlertSeverity::Info => Self::Info,
            dto::AlertSeverity::Warning => Self::Warning,
            dto::AlertSeverity::Critical => Self::Critical,
        }
    }
}

impl From<DeliveryState> for dto::DeliveryState {
    fn from(state: DeliveryState) -> Self {
        match state {
            DeliveryState::Waiting => Self::Waiting,
            DeliveryState::Sent => Self::Sent,
            DeliveryState::Failed => Self::Failed,
            DeliveryState::Dropped => Self::Dropped,
        }
    }
}

impl From<dto::DeliveryState> for DeliveryState {
    fn from(state: dto::DeliveryState) -> Self {
        match state {
            dto::DeliveryState::Waiting => Self::Waiting,
            dto::DeliveryState::Sent => Self::Sent,
            dto::DeliveryState::Failed => Self::Failed,
            dto::DeliveryState::Dropped => Self::Dropped,
        }
    }
}
