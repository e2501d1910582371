//! How long a routing decision takes: `cargo bench -p signalbox-core --bench decide`. Targets: 20 µs median, 100 µs p99.

#![expect(clippy::print_stdout, reason = "a benchmark prints its table")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use signalbox_core::breaker::{Block, Blocked, BreakerSettings};
use signalbox_core::decide::{Ask, Features, HealthViews, decide};
use signalbox_core::health::{Answered, TargetHealth, TargetView};
use signalbox_core::ids::OperationId;
use signalbox_core::ledger::Surface;
use signalbox_core::meter::Bound;
use signalbox_core::operation::{Capability, Criticality, Operation};
use signalbox_core::price::{PriceCard, usd_per_million};
use signalbox_core::provider::{Auth, CredentialSource, Model, Provider, ProviderKind};
use signalbox_core::route::{Route, RouteRule, RouteTarget, RuleEffect, Strategy, Target};
use signalbox_core::rule::Condition;
use signalbox_core::snapshot::{ModelEntry, OperationEntry, ProviderEntry, Snapshot};
use signalbox_core::time::Timestamp;
use signalbox_core::usage::Unit;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

const WARM_UP: usize = 5_000;
const ROUNDS: usize = 50_000;
const NOW: Timestamp = Timestamp::from_micros(1_795_262_400_000_000);

fn main() -> Outcome<()> {
    println!("{:<44} {:>10} {:>10} {:>10}", "routing decision", "median", "p99", "p99.9");
    for targets in [3, 8, 16] {
        for (strategy, rules) in [(Strategy::Priority, 0), (Strategy::Balanced, 1)] {
            one(targets, strategy, rules)?;
        }
    }
    let features = features();
    let operation = OperationId::new("chat_message")?;
    let condition = Condition::new(CONDITION)?;
    let facts = signalbox_core::rule::Facts { operation: &operation, features: &features, now: NOW };
    show("one rule", &measured(|| black_box(condition.is_met(&facts)).is_ok()));
    let mut health = TargetHealth::default();
    for call in 0..2_000_i64 {
        let at = NOW.plus_micros(call * 400_000 - 800_000_000);
        let permit = health.permit(BreakerSettings::default(), at).map_err(|_| "blocked")?.permit;
        let answered = Answered { latency_us: 200_000 + call * 300, first_token_us: Some(90_000) };
        let _ = health.succeeded(permit, answered, at);
    }
    show("view of one target", &measured(|| black_box(health.view(BreakerSettings::default(), NOW)).is_full));
    Ok(())
}

fn one(targets: usize, strategy: Strategy, rules: usize) -> Outcome<()> {
    let snapshot = snapshot(targets, strategy, rules)?;
    let operation = OperationId::new("chat_message")?;
    let health = health(&snapshot, &operation);
    let ask = Ask { health: &health, lot: 7, ..Ask::of(&operation, features()) };
    let name = format!("{targets} targets, {}, {rules} rules", strategy.as_str());
    show(&name, &measured(|| black_box(decide(&snapshot, black_box(&ask), NOW)).is_ok()));
    Ok(())
}

fn measured(mut work: impl FnMut() -> bool) -> Vec<Duration> {
    for _ in 0..WARM_UP {
        black_box(work());
    }
    let mut took: Vec<Duration> = (0..ROUNDS)
        .map(|_| {
            let began = Instant::now();
            black_box(work());
            began.elapsed()
        })
        .collect();
    took.sort_unstable();
    took
}

fn show(name: &str, took: &[Duration]) {
    let at = |per_mille: usize| format!("{:.1?}", took[(took.len() - 1) * per_mille / 1_000]);
    println!("{name:<44} {:>10} {:>10} {:>10}", at(500), at(990), at(999));
}

const CONDITION: &str = "complexity == \"simple\" && input_tokens < 500 && tags.team == \"growth\"";

fn features() -> Features<'static> {
    let tags: &'static [(String, String)] = Box::leak(Box::new([("team".to_owned(), "growth".to_owned())]));
    let bound = Bound { tokens_in: 420, tokens_out_max: 1_024, ..Bound::default() };
    Features { user: Some("ada"), tags, ..Features::of(Surface::OpenaiChat, bound) }
}

/// One in eight targets is unwell, the others have been measured.
fn health(snapshot: &Snapshot, operation: &OperationId) -> HealthViews {
    let unwell = Blocked { until: Some(NOW.plus_micros(1)), why: Block::CircuitOpen };
    let targets = signalbox_core::decide::targets(snapshot, operation, None).enumerate();
    targets
        .map(|(place, target)| {
            let view = TargetView {
                blocked: (place % 8 == 1).then_some(unwell),
                p50_us: i64::try_from(place).ok().map(|place| 300_000 + place * 10_000),
                ..TargetView::default()
            };
            (target.clone(), view)
        })
        .collect()
}

fn snapshot(count: usize, strategy: Strategy, rules: usize) -> Outcome<Snapshot> {
    let mut snapshot = Snapshot::default();
    let mut cards = Vec::new();
    for number in 0..count {
        let target: Target = format!("provider-{number}/some-model-of-today-{number}").parse()?;
        let provider = Provider {
            name: target.provider.clone(),
            kind: ProviderKind::Openai,
            base_url: "https://api.example.com/v1".parse()?,
            enabled: true,
            credential: CredentialSource::NotNeeded,
            auth: Auth::default(),
            max_concurrent: None,
            version: 1,
        };
        snapshot
            .providers
            .insert(target.provider.clone(), ProviderEntry { provider, credential_ready: true });
        let card = PriceCard::of_tokens(
            Timestamp::from_micros(0),
            [
                (Unit::InputTokens, usd_per_million("0.27")?),
                (Unit::CachedInputTokens, usd_per_million("0.07")?),
                (Unit::OutputTokens, usd_per_million("1.1")?),
            ],
        );
        let model = Model {
            provider: target.provider.clone(),
            name: target.model.clone(),
            capabilities: vec![Capability::Chat, Capability::Vision],
            context_window: Some(128_000),
            max_output: None,
            quality: u32::try_from(60 + number).ok(),
        };
        snapshot.models.insert(target.clone(), ModelEntry { model, cards: vec![card], breach: None });
        cards.push(RouteTarget::of(target));
    }
    let last = cards.last().map(|card| card.target.clone()).into_iter().collect();
    let id = OperationId::new("chat_message")?;
    let mut route = Route { strategy, ..Route::of(id.clone(), cards) };
    if rules > 0 {
        let when = Condition::new(CONDITION)?;
        route.rules.push(RouteRule {
            name: "short".to_owned(),
            when,
            effect: RuleEffect::Prefer,
            targets: last,
        });
    }
    let operation = Operation {
        id: id.clone(),
        description: String::new(),
        capability: Capability::Chat,
        criticality: Criticality::High,
        enabled: true,
        batch_eligible: false,
        cacheable: false,
        cache_ttl_s: None,
        allowed_providers: std::collections::BTreeSet::new(),
    };
    snapshot.operations.insert(id, OperationEntry { operation, route });
    Ok(snapshot)
}
