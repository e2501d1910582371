//! No browser page gets through, whichever headers it makes the browser send. Over real sockets; the sweep beside the
//! code of the guard covers many more combinations.

use signalbox_gateway::Exposure;
use signalbox_testkit::TestApp;

use crate::raw;

#[tokio::test]
async fn of_thousands_of_requests_with_a_foreign_part_none_is_answered() {
    let app = TestApp::start().await.unwrap();
    let own = app.addr.to_string();
    let localhost = format!("localhost:{}", app.addr.port());
    let hosts = [
        format!("Host: {own}\r\n"),
        format!("Host: {localhost}\r\n"),
        String::new(),
        "Host: evil.example\r\n".to_owned(),
        format!("Host: evil.example:{}\r\n", app.addr.port()),
        format!("Host: {own}\r\nHost: evil.example\r\n"),
        "Host: 127.0.0.1\r\n".to_owned(),
        format!("Host: 0.0.0.0:{}\r\n", app.addr.port()),
    ];
    let origins =
        ["", "Origin: null\r\n", "Origin: https://evil.example\r\n", "Origin: http://127.0.0.1\r\n"];
    let sites =
        ["", "Sec-Fetch-Site: cross-site\r\n", "Sec-Fetch-Site: same-site\r\n", "Sec-Fetch-Site: none\r\n"];
    let keys = [
        String::new(),
        format!("Authorization: Bearer {}\r\n", app.key),
        "Authorization: Bearer sbx_live_guess\r\n".to_owned(),
        format!("Authorization: Basic {}\r\n", app.key),
        format!("Cookie: key={}\r\n", app.key),
    ];
    let targets = [
        "GET /v1/models".to_owned(),
        "POST /v1/chat/completions".to_owned(),
        "GET http://evil.example/v1/models".to_owned(),
        format!("OPTIONS /v1/models?key={}", app.key),
    ];
    let (mut tried, mut answered) = (0, 0);
    for (host, key) in hosts.iter().flat_map(|host| keys.iter().map(move |key| (host, key))) {
        for (origin, site) in origins.iter().flat_map(|origin| sites.iter().map(move |site| (origin, site))) {
            for target in &targets {
                let length = if target.starts_with("POST") {
                    "Content-Length: 2\r\nContent-Type: text/plain\r\n"
                } else {
                    ""
                };
                let request = format!(
                    "{target} HTTP/1.1\r\n{host}{origin}{site}{key}{length}Connection: close\r\n\r\n{}",
                    if length.is_empty() { "" } else { "{}" }
                );
                let answer = raw::exchange(app.addr, request.as_bytes()).await;
                let fair = host.matches("Host").count() == 1
                    && (host.contains(&own) || host.contains(&localhost))
                    && origin.is_empty()
                    && (site.is_empty() || site.contains("none"))
                    && key.starts_with("Authorization: Bearer")
                    && !key.contains("guess")
                    && target.starts_with("GET /v1/models");
                let status = raw::status(&answer);
                assert!((400..500).contains(&status) || status == 200, "{request}\n{answer}");
                assert_eq!(status == 200, fair, "{request}\n{answer}");
                assert!(!answer.to_ascii_lowercase().contains("access-control-"), "{answer}");
                tried += 1;
                answered += usize::from(status == 200);
            }
        }
    }
    assert!(tried >= 2_500 && answered == 4, "{tried} tried, {answered} answered");
    assert_eq!(app.rows().await.unwrap(), []);
}

#[tokio::test]
async fn health_is_kept_from_web_pages_too() {
    let app = TestApp::start().await.unwrap();
    for path in ["/livez", "/readyz"] {
        let from_page = app.http.get(app.url(path)).header("origin", "https://evil.example");
        assert_eq!(app.send(from_page).await.unwrap().status, 403);
        let rebound = app.http.get(app.url(path)).header("host", "evil.example");
        assert_eq!(app.send(rebound).await.unwrap().status, 400);
    }
}

#[tokio::test]
async fn a_listed_origin_and_a_listed_name_get_in_with_the_key() {
    let exposure = Exposure {
        hosts: vec!["gate.example".to_owned()],
        origins: vec!["https://desk.example".to_owned()],
        ..Exposure::default()
    };
    let app = TestApp::builder().exposure(exposure).start().await.unwrap();
    let request = app.http.get(app.url("/v1/models")).header("origin", "https://desk.example");
    assert_eq!(app.send(request.header("host", "gate.example")).await.unwrap().status, 401);
    let request =
        app.http.get(app.url("/v1/models")).header("origin", "https://desk.example").bearer_auth(&app.key);
    assert_eq!(app.send(request.header("host", "gate.example")).await.unwrap().status, 200);
}

#[tokio::test]
async fn localhost_is_answered_over_ipv6_too_so_that_no_other_program_gets_its_keys() {
    if tokio::net::TcpListener::bind("[::1]:0").await.is_err() {
        // A machine without IPv6 has nothing to take over.
        return;
    }
    let app = TestApp::start().await.unwrap();
    let url = format!("http://[::1]:{}/v1/models", app.addr.port());
    assert_eq!(app.send(app.http.get(url).bearer_auth(&app.key)).await.unwrap().status, 200);
}
