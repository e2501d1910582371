//! The vendors' official clients, JavaScript and Python, against the gateway: every scenario on each surface over each
//! kind of upstream, and the ledger compared with the bill computed by hand.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests stop at the first surprise")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::Value;
use signalbox_core::ids::RequestId;
use signalbox_core::meter::CostStatus;
use signalbox_core::money::NanoUsd;
use signalbox_core::provider::ProviderKind;
use signalbox_simulator::Dials;
use signalbox_testkit::{Prices, TestApp};
use tokio::process::Command;
use tokio::sync::OnceCell;

/// Price of the models in these tests: $1.25 per million input tokens. Units: nano-dollars per token.
const INPUT_NANO_USD: i64 = 1_250;
/// $10 per million output tokens. Units: nano-dollars per token.
const OUTPUT_NANO_USD: i64 = 10_000;

/// What a scenario must cost: input and output tokens of each of its requests, from the file the clients share.
#[derive(Debug, Deserialize)]
struct Scenario {
    tokens: Vec<[i64; 2]>,
}

static SCENARIOS: LazyLock<BTreeMap<String, Scenario>> = LazyLock::new(|| {
    serde_json::from_slice(&std::fs::read(clients_dir().join("scenarios.json")).unwrap()).unwrap()
});

/// One line of a client's output.
#[derive(Debug, Deserialize)]
struct Outcome {
    scenario: String,
    ok: bool,
    #[serde(default)]
    requests: Vec<SeenRequest>,
    error: Option<Value>,
}

#[derive(Debug, Deserialize)]
struct SeenRequest {
    request_id: Option<String>,
}

/// The official clients.
#[derive(Debug, Clone, Copy)]
enum Client {
    OpenAiJs,
    OpenAiPython,
    ResponsesJs,
    ResponsesPython,
    AnthropicJs,
    AnthropicPython,
}

impl Client {
    const ALL: [Self; 6] = [
        Self::OpenAiJs,
        Self::OpenAiPython,
        Self::ResponsesJs,
        Self::ResponsesPython,
        Self::AnthropicJs,
        Self::AnthropicPython,
    ];

    /// Runs the scenarios, or those that are named, and returns what the client saw.
    async fn run(self, base_url: &str, api_key: &str, model: &str, only: Option<&str>) -> Vec<Outcome> {
        installed().await;
        let (interpreter, script) = match self {
            Self::OpenAiJs => (node(), "openai.mjs"),
            Self::OpenAiPython => (python(), "openai_client.py"),
            Self::ResponsesJs => (node(), "responses.mjs"),
            Self::ResponsesPython => (python(), "responses_client.py"),
            Self::AnthropicJs => (node(), "anthropic.mjs"),
            Self::AnthropicPython => (python(), "anthropic_client.py"),
        };
        let mut command = Command::new(interpreter);
        if let Some(only) = only {
            command.env("ONLY", only);
        }
        let output = command
            .arg(script)
            .current_dir(clients_dir())
            .env("BASE_URL", base_url)
            .env("API_KEY", api_key)
            .env("MODEL", model)
            .env("NO_PROXY", "127.0.0.1")
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .kill_on_drop(true)
            .output()
            .await
            .unwrap();
        let stdout = String::from_utf8(output.stdout).unwrap();
        let outcomes: Vec<Outcome> = stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert!(!outcomes.is_empty(), "{self:?} said nothing: {}", String::from_utf8_lossy(&output.stderr));
        outcomes
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_official_clients_are_served_over_every_kind_of_provider_and_charged_to_the_nano_dollar() {
    for kind in [ProviderKind::Openai, ProviderKind::Anthropic, ProviderKind::Gemini] {
        for client in Client::ALL {
            let app = TestApp::start().await.unwrap();
            let vendor = app.add_vendor("vendor", kind, Dials::default()).await.unwrap();
            app.add_model("vendor/model", Prices::per_mtok("1.25", "10")).await.unwrap();
            app.set_route("chat_message", &["vendor/model"]).await.unwrap();
            let outcomes = client.run(&app.url(""), &app.key, "op:chat_message", None).await;
            assert_served(client, &outcomes);
            assert_eq!(code_of(&outcomes, "wrong_key"), "invalid_key", "{client:?}");
            assert_eq!(code_of(&outcomes, "unknown_operation"), "unknown_operation", "{client:?}");
            assert_charged(client, kind.as_str(), &app, &outcomes).await;
            drop(vendor);
        }
    }
}

/// Where responses are served, their client's own bytes pass through: it gets what the vendor sends.
#[tokio::test(flavor = "multi_thread")]
async fn the_official_clients_of_the_responses_api_reach_one_that_is_served_and_are_charged_alike() {
    // The vendor takes no limit as small as the one of the scenario that is left out.
    let only = "complete,system,multi_turn,streaming,streaming_usage,streaming_helper,tools,tools_streaming,\
                parallel_tools,parallel_tools_streaming,image";
    for client in [Client::ResponsesJs, Client::ResponsesPython] {
        let app = TestApp::start().await.unwrap();
        let vendor = app.add_vendor("vendor", ProviderKind::Simulator, Dials::default()).await.unwrap();
        app.add_model("vendor/model", Prices::per_mtok("1.25", "10")).await.unwrap();
        app.set_route("chat_message", &["vendor/model"]).await.unwrap();
        let outcomes = client.run(&app.url(""), &app.key, "op:chat_message", Some(only)).await;
        assert_served(client, &outcomes);
        assert_charged(client, "simulator", &app, &outcomes).await;
        let paths = vendor.observed().requests.into_iter().map(|request| request.path);
        assert_eq!(paths.filter(|path| path != "/v1/responses").count(), 0, "{client:?}");
    }
}

/// Each request's row, and all of them together, cost what was computed by hand.
async fn assert_charged(client: Client, kind: &str, app: &TestApp, outcomes: &[Outcome]) {
    for (id, nanos) in billed_by_hand(outcomes) {
        let settlement = app.settled(id.parse::<RequestId>().unwrap()).await.unwrap().settlement.unwrap();
        let expected = (CostStatus::Exact, Some(NanoUsd::from_nanos(nanos)));
        assert_eq!(settlement.cost(), expected, "{client:?} over {kind}: {id} {:?}", settlement.usage());
    }
    let (count, total) = total_by_hand(outcomes);
    let rows = app.settled_rows(count).await.unwrap();
    let charged: NanoUsd = rows.iter().filter_map(|row| row.end.as_ref()?.cost).sum();
    assert_eq!((rows.len(), charged), (count, NanoUsd::from_nanos(total)), "{client:?} over {kind}");
    assert!(app.verify().await.unwrap().is_clean(), "{client:?} over {kind}");
}

/// Every scenario went as the client expects; the message lists those that did not.
fn assert_served(client: Client, outcomes: &[Outcome]) {
    let failed: Vec<String> = outcomes
        .iter()
        .filter(|outcome| !outcome.ok)
        .map(|outcome| format!("{}: {}", outcome.scenario, outcome.error.clone().unwrap_or_default()))
        .collect();
    assert!(failed.is_empty(), "{client:?}\n{}", failed.join("\n"));
}

/// The machine-readable code that the client saw in a scenario that must fail.
fn code_of<'a>(outcomes: &'a [Outcome], scenario: &str) -> &'a str {
    let outcome = outcomes.iter().find(|outcome| outcome.scenario == scenario).unwrap();
    outcome.error.as_ref().and_then(|error| error["code"].as_str()).unwrap_or_default()
}

/// Gateway ids of the charged requests, each with its cost. Units: nano-dollars.
fn billed_by_hand(outcomes: &[Outcome]) -> Vec<(String, i64)> {
    let charged = outcomes.iter().filter_map(|outcome| Some((SCENARIOS.get(&outcome.scenario)?, outcome)));
    charged
        .flat_map(|(scenario, outcome)| scenario.tokens.iter().zip(&outcome.requests))
        .filter_map(|(tokens, request)| Some((request.request_id.clone()?, cost(*tokens))))
        .collect()
}

/// What a client's scenarios cost together, with the calls whose id a client's helper hides.
fn total_by_hand(outcomes: &[Outcome]) -> (usize, i64) {
    let charged = || outcomes.iter().filter_map(|outcome| SCENARIOS.get(&outcome.scenario));
    let requests = || charged().flat_map(|scenario| &scenario.tokens);
    (requests().count(), requests().map(|tokens| cost(*tokens)).sum())
}

fn cost([input, output]: [i64; 2]) -> i64 {
    input * INPUT_NANO_USD + output * OUTPUT_NANO_USD
}

fn clients_dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients")
}

/// The Node that the lock file pins.
fn node() -> PathBuf {
    clients_dir().join("node_modules/.bin").join(if cfg!(windows) { "node.cmd" } else { "node" })
}

fn python() -> PathBuf {
    clients_dir().join(if cfg!(windows) { ".venv/Scripts/python.exe" } else { ".venv/bin/python" })
}

/// Installs the clients once, into directories of their own.
async fn installed() {
    static INSTALLED: OnceCell<()> = OnceCell::const_new();
    INSTALLED
        .get_or_init(|| async {
            if !node().exists() {
                tool(
                    if cfg!(windows) { "npm.cmd" } else { "npm" },
                    &["ci", "--no-audit", "--no-fund", "--loglevel=error"],
                )
                .await;
            }
            if !clients_dir().join(".venv/installed").exists() {
                tool(if cfg!(windows) { "python" } else { "python3" }, &["-m", "venv", ".venv"]).await;
                tool(
                    &python().to_string_lossy(),
                    &["-m", "pip", "install", "--quiet", "--requirement", "requirements.txt"],
                )
                .await;
                std::fs::write(clients_dir().join(".venv/installed"), "").unwrap();
            }
        })
        .await;
}

/// Runs a tool in the clients' directory; a missing one is named.
async fn tool(program: &str, args: &[&str]) {
    let output =
        Command::new(program).args(args).current_dir(clients_dir()).stdin(Stdio::null()).output().await;
    let output = output.unwrap_or_else(|error| panic!("the client tests need `{program}`: {error}"));
    assert!(
        output.status.success(),
        "`{program} {}` failed:\n{}{}",
        args.join(" "),
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}
