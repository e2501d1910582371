//! The configuration in memory: one immutable value that the hot path loads without a lock and that is swapped whole.

use std::collections::HashMap;
use std::sync::Arc;

use secrecy::SecretString;
use signalbox_core::ids::{OperationId, ProviderName};
use signalbox_core::provider::{CredentialSource, Provider, ProviderKind};
use signalbox_core::route::Target;
use signalbox_core::snapshot::{OperationEntry, ProviderEntry, Settings, Snapshot};
use signalbox_core::time::Timestamp;
use signalbox_providers::Account;
use url::Url;

use crate::api_key::KeyHasher;
use crate::control::Control;
use crate::error::EngineError;
use crate::secrets::SecretsError;

/// What one request works on from its first to its last step.
#[derive(Debug, Clone)]
pub struct Live {
    /// What decisions look at.
    pub snapshot: Snapshot,
    /// How to call each provider; credentials live only here and in the vault.
    pub accounts: HashMap<ProviderName, Arc<Account>>,
    /// How presented API keys are looked up; `None` while secrets are sealed.
    pub key_hasher: Option<KeyHasher>,
    /// Why secrets cannot be read, in words, if they cannot.
    pub sealed: Option<String>,
    /// When each operation was last changed.
    pub changed_at: HashMap<OperationId, Timestamp>,
}

/// Setting: whether prompts and answers are stored.
pub const SETTING_LOG_PAYLOADS: &str = "log_payloads";

/// Reads configuration and credentials into a new value. `simulator` is where the built-in provider listens, if it does.
pub async fn build(control: &Control, simulator: Option<&Url>) -> Result<Live, EngineError> {
    let config = control.store.load_config().await?;
    let mut sealed = None;
    let key_hasher = match control.key_hasher().await {
        Ok(hasher) => Some(hasher),
        Err(error) => {
            note_sealed(&mut sealed, &error);
            None
        }
    };
    let mut providers = HashMap::with_capacity(config.providers.len());
    let mut accounts = HashMap::with_capacity(config.providers.len());
    for provider in config.providers {
        let account = account_of(control, &provider, simulator, &mut sealed).await;
        let credential_ready = account.is_some();
        if let Some(account) = account {
            accounts.insert(provider.name.clone(), Arc::new(account));
        }
        providers.insert(provider.name.clone(), ProviderEntry { provider, credential_ready });
    }
    let settings = &config.settings;
    let log_payloads = settings.iter().any(|(key, value)| key == SETTING_LOG_PAYLOADS && value == "true");
    let operation = |entry: OperationEntry| (entry.operation.id.clone(), entry);
    let model = |entry: signalbox_core::snapshot::ModelEntry| {
        (Target { provider: entry.model.provider.clone(), model: entry.model.name.clone() }, entry)
    };
    let snapshot = Snapshot {
        revision: config.revision,
        operations: config.operations.into_iter().map(operation).collect(),
        providers,
        models: config.models.into_iter().map(model).collect(),
        keys: config.keys.into_iter().collect(),
        settings: Settings { log_payloads, ..Settings::default() },
    };
    Ok(Live { snapshot, accounts, key_hasher, sealed, changed_at: config.changed_at })
}

/// How to call a provider; `None` while its credential (or the simulator) is not there.
async fn account_of(
    control: &Control,
    provider: &Provider,
    simulator: Option<&Url>,
    sealed: &mut Option<String>,
) -> Option<Account> {
    let (base_url, credential) = match (provider.kind, &provider.credential) {
        (ProviderKind::Simulator, _) => (simulator?.clone(), Some(simulator_credential())),
        (_, CredentialSource::NotNeeded) => (provider.base_url.clone(), None),
        _ => match control.credential(provider).await {
            Ok(credential) => (provider.base_url.clone(), Some(credential?)),
            Err(error) => {
                note_sealed(sealed, &error);
                return None;
            }
        },
    };
    Some(Account {
        name: provider.name.clone(),
        kind: provider.kind,
        base_url,
        credential,
        auth: provider.auth.clone(),
    })
}

/// The simulator asks for some credential, as the vendors do, and takes any: there is nothing to protect.
pub fn simulator_credential() -> SecretString {
    SecretString::from("simulator")
}

fn note_sealed(sealed: &mut Option<String>, error: &SecretsError) {
    tracing::error!(%error, "a secret cannot be read");
    sealed.get_or_insert_with(|| error.to_string());
}
