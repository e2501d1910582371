//! Circuits: opened, kept, probed, held and closed.

use std::time::Duration;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use signalbox_core::breaker::{Cause, Circuit};
use signalbox_core::ids::ProviderName;
use signalbox_core::provider::{CredentialSource, ProviderKind};
use signalbox_engine::events::Topic;
use signalbox_simulator::{Dials, ErrorKind};
use signalbox_store::{ConfigWrite, HealthEvent, HealthEventFilter};
use signalbox_testkit::{TestApp, Vendor, chat_body};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::support::*;

/// Steps of circuits, oldest first, once there are `count`.
async fn steps(app: &TestApp, count: usize) -> Vec<HealthEvent> {
    let reading = async {
        loop {
            let store = &app.engine.control.store;
            let mut steps = store.health_events(&HealthEventFilter::default(), 100).await.unwrap();
            if steps.len() >= count {
                steps.reverse();
                return steps;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), reading).await.unwrap()
}

async fn open_first(app: &TestApp, vendor: &Vendor) {
    vendor.dials().set(failing(ErrorKind::ServerError));
    while app.engine.health.target(&target("first/m")).is_none() || circuit(app, "first/m") == Circuit::Closed
    {
        assert_eq!(app.chat(CHAT, "hello").await.unwrap().status, 200);
    }
    assert_eq!(circuit(app, "first/m"), Circuit::Open);
}

#[tokio::test]
async fn an_open_circuit_survives_a_restart_and_tells_what_opened_it() {
    let (app, clock) = clocked().await;
    let (vendor, _second) = two_vendors(&app).await;
    open_first(&app, &vendor).await;
    let steps = steps(&app, 1).await;
    assert_eq!(
        (steps[0].from, steps[0].to, steps[0].cause),
        (Circuit::Closed, Circuit::Open, Cause::Failures)
    );
    assert_eq!(steps[0].calls.len(), 3, "the calls that tripped it");
    assert!(steps[0].calls.iter().all(|call| call.request.is_some() && call.http_status == Some(500)));
    vendor.dials().set(Dials::default());
    let calls = vendor.observed().received;
    let app = app.restart().await.unwrap();
    assert_eq!(circuit(&app, "first/m"), Circuit::Open);
    assert_eq!(app.chat(CHAT, "hello").await.unwrap().header("x-signalbox-provider"), "second");
    assert_eq!(vendor.observed().received, calls);
    clock.advance(Duration::from_mins(5));
    assert_eq!(app.chat(CHAT, "hello").await.unwrap().header("x-signalbox-provider"), "first");
    assert_eq!(circuit(&app, "first/m"), Circuit::Closed);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_half_open_circuit_lets_one_probe_through_however_many_requests_come_at_once() {
    let (app, clock) = clocked().await;
    let (vendor, _second) = two_vendors(&app).await;
    open_first(&app, &vendor).await;
    let calls = vendor.observed().received;
    vendor.dials().set(Dials { latency_ms: 60_000, ..Dials::default() });
    clock.advance(Duration::from_mins(5));
    let mut requests: FuturesUnordered<_> = (0..50).map(|_| app.chat(CHAT, "hello")).collect();
    for _ in 0..49 {
        let reply = requests.next().await.unwrap().unwrap();
        assert_eq!(
            (reply.status, reply.header("x-signalbox-provider")),
            (200, "second"),
            "nobody waits meanwhile"
        );
    }
    until("the probe is on its way", || vendor.observed().in_flight == 1).await;
    assert_eq!((vendor.observed().received, circuit(&app, "first/m")), (calls + 1, Circuit::HalfOpen));
    drop(requests);
    at_rest(&app).await;
    vendor.dials().set(Dials::default());
    assert_eq!(app.chat(CHAT, "hello").await.unwrap().header("x-signalbox-provider"), "first");
    let words: Vec<_> = steps(&app, 3).await.iter().map(|step| step.to).collect();
    assert_eq!(words, [Circuit::Open, Circuit::HalfOpen, Circuit::Closed]);
}

#[tokio::test]
async fn a_probe_that_its_client_leaves_lets_the_next_request_probe() {
    let (app, clock) = clocked().await;
    let (vendor, _second) = two_vendors(&app).await;
    open_first(&app, &vendor).await;
    clock.advance(Duration::from_mins(5));
    vendor.dials().set(Dials { latency_ms: 60_000, ..Dials::default() });
    let probing = app.post("/v1/chat/completions", &chat_body(CHAT, "slow"));
    let probing = sent(probing, "the probe is on its way", || vendor.observed().in_flight == 1).await;
    assert_eq!(circuit(&app, "first/m"), Circuit::HalfOpen);
    drop(probing);
    at_rest(&app).await;
    assert_eq!(circuit(&app, "first/m"), Circuit::HalfOpen, "a cancelled probe closes nothing");
    vendor.dials().set(Dials::default());
    assert_eq!(app.chat(CHAT, "hello").await.unwrap().header("x-signalbox-provider"), "first");
    assert_eq!(circuit(&app, "first/m"), Circuit::Closed);
}

#[tokio::test]
async fn a_target_that_an_admin_holds_is_left_alone_until_it_is_reset_over_any_restart() {
    let (app, clock) = clocked().await;
    let (vendor, _second) = two_vendors(&app).await;
    assert_eq!(app.engine.hold_circuits(&provider("first"), "ann", Some("maintenance")), 1);
    assert_eq!(app.engine.hold_circuits(&provider("first"), "ann", None), 0, "it is held already");
    let app = app.restart().await.unwrap();
    clock.advance(Duration::from_hours(48));
    assert_eq!(app.chat(CHAT, "hello").await.unwrap().header("x-signalbox-provider"), "second");
    assert_eq!(vendor.observed().received, 0);
    assert_eq!(app.engine.reset_circuits(&provider("first"), "bob", None), 1);
    assert_eq!(app.chat(CHAT, "hello").await.unwrap().header("x-signalbox-provider"), "first");
    let steps = steps(&app, 2).await;
    let by: Vec<_> =
        steps.iter().map(|step| (step.cause, step.actor.as_deref(), step.reason.as_deref())).collect();
    assert_eq!(
        by,
        [(Cause::HeldByAdmin, Some("ann"), Some("maintenance")), (Cause::Reset, Some("bob"), None)]
    );
}

#[tokio::test]
async fn a_refused_credential_opens_at_once_and_a_free_probe_closes_once_it_is_taken_again() {
    let (app, _clock) = clocked().await;
    let (vendor, _second) = two_vendors(&app).await;
    let mut events = app.engine.events.subscribe();
    vendor.dials().set(failing(ErrorKind::InvalidKey));
    let reply = app.chat(CHAT, "hello").await.unwrap();
    assert_eq!((reply.status, reply.header("x-signalbox-provider")), (200, "second"));
    assert_eq!(circuit(&app, "first/m"), Circuit::Open);
    assert!(standing(&app, "first/m").health.breaker().is_key_refused());
    let told = std::iter::from_fn(|| events.try_recv().ok()).any(|topic| topic == Topic::Health);
    assert!(told, "somebody has to hear of it");
    let provider = ProviderName::new("first").unwrap();
    let refused = app.engine.probe(&provider).await.unwrap().unwrap();
    assert!(refused.models.is_err());
    assert_eq!(circuit(&app, "first/m"), Circuit::Open);
    vendor.dials().set(Dials::default());
    assert!(app.engine.probe(&provider).await.unwrap().unwrap().models.is_ok());
    assert_eq!(circuit(&app, "first/m"), Circuit::Closed);
    assert_eq!(app.chat(CHAT, "hello").await.unwrap().header("x-signalbox-provider"), "first");
}

#[tokio::test]
async fn a_new_credential_is_tried_at_once() {
    let (app, _clock) = clocked().await;
    let (vendor, _second) = two_vendors(&app).await;
    vendor.dials().set(failing(ErrorKind::InvalidKey));
    assert_eq!(app.chat(CHAT, "hello").await.unwrap().status, 200);
    assert!(standing(&app, "first/m").health.breaker().is_key_refused());
    vendor.dials().set(Dials::default());
    let name = ProviderName::new("first").unwrap();
    let mut provider = app.engine.live().snapshot.providers[&name].provider.clone();
    let base_version = Some(provider.version);
    let set_at = app.engine.control.now().plus_micros(1);
    provider.credential = CredentialSource::Stored { hint: "…new".to_owned(), set_at };
    provider.version += 1;
    app.write(vec![ConfigWrite::PutProvider { provider, base_version }]).await.unwrap();
    assert_eq!(circuit(&app, "first/m"), Circuit::Closed);
    assert_eq!(app.chat(CHAT, "hello").await.unwrap().header("x-signalbox-provider"), "first");
}

#[tokio::test]
async fn a_last_target_is_never_left_alone_because_it_failed() {
    let (app, _clock) = clocked().await;
    let vendor = one_vendor(&app).await;
    vendor.dials().set(failing(ErrorKind::ServerError));
    for _ in 0..6 {
        let reply = app.chat(CHAT, "hello").await.unwrap();
        assert_eq!((reply.status, reply.code()), (502, "all_targets_failed"));
    }
    assert_ne!(circuit(&app, "only/m"), Circuit::Closed);
    vendor.dials().set(Dials::default());
    assert_eq!(app.chat(CHAT, "hello").await.unwrap().status, 200);
    assert_eq!(
        circuit(&app, "only/m"),
        Circuit::Closed,
        "the call that had nowhere else to go was the probe"
    );
}

/// A provider that answers every call well, and says with each answer that nothing is left for half a minute.
async fn serve_the_last_call_of_a_period(listener: TcpListener) {
    const BODY: &str = r#"{"id":"c","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,
        "message":{"role":"assistant","content":"hello"},"finish_reason":"stop"}],
        "usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}"#;
    loop {
        let (mut connection, _) = listener.accept().await.unwrap();
        let mut request = Vec::new();
        while !request.ends_with(b"}") && connection.read_buf(&mut request).await.unwrap() > 0 {}
        let answer = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\
             x-ratelimit-limit-requests: 60\r\nx-ratelimit-remaining-requests: 0\r\n\
             x-ratelimit-reset-requests: 30s\r\n\r\n{BODY}",
            BODY.len()
        );
        connection.write_all(answer.as_bytes()).await.unwrap();
    }
}

#[tokio::test]
async fn a_provider_whose_headers_say_that_nothing_is_left_is_spared_for_a_moment() {
    let (app, clock) = clocked().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    let talking = async {
        app.add_provider("tight", ProviderKind::Openai, &url).await.unwrap();
        let _second = app.add_anthropic("second").await.unwrap();
        for target in ["tight/m", "second/m"] {
            app.add_model(target, prices()).await.unwrap();
        }
        app.set_route("chat_message", &["tight/m", "second/m"]).await.unwrap();
        let provider =
            async || app.chat(CHAT, "hello").await.unwrap().header("x-signalbox-provider").to_owned();
        assert_eq!(provider().await, "tight");
        let headroom = *standing(&app, "tight/m").health.headroom().unwrap();
        assert_eq!((headroom.remaining_requests, headroom.limit_requests), (Some(0), Some(60)));
        clock.advance(Duration::from_secs(1));
        assert_eq!(provider().await, "second");
        clock.advance(Duration::from_secs(1));
        assert_eq!(provider().await, "tight");
        assert_eq!(circuit(&app, "tight/m"), Circuit::Closed);
        // It only knows complete answers: a client that wants a stream gets one all the same.
        clock.advance(Duration::from_secs(2));
        let streamed = app.chat_streamed(CHAT, "hello").await.unwrap();
        assert!(streamed.is_whole(), "{}", streamed.text);
        assert_eq!((streamed.header("x-signalbox-provider"), streamed.answer().as_str()), ("tight", "hello"));
    };
    tokio::select! {
        () = talking => {}
        () = serve_the_last_call_of_a_period(listener) => {}
    }
}
