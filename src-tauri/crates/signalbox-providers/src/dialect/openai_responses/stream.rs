//! The provider's events.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use signalbox_core::failure::FailureKind;

use super::response::{THOUGHTS_APART, created};
use super::{finish_of, usage};
use crate::chat::ChatEvent;
use crate::dialect::Decoded;
use crate::failure::{ErrorBody, failed};

/// Reads events.
#[derive(Debug, Default)]
pub(crate) struct Decoder {
    /// Calls of the client's tools by the index of their item.
    calls: BTreeMap<u64, Call>,
}

#[derive(Debug)]
struct Call {
    index: usize,
    has_arguments: bool,
}

impl Decoder {
    /// Reads the data of one event.
    pub fn read(&mut self, data: &str) -> Result<Decoded, String> {
        let mut event: Value =
            serde_json::from_str(data).map_err(|error| format!("an event is no JSON: {error}"))?;
        let kind = event.get("type").and_then(Value::as_str).unwrap_or_default().to_owned();
        let mut events = Vec::with_capacity(2);
        match kind.as_str() {
            "response.created" => events.push(start(&event)),
            "response.output_text.delta" => push_text(&mut event, ChatEvent::Text, &mut events),
            "response.refusal.delta" => push_text(&mut event, ChatEvent::Refusal, &mut events),
            "response.reasoning_summary_text.delta" | "response.reasoning_text.delta" => {
                push_text(&mut event, ChatEvent::Thinking, &mut events);
            }
            "response.reasoning_summary_part.added" if index(&event, "summary_index") > 0 => {
                events.push(ChatEvent::Thinking(THOUGHTS_APART.to_owned()));
            }
            "response.output_item.added" => self.item_added(&event, &mut events),
            "response.function_call_arguments.delta" => self.arguments(&mut event, "delta", &mut events),
            "response.function_call_arguments.done" => self.arguments(&mut event, "arguments", &mut events),
            "response.output_item.done" => self.item_done(&mut event, &mut events),
            // What only this API has is content all the same: its client has begun to receive an answer.
            "response.custom_tool_call_input.delta"
            | "response.mcp_call_arguments.delta"
            | "response.code_interpreter_call_code.delta"
            | "response.audio.transcript.delta" => push_text(&mut event, ChatEvent::OtherChoice, &mut events),
            "response.completed" | "response.incomplete" => self.end(&event, &mut events)?,
            "response.failed" | "response.cancelled" => events.extend(failure(&event)),
            "error" => {
                events.push(ChatEvent::Failed(ErrorBody::of_json(&event).into_error(None, None, None)));
            }
            // An answer that is queued, begun or kept alive has said nothing yet; what is added later is passed over.
            _ if event.is_object() => {}
            _ => return Err("an event is no JSON object".to_owned()),
        }
        Ok(Decoded { events, only_usage: false })
    }

    fn item_added(&mut self, event: &Value, events: &mut Vec<ChatEvent>) {
        let Some(item) = event.get("item").filter(|item| is_call(item)) else { return };
        let text = |key| item.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let index = self.calls.len();
        events.push(ChatEvent::ToolStart { index, id: text("call_id"), name: text("name") });
        self.calls.insert(output_index(event), Call { index, has_arguments: false });
    }

    /// A piece of a call's arguments, or all of them where no piece came before.
    fn arguments(&mut self, event: &mut Value, key: &str, events: &mut Vec<ChatEvent>) {
        let Some(call) = self.calls.get_mut(&output_index(event)) else { return };
        if key == "arguments" && call.has_arguments {
            return;
        }
        let fragment = taken(event.get_mut(key));
        if !fragment.is_empty() {
            call.has_arguments = true;
            events.push(ChatEvent::ToolArguments { index: call.index, fragment });
        }
    }

    fn item_done(&mut self, event: &mut Value, events: &mut Vec<ChatEvent>) {
        if !event.get("item").is_some_and(is_call) {
            return;
        }
        if !self.calls.contains_key(&output_index(event)) {
            self.item_added(event, events);
        }
        let at = output_index(event);
        if let Some(item) = event.get_mut("item") {
            let arguments = taken(item.get_mut("arguments"));
            let mut whole = json!({"output_index": at, "arguments": arguments});
            self.arguments(&mut whole, "arguments", events);
        }
    }

    fn end(&self, event: &Value, events: &mut Vec<ChatEvent>) -> Result<(), String> {
        let response = event.get("response").unwrap_or(&Value::Null);
        let finish = finish_of(response, !self.calls.is_empty())
            .ok_or("the last event's answer has not ended".to_owned())?;
        events.push(ChatEvent::Finish(finish));
        events.extend(usage::of_answer(response).map(ChatEvent::Usage));
        events.push(ChatEvent::Done);
        Ok(())
    }
}

fn start(event: &Value) -> ChatEvent {
    let text = |path| event.pointer(path).and_then(Value::as_str).unwrap_or_default().to_owned();
    let created = event.get("response").and_then(created);
    ChatEvent::Start { id: text("/response/id"), model: text("/response/model"), created }
}

/// What was used up to there, if it says so, and why the provider gave up.
fn failure(event: &Value) -> Vec<ChatEvent> {
    let response = event.get("response").unwrap_or(&Value::Null);
    let error = match response.get("error") {
        Some(error) if !error.is_null() => ErrorBody::of_json(response).into_error(None, None, None),
        _ => failed(FailureKind::ServerError, None, "the provider gave up its answer without saying why"),
    };
    let used = usage::of_answer(response).map(ChatEvent::Usage);
    used.into_iter().chain([ChatEvent::Failed(error)]).collect()
}

fn is_call(item: &Value) -> bool {
    item.get("type").and_then(Value::as_str) == Some("function_call")
}

fn index(event: &Value, key: &str) -> u64 {
    event.get(key).and_then(Value::as_u64).unwrap_or_default()
}

fn output_index(event: &Value) -> u64 {
    index(event, "output_index")
}

fn taken(text: Option<&mut Value>) -> String {
    match text.map(Value::take) {
        Some(Value::String(text)) => text,
        _ => String::new(),
    }
}

fn push_text(event: &mut Value, kind: fn(String) -> ChatEvent, events: &mut Vec<ChatEvent>) {
    let text = taken(event.get_mut("delta"));
    if !text.is_empty() {
        events.push(kind(text));
    }
}
