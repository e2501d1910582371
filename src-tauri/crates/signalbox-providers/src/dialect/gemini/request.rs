//! Requests in Gemini's form, from the neutral one.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use signalbox_core::ids::ModelName;

use super::schema::{cleaned, has_fields};
use super::signature_of;
use crate::chat::{ChatRequest, Format, Message, Part, Reasoning, Role, Source, Tool, ToolChoice};
use crate::dialect::anthropic::request::arguments_object;

/// What stands for the signature of a call that another vendor's model made, or whose signature the client lost. Google
/// checks none then, at some cost in quality; without it the third generation refuses the conversation.
///
/// Source: the questions at the end of the page on thought signatures.
const UNSIGNED: &str = "skip_thought_signature_validator";

/// Writes the request for a provider. The model stands in the URL; here it decides what may be asked of it.
pub(crate) fn encode(request: &ChatRequest, model: &ModelName) -> Value {
    let traits = Traits::of(model);
    let mut body = Map::new();
    let mut set = |key: &str, value: Option<Value>| {
        if let Some(value) = value {
            body.insert(key.to_owned(), value);
        }
    };
    // The older generations refuse tools together with a form of the answer.
    let has_format_field = request.tools.is_empty() || traits.combines_tools_and_format;
    set("contents", Some(Value::Array(encode_contents(&request.messages, traits))));
    let system = encode_system(request, has_format_field);
    set("systemInstruction", system.map(|text| json!({"parts": [{"text": text}]})));
    if !request.tools.is_empty() {
        let functions = request.tools.iter().map(encode_tool).collect::<Vec<_>>();
        set("tools", Some(json!([{"functionDeclarations": functions}])));
        set("toolConfig", request.tool_choice.as_ref().map(encode_tool_choice));
    }
    let config = encode_config(request, traits, has_format_field);
    set("generationConfig", (!config.is_empty()).then_some(Value::Object(config)));
    Value::Object(body)
}

/// What a model of that name takes. Each generation refuses what another wants.
///
/// Source: the pages on thinking (budgets with 2.5, levels with 3, which of them a model has), on thought signatures
/// (demanded since 3) and on structured output (together with tools since 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Traits {
    thinks: Thinks,
    demands_signatures: bool,
    combines_tools_and_format: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Thinks {
    Not,
    /// In tokens, from the least that can be asked for.
    ByBudget {
        least: u32,
    },
    /// In words, from the least one.
    ByLevel {
        least: &'static str,
    },
}

impl Traits {
    fn of(model: &ModelName) -> Self {
        let name = model.as_str().rsplit('/').next().unwrap_or_default();
        let (version, family) = match name.strip_prefix("gemini-") {
            Some(rest) => (version(rest), rest),
            None => ((0, 0), ""),
        };
        let has = |word: &str| family.split('-').any(|part| part == word);
        let third = version >= (3, 0);
        // What speaks or paints is not told how much to think.
        let thinks = if has("image") || has("tts") {
            Thinks::Not
        } else if third {
            let minimal = has("lite") || has("flash") && version < (3, 7);
            Thinks::ByLevel { least: if minimal { "minimal" } else { "low" } }
        } else if version == (2, 5) {
            Thinks::ByBudget { least: if has("pro") { 128 } else { 0 } }
        } else {
            Thinks::Not
        };
        Self { thinks, demands_signatures: third, combines_tools_and_format: third }
    }
}

/// The version that begins what follows `gemini-`; names that are only a family, such as `flash-latest`, mean the newest.
fn version(rest: &str) -> (u8, u8) {
    let number = rest.split('-').next().unwrap_or_default();
    let (major, minor) = number.split_once('.').unwrap_or((number, "0"));
    match (major.parse(), minor.parse()) {
        (Ok(major), Ok(minor)) => (major, minor),
        _ if rest.ends_with("-latest") => (u8::MAX, 0),
        _ => (0, 0),
    }
}

/// The instructions, and as best effort those for a JSON answer where no field may be used for it.
fn encode_system(request: &ChatRequest, has_format_field: bool) -> Option<String> {
    let mut system =
        request.system.iter().filter(|text| !text.trim().is_empty()).cloned().collect::<Vec<_>>();
    match &request.format {
        Format::Json if !has_format_field => system.push(
            "Answer with one valid JSON object and nothing else: no prose around it and no code fence.".to_owned(),
        ),
        Format::Schema { schema, .. } if !has_format_field => system.push(format!(
            "Answer with one valid JSON value and nothing else: no prose around it and no code fence. It must match this \
             JSON schema:\n{schema}"
        )),
        Format::Text | Format::Json | Format::Schema { .. } => {}
    }
    (!system.is_empty()).then(|| system.join("\n\n"))
}

fn encode_config(request: &ChatRequest, traits: Traits, has_format_field: bool) -> Map<String, Value> {
    const TEMPERATURE_MAX: f64 = 2.0;
    let mut config = Map::new();
    let mut set = |key: &str, value: Option<Value>| {
        if let Some(value) = value {
            config.insert(key.to_owned(), value);
        }
    };
    set("maxOutputTokens", request.max_output.map(Value::from));
    set("temperature", request.temperature.map(|temperature| json!(temperature.clamp(0.0, TEMPERATURE_MAX))));
    set("topP", request.top_p.map(Value::from));
    let stops = request.stop.iter().filter(|stop| !stop.is_empty()).collect::<Vec<_>>();
    set("stopSequences", (!stops.is_empty()).then(|| json!(stops)));
    if has_format_field && request.format != Format::Text {
        set("responseMimeType", Some(json!("application/json")));
        if let Format::Schema { schema, .. } = &request.format {
            set("responseJsonSchema", Some(cleaned(schema)));
        }
    }
    set("thinkingConfig", request.reasoning.and_then(|reasoning| encode_thinking(reasoning, traits.thinks)));
    config
}

/// How much to think, and that the thoughts be shown. Budgets are those of Google's own compatible endpoint.
fn encode_thinking(reasoning: Reasoning, thinks: Thinks) -> Option<Value> {
    match thinks {
        Thinks::Not => None,
        Thinks::ByBudget { least } => Some(match reasoning {
            Reasoning::Off => json!({"thinkingBudget": least}),
            Reasoning::Low => json!({"thinkingBudget": 1024, "includeThoughts": true}),
            Reasoning::Medium => json!({"thinkingBudget": 8192, "includeThoughts": true}),
            Reasoning::High => json!({"thinkingBudget": 24_576, "includeThoughts": true}),
        }),
        Thinks::ByLevel { least } => Some(match reasoning {
            Reasoning::Off => json!({"thinkingLevel": least}),
            Reasoning::Low => json!({"thinkingLevel": "low", "includeThoughts": true}),
            Reasoning::Medium => json!({"thinkingLevel": "medium", "includeThoughts": true}),
            Reasoning::High => json!({"thinkingLevel": "high", "includeThoughts": true}),
        }),
    }
}

/// Turns take turns here: neighbours of one role become one, results of tools stand first in theirs, empty texts go, and
/// the user begins.
fn encode_contents(messages: &[Message], traits: Traits) -> Vec<Value> {
    let mut turns: Vec<(Role, Vec<Value>)> = Vec::with_capacity(messages.len());
    // A result names its tool, which elsewhere only the call does.
    let mut names = BTreeMap::new();
    for message in messages {
        let parts = encode_parts(&message.parts, &mut names);
        match turns.last_mut() {
            _ if parts.is_empty() => {}
            Some((role, merged)) if *role == message.role => merged.extend(parts),
            _ => turns.push((message.role, parts)),
        }
    }
    if turns.first().is_none_or(|(role, _)| *role == Role::Assistant) {
        turns.insert(0, (Role::User, vec![json!({"text": "."})]));
    }
    turns
        .into_iter()
        .map(|(role, mut parts)| {
            let role = match role {
                Role::User => "user",
                Role::Assistant => "model",
            };
            parts.sort_by_key(|part| part.get("functionResponse").is_none());
            if traits.demands_signatures {
                sign(&mut parts);
            }
            json!({"role": role, "parts": parts})
        })
        .collect()
}

/// The first call of a turn must be signed; the others of it are not.
fn sign(parts: &mut [Value]) {
    let mut calls = parts.iter_mut().filter(|part| part.get("functionCall").is_some());
    if let Some(Value::Object(call)) = calls.next() {
        call.entry("thoughtSignature").or_insert_with(|| json!(UNSIGNED));
    }
}

fn encode_parts<'a>(parts: &'a [Part], names: &mut BTreeMap<&'a str, &'a str>) -> Vec<Value> {
    let mut encoded = Vec::with_capacity(parts.len());
    let mut signature = None;
    for part in parts {
        match part {
            Part::Text(text) | Part::Refusal(text) => {
                encoded.extend((!text.trim().is_empty()).then(|| json!({"text": text})));
            }
            Part::Image(source) | Part::Document { source, .. } => encoded.push(encode_source(source)),
            Part::Audio { media_type, data } => {
                encoded.push(json!({"inlineData": {"mimeType": media_type, "data": data}}));
            }
            Part::ToolUse { id, name, arguments } => {
                names.insert(id, name);
                let call = json!({"id": id, "name": name, "args": arguments_object(arguments)});
                let mut call = json!({"functionCall": call});
                if let Some(signature) = signature.take() {
                    call["thoughtSignature"] = json!(signature);
                }
                encoded.push(call);
            }
            Part::ToolResult { id, parts, is_error } => {
                encoded.push(encode_result(
                    id,
                    names.get(id.as_str()).copied().unwrap_or(id),
                    parts,
                    *is_error,
                ));
                encoded.extend(parts.iter().filter_map(encode_media));
            }
            // Thoughts stay with the model; only its signature of them goes back, with the call it came with.
            Part::Thinking { signature: Some(mark), .. } => signature = signature_of(mark).or(signature),
            Part::Thinking { .. } => {}
        }
    }
    encoded
}

/// The result of a tool. It stays text: as JSON its numbers would lose digits.
fn encode_result(id: &str, name: &str, parts: &[Part], is_error: bool) -> Value {
    let texts = parts.iter().filter_map(|part| match part {
        Part::Text(text) | Part::Refusal(text) => Some(text.as_str()),
        _ => None,
    });
    let key = if is_error { "error" } else { "output" };
    let said = Map::from_iter([(key.to_owned(), json!(texts.collect::<Vec<_>>().join("")))]);
    json!({"functionResponse": {"id": id, "name": name, "response": said}})
}

/// The pictures in a tool's result follow it as the user's.
fn encode_media(part: &Part) -> Option<Value> {
    match part {
        Part::Image(source) | Part::Document { source, .. } => Some(encode_source(source)),
        _ => None,
    }
}

fn encode_source(source: &Source) -> Value {
    match source {
        Source::Base64 { media_type, data } => {
            json!({"inlineData": {"mimeType": media_type, "data": data}})
        }
        Source::Url(url) => match media_type_of(url) {
            Some(media_type) => json!({"fileData": {"mimeType": media_type, "fileUri": url}}),
            None => json!({"fileData": {"fileUri": url}}),
        },
    }
}

/// The media type that a URL's ending stands for.
fn media_type_of(url: &str) -> Option<&'static str> {
    let path = url.split(['?', '#']).next().unwrap_or_default();
    let (_, ending) = path.rsplit_once('.')?;
    Some(match ending.to_ascii_lowercase().as_str() {
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "webp" => "image/webp",
        "gif" => "image/gif",
        "heic" => "image/heic",
        "heif" => "image/heif",
        "pdf" => "application/pdf",
        "txt" => "text/plain",
        _ => return None,
    })
}

fn encode_tool(tool: &Tool) -> Value {
    let mut function = json!({"name": tool.name});
    if let Some(description) = &tool.description {
        function["description"] = json!(description);
    }
    if has_fields(&tool.schema) {
        let mut schema = cleaned(&tool.schema);
        // The API wants to be told what elsewhere goes without saying.
        if let Some(fields) = schema.as_object_mut().filter(|fields| !fields.contains_key("$ref")) {
            fields.entry("type").or_insert_with(|| json!("object"));
        }
        function["parametersJsonSchema"] = schema;
    }
    function
}

fn encode_tool_choice(choice: &ToolChoice) -> Value {
    let config = match choice {
        ToolChoice::Auto => json!({"mode": "AUTO"}),
        ToolChoice::None => json!({"mode": "NONE"}),
        ToolChoice::Required => json!({"mode": "ANY"}),
        ToolChoice::Named(name) => json!({"mode": "ANY", "allowedFunctionNames": [name]}),
    };
    json!({"functionCallingConfig": config})
}
