//! The signature of a call's thoughts, where Google's compatible endpoint has it:
//! `tool_calls[].extra_content.google.thought_signature`. Clients that send back what they got send it back too.
//!
//! Source: the page on thought signatures, "OpenAI compatibility".

use serde_json::{Map, Value, json};

use crate::chat::Part;
use crate::dialect::gemini::{signature_of, signed};

/// The field beside a call's function.
const FIELD: &str = "extra_content";

/// The signature of a call, as the thought that comes before it.
pub(super) fn read(call: &Map<String, Value>) -> Option<Part> {
    let signature = call.get(FIELD)?.get("google")?.get("thought_signature")?.as_str()?;
    Some(Part::Thinking { text: String::new(), signature: Some(signed(signature)) })
}

/// `call` with the signature that came before it, if Google gave it.
pub(super) fn written(mut call: Value, signature: Option<&str>) -> Value {
    if let Some(signature) = signature.and_then(signature_of) {
        call[FIELD] = json!({"google": {"thought_signature": signature}});
    }
    call
}

/// Whether a call in the conversation is signed.
pub(crate) fn is_in(messages: &Value) -> bool {
    let messages = messages.as_array().map(Vec::as_slice).unwrap_or_default();
    let mut calls = messages.iter().filter_map(|message| message.get("tool_calls")?.as_array()).flatten();
    calls.any(|call| call.pointer("/extra_content/google").is_some())
}

/// The conversation without its signatures.
pub(crate) fn removed(messages: &Value) -> Value {
    let mut messages = messages.clone();
    for message in messages.as_array_mut().into_iter().flatten() {
        let calls = message.get_mut("tool_calls").and_then(Value::as_array_mut);
        for call in calls.into_iter().flatten().filter_map(Value::as_object_mut) {
            call.remove(FIELD);
        }
    }
    messages
}
