//! What closing the main window means: where a tray icon is to be seen the program goes on behind it, elsewhere it quits.

use tauri::{AppHandle, Manager, Runtime};
use tauri_plugin_notification::NotificationExt;

use crate::shell::Shell;
use crate::{tray, window};

/// The person closes the main window. It is asked each time whether there is a tray: a panel may have gone meanwhile, and
/// nobody would find a window that is hidden behind nothing.
pub fn main_window<R: Runtime>(app: &AppHandle<R>) {
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        if app.state::<Shell>().preferences.get().close_to_tray && tray::is_to_be_seen(&app).await {
            hide(&app);
        } else {
            app.exit(0);
        }
    });
}

fn hide<R: Runtime>(app: &AppHandle<R>) {
    if let Some(window) = app.get_webview_window(window::MAIN) {
        let _ = window.hide();
    }
    let preferences = &app.state::<Shell>().preferences;
    if !preferences.get().tray_explained {
        explain(app);
        if let Err(error) = preferences.change(|preferences| preferences.tray_explained = true) {
            tracing::info!(%error, "what was said about the tray will be said again");
        }
    }
}

fn explain<R: Runtime>(app: &AppHandle<R>) {
    let notification = app
        .notification()
        .builder()
        .title("Signalbox keeps running")
        .body("Programs are still served. The icon in the tray opens the window and quits; Settings changes what closing does.");
    if let Err(error) = notification.show() {
        tracing::info!(%error, "the desktop shows no notification");
    }
}
