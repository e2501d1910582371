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

use crate::call::CallError;

/// Longest message that is kept.
pub(crate) const MESSAGE_CHARS_MAX: usize = 500;

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
        let error = match outer.get("error") {
            Some(error) if !error.is_null() => error,
            _ => outer,
        };
        if let Value::String(message) = error {
            return Self { message: message.clone(), ..Self::default() };
        }
        let message = ["message", "detail", "error_description", "msg"].iter().find_map(|key| {
            error.get(key).and_then(Value::as_str).or_else(|| outer.get(key).and_then(Value::as_str))
        });
        let words = ["code", "type", "status"]
            .iter()
            .filter_map(|key| error.get(key).and_then(Value::as_str))
            .chain(error.pointer("/innererror/code").and_then(Value::as_str))
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
                ],
            ),
            (
                FailureKind::ContextLength,
                &[
                    "context_length_exceeded",
                    "string_above_max_length",
                    "request_too_large",
                    "context_window_exceeded",
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
            (FailureKind::ModelNotFound, &["model_not_found", "model_not_available", "deploymentnotfound"]),
            (
                FailureKind::InvalidKey,
                &[
                    "invalid_api_key",
                    "authentication_error",
                    "permission_error",
                    "permission_denied",
                    "unauthenticated",
                    "unsupported_country_region_territory",
                    "account_deactivated",
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
                ],
            ),
            (
                FailureKind::RateLimit,
                &["rate_limit_exceeded", "rate_limit_error", "resource_exhausted", "too_many_requests"],
            ),
            (FailureKind::Timeout, &["timeout_error", "timeout", "deadline_exceeded"]),
        ];
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
            (FailureKind::InvalidKey, &["api key not valid", "invalid api key", "incorrect api key"]),
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
                ],
            ),
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
        CallError { kind, http_status: status, message, retry_after, metering: None }
    }
}

/// A failure in our own words.
pub(crate) fn failed(kind: FailureKind, http_status: Option<u16>, message: impl Into<String>) -> CallError {
    CallError { kind, http_status, message: message.into(), retry_after: None, metering: None }
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

/// A provider's words, safe to store and to show: one line, bounded, and without the credential.
pub(crate) fn tidy(message: &str, credential: Option<&SecretString>) -> String {
    const HIDDEN: &str = "[credential]";
    let scrubbed = match credential.map(ExposeSecret::expose_secret) {
        Some(secret) if !secret.is_empty() => message.replace(secret, HIDDEN),
        _ => message.to_owned(),
    };
    let one_line =
        scrubbed.chars().map(|char| if char.is_control() { ' ' } else { char }).collect::<String>();
    let words = one_line
        .split_whitespace()
        // Vendors quote the refused key with its middle starred out; what is left is still too much.
        .map(|word| if word.contains("***") { HIDDEN } else { word })
        .collect::<Vec<_>>();
    let text = words.join(" ");
    match text.char_indices().nth(MESSAGE_CHARS_MAX) {
        None => text,
        Some(_) => text.chars().take(MESSAGE_CHARS_MAX - 1).chain(['…']).collect(),
    }
}

#[cfg(test)]
mod tests {
    use FailureKind as Kind;
    use reqwest::header::HeaderValue;

    use super::*;

    /// Status, body as the vendor sends it, meaning.
    const TABLE: &[(u16, &str, FailureKind)] = &[
        // OpenAI
        (
            401,
            r#"{"error":{"message":"Incorrect API key provided: sk-abc***xyz.","type":"invalid_request_error","param":null,"code":"invalid_api_key"}}"#,
            Kind::InvalidKey,
        ),
        (
            401,
            r#"{"error":{"message":"You must be a member of an organization to use the API","type":"invalid_request_error"}}"#,
            Kind::InvalidKey,
        ),
        (
            403,
            r#"{"error":{"message":"Country, region, or territory not supported","code":"unsupported_country_region_territory"}}"#,
            Kind::InvalidKey,
        ),
        (
            403,
            r#"{"error":{"message":"Project `p` does not have access to model `gpt-5`","type":"invalid_request_error","code":"model_not_found"}}"#,
            Kind::ModelNotFound,
        ),
        (
            404,
            r#"{"error":{"message":"The model `gpt-9` does not exist or you do not have access to it.","type":"invalid_request_error","code":"model_not_found"}}"#,
            Kind::ModelNotFound,
        ),
        (
            429,
            r#"{"error":{"message":"Rate limit reached for gpt-4o in organization org on tokens per min (TPM)","type":"tokens","code":"rate_limit_exceeded"}}"#,
            Kind::RateLimit,
        ),
        (
            429,
            r#"{"error":{"message":"You exceeded your current quota, please check your plan and billing details.","type":"insufficient_quota","param":null,"code":"insufficient_quota"}}"#,
            Kind::OutOfCredit,
        ),
        (
            400,
            r#"{"error":{"message":"This model's maximum context length is 128000 tokens. However, your messages resulted in 130000 tokens.","type":"invalid_request_error","param":"messages","code":"context_length_exceeded"}}"#,
            Kind::ContextLength,
        ),
        (
            400,
            r#"{"error":{"message":"Your request was rejected as a result of our safety system.","type":"invalid_request_error","code":"content_policy_violation"}}"#,
            Kind::ContentFilter,
        ),
        (
            400,
            r#"{"error":{"message":"Unsupported parameter: 'max_tokens'","type":"invalid_request_error","code":"unsupported_parameter"}}"#,
            Kind::BadRequest,
        ),
        (
            500,
            r#"{"error":{"message":"The server had an error while processing your request.","type":"server_error","code":null}}"#,
            Kind::ServerError,
        ),
        (
            503,
            r#"{"error":{"message":"The engine is currently overloaded, please try again later","type":"server_error"}}"#,
            Kind::Overloaded,
        ),
        (503, r#"{"error":{"message":"Slow Down","code":"slow_down"}}"#, Kind::Overloaded),
        // Azure
        (
            400,
            r#"{"error":{"message":"The response was filtered due to the prompt triggering Azure OpenAI's content management policy.","type":null,"param":"prompt","code":"content_filter","status":400,"innererror":{"code":"ResponsibleAIPolicyViolation"}}}"#,
            Kind::ContentFilter,
        ),
        (
            404,
            r#"{"error":{"code":"DeploymentNotFound","message":"The API deployment for this resource does not exist."}}"#,
            Kind::ModelNotFound,
        ),
        // DeepSeek
        (
            402,
            r#"{"error":{"message":"Insufficient Balance","type":"unknown_error","param":null,"code":"invalid_request_error"}}"#,
            Kind::OutOfCredit,
        ),
        (
            400,
            r#"{"error":{"message":"Model Not Exist","type":"invalid_request_error","param":null,"code":"invalid_request_error"}}"#,
            Kind::ModelNotFound,
        ),
        // Google's compatible endpoint: a list, and states in capitals
        (
            400,
            r#"[{"error":{"code":400,"message":"API key not valid. Please pass a valid API key.","status":"INVALID_ARGUMENT"}}]"#,
            Kind::InvalidKey,
        ),
        (
            429,
            r#"[{"error":{"code":429,"message":"You exceeded your current quota, please check your plan and billing details.","status":"RESOURCE_EXHAUSTED"}}]"#,
            Kind::RateLimit,
        ),
        (
            503,
            r#"[{"error":{"code":503,"message":"The model is overloaded.","status":"UNAVAILABLE"}}]"#,
            Kind::Overloaded,
        ),
        (
            400,
            r#"[{"error":{"code":400,"message":"The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).","status":"INVALID_ARGUMENT"}}]"#,
            Kind::ContextLength,
        ),
        // OpenRouter
        (
            402,
            r#"{"error":{"code":402,"message":"This request requires more credits, or fewer max_tokens."}}"#,
            Kind::OutOfCredit,
        ),
        (
            400,
            r#"{"error":{"message":"foo/bar is not a valid model ID","code":400},"user_id":"u"}"#,
            Kind::ModelNotFound,
        ),
        (
            403,
            r#"{"error":{"code":403,"message":"Your input was flagged","metadata":{"reasons":["x"]}}}"#,
            Kind::ContentFilter,
        ),
        // Anthropic
        (
            400,
            r#"{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 210000 tokens > 200000 maximum"}}"#,
            Kind::ContextLength,
        ),
        (
            400,
            r#"{"type":"error","error":{"type":"invalid_request_error","message":"input length and `max_tokens` exceed context limit: 188240 + 21333 > 200000"}}"#,
            Kind::ContextLength,
        ),
        (
            400,
            r#"{"type":"error","error":{"type":"invalid_request_error","message":"Your credit balance is too low to access the Anthropic API."}}"#,
            Kind::OutOfCredit,
        ),
        (
            400,
            r#"{"type":"error","error":{"type":"invalid_request_error","message":"messages: at least one message is required"}}"#,
            Kind::BadRequest,
        ),
        (
            401,
            r#"{"type":"error","error":{"type":"authentication_error","message":"invalid x-api-key"}}"#,
            Kind::InvalidKey,
        ),
        (
            402,
            r#"{"type":"error","error":{"type":"billing_error","message":"Your account has a billing problem."}}"#,
            Kind::OutOfCredit,
        ),
        (
            403,
            r#"{"type":"error","error":{"type":"permission_error","message":"Your API key does not have permission."}}"#,
            Kind::InvalidKey,
        ),
        (
            404,
            r#"{"type":"error","error":{"type":"not_found_error","message":"model: claude-9"}}"#,
            Kind::ModelNotFound,
        ),
        (
            413,
            r#"{"type":"error","error":{"type":"request_too_large","message":"Request exceeds the maximum size"}}"#,
            Kind::ContextLength,
        ),
        (
            429,
            r#"{"type":"error","error":{"type":"rate_limit_error","message":"Number of request tokens has exceeded your per-minute rate limit"}}"#,
            Kind::RateLimit,
        ),
        (
            500,
            r#"{"type":"error","error":{"type":"api_error","message":"Internal server error"}}"#,
            Kind::ServerError,
        ),
        (
            504,
            r#"{"type":"error","error":{"type":"timeout_error","message":"Request timed out"}}"#,
            Kind::Timeout,
        ),
        (
            529,
            r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#,
            Kind::Overloaded,
        ),
        // Ollama, vLLM, proxies in between
        (
            404,
            r#"{"error":{"message":"model 'llama9' not found","type":"api_error","param":null,"code":null}}"#,
            Kind::ModelNotFound,
        ),
        (
            400,
            r#"{"object":"error","message":"This model's maximum context length is 4096 tokens.","type":"BadRequestError","code":400}"#,
            Kind::ContextLength,
        ),
        (404, r#"{"detail":"Not Found"}"#, Kind::BadResponse),
        (404, "404 page not found", Kind::BadResponse),
        (408, "", Kind::Timeout),
        (422, r#"{"detail":[{"loc":["body","messages"],"msg":"field required"}]}"#, Kind::BadRequest),
        (502, "<html>Bad Gateway</html>", Kind::ServerError),
        (503, "", Kind::Overloaded),
        (524, "error code: 524", Kind::Timeout),
        (529, "", Kind::Overloaded),
        (520, "", Kind::ServerError),
        (418, "", Kind::BadRequest),
    ];

    #[test]
    fn every_vendors_error_has_its_meaning() {
        for (status, body, kind) in TABLE {
            let error = ErrorBody::of_bytes(body.as_bytes()).into_error(Some(*status), None, None);
            assert_eq!(error.kind, *kind, "{status} {body}");
            assert_eq!(error.http_status, Some(*status));
            assert!(!error.message.is_empty());
        }
    }

    #[test]
    fn an_error_inside_a_stream_needs_no_status() {
        for (body, kind) in [
            (
                r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#,
                Kind::Overloaded,
            ),
            (r#"{"error":{"code":502,"message":"Provider returned error"}}"#, Kind::ServerError),
            (r#"{"error":{"code":"429","message":"slow"}}"#, Kind::RateLimit),
            (
                r#"{"error":{"message":"context_length_exceeded","code":"context_length_exceeded"}}"#,
                Kind::ContextLength,
            ),
            (r#"{"error":"upstream died"}"#, Kind::ServerError),
            (r#"{"error":{"code":99999999999}}"#, Kind::ServerError),
            (r#"{"error":[]}"#, Kind::ServerError),
        ] {
            assert_eq!(ErrorBody::of_bytes(body.as_bytes()).kind(None), kind, "{body}");
        }
    }

    fn wait(headers: &[(&'static str, &str)]) -> Option<Duration> {
        let headers = headers
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_str(value).unwrap()))
            .collect::<HeaderMap>();
        ErrorBody::default().into_error(Some(429), Some(&headers), None).retry_after
    }

    #[test]
    fn the_wait_a_provider_asks_for_is_read_in_all_its_forms() {
        let date = ("date", "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(wait(&[("retry-after", "20")]), Some(Duration::from_secs(20)));
        assert_eq!(wait(&[("retry-after", "0.5")]), Some(Duration::from_millis(500)));
        assert_eq!(
            wait(&[("retry-after-ms", "1500"), ("retry-after", "2")]),
            Some(Duration::from_millis(1500))
        );
        let until = |until| wait(&[date, ("retry-after", until)]);
        assert_eq!(until("Sun, 06 Nov 1994 08:50:37 GMT"), Some(Duration::from_secs(60)));
        assert_eq!(until("Sun, 06 Nov 1994 08:00:00 GMT"), Some(Duration::ZERO));
        assert_eq!(wait(&[("retry-after", "99999999999")]), Some(WAIT_MAX));
        for nonsense in ["-5", "soon", "", "1e9", "..", "Sun, 99 Nov 1994 08:49:37 GMT"] {
            assert_eq!(wait(&[("retry-after", nonsense)]), None, "{nonsense}");
        }
        let google = r#"[{"error":{"code":429,"details":[{"@type":"x"},{"retryDelay":"37s"}]}}]"#;
        let error = ErrorBody::of_bytes(google.as_bytes()).into_error(Some(429), None, None);
        assert_eq!(error.retry_after, Some(Duration::from_secs(37)));
    }

    #[test]
    fn a_message_is_one_bounded_line_without_the_credential() {
        let secret = SecretString::from("sk-live-1234567890");
        let text = tidy("bad\nkey\u{0}sk-live-1234567890, again sk-l****7890\u{1b}[31m", Some(&secret));
        assert_eq!(text, "bad key [credential], again [credential] [31m");
        let long = tidy(&"ü".repeat(2000), None);
        assert_eq!(long.chars().count(), MESSAGE_CHARS_MAX);
        assert!(long.ends_with('…'));
    }
}
