//! What a person gives: secrets that come in by standard input or are typed, and amounts.

use std::io::Read;

use secrecy::zeroize::Zeroize;
use signalbox_app::dto::SecretInput;
use signalbox_core::money::NanoUsd;

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

/// What a person types at the terminal, unseen.
pub fn read_hidden(prompt: &str) -> Result<String, Failure> {
    rpassword::prompt_password(prompt)
        .map_err(|error| Failure::new(Exit::Usage, format!("The terminal cannot be read: {error}.")))
}

/// An amount in US dollars, e.g. `2.50`.
pub fn dollars(text: &str) -> Result<NanoUsd, Failure> {
    NanoUsd::parse_usd(text).map_err(|error| Failure::new(Exit::Usage, format!("{error}.")))
}
