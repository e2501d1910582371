use serde_json::{Map, json};
use signalbox_core::provider::Auth;
use signalbox_core::usage::{Unit, Usage};

use super::*;
use crate::chat::{ChatEvent, Part};
use crate::dialect::Dialect;

macro_rules! fixture {
    ($name:literal) => {
        include_str!(concat!("../../../tests/fixtures/", $name))
    };
}

fn map(value: &Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

fn to(dialect: Dialect, model: &str, body: &Value) -> Value {
    let request = Dialect::OpenaiResponses.decode_request(&map(body)).unwrap();
    dialect.encode_request(&request, &ModelName::new(model).unwrap(), false)
}

fn from(dialect: Dialect, model: &str, body: &Value) -> Value {
    let request = dialect.decode_request(&map(body)).unwrap();
    Dialect::OpenaiResponses.encode_request(&request, &ModelName::new(model).unwrap(), true)
}

fn answer(from: Dialect, to: Dialect, text: &str, asked: &Value) -> Value {
    let body: Value = serde_json::from_str(text).unwrap();
    let response = from.decode_response(&body).unwrap();
    to.encode_response(&response, &from.read_usage(&body).unwrap().usage.unwrap(), &map(asked))
}

fn refused(body: &Value) -> (String, String) {
    let fault = Dialect::OpenaiResponses.decode_request(&map(body)).unwrap_err();
    (fault.path, fault.message)
}

fn schema() -> Value {
    json!({"type": "object", "properties": {"place": {"type": "string"}}})
}

/// A conversation with everything that other vendors have a form for.
fn conversation() -> Value {
    json!({
        "model": "op:chat_message",
        "instructions": "Be brief.",
        "input": [
            {"role": "developer", "content": "Be kind."},
            {"type": "message", "role": "user", "content": [
                {"type": "input_text", "text": "What is this?"},
                {"type": "input_image", "image_url": "data:image/png;base64,iVBORw0=", "detail": "low"},
                {"type": "input_image", "image_url": "https://example.com/a.jpg"},
                {"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBERi0="},
                {"type": "input_file", "file_url": "https://example.com/b.pdf"},
            ]},
            {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAAA"},
            {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": [
                {"type": "output_text", "text": "Let me look.", "annotations": []},
            ]},
            {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "weather", "arguments": "{\"place\":\"Bern\"}"},
            {"type": "function_call", "id": "fc_2", "call_id": "call_2", "name": "weather", "arguments": ""},
            {"type": "function_call_output", "call_id": "call_1", "output": "12 degrees"},
            {"type": "function_call_output", "call_id": "call_2", "output": [{"type": "input_text", "text": "unknown"}]},
            {"role": "user", "content": "And now?"},
        ],
        "tools": [{"type": "function", "name": "weather", "description": "The weather.", "parameters": schema(), "strict": true}],
        "tool_choice": "required", "parallel_tool_calls": false,
        "temperature": 0.5, "top_p": 0.9, "max_output_tokens": 300, "safety_identifier": "u-1",
        "store": true, "metadata": {"a": "b"}, "include": ["reasoning.encrypted_content"], "prompt_cache_key": "k",
    })
}

#[test]
fn a_whole_conversation_becomes_chat_completions() {
    let call = |id: &str, arguments: &str| json!({"id": id, "type": "function", "function": {"name": "weather", "arguments": arguments}});
    let file =
        |name: &str, data: &str| json!({"type": "file", "file": {"filename": name, "file_data": data}});
    assert_eq!(
        to(Dialect::OpenaiChat, "deepseek-chat", &conversation()),
        json!({
            "model": "deepseek-chat",
            "messages": [
                {"role": "system", "content": "Be brief.\n\nBe kind."},
                {"role": "user", "content": [
                    {"type": "text", "text": "What is this?"},
                    {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0="}},
                    {"type": "image_url", "image_url": {"url": "https://example.com/a.jpg"}},
                    file("a.pdf", "data:application/pdf;base64,JVBERi0="),
                    file("document.pdf", "https://example.com/b.pdf"),
                ]},
                {"role": "assistant", "content": "Let me look.", "tool_calls": [
                    call("call_1", "{\"place\":\"Bern\"}"), call("call_2", "{}"),
                ]},
                {"role": "tool", "tool_call_id": "call_1", "content": "12 degrees"},
                {"role": "tool", "tool_call_id": "call_2", "content": "unknown"},
                {"role": "user", "content": "And now?"},
            ],
            "max_tokens": 300,
            "temperature": 0.5,
            "top_p": 0.9,
            "tools": [{"type": "function", "function": {"name": "weather", "parameters": schema(), "description": "The weather."}}],
            "tool_choice": "required",
            "parallel_tool_calls": false,
            "user": "u-1",
        })
    );
}

#[test]
fn a_whole_conversation_becomes_anthropics_messages() {
    let body = to(Dialect::Anthropic, "claude-3-5-haiku-latest", &conversation());
    assert_eq!((&body["system"], &body["max_tokens"]), (&json!("Be brief.\n\nBe kind."), &json!(300)));
    assert_eq!(body["tool_choice"], json!({"type": "any", "disable_parallel_tool_use": true}));
    let turns = body["messages"].as_array().unwrap();
    let roles = turns.iter().map(|turn| turn["role"].as_str().unwrap()).collect::<Vec<_>>();
    assert_eq!(roles, ["user", "assistant", "user"]);
    let kinds = |turn: usize| {
        let blocks = turns[turn]["content"].as_array().unwrap();
        blocks.iter().map(|block| block["type"].as_str().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(kinds(0), ["text", "image", "image", "document", "document"]);
    assert_eq!(kinds(1), ["text", "tool_use", "tool_use"]);
    assert_eq!(kinds(2), ["tool_result", "tool_result", "text"]);
}

#[test]
fn a_text_is_what_the_user_says() {
    let body = to(Dialect::OpenaiChat, "deepseek-chat", &json!({"input": "hello"}));
    assert_eq!(body, json!({"model": "deepseek-chat", "messages": [{"role": "user", "content": "hello"}]}));
}

#[test]
fn every_tool_choice_format_and_effort_has_its_counterpart() {
    let tools = json!([
        {"type": "function", "name": "a", "parameters": null}, {"type": "function", "name": "b", "parameters": {}},
    ]);
    let chosen = |choice: Value| {
        to(Dialect::OpenaiChat, "m", &json!({"input": "x", "tools": tools, "tool_choice": choice}))
    };
    for word in ["auto", "none", "required"] {
        assert_eq!(chosen(json!(word))["tool_choice"], word);
    }
    let named = chosen(json!({"type": "function", "name": "a"}));
    assert_eq!(named["tool_choice"], json!({"type": "function", "function": {"name": "a"}}));
    let allowed = chosen(
        json!({"type": "allowed_tools", "mode": "required", "tools": [{"type": "function", "name": "b"}]}),
    );
    assert_eq!(allowed["tool_choice"], "required");
    assert_eq!(allowed["tools"].as_array().unwrap().len(), 1);
    assert_eq!(allowed["tools"][0]["function"]["name"], "b");

    let format = |format: Value| {
        to(Dialect::OpenaiChat, "m", &json!({"input": "x", "text": {"format": format, "verbosity": "low"}}))
            ["response_format"]
            .clone()
    };
    assert_eq!(format(json!({"type": "text"})), Value::Null);
    assert_eq!(format(json!({"type": "json_object"})), json!({"type": "json_object"}));
    assert_eq!(
        format(json!({"type": "json_schema", "name": "label", "schema": schema(), "strict": true})),
        json!({"type": "json_schema", "json_schema": {"name": "label", "schema": schema()}})
    );
    let effort = |effort: &str| {
        to(Dialect::OpenaiChat, "gpt-5-mini", &json!({"input": "x", "reasoning": {"effort": effort}}))
            ["reasoning_effort"]
            .clone()
    };
    assert_eq!([effort("low"), effort("xhigh"), effort("none")], [json!("low"), json!("high"), Value::Null]);
}

#[test]
fn what_only_openai_could_serve_is_refused_with_its_name() {
    let with = |key: &str, value: Value| {
        let mut body = json!({"input": "x"});
        body[key] = value;
        refused(&body)
    };
    for (key, value) in [
        ("previous_response_id", json!("resp_1")),
        ("conversation", json!({"id": "conv_1"})),
        ("prompt", json!({"id": "pmpt_1"})),
        ("moderation", json!({"model": "omni"})),
        ("top_logprobs", json!(3)),
    ] {
        assert_eq!(with(key, value).0, key);
    }
    assert_eq!(
        with("include", json!(["reasoning.encrypted_content", "message.output_text.logprobs"])).0,
        "include[1]"
    );
    let (path, message) = with("tools", json!([{"type": "function", "name": "a"}, {"type": "web_search"}]));
    assert!(path == "tools[1].type" && message.contains("`web_search`"), "{path}: {message}");
    let item = |item: Value| refused(&json!({"input": [item]})).0;
    assert_eq!(item(json!({"type": "item_reference", "id": "msg_1"})), "input[0]");
    assert_eq!(item(json!({"type": "computer_call", "id": "cu_1"})), "input[0].type");
    assert_eq!(item(json!({"role": "wizard", "content": "x"})), "input[0].role");
    assert_eq!(item(json!({"type": "function_call_output", "output": "x"})), "input[0].call_id");
    let part = |part: Value| item(json!({"role": "user", "content": [part]}));
    assert_eq!(part(json!({"type": "input_image", "file_id": "file_1"})), "input[0].content[0].file_id");
    assert_eq!(part(json!({"type": "input_file", "file_id": "file_1"})), "input[0].content[0].file_id");
    assert_eq!(part(json!({"type": "input_image"})), "input[0].content[0].image_url");
    assert_eq!(part(json!({"type": "hologram"})), "input[0].content[0].type");
}

#[test]
fn a_chat_becomes_responses_for_a_model_that_has_nothing_else() {
    let chat = json!({
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": [
                {"type": "text", "text": "What is this?"}, {"type": "image_url", "image_url": {"url": "https://e.com/a.png"}},
            ]},
            {"role": "assistant", "content": "Let me look.", "tool_calls": [
                {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": "{}"}},
            ]},
            {"role": "tool", "tool_call_id": "call_1", "content": "12 degrees"},
        ],
        "tools": [{"type": "function", "function": {"name": "weather", "description": "The weather.", "parameters": schema()}}],
        "tool_choice": {"type": "function", "function": {"name": "weather"}},
        "reasoning_effort": "high", "max_completion_tokens": 5, "temperature": 0.2, "stop": ["END"], "user": "u-1",
        "response_format": {"type": "json_schema", "json_schema": {"name": "label", "schema": schema()}},
    });
    assert_eq!(
        from(Dialect::OpenaiChat, "gpt-5-codex", &chat),
        json!({
            "model": "gpt-5-codex",
            "instructions": "Be brief.",
            "input": [
                {"type": "message", "role": "user", "content": [
                    {"type": "input_text", "text": "What is this?"},
                    {"type": "input_image", "image_url": "https://e.com/a.png", "detail": "auto"},
                ]},
                {"type": "message", "role": "assistant", "content": "Let me look."},
                {"type": "function_call", "call_id": "call_1", "name": "weather", "arguments": "{}"},
                {"type": "function_call_output", "call_id": "call_1", "output": "12 degrees"},
            ],
            "max_output_tokens": 16,
            "reasoning": {"effort": "high"},
            "tools": [{"type": "function", "name": "weather", "parameters": schema(), "strict": false, "description": "The weather."}],
            "tool_choice": {"type": "function", "name": "weather"},
            "text": {"format": {"type": "json_schema", "name": "label", "schema": schema()}},
            "user": "u-1",
            "store": false,
            "stream": true,
        })
    );
}

#[test]
fn anthropics_turns_become_items_with_their_pictures() {
    let messages = json!({"max_tokens": 300, "messages": [
        {"role": "user", "content": "x"},
        {"role": "assistant", "content": [
            {"type": "thinking", "thinking": "Hm.", "signature": "sig"},
            {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {}},
            {"type": "tool_use", "id": "toolu_2", "name": "look", "input": {}},
        ]},
        {"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": "toolu_1", "is_error": true, "content": "gone"},
            {"type": "tool_result", "tool_use_id": "toolu_2", "content": [
                {"type": "text", "text": "here"}, {"type": "image", "source": {"type": "url", "url": "https://e.com/m.png"}},
            ]},
            {"type": "text", "text": "And now?"},
        ]},
    ]});
    let items = from(Dialect::Anthropic, "gpt-5-codex", &messages)["input"].clone();
    assert_eq!(
        items,
        json!([
            {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "x"}]},
            {"type": "function_call", "call_id": "toolu_1", "name": "look", "arguments": "{}"},
            {"type": "function_call", "call_id": "toolu_2", "name": "look", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "toolu_1", "output": "Error: gone"},
            {"type": "function_call_output", "call_id": "toolu_2", "output": [
                {"type": "input_text", "text": "here"},
                {"type": "input_image", "image_url": "https://e.com/m.png", "detail": "auto"},
            ]},
            {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "And now?"}]},
        ])
    );
}

#[test]
fn other_vendors_answers_become_responses() {
    let asked = json!({
        "instructions": "Be brief.", "tools": [{"type": "function", "name": "get_weather"}], "metadata": {"a": "b"},
        "temperature": 0.5, "store": true, "truncation": "auto", "reasoning": {"effort": "low", "summary": "auto"},
    });
    let there = answer(
        Dialect::Anthropic,
        Dialect::OpenaiResponses,
        fixture!("anthropic/complete_tools.json"),
        &asked,
    );
    assert_eq!(
        there,
        json!({
            "id": format!("resp_{}", bare_id(serde_json::from_str::<Value>(fixture!("anthropic/complete_tools.json")).unwrap()["id"].as_str().unwrap())),
            "object": "response", "created_at": 0, "status": "completed", "error": null, "incomplete_details": null,
            "model": there["model"], "output": there["output"], "usage": there["usage"],
            "background": false, "instructions": "Be brief.", "max_output_tokens": null, "max_tool_calls": null,
            "metadata": {"a": "b"}, "parallel_tool_calls": true, "previous_response_id": null, "prompt_cache_key": null,
            "reasoning": {"effort": "low", "summary": "auto"}, "safety_identifier": null, "temperature": 0.5,
            "text": {"format": {"type": "text"}}, "tool_choice": "auto", "tools": [{"type": "function", "name": "get_weather"}],
            "top_logprobs": 0, "top_p": 1.0, "user": null, "store": false, "truncation": "disabled",
        })
    );
    let kinds = there["output"].as_array().unwrap().iter().map(|item| item["type"].as_str().unwrap());
    assert_eq!(kinds.collect::<Vec<_>>(), ["reasoning", "message", "function_call", "function_call"]);
    assert_eq!(
        there["output"][0]["summary"],
        json!([{"type": "summary_text", "text": "They ask about two places."}])
    );
    assert!(there["output"][0]["id"].as_str().unwrap().starts_with(FOREIGN_THOUGHT));
    let call = &there["output"][2];
    assert_eq!(
        (&call["call_id"], &call["arguments"]),
        (&json!("toolu_01A09q90qw90lq917835lq9"), &json!("{\"location\":\"San Francisco, CA\"}"))
    );

    let cached = answer(
        Dialect::OpenaiChat,
        Dialect::OpenaiResponses,
        fixture!("openai/complete_cached_reasoning.json"),
        &json!({}),
    );
    assert_eq!(
        cached["usage"],
        json!({
            "input_tokens": 2006, "input_tokens_details": {"cached_tokens": 1920, "cache_write_tokens": 0},
            "output_tokens": 300, "output_tokens_details": {"reasoning_tokens": 192}, "total_tokens": 2306,
        })
    );
    let refused = answer(
        Dialect::OpenaiChat,
        Dialect::OpenaiResponses,
        fixture!("openai/complete_refusal.json"),
        &json!({}),
    );
    assert_eq!(
        refused["output"][0]["content"],
        json!([{"type": "refusal", "refusal": "I'm sorry, I cannot assist with that request."}])
    );
    let refused = answer(
        Dialect::Anthropic,
        Dialect::OpenaiResponses,
        fixture!("anthropic/complete_refusal.json"),
        &json!({}),
    );
    assert_eq!(
        (&refused["status"], &refused["incomplete_details"]),
        (&json!("incomplete"), &json!({"reason": "content_filter"}))
    );
}

#[test]
fn responses_become_other_vendors_answers() {
    let chat = |text| answer(Dialect::OpenaiResponses, Dialect::OpenaiChat, text, &json!({}));
    let plain = chat(fixture!("openai_responses/complete.json"));
    assert_eq!(plain["id"], "chatcmpl-resp_67ccd2bed1ec8190b14f964abc0542670bb6a6b452d3795b");
    assert_eq!(
        (&plain["created"], &plain["choices"][0]["finish_reason"]),
        (&json!(1_741_476_542), &json!("stop"))
    );
    let tools = chat(fixture!("openai_responses/complete_tools.json"));
    assert_eq!(tools["choices"][0]["finish_reason"], "tool_calls");
    assert_eq!(tools["choices"][0]["message"]["tool_calls"][0]["id"], "call_unLAR8MvFNptuiZK6K6HCy5k");
    let thought = chat(fixture!("openai_responses/complete_cached_reasoning.json"));
    assert_eq!(
        thought["choices"][0]["message"]["reasoning_content"],
        "**Multiplying**\n\n24 by 17 is 408.\n\n**Checking**\n\n400 and 8."
    );
    let incomplete = chat(fixture!("openai_responses/complete_incomplete.json"));
    assert_eq!(incomplete["choices"][0]["finish_reason"], "length");
    let refused = chat(fixture!("openai_responses/complete_refusal.json"));
    assert_eq!(refused["choices"][0]["message"]["refusal"], "I'm sorry, I cannot assist with that request.");
    let messages = answer(
        Dialect::OpenaiResponses,
        Dialect::Anthropic,
        fixture!("openai_responses/complete_web_search.json"),
        &json!({}),
    );
    assert_eq!(messages["content"][0]["text"], "As of today, one notable positive news story is this.");
    assert_eq!(messages["stop_reason"], "end_turn");
}

#[test]
fn an_answer_that_has_not_ended_well_is_none() {
    for bad in [
        json!({}),
        json!([]),
        json!(null),
        json!({"output": []}),
        json!({"output": {}, "status": "completed"}),
        json!({"output": [], "status": "queued"}),
        serde_json::from_str(fixture!("openai_responses/complete_failed.json")).unwrap(),
    ] {
        assert!(Dialect::OpenaiResponses.decode_response(&bad).is_err(), "{bad}");
    }
    let odd = json!({"status": "completed", "output": [7, {}, {"type": "message", "content": [7, {"type": "output_text"}]}, {"type": "reasoning", "summary": 7}]});
    assert!(Dialect::OpenaiResponses.decode_response(&odd).unwrap().parts.is_empty());
}

#[test]
fn thoughts_of_another_vendor_are_taken_out_of_what_goes_to_openai() {
    let foreign = json!({"type": "reasoning", "id": "rs_foreign_abc_0", "summary": []});
    let own = json!({"type": "reasoning", "id": "rs_67cc", "summary": [], "encrypted_content": "g"});
    let said = json!({"role": "user", "content": "hi"});
    assert!(!items::has_foreign_thoughts(&json!("hi")) && !items::has_foreign_thoughts(&json!([own, said])));
    let input = json!([foreign, own, said]);
    assert!(items::has_foreign_thoughts(&input));
    assert_eq!(items::without_foreign_thoughts(&input), json!([own, said]));
    let googles = json!([{"type": "reasoning", "summary": [], "encrypted_content": "google:abc"}, said]);
    assert_eq!(items::without_foreign_thoughts(&googles), json!([said]));
}

#[test]
fn googles_signature_goes_out_with_a_thought_and_comes_back_with_it() {
    let answer = crate::chat::ChatResponse {
        id: "r1".to_owned(),
        model: "gemini-3.8-flash".to_owned(),
        created: 0,
        parts: vec![
            Part::Thinking { text: "Hm.".to_owned(), signature: None },
            Part::Thinking { text: String::new(), signature: Some("google:abc".to_owned()) },
            Part::ToolUse { id: "c1".to_owned(), name: "weather".to_owned(), arguments: "{}".to_owned() },
        ],
        finish: Finish { reason: FinishReason::ToolCalls, word: "STOP".to_owned(), stop_sequence: None },
    };
    let written = |asked: Value| {
        let response = Dialect::OpenaiResponses.encode_response(&answer, &Usage::default(), &map(&asked));
        response["output"].clone()
    };
    assert_eq!(written(json!({})).as_array().unwrap().len(), 1);
    let output = written(json!({"include": ["reasoning.encrypted_content"]}));
    assert_eq!((&output[0]["summary"], &output[0]["encrypted_content"]), (&json!([]), &json!("google:abc")));
    let mut input = output.as_array().unwrap().clone();
    input.push(json!({"type": "function_call_output", "call_id": "c1", "output": "12"}));
    let request = Dialect::OpenaiResponses.decode_request(&map(&json!({"input": input}))).unwrap();
    assert_eq!(request.messages[0].parts, answer.parts[1..]);

    // Streamed alike.
    let asked = json!({"include": ["reasoning.encrypted_content"], "reasoning": {"summary": "auto"}});
    let mut encoder = encoder::Encoder::new("m", 0, &map(&asked));
    let mut out = Vec::new();
    for event in [
        ChatEvent::Start { id: "r1".to_owned(), model: String::new(), created: None },
        ChatEvent::Thinking("Hm.".to_owned()),
        ChatEvent::Signature("google:abc".to_owned()),
        ChatEvent::ToolStart { index: 0, id: "c1".to_owned(), name: "weather".to_owned() },
        ChatEvent::ToolArguments { index: 0, fragment: "{}".to_owned() },
        ChatEvent::Finish(answer.finish.clone()),
    ] {
        encoder.write(&event, &mut out).unwrap();
    }
    encoder.finish(&Usage::default(), &mut out);
    let text = String::from_utf8(out).unwrap();
    let last: Value =
        serde_json::from_str(text.lines().rev().find_map(|line| line.strip_prefix("data: ")).unwrap())
            .unwrap();
    assert_eq!(last["response"]["output"], written(asked));
}

#[test]
fn responses_are_spoken_where_they_are_served_and_asked_for_or_nothing_else_is() {
    use ProviderKind::{Anthropic, Deepgram, Openai, Simulator};
    use signalbox_core::ids::ProviderName;
    use signalbox_core::ledger::Surface;
    let spoken = |kind, url: &str, surface, model: &str| {
        let account = Account {
            name: ProviderName::new("vendor").unwrap(),
            kind,
            base_url: url.parse().unwrap(),
            credential: None,
            auth: Auth::Vendor,
        };
        Dialect::for_call(&account, surface, &ModelName::new(model).unwrap())
    };
    let (chat, responses) = (Some(Dialect::OpenaiChat), Some(Dialect::OpenaiResponses));
    let (asked, other) = (Surface::OpenaiResponses, Surface::AnthropicMessages);
    for (kind, url, for_responses, for_others) in [
        (Openai, "https://api.openai.com/v1", responses, chat),
        (Openai, "https://eu.api.openai.com/v1", responses, chat),
        (Openai, "https://me.openai.azure.com/openai/v1/", responses, chat),
        (Openai, "https://me.openai.azure.com/openai/deployments/gpt", chat, chat),
        (Openai, "https://api.openai.com.evil.example/v1", chat, chat),
        (Openai, "https://notapi.openai.com/v1", chat, chat),
        (Openai, "https://api.deepseek.com/v1", chat, chat),
        (Openai, "http://127.0.0.1:11434/v1", chat, chat),
        (Simulator, "http://127.0.0.1:4181/v1", responses, chat),
        (Anthropic, "https://api.anthropic.com", Some(Dialect::Anthropic), Some(Dialect::Anthropic)),
        (Deepgram, "https://api.deepgram.com", None, None),
    ] {
        assert_eq!(spoken(kind, url, asked, "gpt-5-mini"), for_responses, "{url}");
        assert_eq!(spoken(kind, url, other, "gpt-5-mini"), for_others, "{url}");
    }
    for model in [
        "gpt-5-codex",
        "gpt-5.1-codex-max",
        "codex-mini-latest",
        "o3-pro",
        "gpt-5.4-pro-2026-03-05",
        "o4-mini-deep-research",
        "computer-use-preview",
    ] {
        assert_eq!(spoken(Openai, "https://api.openai.com/v1", other, model), responses, "{model}");
        assert_eq!(spoken(Openai, "https://openrouter.ai/api/v1", other, model), chat, "{model}");
    }
    for model in ["gpt-5-mini", "gpt-6.1-sol", "o3", "chat-latest", "gpt-5-proto"] {
        assert_eq!(spoken(Openai, "https://api.openai.com/v1", other, model), chat, "{model}");
    }
}

#[test]
fn a_round_trip_through_the_neutral_form_loses_nothing_that_is_used() {
    let usage = Usage::default().with(Unit::InputTokens, 82).with(Unit::OutputTokens, 17);
    let body: Value = serde_json::from_str(fixture!("openai_responses/complete_tools.json")).unwrap();
    let first = Dialect::OpenaiResponses.decode_response(&body).unwrap();
    let written = Dialect::OpenaiResponses.encode_response(&first, &usage, &map(&body));
    let second = Dialect::OpenaiResponses.decode_response(&written).unwrap();
    assert_eq!((first.parts, first.finish), (second.parts, second.finish));
    assert_eq!(written["tools"], body["tools"]);
}
