//! The small window for quick approvals: what it may do, and how it is opened.

use signalbox_app::{AppError, Code, approvals, dto};
use tauri::{AppHandle, State};

use crate::place::Place;
use crate::shell::Shell;
use crate::{quick, window};

/// Says yes to what was shown, if its risk is low.
#[tauri::command]
#[specta::specta]
pub async fn quick_approve(
    shell: State<'_, Shell>,
    input: dto::ApproveInput,
) -> Result<dto::ApprovalRow, AppError> {
    let (app, caller) = (shell.app()?, shell.caller().await?);
    let asked = approvals::show(&app, &caller, &input.id).await?;
    if asked.row.risk != dto::Risk::Low {
        let message = "Only what is of low risk is approved in the small window. Open the queue.";
        return Err(AppError::new(Code::Refused, message));
    }
    approvals::approve(&app, &caller, input).await
}

/// Opens the small window, or brings it to the front.
#[tauri::command]
#[specta::specta]
pub async fn quick_open(app: AppHandle) -> Result<(), AppError> {
    quick::show(&app);
    Ok(())
}

/// Closes the small window.
#[tauri::command]
#[specta::specta]
pub async fn quick_close(app: AppHandle) -> Result<(), AppError> {
    quick::close(&app);
    Ok(())
}

/// Brings the main window to the front, with the queue in it. It only goes there and decides nothing.
#[tauri::command]
#[specta::specta]
pub async fn queue_open(app: AppHandle) -> Result<(), AppError> {
    window::show_place(&app, Place::Approvals);
    Ok(())
}
