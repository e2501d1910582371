use serde_json::{Value, json};
use signalbox_simulator::{Dials, ErrorKind};

use crate::{Bench, KEY, say};

#[tokio::test]
async fn dials_turn_over_http() {
    let bench = Bench::new(Dials { cached_tokens: 3, ..Dials::default() }).await;
    let patched: Value = bench
        .http
        .patch(bench.url("/dials"))
        .json(&json!({"error": "server_error"}))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(patched["error"], "server_error");
    assert_eq!(patched["cached_tokens"], 3);
    assert_eq!(bench.chat(&say("hi")).send().await.unwrap().status(), 500);

    let put = bench.http.put(bench.url("/dials")).json(&json!({})).send().await.unwrap();
    assert_eq!(put.status(), 200);
    assert_eq!(bench.simulator.dials().get().error, ErrorKind::None);
    assert_eq!(bench.simulator.dials().get().cached_tokens, 0);

    let refused = bench.http.put(bench.url("/dials")).json(&json!({"error": "sharks"})).send().await.unwrap();
    assert_eq!(refused.status(), 400);
}

#[tokio::test]
async fn the_accepted_key_is_not_shown() {
    let bench = Bench::new(Dials { api_key: Some(KEY.to_owned()), ..Dials::default() }).await;
    let shown = bench.http.get(bench.url("/dials")).send().await.unwrap().text().await.unwrap();
    assert!(!shown.contains(KEY));
}

#[tokio::test]
async fn the_record_shows_the_request_and_hides_the_key() {
    let bench = Bench::new(Dials::default()).await;
    let mut body = say("hi");
    body["unknown_field"] = json!({"kept": true});
    bench.chat(&body).header("x-trace", "t1").send().await.unwrap();

    let text = bench.http.get(bench.url("/observed")).send().await.unwrap().text().await.unwrap();
    assert!(!text.contains(KEY));
    let observed = bench.simulator.observed();
    assert_eq!((observed.received, observed.in_flight, observed.cancelled), (1, 0, 0));
    let request = &observed.requests[0];
    assert_eq!((request.method.as_str(), request.path.as_str()), ("POST", "/v1/chat/completions"));
    assert_eq!(request.headers["x-trace"], "t1");
    assert!(!request.headers.contains_key("authorization"));
    assert_eq!(request.credential.as_ref().unwrap().last4, "abcd");
    assert_eq!(request.body, body);
}

#[tokio::test]
async fn the_record_keeps_the_last_ones_and_can_be_off_or_cleared() {
    let bench = Bench::new(Dials { observe: 2, ..Dials::default() }).await;
    for text in ["one", "two", "three"] {
        bench.chat(&say(text)).send().await.unwrap();
    }
    let kept: Vec<u64> = bench.simulator.observed().requests.iter().map(|request| request.seq).collect();
    assert_eq!(kept, [2, 3]);
    let last: Value =
        bench.http.get(bench.url("/observed?limit=1")).send().await.unwrap().json().await.unwrap();
    assert_eq!(last["requests"].as_array().unwrap().len(), 1);

    bench.http.delete(bench.url("/observed")).send().await.unwrap();
    bench.simulator.dials().update(|dials| dials.observe = 0);
    bench.chat(&say("four")).send().await.unwrap();
    let observed = bench.simulator.observed();
    assert_eq!((observed.received, observed.requests.len()), (1, 0));
}
