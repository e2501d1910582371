//! `OpenAI`'s chunks, in and out.

use serde_json::{Map, Value, json};
use signalbox_core::usage::Usage;

use super::{call_id, completion_id, finish_of, finish_word, signature, usage};
use crate::chat::ChatEvent;
use crate::dialect::Decoded;
use crate::failure::ErrorBody;
use crate::sse::write_event;
use crate::tokens::as_u64;

/// The terminal event.
const DONE: &str = "[DONE]";

/// Reads chunks.
#[derive(Debug, Default)]
pub(crate) struct Decoder {
    started: bool,
    id: String,
    calls: Vec<Call>,
}

/// A call that has begun.
#[derive(Debug)]
struct Call {
    index: u64,
    id: Option<String>,
}

impl Decoder {
    /// Reads the data of one event.
    pub fn read(&mut self, data: &str) -> Result<Decoded, String> {
        if data.trim() == DONE {
            return Ok(Decoded { events: vec![ChatEvent::Done], only_usage: false });
        }
        let mut chunk: Value =
            serde_json::from_str(data).map_err(|error| format!("a chunk is no JSON: {error}"))?;
        if !chunk.is_object() {
            return Err("a chunk is no JSON object".to_owned());
        }
        if chunk.get("error").is_some_and(|error| !error.is_null()) {
            let error = ErrorBody::of_json(&chunk).into_error(None, None, None);
            return Ok(Decoded { events: vec![ChatEvent::Failed(error)], only_usage: false });
        }
        let mut events = Vec::with_capacity(2);
        self.start(&chunk, &mut events);
        let report = usage::of_answer(&chunk);
        let choices = match chunk.get_mut("choices").map(Value::take) {
            Some(Value::Array(choices)) => choices,
            _ => Vec::new(),
        };
        let only_usage = choices.is_empty() && report.is_some();
        for choice in choices {
            self.choice(choice, &mut events);
        }
        events.extend(report.map(ChatEvent::Usage));
        Ok(Decoded { events, only_usage })
    }

    fn start(&mut self, chunk: &Value, events: &mut Vec<ChatEvent>) {
        if self.started {
            return;
        }
        self.started = true;
        let text = |key| chunk.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        self.id = text("id");
        let created = chunk.get("created").and_then(Value::as_i64);
        events.push(ChatEvent::Start { id: self.id.clone(), model: text("model"), created });
    }

    fn choice(&mut self, mut choice: Value, events: &mut Vec<ChatEvent>) {
        let first = choice.get("index").and_then(Value::as_u64).unwrap_or(0) == 0;
        let finish = choice.get("finish_reason").and_then(Value::as_str).map(finish_of);
        if let Some(Value::Object(delta)) = choice.get_mut("delta").map(Value::take) {
            if first { self.delta(delta, events) } else { events.push(other_choice(&delta)) }
        }
        events.extend(finish.filter(|_| first).map(ChatEvent::Finish));
    }

    fn delta(&mut self, mut delta: Map<String, Value>, events: &mut Vec<ChatEvent>) {
        let thought =
            taken_text(&mut delta, "reasoning_content").or_else(|| taken_text(&mut delta, "reasoning"));
        events.extend(thought.map(ChatEvent::Thinking));
        events.extend(taken_text(&mut delta, "content").map(ChatEvent::Text));
        events.extend(taken_text(&mut delta, "refusal").map(ChatEvent::Refusal));
        match delta.remove("tool_calls") {
            Some(Value::Array(calls)) => {
                for call in calls {
                    self.call(call, events);
                }
            }
            _ => {
                if let Some(call @ Value::Object(_)) = delta.remove("function_call") {
                    self.call(json!({"index": 0, "function": call}), events);
                }
            }
        }
    }

    /// One piece of a call.
    fn call(&mut self, mut call: Value, events: &mut Vec<ChatEvent>) {
        let id = call.get("id").and_then(Value::as_str).filter(|id| !id.is_empty()).map(str::to_owned);
        let name = call.pointer("/function/name").and_then(Value::as_str).filter(|name| !name.is_empty());
        let index = call.get("index").and_then(Value::as_u64);
        let begun = self.begun(index, id.as_deref(), name.is_some());
        let ordinal = begun.unwrap_or(self.calls.len());
        if begun.is_none() {
            let name = name.unwrap_or_default().to_owned();
            events.push(ChatEvent::ToolStart {
                index: ordinal,
                id: call_id(id.as_deref(), &self.id, ordinal),
                name,
            });
            self.calls.push(Call { index: index.unwrap_or_else(|| as_u64(ordinal)), id });
        }
        let fragment = match call.pointer_mut("/function/arguments").map(Value::take) {
            Some(Value::String(fragment)) => fragment,
            Some(whole @ Value::Object(_)) => whole.to_string(),
            _ => return,
        };
        if !fragment.is_empty() {
            events.push(ChatEvent::ToolArguments { index: ordinal, fragment });
        }
    }

    /// Which call a piece goes on with; `None` when it begins one.
    ///
    /// Some servers send each call whole and leave its index out, or give every call index 0 and only the id differs.
    fn begun(&self, index: Option<u64>, id: Option<&str>, named: bool) -> Option<usize> {
        let found = match index {
            Some(index) => self.calls.iter().rposition(|call| call.index == index)?,
            None if named => return None,
            None => self.calls.len().checked_sub(1)?,
        };
        let same =
            !named || id.is_none() || self.calls.get(found).is_some_and(|call| call.id.as_deref() == id);
        same.then_some(found)
    }
}

/// The non-empty text at `key`; `Mistral` sends a list of text parts.
fn taken_text(delta: &mut Map<String, Value>, key: &str) -> Option<String> {
    let text = match delta.remove(key)? {
        Value::String(text) => text,
        Value::Array(parts) => {
            parts.iter().filter_map(|part| part.get("text").and_then(Value::as_str)).collect::<String>()
        }
        _ => return None,
    };
    (!text.is_empty()).then_some(text)
}

fn other_choice(delta: &Map<String, Value>) -> ChatEvent {
    let call = || delta.get("tool_calls").map(Value::to_string);
    let text = delta.get("content").and_then(Value::as_str).map(str::to_owned).or_else(call);
    ChatEvent::OtherChoice(text.unwrap_or_default())
}

/// Writes chunks for an answer that came in another dialect.
#[derive(Debug)]
pub(crate) struct Encoder {
    id: String,
    model: String,
    created: i64,
    wants_usage: bool,
    /// Of the call that is about to begin.
    signature: Option<String>,
}

impl Encoder {
    /// For a client that asked for `model`; `created` is when the provider answered, in seconds since the Unix epoch.
    pub fn new(model: &str, created: i64, wants_usage: bool) -> Self {
        Self { id: String::new(), model: model.to_owned(), created, wants_usage, signature: None }
    }

    /// Writes what `event` is here, if it has a form.
    pub fn write(&mut self, event: &ChatEvent, out: &mut Vec<u8>) {
        match event {
            ChatEvent::Start { id, model, created } => {
                self.id = completion_id(id);
                if !model.is_empty() {
                    self.model.clone_from(model);
                }
                self.created = created.unwrap_or(self.created);
                self.delta(&json!({"role": "assistant", "content": "", "refusal": null}), None, out);
            }
            ChatEvent::Text(text) => self.delta(&json!({"content": text}), None, out),
            ChatEvent::Refusal(text) => self.delta(&json!({"refusal": text}), None, out),
            ChatEvent::Thinking(text) => self.delta(&json!({"reasoning_content": text}), None, out),
            ChatEvent::ToolStart { index, id, name } => {
                let call = json!({
                    "index": index, "id": id, "type": "function", "function": {"name": name, "arguments": ""},
                });
                let call = signature::written(call, self.signature.take().as_deref());
                self.delta(&json!({"tool_calls": [call]}), None, out);
            }
            ChatEvent::ToolArguments { index, fragment } => {
                let call = json!({"index": index, "function": {"arguments": fragment}});
                self.delta(&json!({"tool_calls": [call]}), None, out);
            }
            ChatEvent::Finish(finish) => self.delta(&json!({}), Some(finish_word(finish.reason)), out),
            ChatEvent::Signature(signature) => self.signature = Some(signature.clone()),
            ChatEvent::OtherChoice(_) | ChatEvent::Usage(_) | ChatEvent::Failed(_) | ChatEvent::Done => {}
        }
    }

    /// Writes the usage chunk, if the client asked for it, and the terminal event.
    pub fn finish(&mut self, usage: &Usage, out: &mut Vec<u8>) {
        if self.wants_usage {
            self.chunk(&json!([]), &usage::write(usage), out);
        }
        write_event(out, None, DONE);
    }

    fn delta(&self, delta: &Value, finish: Option<&str>, out: &mut Vec<u8>) {
        let choices = json!([{"index": 0, "delta": delta, "logprobs": null, "finish_reason": finish}]);
        self.chunk(&choices, &Value::Null, out);
    }

    fn chunk(&self, choices: &Value, usage: &Value, out: &mut Vec<u8>) {
        let mut chunk = json!({
            "id": self.id,
            "object": "chat.completion.chunk",
            "created": self.created,
            "model": self.model,
            "choices": choices,
        });
        if self.wants_usage {
            chunk["usage"] = usage.clone();
        }
        write_event(out, None, &chunk.to_string());
    }
}
