//! Credentials of providers on their way into the vault.

use secrecy::SecretString;
use zeroize::Zeroizing;

use crate::dto::SecretInput;
use crate::error::AppError;

/// Longest credential anyone issues.
const CREDENTIAL_CHARS_MAX: usize = 4_096;
/// Shorter secrets show no part of themselves.
const HINT_FROM_CHARS: usize = 12;

/// A credential as it was given, and what may be shown of it.
pub(crate) struct Given {
    pub(crate) secret: SecretString,
    pub(crate) hint: String,
}

/// Takes what a person pasted or typed.
///
/// Errors: it cannot be a credential.
pub(crate) fn given(input: SecretInput) -> Result<Given, AppError> {
    let input = Zeroizing::new(input.0);
    let text = input.trim();
    if text.is_empty()
        || text.chars().count() > CREDENTIAL_CHARS_MAX
        || !text.bytes().all(|byte| byte.is_ascii_graphic())
    {
        let message =
            "This does not look like a key: it must be one line of visible characters without spaces.";
        return Err(AppError::invalid("secret", message));
    }
    Ok(Given { secret: SecretString::from(text), hint: hint(text) })
}

fn hint(secret: &str) -> String {
    let chars = secret.chars().count();
    if chars < HINT_FROM_CHARS {
        return "…".to_owned();
    }
    format!("…{}", secret.chars().skip(chars - 4).collect::<String>())
}
