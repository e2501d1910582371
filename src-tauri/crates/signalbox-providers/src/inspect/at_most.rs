//! The most a request can have a model read, where all of it can be seen here.

use serde_json::{Map, Value};
use signalbox_core::ledger::{Surface, Work};

use crate::call::Payload;
use crate::tokens::as_u64;

/// Tokens that vendors put around a request by themselves: templates, and the prompt that explains tools.
const TOKENS_AROUND: u64 = 2_048;

/// Fields that change neither what is read nor what it costs beyond what they say themselves.
const PLAIN_FIELDS: &[&str] = &[
    "model",
    "messages",
    "system",
    "input",
    "instructions",
    "text",
    "tools",
    "functions",
    "tool_choice",
    "function_call",
    "parallel_tool_calls",
    "response_format",
    "max_tokens",
    "max_completion_tokens",
    "max_output_tokens",
    "temperature",
    "top_p",
    "top_k",
    "stop",
    "stop_sequences",
    "stream",
    "stream_options",
    "n",
    "seed",
    "user",
    "metadata",
    "frequency_penalty",
    "presence_penalty",
    "logit_bias",
    "logprobs",
    "top_logprobs",
    "reasoning_effort",
    "reasoning",
    "thinking",
    "store",
    "dimensions",
    "encoding_format",
];

/// Parts of a conversation that are nothing but the text they carry.
const PLAIN_PARTS: &[&str] = &[
    "text",
    "input_text",
    "output_text",
    "message",
    "tool_use",
    "tool_result",
    "function",
    "function_call",
    "function_call_output",
];

/// Tools that the client runs itself.
const PLAIN_TOOLS: &[&str] = &["function", "custom"];

/// Tokens that `payload` can have a model read at the very most: one per byte, as the vocabularies of all vendors have it.
///
/// `None` where that cannot be told: pictures, sound and files, what a vendor keeps or runs itself, and every field that is
/// not known to be harmless.
pub fn input_at_most(surface: Surface, payload: &Payload) -> Option<u64> {
    let Payload::Json(body) = payload else { return None };
    if !matches!(surface.work(), Work::Chat | Work::Embedding) || !is_plain(body) {
        return None;
    }
    let bytes = serde_json::to_vec(&**body).ok()?.len();
    Some(as_u64(bytes).saturating_add(TOKENS_AROUND))
}

fn is_plain(body: &Map<String, Value>) -> bool {
    let tools = body.get("tools").and_then(Value::as_array).into_iter().flatten();
    let said = ["messages", "system", "input"].into_iter().filter_map(|field| body.get(field));
    body.keys().all(|field| PLAIN_FIELDS.contains(&field.as_str()))
        && tools.into_iter().all(|tool| type_of(tool).is_none_or(|kind| PLAIN_TOOLS.contains(&kind)))
        && said.into_iter().all(has_plain_parts)
}

fn has_plain_parts(value: &Value) -> bool {
    match value {
        Value::Array(values) => values.iter().all(has_plain_parts),
        Value::Object(fields) => {
            type_of(value).is_none_or(|kind| PLAIN_PARTS.contains(&kind))
                && !fields.contains_key("cache_control")
                && fields.values().all(has_plain_parts)
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => true,
    }
}

fn type_of(value: &Value) -> Option<&str> {
    value.get("type").and_then(Value::as_str)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;

    fn at_most(surface: Surface, body: &Value) -> Option<u64> {
        input_at_most(surface, &Payload::Json(Arc::new(body.as_object().unwrap().clone())))
    }

    #[test]
    fn text_is_read_as_no_more_tokens_than_it_has_bytes() {
        let tools = json!([{"type": "function", "function": {"name": "weather"}}]);
        let body = json!({"model": "m", "messages": [{"role": "user", "content": "héllo"}], "tools": tools});
        let bytes = serde_json::to_vec(&body).unwrap().len() as u64;
        assert_eq!(at_most(Surface::OpenaiChat, &body), Some(bytes + TOKENS_AROUND));
        assert!(at_most(Surface::OpenaiEmbeddings, &json!({"input": ["a", "b"]})).is_some());
        assert!(at_most(Surface::OpenaiResponses, &json!({"input": "hello"})).is_some());
    }

    #[test]
    fn nothing_is_claimed_of_what_cannot_be_seen_here() {
        let image = json!([{"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}]);
        for (surface, body) in [
            (Surface::OpenaiChat, json!({"messages": [{"role": "user", "content": image}]})),
            (Surface::OpenaiChat, json!({"messages": [], "web_search_options": {}})),
            (Surface::OpenaiChat, json!({"messages": [], "service_tier": "priority"})),
            (Surface::OpenaiResponses, json!({"input": "hi", "previous_response_id": "resp_1"})),
            (Surface::OpenaiResponses, json!({"input": [{"type": "item_reference", "id": "msg_1"}]})),
            (Surface::OpenaiResponses, json!({"input": "hi", "tools": [{"type": "web_search"}]})),
            (Surface::AnthropicMessages, json!({"messages": [], "tools": [{"type": "web_search_20250305"}]})),
            (Surface::OpenaiSpeech, json!({"input": "hello"})),
        ] {
            assert_eq!(at_most(surface, &body), None, "{body}");
        }
    }
}
