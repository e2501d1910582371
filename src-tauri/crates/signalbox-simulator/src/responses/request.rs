//! A request for a response: read, checked as strictly as the vendor checks it, and reduced to a prompt.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use crate::openai::request::{Checked, Refused, refused};
use crate::prompt::{Content, Format, Last, Prompt, Tool, ToolChoice, words};

/// Fewest tokens an answer may be limited to.
///
/// Source: the vendor's own refusal, "integer below minimum value".
const OUTPUT_TOKENS_MIN: u64 = 16;

/// The fields the simulator reads; all others are accepted unread.
///
/// Source: `ResponseCreateParams` of the official client.
#[derive(Debug, Deserialize)]
struct ResponseRequest<'a> {
    model: Option<String>,
    #[serde(borrow)]
    input: Option<Content<'a, Item<'a>>>,
    #[serde(borrow)]
    instructions: Option<Cow<'a, str>>,
    stream: Option<bool>,
    #[serde(borrow)]
    stream_options: Option<&'a RawValue>,
    max_output_tokens: Option<u64>,
    #[serde(borrow)]
    tools: Option<Vec<ToolDefinition<'a>>>,
    #[serde(borrow)]
    tool_choice: Option<&'a RawValue>,
    #[serde(borrow)]
    text: Option<Text<'a>>,
    previous_response_id: Option<String>,
    // Fields of the chat wire that are called otherwise here: a translation that leaks one is caught.
    messages: Option<IgnoredAny>,
    max_tokens: Option<IgnoredAny>,
    max_completion_tokens: Option<IgnoredAny>,
    response_format: Option<IgnoredAny>,
    reasoning_effort: Option<IgnoredAny>,
    stop: Option<IgnoredAny>,
    system: Option<IgnoredAny>,
    functions: Option<IgnoredAny>,
}

#[derive(Debug, Deserialize)]
struct Item<'a> {
    #[serde(rename = "type", borrow)]
    kind: Option<Cow<'a, str>>,
    #[serde(borrow)]
    role: Option<Cow<'a, str>>,
    #[serde(borrow)]
    content: Option<Content<'a, Part<'a>>>,
    #[serde(borrow)]
    output: Option<Content<'a, Part<'a>>>,
    id: Option<String>,
    call_id: Option<String>,
    name: Option<String>,
    arguments: Option<String>,
    encrypted_content: Option<IgnoredAny>,
}

#[derive(Debug, Deserialize)]
struct Part<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    text: Option<String>,
    refusal: Option<String>,
    image_url: Option<String>,
    file_data: Option<IgnoredAny>,
    file_url: Option<IgnoredAny>,
}

#[derive(Debug, Deserialize)]
struct ToolDefinition<'a> {
    #[serde(rename = "type")]
    kind: String,
    #[serde(borrow)]
    name: Option<Cow<'a, str>>,
    #[serde(borrow)]
    parameters: Option<&'a RawValue>,
}

#[derive(Debug, Deserialize)]
struct Text<'a> {
    #[serde(borrow)]
    format: Option<TextFormat<'a>>,
}

#[derive(Debug, Deserialize)]
struct TextFormat<'a> {
    #[serde(rename = "type")]
    kind: String,
    name: Option<String>,
    #[serde(borrow)]
    schema: Option<&'a RawValue>,
}

#[derive(Debug, Deserialize)]
struct ForcedTool {
    #[serde(rename = "type")]
    kind: String,
    name: Option<String>,
}

/// Reads and checks a request body. Tools of the vendor's own are accepted; only the web search is played.
pub(crate) fn check(body: &[u8]) -> Result<Checked<'_>, Refused> {
    let request: ResponseRequest<'_> = serde_json::from_slice(body).map_err(|error| Refused {
        message: format!("We could not parse the JSON body of your request: {error}."),
        param: None,
    })?;
    request.refuse_moved()?;
    let model = request.model.filter(|model| !model.is_empty());
    let model = model.ok_or_else(|| refused("Missing required parameter: 'model'.", "model"))?;
    if let Some(id) = request.previous_response_id {
        return Err(refused(format!("Previous response with id '{id}' not found."), "previous_response_id"));
    }
    if let Some(limit) = request.max_output_tokens.filter(|limit| *limit < OUTPUT_TOKENS_MIN) {
        return Err(refused(
            format!(
                "Invalid 'max_output_tokens': integer below minimum value. Expected a value >= \
                 {OUTPUT_TOKENS_MIN}, but got {limit} instead."
            ),
            "max_output_tokens",
        ));
    }
    let stream = request.stream.unwrap_or(false);
    check_stream_options(request.stream_options, stream)?;
    let mut prompt = prompt_of(request.input)?;
    prompt.words += request.instructions.as_deref().map_or(0, words);
    let definitions = request.tools.unwrap_or_default();
    let searches = definitions.iter().any(|tool| tool.kind.starts_with("web_search"));
    let functions = definitions.into_iter().filter(|tool| tool.kind == "function").map(tool);
    prompt.tools = functions.collect::<Result<_, _>>()?;
    prompt.choice = choice(request.tool_choice, &prompt.tools, searches)?;
    prompt.format = format(request.text)?;
    prompt.max_tokens = request.max_output_tokens;
    prompt.searches = searches;
    Ok(Checked { model, stream, include_usage: true, prompt })
}

impl ResponseRequest<'_> {
    fn refuse_moved(&self) -> Result<(), Refused> {
        let moved = [
            ("messages", &self.messages, "'input'"),
            ("max_tokens", &self.max_tokens, "'max_output_tokens'"),
            ("max_completion_tokens", &self.max_completion_tokens, "'max_output_tokens'"),
            ("response_format", &self.response_format, "'text.format'"),
            ("reasoning_effort", &self.reasoning_effort, "'reasoning.effort'"),
            ("stop", &self.stop, "nothing"),
            ("system", &self.system, "'instructions'"),
            ("functions", &self.functions, "'tools'"),
        ];
        match moved.into_iter().find(|(_, field, _)| field.is_some()) {
            Some((name, _, place)) => Err(refused(
                format!(
                    "Unsupported parameter: '{name}'. In the Responses API, this parameter has moved to {place}."
                ),
                name,
            )),
            None => Ok(()),
        }
    }
}

fn check_stream_options(options: Option<&RawValue>, stream: bool) -> Result<(), Refused> {
    let Some(options) = options.filter(|options| options.get() != "null") else { return Ok(()) };
    if !stream {
        return Err(refused(
            "The 'stream_options' parameter is only allowed when 'stream' is enabled.",
            "stream_options",
        ));
    }
    if options.get().contains("include_usage") {
        return Err(refused("Unknown parameter: 'stream_options.include_usage'.", "stream_options"));
    }
    Ok(())
}

/// Counts the items and checks their roles, parts and the pairing of calls with their outputs.
fn prompt_of<'a>(input: Option<Content<'a, Item<'a>>>) -> Result<Prompt<'a>, Refused> {
    let mut prompt = Prompt::default();
    let items = match input {
        Some(Content::Text(text)) => {
            prompt.words += words(&text);
            prompt.last = Last::User(text.into_owned());
            return Ok(prompt);
        }
        Some(Content::Parts(items)) if !items.is_empty() => items,
        _ => return Err(refused("Missing required parameter: 'input'.", "input")),
    };
    let mut unanswered: Vec<String> = Vec::new();
    for (index, item) in items.into_iter().enumerate() {
        match item.kind.as_deref().unwrap_or("message") {
            "message" => prompt.last = message(index, item, &mut prompt)?,
            "function_call" => unanswered.push(call(index, item, &mut prompt)?),
            "function_call_output" => {
                let id = item.call_id.unwrap_or_default();
                let position = unanswered.iter().position(|call| *call == id).ok_or_else(|| {
                    refused(
                        format!("No tool call found for function call output with call_id {id}."),
                        "input",
                    )
                })?;
                unanswered.remove(position);
                let text = read_content(index, item.output, &["input_text"], &mut prompt)?;
                prompt.last = match std::mem::take(&mut prompt.last) {
                    Last::ToolResult(earlier) => Last::ToolResult(format!("{earlier} {text}")),
                    _ => Last::ToolResult(text),
                };
            }
            "reasoning" => {
                let id = item.id.unwrap_or_default();
                if item.encrypted_content.is_none() && !id.starts_with("rs_sim_") {
                    return Err(refused(format!("Item with id '{id}' not found."), "input"));
                }
            }
            "web_search_call" => {}
            other => {
                return Err(refused(
                    format!("Invalid value: '{other}'. The simulator keeps no items of that type."),
                    "input",
                ));
            }
        }
    }
    match unanswered.first() {
        Some(id) => Err(refused(format!("No tool output found for function call {id}."), "input")),
        None => Ok(prompt),
    }
}

fn message<'a>(index: usize, item: Item<'a>, prompt: &mut Prompt<'a>) -> Result<Last, Refused> {
    let role = item.role.unwrap_or_default();
    let kinds: &[&str] = if role == "assistant" { &["output_text", "refusal"] } else { &["input_text"] };
    let text = read_content(index, item.content, kinds, prompt)?;
    match role.as_ref() {
        "user" => Ok(Last::User(text)),
        "system" | "developer" | "assistant" => Ok(Last::Nothing),
        other => Err(refused(
            format!(
                "Invalid value: '{other}'. Supported values are: 'assistant', 'system', 'developer', and 'user'."
            ),
            "input",
        )),
    }
}

/// The id of a call in the history.
fn call(index: usize, item: Item<'_>, prompt: &mut Prompt<'_>) -> Result<String, Refused> {
    let named = item.name.is_some_and(|name| !name.is_empty());
    let (Some(id), Some(arguments), true) = (item.call_id, item.arguments, named) else {
        return Err(refused(
            format!(
                "Missing required parameter: a function call needs 'input[{index}].call_id', name and arguments."
            ),
            "input",
        ));
    };
    if serde_json::from_str::<IgnoredAny>(&arguments).is_err() {
        return Err(refused("Invalid 'input': the arguments of a function call must be JSON.", "input"));
    }
    prompt.tool_calls += 1;
    Ok(id)
}

/// The text of an item; its words and images are added to the prompt. `kinds` are the types its texts may have.
fn read_content<'a>(
    index: usize,
    content: Option<Content<'a, Part<'a>>>,
    kinds: &[&str],
    prompt: &mut Prompt<'a>,
) -> Result<String, Refused> {
    let parts = match content {
        Some(Content::Text(text)) => {
            prompt.words += words(&text);
            return Ok(text.into_owned());
        }
        Some(Content::Parts(parts)) => parts,
        None => {
            return Err(refused(format!("Missing required parameter: 'input[{index}].content'."), "input"));
        }
    };
    let mut texts: Vec<String> = Vec::new();
    for part in parts {
        let is_file = part.file_data.is_some() || part.file_url.is_some();
        match (part.kind.as_ref(), part.text.or(part.refusal), part.image_url) {
            (kind, Some(text), _) if kinds.contains(&kind) => {
                prompt.words += words(&text);
                texts.push(text);
            }
            ("input_image", _, Some(url)) if kinds.contains(&"input_text") => {
                if !["data:image/", "https://", "http://"].iter().any(|start| url.starts_with(start)) {
                    return Err(refused("Invalid 'image_url': a URL or a data URL is expected.", "input"));
                }
                prompt.images += 1;
            }
            ("input_file", ..) if is_file && kinds.contains(&"input_text") => {}
            (kind, ..) => {
                return Err(refused(
                    format!(
                        "Invalid value: '{kind}'. Supported values of 'input[{index}].content' are: {}.",
                        kinds.join(", ")
                    ),
                    "input",
                ));
            }
        }
    }
    Ok(texts.join("\n"))
}

fn tool(definition: ToolDefinition<'_>) -> Result<Tool<'_>, Refused> {
    match definition.name.filter(|name| !name.is_empty()) {
        Some(name) => Ok(Tool { name, schema: definition.parameters }),
        None => Err(refused("Missing required parameter: 'tools[0].name'.", "tools")),
    }
}

fn choice<'a>(
    raw: Option<&'a RawValue>,
    tools: &[Tool<'_>],
    searches: bool,
) -> Result<ToolChoice<'a>, Refused> {
    let choice = match raw.map(RawValue::get) {
        None | Some("null" | "\"auto\"") => return Ok(ToolChoice::Auto),
        Some("\"none\"") => return Ok(ToolChoice::None),
        Some("\"required\"") => ToolChoice::Any,
        Some(other) => {
            let forced: ForcedTool = serde_json::from_str(other)
                .map_err(|_| refused("Invalid value for 'tool_choice'.", "tool_choice"))?;
            match (forced.kind.as_str(), forced.name) {
                ("function", Some(name)) if tools.iter().any(|tool| tool.name == name) => {
                    ToolChoice::Named(Cow::Owned(name))
                }
                ("function", _) => {
                    return Err(refused(
                        "Tool choice 'function' not found in 'tools' parameter.",
                        "tool_choice",
                    ));
                }
                _ => ToolChoice::Auto,
            }
        }
    };
    if tools.is_empty() && !searches {
        return Err(refused(
            "Tool choice 'required' must be specified with 'tools' parameter.",
            "tool_choice",
        ));
    }
    Ok(choice)
}

fn format(text: Option<Text<'_>>) -> Result<Format<'_>, Refused> {
    let Some(wanted) = text.and_then(|text| text.format) else { return Ok(Format::Text) };
    match (wanted.kind.as_str(), wanted.name, wanted.schema) {
        ("text", ..) => Ok(Format::Text),
        ("json_object", ..) => Ok(Format::JsonObject),
        ("json_schema", Some(_), Some(schema)) => Ok(Format::JsonSchema(schema)),
        ("json_schema", ..) => Err(refused("Missing required parameter: 'text.format.name'.", "text")),
        _ => Err(refused("Invalid value for 'text.format.type'.", "text")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(body: &str) -> String {
        check(body.as_bytes()).unwrap_err().message
    }

    #[test]
    fn a_conversation_counts_what_the_chat_wire_counts() {
        let body = r#"{"model":"m","instructions":"be very brief","input":[
            {"role":"user","content":[{"type":"input_text","text":"what is this"},
                {"type":"input_image","image_url":"data:image/png;base64,AAAA","detail":"auto"}]},
            {"type":"function_call","call_id":"c1","name":"look","arguments":"{}"},
            {"type":"function_call_output","call_id":"c1","output":"a red square"}],
            "tools":[{"type":"function","name":"look","parameters":{},"strict":false}]}"#;
        let checked = check(body.as_bytes()).unwrap();
        assert_eq!(checked.prompt.input_tokens(), 3 + 3 + 85 + 10 + 3 + 10);
        assert_eq!(checked.prompt.last, Last::ToolResult("a red square".to_owned()));
    }

    #[test]
    fn fields_of_the_chat_wire_are_refused() {
        assert!(refusal(r#"{"model":"m","messages":[]}"#).contains("has moved to 'input'"));
        assert!(refusal(r#"{"model":"m","input":"x","max_tokens":20}"#).contains("'max_output_tokens'"));
        assert!(
            refusal(r#"{"model":"m","input":"x","stream":true,"stream_options":{"include_usage":true}}"#)
                .contains("Unknown parameter")
        );
        let nested = r#"{"model":"m","input":"x","tools":[{"type":"function","function":{"name":"f"}}]}"#;
        assert!(refusal(nested).contains("tools[0].name"));
    }

    #[test]
    fn what_the_vendor_would_refuse_is_refused() {
        for (body, words) in [
            (r#"{"model":"m"}"#, "'input'"),
            (r#"{"input":"x"}"#, "'model'"),
            (r#"{"model":"m","input":"x","max_output_tokens":3}"#, "below minimum"),
            (r#"{"model":"m","input":"x","previous_response_id":"resp_1"}"#, "not found"),
            (
                r#"{"model":"m","input":[{"role":"user","content":[{"type":"output_text","text":"x"}]}]}"#,
                "'output_text'",
            ),
            (
                r#"{"model":"m","input":[{"role":"assistant","content":[{"type":"input_text","text":"x"}]}]}"#,
                "'input_text'",
            ),
            (
                r#"{"model":"m","input":[{"type":"function_call_output","call_id":"c","output":"x"}]}"#,
                "No tool call found",
            ),
            (
                r#"{"model":"m","input":[{"type":"function_call","call_id":"c","name":"f","arguments":"{}"}]}"#,
                "No tool output found",
            ),
            (r#"{"model":"m","input":[{"type":"reasoning","id":"rs_foreign_1","summary":[]}]}"#, "not found"),
            (r#"{"model":"m","input":"x","tool_choice":"required"}"#, "Tool choice"),
            (
                r#"{"model":"m","input":"x","text":{"format":{"type":"json_schema","schema":{}}}}"#,
                "text.format.name",
            ),
        ] {
            assert!(refusal(body).contains(words), "{body}: {}", refusal(body));
        }
    }
}
