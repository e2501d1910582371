//! Stopping all AI traffic, over real vendors, sockets and files.

#![expect(clippy::unwrap_used, reason = "tests stop at the first fault")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use signalbox_app::{App, Caller, Code, Role, Source, changes, drills, dto, kill_switch, providers, toggles};
use signalbox_core::ledger::Outcome;
use signalbox_engine::control::{Control, Options};
use signalbox_engine::secrets::Keychain;
use signalbox_simulator::Dials;
use signalbox_store::Durability;
use signalbox_testkit::{FakeClock, Prices, TestApp, Vendor, chat_body, message_body};
use tokio::task::JoinSet;

const CHAT: &str = "op:chat_message";
/// How long stopping may take on this machine, from the call to its return.
const STOP_MAX: Duration = Duration::from_millis(500);
/// By when a running instance has heard of another process's stop.
const HEARD_MAX: Duration = Duration::from_secs(1);

fn admin() -> Caller {
    Caller::local(Source::Cli)
}

fn because(reason: &str) -> dto::KillSwitchInput {
    dto::KillSwitchInput { reason: Some(reason.to_owned()) }
}

fn typed(word: &str) -> dto::KillSwitchReleaseInput {
    dto::KillSwitchReleaseInput { typed: word.to_owned(), reason: None }
}

async fn start() -> (TestApp, App, Vendor) {
    let running = TestApp::start().await.unwrap();
    let vendor = running.add_openai("only").await.unwrap();
    running.add_model("only/m", Prices::per_mtok("2", "8")).await.unwrap();
    running.set_route("chat_message", &["only/m"]).await.unwrap();
    let app = App::with_engine(running.engine.clone()).unwrap();
    (running, app, vendor)
}

/// The same installation, opened by another process.
async fn beside(running: &TestApp) -> App {
    let options = Options {
        data_dir: running.data_dir().to_owned(),
        database_url: None,
        durability: Durability::Process,
        keychain: Keychain::Unused,
    };
    App::open(Control::open(&options, Arc::clone(&running.engine.control.clock)).await.unwrap()).unwrap()
}

fn streamed(mut body: Value) -> Value {
    body["stream"] = json!(true);
    body
}

async fn until(what: &str, most: Duration, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < most, "{what}: not within {most:?}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_streams_end_at_once_and_nothing_is_sent_or_heard_after_the_stop_returned() {
    const STREAMS: u64 = 200;
    let (running, app, vendor) = start().await;
    let dials = Dials { chunk_interval_ms: 200, output_tokens: Some(500), observe: 0, ..Dials::default() };
    vendor.dials().set(dials);
    let flowing = Arc::new(AtomicU64::new(0));
    let mut clients = JoinSet::new();
    for _ in 0..STREAMS {
        let flowing = Arc::clone(&flowing);
        let request = running.post("/v1/chat/completions", &streamed(chat_body(CHAT, "count for ever")));
        clients.spawn(async move {
            let mut response = request.send().await.unwrap();
            assert_eq!(response.status().as_u16(), 200);
            let (mut all, mut last_word) = (Vec::new(), None);
            while let Some(bytes) = response.chunk().await.unwrap() {
                let has_words = bytes.windows(9).any(|part| part == b"\"content\"");
                if has_words && last_word.replace(Instant::now()).is_none() {
                    flowing.fetch_add(1, Ordering::Relaxed);
                }
                all.extend_from_slice(&bytes);
            }
            (String::from_utf8(all).unwrap(), last_word.unwrap())
        });
    }
    let all_flow = || flowing.load(Ordering::Relaxed) == STREAMS;
    until("all streams flow", Duration::from_mins(1), all_flow).await;

    let called = Instant::now();
    let state = kill_switch::engage(&app, &admin(), because("a loop spends")).await.unwrap();
    let returned = Instant::now();
    assert_eq!(running.engine.health.calls(), 0, "nothing is on its way to a provider");
    let received = vendor.observed().received;
    assert!(returned - called < STOP_MAX, "{:?}", returned - called);
    assert_eq!(state.stopped.unwrap().reason.as_deref(), Some("a loop spends"));

    let mut last = returned;
    while let Some(ended) = clients.join_next().await {
        let (text, last_word) = ended.unwrap();
        assert!(
            text.contains("kill_switch") && !text.contains("[DONE]"),
            "an error event of its family ends it"
        );
        last = last.max(last_word);
    }
    // What the provider had said before is on its way through two sockets; it is the last of it.
    assert!(last - returned < STOP_MAX, "{:?}", last - returned);
    until("the provider sees its connections end", Duration::from_secs(10), || {
        vendor.observed().in_flight == 0
    })
    .await;
    assert_eq!(vendor.observed().received, received);
    println!(
        "{STREAMS} streams: stopped {} ms after the call, the last word {} ms after its return, nothing new upstream",
        (returned - called).as_millis(),
        last.saturating_duration_since(returned).as_millis()
    );

    for row in running.settled_rows(usize::try_from(STREAMS).unwrap()).await.unwrap() {
        let record = running.settled(row.id).await.unwrap();
        let settlement = record.settlement.unwrap();
        assert_eq!(
            (settlement.outcome, settlement.error_code.as_deref()),
            (Outcome::Interrupted, Some("kill_switch"))
        );
        let (_, cost) = settlement.cost();
        assert!(cost.unwrap().as_nanos() > 0, "what was used is charged");
    }
    running.verify().await.unwrap();
}

#[tokio::test]
async fn a_stop_refuses_every_surface_without_asking_to_come_back_until_it_is_typed_away() {
    let (running, app, vendor) = start().await;
    kill_switch::engage(&app, &admin(), because("odd spend")).await.unwrap();
    for (path, body) in
        [("/v1/chat/completions", chat_body(CHAT, "hello")), ("/v1/messages", message_body(CHAT, "hello"))]
    {
        for body in [body.clone(), streamed(body)] {
            let reply = running.send(running.post(path, &body)).await.unwrap();
            assert_eq!((reply.status, reply.code()), (503, "kill_switch"), "{path}");
            assert_eq!((reply.header("retry-after"), reply.header("x-should-retry")), ("", "false"));
            assert!(reply.body["error"]["message"].as_str().unwrap().contains("odd spend"));
        }
    }
    for word in ["", "resume", "RESUME please"] {
        let refused = kill_switch::release(&app, &admin(), typed(word)).await.unwrap_err();
        assert_eq!((refused.code, refused.details[0].field.as_str()), (Code::Invalid, "typed"));
    }
    assert_eq!(running.chat(CHAT, "hello").await.unwrap().status, 503);
    assert_eq!(vendor.observed().received, 0);
    assert!(kill_switch::release(&app, &admin(), typed("RESUME")).await.unwrap().stopped.is_none());
    assert_eq!(running.chat(CHAT, "hello").await.unwrap().status, 200);
}

#[tokio::test]
async fn a_stop_survives_a_restart_and_stays_the_first_ones_whoever_stops_again() {
    let (running, app, vendor) = start().await;
    let first = kill_switch::engage(&app, &admin(), because("first")).await.unwrap().stopped.unwrap();
    let again = kill_switch::engage(&app, &Caller::local(Source::Window), because("second")).await.unwrap();
    assert_eq!(again.stopped.unwrap().reason.as_deref(), Some("first"));
    drop(app);
    let running = running.restart().await.unwrap();
    let app = App::with_engine(running.engine.clone()).unwrap();
    let kept = kill_switch::state(&app, &admin()).await.unwrap().stopped.unwrap();
    assert_eq!((kept.at, kept.by, kept.source), (first.at, "local".to_owned(), "cli".to_owned()));
    assert_eq!(running.chat(CHAT, "hello").await.unwrap().code(), "kill_switch");
    assert_eq!(vendor.observed().received, 0);
    let filter = dto::ChangeFilter { kind: Some("kill_switch".to_owned()), ..dto::ChangeFilter::default() };
    assert_eq!(changes::page(&app, &admin(), filter, None, 10).await.unwrap().rows.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_and_a_release_by_another_process_reach_a_running_instance_within_a_second() {
    let (running, app, vendor) = start().await;
    vendor.dials().set(Dials { chunk_interval_ms: 50, output_tokens: Some(500), ..Dials::default() });
    let body = streamed(chat_body(CHAT, "count for ever"));
    let flowing = running.post("/v1/chat/completions", &body).send().await.unwrap();
    let other = beside(&running).await;
    let is_stopped = || running.engine.kill_switch.stop().is_some();
    kill_switch::engage(&other, &admin(), because("from elsewhere")).await.unwrap();
    until("the stop is heard of", HEARD_MAX, is_stopped).await;
    assert!(flowing.text().await.unwrap().contains("kill_switch"));
    assert_eq!(running.engine.kill_switch.stop().unwrap().reason.as_deref(), Some("from elsewhere"));
    kill_switch::release(&other, &admin(), typed("RESUME")).await.unwrap();
    until("the release is heard of", HEARD_MAX, || !is_stopped()).await;
    vendor.dials().set(Dials::default());
    assert_eq!(running.chat(CHAT, "hello").await.unwrap().status, 200);
    drop(app);
}

#[tokio::test]
async fn checks_of_providers_and_drills_stop_too() {
    let (running, app, vendor) = start().await;
    kill_switch::engage(&app, &admin(), because("quiet")).await.unwrap();
    for app in [&app, &beside(&running).await] {
        let checked = providers::verify(app, &admin(), "only").await.unwrap();
        assert_eq!((checked.ok, checked.code.as_str()), (false, "kill_switch"));
    }
    let input = dto::DrillInput {
        model: "sim-fast".to_owned(),
        fault: dto::DrillFault::Outage,
        percent: 100,
        seconds: 60,
        requests_per_second: 1,
        operation: "chat_message".to_owned(),
    };
    let refused = drills::start(&app, &admin(), input).await.unwrap_err();
    assert!(refused.message.contains("AI traffic is stopped"), "{}", refused.message);
    assert_eq!(vendor.observed().received, 0);
}

#[tokio::test]
async fn an_operator_may_stop_traffic_but_only_an_admin_lets_it_run_again_and_a_viewer_neither() {
    let (_running, app, _vendor) = start().await;
    let as_role = |role| Caller { id: "eve".to_owned(), role, source: Source::Window };
    let refused = kill_switch::engage(&app, &as_role(Role::Viewer), because("no")).await.unwrap_err();
    assert_eq!(refused.code, Code::Forbidden);
    kill_switch::engage(&app, &as_role(Role::Operator), because("yes")).await.unwrap();
    let refused = kill_switch::release(&app, &as_role(Role::Operator), typed("RESUME")).await.unwrap_err();
    assert_eq!(refused.code, Code::Forbidden);
    assert!(kill_switch::state(&app, &as_role(Role::Viewer)).await.unwrap().stopped.is_some());
}

#[tokio::test]
async fn a_database_that_does_not_keep_the_stop_is_told_of_and_traffic_stops_all_the_same() {
    let (running, app, vendor) = start().await;
    running.engine.control.store.close().await;
    let error = kill_switch::engage(&app, &admin(), because("now")).await.unwrap_err();
    assert!(error.message.contains("did not keep it"), "{}", error.message);
    assert_eq!(running.chat(CHAT, "hello").await.unwrap().code(), "kill_switch");
    assert_eq!(vendor.observed().received, 0);
}

#[tokio::test]
async fn a_toggle_of_one_operation_stores_the_prompts_of_that_operation_only() {
    let (running, app, _vendor) = start().await;
    running.set_route("intent_classification", &["only/m"]).await.unwrap();
    let input = dto::ToggleInput {
        name: "log_payloads".to_owned(),
        operation: Some("chat_message".to_owned()),
        enabled: Some(true),
        reason: Some("a bug report".to_owned()),
    };
    let set = toggles::set(&app, &admin(), input).await.unwrap().applied().unwrap();
    assert_eq!((set.enabled, set.operations.len()), (false, 1));
    for (operation, is_stored) in [("op:chat_message", true), ("op:intent_classification", false)] {
        let reply = running.chat(operation, "hello").await.unwrap();
        let record = running.settled(reply.request_id().unwrap()).await.unwrap();
        assert_eq!(record.start.payload.is_some(), is_stored, "{operation}");
    }
    let page = changes::page(&app, &admin(), dto::ChangeFilter::default(), None, 1).await.unwrap();
    assert!(page.rows[0].revertible && page.rows[0].sentence.contains("on for chat_message"));
    changes::revert(&app, &admin(), page.rows[0].seq, None).await.unwrap();
    let reply = running.chat("op:chat_message", "hello").await.unwrap();
    assert!(running.settled(reply.request_id().unwrap()).await.unwrap().start.payload.is_none());
}

#[tokio::test]
async fn each_flip_of_the_last_thirty_days_stands_on_its_day_and_older_ones_are_gone() {
    let clock = FakeClock::at("2026-11-01T23:00:00Z").unwrap();
    let running = TestApp::builder().clock(clock.clone()).start().await.unwrap();
    let app = App::with_engine(running.engine.clone()).unwrap();
    let flip = async |operation: Option<&str>, enabled| {
        let (name, operation) = ("log_payloads".to_owned(), operation.map(str::to_owned));
        let input = dto::ToggleInput { name, operation, enabled, reason: None };
        toggles::set(&app, &admin(), input).await.unwrap().applied().unwrap().flips
    };
    let days = |days: u64| Duration::from_hours(days * 24);
    let mut expected = vec![0; 30];
    expected[29] = 2;
    flip(None, Some(true)).await;
    assert_eq!(flip(None, Some(true)).await.iter().sum::<u32>(), 1, "what stands so already is no flip");
    assert_eq!(flip(Some("chat_message"), Some(false)).await, expected);
    // An hour later it is the next day.
    clock.advance(Duration::from_hours(1));
    expected[28..].copy_from_slice(&[2, 1]);
    assert_eq!(flip(None, Some(false)).await, expected);
    clock.advance(days(29));
    let listed = toggles::list(&app, &admin()).await.unwrap();
    let kept = listed.iter().find(|toggle| toggle.name == "log_payloads").unwrap();
    assert_eq!((kept.flips[0], kept.flips.iter().sum::<u32>()), (1, 1));
    clock.advance(days(1));
    for toggle in toggles::list(&app, &admin()).await.unwrap() {
        assert_eq!(toggle.flips, vec![0; 30], "{}", toggle.name);
    }
}

#[tokio::test]
async fn nobody_sets_a_locked_toggle_or_one_that_is_not_built() {
    let (_running, app, _vendor) = start().await;
    let set = |name: &str, enabled| {
        let input = dto::ToggleInput { name: name.to_owned(), operation: None, enabled, reason: None };
        let app = app.clone();
        async move { toggles::set(&app, &admin(), input).await.unwrap_err() }
    };
    for enabled in [Some(true), Some(false), None] {
        let refused = set("advisor_can_approve_costs", enabled).await;
        assert_eq!(refused.code, Code::Refused);
        assert!(refused.message.contains("locked in the build"), "{}", refused.message);
    }
    assert_eq!(set("orchestration_enabled", Some(true)).await.code, Code::NotFound);
    let shown = toggles::list(&app, &admin()).await.unwrap();
    let names: Vec<&str> = shown.iter().map(|toggle| toggle.name.as_str()).collect();
    assert_eq!(names, ["advisor_can_change_routes", "advisor_can_approve_costs", "log_payloads"]);
}
