//! The secrets as a whole: sealed or open, and under what.

use signalbox_core::change::{Change, ChangeKind};
use signalbox_engine::events::Topic;

use crate::app::{App, Caller, Role, json};
use crate::dto;
use crate::error::AppError;

/// Where the master key of the secrets is, in words; `None` before there is a secret.
pub async fn master_key_place(app: &App, caller: &Caller) -> Result<Option<&'static str>, AppError> {
    caller.must_be(Role::Viewer)?;
    Ok(app.control().master_key_place().await?)
}

/// Opens sealed secrets with their passphrase, until the process ends.
///
/// Errors: another passphrase; no passphrase protects them.
pub async fn unseal(app: &App, caller: &Caller, passphrase: dto::SecretInput) -> Result<(), AppError> {
    caller.must_be(Role::Operator)?;
    app.control().unseal(passphrase.into()).await?;
    if let Some(engine) = app.engine() {
        engine.reload().await?;
        engine.events.publish(Topic::Status);
    }
    Ok(())
}

/// Puts the secrets under a passphrase: from then on every start needs it.
///
/// Errors: one that is soon guessed; secrets are sealed now.
pub async fn protect(app: &App, caller: &Caller, passphrase: dto::SecretInput) -> Result<(), AppError> {
    caller.must_be(Role::Admin)?;
    let place = || async { json(&app.control().master_key_place().await?) };
    let before = place().await?;
    app.control().protect(passphrase.into()).await?;
    let sentence = "The secrets are under a passphrase: every start needs it".to_owned();
    let change = Change {
        before: Some(before),
        after: Some(place().await?),
        ..app.change(caller, ChangeKind::Credential, "master key", sentence)
    };
    app.commit(Vec::new(), change).await.map(drop)
}
