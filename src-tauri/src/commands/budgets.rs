//! Budgets and what was spent.

use signalbox_app::{AppError, budgets, dto};
use tauri::State;

use crate::shell::Shell;

/// All budgets with how they stand now, and what is unusual today.
#[tauri::command]
#[specta::specta]
pub async fn budgets_list(shell: State<'_, Shell>) -> Result<dto::BudgetList, AppError> {
    budgets::list(&shell.app()?, &shell.caller().await?).await
}

/// Those who have a purse of their own in a budget of each user or operation, the fullest first.
#[tauri::command]
#[specta::specta]
pub async fn budget_members(shell: State<'_, Shell>, id: String) -> Result<Vec<dto::BudgetPurse>, AppError> {
    budgets::members(&shell.app()?, &shell.caller().await?, &id).await
}

/// A budget with its past periods, open reservations and adjustments.
#[tauri::command]
#[specta::specta]
pub async fn budget_show(
    shell: State<'_, Shell>,
    id: String,
    member: String,
) -> Result<dto::BudgetDetail, AppError> {
    budgets::show(&shell.app()?, &shell.caller().await?, &id, &member).await
}

/// What a draft would do. Nothing is written.
#[tauri::command]
#[specta::specta]
pub async fn budget_preview(
    shell: State<'_, Shell>,
    draft: dto::BudgetDraft,
) -> Result<dto::BudgetPreview, AppError> {
    budgets::preview(&shell.app()?, &shell.caller().await?, draft).await
}

/// Makes a budget, or changes one.
#[tauri::command]
#[specta::specta]
pub async fn budget_set(
    shell: State<'_, Shell>,
    draft: dto::BudgetDraft,
) -> Result<dto::Proposed<dto::Budget>, AppError> {
    budgets::set(&shell.app()?, &shell.caller().await?, draft).await
}

/// Removes a budget; what was spent stays in the ledger.
#[tauri::command]
#[specta::specta]
pub async fn budget_remove(
    shell: State<'_, Shell>,
    removal: dto::BudgetRemoval,
) -> Result<dto::Proposed<()>, AppError> {
    budgets::remove(&shell.app()?, &shell.caller().await?, removal).await
}

/// Corrects what counts as spent in the period that runs, visibly.
#[tauri::command]
#[specta::specta]
pub async fn budget_adjust(
    shell: State<'_, Shell>,
    input: dto::BudgetAdjustInput,
) -> Result<dto::Proposed<dto::BudgetDetail>, AppError> {
    budgets::adjust(&shell.app()?, &shell.caller().await?, input).await
}

/// Which budget refused a request, and who held what was missing.
#[tauri::command]
#[specta::specta]
pub async fn budget_refusal(
    shell: State<'_, Shell>,
    request_id: String,
) -> Result<Option<dto::BudgetRefusal>, AppError> {
    budgets::refusal(&shell.app()?, &shell.caller().await?, &request_id).await
}

/// Spend by day, of those who spent most.
#[tauri::command]
#[specta::specta]
pub async fn spend_history(
    shell: State<'_, Shell>,
    query: dto::SpendHistoryQuery,
) -> Result<dto::SpendHistory, AppError> {
    budgets::history(&shell.app()?, &shell.caller().await?, query).await
}
