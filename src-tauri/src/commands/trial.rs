//! Trying it out.

use signalbox_app::trial;
use signalbox_app::{AppError, dto};
use tauri::State;

use crate::shell::Shell;

/// Sends a message to an operation and waits for the answer.
#[tauri::command]
#[specta::specta]
pub async fn send_test_request(
    shell: State<'_, Shell>,
    input: dto::TestRequest,
) -> Result<dto::TestAnswer, AppError> {
    trial::send_test_request(&shell.app()?, &shell.caller().await?, input).await
}
