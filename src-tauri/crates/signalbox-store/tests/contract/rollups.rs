//! What charts read is what the ledger's rows add up to.

use std::collections::{BTreeMap, HashSet};

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use signalbox_core::ledger::{Outcome, RequestStart, Settlement};
use signalbox_core::meter::{Cost, CostStatus};
use signalbox_core::money::NanoUsd;
use signalbox_core::rollup::{Step, Sums, latency_bucket};
use signalbox_core::time::Timestamp;
use signalbox_store::{Facet, GroupBy, LatencyKind, LatencyQuery, RollupQuery};

use crate::database::on_both_databases;
use crate::samples::{
    MIDNIGHT, SECOND, attempt, begin, failed_attempt, operation_id, record, settlement_of, start,
};

const OPERATIONS: [&str; 3] = ["chat_message", "job_planning", "email_analysis"];
const TARGETS: [&str; 3] = ["deepseek/deepseek-chat", "openai/gpt-5", "openrouter/openai/gpt-oss-120b"];
const DAY: i64 = 86_400 * SECOND;

fn requests() -> impl Strategy<Value = Vec<(RequestStart, Settlement)>> {
    let request = (
        0..2 * DAY,
        0..OPERATIONS.len(),
        proptest::collection::vec((0..TARGETS.len(), 0..5_000_000_i64, 0..4_u8), 0..4),
        0..Outcome::ALL.len(),
        any::<bool>(),
        proptest::option::of("[a-c]"),
        0..90_000_000_i64,
    )
        .prop_map(|(at, operation, attempts, outcome, simulated, user, latency_us)| {
            let begun = RequestStart { user, ..start(OPERATIONS[operation], MIDNIGHT.plus_micros(at)) };
            let attempts = attempts
                .into_iter()
                .map(|(target, nanos, kind)| {
                    let mut attempt = attempt(TARGETS[target], nanos);
                    match kind {
                        0 => attempt = failed_attempt(TARGETS[target]),
                        1 => attempt.cost.status = CostStatus::Estimated,
                        2 => {
                            attempt.cost = Cost {
                                status: CostStatus::Unpriced,
                                total: None,
                                lines: Vec::new(),
                                card: None,
                            };
                        }
                        _ => {}
                    }
                    attempt
                })
                .collect();
            let settlement = settlement_of(&begun, Outcome::ALL[outcome], attempts);
            (begun, Settlement { simulated, latency_us, ..settlement })
        });
    proptest::collection::vec(request, 1..80)
}

fn group_of(group_by: GroupBy, start: &RequestStart, settlement: &Settlement) -> String {
    let target = settlement.target();
    match group_by {
        GroupBy::Total => String::new(),
        GroupBy::Operation => start.operation.to_string(),
        GroupBy::Provider => target.map(|target| target.provider.to_string()).unwrap_or_default(),
        GroupBy::Model => target.map(ToString::to_string).unwrap_or_default(),
    }
}

fn sums_of(settlement: &Settlement) -> Sums {
    let (status, cost) = settlement.cost();
    let usage = settlement.usage();
    Sums {
        requests: 1,
        cost_nano_usd: cost.map_or(0, NanoUsd::as_nanos),
        unpriced: i64::from(status == CostStatus::Unpriced),
        estimated: i64::from(status == CostStatus::Estimated),
        tokens_in: i64::try_from(usage.tokens_in()).unwrap(),
        tokens_out: i64::try_from(usage.tokens_out()).unwrap(),
    }
}

fn count(facets: &[Facet]) -> i64 {
    facets.iter().map(|facet| facet.count).sum()
}

on_both_databases! {
    async fn sums_and_histograms_are_those_of_the_requests_whatever_they_are(db: &Database) {
        let mut runner = TestRunner::default();
        let mut ledger = db.store.ledger().await.unwrap();
        let mut all: Vec<(RequestStart, Settlement)> = Vec::new();
        for _ in 0..6 {
            let batch = requests().new_tree(&mut runner).unwrap().current();
            record(&mut ledger, &batch).await;
            all.extend(batch);
        }
        let report = db.store.verify_ledger().await.unwrap();
        assert!(report.is_clean(), "{:#?}", report.first_differences);

        let (from, to) = (MIDNIGHT.plus_micros(3 * 3_600 * SECOND + 1), MIDNIGHT.plus_micros(DAY));
        for step in Step::ALL {
            for group_by in [GroupBy::Total, GroupBy::Operation, GroupBy::Provider, GroupBy::Model] {
                for operation in [None, Some(operation_id(OPERATIONS[1]))] {
                    let in_range = |start: &RequestStart| {
                        let bucket = start.started_at.floor_to(step.micros());
                        (from.floor_to(step.micros())..to).contains(&bucket)
                            && operation.as_ref().is_none_or(|operation| *operation == start.operation)
                    };
                    let mut expected: BTreeMap<(Timestamp, String, bool, &str), Sums> = BTreeMap::new();
                    let mut histogram: BTreeMap<(String, bool, LatencyKind, i32), i64> = BTreeMap::new();
                    for (start, end) in all.iter().filter(|(start, _)| in_range(start)) {
                        let group = group_of(group_by, start, end);
                        let bucket = start.started_at.floor_to(step.micros());
                        let key = (bucket, group.clone(), end.simulated, end.outcome.as_str());
                        expected.entry(key).or_default().add(&sums_of(end));
                        if end.outcome == Outcome::Succeeded {
                            let first = end.first_token_us().map(|us| (LatencyKind::FirstToken, us));
                            for (kind, us) in first.into_iter().chain([(LatencyKind::Total, end.latency_us)]) {
                                let key = (group.clone(), end.simulated, kind, latency_bucket(us));
                                *histogram.entry(key).or_default() += 1;
                            }
                        }
                    }
                    let query = RollupQuery { step, from, to, group_by, operation: operation.clone() };
                    let found: BTreeMap<_, _> = db.store.rollups(&query).await.unwrap()
                        .into_iter()
                        .map(|row| ((row.start, row.key, row.simulated, row.outcome.as_str()), row.sums))
                        .collect();
                    assert_eq!(found, expected, "{query:?}");
                    let query = LatencyQuery { step, from, to, group_by, operation };
                    let found: BTreeMap<_, _> = db.store.latencies(&query).await.unwrap()
                        .into_iter()
                        .map(|row| ((row.key, row.simulated, row.kind, row.bucket), row.count))
                        .collect();
                    assert_eq!(found, histogram, "{query:?}");
                }
            }
        }
    }

    async fn facets_list_each_value_once_with_its_number_most_frequent_first(db: &Database) {
        assert_eq!(db.store.facets().await.unwrap(), signalbox_store::Facets::default());
        let mut ledger = db.store.ledger().await.unwrap();
        let mut batch = Vec::new();
        for (number, times) in [(0, 5), (1, 2), (2, 1)] {
            for user in 0..times {
                let at = MIDNIGHT.plus_micros(i64::from(user) * DAY);
                let begun = RequestStart { user: Some(user.to_string()), ..start(OPERATIONS[number], at) };
                let ended = settlement_of(&begun, Outcome::Succeeded, vec![attempt(TARGETS[number], 1)]);
                batch.push((begun, ended));
            }
        }
        let nowhere = start(OPERATIONS[2], MIDNIGHT);
        let refused = settlement_of(&nowhere, Outcome::Failed, Vec::new());
        batch.push((nowhere, refused));
        record(&mut ledger, &batch).await;
        ledger.commit(&[begin(&start(OPERATIONS[0], MIDNIGHT))]).await.unwrap();

        let facets = db.store.facets().await.unwrap();
        let values = |facets: &[Facet]| facets.iter().map(|facet| facet.value.clone()).collect::<Vec<_>>();
        assert_eq!(values(&facets.operations), ["chat_message", "email_analysis", "job_planning"]);
        assert_eq!(values(&facets.models), ["deepseek-chat", "gpt-5", "openai/gpt-oss-120b"]);
        assert_eq!(values(&facets.outcomes), ["succeeded", "failed"]);
        assert_eq!((count(&facets.operations), count(&facets.providers), facets.in_flight), (9, 8, 1));
        let distinct: HashSet<_> = values(&facets.providers).into_iter().collect();
        assert_eq!(distinct.len(), facets.providers.len());
    }
}
