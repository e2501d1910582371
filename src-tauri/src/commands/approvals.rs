//! What waits for a person, and the answer.

use signalbox_app::approvals;
use signalbox_app::{AppError, dto};
use tauri::State;

use crate::shell::Shell;

/// A page of the queue.
#[tauri::command]
#[specta::specta]
pub async fn approvals_page(
    shell: State<'_, Shell>,
    list: dto::ApprovalList,
    cursor: Option<String>,
    limit: u32,
) -> Result<dto::ApprovalPage, AppError> {
    approvals::page(&shell.app()?, &shell.caller().await?, list, cursor, limit).await
}

/// One approval, as it will run.
#[tauri::command]
#[specta::specta]
pub async fn approval_show(shell: State<'_, Shell>, id: String) -> Result<dto::ApprovalDetail, AppError> {
    approvals::show(&shell.app()?, &shell.caller().await?, &id).await
}

/// Says yes to what was shown.
#[tauri::command]
#[specta::specta]
pub async fn approval_approve(
    shell: State<'_, Shell>,
    input: dto::ApproveInput,
) -> Result<dto::ApprovalRow, AppError> {
    approvals::approve(&shell.app()?, &shell.caller().await?, input).await
}

/// Says no to what was shown.
#[tauri::command]
#[specta::specta]
pub async fn approval_reject(
    shell: State<'_, Shell>,
    input: dto::RejectInput,
) -> Result<dto::ApprovalRow, AppError> {
    approvals::reject(&shell.app()?, &shell.caller().await?, input).await
}

/// Takes a decision back before it counts.
#[tauri::command]
#[specta::specta]
pub async fn approval_undo(shell: State<'_, Shell>, id: String) -> Result<dto::ApprovalRow, AppError> {
    approvals::undo(&shell.app()?, &shell.caller().await?, &id).await
}

/// Ends what is no longer wanted.
#[tauri::command]
#[specta::specta]
pub async fn approval_withdraw(
    shell: State<'_, Shell>,
    input: dto::WithdrawInput,
) -> Result<dto::ApprovalRow, AppError> {
    approvals::withdraw(&shell.app()?, &shell.caller().await?, input).await
}
