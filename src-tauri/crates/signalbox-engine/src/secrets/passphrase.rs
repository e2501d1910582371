//! A master key under a passphrase, for machines without a keychain: sealed with what Argon2id makes of the passphrase.

use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::master_key::MasterKey;
use super::{SecretsError, random_bytes};

/// The variable that may carry the passphrase, for a service that nobody sits in front of.
pub const PASSPHRASE_VARIABLE: &str = "SIGNALBOX_PASSPHRASE";
/// Shorter ones are guessed from the file alone, however slow each guess is made.
const CHARS_MIN: usize = 12;
/// The costs of RFC 9106's second recommendation. Source: <https://www.rfc-editor.org/rfc/rfc9106#section-4>.
const MEMORY_KIB: u32 = 64 * 1024;
const PASSES: u32 = 3;
const LANES: u32 = 4;
/// More memory than this is not asked for by a file of ours, but by somebody who wants the process to fall.
const MEMORY_KIB_MAX: u32 = 1024 * 1024;
const PASSES_MAX: u32 = 32;
const ASSOCIATED_DATA: &[u8] = b"signalbox-1\0master-key";

/// A sealed master key, with everything but the passphrase that is needed to open it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wrapped {
    salt: String,
    memory_kib: u32,
    passes: u32,
    lanes: u32,
    nonce: String,
    ciphertext: String,
}

impl Wrapped {
    /// Seals a master key.
    ///
    /// Errors: [`SecretsError::ShortPassphrase`].
    pub fn seal(key: &MasterKey, passphrase: &SecretString) -> Result<Self, SecretsError> {
        if passphrase.expose_secret().chars().count() < CHARS_MIN {
            return Err(SecretsError::ShortPassphrase { chars_min: CHARS_MIN });
        }
        let (salt, nonce) = (random_bytes::<16>()?, random_bytes::<24>()?);
        let mut wrapped = Self {
            salt: BASE64.encode(salt),
            memory_kib: MEMORY_KIB,
            passes: PASSES,
            lanes: LANES,
            nonce: BASE64.encode(nonce),
            ciphertext: String::new(),
        };
        let cipher = wrapped.cipher(passphrase)?;
        let plain = Payload { msg: &**key, aad: ASSOCIATED_DATA };
        let sealed =
            cipher.encrypt(&XNonce::from(nonce), plain).map_err(|_| SecretsError::WrongPassphrase)?;
        wrapped.ciphertext = BASE64.encode(sealed);
        Ok(wrapped)
    }

    /// The master key. Takes a noticeable part of a second and 64 MiB, on purpose.
    ///
    /// Errors: [`SecretsError::WrongPassphrase`], also when the file was changed.
    pub fn open(&self, passphrase: &SecretString) -> Result<MasterKey, SecretsError> {
        let nonce = decoded::<24>(&self.nonce)?;
        let ciphertext = BASE64.decode(&self.ciphertext).map_err(|_| SecretsError::WrongPassphrase)?;
        let sealed = Payload { msg: &ciphertext, aad: ASSOCIATED_DATA };
        let plain = self.cipher(passphrase)?.decrypt(&XNonce::from(nonce), sealed).map(Zeroizing::new);
        let plain = plain.map_err(|_| SecretsError::WrongPassphrase)?;
        let mut key = Zeroizing::new([0; 32]);
        if plain.len() != key.len() {
            return Err(SecretsError::WrongPassphrase);
        }
        key.copy_from_slice(&plain);
        Ok(key)
    }

    fn cipher(&self, passphrase: &SecretString) -> Result<XChaCha20Poly1305, SecretsError> {
        if self.memory_kib > MEMORY_KIB_MAX || self.passes > PASSES_MAX {
            return Err(SecretsError::WrongPassphrase);
        }
        let params = Params::new(self.memory_kib, self.passes, self.lanes, Some(32));
        let params = params.map_err(|_| SecretsError::WrongPassphrase)?;
        let mut key = Zeroizing::new([0; 32]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(passphrase.expose_secret().as_bytes(), &decoded::<16>(&self.salt)?, &mut *key)
            .map_err(|_| SecretsError::WrongPassphrase)?;
        Ok(XChaCha20Poly1305::new(&(*key).into()))
    }
}

/// The passphrase in the environment, if there is one.
pub fn from_environment() -> Option<SecretString> {
    std::env::var(PASSPHRASE_VARIABLE).ok().filter(|text| !text.is_empty()).map(SecretString::from)
}

fn decoded<const N: usize>(text: &str) -> Result<[u8; N], SecretsError> {
    let bytes = BASE64.decode(text).ok().and_then(|bytes| bytes.try_into().ok());
    bytes.ok_or(SecretsError::WrongPassphrase)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passphrase(text: &str) -> SecretString {
        SecretString::from(text)
    }

    #[test]
    fn a_master_key_comes_out_with_its_passphrase_and_with_nothing_else() {
        let key = Zeroizing::new(random_bytes::<32>().unwrap());
        let wrapped = Wrapped::seal(&key, &passphrase("correct horse battery")).unwrap();
        assert_eq!(*wrapped.open(&passphrase("correct horse battery")).unwrap(), *key);
        let refused = |wrapped: &Wrapped, text| {
            matches!(wrapped.open(&passphrase(text)), Err(SecretsError::WrongPassphrase))
        };
        assert!(refused(&wrapped, "correct horse batterz") && refused(&wrapped, ""));
        // A file that asks for the whole machine is refused before any memory is taken.
        let greedy = Wrapped { memory_kib: u32::MAX, ..wrapped.clone() };
        assert!(refused(&greedy, "correct horse battery"));
        let weakened = Wrapped { passes: 1, ..wrapped };
        assert!(refused(&weakened, "correct horse battery"));
    }

    #[test]
    fn a_passphrase_that_is_soon_guessed_is_refused() {
        let key = Zeroizing::new([7; 32]);
        let short = Wrapped::seal(&key, &passphrase("hunter2"));
        assert!(matches!(short, Err(SecretsError::ShortPassphrase { chars_min: 12 })));
    }
}
