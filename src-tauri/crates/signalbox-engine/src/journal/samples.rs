//! Entries to write: some plain, and any there can be.

use std::sync::Arc;

use proptest::option;
use proptest::prelude::*;
use signalbox_core::budget::{Amount, Claim, Hold, Holding, Member, Posting, PurseKey};
use signalbox_core::decide::{Acceptance, Candidate, Decision, MatchedRule, Rejection, Verdict};
use signalbox_core::failure::FailureKind;
use signalbox_core::ids::{BudgetId, KeyId, ModelName, NodeId, OperationId, ProviderName, RequestId};
use signalbox_core::ledger::{
    Attempt, CacheHit, Idempotency, NextCall, Outcome, RequestStart, Settlement, Surface,
};
use signalbox_core::meter::{CardRef, Cost, CostLine, CostStatus};
use signalbox_core::money::{NanoUsd, UnitPrice};
use signalbox_core::route::{RuleEffect, Strategy as Order, Target};
use signalbox_core::time::Timestamp;
use signalbox_core::usage::{Unit, Usage};
use signalbox_store::LedgerEntry;

/// 2026-11-21T00:00:00Z.
pub(crate) const MIDNIGHT: Timestamp = Timestamp::from_micros(1_795_219_200_000_000);

pub(crate) fn start() -> RequestStart {
    let target: Target = "deepseek/deepseek-chat".parse().unwrap();
    let candidate =
        Candidate::of(target, Verdict::Accepted(Acceptance::Chain), Some(NanoUsd::from_nanos(1_234_567)));
    RequestStart {
        id: RequestId::generate(),
        node: NodeId::generate(),
        started_at: MIDNIGHT,
        operation: OperationId::new("chat_message").unwrap(),
        surface: Surface::OpenaiChat,
        streamed: true,
        requested_model: "op:chat_message".to_owned(),
        key: None,
        user: None,
        tags: Vec::new(),
        config_revision: 7,
        decision: Decision::of(Order::Priority, vec![candidate]),
        estimate: Some(NanoUsd::from_nanos(1_234_567)),
        payload: None,
        idempotency: None,
        holding: None,
        refused_by: None,
    }
}

pub(crate) fn end_of(start: &RequestStart) -> Settlement {
    let attempt = Attempt {
        ordinal: 1,
        target: "deepseek/deepseek-chat".parse().unwrap(),
        outcome: Outcome::Succeeded,
        failure: None,
        http_status: Some(200),
        message: None,
        started_us: 100,
        first_token_us: Some(1_000),
        finished_us: 2_000,
        usage: Usage::default().with(Unit::InputTokens, 12),
        cost: Cost {
            status: CostStatus::Exact,
            total: Some(NanoUsd::from_nanos(99)),
            lines: vec![CostLine {
                unit: Unit::InputTokens,
                quantity: 12,
                price: Some(UnitPrice::new(NanoUsd::from_nanos(8), 1).unwrap()),
                cost: Some(NanoUsd::from_nanos(99)),
            }],
            card: None,
        },
    };
    Settlement {
        id: start.id,
        finished_at: start.started_at.plus_micros(2_100),
        outcome: Outcome::Succeeded,
        attempts: vec![attempt],
        simulated: false,
        finish_reason: Some("stop".to_owned()),
        error_code: None,
        error_message: None,
        latency_us: 2_100,
        payload: None,
        cache: None,
        postings: Vec::new(),
    }
}

pub(crate) fn begun(start: &RequestStart) -> LedgerEntry {
    LedgerEntry::Start(Arc::new(start.clone()))
}

pub(crate) fn settled(start: &RequestStart) -> LedgerEntry {
    LedgerEntry::Settle { start: Arc::new(start.clone()), settlement: Arc::new(end_of(start)) }
}

/// So many requests, begun and settled one after the other.
pub(crate) fn traffic(requests: usize) -> Vec<LedgerEntry> {
    (0..requests)
        .flat_map(|_| {
            let start = start();
            [begun(&start), settled(&start)]
        })
        .collect()
}

/// What an entry says, to compare it by.
#[derive(Debug, PartialEq)]
pub(crate) enum Said {
    Started(Box<RequestStart>),
    Called(Box<NextCall>),
    Settled(Box<(RequestStart, Settlement)>),
}

pub(crate) fn said(entry: &LedgerEntry) -> Said {
    match entry {
        LedgerEntry::Start(start) => Said::Started(Box::new(RequestStart::clone(start))),
        LedgerEntry::Call(call) => Said::Called(Box::new(NextCall::clone(call))),
        LedgerEntry::Settle { start, settlement } => Said::Settled(Box::new((
            RequestStart { payload: None, ..RequestStart::clone(start) },
            Settlement::clone(settlement),
        ))),
    }
}

pub(super) fn any_entry() -> impl Strategy<Value = LedgerEntry> {
    let start = any_start().prop_map(|start| LedgerEntry::Start(Arc::new(start)));
    let call = any_call().prop_map(|call| LedgerEntry::Call(Arc::new(call)));
    let settle = (any_start(), any_settlement()).prop_map(|(start, settlement)| {
        let settlement = Settlement { id: start.id, ..settlement };
        LedgerEntry::Settle { start: Arc::new(start), settlement: Arc::new(settlement) }
    });
    proptest::prop_oneof![start, call, settle]
}

fn amount() -> impl Strategy<Value = Amount> {
    (nanos(), any::<u64>(), any::<u64>()).prop_map(|(cost, tokens, requests)| Amount {
        cost,
        tokens,
        requests,
    })
}

fn purse() -> impl Strategy<Value = PurseKey> {
    (text(), instant()).prop_map(|(member, start)| PurseKey {
        budget: BudgetId::generate(),
        member: Member::named(&member),
        start,
    })
}

fn holding() -> impl Strategy<Value = Holding> {
    let hold = (purse(), any::<bool>()).prop_map(|(purse, counts)| Hold { purse, counts });
    (amount(), amount(), proptest::collection::vec(hold, 0..3))
        .prop_map(|(likely, most, holds)| Holding { claim: Claim { likely, most }, holds })
}

fn postings() -> impl Strategy<Value = Vec<Posting>> {
    let posting = (purse(), amount()).prop_map(|(purse, amount)| Posting { purse, amount });
    proptest::collection::vec(posting, 0..3)
}

fn any_call() -> impl Strategy<Value = NextCall> {
    let attempts = proptest::collection::vec(attempt(), 0..3);
    (attempts, postings(), target(), option::of(nanos()), option::of(holding())).prop_map(
        |(attempts, postings, target, estimate, holding)| NextCall {
            request: RequestId::generate(),
            attempts,
            postings,
            target,
            estimate,
            holding,
        },
    )
}

fn text() -> impl Strategy<Value = String> {
    // Any character there is, NUL and unpaired quotes among them.
    any::<String>()
}

fn nanos() -> impl Strategy<Value = NanoUsd> {
    any::<i64>().prop_map(NanoUsd::from_nanos)
}

fn instant() -> impl Strategy<Value = Timestamp> {
    any::<i64>().prop_map(Timestamp::from_micros)
}

fn target() -> impl Strategy<Value = Target> {
    ("[a-z][a-z0-9-]{0,20}", "[a-zA-Z0-9][a-zA-Z0-9./:_-]{0,30}").prop_map(|(provider, model)| Target {
        provider: ProviderName::new(&provider).unwrap(),
        model: ModelName::new(&model).unwrap(),
    })
}

fn candidate() -> impl Strategy<Value = Candidate> {
    let verdict = prop_oneof![
        Just(Verdict::Accepted(Acceptance::Chain)),
        Just(Verdict::Accepted(Acceptance::Pinned)),
        Just(Verdict::Accepted(Acceptance::NothingSetUp)),
        Just(Verdict::Rejected(Rejection::NoCredential)),
        Just(Verdict::Rejected(Rejection::ContextWindow)),
    ];
    (target(), verdict, option::of(nanos()), any::<bool>(), option::of(instant())).prop_map(
        |(target, verdict, estimate, is_estimate_assumed, until)| Candidate {
            is_estimate_assumed,
            until,
            ..Candidate::of(target, verdict, estimate)
        },
    )
}

fn decision() -> impl Strategy<Value = Decision> {
    let rule = text().prop_map(|name| MatchedRule { name, effect: RuleEffect::Only });
    (proptest::collection::vec(candidate(), 0..4), option::of(rule))
        .prop_map(|(candidates, rule)| Decision { rule, ..Decision::of(Order::Cheapest, candidates) })
}

fn any_start() -> impl Strategy<Value = RequestStart> {
    let who = (any::<bool>(), option::of(text()), proptest::collection::vec((text(), text()), 0..3));
    let what = (text(), decision(), option::of(nanos()), option::of(text()));
    let idempotency = (option::of((any::<[u8; 32]>(), any::<[u8; 32]>())), option::of(holding()));
    let surface = proptest::sample::select(Surface::ALL);
    (who, what, idempotency, surface, instant(), any::<i64>(), any::<bool>()).prop_map(
        |(
            (keyed, user, tags),
            (requested_model, decision, estimate, payload),
            (idempotency, holding),
            surface,
            at,
            revision,
            streamed,
        )| {
            RequestStart {
                started_at: at,
                surface,
                streamed,
                requested_model,
                key: keyed.then(KeyId::generate),
                user,
                tags,
                config_revision: revision,
                decision,
                estimate,
                payload,
                holding,
                idempotency: idempotency.map(|(key_hash, body_hash)| Idempotency { key_hash, body_hash }),
                ..start()
            }
        },
    )
}

fn cost() -> impl Strategy<Value = Cost> {
    let price = option::of((0..i64::MAX, 1..u64::MAX));
    let line = (proptest::sample::select(Unit::ALL), any::<u64>(), price, option::of(nanos())).prop_map(
        |(unit, quantity, price, cost)| {
            let price = price.map(|(nanos, per)| UnitPrice::new(NanoUsd::from_nanos(nanos), per).unwrap());
            CostLine { unit, quantity, price, cost }
        },
    );
    let card = (instant(), option::of(text()), option::of(text()))
        .prop_map(|(effective_from, source_url, as_of)| CardRef { effective_from, source_url, as_of });
    let status =
        proptest::sample::select(&[CostStatus::Exact, CostStatus::Estimated, CostStatus::Unpriced][..]);
    (status, option::of(nanos()), proptest::collection::vec(line, 0..4), option::of(card))
        .prop_map(|(status, total, lines, card)| Cost { status, total, lines, card })
}

fn attempt() -> impl Strategy<Value = Attempt> {
    let usage = proptest::collection::vec((proptest::sample::select(Unit::ALL), any::<u64>()), 0..5);
    let times = (any::<i64>(), option::of(any::<i64>()), any::<i64>());
    let how = (
        proptest::sample::select(Outcome::ALL),
        option::of(proptest::sample::select(FailureKind::ALL)),
        option::of(any::<u16>()),
        option::of(text()),
    );
    (any::<u32>(), target(), how, times, usage, cost()).prop_map(
        |(ordinal, target, (outcome, failure, http_status, message), times, usage, cost)| Attempt {
            ordinal,
            target,
            outcome,
            failure,
            http_status,
            message,
            started_us: times.0,
            first_token_us: times.1,
            finished_us: times.2,
            usage: usage.into_iter().collect(),
            cost,
        },
    )
}

fn any_settlement() -> impl Strategy<Value = Settlement> {
    let texts = (option::of(text()), option::of(text()), option::of(text()), option::of(text()));
    let attempts = proptest::collection::vec(attempt(), 0..4);
    let saved = (option::of(option::of(nanos())), postings());
    (instant(), proptest::sample::select(Outcome::ALL), attempts, any::<bool>(), texts, any::<i64>(), saved)
        .prop_map(|(finished_at, outcome, attempts, simulated, texts, latency_us, (saved, postings))| {
            Settlement {
                id: RequestId::generate(),
                finished_at,
                outcome,
                attempts,
                simulated,
                finish_reason: texts.0,
                error_code: texts.1,
                error_message: texts.2,
                latency_us,
                payload: texts.3,
                cache: saved.map(|saved| CacheHit { of: RequestId::generate(), saved }),
                postings,
            }
        })
}
