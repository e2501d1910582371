//! The log.

use std::io::BufWriter;
use std::path::{Path, PathBuf};

use signalbox_app::{AppError, Code, dto, export, requests};
use tauri::State;

use crate::shell::{Shell, caller};

/// A page of requests, newest first.
#[tauri::command]
#[specta::specta]
pub async fn requests_page(
    shell: State<'_, Shell>,
    filter: dto::RequestFilter,
    cursor: Option<String>,
    limit: u32,
) -> Result<dto::RequestPage, AppError> {
    requests::page(&shell.app()?, &caller(), filter, cursor, limit).await
}

/// Distinct values with their counts, for the filter bar.
#[tauri::command]
#[specta::specta]
pub async fn request_facets(shell: State<'_, Shell>) -> Result<dto::Facets, AppError> {
    requests::facets(&shell.app()?, &caller()).await
}

/// Everything about one request.
#[tauri::command]
#[specta::specta]
pub async fn request_detail(shell: State<'_, Shell>, id: String) -> Result<dto::RequestDetail, AppError> {
    requests::detail(&shell.app()?, &caller(), &id).await
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
    let (path, file) = new_file(&shell.downloads, format)?;
    let mut out = BufWriter::new(file);
    let rows = export::write(&app, &caller(), filter, format, &mut out).await?;
    Ok(dto::Exported { path: path.display().to_string(), rows: rows.into() })
}

/// The first free name, so that no earlier export is overwritten.
fn new_file(folder: &Path, format: dto::ExportFormat) -> Result<(PathBuf, std::fs::File), AppError> {
    let ending = match format {
        dto::ExportFormat::Csv => "csv",
        dto::ExportFormat::Jsonl => "jsonl",
    };
    let mut number = 1;
    loop {
        let suffix = if number == 1 { String::new() } else { format!("-{number}") };
        let path = folder.join(format!("signalbox-requests{suffix}.{ending}"));
        match create_private(&path) {
            Ok(file) => return Ok((path, file)),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => number += 1,
            Err(error) => {
                let message = format!("The export cannot be written to {}: {error}.", folder.display());
                return Err(AppError::new(Code::Refused, message));
            }
        }
    }
}

/// Opens a new file that only its owner can read, where the system has a way to: it tells who spent what.
fn create_private(path: &Path) -> std::io::Result<std::fs::File> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}
