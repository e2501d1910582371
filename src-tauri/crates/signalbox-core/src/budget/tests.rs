mod shared;

use std::collections::HashMap;

use proptest::prelude::*;

use super::*;
use crate::ids::{OperationId, RequestId};
use crate::money::NANOS_PER_USD;
use crate::route::Target;
use crate::time::{MICROS_PER_SECOND, Timestamp};

const HOUR: i64 = 3_600 * MICROS_PER_SECOND;
/// 2026-11-21T00:00:00Z, a Saturday.
const MIDNIGHT: Timestamp = Timestamp::from_micros(1_795_219_200_000_000);

fn usd(cents: i64) -> NanoUsd {
    NanoUsd::from_nanos(cents * NANOS_PER_USD / 100)
}

fn cost(cents: i64) -> Amount {
    Amount { cost: usd(cents), tokens: 10, requests: 0 }
}

fn chat() -> OperationId {
    OperationId::new("chat_message").unwrap()
}

fn target(text: &str) -> Target {
    text.parse().unwrap()
}

/// Asks for a call of `a/paid`.
struct Asking {
    operation: OperationId,
    target: Target,
}

impl Asking {
    fn new() -> Self {
        Self { operation: chat(), target: target("a/paid") }
    }

    fn spender<'a>(&'a self, user: Option<&'a str>) -> Spender<'a> {
        Spender { operation: &self.operation, user, owner: None, key: None, tags: &[] }
    }

    fn hold(
        &self,
        book: &mut Book,
        request: RequestId,
        claim: Claim,
        user: Option<&str>,
        now: Timestamp,
    ) -> Result<Opened, Box<Shortfall>> {
        let offer = Offer { target: &self.target, claim, paid_by_owner: false };
        book.hold(request, &self.spender(user), &offer, false, now)
    }
}

fn strict(scope: Scope, cents: i64) -> Budget {
    Budget { overrun_percent: 0, ..Budget::usual("x", scope, Period::Day, usd(cents)) }
}

fn book(budgets: &[Budget]) -> Book {
    let mut book = Book::default();
    book.set_budgets(budgets);
    book
}

fn only(book: &Book, now: Timestamp) -> PurseStatus {
    let mut statuses = book.statuses(now);
    assert_eq!(statuses.len(), 1, "{statuses:#?}");
    statuses.remove(0)
}

#[test]
fn what_is_held_and_used_never_passes_the_limit_and_the_rest_of_a_hold_is_given_back() {
    let (asking, mut book) = (Asking::new(), book(&[strict(Scope::Global, 100)]));
    let (first, second) = (RequestId::generate(), RequestId::generate());
    assert!(asking.hold(&mut book, first, Claim::strictly(cost(60)), None, MIDNIGHT).is_ok());
    let refused = asking.hold(&mut book, second, Claim::strictly(cost(60)), None, MIDNIGHT).unwrap_err();
    assert_eq!((refused.left(), refused.needed), (usd(40).as_nanos(), usd(60).as_nanos()));
    assert_eq!(refused.holders, [Holder { request: first, held: usd(60) }]);
    assert_eq!(refused.resets_at, Some(MIDNIGHT.plus_micros(24 * HOUR)));
    book.end_call(first, Some(usd(10)), 5);
    assert!(asking.hold(&mut book, second, Claim::strictly(cost(60)), None, MIDNIGHT).is_ok());
    let status = only(&book, MIDNIGHT);
    assert_eq!((status.purse.settled.cost, status.purse.held.cost, status.running), (usd(10), usd(60), 1));
    let posted = book.close(first);
    assert_eq!(posted[0].amount, Amount { cost: usd(10), tokens: 5, requests: 1 });
    assert!(book.close(second).is_empty(), "a call that never went out is not charged");
    assert_eq!(only(&book, MIDNIGHT).purse.held, Amount::default());
}

#[test]
fn calls_that_claim_all_there_is_take_no_room_once_they_are_over_and_make_none() {
    let notifies = Budget { action: Action::Notify, ..strict(Scope::Global, 100) };
    let (asking, mut book) = (Asking::new(), book(std::slice::from_ref(&notifies)));
    let all = Claim::strictly(Amount { cost: NanoUsd::from_nanos(i64::MAX), tokens: u64::MAX, requests: 0 });
    let calls = [RequestId::generate(), RequestId::generate(), RequestId::generate()];
    for call in calls {
        assert!(asking.hold(&mut book, call, all, None, MIDNIGHT).is_ok(), "it only tells");
    }
    book.close(calls[0]);
    book.set_budgets(&[Budget { action: Action::Block, ..notifies }]);
    let claim = Claim::strictly(cost(1));
    assert!(
        asking.hold(&mut book, RequestId::generate(), claim, None, MIDNIGHT).is_err(),
        "two still hold all"
    );
    book.close(calls[1]);
    book.close(calls[2]);
    assert_eq!(only(&book, MIDNIGHT).purse.held_max, Amount::default());
    assert!(
        asking.hold(&mut book, RequestId::generate(), Claim::strictly(cost(101)), None, MIDNIGHT).is_err()
    );
    assert!(
        asking.hold(&mut book, RequestId::generate(), Claim::strictly(cost(100)), None, MIDNIGHT).is_ok()
    );
}

#[test]
fn a_request_holds_in_all_its_budgets_or_in_none() {
    let budgets = [strict(Scope::Global, 1_000), strict(Scope::Operation(chat()), 50)];
    let (asking, mut book) = (Asking::new(), book(&budgets));
    let refused = asking.hold(&mut book, RequestId::generate(), Claim::strictly(cost(60)), None, MIDNIGHT);
    assert_eq!(refused.unwrap_err().purse.budget, budgets[1].id);
    assert!(book.statuses(MIDNIGHT).iter().all(|status| status.purse.held == Amount::default()));
}

#[test]
fn a_learned_hold_lets_more_run_and_what_is_used_stays_within_the_bound_that_is_told() {
    let budget = Budget { overrun_percent: 20, ..strict(Scope::Global, 100) };
    assert_eq!(budget.overrun_max().cost, Some(usd(20)));
    let (asking, mut book) = (Asking::new(), book(&[budget]));
    let claim = Claim { likely: cost(5), most: cost(40) };
    let running: Vec<RequestId> = (0..10)
        .map(|_| RequestId::generate())
        .filter(|id| asking.hold(&mut book, *id, claim, None, MIDNIGHT).is_ok())
        .collect();
    assert_eq!(running.len(), 3, "three may cost 120 at most");
    for id in &running {
        book.end_call(*id, Some(usd(40)), 0);
    }
    assert_eq!(only(&book, MIDNIGHT).purse.settled.cost, usd(120));
    let tiny = Claim::strictly(cost(1));
    assert!(asking.hold(&mut book, RequestId::generate(), tiny, None, MIDNIGHT).is_err());
}

#[test]
fn what_costs_nothing_is_not_kept_back_by_a_budget_of_money() {
    let (asking, mut book) = (Asking::new(), book(&[strict(Scope::Global, 0)]));
    assert!(asking.hold(&mut book, RequestId::generate(), Claim::strictly(cost(1)), None, MIDNIGHT).is_err());
    assert!(asking.hold(&mut book, RequestId::generate(), Claim::strictly(cost(0)), None, MIDNIGHT).is_ok());
}

#[test]
fn a_call_is_posted_to_the_period_it_began_in() {
    let (asking, mut book) = (Asking::new(), book(&[strict(Scope::Global, 100)]));
    let id = RequestId::generate();
    let late = MIDNIGHT.plus_micros(-1);
    assert!(asking.hold(&mut book, id, Claim::strictly(cost(90)), None, late).is_ok());
    assert_eq!(only(&book, MIDNIGHT).purse.held, Amount::default(), "the new day has all of it");
    book.forget_over(MIDNIGHT);
    book.end_call(id, Some(usd(30)), 0);
    assert_eq!(only(&book, late).purse.settled.cost, usd(30));
    assert_eq!(only(&book, MIDNIGHT).purse.settled.cost, NanoUsd::ZERO);
    assert_eq!(book.close(id)[0].purse.start, MIDNIGHT.plus_micros(-24 * HOUR));
    book.forget_over(MIDNIGHT);
    assert_eq!(only(&book, late).purse, Purse::default(), "forgotten once nothing holds on to it");
}

#[test]
fn a_limit_below_what_is_used_is_taken_and_blocks_what_is_new() {
    let mut budget = strict(Scope::Global, 100);
    let (asking, mut book) = (Asking::new(), book(std::slice::from_ref(&budget)));
    let running = RequestId::generate();
    asking.hold(&mut book, running, Claim::strictly(cost(80)), None, MIDNIGHT).unwrap();
    budget.limits.cost = Some(usd(50));
    book.set_budgets(&[budget]);
    assert!(asking.hold(&mut book, RequestId::generate(), Claim::strictly(cost(1)), None, MIDNIGHT).is_err());
    book.end_call(running, Some(usd(20)), 0);
    assert!(asking.hold(&mut book, RequestId::generate(), Claim::strictly(cost(30)), None, MIDNIGHT).is_ok());
}

#[test]
fn each_user_has_a_purse_from_the_first_request_on_and_a_budget_of_their_own_takes_its_place() {
    let each = strict(Scope::EachUser, 10);
    let alice = strict(Scope::User(Member::named("alice")), 100);
    let (asking, mut book) = (Asking::new(), book(&[each.clone(), alice.clone()]));
    for (user, cents, fits) in [("bob", 10, true), ("eve", 11, false), ("alice", 90, true), ("", 999, true)] {
        let held =
            asking.hold(&mut book, RequestId::generate(), Claim::strictly(cost(cents)), Some(user), MIDNIGHT);
        assert_eq!(held.is_ok(), fits, "{user}");
    }
    let members: Vec<(BudgetId, String)> = book
        .statuses(MIDNIGHT)
        .into_iter()
        .filter(|status| status.purse.held != Amount::default())
        .map(|status| (status.key.budget, status.key.member.to_string()))
        .collect();
    let mut expected = vec![(each.id, "bob".to_owned()), (alice.id, String::new())];
    expected.sort();
    assert_eq!(members, expected);
}

#[test]
fn a_threshold_and_the_first_refusal_are_told_once_per_period() {
    let (asking, mut book) = (Asking::new(), book(&[strict(Scope::Global, 100)]));
    let mut told = Vec::new();
    let mut spend = |book: &mut Book, cents: i64, now: Timestamp| {
        let id = RequestId::generate();
        let offer =
            [Offer { target: &asking.target, claim: Claim::strictly(cost(cents)), paid_by_owner: false }];
        let admission = book.admit(id, &asking.spender(None), &offer, false, now);
        told.extend(admission.notices.iter().map(|_| "refused".to_owned()));
        let notices = book.end_call(id, Some(usd(cents)), 0).notices;
        told.extend(notices.into_iter().map(|notice| match notice {
            Notice::Threshold { percent, .. } => percent.to_string(),
            other => format!("{other:?}"),
        }));
        book.close(id);
    };
    for cents in [49, 1, 1, 30, 10, 20, 30, 9] {
        spend(&mut book, cents, MIDNIGHT);
    }
    spend(&mut book, 60, MIDNIGHT.plus_micros(24 * HOUR));
    assert_eq!(told, ["50", "80", "refused", "100", "50"]);
}

#[test]
fn a_cheaper_target_is_taken_where_the_budget_says_so_and_those_that_cost_nothing_come_last() {
    let asking = Asking::new();
    let names: Vec<Target> = ["a/paid", "b/free", "c/cheap"].map(target).into();
    let offers: Vec<Offer<'_>> = names
        .iter()
        .zip([50, 0, 5])
        .map(|(target, cents)| Offer { target, claim: Claim::strictly(cost(cents)), paid_by_owner: false })
        .collect();
    let admit = |action: Action, scope: Scope| {
        let mut book = book(&[Budget { action, ..strict(scope, 10) }]);
        let id = RequestId::generate();
        let admission = book.admit(id, &asking.spender(None), &offers, false, MIDNIGHT);
        (admission.order.clone(), admission.refused_by().map(|shortfall| shortfall.action))
    };
    assert_eq!(admit(Action::Downgrade, Scope::Global), (vec![2, 1], None));
    assert_eq!(admit(Action::Block, Scope::Global), (vec![], Some(Action::Block)));
    assert_eq!(admit(Action::RequireApproval, Scope::Global), (vec![], Some(Action::RequireApproval)));
    assert_eq!(admit(Action::Notify, Scope::Global), (vec![0, 1, 2], None));
    let of_provider = Scope::Provider("a".parse().unwrap());
    assert_eq!(admit(Action::Block, of_provider), (vec![1, 2], None));
}

#[test]
fn what_an_owner_pays_counts_in_their_own_budgets_alone() {
    let budgets = [strict(Scope::Global, 10), strict(Scope::EachUser, 100)];
    let (asking, mut book) = (Asking::new(), book(&budgets));
    let spender = Spender { owner: Some("olga"), ..asking.spender(Some("alice")) };
    let offer = Offer { target: &asking.target, claim: Claim::strictly(cost(50)), paid_by_owner: true };
    let opened = book.hold(RequestId::generate(), &spender, &offer, false, MIDNIGHT).unwrap();
    let holds = opened.holding.unwrap().holds;
    assert_eq!(holds.len(), 1);
    assert_eq!((holds[0].purse.budget, holds[0].purse.member.as_str()), (budgets[1].id, "olga"));
}

#[test]
fn another_call_of_a_request_is_not_counted_as_another_request() {
    let mut budget = strict(Scope::Global, 100);
    budget.limits.requests = Some(1);
    let (asking, mut book) = (Asking::new(), book(&[budget]));
    let id = RequestId::generate();
    for _ in 0..3 {
        asking.hold(&mut book, id, Claim::strictly(cost(10)), None, MIDNIGHT).unwrap();
        book.end_call(id, Some(usd(1)), 0);
    }
    assert_eq!(book.close(id)[0].amount, Amount { cost: usd(3), tokens: 0, requests: 1 });
    assert!(asking.hold(&mut book, RequestId::generate(), Claim::strictly(cost(0)), None, MIDNIGHT).is_err());
}

#[test]
fn a_bill_above_its_bound_is_posted_in_full_and_told() {
    let (asking, mut book) = (Asking::new(), book(&[strict(Scope::Global, 100)]));
    let id = RequestId::generate();
    asking.hold(&mut book, id, Claim::strictly(cost(10)), None, MIDNIGHT).unwrap();
    let notices = book.end_call(id, Some(usd(15)), 0).notices;
    assert_eq!(notices, [Notice::Overrun { request: id, held: usd(10), cost: usd(15) }]);
    assert_eq!(only(&book, MIDNIGHT).purse.settled.cost, usd(15));
}

#[test]
fn a_period_begins_by_the_clocks_of_its_zone_also_where_midnight_is_skipped() {
    let at = |text: &str| Timestamp::parse(text).unwrap();
    let window = |period: Period, zone: &str, now: &str| {
        let window = period.window(&Zone::new(zone).unwrap(), at(now));
        (window.start, window.end.unwrap())
    };
    let day = window(Period::Day, "Africa/Cairo", "2026-04-24T12:00:00Z");
    assert_eq!(day, (at("2026-04-23T22:00:00Z"), at("2026-04-24T21:00:00Z")), "23 hours, from 01:00 on");
    let week = window(Period::Week, "UTC", "2026-11-22T23:59:59Z");
    assert_eq!(week, (at("2026-11-16T00:00:00Z"), at("2026-11-23T00:00:00Z")));
    let month = window(Period::Month, "Europe/Berlin", "2026-10-31T23:30:00Z");
    assert_eq!(month, (at("2026-10-31T23:00:00Z"), at("2026-11-30T23:00:00Z")));
    assert!(Zone::new("Mars/Olympus").is_err());
}

proptest! {
    #[test]
    fn periods_follow_one_another_without_a_gap_in_every_zone(
        second in -2_000_000_000_i64..4_000_000_000,
        zone in proptest::sample::select(&["UTC", "Africa/Cairo", "Asia/Beirut", "Pacific/Apia", "America/Sao_Paulo",
            "America/Asuncion", "Asia/Kathmandu", "Europe/Lisbon", "Australia/Lord_Howe", "America/Havana"][..]),
        period in proptest::sample::select(&[Period::Day, Period::Week, Period::Month][..]),
    ) {
        let zone = Zone::new(zone).unwrap();
        let now = Timestamp::from_micros(second * MICROS_PER_SECOND);
        let window = period.window(&zone, now);
        prop_assert!(window.contains(now), "{window:?} does not contain {now}");
        let end = window.end.unwrap();
        prop_assert_eq!(period.window(&zone, end).start, end);
        prop_assert_eq!(period.window(&zone, end.plus_micros(-1)), window);
        prop_assert_eq!(period.window(&zone, window.start), window);
    }

    #[test]
    fn no_instant_is_without_a_period(micros in any::<i64>(), period in proptest::sample::select(Period::ALL)) {
        let _ = period.window(&Zone::new("Africa/Cairo").unwrap(), Timestamp::from_micros(micros));
    }
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

    fn cents(&mut self, bound: u64) -> i64 {
        i64::try_from(self.below(bound)).unwrap()
    }
}

/// The same rules with nothing but lists: slow, and too simple to be wrong.
#[derive(Default)]
struct Model {
    held: Vec<(RequestId, PurseKey, Claim)>,
    settled: Vec<(PurseKey, i64)>,
}

impl Model {
    fn sums(&self, key: &PurseKey) -> (i64, i64, i64) {
        let settled = self.settled.iter().filter(|(purse, _)| purse == key).map(|(_, nanos)| nanos).sum();
        let held = self.held.iter().filter(|(_, purse, _)| purse == key);
        let likely = held.clone().map(|(_, _, claim)| claim.likely.cost.as_nanos()).sum();
        let most = held.map(|(_, _, claim)| claim.most.cost.as_nanos()).sum();
        (settled, likely, most)
    }

    fn fits(&self, budget: &Budget, key: &PurseKey, claim: &Claim) -> bool {
        let (settled, likely, most) = self.sums(key);
        let limit = budget.limits.cost.unwrap().as_nanos();
        let overrun = limit * i64::from(budget.overrun_percent) / 100;
        let (own_likely, own_most) = (claim.likely.cost.as_nanos(), claim.most.cost.as_nanos());
        own_most == 0
            || (settled + most + own_most <= limit + overrun
                && (budget.overrun_percent == 0 || settled + likely + own_likely <= limit))
    }
}

#[test]
fn whatever_happens_the_book_says_what_a_list_of_everything_says_and_no_limit_is_passed() {
    let nightly = std::env::var_os("SIGNALBOX_NIGHTLY").is_some();
    let steps = if nightly { 1_000_000 } else { 60_000 };
    let mut seeded = Seeded(20_261_121);
    let asking = Asking::new();
    let users = ["alice", "bob", "carol"];
    let mut budgets = vec![
        Budget { overrun_percent: 5, ..strict(Scope::Global, 500) },
        strict(Scope::EachUser, 200),
        Budget { overrun_percent: 25, period: Period::Month, ..strict(Scope::Operation(chat()), 5_000) },
    ];
    let (mut book, mut model, mut now) = (book(&budgets), Model::default(), MIDNIGHT);
    let mut open: Vec<RequestId> = Vec::new();
    let (mut granted, mut refused) = (0_u32, 0_u32);
    for step in 0..steps {
        let pick = |open: &[RequestId], seeded: &mut Seeded| {
            let place = usize::try_from(seeded.below(open.len().max(1) as u64)).unwrap();
            open.get(place).copied()
        };
        match seeded.below(100) {
            0..45 => {
                let most = seeded.cents(101);
                let likely = if most == 0 { 0 } else { seeded.cents(most.unsigned_abs()) };
                let claim = Claim { likely: cost(likely), most: cost(most) };
                let user = users[usize::try_from(seeded.below(3)).unwrap()];
                // Another call of a request whose call before ended, or a new one.
                let again = pick(&open, &mut seeded).filter(|_| step % 4 == 0);
                let id = again.unwrap_or_else(RequestId::generate);
                model.held.retain(|(request, _, _)| *request != id);
                let keys: Vec<(usize, PurseKey)> = budgets
                    .iter()
                    .enumerate()
                    .map(|(place, budget)| {
                        let member = if budget.scope == Scope::EachUser { user } else { "" };
                        let start = budget.window(now).start;
                        (place, PurseKey { budget: budget.id, member: Member::named(member), start })
                    })
                    .collect();
                let fits = keys.iter().all(|(place, key)| model.fits(&budgets[*place], key, &claim));
                let held = asking.hold(&mut book, id, claim, Some(user), now);
                assert_eq!(held.is_ok(), fits, "step {step}");
                if fits {
                    granted += 1;
                    model.held.extend(keys.into_iter().map(|(_, key)| (id, key, claim)));
                    if again.is_none() {
                        open.push(id);
                    }
                } else {
                    refused += 1;
                }
            }
            45..75 => {
                let Some(id) = pick(&open, &mut seeded) else { continue };
                let most = model
                    .held
                    .iter()
                    .find(|(request, _, _)| *request == id)
                    .map(|(_, _, claim)| claim.most.cost);
                let actual = most.map_or(0, |most| seeded.cents(most.as_nanos().unsigned_abs() + 1));
                book.end_call(id, Some(NanoUsd::from_nanos(actual)), 0);
                let (ended, rest): (Vec<_>, Vec<_>) =
                    std::mem::take(&mut model.held).into_iter().partition(|(request, _, _)| *request == id);
                model.held = rest;
                model.settled.extend(ended.into_iter().map(|(_, key, _)| (key, actual)));
            }
            75..93 => {
                let Some(id) = pick(&open, &mut seeded) else { continue };
                book.close(id);
                model.held.retain(|(request, _, _)| *request != id);
                open.retain(|request| *request != id);
            }
            93..97 => {
                let place = usize::try_from(seeded.below(3)).unwrap();
                budgets[place].limits.cost = Some(usd(seeded.cents(800)));
                book.set_budgets(&budgets);
            }
            _ => {
                now = now.plus_micros(i64::try_from(seeded.below(9)).unwrap() * HOUR);
                book.forget_over(now);
                let oldest = MIDNIGHT.plus_micros(now.micros_since(MIDNIGHT) - 60 * 24 * HOUR);
                let held: Vec<PurseKey> = model.held.iter().map(|(_, key, _)| key.clone()).collect();
                model.settled.retain(|(key, _)| key.start > oldest || held.contains(key));
            }
        }
        let limits: HashMap<BudgetId, &Budget> = budgets.iter().map(|budget| (budget.id, budget)).collect();
        for status in book.statuses(now) {
            let purse = status.purse;
            let told = (purse.settled.cost, purse.held.cost, purse.held_max.cost);
            let (settled, likely, most) = model.sums(&status.key);
            let expected = [settled, likely, most].map(NanoUsd::from_nanos);
            assert_eq!(
                [told.0, told.1, told.2],
                expected,
                "step {step}: {:?} of {:?}",
                status.key,
                limits[&status.key.budget]
            );
        }
    }
    println!("{steps} steps, {granted} calls held, {refused} refused");
    assert!(granted > 1_000 && refused > 1_000, "too little happened to show anything");
}

/// Asks for admission with two offers: `a/paid` first, `b/other` after it.
fn admitted(book: &mut Book, cents: i64, is_approved: bool) -> Admission {
    let (first, second) = (target("a/paid"), target("b/other"));
    let operation = chat();
    let spender = Spender { operation: &operation, user: None, owner: None, key: None, tags: &[] };
    let claim = Claim::strictly(cost(cents));
    let offers = [&first, &second].map(|target| Offer { target, claim, paid_by_owner: false });
    book.admit(RequestId::generate(), &spender, &offers, is_approved, MIDNIGHT)
}

#[test]
fn a_budget_that_asks_names_itself_and_lets_an_approved_request_pass() {
    let team =
        Budget { action: Action::RequireApproval, name: "Team".to_owned(), ..strict(Scope::Global, 50) };
    let mut book = book(&[team]);
    let fits = admitted(&mut book, 50, false);
    assert!(fits.asks_for.is_empty() && fits.holding.is_some());
    let over = admitted(&mut book, 1, false);
    assert_eq!(over.asks_for, ["Team"]);
    assert!(over.refused_by().is_some() && over.holding.is_none());
    let approved = admitted(&mut book, 1, true);
    assert_eq!((approved.order.as_slice(), approved.asks_for.len()), (&[0, 1][..], 0));
    assert!(approved.holding.is_some());
}

#[test]
fn nobody_is_asked_where_another_budget_refuses_whatever_a_person_says() {
    let asks = Budget { action: Action::RequireApproval, ..strict(Scope::Global, 50) };
    for other in [Scope::Operation(chat()), Scope::EachOperation] {
        let mut book = book(&[asks.clone(), strict(other, 50)]);
        let refused = admitted(&mut book, 60, false);
        assert_eq!(refused.refused_by().unwrap().action, Action::Block);
        assert!(refused.asks_for.is_empty());
        assert!(admitted(&mut book, 60, true).refused_by().is_some(), "not even with a leave");
    }
    let cheaper = Budget { action: Action::Downgrade, ..strict(Scope::Operation(chat()), 50) };
    assert!(admitted(&mut book(&[asks, cheaper]), 60, false).asks_for.is_empty(), "there is nothing cheaper");
}

#[test]
fn a_person_is_asked_when_one_of_the_targets_could_be_reached_with_their_leave() {
    let asks =
        Budget { action: Action::RequireApproval, name: "Team".to_owned(), ..strict(Scope::Global, 50) };
    let blocked = strict(Scope::Model(target("a/paid")), 10);
    let mut book = book(&[asks, blocked]);
    assert_eq!(admitted(&mut book, 60, false).asks_for, ["Team"]);
    let approved = admitted(&mut book, 60, true);
    assert_eq!((approved.order.as_slice(), approved.left_out[0].0), (&[1][..], 0));
}

#[test]
fn a_budget_is_warned_from_its_first_warning_on_and_not_before() {
    let note = Threshold { percent: 10, severity: Severity::Info };
    let warning = Threshold { percent: 50, severity: Severity::Warning };
    let day =
        Budget { thresholds: vec![note, warning], name: "Day".to_owned(), ..strict(Scope::Global, 100) };
    let silent = Budget { thresholds: Vec::new(), ..strict(Scope::Global, 100) };
    let (asking, mut book) = (Asking::new(), book(&[day, silent]));
    let warned = |book: &Book| book.warned(&asking.spender(None), [(&asking.target, false)], MIDNIGHT);
    assert!(warned(&book).is_empty());
    let spend = |book: &mut Book, nanos: i64| {
        let (id, claim) = (
            RequestId::generate(),
            Claim::strictly(Amount { cost: NanoUsd::from_nanos(nanos), ..Amount::default() }),
        );
        asking.hold(book, id, claim, None, MIDNIGHT).unwrap();
        assert!(warned(book).is_empty(), "what is only held is not used yet");
        book.end_call(id, Some(NanoUsd::from_nanos(nanos)), 0);
        book.close(id);
    };
    spend(&mut book, usd(50).as_nanos() - 1);
    assert!(warned(&book).is_empty(), "a nano-dollar below it");
    spend(&mut book, 1);
    assert_eq!(warned(&book), ["Day"]);
    let tomorrow = MIDNIGHT.plus_micros(24 * HOUR);
    assert!(book.warned(&asking.spender(None), [(&asking.target, false)], tomorrow).is_empty());
    assert!(
        book.warned(&asking.spender(None), [(&asking.target, true)], MIDNIGHT).is_empty(),
        "an owner pays"
    );
}
