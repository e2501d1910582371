//! One history of migrations for both databases.
//!
//! A file in `migrations/` is written once; words in braces become the database's own type, and sections after
//! `-- only sqlite` or `-- only postgres` (until `-- both`) are for one of them. The checksum of an applied migration is
//! over the replaced text, so neither a file nor this table of words ever changes: a new migration is a new file.

use sqlx::migrate::{Migrate, MigrateError, Migration, MigrationType, Migrator};
use sqlx::{AssertSqlSafe, Connection, PgConnection, SqlSafeStr, SqliteConnection};

use crate::dialect::BEGIN_WRITE;
use crate::error::StoreError;
use crate::{Backend, error};

/// Every migration: version, description, text. Versions are dates.
const MIGRATIONS: &[(i64, &str, &str)] = &[
    (20_261_121_000_001, "initial", include_str!("../../../../migrations/20261121000001_initial.sql")),
    (20_261_121_000_002, "data_plane", include_str!("../../../../migrations/20261121000002_data_plane.sql")),
    (
        20_261_121_000_003,
        "approval_of_a_change",
        include_str!("../../../../migrations/20261121000003_approval_of_a_change.sql"),
    ),
    (20_261_121_000_004, "budgets", include_str!("../../../../migrations/20261121000004_budgets.sql")),
    (20_261_121_000_005, "approvals", include_str!("../../../../migrations/20261121000005_approvals.sql")),
    (20_261_121_000_006, "toggles", include_str!("../../../../migrations/20261121000006_toggles.sql")),
    (20_261_121_000_007, "alerts", include_str!("../../../../migrations/20261121000007_alerts.sql")),
    (20_261_121_000_008, "people", include_str!("../../../../migrations/20261121000008_people.sql")),
    (20_261_121_000_009, "keys", include_str!("../../../../migrations/20261121000009_keys.sql")),
    (20_261_121_000_010, "slices", include_str!("../../../../migrations/20261121000010_slices.sql")),
    (20_261_121_000_011, "breaches", include_str!("../../../../migrations/20261121000011_breaches.sql")),
];

/// The newest schema this program knows.
pub(crate) const SUPPORTED: i64 = MIGRATIONS[MIGRATIONS.len() - 1].0;

/// The word in a migration and what it becomes in `SQLite` and in `PostgreSQL`. Text sorts by bytes in both.
const WORDS: &[(&str, &str, &str)] = &[
    ("{uuid}", "BLOB", "UUID"),
    ("{ts}", "BIGINT", "BIGINT"),
    ("{json}", "TEXT", "JSONB"),
    ("{blob}", "BLOB", "BYTEA"),
    ("{text}", "TEXT", "TEXT COLLATE \"C\""),
    ("{clustered}", "WITHOUT ROWID", ""),
];

/// Serialises migrating nodes; any constant does, as long as nobody else uses it.
const POSTGRES_LOCK: i64 = 0x5349_474e_414c_4258;

/// Brings a `SQLite` file to the newest schema, whole or not at all, also when another process does the same.
pub(crate) async fn migrate_sqlite(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    let failed = error::during("migrate the database");
    let mut transaction = connection.begin_with(BEGIN_WRITE).await.map_err(&failed)?;
    run(Backend::Sqlite, &mut *transaction).await?;
    transaction.commit().await.map_err(&failed)
}

/// Brings a `PostgreSQL` database to the newest schema, whole or not at all, also when another node does the same.
pub(crate) async fn migrate_postgres(connection: &mut PgConnection) -> Result<(), StoreError> {
    let failed = error::during("migrate the database");
    let mut transaction = connection.begin_with("BEGIN").await.map_err(&failed)?;
    sqlx::query("SELECT pg_advisory_xact_lock($1)")
        .bind(POSTGRES_LOCK)
        .execute(&mut *transaction)
        .await
        .map_err(&failed)?;
    run(Backend::Postgres, &mut *transaction).await?;
    transaction.commit().await.map_err(&failed)
}

async fn run<C: Migrate>(backend: Backend, connection: &mut C) -> Result<(), StoreError> {
    let mut migrator = Migrator::with_migrations(migrations_for(backend));
    migrator.set_locking(false);
    migrator.run_direct(None, connection, false).await.map_err(|error| match error {
        MigrateError::VersionMissing(found) if found > SUPPORTED => {
            StoreError::NewerSchema { found, supported: SUPPORTED }
        }
        MigrateError::VersionMissing(version) | MigrateError::VersionMismatch(version) => {
            StoreError::ForeignSchema { version }
        }
        MigrateError::Execute(source) | MigrateError::ExecuteMigration(source, _) => {
            error::during("migrate the database")(source)
        }
        other => StoreError::Database { operation: "migrate the database", source: other.into() },
    })
}

fn migrations_for(backend: Backend) -> Vec<Migration> {
    MIGRATIONS
        .iter()
        .map(|(version, description, text)| {
            let sql = AssertSqlSafe(text_for(backend, text)).into_sql_str();
            Migration::new(*version, (*description).into(), MigrationType::Simple, sql, false)
        })
        .collect()
}

/// The text of a migration as one database understands it.
fn text_for(backend: Backend, text: &str) -> String {
    let mut wanted = true;
    let mut own = String::with_capacity(text.len());
    for line in text.lines() {
        match line {
            "-- only sqlite" => wanted = backend == Backend::Sqlite,
            "-- only postgres" => wanted = backend == Backend::Postgres,
            "-- both" => wanted = true,
            line if wanted => {
                own.push_str(line);
                own.push('\n');
            }
            _ => {}
        }
    }
    WORDS.iter().fold(own, |own, (word, sqlite, postgres)| match backend {
        Backend::Sqlite => own.replace(word, sqlite),
        Backend::Postgres => own.replace(word, postgres),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_in_the_migrations_folder_is_run_and_in_the_order_of_its_date() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../migrations");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| {
                std::path::Path::new(name)
                    .extension()
                    .is_some_and(|extension| extension.eq_ignore_ascii_case("sql"))
            })
            .collect();
        files.sort();
        let known: Vec<String> = MIGRATIONS
            .iter()
            .map(|(version, description, _)| format!("{version}_{description}.sql"))
            .collect();
        assert_eq!(files, known);
    }

    #[test]
    fn no_word_is_left_unreplaced_and_each_database_gets_only_its_own_sections() {
        for (_, _, text) in MIGRATIONS {
            for backend in [Backend::Sqlite, Backend::Postgres] {
                let own = text_for(backend, text);
                let statements: Vec<&str> = own.lines().filter(|line| !line.starts_with("--")).collect();
                assert!(!statements.join("\n").contains('{'));
                assert!(!own.contains("RAISE(ABORT") || backend == Backend::Sqlite);
                assert!(!own.contains("FOR EACH STATEMENT") || backend == Backend::Postgres);
            }
        }
    }
}
