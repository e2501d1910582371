//! Budgets that ask a person: at their limit, and from their warning on where a route says so.

use signalbox_app::{App, approvals, dto};
use signalbox_core::approval::{ApprovalPolicy, ApprovalState};
use signalbox_core::budget::{Action, Budget, Limits, Period, Scope};
use signalbox_core::money::NanoUsd;
use signalbox_store::ConfigWrite;
use signalbox_testkit::TestApp;

use crate::support::*;

/// A budget of all requests of a day, by how many there may be.
fn of_requests(name: &str, requests: u64, action: Action) -> Budget {
    let limits = Limits { requests: Some(requests), ..Limits::default() };
    Budget { limits, action, ..Budget::usual(name, Scope::Global, Period::Day, NanoUsd::ZERO) }
}

async fn put(running: &TestApp, budget: Budget) {
    running.write(vec![ConfigWrite::PutBudget { budget, base_version: None }]).await.unwrap();
}

async fn shown(app: &App, id: &str) -> dto::ApprovalDetail {
    approvals::show(app, &admin(), id).await.unwrap()
}

#[tokio::test]
async fn a_budget_at_its_limit_asks_a_person_who_lets_one_request_pass_it() {
    let (running, _, app, vendor) = installation(ApprovalPolicy::default()).await;
    put(&running, of_requests("Team", 1, Action::RequireApproval)).await;
    assert_eq!(ask(&running, &body()).await.status, 200, "there is enough left for one");

    let refused = ask(&running, &body()).await;
    let id = ticket(&refused);
    assert!(!refused.header("retry-after").is_empty());
    let message = refused.body["error"]["message"].as_str().unwrap();
    assert!(
        message.contains("the budget “Team” is at its limit; a person may let this request pass"),
        "{message}"
    );
    assert_eq!(ticket(&ask(&running, &body()).await), id, "the identical request is folded into it");
    assert_eq!(running.rows().await.unwrap().len(), 1, "what waits is no request yet");
    let detail = shown(&app, &id).await;
    assert_eq!(detail.reasons, ["The budget “Team” is at its limit; a person may let this request pass."]);
    let team = detail.budgets.iter().find(|effect| effect.name == "Team").unwrap();
    let count = |text: &str| dto::Counter(text.to_owned());
    assert_eq!(
        (&team.before, &team.after, &team.limit, team.passes),
        (&count("1"), &Some(count("2")), &count("1"), true)
    );

    approve(&app, &id).await;
    assert_eq!(ask_with(&running, &body(), &id).await.status, 200);
    assert_eq!(stored(&running, &id).await.state, ApprovalState::Consumed);
    let again = ask_with(&running, &body(), &id).await;
    assert_eq!((again.status, again.code()), (403, "approval_not_usable"), "{}", again.body);
    assert_ne!(ticket(&ask(&running, &body()).await), id);
    assert_eq!(vendor.observed().received, 2);
    running.verify().await.unwrap();
}

#[tokio::test]
async fn what_the_queue_shows_of_budgets_is_their_money_now_and_with_the_request() {
    let (running, _, app, _vendor) = installation(always()).await;
    let each = Budget {
        scope: Scope::EachUser,
        ..Budget::usual("Each", Scope::EachUser, Period::Day, NanoUsd::from_nanos(1))
    };
    put(&running, each).await;
    let asked = running.post("/v1/chat/completions", &body()).header("x-signalbox-user", "ada");
    let refused = running.send(asked).await.unwrap();
    assert_eq!(
        (refused.status, refused.code()),
        (402, "budget_exceeded"),
        "nobody could let it pass: {}",
        refused.body
    );

    let id = ticket(&ask(&running, &body()).await);
    let detail = shown(&app, &id).await;
    let names: Vec<&str> = detail.budgets.iter().map(|effect| effect.name.as_str()).collect();
    assert_eq!(names.len(), 1, "only what pays for it: {names:?}");
    let effect = &detail.budgets[0];
    assert_eq!((effect.measure.as_str(), effect.before.0.as_str(), effect.passes), ("cost", "0", false));
    assert_eq!(effect.after.as_ref().map(|after| &after.0), detail.row.max_cost.as_ref().map(|cost| &cost.0));
    approve(&app, &id).await;
    ask_with(&running, &body(), &id).await;
    assert!(shown(&app, &id).await.budgets.is_empty(), "nothing can come of it any more");
}

#[tokio::test]
async fn a_hard_budget_refuses_even_what_a_person_approved_and_leaves_the_approval_unused() {
    let (running, _, app, vendor) = installation(ApprovalPolicy::default()).await;
    put(&running, of_requests("Team", 0, Action::RequireApproval)).await;
    let id = ticket(&ask(&running, &body()).await);
    approve(&app, &id).await;
    put(&running, of_requests("Hard", 0, Action::Block)).await;
    for reply in [ask_with(&running, &body(), &id).await, ask(&running, &body()).await] {
        assert_eq!((reply.status, reply.code()), (402, "budget_exceeded"), "{}", reply.body);
        assert_eq!(reply.body["error"]["details"]["budget"], "Hard", "{}", reply.body);
    }
    assert_eq!(stored(&running, &id).await.state, ApprovalState::Approved);
    assert_eq!((vendor.observed().received, queue(&app).await.pending), (0, 0));
}

#[tokio::test]
async fn a_client_of_a_budget_at_its_limit_is_kept_waiting_as_its_route_says() {
    let (running, _, app, vendor) =
        installation(ApprovalPolicy { hold_s: 60, ..ApprovalPolicy::default() }).await;
    put(&running, of_requests("Team", 0, Action::RequireApproval)).await;
    let decide = async { approve(&app, &until_one_waits(&app).await).await };
    let asked = body();
    let (reply, _) = tokio::join!(ask(&running, &asked), decide);
    assert_eq!((reply.status, vendor.observed().received), (200, 1), "{}", reply.body);
}

#[tokio::test]
async fn of_many_that_come_at_the_limit_at_once_each_is_answered_or_asked_about() {
    let (running, _, _app, _vendor) = installation(ApprovalPolicy::default()).await;
    put(&running, of_requests("Team", 5, Action::RequireApproval)).await;
    let bodies: Vec<_> = (0..20)
        .map(|more| {
            let mut one = body();
            one["max_tokens"] = serde_json::json!(100 + more);
            one
        })
        .collect();
    let replies = futures::future::join_all(bodies.iter().map(|body| ask(&running, body))).await;
    let answered = replies.iter().filter(|reply| reply.status == 200).count();
    let asked = replies.iter().filter(|reply| reply.code() == "approval_required").count();
    assert_eq!((answered, asked), (5, 15));
}

#[tokio::test]
async fn a_route_asks_from_the_warning_of_a_budget_on_and_not_before() {
    let (running, _, app, vendor) =
        installation(ApprovalPolicy { budget_warned: true, ..ApprovalPolicy::default() }).await;
    put(&running, of_requests("Team", 4, Action::Block)).await;
    for _ in 0..2 {
        assert_eq!(ask(&running, &body()).await.status, 200, "it warns at half of it");
    }
    let id = ticket(&ask(&running, &body()).await);
    assert_eq!(shown(&app, &id).await.reasons, ["The budget “Team” has passed its warning."]);
    approve(&app, &id).await;
    assert_eq!(ask_with(&running, &body(), &id).await.status, 200);
    assert_eq!(vendor.observed().received, 3);
}
