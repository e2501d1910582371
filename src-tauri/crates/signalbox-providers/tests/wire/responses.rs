//! The Responses API over real sockets: as a surface before every provider, and as a provider.

use signalbox_core::failure::FailureKind;
use signalbox_core::meter::UsageSource;
use signalbox_core::usage::{Unit, Usage};
use signalbox_simulator::{Dials, ErrorKind, UsageOverride};

use super::rehearsed::{at, simulator};
use super::*;

/// The simulator's kind passes responses through; before the others they are converted.
const KINDS: [ProviderKind; 4] =
    [ProviderKind::Simulator, ProviderKind::Openai, ProviderKind::Anthropic, ProviderKind::Gemini];

fn ask() -> Value {
    json!({"model": "op:chat_message", "input": "one two three", "reasoning": {"effort": "low", "summary": "auto"}})
}

fn asked(body: Value) -> Call {
    call(Surface::OpenaiResponses, body)
}

/// A call of a model that only responses serve.
fn only(surface: Surface, body: Value) -> Call {
    Call { model: ModelName::new("gpt-5-codex").unwrap(), ..call(surface, body) }
}

fn terminal(text: &str) -> Value {
    let mut data = text.lines().filter_map(|line| line.strip_prefix("data: "));
    serde_json::from_str(data.next_back().unwrap()).unwrap()
}

/// Output items without their ids.
fn contents(response: &Value) -> Vec<Value> {
    let mut items = response["output"].as_array().unwrap().clone();
    for item in &mut items {
        item.as_object_mut().unwrap().retain(|key, _| !key.ends_with("id"));
    }
    items
}

#[tokio::test]
async fn a_client_of_responses_reaches_every_provider_and_streamed_is_as_complete() {
    let dials = Dials { cached_tokens: 7, reasoning_tokens: 5, reasoning_text: true, ..Dials::default() };
    let simulator = simulator(dials).await;
    let expected = Usage::default()
        .with(Unit::InputTokens, 3)
        .with(Unit::CachedInputTokens, 7)
        .with(Unit::OutputTokens, 5)
        .with(Unit::ReasoningTokens, 5);
    for kind in KINDS {
        let account = at(&simulator, kind);
        // Which of Google's models think is told by their names.
        let model = if kind == ProviderKind::Gemini { "gemini-3.8-flash" } else { "sim-small" };
        let call = Call { model: ModelName::new(model).unwrap(), ..asked(ask()) };
        let answer = providers().complete(&account, &call).await.unwrap();
        assert_eq!((answer.metering.usage, answer.metering.source), (expected, UsageSource::Reported));
        assert_eq!(answer.metering.finish_reason.as_deref(), Some("completed"));
        let body: Value = serde_json::from_slice(&answer.body).unwrap();
        let kinds = body["output"].as_array().unwrap().iter().map(|item| item["type"].clone());
        assert_eq!(kinds.collect::<Vec<_>>(), ["reasoning", "message"], "{kind:?}: {body}");
        assert_eq!(body["output"][1]["content"][0]["text"], "You said: one two three");

        let mut stream = providers().stream(&account, &call).await.unwrap();
        let (text, ended) = play_out(&mut stream).await;
        assert_eq!(ended.unwrap(), answer.metering, "{kind:?}: {text}");
        let last = terminal(&text);
        assert_eq!(last["type"], "response.completed");
        assert_eq!(contents(&last["response"]), contents(&body), "{kind:?}");
        assert_eq!(last["response"]["usage"], body["usage"], "{kind:?}");
    }
}

#[tokio::test]
async fn a_model_that_only_responses_serve_is_reached_from_the_other_surfaces() {
    let dials = Dials { cached_tokens: 7, reasoning_tokens: 5, ..Dials::default() };
    let simulator = simulator(dials).await;
    let account = at(&simulator, ProviderKind::Simulator);
    for surface in [Surface::OpenaiChat, Surface::AnthropicMessages] {
        let call = only(surface, hello());
        let answer = providers().complete(&account, &call).await.unwrap();
        let usage = answer.metering.usage;
        assert_eq!((usage.tokens_in(), usage.get(Unit::CachedInputTokens), usage.tokens_out()), (10, 7, 10));
        let mut stream = providers().stream(&account, &call).await.unwrap();
        let (text, ended) = play_out(&mut stream).await;
        assert_eq!(ended.unwrap(), answer.metering, "{text}");
        assert!(text.contains("three"), "{text}");
    }
    for request in simulator.observed().requests {
        assert_eq!((request.path.as_str(), &request.body["store"]), ("/v1/responses", &json!(false)));
        assert_eq!(request.body["max_output_tokens"], 100);
    }
}

#[tokio::test]
async fn tool_calls_go_round_from_one_api_to_the_other() {
    let simulator = simulator(Dials::default()).await;
    let tools = json!([{"type": "function", "name": "weather", "strict": true, "parameters": {"type": "object", "properties": {}}}]);
    for kind in KINDS {
        let account = at(&simulator, kind);
        let first = asked(json!({"input": "use tool weather", "tools": tools}));
        let answer = providers().complete(&account, &first).await.unwrap();
        let mut input = vec![json!({"role": "user", "content": "use tool weather"})];
        let body: Value = serde_json::from_slice(&answer.body).unwrap();
        let call = body["output"].as_array().unwrap().last().unwrap().clone();
        assert_eq!((&call["type"], &call["name"]), (&json!("function_call"), &json!("weather")), "{kind:?}");
        input.extend(body["output"].as_array().unwrap().clone());
        input.push(
            json!({"type": "function_call_output", "call_id": call["call_id"], "output": "21 degrees"}),
        );
        let second = asked(json!({"input": input, "tools": tools, "stream": true}));
        let mut stream = providers().stream(&account, &second).await.unwrap();
        let (text, ended) = play_out(&mut stream).await;
        ended.unwrap();
        let response = &terminal(&text)["response"];
        assert_eq!(response["output"][0]["content"][0]["text"], "The tool answered: 21 degrees", "{kind:?}");
    }
}

#[tokio::test]
async fn what_we_do_not_know_passes_through_in_both_directions() {
    let simulator = simulator(Dials { extra_fields: true, ..Dials::default() }).await;
    let body = json!({
        "model": "op:chat_message", "stream": true, "stream_options": {"include_obfuscation": false}, "store": true,
        "metadata": {"a": "b"}, "x_new_field": {"deep": [1, null]}, "input": [{"role": "user", "content": "hi"}],
    });
    let account = at(&simulator, ProviderKind::Simulator);
    let mut stream = providers().stream(&account, &asked(body.clone())).await.unwrap();
    let (text, ended) = play_out(&mut stream).await;
    ended.unwrap();
    assert!(text.contains("x_sim_extra"), "{text}");
    let mut expected = body;
    expected["model"] = json!("sim-small");
    assert_eq!(simulator.observed().requests[0].body, expected);
    // Asked for whole, it is asked for so there too.
    expected.as_object_mut().unwrap().retain(|key, _| !key.starts_with("stream"));
    let mut body = expected.clone();
    body["stream"] = json!(true);
    body["stream_options"] = json!({"include_obfuscation": false});
    providers().complete(&account, &asked(body)).await.unwrap();
    assert_eq!(simulator.observed().requests[1].body, expected);
}

#[tokio::test]
async fn every_error_has_its_meaning_complete_or_streamed() {
    let simulator = simulator(Dials::default()).await;
    for (error, kind) in [
        (ErrorKind::RateLimit, FailureKind::RateLimit),
        (ErrorKind::InsufficientQuota, FailureKind::OutOfCredit),
        (ErrorKind::Overloaded, FailureKind::Overloaded),
        (ErrorKind::ServerError, FailureKind::ServerError),
        (ErrorKind::BadGateway, FailureKind::ServerError),
        (ErrorKind::InvalidKey, FailureKind::InvalidKey),
        (ErrorKind::PermissionDenied, FailureKind::InvalidKey),
        (ErrorKind::ModelNotFound, FailureKind::ModelNotFound),
        (ErrorKind::BadRequest, FailureKind::BadRequest),
        (ErrorKind::ContextLength, FailureKind::ContextLength),
        (ErrorKind::ContentFilter, FailureKind::ContentFilter),
        (ErrorKind::Drop, FailureKind::Truncated),
    ] {
        simulator.dials().set(Dials { error, ..Dials::default() });
        let account = at(&simulator, ProviderKind::Simulator);
        for call in [asked(ask()), only(Surface::OpenaiChat, hello())] {
            let complete = providers().complete(&account, &call).await.unwrap_err();
            let streamed = providers().stream(&account, &call).await.unwrap_err();
            assert_eq!((complete.kind, streamed.kind), (kind, kind), "{error:?}");
            assert_eq!((complete.metering, streamed.metering), (None, None));
        }
    }
}

#[tokio::test]
async fn an_error_event_after_the_beginning_is_a_failure_before_any_content() {
    let simulator = simulator(Dials::default()).await;
    for (error, kind) in [
        (ErrorKind::InsufficientQuota, FailureKind::OutOfCredit),
        (ErrorKind::RateLimit, FailureKind::RateLimit),
        (ErrorKind::ServerError, FailureKind::ServerError),
    ] {
        simulator.dials().set(Dials { error, error_after_chunks: Some(0), ..Dials::default() });
        let mut stream =
            providers().stream(&at(&simulator, ProviderKind::Simulator), &asked(ask())).await.unwrap();
        loop {
            match stream.next().await {
                StreamItem::Frame { semantic, .. } => assert!(!semantic),
                StreamItem::Failed(failure) => {
                    assert_eq!((failure.kind, failure.metering), (kind, None));
                    break;
                }
                StreamItem::End { .. } => panic!("ended well"),
            }
        }
    }
}

#[tokio::test]
async fn a_stream_that_breaks_off_is_never_a_success_and_what_it_said_is_metered() {
    let simulator = simulator(Dials::default()).await;
    for cleanly in [true, false] {
        let dials = Dials { truncate_after_chunks: Some(2), truncate_cleanly: cleanly, ..Dials::default() };
        simulator.dials().set(dials);
        for kind in KINDS {
            let mut stream = providers().stream(&at(&simulator, kind), &asked(ask())).await.unwrap();
            let (text, ended) = play_out(&mut stream).await;
            let failure = ended.unwrap_err();
            assert_eq!(failure.kind, FailureKind::Truncated, "{kind:?} cleanly: {cleanly}");
            let metering = failure.metering.unwrap();
            assert_eq!(metering.source, UsageSource::Estimated);
            assert!(metering.usage.tokens_in() > 0 && metering.usage.tokens_out() > 0);
            assert!(!text.contains("response.completed"), "{text}");
        }
    }
}

#[tokio::test]
async fn searches_of_the_providers_own_tool_are_counted() {
    let simulator = simulator(Dials::default()).await;
    let body = json!({"input": "search the web", "tools": [{"type": "web_search"}]});
    let account = at(&simulator, ProviderKind::Simulator);
    let complete = providers().complete(&account, &asked(body.clone())).await.unwrap().metering;
    let mut stream = providers().stream(&account, &asked(body)).await.unwrap();
    let streamed = play_out(&mut stream).await.1.unwrap();
    assert_eq!(complete, streamed);
    assert_eq!(complete.usage.get(Unit::WebSearches), 1);
}

#[tokio::test]
async fn a_lie_about_usage_is_counted_by_us_instead() {
    let simulator = simulator(Dials::default()).await;
    for lie in [
        UsageOverride::Zero,
        UsageOverride::Negative,
        UsageOverride::Huge,
        UsageOverride::Overflow,
        UsageOverride::Strings,
        UsageOverride::Fractions,
        UsageOverride::Nulls,
    ] {
        simulator.dials().set(Dials { usage_override: lie, ..Dials::default() });
        let account = at(&simulator, ProviderKind::Simulator);
        let complete = providers().complete(&account, &asked(ask())).await.unwrap().metering;
        let mut stream = providers().stream(&account, &asked(ask())).await.unwrap();
        let streamed = play_out(&mut stream).await.1.unwrap();
        assert_eq!(complete, streamed);
        assert_eq!(complete.source, UsageSource::Estimated, "{lie:?}");
        assert!(complete.usage.tokens_in() > 0 && complete.usage.tokens_in() < 100);
    }
}

#[tokio::test]
async fn what_a_provider_cannot_do_is_refused_before_it_is_asked() {
    let simulator = simulator(Dials::default()).await;
    let body = json!({"input": "hi", "tools": [{"type": "web_search"}]});
    for kind in &KINDS[1..] {
        let failure = providers().complete(&at(&simulator, *kind), &asked(body.clone())).await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::Unsupported, "{kind:?}");
        assert!(failure.message.starts_with("tools[0].type: the tool `web_search`"), "{}", failure.message);
    }
    assert_eq!(simulator.observed().received, 0);
}
