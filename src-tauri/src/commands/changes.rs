//! The change history.

use std::io::BufWriter;

use signalbox_app::changes;
use signalbox_app::{AppError, dto};
use tauri::State;

use crate::downloads::new_file;
use crate::shell::Shell;

/// A page of changes, newest first.
#[tauri::command]
#[specta::specta]
pub async fn changes_page(
    shell: State<'_, Shell>,
    filter: dto::ChangeFilter,
    cursor: Option<String>,
    limit: u32,
) -> Result<dto::ChangePage, AppError> {
    changes::page(&shell.app()?, &shell.caller().await?, filter, cursor, limit).await
}

/// Walks the whole chain.
#[tauri::command]
#[specta::specta]
pub async fn change_verify(shell: State<'_, Shell>) -> Result<dto::ChainReport, AppError> {
    changes::verify(&shell.app()?, &shell.caller().await?).await
}

/// Puts things back to what they were before a change.
#[tauri::command]
#[specta::specta]
pub async fn change_revert(
    shell: State<'_, Shell>,
    seq: u32,
    reason: Option<String>,
) -> Result<dto::Proposed<dto::Change>, AppError> {
    changes::revert(&shell.app()?, &shell.caller().await?, seq, reason).await
}

/// What a revert would write, without writing it.
#[tauri::command]
#[specta::specta]
pub async fn change_revert_preview(
    shell: State<'_, Shell>,
    seq: u32,
) -> Result<dto::RevertPreview, AppError> {
    changes::revert_preview(&shell.app()?, &shell.caller().await?, seq).await
}

/// How many changes pass a filter.
#[tauri::command]
#[specta::specta]
pub async fn changes_count(shell: State<'_, Shell>, filter: dto::ChangeFilter) -> Result<u32, AppError> {
    changes::count(&shell.app()?, &shell.caller().await?, filter).await
}

/// Writes the filtered changes to a new file in the downloads folder.
#[tauri::command]
#[specta::specta]
pub async fn changes_export(
    shell: State<'_, Shell>,
    filter: dto::ChangeFilter,
    format: dto::HistoryFormat,
) -> Result<dto::Exported, AppError> {
    let app = shell.app()?;
    let ending = match format {
        dto::HistoryFormat::Csv => "csv",
        dto::HistoryFormat::Json => "json",
    };
    let (path, file) = new_file(&shell.downloads, "signalbox-history", ending)?;
    let mut out = BufWriter::new(file);
    let rows = changes::export(&app, &shell.caller().await?, filter, format, &mut out).await?;
    Ok(dto::Exported { path: path.display().to_string(), rows: rows.into() })
}

/// The configuration as it was at an instant.
#[tauri::command]
#[specta::specta]
pub async fn state_at(shell: State<'_, Shell>, at: dto::Instant) -> Result<dto::StateAt, AppError> {
    changes::state_at(&shell.app()?, &shell.caller().await?, at).await
}
