//! Budgets beside how they stand and what was spent, at one moment.

use std::collections::HashMap;
use std::sync::Arc;

use signalbox_core::budget::{Action, Budget, Scope};
use signalbox_core::forecast::Forecast;
use signalbox_core::ids::BudgetId;
use signalbox_core::snapshot::Snapshot;
use signalbox_engine::live::Live;
use signalbox_engine::spend::SpendHistory;
use signalbox_engine::standing::{self, Standing};

use crate::app::App;
use crate::error::AppError;

/// Budgets, how their purses stand, and what was spent, at one moment.
pub(super) struct Books {
    live: Arc<Live>,
    pub(super) standing: Vec<Standing>,
    pub(super) spend: Arc<SpendHistory>,
}

impl Books {
    pub(super) async fn read(app: &App) -> Result<Self, AppError> {
        let live = app.live().await?;
        let standing = standing::read(&app.control().store, &live.snapshot.budgets, app.now()).await?;
        Ok(Self { live, standing, spend: app.spend_history().await? })
    }

    pub(super) fn budgets(&self) -> &[Budget] {
        &self.live.snapshot.budgets
    }

    pub(super) fn snapshot(&self) -> &Snapshot {
        &self.live.snapshot
    }

    /// Errors: there is no such budget.
    pub(super) fn budget(&self, id: &str) -> Result<&Budget, AppError> {
        find(&self.live.snapshot, id)
    }

    /// The purses of a budget in their running periods.
    pub(super) fn of(&self, id: BudgetId) -> impl Iterator<Item = &Standing> {
        self.standing.iter().filter(move |standing| standing.key.budget == id)
    }

    pub(super) fn forecast(&self, budget: &Budget, standing: &Standing) -> Option<Forecast> {
        forecast(&self.spend, budget, standing)
    }

    /// Of all purses that stop spending the one with the least left.
    pub(super) fn tightest(&self) -> Option<(&Budget, &Standing)> {
        let budgets: HashMap<BudgetId, &Budget> =
            self.budgets().iter().filter(|budget| stops(budget)).map(|budget| (budget.id, budget)).collect();
        let purses = self.standing.iter().filter_map(|standing| {
            let budget = *budgets.get(&standing.key.budget)?;
            Some((budget, standing, standing.left(budget)?))
        });
        let least = purses.min_by_key(|(_, standing, left)| (*left, standing.key.clone()));
        least.map(|(budget, standing, _)| (budget, standing))
    }

    /// A budget of everything that stops spending and has less left than this purse.
    pub(super) fn bound_by(&self, budget: &Budget, standing: &Standing) -> Option<&Budget> {
        let own = standing.left(budget)?;
        let general = self.budgets().iter().filter(|other| other.scope == Scope::Global && stops(other));
        let with_less = general.filter(|other| other.id != budget.id).filter_map(|other| {
            let left = self.of(other.id).next()?.left(other)?;
            (left < own).then_some((left, other))
        });
        with_less.min_by_key(|(left, _)| *left).map(|(_, other)| other)
    }
}

/// What a purse will have been charged when its period ends, if that can be said.
pub(super) fn forecast(spend: &SpendHistory, budget: &Budget, standing: &Standing) -> Option<Forecast> {
    spend.forecast(budget, standing)
}

fn stops(budget: &Budget) -> bool {
    budget.enabled && budget.action != Action::Notify
}

/// Errors: there is no such budget.
pub(super) fn find<'a>(snapshot: &'a Snapshot, id: &str) -> Result<&'a Budget, AppError> {
    let parsed = id.parse::<BudgetId>().ok();
    let found = parsed.and_then(|id| snapshot.budgets.iter().find(|budget| budget.id == id));
    found.ok_or_else(|| AppError::not_found("budget", id))
}
