//! What surrounds the window on a desktop: the tray, closing it, the small window and its shortcut, a second start.

use std::time::Duration;

use signalbox_app::dto;
use signalbox_simulator::{Dials, Simulator};

use crate::support::Window;
use crate::support::desktop::{Desktop, key};
use crate::support::installation::{Program, add_second, ask_a_person, beside, state_of, wait_until};

const OPERATION: &str = "sentiment_analysis";
const MAIN: &str = "Signalbox";
const SMALL: &str = "Quick approve";

#[tokio::test(flavor = "multi_thread")]
async fn the_tray_tells_what_waits_and_a_click_leads_to_it_and_decides_nothing() {
    let desktop = Desktop::start().await;
    let window = Window::open_on(&desktop).await;
    window.reads("status-gateway", "Running").await;
    let vendor = Simulator::bind_ephemeral(Dials { require_key: false, ..Dials::default() }).await.unwrap();
    let app = beside(&desktop.data_dir()).await;
    says(&desktop, "Running · $0.00 today · 0 requests").await;
    says(&desktop, "No approval waits").await;

    add_second(&app, vendor.base_url_openai()).await;
    ask_a_person(&app, OPERATION).await;
    let program = Program::of(&window, &app).await;
    let mut waiting = Vec::new();
    for number in 1..=6 {
        waiting.push(program.asks_in_vain(OPERATION, &format!("question {number}")).await);
    }
    says(&desktop, "6 approvals wait").await;
    let lines = desktop.menu().await;
    let approvals: Vec<&str> =
        lines.iter().map(|line| line.label.as_str()).filter(|label| label.contains("at most $")).collect();
    assert_eq!(approvals.len(), 5, "the first five: {lines:?}");
    assert!(approvals.iter().all(|label| label.starts_with(OPERATION)), "{approvals:?}");

    desktop.close(MAIN);
    wait_until(async || !desktop.shows(MAIN)).await;
    desktop.click_in_menu("at most $").await;
    wait_until(async || desktop.shows(MAIN)).await;
    window.find("page-approvals").await;
    window.reads("approval-body", "question").await;
    for id in &waiting {
        assert_eq!(state_of(&app, id).await, dto::ApprovalState::Pending, "nothing is decided");
    }

    desktop.click_in_menu("Stop all AI traffic").await;
    window.reads("kill-switch-banner", "All AI traffic is stopped").await;
    says(&desktop, "AI traffic is stopped: resume").await;
    says(&desktop, "AI traffic stopped · ").await;
    window.close().await;
    vendor.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn closing_goes_on_behind_the_tray_and_says_so_once_and_quits_where_there_is_none() {
    let desktop = Desktop::start().await;
    let window = Window::open_on(&desktop).await;
    window.reads("status-gateway", "Running").await;
    let serves = async || serves(&window).await;
    says(&desktop, "Open Signalbox").await;
    for _ in 0..2 {
        desktop.close(MAIN);
        wait_until(async || !desktop.shows(MAIN)).await;
        assert!(serves().await, "programs are still served");
        desktop.click_in_menu("Open Signalbox").await;
        wait_until(async || desktop.shows(MAIN)).await;
    }
    wait_until(async || !desktop.notes().is_empty()).await;
    assert_eq!(desktop.notes(), ["Signalbox keeps running"], "once");

    // Nobody would find a window that is hidden behind nothing.
    desktop.show_tray(false);
    desktop.close(MAIN);
    wait_until(async || !serves().await).await;
    window.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_quits_from_the_tray_sees_the_window_at_the_next_start_and_may_choose_that_closing_quits() {
    let desktop = Desktop::start().await;
    let window = Window::open_on(&desktop).await;
    window.reads("status-gateway", "Running").await;
    says(&desktop, "Quit").await;
    desktop.close(MAIN);
    wait_until(async || !desktop.shows(MAIN)).await;
    wait_until(async || !desktop.notes().is_empty()).await;
    desktop.click_in_menu("Quit").await;
    wait_until(async || !serves(&window).await).await;
    window.close().await;

    let window = Window::open_on(&desktop).await;
    wait_until(async || desktop.shows(MAIN)).await;
    window.reads("status-gateway", "Running").await;
    desktop.close(MAIN);
    wait_until(async || !desktop.shows(MAIN)).await;
    desktop.click_in_menu("Open Signalbox").await;
    wait_until(async || desktop.shows(MAIN)).await;
    assert_eq!(desktop.notes().len(), 1, "it is said once, not once per start");

    window.go("/settings").await;
    window.reads("settings-desktop", "Keeps running").await;
    // The switch itself is drawn by its label, so the driver takes it for hidden.
    let switch = "document.querySelector('[data-testid=desktop-close-to-tray]').click()";
    window.driver.execute(switch, Vec::new()).await.unwrap();
    window.reads("settings-desktop", "Quits").await;
    desktop.close(MAIN);
    wait_until(async || !serves(&window).await).await;
    window.close().await;
}

async fn serves(window: &Window) -> bool {
    tokio::net::TcpStream::connect(window.listen).await.is_ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_shortcut_opens_the_small_window_which_approves_what_is_of_low_risk_with_two_keys() {
    let desktop = Desktop::start().await;
    let window = Window::open_on(&desktop).await;
    window.reads("status-gateway", "Running").await;
    let vendor = Simulator::bind_ephemeral(Dials { require_key: false, ..Dials::default() }).await.unwrap();
    let app = beside(&desktop.data_dir()).await;
    add_second(&app, vendor.base_url_openai()).await;
    ask_a_person(&app, OPERATION).await;
    let program = Program::of(&window, &app).await;
    let first = program.asks_in_vain(OPERATION, "how do you feel").await;
    let second = program.asks_in_vain(OPERATION, "and how does she").await;

    assert!(!desktop.shows(SMALL));
    desktop.press(&[key::CONTROL, key::SHIFT, key::A]);
    wait_until(async || desktop.shows(SMALL)).await;
    window.look_at("quick-approve").await;
    window.reads("quick-approve", "how do you feel").await;
    window.reads("quick-approve", "2 waiting").await;
    // What decides is dead until it has been on the screen for a moment; a hand that was too quick tries again.
    wait_until(async || {
        desktop.press(&[key::A]);
        window.has("approval-confirm").await
    })
    .await;
    desktop.press(&[key::ENTER]);
    wait_until(async || state_of(&app, &first).await == dto::ApprovalState::Approved).await;
    assert_eq!(state_of(&app, &second).await, dto::ApprovalState::Pending, "one at a time");
    // It counts once it can no longer be taken back.
    wait_until(async || program.asks(OPERATION, "how do you feel", Some(&first)).await.status() == 200).await;
    desktop.press(&[key::ESCAPE]);
    wait_until(async || !desktop.shows(SMALL)).await;
    window.look_at("status-gateway").await;

    // A key of the desktop's own, or a link, is another start of the program.
    assert!(desktop.run(&["--quick-approve"]).success());
    wait_until(async || desktop.shows(SMALL)).await;
    assert!(desktop.run(&["open", &format!("approvals/{second}")]).success());
    window.reads("approval-body", "and how does she").await;
    assert_eq!(desktop.run(&["open", "settings"]).code(), Some(2), "there is no such place");
    assert_eq!(state_of(&app, &second).await, dto::ApprovalState::Pending, "going there decides nothing");
    window.close().await;
    vendor.shutdown().await;
}

/// Waits until a line of the tray's menu contains a text.
async fn says(desktop: &Desktop, text: &str) {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    loop {
        let menu = desktop.menu().await;
        if menu.iter().any(|line| line.label.contains(text)) {
            return;
        }
        assert!(tokio::time::Instant::now() < deadline, "the menu never says `{text}`: {menu:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
