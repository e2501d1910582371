//! `OpenAI`'s chat completions, as `OpenAI` and the many servers compatible with it speak them.
//!
//! Source: <https://platform.openai.com/docs/api-reference/chat>, and for what others add the pages of `DeepSeek`
//! (`reasoning_content`, `prompt_cache_hit_tokens`), `OpenRouter` (`usage.cost`, `reasoning`) and Google (usage that leaves
//! thinking out of `completion_tokens`).

pub(crate) mod error;
pub(crate) mod request;
pub(crate) mod response;
pub(crate) mod signature;
pub(crate) mod stream;
pub(crate) mod usage;

use crate::chat::{Finish, FinishReason};

/// The word for why the model stopped.
pub(crate) const fn finish_word(reason: FinishReason) -> &'static str {
    match reason {
        FinishReason::Stop | FinishReason::StopSequence => "stop",
        FinishReason::Length => "length",
        FinishReason::ToolCalls => "tool_calls",
        FinishReason::Refused => "content_filter",
    }
}

/// What a provider's word means. An unknown one is an end like any other.
fn finish_of(word: &str) -> Finish {
    let reason = match word {
        "length" | "max_tokens" => FinishReason::Length,
        "tool_calls" | "function_call" => FinishReason::ToolCalls,
        "content_filter" | "refusal" | "safety" => FinishReason::Refused,
        _ => FinishReason::Stop,
    };
    Finish { reason, word: word.to_owned(), stop_sequence: None }
}

/// A call's id, made up where a server left it out: the next turn refers to it.
fn call_id(given: Option<&str>, answer: &str, index: usize) -> String {
    match given {
        Some(id) if !id.is_empty() => id.to_owned(),
        _ => format!("call_{}_{index}", answer.trim_start_matches("chatcmpl-")),
    }
}

/// An answer's id in `OpenAI`'s form.
fn completion_id(id: &str) -> String {
    if id.starts_with("chatcmpl-") {
        id.to_owned()
    } else {
        format!("chatcmpl-{}", id.trim_start_matches("msg_"))
    }
}
