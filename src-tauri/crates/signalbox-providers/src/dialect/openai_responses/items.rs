//! The items of a conversation, which are turns in the neutral form: one turn may be several items, and several items
//! of one speaker are one turn.

use serde_json::{Map, Value, json};

use super::FOREIGN_THOUGHT;
use super::request::shown;
use super::response::is_kept;
use crate::chat::{ChatRequest, Message, Part, Role, Source};
use crate::dialect::read::{fault, given, join, maybe_text, object, text};
use crate::inspect::InvalidRequest;

/// Reads `input` into the conversation, and what it says as the system into the instructions.
pub(super) fn decode(body: &Map<String, Value>, request: &mut ChatRequest) -> Result<(), InvalidRequest> {
    match given(body, "input") {
        None => Ok(()),
        Some(Value::String(said)) => {
            request.messages.push(Message { role: Role::User, parts: vec![Part::Text(said.clone())] });
            Ok(())
        }
        Some(Value::Array(items)) => items
            .iter()
            .enumerate()
            .try_for_each(|(index, item)| decode_item(item, &format!("input[{index}]"), request)),
        Some(_) => Err(fault("input", "must be a text or a list of items")),
    }
}

fn decode_item(item: &Value, path: &str, request: &mut ChatRequest) -> Result<(), InvalidRequest> {
    let item = object(item, path)?;
    match maybe_text(item, "type").unwrap_or("message") {
        "message" => decode_message(item, path, request),
        "function_call" => {
            let call = Part::ToolUse {
                id: text(item, "call_id", path)?.to_owned(),
                name: text(item, "name", path)?.to_owned(),
                arguments: maybe_text(item, "arguments").unwrap_or_default().to_owned(),
            };
            say(request, vec![call]);
            Ok(())
        }
        "function_call_output" => {
            let id = text(item, "call_id", path)?.to_owned();
            let parts = decode_content(item, "output", path)?;
            answer(request, Part::ToolResult { id, parts, is_error: false });
            Ok(())
        }
        // What a model thought is encrypted for its vendor; only Google's signatures come back through us.
        "reasoning" => {
            if let Some(signature) = maybe_text(item, "encrypted_content").filter(|mark| is_kept(mark)) {
                let signature = Some(signature.to_owned());
                say(request, vec![Part::Thinking { text: String::new(), signature }]);
            }
            Ok(())
        }
        // What a vendor's own tools did is over.
        "web_search_call"
        | "file_search_call"
        | "code_interpreter_call"
        | "image_generation_call"
        | "mcp_list_tools" => Ok(()),
        "item_reference" => Err(fault(
            path,
            "only OpenAI knows its stored items; send the item itself to reach other providers",
        )),
        other => Err(fault(
            &join(path, "type"),
            format!("an item `{}` cannot be passed on to this provider", shown(other)),
        )),
    }
}

fn decode_message(
    item: &Map<String, Value>,
    path: &str,
    request: &mut ChatRequest,
) -> Result<(), InvalidRequest> {
    let parts = decode_content(item, "content", path)?;
    match text(item, "role", path)? {
        "user" => request.messages.push(Message { role: Role::User, parts }),
        "assistant" => say(request, parts),
        "system" | "developer" => {
            let texts = parts.into_iter().filter_map(|part| match part {
                Part::Text(text) => Some(text),
                _ => None,
            });
            request.system.extend(texts);
        }
        other => return Err(fault(&join(path, "role"), format!("`{}` is no role", shown(other)))),
    }
    Ok(())
}

/// What the model said or called: neighbouring items are one turn, or its calls would stand apart from one another.
fn say(request: &mut ChatRequest, parts: Vec<Part>) {
    match request.messages.last_mut() {
        Some(turn) if turn.role == Role::Assistant => turn.parts.extend(parts),
        _ => request.messages.push(Message { role: Role::Assistant, parts }),
    }
}

/// The result of a call: neighbouring results are one turn.
fn answer(request: &mut ChatRequest, result: Part) {
    let is_result = |part: &Part| matches!(part, Part::ToolResult { .. });
    match request.messages.last_mut() {
        Some(turn) if turn.role == Role::User && turn.parts.iter().all(is_result) => turn.parts.push(result),
        _ => request.messages.push(Message { role: Role::User, parts: vec![result] }),
    }
}

fn decode_content(item: &Map<String, Value>, key: &str, path: &str) -> Result<Vec<Part>, InvalidRequest> {
    let path = join(path, key);
    match given(item, key) {
        None => Ok(Vec::new()),
        Some(Value::String(text)) => Ok(vec![Part::Text(text.clone())]),
        Some(Value::Array(parts)) => parts
            .iter()
            .enumerate()
            .map(|(index, part)| decode_part(part, &format!("{path}[{index}]")))
            .collect(),
        Some(_) => Err(fault(&path, "must be a text or a list of parts")),
    }
}

fn decode_part(part: &Value, path: &str) -> Result<Part, InvalidRequest> {
    let part = object(part, path)?;
    match text(part, "type", path)? {
        "input_text" | "output_text" | "text" => Ok(Part::Text(text(part, "text", path)?.to_owned())),
        "refusal" => Ok(Part::Refusal(text(part, "refusal", path)?.to_owned())),
        "input_image" => {
            refuse_stored_file(part, path)?;
            Ok(Part::Image(Source::from_url(text(part, "image_url", path)?)))
        }
        "input_audio" => {
            let path = join(path, "input_audio");
            let audio = object(given(part, "input_audio").unwrap_or(&Value::Null), &path)?;
            let media_type = format!("audio/{}", text(audio, "format", &path)?);
            Ok(Part::Audio { media_type, data: text(audio, "data", &path)?.to_owned() })
        }
        "input_file" => {
            refuse_stored_file(part, path)?;
            let source = match maybe_text(part, "file_url") {
                Some(url) => Source::Url(url.to_owned()),
                None => inline_file(text(part, "file_data", path)?),
            };
            Ok(Part::Document { source, name: maybe_text(part, "filename").map(str::to_owned) })
        }
        other => Err(fault(
            &join(path, "type"),
            format!("`{}` cannot be passed on to this provider", shown(other)),
        )),
    }
}

/// A file's content: a `data:` URL, or base64 alone, which is what the API's first file type is sent as.
fn inline_file(data: &str) -> Source {
    match Source::from_url(data) {
        Source::Url(data) if !data.contains("://") => {
            Source::Base64 { media_type: "application/pdf".to_owned(), data }
        }
        source => source,
    }
}

fn refuse_stored_file(part: &Map<String, Value>, path: &str) -> Result<(), InvalidRequest> {
    match given(part, "file_id") {
        Some(_) => Err(fault(
            &join(path, "file_id"),
            "only OpenAI knows its stored files; send the content to reach other providers",
        )),
        None => Ok(()),
    }
}

/// Writes a conversation as items.
pub(super) fn encode(messages: &[Message]) -> Vec<Value> {
    let mut items = Vec::with_capacity(messages.len());
    for message in messages {
        match message.role {
            Role::User => encode_user(&message.parts, &mut items),
            Role::Assistant => encode_assistant(&message.parts, &mut items),
        }
    }
    items
}

fn encode_user(parts: &[Part], items: &mut Vec<Value>) {
    let mut content = Vec::new();
    for part in parts {
        match part {
            Part::ToolResult { id, parts, is_error } => {
                items.push(json!({"type": "function_call_output", "call_id": id, "output": output(parts, *is_error)}));
            }
            other => content.extend(encode_part(other)),
        }
    }
    if !content.is_empty() {
        items.push(json!({"type": "message", "role": "user", "content": content}));
    }
}

/// The result of a call: a text where there is nothing else.
fn output(parts: &[Part], is_error: bool) -> Value {
    let mut content = parts.iter().filter_map(encode_part).collect::<Vec<_>>();
    if content.iter().all(|part| part["type"] == "input_text") {
        let said = content.iter().filter_map(|part| part["text"].as_str()).collect::<String>();
        return json!(if is_error { format!("Error: {said}") } else { said });
    }
    if is_error {
        content.insert(0, json!({"type": "input_text", "text": "Error:"}));
    }
    Value::Array(content)
}

/// Text and calls in their order. What another vendor's model thought stays away: nobody here could check it.
fn encode_assistant(parts: &[Part], items: &mut Vec<Value>) {
    let mut said = String::new();
    for part in parts {
        match part {
            Part::Text(text) | Part::Refusal(text) => said.push_str(text),
            Part::ToolUse { id, name, arguments } => {
                flush(&mut said, items);
                let arguments = if arguments.trim().is_empty() { "{}" } else { arguments };
                items.push(
                    json!({"type": "function_call", "call_id": id, "name": name, "arguments": arguments}),
                );
            }
            _ => {}
        }
    }
    flush(&mut said, items);
}

fn flush(said: &mut String, items: &mut Vec<Value>) {
    if !said.is_empty() {
        items.push(json!({"type": "message", "role": "assistant", "content": std::mem::take(said)}));
    }
}

fn encode_part(part: &Part) -> Option<Value> {
    match part {
        Part::Text(text) | Part::Refusal(text) => Some(json!({"type": "input_text", "text": text})),
        Part::Image(source) => {
            Some(json!({"type": "input_image", "image_url": source.to_url(), "detail": "auto"}))
        }
        Part::Audio { media_type, data } => {
            let format = media_type.rsplit('/').next().unwrap_or_default();
            Some(json!({"type": "input_audio", "input_audio": {"data": data, "format": format}}))
        }
        Part::Document { source: Source::Url(url), .. } => {
            Some(json!({"type": "input_file", "file_url": url}))
        }
        Part::Document { source, name } => {
            let name = name.as_deref().unwrap_or("document.pdf");
            Some(json!({"type": "input_file", "filename": name, "file_data": source.to_url()}))
        }
        Part::ToolUse { .. } | Part::ToolResult { .. } | Part::Thinking { .. } => None,
    }
}

/// Whether a conversation holds thoughts that another vendor's model had and we gave to the client as items.
pub(crate) fn has_foreign_thoughts(input: &Value) -> bool {
    input.as_array().is_some_and(|items| items.iter().any(is_foreign_thought))
}

/// The conversation without them.
pub(crate) fn without_foreign_thoughts(input: &Value) -> Value {
    let items = input.as_array().map(Vec::as_slice).unwrap_or_default();
    items.iter().filter(|item| !is_foreign_thought(item)).cloned().collect()
}

fn is_foreign_thought(item: &Value) -> bool {
    let text = |key: &str| item.get(key).and_then(Value::as_str);
    let marked = text("id").is_some_and(|id| id.starts_with(FOREIGN_THOUGHT));
    text("type") == Some("reasoning") && (marked || text("encrypted_content").is_some_and(is_kept))
}
