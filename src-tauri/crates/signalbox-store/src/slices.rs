//! Slices of purses: what each of several nodes may use without asking the others.
//!
//! Whoever changes a slice or charges a purse has the purse's row locked, so that what is free is read and granted in one
//! step. A node asks by saying what it keeps; what it had above that is free again.

use serde::{Deserialize, Serialize};
use signalbox_core::budget::{Amount, Limits, Member, Pool, PurseKey, Share, Slice, Wish};
use signalbox_core::ids::{BudgetId, NodeId};
use signalbox_core::money::NanoUsd;
use signalbox_core::time::Timestamp;
use sqlx::postgres::PgListener;
use uuid::Uuid;

use crate::Store;
use crate::dialect::{CHANNEL_SLICES_POSTGRES, NOTIFY_SLICES_POSTGRES, reading, within};
use crate::error::{StoreError, during};
use crate::pools::{Pools, Transaction};
use crate::values::{JsonText, counted, number, parsed};

const OPERATION: &str = "part a budget between nodes";

/// What became of a node's wish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exchanged {
    /// How it stands now.
    Done {
        /// The node's share.
        share: Share,
        /// Whether that is enough.
        is_enough: bool,
        /// Whether it is all that was wanted.
        is_all: bool,
        /// Whether it could get what helps if other nodes gave back what they do not need.
        could_ever: bool,
    },
    /// The database changed the slice since the node last heard of it.
    Moved {
        /// How often it has by now.
        turn: i64,
    },
}

/// What nodes tell each other of slices.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "what")]
pub enum SliceNews {
    /// A node needs more of a purse than is free.
    Wanted {
        /// Who.
        by: NodeId,
        /// Of which purse.
        purse: PurseKey,
    },
    /// A node gave something back.
    Given {
        /// Who.
        by: NodeId,
        /// Of which purse.
        purse: PurseKey,
    },
}

#[derive(sqlx::FromRow)]
struct SliceRow {
    node_id: Uuid,
    cost_nano_usd: i64,
    tokens: i64,
    requests: i64,
    settled_cost_nano_usd: i64,
    settled_tokens: i64,
    settled_requests: i64,
    turn: i64,
}

impl SliceRow {
    fn slice(&self) -> Result<Slice, StoreError> {
        Ok(Slice {
            granted: amount(self.cost_nano_usd, self.tokens, self.requests)?,
            settled: amount(self.settled_cost_nano_usd, self.settled_tokens, self.settled_requests)?,
        })
    }
}

fn amount(cost: i64, tokens: i64, requests: i64) -> Result<Amount, StoreError> {
    Ok(Amount {
        cost: NanoUsd::from_nanos(cost),
        tokens: number("budget_slices.tokens", tokens)?,
        requests: number("budget_slices.requests", requests)?,
    })
}

impl Store {
    /// Gives a node what it asks for of a purse, as far as there is enough, and takes back what it does not keep. `turn` is
    /// how often the database has changed the slice as far as the node knows. A purse that is not there is made.
    ///
    /// Other nodes are told when something is free again.
    pub async fn exchange_slice(
        &self,
        node: NodeId,
        purse: &PurseKey,
        turn: i64,
        wish: &Wish,
    ) -> Result<Exchanged, StoreError> {
        let mut transaction = self.inner.pools.begin_write(OPERATION).await?;
        let settled = lock(&mut transaction, purse).await?;
        let rows = slices_in(&mut transaction, purse).await?;
        let mut own = (Slice::default(), 0);
        let mut elsewhere = Amount::default();
        for row in rows {
            if row.node_id == node.as_uuid() {
                own = (row.slice()?, row.turn);
            } else {
                elsewhere = elsewhere.plus(row.slice()?.outstanding());
            }
        }
        let (slice, found) = own;
        if found != turn {
            return Ok(Exchanged::Moved { turn: found });
        }
        let (limits, adjusted) = limits_of(&mut transaction, purse).await?;
        let used = Amount { cost: settled.cost.saturating_add(adjusted), ..settled };
        let pool = Pool { limits, used, elsewhere };
        let after = Slice { granted: pool.grant(slice, wish), ..slice };
        if after != slice {
            put(&mut transaction, node, purse, after.granted, turn + 1).await?;
            if gave_back(slice, after) {
                tell(&mut transaction, &SliceNews::Given { by: node, purse: purse.clone() }).await?;
            }
        }
        transaction.commit(OPERATION).await?;
        let turn = if after == slice { turn } else { turn + 1 };
        let share = Share { slice: after, settled, adjusted, elsewhere, turn };
        Ok(Exchanged::Done {
            share,
            is_enough: pool.is_enough(after.granted, wish.least),
            is_all: pool.is_enough(after.granted, wish.wanted),
            could_ever: pool.could_ever(slice, wish.least),
        })
    }

    /// How a purse stands for a node; nothing is changed.
    pub async fn share_of(&self, node: NodeId, purse: &PurseKey) -> Result<Share, StoreError> {
        #[derive(sqlx::FromRow)]
        struct Row {
            cost: i64,
            tokens: i64,
            requests: i64,
            own_cost: i64,
            own_tokens: i64,
            own_requests: i64,
            adjusted: i64,
        }
        // One statement, so that both sums are of one moment.
        let row: Option<Row> = reading!(self, pool => sqlx::query_as(
            "SELECT p.cost_nano_usd AS cost, p.tokens, p.requests, \
             COALESCE(s.settled_cost_nano_usd, 0) AS own_cost, COALESCE(s.settled_tokens, 0) AS own_tokens, \
             COALESCE(s.settled_requests, 0) AS own_requests, \
             (SELECT CAST(COALESCE(SUM(a.cost_nano_usd), 0) AS BIGINT) FROM budget_adjustments a \
              WHERE a.budget_id = p.budget_id AND a.start_at = p.start_at AND a.member = p.member) AS adjusted \
             FROM budget_periods p LEFT JOIN budget_slices s ON s.budget_id = p.budget_id \
             AND s.start_at = p.start_at AND s.member = p.member AND s.node_id = $4 \
             WHERE p.budget_id = $1 AND p.start_at = $2 AND p.member = $3",
        )
        .bind(purse.budget.as_uuid())
        .bind(purse.start.as_micros())
        .bind(purse.member.as_str())
        .bind(node.as_uuid())
        .fetch_optional(pool)
        .await)
        .map_err(during("read budgets"))?;
        let Some(row) = row else { return Ok(Share::default()) };
        let own = amount(row.own_cost, row.own_tokens, row.own_requests)?;
        Ok(Share {
            slice: Slice { granted: own, settled: own },
            settled: amount(row.cost, row.tokens, row.requests)?,
            adjusted: NanoUsd::from_nanos(row.adjusted),
            ..Share::default()
        })
    }

    /// What a node's requests were charged in a budget's purses of the period that began at `start`, with their turns.
    pub async fn slices_of(
        &self,
        node: NodeId,
        budget: BudgetId,
        start: Timestamp,
    ) -> Result<Vec<(PurseKey, Slice, i64)>, StoreError> {
        #[derive(sqlx::FromRow)]
        struct Row {
            member: String,
            #[sqlx(flatten)]
            slice: SliceRow,
        }
        let rows: Vec<Row> = reading!(self, pool => sqlx::query_as(
            "SELECT member, node_id, cost_nano_usd, tokens, requests, settled_cost_nano_usd, settled_tokens, \
             settled_requests, turn FROM budget_slices WHERE budget_id = $1 AND start_at = $2 AND node_id = $3 \
             ORDER BY member",
        )
        .bind(budget.as_uuid())
        .bind(start.as_micros())
        .bind(node.as_uuid())
        .fetch_all(pool)
        .await)
        .map_err(during("read budgets"))?;
        let slice = |row: Row| {
            let purse = PurseKey { budget, member: Member::named(&row.member), start };
            Ok((purse, row.slice.slice()?, row.slice.turn))
        };
        rows.into_iter().map(slice).collect()
    }

    /// Takes back everything a node was granted and has not used, purse by purse. Whoever calls it knows that the node is
    /// gone and what it held is settled.
    pub async fn take_back_slices(&self, node: NodeId) -> Result<(), StoreError> {
        let rows: Vec<(Uuid, i64, String)> = reading!(self, pool => sqlx::query_as(
            "SELECT budget_id, start_at, member FROM budget_slices WHERE node_id = $1 \
             AND (cost_nano_usd > settled_cost_nano_usd OR tokens > settled_tokens OR requests > settled_requests) \
             ORDER BY budget_id, member, start_at",
        )
        .bind(node.as_uuid())
        .fetch_all(pool)
        .await)
        .map_err(during(OPERATION))?;
        for (budget, start, member) in rows {
            let purse = PurseKey {
                budget: BudgetId::from_uuid(budget),
                member: Member::named(&member),
                start: Timestamp::from_micros(start),
            };
            let mut transaction = self.inner.pools.begin_write(OPERATION).await?;
            lock(&mut transaction, &purse).await?;
            let rows = slices_in(&mut transaction, &purse).await?;
            if let Some(row) = rows.iter().find(|row| row.node_id == node.as_uuid()) {
                put(&mut transaction, node, &purse, row.slice()?.settled, row.turn + 1).await?;
                tell(&mut transaction, &SliceNews::Given { by: node, purse }).await?;
            }
            transaction.commit(OPERATION).await?;
        }
        Ok(())
    }

    /// Tells other nodes something of slices. Where nobody can hear it, nothing happens.
    pub async fn tell_of_slices(&self, news: &SliceNews) -> Result<(), StoreError> {
        let mut transaction = self.inner.pools.begin_write(OPERATION).await?;
        tell(&mut transaction, news).await?;
        transaction.commit(OPERATION).await
    }

    /// What other nodes tell of slices from now on.
    pub const fn slice_signal(&self) -> SliceSignal<'_> {
        SliceSignal { store: self, listener: None }
    }
}

/// Hears what other nodes tell of slices.
#[derive(Debug)]
pub struct SliceSignal<'a> {
    store: &'a Store,
    listener: Option<PgListener>,
}

impl SliceSignal<'_> {
    /// Waits for the next news. Dropping the future loses nothing. After an error the next call tries again, with a
    /// connection of its own; what was told meanwhile is lost.
    pub async fn heard(&mut self) -> Result<SliceNews, StoreError> {
        let Pools::Postgres(pool) = &self.store.inner.pools else { return std::future::pending().await };
        let failed = during(OPERATION);
        loop {
            if self.listener.is_none() {
                let mut listener = PgListener::connect_with(pool).await.map_err(&failed)?;
                listener.listen(CHANNEL_SLICES_POSTGRES).await.map_err(&failed)?;
                self.listener = Some(listener);
            }
            let Some(listener) = &mut self.listener else { continue };
            let told = match listener.recv().await {
                Ok(told) => told,
                Err(error) => {
                    self.listener = None;
                    return Err(failed(error));
                }
            };
            // What another version says is nothing to this one.
            if let Ok(news) = serde_json::from_str(told.payload()) {
                return Ok(news);
            }
        }
    }
}

/// Locks a purse, which is made if it is not there, and returns what it was charged.
async fn lock(transaction: &mut Transaction, purse: &PurseKey) -> Result<Amount, StoreError> {
    let (cost, tokens, requests): (i64, i64, i64) = within!(transaction, connection => sqlx::query_as(
        "INSERT INTO budget_periods (budget_id, start_at, member, cost_nano_usd, tokens, requests) \
         VALUES ($1, $2, $3, 0, 0, 0) ON CONFLICT (budget_id, start_at, member) \
         DO UPDATE SET requests = budget_periods.requests RETURNING cost_nano_usd, tokens, requests",
    )
    .bind(purse.budget.as_uuid())
    .bind(purse.start.as_micros())
    .bind(purse.member.as_str())
    .fetch_one(connection)
    .await)
    .map_err(during(OPERATION))?;
    amount(cost, tokens, requests)
}

async fn slices_in(transaction: &mut Transaction, purse: &PurseKey) -> Result<Vec<SliceRow>, StoreError> {
    within!(transaction, connection => sqlx::query_as(
        "SELECT node_id, cost_nano_usd, tokens, requests, settled_cost_nano_usd, settled_tokens, settled_requests, turn \
         FROM budget_slices WHERE budget_id = $1 AND start_at = $2 AND member = $3",
    )
    .bind(purse.budget.as_uuid())
    .bind(purse.start.as_micros())
    .bind(purse.member.as_str())
    .fetch_all(connection)
    .await)
    .map_err(during(OPERATION))
}

/// The limits as they are configured now, and what admins added to what was charged. A budget that is gone has nothing.
async fn limits_of(transaction: &mut Transaction, purse: &PurseKey) -> Result<(Limits, NanoUsd), StoreError> {
    let row: Option<(JsonText, i64)> = within!(transaction, connection => sqlx::query_as(
        "SELECT limits, (SELECT CAST(COALESCE(SUM(a.cost_nano_usd), 0) AS BIGINT) FROM budget_adjustments a \
         WHERE a.budget_id = $1 AND a.start_at = $2 AND a.member = $3) FROM budgets WHERE id = $1",
    )
    .bind(purse.budget.as_uuid())
    .bind(purse.start.as_micros())
    .bind(purse.member.as_str())
    .fetch_optional(connection)
    .await)
    .map_err(during(OPERATION))?;
    let nothing = Limits { cost: Some(NanoUsd::ZERO), tokens: Some(0), requests: Some(0) };
    let Some((limits, adjusted)) = row else { return Ok((nothing, NanoUsd::ZERO)) };
    Ok((parsed("budgets.limits", &limits)?, NanoUsd::from_nanos(adjusted)))
}

async fn put(
    transaction: &mut Transaction,
    node: NodeId,
    purse: &PurseKey,
    granted: Amount,
    turn: i64,
) -> Result<(), StoreError> {
    within!(transaction, connection => sqlx::query(
        "INSERT INTO budget_slices (budget_id, start_at, member, node_id, cost_nano_usd, tokens, requests, turn) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (budget_id, start_at, member, node_id) DO UPDATE SET \
         cost_nano_usd = excluded.cost_nano_usd, tokens = excluded.tokens, requests = excluded.requests, \
         turn = excluded.turn",
    )
    .bind(purse.budget.as_uuid())
    .bind(purse.start.as_micros())
    .bind(purse.member.as_str())
    .bind(node.as_uuid())
    .bind(granted.cost.as_nanos())
    .bind(counted(granted.tokens))
    .bind(counted(granted.requests))
    .bind(turn)
    .execute(connection)
    .await
    .map(drop))
    .map_err(during(OPERATION))
}

/// Whether something that only the node could use is free now.
fn gave_back(before: Slice, after: Slice) -> bool {
    let (before, after) = (before.outstanding(), after.outstanding());
    after.cost < before.cost || after.tokens < before.tokens || after.requests < before.requests
}

async fn tell(transaction: &mut Transaction, news: &SliceNews) -> Result<(), StoreError> {
    let Transaction::Postgres(connection) = transaction else { return Ok(()) };
    let unfit = |error: serde_json::Error| StoreError::Corrupt { detail: error.to_string() };
    sqlx::query(NOTIFY_SLICES_POSTGRES)
        .bind(serde_json::to_string(news).map_err(unfit)?)
        .execute(&mut **connection)
        .await
        .map(drop)
        .map_err(during(OPERATION))
}
