//! Each change is one entry: every kind of change the history knows, done in every way there is.
//!
//! [`ChangeKind`] is matched without a catch-all: a new kind does not compile until it has its steps here.

use serde_json::json;
use signalbox_app::{
    Caller, Source, alert_rules, approvals, budgets, channels, drills, dto, health, keys, kill_switch,
    models, operations, people, prices, providers, secrets, settings, toggles,
};
use signalbox_core::change::ChangeKind;
use signalbox_testkit::{Prices, TestApp, chat_body};

use crate::desk::{Desk, anna, of};

#[tokio::test]
async fn every_change_of_every_kind_is_one_entry_with_who_what_and_why() {
    for kind in ChangeKind::ALL {
        let running = TestApp::start().await.unwrap();
        let mut desk = Desk::of(&running).await;
        let desk = &mut desk;
        match kind {
            ChangeKind::Route => routes(desk).await,
            ChangeKind::Provider => providers(desk).await,
            ChangeKind::Credential => credentials(desk).await,
            ChangeKind::Model => models(desk).await,
            ChangeKind::Key => keys(desk).await,
            ChangeKind::Price => prices(desk).await,
            ChangeKind::ModelBlock => blocks(&running).await,
            ChangeKind::Health => circuits(desk).await,
            ChangeKind::Setting => settings(desk).await,
            ChangeKind::Budget => budgets(desk).await,
            ChangeKind::Approval => decisions(desk, &running).await,
            ChangeKind::Toggle => toggles(desk).await,
            ChangeKind::KillSwitch => kill_switch(desk).await,
            ChangeKind::Person => people(desk).await,
            ChangeKind::Alert => alerting(desk).await,
            ChangeKind::Drill => drills(desk).await,
            ChangeKind::Install => {
                let first = running.engine.control.store.change(1).await.unwrap().unwrap();
                assert_eq!(first.change.kind, ChangeKind::Install, "an installation begins with an entry");
            }
        }
    }
}

fn why() -> String {
    "because".to_owned()
}

async fn add_second(desk: &mut Desk) {
    let input = of(json!({"name": "second", "kind": "openai", "base_url": "https://api.example.com/v1"}));
    let added = providers::add(&desk.app, &anna(), input).await;
    desk.wrote("a new provider", ChangeKind::Provider, added).await;
}

async fn add_model(desk: &mut Desk, input_usd: &str) {
    let model = of(json!({
        "provider": "second", "model": "m", "input_usd_per_mtok": input_usd, "output_usd_per_mtok": "2",
    }));
    let added = models::add(&desk.app, &anna(), model).await;
    desk.wrote("a model", ChangeKind::Model, added).await;
}

async fn make_key(desk: &mut Desk) -> String {
    let made = keys::create(&desk.app, &anna(), of(json!({"name": "crm"}))).await;
    desk.wrote("a key", ChangeKind::Key, made).await.key.id
}

async fn routes(desk: &mut Desk) {
    let (kind, app, me) = (ChangeKind::Route, &desk.app.clone(), &anna());
    let before = operations::find(app, me, "chat_message").await.unwrap();
    let off = dto::RouteDraft { enabled: false, reason: Some(why()), ..before.draft() };
    desk.wrote_why("a route", kind, operations::route_apply(app, me, off).await).await;
    let same = operations::find(app, me, "chat_message").await.unwrap().draft();
    operations::route_apply(app, me, same).await.unwrap();
    desk.wrote_nothing("a route as it is").await;
    desk.reverted("a route", kind).await;
}

async fn providers(desk: &mut Desk) {
    let (kind, app, me) = (ChangeKind::Provider, &desk.app.clone(), &anna());
    add_second(desk).await;
    let patch = of(json!({"name": "second", "base_version": 1, "enabled": false}));
    desk.wrote("a provider off", kind, providers::update(app, me, patch).await).await;
    desk.reverted("a provider off", kind).await;
    add_model(desk, "1").await;
    desk.wrote("a provider gone", kind, providers::remove(app, me, "second").await).await;
    desk.reverted("a provider gone", kind).await;
}

async fn credentials(desk: &mut Desk) {
    let (kind, app, me) = (ChangeKind::Credential, &desk.app.clone(), &anna());
    add_second(desk).await;
    let key = make_key(desk).await;
    let secret = || dto::SecretInput::new("sk-0123456789abcdef".to_owned());
    let set = providers::set_credential(app, me, "second", secret()).await;
    desk.wrote("a credential", kind, set).await;
    let cleared = providers::clear_credential(app, me, "second").await;
    desk.wrote("no credential", kind, cleared).await;
    let own = keys::set_own_credential(app, me, &key, "second", secret()).await;
    desk.wrote("an own credential", kind, own).await;
    let own = keys::clear_own_credential(app, me, &key, "second").await;
    desk.wrote("no own credential", kind, own).await;
    let passphrase = dto::SecretInput::new("correct horse battery".to_owned());
    desk.wrote("a passphrase", kind, secrets::protect(app, me, passphrase).await).await;
    assert!(!desk.newest().await.revertible, "what is sealed is no state to go back to");
}

async fn models(desk: &mut Desk) {
    add_second(desk).await;
    add_model(desk, "1").await;
    add_model(desk, "3").await;
    desk.reverted("a model with another price", ChangeKind::Model).await;
}

async fn keys(desk: &mut Desk) {
    let (kind, app, me) = (ChangeKind::Key, &desk.app.clone(), &anna());
    let id = make_key(desk).await;
    let limits = of(json!({"id": id, "limits": {"concurrent": 3}}));
    desk.wrote("a key's limits", kind, keys::set_limits(app, me, limits).await).await;
    desk.reverted("a key's limits", kind).await;
    let scope = of(json!({"id": id, "scope": {"owner": "grace"}}));
    desk.wrote("a key's scope", kind, keys::set_scope(app, me, scope).await).await;
    let rotation = of(json!({"id": id, "overlap_hours": 1}));
    desk.wrote("a key's new secret", kind, keys::rotate(app, me, rotation).await).await;
    assert!(!desk.newest().await.revertible, "which secret opens a key is no state to go back to");
    desk.wrote("the end of an overlap", kind, keys::end_overlap(app, me, &id).await).await;
    desk.wrote("a key revoked", kind, keys::revoke(app, me, &id).await).await;
    keys::revoke(app, me, &id).await.unwrap();
    desk.wrote_nothing("a key revoked again").await;
}

async fn prices(desk: &mut Desk) {
    let (kind, app, me) = (ChangeKind::Price, &desk.app.clone(), &anna());
    add_second(desk).await;
    add_model(desk, "1").await;
    let price = of(
        json!({"target": "second/m", "rates": [{"unit": "input_tokens", "usd": "3"}], "reason": "because"}),
    );
    desk.wrote_why("a price", kind, prices::set(app, me, price).await).await;
    desk.reverted("a price", kind).await;
    let list = json!({"second/m": {"litellm_provider": "second", "mode": "chat",
        "input_cost_per_token": 0.000_007, "output_cost_per_token": 0.000_008}});
    let list = dto::PriceListInput { path: None, text: Some(list.to_string()) };
    let seen = prices::import::preview(app, me, list).await.unwrap();
    desk.wrote_nothing("a list that is only compared").await;
    let choice = of(json!({"token": seen.token, "targets": ["second/m"], "reason": "because"}));
    desk.wrote_why("a price list", kind, prices::import::apply(app, me, choice).await).await;
}

async fn blocks(running: &TestApp) {
    let vendor = running.add_openai("only").await.unwrap();
    running.add_model("only/m", Prices::per_mtok("2", "8")).await.unwrap();
    running.set_route("chat_message", &["only/m"]).await.unwrap();
    let mut desk = Desk::of(running).await;
    vendor.dials().update(|dials| dials.input_tokens = Some(1_000_000));
    let mut body = chat_body("op:chat_message", "hello");
    body["max_tokens"] = json!(100);
    let reply = running.send(running.post("/v1/chat/completions", &body)).await.unwrap();
    running.settled(reply.request_id().unwrap()).await.unwrap();
    desk.wrote_by("a bill that cannot be right", ChangeKind::ModelBlock, "signalbox").await;
    let input = of(json!({"target": "only/m", "reason": "because"}));
    let unblocked = prices::block::unblock(&desk.app, &anna(), input).await;
    desk.wrote_why("a model unblocked", ChangeKind::ModelBlock, unblocked).await;
}

async fn circuits(desk: &mut Desk) {
    let (kind, app, me) = (ChangeKind::Health, &desk.app.clone(), &anna());
    for action in ["hold", "reset"] {
        let action = of(json!({"provider": "simulator", "action": action, "reason": "because"}));
        desk.wrote_why("a circuit", kind, health::circuit(app, me, action).await).await;
    }
}

async fn settings(desk: &mut Desk) {
    let (kind, app, me) = (ChangeKind::Setting, &desk.app.clone(), &anna());
    let setting = || of(json!({"name": "max_requests", "value": "7", "reason": "because"}));
    desk.wrote_why("a setting", kind, settings::set(app, me, setting()).await).await;
    settings::set(app, me, setting()).await.unwrap();
    desk.wrote_nothing("a setting as it is").await;
    desk.reverted("a setting", kind).await;
}

async fn budgets(desk: &mut Desk) {
    let (kind, app, me) = (ChangeKind::Budget, &desk.app.clone(), &anna());
    let draft = |usd: u32| {
        json!({
            "name": "All", "scope": {"kind": "global"}, "period": "day", "limits": {"cost": format!("{usd}000000000")},
            "thresholds": [], "action": "block", "overrun_percent": 0, "enabled": true, "reason": "because",
        })
    };
    let made = budgets::set(app, me, of(draft(5))).await;
    let made = desk.wrote_why("a budget", kind, made).await.applied().unwrap();
    let mut higher = draft(6);
    (higher["id"], higher["base_version"]) = (json!(made.id), json!(made.version));
    desk.wrote_why("a limit", kind, budgets::set(app, me, of(higher)).await).await;
    desk.reverted("a limit", kind).await;
    let correction = json!({"id": made.id, "member": "", "amount": "7", "reason": "because"});
    desk.wrote_why("a correction", kind, budgets::adjust(app, me, of(correction)).await).await;
    let list = budgets::list(app, me).await.unwrap();
    let now = list.budgets.iter().find(|budget| budget.id == made.id).unwrap();
    let removal = of(json!({"id": now.id, "base_version": now.version, "reason": "because"}));
    desk.wrote_why("a budget gone", kind, budgets::remove(app, me, removal).await).await;
    desk.reverted("a budget gone", kind).await;
}

async fn decisions(desk: &mut Desk, running: &TestApp) {
    let (kind, app, me) = (ChangeKind::Approval, &desk.app.clone(), &anna());
    let route = operations::find(app, me, "chat_message").await.unwrap();
    let always = of(json!({"always": true, "budget_warned": false, "hold_s": 0, "expires_s": 3_600}));
    let draft = dto::RouteDraft { approval: Some(always), reason: Some(why()), ..route.draft() };
    desk.wrote_why("a policy", ChangeKind::Route, operations::route_apply(app, me, draft).await).await;
    let mut asked = Vec::new();
    for words in ["approve", "reject", "withdraw", "undo"] {
        let request = running.post("/v1/chat/completions", &chat_body("op:chat_message", words));
        let reply = running.send(request).await.unwrap();
        asked.push(reply.body["error"]["approval"]["id"].as_str().unwrap().to_owned());
    }
    desk.wrote_nothing("a request that asks").await;
    let seen = async |id: &str| json!({"id": id, "hash": approvals::show(app, me, id).await.unwrap().row.hash, "reason": "because"});
    let yes = approvals::approve(app, me, of(seen(&asked[0]).await)).await;
    desk.wrote_why("a yes", kind, yes).await;
    let no = approvals::reject(app, me, of(seen(&asked[1]).await)).await;
    desk.wrote_why("a no", kind, no).await;
    let withdrawal = of(json!({"id": asked[2], "reason": "because"}));
    desk.wrote_why("a withdrawal", kind, approvals::withdraw(app, me, withdrawal).await).await;
    let window = Caller { source: Source::Window, ..anna() };
    let yes = approvals::approve(app, &window, of(seen(&asked[3]).await)).await;
    desk.wrote_why("a yes in the window", kind, yes).await;
    desk.wrote("taken back", kind, approvals::undo(app, &window, &asked[3]).await).await;
    assert!(!desk.newest().await.revertible, "a decision is taken back where it was made, or not at all");
}

async fn toggles(desk: &mut Desk) {
    let (kind, app, me) = (ChangeKind::Toggle, &desk.app.clone(), &anna());
    for (operation, enabled) in [(None, Some(true)), (Some("chat_message"), Some(false)), (None, None)] {
        let input =
            json!({"name": "log_payloads", "operation": operation, "enabled": enabled, "reason": "because"});
        desk.wrote_why("a toggle", kind, toggles::set(app, me, of(input)).await).await;
    }
    desk.reverted("a toggle", kind).await;
}

async fn kill_switch(desk: &mut Desk) {
    let (kind, app, me) = (ChangeKind::KillSwitch, &desk.app.clone(), &anna());
    let stop = || of(json!({"reason": "because"}));
    desk.wrote_why("a stop", kind, kill_switch::engage(app, me, stop()).await).await;
    kill_switch::engage(app, me, stop()).await.unwrap();
    desk.wrote_nothing("a stop of what stands still").await;
    let release = || of(json!({"typed": "RESUME", "reason": "because"}));
    desk.wrote_why("a release", kind, kill_switch::release(app, me, release()).await).await;
    kill_switch::release(app, me, release()).await.unwrap();
    desk.wrote_nothing("a release of what runs").await;
}

async fn people(desk: &mut Desk) {
    let (kind, app, me) = (ChangeKind::Person, &desk.app.clone(), &anna());
    let bert = of(json!({"name": "bert", "role": "viewer", "reason": "because"}));
    desk.wrote_why("a person", kind, people::add(app, me, bert).await).await;
    let promoted = of(json!({"name": "bert", "role": "operator", "reason": "because"}));
    desk.wrote_why("a role", kind, people::update(app, me, promoted).await).await;
    desk.reverted("a role", kind).await;
    let out = of(json!({"name": "bert", "enabled": false, "reason": "because"}));
    desk.wrote_why("a person shut out", kind, people::update(app, me, out).await).await;
}

async fn alerting(desk: &mut Desk) {
    let (kind, app, me) = (ChangeKind::Alert, &desk.app.clone(), &anna());
    let rule = of(json!({
        "kind": "circuit_opened", "enabled": false, "severity": "info", "window_s": 60, "reason": "because",
    }));
    desk.wrote_why("a rule", kind, alert_rules::set(app, me, rule).await).await;
    desk.reverted("a rule", kind).await;
    let channel = |name: &str| dto::AlertChannelInput {
        name: name.to_owned(),
        enabled: true,
        least: dto::AlertSeverity::Info,
        local: false,
        means: dto::ChannelMeans::Webhook { url: "https://desk.example/hook".to_owned() },
    };
    let added = channels::add(app, me, channel("desk")).await;
    let id = desk.wrote("a channel", kind, added).await.id;
    let renewed = channels::renew_signing_key(app, me, &id).await;
    desk.wrote("a signing key", kind, renewed).await;
    let version = channels::find(app, me, &id).await.unwrap().version;
    let patch = dto::AlertChannelPatch { id: id.clone(), base_version: version, channel: channel("ops") };
    let version = desk.wrote("a channel's name", kind, channels::update(app, me, patch).await).await.version;
    desk.wrote("a channel gone", kind, channels::remove(app, me, &id, version).await).await;
}

async fn drills(desk: &mut Desk) {
    let (kind, app, me) = (ChangeKind::Drill, &desk.app.clone(), &anna());
    let drill = of(json!({"model": "sim-chat", "fault": "outage", "percent": 100, "seconds": 60,
        "requests_per_second": 0, "operation": "chat_message"}));
    desk.wrote("a drill", kind, drills::start(app, me, drill).await).await;
    desk.wrote("its end", kind, drills::stop(app, me).await).await;
    drills::stop(app, me).await.unwrap();
    desk.wrote_nothing("the end of no drill").await;
}
