//! API keys of programs.

use secrecy::ExposeSecret;
use signalbox_app::keys::KeyMade;
use signalbox_app::{AppError, Code, dto, keys};
use tauri::State;

use crate::shell::Shell;

/// All keys, newest first.
#[tauri::command]
#[specta::specta]
pub async fn keys_list(shell: State<'_, Shell>) -> Result<Vec<dto::ApiKey>, AppError> {
    keys::list(&shell.app()?, &shell.caller().await?).await
}

/// Makes a key and puts it on the clipboard; the page sees its last four characters.
#[tauri::command]
#[specta::specta]
pub async fn key_create(shell: State<'_, Shell>, input: dto::KeyInput) -> Result<dto::KeyCreated, AppError> {
    let KeyMade { key, secret } = keys::create(&shell.app()?, &shell.caller().await?, input).await?;
    match shell.clipboard.copy(secret.expose_secret()) {
        Ok(()) => Ok(dto::KeyCreated { key, copied: true, saved_to: None }),
        Err(error) => {
            tracing::info!(%error, "no clipboard here; the key is written to a file");
            let folder = shell.data_dir.join("new-keys");
            let path = keys::save_for_owner(&folder, &key, &secret).map_err(|error| {
                AppError::new(
                    Code::Unavailable,
                    format!("The key was made but cannot be handed over: {error}."),
                )
            })?;
            Ok(dto::KeyCreated { key, copied: false, saved_to: Some(path.display().to_string()) })
        }
    }
}

/// Makes a key useless, for good.
#[tauri::command]
#[specta::specta]
pub async fn key_revoke(shell: State<'_, Shell>, id: String) -> Result<dto::ApiKey, AppError> {
    keys::revoke(&shell.app()?, &shell.caller().await?, &id).await
}

/// Gives a key other limits.
#[tauri::command]
#[specta::specta]
pub async fn key_set_limits(
    shell: State<'_, Shell>,
    input: dto::KeyLimitsInput,
) -> Result<dto::ApiKey, AppError> {
    keys::set_limits(&shell.app()?, &shell.caller().await?, input).await
}
