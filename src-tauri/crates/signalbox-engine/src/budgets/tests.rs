mod shared;

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use signalbox_core::budget::{Amount, Limits, Period, Scope};
use signalbox_core::change::{Change, ChangeKind};
use signalbox_core::decide::Asked;
use signalbox_core::ids::ChangeId;
use signalbox_core::ledger::{NextCall, Settlement};
use signalbox_core::meter::{Cost, CostStatus};
use signalbox_core::money::NANOS_PER_USD;
use signalbox_store::{ConfigEdit, ConfigWrite, LedgerEntry};
use tokio::sync::{Barrier, mpsc};
use tokio_util::task::TaskTracker;

use super::*;
use crate::clock::SystemClock;
use crate::control::{Control, Durability, Options};
use crate::events::Events;
use crate::journal::samples::{end_of, start as sample};
use crate::ledger::Ledger;
use crate::live;
use crate::secrets::Keychain;

/// Output of the model in [`begun`] that costs a little more than a cent.
const TOKENS_PER_CENT: u64 = 9_000;

/// A request for a model that has a price.
fn begun() -> RequestStart {
    let mut start = sample();
    start.decision.candidates[0].target = "deepseek/deepseek-flash".parse().unwrap();
    start
}

/// A real ledger on `SQLite`, and the budgets in front of it.
struct House {
    live: Arc<Live>,
    control: Control,
    ledger: Ledger,
    budgets: Budgets,
    tasks: TaskTracker,
    stop: CancellationToken,
    _alerts: mpsc::Receiver<signalbox_core::alert::Alert>,
    dir: tempfile::TempDir,
    node: NodeId,
}

/// An installation in a folder, with a database there or another one.
async fn control(folder: &Path, database_url: Option<String>) -> Control {
    let options = Options {
        data_dir: folder.to_owned(),
        database_url,
        durability: Durability::Process,
        keychain: Keychain::Unused,
    };
    Control::open(&options, Arc::new(SystemClock)).await.unwrap()
}

async fn put(control: &Control, budgets: &[Budget]) {
    let put = |budget: &Budget| {
        let base_version = budget.version.checked_sub(1).filter(|base| *base > 0);
        ConfigWrite::PutBudget { budget: budget.clone(), base_version }
    };
    control.write(vec![edit(budgets.iter().map(put).collect())]).await.unwrap();
}

fn edit(writes: Vec<ConfigWrite>) -> ConfigEdit {
    let change = Change {
        id: ChangeId::generate(),
        at: Timestamp::from_micros(0),
        actor: "local".to_owned(),
        source: "cli".to_owned(),
        kind: ChangeKind::Budget,
        subject: "budgets".to_owned(),
        sentence: "for a test".to_owned(),
        before: None,
        after: None,
        reason: None,
        approval: None,
    };
    ConfigEdit { writes, change }
}

impl House {
    /// With these budgets beside the first one of every installation.
    async fn with(budgets: &[Budget]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let control = control(dir.path(), None).await;
        put(&control, budgets).await;
        Self::over(dir, control, NodeId::generate()).await
    }

    async fn over(dir: tempfile::TempDir, control: Control, node: NodeId) -> Self {
        let live = Arc::new(live::build(&control, None).await.unwrap());
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        let ledger = Ledger::start(&control, Events::default(), &tasks, stop.clone()).await.unwrap();
        let (alerts, raised) = Alerts::new(Arc::clone(&control.clock));
        let clock = Arc::clone(&control.clock);
        let opened = Budgets::open(&control.store, node, &live.snapshot.budgets, alerts, clock);
        let budgets = opened.await.unwrap();
        Self { node, live, control, ledger, budgets, tasks, stop, _alerts: raised, dir }
    }

    async fn admit(&self, start: &mut RequestStart) -> Tab {
        let spender = spender(&self.live, start);
        let admitted = self.budgets.admit(&self.live, start.id, &spender, &start.decision, false);
        let (admission, tab) = admitted.await;
        write_into(start, admission);
        tab
    }

    /// A request of a user whose answer may have `tokens` at most.
    fn asking(&self, user: &str, tokens: u64) -> RequestStart {
        let bound = Bound { tokens_in: 10, tokens_out_max: tokens, ..Bound::default() };
        let mut start = begun();
        start.node = self.node;
        start.user = Some(user.to_owned());
        start.started_at = self.control.now();
        start.decision.asked = Some(Asked { bound, ..Asked::default() });
        start
    }

    /// One request whose answer may have `tokens` at most and comes to so many percent of the most it may cost.
    async fn request(&self, user: &str, tokens: u64, percent: i64) -> Served {
        let mut start = self.asking(user, tokens);
        let tab = self.admit(&mut start).await;
        if let Some(shortfall) = start.refused_by.as_deref() {
            let bound = start.decision.asked.unwrap().bound;
            let most = self.budgets.claim(&self.live, &start.operation, &target_of(&begun()), bound).most;
            let actual = most.cost.as_nanos() * percent / 100;
            return Served::Refused { falsely: shortfall.used + actual <= shortfall.limit };
        }
        let actual =
            start.holding.as_ref().map_or(0, |holding| holding.claim.most.cost.as_nanos() * percent / 100);
        let actual = NanoUsd::from_nanos(actual);
        let start = Arc::new(start);
        self.ledger.write(LedgerEntry::Start(Arc::clone(&start))).await.unwrap();
        tokio::task::yield_now().await;
        tab.end_call(Some(actual), 0);
        tokio::task::yield_now().await;
        let settlement = Arc::new(settled(&start, actual, tab.close()));
        self.ledger.write(LedgerEntry::Settle { start, settlement }).await.unwrap();
        Served::Answered
    }

    fn purse(&self, budget: &Budget) -> PurseStatus {
        let mut statuses = self.budgets.statuses().into_iter();
        statuses.find(|status| status.key.budget == budget.id).unwrap()
    }

    /// Everything is in the database and adds up, and nothing is held any more.
    async fn closed(self) -> Control {
        assert!(self.ledger.caught_up(Duration::from_mins(15)).await);
        for status in self.budgets.statuses() {
            assert_eq!(
                (status.purse.held, status.purse.held_max),
                (Amount::default(), Amount::default()),
                "{:?}",
                status.key
            );
            let start = status.key.start;
            let stored =
                self.control.store.purses(status.key.budget, start, start.plus_micros(1)).await.unwrap();
            let stored = stored.into_iter().find(|(key, _)| *key == status.key).map(|(_, amount)| amount);
            assert_eq!(stored.unwrap_or_default(), status.purse.settled, "{:?}", status.key);
        }
        let report = self.control.store.verify_ledger().await.unwrap();
        assert!(report.is_clean(), "{:#?}", report.first_differences);
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
        self.control
    }
}

#[derive(Debug, Clone, Copy)]
enum Served {
    Answered,
    Refused {
        /// Whether there would have been enough for what it would have cost.
        falsely: bool,
    },
}

fn target_of(start: &RequestStart) -> Target {
    start.decision.candidates[0].target.clone()
}

fn settled(start: &RequestStart, actual: NanoUsd, postings: Vec<Posting>) -> Settlement {
    let mut settlement = end_of(start);
    let cost = Cost { status: CostStatus::Estimated, total: Some(actual), lines: Vec::new(), card: None };
    settlement.attempts[0].cost = cost;
    Settlement { postings, ..settlement }
}

fn five_dollars(overrun_percent: u32) -> Budget {
    let limit = NanoUsd::from_nanos(5 * NANOS_PER_USD);
    Budget { overrun_percent, ..Budget::usual("Five dollars", Scope::Global, Period::Total, limit) }
}

fn is_nightly() -> bool {
    std::env::var_os("SIGNALBOX_NIGHTLY").is_some()
}

/// Numbers from a seed, so that a failure can be repeated. Source: splitmix64.
struct Seeded(u64);

impl Seeded {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }
}

/// What became of many requests on one budget.
#[derive(Debug, Default)]
struct Tally {
    answered: AtomicU64,
    refused: AtomicU64,
    /// Of those refused: for which there would have been enough.
    falsely: AtomicU64,
    /// Looks at the budget that found it passed.
    violations: AtomicU64,
}

/// A thousand tasks on one budget of five dollars, who together ask for about twice as much.
async fn hammer(overrun_percent: u32) {
    const TASKS: u64 = 1_000;
    let rounds: u64 = if is_nightly() { 334 } else { 3 };
    // What they use is on average half of what they may.
    let tokens_mean = 4 * 500 * TOKENS_PER_CENT / (TASKS * rounds);
    let budget = five_dollars(overrun_percent);
    let limit = budget.limits.cost.unwrap();
    let passable = NanoUsd::from_nanos(limit.as_nanos() * i64::from(100 + overrun_percent) / 100);
    let house = Arc::new(House::with(std::slice::from_ref(&budget)).await);
    let (tally, began) = (Arc::new(Tally::default()), std::time::Instant::now());
    let tasks = (0..TASKS).map(|task| {
        let (house, budget, tally) = (Arc::clone(&house), budget.clone(), Arc::clone(&tally));
        TaskTracker::new().spawn(async move {
            let mut seeded = Seeded(task);
            let sample = begun();
            for _ in 0..rounds {
                let tokens = 1 + seeded.below(2 * tokens_mean);
                let percent = seeded.below(101);
                match house.request("anybody", tokens, i64::try_from(percent).unwrap()).await {
                    Served::Answered => {
                        house.budgets.learn(&sample.operation, &target_of(&sample), tokens * percent / 100);
                        tally.answered.fetch_add(1, Ordering::Relaxed);
                    }
                    Served::Refused { falsely } => {
                        tally.refused.fetch_add(1, Ordering::Relaxed);
                        tally.falsely.fetch_add(u64::from(falsely), Ordering::Relaxed);
                    }
                }
                let purse = house.purse(&budget).purse;
                if purse.settled.cost.saturating_add(purse.held_max.cost) > passable {
                    tally.violations.fetch_add(1, Ordering::Relaxed);
                }
            }
        })
    });
    futures::future::try_join_all(tasks).await.unwrap();
    let used = house.purse(&budget).purse.settled.cost;
    println!(
        "passed by at most {overrun_percent} %: {} operations in {:?}, {tally:?}, ${used} of $5 used",
        3 * TASKS * rounds,
        began.elapsed()
    );
    assert_eq!(tally.violations.load(Ordering::Relaxed), 0);
    assert!(used <= passable && limit.as_nanos() - used.as_nanos() < NANOS_PER_USD / 10, "${used} are used");
    Arc::into_inner(house).unwrap().closed().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_thousand_tasks_never_pass_a_budget_of_five_dollars() {
    hammer(0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_thousand_tasks_never_pass_a_budget_and_its_share_while_what_is_held_is_learned() {
    hammer(5).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_first_requests_of_many_unknown_users_at_once_make_one_purse_each() {
    let limit = NanoUsd::from_nanos(NANOS_PER_USD / 10);
    let each = Budget { overrun_percent: 0, ..Budget::usual("Each", Scope::EachUser, Period::Day, limit) };
    let house = Arc::new(House::with(std::slice::from_ref(&each)).await);
    let barrier = Arc::new(Barrier::new(64 * 8));
    let tasks = (0..64 * 8).map(|number| {
        let (house, barrier) = (Arc::clone(&house), Arc::clone(&barrier));
        TaskTracker::new().spawn(async move {
            barrier.wait().await;
            // Three cents each: three of a user's eight fit at once.
            house.request(&format!("u_{}", number % 64), TOKENS_PER_CENT * 3, 100).await
        })
    });
    futures::future::try_join_all(tasks).await.unwrap();
    let purses: Vec<PurseStatus> =
        house.budgets.statuses().into_iter().filter(|status| status.key.budget == each.id).collect();
    assert_eq!(purses.len(), 64);
    assert!(
        purses.iter().all(|status| status.purse.settled.cost <= limit && status.purse.settled.requests >= 1)
    );
    let start = purses[0].key.start;
    let control = Arc::into_inner(house).unwrap().closed().await;
    assert_eq!(control.store.purses(each.id, start, start.plus_micros(1)).await.unwrap().len(), 64);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn edits_of_a_limit_under_load_never_let_more_through_than_the_highest_of_them() {
    let mut budget = five_dollars(0);
    let house = Arc::new(House::with(std::slice::from_ref(&budget)).await);
    let tasks: Vec<_> = (0..200_u64)
        .map(|task| {
            let house = Arc::clone(&house);
            TaskTracker::new().spawn(async move {
                let mut seeded = Seeded(task);
                for _ in 0..5 {
                    let tokens = TOKENS_PER_CENT + seeded.below(TOKENS_PER_CENT * 20);
                    house.request("anybody", tokens, i64::try_from(seeded.below(101)).unwrap()).await;
                }
            })
        })
        .collect();
    let mut seeded = Seeded(7);
    for _ in 0..100 {
        let dollars = i64::try_from(seeded.below(6)).unwrap();
        budget.limits =
            Limits { cost: Some(NanoUsd::from_nanos(dollars * NANOS_PER_USD)), ..Limits::default() };
        house.budgets.book().set_budgets(std::slice::from_ref(&budget));
        tokio::task::yield_now().await;
    }
    futures::future::try_join_all(tasks).await.unwrap();
    assert!(house.purse(&budget).purse.settled.cost.as_nanos() <= 5 * NANOS_PER_USD);
    Arc::into_inner(house).unwrap().closed().await;
}

/// Requests that may cost ten cents and come to half a cent, sixty-four at a time, until ten in a row are refused.
async fn denials(overrun_percent: u32) -> (u64, u64, NanoUsd) {
    let budget = five_dollars(overrun_percent);
    let house = Arc::new(House::with(std::slice::from_ref(&budget)).await);
    let usual = TOKENS_PER_CENT / 2;
    let target = target_of(&begun());
    for _ in 0..100 {
        house.budgets.learn(&begun().operation, &target, usual);
    }
    let (answered, falsely) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let tasks = (0..64).map(|_| {
        let house = Arc::clone(&house);
        let (answered, falsely) = (Arc::clone(&answered), Arc::clone(&falsely));
        TaskTracker::new().spawn(async move {
            for _ in 0..30 {
                match house.request("anybody", TOKENS_PER_CENT * 10, 5).await {
                    Served::Answered => answered.fetch_add(1, Ordering::Relaxed),
                    Served::Refused { falsely: true } => falsely.fetch_add(1, Ordering::Relaxed),
                    Served::Refused { falsely: false } => 0,
                };
            }
        })
    });
    futures::future::try_join_all(tasks).await.unwrap();
    let used = house.purse(&budget).purse.settled.cost;
    Arc::into_inner(house).unwrap().closed().await;
    (answered.load(Ordering::Relaxed), falsely.load(Ordering::Relaxed), used)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_learned_hold_refuses_less_honest_traffic_than_the_worst_case_and_stays_within_its_bound() {
    let mut counts = Vec::new();
    for overrun_percent in [0, 5, 25] {
        let (answered, falsely, used) = denials(overrun_percent).await;
        println!(
            "passed by at most {overrun_percent} %: {answered} answered, {falsely} falsely refused, ${used} used"
        );
        assert!(used.as_nanos() <= 5 * NANOS_PER_USD * i64::from(100 + overrun_percent) / 100);
        counts.push(falsely);
    }
    assert!(counts[2] <= counts[0], "{counts:?}");
}

#[tokio::test]
async fn what_a_crash_left_open_is_charged_at_the_most_the_call_under_way_could_cost() {
    let budget = five_dollars(0);
    let house = House::with(std::slice::from_ref(&budget)).await;
    let mut start = begun();
    start.node = NodeId::generate();
    start.started_at = house.control.now();
    let bound = Bound { tokens_in: 10, tokens_out_max: TOKENS_PER_CENT, ..Bound::default() };
    start.decision.asked = Some(Asked { bound, ..Asked::default() });
    let tab = house.admit(&mut start).await;
    house.ledger.write(LedgerEntry::Start(Arc::new(start.clone()))).await.unwrap();
    tab.end_call(Some(NanoUsd::from_nanos(7)), 3);
    let target = target_of(&start);
    let holding = tab.hold(&house.live, &start, &start.decision.candidates[0], false).await.unwrap();
    let most = holding.as_ref().unwrap().claim.most.cost;
    let mut attempts = end_of(&start).attempts;
    attempts[0].cost = Cost {
        status: CostStatus::Estimated,
        total: Some(NanoUsd::from_nanos(7)),
        lines: Vec::new(),
        card: None,
    };
    let call = NextCall {
        request: start.id,
        attempts,
        postings: tab.postings(),
        target,
        estimate: start.estimate,
        holding,
    };
    house.ledger.write(LedgerEntry::Call(Arc::new(call))).await.unwrap();
    assert!(house.ledger.caught_up(Duration::from_mins(1)).await);
    // As after a kill: nobody gives anything back.
    std::mem::forget(tab);
    let (alerts, _raised) = Alerts::new(Arc::clone(&house.control.clock));
    let (store, clock) = (&house.control.store, Arc::new(SystemClock));
    let again = Budgets::open(store, start.node, &house.live.snapshot.budgets, alerts, clock);
    let again = again.await.unwrap();
    let settled = crate::recovery::settle_interrupted(
        &house.control.store,
        &house.ledger,
        Some(&again),
        start.node,
        &house.live.snapshot,
        house.control.now(),
    );
    assert_eq!(settled.await.unwrap(), 1);
    let purse = again.statuses().into_iter().find(|status| status.key.budget == budget.id).unwrap().purse;
    assert_eq!(purse.settled.cost.as_nanos(), 7 + most.as_nanos());
    assert_eq!((purse.settled.requests, purse.held_max), (1, Amount::default()));
    let record = house.control.store.request(start.id).await.unwrap().unwrap();
    assert_eq!(record.settlement.unwrap().cost().1, Some(purse.settled.cost));
    let report = house.control.store.verify_ledger().await.unwrap();
    assert!(report.is_clean(), "{:#?}", report.first_differences);
}
