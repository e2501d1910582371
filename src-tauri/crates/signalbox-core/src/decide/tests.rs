use super::*;
use crate::ids::{ModelName, ProviderName};
use crate::operation::{Criticality, Operation};
use crate::price::{PriceCard, usd_per_million};
use crate::provider::{CredentialSource, Model, Provider};
use crate::route::Route;
use crate::snapshot::{ModelEntry, OperationEntry, ProviderEntry};
use crate::usage::Unit;

const NOW: Timestamp = Timestamp::from_micros(1);

fn target(text: &str) -> Target {
    text.parse().unwrap()
}

/// A snapshot where `chat` routes to the targets, all of them ready.
fn snapshot(targets: &[&str]) -> Snapshot {
    let mut snapshot = Snapshot::default();
    let id = OperationId::new("chat").unwrap();
    let operation = Operation {
        cache_ttl_s: None,
        allowed_providers: std::collections::BTreeSet::new(),
        id: id.clone(),
        description: String::new(),
        capability: Capability::Chat,
        criticality: Criticality::High,
        enabled: true,
        batch_eligible: false,
        cacheable: false,
    };
    let cards = targets
        .iter()
        .map(|text| RouteTarget {
            weight: 1,
            timeout_ms: None,
            max_output: None,
            target: target(text),
            enabled: true,
        })
        .collect();
    let route = Route {
        rules: Vec::new(),
        balance: crate::route::Balance::default(),
        deadline_ms: None,
        operation: id.clone(),
        version: 1,
        strategy: Strategy::Priority,
        targets: cards,
    };
    snapshot.operations.insert(id, OperationEntry { operation, route });
    for text in targets {
        add(&mut snapshot, text, ProviderKind::Openai);
    }
    snapshot
}

fn add(snapshot: &mut Snapshot, text: &str, kind: ProviderKind) {
    let Target { provider: name, model } = target(text);
    let provider = Provider {
        auth: crate::provider::Auth::default(),
        max_concurrent: None,
        name: name.clone(),
        kind,
        base_url: "http://localhost:1".parse().unwrap(),
        enabled: true,
        credential: CredentialSource::NotNeeded,
        version: 1,
    };
    snapshot.providers.insert(name.clone(), ProviderEntry { provider, credential_ready: true });
    let price = |text| usd_per_million(text).unwrap();
    let card = PriceCard::of_tokens(
        Timestamp::from_micros(0),
        [(Unit::InputTokens, price("1")), (Unit::OutputTokens, price("2"))],
    );
    let model = Model {
        quality: None,
        provider: name,
        name: ModelName::new(model.as_str()).unwrap(),
        capabilities: vec![Capability::Chat],
        context_window: Some(1_000),
        max_output: None,
    };
    snapshot.models.insert(target(text), ModelEntry { model, cards: vec![card] });
}

fn provider_mut<'a>(snapshot: &'a mut Snapshot, name: &str) -> &'a mut ProviderEntry {
    snapshot.providers.get_mut(&ProviderName::new(name).unwrap()).unwrap()
}

fn decided<'a>(snapshot: &Snapshot, change: impl FnOnce(&mut Ask<'a>)) -> Decision {
    let operation: &'static OperationId = Box::leak(Box::new(OperationId::new("chat").unwrap()));
    let bound = Bound { tokens_in: 100, tokens_out_max: 10, may_write_cache: false, ..Default::default() };
    let mut ask = Ask { operation, pinned: None, has_images: false, bound };
    change(&mut ask);
    decide(snapshot, &ask, NOW).unwrap()
}

fn chain(decision: &Decision) -> Vec<String> {
    decision.chain().map(|candidate| candidate.target.to_string()).collect()
}

fn rejection_of(decision: &Decision, text: &str) -> Option<Rejection> {
    decision.candidates.iter().find(|candidate| candidate.target == target(text)).and_then(|candidate| {
        match candidate.verdict {
            Verdict::Rejected(reason) => Some(reason),
            Verdict::Accepted(_) => None,
        }
    })
}

#[test]
fn priority_keeps_the_order_of_the_chain_and_estimates_each_target() {
    let decision = decided(&snapshot(&["b/x", "a/x"]), |_| {});
    assert_eq!(chain(&decision), ["b/x", "a/x"]);
    assert_eq!(decision.candidates[0].estimate, Some(NanoUsd::from_nanos(100 * 1_000 + 10 * 2_000)));
}

#[test]
fn each_unusable_target_is_skipped_with_its_reason() {
    let mut snapshot = snapshot(&["off/x", "nokey/x", "gone/x", "voice/x", "last/x"]);
    provider_mut(&mut snapshot, "off").provider.enabled = false;
    provider_mut(&mut snapshot, "nokey").credential_ready = false;
    snapshot.providers.remove(&ProviderName::new("gone").unwrap());
    provider_mut(&mut snapshot, "voice").provider.kind = ProviderKind::Deepgram;
    let decision = decided(&snapshot, |_| {});
    assert_eq!(chain(&decision), ["last/x"]);
    assert_eq!(rejection_of(&decision, "off/x"), Some(Rejection::ProviderDisabled));
    assert_eq!(rejection_of(&decision, "nokey/x"), Some(Rejection::NoCredential));
    assert_eq!(rejection_of(&decision, "gone/x"), Some(Rejection::ProviderUnknown));
    assert_eq!(rejection_of(&decision, "voice/x"), Some(Rejection::NoAdapter));
}

#[test]
fn context_window_and_images_are_hard_filters() {
    let snapshot = snapshot(&["a/x"]);
    let too_long = decided(&snapshot, |ask| ask.bound.tokens_in = 2_002);
    assert_eq!(rejection_of(&too_long, "a/x"), Some(Rejection::ContextWindow));
    let may_fit = decided(&snapshot, |ask| ask.bound.tokens_in = 2_001);
    assert_eq!(chain(&may_fit), ["a/x"], "the count is an upper bound: what may fit is tried");
    let with_image = decided(&snapshot, |ask| ask.has_images = true);
    assert_eq!(rejection_of(&with_image, "a/x"), Some(Rejection::WrongCapability));
}

/// As it is seeded: waiting for its first credential.
fn disconnect(snapshot: &mut Snapshot, name: &str) {
    let entry = provider_mut(snapshot, name);
    entry.credential_ready = false;
    entry.provider.credential = CredentialSource::Missing;
}

#[test]
fn the_simulator_answers_only_while_no_provider_has_been_connected() {
    let mut snapshot = snapshot(&["a/x", "b/x"]);
    add(&mut snapshot, "simulator/sim-chat", ProviderKind::Simulator);
    disconnect(&mut snapshot, "a");
    assert_eq!(chain(&decided(&snapshot, |_| {})), ["b/x"]);
    disconnect(&mut snapshot, "b");
    let decision = decided(&snapshot, |_| {});
    assert_eq!(chain(&decision), ["simulator/sim-chat"]);
    assert_eq!(decision.candidates[0].verdict, Verdict::Accepted(Acceptance::NothingSetUp));
    provider_mut(&mut snapshot, "b").provider.enabled = false;
    assert!(chain(&decided(&snapshot, |_| {})).is_empty(), "an admin switched it off: no invented answer");
}

#[test]
fn a_credential_that_cannot_be_found_at_the_moment_is_an_error_and_never_an_invented_answer() {
    let mut snapshot = snapshot(&["a/x"]);
    add(&mut snapshot, "simulator/sim-chat", ProviderKind::Simulator);
    let entry = provider_mut(&mut snapshot, "a");
    entry.provider.credential = CredentialSource::Environment { variable: "A_KEY".to_owned() };
    entry.credential_ready = false;
    assert!(chain(&decided(&snapshot, |_| {})).is_empty());
}

#[test]
fn a_pinned_target_is_the_whole_chain_and_nothing_stands_in_for_it() {
    let mut snapshot = snapshot(&["a/x", "b/x"]);
    add(&mut snapshot, "simulator/sim-chat", ProviderKind::Simulator);
    let pin = target("b/x");
    assert_eq!(chain(&decided(&snapshot, |ask| ask.pinned = Some(&pin))), ["b/x"]);
    provider_mut(&mut snapshot, "b").credential_ready = false;
    assert!(chain(&decided(&snapshot, |ask| ask.pinned = Some(&pin))).is_empty());
}

#[test]
fn unknown_and_disabled_operations_are_refused() {
    let mut snapshot = snapshot(&["a/x"]);
    let (chat, other) = (OperationId::new("chat").unwrap(), OperationId::new("other").unwrap());
    let ask = |operation| Ask { operation, pinned: None, has_images: false, bound: Bound::default() };
    assert_eq!(decide(&snapshot, &ask(&other), NOW), Err(DecideError::UnknownOperation(other.clone())));
    snapshot.operations.get_mut(&chat).unwrap().operation.enabled = false;
    assert_eq!(decide(&snapshot, &ask(&chat), NOW), Err(DecideError::OperationDisabled(chat.clone())));
}

#[test]
fn a_stored_decision_reads_back_the_same() {
    let mut snapshot = snapshot(&["a/x", "b/x"]);
    provider_mut(&mut snapshot, "b").credential_ready = false;
    let decision = decided(&snapshot, |_| {});
    let json = serde_json::to_string(&decision).unwrap();
    assert_eq!(serde_json::from_str::<Decision>(&json).unwrap(), decision);
}
