//! The desktop shell: it composes the engine, the gateway and the window, and holds no business rules.
//!
//! [`backend`] starts what works without a window, [`commands`] are thin wrappers of `signalbox-app`, [`events`] tell the
//! window what has changed. The window opens at once and says what is wrong when the backend could not start.

mod backend;
mod bindings;
mod clipboard;
mod close;
mod commands;
mod downloads;
mod events;
mod notifications;
mod place;
mod preferences;
mod quick;
mod setup;
mod shell;
mod start;
mod tray;
mod window;

use std::process::ExitCode;

use clap::Parser;
use start::Start;
use tauri_plugin_window_state::StateFlags;

pub use bindings::{COMMANDS, export_bindings};

/// Runs the window until the person quits, or tells the instance that runs already what to show.
pub fn run() -> ExitCode {
    let start = match Start::try_parse() {
        Ok(start) => start,
        Err(error) => {
            // Help and version are no faults; where nobody can read them nothing is lost.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(1));
        }
    };
    setup::log_to_stderr();
    signalbox_engine::process::leave_no_secrets_behind();
    let bindings = bindings::builder();
    let mut builder = tauri::Builder::default();
    if !setup::has_own_data_dir() {
        // With a data directory of its own an instance stands beside the usual one, as tests and trials do.
        builder = builder
            .plugin(tauri_plugin_single_instance::init(|app, arguments, _| start::again(app, arguments)));
    }
    let app = builder
        .plugin(tauri_plugin_notification::init())
        .plugin(tauri_plugin_window_state::Builder::default().with_state_flags(remembered()).build())
        .invoke_handler(bindings.invoke_handler())
        .setup(move |app| {
            bindings.mount_events(app);
            setup::set_up(app.handle(), &start)
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

/// What is remembered of each window. Not whether it was to be seen: who quits from the tray wants to see it at the next start.
fn remembered() -> StateFlags {
    StateFlags::all() & !StateFlags::VISIBLE
}

/// What the build embedded: configuration, permissions and the page.
#[expect(
    clippy::disallowed_methods,
    reason = "Tauri's generated code ends the process when its own build is broken"
)]
fn context() -> tauri::Context {
    tauri::generate_context!()
}
