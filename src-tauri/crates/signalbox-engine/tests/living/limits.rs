//! Refusing what is too much, before anything is written.

use signalbox_core::key::KeyLimits;
use signalbox_simulator::Dials;
use signalbox_testkit::{TestApp, chat_body};

use crate::support::*;

#[tokio::test]
async fn a_key_over_its_rate_is_told_when_to_come_back_and_leaves_no_row() {
    let (app, clock) = clocked().await;
    let vendor = one_vendor(&app).await;
    limit_key(&app, KeyLimits { requests_per_minute: Some(3), ..KeyLimits::default() }).await;
    for _ in 0..3 {
        assert_eq!(app.chat(CHAT, "hello").await.unwrap().status, 200);
    }
    let reply = app.chat(CHAT, "hello").await.unwrap();
    assert_eq!((reply.status, reply.code()), (429, "rate_limited_by_key"));
    assert_eq!(reply.header("retry-after"), "20");
    assert_eq!((app.settled_rows(3).await.unwrap().len(), vendor.observed().received), (3, 3));
    clock.advance(std::time::Duration::from_secs(20));
    assert_eq!(app.chat(CHAT, "hello").await.unwrap().status, 200);
}

#[tokio::test]
async fn what_runs_at_once_is_limited_per_key_and_altogether_until_the_stream_has_ended() {
    for (limits, most, status, code) in [
        (KeyLimits { concurrent: Some(1), ..KeyLimits::default() }, "100", 429, "concurrency_limit"),
        (KeyLimits::default(), "1", 503, "overloaded"),
    ] {
        let app = TestApp::start().await.unwrap();
        let vendor = one_vendor(&app).await;
        limit_key(&app, limits).await;
        set(&app, &[("max_requests", most)]).await;
        vendor.dials().set(Dials { stall_after_chunks: Some(1), ..Dials::default() });
        let mut body = chat_body(CHAT, "one two three");
        body["stream"] = serde_json::json!(true);
        let stream = app.post("/v1/chat/completions", &body).send().await.unwrap();
        assert_eq!(stream.status(), 200);
        let reply = app.chat(CHAT, "hello").await.unwrap();
        assert_eq!((reply.status, reply.code()), (status, code));
        assert_eq!(reply.header("retry-after"), "1");
        drop(stream);
        at_rest(&app).await;
        vendor.dials().set(Dials::default());
        assert_eq!(app.chat(CHAT, "hello").await.unwrap().status, 200);
        assert_eq!(app.settled_rows(2).await.unwrap().len(), 2, "a refusal for want of room is no row");
    }
}
