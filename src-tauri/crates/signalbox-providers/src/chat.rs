//! The neutral form of a chat: what every dialect converts to and from when client and provider speak differently.
//!
//! It holds what a model can be told and can say, not how a vendor writes it. What only one dialect knows (seeds,
//! log-probabilities, top-k) is left out: another dialect has no place for it, and where both sides speak the same
//! dialect nothing is converted at all.

use serde_json::Value;
use signalbox_core::money::NanoUsd;
use signalbox_core::usage::Usage;

use crate::call::CallError;

/// What a client asks a model.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct ChatRequest {
    /// Instructions, in order.
    pub system: Vec<String>,
    /// The conversation, as the client cut it into turns.
    pub messages: Vec<Message>,
    /// What the model may call.
    pub tools: Vec<Tool>,
    pub tool_choice: Option<ToolChoice>,
    /// Whether several tools may be called at once; `None` leaves it to the provider.
    pub parallel_tools: Option<bool>,
    pub temperature: Option<f64>,
    pub top_p: Option<f64>,
    pub stop: Vec<String>,
    /// Most tokens the answer may have.
    pub max_output: Option<u64>,
    pub format: Format,
    pub reasoning: Option<Reasoning>,
    /// The client's own end user.
    pub user: Option<String>,
}

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    User,
    Assistant,
}

/// One turn.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Message {
    pub role: Role,
    pub parts: Vec<Part>,
}

/// A piece of a turn or of an answer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Part {
    Text(String),
    /// What the model says when it declines.
    Refusal(String),
    Image(Source),
    /// Sound, in base64.
    Audio {
        media_type: String,
        data: String,
    },
    /// A document such as a PDF.
    Document {
        source: Source,
        name: Option<String>,
    },
    /// `arguments` is JSON text, exactly as the model wrote it.
    ToolUse {
        id: String,
        name: String,
        arguments: String,
    },
    ToolResult {
        id: String,
        parts: Vec<Part>,
        is_error: bool,
    },
    /// What the model thought, if it shows it. The signature is its vendor's, who alone can check it; without a text it
    /// belongs to the call that follows.
    Thinking {
        text: String,
        signature: Option<String>,
    },
}

/// Where a picture or document is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    Url(String),
    Base64 { media_type: String, data: String },
}

impl Source {
    /// Reads a `data:` URL as its content and any other URL as itself.
    pub fn from_url(url: &str) -> Self {
        let inline = url.strip_prefix("data:").and_then(|rest| rest.split_once(";base64,"));
        match inline {
            Some((media_type, data)) => {
                let media_type = media_type.split(';').next().unwrap_or(media_type).to_owned();
                Self::Base64 { media_type, data: data.to_owned() }
            }
            None => Self::Url(url.to_owned()),
        }
    }

    /// As a URL, inline content as a `data:` URL.
    pub fn to_url(&self) -> String {
        match self {
            Self::Url(url) => url.clone(),
            Self::Base64 { media_type, data } => format!("data:{media_type};base64,{data}"),
        }
    }
}

/// Something the model may call.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tool {
    pub name: String,
    pub description: Option<String>,
    /// JSON schema of its arguments.
    pub schema: Value,
}

/// Whether the model has to call something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ToolChoice {
    Auto,
    None,
    Required,
    Named(String),
}

/// The form of the answer.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) enum Format {
    #[default]
    Text,
    /// Any JSON object.
    Json,
    /// JSON of that schema.
    Schema { name: String, schema: Value },
}

/// How much the model is to think.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reasoning {
    Off,
    Low,
    Medium,
    High,
}

/// A complete answer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ChatResponse {
    pub id: String,
    pub model: String,
    /// Seconds since the Unix epoch.
    pub created: i64,
    pub parts: Vec<Part>,
    pub finish: Finish,
}

/// Why the model stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finish {
    pub reason: FinishReason,
    /// The provider's own word.
    pub word: String,
    /// Which stop sequence it met, if it says so.
    pub stop_sequence: Option<String>,
}

/// Why a model stops, whatever the vendor calls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FinishReason {
    /// It was done.
    Stop,
    /// It met a stop sequence.
    StopSequence,
    /// It reached the most tokens it may write.
    Length,
    /// It wants tools called.
    ToolCalls,
    /// It, or its provider, declined.
    Refused,
}

/// What a provider says it used.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Report {
    /// In disjoint units; `None` when it cannot be believed.
    pub usage: Option<Usage>,
    /// Whether the output is counted to its end; the opening of a stream only knows the input.
    pub complete: bool,
    /// The amount the provider itself named.
    pub charged: Option<NanoUsd>,
}

/// A step of a streamed answer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum ChatEvent {
    /// The provider has begun.
    Start {
        id: String,
        model: String,
        created: Option<i64>,
    },
    Text(String),
    Refusal(String),
    Thinking(String),
    /// The vendor's signature of what was thought, or of the call that follows.
    Signature(String),
    /// The call of a tool begins; `index` counts the calls of this answer from 0.
    ToolStart {
        index: usize,
        id: String,
        name: String,
    },
    /// More of the JSON text of a call's arguments.
    ToolArguments {
        index: usize,
        fragment: String,
    },
    /// Content of a further answer (`n` > 1), which only its own dialect can carry.
    OtherChoice(String),
    Finish(Finish),
    /// What was used up to here; a later report replaces it.
    Usage(Report),
    /// The provider gave up.
    Failed(CallError),
    /// The provider's terminal event.
    Done,
}

impl ChatEvent {
    /// Whether it carries content, so that the client has begun to receive its answer.
    pub const fn is_semantic(&self) -> bool {
        match self {
            Self::Text(text) | Self::Refusal(text) | Self::Thinking(text) | Self::OtherChoice(text) => {
                !text.is_empty()
            }
            Self::ToolStart { .. } | Self::ToolArguments { .. } => true,
            Self::Start { .. }
            | Self::Signature(_)
            | Self::Finish(_)
            | Self::Usage(_)
            | Self::Failed(_)
            | Self::Done => false,
        }
    }
}
