//! Anthropic's events, in and out.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use signalbox_core::usage::Usage;

use super::{finish_of, finish_word, message_id, usage};
use crate::chat::{ChatEvent, Finish, FinishReason};
use crate::dialect::Decoded;
use crate::dialect::gemini::signature_of;
use crate::failure::ErrorBody;
use crate::sse::write_event;

/// Reads events.
#[derive(Debug, Default)]
pub(crate) struct Decoder {
    usage: Map<String, Value>,
    /// Open calls of the client's tools by the index of their block.
    calls: BTreeMap<u64, Call>,
    calls_begun: usize,
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
        let index = event.get("index").and_then(Value::as_u64).unwrap_or_default();
        let mut events = Vec::with_capacity(2);
        match kind.as_str() {
            "message_start" => self.message_start(&event, &mut events),
            "content_block_start" => self.block_start(index, event.get_mut("content_block"), &mut events),
            "content_block_delta" => self.block_delta(index, event.get_mut("delta"), &mut events),
            "content_block_stop" => self.block_stop(index, &mut events),
            "message_delta" => self.message_delta(&event, &mut events),
            "message_stop" => events.push(ChatEvent::Done),
            "error" => {
                events.push(ChatEvent::Failed(ErrorBody::of_json(&event).into_error(None, None, None)));
            }
            // `ping`, and whatever is added later: the API asks clients to pass over events they do not know.
            _ if event.is_object() => {}
            _ => return Err("an event is no JSON object".to_owned()),
        }
        Ok(Decoded { events, only_usage: false })
    }

    fn message_start(&mut self, event: &Value, events: &mut Vec<ChatEvent>) {
        let text = |path| event.pointer(path).and_then(Value::as_str).unwrap_or_default().to_owned();
        events.push(ChatEvent::Start {
            id: text("/message/id"),
            model: text("/message/model"),
            created: None,
        });
        if let Some(Value::Object(fields)) = event.pointer("/message/usage") {
            usage::lay_over(&mut self.usage, fields);
            events.push(ChatEvent::Usage(usage::of_fields(&self.usage, false)));
        }
    }

    fn block_start(&mut self, index: u64, block: Option<&mut Value>, events: &mut Vec<ChatEvent>) {
        let Some(block) = block else { return };
        let text = |key| block.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        match block.get("type").and_then(Value::as_str) {
            Some("text") => push_text(text("text"), ChatEvent::Text, events),
            Some("thinking") => push_text(text("thinking"), ChatEvent::Thinking, events),
            Some("tool_use") => {
                let call = Call { index: self.calls_begun, has_arguments: false };
                events.push(ChatEvent::ToolStart { index: call.index, id: text("id"), name: text("name") });
                self.calls_begun = self.calls_begun.saturating_add(1);
                self.calls.insert(index, call);
            }
            // The provider's own tools and their results are no business of a client that speaks another dialect.
            _ => {}
        }
    }

    fn block_delta(&mut self, index: u64, delta: Option<&mut Value>, events: &mut Vec<ChatEvent>) {
        let Some(delta) = delta else { return };
        let kind = delta.get("type").and_then(Value::as_str).unwrap_or_default().to_owned();
        let mut text = |key| match delta.get_mut(key).map(Value::take) {
            Some(Value::String(text)) => text,
            _ => String::new(),
        };
        match kind.as_str() {
            "text_delta" => push_text(text("text"), ChatEvent::Text, events),
            "thinking_delta" => push_text(text("thinking"), ChatEvent::Thinking, events),
            "signature_delta" => push_text(text("signature"), ChatEvent::Signature, events),
            "input_json_delta" => {
                let fragment = text("partial_json");
                if let Some(call) = self.calls.get_mut(&index).filter(|_| !fragment.is_empty()) {
                    call.has_arguments = true;
                    events.push(ChatEvent::ToolArguments { index: call.index, fragment });
                }
            }
            _ => {}
        }
    }

    /// A call without arguments has no fragments here, while other dialects need the text of an empty object.
    fn block_stop(&mut self, index: u64, events: &mut Vec<ChatEvent>) {
        if let Some(call) = self.calls.remove(&index).filter(|call| !call.has_arguments) {
            events.push(ChatEvent::ToolArguments { index: call.index, fragment: "{}".to_owned() });
        }
    }

    fn message_delta(&mut self, event: &Value, events: &mut Vec<ChatEvent>) {
        if let Some(word) = event.pointer("/delta/stop_reason").and_then(Value::as_str) {
            events.push(ChatEvent::Finish(finish_of(word, event.pointer("/delta/stop_sequence"))));
        }
        if let Some(Value::Object(fields)) = event.get("usage") {
            usage::lay_over(&mut self.usage, fields);
            events.push(ChatEvent::Usage(usage::of_fields(&self.usage, true)));
        }
    }
}

fn push_text(text: String, event: fn(String) -> ChatEvent, events: &mut Vec<ChatEvent>) {
    if !text.is_empty() {
        events.push(event(text));
    }
}

/// Writes events for an answer that came in another dialect.
#[derive(Debug)]
pub(crate) struct Encoder {
    model: String,
    shows_thinking: bool,
    open: Option<Block>,
    blocks: usize,
    finish: Option<Finish>,
}

/// A block that has been begun and not ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Block {
    Text,
    Thinking,
    Call(usize),
}

impl Encoder {
    /// For a client that asked for `model`, with or without thinking.
    pub fn new(model: &str, shows_thinking: bool) -> Self {
        Self { model: model.to_owned(), shows_thinking, open: None, blocks: 0, finish: None }
    }

    /// Writes what `event` is here, if it has a form.
    ///
    /// Errors: more of a call after another block has begun. Blocks follow one another here.
    pub fn write(&mut self, event: &ChatEvent, out: &mut Vec<u8>) -> Result<(), String> {
        match event {
            ChatEvent::Start { id, model, .. } => self.start(id, model, out),
            ChatEvent::Text(text) | ChatEvent::Refusal(text) => {
                self.begin(Block::Text, &json!({"type": "text", "text": ""}), out);
                self.delta(&json!({"type": "text_delta", "text": text}), out);
            }
            ChatEvent::Thinking(text) if self.shows_thinking => {
                self.begin(
                    Block::Thinking,
                    &json!({"type": "thinking", "thinking": "", "signature": ""}),
                    out,
                );
                self.delta(&json!({"type": "thinking_delta", "thinking": text}), out);
            }
            // Another vendor's: the client sends it back, as it would Anthropic's own.
            ChatEvent::Signature(signature) if self.shows_thinking && signature_of(signature).is_some() => {
                self.begin(
                    Block::Thinking,
                    &json!({"type": "thinking", "thinking": "", "signature": ""}),
                    out,
                );
                self.delta(&json!({"type": "signature_delta", "signature": signature}), out);
            }
            ChatEvent::ToolStart { index, id, name } => {
                let block = json!({"type": "tool_use", "id": id, "name": name, "input": {}});
                self.begin(Block::Call(*index), &block, out);
            }
            ChatEvent::ToolArguments { index, fragment } => {
                if self.open != Some(Block::Call(*index)) {
                    return Err("the provider went on with a call it had left for another".to_owned());
                }
                self.delta(&json!({"type": "input_json_delta", "partial_json": fragment}), out);
            }
            ChatEvent::Finish(finish) => self.finish = Some(finish.clone()),
            ChatEvent::Thinking(_)
            | ChatEvent::Signature(_)
            | ChatEvent::OtherChoice(_)
            | ChatEvent::Usage(_)
            | ChatEvent::Failed(_)
            | ChatEvent::Done => {}
        }
        Ok(())
    }

    fn start(&mut self, id: &str, model: &str, out: &mut Vec<u8>) {
        let model = if model.is_empty() { &self.model } else { model };
        let message = json!({
            "id": message_id(id),
            "type": "message",
            "role": "assistant",
            "model": model,
            "content": [],
            "stop_reason": null,
            "stop_sequence": null,
            // Other providers count at the end; the totals follow with `message_delta`.
            "usage": usage::write(&Usage::default()),
        });
        write(&json!({"type": "message_start", "message": message}), out);
    }

    fn begin(&mut self, block: Block, content: &Value, out: &mut Vec<u8>) {
        if self.open == Some(block) {
            return;
        }
        self.end_block(out);
        write(&json!({"type": "content_block_start", "index": self.blocks, "content_block": content}), out);
        self.open = Some(block);
    }

    fn delta(&self, delta: &Value, out: &mut Vec<u8>) {
        write(&json!({"type": "content_block_delta", "index": self.blocks, "delta": delta}), out);
    }

    fn end_block(&mut self, out: &mut Vec<u8>) {
        if self.open.take().is_some() {
            write(&json!({"type": "content_block_stop", "index": self.blocks}), out);
            self.blocks = self.blocks.saturating_add(1);
        }
    }

    /// Writes the end of the last block, why the model stopped, what was used, and the terminal event.
    pub fn finish(&mut self, usage: &Usage, out: &mut Vec<u8>) {
        self.end_block(out);
        let finish = self.finish.take();
        let reason = finish.as_ref().map_or(FinishReason::Stop, |finish| finish.reason);
        let stop_sequence = finish.and_then(|finish| finish.stop_sequence);
        let delta = json!({"stop_reason": finish_word(reason), "stop_sequence": stop_sequence});
        write(&json!({"type": "message_delta", "delta": delta, "usage": usage::write(usage)}), out);
        write(&json!({"type": "message_stop"}), out);
    }
}

/// One event, under the name its type gives it.
fn write(event: &Value, out: &mut Vec<u8>) {
    write_event(out, event.get("type").and_then(Value::as_str), &event.to_string());
}
