//! The tray icon: how the gateway stands, what was spent today, the kill switch, open, quit. The program is whole without
//! one.

use signalbox_app::{Caller, Source, dto, kill_switch, status};
use signalbox_core::money::NanoUsd;
use tauri::image::Image;
use tauri::menu::{MenuBuilder, MenuItem, MenuItemBuilder};
use tauri::tray::TrayIconBuilder;
use tauri::{AppHandle, Manager, Runtime};

use crate::shell::Shell;
use crate::window;

const OPEN: &str = "open";
const QUIT: &str = "quit";
const STOP: &str = "stop";

const STOP_TRAFFIC: &str = "Stop all AI traffic";
const RESUME_TRAFFIC: &str = "AI traffic is stopped: resume…";

/// The lines that are kept up to date.
struct Lines<R: Runtime> {
    status: MenuItem<R>,
    kill_switch: MenuItem<R>,
}

/// Puts the icon up where the desktop has a place for it.
pub fn install<R: Runtime>(app: &AppHandle<R>) {
    if !has_tray() {
        return;
    }
    if let Err(error) = build(app) {
        tracing::info!(%error, "no tray icon here");
    }
}

/// Linux trays live on the session bus; without one the library behind the icon would only complain.
fn has_tray() -> bool {
    !cfg!(target_os = "linux") || std::env::var_os("DBUS_SESSION_BUS_ADDRESS").is_some()
}

fn build<R: Runtime>(app: &AppHandle<R>) -> tauri::Result<()> {
    let status = MenuItemBuilder::new("Starting…").enabled(false).build(app)?;
    let kill_switch = MenuItemBuilder::with_id(STOP, STOP_TRAFFIC).build(app)?;
    let menu = MenuBuilder::new(app)
        .item(&status)
        .separator()
        .item(&kill_switch)
        .separator()
        .text(OPEN, "Open Signalbox")
        .text(QUIT, "Quit")
        .build()?;
    TrayIconBuilder::with_id("main")
        .icon(Image::from_bytes(include_bytes!("../icons/tray.png"))?)
        .tooltip("Signalbox")
        .menu(&menu)
        .on_menu_event(|app, event| match event.id().as_ref() {
            OPEN => window::show(app),
            QUIT => app.exit(0),
            STOP => stop_or_show(app),
            _ => {}
        })
        .build(app)?;
    app.manage(Lines { status, kill_switch });
    Ok(())
}

/// Stops all AI traffic, without a question: whoever reaches for the tray is in a hurry. Letting it run again is done in the
/// window, where a word is typed.
fn stop_or_show<R: Runtime>(app: &AppHandle<R>) {
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        let shell = app.state::<Shell>();
        let (Ok(backend), Ok(caller)) = (shell.app(), shell.caller().await) else {
            return window::show(&app);
        };
        let caller = Caller { source: Source::Tray, ..caller };
        let is_stopped =
            kill_switch::state(&backend, &caller).await.is_ok_and(|state| state.stopped.is_some());
        if !is_stopped {
            let engaged = kill_switch::engage(&backend, &caller, dto::KillSwitchInput { reason: None }).await;
            if let Err(error) = engaged {
                tracing::error!(%error, "the tray's stop is not kept");
            }
        }
        window::show(&app);
    });
}

/// Brings the lines up to date.
pub async fn refresh<R: Runtime>(app: &AppHandle<R>) {
    let Some(lines) = app.try_state::<Lines<R>>() else { return };
    let shell = app.state::<Shell>();
    let (Ok(backend), Ok(caller)) = (shell.app(), shell.caller().await) else { return };
    if let Ok(status) = status::status(&backend, &caller).await {
        let _ = lines.status.set_text(in_words(&status));
        let _ =
            lines.kill_switch.set_text(if status.stopped.is_some() { RESUME_TRAFFIC } else { STOP_TRAFFIC });
    }
}

fn in_words(status: &dto::Status) -> String {
    let gateway = match status.gateway {
        _ if status.stopped.is_some() => "AI traffic stopped",
        dto::GatewayState::Starting => "Starting",
        dto::GatewayState::Running => "Running",
        dto::GatewayState::Stopped => "Stopped",
        dto::GatewayState::Sealed => "Sealed",
    };
    let spend = status.spend_today.0.parse().map(NanoUsd::from_nanos).unwrap_or_default();
    format!("{gateway} · ${spend} today · {} requests", status.requests_today)
}
