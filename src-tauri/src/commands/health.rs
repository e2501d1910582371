//! Health of providers and targets.

use signalbox_app::health;
use signalbox_app::{AppError, dto};
use tauri::State;

use crate::shell::Shell;

/// All providers with their targets' health.
#[tauri::command]
#[specta::specta]
pub async fn provider_health(shell: State<'_, Shell>) -> Result<Vec<dto::ProviderHealth>, AppError> {
    health::list(&shell.app()?, &shell.caller().await?).await
}

/// Holds a circuit open, or resets it.
#[tauri::command]
#[specta::specta]
pub async fn circuit_action(
    shell: State<'_, Shell>,
    action: dto::CircuitAction,
) -> Result<Vec<dto::ProviderHealth>, AppError> {
    health::circuit(&shell.app()?, &shell.caller().await?, action).await
}

/// Failovers, newest first.
#[tauri::command]
#[specta::specta]
pub async fn failovers_page(
    shell: State<'_, Shell>,
    filter: dto::FailoverFilter,
    cursor: Option<String>,
    limit: u32,
) -> Result<dto::FailoverPage, AppError> {
    health::failovers(&shell.app()?, &shell.caller().await?, filter, cursor, limit).await
}
