//! The log.

use std::io::BufWriter;

use signalbox_app::{AppError, dto, export, requests};
use tauri::State;

use crate::downloads::new_file;
use crate::shell::Shell;

/// A page of requests, newest first.
#[tauri::command]
#[specta::specta]
pub async fn requests_page(
    shell: State<'_, Shell>,
    filter: dto::RequestFilter,
    cursor: Option<String>,
    limit: u32,
) -> Result<dto::RequestPage, AppError> {
    requests::page(&shell.app()?, &shell.caller().await?, filter, cursor, limit).await
}

/// Distinct values with their counts, for the filter bar.
#[tauri::command]
#[specta::specta]
pub async fn request_facets(shell: State<'_, Shell>) -> Result<dto::Facets, AppError> {
    requests::facets(&shell.app()?, &shell.caller().await?).await
}

/// Everything about one request.
#[tauri::command]
#[specta::specta]
pub async fn request_detail(shell: State<'_, Shell>, id: String) -> Result<dto::RequestDetail, AppError> {
    requests::detail(&shell.app()?, &shell.caller().await?, &id).await
}

/// Writes the filtered requests to a new file in the downloads folder.
#[tauri::command]
#[specta::specta]
pub async fn requests_export(
    shell: State<'_, Shell>,
    filter: dto::RequestFilter,
    format: dto::ExportFormat,
) -> Result<dto::Exported, AppError> {
    let app = shell.app()?;
    let ending = match format {
        dto::ExportFormat::Csv => "csv",
        dto::ExportFormat::Jsonl => "jsonl",
    };
    let (path, file) = new_file(&shell.downloads, "signalbox-requests", ending)?;
    let mut out = BufWriter::new(file);
    let rows = export::write(&app, &shell.caller().await?, filter, format, &mut out).await?;
    Ok(dto::Exported { path: path.display().to_string(), rows: rows.into() })
}
