//! What comes in by standard input.

use std::io::Read;

use secrecy::zeroize::Zeroize;
use signalbox_app::dto::SecretInput;

use crate::failure::{Exit, Failure};

/// Longest credential that is read. Units: bytes.
const CREDENTIAL_BYTES_MAX: u64 = 16 * 1024;

/// One line from standard input; the buffer is wiped.
pub fn read_secret() -> Result<SecretInput, Failure> {
    let mut text = String::new();
    let read = std::io::stdin().lock().take(CREDENTIAL_BYTES_MAX).read_to_string(&mut text);
    let secret = text.trim().to_owned();
    text.zeroize();
    match read {
        Ok(_) if !secret.is_empty() => Ok(SecretInput::new(secret)),
        Ok(_) => Err(Failure::new(Exit::Usage, "There was no credential on standard input.")),
        Err(error) => Err(Failure::new(Exit::Usage, format!("The credential cannot be read: {error}."))),
    }
}
