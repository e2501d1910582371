//! The desktop's own notifications. They inform; what is to be done is done in the window.

use std::sync::Arc;

use signalbox_app::App;
use signalbox_engine::alerts::Notifier;
use tauri::{AppHandle, Runtime};
use tauri_plugin_notification::NotificationExt;

/// Shows notifications of this desktop from now on, where it can.
pub fn install<R: Runtime>(handle: &AppHandle<R>, app: &App) {
    if let Some(engine) = app.engine().filter(|_| has_notifications()) {
        engine.alerts.use_desktop(Arc::new(Desktop(handle.clone())));
    }
}

/// Linux notifications travel on the session bus; without one there is nobody to show them.
fn has_notifications() -> bool {
    !cfg!(target_os = "linux") || std::env::var_os("DBUS_SESSION_BUS_ADDRESS").is_some()
}

#[derive(Debug)]
struct Desktop<R: Runtime>(AppHandle<R>);

impl<R: Runtime> Notifier for Desktop<R> {
    fn notify(&self, title: &str, body: &str) -> Result<(), String> {
        let notification = self.0.notification().builder().title(title).body(body);
        notification.show().map_err(|error| format!("the desktop shows no notification: {error}"))
    }
}
