use serde_json::{Value, json};
use signalbox_simulator::{Dials, ErrorKind, UsageOverride};

use crate::{Bench, KEY};

impl Bench {
    fn responses(&self, body: &Value) -> reqwest::RequestBuilder {
        self.http.post(self.url("/v1/responses")).bearer_auth(KEY).json(body)
    }
}

fn ask(text: &str) -> Value {
    json!({"model": "sim-small", "input": text})
}

fn ask_streaming(text: &str) -> Value {
    json!({"model": "sim-small", "input": text, "stream": true})
}

/// Name and data of every event.
async fn events(response: reqwest::Response) -> Vec<(String, Value)> {
    let text = response.text().await.unwrap().replace("\r\n", "\n");
    let events = text.split("\n\n").filter(|event| event.starts_with("event: "));
    events
        .map(|event| {
            let (name, data) = event.split_once('\n').unwrap();
            let data = data.strip_prefix("data: ").unwrap();
            (name["event: ".len()..].to_owned(), serde_json::from_str(data).unwrap())
        })
        .collect()
}

async fn complete(bench: &Bench, body: &Value) -> Value {
    bench.responses(body).send().await.unwrap().json().await.unwrap()
}

#[tokio::test]
async fn a_complete_answer_is_a_response_object() {
    let bench = Bench::new(Dials::default()).await;
    let answer = complete(&bench, &ask("one two three")).await;
    assert_eq!((&answer["object"], &answer["status"]), (&json!("response"), &json!("completed")));
    assert_eq!(answer["output"][0]["content"][0]["text"], "You said: one two three");
    assert_eq!(
        answer["usage"],
        json!({
            "input_tokens": 3, "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
            "output_tokens": 5, "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 8,
        })
    );
}

#[tokio::test]
async fn a_stream_is_numbered_and_ends_with_the_whole_answer() {
    let bench = Bench::new(Dials { reasoning_text: true, ..Dials::default() }).await;
    let events = events(bench.responses(&ask_streaming("one two")).send().await.unwrap()).await;
    for (number, (name, event)) in events.iter().enumerate() {
        assert_eq!((&event["type"], &event["sequence_number"]), (&json!(name), &json!(number)));
    }
    assert_eq!(events[0].0, "response.created");
    let (name, last) = events.last().unwrap();
    assert_eq!(name, "response.completed");
    let said = events.iter().filter(|(name, _)| name == "response.output_text.delta");
    let said = said.map(|(_, event)| event["delta"].as_str().unwrap()).collect::<String>();
    assert_eq!(said, "You said: one two");
    bench.simulator.forget();
    let mut whole = complete(&bench, &ask("one two")).await;
    // Ids count the requests.
    whole["id"] = last["response"]["id"].clone();
    whole["output"][0]["id"] = last["response"]["output"][0]["id"].clone();
    whole["output"][1]["id"] = last["response"]["output"][1]["id"].clone();
    assert_eq!(last["response"], whole);
}

#[tokio::test]
async fn tools_are_called_with_flat_definitions_and_their_outputs_quoted() {
    let bench = Bench::new(Dials::default()).await;
    let tools = json!([{
        "type": "function", "name": "weather", "strict": true,
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    }]);
    let body = json!({"model": "m", "input": "please use tool weather", "tools": tools});
    let call = complete(&bench, &body).await["output"][0].clone();
    assert_eq!((&call["name"], &call["arguments"]), (&json!("weather"), &json!(r#"{"city":"city"}"#)));
    let output = json!({"type": "function_call_output", "call_id": call["call_id"], "output": "21 degrees"});
    let history = json!([{"role": "user", "content": "please use tool weather"}, call, output]);
    let answer = complete(&bench, &json!({"model": "m", "input": history, "tools": tools})).await;
    assert_eq!(answer["output"][0]["content"][0]["text"], "The tool answered: 21 degrees");
    assert_eq!(answer["usage"]["input_tokens"], 4 + 10 + 2 + 10);

    let mut streamed = body;
    streamed["stream"] = json!(true);
    let events = events(bench.responses(&streamed).send().await.unwrap()).await;
    let deltas = events.iter().filter(|(name, _)| name == "response.function_call_arguments.delta");
    let arguments = deltas.map(|(_, event)| event["delta"].as_str().unwrap()).collect::<String>();
    assert_eq!(arguments, r#"{"city":"city"}"#);
    assert_eq!(events.last().unwrap().1["response"]["output"][0]["arguments"], arguments);
}

#[tokio::test]
async fn the_vendors_own_search_is_an_item_of_its_own() {
    let bench = Bench::new(Dials::default()).await;
    let body = json!({"model": "m", "input": "search the web", "tools": [{"type": "web_search"}]});
    let kinds = |answer: &Value| {
        let items = answer["output"].as_array().unwrap().iter();
        items.map(|item| item["type"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(kinds(&complete(&bench, &body).await), ["web_search_call", "message"]);
    let silent = json!({"model": "m", "input": "say hello", "tools": [{"type": "web_search"}]});
    assert_eq!(kinds(&complete(&bench, &silent).await), ["message"]);
}

#[tokio::test]
async fn dials_reach_this_wire_too() {
    let dials = Dials {
        cached_tokens: 40,
        cache_write_tokens: 20,
        cache_write_1h_tokens: 5,
        reasoning_tokens: 7,
        output_tokens: Some(20),
        ..Dials::default()
    };
    let bench = Bench::new(dials).await;
    let usage = complete(&bench, &ask("a b c")).await["usage"].clone();
    assert_eq!((&usage["input_tokens"], &usage["output_tokens"]), (&json!(68), &json!(27)));
    assert_eq!(usage["input_tokens_details"]["cache_write_tokens_details"]["ttl_12h_tokens"], 5);
    let mut short = ask("hi");
    short["max_output_tokens"] = json!(16);
    let cut = complete(&bench, &short).await;
    assert_eq!(
        (&cut["status"], &cut["incomplete_details"]),
        (&json!("incomplete"), &json!({"reason": "max_output_tokens"}))
    );
    short["stream"] = json!(true);
    let events = events(bench.responses(&short).send().await.unwrap()).await;
    assert_eq!(events.last().unwrap().0, "response.incomplete");

    bench.simulator.dials().set(Dials { missing_usage: true, ..Dials::default() });
    assert_eq!(complete(&bench, &ask("hi")).await["usage"], Value::Null);
    bench.simulator.dials().set(Dials { usage_override: UsageOverride::Negative, ..Dials::default() });
    assert_eq!(complete(&bench, &ask("hi")).await["usage"]["output_tokens"], -3);
    bench.simulator.dials().set(Dials { extra_fields: true, ..Dials::default() });
    assert!(complete(&bench, &ask("hi")).await.get("x_sim_extra").is_some());
}

#[tokio::test]
async fn errors_have_openais_shape_and_inside_a_stream_their_own_event() {
    let bench = Bench::new(Dials { error: ErrorKind::InsufficientQuota, ..Dials::default() }).await;
    let response = bench.responses(&ask("hi")).send().await.unwrap();
    assert_eq!(response.status(), 429);
    let body: Value = response.json().await.unwrap();
    assert_eq!(body["error"]["code"], "insufficient_quota");

    bench.simulator.dials().update(|dials| dials.error_after_chunks = Some(0));
    let events = events(bench.responses(&ask_streaming("hi")).send().await.unwrap()).await;
    assert_eq!(events[0].0, "response.created");
    let (name, last) = events.last().unwrap();
    assert_eq!((name.as_str(), &last["error"]["code"]), ("error", &json!("insufficient_quota")));

    bench.simulator.dials().set(Dials { error: ErrorKind::Refusal, ..Dials::default() });
    let refused = complete(&bench, &ask("hi")).await;
    assert_eq!(refused["incomplete_details"], json!({"reason": "content_filter"}));
    assert_eq!(refused["output"][0]["content"][0]["type"], "refusal");
}

#[tokio::test]
async fn a_cut_stream_has_no_terminal_event() {
    let dials = Dials { truncate_after_chunks: Some(2), truncate_cleanly: true, ..Dials::default() };
    let bench = Bench::new(dials).await;
    let events = events(bench.responses(&ask_streaming("one two three")).send().await.unwrap()).await;
    assert!(events.iter().all(|(name, _)| name != "response.completed"));
    let deltas = events.iter().filter(|(name, _)| name == "response.output_text.delta").count();
    assert_eq!(deltas, 2);
}

#[tokio::test]
async fn a_request_of_the_other_wires_is_refused_in_shape() {
    let bench = Bench::new(Dials::default()).await;
    let response = bench.responses(&crate::say("hi")).send().await.unwrap();
    assert_eq!(response.status(), 400);
    let body: Value = response.json().await.unwrap();
    assert_eq!(
        (&body["error"]["type"], &body["error"]["param"]),
        (&json!("invalid_request_error"), &json!("messages"))
    );
}
