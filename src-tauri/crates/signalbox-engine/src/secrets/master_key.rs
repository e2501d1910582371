//! Where the master key may be: the operating system's keychain, a key file only its owner can read, the environment.

use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::passphrase::{self, Wrapped};
use super::{SecretsError, random_bytes};

/// The variable that may carry the master key, as 64 hex digits.
pub const ENVIRONMENT_VARIABLE: &str = "SIGNALBOX_MASTER_KEY";
/// Our name in the keychain.
const KEYCHAIN_SERVICE: &str = "dev.signalbox";

/// 256 bits, wiped from memory when dropped.
pub type MasterKey = Zeroizing<[u8; 32]>;

/// Whether the keychain may be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keychain {
    /// Prefer it for a new installation.
    Preferred,
    /// Leave it alone (tests, servers).
    Unused,
}

/// Where an installation keeps its master key; recorded in the secrets file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MasterKeyChoice {
    /// The operating system's keychain.
    Keychain,
    /// `master.key` in the data directory.
    KeyFile,
    /// [`ENVIRONMENT_VARIABLE`].
    Environment,
    /// In the secrets file itself, sealed under a passphrase.
    Passphrase(Wrapped),
}

impl MasterKeyChoice {
    /// The place in words.
    pub const fn place(&self) -> &'static str {
        match self {
            Self::Keychain => "keychain",
            Self::KeyFile => "key file",
            Self::Environment => "environment variable SIGNALBOX_MASTER_KEY",
            Self::Passphrase(_) => "secrets file, under a passphrase",
        }
    }

    /// Reads the key from where it was put.
    pub fn load(&self, data_dir: &Path) -> Result<MasterKey, SecretsError> {
        let found = match self {
            Self::Keychain => from_keychain(data_dir),
            Self::KeyFile => from_file(&key_file(data_dir))?,
            Self::Environment => from_environment()?,
            Self::Passphrase(wrapped) => {
                let given = passphrase::from_environment().ok_or(SecretsError::AwaitsPassphrase)?;
                return wrapped.open(&given);
            }
        };
        found.ok_or(SecretsError::Sealed { place: self.place() })
    }

    /// Takes the key away from where it was put, after it was put elsewhere.
    pub fn forget(&self, data_dir: &Path) -> Result<(), SecretsError> {
        match self {
            Self::Keychain => {
                // One that stays behind is useless to whoever finds it without the file.
                if let Some(Err(error)) = keychain_entry(data_dir).map(|entry| entry.delete_credential()) {
                    tracing::warn!(%error, "the master key could not be taken out of the keychain");
                }
                Ok(())
            }
            Self::KeyFile => {
                let path = key_file(data_dir);
                std::fs::remove_file(&path).map_err(|source| SecretsError::File {
                    operation: "remove",
                    path,
                    source,
                })
            }
            Self::Environment | Self::Passphrase(_) => Ok(()),
        }
    }

    /// Makes a key for a new installation in the best place there is: the environment if it names one or has a passphrase,
    /// else the keychain, else a key file.
    pub fn create(data_dir: &Path, keychain: Keychain) -> Result<(Self, MasterKey), SecretsError> {
        if let Some(key) = from_environment()? {
            return Ok((Self::Environment, key));
        }
        let key = Zeroizing::new(random_bytes::<32>()?);
        if let Some(given) = passphrase::from_environment() {
            return Ok((Self::Passphrase(Wrapped::seal(&key, &given)?), key));
        }
        if keychain == Keychain::Preferred && to_keychain(data_dir, &key) {
            return Ok((Self::Keychain, key));
        }
        let path = key_file(data_dir);
        if let Some(existing) = from_file(&path)? {
            return Ok((Self::KeyFile, existing));
        }
        write_private(&path, hex::encode(*key).as_bytes())?;
        Ok((Self::KeyFile, key))
    }
}

fn key_file(data_dir: &Path) -> PathBuf {
    data_dir.join("master.key")
}

fn parse_hex(text: &str) -> Result<MasterKey, SecretsError> {
    let mut key = Zeroizing::new([0; 32]);
    hex::decode_to_slice(text.trim(), &mut *key).map_err(|_| SecretsError::MalformedMasterKey)?;
    Ok(key)
}

fn from_environment() -> Result<Option<MasterKey>, SecretsError> {
    match std::env::var(ENVIRONMENT_VARIABLE) {
        Ok(text) => parse_hex(&Zeroizing::new(text)).map(Some),
        Err(std::env::VarError::NotPresent) => Ok(None),
        Err(std::env::VarError::NotUnicode(_)) => Err(SecretsError::MalformedMasterKey),
    }
}

fn from_file(path: &Path) -> Result<Option<MasterKey>, SecretsError> {
    match std::fs::read_to_string(path) {
        Ok(text) => parse_hex(&Zeroizing::new(text))
            .map(Some)
            .map_err(|_| SecretsError::Damaged { path: path.to_owned() }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(SecretsError::File { operation: "read", path: path.to_owned(), source }),
    }
}

/// One entry per data directory, so that two installations of one person do not share a key.
fn keychain_entry(data_dir: &Path) -> Option<keyring_core::Entry> {
    #[cfg(target_os = "linux")]
    let store = zbus_secret_service_keyring_store::Store::new();
    #[cfg(target_os = "macos")]
    let store = apple_native_keyring_store::keychain::Store::new();
    #[cfg(target_os = "windows")]
    let store = windows_native_keyring_store::Store::new();
    match store {
        Ok(store) => keyring_core::set_default_store(store),
        Err(error) => {
            tracing::debug!(%error, "no keychain here");
            return None;
        }
    }
    keyring_core::Entry::new(KEYCHAIN_SERVICE, &data_dir.to_string_lossy()).ok()
}

fn from_keychain(data_dir: &Path) -> Option<MasterKey> {
    let secret = Zeroizing::new(keychain_entry(data_dir)?.get_secret().ok()?);
    let mut key = Zeroizing::new([0; 32]);
    (secret.len() == key.len()).then(|| key.copy_from_slice(&secret))?;
    Some(key)
}

fn to_keychain(data_dir: &Path, key: &MasterKey) -> bool {
    keychain_entry(data_dir).is_some_and(|entry| entry.set_secret(&**key).is_ok())
}

/// Writes a file that only its owner can read, whole or not at all.
pub fn write_private(path: &Path, content: &[u8]) -> Result<(), SecretsError> {
    let failed = |operation| move |source| SecretsError::File { operation, path: path.to_owned(), source };
    let unique = hex::encode(random_bytes::<8>()?);
    let temporary = path.with_extension(format!("{unique}.tmp"));
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&temporary).map_err(failed("create"))?;
    file.write_all(content).and_then(|()| file.sync_all()).map_err(failed("write"))?;
    drop(file);
    std::fs::rename(&temporary, path).map_err(failed("replace"))
}
