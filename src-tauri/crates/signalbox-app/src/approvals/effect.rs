//! What a request that waits would do to the budgets that pay for it.

use signalbox_core::approval::AskedRequest;
use signalbox_core::budget::{Amount, Book, Budget, Measure, Spender};
use signalbox_core::route::Target;
use signalbox_engine::standing::{self, Standing};

use crate::app::App;
use crate::dto;
use crate::error::AppError;

/// Each limit that the request counts against at `target`, as everything stands now.
pub(super) async fn of(
    app: &App,
    asked: &AskedRequest,
    target: &Target,
) -> Result<Vec<dto::BudgetEffect>, AppError> {
    let (live, now) = (app.live().await?, app.now());
    let terms = &asked.terms;
    let key = terms.key.and_then(|id| live.key(id));
    let spender = Spender {
        operation: &terms.operation,
        user: terms.user.as_deref(),
        owner: key.and_then(|key| key.owner.as_deref()),
        key: terms.key,
        tags: &terms.tags,
    };
    let paid_by_owner = key.is_some_and(|key| key.has_own_credential(&target.provider));
    let mut book = Book::default();
    book.set_budgets(&live.snapshot.budgets);
    let standing = standing::read(&app.control().store, &live.snapshot.budgets, now).await?;
    let adds = Adds::of(asked);
    let mut effects = Vec::new();
    for (purse, budget) in book.paying(&spender, target, paid_by_owner, now) {
        let stands = standing.iter().find(|standing| standing.key == purse);
        for measure in Measure::ALL {
            let Some(limit) = budget.limits.of(measure) else { continue };
            let before = stands.map_or(0, |stands| used_or_held(stands, budget, measure));
            let after = adds.of_measure(measure).map(|adds| before.saturating_add(adds));
            effects.push(dto::BudgetEffect {
                budget_id: budget.id.to_string(),
                name: budget.name.clone(),
                member: purse.member.to_string(),
                action: budget.action.into(),
                measure: measure.as_str().to_owned(),
                before: before.into(),
                after: after.map(Into::into),
                limit: limit.into(),
                passes: after.is_some_and(|after| after > limit),
            });
        }
    }
    Ok(effects)
}

fn used_or_held(standing: &Standing, budget: &Budget, measure: Measure) -> i64 {
    standing.used().of(measure).saturating_add(standing.held(budget).of(measure))
}

/// The most a request adds.
struct Adds {
    amount: Amount,
    is_cost_known: bool,
}

impl Adds {
    fn of(asked: &AskedRequest) -> Self {
        let (bound, ceiling) = (asked.asked.bound, asked.terms.ceiling);
        let tokens =
            bound.tokens_in.saturating_add(bound.tokens_out_max).saturating_add(bound.audio_tokens_out_max);
        let amount = Amount { cost: ceiling.unwrap_or_default(), tokens, requests: 1 };
        Self { amount, is_cost_known: ceiling.is_some() }
    }

    fn of_measure(&self, measure: Measure) -> Option<i64> {
        (measure != Measure::Cost || self.is_cost_known).then(|| self.amount.of(measure))
    }
}
