//! How good earlier answers were, as their clients say.

use signalbox_core::ids::{KeyId, RequestId};
use signalbox_core::time::Timestamp;

use crate::Store;
use crate::dialect::within;
use crate::error::{StoreError, during};
use crate::values::clean;

/// What a client says of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Feedback {
    /// Of which request.
    pub request: RequestId,
    /// When.
    pub at: Timestamp,
    /// How good, from 0 to 1,000.
    pub score: u32,
    /// In its own words.
    pub comment: Option<String>,
}

impl Store {
    /// Keeps what a client says of its own request; of another key's it learns nothing, not even that it exists.
    ///
    /// Saying it twice in the same microsecond is saying it once. Errors: [`StoreError::NotFound`].
    pub async fn add_feedback(&self, key: KeyId, feedback: &Feedback) -> Result<(), StoreError> {
        const OPERATION: &str = "store feedback";
        let mut transaction = self.inner.pools.begin_write(OPERATION).await?;
        let known: Option<i64> = within!(&mut transaction, connection =>
            sqlx::query_scalar("SELECT started_at FROM requests WHERE id = $1 AND key_id = $2")
                .bind(feedback.request.as_uuid())
                .bind(key.as_uuid())
                .fetch_optional(connection)
                .await)
        .map_err(during(OPERATION))?;
        if known.is_none() {
            return Err(StoreError::NotFound { kind: "request", subject: feedback.request.to_string() });
        }
        within!(&mut transaction, connection => sqlx::query(
            "INSERT INTO feedback (request_id, at, score, comment) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
        )
        .bind(feedback.request.as_uuid())
        .bind(feedback.at.as_micros())
        .bind(i64::from(feedback.score))
        .bind(feedback.comment.as_deref().map(|comment| clean(comment).into_owned()))
        .execute(connection)
        .await
        .map(drop))
        .map_err(during(OPERATION))?;
        transaction.commit(OPERATION).await
    }

    /// What clients said of a request, oldest first.
    pub async fn feedback(&self, request: RequestId) -> Result<Vec<Feedback>, StoreError> {
        const OPERATION: &str = "read feedback";
        let rows: Vec<(i64, i64, Option<String>)> = crate::dialect::reading!(self, pool => sqlx::query_as(
            "SELECT at, score, comment FROM feedback WHERE request_id = $1 ORDER BY at",
        )
        .bind(request.as_uuid())
        .fetch_all(pool)
        .await)
        .map_err(during(OPERATION))?;
        rows.into_iter()
            .map(|(at, score, comment)| {
                let score = crate::values::number("feedback.score", score)?;
                Ok(Feedback { request, at: Timestamp::from_micros(at), score, comment })
            })
            .collect()
    }
}
