//! Google's Gemini API, `generateContent` and `streamGenerateContent` of v1beta, spoken to providers only.
//!
//! Source: <https://ai.google.dev/api/generate-content> and its pages on function calling, thinking, thought signatures,
//! structured output, token counts and errors.

pub(crate) mod error;
pub(crate) mod request;
pub(crate) mod response;
pub(crate) mod schema;
pub(crate) mod stream;
pub(crate) mod usage;

use serde_json::Value;

use crate::chat::{Finish, FinishReason};

/// What marks a signature as Google's in the neutral form and on the way through a client, so that no other vendor is
/// shown it and Google none of another's.
const SIGNED_BY_GOOGLE: &str = "google:";

/// A signature as Google wrote it, marked as Google's.
pub(crate) fn signed(signature: &str) -> String {
    format!("{SIGNED_BY_GOOGLE}{signature}")
}

/// The signature as Google wrote it; `None` when another vendor did.
pub(crate) fn signature_of(signature: &str) -> Option<&str> {
    signature.strip_prefix(SIGNED_BY_GOOGLE)
}

/// What a candidate says, piece by piece.
enum Piece<'a> {
    Text(&'a str),
    Thought(&'a str),
    Call {
        id: Option<&'a str>,
        name: &'a str,
        /// JSON text. Calls are whole, also in streams.
        arguments: String,
        signature: Option<&'a str>,
    },
    Picture {
        media_type: &'a str,
        data: &'a str,
    },
}

/// The pieces of a candidate. What the provider's own tools did has no form elsewhere and is passed over.
fn pieces(candidate: &Value) -> impl Iterator<Item = Piece<'_>> {
    let parts = candidate.pointer("/content/parts").and_then(Value::as_array);
    parts.into_iter().flatten().filter_map(piece)
}

fn piece(part: &Value) -> Option<Piece<'_>> {
    if let Some(call) = part.get("functionCall").filter(|call| call.is_object()) {
        return Some(Piece::Call {
            id: call.get("id").and_then(Value::as_str),
            name: call.get("name").and_then(Value::as_str).unwrap_or_default(),
            arguments: match call.get("args") {
                Some(args @ Value::Object(_)) => args.to_string(),
                _ => "{}".to_owned(),
            },
            signature: part
                .get("thoughtSignature")
                .and_then(Value::as_str)
                .filter(|signature| !signature.is_empty()),
        });
    }
    if let Some(data) = part.get("inlineData") {
        let text = |key| data.get(key).and_then(Value::as_str);
        return Some(Piece::Picture { media_type: text("mimeType")?, data: text("data")? });
    }
    let text = part.get("text")?.as_str().filter(|text| !text.is_empty())?;
    let thought = part.get("thought").and_then(Value::as_bool).unwrap_or(false);
    Some(if thought { Piece::Thought(text) } else { Piece::Text(text) })
}

/// Why the model stopped; `None` while it has not.
fn candidate_finish(candidate: &Value, has_calls: bool) -> Option<Finish> {
    let word = candidate.get("finishReason").and_then(Value::as_str)?;
    let reason = match word {
        "" | "FINISH_REASON_UNSPECIFIED" => return None,
        // Google has no word of its own for calls.
        "STOP" if has_calls => FinishReason::ToolCalls,
        "MAX_TOKENS" => FinishReason::Length,
        "SAFETY"
        | "RECITATION"
        | "LANGUAGE"
        | "BLOCKLIST"
        | "PROHIBITED_CONTENT"
        | "SPII"
        | "MODEL_ARMOR"
        | "ESCALATION"
        | "IMAGE_SAFETY"
        | "IMAGE_PROHIBITED_CONTENT"
        | "IMAGE_RECITATION"
        | "IMAGE_OTHER"
        | "NO_IMAGE"
        // Whatever else broke it off: not an answer that came to its end.
        | "OTHER" => FinishReason::Refused,
        _ => FinishReason::Stop,
    };
    Some(Finish { reason, word: word.to_owned(), stop_sequence: None })
}

/// The refusal of a prompt: there are no candidates then.
fn blocked(body: &Value) -> Option<Finish> {
    let word = body.pointer("/promptFeedback/blockReason").and_then(Value::as_str)?;
    Some(Finish { reason: FinishReason::Refused, word: word.to_owned(), stop_sequence: None })
}

/// A call's id, made up where the model gave none: the next turn refers to it.
fn call_id(given: Option<&str>, answer: &str, index: usize) -> String {
    match given {
        Some(id) if !id.is_empty() => id.to_owned(),
        _ => format!("call_{answer}_{index}"),
    }
}

#[cfg(test)]
mod tests;
