//! Figures and charts.

use signalbox_app::overview as use_case;
use signalbox_app::{AppError, dto};
use tauri::State;

use crate::shell::Shell;

/// Figures of a period, and spend over time by group.
#[tauri::command]
#[specta::specta]
pub async fn overview(shell: State<'_, Shell>, query: dto::OverviewQuery) -> Result<dto::Overview, AppError> {
    use_case::overview(&shell.app()?, &shell.caller().await?, query).await
}
