//! Drills.

use signalbox_app::drills;
use signalbox_app::{AppError, dto};
use tauri::State;

use crate::shell::Shell;

/// The drill that runs, or the last one.
#[tauri::command]
#[specta::specta]
pub async fn drill_state(shell: State<'_, Shell>) -> Result<Option<dto::Drill>, AppError> {
    drills::state(&shell.app()?, &shell.caller().await?).await
}

/// Begins a drill.
#[tauri::command]
#[specta::specta]
pub async fn drill_start(shell: State<'_, Shell>, input: dto::DrillInput) -> Result<dto::Drill, AppError> {
    drills::start(&shell.app()?, &shell.caller().await?, input).await
}

/// Ends the drill that runs.
#[tauri::command]
#[specta::specta]
pub async fn drill_stop(shell: State<'_, Shell>) -> Result<Option<dto::Drill>, AppError> {
    drills::stop(&shell.app()?, &shell.caller().await?).await
}
