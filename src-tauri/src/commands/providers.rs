//! Providers, their credentials and models.

use signalbox_app::{AppError, dto, models, providers};
use tauri::State;

use crate::shell::Shell;

/// All providers with models and readiness.
#[tauri::command]
#[specta::specta]
pub async fn providers_list(shell: State<'_, Shell>) -> Result<Vec<dto::Provider>, AppError> {
    providers::list(&shell.app()?, &shell.caller().await?).await
}

/// Well-known providers to choose from.
#[tauri::command]
#[specta::specta]
pub async fn provider_presets(shell: State<'_, Shell>) -> Result<Vec<dto::ProviderPreset>, AppError> {
    providers::presets(&shell.app()?, &shell.caller().await?)
}

/// Adds a provider.
#[tauri::command]
#[specta::specta]
pub async fn provider_add(
    shell: State<'_, Shell>,
    input: dto::ProviderInput,
) -> Result<dto::Provider, AppError> {
    providers::add(&shell.app()?, &shell.caller().await?, input).await
}

/// Changes where a provider is or whether it is on.
#[tauri::command]
#[specta::specta]
pub async fn provider_update(
    shell: State<'_, Shell>,
    patch: dto::ProviderPatch,
) -> Result<dto::Provider, AppError> {
    providers::update(&shell.app()?, &shell.caller().await?, patch).await
}

/// Removes a provider that no route uses.
#[tauri::command]
#[specta::specta]
pub async fn provider_remove(shell: State<'_, Shell>, name: String) -> Result<(), AppError> {
    providers::remove(&shell.app()?, &shell.caller().await?, &name).await
}

/// Takes the credential from the clipboard, so that the page never holds it, and clears the clipboard.
#[tauri::command]
#[specta::specta]
pub async fn provider_paste_credential(
    shell: State<'_, Shell>,
    name: String,
) -> Result<dto::Provider, AppError> {
    let app = shell.app()?;
    let secret = shell.clipboard.secret()?;
    let provider = providers::set_credential(&app, &shell.caller().await?, &name, secret).await?;
    shell.clipboard.wipe();
    Ok(provider)
}

/// Takes a credential the person typed.
#[tauri::command]
#[specta::specta]
pub async fn provider_set_credential(
    shell: State<'_, Shell>,
    name: String,
    secret: dto::SecretInput,
) -> Result<dto::Provider, AppError> {
    providers::set_credential(&shell.app()?, &shell.caller().await?, &name, secret).await
}

/// Forgets a provider's credential.
#[tauri::command]
#[specta::specta]
pub async fn provider_clear_credential(
    shell: State<'_, Shell>,
    name: String,
) -> Result<dto::Provider, AppError> {
    providers::clear_credential(&shell.app()?, &shell.caller().await?, &name).await
}

/// The free check: the list of models.
#[tauri::command]
#[specta::specta]
pub async fn provider_verify(shell: State<'_, Shell>, name: String) -> Result<dto::CheckResult, AppError> {
    providers::verify(&shell.app()?, &shell.caller().await?, &name).await
}

/// Adds a model, or gives a known one a new price.
#[tauri::command]
#[specta::specta]
pub async fn model_add(
    shell: State<'_, Shell>,
    input: dto::ModelInput,
) -> Result<dto::Proposed<dto::Model>, AppError> {
    models::add(&shell.app()?, &shell.caller().await?, input).await
}
