use signalbox_core::failure::FailureKind;
use signalbox_core::meter::UsageSource;
use signalbox_core::usage::{Unit, Usage};
use signalbox_simulator::{Dials, ErrorKind, RunningSimulator};

use super::rehearsed::{at, simulator};
use super::*;

const SIGNATURE: &str = "c2ltdWxhdGVk";
const UNSIGNED: &str = "skip_thought_signature_validator";

/// A call of a model that demands signatures.
fn strict(surface: Surface, body: Value) -> Call {
    Call { model: ModelName::new("gemini-3.8-flash").unwrap(), ..call(surface, body) }
}

fn google(simulator: &RunningSimulator) -> Account {
    at(simulator, ProviderKind::Gemini)
}

async fn answered(account: &Account, call: &Call) -> Value {
    let answer = providers().complete(account, call).await.unwrap();
    serde_json::from_slice(&answer.body).unwrap()
}

fn weather() -> Value {
    json!({"type": "function", "function": {
        "name": "weather", "description": "The weather.", "strict": true,
        "parameters": {
            "$schema": "x", "type": "object", "additionalProperties": false, "required": ["city"],
            "properties": {"city": {"type": "string", "minLength": 1}},
        },
    }})
}

fn parts(simulator: &RunningSimulator, turn: usize) -> Value {
    simulator.observed().requests.last().unwrap().body["contents"][turn]["parts"].clone()
}

#[tokio::test]
async fn a_base_url_is_taken_with_or_without_its_version() {
    let simulator = simulator(Dials::default()).await;
    for base in [simulator.base_url_gemini(), format!("{}/v1beta", simulator.base_url_gemini())] {
        let account = account(ProviderKind::Gemini, &base);
        let call = call(Surface::OpenaiChat, hello());
        providers().complete(&account, &call).await.unwrap();
        let mut stream = providers().stream(&account, &call).await.unwrap();
        play_out(&mut stream).await.1.unwrap();
        assert_eq!(providers().list_models(&account).await.unwrap(), ["sim-small", "sim-large"]);
    }
    let paths = simulator.observed().requests.into_iter().map(|request| request.path).collect::<Vec<_>>();
    let expected = [
        "/v1beta/models/sim-small:generateContent",
        "/v1beta/models/sim-small:streamGenerateContent?alt=sse",
        "/v1beta/models?pageSize=1000",
    ];
    assert_eq!(paths, [expected, expected].concat());
}

#[tokio::test]
async fn a_model_is_named_with_or_without_its_collection() {
    let simulator = simulator(Dials::default()).await;
    for name in ["gemini-3.8-flash", "models/gemini-3.8-flash"] {
        let call = Call { model: ModelName::new(name).unwrap(), ..call(Surface::OpenaiChat, hello()) };
        let answer = answered(&google(&simulator), &call).await;
        assert_eq!(answer["model"], "gemini-3.8-flash");
    }
}

#[tokio::test]
async fn an_openai_clients_tool_round_trip_brings_the_signature_back() {
    let simulator = simulator(Dials::default()).await;
    let account = google(&simulator);
    let mut body = json!({"messages": [{"role": "user", "content": "use tool"}], "tools": [weather()]});
    let first = answered(&account, &strict(Surface::OpenaiChat, body.clone())).await;
    let message = first["choices"][0]["message"].clone();
    assert_eq!(first["choices"][0]["finish_reason"], "tool_calls");
    assert_eq!(
        message["tool_calls"][0]["function"],
        json!({"name": "weather", "arguments": "{\"city\":\"city\"}"})
    );

    let result =
        json!({"role": "tool", "tool_call_id": message["tool_calls"][0]["id"], "content": "21 degrees"});
    body["messages"].as_array_mut().unwrap().extend([message, result]);
    let second = answered(&account, &strict(Surface::OpenaiChat, body.clone())).await;
    assert_eq!(second["choices"][0]["message"]["content"], "The tool answered: 21 degrees");
    assert_eq!(parts(&simulator, 1)[0]["thoughtSignature"], SIGNATURE);

    // A strict server of another vendor would refuse the field, and does not see it.
    answered(&at(&simulator, ProviderKind::Simulator), &call(Surface::OpenaiChat, body.clone())).await;
    let sent = simulator.observed().requests.last().unwrap().body.clone();
    assert!(!sent.to_string().contains("extra_content"), "{sent}");
    let compatible = strict(Surface::OpenaiChat, body);
    answered(&at(&simulator, ProviderKind::Simulator), &compatible).await;
    let sent = simulator.observed().requests.last().unwrap().body.clone();
    assert!(sent.to_string().contains(SIGNATURE), "{sent}");
}

#[tokio::test]
async fn a_streamed_tool_round_trip_brings_the_signature_back_too() {
    let simulator = simulator(Dials::default()).await;
    let body = json!({"messages": [{"role": "user", "content": "use all tools"}], "tools": [weather()]});
    let mut stream =
        providers().stream(&google(&simulator), &strict(Surface::OpenaiChat, body)).await.unwrap();
    let (text, ended) = play_out(&mut stream).await;
    assert!(
        text.contains(&format!(r#""extra_content":{{"google":{{"thought_signature":"{SIGNATURE}"}}}}"#)),
        "{text}"
    );
    assert_eq!(ended.unwrap().finish_reason.as_deref(), Some("tool_calls"));
}

#[tokio::test]
async fn an_anthropic_clients_tool_round_trip_works_without_the_signature() {
    let simulator = simulator(Dials::default()).await;
    let account = google(&simulator);
    let mut body = json!({
        "max_tokens": 100, "messages": [{"role": "user", "content": "use all tools"}],
        "tools": [
            {"name": "weather", "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}}},
            {"name": "time", "input_schema": {"type": "object", "properties": {}}},
        ],
    });
    let first = answered(&account, &strict(Surface::AnthropicMessages, body.clone())).await;
    assert_eq!(first["stop_reason"], "tool_use");
    let results = first["content"].as_array().unwrap().iter().map(|block| {
        json!({"type": "tool_result", "tool_use_id": block["id"], "content": [{"type": "text", "text": "done"}]})
    });
    let results = results.collect::<Vec<_>>();
    let messages = body["messages"].as_array_mut().unwrap();
    messages.push(json!({"role": "assistant", "content": first["content"]}));
    messages.push(json!({"role": "user", "content": results}));
    let second = answered(&account, &strict(Surface::AnthropicMessages, body)).await;
    assert_eq!(second["content"][0]["text"], "The tool answered: done done");
    let sent = parts(&simulator, 1);
    assert_eq!((&sent[0]["thoughtSignature"], sent[1].get("thoughtSignature")), (&json!(UNSIGNED), None));
}

#[tokio::test]
async fn an_anthropic_client_that_thinks_brings_the_signature_back_and_anthropic_does_not_see_it() {
    let simulator = simulator(Dials { reasoning_text: true, ..Dials::default() }).await;
    let account = google(&simulator);
    let mut body = json!({
        "max_tokens": 100, "messages": [{"role": "user", "content": "use tool"}],
        "tools": [{"name": "weather", "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}}}],
        "thinking": {"type": "enabled", "budget_tokens": 2000},
    });
    let call = |body: &Value| strict(Surface::AnthropicMessages, body.clone());
    let mut stream = providers().stream(&account, &call(&body)).await.unwrap();
    let (text, _) = play_out(&mut stream).await;
    let signed = format!(r#"{{"type":"signature_delta","signature":"google:{SIGNATURE}"}}"#);
    assert!(text.contains(&signed), "{text}");

    let first = answered(&account, &call(&body)).await;
    let content = first["content"].as_array().unwrap().clone();
    let kinds = content.iter().map(|block| block["type"].as_str().unwrap()).collect::<Vec<_>>();
    assert_eq!(kinds, ["thinking", "thinking", "tool_use"]);
    let result = json!({"type": "tool_result", "tool_use_id": content[2]["id"], "content": "done"});
    let messages = body["messages"].as_array_mut().unwrap();
    messages.push(json!({"role": "assistant", "content": content}));
    messages.push(json!({"role": "user", "content": [result]}));
    answered(&account, &call(&body)).await;
    assert_eq!(parts(&simulator, 1)[0]["thoughtSignature"], SIGNATURE);

    answered(&at(&simulator, ProviderKind::Anthropic), &call(&body)).await;
    let sent = simulator.observed().requests.last().unwrap().body["messages"].clone();
    assert!(!sent.to_string().contains("google:") && sent.to_string().contains("tool_use"), "{sent}");
}

#[tokio::test]
async fn a_client_of_the_responses_api_makes_a_tool_round_trip() {
    let simulator = simulator(Dials::default()).await;
    let account = google(&simulator);
    let mut body = json!({
        "input": [{"role": "user", "content": "use tool"}],
        "tools": [{"type": "function", "name": "weather", "parameters": {"type": "object", "properties": {}}}],
    });
    let first = answered(&account, &strict(Surface::OpenaiResponses, body.clone())).await;
    let items = first["output"].as_array().unwrap().clone();
    let kinds = items.iter().map(|item| item["type"].as_str().unwrap()).collect::<Vec<_>>();
    assert_eq!(kinds, ["function_call"]);
    let result =
        json!({"type": "function_call_output", "call_id": items[0]["call_id"], "output": "21 degrees"});
    body["input"].as_array_mut().unwrap().extend(items.into_iter().chain([result]));
    let call = strict(Surface::OpenaiResponses, body);
    let second = answered(&account, &call).await;
    assert!(second["output"].to_string().contains("The tool answered: 21 degrees"), "{second}");
    let mut stream = providers().stream(&account, &call).await.unwrap();
    let (text, ended) = play_out(&mut stream).await;
    assert!(text.contains("response.completed"), "{text}");
    assert_eq!(ended.unwrap().source, UsageSource::Reported);
}

#[tokio::test]
async fn whatever_a_client_can_ask_for_is_taken_by_a_strict_server() {
    let simulator = simulator(Dials { reasoning_tokens: 4, reasoning_text: true, ..Dials::default() }).await;
    let account = google(&simulator);
    let openai = json!({
        "messages": [
            {"role": "system", "content": "be brief"},
            {"role": "user", "content": [
                {"type": "text", "text": "what is this"},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}},
                {"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}},
            ]},
        ],
        "response_format": {"type": "json_schema", "json_schema": {"name": "label", "strict": true, "schema": {
            "type": "object", "properties": {"label": {"type": "string"}}, "required": ["label"], "additionalProperties": false,
        }}},
        "max_completion_tokens": 50, "temperature": 0.4, "top_p": 0.9, "stop": ["END"], "reasoning_effort": "high",
        "parallel_tool_calls": false, "seed": 7, "user": "u-1", "logprobs": false, "metadata": {"a": "b"}, "store": false,
    });
    let answer = providers().complete(&account, &strict(Surface::OpenaiChat, openai)).await.unwrap();
    let body: Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(body["choices"][0]["message"]["content"], r#"{"label":"label"}"#);
    assert_eq!(body["choices"][0]["message"]["reasoning_content"], "Let me think about it.");
    let expected = Usage::default()
        .with(Unit::InputTokens, 2 + 3 + 85)
        .with(Unit::OutputTokens, 1)
        .with(Unit::ReasoningTokens, 4);
    assert_eq!((answer.metering.usage, answer.metering.source), (expected, UsageSource::Reported));

    let anthropic = json!({
        "max_tokens": 50, "system": [{"type": "text", "text": "be brief", "cache_control": {"type": "ephemeral"}}],
        "messages": [{"role": "user", "content": [
            {"type": "text", "text": "one two", "cache_control": {"type": "ephemeral"}},
            {"type": "document", "title": "a", "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="}},
        ]}],
        "thinking": {"type": "enabled", "budget_tokens": 2000}, "top_k": 5, "stop_sequences": ["END"],
        "metadata": {"user_id": "u-1"}, "tools": [{"name": "nothing", "input_schema": {"type": "object", "properties": {}}}],
        "tool_choice": {"type": "auto", "disable_parallel_tool_use": true},
    });
    let body = answered(&account, &strict(Surface::AnthropicMessages, anthropic)).await;
    assert_eq!(body["content"][0]["thinking"], "Let me think about it.");
    assert_eq!(body["content"][1]["text"], "You said: one two");
}

#[tokio::test]
async fn sound_goes_only_to_who_can_hear_it() {
    let simulator = simulator(Dials::default()).await;
    let part = json!({"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "mp3"}});
    let call = call(Surface::OpenaiChat, json!({"messages": [{"role": "user", "content": [part]}]}));
    providers().complete(&google(&simulator), &call).await.unwrap();
    let sent = parts(&simulator, 0);
    assert_eq!(sent, json!([{"inlineData": {"mimeType": "audio/mp3", "data": "UklGRg=="}}]));
    let failure = providers().complete(&at(&simulator, ProviderKind::Anthropic), &call).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Unsupported);
    assert!(failure.message.starts_with("messages: "), "{}", failure.message);
    assert_eq!(simulator.observed().received, 1);
}

#[tokio::test]
async fn a_refused_prompt_and_a_refused_answer_are_refusals_on_every_surface() {
    let simulator = simulator(Dials::default()).await;
    for error in [ErrorKind::ContentFilter, ErrorKind::Refusal] {
        simulator.dials().set(Dials { error, ..Dials::default() });
        for (surface, word) in
            [(Surface::OpenaiChat, "content_filter"), (Surface::AnthropicMessages, "refusal")]
        {
            let call = call(surface, hello());
            let complete = providers().complete(&google(&simulator), &call).await.unwrap().metering;
            let mut stream = providers().stream(&google(&simulator), &call).await.unwrap();
            let streamed = play_out(&mut stream).await.1.unwrap();
            assert_eq!(complete, streamed, "{error:?}");
            assert_eq!(complete.finish_reason.as_deref(), Some(word));
            assert_eq!((complete.source, complete.usage.get(Unit::InputTokens)), (UsageSource::Reported, 3));
        }
    }
}

#[tokio::test]
async fn a_wait_is_read_from_the_body_and_an_empty_account_is_no_rate_limit() {
    let simulator = simulator(Dials::default()).await;
    let call = call(Surface::OpenaiChat, hello());
    for (error, kind, wait) in [
        (ErrorKind::RateLimit, FailureKind::RateLimit, Some(Duration::from_secs(17))),
        (ErrorKind::InsufficientQuota, FailureKind::OutOfCredit, None),
    ] {
        simulator.dials().set(Dials { error, retry_after_s: Some(17), ..Dials::default() });
        let failure = providers().complete(&google(&simulator), &call).await.unwrap_err();
        assert_eq!((failure.kind, failure.retry_after, failure.http_status), (kind, wait, Some(429)));
    }
}

#[tokio::test]
async fn a_stream_cut_after_every_chunk_but_the_last_never_ends_well() {
    let simulator = simulator(Dials::default()).await;
    for surface in [Surface::OpenaiChat, Surface::AnthropicMessages] {
        // Five words, then the reason to finish.
        for (after, cleanly) in (0..5).flat_map(|after| [(after, true), (after, false)]) {
            let dials = Dials {
                truncate_after_chunks: Some(after),
                truncate_cleanly: cleanly,
                frame_bytes: Some(7),
                sse_crlf: true,
                ..Dials::default()
            };
            simulator.dials().set(dials);
            let call = call(surface, hello());
            let mut stream = providers().stream(&google(&simulator), &call).await.unwrap();
            let (text, ended) = play_out(&mut stream).await;
            let failure = ended.unwrap_err();
            assert_eq!(failure.kind, FailureKind::Truncated, "after {after}: {text}");
            assert_eq!(failure.metering.is_some(), after > 0, "after {after}");
        }
        simulator.dials().set(Dials { truncate_after_chunks: Some(5), ..Dials::default() });
        let mut stream = providers().stream(&google(&simulator), &call(surface, hello())).await.unwrap();
        assert_eq!(play_out(&mut stream).await.1.unwrap().source, UsageSource::Reported);
    }
}
