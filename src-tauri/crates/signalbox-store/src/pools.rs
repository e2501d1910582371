//! Opening the two databases, and the connections behind a store.

use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, Postgres, Sqlite, SqliteConnection};

use crate::dialect::{BEGIN_READ_POSTGRES, BEGIN_READ_SQLITE, BEGIN_WRITE};
use crate::error::{self, StoreError};
use crate::{Durability, migrations};

/// How long a statement waits for another process's write. Source: nothing of ours holds the lock longer.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// The same while migrating: the other process may be migrating a large database.
const BUSY_TIMEOUT_MIGRATING: Duration = Duration::from_mins(1);

/// Statements each connection keeps prepared. The ledger has about forty shapes, everything else fewer.
const STATEMENTS_KEPT: usize = 200;

/// Connections that read a `SQLite` file; each has a thread.
const READERS: u32 = 4;

/// Pages the ledger's writer keeps in memory (negative: in KiB): the ends of ten indexes and today's sums, so that it
/// seldom reads.
const WRITER_CACHE_KIB: &str = "-32768";

/// Connections to `PostgreSQL`, the ledger's own not counted. Two of them listen.
const POSTGRES_CONNECTIONS: u32 = 10;

/// Two connections checkpointing at once could corrupt the write-ahead log before this version.
/// Source: <https://sqlite.org/wal.html#walresetbug>
const SQLITE_OLDEST: (u32, u32, u32) = (3, 51, 3);

/// The connections behind a store.
#[derive(Debug)]
pub(crate) enum Pools {
    Sqlite(Box<SqlitePools>),
    Postgres(PgPool),
}

/// The connections to one `SQLite` file. The ledger's writer has its own besides.
#[derive(Debug)]
pub(crate) struct SqlitePools {
    /// Cannot write.
    pub(crate) read: SqlitePool,
    /// One connection, for configuration.
    write: SqlitePool,
    options: SqliteConnectOptions,
}

/// An open transaction.
#[derive(Debug)]
pub(crate) enum Transaction {
    Sqlite(sqlx::Transaction<'static, Sqlite>),
    Postgres(sqlx::Transaction<'static, Postgres>),
}

impl Transaction {
    pub(crate) async fn commit(self, operation: &'static str) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(transaction) => transaction.commit().await,
            Self::Postgres(transaction) => transaction.commit().await,
        }
        .map_err(error::during(operation))
    }
}

impl Pools {
    /// A transaction that writes.
    pub(crate) async fn begin_write(&self, operation: &'static str) -> Result<Transaction, StoreError> {
        match self {
            Self::Sqlite(pools) => pools.write.begin_with(BEGIN_WRITE).await.map(Transaction::Sqlite),
            Self::Postgres(pool) => pool.begin_with("BEGIN").await.map(Transaction::Postgres),
        }
        .map_err(error::during(operation))
    }

    /// A transaction whose statements all read the same state.
    pub(crate) async fn begin_read(&self, operation: &'static str) -> Result<Transaction, StoreError> {
        match self {
            Self::Sqlite(pools) => pools.read.begin_with(BEGIN_READ_SQLITE).await.map(Transaction::Sqlite),
            Self::Postgres(pool) => pool.begin_with(BEGIN_READ_POSTGRES).await.map(Transaction::Postgres),
        }
        .map_err(error::during(operation))
    }

    pub(crate) async fn close(&self) {
        match self {
            Self::Sqlite(pools) => {
                pools.read.close().await;
                pools.write.close().await;
            }
            Self::Postgres(pool) => pool.close().await,
        }
    }
}

impl SqlitePools {
    /// A connection of the caller's own that reads.
    pub(crate) async fn own_reader(&self) -> Result<SqliteConnection, sqlx::Error> {
        self.options.clone().read_only(true).connect().await
    }

    /// A connection of the caller's own that writes.
    ///
    /// `checkpoint_pages` is how long the write-ahead log may get before its commits move it into the file themselves.
    pub(crate) async fn own_writer(&self, checkpoint_pages: u32) -> Result<SqliteConnection, sqlx::Error> {
        self.options
            .clone()
            .pragma("wal_autocheckpoint", checkpoint_pages.to_string())
            .pragma("cache_size", WRITER_CACHE_KIB)
            .connect()
            .await
    }

    pub(crate) async fn open(path: &Path, durability: Durability) -> Result<Self, StoreError> {
        const OPERATION: &str = "open the database";
        create_private(path)?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(false)
            .foreign_keys(true)
            .busy_timeout(BUSY_TIMEOUT)
            .synchronous(match durability {
                Durability::Process => SqliteSynchronous::Normal,
                Durability::Power => SqliteSynchronous::Full,
            })
            // A power cut on macOS can otherwise lose what its fsync reported as written; elsewhere it does nothing.
            .pragma("fullfsync", if durability == Durability::Power { "1" } else { "0" })
            .pragma("temp_store", "MEMORY")
            .statement_cache_capacity(STATEMENTS_KEPT)
            .disable_statement_logging();

        let failed = |source: sqlx::Error| match error::during(OPERATION)(source) {
            StoreError::ReadOnly { .. } => StoreError::Unwritable { path: path.to_owned() },
            other => other,
        };
        let mut first =
            options.clone().busy_timeout(BUSY_TIMEOUT_MIGRATING).connect().await.map_err(failed)?;
        refuse_old_sqlite(&mut first).await?;
        use_write_ahead_log(&mut first).await.map_err(failed)?;
        migrations::migrate_sqlite(&mut first).await.map_err(|error| match error {
            StoreError::ReadOnly { .. } => StoreError::Unwritable { path: path.to_owned() },
            other => other,
        })?;
        first.close().await.map_err(failed)?;

        let pool = |connections| {
            SqlitePoolOptions::new()
                .max_connections(connections)
                .test_before_acquire(false)
                .idle_timeout(None)
        };
        Ok(Self {
            read: pool(READERS).connect_lazy_with(options.clone().read_only(true)),
            write: pool(1).connect_lazy_with(options.clone()),
            options,
        })
    }
}

pub(crate) async fn open_postgres(url: &str) -> Result<PgPool, StoreError> {
    let failed = error::during("open the database");
    let options: PgConnectOptions = url.parse().map_err(&failed)?;
    let options = options
        .application_name("signalbox")
        .statement_cache_capacity(STATEMENTS_KEPT)
        .disable_statement_logging();
    // Not the pool's: it would try again for long and then only say that it took too long.
    let mut first = options.connect().await.map_err(&failed)?;
    migrations::migrate_postgres(&mut first).await?;
    first.close().await.map_err(&failed)?;
    Ok(PgPoolOptions::new()
        .max_connections(POSTGRES_CONNECTIONS)
        .acquire_timeout(Duration::from_secs(10))
        .connect_lazy_with(options))
}

/// Makes an empty file that only its owner can read; its write-ahead log inherits that.
fn create_private(path: &Path) -> Result<(), StoreError> {
    let mut options = std::fs::OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    match options.open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::StorageFull => {
            Err(StoreError::Full { operation: "open the database" })
        }
        Err(_) => Err(StoreError::Unwritable { path: PathBuf::from(path) }),
    }
}

async fn refuse_old_sqlite(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    let found: String = sqlx::query_scalar("SELECT sqlite_version()")
        .fetch_one(connection)
        .await
        .map_err(error::during("open the database"))?;
    if is_new_enough(&found) { Ok(()) } else { Err(StoreError::TooOldSqlite { found }) }
}

fn is_new_enough(version: &str) -> bool {
    let mut parts = version.split('.').map(|part| part.parse().unwrap_or(0));
    let mut next = || parts.next().unwrap_or(0);
    (next(), next(), next()) >= SQLITE_OLDEST
}

/// Switches the file to a write-ahead log. The switch needs the file alone and does not wait for that by itself, so two
/// processes that start at once would trip over each other.
async fn use_write_ahead_log(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    const PAUSE: Duration = Duration::from_millis(20);
    let mut attempts_left = BUSY_TIMEOUT.as_millis() / PAUSE.as_millis();
    loop {
        match sqlx::query_scalar::<_, String>("PRAGMA journal_mode = WAL").fetch_one(&mut *connection).await {
            Err(error) if error::is_busy(&error) && attempts_left > 0 => {
                attempts_left -= 1;
                tokio::time::sleep(PAUSE).await;
            }
            other => return other.map(drop),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sqlite_that_can_corrupt_its_log_is_refused() {
        for (version, accepted) in [
            ("3.51.2", false),
            ("3.51.3", true),
            ("3.7.17", false),
            ("3.53.0", true),
            ("4.0", true),
            ("", false),
        ] {
            assert_eq!(is_new_enough(version), accepted, "{version}");
        }
    }
}
