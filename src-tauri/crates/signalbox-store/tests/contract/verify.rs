//! A ledger that was tampered with by force does not add up.

use signalbox_core::ledger::Outcome;
use signalbox_core::meter::{Cost, CostStatus};
use signalbox_core::money::NanoUsd;

use crate::database::{Database, on_both_databases};
use crate::samples::{MIDNIGHT, SECOND, attempt, begin, record_in, settlement_of, start, succeeded};

/// A few requests over three days.
async fn fill(db: &Database) {
    let requests: Vec<_> = (0..30)
        .map(|number| {
            let begun = start("chat_message", MIDNIGHT.plus_micros(number * 7_200 * SECOND));
            let ended = succeeded(&begun, 1_000 + number);
            (begun, ended)
        })
        .collect();
    record_in(&db.store, &requests).await;
    db.store.ledger().await.unwrap().commit(&[begin(&start("chat_message", MIDNIGHT))]).await.unwrap();
}

async fn differences_after(db: &Database, sqlite: &str, postgres: &str, tamper: &str) -> Vec<String> {
    let guard = if db.is_sqlite() { sqlite } else { postgres };
    db.run_behind_its_back(&format!("{guard}; {tamper}")).await.unwrap();
    let report = db.store.verify_ledger().await.unwrap();
    assert!(!report.is_clean());
    assert_eq!(report.first_differences.len(), usize::try_from(report.differences).unwrap().min(20));
    report.first_differences
}

on_both_databases! {
    async fn an_untouched_ledger_adds_up(db: &Database) {
        assert!(db.store.verify_ledger().await.unwrap().is_clean());
        fill(db).await;
        let report = db.store.verify_ledger().await.unwrap();
        assert!(report.is_clean(), "{:#?}", report.first_differences);
        assert_eq!((report.settled, report.open, report.attempts), (30, 1, 30));
        assert!(report.rollups > 90);
    }

    async fn an_interrupted_request_settled_at_its_estimate_adds_up(db: &Database) {
        let begun = start("chat_message", MIDNIGHT);
        let mut lost = attempt("deepseek/deepseek-chat", 0);
        lost.cost = Cost {
            status: CostStatus::Estimated,
            total: Some(NanoUsd::from_nanos(1_234_567)),
            lines: Vec::new(),
            card: None,
        };
        record_in(&db.store, &[(begun.clone(), settlement_of(&begun, Outcome::Interrupted, vec![lost]))]).await;
        assert!(db.store.verify_ledger().await.unwrap().is_clean());
    }

    async fn a_cheaper_request_is_found(db: &Database) {
        fill(db).await;
        let found = differences_after(
            db,
            "DROP TRIGGER requests_settled_once",
            "DROP TRIGGER requests_settled_once ON requests",
            "UPDATE requests SET cost_nano_usd = 1 WHERE cost_nano_usd = 1005",
        )
        .await;
        assert!(found.iter().any(|text| text.contains("its attempts say")), "{found:#?}");
        assert!(found.iter().any(|text| text.contains("cost_nano_usd: 1005")), "{found:#?}");
    }

    async fn a_changed_cost_line_is_found(db: &Database) {
        fill(db).await;
        let found = differences_after(
            db,
            "DROP TRIGGER cost_lines_kept",
            "DROP TRIGGER cost_lines_kept ON cost_lines",
            "UPDATE cost_lines SET cost_nano_usd = cost_nano_usd + 1 WHERE cost_nano_usd = 514",
        )
        .await;
        assert!(found[0].contains("its lines"), "{found:#?}");
    }

    async fn a_changed_sum_is_found(db: &Database) {
        fill(db).await;
        let found = differences_after(
            db, "SELECT 1", "SELECT 1", "UPDATE rollups SET tokens_in = tokens_in - 1 WHERE step = 'hour'",
        )
        .await;
        assert_eq!(found.len(), 20, "thirty hours differ and twenty are told");
    }

    async fn a_missing_and_an_invented_sum_are_found(db: &Database) {
        fill(db).await;
        let found = differences_after(
            db, "SELECT 1", "SELECT 1", "DELETE FROM rollups WHERE step = 'ever'",
        )
        .await;
        assert!(found[0].contains("is missing"), "{found:#?}");
        let found = differences_after(
            db,
            "SELECT 1",
            "SELECT 1",
            "INSERT INTO rollup_latencies VALUES ('day', 0, 'x', 'x', 'x', TRUE, 'total', 1, 1)",
        )
        .await;
        assert!(found.iter().any(|text| text.contains("the ledger says None")), "{found:#?}");
    }
}
