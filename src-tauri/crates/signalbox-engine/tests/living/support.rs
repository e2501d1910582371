//! Arranging an installation for these tests, and asking it.

use std::time::Duration;

use reqwest::RequestBuilder;
use signalbox_core::breaker::Circuit;
use signalbox_core::ids::{OperationId, ProviderName};
use signalbox_core::key::KeyLimits;
use signalbox_core::ledger::Settlement;
use signalbox_core::operation::Capability;
use signalbox_core::provider::{Model, ProviderKind};
use signalbox_core::route::Target;
use signalbox_core::snapshot::OperationEntry;
use signalbox_engine::health::{Circuits, TargetStanding};
use signalbox_simulator::{Dials, ErrorKind};
use signalbox_store::ConfigWrite;
use signalbox_testkit::{FakeClock, Prices, Reply, Streamed, TestApp, Vendor};

pub const CHAT: &str = "op:chat_message";

/// $2 and $8 per million tokens: 2,000 and 8,000 nano-dollars a token.
pub fn prices() -> Prices {
    Prices::per_mtok("2", "8")
}

/// Two vendors, `first/m` before `second/m`, of different families.
pub async fn two_vendors(app: &TestApp) -> (Vendor, Vendor) {
    let first = app.add_openai("first").await.unwrap();
    let second = app.add_anthropic("second").await.unwrap();
    for target in ["first/m", "second/m"] {
        app.add_model(target, prices()).await.unwrap();
    }
    app.set_route("chat_message", &["first/m", "second/m"]).await.unwrap();
    (first, second)
}

/// One vendor, `only/m`.
pub async fn one_vendor(app: &TestApp) -> Vendor {
    let vendor = app.add_vendor("only", ProviderKind::Openai, Dials::default()).await.unwrap();
    app.add_model("only/m", prices()).await.unwrap();
    app.set_route("chat_message", &["only/m"]).await.unwrap();
    vendor
}

pub async fn clocked() -> (TestApp, FakeClock) {
    let clock = FakeClock::at("2026-11-21T12:00:00Z").unwrap();
    (TestApp::builder().clock(clock.clone()).start().await.unwrap(), clock)
}

pub fn failing(error: ErrorKind) -> Dials {
    Dials { error, error_rate: 1.0, ..Dials::default() }
}

pub async fn set(app: &TestApp, settings: &[(&str, &str)]) {
    let writes = settings
        .iter()
        .map(|(key, value)| ConfigWrite::PutSetting { key: (*key).to_owned(), value: (*value).to_owned() });
    app.write(writes.collect()).await.unwrap();
}

pub async fn edit(app: &TestApp, operation: &str, edit: impl FnOnce(&mut OperationEntry)) {
    let mut entry = app.engine.live().snapshot.operations[operation].clone();
    let base_version = Some(entry.route.version);
    edit(&mut entry);
    entry.route.version += 1;
    let OperationEntry { operation, route } = entry;
    app.write(vec![ConfigWrite::PutOperation { operation, route, base_version }]).await.unwrap();
}

/// Adds a model for one kind of work.
pub async fn add_model_for(app: &TestApp, text: &str, capability: Capability) {
    let Target { provider, model: name } = target(text);
    let capabilities = vec![capability];
    let model = Model { provider, name, capabilities, context_window: None, max_output: None, quality: None };
    app.write(vec![ConfigWrite::PutModel { model }]).await.unwrap();
}

/// Limits the app's own key.
pub async fn limit_key(app: &TestApp, limits: KeyLimits) {
    let mut key = app.engine.live().snapshot.keys.values().next().unwrap().clone();
    key.limits = limits;
    app.write(vec![ConfigWrite::PutKey { key }]).await.unwrap();
}

pub async fn limit_provider(app: &TestApp, name: &str, max_concurrent: u32) {
    let name = ProviderName::new(name).unwrap();
    let mut provider = app.engine.live().snapshot.providers[&name].provider.clone();
    let base_version = Some(provider.version);
    provider.max_concurrent = Some(max_concurrent);
    provider.version += 1;
    app.write(vec![ConfigWrite::PutProvider { provider, base_version }]).await.unwrap();
}

pub fn operation(id: &str) -> OperationId {
    OperationId::new(id).unwrap()
}

/// All targets of a provider.
pub fn provider(name: &str) -> Circuits {
    Circuits { provider: ProviderName::new(name).unwrap(), model: None }
}

pub fn target(text: &str) -> Target {
    text.parse().unwrap()
}

pub fn standing(app: &TestApp, text: &str) -> TargetStanding {
    app.engine.health.target(&target(text)).unwrap()
}

pub fn circuit(app: &TestApp, text: &str) -> Circuit {
    standing(app, text).health.breaker().circuit()
}

pub async fn settlement(app: &TestApp, reply: &Reply) -> Settlement {
    app.settled(reply.request_id().unwrap()).await.unwrap().settlement.unwrap()
}

pub async fn settlement_of_stream(app: &TestApp, answer: &Streamed) -> Settlement {
    app.settled(answer.request_id().unwrap()).await.unwrap().settlement.unwrap()
}

/// Waits until something is so; far longer than it takes.
pub async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let waiting = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    let in_time = tokio::time::timeout(Duration::from_secs(20), waiting).await;
    assert!(in_time.is_ok(), "it never came about: {what}");
}

/// A request on its way, once something is so. Dropping it is how its client leaves.
pub async fn sent(request: RequestBuilder, what: &str, is_so: impl FnMut() -> bool) -> impl Future {
    let mut sending = Box::pin(request.send());
    tokio::select! {
        answered = &mut sending => assert!(answered.is_err(), "answered before {what}"),
        () = until(what, is_so) => {}
    }
    sending
}

/// Waits until nobody holds a permit or a place any more.
pub async fn at_rest(app: &TestApp) {
    until("all permits and places are back", || {
        app.engine.health.calls() == 0 && app.engine.limits.running() == 0
    })
    .await;
    assert!(app.engine.health.targets().iter().all(|standing| standing.in_use == 0));
}
