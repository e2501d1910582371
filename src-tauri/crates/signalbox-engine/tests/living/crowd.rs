//! Many at once, and many that leave.

use std::collections::HashSet;
use std::time::Duration;

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
    let streams = (0..STREAMS).map(|number| {
        let app = &app;
        async move {
            tokio::time::sleep(Duration::from_millis(u64::try_from(number).unwrap() * 2)).await;
            app.chat_streamed(CHAT, &format!("hello {number}")).await.unwrap()
        }
    });
    let outage = async {
        until("half of the streams have begun", || first.observed().received > 80).await;
        first.dials().set(Dials { error: ErrorKind::ServerError, error_rate: 1.0, ..slowly.clone() });
    };
    let (answers, ()) = tokio::join!(join_all(streams), outage);
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
    let dials = Dials { latency_ms: 10, chunk_interval_ms: 2, output_tokens: Some(12), ..Dials::default() };
    second.dials().set(dials.clone());
    for round in 0..60_u64 {
        // Some leave before a failover, some after it, some in the middle of the words.
        let error = if round % 3 == 0 { ErrorKind::ServerError } else { ErrorKind::None };
        first.dials().set(Dials { error, ..dials.clone() });
        let mut body = chat_body(CHAT, "hello");
        body["stream"] = json!(round % 2 == 0);
        let request = app.post("/v1/chat/completions", &body);
        let leaving = async {
            let mut chunks = request.send().await.unwrap().bytes_stream();
            while chunks.next().await.is_some() {}
        };
        let _ = tokio::time::timeout(Duration::from_micros(700 * round), leaving).await;
    }
    at_rest(&app).await;
    let rows = app.settled_rows(1).await.unwrap();
    assert!(rows.iter().all(|row| row.end.is_some()));
    let cancelled = rows.iter().filter(|row| row.end.as_ref().unwrap().outcome == Outcome::Cancelled).count();
    assert!(cancelled > 10, "{cancelled} of {} left early", rows.len());
    app.verify().await.unwrap();
}
