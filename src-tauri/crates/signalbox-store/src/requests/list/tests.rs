use sqlx::{AssertSqlSafe, Execute, Sqlite};

use super::*;
use crate::{Durability, Store};

#[test]
fn the_beginning_of_an_id_is_a_range_and_nonsense_fits_nothing() {
    let id = RequestId::generate();
    for end in 5..=36 {
        let range = IdRange::of(Some(&id.to_string()[..end])).unwrap().unwrap();
        assert!(range.first <= id.as_uuid() && id.as_uuid() <= range.last, "{end}");
    }
    let whole = IdRange::of(Some(&id.as_uuid().to_string())).unwrap().unwrap();
    assert_eq!((whole.first, whole.last), (id.as_uuid(), id.as_uuid()));
    for any in ["", "req_", " r", "re"] {
        assert_eq!(IdRange::of(Some(any)), Ok(None), "{any}");
    }
    for nonsense in ["key_01", "req_xyz", "%", "req_%", &"0".repeat(33), "💥"] {
        assert_eq!(IdRange::of(Some(nonsense)), Err(NoSuchId), "{nonsense}");
    }
}

/// How `SQLite` would run the page.
async fn plan(store: &Store, filter: &RequestFilter, before: Option<(i64, RequestId)>) -> String {
    let ids = IdRange::of(filter.id_prefix.as_deref()).unwrap();
    let mut query: QueryBuilder<Sqlite> = page(Backend::Sqlite, filter, ids, before, 50);
    let mut query = query.build();
    let arguments = query.take_arguments().unwrap().unwrap();
    let text = format!("EXPLAIN QUERY PLAN {}", query.sql().as_str());
    let crate::pools::Pools::Sqlite(pools) = &store.inner.pools else { panic!("a SQLite store") };
    let steps: Vec<(i64, i64, i64, String)> =
        sqlx::query_as_with(AssertSqlSafe(text), arguments).fetch_all(&pools.read).await.unwrap();
    steps.into_iter().map(|(.., step)| step).collect::<Vec<_>>().join("; ")
}

#[tokio::test]
async fn no_page_reads_the_whole_ledger_whatever_is_filtered() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open_sqlite(&folder.path().join("s.db"), Durability::Process).await.unwrap();
    let any = RequestFilter::default;
    let text = || Some("x".to_owned());
    let filters: Vec<(&str, RequestFilter, &str)> = vec![
        ("nothing", any(), "requests_started"),
        ("operation", RequestFilter { operation: text(), ..any() }, "requests_operation"),
        ("provider", RequestFilter { provider: text(), ..any() }, "requests_provider"),
        ("model", RequestFilter { model: text(), ..any() }, "requests_model"),
        ("models", RequestFilter { model: Some("x*".to_owned()), ..any() }, "requests_model"),
        ("key", RequestFilter { key: Some(KeyId::generate()), ..any() }, "requests_key"),
        ("user", RequestFilter { user: text(), ..any() }, "requests_user"),
        ("cost", RequestFilter { cost_min: Some(NanoUsd::from_nanos(1)), ..any() }, "requests_cost"),
        ("in flight", RequestFilter { status: Some(RequestStatus::InFlight), ..any() }, "requests_open"),
        (
            "failed",
            RequestFilter { status: Some(RequestStatus::Ended(Outcome::Failed)), ..any() },
            "requests_outcome",
        ),
        (
            "succeeded",
            RequestFilter { status: Some(RequestStatus::Ended(Outcome::Succeeded)), ..any() },
            "requests_started",
        ),
        (
            "unpriced",
            RequestFilter { cost_status: Some(CostStatus::Unpriced), ..any() },
            "requests_cost_status",
        ),
        ("exact", RequestFilter { cost_status: Some(CostStatus::Exact), ..any() }, "requests_started"),
        ("simulated", RequestFilter { simulated: Some(true), ..any() }, "requests_started"),
        ("from", RequestFilter { from: Some(Timestamp::from_micros(1)), ..any() }, "requests_started"),
        ("id", RequestFilter { id_prefix: Some("req_0190".to_owned()), ..any() }, "PRIMARY KEY"),
    ];
    for (name, filter, index) in filters {
        for before in [None, Some((1, RequestId::generate()))] {
            let plan = plan(&store, &filter, before).await;
            println!("{name}: {plan}");
            assert!(!plan.contains("SCAN"), "{name}: {plan}");
            assert!(plan.contains(index), "{name}: {plan}");
        }
    }
}
