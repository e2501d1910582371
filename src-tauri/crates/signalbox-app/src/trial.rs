//! Trying it out: a real request from the window, the same way every program's goes.

use std::sync::Arc;

use serde_json::{Value, json};
use signalbox_core::entry::EntryPath;
use signalbox_core::ledger::Surface;
use signalbox_engine::dispatch::{Answer, Call, Payload, Refusal, RefusalCode, Resolved};

use crate::app::{App, Caller, Role};
use crate::dto;
use crate::error::{AppError, Code};

/// Longest message.
const MESSAGE_CHARS_MAX: usize = 4_000;
/// Longest answer, so that trying costs little.
const ANSWER_TOKENS_MAX: u32 = 256;

/// Sends a message to an operation and waits for the answer. It is in the ledger like any other.
pub async fn send_test_request(
    app: &App,
    caller: &Caller,
    input: dto::TestRequest,
) -> Result<dto::TestAnswer, AppError> {
    caller.must_be(Role::Operator)?;
    let unavailable =
        || AppError::new(Code::Unavailable, "The gateway is not running, so nothing can be sent.");
    let engine = app.engine().ok_or_else(unavailable)?;
    let message = input.message.trim();
    if message.is_empty() || message.chars().count() > MESSAGE_CHARS_MAX {
        return Err(AppError::invalid(
            "message",
            format!("Write a message of 1 to {MESSAGE_CHARS_MAX} characters."),
        ));
    }
    let live = engine.live();
    let resolved = Resolved::from_request(&live.snapshot, &input.operation, None, None)?;
    let body = json!({
        "model": input.operation,
        "messages": [{"role": "user", "content": message}],
        "max_tokens": ANSWER_TOKENS_MAX,
    });
    let Value::Object(body) = body else { return Err(unavailable()) };
    let call = Call {
        surface: Surface::OpenaiChat,
        payload: Payload::Json(Arc::new(body)),
        requested_model: input.operation,
        resolved,
        key: None,
        user: None,
        tags: vec![("source".to_owned(), "window".to_owned())],
        deadline: None,
        idempotency_key: None,
        no_cache: true,
        via: EntryPath::TestRequest,
        person: Some(caller.id.clone()),
        approval: None,
    };
    match engine.dispatch(live, call).await? {
        Answer::Complete { meta, body, .. } => Ok(dto::TestAnswer {
            request_id: meta.request.to_string(),
            text: text_of(&body),
            provider: meta.target.provider.to_string(),
            model: meta.target.model.to_string(),
            cost: meta.cost.map(Into::into),
            simulated: meta.simulated,
        }),
        Answer::Stream { .. } => {
            Err(AppError::new(Code::Internal, "A complete answer was asked for, a stream came."))
        }
    }
}

fn text_of(body: &[u8]) -> String {
    let answer: Value = serde_json::from_slice(body).unwrap_or_default();
    answer.pointer("/choices/0/message/content").and_then(Value::as_str).unwrap_or_default().to_owned()
}

impl From<Refusal> for AppError {
    fn from(refusal: Refusal) -> Self {
        let code = match refusal.code {
            RefusalCode::InvalidRequest | RefusalCode::CapabilityMismatch => Code::Invalid,
            RefusalCode::UnknownOperation => Code::NotFound,
            RefusalCode::Sealed => Code::Sealed,
            RefusalCode::InvalidKey | RefusalCode::OperationNotAllowed | RefusalCode::TargetNotAllowed => {
                Code::Forbidden
            }
            RefusalCode::ApprovalRequired
            | RefusalCode::ApprovalRejected
            | RefusalCode::ApprovalNotUsable
            | RefusalCode::ApprovalQueueFull
            | RefusalCode::OperationDisabled
            | RefusalCode::NoTarget
            | RefusalCode::AllTargetsFailed
            | RefusalCode::RateLimited
            | RefusalCode::UpstreamTimeout
            | RefusalCode::DeadlineExceeded
            | RefusalCode::RateLimitedByKey
            | RefusalCode::ConcurrencyLimit
            | RefusalCode::BudgetExceeded
            | RefusalCode::Overloaded
            | RefusalCode::IdempotencyInProgress
            | RefusalCode::IdempotencyMismatch
            | RefusalCode::ProviderRefused
            | RefusalCode::ContextLength
            | RefusalCode::ContentFilter
            | RefusalCode::KillSwitch
            | RefusalCode::ClientClosed => Code::Refused,
            RefusalCode::LedgerUnavailable | RefusalCode::ShuttingDown => Code::Unavailable,
            RefusalCode::Internal => Code::Internal,
        };
        Self::new(code, refusal.message)
    }
}
