//! Gemini answers: one response object, or chunks that are each one, with no terminal event.

use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::answer::{Answer, Stop};
use crate::dials::Dials;
use crate::openai::reply::{Extra, REASONING_TEXT};
use crate::prompt::TOOL_CALL_TOKENS;
use crate::script::{Frame, FrameWriter, write_json};

/// What signs the simulator's thoughts.
pub(crate) const SIGNATURE: &str = "c2ltdWxhdGVk";

/// What an answer is written from.
#[derive(Debug)]
pub(crate) struct Reply<'a> {
    pub seq: u64,
    pub model: &'a str,
    pub answer: &'a Answer,
    /// None when no usage is reported.
    pub usage: Option<&'a Value>,
    /// Whether the client asked to see thoughts.
    pub shows_thoughts: bool,
    /// Whether the prompt is refused.
    pub blocked: bool,
    pub dials: &'a Dials,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Response<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    candidates: Option<[Candidate<'a>; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prompt_feedback: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    usage_metadata: Option<Value>,
    model_version: &'a str,
    response_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    x_sim_extra: Option<Extra>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Candidate<'a> {
    content: Content<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    finish_reason: Option<&'static str>,
    index: u32,
}

#[derive(Serialize)]
struct Content<'a> {
    parts: Vec<Part<'a>>,
    role: &'static str,
}

#[derive(Serialize, Default)]
#[serde(rename_all = "camelCase")]
struct Part<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    thought: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    function_call: Option<FunctionCall<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    thought_signature: Option<&'static str>,
}

#[derive(Serialize)]
struct FunctionCall<'a> {
    id: String,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    args: Option<&'a RawValue>,
}

fn finish_reason(stop: &Stop) -> &'static str {
    match stop {
        // Google has one word for every end that was meant.
        Stop::End | Stop::Sequence(_) | Stop::ToolCalls => "STOP",
        Stop::Length => "MAX_TOKENS",
        Stop::Refusal => "SAFETY",
    }
}

impl<'a> Reply<'a> {
    fn response(
        &self,
        parts: Vec<Part<'a>>,
        finish: Option<&'static str>,
        usage: Option<Value>,
    ) -> Response<'a> {
        let candidate =
            Candidate { content: Content { parts, role: "model" }, finish_reason: finish, index: 0 };
        Response {
            candidates: (!self.blocked).then_some([candidate]),
            prompt_feedback: self.blocked.then(|| json!({"blockReason": "PROHIBITED_CONTENT"})),
            usage_metadata: usage,
            model_version: self.model,
            response_id: format!("sim{}", self.seq),
            x_sim_extra: Extra::wanted(self.dials),
        }
    }

    fn thoughts(&self) -> Option<Part<'a>> {
        let shown = self.dials.reasoning_text && self.shows_thoughts;
        shown.then(|| Part { text: Some(REASONING_TEXT), thought: true, ..Part::default() })
    }

    fn call(&self, index: usize) -> Option<Part<'a>> {
        let call = self.answer.tool_calls.get(index)?;
        let function_call = FunctionCall {
            id: format!("sim{}call{index}", self.seq),
            name: &call.name,
            args: serde_json::from_str(&call.arguments).ok(),
        };
        // Of several calls only the first is signed.
        let thought_signature = (index == 0).then_some(SIGNATURE);
        Some(Part { function_call: Some(function_call), thought_signature, ..Part::default() })
    }

    /// The answer as one object.
    pub fn complete(&self) -> Vec<u8> {
        let mut parts = Vec::new();
        parts.extend(self.thoughts());
        if !self.answer.text.is_empty() {
            parts.push(Part { text: Some(&self.answer.text), ..Part::default() });
        }
        parts.extend((0..self.answer.tool_calls.len()).filter_map(|index| self.call(index)));
        let response = self.response(parts, Some(finish_reason(&self.answer.stop)), self.usage.cloned());
        let mut body = Vec::with_capacity(512 + self.answer.text.len());
        write_json(&mut body, &response);
        body
    }

    /// The answer as the chunks of a stream: a word or a call in each, what is used up to there beside it, and last the
    /// reason why the model stopped.
    fn chunks(&self) -> Vec<(Response<'a>, bool)> {
        if self.blocked {
            return vec![(self.response(Vec::new(), None, self.usage.cloned()), false)];
        }
        let mut chunks = Vec::new();
        let mut visible = 0;
        if let Some(thoughts) = self.thoughts() {
            chunks.push((self.response(vec![thoughts], None, self.so_far(visible)), false));
        }
        for word in self.answer.text.split_inclusive(' ') {
            visible += 1;
            let part = Part { text: Some(word), ..Part::default() };
            chunks.push((self.response(vec![part], None, self.so_far(visible)), true));
        }
        for call in (0..self.answer.tool_calls.len()).filter_map(|index| self.call(index)) {
            visible += TOOL_CALL_TOKENS;
            chunks.push((self.response(vec![call], None, self.so_far(visible)), true));
        }
        let end = vec![Part { text: Some(""), ..Part::default() }];
        let finish = Some(finish_reason(&self.answer.stop));
        chunks.push((self.response(end, finish, self.usage.cloned()), false));
        chunks
    }

    /// The answer as the frames of a stream of events.
    pub fn stream(&self) -> Vec<Frame> {
        let mut writer = FrameWriter::default();
        for (chunk, content) in self.chunks() {
            writer.event(None, &chunk, content);
        }
        writer.frames()
    }

    /// The answer as the list of chunks that clients get who do not ask for events.
    pub fn list(&self) -> Vec<u8> {
        let chunks = self.chunks().into_iter().map(|(chunk, _)| chunk).collect::<Vec<_>>();
        let mut body = Vec::with_capacity(1024);
        write_json(&mut body, &chunks);
        body
    }

    /// The usage after so many visible tokens. Reports that lie stay as they are.
    fn so_far(&self, visible: u64) -> Option<Value> {
        let mut usage = self.usage?.clone();
        let count = |key: &str| usage.get(key).map_or(Some(0), Value::as_u64);
        let known = [count("promptTokenCount"), count("candidatesTokenCount"), count("thoughtsTokenCount")];
        let [Some(prompt), Some(said), Some(thought)] = known else { return Some(usage) };
        let said = said.min(visible);
        usage["candidatesTokenCount"] = json!(said);
        usage["totalTokenCount"] = json!(prompt.saturating_add(said).saturating_add(thought));
        Some(usage)
    }
}
