//! From the start of the program to its end.

use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::time::Duration;

use signalbox_engine::data_dir;
use tauri::{AppHandle, Manager, RunEvent, Runtime, WindowEvent};
use tracing_subscriber::EnvFilter;

use crate::backend;
use crate::shell::{Backend, Shell};
use crate::start::Start;
use crate::{close, events, notifications, quick, tray, window};

/// Names the data directory instead of the platform's usual one.
const DATA_DIR_VARIABLE: &str = "SIGNALBOX_DATA_DIR";
/// How long quitting may take; the ledger recovers from anything that takes longer.
const QUIT_PATIENCE: Duration = Duration::from_secs(15);

/// Sends log lines to standard error; `RUST_LOG` says which.
pub fn log_to_stderr() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let _ = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).try_init();
}

/// Whether this instance works on a directory of its own.
pub fn has_own_data_dir() -> bool {
    std::env::var_os(DATA_DIR_VARIABLE).is_some_and(|path| !path.is_empty())
}

/// Opens the window where it was asked for and starts the backend beside it.
pub fn set_up<R: Runtime>(app: &AppHandle<R>, start: &Start) -> Result<(), Box<dyn std::error::Error>> {
    let own = std::env::var_os(DATA_DIR_VARIABLE).filter(|path| !path.is_empty()).map(PathBuf::from);
    let data_dir =
        own.or_else(data_dir::default_location).ok_or("this account has no folder for application data")?;
    let downloads =
        app.path().download_dir().or_else(|_| app.path().home_dir()).unwrap_or_else(|_| data_dir.clone());
    app.manage(Shell::new(data_dir, downloads));
    window::open(app, window::MAIN, start.place())?;
    tray::install(app);
    if !has_own_data_dir() {
        // An instance that stands beside the usual one leaves the shortcut to that.
        app.state::<Shell>().has_shortcut.store(quick::listen(app), Ordering::Relaxed);
    }
    if start.wants_quick_approve() {
        quick::show(app);
    }
    end_on_signal(app.clone());
    tauri::async_runtime::spawn(run_backend(app.clone()));
    Ok(())
}

async fn run_backend<R: Runtime>(app: AppHandle<R>) {
    let shell = app.state::<Shell>();
    match backend::start(&shell.data_dir).await {
        Ok(running) => {
            let topics = running.app.subscribe();
            notifications::install(&app, &running.app);
            shell.set_backend(Backend::Ready(running.app.clone()));
            if let Some(topics) = topics {
                tauri::async_runtime::spawn(events::forward(app.clone(), topics));
            }
            events::everything_changed(&app).await;
            let served = tauri::async_runtime::spawn(running.serve(shell.stop.clone()));
            if let Ok(()) = served.await {
                shell.set_backend(Backend::Failed("Signalbox is shutting down.".to_owned()));
            }
        }
        Err(error) => {
            tracing::error!("{error:#}");
            shell.set_backend(Backend::Failed(format!("{error:#}.")));
            events::everything_changed(&app).await;
        }
    }
}

/// What happens to the program as a whole: its main window is closed, or it quits.
pub fn on_run_event<R: Runtime>(app: &AppHandle<R>, event: RunEvent) {
    match event {
        RunEvent::WindowEvent { label, event: WindowEvent::CloseRequested { api, .. }, .. }
            if label == window::MAIN =>
        {
            api.prevent_close();
            close::main_window(app);
        }
        #[cfg(target_os = "macos")]
        RunEvent::Reopen { .. } => window::show(app),
        RunEvent::Exit => wind_down(app),
        _ => {}
    }
}

/// Quitting waits for running requests and for the ledger.
fn wind_down<R: Runtime>(app: &AppHandle<R>) {
    let shell = app.state::<Shell>();
    shell.stop.cancel();
    tauri::async_runtime::block_on(async {
        let wound_down = async {
            while let Backend::Ready(_) = shell.backend() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let _ = tokio::time::timeout(QUIT_PATIENCE, wound_down).await;
    });
}

/// A terminal's Ctrl-C and the system's polite request to end quit the window as its own menu does.
fn end_on_signal<R: Runtime>(app: AppHandle<R>) {
    tauri::async_runtime::spawn(async move {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            let (Ok(mut terminate), Ok(mut interrupt)) =
                (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
            else {
                return;
            };
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        }
        #[cfg(not(unix))]
        if tokio::signal::ctrl_c().await.is_err() {
            return;
        }
        app.exit(0);
    });
}
