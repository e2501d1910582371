//! Budgets over a real store, engine and simulator: set, previewed, corrected, looked at, and what was spent.

#![expect(clippy::unwrap_used, reason = "tests stop at the first fault")]

use std::time::Duration;

use signalbox_app::dto::{self, BudgetAction, BudgetPeriod, BudgetScopeKind, SpendSplit};
use signalbox_app::{App, AppError, Caller, Code, Role, Source, budgets, changes, keys};
use signalbox_core::budget::Budget;
use signalbox_store::ConfigWrite;
use signalbox_testkit::{FakeClock, Prices, TestApp, Vendor, chat_body};

const CHAT: &str = "op:chat_message";

fn admin() -> Caller {
    Caller::local(Source::Cli)
}

struct Desk {
    running: TestApp,
    app: App,
    clock: FakeClock,
    _vendor: Vendor,
}

/// An installation whose only target costs a dollar a token, without any budget.
async fn desk() -> Desk {
    let clock = FakeClock::at("2026-11-21T12:00:00Z").unwrap();
    let running = TestApp::builder().clock(clock.clone()).start().await.unwrap();
    let vendor = running.add_openai("vendor").await.unwrap();
    running.add_model("vendor/m", Prices::per_mtok("1000000", "1000000")).await.unwrap();
    running.set_route("chat_message", &["vendor/m"]).await.unwrap();
    let first: Vec<Budget> = running.engine.live().snapshot.budgets.clone();
    let remove = |budget: Budget| ConfigWrite::RemoveBudget { id: budget.id, base_version: budget.version };
    if !first.is_empty() {
        running.write(first.into_iter().map(remove).collect()).await.unwrap();
    }
    let app = App::with_engine(running.engine.clone()).unwrap();
    Desk { running, app, clock, _vendor: vendor }
}

fn draft(name: &str, usd: Option<i64>) -> dto::BudgetDraft {
    dto::BudgetDraft {
        id: None,
        base_version: None,
        name: name.to_owned(),
        scope: dto::BudgetScope { kind: BudgetScopeKind::Global, value: None },
        period: BudgetPeriod::Day,
        zone: None,
        limits: dto::BudgetLimits { cost: usd.map(nano), ..dto::BudgetLimits::default() },
        thresholds: vec![],
        action: BudgetAction::Block,
        overrun_percent: 5,
        enabled: true,
        reason: None,
    }
}

fn nano(usd: i64) -> dto::Money {
    dto::Money((usd * 1_000_000_000).to_string())
}

fn of(budget: &dto::Budget) -> dto::BudgetDraft {
    dto::BudgetDraft {
        id: Some(budget.id.clone()),
        base_version: Some(budget.version),
        name: budget.name.clone(),
        limits: budget.limits.clone(),
        ..draft("", None)
    }
}

impl Desk {
    async fn set(&self, draft: dto::BudgetDraft) -> Result<dto::Budget, AppError> {
        let proposed = budgets::set(&self.app, &admin(), draft).await?;
        Ok(proposed.applied().unwrap())
    }

    async fn preview(&self, draft: dto::BudgetDraft) -> dto::BudgetPreview {
        budgets::preview(&self.app, &admin(), draft).await.unwrap()
    }

    async fn only(&self) -> dto::Budget {
        let list = budgets::list(&self.app, &admin()).await.unwrap();
        list.budgets.into_iter().next().unwrap()
    }

    /// Sends a request for a user; the number of dollars it cost.
    async fn spend(&self, user: &str) -> i64 {
        let mut body = chat_body(CHAT, "hello");
        body["user"] = user.into();
        body["max_tokens"] = 16.into();
        let reply = self.running.send(self.running.post("/v1/chat/completions", &body)).await.unwrap();
        assert_eq!(reply.status, 200, "{reply:?}");
        let record = self.running.settled(reply.request_id().unwrap()).await.unwrap();
        let (_, cost) = record.settlement.unwrap().cost();
        let dollars = cost.unwrap().as_nanos() / 1_000_000_000;
        assert!(dollars > 0);
        dollars
    }

    async fn last_change(&self) -> dto::Change {
        let page = changes::page(&self.app, &admin(), dto::ChangeFilter::default(), None, 1).await.unwrap();
        page.rows.into_iter().next().unwrap()
    }
}

#[tokio::test]
async fn a_budget_is_set_changed_and_removed_and_each_step_stands_in_the_history() {
    let desk = desk().await;
    let made = desk.set(draft("All", Some(5_000))).await.unwrap();
    assert_eq!(
        made.promise,
        "Hard stop: requests that could exceed $5000.00 are refused. It can pass the limit by at most $250.00."
    );
    let lower = dto::BudgetDraft {
        limits: dto::BudgetLimits { cost: Some(nano(3_000)), ..Default::default() },
        reason: Some("too much".to_owned()),
        ..of(&made)
    };
    let changed = desk.set(lower.clone()).await.unwrap();
    assert_eq!((changed.version, changed.limits.cost), (2, Some(nano(3_000))));
    let change = desk.last_change().await;
    assert_eq!((change.kind.as_str(), change.subject.as_str()), ("budget", "All"));
    assert_eq!(change.sentence, "Budget All: Its limit is $3000.00 instead of $5000.00.");
    assert_eq!(change.reason.as_deref(), Some("too much"));

    assert_eq!(desk.set(lower).await.unwrap_err().code, Code::Conflict, "it was edited from version 1");
    let removal = dto::BudgetRemoval { id: changed.id.clone(), base_version: 2, reason: None };
    budgets::remove(&desk.app, &admin(), removal).await.unwrap();
    assert_eq!(desk.last_change().await.sentence, "Budget All is removed");
    assert!(budgets::list(&desk.app, &admin()).await.unwrap().budgets.is_empty());

    for limit in [3_000, 5_000] {
        let removed_or_lowered = if limit == 3_000 { desk.last_change().await.seq } else { change.seq };
        changes::revert(&desk.app, &admin(), removed_or_lowered, None).await.unwrap();
        assert_eq!(desk.only().await.limits.cost, Some(nano(limit)), "one step back through the history");
    }
}

#[tokio::test]
async fn every_fault_of_a_draft_is_named_with_its_field_and_nothing_is_written() {
    let desk = desk().await;
    desk.set(draft("Taken", Some(1))).await.unwrap();
    let scoped = |kind, value: &str| dto::BudgetDraft {
        scope: dto::BudgetScope { kind, value: Some(value.to_owned()) },
        ..draft("New", Some(1))
    };
    let threshold = dto::BudgetThreshold { percent: 101, severity: dto::ThresholdSeverity::Warning };
    for (draft, field) in [
        (draft("", Some(1)), "name"),
        (draft("Taken", Some(1)), "name"),
        (draft("New", None), "limits"),
        (draft("New", Some(-1)), "limits.cost"),
        (scoped(BudgetScopeKind::Operation, "no_such_thing"), "scope"),
        (scoped(BudgetScopeKind::Model, "vendor/none"), "scope"),
        (scoped(BudgetScopeKind::Key, "key_1"), "scope"),
        (scoped(BudgetScopeKind::Tag, "no value"), "scope"),
        (dto::BudgetDraft { zone: Some("Mars/Olympus".to_owned()), ..draft("New", Some(1)) }, "zone"),
        (dto::BudgetDraft { overrun_percent: 101, ..draft("New", Some(1)) }, "overrun_percent"),
        (dto::BudgetDraft { thresholds: vec![threshold], ..draft("New", Some(1)) }, "thresholds"),
    ] {
        let problems = desk.preview(draft.clone()).await.problems;
        assert_eq!(problems.first().map(|problem| problem.field.as_str()), Some(field), "{draft:?}");
        let refused = desk.set(draft).await.unwrap_err();
        assert_eq!((refused.code, refused.details[0].field.as_str()), (Code::Invalid, field));
    }
    assert_eq!(budgets::list(&desk.app, &admin()).await.unwrap().budgets.len(), 1);
    let viewer = Caller { role: Role::Viewer, ..admin() };
    let refused = budgets::set(&desk.app, &viewer, draft("New", Some(1))).await.unwrap_err();
    assert_eq!(refused.code, Code::Forbidden);
}

#[tokio::test]
async fn what_is_spent_counts_and_a_correction_needs_a_reason_and_gives_back_no_more_than_that() {
    let desk = desk().await;
    let budget = desk.set(draft("All", Some(100_000))).await.unwrap();
    let dollars = desk.spend("ann").await;
    let purse = desk.only().await.purse.unwrap();
    assert_eq!((purse.settled, purse.reserved, purse.requests.0.as_str()), (nano(dollars), nano(0), "1"));
    assert_eq!(purse.left, Some(nano(100_000 - dollars)));
    assert!(purse.binding && purse.bound_by.is_none());

    let adjust = async |usd: i64, reason: &str| {
        let (id, reason) = (budget.id.clone(), reason.to_owned());
        let input = dto::BudgetAdjustInput { id, member: String::new(), amount: nano(usd), reason };
        budgets::adjust(&desk.app, &admin(), input).await.map(|done| done.applied().unwrap())
    };
    for (usd, reason, field) in [
        (0, "why", "amount"),
        (-1, " ", "reason"),
        (-1, &"x".repeat(501), "reason"),
        (-dollars - 1, "why", "amount"),
    ] {
        assert_eq!(adjust(usd, reason).await.unwrap_err().details[0].field, field);
    }
    let detail = adjust(-1, "It never ran").await.unwrap();
    assert_eq!(detail.purse.unwrap().settled, nano(dollars - 1));
    assert_eq!(detail.periods[0].settled, nano(dollars - 1));
    assert_eq!(
        (detail.adjustments[0].amount.clone(), detail.adjustments[0].by.as_str()),
        (nano(-1), "local")
    );
    let entry = desk.last_change().await;
    assert!(entry.sentence.starts_with("What All has spent is corrected from $"));
    assert!(!entry.revertible, "another correction answers it");
    let then = changes::state_at(&desk.app, &admin(), entry.at).await.unwrap().things;
    let all = then.iter().find(|thing| thing.name == "All").unwrap();
    assert!(all.state.0.contains("limits"), "a correction is not what the budget is: {}", all.state.0);
}

#[tokio::test]
async fn a_limit_below_what_is_used_is_allowed_and_said_and_the_last_period_is_replayed() {
    let desk = desk().await;
    let budget = desk.set(draft("All", Some(100_000))).await.unwrap();
    let dollars = desk.spend("ann").await;
    assert_eq!(desk.spend("bob").await, dollars, "the same request costs the same");
    let lower = |usd| dto::BudgetDraft {
        limits: dto::BudgetLimits { cost: Some(nano(usd)), ..Default::default() },
        ..of(&budget)
    };
    let preview = desk.preview(lower(1)).await;
    assert!(preview.problems.is_empty() && preview.warnings[0].contains("is used or held already"));
    assert_eq!(preview.last_period.unwrap().requests, 0, "there was nothing yesterday");

    desk.clock.advance(Duration::from_hours(24));
    let replay = desk.preview(lower(dollars)).await.last_period.unwrap();
    assert_eq!((replay.requests, replay.refused), (2, 1));
    assert_eq!((replay.spent, replay.refused_cost), (nano(2 * dollars), nano(dollars)));
    assert!(replay.first_refused_at.is_some());
    let each = dto::BudgetDraft {
        scope: dto::BudgetScope { kind: BudgetScopeKind::EachUser, value: None },
        ..draft("Each", Some(dollars))
    };
    assert_eq!(desk.preview(each).await.last_period.unwrap().refused, 0, "each user has their own");
    assert!(desk.set(lower(1)).await.is_ok());
}

#[tokio::test]
async fn what_was_spent_is_told_by_user_and_day() {
    let desk = desk().await;
    let ann = desk.spend("ann").await;
    desk.clock.advance(Duration::from_hours(24));
    let bob = desk.spend("bob").await + desk.spend("bob").await;
    let history = async |only: Option<&str>, days| {
        let query = dto::SpendHistoryQuery { split: SpendSplit::User, only: only.map(str::to_owned), days };
        budgets::history(&desk.app, &admin(), query).await
    };
    let all = history(None, 7).await.unwrap();
    assert_eq!((all.days.len(), all.total.clone()), (7, nano(ann + bob)));
    let found: Vec<_> = all.series.iter().map(|series| (series.key.as_str(), series.total.clone())).collect();
    assert_eq!(found, [("bob", nano(bob)), ("ann", nano(ann))]);
    assert_eq!(all.series[1].spend[5..], [nano(ann), nano(0)]);
    assert_eq!(history(Some("ann"), 90).await.unwrap().total, nano(ann));
    assert_eq!(history(None, 8).await.unwrap_err().details[0].field, "days");
}

#[tokio::test]
async fn a_day_of_four_times_the_usual_is_told_as_unusual_with_its_operation() {
    let desk = desk().await;
    for _ in 0..4 {
        desk.spend("ann").await;
        desk.clock.advance(Duration::from_hours(24));
    }
    assert!(budgets::list(&desk.app, &admin()).await.unwrap().anomalies.is_empty());
    for _ in 0..4 {
        desk.spend("ann").await;
    }
    desk.clock.advance(Duration::from_mins(1));
    let anomalies = budgets::list(&desk.app, &admin()).await.unwrap().anomalies;
    let of_operation: Vec<_> = anomalies.iter().filter(|found| found.operation.is_some()).collect();
    assert_eq!(of_operation.len(), 1, "{anomalies:?}");
    assert!(of_operation[0].sentence.starts_with("chat_message has spent $"), "{anomalies:?}");
    assert!(of_operation[0].sentence.contains("4.0 times"));
    assert!(anomalies.iter().any(|found| found.user.as_deref() == Some("ann")));

    let findings = desk.running.engine.look_at_spend().await.unwrap();
    assert_eq!(findings.len(), anomalies.len());
    let mut told = signalbox_engine::spend::Told::default();
    assert_eq!(told.news(findings.clone()).len(), findings.len());
    assert!(told.news(findings).is_empty(), "a state is told once");
}

#[tokio::test]
async fn a_budget_that_will_not_last_is_told_before_it_is_empty() {
    let desk = desk().await;
    let mut dollars = 0;
    for _ in 0..4 {
        dollars = desk.spend("ann").await;
        desk.clock.advance(Duration::from_hours(12));
        desk.spend("ann").await;
        desk.clock.advance(Duration::from_hours(12));
    }
    // It is noon: the day's second request is still to come, at midnight.
    let told = |name| dto::BudgetDraft { action: BudgetAction::Notify, ..draft(name, Some(dollars * 3)) };
    desk.set(told("Tight")).await.unwrap();
    let week = dto::BudgetDraft { period: BudgetPeriod::Week, ..told("Week") };
    desk.set(week).await.unwrap();
    desk.spend("ann").await;
    desk.clock.advance(Duration::from_mins(1));
    let findings = desk.running.engine.look_at_spend().await.unwrap();
    let sentences: Vec<_> = findings.iter().map(|finding| finding.sentence.as_str()).collect();
    assert!(sentences.iter().any(|sentence| sentence.starts_with("Week will have spent $")), "{sentences:?}");
    assert!(!sentences.iter().any(|sentence| sentence.starts_with("Tight")), "{sentences:?}");
    let purse = desk.only().await.purse.unwrap();
    assert!(purse.forecast.is_some());
}

#[tokio::test]
async fn what_a_key_or_label_will_have_spent_is_told_from_the_periods_of_its_budget() {
    let desk = desk().await;
    let key = keys::list(&desk.app, &admin()).await.unwrap().remove(0);
    let scope = dto::BudgetScope { kind: BudgetScopeKind::Key, value: Some(key.id) };
    desk.set(dto::BudgetDraft { scope, ..draft("Key", Some(100_000)) }).await.unwrap();
    let mut dollars = 0;
    for day in 0..4 {
        let forecast = desk.only().await.purse.unwrap().forecast;
        assert_eq!(forecast.is_some(), day == 3, "three whole days are needed");
        dollars = desk.spend("ann").await;
        desk.clock.advance(Duration::from_hours(24));
    }
    // It is noon, and nothing was spent today: half a day like the ones before is still to come.
    let forecast = desk.only().await.purse.unwrap().forecast.unwrap();
    let half = dto::Money((dollars * 500_000_000).to_string());
    assert_eq!((forecast.basis, forecast.expected.clone()), (dto::ForecastBasis::Periods, half.clone()));
    assert_eq!((forecast.low, forecast.high), (half.clone(), half), "each day was the same");
}
