//! A call as it goes out: where to, with which headers, and which bytes.

use reqwest::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use serde_json::{Map, Value, json};
use signalbox_core::failure::FailureKind;
use signalbox_core::ids::ModelName;
use url::Url;

use crate::auth::Scheme;
use crate::call::{CallError, ChatCall};
use crate::chat::{ChatRequest, Part};
use crate::dialect::Dialect;
use crate::dialect::gemini::signature_of;
use crate::dialect::openai_chat::signature;
use crate::dialect::openai_responses::items;
use crate::failure::failed;
use crate::inspect::{InvalidRequest, TOKENS_OUT_DEFAULT};

/// The version of Anthropic's API whose form [`crate::dialect::anthropic`] speaks.
const ANTHROPIC_VERSION: HeaderValue = HeaderValue::from_static("2023-06-01");

/// Where chats go.
pub(crate) fn chat_url(dialect: Dialect, base: &Url, model: &ModelName, stream: bool) -> Url {
    match dialect {
        Dialect::OpenaiChat => join(base, "/chat/completions"),
        Dialect::OpenaiResponses => join(base, "/responses"),
        Dialect::Anthropic => join(base, &versioned(base, "/v1", "/messages")),
        Dialect::Gemini if stream => {
            let mut url =
                join(base, &versioned(base, "/v1beta", &gemini_method(model, "streamGenerateContent")));
            url.set_query(Some("alt=sse"));
            url
        }
        Dialect::Gemini => join(base, &versioned(base, "/v1beta", &gemini_method(model, "generateContent"))),
    }
}

/// The path of a method of a model, which may be given as Google lists it: `models/…` or `tunedModels/…`.
fn gemini_method(model: &ModelName, method: &str) -> String {
    let listed = ["models/", "tunedModels/"].iter().any(|prefix| model.as_str().starts_with(prefix));
    if listed { format!("/{model}:{method}") } else { format!("/models/{model}:{method}") }
}

/// Where the list of models is.
pub(crate) fn models_url(dialect: Dialect, base: &Url) -> Url {
    match dialect {
        Dialect::OpenaiChat | Dialect::OpenaiResponses => join(base, "/models"),
        Dialect::Anthropic => {
            let mut url = join(base, &versioned(base, "/v1", "/models"));
            url.set_query(Some("limit=1000"));
            url
        }
        Dialect::Gemini => {
            let mut url = join(base, &versioned(base, "/v1beta", "/models"));
            url.set_query(Some("pageSize=1000"));
            url
        }
    }
}

/// Some vendors' URLs are given with or without their version.
pub(crate) fn versioned(base: &Url, version: &str, tail: &str) -> String {
    let has_it = base.path().trim_end_matches('/').ends_with(version);
    if has_it { tail.to_owned() } else { format!("{version}{tail}") }
}

pub(crate) fn join(base: &Url, tail: &str) -> Url {
    let mut url = base.clone();
    url.set_path(&format!("{}{tail}", base.path().trim_end_matches('/')));
    url
}

/// What goes beside the body, but for the credential.
pub(crate) fn headers(dialect: Dialect, stream: bool) -> HeaderMap {
    const VERSION: HeaderName = HeaderName::from_static("anthropic-version");
    let mut headers = HeaderMap::with_capacity(6);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if stream {
        headers.insert(ACCEPT, HeaderValue::from_static("text/event-stream"));
        // Compressing a stream makes some servers gather what should flow.
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    } else {
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    }
    if dialect == Dialect::Anthropic {
        headers.insert(VERSION, ANTHROPIC_VERSION);
    }
    headers
}

/// Where vendors that speak `dialect` want their key.
pub(crate) const fn scheme(dialect: Dialect) -> Scheme {
    match dialect {
        Dialect::OpenaiChat | Dialect::OpenaiResponses => Scheme::Bearer,
        Dialect::Anthropic => Scheme::Header("x-api-key"),
        Dialect::Gemini => Scheme::Header("x-goog-api-key"),
    }
}

/// The body for a provider that speaks `dialect`.
pub(crate) fn body(dialect: Dialect, call: &ChatCall, stream: bool) -> Result<Vec<u8>, CallError> {
    let surface = Dialect::of_surface(call.surface);
    let written = if surface == dialect {
        serde_json::to_vec(&Forwarded { dialect, call, stream })
    } else {
        let request = surface.decode_request(&call.body).map_err(|fault| refused(&fault))?;
        if !dialect.hears() && holds_sound(&request) {
            let message = "sound cannot be passed on to this provider".to_owned();
            return Err(refused(&InvalidRequest { path: "messages".to_owned(), message }));
        }
        serde_json::to_vec(&dialect.encode_request(&request, &call.model, stream))
    };
    written.map_err(|error| {
        failed(FailureKind::BadRequest, None, format!("the request cannot be written: {error}"))
    })
}

fn holds_sound(request: &ChatRequest) -> bool {
    let mut parts = request.messages.iter().flat_map(|message| &message.parts);
    parts.any(|part| matches!(part, Part::Audio { .. }))
}

fn refused(fault: &InvalidRequest) -> CallError {
    // Every client's form was read before: it is this provider that has no form for it.
    failed(FailureKind::Unsupported, None, fault.to_string())
}

/// Whether the client itself asked for usage at the end of its stream.
pub(crate) fn wants_stream_usage(body: &Map<String, Value>) -> bool {
    body.get("stream_options")
        .and_then(|options| options.get("include_usage"))
        .and_then(Value::as_bool)
        .unwrap_or(false)
}

/// Whether the client asked to see what the model thinks.
pub(crate) fn wants_thinking(body: &Map<String, Value>) -> bool {
    let kind = body.get("thinking").and_then(|thinking| thinking.get("type")).and_then(Value::as_str);
    matches!(kind, Some("enabled" | "adaptive"))
}

/// The client's own JSON with what the call decides in place of what the client wrote; all else as it is, in its order,
/// and nothing cloned.
struct Forwarded<'a> {
    dialect: Dialect,
    call: &'a ChatCall,
    stream: bool,
}

impl Serialize for Forwarded<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let body = &*self.call.body;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("model", self.call.model.as_str())?;
        for (key, value) in body {
            match key.as_str() {
                "model" => {}
                // Responses end with their usage whatever is asked for: their client's own options stay.
                "stream_options" if self.dialect == Dialect::OpenaiResponses && self.stream => {
                    map.serialize_entry(key, value)?;
                }
                "stream" | "stream_options" if self.stream || wants_stream(body) => {}
                "input" if self.dialect == Dialect::OpenaiResponses && items::has_foreign_thoughts(value) => {
                    map.serialize_entry(key, &items::without_foreign_thoughts(value))?;
                }
                "max_tokens" if self.dialect == Dialect::Anthropic && value.is_null() => {}
                "messages" if self.dialect == Dialect::Anthropic && has_unsigned_thinking(value) => {
                    map.serialize_entry(key, &without_unsigned_thinking(value))?;
                }
                "messages" if self.dialect == Dialect::OpenaiChat && self.has_foreign_signatures(value) => {
                    map.serialize_entry(key, &signature::removed(value))?;
                }
                _ => map.serialize_entry(key, value)?,
            }
        }
        if self.stream {
            map.serialize_entry("stream", &true)?;
            if self.dialect == Dialect::OpenaiChat {
                map.serialize_entry("stream_options", &with_usage(body.get("stream_options")))?;
            }
        }
        if self.dialect == Dialect::Anthropic && body.get("max_tokens").is_none_or(Value::is_null) {
            map.serialize_entry("max_tokens", &TOKENS_OUT_DEFAULT)?;
        }
        map.end()
    }
}

impl Forwarded<'_> {
    /// Whether the conversation holds signatures that we gave to the client with calls of another vendor's model, and
    /// that strict servers refuse. Google's own compatible endpoint wants them back.
    fn has_foreign_signatures(&self, messages: &Value) -> bool {
        !self.call.model.as_str().contains("gemini") && signature::is_in(messages)
    }
}

fn wants_stream(body: &Map<String, Value>) -> bool {
    body.get("stream").and_then(Value::as_bool).unwrap_or(false)
}

fn with_usage(options: Option<&Value>) -> Value {
    let mut options = options.and_then(Value::as_object).cloned().unwrap_or_default();
    options.insert("include_usage".to_owned(), json!(true));
    Value::Object(options)
}

/// Whether the conversation holds thoughts that another vendor's model had: we gave them to the client without a
/// signature, or with that vendor's, and Anthropic would refuse them.
fn has_unsigned_thinking(messages: &Value) -> bool {
    let messages = messages.as_array().map(Vec::as_slice).unwrap_or_default();
    messages
        .iter()
        .filter_map(|message| message.get("content")?.as_array())
        .flatten()
        .any(is_unsigned_thinking)
}

fn is_unsigned_thinking(block: &Value) -> bool {
    block.get("type").and_then(Value::as_str) == Some("thinking")
        && block
            .get("signature")
            .and_then(Value::as_str)
            .is_none_or(|signature| signature.is_empty() || signature_of(signature).is_some())
}

fn without_unsigned_thinking(messages: &Value) -> Value {
    let mut messages = messages.clone();
    for message in messages.as_array_mut().into_iter().flatten() {
        if let Some(Value::Array(blocks)) = message.get_mut("content") {
            blocks.retain(|block| !is_unsigned_thinking(block));
        }
    }
    messages
}
