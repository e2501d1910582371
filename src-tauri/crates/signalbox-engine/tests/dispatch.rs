//! The way of a request through the whole, over real sockets: failover, streams that break, providers that lie.
//!
//! Named after what users of other gateways complain about.

#![expect(clippy::unwrap_used, reason = "tests stop at the first fault")]

use serde_json::json;
use signalbox_core::failure::FailureKind;
use signalbox_core::ledger::{Outcome, Settlement};
use signalbox_core::meter::CostStatus;
use signalbox_core::money::NanoUsd;
use signalbox_core::provider::ProviderKind;
use signalbox_core::usage::Unit;
use signalbox_simulator::{Dials, ErrorKind};
use signalbox_testkit::{Prices, Reply, TestApp, Vendor, chat_body};

/// $2 and $8 per million tokens: 2,000 and 8,000 nano-dollars a token.
fn prices() -> Prices {
    Prices::per_mtok("2", "8").with(Unit::CachedInputTokens, "0.2")
}

/// Two vendors, `first/m` before `second/m`.
async fn two_vendors() -> (TestApp, Vendor, Vendor) {
    let app = TestApp::start().await.unwrap();
    let first = app.add_openai("first").await.unwrap();
    let second = app.add_anthropic("second").await.unwrap();
    for target in ["first/m", "second/m"] {
        app.add_model(target, prices()).await.unwrap();
    }
    app.set_route("chat_message", &["first/m", "second/m"]).await.unwrap();
    (app, first, second)
}

async fn settlement(app: &TestApp, reply: &Reply) -> Settlement {
    app.settled(reply.request_id().unwrap()).await.unwrap().settlement.unwrap()
}

fn failing(error: ErrorKind) -> Dials {
    Dials { error, error_rate: 1.0, ..Dials::default() }
}

#[tokio::test]
async fn a_provider_that_fails_before_its_first_token_is_replaced_by_the_next_for_every_transient_kind() {
    for (error, kind) in [
        (ErrorKind::RateLimit, FailureKind::RateLimit),
        (ErrorKind::Overloaded, FailureKind::Overloaded),
        (ErrorKind::ServerError, FailureKind::ServerError),
        (ErrorKind::InvalidKey, FailureKind::InvalidKey),
        (ErrorKind::InsufficientQuota, FailureKind::OutOfCredit),
        (ErrorKind::ModelNotFound, FailureKind::ModelNotFound),
        (ErrorKind::Malformed, FailureKind::BadResponse),
    ] {
        for streamed in [false, true] {
            let (app, first, _second) = two_vendors().await;
            first.dials().set(failing(error));
            let id = if streamed {
                let answer = app.chat_streamed("op:chat_message", "hello there").await.unwrap();
                assert!(answer.is_whole(), "{error:?}: {}", answer.text);
                assert_eq!(answer.header("x-signalbox-attempts"), "2", "{error:?}");
                answer.request_id().unwrap()
            } else {
                let reply = app.chat("op:chat_message", "hello there").await.unwrap();
                assert_eq!((reply.status, reply.text()), (200, "You said: hello there"), "{error:?}");
                reply.request_id().unwrap()
            };
            let settlement = app.settled(id).await.unwrap().settlement.unwrap();
            let kinds: Vec<_> = settlement.attempts.iter().map(|attempt| attempt.failure).collect();
            assert_eq!(kinds, [Some(kind), None], "{error:?}, streamed {streamed}");
            assert_eq!(
                settlement.cost(),
                (CostStatus::Exact, Some(NanoUsd::from_nanos(2 * 2_000 + 4 * 8_000)))
            );
        }
    }
}

#[tokio::test]
async fn a_connection_that_breaks_after_the_request_went_out_is_charged_for_its_input_as_an_estimate() {
    let (app, first, _second) = two_vendors().await;
    first.dials().set(failing(ErrorKind::Drop));
    let reply = app.chat("op:chat_message", "hello there").await.unwrap();
    assert_eq!((reply.status, reply.text()), (200, "You said: hello there"));
    let settlement = settlement(&app, &reply).await;
    assert_eq!(settlement.attempts[0].failure, Some(FailureKind::Truncated));
    let (status, cost) = settlement.cost();
    assert_eq!(status, CostStatus::Estimated, "what the first provider billed is not known");
    assert!(cost > Some(NanoUsd::from_nanos(2 * 2_000 + 4 * 8_000)), "{cost:?}");
}

#[tokio::test]
async fn the_clients_own_fault_is_answered_at_once_and_never_tried_elsewhere() {
    for (error, code) in
        [(ErrorKind::BadRequest, "provider_refused"), (ErrorKind::ContextLength, "context_length_exceeded")]
    {
        let (app, first, second) = two_vendors().await;
        first.dials().set(failing(error));
        let reply = app.chat("op:chat_message", "hello").await.unwrap();
        assert_eq!((reply.status, reply.code()), (400, code));
        assert!(second.observed().requests.is_empty(), "{error:?} must not reach the second provider");
    }
}

#[tokio::test]
async fn when_every_target_fails_the_client_hears_each_and_the_row_is_settled_at_nothing() {
    let (app, first, second) = two_vendors().await;
    first.dials().set(failing(ErrorKind::ServerError));
    second.dials().set(failing(ErrorKind::Overloaded));
    let reply = app.chat("op:chat_message", "hello").await.unwrap();
    assert_eq!((reply.status, reply.code()), (502, "all_targets_failed"));
    let settlement = settlement(&app, &reply).await;
    assert_eq!(settlement.outcome, Outcome::Failed);
    let tried: Vec<String> = settlement.attempts.iter().map(|attempt| attempt.target.to_string()).collect();
    assert_eq!(
        tried,
        ["first/m", "second/m", "second/m"],
        "only the last one is tried again, within its budget"
    );
    assert_eq!(settlement.cost(), (CostStatus::Exact, Some(NanoUsd::ZERO)));
}

#[tokio::test]
async fn a_stream_cut_after_content_ends_with_an_error_event_and_never_as_a_clean_answer() {
    for cleanly in [false, true] {
        let (app, first, second) = two_vendors().await;
        first.dials().set(Dials {
            truncate_after_chunks: Some(3),
            truncate_cleanly: cleanly,
            ..Dials::default()
        });
        let answer = app.chat_streamed("op:chat_message", "one two three four five six").await.unwrap();
        assert_eq!(answer.status, 200);
        assert!(!answer.is_whole(), "half an answer must not look whole: {}", answer.text);
        assert!(answer.text.contains("\"error\""), "{}", answer.text);
        assert!(second.observed().requests.is_empty(), "content went out: no other target may answer now");
        let settlement = app.settled(answer.request_id().unwrap()).await.unwrap().settlement.unwrap();
        assert_eq!(settlement.outcome, Outcome::Failed);
        let (status, cost) = settlement.cost();
        assert_eq!(status, CostStatus::Estimated, "the provider bills what it sent; we counted it");
        assert!(cost > Some(NanoUsd::ZERO));
    }
}

#[tokio::test]
async fn a_stream_that_breaks_before_any_content_moves_on_to_the_next_target() {
    let (app, first, _second) = two_vendors().await;
    first.dials().set(Dials { truncate_after_chunks: Some(0), ..Dials::default() });
    let answer = app.chat_streamed("op:chat_message", "hello there").await.unwrap();
    assert!(answer.is_whole(), "{}", answer.text);
    assert_eq!(
        (answer.header("x-signalbox-provider"), answer.answer().as_str()),
        ("second", "You said: hello there")
    );
}

#[tokio::test]
async fn streamed_and_complete_answers_cost_the_same_with_cached_and_reasoning_tokens() {
    for kind in [ProviderKind::Openai, ProviderKind::Anthropic] {
        let app = TestApp::start().await.unwrap();
        let dials = Dials { cached_tokens: 600, reasoning_tokens: 7, ..Dials::default() };
        let _vendor = app.add_vendor("vendor", kind, dials).await.unwrap();
        app.add_model("vendor/m", prices()).await.unwrap();
        app.set_route("chat_message", &["vendor/m"]).await.unwrap();
        let complete = app.chat("op:chat_message", "hello there").await.unwrap();
        let streamed = app.chat_streamed("op:chat_message", "hello there").await.unwrap();
        let complete = settlement(&app, &complete).await;
        let streamed = app.settled(streamed.request_id().unwrap()).await.unwrap().settlement.unwrap();
        assert_eq!(complete.usage(), streamed.usage(), "{kind:?}");
        let by_hand = 2 * 2_000 + 600 * 200 + (4 + 7) * 8_000;
        let expected = (CostStatus::Exact, Some(NanoUsd::from_nanos(by_hand)));
        assert_eq!(
            (complete.cost(), streamed.cost()),
            (expected, expected),
            "{kind:?} {:?}",
            complete.usage()
        );
    }
}

#[tokio::test]
async fn a_provider_that_lies_about_usage_or_keeps_silent_is_counted_by_us_and_marked() {
    let lies = [
        json!({ "missing_usage": true }),
        json!({ "usage_raw": { "prompt_tokens": -5, "completion_tokens": -1, "total_tokens": -6 } }),
        json!({ "usage_raw": { "prompt_tokens": 9_223_372_036_854_775_807_i64, "completion_tokens": 1 } }),
        json!({ "usage_raw": { "prompt_tokens": "many", "completion_tokens": null } }),
    ];
    for lie in lies {
        let app = TestApp::start().await.unwrap();
        let dials: Dials = serde_json::from_value(lie.clone()).unwrap();
        let _vendor = app.add_vendor("vendor", ProviderKind::Openai, dials).await.unwrap();
        app.add_model("vendor/m", prices()).await.unwrap();
        app.set_route("chat_message", &["vendor/m"]).await.unwrap();
        let complete = app.chat("op:chat_message", "hello there").await.unwrap();
        assert_eq!(complete.status, 200, "{lie}");
        let streamed = app.chat_streamed("op:chat_message", "hello there").await.unwrap();
        assert!(streamed.is_whole(), "{lie}");
        for id in [complete.request_id().unwrap(), streamed.request_id().unwrap()] {
            let settlement = app.settled(id).await.unwrap().settlement.unwrap();
            let (status, cost) = settlement.cost();
            assert_eq!(status, CostStatus::Estimated, "{lie}: {:?}", settlement.usage());
            let bounds = NanoUsd::from_nanos(1)..NanoUsd::from_nanos(1_000_000);
            assert!(cost.is_some_and(|cost| bounds.contains(&cost)), "{lie}: {cost:?}");
        }
    }
}

#[tokio::test]
async fn a_model_without_a_price_is_unpriced_and_never_free() {
    let app = TestApp::start().await.unwrap();
    let _vendor = app.add_openai("vendor").await.unwrap();
    app.add_model("vendor/new", Prices::unknown()).await.unwrap();
    app.set_route("chat_message", &["vendor/new"]).await.unwrap();
    let reply = app.chat("op:chat_message", "hello").await.unwrap();
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("x-signalbox-cost-usd"), "", "an unknown cost is not said to be 0");
    assert_eq!(settlement(&app, &reply).await.cost(), (CostStatus::Unpriced, None));
}

#[tokio::test]
async fn payloads_are_kept_only_when_asked_for_and_credentials_never() {
    let (app, _first, _second) = two_vendors().await;
    let silent = app.chat("op:chat_message", "a private thing").await.unwrap();
    let record = app.settled(silent.request_id().unwrap()).await.unwrap();
    assert_eq!((record.start.payload, record.settlement.unwrap().payload), (None, None));
    app.log_payloads().await.unwrap();
    let logged = app.chat("op:chat_message", "a logged thing").await.unwrap();
    let record = app.settled(logged.request_id().unwrap()).await.unwrap();
    assert!(record.start.payload.unwrap().contains("a logged thing"));
    assert!(record.settlement.unwrap().payload.unwrap().contains("You said: a logged thing"));
    let database = std::fs::read(app.database_file()).unwrap();
    for secret in [signalbox_testkit::CREDENTIAL, &app.key] {
        let found = database.windows(secret.len()).any(|window| window == secret.as_bytes());
        assert!(!found, "a secret is in the database file");
    }
}

#[tokio::test]
async fn unknown_fields_reach_a_provider_of_the_same_family_and_ours_never_do() {
    let (app, first, _second) = two_vendors().await;
    let mut body = chat_body("op:chat_message", "hello");
    body["a_future_parameter"] = json!({ "nested": [1, 2, 3] });
    let request = app.post("/v1/chat/completions", &body).header("x-signalbox-user", "ann");
    assert_eq!(app.send(request).await.unwrap().status, 200);
    let seen = first.observed().requests.into_iter().next().unwrap();
    assert_eq!(seen.body["a_future_parameter"], json!({ "nested": [1, 2, 3] }));
    assert_eq!(seen.body["model"], "m");
    assert!(seen.headers.keys().all(|name| !name.contains("signalbox")), "{:?}", seen.headers);
}

#[tokio::test]
async fn what_the_first_target_cannot_do_is_asked_of_the_next_without_blaming_the_first() {
    let app = TestApp::start().await.unwrap();
    let first = app.add_anthropic("first").await.unwrap();
    let second = app.add_openai("second").await.unwrap();
    for target in ["first/m", "second/m"] {
        app.add_model(target, prices()).await.unwrap();
    }
    app.set_route("chat_message", &["first/m", "second/m"]).await.unwrap();
    for _ in 0..7 {
        let mut body = chat_body("op:chat_message", "hello there");
        // Anthropic's form knows one answer to a request; OpenAI's knows several.
        body["n"] = json!(2);
        let reply = app.send(app.post("/v1/chat/completions", &body)).await.unwrap();
        assert_eq!(reply.status, 200, "{}", reply.body);
        assert_eq!(reply.header("x-signalbox-provider"), "second");
        let attempts = settlement(&app, &reply).await.attempts;
        assert_eq!(attempts[0].failure, Some(FailureKind::Unsupported));
        assert_eq!(attempts[0].cost.total, Some(NanoUsd::ZERO));
    }
    assert_eq!(first.observed().received, 0);
    assert_eq!(second.observed().received, 7);
}
