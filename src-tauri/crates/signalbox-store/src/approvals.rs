//! Approvals: the queue of what waits for a person, and what became of it.
//!
//! Each step is written on the version it was made from, so of two that happen at once one takes effect. What a person
//! decides is configuration (`ConfigWrite`), with its entry in the history; that a request asks or uses an approval, and
//! that time is over, is not.

use signalbox_core::approval::{
    Approval, ApprovalState, Digest, REJECTION_HOLDS_US, Risk, Subject, Submitter,
};
use signalbox_core::ids::{ApprovalId, OperationId, RequestId};
use signalbox_core::time::Timestamp;
use uuid::Uuid;

use crate::Store;
use crate::dialect::{reading, within};
use crate::error::{StoreError, during};
use crate::pools::Transaction;
use crate::values::{JsonText, clean, json, label, number, parsed, word};

/// What became of a request that asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FiledApproval {
    /// It waits now.
    New,
    /// The identical request has asked before: it waits, was approved, or was rejected a moment ago.
    Known(Box<Approval>),
    /// Its submitter has as many waiting as one may have.
    Full,
}

/// Where a page of the queue ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueuePlace {
    /// How risky the last one was.
    pub risk: Risk,
    /// When it was asked.
    pub created_at: Timestamp,
    /// Which one.
    pub id: ApprovalId,
}

/// How many there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ApprovalCounts {
    /// That wait.
    pub pending: i64,
    /// That people decided since the instant asked for.
    pub decided: i64,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: Uuid,
    version: i64,
    state: String,
    risk: i64,
    subject: JsonText,
    submitter: JsonText,
    shown: Option<String>,
    created_at: i64,
    expires_at: i64,
    ruling: Option<JsonText>,
    ending: Option<JsonText>,
    repeats: i64,
}

/// What lists leave out: prompts are long.
macro_rules! columns {
    ($shown:literal) => {
        concat!(
            "SELECT id, version, state, risk, subject, submitter, ",
            $shown,
            " AS shown, created_at, expires_at, ruling, ending, repeats FROM approvals "
        )
    };
}

const OPERATION: &str = "read approvals";
const FILE: &str = "file an approval";

impl Store {
    /// One approval, with what it shows.
    pub async fn approval(&self, id: ApprovalId) -> Result<Option<Approval>, StoreError> {
        let row: Option<Row> =
            reading!(self, pool => sqlx::query_as(concat!(columns!("shown"), "WHERE id = $1"))
            .bind(id.as_uuid())
            .fetch_optional(pool)
            .await)
            .map_err(during(OPERATION))?;
        row.map(Approval::try_from).transpose()
    }

    /// The approval a request used.
    pub async fn approval_of_request(&self, request: RequestId) -> Result<Option<ApprovalId>, StoreError> {
        let id: Option<Uuid> =
            reading!(self, pool => sqlx::query_scalar("SELECT id FROM approvals WHERE request_id = $1")
                .bind(request.as_uuid())
                .fetch_optional(pool)
                .await)
            .map_err(during(OPERATION))?;
        Ok(id.map(ApprovalId::from_uuid))
    }

    /// What waits at `now`, the riskiest first and of those the oldest: a page after `after`.
    pub async fn approvals_waiting(
        &self,
        after: Option<QueuePlace>,
        limit: u32,
        now: Timestamp,
    ) -> Result<Vec<Approval>, StoreError> {
        let rows: Vec<Row> = reading!(self, pool => {
            let mut query = sqlx::QueryBuilder::new(columns!("NULL"));
            query.push("WHERE state = 'pending' AND expires_at > ").push_bind(now.as_micros());
            if let Some(QueuePlace { risk, created_at, id }) = after {
                query.push(" AND (risk < ").push_bind(risk.rank());
                query.push(" OR (risk = ").push_bind(risk.rank());
                query.push(" AND (created_at, id) > (").push_bind(created_at.as_micros());
                query.push(", ").push_bind(id.as_uuid()).push(")))");
            }
            query.push(" ORDER BY risk DESC, created_at, id LIMIT ").push_bind(i64::from(limit));
            query.build_query_as().fetch_all(pool).await
        })
        .map_err(during(OPERATION))?;
        rows.into_iter().map(Approval::try_from).collect()
    }

    /// What no longer waits, the last step first: a page older than `before`. Each comes with the instant of that step.
    pub async fn approvals_decided(
        &self,
        before: Option<(Timestamp, ApprovalId)>,
        limit: u32,
    ) -> Result<Vec<Approval>, StoreError> {
        let rows: Vec<Row> = reading!(self, pool => {
            let mut query = sqlx::QueryBuilder::new(columns!("NULL"));
            query.push("WHERE state <> 'pending'");
            if let Some((at, id)) = before {
                query.push(" AND (moved_at, id) < (").push_bind(at.as_micros());
                query.push(", ").push_bind(id.as_uuid()).push(")");
            }
            query.push(" ORDER BY moved_at DESC, id DESC LIMIT ").push_bind(i64::from(limit));
            query.build_query_as().fetch_all(pool).await
        })
        .map_err(during(OPERATION))?;
        rows.into_iter().map(Approval::try_from).collect()
    }

    /// How many wait at `now`, and how many people decided since then.
    pub async fn approval_counts(
        &self,
        since: Timestamp,
        now: Timestamp,
    ) -> Result<ApprovalCounts, StoreError> {
        let (pending, decided) = reading!(self, pool => sqlx::query_as(
            "SELECT (SELECT COUNT(*) FROM approvals WHERE state = 'pending' AND expires_at > $1), \
             (SELECT COUNT(*) FROM approvals WHERE decided_at >= $2)",
        )
        .bind(now.as_micros())
        .bind(since.as_micros())
        .fetch_one(pool)
        .await)
        .map_err(during(OPERATION))?;
        Ok(ApprovalCounts { pending, decided })
    }

    /// The last one that a person approved for the same operation and submitter, but not `than` itself.
    pub async fn last_approved_like(
        &self,
        operation: &OperationId,
        submitter: &str,
        than: ApprovalId,
    ) -> Result<Option<Approval>, StoreError> {
        let row: Option<Row> = reading!(self, pool => sqlx::query_as(concat!(
            columns!("NULL"),
            "WHERE operation = $1 AND submitter_id = $2 AND decided_at IS NOT NULL \
             AND state IN ('approved', 'consumed') AND id <> $3 ORDER BY decided_at DESC LIMIT 1",
        ))
        .bind(operation.as_str())
        .bind(label(submitter).into_owned())
        .bind(than.as_uuid())
        .fetch_optional(pool)
        .await)
        .map_err(during(OPERATION))?;
        row.map(Approval::try_from).transpose()
    }

    /// What can still be decided or used, whether or not its time is over: at most `limit`, the next to expire first.
    pub async fn open_approvals(&self, limit: u32) -> Result<Vec<Approval>, StoreError> {
        let rows: Vec<Row> = reading!(self, pool => sqlx::query_as(concat!(
            columns!("NULL"),
            "WHERE state IN ('pending', 'approved') ORDER BY expires_at, id LIMIT $1",
        ))
        .bind(i64::from(limit))
        .fetch_all(pool)
        .await)
        .map_err(during(OPERATION))?;
        rows.into_iter().map(Approval::try_from).collect()
    }

    /// Puts a request into the queue, unless the identical one is there already or its submitter has `pending_max`
    /// waiting.
    pub async fn file_approval(
        &self,
        approval: &Approval,
        pending_max: u32,
    ) -> Result<FiledApproval, StoreError> {
        let now = approval.created_at;
        let fingerprint = fingerprint_of(approval);
        let mut transaction = self.inner.pools.begin_write(FILE).await?;
        if let Some(fingerprint) = fingerprint {
            expire_same(&mut transaction, fingerprint, now).await?;
            if let Some(known) = known(&mut transaction, fingerprint, now).await? {
                within!(&mut transaction, connection =>
                    sqlx::query("UPDATE approvals SET repeats = repeats + 1 WHERE id = $1")
                        .bind(known.id.as_uuid())
                        .execute(connection)
                        .await
                        .map(drop))
                .map_err(during(FILE))?;
                transaction.commit(FILE).await?;
                return Ok(FiledApproval::Known(Box::new(known)));
            }
        }
        let waiting: i64 = within!(&mut transaction, connection => sqlx::query_scalar(
            "SELECT COUNT(*) FROM approvals WHERE submitter_id = $1 AND state = 'pending' AND expires_at > $2",
        )
        .bind(label(&approval.submitter.id).into_owned())
        .bind(now.as_micros())
        .fetch_one(connection)
        .await)
        .map_err(during(FILE))?;
        if waiting >= i64::from(pending_max) {
            transaction.commit(FILE).await?;
            return Ok(FiledApproval::Full);
        }
        let filed = match (insert(&mut transaction, approval).await?, fingerprint) {
            (true, _) => FiledApproval::New,
            // Another node was faster.
            (false, Some(fingerprint)) => match known(&mut transaction, fingerprint, now).await? {
                Some(known) => FiledApproval::Known(Box::new(known)),
                None => return Err(exists_already(approval)),
            },
            (false, None) => return Err(exists_already(approval)),
        };
        transaction.commit(FILE).await?;
        Ok(filed)
    }

    /// Takes a step that is no decision: a request uses the approval, or its time is over. Says whether it took effect: it
    /// does not when another step was taken since `base_version`.
    pub async fn step_approval(&self, next: &Approval, base_version: u32) -> Result<bool, StoreError> {
        const STEP: &str = "take an approval's next step";
        let mut transaction = self.inner.pools.begin_write(STEP).await?;
        let updated = update(&mut transaction, next, base_version).await?;
        transaction.commit(STEP).await?;
        Ok(updated)
    }

    /// Counts that the identical request came again.
    pub async fn note_approval_repeats(&self, repeats: &[(ApprovalId, u32)]) -> Result<(), StoreError> {
        const NOTE: &str = "count repeated requests";
        if repeats.is_empty() {
            return Ok(());
        }
        let mut transaction = self.inner.pools.begin_write(NOTE).await?;
        for (id, count) in repeats {
            within!(&mut transaction, connection => sqlx::query(
                "UPDATE approvals SET repeats = repeats + $2 WHERE id = $1 \
                 AND state IN ('pending', 'approved', 'rejected')",
            )
            .bind(id.as_uuid())
            .bind(i64::from(*count))
            .execute(connection)
            .await
            .map(drop))
            .map_err(during(NOTE))?;
        }
        transaction.commit(NOTE).await
    }

    /// Forgets what rejected requests said, once that can no longer be taken back.
    pub async fn forget_rejected_requests(&self, decided_before: Timestamp) -> Result<u64, StoreError> {
        const FORGET: &str = "forget what rejected requests said";
        let mut transaction = self.inner.pools.begin_write(FORGET).await?;
        let forgotten = within!(&mut transaction, connection => sqlx::query(
            "UPDATE approvals SET shown = NULL WHERE state = 'rejected' AND shown IS NOT NULL AND decided_at <= $1",
        )
        .bind(decided_before.as_micros())
        .execute(connection)
        .await
        .map(|done| done.rows_affected()))
        .map_err(during(FORGET))?;
        transaction.commit(FORGET).await?;
        Ok(forgotten)
    }
}

/// Files an approval with its entry in the history.
pub(crate) async fn file(transaction: &mut Transaction, approval: &Approval) -> Result<(), StoreError> {
    if insert(transaction, approval).await? { Ok(()) } else { Err(exists_already(approval)) }
}

fn exists_already(approval: &Approval) -> StoreError {
    StoreError::AlreadyExists { kind: "approval", subject: approval.id.to_string() }
}

/// Writes a decision.
///
/// Errors: [`StoreError::Conflict`] when another step was taken since `base_version`.
pub(crate) async fn put(
    transaction: &mut Transaction,
    next: &Approval,
    base_version: u32,
) -> Result<(), StoreError> {
    if update(transaction, next, base_version).await? {
        return Ok(());
    }
    let subject = next.id.to_string();
    let current: Option<i64> = within!(transaction, connection =>
        sqlx::query_scalar("SELECT version FROM approvals WHERE id = $1")
            .bind(next.id.as_uuid())
            .fetch_optional(connection)
            .await)
    .map_err(during("read a version"))?;
    Err(match current {
        Some(current) => {
            let current_version = number("approvals.version", current)?;
            StoreError::Conflict { kind: "approval", subject, current_version }
        }
        None => StoreError::NotFound { kind: "approval", subject },
    })
}

async fn update(
    transaction: &mut Transaction,
    next: &Approval,
    base_version: u32,
) -> Result<bool, StoreError> {
    let ruling = next.ruling.as_ref();
    let ending = next.ending.as_ref();
    let updated = within!(transaction, connection => sqlx::query(
        "UPDATE approvals SET version = $1, state = $2, ruling = $3, decided_at = $4, ending = $5, request_id = $6, \
         moved_at = $7, shown = CASE WHEN $8 THEN shown END WHERE id = $9 AND version = $10",
    )
    .bind(i64::from(next.version))
    .bind(next.state.as_str())
    .bind(ruling.map(json).transpose()?)
    .bind(ruling.map(|ruling| ruling.at.as_micros()))
    .bind(ending.map(json).transpose()?)
    .bind(ending.and_then(|ending| ending.request).map(RequestId::as_uuid))
    .bind(next.moved_at().as_micros())
    .bind(next.state.is_open() || next.shown.is_some())
    .bind(next.id.as_uuid())
    .bind(i64::from(base_version))
    .execute(connection)
    .await
    .map(|done| done.rows_affected()))
    .map_err(during("store an approval"))?;
    Ok(updated > 0)
}

/// Says whether it was put in: it is not when the identical request waits already.
async fn insert(transaction: &mut Transaction, approval: &Approval) -> Result<bool, StoreError> {
    let operation = approval.request().ok().map(|request| request.terms.operation.as_str().to_owned());
    let inserted = within!(transaction, connection => sqlx::query(
        "INSERT INTO approvals (id, version, kind, state, risk, operation, fingerprint, subject, submitter_id, submitter, \
         shown, created_at, expires_at, moved_at, repeats) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $12, $14) ON CONFLICT DO NOTHING",
    )
    .bind(approval.id.as_uuid())
    .bind(i64::from(approval.version))
    .bind(approval.subject.as_str())
    .bind(approval.state.as_str())
    .bind(approval.risk.rank())
    .bind(operation)
    .bind(fingerprint_of(approval).map(|digest| digest.0.to_vec()))
    .bind(json(&approval.subject)?)
    .bind(label(&approval.submitter.id).into_owned())
    .bind(json(&approval.submitter)?)
    .bind(approval.shown.as_deref().map(|shown| clean(shown).into_owned()))
    .bind(approval.created_at.as_micros())
    .bind(approval.expires_at.as_micros())
    .bind(i64::from(approval.repeats))
    .execute(connection)
    .await
    .map(|done| done.rows_affected()))
    .map_err(during(FILE))?;
    Ok(inserted > 0)
}

/// Makes room for the identical request whose time is over, but that nobody has marked yet.
async fn expire_same(
    transaction: &mut Transaction,
    fingerprint: Digest,
    now: Timestamp,
) -> Result<(), StoreError> {
    let rows: Vec<Row> = within!(transaction, connection => sqlx::query_as(concat!(
        columns!("NULL"),
        "WHERE fingerprint = $1 AND state = 'pending' AND expires_at <= $2",
    ))
    .bind(fingerprint.0.to_vec())
    .bind(now.as_micros())
    .fetch_all(connection)
    .await)
    .map_err(during(FILE))?;
    for row in rows {
        let approval = Approval::try_from(row)?;
        if let Ok(expired) = approval.expire(now) {
            update(transaction, &expired, approval.version).await?;
        }
    }
    Ok(())
}

/// The answer, or the place in the queue, that the identical request has.
async fn known(
    transaction: &mut Transaction,
    fingerprint: Digest,
    now: Timestamp,
) -> Result<Option<Approval>, StoreError> {
    let row: Option<Row> = within!(transaction, connection => sqlx::query_as(concat!(
        columns!("NULL"),
        "WHERE fingerprint = $1 AND ((state IN ('pending', 'approved') AND expires_at > $2) \
         OR (state = 'rejected' AND decided_at > $3)) ORDER BY created_at DESC LIMIT 1",
    ))
    .bind(fingerprint.0.to_vec())
    .bind(now.as_micros())
    .bind(now.plus_micros(-REJECTION_HOLDS_US).as_micros())
    .fetch_optional(connection)
    .await)
    .map_err(during(FILE))?;
    row.map(Approval::try_from).transpose()
}

fn fingerprint_of(approval: &Approval) -> Option<Digest> {
    approval.request().ok().map(|request| request.terms.fingerprint())
}

impl TryFrom<Row> for Approval {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let risk = Risk::from_rank(row.risk);
        let subject: Subject = parsed("approvals.subject", &row.subject)?;
        let submitter: Submitter = parsed("approvals.submitter", &row.submitter)?;
        Ok(Self {
            id: ApprovalId::from_uuid(row.id),
            version: number("approvals.version", row.version)?,
            subject,
            submitter,
            risk: crate::values::present("approvals.risk", risk)?,
            created_at: Timestamp::from_micros(row.created_at),
            expires_at: Timestamp::from_micros(row.expires_at),
            state: word("approvals.state", &row.state, ApprovalState::from_word)?,
            ruling: row.ruling.as_ref().map(|ruling| parsed("approvals.ruling", ruling)).transpose()?,
            ending: row.ending.as_ref().map(|ending| parsed("approvals.ending", ending)).transpose()?,
            repeats: u32::try_from(row.repeats).unwrap_or(u32::MAX),
            shown: row.shown,
        })
    }
}
