//! A budget as a person wants it: read, previewed, applied.

use signalbox_core::budget::{Action, Budget, Limits, Member, NAME_CHARS_MAX, Period, Scope, Tag, Zone};
use signalbox_core::change::ChangeKind;
use signalbox_core::ids::{BudgetId, KeyId, OperationId, ProviderName};
use signalbox_core::key::ApiKey;
use signalbox_core::money::NanoUsd;
use signalbox_core::route::Target;
use signalbox_core::snapshot::Snapshot;
use signalbox_store::{ConfigWrite, StoreError};

use super::books::Books;
use super::{replay, words};
use crate::app::{App, Caller, Role, json};
use crate::dto::{self, BudgetScopeKind as Kind, Problem};
use crate::error::{AppError, Code};
use crate::propose::{Plan, ProposedChange};

/// What a draft would do: what changes, what it promises, and what it would have refused in the last whole period. Nothing
/// is written.
pub async fn preview(
    app: &App,
    caller: &Caller,
    draft: dto::BudgetDraft,
) -> Result<dto::BudgetPreview, AppError> {
    caller.must_be(Role::Viewer)?;
    let books = Books::read(app).await?;
    let Parsed { before, after, problems } = parse(&books, draft)?;
    let last_period = if problems.is_empty() { replay::replay(app, &after).await? } else { None };
    Ok(dto::BudgetPreview {
        sentences: words::differences(before.as_ref(), &after, &books.scope_words(&after.scope)),
        promise: words::promise(&after),
        warnings: warnings(&books, &after),
        problems,
        last_period,
    })
}

/// Makes a budget, or changes one.
///
/// Errors: [`Code::Invalid`] with every fault of the draft, no such budget, or it has changed since.
pub async fn set(
    app: &App,
    caller: &Caller,
    draft: dto::BudgetDraft,
) -> Result<dto::Proposed<dto::Budget>, AppError> {
    let name = draft.name.trim().to_owned();
    let proposed = app.propose(caller, &ProposedChange::Budget(draft)).await?;
    proposed
        .shown(async || {
            let books = Books::read(app).await?;
            let budget = books.budgets().iter().find(|budget| budget.name == name);
            Ok(books.shown(budget.ok_or_else(|| AppError::not_found("budget", &name))?))
        })
        .await
}

/// What a draft would write; `None` when nothing changes.
pub(crate) async fn plan(app: &App, draft: &dto::BudgetDraft) -> Result<Option<Plan>, AppError> {
    let books = Books::read(app).await?;
    let base_version = draft.base_version;
    let Parsed { before, after, problems } = parse(&books, draft.clone())?;
    if !problems.is_empty() {
        let message = problems.iter().map(|problem| problem.message.as_str()).collect::<Vec<_>>().join(" ");
        return Err(AppError { code: Code::Invalid, message, details: problems });
    }
    if let Some(before) = before.as_ref().filter(|before| base_version != Some(before.version)) {
        let (kind, subject, current_version) = ("budget", before.name.clone(), before.version);
        return Err(StoreError::Conflict { kind, subject, current_version }.into());
    }
    let differences = words::differences(before.as_ref(), &after, &books.scope_words(&after.scope));
    if differences.is_empty() {
        return Ok(None);
    }
    Ok(Some(Plan {
        kind: ChangeKind::Budget,
        subject: after.name.clone(),
        sentence: format!("Budget {}: {}", after.name, differences.join(" ")),
        before: before.as_ref().map(json).transpose()?,
        after: Some(json(&after)?),
        writes: vec![ConfigWrite::PutBudget {
            base_version: before.map(|before| before.version),
            budget: after,
        }],
    }))
}

/// The budget per day that a new key is made with, and what it would write. It only narrows what that key may do, so it
/// needs nobody else's approval.
///
/// Errors: an amount that is none, or negative.
pub(crate) fn of_new_key(snapshot: &Snapshot, key: &ApiKey, amount: &dto::Money) -> Result<Plan, AppError> {
    const FIELD: &str = "budget_per_day";
    let cost = money(FIELD, amount)?;
    // A revoked key of the same name may have left one; names are for people, so they differ.
    let is_taken = snapshot.budgets.iter().any(|budget| budget.name == key.name);
    let name = if is_taken { format!("{} …{}", key.name, key.last4) } else { key.name.clone() };
    let name: String = name.chars().take(NAME_CHARS_MAX).collect();
    let budget = Budget::usual(&name, Scope::Key(key.id), Period::Day, cost);
    if let Some(fault) = budget.faults().into_iter().next() {
        return Err(AppError::invalid(FIELD, fault.message));
    }
    let sentences = words::differences(None, &budget, &format!("key {}", key.name));
    Ok(Plan {
        kind: ChangeKind::Budget,
        sentence: format!("Budget {name}: {}", sentences.join(" ")),
        subject: name,
        before: None,
        after: Some(json(&budget)?),
        writes: vec![ConfigWrite::PutBudget { budget, base_version: None }],
    })
}

/// A draft in the core's terms.
struct Parsed {
    before: Option<Budget>,
    after: Budget,
    problems: Vec<Problem>,
}

/// Errors: there is no such budget to change. Everything else that is wrong is a problem with its field.
fn parse(books: &Books, draft: dto::BudgetDraft) -> Result<Parsed, AppError> {
    let before = draft.id.as_deref().map(|id| books.budget(id).cloned()).transpose()?;
    let mut problems = Vec::new();
    let mut problem =
        |field: &str, message: String| problems.push(Problem { field: field.to_owned(), message });
    let scope = match (&before, scope(books.snapshot(), &draft.scope)) {
        (Some(before), _) => before.scope.clone(),
        (None, Ok(scope)) => scope,
        (None, Err(message)) => {
            problem("scope", message);
            Scope::Global
        }
    };
    let zone = match (&before, draft.zone.as_deref().map_or_else(|| Ok(Zone::utc()), Zone::new)) {
        (Some(before), _) => before.zone.clone(),
        (None, Ok(zone)) => zone,
        (None, Err(error)) => {
            problem("zone", crate::app::sentence(&error.to_string()));
            Zone::utc()
        }
    };
    let limits = limits(&draft.limits).unwrap_or_else(|error| {
        error.details.into_iter().for_each(|fault| problem(&fault.field, fault.message));
        // Any limit: that it cannot be read is the fault to be told.
        Limits { requests: Some(1), ..Limits::default() }
    });
    let name = draft.name.trim().to_owned();
    let is_other = |other: &&Budget| before.as_ref().is_none_or(|before| before.id != other.id);
    if books.budgets().iter().filter(is_other).any(|other| other.name == name) {
        problem("name", format!("There is a budget named `{name}` already."));
    }
    let after = Budget {
        id: before.as_ref().map_or_else(BudgetId::generate, |before| before.id),
        name,
        scope,
        period: before.as_ref().map_or_else(|| draft.period.into(), |before| before.period),
        zone,
        limits,
        thresholds: draft.thresholds.into_iter().map(Into::into).collect(),
        action: draft.action.into(),
        overrun_percent: draft.overrun_percent,
        enabled: draft.enabled,
        version: before.as_ref().map_or(1, |before| before.version.saturating_add(1)),
    };
    problems.extend(after.faults().into_iter().map(|fault| Problem {
        field: if fault.field == "cost" { "limits.cost" } else { fault.field }.to_owned(),
        message: fault.message,
    }));
    Ok(Parsed { before, after, problems })
}

/// What a person should know before it is applied.
fn warnings(books: &Books, after: &Budget) -> Vec<String> {
    let mut warnings = Vec::new();
    let limit = after.limits.cost;
    let fullest = books.of(after.id).max_by_key(|standing| standing.spent());
    if let (Some(standing), Some(limit), true) = (fullest, limit, after.enabled) {
        let used = standing.spent().saturating_add(standing.held(after).cost);
        if used > limit && after.action != Action::Notify {
            warnings.push(format!(
                "{} is used or held already: what costs money is kept back until the period ends. What runs goes on.",
                used.in_dollars()
            ));
        }
    }
    if limit == Some(NanoUsd::ZERO) && after.action != Action::Notify {
        warnings.push("With a limit of $0.00 only free requests go out.".to_owned());
    }
    warnings
}

fn limits(limits: &dto::BudgetLimits) -> Result<Limits, AppError> {
    let count = |field: &str, text: &Option<dto::Counter>| {
        let parse = |count: &dto::Counter| {
            count
                .0
                .parse::<u64>()
                .map_err(|_| AppError::invalid(field, "A limit is a whole number, 0 or more."))
        };
        text.as_ref().map(parse).transpose()
    };
    Ok(Limits {
        cost: limits.cost.as_ref().map(|amount| money("limits.cost", amount)).transpose()?,
        tokens: count("limits.tokens", &limits.tokens)?,
        requests: count("limits.requests", &limits.requests)?,
    })
}

/// Errors: no whole number of nano-dollars.
pub(super) fn money(field: &str, amount: &dto::Money) -> Result<NanoUsd, AppError> {
    let nanos = amount.0.parse().map(NanoUsd::from_nanos);
    nanos.map_err(|_| AppError::invalid(field, "An amount is a whole number of nano-dollars."))
}

/// Whose use is meant; `Err` says for a person what is wrong with it.
fn scope(snapshot: &Snapshot, scope: &dto::BudgetScope) -> Result<Scope, String> {
    let value = scope.value.as_deref().unwrap_or_default().trim();
    let unknown = |kind: &str| format!("There is no {kind} `{value:.80}`.");
    Ok(match scope.kind {
        Kind::Global => Scope::Global,
        Kind::EachUser => Scope::EachUser,
        Kind::EachOperation => Scope::EachOperation,
        Kind::Operation => {
            let known = OperationId::new(value).ok().filter(|id| snapshot.operations.contains_key(id));
            Scope::Operation(known.ok_or_else(|| unknown("operation"))?)
        }
        Kind::Provider => {
            let known = ProviderName::new(value).ok().filter(|name| snapshot.providers.contains_key(name));
            Scope::Provider(known.ok_or_else(|| unknown("provider"))?)
        }
        Kind::Model => {
            let known = value.parse::<Target>().ok().filter(|target| snapshot.models.contains_key(target));
            Scope::Model(known.ok_or_else(|| unknown("model"))?)
        }
        Kind::Key => {
            let known = value.parse::<KeyId>().ok();
            let known = known.filter(|id| snapshot.keys.values().any(|key| key.id == *id));
            Scope::Key(known.ok_or_else(|| unknown("API key"))?)
        }
        Kind::User => Scope::User(Member::named(value)),
        Kind::Tag => match value.split_once('=') {
            Some((name, value)) if !name.trim().is_empty() => {
                Scope::Tag(Tag { name: name.trim().to_owned(), value: value.trim().to_owned() })
            }
            _ => return Err("A label is written as `name=value`.".to_owned()),
        },
    })
}
