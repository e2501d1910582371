//! The adapters of this build.

use std::sync::Arc;

use signalbox_core::provider::ProviderKind;

use crate::adapter::{
    Adapter, ChatAdapter, EmbeddingAdapter, ModelLister, SpeechAdapter, TranscriptionAdapter,
};
use crate::chat_adapter::Chats;
use crate::http::Http;
use crate::media::{Deepgram, EdgeTts, ElevenLabs, GeminiMedia, OpenaiMedia};

/// One for each kind of provider.
pub(crate) fn all(http: &Http) -> Vec<Arc<dyn Adapter>> {
    let openai = |kind| -> Arc<dyn Adapter> {
        Arc::new(OpenaiCompatible { kind, chats: Chats::new(http), media: OpenaiMedia::new(http) })
    };
    vec![
        openai(ProviderKind::Openai),
        Arc::new(Anthropic(Chats::new(http))),
        Arc::new(Gemini { chats: Chats::new(http), media: GeminiMedia::new(http) }),
        Arc::new(Deepgram::new(http)),
        Arc::new(ElevenLabs::new(http)),
        Arc::new(EdgeTts::new(http)),
        openai(ProviderKind::Simulator),
    ]
}

/// `OpenAI`, every server compatible with it, and the simulator.
#[derive(Debug)]
struct OpenaiCompatible {
    kind: ProviderKind,
    chats: Chats,
    media: OpenaiMedia,
}

impl Adapter for OpenaiCompatible {
    fn name(&self) -> &str {
        self.kind.as_str()
    }

    fn chat(&self) -> Option<&dyn ChatAdapter> {
        Some(&self.chats)
    }

    fn embedding(&self) -> Option<&dyn EmbeddingAdapter> {
        Some(&self.media)
    }

    fn transcription(&self) -> Option<&dyn TranscriptionAdapter> {
        Some(&self.media)
    }

    fn speech(&self) -> Option<&dyn SpeechAdapter> {
        Some(&self.media)
    }

    fn models(&self) -> Option<&dyn ModelLister> {
        Some(&self.chats)
    }
}

#[derive(Debug)]
struct Anthropic(Chats);

impl Adapter for Anthropic {
    fn name(&self) -> &str {
        ProviderKind::Anthropic.as_str()
    }

    fn chat(&self) -> Option<&dyn ChatAdapter> {
        Some(&self.0)
    }

    fn models(&self) -> Option<&dyn ModelLister> {
        Some(&self.0)
    }
}

#[derive(Debug)]
struct Gemini {
    chats: Chats,
    media: GeminiMedia,
}

impl Adapter for Gemini {
    fn name(&self) -> &str {
        ProviderKind::Gemini.as_str()
    }

    fn chat(&self) -> Option<&dyn ChatAdapter> {
        Some(&self.chats)
    }

    fn embedding(&self) -> Option<&dyn EmbeddingAdapter> {
        Some(&self.media)
    }

    fn transcription(&self) -> Option<&dyn TranscriptionAdapter> {
        Some(&self.media)
    }

    fn speech(&self) -> Option<&dyn SpeechAdapter> {
        Some(&self.media)
    }

    fn models(&self) -> Option<&dyn ModelLister> {
        Some(&self.chats)
    }
}

impl Adapter for Deepgram {
    fn name(&self) -> &str {
        ProviderKind::Deepgram.as_str()
    }

    fn transcription(&self) -> Option<&dyn TranscriptionAdapter> {
        Some(self)
    }

    fn speech(&self) -> Option<&dyn SpeechAdapter> {
        Some(self)
    }

    fn models(&self) -> Option<&dyn ModelLister> {
        Some(self)
    }
}

impl Adapter for ElevenLabs {
    fn name(&self) -> &str {
        ProviderKind::Elevenlabs.as_str()
    }

    fn transcription(&self) -> Option<&dyn TranscriptionAdapter> {
        Some(self)
    }

    fn speech(&self) -> Option<&dyn SpeechAdapter> {
        Some(self)
    }

    fn models(&self) -> Option<&dyn ModelLister> {
        Some(self)
    }
}

impl Adapter for EdgeTts {
    fn name(&self) -> &str {
        ProviderKind::EdgeTts.as_str()
    }

    fn speech(&self) -> Option<&dyn SpeechAdapter> {
        Some(self)
    }

    fn models(&self) -> Option<&dyn ModelLister> {
        Some(self)
    }
}
