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
    hand_over(&shell, keys::create(&shell.app()?, &shell.caller().await?, input).await?)
}

/// Gives a key a new secret and puts it on the clipboard; the one it has opens for the overlap as well.
#[tauri::command]
#[specta::specta]
pub async fn key_rotate(
    shell: State<'_, Shell>,
    input: dto::KeyRotation,
) -> Result<dto::KeyCreated, AppError> {
    hand_over(&shell, keys::rotate(&shell.app()?, &shell.caller().await?, input).await?)
}

/// Ends the overlap of a rotation.
#[tauri::command]
#[specta::specta]
pub async fn key_end_overlap(shell: State<'_, Shell>, id: String) -> Result<dto::ApiKey, AppError> {
    keys::end_overlap(&shell.app()?, &shell.caller().await?, &id).await
}

/// The secret goes to the clipboard or, where there is none, to a file of its owner's; never to the page.
fn hand_over(shell: &Shell, made: KeyMade) -> Result<dto::KeyCreated, AppError> {
    let KeyMade { key, secret } = made;
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

/// Changes what a key is for.
#[tauri::command]
#[specta::specta]
pub async fn key_set_scope(
    shell: State<'_, Shell>,
    input: dto::KeyScopeInput,
) -> Result<dto::ApiKey, AppError> {
    keys::set_scope(&shell.app()?, &shell.caller().await?, input).await
}

/// Takes an owner's own credential from the clipboard, so that the page never holds it, and clears the clipboard.
#[tauri::command]
#[specta::specta]
pub async fn key_paste_own_credential(
    shell: State<'_, Shell>,
    id: String,
    provider: String,
) -> Result<dto::ApiKey, AppError> {
    let app = shell.app()?;
    let secret = shell.clipboard.secret()?;
    let key = keys::set_own_credential(&app, &shell.caller().await?, &id, &provider, secret).await?;
    shell.clipboard.wipe();
    Ok(key)
}

/// Takes an owner's own credential that the person typed.
#[tauri::command]
#[specta::specta]
pub async fn key_set_own_credential(
    shell: State<'_, Shell>,
    id: String,
    provider: String,
    secret: dto::SecretInput,
) -> Result<dto::ApiKey, AppError> {
    keys::set_own_credential(&shell.app()?, &shell.caller().await?, &id, &provider, secret).await
}

/// Forgets an owner's own credential.
#[tauri::command]
#[specta::specta]
pub async fn key_clear_own_credential(
    shell: State<'_, Shell>,
    id: String,
    provider: String,
) -> Result<dto::ApiKey, AppError> {
    keys::clear_own_credential(&shell.app()?, &shell.caller().await?, &id, &provider).await
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
