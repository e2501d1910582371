//! What a key narrows and brings along.

use std::collections::BTreeMap;

use super::*;
use crate::breaker::{Block, Blocked};
use crate::health::TargetView;
use crate::key::OwnCredential;

fn key() -> ApiKey {
    ApiKey::new("crm", "a91f", NOW)
}

fn scoped(scopes: &[&str]) -> ApiKey {
    ApiKey { targets: scopes.iter().map(|text| text.parse().unwrap()).collect(), ..key() }
}

/// A key with its owner's credential at a provider, which is at hand.
fn with_own(snapshot: &mut Snapshot, name: &str) -> ApiKey {
    let name = ProviderName::new(name).unwrap();
    let credential = OwnCredential { hint: "…a91f".to_owned(), set_at: NOW };
    let key = ApiKey { own_credentials: BTreeMap::from([(name.clone(), credential)]), ..key() };
    snapshot.own_credentials.insert((key.id, name));
    key
}

#[test]
fn a_scoped_key_reaches_its_targets_alone_and_the_receipt_says_why() {
    let snapshot = snapshot(&["a/x", "b/x", "b/y"]);
    let key = scoped(&["b/y"]);
    let decision = decided(&snapshot, |ask| ask.key = Some(&key));
    assert_eq!(chain(&decision), ["b/y"]);
    assert_eq!(rejection_of(&decision, "a/x"), Some(Rejection::KeyNotAllowed));
    assert_eq!(rejection_of(&decision, "b/x"), Some(Rejection::KeyNotAllowed));
    let whole = scoped(&["b"]);
    assert_eq!(chain(&decided(&snapshot, |ask| ask.key = Some(&whole))), ["b/x", "b/y"]);
}

#[test]
fn neither_a_pin_nor_the_simulator_nor_a_last_resort_leads_out_of_a_keys_scope() {
    let mut snapshot = snapshot(&["a/x"]);
    add(&mut snapshot, "simulator/sim-chat", ProviderKind::Simulator);
    disconnect(&mut snapshot, "a");
    let (key, pin) = (scoped(&["b"]), target("a/x"));
    let decision = decided(&snapshot, |ask| ask.key = Some(&key));
    assert!(chain(&decision).is_empty() && decision.is_out_of_scope());
    let pinned = decided(&snapshot, |ask| {
        ask.key = Some(&key);
        ask.pinned = Some(&pin);
    });
    assert!(chain(&pinned).is_empty() && pinned.is_out_of_scope());
    // In its scope it is the first run like any other.
    let all = scoped(&["a", "simulator"]);
    assert_eq!(chain(&decided(&snapshot, |ask| ask.key = Some(&all))), ["simulator/sim-chat"]);
}

#[test]
fn an_own_credential_opens_its_provider_and_says_whose_cost_it_is() {
    let mut snapshot = snapshot(&["a/x", "b/x"]);
    provider_mut(&mut snapshot, "a").credential_ready = false;
    let key = with_own(&mut snapshot, "a");
    let decision = decided(&snapshot, |ask| ask.key = Some(&key));
    assert_eq!(chain(&decision), ["a/x", "b/x"]);
    assert!(candidate(&decision, "a/x").own_credential && !candidate(&decision, "b/x").own_credential);
    assert!(!decision.is_at_own_cost(), "the second one is called at everybody's cost");
    let pin = target("a/x");
    let pinned = decided(&snapshot, |ask| {
        ask.key = Some(&key);
        ask.pinned = Some(&pin);
    });
    assert!(pinned.is_at_own_cost());
    assert_eq!(chain(&decided(&snapshot, |_| {})), ["b/x"], "nobody else has it");
}

#[test]
fn an_own_credential_that_cannot_be_read_is_never_replaced_by_the_shared_one_or_an_invented_answer() {
    let mut snapshot = snapshot(&["a/x"]);
    add(&mut snapshot, "simulator/sim-chat", ProviderKind::Simulator);
    let key = with_own(&mut snapshot, "a");
    snapshot.own_credentials.clear();
    let decision = decided(&snapshot, |ask| ask.key = Some(&key));
    assert_eq!(rejection_of(&decision, "a/x"), Some(Rejection::NoCredential));
    disconnect(&mut snapshot, "a");
    assert!(chain(&decided(&snapshot, |ask| ask.key = Some(&key))).is_empty());
}

#[test]
fn what_a_provider_says_of_the_shared_account_keeps_no_own_one_away() {
    let mut snapshot = snapshot(&["a/x"]);
    let key = with_own(&mut snapshot, "a");
    for (why, stops) in [
        (Block::InvalidKey, false),
        (Block::CoolingDown, false),
        (Block::Held, true),
        (Block::Probing, true),
        (Block::CircuitOpen, true),
    ] {
        let view = TargetView { blocked: Some(Blocked { until: None, why }), ..TargetView::default() };
        let health: HealthViews = [(target("a/x"), view)].into_iter().collect();
        let health: &'static HealthViews = Box::leak(Box::new(health));
        let shared = decided(&snapshot, |ask| ask.health = health);
        let own = decided(&snapshot, |ask| {
            ask.health = health;
            ask.key = Some(&key);
        });
        let is_free = |decision: &Decision| {
            decision.chain().any(|candidate| candidate.verdict != Verdict::Accepted(Acceptance::LastResort))
        };
        assert!(!is_free(&shared), "{why:?}");
        assert_eq!(is_free(&own), !stops, "{why:?}");
    }
}
