//! The change history: append-only and hash-chained.

use futures::TryStreamExt;
use signalbox_core::change::{ChainVerifier, ChainedChange, Change, ChangeKind, GENESIS};
use signalbox_core::ids::{ApprovalId, ChangeId};
use signalbox_core::time::Timestamp;
use sqlx::{Database, Encode, FromRow, QueryBuilder, Row as _, Type};
use uuid::Uuid;

use crate::Store;
use crate::dialect::{reading, within};
use crate::error::{StoreError, during};
use crate::pools::Transaction;
use crate::values::{clean, hash, label, word};

/// All set conditions must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChangeFilter {
    /// What kind of thing was changed.
    pub kind: Option<ChangeKind>,
    /// Which one.
    pub subject: Option<String>,
    /// By whom.
    pub actor: Option<String>,
    /// From this instant on.
    pub from: Option<Timestamp>,
    /// Before this instant.
    pub to: Option<Timestamp>,
    /// A part of the sentence, the reason or the subject, whatever its case.
    pub text: Option<String>,
}

/// Adds the conditions of a filter to a query that has one already.
fn push_filter<DB>(query: &mut QueryBuilder<DB>, filter: &ChangeFilter)
where
    DB: Database,
    String: for<'q> Encode<'q, DB> + Type<DB>,
    i64: for<'q> Encode<'q, DB> + Type<DB>,
{
    if let Some(kind) = filter.kind {
        query.push(" AND kind = ").push_bind(kind.as_str().to_owned());
    }
    if let Some(subject) = &filter.subject {
        query.push(" AND subject = ").push_bind(label(subject).into_owned());
    }
    if let Some(actor) = &filter.actor {
        query.push(" AND actor = ").push_bind(label(actor).into_owned());
    }
    if let Some(from) = filter.from {
        query.push(" AND at >= ").push_bind(from.as_micros());
    }
    if let Some(to) = filter.to {
        query.push(" AND at < ").push_bind(to.as_micros());
    }
    if let Some(text) = &filter.text {
        let part = containing(text);
        query.push(" AND (LOWER(sentence) LIKE ").push_bind(part.clone());
        query.push(" ESCAPE '!' OR LOWER(subject) LIKE ").push_bind(part.clone());
        query.push(" ESCAPE '!' OR LOWER(COALESCE(reason, '')) LIKE ").push_bind(part).push(" ESCAPE '!')");
    }
}

/// A pattern for every text that has this one in it. `SQLite` knows the cases of ASCII letters only.
fn containing(text: &str) -> String {
    let mut pattern = String::from("%");
    for letter in clean(text).to_ascii_lowercase().chars() {
        if matches!(letter, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.push(letter);
    }
    pattern.push('%');
    pattern
}

#[derive(sqlx::FromRow)]
struct Row {
    seq: i64,
    id: Uuid,
    at: i64,
    actor: String,
    source: String,
    kind: String,
    subject: String,
    sentence: String,
    before_json: Option<String>,
    after_json: Option<String>,
    reason: Option<String>,
    approval_id: Option<Uuid>,
    prev_hash: Vec<u8>,
    hash: Vec<u8>,
}

impl TryFrom<Row> for ChainedChange {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            seq: row.seq,
            change: Change {
                id: ChangeId::from_uuid(row.id),
                at: Timestamp::from_micros(row.at),
                actor: row.actor,
                source: row.source,
                kind: word("changes.kind", &row.kind, ChangeKind::from_word)?,
                subject: row.subject,
                sentence: row.sentence,
                before: row.before_json,
                after: row.after_json,
                reason: row.reason,
                approval: row.approval_id.map(ApprovalId::from_uuid),
            },
            prev_hash: hash("changes.prev_hash", &row.prev_hash)?,
            hash: hash("changes.hash", &row.hash)?,
        })
    }
}

impl Store {
    /// A page of the history, newest first, older than `before_seq`.
    pub async fn changes(
        &self,
        filter: &ChangeFilter,
        before_seq: Option<i64>,
        limit: u32,
    ) -> Result<Vec<ChainedChange>, StoreError> {
        let rows: Vec<Row> = reading!(self, pool => {
            let mut query = QueryBuilder::new("SELECT * FROM changes WHERE seq < ");
            query.push_bind(before_seq.unwrap_or(i64::MAX));
            push_filter(&mut query, filter);
            query.push(" ORDER BY seq DESC LIMIT ").push_bind(i64::from(limit));
            query.build_query_as().fetch_all(pool).await
        })
        .map_err(during("read the history"))?;
        rows.into_iter().map(ChainedChange::try_from).collect()
    }

    /// How many entries pass a filter.
    pub async fn count_changes(&self, filter: &ChangeFilter) -> Result<i64, StoreError> {
        reading!(self, pool => {
            let mut query = QueryBuilder::new("SELECT COUNT(*) FROM changes WHERE seq > 0");
            push_filter(&mut query, filter);
            query.build_query_scalar().fetch_one(pool).await
        })
        .map_err(during("read the history"))
    }

    /// The entries after `seq`, oldest first, at most `limit`.
    pub async fn changes_after(&self, seq: i64, limit: u32) -> Result<Vec<ChainedChange>, StoreError> {
        let rows: Vec<Row> = reading!(self, pool => sqlx::query_as(
            "SELECT * FROM changes WHERE seq > $1 ORDER BY seq LIMIT $2",
        )
        .bind(seq)
        .bind(i64::from(limit))
        .fetch_all(pool)
        .await)
        .map_err(during("read the history"))?;
        rows.into_iter().map(ChainedChange::try_from).collect()
    }

    /// One entry of the history.
    pub async fn change(&self, seq: i64) -> Result<Option<ChainedChange>, StoreError> {
        let row: Option<Row> = reading!(self, pool => sqlx::query_as("SELECT * FROM changes WHERE seq = $1")
            .bind(seq)
            .fetch_optional(pool)
            .await)
        .map_err(during("read the history"))?;
        row.map(ChainedChange::try_from).transpose()
    }

    /// Walks the whole history; memory stays constant however long it is. An entry that cannot even be read does not fit.
    pub async fn verify_chain(&self) -> Result<ChainVerifier, StoreError> {
        let mut verifier = ChainVerifier::default();
        reading!(self, pool => {
            let mut rows = sqlx::query("SELECT * FROM changes ORDER BY seq").fetch(pool);
            while let Some(row) = rows.try_next().await.map_err(during("check the history"))? {
                let seq: i64 = row.try_get("seq").map_err(during("check the history"))?;
                match Row::from_row(&row).ok().and_then(|row| ChainedChange::try_from(row).ok()) {
                    Some(entry) => verifier.check(&entry),
                    None => verifier.unreadable(seq),
                }
            }
        });
        Ok(verifier)
    }
}

/// Puts changes at the end of the chain. The caller's transaction already excludes other writers.
pub(crate) async fn append(
    transaction: &mut Transaction,
    changes: Vec<Change>,
) -> Result<Vec<ChainedChange>, StoreError> {
    const OPERATION: &str = "write the history";
    let last: Option<(i64, Vec<u8>)> = within!(transaction, connection =>
        sqlx::query_as("SELECT seq, hash FROM changes ORDER BY seq DESC LIMIT 1").fetch_optional(connection).await)
    .map_err(during(OPERATION))?;
    let (mut seq, mut prev_hash) = match last {
        Some((seq, stored)) => (seq, hash("changes.hash", &stored)?),
        None => (0, GENESIS),
    };
    let mut chained = Vec::with_capacity(changes.len());
    for change in changes {
        seq += 1;
        let entry = ChainedChange::after(seq, prev_hash, storable(change));
        prev_hash = entry.hash;
        insert(transaction, &entry).await.map_err(during(OPERATION))?;
        chained.push(entry);
    }
    Ok(chained)
}

/// The change as it will be read back: what is hashed must be what is stored.
fn storable(change: Change) -> Change {
    let cleaned = |text: Option<String>| text.map(|text| clean(&text).into_owned());
    Change {
        actor: label(&change.actor).into_owned(),
        source: clean(&change.source).into_owned(),
        subject: label(&change.subject).into_owned(),
        sentence: clean(&change.sentence).into_owned(),
        before: cleaned(change.before),
        after: cleaned(change.after),
        reason: cleaned(change.reason),
        ..change
    }
}

async fn insert(transaction: &mut Transaction, entry: &ChainedChange) -> Result<(), sqlx::Error> {
    let change = &entry.change;
    within!(transaction, connection => sqlx::query(
        "INSERT INTO changes (seq, id, at, actor, source, kind, subject, sentence, before_json, after_json, reason, \
         approval_id, prev_hash, hash) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
    )
    .bind(entry.seq)
    .bind(change.id.as_uuid())
    .bind(change.at.as_micros())
    .bind(&change.actor)
    .bind(&change.source)
    .bind(change.kind.as_str())
    .bind(&change.subject)
    .bind(&change.sentence)
    .bind(change.before.as_deref())
    .bind(change.after.as_deref())
    .bind(change.reason.as_deref())
    .bind(change.approval.map(ApprovalId::as_uuid))
    .bind(entry.prev_hash.to_vec())
    .bind(entry.hash.to_vec())
    .execute(connection)
    .await
    .map(drop))
}
