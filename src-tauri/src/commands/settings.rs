//! Settings.

use signalbox_app::settings;
use signalbox_app::{AppError, dto};
use tauri::State;

use crate::shell::Shell;

/// Every setting with its value.
#[tauri::command]
#[specta::specta]
pub async fn settings_list(shell: State<'_, Shell>) -> Result<Vec<dto::Setting>, AppError> {
    settings::list(&shell.app()?, &shell.caller().await?).await
}

/// Gives a setting a value.
#[tauri::command]
#[specta::specta]
pub async fn setting_set(
    shell: State<'_, Shell>,
    input: dto::SettingInput,
) -> Result<dto::Proposed<dto::Setting>, AppError> {
    settings::set(&shell.app()?, &shell.caller().await?, input).await
}
