//! Secrets: provider credentials and the pepper of API keys, each sealed on its own in an encrypted file.
//!
//! A master key (from the keychain, a key file or the environment) seals every secret with XChaCha20-Poly1305. The secret's
//! name and what it is bound to (a provider's origin) are associated data, so a ciphertext moved to another place does
//! not open. Nothing here is ever in SQLite, in a log, in an export or in the window.

mod master_key;
mod vault;

pub use master_key::{Keychain, MasterKeyChoice};
pub use vault::Vault;

use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};

/// Why a secret cannot be read or kept.
#[derive(Debug, thiserror::Error)]
pub enum SecretsError {
    /// The master key is somewhere this process cannot reach now.
    #[error("secrets are sealed: their master key is in the {place}, which is not available here")]
    Sealed {
        /// `keychain`, `key file` or `environment`.
        place: &'static str,
    },
    /// The master key does not open the secret, or the file was changed.
    #[error(
        "the secret `{name}` cannot be decrypted: the master key is another one, or the file was changed"
    )]
    Undecipherable {
        /// Which secret.
        name: String,
    },
    /// `SIGNALBOX_MASTER_KEY` is not 64 hex digits.
    #[error("SIGNALBOX_MASTER_KEY must be 64 hexadecimal digits")]
    MalformedMasterKey,
    /// The file is not one of ours.
    #[error("the secrets file {} is damaged", path.display())]
    Damaged {
        /// Which file.
        path: PathBuf,
    },
    /// The operating system refused.
    #[error("cannot {operation} {}", path.display())]
    File {
        /// What was tried.
        operation: &'static str,
        /// On which file.
        path: PathBuf,
        /// Its answer.
        #[source]
        source: std::io::Error,
    },
    /// The operating system's random numbers failed.
    #[error("the operating system has no random numbers")]
    NoRandomness,
}

/// Writes a secret to a new file that only its owner can read, in a folder only its owner can open.
pub fn write_for_owner(folder: &Path, name: &str, secret: &SecretString) -> Result<PathBuf, SecretsError> {
    let failed = |source| SecretsError::File { operation: "create", path: folder.to_owned(), source };
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(failed)?;
    let path = folder.join(name);
    master_key::write_private(&path, secret.expose_secret().as_bytes())?;
    Ok(path)
}

/// Random bytes from the operating system.
pub fn random_bytes<const N: usize>() -> Result<[u8; N], SecretsError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| SecretsError::NoRandomness)?;
    Ok(bytes)
}
