//! Work that is no chat: vectors, transcripts and speech.

use async_trait::async_trait;

use crate::adapter::*;
use crate::call::*;
use crate::http::Http;

macro_rules! stub {
    ($name:ident) => {
        #[derive(Debug)]
        pub(crate) struct $name(Http);
        impl $name {
            pub fn new(http: &Http) -> Self {
                Self(http.clone())
            }
        }
        #[async_trait]
        impl EmbeddingAdapter for $name {
            async fn embed(&self, _: &Account, _: &Call) -> Result<CallAnswer, CallError> {
                Err(crate::failure::failed(signalbox_core::failure::FailureKind::ModelNotFound, None, ""))
            }
        }
        #[async_trait]
        impl TranscriptionAdapter for $name {
            async fn transcribe(&self, _: &Account, _: &Call) -> Result<CallAnswer, CallError> {
                Err(crate::failure::failed(signalbox_core::failure::FailureKind::ModelNotFound, None, ""))
            }
        }
        #[async_trait]
        impl SpeechAdapter for $name {
            async fn speak(&self, _: &Account, _: &Call) -> Result<CallAnswer, CallError> {
                Err(crate::failure::failed(signalbox_core::failure::FailureKind::ModelNotFound, None, ""))
            }
        }
        #[async_trait]
        impl ModelLister for $name {
            async fn list_models(&self, _: &Account) -> Result<Vec<String>, CallError> {
                Ok(Vec::new())
            }
        }
    };
}
stub!(Deepgram);
stub!(EdgeTts);
stub!(ElevenLabs);
stub!(GeminiMedia);
stub!(OpenaiMedia);
