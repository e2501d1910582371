use super::*;

macro_rules! fixture {
    ($name:literal) => {
        include_str!(concat!("../../../tests/fixtures/", $name))
    };
}

const GEMINI: [&str; 4] = [
    fixture!("gemini/stream.sse"),
    fixture!("gemini/stream_tools.sse"),
    fixture!("gemini/stream_thinking.sse"),
    fixture!("gemini/stream_cut.sse"),
];
const ERROR: &str = fixture!("gemini/stream_error.sse");
const SURFACES: [Surface; 2] = [Surface::OpenaiChat, Surface::AnthropicMessages];

fn played(surface: Surface, text: &str) -> Played {
    play(Dialect::Gemini, surface, asked(), text)
}

fn thinking_aloud() -> Value {
    json!({"messages": [], "thinking": {"type": "enabled", "budget_tokens": 2000}})
}

/// The chunk with the reason to finish, and where it begins.
fn last_chunk(text: &str) -> (usize, &str) {
    let start = text.trim_end().rfind("\n\n").map_or(0, |at| at + 2);
    (start, &text[start..])
}

#[test]
fn usage_is_the_last_chunks_taken_apart_and_the_same_on_every_surface() {
    let table: [&[(Unit, u64)]; 3] = [
        &[(Unit::InputTokens, 8), (Unit::CachedInputTokens, 12), (Unit::OutputTokens, 11)],
        &[(Unit::InputTokens, 86), (Unit::OutputTokens, 35), (Unit::ReasoningTokens, 61)],
        &[(Unit::InputTokens, 10), (Unit::OutputTokens, 15), (Unit::ReasoningTokens, 142)],
    ];
    for (text, units) in GEMINI.iter().zip(table) {
        for surface in SURFACES {
            let metering = played(surface, text).metering().clone();
            let expected = units.iter().copied().collect::<Usage>();
            assert_eq!((metering.usage, metering.source), (expected, UsageSource::Reported), "{surface:?}");
        }
    }
}

#[test]
fn a_stream_and_a_complete_answer_of_the_same_use_the_same() {
    for (stream, complete) in [
        (GEMINI[1], fixture!("gemini/complete_tools.json")),
        (GEMINI[2], fixture!("gemini/complete_thinking.json")),
    ] {
        let complete: Value = serde_json::from_str(complete).unwrap();
        let buffered = Dialect::Gemini.read_usage(&complete).unwrap().usage;
        assert_eq!(Some(played(Surface::OpenaiChat, stream).metering().usage), buffered);
    }
}

#[test]
fn chunks_reach_an_openai_client_in_its_own_form() {
    let asks_usage = json!({"messages": [], "stream_options": {"include_usage": true}});
    let events = play(Dialect::Gemini, Surface::OpenaiChat, asks_usage, GEMINI[0]).events();
    let chunk = |choices: Value, usage: Value| {
        json!({
            "id": "chatcmpl-u8WSaPqmK9ePz7IPqd2wgQs", "object": "chat.completion.chunk", "created": 784_111_777,
            "model": "gemini-2.5-flash", "choices": choices, "usage": usage,
        })
    };
    let delta = |delta: Value, finish: Value| {
        let choice = json!({"index": 0, "delta": delta, "logprobs": null, "finish_reason": finish});
        chunk(json!([choice]), Value::Null)
    };
    assert_eq!(
        events,
        [
            delta(json!({"role": "assistant", "content": "", "refusal": null}), Value::Null),
            delta(json!({"content": "The capital"}), Value::Null),
            delta(json!({"content": " of Switzerland is Bern,"}), Value::Null),
            delta(json!({"content": " says Zürich."}), Value::Null),
            delta(json!({}), json!("stop")),
            chunk(
                json!([]),
                json!({
                    "prompt_tokens": 20, "completion_tokens": 11, "total_tokens": 31,
                    "prompt_tokens_details": {"cached_tokens": 12, "audio_tokens": 0},
                    "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
                })
            ),
            json!("[DONE]"),
        ]
    );
}

#[test]
fn whole_calls_reach_an_openai_client_with_ids_and_signatures() {
    let played = played(Surface::OpenaiChat, GEMINI[1]);
    let calls = played
        .events()
        .iter()
        .filter_map(|event| event.pointer("/choices/0/delta/tool_calls/0").cloned())
        .collect::<Vec<_>>();
    let signature = "CiEBjz1rX0ilumvPg6k0sMMUtISoQCLJv2bPJ7Vv9r+Xw0o=";
    assert_eq!(
        calls,
        [
            json!({
                "index": 0, "id": "8f2b1a3c", "type": "function", "function": {"name": "get_weather", "arguments": ""},
                "extra_content": {"google": {"thought_signature": signature}},
            }),
            json!({"index": 0, "function": {"arguments": "{\"location\":\"Zürich\"}"}}),
            json!({
                "index": 1, "id": "call_Zn2HaKqyJ4uz7M8P1b2x6AU_1", "type": "function",
                "function": {"name": "get_time", "arguments": ""},
            }),
            json!({"index": 1, "function": {"arguments": "{}"}}),
        ]
    );
    assert_eq!(played.metering().finish_reason.as_deref(), Some("tool_calls"));
}

#[test]
fn whole_calls_reach_an_anthropic_client_as_blocks_in_turn() {
    let played = played(Surface::AnthropicMessages, GEMINI[1]);
    let shape = played
        .events()
        .iter()
        .map(|event| {
            let kind = event["type"].as_str().unwrap();
            let delta = event["delta"]["partial_json"]
                .as_str()
                .or(event["delta"]["text"].as_str())
                .unwrap_or_default();
            format!("{kind} {} {delta}", event["index"])
        })
        .collect::<Vec<_>>();
    assert_eq!(
        shape,
        [
            "message_start null ",
            "content_block_start 0 ",
            "content_block_delta 0 Let me look.",
            "content_block_stop 0 ",
            "content_block_start 1 ",
            "content_block_delta 1 {\"location\":\"Zürich\"}",
            "content_block_stop 1 ",
            "content_block_start 2 ",
            "content_block_delta 2 {}",
            "content_block_stop 2 ",
            "message_delta null ",
            "message_stop null ",
        ]
    );
    assert_eq!(played.metering().finish_reason.as_deref(), Some("tool_use"));
}

#[test]
fn thoughts_are_apart_from_what_is_said() {
    let of = |events: &[Value], path: &str| {
        events.iter().filter_map(|event| event.pointer(path)?.as_str()).collect::<String>()
    };
    let openai = played(Surface::OpenaiChat, GEMINI[2]).events();
    assert_eq!(
        of(&openai, "/choices/0/delta/reasoning_content"),
        "**Comparing the tenths**\n\n1 is less than 8."
    );
    assert_eq!(of(&openai, "/choices/0/delta/content"), "9.11 is less than 9.8.");
    let aloud = play(Dialect::Gemini, Surface::AnthropicMessages, thinking_aloud(), GEMINI[2]).events();
    assert_eq!(of(&aloud, "/delta/thinking"), "**Comparing the tenths**\n\n1 is less than 8.");
    let silent = played(Surface::AnthropicMessages, GEMINI[2]);
    assert!(!silent.text().contains("Comparing"), "{}", silent.text());
}

#[test]
fn a_blocked_prompt_is_a_refusal_and_its_tokens_count() {
    let blocked: Value = serde_json::from_str(fixture!("gemini/blocked.json")).unwrap();
    for (surface, word) in [(Surface::OpenaiChat, "content_filter"), (Surface::AnthropicMessages, "refusal")]
    {
        let metering = played(surface, &format!("data: {blocked}\n\n")).metering().clone();
        let expected = Usage::default().with(Unit::InputTokens, 9);
        assert_eq!((metering.usage, metering.source), (expected, UsageSource::Reported));
        assert_eq!(metering.finish_reason.as_deref(), Some(word));
    }
}

#[test]
fn everything_from_the_finish_reason_on_waits_for_the_end() {
    for (surface, word) in
        [(Surface::OpenaiChat, "\"finish_reason\":\"stop\""), (Surface::AnthropicMessages, "message_delta")]
    {
        let played = played(surface, GEMINI[0]);
        assert!(played.frames.iter().all(|(bytes, _)| !bytes.contains(word)), "{played:?}");
        let Ending::End { bytes, .. } = &played.end else { panic!("{played:?}") };
        assert!(bytes.contains(word), "{bytes}");
    }
}

#[test]
fn a_stream_that_closes_before_a_finish_reason_is_truncated_and_what_was_thought_is_billed() {
    for surface in SURFACES {
        let error = played(surface, GEMINI[3]).error().clone();
        assert_eq!(error.kind, FailureKind::Truncated);
        let metering = error.metering.unwrap();
        assert_eq!(metering.source, UsageSource::Estimated);
        let used = |unit| metering.usage.get(unit);
        assert_eq!(
            (used(Unit::InputTokens), used(Unit::OutputTokens), used(Unit::ReasoningTokens)),
            (20, 4, 40)
        );
    }
}

#[test]
fn a_connection_that_breaks_after_the_finish_reason_is_no_loss() {
    let broken = || async { reqwest::get("http://127.0.0.1:1/").await.unwrap_err() };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for (text, whole) in [(GEMINI[0], true), (GEMINI[3], false)] {
        let played = runtime.block_on(async {
            let chunks = [Ok(Bytes::from(text)), Err(broken().await)];
            let call = ChatCall {
                surface: Surface::OpenaiChat,
                body: body(asked()),
                model: ModelName::new("model-asked-for").unwrap(),
                timeouts: Timeouts::default(),
            };
            let events = Events::new(futures::stream::iter(chunks), IDLE);
            let source = Source::Events(Box::new((events, Decoder::new(Dialect::Gemini))));
            let tally = Tally::new(call.surface, Dialect::Gemini, Arc::clone(&call.body));
            let writer = stream_writer(Dialect::Gemini, &call, &HeaderMap::new());
            play_out(ChatStream::new(source, writer, tally, None, 200)).await
        });
        assert_eq!(matches!(played.end, Ending::End { .. }), whole, "{played:?}");
    }
}

#[test]
fn a_connection_left_open_after_the_finish_reason_ends_well_and_before_it_times_out() {
    for (text, whole) in [(GEMINI[0], true), (GEMINI[3], false)] {
        let played = in_paused_time(async {
            let chunks = futures::stream::iter([Bytes::from(text)]).chain(futures::stream::pending());
            play_out(stream_of(Dialect::Gemini, Surface::OpenaiChat, asked(), chunks)).await
        });
        if whole {
            assert_eq!(played, self::played(Surface::OpenaiChat, text));
        } else {
            assert_eq!(played.error().kind, FailureKind::Timeout);
        }
    }
}

#[test]
fn an_error_in_place_of_a_chunk_keeps_its_meaning_and_what_was_used() {
    let error = played(Surface::OpenaiChat, ERROR).error().clone();
    assert_eq!((error.kind, error.http_status), (FailureKind::Overloaded, Some(200)));
    assert_eq!(error.metering.unwrap().usage.get(Unit::InputTokens), 20);
    let (start, _) = last_chunk(ERROR);
    let at_once = played(Surface::OpenaiChat, &ERROR[start..]);
    assert_eq!((at_once.error().kind, at_once.error().metering.clone()), (FailureKind::Overloaded, None));
}

#[test]
fn a_call_the_model_broke_off_is_a_failure_and_billed() {
    let chunk = json!({
        "candidates": [{"content": {}, "finishReason": "MALFORMED_FUNCTION_CALL"}],
        "usageMetadata": {"promptTokenCount": 30, "thoughtsTokenCount": 12, "totalTokenCount": 42},
    });
    let error = played(Surface::OpenaiChat, &format!("data: {chunk}\n\n")).error().clone();
    assert_eq!(error.kind, FailureKind::BadResponse);
    let metering = error.metering.unwrap();
    assert_eq!(metering.source, UsageSource::Reported);
    assert_eq!((metering.usage.tokens_in(), metering.usage.tokens_out()), (30, 12));
}

#[test]
fn a_call_in_a_chunk_after_the_finish_still_asks_for_tools() {
    let chunk = |part: Value| {
        let candidate = json!({"content": {"parts": [part]}, "finishReason": "STOP"});
        format!(
            "data: {}\n\n",
            json!({"candidates": [candidate], "usageMetadata": {"promptTokenCount": 5, "candidatesTokenCount": 9}})
        )
    };
    let text =
        [chunk(json!({"text": "Let me look."})), chunk(json!({"functionCall": {"name": "f"}}))].concat();
    for (surface, word) in [(Surface::OpenaiChat, "tool_calls"), (Surface::AnthropicMessages, "tool_use")] {
        assert_eq!(played(surface, &text).metering().finish_reason.as_deref(), Some(word));
    }
}

#[test]
fn an_answer_that_names_no_usage_is_counted_and_marked() {
    let chunk =
        json!({"candidates": [{"content": {"parts": [{"text": "Hello there"}]}, "finishReason": "STOP"}]});
    let metering = played(Surface::OpenaiChat, &format!("data: {chunk}\n\n")).metering().clone();
    assert_eq!(metering.source, UsageSource::Estimated);
    assert!(metering.usage.tokens_in() > 0 && metering.usage.tokens_out() > 0);
}

#[test]
fn a_stream_is_whole_only_from_the_end_of_its_finish_chunk_on() {
    for text in &GEMINI[..3] {
        // The event ends with its empty line.
        let whole = text.len();
        for cut in (0..whole).filter(|cut| text.is_char_boundary(*cut)) {
            let played = played(Surface::OpenaiChat, &text[..cut]);
            assert_eq!(played.error().kind, FailureKind::Truncated, "cut at {cut}");
        }
        played(Surface::OpenaiChat, text).metering();
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_split_of_the_bytes_gives_the_same_frames_and_usage(
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..40), crlf in any::<bool>(), bom in any::<bool>(),
    ) {
        for text in GEMINI {
            let mut sent = if crlf { text.replace('\n', "\r\n") } else { text.to_owned() };
            if bom {
                sent.insert(0, '\u{feff}');
            }
            for surface in SURFACES {
                let split = play_chunks(Dialect::Gemini, surface, asked(), cut(sent.as_bytes(), &cuts));
                prop_assert_eq!(split, played(surface, text));
            }
        }
    }

    #[test]
    fn a_cut_anywhere_never_ends_well_whatever_the_surface(
        fixture in 0..3_usize, surface in 0..2_usize, at in any::<prop::sample::Index>(), crlf in any::<bool>(),
    ) {
        let text = if crlf { GEMINI[fixture].replace('\n', "\r\n") } else { GEMINI[fixture].to_owned() };
        let bytes = text.as_bytes();
        let at = at.index(bytes.len());
        let played = play_chunks(Dialect::Gemini, SURFACES[surface], asked(), vec![bytes[..at].to_vec()]);
        // Of the last line end only its first half may be missing.
        let whole = crlf && at == bytes.len() - 1;
        prop_assert_eq!(matches!(played.end, Ending::End { .. }), whole, "cut at {} of {}", at, bytes.len());
    }

    #[test]
    fn hostile_bytes_never_panic_and_always_come_to_an_end(
        fixture in 0..4_usize, at in any::<prop::sample::Index>(), noise in prop::collection::vec(any::<u8>(), 0..40),
    ) {
        let mut bytes = GEMINI[fixture].as_bytes().to_vec();
        let at = at.index(bytes.len());
        let end = (at + noise.len()).min(bytes.len());
        bytes.splice(at..end, noise);
        for surface in SURFACES {
            play_chunks(Dialect::Gemini, surface, asked(), vec![bytes.clone()]);
        }
    }
}
