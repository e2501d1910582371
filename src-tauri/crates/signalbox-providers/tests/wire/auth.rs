//! How credentials travel, over real sockets.

use futures::future::join_all;
use signalbox_core::failure::FailureKind;
use signalbox_core::provider::Auth;
use signalbox_simulator::{Dials, ErrorKind, RunningSimulator, Simulator};

use super::hostile::Hostile;
use super::*;

async fn simulator() -> RunningSimulator {
    Simulator::bind_ephemeral(Dials::default()).await.unwrap()
}

/// An account whose credential is exchanged for tokens at `token_url`.
fn exchanged(base_url: &str, token_url: &str, scope: Option<&str>) -> Account {
    let auth = Auth::ClientCredentials {
        token_url: token_url.parse().unwrap(),
        client_id: "signalbox".to_owned(),
        scope: scope.map(str::to_owned),
    };
    Account { auth, ..account(ProviderKind::Openai, base_url) }
}

fn at(simulator: &RunningSimulator, scope: Option<&str>) -> Account {
    let token_url = format!("{}/oauth/token", simulator.origin());
    exchanged(&simulator.base_url_openai(), &token_url, scope)
}

/// How often tokens and how often answers were asked for.
fn asked(simulator: &RunningSimulator) -> (usize, usize) {
    let requests = simulator.observed().requests;
    let tokens = requests.iter().filter(|request| request.path == "/oauth/token").count();
    (tokens, requests.len() - tokens)
}

fn chat() -> Call {
    call(Surface::OpenaiChat, hello())
}

#[tokio::test]
async fn a_credential_travels_in_the_header_its_provider_names() {
    let simulator = simulator().await;
    simulator.dials().set(Dials { require_key: false, ..Dials::default() });
    let auth = Auth::Header { name: "api-key".to_owned() };
    let azure = Account { auth, ..account(ProviderKind::Openai, &simulator.base_url_openai()) };
    providers().complete(&azure, &chat()).await.unwrap();
    let request = &simulator.observed().requests[0];
    assert_eq!(request.credential.as_ref().unwrap().header, "api-key");
    assert!(!request.headers.values().any(|value| value.contains(SECRET)), "in one header alone");

    let auth = Auth::Header { name: "no header".to_owned() };
    let failure = providers().complete(&Account { auth, ..azure }, &chat()).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::InvalidKey);
}

#[tokio::test]
async fn of_many_calls_at_once_one_asks_for_the_token_and_all_use_it() {
    let simulator = simulator().await;
    let (providers, account) = (providers(), at(&simulator, None));
    let calls: Vec<Call> = (0..20).map(|_| chat()).collect();
    let answers = join_all(calls.iter().map(|call| providers.complete(&account, call))).await;
    assert!(answers.iter().all(Result::is_ok));
    assert_eq!(asked(&simulator), (1, 20));
    let sent = simulator.observed().requests;
    let last4 =
        |path: &str| sent.iter().find(|request| request.path.contains(path)).unwrap().credential.clone();
    assert_eq!(last4("/chat/completions").unwrap().header, "authorization");
    providers.stream(&account, &chat()).await.unwrap();
    providers.list_models(&account).await.unwrap();
    assert_eq!(asked(&simulator), (1, 22));
}

#[tokio::test]
async fn a_token_about_to_expire_is_replaced_before_it_does() {
    let simulator = simulator().await;
    let (providers, account) = (providers(), at(&simulator, Some("expires:60")));
    for _ in 0..3 {
        providers.complete(&account, &chat()).await.unwrap();
    }
    assert_eq!(asked(&simulator), (3, 3), "a minute is kept in hand");
}

#[tokio::test]
async fn a_refused_token_is_replaced_once_and_no_more() {
    let simulator = simulator().await;
    let (providers, account) = (providers(), at(&simulator, None));
    providers.complete(&account, &chat()).await.unwrap();
    simulator.dials().set(Dials { error: ErrorKind::InvalidKey, fail_first_n: 1, ..Dials::default() });
    providers.complete(&account, &chat()).await.unwrap();
    assert_eq!(asked(&simulator), (2, 3));

    simulator.dials().set(Dials { error: ErrorKind::InvalidKey, ..Dials::default() });
    let failure = providers.complete(&account, &chat()).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::InvalidKey);
    assert_eq!(asked(&simulator), (3, 5));
}

#[tokio::test]
async fn a_changed_secret_is_exchanged_anew() {
    let simulator = simulator().await;
    let (providers, account) = (providers(), at(&simulator, None));
    providers.complete(&account, &chat()).await.unwrap();
    let renewed = Account { credential: Some("another-secret-0123456789".into()), ..account };
    providers.complete(&renewed, &chat()).await.unwrap();
    assert_eq!(asked(&simulator).0, 2);
}

#[tokio::test]
async fn a_refused_secret_is_an_invalid_key_in_clear_words_without_the_secret() {
    let simulator = simulator().await;
    simulator.dials().set(Dials { api_key: Some("another".to_owned()), ..Dials::default() });
    let failure = providers().complete(&at(&simulator, None), &chat()).await.unwrap_err();
    assert_eq!((failure.kind, failure.http_status), (FailureKind::InvalidKey, None));
    assert!(
        failure.message.starts_with("the token server of vendor gave no token: AADSTS7000215"),
        "{failure}"
    );
    assert_eq!(asked(&simulator), (1, 0));

    let echo = Hostile::new(400, "application/json", format!(r#"{{"error_description":"bad {SECRET}"}}"#));
    let account = exchanged(&simulator.base_url_openai(), &echo.serve().await, None);
    let failure = providers().complete(&account, &chat()).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::InvalidKey);
    assert!(!format!("{failure} {failure:?} {account:?}").contains("0123456789"), "{failure:?}");
}

#[tokio::test]
async fn a_token_quoted_back_is_not_passed_on() {
    let token = "eyJhbGciOiJub25lIn0.0123456789abcdef";
    let tokens =
        Hostile::new(200, "application/json", json!({"access_token": token, "expires_in": 600}).to_string());
    let body = json!({"error": {"message": format!("token {token} has no access"), "code": "x"}});
    let echo = Hostile::new(403, "application/json", body.to_string());
    let account = exchanged(&echo.serve().await, &tokens.serve().await, None);
    let providers = providers();
    let failure = providers.complete(&account, &chat()).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::InvalidKey);
    let shown = format!("{failure} {failure:?} {providers:?}");
    assert!(!shown.contains("0123456789") && shown.contains("has no access"), "{shown}");
}

#[tokio::test]
async fn a_token_server_that_is_away_or_wrong_says_so() {
    let simulator = simulator().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nobody = format!("http://{}/token", listener.local_addr().unwrap());
    drop(listener);
    let page = Hostile::new(200, "text/html", "<html>Sign in</html>").serve().await;
    let down = Hostile::new(503, "text/plain", "").serve().await;
    for (token_url, kind, words) in [
        (nobody, FailureKind::Network, "the token server of vendor could not be reached"),
        (page, FailureKind::BadResponse, "the token server of vendor answered without an access_token"),
        (down, FailureKind::Overloaded, "the token server of vendor gave no token"),
    ] {
        let account = exchanged(&simulator.base_url_openai(), &token_url, None);
        let failure = providers().complete(&account, &chat()).await.unwrap_err();
        assert_eq!(failure.kind, kind, "{failure:?}");
        assert!(failure.message.starts_with(words), "{failure}");
    }
    assert_eq!(simulator.observed().received, 0);
}
