//! Changes that wait for another admin: filed in the queue, and applied exactly as they were proposed, once.

use signalbox_core::approval::{Approval, AskedChange, EXPIRES_S_USUAL, Subject, Submitter};
use signalbox_core::change::{Change, ChangeKind};
use signalbox_store::ConfigWrite;

use super::{Plan, ProposedChange};
use crate::app::{App, Caller, Role, json};
use crate::approvals::refused;
use crate::error::{AppError, Code};
use crate::{dto, impact};

impl App {
    /// Puts a change into the queue. Nothing of it is in force.
    pub(super) async fn file(
        &self,
        caller: &Caller,
        proposed: &ProposedChange,
        plan: Plan,
    ) -> Result<dto::FiledChange, AppError> {
        let impact = impact::of(self, &plan).await?;
        let monthly_impact = impact.as_ref().and_then(dto::CostImpact::amount);
        let asked = AskedChange {
            kind: plan.kind,
            subject: plan.subject,
            sentence: plan.sentence.clone(),
            proposed: json(proposed)?,
            before: plan.before,
            after: plan.after,
            impact: impact.map(|impact| json(&impact)).transpose()?,
            monthly_impact,
        };
        let submitter =
            Submitter { id: caller.id.clone(), name: caller.id.clone(), person: Some(caller.id.clone()) };
        let approval = Approval::of_change(asked, submitter, self.now(), EXPIRES_S_USUAL);
        let id = approval.id.to_string();
        let change = Change {
            after: Some(json(&approval.state)?),
            reason: proposed.reason(),
            approval: Some(approval.id),
            ..self.change(caller, ChangeKind::Approval, &id, format!("Asks for approval: {}", plan.sentence))
        };
        self.commit(vec![ConfigWrite::FileApproval { approval: Box::new(approval) }], change).await?;
        Ok(dto::FiledChange { approval: id, sentence: plan.sentence })
    }
}

/// Approves a change and makes it, in one transaction: it is in force and used up, or neither. Where the configuration is not
/// what it was proposed for any more, the approval has failed and says so.
///
/// Errors: [`Code::Conflict`] when somebody else decided it meanwhile; it is not pending, or the caller's own.
pub(crate) async fn approve(
    app: &App,
    caller: &Caller,
    approval: &Approval,
    reason: Option<String>,
) -> Result<Approval, AppError> {
    caller.must_be(Role::Admin)?;
    let Subject::Change(asked) = &approval.subject else {
        return Err(AppError::new(Code::Refused, "This approval is for a request, not for a change."));
    };
    let now = app.now();
    let approved = approval.approve(&caller.id, reason, None, 0, now).map_err(|fault| refused(&fault))?;
    let proposed: ProposedChange = serde_json::from_str(&asked.proposed)
        .map_err(|error| AppError::internal("read a proposed change", &error))?;
    let why_not = match planned(app, &proposed, asked).await {
        Ok(plan) => {
            let change = Change {
                before: plan.before,
                after: plan.after,
                reason: proposed.reason(),
                approval: Some(approval.id),
                ..app.change(
                    caller,
                    plan.kind,
                    &plan.subject,
                    format!(
                        "{}; {} proposed it, {} approved it",
                        asked.sentence, approval.submitter.name, caller.id
                    ),
                )
            };
            let applied = approved.apply(change.id, now).map_err(|fault| refused(&fault))?;
            let mut writes = plan.writes;
            writes.push(put(&applied, approval));
            match app.commit(writes, change).await {
                Ok(_) => return Ok(applied),
                // The approval or the thing itself was quicker; which of them, writing down the failure tells.
                Err(error) if error.code == Code::Conflict => error,
                Err(error) => return Err(error),
            }
        }
        Err(error) => error,
    };
    let failed = approved.fail(why_not.message.clone(), now).map_err(|fault| refused(&fault))?;
    let change = Change {
        after: Some(json(&failed.state)?),
        reason: Some(why_not.message.clone()),
        approval: Some(approval.id),
        ..app.change(
            caller,
            ChangeKind::Approval,
            &approval.id.to_string(),
            format!("Approved, but not made: {}", asked.sentence),
        )
    };
    app.commit(vec![put(&failed, approval)], change).await?;
    Ok(failed)
}

fn put(next: &Approval, read: &Approval) -> ConfigWrite {
    ConfigWrite::PutApproval { approval: Box::new(next.clone()), base_version: read.version }
}

/// What the proposal would write now, if it is still what was shown.
async fn planned(app: &App, proposed: &ProposedChange, asked: &AskedChange) -> Result<Plan, AppError> {
    let moved = || {
        AppError::new(
            Code::Conflict,
            format!(
                "{} has changed since this was proposed, so what was approved is no longer what would be made.",
                asked.subject
            ),
        )
    };
    let plan = proposed.plan(app).await?.ok_or_else(moved)?;
    if plan.before == asked.before { Ok(plan) } else { Err(moved()) }
}
