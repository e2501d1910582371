//! Measures what a commit of the ledger costs: `cargo run --release -p signalbox-store --example commit_speed [URL]`.
//!
//! Prints microseconds per commit, half of the commits being faster and one in a hundred slower, for batches of starts
//! and of settlements, on a file in the temporary folder or on the `PostgreSQL` database of the URL.

#![expect(clippy::print_stdout, reason = "a measurement prints its result")]

use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

use signalbox_core::decide::{Acceptance, Candidate, Decision, Verdict};
use signalbox_core::ids::{KeyId, NodeId, RequestId};
use signalbox_core::ledger::{Attempt, Outcome, RequestStart, Settlement, Surface};
use signalbox_core::meter::{Cost, CostLine, CostStatus};
use signalbox_core::money::{NanoUsd, Rounding, UnitPrice};
use signalbox_core::route::{Strategy, Target};
use signalbox_core::time::Timestamp;
use signalbox_core::usage::{Unit, Usage};
use signalbox_store::{Durability, LedgerEntry, Store};

const BATCHES: [usize; 5] = [1, 5, 16, 64, 128];
const ROUNDS: usize = 1_000;
const MIDNIGHT_MICROS: i64 = 1_795_219_200_000_000;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let store = match std::env::args().nth(1) {
        Some(url) => Store::open_postgres(&url).await?,
        None => Store::open_sqlite(&folder.path().join("speed.db"), Durability::Process).await?,
    };
    let key = KeyId::generate();
    let node = NodeId::generate();
    let mut ledger = store.ledger().await?;
    let mut number = 0_i64;
    for size in BATCHES {
        let (mut starting, mut settling) = (Vec::with_capacity(ROUNDS), Vec::with_capacity(ROUNDS));
        for _ in 0..ROUNDS.min(60_000 / size) {
            let mut starts = Vec::with_capacity(size);
            let mut ends = Vec::with_capacity(size);
            for _ in 0..size {
                number += 1;
                let start = Arc::new(begun(number, node, key)?);
                let settlement = Arc::new(ended(&start, number)?);
                starts.push(LedgerEntry::Start(Arc::clone(&start)));
                ends.push(LedgerEntry::Settle { start, settlement });
            }
            starting.push(timed(ledger.commit(&starts)).await?);
            settling.push(timed(ledger.commit(&ends)).await?);
        }
        println!("{size:>4} starts      {}", shown(&mut starting, size));
        println!("{size:>4} settlements {}", shown(&mut settling, size));
    }
    let began = Instant::now();
    let report = store.verify_ledger().await?;
    let per_request = began.elapsed().as_micros() / u128::from(report.settled.max(1));
    println!(
        "checked {} requests, {} differences, {per_request} us each",
        report.settled, report.differences
    );
    Ok(())
}

async fn timed<E>(commit: impl Future<Output = Result<(), E>>) -> Result<Duration, E> {
    let began = Instant::now();
    commit.await?;
    Ok(began.elapsed())
}

fn shown(durations: &mut [Duration], size: usize) -> String {
    durations.sort_unstable();
    let at = |percent: usize| durations[(durations.len() - 1) * percent / 100].as_micros();
    let each = at(50) / u128::try_from(size).unwrap_or(1);
    format!("p50 {:>6} us   p99 {:>6} us   max {:>6} us   {each:>4} us each", at(50), at(99), at(100))
}

fn begun(number: i64, node: NodeId, key: KeyId) -> Result<RequestStart, Box<dyn Error>> {
    let candidate = |target: &str, acceptance| -> Result<Candidate, Box<dyn Error>> {
        let estimate = Some(NanoUsd::from_nanos(1_000_000));
        Ok(Candidate::of(target.parse()?, Verdict::Accepted(acceptance), estimate))
    };
    Ok(RequestStart {
        idempotency: None,
        holding: None,
        refused_by: None,
        id: RequestId::generate(),
        node,
        started_at: Timestamp::from_micros(MIDNIGHT_MICROS + number * 1_000),
        operation: "chat_message".parse()?,
        surface: Surface::OpenaiChat,
        streamed: true,
        requested_model: "op:chat_message".to_owned(),
        key: Some(key),
        user: Some(format!("user {}", number % 20)),
        tags: vec![("team".to_owned(), "sales".to_owned())],
        config_revision: 3,
        decision: Decision::of(
            Strategy::Priority,
            vec![
                candidate("deepseek/deepseek-chat", Acceptance::Chain)?,
                candidate("openai/gpt-5", Acceptance::Chain)?,
            ],
        ),
        estimate: Some(NanoUsd::from_nanos(1_000_000)),
        payload: None,
    })
}

fn ended(start: &RequestStart, number: i64) -> Result<Settlement, Box<dyn Error>> {
    let usage = Usage::default()
        .with(Unit::InputTokens, 900)
        .with(Unit::CachedInputTokens, 100)
        .with(Unit::OutputTokens, 250);
    let price = UnitPrice::per_million(NanoUsd::from_nanos(270_000_000))?;
    let mut lines = Vec::new();
    let mut total = NanoUsd::ZERO;
    for (unit, quantity) in usage.iter() {
        let cost = price.cost(quantity, Rounding::HalfEven)?;
        total = total.saturating_add(cost);
        lines.push(CostLine { unit, quantity, price: Some(price), cost: Some(cost) });
    }
    let latency_us = 40_000 + (number * 7_919) % 60_000;
    Ok(Settlement {
        cache: None,
        postings: Vec::new(),
        id: start.id,
        finished_at: start.started_at.plus_micros(latency_us),
        outcome: Outcome::Succeeded,
        attempts: vec![Attempt {
            ordinal: 1,
            target: Target { provider: "deepseek".parse()?, model: "deepseek-chat".parse()? },
            outcome: Outcome::Succeeded,
            failure: None,
            http_status: Some(200),
            message: None,
            started_us: 200,
            first_token_us: Some(latency_us / 2),
            finished_us: latency_us,
            usage,
            cost: Cost { status: CostStatus::Exact, total: Some(total), lines, card: None },
        }],
        simulated: false,
        finish_reason: Some("stop".to_owned()),
        error_code: None,
        error_message: None,
        latency_us,
        payload: None,
    })
}
