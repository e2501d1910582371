//! Seeded traffic: a believable past, written through the real ledger, always the same for the same seed.

use std::sync::Arc;

use signalbox_core::budget::{Amount, Member, Posting, PurseKey, Scope};
use signalbox_core::decide::{Acceptance, Candidate, Decision, Rejection, Verdict};
use signalbox_core::failure::FailureKind;
use signalbox_core::ids::{KeyId, NodeId, OperationId, RequestId};
use signalbox_core::ledger::{Attempt, Outcome, RequestStart, Settlement, Surface};
use signalbox_core::meter::{Bound, Cost, UsageSource, estimate, price_usage};
use signalbox_core::price::ServiceMode;
use signalbox_core::route::{Strategy, Target};
use signalbox_core::snapshot::Snapshot;
use signalbox_core::time::{MICROS_PER_SECOND, Timestamp};
use signalbox_core::usage::{Unit, Usage};
use signalbox_store::{LedgerEntry, Store};

/// Entries per commit.
const BATCH: usize = 500;

/// Operations with their weight and their chain.
const TRAFFIC: [(&str, u64, [&str; 2]); 6] = [
    ("chat_message", 46, ["deepseek/deepseek-flash", "gemini/gemini-3.8-flash"]),
    ("agent_execution", 22, ["anthropic/claude-sonnet-5", "openai/gpt-5-mini"]),
    ("memory_synthesis", 12, ["gemini/gemini-3.8-flash", "deepseek/deepseek-flash"]),
    ("sentiment_analysis", 10, ["gemini/gemini-3.8-flash", "deepseek/deepseek-flash"]),
    ("intent_classification", 7, ["openai/gpt-5-nano", "deepseek/deepseek-flash"]),
    ("job_planning", 3, ["anthropic/claude-sonnet-5", "openai/gpt-5-mini"]),
];

/// A small generator: the same numbers for the same seed, on every machine.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % below.max(1)
    }
}

/// Writes `requests` settled requests, spread over the `span_seconds` before `now`, busier towards the end.
///
/// Errors: the ledger refuses, or the installation lacks the seeded models.
pub async fn traffic(
    store: &Store,
    snapshot: &Snapshot,
    now: Timestamp,
    span_seconds: u64,
    requests: usize,
) -> anyhow::Result<()> {
    let mut dice = Dice(42);
    let mut ages: Vec<u64> = (0..requests)
        .map(|_| {
            let spread = dice.roll(span_seconds);
            // Working hours: two of three requests fall into the later half.
            if dice.roll(3) > 0 { spread / 2 } else { spread }
        })
        .collect();
    ages.sort_unstable_by(|left, right| right.cmp(left));
    let mut ledger = store.ledger().await?;
    let key = snapshot.keys.values().next().map(|key| key.id);
    for chunk in ages.chunks(BATCH) {
        let mut entries = Vec::with_capacity(chunk.len() * 2);
        for age in chunk {
            let at = now.plus_micros(-(i64::try_from(*age)? + 2) * MICROS_PER_SECOND);
            let (start, settlement) = one(&mut dice, snapshot, at, key)?;
            entries.push(LedgerEntry::Start(Arc::clone(&start)));
            entries.push(LedgerEntry::Settle { start, settlement });
        }
        ledger.commit(&entries).await?;
    }
    Ok(())
}

fn one(
    dice: &mut Dice,
    snapshot: &Snapshot,
    at: Timestamp,
    key: Option<KeyId>,
) -> anyhow::Result<(Arc<RequestStart>, Arc<Settlement>)> {
    let mut pick = dice.roll(TRAFFIC.iter().map(|(_, weight, _)| weight).sum());
    let (operation, _, chain) = TRAFFIC
        .iter()
        .find(|(_, weight, _)| {
            let found = pick < *weight;
            pick = pick.saturating_sub(*weight);
            found
        })
        .unwrap_or(&TRAFFIC[0]);
    let targets: Vec<Target> = chain.iter().map(|text| text.parse()).collect::<Result<_, _>>()?;
    let start = start(dice, snapshot, at, key, OperationId::new(operation)?, &targets)?;
    let mut settlement = settlement(dice, snapshot, &start, &targets);
    settlement.postings = postings(snapshot, &start, &settlement);
    Ok((Arc::new(start), Arc::new(settlement)))
}

fn start(
    dice: &mut Dice,
    snapshot: &Snapshot,
    at: Timestamp,
    key: Option<KeyId>,
    operation: OperationId,
    targets: &[Target],
) -> anyhow::Result<RequestStart> {
    let bound =
        Bound { tokens_in: 2_600, tokens_out_max: 1_024, may_write_cache: false, ..Default::default() };
    let expected = |target: &Target| {
        let cards = snapshot.models.get(target).map_or(&[][..], |entry| &entry.cards);
        estimate(cards, at, bound).ok().flatten()
    };
    let candidate = |target: &Target, verdict| Candidate::of(target.clone(), verdict, expected(target));
    let mut candidates: Vec<Candidate> =
        targets.iter().map(|target| candidate(target, Verdict::Accepted(Acceptance::Chain))).collect();
    candidates.push(candidate(&"openai/gpt-4o-mini".parse()?, Verdict::Rejected(Rejection::TargetDisabled)));
    let decision = Decision::of(Strategy::Priority, candidates);
    Ok(RequestStart {
        idempotency: None,
        holding: None,
        refused_by: None,
        id: id_at(at, dice)?,
        node: NodeId::generate(),
        started_at: at,
        requested_model: format!("op:{operation}"),
        operation,
        surface: if dice.roll(3) == 0 { Surface::AnthropicMessages } else { Surface::OpenaiChat },
        streamed: dice.roll(2) == 0,
        key,
        user: (dice.roll(3) > 0).then(|| format!("user-{}", dice.roll(40) + 1)),
        tags: vec![(
            "team".to_owned(),
            ["growth", "support", "platform"][usize::try_from(dice.roll(3))?].to_owned(),
        )],
        config_revision: snapshot.revision,
        estimate: decision.estimate_max(),
        decision,
        payload: None,
    })
}

fn settlement(dice: &mut Dice, snapshot: &Snapshot, start: &RequestStart, targets: &[Target]) -> Settlement {
    let fails_first = dice.roll(100) < 5;
    let fails_all = fails_first && dice.roll(4) == 0;
    let cancelled = !fails_first && dice.roll(100) < 2;
    let mut attempts = Vec::new();
    let mut elapsed_us = 900;
    for (target, ordinal) in targets.iter().zip(1..) {
        let fails = if ordinal == 1 { fails_first } else { fails_all };
        let attempt = attempt(dice, snapshot, start, target, ordinal, elapsed_us, (fails, cancelled));
        elapsed_us = attempt.finished_us + 400;
        attempts.push(attempt);
        if !fails {
            break;
        }
    }
    let outcome = match (fails_all, cancelled) {
        (true, _) => Outcome::Failed,
        (false, true) => Outcome::Cancelled,
        (false, false) => Outcome::Succeeded,
    };
    Settlement {
        cache: None,
        postings: Vec::new(),
        id: start.id,
        finished_at: start.started_at.plus_micros(elapsed_us),
        outcome,
        attempts,
        simulated: false,
        finish_reason: (outcome == Outcome::Succeeded).then(|| "stop".to_owned()),
        error_code: fails_all.then(|| "all_targets_failed".to_owned()),
        error_message: fails_all.then(|| "No target answered.".to_owned()),
        latency_us: elapsed_us,
        payload: None,
    }
}

/// What the budgets of everything were charged.
fn postings(snapshot: &Snapshot, start: &RequestStart, settlement: &Settlement) -> Vec<Posting> {
    let (_, cost) = settlement.cost();
    let amount = Amount { cost: cost.unwrap_or_default(), tokens: 0, requests: 1 };
    let charged = snapshot.budgets.iter().filter(|budget| budget.enabled && budget.scope == Scope::Global);
    charged
        .map(|budget| {
            let begun = budget.window(start.started_at).start;
            let purse = PurseKey { budget: budget.id, member: Member::everyone(), start: begun };
            Posting { purse, amount }
        })
        .collect()
}

fn attempt(
    dice: &mut Dice,
    snapshot: &Snapshot,
    start: &RequestStart,
    target: &Target,
    ordinal: u32,
    started_us: i64,
    (fails, cancelled): (bool, bool),
) -> Attempt {
    let mut wait = |low: u64, spread: u64| i64::try_from((low + dice.roll(spread)) * 1_000).unwrap_or(0);
    let first_token_us = started_us + wait(140, 900);
    let finished_us = if fails { first_token_us } else { first_token_us + wait(300, 3_500) };
    let failure =
        fails.then_some(if dice.roll(2) == 0 { FailureKind::RateLimit } else { FailureKind::Overloaded });
    let fresh = 200 + dice.roll(2_400);
    let cached = if dice.roll(3) == 0 { dice.roll(3_000) } else { 0 };
    let usage = Usage::default()
        .with(Unit::InputTokens, fresh)
        .with(Unit::CachedInputTokens, cached)
        .with(Unit::OutputTokens, 40 + dice.roll(900));
    let cards = snapshot.models.get(target).map_or(&[][..], |entry| &entry.cards);
    let source = if dice.roll(60) == 0 { UsageSource::Estimated } else { UsageSource::Reported };
    Attempt {
        ordinal,
        target: target.clone(),
        outcome: match (fails, cancelled) {
            (true, _) => Outcome::Failed,
            (false, true) => Outcome::Cancelled,
            (false, false) => Outcome::Succeeded,
        },
        failure,
        http_status: Some(match failure {
            Some(FailureKind::RateLimit) => 429,
            Some(_) => 503,
            None => 200,
        }),
        message: failure.map(|kind| format!("The provider answered {}.", kind.as_str())),
        started_us,
        first_token_us: (!fails).then_some(first_token_us),
        finished_us,
        usage: if fails { Usage::default() } else { usage },
        cost: if fails {
            Cost::nothing()
        } else {
            price_usage(cards, start.started_at, &usage, source, None, ServiceMode::Standard)
        },
    }
}

/// An id as it would have been made then, so that the list's order is the order of time.
fn id_at(at: Timestamp, dice: &mut Dice) -> anyhow::Result<RequestId> {
    let millis = u64::try_from(at.as_micros() / 1_000)?;
    let mut random = [0; 10];
    for byte in &mut random {
        *byte = u8::try_from(dice.roll(256))?;
    }
    Ok(RequestId::from_uuid(uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()))
}
