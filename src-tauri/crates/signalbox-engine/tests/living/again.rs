//! The same request sent again has one effect.

use futures::future::join_all;
use serde_json::{Value, json};
use signalbox_core::provider::ProviderKind;
use signalbox_simulator::{Dials, ErrorKind};
use signalbox_testkit::{Reply, Streamed, TestApp, chat_body};

use crate::support::*;

async fn ask(app: &TestApp, key: &str, body: &Value) -> Reply {
    app.send(app.post("/v1/chat/completions", body).header("idempotency-key", key)).await.unwrap()
}

async fn ask_streamed(app: &TestApp, key: &str, body: &Value) -> Streamed {
    app.send_streamed(app.post("/v1/chat/completions", body).header("idempotency-key", key)).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_duplicated_submissions_have_one_effect_each() {
    const KEYS: usize = 50;
    const TIMES: usize = 20;
    let app = TestApp::start().await.unwrap();
    let vendor = one_vendor(&app).await;
    vendor.dials().set(Dials { latency_ms: 20, ..Dials::default() });
    let requests = (0..KEYS * TIMES).map(|number| {
        let (app, key) = (&app, number % KEYS);
        async move { (key, ask(app, &format!("key-{key}"), &chat_body(CHAT, &format!("hello {key}"))).await) }
    });
    let replies = join_all(requests).await;
    assert_eq!(vendor.observed().received, u64::try_from(KEYS).unwrap(), "one effect each");
    let mut first = vec![None; KEYS];
    let mut replayed = 0;
    for (key, reply) in &replies {
        assert_eq!(reply.status, 200, "{}", reply.body);
        assert_eq!(reply.text(), format!("You said: hello {key}"));
        let id = reply.request_id().unwrap();
        assert_eq!(*first[*key].get_or_insert(id), id, "all get the first one's answer");
        replayed += usize::from(reply.header("x-signalbox-replayed") == "true");
        assert_eq!(reply.header("x-signalbox-cost-usd"), replies[*key].1.header("x-signalbox-cost-usd"));
    }
    assert_eq!(replayed, KEYS * (TIMES - 1));
    assert_eq!(app.settled_rows(KEYS).await.unwrap().len(), KEYS);
    at_rest(&app).await;
    app.verify().await.unwrap();
}

#[tokio::test]
async fn another_body_under_the_same_key_is_refused_and_another_key_is_another_request() {
    let app = TestApp::start().await.unwrap();
    let vendor = one_vendor(&app).await;
    let first = ask(&app, "k", &chat_body(CHAT, "hello")).await;
    let other = ask(&app, "k", &chat_body(CHAT, "goodbye")).await;
    assert_eq!((other.status, other.code()), (422, "idempotency_mismatch"));
    let fresh = ask(&app, "l", &chat_body(CHAT, "hello")).await;
    assert_ne!(fresh.request_id().unwrap(), first.request_id().unwrap());
    assert_eq!(vendor.observed().received, 2);
}

#[tokio::test]
async fn the_first_answer_is_given_again_after_a_restart_to_the_byte() {
    for kind in [ProviderKind::Openai, ProviderKind::Anthropic] {
        let app = TestApp::start().await.unwrap();
        let vendor = app.add_vendor("only", kind, Dials::default()).await.unwrap();
        app.add_model("only/m", prices()).await.unwrap();
        app.set_route("chat_message", &["only/m"]).await.unwrap();
        let complete = ask(&app, "c", &chat_body(CHAT, "hello")).await;
        let mut body = chat_body(CHAT, "hello there");
        body["stream"] = json!(true);
        let streamed = ask_streamed(&app, "s", &body).await;
        assert!(streamed.is_whole());
        let app = app.restart().await.unwrap();
        let again = ask(&app, "c", &chat_body(CHAT, "hello")).await;
        assert_eq!((again.status, again.header("x-signalbox-replayed")), (200, "true"), "{}", again.body);
        assert_eq!(again.body, complete.body);
        for name in ["x-signalbox-request-id", "x-signalbox-cost-usd", "x-signalbox-provider"] {
            assert_eq!(again.header(name), complete.header(name), "{name}");
        }
        let again = ask_streamed(&app, "s", &body).await;
        assert_eq!((again.text, again.ended_cleanly), (streamed.text, true));
        assert_eq!(vendor.observed().received, 2);
    }
}

#[tokio::test]
async fn a_failure_is_not_kept_and_a_client_that_leaves_gives_its_key_back() {
    let app = TestApp::start().await.unwrap();
    let vendor = one_vendor(&app).await;
    let body = chat_body(CHAT, "hello");
    vendor.dials().set(failing(ErrorKind::BadRequest));
    assert_eq!(ask(&app, "k", &body).await.status, 400);
    vendor.dials().set(Dials { latency_ms: 60_000, ..Dials::default() });
    let request = app.post("/v1/chat/completions", &body).header("idempotency-key", "k");
    drop(sent(request, "the call is on its way", || vendor.observed().in_flight == 1).await);
    at_rest(&app).await;
    vendor.dials().set(Dials::default());
    let reply = ask(&app, "k", &body).await;
    assert_eq!((reply.status, reply.header("x-signalbox-replayed")), (200, ""));
}

#[tokio::test]
async fn a_client_that_loses_its_connection_and_sends_again_gets_the_answer_that_was_being_made() {
    let app = TestApp::start().await.unwrap();
    let vendor = one_vendor(&app).await;
    for streamed in [false, true] {
        vendor.dials().set(if streamed {
            Dials { chunk_interval_ms: 100, ..Dials::default() }
        } else {
            Dials { latency_ms: 800, ..Dials::default() }
        });
        let mut body = chat_body(CHAT, "one two three four five six seven eight");
        body["stream"] = json!(streamed);
        let key = format!("streamed: {streamed}");
        let calls = vendor.observed().received;
        let first = app.post("/v1/chat/completions", &body).header("idempotency-key", &key);
        let (mut answering, mut sending) = (None, None);
        if streamed {
            answering = Some(first.send().await.unwrap());
        } else {
            let called = || vendor.observed().received > calls;
            sending = Some(sent(first, "the provider was called", called).await);
        }
        let mut second = Box::pin(ask_streamed(&app, &key, &body));
        tokio::select! {
            answer = &mut second => assert_eq!(answer.status, 0, "it did not wait"),
            () = until("the second one waits for the first", || app.engine.limits.running() == 2) => {}
        }
        drop((answering.take(), sending.take()));
        let answer = second.await;
        assert_eq!((answer.status, answer.header("x-signalbox-replayed")), (200, "true"), "{}", answer.text);
        assert_eq!((answer.is_whole(), vendor.observed().received), (streamed, calls + 1), "{}", answer.text);
        assert!(answer.text.contains("eight"), "{}", answer.text);
    }
    at_rest(&app).await;
    app.verify().await.unwrap();
}
