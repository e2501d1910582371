//! What a provider's error means.
//!
//! Vendors disagree on status codes (an empty account is 402, 403, 429 or 400), so the words of the body decide first and
//! the status only where they say nothing.

use std::time::Duration;

use chrono::DateTime;
use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use signalbox_core::failure::FailureKind;
use signalbox_core::redact::without_secret;

use crate::call::CallError;
use crate::headroom::Headroom;

/// Longest message that is kept.
pub(crate) const MESSAGE_CHARS_MAX: usize = 500;

/// What stands where a credential was.
const HIDDEN: &str = "[credential]";

/// Longest wait that is believed; no provider means more than a day.
const WAIT_MAX: Duration = Duration::from_hours(24);

/// The parts of an error body that say something, whatever its form.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ErrorBody {
    /// `code` and `type` and `status`, in lower case.
    words: Vec<String>,
    message: String,
    /// A status code inside the body: all that a stream's error event has.
    status: Option<u16>,
    wait: Option<Duration>,
}

impl ErrorBody {
    /// Reads an error from an answer's JSON: `{"error": {…}}`, `{"error": "…"}`, `{"message": …}`, or a list of one.
    pub fn of_json(value: &Value) -> Self {
        let outer = match value {
            Value::Array(list) => list.first().unwrap_or(&Value::Null),
            other => other,
        };
        let error = match (outer.get("error"), outer.get("detail")) {
            (Some(error), _) if !error.is_null() => error,
            // ElevenLabs' place, and the list of faults that its framework makes.
            (_, Some(detail @ Value::Object(_))) => detail,
            (_, Some(Value::Array(faults))) => faults.first().unwrap_or(outer),
            _ => outer,
        };
        if let Value::String(word) = error {
            // OAuth says a word here, and beside it what it means.
            let message = outer.get("error_description").and_then(Value::as_str).unwrap_or(word).to_owned();
            return Self { words: vec![word.to_ascii_lowercase()], message, ..Self::default() };
        }
        let message = ["message", "detail", "error_description", "err_msg", "msg"].iter().find_map(|key| {
            error.get(key).and_then(Value::as_str).or_else(|| outer.get(key).and_then(Value::as_str))
        });
        let words = ["code", "type", "status", "err_code", "category"]
            .iter()
            .filter_map(|key| error.get(key).and_then(Value::as_str))
            .chain(error.pointer("/innererror/code").and_then(Value::as_str))
            .chain(reason(error))
            .map(str::to_ascii_lowercase)
            .collect::<Vec<_>>();
        let status = match error.get("code") {
            Some(Value::Number(code)) => code.as_u64().and_then(|code| u16::try_from(code).ok()),
            Some(Value::String(code)) => code.parse().ok(),
            _ => None,
        };
        Self {
            words,
            message: message.unwrap_or_default().to_owned(),
            status: status.filter(|status| (400..600).contains(status)),
            wait: retry_delay(error),
        }
    }

    /// Reads an error from an answer's bytes; text that is no JSON is its own message.
    pub fn of_bytes(bytes: &[u8]) -> Self {
        match serde_json::from_slice::<Value>(bytes) {
            Ok(value) => Self::of_json(&value),
            Err(_) => Self { message: String::from_utf8_lossy(bytes).into_owned(), ..Self::default() },
        }
    }

    fn has_word(&self, words: &[&str]) -> bool {
        self.words.iter().any(|word| words.contains(&word.as_str()))
    }

    fn mentions(&self, phrases: &[&str]) -> bool {
        let message = self.message.to_ascii_lowercase();
        phrases.iter().any(|phrase| message.contains(phrase))
    }

    /// What the error means, given the status it came with, if it came with one.
    pub fn kind(&self, status: Option<u16>) -> FailureKind {
        let status = status.filter(|status| *status >= 300).or(self.status);
        self.kind_by_word()
            .or_else(|| self.kind_by_phrase(status))
            .or_else(|| status.map(Self::kind_by_status))
            .unwrap_or(FailureKind::ServerError)
    }

    fn kind_by_word(&self) -> Option<FailureKind> {
        // Google says so of both a minute's quota and an empty account; only its words tell them apart.
        const EMPTY: &[&str] = &["credits are depleted", "spending cap", "spend cap", "spending limit"];
        const WORDS: &[(FailureKind, &[&str])] = &[
            (
                FailureKind::OutOfCredit,
                &[
                    "insufficient_quota",
                    "billing_error",
                    "billing_hard_limit_reached",
                    "billing_not_active",
                    "insufficient_balance",
                    "insufficient_credits",
                    "insufficient_user_quota",
                    "payment_required",
                    "asr_payment_required",
                    "quota_exceeded",
                ],
            ),
            (
                FailureKind::ContextLength,
                &[
                    "context_length_exceeded",
                    "string_above_max_length",
                    "request_too_large",
                    "context_window_exceeded",
                    "max_character_limit_exceeded",
                    "payload_too_large",
                ],
            ),
            (
                FailureKind::ContentFilter,
                &[
                    "content_policy_violation",
                    "content_filter",
                    "responsibleaipolicyviolation",
                    "moderation_blocked",
                    "data_inspection_failed",
                    "invalid_prompt",
                ],
            ),
            (
                FailureKind::ModelNotFound,
                &[
                    "model_not_found",
                    "model_not_available",
                    "deploymentnotfound",
                    "voice_not_found",
                    "model_can_not_do_text_to_speech",
                ],
            ),
            (
                FailureKind::InvalidKey,
                &[
                    "invalid_api_key",
                    "api_key_invalid",
                    "authentication_error",
                    "permission_error",
                    "permission_denied",
                    "unauthenticated",
                    "unsupported_country_region_territory",
                    "account_deactivated",
                    "invalid_auth",
                    "missing_permissions",
                    "needs_authorization",
                    "detected_unusual_activity",
                ],
            ),
            (
                FailureKind::Overloaded,
                &[
                    "overloaded_error",
                    "overloaded",
                    "engine_overloaded",
                    "server_overloaded",
                    "slow_down",
                    "unavailable",
                    "system_busy",
                ],
            ),
            (
                FailureKind::RateLimit,
                &[
                    "rate_limit_exceeded",
                    "rate_limit_error",
                    "resource_exhausted",
                    "too_many_requests",
                    "too_many_concurrent_requests",
                    "concurrent_limit_exceeded",
                ],
            ),
            (FailureKind::Timeout, &["timeout_error", "timeout", "deadline_exceeded"]),
        ];
        if self.has_word(&["resource_exhausted"]) && self.mentions(EMPTY) {
            return Some(FailureKind::OutOfCredit);
        }
        WORDS.iter().find(|(_, words)| self.has_word(words)).map(|(kind, _)| *kind)
    }

    fn kind_by_phrase(&self, status: Option<u16>) -> Option<FailureKind> {
        const PHRASES: &[(FailureKind, &[&str])] = &[
            (
                FailureKind::OutOfCredit,
                &[
                    "credit balance is too low",
                    "insufficient balance",
                    "insufficient credits",
                    "requires more credits",
                ],
            ),
            (
                FailureKind::InvalidKey,
                &[
                    "api key not valid",
                    "invalid api key",
                    "incorrect api key",
                    "user location is not supported",
                ],
            ),
            (
                FailureKind::ContextLength,
                &[
                    "prompt is too long",
                    "maximum context length",
                    "exceed context limit",
                    "exceeds the context window",
                    "exceeds the maximum number of tokens",
                    "exceeds maximum context",
                    "input is too long",
                ],
            ),
            (
                FailureKind::ContentFilter,
                &[
                    "content management policy",
                    "content policy",
                    "content filtering policy",
                    "safety system",
                    "flagged by",
                    "was flagged",
                    "usage policies",
                ],
            ),
            (
                FailureKind::ModelNotFound,
                &[
                    "model not exist",
                    "not a valid model id",
                    "unknown model",
                    "no such model",
                    "model_not_found",
                    "access to the requested model",
                ],
            ),
            (FailureKind::Overloaded, &["overloaded"]),
            (FailureKind::RateLimit, &["rate limit"]),
        ];
        // Only where the status says "your request": a server's own fault may quote anything.
        let about_the_request = status.is_none_or(|status| matches!(status, 400 | 403 | 404 | 413 | 422));
        if !about_the_request {
            return None;
        }
        let found = PHRASES.iter().find(|(_, phrases)| self.mentions(phrases)).map(|(kind, _)| *kind);
        let about_a_model =
            || status == Some(404) && (self.mentions(&["model"]) || self.has_word(&["not_found_error"]));
        let missing_model =
            || status == Some(400) && self.mentions(&["model"]) && self.mentions(&["does not exist"]);
        found.or_else(|| (about_a_model() || missing_model()).then_some(FailureKind::ModelNotFound))
    }

    const fn kind_by_status(status: u16) -> FailureKind {
        match status {
            401 | 403 => FailureKind::InvalidKey,
            402 => FailureKind::OutOfCredit,
            408 | 504 | 522 | 524 => FailureKind::Timeout,
            413 => FailureKind::ContextLength,
            429 => FailureKind::RateLimit,
            503 | 529 => FailureKind::Overloaded,
            500.. => FailureKind::ServerError,
            // Nothing there, or somewhere else: the account's URL is wrong, not the client's request.
            300..=399 | 404 | 405 | 410 => FailureKind::BadResponse,
            _ => FailureKind::BadRequest,
        }
    }

    /// The failure of a call answered with `status` and `headers`.
    pub fn into_error(
        self,
        status: Option<u16>,
        headers: Option<&HeaderMap>,
        credential: Option<&SecretString>,
    ) -> CallError {
        let kind = self.kind(status);
        let said = tidy(&self.message, credential);
        let message = match (said.is_empty(), status) {
            (false, _) => said,
            (true, Some(status)) => format!("the provider answered {status} without a message"),
            (true, None) => "the provider reported an error without a message".to_owned(),
        };
        let retry_after = headers.and_then(wait_asked_for).or(self.wait).map(|wait| wait.min(WAIT_MAX));
        let headroom = headers.and_then(Headroom::of);
        CallError { kind, http_status: status, message, retry_after, metering: None, headroom }
    }
}

/// A failure in our own words.
pub(crate) fn failed(kind: FailureKind, http_status: Option<u16>, message: impl Into<String>) -> CallError {
    CallError {
        kind,
        http_status,
        message: message.into(),
        retry_after: None,
        metering: None,
        headroom: None,
    }
}

/// Google's `ErrorInfo` inside the body: `{"reason": "API_KEY_INVALID"}`.
fn reason(error: &Value) -> Option<&str> {
    let details = error.get("details")?.as_array()?;
    details.iter().find_map(|detail| detail.get("reason")?.as_str())
}

/// Google's `RetryInfo` inside the body: `{"retryDelay": "37s"}`.
fn retry_delay(error: &Value) -> Option<Duration> {
    let details = error.get("details")?.as_array()?;
    let delay = details.iter().find_map(|detail| detail.get("retryDelay")?.as_str())?;
    seconds(delay.strip_suffix('s')?)
}

/// `retry-after-ms`, or `retry-after` in seconds or as a date. A date is compared with the answer's own clock, so that
/// ours need not agree with the provider's.
fn wait_asked_for(headers: &HeaderMap) -> Option<Duration> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    if let Some(millis) = text("retry-after-ms").and_then(|millis| millis.parse().ok()) {
        return Some(Duration::from_millis(millis));
    }
    let asked = text(RETRY_AFTER.as_str())?;
    if let Some(wait) = seconds(asked) {
        return Some(wait);
    }
    let until = DateTime::parse_from_rfc2822(asked).ok()?;
    let answered = DateTime::parse_from_rfc2822(text(DATE.as_str())?).ok()?;
    (until - answered).max(chrono::TimeDelta::zero()).to_std().ok()
}

/// Whole or decimal seconds; nothing negative, no words.
fn seconds(text: &str) -> Option<Duration> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    if !digits {
        return None;
    }
    Duration::try_from_secs_f64(text.parse().ok()?).ok()
}

/// A provider's words, safe to store and to show: one line, bounded, and without the credential or a piece of it.
pub(crate) fn tidy(message: &str, credential: Option<&SecretString>) -> String {
    let one_line = message.chars().map(|char| if char.is_control() { ' ' } else { char }).collect::<String>();
    let words = one_line
        .split_whitespace()
        // Vendors quote the refused key with its middle starred out; what is left is still too much.
        .map(|word| if word.contains("***") { HIDDEN } else { word })
        .collect::<Vec<_>>();
    // Twice the limit, because hiding shortens; a bound, because a body may be long.
    let beginning = words.join(" ").chars().take(2 * MESSAGE_CHARS_MAX).collect::<String>();
    let text = match credential {
        Some(secret) => without_secret(&beginning, secret.expose_secret(), HIDDEN),
        None => beginning,
    };
    match text.char_indices().nth(MESSAGE_CHARS_MAX) {
        None => text,
        Some(_) => text.chars().take(MESSAGE_CHARS_MAX - 1).chain(['…']).collect(),
    }
}

#[cfg(test)]
mod tests;
