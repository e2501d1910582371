use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use signalbox_core::ids::ModelName;
use signalbox_core::ledger::Surface;

use crate::call::Payload;
use crate::dialect::tests::json_of;
use crate::dialect::{Decoder, Dialect};

/// JSON of any shape, made of the words this dialect looks for.
fn json_of_any_shape() -> impl Strategy<Value = Value> {
    const WORDS: &[&str] = &[
        "input",
        "output",
        "type",
        "role",
        "content",
        "message",
        "user",
        "assistant",
        "developer",
        "input_text",
        "output_text",
        "text",
        "refusal",
        "input_image",
        "image_url",
        "input_file",
        "file_data",
        "file_url",
        "function_call",
        "function_call_output",
        "call_id",
        "name",
        "arguments",
        "reasoning",
        "summary",
        "encrypted_content",
        "id",
        "tools",
        "function",
        "parameters",
        "tool_choice",
        "allowed_tools",
        "format",
        "json_schema",
        "schema",
        "status",
        "completed",
        "incomplete",
        "usage",
        "input_tokens",
        "output_tokens",
        "total_tokens",
        "web_search_call",
        "response",
        "delta",
        "item",
        "output_index",
        "error",
        "code",
        "response.created",
        "response.output_item.added",
        "response.output_item.done",
        "response.completed",
        "response.failed",
        "response.function_call_arguments.delta",
        "response.function_call_arguments.done",
        "response.output_text.delta",
        "response.reasoning_summary_part.added",
        "summary_index",
        "instructions",
        "previous_response_id",
        "include",
        "background",
        "stream",
        "max_output_tokens",
    ];
    json_of(WORDS)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn json_of_any_shape_is_read_or_refused_and_never_a_panic(value in json_of_any_shape()) {
        let model = ModelName::new("any").unwrap();
        let whole = value.as_object().cloned().unwrap_or_default();
        let inside = Map::from_iter([("input".to_owned(), value.clone()), ("tools".to_owned(), value.clone())]);
        for body in [whole, inside] {
            let payload = Payload::Json(Arc::new(body.clone()));
            let _ = crate::inspect(Surface::OpenaiResponses, &payload);
            if let Ok(request) = Dialect::OpenaiResponses.decode_request(&body) {
                for other in [Dialect::OpenaiChat, Dialect::Anthropic, Dialect::Gemini, Dialect::OpenaiResponses] {
                    other.encode_request(&request, &model, true);
                }
            }
        }
        let usage = Dialect::OpenaiResponses.read_usage(&json!({"usage": value, "output": value}));
        let usage = usage.and_then(|report| report.usage).unwrap_or_default();
        for answer in [value.clone(), json!({"status": "completed", "output": [value]})] {
            if let Ok(response) = Dialect::OpenaiResponses.decode_response(&answer) {
                Dialect::OpenaiResponses.encode_response(&response, &usage, &value.as_object().cloned().unwrap_or_default());
                Dialect::Anthropic.encode_response(&response, &usage, &Map::new());
            }
        }
        let mut decoder = Decoder::new(Dialect::OpenaiResponses);
        let item = json!({"type": "response.output_item.done", "output_index": 0, "item": {"type": "function_call", "arguments": value}});
        let end = json!({"type": "response.completed", "response": {"status": "completed", "output": value, "usage": value}});
        for data in [value.to_string(), item.to_string(), end.to_string()] {
            let _ = decoder.read(&data);
        }
    }
}
