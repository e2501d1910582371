//! `approvals`: list, show, approve, reject, withdraw, and when an operation needs them.

use signalbox_app::dto::{
    ApprovalDetail, ApprovalList, ApprovalPolicy, ApprovalRow, ApproveInput, BudgetEffect, Counter, Money,
    RejectInput, RouteDraft, WithdrawInput,
};
use signalbox_app::{approvals, operations};
use signalbox_core::money::NanoUsd;

use super::{Desk, routes};
use crate::cli::{Approvals, Policy};
use crate::failure::{Exit, Failure};
use crate::output::{Table, or_dash, print, print_json, usd, word};

pub async fn run(desk: Desk, command: Approvals) -> Result<Exit, Failure> {
    match command {
        Approvals::List { decided, limit, json } => list(&desk, decided, limit, json).await,
        Approvals::Show { id, form } => show(&desk, &id, form.json).await,
        Approvals::Approve { id, target, reason } => {
            let hash = approvals::show(&desk.app, &desk.caller, &id).await?.row.hash;
            let input = ApproveInput { id, hash, target, reason };
            told("Approved", &approvals::approve(&desk.app, &desk.caller, input).await?)
        }
        Approvals::Reject { id, reason } => {
            let hash = approvals::show(&desk.app, &desk.caller, &id).await?.row.hash;
            let input = RejectInput { id, hash, reason };
            told("Rejected", &approvals::reject(&desk.app, &desk.caller, input).await?)
        }
        Approvals::Withdraw { id, reason } => {
            let input = WithdrawInput { id, reason };
            told("Withdrawn", &approvals::withdraw(&desk.app, &desk.caller, input).await?)
        }
        Approvals::Policy(policy) => set_policy(&desk, policy).await,
    }
}

fn told(what: &str, row: &ApprovalRow) -> Result<Exit, Failure> {
    print(&format!("{what}: {} ({}).", row.sentence, row.id))?;
    Ok(Exit::Ok)
}

async fn list(desk: &Desk, decided: bool, limit: u32, json: bool) -> Result<Exit, Failure> {
    let list = if decided { ApprovalList::Decided } else { ApprovalList::Pending };
    let page = approvals::page(&desk.app, &desk.caller, list, None, limit).await?;
    if json {
        print_json(&page.rows)?;
        return Ok(Exit::Ok);
    }
    if page.rows.is_empty() {
        let nothing = if decided { "Nothing has been decided yet." } else { "No pending approvals." };
        print(nothing)?;
        return Ok(Exit::Ok);
    }
    let mut table =
        Table::new(&["RISK", "ASKED", "WHAT", "TARGET", ">AT MOST", "STATE", "UNTIL", "BY", "ID"]);
    for row in page.rows {
        table.row([
            word(&row.risk),
            row.created_at.0,
            row.sentence,
            or_dash(row.decided_target.or(row.target)),
            usd(row.max_cost.as_ref()),
            word(&row.state),
            row.expires_at.0,
            or_dash(row.decided_by),
            row.id,
        ]);
    }
    print(&table.text())?;
    Ok(Exit::Ok)
}

async fn show(desk: &Desk, id: &str, json: bool) -> Result<Exit, Failure> {
    let detail = approvals::show(&desk.app, &desk.caller, id).await?;
    if json {
        print_json(&detail)?;
    } else {
        print(&in_words(&detail))?;
    }
    Ok(Exit::Ok)
}

fn in_words(detail: &ApprovalDetail) -> String {
    let row = &detail.row;
    let mut lines = vec![
        row.sentence.clone(),
        format!("state       {}", word(&row.state)),
        format!("risk        {}", word(&row.risk)),
        format!("asked       {} by {}, {}", row.created_at.0, row.submitter, row.origin),
        format!("expires     {}", row.expires_at.0),
        format!("at most     {}", usd(row.max_cost.as_ref())),
        format!("hash        {}", row.hash),
    ];
    if !detail.targets.is_empty() {
        lines.push(format!("targets     {}", detail.targets.join(", ")));
    }
    if let Some(by) = &row.decided_by {
        let why = row.reason.as_ref().map_or_else(String::new, |reason| format!(": {reason}"));
        lines.push(format!("decided     by {by}{why}"));
    }
    if row.repeats > 0 {
        lines.push(format!("sent again  {} times", row.repeats));
    }
    lines.extend(detail.reasons.iter().map(|reason| format!("why         {reason}")));
    lines.extend(detail.budgets.iter().map(|effect| format!("budget      {}", effect_in_words(effect))));
    if let Some(previous) = &detail.previous {
        let changed: Vec<String> = previous
            .differences
            .iter()
            .map(|one| {
                format!("{} {} → {}", one.name, or_dash(one.before.clone()), or_dash(one.after.clone()))
            })
            .collect();
        let changed = if changed.is_empty() { "nothing differs".to_owned() } else { changed.join("; ") };
        lines.push(format!("last like it {} by {}: {changed}", previous.decided_at.0, previous.decided_by));
    }
    if let Some(change) = &detail.change {
        lines.extend(change.before.iter().map(|before| format!("before      {}", before.0)));
        lines.extend(change.after.iter().map(|after| format!("after       {}", after.0)));
    }
    lines.extend(detail.shown.iter().map(|shown| format!("\n{shown}")));
    lines.join("\n")
}

/// E.g. `Team: $4.10 of $5 now, at most $4.90 with it`.
fn effect_in_words(effect: &BudgetEffect) -> String {
    let amount = |count: &Counter| match effect.measure.as_str() {
        "cost" => usd(Some(&Money(count.0.clone()))),
        measure => format!("{} {measure}", count.0),
    };
    let whose = if effect.member.is_empty() { String::new() } else { format!(" of {}", effect.member) };
    let (now, limit) = (amount(&effect.before), amount(&effect.limit));
    let after = effect.after.as_ref().map_or_else(
        || "nobody knows how much with it".to_owned(),
        |after| format!("at most {} with it", amount(after)),
    );
    let passes = if effect.passes { ": it would pass the limit" } else { "" };
    format!("{}{whose}: {now} of {limit} now, {after}{passes}", effect.name)
}

async fn set_policy(desk: &Desk, given: Policy) -> Result<Exit, Failure> {
    let operation = operations::find(&desk.app, &desk.caller, &given.operation).await?;
    let approval = if given.off { None } else { Some(policy(&given)?) };
    let draft = RouteDraft { approval, reason: given.reason, ..operation.draft() };
    routes::apply(desk, operation.enabled, draft).await
}

fn policy(given: &Policy) -> Result<ApprovalPolicy, Failure> {
    let usage = |message: String| Failure::new(Exit::Usage, message);
    let above = given.above.as_deref().map(NanoUsd::parse_usd).transpose();
    let above = above.map_err(|error| usage(format!("--above: {error}.")))?;
    if !given.always && above.is_none() && !given.budget_warned && given.rule.is_none() {
        return Err(usage("Say when: --always, --above, --budget-warned, --rule, or --off.".to_owned()));
    }
    Ok(ApprovalPolicy {
        always: given.always,
        above: above.map(|amount| Money(amount.as_nanos().to_string())),
        budget_warned: given.budget_warned,
        rule: given.rule.clone(),
        hold_s: given.hold,
        expires_s: given.expires,
    })
}
