//! The wire dialects. Each one converts to and from the neutral form of [`crate::chat`] and reads its own usage.

pub(crate) mod anthropic;
pub(crate) mod gemini;
pub(crate) mod openai_chat;
pub(crate) mod openai_responses;
mod read;
mod usage_number;

use bytes::Bytes;
use serde_json::{Map, Value};
use signalbox_core::ids::ModelName;
use signalbox_core::ledger::Surface;
use signalbox_core::provider::ProviderKind;
use signalbox_core::usage::Usage;

use crate::call::Account;
use crate::chat::{ChatEvent, ChatRequest, ChatResponse, FinishReason, Report};
use crate::inspect::InvalidRequest;

/// How requests and answers are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// `OpenAI`'s chat completions.
    OpenaiChat,
    /// `OpenAI`'s responses.
    OpenaiResponses,
    /// Anthropic's messages.
    Anthropic,
    /// Google's `generateContent`.
    Gemini,
}

impl Dialect {
    /// What clients of `surface` speak.
    pub const fn of_surface(surface: Surface) -> Self {
        match surface {
            // What is no chat has `OpenAI`'s errors, and nothing else of a dialect.
            Surface::OpenaiChat
            | Surface::OpenaiEmbeddings
            | Surface::OpenaiTranscription
            | Surface::OpenaiSpeech => Self::OpenaiChat,
            Surface::OpenaiResponses => Self::OpenaiResponses,
            Surface::AnthropicMessages => Self::Anthropic,
        }
    }

    /// What providers of `kind` speak; `None` when they hold no chats.
    pub const fn of_provider(kind: ProviderKind) -> Option<Self> {
        match kind {
            ProviderKind::Openai | ProviderKind::Simulator => Some(Self::OpenaiChat),
            ProviderKind::Anthropic => Some(Self::Anthropic),
            ProviderKind::Gemini => Some(Self::Gemini),
            ProviderKind::Deepgram | ProviderKind::Elevenlabs | ProviderKind::EdgeTts => None,
        }
    }

    /// What is spoken with `account` about a call of `model` that came through `surface`; `None` when it holds no chats.
    ///
    /// Where `OpenAI`'s responses are served, their clients are passed through, and models that are served in no other way
    /// are called so for every client. Everywhere else it is what the kind of provider speaks.
    pub fn for_call(account: &Account, surface: Surface, model: &ModelName) -> Option<Self> {
        let usual = Self::of_provider(account.kind)?;
        let passes_through = Self::of_surface(surface) == Self::OpenaiResponses;
        let responses = usual == Self::OpenaiChat
            && (passes_through || openai_responses::serves_alone(model))
            && openai_responses::is_served_by(account);
        Some(if responses { Self::OpenaiResponses } else { usual })
    }

    /// Whether its requests can hold sound.
    pub const fn hears(self) -> bool {
        matches!(self, Self::OpenaiChat | Self::Gemini)
    }

    /// A client's request in the neutral form.
    pub fn decode_request(self, body: &Map<String, Value>) -> Result<ChatRequest, InvalidRequest> {
        match self {
            Self::OpenaiChat => openai_chat::request::decode(body),
            Self::Anthropic => anthropic::request::decode(body),
            Self::OpenaiResponses => openai_responses::request::decode(body),
            Self::Gemini => Err(no_surface()),
        }
    }

    /// The request as the provider wants it.
    pub fn encode_request(self, request: &ChatRequest, model: &ModelName, stream: bool) -> Value {
        match self {
            Self::OpenaiChat => openai_chat::request::encode(request, model, stream),
            Self::Anthropic => anthropic::request::encode(request, model, stream),
            Self::OpenaiResponses => openai_responses::request::encode(request, model, stream),
            Self::Gemini => gemini::request::encode(request, model),
        }
    }

    /// A provider's complete answer in the neutral form, or what is wrong with it.
    pub fn decode_response(self, body: &Value) -> Result<ChatResponse, String> {
        match self {
            Self::OpenaiChat => openai_chat::response::decode(body),
            Self::Anthropic => anthropic::response::decode(body),
            Self::OpenaiResponses => openai_responses::response::decode(body),
            Self::Gemini => gemini::response::decode(body),
        }
    }

    /// The complete answer to what was `asked`, as the client wants it.
    pub fn encode_response(
        self,
        response: &ChatResponse,
        usage: &Usage,
        asked: &Map<String, Value>,
    ) -> Value {
        match self {
            Self::OpenaiChat | Self::Gemini => openai_chat::response::encode(response, usage),
            Self::OpenaiResponses => openai_responses::response::encode(response, usage, asked),
            Self::Anthropic => anthropic::response::encode(response, usage),
        }
    }

    /// What a complete answer says was used.
    pub fn read_usage(self, body: &Value) -> Option<Report> {
        match self {
            Self::OpenaiChat => openai_chat::usage::of_answer(body),
            Self::Anthropic => anthropic::usage::of_answer(body),
            Self::OpenaiResponses => openai_responses::usage::of_answer(body),
            Self::Gemini => gemini::usage::of_answer(body),
        }
    }

    /// The dialect's word for why the model stopped.
    pub const fn finish_word(self, reason: FinishReason) -> &'static str {
        match self {
            Self::OpenaiChat | Self::Gemini => openai_chat::finish_word(reason),
            Self::OpenaiResponses => openai_responses::finish_word(reason),
            Self::Anthropic => anthropic::finish_word(reason),
        }
    }

    /// An error event, for streams that break after their start.
    pub fn error_frame(self, code: &str, message: &str) -> Bytes {
        match self {
            Self::OpenaiChat | Self::Gemini => openai_chat::error::frame(code, message),
            Self::OpenaiResponses => openai_responses::error::frame(code, message),
            Self::Anthropic => anthropic::error::frame(code, message),
        }
    }
}

fn no_surface() -> InvalidRequest {
    InvalidRequest { path: String::new(), message: "no client speaks this form".to_owned() }
}

/// Reads a provider's events. Holds what later events refer to.
#[derive(Debug)]
pub(crate) enum Decoder {
    OpenaiChat(openai_chat::stream::Decoder),
    OpenaiResponses(openai_responses::stream::Decoder),
    Anthropic(anthropic::stream::Decoder),
    Gemini(gemini::stream::Decoder),
}

/// What one event of a provider means.
#[derive(Debug, Default)]
pub(crate) struct Decoded {
    pub events: Vec<ChatEvent>,
    /// Whether the event is only there because we asked for usage.
    pub only_usage: bool,
}

impl Decoder {
    /// For an answer of a provider that speaks `dialect`.
    pub fn new(dialect: Dialect) -> Self {
        match dialect {
            Dialect::OpenaiChat => Self::OpenaiChat(openai_chat::stream::Decoder::default()),
            Dialect::OpenaiResponses => Self::OpenaiResponses(openai_responses::stream::Decoder::default()),
            Dialect::Anthropic => Self::Anthropic(anthropic::stream::Decoder::default()),
            Dialect::Gemini => Self::Gemini(gemini::stream::Decoder::default()),
        }
    }

    /// Reads the data of one event; an error is what is wrong with it.
    pub fn read(&mut self, data: &str) -> Result<Decoded, String> {
        match self {
            Self::OpenaiChat(decoder) => decoder.read(data),
            Self::OpenaiResponses(decoder) => decoder.read(data),
            Self::Anthropic(decoder) => decoder.read(data),
            Self::Gemini(decoder) => decoder.read(data),
        }
    }

    /// Whether an answer may end without its terminal event once the model has stopped.
    ///
    /// Some servers compatible with `OpenAI`'s forget `[DONE]`, and Google has none; the other protocols have no such
    /// tradition.
    pub const fn forgives_missing_terminal(&self) -> bool {
        matches!(self, Self::OpenaiChat(_)) || self.ends_with_finish()
    }

    /// Whether the reason why the model stopped is the end, because the protocol has no terminal event.
    pub const fn ends_with_finish(&self) -> bool {
        matches!(self, Self::Gemini(_))
    }
}

/// Writes the client's events.
#[derive(Debug)]
pub(crate) enum Encoder {
    OpenaiChat(openai_chat::stream::Encoder),
    OpenaiResponses(Box<openai_responses::encoder::Encoder>),
    Anthropic(anthropic::stream::Encoder),
}

impl Encoder {
    /// Writes what `event` is in the client's dialect, if it has a form there.
    ///
    /// Errors: an order of events the dialect cannot express.
    pub fn write(&mut self, event: &ChatEvent, out: &mut Vec<u8>) -> Result<(), String> {
        match self {
            Self::OpenaiChat(encoder) => {
                encoder.write(event, out);
                Ok(())
            }
            Self::OpenaiResponses(encoder) => encoder.write(event, out),
            Self::Anthropic(encoder) => encoder.write(event, out),
        }
    }

    /// Writes the end: usage where the client wants it, and the terminal event.
    pub fn finish(&mut self, usage: &Usage, out: &mut Vec<u8>) {
        match self {
            Self::OpenaiChat(encoder) => encoder.finish(usage, out),
            Self::OpenaiResponses(encoder) => encoder.finish(usage, out),
            Self::Anthropic(encoder) => encoder.finish(usage, out),
        }
    }
}

#[cfg(test)]
mod tests;
