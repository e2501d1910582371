//! What a request in the form of the Responses API reads.

use serde_json::{Map, Value};

use super::{InvalidRequest, TOKENS_PER_MESSAGE, Walk, fault, given};

/// Tokens taken for each thing that the vendor keeps and the request only names: nobody here sees how long it is.
const TOKENS_PER_STORED: u64 = 16_000;

/// What refers to an input that is kept elsewhere, so that `input` may be left out.
const STORED: [&str; 3] = ["previous_response_id", "conversation", "prompt"];

/// Checks what no provider could serve, and what could be served and not be accounted for.
pub(super) fn check(body: &Map<String, Value>) -> Result<(), InvalidRequest> {
    if let Some(background) = given(body, "background") {
        match background.as_bool() {
            Some(false) => {}
            Some(true) => {
                return Err(fault(
                    "background",
                    "an answer that goes on after its call would cost what no budget sees; leave it out",
                ));
            }
            None => return Err(fault("background", "must be true or false")),
        }
    }
    let items = match given(body, "input") {
        Some(Value::String(_)) => return Ok(()),
        Some(Value::Array(items)) if !items.is_empty() => items,
        Some(Value::Array(_)) => return Err(fault("input", "must not be empty")),
        Some(_) => return Err(fault("input", "must be a text or a list of items")),
        None if STORED.iter().any(|key| given(body, key).is_some()) => return Ok(()),
        None => return Err(fault("input", "is missing")),
    };
    items.iter().enumerate().try_for_each(|(index, item)| check_item(item, &format!("input[{index}]")))
}

fn check_item(item: &Value, path: &str) -> Result<(), InvalidRequest> {
    let Value::Object(item) = item else { return Err(fault(path, "must be an object")) };
    let is_text = |key: &str| item.get(key).is_some_and(Value::is_string);
    if !is_text("type") && !is_text("role") {
        return Err(fault(format!("{path}.role"), "must be a text"));
    }
    match item.get("content") {
        None | Some(Value::Null | Value::String(_) | Value::Array(_)) => Ok(()),
        Some(_) => Err(fault(format!("{path}.content"), "must be a text or a list of parts")),
    }
}

/// Adds up what the model reads.
pub(super) fn walk(walk: &mut Walk, body: &Map<String, Value>) {
    walk.content(body.get("instructions"));
    for _ in STORED.iter().filter(|key| given(body, key).is_some()) {
        walk.add(TOKENS_PER_STORED);
    }
    match body.get("input") {
        Some(Value::Array(items)) => items.iter().for_each(|item| walk_item(walk, item)),
        text => {
            walk.add(TOKENS_PER_MESSAGE);
            walk.content(text);
        }
    }
    if let Some(format) = body.get("text").and_then(|text| text.get("format")) {
        walk.json(format);
    }
}

fn walk_item(walk: &mut Walk, item: &Value) {
    walk.add(TOKENS_PER_MESSAGE);
    let Value::Object(fields) = item else { return walk.json(item) };
    walk.note_caching(fields);
    match fields.get("type").and_then(Value::as_str) {
        None | Some("message") => walk.content(fields.get("content")),
        Some("function_call_output") => walk.content(fields.get("output")),
        Some("item_reference") => walk.add(TOKENS_PER_STORED),
        Some(_) => walk.json(item),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use signalbox_core::ledger::Surface;

    use super::super::{RequestFeatures, inspect_chat};
    use super::*;

    fn inspected(body: &Value) -> Result<RequestFeatures, InvalidRequest> {
        inspect_chat(Surface::OpenaiResponses, body.as_object().unwrap())
    }

    fn tokens_in(body: &Value) -> u64 {
        inspected(body).unwrap().bound.tokens_in
    }

    fn said(content: &Value) -> Value {
        json!({"input": [{"role": "user", "content": content}]})
    }

    #[test]
    fn a_text_and_a_message_of_it_read_the_same() {
        assert_eq!(tokens_in(&json!({"input": "hello world"})), 3 + 4 + 2);
        assert_eq!(tokens_in(&said(&json!("hello world"))), 3 + 4 + 2);
        assert_eq!(tokens_in(&said(&json!([{"type": "input_text", "text": "hello world"}]))), 3 + 4 + 2);
        let features = inspected(&json!({"input": "hi"})).unwrap();
        assert_eq!(features.bound.tokens_out_max, 4096);
        assert!(!features.has_images && !features.has_tools && !features.streamed);
        let features = inspected(&json!({"input": "hi", "max_output_tokens": 20, "stream": true})).unwrap();
        assert_eq!((features.bound.tokens_out_max, features.streamed), (20, true));
    }

    #[test]
    fn everything_a_model_reads_is_counted() {
        let plain = tokens_in(&json!({"input": "hello world"}));
        for more in [
            json!({"input": "hello world", "instructions": "be brief"}),
            json!({"input": "hello world", "tools": [{"type": "function", "name": "weather"}]}),
            json!({"input": "hello world", "text": {"format": {"type": "json_schema", "name": "a", "schema": {}}}}),
            json!({"input": [{"role": "user", "content": "hello world"}, {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}]}),
            json!({"input": [{"role": "user", "content": "hello world"}, {"type": "function_call_output", "call_id": "c", "output": "12 degrees"}]}),
            json!({"input": [{"role": "user", "content": "hello world"}, {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "abcdef"}]}),
        ] {
            assert!(tokens_in(&more) > plain, "{more}");
        }
        for stored in [
            json!({"input": "hi", "previous_response_id": "resp_1"}),
            json!({"conversation": "conv_1"}),
            json!({"prompt": {"id": "pmpt_1"}}),
            json!({"input": [{"type": "item_reference", "id": "msg_1"}]}),
        ] {
            assert!(tokens_in(&stored) > TOKENS_PER_STORED, "{stored}");
        }
    }

    #[test]
    fn pictures_and_tools_are_seen() {
        let image = json!([{"type": "input_image", "image_url": "data:image/png;base64,AAAA"}]);
        assert!(inspected(&said(&image)).unwrap().has_images);
        let result = json!({"input": [{"type": "function_call_output", "call_id": "c", "output": image}]});
        assert!(inspected(&result).unwrap().has_images);
        let tools = json!([{"type": "function", "name": "weather", "parameters": {}}]);
        assert!(inspected(&json!({"input": "hi", "tools": tools})).unwrap().has_tools);
        let file = json!([{"type": "input_file", "file_data": "A".repeat(64_000)}]);
        assert_eq!(tokens_in(&said(&file)), 3 + 4 + 4_000);
    }

    #[test]
    fn a_clients_fault_is_named_by_its_path() {
        for (body, path) in [
            (json!({}), "input"),
            (json!({"input": []}), "input"),
            (json!({"input": 7}), "input"),
            (json!({"input": [7]}), "input[0]"),
            (json!({"input": [{"content": "x"}]}), "input[0].role"),
            (json!({"input": [{"role": "user", "content": 7}]}), "input[0].content"),
            (json!({"input": "hi", "max_output_tokens": 0}), "max_output_tokens"),
            (json!({"input": "hi", "stream": "yes"}), "stream"),
            (json!({"input": "hi", "background": true}), "background"),
            (json!({"input": "hi", "background": "no"}), "background"),
        ] {
            assert_eq!(inspected(&body).unwrap_err().path, path, "{body}");
        }
        assert!(inspected(&json!({"input": "hi", "background": false})).is_ok());
    }
}
