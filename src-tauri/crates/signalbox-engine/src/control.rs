//! The configuration side: store, secrets and clock without traffic. The command line uses it beside a running instance.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use secrecy::SecretString;
use signalbox_core::change::ChainedChange;
use signalbox_core::ids::{KeyId, ProviderName};
use signalbox_core::provider::{Auth, CredentialSource, Provider};
use signalbox_core::snapshot::Snapshot;
use signalbox_core::time::{Clock, Timestamp};
pub use signalbox_store::Durability;
use signalbox_store::{ConfigEdit, Store};

use crate::api_key::KeyHasher;
use crate::error::EngineError;
use crate::history::LastCheck;
use crate::secrets::{Keychain, SecretsError, Vault};
use crate::{data_dir, install, live};

/// How to open an installation.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where everything is kept.
    pub data_dir: PathBuf,
    /// A PostgreSQL URL instead of the SQLite file in the data directory.
    pub database_url: Option<String>,
    /// What a commit survives.
    pub durability: Durability,
    /// Whether the operating system's keychain may be used.
    pub keychain: Keychain,
}

/// An opened installation.
#[derive(Clone, Debug)]
pub struct Control {
    /// Its database.
    pub store: Store,
    /// Its secrets.
    pub vault: Vault,
    /// Its time.
    pub clock: Arc<dyn Clock>,
    /// Where it is kept.
    pub data_dir: Arc<Path>,
    /// What a commit survives.
    pub durability: Durability,
    pub(crate) last_check: LastCheck,
}

impl Control {
    /// Opens an installation, and makes it if it is not there.
    pub async fn open(options: &Options, clock: Arc<dyn Clock>) -> Result<Self, EngineError> {
        data_dir::prepare(&options.data_dir)?;
        let store = match &options.database_url {
            Some(url) => Store::open_postgres(url).await?,
            None => {
                Store::open_sqlite(&data_dir::database_file(&options.data_dir), options.durability).await?
            }
        };
        install::if_new(&store, clock.now()).await?;
        let vault = Vault::new(&options.data_dir, options.keychain);
        let data_dir = options.data_dir.clone().into();
        let (durability, last_check) = (options.durability, LastCheck::default());
        Ok(Self { store, vault, clock, data_dir, durability, last_check })
    }

    /// The current instant.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Reads the configuration anew.
    pub async fn snapshot(&self) -> Result<Snapshot, EngineError> {
        Ok(live::build(self, None).await?.snapshot)
    }

    /// Applies edits, all or none, each with its entry in the change history.
    pub async fn write(&self, edits: Vec<ConfigEdit>) -> Result<Vec<ChainedChange>, EngineError> {
        Ok(self.store.write_config(edits).await?)
    }

    /// The hasher of API keys.
    pub async fn key_hasher(&self) -> Result<KeyHasher, SecretsError> {
        let vault = self.vault.clone();
        blocking(move || KeyHasher::open(&vault)).await
    }

    /// The credential of a provider, if it is at hand.
    pub async fn credential(&self, provider: &Provider) -> Result<Option<SecretString>, SecretsError> {
        match &provider.credential {
            CredentialSource::NotNeeded | CredentialSource::Missing => Ok(None),
            CredentialSource::Environment { variable } => {
                let value = std::env::var(variable).ok().filter(|value| !value.is_empty());
                Ok(value.map(SecretString::from))
            }
            CredentialSource::Stored { .. } => {
                let (vault, name, origin) =
                    (self.vault.clone(), secret_name(&provider.name), origin_of(provider));
                blocking(move || vault.get(&name, &origin)).await
            }
        }
    }

    /// Seals a provider's credential, bound to its origin.
    pub async fn store_credential(
        &self,
        provider: &Provider,
        secret: SecretString,
    ) -> Result<(), SecretsError> {
        let (vault, name, origin) = (self.vault.clone(), secret_name(&provider.name), origin_of(provider));
        blocking(move || vault.put(&name, &origin, &secret)).await
    }

    /// Opens the secrets with their passphrase. A running engine reloads afterwards.
    ///
    /// Errors: as [`Vault::unseal`].
    pub async fn unseal(&self, passphrase: SecretString) -> Result<(), SecretsError> {
        let vault = self.vault.clone();
        blocking(move || vault.unseal(&passphrase)).await
    }

    /// Puts the master key of the secrets under a passphrase.
    ///
    /// Errors: as [`Vault::protect`].
    pub async fn protect(&self, passphrase: SecretString) -> Result<(), SecretsError> {
        let vault = self.vault.clone();
        blocking(move || vault.protect(&passphrase)).await
    }

    /// Where the master key of the secrets is, in words; `None` before there is a secret.
    pub async fn master_key_place(&self) -> Result<Option<&'static str>, SecretsError> {
        let vault = self.vault.clone();
        blocking(move || vault.master_key_place()).await
    }

    /// Whether the secrets wait for their passphrase.
    pub async fn awaits_passphrase(&self) -> Result<bool, SecretsError> {
        let vault = self.vault.clone();
        blocking(move || vault.awaits_passphrase()).await
    }

    /// Owners' own credentials, in the order they are asked for.
    pub async fn own_credentials(
        &self,
        wanted: &[(KeyId, &Provider)],
    ) -> Vec<Result<Option<SecretString>, SecretsError>> {
        if wanted.is_empty() {
            return Vec::new();
        }
        let names =
            wanted.iter().map(|(key, provider)| (own_secret_name(*key, &provider.name), origin_of(provider)));
        let (vault, names): (Vault, Vec<(String, String)>) = (self.vault.clone(), names.collect());
        let read = blocking(move || Ok(vault.get_each(&names))).await;
        read.unwrap_or_else(|_| wanted.iter().map(|_| Err(SecretsError::NoRandomness)).collect())
    }

    /// Seals an owner's own credential, bound to the key that brings it and to the provider's origin.
    pub async fn store_own_credential(
        &self,
        key: KeyId,
        provider: &Provider,
        secret: SecretString,
    ) -> Result<(), SecretsError> {
        let (vault, name, origin) =
            (self.vault.clone(), own_secret_name(key, &provider.name), origin_of(provider));
        blocking(move || vault.put(&name, &origin, &secret)).await
    }

    /// Forgets own credentials of a key.
    pub async fn forget_own_credentials(
        &self,
        key: KeyId,
        providers: impl IntoIterator<Item = &ProviderName>,
    ) -> Result<(), SecretsError> {
        let names: Vec<String> =
            providers.into_iter().map(|provider| own_secret_name(key, provider)).collect();
        if names.is_empty() {
            return Ok(());
        }
        let vault = self.vault.clone();
        blocking(move || names.iter().try_for_each(|name| vault.remove(name))).await
    }

    /// Forgets a provider's credential.
    pub async fn forget_credential(&self, provider: &ProviderName) -> Result<(), SecretsError> {
        let (vault, name) = (self.vault.clone(), secret_name(provider));
        blocking(move || vault.remove(&name)).await
    }
}

fn secret_name(provider: &ProviderName) -> String {
    format!("provider:{provider}")
}

fn own_secret_name(key: KeyId, provider: &ProviderName) -> String {
    format!("{key}:provider:{provider}")
}

/// Scheme, host and port of every place it is sent to: a key sealed for one origin does not open for another.
fn origin_of(provider: &Provider) -> String {
    let origin = provider.base_url.origin().ascii_serialization();
    match &provider.auth {
        Auth::Vendor | Auth::Header { .. } => origin,
        Auth::ClientCredentials { token_url, .. } => {
            format!("{origin} {}", token_url.origin().ascii_serialization())
        }
    }
}

/// Runs file and keychain work off the async threads.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, SecretsError> + Send + 'static,
) -> Result<T, SecretsError> {
    tokio::task::spawn_blocking(work).await.map_err(|_| SecretsError::NoRandomness)?
}
