//! How everything stands.

use signalbox_app::{AppError, dto, status as use_case};
use signalbox_core::time::Clock;
use signalbox_engine::clock::SystemClock;
use tauri::State;

use crate::backend::listen_address;
use crate::shell::{Backend, Shell};

/// How everything stands; it answers also while the backend is starting or could not start.
#[tauri::command]
#[specta::specta]
pub async fn status(shell: State<'_, Shell>) -> Result<dto::Status, AppError> {
    let without = |state, problem| {
        let data_dir = shell.data_dir.display().to_string();
        let listen = listen_address().to_string();
        use_case::without_backend(state, problem, &data_dir, &listen, SystemClock.now())
    };
    match shell.backend() {
        Backend::Ready(app) => use_case::status(&app, &shell.caller().await?).await,
        Backend::Starting => Ok(without(dto::GatewayState::Starting, None)),
        Backend::Failed(problem) => Ok(without(dto::GatewayState::Stopped, Some(problem))),
    }
}
