//! What the window does on this desktop: closing it, and its shortcut.

use std::sync::atomic::Ordering;

use serde::{Deserialize, Serialize};
use signalbox_app::{AppError, Code};
use specta::Type;
use tauri::{AppHandle, Manager};

use crate::shell::Shell;
use crate::tray;

/// What this desktop offers, and what the person chose.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct Desktop {
    /// Whether a tray icon is to be seen now.
    pub has_tray: bool,
    /// Whether closing the window leaves the program running, where there is a tray.
    pub close_to_tray: bool,
    /// Whether the shortcut for quick approvals works in every program.
    pub has_shortcut: bool,
}

/// What the person chooses.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
#[serde(deny_unknown_fields)]
pub struct DesktopInput {
    /// Whether closing the window leaves the program running, where there is a tray.
    pub close_to_tray: bool,
}

/// What this desktop offers, and what was chosen.
#[tauri::command]
#[specta::specta]
pub async fn desktop_show(app: AppHandle) -> Result<Desktop, AppError> {
    let shell = app.state::<Shell>();
    Ok(Desktop {
        has_tray: tray::is_to_be_seen(&app).await,
        close_to_tray: shell.preferences.get().close_to_tray,
        has_shortcut: shell.has_shortcut.load(Ordering::Relaxed),
    })
}

/// Chooses. It is kept for this person on this machine.
#[tauri::command]
#[specta::specta]
pub async fn desktop_set(app: AppHandle, input: DesktopInput) -> Result<Desktop, AppError> {
    let kept = app.state::<Shell>().preferences.change(|preferences| {
        preferences.close_to_tray = input.close_to_tray;
    });
    kept.map_err(|error| AppError::new(Code::Internal, format!("The choice could not be kept: {error}.")))?;
    desktop_show(app).await
}
