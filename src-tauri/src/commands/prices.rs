//! Prices.

use signalbox_app::prices::{self, block, import};
use signalbox_app::{AppError, dto};
use tauri::State;

use crate::shell::Shell;

/// Models with what they cost now.
#[tauri::command]
#[specta::specta]
pub async fn prices_page(
    shell: State<'_, Shell>,
    filter: dto::PriceFilter,
    cursor: Option<String>,
    limit: u32,
) -> Result<dto::PricePage, AppError> {
    prices::page(&shell.app()?, &shell.caller().await?, filter, cursor, limit).await
}

/// All price cards of a model.
#[tauri::command]
#[specta::specta]
pub async fn price_history(shell: State<'_, Shell>, target: String) -> Result<dto::PriceHistory, AppError> {
    prices::history(&shell.app()?, &shell.caller().await?, &target).await
}

/// What new prices would change. Nothing is written.
#[tauri::command]
#[specta::specta]
pub async fn price_preview(
    shell: State<'_, Shell>,
    input: dto::PriceInput,
) -> Result<dto::PricePreview, AppError> {
    prices::preview(&shell.app()?, &shell.caller().await?, input).await
}

/// Gives a model prices of one's own.
#[tauri::command]
#[specta::specta]
pub async fn price_set(
    shell: State<'_, Shell>,
    input: dto::PriceInput,
) -> Result<dto::Proposed<dto::PriceRow>, AppError> {
    prices::set(&shell.app()?, &shell.caller().await?, input).await
}

/// Lets a model be used again that is blocked because of its bill.
#[tauri::command]
#[specta::specta]
pub async fn model_unblock(
    shell: State<'_, Shell>,
    input: dto::UnblockInput,
) -> Result<dto::Proposed<dto::PriceRow>, AppError> {
    block::unblock(&shell.app()?, &shell.caller().await?, input).await
}

/// Models whose requests had no known cost lately.
#[tauri::command]
#[specta::specta]
pub async fn prices_unpriced(shell: State<'_, Shell>) -> Result<Vec<dto::UnpricedModel>, AppError> {
    prices::unpriced(&shell.app()?, &shell.caller().await?).await
}

/// What a price list would change. The page hands over the list's text: it cannot name a file of this machine.
#[tauri::command]
#[specta::specta]
pub async fn price_import_preview(
    shell: State<'_, Shell>,
    text: String,
) -> Result<dto::PriceImportPreview, AppError> {
    let input = dto::PriceListInput { path: None, text: Some(text) };
    import::preview(&shell.app()?, &shell.caller().await?, input).await
}

/// Takes over the chosen prices of a list.
#[tauri::command]
#[specta::specta]
pub async fn price_import_apply(
    shell: State<'_, Shell>,
    choice: dto::PriceImportChoice,
) -> Result<dto::Proposed<dto::PriceImportResult>, AppError> {
    import::apply(&shell.app()?, &shell.caller().await?, choice).await
}
