//! A request is inserted once, settled once, counted once, and never changed.

use std::collections::HashMap;

use signalbox_core::failure::FailureKind;
use signalbox_core::ids::{KeyId, RequestId};
use signalbox_core::key::{ApiKey, KeyHash};
use signalbox_core::ledger::{Outcome, RequestStart, Settlement};
use signalbox_core::meter::{Cost, CostStatus};
use signalbox_core::money::NanoUsd;
use signalbox_core::rollup::Step;
use signalbox_core::usage::{Unit, Usage};
use signalbox_store::{
    ConfigWrite, GroupBy, KeyUse, LatencyQuery, LedgerEntry, RequestFilter, RequestRecord, RollupQuery,
    StoreError,
};

use crate::database::{Database, on_both_databases};
use crate::samples::{
    HOSTILE, MIDNIGHT, SECOND, attempt, begin, edit, failed_attempt, operation_id, record, record_in, settle,
    settlement_of, start, stored, succeeded,
};

async fn total_requests(db: &Database) -> i64 {
    let query = RollupQuery {
        step: Step::Day,
        from: MIDNIGHT,
        to: MIDNIGHT.plus_micros(86_400 * SECOND),
        group_by: GroupBy::Total,
        operation: None,
    };
    db.store.rollups(&query).await.unwrap().iter().map(|row| row.sums.requests).sum()
}

async fn assert_clean(db: &Database) {
    let report = db.store.verify_ledger().await.unwrap();
    assert!(report.is_clean(), "{:#?}", report.first_differences);
}

on_both_databases! {
    async fn a_request_reads_back_as_it_was_written(db: &Database) {
        let mut begun = start("chat_message", MIDNIGHT);
        begun.key = Some(KeyId::generate());
        begun.user = Some("u_1".to_owned());
        begun.tags = vec![("team".to_owned(), "sales".to_owned()), ("env".to_owned(), "prod".to_owned())];
        begun.payload = Some(r#"{"messages":[]}"#.to_owned());
        let mut ended = settlement_of(
            &begun,
            Outcome::Failed,
            vec![failed_attempt("openai/gpt-5"), attempt("deepseek/deepseek-chat", 333_001)],
        );
        ended.error_code = Some("provider_failed".to_owned());
        ended.error_message = Some("deepseek did not answer in time".to_owned());
        ended.payload = Some("data: {}".to_owned());
        ended.simulated = true;

        let mut ledger = db.store.ledger().await.unwrap();
        ledger.commit(&[begin(&begun)]).await.unwrap();
        let open = db.store.request(begun.id).await.unwrap();
        assert_eq!(open, Some(RequestRecord { start: begun.clone(), settlement: None }));
        ledger.commit(&[settle(&begun, &ended)]).await.unwrap();
        let settled = db.store.request(begun.id).await.unwrap();
        assert_eq!(settled, Some(RequestRecord { start: begun, settlement: Some(ended) }));
        assert_eq!(db.store.request(RequestId::generate()).await.unwrap(), None);
        assert_clean(db).await;
    }

    async fn a_batch_of_any_size_is_one_and_the_same(db: &Database) {
        let mut ledger = db.store.ledger().await.unwrap();
        let mut everything = Vec::new();
        for size in [1, 2, 3, 5, 17, 64, 65, 130_usize] {
            let batch: Vec<_> = (0..size)
                .map(|number| {
                    let begun = start("chat_message", MIDNIGHT.plus_micros(i64::try_from(number).unwrap() * SECOND));
                    let ended = succeeded(&begun, 1_000 + i64::try_from(number).unwrap());
                    (begun, ended)
                })
                .collect();
            record(&mut ledger, &batch).await;
            everything.extend(batch);
        }
        for (begun, ended) in &everything {
            let record = db.store.request(begun.id).await.unwrap().unwrap();
            assert_eq!((&record.start, record.settlement.as_ref()), (begun, Some(ended)));
        }
        assert_eq!(total_requests(db).await, i64::try_from(everything.len()).unwrap());
        assert_clean(db).await;
    }

    async fn starts_and_ends_of_a_batch_may_come_mixed(db: &Database) {
        let mut ledger = db.store.ledger().await.unwrap();
        let requests: Vec<_> = (0..40).map(|_| start("chat_message", MIDNIGHT)).collect();
        let (old, new) = requests.split_at(20);
        ledger.commit(&old.iter().map(begin).collect::<Vec<_>>()).await.unwrap();
        let mixed: Vec<LedgerEntry> = old
            .iter()
            .zip(new)
            .flat_map(|(old, new)| [settle(old, &succeeded(old, 5)), begin(new)])
            .chain([settle(&new[0], &succeeded(&new[0], 5))])
            .collect();
        ledger.commit(&mixed).await.unwrap();
        assert_eq!(total_requests(db).await, 21);
        assert_eq!(db.store.open_requests().await.unwrap().len(), 19);
        assert_clean(db).await;
    }

    async fn a_request_with_many_attempts_and_lines_fits(db: &Database) {
        let begun = start("chat_message", MIDNIGHT);
        let attempts: Vec<_> = (0..200).map(|_| attempt("deepseek/deepseek-chat", 3)).collect();
        let ended = settlement_of(&begun, Outcome::Succeeded, attempts);
        record_in(&db.store, &[(begun.clone(), ended.clone())]).await;
        assert_eq!(db.store.request(begun.id).await.unwrap().unwrap().settlement, Some(ended));
        assert_clean(db).await;
    }

    async fn a_batch_given_again_is_counted_once(db: &Database) {
        let mut ledger = db.store.ledger().await.unwrap();
        let requests: Vec<_> = (0..5).map(|_| start("chat_message", MIDNIGHT)).collect();
        let starts: Vec<_> = requests.iter().map(begin).collect();
        ledger.commit(&starts).await.unwrap();
        ledger.commit(&starts).await.unwrap();
        let ends: Vec<_> = requests.iter().map(|begun| settle(begun, &succeeded(begun, 100))).collect();
        ledger.commit(&ends[..2]).await.unwrap();
        ledger.commit(&ends).await.unwrap();
        ledger.commit(&ends).await.unwrap();
        let twice: Vec<_> = starts.iter().chain(&ends).chain(&ends).cloned().collect();
        ledger.commit(&twice).await.unwrap();
        assert_eq!(total_requests(db).await, 5);
        assert_eq!(db.number("SELECT COUNT(*) FROM attempts").await, 5);
        assert_clean(db).await;
    }

    async fn the_first_settlement_wins(db: &Database) {
        let mut ledger = db.store.ledger().await.unwrap();
        let begun = start("chat_message", MIDNIGHT);
        ledger.commit(&[begin(&begun)]).await.unwrap();
        let first = succeeded(&begun, 100);
        let second = settlement_of(&begun, Outcome::Interrupted, vec![attempt("openai/gpt-5", 999)]);
        ledger.commit(&[settle(&begun, &first), settle(&begun, &second)]).await.unwrap();
        ledger.commit(&[settle(&begun, &second)]).await.unwrap();
        assert_eq!(db.store.request(begun.id).await.unwrap().unwrap().settlement, Some(first));
        assert_eq!(total_requests(db).await, 1);
        assert_clean(db).await;
    }

    async fn a_settlement_whose_start_was_lost_is_still_written(db: &Database) {
        let mut ledger = db.store.ledger().await.unwrap();
        let (kept, lost) = (start("chat_message", MIDNIGHT), start("job_planning", MIDNIGHT));
        ledger.commit(&[begin(&kept)]).await.unwrap();
        ledger.commit(&[settle(&kept, &succeeded(&kept, 1)), settle(&lost, &succeeded(&lost, 2))]).await.unwrap();
        assert!(db.store.request(lost.id).await.unwrap().unwrap().settlement.is_some());
        assert_eq!(total_requests(db).await, 2);
        assert_clean(db).await;
    }

    async fn a_request_that_reached_nobody_has_no_target_and_costs_nothing(db: &Database) {
        let begun = start("chat_message", MIDNIGHT);
        let ended = settlement_of(&begun, Outcome::Failed, Vec::new());
        record_in(&db.store, &[(begun.clone(), ended)]).await;
        let page = db.store.requests(&RequestFilter::default(), None, 10).await.unwrap();
        let end = page[0].end.as_ref().unwrap();
        assert_eq!((end.target.as_ref(), end.cost, end.attempts), (None, Some(NanoUsd::ZERO), 0));
        assert_eq!(total_requests(db).await, 1);
        assert_clean(db).await;
    }

    async fn absurd_numbers_are_held_and_never_stop_the_ledger(db: &Database) {
        let mut requests = Vec::new();
        for _ in 0..3 {
            let begun = start("chat_message", MIDNIGHT);
            let mut ended = succeeded(&begun, i64::MAX);
            ended.attempts[0].usage = Usage::default().with(Unit::OutputTokens, u64::MAX).with(Unit::InputTokens, 7);
            ended.attempts[0].first_token_us = Some(i64::MAX);
            ended.latency_us = i64::MIN;
            requests.push((begun, ended));
        }
        let mut ledger = db.store.ledger().await.unwrap();
        for request in &requests {
            record(&mut ledger, std::slice::from_ref(request)).await;
        }
        let record = db.store.request(requests[0].0.id).await.unwrap().unwrap();
        assert_eq!(record.settlement.as_ref(), Some(&requests[0].1));
        let query = RollupQuery {
            step: Step::Hour,
            from: MIDNIGHT,
            to: MIDNIGHT.plus_micros(1),
            group_by: GroupBy::Total,
            operation: None,
        };
        let rows = db.store.rollups(&query).await.unwrap();
        assert_eq!(rows[0].sums.cost_nano_usd, i64::MAX);
        assert_eq!(rows[0].sums.tokens_out, i64::MAX);
        assert_eq!(rows[0].sums.tokens_in, 21);
        assert_clean(db).await;
    }

    async fn an_unpriced_request_is_never_counted_as_free(db: &Database) {
        let begun = start("chat_message", MIDNIGHT);
        let mut ended = succeeded(&begun, 0);
        ended.attempts[0].cost = Cost { status: CostStatus::Unpriced, total: None, lines: Vec::new(), card: None };
        record_in(&db.store, &[(begun, ended)]).await;
        let page = db.store.requests(&RequestFilter::default(), None, 10).await.unwrap();
        let end = page[0].end.as_ref().unwrap();
        assert_eq!((end.cost, end.cost_status), (None, CostStatus::Unpriced));
        assert_eq!(db.number("SELECT CAST(SUM(unpriced) AS BIGINT) FROM rollups WHERE step = 'day'").await, 1);
        assert_clean(db).await;
    }

    async fn hostile_text_in_every_field_is_only_text(db: &Database) {
        let mut begun = start("chat_message", MIDNIGHT);
        begun.requested_model = HOSTILE.repeat(50);
        begun.user = Some(HOSTILE.repeat(50));
        begun.tags = vec![(HOSTILE.to_owned(), HOSTILE.to_owned())];
        begun.payload = Some(HOSTILE.to_owned());
        let mut ended = settlement_of(&begun, Outcome::Failed, vec![failed_attempt("openai/gpt-5")]);
        ended.attempts[0].message = Some(HOSTILE.to_owned());
        ended.attempts[0].failure = Some(FailureKind::BadResponse);
        ended.finish_reason = Some(HOSTILE.to_owned());
        ended.error_code = Some(HOSTILE.to_owned());
        ended.error_message = Some(HOSTILE.to_owned());
        ended.payload = Some(HOSTILE.to_owned());
        record_in(&db.store, &[(begun.clone(), ended)]).await;

        let record = db.store.request(begun.id).await.unwrap().unwrap();
        let text = stored(HOSTILE);
        assert_eq!(record.start.requested_model, text.repeat(50));
        assert_eq!(record.start.tags, [(text.clone(), text.clone())]);
        assert_eq!(record.start.payload.as_deref(), Some(HOSTILE), "a payload is kept to the byte");
        let user = record.start.user.unwrap();
        assert_eq!(user.chars().count(), 256);
        assert!(text.repeat(50).starts_with(&user));
        let end = record.settlement.unwrap();
        assert_eq!(end.attempts[0].message.as_deref(), Some(text.as_str()));
        assert_eq!(end.finish_reason.as_deref(), Some(text.as_str()));
        assert_eq!(end.error_code.as_deref(), Some(text.as_str()));
        assert_eq!(end.error_message.as_deref(), Some(text.as_str()));
        assert_eq!(end.payload.as_deref(), Some(HOSTILE));
        let same_user = RequestFilter { user: begun.user, ..RequestFilter::default() };
        assert_eq!(db.store.requests(&same_user, None, 10).await.unwrap().len(), 1);
        assert_clean(db).await;
    }

    async fn open_requests_are_those_of_every_node_oldest_first(db: &Database) {
        let mut ledger = db.store.ledger().await.unwrap();
        let requests: Vec<RequestStart> =
            (0..2_100).map(|number| start("chat_message", MIDNIGHT.plus_micros(number % 7))).collect();
        ledger.commit(&requests.iter().map(begin).collect::<Vec<_>>()).await.unwrap();
        ledger.commit(&[settle(&requests[0], &succeeded(&requests[0], 1))]).await.unwrap();
        let open = db.store.open_requests().await.unwrap();
        let mut wanted: Vec<&RequestStart> = requests[1..].iter().collect();
        wanted.sort_by_key(|start| (start.started_at, start.id));
        assert_eq!(open.iter().map(|open| &open.start).collect::<Vec<_>>(), wanted);
    }

    async fn no_statement_changes_or_removes_what_is_settled(db: &Database) {
        let begun = start("chat_message", MIDNIGHT);
        let mut ended = succeeded(&begun, 100);
        ended.error_message = Some("x".to_owned());
        let open = start("chat_message", MIDNIGHT);
        record_in(&db.store, &[(begun, ended)]).await;
        db.store.ledger().await.unwrap().commit(&[begin(&open)]).await.unwrap();
        for statement in [
            "UPDATE requests SET cost_nano_usd = 0 WHERE settled_at IS NOT NULL",
            "UPDATE requests SET settled_at = NULL, outcome = NULL WHERE settled_at IS NOT NULL",
            "UPDATE requests SET started_at = 0",
            "UPDATE requests SET operation = 'other' WHERE settled_at IS NULL",
            "DELETE FROM requests",
            "UPDATE request_details SET requested_model = ''",
            "DELETE FROM request_details",
            "UPDATE request_errors SET message = ''",
            "DELETE FROM request_errors",
            "UPDATE attempts SET cost_nano_usd = 0",
            "DELETE FROM attempts",
            "UPDATE cost_lines SET quantity = 0",
            "DELETE FROM cost_lines",
        ] {
            assert!(db.run_behind_its_back(statement).await.is_err(), "{statement}");
        }
        assert_clean(db).await;
    }

    async fn the_first_request_and_the_last_use_of_a_key_are_known_at_once(db: &Database) {
        assert_eq!(db.store.has_requests().await.unwrap(), None);
        let keys: Vec<KeyId> = (0..3).map(|_| KeyId::generate()).collect();
        let writes = (0..).zip(&keys).map(|(number, id)| ConfigWrite::InsertKey {
            key: ApiKey { id: *id, ..ApiKey::new("x", "1234", MIDNIGHT) },
            hash: KeyHash([number; 32]),
        });
        db.store.write_config(vec![edit(writes.collect())]).await.unwrap();
        let requests: Vec<RequestStart> = (0..6)
            .map(|number| {
                let key = keys.get(usize::try_from(number % 3).unwrap()).copied();
                RequestStart { key, ..start("chat_message", MIDNIGHT.plus_micros(100 - number)) }
            })
            .filter(|start| start.key != Some(keys[2]))
            .collect();
        let entries: Vec<_> = requests.iter().map(begin).collect();
        db.store.ledger().await.unwrap().commit(&entries).await.unwrap();
        assert_eq!(db.store.has_requests().await.unwrap(), Some(requests[3].id));
        let used = |micros| KeyUse { at: MIDNIGHT.plus_micros(micros), operation: operation_id("chat_message") };
        let expected = HashMap::from([(keys[0], used(100)), (keys[1], used(99))]);
        assert_eq!(db.store.key_last_used().await.unwrap(), expected);
    }

    async fn a_batch_that_cannot_be_written_leaves_nothing_and_the_next_one_works(db: &Database) {
        let mut ledger = db.store.ledger().await.unwrap();
        let begun = start("chat_message", MIDNIGHT);
        // The same ordinal twice breaks the second statement of the second script.
        let mut broken = settlement_of(&begun, Outcome::Succeeded, vec![attempt("a/b", 1), attempt("a/b", 1)]);
        broken.attempts[1].ordinal = 1;
        ledger.commit(&[begin(&begun)]).await.unwrap();
        let refused = ledger.commit(&[settle(&begun, &broken)]).await;
        assert!(matches!(refused, Err(StoreError::Database { .. })), "{refused:?}");
        assert_eq!(db.store.request(begun.id).await.unwrap().unwrap().settlement, None);
        ledger.commit(&[settle(&begun, &succeeded(&begun, 1))]).await.unwrap();
        assert_eq!(total_requests(db).await, 1);
        assert_clean(db).await;
    }

    async fn a_batch_whose_future_is_dropped_is_there_or_not_but_never_half(db: &Database) {
        let mut ledger = db.store.ledger().await.unwrap();
        let mut requests: Vec<(RequestStart, Settlement)> = Vec::new();
        for polls in 0..24_u32 {
            let begun = start("chat_message", MIDNIGHT);
            let ended = succeeded(&begun, 10);
            let both = [begin(&begun), settle(&begun, &ended)];
            {
                let mut commit = std::pin::pin!(ledger.commit(&both));
                for _ in 0..polls {
                    if futures::poll!(commit.as_mut()).is_ready() {
                        break;
                    }
                    tokio::time::sleep(std::time::Duration::from_micros(200)).await;
                }
            }
            let next = start("job_planning", MIDNIGHT);
            record(&mut ledger, &[(next.clone(), succeeded(&next, 1))]).await;
            requests.push((begun, ended));
        }
        for (begun, ended) in &requests {
            if let Some(record) = db.store.request(begun.id).await.unwrap() {
                assert_eq!(record.settlement.as_ref(), Some(ended));
            }
        }
        assert_clean(db).await;
        record(&mut ledger, &requests).await;
        assert_eq!(total_requests(db).await, 48);
        assert_clean(db).await;
    }

    async fn two_nodes_that_write_the_same_buckets_at_once_lose_nothing(db: &Database) {
        let write = |store: signalbox_store::Store| async move {
            let mut ledger = store.ledger().await.unwrap();
            for round in 0..10 {
                let batch: Vec<_> = (0..8)
                    .map(|number| {
                        let operation = ["chat_message", "job_planning", "email_analysis"][(number + round) % 3];
                        let begun = start(operation, MIDNIGHT);
                        let ended = succeeded(&begun, 10);
                        (begun, ended)
                    })
                    .collect();
                record(&mut ledger, &batch).await;
            }
        };
        tokio::join!(write(db.store.clone()), write(db.open_again().await));
        assert_eq!(total_requests(db).await, 160);
        assert_clean(db).await;
    }

    async fn latencies_count_only_what_succeeded(db: &Database) {
        let (good, bad) = (start("chat_message", MIDNIGHT), start("chat_message", MIDNIGHT));
        let failed = settlement_of(&bad, Outcome::Failed, vec![failed_attempt("openai/gpt-5")]);
        record_in(&db.store, &[(good.clone(), succeeded(&good, 1)), (bad, failed)]).await;
        let query = LatencyQuery {
            step: Step::Minute,
            from: MIDNIGHT,
            to: MIDNIGHT.plus_micros(SECOND),
            group_by: GroupBy::Model,
            operation: None,
        };
        let rows = db.store.latencies(&query).await.unwrap();
        assert_eq!(rows.len(), 2);
        assert!(rows.iter().all(|row| row.key == "deepseek/deepseek-chat" && row.count == 1));
    }
}
