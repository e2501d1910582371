//! Anthropic's Messages API.
//!
//! Source: <https://docs.anthropic.com/en/api/messages> and its pages on streaming, tool use, prompt caching and errors.

pub(crate) mod error;
pub(crate) mod request;
pub(crate) mod response;
pub(crate) mod stream;
pub(crate) mod usage;

use serde_json::Value;

use crate::chat::{Finish, FinishReason};

/// The word for why the model stopped.
pub(crate) const fn finish_word(reason: FinishReason) -> &'static str {
    match reason {
        FinishReason::Stop => "end_turn",
        FinishReason::StopSequence => "stop_sequence",
        FinishReason::Length => "max_tokens",
        FinishReason::ToolCalls => "tool_use",
        FinishReason::Refused => "refusal",
    }
}

/// What a provider's word means. An unknown one is an end like any other.
fn finish_of(word: &str, stop_sequence: Option<&Value>) -> Finish {
    let reason = match word {
        "stop_sequence" => FinishReason::StopSequence,
        "max_tokens" | "model_context_window_exceeded" => FinishReason::Length,
        "tool_use" => FinishReason::ToolCalls,
        "refusal" => FinishReason::Refused,
        _ => FinishReason::Stop,
    };
    let stop_sequence = stop_sequence.and_then(Value::as_str).map(str::to_owned);
    Finish { reason, word: word.to_owned(), stop_sequence }
}

/// An answer's id in Anthropic's form.
fn message_id(id: &str) -> String {
    if id.starts_with("msg_") { id.to_owned() } else { format!("msg_{}", id.trim_start_matches("chatcmpl-")) }
}
