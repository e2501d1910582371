use signalbox_core::decide::Decision;
use signalbox_core::ids::{NodeId, OperationId};
use signalbox_core::ledger::Surface;
use signalbox_core::route::Strategy;
use signalbox_core::time::Timestamp;

use super::*;
use crate::Durability;

fn begun() -> LedgerEntry {
    LedgerEntry::Start(Arc::new(RequestStart {
        idempotency: None,
        holding: None,
        refused_by: None,
        id: RequestId::generate(),
        node: NodeId::generate(),
        started_at: Timestamp::from_micros(0),
        operation: OperationId::new("chat_message").unwrap(),
        surface: Surface::OpenaiChat,
        streamed: false,
        requested_model: "x".repeat(4_000),
        key: None,
        user: None,
        tags: Vec::new(),
        config_revision: 1,
        decision: Decision::of(Strategy::Priority, Vec::new()),
        estimate: None,
        payload: None,
    }))
}

async fn opened(folder: &tempfile::TempDir) -> (Store, LedgerConnection) {
    let store = Store::open_sqlite(&folder.path().join("s.db"), Durability::Power).await.unwrap();
    let ledger = store.ledger().await.unwrap();
    (store, ledger)
}

/// `SQLite` itself plays the broken disk: a test that runs as root may write anywhere.
async fn pretend(ledger: &mut LedgerConnection, pragma: &'static str) {
    let Connection::Sqlite(ledger) = &mut ledger.connection else { panic!("a SQLite ledger") };
    sqlx::query(pragma).fetch_optional(ledger.writer()).await.unwrap();
}

#[tokio::test]
async fn a_full_disk_is_called_full_and_what_was_committed_stays() {
    let folder = tempfile::tempdir().unwrap();
    let (store, mut ledger) = opened(&folder).await;
    ledger.commit(&[begun()]).await.unwrap();
    pretend(&mut ledger, "PRAGMA max_page_count = 1").await;
    let entries: Vec<_> = (0..50).map(|_| begun()).collect();
    let refused = ledger.commit(&entries).await;
    assert!(matches!(refused, Err(StoreError::Full { .. })), "{refused:?}");
    assert_eq!(store.open_requests().await.unwrap().len(), 1);
    pretend(&mut ledger, "PRAGMA max_page_count = 1000000").await;
    ledger.commit(&entries).await.unwrap();
    assert_eq!(store.open_requests().await.unwrap().len(), 51);
    assert!(store.verify_ledger().await.unwrap().is_clean());
}

#[tokio::test]
async fn a_disk_that_became_read_only_is_called_so_and_nothing_is_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let (store, mut ledger) = opened(&folder).await;
    pretend(&mut ledger, "PRAGMA query_only = ON").await;
    let refused = ledger.commit(&[begun()]).await;
    assert!(matches!(refused, Err(StoreError::ReadOnly { .. })), "{refused:?}");
    pretend(&mut ledger, "PRAGMA query_only = OFF").await;
    assert!(store.open_requests().await.unwrap().is_empty());
    ledger.commit(&[begun()]).await.unwrap();
}

/// A transaction that begins as a reader and then writes fails at once when another process wrote meanwhile, whatever
/// the busy timeout; so every one says how it begins. And no statement's text is made of values.
#[test]
fn every_transaction_says_how_it_begins_and_no_text_is_made_of_values() {
    fn look_into(folder: &std::path::Path) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                look_into(&path);
            } else if !path.ends_with("tests.rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                assert!(!text.contains(concat!(".begin", "()")), "{}", path.display());
                for verb in ["SELECT", "INSERT", "UPDATE", "DELETE"] {
                    assert!(!text.contains(&["format!(\"", verb].concat()), "{}", path.display());
                }
            }
        }
    }
    look_into(std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")));
}
