//! An `OpenAI` chat request: read, checked as strictly as the vendor checks it, and reduced to a prompt.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use crate::prompt::{Content, Format, Last, Prompt, Tool, ToolChoice, words};

/// The fields the simulator reads; all others are accepted unread, as compatible servers do.
///
/// Source: `ChatCompletionCreateParams` of the official client.
#[derive(Debug, Deserialize)]
pub(crate) struct ChatRequest<'a> {
    model: Option<String>,
    #[serde(borrow)]
    messages: Option<Vec<Message<'a>>>,
    stream: Option<bool>,
    stream_options: Option<StreamOptions>,
    max_tokens: Option<u64>,
    max_completion_tokens: Option<u64>,
    #[serde(borrow)]
    tools: Option<Vec<ToolDefinition<'a>>>,
    #[serde(borrow)]
    tool_choice: Option<&'a RawValue>,
    #[serde(borrow)]
    response_format: Option<ResponseFormat<'a>>,
    #[serde(borrow)]
    stop: Option<Content<'a, Cow<'a, str>>>,
    /// Anthropic's field: a translation that leaks it is caught here.
    system: Option<IgnoredAny>,
    /// Anthropic's field.
    stop_sequences: Option<IgnoredAny>,
}

#[derive(Debug, Default, Deserialize)]
struct StreamOptions {
    include_usage: Option<bool>,
}

#[derive(Debug, Deserialize)]
struct Message<'a> {
    #[serde(borrow)]
    role: Cow<'a, str>,
    #[serde(borrow)]
    content: Option<Content<'a, Part<'a>>>,
    tool_calls: Option<Vec<CallInHistory>>,
    tool_call_id: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Part<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    text: Option<String>,
    image_url: Option<ImageUrl>,
}

#[derive(Debug, Deserialize)]
struct ImageUrl {
    url: String,
}

#[derive(Debug, Deserialize)]
struct CallInHistory {
    id: String,
    function: Option<FunctionInHistory>,
}

#[derive(Debug, Deserialize)]
struct FunctionInHistory {
    arguments: String,
}

#[derive(Debug, Deserialize)]
struct ToolDefinition<'a> {
    #[serde(rename = "type")]
    kind: String,
    #[serde(borrow)]
    function: Option<FunctionDefinition<'a>>,
}

#[derive(Debug, Deserialize)]
struct FunctionDefinition<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow)]
    parameters: Option<&'a RawValue>,
}

#[derive(Debug, Deserialize)]
struct ResponseFormat<'a> {
    #[serde(rename = "type")]
    kind: String,
    #[serde(borrow)]
    json_schema: Option<JsonSchema<'a>>,
}

#[derive(Debug, Deserialize)]
struct JsonSchema<'a> {
    #[serde(borrow)]
    schema: Option<&'a RawValue>,
}

#[derive(Debug, Deserialize)]
struct ForcedTool {
    function: ForcedFunction,
}

#[derive(Debug, Deserialize)]
struct ForcedFunction {
    name: String,
}

/// A request that passed the checks.
#[derive(Debug)]
pub(crate) struct Checked<'a> {
    pub model: String,
    pub stream: bool,
    pub include_usage: bool,
    pub prompt: Prompt<'a>,
}

/// Why the vendor would refuse the request: message and the parameter at fault.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    pub message: String,
    pub param: Option<&'static str>,
}

pub(crate) fn refused(message: impl Into<String>, param: &'static str) -> Refused {
    Refused { message: message.into(), param: Some(param) }
}

/// Reads and checks a request body.
pub(crate) fn check(body: &[u8]) -> Result<Checked<'_>, Refused> {
    let request: ChatRequest<'_> = serde_json::from_slice(body).map_err(|error| Refused {
        message: format!("We could not parse the JSON body of your request: {error}."),
        param: None,
    })?;
    let leaked = [("system", &request.system), ("stop_sequences", &request.stop_sequences)];
    if let Some((name, _)) = leaked.into_iter().find(|(_, field)| field.is_some()) {
        return Err(refused(format!("Unrecognized request argument supplied: {name}"), name));
    }
    let model = request.model.filter(|model| !model.is_empty());
    let model = model.ok_or_else(|| refused("you must provide a model parameter", "model"))?;
    let messages = request.messages.filter(|messages| !messages.is_empty());
    let messages = messages.ok_or_else(|| {
        refused("Invalid 'messages': empty array. Expected at least one message.", "messages")
    })?;
    if request.max_tokens == Some(0) || request.max_completion_tokens == Some(0) {
        return Err(refused("Invalid 'max_tokens': expected a value >= 1.", "max_tokens"));
    }
    if request.stream_options.is_some() && request.stream != Some(true) {
        return Err(refused(
            "The 'stream_options' parameter is only allowed when 'stream' is enabled.",
            "stream_options",
        ));
    }

    let mut prompt = prompt_of(messages)?;
    prompt.tools = request.tools.unwrap_or_default().into_iter().map(tool).collect::<Result<_, _>>()?;
    prompt.choice = choice(request.tool_choice, &prompt.tools)?;
    prompt.format = format(request.response_format)?;
    prompt.max_tokens = request.max_completion_tokens.or(request.max_tokens);
    prompt.stops = match request.stop {
        Some(Content::Text(stop)) => vec![stop],
        Some(Content::Parts(stops)) if stops.len() <= 4 => stops,
        Some(Content::Parts(_)) => {
            return Err(refused("Invalid 'stop': array too long. Expected at most 4 strings.", "stop"));
        }
        None => Vec::new(),
    };
    Ok(Checked {
        model,
        stream: request.stream.unwrap_or(false),
        include_usage: request.stream_options.and_then(|options| options.include_usage).unwrap_or(false),
        prompt,
    })
}

/// Counts the messages and checks their roles, parts and the pairing of tool calls with tool results.
fn prompt_of(messages: Vec<Message<'_>>) -> Result<Prompt<'_>, Refused> {
    let mut prompt = Prompt::default();
    let mut unanswered: Vec<String> = Vec::new();
    for (index, message) in messages.into_iter().enumerate() {
        let text = read_content(index, message.content, &mut prompt)?;
        if message.role == "tool" {
            let id = message.tool_call_id.unwrap_or_default();
            let position = unanswered.iter().position(|call| *call == id).ok_or_else(|| {
                refused(
                    "Invalid parameter: messages with role 'tool' must be a response to a preceeding message \
                     with 'tool_calls'.",
                    "messages",
                )
            })?;
            unanswered.remove(position);
            prompt.last = match prompt.last {
                Last::ToolResult(earlier) => Last::ToolResult(format!("{earlier} {text}")),
                _ => Last::ToolResult(text),
            };
            continue;
        }
        all_answered(&unanswered)?;
        prompt.last = match message.role.as_ref() {
            "user" => Last::User(text),
            "system" | "developer" | "assistant" | "function" => Last::Nothing,
            other => {
                return Err(refused(
                    format!(
                        "Invalid value: '{other}'. Supported values are: 'system', 'assistant', 'user', \
                         'function', 'tool', and 'developer'."
                    ),
                    "messages",
                ));
            }
        };
        for call in message.tool_calls.unwrap_or_default() {
            let arguments = call.function.map(|function| function.arguments).unwrap_or_default();
            if serde_json::from_str::<IgnoredAny>(&arguments).is_err() {
                return Err(refused("Invalid 'messages': tool call arguments must be JSON.", "messages"));
            }
            prompt.tool_calls += 1;
            unanswered.push(call.id);
        }
    }
    all_answered(&unanswered)?;
    Ok(prompt)
}

fn all_answered(unanswered: &[String]) -> Result<(), Refused> {
    if unanswered.is_empty() {
        return Ok(());
    }
    Err(refused(
        format!(
            "An assistant message with 'tool_calls' must be followed by tool messages responding to each \
             'tool_call_id'. The following tool_call_ids did not have response messages: {}",
            unanswered.join(", ")
        ),
        "messages",
    ))
}

/// The text of a message; its words and images are added to the prompt.
fn read_content<'a>(
    index: usize,
    content: Option<Content<'a, Part<'a>>>,
    prompt: &mut Prompt<'a>,
) -> Result<String, Refused> {
    let parts = match content {
        Some(Content::Text(text)) => {
            prompt.words += words(&text);
            return Ok(text.into_owned());
        }
        Some(Content::Parts(parts)) => parts,
        None => return Ok(String::new()),
    };
    let mut texts: Vec<String> = Vec::new();
    for part in parts {
        match (part.kind.as_ref(), part.text, part.image_url) {
            ("text" | "refusal", Some(text), _) => {
                prompt.words += words(&text);
                texts.push(text);
            }
            ("image_url", _, Some(image)) => {
                if !["data:image/", "https://", "http://"].iter().any(|start| image.url.starts_with(start)) {
                    return Err(refused("Invalid MIME type. Only image types are supported.", "messages"));
                }
                prompt.images += 1;
            }
            (kind, _, _) => {
                return Err(refused(
                    format!(
                        "Invalid 'messages[{index}].content': a part of type '{kind}' is not understood."
                    ),
                    "messages",
                ));
            }
        }
    }
    Ok(texts.join("\n"))
}

fn tool(definition: ToolDefinition<'_>) -> Result<Tool<'_>, Refused> {
    match definition.function {
        Some(function) if definition.kind == "function" && !function.name.is_empty() => {
            Ok(Tool { name: function.name, schema: function.parameters })
        }
        _ => Err(refused("Invalid 'tools': only named functions are supported.", "tools")),
    }
}

fn choice<'a>(raw: Option<&'a RawValue>, tools: &[Tool<'_>]) -> Result<ToolChoice<'a>, Refused> {
    let Some(raw) = raw else { return Ok(ToolChoice::Auto) };
    if tools.is_empty() {
        return Err(refused(
            "Invalid value for 'tool_choice': 'tool_choice' is only allowed when 'tools' are specified.",
            "tool_choice",
        ));
    }
    let choice = match raw.get() {
        "\"auto\"" => ToolChoice::Auto,
        "\"none\"" => ToolChoice::None,
        "\"required\"" => ToolChoice::Any,
        other => {
            let forced: ForcedTool = serde_json::from_str(other)
                .map_err(|_| refused("Invalid value for 'tool_choice'.", "tool_choice"))?;
            if !tools.iter().any(|tool| tool.name == forced.function.name) {
                return Err(refused("Tool choice names a function that is not in 'tools'.", "tool_choice"));
            }
            ToolChoice::Named(Cow::Owned(forced.function.name))
        }
    };
    Ok(choice)
}

fn format(wanted: Option<ResponseFormat<'_>>) -> Result<Format<'_>, Refused> {
    let Some(wanted) = wanted else { return Ok(Format::Text) };
    match (wanted.kind.as_str(), wanted.json_schema.and_then(|json| json.schema)) {
        ("text", _) => Ok(Format::Text),
        ("json_object", _) => Ok(Format::JsonObject),
        ("json_schema", Some(schema)) => Ok(Format::JsonSchema(schema)),
        _ => Err(refused("Invalid value for 'response_format'.", "response_format")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(body: &str) -> String {
        check(body.as_bytes()).unwrap_err().message
    }

    #[test]
    fn every_text_counts_by_word_and_everything_else_flat() {
        let body = r#"{"model":"m","messages":[
            {"role":"system","content":"be very brief"},
            {"role":"user","content":[{"type":"text","text":"what is this"},
                {"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}}]},
            {"role":"assistant","content":null,"tool_calls":[
                {"id":"c1","type":"function","function":{"name":"look","arguments":"{}"}}]},
            {"role":"tool","tool_call_id":"c1","content":"a red square"}],
            "tools":[{"type":"function","function":{"name":"look"}}]}"#;
        let checked = check(body.as_bytes()).unwrap();
        assert_eq!(checked.prompt.input_tokens(), 3 + 3 + 85 + 10 + 3 + 10);
        assert_eq!(checked.prompt.last, Last::ToolResult("a red square".to_owned()));
    }

    #[test]
    fn unpaired_tool_messages_are_refused() {
        assert!(
            refusal(r#"{"model":"m","messages":[{"role":"tool","tool_call_id":"x","content":"y"}]}"#)
                .contains("must be a response")
        );
        assert!(
            refusal(
                r#"{"model":"m","messages":[{"role":"assistant","tool_calls":[{"id":"c1","type":"function",
                "function":{"name":"f","arguments":"{}"}}]},{"role":"user","content":"hi"}]}"#
            )
            .contains("did not have response messages: c1")
        );
    }

    #[test]
    fn fields_of_the_other_wire_are_refused() {
        assert!(
            refusal(r#"{"model":"m","system":"x","messages":[{"role":"user","content":"hi"}]}"#)
                .contains("Unrecognized request argument supplied: system")
        );
    }

    #[test]
    fn escaped_text_is_read_as_well_as_plain_text() {
        let checked =
            check(br#"{"model":"m","messages":[{"role":"user","content":"caf\u00e9 \"x\"\nnew"}]}"#).unwrap();
        assert_eq!(checked.prompt.last, Last::User("café \"x\"\nnew".to_owned()));
    }
}
