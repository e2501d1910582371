//! Complete answers in Gemini's form, to the neutral one.

use serde_json::Value;

use super::{Piece, blocked, call_id, candidate_finish, error, pieces, signed};
use crate::chat::{ChatResponse, Finish, FinishReason, Part};

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
        match (piece, parts.last_mut()) {
            (Piece::Text(more), Some(Part::Text(text))) => text.push_str(more),
            (Piece::Text(text), _) => parts.push(Part::Text(text.to_owned())),
            (Piece::Thought(more), Some(Part::Thinking { text, signature: None })) => text.push_str(more),
            (Piece::Thought(text), _) => {
                parts.push(Part::Thinking { text: text.to_owned(), signature: None });
            }
            (Piece::Call { id, name, arguments, signature }, _) => {
                let signature = signature.map(signed);
                parts.extend(
                    signature.map(|signature| Part::Thinking { text: String::new(), signature: Some(signature) }),
                );
                parts.push(Part::ToolUse { id: call_id(id, answer, calls), name: name.to_owned(), arguments });
                calls = calls.saturating_add(1);
            }
            (Piece::Picture { media_type, data }, _) => parts.push(Part::Image(crate::chat::Source::Base64 {
                media_type: media_type.to_owned(),
                data: data.to_owned(),
            })),
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
