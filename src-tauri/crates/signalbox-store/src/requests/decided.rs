//! Recent requests with their decisions: what a draft of a route is tried on.

use std::ops::Range;

use signalbox_core::ids::OperationId;
use signalbox_core::ledger::RequestStart;
use signalbox_core::time::Timestamp;

use super::list::{self, COLUMNS};
use super::record::{DetailsRow, start_of};
use super::{RequestEnd, RequestSummary};
use crate::Store;
use crate::dialect::reading;
use crate::error::{StoreError, during};

/// A settled request as it was decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecidedRequest {
    /// As it was started, without its payload.
    pub start: RequestStart,
    /// How it ended.
    pub end: RequestEnd,
}

#[derive(sqlx::FromRow)]
struct Row {
    #[sqlx(flatten)]
    request: list::Row,
    #[sqlx(flatten)]
    details: DetailsRow,
}

impl Store {
    /// The latest settled requests of an operation within a span, newest first, at most `limit`.
    pub async fn decided_requests(
        &self,
        operation: &OperationId,
        span: Range<Timestamp>,
        limit: u32,
    ) -> Result<Vec<DecidedRequest>, StoreError> {
        let rows: Vec<Row> = reading!(self, pool => {
            let mut query = sqlx::QueryBuilder::new("SELECT ");
            query.push(COLUMNS).push(
                ", requested_model, tags, decision, holding, refused_by FROM requests JOIN request_details ON request_id = id \
                 WHERE settled_at IS NOT NULL AND operation = ",
            );
            query.push_bind(operation.as_str().to_owned());
            query.push(" AND started_at >= ").push_bind(span.start.as_micros());
            query.push(" AND started_at < ").push_bind(span.end.as_micros());
            query.push(" ORDER BY started_at DESC, id DESC LIMIT ").push_bind(i64::from(limit));
            query.build_query_as().fetch_all(pool).await
        })
        .map_err(during("read decided requests"))?;
        rows.into_iter()
            .filter_map(|row| match RequestSummary::try_from(row.request) {
                Ok(summary) => {
                    let end = summary.end.clone()?;
                    Some(start_of(&summary, &row.details).map(|start| DecidedRequest { start, end }))
                }
                Err(error) => Some(Err(error)),
            })
            .collect()
    }
}
