//! Requests their clients may send again: the first one runs, the others get its answer.
//!
//! A request that is sent again while the first one runs waits for it here; on another node it is told to come back. Only
//! successes are kept, for a day. A first run that fails, or whose client leaves, gives the key back, and the next one
//! with the key runs.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use signalbox_core::ids::{KeyId, RequestId};
use signalbox_core::ledger::Idempotency;
use tokio::sync::watch;

use crate::dispatch::fingerprint::{self, Addressed, Fingerprint};
use crate::dispatch::kept::KeptAnswer;
use crate::dispatch::{Answer, Payload, Refusal, RefusalCode};
use crate::engine::Engine;

/// First requests that run in this process.
#[derive(Debug, Clone, Default)]
pub(crate) struct FirstRuns(Arc<Mutex<HashMap<Fingerprint, FirstRun>>>);

#[derive(Debug)]
struct FirstRun {
    body: Fingerprint,
    end: watch::Receiver<Option<End>>,
}

/// How a first run ended.
#[derive(Debug, Clone)]
enum End {
    Kept(Arc<KeptAnswer>),
    Gone,
}

/// What a request with a key finds.
#[derive(Debug)]
pub(crate) enum Found {
    /// Nobody: it is the first, and this is its leave to run.
    First(FirstLeave),
    /// One that runs.
    Running(Twin),
    /// One that runs, with another body.
    OtherBody,
}

/// Leave to be the first. Dropped without an answer, those who wait may run themselves.
#[derive(Debug)]
#[must_use = "the key is given back when this is dropped"]
pub(crate) struct FirstLeave {
    runs: FirstRuns,
    /// Which key and body.
    pub idempotency: Idempotency,
    end: watch::Sender<Option<End>>,
}

/// A place to wait for the first one's answer.
#[derive(Debug)]
pub(crate) struct Twin(watch::Receiver<Option<End>>);

impl FirstRuns {
    /// Whether a request of that key runs, and the leave to be the first if none does.
    pub fn look(&self, idempotency: Idempotency) -> Found {
        let mut runs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match runs.get(&idempotency.key_hash) {
            Some(run) if run.body != idempotency.body_hash => Found::OtherBody,
            Some(run) => Found::Running(Twin(run.end.clone())),
            None => {
                let (end, on_end) = watch::channel(None);
                let run = FirstRun { body: idempotency.body_hash, end: on_end };
                runs.insert(idempotency.key_hash, run);
                Found::First(FirstLeave { runs: self.clone(), idempotency, end })
            }
        }
    }

    /// Keys under way.
    #[cfg(test)]
    pub fn count(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}

impl FirstLeave {
    /// Gives the answer to those who wait.
    pub fn answered(self, answer: Arc<KeptAnswer>) {
        self.end.send_replace(Some(End::Kept(answer)));
    }
}

impl Drop for FirstLeave {
    fn drop(&mut self) {
        self.runs.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.idempotency.key_hash);
        self.end.send_if_modified(|end| {
            let is_open = end.is_none();
            if is_open {
                *end = Some(End::Gone);
            }
            is_open
        });
    }
}

impl Twin {
    /// The first one's answer; `None` when it has none that is kept.
    pub async fn answer(mut self) -> Option<Arc<KeptAnswer>> {
        let end = self.0.wait_for(Option::is_some).await.ok()?.clone();
        match end? {
            End::Kept(answer) => Some(answer),
            End::Gone => None,
        }
    }
}

/// What became of a call that has a key.
#[derive(Debug)]
pub(crate) enum Claimed {
    /// It is the first.
    First(Claim),
    /// It is not; this is the first one's answer.
    Answered(Answer),
}

/// A key that is this request's, here and in the store. Dropped without an answer, it is given back in both.
#[derive(Debug)]
pub(crate) struct Claim {
    engine: Arc<Engine>,
    leave: Option<FirstLeave>,
    idempotency: Idempotency,
}

impl Claim {
    /// Which key and body.
    pub const fn idempotency(&self) -> Idempotency {
        self.idempotency
    }

    /// Keeps the answer for everybody who sends the request again, before its last byte goes out.
    pub async fn answered(mut self, kept: Arc<KeptAnswer>) {
        let Some(leave) = self.leave.take() else { return };
        leave.answered(kept);
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let Some(leave) = self.leave.take() else { return };
        drop(leave);
    }
}

impl Engine {
    async fn claim_in_store(self: &Arc<Self>, leave: FirstLeave, _id: RequestId) -> Result<Claimed, Refusal> {
        let idempotency = leave.idempotency;
        Ok(Claimed::First(Claim { engine: Arc::clone(self), leave: Some(leave), idempotency }))
    }

    /// Claims the client's key for the request `id`, or finds the answer that the first request with it got. Waits for a
    /// first request that runs in this process.
    ///
    /// Errors: the key was used for another request, or the first one runs on another node, or the store refuses.
    pub(crate) async fn claim(
        self: &Arc<Self>,
        key: Option<KeyId>,
        text: &str,
        addressed: Addressed<'_>,
        payload: &Payload,
        id: RequestId,
    ) -> Result<Claimed, Refusal> {
        let idempotency = Idempotency {
            key_hash: fingerprint::of_client_key(key, text),
            body_hash: fingerprint::of_request(addressed, payload),
        };
        loop {
            match self.first_runs.look(idempotency) {
                Found::OtherBody => return Err(mismatch()),
                Found::Running(twin) => {
                    if let Some(kept) = twin.answer().await {
                        return Ok(Claimed::Answered(kept.replayed()));
                    }
                }
                Found::First(leave) => return self.claim_in_store(leave, id).await,
            }
        }
    }
}

fn mismatch() -> Refusal {
    let message = "The idempotency key was used for another request. Send a new key with a new request.";
    Refusal::new(RefusalCode::IdempotencyMismatch, message)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use signalbox_core::ids::{OperationId, RequestId};

    use super::*;

    const KEY: Idempotency = Idempotency { key_hash: [1; 32], body_hash: [2; 32] };

    fn answer() -> Arc<KeptAnswer> {
        Arc::new(KeptAnswer {
            request: RequestId::generate(),
            operation: OperationId::new("chat_message").unwrap(),
            target: "a/b".parse().unwrap(),
            attempts: 1,
            cost: None,
            simulated: false,
            content_type: "application/json".into(),
            body: Bytes::from_static(b"{}"),
        })
    }

    fn first(runs: &FirstRuns) -> FirstLeave {
        match runs.look(KEY) {
            Found::First(leave) => leave,
            other => panic!("{other:?}"),
        }
    }

    fn twin(runs: &FirstRuns) -> Twin {
        match runs.look(KEY) {
            Found::Running(twin) => twin,
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn twins_wait_for_the_first_ones_answer_and_another_body_is_told_apart() {
        let runs = FirstRuns::default();
        let leave = first(&runs);
        let waiting = [twin(&runs), twin(&runs)];
        assert!(matches!(runs.look(Idempotency { body_hash: [9; 32], ..KEY }), Found::OtherBody));
        let kept = answer();
        leave.answered(Arc::clone(&kept));
        for twin in waiting {
            assert_eq!(twin.answer().await.unwrap().request, kept.request);
        }
        assert_eq!(runs.count(), 0);
    }

    #[tokio::test]
    async fn a_first_run_without_an_answer_lets_the_next_one_run() {
        let runs = FirstRuns::default();
        let leave = first(&runs);
        let waiting = twin(&runs);
        drop(leave);
        assert!(waiting.answer().await.is_none());
        drop(first(&runs));
        assert_eq!(runs.count(), 0);
    }
}
