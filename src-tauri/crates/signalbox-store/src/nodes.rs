//! The nodes that serve on one database, and which of them are gone.

use signalbox_core::ids::NodeId;
use signalbox_core::time::Timestamp;
use uuid::Uuid;

use crate::Store;
use crate::dialect::{reading, within};
use crate::error::{StoreError, during};

const OPERATION: &str = "tell other nodes that this one serves";

/// A node, as it was last heard of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NodeBeat {
    /// Which.
    pub node: NodeId,
    /// A number that grows while it serves.
    pub beat: i64,
    /// When that was, by its own clock.
    pub seen_at: Timestamp,
}

impl Store {
    /// A node begins to serve; `life` is a number of this process alone. What another process of the same identity did is
    /// over.
    pub async fn enter_node(&self, node: NodeId, life: Uuid, now: Timestamp) -> Result<(), StoreError> {
        let mut transaction = self.inner.pools.begin_write(OPERATION).await?;
        within!(&mut transaction, connection => sqlx::query(
            "INSERT INTO nodes (id, life, beat, seen_at) VALUES ($1, $2, 1, $3) \
             ON CONFLICT (id) DO UPDATE SET life = excluded.life, beat = nodes.beat + 1, seen_at = excluded.seen_at",
        )
        .bind(node.as_uuid())
        .bind(life)
        .bind(now.as_micros())
        .execute(connection)
        .await
        .map(drop))
        .map_err(during(OPERATION))?;
        transaction.commit(OPERATION).await
    }

    /// The node still serves. Says whether it is still counted: not when it was taken for gone, or another process has its
    /// identity.
    pub async fn beat(&self, node: NodeId, life: Uuid, now: Timestamp) -> Result<bool, StoreError> {
        let mut transaction = self.inner.pools.begin_write(OPERATION).await?;
        let found = within!(&mut transaction, connection => sqlx::query(
            "UPDATE nodes SET beat = beat + 1, seen_at = $1 WHERE id = $2 AND life = $3",
        )
        .bind(now.as_micros())
        .bind(node.as_uuid())
        .bind(life)
        .execute(connection)
        .await
        .map(|done| done.rows_affected()))
        .map_err(during(OPERATION))?;
        transaction.commit(OPERATION).await?;
        Ok(found > 0)
    }

    /// All nodes, in ascending order.
    pub async fn nodes(&self) -> Result<Vec<NodeBeat>, StoreError> {
        let rows: Vec<(Uuid, i64, i64)> = reading!(self, pool =>
            sqlx::query_as("SELECT id, beat, seen_at FROM nodes ORDER BY id").fetch_all(pool).await)
        .map_err(during("look which nodes serve"))?;
        let node = |(id, beat, seen_at)| NodeBeat {
            node: NodeId::from_uuid(id),
            beat,
            seen_at: Timestamp::from_micros(seen_at),
        };
        Ok(rows.into_iter().map(node).collect())
    }

    /// Takes a node for gone whose beat stands still: should it come back, it finds that `life` is another. Says whether it
    /// stood still until now.
    pub async fn take_for_gone(&self, gone: NodeBeat, life: Uuid) -> Result<bool, StoreError> {
        let mut transaction = self.inner.pools.begin_write(OPERATION).await?;
        let found = within!(&mut transaction, connection =>
            sqlx::query("UPDATE nodes SET life = $1 WHERE id = $2 AND beat = $3")
                .bind(life)
                .bind(gone.node.as_uuid())
                .bind(gone.beat)
                .execute(connection)
                .await
                .map(|done| done.rows_affected()))
        .map_err(during(OPERATION))?;
        transaction.commit(OPERATION).await?;
        Ok(found > 0)
    }

    /// A node has ended and has given back what it had; does nothing when another process has taken its place.
    pub async fn leave_node(&self, node: NodeId, life: Uuid) -> Result<(), StoreError> {
        let mut transaction = self.inner.pools.begin_write(OPERATION).await?;
        within!(&mut transaction, connection => sqlx::query("DELETE FROM nodes WHERE id = $1 AND life = $2")
            .bind(node.as_uuid())
            .bind(life)
            .execute(connection)
            .await
            .map(drop))
        .map_err(during(OPERATION))?;
        transaction.commit(OPERATION).await
    }
}
