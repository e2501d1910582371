//! Four eyes: with several admins, a change that moves money waits for somebody else than its author, and is made exactly
//! as it was proposed, once.

#![expect(clippy::unwrap_used, reason = "tests stop at the first fault")]

use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use signalbox_app::{
    App, AppError, Caller, Code, Source, approvals, budgets, changes, dto, models, operations, people,
    prices, settings, toggles,
};
use signalbox_testkit::TestApp;

fn of<T: DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

/// An installation with three admins and somebody who looks.
struct Desk {
    app: App,
    anna: Caller,
    bert: Caller,
    carla: Caller,
    vera: Caller,
}

impl Desk {
    async fn of(running: &TestApp) -> Self {
        let app = App::with_engine(running.engine.clone()).unwrap();
        let local = Caller::local(Source::Cli);
        let add = |name: &str, role: &str| of(json!({"name": name, "role": role}));
        people::add(&app, &local, add("vera", "viewer")).await.unwrap().applied().unwrap();
        people::add(&app, &local, add("anna", "admin")).await.unwrap().applied().unwrap();
        // From the second admin on, a third needs two to agree.
        let bert = people::add(&app, &local, add("bert", "admin")).await.unwrap();
        let anna = app.caller(Source::Cli, Some("anna")).await.unwrap();
        approve(&app, &anna, &asked(bert)).await.unwrap();
        let carla = people::add(&app, &local, add("carla", "admin")).await.unwrap();
        approve(&app, &anna, &asked(carla)).await.unwrap();
        let caller = async |name: &str| app.caller(Source::Cli, Some(name)).await.unwrap();
        let (bert, carla, vera) = (caller("bert").await, caller("carla").await, caller("vera").await);
        Self { app, anna, bert, carla, vera }
    }

    async fn enabled(&self) -> bool {
        operations::find(&self.app, &self.vera, "chat_message").await.unwrap().enabled
    }

    async fn propose_to_switch(&self, enabled: bool) -> Result<dto::Proposed<dto::Operation>, AppError> {
        let now = operations::find(&self.app, &self.anna, "chat_message").await.unwrap();
        let draft = dto::RouteDraft { enabled, reason: Some("because".to_owned()), ..now.draft() };
        operations::route_apply(&self.app, &self.anna, draft).await
    }

    async fn history(&self, kind: &str) -> Vec<dto::Change> {
        let filter = dto::ChangeFilter { kind: Some(kind.to_owned()), ..dto::ChangeFilter::default() };
        changes::page(&self.app, &self.vera, filter, None, 500).await.unwrap().rows
    }
}

fn asked<T>(proposed: dto::Proposed<T>) -> String {
    let request = match proposed {
        dto::Proposed::Asked { request } => Some(request),
        dto::Proposed::Applied { .. } => None,
    };
    request.ok_or("it needs a second admin").unwrap().approval
}

async fn approve(app: &App, who: &Caller, id: &str) -> Result<dto::ApprovalRow, AppError> {
    let hash = approvals::show(app, who, id).await?.row.hash;
    approvals::approve(app, who, of(json!({"id": id, "hash": hash}))).await
}

#[tokio::test]
async fn a_change_that_moves_money_waits_for_somebody_else_and_is_then_made_as_it_was_proposed() {
    let running = TestApp::start().await.unwrap();
    let desk = Desk::of(&running).await;
    let entries = desk.history("route").await.len();
    let id = asked(desk.propose_to_switch(false).await.unwrap());
    assert!(desk.enabled().await, "nothing has changed yet");
    assert_eq!(approve(&desk.app, &desk.anna, &id).await.unwrap_err().code, Code::Forbidden, "one's own");
    assert_eq!(approve(&desk.app, &desk.vera, &id).await.unwrap_err().code, Code::Forbidden, "no admin");

    let row = approve(&desk.app, &desk.bert, &id).await.unwrap();
    assert_eq!(row.state, dto::ApprovalState::Applied);
    assert!(!desk.enabled().await);
    let history = desk.history("route").await;
    assert_eq!(history.len(), entries + 1);
    let entry = &history[0];
    assert_eq!((entry.actor.as_str(), entry.approval.as_deref()), ("bert", Some(id.as_str())));
    assert_eq!(entry.reason.as_deref(), Some("because"));
    assert!(entry.sentence.contains("anna proposed it, bert approved it"), "{}", entry.sentence);
    assert_eq!(approve(&desk.app, &desk.carla, &id).await.unwrap_err().code, Code::Conflict, "once");
    // Its revert moves money too.
    let revert = changes::revert(&desk.app, &desk.anna, entry.seq, None).await.unwrap();
    let revert = asked(revert);
    assert!(!desk.enabled().await);
    approve(&desk.app, &desk.carla, &revert).await.unwrap();
    assert!(desk.enabled().await);
    assert!(changes::verify(&desk.app, &desk.vera).await.unwrap().intact);
}

#[tokio::test]
async fn an_approved_change_is_made_exactly_once_also_when_two_approve_it_at_once() {
    let running = TestApp::start().await.unwrap();
    let desk = Desk::of(&running).await;
    for round in 0..12 {
        let entries = desk.history("route").await.len();
        let id = asked(desk.propose_to_switch(round % 2 == 1).await.unwrap());
        let (one, other) =
            tokio::join!(approve(&desk.app, &desk.bert, &id), approve(&desk.app, &desk.carla, &id));
        let made = [&one, &other].iter().filter(|done| done.is_ok()).count();
        assert_eq!(made, 1, "round {round}: {one:?} {other:?}");
        assert_eq!(desk.history("route").await.len(), entries + 1);
        assert_eq!(desk.enabled().await, round % 2 == 1);
    }
}

#[tokio::test]
async fn a_change_whose_base_has_moved_fails_and_says_so() {
    let running = TestApp::start().await.unwrap();
    let desk = Desk::of(&running).await;
    let first = asked(desk.propose_to_switch(false).await.unwrap());
    let second = asked(desk.propose_to_switch(false).await.unwrap());
    approve(&desk.app, &desk.bert, &first).await.unwrap();
    let entries = desk.history("route").await.len();
    let row = approve(&desk.app, &desk.bert, &second).await.unwrap();
    assert_eq!(row.state, dto::ApprovalState::Failed);
    assert!(row.reason.as_deref().unwrap_or_default().contains("changed since"), "{:?}", row.reason);
    assert_eq!(desk.history("route").await.len(), entries);
}

#[tokio::test]
async fn everything_that_moves_money_or_says_who_may_needs_a_second_admin_and_nothing_else_does() {
    let running = TestApp::start().await.unwrap();
    let desk = Desk::of(&running).await;
    let (app, anna) = (&desk.app, &desk.anna);
    let off = of(json!({"name": "four_eyes", "value": "off"}));
    let off = asked(settings::set(app, anna, off).await.unwrap());
    let out = of(json!({"name": "bert", "enabled": false}));
    asked(people::update(app, anna, out).await.unwrap());
    let unpriced = of(json!({"name": "unpriced_policy", "value": "block"}));
    asked(settings::set(app, anna, unpriced).await.unwrap());
    let model = of(
        json!({"provider": "simulator", "model": "new", "input_usd_per_mtok": "1", "output_usd_per_mtok": "2"}),
    );
    asked(models::add(app, anna, model).await.unwrap());
    let price =
        of(json!({"target": "deepseek/deepseek-flash", "rates": [{"unit": "input_tokens", "usd": "9"}]}));
    let price = asked(prices::set(app, anna, price).await.unwrap());
    let list = json!({"deepseek/deepseek-flash": {"litellm_provider": "deepseek", "mode": "chat",
        "input_cost_per_token": 0.000_007, "output_cost_per_token": 0.000_008}});
    let list = dto::PriceListInput { path: None, text: Some(list.to_string()) };
    let seen = prices::import::preview(app, anna, list).await.unwrap();
    let choice = of(json!({"token": seen.token, "targets": ["deepseek/deepseek-flash"]}));
    let list = asked(prices::import::apply(app, anna, choice).await.unwrap());

    let setting = of(json!({"name": "max_requests", "value": "7"}));
    assert!(settings::set(app, anna, setting).await.unwrap().applied().is_some());

    // A price that waited begins when it is approved, not when it was asked for.
    approve(app, &desk.bert, &price).await.unwrap();
    let history = prices::history(app, anna, "deepseek/deepseek-flash").await.unwrap();
    assert_eq!(history.row.card.unwrap().rates[0].usd, "9");
    // The list was made for the price before it.
    assert_eq!(approve(app, &desk.bert, &list).await.unwrap().state, dto::ApprovalState::Failed);
    assert_eq!(approve(app, &desk.bert, &off).await.unwrap().state, dto::ApprovalState::Applied);
    assert!(desk.propose_to_switch(false).await.unwrap().applied().is_some(), "one admin is enough again");
}

#[tokio::test]
async fn switching_on_what_touches_safety_needs_a_second_admin_and_switching_it_off_never_does() {
    let running = TestApp::start().await.unwrap();
    let desk = Desk::of(&running).await;
    let (app, anna) = (&desk.app, &desk.anna);
    let set = async |operation: Option<&str>, enabled: Option<bool>| {
        let input = json!({"name": "log_payloads", "operation": operation, "enabled": enabled});
        toggles::set(app, anna, of(input)).await.unwrap()
    };
    let is_on = async || {
        let listed = toggles::list(app, anna).await.unwrap();
        listed.into_iter().find(|toggle| toggle.name == "log_payloads").unwrap()
    };
    let for_chat = asked(set(Some("chat_message"), Some(true)).await);
    let for_all = asked(set(None, Some(true)).await);
    assert!(!is_on().await.enabled && is_on().await.operations.is_empty(), "nothing has changed yet");
    assert_eq!(approve(app, anna, &for_all).await.unwrap_err().code, Code::Forbidden, "one's own");
    assert_eq!(approve(app, &desk.bert, &for_all).await.unwrap().state, dto::ApprovalState::Applied);
    approve(app, &desk.bert, &for_chat).await.unwrap();
    assert!(is_on().await.enabled && is_on().await.operations[0].enabled);
    let entry = &desk.history("toggle").await[1];
    assert_eq!(entry.approval.as_deref(), Some(for_all.as_str()));

    // Off at once: for one operation, and for all.
    assert!(set(Some("chat_message"), Some(false)).await.applied().is_some());
    // As for all would be on again.
    asked(set(Some("chat_message"), None).await);
    assert!(!set(None, Some(false)).await.applied().unwrap().enabled);
    // As for all is off now, so nothing is unlocked.
    assert!(set(Some("chat_message"), None).await.applied().is_some());
    // A revert to on unlocks as well; one to off does not.
    let entries = desk.history("toggle").await;
    let revert = async |index: usize| changes::revert(app, anna, entries[index].seq, None).await.unwrap();
    asked(revert(1).await);
    assert!(revert(4).await.applied().is_some(), "the entry that switched it on");
    assert!(!is_on().await.enabled);
}

#[tokio::test]
async fn a_correction_of_what_was_spent_needs_a_second_admin_and_is_made_once() {
    let running = TestApp::start().await.unwrap();
    let desk = Desk::of(&running).await;
    let (app, anna) = (&desk.app, &desk.anna);
    let all = budgets::list(app, anna).await.unwrap().budgets;
    let budget = all.iter().find(|budget| budget.purse.is_some()).unwrap();
    let more = || of(json!({"id": budget.id, "member": "", "amount": "1000000000", "reason": "because"}));
    let spent = async || budgets::show(app, anna, &budget.id, "").await.unwrap().purse.unwrap().settled.0;
    let first = asked(budgets::adjust(app, anna, more()).await.unwrap());
    let second = asked(budgets::adjust(app, anna, more()).await.unwrap());
    assert_eq!(spent().await, "0", "nothing has changed yet");
    assert_eq!(approve(app, anna, &first).await.unwrap_err().code, Code::Forbidden, "one's own");

    assert_eq!(approve(app, &desk.bert, &first).await.unwrap().state, dto::ApprovalState::Applied);
    assert_eq!(spent().await, "1000000000");
    let detail = budgets::show(app, anna, &budget.id, "").await.unwrap();
    assert_eq!(detail.adjustments[0].reason, "because");
    let entry = &desk.history("budget").await[0];
    assert!(entry.sentence.contains("anna proposed it, bert approved it"), "{}", entry.sentence);
    // The other one was made for what was corrected before.
    assert_eq!(approve(app, &desk.bert, &second).await.unwrap().state, dto::ApprovalState::Failed);
    assert_eq!(spent().await, "1000000000");
}
