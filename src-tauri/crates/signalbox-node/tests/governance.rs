//! People, the history, toggles and alerts by commands alone, on the real program.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    dead_code,
    reason = "a test fails by panicking; the support of the other tests has more than is used here"
)]

mod support;

use serde_json::{Value, json};
use signalbox_testkit::{MailServer, Receiver};
use support::{Ended, Installation};

fn refused(ended: &Ended, code: i32, words: &str) {
    assert_eq!(ended.code, code, "{ended:?}");
    assert!(ended.err.contains(words), "{words}: {ended:?}");
}

#[tokio::test]
async fn people_come_in_with_a_role_that_holds_on_every_command_and_go_again() {
    let installation = Installation::new();
    let vera = ["people", "add", "vera", "--reason", "She looks"];
    assert_eq!(installation.ok(&vera).await, "vera may come in as viewer.");
    refused(&installation.run(&vera).await, 4, "already");
    refused(&installation.run(&["people", "add", "Vera Smith"]).await, 2, "name");
    refused(
        &installation.run(&["people", "add", "otto", "--role", "king"]).await,
        2,
        "viewer, operator or admin",
    );
    refused(&installation.run(&["people", "set-role", "nobody", "admin"]).await, 3, "nobody");
    refused(&installation.run(&["people", "list", "--as", "nobody"]).await, 4, "Nobody named `nobody`");

    let stop = ["kill-switch", "on", "--as", "vera"];
    refused(&installation.run(&stop).await, 4, "takes the role operator");
    assert_eq!(installation.ok(&["kill-switch", "status", "--as", "vera"]).await, "AI traffic runs.");
    installation.ok(&["people", "set-role", "vera", "operator"]).await;
    assert!(installation.ok(&stop).await.contains("stopped by vera (cli)"));
    let release = ["kill-switch", "off", "--typed", "RESUME"];
    refused(&installation.run(&[&release[..], &["--as", "vera"]].concat()).await, 4, "takes the role admin");
    installation.ok(&release).await;

    installation.ok(&["people", "disable", "vera", "--reason", "She left"]).await;
    refused(&installation.run(&["people", "list", "--as", "vera"]).await, 4, "may no longer come in");
    installation.ok(&["people", "enable", "vera"]).await;
    let people = installation.json(&["people", "list", "--as", "vera"]).await;
    let vera = people.as_array().unwrap().iter().find(|person| person["name"] == "vera").unwrap();
    assert_eq!((&vera["role"], &vera["is_you"]), (&json!("operator"), &json!(true)), "{people}");
    refused(&installation.run(&["people", "disable", "local"]).await, 4, "admin");

    let history = installation.json(&["history", "list", "--kind", "person"]).await;
    let told: Vec<_> =
        history.as_array().unwrap().iter().map(|entry| (&entry["subject"], &entry["reason"])).collect();
    let (who, nothing) = (json!("vera"), Value::Null);
    let (left, looks) = (json!("She left"), json!("She looks"));
    assert_eq!(told, [(&who, &nothing), (&who, &left), (&who, &nothing), (&who, &looks)]);
}

#[tokio::test]
async fn a_second_admin_makes_four_eyes_of_it_and_approves_what_the_first_one_asked_for() {
    let installation = Installation::new();
    installation.ok(&["people", "add", "anna", "--role", "admin"]).await;
    let asked = installation.ok(&["operations", "disable", "chat_message"]).await;
    assert!(asked.starts_with("Asked: chat_message is switched off"), "{asked}");
    let waiting = installation.json(&["approvals", "list"]).await;
    let id = waiting[0]["id"].as_str().unwrap();
    refused(&installation.run(&["approvals", "approve", id]).await, 4, "another admin");
    installation.ok(&["approvals", "approve", id, "--as", "anna"]).await;
    let entry = installation.json(&["history", "list", "--kind", "route", "--limit", "1"]).await;
    assert_eq!((&entry[0]["actor"], &entry[0]["approval"]), (&json!("anna"), &json!(id)), "{entry}");
    let operations = installation.json(&["operations", "list"]).await;
    let chat = operations.as_array().unwrap().iter().find(|one| one["id"] == "chat_message").unwrap();
    assert_eq!(chat["enabled"], false);
}

#[tokio::test]
async fn the_history_is_listed_filtered_verified_exported_and_reverted() {
    let installation = Installation::new();
    for value in ["7", "8"] {
        installation.ok(&["settings", "set", "max_requests", value, "--reason", "a test, for once"]).await;
    }
    installation.ok(&["toggles", "set", "log_payloads", "on"]).await;
    let list = |more: &'static [&'static str]| [&["history", "list"][..], more].concat();
    let all = installation.json(&list(&[])).await;
    let seqs: Vec<u64> = all.as_array().unwrap().iter().map(|entry| entry["seq"].as_u64().unwrap()).collect();
    assert!(seqs.windows(2).all(|pair| pair[0] == pair[1] + 1), "newest first, without gaps: {seqs:?}");
    for (filter, expected) in [
        (&["--kind", "setting"][..], 2),
        (&["--subject", "log_payloads"], 1),
        (&["--text", "for once"], 2),
        (&["--actor", "anna"], 0),
        (&["--to", "2001-01-01T00:00:00Z"], 0),
        (&["--limit", "1"], 1),
    ] {
        let rows = installation.json(&[&["history", "list"], filter].concat()).await;
        assert_eq!(rows.as_array().unwrap().len(), expected, "{filter:?}");
    }
    refused(&installation.run(&list(&["--kind", "planet"])).await, 2, "There is no kind");
    let verified = installation.ok(&["history", "verify"]).await;
    assert_eq!(verified, format!("{} entries: the chain is intact.", seqs.len()));
    assert_eq!(installation.json(&["history", "verify"]).await["intact"], true);

    let csv = installation.ok(&["history", "export", "--format", "csv", "--kind", "setting"]).await;
    assert_eq!(csv.lines().count(), 3, "{csv}");
    assert!(csv.lines().nth(1).unwrap().contains("\"a test, for once\""), "{csv}");
    let file = installation.file("history.json");
    installation.ok(&["history", "export", "--format", "json", "--out", file.to_str().unwrap()]).await;
    let written: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    assert_eq!(written.as_array().unwrap().len(), seqs.len());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "it is its owner's only");
    }

    let setting = installation.json(&list(&["--kind", "setting", "--limit", "1"])).await;
    let seq = setting[0]["seq"].to_string();
    let dry = installation.ok(&["history", "revert", &seq, "--dry-run"]).await;
    assert!(dry.contains("before  \"8\"") && dry.contains("after   \"7\""), "{dry}");
    assert_eq!(installation.json(&list(&[])).await, all, "it was only shown");
    let reverted = installation.ok(&["history", "revert", &seq, "--reason", "Back"]).await;
    assert!(reverted.starts_with(&format!("Change {seq} is reverted")), "{reverted}");
    let newest = installation.json(&list(&["--limit", "1"])).await;
    assert_eq!((&newest[0]["reason"], &newest[0]["after"]), (&json!("Back"), &json!("\"7\"")), "{newest}");
    refused(&installation.run(&["history", "revert", "1"]).await, 4, "cannot be reverted");
    refused(&installation.run(&["history", "revert", "4711"]).await, 3, "There is no change");
}

#[tokio::test]
async fn a_toggle_is_set_for_all_and_for_one_operation_and_the_list_says_what_holds() {
    let installation = Installation::new();
    let set = |more: &'static [&'static str]| [&["toggles", "set", "log_payloads"][..], more].concat();
    assert!(installation.ok(&set(&["on", "--reason", "a bug"])).await.starts_with("log_payloads is on."));
    installation.ok(&set(&["off", "--operation", "chat_message"])).await;
    let list = installation.ok(&["toggles", "list"]).await;
    let line = list.lines().find(|line| line.starts_with("log_payloads")).unwrap();
    assert!(line.contains(" on ") && line.contains("chat_message off") && line.contains("local"), "{line}");
    installation.ok(&set(&["default", "--operation", "chat_message"])).await;
    let said = installation.ok(&set(&["default"])).await;
    assert!(said.starts_with("log_payloads is off."), "{said}");
    refused(&installation.run(&set(&["on", "--operation", "nothing"])).await, 3, "There is no operation");
    let history = installation.json(&["history", "list", "--kind", "toggle"]).await;
    assert_eq!(history.as_array().unwrap().len(), 4, "{history}");
}

#[tokio::test]
async fn a_trial_of_every_means_says_whether_it_arrived() {
    let receiver = Receiver::start().await.unwrap();
    let mail = MailServer::start().await.unwrap();
    let installation = Installation::new();
    let url = receiver.url("/hooks/of-a-test");
    for means in ["discord", "slack"] {
        let add = ["alerts", "channels", "add", means, "--name", means, "--local", "--secret-stdin"];
        let added = installation.run_with_input(&add, &url).await;
        assert_eq!(added.code, 0, "{added:?}");
    }
    let add =
        ["alerts", "channels", "add", "webhook", "--name", "webhook", "--local", "--url", &url, "--new-key"];
    installation.ok(&add).await;
    let port = mail.addr.port().to_string();
    let add = ["alerts", "channels", "add", "email", "--name", "email", "--local", "--host", "127.0.0.1"];
    let way =
        ["--port", &port, "--security", "none", "--from", "desk@example.com", "--to", "ann@example.com"];
    installation.ok(&[&add[..], &way].concat()).await;
    for channel in ["discord", "slack", "webhook", "email"] {
        let said = installation.ok(&["alerts", "test", channel]).await;
        assert_eq!(said, format!("The trial was delivered on {channel}."));
    }
    assert_eq!(receiver.received().len(), 3);
    let signed =
        receiver.received().iter().filter(|one| one.headers.contains_key("webhook-signature")).count();
    assert_eq!(signed, 1);
    assert_eq!(mail.mails().len(), 1);
    receiver.answer(500, Vec::new(), "not today");
    refused(&installation.run(&["alerts", "test", "slack"]).await, 1, "answered 500: not today");
    refused(&installation.run(&["alerts", "test", "nowhere"]).await, 3, "channel");
}
