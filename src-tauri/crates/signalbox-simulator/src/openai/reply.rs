//! `OpenAI` answers: one completion object, or chunks ending with `[DONE]`.

use serde::Serialize;
use serde_json::Value;

use crate::answer::{Answer, Stop};
use crate::dials::{Dials, UsagePlacement};
use crate::script::{Frame, FrameWriter, write_json};

/// `created` of every answer. The simulator has no clock, so that answers repeat byte for byte.
/// Units: seconds since 1970.
const CREATED: u64 = 1_760_000_000;
/// Characters of a tool call's arguments in one chunk.
const ARGUMENT_FRAGMENT: usize = 8;
/// The reasoning shown when a dial asks for it.
pub(crate) const REASONING_TEXT: &str = "Let me think about it.";

/// What an answer is written from.
#[derive(Debug)]
pub(crate) struct Reply<'a> {
    pub seq: u64,
    pub model: &'a str,
    pub answer: &'a Answer,
    /// None when no usage is reported.
    pub usage: Option<&'a Value>,
    pub include_usage: bool,
    pub dials: &'a Dials,
}

#[derive(Serialize)]
struct Completion<'a> {
    id: &'a str,
    object: &'static str,
    created: u64,
    model: &'a str,
    choices: [CompletionChoice<'a>; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<&'a Value>,
    service_tier: &'static str,
    system_fingerprint: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    x_sim_extra: Option<Extra>,
}

#[derive(Serialize)]
struct CompletionChoice<'a> {
    index: u32,
    message: Message<'a>,
    logprobs: (),
    finish_reason: &'static str,
}

#[derive(Serialize)]
struct Message<'a> {
    role: &'static str,
    content: Option<&'a str>,
    refusal: Option<&'a str>,
    annotations: [(); 0],
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_content: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_calls: Vec<Call<'a>>,
}

#[derive(Serialize)]
struct Call<'a> {
    id: String,
    #[serde(rename = "type")]
    kind: &'static str,
    function: Function<'a>,
}

#[derive(Serialize)]
struct Function<'a> {
    name: &'a str,
    arguments: &'a str,
}

#[derive(Serialize)]
struct Chunk<'a> {
    id: &'a str,
    object: &'static str,
    created: u64,
    model: &'a str,
    service_tier: &'static str,
    system_fingerprint: &'static str,
    choices: &'a [ChunkChoice<'a>],
    /// Absent, null, or the usage.
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<OrNull<&'a Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    x_sim_extra: Option<Extra>,
}

#[derive(Serialize)]
struct ChunkChoice<'a> {
    index: u32,
    delta: Delta<'a>,
    logprobs: (),
    finish_reason: Option<&'static str>,
}

/// A field that is present: with a value, or null.
#[derive(Serialize)]
#[serde(untagged)]
enum OrNull<T> {
    Value(T),
    Null,
}

#[derive(Serialize, Default)]
struct Delta<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<OrNull<&'a str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_content: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_calls: Option<[CallDelta<'a>; 1]>,
}

#[derive(Serialize)]
struct CallDelta<'a> {
    index: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    function: FunctionDelta<'a>,
}

#[derive(Serialize)]
struct FunctionDelta<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    arguments: &'a str,
}

/// A field that no published format names.
#[derive(Serialize, Clone, Copy)]
pub(crate) struct Extra {
    note: &'static str,
    nested: [u8; 2],
}

impl Extra {
    pub const fn wanted(dials: &Dials) -> Option<Self> {
        if dials.extra_fields { Some(Self { note: "not in any format", nested: [1, 2] }) } else { None }
    }
}

fn finish_reason(stop: &Stop) -> &'static str {
    match stop {
        Stop::End | Stop::Sequence(_) => "stop",
        Stop::Length => "length",
        Stop::ToolCalls => "tool_calls",
        Stop::Refusal => "content_filter",
    }
}

impl Reply<'_> {
    fn id(&self) -> String {
        format!("chatcmpl-sim-{}", self.seq)
    }

    fn call_id(&self, index: usize) -> String {
        format!("call_sim_{}_{index}", self.seq)
    }

    /// The answer as one object.
    pub fn complete(&self) -> Vec<u8> {
        let calls = self.answer.tool_calls.iter().enumerate();
        let tool_calls: Vec<Call<'_>> = calls
            .map(|(index, call)| Call {
                id: self.call_id(index),
                kind: "function",
                function: Function { name: &call.name, arguments: &call.arguments },
            })
            .collect();
        let content = tool_calls.is_empty().then_some(self.answer.text.as_str());
        let completion = Completion {
            id: &self.id(),
            object: "chat.completion",
            created: CREATED,
            model: self.model,
            choices: [CompletionChoice {
                index: 0,
                message: Message {
                    role: "assistant",
                    content,
                    refusal: None,
                    annotations: [],
                    reasoning_content: self.dials.reasoning_text.then_some(REASONING_TEXT),
                    tool_calls,
                },
                logprobs: (),
                finish_reason: finish_reason(&self.answer.stop),
            }],
            usage: self.usage,
            service_tier: "default",
            system_fingerprint: "fp_simulator",
            x_sim_extra: Extra::wanted(self.dials),
        };
        let mut body = Vec::with_capacity(512 + self.answer.text.len());
        write_json(&mut body, &completion);
        body
    }

    /// The answer as the frames of a stream.
    pub fn stream(&self) -> Vec<Frame> {
        let id = self.id();
        let mut chunks = Chunks { reply: self, id: &id, writer: FrameWriter::default() };
        let calls = &self.answer.tool_calls;
        let opening = if calls.is_empty() { OrNull::Value("") } else { OrNull::Null };
        chunks.delta(Delta { role: Some("assistant"), content: Some(opening), ..Delta::default() }, false);
        if self.dials.reasoning_text {
            chunks.delta(Delta { reasoning_content: Some(REASONING_TEXT), ..Delta::default() }, false);
        }
        for word in self.answer.text.split_inclusive(' ') {
            chunks.delta(Delta { content: Some(OrNull::Value(word)), ..Delta::default() }, true);
        }
        for (index, call) in calls.iter().enumerate() {
            let opening = CallDelta {
                index,
                id: Some(self.call_id(index)),
                kind: Some("function"),
                function: FunctionDelta { name: Some(&call.name), arguments: "" },
            };
            chunks.delta(Delta { tool_calls: Some([opening]), ..Delta::default() }, true);
            for arguments in fragments(&call.arguments) {
                let more = CallDelta {
                    index,
                    id: None,
                    kind: None,
                    function: FunctionDelta { name: None, arguments },
                };
                chunks.delta(Delta { tool_calls: Some([more]), ..Delta::default() }, true);
            }
        }
        chunks.finish()
    }
}

/// The chunks of one stream, written as they are told.
struct Chunks<'a> {
    reply: &'a Reply<'a>,
    id: &'a str,
    writer: FrameWriter,
}

impl Chunks<'_> {
    fn delta(&mut self, delta: Delta<'_>, content: bool) {
        let usage = match self.reply.dials.usage_placement {
            UsagePlacement::EveryChunk => self.reply.usage.map(OrNull::Value),
            _ => self.reply.include_usage.then_some(OrNull::Null),
        };
        self.chunk(&[ChunkChoice { index: 0, delta, logprobs: (), finish_reason: None }], usage, content);
    }

    fn chunk(&mut self, choices: &[ChunkChoice<'_>], usage: Option<OrNull<&Value>>, content: bool) {
        let chunk = Chunk {
            id: self.id,
            object: "chat.completion.chunk",
            created: CREATED,
            model: self.reply.model,
            service_tier: "default",
            system_fingerprint: "fp_simulator",
            choices,
            usage,
            x_sim_extra: Extra::wanted(self.reply.dials),
        };
        self.writer.event(None, &chunk, content);
    }

    /// The chunk with the finish reason, the usage where the dials want it, and `[DONE]`.
    fn finish(mut self) -> Vec<Frame> {
        let reply = self.reply;
        let placement = reply.dials.usage_placement;
        let with_choice = match placement {
            UsagePlacement::LastChoice | UsagePlacement::EveryChunk => reply.usage.map(OrNull::Value),
            UsagePlacement::Separate | UsagePlacement::Twice => reply.include_usage.then_some(OrNull::Null),
        };
        let finish_reason = Some(finish_reason(&reply.answer.stop));
        let last = ChunkChoice { index: 0, delta: Delta::default(), logprobs: (), finish_reason };
        self.chunk(&[last], with_choice, false);
        let separate = match placement {
            UsagePlacement::Separate => 1,
            UsagePlacement::Twice => 2,
            UsagePlacement::LastChoice | UsagePlacement::EveryChunk => 0,
        };
        if let Some(usage) = reply.usage.filter(|_| reply.include_usage) {
            for _ in 0..separate {
                self.chunk(&[], Some(OrNull::Value(usage)), false);
            }
        }
        self.writer.raw(b"data: [DONE]\n\n", false);
        self.writer.frames()
    }
}

/// Pieces of at most [`ARGUMENT_FRAGMENT`] bytes, never inside a character.
pub(crate) fn fragments(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let mut end = ARGUMENT_FRAGMENT.min(rest.len());
        while !rest.is_char_boundary(end) {
            end += 1;
        }
        let (piece, after) = rest.split_at(end);
        rest = after;
        Some(piece)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fragments_rebuild_the_text_and_never_split_a_character() {
        let text = r#"{"city":"Zürich — 東京","n":1}"#;
        assert_eq!(fragments(text).collect::<String>(), text);
        assert!(fragments(text).all(|piece| piece.len() <= ARGUMENT_FRAGMENT + 3));
    }
}
