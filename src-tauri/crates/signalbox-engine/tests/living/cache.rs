//! Identical questions share an answer, where an operation opts in.

use std::time::Duration;

use serde_json::json;
use signalbox_core::meter::CostStatus;
use signalbox_core::money::NanoUsd;
use signalbox_simulator::{Dials, ErrorKind};
use signalbox_testkit::{TestApp, chat_body};

use crate::support::*;

async fn cached(app: &TestApp) {
    edit(app, "chat_message", |entry| entry.operation.cache_ttl_s = Some(60)).await;
}

#[tokio::test]
async fn a_hit_costs_nothing_says_what_it_saved_and_calls_nobody() {
    let (app, clock) = clocked().await;
    let vendor = one_vendor(&app).await;
    cached(&app).await;
    let miss = app.chat(CHAT, "hello there").await.unwrap();
    assert_eq!(miss.header("x-signalbox-cache"), "miss");
    let hit = app.chat(CHAT, "hello there").await.unwrap();
    assert_eq!((hit.status, hit.header("x-signalbox-cache")), (200, "hit"));
    assert_eq!(hit.body, miss.body);
    assert_eq!((hit.header("x-signalbox-cost-usd"), hit.header("x-signalbox-attempts")), ("0", "0"));
    assert_eq!(vendor.observed().received, 1);
    let (paid, free) = (settlement(&app, &miss).await, settlement(&app, &hit).await);
    let told = free.cache.unwrap();
    assert_eq!((told.of, told.saved), (miss.request_id().unwrap(), paid.cost().1));
    assert!(told.saved > Some(NanoUsd::ZERO));
    assert_eq!((free.cost(), free.attempts.len()), ((CostStatus::Exact, Some(NanoUsd::ZERO)), 0));
    assert_eq!((paid.cache, free.outcome), (None, paid.outcome));
    clock.advance(Duration::from_mins(1));
    assert_eq!(app.chat(CHAT, "hello there").await.unwrap().header("x-signalbox-cache"), "miss");
    app.verify().await.unwrap();
}

#[tokio::test]
async fn a_streamed_hit_is_the_stream_again_and_the_other_form_is_a_question_of_its_own() {
    let app = TestApp::start().await.unwrap();
    let vendor = one_vendor(&app).await;
    cached(&app).await;
    let miss = app.chat_streamed(CHAT, "hello there").await.unwrap();
    let hit = app.chat_streamed(CHAT, "hello there").await.unwrap();
    assert!(hit.is_whole());
    assert_eq!((hit.header("x-signalbox-cache"), &hit.text), ("hit", &miss.text));
    assert_eq!(app.chat(CHAT, "hello there").await.unwrap().header("x-signalbox-cache"), "miss");
    assert_eq!(app.message(CHAT, "hello there").await.unwrap().header("x-signalbox-cache"), "miss");
    assert_eq!(vendor.observed().received, 3);
}

#[tokio::test]
async fn nothing_is_shared_where_nobody_asked_for_it_or_the_question_differs() {
    let app = TestApp::start().await.unwrap();
    let vendor = one_vendor(&app).await;
    for _ in 0..2 {
        assert_eq!(app.chat(CHAT, "hello").await.unwrap().header("x-signalbox-cache"), "off");
    }
    cached(&app).await;
    let mut warm = chat_body(CHAT, "hello");
    warm["temperature"] = json!(1);
    for body in [chat_body(CHAT, "hello"), chat_body(CHAT, "hello!"), warm] {
        let reply = app.send(app.post("/v1/chat/completions", &body)).await.unwrap();
        assert_eq!(reply.header("x-signalbox-cache"), "miss", "{body}");
    }
    let request =
        app.post("/v1/chat/completions", &chat_body(CHAT, "hello")).header("x-signalbox-cache", "off");
    assert_eq!(app.send(request).await.unwrap().header("x-signalbox-cache"), "off");
    edit(&app, "chat_message", |entry| entry.route.targets[0].max_output = Some(9)).await;
    assert_eq!(app.chat(CHAT, "hello").await.unwrap().header("x-signalbox-cache"), "miss", "another route");
    assert_eq!(vendor.observed().received, 7);
}

#[tokio::test]
async fn a_failure_or_half_an_answer_is_never_shared() {
    let app = TestApp::start().await.unwrap();
    let vendor = one_vendor(&app).await;
    cached(&app).await;
    vendor.dials().set(failing(ErrorKind::BadRequest));
    assert_eq!(app.chat(CHAT, "hello").await.unwrap().status, 400);
    vendor.dials().set(Dials { truncate_after_chunks: Some(2), ..Dials::default() });
    assert!(!app.chat_streamed(CHAT, "one two three four").await.unwrap().is_whole());
    vendor.dials().set(Dials::default());
    assert_eq!(app.chat(CHAT, "hello").await.unwrap().header("x-signalbox-cache"), "miss");
    let whole = app.chat_streamed(CHAT, "one two three four").await.unwrap();
    assert!(whole.is_whole() && whole.header("x-signalbox-cache") == "miss");
}
