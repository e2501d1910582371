//! Failovers: each step from a target that failed to the next one, written with its request's settlement.

use signalbox_core::failure::FailureKind;
use signalbox_core::ids::{ModelName, OperationId, ProviderName, RequestId};
use signalbox_core::route::Target;
use signalbox_core::time::Timestamp;
use uuid::Uuid;

use crate::Store;
use crate::dialect::reading;
use crate::error::{StoreError, during};
use crate::values::{number, valid, word};

/// One step along a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failover {
    /// Of which request.
    pub request: RequestId,
    /// Number of the attempt that failed, from 1.
    pub ordinal: u32,
    /// When the next target was called.
    pub at: Timestamp,
    /// For which operation.
    pub operation: OperationId,
    /// Who failed.
    pub from: Target,
    /// Who was tried next.
    pub to: Target,
    /// Why it failed.
    pub reason: FailureKind,
    /// Our own time between the two calls. Units: microseconds.
    pub hop_us: i64,
}

/// All set conditions must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FailoverFilter {
    /// For which operation.
    pub operation: Option<OperationId>,
    /// Whose target failed.
    pub from_provider: Option<ProviderName>,
    /// Which of its models.
    pub from_model: Option<ModelName>,
    /// At or after.
    pub since: Option<Timestamp>,
}

/// Where a page of failovers ends.
pub type FailoverPlace = (Timestamp, RequestId, u32);

#[derive(sqlx::FromRow)]
struct Row {
    request_id: Uuid,
    ordinal: i64,
    at: i64,
    operation: String,
    from_provider: String,
    from_model: String,
    to_provider: String,
    to_model: String,
    reason: String,
    hop_us: i64,
}

impl Store {
    /// A page of failovers, newest first: those older than `before`, at most `limit`.
    pub async fn failovers(
        &self,
        filter: &FailoverFilter,
        before: Option<FailoverPlace>,
        limit: u32,
    ) -> Result<Vec<Failover>, StoreError> {
        let rows: Vec<Row> = reading!(self, pool => {
            let mut query = sqlx::QueryBuilder::new(
                "SELECT request_id, ordinal, at, operation, from_provider, from_model, to_provider, to_model, reason, \
                 hop_us FROM failovers WHERE at >= ",
            );
            query.push_bind(filter.since.map_or(i64::MIN, Timestamp::as_micros));
            if let Some(operation) = &filter.operation {
                query.push(" AND operation = ").push_bind(operation.as_str().to_owned());
            }
            if let Some(provider) = &filter.from_provider {
                query.push(" AND from_provider = ").push_bind(provider.as_str().to_owned());
            }
            if let Some(model) = &filter.from_model {
                query.push(" AND from_model = ").push_bind(model.as_str().to_owned());
            }
            if let Some((at, request, ordinal)) = before {
                query.push(" AND (at, request_id, ordinal) < (").push_bind(at.as_micros());
                query.push(", ").push_bind(request.as_uuid());
                query.push(", ").push_bind(i64::from(ordinal)).push(")");
            }
            query.push(" ORDER BY at DESC, request_id DESC, ordinal DESC LIMIT ").push_bind(i64::from(limit));
            query.build_query_as().fetch_all(pool).await
        })
        .map_err(during("read failovers"))?;
        rows.into_iter().map(Failover::try_from).collect()
    }
}

impl TryFrom<Row> for Failover {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let target = |provider: &str, model: &str| -> Result<Target, StoreError> {
            Ok(Target {
                provider: valid("failovers.provider", ProviderName::new(provider))?,
                model: valid("failovers.model", ModelName::new(model))?,
            })
        };
        Ok(Self {
            request: RequestId::from_uuid(row.request_id),
            ordinal: number("failovers.ordinal", row.ordinal)?,
            at: Timestamp::from_micros(row.at),
            operation: valid("failovers.operation", OperationId::new(&row.operation))?,
            from: target(&row.from_provider, &row.from_model)?,
            to: target(&row.to_provider, &row.to_model)?,
            reason: word("failovers.reason", &row.reason, FailureKind::from_word)?,
            hop_us: row.hop_us,
        })
    }
}
