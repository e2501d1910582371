//! Toggles and the kill switch.

use signalbox_app::{AppError, dto};
use signalbox_app::{kill_switch, toggles};
use tauri::State;

use crate::shell::Shell;

/// Every toggle and how it stands.
#[tauri::command]
#[specta::specta]
pub async fn toggles_list(shell: State<'_, Shell>) -> Result<Vec<dto::Toggle>, AppError> {
    toggles::list(&shell.app()?, &shell.caller().await?).await
}

/// Sets a toggle.
#[tauri::command]
#[specta::specta]
pub async fn toggle_set(
    shell: State<'_, Shell>,
    input: dto::ToggleInput,
) -> Result<dto::Proposed<dto::Toggle>, AppError> {
    toggles::set(&shell.app()?, &shell.caller().await?, input).await
}

/// Stops all AI traffic.
#[tauri::command]
#[specta::specta]
pub async fn kill_switch_engage(
    shell: State<'_, Shell>,
    input: dto::KillSwitchInput,
) -> Result<dto::KillSwitch, AppError> {
    kill_switch::engage(&shell.app()?, &shell.caller().await?, input).await
}

/// Lets AI traffic run again.
#[tauri::command]
#[specta::specta]
pub async fn kill_switch_release(
    shell: State<'_, Shell>,
    input: dto::KillSwitchReleaseInput,
) -> Result<dto::KillSwitch, AppError> {
    kill_switch::release(&shell.app()?, &shell.caller().await?, input).await
}
