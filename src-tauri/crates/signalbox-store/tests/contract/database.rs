//! A database per test: a file, or one of a private `PostgreSQL` server of this test binary.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use signalbox_store::{Durability, Store};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};
use tempfile::TempDir;

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
        let url = empty_postgres().await?;
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

/// The URL of a new database without a schema.
pub async fn empty_postgres() -> Option<String> {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    let server = server()?;
    let name = format!("test_{}", NEXT.fetch_add(1, Ordering::Relaxed));
    let mut connection = sqlx::PgConnection::connect(&server.url("postgres")).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(format!("CREATE DATABASE {name}"))).execute(&mut connection).await.unwrap();
    Some(server.url(&name))
}

/// A server of this test binary. It stops and removes its folder when the binary ends, however it ends: its shell waits
/// for the end of a pipe.
struct Server {
    folder: String,
    _shell: Child,
}

impl Server {
    fn url(&self, database: &str) -> String {
        format!("postgres://postgres@localhost/{database}?host={}", self.folder)
    }
}

fn server() -> Option<&'static Server> {
    static SERVER: OnceLock<Option<Server>> = OnceLock::new();
    SERVER.get_or_init(start_server).as_ref()
}

const SERVE: &str = r#"
set -e
cd /
folder=$(mktemp -d /tmp/signalbox-postgres-XXXXXX)
trap '"$0/pg_ctl" -D "$folder/data" -m immediate stop >/dev/null 2>&1; rm -rf "$folder"' EXIT
"$0/initdb" -D "$folder/data" -A trust -U postgres -E UTF8 --locale=C.UTF-8 --no-sync >/dev/null
"$0/pg_ctl" -D "$folder/data" -l "$folder/log" -w -o "-c listen_addresses='' -c unix_socket_directories=$folder \
  -c fsync=off -c synchronous_commit=off -c full_page_writes=off -c max_connections=200" start >/dev/null
echo "$folder"
cat >/dev/null
"#;

fn start_server() -> Option<Server> {
    let Some(programs) = postgres_programs() else {
        eprintln!("SKIPPED on PostgreSQL: no initdb in PATH or /usr/lib/postgresql/*/bin");
        return None;
    };
    let is_root = Command::new("id").arg("-u").output().is_ok_and(|id| id.stdout.trim_ascii() == b"0");
    let mut command = if is_root {
        // The server refuses to run as root.
        let mut command = Command::new("runuser");
        command.args(["-u", "postgres", "--", "sh"]);
        command
    } else {
        Command::new("sh")
    };
    let mut shell = command
        .arg("-c")
        .arg(SERVE)
        .arg(programs)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut folder = String::new();
    BufReader::new(shell.stdout.take().unwrap()).read_line(&mut folder).unwrap();
    assert!(!folder.is_empty(), "the private PostgreSQL server did not start");
    Some(Server { folder: folder.trim_end().to_owned(), _shell: shell })
}

/// The folder of the newest installed server's programs.
fn postgres_programs() -> Option<PathBuf> {
    let in_path = std::env::var_os("PATH")
        .into_iter()
        .flat_map(|path| std::env::split_paths(&path).collect::<Vec<_>>());
    let mut packaged: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path().join("bin")))
        .collect();
    packaged.sort();
    packaged.into_iter().rev().chain(in_path).find(|folder| folder.join("initdb").is_file())
}
