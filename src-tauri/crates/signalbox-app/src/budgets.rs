//! Budgets: how they stand, what they were, what a draft would do, and why a request was refused.

mod books;
mod correction;
mod draft;
mod history;
mod refusal;
mod replay;
mod shown;
mod words;

use std::collections::HashMap;

use signalbox_core::budget::{Action, Adjustment, Budget, Member, Period, PurseKey, Scope};
use signalbox_core::change::ChangeKind;
use signalbox_core::money::NanoUsd;
use signalbox_core::rollup::Step;
use signalbox_engine::spend::Spender;
use signalbox_engine::standing::{self, Standing};
use signalbox_store::ConfigWrite;

use books::Books;
pub use correction::adjust;
pub(crate) use correction::plan as plan_correction;
pub(crate) use draft::{of_new_key, plan};
pub use draft::{preview, set};
pub use history::history;
pub use refusal::refusal;
pub use words::promise;

use crate::app::{App, Caller, Role, json};
use crate::dto;
use crate::error::AppError;
use crate::propose::{Plan, ProposedChange};

/// Most members of a budget that a list shows, the fullest.
const MEMBERS_MAX: usize = 10_000;
/// Most past periods that are shown.
const PERIODS_MAX: u32 = 90;
/// Most open reservations that are shown, the largest.
const HOLDS_MAX: usize = 200;

/// All budgets with how they stand now, and what is unusual today.
pub async fn list(app: &App, caller: &Caller) -> Result<dto::BudgetList, AppError> {
    caller.must_be(Role::Viewer)?;
    let books = Books::read(app).await?;
    let midnight = books.spend.at().floor_to(Step::Day.micros());
    let anomalies = books.spend.anomalies().into_iter().map(|(spender, anomaly)| dto::SpendAnomaly {
        measure: anomaly.measure.as_str().to_owned(),
        sentence: anomaly.sentence(spender.in_words()),
        operation: if let Spender::Operation(name) = &spender { Some(name.clone()) } else { None },
        user: if let Spender::User(name) = spender { Some(name) } else { None },
        since: midnight.into(),
    });
    Ok(dto::BudgetList {
        anomalies: anomalies.collect(),
        budgets: books.budgets().iter().map(|budget| books.shown(budget)).collect(),
        at: app.now().into(),
    })
}

/// Those who have a purse of their own in a budget of each user or operation, the fullest first.
pub async fn members(app: &App, caller: &Caller, id: &str) -> Result<Vec<dto::BudgetPurse>, AppError> {
    caller.must_be(Role::Viewer)?;
    let books = Books::read(app).await?;
    let budget = books.budget(id)?;
    let mut members: Vec<&Standing> =
        books.standing.iter().filter(|standing| standing.key.budget == budget.id).collect();
    members.sort_by(|a, b| {
        b.used_permille(budget).cmp(&a.used_permille(budget)).then_with(|| a.key.cmp(&b.key))
    });
    members.truncate(MEMBERS_MAX);
    Ok(members.into_iter().map(|standing| books.purse(budget, standing)).collect())
}

/// A budget with its past periods, open reservations and adjustments; of one member, if one is named.
///
/// Errors: no such budget.
pub async fn show(app: &App, caller: &Caller, id: &str, member: &str) -> Result<dto::BudgetDetail, AppError> {
    caller.must_be(Role::Viewer)?;
    let books = Books::read(app).await?;
    let budget = books.budget(id)?;
    let member = Member::named(member);
    let store = &app.control().store;
    let of_member = |key: &PurseKey| {
        key.budget == budget.id
            && (key.member == member || (member.is_everyone() && budget.scope.is_for_each()))
    };
    let purse = books
        .standing
        .iter()
        .find(|standing| standing.key.budget == budget.id && standing.key.member == member);
    let adjustments: Vec<Adjustment> =
        store.adjustments(Some(budget.id)).await?.into_iter().filter(|it| of_member(&it.purse)).collect();
    let mut adjusted: HashMap<&PurseKey, NanoUsd> = HashMap::new();
    for adjustment in &adjustments {
        let sum = adjusted.entry(&adjustment.purse).or_default();
        *sum = sum.saturating_add(adjustment.amount);
    }
    let periods = store.purses_of(budget.id, &member, PERIODS_MAX).await?;
    let periods = periods.into_iter().map(|(key, amount)| {
        let window = budget.window(key.start);
        let adjusted = adjusted.get(&key).copied().unwrap_or_default();
        let standing = Standing { adjusted, ..Standing::settled(key, window, amount) };
        dto::BudgetPeriodRow {
            member: standing.key.member.to_string(),
            from: window.start.into(),
            to: window.end.map(Into::into),
            settled: standing.spent().into(),
            tokens: amount.tokens.into(),
            requests: amount.requests.into(),
            used_permille: standing.used_permille(budget),
        }
    });
    let mut holds: Vec<dto::BudgetHold> = Vec::new();
    let mut open = standing::open_holds(store).await?;
    open.retain(|hold| of_member(&hold.purse));
    open.sort_by_key(|hold| (std::cmp::Reverse(hold.amount(budget).cost), hold.request));
    open.truncate(HOLDS_MAX);
    holds.extend(open.into_iter().map(|hold| dto::BudgetHold {
        request_id: hold.request.to_string(),
        amount: hold.amount(budget).cost.into(),
        operation: hold.operation.to_string(),
        user: hold.user,
        since: hold.since.into(),
    }));
    Ok(dto::BudgetDetail {
        budget: books.shown(budget),
        purse: purse.map(|standing| books.purse(budget, standing)),
        periods: periods.collect(),
        holds,
        adjustments: adjustments.iter().rev().map(shown::adjustment).collect(),
    })
}

/// Removes a budget; what was spent stays in the ledger.
///
/// Errors: no such budget, or it has changed since.
pub async fn remove(
    app: &App,
    caller: &Caller,
    removal: dto::BudgetRemoval,
) -> Result<dto::Proposed<()>, AppError> {
    let proposed = app.propose(caller, &ProposedChange::BudgetRemoval(removal)).await?;
    proposed.shown(async || Ok(())).await
}

/// What a removal would write.
pub(crate) async fn plan_removal(app: &App, removal: &dto::BudgetRemoval) -> Result<Plan, AppError> {
    let live = app.live().await?;
    let budget = books::find(&live.snapshot, &removal.id)?;
    let base_version = removal.base_version;
    Ok(Plan {
        kind: ChangeKind::Budget,
        subject: budget.name.clone(),
        sentence: format!("Budget {} is removed", budget.name),
        before: Some(json(budget)?),
        after: None,
        writes: vec![ConfigWrite::RemoveBudget { id: budget.id, base_version }],
    })
}

/// The budget to keep an eye on: of those of everything the daily one, else the fullest.
pub(crate) async fn glance(app: &App) -> Result<Option<dto::BudgetGlance>, AppError> {
    let live = app.live().await?;
    let of_all =
        live.snapshot.budgets.iter().filter(|budget| budget.enabled && budget.scope == Scope::Global);
    let with_limit: Vec<&Budget> = of_all.filter(|budget| budget.limits.cost.is_some()).collect();
    if with_limit.is_empty() {
        return Ok(None);
    }
    let of_all: Vec<Budget> = with_limit.iter().copied().cloned().collect();
    let purses = standing::read(&app.control().store, &of_all, app.now()).await?;
    let spend = app.spend_history().await?;
    let standing = |budget: &Budget| purses.iter().find(|standing| standing.key.budget == budget.id);
    let of_interest = with_limit.into_iter().filter_map(|budget| Some((budget, standing(budget)?)));
    let found = of_interest.max_by(|(a, of_a), (b, of_b)| {
        let daily = (a.period == Period::Day).cmp(&(b.period == Period::Day));
        daily.then(of_a.used_permille(a).cmp(&of_b.used_permille(b)))
    });
    Ok(found.and_then(|(budget, standing)| {
        Some(dto::BudgetGlance {
            id: budget.id.to_string(),
            name: budget.name.clone(),
            period: budget.period.into(),
            limit: budget.limits.cost?.into(),
            settled: standing.spent().into(),
            reserved: standing.held(budget).cost.into(),
            used_permille: standing.used_permille(budget),
            stops: budget.action != Action::Notify,
            expected: books::forecast(&spend, budget, standing).map(|forecast| forecast.expected.into()),
        })
    }))
}
