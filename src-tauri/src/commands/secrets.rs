//! The secrets as a whole.

use signalbox_app::{AppError, dto, secrets};
use tauri::State;

use crate::shell::Shell;

/// Opens sealed secrets with the passphrase on the clipboard, so that the page never holds it, and clears the clipboard.
#[tauri::command]
#[specta::specta]
pub async fn secrets_paste_passphrase(shell: State<'_, Shell>) -> Result<(), AppError> {
    let passphrase = shell.clipboard.secret()?;
    secrets::unseal(&shell.app()?, &shell.caller().await?, passphrase).await?;
    shell.clipboard.wipe();
    Ok(())
}

/// Opens sealed secrets with the passphrase that the person typed.
#[tauri::command]
#[specta::specta]
pub async fn secrets_unseal(shell: State<'_, Shell>, passphrase: dto::SecretInput) -> Result<(), AppError> {
    secrets::unseal(&shell.app()?, &shell.caller().await?, passphrase).await
}
