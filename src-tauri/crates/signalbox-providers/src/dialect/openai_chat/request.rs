//! Requests in `OpenAI`'s form, to and from the neutral one.

use serde_json::{Map, Value, json};
use signalbox_core::ids::ModelName;

use super::signature;
use crate::chat::{ChatRequest, Format, Message, Part, Reasoning, Role, Source, Tool, ToolChoice};
use crate::dialect::read::{fault, given, join, list, maybe_count, maybe_number, maybe_text, object, text};
use crate::inspect::InvalidRequest;

/// Reads a client's request.
///
/// Errors: what the neutral form has no place for and the client would miss, such as several answers or audio.
pub(crate) fn decode(body: &Map<String, Value>) -> Result<ChatRequest, InvalidRequest> {
    if maybe_count(body, "n")?.is_some_and(|n| n > 1) {
        return Err(fault("n", "this provider gives one answer only"));
    }
    let mut request = ChatRequest {
        tools: decode_tools(body)?,
        tool_choice: decode_tool_choice(body)?,
        parallel_tools: given(body, "parallel_tool_calls").and_then(Value::as_bool),
        temperature: maybe_number(body, "temperature")?,
        top_p: maybe_number(body, "top_p")?,
        stop: decode_stop(body)?,
        max_output: maybe_count(body, "max_completion_tokens")?.or(maybe_count(body, "max_tokens")?),
        format: decode_format(body)?,
        reasoning: decode_reasoning(body),
        user: maybe_text(body, "user").map(str::to_owned),
        ..ChatRequest::default()
    };
    for (index, message) in list(body, "messages", "")?.iter().enumerate() {
        decode_message(message, &format!("messages[{index}]"), &mut request)?;
    }
    Ok(request)
}

fn decode_message(message: &Value, path: &str, request: &mut ChatRequest) -> Result<(), InvalidRequest> {
    let message = object(message, path)?;
    let turn = |role, parts| Message { role, parts };
    match text(message, "role", path)? {
        "system" | "developer" => {
            let parts = decode_content(message, path)?;
            request.system.extend(parts.into_iter().filter_map(into_text));
        }
        "user" => request.messages.push(turn(Role::User, decode_content(message, path)?)),
        "assistant" => request.messages.push(turn(Role::Assistant, decode_assistant(message, path)?)),
        "tool" => {
            let id = text(message, "tool_call_id", path)?.to_owned();
            let result = Part::ToolResult { id, parts: decode_content(message, path)?, is_error: false };
            request.messages.push(turn(Role::User, vec![result]));
        }
        "function" => {
            let id = text(message, "name", path)?.to_owned();
            let result = Part::ToolResult { id, parts: decode_content(message, path)?, is_error: false };
            request.messages.push(turn(Role::User, vec![result]));
        }
        other => return Err(fault(&join(path, "role"), format!("`{}` is no role", shown(other)))),
    }
    Ok(())
}

fn decode_assistant(message: &Map<String, Value>, path: &str) -> Result<Vec<Part>, InvalidRequest> {
    let mut parts = decode_content(message, path)?;
    parts.extend(maybe_text(message, "refusal").map(|refusal| Part::Refusal(refusal.to_owned())));
    for (index, call) in list(message, "tool_calls", path)?.iter().enumerate() {
        let path = format!("{path}.tool_calls[{index}]");
        let call = object(call, &path)?;
        let function = given(call, "function")
            .ok_or_else(|| fault(&path, "only calls of functions can be passed on"))?;
        let function = object(function, &join(&path, "function"))?;
        parts.extend(signature::read(call));
        parts.push(decode_call(text(call, "id", &path)?, function, &path)?);
    }
    if let Some(function) = given(message, "function_call") {
        let path = join(path, "function_call");
        let function = object(function, &path)?;
        parts.push(decode_call(text(function, "name", &path)?, function, &path)?);
    }
    Ok(parts)
}

fn decode_call(id: &str, function: &Map<String, Value>, path: &str) -> Result<Part, InvalidRequest> {
    Ok(Part::ToolUse {
        id: id.to_owned(),
        name: text(function, "name", path)?.to_owned(),
        arguments: maybe_text(function, "arguments").unwrap_or_default().to_owned(),
    })
}

fn decode_content(message: &Map<String, Value>, path: &str) -> Result<Vec<Part>, InvalidRequest> {
    let path = join(path, "content");
    match given(message, "content") {
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
        "text" => Ok(Part::Text(text(part, "text", path)?.to_owned())),
        "refusal" => Ok(Part::Refusal(text(part, "refusal", path)?.to_owned())),
        "image_url" => {
            let path = join(path, "image_url");
            let image = given(part, "image_url").ok_or_else(|| fault(&path, "is missing"))?;
            let url = image.as_str().or_else(|| image.get("url").and_then(Value::as_str));
            Ok(Part::Image(Source::from_url(
                url.ok_or_else(|| fault(&join(&path, "url"), "must be a text"))?,
            )))
        }
        "input_audio" => {
            let path = join(path, "input_audio");
            let audio = object(given(part, "input_audio").unwrap_or(&Value::Null), &path)?;
            let media_type = format!("audio/{}", text(audio, "format", &path)?);
            Ok(Part::Audio { media_type, data: text(audio, "data", &path)?.to_owned() })
        }
        "file" => {
            let path = join(path, "file");
            let file = object(given(part, "file").unwrap_or(&Value::Null), &path)?;
            let source = Source::from_url(text(file, "file_data", &path)?);
            Ok(Part::Document { source, name: maybe_text(file, "filename").map(str::to_owned) })
        }
        other => Err(fault(
            &join(path, "type"),
            format!("`{}` cannot be passed on to this provider", shown(other)),
        )),
    }
}

fn into_text(part: Part) -> Option<String> {
    match part {
        Part::Text(text) => Some(text),
        _ => None,
    }
}

fn decode_tools(body: &Map<String, Value>) -> Result<Vec<Tool>, InvalidRequest> {
    let mut tools = Vec::new();
    for (index, tool) in list(body, "tools", "")?.iter().enumerate() {
        let path = format!("tools[{index}]");
        let tool = object(tool, &path)?;
        if text(tool, "type", &path)? != "function" {
            return Err(fault(&join(&path, "type"), "only functions can be passed on to this provider"));
        }
        let path = join(&path, "function");
        tools.push(decode_tool(object(given(tool, "function").unwrap_or(&Value::Null), &path)?, &path)?);
    }
    for (index, function) in list(body, "functions", "")?.iter().enumerate() {
        let path = format!("functions[{index}]");
        tools.push(decode_tool(object(function, &path)?, &path)?);
    }
    Ok(tools)
}

fn decode_tool(function: &Map<String, Value>, path: &str) -> Result<Tool, InvalidRequest> {
    Ok(Tool {
        name: text(function, "name", path)?.to_owned(),
        description: maybe_text(function, "description").map(str::to_owned),
        schema: given(function, "parameters")
            .cloned()
            .unwrap_or_else(|| json!({"type": "object", "properties": {}})),
    })
}

fn decode_tool_choice(body: &Map<String, Value>) -> Result<Option<ToolChoice>, InvalidRequest> {
    let Some(choice) = given(body, "tool_choice").or_else(|| given(body, "function_call")) else {
        return Ok(None);
    };
    let named = || choice.pointer("/function/name").or_else(|| choice.get("name")).and_then(Value::as_str);
    match (choice.as_str(), named()) {
        (Some("auto"), _) => Ok(Some(ToolChoice::Auto)),
        (Some("none"), _) => Ok(Some(ToolChoice::None)),
        (Some("required"), _) => Ok(Some(ToolChoice::Required)),
        (None, Some(name)) => Ok(Some(ToolChoice::Named(name.to_owned()))),
        _ => Err(fault("tool_choice", "must be auto, none, required or a named function")),
    }
}

fn decode_stop(body: &Map<String, Value>) -> Result<Vec<String>, InvalidRequest> {
    match given(body, "stop") {
        None => Ok(Vec::new()),
        Some(Value::String(stop)) => Ok(vec![stop.clone()]),
        Some(Value::Array(stops)) => stops
            .iter()
            .enumerate()
            .map(|(index, stop)| {
                stop.as_str()
                    .map(str::to_owned)
                    .ok_or_else(|| fault(&format!("stop[{index}]"), "must be a text"))
            })
            .collect(),
        Some(_) => Err(fault("stop", "must be a text or a list of texts")),
    }
}

fn decode_format(body: &Map<String, Value>) -> Result<Format, InvalidRequest> {
    let Some(format) = given(body, "response_format") else { return Ok(Format::Text) };
    let format = object(format, "response_format")?;
    match text(format, "type", "response_format")? {
        "text" => Ok(Format::Text),
        "json_object" => Ok(Format::Json),
        "json_schema" => {
            let path = "response_format.json_schema";
            let named = object(given(format, "json_schema").unwrap_or(&Value::Null), path)?;
            Ok(Format::Schema {
                name: maybe_text(named, "name").unwrap_or("answer").to_owned(),
                schema: given(named, "schema").cloned().unwrap_or_else(|| json!({})),
            })
        }
        other => Err(fault(
            "response_format.type",
            format!("`{}` cannot be passed on to this provider", shown(other)),
        )),
    }
}

fn decode_reasoning(body: &Map<String, Value>) -> Option<Reasoning> {
    match maybe_text(body, "reasoning_effort")? {
        "none" | "minimal" => Some(Reasoning::Off),
        "low" => Some(Reasoning::Low),
        "medium" => Some(Reasoning::Medium),
        "high" | "xhigh" | "max" => Some(Reasoning::High),
        _ => None,
    }
}

/// The beginning of a word a client made up.
fn shown(text: &str) -> String {
    text.chars().take(40).collect()
}

/// What a model of that name takes. The wire is one, its models are not: each refuses what the other wants.
#[derive(Debug, Clone, Copy)]
pub(in crate::dialect) struct Traits {
    /// `OpenAI`'s own thinking models take `max_completion_tokens` and fix the sampling.
    pub fixed_sampling: bool,
    pub takes_effort: bool,
}

impl Traits {
    pub fn of(model: &ModelName) -> Self {
        let name = model.as_str().rsplit('/').next().unwrap_or_default();
        let begins = |prefixes: &[&str]| prefixes.iter().any(|prefix| name.starts_with(prefix));
        let generation = |family: &str| -> Option<u32> {
            let rest = name.strip_prefix(family)?;
            rest.split(|char: char| !char.is_ascii_digit()).next()?.parse().ok()
        };
        let thinks =
            generation("o").is_some() || generation("gpt-").is_some_and(|generation| generation >= 5);
        let fixed_sampling = thinks && !name.contains("chat");
        let thinking_gemini = begins(&["gemini-"]) && !begins(&["gemini-1", "gemini-2.0"]);
        Self { fixed_sampling, takes_effort: fixed_sampling || thinking_gemini || begins(&["gpt-oss"]) }
    }
}

/// Writes the request for a provider.
pub(crate) fn encode(request: &ChatRequest, model: &ModelName, stream: bool) -> Value {
    let traits = Traits::of(model);
    let mut body = Map::new();
    body.insert("model".to_owned(), json!(model.as_str()));
    body.insert("messages".to_owned(), Value::Array(encode_messages(request)));
    let mut set = |key: &str, value: Option<Value>| {
        if let Some(value) = value {
            body.insert(key.to_owned(), value);
        }
    };
    let limit = if traits.fixed_sampling { "max_completion_tokens" } else { "max_tokens" };
    set(limit, request.max_output.map(Value::from));
    if !traits.fixed_sampling {
        set("temperature", request.temperature.map(Value::from));
        set("top_p", request.top_p.map(Value::from));
        set("stop", (!request.stop.is_empty()).then(|| json!(request.stop)));
    }
    if traits.takes_effort {
        set("reasoning_effort", request.reasoning.and_then(effort).map(Value::from));
    }
    if !request.tools.is_empty() {
        set("tools", Some(request.tools.iter().map(encode_tool).collect()));
        set("tool_choice", request.tool_choice.as_ref().map(encode_tool_choice));
        set("parallel_tool_calls", request.parallel_tools.map(Value::from));
    }
    set("response_format", encode_format(&request.format));
    set("user", request.user.as_deref().map(Value::from));
    if stream {
        set("stream", Some(Value::Bool(true)));
        set("stream_options", Some(json!({"include_usage": true})));
    }
    Value::Object(body)
}

pub(in crate::dialect) const fn effort(reasoning: Reasoning) -> Option<&'static str> {
    match reasoning {
        Reasoning::Off => None,
        Reasoning::Low => Some("low"),
        Reasoning::Medium => Some("medium"),
        Reasoning::High => Some("high"),
    }
}

fn encode_messages(request: &ChatRequest) -> Vec<Value> {
    let mut messages = Vec::with_capacity(request.messages.len().saturating_add(1));
    if !request.system.is_empty() {
        messages.push(json!({"role": "system", "content": request.system.join("\n\n")}));
    }
    for message in &request.messages {
        match message.role {
            Role::User => encode_user(&message.parts, &mut messages),
            Role::Assistant => messages.push(encode_assistant(&message.parts)),
        }
    }
    messages
}

/// Results of tools are messages of their own here and text only: their pictures follow as the user's.
fn encode_user(parts: &[Part], messages: &mut Vec<Value>) {
    let mut content = Vec::new();
    for part in parts {
        match part {
            Part::ToolResult { id, parts, is_error } => {
                let said = joined_text(parts);
                let said = if *is_error { format!("Error: {said}") } else { said };
                messages.push(json!({"role": "tool", "tool_call_id": id, "content": said}));
                content.extend(
                    parts.iter().filter(|part| !matches!(part, Part::Text(_))).filter_map(encode_part),
                );
            }
            other => content.extend(encode_part(other)),
        }
    }
    match content.as_slice() {
        [] => {}
        [only] if only["type"] == "text" => messages.push(json!({"role": "user", "content": only["text"]})),
        _ => messages.push(json!({"role": "user", "content": content})),
    }
}

fn encode_assistant(parts: &[Part]) -> Value {
    let calls = parts.iter().filter_map(encode_call).collect::<Vec<_>>();
    let said = joined_text(parts);
    let mut message = json!({"role": "assistant", "content": said});
    if !calls.is_empty() {
        if said.is_empty() {
            message["content"] = Value::Null;
        }
        message["tool_calls"] = Value::Array(calls);
    }
    message
}

/// A call as `OpenAI` writes it, in requests and answers alike.
pub(super) fn encode_call(part: &Part) -> Option<Value> {
    match part {
        Part::ToolUse { id, name, arguments } => {
            let arguments = if arguments.trim().is_empty() { "{}" } else { arguments };
            Some(json!({"id": id, "type": "function", "function": {"name": name, "arguments": arguments}}))
        }
        _ => None,
    }
}

/// All text of the parts, in order.
pub(super) fn joined_text(parts: &[Part]) -> String {
    let texts = parts.iter().filter_map(|part| match part {
        Part::Text(text) | Part::Refusal(text) => Some(text.as_str()),
        _ => None,
    });
    texts.collect::<Vec<_>>().join("")
}

fn encode_part(part: &Part) -> Option<Value> {
    match part {
        Part::Text(text) | Part::Refusal(text) => Some(json!({"type": "text", "text": text})),
        Part::Image(source) => Some(json!({"type": "image_url", "image_url": {"url": source.to_url()}})),
        Part::Audio { media_type, data } => {
            let format = media_type.rsplit('/').next().unwrap_or_default();
            Some(json!({"type": "input_audio", "input_audio": {"data": data, "format": format}}))
        }
        Part::Document { source, name } => {
            let name = name.as_deref().unwrap_or("document.pdf");
            Some(json!({"type": "file", "file": {"filename": name, "file_data": source.to_url()}}))
        }
        Part::ToolUse { .. } | Part::ToolResult { .. } | Part::Thinking { .. } => None,
    }
}

fn encode_tool(tool: &Tool) -> Value {
    let mut function = json!({"name": tool.name, "parameters": tool.schema});
    if let Some(description) = &tool.description {
        function["description"] = json!(description);
    }
    json!({"type": "function", "function": function})
}

fn encode_tool_choice(choice: &ToolChoice) -> Value {
    match choice {
        ToolChoice::Auto => json!("auto"),
        ToolChoice::None => json!("none"),
        ToolChoice::Required => json!("required"),
        ToolChoice::Named(name) => json!({"type": "function", "function": {"name": name}}),
    }
}

fn encode_format(format: &Format) -> Option<Value> {
    match format {
        Format::Text => None,
        Format::Json => Some(json!({"type": "json_object"})),
        Format::Schema { name, schema } => {
            Some(json!({"type": "json_schema", "json_schema": {"name": name, "schema": schema}}))
        }
    }
}
