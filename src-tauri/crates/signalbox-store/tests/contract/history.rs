//! The history is append-only, chained and searchable.

use signalbox_core::change::{Change, ChangeKind, GENESIS};
use signalbox_core::ids::ApprovalId;
use signalbox_store::{ChangeFilter, ConfigEdit};

use crate::database::on_both_databases;
use crate::samples::{HOSTILE, MIDNIGHT, SECOND, change, stored};

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

    async fn changes_are_found_by_their_time_and_by_a_part_of_their_words(db: &Database) {
        let told = |number: i64, sentence: &str, reason: Option<&str>| ConfigEdit {
            writes: Vec::new(),
            change: Change {
                at: MIDNIGHT.plus_micros(number * SECOND),
                sentence: sentence.to_owned(),
                reason: reason.map(str::to_owned),
                ..change(ChangeKind::Route, &format!("subject {number}"))
            },
        };
        let edits = vec![
            told(0, "Claude moves to first", None),
            told(1, "gpt leaves", Some("100% of its answers were late")),
            told(2, "nothing_much", None),
        ];
        db.store.write_config(edits).await.unwrap();
        let found = async |filter: ChangeFilter| {
            let rows = db.store.changes(&filter, None, 100).await.unwrap();
            assert_eq!(db.store.count_changes(&filter).await.unwrap(), i64::try_from(rows.len()).unwrap());
            rows.iter().map(|entry| entry.seq).collect::<Vec<_>>()
        };
        let text = |part: &str| ChangeFilter { text: Some(part.to_owned()), ..ChangeFilter::default() };
        assert_eq!(found(text("CLAUDE")).await, [1]);
        assert_eq!(found(text("100% of")).await, [2]);
        assert_eq!(found(text("g_m")).await, [3], "_ is itself, and no pattern");
        assert_eq!(found(text("subject 1")).await, [2]);
        assert!(found(text("%")).await == [2] && found(text(HOSTILE)).await.is_empty());
        let from = Some(MIDNIGHT.plus_micros(SECOND));
        let to = Some(MIDNIGHT.plus_micros(2 * SECOND));
        assert_eq!(found(ChangeFilter { from, ..ChangeFilter::default() }).await, [3, 2]);
        assert_eq!(found(ChangeFilter { from, to, ..ChangeFilter::default() }).await, [2]);
        let after: Vec<i64> = db.store.changes_after(1, 10).await.unwrap().iter().map(|entry| entry.seq).collect();
        assert_eq!(after, [2, 3]);
        assert_eq!(db.store.changes_after(0, 1).await.unwrap()[0].seq, 1);
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

    async fn flipping_any_byte_of_any_stored_entry_is_found(db: &Database) {
        let full = |number: i64| Change {
            reason: Some("because".to_owned()),
            before: Some("{}".to_owned()),
            after: Some("[]".to_owned()),
            approval: Some(ApprovalId::generate()),
            ..change(ChangeKind::Route, &format!("subject {number}"))
        };
        for number in 0..3 {
            let edit = ConfigEdit { writes: Vec::new(), change: full(number) };
            db.store.write_config(vec![edit]).await.unwrap();
        }
        let drop_guard = if db.is_sqlite() { "DROP TRIGGER changes_kept" } else { "DROP TRIGGER changes_kept ON changes" };
        db.run_behind_its_back(drop_guard).await.unwrap();
        // A byte flipped in the file is another character, number or blob in the column; back again, all fits.
        let texts = ["actor", "source", "kind", "subject", "sentence", "before_json", "after_json", "reason"];
        for seq in 1..=3 {
            for column in texts {
                let kept = format!("CREATE TABLE kept AS SELECT {column} AS text FROM changes WHERE seq = {seq}");
                db.run_behind_its_back(&kept).await.unwrap();
                let length = column_length(db, column, seq).await;
                for at in 1..=length {
                    let flipped = format!(
                        "UPDATE changes SET {column} = SUBSTR({column}, 1, {at} - 1) || \
                         CASE SUBSTR({column}, {at}, 1) WHEN 'x' THEN 'y' ELSE 'x' END || SUBSTR({column}, {at} + 1) \
                         WHERE seq = {seq}"
                    );
                    db.run_behind_its_back(&flipped).await.unwrap();
                    assert_eq!(first_bad(db).await, Some(seq), "{column}, character {at}");
                    let back = format!("UPDATE changes SET {column} = (SELECT text FROM kept) WHERE seq = {seq}");
                    db.run_behind_its_back(&back).await.unwrap();
                }
                db.run_behind_its_back("DROP TABLE kept").await.unwrap();
            }
            for (there, back) in [("at = at + 1", "at = at - 1"), ("seq = seq + 10", "seq = seq - 10")] {
                let of = |what: &str, seq: i64| format!("UPDATE changes SET {what} WHERE seq = {seq}");
                db.run_behind_its_back(&of(there, seq)).await.unwrap();
                assert!(first_bad(db).await.is_some(), "{there}");
                let moved = if there.starts_with("seq") { seq + 10 } else { seq };
                db.run_behind_its_back(&of(back, moved)).await.unwrap();
                assert_eq!(first_bad(db).await, None);
            }
        }
    }
}

async fn first_bad(db: &crate::database::Database) -> Option<i64> {
    db.store.verify_chain().await.unwrap().first_bad()
}

/// Characters of a column; they are the same in each entry but for the subject's last one.
async fn column_length(db: &crate::database::Database, column: &str, seq: i64) -> usize {
    let change = db.store.change(seq).await.unwrap().unwrap().change;
    let text = match column {
        "actor" => change.actor,
        "source" => change.source,
        "kind" => change.kind.as_str().to_owned(),
        "subject" => change.subject,
        "sentence" => change.sentence,
        "before_json" => change.before.unwrap(),
        "after_json" => change.after.unwrap(),
        _ => change.reason.unwrap(),
    };
    text.chars().count()
}
