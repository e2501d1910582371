//! Toggles, and the kill switch.

use signalbox_core::change::Change;
use signalbox_core::ids::OperationId;
use signalbox_core::kill_switch::Stop;
use signalbox_core::time::Timestamp;
use signalbox_core::toggle::{Locked, Settable, StoredToggle};

use crate::Store;
use crate::dialect::{reading, within};
use crate::error::{StoreError, during};
use crate::pools::Transaction;
use crate::values::{clean, label, valid};

/// How a toggle is set; by whom and why is in its entry of the history.
#[derive(Debug, Clone)]
pub struct ToggleEdit {
    /// Which one; there is none that is locked.
    pub toggle: Settable,
    /// For which operation; `None` for all that have no row of their own.
    pub operation: Option<OperationId>,
    /// On or off; `None`: not set any more.
    pub enabled: Option<bool>,
}

#[derive(sqlx::FromRow)]
struct Row {
    name: String,
    operation: String,
    enabled: bool,
    changed_at: i64,
    changed_by: String,
    note: Option<String>,
}

impl Row {
    fn toggle(self) -> Result<StoredToggle, StoreError> {
        let operation = (!self.operation.is_empty()).then(|| OperationId::new(&self.operation));
        Ok(StoredToggle {
            name: self.name,
            operation: valid("toggles.operation", operation.transpose())?,
            enabled: self.enabled,
            changed_at: Timestamp::from_micros(self.changed_at),
            changed_by: self.changed_by,
            note: self.note,
        })
    }
}

#[derive(sqlx::FromRow)]
struct SwitchRow {
    stopped: bool,
    at: i64,
    actor: String,
    source: String,
    reason: Option<String>,
}

const READ: &str =
    "SELECT name, operation, enabled, changed_at, changed_by, note FROM toggles ORDER BY name, operation";

impl Store {
    /// What is stored of the toggles, by name; locked ones included, which is for whoever checks them.
    pub async fn toggles(&self) -> Result<Vec<StoredToggle>, StoreError> {
        let rows: Vec<Row> = reading!(self, pool => sqlx::query_as(READ).fetch_all(pool).await)
            .map_err(during("read the toggles"))?;
        rows.into_iter().map(Row::toggle).collect()
    }

    /// Whether AI traffic is stopped. Cheap enough to poll.
    ///
    /// Errors: also when the row is gone, which nothing of ours ever does.
    pub async fn kill_switch(&self) -> Result<Option<Stop>, StoreError> {
        let row: SwitchRow = reading!(self, pool => sqlx::query_as(
            "SELECT stopped, at, actor, source, reason FROM kill_switch WHERE id = 1",
        )
        .fetch_one(pool)
        .await)
        .map_err(during("read the kill switch"))?;
        let SwitchRow { stopped, at, actor, source, reason } = row;
        Ok(stopped.then(|| Stop { at: Timestamp::from_micros(at), by: actor, source, reason }))
    }
}

pub(super) async fn all(transaction: &mut Transaction) -> Result<Vec<StoredToggle>, StoreError> {
    let rows: Vec<Row> = within!(transaction, connection => sqlx::query_as(READ).fetch_all(connection).await)
        .map_err(during("read the toggles"))?;
    rows.into_iter().map(Row::toggle).collect()
}

pub(super) async fn put(
    transaction: &mut Transaction,
    edit: &ToggleEdit,
    change: &Change,
) -> Result<(), StoreError> {
    let (name, operation) = (edit.toggle.toggle().name(), edit.operation.as_ref());
    let operation = operation.map_or("", OperationId::as_str);
    let Some(enabled) = edit.enabled else {
        return within!(transaction, connection =>
            sqlx::query("DELETE FROM toggles WHERE name = $1 AND operation = $2")
                .bind(name)
                .bind(operation)
                .execute(connection)
                .await
                .map(drop))
        .map_err(during("store a toggle"));
    };
    within!(transaction, connection => sqlx::query(
        "INSERT INTO toggles (name, operation, enabled, changed_at, changed_by, note) VALUES ($1, $2, $3, $4, $5, $6) \
         ON CONFLICT (name, operation) DO UPDATE SET enabled = excluded.enabled, changed_at = excluded.changed_at, \
         changed_by = excluded.changed_by, note = excluded.note",
    )
    .bind(name)
    .bind(operation)
    .bind(enabled)
    .bind(change.at.as_micros())
    .bind(label(&change.actor).into_owned())
    .bind(change.reason.as_deref().map(|reason| clean(reason).into_owned()))
    .execute(connection)
    .await
    .map(drop))
    .map_err(during("store a toggle"))
}

/// Makes every row of a locked toggle say what the program says.
pub(super) async fn repair(
    transaction: &mut Transaction,
    locked: Locked,
    now: Timestamp,
) -> Result<(), StoreError> {
    let name = locked.toggle().name();
    within!(transaction, connection => sqlx::query(
        "INSERT INTO toggles (name, operation, enabled, changed_at, changed_by) VALUES ($1, '', $2, $3, 'the build') \
         ON CONFLICT (name, operation) DO NOTHING",
    )
    .bind(name)
    .bind(locked.value())
    .bind(now.as_micros())
    .execute(connection)
    .await
    .map(drop))
    .map_err(during("repair a toggle"))?;
    within!(transaction, connection => sqlx::query(
        "UPDATE toggles SET enabled = $1, changed_at = $2, changed_by = 'the build' WHERE name = $3 AND enabled <> $1",
    )
    .bind(locked.value())
    .bind(now.as_micros())
    .bind(name)
    .execute(connection)
    .await
    .map(drop))
    .map_err(during("repair a toggle"))
}

pub(super) async fn put_kill_switch(
    transaction: &mut Transaction,
    stop: Option<&Stop>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let at = stop.map_or(now, |stop| stop.at);
    let (by, source) = stop.map_or(("", ""), |stop| (&stop.by, &stop.source));
    within!(transaction, connection => sqlx::query(
        "UPDATE kill_switch SET stopped = $1, at = $2, actor = $3, source = $4, reason = $5 WHERE id = 1",
    )
    .bind(stop.is_some())
    .bind(at.as_micros())
    .bind(label(by).into_owned())
    .bind(source.to_owned())
    .bind(stop.and_then(|stop| stop.reason.as_deref()).map(|reason| clean(reason).into_owned()))
    .execute(connection)
    .await
    .map(drop))
    .map_err(during("store the kill switch"))
}
