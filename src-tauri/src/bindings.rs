//! Commands and events as TypeScript. The generated file is checked in; a test fails when it is stale.

use specta_typescript::Typescript;
use tauri::Wry;
use tauri_specta::{Builder, collect_commands, collect_events};

use crate::commands::{
    alerts, approvals, budgets, changes, desktop, drills, health, keys, operations, overview, people, prices,
    providers, quick, requests, secrets, settings, status, toggles, trial,
};
use crate::events::CacheTagsChanged;

include!("command_names.rs");

/// Everything the window may call and hear.
pub fn builder() -> Builder<Wry> {
    Builder::new()
        .disable_serde_phases()
        .commands(collect_commands![
            status::status,
            overview::overview,
            requests::requests_page,
            requests::request_facets,
            requests::request_detail,
            requests::requests_export,
            operations::operations_list,
            operations::target_options,
            operations::route_preview,
            operations::route_apply,
            operations::route_simulate,
            providers::providers_list,
            providers::provider_presets,
            providers::provider_add,
            providers::provider_update,
            providers::provider_remove,
            providers::provider_paste_credential,
            providers::provider_set_credential,
            providers::provider_clear_credential,
            providers::provider_verify,
            providers::model_add,
            health::provider_health,
            health::circuit_action,
            health::failovers_page,
            drills::drill_state,
            drills::drill_start,
            drills::drill_stop,
            prices::prices_page,
            prices::price_history,
            prices::price_preview,
            prices::price_set,
            prices::model_unblock,
            prices::prices_unpriced,
            prices::price_import_preview,
            prices::price_import_apply,
            settings::settings_list,
            settings::setting_set,
            desktop::desktop_show,
            desktop::desktop_set,
            people::people_list,
            people::person_add,
            people::person_update,
            secrets::secrets_paste_passphrase,
            secrets::secrets_unseal,
            toggles::toggles_list,
            toggles::toggle_set,
            toggles::kill_switch_engage,
            toggles::kill_switch_release,
            budgets::budgets_list,
            budgets::budget_members,
            budgets::budget_show,
            budgets::budget_preview,
            budgets::budget_set,
            budgets::budget_remove,
            budgets::budget_adjust,
            budgets::budget_refusal,
            budgets::spend_history,
            keys::keys_list,
            keys::key_create,
            keys::key_set_limits,
            keys::key_set_scope,
            keys::key_rotate,
            keys::key_end_overlap,
            keys::key_paste_own_credential,
            keys::key_set_own_credential,
            keys::key_clear_own_credential,
            keys::key_revoke,
            trial::send_test_request,
            approvals::approvals_page,
            approvals::approval_show,
            approvals::approval_approve,
            approvals::approval_reject,
            approvals::approval_undo,
            approvals::approval_withdraw,
            quick::quick_approve,
            quick::quick_open,
            quick::quick_close,
            quick::queue_open,
            changes::changes_page,
            changes::change_verify,
            changes::change_revert,
            changes::change_revert_preview,
            changes::changes_count,
            changes::changes_export,
            changes::state_at,
            alerts::alerts_page,
            alerts::alerts_open,
            alerts::alerts_acknowledge,
            alerts::deliveries_page,
            alerts::alert_rules_list,
            alerts::alert_rule_set,
            alerts::channels_list,
            alerts::channel_add,
            alerts::channel_update,
            alerts::channel_remove,
            alerts::channel_paste_secret,
            alerts::channel_set_secret,
            alerts::channel_renew_signing_key,
            alerts::channel_test,
        ])
        .events(collect_events![CacheTagsChanged])
}

/// Writes the TypeScript of all commands, events and types.
///
/// Errors: a type that has no TypeScript, or a file that cannot be written.
pub fn export_bindings(path: &std::path::Path) -> anyhow::Result<()> {
    builder().export(Typescript::default(), path)?;
    Ok(())
}
