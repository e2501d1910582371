//! The small window for quick approvals: on top of everything, from the tray, the palette or anywhere by a shortcut.
//!
//! It decides only what is of low risk (see [`crate::commands::quick`]) and may call nothing else
//! (`capabilities/quick.json`). Where no shortcut can be had (Wayland, or another program has it) the program is whole
//! without one.

use tauri::{AppHandle, Manager, Runtime};
use tauri_plugin_global_shortcut::{GlobalShortcutExt, ShortcutState};

use crate::window;

/// The window's name, as in `tauri.conf.json` and its capability.
const LABEL: &str = "quick";
/// Opens it from anywhere.
const SHORTCUT: &str = "CmdOrCtrl+Shift+A";

/// Listens for the shortcut; says whether it can be had.
pub fn listen<R: Runtime>(app: &AppHandle<R>) -> bool {
    if !has_global_keys() {
        return false;
    }
    let plugin = tauri_plugin_global_shortcut::Builder::new()
        .with_handler(|app, _, event| {
            if event.state() == ShortcutState::Pressed {
                show(app);
            }
        })
        .build();
    let listening = app
        .plugin(plugin)
        .map_err(|error| error.to_string())
        .and_then(|()| app.global_shortcut().register(SHORTCUT).map_err(|error| error.to_string()));
    if let Err(error) = &listening {
        tracing::info!(%error, "no shortcut for quick approvals here");
    }
    listening.is_ok()
}

/// Whether this desktop hands every key to whoever asks for it; Wayland hands none.
fn has_global_keys() -> bool {
    !cfg!(target_os = "linux") || std::env::var_os("WAYLAND_DISPLAY").is_none_or(|name| name.is_empty())
}

/// Opens the window, or brings it to the front.
pub fn show<R: Runtime>(app: &AppHandle<R>) {
    if let Some(window) = app.get_webview_window(LABEL) {
        window::to_front(&window);
    } else if let Err(error) = window::open(app, LABEL, None) {
        tracing::error!(%error, "the window for quick approvals cannot be opened");
    }
}

/// Closes the window, if it is open.
pub fn close<R: Runtime>(app: &AppHandle<R>) {
    if let Some(window) = app.get_webview_window(LABEL) {
        let _ = window.close();
    }
}
