//! Alerts: the inbox, rules, channels and their secrets, deliveries.

use secrecy::ExposeSecret;
use signalbox_app::{AppError, alert_rules, alerts, channels, dto};
use signalbox_engine::secrets::write_for_owner;
use tauri::State;

use crate::shell::Shell;

/// A page of the inbox.
#[tauri::command]
#[specta::specta]
pub async fn alerts_page(
    shell: State<'_, Shell>,
    filter: dto::AlertFilter,
    cursor: Option<String>,
    limit: u32,
) -> Result<dto::AlertPage, AppError> {
    alerts::page(&shell.app()?, &shell.caller().await?, filter, cursor, limit).await
}

/// How many alerts nobody acknowledged.
#[tauri::command]
#[specta::specta]
pub async fn alerts_open(shell: State<'_, Shell>) -> Result<dto::OpenAlerts, AppError> {
    alerts::open(&shell.app()?, &shell.caller().await?).await
}

/// Notes that a person has seen alerts; without ids: all there are.
#[tauri::command]
#[specta::specta]
pub async fn alerts_acknowledge(
    shell: State<'_, Shell>,
    ids: Option<Vec<String>>,
) -> Result<dto::OpenAlerts, AppError> {
    alerts::acknowledge(&shell.app()?, &shell.caller().await?, ids).await
}

/// A page of deliveries.
#[tauri::command]
#[specta::specta]
pub async fn deliveries_page(
    shell: State<'_, Shell>,
    filter: dto::DeliveryFilter,
    cursor: Option<String>,
    limit: u32,
) -> Result<dto::DeliveryPage, AppError> {
    alerts::deliveries(&shell.app()?, &shell.caller().await?, filter, cursor, limit).await
}

/// The rule of every kind of alert.
#[tauri::command]
#[specta::specta]
pub async fn alert_rules_list(shell: State<'_, Shell>) -> Result<Vec<dto::AlertRule>, AppError> {
    alert_rules::list(&shell.app()?, &shell.caller().await?).await
}

/// Says what becomes of alerts of a kind.
#[tauri::command]
#[specta::specta]
pub async fn alert_rule_set(
    shell: State<'_, Shell>,
    input: dto::AlertRuleInput,
) -> Result<dto::AlertRule, AppError> {
    alert_rules::set(&shell.app()?, &shell.caller().await?, input).await
}

/// Where alerts are told.
#[tauri::command]
#[specta::specta]
pub async fn channels_list(shell: State<'_, Shell>) -> Result<Vec<dto::AlertChannel>, AppError> {
    channels::list(&shell.app()?, &shell.caller().await?).await
}

/// Adds a channel.
#[tauri::command]
#[specta::specta]
pub async fn channel_add(
    shell: State<'_, Shell>,
    input: dto::AlertChannelInput,
) -> Result<dto::AlertChannel, AppError> {
    channels::add(&shell.app()?, &shell.caller().await?, input).await
}

/// Changes a channel.
#[tauri::command]
#[specta::specta]
pub async fn channel_update(
    shell: State<'_, Shell>,
    patch: dto::AlertChannelPatch,
) -> Result<dto::AlertChannel, AppError> {
    channels::update(&shell.app()?, &shell.caller().await?, patch).await
}

/// Removes a channel and its secret.
#[tauri::command]
#[specta::specta]
pub async fn channel_remove(shell: State<'_, Shell>, id: String, base_version: u32) -> Result<(), AppError> {
    channels::remove(&shell.app()?, &shell.caller().await?, &id, base_version).await
}

/// Takes a channel's secret from the clipboard, so that the page never holds it, and clears the clipboard.
#[tauri::command]
#[specta::specta]
pub async fn channel_paste_secret(
    shell: State<'_, Shell>,
    id: String,
) -> Result<dto::AlertChannel, AppError> {
    let app = shell.app()?;
    let secret = shell.clipboard.secret()?;
    let channel = channels::set_secret(&app, &shell.caller().await?, &id, secret).await?;
    shell.clipboard.wipe();
    Ok(channel)
}

/// Takes a channel's secret the person typed.
#[tauri::command]
#[specta::specta]
pub async fn channel_set_secret(
    shell: State<'_, Shell>,
    id: String,
    secret: dto::SecretInput,
) -> Result<dto::AlertChannel, AppError> {
    channels::set_secret(&shell.app()?, &shell.caller().await?, &id, secret).await
}

/// Makes a new signing key and puts it on the clipboard, or in a file where there is none.
#[tauri::command]
#[specta::specta]
pub async fn channel_renew_signing_key(
    shell: State<'_, Shell>,
    id: String,
) -> Result<dto::SigningKeyMade, AppError> {
    let (channel, key) = channels::renew_signing_key(&shell.app()?, &shell.caller().await?, &id).await?;
    if shell.clipboard.copy(key.expose_secret()).is_ok() {
        return Ok(dto::SigningKeyMade { channel, copied: true, saved_to: None });
    }
    let path = write_for_owner(&shell.data_dir.join("new-keys"), &format!("{}.key", channel.id), &key)?;
    Ok(dto::SigningKeyMade { channel, copied: false, saved_to: Some(path.display().to_string()) })
}

/// Sends a trial on a channel.
#[tauri::command]
#[specta::specta]
pub async fn channel_test(shell: State<'_, Shell>, id: String) -> Result<dto::ChannelTrial, AppError> {
    channels::test(&shell.app()?, &shell.caller().await?, &id).await
}
