use proptest::prelude::*;
use serde_json::json;
use signalbox_core::ids::ModelName;
use signalbox_core::usage::Unit;

use super::*;

fn map(value: &Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

fn to_anthropic(body: &Value) -> Value {
    to_anthropic_model(body, "claude-sonnet-4-5")
}

fn to_anthropic_model(body: &Value, model: &str) -> Value {
    let request = Dialect::OpenaiChat.decode_request(&map(body)).unwrap();
    Dialect::Anthropic.encode_request(&request, &ModelName::new(model).unwrap(), false)
}

fn to_openai(body: &Value) -> Value {
    to_openai_model(body, "deepseek-chat")
}

fn to_openai_model(body: &Value, model: &str) -> Value {
    let request = Dialect::Anthropic.decode_request(&map(body)).unwrap();
    Dialect::OpenaiChat.encode_request(&request, &ModelName::new(model).unwrap(), false)
}

fn translated(from: Dialect, to: Dialect, text: &str) -> Value {
    let body: Value = serde_json::from_str(text).unwrap();
    let response = from.decode_response(&body).unwrap();
    to.encode_response(&response, &from.read_usage(&body).unwrap().usage.unwrap(), &Map::new())
}

#[expect(clippy::needless_pass_by_value, reason = "literals read better without a borrow")]
fn user(content: Value) -> Value {
    json!({"role": "user", "content": content})
}

#[test]
fn a_whole_openai_conversation_becomes_an_anthropic_one() {
    let schema = json!({"type": "object", "properties": {"place": {"type": "string"}}});
    let call = |id: &str, arguments: &str| json!({"id": id, "type": "function", "function": {"name": "weather", "arguments": arguments}});
    let body = json!({
        "model": "op:chat_message",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "developer", "content": [{"type": "text", "text": "Be kind."}]},
            user(json!([
                {"type": "text", "text": "What is this?"},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0=", "detail": "low"}},
                {"type": "image_url", "image_url": {"url": "https://example.com/a.jpg"}},
                {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBERi0="}},
            ])),
            {"role": "assistant", "content": null, "tool_calls": [call("call_1", "{\"place\":\"Bern\"}"), call("call_2", "")]},
            {"role": "tool", "tool_call_id": "call_1", "content": "12 degrees"},
            {"role": "tool", "tool_call_id": "call_2", "content": [{"type": "text", "text": "unknown"}]},
            user(json!("And now?")),
            user(json!("")),
        ],
        "tools": [{"type": "function", "function": {"name": "weather", "description": "The weather.", "parameters": schema, "strict": true}}],
        "tool_choice": "required",
        "parallel_tool_calls": false,
        "temperature": 1.7, "top_p": 0.9, "stop": ["END", "\n"], "max_completion_tokens": 300,
        "user": "u-1", "seed": 7, "logit_bias": {"1": 2},
    });
    let image = |source: Value| json!({"type": "image", "source": source});
    let text = |text: &str| json!({"type": "text", "text": text});
    assert_eq!(
        to_anthropic(&body),
        json!({
            "model": "claude-sonnet-4-5",
            "max_tokens": 300,
            "system": "Be brief.\n\nBe kind.",
            "messages": [
                user(json!([
                    text("What is this?"),
                    image(json!({"type": "base64", "media_type": "image/png", "data": "iVBORw0="})),
                    image(json!({"type": "url", "url": "https://example.com/a.jpg"})),
                    {
                        "type": "document",
                        "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="},
                        "title": "a.pdf",
                    },
                ])),
                {"role": "assistant", "content": [
                    {"type": "tool_use", "id": "call_1", "name": "weather", "input": {"place": "Bern"}},
                    {"type": "tool_use", "id": "call_2", "name": "weather", "input": {}},
                ]},
                user(json!([
                    {"type": "tool_result", "tool_use_id": "call_1", "content": [text("12 degrees")]},
                    {"type": "tool_result", "tool_use_id": "call_2", "content": [text("unknown")]},
                    text("And now?"),
                ])),
            ],
            "temperature": 1.0,
            "stop_sequences": ["END"],
            "tools": [{"name": "weather", "input_schema": schema, "description": "The weather."}],
            "tool_choice": {"type": "any", "disable_parallel_tool_use": true},
            "metadata": {"user_id": "u-1"},
        })
    );
}

#[test]
fn a_whole_anthropic_conversation_becomes_an_openai_one() {
    let schema = json!({"type": "object", "properties": {"place": {"type": "string"}}});
    let body = json!({
        "model": "op:chat_message", "max_tokens": 300, "top_k": 5,
        "system": [{"type": "text", "text": "Be brief."}, {"type": "text", "text": "Be kind.", "cache_control": {"type": "ephemeral"}}],
        "messages": [
            user(json!([
                {"type": "text", "text": "What is this?"},
                {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0="}},
            ])),
            {"role": "assistant", "content": [
                {"type": "thinking", "thinking": "Hm.", "signature": "sig"},
                {"type": "text", "text": "Let me look."},
                {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {"place": "Bern"}},
                {"type": "tool_use", "id": "toolu_2", "name": "weather", "input": {}},
            ]},
            user(json!([
                {"type": "tool_result", "tool_use_id": "toolu_1", "content": "12 degrees"},
                {"type": "tool_result", "tool_use_id": "toolu_2", "is_error": true, "content": [
                    {"type": "text", "text": "unknown"}, {"type": "image", "source": {"type": "url", "url": "https://e.com/m.png"}},
                ]},
                {"type": "text", "text": "And now?"},
            ])),
        ],
        "tools": [{"name": "weather", "description": "The weather.", "input_schema": schema}],
        "tool_choice": {"type": "tool", "name": "weather", "disable_parallel_tool_use": true},
        "temperature": 0.5, "stop_sequences": ["END"], "metadata": {"user_id": "u-1"},
    });
    let call = |id: &str, arguments: &str| json!({"id": id, "type": "function", "function": {"name": "weather", "arguments": arguments}});
    assert_eq!(
        to_openai(&body),
        json!({
            "model": "deepseek-chat",
            "messages": [
                {"role": "system", "content": "Be brief.\n\nBe kind."},
                user(json!([
                    {"type": "text", "text": "What is this?"},
                    {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0="}},
                ])),
                {"role": "assistant", "content": "Let me look.", "tool_calls": [
                    call("toolu_1", "{\"place\":\"Bern\"}"), call("toolu_2", "{}"),
                ]},
                {"role": "tool", "tool_call_id": "toolu_1", "content": "12 degrees"},
                {"role": "tool", "tool_call_id": "toolu_2", "content": "Error: unknown"},
                user(json!([
                    {"type": "image_url", "image_url": {"url": "https://e.com/m.png"}}, {"type": "text", "text": "And now?"},
                ])),
            ],
            "max_tokens": 300,
            "temperature": 0.5,
            "stop": ["END"],
            "tools": [{"type": "function", "function": {"name": "weather", "parameters": schema, "description": "The weather."}}],
            "tool_choice": {"type": "function", "function": {"name": "weather"}},
            "parallel_tool_calls": false,
            "user": "u-1",
        })
    );
}

#[test]
fn every_tool_choice_has_its_counterpart() {
    let tools = json!([{"type": "function", "function": {"name": "a"}}]);
    let named = json!({"type": "function", "function": {"name": "a"}});
    for (openai, anthropic) in [
        (json!("auto"), json!({"type": "auto"})),
        (json!("none"), json!({"type": "none"})),
        (json!("required"), json!({"type": "any"})),
        (named, json!({"type": "tool", "name": "a"})),
    ] {
        let there =
            to_anthropic(&json!({"messages": [user(json!("x"))], "tools": tools, "tool_choice": openai}));
        assert_eq!(there["tool_choice"], anthropic);
        let back = to_openai(&json!({
            "messages": [user(json!("x"))], "max_tokens": 1, "tools": [{"name": "a"}], "tool_choice": anthropic,
        }));
        assert_eq!(back["tool_choice"], openai);
    }
    let without_tools = to_anthropic(&json!({"messages": [user(json!("x"))], "tool_choice": "auto"}));
    assert_eq!(without_tools.get("tool_choice"), None);
}

#[test]
fn anthropic_is_always_told_a_limit_and_begins_with_the_user() {
    let body = to_anthropic(&json!({"messages": [
        {"role": "assistant", "content": "Welcome."}, user(json!("hi")), {"role": "assistant", "content": "Hello, "},
    ]}));
    assert_eq!(body["max_tokens"], 4096);
    let roles = body["messages"].as_array().unwrap().iter().map(|turn| turn["role"].as_str().unwrap());
    assert_eq!(roles.collect::<Vec<_>>(), ["user", "assistant", "user", "assistant"]);
    // An answer to be continued must not end in a blank.
    assert_eq!(body["messages"][3]["content"][0]["text"], "Hello,");
}

#[test]
fn ids_anthropic_would_refuse_are_mended_alike_in_call_and_result() {
    let body = to_anthropic(&json!({"messages": [
        user(json!("x")),
        {"role": "assistant", "tool_calls": [{"id": "call:1.a", "type": "function", "function": {"name": "f", "arguments": "not json"}}]},
        {"role": "tool", "tool_call_id": "call:1.a", "content": ""},
    ]}));
    assert_eq!(body["messages"][1]["content"][0]["id"], "call_1_a");
    assert_eq!(body["messages"][1]["content"][0]["input"], json!({"arguments": "not json"}));
    assert_eq!(
        body["messages"][2]["content"][0],
        json!({"type": "tool_result", "tool_use_id": "call_1_a", "content": []})
    );
}

#[test]
fn a_wish_for_json_becomes_an_instruction_where_there_is_no_field_for_it() {
    let schema = json!({"type": "object", "required": ["label"]});
    let body = to_anthropic(&json!({
        "messages": [{"role": "system", "content": "Classify."}, user(json!("x"))],
        "response_format": {"type": "json_schema", "json_schema": {"name": "label", "schema": schema}},
    }));
    let system = body["system"].as_str().unwrap();
    assert!(system.starts_with("Classify.\n\n") && system.contains(&schema.to_string()), "{system}");
}

#[test]
fn thinking_is_asked_for_only_where_the_api_takes_it() {
    let ask = |more: Value| {
        let mut body = json!({"messages": [user(json!("x"))], "reasoning_effort": "medium", "max_tokens": 10_000, "temperature": 0.2});
        body.as_object_mut().unwrap().extend(map(&more));
        body
    };
    let body = to_anthropic(&ask(json!({})));
    assert_eq!(body["thinking"], json!({"type": "enabled", "budget_tokens": 4096}));
    assert_eq!(body.get("temperature"), None);
    for refused in [
        json!({"max_tokens": 1500}),
        json!({"reasoning_effort": "none"}),
        json!({"tools": [{"type": "function", "function": {"name": "a"}}], "tool_choice": "required"}),
    ] {
        let body = to_anthropic(&ask(refused));
        assert_eq!((body.get("thinking"), &body["temperature"]), (None, &json!(0.2)));
    }
    for (model, thinking, sampling) in [
        ("claude-3-5-haiku-latest", json!(null), true),
        ("claude-3-7-sonnet-20250219", json!("enabled"), false),
        ("claude-sonnet-4-20250514", json!("enabled"), false),
        ("claude-haiku-4-5-20251001", json!("enabled"), false),
        ("anthropic/claude-4.6-opus", json!("adaptive"), false),
        ("claude-opus-4-7", json!("adaptive"), false),
        ("claude-fable-5", json!("adaptive"), false),
        ("sim-large", json!(null), true),
    ] {
        let body = to_anthropic_model(&ask(json!({})), model);
        assert_eq!(
            (&body["thinking"]["type"], body.get("temperature").is_some()),
            (&thinking, sampling),
            "{model}"
        );
    }
    let plain =
        |model| to_anthropic_model(&json!({"messages": [user(json!("x"))], "temperature": 0.2}), model);
    assert_eq!(plain("claude-sonnet-4-6")["temperature"], 0.2);
    assert_eq!(plain("claude-opus-4-8").get("temperature"), None);
    let effort = to_anthropic_model(&ask(json!({})), "claude-opus-5-5");
    assert_eq!(effort["output_config"], json!({"effort": "medium"}));
}

#[test]
fn openais_thinking_models_get_the_fields_they_take() {
    let body = json!({
        "messages": [user(json!("x"))], "max_tokens": 500, "temperature": 0.2, "stop_sequences": ["END"],
        "thinking": {"type": "enabled", "budget_tokens": 20_000},
    });
    let gpt = to_openai_model(&body, "gpt-5-mini");
    assert_eq!(gpt["max_completion_tokens"], 500);
    assert_eq!(gpt["reasoning_effort"], "high");
    assert!(["temperature", "stop", "max_tokens"].iter().all(|key| gpt.get(*key).is_none()), "{gpt}");
    for (model, fixed, effort) in [
        ("openai/gpt-6.1-sol", true, true),
        ("o3-pro", true, true),
        ("gpt-5-chat-latest", false, false),
        ("gpt-4o-mini", false, false),
        ("gpt-oss-120b", false, true),
        ("gemini-2.0-flash", false, false),
        ("gemini-3.8-flash", false, true),
        ("olmo-3", false, false),
    ] {
        let body = to_openai_model(&body, model);
        let found = (body.get("max_completion_tokens").is_some(), body.get("reasoning_effort").is_some());
        assert_eq!(found, (fixed, effort), "{model}");
    }
    let deepseek = to_openai(&body);
    assert_eq!((deepseek.get("reasoning_effort"), &deepseek["temperature"]), (None, &json!(0.2)));
}

#[test]
fn what_cannot_be_said_is_refused_with_its_path() {
    let refused = |dialect: Dialect, body: Value| dialect.decode_request(&map(&body)).unwrap_err().path;
    let openai = |body| refused(Dialect::OpenaiChat, body);
    assert_eq!(openai(json!({"messages": [], "n": 2})), "n");
    assert_eq!(
        openai(json!({"messages": [user(json!([{"type": "input_audio", "input_audio": {}}]))]})),
        "messages[0].content[0].input_audio.format"
    );
    assert_eq!(openai(json!({"messages": [{"role": "tool", "content": "x"}]})), "messages[0].tool_call_id");
    assert_eq!(openai(json!({"messages": [{"role": "wizard", "content": "x"}]})), "messages[0].role");
    assert_eq!(openai(json!({"messages": [], "tools": [{"type": "custom"}]})), "tools[0].type");
    assert_eq!(openai(json!({"messages": [], "stop": [1]})), "stop[0]");
    assert_eq!(openai(json!({"messages": [], "temperature": "hot"})), "temperature");
    let anthropic = |body| refused(Dialect::Anthropic, body);
    assert_eq!(
        anthropic(json!({"tools": [{"type": "web_search_20250305", "name": "web_search"}]})),
        "tools[0].type"
    );
    assert_eq!(anthropic(json!({"messages": [{"role": "system", "content": "x"}]})), "messages[0].role");
    assert_eq!(
        anthropic(json!({"messages": [user(json!([{"type": "image", "source": {"type": "file"}}]))]})),
        "messages[0].content[0].source.type"
    );
}

macro_rules! fixture {
    ($name:literal) => {
        include_str!(concat!("../../tests/fixtures/", $name))
    };
}

#[test]
fn anthropics_answers_become_openais() {
    let there = |text| translated(Dialect::Anthropic, Dialect::OpenaiChat, text);
    let plain = there(fixture!("anthropic/complete.json"));
    assert_eq!(
        plain,
        json!({
            "id": "chatcmpl-013Zva2CMHLNnXjNJJKqJ2EF", "object": "chat.completion", "created": 0,
            "model": "claude-sonnet-4-5-20250929",
            "choices": [{
                "index": 0, "message": {"role": "assistant", "content": "Hi! My name is Claude.", "refusal": null},
                "logprobs": null, "finish_reason": "stop",
            }],
            "usage": {
                "prompt_tokens": 10, "completion_tokens": 25, "total_tokens": 35,
                "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
                "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
            },
        })
    );
    let tools = there(fixture!("anthropic/complete_tools.json"));
    let message = &tools["choices"][0]["message"];
    assert_eq!(message["reasoning_content"], "They ask about two places.");
    assert_eq!(
        message["tool_calls"],
        json!([
            {
                "id": "toolu_01A09q90qw90lq917835lq9", "type": "function",
                "function": {"name": "get_weather", "arguments": "{\"location\":\"San Francisco, CA\"}"},
            },
            {"id": "toolu_02", "type": "function", "function": {"name": "get_time", "arguments": "{}"}},
        ])
    );
    assert_eq!(tools["choices"][0]["finish_reason"], "tool_calls");
    let cached = there(fixture!("anthropic/complete_cached.json"));
    assert_eq!(cached["usage"]["prompt_tokens"], 21 + 188_086 + 556);
    assert_eq!(cached["usage"]["prompt_tokens_details"]["cached_tokens"], 188_086);
    let refused = there(fixture!("anthropic/complete_refusal.json"));
    assert_eq!(refused["choices"][0]["finish_reason"], "content_filter");
}

#[test]
fn openais_answers_become_anthropics() {
    let there = |text| translated(Dialect::OpenaiChat, Dialect::Anthropic, text);
    assert_eq!(
        there(fixture!("openai/complete_tools.json")),
        json!({
            "id": "msg_B9MBs8CjcvOU2jLn4n570S5qMJKcT", "type": "message", "role": "assistant",
            "model": "gpt-4.1-2025-04-14",
            "content": [
                {"type": "tool_use", "id": "call_abc123", "name": "get_current_weather", "input": {"location": "Boston, MA"}},
                {"type": "tool_use", "id": "call_def456", "name": "get_current_weather", "input": {"location": "Zürich"}},
            ],
            "stop_reason": "tool_use", "stop_sequence": null,
            "usage": {
                "input_tokens": 82, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0, "output_tokens": 17,
            },
        })
    );
    let cached = there(fixture!("openai/complete_cached_reasoning.json"));
    assert_eq!(
        cached["usage"],
        json!({"input_tokens": 86, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 1920, "output_tokens": 300})
    );
    let refused = there(fixture!("openai/complete_refusal.json"));
    assert_eq!(refused["content"][0]["text"], "I'm sorry, I cannot assist with that request.");
    assert_eq!(
        there(fixture!("openai/deepseek.json"))["content"][0]["thinking"],
        "Compare the tenths: 1 and 8."
    );
    assert_eq!(
        there(fixture!("openai/gemini.json"))["content"],
        json!([{"type": "text", "text": "Hi there!"}])
    );
}

#[test]
fn an_answer_of_another_form_is_refused_and_never_a_panic() {
    for bad in [
        json!({}),
        json!([]),
        json!(null),
        json!({"choices": []}),
        json!({"choices": [{}]}),
        json!({"content": 7}),
    ] {
        assert!(Dialect::OpenaiChat.decode_response(&bad).is_err(), "{bad}");
        assert!(Dialect::Anthropic.decode_response(&bad).is_err(), "{bad}");
    }
    for odd in [
        json!({"choices": [{"message": {"tool_calls": [7, {}, {"function": {"arguments": {}}}], "content": [{}]}}]}),
        json!({"choices": [{"message": {"content": 7, "refusal": 7, "tool_calls": {}}, "finish_reason": 7}], "id": 7}),
    ] {
        let response = Dialect::OpenaiChat.decode_response(&odd).unwrap();
        Dialect::Anthropic.encode_response(
            &response,
            &Usage::default().with(Unit::OutputTokens, 1),
            &Map::new(),
        );
    }
}

#[test]
fn a_call_left_for_another_cannot_go_on_at_anthropics_wire() {
    let start =
        |index| ChatEvent::ToolStart { index, id: format!("call_{index}"), name: "weather".to_owned() };
    let more = |index| ChatEvent::ToolArguments { index, fragment: "{}".to_owned() };
    let mut encoder = Encoder::Anthropic(anthropic::stream::Encoder::new("m", false));
    let mut out = Vec::new();
    for event in [start(0), more(0), start(1), more(1)] {
        encoder.write(&event, &mut out).unwrap();
    }
    assert!(encoder.write(&more(0), &mut out).is_err());
}

/// JSON of any shape, made of the words the dialects look for.
fn json_of_any_shape() -> impl Strategy<Value = Value> {
    const WORDS: &[&str] = &[
        "messages",
        "role",
        "content",
        "user",
        "assistant",
        "system",
        "tool",
        "type",
        "text",
        "image",
        "image_url",
        "url",
        "tool_use",
        "tool_result",
        "tool_calls",
        "function",
        "name",
        "arguments",
        "input",
        "id",
        "source",
        "data",
        "base64",
        "tools",
        "tool_choice",
        "stop",
        "n",
        "max_tokens",
        "thinking",
        "usage",
        "prompt_tokens",
        "completion_tokens",
        "total_tokens",
        "input_tokens",
        "output_tokens",
        "cache_creation",
        "choices",
        "message",
        "delta",
        "index",
        "finish_reason",
        "error",
        "code",
        "content_block",
        "message_start",
        "message_delta",
        "content_block_start",
        "content_block_delta",
        "input_json_delta",
        "partial_json",
        "cost",
        "response_format",
        "json_schema",
        "file",
    ];
    json_of(WORDS)
}

/// JSON of any shape whose keys and strings are often one of `words`, so that it gets past the first look.
pub(super) fn json_of(words: &'static [&'static str]) -> impl Strategy<Value = Value> {
    let word = move || prop::sample::select(words);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(|number| json!(number)),
        word().prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 48, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((word(), inner), 0..6)
                .prop_map(|fields| fields.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn json_of_any_shape_is_read_or_refused_and_never_a_panic(value in json_of_any_shape()) {
        let model = ModelName::new("any").unwrap();
        for dialect in [Dialect::OpenaiChat, Dialect::Anthropic] {
            let other = if dialect == Dialect::OpenaiChat { Dialect::Anthropic } else { Dialect::OpenaiChat };
            let body = Map::from_iter([("messages".to_owned(), value.clone()), ("tools".to_owned(), value.clone())]);
            for body in [value.as_object().cloned().unwrap_or_default(), body] {
                if let Ok(request) = dialect.decode_request(&body) {
                    other.encode_request(&request, &model, true);
                }
                let _ = crate::inspect(Surface::OpenaiChat, &crate::Payload::Json(std::sync::Arc::new(body.clone())));
            }
            let usage = dialect.read_usage(&json!({"usage": value})).and_then(|report| report.usage).unwrap_or_default();
            for answer in [value.clone(), json!({"choices": [{"message": value}], "content": value})] {
                if let Ok(response) = dialect.decode_response(&answer) {
                    other.encode_response(&response, &usage, &Map::new());
                }
            }
            let mut decoder = Decoder::new(dialect);
            let chunk = json!({"choices": [{"delta": value}], "type": "content_block_delta", "delta": value});
            for data in [value.to_string(), chunk.to_string()] {
                let _ = decoder.read(&data);
            }
        }
    }
}
