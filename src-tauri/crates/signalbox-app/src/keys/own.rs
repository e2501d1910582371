//! Owners' own credentials: a key may bring one per provider, and its requests there are at its owner's cost.

use signalbox_core::change::{Change, ChangeKind};
use signalbox_core::ids::ProviderName;
use signalbox_core::key::{ApiKey, OwnCredential};
use signalbox_store::ConfigWrite;

use super::{find, known, live_one};
use crate::app::{App, Caller, Role, json};
use crate::error::AppError;
use crate::{credential, dto, providers};

/// Seals an owner's own credential for a provider. It is never shown again.
///
/// Errors: no such key or provider, a key that opens nothing, what cannot be a credential, secrets are sealed.
pub async fn set_own_credential(
    app: &App,
    caller: &Caller,
    id: &str,
    provider: &str,
    secret: dto::SecretInput,
) -> Result<dto::ApiKey, AppError> {
    caller.must_be(Role::Admin)?;
    let live = app.live().await?;
    let before = live_one(&live.snapshot, id, app.now())?;
    let provider = providers::known(&live.snapshot, provider)?;
    providers::refuse_builtin(provider, "given a credential")?;
    let given = credential::given(secret)?;
    let control = app.control();
    let old = control.own_credentials(&[(before.id, provider)]).await.pop().and_then(Result::ok).flatten();
    control.store_own_credential(before.id, provider, given.secret).await?;
    let mut after = before.clone();
    let credential = OwnCredential { hint: given.hint, set_at: app.now() };
    after.own_credentials.insert(provider.name.clone(), credential);
    let sentence = format!("Key {} brings a credential of its own for {}", after.name, provider.name);
    if let Err(refused) = put(app, caller, before, after, sentence).await {
        // The vault is no part of the transaction: what it held before goes back.
        match old {
            Some(old) => control.store_own_credential(before.id, provider, old).await?,
            None => control.forget_own_credentials(before.id, [&provider.name]).await?,
        }
        return Err(refused);
    }
    find(app, caller, id).await
}

/// Forgets an owner's own credential: the key's requests to that provider are made with the installation's again.
pub async fn clear_own_credential(
    app: &App,
    caller: &Caller,
    id: &str,
    provider: &str,
) -> Result<dto::ApiKey, AppError> {
    caller.must_be(Role::Admin)?;
    let live = app.live().await?;
    let before = known(&live.snapshot, id)?;
    let name = ProviderName::new(provider).map_err(|_| AppError::not_found("provider", provider))?;
    let mut after = before.clone();
    if after.own_credentials.remove(&name).is_some() {
        let sentence = format!("Key {} no longer brings a credential of its own for {name}", after.name);
        put(app, caller, before, after, sentence).await?;
        app.control().forget_own_credentials(before.id, [&name]).await?;
    }
    find(app, caller, id).await
}

async fn put(
    app: &App,
    caller: &Caller,
    before: &ApiKey,
    after: ApiKey,
    sentence: String,
) -> Result<(), AppError> {
    let change = Change {
        before: Some(json(before)?),
        after: Some(json(&after)?),
        ..app.change(caller, ChangeKind::Credential, &after.name, sentence)
    };
    app.commit(vec![ConfigWrite::PutKey { key: after }], change).await.map(drop)
}
