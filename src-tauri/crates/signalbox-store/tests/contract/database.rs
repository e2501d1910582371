//! A database per test: a file, or one of a private `PostgreSQL` server of this test binary.

use std::path::{Path, PathBuf};

use signalbox_store::{Durability, Store};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};
use tempfile::TempDir;

use crate::postgres;

/// Runs each function as two tests, one per database.
macro_rules! on_both_databases {
    ($(async fn $name:ident($db:ident: &Database) $body:block)*) => {
        $(async fn $name($db: &crate::database::Database) $body)*

        mod on_sqlite {
            $(#[tokio::test]
            async fn $name() {
                super::$name(&crate::database::Database::sqlite().await).await;
            })*
        }

        mod on_postgres {
            $(#[tokio::test]
            async fn $name() {
                if let Some(database) = crate::database::Database::postgres().await {
                    super::$name(&database).await;
                }
            })*
        }
    };
}
pub(crate) use on_both_databases;

/// A database of one test.
pub struct Database {
    pub store: Store,
    place: Place,
}

enum Place {
    File(TempDir),
    Server { url: String },
}

impl Database {
    pub async fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open_sqlite(&file_in(&folder), Durability::Process).await.unwrap();
        Self { store, place: Place::File(folder) }
    }

    /// `None` where `PostgreSQL` is not installed; then the test has said so.
    pub async fn postgres() -> Option<Self> {
        let url = postgres::empty_database()?;
        let store = Store::open_postgres(&url).await.unwrap();
        Some(Self { store, place: Place::Server { url } })
    }

    pub fn is_sqlite(&self) -> bool {
        matches!(self.place, Place::File(_))
    }

    /// The file of a `SQLite` database.
    pub fn file(&self) -> Option<PathBuf> {
        match &self.place {
            Place::File(folder) => Some(file_in(folder)),
            Place::Server { .. } => None,
        }
    }

    /// Opens it once more, as another process would.
    pub async fn open_again(&self) -> Store {
        match &self.place {
            Place::File(folder) => Store::open_sqlite(&file_in(folder), Durability::Process).await.unwrap(),
            Place::Server { url } => Store::open_postgres(url).await.unwrap(),
        }
    }

    /// Runs statements past the store, as somebody with the file or the password could.
    pub async fn run_behind_its_back(&self, statements: &str) -> Result<(), sqlx::Error> {
        let statements = sqlx::raw_sql(AssertSqlSafe(statements.to_owned()));
        match &self.place {
            Place::File(folder) => {
                let mut connection = sqlite_options(&file_in(folder)).connect().await?;
                statements.execute(&mut connection).await?;
                connection.close().await
            }
            Place::Server { url } => {
                let mut connection = sqlx::PgConnection::connect(url).await?;
                statements.execute(&mut connection).await?;
                connection.close().await
            }
        }
    }

    /// The URL of a `PostgreSQL` database.
    pub fn url(&self) -> Option<&str> {
        match &self.place {
            Place::File(_) => None,
            Place::Server { url } => Some(url),
        }
    }

    /// One column of text, read past the store.
    pub async fn texts(&self, query: &str) -> Vec<String> {
        let query = AssertSqlSafe(query.to_owned());
        match &self.place {
            Place::File(folder) => {
                let mut connection = sqlite_options(&file_in(folder)).connect().await.unwrap();
                sqlx::query_scalar(query).fetch_all(&mut connection).await.unwrap()
            }
            Place::Server { url } => {
                let mut connection = sqlx::PgConnection::connect(url).await.unwrap();
                sqlx::query_scalar(query).fetch_all(&mut connection).await.unwrap()
            }
        }
    }

    /// One number, read past the store.
    pub async fn number(&self, query: &str) -> i64 {
        let query = AssertSqlSafe(query.to_owned());
        match &self.place {
            Place::File(folder) => {
                let mut connection = sqlite_options(&file_in(folder)).connect().await.unwrap();
                sqlx::query_scalar(query).fetch_one(&mut connection).await.unwrap()
            }
            Place::Server { url } => {
                let mut connection = sqlx::PgConnection::connect(url).await.unwrap();
                sqlx::query_scalar(query).fetch_one(&mut connection).await.unwrap()
            }
        }
    }
}

pub fn sqlite_options(file: &Path) -> sqlx::sqlite::SqliteConnectOptions {
    sqlx::sqlite::SqliteConnectOptions::new().filename(file).foreign_keys(true)
}

fn file_in(folder: &TempDir) -> PathBuf {
    folder.path().join("signalbox.db")
}
