//! Operations: the named kinds of AI work.

use serde::{Deserialize, Serialize};

use crate::ids::OperationId;

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
}

impl Capability {
    /// The word on the wire and in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::Embedding => "embedding",
            Self::Transcription => "transcription",
            Self::Speech => "speech",
            Self::Vision => "vision",
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
}
