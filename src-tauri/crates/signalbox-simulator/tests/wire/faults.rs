use futures::StreamExt;
use serde_json::{Value, json};
use signalbox_simulator::{Dials, ErrorKind};
use std::time::Duration;
use tokio::time::Instant;

use crate::{Bench, ask, events, say, say_streaming};

fn failing(error: ErrorKind) -> Dials {
    Dials { error, ..Dials::default() }
}

#[tokio::test]
async fn each_error_has_the_status_and_code_of_its_vendor() {
    let bench = Bench::new(Dials::default()).await;
    let table = [
        (ErrorKind::RateLimit, 429, "rate_limit_exceeded", 429, "rate_limit_error"),
        (ErrorKind::InsufficientQuota, 429, "insufficient_quota", 402, "billing_error"),
        (ErrorKind::Overloaded, 503, "", 529, "overloaded_error"),
        (ErrorKind::ServerError, 500, "", 500, "api_error"),
        (ErrorKind::InvalidKey, 401, "invalid_api_key", 401, "authentication_error"),
        (ErrorKind::PermissionDenied, 403, "permission_denied", 403, "permission_error"),
        (ErrorKind::ModelNotFound, 404, "model_not_found", 404, "not_found_error"),
        (ErrorKind::BadRequest, 400, "", 400, "invalid_request_error"),
        (ErrorKind::ContextLength, 400, "context_length_exceeded", 400, "invalid_request_error"),
        (ErrorKind::ContentFilter, 400, "content_filter", 400, "invalid_request_error"),
    ];
    for (kind, openai_status, openai_code, anthropic_status, anthropic_type) in table {
        bench.simulator.dials().set(failing(kind));
        let response = bench.chat(&say("hi")).send().await.unwrap();
        assert_eq!(response.status(), openai_status, "{kind:?}");
        assert_eq!(response.headers().contains_key("retry-after"), openai_status == 429, "{kind:?}");
        let body: Value = response.json().await.unwrap();
        assert_eq!(body["error"]["code"].as_str().unwrap_or_default(), openai_code, "{kind:?}");

        let response = bench.messages(&ask("hi")).send().await.unwrap();
        assert_eq!(response.status(), anthropic_status, "{kind:?}");
        let body: Value = response.json().await.unwrap();
        assert_eq!(body["error"]["type"], anthropic_type, "{kind:?}");
    }
}

#[tokio::test]
async fn a_dropped_connection_closes_before_a_byte_and_the_next_one_is_served() {
    let dials = Dials { error: ErrorKind::Drop, fail_first_n: 1, ..Dials::default() };
    let bench = Bench::new(dials).await;
    let failure = bench.chat(&say("hi")).send().await.unwrap_err();
    assert!(failure.is_request(), "no response arrived: {failure:?}");
    assert_eq!(bench.chat(&say("hi")).send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn garbage_and_nothing_come_with_status_200() {
    let bench = Bench::new(failing(ErrorKind::Malformed)).await;
    let response = bench.chat(&say("hi")).send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert!(response.json::<Value>().await.is_err());
    bench.simulator.dials().set(failing(ErrorKind::Empty));
    let response = bench.chat(&say("hi")).send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.text().await.unwrap(), "");
    bench.simulator.dials().set(failing(ErrorKind::BadGateway));
    let response = bench.chat(&say("hi")).send().await.unwrap();
    assert_eq!(response.status(), 502);
    assert_eq!(response.headers()["content-type"], "text/html");
}

#[tokio::test]
async fn a_refusal_is_a_200_with_its_stop_reason() {
    let bench = Bench::new(failing(ErrorKind::Refusal)).await;
    let answer: Value = bench.chat(&say("hi")).send().await.unwrap().json().await.unwrap();
    assert_eq!(answer["choices"][0]["finish_reason"], "content_filter");
    let answer: Value = bench.messages(&ask("hi")).send().await.unwrap().json().await.unwrap();
    assert_eq!(answer["stop_reason"], "refusal");
}

#[tokio::test]
async fn a_rate_fails_evenly_and_a_header_overrides_one_request() {
    let dials = Dials { error: ErrorKind::ServerError, error_rate: 0.5, ..Dials::default() };
    let bench = Bench::new(dials).await;
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(bench.chat(&say("hi")).send().await.unwrap().status().as_u16());
    }
    assert_eq!(statuses, [200, 500, 200, 500]);

    let one = bench.chat(&say("hi")).header("x-sim-dials", r#"{"error":"rate_limit","error_rate":1}"#);
    assert_eq!(one.send().await.unwrap().status(), 429);
    assert_eq!(bench.chat(&say("hi")).send().await.unwrap().status(), 500);
    let unknown = bench.chat(&say("hi")).header("x-sim-dials", r#"{"speed":1}"#).send().await.unwrap();
    assert_eq!(unknown.status(), 400);
}

#[tokio::test]
async fn a_cut_stream_breaks_and_a_clean_cut_looks_like_an_end() {
    let bench = Bench::new(Dials { truncate_after_chunks: Some(2), ..Dials::default() }).await;
    let response = bench.chat(&say_streaming("one two three")).send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert!(response.text().await.is_err());

    bench.simulator.dials().update(|dials| dials.truncate_cleanly = true);
    let chunks = events(bench.chat(&say_streaming("one two three")).send().await.unwrap()).await;
    let text: String = chunks.iter().filter_map(|c| c["choices"][0]["delta"]["content"].as_str()).collect();
    assert_eq!(text, "You said: ");
    assert!(!chunks.contains(&json!("[DONE]")));
}

#[tokio::test]
async fn a_complete_answer_can_be_cut_in_half_too() {
    let bench = Bench::new(Dials { truncate_after_chunks: Some(1), ..Dials::default() }).await;
    assert!(bench.chat(&say("one two")).send().await.unwrap().text().await.is_err());
}

#[tokio::test]
async fn an_error_inside_a_stream_is_the_vendors_error_event() {
    let dials = Dials { error_after_chunks: Some(1), ..failing(ErrorKind::Overloaded) };
    let bench = Bench::new(dials).await;
    let chunks = events(bench.chat(&say_streaming("hi")).send().await.unwrap()).await;
    assert_eq!(chunks.last().unwrap()["error"]["type"], "server_error");
    let mut body = ask("hi");
    body["stream"] = json!(true);
    let text = bench.messages(&body).send().await.unwrap().text().await.unwrap();
    assert!(
        text.contains("event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\"")
    );
    assert!(!text.contains("message_stop"));
}

#[tokio::test]
async fn odd_but_legal_framing_carries_the_same_events() {
    let bench = Bench::new(Dials::default()).await;
    let plain = events(bench.chat(&say_streaming("caf\u{e9} \u{6771}\u{4eac}")).send().await.unwrap()).await;
    bench.simulator.forget();
    let odd = Dials { sse_comments: true, sse_crlf: true, frame_bytes: Some(3), ..Dials::default() };
    bench.simulator.dials().set(odd);
    let odd = events(bench.chat(&say_streaming("caf\u{e9} \u{6771}\u{4eac}")).send().await.unwrap()).await;
    assert_eq!(plain, odd);
}

#[tokio::test]
async fn a_client_that_leaves_a_stalled_stream_is_seen_as_cancelled() {
    let bench = Bench::new(Dials { stall_after_chunks: Some(1), ..Dials::default() }).await;
    let response = bench.chat(&say_streaming("hello")).send().await.unwrap();
    let mut body = response.bytes_stream();
    assert!(body.next().await.unwrap().is_ok());
    assert_eq!(bench.simulator.observed().in_flight, 1);
    drop(body);
    let observed = bench.simulator.observed_until(|observed| observed.in_flight == 0).await;
    assert_eq!(observed.cancelled, 1);
}

#[tokio::test]
async fn a_client_that_stops_waiting_for_the_first_byte_is_seen_as_cancelled() {
    let bench = Bench::new(failing(ErrorKind::Timeout)).await;
    let request = bench.chat(&say("hi")).send();
    let gave_up = async { bench.simulator.observed_until(|observed| observed.in_flight == 1).await };
    tokio::select! {
        _ = request => panic!("the simulator must not answer"),
        _ = gave_up => {}
    }
    let observed = bench.simulator.observed_until(|observed| observed.in_flight == 0).await;
    assert_eq!(observed.cancelled, 1);
}

#[tokio::test]
async fn shutdown_breaks_off_what_would_never_end() {
    let bench = Bench::new(Dials { stall_after_chunks: Some(0), ..Dials::default() }).await;
    let response = bench.chat(&say_streaming("hello")).send().await.unwrap();
    bench.simulator.shutdown().await;
    assert!(response.text().await.is_err());
}

#[tokio::test(start_paused = true)]
async fn latency_and_intervals_pass_on_the_clock() {
    let dials =
        Dials { latency_ms: 300_000, first_chunk_ms: 60_000, chunk_interval_ms: 10_000, ..Dials::default() };
    let bench = Bench::new(dials).await;
    let start = Instant::now();
    let response = bench.chat(&say_streaming("hi")).send().await.unwrap();
    assert_eq!(whole_seconds(start), 300);
    let chunks = events(response).await;
    assert_eq!(whole_seconds(start), 300 + 60 + 2 * 10);
    assert_eq!(chunks.last().unwrap(), "[DONE]");
}

/// Rounded: the paused clock moves in steps of a millisecond around network events.
fn whole_seconds(start: Instant) -> u64 {
    (start.elapsed() + Duration::from_millis(500)).as_secs()
}
