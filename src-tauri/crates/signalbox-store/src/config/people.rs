//! People and their roles.

use signalbox_core::ids::PersonName;
use signalbox_core::person::{Person, Role};
use signalbox_core::time::Timestamp;

use super::VersionOf;
use crate::dialect::within;
use crate::error::{StoreError, during};
use crate::pools::Transaction;
use crate::values::{number, valid, word};

#[derive(sqlx::FromRow)]
struct Row {
    name: String,
    role: String,
    enabled: bool,
    created_at: i64,
    version: i64,
}

pub(super) async fn all(transaction: &mut Transaction) -> Result<Vec<Person>, StoreError> {
    let rows: Vec<Row> = within!(transaction, connection => sqlx::query_as(
        "SELECT name, role, enabled, created_at, version FROM people ORDER BY name",
    )
    .fetch_all(connection)
    .await)
    .map_err(during("read people"))?;
    rows.into_iter()
        .map(|row| {
            Ok(Person {
                name: valid("people.name", PersonName::new(&row.name))?,
                role: word("people.role", &row.role, Role::from_word)?,
                enabled: row.enabled,
                created_at: Timestamp::from_micros(row.created_at),
                version: number("people.version", row.version)?,
            })
        })
        .collect()
}

/// Writes are made one after the other, so of two admins who lock each other out at once the second is refused.
pub(super) async fn put(
    transaction: &mut Transaction,
    person: &Person,
    base_version: Option<u32>,
) -> Result<(), StoreError> {
    let written = match base_version {
        None => within!(transaction, connection => sqlx::query(
            "INSERT INTO people (name, role, enabled, created_at, version) VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (name) DO NOTHING",
        )
        .bind(person.name.as_str())
        .bind(person.role.as_str())
        .bind(person.enabled)
        .bind(person.created_at.as_micros())
        .bind(i64::from(person.version))
        .execute(connection)
        .await
        .map(|done| done.rows_affected())),
        Some(base) => within!(transaction, connection => sqlx::query(
            "UPDATE people SET role = $1, enabled = $2, version = $3 WHERE name = $4 AND version = $5",
        )
        .bind(person.role.as_str())
        .bind(person.enabled)
        .bind(i64::from(person.version))
        .bind(person.name.as_str())
        .bind(i64::from(base))
        .execute(connection)
        .await
        .map(|done| done.rows_affected())),
    }
    .map_err(during("store a person"))?;
    match (written, base_version) {
        (1.., _) => someone_is_left(transaction).await,
        (0, None) => Err(StoreError::AlreadyExists { kind: "person", subject: person.name.to_string() }),
        (0, Some(_)) => Err(VersionOf::Person(&person.name).refusal(transaction).await),
    }
}

async fn someone_is_left(transaction: &mut Transaction) -> Result<(), StoreError> {
    let admins: i64 = within!(transaction, connection => sqlx::query_scalar(
        "SELECT COUNT(*) FROM people WHERE role = 'admin' AND enabled",
    )
    .fetch_one(connection)
    .await)
    .map_err(during("store a person"))?;
    if admins == 0 { Err(StoreError::LastAdmin) } else { Ok(()) }
}
