//! Streams of the Responses API, in and out.

use super::*;
use crate::dialect::openai_responses::FOREIGN_THOUGHT;

macro_rules! fixture {
    ($name:literal) => {
        include_str!(concat!("../../../tests/fixtures/", $name))
    };
}

const RESPONSES: [&str; 8] = [
    fixture!("openai_responses/stream.sse"),
    fixture!("openai_responses/stream_tools.sse"),
    fixture!("openai_responses/stream_cached_reasoning.sse"),
    fixture!("openai_responses/stream_refusal.sse"),
    fixture!("openai_responses/stream_incomplete.sse"),
    fixture!("openai_responses/stream_web_search.sse"),
    fixture!("openai_responses/stream_failed.sse"),
    fixture!("openai_responses/stream_error.sse"),
];

/// The streams that end well.
const WHOLE: usize = 6;

fn asked() -> Value {
    json!({"input": "hello"})
}

fn forwarded(text: &str) -> Played {
    play(Dialect::OpenaiResponses, Surface::OpenaiResponses, asked(), text)
}

/// What a client of this surface gets of another provider's stream.
fn encoded(provider: Dialect, asked: Value, text: &str) -> Played {
    play(provider, Surface::OpenaiResponses, asked, text)
}

fn kinds(played: &Played) -> Vec<String> {
    played.events().iter().map(|event| event["type"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_stream_of_the_clients_own_dialect_is_forwarded_byte_for_byte() {
    for text in &RESPONSES[..WHOLE] {
        assert_eq!(forwarded(text).text(), *text);
    }
}

#[test]
fn the_terminal_event_waits_for_the_ledger() {
    for text in &RESPONSES[..WHOLE] {
        let played = forwarded(text);
        let terminal = |bytes: &str| {
            ["event: response.completed", "event: response.incomplete"]
                .iter()
                .any(|name| bytes.contains(name))
        };
        assert!(played.frames.iter().all(|(bytes, _)| !terminal(bytes)), "{played:?}");
        let Ending::End { bytes, .. } = &played.end else { panic!("{played:?}") };
        assert!(terminal(bytes), "{bytes}");
    }
}

#[test]
fn an_answer_that_is_begun_has_said_nothing_yet() {
    let first_content = |played: &Played| played.frames.iter().position(|(_, semantic)| *semantic).unwrap();
    let opening = |text: &str| {
        let played = forwarded(text);
        let first = first_content(&played);
        played.frames[first].0.lines().next().unwrap().to_owned()
    };
    assert_eq!(opening(RESPONSES[0]), "event: response.output_text.delta");
    assert_eq!(opening(RESPONSES[1]), "event: response.output_item.added");
    assert_eq!(opening(RESPONSES[2]), "event: response.reasoning_summary_text.delta");
    assert_eq!(opening(RESPONSES[3]), "event: response.refusal.delta");
    assert_eq!(opening(RESPONSES[5]), "event: response.output_text.delta");
}

#[test]
fn usage_is_taken_apart_as_in_a_complete_answer() {
    let used = |played: &Played| (played.metering().usage, played.metering().source);
    let units = |units: &[(Unit, u64)]| (units.iter().copied().collect::<Usage>(), UsageSource::Reported);
    for (text, expected) in [
        (RESPONSES[0], units(&[(Unit::InputTokens, 37), (Unit::OutputTokens, 11)])),
        (RESPONSES[1], units(&[(Unit::InputTokens, 82), (Unit::OutputTokens, 17)])),
        (
            RESPONSES[2],
            units(&[
                (Unit::InputTokens, 86),
                (Unit::CachedInputTokens, 1_920),
                (Unit::OutputTokens, 108),
                (Unit::ReasoningTokens, 192),
            ]),
        ),
        (RESPONSES[4], units(&[(Unit::InputTokens, 36), (Unit::OutputTokens, 16)])),
        (RESPONSES[5], units(&[(Unit::InputTokens, 328), (Unit::OutputTokens, 356), (Unit::WebSearches, 1)])),
    ] {
        assert_eq!(used(&forwarded(text)), expected);
        // The same through another surface.
        let chat = play(Dialect::OpenaiResponses, Surface::OpenaiChat, super::asked(), text);
        assert_eq!(used(&chat), expected);
    }
    let word = |text| forwarded(text).metering().finish_reason.clone().unwrap();
    assert_eq!([word(RESPONSES[1]), word(RESPONSES[4])], ["completed", "max_output_tokens"]);
}

#[test]
fn a_quota_error_after_a_good_beginning_is_a_failure_before_any_content() {
    let played = forwarded(RESPONSES[6]);
    assert!(played.frames.iter().all(|(_, semantic)| !semantic), "{played:?}");
    assert_eq!((played.error().kind, played.error().metering.clone()), (FailureKind::OutOfCredit, None));
    let played = forwarded(RESPONSES[7]);
    assert_eq!(played.error().kind, FailureKind::RateLimit);
    assert_eq!(played.error().message, "Rate limit reached for gpt-4.1.");
    assert_eq!(played.error().metering.clone().unwrap().usage.get(Unit::OutputTokens), 2);
}

#[test]
fn an_error_event_is_understood_flat_and_without_its_name() {
    for text in [
        "event: error\ndata: {\"type\":\"error\",\"code\":\"rate_limit_exceeded\",\"message\":\"slow down\",\"param\":null,\"sequence_number\":1}\n\n",
        "data: {\"type\":\"error\",\"code\":\"rate_limit_exceeded\",\"message\":\"slow down\",\"param\":null,\"sequence_number\":1}\n\n",
    ] {
        let error = forwarded(text).error().clone();
        assert_eq!((error.kind, error.message.as_str()), (FailureKind::RateLimit, "slow down"));
    }
    let silent =
        "data: {\"type\":\"response.failed\",\"response\":{\"status\":\"failed\",\"error\":null}}\n\n";
    assert_eq!(forwarded(silent).error().kind, FailureKind::ServerError);
    let billed = "data: {\"type\":\"response.failed\",\"response\":{\"error\":{\"code\":\"server_error\",\"message\":\"x\"},\"usage\":{\"input_tokens\":9,\"output_tokens\":4,\"total_tokens\":13}}}\n\n";
    let usage = forwarded(billed).error().metering.clone().unwrap().usage;
    assert_eq!((usage.tokens_in(), usage.tokens_out()), (9, 4));
}

#[test]
fn a_stream_ends_well_only_with_its_whole_terminal_event_wherever_it_is_cut() {
    let text = RESPONSES[0].as_bytes();
    for cut in 0..text.len() {
        let played = play_chunks(
            Dialect::OpenaiResponses,
            Surface::OpenaiResponses,
            asked(),
            vec![text[..cut].to_vec()],
        );
        assert!(!matches!(played.end, Ending::End { .. }), "cut at {cut}");
    }
}

#[test]
fn an_unknown_end_and_garbage_are_bad_responses() {
    for bad in [
        "data: {\"type\":\n\n",
        "data: 7\n\n",
        "data: {\"type\":\"response.completed\",\"response\":{\"status\":\"in_progress\"}}\n\n",
        "data: {\"type\":\"response.completed\"}\n\n",
    ] {
        assert_eq!(forwarded(bad).error().kind, FailureKind::BadResponse, "{bad}");
    }
}

#[test]
fn what_only_this_api_has_passes_through_and_is_content() {
    let event = "event: response.custom_tool_call_input.delta\ndata: {\"type\":\"response.custom_tool_call_input.delta\",\"sequence_number\":3,\"item_id\":\"ctc_1\",\"output_index\":0,\"delta\":\"ls -l\"}\n\n";
    let text = RESPONSES[0].replacen(
        "event: response.output_item.added",
        &format!("{event}event: response.output_item.added"),
        1,
    );
    let played = forwarded(&text);
    assert_eq!(played.text(), text);
    assert_eq!(played.frames.iter().position(|(_, semantic)| *semantic), Some(2));
}

#[test]
fn another_providers_text_becomes_the_published_events_in_their_order() {
    let played = encoded(Dialect::OpenaiChat, asked(), OPENAI[0]);
    assert_eq!(
        kinds(&played),
        [
            "response.created",
            "response.in_progress",
            "response.output_item.added",
            "response.content_part.added",
            "response.output_text.delta",
            "response.output_text.delta",
            "response.output_text.delta",
            "response.output_text.done",
            "response.content_part.done",
            "response.output_item.done",
            "response.completed",
        ]
    );
    let events = played.events();
    for (number, event) in events.iter().enumerate() {
        assert_eq!(event["sequence_number"], number, "{event}");
    }
    let names = played
        .text()
        .lines()
        .filter_map(|line| line.strip_prefix("event: ").map(str::to_owned))
        .collect::<Vec<_>>();
    assert_eq!(names, kinds(&played));
    let last = &events[10]["response"];
    assert_eq!(last["output"], json!([events[9]["item"]]));
    assert_eq!((&last["status"], &last["id"]), (&json!("completed"), &events[0]["response"]["id"]));
    assert_eq!(last["usage"]["total_tokens"], 29);
    assert_eq!(events[0]["response"]["usage"], Value::Null);
    assert_eq!(events[4]["item_id"], events[2]["item"]["id"]);
}

#[test]
fn calls_of_tools_are_items_with_their_own_ids() {
    for (provider, text) in [(Dialect::OpenaiChat, OPENAI[1]), (Dialect::Anthropic, ANTHROPIC[1])] {
        let played = encoded(provider, asked(), text);
        let events = played.events();
        let output = events.last().unwrap()["response"]["output"].as_array().unwrap();
        let calls = output.iter().filter(|item| item["type"] == "function_call").collect::<Vec<_>>();
        assert_eq!(calls.len(), 2);
        for call in calls {
            let of_call = |kind: &str, key: &str| {
                let events =
                    events.iter().filter(|event| event["type"] == kind && event["item_id"] == call["id"]);
                events.map(|event| event[key].as_str().unwrap()).collect::<String>()
            };
            assert_eq!(
                of_call("response.function_call_arguments.delta", "delta"),
                call["arguments"].as_str().unwrap()
            );
            assert_eq!(
                of_call("response.function_call_arguments.done", "arguments"),
                call["arguments"].as_str().unwrap()
            );
            assert!(call["id"].as_str().unwrap().starts_with("fc_"));
            assert_eq!(call["status"], "completed");
        }
        let done = events.iter().filter(|event| event["type"] == "response.output_item.done").count();
        assert_eq!(done, output.len());
    }
}

#[test]
fn a_provider_may_go_on_with_a_call_it_had_left() {
    let chunk = |delta: Value, finish: Value| {
        format!(
            "data: {}\n\n",
            json!({"id": "x", "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})
        )
    };
    let call = |index: u32, id: Value, arguments: &str| {
        chunk(
            json!({"tool_calls": [{"index": index, "id": id, "function": {"name": if id.is_null() { "" } else { "f" }, "arguments": arguments}}]}),
            Value::Null,
        )
    };
    let text = [
        call(0, json!("call_a"), "{\"a\""),
        call(1, json!("call_b"), "{}"),
        call(0, Value::Null, ":1}"),
        chunk(json!({}), json!("tool_calls")),
        "data: [DONE]\n\n".to_owned(),
    ]
    .concat();
    let events = encoded(Dialect::OpenaiChat, asked(), &text).events();
    let output = &events.last().unwrap()["response"]["output"];
    assert_eq!((&output[0]["arguments"], &output[1]["arguments"]), (&json!("{\"a\":1}"), &json!("{}")));
}

#[test]
fn thoughts_are_shown_only_to_a_client_that_asked_for_a_summary() {
    let silent = encoded(Dialect::Anthropic, asked(), ANTHROPIC[2]);
    assert!(!silent.text().contains("12231"), "{}", silent.text());
    let wanted = json!({"input": "hello", "reasoning": {"effort": "medium", "summary": "auto"}});
    let played = encoded(Dialect::Anthropic, wanted, ANTHROPIC[2]);
    let events = played.events();
    let thought = events.iter().filter(|event| event["type"] == "response.reasoning_summary_text.delta");
    assert_eq!(
        thought.map(|event| event["delta"].as_str().unwrap()).collect::<String>(),
        "27 * 453 is 12231."
    );
    let output = &events.last().unwrap()["response"]["output"];
    assert_eq!(output[0]["summary"][0]["text"], "27 * 453 is 12231.");
    assert!(output[0]["id"].as_str().unwrap().starts_with(FOREIGN_THOUGHT));
    assert_eq!(output[1]["type"], "message");
}

#[test]
fn an_answer_that_was_cut_or_declined_is_incomplete() {
    let cut = |word: &str| {
        OPENAI[0].replace("\"finish_reason\":\"stop\"", &format!("\"finish_reason\":\"{word}\""))
    };
    for (word, reason) in [("length", "max_output_tokens"), ("content_filter", "content_filter")] {
        let events = encoded(Dialect::OpenaiChat, asked(), &cut(word)).events();
        let last = events.last().unwrap();
        assert_eq!(last["type"], "response.incomplete");
        assert_eq!(last["response"]["incomplete_details"], json!({"reason": reason}));
        assert_eq!(last["response"]["output"][0]["status"], "incomplete");
    }
}

#[test]
fn what_a_model_says_to_decline_is_a_part_of_its_own() {
    let chunk = |delta: Value, finish: Value| {
        format!(
            "data: {}\n\n",
            json!({"id": "x", "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})
        )
    };
    let text = [
        chunk(json!({"content": "Well. "}), Value::Null),
        chunk(json!({"refusal": "I "}), Value::Null),
        chunk(json!({"refusal": "will not."}), Value::Null),
        chunk(json!({}), json!("stop")),
        "data: [DONE]\n\n".to_owned(),
    ]
    .concat();
    let events = encoded(Dialect::OpenaiChat, asked(), &text).events();
    let content = &events.last().unwrap()["response"]["output"][0]["content"];
    assert_eq!(content[0]["text"], "Well. ");
    assert_eq!(content[1], json!({"type": "refusal", "refusal": "I will not."}));
    let parts = |kind: &str| {
        events
            .iter()
            .filter(|event| event["type"] == kind)
            .map(|event| event["content_index"].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(parts("response.content_part.added"), [json!(0), json!(1)]);
    assert_eq!(parts("response.content_part.done"), [json!(0), json!(1)]);
}

#[test]
fn responses_reach_clients_of_the_other_surfaces() {
    let chat = play(Dialect::OpenaiResponses, Surface::OpenaiChat, super::asked(), RESPONSES[1]);
    let calls = chat
        .events()
        .iter()
        .filter_map(|event| {
            event.pointer("/choices/0/delta/tool_calls/0/function/arguments")?.as_str().map(str::to_owned)
        })
        .collect::<String>();
    assert_eq!(calls, "{\"location\":\"Boston, MA\"}{\"location\":\"Zürich\"}");
    assert_eq!(chat.metering().finish_reason.as_deref(), Some("tool_calls"));
    let chat = play(Dialect::OpenaiResponses, Surface::OpenaiChat, super::asked(), RESPONSES[2]);
    let thought = chat
        .events()
        .iter()
        .filter_map(|event| event.pointer("/choices/0/delta/reasoning_content")?.as_str().map(str::to_owned))
        .collect::<String>();
    assert_eq!(thought, "**Multiplying**\n\n24 by 17 is 408.\n\n**Checking**\n\n400 and 8.");
    let messages = play(Dialect::OpenaiResponses, Surface::AnthropicMessages, super::asked(), RESPONSES[4]);
    assert_eq!(messages.metering().finish_reason.as_deref(), Some("max_tokens"));
    let said = messages
        .events()
        .iter()
        .filter_map(|event| event["delta"]["text"].as_str().map(str::to_owned))
        .collect::<String>();
    assert_eq!(said, "In a peaceful grove beneath a");
}

#[test]
fn arguments_that_come_whole_are_taken_once() {
    let done = |text: &str| {
        let events =
            text.split_inclusive("\n\n").filter(|event| !event.contains("function_call_arguments.delta"));
        events.collect::<String>()
    };
    let arguments = |text: &str| {
        let played = play(Dialect::OpenaiResponses, Surface::OpenaiChat, super::asked(), text);
        let events = played.events();
        let pieces = events.iter().filter_map(|event| {
            event.pointer("/choices/0/delta/tool_calls/0/function/arguments")?.as_str().map(str::to_owned)
        });
        pieces.collect::<String>()
    };
    let whole = arguments(RESPONSES[1]);
    assert_eq!(arguments(&done(RESPONSES[1])), whole);
    let only_items = done(RESPONSES[1])
        .split_inclusive("\n\n")
        .filter(|event| !event.contains("function_call_arguments.done"))
        .collect::<String>();
    assert_eq!(arguments(&only_items), whole);
}

#[test]
fn an_error_frame_is_an_error_to_both_kinds_of_reader() {
    let frame = stream_error_frame(Surface::OpenaiResponses, "provider_failed", "it broke");
    let text = std::str::from_utf8(&frame).unwrap();
    assert!(text.starts_with("event: error\ndata: {"), "{text}");
    let event: Value =
        serde_json::from_str(text.lines().nth(1).unwrap().strip_prefix("data: ").unwrap()).unwrap();
    assert_eq!(
        (&event["code"], &event["error"]["code"]),
        (&json!("provider_failed"), &json!("provider_failed"))
    );
    assert_eq!(forwarded(text).error().message, "it broke");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_split_of_the_bytes_gives_the_same_frames_and_usage(
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..40), crlf in any::<bool>(),
    ) {
        for text in RESPONSES {
            let sent = if crlf { text.replace('\n', "\r\n") } else { text.to_owned() };
            for surface in [Surface::OpenaiResponses, Surface::OpenaiChat, Surface::AnthropicMessages] {
                let split = play_chunks(Dialect::OpenaiResponses, surface, asked(), cut(sent.as_bytes(), &cuts));
                prop_assert_eq!(split, play(Dialect::OpenaiResponses, surface, asked(), text));
            }
        }
    }

    #[test]
    fn hostile_bytes_never_panic_and_always_come_to_an_end(
        fixture in 0..18_usize, at in any::<prop::sample::Index>(), noise in prop::collection::vec(any::<u8>(), 0..40),
    ) {
        let text = RESPONSES.iter().chain(&OPENAI).chain(&ANTHROPIC).nth(fixture).unwrap();
        let mut bytes = text.as_bytes().to_vec();
        let at = at.index(bytes.len());
        let end = (at + noise.len()).min(bytes.len());
        bytes.splice(at..end, noise);
        for provider in [Dialect::OpenaiResponses, Dialect::OpenaiChat, Dialect::Anthropic] {
            for surface in [Surface::OpenaiResponses, Surface::OpenaiChat] {
                play_chunks(provider, surface, asked(), vec![bytes.clone()]);
            }
        }
    }

    #[test]
    fn a_cut_anywhere_is_no_clean_end_on_any_surface(at in any::<prop::sample::Index>()) {
        for text in &RESPONSES[..WHOLE] {
            let chunks = vec![text.as_bytes()[..at.index(text.len())].to_vec()];
            for surface in [Surface::OpenaiResponses, Surface::OpenaiChat, Surface::AnthropicMessages] {
                let played = play_chunks(Dialect::OpenaiResponses, surface, asked(), chunks.clone());
                prop_assert!(!matches!(played.end, Ending::End { .. }), "a clean end");
            }
        }
    }

    #[test]
    fn cutting_another_providers_stream_never_gives_a_clean_end(at in any::<prop::sample::Index>()) {
        for (provider, text, terminal) in [
            (Dialect::OpenaiChat, OPENAI[0], "\"finish_reason\":\"stop\""),
            (Dialect::Anthropic, ANTHROPIC[0], "message_stop"),
        ] {
            let cut = at.index(text.find(terminal).unwrap());
            let chunks = vec![text.as_bytes()[..cut].to_vec()];
            let played = play_chunks(provider, Surface::OpenaiResponses, asked(), chunks);
            prop_assert_eq!(played.error().kind, FailureKind::Truncated);
            prop_assert!(!played.frames.iter().any(|(bytes, _)| bytes.contains("response.completed")));
        }
    }
}
