//! Models that are left out because a bill was higher than their price allows.

use signalbox_core::breach::Breach;
use signalbox_core::change::ChangeKind;
use signalbox_core::snapshot::ModelEntry;
use signalbox_core::time::Timestamp;
use signalbox_store::ConfigWrite;

use super::{known, row};
use crate::app::{App, Caller, json};
use crate::dto;
use crate::error::AppError;
use crate::propose::{Plan, ProposedChange};

/// Lets a blocked model be used again at the price it has. Another price does that by itself.
///
/// Errors: an unknown model.
pub async fn unblock(
    app: &App,
    caller: &Caller,
    input: dto::UnblockInput,
) -> Result<dto::Proposed<dto::PriceRow>, AppError> {
    let name = input.target.clone();
    let outcome = app.propose(caller, &ProposedChange::Unblock(input)).await?;
    outcome.shown(async || row(app, &name).await).await
}

pub(crate) async fn plan(app: &App, input: &dto::UnblockInput) -> Result<Option<Plan>, AppError> {
    let live = app.live().await?;
    let (target, entry) = known(&live.snapshot, &input.target)?;
    let Some(breach) = entry.breach_at(app.now()) else { return Ok(None) };
    Ok(Some(Plan {
        kind: ChangeKind::ModelBlock,
        subject: target.to_string(),
        sentence: format!("{target} may be used again at the price it has"),
        before: Some(json(breach)?),
        after: None,
        writes: vec![ConfigWrite::PutBreach { target, breach: None }],
    }))
}

/// The block of a model, if it is in force.
pub(super) fn shown(entry: &ModelEntry, now: Timestamp) -> Option<dto::ModelBlock> {
    let Breach { at, request, bound, cost, .. } = *entry.breach_at(now)?;
    Some(dto::ModelBlock {
        since: at.into(),
        request_id: request.to_string(),
        bound: bound.into(),
        cost: cost.into(),
    })
}
