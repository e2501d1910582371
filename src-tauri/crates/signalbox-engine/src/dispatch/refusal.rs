//! Why a client gets no answer: a code for its program, words for its author, a status for its HTTP library.

use std::time::Duration;

use signalbox_core::decide::DecideError;
use signalbox_core::failure::FailureKind;
use signalbox_core::ids::RequestId;
use signalbox_core::ledger::Attempt;

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident => $word:literal, $status:literal;)*) => {
        /// Closed list of codes a client can get; it grows only when a client acts on a new one.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum RefusalCode { $($(#[$doc])* $variant,)* }

        impl RefusalCode {
            /// The word on the wire and in the ledger.
            pub const fn as_str(self) -> &'static str {
                match self { $(RefusalCode::$variant => $word,)* }
            }

            /// The HTTP status it goes out with.
            pub const fn http_status(self) -> u16 {
                match self { $(RefusalCode::$variant => $status,)* }
            }
        }
    };
}

codes! {
    /// The request is malformed.
    InvalidRequest => "invalid_request", 400;
    /// No, or no valid, API key.
    InvalidKey => "invalid_key", 401;
    /// The key may not use the operation.
    OperationNotAllowed => "operation_not_allowed", 403;
    /// The operation is switched off.
    OperationDisabled => "operation_disabled", 403;
    /// There is no such operation or target.
    UnknownOperation => "unknown_operation", 404;
    /// The operation's work has another endpoint.
    CapabilityMismatch => "capability_mismatch", 400;
    /// No target of the route can be tried.
    NoTarget => "no_target_available", 503;
    /// Every target was tried and failed.
    AllTargetsFailed => "all_targets_failed", 502;
    /// Every target was tried; the last one asks to wait.
    RateLimited => "rate_limited", 429;
    /// Every target was tried; the last one did not answer in time.
    UpstreamTimeout => "upstream_timeout", 504;
    /// The provider says the request itself is wrong.
    ProviderRefused => "provider_refused", 400;
    /// The request is longer than the model's context.
    ContextLength => "context_length_exceeded", 400;
    /// The provider's content policy refused.
    ContentFilter => "content_filter", 400;
    /// The ledger cannot be written, so nothing is served.
    LedgerUnavailable => "ledger_unavailable", 503;
    /// Secrets cannot be read on this machine now.
    Sealed => "sealed", 503;
    /// The instance is going down.
    ShuttingDown => "shutting_down", 503;
    /// The client went away.
    ClientClosed => "client_closed_request", 499;
    /// A fault of ours.
    Internal => "internal", 500;
}

/// A request that gets no answer.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// For a program.
    pub code: RefusalCode,
    /// For a person.
    pub message: String,
    /// When trying again may help.
    pub retry_after: Option<Duration>,
    /// Its ledger entry, if it has one.
    pub request: Option<RequestId>,
    /// How many targets were tried.
    pub attempts: u32,
}

impl Refusal {
    /// A refusal before anything was tried.
    pub fn new(code: RefusalCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), retry_after: None, request: None, attempts: 0 }
    }

    /// The refusal after the last attempt failed.
    pub fn after(attempts: &[Attempt], retry_after: Option<Duration>) -> Self {
        let Some(last) = attempts.last() else {
            return Self::new(RefusalCode::NoTarget, "No target could be tried.");
        };
        let words = last.message.as_deref().unwrap_or("no details");
        let code = code_after(last.failure);
        let message = if code.http_status() == 400 {
            format!("{} refused the request: {words}", last.target)
        } else {
            let tried: Vec<String> = attempts
                .iter()
                .map(|attempt| {
                    let kind = attempt.failure.map_or("failed", FailureKind::as_str);
                    format!("{} ({kind})", attempt.target)
                })
                .collect();
            format!("No target answered. Tried {}. Last: {words}", tried.join(", "))
        };
        let attempts = u32::try_from(attempts.len()).unwrap_or(u32::MAX);
        Self { retry_after, attempts, ..Self::new(code, message) }
    }
}

const fn code_after(failure: Option<FailureKind>) -> RefusalCode {
    match failure {
        Some(FailureKind::BadRequest) => RefusalCode::ProviderRefused,
        Some(FailureKind::ContextLength) => RefusalCode::ContextLength,
        Some(FailureKind::ContentFilter) => RefusalCode::ContentFilter,
        Some(FailureKind::RateLimit) => RefusalCode::RateLimited,
        Some(FailureKind::Timeout) => RefusalCode::UpstreamTimeout,
        Some(
            FailureKind::InvalidKey
            | FailureKind::OutOfCredit
            | FailureKind::Overloaded
            | FailureKind::ServerError
            | FailureKind::Network
            | FailureKind::BadResponse
            | FailureKind::Truncated
            | FailureKind::ModelNotFound,
        )
        | None => RefusalCode::AllTargetsFailed,
    }
}

impl From<DecideError> for Refusal {
    fn from(error: DecideError) -> Self {
        let code = match &error {
            DecideError::UnknownOperation(_) => RefusalCode::UnknownOperation,
            DecideError::OperationDisabled(_) => RefusalCode::OperationDisabled,
        };
        Self::new(code, format!("{error}.").replacen("the op", "The op", 1).replacen("there", "There", 1))
    }
}
