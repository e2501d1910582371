//! Opening: a new database, an old one, a newer one, none at all, and several processes at once.

use std::path::Path;
use std::time::Duration;

use signalbox_store::{Backend, Durability, RequestFilter, Store, StoreError};
use sqlx::{ConnectOptions, Connection, Row};

use crate::database::{Database, on_both_databases, sqlite_options};
use crate::postgres;
use crate::samples::{MIDNIGHT, begin, edit, put_operation, record_in, settle, start, succeeded};

async fn open(path: &Path) -> Result<Store, StoreError> {
    Store::open_sqlite(path, Durability::Process).await
}

async fn pragma(file: &Path, text: &'static str) -> String {
    let mut connection = sqlite_options(file).connect().await.unwrap();
    sqlx::query(text).fetch_one(&mut connection).await.unwrap().get_unchecked(0)
}

#[cfg(unix)]
#[tokio::test]
async fn the_file_and_its_log_are_for_their_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let db = Database::sqlite().await;
    let begun = start("chat_message", MIDNIGHT);
    db.store.ledger().await.unwrap().commit(&[begin(&begun)]).await.unwrap();
    let file = db.file().unwrap();
    for name in ["", "-wal", "-shm"] {
        let path = file.with_file_name(format!("signalbox.db{name}"));
        assert_eq!(
            std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600,
            "{}",
            path.display()
        );
    }
    assert_eq!(pragma(&file, "PRAGMA journal_mode").await, "wal");
}

#[tokio::test]
async fn a_place_that_cannot_be_written_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    for path in
        [file.join("signalbox.db"), folder.path().join("missing/signalbox.db"), folder.path().to_owned()]
    {
        match open(&path).await {
            Err(StoreError::Unwritable { path: named }) => assert_eq!(named, path),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_file_that_is_no_database_is_called_damaged_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("signalbox.db");
    let text = "This is somebody's diary, not a database. ".repeat(100);
    std::fs::write(&file, &text).unwrap();
    let error = open(&file).await.unwrap_err();
    assert!(matches!(error, StoreError::Corrupt { .. }), "{error:?}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
}

#[tokio::test]
async fn a_damaged_page_is_found_by_the_check() {
    let db = Database::sqlite().await;
    let requests: Vec<_> = (0..2_000)
        .map(|_| {
            let begun = start("chat_message", MIDNIGHT);
            let ended = succeeded(&begun, 1);
            (begun, ended)
        })
        .collect();
    record_in(&db.store, &requests).await;
    db.run_behind_its_back("PRAGMA wal_checkpoint(TRUNCATE)").await.unwrap();
    db.store.close().await;
    let file = db.file().unwrap();
    let mut bytes = std::fs::read(&file).unwrap();
    let middle = bytes.len() / 2 / 4096 * 4096;
    // Several: a single one may happen to be free.
    bytes[middle..middle + 16 * 4096].fill(0x5a);
    std::fs::write(&file, bytes).unwrap();
    let checked = match open(&file).await {
        Ok(store) => store.verify_ledger().await.map(|report| report.is_clean()),
        Err(error) => Err(error),
    };
    assert!(matches!(checked, Ok(false) | Err(StoreError::Corrupt { .. })), "{checked:?}");
}

#[tokio::test]
async fn a_process_that_holds_the_database_is_waited_for_and_then_named() {
    let db = Database::sqlite().await;
    let mut ledger = db.store.ledger().await.unwrap();
    let mut holder = sqlite_options(&db.file().unwrap()).connect().await.unwrap();
    let held = holder.begin_with("BEGIN IMMEDIATE").await.unwrap();
    let begun = start("chat_message", MIDNIGHT);
    let entries = [begin(&begun)];
    let refused = ledger.commit(&entries).await;
    assert!(matches!(refused, Err(StoreError::Busy { .. })), "{refused:?}");
    held.rollback().await.unwrap();
    ledger.commit(&entries).await.unwrap();
    assert_eq!(db.store.requests(&RequestFilter::default(), None, 10).await.unwrap().len(), 1);
}

on_both_databases! {
    async fn a_schema_of_a_newer_program_is_refused_and_left_alone(db: &Database) {
        db.run_behind_its_back(
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
             VALUES (29990101000001, 'from the future', TRUE, 'x', 1)",
        )
        .await
        .unwrap();
        let refused = match db.file() {
            Some(file) => open(&file).await,
            None => Store::open_postgres(db.url().unwrap()).await,
        };
        assert!(matches!(
            refused,
            Err(StoreError::NewerSchema { found: 29_990_101_000_001, supported: 20_261_121_000_011 })
        ), "{refused:?}");
    }

    async fn a_schema_of_another_program_is_refused(db: &Database) {
        db.run_behind_its_back("UPDATE _sqlx_migrations SET checksum = 'other'").await.unwrap();
        let refused = match db.file() {
            Some(file) => open(&file).await,
            None => Store::open_postgres(db.url().unwrap()).await,
        };
        assert!(matches!(refused, Err(StoreError::ForeignSchema { version: 20_261_121_000_001 })), "{refused:?}");
    }

    async fn what_was_stored_is_there_after_opening_again(db: &Database) {
        let begun = start("chat_message", MIDNIGHT);
        record_in(&db.store, &[(begun.clone(), succeeded(&begun, 5))]).await;
        db.store.close().await;
        let store = db.open_again().await;
        assert!(store.request(begun.id).await.unwrap().unwrap().settlement.is_some());
        assert_eq!(store.backend(), if db.is_sqlite() { Backend::Sqlite } else { Backend::Postgres });
    }

    async fn every_process_may_open_at_once_while_one_writes(db: &Database) {
        let mut ledger = db.store.ledger().await.unwrap();
        let writing = async {
            for _ in 0..50 {
                let begun = start("chat_message", MIDNIGHT);
                ledger.commit(&[begin(&begun)]).await.unwrap();
            }
        };
        tokio::join!(writing, db.open_again(), db.open_again(), db.open_again());
    }
}

#[tokio::test]
async fn a_migration_broken_off_anywhere_leaves_nothing_and_the_next_start_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    for polls in 0..40_u32 {
        let file = folder.path().join(format!("{polls}.db"));
        {
            let mut opening = std::pin::pin!(open(&file));
            for _ in 0..polls {
                if futures::poll!(opening.as_mut()).is_ready() {
                    break;
                }
                tokio::time::sleep(Duration::from_micros(300)).await;
            }
        }
        assert_eq!(open(&file).await.unwrap().revision().await.unwrap(), 0);
    }
}

#[tokio::test]
async fn a_folder_may_have_any_name() {
    let folder = tempfile::tempdir().unwrap();
    let odd = folder.path().join("Application Support %20?mode=ro#&'\"é💥");
    std::fs::create_dir(&odd).unwrap();
    let file = odd.join("signalbox.db");
    let store = open(&file).await.unwrap();
    let begun = start("chat_message", MIDNIGHT);
    record_in(&store, &[(begun.clone(), succeeded(&begun, 5))]).await;
    assert!(file.is_file());
    assert!(store.request(begun.id).await.unwrap().is_some());
}

#[tokio::test]
async fn an_unreachable_postgres_is_an_error_at_once() {
    let nowhere = "postgres://nobody@localhost/nothing?host=/nonexistent";
    let refused = tokio::time::timeout(Duration::from_secs(5), Store::open_postgres(nowhere)).await.unwrap();
    assert!(
        matches!(refused, Err(StoreError::Database { operation: "open the database", .. })),
        "{refused:?}"
    );
    assert!(Store::open_postgres("not a url").await.is_err());
}

#[tokio::test]
async fn a_postgres_that_drops_every_connection_is_used_again_afterwards() {
    let Some(db) = Database::postgres().await else { return };
    let mut signal = db.store.config_signal().await;
    assert!(tokio::time::timeout(Duration::from_millis(50), signal.changed()).await.is_err());
    let mut ledger = db.store.ledger().await.unwrap();
    let begun = start("chat_message", MIDNIGHT);
    ledger.commit(&[begin(&begun)]).await.unwrap();
    db.run_behind_its_back(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
         WHERE datname = current_database() AND pid <> pg_backend_pid()",
    )
    .await
    .unwrap();
    let end = [settle(&begun, &succeeded(&begun, 5))];
    assert!(ledger.commit(&end).await.is_err());
    ledger.commit(&end).await.unwrap();
    assert!(db.store.request(begun.id).await.unwrap().unwrap().settlement.is_some());
    db.store.write_config(vec![edit(vec![put_operation("chat_message", 1, None)])]).await.unwrap();
    let revision = tokio::time::timeout(Duration::from_secs(10), async {
        loop {
            if let Ok(revision) = signal.changed().await {
                return revision;
            }
        }
    });
    assert_eq!(revision.await.unwrap(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn four_processes_that_find_no_database_make_one() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("signalbox.db");
    for _ in 0..5 {
        let (a, b, c, d) = tokio::join!(open(&file), open(&file), open(&file), open(&file));
        for store in [a, b, c, d] {
            assert_eq!(store.unwrap().revision().await.unwrap(), 0);
        }
        for entry in std::fs::read_dir(folder.path()).unwrap() {
            std::fs::remove_file(entry.unwrap().path()).unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn four_nodes_that_find_an_empty_postgres_migrate_it_once() {
    let Some(url) = postgres::empty_database() else { return };
    let open = || Store::open_postgres(&url);
    let (a, b, c, d) = tokio::join!(open(), open(), open(), open());
    for store in [a, b, c, d] {
        assert_eq!(store.unwrap().revision().await.unwrap(), 0);
    }
}

#[tokio::test]
async fn both_databases_have_the_same_tables_and_columns() {
    let (sqlite, Some(postgres)) = (Database::sqlite().await, Database::postgres().await) else { return };
    let mut of_sqlite = sqlite
        .texts(
            "SELECT m.name || '.' || c.name || ' ' || CASE WHEN c.\"notnull\" THEN 'required' ELSE 'optional' END \
             FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table' AND m.name NOT LIKE '\\_%' ESCAPE '\\'",
        )
        .await;
    let mut of_postgres = postgres
        .texts(
            "SELECT table_name || '.' || column_name || ' ' || CASE is_nullable WHEN 'NO' THEN 'required' \
             ELSE 'optional' END FROM information_schema.columns \
             WHERE table_schema = 'public' AND table_name NOT LIKE '\\_%'",
        )
        .await;
    of_sqlite.sort();
    of_postgres.sort();
    assert_eq!(of_sqlite, of_postgres);
    assert!(of_sqlite.len() > 80);
}
