//! Learning that some process has written the configuration.

use std::time::Duration;

use sqlx::postgres::PgListener;
use sqlx::{PgPool, SqliteConnection};

use crate::Store;
use crate::dialect::CHANNEL_POSTGRES;
use crate::error::{StoreError, during};
use crate::pools::{Pools, SqlitePools};

/// How often a `SQLite` file is looked at; it is one number in shared memory.
const POLL_SQLITE: Duration = Duration::from_millis(400);

/// How often the revision is read although no notification came: one may be lost with its connection.
const REREAD_POSTGRES: Duration = Duration::from_secs(30);

const OPERATION: &str = "watch the configuration";

/// Fires when any process has written the configuration.
#[derive(Debug)]
pub struct ConfigSignal {
    store: Store,
    seen: Option<i64>,
    source: Source,
}

#[derive(Debug)]
enum Source {
    Sqlite { connection: Option<SqliteConnection>, data_version: i64 },
    Postgres { listener: Option<PgListener> },
}

impl Store {
    /// A signal that fires for every revision after the one at this moment. Make it before [`Store::load_config`], or
    /// tell it with [`ConfigSignal::seen`] what was loaded, so that no write in between is missed.
    pub async fn config_signal(&self) -> ConfigSignal {
        let source = match &self.inner.pools {
            Pools::Sqlite(_) => Source::Sqlite { connection: None, data_version: 0 },
            Pools::Postgres(_) => Source::Postgres { listener: None },
        };
        // A failed read means the first call fires: too often is harmless, too late is not.
        ConfigSignal { store: self.clone(), seen: self.revision().await.ok(), source }
    }
}

impl ConfigSignal {
    /// Tells the signal which revision the caller has: it fires for every other.
    pub fn seen(&mut self, revision: i64) {
        self.seen = Some(revision);
    }

    /// Waits until the revision is another than the last seen and returns it.
    ///
    /// Dropping the future loses nothing: the next call fires at once. After an error the next call tries again, with a
    /// connection of its own.
    pub async fn changed(&mut self) -> Result<i64, StoreError> {
        let store = self.store.clone();
        loop {
            self.source.prepare(&store).await?;
            let revision = store.revision().await?;
            if self.seen != Some(revision) {
                self.seen = Some(revision);
                return Ok(revision);
            }
            self.source.wait().await?;
        }
    }
}

impl Source {
    /// Connects if needed. What happens after this wakes [`Source::wait`], so the revision must be read in between.
    async fn prepare(&mut self, store: &Store) -> Result<(), StoreError> {
        match (self, &store.inner.pools) {
            (Self::Sqlite { connection, data_version }, Pools::Sqlite(pools)) => {
                prepare_sqlite(connection, data_version, pools).await
            }
            (Self::Postgres { listener }, Pools::Postgres(pool)) => prepare_postgres(listener, pool).await,
            _ => Ok(()),
        }
    }

    /// Waits until something may have changed. Cancel-safe: nothing is taken before the end.
    async fn wait(&mut self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite { connection, data_version } => loop {
                tokio::time::sleep(POLL_SQLITE).await;
                match read_data_version(connection).await? {
                    Some(found) if found == *data_version => {}
                    _ => return Ok(()),
                }
            },
            Self::Postgres { listener: Some(connected) } => {
                tokio::select! {
                    heard = connected.recv() => match heard {
                        Ok(_) => Ok(()),
                        Err(error) => {
                            *self = Self::Postgres { listener: None };
                            Err(during(OPERATION)(error))
                        }
                    },
                    () = tokio::time::sleep(REREAD_POSTGRES) => Ok(()),
                }
            }
            Self::Postgres { listener: None } => Ok(()),
        }
    }
}

async fn prepare_sqlite(
    connection: &mut Option<SqliteConnection>,
    data_version: &mut i64,
    pools: &SqlitePools,
) -> Result<(), StoreError> {
    if connection.is_none() {
        *connection = Some(pools.own_reader().await.map_err(during(OPERATION))?);
    }
    if let Some(found) = read_data_version(connection).await? {
        *data_version = found;
    }
    Ok(())
}

/// A number that changes with every commit of another connection; `None` without a connection.
async fn read_data_version(connection: &mut Option<SqliteConnection>) -> Result<Option<i64>, StoreError> {
    let Some(connected) = connection else { return Ok(None) };
    match sqlx::query_scalar("PRAGMA data_version").fetch_one(connected).await {
        Ok(found) => Ok(Some(found)),
        Err(error) => {
            *connection = None;
            Err(during(OPERATION)(error))
        }
    }
}

async fn prepare_postgres(listener: &mut Option<PgListener>, pool: &PgPool) -> Result<(), StoreError> {
    if listener.is_none() {
        let mut connected = PgListener::connect_with(pool).await.map_err(during(OPERATION))?;
        connected.listen(CHANNEL_POSTGRES).await.map_err(during(OPERATION))?;
        *listener = Some(connected);
    }
    Ok(())
}
