use signalbox_core::failure::FailureKind;
use signalbox_core::meter::UsageSource;
use signalbox_core::usage::{Unit, Usage};
use signalbox_simulator::{Dials, ErrorKind, RunningSimulator, Simulator, UsageOverride, UsagePlacement};

use super::*;

const WIRES: [ProviderKind; 3] = [ProviderKind::Simulator, ProviderKind::Anthropic, ProviderKind::Gemini];
const SURFACES: [Surface; 2] = [Surface::OpenaiChat, Surface::AnthropicMessages];

pub async fn simulator(dials: Dials) -> RunningSimulator {
    Simulator::bind_ephemeral(dials).await.unwrap()
}

pub fn at(simulator: &RunningSimulator, kind: ProviderKind) -> Account {
    match kind {
        ProviderKind::Anthropic => account(kind, &simulator.base_url_anthropic()),
        ProviderKind::Gemini => account(kind, &simulator.base_url_gemini()),
        _ => account(kind, &simulator.base_url_openai()),
    }
}

#[tokio::test]
async fn every_client_reaches_every_provider_and_the_same_call_uses_the_same() {
    let dials = Dials { cached_tokens: 7, reasoning_tokens: 5, reasoning_text: true, ..Dials::default() };
    let simulator = simulator(dials).await;
    // Three words in; "You said: one two three" out.
    let expected = Usage::default()
        .with(Unit::InputTokens, 3)
        .with(Unit::CachedInputTokens, 7)
        .with(Unit::OutputTokens, 5)
        .with(Unit::ReasoningTokens, 5);
    for kind in WIRES {
        for surface in SURFACES {
            let (account, call) = (at(&simulator, kind), call(surface, hello()));
            let answer = providers().complete(&account, &call).await.unwrap();
            assert_eq!((answer.metering.usage, answer.metering.source), (expected, UsageSource::Reported));
            assert_eq!(answer.http_status, 200);
            let body: Value = serde_json::from_slice(&answer.body).unwrap();
            let said = match surface.family() {
                signalbox_core::ledger::WireFamily::Openai => {
                    body["choices"][0]["message"]["content"].as_str()
                }
                signalbox_core::ledger::WireFamily::Anthropic => {
                    let blocks = body["content"].as_array().unwrap();
                    blocks.iter().find_map(|block| block["text"].as_str())
                }
            };
            assert_eq!(said, Some("You said: one two three"), "{kind:?} {surface:?}: {body}");

            let mut stream = providers().stream(&account, &call).await.unwrap();
            let (text, ended) = play_out(&mut stream).await;
            let metering = ended.unwrap();
            assert_eq!(metering, answer.metering, "{kind:?} {surface:?}: {text}");
            let word = match surface.family() {
                signalbox_core::ledger::WireFamily::Openai => "stop",
                signalbox_core::ledger::WireFamily::Anthropic => "end_turn",
            };
            assert_eq!(metering.finish_reason.as_deref(), Some(word));
        }
    }
}

#[tokio::test]
async fn tool_calls_cross_from_one_dialect_to_the_other() {
    let simulator = simulator(Dials::default()).await;
    let openai = json!({
        "messages": [{"role": "user", "content": "use tool"}],
        "tools": [{"type": "function", "function": {"name": "weather", "parameters": {"type": "object", "properties": {}}}}],
    });
    let answer = providers()
        .complete(&at(&simulator, ProviderKind::Anthropic), &call(Surface::OpenaiChat, openai))
        .await
        .unwrap();
    let body: Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(body["choices"][0]["message"]["tool_calls"][0]["function"]["name"], "weather");
    assert_eq!(answer.metering.finish_reason.as_deref(), Some("tool_calls"));

    let anthropic = json!({
        "max_tokens": 50, "messages": [{"role": "user", "content": "use tool"}],
        "tools": [{"name": "weather", "input_schema": {"type": "object", "properties": {}}}],
    });
    let call = call(Surface::AnthropicMessages, anthropic);
    let mut stream = providers().stream(&at(&simulator, ProviderKind::Simulator), &call).await.unwrap();
    let (text, ended) = play_out(&mut stream).await;
    assert!(text.contains(r#""type":"tool_use""#) && text.contains("input_json_delta"), "{text}");
    assert_eq!(ended.unwrap().finish_reason.as_deref(), Some("tool_use"));
}

#[tokio::test]
async fn every_error_has_the_same_meaning_on_every_wire_complete_or_streamed() {
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
        simulator.dials().set(Dials { error, retry_after_s: Some(3), ..Dials::default() });
        // Google answers a prompt it refuses with a good status.
        let refuses =
            |wire: &ProviderKind| !(*wire == ProviderKind::Gemini && error == ErrorKind::ContentFilter);
        for wire in WIRES.into_iter().filter(refuses) {
            let (account, call) = (at(&simulator, wire), call(Surface::OpenaiChat, hello()));
            let complete = providers().complete(&account, &call).await.unwrap_err();
            let streamed = providers().stream(&account, &call).await.unwrap_err();
            for failure in [complete, streamed] {
                assert_eq!(failure.kind, kind, "{error:?} on {wire:?}: {failure:?}");
                assert_eq!(failure.metering, None);
                assert!(!failure.message.is_empty() && !failure.message.contains('<'), "{failure:?}");
                if error == ErrorKind::RateLimit {
                    assert_eq!(failure.retry_after, Some(Duration::from_secs(3)));
                }
            }
        }
    }
}

#[tokio::test]
async fn a_good_status_with_a_bad_body_is_a_failure() {
    let simulator = simulator(Dials::default()).await;
    for error in [ErrorKind::Malformed, ErrorKind::Empty] {
        simulator.dials().set(Dials { error, ..Dials::default() });
        for wire in WIRES {
            let (account, call) = (at(&simulator, wire), call(Surface::OpenaiChat, hello()));
            let complete = providers().complete(&account, &call).await.unwrap_err();
            assert_eq!(complete.kind, FailureKind::BadResponse);
            let streamed = match providers().stream(&account, &call).await {
                Ok(mut stream) => play_out(&mut stream).await.1.unwrap_err(),
                Err(error) => error,
            };
            assert!(
                matches!(streamed.kind, FailureKind::BadResponse | FailureKind::Truncated),
                "{streamed:?}"
            );
            assert_eq!(streamed.metering, None);
        }
    }
}

#[tokio::test]
async fn a_stream_that_breaks_off_is_never_a_success_and_what_it_said_is_metered() {
    let simulator = simulator(Dials::default()).await;
    for cleanly in [true, false] {
        let dials = Dials { truncate_after_chunks: Some(2), truncate_cleanly: cleanly, ..Dials::default() };
        simulator.dials().set(dials);
        for wire in WIRES {
            let call = call(Surface::OpenaiChat, hello());
            let mut stream = providers().stream(&at(&simulator, wire), &call).await.unwrap();
            let failure = play_out(&mut stream).await.1.unwrap_err();
            assert_eq!(failure.kind, FailureKind::Truncated, "{wire:?} cleanly: {cleanly}");
            let metering = failure.metering.unwrap();
            assert_eq!(metering.source, UsageSource::Estimated);
            assert!(metering.usage.tokens_in() > 0 && metering.usage.tokens_out() > 0);
        }
    }
}

#[tokio::test]
async fn an_error_event_in_the_middle_keeps_its_meaning() {
    let dials = Dials { error: ErrorKind::Overloaded, error_after_chunks: Some(2), ..Dials::default() };
    let simulator = simulator(dials).await;
    for wire in WIRES {
        let call = call(Surface::AnthropicMessages, hello());
        let mut stream = providers().stream(&at(&simulator, wire), &call).await.unwrap();
        let failure = play_out(&mut stream).await.1.unwrap_err();
        assert_eq!(failure.kind, FailureKind::Overloaded, "{failure:?}");
        assert!(failure.metering.is_some());
    }
}

#[tokio::test]
async fn a_provider_that_falls_silent_is_left_after_the_idle_time() {
    let simulator = simulator(Dials { stall_after_chunks: Some(2), ..Dials::default() }).await;
    let mut call = call(Surface::OpenaiChat, hello());
    call.timeouts.idle = Duration::from_millis(80);
    let mut stream = providers().stream(&at(&simulator, ProviderKind::Simulator), &call).await.unwrap();
    let failure = play_out(&mut stream).await.1.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Timeout);
    assert!(failure.metering.unwrap().usage.tokens_out() > 0);
}

#[tokio::test]
async fn a_provider_that_never_begins_is_left_after_the_first_byte_time() {
    let simulator = simulator(Dials { error: ErrorKind::Timeout, ..Dials::default() }).await;
    let mut call = call(Surface::OpenaiChat, hello());
    call.timeouts.first_byte = Duration::from_millis(80);
    let account = at(&simulator, ProviderKind::Simulator);
    assert_eq!(providers().complete(&account, &call).await.unwrap_err().kind, FailureKind::Timeout);
    assert_eq!(providers().stream(&account, &call).await.unwrap_err().kind, FailureKind::Timeout);
}

#[tokio::test]
async fn dropping_a_stream_cancels_the_providers_call_and_what_it_said_stays_known() {
    let dials = Dials { stall_after_chunks: Some(2), ..Dials::default() };
    let simulator = simulator(dials).await;
    let call = call(Surface::OpenaiChat, hello());
    let mut stream = providers().stream(&at(&simulator, ProviderKind::Simulator), &call).await.unwrap();
    loop {
        if let StreamItem::Frame { semantic: true, .. } = stream.next().await {
            break;
        }
    }
    let metering = stream.metering_so_far();
    assert!(metering.usage.tokens_in() > 0 && metering.usage.tokens_out() > 0);
    assert_eq!((metering.source, metering.finish_reason), (UsageSource::Estimated, None));
    drop(stream);
    let observed = simulator.observed_until(|observed| observed.cancelled == 1).await;
    assert_eq!(observed.in_flight, 0);
}

#[tokio::test]
async fn dropping_a_complete_call_cancels_it_too() {
    let simulator = simulator(Dials { error: ErrorKind::Timeout, ..Dials::default() }).await;
    let (account, call, providers) =
        (at(&simulator, ProviderKind::Simulator), call(Surface::OpenaiChat, hello()), providers());
    tokio::select! {
        answer = providers.complete(&account, &call) => panic!("answered: {answer:?}"),
        _ = simulator.observed_until(|observed| observed.in_flight == 1) => {}
    }
    simulator.observed_until(|observed| observed.cancelled == 1).await;
}

#[tokio::test]
async fn what_we_do_not_know_passes_through_in_both_directions() {
    let simulator = simulator(Dials { extra_fields: true, ..Dials::default() }).await;
    let body = json!({
        "model": "op:chat_message", "stream": false, "seed": 7, "x_new_field": {"deep": [1, null]},
        "messages": [{"role": "user", "content": [{"type": "text", "text": "hi", "cache_control": {"type": "ephemeral"}}]}],
    });
    let answer = providers()
        .complete(&at(&simulator, ProviderKind::Simulator), &call(Surface::OpenaiChat, body.clone()))
        .await
        .unwrap();
    let mut expected = body;
    expected["model"] = json!("sim-small");
    let observed = simulator.observed();
    assert_eq!(observed.requests[0].body, expected);
    let answered: Value = serde_json::from_slice(&answer.body).unwrap();
    let known =
        ["id", "object", "created", "model", "choices", "usage", "system_fingerprint", "service_tier"];
    assert!(answered.as_object().unwrap().keys().any(|key| !known.contains(&key.as_str())), "{answered}");
}

#[tokio::test]
async fn usage_is_asked_for_and_its_chunk_shown_only_to_a_client_that_asked() {
    let simulator = simulator(Dials::default()).await;
    let account = at(&simulator, ProviderKind::Simulator);
    let mut stream = providers().stream(&account, &call(Surface::OpenaiChat, hello())).await.unwrap();
    let (text, ended) = play_out(&mut stream).await;
    assert!(!text.contains("prompt_tokens"), "{text}");
    assert_eq!(ended.unwrap().source, UsageSource::Reported);

    let mut asks = hello();
    asks["stream_options"] = json!({"include_usage": true, "include_obfuscation": false});
    let mut stream = providers().stream(&account, &call(Surface::OpenaiChat, asks)).await.unwrap();
    assert!(play_out(&mut stream).await.0.contains("prompt_tokens"));
    let sent = &simulator.observed().requests;
    assert_eq!(sent[0].body["stream_options"], json!({"include_usage": true}));
    assert_eq!(sent[1].body["stream_options"], json!({"include_usage": true, "include_obfuscation": false}));
    assert!(sent.iter().all(|request| request.body["stream"] == true));
}

#[tokio::test]
async fn each_wire_gets_the_credential_in_its_own_header_and_nothing_of_ours() {
    let simulator = simulator(Dials::default()).await;
    let mut unlimited = hello();
    unlimited.as_object_mut().unwrap().remove("max_tokens");
    for wire in WIRES {
        let call = call(Surface::AnthropicMessages, unlimited.clone());
        providers().complete(&at(&simulator, wire), &call).await.unwrap();
    }
    let requests = simulator.observed().requests;
    let header = |index: usize| requests[index].credential.as_ref().unwrap().header.clone();
    assert_eq!((requests[0].path.as_str(), header(0).as_str()), ("/v1/chat/completions", "authorization"));
    assert_eq!((requests[1].path.as_str(), header(1).as_str()), ("/v1/messages", "x-api-key"));
    assert_eq!(requests[1].headers["anthropic-version"], "2023-06-01");
    assert_eq!(requests[1].body["max_tokens"], 4096);
    let path = "/v1beta/models/sim-small:generateContent";
    assert_eq!((requests[2].path.as_str(), header(2).as_str()), (path, "x-goog-api-key"));
    let ours = |name: &String| name.starts_with("x-signalbox");
    assert!(requests.iter().all(|request| !request.headers.keys().any(ours)));
}

#[tokio::test]
async fn a_lie_about_usage_is_counted_by_us_instead_and_never_a_panic() {
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
        for wire in WIRES {
            let (account, call) = (at(&simulator, wire), call(Surface::OpenaiChat, hello()));
            let complete = providers().complete(&account, &call).await.unwrap().metering;
            let mut stream = providers().stream(&account, &call).await.unwrap();
            let streamed = play_out(&mut stream).await.1.unwrap();
            for metering in [complete, streamed] {
                assert_eq!(metering.source, UsageSource::Estimated, "{lie:?} on {wire:?}");
                assert!(metering.usage.tokens_in() > 0 && metering.usage.tokens_out() > 0);
                assert!(metering.usage.tokens_in() < 100 && metering.usage.tokens_out() < 100);
            }
        }
    }
}

#[tokio::test]
async fn usage_is_the_same_wherever_a_compatible_server_puts_it() {
    let simulator = simulator(Dials::default()).await;
    let (account, call) =
        (at(&simulator, ProviderKind::Simulator), call(Surface::AnthropicMessages, hello()));
    for placement in [
        UsagePlacement::Separate,
        UsagePlacement::LastChoice,
        UsagePlacement::EveryChunk,
        UsagePlacement::Twice,
    ] {
        let dials = Dials {
            usage_placement: placement,
            sse_comments: true,
            sse_crlf: true,
            frame_bytes: Some(3),
            ..Dials::default()
        };
        simulator.dials().set(dials);
        let mut stream = providers().stream(&account, &call).await.unwrap();
        let metering = play_out(&mut stream).await.1.unwrap();
        let expected = Usage::default().with(Unit::InputTokens, 3).with(Unit::OutputTokens, 5);
        assert_eq!((metering.usage, metering.source), (expected, UsageSource::Reported), "{placement:?}");
    }
}

#[tokio::test]
async fn missing_usage_is_counted_and_marked() {
    let simulator = simulator(Dials { missing_usage: true, ..Dials::default() }).await;
    for wire in WIRES {
        let (account, call) = (at(&simulator, wire), call(Surface::OpenaiChat, hello()));
        let complete = providers().complete(&account, &call).await.unwrap().metering;
        let mut stream = providers().stream(&account, &call).await.unwrap();
        let streamed = play_out(&mut stream).await.1.unwrap();
        assert_eq!(complete, streamed);
        assert_eq!(complete.source, UsageSource::Estimated);
    }
}

#[tokio::test]
async fn the_models_of_an_account_are_listed_and_a_refused_key_says_so() {
    let simulator = simulator(Dials::default()).await;
    for wire in WIRES {
        assert_eq!(providers().list_models(&at(&simulator, wire)).await.unwrap(), ["sim-small", "sim-large"]);
        simulator.dials().set(Dials { api_key: Some("another".to_owned()), ..Dials::default() });
        let failure = providers().list_models(&at(&simulator, wire)).await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::InvalidKey);
        assert!(!failure.to_string().contains(SECRET));
        simulator.dials().set(Dials::default());
    }
}
