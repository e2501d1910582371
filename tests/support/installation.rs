//! The installation of a running window, opened beside it as the command line does, and what tests need in it.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use secrecy::ExposeSecret;
use signalbox_app::{App, Caller, Source, approvals, dto, keys, models, operations, providers};
use signalbox_engine::clock::SystemClock;
use signalbox_engine::control::{Control, Durability, Options};
use signalbox_engine::secrets::Keychain;

use super::Window;

/// The installation of a data directory.
pub async fn beside(data_dir: &Path) -> App {
    let options = Options {
        data_dir: data_dir.to_owned(),
        database_url: None,
        durability: Durability::Process,
        keychain: Keychain::Unused,
    };
    App::open(Control::open(&options, Arc::new(SystemClock)).await.unwrap()).unwrap()
}

/// Who acts beside the window.
pub fn caller() -> Caller {
    Caller::local(Source::Cli)
}

/// A provider `second` at an address, with one priced model.
pub async fn add_second(app: &App, base_url: String) {
    let input =
        dto::ProviderInput { name: "second".to_owned(), kind: "openai".to_owned(), base_url, auth: None };
    providers::add(app, &caller(), input).await.unwrap();
    let model = dto::ModelInput {
        provider: "second".to_owned(),
        model: "model-b".to_owned(),
        input_usd_per_mtok: Some("1".to_owned()),
        cached_input_usd_per_mtok: None,
        output_usd_per_mtok: Some("2".to_owned()),
        context_window: None,
    };
    models::add(app, &caller(), model).await.unwrap();
}

/// Every request of an operation goes to `second/model-b` and waits for a person.
pub async fn ask_a_person(app: &App, operation: &str) {
    let operation = operations::find(app, &caller(), operation).await.unwrap();
    let draft = dto::RouteDraft {
        targets: vec![dto::DraftTarget::of("second", "model-b")],
        approval: Some(dto::ApprovalPolicy {
            always: true,
            above: None,
            budget_warned: false,
            rule: None,
            hold_s: 0,
            expires_s: 3_600,
        }),
        ..operation.draft()
    };
    operations::route_apply(app, &caller(), draft).await.unwrap();
}

/// How an approval stands.
pub async fn state_of(app: &App, approval: &str) -> dto::ApprovalState {
    approvals::show(app, &caller(), approval).await.unwrap().row.state
}

/// A program with a key of its own.
pub struct Program {
    client: reqwest::Client,
    url: String,
    key: String,
}

impl Program {
    /// One that asks the gateway of a window.
    pub async fn of(window: &Window, app: &App) -> Self {
        let input = dto::KeyInput { name: "test".to_owned(), ..dto::KeyInput::default() };
        let made = keys::create(app, &caller(), input).await.unwrap();
        Self {
            client: reqwest::Client::builder().no_proxy().build().unwrap(),
            url: format!("http://{}/v1/chat/completions", window.listen),
            key: made.secret.expose_secret().to_owned(),
        }
    }

    /// Asks an operation.
    pub async fn asks(&self, operation: &str, text: &str, approval: Option<&str>) -> reqwest::Response {
        let request = self.client.post(&self.url).bearer_auth(&self.key).json(&serde_json::json!({
            "model": format!("op:{operation}"),
            "max_tokens": 50,
            "messages": [{"role": "user", "content": text}],
        }));
        let request = match approval {
            Some(id) => request.header("x-signalbox-approval", id),
            None => request,
        };
        request.send().await.unwrap()
    }

    /// Asks what a person has to approve, and says which approval that is. The running window learns of a policy within two
    /// seconds.
    pub async fn asks_in_vain(&self, operation: &str, text: &str) -> String {
        wait_until(async || self.asks(operation, text, None).await.status() == 403).await;
        let refused = self.asks(operation, text, None).await;
        refused.headers()["x-signalbox-approval"].to_str().unwrap().to_owned()
    }
}

/// Waits for what other processes do.
pub async fn wait_until(condition: impl AsyncFn() -> bool) {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    while !condition().await {
        assert!(tokio::time::Instant::now() < deadline, "it never came true");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
