//! Complete answers in `OpenAI`'s form, to and from the neutral one.

use serde_json::{Value, json};
use signalbox_core::usage::Usage;

use super::request::{encode_call, joined_text};
use super::{call_id, completion_id, finish_of, finish_word, signature, usage};
use crate::chat::{ChatResponse, Part};

/// Reads a provider's answer: its first choice.
pub(crate) fn decode(body: &Value) -> Result<ChatResponse, String> {
    let text = |key| body.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let choice = body.pointer("/choices/0").ok_or("the answer has no choices")?;
    let message = choice
        .get("message")
        .filter(|message| message.is_object())
        .ok_or("the answer's choice has no message")?;
    let id = text("id");
    let word = choice.get("finish_reason").and_then(Value::as_str).unwrap_or("stop");
    Ok(ChatResponse {
        model: text("model"),
        created: body.get("created").and_then(Value::as_i64).unwrap_or_default(),
        parts: decode_message(message, &id),
        finish: finish_of(word),
        id,
    })
}

fn decode_message(message: &Value, answer: &str) -> Vec<Part> {
    let said =
        |key| message.get(key).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned);
    let mut parts = Vec::new();
    let thought = said("reasoning_content").or_else(|| said("reasoning"));
    parts.extend(thought.map(|text| Part::Thinking { text, signature: None }));
    match message.get("content") {
        Some(Value::String(text)) if !text.is_empty() => parts.push(Part::Text(text.clone())),
        Some(Value::Array(pieces)) => {
            let texts = pieces.iter().filter_map(|piece| piece.get("text").and_then(Value::as_str));
            parts.extend(texts.map(|text| Part::Text(text.to_owned())));
        }
        _ => {}
    }
    parts.extend(said("refusal").map(Part::Refusal));
    let calls = message.get("tool_calls").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let calls = calls.iter().enumerate().map(|(index, call)| decode_call(call, answer, index));
    parts.extend(calls);
    if let Some(function) = message.get("function_call").filter(|call| call.is_object()) {
        parts.push(decode_call(&json!({"function": function}), answer, 0));
    }
    parts
}

fn decode_call(call: &Value, answer: &str, index: usize) -> Part {
    let arguments = match call.pointer("/function/arguments") {
        Some(Value::String(arguments)) => arguments.clone(),
        Some(whole @ Value::Object(_)) => whole.to_string(),
        _ => String::new(),
    };
    Part::ToolUse {
        id: call_id(call.get("id").and_then(Value::as_str), answer, index),
        name: call.pointer("/function/name").and_then(Value::as_str).unwrap_or_default().to_owned(),
        arguments,
    }
}

/// Writes an answer that came in another dialect.
pub(crate) fn encode(response: &ChatResponse, used: &Usage) -> Value {
    let mut calls = Vec::new();
    let mut signature = None;
    let mut said = Vec::new();
    let mut refused = None;
    let mut thought = String::new();
    for part in &response.parts {
        match part {
            Part::Text(_) => said.push(part.clone()),
            Part::Refusal(text) => refused = Some(text.clone()),
            Part::Thinking { text, signature: given } => {
                thought.push_str(text);
                signature = given.as_deref();
            }
            Part::ToolUse { .. } => {
                calls.extend(encode_call(part).map(|call| signature::written(call, signature.take())));
            }
            Part::Image(_) | Part::Audio { .. } | Part::Document { .. } | Part::ToolResult { .. } => {}
        }
    }
    let content = joined_text(&said);
    let content = if said.is_empty() { Value::Null } else { Value::String(content) };
    let mut message = json!({"role": "assistant", "content": content, "refusal": refused});
    if !thought.is_empty() {
        message["reasoning_content"] = Value::String(thought);
    }
    if !calls.is_empty() {
        message["tool_calls"] = Value::Array(calls);
    }
    json!({
        "id": completion_id(&response.id),
        "object": "chat.completion",
        "created": response.created,
        "model": response.model,
        "choices": [{
            "index": 0, "message": message, "logprobs": null, "finish_reason": finish_word(response.finish.reason),
        }],
        "usage": usage::write(used),
    })
}
