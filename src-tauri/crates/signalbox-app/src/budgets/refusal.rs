//! "Why was I refused?"

use signalbox_core::budget::Shortfall;
use signalbox_core::ids::RequestId;

use crate::app::{App, Caller, Role};
use crate::dto;
use crate::error::AppError;

/// Which budget refused a request, what was left of it, what was needed, and who held the rest; `None` when no budget did.
///
/// Errors: no such request.
pub async fn refusal(
    app: &App,
    caller: &Caller,
    request: &str,
) -> Result<Option<dto::BudgetRefusal>, AppError> {
    caller.must_be(Role::Viewer)?;
    let not_found = || AppError::not_found("request", request);
    let id: RequestId = request.parse().map_err(|_| not_found())?;
    let store = &app.control().store;
    let record = store.request(id).await?.ok_or_else(not_found)?;
    let Some(shortfall) = record.start.refused_by else { return Ok(None) };
    let live = app.live().await?;
    let Shortfall { purse, name, action, measure, limit, needed, resets_at, holders, .. } = &*shortfall;
    let mut held_by = Vec::with_capacity(holders.len());
    for holder in holders {
        let Some(request) = store.request(holder.request).await? else { continue };
        held_by.push(dto::BudgetHold {
            request_id: holder.request.to_string(),
            operation: request.start.operation.to_string(),
            user: request.start.user,
            amount: holder.held.into(),
            since: request.start.started_at.into(),
        });
    }
    let is_there = live.snapshot.budgets.iter().any(|budget| budget.id == purse.budget);
    Ok(Some(dto::BudgetRefusal {
        request_id: id.to_string(),
        at: record.start.started_at.into(),
        budget_id: is_there.then(|| purse.budget.to_string()),
        budget_name: name.clone(),
        member: purse.member.to_string(),
        action: (*action).into(),
        measure: measure.as_str().to_owned(),
        limit: (*limit).into(),
        left: shortfall.left().into(),
        needed: (*needed).into(),
        resets_at: resets_at.map(Into::into),
        holders: held_by,
    }))
}
