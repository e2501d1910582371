//! The history is append-only, chained and searchable.

use signalbox_core::change::{Change, ChangeKind, GENESIS};
use signalbox_store::{ChangeFilter, ConfigEdit};

use crate::database::on_both_databases;
use crate::samples::{HOSTILE, change, stored};

fn entry(kind: ChangeKind, subject: &str) -> ConfigEdit {
    ConfigEdit { writes: Vec::new(), change: change(kind, subject) }
}

on_both_databases! {
    async fn entries_are_chained_in_the_order_they_were_given(db: &Database) {
        let first = db.store.write_config(vec![entry(ChangeKind::Route, "a"), entry(ChangeKind::Key, "b")]).await.unwrap();
        let second = db.store.write_config(vec![entry(ChangeKind::Route, "c")]).await.unwrap();
        let all: Vec<_> = first.into_iter().chain(second).collect();
        assert_eq!(all.iter().map(|entry| entry.seq).collect::<Vec<_>>(), [1, 2, 3]);
        assert_eq!(all[0].prev_hash, GENESIS);
        assert_eq!(all[1].prev_hash, all[0].hash);
        assert_eq!(all[2].prev_hash, all[1].hash);
        for wanted in &all {
            assert_eq!(db.store.change(wanted.seq).await.unwrap().as_ref(), Some(wanted));
        }
        assert_eq!(db.store.change(4).await.unwrap(), None);
        let verifier = db.open_again().await.verify_chain().await.unwrap();
        assert_eq!((verifier.entries(), verifier.first_bad()), (3, None));
    }

    async fn pages_are_newest_first_and_filters_narrow_them(db: &Database) {
        for number in 0..25 {
            let kind = if number % 5 == 0 { ChangeKind::Key } else { ChangeKind::Route };
            db.store.write_config(vec![entry(kind, &format!("subject {}", number % 3))]).await.unwrap();
        }
        let all = ChangeFilter::default();
        let first = db.store.changes(&all, None, 10).await.unwrap();
        let second = db.store.changes(&all, Some(first[9].seq), 10).await.unwrap();
        let third = db.store.changes(&all, Some(second[9].seq), 10).await.unwrap();
        let seqs: Vec<i64> = first.iter().chain(&second).chain(&third).map(|entry| entry.seq).collect();
        assert_eq!(seqs, (1..=25).rev().collect::<Vec<_>>());
        let count = async |filter: ChangeFilter| db.store.changes(&filter, None, 100).await.unwrap().len();
        assert_eq!(count(ChangeFilter { kind: Some(ChangeKind::Key), ..all.clone() }).await, 5);
        assert_eq!(count(ChangeFilter { subject: Some("subject 1".to_owned()), ..all.clone() }).await, 8);
        assert_eq!(count(ChangeFilter { actor: Some("local".to_owned()), ..all.clone() }).await, 25);
        assert_eq!(count(ChangeFilter { actor: Some(HOSTILE.to_owned()), ..all }).await, 0);
    }

    async fn hostile_text_is_hashed_as_it_is_stored(db: &Database) {
        let hostile = Change {
            actor: "x".repeat(1_000),
            sentence: HOSTILE.to_owned(),
            before: Some(format!("{HOSTILE:?}")),
            after: Some(HOSTILE.to_owned()),
            reason: Some(HOSTILE.repeat(1_000)),
            ..change(ChangeKind::Setting, HOSTILE)
        };
        let written = db.store.write_config(vec![ConfigEdit { writes: Vec::new(), change: hostile }]).await.unwrap();
        assert_eq!(written[0].change.sentence, stored(HOSTILE));
        assert_eq!(db.store.change(1).await.unwrap().as_ref(), written.first());
        assert_eq!(db.store.verify_chain().await.unwrap().first_bad(), None);
        let same_subject = ChangeFilter { subject: Some(HOSTILE.to_owned()), ..ChangeFilter::default() };
        assert_eq!(db.store.changes(&same_subject, None, 10).await.unwrap(), written);
    }

    async fn no_statement_changes_or_removes_an_entry(db: &Database) {
        db.store.write_config(vec![entry(ChangeKind::Route, "a"), entry(ChangeKind::Route, "b")]).await.unwrap();
        let mut statements = vec![
            "UPDATE changes SET actor = 'nobody' WHERE seq = 1",
            "DELETE FROM changes WHERE seq = 2",
            "INSERT INTO changes SELECT seq + 5, id, at, actor, source, kind, subject, sentence, before_json, \
             after_json, reason, prev_hash, hash FROM changes WHERE seq = 1",
        ];
        statements.push(if db.is_sqlite() {
            "REPLACE INTO changes SELECT seq, id, at, 'nobody', source, kind, subject, sentence, before_json, \
             after_json, reason, prev_hash, hash FROM changes WHERE seq = 1"
        } else {
            "TRUNCATE changes"
        });
        for statement in statements {
            assert!(db.run_behind_its_back(statement).await.is_err(), "{statement}");
        }
        let verifier = db.store.verify_chain().await.unwrap();
        assert_eq!((verifier.entries(), verifier.first_bad()), (2, None));
    }

    async fn an_entry_changed_by_force_is_found(db: &Database) {
        for number in 0..5 {
            db.store.write_config(vec![entry(ChangeKind::Route, &number.to_string())]).await.unwrap();
        }
        let drop_guard = if db.is_sqlite() {
            "DROP TRIGGER changes_kept; "
        } else {
            "DROP TRIGGER changes_kept ON changes; "
        };
        let tamper = format!("{drop_guard} UPDATE changes SET sentence = 'nothing happened' WHERE seq = 3");
        db.run_behind_its_back(&tamper).await.unwrap();
        assert_eq!(db.store.verify_chain().await.unwrap().first_bad(), Some(3));
    }
}
