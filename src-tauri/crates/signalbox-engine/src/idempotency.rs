//! Requests their clients may send again: the first one runs, the others get its answer.
//!
//! A request that is sent again while the first one runs waits for it here; on another node it is told to come back. Only
//! successes of up to 4 MB are kept, for a day. A first run that fails, or whose client leaves while nobody else waits for
//! its answer, gives the key back, and the next one with the key runs.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use signalbox_core::ids::{KeyId, RequestId};
use signalbox_core::ledger::{Idempotency, RequestStart};
use signalbox_core::time::MICROS_PER_SECOND;
use signalbox_store::{ClaimedKey, IdempotencyClaim, StoreError};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::dispatch::at;
use crate::dispatch::fingerprint::{self, Addressed, Fingerprint};
use crate::dispatch::kept::KeptAnswer;
use crate::dispatch::{Answer, Payload, Refusal, RefusalCode};
use crate::engine::Engine;
use crate::ledger::error_chain;

/// How long the key of a request that runs counts: longer than any runs, and short enough for those that wait for a node
/// that is gone for good.
const RUNNING_US: i64 = 3_600 * MICROS_PER_SECOND;
/// How long an answer is kept.
const KEPT_US: i64 = 24 * 3_600 * MICROS_PER_SECOND;
/// When to come back for an answer that another node is making.
const COME_BACK: Duration = Duration::from_secs(1);

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
    /// Whether the same request, sent again, waits for the answer.
    pub fn is_awaited(&self) -> bool {
        // One receiver is the list's own.
        self.end.receiver_count() > 1
    }

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
    request: RequestId,
}

impl Claim {
    /// Which key and body.
    pub const fn idempotency(&self) -> Idempotency {
        self.idempotency
    }

    /// Whether the same request, sent again, waits for the answer.
    pub fn is_awaited(&self) -> bool {
        self.leave.as_ref().is_some_and(FirstLeave::is_awaited)
    }

    /// Keeps the answer for everybody who sends the request again, before its last byte goes out.
    pub async fn answered(mut self, kept: Arc<KeptAnswer>) {
        let Some(leave) = self.leave.take() else { return };
        let (store, key_hash) = (&self.engine.control.store, &self.idempotency.key_hash);
        let expires_at = self.engine.control.now().plus_micros(KEPT_US);
        let written = store
            .finish_idempotency(key_hash, self.request, &kept.content_type, &kept.body, expires_at)
            .await;
        if let Err(error) = written {
            tracing::error!(request = %self.request, error = %error_chain(&error), "an answer cannot be kept for when its request is sent again");
        }
        leave.answered(kept);
    }

    /// It was not this request's after all.
    fn give_up(mut self) -> Option<FirstLeave> {
        self.leave.take()
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let Some(leave) = self.leave.take() else { return };
        let (engine, key_hash, request) = (Arc::clone(&self.engine), self.idempotency.key_hash, self.request);
        // Those who wait here run only when the store has let go: they would find it taken.
        self.engine.background.spawn(async move {
            if let Err(error) = engine.control.store.release_idempotency(&key_hash, request).await {
                tracing::error!(%request, error = %error_chain(&error), "an idempotency key cannot be given back");
            }
            drop(leave);
        });
    }
}

impl Engine {
    async fn claim_in_store(self: &Arc<Self>, leave: FirstLeave, id: RequestId) -> Result<Claimed, Refusal> {
        let idempotency = leave.idempotency;
        // Made before the store is asked: a client that leaves meanwhile must not leave its key taken.
        let claim = Claim { engine: Arc::clone(self), leave: Some(leave), idempotency, request: id };
        match self.ask_store(idempotency, id).await? {
            ClaimedKey::Fresh => Ok(Claimed::First(claim)),
            ClaimedKey::Done { request, content_type, body } => {
                let kept = Arc::new(self.kept_of(request, content_type, body).await?);
                let answer = kept.replayed();
                if let Some(leave) = claim.give_up() {
                    leave.answered(kept);
                }
                Ok(Claimed::Answered(answer))
            }
            ClaimedKey::OtherBody { .. } => {
                claim.give_up();
                Err(mismatch())
            }
            ClaimedKey::Running { .. } => {
                claim.give_up();
                Err(in_progress())
            }
        }
    }

    async fn ask_store(&self, idempotency: Idempotency, id: RequestId) -> Result<ClaimedKey, Refusal> {
        let (store, now) = (&self.control.store, self.control.now());
        let claim = IdempotencyClaim {
            idempotency,
            request: id,
            node: self.node,
            expires_at: now.plus_micros(RUNNING_US),
        };
        let found = store.claim_idempotency(&claim, now).await.map_err(|error| unavailable(&error))?;
        match found {
            // Nobody here runs it, or there would be no leave: what let go of it failed to say so.
            ClaimedKey::Running { request, node } if node == self.node => {
                let released = store.release_idempotency(&idempotency.key_hash, request).await;
                released.map_err(|error| unavailable(&error))?;
                store.claim_idempotency(&claim, now).await.map_err(|error| unavailable(&error))
            }
            found => Ok(found),
        }
    }

    /// The first answer as it is stored, with what the ledger says of it.
    async fn kept_of(
        &self,
        request: RequestId,
        content_type: String,
        body: Vec<u8>,
    ) -> Result<KeptAnswer, Refusal> {
        let read =
            || async { self.control.store.request(request).await.map_err(|error| unavailable(&error)) };
        let mut record = read().await?;
        if record.as_ref().is_none_or(|record| record.settlement.is_none()) {
            self.caught_up().await;
            record = read().await?;
        }
        let settled = record.and_then(|record| Some((record.start, record.settlement?)));
        let of_chain = |start: &RequestStart| start.decision.chain().next().map(|first| first.target.clone());
        let known = settled.and_then(|(start, settlement)| {
            let target = settlement.target().cloned().or_else(|| of_chain(&start))?;
            Some((start, settlement, target))
        });
        let Some((start, settlement, target)) = known else {
            let message = "The first answer to this request is there, but not what it cost.";
            return Err(Refusal::new(RefusalCode::LedgerUnavailable, message));
        };
        Ok(KeptAnswer {
            request,
            operation: start.operation,
            target,
            attempts: u32::try_from(settlement.attempts.len()).unwrap_or(u32::MAX),
            cost: settlement.cost().1,
            simulated: settlement.simulated,
            content_type: content_type.into(),
            body: body.into(),
        })
    }

    /// Claims the client's key for the request `id`, or finds the answer that the first request with it got. Waits for a
    /// first request that runs in this process, until `deadline`.
    ///
    /// Errors: the key was used for another request, the first one runs on another node or for too long, or the store
    /// refuses.
    pub(crate) async fn claim(
        self: &Arc<Self>,
        key: Option<KeyId>,
        text: &str,
        addressed: Addressed<'_>,
        payload: &Payload,
        id: RequestId,
        deadline: Option<Instant>,
    ) -> Result<Claimed, Refusal> {
        let idempotency = Idempotency {
            key_hash: fingerprint::of_client_key(key, text),
            body_hash: fingerprint::of_request(addressed, payload),
        };
        loop {
            match self.first_runs.look(idempotency) {
                Found::OtherBody => return Err(mismatch()),
                Found::Running(twin) => tokio::select! {
                    answer = twin.answer() => if let Some(kept) = answer {
                        return Ok(Claimed::Answered(kept.replayed()));
                    },
                    () = at(deadline) => return Err(in_progress()),
                },
                Found::First(leave) => return self.claim_in_store(leave, id).await,
            }
        }
    }
}

fn unavailable(error: &StoreError) -> Refusal {
    tracing::error!(error = %error_chain(error), "idempotency keys cannot be read or written");
    let message = format!("Nothing was sent: {error}.");
    Refusal::new(RefusalCode::LedgerUnavailable, message)
}

fn in_progress() -> Refusal {
    let message = "A request with this idempotency key is under way. Its answer can be had once it is there.";
    let refusal = Refusal::new(RefusalCode::IdempotencyInProgress, message);
    Refusal { retry_after: Some(COME_BACK), ..refusal }
}

fn mismatch() -> Refusal {
    let message = "The idempotency key was used for another request. Send a new key with a new request.";
    Refusal::new(RefusalCode::IdempotencyMismatch, message)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use signalbox_core::ids::{NodeId, OperationId, RequestId};
    use signalbox_core::ledger::Surface;
    use signalbox_store::Durability;

    use super::*;
    use crate::EngineOptions;
    use crate::clock::SystemClock;
    use crate::control::Options;
    use crate::secrets::Keychain;

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
        assert!(!leave.is_awaited());
        let waiting = [twin(&runs), twin(&runs)];
        assert!(leave.is_awaited());
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

    async fn engine(directory: &tempfile::TempDir) -> Arc<Engine> {
        let installation = Options {
            data_dir: directory.path().to_owned(),
            database_url: None,
            durability: Durability::Process,
            keychain: Keychain::Unused,
        };
        let options = EngineOptions { installation, simulator: None };
        Engine::start(options, Arc::new(SystemClock)).await.unwrap()
    }

    async fn claim(engine: &Arc<Engine>, text: &str) -> Result<Claimed, RefusalCode> {
        let operation = OperationId::new("chat_message").unwrap();
        let addressed = Addressed { surface: Surface::OpenaiChat, operation: &operation, pinned: None };
        let payload = Payload::Json(Arc::default());
        let claimed = engine.claim(None, text, addressed, &payload, RequestId::generate(), None).await;
        claimed.map_err(|refusal| refusal.code)
    }

    /// As if `node` had begun to serve the request that [`claim`] would.
    async fn begun_by(engine: &Arc<Engine>, text: &str, node: NodeId) {
        let operation = OperationId::new("chat_message").unwrap();
        let addressed = Addressed { surface: Surface::OpenaiChat, operation: &operation, pinned: None };
        let idempotency = Idempotency {
            key_hash: fingerprint::of_client_key(None, text),
            body_hash: fingerprint::of_request(addressed, &Payload::Json(Arc::default())),
        };
        let (request, now) = (RequestId::generate(), engine.control.now());
        let claim = IdempotencyClaim { idempotency, request, node, expires_at: now.plus_micros(KEPT_US) };
        let found = engine.control.store.claim_idempotency(&claim, now).await.unwrap();
        assert_eq!(found, ClaimedKey::Fresh);
    }

    #[tokio::test]
    async fn a_request_that_another_node_serves_is_told_to_come_back() {
        let directory = tempfile::tempdir().unwrap();
        let engine = engine(&directory).await;
        begun_by(&engine, "k", NodeId::generate()).await;
        assert_eq!(claim(&engine, "k").await.err(), Some(RefusalCode::IdempotencyInProgress));
        assert!(matches!(claim(&engine, "l").await, Ok(Claimed::First(_))));
        engine.shutdown().await;
    }

    #[tokio::test]
    async fn a_key_is_free_again_after_a_crash_and_when_its_request_has_no_answer() {
        let directory = tempfile::tempdir().unwrap();
        let first = engine(&directory).await;
        begun_by(&first, "crashed", first.node).await;
        drop(claim(&first, "given up").await);
        assert!(
            matches!(claim(&first, "given up").await, Ok(Claimed::First(_))),
            "given back here and in the store"
        );
        first.shutdown().await;
        drop(first);
        let second = engine(&directory).await;
        assert!(matches!(claim(&second, "crashed").await, Ok(Claimed::First(_))));
        second.shutdown().await;
    }
}
