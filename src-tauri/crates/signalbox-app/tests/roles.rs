//! Who may do what, and that every change is an entry of the history: one row per use case. A use case without a row fails.

#![expect(clippy::unwrap_used, reason = "tests stop at the first fault")]

use std::collections::BTreeSet;
use std::fs;
use std::future::Future;
use std::path::Path;
use std::pin::Pin;

use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use signalbox_app::{
    App, AppError, Caller, Code, Role, Source, alert_rules, alerts, approvals, budgets, changes, channels,
    drills, dto, export, health, keys, kill_switch, models, operations, overview, people, prices, providers,
    requests, secrets, settings, simulation, status, toggles, trial,
};
use signalbox_testkit::TestApp;

type Answer = Pin<Box<dyn Future<Output = Result<(), AppError>>>>;

/// One use case: where it stands, which role it takes, and a call of it with whatever input.
struct UseCase {
    name: &'static str,
    role: Role,
    call: Box<dyn Fn(App, Caller) -> Answer>,
}

macro_rules! use_cases {
    ($($role:ident $name:literal $app:ident $who:ident => $call:expr;)*) => {
        vec![$(UseCase {
            name: $name,
            role: Role::$role,
            call: Box::new(|app, who| Box::pin(async move {
                let ($app, $who) = (&app, &who);
                $call.await.map(drop)
            })),
        },)*]
    };
}

fn of<T: DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

fn now() -> dto::Instant {
    dto::Instant("2100-01-01T00:00:00Z".to_owned())
}

fn draft() -> dto::RouteDraft {
    of(json!({
        "operation": "nothing", "base_version": 1, "enabled": true, "strategy": "priority",
        "balance": {"cost": 100, "latency": 0, "quality": 0}, "rules": [], "allowed_providers": [], "targets": [],
    }))
}

fn channel() -> dto::AlertChannelInput {
    of(json!({"name": "", "enabled": false, "least": "info", "local": false, "means": {"kind": "discord"}}))
}

fn budget() -> dto::BudgetDraft {
    of(json!({
        "name": "", "scope": {"kind": "global"}, "period": "day", "limits": {}, "thresholds": [], "action": "block",
        "overrun_percent": 0, "enabled": true,
    }))
}

/// Everything a client can ask for.
fn use_cases() -> Vec<UseCase> {
    use_cases! {
        Viewer "approvals::page" app who => approvals::page(app, who, dto::ApprovalList::Pending, None, 1);
        Viewer "approvals::show" app who => approvals::show(app, who, "nothing");
        Admin "approvals::approve" app who => approvals::approve(app, who, of(json!({"id": "nothing", "hash": ""})));
        Admin "approvals::reject" app who => approvals::reject(
            app, who, of(json!({"id": "nothing", "hash": "", "reason": "x"})));
        Admin "approvals::undo" app who => approvals::undo(app, who, "nothing");
        Operator "approvals::withdraw" app who => approvals::withdraw(app, who, of(json!({"id": "nothing"})));
        Viewer "budgets::list" app who => budgets::list(app, who);
        Viewer "budgets::members" app who => budgets::members(app, who, "nothing");
        Viewer "budgets::show" app who => budgets::show(app, who, "nothing", "");
        Admin "budgets::remove" app who => budgets::remove(app, who, of(json!({"id": "nothing", "base_version": 1})));
        Admin "budgets::correction::adjust" app who => budgets::adjust(
            app, who, of(json!({"id": "nothing", "member": "", "amount": "1", "reason": "x"})));
        Viewer "budgets::draft::preview" app who => budgets::preview(app, who, budget());
        Admin "budgets::draft::set" app who => budgets::set(app, who, budget());
        Viewer "budgets::refusal::refusal" app who => budgets::refusal(app, who, "nothing");
        Viewer "budgets::history::history" app who => budgets::history(
            app, who, of(json!({"split": "user", "days": 7})));
        Viewer "changes::page" app who => changes::page(app, who, dto::ChangeFilter::default(), None, 1);
        Viewer "changes::verify" app who => changes::verify(app, who);
        Viewer "changes::count" app who => changes::count(app, who, dto::ChangeFilter::default());
        Viewer "changes::revert_preview" app who => changes::revert_preview(app, who, 0);
        Viewer "changes::export::export" app who => changes::export(
            app, who, dto::ChangeFilter::default(), dto::HistoryFormat::Csv, &mut Vec::new());
        Viewer "changes::state_at::state_at" app who => changes::state_at(app, who, now());
        Admin "changes::revert" app who => changes::revert(app, who, 0, None);
        Viewer "drills::state" app who => drills::state(app, who);
        Operator "drills::start" app who => drills::start(app, who, of(json!({
            "model": "nothing", "fault": "outage", "percent": 0, "seconds": 1, "requests_per_second": 0, "operation": "x"})));
        Operator "drills::stop" app who => drills::stop(app, who);
        Viewer "export::write" app who => export::write(
            app, who, dto::RequestFilter::default(), dto::ExportFormat::Csv, &mut Vec::new());
        Viewer "health::list" app who => health::list(app, who);
        Viewer "health::failovers" app who => health::failovers(app, who, of(json!({})), None, 1);
        Operator "health::circuit" app who => health::circuit(
            app, who, of(json!({"provider": "nothing", "action": "hold"})));
        Viewer "keys::list" app who => keys::list(app, who);
        Admin "keys::create" app who => keys::create(app, who, dto::KeyInput::default());
        Admin "keys::set_limits" app who => keys::set_limits(app, who, of(json!({"id": "nothing", "limits": {}})));
        Viewer "keys::find" app who => keys::find(app, who, "nothing");
        Admin "keys::set_scope" app who => keys::set_scope(app, who, of(json!({"id": "nothing", "scope": {}})));
        Admin "keys::rotate" app who => keys::rotate(app, who, of(json!({"id": "nothing", "overlap_hours": 0})));
        Admin "keys::end_overlap" app who => keys::end_overlap(app, who, "nothing");
        Admin "keys::own::set_own_credential" app who => keys::set_own_credential(
            app, who, "nothing", "nothing", dto::SecretInput::new(String::new()));
        Admin "keys::own::clear_own_credential" app who => keys::clear_own_credential(app, who, "nothing", "nothing");
        Admin "keys::revoke" app who => keys::revoke(app, who, "nothing");
        Viewer "models::list" app who => models::list(app, who);
        Admin "models::add" app who => models::add(app, who, of(json!({"provider": "nothing", "model": "m"})));
        Viewer "operations::list" app who => operations::list(app, who);
        Viewer "operations::find" app who => operations::find(app, who, "nothing");
        Viewer "operations::target_options" app who => operations::target_options(app, who);
        Viewer "operations::route_preview" app who => operations::route_preview(app, who, draft());
        Admin "operations::route_apply" app who => operations::route_apply(app, who, draft());
        Viewer "overview::overview" app who => overview::overview(
            app, who, of(json!({"from": now(), "to": now(), "group_by": "operation"})));
        Viewer "people::list" app who => people::list(app, who);
        Admin "people::add" app who => people::add(app, who, of(json!({"name": "", "role": "viewer"})));
        Admin "people::update" app who => people::update(app, who, of(json!({"name": "nobody"})));
        Viewer "prices::page" app who => prices::page(app, who, dto::PriceFilter::default(), None, 1);
        Viewer "prices::history" app who => prices::history(app, who, "nothing");
        Viewer "prices::preview" app who => prices::preview(app, who, dto::PriceInput::default());
        Viewer "prices::unpriced" app who => prices::unpriced(app, who);
        Admin "prices::block::unblock" app who => prices::block::unblock(app, who, dto::UnblockInput::default());
        Admin "prices::set" app who => prices::set(app, who, dto::PriceInput::default());
        Admin "prices::import::preview" app who => prices::import::preview(app, who, of(json!({})));
        Admin "prices::import::apply" app who => prices::import::apply(app, who, dto::PriceImportChoice::default());
        Viewer "providers::list" app who => providers::list(app, who);
        Viewer "providers::find" app who => providers::find(app, who, "nothing");
        Admin "providers::add" app who => providers::add(app, who, of(json!({"name": "", "kind": "", "base_url": ""})));
        Admin "providers::add_with" app who => providers::add_with(
            app, who, of(json!({"name": "", "kind": "", "base_url": ""})), None);
        Admin "providers::update" app who => providers::update(app, who, of(json!({"name": "nothing", "base_version": 1})));
        Admin "providers::remove" app who => providers::remove(app, who, "nothing");
        Admin "providers::set_credential" app who => providers::set_credential(
            app, who, "nothing", dto::SecretInput::new(String::new()));
        Admin "providers::clear_credential" app who => providers::clear_credential(app, who, "nothing");
        Operator "providers::verify" app who => providers::verify(app, who, "nothing");
        Viewer "requests::page" app who => requests::page(app, who, dto::RequestFilter::default(), None, 1);
        Viewer "requests::facets" app who => requests::facets(app, who);
        Viewer "requests::detail" app who => requests::detail(app, who, "nothing");
        Viewer "secrets::master_key_place" app who => secrets::master_key_place(app, who);
        Operator "secrets::unseal" app who => secrets::unseal(app, who, dto::SecretInput::new(String::new()));
        Admin "secrets::protect" app who => secrets::protect(app, who, dto::SecretInput::new(String::new()));
        Viewer "settings::list" app who => settings::list(app, who);
        Admin "settings::set" app who => settings::set(app, who, of(json!({"name": "nothing", "value": ""})));
        Viewer "simulation::simulate" app who => simulation::simulate(app, who, of(json!({
            "draft": draft(), "request": {"kind": "past", "request_id": "nothing"}})));
        Viewer "status::status" app who => status::status(app, who);
        Viewer "alert_rules::list" app who => alert_rules::list(app, who);
        Admin "alert_rules::set" app who => alert_rules::set(app, who, of(json!({
            "kind": "nothing", "enabled": true, "severity": "info", "window_s": 1})));
        Viewer "alerts::page" app who => alerts::page(app, who, dto::AlertFilter::default(), None, 1);
        Viewer "alerts::open" app who => alerts::open(app, who);
        Operator "alerts::acknowledge" app who => alerts::acknowledge(app, who, Some(Vec::new()));
        Viewer "alerts::deliveries" app who => alerts::deliveries(app, who, dto::DeliveryFilter::default(), None, 1);
        Viewer "channels::list" app who => channels::list(app, who);
        Viewer "channels::find" app who => channels::find(app, who, "nothing");
        Admin "channels::add" app who => channels::add(app, who, channel());
        Admin "channels::update" app who => channels::update(app, who, dto::AlertChannelPatch {
            id: "nothing".to_owned(), base_version: 1, channel: channel() });
        Admin "channels::remove" app who => channels::remove(app, who, "nothing", 1);
        Admin "channels::set_secret" app who => channels::set_secret(
            app, who, "nothing", dto::SecretInput::new(String::new()));
        Admin "channels::renew_signing_key" app who => channels::renew_signing_key(app, who, "nothing");
        Operator "channels::test" app who => channels::test(app, who, "nothing");
        Viewer "toggles::list" app who => toggles::list(app, who);
        Admin "toggles::set" app who => toggles::set(app, who, of(json!({"name": "log_payloads"})));
        Operator "trial::send_test_request" app who => trial::send_test_request(
            app, who, of(json!({"operation": "nothing", "message": ""})));
        Viewer "kill_switch::state" app who => kill_switch::state(app, who);
        Admin "kill_switch::release" app who => kill_switch::release(app, who, of(json!({"typed": ""})));
        Operator "kill_switch::engage" app who => kill_switch::engage(app, who, of(json!({})));
    }
}

fn caller(role: Role) -> Caller {
    Caller { id: role.as_str().to_owned(), role, source: Source::Cli }
}

#[tokio::test]
async fn every_use_case_refuses_whoever_has_a_lesser_role_than_it_takes() {
    let running = TestApp::start().await.unwrap();
    let app = App::with_engine(running.engine.clone()).unwrap();
    for UseCase { name, role, call } in use_cases() {
        for asking in Role::ALL.iter().copied() {
            let refused = call(app.clone(), caller(asking)).await.err().map(|error| error.code);
            assert_eq!(
                refused == Some(Code::Forbidden),
                asking < role,
                "{name} takes {}; for {} it says {refused:?}",
                role.as_str(),
                asking.as_str()
            );
        }
    }
}

/// The names of all functions of the crate that a client can call: public, asynchronous, of an app and a caller.
fn written(folder: &Path, module: &str, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let stem = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let module = if module.is_empty() { stem } else { format!("{module}::{stem}") };
        if path.is_dir() {
            written(&path, &module, found);
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        for function in text.split("\npub async fn ").skip(1) {
            let (name, rest) = function.split_once('(').unwrap();
            let rest: String = rest.split_whitespace().collect::<Vec<_>>().join(" ");
            if rest.starts_with("app: &App, caller: &Caller") {
                found.insert(format!("{module}::{name}"));
            }
        }
    }
}

#[test]
fn every_use_case_has_a_row_that_says_which_role_it_takes() {
    let mut found = BTreeSet::new();
    written(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), "", &mut found);
    let rows: BTreeSet<String> = use_cases().iter().map(|case| case.name.to_owned()).collect();
    assert!(found.len() > 40, "the sources were found");
    assert_eq!(found, rows, "add the use case to the list above, with the least role it takes");
}
