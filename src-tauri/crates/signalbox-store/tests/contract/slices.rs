//! Slices of purses.

use signalbox_core::budget::{Amount, Budget, Member, Period, PurseKey, Scope, Slice, Wish};
use signalbox_core::change::ChangeKind;
use signalbox_core::ids::NodeId;
use signalbox_core::money::NanoUsd;
use signalbox_store::{ConfigEdit, ConfigWrite, Exchanged, SliceNews, Store};
use uuid::Uuid;

use crate::budgets::charged;
use crate::database::{Database, on_both_databases};
use crate::samples::{MIDNIGHT, begin, change, settle};

fn cost(nanos: i64) -> Amount {
    Amount { cost: NanoUsd::from_nanos(nanos), ..Amount::default() }
}

/// A purse of a budget of so much money.
async fn purse_of(db: &Database, limit: i64) -> PurseKey {
    let budget = Budget::usual("Shared", Scope::Global, Period::Total, NanoUsd::from_nanos(limit));
    let purse = PurseKey { budget: budget.id, member: Member::everyone(), start: MIDNIGHT };
    let write = ConfigWrite::PutBudget { budget, base_version: None };
    let edit = ConfigEdit { writes: vec![write], change: change(ChangeKind::Budget, "a budget") };
    db.store.write_config(vec![edit]).await.unwrap();
    purse
}

fn wish(keeps: i64, least: i64, wanted: i64) -> Wish {
    Wish { keeps: cost(keeps), least: cost(least), wanted: cost(wanted) }
}

/// What a node is granted then, and the turn; less than nothing if the turn was another.
async fn granted(store: &Store, node: NodeId, purse: &PurseKey, turn: i64, wish: &Wish) -> (i64, i64) {
    match store.exchange_slice(node, purse, turn, wish).await.unwrap() {
        Exchanged::Done { share, .. } => (share.slice.granted.cost.as_nanos(), share.turn),
        Exchanged::Moved { turn } => (-1, turn),
    }
}

on_both_databases! {
    async fn nodes_are_granted_what_is_free_and_what_one_gives_back_another_may_have(db: &Database) {
        let purse = purse_of(db, 1_600).await;
        let (a, b) = (NodeId::generate(), NodeId::generate());
        assert_eq!(granted(&db.store, a, &purse, 0, &wish(0, 10, 1_000)).await, (1_000, 1));
        assert_eq!(granted(&db.store, b, &purse, 0, &wish(0, 10, 1_000)).await, (600, 1));
        assert_eq!(granted(&db.store, b, &purse, 1, &wish(600, 700, 700)).await, (600, 1), "nothing is free");
        assert_eq!(granted(&db.store, a, &purse, 1, &Wish::no_more_than(cost(50))).await, (50, 2));
        assert_eq!(granted(&db.store, b, &purse, 1, &wish(600, 700, 700)).await, (700, 2));
        let purses = db.store.purses(purse.budget, MIDNIGHT, MIDNIGHT.plus_micros(1)).await.unwrap();
        assert_eq!(purses, [(purse, Amount::default())], "there is one purse");
    }

    async fn an_exchange_that_was_thought_lost_cannot_come_true_later(db: &Database) {
        let (purse, node) = (purse_of(db, 1_600).await, NodeId::generate());
        assert_eq!(granted(&db.store, node, &purse, 0, &wish(0, 10, 500)).await, (500, 1));
        let late = db.store.exchange_slice(node, &purse, 0, &wish(0, 10, 1_000)).await.unwrap();
        assert_eq!(late, Exchanged::Moved { turn: 1 });
        let found = db.store.slices_of(node, purse.budget, MIDNIGHT).await.unwrap();
        assert_eq!(found, [(purse, Slice { granted: cost(500), settled: Amount::default() }, 1)]);
    }

    async fn a_budget_that_is_gone_or_lowered_grants_nothing_more(db: &Database) {
        let (purse, node) = (purse_of(db, 100).await, NodeId::generate());
        assert_eq!(granted(&db.store, node, &purse, 0, &wish(0, 10, 60)).await, (60, 1));
        db.run_behind_its_back("UPDATE budgets SET limits = '{\"cost\": 50}'").await.unwrap();
        assert_eq!(granted(&db.store, node, &purse, 1, &wish(60, 70, 70)).await, (60, 1), "what it has it has");
        assert_eq!(granted(&db.store, node, &purse, 1, &wish(20, 70, 70)).await, (20, 2));
        assert_eq!(granted(&db.store, node, &purse, 2, &wish(20, 50, 50)).await, (50, 3));
        db.run_behind_its_back("DELETE FROM budgets").await.unwrap();
        assert_eq!(granted(&db.store, node, &purse, 3, &wish(50, 51, 51)).await, (50, 3));
    }

    async fn a_node_that_was_taken_for_gone_learns_of_it_and_one_that_still_serves_is_not(db: &Database) {
        let (node, life) = (NodeId::generate(), Uuid::now_v7());
        db.store.enter_node(node, life, MIDNIGHT).await.unwrap();
        let seen = db.store.nodes().await.unwrap()[0];
        assert!(db.store.beat(node, life, MIDNIGHT).await.unwrap());
        assert!(!db.store.take_for_gone(seen, Uuid::now_v7()).await.unwrap(), "it has beaten since");
        let seen = db.store.nodes().await.unwrap()[0];
        assert!(db.store.take_for_gone(seen, Uuid::now_v7()).await.unwrap());
        assert!(!db.store.beat(node, life, MIDNIGHT).await.unwrap());
        db.store.leave_node(node, life).await.unwrap();
        assert_eq!(db.store.nodes().await.unwrap().len(), 1, "only who has taken it for gone ends it");
        let again = Uuid::now_v7();
        db.store.enter_node(node, again, MIDNIGHT).await.unwrap();
        db.store.leave_node(node, again).await.unwrap();
        assert_eq!(db.store.nodes().await.unwrap(), []);
    }
}

#[tokio::test]
async fn nodes_that_ask_at_once_are_never_granted_more_than_there_is() {
    let Some(db) = Database::postgres().await else { return };
    let purse = purse_of(&db, 1_000_000).await;
    let tasks = (0..8).map(|_| {
        let (store, purse, node) = (db.store.clone(), purse.clone(), NodeId::generate());
        async move {
            let (mut has, mut turn) = (0, 0);
            for step in 1..=20 {
                let asks = if step % 7 == 0 {
                    Wish::no_more_than(cost(has / 2))
                } else {
                    wish(has, has + 1_000, has + 50_000)
                };
                (has, turn) = granted(&store, node, &purse, turn, &asks).await;
            }
            has
        }
    });
    let granted: i64 = futures::future::join_all(tasks).await.into_iter().sum();
    assert!(granted <= 1_000_000, "{granted}");
    assert!(granted > 900_000, "{granted}");
}

#[tokio::test]
async fn what_a_node_settles_is_no_longer_kept_for_it_and_what_a_gone_one_had_is_taken_back() {
    let Some(db) = Database::postgres().await else { return };
    let purse = purse_of(&db, 10_000).await;
    let (begun, ended) = charged(std::slice::from_ref(&purse), 0);
    let (node, other) = (begun.node, NodeId::generate());
    assert_eq!(granted(&db.store, node, &purse, 0, &wish(0, 10, 4_000)).await.0, 4_000);
    let mut ledger = db.store.ledger().await.unwrap();
    ledger.commit(&[begin(&begun), settle(&begun, &ended)]).await.unwrap();
    ledger.commit(&[settle(&begun, &ended)]).await.unwrap();
    let found = db.store.slices_of(node, purse.budget, MIDNIGHT).await.unwrap();
    let settled = ended.postings[0].amount;
    assert_eq!((found[0].1.granted, found[0].1.settled), (cost(4_000), settled));
    assert_eq!(db.store.share_of(node, &purse).await.unwrap().slice.settled, settled);
    let report = db.store.verify_ledger().await.unwrap();
    assert!(report.is_clean(), "{:#?}", report.first_differences);

    assert_eq!(granted(&db.store, other, &purse, 0, &wish(0, 10, 9_999)).await.0, 6_000);
    let wanted = SliceNews::Wanted { by: other, purse: purse.clone() };
    let mut signal = db.store.slice_signal();
    let telling = async {
        // Whoever does not listen yet does not hear it.
        loop {
            db.store.tell_of_slices(&wanted).await.unwrap();
        }
    };
    tokio::select! {
        heard = signal.heard() => assert_eq!(heard.unwrap(), wanted),
        () = telling => {}
    }
    db.store.take_back_slices(node).await.unwrap();
    let found = db.store.slices_of(node, purse.budget, MIDNIGHT).await.unwrap();
    assert_eq!((found[0].1.granted, found[0].2), (settled, 2));
    while signal.heard().await.unwrap() != (SliceNews::Given { by: node, purse: purse.clone() }) {}
    let all_the_rest = 10_000 - settled.cost.as_nanos();
    assert_eq!(
        granted(&db.store, other, &purse, 1, &wish(6_000, all_the_rest, all_the_rest)).await.0,
        all_the_rest
    );
}
