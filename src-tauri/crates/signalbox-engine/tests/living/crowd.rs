//! Many at once, and many that leave.

use std::collections::HashSet;

use futures::StreamExt;
use futures::future::join_all;
use serde_json::json;
use signalbox_core::ledger::Outcome;
use signalbox_simulator::{Dials, ErrorKind};
use signalbox_testkit::{TestApp, chat_body};

use crate::support::*;

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_streams_through_an_outage_lose_and_double_no_row_and_leave_no_permit_behind() {
    const STREAMS: usize = 200;
    let app = TestApp::start().await.unwrap();
    let (first, second) = two_vendors(&app).await;
    let slowly = Dials { chunk_interval_ms: 5, output_tokens: Some(20), ..Dials::default() };
    first.dials().set(slowly.clone());
    second.dials().set(slowly.clone());
    let half = |from: usize| {
        let streams = (from..from + STREAMS / 2).map(|number| {
            let app = &app;
            async move { app.chat_streamed(CHAT, &format!("hello {number}")).await.unwrap() }
        });
        join_all(streams)
    };
    let outage = async {
        until("the first half is on its way", || first.observed().received == 100).await;
        first.dials().set(Dials { error: ErrorKind::ServerError, error_rate: 1.0, ..slowly.clone() });
        half(STREAMS / 2).await
    };
    let (mut answers, more) = tokio::join!(half(0), outage);
    answers.extend(more);
    let mut ids = HashSet::new();
    for answer in &answers {
        assert_eq!(answer.status, 200);
        assert!(answer.is_whole(), "{}", answer.text);
        assert!(ids.insert(answer.request_id().unwrap()), "an id was given twice");
    }
    let rows = app.settled_rows(STREAMS).await.unwrap();
    let listed: HashSet<_> = rows.iter().map(|row| row.id).collect();
    assert_eq!((rows.len(), listed), (STREAMS, ids));
    let failed_over = rows.iter().filter(|row| row.end.as_ref().is_some_and(|end| end.attempts > 1)).count();
    assert!(failed_over >= 3, "the outage was in the middle");
    at_rest(&app).await;
    app.verify().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_leaves_at_any_point_leaves_no_permit_place_or_open_row_behind() {
    let app = TestApp::start().await.unwrap();
    let (first, second) = two_vendors(&app).await;
    set(&app, &[("breaker_failures", "100")]).await;
    let dials = Dials { latency_ms: 10, chunk_interval_ms: 5, output_tokens: Some(40), ..Dials::default() };
    second.dials().set(dials.clone());
    for round in 0..60_usize {
        // Some leave before a failover, some after it, some in the middle of the words.
        let error = if round % 3 == 0 { ErrorKind::ServerError } else { ErrorKind::None };
        first.dials().set(Dials { error, ..dials.clone() });
        let mut body = chat_body(CHAT, "hello");
        body["stream"] = json!(round % 5 != 0);
        let request = app.post("/v1/chat/completions", &body);
        let calls = first.observed().received + second.observed().received;
        match round % 12 {
            0 | 5 => {
                let called = || first.observed().received + second.observed().received > calls;
                drop(sent(request, "a provider was called", called).await);
            }
            pieces => {
                let mut chunks = request.send().await.unwrap().bytes_stream();
                for _ in 1..pieces {
                    let _ = chunks.next().await;
                }
            }
        }
    }
    at_rest(&app).await;
    let rows = app.settled_rows(1).await.unwrap();
    assert!(rows.iter().all(|row| row.end.is_some()));
    let cancelled = rows.iter().filter(|row| row.end.as_ref().unwrap().outcome == Outcome::Cancelled).count();
    assert!(cancelled > 10, "{cancelled} of {} left early", rows.len());
    app.verify().await.unwrap();
}
