//! The built app, clicked through as a person would.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "tests stop at the first fault")]

mod axe;
mod desk;
#[expect(dead_code, unused_imports, reason = "shared with the tests of secrets")]
mod scanner;
mod support;

use std::path::{Path, PathBuf};
use std::time::Duration;

use scanner::Scanner;
use secrecy::ExposeSecret;
use signalbox_app::{App, channels, dto, keys, operations, providers, requests};
use signalbox_simulator::{Dials, Simulator};
use support::Window;
use support::installation::{Program, add_second, ask_a_person, beside, caller, wait_until};

async fn rows(app: &App) -> Vec<dto::RequestRow> {
    requests::page(app, &caller(), dto::RequestFilter::default(), None, 50).await.unwrap().rows
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_person_sends_a_first_request_and_sees_it_in_the_log() {
    let dir = tempfile::tempdir().unwrap();
    let window = Window::open(dir.path()).await;
    assert_eq!(window.windows().await.len(), 1);
    window.find("page-first-run").await;
    window.reads("status-gateway", "Running").await;
    window.click("first-run-use-simulator").await;
    window.click("first-run-create-key").await;
    window.reads("first-run-key-made", "…").await;
    window.click("first-run-key-next").await;
    window.click("first-run-protect-next").await;
    window.click("first-run-send").await;
    window.find("first-run-answer").await;
    window.click("nav-logs").await;
    window.find("page-logs").await;
    window.reads("log-row", "chat_message").await;
    let app = beside(dir.path()).await;
    let rows = rows(&app).await;
    assert_eq!(rows.len(), 1, "one click, one request");
    assert!(rows[0].simulated && rows[0].status == dto::RequestStatus::Succeeded);
    let made = keys::list(&app, &caller()).await.unwrap();
    assert_eq!(made.len(), 1, "one click, one key");
    let page = window.driver.source().await.unwrap();
    assert!(!page.contains("sbx_live_"), "a key never enters the page");
    window.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_route_is_changed_in_the_window_the_next_request_goes_there() {
    let dir = tempfile::tempdir().unwrap();
    let window = Window::open(dir.path()).await;
    window.reads("status-gateway", "Running").await;
    let vendor = Simulator::bind_ephemeral(Dials { require_key: false, ..Dials::default() }).await.unwrap();
    let app = beside(dir.path()).await;
    add_second(&app, vendor.base_url_openai()).await;
    let program = Program::of(&window, &app).await;

    window.go("/operations?operation=chat_message").await;
    window.find("page-operations").await;
    pick_target(&window, 1, "second/model-b").await;
    window.click("draft-preview").await;
    window.click("draft-apply").await;
    wait_until(async || {
        let operation = operations::find(&app, &caller(), "chat_message").await.unwrap();
        operation.targets[0].provider == "second"
    })
    .await;

    let answer = program.asks("chat_message", "where do you go now", None).await;
    assert_eq!(answer.headers()["x-signalbox-provider"], "second");
    assert_eq!(answer.status(), 200, "{}", answer.text().await.unwrap());
    window.click("nav-changes").await;
    window.reads("page-changes", "second/model-b").await;
    window.close().await;
    vendor.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_is_refused_while_it_is_faulty_then_tried_dry_and_applied() {
    let dir = tempfile::tempdir().unwrap();
    seed(dir.path()).await;
    let window = Window::open(dir.path()).await;
    window.reads("status-gateway", "Running").await;
    let app = beside(dir.path()).await;

    window.go("/operations?operation=chat_message").await;
    window.find("route-target-select-1").await;
    window.find("route-add-rule").await.scroll_into_view().await.unwrap();
    window.click("route-add-rule").await;
    choose_from_menu(&window, "Short requests").await;
    let condition = window.find("rule-when-1").await;
    condition.send_keys(" && has_imags").await.unwrap();
    window.reads("rule-card-1", "`has_imags` is not known here").await;
    window.reads("draft-faults", "1 fault").await;
    condition.send_keys(thirtyfour::Key::Control + "a").await.unwrap();
    condition.send_keys("input_tokens < 500 && !has_images").await.unwrap();

    window.click("dry-run-toggle").await;
    window.find("dry-run-message").await.send_keys("What is this?").await.unwrap();
    window.reads("dry-run-rule", "Short requests").await;
    window.reads("dry-run-result", "Decided in").await;
    window.click("dry-run-images").await;
    window.reads("dry-run-rule", "none holds").await;

    window.click("draft-preview").await;
    window.reads("preview-sentences", "rule `Short requests` is added").await;
    window.click("draft-apply").await;
    wait_until(async || {
        let operation = operations::find(&app, &caller(), "chat_message").await.unwrap();
        operation.rules.iter().any(|rule| rule.when == "input_tokens < 500 && !has_images")
    })
    .await;
    window.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_needs_a_person_is_approved_with_two_keys_in_the_window_and_then_runs() {
    let dir = tempfile::tempdir().unwrap();
    let window = Window::open(dir.path()).await;
    window.reads("status-gateway", "Running").await;
    let vendor = Simulator::bind_ephemeral(Dials { require_key: false, ..Dials::default() }).await.unwrap();
    let app = beside(dir.path()).await;
    add_second(&app, vendor.base_url_openai()).await;
    ask_a_person(&app, "sentiment_analysis").await;
    let program = Program::of(&window, &app).await;
    let ask = async |approval| program.asks("sentiment_analysis", "how do you feel", approval).await;
    let id = program.asks_in_vain("sentiment_analysis", "how do you feel").await;

    window.click("nav-approvals").await;
    window.reads("approval-body", "how do you feel").await;
    window.reads("status-approvals", "1").await;
    let queue = window.find("approvals-queue").await;
    // The key is dead until a person could have seen what it decides; a hand that was too quick tries again.
    wait_until(async || {
        queue.send_keys("a").await.unwrap();
        window.has("approval-confirm").await
    })
    .await;
    window.find("approval-confirm").await.send_keys(thirtyfour::Key::Enter + "").await.unwrap();
    window.reads("approval-locked", "You approved it").await;
    // It counts once it can no longer be taken back.
    wait_until(async || ask(Some(&id)).await.status() == 200).await;
    assert_ne!(ask(Some(&id)).await.status(), 200, "an approval is good for one request");
    window.go("/approvals?view=decided").await;
    window.reads("decided-row", "Used").await;
    window.close().await;
    vendor.shutdown().await;
}

/// Screens are found by the sidebar, so that a new one is looked at as well; sheets and dialogs are named here.
async fn screens(window: &Window) -> Vec<String> {
    use thirtyfour::prelude::*;
    let mut routes = Vec::new();
    for link in window.driver.find_all(By::Css("[data-testid^='nav-'][href]")).await.unwrap() {
        let address = link.attr("href").await.unwrap().unwrap_or_default();
        routes.extend(address.split_once('#').map(|(_, route)| route.to_owned()));
    }
    assert!(routes.len() >= 9, "the sidebar names the screens: {routes:?}");
    routes.extend(
        [
            "/approvals?view=decided",
            "/operations?operation=chat_message",
            "/providers?add=true",
            "/providers?view=failovers",
            "/providers?provider=simulator&model=sim-chat",
            "/prices?import=true",
            "/drills",
            "/keys?create=true",
        ]
        .map(str::to_owned),
    );
    routes
}

#[tokio::test(flavor = "multi_thread")]
async fn no_screen_has_a_serious_accessibility_fault_in_either_theme() {
    let dir = tempfile::tempdir().unwrap();
    seed(dir.path()).await;
    let window = Window::open(dir.path()).await;
    window.reads("status-gateway", "Running").await;
    axe::load(&window).await;
    let routes = screens(&window).await;
    let mut found = Vec::new();
    for (theme, rules) in [("light", axe::Rules::All), ("dark", axe::Rules::Contrast)] {
        window.go("/overview").await;
        window.click("theme-menu").await;
        window.click(&format!("theme-{theme}")).await;
        for route in &routes {
            window.go(route).await;
            window.settles().await;
            for fault in axe::serious_faults(&window, rules).await {
                found.push(format!(
                    "{route} ({theme}): {} at {} places, as {}",
                    fault.rule, fault.places, fault.example
                ));
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
    window.close().await;
}

/// What the page and the web view's storage hold, and what stands in its fields.
const HELD: &str = "
    const fields = [...document.querySelectorAll('input, textarea')].map(({ value }) => value);
    const kept = [{ ...localStorage }, { ...sessionStorage }, history.state, location.href];
    return document.documentElement.outerHTML + JSON.stringify([fields, kept]);
";

#[tokio::test(flavor = "multi_thread")]
async fn no_screen_holds_a_secret_in_its_page_or_in_the_storage_of_the_web_view() {
    let dir = tempfile::tempdir().unwrap();
    let mut secrets = seed(dir.path()).await;
    secrets.push(add_channel(dir.path()).await);
    let scanner = Scanner::new(&secrets);
    let window = Window::open(dir.path()).await;
    window.reads("status-gateway", "Running").await;
    let mut routes = screens(&window).await;
    routes.push("/notifications".to_owned());
    let mut leaks = Vec::new();
    for route in &routes {
        window.go(route).await;
        window.settles().await;
        let held = window.driver.execute(HELD, Vec::new()).await.unwrap().json().to_string();
        assert!(held.contains("data-testid"), "{route} shows nothing");
        leaks.extend(scanner.find(held.as_bytes()).map(|leak| format!("{route}: {leak}")));
    }
    assert!(leaks.is_empty(), "{}", leaks.join("\n"));
    window.close().await;
}

/// A channel to Discord; gives the address that is its secret.
async fn add_channel(data_dir: &Path) -> (String, Vec<u8>) {
    let app = beside(data_dir).await;
    let input = dto::AlertChannelInput {
        name: "Discord".to_owned(),
        enabled: true,
        least: dto::AlertSeverity::Critical,
        local: false,
        means: dto::ChannelMeans::Discord,
    };
    let id = channels::add(&app, &caller(), input).await.unwrap().id;
    let token = "Wq8Rt5Zu2Pk9Lx4Nc7Mb3Vf6Hg1Jd";
    let secret = dto::SecretInput::new(format!("https://discord.com/api/webhooks/4711/{token}"));
    channels::set_secret(&app, &caller(), &id, secret).await.unwrap();
    ("the channel's token".to_owned(), token.as_bytes().to_vec())
}

/// Chooses the item of an open menu that contains a text.
async fn choose_from_menu(window: &Window, text: &str) {
    use thirtyfour::prelude::*;
    let item = window
        .driver
        .query(By::XPath(format!("//*[@role='menuitem'][contains(., '{text}')]")))
        .wait(Duration::from_secs(10), Duration::from_millis(50))
        // It unfolds first.
        .and_displayed()
        .and_enabled()
        .first()
        .await
        .expect("the menu has the item");
    item.click().await.unwrap();
}

/// Chooses a target in the numbered dropdown of the chain.
async fn pick_target(window: &Window, number: usize, target: &str) {
    use thirtyfour::prelude::*;
    let input = window.find(&format!("route-target-select-{number}")).await;
    input.click().await.unwrap();
    input.send_keys(Key::Control + "a").await.unwrap();
    input.send_keys(target).await.unwrap();
    let (_, model) = target.split_once('/').unwrap();
    let option = window
        .driver
        .query(By::XPath(format!("//*[@role='option'][contains(., '{model}')]")))
        .wait(Duration::from_secs(10), Duration::from_millis(50))
        .first()
        .await
        .expect("the target can be chosen");
    option.click().await.unwrap();
}

/// Pictures of each screen, dark and light, on a believable past. Not a test: `cargo xtask screenshots` runs it.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "writes pictures; run by `cargo xtask screenshots`"]
async fn screenshots() {
    let folder = PathBuf::from(
        std::env::var("SIGNALBOX_SCREENSHOTS").unwrap_or_else(|_| "docs/screenshots".to_owned()),
    );
    std::fs::create_dir_all(&folder).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let empty = tempfile::tempdir().unwrap();
    seed(dir.path()).await;
    let window = Window::open(dir.path()).await;
    window.reads("status-gateway", "Running").await;
    let app = beside(dir.path()).await;
    let failed_over = rows(&app)
        .await
        .into_iter()
        .find(|row| row.attempts > 1 && row.status == dto::RequestStatus::Succeeded);
    let detail = failed_over.map(|row| row.id).unwrap_or_default();
    let only = std::env::var("SIGNALBOX_SCREENS").unwrap_or_default();
    let wanted = |name: &str| only.is_empty() || only.split(',').any(|screen| screen == name);
    let screens = [
        ("overview", "/overview".to_owned(), "page-overview"),
        ("logs", "/logs".to_owned(), "page-logs"),
        ("log-detail", format!("/logs?request={detail}"), "log-detail"),
        ("operations", "/operations".to_owned(), "page-operations"),
        ("route-editor", "/operations?operation=chat_message".to_owned(), "route-target-select-1"),
        ("providers", "/providers".to_owned(), "page-providers"),
        ("providers-health", "/providers?provider=simulator&model=sim-chat".to_owned(), "target-detail"),
        ("provider-add", "/providers?add=true".to_owned(), "page-providers"),
        ("failovers", "/providers?view=failovers".to_owned(), "failovers-table"),
        ("prices", "/prices".to_owned(), "prices-table"),
        ("price-detail", "/prices?price=deepseek%2Fdeepseek-flash".to_owned(), "price-detail"),
        ("keys", "/keys".to_owned(), "page-keys"),
        ("changes", "/changes".to_owned(), "page-changes"),
        ("budgets", "/budgets".to_owned(), "page-budgets"),
        ("approvals", "/approvals".to_owned(), "page-approvals"),
        ("toggles", "/toggles".to_owned(), "page-toggles"),
        ("alerts", "/alerts".to_owned(), "page-alerts"),
        ("notifications", "/notifications".to_owned(), "page-notifications"),
        ("settings", "/settings".to_owned(), "page-settings"),
        ("first-run", "/first-run".to_owned(), "page-first-run"),
    ];
    for theme in ["dark", "light"] {
        window.click("theme-menu").await;
        window.click(&format!("theme-{theme}")).await;
        // First, so that the health of what it used is there to be shown.
        if wanted("drill") || wanted("providers-health") {
            picture_a_drill(&window, &folder.join(format!("drill-{theme}.png"))).await;
        }
        if wanted("price-import") {
            picture_an_import(&window, &folder.join(format!("price-import-{theme}.png"))).await;
        }
        for (name, route, landmark) in screens.iter().filter(|(name, _, _)| wanted(name)) {
            window.go(route).await;
            window.find(landmark).await;
            // Charts draw themselves after their data has come.
            tokio::time::sleep(Duration::from_millis(1_200)).await;
            window.screenshot(&folder.join(format!("{name}-{theme}.png"))).await;
        }
    }
    window.close().await;
    let window = Window::open(empty.path()).await;
    window.reads("status-gateway", "Running").await;
    let empty_screens =
        [("overview", "/overview"), ("logs", "/logs"), ("keys", "/keys"), ("first-run", "/first-run")];
    for (name, route) in empty_screens.into_iter().filter(|(name, _)| wanted(name)) {
        window.go(route).await;
        window.find(&format!("page-{name}")).await;
        tokio::time::sleep(Duration::from_millis(800)).await;
        window.screenshot(&folder.join(format!("{name}-empty.png"))).await;
    }
    window.close().await;
}

/// An outage of a simulated model while it runs.
async fn picture_a_drill(window: &Window, picture: &Path) {
    window.go("/drills?model=sim-chat").await;
    window.click("drill-start").await;
    window.reads("drill-words", "circuit is open").await;
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    window.screenshot(picture).await;
    window.click("drill-stop").await;
    window.find("drill-verdict").await;
}

/// A price list beside what is in force, nothing applied.
async fn picture_an_import(window: &Window, picture: &Path) {
    let listed = |provider: &str, input: f64, output: f64| {
        serde_json::json!({
            "litellm_provider": provider,
            "mode": "chat",
            "input_cost_per_token": input / 1e6,
            "output_cost_per_token": output / 1e6,
        })
    };
    let list = serde_json::json!({
        "gpt-5-mini": listed("openai", 0.2, 1.6),
        "gpt-5": listed("openai", 1.25, 10.0),
        "gpt-5-nano": listed("openai", 5.0, 40.0),
        "gpt-6-preview": listed("openai", 2.5, 20.0),
        "claude-sonnet-5": listed("anthropic", 2.5, 12.5),
        "deepseek/deepseek-flash": listed("deepseek", 0.2, 0.4),
    });
    window.go("/prices?import=true").await;
    let text = window.find("import-text").await;
    text.send_keys(list.to_string()).await.unwrap();
    window.click("import-compare").await;
    window.find("import-table").await;
    tokio::time::sleep(Duration::from_millis(800)).await;
    window.screenshot(picture).await;
    window.click("import-back").await;
}

/// Connected providers, keys, changes and two days of traffic. Gives the secrets in it, by name.
async fn seed(data_dir: &Path) -> Vec<(String, Vec<u8>)> {
    let mut secrets = Vec::new();
    let app = beside(data_dir).await;
    let caller = caller();
    for name in ["deepseek", "gemini", "openai", "anthropic"] {
        let secret = format!("sk-not-a-real-key-{name}-4f2a");
        secrets.push((format!("the credential of {name}"), secret.clone().into_bytes()));
        let secret = dto::SecretInput::new(secret);
        providers::set_credential(&app, &caller, name, secret).await.unwrap();
    }
    for (name, operations) in [("crm", vec!["chat_message"]), ("agents", vec![])] {
        let operations = operations.into_iter().map(str::to_owned).collect();
        let made = keys::create(
            &app,
            &caller,
            dto::KeyInput {
                name: name.to_owned(),
                scope: dto::KeyScope { operations, ..dto::KeyScope::default() },
                ..dto::KeyInput::default()
            },
        )
        .await
        .unwrap();
        secrets.push((format!("the key {name}"), made.secret.expose_secret().as_bytes().to_vec()));
    }
    let agent = operations::find(&app, &caller, "agent_execution").await.unwrap();
    let draft = dto::RouteDraft {
        enabled: true,
        targets: vec![
            dto::DraftTarget::of("anthropic", "claude-sonnet-5"),
            dto::DraftTarget::of("openai", "gpt-5-mini"),
        ],
        reason: Some("Agents need tool use that holds.".to_owned()),
        ..agent.draft()
    };
    operations::route_apply(&app, &caller, draft).await.unwrap();
    let control = app.control();
    let snapshot = control.snapshot().await.unwrap();
    signalbox_testkit::seed::traffic(&control.store, &snapshot, control.now(), 2 * 86_400, 12_000)
        .await
        .unwrap();
    secrets
}
