//! Both surfaces, complete and streamed, and the list of models.

use serde_json::json;
use signalbox_testkit::{Prices, TestApp, chat_body};

async fn app() -> TestApp {
    let app = TestApp::start().await.unwrap();
    app.set_route("chat_message", &["simulator/sim-chat"]).await.unwrap();
    app
}

#[tokio::test]
async fn a_complete_answer_says_who_gave_it_and_what_it_cost_and_is_settled() {
    let app = TestApp::start().await.unwrap();
    let alpha = app.add_openai("alpha").await.unwrap();
    app.add_model("alpha/gpt-test", Prices::per_mtok("2", "8")).await.unwrap();
    app.set_route("chat_message", &["alpha/gpt-test"]).await.unwrap();

    let reply = app.chat("op:chat_message", "one two three").await.unwrap();

    assert_eq!(reply.status, 200, "{}", reply.body);
    assert_eq!(reply.text(), "You said: one two three");
    assert_eq!(reply.header("x-signalbox-operation"), "chat_message");
    assert_eq!(reply.header("x-signalbox-provider"), "alpha");
    assert_eq!(reply.header("x-signalbox-model"), "gpt-test");
    assert_eq!(reply.header("x-signalbox-attempts"), "1");
    // 3 words in at 2 USD per million, 5 words out at 8.
    assert_eq!(reply.header("x-signalbox-cost-usd"), "0.000046");
    assert_eq!(reply.header("x-request-id"), reply.header("x-signalbox-request-id"));
    let record = app.record(reply.request_id().unwrap()).await.unwrap();
    assert_eq!(record.settlement.unwrap().cost().1.unwrap().as_nanos(), 46_000);
    assert_eq!(alpha.observed().received, 1);
    app.verify().await.unwrap();
}

#[tokio::test]
async fn both_surfaces_stream_to_their_terminal_event_with_the_row_settled_by_then() {
    let app = app().await;
    let openai = app.chat_streamed("op:chat_message", "one two three").await.unwrap();
    let anthropic = app.message_streamed("chat_message", "one two three").await.unwrap();
    for streamed in [&openai, &anthropic] {
        assert_eq!(streamed.status, 200, "{}", streamed.text);
        assert!(streamed.is_whole(), "{}", streamed.text);
        assert_eq!(streamed.answer(), "You said: one two three");
        assert_eq!(streamed.header("cache-control"), "no-cache");
        assert_eq!(streamed.header("x-accel-buffering"), "no");
        assert_eq!(streamed.header("x-signalbox-cost-usd"), "");
        assert_eq!(streamed.header("x-signalbox-simulated"), "true");
        let record = app.record(streamed.request_id().unwrap()).await.unwrap();
        assert!(record.settlement.is_some(), "the last byte came before the settlement");
    }
    let complete = app.message("op:chat_message", "hello").await.unwrap();
    assert_eq!((complete.status, complete.text()), (200, "You said: hello"));
    assert_eq!(complete.header("request-id"), complete.header("x-signalbox-request-id"));
}

#[tokio::test]
async fn the_operation_header_pins_a_target_and_user_and_tags_reach_the_ledger() {
    let app = app().await;
    let request = app
        .post("/v1/chat/completions", &chat_body("simulator/sim-chat", "hello"))
        .header("x-signalbox-operation", "agent_execution")
        .header("x-signalbox-user", "jörg")
        .header("x-signalbox-tags", "team=growth,env=prod");
    let reply = app.send(request).await.unwrap();
    assert_eq!(
        (reply.status, reply.header("x-signalbox-operation")),
        (200, "agent_execution"),
        "{}",
        reply.body
    );
    let start = app.record(reply.request_id().unwrap()).await.unwrap().start;
    assert_eq!(start.user.as_deref(), Some("jörg"));
    assert_eq!(start.tags, [("team".to_owned(), "growth".to_owned()), ("env".to_owned(), "prod".to_owned())]);
}

#[tokio::test]
async fn models_lists_what_the_key_may_use_in_the_shape_of_the_clients_api() {
    let app = app().await;
    let narrow = app.create_key(&["job_planning"]).await.unwrap();
    let openai = app.send(app.http.get(app.url("/v1/models")).bearer_auth(&narrow)).await.unwrap();
    let ids: Vec<_> =
        openai.body["data"].as_array().unwrap().iter().map(|model| model["id"].clone()).collect();
    assert_eq!(ids, ["op:job_planning", "simulator/sim-backup", "simulator/sim-chat"]);
    assert_eq!(openai.body["object"], "list");
    let anthropic = app
        .http
        .get(app.url("/v1/models"))
        .header("x-api-key", &app.key)
        .header("anthropic-version", "2023-06-01");
    let anthropic = app.send(anthropic).await.unwrap();
    assert_eq!(
        (&anthropic.body["has_more"], &anthropic.body["data"][0]["type"]),
        (&json!(false), &json!("model"))
    );
}

#[tokio::test]
async fn live_and_ready_need_no_key_and_ready_says_why_not() {
    let app = app().await;
    let get = |path: &'static str| app.send(app.http.get(app.url(path)));
    assert_eq!(get("/livez").await.unwrap().status, 200);
    let ready = get("/readyz").await.unwrap();
    assert_eq!((ready.status, &ready.body["status"]), (200, &json!("ready")), "{}", ready.body);
    app.engine.shutdown().await;
    let gone = get("/readyz").await.unwrap();
    assert_eq!((gone.status, &gone.body["reasons"][0]["code"]), (503, &json!("shutting_down")));
    let refused = app.chat("op:chat_message", "hello").await.unwrap();
    assert_eq!((refused.status, refused.code()), (503, "shutting_down"));
    assert_eq!(refused.header("retry-after"), "2");
}
