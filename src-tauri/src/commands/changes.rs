//! The change history.

use signalbox_app::changes;
use signalbox_app::{AppError, dto};
use tauri::State;

use crate::shell::{Shell, caller};

/// A page of changes, newest first.
#[tauri::command]
#[specta::specta]
pub async fn changes_page(
    shell: State<'_, Shell>,
    filter: dto::ChangeFilter,
    cursor: Option<String>,
    limit: u32,
) -> Result<dto::ChangePage, AppError> {
    changes::page(&shell.app()?, &caller(), filter, cursor, limit).await
}

/// Walks the whole chain.
#[tauri::command]
#[specta::specta]
pub async fn change_verify(shell: State<'_, Shell>) -> Result<dto::ChainReport, AppError> {
    changes::verify(&shell.app()?, &caller()).await
}

/// Puts things back to what they were before a change.
#[tauri::command]
#[specta::specta]
pub async fn change_revert(
    shell: State<'_, Shell>,
    seq: u32,
    reason: Option<String>,
) -> Result<dto::Change, AppError> {
    changes::revert(&shell.app()?, &caller(), seq, reason).await
}
