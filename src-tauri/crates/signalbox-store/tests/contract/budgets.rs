//! Budgets, and what they were charged.

use std::sync::Arc;

use signalbox_core::budget::{
    Action, Adjustment, Amount, Budget, Claim, Hold, Holding, Limits, Member, Period, Posting, PurseKey,
    Scope, Threshold, Zone,
};
use signalbox_core::change::{Change, ChangeKind};
use signalbox_core::ids::BudgetId;
use signalbox_core::ledger::{NextCall, Outcome, RequestStart, Settlement};
use signalbox_core::money::NanoUsd;
use signalbox_store::{ConfigEdit, ConfigWrite, LedgerEntry, StoreError};

use crate::database::{Database, on_both_databases};
use crate::samples::{
    HOSTILE, MIDNIGHT, SECOND, attempt, begin, change, failed_attempt, record_in, settle, settlement_of,
    start, stored, succeeded, target,
};

fn edit(write: ConfigWrite) -> Vec<ConfigEdit> {
    vec![ConfigEdit { writes: vec![write], change: change(ChangeKind::Budget, "a budget") }]
}

fn budget() -> Budget {
    Budget {
        name: HOSTILE.chars().take(80).collect(),
        scope: Scope::User(Member::named(HOSTILE)),
        period: Period::Month,
        zone: Zone::new("Africa/Cairo").unwrap(),
        limits: Limits { cost: Some(NanoUsd::from_nanos(i64::MAX)), tokens: Some(7), requests: None },
        thresholds: Threshold::usual(),
        action: Action::Downgrade,
        ..Budget::usual("x", Scope::Global, Period::Day, NanoUsd::ZERO)
    }
}

fn dollars(nanos: i64) -> Amount {
    Amount { cost: NanoUsd::from_nanos(nanos), tokens: 80, requests: 1 }
}

fn purse(budget: BudgetId, member: &str) -> PurseKey {
    PurseKey { budget, member: Member::named(member), start: MIDNIGHT }
}

/// A request that held and was charged in each of the purses.
pub fn charged(purses: &[PurseKey], number: i64) -> (RequestStart, Settlement) {
    let mut begun = start("chat_message", MIDNIGHT.plus_micros(number * SECOND));
    let holds = purses.iter().map(|purse| Hold { purse: purse.clone(), counts: true }).collect();
    begun.holding = Some(Holding { claim: Claim::strictly(dollars(2_000_000)), holds });
    let mut ended = succeeded(&begun, 1_000 + number);
    let posting = |purse: &PurseKey| Posting { purse: purse.clone(), amount: dollars(1_000 + number) };
    ended.postings = purses.iter().map(posting).collect();
    (begun, ended)
}

async fn sum_of(db: &Database, purse: &PurseKey) -> Option<Amount> {
    let purses = db.store.purses(purse.budget, MIDNIGHT, MIDNIGHT.plus_micros(1)).await.unwrap();
    purses.into_iter().find(|(key, _)| key == purse).map(|(_, amount)| amount)
}

on_both_databases! {
    async fn a_budget_reads_back_as_it_was_stored_and_an_edit_from_an_older_version_is_refused(db: &Database) {
        let mut budget = budget();
        db.store.write_config(edit(ConfigWrite::PutBudget { budget: budget.clone(), base_version: None })).await.unwrap();
        let expected = Budget { name: stored(&budget.name), ..budget.clone() };
        assert_eq!(db.store.load_config().await.unwrap().budgets, [expected]);
        let again = ConfigWrite::PutBudget { budget: budget.clone(), base_version: None };
        assert!(matches!(db.store.write_config(edit(again)).await, Err(StoreError::AlreadyExists { .. })));

        (budget.name, budget.version, budget.enabled) = ("Mine".to_owned(), 2, false);
        let second = ConfigWrite::PutBudget { budget: budget.clone(), base_version: Some(1) };
        db.store.write_config(edit(second.clone())).await.unwrap();
        let stale = db.store.write_config(edit(second)).await;
        assert!(matches!(stale, Err(StoreError::Conflict { kind: "budget", current_version: 2, .. })), "{stale:?}");
        assert_eq!(db.store.load_config().await.unwrap().budgets, [budget.clone()]);

        let remove = |base_version| ConfigWrite::RemoveBudget { id: budget.id, base_version };
        assert!(matches!(db.store.write_config(edit(remove(1))).await, Err(StoreError::Conflict { .. })));
        db.store.write_config(edit(remove(2))).await.unwrap();
        assert!(matches!(db.store.write_config(edit(remove(2))).await, Err(StoreError::NotFound { .. })));
    }

    async fn a_purse_is_the_sum_of_its_postings_however_requests_are_batched(db: &Database) {
        let (all, alice) = (purse(BudgetId::generate(), ""), purse(BudgetId::generate(), HOSTILE));
        let requests: Vec<_> = (0..40).map(|number| charged(&[all.clone(), alice.clone()], number)).collect();
        record_in(&db.store, &requests[..20]).await;
        let wholes: Vec<_> = requests[20..]
            .iter()
            .flat_map(|(begun, ended)| [begin(begun), settle(begun, ended)])
            .collect();
        let mut ledger = db.store.ledger().await.unwrap();
        ledger.commit(&wholes).await.unwrap();
        ledger.commit(&wholes).await.unwrap();
        let expected = Amount { cost: NanoUsd::from_nanos(40_000 + 780), tokens: 3_200, requests: 40 };
        assert_eq!((sum_of(db, &all).await, sum_of(db, &alice).await), (Some(expected), Some(expected)));
        let report = db.store.verify_ledger().await.unwrap();
        assert!(report.is_clean(), "{:#?}", report.first_differences);
        assert_eq!(report.purses, 2);
        let record = db.store.request(requests[0].0.id).await.unwrap().unwrap();
        assert_eq!(record.start.holding, requests[0].0.holding);
        let mut postings = requests[0].1.postings.clone();
        postings.sort_by(|a, b| a.purse.cmp(&b.purse));
        assert_eq!(record.settlement.unwrap().postings, postings);
    }

    async fn the_first_request_that_holds_makes_the_purse_with_its_own_row(db: &Database) {
        let purse = purse(BudgetId::generate(), "alice");
        let (begun, _) = charged(std::slice::from_ref(&purse), 0);
        assert_eq!(sum_of(db, &purse).await, None);
        db.store.ledger().await.unwrap().commit(&[begin(&begun)]).await.unwrap();
        assert_eq!(sum_of(db, &purse).await, Some(Amount::default()));
    }

    async fn what_an_open_request_calls_now_is_kept_until_it_is_settled(db: &Database) {
        let purse = purse(BudgetId::generate(), "");
        let (begun, _) = charged(std::slice::from_ref(&purse), 0);
        let mut ledger = db.store.ledger().await.unwrap();
        let call = NextCall {
            request: begun.id,
            attempts: vec![failed_attempt("deepseek/deepseek-chat")],
            postings: Vec::new(),
            target: target("openai/gpt-5"),
            estimate: Some(NanoUsd::from_nanos(5)),
            holding: begun.holding.clone(),
        };
        let entry = LedgerEntry::Call(Arc::new(call.clone()));
        ledger.commit(&[begin(&begun), entry.clone()]).await.unwrap();
        ledger.commit(std::slice::from_ref(&entry)).await.unwrap();
        let open = db.store.open_requests().await.unwrap();
        assert_eq!(open[0].call.as_ref(), Some(&call));
        assert_eq!(open[0].start.holding, begun.holding);
        let attempts = vec![failed_attempt("deepseek/deepseek-chat"), attempt("openai/gpt-5", 5)];
        let ended = settlement_of(&begun, Outcome::Succeeded, attempts);
        ledger.commit(&[settle(&begun, &ended)]).await.unwrap();
        ledger.commit(&[entry]).await.unwrap();
        let report = db.store.verify_ledger().await.unwrap();
        assert!(report.is_clean(), "{:#?}", report.first_differences);
    }

    async fn a_purse_that_was_tampered_with_is_found(db: &Database) {
        let purse = purse(BudgetId::generate(), "");
        record_in(&db.store, &[charged(&[purse], 0)]).await;
        db.run_behind_its_back("UPDATE budget_periods SET cost_nano_usd = cost_nano_usd - 1").await.unwrap();
        let report = db.store.verify_ledger().await.unwrap();
        assert_eq!(report.differences, 1, "{:#?}", report.first_differences);
        for tamper in ["UPDATE budget_postings SET tokens = 0", "DELETE FROM budget_postings"] {
            assert!(db.run_behind_its_back(tamper).await.is_err(), "{tamper}");
        }
    }

    async fn an_adjustment_is_read_back_and_never_changed(db: &Database) {
        let budget = budget();
        let (purse, amount) = (purse(budget.id, "alice"), NanoUsd::from_nanos(-5));
        let reason = "the provider did not bill it";
        let mut edits = edit(ConfigWrite::AdjustBudget { purse: purse.clone(), amount });
        edits[0].change.reason = Some(reason.to_owned());
        let Change { id, at, actor, .. } = edits[0].change.clone();
        db.store.write_config(edits).await.unwrap();
        let adjustment = Adjustment { change: id, at, purse, amount, actor, reason: reason.to_owned() };
        let found = db.store.adjustments(Some(budget.id)).await.unwrap();
        assert_eq!(found, std::slice::from_ref(&adjustment));
        assert_eq!(db.store.adjustments(None).await.unwrap(), [adjustment]);
        assert_eq!(db.store.adjustments(Some(BudgetId::generate())).await.unwrap(), []);
        assert!(db.run_behind_its_back("UPDATE budget_adjustments SET cost_nano_usd = 0").await.is_err());
    }
}
