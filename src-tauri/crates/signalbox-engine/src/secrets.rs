//! Secrets: provider credentials and the pepper of API keys, each sealed on its own in an encrypted file.
//!
//! A master key (from the keychain, a key file, the environment, or itself sealed under a passphrase) seals every secret with XChaCha20-Poly1305. The secret's
//! name and what it is bound to (a provider's origin) are associated data, so a ciphertext moved to another place does
//! not open. Nothing here is ever in SQLite, in a log, in an export or in the window.

mod master_key;
mod passphrase;
mod vault;

pub use master_key::{Keychain, MasterKeyChoice};
pub use passphrase::PASSPHRASE_VARIABLE;
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
    /// The master key waits for its passphrase.
    #[error(
        "secrets are sealed until their passphrase is given: in the window, on the terminal of `serve`, or as {}",
        PASSPHRASE_VARIABLE
    )]
    AwaitsPassphrase,
    /// The passphrase is another one, or the file was changed.
    #[error("the passphrase does not open the secrets")]
    WrongPassphrase,
    /// The passphrase would be guessed.
    #[error("a passphrase needs at least {chars_min} characters; a few words make a good one")]
    ShortPassphrase {
        /// How many it needs.
        chars_min: usize,
    },
    /// There is no passphrase to give.
    #[error("no passphrase protects the secrets of this installation")]
    NoPassphrase,
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
