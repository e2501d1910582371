//! The conversation of a Gemini request: its turns and their parts.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Map, Value};

use super::reply::SIGNATURE;
use crate::prompt::{Last, Prompt, words};

/// What the vendor takes for the signature of a call another model made.
const UNSIGNED: [&str; 2] = ["skip_thought_signature_validator", "context_engineering_is_the_way_to_go"];

/// Source: `Content` of the API reference.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Content<'a> {
    #[serde(borrow)]
    role: Option<Cow<'a, str>>,
    #[serde(borrow)]
    parts: Option<Vec<Part<'a>>>,
}

/// Source: `Part` of the API reference.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Part<'a> {
    #[serde(borrow)]
    text: Option<Cow<'a, str>>,
    inline_data: Option<Blob>,
    file_data: Option<FileData>,
    function_call: Option<Call>,
    function_response: Option<Response>,
    thought_signature: Option<String>,
    #[expect(dead_code, reason = "known, and of no effect here")]
    thought: Option<bool>,
    #[expect(dead_code, reason = "known, and of no effect here")]
    video_metadata: Option<IgnoredAny>,
    #[expect(dead_code, reason = "known, and of no effect here")]
    media_resolution: Option<IgnoredAny>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Blob {
    mime_type: String,
    data: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct FileData {
    mime_type: Option<String>,
    file_uri: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Call {
    id: Option<String>,
    name: String,
    #[expect(dead_code, reason = "that it is an object is all that matters")]
    args: Option<Map<String, Value>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Response {
    id: Option<String>,
    name: String,
    response: Map<String, Value>,
}

/// What one turn holds, apart from its pictures.
#[derive(Debug, Default)]
struct Turn {
    texts: Vec<String>,
    calls: Vec<(Option<String>, String)>,
    results: Vec<(Option<String>, String, String)>,
}

/// Counts the turns and checks their roles, parts and the pairing of calls with their results; with `signed`, that calls
/// are signed too.
///
/// Errors: the vendor's message.
pub(super) fn prompt_of(contents: Vec<Content<'_>>, signed: bool) -> Result<Prompt<'static>, String> {
    let mut prompt = Prompt::default();
    let mut unanswered: Vec<(Option<String>, String)> = Vec::new();
    for (index, content) in contents.into_iter().enumerate() {
        let at = format!("* GenerateContentRequest.contents[{index}]");
        let user = match content.role.as_deref() {
            Some("user" | "function") | None => true,
            Some("model") => false,
            Some(_) => return Err("Please use a valid role: user, model.".to_owned()),
        };
        let turn = read_turn(content.parts.unwrap_or_default(), &at, signed && !user, &mut prompt)?;
        if user == turn.results.is_empty() && !unanswered.is_empty() {
            return Err(unpaired());
        }
        answer(&mut unanswered, &turn)?;
        prompt.tool_calls += turn.calls.len() as u64;
        if !user && !turn.calls.is_empty() && index == 0 {
            return Err("Please ensure that function call turn comes immediately after a user turn or after a function \
                        response turn."
                .to_owned());
        }
        prompt.last = match (user, turn.texts.is_empty()) {
            (false, _) => Last::Nothing,
            (true, false) => Last::User(turn.texts.join("\n")),
            (true, true) => Last::ToolResult(
                turn.results.into_iter().map(|(_, _, said)| said).collect::<Vec<_>>().join(" "),
            ),
        };
        unanswered = turn.calls;
    }
    if unanswered.is_empty() { Ok(prompt) } else { Err(unpaired()) }
}

/// Words of the instructions, which are text only.
///
/// Errors: the vendor's message.
pub(super) fn system_words(system: Content<'_>) -> Result<u64, String> {
    let mut counted = 0;
    for part in system.parts.unwrap_or_default() {
        let text = part.text.ok_or("* GenerateContentRequest.system_instruction: only text is allowed")?;
        counted += words(&text);
    }
    Ok(counted)
}

/// Every call of the turn before must be answered, and nothing else may be.
fn answer(unanswered: &mut Vec<(Option<String>, String)>, turn: &Turn) -> Result<(), String> {
    for (id, name, _) in &turn.results {
        let position =
            unanswered.iter().position(|(asked, called)| called == name && (asked == id || asked.is_none()));
        unanswered.remove(position.ok_or_else(unpaired)?);
    }
    if unanswered.is_empty() { Ok(()) } else { Err(unpaired()) }
}

fn unpaired() -> String {
    "Please ensure that the number of function response parts is equal to the number of function call parts of the \
     function call turn."
        .to_owned()
}

fn read_turn(
    parts: Vec<Part<'_>>,
    at: &str,
    signed: bool,
    prompt: &mut Prompt<'static>,
) -> Result<Turn, String> {
    if parts.is_empty() {
        return Err(format!("{at}.parts: contents.parts must not be empty."));
    }
    let mut turn = Turn::default();
    for (position, part) in parts.into_iter().enumerate() {
        let at = format!("{at}.parts[{position}]");
        check_signature(&part, &turn, signed, &at)?;
        match (part.text, part.inline_data, part.file_data, part.function_call, part.function_response) {
            (Some(text), None, None, None, None) => {
                prompt.words += words(&text);
                turn.texts.push(text.into_owned());
            }
            (None, Some(blob), None, None, None) => {
                let sound =
                    blob.data.is_empty() || blob.data.starts_with("data:") || !blob.mime_type.contains('/');
                if sound {
                    return Err(format!(
                        "{at}.inline_data: Base64 decoding failed or the mime type is empty"
                    ));
                }
                prompt.images += u64::from(blob.mime_type.starts_with("image/"));
                turn.texts.push(String::new());
            }
            (None, None, Some(file), None, None) => {
                if !file.file_uri.contains("://") {
                    return Err(format!("{at}.file_data.file_uri: Unsupported file uri"));
                }
                prompt.images += u64::from(file.mime_type.is_none_or(|kind| kind.starts_with("image/")));
                turn.texts.push(String::new());
            }
            (None, None, None, Some(call), None) => turn.calls.push((call.id, call.name)),
            (None, None, None, None, Some(result)) => {
                let said = result.response.values().map(said).collect::<Vec<_>>().join(" ");
                prompt.words += words(&said);
                turn.results.push((result.id, result.name, said));
            }
            _ => {
                return Err(format!(
                    "{at}.data: required oneof field 'data' must have one initialized field"
                ));
            }
        }
    }
    Ok(turn)
}

fn said(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// A signature is the vendor's own or its word for none; the first call of a turn must have one where `signed`.
fn check_signature(part: &Part<'_>, turn: &Turn, signed: bool, at: &str) -> Result<(), String> {
    match part.thought_signature.as_deref() {
        Some(signature) if signature != SIGNATURE && !UNSIGNED.contains(&signature) => {
            Err(format!("{at}: Thought signature is not valid"))
        }
        None if signed && part.function_call.is_some() && turn.calls.is_empty() => {
            Err("Function call is missing a thought_signature in functionCall parts. This is required for tools to work \
                 correctly, and missing thought_signature may lead to degraded model performance."
                .to_owned())
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(contents: &str, signed: bool) -> String {
        let contents = serde_json::from_str::<Vec<Content<'_>>>(contents).unwrap();
        prompt_of(contents, signed).unwrap_err()
    }

    const USER: &str = r#"{"role":"user","parts":[{"text":"x"}]}"#;

    #[test]
    fn turns_the_vendor_refuses_are_refused() {
        for (contents, words) in [
            (r#"[{"role":"assistant","parts":[{"text":"x"}]}]"#.to_owned(), "valid role"),
            (r#"[{"role":"user","parts":[]}]"#.to_owned(), "must not be empty"),
            (r#"[{"role":"user","parts":[{}]}]"#.to_owned(), "oneof field 'data'"),
            (
                r#"[{"role":"user","parts":[{"inlineData":{"mimeType":"image/png","data":"data:x"}}]}]"#
                    .to_owned(),
                "inline_data",
            ),
            (
                format!(r#"[{USER},{{"role":"model","parts":[{{"functionCall":{{"name":"f"}}}}]}},{USER}]"#),
                "number of function response",
            ),
            (
                format!(r#"[{USER},{{"role":"model","parts":[{{"functionCall":{{"name":"f"}}}}]}}]"#),
                "number of function response",
            ),
            (
                r#"[{"role":"user","parts":[{"functionResponse":{"name":"f","response":{}}}]}]"#.to_owned(),
                "number of function response",
            ),
            (
                format!(
                    r#"[{USER},{{"role":"model","parts":[{{"functionCall":{{"id":"a","name":"f"}}}}]}},
                    {{"role":"user","parts":[{{"functionResponse":{{"id":"b","name":"f","response":{{}}}}}}]}}]"#
                ),
                "number of function response",
            ),
            (
                r#"[{"role":"model","parts":[{"functionCall":{"name":"f"}}]}]"#.to_owned(),
                "immediately after a user turn",
            ),
        ] {
            let message = refusal(&contents, false);
            assert!(message.contains(words), "{contents}: {message}");
        }
    }

    #[test]
    fn calls_are_signed_where_the_model_wants_it_and_only_by_the_vendor() {
        let turn = |signature: &str| {
            format!(
                r#"[{USER},{{"role":"model","parts":[{{"functionCall":{{"name":"f"}}{signature}}},{{"functionCall":{{"name":"f"}}}}]}},
                {{"role":"user","parts":[{{"functionResponse":{{"name":"f","response":{{}}}}}},{{"functionResponse":{{"name":"f","response":{{}}}}}}]}}]"#
            )
        };
        assert!(refusal(&turn(""), true).contains("missing a thought_signature"));
        assert!(refusal(&turn(r#","thoughtSignature":"of another""#), true).contains("not valid"));
        for good in [SIGNATURE, UNSIGNED[0]] {
            let body = turn(&format!(r#","thoughtSignature":"{good}""#));
            let contents = serde_json::from_str::<Vec<Content<'_>>>(&body).unwrap();
            assert_eq!(prompt_of(contents, true).unwrap().tool_calls, 2);
        }
    }
}
