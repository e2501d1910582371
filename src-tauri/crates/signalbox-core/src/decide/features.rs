//! What a request is like: what rules look at and estimates are made of.

use serde::{Deserialize, Serialize};

use crate::ledger::Surface;
use crate::meter::Bound;

/// What the router knows of a request's content and sender.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Features<'a> {
    /// What it may use at most.
    pub bound: Bound,
    /// Through which API it came.
    pub surface: Surface,
    /// Whether it contains images, which not every model reads.
    pub has_images: bool,
    /// Whether it contains sound within a conversation, which not every model hears.
    pub has_audio: bool,
    /// Whether the model may call tools.
    pub has_tools: bool,
    /// Whether the answer must be JSON.
    pub json_output: bool,
    /// Whether the answer is to come as it is made.
    pub streamed: bool,
    /// For whom, as the client says.
    pub user: Option<&'a str>,
    /// The name of the key it came with; `None` for the window's own requests.
    pub key: Option<&'a str>,
    /// The client's own labels.
    pub tags: &'a [(String, String)],
}

impl Features<'_> {
    /// A plain request of that size.
    pub const fn of(surface: Surface, bound: Bound) -> Self {
        Self {
            bound,
            surface,
            has_images: false,
            has_audio: false,
            has_tools: false,
            json_output: false,
            streamed: false,
            user: None,
            key: None,
            tags: &[],
        }
    }

    /// How much the request seems to ask of a model.
    ///
    /// Each of these is worth a point: 500 or more input tokens, JSON output, images or sound, 8,192 or more output
    /// tokens asked for. Tools are worth two, 4,000 or more input tokens three. Nothing is *simple*, one or two points are
    /// *moderate*, more are *complex*. What the text means is not looked at.
    pub const fn complexity(&self) -> Complexity {
        let mut points = match self.bound.tokens_in {
            0..500 => 0,
            500..4_000 => 1,
            4_000.. => 3,
        };
        if self.has_tools {
            points += 2;
        }
        if self.json_output {
            points += 1;
        }
        if self.has_images || self.has_audio {
            points += 1;
        }
        if self.bound.tokens_out_max >= 8_192 {
            points += 1;
        }
        match points {
            0 => Complexity::Simple,
            1 | 2 => Complexity::Moderate,
            _ => Complexity::Complex,
        }
    }
}

/// What a stored decision keeps of a request's features; sender and labels are in its row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Asked {
    /// What it might use at most.
    #[serde(flatten)]
    pub bound: Bound,
    /// Whether it contained images.
    #[serde(skip_serializing_if = "is_false")]
    pub has_images: bool,
    /// Whether it contained sound within a conversation.
    #[serde(skip_serializing_if = "is_false")]
    pub has_audio: bool,
    /// Whether the model might call tools.
    #[serde(skip_serializing_if = "is_false")]
    pub has_tools: bool,
    /// Whether the answer had to be JSON.
    #[serde(skip_serializing_if = "is_false")]
    pub json_output: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
const fn is_false(flag: &bool) -> bool {
    !*flag
}

impl Asked {
    /// What is kept of `features`.
    pub const fn of(features: &Features<'_>) -> Self {
        Self {
            bound: features.bound,
            has_images: features.has_images,
            has_audio: features.has_audio,
            has_tools: features.has_tools,
            json_output: features.json_output,
        }
    }
}

/// How much a request seems to ask of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Complexity {
    /// A short plain question.
    Simple,
    /// Something between.
    Moderate,
    /// Long, or with several demands at once.
    Complex,
}

impl Complexity {
    /// The word, as rules see it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Simple => "simple",
            Self::Moderate => "moderate",
            Self::Complex => "complex",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complexity(change: impl FnOnce(&mut Features<'_>)) -> Complexity {
        let mut features = Features::of(Surface::OpenaiChat, Bound { tokens_in: 10, ..Bound::default() });
        change(&mut features);
        features.complexity()
    }

    #[test]
    fn complexity_grows_with_length_and_demands() {
        assert_eq!(complexity(|_| {}), Complexity::Simple);
        assert_eq!(complexity(|features| features.bound.tokens_in = 499), Complexity::Simple);
        assert_eq!(complexity(|features| features.bound.tokens_in = 500), Complexity::Moderate);
        assert_eq!(complexity(|features| features.bound.tokens_in = 3_999), Complexity::Moderate);
        assert_eq!(complexity(|features| features.bound.tokens_in = 4_000), Complexity::Complex);
        assert_eq!(complexity(|features| features.bound.tokens_out_max = 8_191), Complexity::Simple);
        assert_eq!(complexity(|features| features.bound.tokens_out_max = 8_192), Complexity::Moderate);
        assert_eq!(complexity(|features| features.has_images = true), Complexity::Moderate);
        assert_eq!(complexity(|features| features.has_audio = true), Complexity::Moderate);
        assert_eq!(complexity(|features| features.json_output = true), Complexity::Moderate);
        assert_eq!(complexity(|features| features.has_tools = true), Complexity::Moderate);
        let tools_and_json = complexity(|features| {
            features.has_tools = true;
            features.json_output = true;
        });
        assert_eq!(tools_and_json, Complexity::Complex);
    }
}
