//! Prices on the command line: listed, set, imported, refused.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    dead_code,
    reason = "a test fails by panicking; the support of the other tests has more than is used here"
)]

mod support;

use serde_json::json;
use support::Installation;

const LIST: &str = r#"{
    "m": {"litellm_provider": "local", "mode": "chat", "input_cost_per_token": 2.2e-06, "output_cost_per_token": 8e-06},
    "jump": {"litellm_provider": "local", "mode": "chat", "input_cost_per_token": 9e-06, "output_cost_per_token": 9e-06},
    "fresh": {"litellm_provider": "local", "mode": "chat", "input_cost_per_token": 5e-07, "output_cost_per_token": 1.5e-06},
    "odd": {"litellm_provider": "local", "mode": "chat", "input_cost_per_token": 2.5, "output_cost_per_token": 10},
    "else/m": {"litellm_provider": "else", "mode": "chat", "input_cost_per_token": 1e-06, "output_cost_per_token": 1e-06}
}"#;

/// An installation with a provider of two priced models and one without a price.
async fn installation() -> Installation {
    let installation = Installation::new();
    let add =
        ["providers", "add", "--kind", "openai", "--name", "local", "--base-url", "http://127.0.0.1:9/v1"];
    installation.ok(&add).await;
    for model in ["local/m", "local/jump"] {
        let prices = ["--input-usd-per-mtok", "2", "--output-usd-per-mtok", "8"];
        installation.ok(&[&["models", "add", model][..], &prices].concat()).await;
    }
    installation.ok(&["models", "add", "local/bare"]).await;
    installation
}

#[tokio::test]
async fn prices_are_listed_shown_and_set_with_a_preview_first() {
    let installation = installation().await;
    let table = installation.ok(&["prices", "list", "--provider", "local"]).await;
    assert!(
        table.lines().any(|line| line.starts_with("local/m ") && line.contains("$2 in, $8 out")),
        "{table}"
    );
    let unpriced = installation.json(&["prices", "list", "--provider", "local", "--unpriced"]).await;
    assert_eq!((unpriced.as_array().unwrap().len(), &unpriced[0]["target"]), (1, &json!("local/bare")));

    let dry =
        installation.ok(&["prices", "set", "local/m", "input=1", "cached-input=0.1", "--dry-run"]).await;
    assert!(
        dry.contains("nothing is changed") && dry.contains("input_tokens $2 → $1 per 1M tokens (-50 %)"),
        "{dry}"
    );
    assert!(dry.contains("1,000 tokens in, 500 out: $0.006 → $0.005"), "{dry}");
    let rates =
        async || installation.json(&["prices", "show", "local/m"]).await["row"]["card"]["rates"].clone();
    assert_eq!(rates().await.as_array().unwrap().len(), 2);
    installation
        .ok(&[
            "prices",
            "set",
            "local/m",
            "input=1",
            "cached-input=0.1",
            "--batch-percent",
            "50",
            "--reason",
            "contract",
        ])
        .await;
    assert_eq!(rates().await[1]["usd"], "0.1");
    let shown = installation.ok(&["prices", "show", "local/m"]).await;
    assert!(
        shown.contains("in force, own") && shown.contains("a batch pays 50 %") && shown.contains("(past, "),
        "{shown}"
    );
    let history = installation.json(&["history", "list", "--kind", "price"]).await;
    assert_eq!(
        (&history[0]["reason"], &history[0]["revertible"]),
        (&json!("contract"), &json!(true)),
        "{history}"
    );
}

#[tokio::test]
async fn an_import_changes_nothing_until_it_is_told_what_to_take() {
    let installation = installation().await;
    let file = installation.file("list.json");
    std::fs::write(&file, LIST).unwrap();
    let file = file.to_str().unwrap();
    for dry in [&["prices", "import", file][..], &["prices", "import", file, "--apply", "all", "--dry-run"]] {
        let text = installation.ok(dry).await;
        assert!(text.contains("LiteLLM model map: 1 new, 2 changed, 0 unchanged, 1 skipped"), "{text}");
        assert!(text.contains("input_tokens $2 → $2.2 per 1M tokens (10 %)"), "{text}");
        assert!(text.contains("suspicious: The price of input_tokens rises by 350 %."), "{text}");
        assert!(text.contains("looks like a price per million typed as per token"), "{text}");
        assert!(
            text.contains("Left out: 1 entries of 1 providers that this installation does not have."),
            "{text}"
        );
        assert!(text.contains("Nothing is changed."), "{text}");
    }
    let card =
        async |target: &str| installation.json(&["prices", "show", target]).await["row"]["card"].clone();
    assert_eq!(card("local/m").await["origin"], "own");
    let applied = installation.run(&["prices", "import", file, "--apply", "all"]).await;
    assert_eq!(applied.code, 0, "{applied:?}");
    assert!(applied.out.contains("1 new, 1 changed (local)"), "{applied:?}");
    assert!(applied.err.contains("1 suspicious changes are left out"), "{applied:?}");
    assert_eq!(card("local/m").await["origin"], "imported");
    assert_eq!(card("local/fresh").await["rates"][0]["usd"], "0.5");
    assert_eq!(card("local/jump").await["rates"][0]["usd"], "2");
    installation.ok(&["prices", "import", file, "--apply", "local/jump"]).await;
    assert_eq!(card("local/jump").await["rates"][0]["usd"], "9");
    let again = installation.ok(&["prices", "import", file, "--apply", "all"]).await;
    assert_eq!(again, "Nothing of this list is to be taken over.");
}

#[tokio::test]
async fn wrong_prices_and_lists_have_their_own_exit_codes_and_change_nothing() {
    let installation = installation().await;
    let before = installation.json(&["history", "list"]).await;
    let html = installation.file("page.html");
    std::fs::write(&html, "<html>").unwrap();
    let html = html.to_str().unwrap();
    let cases: &[(&[&str], i32, &str)] = &[
        (&["prices", "show", "local/nothing"], 3, "There is no model"),
        (&["prices", "set", "local/m", "input"], 2, "is not UNIT=USD"),
        (&["prices", "set", "local/m", "beans=1"], 2, "There is no unit `beans`"),
        (
            &["prices", "set", "local/m", "input=0.000002"],
            2,
            "looks like a price per token typed as per million",
        ),
        (&["prices", "set", "local/bare", "input=1"], 2, "without a price of output"),
        (&["prices", "set", "local/m", "input=1", "--from", "2020-01-01T00:00:00Z"], 2, "in the past"),
        (&["prices", "set", "local/m", "input=1", "--from", "soon"], 2, "RFC 3339"),
        (&["prices", "import", "/nowhere/list.json"], 2, "cannot be read"),
        (&["prices", "import", html], 2, "not well-formed JSON"),
        (&["prices", "list", "--capability", "beans"], 2, "no capability"),
    ];
    for (args, code, words) in cases {
        let ended = installation.run(args).await;
        assert_eq!(ended.code, *code, "{args:?}: {ended:?}");
        assert!(ended.err.contains(words), "{args:?}: {ended:?}");
    }
    assert_eq!(installation.json(&["history", "list"]).await, before);
    assert_eq!(installation.json(&["prices", "unpriced"]).await, json!([]));
}
