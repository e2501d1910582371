//! Pages of requests: newest first, nothing skipped, nothing twice, whatever is filtered.

use std::collections::HashSet;

use signalbox_core::ids::{KeyId, RequestId};
use signalbox_core::ledger::{Outcome, RequestStart, Settlement};
use signalbox_core::meter::{Cost, CostStatus};
use signalbox_core::money::NanoUsd;
use signalbox_store::{RequestFilter, RequestStatus, RequestSummary, Store};

use crate::database::{Database, on_both_databases};
use crate::samples::{
    HOSTILE, MIDNIGHT, attempt, begin, failed_attempt, record, settle, settlement_of, start,
};

/// Reads page by page to the end.
async fn all_pages(store: &Store, filter: &RequestFilter, limit: u32) -> Vec<RequestSummary> {
    let mut all: Vec<RequestSummary> = Vec::new();
    loop {
        let page = store.requests(filter, all.last().map(|row| row.id), limit).await.unwrap();
        assert!(page.len() <= usize::try_from(limit).unwrap());
        if page.is_empty() {
            return all;
        }
        all.extend(page);
    }
}

/// Requests that differ in everything a filter can ask for, many at the same instant.
async fn fill(db: &Database) -> (Vec<(RequestStart, Option<Settlement>)>, Vec<KeyId>) {
    const TARGETS: [&str; 4] =
        ["deepseek/deepseek-chat", "deepseek/deepseek-reasoner", "openai/gpt-5", "openrouter/openai/gpt-5"];
    let keys = vec![KeyId::generate(), KeyId::generate()];
    let mut ledger = db.store.ledger().await.unwrap();
    let mut all = Vec::new();
    for number in 0..240_usize {
        let micros = i64::try_from(number / 7).unwrap();
        let mut begun = start(["chat_message", "job_planning"][number % 2], MIDNIGHT.plus_micros(micros));
        begun.key = keys.get(number % 3).copied();
        begun.user = ["u_1", "u_2", "%"].get(number % 4).map(|user| (*user).to_owned());
        let outcome = Outcome::ALL[number % 4];
        let attempts = match number % 5 {
            0 => Vec::new(),
            1 => vec![failed_attempt(TARGETS[number % 4])],
            2 => {
                let mut unpriced = attempt(TARGETS[number % 4], 0);
                unpriced.cost =
                    Cost { status: CostStatus::Unpriced, total: None, lines: Vec::new(), card: None };
                vec![unpriced]
            }
            _ => vec![attempt(TARGETS[number % 4], i64::try_from(number).unwrap() * 1_000)],
        };
        let end = (number % 11 != 0)
            .then(|| Settlement { simulated: number % 6 == 0, ..settlement_of(&begun, outcome, attempts) });
        all.push((begun, end));
    }
    let starts: Vec<_> = all.iter().map(|(begun, _)| begin(begun)).collect();
    ledger.commit(&starts).await.unwrap();
    let ends: Vec<_> = all.iter().filter_map(|(begun, end)| Some(settle(begun, end.as_ref()?))).collect();
    ledger.commit(&ends).await.unwrap();
    all.sort_by_key(|(begun, _)| std::cmp::Reverse((begun.started_at, begun.id)));
    (all, keys)
}

type Request = (RequestStart, Option<Settlement>);

/// Whether a filter must find a request.
type Fits<'a> = Box<dyn Fn(&Request) -> bool + 'a>;

fn target_is(request: &Request, fits: impl Fn(&str, &str) -> bool) -> bool {
    let target = request.1.as_ref().and_then(Settlement::target);
    target.is_some_and(|target| fits(target.provider.as_str(), target.model.as_str()))
}

on_both_databases! {
    async fn every_filter_finds_exactly_what_fits_in_order_over_pages_and_ties(db: &Database) {
        let (all, keys) = fill(db).await;
        let any = RequestFilter::default;
        let text = |text: &str| Some(text.to_owned());
        let instant = MIDNIGHT.plus_micros(10);
        let cost = NanoUsd::from_nanos(100_000);
        let id_prefix = &all[40].0.id.to_string()[..16];
        let ended = |fits: fn(&Settlement) -> bool| -> Fits<'_> {
            Box::new(move |(_, end)| end.as_ref().is_some_and(fits))
        };
        let cases: Vec<(RequestFilter, Fits<'_>)> = vec![
            (any(), Box::new(|_| true)),
            (
                RequestFilter { operation: text("job_planning"), ..any() },
                Box::new(|(begun, _)| begun.operation.as_str() == "job_planning"),
            ),
            (
                RequestFilter { provider: text("deepseek"), ..any() },
                Box::new(|request| target_is(request, |provider, _| provider == "deepseek")),
            ),
            (
                RequestFilter { provider: text("openrouter"), model: text("openai/gpt-5"), ..any() },
                Box::new(|request| target_is(request, |_, model| model == "openai/gpt-5")),
            ),
            (
                RequestFilter { model: text("deepseek-*"), ..any() },
                Box::new(|request| target_is(request, |_, model| model.starts_with("deepseek-"))),
            ),
            (RequestFilter { model: text("*"), ..any() }, Box::new(|request| target_is(request, |_, _| true))),
            (RequestFilter { model: text("%"), ..any() }, Box::new(|_| false)),
            (RequestFilter { model: text("deepseek_*"), ..any() }, Box::new(|_| false)),
            (
                RequestFilter { status: Some(RequestStatus::InFlight), ..any() },
                Box::new(|(_, end)| end.is_none()),
            ),
            (
                RequestFilter { status: Some(RequestStatus::Ended(Outcome::Succeeded)), ..any() },
                ended(|end| end.outcome == Outcome::Succeeded),
            ),
            (
                RequestFilter { status: Some(RequestStatus::Ended(Outcome::Cancelled)), ..any() },
                ended(|end| end.outcome == Outcome::Cancelled),
            ),
            (
                RequestFilter { cost_status: Some(CostStatus::Unpriced), ..any() },
                ended(|end| end.cost().0 == CostStatus::Unpriced),
            ),
            (
                RequestFilter { cost_status: Some(CostStatus::Exact), ..any() },
                ended(|end| end.cost().0 == CostStatus::Exact),
            ),
            (
                RequestFilter { key: Some(keys[1]), ..any() },
                Box::new(|(begun, _)| begun.key == Some(keys[1])),
            ),
            (
                RequestFilter { user: text("%"), ..any() },
                Box::new(|(begun, _)| begun.user.as_deref() == Some("%")),
            ),
            (RequestFilter { simulated: Some(true), ..any() }, ended(|end| end.simulated)),
            (
                RequestFilter { cost_min: Some(cost), ..any() },
                Box::new(|(_, end)| end.as_ref().is_some_and(|end| end.cost().1 >= Some(cost))),
            ),
            (
                RequestFilter { from: Some(instant), ..any() },
                Box::new(|(begun, _)| begun.started_at >= instant),
            ),
            (
                RequestFilter { from: Some(instant), to: Some(instant.plus_micros(5)), ..any() },
                Box::new(|(begun, _)| (instant..instant.plus_micros(5)).contains(&begun.started_at)),
            ),
            (
                RequestFilter { id_prefix: text(id_prefix), ..any() },
                Box::new(|(begun, _)| begun.id.to_string().starts_with(id_prefix)),
            ),
            (
                RequestFilter {
                    operation: text("chat_message"),
                    model: text("deepseek*"),
                    cost_min: Some(cost),
                    simulated: Some(false),
                    from: Some(instant),
                    ..any()
                },
                Box::new(|request| {
                    let (begun, end) = request;
                    begun.operation.as_str() == "chat_message"
                        && target_is(request, |_, model| model.starts_with("deepseek"))
                        && end.as_ref().is_some_and(|end| end.cost().1 >= Some(cost) && !end.simulated)
                        && begun.started_at >= instant
                }),
            ),
            (RequestFilter { operation: text(HOSTILE), ..any() }, Box::new(|_| false)),
            (RequestFilter { user: text(HOSTILE), ..any() }, Box::new(|_| false)),
            (RequestFilter { model: text(HOSTILE), ..any() }, Box::new(|_| false)),
            (RequestFilter { id_prefix: text(HOSTILE), ..any() }, Box::new(|_| false)),
        ];
        for (filter, fits) in cases {
            let expected: Vec<RequestId> =
                all.iter().filter(|request| fits(request)).map(|(begun, _)| begun.id).collect();
            for limit in [7, 1_000] {
                let found: Vec<RequestId> =
                    all_pages(&db.store, &filter, limit).await.iter().map(|row| row.id).collect();
                assert_eq!(found, expected, "{filter:?} by {limit}");
            }
        }
    }

    async fn a_row_tells_how_its_request_stands(db: &Database) {
        let (all, _) = fill(db).await;
        for (row, (begun, end)) in all_pages(&db.store, &RequestFilter::default(), 100).await.iter().zip(&all) {
            assert_eq!((row.id, row.node, row.started_at), (begun.id, begun.node, begun.started_at));
            assert_eq!((row.key, &row.user, row.estimate), (begun.key, &begun.user, begun.estimate));
            assert_eq!((row.surface, row.streamed, row.config_revision), (begun.surface, true, 7));
            let Some(end) = end else {
                assert_eq!(row.status(), RequestStatus::InFlight);
                continue;
            };
            assert_eq!(row.status(), RequestStatus::Ended(end.outcome));
            let found = row.end.as_ref().unwrap();
            assert_eq!(found.target.as_ref(), end.target());
            assert_eq!((found.cost_status, found.cost), end.cost());
            assert_eq!(usize::try_from(found.attempts).unwrap(), end.attempts.len());
            assert_eq!(found.tokens_in, i64::try_from(end.usage().tokens_in()).unwrap());
            assert_eq!(found.tokens_out, i64::try_from(end.usage().tokens_out()).unwrap());
            assert_eq!((found.finished_at, found.latency_us), (end.finished_at, end.latency_us));
            assert_eq!(found.first_token_us, end.first_token_us());
        }
    }

    async fn ten_thousand_rows_are_paged_without_a_gap_while_new_ones_arrive(db: &Database) {
        let mut ledger = db.store.ledger().await.unwrap();
        let requests: Vec<(RequestStart, Settlement)> = (0..10_000)
            .map(|number| {
                let begun = start("chat_message", MIDNIGHT.plus_micros(number / 3));
                let ended = settlement_of(&begun, Outcome::Succeeded, vec![attempt("openai/gpt-5", 7)]);
                (begun, ended)
            })
            .collect();
        for chunk in requests.chunks(500) {
            record(&mut ledger, chunk).await;
        }
        let filter = RequestFilter::default();
        let mut seen = HashSet::new();
        let mut last = None;
        loop {
            let page = db.store.requests(&filter, last, 500).await.unwrap();
            let Some(row) = page.last() else { break };
            last = Some(row.id);
            for row in &page {
                assert!(seen.insert(row.id), "{} came twice", row.id);
            }
            ledger.commit(&[begin(&start("chat_message", MIDNIGHT.plus_micros(1_000_000)))]).await.unwrap();
        }
        assert_eq!(seen.len(), 10_000);
    }

    async fn a_cursor_that_was_never_stored_gives_an_empty_page(db: &Database) {
        fill(db).await;
        let page = db.store.requests(&RequestFilter::default(), Some(RequestId::generate()), 10).await.unwrap();
        assert!(page.is_empty());
    }
}
