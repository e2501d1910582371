//! Moving on from a target that fails, in time, and not for ever.

use std::time::{Duration, Instant};

use reqwest::multipart::{Form, Part};
use serde_json::json;
use signalbox_core::breaker::Circuit;
use signalbox_core::failure::FailureKind;
use signalbox_core::health::FAILOVERS_PER_HOUR;
use signalbox_core::ledger::Outcome;
use signalbox_core::operation::Capability;
use signalbox_engine::events::Topic;
use signalbox_simulator::{Dials, ErrorKind};
use signalbox_testkit::{TestApp, chat_body};

use crate::support::*;

#[tokio::test]
async fn a_stream_that_is_cut_stalled_or_garbled_before_content_is_taken_over_by_the_next_target() {
    let app = TestApp::start().await.unwrap();
    let (first, _second) = two_vendors(&app).await;
    edit(&app, "chat_message", |entry| entry.route.targets[0].timeout_ms = Some(300)).await;
    set(&app, &[("breaker_failures", "100")]).await;
    for (dials, kind) in [
        (Dials { truncate_after_chunks: Some(0), ..Dials::default() }, FailureKind::Truncated),
        (Dials { stall_after_chunks: Some(0), ..Dials::default() }, FailureKind::Timeout),
        (Dials { first_chunk_ms: 60_000, ..Dials::default() }, FailureKind::Timeout),
        (Dials { latency_ms: 60_000, ..Dials::default() }, FailureKind::Timeout),
        (failing(ErrorKind::Malformed), FailureKind::BadResponse),
        (
            Dials { error: ErrorKind::ServerError, error_after_chunks: Some(0), ..Dials::default() },
            FailureKind::ServerError,
        ),
    ] {
        first.dials().set(dials.clone());
        // So that neither its record nor the cap on failovers keeps the next call away.
        app.engine.reset_circuits(&provider("first"), "test", None);
        let answer = app.chat_streamed(CHAT, "hello there").await.unwrap();
        assert!(answer.is_whole(), "{dials:?}: {}", answer.text);
        assert_eq!(answer.answer(), "You said: hello there");
        let settlement = settlement_of_stream(&app, &answer).await;
        let tried: Vec<_> =
            settlement.attempts.iter().map(|attempt| (attempt.target.to_string(), attempt.failure)).collect();
        assert_eq!(tried, [("first/m".to_owned(), Some(kind)), ("second/m".to_owned(), None)], "{dials:?}");
    }
    at_rest(&app).await;
}

#[tokio::test]
async fn a_stream_that_stalls_or_fails_after_content_ends_with_an_error_event_and_counts_against_the_target()
{
    let app = TestApp::start().await.unwrap();
    let (first, second) = two_vendors(&app).await;
    set(&app, &[("stream_idle_ms", "200"), ("breaker_failures", "100")]).await;
    for (number, dials) in [
        Dials { stall_after_chunks: Some(2), ..Dials::default() },
        Dials { error: ErrorKind::Overloaded, error_after_chunks: Some(2), ..Dials::default() },
        Dials { truncate_after_chunks: Some(2), ..Dials::default() },
    ]
    .into_iter()
    .enumerate()
    {
        first.dials().set(dials.clone());
        let answer = app.chat_streamed(CHAT, "one two three four five six").await.unwrap();
        assert!(!answer.is_whole() && answer.text.contains("\"error\""), "{dials:?}: {}", answer.text);
        assert_eq!(settlement_of_stream(&app, &answer).await.outcome, Outcome::Failed);
        at_rest(&app).await;
        assert_eq!(standing(&app, "first/m").health.failures().count(), number + 1, "{dials:?}");
    }
    assert_eq!(second.observed().received, 0, "content went out: no other target may answer now");
}

#[tokio::test]
async fn a_429_moves_on_at_once_and_its_cool_down_is_honoured_to_the_second() {
    let (app, clock) = clocked().await;
    let (first, second) = two_vendors(&app).await;
    first.dials().set(Dials { retry_after_s: Some(60), ..failing(ErrorKind::RateLimit) });
    let moved = app.chat(CHAT, "hello").await.unwrap();
    assert_eq!((moved.status, moved.header("x-signalbox-attempts")), (200, "2"));
    first.dials().set(Dials::default());
    clock.advance(Duration::from_secs(59));
    let spared = app.chat(CHAT, "hello").await.unwrap();
    assert_eq!((spared.status, spared.header("x-signalbox-provider")), (200, "second"));
    assert_eq!((first.observed().received, second.observed().received), (1, 2));
    assert_eq!(circuit(&app, "first/m"), Circuit::Closed, "a wish to wait is no fault");
    clock.advance(Duration::from_secs(1));
    let back = app.chat(CHAT, "hello").await.unwrap();
    assert_eq!(back.header("x-signalbox-provider"), "first");
}

#[tokio::test]
async fn when_all_targets_cool_down_the_client_hears_when_to_come_back() {
    let (app, _clock) = clocked().await;
    let vendor = one_vendor(&app).await;
    vendor.dials().set(Dials { retry_after_s: Some(90), ..failing(ErrorKind::RateLimit) });
    for received in [1, 1] {
        let reply = app.chat(CHAT, "hello").await.unwrap();
        assert_eq!((reply.status, reply.code(), reply.header("retry-after")), (429, "rate_limited", "90"));
        assert_eq!(vendor.observed().received, received, "a target that asked to wait is not asked again");
    }
}

#[tokio::test]
async fn the_only_target_that_asks_for_a_moment_gets_it_instead_of_the_client_an_error() {
    let app = TestApp::start().await.unwrap();
    let vendor = one_vendor(&app).await;
    vendor.dials().set(Dials {
        error: ErrorKind::RateLimit,
        fail_first_n: 1,
        retry_after_s: Some(1),
        ..Dials::default()
    });
    let reply = app.chat(CHAT, "hello").await.unwrap();
    assert_eq!((reply.status, reply.header("x-signalbox-attempts")), (200, "2"), "{}", reply.body);
    let tried = settlement(&app, &reply).await.attempts;
    assert!(tried[1].started_us - tried[0].finished_us >= 1_000_000, "it waited as long as it was asked to");
}

#[tokio::test]
async fn every_500_502_and_503_moves_on() {
    for error in [ErrorKind::ServerError, ErrorKind::BadGateway, ErrorKind::Overloaded] {
        let app = TestApp::start().await.unwrap();
        let (first, _second) = two_vendors(&app).await;
        first.dials().set(failing(error));
        let reply = app.chat(CHAT, "hello").await.unwrap();
        assert_eq!((reply.status, reply.header("x-signalbox-provider")), (200, "second"), "{error:?}");
        let hop = {
            let tried = settlement(&app, &reply).await.attempts;
            tried[1].started_us - tried[0].finished_us
        };
        assert!(hop < 100_000, "a hop took {hop} us of our own time");
    }
}

#[tokio::test]
async fn a_dead_target_is_not_called_again_by_every_message() {
    let (app, clock) = clocked().await;
    let (first, _second) = two_vendors(&app).await;
    first.dials().set(failing(ErrorKind::ServerError));
    for _ in 0..10 {
        let reply = app.chat(CHAT, "hello").await.unwrap();
        assert_eq!((reply.status, reply.header("x-signalbox-provider")), (200, "second"));
    }
    assert_eq!(first.observed().received, 3, "after three failures its circuit is open");
    first.dials().set(Dials::default());
    clock.advance(Duration::from_mins(5));
    assert_eq!(app.chat(CHAT, "hello").await.unwrap().header("x-signalbox-provider"), "first");
}

#[tokio::test]
async fn after_the_fifth_failover_within_the_hour_the_target_is_skipped_for_that_operation_alone() {
    let (app, clock) = clocked().await;
    let (first, _second) = two_vendors(&app).await;
    set(&app, &[("breaker_failures", "100")]).await;
    first.dials().set(failing(ErrorKind::ServerError));
    for _ in 0..8 {
        assert_eq!(app.chat(CHAT, "hello").await.unwrap().status, 200);
    }
    let before = u64::try_from(FAILOVERS_PER_HOUR).unwrap();
    assert_eq!(first.observed().received, before);
    let capped = |app: &TestApp, id| app.engine.health.capped_until(&operation(id), &target("first/m"));
    assert!(capped(&app, "chat_message").is_some());
    assert_eq!(capped(&app, "agent_execution"), None);
    let app = app.restart().await.unwrap();
    assert_eq!(app.chat(CHAT, "hello").await.unwrap().header("x-signalbox-attempts"), "1");
    assert_eq!(first.observed().received, before, "a restart forgets no failover");
    assert!(capped(&app, "chat_message").is_some());
    first.dials().set(Dials::default());
    clock.advance(Duration::from_secs(3_601));
    assert_eq!(app.chat(CHAT, "hello").await.unwrap().header("x-signalbox-provider"), "first");
}

#[tokio::test]
async fn the_clients_deadline_holds_across_all_attempts() {
    for streamed in [false, true] {
        let app = TestApp::start().await.unwrap();
        let (first, second) = two_vendors(&app).await;
        edit(&app, "chat_message", |entry| entry.route.targets[0].timeout_ms = Some(150)).await;
        for vendor in [&first, &second] {
            vendor.dials().set(failing(ErrorKind::Timeout));
        }
        let mut body = chat_body(CHAT, "hello");
        body["stream"] = json!(streamed);
        let request = app.post("/v1/chat/completions", &body).header("x-signalbox-timeout-ms", "400");
        let began = Instant::now();
        let reply = app.send(request).await.unwrap();
        assert_eq!((reply.status, reply.code()), (504, "deadline_exceeded"), "{}", reply.body);
        let took = began.elapsed();
        assert!((400..15_000).contains(&took.as_millis()), "{took:?}");
        let settlement = settlement(&app, &reply).await;
        let kinds: Vec<_> = settlement.attempts.iter().map(|attempt| attempt.failure).collect();
        assert_eq!(kinds, [Some(FailureKind::Timeout), Some(FailureKind::Timeout)]);
        assert_eq!(settlement.error_code.as_deref(), Some("deadline_exceeded"));
        at_rest(&app).await;
        assert_eq!(
            standing(&app, "second/m").health.failures().count(),
            0,
            "a client in a hurry says nothing about the target"
        );
        assert_eq!(standing(&app, "first/m").health.failures().count(), 1);
        until("the provider's calls are cancelled", || second.observed().in_flight == 0).await;
    }
}

#[tokio::test]
async fn a_routes_own_deadline_counts_like_a_clients() {
    let app = TestApp::start().await.unwrap();
    let vendor = one_vendor(&app).await;
    vendor.dials().set(failing(ErrorKind::Timeout));
    edit(&app, "chat_message", |entry| entry.route.deadline_ms = Some(200)).await;
    let reply = app.chat(CHAT, "hello").await.unwrap();
    assert_eq!((reply.status, reply.code()), (504, "deadline_exceeded"));
}

#[tokio::test]
async fn a_fault_of_the_clients_own_request_never_speaks_against_a_target() {
    let app = TestApp::start().await.unwrap();
    let (first, second) = two_vendors(&app).await;
    for error in [ErrorKind::BadRequest, ErrorKind::ContextLength, ErrorKind::ContentFilter] {
        first.dials().set(failing(error));
        for _ in 0..4 {
            assert_eq!(app.chat(CHAT, "hello").await.unwrap().status, 400, "{error:?}");
        }
    }
    assert_eq!((circuit(&app, "first/m"), second.observed().received), (Circuit::Closed, 0));
}

#[tokio::test]
async fn the_last_target_is_tried_again_a_little_and_a_brown_out_gets_no_storm() {
    let (app, _clock) = clocked().await;
    let vendor = one_vendor(&app).await;
    set(&app, &[("breaker_failures", "100")]).await;
    vendor.dials().set(Dials { fail_first_n: 1, ..Dials::default() });
    let reply = app.chat(CHAT, "hello").await.unwrap();
    assert_eq!((reply.status, reply.header("x-signalbox-attempts")), (200, "2"));
    vendor.dials().set(failing(ErrorKind::ServerError));
    let before = vendor.observed().received;
    for _ in 0..50 {
        assert_eq!(app.chat(CHAT, "hello").await.unwrap().status, 502);
    }
    let calls = vendor.observed().received - before;
    assert!((50..=61).contains(&calls), "{calls} calls for 50 requests");
}

#[tokio::test]
async fn a_full_provider_is_passed_over_and_used_again_when_there_is_room() {
    let app = TestApp::start().await.unwrap();
    let (first, _second) = two_vendors(&app).await;
    limit_provider(&app, "first", 1).await;
    first.dials().set(Dials { latency_ms: 60_000, ..Dials::default() });
    let slow = app.post("/v1/chat/completions", &chat_body(CHAT, "slow"));
    let slow = sent(slow, "the first call is on its way", || first.observed().in_flight == 1).await;
    let reply = app.chat(CHAT, "hello").await.unwrap();
    assert_eq!((reply.status, reply.header("x-signalbox-provider")), (200, "second"));
    assert_eq!(reply.header("x-signalbox-attempts"), "1", "it was not even tried");
    let pinned = app.post("/v1/chat/completions", &chat_body("first/m", "hello"));
    let refused = app.send(pinned.header("x-signalbox-operation", "chat_message")).await.unwrap();
    assert_eq!((refused.status, refused.code(), refused.header("retry-after")), (429, "rate_limited", "1"));
    drop(slow);
    at_rest(&app).await;
    first.dials().set(Dials::default());
    assert_eq!(app.chat(CHAT, "hello").await.unwrap().header("x-signalbox-provider"), "first");
}

#[tokio::test]
async fn a_card_keeps_answers_short_whatever_the_client_asks() {
    let app = TestApp::start().await.unwrap();
    let (first, second) = two_vendors(&app).await;
    edit(&app, "chat_message", |entry| {
        entry.route.targets[0].max_output = Some(50);
        entry.route.targets[1].max_output = Some(20);
    })
    .await;
    let ask = async |limit: Option<u64>| {
        let mut body = chat_body(CHAT, "hello");
        if let Some(limit) = limit {
            body["max_tokens"] = json!(limit);
        }
        assert_eq!(app.send(app.post("/v1/chat/completions", &body)).await.unwrap().status, 200);
    };
    let limit_seen = |vendor: &signalbox_testkit::Vendor| {
        vendor.observed().requests.last().unwrap().body["max_tokens"].as_u64()
    };
    for (asked, capped) in [(None, 50), (Some(4_000), 50), (Some(7), 7)] {
        ask(asked).await;
        assert_eq!(limit_seen(&first), Some(capped), "{asked:?}");
    }
    first.dials().set(failing(ErrorKind::ServerError));
    ask(Some(40)).await;
    assert_eq!(limit_seen(&second), Some(20), "each target has a limit of its own");
}

#[tokio::test]
async fn every_kind_of_work_and_every_surface_takes_the_same_way_past_a_target_that_fails() {
    let app = TestApp::start().await.unwrap();
    let (first, _second) = two_vendors(&app).await;
    let other = app.add_openai("other").await.unwrap();
    for (operation, capability, model) in [
        ("memory_synthesis", Capability::Embedding, "vectors"),
        ("text_to_speech", Capability::Speech, "voice"),
        ("audio_transcription", Capability::Transcription, "ears"),
    ] {
        let targets = [format!("first/{model}"), format!("other/{model}")];
        for target in &targets {
            add_model_for(&app, target, capability).await;
        }
        app.set_route(operation, &[&targets[0], &targets[1]]).await.unwrap();
        edit(&app, operation, |entry| entry.operation.capability = capability).await;
    }
    first.dials().set(failing(ErrorKind::ServerError));
    let json = |path: &str, body: serde_json::Value| app.post(path, &body);
    let sound = Part::bytes(vec![7; 4_000]).file_name("a.mp3").mime_str("audio/mpeg").unwrap();
    let form = Form::new().text("model", "op:audio_transcription").part("file", sound);
    let requests = [
        json("/v1/embeddings", json!({"model": "op:memory_synthesis", "input": ["a", "b"]})),
        json("/v1/audio/speech", json!({"model": "op:text_to_speech", "input": "hello", "voice": "alloy"})),
        app.http.post(app.url("/v1/audio/transcriptions")).bearer_auth(&app.key).multipart(form),
        json("/v1/responses", json!({"model": CHAT, "input": "hello"})),
        json("/v1/messages", signalbox_testkit::message_body(CHAT, "hello")),
    ];
    for request in requests {
        let reply = app.send(request).await.unwrap();
        let path = settlement(&app, &reply).await;
        let tried: Vec<_> = path.attempts.iter().map(|attempt| attempt.failure).collect();
        assert_eq!(
            (reply.status, tried),
            (200, vec![Some(FailureKind::ServerError), None]),
            "{}",
            reply.body
        );
    }
    assert_eq!(other.observed().received, 3);
    for streamed in ["/v1/responses", "/v1/messages"] {
        app.engine.reset_circuits(&provider("first"), "test", None);
        let body = match streamed {
            "/v1/responses" => json!({"model": CHAT, "input": "hello", "stream": true}),
            _ => json!({"model": CHAT, "max_tokens": 50, "stream": true,
                "messages": [{"role": "user", "content": "hello"}]}),
        };
        // An opening event that is valid and says nothing is no answer yet.
        first.dials().set(Dials { error_after_chunks: Some(0), ..failing(ErrorKind::InsufficientQuota) });
        let answer = app.send_streamed(app.post(streamed, &body)).await.unwrap();
        assert_eq!((answer.status, answer.header("x-signalbox-provider")), (200, "second"), "{streamed}");
        assert!(!answer.text.contains("quota"), "{streamed}: {}", answer.text);
    }
    at_rest(&app).await;
}

#[tokio::test]
async fn a_target_without_a_price_is_told_of_and_left_out_where_the_policy_says_so() {
    let app = TestApp::start().await.unwrap();
    let _vendor = app.add_openai("vendor").await.unwrap();
    app.add_model("vendor/new", signalbox_testkit::Prices::unknown()).await.unwrap();
    app.set_route("chat_message", &["vendor/new"]).await.unwrap();
    let mut events = app.engine.events.subscribe();
    assert_eq!(app.chat(CHAT, "hello").await.unwrap().status, 200);
    assert!(std::iter::from_fn(|| events.try_recv().ok()).any(|topic| topic == Topic::Health));
    set(&app, &[("unpriced_policy", "block")]).await;
    let reply = app.chat(CHAT, "hello").await.unwrap();
    assert_eq!((reply.status, reply.code()), (503, "no_target_available"));
    assert!(reply.body.to_string().contains("no price"), "{}", reply.body);
}
