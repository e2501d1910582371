//! Beside the commands of the window and of the command line: settings, imports, reverts, the gateway and a start lead to no
//! locked toggle either.

#![expect(clippy::unwrap_used, reason = "tests stop at the first fault")]

use serde_json::json;
use signalbox_app::{App, Caller, Code, Role, Source, changes, dto, prices, settings, toggles};
use signalbox_core::change::ChangeKind;
use signalbox_core::toggle::{Toggle, tampered};
use signalbox_testkit::TestApp;

/// The gateway's own table of paths.
const GATEWAY: &str = include_str!("../../signalbox-gateway/src/gateway.rs");

fn admin() -> Caller {
    Caller::local(Source::Cli)
}

fn over(running: &TestApp) -> App {
    App::with_engine(running.engine.clone()).unwrap()
}

async fn assert_all_hold(running: &TestApp, after: &str) {
    for locked in Toggle::locked() {
        let toggles = &running.engine.live().snapshot.toggles;
        assert_eq!(toggles.is_on(locked.toggle(), None), locked.value(), "after {after}");
    }
    assert!(tampered(&running.engine.control.store.toggles().await.unwrap()).is_empty(), "after {after}");
}

#[tokio::test]
async fn no_path_of_the_gateway_switches_a_locked_toggle() {
    let running = TestApp::start().await.unwrap();
    let paths: Vec<&str> = GATEWAY
        .lines()
        .filter_map(|line| line.trim().strip_prefix(".route(\"")?.split_once('"'))
        .map(|(path, _)| path)
        .collect();
    assert!(paths.len() >= 12, "the table is read: {paths:?}");
    for path in paths.into_iter().chain(["/v1/toggles", "/toggles", "/admin/toggles"]) {
        for locked in Toggle::locked() {
            let name = locked.toggle().name();
            let body = json!({
                "model": "op:chat_message", "messages": [{"role": "user", "content": name}], "input": name,
                "name": name, "enabled": true, "toggles": {name: true}, "metadata": {name: "true"},
            });
            let tag = format!("{name}=true");
            let asked = running
                .post(path, &body)
                .header("x-signalbox-tags", tag)
                .header(name.replace('_', "-"), "true");
            running.send(asked).await.unwrap();
            running
                .send(running.http.put(running.url(path)).bearer_auth(&running.key).json(&body))
                .await
                .unwrap();
        }
        assert_all_hold(&running, path).await;
    }
}

#[tokio::test]
async fn no_setting_import_or_revert_switches_a_locked_toggle() {
    let running = TestApp::start().await.unwrap();
    let app = over(&running);
    for locked in Toggle::locked() {
        let name = locked.toggle().name().to_owned();
        for setting in [name.clone(), format!("toggle.{name}"), format!("toggles/{name}")] {
            let input = dto::SettingInput { name: setting.clone(), value: "true".to_owned(), reason: None };
            assert_eq!(
                settings::set(&app, &admin(), input).await.unwrap_err().code,
                Code::NotFound,
                "{setting}"
            );
        }
        for role in [Role::Viewer, Role::Operator, Role::Admin] {
            let caller = Caller { role, ..admin() };
            let input =
                dto::ToggleInput { name: name.clone(), operation: None, enabled: Some(true), reason: None };
            let refused = toggles::set(&app, &caller, input).await.unwrap_err();
            assert_eq!(refused.code, Code::Refused, "{role:?}");
        }
        let list =
            json!({name.clone(): {"enabled": true, "litellm_provider": name, "input_cost_per_token": 1}});
        let list = dto::PriceListInput { path: None, text: Some(list.to_string()) };
        let _ = prices::import::preview(&app, &admin(), list).await;
        assert_all_hold(&running, "an import").await;
    }
    // A history that says that one was off before and on after does not bring it back on.
    let page = changes::page(&app, &admin(), dto::ChangeFilter::default(), None, 100).await.unwrap();
    for row in page.rows.iter().filter(|row| row.kind != ChangeKind::Install.as_str()) {
        let _ = changes::revert(&app, &admin(), row.seq, None).await;
        assert_all_hold(&running, &row.sentence).await;
    }
}

#[tokio::test]
async fn a_start_on_the_same_data_leaves_locked_toggles_as_they_are_and_says_nothing_of_them() {
    let running = TestApp::start().await.unwrap().restart().await.unwrap();
    assert_all_hold(&running, "a restart").await;
    let filter = dto::ChangeFilter { kind: Some("toggle".to_owned()), ..dto::ChangeFilter::default() };
    assert!(changes::page(&over(&running), &admin(), filter, None, 10).await.unwrap().rows.is_empty());
}
