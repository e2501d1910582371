use serde_json::{Value, json};
use signalbox_simulator::{Dials, UsageOverride, UsagePlacement};

use crate::{Bench, events, say, say_streaming};

/// The text of a stream's deltas.
fn text(chunks: &[Value]) -> String {
    chunks.iter().filter_map(|chunk| chunk["choices"][0]["delta"]["content"].as_str()).collect()
}

fn weather_tool() -> Value {
    json!({"type": "function", "function": {"name": "weather", "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
        "required": ["city"],
    }}})
}

#[tokio::test]
async fn a_complete_answer_echoes_and_counts_by_word() {
    let bench = Bench::new(Dials::default()).await;
    let response = bench.chat(&say("hello big world")).send().await.unwrap();
    assert_eq!(response.headers()["x-request-id"], "req_sim_1");
    let answer: Value = response.json().await.unwrap();
    assert_eq!(answer["object"], "chat.completion");
    assert_eq!(answer["choices"][0]["message"]["content"], "You said: hello big world");
    assert_eq!(answer["choices"][0]["finish_reason"], "stop");
    assert_eq!(answer["usage"]["prompt_tokens"], 3);
    assert_eq!(answer["usage"]["completion_tokens"], 5);
    assert_eq!(answer["usage"]["total_tokens"], 8);
}

#[tokio::test]
async fn a_stream_opens_with_the_role_and_ends_with_usage_and_done() {
    let bench = Bench::new(Dials::default()).await;
    let response = bench.chat(&say_streaming("hello big world")).send().await.unwrap();
    assert_eq!(response.headers()["content-type"], "text/event-stream; charset=utf-8");
    let chunks = events(response).await;
    assert_eq!(chunks[0]["choices"][0]["delta"]["role"], "assistant");
    assert_eq!(chunks[0]["usage"], Value::Null);
    assert!(chunks[0].as_object().unwrap().contains_key("usage"));
    assert_eq!(text(&chunks), "You said: hello big world");
    let [.., finish, usage, done] = chunks.as_slice() else { panic!("too few chunks: {chunks:?}") };
    assert_eq!(finish["choices"][0]["finish_reason"], "stop");
    assert_eq!(usage["choices"], json!([]));
    assert_eq!(usage["usage"]["completion_tokens"], 5);
    assert_eq!(done, "[DONE]");
}

#[tokio::test]
async fn a_stream_without_the_option_carries_no_usage() {
    let bench = Bench::new(Dials::default()).await;
    let mut body = say_streaming("hi");
    body.as_object_mut().unwrap().remove("stream_options");
    let chunks = events(bench.chat(&body).send().await.unwrap()).await;
    assert!(chunks.iter().all(|chunk| chunk.get("usage").is_none()));
}

#[tokio::test]
async fn usage_may_share_a_chunk_with_a_choice_or_come_twice() {
    let dials = Dials { usage_placement: UsagePlacement::LastChoice, ..Dials::default() };
    let bench = Bench::new(dials).await;
    let chunks = events(bench.chat(&say_streaming("hi")).send().await.unwrap()).await;
    let with_usage: Vec<&Value> = chunks.iter().filter(|chunk| chunk["usage"].is_object()).collect();
    assert_eq!(with_usage.len(), 1);
    assert_eq!(with_usage[0]["choices"][0]["finish_reason"], "stop");

    bench.simulator.dials().update(|dials| dials.usage_placement = UsagePlacement::Twice);
    let chunks = events(bench.chat(&say_streaming("hi")).send().await.unwrap()).await;
    assert_eq!(chunks.iter().filter(|chunk| chunk["usage"].is_object()).count(), 2);
}

#[tokio::test]
async fn the_usage_dials_add_to_the_counted_tokens() {
    let dials = Dials { cached_tokens: 40, reasoning_tokens: 7, ..Dials::default() };
    let bench = Bench::new(dials).await;
    let answer: Value = bench.chat(&say("a b c")).send().await.unwrap().json().await.unwrap();
    assert_eq!(answer["usage"]["prompt_tokens"], 43);
    assert_eq!(answer["usage"]["prompt_tokens_details"]["cached_tokens"], 40);
    assert_eq!(answer["usage"]["completion_tokens"], 5 + 7);
    assert_eq!(answer["usage"]["completion_tokens_details"]["reasoning_tokens"], 7);
}

#[tokio::test]
async fn usage_lies_and_hides_as_told() {
    let bench = Bench::new(Dials { usage_override: UsageOverride::Huge, ..Dials::default() }).await;
    let answer: Value = bench.chat(&say("hi")).send().await.unwrap().json().await.unwrap();
    assert_eq!(answer["usage"]["completion_tokens"], i64::MAX);

    bench.simulator.dials().set(Dials { missing_usage: true, ..Dials::default() });
    let answer: Value = bench.chat(&say("hi")).send().await.unwrap().json().await.unwrap();
    assert!(answer.get("usage").is_none());
    let chunks = events(bench.chat(&say_streaming("hi")).send().await.unwrap()).await;
    assert!(chunks.iter().all(|chunk| !chunk["usage"].is_object()));
}

#[tokio::test]
async fn a_tool_round_trip_calls_and_then_quotes_the_result() {
    let bench = Bench::new(Dials::default()).await;
    let mut body = say("please use tool weather");
    body["tools"] = json!([weather_tool()]);
    let answer: Value = bench.chat(&body).send().await.unwrap().json().await.unwrap();
    let choice = &answer["choices"][0];
    assert_eq!(choice["finish_reason"], "tool_calls");
    assert_eq!(choice["message"]["content"], Value::Null);
    let call = &choice["message"]["tool_calls"][0];
    assert_eq!(call["function"]["name"], "weather");
    assert_eq!(call["function"]["arguments"], r#"{"city":"city"}"#);
    assert_eq!(answer["usage"]["completion_tokens"], 10);

    let messages = body["messages"].as_array_mut().unwrap();
    messages.push(choice["message"].clone());
    messages.push(json!({"role": "tool", "tool_call_id": call["id"], "content": "21 degrees"}));
    let answer: Value = bench.chat(&body).send().await.unwrap().json().await.unwrap();
    assert_eq!(answer["choices"][0]["message"]["content"], "The tool answered: 21 degrees");
    assert_eq!(answer["usage"]["prompt_tokens"], 4 + 10 + 2 + 10);
}

#[tokio::test]
async fn streamed_tool_calls_rebuild_their_arguments_by_index() {
    let bench = Bench::new(Dials::default()).await;
    let mut body = say_streaming("use all tools");
    let mut other = weather_tool();
    other["function"]["name"] = json!("forecast");
    body["tools"] = json!([weather_tool(), other]);
    let chunks = events(bench.chat(&body).send().await.unwrap()).await;
    let mut arguments = [String::new(), String::new()];
    let mut names = Vec::new();
    for call in chunks.iter().map(|chunk| &chunk["choices"][0]["delta"]["tool_calls"][0]) {
        let Some(index) = call["index"].as_u64() else { continue };
        arguments[usize::try_from(index).unwrap()].push_str(call["function"]["arguments"].as_str().unwrap());
        names.extend(call["function"]["name"].as_str());
    }
    assert_eq!(names, ["weather", "forecast"]);
    assert_eq!(arguments, [r#"{"city":"city"}"#, r#"{"city":"city"}"#]);
}

#[tokio::test]
async fn limits_json_and_images_are_honoured() {
    let bench = Bench::new(Dials::default()).await;
    let mut body = say("one two three");
    body["max_completion_tokens"] = json!(3);
    let answer: Value = bench.chat(&body).send().await.unwrap().json().await.unwrap();
    assert_eq!(answer["choices"][0]["finish_reason"], "length");
    assert_eq!(answer["usage"]["completion_tokens"], 3);

    let mut body = say("hi");
    body["response_format"] = json!({"type": "json_object"});
    let answer: Value = bench.chat(&body).send().await.unwrap().json().await.unwrap();
    assert_eq!(answer["choices"][0]["message"]["content"], r#"{"answer":"You said: hi"}"#);

    let body = json!({"model": "m", "messages": [{"role": "user", "content": [
        {"type": "text", "text": "what is this"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}},
    ]}]});
    let answer: Value = bench.chat(&body).send().await.unwrap().json().await.unwrap();
    assert_eq!(answer["usage"]["prompt_tokens"], 3 + 85);
}

#[tokio::test]
async fn a_request_without_a_key_or_with_another_is_refused_in_shape() {
    let bench = Bench::new(Dials { api_key: Some("sk-right".to_owned()), ..Dials::default() }).await;
    let response = bench.chat(&say("hi")).send().await.unwrap();
    assert_eq!(response.status(), 401);
    let body: Value = response.json().await.unwrap();
    assert_eq!(body["error"]["code"], "invalid_api_key");

    let keyless = bench.http.post(bench.url("/v1/chat/completions")).json(&say("hi"));
    let body: Value = keyless.send().await.unwrap().json().await.unwrap();
    assert!(body["error"]["message"].as_str().unwrap().contains("didn't provide an API key"));
}

#[tokio::test]
async fn malformed_requests_and_unknown_paths_are_refused_in_shape() {
    let bench = Bench::new(Dials::default()).await;
    let garbage = bench.http.post(bench.url("/v1/chat/completions")).bearer_auth("k").body("{nope");
    let response = garbage.send().await.unwrap();
    assert_eq!(response.status(), 400);
    let body: Value = response.json().await.unwrap();
    assert_eq!(body["error"]["type"], "invalid_request_error");

    let response = bench.http.get(bench.url("/v1/nothing")).send().await.unwrap();
    assert_eq!(response.status(), 404);
    let body: Value = response.json().await.unwrap();
    assert_eq!(body["error"]["code"], "unknown_url");
}

#[tokio::test]
async fn models_are_listed() {
    let bench = Bench::new(Dials::default()).await;
    let list = bench.http.get(bench.url("/v1/models")).bearer_auth("k").send().await.unwrap();
    let list: Value = list.json().await.unwrap();
    assert_eq!(list["object"], "list");
    assert_eq!(list["data"][0]["id"], "sim-small");
}
