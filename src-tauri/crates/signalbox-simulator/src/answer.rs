//! The answer to a prompt, by rules simple enough to compute a bill by hand.
//!
//! - After a tool result: `The tool answered: <the result>`. After a user message: `You said: <the message>`.
//!   Otherwise: `Hello.` Runs of whitespace become one space.
//! - The dial `output_tokens` cuts or repeats these words to exactly that many.
//! - A word is a token, and one content event of a stream. The answer ends at the client's limit of tokens
//!   (finish reason *length*) or before its first stop sequence.
//! - Tools are called when the client forces it, or when the last user message contains `use tool` (the tool named
//!   in the message, else the first) or `use all tools`; never right after a tool result. A call counts
//!   [`TOOL_CALL_TOKENS`]; its arguments are the sample of the tool's schema.
//! - When JSON is asked for: `{"answer": "<the text>"}`, or the sample of the given schema.

use serde_json::{Value, json};

use crate::dials::Dials;
use crate::prompt::{Format, Last, Prompt, TOOL_CALL_TOKENS, Tool, ToolChoice, words};
use crate::schema::sample;

/// What the model says, before any wire format.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    /// Words joined by single spaces; empty when tools are called.
    pub text: String,
    pub tool_calls: Vec<ToolCall>,
    pub stop: Stop,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ToolCall {
    pub name: String,
    /// JSON text of an object.
    pub arguments: String,
}

/// Why the answer ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Stop {
    End,
    Length,
    /// At this stop sequence.
    Sequence(String),
    ToolCalls,
    Refusal,
}

impl Answer {
    /// Visible output tokens: the words, and a flat count for each tool call.
    pub fn output_tokens(&self) -> u64 {
        words(&self.text) + self.tool_calls.len() as u64 * TOOL_CALL_TOKENS
    }
}

/// The answer to `prompt`.
pub(crate) fn answer(prompt: &Prompt<'_>, dials: &Dials) -> Answer {
    let called = tools_to_call(prompt);
    if !called.is_empty() {
        let tool_calls = called.into_iter().map(call).collect();
        return Answer { text: String::new(), tool_calls, stop: Stop::ToolCalls };
    }
    let text = match &prompt.format {
        Format::Text => resized(&spoken(&prompt.last), dials.output_tokens),
        Format::JsonObject => json!({ "answer": single_spaced(&spoken(&prompt.last)) }).to_string(),
        Format::JsonSchema(schema) => {
            sample(&serde_json::from_str(schema.get()).unwrap_or_default()).to_string()
        }
    };
    ended(text, prompt)
}

/// The answer of a model that refuses.
pub(crate) fn refusal() -> Answer {
    Answer { text: "I cannot help with that.".to_owned(), tool_calls: Vec::new(), stop: Stop::Refusal }
}

fn spoken(last: &Last) -> String {
    match last {
        Last::Nothing => "Hello.".to_owned(),
        Last::User(text) => format!("You said: {text}"),
        Last::ToolResult(text) => format!("The tool answered: {text}"),
    }
}

fn single_spaced(text: &str) -> String {
    joined(text.split_whitespace())
}

/// Single-spaced, and of exactly `length` words when a length is given.
fn resized(text: &str, length: Option<u64>) -> String {
    match length.map(usize::try_from) {
        None => single_spaced(text),
        Some(length) => joined(text.split_whitespace().cycle().take(length.unwrap_or(usize::MAX))),
    }
}

fn joined<'a>(words: impl Iterator<Item = &'a str>) -> String {
    let mut text = String::new();
    for word in words {
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(word);
    }
    text
}

/// Ends the text where a stop sequence or the limit of tokens ends it, whichever comes first.
fn ended(mut text: String, prompt: &Prompt<'_>) -> Answer {
    let mut stop = Stop::End;
    let first_stop = prompt
        .stops
        .iter()
        .filter(|sequence| !sequence.is_empty())
        .filter_map(|sequence| text.find(sequence.as_ref()).map(|at| (at, sequence)))
        .min_by_key(|(at, _)| *at);
    if let Some((at, sequence)) = first_stop {
        stop = Stop::Sequence(sequence.to_string());
        text.truncate(at);
        text.truncate(text.trim_end().len());
    }
    if let Some(limit) = prompt.max_tokens
        && words(&text) > limit
    {
        stop = Stop::Length;
        text = resized(&text, Some(limit));
    }
    Answer { text, tool_calls: Vec::new(), stop }
}

fn tools_to_call<'p, 'a>(prompt: &'p Prompt<'a>) -> Vec<&'p Tool<'a>> {
    let user = match &prompt.last {
        Last::User(text) => text.to_lowercase(),
        Last::Nothing => String::new(),
        Last::ToolResult(_) => return Vec::new(),
    };
    let named_in_text = || prompt.tools.iter().find(|tool| user.contains(&tool.name.to_lowercase()));
    match &prompt.choice {
        ToolChoice::None => Vec::new(),
        ToolChoice::Named(name) => prompt.tools.iter().filter(|tool| tool.name == *name).collect(),
        ToolChoice::Auto if user.contains("use all tools") => prompt.tools.iter().collect(),
        ToolChoice::Auto if !user.contains("use tool") => Vec::new(),
        ToolChoice::Auto | ToolChoice::Any => named_in_text().or(prompt.tools.first()).into_iter().collect(),
    }
}

fn call(tool: &Tool<'_>) -> ToolCall {
    let schema: Value = tool.schema.and_then(|raw| serde_json::from_str(raw.get()).ok()).unwrap_or_default();
    let arguments = match sample(&schema) {
        Value::Object(fields) => Value::Object(fields),
        _ => json!({}),
    };
    ToolCall { name: tool.name.to_string(), arguments: arguments.to_string() }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;

    fn said(text: &str) -> Prompt<'static> {
        Prompt { last: Last::User(text.to_owned()), ..Prompt::default() }
    }

    #[test]
    fn the_answer_echoes_the_user_with_single_spaces() {
        let answer = answer(&said("  hello   big\nworld "), &Dials::default());
        assert_eq!(answer.text, "You said: hello big world");
        assert_eq!(answer.output_tokens(), 5);
        assert_eq!(answer.stop, Stop::End);
    }

    #[test]
    fn the_length_dial_repeats_or_cuts_the_words() {
        let dials = Dials { output_tokens: Some(5), ..Dials::default() };
        assert_eq!(answer(&said("hi"), &dials).text, "You said: hi You said:");
        let dials = Dials { output_tokens: Some(0), ..Dials::default() };
        assert_eq!(answer(&said("hi"), &dials).text, "");
    }

    #[test]
    fn the_client_limit_ends_the_answer_with_length() {
        let prompt = Prompt { max_tokens: Some(3), ..said("one two three") };
        let answer = answer(&prompt, &Dials::default());
        assert_eq!(answer.text, "You said: one");
        assert_eq!(answer.stop, Stop::Length);
    }

    #[test]
    fn the_first_stop_sequence_wins() {
        let prompt =
            Prompt { stops: vec![Cow::Borrowed("three"), Cow::Borrowed("two")], ..said("one two three") };
        let answer = answer(&prompt, &Dials::default());
        assert_eq!(answer.text, "You said: one");
        assert_eq!(answer.stop, Stop::Sequence("two".to_owned()));
    }

    #[test]
    fn a_tool_result_is_quoted_even_when_a_tool_is_forced() {
        let prompt = Prompt {
            last: Last::ToolResult("21 degrees".to_owned()),
            tools: vec![Tool { name: Cow::Borrowed("weather"), schema: None }],
            choice: ToolChoice::Any,
            ..Prompt::default()
        };
        assert_eq!(answer(&prompt, &Dials::default()).text, "The tool answered: 21 degrees");
    }

    #[test]
    fn asking_names_the_tool_or_takes_the_first_or_all() {
        let tools = || {
            vec![
                Tool { name: Cow::Borrowed("alpha"), schema: None },
                Tool { name: Cow::Borrowed("beta"), schema: None },
            ]
        };
        let called = |text: &str| -> Vec<String> {
            let prompt = Prompt { tools: tools(), ..said(text) };
            answer(&prompt, &Dials::default()).tool_calls.into_iter().map(|call| call.name).collect()
        };
        assert_eq!(called("use tool beta"), ["beta"]);
        assert_eq!(called("please use tool"), ["alpha"]);
        assert_eq!(called("use all tools"), ["alpha", "beta"]);
        assert!(called("no hints").is_empty());
    }
}
