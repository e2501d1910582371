//! What a request asks for and may use at most, read from the client's own JSON without converting it.

mod at_most;
mod responses;

use serde_json::{Map, Value};
use signalbox_core::ledger::{Surface, Work};
use signalbox_core::meter::Bound;

pub use at_most::input_at_most;

use crate::call::Payload;
use crate::media;
use crate::tokens::{self, as_u64};

/// Most tokens of an answer when the client sets no limit.
pub(crate) const TOKENS_OUT_DEFAULT: u64 = 4096;

/// Tokens a picture is taken for: what Anthropic bills for the largest it does not shrink, and a large tiled one at
/// `OpenAI`.
const TOKENS_PER_IMAGE: u64 = 1600;

/// Tokens that mark the beginning, the role and the end of a message.
const TOKENS_PER_MESSAGE: u64 = 4;

/// Tokens that prompt for the answer.
const TOKENS_PER_CHAT: u64 = 3;

/// Base64 characters of a token's worth of compressed speech (10 tokens a second at 16 kB).
const AUDIO_CHARS_PER_TOKEN: u64 = 1500;

/// Base64 characters of a token's worth of a document such as a PDF.
const DOCUMENT_CHARS_PER_TOKEN: u64 = 16;

/// Most answers to one request.
const ANSWERS_MAX: u64 = 128;

/// A fault of the client's request, and where it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {message}")]
pub struct InvalidRequest {
    /// JSON path of the faulty field, e.g. `messages[2].content`.
    pub path: String,
    /// What is wrong with it.
    pub message: String,
}

/// What a request asks for and may use at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RequestFeatures {
    /// The most it may use.
    pub bound: Bound,
    /// Whether the model must see images.
    pub has_images: bool,
    /// Whether the answer is to come as it is made.
    pub streamed: bool,
    /// Whether the model may call tools.
    pub has_tools: bool,
    /// Whether the model must hear sound within the conversation.
    pub has_audio: bool,
    /// Whether the answer must be JSON.
    pub json_output: bool,
}

/// Reads what `body`, a request in the dialect of `surface`, asks for and may use at most.
///
/// Units: tokens by `OpenAI`'s vocabulary, counted exactly for the first 4 KiB of text and from above beyond.
/// Errors: [`InvalidRequest`] for what no provider could serve, with the JSON path. What is merely unknown is let through.
pub fn inspect(surface: Surface, payload: &Payload) -> Result<RequestFeatures, InvalidRequest> {
    match (surface.work(), payload) {
        (Work::Chat, Payload::Json(body)) => inspect_chat(surface, body),
        (work, payload) => media::inspect(work, payload),
    }
}

fn inspect_chat(surface: Surface, body: &Map<String, Value>) -> Result<RequestFeatures, InvalidRequest> {
    match surface {
        Surface::OpenaiResponses => responses::check(body)?,
        _ => check_messages(body)?,
    }
    let streamed = match given(body, "stream") {
        None => false,
        Some(stream) => stream.as_bool().ok_or_else(|| fault("stream", "must be true or false"))?,
    };
    let limits: &[&str] = match surface {
        Surface::OpenaiChat => &["max_completion_tokens", "max_tokens"],
        Surface::OpenaiResponses => &["max_output_tokens"],
        Surface::AnthropicMessages => &["max_tokens"],
        Surface::OpenaiEmbeddings | Surface::OpenaiTranscription | Surface::OpenaiSpeech => &[],
    };
    let mut limit = None;
    for key in limits {
        limit = limit.or(positive(body, key)?);
    }
    let answers = match surface {
        Surface::OpenaiChat => positive(body, "n")?.unwrap_or(1),
        Surface::OpenaiResponses
        | Surface::OpenaiEmbeddings
        | Surface::OpenaiTranscription
        | Surface::OpenaiSpeech
        | Surface::AnthropicMessages => 1,
    };
    if answers > ANSWERS_MAX {
        return Err(fault("n", format!("must be at most {ANSWERS_MAX}")));
    }
    let mut walk = Walk::new(tokens::RESERVE_BYTES_EXACT);
    walk.request(body);
    Ok(RequestFeatures {
        bound: Bound {
            tokens_in: walk.tokens,
            tokens_out_max: limit.unwrap_or(TOKENS_OUT_DEFAULT).saturating_mul(answers),
            may_write_cache: walk.caches,
            open_answers: if limit.is_none() { answers } else { 0 },
            ..Bound::default()
        },
        has_images: walk.images,
        has_audio: walk.sound,
        json_output: wants_json(body),
        streamed,
        has_tools: ["tools", "functions"].iter().any(|key| is_filled_list(body.get(*key))),
    })
}

/// Tokens that `payload`, a chat in the dialect of `surface`, would have a model read.
///
/// Units: tokens by `OpenAI`'s vocabulary, counted exactly for the first 256 KiB of text and from above beyond.
/// Errors: [`InvalidRequest`] as for [`inspect`].
pub fn count_input(surface: Surface, payload: &Payload) -> Result<u64, InvalidRequest> {
    inspect(surface, payload)?;
    Ok(match payload {
        Payload::Json(body) => settled_input(body),
        Payload::Audio(_) => 0,
    })
}

/// Whether the answer must be JSON: `response_format` of chats, `text.format` of responses, `output_format` of messages.
fn wants_json(body: &Map<String, Value>) -> bool {
    let formats = [
        body.get("response_format"),
        body.get("text").and_then(|text| text.get("format")),
        body.get("output_format"),
        body.get("output_config").and_then(|config| config.get("format")),
    ];
    formats.into_iter().flatten().any(|format| {
        matches!(format.get("type").and_then(Value::as_str), Some("json_object" | "json_schema"))
    })
}

/// Tokens `body` reads, for a settlement the provider left to us.
pub(crate) fn settled_input(body: &Map<String, Value>) -> u64 {
    let mut walk = Walk::new(tokens::SETTLE_BYTES_EXACT);
    walk.request(body);
    walk.tokens
}

fn check_messages(body: &Map<String, Value>) -> Result<(), InvalidRequest> {
    let messages = match body.get("messages") {
        Some(Value::Array(messages)) if !messages.is_empty() => messages,
        Some(Value::Array(_)) => return Err(fault("messages", "must not be empty")),
        Some(_) => return Err(fault("messages", "must be a list")),
        None => return Err(fault("messages", "is missing")),
    };
    for (index, message) in messages.iter().enumerate() {
        let Value::Object(message) = message else {
            return Err(fault(format!("messages[{index}]"), "must be an object"));
        };
        if !message.get("role").is_some_and(Value::is_string) {
            return Err(fault(format!("messages[{index}].role"), "must be a text"));
        }
        match message.get("content") {
            None | Some(Value::Null | Value::String(_) | Value::Array(_)) => {}
            Some(_) => {
                return Err(fault(format!("messages[{index}].content"), "must be a text or a list of parts"));
            }
        }
    }
    Ok(())
}

pub(crate) fn fault(path: impl Into<String>, message: impl Into<String>) -> InvalidRequest {
    InvalidRequest { path: path.into(), message: message.into() }
}

pub(crate) fn given<'a>(body: &'a Map<String, Value>, key: &str) -> Option<&'a Value> {
    body.get(key).filter(|value| !value.is_null())
}

pub(crate) fn positive(body: &Map<String, Value>, key: &str) -> Result<Option<u64>, InvalidRequest> {
    match given(body, key) {
        None => Ok(None),
        Some(value) => match value.as_u64().filter(|count| *count > 0) {
            Some(count) => Ok(Some(count)),
            None => Err(fault(key, "must be a whole number above 0")),
        },
    }
}

fn is_filled_list(value: Option<&Value>) -> bool {
    value.and_then(Value::as_array).is_some_and(|list| !list.is_empty())
}

/// Adds up what a request reads. Both dialects are walked alike: their fields do not contradict each other.
struct Walk {
    tokens: u64,
    exact_bytes_left: usize,
    images: bool,
    sound: bool,
    caches: bool,
}

impl Walk {
    const fn new(exact_bytes: usize) -> Self {
        Self {
            tokens: TOKENS_PER_CHAT,
            exact_bytes_left: exact_bytes,
            images: false,
            sound: false,
            caches: false,
        }
    }

    fn request(&mut self, body: &Map<String, Value>) {
        self.note_caching(body);
        self.content(body.get("system"));
        for message in body.get("messages").and_then(Value::as_array).into_iter().flatten() {
            self.message(message);
        }
        if !body.contains_key("messages") {
            responses::walk(self, body);
        }
        for key in ["tools", "functions", "response_format"] {
            if let Some(value) = body.get(key) {
                self.json(value);
            }
        }
    }

    fn message(&mut self, message: &Value) {
        self.add(TOKENS_PER_MESSAGE);
        let Value::Object(message) = message else { return };
        self.note_caching(message);
        self.content(message.get("content"));
        for key in ["tool_calls", "function_call", "name", "reasoning_content"] {
            if let Some(value) = message.get(key) {
                self.json(value);
            }
        }
    }

    fn content(&mut self, content: Option<&Value>) {
        match content {
            Some(Value::String(text)) => self.text(text),
            Some(Value::Array(parts)) => parts.iter().for_each(|part| self.part(part)),
            _ => {}
        }
    }

    fn part(&mut self, part: &Value) {
        let Value::Object(fields) = part else { return self.json(part) };
        self.note_caching(fields);
        let text = |key: &str| fields.get(key).and_then(Value::as_str);
        let inline = |path: &str| as_u64(part.pointer(path).and_then(Value::as_str).map_or(0, str::len));
        match text("type") {
            Some("text" | "input_text" | "output_text") => self.text(text("text").unwrap_or_default()),
            Some("image" | "image_url" | "input_image") => {
                self.images = true;
                self.add(TOKENS_PER_IMAGE);
            }
            Some("input_audio") => {
                self.sound = true;
                self.add(inline("/input_audio/data").div_ceil(AUDIO_CHARS_PER_TOKEN));
            }
            Some("document" | "file" | "input_file") => {
                let chars = ["/source/data", "/file/file_data", "/file_data"]
                    .into_iter()
                    .fold(0_u64, |sum, path| sum.saturating_add(inline(path)));
                self.add(chars.div_ceil(DOCUMENT_CHARS_PER_TOKEN).max(TOKENS_PER_IMAGE));
            }
            Some("tool_result") => self.content(fields.get("content")),
            _ => self.json(part),
        }
    }

    fn text(&mut self, text: &str) {
        self.add(tokens::count(text, self.exact_bytes_left));
        self.exact_bytes_left = self.exact_bytes_left.saturating_sub(text.len());
    }

    /// Structure is counted by its size: exact counts of schemas are not worth writing them out.
    fn json(&mut self, value: &Value) {
        let bytes = self.json_bytes(value);
        self.add(tokens::of_bytes(bytes));
    }

    fn json_bytes(&mut self, value: &Value) -> u64 {
        // Quotes, a colon or comma: what a field costs beside its words.
        const MARKS: u64 = 3;
        match value {
            Value::Null | Value::Bool(_) | Value::Number(_) => MARKS.saturating_add(4),
            Value::String(text) => as_u64(text.len()).saturating_add(MARKS),
            Value::Array(values) => {
                values.iter().fold(MARKS, |sum, value| sum.saturating_add(self.json_bytes(value)))
            }
            Value::Object(fields) => {
                self.note_caching(fields);
                fields.iter().fold(MARKS, |sum, (key, value)| {
                    sum.saturating_add(as_u64(key.len()))
                        .saturating_add(MARKS)
                        .saturating_add(self.json_bytes(value))
                })
            }
        }
    }

    fn note_caching(&mut self, fields: &Map<String, Value>) {
        self.caches = self.caches || fields.get("cache_control").is_some_and(|control| !control.is_null());
    }

    const fn add(&mut self, tokens: u64) {
        self.tokens = self.tokens.saturating_add(tokens);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn body(value: Value) -> Map<String, Value> {
        let Value::Object(map) = value else { panic!("a body is an object") };
        map
    }

    fn openai(value: Value) -> RequestFeatures {
        inspect_chat(Surface::OpenaiChat, &body(value)).unwrap()
    }

    fn hello() -> Value {
        json!([{"role": "user", "content": "hello world"}])
    }

    #[test]
    fn a_small_chat_is_counted_exactly() {
        let features = openai(json!({"messages": hello()}));
        assert_eq!(features.bound.tokens_in, 3 + 4 + 2);
        assert_eq!(features.bound.tokens_out_max, 4096);
        assert!(
            !features.bound.may_write_cache
                && !features.has_images
                && !features.streamed
                && !features.has_tools
        );
    }

    #[test]
    fn the_clients_own_limit_bounds_the_answer_and_each_answer_counts() {
        let bound = |value| openai(value).bound.tokens_out_max;
        assert_eq!(bound(json!({"messages": hello(), "max_tokens": 10})), 10);
        assert_eq!(bound(json!({"messages": hello(), "max_completion_tokens": 20, "max_tokens": 10})), 20);
        assert_eq!(bound(json!({"messages": hello(), "max_tokens": 10, "n": 3})), 30);
        assert_eq!(bound(json!({"messages": hello(), "n": 2, "max_tokens": null})), 8192);
        let anthropic = body(json!({"messages": hello(), "max_tokens": 7, "n": 5}));
        assert_eq!(inspect_chat(Surface::AnthropicMessages, &anthropic).unwrap().bound.tokens_out_max, 7);
    }

    #[test]
    fn everything_a_model_reads_is_counted() {
        let plain = openai(json!({"messages": hello()})).bound.tokens_in;
        for more in [
            json!({"messages": hello(), "system": "be brief"}),
            json!({"messages": hello(), "system": [{"type": "text", "text": "be brief"}]}),
            json!({"messages": hello(), "tools": [{"type": "function", "function": {"name": "weather"}}]}),
            json!({"messages": hello(), "response_format": {"type": "json_schema", "json_schema": {"schema": {}}}}),
            json!({"messages": [{"role": "user", "content": [{"type": "text", "text": "hello world, more of it"}]}]}),
            json!({"messages": [{"role": "user", "content": "hello world", "tool_calls": [{"id": "a"}]}]}),
            json!({"messages": [{"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "a", "content": [{"type": "text", "text": "a long result"}]},
            ]}]}),
        ] {
            assert!(openai(more.clone()).bound.tokens_in > plain, "{more}");
        }
    }

    #[test]
    fn features_are_seen_in_both_dialects() {
        let image = json!({"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}});
        let block = json!({"type": "image", "source": {"type": "base64", "data": "AAAA"}});
        let result = json!({"type": "tool_result", "tool_use_id": "a", "content": [block]});
        for part in [image, block, result] {
            let features = openai(json!({"messages": [{"role": "user", "content": [part]}]}));
            assert!(features.has_images);
            assert_eq!(features.bound.tokens_in, 3 + 4 + 1600);
        }
        let tools = json!([{"name": "weather"}]);
        assert!(openai(json!({"messages": hello(), "tools": tools, "stream": true})).has_tools);
        assert!(openai(json!({"messages": hello(), "stream": true})).streamed);
        assert!(!openai(json!({"messages": hello(), "tools": []})).has_tools);
    }

    #[test]
    fn a_wish_to_write_the_cache_is_seen_wherever_it_stands() {
        let control = json!({"type": "ephemeral"});
        for asks in [
            json!({"messages": hello(), "cache_control": control}),
            json!({"messages": hello(), "system": [{"type": "text", "text": "x", "cache_control": control}]}),
            json!({"messages": hello(), "tools": [{"name": "a", "cache_control": control}]}),
            json!({"messages": [{"role": "user", "content": [{"type": "text", "text": "x", "cache_control": control}]}]}),
        ] {
            assert!(openai(asks.clone()).bound.may_write_cache, "{asks}");
        }
    }

    #[test]
    fn a_clients_fault_is_named_by_its_path() {
        for (fault, path) in [
            (json!({}), "messages"),
            (json!({"messages": []}), "messages"),
            (json!({"messages": "hi"}), "messages"),
            (json!({"messages": [7]}), "messages[0]"),
            (json!({"messages": [{"role": "user"}, {"content": "x"}]}), "messages[1].role"),
            (json!({"messages": [{"role": "user", "content": 7}]}), "messages[0].content"),
            (json!({"messages": hello(), "max_tokens": 0}), "max_tokens"),
            (json!({"messages": hello(), "max_tokens": -5}), "max_tokens"),
            (json!({"messages": hello(), "max_completion_tokens": "9"}), "max_completion_tokens"),
            (json!({"messages": hello(), "stream": "yes"}), "stream"),
            (json!({"messages": hello(), "n": 1000}), "n"),
        ] {
            assert_eq!(
                inspect_chat(Surface::OpenaiChat, &body(fault.clone())).unwrap_err().path,
                path,
                "{fault}"
            );
        }
    }

    #[test]
    fn huge_limits_saturate() {
        let features = openai(json!({"messages": hello(), "max_tokens": u64::MAX, "n": 128}));
        assert_eq!(features.bound.tokens_out_max, u64::MAX);
    }
}
