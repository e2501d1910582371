//! An Anthropic messages request: read, checked as strictly as the vendor checks it, and reduced to a prompt.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use crate::prompt::{Content, Format, Last, Prompt, Tool, ToolChoice, words};

/// The fields the simulator reads; unknown ones are accepted, `OpenAI`'s are not.
///
/// Source: `MessageCreateParams` of the official client.
#[derive(Debug, Deserialize)]
pub(crate) struct MessagesRequest<'a> {
    model: Option<String>,
    #[serde(borrow)]
    messages: Option<Vec<Message<'a>>>,
    max_tokens: Option<u64>,
    #[serde(borrow)]
    system: Option<Content<'a, Block<'a>>>,
    stream: Option<bool>,
    #[serde(borrow)]
    tools: Option<Vec<ToolDefinition<'a>>>,
    tool_choice: Option<Choice>,
    stop_sequences: Option<Vec<String>>,
    #[serde(borrow)]
    output_config: Option<OutputConfig<'a>>,
    // OpenAI's fields: a translation that leaks one is caught here.
    stream_options: Option<IgnoredAny>,
    max_completion_tokens: Option<IgnoredAny>,
    response_format: Option<IgnoredAny>,
    stop: Option<IgnoredAny>,
    n: Option<IgnoredAny>,
    seed: Option<IgnoredAny>,
    user: Option<IgnoredAny>,
    frequency_penalty: Option<IgnoredAny>,
    presence_penalty: Option<IgnoredAny>,
    logprobs: Option<IgnoredAny>,
    parallel_tool_calls: Option<IgnoredAny>,
    reasoning_effort: Option<IgnoredAny>,
}

#[derive(Debug, Deserialize)]
struct Message<'a> {
    #[serde(borrow)]
    role: Cow<'a, str>,
    #[serde(borrow)]
    content: Option<Content<'a, Block<'a>>>,
}

#[derive(Debug, Deserialize)]
struct Block<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    text: Option<String>,
    id: Option<String>,
    input: Option<IgnoredAny>,
    source: Option<Source>,
    tool_use_id: Option<String>,
    #[serde(borrow)]
    content: Option<Content<'a, Block<'a>>>,
}

#[derive(Debug, Deserialize)]
struct Source {
    #[serde(rename = "type")]
    kind: String,
    media_type: Option<String>,
    data: Option<String>,
}

#[derive(Debug, Deserialize)]
struct ToolDefinition<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow)]
    input_schema: Option<&'a RawValue>,
    #[serde(rename = "type")]
    kind: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Choice {
    #[serde(rename = "type")]
    kind: String,
    name: Option<String>,
}

#[derive(Debug, Deserialize)]
struct OutputConfig<'a> {
    #[serde(borrow)]
    format: Option<OutputFormat<'a>>,
}

#[derive(Debug, Deserialize)]
struct OutputFormat<'a> {
    #[serde(borrow)]
    schema: Option<&'a RawValue>,
}

/// A request that passed the checks.
#[derive(Debug)]
pub(crate) struct Checked<'a> {
    pub model: String,
    pub stream: bool,
    pub prompt: Prompt<'a>,
}

/// Reads and checks the body of a messages request (`limited`: it must say `max_tokens`) or of a token count.
///
/// Errors: the vendor's message.
pub(crate) fn check(body: &[u8], limited: bool) -> Result<Checked<'_>, String> {
    let request: MessagesRequest<'_> = serde_json::from_slice(body).map_err(|error| {
        format!("The request body is not valid JSON or has a field of the wrong type: {error}")
    })?;
    if let Some(name) = request.leaked() {
        return Err(format!("{name}: Extra inputs are not permitted"));
    }
    let model = request.model.filter(|model| !model.is_empty()).ok_or("model: Field required")?;
    let messages = request.messages.ok_or("messages: Field required")?;
    if messages.is_empty() {
        return Err("messages: at least one message is required".to_owned());
    }
    match request.max_tokens {
        None if limited => return Err("max_tokens: Field required".to_owned()),
        Some(0) => return Err("max_tokens: Input should be greater than or equal to 1".to_owned()),
        _ => {}
    }

    let mut prompt = Prompt::default();
    if let Some(system) = request.system {
        read_text(system, "system", &mut prompt)?;
    }
    read_messages(messages, &mut prompt)?;
    prompt.tools = request.tools.unwrap_or_default().into_iter().map(tool).collect::<Result<_, _>>()?;
    prompt.choice = choice(request.tool_choice, &prompt.tools)?;
    prompt.max_tokens = request.max_tokens;
    prompt.stops = request.stop_sequences.unwrap_or_default().into_iter().map(Cow::Owned).collect();
    if let Some(schema) =
        request.output_config.and_then(|config| config.format).and_then(|format| format.schema)
    {
        prompt.format = Format::JsonSchema(schema);
    }
    Ok(Checked { model, stream: request.stream.unwrap_or(false), prompt })
}

impl MessagesRequest<'_> {
    /// The name of a field that only the other wire has.
    fn leaked(&self) -> Option<&'static str> {
        [
            ("stream_options", &self.stream_options),
            ("max_completion_tokens", &self.max_completion_tokens),
            ("response_format", &self.response_format),
            ("stop", &self.stop),
            ("n", &self.n),
            ("seed", &self.seed),
            ("user", &self.user),
            ("frequency_penalty", &self.frequency_penalty),
            ("presence_penalty", &self.presence_penalty),
            ("logprobs", &self.logprobs),
            ("parallel_tool_calls", &self.parallel_tool_calls),
            ("reasoning_effort", &self.reasoning_effort),
        ]
        .into_iter()
        .find_map(|(name, field)| field.is_some().then_some(name))
    }
}

/// What one message holds, apart from its text and images.
#[derive(Default)]
struct Blocks {
    texts: Vec<String>,
    tool_uses: Vec<String>,
    tool_results: Vec<(String, String)>,
}

/// Counts the messages and checks their roles and the pairing of tool uses with tool results.
fn read_messages<'a>(messages: Vec<Message<'a>>, prompt: &mut Prompt<'a>) -> Result<(), String> {
    let count = messages.len();
    let mut unanswered: Vec<String> = Vec::new();
    let mut spoken = false;
    for (index, message) in messages.into_iter().enumerate() {
        let user = match message.role.as_ref() {
            "user" => true,
            "assistant" | "system" if spoken => false,
            "assistant" => return Err("messages: first message must use the \"user\" role".to_owned()),
            other => {
                return Err(format!(
                    "messages: Unexpected role \"{other}\". The Messages API accepts a top-level `system` \
                     parameter, not \"{other}\" as an input message role."
                ));
            }
        };
        spoken = true;
        let content = message.content.ok_or_else(|| format!("messages.{index}.content: Field required"))?;
        let blocks = read_blocks(content, index, prompt)?;
        let last = index + 1 == count;
        if blocks.is_empty() && (user || !last) {
            return Err(format!(
                "messages.{index}: all messages must have non-empty content except for the optional final \
                 assistant message"
            ));
        }
        pair(&mut unanswered, &blocks, user, index)?;
        prompt.tool_calls += blocks.tool_uses.len() as u64;
        unanswered = blocks.tool_uses;
        prompt.last = if !user {
            Last::Nothing
        } else if blocks.texts.is_empty() && !blocks.tool_results.is_empty() {
            let results: Vec<String> = blocks.tool_results.into_iter().map(|(_, text)| text).collect();
            Last::ToolResult(results.join(" "))
        } else {
            Last::User(blocks.texts.join("\n"))
        };
    }
    if let Some(id) = unanswered.first() {
        return Err(missing_result(id));
    }
    Ok(())
}

impl Blocks {
    fn is_empty(&self) -> bool {
        self.texts.is_empty() && self.tool_uses.is_empty() && self.tool_results.is_empty()
    }
}

/// Every tool use of the message before must be answered here, and nothing else may be.
fn pair(unanswered: &mut Vec<String>, blocks: &Blocks, user: bool, index: usize) -> Result<(), String> {
    for (id, _) in &blocks.tool_results {
        let position = unanswered.iter().position(|call| call == id).filter(|_| user);
        let position = position.ok_or_else(|| {
            format!(
                "messages.{index}: unexpected `tool_use_id` found in `tool_result` blocks: {id}. Each `tool_result` \
                 block must have a corresponding `tool_use` block in the previous message."
            )
        })?;
        unanswered.remove(position);
    }
    match unanswered.first() {
        Some(id) => Err(missing_result(id)),
        None => Ok(()),
    }
}

fn missing_result(id: &str) -> String {
    format!(
        "messages: `tool_use` ids were found without `tool_result` blocks immediately after: {id}. Each `tool_use` \
         block must have a corresponding `tool_result` block in the next message."
    )
}

fn read_blocks<'a>(
    content: Content<'a, Block<'a>>,
    index: usize,
    prompt: &mut Prompt<'a>,
) -> Result<Blocks, String> {
    let mut read = Blocks::default();
    let blocks = match content {
        Content::Text(text) => {
            prompt.words += words(&text);
            if !text.is_empty() {
                read.texts.push(text.into_owned());
            }
            return Ok(read);
        }
        Content::Parts(blocks) => blocks,
    };
    for (position, block) in blocks.into_iter().enumerate() {
        let at = format!("messages.{index}.content.{position}");
        match block.kind.as_ref() {
            "text" => read.texts.push(read_text_block(block.text, prompt)?),
            "image" => {
                read.texts.extend(read_image(block.source, &at, prompt)?);
            }
            "tool_use" => {
                let id = block.id.ok_or_else(|| format!("{at}.tool_use.id: Field required"))?;
                block.input.ok_or_else(|| format!("{at}.tool_use.input: Field required"))?;
                read.tool_uses.push(id);
            }
            "tool_result" => {
                let id = block
                    .tool_use_id
                    .ok_or_else(|| format!("{at}.tool_result.tool_use_id: Field required"))?;
                let text = match block.content {
                    Some(content) => read_text(content, &at, prompt)?,
                    None => String::new(),
                };
                read.tool_results.push((id, text));
            }
            "thinking" | "redacted_thinking" | "document" => {}
            other => {
                return Err(format!(
                    "{at}: Input tag '{other}' found using 'type' does not match any of the expected tags"
                ));
            }
        }
    }
    Ok(read)
}

fn read_text_block(text: Option<String>, prompt: &mut Prompt<'_>) -> Result<String, String> {
    let text = text.ok_or("messages: text.text: Field required")?;
    if text.is_empty() {
        return Err("messages: text content blocks must be non-empty".to_owned());
    }
    prompt.words += words(&text);
    Ok(text)
}

/// Counts an image. An image is content, so it stands as an empty text.
fn read_image(source: Option<Source>, at: &str, prompt: &mut Prompt<'_>) -> Result<Option<String>, String> {
    let source = source.ok_or_else(|| format!("{at}.image.source: Field required"))?;
    let complete = match source.kind.as_str() {
        "base64" => {
            let known = ["image/jpeg", "image/png", "image/gif", "image/webp"];
            source.media_type.is_some_and(|kind| known.contains(&kind.as_str()))
                && source.data.is_some_and(|data| !data.is_empty() && !data.starts_with("data:"))
        }
        "url" | "file" => true,
        _ => false,
    };
    if !complete {
        return Err(format!("{at}.image.source: Input should be a valid image source"));
    }
    prompt.images += 1;
    Ok(Some(String::new()))
}

/// The text of a system prompt or a tool result.
fn read_text<'a>(
    content: Content<'a, Block<'a>>,
    at: &str,
    prompt: &mut Prompt<'a>,
) -> Result<String, String> {
    let blocks = match content {
        Content::Text(text) => {
            prompt.words += words(&text);
            return Ok(text.into_owned());
        }
        Content::Parts(blocks) => blocks,
    };
    let mut texts = Vec::new();
    for block in blocks {
        match block.kind.as_ref() {
            "text" => texts.push(read_text_block(block.text, prompt)?),
            "image" if at != "system" => texts.extend(read_image(block.source, at, prompt)?),
            other => return Err(format!("{at}: a block of type '{other}' is not allowed here")),
        }
    }
    Ok(texts.join("\n"))
}

fn tool(definition: ToolDefinition<'_>) -> Result<Tool<'_>, String> {
    let custom = definition.kind.as_deref().is_none_or(|kind| kind == "custom");
    if custom && definition.input_schema.is_none() {
        return Err("tools.0.custom.input_schema: Field required".to_owned());
    }
    Ok(Tool { name: definition.name, schema: definition.input_schema })
}

fn choice(choice: Option<Choice>, tools: &[Tool<'_>]) -> Result<ToolChoice<'static>, String> {
    let Some(choice) = choice else { return Ok(ToolChoice::Auto) };
    if tools.is_empty() {
        return Err("tool_choice: `tool_choice` may only be specified while providing `tools`.".to_owned());
    }
    match (choice.kind.as_str(), choice.name) {
        ("auto", _) => Ok(ToolChoice::Auto),
        ("none", _) => Ok(ToolChoice::None),
        ("any", _) => Ok(ToolChoice::Any),
        ("tool", Some(name)) if tools.iter().any(|tool| tool.name == name) => {
            Ok(ToolChoice::Named(Cow::Owned(name)))
        }
        ("tool", Some(name)) => Err(format!("tool_choice: Tool '{name}' not found in provided tools")),
        _ => Err("tool_choice: Input does not match any of the expected tags".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(body: &str) -> String {
        check(body.as_bytes(), true).unwrap_err()
    }

    #[test]
    fn both_wires_count_the_same_conversation_alike() {
        let body = r#"{"model":"m","max_tokens":100,"system":[{"type":"text","text":"be very brief"}],
            "messages":[
            {"role":"user","content":[{"type":"text","text":"what is this"},
                {"type":"image","source":{"type":"base64","media_type":"image/png","data":"AAAA"}}]},
            {"role":"assistant","content":[{"type":"tool_use","id":"t1","name":"look","input":{}}]},
            {"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","content":"a red square"}]}],
            "tools":[{"name":"look","input_schema":{"type":"object"}}]}"#;
        let checked = check(body.as_bytes(), true).unwrap();
        assert_eq!(checked.prompt.input_tokens(), 3 + 3 + 85 + 10 + 3 + 10);
        assert_eq!(checked.prompt.last, Last::ToolResult("a red square".to_owned()));
    }

    #[test]
    fn what_the_vendor_refuses_is_refused() {
        let base = |messages: &str| format!(r#"{{"model":"m","max_tokens":9,"messages":[{messages}]}}"#);
        assert!(
            refusal(r#"{"model":"m","messages":[{"role":"user","content":"x"}]}"#).contains("max_tokens")
        );
        assert!(refusal(&base(r#"{"role":"system","content":"x"}"#)).contains("Unexpected role"));
        assert!(refusal(&base(r#"{"role":"tool","content":"x"}"#)).contains("Unexpected role"));
        assert!(refusal(&base(r#"{"role":"user","content":""}"#)).contains("non-empty"));
        assert!(
            refusal(&base(r#"{"role":"user","content":[{"type":"text","text":""}]}"#)).contains("non-empty")
        );
        assert!(
            refusal(&base(r#"{"role":"user","content":[{"type":"image_url","image_url":{}}]}"#))
                .contains("image_url")
        );
        assert!(
            refusal(&base(
                r#"{"role":"user","content":"x"},
                   {"role":"assistant","content":[{"type":"tool_use","id":"t1","name":"f","input":{}}]},
                   {"role":"user","content":"no result"}"#
            ))
            .contains("without `tool_result`")
        );
        assert!(
            refusal(r#"{"model":"m","max_tokens":9,"n":1,"messages":[{"role":"user","content":"x"}]}"#)
                .contains("n: Extra inputs")
        );
    }

    #[test]
    fn unknown_fields_of_its_own_wire_pass() {
        let body = r#"{"model":"m","max_tokens":9,"brand_new":{"a":1},
            "messages":[{"role":"user","content":[{"type":"text","text":"x","cache_control":{"type":"ephemeral"}}]}]}"#;
        assert!(check(body.as_bytes(), true).is_ok());
    }
}
