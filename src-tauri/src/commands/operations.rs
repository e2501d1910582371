//! Operations and routes.

use signalbox_app::{AppError, dto, operations, simulation};
use tauri::State;

use crate::shell::Shell;

/// All operations with their routes.
#[tauri::command]
#[specta::specta]
pub async fn operations_list(shell: State<'_, Shell>) -> Result<Vec<dto::Operation>, AppError> {
    operations::list(&shell.app()?, &shell.caller().await?).await
}

/// Every target a route could have.
#[tauri::command]
#[specta::specta]
pub async fn target_options(shell: State<'_, Shell>) -> Result<Vec<dto::TargetOption>, AppError> {
    operations::target_options(&shell.app()?, &shell.caller().await?).await
}

/// What a draft would change. Nothing is written.
#[tauri::command]
#[specta::specta]
pub async fn route_preview(
    shell: State<'_, Shell>,
    draft: dto::RouteDraft,
) -> Result<dto::RoutePreview, AppError> {
    operations::route_preview(&shell.app()?, &shell.caller().await?, draft).await
}

/// Makes a draft the route.
#[tauri::command]
#[specta::specta]
pub async fn route_apply(
    shell: State<'_, Shell>,
    draft: dto::RouteDraft,
) -> Result<dto::Proposed<dto::Operation>, AppError> {
    operations::route_apply(&shell.app()?, &shell.caller().await?, draft).await
}

/// Decides a request by a draft without sending it.
#[tauri::command]
#[specta::specta]
pub async fn route_simulate(
    shell: State<'_, Shell>,
    input: dto::SimulationInput,
) -> Result<dto::Simulation, AppError> {
    simulation::simulate(&shell.app()?, &shell.caller().await?, input).await
}
