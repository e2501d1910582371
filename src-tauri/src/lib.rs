//! The desktop shell: it composes the engine, the gateway and the window, and holds no business rules.
//!
//! [`backend`] starts what works without a window, [`commands`] are thin wrappers of `signalbox-app`, [`events`] tell the
//! window what has changed. The window opens at once and says what is wrong when the backend could not start.

mod backend;
mod bindings;
mod clipboard;
mod commands;
mod downloads;
mod events;
mod notifications;
mod quick;
mod setup;
mod shell;
mod tray;
mod window;

use std::process::ExitCode;

pub use bindings::{COMMANDS, export_bindings};

/// Runs the window until the person quits.
pub fn run() -> ExitCode {
    setup::log_to_stderr();
    signalbox_engine::process::leave_no_secrets_behind();
    let bindings = bindings::builder();
    let mut builder = tauri::Builder::default();
    if !setup::has_own_data_dir() {
        // With a data directory of its own an instance stands beside the usual one, as tests and trials do.
        builder = builder.plugin(tauri_plugin_single_instance::init(|app, _, _| window::show(app)));
    }
    let app = builder
        .plugin(tauri_plugin_notification::init())
        .plugin(tauri_plugin_window_state::Builder::default().build())
        .invoke_handler(bindings.invoke_handler())
        .setup(move |app| {
            bindings.mount_events(app);
            setup::set_up(app.handle())
        })
        .build(context());
    match app {
        Ok(app) => ExitCode::from(u8::try_from(app.run_return(setup::on_run_event)).unwrap_or(1)),
        Err(error) => {
            tracing::error!(%error, "the window cannot be opened");
            ExitCode::FAILURE
        }
    }
}

/// What the build embedded: configuration, permissions and the page.
#[expect(
    clippy::disallowed_methods,
    reason = "Tauri's generated code ends the process when its own build is broken"
)]
fn context() -> tauri::Context {
    tauri::generate_context!()
}
