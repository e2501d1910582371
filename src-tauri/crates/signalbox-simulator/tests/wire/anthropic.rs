use serde_json::{Value, json};
use signalbox_simulator::Dials;

use crate::{Bench, ask, events};

fn streaming(mut body: Value) -> Value {
    body["stream"] = json!(true);
    body
}

fn kinds(events: &[Value]) -> Vec<&str> {
    events.iter().filter_map(|event| event["type"].as_str()).collect()
}

#[tokio::test]
async fn a_complete_message_echoes_and_counts_by_word() {
    let bench = Bench::new(Dials { cached_tokens: 40, cache_write_tokens: 20, ..Dials::default() }).await;
    let mut body = ask("hello big world");
    body["system"] = json!("be brief");
    let response = bench.messages(&body).send().await.unwrap();
    assert_eq!(response.headers()["request-id"], "req_sim_1");
    let answer: Value = response.json().await.unwrap();
    assert_eq!(answer["type"], "message");
    assert_eq!(answer["content"], json!([{"type": "text", "text": "You said: hello big world"}]));
    assert_eq!(answer["stop_reason"], "end_turn");
    assert_eq!(answer["usage"]["input_tokens"], 5);
    assert_eq!(answer["usage"]["cache_read_input_tokens"], 40);
    assert_eq!(answer["usage"]["cache_creation_input_tokens"], 20);
    assert_eq!(answer["usage"]["cache_creation"]["ephemeral_5m_input_tokens"], 20);
    assert_eq!(answer["usage"]["output_tokens"], 5);
}

#[tokio::test]
async fn a_stream_has_the_published_order_of_events() {
    let bench = Bench::new(Dials::default()).await;
    let response = bench.messages(&streaming(ask("hi there"))).send().await.unwrap();
    let events = events(response).await;
    assert_eq!(
        kinds(&events),
        [
            "message_start",
            "content_block_start",
            "ping",
            "content_block_delta",
            "content_block_delta",
            "content_block_delta",
            "content_block_delta",
            "content_block_stop",
            "message_delta",
            "message_stop",
        ]
    );
    assert_eq!(events[0]["message"]["usage"]["input_tokens"], 2);
    assert_eq!(events[0]["message"]["usage"]["output_tokens"], 1);
    let text: String = events.iter().filter_map(|event| event["delta"]["text"].as_str()).collect();
    assert_eq!(text, "You said: hi there");
    let delta = &events[events.len() - 2];
    assert_eq!(delta["delta"]["stop_reason"], "end_turn");
    assert_eq!(delta["usage"]["output_tokens"], 4);
}

#[tokio::test]
async fn a_tool_round_trip_calls_and_then_quotes_the_result() {
    let bench = Bench::new(Dials::default()).await;
    let mut body = ask("what is the weather");
    body["tools"] = json!([{"name": "weather", "input_schema": {
        "type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}]);
    body["tool_choice"] = json!({"type": "any"});
    let answer: Value = bench.messages(&body).send().await.unwrap().json().await.unwrap();
    assert_eq!(answer["stop_reason"], "tool_use");
    let call = &answer["content"][0];
    assert_eq!(call["type"], "tool_use");
    assert_eq!(call["input"], json!({"city": "city"}));
    assert_eq!(answer["usage"]["output_tokens"], 10);

    let messages = body["messages"].as_array_mut().unwrap();
    messages.push(json!({"role": "assistant", "content": answer["content"]}));
    messages.push(json!({"role": "user", "content": [
        {"type": "tool_result", "tool_use_id": call["id"], "content": [{"type": "text", "text": "21 degrees"}]},
    ]}));
    let answer: Value = bench.messages(&body).send().await.unwrap().json().await.unwrap();
    assert_eq!(answer["content"][0]["text"], "The tool answered: 21 degrees");
    assert_eq!(answer["usage"]["input_tokens"], 4 + 10 + 2 + 10);
}

#[tokio::test]
async fn streamed_tool_input_arrives_as_partial_json() {
    let bench = Bench::new(Dials::default()).await;
    let mut body = streaming(ask("use tool"));
    body["tools"] = json!([{"name": "weather", "input_schema": {
        "type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}]);
    let events = events(bench.messages(&body).send().await.unwrap()).await;
    let partial: String = events.iter().filter_map(|event| event["delta"]["partial_json"].as_str()).collect();
    assert_eq!(partial, r#"{"city":"city"}"#);
    let start = events.iter().find(|event| event["type"] == "content_block_start").unwrap();
    assert_eq!(start["content_block"]["input"], json!({}));
}

#[tokio::test]
async fn reasoning_is_a_thinking_block_and_counts_as_output() {
    let bench = Bench::new(Dials { reasoning_tokens: 7, reasoning_text: true, ..Dials::default() }).await;
    let answer: Value = bench.messages(&ask("hi")).send().await.unwrap().json().await.unwrap();
    assert_eq!(answer["content"][0]["type"], "thinking");
    assert_eq!(answer["usage"]["output_tokens"], 3 + 7);
    assert_eq!(answer["usage"]["output_tokens_details"]["thinking_tokens"], 7);
    let events = events(bench.messages(&streaming(ask("hi"))).send().await.unwrap()).await;
    assert!(events.iter().any(|event| event["delta"]["type"] == "signature_delta"));
}

#[tokio::test]
async fn stop_sequences_and_limits_end_the_answer_with_their_reason() {
    let bench = Bench::new(Dials::default()).await;
    let mut body = ask("one two three");
    body["stop_sequences"] = json!(["two"]);
    let answer: Value = bench.messages(&body).send().await.unwrap().json().await.unwrap();
    assert_eq!(answer["stop_reason"], "stop_sequence");
    assert_eq!(answer["stop_sequence"], "two");
    let mut body = ask("one two three");
    body["max_tokens"] = json!(2);
    let answer: Value = bench.messages(&body).send().await.unwrap().json().await.unwrap();
    assert_eq!(answer["stop_reason"], "max_tokens");
    assert_eq!(answer["usage"]["output_tokens"], 2);
}

#[tokio::test]
async fn key_and_version_are_demanded_in_shape() {
    let bench = Bench::new(Dials::default()).await;
    let url = bench.url("/v1/messages");
    let keyless = bench.http.post(&url).header("anthropic-version", "2023-06-01").json(&ask("hi"));
    let response = keyless.send().await.unwrap();
    assert_eq!(response.status(), 401);
    let body: Value = response.json().await.unwrap();
    assert_eq!(body["type"], "error");
    assert_eq!(body["error"]["type"], "authentication_error");
    let versionless = bench.http.post(&url).header("x-api-key", "k").json(&ask("hi"));
    assert_eq!(versionless.send().await.unwrap().status(), 400);
}

#[tokio::test]
async fn tokens_are_counted_without_an_answer_and_models_listed_in_shape() {
    let bench = Bench::new(Dials::default()).await;
    let request = |path: &str| {
        let builder = if path.ends_with("models") {
            bench.http.get(bench.url(path))
        } else {
            let body = json!({"model": "m", "messages": [{"role": "user", "content": "a b c"}]});
            bench.http.post(bench.url(path)).json(&body)
        };
        builder.header("x-api-key", "k").header("anthropic-version", "2023-06-01")
    };
    let counted: Value = request("/v1/messages/count_tokens").send().await.unwrap().json().await.unwrap();
    assert_eq!(counted, json!({"input_tokens": 3}));
    let list: Value = request("/v1/models").send().await.unwrap().json().await.unwrap();
    assert_eq!(list["data"][0]["type"], "model");
    assert_eq!(list["has_more"], false);
}
