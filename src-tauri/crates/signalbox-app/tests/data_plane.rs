//! Routes tried out before they are applied, health acted on, drills: over a real engine and its simulator.

#![expect(clippy::unwrap_used, reason = "tests stop at the first fault")]

use signalbox_app::error::Code;
use signalbox_app::{App, Caller, Source, changes, drills, dto, health, operations, requests, simulation};
use signalbox_simulator::{Dials, ErrorKind};
use signalbox_testkit::{Prices, TestApp, Vendor};

fn admin() -> Caller {
    Caller::local(Source::Window)
}

fn over(running: &TestApp) -> App {
    App::with_engine(running.engine.clone()).unwrap()
}

/// Two vendors, the second ten times as dear, and `chat_message` routed to the first.
async fn cheap_and_dear() -> (TestApp, App, Vec<Vendor>) {
    let running = TestApp::start().await.unwrap();
    let mut vendors = Vec::new();
    for (name, input, output) in [("cheap", "1", "2"), ("dear", "10", "20")] {
        vendors.push(running.add_openai(name).await.unwrap());
        running.add_model(&format!("{name}/m"), Prices::per_mtok(input, output)).await.unwrap();
    }
    running.set_route("chat_message", &["cheap/m"]).await.unwrap();
    let app = over(&running);
    (running, app, vendors)
}

async fn draft(app: &App, targets: &[&str]) -> dto::RouteDraft {
    let now = operations::find(app, &admin(), "chat_message").await.unwrap();
    let card = |target: &&str| {
        let (provider, model) = target.split_once('/').unwrap();
        dto::DraftTarget::of(provider, model)
    };
    dto::RouteDraft { targets: targets.iter().map(card).collect(), ..now.draft() }
}

fn described(input_tokens: u32) -> dto::SimulatedRequest {
    dto::SimulatedRequest::Described {
        message: None,
        input_tokens: Some(input_tokens),
        max_output_tokens: Some(100),
        has_images: false,
        has_tools: false,
        streamed: false,
        user: None,
        tags: Vec::new(),
    }
}

#[tokio::test]
async fn a_draft_is_tried_on_a_described_request_with_its_rules_and_nothing_is_written() {
    let (running, app, _vendors) = cheap_and_dear().await;
    let mut draft = draft(&app, &["cheap/m", "dear/m"]).await;
    draft.rules.push(dto::RouteRule {
        name: "long".to_owned(),
        when: "input_tokens > 1000".to_owned(),
        effect: "prefer".to_owned(),
        targets: vec!["dear/m".to_owned()],
    });
    let simulate = |request| {
        let input = dto::SimulationInput { draft: draft.clone(), request };
        let app = app.clone();
        async move { simulation::simulate(&app, &admin(), input).await.unwrap() }
    };
    let short = simulate(described(10)).await;
    let long = simulate(described(5_000)).await;
    let first = |simulation: &dto::Simulation| simulation.decision.candidates[0].provider.clone();
    assert_eq!((first(&short).as_str(), short.decision.rule.as_deref()), ("cheap", None));
    assert_eq!((first(&long).as_str(), long.decision.rule.as_deref()), ("dear", Some("long")));
    assert!(long.features.iter().any(|fact| fact.name == "input_tokens" && fact.value == "5000"));
    // 5,000 in at 10 and 100 out at 20 dollars per million, at the dearer of the two.
    assert_eq!(long.estimate, Some(dto::Money("52000000".to_owned())));
    let operation = operations::find(&app, &admin(), "chat_message").await.unwrap();
    assert_eq!(operation.targets.len(), 1);
    let report = running.verify().await.unwrap();
    assert_eq!((report.settled, report.open), (0, 0));
}

#[tokio::test]
async fn a_preview_tells_what_the_draft_would_have_cost_the_last_day() {
    let (running, app, _vendors) = cheap_and_dear().await;
    for _ in 0..4 {
        let reply = running.chat("op:chat_message", "one two three").await.unwrap();
        running.settled(reply.request_id().unwrap()).await.unwrap();
    }
    let same = operations::route_preview(&app, &admin(), draft(&app, &["cheap/m"]).await).await.unwrap();
    let same = same.impact.unwrap();
    assert_eq!((same.requests, same.sampled, same.moved), (4, 4, 0));
    assert_eq!(same.cost_after.as_ref(), Some(&same.cost_before));

    let dearer = operations::route_preview(&app, &admin(), draft(&app, &["dear/m"]).await).await.unwrap();
    let dearer = dearer.impact.unwrap();
    assert_eq!((dearer.moved, dearer.refused), (4, 0));
    let nanos = |money: &dto::Money| money.0.parse::<i64>().unwrap();
    assert_eq!(nanos(&dearer.cost_after.unwrap()), 10 * nanos(&dearer.cost_before));
    assert!(dearer.text.starts_with("About + $0.000"), "{}", dearer.text);
    assert_eq!(dearer.shares[0].provider, "dear");

    // A request is decided again as it was.
    let page = requests::page(&app, &admin(), dto::RequestFilter::default(), None, 1).await.unwrap();
    let request_id = page.rows[0].id.clone();
    let past = dto::SimulatedRequest::Past { request_id };
    let input = dto::SimulationInput { draft: draft(&app, &["dear/m"]).await, request: past };
    let simulation = simulation::simulate(&app, &admin(), input).await.unwrap();
    assert_eq!(simulation.decision.candidates[0].provider, "dear");
}

#[tokio::test]
async fn an_admin_holds_and_resets_a_circuit_for_a_reason_that_the_history_keeps() {
    let (running, app, _vendors) = cheap_and_dear().await;
    let act = |action: &str, model: &str| {
        let action = dto::CircuitAction {
            provider: "cheap".to_owned(),
            model: Some(model.to_owned()),
            action: action.to_owned(),
            reason: Some("Their status page says so.".to_owned()),
        };
        let app = app.clone();
        async move { health::circuit(&app, &admin(), action).await }
    };
    let state = |providers: Vec<dto::ProviderHealth>| {
        let cheap = providers.into_iter().find(|provider| provider.provider == "cheap").unwrap();
        cheap.targets.into_iter().find(|target| target.model == "m").unwrap().state
    };
    assert_eq!(state(act("hold", "m").await.unwrap()), dto::HealthState::Held);
    let refused = running.chat("op:chat_message", "hello").await.unwrap();
    assert_eq!(refused.status, 503, "{}", refused.body);
    assert_eq!(state(act("reset", "m").await.unwrap()), dto::HealthState::Idle);
    assert_eq!(running.chat("op:chat_message", "hello").await.unwrap().status, 200);
    assert_eq!(act("hold", "nobody").await.unwrap_err().code, Code::NotFound);
    assert_eq!(act("explode", "m").await.unwrap_err().code, Code::Invalid);
    let history = changes::page(&app, &admin(), dto::ChangeFilter::default(), None, 2).await.unwrap();
    let sentences: Vec<_> = history.rows.iter().map(|change| change.sentence.as_str()).collect();
    assert_eq!(sentences, ["The circuit of cheap/m is reset", "The circuit of cheap/m is held open"]);
}

#[tokio::test]
async fn failures_show_with_their_calls_and_each_failover_is_listed() {
    let running = TestApp::start().await.unwrap();
    let first = running.add_openai("first").await.unwrap();
    let _second = running.add_openai("second").await.unwrap();
    for target in ["first/m", "second/m"] {
        running.add_model(target, Prices::per_mtok("1", "2")).await.unwrap();
    }
    running.set_route("chat_message", &["first/m", "second/m"]).await.unwrap();
    let app = over(&running);
    first.dials().set(Dials { error: ErrorKind::ServerError, ..Dials::default() });
    for _ in 0..3 {
        let reply = running.chat("op:chat_message", "hello").await.unwrap();
        assert_eq!(reply.header("x-signalbox-provider"), "second", "{}", reply.body);
        running.settled(reply.request_id().unwrap()).await.unwrap();
    }
    let providers = health::list(&app, &admin()).await.unwrap();
    let first = providers.iter().find(|provider| provider.provider == "first").unwrap();
    let target = &first.targets[0];
    assert_eq!((target.state, target.failures.len()), (dto::HealthState::Open, 3));
    assert_eq!(target.failures[0].kind, "server_error");
    assert_eq!(first.strip.iter().map(|minute| minute.failed).sum::<u32>(), 3);
    let page = health::failovers(&app, &admin(), dto::FailoverFilter::default(), None, 2).await.unwrap();
    assert_eq!(page.rows.len(), 2);
    assert_eq!((page.rows[0].from_provider.as_str(), page.rows[0].to_provider.as_str()), ("first", "second"));
    assert!(page.rows[0].hop_ms < 100.0, "{}", page.rows[0].hop_ms);
    let rest = health::failovers(&app, &admin(), dto::FailoverFilter::default(), page.next, 2).await.unwrap();
    assert_eq!((rest.rows.len(), rest.next), (1, None));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drill_is_started_watched_and_stopped() {
    let running = TestApp::start().await.unwrap();
    let app = over(&running);
    assert!(drills::state(&app, &admin()).await.unwrap().is_none());
    let input = dto::DrillInput {
        model: "sim-chat".to_owned(),
        fault: dto::DrillFault::Outage,
        percent: 100,
        seconds: 600,
        requests_per_second: 50,
        operation: "chat_message".to_owned(),
    };
    let wrong = dto::DrillInput { percent: 0, ..input.clone() };
    assert_eq!(drills::start(&app, &admin(), wrong).await.unwrap_err().code, Code::Invalid);
    assert!(drills::start(&app, &admin(), input).await.unwrap().running);
    let seen = tokio::time::timeout(std::time::Duration::from_secs(20), async {
        loop {
            let drill = drills::state(&app, &admin()).await.unwrap().unwrap();
            if drill.opened_after_ms.is_some() && drill.hop_ms_max.is_some() {
                return drill;
            }
        }
    });
    let seen = seen.await.unwrap();
    assert!(seen.failed_over >= 1 && seen.failed == 0, "{seen:?}");
    assert!(!drills::stop(&app, &admin()).await.unwrap().unwrap().running);
}
