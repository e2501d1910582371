//! What an adapter can be asked: one trait per kind of work, and the adapter that has some of them.
//!
//! An adapter translates and makes one call. It never sees a budget, a route or a table.

use std::fmt;

use async_trait::async_trait;
use signalbox_core::ledger::Work;

use crate::call::{Account, Call, CallAnswer, CallError};
use crate::stream::ChatStream;

/// Holds chats.
#[async_trait]
pub trait ChatAdapter: Send + Sync {
    /// Makes a call and waits for its complete answer.
    ///
    /// Errors: [`CallError`], with what was used if the provider had begun to answer.
    async fn complete(&self, account: &Account, call: &Call) -> Result<CallAnswer, CallError>;

    /// Makes a call and gives its answer as it is made. Resolves when the headers of a good answer have arrived.
    ///
    /// Errors: [`CallError`]; nothing has been used then.
    async fn stream(&self, account: &Account, call: &Call) -> Result<ChatStream, CallError>;
}

/// Makes vectors of texts.
#[async_trait]
pub trait EmbeddingAdapter: Send + Sync {
    /// Makes a call of [`signalbox_core::ledger::Surface::OpenaiEmbeddings`].
    ///
    /// Errors: [`CallError`].
    async fn embed(&self, account: &Account, call: &Call) -> Result<CallAnswer, CallError>;
}

/// Writes speech down.
#[async_trait]
pub trait TranscriptionAdapter: Send + Sync {
    /// Makes a call of [`signalbox_core::ledger::Surface::OpenaiTranscription`].
    ///
    /// Errors: [`CallError`].
    async fn transcribe(&self, account: &Account, call: &Call) -> Result<CallAnswer, CallError>;
}

/// Reads texts aloud.
#[async_trait]
pub trait SpeechAdapter: Send + Sync {
    /// Makes a call of [`signalbox_core::ledger::Surface::OpenaiSpeech`].
    ///
    /// Errors: [`CallError`].
    async fn speak(&self, account: &Account, call: &Call) -> Result<CallAnswer, CallError>;
}

/// Lists an account's models: a check of address and credential that costs nothing.
#[async_trait]
pub trait ModelLister: Send + Sync {
    /// The names of the provider's models.
    ///
    /// Errors: [`CallError`] as for a call.
    async fn list_models(&self, account: &Account) -> Result<Vec<String>, CallError>;
}

/// Speaks to one kind of provider. What it has an accessor for, it can do.
pub trait Adapter: fmt::Debug + Send + Sync {
    /// The word of the kind of provider it speaks to; unique in a registry.
    fn name(&self) -> &str;

    /// Its way to hold chats, if it can.
    fn chat(&self) -> Option<&dyn ChatAdapter> {
        None
    }

    /// Its way to make vectors, if it can.
    fn embedding(&self) -> Option<&dyn EmbeddingAdapter> {
        None
    }

    /// Its way to write speech down, if it can.
    fn transcription(&self) -> Option<&dyn TranscriptionAdapter> {
        None
    }

    /// Its way to read aloud, if it can.
    fn speech(&self) -> Option<&dyn SpeechAdapter> {
        None
    }

    /// Its way to list models, if it has one.
    fn models(&self) -> Option<&dyn ModelLister> {
        None
    }

    /// What it can do: exactly what it has an accessor for.
    fn capabilities(&self) -> Vec<Work> {
        [
            self.chat().map(|_| Work::Chat),
            self.embedding().map(|_| Work::Embedding),
            self.transcription().map(|_| Work::Transcription),
            self.speech().map(|_| Work::Speech),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}
