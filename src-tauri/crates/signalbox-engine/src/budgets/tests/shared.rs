//! Budgets that several nodes on one `PostgreSQL` share.

use signalbox_testkit::postgres;
use tokio::task::JoinSet;

use super::*;
use crate::nodes::bury;
use crate::recovery::settle_interrupted;

const NODES: usize = 4;
const SOON: Duration = Duration::from_secs(5);

/// A node: a house, and what parts budgets with others. When it is dropped it ends as if it was killed.
struct Node {
    house: House,
    parting: JoinSet<()>,
    stop: CancellationToken,
}

impl Node {
    async fn open(dir: tempfile::TempDir, url: &str, node: NodeId) -> Self {
        let control = control(dir.path(), Some(url.to_owned())).await;
        Self::of(House::over(dir, control, node).await)
    }

    fn of(house: House) -> Self {
        let (mut parting, stop) = (JoinSet::new(), CancellationToken::new());
        parting.spawn(serve(house.budgets.clone(), stop.clone()));
        parting.spawn(listen(house.budgets.clone(), stop.clone()));
        parting.spawn(beat(house.budgets.clone(), house.ledger.clone(), stop.clone()));
        Self { house, parting, stop }
    }

    /// The first node of a new database that has these budgets.
    async fn first(url: &str, budgets: &[Budget]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        put(&control(dir.path(), Some(url.to_owned())).await, budgets).await;
        Self::open(dir, url, NodeId::generate()).await
    }

    async fn another(url: &str) -> Self {
        Self::open(tempfile::tempdir().unwrap(), url, NodeId::generate()).await
    }

    /// Gives everything back, as at the end of a process.
    async fn end(mut self) -> House {
        self.stop.cancel();
        while self.parting.join_next().await.is_some() {}
        self.house
    }

    /// Killed and started again: what it had open is charged at the most it could cost.
    async fn killed_and_back(self, url: &str) -> Self {
        let Self { house, mut parting, .. } = self;
        parting.shutdown().await;
        let House { control, ledger, budgets, tasks, dir, node, .. } = house;
        drop((ledger, budgets));
        tasks.close();
        tasks.wait().await;
        control.store.close().await;
        let control = super::control(dir.path(), Some(url.to_owned())).await;
        let again = House::over(dir, control, node).await;
        let House { control, ledger, budgets, live, .. } = &again;
        let settled =
            settle_interrupted(&control.store, ledger, Some(budgets), node, &live.snapshot, control.now());
        println!("{} requests of a killed node were open", settled.await.unwrap());
        Self::of(again)
    }

    /// Takes over the configuration, as every node does a moment after it was written.
    async fn reload(&self) {
        let live = live::build(&self.house.control, None).await.unwrap();
        self.house.budgets.follow(&self.house.control.store, &live.snapshot.budgets).await.unwrap();
    }

    /// Begins a request that never ends.
    async fn leaves_open(&self, tokens: u64) -> Option<NanoUsd> {
        let mut start = self.house.asking("anybody", tokens);
        let tab = self.house.admit(&mut start).await;
        let most = start.holding.as_ref().map(|holding| holding.claim.most.cost);
        self.house.ledger.write(LedgerEntry::Start(Arc::new(start))).await.unwrap();
        std::mem::forget(tab);
        most
    }

    /// The most a request of so many tokens can cost.
    fn most(&self, tokens: u64) -> NanoUsd {
        let start = self.house.asking("anybody", tokens);
        let bound = start.decision.asked.unwrap().bound;
        self.house.budgets.claim(&self.house.live, &start.operation, &target_of(&start), bound).most.cost
    }

    /// What all nodes were charged, as the database has it.
    async fn used(&self, budget: &Budget) -> NanoUsd {
        assert!(self.house.ledger.caught_up(Duration::from_mins(1)).await);
        let start = budget.window(self.house.control.now()).start;
        let purses = self.house.control.store.purses(budget.id, start, start.plus_micros(1)).await.unwrap();
        purses.first().map_or(NanoUsd::ZERO, |(_, amount)| amount.cost)
    }
}

fn is_answered(served: Served) -> bool {
    matches!(served, Served::Answered)
}

/// What became of requests.
#[derive(Default)]
struct Tally {
    answered: AtomicU64,
    refused: AtomicU64,
}

/// Two hundred tasks spread over the nodes, with so many requests each.
async fn hammer(nodes: &[Arc<Node>], tally: &Arc<Tally>, requests: u64, seed: u64) {
    let tasks = (0..200_u64).zip(nodes.iter().cycle()).map(|(task, node)| {
        let (node, tally) = (Arc::clone(node), Arc::clone(tally));
        TaskTracker::new().spawn(async move {
            let mut seeded = Seeded(seed + task);
            for _ in 0..requests {
                // From a tenth of a cent to ten cents.
                let tokens = TOKENS_PER_CENT / 10 + seeded.below(TOKENS_PER_CENT * 10);
                let percent = i64::try_from(seeded.below(101)).unwrap();
                let user = format!("u_{}", seeded.below(16));
                let served = node.house.request(&user, tokens, percent).await;
                let count = if is_answered(served) { &tally.answered } else { &tally.refused };
                count.fetch_add(1, Ordering::Relaxed);
            }
        })
    });
    futures::future::try_join_all(tasks).await.unwrap();
}

/// Moves a limit, and has every node know.
async fn edit_limit(nodes: &[Arc<Node>], budget: &mut Budget, dollars: i64) {
    budget.limits.cost = Some(NanoUsd::from_nanos(dollars * NANOS_PER_USD));
    budget.version += 1;
    put(&nodes[0].house.control, std::slice::from_ref(budget)).await;
    for node in nodes {
        node.reload().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn four_nodes_under_edits_of_a_limit_and_a_kill_never_pass_it_and_leave_less_than_a_request_of_it() {
    let Some(url) = postgres::empty_database() else { return };
    let mut budget = five_dollars(0);
    let each = Budget::usual("Each", Scope::EachUser, Period::Day, NanoUsd::from_nanos(100 * NANOS_PER_USD));
    let mut nodes = vec![Arc::new(Node::first(&url, &[budget.clone(), each.clone()]).await)];
    for _ in 1..NODES {
        nodes.push(Arc::new(Node::another(&url).await));
    }
    let (tally, requests) = (Arc::new(Tally::default()), if is_nightly() { 20 } else { 2 });
    let began = std::time::Instant::now();
    let edits = async {
        let mut seeded = Seeded(11);
        for _ in 0..10 {
            edit_limit(&nodes, &mut budget, 1 + i64::try_from(seeded.below(5)).unwrap()).await;
        }
    };
    tokio::join!(hammer(&nodes, &tally, requests, 0), edits);
    edit_limit(&nodes, &mut budget, 5).await;

    let killed = Arc::into_inner(nodes.pop().unwrap()).unwrap();
    for _ in 0..3 {
        killed.leaves_open(TOKENS_PER_CENT).await;
    }
    let three_go_on = hammer(&nodes, &tally, requests, 1_000);
    let (back, ()) = tokio::join!(killed.killed_and_back(&url), three_go_on);
    nodes.push(Arc::new(back));
    hammer(&nodes, &tally, requests.div_ceil(2), 2_000).await;
    let took = began.elapsed();

    let limit = NanoUsd::from_nanos(5 * NANOS_PER_USD);
    let most = nodes[0].most(TOKENS_PER_CENT);
    let mut tries = 0;
    let used = loop {
        let mut used = NanoUsd::ZERO;
        for node in &nodes {
            used = node.used(&budget).await;
        }
        assert!(used <= limit, "{used} of {limit} are used");
        if limit.as_nanos() - used.as_nanos() < most.as_nanos() {
            break used;
        }
        tries += 1;
        assert!(tries < 5_000, "{used} of {limit} are used, and a request for {most} is refused");
        nodes[tries % NODES].house.request("anybody", TOKENS_PER_CENT, 100).await;
    };
    println!(
        "{} answered, {} refused in {took:?}; ${used} of $5 used, {tries} requests to use the rest",
        tally.answered.load(Ordering::Relaxed),
        tally.refused.load(Ordering::Relaxed),
    );
    let store = nodes[0].house.control.store.clone();
    let start = each.window(nodes[0].house.control.now()).start;
    let purses = store.purses(each.id, start, start.plus_micros(1)).await.unwrap();
    assert_eq!(purses.len(), 17, "sixteen users and anybody have one purse each");
    for node in nodes {
        Arc::into_inner(node).unwrap().end().await;
    }
    let report = store.verify_ledger().await.unwrap();
    assert!(report.is_clean(), "{:#?}", report.first_differences);
    assert_eq!(store.nodes().await.unwrap(), [], "each has left");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_can_use_what_another_one_has_and_does_not_need_also_after_that_one_ended() {
    let Some(url) = postgres::empty_database() else { return };
    let budget = five_dollars(0);
    let first = Node::first(&url, std::slice::from_ref(&budget)).await;
    let second = Node::another(&url).await;
    assert!(is_answered(first.house.request("anybody", TOKENS_PER_CENT, 100).await));
    // Nearly all of it, and more than is free while the first one keeps its sixteenth.
    let tokens = (5 * NANOS_PER_USD - NANOS_PER_USD / 10) / first.most(1_000).as_nanos() * 1_000;
    let tokens = u64::try_from(tokens).unwrap();
    let dear = second.house.request("anybody", tokens, 0).await;
    assert!(is_answered(dear), "the first one gave back what it did not need");
    let house = second.end().await;
    assert!(is_answered(first.house.request("anybody", tokens, 0).await));
    drop(house);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_does_not_reach_its_database_uses_nothing_more_of_a_shared_budget_and_says_so() {
    let Some(url) = postgres::empty_database() else { return };
    let budget = five_dollars(0);
    let mut node = Node::first(&url, std::slice::from_ref(&budget)).await;
    assert!(is_answered(node.house.request("anybody", TOKENS_PER_CENT, 100).await));
    node.parting.shutdown().await;
    node.house.budgets.0.escrow.as_ref().unwrap().lease.lose();
    let mut start = node.house.asking("anybody", TOKENS_PER_CENT);
    let _tab = node.house.admit(&mut start).await;
    let shortfall = start.refused_by.unwrap();
    assert!(in_words(&shortfall).contains("does not reach their database"), "{}", in_words(&shortfall));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_gone_node_left_open_is_charged_what_it_had_is_free_and_it_must_begin_anew() {
    let Some(url) = postgres::empty_database() else { return };
    let budget = five_dollars(0);
    let mut gone = Node::first(&url, std::slice::from_ref(&budget)).await;
    let other = Node::another(&url).await;
    let most = gone.leaves_open(TOKENS_PER_CENT * 10).await.unwrap();
    assert!(gone.house.ledger.caught_up(SOON).await);
    gone.parting.shutdown().await;

    let house = &other.house;
    let store = &house.control.store;
    let is_gone = |beat: &&signalbox_store::NodeBeat| beat.node == gone.house.node;
    let beat = store.nodes().await.unwrap().iter().find(is_gone).copied().unwrap();
    bury(store, &house.ledger, beat, &house.live.snapshot, house.control.now()).await.unwrap();
    assert_eq!(other.used(&budget).await, most);
    let slices =
        store.slices_of(gone.house.node, budget.id, budget.window(house.control.now()).start).await.unwrap();
    assert!(slices.iter().all(|(_, slice, _)| slice.granted == slice.settled), "{slices:#?}");
    let lease = &gone.house.budgets.0.escrow.as_ref().unwrap().lease;
    assert!(!store.beat(gone.house.node, lease.life(), house.control.now()).await.unwrap());
    let alive = store.nodes().await.unwrap();
    assert_eq!(alive.iter().map(|node| node.node).collect::<Vec<_>>(), [other.house.node]);
}
