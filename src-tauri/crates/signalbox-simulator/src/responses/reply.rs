//! Answers on the Responses wire: one response object, or the events that build it.

use serde_json::{Value, json};

use crate::answer::{Answer, Stop};
use crate::dials::Dials;
use crate::openai::reply::{Extra, REASONING_TEXT, fragments};
use crate::script::{Frame, FrameWriter, write_json};

/// `created_at` of every answer. The simulator has no clock, so that answers repeat byte for byte.
/// Units: seconds since 1970.
const CREATED: u64 = 1_760_000_000;

/// What an answer is written from.
#[derive(Debug)]
pub(crate) struct Reply<'a> {
    pub seq: u64,
    pub model: &'a str,
    pub answer: &'a Answer,
    /// None when no usage is reported.
    pub usage: Option<&'a Value>,
    /// Whether the provider's own tool looks the answer up first.
    pub searches: bool,
    pub dials: &'a Dials,
}

/// How an answer ended, and why it is incomplete if it is.
const fn status(stop: &Stop) -> (&'static str, Option<&'static str>) {
    match stop {
        Stop::End | Stop::Sequence(_) | Stop::ToolCalls => ("completed", None),
        Stop::Length => ("incomplete", Some("max_output_tokens")),
        Stop::Refusal => ("incomplete", Some("content_filter")),
    }
}

impl Reply<'_> {
    /// The answer as one object.
    pub fn complete(&self) -> Vec<u8> {
        let mut body = Vec::with_capacity(1024 + self.answer.text.len());
        write_json(&mut body, &self.ended());
        body
    }

    /// The answer as the frames of a stream.
    pub fn stream(&self) -> Vec<Frame> {
        let mut events = Events { writer: FrameWriter::default(), sequence: 0, index: 0 };
        let begun = self.response("in_progress", None, &[], None);
        events.write("response.created", json!({"response": begun}), false);
        events.write("response.in_progress", json!({"response": begun}), false);
        if self.dials.reasoning_text {
            self.stream_thought(&mut events);
        }
        if self.searches {
            self.stream_search(&mut events);
        }
        if self.says() {
            self.stream_text(&mut events);
        }
        for index in 0..self.answer.tool_calls.len() {
            self.stream_call(index, &mut events);
        }
        let (word, _) = status(&self.answer.stop);
        let response = json!({"response": self.ended()});
        events.write(&format!("response.{word}"), response, false);
        events.writer.frames()
    }

    fn stream_thought(&self, events: &mut Events) {
        let mut item = self.thought();
        let place = json!({"item_id": item["id"], "output_index": events.index, "summary_index": 0});
        let done = item.clone();
        item["summary"] = json!([]);
        events.item_added(&item);
        let part = |text: &str| json!({"part": {"type": "summary_text", "text": text}});
        events.write("response.reasoning_summary_part.added", with(&place, part("")), false);
        let delta = json!({"delta": REASONING_TEXT});
        events.write("response.reasoning_summary_text.delta", with(&place, delta), false);
        let text = json!({"text": REASONING_TEXT});
        events.write("response.reasoning_summary_text.done", with(&place, text), false);
        events.write("response.reasoning_summary_part.done", with(&place, part(REASONING_TEXT)), false);
        events.item_done(&done);
    }

    fn stream_search(&self, events: &mut Events) {
        let done = self.search();
        events.item_added(&json!({"id": done["id"], "type": "web_search_call", "status": "in_progress"}));
        for step in ["in_progress", "searching", "completed"] {
            let place = json!({"item_id": done["id"], "output_index": events.index});
            events.write(&format!("response.web_search_call.{step}"), place, false);
        }
        events.item_done(&done);
    }

    fn stream_text(&self, events: &mut Events) {
        let done = self.message();
        let mut item = done.clone();
        (item["content"], item["status"]) = (json!([]), json!("in_progress"));
        let place = json!({"item_id": done["id"], "output_index": events.index, "content_index": 0});
        events.item_added(&item);
        let refuses = self.answer.stop == Stop::Refusal;
        let (kind, key) = if refuses { ("refusal", "refusal") } else { ("output_text", "text") };
        let empty = json!({"part": self.part("")});
        events.write("response.content_part.added", with(&place, empty), false);
        for word in self.answer.text.split_inclusive(' ') {
            let mut delta = with(&place, json!({"delta": word}));
            if !refuses {
                delta["logprobs"] = json!([]);
            }
            events.write(&format!("response.{kind}.delta"), delta, true);
        }
        let mut text = with(&place, json!({key: self.answer.text}));
        if !refuses {
            text["logprobs"] = json!([]);
        }
        events.write(&format!("response.{kind}.done"), text, false);
        let part = json!({"part": self.part(&self.answer.text)});
        events.write("response.content_part.done", with(&place, part), false);
        events.item_done(&done);
    }

    fn stream_call(&self, index: usize, events: &mut Events) {
        let done = self.call(index);
        let mut item = done.clone();
        (item["arguments"], item["status"]) = (json!(""), json!("in_progress"));
        let place = json!({"item_id": done["id"], "output_index": events.index});
        // It is the call's first content, as it is on the other wires.
        events.write("response.output_item.added", json!({"output_index": events.index, "item": item}), true);
        for delta in fragments(done["arguments"].as_str().unwrap_or_default()) {
            let delta = with(&place, json!({"delta": delta}));
            events.write("response.function_call_arguments.delta", delta, true);
        }
        let whole = json!({"name": done["name"], "arguments": done["arguments"]});
        events.write("response.function_call_arguments.done", with(&place, whole), false);
        events.item_done(&done);
    }

    fn says(&self) -> bool {
        !self.answer.text.is_empty()
    }

    /// The response at its end.
    fn ended(&self) -> Value {
        let (word, reason) = status(&self.answer.stop);
        let mut output = Vec::new();
        output.extend(self.dials.reasoning_text.then(|| self.thought()));
        output.extend(self.searches.then(|| self.search()));
        output.extend(self.says().then(|| self.message()));
        output.extend((0..self.answer.tool_calls.len()).map(|index| self.call(index)));
        self.response(word, reason, &output, self.usage)
    }

    fn response(
        &self,
        status: &str,
        incomplete: Option<&str>,
        output: &[Value],
        usage: Option<&Value>,
    ) -> Value {
        let mut response = json!({
            "id": format!("resp_sim_{}", self.seq),
            "object": "response",
            "created_at": CREATED,
            "status": status,
            "background": false,
            "error": null,
            "incomplete_details": incomplete.map(|reason| json!({"reason": reason})),
            "instructions": null,
            "max_output_tokens": null,
            "metadata": {},
            "model": self.model,
            "output": output,
            "parallel_tool_calls": true,
            "previous_response_id": null,
            "reasoning": {"effort": null, "summary": null},
            "service_tier": "default",
            "store": false,
            "temperature": 1.0,
            "text": {"format": {"type": "text"}},
            "tool_choice": "auto",
            "tools": [],
            "top_p": 1.0,
            "truncation": "disabled",
            "usage": usage,
        });
        if let Some(extra) = Extra::wanted(self.dials) {
            response["x_sim_extra"] = json!(extra);
        }
        response
    }

    fn thought(&self) -> Value {
        let summary = [json!({"type": "summary_text", "text": REASONING_TEXT})];
        json!({"id": format!("rs_sim_{}", self.seq), "type": "reasoning", "summary": summary})
    }

    fn search(&self) -> Value {
        json!({
            "id": format!("ws_sim_{}", self.seq),
            "type": "web_search_call",
            "status": "completed",
            "action": {"type": "search", "queries": ["simulated"]},
        })
    }

    fn message(&self) -> Value {
        json!({
            "id": format!("msg_sim_{}", self.seq),
            "type": "message",
            "status": status(&self.answer.stop).0,
            "role": "assistant",
            "content": [self.part(&self.answer.text)],
        })
    }

    fn part(&self, text: &str) -> Value {
        if self.answer.stop == Stop::Refusal {
            json!({"type": "refusal", "refusal": text})
        } else {
            json!({"type": "output_text", "text": text, "annotations": [], "logprobs": []})
        }
    }

    fn call(&self, index: usize) -> Value {
        let call = self.answer.tool_calls.get(index);
        json!({
            "id": format!("fc_sim_{}_{index}", self.seq),
            "type": "function_call",
            "status": "completed",
            "call_id": format!("call_sim_{}_{index}", self.seq),
            "name": call.map(|call| call.name.as_str()),
            "arguments": call.map(|call| call.arguments.as_str()),
        })
    }
}

/// The events of one stream, written as they are told.
struct Events {
    writer: FrameWriter,
    sequence: u64,
    /// Of the item being written.
    index: usize,
}

impl Events {
    fn item_added(&mut self, item: &Value) {
        let added = json!({"output_index": self.index, "item": item});
        self.write("response.output_item.added", added, false);
    }

    fn item_done(&mut self, item: &Value) {
        let done = json!({"output_index": self.index, "item": item});
        self.write("response.output_item.done", done, false);
        self.index += 1;
    }

    fn write(&mut self, kind: &str, fields: Value, content: bool) {
        let event = with(&json!({"type": kind, "sequence_number": self.sequence}), fields);
        self.writer.event(Some(kind), &event, content);
        self.sequence += 1;
    }
}

/// `fields` and `more` in one object.
fn with(fields: &Value, more: Value) -> Value {
    let mut all = fields.clone();
    if let (Some(all), Value::Object(more)) = (all.as_object_mut(), more) {
        all.extend(more);
    }
    all
}
