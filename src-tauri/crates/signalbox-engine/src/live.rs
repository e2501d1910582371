//! The configuration in memory: one immutable value that the hot path loads without a lock and that is swapped whole.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;
use signalbox_core::alert::Alerting;
use signalbox_core::breaker::{BreakerSettings, FAILURES_MAX};
use signalbox_core::ids::{KeyId, OperationId, ProviderName};
use signalbox_core::key::{ApiKey, KeyHash};
use signalbox_core::person::{FourEyes, Person};
use signalbox_core::provider::{CredentialSource, Provider, ProviderKind};
use signalbox_core::route::Target;
use signalbox_core::snapshot::{OperationEntry, ProviderEntry, Settings, Snapshot, UnpricedPolicy};
use signalbox_core::time::Timestamp;
use signalbox_core::toggle::Toggles;
use signalbox_providers::Account;
use signalbox_store::StoredKey;
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
    /// How to call a provider with the own credential of a key's owner.
    pub own_accounts: HashMap<(KeyId, ProviderName), Arc<Account>>,
    /// How presented API keys are looked up; `None` while secrets are sealed.
    pub key_hasher: Option<KeyHasher>,
    /// Why secrets cannot be read, in words, if they cannot.
    pub sealed: Option<String>,
    /// When each operation was last changed.
    pub changed_at: HashMap<OperationId, Timestamp>,
    /// Where each API key stands in the snapshot.
    pub keys: HashMap<KeyId, KeyHash>,
    /// How long providers are waited for.
    pub patience: Patience,
    /// Everybody who may come in or could once, by name.
    pub people: Vec<Person>,
    /// Whether changes that move money need a second admin.
    pub four_eyes: FourEyes,
    /// Where and when alerts are told.
    pub alerting: Alerting,
}

impl Live {
    /// An API key by its id.
    pub fn key(&self, id: KeyId) -> Option<&ApiKey> {
        self.snapshot.keys.get(self.keys.get(&id)?)
    }

    /// How to call a provider for a key: with its owner's own credential where it has one.
    pub fn account(&self, provider: &ProviderName, key: Option<KeyId>) -> Option<&Arc<Account>> {
        let brings_its_own = |key: &KeyId| self.key(*key).is_some_and(|key| key.has_own_credential(provider));
        match key.filter(brings_its_own) {
            Some(key) => self.own_accounts.get(&(key, provider.clone())),
            None => self.accounts.get(provider),
        }
    }

    /// Calls that may be on their way to a provider; `None`: any number.
    pub fn concurrent_max(&self, provider: &ProviderName) -> Option<u32> {
        self.snapshot.providers.get(provider)?.provider.max_concurrent
    }
}

/// How long providers are waited for, unless a route's card says otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// Until a stream begins.
    pub stream_first_byte: Duration,
    /// Between two pieces of a stream; models that think send their headers and then nothing for a while.
    pub stream_idle: Duration,
    /// Until a complete answer: all of its generation. Also until a stream's first content.
    pub complete_answer: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            stream_first_byte: Duration::from_secs(30),
            stream_idle: Duration::from_mins(2),
            complete_answer: Duration::from_mins(5),
        }
    }
}

/// Setting: failures within the window that open a target's circuit, 1 to 100.
pub const SETTING_BREAKER_FAILURES: &str = "breaker_failures";
/// Setting: length of that window. Units: seconds, 10 to 3,600.
pub const SETTING_BREAKER_WINDOW_S: &str = "breaker_window_s";
/// Setting: how long a circuit stays open before one call probes. Units: seconds, 5 to 3,600.
pub const SETTING_BREAKER_OPEN_S: &str = "breaker_open_s";
/// Setting: what becomes of requests whose target has no price: `allow`, `family_maximum` or `block`.
pub const SETTING_UNPRICED_POLICY: &str = "unpriced_policy";
/// Setting: requests that may run at once, 1 to 100,000.
pub const SETTING_MAX_REQUESTS: &str = "max_requests";
/// Setting: how long a stream may take to begin. Units: milliseconds, 100 to 600,000.
pub const SETTING_STREAM_FIRST_BYTE_MS: &str = "stream_first_byte_ms";
/// Setting: how long a stream may be silent between two pieces. Units: milliseconds, 100 to 600,000.
pub const SETTING_STREAM_IDLE_MS: &str = "stream_idle_ms";
/// Setting: how long a complete answer may take. Units: milliseconds, 100 to 3,600,000.
pub const SETTING_COMPLETE_ANSWER_MS: &str = "complete_answer_ms";
/// Setting: whether changes that move money need a second admin: `off` or `money_changes`.
pub const SETTING_FOUR_EYES: &str = "four_eyes";

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
    let own_accounts = own_accounts(control, &config.keys, &providers, &mut sealed).await;
    let (settings, patience) = settings(&config.settings);
    let four_eyes = config.settings.iter().find(|(name, _)| name == SETTING_FOUR_EYES);
    let four_eyes = four_eyes.and_then(|(_, word)| FourEyes::from_word(word)).unwrap_or_default();
    let operation = |entry: OperationEntry| (entry.operation.id.clone(), entry);
    let model = |entry: signalbox_core::snapshot::ModelEntry| {
        (Target { provider: entry.model.provider.clone(), model: entry.model.name.clone() }, entry)
    };
    let snapshot = Snapshot {
        revision: config.revision,
        operations: config.operations.into_iter().map(operation).collect(),
        providers,
        models: config.models.into_iter().map(model).collect(),
        former_keys: config
            .keys
            .iter()
            .filter_map(|stored| Some((stored.former_hash?, stored.hash)))
            .collect(),
        own_credentials: own_accounts.keys().cloned().collect(),
        keys: config.keys.into_iter().map(|stored| (stored.hash, stored.key)).collect(),
        budgets: config.budgets,
        settings,
        toggles: Toggles::of(&config.toggles),
    };
    let keys = snapshot.keys.iter().map(|(hash, key)| (key.id, *hash)).collect();
    Ok(Live {
        snapshot,
        accounts,
        own_accounts,
        key_hasher,
        sealed,
        changed_at: config.changed_at,
        keys,
        patience,
        people: config.people,
        four_eyes,
        alerting: config.alerting,
    })
}

/// What an admin has set. A value that is not of its form counts as not set, one out of its bounds as the nearest bound.
fn settings(stored: &[(String, String)]) -> (Settings, Patience) {
    let text = |name: &str| stored.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    let number = |name: &str, bounds: std::ops::RangeInclusive<u32>, usual: u32| {
        let set = text(name).and_then(|value| value.parse().ok());
        set.map_or(usual, |value: u32| value.clamp(*bounds.start(), *bounds.end()))
    };
    let wait = |name: &str, most_ms: u32, usual: Duration| {
        let usual_ms = u32::try_from(usual.as_millis()).unwrap_or(most_ms);
        Duration::from_millis(number(name, 100..=most_ms, usual_ms).into())
    };
    let (usual, breaker, patience) = (Settings::default(), BreakerSettings::default(), Patience::default());
    let settings = Settings {
        breaker: BreakerSettings {
            failures: number(SETTING_BREAKER_FAILURES, 1..=FAILURES_MAX, breaker.failures),
            window_s: number(SETTING_BREAKER_WINDOW_S, 10..=3_600, breaker.window_s),
            open_s: number(SETTING_BREAKER_OPEN_S, 5..=3_600, breaker.open_s),
        },
        unpriced: text(SETTING_UNPRICED_POLICY).and_then(UnpricedPolicy::from_word).unwrap_or(usual.unpriced),
        max_requests: number(SETTING_MAX_REQUESTS, 1..=100_000, usual.max_requests),
    };
    let patience = Patience {
        stream_first_byte: wait(SETTING_STREAM_FIRST_BYTE_MS, 600_000, patience.stream_first_byte),
        stream_idle: wait(SETTING_STREAM_IDLE_MS, 600_000, patience.stream_idle),
        complete_answer: wait(SETTING_COMPLETE_ANSWER_MS, 3_600_000, patience.complete_answer),
    };
    (settings, patience)
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

/// The accounts of owners who brought a credential of their own, of keys that open something. One that cannot be read is
/// missing: its key's requests do not go there.
async fn own_accounts(
    control: &Control,
    keys: &[StoredKey],
    providers: &HashMap<ProviderName, ProviderEntry>,
    sealed: &mut Option<String>,
) -> HashMap<(KeyId, ProviderName), Arc<Account>> {
    let mut wanted = Vec::new();
    for key in keys.iter().map(|stored| &stored.key).filter(|key| key.revoked_at.is_none()) {
        let known = key.own_credentials.keys().filter_map(|name| providers.get(name));
        wanted.extend(known.map(|entry| (key.id, &entry.provider)));
    }
    let mut accounts = HashMap::with_capacity(wanted.len());
    for ((key, provider), credential) in wanted.iter().zip(control.own_credentials(&wanted).await) {
        match credential {
            Ok(Some(credential)) => {
                let account = Account {
                    name: provider.name.clone(),
                    kind: provider.kind,
                    base_url: provider.base_url.clone(),
                    credential: Some(credential),
                    auth: provider.auth.clone(),
                };
                accounts.insert((*key, provider.name.clone()), Arc::new(account));
            }
            Ok(None) => {}
            Err(error @ (SecretsError::Sealed { .. } | SecretsError::AwaitsPassphrase)) => {
                note_sealed(sealed, &error);
            }
            // It was given for another address of the provider: nobody else's secrets are affected.
            Err(error) => tracing::warn!(%error, "an owner's own credential cannot be read"),
        }
    }
    accounts
}

/// The simulator asks for some credential, as the vendors do, and takes any: there is nothing to protect.
pub fn simulator_credential() -> SecretString {
    SecretString::from("simulator")
}

fn note_sealed(sealed: &mut Option<String>, error: &SecretsError) {
    if sealed.is_none() {
        tracing::error!(%error, "a secret cannot be read");
    }
    sealed.get_or_insert_with(|| error.to_string());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(pairs: &[(&str, &str)]) -> (Settings, Patience) {
        let stored: Vec<_> =
            pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        settings(&stored)
    }

    #[test]
    fn what_is_not_set_or_no_value_is_as_usual_and_what_is_out_of_bounds_is_held() {
        assert_eq!(set(&[]), (Settings::default(), Patience::default()));
        let nonsense =
            [(SETTING_BREAKER_FAILURES, "many"), (SETTING_UNPRICED_POLICY, "hope"), ("other", "1")];
        assert_eq!(set(&nonsense), (Settings::default(), Patience::default()));
        let (settings, patience) = set(&[
            (SETTING_BREAKER_FAILURES, "0"),
            (SETTING_BREAKER_OPEN_S, "60"),
            (SETTING_MAX_REQUESTS, "4000000000"),
            (SETTING_UNPRICED_POLICY, "block"),
            (SETTING_STREAM_IDLE_MS, "1"),
        ]);
        assert_eq!(
            settings.breaker,
            BreakerSettings { failures: 1, open_s: 60, ..BreakerSettings::default() }
        );
        assert_eq!((settings.max_requests, settings.unpriced), (100_000, UnpricedPolicy::Block));
        assert_eq!(patience.stream_idle, Duration::from_millis(100));
    }
}
