//! Decisions, circuits, caps and retry budgets together: what a provider that fails gets to bear, and what clients get.
//!
//! Everything runs on a made-up clock, so ten minutes of traffic take a moment.
#![expect(clippy::unwrap_used, reason = "tests stop at the first fault")]

use std::collections::{BTreeSet, HashMap};

use signalbox_core::breaker::BreakerSettings;
use signalbox_core::decide::{Ask, Candidate, Features, HealthViews, decide, targets};
use signalbox_core::failure::FailureKind;
use signalbox_core::health::{Answered, Failed, FailoverCap, TargetHealth};
use signalbox_core::ids::OperationId;
use signalbox_core::ledger::Surface;
use signalbox_core::meter::Bound;
use signalbox_core::operation::{Capability, Criticality, Operation};
use signalbox_core::provider::{Auth, CredentialSource, Model, Provider, ProviderKind};
use signalbox_core::retry::{
    AfterAttempt, NextStep, RETRIES_MAX, RetryBudget, after_failure, wait_for_soonest,
};
use signalbox_core::route::{Route, RouteTarget, Target};
use signalbox_core::snapshot::{ModelEntry, OperationEntry, ProviderEntry, Snapshot};
use signalbox_core::time::{MICROS_PER_SECOND, Timestamp};

const SETTINGS: BreakerSettings = BreakerSettings { failures: 3, window_s: 300, open_s: 300 };
const SECONDS: i64 = 600;

fn chat() -> OperationId {
    OperationId::new("chat").unwrap()
}

fn snapshot(names: &[&str]) -> Snapshot {
    let mut snapshot = Snapshot::default();
    let targets: Vec<Target> = names.iter().map(|name| format!("{name}/model").parse().unwrap()).collect();
    for target in &targets {
        let provider = Provider {
            name: target.provider.clone(),
            kind: ProviderKind::Openai,
            base_url: "http://localhost:1".parse().unwrap(),
            enabled: true,
            credential: CredentialSource::NotNeeded,
            auth: Auth::default(),
            max_concurrent: None,
            version: 1,
        };
        snapshot
            .providers
            .insert(target.provider.clone(), ProviderEntry { provider, credential_ready: true });
        let model = Model {
            provider: target.provider.clone(),
            name: target.model.clone(),
            capabilities: vec![Capability::Chat],
            context_window: None,
            max_output: None,
            quality: None,
        };
        snapshot.models.insert(target.clone(), ModelEntry { model, cards: Vec::new(), breach: None });
    }
    let operation = Operation {
        id: chat(),
        description: String::new(),
        capability: Capability::Chat,
        criticality: Criticality::High,
        enabled: true,
        batch_eligible: false,
        cacheable: false,
        cache_ttl_s: None,
        allowed_providers: BTreeSet::new(),
    };
    let route = Route::of(chat(), targets.into_iter().map(RouteTarget::of).collect());
    snapshot.operations.insert(chat(), OperationEntry { operation, route });
    snapshot
}

/// An installation in short: what the engine does with the pure parts.
struct World {
    snapshot: Snapshot,
    health: HashMap<Target, TargetHealth>,
    cap: FailoverCap,
    budget: RetryBudget,
    now: Timestamp,
    dice: u64,
    calls: HashMap<String, u64>,
    failovers: u64,
    retries: u64,
}

/// How a target answers at an instant: `None` for well.
type Faults<'a> = &'a dyn Fn(&str, Timestamp, u64) -> Option<(FailureKind, Option<i64>)>;

impl World {
    fn new(names: &[&str]) -> Self {
        let now = Timestamp::from_micros(1_795_262_400_000_000);
        Self {
            snapshot: snapshot(names),
            health: HashMap::new(),
            cap: FailoverCap::default(),
            budget: RetryBudget::new(now),
            now,
            dice: 7,
            calls: HashMap::new(),
            failovers: 0,
            retries: 0,
        }
    }

    fn roll(&mut self) -> u64 {
        self.dice = self.dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.dice >> 11 << 11
    }

    fn chain(&mut self) -> (Vec<Candidate>, Option<Timestamp>) {
        let (operation, now) = (chat(), self.now);
        let mut views = HealthViews::default();
        for target in targets(&self.snapshot, &operation, None) {
            let mut view = self.health.entry(target.clone()).or_default().view(SETTINGS, now);
            view.capped_until = self.cap.until(&operation, target, now);
            views.insert(target.clone(), view);
        }
        let features = Features::of(Surface::OpenaiChat, Bound::default());
        let ask = Ask { health: &views, ..Ask::of(&operation, features) };
        let decision = decide(&self.snapshot, &ask, now).unwrap();
        (decision.chain().cloned().collect(), decision.cools_until())
    }

    /// Serves one request; says whether it was answered.
    fn serve(&mut self, faults: Faults<'_>) -> bool {
        self.budget.note_request(self.now);
        let (mut chain, cools_until) = self.chain();
        if let Some(wait_us) = wait_for_soonest(cools_until, None, self.now) {
            self.now = self.now.plus_micros(wait_us);
            chain = self.chain().0;
        }
        let longest = chain.len() + usize::try_from(RETRIES_MAX).unwrap();
        let (mut attempts, mut place, mut retries) = (0, 0, 0);
        while let Some(candidate) = chain.get(place) {
            let target = candidate.target.clone();
            let is_last = candidate.is_last_resort();
            let health = self.health.entry(target.clone()).or_default();
            let permitted = if is_last {
                health.permit_last_resort(SETTINGS, self.now)
            } else {
                health.permit(SETTINGS, self.now)
            };
            let Ok(permitted) = permitted else {
                place += 1;
                continue;
            };
            attempts += 1;
            assert!(attempts <= longest, "attempts are bounded by the chain and the retries");
            *self.calls.entry(target.provider.to_string()).or_default() += 1;
            let roll = self.roll();
            let Some((kind, retry_after_us)) = faults(target.provider.as_str(), self.now, roll) else {
                let answered = Answered { latency_us: 1, first_token_us: None };
                let health = self.health.entry(target).or_default();
                let _ = health.succeeded(permitted.permit, answered, self.now);
                return true;
            };
            let failed = Failed {
                kind,
                message: String::new(),
                http_status: None,
                latency_us: 1,
                retry_after_us,
                request: None,
            };
            let health = self.health.entry(target.clone()).or_default();
            let _ = health.failed(permitted.permit, &failed, SETTINGS, self.now);
            let attempt = AfterAttempt {
                kind,
                retry_after_us,
                has_next: place + 1 < chain.len(),
                retries,
                is_committed: false,
                deadline_left_us: None,
            };
            match after_failure(attempt, &mut self.budget, roll, self.now) {
                NextStep::NextTarget => {
                    self.failovers += 1;
                    self.cap.note(&chat(), &target, self.now, self.now);
                    (place, retries) = (place + 1, 0);
                }
                NextStep::Retry { pause_us } => {
                    self.retries += 1;
                    retries += 1;
                    self.now = self.now.plus_micros(pause_us);
                }
                NextStep::GiveUp(_) => return false,
            }
        }
        false
    }

    /// Traffic at that many requests a second. Says how many came and how many were answered.
    fn run(&mut self, per_second: i64, faults: Faults<'_>) -> (u64, u64) {
        let began = self.now;
        let (mut offered, mut answered) = (0, 0);
        while self.now.micros_since(began) < SECONDS * MICROS_PER_SECOND {
            offered += 1;
            answered += u64::from(self.serve(faults));
            self.now = self.now.plus_micros(MICROS_PER_SECOND / per_second);
        }
        (offered, answered)
    }

    fn calls_of(&self, provider: &str) -> u64 {
        self.calls.get(provider).copied().unwrap_or(0)
    }

    fn all_calls(&self) -> u64 {
        self.calls.values().sum()
    }
}

const BROKEN: Option<(FailureKind, Option<i64>)> = Some((FailureKind::ServerError, None));

#[test]
fn a_dead_provider_costs_a_handful_of_calls_and_no_client_notices() {
    let mut world = World::new(&["dead", "good", "spare"]);
    let (offered, answered) = world.run(20, &|name, _, _| if name == "dead" { BROKEN } else { None });
    assert_eq!(answered, offered, "with one healthy target every request is answered");
    assert!(world.calls_of("dead") <= 5, "{} calls to the dead one", world.calls_of("dead"));
    assert_eq!(world.retries, 0, "moving on is no retry");
    assert_eq!(world.all_calls(), offered + world.failovers);
}

#[test]
fn when_all_are_down_the_load_on_them_is_at_most_a_fifth_and_one_a_second_more() {
    for per_second in [1, 5, 50] {
        let mut world = World::new(&["one", "two", "three"]);
        let (offered, answered) = world.run(per_second, &|_, _, _| BROKEN);
        assert_eq!(answered, 0);
        let allowed = offered + offered / 5 + u64::try_from(SECONDS).unwrap() + 1 + world.failovers;
        assert!(world.all_calls() <= allowed, "{} calls for {offered} requests", world.all_calls());
        assert!(world.failovers <= 15, "{} failovers: five an hour from each", world.failovers);
    }
}

#[test]
fn a_flickering_provider_is_left_for_the_steady_one_and_is_not_hammered() {
    let mut world = World::new(&["flicker", "steady"]);
    let flickers = |name: &str, _: Timestamp, roll: u64| {
        if name == "flicker" && roll >> 63 == 0 { BROKEN } else { None }
    };
    let (offered, answered) = world.run(20, &flickers);
    assert_eq!(answered, offered);
    assert!(world.calls_of("flicker") < offered / 20, "{} calls", world.calls_of("flicker"));
}

#[test]
fn a_rate_limited_provider_is_called_as_often_as_it_allows_and_nobody_fails_who_can_wait() {
    // One call every two seconds is let through; whoever comes sooner is told how long to wait.
    let last = std::cell::Cell::new(None);
    let gate = |_: &str, now: Timestamp, _: u64| {
        let free_at = last.get().map_or(now, |last: Timestamp| last.plus_micros(2 * MICROS_PER_SECOND));
        if now < free_at {
            return Some((FailureKind::RateLimit, Some(free_at.micros_since(now))));
        }
        last.set(Some(now));
        None
    };
    let mut world = World::new(&["only"]);
    let (offered, answered) = world.run(1, &gate);
    assert_eq!(answered, offered, "each waited for its turn, at most two seconds");
    assert!(world.all_calls() <= 2 * offered);
}

#[test]
fn after_an_outage_the_first_provider_gets_its_traffic_back() {
    let mut world = World::new(&["main", "spare"]);
    let began = world.now;
    let outage = move |name: &str, now: Timestamp, _: u64| {
        let is_out = now.micros_since(began) < 60 * MICROS_PER_SECOND;
        if name == "main" && is_out { BROKEN } else { None }
    };
    let (offered, answered) = world.run(10, &outage);
    assert_eq!(answered, offered);
    let main = world.calls_of("main");
    assert!(main > offered * 4 / 10, "{main} of {offered} calls after the circuit closed again");
}
