//! `budgets`: list, show, set, remove, adjust, why, history.

use signalbox_app::budgets;
use signalbox_app::dto::{
    Budget, BudgetAction, BudgetAdjustInput, BudgetDetail, BudgetDraft, BudgetLimits, BudgetPeriod,
    BudgetPurse, BudgetRemoval, BudgetScope, BudgetScopeKind, BudgetThreshold, Counter, Money,
    SpendHistoryQuery, SpendSplit, ThresholdSeverity,
};
use signalbox_core::budget::OVERRUN_PERCENT_USUAL;

use super::Desk;
use crate::cli::budgets::{Action, Budgets, Period, Split};
use crate::failure::{Exit, Failure};
use crate::input::dollars;
use crate::output::{Table, or_dash, print, print_json, tell_asked, usd, word};

/// Shares that a new budget tells of. Units: percent.
const WARN_USUAL: [u32; 3] = [50, 80, 100];
/// From this share on a warning is critical. Units: percent.
const CRITICAL_FROM: u32 = 100;

pub async fn run(desk: Desk, command: Budgets) -> Result<Exit, Failure> {
    match command {
        Budgets::List(form) => list(&desk, form.json).await,
        Budgets::Show { budget, member, json } => {
            let id = find(&desk, &budget).await?.id;
            let member = member.unwrap_or_default();
            let detail = budgets::show(&desk.app, &desk.caller, &id, &member).await?;
            shown(&detail, json)?;
            Ok(Exit::Ok)
        }
        Budgets::Set { .. } => set(&desk, command).await,
        Budgets::Remove { budget, reason } => {
            let found = find(&desk, &budget).await?;
            let removal = BudgetRemoval { id: found.id, base_version: found.version, reason };
            if tell_asked(budgets::remove(&desk.app, &desk.caller, removal).await?)?.is_some() {
                print(&format!("The budget {} is removed.", found.name))?;
            }
            Ok(Exit::Ok)
        }
        Budgets::Adjust { budget, member, usd, reason, json } => {
            let id = find(&desk, &budget).await?.id;
            let amount = Money(dollars(&usd)?.as_nanos().to_string());
            let input = BudgetAdjustInput { id, member: member.unwrap_or_default(), amount, reason };
            let adjusted = budgets::adjust(&desk.app, &desk.caller, input).await?;
            if let Some(detail) = tell_asked(adjusted)? {
                shown(&detail, json)?;
            }
            Ok(Exit::Ok)
        }
        Budgets::Why { request, json } => why(&desk, &request, json).await,
        Budgets::History { by, days, json } => history(&desk, by, days, json).await,
    }
}

async fn list(desk: &Desk, json: bool) -> Result<Exit, Failure> {
    let found = budgets::list(&desk.app, &desk.caller).await?;
    if json {
        print_json(&found)?;
        return Ok(Exit::Ok);
    }
    let mut table = Table::new(&[
        "NAME",
        "COUNTS",
        "PERIOD",
        ">LIMIT",
        ">SETTLED",
        ">RESERVED",
        ">LEFT",
        ">EXPECTED",
        "AT LIMIT",
        "ID",
    ]);
    for budget in &found.budgets {
        let purse = budget.purse.as_ref();
        let expected = purse.and_then(|purse| purse.forecast.as_ref()).map(|forecast| &forecast.expected);
        table.row([
            budget.name.clone(),
            budget.scope_words.clone(),
            word(&budget.period),
            limit(&budget.limits),
            purse.map_or_else(|| format!("{} members", budget.members), |purse| usd(Some(&purse.settled))),
            usd(purse.map(|purse| &purse.reserved)),
            usd(purse.and_then(|purse| purse.left.as_ref())),
            usd(expected),
            if budget.enabled { word(&budget.action) } else { "off".to_owned() },
            budget.id.clone(),
        ]);
    }
    print(&table.text())?;
    for anomaly in &found.anomalies {
        print(&format!("Unusual: {}", anomaly.sentence))?;
    }
    Ok(Exit::Ok)
}

fn shown(detail: &BudgetDetail, json: bool) -> Result<(), Failure> {
    if json { print_json(detail) } else { print(&detail_text(detail)) }
}

fn detail_text(detail: &BudgetDetail) -> String {
    let budget = &detail.budget;
    let mut lines = vec![
        format!("{} ({})", budget.name, budget.id),
        format!("Counts {}, {} {}.", budget.scope_words, limit(&budget.limits), word(&budget.period)),
        budget.promise.clone(),
    ];
    if let Some(purse) = &detail.purse {
        lines.push(standing(purse));
    }
    if !detail.holds.is_empty() {
        let mut table = Table::new(&["OPEN RESERVATION", "OPERATION", "USER", ">HOLDS", "SINCE"]);
        for hold in &detail.holds {
            let amount = usd(Some(&hold.amount));
            table.row([
                hold.request_id.clone(),
                hold.operation.clone(),
                or_dash(hold.user.clone()),
                amount,
                hold.since.0.clone(),
            ]);
        }
        lines.push(String::new());
        lines.push(table.text());
    }
    let mut table = Table::new(&["PERIOD FROM", "MEMBER", ">SETTLED", ">REQUESTS", ">TOKENS", ">OF LIMIT"]);
    for period in &detail.periods {
        table.row([
            period.from.0.clone(),
            or_dash(Some(period.member.clone()).filter(|member| !member.is_empty())),
            usd(Some(&period.settled)),
            period.requests.0.clone(),
            period.tokens.0.clone(),
            percent(period.used_permille),
        ]);
    }
    lines.push(String::new());
    lines.push(table.text());
    for adjustment in &detail.adjustments {
        let (amount, by) = (usd(Some(&adjustment.amount)), &adjustment.by);
        lines.push(format!("Corrected by {amount} at {} by {by}: {}", adjustment.at.0, adjustment.reason));
    }
    lines.join("\n")
}

fn standing(purse: &BudgetPurse) -> String {
    let ends = purse.to.as_ref().map(|to| format!("Begins anew {}.", to.0));
    let expected = purse.forecast.as_ref().map(|forecast| {
        let [expected, low, high] =
            [&forecast.expected, &forecast.low, &forecast.high].map(|amount| usd(Some(amount)));
        format!("Expected then {expected}, in four of five cases between {low} and {high}.")
    });
    let now = format!(
        "Settled {}, reserved {}, left {}; {} used or held.",
        usd(Some(&purse.settled)),
        usd(Some(&purse.reserved)),
        usd(purse.left.as_ref()),
        percent(purse.used_permille)
    );
    [Some(now), ends, expected].into_iter().flatten().collect::<Vec<_>>().join(" ")
}

async fn set(desk: &Desk, command: Budgets) -> Result<Exit, Failure> {
    let Budgets::Set {
        budget,
        scope,
        period,
        zone,
        usd,
        tokens,
        requests,
        action,
        overrun,
        warn,
        on,
        off,
        reason,
        dry_run,
        json,
    } = command
    else {
        return Ok(Exit::Usage);
    };
    let known = budgets::list(&desk.app, &desk.caller).await?.budgets;
    let known = known.into_iter().find(|known| is_named(known, &budget));
    if known.is_some() && (scope.is_some() || period.is_some() || zone.is_some()) {
        let message = "What a budget counts and when it begins anew stay as they are; make another one.";
        return Err(Failure::new(Exit::Usage, message));
    }
    let mut draft = known.as_ref().map_or_else(|| fresh(&budget), of);
    if let Some(scope) = scope {
        draft.scope = self::scope(&scope)?;
    }
    if let Some(period) = period {
        draft.period = period.into();
    }
    draft.zone = zone.or(draft.zone);
    if let Some(text) = usd {
        let money = |text: &str| dollars(text).map(|amount| Money(amount.as_nanos().to_string()));
        draft.limits.cost = unless_none(&text, money)?;
    }
    if let Some(text) = tokens {
        draft.limits.tokens = unless_none(&text, |text| Ok(Counter(text.to_owned())))?;
    }
    if let Some(text) = requests {
        draft.limits.requests = unless_none(&text, |text| Ok(Counter(text.to_owned())))?;
    }
    if let Some(action) = action {
        draft.action = action.into();
    }
    draft.overrun_percent = overrun.unwrap_or(draft.overrun_percent);
    if let Some(percents) = warn {
        draft.thresholds = percents.into_iter().map(threshold).collect();
    }
    draft.enabled = (draft.enabled || on) && !off;
    draft.reason = reason;
    if dry_run { preview(desk, draft, json).await } else { apply(desk, draft, json).await }
}

async fn preview(desk: &Desk, draft: BudgetDraft, json: bool) -> Result<Exit, Failure> {
    let preview = budgets::preview(&desk.app, &desk.caller, draft).await?;
    if json {
        print_json(&preview)?;
        return Ok(Exit::Ok);
    }
    if let [first, ..] = preview.problems.as_slice() {
        return Err(Failure::new(Exit::Usage, first.message.clone()));
    }
    let mut lines = preview.sentences;
    lines.push(preview.promise);
    lines.extend(preview.warnings);
    if let Some(last) = &preview.last_period {
        lines.push(format!(
            "In the last period, from {}, it would have stopped {} of {} requests worth {} of {}.",
            last.from.0,
            last.refused,
            last.requests,
            usd(Some(&last.refused_cost)),
            usd(Some(&last.spent)),
        ));
    }
    lines.push("With --dry-run nothing is changed.".to_owned());
    print(&lines.join("\n"))?;
    Ok(Exit::Ok)
}

async fn apply(desk: &Desk, draft: BudgetDraft, json: bool) -> Result<Exit, Failure> {
    let Some(budget) = tell_asked(budgets::set(&desk.app, &desk.caller, draft).await?)? else {
        return Ok(Exit::Ok);
    };
    if json {
        print_json(&budget)?;
    } else {
        print(&format!("{} ({}): {}", budget.name, budget.id, budget.promise))?;
    }
    Ok(Exit::Ok)
}

async fn why(desk: &Desk, request: &str, json: bool) -> Result<Exit, Failure> {
    let refusal = budgets::refusal(&desk.app, &desk.caller, request).await?;
    if json {
        print_json(&refusal)?;
        return Ok(Exit::Ok);
    }
    let Some(refusal) = refusal else {
        print("No budget refused this request.")?;
        return Ok(Exit::Ok);
    };
    let shown = |counter: &Counter| {
        if refusal.measure == "cost" {
            usd(Some(&Money(counter.0.clone())))
        } else {
            format!("{} {}", counter.0, refusal.measure)
        }
    };
    let mut lines = vec![
        format!("{} {} refused it.", refusal.budget_name, refusal.member).replace("  ", " "),
        format!(
            "Limit {}, left {}, needed {}; begins anew {}.",
            shown(&refusal.limit),
            shown(&refusal.left),
            shown(&refusal.needed),
            or_dash(refusal.resets_at.as_ref().map(|at| at.0.clone()))
        ),
    ];
    for holder in &refusal.holders {
        lines.push(format!(
            "{} held {} ({})",
            holder.request_id,
            usd(Some(&holder.amount)),
            holder.operation
        ));
    }
    print(&lines.join("\n"))?;
    Ok(Exit::Ok)
}

async fn history(desk: &Desk, by: Split, days: u32, json: bool) -> Result<Exit, Failure> {
    let query = SpendHistoryQuery { split: by.into(), only: None, days };
    let history = budgets::history(&desk.app, &desk.caller, query).await?;
    if json {
        print_json(&history)?;
        return Ok(Exit::Ok);
    }
    let mut table = Table::new(&["WHO", ">SPEND", ">TODAY", ">REQUESTS"]);
    for series in &history.series {
        let who = if series.key.is_empty() { "-" } else { &series.key };
        table.row([
            who.to_owned(),
            usd(Some(&series.total)),
            usd(series.spend.last()),
            series.total_requests.0.clone(),
        ]);
    }
    print(&table.text())?;
    Ok(Exit::Ok)
}

/// A budget by its name or id.
async fn find(desk: &Desk, text: &str) -> Result<Budget, Failure> {
    let all = budgets::list(&desk.app, &desk.caller).await?.budgets;
    let found = all.into_iter().find(|budget| is_named(budget, text));
    found.ok_or_else(|| Failure::new(Exit::NotFound, format!("There is no budget `{text:.80}`.")))
}

fn is_named(budget: &Budget, text: &str) -> bool {
    budget.id == text || budget.name == text
}

/// A budget that is there, as a draft that changes nothing.
fn of(budget: &Budget) -> BudgetDraft {
    BudgetDraft {
        id: Some(budget.id.clone()),
        base_version: Some(budget.version),
        name: budget.name.clone(),
        scope: budget.scope.clone(),
        period: budget.period,
        zone: Some(budget.zone.clone()),
        limits: budget.limits.clone(),
        thresholds: budget.thresholds.clone(),
        action: budget.action,
        overrun_percent: budget.overrun_percent,
        enabled: budget.enabled,
        reason: None,
    }
}

/// A new budget as most are.
fn fresh(name: &str) -> BudgetDraft {
    BudgetDraft {
        id: None,
        base_version: None,
        name: name.to_owned(),
        scope: BudgetScope { kind: BudgetScopeKind::Global, value: None },
        period: BudgetPeriod::Day,
        zone: None,
        limits: BudgetLimits::default(),
        thresholds: WARN_USUAL.into_iter().map(threshold).collect(),
        action: BudgetAction::Block,
        overrun_percent: OVERRUN_PERCENT_USUAL,
        enabled: true,
        reason: None,
    }
}

const fn threshold(percent: u32) -> BudgetThreshold {
    let severity =
        if percent >= CRITICAL_FROM { ThresholdSeverity::Critical } else { ThresholdSeverity::Warning };
    BudgetThreshold { percent, severity }
}

fn scope(text: &str) -> Result<BudgetScope, Failure> {
    let (kind, value) = text.split_once(':').map_or((text, None), |(kind, value)| (kind, Some(value)));
    let kind = match kind {
        "global" => BudgetScopeKind::Global,
        "each-user" => BudgetScopeKind::EachUser,
        "each-operation" => BudgetScopeKind::EachOperation,
        "operation" => BudgetScopeKind::Operation,
        "user" => BudgetScopeKind::User,
        "key" => BudgetScopeKind::Key,
        "provider" => BudgetScopeKind::Provider,
        "model" => BudgetScopeKind::Model,
        "tag" => BudgetScopeKind::Tag,
        _ => {
            return Err(Failure::new(
                Exit::Usage,
                format!("`{text:.80}` is no scope; see `budgets set --help`."),
            ));
        }
    };
    Ok(BudgetScope { kind, value: value.map(str::to_owned) })
}

/// `none` takes a limit away.
fn unless_none<T>(text: &str, parse: impl FnOnce(&str) -> Result<T, Failure>) -> Result<Option<T>, Failure> {
    if text == "none" { Ok(None) } else { parse(text).map(Some) }
}

fn limit(limits: &BudgetLimits) -> String {
    let words = [
        limits.cost.as_ref().map(|cost| usd(Some(cost))),
        limits.tokens.as_ref().map(|tokens| format!("{} tokens", tokens.0)),
        limits.requests.as_ref().map(|requests| format!("{} requests", requests.0)),
    ];
    words.into_iter().flatten().collect::<Vec<_>>().join(" or ")
}

fn percent(permille: u32) -> String {
    format!("{}.{} %", permille / 10, permille % 10)
}

impl From<Period> for BudgetPeriod {
    fn from(period: Period) -> Self {
        match period {
            Period::Day => Self::Day,
            Period::Week => Self::Week,
            Period::Month => Self::Month,
            Period::Total => Self::Total,
        }
    }
}

impl From<Action> for BudgetAction {
    fn from(action: Action) -> Self {
        match action {
            Action::Notify => Self::Notify,
            Action::Downgrade => Self::Downgrade,
            Action::RequireApproval => Self::RequireApproval,
            Action::Block => Self::Block,
        }
    }
}

impl From<Split> for SpendSplit {
    fn from(split: Split) -> Self {
        match split {
            Split::Operation => Self::Operation,
            Split::User => Self::User,
            Split::Provider => Self::Provider,
            Split::Model => Self::Model,
        }
    }
}
