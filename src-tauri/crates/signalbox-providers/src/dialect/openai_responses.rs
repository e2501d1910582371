//! `OpenAI`'s Responses API: the official clients' newer default.
//!
//! In front of `OpenAI` itself requests and answers pass through untouched. In front of everybody else it is a surface:
//! what a gateway without a memory can serve is converted, and what only `OpenAI` could (stored conversations, its own
//! tools, its files) is refused with the field's name. Nothing is stored here, whatever `store` says, and the answer says so.
//!
//! Source: <https://platform.openai.com/docs/api-reference/responses> and its page on streaming, and the types of the
//! official clients (openai 7.57.0 for JavaScript, 3.52.0 for Python).

pub(crate) mod encoder;
pub(crate) mod error;
pub(crate) mod items;
pub(crate) mod request;
pub(crate) mod response;
pub(crate) mod stream;
pub(crate) mod usage;

use serde_json::Value;
use signalbox_core::ids::ModelName;
use signalbox_core::provider::ProviderKind;

use crate::call::Account;
use crate::chat::{Finish, FinishReason};

/// Whether responses are served there, as far as is known: at `OpenAI`, at Azure under its unversioned path, and by the
/// simulator. Many compatible servers have the path too, with parts of the API each; chats they all have whole.
pub(crate) fn is_served_by(account: &Account) -> bool {
    let host = account.base_url.host_str().unwrap_or_default();
    let at_azure = host.ends_with(".openai.azure.com") || host.ends_with(".services.ai.azure.com");
    account.kind == ProviderKind::Simulator
        || host == "api.openai.com"
        || host.ends_with(".api.openai.com")
        || at_azure && account.base_url.path().trim_end_matches('/').ends_with("/openai/v1")
}

/// Whether `OpenAI` serves the model through responses only: its coding, pro, research and computer-use models. Only
/// names tell, and only where [`is_served_by`] holds do they mean that.
///
/// Source: "Endpoints" on each model's page.
pub(crate) fn serves_alone(model: &ModelName) -> bool {
    let name = model.as_str();
    name.split(['-', '/']).any(|word| matches!(word, "codex" | "pro"))
        || ["deep-research", "computer-use", "gpt-daybreak"].iter().any(|family| name.contains(family))
}

/// The word for why the model stopped: the reason it is incomplete, or that it is not.
pub(crate) const fn finish_word(reason: FinishReason) -> &'static str {
    match reason {
        FinishReason::Stop | FinishReason::StopSequence | FinishReason::ToolCalls => COMPLETED,
        FinishReason::Length => "max_output_tokens",
        FinishReason::Refused => "content_filter",
    }
}

const COMPLETED: &str = "completed";
const INCOMPLETE: &str = "incomplete";
const IN_PROGRESS: &str = "in_progress";

/// Why an answer ended, from its status; `None` when it has not ended, or not well.
fn finish_of(response: &Value, calls_tools: bool) -> Option<Finish> {
    let text = |path| response.pointer(path).and_then(Value::as_str);
    let (reason, word) = match text("/status")? {
        COMPLETED if calls_tools => (FinishReason::ToolCalls, COMPLETED),
        COMPLETED => (FinishReason::Stop, COMPLETED),
        INCOMPLETE => match text("/incomplete_details/reason") {
            Some("content_filter") => (FinishReason::Refused, "content_filter"),
            Some(word) => (FinishReason::Length, word),
            None => (FinishReason::Length, INCOMPLETE),
        },
        _ => return None,
    };
    Some(Finish { reason, word: word.to_owned(), stop_sequence: None })
}

/// Longest part of another dialect's id that is taken over: with its prefix and number it stays below the API's 64.
const BARE_ID_MAX: usize = 40;

/// The part of an answer's id that its own dialect made up, for ids of our own that go with it: only characters that the
/// API takes, should the items come back to it.
fn bare_id(id: &str) -> String {
    let bare = ["resp_", "chatcmpl-", "msg_"].iter().find_map(|prefix| id.strip_prefix(prefix)).unwrap_or(id);
    let clean = |char: char| if char.is_ascii_alphanumeric() || char == '-' { char } else { '_' };
    bare.chars().map(clean).take(BARE_ID_MAX).collect()
}

/// Begins the id of a thought that another vendor's model had. `OpenAI` knows none of them and would refuse them all,
/// so they are taken out again where a conversation goes to it.
pub(crate) const FOREIGN_THOUGHT: &str = "rs_foreign_";

#[cfg(test)]
mod any_shape;
#[cfg(test)]
mod tests;
