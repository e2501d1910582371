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
        approval: None,
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
    snapshot.models.insert(target(text), ModelEntry { model, cards: vec![card], breach: None });
}

fn provider_mut<'a>(snapshot: &'a mut Snapshot, name: &str) -> &'a mut ProviderEntry {
    snapshot.providers.get_mut(&ProviderName::new(name).unwrap()).unwrap()
}

fn entry_mut(snapshot: &mut Snapshot) -> &mut OperationEntry {
    snapshot.operations.get_mut(&OperationId::new("chat").unwrap()).unwrap()
}

fn route_mut(snapshot: &mut Snapshot) -> &mut Route {
    &mut entry_mut(snapshot).route
}

fn model_mut<'a>(snapshot: &'a mut Snapshot, text: &str) -> &'a mut ModelEntry {
    snapshot.models.get_mut(&target(text)).unwrap()
}

fn candidate<'a>(decision: &'a Decision, text: &str) -> &'a Candidate {
    decision.candidates.iter().find(|candidate| candidate.target == target(text)).unwrap()
}

fn decided<'a>(snapshot: &Snapshot, change: impl FnOnce(&mut Ask<'a>)) -> Decision {
    let operation: &'static OperationId = Box::leak(Box::new(OperationId::new("chat").unwrap()));
    let bound = Bound { tokens_in: 100, tokens_out_max: 10, may_write_cache: false, ..Default::default() };
    let mut ask = Ask::of(operation, Features::of(Surface::OpenaiChat, bound));
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
    let too_long = decided(&snapshot, |ask| ask.features.bound.tokens_in = 2_002);
    assert_eq!(rejection_of(&too_long, "a/x"), Some(Rejection::ContextWindow));
    let may_fit = decided(&snapshot, |ask| ask.features.bound.tokens_in = 2_001);
    assert_eq!(chain(&may_fit), ["a/x"], "the count is an upper bound: what may fit is tried");
    let with_image = decided(&snapshot, |ask| ask.features.has_images = true);
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
    let ask = |operation| Ask::of(operation, Features::of(Surface::OpenaiChat, Bound::default()));
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

#[test]
fn sound_and_pictures_matter_only_to_conversations() {
    let mut snapshot = snapshot(&["a/x"]);
    let with_sound = decided(&snapshot, |ask| ask.features.has_audio = true);
    assert_eq!(rejection_of(&with_sound, "a/x"), Some(Rejection::WrongCapability));
    model_mut(&mut snapshot, "a/x").model.capabilities.push(Capability::AudioInput);
    assert_eq!(chain(&decided(&snapshot, |ask| ask.features.has_audio = true)), ["a/x"]);
    entry_mut(&mut snapshot).operation.capability = Capability::Embedding;
    model_mut(&mut snapshot, "a/x").model.capabilities = vec![Capability::Embedding];
    assert_eq!(chain(&decided(&snapshot, |ask| ask.features.has_audio = true)), ["a/x"]);
}

#[test]
fn data_never_goes_to_a_provider_outside_the_allowed_ones_pinned_or_simulated() {
    let mut snapshot = snapshot(&["a/x", "b/x"]);
    add(&mut snapshot, "simulator/sim-chat", ProviderKind::Simulator);
    entry_mut(&mut snapshot).operation.allowed_providers.insert(ProviderName::new("b").unwrap());
    let decision = decided(&snapshot, |_| {});
    assert_eq!(chain(&decision), ["b/x"]);
    assert_eq!(rejection_of(&decision, "a/x"), Some(Rejection::ProviderNotAllowed));
    let pin = target("a/x");
    assert!(chain(&decided(&snapshot, |ask| ask.pinned = Some(&pin))).is_empty());
    disconnect(&mut snapshot, "a");
    disconnect(&mut snapshot, "b");
    assert!(chain(&decided(&snapshot, |_| {})).is_empty(), "the simulator is not allowed either");
}

fn without_price(snapshot: &mut Snapshot, text: &str) {
    model_mut(snapshot, text).cards.clear();
}

#[test]
fn what_has_no_price_is_served_blocked_or_taken_for_the_dearest_as_the_admin_wants() {
    let mut snapshot = snapshot(&["a/x", "b/x"]);
    without_price(&mut snapshot, "a/x");
    let decision = decided(&snapshot, |_| {});
    assert_eq!((chain(&decision), decision.estimate_max()), (vec!["a/x".to_owned(), "b/x".to_owned()], None));

    snapshot.settings.unpriced = UnpricedPolicy::Block;
    let decision = decided(&snapshot, |_| {});
    assert_eq!(chain(&decision), ["b/x"]);
    assert_eq!(rejection_of(&decision, "a/x"), Some(Rejection::Unpriced));
    let pin = target("a/x");
    assert!(chain(&decided(&snapshot, |ask| ask.pinned = Some(&pin))).is_empty());

    snapshot.settings.unpriced = UnpricedPolicy::FamilyMaximum;
    let decision = decided(&snapshot, |_| {});
    assert_eq!(
        rejection_of(&decision, "a/x"),
        Some(Rejection::Unpriced),
        "nothing of the provider has a price"
    );
    for (name, dollars) in [("a/cheap", "1"), ("a/dear", "5"), ("a/voice", "90")] {
        add(&mut snapshot, name, ProviderKind::Openai);
        let price = |text| usd_per_million(text).unwrap();
        let units = [(Unit::InputTokens, price(dollars)), (Unit::OutputTokens, price(dollars))];
        model_mut(&mut snapshot, name).cards = vec![PriceCard::of_tokens(Timestamp::from_micros(0), units)];
    }
    model_mut(&mut snapshot, "a/voice").model.capabilities = vec![Capability::Speech];
    let decision = decided(&snapshot, |_| {});
    let assumed = candidate(&decision, "a/x");
    assert_eq!(assumed.estimate, Some(NanoUsd::from_nanos(110 * 5_000)));
    assert!(assumed.is_estimate_assumed && !candidate(&decision, "b/x").is_estimate_assumed);
    assert_eq!(decision.estimate_max(), assumed.estimate);
}

#[test]
fn the_engine_looks_up_the_health_of_the_targets_of_a_decision_alone() {
    let snapshot = snapshot(&["a/x", "b/x"]);
    let (chat, pin) = (OperationId::new("chat").unwrap(), target("c/x"));
    let listed = |pinned| targets(&snapshot, &chat, pinned).cloned().collect::<Vec<_>>();
    assert_eq!(listed(None), [target("a/x"), target("b/x")]);
    assert_eq!(listed(Some(&pin)), std::slice::from_ref(&pin));
    assert_eq!(targets(&snapshot, &OperationId::new("other").unwrap(), None).count(), 0);
}

#[test]
fn every_reason_has_its_own_word_and_words() {
    let words: std::collections::HashSet<_> = Rejection::ALL.iter().map(|reason| reason.as_str()).collect();
    assert_eq!(words.len(), Rejection::ALL.len());
    for reason in Rejection::ALL {
        assert_eq!(serde_json::to_value(reason).unwrap(), reason.as_str());
        assert!(!reason.in_words().is_empty());
    }
}

#[test]
fn a_decision_from_before_strategies_reads_back() {
    let stored = r#"{"strategy":"priority","candidates":[
        {"target":"deepseek/deepseek-chat","verdict":"accepted","reason":"chain","estimate":29000},
        {"target":"openai/gpt-5","verdict":"rejected","reason":"no_credential"}]}"#;
    let decision: Decision = serde_json::from_str(stored).unwrap();
    let expected = Decision::of(
        Strategy::Priority,
        vec![
            Candidate::of(
                target("deepseek/deepseek-chat"),
                Verdict::Accepted(Acceptance::Chain),
                Some(NanoUsd::from_nanos(29_000)),
            ),
            Candidate::of(target("openai/gpt-5"), Verdict::Rejected(Rejection::NoCredential), None),
        ],
    );
    assert_eq!(decision, expected);
    let again = serde_json::to_value(&decision).unwrap();
    assert_eq!(again, serde_json::from_str::<serde_json::Value>(stored).unwrap(), "and is written as it was");
}

mod keys;
mod rules;
mod strategies;
mod unwell;
