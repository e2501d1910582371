//! A budget that several nodes share.

use super::*;

/// What the database does: one purse, and each node's slice of it.
struct Database {
    limits: Limits,
    settled: Amount,
    slices: Vec<Slice>,
}

impl Database {
    fn new(limit: NanoUsd, nodes: usize) -> Self {
        let limits = Limits { cost: Some(limit), ..Limits::default() };
        Self { limits, settled: Amount::default(), slices: vec![Slice::default(); nodes] }
    }

    fn pool(&self, node: usize) -> Pool {
        let others = self.slices.iter().enumerate().filter(|(other, _)| *other != node);
        let elsewhere = others.map(|(_, slice)| slice.outstanding()).fold(Amount::default(), Amount::plus);
        Pool { limits: self.limits, used: self.settled, elsewhere }
    }

    fn exchange(&mut self, node: usize, wish: &Wish) -> Share {
        let pool = self.pool(node);
        let slice = &mut self.slices[node];
        slice.granted = pool.grant(*slice, wish);
        let (settled, elsewhere) = (self.settled, pool.elsewhere);
        Share { slice: *slice, settled, adjusted: NanoUsd::ZERO, elsewhere, turn: 0 }
    }

    fn settle(&mut self, node: usize, cost: NanoUsd) {
        let amount = Amount { cost, ..Amount::default() };
        self.settled = self.settled.plus(amount);
        self.slices[node].settled = self.slices[node].settled.plus(amount);
    }

    /// What is gone or may go without anybody being asked.
    fn committed(&self) -> i64 {
        let outstanding = self.slices.iter().map(|slice| slice.outstanding().cost.as_nanos());
        self.settled.cost.as_nanos() + outstanding.sum::<i64>()
    }
}

fn of(cost: i64) -> Amount {
    Amount { cost: NanoUsd::from_nanos(cost), ..Amount::default() }
}

proptest! {
    #[test]
    fn nobody_is_granted_what_others_may_use(
        steps in proptest::collection::vec((0..4_usize, 0..4_u8, 0..2_000_i64, 0..2_000_i64), 1..80),
    ) {
        let mut database = Database::new(NanoUsd::from_nanos(1_000), 4);
        for (node, what, a, b) in steps {
            let before = database.committed();
            let slice = database.slices[node];
            match what {
                // Asks for more.
                0 => {
                    let least = of(slice.granted.cost.as_nanos() + a.min(b));
                    let wanted = of(slice.granted.cost.as_nanos() + a.max(b));
                    let could = database.pool(node).could_ever(slice, least);
                    let share = database.exchange(node, &Wish { keeps: slice.granted, least, wanted });
                    let granted = share.slice.granted.cost;
                    prop_assert!(granted >= slice.granted.cost, "what it keeps is not taken away");
                    let more = granted > slice.granted.max_of(slice.settled).cost;
                    prop_assert!(!more || granted >= least.cost, "half a grant helps nobody");
                    prop_assert!(!more || could);
                    prop_assert!(
                        !more || database.committed() <= database.limits.cost.unwrap().as_nanos(),
                        "{} is committed", database.committed()
                    );
                }
                // Gives back.
                1 => {
                    let keeps = of(a.min(slice.granted.cost.as_nanos()));
                    database.exchange(node, &Wish::no_more_than(keeps));
                    prop_assert!(database.committed() <= before);
                }
                // Settles some of what it was granted.
                2 => {
                    let cost = NanoUsd::from_nanos(a.min(slice.outstanding().cost.as_nanos()));
                    database.settle(node, cost);
                    prop_assert_eq!(database.committed(), before);
                }
                _ => database.limits.cost = Some(NanoUsd::from_nanos(a)),
            }
        }
    }
}

impl Amount {
    fn max_of(self, other: Self) -> Self {
        Self { cost: self.cost.max(other.cost), ..self }
    }
}

#[test]
fn a_node_is_granted_a_sixteenth_of_what_is_free_or_what_it_wants_if_that_is_more_and_never_half_of_what_helps()
 {
    let pool = |elsewhere| Pool {
        limits: Limits { cost: Some(NanoUsd::from_nanos(1_600)), ..Limits::default() },
        used: Amount::default(),
        elsewhere: of(elsewhere),
    };
    let wish = |least, wanted| Wish { keeps: Amount::default(), least: of(least), wanted: of(wanted) };
    for (elsewhere, least, wanted, granted) in [
        (0, 1, 8, 100),
        (0, 1, 300, 300),
        (1_590, 1, 8, 8),
        (1_597, 1, 8, 3),
        (1_597, 4, 8, 0),
        (1_600, 1, 8, 0),
    ] {
        let found = pool(elsewhere).grant(Slice::default(), &wish(least, wanted));
        assert_eq!(found, of(granted), "{elsewhere} elsewhere, {least} helps, {wanted} wanted");
    }
    assert!(pool(1_600).could_ever(Slice::default(), of(1_600)));
    assert!(!pool(0).could_ever(Slice::default(), of(1_601)));
    let more_was_used_than_granted = Slice { granted: of(5), settled: of(7) };
    let kept = pool(0).grant(more_was_used_than_granted, &Wish::no_more_than(of(5)));
    assert_eq!(kept, of(7), "what is used cannot be given back");
}

#[test]
fn a_node_without_a_slice_holds_nothing_and_one_that_is_cut_off_not_even_its_slice() {
    let budget = strict(Scope::Global, 100);
    let (asking, mut book) = (Asking::new(), Book::default());
    book.share();
    book.set_budgets(std::slice::from_ref(&budget));
    let id = RequestId::generate();
    let offer = [Offer { target: &asking.target, claim: Claim::strictly(cost(10)), paid_by_owner: false }];
    let needs = book.needs(id, &asking.spender(None), &offer, false, MIDNIGHT);
    let need = &needs.short[0][0];
    assert_eq!((need.least.cost, need.wanted.cost), (usd(10), usd(80)));
    assert!(asking.hold(&mut book, id, offer[0].claim, None, MIDNIGHT).is_err());
    let share = Share {
        slice: Slice { granted: cost(80), settled: Amount::default() },
        settled: cost(15),
        elsewhere: cost(5),
        ..Share::default()
    };
    let asked = book.parcel(&need.purse);
    book.take(&need.purse, &share, asked);
    assert_eq!(book.needs(id, &asking.spender(None), &offer, false, MIDNIGHT), Needs::default());
    assert!(asking.hold(&mut book, id, offer[0].claim, None, MIDNIGHT).is_ok());
    book.cut_off(true);
    let refused = asking.hold(&mut book, RequestId::generate(), offer[0].claim, None, MIDNIGHT).unwrap_err();
    assert!(refused.is_cut_off);
    assert_eq!((refused.limit, refused.used), (usd(100).as_nanos(), usd(15).as_nanos()));
    assert_eq!(refused.held, usd(10 + 5).as_nanos(), "what others may use counts as held");
    book.cut_off(false);
    assert!(asking.hold(&mut book, RequestId::generate(), offer[0].claim, None, MIDNIGHT).is_ok());
}

#[test]
fn what_was_asked_for_before_a_node_gave_something_up_counts_no_more() {
    let mut budget = strict(Scope::Global, 100);
    let (asking, mut book) = (Asking::new(), Book::default());
    book.share();
    book.set_budgets(std::slice::from_ref(&budget));
    let key = only(&book, MIDNIGHT).key;
    let share = |cents| Share {
        slice: Slice { granted: cost(cents), settled: Amount::default() },
        ..Share::default()
    };
    let asked = book.parcel(&key);
    book.take(&key, &share(50), asked);
    let id = RequestId::generate();
    asking.hold(&mut book, id, Claim::strictly(cost(20)), None, MIDNIGHT).unwrap();
    let asked = book.parcel(&key);
    budget.limits.cost = Some(usd(30));
    book.set_budgets(&[budget]);
    book.take(&key, &share(70), asked);
    assert_eq!(
        book.parcel(&key).granted.cost,
        usd(20),
        "what is held stays, the rest has to be asked for anew"
    );
    assert_eq!(book.given_up(), std::slice::from_ref(&key));
    let asked = book.parcel(&key);
    book.take(&key, &share(30), asked);
    assert!(book.given_up().is_empty());
    book.note_unheard(&key);
    assert_eq!(
        book.given_up(),
        std::slice::from_ref(&key),
        "what an answer that was lost said must be told anew"
    );
}

/// Four nodes and their database. Settlements reach the database later than the node knows of them.
struct Nodes {
    asking: Asking,
    books: Vec<Book>,
    database: Database,
    on_their_way: Vec<(usize, NanoUsd)>,
}

impl Nodes {
    fn exchange(&mut self, node: usize, key: &PurseKey, wish: impl Fn(Amount) -> Wish) {
        let asked = self.books[node].parcel(key);
        let share = self.database.exchange(node, &wish(asked.granted));
        self.books[node].take(key, &share, asked);
    }

    /// Holds a claim, and asks for what is missing first; says whether it fits.
    fn hold(&mut self, node: usize, id: RequestId, claim: Claim) -> bool {
        for others_give_back in [false, true] {
            let spender = self.asking.spender(None);
            let offer = [Offer { target: &self.asking.target, claim, paid_by_owner: false }];
            let needs = self.books[node].needs(id, &spender, &offer, false, MIDNIGHT);
            for Need { purse, least, wanted } in needs.short.into_iter().flatten().chain(needs.soon) {
                for other in (0..self.books.len()).filter(|other| others_give_back && *other != node) {
                    self.books[other].give_up(&purse);
                    self.exchange(other, &purse, Wish::no_more_than);
                }
                self.exchange(node, &purse, |keeps| Wish { keeps, least, wanted });
            }
        }
        self.asking.hold(&mut self.books[node], id, claim, None, MIDNIGHT).is_ok()
    }

    fn end(&mut self, node: usize, id: RequestId, cost: i64) {
        let cost = NanoUsd::from_nanos(cost);
        self.books[node].end_call(id, Some(cost), 0);
        if !self.books[node].close(id).is_empty() {
            self.on_their_way.push((node, cost));
        }
    }

    fn held_max(&self) -> i64 {
        let statuses = self.books.iter().flat_map(|book| book.statuses(MIDNIGHT));
        statuses.map(|status| status.purse.held_max.cost.as_nanos()).sum()
    }
}

#[test]
fn four_nodes_never_pass_the_limit_together_and_leave_less_than_a_request_of_it() {
    let limit = usd(50_000);
    let budget =
        Budget { limits: Limits { cost: Some(limit), ..Limits::default() }, ..strict(Scope::Global, 0) };
    let new = || {
        let mut book = Book::default();
        book.share();
        book.set_budgets(std::slice::from_ref(&budget));
        book
    };
    let mut nodes = Nodes {
        asking: Asking::new(),
        books: (0..4).map(|_| new()).collect(),
        database: Database::new(limit, 4),
        on_their_way: Vec::new(),
    };
    let mut seeded = Seeded(4);
    let mut open: Vec<(usize, RequestId, i64)> = Vec::new();
    let (mut spent, mut refused_in_a_row, mut steps) = (0, 0, 0);
    while refused_in_a_row < 50 {
        steps += 1;
        assert!(steps < 100_000);
        match seeded.below(10) {
            0..5 => {
                let node = usize::try_from(seeded.below(4)).unwrap();
                let (id, most) = (RequestId::generate(), usd(seeded.cents(100) + 1));
                let claim = Claim::strictly(Amount { cost: most, ..Amount::default() });
                if nodes.hold(node, id, claim) {
                    refused_in_a_row = 0;
                    open.push((node, id, most.as_nanos()));
                } else {
                    refused_in_a_row += 1;
                }
            }
            5..8 if !open.is_empty() => {
                let place = usize::try_from(seeded.below(open.len() as u64)).unwrap();
                let (node, id, most) = open.swap_remove(place);
                let cost = i64::try_from(seeded.below(most.unsigned_abs() + 1)).unwrap();
                spent += cost;
                nodes.end(node, id, cost);
            }
            _ if !nodes.on_their_way.is_empty() => {
                let (node, cost) = nodes.on_their_way.remove(0);
                nodes.database.settle(node, cost);
            }
            _ => {}
        }
        assert!(spent + nodes.held_max() <= limit.as_nanos(), "step {steps}");
    }
    for (node, id, most) in open {
        spent += most;
        nodes.end(node, id, most);
    }
    let left = limit.as_nanos() - spent;
    assert!((0..usd(100).as_nanos()).contains(&left), "{left} is left");
    for node in 0..4 {
        let most = Amount { cost: NanoUsd::from_nanos(left), ..Amount::default() };
        let id = RequestId::generate();
        assert!(nodes.hold(node, id, Claim::strictly(most)), "node {node} can have all that is left");
        nodes.books[node].close(id);
    }
    println!("{steps} steps, {left} left of {}", limit.as_nanos());
}
