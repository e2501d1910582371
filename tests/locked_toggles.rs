//! The locked toggles from the window, from the log and from somebody with the file: nothing holds that the build does not
//! say. The command line, the environment, the gateway and imports have tests of their own beside theirs.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "tests stop at the first fault")]

#[expect(dead_code, reason = "shared with the tests of secrets")]
mod probe;
#[expect(dead_code, reason = "shared with the tests of the window")]
mod support;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use probe::Logs;
use serde_json::{Value, json};
use signalbox_app::{App, Caller, Code, Role, Source, changes, dto, toggles};
use signalbox_core::change::ChangeKind;
use signalbox_core::toggle::{Toggle, Toggles, tampered};
use signalbox_desktop::COMMANDS;
use signalbox_engine::clock::SystemClock;
use signalbox_engine::control::{Control, Durability, Options};
use signalbox_engine::secrets::Keychain;
use signalbox_testkit::TestApp;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};
use support::Window;

/// How long the guard may take to find it while the instance runs; it looks every five seconds.
const FOUND_MAX: Duration = Duration::from_secs(30);
const LOOK_AGAIN: Duration = Duration::from_millis(50);
/// Calls a command as the page does, and gives what it answers or refuses.
const CALL: &str = "
    const [command, body, answer] = arguments;
    window.__TAURI_INTERNALS__.invoke(command, body).then(
        (done) => answer({ done }),
        (refused) => answer({ refused }),
    );
";

async fn call(window: &Window, command: &str, body: &Value) -> Result<Value, Value> {
    let answer = window.driver.execute_async(CALL, vec![json!(command), body.clone()]).await;
    let answer = answer.expect("the page answers").json().clone();
    answer.get("refused").cloned().map_or_else(|| Ok(answer["done"].clone()), Err)
}

/// Input that fits whatever a command takes: under every name a thing may go by it names a toggle and asks for it to be on.
fn greedy(name: &str) -> Value {
    let fields = json!({
        "name": name, "key": name, "id": name, "operation": name, "subject": name, "provider": name, "model": name,
        "value": "true", "enabled": true, "reason": "please", "kind": "toggle", "hash": name, "typed": name,
        "list": "pending", "role": "viewer", "text": name, "target": name,
    });
    let mut all = fields.clone();
    for wrapper in ["input", "draft", "patch", "query", "filter", "action", "policy", "channel", "choice"] {
        all[wrapper] = fields.clone();
    }
    all["cursor"] = Value::Null;
    all["limit"] = json!(10);
    all["seq"] = json!(1);
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn no_command_of_the_window_switches_a_locked_toggle() {
    let dir = tempfile::tempdir().unwrap();
    let window = Window::open(dir.path()).await;
    window.find("page-first-run").await;
    let options = Options {
        data_dir: dir.path().to_owned(),
        database_url: None,
        durability: Durability::Process,
        keychain: Keychain::Unused,
    };
    let control = Control::open(&options, Arc::new(SystemClock)).await.unwrap();
    let (mut done, mut refused) = (0, 0);
    for command in COMMANDS {
        for locked in Toggle::locked() {
            let name = locked.toggle().name();
            match call(&window, command, &greedy(name)).await {
                Ok(_) => done += 1,
                Err(_) => refused += 1,
            }
            let stored = control.store.toggles().await.unwrap();
            assert!(tampered(&stored).is_empty(), "after {command}");
            let shown = call(&window, "toggles_list", &json!({})).await.unwrap();
            let shown = shown.as_array().unwrap().iter().find(|toggle| toggle["name"] == name).unwrap();
            assert_eq!(shown["enabled"], locked.value(), "after {command}");
        }
    }
    println!(
        "{} commands of the window: {done} calls did something else, {refused} were refused",
        COMMANDS.len()
    );
    for locked in Toggle::locked() {
        let name = locked.toggle().name();
        for enabled in [json!(true), json!(false), Value::Null] {
            let input = json!({"name": name, "operation": null, "enabled": enabled, "reason": null});
            let refused = call(&window, "toggle_set", &json!({ "input": input })).await.unwrap_err();
            assert_eq!(refused["code"], "refused", "{refused}");
            assert!(refused["message"].as_str().unwrap().contains("locked in the build"), "{refused}");
        }
    }
    let input = json!({"name": "log_payloads", "operation": null, "enabled": true, "reason": null});
    call(&window, "toggle_set", &json!({ "input": input })).await.unwrap();
    let stored = control.store.toggles().await.unwrap();
    assert!(
        Toggles::of(&stored).is_on(Toggle::LogPayloads, None),
        "the same door sets one that is not locked"
    );
    window.close().await;
}

#[tokio::test]
async fn each_try_to_set_one_is_refused_by_its_name_and_logged() {
    let logs = Logs::capture();
    let running = TestApp::start().await.unwrap();
    let app = App::with_engine(Arc::clone(&running.engine)).unwrap();
    for locked in Toggle::locked() {
        let name = locked.toggle().name();
        for (who, role) in [("vera", Role::Viewer), ("otto", Role::Operator), ("anna", Role::Admin)] {
            let caller = Caller { id: format!("{who}_of_{name}"), role, source: Source::Window };
            let input = dto::ToggleInput {
                name: name.to_owned(),
                operation: None,
                enabled: Some(true),
                reason: None,
            };
            let refused = toggles::set(&app, &caller, input).await.unwrap_err();
            assert_eq!(refused.code, Code::Refused);
            assert!(refused.message.contains(name) && refused.message.contains("locked in the build"));
            let log = String::from_utf8(logs.bytes()).unwrap();
            let told = log.lines().find(|line| line.contains(&caller.id)).expect("it is logged");
            assert!(told.contains("WARN") && told.contains(name), "{told}");
        }
    }
    let filter = dto::ChangeFilter { kind: Some("toggle".to_owned()), ..dto::ChangeFilter::default() };
    let page = changes::page(&app, &Caller::local(Source::Cli), filter, None, 10).await.unwrap();
    assert!(page.rows.is_empty(), "nothing has changed");
}

/// Somebody with the file, past every guard of the database.
async fn switch_all_on(file: &Path) {
    let mut statements = "DROP TRIGGER IF EXISTS toggles_locked_stay_off;".to_owned();
    for locked in Toggle::locked() {
        let name = locked.toggle().name();
        statements = format!("{statements} UPDATE toggles SET enabled = TRUE WHERE name = '{name}';");
    }
    let mut connection = sqlx::sqlite::SqliteConnectOptions::new().filename(file).connect().await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(statements)).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

async fn is_put_right(running: &TestApp) -> bool {
    for locked in Toggle::locked() {
        let toggles = &running.engine.live().snapshot.toggles;
        assert_eq!(toggles.is_on(locked.toggle(), None), locked.value());
        assert!(toggles.enforce(locked.toggle(), None).is_err());
    }
    tampered(&running.engine.control.store.toggles().await.unwrap()).is_empty()
}

/// Each one that was put right is an entry of the history, which is intact.
async fn assert_told_of_each(running: &TestApp) {
    let app = App::with_engine(Arc::clone(&running.engine)).unwrap();
    let kind = Some(ChangeKind::Toggle.as_str().to_owned());
    let filter = dto::ChangeFilter { kind, ..dto::ChangeFilter::default() };
    let page = changes::page(&app, &Caller::local(Source::Cli), filter, None, 10).await.unwrap();
    assert!(page.chain.intact);
    assert!(page.rows.iter().all(|entry| entry.sentence.contains("changed past Signalbox")));
    assert_eq!(page.rows.len(), Toggle::locked().count());
}

#[tokio::test]
async fn one_that_is_switched_on_in_the_file_stays_off_and_is_put_right_while_the_instance_runs() {
    let running = TestApp::start().await.unwrap();
    switch_all_on(&running.database_file()).await;
    let began = Instant::now();
    while !is_put_right(&running).await {
        assert!(began.elapsed() < FOUND_MAX, "not within {FOUND_MAX:?}");
        tokio::time::sleep(LOOK_AGAIN).await;
    }
    println!("put right {} ms after it was switched on", began.elapsed().as_millis());
    assert_told_of_each(&running).await;
}

#[tokio::test]
async fn a_file_in_which_one_is_on_is_put_right_before_anything_is_served() {
    let running = TestApp::start().await.unwrap();
    let file = running.database_file();
    running.stop().await;
    switch_all_on(&file).await;
    let running = running.restart().await.unwrap();
    assert!(is_put_right(&running).await);
    assert_told_of_each(&running).await;
}
