use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use proptest::prelude::*;
use reqwest::header::{DATE, HeaderMap, HeaderValue};
use serde_json::{Map, Value, json};
use signalbox_core::ids::ModelName;
use signalbox_core::meter::UsageSource;
use signalbox_core::usage::{Unit, Usage};

use super::*;
use crate::call::{ChatCall, Timeouts};
use crate::chat_adapter::stream_writer;

macro_rules! fixture {
    ($name:literal) => {
        include_str!(concat!("../../tests/fixtures/", $name))
    };
}

mod gemini;
mod responses;

const OPENAI: [&str; 5] = [
    fixture!("openai/stream.sse"),
    fixture!("openai/stream_tools.sse"),
    fixture!("openai/stream_deepseek.sse"),
    fixture!("openai/stream_gemini.sse"),
    fixture!("openai/stream_error.sse"),
];
const ANTHROPIC: [&str; 5] = [
    fixture!("anthropic/stream.sse"),
    fixture!("anthropic/stream_tools.sse"),
    fixture!("anthropic/stream_thinking.sse"),
    fixture!("anthropic/stream_web_search.sse"),
    fixture!("anthropic/stream_error.sse"),
];

/// All that came of a stream.
#[derive(Debug, PartialEq)]
struct Played {
    frames: Vec<(String, bool)>,
    end: Ending,
}

#[derive(Debug, PartialEq)]
enum Ending {
    End { bytes: String, metering: Metering },
    Failed(CallError),
}

impl Played {
    fn metering(&self) -> &Metering {
        match &self.end {
            Ending::End { metering, .. } => metering,
            Ending::Failed(error) => panic!("failed: {error:?}"),
        }
    }

    fn error(&self) -> &CallError {
        match &self.end {
            Ending::Failed(error) => error,
            Ending::End { .. } => panic!("ended well"),
        }
    }

    /// Everything the client got.
    fn text(&self) -> String {
        let frames = self.frames.iter().map(|(bytes, _)| bytes.as_str());
        let end = match &self.end {
            Ending::End { bytes, .. } => bytes,
            Ending::Failed(_) => "",
        };
        frames.chain([end]).collect()
    }

    /// The data of every event the client got; text that is no JSON as itself.
    fn events(&self) -> Vec<Value> {
        let text = self.text();
        let data = text.lines().filter_map(|line| line.strip_prefix("data: "));
        data.map(|data| serde_json::from_str(data).unwrap_or_else(|_| json!(data))).collect()
    }
}

fn body(value: Value) -> Arc<Map<String, Value>> {
    let Value::Object(map) = value else { panic!("a body is an object") };
    Arc::new(map)
}

fn asked() -> Value {
    json!({"messages": [{"role": "user", "content": "hello"}]})
}

const IDLE: Duration = Duration::from_secs(30);

fn stream_of(
    provider: Dialect,
    surface: Surface,
    asked: Value,
    chunks: impl futures::Stream<Item = Bytes> + Send + 'static,
) -> ChatStream {
    let call = ChatCall {
        surface,
        body: body(asked),
        model: ModelName::new("model-asked-for").unwrap(),
        timeouts: Timeouts::default(),
    };
    let headers = HeaderMap::from_iter([(DATE, HeaderValue::from_static("Sun, 06 Nov 1994 08:49:37 GMT"))]);
    let events = Events::new(chunks.map(Ok), IDLE);
    let source = Source::Events(Box::new((events, Decoder::new(provider))));
    let tally = Tally::new(surface, provider, Arc::clone(&call.body));
    ChatStream::new(source, stream_writer(provider, &call, &headers), tally, Some("sk-secret".into()), 200)
}

async fn play_out(mut stream: ChatStream) -> Played {
    let mut frames = Vec::new();
    loop {
        let text = |bytes: Bytes| String::from_utf8(bytes.to_vec()).unwrap();
        match stream.next().await {
            StreamItem::Frame { bytes, semantic } => frames.push((text(bytes), semantic)),
            StreamItem::End { bytes, metering } => {
                return Played { frames, end: Ending::End { bytes: text(bytes), metering } };
            }
            StreamItem::Failed(error) => return Played { frames, end: Ending::Failed(error) },
        }
    }
}

fn in_paused_time<T>(future: impl Future<Output = T>) -> T {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(future)
}

fn play_chunks(provider: Dialect, surface: Surface, asked: Value, chunks: Vec<Vec<u8>>) -> Played {
    in_paused_time(async {
        let chunks = futures::stream::iter(chunks.into_iter().map(Bytes::from));
        play_out(stream_of(provider, surface, asked, chunks)).await
    })
}

fn play(provider: Dialect, surface: Surface, asked: Value, text: &str) -> Played {
    play_chunks(provider, surface, asked, vec![text.as_bytes().to_vec()])
}

fn forwarded_openai(text: &str) -> Played {
    play(Dialect::OpenaiChat, Surface::OpenaiChat, asked(), text)
}

fn forwarded_anthropic(text: &str) -> Played {
    play(Dialect::Anthropic, Surface::AnthropicMessages, asked(), text)
}

fn without_comments(text: &str) -> String {
    text.split_inclusive("\n\n").filter(|event| !event.starts_with(':')).collect()
}

#[test]
fn a_stream_of_the_clients_own_dialect_is_forwarded_byte_for_byte() {
    let asks_usage = json!({"messages": [], "stream_options": {"include_usage": true}});
    for text in &OPENAI[..4] {
        let played = play(Dialect::OpenaiChat, Surface::OpenaiChat, asks_usage.clone(), text);
        assert_eq!(played.text(), without_comments(text));
    }
    for text in &ANTHROPIC[..4] {
        assert_eq!(forwarded_anthropic(text).text(), *text);
    }
}

#[test]
fn the_usage_chunk_we_asked_for_is_hidden_from_a_client_that_did_not() {
    let played = forwarded_openai(OPENAI[0]);
    let text = played.text();
    assert!(!text.contains("prompt_tokens"), "{text}");
    assert!(text.ends_with("data: [DONE]\n\n"));
    let usage = Usage::default().with(Unit::InputTokens, 19).with(Unit::OutputTokens, 10);
    assert_eq!((played.metering().usage, played.metering().source), (usage, UsageSource::Reported));
}

#[test]
fn everything_from_the_finish_reason_on_waits_for_the_end() {
    for (played, word) in [
        (forwarded_openai(OPENAI[0]), "\"finish_reason\":\"stop\""),
        (forwarded_openai(OPENAI[3]), "\"finish_reason\":\"tool_calls\""),
        (forwarded_anthropic(ANTHROPIC[0]), "message_delta"),
        (play(Dialect::Anthropic, Surface::OpenaiChat, asked(), ANTHROPIC[0]), "\"finish_reason\":\"stop\""),
        (play(Dialect::OpenaiChat, Surface::AnthropicMessages, asked(), OPENAI[0]), "message_delta"),
    ] {
        assert!(played.frames.iter().all(|(bytes, _)| !bytes.contains(word)), "{played:?}");
        let Ending::End { bytes, .. } = &played.end else { panic!("{played:?}") };
        assert!(bytes.contains(word), "{bytes}");
    }
}

#[test]
fn only_content_is_semantic() {
    let semantic = |played: &Played| played.frames.iter().map(|(_, semantic)| *semantic).collect::<Vec<_>>();
    assert_eq!(semantic(&forwarded_openai(OPENAI[0])), [false, true, true, true]);
    assert_eq!(semantic(&forwarded_openai(OPENAI[1])), [true; 5]);
    assert_eq!(semantic(&forwarded_openai(OPENAI[2])), [false, true, true, true, true]);
    // message_start, content_block_start, ping, two deltas, content_block_stop
    assert_eq!(semantic(&forwarded_anthropic(ANTHROPIC[0])), [false, false, false, true, true, false]);
}

#[test]
fn usage_is_taken_apart_alike_wherever_the_stream_carries_it() {
    let used = |played: &Played| (played.metering().usage, played.metering().source);
    let units = |units: &[(Unit, u64)]| (units.iter().copied().collect::<Usage>(), UsageSource::Reported);
    // Together with the last choice, the cache in DeepSeek's words, thinking inside the completion.
    assert_eq!(
        used(&forwarded_openai(OPENAI[2])),
        units(&[
            (Unit::InputTokens, 6),
            (Unit::CachedInputTokens, 1024),
            (Unit::OutputTokens, 20),
            (Unit::ReasoningTokens, 40)
        ])
    );
    // Cumulative on every chunk, thinking only in the total: the last one holds.
    assert_eq!(
        used(&forwarded_openai(OPENAI[3])),
        units(&[(Unit::InputTokens, 50), (Unit::OutputTokens, 30), (Unit::ReasoningTokens, 64)])
    );
    assert_eq!(
        used(&forwarded_anthropic(ANTHROPIC[0])),
        units(&[(Unit::InputTokens, 25), (Unit::OutputTokens, 15)])
    );
    // The running totals of `message_delta` replace those of `message_start`.
    assert_eq!(
        used(&forwarded_anthropic(ANTHROPIC[2])),
        units(&[
            (Unit::InputTokens, 30),
            (Unit::CacheWrite5mTokens, 1000),
            (Unit::CacheWrite1hTokens, 200),
            (Unit::OutputTokens, 30),
            (Unit::ReasoningTokens, 150)
        ])
    );
    // The split of the cache writes covers only the first round of the provider's own tool.
    assert_eq!(
        used(&forwarded_anthropic(ANTHROPIC[3])),
        units(&[
            (Unit::InputTokens, 10_682),
            (Unit::CachedInputTokens, 4000),
            (Unit::CacheWrite5mTokens, 900),
            (Unit::OutputTokens, 510),
            (Unit::WebSearches, 1)
        ])
    );
}

#[test]
fn the_finish_reason_is_metered_in_the_surfaces_word() {
    let word = |played: &Played| played.metering().finish_reason.clone().unwrap();
    assert_eq!(word(&forwarded_openai(OPENAI[1])), "tool_calls");
    assert_eq!(word(&forwarded_anthropic(ANTHROPIC[1])), "tool_use");
    assert_eq!(word(&play(Dialect::Anthropic, Surface::OpenaiChat, asked(), ANTHROPIC[1])), "tool_calls");
    assert_eq!(word(&play(Dialect::OpenaiChat, Surface::AnthropicMessages, asked(), OPENAI[1])), "tool_use");
}

#[test]
fn anthropics_tool_calls_reach_an_openai_client_fragment_by_fragment() {
    let asked =
        json!({"messages": [{"role": "user", "content": "hi"}], "stream_options": {"include_usage": true}});
    let events = play(Dialect::Anthropic, Surface::OpenaiChat, asked, ANTHROPIC[1]).events();
    let delta = |delta: Value, finish: Value| {
        json!({
            "id": "chatcmpl-1nZdL29xx5MUA1yADyHTEsnR8uuvGzszyY", "object": "chat.completion.chunk",
            "created": 784_111_777, "model": "claude-sonnet-4-5-20250929",
            "choices": [{"index": 0, "delta": delta, "logprobs": null, "finish_reason": finish}], "usage": null,
        })
    };
    let call = |call: Value| delta(json!({"tool_calls": [call]}), Value::Null);
    let begun = |index: u32, id: &str, name: &str| {
        call(
            json!({"index": index, "id": id, "type": "function", "function": {"name": name, "arguments": ""}}),
        )
    };
    let more = |index: u32, text: &str| call(json!({"index": index, "function": {"arguments": text}}));
    assert_eq!(
        events[..9],
        [
            delta(json!({"role": "assistant", "content": "", "refusal": null}), Value::Null),
            delta(json!({"content": "Okay, let's check."}), Value::Null),
            begun(0, "toolu_01T1x1fJ34qAmk2tNTrN7Up6", "get_weather"),
            more(0, "{\"location\":"),
            more(0, " \"San Francisco, CA\"}"),
            begun(1, "toolu_02", "get_time"),
            more(1, "{}"),
            delta(json!({}), json!("tool_calls")),
            json!({
                "id": "chatcmpl-1nZdL29xx5MUA1yADyHTEsnR8uuvGzszyY", "object": "chat.completion.chunk",
                "created": 784_111_777, "model": "claude-sonnet-4-5-20250929", "choices": [],
                "usage": {
                    "prompt_tokens": 472, "completion_tokens": 89, "total_tokens": 561,
                    "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
                    "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
                },
            }),
        ]
    );
    assert_eq!(events[9..], [json!("[DONE]")]);
}

#[test]
fn openais_parallel_calls_reach_an_anthropic_client_as_blocks_in_turn() {
    let events = play(Dialect::OpenaiChat, Surface::AnthropicMessages, asked(), OPENAI[1]).events();
    let shape = events
        .iter()
        .map(|event| {
            let kind = event["type"].as_str().unwrap();
            let delta = event["delta"]["partial_json"].as_str().unwrap_or_default();
            format!("{kind} {} {delta}", event["index"])
        })
        .collect::<Vec<_>>();
    assert_eq!(
        shape,
        [
            "message_start null ",
            "content_block_start 0 ",
            "content_block_delta 0 {\"loc",
            "content_block_delta 0 ation\":\"Boston, MA\"}",
            "content_block_stop 0 ",
            "content_block_start 1 ",
            "content_block_delta 1 {\"location\":\"Zürich\"}",
            "content_block_stop 1 ",
            "message_delta null ",
            "message_stop null ",
        ]
    );
    assert_eq!(
        events[1]["content_block"],
        json!({"type": "tool_use", "id": "call_abc123", "name": "get_current_weather", "input": {}})
    );
    assert_eq!(events[8]["delta"], json!({"stop_reason": "tool_use", "stop_sequence": null}));
    assert_eq!(events[8]["usage"]["input_tokens"], 82);
    assert_eq!(events[8]["usage"]["output_tokens"], 17);
}

#[test]
fn calls_that_share_an_index_are_told_apart_by_their_ids() {
    let events = play(Dialect::OpenaiChat, Surface::AnthropicMessages, asked(), OPENAI[3]).events();
    let calls = events.iter().filter_map(|event| event["content_block"]["id"].as_str()).collect::<Vec<_>>();
    assert_eq!(calls, ["function-call-1", "function-call-2"]);
}

#[test]
fn thinking_is_shown_to_an_anthropic_client_only_when_it_asked() {
    let silent = play(Dialect::OpenaiChat, Surface::AnthropicMessages, asked(), OPENAI[2]);
    assert!(!silent.text().contains("Compare"), "{}", silent.text());
    let wanted = json!({"messages": [], "thinking": {"type": "enabled", "budget_tokens": 2000}});
    let events = play(Dialect::OpenaiChat, Surface::AnthropicMessages, wanted, OPENAI[2]).events();
    let thought = events.iter().filter_map(|event| event["delta"]["thinking"].as_str()).collect::<String>();
    assert_eq!(thought, "Compare the tenths: 1 and 8.");
    let said = events.iter().filter_map(|event| event["delta"]["text"].as_str()).collect::<String>();
    assert_eq!(said, "9.11 is less than 9.8.");
}

#[test]
fn thinking_reaches_an_openai_client_as_reasoning_content() {
    let events = play(Dialect::Anthropic, Surface::OpenaiChat, asked(), ANTHROPIC[2]).events();
    let thought =
        |event: &Value| event.pointer("/choices/0/delta/reasoning_content")?.as_str().map(str::to_owned);
    assert_eq!(events.iter().filter_map(thought).collect::<String>(), "27 * 453 is 12231.");
}

#[test]
fn an_error_event_is_a_failure_with_its_meaning_and_what_was_used() {
    for (played, kind) in [
        (forwarded_openai(OPENAI[4]), FailureKind::ServerError),
        (forwarded_anthropic(ANTHROPIC[4]), FailureKind::Overloaded),
    ] {
        let error = played.error();
        assert_eq!(error.kind, kind);
        let metering = error.metering.clone().unwrap();
        assert_eq!(metering.source, UsageSource::Estimated);
        assert_eq!(metering.usage.get(Unit::OutputTokens), 2);
    }
    // What Anthropic had already said of the input is believed.
    let used = forwarded_anthropic(ANTHROPIC[4]).error().metering.clone().unwrap().usage;
    assert_eq!(used.get(Unit::InputTokens), 25);
}

#[test]
fn a_stream_that_fails_before_any_content_has_used_nothing() {
    let played = forwarded_openai("data: {\"error\":{\"message\":\"slow down\",\"code\":429}}\n\n");
    assert_eq!((played.error().kind, played.error().metering.clone()), (FailureKind::RateLimit, None));
    let named = forwarded_openai("event: error\ndata: {\"message\":\"Overloaded\"}\n\n");
    assert_eq!(named.error().kind, FailureKind::Overloaded);
}

#[test]
fn a_stream_without_its_end_is_truncated_wherever_it_is_cut() {
    for (text, forwarded) in [(OPENAI[0], true), (ANTHROPIC[0], false)] {
        let terminal = if forwarded { "\"finish_reason\":\"stop\"" } else { "message_stop" };
        let whole = text.find(terminal).unwrap();
        for cut in (0..whole).filter(|cut| text.is_char_boundary(*cut)) {
            let played =
                if forwarded { forwarded_openai(&text[..cut]) } else { forwarded_anthropic(&text[..cut]) };
            assert_eq!(played.error().kind, FailureKind::Truncated, "cut at {cut}");
        }
    }
}

#[test]
fn a_finished_answer_whose_server_forgets_the_terminal_event_is_whole() {
    let text = OPENAI[0].replace("data: [DONE]\n\n", "");
    assert_eq!(forwarded_openai(&text), forwarded_openai(OPENAI[0]));
}

#[test]
fn a_chunk_that_is_no_json_is_a_bad_response() {
    for bad in ["data: {\"choices\":\n\n", "data: 7\n\n", "data: [DONE]\n\n", "data: \u{feff}\n\n"] {
        assert_eq!(forwarded_openai(bad).error().kind, FailureKind::BadResponse, "{bad}");
    }
    let played =
        play_chunks(Dialect::OpenaiChat, Surface::OpenaiChat, asked(), vec![b"data: \xff\xfe\n\n".to_vec()]);
    assert_eq!(played.error().kind, FailureKind::BadResponse);
}

#[test]
fn an_event_without_end_is_refused_before_it_fills_the_memory() {
    let piece = vec![b'a'; 1024 * 1024];
    let mut chunks = vec![b"data: ".to_vec()];
    chunks.extend(std::iter::repeat_n(piece, 9));
    let played = play_chunks(Dialect::OpenaiChat, Surface::OpenaiChat, asked(), chunks);
    assert_eq!(played.error().kind, FailureKind::BadResponse);
    assert!(played.error().message.contains("longer than"), "{}", played.error().message);
}

#[test]
fn silence_for_too_long_is_a_timeout_and_what_was_said_is_metered() {
    let error = in_paused_time(async {
        let said = OPENAI[0].split_inclusive("\n\n").take(3).collect::<String>();
        let chunks = futures::stream::iter([Bytes::from(said)]).chain(futures::stream::pending());
        let mut stream = stream_of(Dialect::OpenaiChat, Surface::OpenaiChat, asked(), chunks);
        let begun = tokio::time::Instant::now();
        loop {
            match stream.next().await {
                StreamItem::Frame { .. } => {}
                StreamItem::Failed(error) => {
                    assert_eq!(begun.elapsed().as_secs(), IDLE.as_secs());
                    assert_eq!(error.metering, Some(stream.metering_so_far()));
                    break error;
                }
                StreamItem::End { .. } => panic!("ended well"),
            }
        }
    });
    assert_eq!(error.kind, FailureKind::Timeout);
    assert!(error.metering.unwrap().usage.tokens_out() > 0);
}

#[test]
fn a_client_slower_than_the_timeout_is_not_the_providers_fault() {
    in_paused_time(async {
        let events = OPENAI[0].split_inclusive("\n\n").map(Bytes::from).collect::<Vec<_>>();
        let mut stream =
            stream_of(Dialect::OpenaiChat, Surface::OpenaiChat, asked(), futures::stream::iter(events));
        loop {
            tokio::time::sleep(IDLE * 3).await;
            match stream.next().await {
                StreamItem::Frame { .. } => {}
                StreamItem::End { .. } => break,
                StreamItem::Failed(error) => panic!("{error:?}"),
            }
        }
    });
}

#[test]
fn a_dropped_wait_loses_nothing() {
    let text = ANTHROPIC[1];
    let played = in_paused_time(async {
        let events = text.split_inclusive("\n\n").map(Bytes::from).collect::<Vec<_>>();
        let slow = futures::stream::iter(events).then(|event| async {
            tokio::time::sleep(Duration::from_millis(100)).await;
            event
        });
        let mut stream = stream_of(Dialect::Anthropic, Surface::AnthropicMessages, asked(), slow);
        let mut got = String::new();
        loop {
            let Ok(item) = tokio::time::timeout(Duration::from_millis(30), stream.next()).await else {
                continue;
            };
            match item {
                StreamItem::Frame { bytes, .. } => got.push_str(std::str::from_utf8(&bytes).unwrap()),
                StreamItem::End { bytes, .. } => {
                    got.push_str(std::str::from_utf8(&bytes).unwrap());
                    break got;
                }
                StreamItem::Failed(error) => panic!("{error:?}"),
            }
        }
    });
    assert_eq!(played, text);
}

#[test]
fn nothing_follows_the_end() {
    in_paused_time(async {
        let chunks = futures::stream::iter([Bytes::from(OPENAI[0])]);
        let mut stream = stream_of(Dialect::OpenaiChat, Surface::OpenaiChat, asked(), chunks);
        while !matches!(stream.next().await, StreamItem::End { .. }) {}
        assert!(matches!(stream.next().await, StreamItem::Failed(_)));
    });
}

#[test]
fn an_answer_that_names_no_usage_is_counted_and_marked() {
    let text = OPENAI[0]
        .split_inclusive("\n\n")
        .filter(|event| !event.contains("\"prompt_tokens\""))
        .collect::<String>();
    let metering = forwarded_openai(&text).metering().clone();
    assert_eq!(metering.source, UsageSource::Estimated);
    assert!(metering.usage.get(Unit::InputTokens) > 0 && metering.usage.get(Unit::OutputTokens) > 0);
}

#[test]
fn a_second_choice_goes_on_after_the_first_has_finished() {
    let chunk = |index: u32, text: &str, finish: Value| {
        let choice = json!({"index": index, "delta": {"content": text}, "finish_reason": finish});
        format!("data: {}\n\n", json!({"id": "x", "choices": [choice]}))
    };
    let text = [
        chunk(0, "one", Value::Null),
        chunk(0, "", json!("stop")),
        chunk(1, "two", Value::Null),
        chunk(1, "", json!("stop")),
        "data: [DONE]\n\n".to_owned(),
    ]
    .concat();
    let played = forwarded_openai(&text);
    assert_eq!(played.text(), text);
    assert_eq!(played.frames.len(), 2);
}

#[test]
fn an_error_frame_is_an_error_in_each_dialect() {
    let openai = stream_error_frame(Surface::OpenaiChat, "provider_failed", "it broke");
    assert_eq!(forwarded_openai(std::str::from_utf8(&openai).unwrap()).error().message, "it broke");
    let anthropic = stream_error_frame(Surface::AnthropicMessages, "provider_failed", "it broke");
    assert!(anthropic.starts_with(b"event: error\ndata: {"));
    assert_eq!(forwarded_anthropic(std::str::from_utf8(&anthropic).unwrap()).error().message, "it broke");
}

#[test]
fn the_credential_never_stands_in_an_errors_words() {
    let played = forwarded_openai("data: {\"error\":{\"message\":\"key sk-secret\\u0007 is bad\"}}\n\n");
    assert_eq!(played.error().message, "key [credential] is bad");
}

/// Pieces of `text` cut at the given places.
fn cut(text: &[u8], cuts: &[prop::sample::Index]) -> Vec<Vec<u8>> {
    let mut places =
        cuts.iter().map(|cut| cut.index(text.len() + 1)).chain([0, text.len()]).collect::<Vec<_>>();
    places.sort_unstable();
    places.windows(2).map(|pair| text[pair[0]..pair[1]].to_vec()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_split_of_the_bytes_gives_the_same_frames_and_usage(
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..40), crlf in any::<bool>(), bom in any::<bool>(),
    ) {
        for (provider, fixtures) in [(Dialect::OpenaiChat, OPENAI), (Dialect::Anthropic, ANTHROPIC)] {
            for text in fixtures {
                let mut sent = if crlf { text.replace('\n', "\r\n") } else { text.to_owned() };
                if bom {
                    sent.insert(0, '\u{feff}');
                }
                for surface in [Surface::OpenaiChat, Surface::AnthropicMessages] {
                    let split = play_chunks(provider, surface, asked(), cut(sent.as_bytes(), &cuts));
                    prop_assert_eq!(split, play(provider, surface, asked(), text));
                }
            }
        }
    }

    #[test]
    fn hostile_bytes_never_panic_and_always_come_to_an_end(
        fixture in 0..10_usize, at in any::<prop::sample::Index>(), noise in prop::collection::vec(any::<u8>(), 0..40),
    ) {
        let text = OPENAI.iter().chain(&ANTHROPIC).nth(fixture).unwrap();
        let mut bytes = text.as_bytes().to_vec();
        let at = at.index(bytes.len());
        let end = (at + noise.len()).min(bytes.len());
        bytes.splice(at..end, noise);
        for provider in [Dialect::OpenaiChat, Dialect::Anthropic] {
            for surface in [Surface::OpenaiChat, Surface::AnthropicMessages] {
                play_chunks(provider, surface, asked(), vec![bytes.clone()]);
            }
        }
    }
}
