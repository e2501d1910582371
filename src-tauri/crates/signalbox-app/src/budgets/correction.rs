//! Corrections of what counts as spent. They move money, so they go the way of all such changes.

use serde::Serialize;
use signalbox_core::budget::Member;
use signalbox_core::change::ChangeKind;
use signalbox_core::money::NanoUsd;
use signalbox_store::ConfigWrite;

use super::books::Books;
use super::{draft, show};
use crate::app::{App, Caller, json, reason};
use crate::dto;
use crate::error::AppError;
use crate::propose::{Plan, ProposedChange};

/// Longest reason. Units: characters.
const REASON_CHARS_MAX: usize = 500;

/// How much a purse is corrected by, as the history keeps it. What was spent is not part of it: that moves with every
/// request, and who approves a correction approves the correction.
#[derive(Serialize)]
struct Corrected<'a> {
    #[serde(skip_serializing_if = "Member::is_everyone")]
    member: &'a Member,
    period_from: dto::Instant,
    corrected_by: dto::Money,
}

/// Corrects what counts as spent in the running period of a purse, e.g. for a request that was interrupted and never cost
/// anything. The ledger's rows stay as they are.
///
/// Errors: no such budget or member, no reason, an amount of 0, or more given back than is spent.
pub async fn adjust(
    app: &App,
    caller: &Caller,
    input: dto::BudgetAdjustInput,
) -> Result<dto::Proposed<dto::BudgetDetail>, AppError> {
    let (id, member) = (input.id.clone(), input.member.clone());
    let proposed = app.propose(caller, &ProposedChange::BudgetCorrection(input)).await?;
    proposed.shown(async || show(app, caller, &id, &member).await).await
}

/// What a correction would write.
pub(crate) async fn plan(app: &App, input: &dto::BudgetAdjustInput) -> Result<Plan, AppError> {
    let books = Books::read(app).await?;
    let budget = books.budget(&input.id)?;
    let amount = draft::money("amount", &input.amount)?;
    if reason(Some(input.reason.clone())).is_none_or(|why| why.chars().count() > REASON_CHARS_MAX) {
        let message = format!("Say why, in at most {REASON_CHARS_MAX} characters; the history keeps it.");
        return Err(AppError::invalid("reason", message));
    }
    let member = Member::named(&input.member);
    let purse = books
        .of(budget.id)
        .find(|standing| standing.key.member == member)
        .ok_or_else(|| AppError::not_found("purse of this period for", &input.member))?;
    let spent = purse.spent();
    let after = spent.saturating_add(amount);
    if amount == NanoUsd::ZERO {
        return Err(AppError::invalid("amount", "A correction of nothing changes nothing."));
    }
    if after < NanoUsd::ZERO {
        let message = format!("Only {} is spent, so no more can be given back.", spent.in_dollars());
        return Err(AppError::invalid("amount", message));
    }
    let whose =
        if member.is_everyone() { budget.name.clone() } else { format!("{} ({member})", budget.name) };
    let corrected = |by: NanoUsd| {
        let period_from = purse.key.start.into();
        json(&Corrected { member: &member, period_from, corrected_by: by.into() }).map(Some)
    };
    Ok(Plan {
        kind: ChangeKind::Budget,
        subject: budget.name.clone(),
        sentence: format!(
            "What {whose} has spent is corrected from {} to {}",
            spent.in_dollars(),
            after.in_dollars()
        ),
        before: corrected(purse.adjusted)?,
        after: corrected(purse.adjusted.saturating_add(amount))?,
        writes: vec![ConfigWrite::AdjustBudget { purse: purse.key.clone(), amount }],
    })
}
