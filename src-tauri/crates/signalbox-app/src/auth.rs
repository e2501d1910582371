//! How a provider's credential travels, on its way across the border.

use signalbox_core::provider::{Auth, check_base_url};

use crate::app::sentence;
use crate::dto;
use crate::error::AppError;

/// Headers that a request sets itself.
const OUR_HEADERS: [&str; 7] =
    ["host", "content-length", "content-type", "connection", "transfer-encoding", "accept", "user-agent"];
/// Longest header name, client id or scope. Units: characters.
const TEXT_CHARS_MAX: usize = 256;

/// The scheme as the core has it.
///
/// Errors: no header name, a token URL that is no https URL, an empty client id.
pub(crate) fn parse(auth: dto::Auth) -> Result<Auth, AppError> {
    match auth {
        dto::Auth::Vendor => Ok(Auth::Vendor),
        dto::Auth::Header { name } => {
            let name = name.trim().to_ascii_lowercase();
            let is_name = !name.is_empty()
                && name.len() <= TEXT_CHARS_MAX
                && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
            if !is_name || OUR_HEADERS.contains(&name.as_str()) {
                return Err(AppError::invalid("auth.name", "A header of its own, e.g. `api-key`."));
            }
            Ok(Auth::Header { name })
        }
        dto::Auth::ClientCredentials { token_url, client_id, scope } => {
            let token_url = check_base_url(&token_url)
                .map_err(|error| AppError::invalid("auth.token_url", sentence(&error.to_string())))?;
            let client_id = text("auth.client_id", &client_id)?
                .ok_or_else(|| AppError::invalid("auth.client_id", "The client has no id yet."))?;
            let scope = text("auth.scope", scope.as_deref().unwrap_or_default())?;
            Ok(Auth::ClientCredentials { token_url, client_id, scope })
        }
    }
}

fn text(field: &'static str, given: &str) -> Result<Option<String>, AppError> {
    let given = given.trim();
    if given.chars().count() > TEXT_CHARS_MAX || given.chars().any(char::is_control) {
        return Err(AppError::invalid(field, format!("One line of at most {TEXT_CHARS_MAX} characters.")));
    }
    Ok(Some(given.to_owned()).filter(|given| !given.is_empty()))
}

/// The scheme as a screen shows it.
pub(crate) fn shown(auth: &Auth) -> dto::Auth {
    match auth {
        Auth::Vendor => dto::Auth::Vendor,
        Auth::Header { name } => dto::Auth::Header { name: name.clone() },
        Auth::ClientCredentials { token_url, client_id, scope } => dto::Auth::ClientCredentials {
            token_url: token_url.to_string(),
            client_id: client_id.clone(),
            scope: scope.clone(),
        },
    }
}

/// Where a credential is sent to other than the provider itself.
pub(crate) fn token_origin(auth: &Auth) -> Option<String> {
    match auth {
        Auth::Vendor | Auth::Header { .. } => None,
        Auth::ClientCredentials { token_url, .. } => Some(token_url.origin().ascii_serialization()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(name: &str) -> dto::Auth {
        dto::Auth::Header { name: name.to_owned() }
    }

    fn client(token_url: &str, client_id: &str) -> dto::Auth {
        let (token_url, client_id) = (token_url.to_owned(), client_id.to_owned());
        dto::Auth::ClientCredentials { token_url, client_id, scope: Some(" ".to_owned()) }
    }

    #[test]
    fn a_credential_travels_in_a_header_of_its_own_only() {
        assert_eq!(parse(header(" API-Key ")).unwrap(), Auth::Header { name: "api-key".to_owned() });
        for bad in ["", "host", "Content-Length", "a b", "a:b", "a\r\nb"] {
            assert!(parse(header(bad)).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_client_secret_goes_to_an_encrypted_place_that_is_named() {
        let parsed = parse(client("https://login.example.com/token", "me")).unwrap();
        assert_eq!(token_origin(&parsed).as_deref(), Some("https://login.example.com"));
        assert!(matches!(parsed, Auth::ClientCredentials { scope: None, .. }));
        for (url, id) in [("http://login.example.com/token", "me"), ("https://login.example.com", " ")] {
            assert!(parse(client(url, id)).is_err(), "{url} {id}");
        }
    }
}
