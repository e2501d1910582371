//! Gemini's chunks. Each is a whole answer with what is new of it; nothing marks the end of a stream but the reason why
//! the model stopped.

use serde_json::Value;

use super::{Piece, blocked, call_id, candidate_finish, error, pieces, signed, usage};
use crate::chat::{ChatEvent, Finish};
use crate::dialect::Decoded;

/// Reads chunks.
#[derive(Debug, Default)]
pub(crate) struct Decoder {
    started: bool,
    id: String,
    calls: usize,
    searches: u64,
    finish: Option<Finish>,
}

impl Decoder {
    /// Reads the data of one event.
    pub fn read(&mut self, data: &str) -> Result<Decoded, String> {
        let chunk: Value =
            serde_json::from_str(data).map_err(|error| format!("a chunk is no JSON: {error}"))?;
        if let Some(error) = error::of_chunk(&chunk) {
            return Ok(Decoded { events: vec![ChatEvent::Failed(error)], only_usage: false });
        }
        if !chunk.is_object() {
            return Err("a chunk is no JSON object".to_owned());
        }
        let mut events = Vec::with_capacity(3);
        self.start(&chunk, &mut events);
        let candidate = chunk.pointer("/candidates/0");
        if let Some(candidate) = candidate {
            self.content(candidate, &mut events);
        }
        let finish = match candidate {
            Some(candidate) => candidate_finish(candidate, self.calls > 0),
            None => blocked(&chunk),
        };
        let message = candidate.and_then(|candidate| candidate.get("finishMessage")?.as_str());
        let fault = finish.as_ref().and_then(|finish| error::broken_off(&finish.word, message));
        self.finish(finish, &mut events);
        self.usage(&chunk, &mut events);
        // What was used up to the fault is billed.
        events.extend(fault.map(|fault| ChatEvent::Failed(error::broken(&fault))));
        Ok(Decoded { events, only_usage: false })
    }

    fn start(&mut self, chunk: &Value, events: &mut Vec<ChatEvent>) {
        if self.started {
            return;
        }
        self.started = true;
        let text = |key| chunk.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        self.id = text("responseId");
        events.push(ChatEvent::Start { id: self.id.clone(), model: text("modelVersion"), created: None });
    }

    fn content(&mut self, candidate: &Value, events: &mut Vec<ChatEvent>) {
        for piece in pieces(candidate) {
            match piece {
                Piece::Text(text) => events.push(ChatEvent::Text(text.to_owned())),
                Piece::Thought(text) => events.push(ChatEvent::Thinking(text.to_owned())),
                Piece::Call { id, name, arguments, signature } => {
                    let index = self.calls;
                    self.calls = self.calls.saturating_add(1);
                    events.extend(signature.map(|signature| ChatEvent::Signature(signed(signature))));
                    let id = call_id(id, &self.id, index);
                    events.push(ChatEvent::ToolStart { index, id, name: name.to_owned() });
                    events.push(ChatEvent::ToolArguments { index, fragment: arguments });
                }
                // Events carry no pictures.
                Piece::Picture { .. } => {}
            }
        }
    }

    /// Why the model stopped. Early models said it with every chunk: only what is new is an event.
    fn finish(&mut self, finish: Option<Finish>, events: &mut Vec<ChatEvent>) {
        if finish.is_some() && finish != self.finish {
            self.finish.clone_from(&finish);
            events.extend(finish.map(ChatEvent::Finish));
        }
    }

    /// Running totals: a later report replaces the earlier ones.
    fn usage(&mut self, chunk: &Value, events: &mut Vec<ChatEvent>) {
        self.searches = self.searches.max(usage::searches(chunk));
        let report = usage::of_chunk(chunk, self.searches, self.finish.is_some());
        events.extend(report.map(ChatEvent::Usage));
    }
}
