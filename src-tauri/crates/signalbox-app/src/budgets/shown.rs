//! Budgets as they cross the border.

use signalbox_core::alert::Severity;
use signalbox_core::budget::{Action, Adjustment, Budget, Limits, Period, Scope, Tag, Threshold};
use signalbox_core::forecast::{Basis, Forecast};

use signalbox_engine::standing::Standing;

use super::books::Books;
use super::words::promise;
use crate::dto;

impl Books {
    pub(super) fn shown(&self, budget: &Budget) -> dto::Budget {
        let purses: Vec<&Standing> = self.of(budget.id).collect();
        let own = purses.first().filter(|_| !budget.scope.is_for_each());
        let members = if budget.scope.is_for_each() { purses.len() } else { 0 };
        dto::Budget {
            id: budget.id.to_string(),
            name: budget.name.clone(),
            scope: scope(&budget.scope),
            scope_words: self.scope_words(&budget.scope),
            period: budget.period.into(),
            zone: budget.zone.to_string(),
            limits: limits(&budget.limits),
            thresholds: budget.thresholds.iter().copied().map(Into::into).collect(),
            action: budget.action.into(),
            overrun_percent: budget.overrun_percent,
            enabled: budget.enabled,
            version: budget.version,
            promise: promise(budget),
            purse: own.map(|standing| self.purse(budget, standing)),
            members: u32::try_from(members).unwrap_or(u32::MAX),
            used_permille: purses.iter().map(|standing| standing.used_permille(budget)).max().unwrap_or(0),
        }
    }

    pub(super) fn purse(&self, budget: &Budget, standing: &Standing) -> dto::BudgetPurse {
        let used = standing.used();
        dto::BudgetPurse {
            budget: budget.id.to_string(),
            member: standing.key.member.to_string(),
            from: standing.window.start.into(),
            to: standing.window.end.map(Into::into),
            settled: used.cost.into(),
            reserved: standing.held(budget).cost.into(),
            left: standing.left(budget).map(Into::into),
            tokens: used.tokens.into(),
            requests: used.requests.into(),
            used_permille: standing.used_permille(budget),
            forecast: self.forecast(budget, standing).map(Into::into),
            binding: self.tightest().is_some_and(|(_, tightest)| tightest.key == standing.key),
            bound_by: self.bound_by(budget, standing).map(|other| other.name.clone()),
        }
    }

    /// Whose use it counts, with a key's name instead of its id.
    pub(super) fn scope_words(&self, scope: &Scope) -> String {
        let name = match scope {
            Scope::Key(id) => self.snapshot().keys.values().find(|key| key.id == *id).map(|key| &key.name),
            _ => None,
        };
        name.map_or_else(|| scope.to_string(), |name| format!("key {name}"))
    }
}

pub(super) fn scope(scope: &Scope) -> dto::BudgetScope {
    use dto::BudgetScopeKind as Kind;
    let (kind, value) = match scope {
        Scope::Global => (Kind::Global, None),
        Scope::Operation(operation) => (Kind::Operation, Some(operation.to_string())),
        Scope::User(user) => (Kind::User, Some(user.to_string())),
        Scope::Key(key) => (Kind::Key, Some(key.to_string())),
        Scope::Provider(provider) => (Kind::Provider, Some(provider.to_string())),
        Scope::Model(target) => (Kind::Model, Some(target.to_string())),
        Scope::Tag(Tag { name, value }) => (Kind::Tag, Some(format!("{name}={value}"))),
        Scope::EachUser => (Kind::EachUser, None),
        Scope::EachOperation => (Kind::EachOperation, None),
    };
    dto::BudgetScope { kind, value }
}

fn limits(limits: &Limits) -> dto::BudgetLimits {
    dto::BudgetLimits {
        cost: limits.cost.map(Into::into),
        tokens: limits.tokens.map(Into::into),
        requests: limits.requests.map(Into::into),
    }
}

pub(super) fn adjustment(adjustment: &Adjustment) -> dto::BudgetAdjustment {
    dto::BudgetAdjustment {
        at: adjustment.at.into(),
        by: adjustment.actor.clone(),
        amount: adjustment.amount.into(),
        member: adjustment.purse.member.to_string(),
        period_from: adjustment.purse.start.into(),
        reason: adjustment.reason.clone(),
    }
}

impl From<Forecast> for dto::BudgetForecast {
    fn from(forecast: Forecast) -> Self {
        Self {
            expected: forecast.expected.into(),
            low: forecast.low.into(),
            high: forecast.high.into(),
            basis: match forecast.basis {
                Basis::Pace => dto::ForecastBasis::Pace,
                Basis::Daily => dto::ForecastBasis::Daily,
                Basis::Weekly => dto::ForecastBasis::Weekly,
                Basis::Periods => dto::ForecastBasis::Periods,
            },
        }
    }
}

impl From<Period> for dto::BudgetPeriod {
    fn from(period: Period) -> Self {
        match period {
            Period::Day => Self::Day,
            Period::Week => Self::Week,
            Period::Month => Self::Month,
            Period::Total => Self::Total,
        }
    }
}

impl From<dto::BudgetPeriod> for Period {
    fn from(period: dto::BudgetPeriod) -> Self {
        match period {
            dto::BudgetPeriod::Day => Self::Day,
            dto::BudgetPeriod::Week => Self::Week,
            dto::BudgetPeriod::Month => Self::Month,
            dto::BudgetPeriod::Total => Self::Total,
        }
    }
}

impl From<Action> for dto::BudgetAction {
    fn from(action: Action) -> Self {
        match action {
            Action::Notify => Self::Notify,
            Action::Downgrade => Self::Downgrade,
            Action::RequireApproval => Self::RequireApproval,
            Action::Block => Self::Block,
        }
    }
}

impl From<dto::BudgetAction> for Action {
    fn from(action: dto::BudgetAction) -> Self {
        match action {
            dto::BudgetAction::Notify => Self::Notify,
            dto::BudgetAction::Downgrade => Self::Downgrade,
            dto::BudgetAction::RequireApproval => Self::RequireApproval,
            dto::BudgetAction::Block => Self::Block,
        }
    }
}

impl From<Threshold> for dto::BudgetThreshold {
    fn from(threshold: Threshold) -> Self {
        let severity = match threshold.severity {
            Severity::Info => dto::ThresholdSeverity::Info,
            Severity::Warning => dto::ThresholdSeverity::Warning,
            Severity::Critical => dto::ThresholdSeverity::Critical,
        };
        Self { percent: threshold.percent, severity }
    }
}

impl From<dto::BudgetThreshold> for Threshold {
    fn from(threshold: dto::BudgetThreshold) -> Self {
        let severity = match threshold.severity {
            dto::ThresholdSeverity::Info => Severity::Info,
            dto::ThresholdSeverity::Warning => Severity::Warning,
            dto::ThresholdSeverity::Critical => Severity::Critical,
        };
        Self { percent: threshold.percent, severity }
    }
}
