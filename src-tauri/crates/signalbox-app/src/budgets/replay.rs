//! What a budget would have done in the last whole period, by the requests of the ledger.

use std::collections::HashMap;

use signalbox_core::budget::{Action, Amount, Budget, Measure, Scope, Window};
use signalbox_core::money::NanoUsd;
use signalbox_store::{RequestFilter, RequestSummary};

use crate::app::App;
use crate::error::AppError;
use crate::{dto, view};

/// Requests that are read at most; a period with more is not replayed.
const REQUESTS_MAX: usize = 50_000;
/// Requests that are read at once.
const PAGE: u32 = 1_000;

/// Lets the requests of the last whole period meet the budget in the order they came. `None` where that says nothing: a
/// budget that never begins anew, stops nothing, is off or counts labels; or a period with very many requests.
pub(super) async fn replay(app: &App, budget: &Budget) -> Result<Option<dto::BudgetReplay>, AppError> {
    let now = app.now();
    let last = budget.window(budget.window(now).start.plus_micros(-1));
    let (Some(end), Some(filter)) = (last.end, filter(budget, last)) else { return Ok(None) };
    if budget.action == Action::Notify || !budget.enabled || now < end {
        return Ok(None);
    }
    let mut requests: Vec<RequestSummary> = Vec::new();
    loop {
        let before = requests.last().map(|request| request.id);
        let page = app.control().store.requests(&filter, before, PAGE).await?;
        let is_last = page.len() < usize::try_from(PAGE).unwrap_or(usize::MAX);
        requests.extend(page);
        if requests.len() > REQUESTS_MAX {
            return Ok(None);
        }
        if is_last {
            break;
        }
    }
    requests.reverse();
    let (mut used, mut spent): (HashMap<String, Amount>, _) = (HashMap::new(), NanoUsd::ZERO);
    let (mut counted, mut refused, mut refused_cost, mut first_refused_at) = (0, 0, NanoUsd::ZERO, None);
    for request in &requests {
        let Some((member, amount)) = charge(budget, request) else { continue };
        counted += 1;
        spent = spent.saturating_add(amount.cost);
        let purse = used.entry(member).or_default();
        let with_it = purse.plus(amount);
        let fits = Measure::ALL.into_iter().all(|measure| {
            let limit = budget.limits.of(measure);
            amount.of(measure) == 0 || limit.is_none_or(|limit| with_it.of(measure) <= limit)
        });
        if fits {
            *purse = with_it;
        } else {
            refused += 1;
            refused_cost = refused_cost.saturating_add(amount.cost);
            first_refused_at = first_refused_at.or(Some(request.started_at));
        }
    }
    Ok(Some(dto::BudgetReplay {
        from: last.start.into(),
        to: end.into(),
        requests: view::count(counted),
        spent: spent.into(),
        refused: view::count(refused),
        refused_cost: refused_cost.into(),
        first_refused_at: first_refused_at.map(Into::into),
    }))
}

/// The rows that the budget counts; `None` where rows do not tell.
fn filter(budget: &Budget, window: Window) -> Option<RequestFilter> {
    let all = RequestFilter { from: Some(window.start), to: window.end, ..RequestFilter::default() };
    Some(match &budget.scope {
        Scope::Global | Scope::EachUser | Scope::EachOperation => all,
        Scope::Operation(operation) => RequestFilter { operation: Some(operation.to_string()), ..all },
        Scope::User(user) => RequestFilter { user: Some(user.to_string()), ..all },
        Scope::Key(key) => RequestFilter { key: Some(*key), ..all },
        Scope::Provider(provider) => RequestFilter { provider: Some(provider.to_string()), ..all },
        Scope::Model(target) => RequestFilter {
            provider: Some(target.provider.to_string()),
            model: Some(target.model.to_string()),
            ..all
        },
        Scope::Tag(_) => return None,
    })
}

/// In whose purse a request counts, and how much; `None` for one that is not counted or not over.
fn charge(budget: &Budget, request: &RequestSummary) -> Option<(String, Amount)> {
    let end = request.end.as_ref().filter(|end| end.attempts > 0)?;
    let member = match &budget.scope {
        Scope::EachUser => request.user.clone()?,
        Scope::EachOperation => request.operation.to_string(),
        _ => String::new(),
    };
    let tokens = u64::try_from(end.tokens_in.saturating_add(end.tokens_out)).unwrap_or(0);
    Some((member, Amount { cost: end.cost.unwrap_or_default(), tokens, requests: 1 }))
}
