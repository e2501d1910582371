//! Operations: the named kinds of AI work.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::ids::{OperationId, ProviderName};
use crate::ledger::Work;

/// What a model must be able to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Capability {
    /// Text conversation.
    Chat,
    /// Vectors from text.
    Embedding,
    /// Text from speech.
    Transcription,
    /// Speech from text.
    Speech,
    /// Conversation about images or video.
    Vision,
    /// Conversation about sound.
    AudioInput,
}

impl Capability {
    /// Every capability.
    pub const ALL: &'static [Self] =
        &[Self::Chat, Self::Embedding, Self::Transcription, Self::Speech, Self::Vision, Self::AudioInput];

    /// The word on the wire and in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::Embedding => "embedding",
            Self::Transcription => "transcription",
            Self::Speech => "speech",
            Self::Vision => "vision",
            Self::AudioInput => "audio_input",
        }
    }

    /// The capability of that word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|capability| capability.as_str() == word)
    }

    /// What kind of call an operation that needs it makes.
    pub const fn work(self) -> Work {
        match self {
            Self::Chat | Self::Vision | Self::AudioInput => Work::Chat,
            Self::Embedding => Work::Embedding,
            Self::Transcription => Work::Transcription,
            Self::Speech => Work::Speech,
        }
    }
}

/// How much it hurts when the operation fails or costs too much.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Criticality {
    /// Nice to have.
    Low,
    /// Somebody notices.
    Medium,
    /// The business stops.
    High,
}

impl Criticality {
    /// The word on the wire and in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

/// A named kind of AI work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operation {
    /// What programs put in `model`.
    pub id: OperationId,
    /// One sentence for a person.
    pub description: String,
    /// What its targets must be able to do.
    pub capability: Capability,
    /// How critical its cost and success are.
    pub criticality: Criticality,
    /// Whether requests for it are served.
    pub enabled: bool,
    /// Whether it may wait for a batch.
    pub batch_eligible: bool,
    /// Whether identical requests may share an answer.
    pub cacheable: bool,
    /// How long identical requests share an answer, in seconds; `None`: they do not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_ttl_s: Option<u32>,
    /// Where its data may go; empty means anywhere in its route.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub allowed_providers: BTreeSet<ProviderName>,
}
