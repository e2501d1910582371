//! Requests in the form of the Responses API, to and from the neutral one.

use serde_json::{Map, Value, json};
use signalbox_core::ids::ModelName;

use super::items;
use crate::chat::{ChatRequest, Format, Reasoning, Tool, ToolChoice};
use crate::dialect::openai_chat::request::{Traits, effort};
use crate::dialect::read::{fault, given, join, list, maybe_count, maybe_number, maybe_text, object, text};
use crate::inspect::InvalidRequest;

/// Fewest tokens the API lets an answer be limited to.
const OUTPUT_TOKENS_MIN: u64 = 16;

/// Reads a client's request.
///
/// Errors: what only `OpenAI` itself could serve and the client would miss: conversations it stores, its own tools and files.
pub(crate) fn decode(body: &Map<String, Value>) -> Result<ChatRequest, InvalidRequest> {
    refuse_stored(body)?;
    refuse_log_probabilities(body)?;
    let (tools, tool_choice) = decode_tool_choice(body, decode_tools(body)?)?;
    let mut request = ChatRequest {
        tools,
        tool_choice,
        parallel_tools: given(body, "parallel_tool_calls").and_then(Value::as_bool),
        temperature: maybe_number(body, "temperature")?,
        top_p: maybe_number(body, "top_p")?,
        max_output: maybe_count(body, "max_output_tokens")?,
        format: decode_format(body)?,
        reasoning: decode_reasoning(body),
        user: maybe_text(body, "safety_identifier").or(maybe_text(body, "user")).map(str::to_owned),
        ..ChatRequest::default()
    };
    request.system.extend(maybe_text(body, "instructions").map(str::to_owned));
    items::decode(body, &mut request)?;
    Ok(request)
}

/// What refers to something that `OpenAI` keeps, or asks it to do more than answer.
fn refuse_stored(body: &Map<String, Value>) -> Result<(), InvalidRequest> {
    const STORED: [(&str, &str); 5] = [
        (
            "previous_response_id",
            "only OpenAI knows its earlier answers; send the conversation in `input` to reach other providers",
        ),
        (
            "conversation",
            "only OpenAI knows its stored conversations; send the conversation in `input` to reach other providers",
        ),
        (
            "prompt",
            "only OpenAI knows its stored prompts; send `instructions` and `input` to reach other providers",
        ),
        ("moderation", "only OpenAI moderates answers; leave it out to reach other providers"),
        ("context_management", "only OpenAI compacts conversations; leave it out to reach other providers"),
    ];
    match STORED.iter().find(|(key, _)| given(body, key).is_some()) {
        Some((key, message)) => Err(fault(key, *message)),
        None => Ok(()),
    }
}

fn refuse_log_probabilities(body: &Map<String, Value>) -> Result<(), InvalidRequest> {
    const MESSAGE: &str = "log probabilities cannot be had from this provider";
    if maybe_count(body, "top_logprobs")?.is_some_and(|count| count > 0) {
        return Err(fault("top_logprobs", MESSAGE));
    }
    // Everything else that can be included belongs to tools and stored items, which are refused where they stand, or is
    // encrypted for OpenAI alone.
    let included = list(body, "include", "")?.iter().position(|what| what == "message.output_text.logprobs");
    included.map_or(Ok(()), |index| Err(fault(&format!("include[{index}]"), MESSAGE)))
}

fn decode_tools(body: &Map<String, Value>) -> Result<Vec<Tool>, InvalidRequest> {
    let mut tools = Vec::new();
    for (index, tool) in list(body, "tools", "")?.iter().enumerate() {
        let path = format!("tools[{index}]");
        let tool = object(tool, &path)?;
        match text(tool, "type", &path)? {
            "function" => tools.push(Tool {
                name: text(tool, "name", &path)?.to_owned(),
                description: maybe_text(tool, "description").map(str::to_owned),
                schema: given(tool, "parameters")
                    .cloned()
                    .unwrap_or_else(|| json!({"type": "object", "properties": {}})),
            }),
            other => {
                let message = format!(
                    "the tool `{}` is OpenAI's own; only functions can be passed on to this provider",
                    shown(other)
                );
                return Err(fault(&join(&path, "type"), message));
            }
        }
    }
    Ok(tools)
}

/// The tools and which of them the model may or must call; a list of allowed ones leaves only those.
fn decode_tool_choice(
    body: &Map<String, Value>,
    mut tools: Vec<Tool>,
) -> Result<(Vec<Tool>, Option<ToolChoice>), InvalidRequest> {
    let Some(choice) = given(body, "tool_choice") else { return Ok((tools, None)) };
    let text = |key: &str| choice.get(key).and_then(Value::as_str);
    let choice = match (choice.as_str(), text("type"), text("name")) {
        (Some("auto"), ..) => ToolChoice::Auto,
        (Some("none"), ..) => ToolChoice::None,
        (Some("required"), ..) => ToolChoice::Required,
        (None, Some("function"), Some(name)) => ToolChoice::Named(name.to_owned()),
        (None, Some("allowed_tools"), _) => {
            let allowed =
                choice.get("tools").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
            let names = allowed.iter().filter_map(|tool| tool.get("name")?.as_str()).collect::<Vec<_>>();
            tools.retain(|tool| names.contains(&tool.name.as_str()));
            if text("mode") == Some("required") { ToolChoice::Required } else { ToolChoice::Auto }
        }
        _ => {
            return Err(fault(
                "tool_choice",
                "must be auto, none, required, allowed tools or a named function",
            ));
        }
    };
    Ok((tools, Some(choice)))
}

fn decode_format(body: &Map<String, Value>) -> Result<Format, InvalidRequest> {
    let Some(format) =
        body.get("text").and_then(|text| text.get("format")).filter(|format| !format.is_null())
    else {
        return Ok(Format::Text);
    };
    let path = "text.format";
    let format = object(format, path)?;
    match text(format, "type", path)? {
        "text" => Ok(Format::Text),
        "json_object" => Ok(Format::Json),
        "json_schema" => Ok(Format::Schema {
            name: maybe_text(format, "name").unwrap_or("answer").to_owned(),
            schema: given(format, "schema").cloned().unwrap_or_else(|| json!({})),
        }),
        other => Err(fault(
            &join(path, "type"),
            format!("`{}` cannot be passed on to this provider", shown(other)),
        )),
    }
}

fn decode_reasoning(body: &Map<String, Value>) -> Option<Reasoning> {
    match body.get("reasoning")?.get("effort")?.as_str()? {
        "none" | "minimal" => Some(Reasoning::Off),
        "low" => Some(Reasoning::Low),
        "medium" => Some(Reasoning::Medium),
        "high" | "xhigh" | "max" => Some(Reasoning::High),
        _ => None,
    }
}

/// Whether the client asked to see what the model thinks.
pub(super) fn wants_summary(body: &Map<String, Value>) -> bool {
    let asked = |key: &str| {
        let asked = body.get("reasoning").and_then(|reasoning| reasoning.get(key));
        asked.and_then(Value::as_str).is_some_and(|how| how != "none")
    };
    asked("summary") || asked("generate_summary")
}

/// Whether the client asked for what it has to send back with a conversation that is kept nowhere.
pub(super) fn wants_signatures(body: &Map<String, Value>) -> bool {
    let included = body.get("include").and_then(Value::as_array).into_iter().flatten();
    included.into_iter().any(|what| what == "reasoning.encrypted_content")
}

/// The beginning of a word a client made up.
pub(super) fn shown(text: &str) -> String {
    text.chars().take(40).collect()
}

/// Writes the request for a provider.
///
/// A chat is not kept by the vendor unless its client said so in its own words, hence `store: false`. Stop sequences have
/// no field here; the thinking models that only this API serves take none elsewhere either.
pub(crate) fn encode(request: &ChatRequest, model: &ModelName, stream: bool) -> Value {
    let traits = Traits::of(model);
    let mut body = Map::new();
    body.insert("model".to_owned(), json!(model.as_str()));
    let mut set = |key: &str, value: Option<Value>| {
        if let Some(value) = value {
            body.insert(key.to_owned(), value);
        }
    };
    set("instructions", (!request.system.is_empty()).then(|| json!(request.system.join("\n\n"))));
    set("input", Some(Value::Array(items::encode(&request.messages))));
    set("max_output_tokens", request.max_output.map(|most| json!(most.max(OUTPUT_TOKENS_MIN))));
    if !traits.fixed_sampling {
        set("temperature", request.temperature.map(Value::from));
        set("top_p", request.top_p.map(Value::from));
    }
    if traits.takes_effort {
        set("reasoning", request.reasoning.and_then(effort).map(|effort| json!({"effort": effort})));
    }
    if !request.tools.is_empty() {
        set("tools", Some(request.tools.iter().map(encode_tool).collect()));
        set("tool_choice", request.tool_choice.as_ref().map(encode_tool_choice));
        set("parallel_tool_calls", request.parallel_tools.map(Value::from));
    }
    set("text", encode_format(&request.format).map(|format| json!({"format": format})));
    set("user", request.user.as_deref().map(Value::from));
    set("store", Some(Value::Bool(false)));
    set("stream", stream.then_some(Value::Bool(true)));
    Value::Object(body)
}

/// Functions are strict here unless the request says otherwise, and strict ones take fewer schemas.
fn encode_tool(tool: &Tool) -> Value {
    let mut encoded =
        json!({"type": "function", "name": tool.name, "parameters": tool.schema, "strict": false});
    if let Some(description) = &tool.description {
        encoded["description"] = json!(description);
    }
    encoded
}

fn encode_tool_choice(choice: &ToolChoice) -> Value {
    match choice {
        ToolChoice::Auto => json!("auto"),
        ToolChoice::None => json!("none"),
        ToolChoice::Required => json!("required"),
        ToolChoice::Named(name) => json!({"type": "function", "name": name}),
    }
}

fn encode_format(format: &Format) -> Option<Value> {
    match format {
        Format::Text => None,
        Format::Json => Some(json!({"type": "json_object"})),
        Format::Schema { name, schema } => {
            Some(json!({"type": "json_schema", "name": name, "schema": schema}))
        }
    }
}
