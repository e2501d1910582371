//! A Gemini request: read, checked as strictly as the vendor checks it, and reduced to a prompt.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use super::contents::{self, Content};
use crate::prompt::{Format, Prompt, Tool, ToolChoice};

/// Every field the vendor knows; any other is refused, as its JSON reader does.
///
/// Source: `GenerateContentRequest` of the API reference.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Generate<'a> {
    #[serde(borrow)]
    contents: Option<Vec<Content<'a>>>,
    #[serde(borrow)]
    system_instruction: Option<Content<'a>>,
    #[serde(borrow)]
    tools: Option<Vec<ToolSet<'a>>>,
    tool_config: Option<ToolConfig>,
    #[serde(borrow)]
    generation_config: Option<Config<'a>>,
    #[expect(dead_code, reason = "known, and of no effect here")]
    model: Option<String>,
    #[expect(dead_code, reason = "known, and of no effect here")]
    safety_settings: Option<IgnoredAny>,
    #[expect(dead_code, reason = "known, and of no effect here")]
    cached_content: Option<IgnoredAny>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ToolSet<'a> {
    #[serde(borrow)]
    function_declarations: Option<Vec<Declaration<'a>>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Declaration<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[expect(dead_code, reason = "known, and of no effect here")]
    description: Option<String>,
    #[serde(borrow)]
    parameters: Option<&'a RawValue>,
    #[serde(borrow)]
    parameters_json_schema: Option<&'a RawValue>,
    #[expect(dead_code, reason = "known, and of no effect here")]
    response: Option<IgnoredAny>,
    #[expect(dead_code, reason = "known, and of no effect here")]
    response_json_schema: Option<IgnoredAny>,
    #[expect(dead_code, reason = "known, and of no effect here")]
    behavior: Option<IgnoredAny>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ToolConfig {
    function_calling_config: Option<Calling>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Calling {
    mode: Option<String>,
    allowed_function_names: Option<Vec<String>>,
}

/// Source: `GenerationConfig` of the API reference.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Config<'a> {
    #[serde(borrow)]
    stop_sequences: Option<Vec<Cow<'a, str>>>,
    response_mime_type: Option<String>,
    #[serde(borrow)]
    response_schema: Option<&'a RawValue>,
    #[serde(borrow)]
    response_json_schema: Option<&'a RawValue>,
    candidate_count: Option<u32>,
    max_output_tokens: Option<u64>,
    temperature: Option<f64>,
    top_p: Option<f64>,
    thinking_config: Option<Thinking>,
    #[expect(dead_code, reason = "known, and of no effect here")]
    top_k: Option<IgnoredAny>,
    #[expect(dead_code, reason = "known, and of no effect here")]
    seed: Option<IgnoredAny>,
    #[expect(dead_code, reason = "known, and of no effect here")]
    presence_penalty: Option<IgnoredAny>,
    #[expect(dead_code, reason = "known, and of no effect here")]
    frequency_penalty: Option<IgnoredAny>,
    #[expect(dead_code, reason = "known, and of no effect here")]
    response_logprobs: Option<IgnoredAny>,
    #[expect(dead_code, reason = "known, and of no effect here")]
    logprobs: Option<IgnoredAny>,
    #[expect(dead_code, reason = "known, and of no effect here")]
    response_modalities: Option<IgnoredAny>,
    #[expect(dead_code, reason = "known, and of no effect here")]
    speech_config: Option<IgnoredAny>,
    #[expect(dead_code, reason = "known, and of no effect here")]
    image_config: Option<IgnoredAny>,
    #[expect(dead_code, reason = "known, and of no effect here")]
    media_resolution: Option<IgnoredAny>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Thinking {
    include_thoughts: Option<bool>,
    thinking_budget: Option<i64>,
    thinking_level: Option<String>,
}

/// The body of a token count: the contents alone, or a whole request.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct CountTokens<'a> {
    #[serde(borrow)]
    contents: Option<Vec<Content<'a>>>,
    #[serde(borrow)]
    generate_content_request: Option<Generate<'a>>,
}

/// A request that passed the checks.
#[derive(Debug)]
pub(crate) struct Checked<'a> {
    pub prompt: Prompt<'a>,
    /// Whether the client asked to see thoughts.
    pub shows_thoughts: bool,
}

/// Reads and checks the body of a request to `model`.
///
/// Errors: the vendor's message.
pub(crate) fn check<'a>(body: &'a [u8], model: &str) -> Result<Checked<'a>, String> {
    checked(read(body)?, model)
}

/// Tokens that the body of a token count names.
///
/// Errors: the vendor's message.
pub(crate) fn count_tokens(body: &[u8], model: &str) -> Result<u64, String> {
    let request: CountTokens<'_> = read(body)?;
    match (request.contents, request.generate_content_request) {
        (Some(contents), None) => Ok(contents::prompt_of(contents, false)?.input_tokens()),
        (None, Some(request)) => Ok(checked(request, model)?.prompt.input_tokens()),
        _ => {
            Err("* CountTokensRequest: exactly one of contents and generateContentRequest must be set"
                .to_owned())
        }
    }
}

fn read<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, String> {
    serde_json::from_slice(body).map_err(|error| format!("Invalid JSON payload received. {error}"))
}

/// Which generation a model belongs to, as far as its name tells: each refuses what another wants.
fn generation(model: &str) -> Option<u32> {
    let version = model.strip_prefix("gemini-")?;
    version.split(['.', '-']).next()?.parse().ok()
}

fn checked<'a>(request: Generate<'a>, model: &str) -> Result<Checked<'a>, String> {
    let generation = generation(model);
    let contents = request.contents.filter(|contents| !contents.is_empty());
    let contents = contents.ok_or("* GenerateContentRequest.contents: contents is not specified")?;
    let mut prompt = contents::prompt_of(contents, generation.is_some_and(|generation| generation >= 3))?;
    if let Some(system) = request.system_instruction {
        prompt.words += contents::system_words(system)?;
    }
    prompt.tools = tools(request.tools.unwrap_or_default())?;
    prompt.choice = choice(request.tool_config, &prompt.tools)?;
    let config = request.generation_config.unwrap_or_default();
    check_limits(&config)?;
    check_thinking(config.thinking_config.as_ref(), model)?;
    let shows_thoughts =
        config.thinking_config.as_ref().and_then(|thinking| thinking.include_thoughts).unwrap_or(false);
    prompt.format = format(&config)?;
    let wants_json = !matches!(prompt.format, Format::Text);
    if wants_json && !prompt.tools.is_empty() && generation.is_some_and(|generation| generation < 3) {
        return Err(
            "Function calling with a response mime type: 'application/json' is unsupported".to_owned()
        );
    }
    prompt.max_tokens = config.max_output_tokens;
    prompt.stops = config.stop_sequences.unwrap_or_default();
    Ok(Checked { prompt, shows_thoughts })
}

fn tools(sets: Vec<ToolSet<'_>>) -> Result<Vec<Tool<'_>>, String> {
    let mut tools = Vec::new();
    for declaration in sets.into_iter().flat_map(|set| set.function_declarations.unwrap_or_default()) {
        let at = format!("* GenerateContentRequest.tools[0].function_declarations[{}]", tools.len());
        let mut chars = declaration.name.chars();
        let begins = chars.next().is_some_and(|char| char.is_ascii_alphabetic() || char == '_');
        let known = |char: char| char.is_ascii_alphanumeric() || "_.:-".contains(char);
        if !begins || !chars.all(known) || declaration.name.len() > 128 {
            return Err(format!(
                "{at}.name: Invalid function name. Must start with a letter or an underscore."
            ));
        }
        let schema = match (declaration.parameters, declaration.parameters_json_schema) {
            (Some(_), Some(_)) => {
                return Err(format!("{at}: parameters and parameters_json_schema are mutually exclusive"));
            }
            (schema, None) | (None, schema) => schema,
        };
        if let Some(schema) = schema {
            check_parameters(schema, &at)?;
        }
        tools.push(Tool { name: declaration.name, schema });
    }
    Ok(tools)
}

/// Arguments are an object, and one that is said to have none is refused.
fn check_parameters(schema: &RawValue, at: &str) -> Result<(), String> {
    let schema: serde_json::Value = serde_json::from_str(schema.get()).unwrap_or_default();
    let kind = schema.get("type").and_then(serde_json::Value::as_str).unwrap_or_default();
    if !kind.eq_ignore_ascii_case("object") && schema.get("$ref").is_none() {
        return Err(format!("{at}.parameters: schema must describe an object"));
    }
    let empty = |properties: &serde_json::Value| properties.as_object().is_none_or(serde_json::Map::is_empty);
    if schema.get("properties").is_some_and(empty) {
        return Err(format!("{at}.parameters.properties: should be non-empty for OBJECT type"));
    }
    Ok(())
}

fn choice(config: Option<ToolConfig>, tools: &[Tool<'_>]) -> Result<ToolChoice<'static>, String> {
    let Some(calling) = config.and_then(|config| config.function_calling_config) else {
        return Ok(ToolChoice::Auto);
    };
    if tools.is_empty() {
        return Err("Function calling config is set without function_declarations.".to_owned());
    }
    let allowed = calling.allowed_function_names.unwrap_or_default();
    if let Some(name) = allowed.iter().find(|name| !tools.iter().any(|tool| tool.name == **name)) {
        return Err(format!("allowed_function_names has `{name}`, which is not a declared function"));
    }
    match (calling.mode.as_deref(), allowed.into_iter().next()) {
        (Some("ANY"), Some(name)) => Ok(ToolChoice::Named(Cow::Owned(name))),
        (_, Some(_)) => Err("Allowed function names should only be set when mode is ANY.".to_owned()),
        (Some("ANY"), None) => Ok(ToolChoice::Any),
        (Some("AUTO") | None, None) => Ok(ToolChoice::Auto),
        (Some("NONE"), None) => Ok(ToolChoice::None),
        (Some(other), None) => {
            Err(format!("Invalid value at 'tool_config.function_calling_config.mode', \"{other}\""))
        }
    }
}

fn check_limits(config: &Config<'_>) -> Result<(), String> {
    const STOPS_MAX: usize = 5;
    let out_of = |value: Option<f64>, most: f64| value.is_some_and(|value| !(0.0..=most).contains(&value));
    if config.max_output_tokens == Some(0) {
        return Err(
            "* GenerateContentRequest.generation_config.max_output_tokens: must be positive".to_owned()
        );
    }
    if out_of(config.temperature, 2.0) {
        return Err(
            "* GenerateContentRequest.generation_config.temperature: must be in the range [0.0, 2.0]"
                .to_owned(),
        );
    }
    if out_of(config.top_p, 1.0) {
        return Err(
            "* GenerateContentRequest.generation_config.top_p: must be in the range [0.0, 1.0]".to_owned()
        );
    }
    if config.stop_sequences.as_ref().is_some_and(|stops| stops.len() > STOPS_MAX) {
        return Err(
            "* GenerateContentRequest.generation_config.stop_sequences: at most 5 are allowed".to_owned()
        );
    }
    if config.candidate_count.is_some_and(|count| count != 1) {
        return Err("Multiple candidates is not enabled for this model".to_owned());
    }
    Ok(())
}

fn check_thinking(thinking: Option<&Thinking>, model: &str) -> Result<(), String> {
    let Some(thinking) = thinking else { return Ok(()) };
    if thinking.thinking_budget.is_some() && thinking.thinking_level.is_some() {
        return Err("You can only set only one of thinking budget and thinking level.".to_owned());
    }
    match generation(model) {
        Some(0..=2) if !model.starts_with("gemini-2.5") => {
            return Err("Thinking is not supported for this model".to_owned());
        }
        Some(0..=2) if thinking.thinking_level.is_some() => {
            return Err("Thinking level is not supported for this model.".to_owned());
        }
        _ => {}
    }
    let known =
        |level: &str| ["minimal", "low", "medium", "high"].contains(&level.to_ascii_lowercase().as_str());
    match thinking.thinking_level.as_deref() {
        Some(level) if !known(level) => {
            Err(format!("Invalid value at 'generation_config.thinking_config.thinking_level', \"{level}\""))
        }
        _ => Ok(()),
    }
}

fn format<'a>(config: &Config<'a>) -> Result<Format<'a>, String> {
    let schema = match (config.response_schema, config.response_json_schema) {
        (Some(_), Some(_)) => {
            return Err("Only one of response_schema and response_json_schema can be set.".to_owned());
        }
        (schema, None) | (None, schema) => schema,
    };
    match (config.response_mime_type.as_deref(), schema) {
        (Some("application/json"), Some(schema)) => Ok(Format::JsonSchema(schema)),
        (Some("application/json"), None) => Ok(Format::JsonObject),
        (Some("text/plain") | None, None) => Ok(Format::Text),
        (Some("text/plain") | None, Some(_)) => {
            Err("Unable to submit request because it has a response schema without the mime type application/json".to_owned())
        }
        (Some(other), _) => Err(format!("* GenerateContentRequest.generation_config.response_mime_type: `{other}` is not allowed")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prompt::Last;

    fn refusal_of(body: &str, model: &str) -> String {
        check(body.as_bytes(), model).unwrap_err()
    }

    fn refusal(body: &str) -> String {
        refusal_of(body, "gemini-2.5-flash")
    }

    fn asking(more: &str) -> String {
        format!(r#"{{"contents":[{{"role":"user","parts":[{{"text":"hi"}}]}}],{more}}}"#)
    }

    #[test]
    fn all_wires_count_the_same_conversation_alike() {
        let body = r#"{"systemInstruction":{"parts":[{"text":"be very brief"}]},
            "contents":[
            {"role":"user","parts":[{"text":"what is this"},{"inlineData":{"mimeType":"image/png","data":"AAAA"}}]},
            {"role":"model","parts":[{"functionCall":{"id":"t1","name":"look","args":{}}}]},
            {"role":"user","parts":[{"functionResponse":{"id":"t1","name":"look","response":{"output":"a red square"}}}]}],
            "tools":[{"functionDeclarations":[{"name":"look"}]}]}"#;
        let checked = check(body.as_bytes(), "sim-small").unwrap();
        assert_eq!(checked.prompt.input_tokens(), 3 + 3 + 85 + 10 + 3 + 10);
        assert_eq!(checked.prompt.last, Last::ToolResult("a red square".to_owned()));
        assert_eq!(count_tokens(format!(r#"{{"generateContentRequest":{body}}}"#).as_bytes(), "m"), Ok(114));
        assert_eq!(count_tokens(br#"{"contents":[{"parts":[{"text":"a b"}]}]}"#, "m"), Ok(2));
    }

    #[test]
    fn unknown_fields_are_refused_wherever_they_stand() {
        for (body, field) in [
            (asking(r#""messages":[]"#), "messages"),
            (asking(r#""max_tokens":5"#), "max_tokens"),
            (asking(r#""generationConfig":{"max_tokens":5}"#), "max_tokens"),
            (asking(r#""tools":[{"type":"function"}]"#), "type"),
            (
                asking(r#""tools":[{"functionDeclarations":[{"name":"f","input_schema":{}}]}]"#),
                "input_schema",
            ),
            (r#"{"contents":[{"role":"user","parts":[{"type":"text","text":"x"}]}]}"#.to_owned(), "type"),
        ] {
            let message = refusal(&body);
            assert!(
                message.starts_with("Invalid JSON payload received.") && message.contains(field),
                "{message}"
            );
        }
    }

    #[test]
    fn what_the_vendor_refuses_is_refused() {
        for (body, words) in [
            (r#"{"contents":[]}"#.to_owned(), "contents is not specified"),
            (
                asking(r#""toolConfig":{"functionCallingConfig":{"mode":"ANY"}}"#),
                "without function_declarations",
            ),
            (
                asking(
                    r#""tools":[{"functionDeclarations":[{"name":"f"}]}],
                    "toolConfig":{"functionCallingConfig":{"mode":"AUTO","allowedFunctionNames":["f"]}}"#,
                ),
                "mode is ANY",
            ),
            (asking(r#""tools":[{"functionDeclarations":[{"name":"1f"}]}]"#), "Invalid function name"),
            (
                asking(
                    r#""tools":[{"functionDeclarations":[{"name":"f","parameters":{"type":"OBJECT"},"parametersJsonSchema":{}}]}]"#,
                ),
                "mutually exclusive",
            ),
            (
                asking(
                    r#""tools":[{"functionDeclarations":[{"name":"f","parametersJsonSchema":{"type":"object","properties":{}}}]}]"#,
                ),
                "non-empty",
            ),
            (asking(r#""generationConfig":{"maxOutputTokens":0}"#), "max_output_tokens"),
            (asking(r#""generationConfig":{"temperature":2.5}"#), "temperature"),
            (asking(r#""generationConfig":{"stopSequences":["1","2","3","4","5","6"]}"#), "stop_sequences"),
            (asking(r#""generationConfig":{"responseJsonSchema":{}}"#), "mime type"),
            (asking(r#""generationConfig":{"thinkingConfig":{"thinkingLevel":"low"}}"#), "Thinking level"),
            (
                asking(r#""generationConfig":{"thinkingConfig":{"thinkingLevel":"low","thinkingBudget":1}}"#),
                "only one of",
            ),
            (
                asking(
                    r#""tools":[{"functionDeclarations":[{"name":"f"}]}],"generationConfig":{"responseMimeType":"application/json"}"#,
                ),
                "unsupported",
            ),
        ] {
            let message = refusal(&body);
            assert!(message.contains(words), "{message}");
        }
        let budget = asking(r#""generationConfig":{"thinkingConfig":{"thinkingBudget":0}}"#);
        assert!(refusal_of(&budget, "gemini-2.0-flash").contains("not supported"));
    }
}
