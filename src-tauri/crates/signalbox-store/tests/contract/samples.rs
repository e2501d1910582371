//! Things to store.

use std::collections::BTreeMap;
use std::sync::Arc;

use signalbox_core::approval::{ApprovalPolicy, ApprovalRule};
use signalbox_core::change::{Change, ChangeKind};
use signalbox_core::decide::{Acceptance, Candidate, Decision, Rejection, Verdict};
use signalbox_core::failure::FailureKind;
use signalbox_core::ids::{ChangeId, NodeId, OperationId, RequestId};
use signalbox_core::ledger::{Attempt, Outcome, RequestStart, Settlement, Surface};
use signalbox_core::meter::{CardRef, Cost, CostLine, CostStatus};
use signalbox_core::money::{NanoUsd, UnitPrice};
use signalbox_core::operation::{Capability, Criticality, Operation};
use signalbox_core::price::{PriceCard, PriceTier};
use signalbox_core::provider::{CredentialSource, Model, Provider, ProviderKind};
use signalbox_core::route::{Route, RouteTarget, Strategy, Target};
use signalbox_core::time::Timestamp;
use signalbox_core::usage::{Unit, Usage};
use signalbox_store::{ConfigEdit, ConfigWrite, LedgerConnection, LedgerEntry, Store};

/// 2026-11-21T00:00:00Z.
pub const MIDNIGHT: Timestamp = Timestamp::from_micros(1_795_219_200_000_000);

pub const SECOND: i64 = 1_000_000;

/// Text that breaks what is not careful: quotes, comments, patterns, NUL, other directions, other planes.
pub const HOSTILE: &str =
    "'; DROP TABLE requests; -- \" \\ \\u0000 %_* $1 ? \0 \u{202e}\u{200b}💥\n\r\t{json} {uuid}";

/// The same as it is read back: no database text can hold a NUL.
pub fn stored(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

pub fn operation_id(text: &str) -> OperationId {
    OperationId::new(text).unwrap()
}

pub fn target(text: &str) -> Target {
    text.parse().unwrap()
}

pub fn start(operation: &str, at: Timestamp) -> RequestStart {
    RequestStart {
        idempotency: None,
        holding: None,
        refused_by: None,
        id: RequestId::generate(),
        node: NodeId::generate(),
        started_at: at,
        operation: operation_id(operation),
        surface: Surface::OpenaiChat,
        streamed: true,
        requested_model: format!("op:{operation}"),
        key: None,
        user: None,
        tags: Vec::new(),
        config_revision: 7,
        decision: Decision::of(
            Strategy::Priority,
            vec![
                Candidate::of(
                    target("deepseek/deepseek-chat"),
                    Verdict::Accepted(Acceptance::Chain),
                    Some(NanoUsd::from_nanos(1_234_567)),
                ),
                Candidate::of(target("openai/gpt-5"), Verdict::Rejected(Rejection::NoCredential), None),
            ],
        ),
        estimate: Some(NanoUsd::from_nanos(1_234_567)),
        payload: None,
    }
}

/// An attempt that costs `nanos`, explained by three lines.
pub fn attempt(target_text: &str, nanos: i64) -> Attempt {
    let usage = Usage::default()
        .with(Unit::InputTokens, 1_000)
        .with(Unit::CachedInputTokens, 600)
        .with(Unit::OutputTokens, 80);
    let price = UnitPrice::per_million(NanoUsd::from_nanos(270_000_000)).unwrap();
    let costs = [nanos - nanos / 2, nanos / 2, 0];
    Attempt {
        ordinal: 1,
        target: target(target_text),
        outcome: Outcome::Succeeded,
        failure: None,
        http_status: Some(200),
        message: None,
        started_us: 180,
        first_token_us: Some(48_000),
        finished_us: 51_000,
        usage,
        cost: Cost {
            status: CostStatus::Exact,
            total: Some(NanoUsd::from_nanos(nanos)),
            lines: usage
                .iter()
                .zip(costs)
                .map(|((unit, quantity), nanos)| CostLine {
                    unit,
                    quantity,
                    price: Some(price),
                    cost: Some(NanoUsd::from_nanos(nanos)),
                })
                .collect(),
            card: Some(CardRef {
                effective_from: Timestamp::from_micros(0),
                source_url: Some("https://example.com/prices".to_owned()),
                as_of: Some("2026-11-01".to_owned()),
            }),
        },
    }
}

/// An attempt that reached nobody.
pub fn failed_attempt(target_text: &str) -> Attempt {
    Attempt {
        outcome: Outcome::Failed,
        failure: Some(FailureKind::RateLimit),
        http_status: Some(429),
        message: Some("slow down".to_owned()),
        first_token_us: None,
        finished_us: 1_000,
        usage: Usage::default(),
        cost: Cost::nothing(),
        ..attempt(target_text, 0)
    }
}

pub fn settlement_of(start: &RequestStart, outcome: Outcome, attempts: Vec<Attempt>) -> Settlement {
    let attempts = (1..).zip(attempts).map(|(ordinal, attempt)| Attempt { ordinal, ..attempt }).collect();
    Settlement {
        cache: None,
        postings: Vec::new(),
        id: start.id,
        finished_at: start.started_at.plus_micros(52_000),
        outcome,
        attempts,
        simulated: false,
        finish_reason: Some("stop".to_owned()),
        error_code: None,
        error_message: None,
        latency_us: 52_000,
        payload: None,
    }
}

/// A request that succeeded and cost `nanos`.
pub fn succeeded(start: &RequestStart, nanos: i64) -> Settlement {
    settlement_of(start, Outcome::Succeeded, vec![attempt("deepseek/deepseek-chat", nanos)])
}

pub fn begin(start: &RequestStart) -> LedgerEntry {
    LedgerEntry::Start(Arc::new(start.clone()))
}

pub fn settle(start: &RequestStart, settlement: &Settlement) -> LedgerEntry {
    LedgerEntry::Settle { start: Arc::new(start.clone()), settlement: Arc::new(settlement.clone()) }
}

/// Starts and settles in two batches.
pub async fn record(ledger: &mut LedgerConnection, requests: &[(RequestStart, Settlement)]) {
    let starts: Vec<_> = requests.iter().map(|(start, _)| begin(start)).collect();
    ledger.commit(&starts).await.unwrap();
    let ends: Vec<_> = requests.iter().map(|(start, settlement)| settle(start, settlement)).collect();
    ledger.commit(&ends).await.unwrap();
}

pub async fn record_in(store: &Store, requests: &[(RequestStart, Settlement)]) {
    record(&mut store.ledger().await.unwrap(), requests).await;
}

pub fn change(kind: ChangeKind, subject: &str) -> Change {
    Change {
        id: ChangeId::generate(),
        at: MIDNIGHT,
        actor: "local".to_owned(),
        source: "cli".to_owned(),
        kind,
        subject: subject.to_owned(),
        sentence: format!("{subject} was changed"),
        before: None,
        after: Some(r#"{"version":1}"#.to_owned()),
        reason: None,
        approval: None,
    }
}

pub fn edit(writes: Vec<ConfigWrite>) -> ConfigEdit {
    ConfigEdit { writes, change: change(ChangeKind::Route, "chat_message") }
}

pub fn operation(id: &str) -> Operation {
    Operation {
        cache_ttl_s: None,
        allowed_providers: std::collections::BTreeSet::new(),
        id: operation_id(id),
        description: "Talks with people.".to_owned(),
        capability: Capability::Chat,
        criticality: Criticality::High,
        enabled: true,
        batch_eligible: false,
        cacheable: true,
    }
}

pub fn route(id: &str, version: u32) -> Route {
    Route {
        rules: Vec::new(),
        balance: signalbox_core::route::Balance::default(),
        deadline_ms: None,
        approval: Some(ApprovalPolicy {
            above: Some(NanoUsd::from_nanos(500_000_000)),
            rule: Some(ApprovalRule::new("operation.criticality == \"high\"").unwrap()),
            hold_s: 30,
            ..ApprovalPolicy::default()
        }),
        operation: operation_id(id),
        version,
        strategy: Strategy::Priority,
        targets: vec![
            RouteTarget {
                weight: 1,
                timeout_ms: None,
                max_output: None,
                target: target("deepseek/deepseek-chat"),
                enabled: true,
            },
            RouteTarget {
                weight: 1,
                timeout_ms: None,
                max_output: None,
                target: target("openrouter/openai/gpt-oss-120b"),
                enabled: false,
            },
        ],
    }
}

pub fn put_operation(id: &str, version: u32, base_version: Option<u32>) -> ConfigWrite {
    ConfigWrite::PutOperation { operation: operation(id), route: route(id, version), base_version }
}

pub fn provider(name: &str, version: u32) -> Provider {
    Provider {
        auth: signalbox_core::provider::Auth::default(),
        max_concurrent: None,
        name: name.parse().unwrap(),
        kind: ProviderKind::Openai,
        base_url: "https://api.deepseek.com/v1".parse().unwrap(),
        enabled: true,
        credential: CredentialSource::Stored { hint: "…a91f".to_owned(), set_at: MIDNIGHT },
        version,
    }
}

pub fn model(target_text: &str) -> Model {
    let Target { provider, model } = target(target_text);
    Model {
        quality: None,
        provider,
        name: model,
        capabilities: vec![Capability::Chat, Capability::Vision],
        context_window: Some(u32::MAX),
        max_output: None,
    }
}

pub fn price_card(effective_from: i64) -> PriceCard {
    let price = |nanos| UnitPrice::per_million(NanoUsd::from_nanos(nanos)).unwrap();
    PriceCard {
        origin: signalbox_core::price::CardOrigin::Shipped,
        batch_percent: None,
        effective_from: Timestamp::from_micros(effective_from),
        units: BTreeMap::from([
            (Unit::InputTokens, price(270_000_000)),
            (Unit::OutputTokens, price(1_100_000_000)),
        ]),
        tiers: vec![PriceTier {
            above_input_tokens: 200_000,
            units: BTreeMap::from([(Unit::InputTokens, price(540_000_000))]),
        }],
        source_url: Some("https://example.com/prices".to_owned()),
        as_of: Some("2026-11-01".to_owned()),
    }
}
