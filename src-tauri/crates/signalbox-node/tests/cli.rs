//! The command line from end to end, on the real program.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test stops at the first fault"
)]

mod support;

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use signalbox_simulator::{Dials, Simulator};
use support::{Ended, Installation, Serving, finish, http, program};

/// How long a change may take to reach a running instance.
const CHANGE_MAX: Duration = Duration::from_secs(2);
/// Between two looks at whether it has.
const LOOK_AGAIN: Duration = Duration::from_millis(25);

fn chat(serving: &Serving, key: &str, model: &str) -> reqwest::RequestBuilder {
    let body = json!({"model": model, "messages": [{"role": "user", "content": "one two three"}]});
    http().post(format!("{}/v1/chat/completions", serving.root)).bearer_auth(key).json(&body)
}

async fn answer(request: reqwest::RequestBuilder) -> (u16, Value) {
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

/// Asks until the answer is as wanted, and fails when that takes longer than a change may.
async fn within_two_seconds<F: Future<Output = bool>>(what: &str, mut reached: impl FnMut() -> F) {
    let began = Instant::now();
    while !reached().await {
        assert!(began.elapsed() < CHANGE_MAX, "{what}: not within {CHANGE_MAX:?}");
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

fn failed(ended: &Ended, code: i32, words: &str) {
    assert_eq!(ended.code, code, "{ended:?}");
    assert!(ended.err.contains(words), "{words}: {ended:?}");
    let lines = ended.err.lines().filter(|line| line.starts_with("error: ")).count();
    assert_eq!(lines, 1, "one clear sentence: {ended:?}");
    assert_eq!(ended.out, "", "{ended:?}");
}

#[tokio::test]
async fn a_first_request_goes_from_a_new_directory_to_a_priced_row_by_commands_alone() {
    let simulator = Simulator::bind_ephemeral(Dials::default()).await.unwrap();
    let installation = Installation::new().with_variable("TEST_CREDENTIAL", "sk-cli-test-0123456789");
    let base_url = simulator.base_url_openai();
    let add = ["providers", "add", "--kind", "openai", "--name", "sim", "--base-url", &base_url];
    let added = installation.ok(&[&add[..], &["--credential-env", "TEST_CREDENTIAL"]].concat()).await;
    assert!(added.contains("$TEST_CREDENTIAL"), "{added}");
    let prices = ["--input-usd-per-mtok", "2", "--output-usd-per-mtok", "8", "--context-window", "128000"];
    installation.ok(&[&["models", "add", "sim/m"][..], &prices].concat()).await;
    let set = installation.ok(&["routes", "set", "chat_message", "sim/m", "--reason", "a test"]).await;
    assert!(set.contains("sim/m joins as first") && set.contains("leaves the chain"), "{set}");
    let key = installation.ok(&["keys", "create", "--name", "laptop", "--operations", "chat_message"]).await;
    assert!(key.starts_with("sbx_live_") && !key.contains('\n'), "{key}");

    let serving = installation.serve(&["--simulator", "off", "--log", "json"]).await;
    assert!(
        serving.greeting.contains("off") && serving.greeting.contains("1 in use"),
        "{}",
        serving.greeting
    );
    let (status, body) = answer(chat(&serving, &key, "op:chat_message")).await;
    assert_eq!((status, &body["choices"][0]["message"]["content"]), (200, &json!("You said: one two three")));
    let (status, body) = answer(chat(&serving, &key, "op:job_planning")).await;
    assert_eq!((status, &body["error"]["code"]), (403, &json!("operation_not_allowed")));

    let list = ["requests", "list", "--operation", "chat_message", "--status", "succeeded"];
    within_two_seconds("a settled row", || async {
        installation.json(&list).await.as_array().is_some_and(|rows| !rows.is_empty())
    })
    .await;
    let rows = installation.json(&list).await;
    assert_eq!(rows.as_array().unwrap().len(), 1);
    // 3 words in at 2 USD per million, 5 words out at 8.
    assert_eq!((&rows[0]["cost"], &rows[0]["cost_status"]), (&json!("46000"), &json!("exact")));
    let table = installation.ok(&["requests", "list"]).await;
    assert!(table.contains("$0.000046") && table.contains("sim/m") && table.contains("laptop"), "{table}");
    let shown = installation.ok(&["requests", "show", rows[0]["id"].as_str().unwrap()]).await;
    assert!(shown.contains("3 input_tokens × $2 / 1000000 = $0.000006"), "{shown}");
    let models = installation.ok(&["models", "list"]).await;
    assert!(models.lines().any(|line| line.starts_with("sim/m ") && line.contains("$8")), "{models}");

    let csv = installation.ok(&["ledger", "export", "--format", "csv"]).await;
    assert!(csv.lines().nth(1).unwrap().contains(",0.000046,46000,exact,"), "{csv}");
    let file = installation.file("export.jsonl");
    installation.ok(&["ledger", "export", "--format", "jsonl", "--out", file.to_str().unwrap()]).await;
    let line: Value = serde_json::from_str(std::fs::read_to_string(&file).unwrap().trim()).unwrap();
    assert_eq!(line["cost_usd"], "0.000046");
    assert_eq!(installation.json(&["ledger", "verify"]).await["in_order"], true);
    let history = installation.json(&["history", "list"]).await;
    assert_eq!(
        (&history[1]["reason"], &history[1]["source"]),
        (&json!("a test"), &json!("cli")),
        "{history}"
    );
}

#[tokio::test]
async fn every_change_on_the_command_line_reaches_a_running_instance_within_two_seconds() {
    let installation = Installation::new();
    let serving = installation.serve(&[]).await;
    let key = installation.ok(&["keys", "create", "--name", "late"]).await;
    let status = |model: &'static str| {
        let request = chat(&serving, &key, model);
        async move { answer(request).await.0 }
    };
    within_two_seconds("a new key", || async { status("op:chat_message").await == 200 }).await;
    installation.ok(&["operations", "disable", "chat_message"]).await;
    within_two_seconds("an operation switched off", || async { status("op:chat_message").await == 403 })
        .await;
    installation.ok(&["operations", "enable", "email_analysis"]).await;
    within_two_seconds("an operation switched on", || async { status("op:email_analysis").await == 200 })
        .await;
    installation
        .ok(&["providers", "add", "--kind", "openai", "--name", "down", "--base-url", "http://127.0.0.1:9"])
        .await;
    installation.ok(&["models", "add", "down/m"]).await;
    installation.ok(&["routes", "set", "email_analysis", "down/m"]).await;
    within_two_seconds("a route", || async { status("op:email_analysis").await == 502 }).await;
    let keys = installation.json(&["keys", "list"]).await;
    installation.ok(&["keys", "revoke", keys[0]["id"].as_str().unwrap()]).await;
    within_two_seconds("a revoked key", || async { status("op:job_planning").await == 401 }).await;
}

#[tokio::test]
async fn a_second_instance_a_taken_port_and_a_remote_address_are_refused_by_name() {
    let first = Installation::new();
    let serving = first.serve(&[]).await;
    let second = first.run(&["serve", "--listen", "127.0.0.1:0"]).await;
    failed(&second, 5, "Another Signalbox is running");
    let address = serving.root.trim_start_matches("http://");
    let other = Installation::new();
    failed(&other.run(&["serve", "--listen", address]).await, 5, "is already in use");
    failed(&other.run(&["serve", "--listen", "0.0.0.0:0"]).await, 2, "--allow-remote");
    assert_eq!(other.run(&["serve", "--listen", "nonsense"]).await.code, 2);
}

#[tokio::test]
async fn a_data_directory_that_cannot_be_used_and_a_newer_database_are_refused_and_left_alone() {
    let installation = Installation::new();
    let file = installation.file("a-file");
    std::fs::write(&file, "mine").unwrap();
    for place in [file.clone(), file.join("below")] {
        let mut command = program(&place);
        command.args(["operations", "list"]);
        failed(&finish(command, "").await, 5, "Cannot use the data directory");
    }
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "mine");

    let newer = installation.file("signalbox.sqlite");
    let fixture = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/newer-schema.sqlite");
    let before = std::fs::read(fixture).unwrap();
    std::fs::write(&newer, &before).unwrap();
    failed(&installation.run(&["keys", "list"]).await, 5, "newer version");
    failed(&installation.run(&["serve", "--listen", "127.0.0.1:0"]).await, 5, "newer version");

    std::fs::write(&newer, "this is no database, but something of mine ".repeat(100)).unwrap();
    let foreign = installation.run(&["keys", "list"]).await;
    assert_ne!(foreign.code, 0, "{foreign:?}");
    assert!(std::fs::read_to_string(&newer).unwrap().starts_with("this is no database"));
}

#[cfg(unix)]
#[tokio::test]
async fn an_unwritable_data_directory_is_refused_by_name() {
    use std::os::unix::fs::PermissionsExt;

    let installation = Installation::new();
    let locked = installation.file("locked");
    std::fs::create_dir(&locked).unwrap();
    std::fs::set_permissions(&locked, PermissionsExt::from_mode(0o500)).unwrap();
    if std::fs::write(locked.join("probe"), "").is_ok() {
        // A superuser may write everywhere; there is nothing to refuse.
        return;
    }
    let mut command = program(&locked);
    command.args(["keys", "list"]);
    failed(&finish(command, "").await, 5, "Cannot use the data directory");
}

#[tokio::test]
async fn wrong_values_have_their_own_exit_codes_and_change_nothing() {
    let installation = Installation::new();
    let before = installation.json(&["history", "list"]).await;
    let cases: &[(&[&str], i32, &str)] = &[
        (&["routes", "show", "nothing_like_it"], 3, "There is no operation"),
        (&["routes", "set", "nothing_like_it", "deepseek/deepseek-flash"], 3, "There is no operation"),
        (&["routes", "set", "chat_message", "no-slash"], 2, "provider/model"),
        (&["routes", "set", "chat_message", "nobody/m"], 2, "There is no provider"),
        (&["routes", "set", "chat_message", "deepseek/nothing"], 2, "has no model"),
        (&["operations", "enable", "nothing_like_it"], 3, "There is no operation"),
        (&["keys", "create", "--name", "k", "--operations", "nothing_like_it"], 2, "There is no operation"),
        (&["keys", "create", "--name", ""], 2, "needs a name"),
        (&["keys", "revoke", "key_nonsense"], 3, "There is no key"),
        (
            &[
                "providers",
                "add",
                "--kind",
                "openai",
                "--name",
                "deepseek",
                "--base-url",
                "https://x.example",
            ],
            4,
            "already",
        ),
        (
            &["providers", "add", "--kind", "openai", "--name", "x", "--base-url", "http://x.example"],
            2,
            "https",
        ),
        (
            &["providers", "add", "--kind", "nonsense", "--name", "x", "--base-url", "https://x.example"],
            2,
            "kind",
        ),
        (&["providers", "credential", "nobody"], 3, "There is no provider"),
        (&["providers", "credential", "deepseek"], 2, "no credential on standard input"),
        (&["models", "add", "nobody/m"], 3, "There is no provider"),
        (
            &["models", "add", "deepseek/m", "--input-usd-per-mtok", "cheap", "--output-usd-per-mtok", "1"],
            2,
            "amount",
        ),
        (&["requests", "show", "req_00000000000070008000000000000000"], 3, "There is no request"),
        (&["requests", "list", "--from", "yesterday"], 2, "yesterday"),
    ];
    for (args, code, words) in cases {
        let ended = installation.run(args).await;
        assert_eq!(ended.code, *code, "{args:?}: {ended:?}");
        failed(&ended, *code, words);
    }
    for usage in
        [&["requests", "list", "--status", "odd"][..], &["ledger", "export"], &["no-such-command"], &[]]
    {
        assert_eq!(installation.run(usage).await.code, 2, "{usage:?}");
    }
    assert_eq!(installation.json(&["history", "list"]).await, before);
    installation.ok(&["keys", "create", "--name", "twice"]).await;
    failed(&installation.run(&["keys", "create", "--name", "twice"]).await, 4, "already");
}

#[tokio::test]
async fn a_credential_from_standard_input_is_sealed_and_nowhere_in_clear() {
    let secret = "sk-canary-4711-4711-4711";
    let installation = Installation::new();
    let add = [
        "providers",
        "add",
        "--kind",
        "openai",
        "--name",
        "mine",
        "--base-url",
        "https://x.example/v1",
        "--credential-stdin",
    ];
    let added = installation.run_with_input(&add, &format!("{secret}\n")).await;
    assert_eq!(added.code, 0, "{added:?}");
    assert!(added.out.contains("…4711") && !added.out.contains(secret), "{added:?}");
    let listed = installation.ok(&["providers", "list", "--json"]).await;
    assert!(!listed.contains(secret));
    for entry in std::fs::read_dir(installation.path()).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            let bytes = std::fs::read(&path).unwrap();
            let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!found, "{} has the credential in clear", path.display());
        }
    }
}

#[tokio::test]
async fn secrets_under_a_passphrase_are_sealed_until_it_is_given_and_everything_can_still_be_read() {
    let passphrase = "correct horse battery staple";
    let installation = Installation::new();
    let key = installation.ok(&["keys", "create", "--name", "laptop"]).await;
    failed(&installation.run_with_input(&["secrets", "protect"], "hunter2").await, 2, "at least 12");
    let protected = installation.run_with_input(&["secrets", "protect"], passphrase).await;
    assert_eq!(protected.code, 0, "{protected:?}");
    let status = installation.ok(&["secrets", "status"]).await;
    assert!(status.contains("under a passphrase") && status.contains("sealed"), "{status}");

    let serving = installation.serve(&[]).await;
    assert!(serving.greeting.contains("sealed until their passphrase"), "{}", serving.greeting);
    let (status, body) = answer(chat(&serving, &key, "op:chat_message")).await;
    assert_eq!((status, &body["error"]["code"]), (503, &json!("sealed")));
    assert_eq!(installation.json(&["keys", "list"]).await[0]["name"], "laptop");
    failed(&installation.run(&["keys", "create", "--name", "other"]).await, 5, "SIGNALBOX_PASSPHRASE");
    drop(serving);

    let wrong = installation.with_variable("SIGNALBOX_PASSPHRASE", "correct horse battery stable");
    failed(&wrong.run(&["keys", "create", "--name", "other"]).await, 2, "does not open");
    let opened = wrong.with_variable("SIGNALBOX_PASSPHRASE", passphrase);
    let serving = opened.serve(&[]).await;
    assert_eq!(answer(chat(&serving, &key, "op:chat_message")).await.0, 200);
}

#[tokio::test]
async fn a_key_is_scoped_rotated_and_brings_its_owners_credential_on_the_command_line() {
    let installation = Installation::new();
    let targets = "deepseek,gemini,simulator";
    let scope = ["--owner", "grace", "--targets", targets, "--expires", "2099-01-31T00:00:00Z"];
    let old = installation.ok(&[&["keys", "create", "--name", "crm"], &scope[..]].concat()).await;
    let key = installation.json(&["keys", "list"]).await[0].clone();
    let id = key["id"].as_str().unwrap();
    assert_eq!(
        (&key["owner"], &key["targets"]),
        (&json!("grace"), &json!(targets.split(',').collect::<Vec<_>>()))
    );

    let new = installation.ok(&["keys", "rotate", id, "--overlap-hours", "2"]).await;
    assert!(new.starts_with("sbx_live_") && new != old, "{new}");
    installation.ok(&["keys", "scope", id, "--operations", "chat_message", "--expires", "never"]).await;
    let key = installation.json(&["keys", "list"]).await[0].clone();
    assert_eq!((&key["owner"], &key["operations"]), (&json!("grace"), &json!(["chat_message"])));
    assert_eq!(key["expires_at"], Value::Null);
    let listed = installation.ok(&["keys", "list"]).await;
    assert!(
        listed.contains("grace") && listed.contains("simulator") && listed.contains(" until "),
        "{listed}"
    );

    let serving = installation.serve(&[]).await;
    for secret in [&old, &new] {
        assert_eq!(answer(chat(&serving, secret, "op:chat_message")).await.0, 200);
    }
    installation.ok(&["keys", "rotate", id, "--overlap-hours", "0"]).await;
    within_two_seconds("the end of the secrets before", || async {
        answer(chat(&serving, &new, "op:chat_message")).await.0 == 401
    })
    .await;
    let given =
        installation.run_with_input(&["keys", "credential", id, "deepseek"], "sk-own-4711-4711").await;
    assert_eq!(given.code, 0, "{given:?}");
    let key = installation.json(&["keys", "list"]).await[0].clone();
    assert_eq!(key["own_credentials"][0]["hint"], json!("…4711"));
}

#[cfg(unix)]
#[tokio::test]
async fn a_signal_to_stop_lets_a_running_answer_finish_and_ends_with_success() {
    let simulator = Simulator::bind_ephemeral(Dials { latency_ms: 600, ..Dials::default() }).await.unwrap();
    let installation = Installation::new();
    let base_url = simulator.base_url_openai();
    let add = [
        "providers",
        "add",
        "--kind",
        "openai",
        "--name",
        "sim",
        "--base-url",
        &base_url,
        "--credential-stdin",
    ];
    assert_eq!(installation.run_with_input(&add, "sk-test-0123456789").await.code, 0);
    installation.ok(&["models", "add", "sim/m"]).await;
    installation.ok(&["routes", "set", "chat_message", "sim/m"]).await;
    let key = installation.ok(&["keys", "create", "--name", "laptop"]).await;
    let mut serving = installation.serve(&[]).await;
    let running = answer(chat(&serving, &key, "op:chat_message"));
    let pid = serving.child.id().unwrap().to_string();
    let stopping = async {
        simulator.observed_until(|seen| seen.in_flight == 1).await;
        let killed = std::process::Command::new("kill").args(["-TERM", &pid]).status().unwrap();
        assert!(killed.success());
    };
    let ((status, _), ()) = tokio::join!(running, stopping);
    assert_eq!(status, 200);
    assert!(serving.child.wait().await.unwrap().success());
    let rows = installation.json(&["requests", "list"]).await;
    assert_eq!((&rows[0]["status"], &rows[0]["cost_status"]), (&json!("succeeded"), &json!("unpriced")));
}

#[tokio::test]
async fn help_explains_every_command_with_examples_and_exit_codes() {
    let installation = Installation::new();
    let help = installation.ok(&["--help"]).await;
    for word in ["Exit codes:", "Examples:", "serve", "ledger", "SIGNALBOX_DATA_DIR"] {
        assert!(help.contains(word), "{word}");
    }
    let examples: [&[&str]; 11] = [
        &["serve"],
        &["keys", "create"],
        &["providers", "add"],
        &["models", "add"],
        &["routes", "set"],
        &["requests", "list"],
        &["ledger", "export"],
        &["keys", "revoke"],
        &["keys", "rotate"],
        &["keys", "scope"],
        &["secrets", "protect"],
    ];
    for command in examples {
        let help = installation.ok(&[command, &["--help"]].concat()).await;
        assert!(help.contains("Example"), "{command:?}: {help}");
    }
}

#[tokio::test]
async fn approvals_are_listed_decided_and_used_by_commands_beside_a_serving_instance() {
    let installation = Installation::new();
    let key = installation.ok(&["keys", "create", "--name", "crm"]).await;
    let said =
        installation.ok(&["approvals", "policy", "chat_message", "--always", "--reason", "a test"]).await;
    assert!(said.contains("a request needs a person always"), "{said}");
    let serving = installation.serve(&[]).await;
    assert_eq!(installation.ok(&["approvals", "list"]).await, "No pending approvals.");

    let (status, body) = answer(chat(&serving, &key, "op:chat_message")).await;
    assert_eq!((status, &body["error"]["code"]), (403, &json!("approval_required")), "{body}");
    let id = body["error"]["approval"]["id"].as_str().unwrap();
    let rows = installation.json(&["approvals", "list"]).await;
    assert_eq!(
        (&rows[0]["id"], &rows[0]["state"], &rows[0]["submitter"]),
        (&json!(id), &json!("pending"), &json!("crm"))
    );
    let shown = installation.ok(&["approvals", "show", id]).await;
    assert!(shown.contains("one two three") && shown.contains("chat_message for crm, up to $"), "{shown}");

    let approved = installation.ok(&["approvals", "approve", id, "--reason", "once"]).await;
    assert!(approved.starts_with("Approved: chat_message for crm"), "{approved}");
    let again = || chat(&serving, &key, "op:chat_message").header("x-signalbox-approval", id);
    let (status, body) = answer(again()).await;
    assert_eq!(status, 200, "{body}");
    let (status, body) = answer(again()).await;
    assert_eq!((status, &body["error"]["code"]), (403, &json!("approval_not_usable")), "{body}");

    let (_, body) = answer(chat(&serving, &key, "op:chat_message")).await;
    let second = body["error"]["approval"]["id"].as_str().unwrap();
    failed(&installation.run(&["approvals", "reject", second]).await, 2, "--reason");
    installation.ok(&["approvals", "reject", second, "--reason", "enough for today"]).await;
    within_two_seconds("the program is told that it was rejected", || async {
        let (status, body) = answer(chat(&serving, &key, "op:chat_message")).await;
        status == 403 && body["error"]["code"] == "approval_rejected"
    })
    .await;
    failed(&installation.run(&["approvals", "approve", second]).await, 4, "already");
    failed(&installation.run(&["approvals", "show", "apr_no"]).await, 3, "no approval");
    let decided = installation.json(&["approvals", "list", "--decided"]).await;
    let states: Vec<&Value> = decided.as_array().unwrap().iter().map(|row| &row["state"]).collect();
    assert_eq!(states, [&json!("rejected"), &json!("consumed")]);
    installation.ok(&["approvals", "policy", "chat_message", "--off"]).await;
    within_two_seconds("no person is asked any more", || async {
        answer(chat(&serving, &key, "op:chat_message")).await.0 == 200
    })
    .await;
    let history = installation.ok(&["history", "verify"]).await;
    assert!(history.contains("intact") || history.contains("entries"), "{history}");
}

#[tokio::test]
async fn the_kill_switch_stops_a_running_instance_within_a_second_and_only_the_typed_word_releases_it() {
    let installation = Installation::new();
    let key = installation.ok(&["keys", "create", "--name", "cli"]).await;
    let serving = installation.serve(&[]).await;
    assert_eq!(answer(chat(&serving, &key, "op:chat_message")).await.0, 200);
    let said = installation.ok(&["kill-switch", "on", "--reason", "a loop spends"]).await;
    assert!(said.contains("stopped by local (cli)") && said.ends_with("a loop spends."), "{said}");
    within_two_seconds("the stop is in force", || async {
        let (status, body) = answer(chat(&serving, &key, "op:chat_message")).await;
        status == 503 && body["error"]["code"] == "kill_switch"
    })
    .await;
    assert!(installation.json(&["kill-switch", "status"]).await["stopped"]["at"].is_string());
    for wrong in ["resume", "yes", ""] {
        let ended = installation.run(&["kill-switch", "off", "--typed", wrong]).await;
        failed(&ended, 2, "RESUME");
    }
    let released = installation.run_with_input(&["kill-switch", "off"], "RESUME\n").await;
    assert_eq!((released.code, released.out.trim()), (0, "AI traffic runs."));
    within_two_seconds("the release is in force", || async {
        answer(chat(&serving, &key, "op:chat_message")).await.0 == 200
    })
    .await;
    let history = installation.json(&["history", "list", "--kind", "kill_switch"]).await;
    let sentences: Vec<&str> =
        history.as_array().unwrap().iter().map(|entry| entry["sentence"].as_str().unwrap()).collect();
    assert_eq!(sentences, ["AI traffic runs again", "All AI traffic is stopped"]);
}

#[tokio::test]
async fn toggles_are_listed_with_what_holds_and_the_locked_ones_cannot_be_set() {
    let installation = Installation::new();
    let list = installation.ok(&["toggles", "list"]).await;
    assert!(list.contains("advisor_can_approve_costs") && list.contains("off, locked"), "{list}");
    assert!(!list.contains("orchestration_enabled"), "what is not built is not offered: {list}");
    let set = ["toggles", "set", "log_payloads", "on", "--operation", "chat_message", "--reason", "a bug"];
    let said = installation.ok(&set).await;
    assert!(said.contains("log_payloads is off, except: chat_message on"), "{said}");
    for position in ["on", "off", "default"] {
        let ended = installation.run(&["toggles", "set", "advisor_can_change_routes", position]).await;
        failed(&ended, 4, "locked in the build");
    }
    failed(&installation.run(&["settings", "set", "log_payloads", "true"]).await, 3, "is a toggle");
    failed(&installation.run(&["toggles", "set", "everything", "on"]).await, 3, "no toggle");
}

#[tokio::test]
async fn alerts_are_told_on_a_channel_listed_and_acknowledged_by_commands_alone() {
    let receiver = signalbox_testkit::Receiver::start().await.unwrap();
    let simulator = Simulator::bind_ephemeral(Dials::default()).await.unwrap();
    let installation = Installation::new().with_variable("TEST_CREDENTIAL", "sk-cli-test-0123456789");
    let add = ["alerts", "channels", "add", "slack", "--name", "ops", "--local", "--secret-stdin"];
    let added = installation.run_with_input(&add, &receiver.url("/hooks/cli-canary")).await;
    assert_eq!(added.code, 0, "{added:?}");
    assert!(installation.ok(&["alerts", "test", "ops"]).await.contains("delivered"));
    let channels = installation.ok(&["alerts", "channels", "list"]).await;
    assert!(channels.contains("127.0.0.1 …nary") && !channels.contains("cli-canary"), "{channels}");

    let webhook =
        ["alerts", "channels", "add", "webhook", "--name", "desk", "--url", "https://desk.example/hook"];
    let refused = installation.run_with_input(&[&webhook[..], &["--secret-stdin"]].concat(), "short").await;
    failed(&refused, 2, "signing key");
    let key = installation.ok(&[&webhook[..], &["--new-key"]].concat()).await;
    assert!(key.starts_with("whsec_") && !key.contains('\n'), "{key}");
    installation.ok(&["alerts", "channels", "remove", "desk"]).await;
    failed(&installation.run(&["alerts", "test", "desk"]).await, 3, "no channel");

    let base_url = simulator.base_url_openai();
    let add = ["providers", "add", "--kind", "openai", "--name", "sim", "--base-url", &base_url];
    installation.ok(&[&add[..], &["--credential-env", "TEST_CREDENTIAL"]].concat()).await;
    installation.ok(&["models", "add", "sim/unpriced"]).await;
    installation.ok(&["routes", "set", "chat_message", "sim/unpriced"]).await;
    let key = installation.ok(&["keys", "create", "--name", "laptop"]).await;
    let serving = installation.serve(&["--simulator", "off"]).await;
    assert_eq!(answer(chat(&serving, &key, "op:chat_message")).await.0, 200);
    within_two_seconds("the alert is told", async || receiver.received().len() == 2).await;
    let open = installation.json(&["alerts", "list", "--open"]).await;
    assert_eq!(open[0]["kind"], "unpriced_usage", "{open}");
    let id = open[0]["id"].as_str().unwrap();
    assert!(installation.ok(&["alerts", "ack", id]).await.contains("0 alerts are open"));
    let deliveries = installation.json(&["alerts", "deliveries"]).await;
    let states: Vec<_> = deliveries.as_array().unwrap().iter().map(|row| &row["state"]).collect();
    assert_eq!(states, ["sent", "sent"], "{deliveries}");

    receiver.answer(410, Vec::new(), "gone");
    failed(&installation.run(&["alerts", "test", "ops"]).await, 1, "answered 410: gone");
}
