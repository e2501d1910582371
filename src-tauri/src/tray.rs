//! The tray icon: how the gateway stands, what was spent today, open, quit. The program is whole without one.

use signalbox_app::{dto, status};
use signalbox_core::money::NanoUsd;
use tauri::image::Image;
use tauri::menu::{MenuBuilder, MenuItem, MenuItemBuilder};
use tauri::tray::TrayIconBuilder;
use tauri::{AppHandle, Manager, Runtime};

use crate::shell::Shell;
use crate::window;

const OPEN: &str = "open";
const QUIT: &str = "quit";

/// The line that is kept up to date.
struct StatusLine<R: Runtime>(MenuItem<R>);

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
    let menu = MenuBuilder::new(app)
        .item(&status)
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
            _ => {}
        })
        .build(app)?;
    app.manage(StatusLine(status));
    Ok(())
}

/// Brings the status line up to date.
pub async fn refresh<R: Runtime>(app: &AppHandle<R>) {
    let Some(line) = app.try_state::<StatusLine<R>>() else { return };
    let shell = app.state::<Shell>();
    let (Ok(backend), Ok(caller)) = (shell.app(), shell.caller().await) else { return };
    if let Ok(status) = status::status(&backend, &caller).await {
        let _ = line.0.set_text(in_words(&status));
    }
}

fn in_words(status: &dto::Status) -> String {
    let gateway = match status.gateway {
        dto::GatewayState::Starting => "Starting",
        dto::GatewayState::Running => "Running",
        dto::GatewayState::Stopped => "Stopped",
        dto::GatewayState::Sealed => "Sealed",
    };
    let spend = status.spend_today.0.parse().map(NanoUsd::from_nanos).unwrap_or_default();
    format!("{gateway} · ${spend} today · {} requests", status.requests_today)
}
