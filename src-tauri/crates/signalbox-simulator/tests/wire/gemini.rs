use std::time::Duration;

use reqwest::{RequestBuilder, Response};
use serde_json::{Value, json};
use signalbox_simulator::{Dials, ErrorKind, UsageOverride};
use tokio::time::Instant;

use crate::{Bench, KEY, events};

const SIGNATURE: &str = "c2ltdWxhdGVk";

fn post(bench: &Bench, path: &str, body: &Value) -> RequestBuilder {
    bench.http.post(bench.url(&format!("/v1beta/models/{path}"))).header("x-goog-api-key", KEY).json(body)
}

fn generate(bench: &Bench, body: &Value) -> RequestBuilder {
    post(bench, "gemini-3.8-flash:generateContent", body)
}

fn stream(bench: &Bench, body: &Value) -> RequestBuilder {
    post(bench, "gemini-3.8-flash:streamGenerateContent?alt=sse", body)
}

fn say(text: &str) -> Value {
    json!({"contents": [{"role": "user", "parts": [{"text": text}]}]})
}

async fn answer(request: RequestBuilder) -> Value {
    request.send().await.unwrap().json().await.unwrap()
}

async fn refusal(request: RequestBuilder) -> (u16, Value) {
    let response: Response = request.send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

fn texts(chunks: &[Value]) -> String {
    chunks.iter().filter_map(|chunk| chunk.pointer("/candidates/0/content/parts/0/text")?.as_str()).collect()
}

fn weather() -> Value {
    json!([{"functionDeclarations": [{"name": "weather", "parametersJsonSchema": {
        "type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}]}])
}

#[tokio::test]
async fn a_complete_answer_echoes_and_counts_by_word() {
    let dials = Dials { cached_tokens: 40, reasoning_tokens: 7, ..Dials::default() };
    let bench = Bench::new(dials).await;
    let mut body = say("hello big world");
    body["systemInstruction"] = json!({"parts": [{"text": "be brief"}]});
    let answer = answer(generate(&bench, &body)).await;
    let candidate = &answer["candidates"][0];
    assert_eq!(
        candidate["content"],
        json!({"parts": [{"text": "You said: hello big world"}], "role": "model"})
    );
    assert_eq!(candidate["finishReason"], "STOP");
    assert_eq!(
        (&answer["modelVersion"], &answer["responseId"]),
        (&json!("gemini-3.8-flash"), &json!("sim1"))
    );
    assert_eq!(
        answer["usageMetadata"],
        json!({
            "promptTokenCount": 45, "candidatesTokenCount": 5, "totalTokenCount": 57, "thoughtsTokenCount": 7,
            "cachedContentTokenCount": 40,
            "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 45}],
            "candidatesTokensDetails": [{"modality": "TEXT", "tokenCount": 5}],
            "cacheTokensDetails": [{"modality": "TEXT", "tokenCount": 40}],
        })
    );
}

#[tokio::test]
async fn a_stream_is_chunks_with_running_totals_and_no_terminal_event() {
    let bench = Bench::new(Dials::default()).await;
    let response = stream(&bench, &say("hi there")).send().await.unwrap();
    assert!(response.headers()["content-type"].to_str().unwrap().starts_with("text/event-stream"));
    let chunks = events(response).await;
    assert_eq!(texts(&chunks), "You said: hi there");
    let finishes =
        chunks.iter().map(|chunk| chunk["candidates"][0]["finishReason"].as_str()).collect::<Vec<_>>();
    assert_eq!(finishes, [None, None, None, None, Some("STOP")]);
    let totals = chunks.iter().map(|chunk| chunk["usageMetadata"]["totalTokenCount"].as_u64().unwrap());
    assert_eq!(totals.collect::<Vec<_>>(), [3, 4, 5, 6, 6]);
}

#[tokio::test]
async fn without_events_a_stream_is_one_list_of_the_same_chunks() {
    let bench = Bench::new(Dials::default()).await;
    let list = answer(post(&bench, "m:streamGenerateContent", &say("hi there"))).await;
    assert_eq!(texts(list.as_array().unwrap()), "You said: hi there");
}

#[tokio::test]
async fn a_tool_round_trip_calls_and_then_quotes_the_result() {
    let bench = Bench::new(Dials::default()).await;
    let mut body = say("what is the weather");
    body["tools"] = weather();
    body["toolConfig"] = json!({"functionCallingConfig": {"mode": "ANY"}});
    let first = answer(generate(&bench, &body)).await;
    let candidate = &first["candidates"][0];
    assert_eq!(
        candidate["content"]["parts"],
        json!([{
            "functionCall": {"id": "sim1call0", "name": "weather", "args": {"city": "city"}},
            "thoughtSignature": SIGNATURE,
        }])
    );
    assert_eq!(candidate["finishReason"], "STOP");
    assert_eq!(first["usageMetadata"]["candidatesTokenCount"], 10);

    let contents = body["contents"].as_array_mut().unwrap();
    contents.push(candidate["content"].clone());
    let result = json!({"id": "sim1call0", "name": "weather", "response": {"output": "21 degrees"}});
    contents.push(json!({"role": "user", "parts": [{"functionResponse": result}]}));
    let second = answer(generate(&bench, &body)).await;
    assert_eq!(second["candidates"][0]["content"]["parts"][0]["text"], "The tool answered: 21 degrees");
    assert_eq!(second["usageMetadata"]["promptTokenCount"], 4 + 10 + 2 + 10);

    body["contents"][1]["parts"][0].as_object_mut().unwrap().remove("thoughtSignature");
    let (status, error) = refusal(generate(&bench, &body)).await;
    assert_eq!(status, 400);
    assert!(error["error"]["message"].as_str().unwrap().contains("missing a thought_signature"), "{error}");
    let (status, _) = refusal(post(&bench, "gemini-2.5-flash:generateContent", &body)).await;
    assert_eq!(status, 200);
}

#[tokio::test]
async fn streamed_calls_come_whole_and_only_the_first_is_signed() {
    let bench = Bench::new(Dials::default()).await;
    let mut body = say("use all tools");
    body["tools"] = json!([{"functionDeclarations": [{"name": "weather"}, {"name": "forecast"}]}]);
    let chunks = events(stream(&bench, &body).send().await.unwrap()).await;
    let parts = chunks.iter().filter_map(|chunk| chunk.pointer("/candidates/0/content/parts/0"));
    let calls = parts.filter(|part| part.get("functionCall").is_some()).cloned().collect::<Vec<_>>();
    assert_eq!(
        calls,
        [
            json!({"functionCall": {"id": "sim1call0", "name": "weather", "args": {}}, "thoughtSignature": SIGNATURE}),
            json!({"functionCall": {"id": "sim1call1", "name": "forecast", "args": {}}}),
        ]
    );
}

#[tokio::test]
async fn thoughts_are_shown_to_who_asks_and_counted_for_all() {
    let bench = Bench::new(Dials { reasoning_tokens: 7, reasoning_text: true, ..Dials::default() }).await;
    let silent = answer(generate(&bench, &say("hi"))).await;
    assert_eq!(silent["candidates"][0]["content"]["parts"].as_array().unwrap().len(), 1);
    assert_eq!(silent["usageMetadata"]["thoughtsTokenCount"], 7);
    let mut body = say("hi");
    body["generationConfig"] = json!({"thinkingConfig": {"thinkingLevel": "low", "includeThoughts": true}});
    let aloud = answer(generate(&bench, &body)).await;
    assert_eq!(aloud["candidates"][0]["content"]["parts"][0]["thought"], true);
    let chunks = events(stream(&bench, &body).send().await.unwrap()).await;
    assert_eq!(chunks[0]["candidates"][0]["content"]["parts"][0]["thought"], true);
}

#[tokio::test]
async fn limits_stop_sequences_and_json_are_honoured() {
    let bench = Bench::new(Dials::default()).await;
    let with = |config: Value| {
        let mut body = say("one two three");
        body["generationConfig"] = config;
        body
    };
    let limited = answer(generate(&bench, &with(json!({"maxOutputTokens": 2})))).await;
    assert_eq!(limited["candidates"][0]["finishReason"], "MAX_TOKENS");
    assert_eq!(limited["usageMetadata"]["candidatesTokenCount"], 2);
    let stopped = answer(generate(&bench, &with(json!({"stopSequences": ["two"]})))).await;
    assert_eq!(stopped["candidates"][0]["content"]["parts"][0]["text"], "You said: one");
    let schema = json!({"type": "object", "properties": {"label": {"type": "string"}}});
    let config = json!({"responseMimeType": "application/json", "responseJsonSchema": schema});
    let typed = answer(generate(&bench, &with(config))).await;
    assert_eq!(typed["candidates"][0]["content"]["parts"][0]["text"], r#"{"label":"label"}"#);
}

#[tokio::test]
async fn each_error_has_googles_shape() {
    let bench = Bench::new(Dials::default()).await;
    for (error, status, word) in [
        (ErrorKind::RateLimit, 429, "RESOURCE_EXHAUSTED"),
        (ErrorKind::InsufficientQuota, 429, "RESOURCE_EXHAUSTED"),
        (ErrorKind::Overloaded, 503, "UNAVAILABLE"),
        (ErrorKind::ServerError, 500, "INTERNAL"),
        (ErrorKind::InvalidKey, 400, "INVALID_ARGUMENT"),
        (ErrorKind::PermissionDenied, 403, "PERMISSION_DENIED"),
        (ErrorKind::ModelNotFound, 404, "NOT_FOUND"),
        (ErrorKind::BadRequest, 400, "INVALID_ARGUMENT"),
        (ErrorKind::ContextLength, 400, "INVALID_ARGUMENT"),
    ] {
        bench.simulator.dials().set(Dials { error, retry_after_s: Some(3), ..Dials::default() });
        let response = generate(&bench, &say("hi")).send().await.unwrap();
        assert!(!response.headers().contains_key("retry-after"));
        assert_eq!(response.status(), status, "{error:?}");
        let body: Value = response.json().await.unwrap();
        assert_eq!(
            (&body["error"]["code"], &body["error"]["status"]),
            (&json!(status), &json!(word)),
            "{error:?}"
        );
        let waits = body.to_string().contains(r#""retryDelay":"3s""#);
        assert_eq!(waits, error == ErrorKind::RateLimit, "{body}");
    }
    bench.simulator.dials().set(Dials { error: ErrorKind::BadGateway, ..Dials::default() });
    assert_eq!(generate(&bench, &say("hi")).send().await.unwrap().status(), 502);
    bench.simulator.dials().set(Dials { error: ErrorKind::Drop, ..Dials::default() });
    assert!(generate(&bench, &say("hi")).send().await.is_err());
}

#[tokio::test]
async fn a_refused_prompt_has_feedback_and_no_candidates_and_a_refusal_its_finish_reason() {
    let bench = Bench::new(Dials { error: ErrorKind::ContentFilter, ..Dials::default() }).await;
    let blocked = answer(generate(&bench, &say("hi"))).await;
    assert_eq!(blocked["promptFeedback"], json!({"blockReason": "PROHIBITED_CONTENT"}));
    assert_eq!((blocked.get("candidates"), &blocked["usageMetadata"]["totalTokenCount"]), (None, &json!(1)));
    let chunks = events(stream(&bench, &say("hi")).send().await.unwrap()).await;
    assert_eq!((chunks.len(), chunks[0].get("candidates")), (1, None));
    bench.simulator.dials().set(Dials { error: ErrorKind::Refusal, ..Dials::default() });
    let refused = answer(generate(&bench, &say("hi"))).await;
    assert_eq!(refused["candidates"][0]["finishReason"], "SAFETY");
}

#[tokio::test]
async fn the_key_is_demanded_in_its_header_and_shown_nowhere() {
    let bench = Bench::new(Dials { api_key: Some(KEY.to_owned()), ..Dials::default() }).await;
    let url = bench.url(&format!("/v1beta/models/m:generateContent?key={KEY}"));
    let (status, body) = refusal(bench.http.post(&url).json(&say("hi"))).await;
    assert_eq!((status, &body["error"]["status"]), (403, &json!("PERMISSION_DENIED")));
    let other =
        bench.http.post(bench.url("/v1beta/models/m:generateContent")).header("x-goog-api-key", "other");
    let (status, body) = refusal(other.json(&say("hi"))).await;
    assert_eq!((status, &body["error"]["details"][0]["reason"]), (400, &json!("API_KEY_INVALID")));
    let (status, _) = refusal(generate(&bench, &say("hi"))).await;
    assert_eq!(status, 200);
    let credential = bench.simulator.observed().requests[2].credential.clone().unwrap();
    assert_eq!((credential.header.as_str(), credential.last4.as_str()), ("x-goog-api-key", "abcd"));
}

#[tokio::test]
async fn unknown_fields_paths_and_methods_are_refused_in_shape() {
    let bench = Bench::new(Dials::default()).await;
    let mut body = say("hi");
    body["messages"] = json!([]);
    let (status, error) = refusal(generate(&bench, &body)).await;
    assert_eq!((status, &error["error"]["status"]), (400, &json!("INVALID_ARGUMENT")));
    assert!(error["error"]["message"].as_str().unwrap().contains("messages"), "{error}");
    for path in ["m:paint", "m"] {
        let (status, error) = refusal(post(&bench, path, &say("hi"))).await;
        assert_eq!((status, &error["error"]["status"]), (404, &json!("NOT_FOUND")), "{path}");
    }
}

#[tokio::test]
async fn models_are_listed_and_tokens_counted() {
    let bench = Bench::new(Dials::default()).await;
    let get = |path: &str| bench.http.get(bench.url(path)).header("x-goog-api-key", KEY);
    let list = answer(get("/v1beta/models?pageSize=1000")).await;
    assert_eq!(list["models"][0]["name"], "models/sim-small");
    assert_eq!(answer(get("/v1beta/models/sim-large")).await["name"], "models/sim-large");
    let counted = answer(post(&bench, "m:countTokens", &say("a b c"))).await;
    assert_eq!(counted["totalTokens"], 3);
}

#[tokio::test]
async fn streams_break_stall_and_fail_as_the_dials_say() {
    let bench = Bench::new(Dials { truncate_after_chunks: Some(2), ..Dials::default() }).await;
    assert!(stream(&bench, &say("one two")).send().await.unwrap().text().await.is_err());
    bench.simulator.dials().update(|dials| dials.truncate_cleanly = true);
    let chunks = events(stream(&bench, &say("one two")).send().await.unwrap()).await;
    assert_eq!(texts(&chunks), "You said: ");
    assert!(chunks.iter().all(|chunk| chunk["candidates"][0].get("finishReason").is_none()));
    let failing = Dials { error: ErrorKind::Overloaded, error_after_chunks: Some(1), ..Dials::default() };
    bench.simulator.dials().set(failing);
    let chunks = events(stream(&bench, &say("one two")).send().await.unwrap()).await;
    assert_eq!(chunks.last().unwrap()["error"]["status"], "UNAVAILABLE");
    let odd = Dials { sse_comments: true, sse_crlf: true, frame_bytes: Some(3), ..Dials::default() };
    bench.simulator.dials().set(odd);
    let chunks = events(stream(&bench, &say("caf\u{e9}")).send().await.unwrap()).await;
    assert_eq!(texts(&chunks), "You said: caf\u{e9}");
}

#[tokio::test]
async fn usage_is_missing_or_lies_as_the_dials_say() {
    let bench = Bench::new(Dials { missing_usage: true, ..Dials::default() }).await;
    assert_eq!(answer(generate(&bench, &say("hi"))).await.get("usageMetadata"), None);
    let lying = Dials { usage_override: UsageOverride::Negative, ..Dials::default() };
    bench.simulator.dials().set(lying);
    let usage = &answer(generate(&bench, &say("hi"))).await["usageMetadata"];
    assert_eq!(
        (&usage["promptTokenCount"], &usage["promptTokensDetails"][0]["tokenCount"]),
        (&json!(-1), &json!(-1))
    );
    let chunks = events(stream(&bench, &say("hi")).send().await.unwrap()).await;
    assert!(chunks.iter().all(|chunk| chunk["usageMetadata"]["promptTokenCount"] == -1));
}

#[tokio::test(start_paused = true)]
async fn latency_and_intervals_pass_on_the_clock() {
    let dials =
        Dials { latency_ms: 300_000, first_chunk_ms: 60_000, chunk_interval_ms: 10_000, ..Dials::default() };
    let bench = Bench::new(dials).await;
    let start = Instant::now();
    let response = stream(&bench, &say("hi")).send().await.unwrap();
    events(response).await;
    // Rounded: the paused clock moves in steps of a millisecond around network events.
    assert_eq!((start.elapsed() + Duration::from_millis(500)).as_secs(), 300 + 60 + 2 * 10);
}
