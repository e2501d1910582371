//! People and their roles.

use signalbox_app::{AppError, dto, people};
use tauri::State;

use crate::shell::Shell;

/// Everybody, by name.
#[tauri::command]
#[specta::specta]
pub async fn people_list(shell: State<'_, Shell>) -> Result<Vec<dto::Person>, AppError> {
    people::list(&shell.app()?, &shell.caller().await?).await
}

/// Lets somebody in.
#[tauri::command]
#[specta::specta]
pub async fn person_add(
    shell: State<'_, Shell>,
    input: dto::PersonInput,
) -> Result<dto::Proposed<dto::Person>, AppError> {
    people::add(&shell.app()?, &shell.caller().await?, input).await
}

/// Gives somebody another role, shuts them out or lets them in again.
#[tauri::command]
#[specta::specta]
pub async fn person_update(
    shell: State<'_, Shell>,
    patch: dto::PersonPatch,
) -> Result<dto::Proposed<dto::Person>, AppError> {
    people::update(&shell.app()?, &shell.caller().await?, patch).await
}
