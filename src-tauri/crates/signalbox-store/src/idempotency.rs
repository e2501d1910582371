//! Requests their clients may send again: who was first, and what the answer was.
//!
//! Only requests that carry a key come here; each step is a transaction of its own, so that two nodes never both believe
//! to be first.

use signalbox_core::ids::{NodeId, RequestId};
use signalbox_core::ledger::Idempotency;
use signalbox_core::time::Timestamp;
use uuid::Uuid;

use crate::Store;
use crate::dialect::within;
use crate::error::{StoreError, during};
use crate::pools::Transaction;
use crate::values::{hash, present, word};

/// Who asks for a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IdempotencyClaim {
    /// Which key, and which body it came with.
    pub idempotency: Idempotency,
    /// The request that would be the first.
    pub request: RequestId,
    /// The instance that would serve it.
    pub node: NodeId,
    /// When the key may be used anew, whatever became of it.
    pub expires_at: Timestamp,
}

/// What somebody finds who asks for a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClaimedKey {
    /// It is his; he must finish or release it.
    Fresh,
    /// The first request with it runs.
    Running {
        /// Which one.
        request: RequestId,
        /// The instance that serves it.
        node: NodeId,
    },
    /// The first request with it was answered.
    Done {
        /// Which one.
        request: RequestId,
        /// The answer's media type.
        content_type: String,
        /// The answer, to the byte.
        body: Vec<u8>,
    },
    /// It was used with another body.
    OtherBody {
        /// By which request.
        request: RequestId,
    },
}

#[derive(sqlx::FromRow)]
struct Row {
    body_hash: Vec<u8>,
    node_id: Uuid,
    request_id: Uuid,
    state: String,
    content_type: Option<String>,
    body: Option<Vec<u8>>,
}

const CLAIM: &str = "claim an idempotency key";

impl Store {
    /// Takes a key for a request, unless it is taken. A key that has expired by `now` is free.
    pub async fn claim_idempotency(
        &self,
        claim: &IdempotencyClaim,
        now: Timestamp,
    ) -> Result<ClaimedKey, StoreError> {
        loop {
            let mut transaction = self.inner.pools.begin_write(CLAIM).await?;
            if take(&mut transaction, claim, now).await? {
                transaction.commit(CLAIM).await?;
                return Ok(ClaimedKey::Fresh);
            }
            let taken = taken(&mut transaction, claim).await?;
            transaction.commit(CLAIM).await?;
            // Given back between the two statements by another node: then it can be had after all.
            if let Some(taken) = taken {
                return Ok(taken);
            }
        }
    }

    /// Keeps the answer to the request that claimed a key until `expires_at`, for everybody who sends it again.
    pub async fn finish_idempotency(
        &self,
        key_hash: &[u8; 32],
        request: RequestId,
        content_type: &str,
        body: &[u8],
        expires_at: Timestamp,
    ) -> Result<(), StoreError> {
        const OPERATION: &str = "keep an answer for an idempotency key";
        let mut transaction = self.inner.pools.begin_write(OPERATION).await?;
        within!(&mut transaction, connection => sqlx::query(
            "UPDATE idempotency SET state = 'done', content_type = $3, body = $4, expires_at = $5 \
             WHERE key_hash = $1 AND request_id = $2 AND state = 'running'",
        )
        .bind(key_hash.as_slice())
        .bind(request.as_uuid())
        .bind(content_type)
        .bind(body)
        .bind(expires_at.as_micros())
        .execute(connection)
        .await
        .map(drop))
        .map_err(during(OPERATION))?;
        transaction.commit(OPERATION).await
    }

    /// Gives back a key whose request has no answer to keep.
    pub async fn release_idempotency(
        &self,
        key_hash: &[u8; 32],
        request: RequestId,
    ) -> Result<(), StoreError> {
        const OPERATION: &str = "give back an idempotency key";
        let mut transaction = self.inner.pools.begin_write(OPERATION).await?;
        within!(&mut transaction, connection => sqlx::query(
            "DELETE FROM idempotency WHERE key_hash = $1 AND request_id = $2 AND state = 'running'",
        )
        .bind(key_hash.as_slice())
        .bind(request.as_uuid())
        .execute(connection)
        .await
        .map(drop))
        .map_err(during(OPERATION))?;
        transaction.commit(OPERATION).await
    }

    /// Gives back every key that requests of an earlier run of this node still hold. Only at its start: nothing of it
    /// runs then. Returns how many.
    pub async fn release_idempotency_of(&self, node: NodeId) -> Result<u64, StoreError> {
        const OPERATION: &str = "give back idempotency keys";
        let mut transaction = self.inner.pools.begin_write(OPERATION).await?;
        let released = within!(&mut transaction, connection =>
            sqlx::query("DELETE FROM idempotency WHERE node_id = $1 AND state = 'running'")
                .bind(node.as_uuid())
                .execute(connection)
                .await
                .map(|done| done.rows_affected()))
        .map_err(during(OPERATION))?;
        transaction.commit(OPERATION).await?;
        Ok(released)
    }

    /// Forgets keys and answers that have expired by `now`. Returns how many.
    pub async fn forget_expired_idempotency(&self, now: Timestamp) -> Result<u64, StoreError> {
        const OPERATION: &str = "forget expired idempotency keys";
        let mut transaction = self.inner.pools.begin_write(OPERATION).await?;
        let forgotten = within!(&mut transaction, connection =>
            sqlx::query("DELETE FROM idempotency WHERE expires_at <= $1")
                .bind(now.as_micros())
                .execute(connection)
                .await
                .map(|done| done.rows_affected()))
        .map_err(during(OPERATION))?;
        transaction.commit(OPERATION).await?;
        Ok(forgotten)
    }
}

async fn take(
    transaction: &mut Transaction,
    claim: &IdempotencyClaim,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let taken: Option<Uuid> = within!(transaction, connection => sqlx::query_scalar(
        "INSERT INTO idempotency (key_hash, body_hash, node_id, request_id, state, expires_at) \
         VALUES ($1, $2, $3, $4, 'running', $5) \
         ON CONFLICT (key_hash) DO UPDATE SET body_hash = excluded.body_hash, node_id = excluded.node_id, \
         request_id = excluded.request_id, state = 'running', content_type = NULL, body = NULL, \
         expires_at = excluded.expires_at WHERE idempotency.expires_at <= $6 RETURNING request_id",
    )
    .bind(claim.idempotency.key_hash.as_slice())
    .bind(claim.idempotency.body_hash.as_slice())
    .bind(claim.node.as_uuid())
    .bind(claim.request.as_uuid())
    .bind(claim.expires_at.as_micros())
    .bind(now.as_micros())
    .fetch_optional(connection)
    .await)
    .map_err(during(CLAIM))?;
    Ok(taken.is_some())
}

/// Who has the key; `None` when nobody has any more.
async fn taken(
    transaction: &mut Transaction,
    claim: &IdempotencyClaim,
) -> Result<Option<ClaimedKey>, StoreError> {
    let row: Option<Row> = within!(transaction, connection => sqlx::query_as(
        "SELECT body_hash, node_id, request_id, state, content_type, body FROM idempotency WHERE key_hash = $1",
    )
    .bind(claim.idempotency.key_hash.as_slice())
    .fetch_optional(connection)
    .await)
    .map_err(during(CLAIM))?;
    let Some(row) = row else { return Ok(None) };
    let request = RequestId::from_uuid(row.request_id);
    if hash("idempotency.body_hash", &row.body_hash)? != claim.idempotency.body_hash {
        return Ok(Some(ClaimedKey::OtherBody { request }));
    }
    let is_done = word("idempotency.state", &row.state, |word| match word {
        "running" => Some(false),
        "done" => Some(true),
        _ => None,
    })?;
    if !is_done {
        return Ok(Some(ClaimedKey::Running { request, node: NodeId::from_uuid(row.node_id) }));
    }
    let content_type = present("idempotency.content_type", row.content_type)?;
    let body = present("idempotency.body", row.body)?;
    Ok(Some(ClaimedKey::Done { request, content_type, body }))
}
