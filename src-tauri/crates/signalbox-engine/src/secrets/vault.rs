//! The encrypted file: each secret sealed on its own, bound to its name and purpose.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::master_key::{Keychain, MasterKey, MasterKeyChoice, write_private};
use super::passphrase::Wrapped;
use super::{SecretsError, random_bytes};

/// First byte of the associated data; it changes when the envelope does.
const ENVELOPE_VERSION: &str = "signalbox-1";

/// The secrets of one installation.
#[derive(Clone)]
pub struct Vault(Arc<Inner>);

struct Inner {
    path: PathBuf,
    data_dir: PathBuf,
    keychain: Keychain,
    /// Read from its place once; `None` until first needed.
    master_key: Mutex<Option<MasterKey>>,
}

#[derive(Serialize, Deserialize)]
struct VaultFile {
    master_key: MasterKeyChoice,
    secrets: BTreeMap<String, Sealed>,
}

#[derive(Serialize, Deserialize)]
struct Sealed {
    nonce: String,
    ciphertext: String,
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vault").field("path", &self.0.path).finish_non_exhaustive()
    }
}

impl Vault {
    /// The vault of a data directory. Nothing is read or made before the first use.
    pub fn new(data_dir: &Path, keychain: Keychain) -> Self {
        Self(Arc::new(Inner {
            path: data_dir.join("secrets.json"),
            data_dir: data_dir.to_owned(),
            keychain,
            master_key: Mutex::new(None),
        }))
    }

    /// The secret of that name; `None` when there is none. Blocks on the file and, the first time, on the keychain.
    ///
    /// Errors: sealed, tampered with, or bound to something else.
    pub fn get(&self, name: &str, bound_to: &str) -> Result<Option<SecretString>, SecretsError> {
        let Some(file) = self.read()? else { return Ok(None) };
        self.open_in(&file, name, bound_to)
    }

    /// Each of these secrets, by name and what it is bound to; the file is read once.
    pub fn get_each(&self, wanted: &[(String, String)]) -> Vec<Result<Option<SecretString>, SecretsError>> {
        let file = match self.read() {
            Ok(Some(file)) => file,
            Ok(None) => return wanted.iter().map(|_| Ok(None)).collect(),
            Err(_) => {
                let damaged = || Err(SecretsError::Damaged { path: self.0.path.clone() });
                return wanted.iter().map(|_| damaged()).collect();
            }
        };
        wanted.iter().map(|(name, bound_to)| self.open_in(&file, name, bound_to)).collect()
    }

    /// Where the master key is, in words; `None` before there is a secret.
    pub fn master_key_place(&self) -> Result<Option<&'static str>, SecretsError> {
        Ok(self.read()?.map(|file| file.master_key.place()))
    }

    /// Whether nothing opens until [`Vault::unseal`] is given the passphrase.
    pub fn awaits_passphrase(&self) -> Result<bool, SecretsError> {
        let is_known = self.0.master_key.lock().unwrap_or_else(PoisonError::into_inner).is_some();
        let file = self.read()?;
        let is_under_one = file.is_some_and(|file| matches!(file.master_key, MasterKeyChoice::Passphrase(_)));
        Ok(is_under_one && !is_known)
    }

    /// Opens the master key with its passphrase, for as long as the process lives. Takes a noticeable part of a second.
    ///
    /// Errors: [`SecretsError::WrongPassphrase`]; [`SecretsError::NoPassphrase`] where none protects it.
    pub fn unseal(&self, passphrase: &SecretString) -> Result<(), SecretsError> {
        let Some(VaultFile { master_key: MasterKeyChoice::Passphrase(wrapped), .. }) = self.read()? else {
            return Err(SecretsError::NoPassphrase);
        };
        let key = wrapped.open(passphrase)?;
        *self.0.master_key.lock().unwrap_or_else(PoisonError::into_inner) = Some(key);
        Ok(())
    }

    /// Puts the master key under a passphrase, and takes it away from where it was. The secrets stay as they are.
    ///
    /// Errors: [`SecretsError::ShortPassphrase`], or that secrets are sealed now.
    pub fn protect(&self, passphrase: &SecretString) -> Result<(), SecretsError> {
        let mut before = None;
        self.update(|vault, file| {
            let key = vault.master_key(&file.master_key)?;
            let wrapped = MasterKeyChoice::Passphrase(Wrapped::seal(&key, passphrase)?);
            before = Some(std::mem::replace(&mut file.master_key, wrapped));
            Ok(())
        })?;
        before.map_or(Ok(()), |before| before.forget(&self.0.data_dir))
    }

    fn open_in(
        &self,
        file: &VaultFile,
        name: &str,
        bound_to: &str,
    ) -> Result<Option<SecretString>, SecretsError> {
        let Some(sealed) = file.secrets.get(name) else { return Ok(None) };
        let undecipherable = || SecretsError::Undecipherable { name: name.to_owned() };
        let nonce = BASE64.decode(&sealed.nonce).ok().and_then(|bytes| <[u8; 24]>::try_from(bytes).ok());
        let nonce = XNonce::from(nonce.ok_or_else(undecipherable)?);
        let ciphertext = BASE64.decode(&sealed.ciphertext).map_err(|_| undecipherable())?;
        let aad = associated_data(name, bound_to);
        let plain = cipher(&self.master_key(&file.master_key)?)
            .decrypt(&nonce, Payload { msg: &ciphertext, aad: aad.as_bytes() })
            .map(Zeroizing::new)
            .map_err(|_| undecipherable())?;
        let text = std::str::from_utf8(&plain).map_err(|_| undecipherable())?;
        Ok(Some(SecretString::from(text)))
    }

    /// Keeps a secret under a name, in place of an older one.
    pub fn put(&self, name: &str, bound_to: &str, secret: &SecretString) -> Result<(), SecretsError> {
        self.update(|vault, file| vault.seal_into(file, name, bound_to, secret))
    }

    /// The secret of that name, made by `make` if there is none yet; two processes get the same one.
    pub fn get_or_create(
        &self,
        name: &str,
        bound_to: &str,
        make: impl FnOnce() -> Result<SecretString, SecretsError>,
    ) -> Result<SecretString, SecretsError> {
        if let Some(secret) = self.get(name, bound_to)? {
            return Ok(secret);
        }
        self.update(|vault, file| {
            if file.secrets.contains_key(name) {
                return Ok(());
            }
            vault.seal_into(file, name, bound_to, &make()?)
        })?;
        self.get(name, bound_to)?.ok_or_else(|| SecretsError::Undecipherable { name: name.to_owned() })
    }

    /// Forgets a secret; it is fine when there was none.
    pub fn remove(&self, name: &str) -> Result<(), SecretsError> {
        if self.read()?.is_none() {
            return Ok(());
        }
        self.update(|_, file| {
            file.secrets.remove(name);
            Ok(())
        })
    }

    fn seal_into(
        &self,
        file: &mut VaultFile,
        name: &str,
        bound_to: &str,
        secret: &SecretString,
    ) -> Result<(), SecretsError> {
        let nonce = XNonce::from(random_bytes::<24>()?);
        let aad = associated_data(name, bound_to);
        let plain = Payload { msg: secret.expose_secret().as_bytes(), aad: aad.as_bytes() };
        let ciphertext = cipher(&self.master_key(&file.master_key)?)
            .encrypt(&nonce, plain)
            .map_err(|_| SecretsError::Undecipherable { name: name.to_owned() })?;
        let sealed = Sealed { nonce: BASE64.encode(nonce), ciphertext: BASE64.encode(ciphertext) };
        file.secrets.insert(name.to_owned(), sealed);
        Ok(())
    }

    /// Reads, changes and replaces the file while no other process does.
    fn update(
        &self,
        change: impl FnOnce(&Self, &mut VaultFile) -> Result<(), SecretsError>,
    ) -> Result<(), SecretsError> {
        let lock_path = self.0.path.with_extension("lock");
        let failed = |source| SecretsError::File { operation: "lock", path: lock_path.clone(), source };
        let lock = File::create(&lock_path).map_err(failed)?;
        lock.lock().map_err(failed)?;
        let mut file = match self.read()? {
            Some(file) => file,
            None => self.first_file()?,
        };
        change(self, &mut file)?;
        let text = serde_json::to_vec_pretty(&file)
            .map_err(|_| SecretsError::Damaged { path: self.0.path.clone() })?;
        write_private(&self.0.path, &text)
    }

    fn first_file(&self) -> Result<VaultFile, SecretsError> {
        let (master_key, key) = MasterKeyChoice::create(&self.0.data_dir, self.0.keychain)?;
        *self.0.master_key.lock().unwrap_or_else(PoisonError::into_inner) = Some(key);
        Ok(VaultFile { master_key, secrets: BTreeMap::new() })
    }

    fn read(&self) -> Result<Option<VaultFile>, SecretsError> {
        let path = &self.0.path;
        match std::fs::read(path) {
            Ok(bytes) => serde_json::from_slice(&bytes)
                .map(Some)
                .map_err(|_| SecretsError::Damaged { path: path.clone() }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(SecretsError::File { operation: "read", path: path.clone(), source }),
        }
    }

    fn master_key(&self, choice: &MasterKeyChoice) -> Result<MasterKey, SecretsError> {
        let mut known = self.0.master_key.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(key) = &*known {
            return Ok(key.clone());
        }
        let key = choice.load(&self.0.data_dir)?;
        *known = Some(key.clone());
        Ok(key)
    }
}

fn cipher(key: &MasterKey) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(&(**key).into())
}

fn associated_data(name: &str, bound_to: &str) -> String {
    format!("{ENVELOPE_VERSION}\0{name}\0{bound_to}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn vault(dir: &tempfile::TempDir) -> Vault {
        Vault::new(dir.path(), Keychain::Unused)
    }

    fn text(secret: Option<SecretString>) -> Option<String> {
        secret.map(|secret| secret.expose_secret().to_owned())
    }

    #[test]
    fn a_secret_survives_a_restart_and_is_nowhere_in_the_clear() {
        let dir = tempfile::tempdir().unwrap();
        let secret = SecretString::from("sk-canary-0123456789");
        vault(&dir).put("provider:deepseek", "https://api.deepseek.com", &secret).unwrap();
        let read = vault(&dir).get("provider:deepseek", "https://api.deepseek.com").unwrap();
        assert_eq!(text(read).as_deref(), Some("sk-canary-0123456789"));
        for entry in std::fs::read_dir(dir.path()).unwrap() {
            let bytes = std::fs::read(entry.unwrap().path()).unwrap();
            assert!(!String::from_utf8_lossy(&bytes).contains("canary"));
        }
    }

    #[test]
    fn a_ciphertext_moved_to_another_provider_or_origin_does_not_open() {
        let dir = tempfile::tempdir().unwrap();
        let vault = vault(&dir);
        vault.put("a", "https://a", &SecretString::from("one")).unwrap();
        vault.put("b", "https://b", &SecretString::from("two")).unwrap();
        assert!(matches!(vault.get("a", "https://evil"), Err(SecretsError::Undecipherable { .. })));
        let path = dir.path().join("secrets.json");
        let mut file: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        file["secrets"]["a"] = file["secrets"]["b"].clone();
        std::fs::write(&path, file.to_string()).unwrap();
        assert!(matches!(vault.get("a", "https://a"), Err(SecretsError::Undecipherable { .. })));
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]
        #[test]
        fn a_ciphertext_opens_under_no_other_name_and_for_no_other_place(
            names in proptest::collection::btree_set("[a-z0-9:_]{1,24}", 2..5),
            places in proptest::collection::vec("(https://[a-z.]{1,12})?", 5),
            elsewhere in "https://[a-z.]{13,16}",
        ) {
            let dir = tempfile::tempdir().unwrap();
            let vault = vault(&dir);
            let names: Vec<String> = names.into_iter().collect();
            for (name, place) in names.iter().zip(&places) {
                vault.put(name, place, &SecretString::from(format!("secret of {name}"))).unwrap();
            }
            let path = dir.path().join("secrets.json");
            let whole: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
            let refused = |result| matches!(result, Err(SecretsError::Undecipherable { .. }));
            for (name, place) in names.iter().zip(&places) {
                prop_assert!(refused(vault.get(name, &elsewhere)));
                for other in names.iter().filter(|other| *other != name) {
                    let mut swapped = whole.clone();
                    swapped["secrets"][name] = whole["secrets"][other].clone();
                    std::fs::write(&path, swapped.to_string()).unwrap();
                    prop_assert!(refused(vault.get(name, place)), "{other} opened as {name}");
                }
                std::fs::write(&path, whole.to_string()).unwrap();
                prop_assert_eq!(text(vault.get(name, place).unwrap()), Some(format!("secret of {name}")));
            }
        }
    }

    #[test]
    fn without_its_master_key_the_vault_is_sealed_and_stays_whole() {
        let dir = tempfile::tempdir().unwrap();
        vault(&dir).put("a", "", &SecretString::from("one")).unwrap();
        std::fs::remove_file(dir.path().join("master.key")).unwrap();
        assert!(matches!(vault(&dir).get("a", ""), Err(SecretsError::Sealed { .. })));
        assert!(matches!(
            vault(&dir).put("b", "", &SecretString::from("two")),
            Err(SecretsError::Sealed { .. })
        ));
    }

    #[test]
    fn under_a_passphrase_nothing_opens_in_a_new_process_until_it_is_given() {
        let dir = tempfile::tempdir().unwrap();
        let first = vault(&dir);
        first.put("a", "", &SecretString::from("one")).unwrap();
        assert!(matches!(
            first.unseal(&SecretString::from("anything at all")),
            Err(SecretsError::NoPassphrase)
        ));
        let passphrase = SecretString::from("correct horse battery");
        first.protect(&passphrase).unwrap();
        assert_eq!(text(first.get("a", "").unwrap()).as_deref(), Some("one"), "whoever had it keeps it");
        assert!(!dir.path().join("master.key").exists());

        let second = vault(&dir);
        assert!(second.awaits_passphrase().unwrap());
        assert!(matches!(second.get("a", ""), Err(SecretsError::AwaitsPassphrase)));
        let put = second.put("b", "", &SecretString::from("two"));
        assert!(matches!(put, Err(SecretsError::AwaitsPassphrase)));
        let wrong = second.unseal(&SecretString::from("correct horse batterz"));
        assert!(matches!(wrong, Err(SecretsError::WrongPassphrase)));
        second.unseal(&passphrase).unwrap();
        assert!(!second.awaits_passphrase().unwrap());
        assert_eq!(text(second.get("a", "").unwrap()).as_deref(), Some("one"));

        // Another passphrase replaces the first.
        second.protect(&SecretString::from("staple battery horse")).unwrap();
        let third = vault(&dir);
        assert!(matches!(third.unseal(&passphrase), Err(SecretsError::WrongPassphrase)));
        third.unseal(&SecretString::from("staple battery horse")).unwrap();
    }

    #[test]
    fn two_handles_creating_one_secret_at_once_get_the_same() {
        let dir = tempfile::tempdir().unwrap();
        let made: Vec<String> = std::thread::scope(|scope| {
            let spawn = |index: usize| {
                let vault = vault(&dir);
                scope.spawn(move || {
                    let make = || Ok(SecretString::from(format!("pepper {index}")));
                    text(vault.get_or_create("pepper", "", make).ok()).unwrap()
                })
            };
            let threads: Vec<_> = (0..8).map(spawn).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(made.iter().all(|secret| *secret == made[0]));
    }

    #[cfg(unix)]
    #[test]
    fn secrets_and_master_key_are_readable_by_their_owner_only() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        vault(&dir).put("a", "", &SecretString::from("one")).unwrap();
        for name in ["secrets.json", "master.key"] {
            let mode = std::fs::metadata(dir.path().join(name)).unwrap().permissions().mode();
            assert_eq!(mode & 0o077, 0, "{name}");
        }
    }

    #[test]
    fn a_damaged_file_is_named_and_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("secrets.json"), "not json").unwrap();
        let result = vault(&dir).put("a", "", &SecretString::from("one"));
        assert!(matches!(result, Err(SecretsError::Damaged { .. })));
        assert_eq!(std::fs::read(dir.path().join("secrets.json")).unwrap(), b"not json");
    }
}
