//! The Responses API in front of each kind of provider, and the count of tokens before a call.

use serde_json::{Value, json};
use signalbox_core::meter::CostStatus;
use signalbox_simulator::{Dials, ErrorKind};
use signalbox_testkit::{Prices, TestApp};

const PATH: &str = "/v1/responses";

fn ask(text: &str) -> Value {
    json!({"model": "op:chat_message", "input": text})
}

fn ask_streaming(text: &str) -> Value {
    json!({"model": "op:chat_message", "input": text, "stream": true})
}

fn said(response: &Value) -> &str {
    response["output"][0]["content"][0]["text"].as_str().unwrap_or_default()
}

/// Priced models at a compatible server and at Anthropic, and the built-in simulator, which passes responses through.
async fn app() -> TestApp {
    let app = TestApp::start().await.unwrap();
    app.set_route("chat_message", &["simulator/sim-chat"]).await.unwrap();
    app
}

#[tokio::test]
async fn every_provider_answers_a_client_of_the_responses_api_complete_and_streamed_at_the_same_price() {
    let app = app().await;
    let alpha = app.add_openai("alpha").await.unwrap();
    let beta = app.add_anthropic("beta").await.unwrap();
    for target in ["alpha/model", "beta/model"] {
        app.add_model(target, Prices::per_mtok("2", "8")).await.unwrap();
        app.set_route("chat_message", &[target]).await.unwrap();
        let reply = app.send(app.post(PATH, &ask("one two three"))).await.unwrap();
        assert_eq!(reply.status, 200, "{}", reply.body);
        assert_eq!(
            (said(&reply.body), &reply.body["status"]),
            ("You said: one two three", &json!("completed"))
        );
        // 3 words in at 2 USD per million, 5 words out at 8.
        assert_eq!(reply.header("x-signalbox-cost-usd"), "0.000046");
        assert_eq!(reply.header("x-request-id"), reply.header("x-signalbox-request-id"));

        let streamed = app.send_streamed(app.post(PATH, &ask_streaming("one two three"))).await.unwrap();
        assert_eq!(streamed.status, 200, "{}", streamed.text);
        let events = streamed.events();
        let last = events.last().unwrap();
        assert_eq!(last["type"], "response.completed", "{}", streamed.text);
        assert_eq!(said(&last["response"]), "You said: one two three");
        assert_eq!(last["response"]["usage"], reply.body["usage"]);
        let record = app.record(streamed.request_id().unwrap()).await.unwrap();
        let (status, cost) = record.settlement.unwrap().cost();
        assert_eq!((status, cost.unwrap().as_nanos()), (CostStatus::Exact, 46_000));
        assert_eq!(record.start.surface.as_str(), "openai_responses");
    }
    assert_eq!(alpha.observed().requests[0].path, "/v1/chat/completions");
    assert_eq!(beta.observed().requests[0].path, "/v1/messages");
    app.verify().await.unwrap();
}

#[tokio::test]
async fn where_responses_are_served_they_pass_through_with_nothing_but_a_limit_where_they_have_none() {
    let app = app().await;
    let mut body = ask("search the web");
    body["tools"] = json!([{"type": "web_search"}]);
    body["store"] = json!(true);
    body["x_new_field"] = json!({"deep": [1, null]});
    let reply = app.send(app.post(PATH, &body)).await.unwrap();
    assert_eq!(reply.status, 200, "{}", reply.body);
    assert_eq!(reply.body["output"][0]["type"], "web_search_call");
    let observed = app.simulator().unwrap().observed();
    let sent = observed.requests.last().unwrap();
    let mut expected = body;
    expected["model"] = json!("sim-chat");
    expected["max_output_tokens"] = json!(4_096);
    assert_eq!((sent.path.as_str(), &sent.body), ("/v1/responses", &expected));
}

#[tokio::test]
async fn what_only_openai_could_serve_is_refused_elsewhere_and_by_name() {
    let app = app().await;
    let _alpha = app.add_openai("alpha").await.unwrap();
    app.add_model("alpha/model", Prices::per_mtok("2", "8")).await.unwrap();
    app.set_route("chat_message", &["alpha/model"]).await.unwrap();
    for (key, value, named) in [
        ("previous_response_id", json!("resp_1"), "previous_response_id"),
        ("tools", json!([{"type": "web_search"}]), "web_search"),
    ] {
        let mut body = ask("hi");
        body[key] = value;
        let reply = app.send(app.post(PATH, &body)).await.unwrap();
        assert_eq!(reply.status, 400, "{}", reply.body);
        assert_eq!(reply.body["error"]["type"], "invalid_request_error");
        assert!(reply.body["error"]["message"].as_str().unwrap().contains(named), "{}", reply.body);
    }
    let mut background = ask("hi");
    background["background"] = json!(true);
    let reply = app.send(app.post(PATH, &background)).await.unwrap();
    assert_eq!((reply.status, reply.code()), (400, "invalid_request"));
}

#[tokio::test]
async fn a_quota_error_after_a_good_first_event_goes_on_to_the_next_target() {
    let app = app().await;
    let alpha = app.add_openai("alpha").await.unwrap();
    app.add_model("alpha/model", Prices::per_mtok("2", "8")).await.unwrap();
    app.set_route("chat_message", &["simulator/sim-chat", "alpha/model"]).await.unwrap();
    app.simulator_dials().unwrap().set(Dials {
        error: ErrorKind::InsufficientQuota,
        error_after_chunks: Some(0),
        ..Dials::default()
    });
    let streamed = app.send_streamed(app.post(PATH, &ask_streaming("one two"))).await.unwrap();
    let events = streamed.events();
    assert_eq!(events.last().unwrap()["type"], "response.completed", "{}", streamed.text);
    assert_eq!(streamed.header("x-signalbox-provider"), "alpha");
    assert_eq!(events.iter().filter(|event| event["type"] == "response.created").count(), 1);
    assert_eq!(alpha.observed().received, 1);
}

#[tokio::test]
async fn a_stream_that_breaks_ends_with_an_error_event_and_never_as_completed() {
    let app = app().await;
    for cleanly in [true, false] {
        app.simulator_dials().unwrap().set(Dials {
            truncate_after_chunks: Some(2),
            truncate_cleanly: cleanly,
            ..Dials::default()
        });
        let streamed = app.send_streamed(app.post(PATH, &ask_streaming("one two three"))).await.unwrap();
        let events = streamed.events();
        let last = events.last().unwrap();
        assert_eq!(last["type"], "error", "{}", streamed.text);
        assert!(last["error"]["code"].is_string() && last["code"] == last["error"]["code"], "{last}");
        assert!(events.iter().all(|event| event["type"] != "response.completed"));
    }
}

#[tokio::test]
async fn errors_have_openais_shape() {
    let app = app().await;
    let reply = app.send(app.post(PATH, &json!({"model": "op:chat_message"}))).await.unwrap();
    assert_eq!((reply.status, reply.code()), (400, "invalid_request"));
    assert!(reply.body["error"]["message"].as_str().unwrap().starts_with("input: "), "{}", reply.body);
    let keyless = app.http.post(app.url(PATH)).json(&ask("hi"));
    let reply = app.send(keyless).await.unwrap();
    assert_eq!((reply.status, &reply.body["error"]["type"]), (401, &json!("authentication_error")));
}

#[tokio::test]
async fn the_end_user_of_a_response_reaches_the_ledger() {
    let app = app().await;
    let mut body = ask("hi");
    body["safety_identifier"] = json!("u-1");
    let reply = app.send(app.post(PATH, &body)).await.unwrap();
    let start = app.record(reply.request_id().unwrap()).await.unwrap().start;
    assert_eq!(start.user.as_deref(), Some("u-1"));
}

#[tokio::test]
async fn tokens_are_counted_without_a_call_and_without_a_ledger_entry() {
    let app = app().await;
    let count = |body: Value| {
        let request = app
            .http
            .post(app.url("/v1/messages/count_tokens"))
            .header("x-api-key", &app.key)
            .header("anthropic-version", "2023-06-01")
            .json(&body);
        app.send(request)
    };
    let body = json!({"model": "op:chat_message", "messages": [{"role": "user", "content": "hello world"}]});
    let reply = count(body.clone()).await.unwrap();
    assert_eq!((reply.status, &reply.body), (200, &json!({"input_tokens": 9})));
    let mut longer = body;
    longer["system"] = json!("Be brief.");
    longer["tools"] = json!([{"name": "weather", "input_schema": {"type": "object"}}]);
    assert!(count(longer).await.unwrap().body["input_tokens"].as_u64().unwrap() > 9);
    assert_eq!(app.simulator().unwrap().observed().received, 0);
    assert!(app.rows().await.unwrap().is_empty());
}

#[tokio::test]
async fn counting_asks_for_the_same_key_operation_and_form_as_a_call() {
    let app = app().await;
    let path = "/v1/messages/count_tokens";
    let body = json!({"model": "op:chat_message", "messages": [{"role": "user", "content": "hi"}]});
    let keyless = app.send(app.http.post(app.url(path)).json(&body)).await.unwrap();
    assert_eq!((keyless.status, &keyless.body["error"]["type"]), (401, &json!("authentication_error")));
    let narrow = app.create_key(&["job_planning"]).await.unwrap();
    let foreign = app.http.post(app.url(path)).header("x-api-key", &narrow).json(&body);
    assert_eq!(app.send(foreign).await.unwrap().status, 403);
    for bad in [
        json!({"messages": []}),
        json!({"model": "op:chat_message"}),
        json!({"model": "op:chat_message", "messages": []}),
    ] {
        let reply = app.send(app.post(path, &bad)).await.unwrap();
        assert_eq!((reply.status, &reply.body["type"]), (400, &json!("error")), "{bad}");
    }
    let unknown = app.send(
        app.post(path, &json!({"model": "op:nothing", "messages": [{"role": "user", "content": "hi"}]})),
    );
    assert_eq!(unknown.await.unwrap().code(), "unknown_operation");
}
