//! What the simulator is told to do: how fast, how long, how wrong.
//!
//! Dials are set when the server is bound, changed live through a [`DialsHandle`], over HTTP (`PUT /dials`
//! replaces, `PATCH /dials` overlays), or for one request alone by the header `x-sim-dials`, whose JSON is laid
//! over the live dials.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwap;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Name of the request header that overlays the dials for one request.
pub const DIALS_HEADER: &str = "x-sim-dials";

/// How many requests the record keeps unless a dial says otherwise.
pub const OBSERVE_DEFAULT: usize = 200;

/// Longest answer a dial may ask for. Units: tokens. It keeps one mistyped dial from filling the memory.
pub const OUTPUT_TOKENS_MAX: u64 = 1_000_000;

/// Largest count a dial may report; sums of counts stay far from overflow. Lies beyond it: [`UsageOverride`].
pub const COUNT_MAX: u64 = 1_000_000_000_000;

/// How an answer goes wrong. Each kind takes the shape the addressed vendor gives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorKind {
    /// Nothing goes wrong.
    #[default]
    None,
    /// 429 with `retry-after` (see [`Dials::retry_after_s`]).
    RateLimit,
    /// 429 on the `OpenAI` wire, 402 on the Anthropic wire, that waiting does not cure: the account has no credit.
    InsufficientQuota,
    /// 503 on the `OpenAI` wire, 529 on the Anthropic wire.
    Overloaded,
    /// 500.
    ServerError,
    /// 502 with an HTML page, as a proxy in between would send.
    BadGateway,
    /// No answer ever comes.
    Timeout,
    /// 401.
    InvalidKey,
    /// 403.
    PermissionDenied,
    /// 404: the model does not exist.
    ModelNotFound,
    /// 400.
    BadRequest,
    /// 400: the prompt is longer than the model's window.
    ContextLength,
    /// 400: the prompt was refused by the vendor's content filter.
    ContentFilter,
    /// 200 whose stop reason says that the model refused.
    Refusal,
    /// 200 with garbage instead of JSON or events.
    Malformed,
    /// 200 with no body at all.
    Empty,
    /// The connection closes before a byte of the answer.
    Drop,
}

/// How the reported usage lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UsageOverride {
    /// The truth.
    #[default]
    None,
    /// Every count is 0.
    Zero,
    /// Every count is negative.
    Negative,
    /// Every count is ten times the truth.
    Tenfold,
    /// Every count is the largest 64-bit signed integer.
    Huge,
    /// Every count is a number beyond 64 bits.
    Overflow,
    /// Every count is a decimal string.
    Strings,
    /// Every count is a fraction.
    Fractions,
    /// Every count is null.
    Nulls,
}

/// Where an `OpenAI` stream carries its usage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UsagePlacement {
    /// In a last chunk without choices, and only when the client asked (`stream_options.include_usage`).
    #[default]
    Separate,
    /// On the chunk that carries the finish reason, asked or not, as some compatible servers do.
    LastChoice,
    /// Cumulative on every chunk, asked or not.
    EveryChunk,
    /// In the separate chunk, sent twice.
    Twice,
}

/// The dials. Every field has a default, so JSON needs only what differs; an unknown field is an error.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Dials {
    /// Wait before the head of the answer. Units: milliseconds.
    pub latency_ms: u64,
    /// Wait between the head and the first event of a stream. Units: milliseconds.
    pub first_chunk_ms: u64,
    /// Wait between two content events of a stream. Units: milliseconds.
    pub chunk_interval_ms: u64,
    /// Added to the latency and to each other wait above 0: a seeded value from 0 to this. Units: milliseconds.
    pub jitter_ms: u64,
    /// Seed of the jitter.
    pub seed: u64,
    /// Words in the answer; without it the answer is as long as the echo.
    pub output_tokens: Option<u64>,
    /// Fresh input tokens reported, instead of the counted ones.
    pub input_tokens: Option<u64>,

    /// What goes wrong.
    pub error: ErrorKind,
    /// Share of requests that go wrong, 0 to 1, spread evenly: at 0.25 every fourth one, starting with the fourth.
    pub error_rate: f64,
    /// When above 0, exactly the first so many requests since the dials were set go wrong (with
    /// [`ErrorKind::ServerError`] when `error` is none) and `error_rate` is not used.
    pub fail_first_n: u64,
    /// The error arrives inside the stream, as the vendor's error event, after so many content events.
    pub error_after_chunks: Option<usize>,
    /// Value of `retry-after` on a rate limit; none leaves the header out. Units: seconds.
    pub retry_after_s: Option<u64>,

    /// The answer ends after so many content events, without its terminal event.
    pub truncate_after_chunks: Option<usize>,
    /// With truncation: end the HTTP body properly instead of cutting the connection.
    pub truncate_cleanly: bool,
    /// The answer stops after so many content events and the connection stays open.
    pub stall_after_chunks: Option<usize>,

    /// No usage is reported.
    pub missing_usage: bool,
    /// How the reported usage lies.
    pub usage_override: UsageOverride,
    /// Reported as usage word for word, before every other usage dial.
    pub usage_raw: Option<Value>,
    /// Where an `OpenAI` stream carries its usage.
    pub usage_placement: UsagePlacement,
    /// Input tokens read from the vendor's cache, reported on top of the fresh ones.
    pub cached_tokens: u64,
    /// Input tokens written to the vendor's cache (5 minutes), reported on top of the fresh ones.
    pub cache_write_tokens: u64,
    /// Input tokens written to the vendor's cache (1 hour), reported on top of the fresh ones.
    pub cache_write_1h_tokens: u64,
    /// Output tokens spent on reasoning, reported on top of the visible ones.
    pub reasoning_tokens: u64,
    /// Also send the reasoning as text (`reasoning_content`, or a thinking block).
    pub reasoning_text: bool,

    /// Add fields that no published format names.
    pub extra_fields: bool,
    /// Send comment lines before the first event of a stream.
    pub sse_comments: bool,
    /// End the lines of a stream with CR LF.
    pub sse_crlf: bool,
    /// Send the body in frames of so many bytes, splitting events and characters anywhere.
    pub frame_bytes: Option<usize>,

    /// The models that are listed. Any other name is answered too.
    pub models: Vec<String>,
    /// Refuse requests without a key, as the vendors do.
    pub require_key: bool,
    /// The one key that is accepted; without it any key is.
    pub api_key: Option<String>,
    /// How many requests the record keeps; 0 turns it off.
    pub observe: usize,
    /// Dials laid over these for requests of one model, so that one target of a chain goes wrong and the next does not.
    pub per_model: BTreeMap<String, Map<String, Value>>,
}

impl Default for Dials {
    fn default() -> Self {
        Self {
            latency_ms: 0,
            first_chunk_ms: 0,
            chunk_interval_ms: 0,
            jitter_ms: 0,
            seed: 0,
            output_tokens: None,
            input_tokens: None,
            error: ErrorKind::None,
            error_rate: 1.0,
            fail_first_n: 0,
            error_after_chunks: None,
            retry_after_s: Some(1),
            truncate_after_chunks: None,
            truncate_cleanly: false,
            stall_after_chunks: None,
            missing_usage: false,
            usage_override: UsageOverride::None,
            usage_raw: None,
            usage_placement: UsagePlacement::Separate,
            cached_tokens: 0,
            cache_write_tokens: 0,
            cache_write_1h_tokens: 0,
            reasoning_tokens: 0,
            reasoning_text: false,
            extra_fields: false,
            sse_comments: false,
            sse_crlf: false,
            frame_bytes: None,
            models: vec!["sim-small".to_owned(), "sim-large".to_owned()],
            require_key: true,
            api_key: None,
            observe: OBSERVE_DEFAULT,
            per_model: BTreeMap::new(),
        }
    }
}

/// Why dials were refused.
#[derive(Debug, thiserror::Error)]
pub enum InvalidDials {
    /// The text is not a JSON object of known dials.
    #[error("the dials are not understood")]
    Json(#[source] serde_json::Error),
    /// `error_rate` is not a share.
    #[error("error_rate must lie between 0 and 1")]
    ErrorRate,
    /// `frame_bytes` is 0.
    #[error("frame_bytes must be at least 1")]
    FrameBytes,
    /// A token count is larger than [`OUTPUT_TOKENS_MAX`] or [`COUNT_MAX`].
    #[error("a token count is too large")]
    Count,
    /// A model's dials name models themselves.
    #[error("per_model must not contain per_model")]
    Nested,
}

impl Dials {
    /// The dials laid over `self` by a JSON object: fields it does not name stay as they are.
    ///
    /// Errors: [`InvalidDials`] when the text is not understood or a value is out of range.
    pub fn overlaid(&self, json: &[u8]) -> Result<Self, InvalidDials> {
        let overlay: Map<String, Value> = serde_json::from_slice(json).map_err(InvalidDials::Json)?;
        let mut merged = serde_json::to_value(self).map_err(InvalidDials::Json)?;
        if let Value::Object(fields) = &mut merged {
            fields.extend(overlay);
        }
        serde_json::from_value::<Self>(merged).map_err(InvalidDials::Json)?.checked()
    }

    /// The dials named by a JSON object, all others at their defaults.
    ///
    /// Errors: [`InvalidDials`] when the text is not understood or a value is out of range.
    pub fn parse(json: &[u8]) -> Result<Self, InvalidDials> {
        serde_json::from_slice::<Self>(json).map_err(InvalidDials::Json)?.checked()
    }

    fn checked(self) -> Result<Self, InvalidDials> {
        if !(0.0..=1.0).contains(&self.error_rate) {
            return Err(InvalidDials::ErrorRate);
        }
        if self.frame_bytes == Some(0) {
            return Err(InvalidDials::FrameBytes);
        }
        let reported = [
            self.input_tokens.unwrap_or(0),
            self.cached_tokens,
            self.cache_write_tokens,
            self.cache_write_1h_tokens,
            self.reasoning_tokens,
        ];
        if self.output_tokens > Some(OUTPUT_TOKENS_MAX) || reported.iter().any(|count| *count > COUNT_MAX) {
            return Err(InvalidDials::Count);
        }
        for overlay in self.per_model.values() {
            if overlay.contains_key("per_model") {
                return Err(InvalidDials::Nested);
            }
            Self::default().laid_over(overlay)?;
        }
        Ok(self)
    }

    /// The dials for a request of `model`; `None` when it has none of its own.
    pub(crate) fn for_model(&self, model: &str) -> Option<Self> {
        let overlay = self.per_model.get(model)?;
        // They were checked when they were set.
        self.laid_over(overlay).ok()
    }

    fn laid_over(&self, overlay: &Map<String, Value>) -> Result<Self, InvalidDials> {
        let mut merged = serde_json::to_value(self).map_err(InvalidDials::Json)?;
        if let Value::Object(fields) = &mut merged {
            fields.insert("per_model".to_owned(), Value::Object(Map::new()));
            fields.extend(overlay.clone());
        }
        serde_json::from_value::<Self>(merged).map_err(InvalidDials::Json)?.checked()
    }
}

/// The live dials of a running simulator. Clones turn the same dials.
#[derive(Clone, Default)]
pub struct DialsHandle {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    dials: ArcSwap<Dials>,
    /// Requests decided since the dials were last set; `fail_first_n` and `error_rate` count with it.
    decided: AtomicU64,
}

impl fmt::Debug for DialsHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DialsHandle").field("dials", &self.get()).finish_non_exhaustive()
    }
}

impl DialsHandle {
    /// A handle on these dials.
    pub fn new(dials: Dials) -> Self {
        let handle = Self::default();
        handle.set(dials);
        handle
    }

    /// The dials as they are now.
    pub fn get(&self) -> Arc<Dials> {
        self.shared.dials.load_full()
    }

    /// Replaces the dials and starts counting failures anew. Requests already being answered keep their dials.
    pub fn set(&self, dials: Dials) {
        self.shared.dials.store(Arc::new(dials));
        self.shared.decided.store(0, Ordering::Relaxed);
    }

    /// Changes the dials in place: `dials.update(|d| d.latency_ms = 50)`.
    pub fn update(&self, change: impl FnOnce(&mut Dials)) {
        let mut dials = (*self.get()).clone();
        change(&mut dials);
        self.set(dials);
    }

    /// The position of one more request since the dials were set, starting at 0.
    pub(crate) fn next_position(&self) -> u64 {
        self.shared.decided.fetch_add(1, Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_overlay_changes_only_what_it_names() {
        let base = Dials { latency_ms: 7, cached_tokens: 3, ..Dials::default() };
        let merged = base.overlaid(br#"{"latency_ms": 9, "error": "rate_limit"}"#).unwrap();
        assert_eq!(merged.latency_ms, 9);
        assert_eq!(merged.cached_tokens, 3);
        assert_eq!(merged.error, ErrorKind::RateLimit);
    }

    #[test]
    fn unknown_and_impossible_dials_are_refused() {
        assert!(matches!(Dials::parse(br#"{"latency": 1}"#), Err(InvalidDials::Json(_))));
        assert!(matches!(Dials::parse(br#"{"error_rate": 1.5}"#), Err(InvalidDials::ErrorRate)));
        assert!(matches!(Dials::parse(br#"{"frame_bytes": 0}"#), Err(InvalidDials::FrameBytes)));
    }

    #[test]
    fn a_models_own_dials_are_for_that_model_alone() {
        let dials =
            Dials::parse(br#"{"latency_ms": 7, "per_model": {"a": {"error": "server_error"}}}"#).unwrap();
        let own = dials.for_model("a").unwrap();
        assert_eq!((own.error, own.latency_ms), (ErrorKind::ServerError, 7));
        assert_eq!(dials.for_model("b"), None);
    }

    #[test]
    fn a_models_wrong_dials_are_refused_when_they_are_set() {
        let parse = |json: &[u8]| Dials::parse(json);
        assert!(matches!(parse(br#"{"per_model": {"a": {"speed": 1}}}"#), Err(InvalidDials::Json(_))));
        assert!(matches!(parse(br#"{"per_model": {"a": {"error_rate": 2}}}"#), Err(InvalidDials::ErrorRate)));
        assert!(matches!(parse(br#"{"per_model": {"a": {"per_model": {}}}}"#), Err(InvalidDials::Nested)));
    }

    #[test]
    fn setting_dials_restarts_the_count_of_failures() {
        let handle = DialsHandle::new(Dials::default());
        assert_eq!(handle.next_position(), 0);
        assert_eq!(handle.next_position(), 1);
        handle.update(|dials| dials.fail_first_n = 1);
        assert_eq!(handle.next_position(), 0);
    }
}
