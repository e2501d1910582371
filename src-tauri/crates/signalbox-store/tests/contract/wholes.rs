//! A batch that holds a request's start and its settlement writes the same as two batches; failovers and answers from
//! the cache are part of a settlement.

use signalbox_core::failure::FailureKind;
use signalbox_core::ids::RequestId;
use signalbox_core::ledger::{Attempt, CacheHit, Outcome, RequestStart, Settlement};
use signalbox_core::money::NanoUsd;
use signalbox_core::rollup::Step;
use signalbox_store::{FailoverFilter, GroupBy, LatencyQuery, LedgerEntry, RequestRecord, RollupQuery};

use crate::database::{Database, on_both_databases};
use crate::samples::{
    MIDNIGHT, SECOND, attempt, begin, failed_attempt, operation_id, record_in, settle, settlement_of, start,
    succeeded, target,
};

fn with_everything(number: i64) -> (RequestStart, Settlement) {
    let mut begun = start("chat_message", MIDNIGHT.plus_micros(number * SECOND));
    begun.user = Some(format!("u_{}", number % 3));
    begun.payload = Some(format!("{{\"n\":{number}}}"));
    let mut ended = match number % 3 {
        0 => succeeded(&begun, 1_000 + number),
        1 => settlement_of(
            &begun,
            Outcome::Succeeded,
            vec![failed_attempt("openai/gpt-5"), attempt("deepseek/deepseek-chat", number)],
        ),
        _ => settlement_of(&begun, Outcome::Failed, vec![failed_attempt("openai/gpt-5")]),
    };
    ended.payload = Some("data: {}".to_owned());
    if ended.outcome == Outcome::Failed {
        ended.error_message = Some("no".to_owned());
    }
    (begun, ended)
}

/// The entry as the journal gives it: without the payload that is written with the start.
fn settle_without_payload(begun: &RequestStart, ended: &Settlement) -> LedgerEntry {
    settle(&RequestStart { payload: None, ..begun.clone() }, ended)
}

async fn sums(db: &Database) -> (Vec<signalbox_store::RollupRow>, Vec<signalbox_store::LatencyRow>) {
    let (from, to) = (MIDNIGHT, MIDNIGHT.plus_micros(86_400 * SECOND));
    let rollups = RollupQuery { step: Step::Minute, from, to, group_by: GroupBy::Model, operation: None };
    let latencies = LatencyQuery { step: Step::Minute, from, to, group_by: GroupBy::Model, operation: None };
    (db.store.rollups(&rollups).await.unwrap(), db.store.latencies(&latencies).await.unwrap())
}

async fn assert_clean(db: &Database) {
    let report = db.store.verify_ledger().await.unwrap();
    assert!(report.is_clean(), "{:#?}", report.first_differences);
}

on_both_databases! {
    async fn a_request_that_begins_and_ends_in_one_batch_is_the_same_as_in_two(db: &Database) {
        let requests: Vec<_> = (0..150).map(with_everything).collect();
        let entries: Vec<_> = requests
            .iter()
            .flat_map(|(begun, ended)| [begin(begun), settle_without_payload(begun, ended)])
            .collect();
        let mut ledger = db.store.ledger().await.unwrap();
        for batch in entries.chunks(47) {
            ledger.commit(batch).await.unwrap();
        }
        for (begun, ended) in &requests {
            let expected = RequestRecord { start: begun.clone(), settlement: Some(ended.clone()) };
            assert_eq!(db.store.request(begun.id).await.unwrap(), Some(expected));
        }
        assert_eq!(db.number("SELECT COUNT(*) FROM requests").await, 150);
        assert_clean(db).await;
        let once = sums(db).await;
        assert_eq!(once.0.iter().map(|row| row.sums.requests).sum::<i64>(), 150);
        for batch in entries.chunks(31) {
            ledger.commit(batch).await.unwrap();
        }
        assert_eq!(sums(db).await, once, "given again, nothing is counted again");
        assert_eq!(db.number("SELECT COUNT(*) FROM failovers").await, 50);
        assert_clean(db).await;
    }

    async fn a_batch_may_hold_requests_that_are_new_open_and_settled_already(db: &Database) {
        let requests: Vec<_> = (0..90).map(with_everything).collect();
        record_in(&db.store, &requests[..30]).await;
        let mut ledger = db.store.ledger().await.unwrap();
        let starts: Vec<_> = requests[30..60].iter().map(|(begun, _)| begin(begun)).collect();
        ledger.commit(&starts).await.unwrap();
        let open = start("job_planning", MIDNIGHT);
        let mut entries: Vec<_> =
            requests.iter().flat_map(|(begun, ended)| [begin(begun), settle(begun, ended)]).collect();
        entries.push(begin(&open));
        ledger.commit(&entries).await.unwrap();
        for (begun, ended) in &requests {
            let expected = RequestRecord { start: begun.clone(), settlement: Some(ended.clone()) };
            assert_eq!(db.store.request(begun.id).await.unwrap(), Some(expected));
        }
        assert_eq!(db.store.open_requests().await.unwrap().len(), 1);
        let (rows, _) = sums(db).await;
        assert_eq!(rows.iter().map(|row| row.sums.requests).sum::<i64>(), 90);
        assert_clean(db).await;
    }

    async fn each_step_to_another_target_is_a_failover_and_another_try_is_none(db: &Database) {
        let begun = start("chat_message", MIDNIGHT);
        let at = |from: &str, started_us, finished_us, failure| Attempt {
            started_us,
            finished_us,
            failure: Some(failure),
            ..failed_attempt(from)
        };
        let attempts = vec![
            at("openai/gpt-5", 100, 1_000, FailureKind::Timeout),
            at("openai/gpt-5", 1_500, 2_000, FailureKind::RateLimit),
            at("deepseek/deepseek-chat", 2_180, 5_000, FailureKind::ServerError),
            Attempt { started_us: 5_090, ..attempt("openrouter/openai/gpt-oss-120b", 7) },
        ];
        let ended = settlement_of(&begun, Outcome::Succeeded, attempts);
        record_in(&db.store, &[(begun.clone(), ended)]).await;
        let other = start("job_planning", MIDNIGHT.plus_micros(SECOND));
        let other_end = settlement_of(
            &other,
            Outcome::Succeeded,
            vec![at("openai/gpt-5", 0, 9, FailureKind::Network), attempt("deepseek/deepseek-chat", 1)],
        );
        db.store.ledger().await.unwrap().commit(&[begin(&other), settle(&other, &other_end)]).await.unwrap();

        let all = db.store.failovers(&FailoverFilter::default(), None, 10).await.unwrap();
        let steps: Vec<_> = all.iter().map(|step| (step.request, step.ordinal, step.hop_us)).collect();
        assert_eq!(steps, [(other.id, 1, 171), (begun.id, 3, 90), (begun.id, 2, 180)]);
        assert_eq!((&all[2].from, &all[2].to), (&target("openai/gpt-5"), &target("deepseek/deepseek-chat")));
        assert_eq!((all[2].reason, all[2].at), (FailureKind::RateLimit, MIDNIGHT.plus_micros(2_180)));
        assert_eq!(all[2].operation, operation_id("chat_message"));

        let last = &all[1];
        let place = (last.at, last.request, last.ordinal);
        let older = db.store.failovers(&FailoverFilter::default(), Some(place), 10).await.unwrap();
        assert_eq!(older, all[2..]);
        let of_chat = FailoverFilter { operation: Some(operation_id("chat_message")), ..FailoverFilter::default() };
        assert_eq!(db.store.failovers(&of_chat, None, 10).await.unwrap(), all[1..]);
        let recent = FailoverFilter { since: Some(MIDNIGHT.plus_micros(SECOND)), ..FailoverFilter::default() };
        assert_eq!(db.store.failovers(&recent, None, 10).await.unwrap(), all[..1]);
        let of_deepseek = FailoverFilter {
            from_provider: Some(target("deepseek/x").provider),
            from_model: Some(target("x/deepseek-chat").model),
            ..FailoverFilter::default()
        };
        assert_eq!(db.store.failovers(&of_deepseek, None, 10).await.unwrap(), all[1..2]);
        assert!(db.run_behind_its_back("DELETE FROM failovers").await.is_err());
    }

    async fn an_answer_from_the_cache_says_whose_it_was_and_what_it_saved(db: &Database) {
        let original = RequestId::generate();
        for (saved, in_two) in [(Some(NanoUsd::from_nanos(77)), true), (None, false)] {
            let begun = start("chat_message", MIDNIGHT);
            let mut ended = settlement_of(&begun, Outcome::Succeeded, Vec::new());
            ended.cache = Some(CacheHit { of: original, saved });
            let mut ledger = db.store.ledger().await.unwrap();
            if in_two {
                ledger.commit(&[begin(&begun)]).await.unwrap();
                ledger.commit(&[settle(&begun, &ended)]).await.unwrap();
            } else {
                ledger.commit(&[begin(&begun), settle(&begun, &ended)]).await.unwrap();
            }
            assert_eq!(db.store.request(begun.id).await.unwrap().unwrap().settlement, Some(ended));
        }
        assert_clean(db).await;
    }
}
