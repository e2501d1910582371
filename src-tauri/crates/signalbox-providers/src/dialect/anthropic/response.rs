//! Complete answers in Anthropic's form, to and from the neutral one.

use serde_json::{Value, json};
use signalbox_core::usage::Usage;

use super::request::arguments_object;
use super::{finish_of, finish_word, message_id, usage};
use crate::chat::{ChatResponse, Part};

/// Reads a provider's answer.
pub(crate) fn decode(body: &Value) -> Result<ChatResponse, String> {
    let text = |key| body.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let blocks = body.get("content").and_then(Value::as_array).ok_or("the answer has no content")?;
    let word = body.get("stop_reason").and_then(Value::as_str).unwrap_or("end_turn");
    Ok(ChatResponse {
        id: text("id"),
        model: text("model"),
        created: 0,
        parts: blocks.iter().filter_map(decode_block).collect(),
        finish: finish_of(word, body.get("stop_sequence")),
    })
}

/// The provider's own tools and their results have no form elsewhere and are passed over.
fn decode_block(block: &Value) -> Option<Part> {
    let text = |key| block.get(key).and_then(Value::as_str).map(str::to_owned);
    match block.get("type")?.as_str()? {
        "text" => text("text").map(Part::Text),
        "thinking" => Some(Part::Thinking { text: text("thinking")?, signature: text("signature") }),
        "tool_use" => Some(Part::ToolUse {
            id: text("id")?,
            name: text("name")?,
            arguments: block.get("input").map_or_else(|| "{}".to_owned(), Value::to_string),
        }),
        _ => None,
    }
}

/// Writes an answer that came in another dialect.
pub(crate) fn encode(response: &ChatResponse, used: &Usage) -> Value {
    let content = response.parts.iter().filter_map(encode_part).collect::<Vec<_>>();
    json!({
        "id": message_id(&response.id),
        "type": "message",
        "role": "assistant",
        "model": response.model,
        "content": content,
        "stop_reason": finish_word(response.finish.reason),
        "stop_sequence": response.finish.stop_sequence,
        "usage": usage::write(used),
    })
}

fn encode_part(part: &Part) -> Option<Value> {
    match part {
        Part::Text(text) | Part::Refusal(text) => Some(json!({"type": "text", "text": text})),
        Part::Thinking { text, signature } => {
            let signature = signature.as_deref().unwrap_or_default();
            Some(json!({"type": "thinking", "thinking": text, "signature": signature}))
        }
        Part::ToolUse { id, name, arguments } => {
            Some(json!({"type": "tool_use", "id": id, "name": name, "input": arguments_object(arguments)}))
        }
        Part::Image(_) | Part::Audio { .. } | Part::Document { .. } | Part::ToolResult { .. } => None,
    }
}
