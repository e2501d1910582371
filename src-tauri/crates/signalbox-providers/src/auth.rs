//! How a credential travels: in the vendor's own header, in another one, or exchanged for a token that expires.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::Method;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use signalbox_core::failure::FailureKind;
use signalbox_core::ids::ProviderName;
use signalbox_core::provider::Auth;
use tokio::time::Instant;
use url::{Url, form_urlencoded};

use crate::call::{Account, CallError};
use crate::failure::{failed, tidy};
use crate::http::{Body, Http, Outgoing};

/// How long before its end a token is replaced, so that none expires on its way.
const EXPIRY_MARGIN: Duration = Duration::from_mins(1);

/// How long a token is kept whose server does not say.
const LIFETIME_DEFAULT: Duration = Duration::from_mins(5);

/// Longest lifetime that is believed.
const LIFETIME_MAX: Duration = Duration::from_hours(24);

/// How long a token server may take.
const TOKEN_WAIT: Duration = Duration::from_secs(15);

/// Where a vendor wants its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scheme {
    /// `authorization: Bearer …`.
    Bearer,
    /// `authorization: Token …`.
    Token,
    /// Bare, in this header.
    Header(&'static str),
}

/// What was sent to prove who calls.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sent {
    /// The secret that stood in a header; what the provider says is cleaned of it.
    pub secret: Option<SecretString>,
    /// Whether it is a token that was there already, so that a newer one may help where it is refused.
    pub renewable: bool,
}

/// The tokens of the accounts that have some.
#[derive(Debug, Default)]
pub(crate) struct Tokens {
    slots: Mutex<HashMap<ProviderName, Arc<tokio::sync::Mutex<Option<Token>>>>>,
}

/// A token and what it was given for.
#[derive(Debug)]
struct Token {
    grant: Grant,
    secret: SecretString,
    good_until: Instant,
}

/// What is exchanged for a token.
#[derive(Debug, Clone)]
struct Grant {
    token_url: Url,
    client_id: String,
    scope: Option<String>,
    client_secret: SecretString,
}

/// A changed secret is another grant, so that an old token does not outlive it.
impl PartialEq for Grant {
    fn eq(&self, other: &Self) -> bool {
        self.token_url == other.token_url
            && self.client_id == other.client_id
            && self.scope == other.scope
            && self.client_secret.expose_secret() == other.client_secret.expose_secret()
    }
}

/// Puts the account's credential where it belongs. The header is marked, so that no log of headers shows it.
///
/// Errors: [`FailureKind::InvalidKey`] for a credential that cannot be one or is refused a token, and what keeps the token
/// server from answering.
pub(crate) async fn authorize(
    http: &Http,
    account: &Account,
    scheme: Scheme,
    headers: &mut HeaderMap,
) -> Result<Sent, CallError> {
    let Some(credential) = &account.credential else { return Ok(Sent::default()) };
    let (name, secret, prefix, renewable) = match &account.auth {
        Auth::Vendor => {
            let (name, prefix) = scheme.place();
            (name, credential.clone(), prefix, false)
        }
        Auth::Header { name } => {
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| {
                invalid(
                    account,
                    &format!("`{name}` is no name of a header for the credential of {}", account.name),
                )
            })?;
            (name, credential.clone(), "", false)
        }
        Auth::ClientCredentials { token_url, client_id, scope } => {
            let grant = Grant {
                token_url: token_url.clone(),
                client_id: client_id.clone(),
                scope: scope.clone(),
                client_secret: credential.clone(),
            };
            let (token, was_there) = token(http, account, grant).await?;
            (AUTHORIZATION, token, "Bearer ", was_there)
        }
    };
    let value = HeaderValue::try_from(format!("{prefix}{}", secret.expose_secret()));
    let mut value = value.map_err(|_| {
        invalid(account, &format!("the credential of {} has characters no key has", account.name))
    })?;
    value.set_sensitive(true);
    headers.insert(name, value);
    Ok(Sent { secret: Some(secret), renewable })
}

impl Grant {
    fn form(&self) -> String {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("grant_type", "client_credentials")
            .append_pair("client_id", &self.client_id)
            .append_pair("client_secret", self.client_secret.expose_secret());
        if let Some(scope) = &self.scope {
            form.append_pair("scope", scope);
        }
        form.finish()
    }
}

impl Scheme {
    const fn place(self) -> (HeaderName, &'static str) {
        match self {
            Self::Bearer => (AUTHORIZATION, "Bearer "),
            Self::Token => (AUTHORIZATION, "Token "),
            Self::Header(name) => (HeaderName::from_static(name), ""),
        }
    }
}

impl Tokens {
    fn slot(&self, account: &ProviderName) -> Arc<tokio::sync::Mutex<Option<Token>>> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(slots.entry(account.clone()).or_default())
    }

    /// Drops the account's token if it is still the one that was refused.
    pub async fn forget(&self, account: &ProviderName, refused: &Sent) {
        let slot = self.slot(account);
        let mut kept = slot.lock().await;
        let is_refused = |token: &Token| {
            refused
                .secret
                .as_ref()
                .is_some_and(|secret| secret.expose_secret() == token.secret.expose_secret())
        };
        if kept.as_ref().is_some_and(is_refused) {
            *kept = None;
        }
    }
}

/// The account's token, and whether it was there already. Of many that need a new one at once, one asks for it.
async fn token(http: &Http, account: &Account, grant: Grant) -> Result<(SecretString, bool), CallError> {
    let slot = http.tokens().slot(&account.name);
    let mut kept = slot.lock().await;
    if let Some(token) =
        kept.as_ref().filter(|token| token.grant == grant && Instant::now() < token.good_until)
    {
        return Ok((token.secret.clone(), true));
    }
    let (secret, lifetime) = fetch(http, account, &grant).await?;
    let good_until = Instant::now() + lifetime.saturating_sub(EXPIRY_MARGIN);
    *kept = Some(Token { grant, secret: secret.clone(), good_until });
    Ok((secret, false))
}

/// Asks the token server. Source: RFC 6749, sections 4.4 and 5.
async fn fetch(http: &Http, account: &Account, grant: &Grant) -> Result<(SecretString, Duration), CallError> {
    let headers = HeaderMap::from_iter([
        (CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded")),
        (ACCEPT, HeaderValue::from_static("application/json")),
    ]);
    let outgoing = Outgoing {
        method: Method::POST,
        url: grant.token_url.clone(),
        headers,
        body: Body::Bytes(grant.form().into()),
        scheme: Scheme::Bearer,
        wait: TOKEN_WAIT,
    };
    let answer = http.exchange(account, outgoing, Some(&grant.client_secret)).await;
    let answer = answer.map_err(|error| refused(account, grant, &error))?;
    let body = answer.read_all(account, TOKEN_WAIT).await.map_err(|error| refused(account, grant, &error))?;
    let fields: Value = serde_json::from_slice(&body).unwrap_or_default();
    let token = fields.get("access_token").and_then(Value::as_str).filter(|token| !token.is_empty());
    let Some(token) = token else {
        let message = format!("the token server of {} answered without an access_token", account.name);
        return Err(failed(FailureKind::BadResponse, None, message));
    };
    // Azure's older servers write the number as a text.
    let seconds = fields
        .get("expires_in")
        .and_then(|seconds| seconds.as_u64().or_else(|| seconds.as_str().and_then(|text| text.parse().ok())));
    let lifetime = seconds.map_or(LIFETIME_DEFAULT, Duration::from_secs).min(LIFETIME_MAX);
    Ok((SecretString::from(token), lifetime))
}

/// What a failed exchange means: who asks for tokens in vain has a wrong key, whatever the server's status.
fn refused(account: &Account, grant: &Grant, error: &CallError) -> CallError {
    let kind = match error.kind {
        FailureKind::BadRequest | FailureKind::ModelNotFound | FailureKind::ContextLength => {
            FailureKind::InvalidKey
        }
        other => other,
    };
    let said = tidy(&error.message, Some(&grant.client_secret));
    let message = match error.http_status {
        Some(_) => format!("the token server of {} gave no token: {said}", account.name),
        None => format!("the token server of {said}"),
    };
    // The status is the token server's, not the provider's; nothing was used.
    CallError { retry_after: error.retry_after, ..failed(kind, None, message) }
}

fn invalid(account: &Account, message: &str) -> CallError {
    failed(FailureKind::InvalidKey, None, tidy(message, account.credential.as_ref()))
}
