//! Complete answers in the form of the Responses API, to and from the neutral one.

use serde_json::{Map, Value, json};
use signalbox_core::usage::Usage;

use super::encoder::Item;
use super::request::{wants_signatures, wants_summary};
use super::{bare_id, finish_of, finish_word, usage};
use crate::chat::{ChatResponse, FinishReason, Part};
use crate::dialect::gemini::signature_of;

/// Stands between two parts of what a model thought, where another dialect has one text for it.
pub(super) const THOUGHTS_APART: &str = "\n\n";

/// Reads a provider's answer.
pub(crate) fn decode(body: &Value) -> Result<ChatResponse, String> {
    let text = |key| body.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let output = body.get("output").and_then(Value::as_array).ok_or("the answer has no output")?;
    let parts = output.iter().flat_map(decode_item).collect::<Vec<_>>();
    let calls_tools = parts.iter().any(|part| matches!(part, Part::ToolUse { .. }));
    let finish = finish_of(body, calls_tools)
        .ok_or_else(|| format!("the answer has not ended: its status is `{}`", text("status")))?;
    Ok(ChatResponse {
        id: text("id"),
        model: text("model"),
        created: created(body).unwrap_or_default(),
        parts,
        finish,
    })
}

/// When it was made, in whole seconds since the Unix epoch; the API allows fractions.
#[expect(clippy::cast_possible_truncation, reason = "the fraction is dropped on purpose; floats saturate")]
pub(super) fn created(response: &Value) -> Option<i64> {
    let created = response.get("created_at")?;
    created.as_i64().or_else(|| created.as_f64().map(|seconds| seconds as i64))
}

/// The provider's own tools have no form elsewhere and are passed over.
fn decode_item(item: &Value) -> Vec<Part> {
    let text = |key| item.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let parts = |key| item.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    match item.get("type").and_then(Value::as_str) {
        Some("message") => parts("content").iter().filter_map(decode_part).collect(),
        Some("function_call") => {
            vec![Part::ToolUse { id: text("call_id"), name: text("name"), arguments: text("arguments") }]
        }
        Some("reasoning") => {
            let thoughts = parts("summary").iter().chain(parts("content"));
            let thoughts = thoughts.filter_map(|part| part.get("text")?.as_str()).collect::<Vec<_>>();
            let text = thoughts.join(THOUGHTS_APART);
            if text.is_empty() { Vec::new() } else { vec![Part::Thinking { text, signature: None }] }
        }
        _ => Vec::new(),
    }
}

fn decode_part(part: &Value) -> Option<Part> {
    let text = |key| part.get(key).and_then(Value::as_str).map(str::to_owned);
    match part.get("type")?.as_str()? {
        "output_text" => text("text").map(Part::Text),
        "refusal" => text("refusal").map(Part::Refusal),
        _ => None,
    }
}

/// Writes an answer that came in another dialect to what was `asked`.
pub(crate) fn encode(response: &ChatResponse, used: &Usage, asked: &Map<String, Value>) -> Value {
    let (summary, signatures) = (wants_summary(asked), wants_signatures(asked));
    let mut output: Vec<Item> = Vec::new();
    for part in &response.parts {
        match part {
            Part::Text(text) => Item::last_message(&mut output, &response.id).say(text),
            Part::Refusal(text) => Item::last_message(&mut output, &response.id).refuse(text),
            Part::Thinking { text, signature } => {
                if summary && !text.is_empty() {
                    Item::last_thought(&mut output, &response.id).think(text);
                }
                if let Some(signature) = signature.as_deref().filter(|mark| signatures && is_kept(mark)) {
                    Item::last_thought(&mut output, &response.id).sign(signature);
                }
            }
            Part::ToolUse { id, name, arguments } => {
                output.push(Item::call(output.len(), &response.id, id, name, arguments));
            }
            Part::Image(_) | Part::Audio { .. } | Part::Document { .. } | Part::ToolResult { .. } => {}
        }
    }
    let envelope = Envelope::new(&response.id, &response.model, response.created, asked);
    envelope.ended(response.finish.reason, &output, used)
}

/// Whether a signature is of use when it comes back: Google's is, to the same model; Anthropic's needs the thought's own words.
pub(super) fn is_kept(signature: &str) -> bool {
    signature_of(signature).is_some()
}

/// What stands around an answer: its id, and much of what was asked for, which the clients' types want to see again.
#[derive(Debug)]
pub(super) struct Envelope {
    id: String,
    model: String,
    created: i64,
    asked: Map<String, Value>,
}

impl Envelope {
    /// Around the answer `id`, whichever dialect it comes from, to what was `asked`.
    pub fn new(id: &str, model: &str, created: i64, asked: &Map<String, Value>) -> Self {
        Self { id: response_id(id), model: model.to_owned(), created, asked: echo(asked) }
    }

    /// As the provider began it.
    pub fn started(&mut self, id: &str, model: &str, created: Option<i64>) {
        self.id = response_id(id);
        if !model.is_empty() {
            model.clone_into(&mut self.model);
        }
        self.created = created.unwrap_or(self.created);
    }

    /// The response while it is made.
    pub fn in_progress(&self) -> Value {
        self.write(super::IN_PROGRESS, Value::Null, Value::Array(Vec::new()), Value::Null)
    }

    /// The whole response.
    pub fn ended(&self, reason: FinishReason, output: &[Item], used: &Usage) -> Value {
        let (status, details) = status(reason);
        let last = output.len().saturating_sub(1);
        let items = output.iter().enumerate().map(|(index, item)| {
            // Only the last item can have been cut.
            item.write(if index == last { status } else { super::COMPLETED })
        });
        let details = details.map_or(Value::Null, |reason| json!({"reason": reason}));
        self.write(status, details, items.collect(), usage::write(used))
    }

    fn write(&self, status: &str, incomplete_details: Value, output: Value, usage: Value) -> Value {
        let mut response = Map::from_iter([
            ("id".to_owned(), json!(self.id)),
            ("object".to_owned(), json!("response")),
            ("created_at".to_owned(), json!(self.created)),
            ("status".to_owned(), json!(status)),
            ("error".to_owned(), Value::Null),
            ("incomplete_details".to_owned(), incomplete_details),
            ("model".to_owned(), json!(self.model)),
            ("output".to_owned(), output),
            ("usage".to_owned(), usage),
        ]);
        response.extend(self.asked.clone());
        Value::Object(response)
    }
}

/// The status of an answer that ended so, and why it is incomplete if it is.
pub(super) const fn status(reason: FinishReason) -> (&'static str, Option<&'static str>) {
    match reason {
        FinishReason::Stop | FinishReason::StopSequence | FinishReason::ToolCalls => (super::COMPLETED, None),
        FinishReason::Length | FinishReason::Refused => (super::INCOMPLETE, Some(finish_word(reason))),
    }
}

fn response_id(id: &str) -> String {
    format!("resp_{}", bare_id(id))
}

/// The fields of the request that stand in its answer too, with the API's defaults where the client left them out.
fn echo(asked: &Map<String, Value>) -> Map<String, Value> {
    let defaults = [
        ("background", json!(false)),
        ("instructions", Value::Null),
        ("max_output_tokens", Value::Null),
        ("max_tool_calls", Value::Null),
        ("metadata", json!({})),
        ("parallel_tool_calls", json!(true)),
        ("previous_response_id", Value::Null),
        ("prompt_cache_key", Value::Null),
        ("reasoning", json!({"effort": null, "summary": null})),
        ("safety_identifier", Value::Null),
        ("temperature", json!(1.0)),
        ("text", json!({"format": {"type": "text"}})),
        ("tool_choice", json!("auto")),
        ("tools", json!([])),
        ("top_logprobs", json!(0)),
        ("top_p", json!(1.0)),
        ("user", Value::Null),
    ];
    let mut echo = Map::new();
    for (key, default) in defaults {
        let value = asked.get(key).filter(|value| !value.is_null()).cloned().unwrap_or(default);
        echo.insert(key.to_owned(), value);
    }
    if let Some(Value::Object(text)) = echo.get_mut("text") {
        text.entry("format").or_insert_with(|| json!({"type": "text"}));
    }
    // Whatever was asked for: nothing was kept, and a prompt that is too long was not cut.
    echo.insert("store".to_owned(), json!(false));
    echo.insert("truncation".to_owned(), json!("disabled"));
    echo
}
