//! The ledger's entries: what is written before a provider is called (T1) and before the last byte goes out (T2).

use serde::{Deserialize, Serialize};

use crate::budget::{Holding, Posting, Shortfall};
use crate::decide::Decision;
use crate::failure::FailureKind;
use crate::ids::{KeyId, NodeId, OperationId, RequestId};
use crate::meter::{Cost, CostStatus, sum_costs};
use crate::money::NanoUsd;
use crate::route::Target;
use crate::time::Timestamp;
use crate::usage::Usage;

/// Through which API a request came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Surface {
    /// `POST /v1/chat/completions`.
    OpenaiChat,
    /// `POST /v1/responses`.
    OpenaiResponses,
    /// `POST /v1/embeddings`.
    OpenaiEmbeddings,
    /// `POST /v1/audio/transcriptions`.
    OpenaiTranscription,
    /// `POST /v1/audio/speech`.
    OpenaiSpeech,
    /// `POST /v1/messages`.
    AnthropicMessages,
}

/// Whose API a surface imitates, and with it the shape of its errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WireFamily {
    /// `OpenAI`'s.
    Openai,
    /// Anthropic's.
    Anthropic,
}

/// What kind of call a surface makes of a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Work {
    /// A conversation, with or without pictures.
    Chat,
    /// Vectors from text.
    Embedding,
    /// Text from speech.
    Transcription,
    /// Speech from text.
    Speech,
}

impl Surface {
    /// Every surface.
    pub const ALL: &'static [Self] = &[
        Self::OpenaiChat,
        Self::OpenaiResponses,
        Self::OpenaiEmbeddings,
        Self::OpenaiTranscription,
        Self::OpenaiSpeech,
        Self::AnthropicMessages,
    ];

    /// The word on the wire and in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OpenaiChat => "openai_chat",
            Self::OpenaiResponses => "openai_responses",
            Self::OpenaiEmbeddings => "openai_embeddings",
            Self::OpenaiTranscription => "openai_transcription",
            Self::OpenaiSpeech => "openai_speech",
            Self::AnthropicMessages => "anthropic_messages",
        }
    }

    /// The surface of that word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|surface| surface.as_str() == word)
    }

    /// Whose API it imitates.
    pub const fn family(self) -> WireFamily {
        match self {
            Self::OpenaiChat
            | Self::OpenaiResponses
            | Self::OpenaiEmbeddings
            | Self::OpenaiTranscription
            | Self::OpenaiSpeech => WireFamily::Openai,
            Self::AnthropicMessages => WireFamily::Anthropic,
        }
    }

    /// What kind of call it makes.
    pub const fn work(self) -> Work {
        match self {
            Self::OpenaiChat | Self::OpenaiResponses | Self::AnthropicMessages => Work::Chat,
            Self::OpenaiEmbeddings => Work::Embedding,
            Self::OpenaiTranscription => Work::Transcription,
            Self::OpenaiSpeech => Work::Speech,
        }
    }
}

/// T1: a request, as it is written before any provider hears of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestStart {
    /// Its identity.
    pub id: RequestId,
    /// Which instance serves it; after a crash its next start settles what is open.
    pub node: NodeId,
    /// When it came in.
    pub started_at: Timestamp,
    /// What kind of work it is.
    pub operation: OperationId,
    /// Through which API it came.
    pub surface: Surface,
    /// Whether the client asked for a stream.
    pub streamed: bool,
    /// What the client put in `model`.
    pub requested_model: String,
    /// With which key; `None` for the window's own test request.
    pub key: Option<KeyId>,
    /// For whom, as the client says.
    pub user: Option<String>,
    /// The client's own labels.
    pub tags: Vec<(String, String)>,
    /// Which configuration it was decided on.
    pub config_revision: i64,
    /// Where it may go and why.
    pub decision: Decision,
    /// The most it may cost; `None` when a target is unpriced.
    pub estimate: Option<NanoUsd>,
    /// The request's body, only when payloads are logged.
    pub payload: Option<String>,
    /// How its client would say it again, if it said so.
    pub idempotency: Option<Idempotency>,
    /// What its first call holds in budgets; `None` when no budget applies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holding: Option<Holding>,
    /// The budget that refuses it, if one does: then no provider is called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused_by: Option<Box<Shortfall>>,
}

/// What is written before every call of a provider after a request's first one: what the calls before came to, and what
/// the next one may. After a crash the request is settled by it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NextCall {
    /// Which request.
    pub request: RequestId,
    /// The calls that have ended, in order.
    pub attempts: Vec<Attempt>,
    /// What they were charged.
    pub postings: Vec<Posting>,
    /// Who is called next.
    pub target: Target,
    /// The most that call may cost; `None` when the target is unpriced.
    pub estimate: Option<NanoUsd>,
    /// What it holds in budgets; `None` when no budget applies.
    pub holding: Option<Holding>,
}

/// A request its client may send again and wants served once. Both are SHA-256: what the client wrote is not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Idempotency {
    /// Over the API key's id and the client's `idempotency-key`.
    pub key_hash: [u8; 32],
    /// Over the surface and the body.
    pub body_hash: [u8; 32],
}

/// An answer that came from the answer cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CacheHit {
    /// The request whose answer it was.
    pub of: RequestId,
    /// What that one cost; `None` when it was unpriced.
    pub saved: Option<NanoUsd>,
}

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The client has its whole answer.
    Succeeded,
    /// The client has an error.
    Failed,
    /// The client went away.
    Cancelled,
    /// The process died meanwhile.
    Interrupted,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: &'static [Self] = &[Self::Succeeded, Self::Failed, Self::Cancelled, Self::Interrupted];

    /// The word on the wire and in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Interrupted => "interrupted",
        }
    }

    /// The outcome of that word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|outcome| outcome.as_str() == word)
    }
}

/// One call of one target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// From 1.
    pub ordinal: u32,
    /// Who was called.
    pub target: Target,
    /// How it ended.
    pub outcome: Outcome,
    /// Why it failed, if it did.
    pub failure: Option<FailureKind>,
    /// The provider's status code, if it answered.
    pub http_status: Option<u16>,
    /// The provider's or our own words on the failure, shortened, without secrets.
    pub message: Option<String>,
    /// Microseconds from the start of the request to the call.
    pub started_us: i64,
    /// Microseconds from the start of the request to the first token.
    pub first_token_us: Option<i64>,
    /// Microseconds from the start of the request to the end of the call.
    pub finished_us: i64,
    /// What it used.
    pub usage: Usage,
    /// What it cost.
    pub cost: Cost,
}

/// T2: how a request ended, as it is written before the last byte goes out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settlement {
    /// Which request.
    pub id: RequestId,
    /// When it ended.
    pub finished_at: Timestamp,
    /// How it ended.
    pub outcome: Outcome,
    /// What was tried, in order.
    pub attempts: Vec<Attempt>,
    /// Whether the simulator answered: then nothing was really spent.
    pub simulated: bool,
    /// Why the model stopped, in the surface's word.
    pub finish_reason: Option<String>,
    /// The client's error code, if it got one.
    pub error_code: Option<String>,
    /// The client's error message, if it got one.
    pub error_message: Option<String>,
    /// Microseconds from the first to the last byte of our work.
    pub latency_us: i64,
    /// The answer's body, only when payloads are logged.
    pub payload: Option<String>,
    /// Where the answer came from, when no provider was called.
    pub cache: Option<CacheHit>,
    /// What budgets are charged.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub postings: Vec<Posting>,
}

impl Settlement {
    /// What all attempts used together.
    pub fn usage(&self) -> Usage {
        self.attempts.iter().fold(Usage::default(), |sum, attempt| sum.plus(&attempt.usage))
    }

    /// What all attempts cost together, and how sure that is.
    pub fn cost(&self) -> (CostStatus, Option<NanoUsd>) {
        sum_costs(self.attempts.iter().map(|attempt| &attempt.cost))
    }

    /// The target that answered, or the last one tried.
    pub fn target(&self) -> Option<&Target> {
        self.attempts.last().map(|attempt| &attempt.target)
    }

    /// Microseconds to the first token of the answer.
    pub fn first_token_us(&self) -> Option<i64> {
        self.attempts.last().and_then(|attempt| attempt.first_token_us)
    }
}
