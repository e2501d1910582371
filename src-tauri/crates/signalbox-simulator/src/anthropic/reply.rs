//! Anthropic answers: one message object, or the events that build it.

use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::answer::{Answer, Stop};
use crate::dials::Dials;
use crate::openai::reply::{Extra, REASONING_TEXT, fragments};
use crate::script::{Frame, FrameWriter, write_json};

/// What an answer is written from.
#[derive(Debug)]
pub(crate) struct Reply<'a> {
    pub seq: u64,
    pub model: &'a str,
    pub answer: &'a Answer,
    /// None when no usage is reported.
    pub usage: Option<&'a Value>,
    pub dials: &'a Dials,
}

#[derive(serde::Serialize)]
struct Message<'a> {
    id: String,
    #[serde(rename = "type")]
    kind: &'static str,
    role: &'static str,
    model: &'a str,
    content: Vec<Block<'a>>,
    stop_reason: Option<&'static str>,
    stop_sequence: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<&'a Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    x_sim_extra: Option<Extra>,
}

#[derive(serde::Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Block<'a> {
    Text { text: &'a str },
    Thinking { thinking: &'a str, signature: &'a str },
    ToolUse { id: String, name: &'a str, input: &'a RawValue },
}

#[derive(serde::Serialize)]
struct BlockDelta<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    index: usize,
    delta: Delta<'a>,
}

#[derive(serde::Serialize)]
#[serde(tag = "type")]
enum Delta<'a> {
    #[serde(rename = "text_delta")]
    Text { text: &'a str },
    #[serde(rename = "thinking_delta")]
    Thinking { thinking: &'a str },
    #[serde(rename = "signature_delta")]
    Signature { signature: &'a str },
    #[serde(rename = "input_json_delta")]
    InputJson { partial_json: &'a str },
}

/// What signs the simulator's thinking.
const SIGNATURE: &str = "c2ltdWxhdGVk";

fn stop_reason(stop: &Stop) -> &'static str {
    match stop {
        Stop::End => "end_turn",
        Stop::Length => "max_tokens",
        Stop::Sequence(_) => "stop_sequence",
        Stop::ToolCalls => "tool_use",
        Stop::Refusal => "refusal",
    }
}

impl<'a> Reply<'a> {
    fn id(&self) -> String {
        format!("msg_sim_{}", self.seq)
    }

    fn tool_id(&self, index: usize) -> String {
        format!("toolu_sim_{}_{index}", self.seq)
    }

    fn stop_sequence(&self) -> Option<&'a str> {
        match &self.answer.stop {
            Stop::Sequence(sequence) => Some(sequence),
            Stop::End | Stop::Length | Stop::ToolCalls | Stop::Refusal => None,
        }
    }

    /// The answer as one object.
    pub fn complete(&self) -> Vec<u8> {
        let mut content = Vec::new();
        if self.dials.reasoning_text {
            content.push(Block::Thinking { thinking: REASONING_TEXT, signature: SIGNATURE });
        }
        if !self.answer.text.is_empty() {
            content.push(Block::Text { text: &self.answer.text });
        }
        for (index, call) in self.answer.tool_calls.iter().enumerate() {
            if let Ok(input) = serde_json::from_str(&call.arguments) {
                content.push(Block::ToolUse { id: self.tool_id(index), name: &call.name, input });
            }
        }
        let message = Message {
            id: self.id(),
            kind: "message",
            role: "assistant",
            model: self.model,
            content,
            stop_reason: Some(stop_reason(&self.answer.stop)),
            stop_sequence: self.stop_sequence(),
            usage: self.usage,
            x_sim_extra: Extra::wanted(self.dials),
        };
        let mut body = Vec::with_capacity(512 + self.answer.text.len());
        write_json(&mut body, &message);
        body
    }

    /// The answer as the frames of a stream.
    pub fn stream(&self) -> Vec<Frame> {
        let mut events = Events { writer: FrameWriter::default(), index: 0 };
        events.start(self);
        if self.dials.reasoning_text {
            events.open(&json!({"type": "thinking", "thinking": "", "signature": ""}));
            events.delta(Delta::Thinking { thinking: REASONING_TEXT }, false);
            events.delta(Delta::Signature { signature: SIGNATURE }, false);
            events.close();
        }
        if !self.answer.text.is_empty() {
            events.open(&json!({"type": "text", "text": ""}));
            events.ping();
            for text in self.answer.text.split_inclusive(' ') {
                events.delta(Delta::Text { text }, true);
            }
            events.close();
        }
        for (index, call) in self.answer.tool_calls.iter().enumerate() {
            events.open(
                &json!({"type": "tool_use", "id": self.tool_id(index), "name": call.name, "input": {}}),
            );
            events.delta(Delta::InputJson { partial_json: "" }, true);
            for partial_json in fragments(&call.arguments) {
                events.delta(Delta::InputJson { partial_json }, true);
            }
            events.close();
        }
        events.finish(self)
    }
}

/// The events of one stream, written as they are told.
struct Events {
    writer: FrameWriter,
    /// Index of the open content block.
    index: usize,
}

impl Events {
    fn start(&mut self, reply: &Reply<'_>) {
        let usage = reply.usage.map(at_start);
        let message = Message {
            id: reply.id(),
            kind: "message",
            role: "assistant",
            model: reply.model,
            content: Vec::new(),
            stop_reason: None,
            stop_sequence: None,
            usage: usage.as_ref(),
            x_sim_extra: Extra::wanted(reply.dials),
        };
        self.event("message_start", &json!({"type": "message_start", "message": message}));
    }

    fn open(&mut self, block: &Value) {
        let event = json!({"type": "content_block_start", "index": self.index, "content_block": block});
        self.event("content_block_start", &event);
    }

    fn delta(&mut self, delta: Delta<'_>, content: bool) {
        let event = BlockDelta { kind: "content_block_delta", index: self.index, delta };
        self.writer.event(Some("content_block_delta"), &event, content);
    }

    fn close(&mut self) {
        self.event("content_block_stop", &json!({"type": "content_block_stop", "index": self.index}));
        self.index += 1;
    }

    fn ping(&mut self) {
        self.writer.raw(b"event: ping\ndata: {\"type\": \"ping\"}\n\n", false);
    }

    fn event(&mut self, name: &str, event: &Value) {
        self.writer.event(Some(name), event, false);
    }

    fn finish(mut self, reply: &Reply<'_>) -> Vec<Frame> {
        let mut event = json!({
            "type": "message_delta",
            "delta": {"stop_reason": stop_reason(&reply.answer.stop), "stop_sequence": reply.stop_sequence()},
        });
        if let Some(usage) = reply.usage {
            event["usage"] = at_end(usage);
        }
        self.event("message_delta", &event);
        self.event("message_stop", &json!({"type": "message_stop"}));
        self.writer.frames()
    }
}

/// The usage that opens a stream: all input, and the one output token of the first event.
fn at_start(usage: &Value) -> Value {
    let mut usage = usage.clone();
    if usage.get("output_tokens").and_then(Value::as_u64).is_some_and(|tokens| tokens > 1) {
        usage["output_tokens"] = json!(1);
    }
    if let Some(fields) = usage.as_object_mut() {
        fields.remove("output_tokens_details");
    }
    usage
}

/// The cumulative usage that closes a stream. It repeats the input, so adding both would count it twice.
fn at_end(usage: &Value) -> Value {
    let mut usage = usage.clone();
    if let Some(fields) = usage.as_object_mut() {
        fields.remove("cache_creation");
        fields.remove("service_tier");
    }
    usage
}
