//! Starting, stopping, clients that leave, ports that are taken.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use serde_json::json;
use signalbox_core::ledger::Outcome;
use signalbox_gateway::{Exposure, Gateway, GatewayError};
use signalbox_simulator::Dials;
use signalbox_testkit::{Prices, TestApp, chat_body};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

/// Far beyond what each step takes; reached only when something hangs.
const PATIENCE: Duration = Duration::from_secs(15);

async fn app() -> TestApp {
    let app = TestApp::start().await.unwrap();
    app.set_route("chat_message", &["simulator/sim-chat"]).await.unwrap();
    app
}

fn streamed(app: &TestApp) -> reqwest::RequestBuilder {
    let mut body = chat_body("op:chat_message", "hello");
    body["stream"] = json!(true);
    app.post("/v1/chat/completions", &body)
}

/// The same, byte by byte.
fn raw_stream_request(app: &TestApp) -> String {
    let mut body = chat_body("op:chat_message", "hello");
    body["stream"] = json!(true);
    let body = body.to_string();
    format!(
        "POST /v1/chat/completions HTTP/1.1\r\nHost: {}\r\nx-api-key: {}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{body}",
        app.addr,
        app.key,
        body.len()
    )
}

#[tokio::test]
async fn a_taken_port_and_an_address_others_can_reach_are_refused_by_name() {
    let app = app().await;
    let bind = |addr: SocketAddr| Gateway::bind(Arc::clone(&app.engine), addr, Exposure::default());
    let taken = bind(app.addr).await.unwrap_err();
    assert!(matches!(taken, GatewayError::PortTaken { .. }), "{taken:?}");
    assert!(taken.to_string().contains(&app.addr.port().to_string()), "{taken}");
    if let Ok(other) = TcpListener::bind("[::1]:0").await {
        let beside = SocketAddr::from((Ipv4Addr::LOCALHOST, other.local_addr().unwrap().port()));
        let taken = bind(beside).await.unwrap_err();
        assert!(matches!(taken, GatewayError::PortTaken { .. }), "{taken:?}");
    }
    let open = bind(SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0))).await.unwrap_err();
    assert!(matches!(open, GatewayError::NotLoopback { .. }), "{open:?}");
}

#[tokio::test]
async fn a_client_that_leaves_before_or_during_the_answer_cancels_the_provider_and_is_charged() {
    let app = app().await;
    let dials = app.simulator_dials().unwrap();
    dials.set(Dials { latency_ms: 60_000, ..Dials::default() });
    let simulator = app.simulator().unwrap();
    let waiting = app.post("/v1/chat/completions", &chat_body("op:chat_message", "hello")).send();
    let left = tokio::select! {
        _ = waiting => false,
        _ = simulator.observed_until(|seen| seen.in_flight == 1) => true,
    };
    assert!(left, "the answer came before its time");
    let seen = simulator.observed_until(|seen| seen.cancelled == 1);
    timeout(PATIENCE, seen).await.expect("the provider's call goes on without a client");

    dials.set(Dials { chunk_interval_ms: 60_000, output_tokens: Some(50), ..Dials::default() });
    let mut response = streamed(&app).send().await.unwrap();
    let first = response.chunk().await.unwrap();
    assert!(first.is_some());
    drop(response);
    let seen = simulator.observed_until(|seen| seen.cancelled == 2);
    timeout(PATIENCE, seen).await.expect("the provider's stream goes on without a client");

    let rows = app.settled_rows(2).await.unwrap();
    for row in rows {
        let end = row.end.unwrap();
        assert_eq!(end.outcome, Outcome::Cancelled);
        assert!(end.cost.is_some(), "a row without cost");
    }
    assert_eq!(app.engine.in_flight(), 0);
    app.verify().await.unwrap();
}

#[tokio::test]
async fn wherever_in_a_stream_a_client_leaves_its_row_is_settled_with_its_cost_and_nothing_leaks() {
    let app = app().await;
    let alpha = app.add_openai("alpha").await.unwrap();
    app.add_model("alpha/gpt-test", Prices::per_mtok("2", "8")).await.unwrap();
    app.set_route("chat_message", &["alpha/gpt-test"]).await.unwrap();
    alpha.dials().update(|dials| {
        dials.chunk_interval_ms = 1;
        dials.output_tokens = Some(12);
    });
    let request = raw_stream_request(&app);
    let mut leaves = 0;
    for bytes_read in (0..4_500).step_by(75) {
        let mut client = TcpStream::connect(app.addr).await.unwrap();
        client.write_all(request.as_bytes()).await.unwrap();
        let mut seen = vec![0; bytes_read];
        // A stream that was shorter than that has simply ended.
        let _ = timeout(Duration::from_millis(200), client.read_exact(&mut seen)).await;
        leaves += 1;
    }
    // One that left before the head was read may never have begun.
    let rows = app.settled_rows(leaves - 1).await.unwrap();
    for row in rows {
        let end = row.end.unwrap();
        assert!(matches!(end.outcome, Outcome::Cancelled | Outcome::Succeeded), "{end:?}");
        assert!(end.cost.is_some(), "a row without cost: {end:?}");
        if end.attempts == 1 && end.outcome == Outcome::Cancelled && end.first_token_us.is_some() {
            assert!(end.cost.unwrap().as_nanos() > 0, "used and not charged: {end:?}");
        }
    }
    let seen = alpha.simulator().observed_until(|seen| seen.in_flight == 0);
    timeout(PATIENCE, seen).await.expect("calls to the provider leak");
    assert_eq!(app.engine.in_flight(), 0);
    app.verify().await.unwrap();
}

#[tokio::test]
async fn stopping_lets_a_running_answer_finish() {
    let app = app().await;
    app.simulator_dials().unwrap().set(Dials { latency_ms: 300, ..Dials::default() });
    let call = app.chat("op:chat_message", "hello");
    let stop = async {
        app.simulator().unwrap().observed_until(|seen| seen.in_flight == 1).await;
        app.stop().await;
    };
    let (reply, ()) = timeout(PATIENCE, async { tokio::join!(call, stop) }).await.unwrap();
    assert_eq!(reply.unwrap().status, 200);
}

#[tokio::test]
async fn stopping_ends_a_stream_that_would_go_on_with_an_error_event_and_settles_it() {
    let app = app().await;
    app.simulator_dials().unwrap().set(Dials {
        chunk_interval_ms: 100,
        output_tokens: Some(100_000),
        ..Dials::default()
    });
    let response = streamed(&app).send().await.unwrap();
    let read = async {
        let mut text = String::new();
        let mut chunks = response.bytes_stream();
        while let Some(Ok(chunk)) = chunks.next().await {
            text.push_str(&String::from_utf8_lossy(&chunk));
        }
        text
    };
    let (text, ()) = timeout(PATIENCE, async { tokio::join!(read, app.stop()) }).await.unwrap();
    assert!(text.contains("\"error\"") && !text.contains("[DONE]"), "{text}");
    let app = app.restart().await.unwrap();
    let rows = app.rows().await.unwrap();
    assert!(rows.len() == 1 && rows[0].end.is_some(), "{rows:?}");
    app.verify().await.unwrap();
}

#[tokio::test]
async fn a_client_that_takes_nothing_cannot_hold_up_the_stop_and_is_settled() {
    let app = app().await;
    app.simulator_dials().unwrap().set(Dials { output_tokens: Some(100_000), ..Dials::default() });
    let request = raw_stream_request(&app);
    let mut deaf = TcpStream::connect(app.addr).await.unwrap();
    deaf.write_all(request.as_bytes()).await.unwrap();
    app.simulator().unwrap().observed_until(|seen| seen.in_flight == 1).await;
    timeout(PATIENCE, app.stop()).await.expect("the stop waits for a client that does not read");
    let app = app.restart().await.unwrap();
    let rows = app.rows().await.unwrap();
    assert!(rows.len() == 1 && rows[0].end.is_some(), "{rows:?}");
    app.verify().await.unwrap();
}

#[tokio::test]
async fn a_restart_keeps_ledger_and_key() {
    let app = app().await;
    let id = app.chat("op:chat_message", "hello").await.unwrap().request_id().unwrap();
    let app = app.restart().await.unwrap();
    assert!(app.record(id).await.unwrap().settlement.is_some());
    assert_eq!(app.chat("op:chat_message", "again").await.unwrap().status, 200);
}
