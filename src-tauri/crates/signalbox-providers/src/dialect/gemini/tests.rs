use proptest::prelude::*;
use serde_json::{Map, Value, json};
use signalbox_core::ids::ModelName;
use signalbox_core::ledger::Surface;
use signalbox_core::usage::Usage;

use super::*;
use crate::chat::{ChatEvent, Part};
use crate::dialect::tests::json_of;
use crate::dialect::{Decoder, Dialect};
use crate::failure::ErrorBody;

macro_rules! fixture {
    ($name:literal) => {
        include_str!(concat!("../../../tests/fixtures/gemini/", $name))
    };
}

fn map(value: &Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

fn encoded(surface: Dialect, body: &Value, model: &str) -> Value {
    let request = surface.decode_request(&map(body)).unwrap();
    Dialect::Gemini.encode_request(&request, &ModelName::new(model).unwrap(), false)
}

fn from_openai(body: &Value) -> Value {
    encoded(Dialect::OpenaiChat, body, "gemini-2.5-flash")
}

fn from_anthropic(body: &Value) -> Value {
    encoded(Dialect::Anthropic, body, "gemini-2.5-flash")
}

fn answered(to: Dialect, text: &str) -> Value {
    let body: Value = serde_json::from_str(text).unwrap();
    let response = Dialect::Gemini.decode_response(&body).unwrap();
    to.encode_response(&response, &Dialect::Gemini.read_usage(&body).unwrap().usage.unwrap(), &Map::new())
}

#[expect(clippy::needless_pass_by_value, reason = "literals read better without a borrow")]
fn user(content: Value) -> Value {
    json!({"role": "user", "content": content})
}

fn call(id: &str, name: &str, arguments: &str) -> Value {
    json!({"id": id, "type": "function", "function": {"name": name, "arguments": arguments}})
}

fn hi() -> Value {
    json!({"messages": [user(json!("hi"))]})
}

fn with(mut body: Value, more: &Value) -> Value {
    body.as_object_mut().unwrap().extend(map(more));
    body
}

#[test]
fn a_whole_openai_conversation_becomes_a_gemini_one() {
    let schema = json!({"type": "object", "properties": {"place": {"type": "string", "minLength": 1}}});
    let body = json!({
        "model": "op:chat_message",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "developer", "content": [{"type": "text", "text": "Be kind."}]},
            user(json!([
                {"type": "text", "text": "What is this?"},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0=", "detail": "low"}},
                {"type": "image_url", "image_url": {"url": "https://example.com/a.JPG?size=1"}},
                {"type": "image_url", "image_url": {"url": "https://example.com/a"}},
                {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBERi0="}},
                {"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}},
            ])),
            {"role": "assistant", "content": null, "tool_calls": [call("call_1", "weather", "{\"place\":\"Bern\"}"), call("call_2", "time", "")]},
            {"role": "tool", "tool_call_id": "call_1", "content": "12 degrees"},
            {"role": "tool", "tool_call_id": "call_2", "content": [{"type": "text", "text": "{\"id\":12345678901234567890}"}]},
            user(json!("And now?")),
            user(json!("")),
        ],
        "tools": [
            {"type": "function", "function": {"name": "weather", "description": "The weather.", "parameters": schema, "strict": true}},
            {"type": "function", "function": {"name": "time"}},
        ],
        "tool_choice": "required", "parallel_tool_calls": false,
        "temperature": 2.5, "top_p": 0.9, "stop": ["END", ""], "max_completion_tokens": 300,
        "user": "u-1", "seed": 7, "logit_bias": {"1": 2},
    });
    let result = |id: &str, name: &str, output: &str| json!({"functionResponse": {"id": id, "name": name, "response": {"output": output}}});
    assert_eq!(
        from_openai(&body),
        json!({
            "systemInstruction": {"parts": [{"text": "Be brief.\n\nBe kind."}]},
            "contents": [
                {"role": "user", "parts": [
                    {"text": "What is this?"},
                    {"inlineData": {"mimeType": "image/png", "data": "iVBORw0="}},
                    {"fileData": {"mimeType": "image/jpeg", "fileUri": "https://example.com/a.JPG?size=1"}},
                    {"fileData": {"fileUri": "https://example.com/a"}},
                    {"inlineData": {"mimeType": "application/pdf", "data": "JVBERi0="}},
                    {"inlineData": {"mimeType": "audio/wav", "data": "UklGRg=="}},
                ]},
                {"role": "model", "parts": [
                    {"functionCall": {"id": "call_1", "name": "weather", "args": {"place": "Bern"}}},
                    {"functionCall": {"id": "call_2", "name": "time", "args": {}}},
                ]},
                {"role": "user", "parts": [
                    result("call_1", "weather", "12 degrees"),
                    result("call_2", "time", "{\"id\":12345678901234567890}"),
                    {"text": "And now?"},
                ]},
            ],
            "tools": [{"functionDeclarations": [
                {
                    "name": "weather", "description": "The weather.",
                    "parametersJsonSchema": {"type": "object", "properties": {"place": {"type": "string"}}},
                },
                {"name": "time"},
            ]}],
            "toolConfig": {"functionCallingConfig": {"mode": "ANY"}},
            "generationConfig": {
                "maxOutputTokens": 300, "temperature": 2.0, "topP": 0.9, "stopSequences": ["END"],
            },
        })
    );
}

#[test]
fn a_whole_anthropic_conversation_becomes_a_gemini_one() {
    let body = json!({
        "model": "op:chat_message", "max_tokens": 300, "top_k": 5,
        "system": [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}],
        "messages": [
            user(json!([{"type": "document", "title": "a.pdf", "source": {"type": "url", "url": "https://e.com/a.pdf"}}])),
            {"role": "assistant", "content": [
                {"type": "thinking", "thinking": "Hm.", "signature": "sig"},
                {"type": "text", "text": "Let me look."},
                {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {"place": "Bern"}},
            ]},
            user(json!([
                {"type": "text", "text": "Here you are."},
                {"type": "tool_result", "tool_use_id": "toolu_1", "is_error": true, "content": [
                    {"type": "text", "text": "unknown"}, {"type": "image", "source": {"type": "url", "url": "https://e.com/m.png"}},
                ]},
            ])),
        ],
        "tools": [{"name": "weather", "input_schema": {"type": "object", "properties": {"place": {}}}}],
        "tool_choice": {"type": "tool", "name": "weather"},
        "temperature": 0.5, "stop_sequences": ["END"], "metadata": {"user_id": "u-1"},
    });
    assert_eq!(
        from_anthropic(&body),
        json!({
            "systemInstruction": {"parts": [{"text": "Be brief."}]},
            "contents": [
                {"role": "user", "parts": [{"fileData": {"mimeType": "application/pdf", "fileUri": "https://e.com/a.pdf"}}]},
                {"role": "model", "parts": [
                    {"text": "Let me look."},
                    {"functionCall": {"id": "toolu_1", "name": "weather", "args": {"place": "Bern"}}},
                ]},
                {"role": "user", "parts": [
                    {"functionResponse": {"id": "toolu_1", "name": "weather", "response": {"error": "unknown"}}},
                    {"text": "Here you are."},
                    {"fileData": {"mimeType": "image/png", "fileUri": "https://e.com/m.png"}},
                ]},
            ],
            "tools": [{"functionDeclarations": [
                {"name": "weather", "parametersJsonSchema": {"type": "object", "properties": {"place": {}}}},
            ]}],
            "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["weather"]}},
            "generationConfig": {"maxOutputTokens": 300, "temperature": 0.5, "stopSequences": ["END"]},
        })
    );
}

#[test]
fn every_tool_choice_has_its_counterpart() {
    let tools = json!([{"type": "function", "function": {"name": "a"}}]);
    for (choice, mode) in [
        (json!("auto"), json!({"mode": "AUTO"})),
        (json!("none"), json!({"mode": "NONE"})),
        (json!("required"), json!({"mode": "ANY"})),
        (
            json!({"type": "function", "function": {"name": "a"}}),
            json!({"mode": "ANY", "allowedFunctionNames": ["a"]}),
        ),
    ] {
        let body = from_openai(&with(hi(), &json!({"tools": tools, "tool_choice": choice})));
        assert_eq!(body["toolConfig"]["functionCallingConfig"], mode);
    }
    let body = from_openai(&with(hi(), &json!({"tools": tools})));
    assert_eq!(body.get("toolConfig"), None);
    let without_tools = from_openai(&with(hi(), &json!({"tool_choice": "auto"})));
    assert_eq!(without_tools.get("toolConfig"), None);
}

#[test]
fn the_user_begins_even_where_nobody_spoke() {
    let body = from_openai(&json!({"messages": [{"role": "assistant", "content": "Welcome."}]}));
    let roles = body["contents"].as_array().unwrap().iter().map(|turn| turn["role"].as_str().unwrap());
    assert_eq!(roles.collect::<Vec<_>>(), ["user", "model"]);
    let body = from_openai(&json!({"messages": [{"role": "system", "content": "Be brief."}]}));
    assert_eq!(body["contents"], json!([{"role": "user", "parts": [{"text": "."}]}]));
}

#[test]
fn the_form_of_the_answer_is_a_field_or_where_tools_forbid_it_an_instruction() {
    let schema = json!({"type": "object", "$schema": "x", "properties": {"label": {"type": "string"}}});
    let format = json!({"response_format": {"type": "json_schema", "json_schema": {"name": "label", "schema": schema}}});
    let tools = json!({"tools": [{"type": "function", "function": {"name": "a"}}]});
    let config = |body: &Value, model| encoded(Dialect::OpenaiChat, body, model)["generationConfig"].clone();
    let asked = with(hi(), &format);
    let expected = json!({
        "responseMimeType": "application/json",
        "responseJsonSchema": {"type": "object", "properties": {"label": {"type": "string"}}},
    });
    assert_eq!(config(&asked, "gemini-2.5-flash"), expected);
    let both = with(asked, &tools);
    assert_eq!(config(&both, "gemini-3.8-flash"), expected);
    assert_eq!(config(&both, "gemini-2.5-flash"), Value::Null);
    let system =
        encoded(Dialect::OpenaiChat, &both, "gemini-2.5-flash")["systemInstruction"]["parts"][0]["text"]
            .clone();
    assert!(system.as_str().unwrap().contains("\"label\""), "{system}");
    let any = with(hi(), &json!({"response_format": {"type": "json_object"}}));
    assert_eq!(config(&any, "gemini-2.5-flash"), json!({"responseMimeType": "application/json"}));
}

#[test]
fn thinking_is_asked_for_as_each_model_takes_it() {
    let thinking = |model: &str, effort: &str| {
        let body = encoded(Dialect::OpenaiChat, &with(hi(), &json!({"reasoning_effort": effort})), model);
        body["generationConfig"]["thinkingConfig"].clone()
    };
    let budget = |budget: u32| json!({"thinkingBudget": budget, "includeThoughts": true});
    let level = |level: &str| json!({"thinkingLevel": level, "includeThoughts": true});
    for (model, off, low, medium, high) in [
        ("gemini-2.5-flash", json!({"thinkingBudget": 0}), budget(1024), budget(8192), budget(24_576)),
        (
            "models/gemini-2.5-flash-lite",
            json!({"thinkingBudget": 0}),
            budget(1024),
            budget(8192),
            budget(24_576),
        ),
        ("gemini-2.5-pro", json!({"thinkingBudget": 128}), budget(1024), budget(8192), budget(24_576)),
        (
            "gemini-3-flash-preview",
            json!({"thinkingLevel": "minimal"}),
            level("low"),
            level("medium"),
            level("high"),
        ),
        ("gemini-3.8-flash", json!({"thinkingLevel": "low"}), level("low"), level("medium"), level("high")),
        (
            "gemini-3.5-flash-lite",
            json!({"thinkingLevel": "minimal"}),
            level("low"),
            level("medium"),
            level("high"),
        ),
        (
            "gemini-3.1-pro-preview",
            json!({"thinkingLevel": "low"}),
            level("low"),
            level("medium"),
            level("high"),
        ),
        (
            "gemini-flash-latest",
            json!({"thinkingLevel": "low"}),
            level("low"),
            level("medium"),
            level("high"),
        ),
        ("gemini-4-argon", json!({"thinkingLevel": "low"}), level("low"), level("medium"), level("high")),
        ("gemini-2.0-flash", Value::Null, Value::Null, Value::Null, Value::Null),
        ("gemini-2.5-flash-image", Value::Null, Value::Null, Value::Null, Value::Null),
        ("gemma-4-31b-it", Value::Null, Value::Null, Value::Null, Value::Null),
        ("sim-small", Value::Null, Value::Null, Value::Null, Value::Null),
    ] {
        let found = ["none", "low", "medium", "high"].map(|effort| thinking(model, effort));
        assert_eq!(found, [off, low, medium, high], "{model}");
    }
    assert_eq!(from_openai(&hi()).get("generationConfig"), None);
}

#[test]
fn a_signature_comes_back_with_its_call_and_a_lost_one_is_stood_in_for() {
    let body: Value = serde_json::from_str(fixture!("complete_tools.json")).unwrap();
    let answer = answered(Dialect::OpenaiChat, fixture!("complete_tools.json"));
    let message = answer["choices"][0]["message"].clone();
    let conversation = |message: &Value| {
        json!({"messages": [
            user(json!("hi")), message,
            {"role": "tool", "tool_call_id": message["tool_calls"][0]["id"], "content": "12"},
            {"role": "tool", "tool_call_id": message["tool_calls"][1]["id"], "content": "9:00"},
        ]})
    };
    let signatures = |body: &Value, model: &str| {
        let sent = encoded(Dialect::OpenaiChat, body, model);
        let parts = sent["contents"][1]["parts"].as_array().unwrap().clone();
        let calls = parts.iter().filter(|part| part.get("functionCall").is_some());
        calls.map(|part| part.get("thoughtSignature").cloned()).collect::<Vec<_>>()
    };
    let given = body.pointer("/candidates/0/content/parts/1/thoughtSignature").unwrap().clone();
    assert_eq!(signatures(&conversation(&message), "gemini-3.8-flash"), [Some(given), None]);

    let mut forgetful = message;
    for call in forgetful["tool_calls"].as_array_mut().unwrap() {
        call.as_object_mut().unwrap().remove("extra_content");
    }
    let stand_in = Some(json!("skip_thought_signature_validator"));
    assert_eq!(signatures(&conversation(&forgetful), "gemini-3.8-flash"), [stand_in, None]);
    assert_eq!(signatures(&conversation(&forgetful), "gemini-2.5-flash"), [None, None]);
}

#[test]
fn geminis_answers_become_openais() {
    let there = |text| answered(Dialect::OpenaiChat, text);
    assert_eq!(
        there(fixture!("complete.json")),
        json!({
            "id": "chatcmpl-mAitaLmkHPPlz7IPvtfUqQ4", "object": "chat.completion", "created": 0,
            "model": "gemini-2.0-flash",
            "choices": [{
                "index": 0,
                "message": {
                    "role": "assistant", "content": "AI learns patterns from data to make decisions.", "refusal": null,
                },
                "logprobs": null, "finish_reason": "stop",
            }],
            "usage": {
                "prompt_tokens": 8, "completion_tokens": 10, "total_tokens": 18,
                "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
                "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
            },
        })
    );
    let tools = there(fixture!("complete_tools.json"));
    let signature = "google:CiEBjz1rX0ilumvPg6k0sMMUtISoQCLJv2bPJ7Vv9r+Xw0o=";
    let choice = &tools["choices"][0];
    assert_eq!(
        choice["message"],
        json!({"role": "assistant", "content": "Let me look.", "refusal": null, "tool_calls": [
            with(
                call("8f2b1a3c", "get_weather", "{\"location\":\"Zürich\"}"),
                &json!({"extra_content": {"google": {"thought_signature": signature.trim_start_matches("google:")}}}),
            ),
            call("call_Wn2HaKqyJ4uz7M8P1b2x6AU_1", "get_time", "{}"),
        ]})
    );
    assert_eq!(choice["finish_reason"], "tool_calls");
    let thinking = there(fixture!("complete_thinking.json"));
    let message = &thinking["choices"][0]["message"];
    assert_eq!(message["reasoning_content"], "**Comparing the tenths**\n\n1 is less than 8.");
    assert_eq!(message["content"], "9.11 is less than 9.8.");
    assert_eq!(thinking["usage"]["completion_tokens_details"]["reasoning_tokens"], 142);
    let cached = there(fixture!("complete_cached.json"));
    assert_eq!(cached["choices"][0]["finish_reason"], "length");
    assert_eq!(cached["choices"][0]["message"]["content"], "The transcript describes the lunar landing.");
    assert_eq!(cached["usage"]["prompt_tokens_details"]["cached_tokens"], 696_190);
    let audio = there(fixture!("complete_audio.json"));
    assert_eq!(audio["usage"]["prompt_tokens"], 2290);
    assert_eq!(audio["usage"]["prompt_tokens_details"], json!({"cached_tokens": 1020, "audio_tokens": 1920}));
    let blocked = there(fixture!("blocked.json"));
    assert_eq!(blocked["choices"][0]["finish_reason"], "content_filter");
    assert_eq!(blocked["choices"][0]["message"]["content"], Value::Null);
    assert_eq!(blocked["usage"]["total_tokens"], 9);
}

#[test]
fn geminis_answers_become_anthropics() {
    let there = |text| answered(Dialect::Anthropic, text);
    assert_eq!(
        there(fixture!("complete_tools.json")),
        json!({
            "id": "msg_Wn2HaKqyJ4uz7M8P1b2x6AU", "type": "message", "role": "assistant", "model": "gemini-3.8-flash",
            "content": [
                {"type": "text", "text": "Let me look."},
                {
                    "type": "thinking", "thinking": "",
                    "signature": "google:CiEBjz1rX0ilumvPg6k0sMMUtISoQCLJv2bPJ7Vv9r+Xw0o=",
                },
                {"type": "tool_use", "id": "8f2b1a3c", "name": "get_weather", "input": {"location": "Zürich"}},
                {"type": "tool_use", "id": "call_Wn2HaKqyJ4uz7M8P1b2x6AU_1", "name": "get_time", "input": {}},
            ],
            "stop_reason": "tool_use", "stop_sequence": null,
            "usage": {
                "input_tokens": 86, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0, "output_tokens": 96,
            },
        })
    );
    assert_eq!(there(fixture!("complete_cached.json"))["stop_reason"], "max_tokens");
    assert_eq!(there(fixture!("blocked.json"))["stop_reason"], "refusal");
    assert_eq!(
        there(fixture!("complete_audio.json"))["usage"],
        json!({
            "input_tokens": 1270, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 1020, "output_tokens": 20,
        })
    );
    let thinking = there(fixture!("complete_thinking.json"));
    assert_eq!(thinking["content"][0]["thinking"], "**Comparing the tenths**\n\n1 is less than 8.");
}

#[test]
fn every_reason_to_stop_has_its_meaning() {
    let finish = |word: &str| {
        let body = json!({"candidates": [{"content": {"parts": [{"text": "x"}]}, "finishReason": word}]});
        response::decode(&body).map(|response| response.finish.reason)
    };
    for (word, reason) in [
        ("STOP", FinishReason::Stop),
        ("MAX_TOKENS", FinishReason::Length),
        ("SAFETY", FinishReason::Refused),
        ("RECITATION", FinishReason::Refused),
        ("BLOCKLIST", FinishReason::Refused),
        ("PROHIBITED_CONTENT", FinishReason::Refused),
        ("SPII", FinishReason::Refused),
        ("IMAGE_SAFETY", FinishReason::Refused),
        ("OTHER", FinishReason::Refused),
        ("SOMETHING_NEW", FinishReason::Stop),
    ] {
        assert_eq!(finish(word), Ok(reason), "{word}");
    }
    for word in
        ["MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "MALFORMED_RESPONSE", "MISSING_THOUGHT_SIGNATURE"]
    {
        assert!(finish(word).unwrap_err().contains(word), "{word}");
        let chunk = json!({
            "candidates": [{"finishReason": word, "finishMessage": "Malformed function call: print(1)"}],
            "usageMetadata": {"promptTokenCount": 5, "thoughtsTokenCount": 7},
        });
        let events = Decoder::new(Dialect::Gemini).read(&chunk.to_string()).unwrap().events;
        let Some(ChatEvent::Failed(error)) = events.last() else { panic!("{events:?}") };
        assert!(error.message.contains("print(1)"), "{error}");
        assert!(error.kind.fails_over());
        assert!(
            matches!(&events[events.len() - 2], ChatEvent::Usage(report) if report.complete),
            "{events:?}"
        );
    }
}

#[test]
fn every_published_error_has_its_meaning() {
    let table: Vec<Value> = serde_json::from_str(fixture!("errors.json")).unwrap();
    for row in table {
        let status = u16::try_from(row["status"].as_u64().unwrap()).unwrap();
        let error = ErrorBody::of_json(&row["body"]).into_error(Some(status), None, None);
        assert_eq!(json!(error.kind.as_str()), row["kind"], "{row}");
        let wait = error.retry_after.map(|wait| u64::try_from(wait.as_millis()).unwrap());
        assert_eq!(json!(wait), row["wait_ms"], "{row}");
        // A stream carries the same body in place of a chunk.
        let events = Decoder::new(Dialect::Gemini).read(&row["body"].to_string()).unwrap().events;
        let [ChatEvent::Failed(inside)] = events.as_slice() else { panic!("{events:?}") };
        assert_eq!((inside.kind, inside.retry_after), (error.kind, error.retry_after), "{row}");
    }
}

#[test]
fn an_answer_of_another_form_is_refused_and_never_a_panic() {
    for bad in [
        json!({}),
        json!([]),
        json!(null),
        json!({"candidates": []}),
        json!({"candidates": [{}]}),
        json!({"candidates": [7]}),
        json!({"candidates": [{"content": {"parts": [{}, 7, {"functionCall": 7}]}}]}),
        json!({"promptFeedback": {}}),
    ] {
        assert!(response::decode(&bad).is_err(), "{bad}");
    }
    for odd in [
        json!({"candidates": [{"content": {"parts": [{"functionCall": {}}, {"functionCall": {"args": [1], "id": ""}}]}}]}),
        json!({"candidates": [{"content": {"parts": [{"text": "x", "thought": "yes"}]}, "finishReason": 7}], "responseId": 7}),
    ] {
        let response = response::decode(&odd).unwrap();
        assert!(response.parts.iter().all(|part| !matches!(part, Part::Thinking { .. })));
        Dialect::Anthropic.encode_response(&response, &Usage::default(), &Map::new());
    }
    for bad in ["", "{", "7", "[]", "null", "\"x\""] {
        assert!(Decoder::new(Dialect::Gemini).read(bad).is_err(), "{bad}");
    }
}

/// JSON of any shape, made of the words the dialect looks for.
fn json_of_any_shape() -> impl Strategy<Value = Value> {
    const WORDS: &[&str] = &[
        "candidates",
        "content",
        "parts",
        "text",
        "thought",
        "thoughtSignature",
        "functionCall",
        "name",
        "args",
        "id",
        "inlineData",
        "mimeType",
        "data",
        "finishReason",
        "STOP",
        "finishMessage",
        "promptFeedback",
        "blockReason",
        "usageMetadata",
        "promptTokenCount",
        "promptTokensDetails",
        "modality",
        "tokenCount",
        "groundingMetadata",
        "webSearchQueries",
        "error",
        "details",
        "properties",
        "items",
        "anyOf",
        "allOf",
        "enum",
        "$ref",
        "$defs",
        "required",
        "additionalProperties",
    ];
    json_of(WORDS)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn json_of_any_shape_is_read_or_refused_and_never_a_panic(value in json_of_any_shape()) {
        let candidate = json!({"candidates": [{"content": {"parts": [value]}, "finishReason": "STOP"}]});
        let whole = json!({"candidates": value, "promptFeedback": value, "usageMetadata": value});
        for answer in [value.clone(), candidate, whole] {
            let usage = usage::of_answer(&answer).and_then(|report| report.usage).unwrap_or_default();
            if let Ok(response) = response::decode(&answer) {
                for surface in [Surface::OpenaiChat, Surface::AnthropicMessages] {
                    Dialect::of_surface(surface).encode_response(&response, &usage, &Map::new());
                }
            }
            let _ = Decoder::new(Dialect::Gemini).read(&answer.to_string());
        }
        let tools = json!([{"type": "function", "function": {"name": "f", "parameters": value}}]);
        let sent = from_openai(&with(hi(), &json!({"tools": tools})));
        prop_assert!(sent["tools"][0]["functionDeclarations"][0].is_object());
    }
}
