//! Spend by user, operation, provider and target is what the ledger's rows add up to.

use std::collections::BTreeMap;

use signalbox_core::ledger::{Outcome, RequestStart};
use signalbox_core::rollup::Step;
use signalbox_core::time::Timestamp;
use signalbox_store::{SpendBy, SpendQuery};

use crate::database::on_both_databases;
use crate::samples::{MIDNIGHT, SECOND, attempt, record, settlement_of, start};

const HOUR: i64 = 3_600 * SECOND;
const DAY: i64 = 24 * HOUR;
const TARGETS: [&str; 2] = ["deepseek/deepseek-chat", "openai/gpt-5"];

/// Operation, user, target, hour, nano-dollars.
const REQUESTS: [(&str, Option<&str>, usize, i64, i64); 6] = [
    ("chat_message", Some("ann"), 0, 1, 700),
    ("chat_message", Some("ann"), 1, 1, 5_000_000_000),
    ("chat_message", Some("bob"), 0, 2, 300),
    ("job_planning", Some("bob"), 1, 30, 9_000_000_000),
    ("job_planning", None, 0, 30, 40),
    ("chat_message", Some("ann"), 0, 50, 1),
];

fn query(step: Step, by: SpendBy, only: Option<&str>, days: i64) -> SpendQuery {
    let to = MIDNIGHT.plus_micros(days * DAY);
    SpendQuery { step, from: MIDNIGHT, to, by, only: only.map(str::to_owned) }
}

on_both_databases! {
    async fn spend_is_split_by_whoever_spent_it_and_ranked_by_how_much(db: &Database) {
        let mut ledger = db.store.ledger().await.unwrap();
        let batch: Vec<_> = REQUESTS
            .iter()
            .map(|(operation, user, target, hour, nanos)| {
                let at = MIDNIGHT.plus_micros(hour * HOUR + 7);
                let begun = RequestStart { user: user.map(str::to_owned), ..start(operation, at) };
                let ended = settlement_of(&begun, Outcome::Succeeded, vec![attempt(TARGETS[*target], *nanos)]);
                (begun, ended)
            })
            .collect();
        record(&mut ledger, &batch).await;

        let by_user = db.store.spend(&query(Step::Day, SpendBy::User, None, 2)).await.unwrap();
        let found: Vec<_> = by_user.iter().map(|row| (row.start, row.key.as_str(), row.cost_nano_usd, row.requests)).collect();
        let tomorrow = MIDNIGHT.plus_micros(DAY);
        assert_eq!(found, [
            (MIDNIGHT, "ann", 5_000_000_700, 2),
            (MIDNIGHT, "bob", 300, 1),
            (tomorrow, "", 40, 1),
            (tomorrow, "bob", 9_000_000_000, 1),
        ]);

        let anns = db.store.spend(&query(Step::Hour, SpendBy::User, Some("ann"), 3)).await.unwrap();
        let hours: BTreeMap<Timestamp, i64> = anns.iter().map(|row| (row.start, row.cost_nano_usd)).collect();
        let at = |hour: i64| MIDNIGHT.plus_micros(hour * HOUR);
        assert_eq!(hours, BTreeMap::from([(at(1), 5_000_000_700), (at(50), 1)]));
        let tokens: i64 = batch[0].1.usage().tokens_in().try_into().unwrap();
        let written: i64 = batch[0].1.usage().tokens_out().try_into().unwrap();
        assert_eq!(anns[1].tokens, tokens + written);

        let ranked = db.store.spend_ranking(&query(Step::Day, SpendBy::User, None, 3), 2).await.unwrap();
        let ranked: Vec<_> = ranked.iter().map(|row| (row.key.as_str(), row.cost_nano_usd, row.requests)).collect();
        assert_eq!(ranked, [("bob", 9_000_000_300, 2), ("ann", 5_000_000_701, 3)]);

        for (by, only, total) in [
            (SpendBy::Total, None, 14_000_001_041),
            (SpendBy::Operation, Some("chat_message"), 5_000_001_001),
            (SpendBy::Provider, Some("openai"), 14_000_000_000),
            (SpendBy::Model, Some(TARGETS[0]), 1_041),
            (SpendBy::User, Some("nobody"), 0),
        ] {
            for step in [Step::Hour, Step::Day] {
                let rows = db.store.spend(&query(step, by, only, 3)).await.unwrap();
                assert_eq!(rows.iter().map(|row| row.cost_nano_usd).sum::<i64>(), total, "{by:?} {step:?}");
            }
            let ranked = db.store.spend_ranking(&query(Step::Day, by, only, 3), 10).await.unwrap();
            assert_eq!(ranked.iter().map(|row| row.cost_nano_usd).sum::<i64>(), total, "{by:?}");
        }
    }
}
