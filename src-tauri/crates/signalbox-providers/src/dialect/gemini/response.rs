//! Complete answers in Gemini's form, to the neutral one.

use serde_json::Value;

use super::{Piece, blocked, call_id, candidate_finish, error, pieces, signed};
use crate::chat::{ChatResponse, Finish, FinishReason, Part, Source};

/// Reads a provider's answer: its first candidate.
pub(crate) fn decode(body: &Value) -> Result<ChatResponse, String> {
    let text = |key| body.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (id, model) = (text("responseId"), text("modelVersion"));
    let (parts, finish) = match (body.pointer("/candidates/0"), blocked(body)) {
        (Some(candidate), _) => decode_candidate(candidate, &id)?,
        (None, Some(finish)) => (Vec::new(), finish),
        (None, None) => return Err("the answer has no candidates".to_owned()),
    };
    Ok(ChatResponse { id, model, created: 0, parts, finish })
}

fn decode_candidate(candidate: &Value, answer: &str) -> Result<(Vec<Part>, Finish), String> {
    let mut parts = Vec::new();
    let mut calls = 0_usize;
    for piece in pieces(candidate) {
        match piece {
            Piece::Text(more) => match parts.last_mut() {
                Some(Part::Text(text)) => text.push_str(more),
                _ => parts.push(Part::Text(more.to_owned())),
            },
            Piece::Thought(more) => match parts.last_mut() {
                Some(Part::Thinking { text, signature: None }) => text.push_str(more),
                _ => parts.push(Part::Thinking { text: more.to_owned(), signature: None }),
            },
            Piece::Call { id, name, arguments, signature } => {
                let signature = signature.map(|signature| Part::Thinking {
                    text: String::new(),
                    signature: Some(signed(signature)),
                });
                parts.extend(signature);
                let id = call_id(id, answer, calls);
                parts.push(Part::ToolUse { id, name: name.to_owned(), arguments });
                calls = calls.saturating_add(1);
            }
            Piece::Picture { media_type, data } => {
                let (media_type, data) = (media_type.to_owned(), data.to_owned());
                parts.push(Part::Image(Source::Base64 { media_type, data }));
            }
        }
    }
    let finish = match candidate_finish(candidate, calls > 0) {
        Some(finish) => finish,
        None if parts.is_empty() => {
            return Err("the answer has neither content nor a reason to finish".to_owned());
        }
        None => Finish { reason: FinishReason::Stop, word: "STOP".to_owned(), stop_sequence: None },
    };
    let message = candidate.get("finishMessage").and_then(Value::as_str);
    match error::broken_off(&finish.word, message) {
        Some(fault) => Err(fault),
        None => Ok((parts, finish)),
    }
}
