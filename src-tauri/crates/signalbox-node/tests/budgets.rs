//! Budgets on the command line: set, previewed, listed, corrected, refused, made with a key; and settings.

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

#[tokio::test]
async fn a_budget_is_previewed_set_changed_listed_and_removed_by_its_name() {
    let installation = Installation::new();
    let set = ["budgets", "set", "Evenings", "--usd", "20", "--period", "month", "--scope", "user:ann"];
    let dry = installation.ok(&[&set[..], &["--dry-run"]].concat()).await;
    assert!(dry.contains("A new budget of $20.00 per month counts user ann."), "{dry}");
    assert!(dry.contains("It can pass the limit by at most $1.00."), "{dry}");
    assert_eq!(installation.run(&["budgets", "show", "Evenings"]).await.code, 3, "nothing was written");

    installation.ok(&set).await;
    let strict = ["budgets", "set", "Evenings", "--usd", "10", "--overrun", "0", "--reason", "careful"];
    assert!(installation.ok(&strict).await.ends_with("It is never passed."));
    let list = installation.json(&["budgets", "list"]).await;
    let found =
        list["budgets"].as_array().unwrap().iter().find(|budget| budget["name"] == "Evenings").unwrap();
    assert_eq!(
        (&found["limits"]["cost"], &found["version"], &found["purse"]["left"]),
        (&json!("10000000000"), &json!(2), &json!("10000000000"))
    );
    let table = installation.ok(&["budgets", "list"]).await;
    assert!(table.lines().any(|line| line.starts_with("Evenings ") && line.contains("$10")), "{table}");
    let history = installation.json(&["history", "list", "--kind", "budget"]).await;
    assert!(history.to_string().contains("careful"), "{history}");

    installation.ok(&["budgets", "remove", "Evenings"]).await;
    assert_eq!(installation.run(&["budgets", "show", "Evenings"]).await.code, 3);
}

#[tokio::test]
async fn a_wrong_value_says_what_is_wrong_and_ends_with_the_code_for_it() {
    let installation = Installation::new();
    installation.ok(&["budgets", "set", "One", "--usd", "1"]).await;
    for (args, code, words) in [
        (&["budgets", "set", "Two"][..], 2, "needs a limit"),
        (&["budgets", "set", "Two", "--usd", "much"], 2, "is not an amount"),
        (&["budgets", "set", "Two", "--usd", "1", "--scope", "planet:mars"], 2, "is no scope"),
        (&["budgets", "set", "Two", "--usd", "1", "--scope", "operation:none"], 2, "There is no operation"),
        (&["budgets", "set", "Two", "--usd", "1", "--zone", "Mars/Olympus"], 2, "is no time zone"),
        (&["budgets", "set", "One", "--period", "week"], 2, "stay as they are"),
        (&["budgets", "adjust", "One", "--usd=-1", "--reason", "no"], 2, "Only $0.00 is spent"),
        (&["budgets", "adjust", "None", "--usd", "1", "--reason", "no"], 3, "There is no budget"),
        (&["budgets", "why", "req_1"], 3, "There is no request"),
        (&["budgets", "history", "--days", "8"], 2, "7, 30 or 90"),
    ] {
        let ended = installation.run(args).await;
        assert_eq!(ended.code, code, "{args:?}: {ended:?}");
        assert!(ended.err.contains(words), "{args:?}: {ended:?}");
    }
}

#[tokio::test]
async fn a_key_is_made_with_a_budget_of_its_own() {
    let installation = Installation::new();
    let wrong = installation.run(&["keys", "create", "--name", "crm", "--budget-per-day", "much"]).await;
    assert_eq!((wrong.code, wrong.err.contains("is not an amount")), (2, true), "{wrong:?}");
    assert_eq!(installation.json(&["keys", "list"]).await, json!([]));

    let made = installation.run(&["keys", "create", "--name", "crm", "--budget-per-day", "5"]).await;
    assert!(made.err.contains("Key crm for all operations, within $5.00 per day."), "{made:?}");
    let table = installation.ok(&["budgets", "list"]).await;
    assert!(table.lines().any(|line| line.starts_with("crm ") && line.contains("key crm")), "{table}");
}

#[tokio::test]
async fn a_setting_is_read_by_its_name() {
    let installation = Installation::new();
    installation.ok(&["settings", "set", "max_requests", "7"]).await;
    assert_eq!(installation.ok(&["settings", "get", "max_requests"]).await.trim(), "7");
    assert_eq!(installation.json(&["settings", "get", "max_requests"]).await["value"], "7");
    let none = installation.run(&["settings", "get", "nothing"]).await;
    assert_eq!((none.code, none.err.contains("There is no setting `nothing`")), (3, true), "{none:?}");
}
