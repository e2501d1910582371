//! How good earlier answers were, as their clients say.

use signalbox_core::ids::{KeyId, RequestId};
use signalbox_store::StoreError;

use crate::engine::Engine;

/// What a client says of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Feedback {
    /// Of which request.
    pub request: RequestId,
    /// How good, from 0 to 1,000.
    pub score: u32,
    /// In its own words.
    pub comment: Option<String>,
}

/// Why feedback is not kept.
#[derive(Debug, thiserror::Error)]
pub enum FeedbackError {
    /// The key has made no such request.
    #[error("this key has made no request {0}")]
    Unknown(RequestId),
    /// The store does not take it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Engine {
    /// Keeps what the owner of `key` says of one of its requests.
    ///
    /// Errors: the key has made no such request, or the store refuses.
    pub async fn take_feedback(&self, key: KeyId, feedback: Feedback) -> Result<(), FeedbackError> {
        let Feedback { request, score, comment } = feedback;
        let said = signalbox_store::Feedback { request, at: self.control.now(), score, comment };
        // The answer may have gone out a moment before the database heard of it.
        self.caught_up().await;
        match self.control.store.add_feedback(key, &said).await {
            Err(StoreError::NotFound { .. }) => Err(FeedbackError::Unknown(request)),
            other => Ok(other?),
        }
    }
}
