//! What a program meets: the refusal, its place in the queue, and the one request an approval is for.

use std::time::Duration;

use serde_json::{Value, json};
use signalbox_app::{approvals, dto};
use signalbox_core::approval::{ApprovalPolicy, ApprovalState, PENDING_MAX};
use signalbox_core::ids::RequestId;
use signalbox_core::money::NanoUsd;
use signalbox_core::price::{PriceCard, usd_per_million};
use signalbox_core::time::Timestamp;
use signalbox_core::usage::Unit;
use signalbox_store::ConfigWrite;
use signalbox_testkit::{Prices, Reply};

use crate::support::*;

#[tokio::test]
async fn a_request_goes_out_once_it_is_approved_and_never_again() {
    let (running, _, app, vendor) = installation(always()).await;
    let refused = ask(&running, &body()).await;
    let id = ticket(&refused);
    assert!(!refused.header("retry-after").is_empty());
    assert_eq!(refused.body["error"]["type"], "permission_error");
    let poll = async || {
        running
            .send(running.http.get(running.url(&format!("/v1/approvals/{id}"))).bearer_auth(&running.key))
            .await
            .unwrap()
    };
    assert_eq!((poll().await.status, &poll().await.body["state"]), (200, &json!("pending")));
    assert_eq!((vendor.observed().received, running.rows().await.unwrap().len()), (0, 0));
    assert_eq!(ticket(&ask_with(&running, &body(), &id).await), id, "it is not decided yet");

    approve(&app, &id).await;
    assert_eq!(poll().await.body["state"], "approved");
    let answer = ask_with(&running, &body(), &id).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let again = ask_with(&running, &body(), &id).await;
    assert_eq!((again.status, again.code()), (403, "approval_not_usable"), "{}", again.body);
    assert_eq!(vendor.observed().received, 1);
    let used = stored(&running, &id).await;
    assert_eq!((used.state, used.shown), (ApprovalState::Consumed, None));
    assert_eq!(used.ending.unwrap().request, Some(answer.request_id().unwrap()));
    assert_eq!(poll().await.body["state"], "consumed");
    running.verify().await.unwrap();
}

#[tokio::test]
async fn an_approval_is_for_this_request_of_this_key_and_no_other() {
    let (running, _, app, vendor) = installation(always()).await;
    let id = ticket(&ask(&running, &body()).await);
    approve(&app, &id).await;
    let post = || running.post("/v1/chat/completions", &body()).header("x-signalbox-approval", &id);
    let with = |name: &str, value: Value| {
        let mut other = body();
        other[name] = value;
        running.post("/v1/chat/completions", &other).header("x-signalbox-approval", &id)
    };
    let other_key = running.create_key(&[]).await.unwrap();
    let others = [
        ("text", with("messages", json!([{"role": "user", "content": "hello\u{200b}"}]))),
        ("max_tokens", with("max_tokens", json!(101))),
        ("temperature", with("temperature", json!(0))),
        ("stream", with("stream", json!(true))),
        ("user", post().header("x-signalbox-user", "eve")),
        ("tags", post().header("x-signalbox-tags", "team=growth")),
        ("model", with("model", json!("only/m")).header("x-signalbox-operation", "chat_message")),
        ("key", post().header("x-api-key", &other_key)),
    ];
    for (what, request) in others {
        let request = if what == "key" {
            running
                .http
                .post(running.url("/v1/chat/completions"))
                .bearer_auth(&other_key)
                .json(&body())
                .header("x-signalbox-approval", &id)
        } else {
            request
        };
        let reply = running.send(request).await.unwrap();
        assert_eq!((reply.status, reply.code()), (403, "approval_not_usable"), "{what}: {}", reply.body);
    }
    let elsewhere =
        json!({"model": CHAT, "max_tokens": 100, "messages": [{"role": "user", "content": "hello"}]});
    let reply = running
        .send(running.post("/v1/messages", &elsewhere).header("x-signalbox-approval", &id))
        .await
        .unwrap();
    assert_eq!((reply.status, reply.code()), (403, "approval_not_usable"), "another API: {}", reply.body);
    let poll = running.http.get(running.url(&format!("/v1/approvals/{id}"))).bearer_auth(&other_key);
    assert_eq!(
        running.send(poll).await.unwrap().status,
        404,
        "another key does not even learn that it exists"
    );
    assert_eq!(vendor.observed().received, 0);
    let reordered: Value = serde_json::from_str(r#"{"max_tokens": 100, "messages": [{"content": "hello", "role": "user"}], "model": "op:chat_message"}"#).unwrap();
    assert_eq!(ask_with(&running, &reordered, &id).await.status, 200, "the order of fields is no difference");
}

#[tokio::test]
async fn an_approval_ends_with_the_route_it_was_given_on() {
    let (running, _, app, vendor) = installation(always()).await;
    let id = ticket(&ask(&running, &body()).await);
    approve(&app, &id).await;
    edit(&running, "chat_message", |entry| entry.route.deadline_ms = Some(60_000)).await;
    let reply = ask_with(&running, &body(), &id).await;
    assert_eq!((reply.status, reply.code()), (403, "approval_not_usable"), "{}", reply.body);
    assert!(reply.body["error"]["message"].as_str().unwrap().contains("route has changed"), "{}", reply.body);
    assert_eq!(vendor.observed().received, 0);
}

#[tokio::test]
async fn a_request_that_became_dearer_than_approved_is_refused() {
    let (running, _, app, vendor) = installation(always()).await;
    let id = ticket(&ask(&running, &body()).await);
    approve(&app, &id).await;
    let card = PriceCard {
        effective_from: Timestamp::parse("2026-11-21T11:59:59Z").unwrap(),
        units: [Unit::InputTokens, Unit::OutputTokens]
            .into_iter()
            .map(|unit| (unit, usd_per_million("20").unwrap()))
            .collect(),
        ..running.engine.live().snapshot.models[&"only/m".parse().unwrap()].cards[0].clone()
    };
    running.write(vec![ConfigWrite::PutPriceCard { target: "only/m".parse().unwrap(), card }]).await.unwrap();
    let reply = ask_with(&running, &body(), &id).await;
    assert_eq!((reply.status, reply.code()), (403, "approval_not_usable"), "{}", reply.body);
    assert_eq!(vendor.observed().received, 0);
}

#[tokio::test]
async fn of_200_that_come_with_one_approval_at_once_one_goes_out() {
    let (running, _, app, vendor) = installation(always()).await;
    let id = ticket(&ask(&running, &body()).await);
    approve(&app, &id).await;
    let asked = body();
    let crowd = (0..200).map(|_| ask_with(&running, &asked, &id));
    let replies: Vec<Reply> = futures::future::join_all(crowd).await;
    assert_eq!(replies.iter().filter(|reply| reply.status == 200).count(), 1);
    assert!(replies.iter().all(|reply| reply.status == 200 || reply.code() == "approval_not_usable"));
    assert_eq!(vendor.observed().received, 1);
    running.verify().await.unwrap();
}

#[tokio::test]
async fn after_a_crash_between_use_and_dispatch_the_approval_is_gone_and_nothing_was_sent() {
    let (running, clock, app, vendor) = installation(always()).await;
    let id = ticket(&ask(&running, &body()).await);
    approve(&app, &id).await;
    // As a process leaves it that died right after the use was written.
    let approval = stored(&running, &id).await;
    let used = approval.consume(RequestId::generate(), running.engine.control.now()).unwrap();
    assert!(running.engine.control.store.step_approval(&used, approval.version).await.unwrap());
    drop((app, clock));
    let running = running.restart().await.unwrap();
    let reply = ask_with(&running, &body(), &id).await;
    assert_eq!((reply.status, reply.code()), (403, "approval_not_usable"), "{}", reply.body);
    assert_eq!((vendor.observed().received, running.rows().await.unwrap().len()), (0, 0));
}

#[tokio::test]
async fn an_approval_survives_a_restart() {
    let (running, clock, app, vendor) = installation(always()).await;
    let id = ticket(&ask(&running, &body()).await);
    approve(&app, &id).await;
    drop((app, clock));
    let running = running.restart().await.unwrap();
    assert_eq!(ask_with(&running, &body(), &id).await.status, 200);
    assert_eq!(vendor.observed().received, 1);
}

#[tokio::test]
async fn identical_retries_are_one_ticket_and_nobody_fills_the_queue() {
    let (running, _, app, _vendor) = installation(always()).await;
    let id = ticket(&ask(&running, &body()).await);
    for _ in 0..5 {
        assert_eq!(ticket(&ask(&running, &body()).await), id);
    }
    running.engine.tidy_approvals().await.unwrap();
    let page = queue(&app).await;
    assert_eq!((page.pending, page.rows[0].repeats), (1, 5));
    for number in 1..PENDING_MAX {
        let mut other = body();
        other["seed"] = json!(number);
        ticket(&ask(&running, &other).await);
    }
    let mut one_more = body();
    one_more["seed"] = json!(99);
    for _ in 0..2 {
        let reply = ask(&running, &one_more).await;
        assert_eq!((reply.status, reply.code()), (429, "approval_queue_full"), "{}", reply.body);
    }
    approve(&app, &id).await;
    ticket(&ask(&running, &one_more).await);
    assert_eq!(queue(&app).await.pending, PENDING_MAX);
}

#[tokio::test]
async fn a_rejection_is_told_with_its_reason_and_not_asked_again_at_once() {
    let (running, clock, app, vendor) = installation(always()).await;
    let id = ticket(&ask(&running, &body()).await);
    reject(&app, &id, "too dear").await;
    for reply in [ask_with(&running, &body(), &id).await, ask(&running, &body()).await] {
        assert_eq!((reply.status, reply.code()), (403, "approval_rejected"), "{}", reply.body);
        assert!(reply.body["error"]["message"].as_str().unwrap().contains("too dear"));
    }
    let poll = running.http.get(running.url(&format!("/v1/approvals/{id}"))).bearer_auth(&running.key);
    let poll = running.send(poll).await.unwrap();
    assert_eq!((&poll.body["state"], &poll.body["reason"]), (&json!("rejected"), &json!("too dear")));
    clock.advance(Duration::from_mins(11));
    assert_ne!(ticket(&ask(&running, &body()).await), id);
    assert_eq!(vendor.observed().received, 0);
}

#[tokio::test]
async fn an_approval_expires_whether_or_not_somebody_approved_it() {
    let policy = ApprovalPolicy { expires_s: 3_600, ..always() };
    let (running, clock, app, vendor) = installation(policy).await;
    let id = ticket(&ask(&running, &body()).await);
    let mut other = body();
    other["seed"] = json!(1);
    let undecided = ticket(&ask(&running, &other).await);
    approve(&app, &id).await;
    clock.advance(Duration::from_hours(1));
    let reply = ask_with(&running, &body(), &id).await;
    assert_eq!((reply.status, reply.code()), (403, "approval_not_usable"), "{}", reply.body);
    running.engine.tidy_approvals().await.unwrap();
    for id in [&id, &undecided] {
        let expired = stored(&running, id).await;
        assert_eq!((expired.state, expired.shown), (ApprovalState::Expired, None));
    }
    let hash = approvals::show(&app, &admin(), &undecided).await.unwrap().row.hash;
    let late = approvals::approve(
        &app,
        &admin(),
        dto::ApproveInput { id: undecided, hash, target: None, reason: None },
    )
    .await;
    assert_eq!(late.unwrap_err().code, signalbox_app::Code::Conflict);
    assert_eq!(vendor.observed().received, 0);
}

#[tokio::test]
async fn a_client_that_is_kept_waiting_gets_its_answer_when_another_process_approves() {
    let (running, clock, app, vendor) = installation(ApprovalPolicy { hold_s: 60, ..always() }).await;
    let command_line = beside(&running, clock).await;
    let decide = async {
        let id = until_one_waits(&app).await;
        approve(&command_line, &id).await;
        id
    };
    let asked = body();
    let (reply, id) = tokio::join!(ask(&running, &asked), decide);
    assert_eq!((reply.status, vendor.observed().received), (200, 1), "{}", reply.body);
    assert_eq!(stored(&running, &id).await.state, ApprovalState::Consumed);
    let reject_it = async {
        let id = until_one_waits(&app).await;
        reject(&command_line, &id, "not today").await;
    };
    let (reply, ()) = tokio::join!(ask(&running, &asked), reject_it);
    assert_eq!((reply.status, reply.code()), (403, "approval_rejected"), "{}", reply.body);
    assert_eq!(vendor.observed().received, 1);
}

#[tokio::test]
async fn a_client_that_waits_too_long_or_leaves_keeps_its_place_in_the_queue() {
    let (running, _, app, vendor) = installation(ApprovalPolicy { hold_s: 60, ..always() }).await;
    let impatient = running.post("/v1/chat/completions", &body()).header("x-signalbox-timeout-ms", "50");
    let id = ticket(&running.send(impatient).await.unwrap());
    let mut other = body();
    other["seed"] = json!(1);
    let mut leaving = Box::pin(ask(&running, &other));
    let both_wait = async {
        while queue(&app).await.pending < 2 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::select! {
        reply = &mut leaving => assert_eq!(reply.status, 0, "it was not kept waiting"),
        () = both_wait => {}
    }
    drop(leaving);
    approve(&app, &id).await;
    assert_eq!(ask_with(&running, &body(), &id).await.status, 200);
    assert_eq!((vendor.observed().received, queue(&app).await.pending), (1, 1));
}

#[tokio::test]
async fn only_what_the_policy_names_needs_a_person() {
    let policy = ApprovalPolicy { above: Some(NanoUsd::from_nanos(2_000_000)), ..ApprovalPolicy::default() };
    let (running, _, _app, vendor) = installation(policy).await;
    assert_eq!(ask(&running, &body()).await.status, 200, "100 output tokens cost less than $0.002");
    let mut long = body();
    long["max_tokens"] = json!(4_000);
    ticket(&ask(&running, &long).await);
    assert_eq!(vendor.observed().received, 1);
    running.add_model("only/bare", Prices::unknown()).await.unwrap();
    edit(&running, "chat_message", |entry| entry.route.targets[0].target = "only/bare".parse().unwrap())
        .await;
    ticket(&ask(&running, &body()).await);
}

#[tokio::test]
async fn each_family_gets_the_refusal_in_its_own_shape() {
    let (running, ..) = installation(always()).await;
    let message = json!({"model": CHAT, "max_tokens": 5, "messages": [{"role": "user", "content": "hello"}]});
    let reply = running.send(running.post("/v1/messages", &message)).await.unwrap();
    assert_eq!((reply.status, &reply.body["type"]), (403, &json!("error")));
    assert_eq!(
        (&reply.body["error"]["type"], reply.code()),
        (&json!("permission_error"), "approval_required")
    );
    assert_eq!(reply.body["error"]["approval"]["state"], "pending");
    let malformed = running.post("/v1/messages", &message).header("x-signalbox-approval", "apr_no");
    let reply = running.send(malformed).await.unwrap();
    assert_eq!((reply.status, reply.code()), (400, "invalid_request"), "{}", reply.body);
}

/// What must never be written anywhere by a request that only asks.
#[tokio::test]
async fn what_a_request_says_is_kept_only_while_somebody_decides_on_it() {
    let (running, _, app, _vendor) = installation(always()).await;
    let mut secret = body();
    secret["messages"][0]["content"] = json!("the canary sings at midnight");
    let id = ticket(&ask(&running, &secret).await);
    assert!(stored(&running, &id).await.shown.unwrap().contains("canary"));
    approve(&app, &id).await;
    assert_eq!(ask_with(&running, &secret, &id).await.status, 200);
    let detail = approvals::show(&app, &admin(), &id).await.unwrap();
    assert!(!serde_json::to_string(&detail).unwrap().contains("canary"));
    assert!(detail.row.request_id.is_some());
}
