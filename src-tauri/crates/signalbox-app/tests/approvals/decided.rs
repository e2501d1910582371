//! The person's side: who may decide, on what was shown, taken back in time, for another target.

use std::time::Duration;

use serde_json::json;
use signalbox_app::{App, Caller, Code, Role, Source, approvals, changes, dto, operations, people, trial};
use signalbox_core::approval::{ApprovalPolicy, ApprovalState};
use signalbox_testkit::{Prices, TestApp};

use crate::support::*;

async fn decide(app: &App, caller: &Caller, id: &str, hash: &str) -> Result<dto::ApprovalRow, Code> {
    let input = dto::ApproveInput { id: id.to_owned(), hash: hash.to_owned(), target: None, reason: None };
    approvals::approve(app, caller, input).await.map_err(|error| error.code)
}

async fn history(app: &App) -> Vec<dto::Change> {
    let filter = dto::ChangeFilter { kind: Some("approval".to_owned()), ..dto::ChangeFilter::default() };
    changes::page(app, &admin(), filter, None, 50).await.unwrap().rows
}

#[tokio::test]
async fn only_an_admin_decides_and_only_on_what_was_shown() {
    let (running, _, app, _vendor) = installation(always()).await;
    let id = ticket(&ask(&running, &body()).await);
    let hash = approvals::show(&app, &admin(), &id).await.unwrap().row.hash;
    for role in [Role::Viewer, Role::Operator] {
        let caller = Caller { role, ..admin() };
        assert_eq!(decide(&app, &caller, &id, &hash).await.unwrap_err(), Code::Forbidden);
        let detail = approvals::show(&app, &caller, &id).await.unwrap();
        assert!(!detail.may_decide.allowed);
        assert_eq!(approvals::undo(&app, &caller, &id).await.unwrap_err().code, Code::Forbidden);
    }
    let other = hash.replace(['0', '1', '2', '3'], "f");
    assert_eq!(decide(&app, &admin(), &id, &other).await.unwrap_err(), Code::Conflict);
    assert_eq!(decide(&app, &admin(), "apr_nothing", &hash).await.unwrap_err(), Code::NotFound);
    assert_eq!(stored(&running, &id).await.state, ApprovalState::Pending);
    decide(&app, &admin(), &id, &hash).await.unwrap();
    assert_eq!(decide(&app, &admin(), &id, &hash).await.unwrap_err(), Code::Conflict);
}

#[tokio::test]
async fn no_program_can_approve_anything() {
    let (running, _, _app, _vendor) = installation(always()).await;
    let id = ticket(&ask(&running, &body()).await);
    let url = running.url(&format!("/v1/approvals/{id}"));
    for request in
        [running.http.post(&url), running.http.put(&url), running.http.patch(&url), running.http.delete(&url)]
    {
        let reply = running
            .send(request.bearer_auth(&running.key).json(&json!({"state": "approved"})))
            .await
            .unwrap();
        assert_eq!(reply.status, 405, "{}", reply.body);
    }
    assert_eq!(stored(&running, &id).await.state, ApprovalState::Pending);
}

#[tokio::test]
async fn a_decision_in_the_window_is_told_to_nobody_until_it_can_no_longer_be_taken_back() {
    let (running, clock, app, vendor) = installation(always()).await;
    let window = Caller::local(Source::Window);
    let id = ticket(&ask(&running, &body()).await);
    let row = approve_as(&app, &window, &id, None).await;
    assert!(row.undo_until.is_some());
    assert_eq!(ticket(&ask_with(&running, &body(), &id).await), id);
    approvals::undo(&app, &window, &id).await.unwrap();
    assert_eq!(queue(&app).await.pending, 1);
    approve_as(&app, &window, &id, None).await;
    clock.advance(Duration::from_secs(5));
    let late = approvals::undo(&app, &window, &id).await.unwrap_err();
    assert_eq!(late.code, Code::Conflict);
    assert_eq!(ask_with(&running, &body(), &id).await.status, 200);
    assert_eq!(vendor.observed().received, 1);
    let told: Vec<String> = history(&app).await.into_iter().map(|change| change.sentence).collect();
    assert!(told[0].starts_with("Approved: chat_message for test, up to $"), "{told:?}");
    assert!(told[1].starts_with("Decision taken back") && told[2].starts_with("Approved"), "{told:?}");
}

#[tokio::test]
async fn nobody_approves_their_own_request_while_another_admin_could() {
    let (running, _, app, _vendor) = installation(always()).await;
    let ann = Caller { id: "ann".to_owned(), ..admin() };
    let input = dto::TestRequest { operation: "chat_message".to_owned(), message: "hello".to_owned() };
    trial::send_test_request(&app, &ann, input).await.unwrap_err();
    let row = queue(&app).await.rows.remove(0);
    for name in ["ann", "bob"] {
        let input = dto::PersonInput { name: name.to_owned(), role: "admin".to_owned(), reason: None };
        people::add(&app, &admin(), input).await.unwrap();
    }
    assert_eq!(decide(&app, &ann, &row.id, &row.hash).await.unwrap_err(), Code::Forbidden);
    let why = approvals::show(&app, &ann, &row.id).await.unwrap().may_decide.why.unwrap();
    assert!(why.contains("another admin"), "{why}");
    let bob = Caller { id: "bob".to_owned(), ..admin() };
    decide(&app, &bob, &row.id, &row.hash).await.unwrap();
    running.stop().await;
}

#[tokio::test]
async fn a_request_approved_for_another_target_goes_there_and_nowhere_else() {
    let (running, _, app, vendor) = installation(always()).await;
    let dear = running.add_anthropic("dear").await.unwrap();
    running.add_model("dear/m", Prices::per_mtok("20", "80")).await.unwrap();
    let id = ticket(&ask(&running, &body()).await);
    let detail = approvals::show(&app, &admin(), &id).await.unwrap();
    assert!(detail.other_targets.contains(&"dear/m".to_owned()), "{:?}", detail.other_targets);
    assert_eq!((detail.targets, detail.row.target.as_deref()), (vec!["only/m".to_owned()], Some("only/m")));
    for bad in ["nobody/nothing", "no-slash", "simulator/sim-embed"] {
        let input = dto::ApproveInput {
            id: id.clone(),
            hash: detail.row.hash.clone(),
            target: Some(bad.to_owned()),
            reason: None,
        };
        assert_eq!(approvals::approve(&app, &admin(), input).await.unwrap_err().code, Code::Invalid, "{bad}");
    }
    let row = approve_as(&app, &admin(), &id, Some("dear/m")).await;
    assert_eq!(row.decided_target.as_deref(), Some("dear/m"));
    assert!(
        row.max_cost.unwrap().0.parse::<i64>().unwrap()
            > detail.row.max_cost.unwrap().0.parse::<i64>().unwrap()
    );
    let answer = ask_with(&running, &body(), &id).await;
    assert_eq!((answer.status, answer.header("x-signalbox-provider")), (200, "dear"), "{}", answer.body);
    assert_eq!((vendor.observed().received, dear.observed().received), (0, 1));
}

#[tokio::test]
async fn an_approval_nobody_used_can_be_withdrawn() {
    let (running, _, app, vendor) = installation(always()).await;
    let id = ticket(&ask(&running, &body()).await);
    approve(&app, &id).await;
    let input = dto::WithdrawInput { id: id.clone(), reason: Some("wrong customer".to_owned()) };
    approvals::withdraw(&app, &admin(), input.clone()).await.unwrap();
    let reply = ask_with(&running, &body(), &id).await;
    assert_eq!((reply.status, reply.code()), (403, "approval_not_usable"), "{}", reply.body);
    assert_eq!(approvals::withdraw(&app, &admin(), input).await.unwrap_err().code, Code::Conflict);
    assert_eq!(vendor.observed().received, 0);
}

#[tokio::test]
async fn the_queue_shows_the_request_as_it_will_run_and_what_differs_from_the_last_like_it() {
    let (running, _, app, _vendor) = installation(always()).await;
    let first = ticket(&ask(&running, &body()).await);
    approve(&app, &first).await;
    let mut other = body();
    other["max_tokens"] = json!(200);
    other["messages"][0]["content"] = json!("pay \u{202e}001\u{200b}");
    let id = ticket(&ask(&running, &other).await);
    let detail = approvals::show(&app, &admin(), &id).await.unwrap();
    let shown = detail.shown.unwrap();
    assert!(shown.contains("pay ⟨U+202E⟩001⟨U+200B⟩") && !shown.contains('\u{202e}'), "{shown}");
    assert_eq!(
        (detail.method.as_deref(), detail.path.as_deref()),
        (Some("POST"), Some("/v1/chat/completions"))
    );
    assert_eq!(detail.reasons, ["Every request of this operation needs a person."]);
    let previous = detail.previous.unwrap();
    let names: Vec<&str> = previous.differences.iter().map(|one| one.name.as_str()).collect();
    assert_eq!((previous.id, previous.decided_by.as_str()), (first, "local"));
    assert!(
        names.contains(&"text") && names.contains(&"max_tokens") && names.contains(&"max cost"),
        "{names:?}"
    );
    assert!(!names.contains(&"targets"), "{names:?}");
}

#[tokio::test]
async fn pages_of_both_lists_fit_together_and_count() {
    let (running, _, app, _vendor) = installation(always()).await;
    let mut ids = Vec::new();
    for number in 0..5 {
        let mut other = body();
        other["seed"] = json!(number);
        ids.push(ticket(&ask(&running, &other).await));
    }
    for id in &ids[..2] {
        reject(&app, id, "no").await;
    }
    let (mut seen, mut cursor) = (Vec::new(), None);
    loop {
        let page = approvals::page(&app, &admin(), dto::ApprovalList::Pending, cursor, 2).await.unwrap();
        assert_eq!((page.pending, page.decided_this_week), (3, 2));
        seen.extend(page.rows.into_iter().map(|row| row.id));
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(seen, ids[2..]);
    let decided = approvals::page(&app, &admin(), dto::ApprovalList::Decided, None, 50).await.unwrap();
    assert_eq!(decided.rows.len(), 2);
    assert_eq!(decided.rows[0].reason.as_deref(), Some("no"));
    let bad = approvals::page(&app, &admin(), dto::ApprovalList::Pending, Some("7".to_owned()), 2).await;
    assert_eq!(bad.unwrap_err().code, Code::Invalid);
}

#[tokio::test]
async fn a_policy_is_part_of_the_route_previewed_applied_and_reverted_with_it() {
    let running = TestApp::start().await.unwrap();
    let app = over(&running);
    let now = operations::find(&app, &admin(), "job_planning").await.unwrap();
    let policy = dto::ApprovalPolicy {
        always: false,
        above: Some(dto::Money("500000000".to_owned())),
        budget_warned: false,
        rule: Some(r#"operation.criticality == "high""#.to_owned()),
        hold_s: 30,
        expires_s: 3_600,
    };
    let draft = |policy: dto::ApprovalPolicy| dto::RouteDraft { approval: Some(policy), ..now.draft() };
    let preview = operations::route_preview(&app, &admin(), draft(policy.clone())).await.unwrap();
    assert!(
        preview.sentences[0].contains("more than $0.5, or when operation.criticality"),
        "{:?}",
        preview.sentences
    );
    let bad = dto::ApprovalPolicy {
        above: Some(dto::Money("-1".to_owned())),
        rule: Some("operation == 3".to_owned()),
        hold_s: 10_000,
        expires_s: 1,
        ..policy.clone()
    };
    let preview = operations::route_preview(&app, &admin(), draft(bad)).await.unwrap();
    let fields: Vec<&str> = preview.problems.iter().map(|problem| problem.field.as_str()).collect();
    assert_eq!(fields, ["approval.above", "approval.rule", "approval.hold_s", "approval.expires_s"]);
    operations::route_apply(&app, &admin(), draft(policy.clone())).await.unwrap();
    assert_eq!(operations::find(&app, &admin(), "job_planning").await.unwrap().approval, Some(policy));
    let entry =
        changes::page(&app, &admin(), dto::ChangeFilter::default(), None, 1).await.unwrap().rows.remove(0);
    changes::revert(&app, &admin(), entry.seq, None).await.unwrap();
    assert_eq!(operations::find(&app, &admin(), "job_planning").await.unwrap().approval, None);
    let nothing = dto::ApprovalPolicy { above: None, rule: None, ..operations_policy() };
    let preview = operations::route_preview(&app, &admin(), draft(nothing)).await.unwrap();
    assert!(preview.problems.is_empty() && preview.sentences.is_empty(), "a policy that never asks is none");
}

fn operations_policy() -> dto::ApprovalPolicy {
    let ApprovalPolicy { always, hold_s, expires_s, .. } = ApprovalPolicy::default();
    dto::ApprovalPolicy { always, above: None, budget_warned: false, rule: None, hold_s, expires_s }
}
