//! Bad input gets a clear, specific error in the shape of the surface it came to, and no row where nothing began.

use bytes::Bytes;
use futures::stream;
use serde_json::{Value, json};
use signalbox_simulator::{Dials, ErrorKind};
use signalbox_testkit::{Reply, TestApp, chat_body, message_body};

use crate::raw;

async fn app() -> TestApp {
    let app = TestApp::start().await.unwrap();
    app.set_route("chat_message", &["simulator/sim-chat"]).await.unwrap();
    app
}

async fn post_text(app: &TestApp, path: &str, body: impl Into<reqwest::Body>) -> Reply {
    let request =
        app.http.post(app.url(path)).bearer_auth(&app.key).header("content-type", "application/json");
    app.send(request.body(body)).await.unwrap()
}

fn is_openai_shape(body: &Value) -> bool {
    let error = &body["error"];
    error["message"].is_string()
        && error["type"].is_string()
        && error["param"].is_null()
        && error["code"].is_string()
}

fn is_anthropic_shape(body: &Value) -> bool {
    let error = &body["error"];
    body["type"] == "error"
        && error["type"].is_string()
        && error["message"].is_string()
        && error["code"].is_string()
}

#[tokio::test]
async fn what_cannot_be_read_is_refused_in_the_shape_of_its_surface() {
    let app = app().await;
    let too_deep = format!("{{\"a\":{}{}}}", "[".repeat(64), "]".repeat(64));
    let cases: [(&str, &[u8], &str); 6] = [
        ("/v1/chat/completions", b"{\"model\": }", "line 1, column 11"),
        ("/v1/messages", b"[1]", "not an array"),
        ("/v1/messages", b"{\"model\": \"\xff\"}", "not UTF-8"),
        ("/v1/chat/completions", b"", "no body"),
        ("/v1/chat/completions", b"{\"messages\": []}", "`model` is missing"),
        ("/v1/messages", too_deep.as_bytes(), "deeper than 64"),
    ];
    for (path, body, words) in cases {
        let reply = post_text(&app, path, body.to_vec()).await;
        assert_eq!((reply.status, reply.code()), (400, "invalid_request"), "{words}");
        assert!(reply.body["error"]["message"].as_str().unwrap().contains(words), "{}", reply.body);
        let in_shape = if path == "/v1/messages" { is_anthropic_shape } else { is_openai_shape };
        assert!(in_shape(&reply.body), "{}", reply.body);
    }
    assert_eq!(app.rows().await.unwrap(), []);
}

#[tokio::test]
async fn paths_methods_and_media_types_that_are_not_served_are_named() {
    let app = app().await;
    let key = &app.key;
    let unknown =
        app.send(app.http.post(app.url("/v1/images")).bearer_auth(key).json(&json!({}))).await.unwrap();
    assert_eq!((unknown.status, unknown.code()), (404, "not_found"));
    assert!(is_openai_shape(&unknown.body));
    let prefixless = app
        .send(app.http.post(app.url("/chat/completions")).bearer_auth(key).json(&json!({})))
        .await
        .unwrap();
    assert_eq!(prefixless.status, 404);
    let method = app.send(app.http.get(app.url("/v1/messages")).bearer_auth(key)).await.unwrap();
    assert_eq!((method.status, method.code(), method.header("allow")), (405, "method_not_allowed", "POST"));
    assert!(is_anthropic_shape(&method.body));
    for method in [reqwest::Method::OPTIONS, reqwest::Method::DELETE] {
        let reply = app.send(app.http.request(method, app.url("/v1/models")).bearer_auth(key)).await.unwrap();
        assert_eq!((reply.status, reply.header("access-control-allow-origin")), (405, ""));
    }
    let form = app.http.post(app.url("/v1/messages")).bearer_auth(key).body("model=x");
    let form = app.send(form.header("content-type", "application/x-www-form-urlencoded")).await.unwrap();
    assert_eq!((form.status, form.code()), (415, "unsupported_media_type"));
    let none = app.send(app.http.post(app.url("/v1/messages")).bearer_auth(key).body("{}")).await.unwrap();
    assert_eq!(none.status, 415);
}

#[tokio::test]
async fn a_hundred_megabytes_are_refused_and_their_sender_gets_to_read_why() {
    let app = app().await;
    let megabyte = Bytes::from(vec![b' '; 1024 * 1024]);
    let chunks = || stream::iter(vec![Ok::<_, std::convert::Infallible>(megabyte.clone()); 100]);
    // Without a length: refused once the limit is passed.
    let chunked = post_text(&app, "/v1/chat/completions", reqwest::Body::wrap_stream(chunks())).await;
    assert_eq!((chunked.status, chunked.code()), (413, "body_too_large"), "{}", chunked.body);
    // With a length: refused unread.
    let whole = post_text(&app, "/v1/messages", vec![b' '; 100 * 1024 * 1024]).await;
    assert_eq!((whole.status, whole.code()), (413, "body_too_large"));
    assert_eq!(whole.body["error"]["type"], "request_too_large");
    // And asked first: told no, nothing sent.
    let head = format!(
        "POST /v1/messages HTTP/1.1\r\nHost: {}\r\nx-api-key: {}\r\nContent-Type: application/json\r\n\
         Content-Length: 104857600\r\nExpect: 100-continue\r\n\r\n",
        app.addr, app.key
    );
    let answer = raw::exchange(app.addr, head.as_bytes()).await;
    assert_eq!(raw::status(&answer), 413, "{answer}");
}

#[tokio::test]
async fn a_wrong_key_is_refused_also_before_a_large_body_and_whatever_it_looks_like() {
    let app = app().await;
    let body = chat_body("op:chat_message", &"word ".repeat(400_000));
    for key in ["sbx_live_wrong", "", "x", &"k".repeat(5_000), &app.key[..app.key.len() - 1]] {
        let request =
            app.http.post(app.url("/v1/chat/completions")).header("authorization", format!("Bearer {key}"));
        let reply = app.send(request.json(&body)).await.unwrap();
        assert_eq!((reply.status, reply.code()), (401, "invalid_key"), "{}", reply.body);
        assert_eq!(reply.header("www-authenticate"), "Bearer");
        assert_eq!(reply.body["error"]["type"], "authentication_error");
    }
    let none = app
        .send(app.http.post(app.url("/v1/messages")).json(&message_body("op:chat_message", "x")))
        .await
        .unwrap();
    assert!(none.body["error"]["message"].as_str().unwrap().contains("no API key"), "{}", none.body);
    assert_eq!(app.rows().await.unwrap(), []);
}

#[tokio::test]
async fn operations_that_are_unknown_switched_off_or_not_the_keys_are_told_apart() {
    let app = app().await;
    let narrow = app.create_key(&["job_planning"]).await.unwrap();
    let expect = |reply: Reply, status: u16, code: &str| {
        assert_eq!((reply.status, reply.code()), (status, code), "{}", reply.body);
    };
    expect(app.chat("gpt-5", "hi").await.unwrap(), 404, "unknown_operation");
    expect(app.message("op:email_analysis", "hi").await.unwrap(), 403, "operation_disabled");
    expect(app.chat("op:text_to_speech", "hi").await.unwrap(), 400, "capability_mismatch");
    let request = app.http.post(app.url("/v1/messages")).header("x-api-key", narrow);
    expect(
        app.send(request.json(&message_body("op:chat_message", "hi"))).await.unwrap(),
        403,
        "operation_not_allowed",
    );
}

#[tokio::test]
async fn a_provider_that_is_down_or_refuses_is_an_error_of_the_right_kind_with_its_row() {
    let cases = [
        (ErrorKind::ServerError, 502, "all_targets_failed"),
        (ErrorKind::RateLimit, 429, "rate_limited"),
        (ErrorKind::BadRequest, 400, "provider_refused"),
        (ErrorKind::ContextLength, 400, "context_length_exceeded"),
        (ErrorKind::Drop, 502, "all_targets_failed"),
        (ErrorKind::Malformed, 502, "all_targets_failed"),
    ];
    for (error, status, code) in cases {
        // A new installation each time: a target's past failures decide over its next call.
        let app = app().await;
        let dials = app.simulator_dials().unwrap();
        dials.set(Dials { error, error_rate: 1.0, retry_after_s: Some(7), ..Dials::default() });
        for reply in [
            app.chat("op:chat_message", "hi").await.unwrap(),
            app.message("op:chat_message", "hi").await.unwrap(),
        ] {
            assert_eq!((reply.status, reply.code()), (status, code), "{error:?}: {}", reply.body);
            let record = app.settled(reply.request_id().unwrap()).await.unwrap();
            assert_eq!(record.settlement.unwrap().error_code.as_deref(), Some(code));
            if error == ErrorKind::RateLimit {
                let wait: u32 = reply.header("retry-after").parse().unwrap();
                assert!((1..=7).contains(&wait), "{wait}");
            }
        }
        app.verify().await.unwrap();
    }
}

#[tokio::test]
async fn headers_beyond_32_kilobytes_are_refused() {
    let app = app().await;
    let reply = app.http.get(app.url("/v1/models")).header("x-long", "x".repeat(33 * 1024));
    let reply = app.send(reply).await.unwrap();
    assert_eq!((reply.status, reply.code()), (431, "headers_too_large"));
    // Far beyond, hyper refuses before we see it.
    let huge =
        format!("GET /v1/models HTTP/1.1\r\nHost: {}\r\nx: {}\r\n\r\n", app.addr, "x".repeat(1024 * 1024));
    assert!(matches!(raw::status(&raw::exchange(app.addr, huge.as_bytes()).await), 0 | 431));
}

#[tokio::test]
async fn bad_labels_are_refused_before_anything_is_written() {
    let app = app().await;
    let long_user = "u".repeat(257);
    for (name, value) in [
        ("x-signalbox-tags", "no-equals"),
        ("x-signalbox-tags", "a=1,a=2"),
        ("x-signalbox-user", long_user.as_str()),
        ("x-signalbox-operation", "nothing_like_it"),
    ] {
        let request = app.post("/v1/messages", &message_body("op:chat_message", "hi")).header(name, value);
        let reply = app.send(request).await.unwrap();
        assert!(matches!(reply.status, 400 | 404), "{name}: {} {}", reply.status, reply.body);
    }
    assert_eq!(app.rows().await.unwrap(), []);
    // The server is as well as before.
    assert_eq!(app.chat("op:chat_message", "hi").await.unwrap().status, 200);
}
