//! The list of requests: newest first, paged by the last row seen.

use signalbox_core::ids::{KeyId, ModelName, NodeId, OperationId, ProviderName, RequestId};
use signalbox_core::ledger::{CacheHit, Outcome, Surface};
use signalbox_core::meter::CostStatus;
use signalbox_core::money::NanoUsd;
use signalbox_core::route::Target;
use signalbox_core::time::Timestamp;
use sqlx::{Database, Encode, QueryBuilder, Type};
use uuid::Uuid;

use super::{RequestEnd, RequestFilter, RequestStatus, RequestSummary};
use crate::dialect::reading;
use crate::error::{StoreError, during};
use crate::values::{clean, label, number, present, valid, word};
use crate::{Backend, Store};

const OPERATION: &str = "list requests";

/// What a list row is made of.
pub(super) const COLUMNS: &str = "id, node_id, started_at, operation, surface, streamed, key_id, user_name, \
    config_revision, estimate_nano_usd, settled_at, outcome, provider, model, simulated, attempts, tokens_in, \
    tokens_out, cost_status, cost_nano_usd, latency_us, first_token_us, finish_reason, error_code, cache, saved_nano_usd";

#[derive(sqlx::FromRow)]
pub(crate) struct Row {
    pub(crate) id: Uuid,
    node_id: Uuid,
    pub(crate) started_at: i64,
    pub(crate) operation: String,
    surface: String,
    streamed: bool,
    key_id: Option<Uuid>,
    pub(crate) user_name: Option<String>,
    config_revision: i64,
    estimate_nano_usd: Option<i64>,
    settled_at: Option<i64>,
    outcome: Option<String>,
    provider: Option<String>,
    model: Option<String>,
    simulated: Option<bool>,
    attempts: Option<i64>,
    tokens_in: Option<i64>,
    tokens_out: Option<i64>,
    cost_status: Option<String>,
    cost_nano_usd: Option<i64>,
    latency_us: Option<i64>,
    first_token_us: Option<i64>,
    finish_reason: Option<String>,
    error_code: Option<String>,
    cache: Option<String>,
    saved_nano_usd: Option<i64>,
}

impl Store {
    /// A page of requests, newest first: those that started before `before`, at most `limit`.
    ///
    /// Requests that started in the same microsecond are in the order of their ids, so no row is skipped or repeated.
    /// A `before` that was never stored gives an empty page.
    pub async fn requests(
        &self,
        filter: &RequestFilter,
        before: Option<RequestId>,
        limit: u32,
    ) -> Result<Vec<RequestSummary>, StoreError> {
        let Ok(ids) = IdRange::of(filter.id_prefix.as_deref()) else { return Ok(Vec::new()) };
        let before = match before {
            Some(id) => match self.started_at(id).await? {
                Some(started_at) => Some((started_at, id)),
                None => return Ok(Vec::new()),
            },
            None => None,
        };
        let rows: Vec<Row> = reading!(self, pool =>
            page(self.backend(), filter, ids, before, limit).build_query_as().fetch_all(pool).await)
        .map_err(during(OPERATION))?;
        rows.into_iter().map(RequestSummary::try_from).collect()
    }

    async fn started_at(&self, id: RequestId) -> Result<Option<i64>, StoreError> {
        reading!(self, pool => sqlx::query_scalar("SELECT started_at FROM requests WHERE id = $1")
            .bind(id.as_uuid())
            .fetch_optional(pool)
            .await)
        .map_err(during(OPERATION))
    }
}

/// The query of a page.
///
/// The inner query finds the ids of the page, as far as possible in an index alone: every condition is one an index
/// begins with, and every index ends with what the page is ordered by. Only the page's own rows are then read.
fn page<DB>(
    backend: Backend,
    filter: &RequestFilter,
    ids: Option<IdRange>,
    before: Option<(i64, RequestId)>,
    limit: u32,
) -> QueryBuilder<DB>
where
    DB: Database,
    String: for<'q> Encode<'q, DB> + Type<DB>,
    i64: for<'q> Encode<'q, DB> + Type<DB>,
    bool: for<'q> Encode<'q, DB> + Type<DB>,
    Uuid: for<'q> Encode<'q, DB> + Type<DB>,
{
    let started_at = started_at_for(backend, filter, ids);
    let mut query = QueryBuilder::new("SELECT ");
    query.push(COLUMNS).push(" FROM requests WHERE id IN (SELECT id FROM requests WHERE ");
    // One upper bound only: given two, SQLite searches by the one and filters by the other.
    match (before, filter.to.map(Timestamp::as_micros)) {
        (Some((before, id)), to) if to.is_none_or(|to| before < to) => {
            query.push("(").push(started_at).push(", id) < (");
            query.push_bind(before).push(", ").push_bind(id.as_uuid()).push(")");
        }
        (_, to) => {
            query.push(started_at).push(" < ").push_bind(to.unwrap_or(i64::MAX));
        }
    }
    if let Some(from) = filter.from {
        query.push(" AND ").push(started_at).push(" >= ").push_bind(from.as_micros());
    }
    if let Some(ids) = ids {
        query.push(" AND id >= ").push_bind(ids.first).push(" AND id <= ").push_bind(ids.last);
    }
    if let Some(operation) = &filter.operation {
        query.push(" AND operation = ").push_bind(clean(operation).into_owned());
    }
    if let Some(provider) = &filter.provider {
        query.push(" AND provider = ").push_bind(clean(provider).into_owned());
    }
    match filter.model.as_deref().map(|model| (model, model.strip_suffix('*'))) {
        Some((_, Some(prefix))) => push_prefix(&mut query, prefix),
        Some((model, None)) => {
            query.push(" AND model = ").push_bind(clean(model).into_owned());
        }
        None => {}
    }
    match filter.status {
        Some(RequestStatus::InFlight) => {
            query.push(" AND settled_at IS NULL");
        }
        Some(RequestStatus::Ended(outcome)) => {
            query.push(" AND outcome = ").push_bind(outcome.as_str().to_owned());
            if outcome != Outcome::Succeeded {
                // Said again as the index of unusual outcomes says it, or the planner does not see that it covers this.
                query.push(" AND outcome <> 'succeeded'");
            }
        }
        None => {}
    }
    if let Some(status) = filter.cost_status {
        query.push(" AND cost_status = ").push_bind(status.as_str().to_owned());
        if status != CostStatus::Exact {
            query.push(" AND cost_status <> 'exact'");
        }
    }
    if let Some(key) = filter.key {
        query.push(" AND key_id = ").push_bind(key.as_uuid());
    }
    if let Some(user) = &filter.user {
        query.push(" AND user_name = ").push_bind(label(user).into_owned());
    }
    if let Some(simulated) = filter.simulated {
        query.push(" AND simulated = ").push_bind(simulated);
    }
    if let Some(cost) = filter.cost_min {
        query.push(" AND cost_nano_usd >= ").push_bind(cost.as_nanos());
    }
    query.push(" ORDER BY ").push(started_at).push(" DESC, id DESC LIMIT ").push_bind(i64::from(limit));
    query.push(") ORDER BY started_at DESC, id DESC");
    query
}

/// The name of the start in a page's conditions.
///
/// `SQLite` does not know how many rows a range has and prefers the index that is already in the page's order, which for
/// a rare cost or an id reads the whole ledger. A plus sign takes that index out of its choice.
fn started_at_for(backend: Backend, filter: &RequestFilter, ids: Option<IdRange>) -> &'static str {
    let has_equal = filter.operation.is_some()
        || filter.provider.is_some()
        || filter.model.as_deref().is_some_and(|model| !model.ends_with('*'))
        || filter.key.is_some()
        || filter.user.is_some()
        || filter.status.is_some_and(|status| status != RequestStatus::Ended(Outcome::Succeeded));
    match backend {
        Backend::Sqlite if ids.is_some() || (filter.cost_min.is_some() && !has_equal) => "+started_at",
        Backend::Sqlite | Backend::Postgres => "started_at",
    }
}

/// Models that begin with `prefix`, as a range: no pattern to escape, and an index can serve it. Model names are ASCII,
/// so every continuation sorts before the prefix followed by the largest character.
fn push_prefix<DB>(query: &mut QueryBuilder<DB>, prefix: &str)
where
    DB: Database,
    String: for<'q> Encode<'q, DB> + Type<DB>,
{
    let first = clean(prefix).into_owned();
    let after_last = first.clone() + "\u{10ffff}";
    query.push(" AND model >= ").push_bind(first).push(" AND model < ").push_bind(after_last);
}

/// Ids that begin with given digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct IdRange {
    first: Uuid,
    last: Uuid,
}

/// No id begins like that.
#[derive(Debug, PartialEq, Eq)]
struct NoSuchId;

impl IdRange {
    /// `None`: every id.
    fn of(prefix: Option<&str>) -> Result<Option<Self>, NoSuchId> {
        const DIGITS: usize = 32;
        let Some(prefix) = prefix else { return Ok(None) };
        let text = prefix.trim();
        let text = text.strip_prefix(RequestId::PREFIX).unwrap_or(text);
        let digits: String = text.chars().filter(|character| *character != '-').collect();
        if digits.is_empty() {
            // Not even one digit: `req_` and its beginnings fit every id.
            return Ok(None);
        }
        if digits.len() > DIGITS || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return if RequestId::PREFIX.starts_with(text) { Ok(None) } else { Err(NoSuchId) };
        }
        let filled = |with: char| {
            let rest = std::iter::repeat_n(with, DIGITS - digits.len());
            Uuid::try_parse(&digits.chars().chain(rest).collect::<String>()).map_err(|_| NoSuchId)
        };
        Ok(Some(Self { first: filled('0')?, last: filled('f')? }))
    }
}

impl TryFrom<Row> for RequestSummary {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let end = row.settled_at.map(|settled_at| end_of(&row, settled_at)).transpose()?;
        Ok(Self {
            id: RequestId::from_uuid(row.id),
            node: NodeId::from_uuid(row.node_id),
            started_at: Timestamp::from_micros(row.started_at),
            operation: valid("requests.operation", OperationId::new(&row.operation))?,
            surface: word("requests.surface", &row.surface, Surface::from_word)?,
            streamed: row.streamed,
            key: row.key_id.map(KeyId::from_uuid),
            user: row.user_name,
            config_revision: row.config_revision,
            estimate: row.estimate_nano_usd.map(NanoUsd::from_nanos),
            end,
        })
    }
}

/// The request whose answer it was given, when it came from the cache.
fn cache_of(row: &Row) -> Result<Option<CacheHit>, StoreError> {
    let Some(of) = &row.cache else { return Ok(None) };
    let of = valid("requests.cache", of.parse())?;
    Ok(Some(CacheHit { of, saved: row.saved_nano_usd.map(NanoUsd::from_nanos) }))
}

fn end_of(row: &Row, settled_at: i64) -> Result<RequestEnd, StoreError> {
    let outcome = present("requests.outcome", row.outcome.as_deref())?;
    let cost_status = present("requests.cost_status", row.cost_status.as_deref())?;
    let target = match (&row.provider, &row.model) {
        (Some(provider), Some(model)) => Some(Target {
            provider: valid("requests.provider", ProviderName::new(provider))?,
            model: valid("requests.model", ModelName::new(model))?,
        }),
        _ => None,
    };
    Ok(RequestEnd {
        finished_at: Timestamp::from_micros(settled_at),
        outcome: word("requests.outcome", outcome, Outcome::from_word)?,
        target,
        simulated: present("requests.simulated", row.simulated)?,
        attempts: number("requests.attempts", present("requests.attempts", row.attempts)?)?,
        tokens_in: present("requests.tokens_in", row.tokens_in)?,
        tokens_out: present("requests.tokens_out", row.tokens_out)?,
        cost_status: word("requests.cost_status", cost_status, CostStatus::from_word)?,
        cost: row.cost_nano_usd.map(NanoUsd::from_nanos),
        latency_us: present("requests.latency_us", row.latency_us)?,
        first_token_us: row.first_token_us,
        finish_reason: row.finish_reason.clone(),
        error_code: row.error_code.clone(),
        cache: cache_of(row)?,
    })
}

#[cfg(test)]
mod tests;
