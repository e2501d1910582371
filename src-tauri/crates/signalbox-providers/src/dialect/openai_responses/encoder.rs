//! Events for an answer that came in another dialect.

use serde_json::{Map, Value, json};
use signalbox_core::usage::Usage;

use super::request::{wants_signatures, wants_summary};
use super::response::{Envelope, is_kept, status};
use super::{COMPLETED, FOREIGN_THOUGHT, IN_PROGRESS, bare_id};
use crate::chat::{ChatEvent, Finish, FinishReason};
use crate::sse::write_event;

/// Longest answer that is repeated at the end of its stream, as this API does. Units: bytes.
const ANSWER_BYTES_MAX: usize = 32 * 1024 * 1024;

/// An item of an answer's output.
#[derive(Debug)]
pub(super) struct Item {
    /// Of the item, not of the call.
    id: String,
    content: Content,
}

#[derive(Debug)]
enum Content {
    Message(Vec<Said>),
    Thought { text: String, signature: Option<String> },
    Call { id: String, name: String, arguments: String },
}

/// A part of a message.
#[derive(Debug)]
enum Said {
    Text(String),
    Refusal(String),
}

impl Item {
    fn new(prefix: &str, index: usize, answer: &str, content: Content) -> Self {
        Self { id: format!("{prefix}{}_{index}", bare_id(answer)), content }
    }

    fn message(index: usize, answer: &str) -> Self {
        Self::new("msg_", index, answer, Content::Message(Vec::new()))
    }

    fn thought(index: usize, answer: &str) -> Self {
        let content = Content::Thought { text: String::new(), signature: None };
        Self::new(FOREIGN_THOUGHT, index, answer, content)
    }

    /// A call, the item at `index` of `answer`.
    pub fn call(index: usize, answer: &str, id: &str, name: &str, arguments: &str) -> Self {
        let content =
            Content::Call { id: id.to_owned(), name: name.to_owned(), arguments: arguments.to_owned() };
        Self::new("fc_", index, answer, content)
    }

    /// The message that `output` ends with, begun if it ends with something else.
    pub fn last_message<'a>(output: &'a mut Vec<Self>, answer: &str) -> &'a mut Self {
        let goes_on = matches!(output.last(), Some(Self { content: Content::Message(_), .. }));
        Self::last_of(output, goes_on, |index| Self::message(index, answer))
    }

    /// The thought that `output` ends with, begun if it ends with something else.
    pub fn last_thought<'a>(output: &'a mut Vec<Self>, answer: &str) -> &'a mut Self {
        let goes_on = matches!(output.last(), Some(Self { content: Content::Thought { .. }, .. }));
        Self::last_of(output, goes_on, |index| Self::thought(index, answer))
    }

    fn last_of(output: &mut Vec<Self>, goes_on: bool, begin: impl FnOnce(usize) -> Self) -> &mut Self {
        if !goes_on {
            output.push(begin(output.len()));
        }
        let last = output.len().saturating_sub(1);
        &mut output[last]
    }

    /// More text of a message. Texts that follow one another are one.
    pub fn say(&mut self, text: &str) {
        let Content::Message(parts) = &mut self.content else { return };
        match parts.last_mut() {
            Some(Said::Text(said)) => said.push_str(text),
            _ => parts.push(Said::Text(text.to_owned())),
        }
    }

    /// More of what a message says to decline.
    pub fn refuse(&mut self, text: &str) {
        let Content::Message(parts) = &mut self.content else { return };
        match parts.last_mut() {
            Some(Said::Refusal(said)) => said.push_str(text),
            _ => parts.push(Said::Refusal(text.to_owned())),
        }
    }

    /// More of a thought.
    pub fn think(&mut self, text: &str) {
        if let Content::Thought { text: thought, .. } = &mut self.content {
            thought.push_str(text);
        }
    }

    /// What its vendor wants back with a thought.
    pub fn sign(&mut self, mark: &str) {
        if let Content::Thought { signature, .. } = &mut self.content {
            *signature = Some(mark.to_owned());
        }
    }

    /// The item as far as it is.
    pub fn write(&self, status: &str) -> Value {
        match &self.content {
            Content::Message(parts) => json!({
                "id": self.id,
                "type": "message",
                "status": status,
                "role": "assistant",
                "content": parts.iter().map(Said::write).collect::<Vec<_>>(),
            }),
            Content::Thought { text, signature } => {
                let summary = (!text.is_empty()).then(|| summary(text)).into_iter().collect::<Vec<_>>();
                let mut item = json!({"id": self.id, "type": "reasoning", "summary": summary});
                if let Some(signature) = signature {
                    item["encrypted_content"] = json!(signature);
                }
                item
            }
            Content::Call { id, name, arguments } => json!({
                "id": self.id,
                "type": "function_call",
                "status": status,
                "call_id": id,
                "name": name,
                "arguments": if status == IN_PROGRESS { arguments } else { whole(arguments) },
            }),
        }
    }
}

impl Said {
    fn write(&self) -> Value {
        match self {
            Self::Text(text) => {
                json!({"type": "output_text", "text": text, "annotations": [], "logprobs": []})
            }
            Self::Refusal(text) => json!({"type": "refusal", "refusal": text}),
        }
    }
}

fn summary(text: &str) -> Value {
    json!({"type": "summary_text", "text": text})
}

/// A call without arguments has the text of an empty object.
fn whole(arguments: &str) -> &str {
    if arguments.trim().is_empty() { "{}" } else { arguments }
}

/// Writes events. Every event has its number, and the last one repeats the whole answer.
#[derive(Debug)]
pub(crate) struct Encoder {
    envelope: Envelope,
    /// The provider's id of the answer.
    answer: String,
    shows_thinking: bool,
    shows_signatures: bool,
    /// Events written so far.
    events: u64,
    output: Vec<Item>,
    /// Whether the last item is a message or a thought that may go on.
    open: bool,
    /// Where in the output the calls are. They stay open to the end, for a provider may go on with any of them.
    calls: Vec<usize>,
    finish: Option<Finish>,
    bytes: usize,
}

impl Encoder {
    /// For a client that `asked` for `model`; `created` is when the provider answered, in seconds since the Unix epoch.
    pub fn new(model: &str, created: i64, asked: &Map<String, Value>) -> Self {
        Self {
            envelope: Envelope::new("", model, created, asked),
            answer: String::new(),
            shows_thinking: wants_summary(asked),
            shows_signatures: wants_signatures(asked),
            events: 0,
            output: Vec::new(),
            open: false,
            calls: Vec::new(),
            finish: None,
            bytes: 0,
        }
    }

    /// Writes what `event` is here, if it has a form.
    ///
    /// Errors: more of a call that has not begun, or an answer too long to be repeated.
    pub fn write(&mut self, event: &ChatEvent, out: &mut Vec<u8>) -> Result<(), String> {
        match event {
            ChatEvent::Start { id, model, created } => {
                self.answer.clone_from(id);
                self.envelope.started(id, model, *created);
                for kind in ["response.created", "response.in_progress"] {
                    self.event(kind, &json!({"response": self.envelope.in_progress()}), out);
                }
                Ok(())
            }
            ChatEvent::Text(text) => self.say(text, false, out),
            ChatEvent::Refusal(text) => self.say(text, true, out),
            ChatEvent::Thinking(text) if self.shows_thinking => self.think(text, out),
            ChatEvent::Signature(signature) if self.shows_signatures && is_kept(signature) => {
                self.begin_thought(out);
                if let Some(item) = self.output.last_mut() {
                    item.sign(signature);
                }
                Ok(())
            }
            ChatEvent::ToolStart { id, name, .. } => {
                self.close(COMPLETED, out);
                let index = self.output.len();
                self.calls.push(index);
                self.add(Item::call(index, &self.answer, id, name, ""), out);
                Ok(())
            }
            ChatEvent::ToolArguments { index, fragment } => self.argue(*index, fragment, out),
            ChatEvent::Finish(finish) => {
                self.finish = Some(finish.clone());
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// More text, or more of what the model says to decline: a part of one message while nothing else comes between.
    fn say(&mut self, text: &str, declines: bool, out: &mut Vec<u8>) -> Result<(), String> {
        self.count(text)?;
        if !matches!(self.last_open(), Some(Item { content: Content::Message(_), .. })) {
            self.close(COMPLETED, out);
            self.add(Item::message(self.output.len(), &self.answer), out);
            self.open = true;
        }
        let last_part = self.last_part();
        if last_part.is_none_or(|(_, refusal)| refusal != declines) {
            self.end_part(out);
            let part = if declines { Said::Refusal(String::new()) } else { Said::Text(String::new()) };
            let place = self.place(last_part.map_or(0, |(index, _)| index.saturating_add(1)));
            self.event("response.content_part.added", &with(place, json!({"part": part.write()})), out);
        }
        if let Some(item) = self.output.last_mut() {
            if declines { item.refuse(text) } else { item.say(text) }
        }
        let place = self.place(self.last_part().map_or(0, |(index, _)| index));
        if declines {
            self.event("response.refusal.delta", &with(place, json!({"delta": text})), out);
        } else {
            let delta = json!({"delta": text, "logprobs": []});
            self.event("response.output_text.delta", &with(place, delta), out);
        }
        Ok(())
    }

    fn think(&mut self, text: &str, out: &mut Vec<u8>) -> Result<(), String> {
        self.count(text)?;
        self.begin_thought(out);
        if matches!(self.last_open(), Some(Item { content: Content::Thought { text, .. }, .. }) if text.is_empty())
        {
            let part = json!({"summary_index": 0, "part": summary("")});
            self.event("response.reasoning_summary_part.added", &with(self.item_place(), part), out);
        }
        if let Some(item) = self.output.last_mut() {
            item.think(text);
        }
        let delta = json!({"summary_index": 0, "delta": text});
        self.event("response.reasoning_summary_text.delta", &with(self.item_place(), delta), out);
        Ok(())
    }

    fn begin_thought(&mut self, out: &mut Vec<u8>) {
        if !matches!(self.last_open(), Some(Item { content: Content::Thought { .. }, .. })) {
            self.close(COMPLETED, out);
            self.add(Item::thought(self.output.len(), &self.answer), out);
            self.open = true;
        }
    }

    fn argue(&mut self, call: usize, fragment: &str, out: &mut Vec<u8>) -> Result<(), String> {
        self.count(fragment)?;
        let index = self.calls.get(call).copied();
        let Some((index, Item { id: item, content: Content::Call { arguments, .. } })) =
            index.and_then(|index| Some((index, self.output.get_mut(index)?)))
        else {
            return Err("the provider went on with a call it had not begun".to_owned());
        };
        arguments.push_str(fragment);
        let event = json!({"item_id": item, "output_index": index, "delta": fragment});
        self.event("response.function_call_arguments.delta", &event, out);
        Ok(())
    }

    /// Writes the end of what is open, and the whole answer as the terminal event.
    pub fn finish(&mut self, usage: &Usage, out: &mut Vec<u8>) {
        let reason = self.finish.take().map_or(FinishReason::Stop, |finish| finish.reason);
        let (status, _) = status(reason);
        let last = self.output.len().checked_sub(1);
        for index in std::mem::take(&mut self.calls) {
            self.end_item(index, if Some(index) == last { status } else { COMPLETED }, out);
        }
        self.close(status, out);
        let response = self.envelope.ended(reason, &self.output, usage);
        let kind = if status == COMPLETED { "response.completed" } else { "response.incomplete" };
        self.event(kind, &json!({"response": response}), out);
    }

    fn add(&mut self, item: Item, out: &mut Vec<u8>) {
        let added = json!({"output_index": self.output.len(), "item": item.write(IN_PROGRESS)});
        self.output.push(item);
        self.event("response.output_item.added", &added, out);
    }

    /// Ends the message or thought that is open, if one is.
    fn close(&mut self, status: &str, out: &mut Vec<u8>) {
        if std::mem::take(&mut self.open) {
            self.end_item(self.output.len().saturating_sub(1), status, out);
        }
    }

    fn end_item(&mut self, index: usize, status: &str, out: &mut Vec<u8>) {
        let Some(item) = self.output.get(index) else { return };
        let place = json!({"item_id": item.id, "output_index": index});
        let done = json!({"output_index": index, "item": item.write(status)});
        match &item.content {
            Content::Message(_) => self.end_part(out),
            Content::Thought { text, .. } if text.is_empty() => {}
            Content::Thought { text, .. } => {
                let (text, part) = (json!({"summary_index": 0, "text": text}), summary(text));
                self.event("response.reasoning_summary_text.done", &with(place.clone(), text), out);
                let part = json!({"summary_index": 0, "part": part});
                self.event("response.reasoning_summary_part.done", &with(place, part), out);
            }
            Content::Call { name, arguments, .. } => {
                let event = with(place, json!({"name": name, "arguments": whole(arguments)}));
                self.event("response.function_call_arguments.done", &event, out);
            }
        }
        self.event("response.output_item.done", &done, out);
    }

    /// Ends the last part of the message that the output ends with, if it has one.
    fn end_part(&mut self, out: &mut Vec<u8>) {
        let Some(Item { content: Content::Message(parts), .. }) = self.output.last() else { return };
        let Some(part) = parts.last() else { return };
        let place = self.place(parts.len().saturating_sub(1));
        let (kind, whole) = match part {
            Said::Text(text) => ("response.output_text.done", json!({"text": text, "logprobs": []})),
            Said::Refusal(text) => ("response.refusal.done", json!({"refusal": text})),
        };
        let part = json!({"part": part.write()});
        self.event(kind, &with(place.clone(), whole), out);
        self.event("response.content_part.done", &with(place, part), out);
    }

    fn last_open(&self) -> Option<&Item> {
        self.output.last().filter(|_| self.open)
    }

    /// Index of the last part of the message that the output ends with, and whether it declines.
    fn last_part(&self) -> Option<(usize, bool)> {
        let Some(Item { content: Content::Message(parts), .. }) = self.output.last() else { return None };
        let part = parts.last()?;
        Some((parts.len().saturating_sub(1), matches!(part, Said::Refusal(_))))
    }

    /// Where the last item is.
    fn item_place(&self) -> Value {
        let id = self.output.last().map_or("", |item| item.id.as_str());
        json!({"item_id": id, "output_index": self.output.len().saturating_sub(1)})
    }

    /// Where a part of the last item is.
    fn place(&self, content_index: usize) -> Value {
        with(self.item_place(), json!({"content_index": content_index}))
    }

    fn event(&mut self, kind: &str, fields: &Value, out: &mut Vec<u8>) {
        let mut event = Map::new();
        event.insert("type".to_owned(), json!(kind));
        event.insert("sequence_number".to_owned(), json!(self.events));
        event.extend(fields.as_object().cloned().unwrap_or_default());
        self.events = self.events.saturating_add(1);
        write_event(out, Some(kind), &Value::Object(event).to_string());
    }

    fn count(&mut self, text: &str) -> Result<(), String> {
        self.bytes = self.bytes.saturating_add(text.len());
        if self.bytes > ANSWER_BYTES_MAX {
            return Err(format!("the answer is longer than {ANSWER_BYTES_MAX} bytes"));
        }
        Ok(())
    }
}

/// `fields` and `more` in one object.
fn with(mut fields: Value, more: Value) -> Value {
    if let (Value::Object(fields), Value::Object(more)) = (&mut fields, more) {
        fields.extend(more);
    }
    fields
}
