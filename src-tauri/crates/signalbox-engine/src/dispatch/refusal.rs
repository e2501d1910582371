//! Why a client gets no answer: a code for its program, words for its author, a status for its HTTP library.

use std::time::Duration;

use signalbox_core::breaker::{Block, Blocked};
use signalbox_core::budget::Shortfall;
use signalbox_core::decide::{Candidate, DecideError, Decision, Rejection, Verdict};
use signalbox_core::failure::FailureKind;
use signalbox_core::ids::RequestId;
use signalbox_core::ledger::{Attempt, RequestStart};
use signalbox_core::time::Timestamp;

use super::approval::Ticket;
use crate::budgets;
use crate::health::Skipped;

/// When to come back where no clock says it: a call has to end first.
const COME_BACK: Duration = Duration::from_secs(1);

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
    /// The key may not use the target, or no target of the route.
    TargetNotAllowed => "target_not_allowed", 403;
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
    /// The client's or the route's time was over before an answer began.
    DeadlineExceeded => "deadline_exceeded", 504;
    /// A budget does not have enough left. Not 429, which official clients send again and again by themselves.
    BudgetExceeded => "budget_exceeded", 402;
    /// The key has made the requests it may make in a minute.
    RateLimitedByKey => "rate_limited_by_key", 429;
    /// The key has as many requests under way as it may have.
    ConcurrencyLimit => "concurrency_limit", 429;
    /// As many requests are under way as the instance serves at once.
    Overloaded => "overloaded", 503;
    /// A request with the same idempotency key is under way elsewhere.
    IdempotencyInProgress => "idempotency_in_progress", 409;
    /// The idempotency key was used for another request.
    IdempotencyMismatch => "idempotency_mismatch", 422;
    /// The provider says the request itself is wrong.
    ProviderRefused => "provider_refused", 400;
    /// The request is longer than the model's context.
    ContextLength => "context_length_exceeded", 400;
    /// The provider's content policy refused.
    ContentFilter => "content_filter", 400;
    /// A person has to approve it first.
    ApprovalRequired => "approval_required", 403;
    /// A person has rejected it.
    ApprovalRejected => "approval_rejected", 403;
    /// The approval it names is not for it, or not good any more.
    ApprovalNotUsable => "approval_not_usable", 403;
    /// As many of its sender's requests wait for a person as may.
    ApprovalQueueFull => "approval_queue_full", 429;
    /// The ledger cannot be written, so nothing is served.
    LedgerUnavailable => "ledger_unavailable", 503;
    /// Secrets cannot be read on this machine now.
    Sealed => "sealed", 503;
    /// A person has stopped all AI traffic.
    KillSwitch => "kill_switch", 503;
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
    /// Its place in the queue of what waits for a person.
    pub approval: Option<Ticket>,
    /// What a program may look at besides.
    pub details: Option<RefusalDetails>,
}

/// What a program may look at besides the code.
#[derive(Debug, Clone)]
pub enum RefusalDetails {
    /// The budget that has not enough left.
    Budget(Box<Shortfall>),
}

impl Refusal {
    /// A refusal before anything was tried.
    pub fn new(code: RefusalCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            retry_after: None,
            request: None,
            attempts: 0,
            approval: None,
            details: None,
        }
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
            format!("No target answered. Tried {}. Last: {words}", chain_in_words(attempts))
        };
        let attempts = u32::try_from(attempts.len()).unwrap_or(u32::MAX);
        Self { retry_after, attempts, ..Self::new(code, message) }
    }

    /// The refusal when a budget does not have enough left for any target.
    pub(super) fn over_budget(shortfall: &Shortfall, now: Timestamp) -> Self {
        let message = budgets::in_words(shortfall);
        let details = RefusalDetails::Budget(Box::new(shortfall.clone()));
        let retry_after = budgets::retry_after(shortfall, now);
        Self { retry_after, details: Some(details), ..Self::new(RefusalCode::BudgetExceeded, message) }
    }

    /// The refusal when the request's time was over before an answer began.
    pub(super) fn too_late(attempts: &[Attempt], waited: Duration) -> Self {
        let tried = if attempts.is_empty() {
            "No target could be tried by then".to_owned()
        } else {
            format!("Tried {}", chain_in_words(attempts))
        };
        let message =
            format!("No answer began within the request's time ({} ms). {tried}.", waited.as_millis());
        let attempts = u32::try_from(attempts.len()).unwrap_or(u32::MAX);
        Self { attempts, ..Self::new(RefusalCode::DeadlineExceeded, message) }
    }

    /// The refusal when no target could be called at all.
    pub(super) fn nothing_to_try(
        start: &RequestStart,
        skipped: &[(Candidate, Skipped)],
        come_back: Option<Duration>,
    ) -> Self {
        let (operation, decision) = (&start.operation, &start.decision);
        if skipped.is_empty() {
            let why = decision.rejections_in_words();
            if decision.is_out_of_scope() {
                let message = format!("The API key may use no target of `{operation}`: {why}.");
                return Self::new(RefusalCode::TargetNotAllowed, message);
            }
            let message = format!(
                "No target of `{operation}` can be used now: {why}. Connect one of these providers, or put a connected one \
                 into the route."
            );
            let too_long = decision.is_too_long();
            let code = if too_long {
                RefusalCode::ContextLength
            } else if decision.cools_until().is_some() || is_full(decision) {
                RefusalCode::RateLimited
            } else {
                RefusalCode::NoTarget
            };
            let message = if decision.is_passing() {
                format!("No target of `{operation}` can be called at the moment: {why}.")
            } else {
                message
            };
            let a_moment = decision.is_passing().then_some(COME_BACK);
            return Self { retry_after: come_back.or(a_moment), ..Self::new(code, message) };
        }
        let why: Vec<String> = skipped
            .iter()
            .map(|(candidate, why)| format!("{}: {}", candidate.target, skipped_in_words(*why)))
            .collect();
        let message = format!("No target of `{operation}` can be called at the moment: {}.", why.join("; "));
        let all_cool_down = skipped.iter().all(|(_, why)| {
            matches!(why, Skipped::Blocked(Blocked { why: Block::CoolingDown, .. }) | Skipped::Full)
        });
        let code = if all_cool_down { RefusalCode::RateLimited } else { RefusalCode::NoTarget };
        Self { retry_after: come_back.or(Some(COME_BACK)), ..Self::new(code, message) }
    }
}

/// Whether a target could be called if fewer were calling its provider.
fn is_full(decision: &Decision) -> bool {
    decision.candidates.iter().any(|candidate| candidate.verdict == Verdict::Rejected(Rejection::AtCapacity))
}

fn chain_in_words(attempts: &[Attempt]) -> String {
    let tried: Vec<String> = attempts
        .iter()
        .map(|attempt| {
            let kind = attempt.failure.map_or("failed", FailureKind::as_str);
            format!("{} ({kind})", attempt.target)
        })
        .collect();
    tried.join(", ")
}

/// Why a target was not called, in words.
fn skipped_in_words(why: Skipped) -> String {
    let until = |until: Option<Timestamp>| until.map_or_else(String::new, |until| format!(" until {until}"));
    match why {
        Skipped::Blocked(Blocked { why, until: end }) => {
            let what = match why {
                Block::CircuitOpen => "its circuit is open",
                Block::Probing => "one call finds out whether it is back",
                Block::InvalidKey => "it refuses its credential",
                Block::Held => "an admin holds it back",
                Block::CoolingDown => "it asked to wait",
            };
            format!("{what}{}", until(end))
        }
        Skipped::Full => "it has as many calls under way as it may have".to_owned(),
        Skipped::Capped { until: end } => {
            format!("it failed too often within the hour{}", until(Some(end)))
        }
    }
}

const fn code_after(failure: Option<FailureKind>) -> RefusalCode {
    match failure {
        Some(FailureKind::BadRequest | FailureKind::Unsupported) => RefusalCode::ProviderRefused,
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
