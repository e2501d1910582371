//! What becomes of an answer besides going to its client: other requests may be given it too.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;

use super::fingerprint::Fingerprint;
use super::kept::{KEPT_BYTES_MAX, KeptAnswer};
use super::run::Run;
use super::{AnswerMeta, CacheUse};
use crate::idempotency::Claim;

/// For whom an answer is kept.
pub(super) struct Keeping {
    /// For identical questions.
    pub(super) question: Option<Question>,
    /// For the same request sent again.
    pub(super) claim: Option<Claim>,
    /// What the answer says about the cache.
    pub(super) cache_use: CacheUse,
}

/// A question whose answer others may share.
#[derive(Debug, Clone, Copy)]
pub(super) struct Question {
    pub(super) fingerprint: Fingerprint,
    pub(super) ttl_s: u32,
}

impl Keeping {
    /// Whether somebody who sent the same request again waits for the answer.
    pub(super) fn is_awaited(&self) -> bool {
        self.claim.as_ref().is_some_and(Claim::is_awaited)
    }

    /// Whether anybody may want the answer again.
    pub(super) const fn wants(&self) -> bool {
        self.question.is_some() || self.claim.is_some()
    }
}

impl Run {
    /// Keeps a whole answer that was settled, before its last byte goes out: what a client has got, it gets again.
    pub(super) async fn keep(
        &mut self,
        meta: &AnswerMeta,
        content_type: Cow<'static, str>,
        body: Option<Bytes>,
    ) {
        let (question, claim) = (self.keeping.question.take(), self.keeping.claim.take());
        if question.is_none() && claim.is_none() {
            return;
        }
        let Some(body) = body.filter(|body| body.len() <= KEPT_BYTES_MAX) else { return };
        let kept = KeptAnswer {
            request: meta.request,
            operation: meta.operation.clone(),
            target: meta.target.clone(),
            attempts: meta.attempts,
            cost: meta.cost,
            simulated: meta.simulated,
            content_type,
            body,
        };
        if let Some(Question { fingerprint, ttl_s }) = question {
            self.engine.answers.put(fingerprint, kept.clone(), ttl_s, self.engine.control.now());
        }
        if let Some(claim) = claim {
            claim.answered(Arc::new(kept)).await;
        }
    }
}
