//! API keys: 256 random bits, kept only as an HMAC under the installation's pepper.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use signalbox_core::key::{KEY_PREFIX, KeyHash};

use crate::secrets::{SecretsError, Vault, random_bytes};

/// The name of the pepper among the secrets.
const PEPPER: &str = "api-key-pepper";

/// Turns a presented key into the hash it is looked up by.
///
/// The lookup compares hashes, whose bytes an attacker cannot steer without the pepper, so its timing tells nothing of the key.
#[derive(Clone)]
pub struct KeyHasher(Hmac<Sha256>);

impl std::fmt::Debug for KeyHasher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KeyHasher(…)")
    }
}

impl KeyHasher {
    /// With the installation's pepper, made on the first use.
    pub fn open(vault: &Vault) -> Result<Self, SecretsError> {
        let make = || Ok(SecretString::from(hex::encode(random_bytes::<32>()?)));
        let pepper = vault.get_or_create(PEPPER, "", make)?;
        let mac = Hmac::new_from_slice(pepper.expose_secret().as_bytes())
            .map_err(|_| SecretsError::Undecipherable { name: PEPPER.to_owned() })?;
        Ok(Self(mac))
    }

    /// The hash of a key.
    pub fn hash(&self, key: &str) -> KeyHash {
        let mut mac = self.0.clone();
        mac.update(key.as_bytes());
        KeyHash(mac.finalize().into_bytes().into())
    }
}

/// A new key. It exists here only; whoever gets it has to keep it.
pub fn generate() -> Result<SecretString, SecretsError> {
    let random = zeroize::Zeroizing::new(random_bytes::<32>()?);
    Ok(SecretString::from(format!("{KEY_PREFIX}{}", URL_SAFE_NO_PAD.encode(*random))))
}

/// The last four characters of a key, which may be shown.
pub fn last4(secret: &str) -> String {
    let skipped = secret.chars().count().saturating_sub(4);
    secret.chars().skip(skipped).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secrets::Keychain;

    #[test]
    fn a_key_hashes_to_the_same_after_a_restart_and_to_another_in_another_installation() {
        let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let hasher =
            |dir: &tempfile::TempDir| KeyHasher::open(&Vault::new(dir.path(), Keychain::Unused)).unwrap();
        let key = generate().unwrap();
        let key = key.expose_secret();
        assert!(key.starts_with(KEY_PREFIX) && key.len() == KEY_PREFIX.len() + 43);
        assert_eq!(hasher(&here).hash(key), hasher(&here).hash(key));
        assert_ne!(hasher(&here).hash(key), hasher(&there).hash(key));
        assert_ne!(generate().unwrap().expose_secret(), key);
    }
}
