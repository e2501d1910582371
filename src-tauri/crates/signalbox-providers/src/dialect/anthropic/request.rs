//! Requests in Anthropic's form, to and from the neutral one.

use serde_json::{Map, Value, json};
use signalbox_core::ids::ModelName;

use crate::chat::{ChatRequest, Format, Message, Part, Reasoning, Role, Source, Tool, ToolChoice};
use crate::dialect::gemini::signature_of;
use crate::dialect::read::{fault, given, join, list, maybe_count, maybe_number, maybe_text, object, text};
use crate::inspect::{InvalidRequest, TOKENS_OUT_DEFAULT};

/// Reads a client's request.
///
/// Errors: what the neutral form has no place for and the client would miss, such as the provider's own tools.
pub(crate) fn decode(body: &Map<String, Value>) -> Result<ChatRequest, InvalidRequest> {
    let choice = given(body, "tool_choice").and_then(Value::as_object);
    let one_at_a_time =
        choice.and_then(|choice| choice.get("disable_parallel_tool_use")).and_then(Value::as_bool);
    let mut request = ChatRequest {
        system: decode_system(body)?,
        tools: decode_tools(body)?,
        tool_choice: choice.map(decode_tool_choice).transpose()?,
        parallel_tools: one_at_a_time.map(|one| !one),
        temperature: maybe_number(body, "temperature")?,
        top_p: maybe_number(body, "top_p")?,
        max_output: maybe_count(body, "max_tokens")?,
        reasoning: decode_thinking(body),
        user: body
            .get("metadata")
            .and_then(|metadata| metadata.get("user_id"))
            .and_then(Value::as_str)
            .map(str::to_owned),
        ..ChatRequest::default()
    };
    for (index, stop) in list(body, "stop_sequences", "")?.iter().enumerate() {
        let stop =
            stop.as_str().ok_or_else(|| fault(&format!("stop_sequences[{index}]"), "must be a text"))?;
        request.stop.push(stop.to_owned());
    }
    for (index, message) in list(body, "messages", "")?.iter().enumerate() {
        let path = format!("messages[{index}]");
        let message = object(message, &path)?;
        let role = match text(message, "role", &path)? {
            "user" => Role::User,
            "assistant" => Role::Assistant,
            _ => return Err(fault(&join(&path, "role"), "must be user or assistant")),
        };
        request
            .messages
            .push(Message { role, parts: decode_content(message.get("content"), &join(&path, "content"))? });
    }
    Ok(request)
}

fn decode_system(body: &Map<String, Value>) -> Result<Vec<String>, InvalidRequest> {
    let parts = decode_content(given(body, "system"), "system")?;
    Ok(parts
        .into_iter()
        .filter_map(|part| match part {
            Part::Text(text) => Some(text),
            _ => None,
        })
        .collect())
}

fn decode_content(content: Option<&Value>, path: &str) -> Result<Vec<Part>, InvalidRequest> {
    match content {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::String(text)) => Ok(vec![Part::Text(text.clone())]),
        Some(Value::Array(blocks)) => {
            let mut parts = Vec::with_capacity(blocks.len());
            for (index, block) in blocks.iter().enumerate() {
                parts.extend(decode_block(block, &format!("{path}[{index}]"))?);
            }
            Ok(parts)
        }
        Some(_) => Err(fault(path, "must be a text or a list of blocks")),
    }
}

fn decode_block(block: &Value, path: &str) -> Result<Option<Part>, InvalidRequest> {
    let block = object(block, path)?;
    let part = match text(block, "type", path)? {
        "text" => Part::Text(text(block, "text", path)?.to_owned()),
        "image" => Part::Image(decode_source(block, path)?),
        "document" => Part::Document {
            source: decode_source(block, path)?,
            name: maybe_text(block, "title").map(str::to_owned),
        },
        "tool_use" => Part::ToolUse {
            id: text(block, "id", path)?.to_owned(),
            name: text(block, "name", path)?.to_owned(),
            arguments: block.get("input").map_or_else(|| "{}".to_owned(), Value::to_string),
        },
        "tool_result" => Part::ToolResult {
            id: text(block, "tool_use_id", path)?.to_owned(),
            parts: decode_content(block.get("content"), &join(path, "content"))?,
            is_error: block.get("is_error").and_then(Value::as_bool).unwrap_or(false),
        },
        "thinking" if is_googles(block) => Part::Thinking {
            text: maybe_text(block, "thinking").unwrap_or_default().to_owned(),
            signature: maybe_text(block, "signature").map(str::to_owned),
        },
        // What a model thought is signed for its vendor; what a vendor's own tools did is over.
        "thinking" | "redacted_thinking" | "server_tool_use" | "web_search_tool_result" => return Ok(None),
        other => {
            let other: String = other.chars().take(40).collect();
            return Err(fault(
                &join(path, "type"),
                format!("`{other}` cannot be passed on to this provider"),
            ));
        }
    };
    Ok(Some(part))
}

/// Whether a thought came from Gemini through us, and is signed by it.
fn is_googles(block: &Map<String, Value>) -> bool {
    maybe_text(block, "signature").and_then(signature_of).is_some()
}

fn decode_source(block: &Map<String, Value>, path: &str) -> Result<Source, InvalidRequest> {
    let path = join(path, "source");
    let source = object(given(block, "source").unwrap_or(&Value::Null), &path)?;
    match text(source, "type", &path)? {
        "base64" => Ok(Source::Base64 {
            media_type: text(source, "media_type", &path)?.to_owned(),
            data: text(source, "data", &path)?.to_owned(),
        }),
        "url" => Ok(Source::Url(text(source, "url", &path)?.to_owned())),
        _ => Err(fault(&join(&path, "type"), "only base64 and url can be passed on to this provider")),
    }
}

fn decode_tools(body: &Map<String, Value>) -> Result<Vec<Tool>, InvalidRequest> {
    let mut tools = Vec::new();
    for (index, tool) in list(body, "tools", "")?.iter().enumerate() {
        let path = format!("tools[{index}]");
        let tool = object(tool, &path)?;
        if maybe_text(tool, "type").is_some_and(|kind| kind != "custom") {
            return Err(fault(
                &join(&path, "type"),
                "the vendor's own tools cannot be passed on to this provider",
            ));
        }
        tools.push(Tool {
            name: text(tool, "name", &path)?.to_owned(),
            description: maybe_text(tool, "description").map(str::to_owned),
            schema: given(tool, "input_schema").cloned().unwrap_or_else(empty_schema),
        });
    }
    Ok(tools)
}

fn empty_schema() -> Value {
    json!({"type": "object", "properties": {}})
}

fn decode_tool_choice(choice: &Map<String, Value>) -> Result<ToolChoice, InvalidRequest> {
    match text(choice, "type", "tool_choice")? {
        "auto" => Ok(ToolChoice::Auto),
        "any" => Ok(ToolChoice::Required),
        "none" => Ok(ToolChoice::None),
        "tool" => Ok(ToolChoice::Named(text(choice, "name", "tool_choice")?.to_owned())),
        _ => Err(fault("tool_choice.type", "must be auto, any, tool or none")),
    }
}

fn decode_thinking(body: &Map<String, Value>) -> Option<Reasoning> {
    let effort = body.get("output_config").and_then(|config| config.get("effort")).and_then(Value::as_str);
    let thinking = body.get("thinking")?;
    let budget = thinking.get("budget_tokens").and_then(Value::as_u64);
    match (thinking.get("type")?.as_str()?, effort, budget) {
        ("disabled", ..) => Some(Reasoning::Off),
        (_, Some("low"), _) => Some(Reasoning::Low),
        (_, Some("medium"), _) => Some(Reasoning::Medium),
        (_, Some(_), _) => Some(Reasoning::High),
        (_, None, Some(budget)) if budget < BUDGET_MEDIUM => Some(Reasoning::Low),
        (_, None, Some(budget)) if budget >= BUDGET_HIGH => Some(Reasoning::High),
        (_, None, _) => Some(Reasoning::Medium),
    }
}

/// Tokens of thought: the least the API takes, and what the words of other dialects stand for.
const BUDGET_LOW: u64 = 1024;
const BUDGET_MEDIUM: u64 = 4096;
const BUDGET_HIGH: u64 = 16_384;

/// Writes the request for a provider.
pub(crate) fn encode(request: &ChatRequest, model: &ModelName, stream: bool) -> Value {
    let max_tokens = request.max_output.unwrap_or(TOKENS_OUT_DEFAULT);
    let traits = Traits::of(model);
    let thinking = thinking(request, traits, max_tokens);
    let mut body = Map::new();
    body.insert("model".to_owned(), json!(model.as_str()));
    let mut set = |key: &str, value: Option<Value>| {
        if let Some(value) = value {
            body.insert(key.to_owned(), value);
        }
    };
    set("max_tokens", Some(json!(max_tokens)));
    set("system", encode_system(request).map(Value::from));
    set("messages", Some(Value::Array(encode_messages(&request.messages))));
    // Thinking fixes the sampling.
    if traits.takes_sampling && thinking.is_none() {
        set("temperature", request.temperature.map(|temperature| json!(temperature.clamp(0.0, 1.0))));
        // Models refuse both at once.
        set("top_p", request.top_p.filter(|_| request.temperature.is_none()).map(Value::from));
    }
    for (key, value) in thinking.into_iter().flatten() {
        set(key, Some(value));
    }
    let stops = request.stop.iter().filter(|stop| !stop.trim().is_empty()).collect::<Vec<_>>();
    set("stop_sequences", (!stops.is_empty()).then(|| json!(stops)));
    if !request.tools.is_empty() {
        set("tools", Some(request.tools.iter().map(encode_tool).collect()));
        set("tool_choice", encode_tool_choice(request));
    }
    set("metadata", request.user.as_ref().map(|user| json!({"user_id": user})));
    set("stream", stream.then_some(Value::Bool(true)));
    Value::Object(body)
}

/// What a model of that name takes. Each generation refuses what an earlier one wanted.
///
/// Source: the vendor's migration guides; thinking by a budget came with 3.7, by an effort with 4.6, which 4.7 made the
/// only one while it gave up sampling parameters.
#[derive(Debug, Clone, Copy)]
struct Traits {
    takes_sampling: bool,
    thinks: Thinks,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Thinks {
    Not,
    ByBudget,
    ByEffort,
}

impl Traits {
    fn of(model: &ModelName) -> Self {
        // A name without a version is left alone: no thinking is never refused.
        let Some(version) = version(model.as_str()) else {
            return Self { takes_sampling: true, thinks: Thinks::Not };
        };
        let thinks = if version >= (4, 6) {
            Thinks::ByEffort
        } else if version >= (3, 7) {
            Thinks::ByBudget
        } else {
            Thinks::Not
        };
        Self { takes_sampling: version < (4, 7), thinks }
    }
}

/// The version in a model's name, before or after its family: `claude-3-7-sonnet-20250219`, `claude-opus-4-7`.
fn version(model: &str) -> Option<(u8, u8)> {
    // A date has too many digits to be one.
    let mut parts = model.split(['-', '.', '/']).map(str::parse::<u8>).skip_while(Result::is_err);
    let major = parts.next()?.ok()?;
    Some((major, parts.next().and_then(Result::ok).unwrap_or(0)))
}

/// How to ask for thinking. Not where the API would refuse it: on models that cannot, with a tool forced, and by budget
/// under a small limit or amid the calls of tools, whose signed thoughts another vendor cannot have given.
fn thinking(request: &ChatRequest, traits: Traits, max_tokens: u64) -> Option<Vec<(&'static str, Value)>> {
    let (budget, effort) = match request.reasoning? {
        Reasoning::Off => return None,
        Reasoning::Low => (BUDGET_LOW, "low"),
        Reasoning::Medium => (BUDGET_MEDIUM, "medium"),
        Reasoning::High => (BUDGET_HIGH, "high"),
    };
    if matches!(request.tool_choice, Some(ToolChoice::Required | ToolChoice::Named(_))) {
        return None;
    }
    match traits.thinks {
        Thinks::Not => None,
        Thinks::ByEffort => Some(vec![
            ("thinking", json!({"type": "adaptive"})),
            ("output_config", json!({"effort": effort})),
        ]),
        Thinks::ByBudget => {
            let mut parts = request.messages.iter().flat_map(|message| &message.parts);
            let amid_tools = parts.any(|part| matches!(part, Part::ToolUse { .. }));
            let budget = budget.min(max_tokens.saturating_sub(1) / 2);
            let thinking = json!({"type": "enabled", "budget_tokens": budget});
            (!amid_tools && budget >= BUDGET_LOW).then(|| vec![("thinking", thinking)])
        }
    }
}

/// The instructions, and as best effort those for a JSON answer, which this API has no field for.
fn encode_system(request: &ChatRequest) -> Option<String> {
    let mut system =
        request.system.iter().filter(|text| !text.trim().is_empty()).cloned().collect::<Vec<_>>();
    match &request.format {
        Format::Text => {}
        Format::Json => system.push(
            "Answer with one valid JSON object and nothing else: no prose around it and no code fence.".to_owned(),
        ),
        Format::Schema { name, schema } => system.push(format!(
            "Answer with one valid JSON value named `{name}` and nothing else: no prose around it and no code fence. \
             It must match this JSON schema:\n{schema}"
        )),
    }
    (!system.is_empty()).then(|| system.join("\n\n"))
}

/// Turns take turns here: neighbours of one role become one, results of tools stand first in theirs, empty texts go.
fn encode_messages(messages: &[Message]) -> Vec<Value> {
    let mut turns: Vec<(Role, Vec<Value>)> = Vec::with_capacity(messages.len());
    for message in messages {
        let blocks = message.parts.iter().filter_map(encode_part).collect::<Vec<_>>();
        match turns.last_mut() {
            _ if blocks.is_empty() => {}
            Some((role, merged)) if *role == message.role => merged.extend(blocks),
            _ => turns.push((message.role, blocks)),
        }
    }
    if turns.first().is_none_or(|(role, _)| *role == Role::Assistant) {
        turns.insert(0, (Role::User, vec![json!({"type": "text", "text": "."})]));
    }
    if let Some((Role::Assistant, blocks)) = turns.last_mut() {
        trim_end(blocks);
    }
    turns
        .into_iter()
        .map(|(role, mut blocks)| {
            let role = match role {
                Role::User => "user",
                Role::Assistant => "assistant",
            };
            blocks.sort_by_key(|block| block["type"] != "tool_result");
            json!({"role": role, "content": blocks})
        })
        .collect()
}

/// An answer to be continued must not end in a blank.
fn trim_end(blocks: &mut [Value]) {
    let last = blocks.last_mut().and_then(|block| block.get_mut("text"));
    if let Some(Value::String(text)) = last {
        text.truncate(text.trim_end().len());
    }
}

fn encode_part(part: &Part) -> Option<Value> {
    match part {
        Part::Text(text) | Part::Refusal(text) => {
            (!text.trim().is_empty()).then(|| json!({"type": "text", "text": text}))
        }
        Part::Image(source) => Some(json!({"type": "image", "source": encode_source(source)})),
        Part::Document { source, name } => {
            let mut block = json!({"type": "document", "source": encode_source(source)});
            if let Some(name) = name {
                block["title"] = json!(name);
            }
            Some(block)
        }
        Part::ToolUse { id, name, arguments } => Some(
            json!({"type": "tool_use", "id": call_id(id), "name": name, "input": arguments_object(arguments)}),
        ),
        Part::ToolResult { id, parts, is_error } => {
            let content = parts.iter().filter_map(encode_part).collect::<Vec<_>>();
            let mut block = json!({"type": "tool_result", "tool_use_id": call_id(id), "content": content});
            if *is_error {
                block["is_error"] = json!(true);
            }
            Some(block)
        }
        // Unsigned thoughts are refused, and only the vendor itself can sign them. It does not listen to sound either.
        Part::Thinking { .. } | Part::Audio { .. } => None,
    }
}

fn encode_source(source: &Source) -> Value {
    match source {
        Source::Url(url) => json!({"type": "url", "url": url}),
        Source::Base64 { media_type, data } => {
            json!({"type": "base64", "media_type": media_type, "data": data})
        }
    }
}

/// The id of a call with only the characters the API takes. The same id becomes the same one, in call and result.
fn call_id(id: &str) -> String {
    let clean = |char: char| if char.is_ascii_alphanumeric() || char == '-' { char } else { '_' };
    if id.is_empty() { "_".to_owned() } else { id.chars().map(clean).collect() }
}

/// Arguments as the object the API wants; what a model wrote wrongly is kept as text in one.
pub(in crate::dialect) fn arguments_object(arguments: &str) -> Value {
    match serde_json::from_str(arguments) {
        Ok(object @ Value::Object(_)) => object,
        _ if arguments.trim().is_empty() => json!({}),
        _ => json!({"arguments": arguments}),
    }
}

fn encode_tool(tool: &Tool) -> Value {
    let mut schema = tool.schema.clone();
    // The API wants to be told what elsewhere goes without saying.
    if let Some(fields) = schema.as_object_mut().filter(|fields| !fields.contains_key("type")) {
        fields.insert("type".to_owned(), json!("object"));
    }
    let mut encoded = json!({"name": tool.name, "input_schema": schema});
    if let Some(description) = &tool.description {
        encoded["description"] = json!(description);
    }
    encoded
}

fn encode_tool_choice(request: &ChatRequest) -> Option<Value> {
    let one_at_a_time = request.parallel_tools == Some(false);
    let mut choice = match &request.tool_choice {
        None if one_at_a_time => json!({"type": "auto"}),
        None => return None,
        Some(ToolChoice::Auto) => json!({"type": "auto"}),
        Some(ToolChoice::None) => return Some(json!({"type": "none"})),
        Some(ToolChoice::Required) => json!({"type": "any"}),
        Some(ToolChoice::Named(name)) => json!({"type": "tool", "name": name}),
    };
    if one_at_a_time {
        choice["disable_parallel_tool_use"] = json!(true);
    }
    Some(choice)
}
