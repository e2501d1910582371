//! Secrets of channels: in the vault, bound to the place they are for.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use secrecy::{ExposeSecret, SecretString};
use signalbox_core::address::{InvalidDestination, check_destination};
use signalbox_core::alert::Channel;
use signalbox_core::alert::channel::SecretNeed;
use signalbox_core::ids::ChannelId;
use zeroize::Zeroizing;

use crate::control::{Control, blocking};
use crate::secrets::{SecretsError, random_bytes};

/// What the key of a webhook's signature starts with.
pub const SIGNING_KEY_PREFIX: &str = "whsec_";
/// A key that is shorter could be guessed; an empty one would verify for anybody. Units: bytes.
const SIGNING_KEY_BYTES_MIN: usize = 32;
/// Longest key. Units: bytes.
const SIGNING_KEY_BYTES_MAX: usize = 64;
/// Longest password. Units: characters.
const PASSWORD_CHARS_MAX: usize = 512;

/// Why a text is not the secret of a channel.
#[derive(Debug, thiserror::Error)]
pub enum InvalidSecret {
    /// The channel has none.
    #[error("this channel needs no secret")]
    NotNeeded,
    /// The webhook's URL cannot be called.
    #[error(transparent)]
    Url(#[from] InvalidDestination),
    /// No signing key.
    #[error("a signing key is `whsec_` and 32 to 64 random bytes in base64")]
    SigningKey,
    /// No password.
    #[error("a password is one line of at most 512 characters")]
    Password,
}

/// A text as the secret of a channel, and what may be shown of it.
///
/// Errors: [`InvalidSecret`].
pub fn check_secret(channel: &Channel, text: &str) -> Result<String, InvalidSecret> {
    match channel.means.secret_need() {
        SecretNeed::None => Err(InvalidSecret::NotNeeded),
        SecretNeed::Url => {
            let url = check_destination(text, channel.is_local)?;
            Ok(format!("{} …{}", url.host_str().unwrap_or_default(), end_of(text)))
        }
        SecretNeed::SigningKey => {
            signing_key(text).ok_or(InvalidSecret::SigningKey)?;
            Ok(format!("{SIGNING_KEY_PREFIX}…{}", end_of(text)))
        }
        SecretNeed::Password => {
            let is_line = !text.is_empty()
                && text.chars().count() <= PASSWORD_CHARS_MAX
                && !text.contains(char::is_control);
            // Nothing of a password is shown: it may be short.
            is_line.then(|| "set".to_owned()).ok_or(InvalidSecret::Password)
        }
    }
}

/// A new key for signatures.
pub fn new_signing_key() -> Result<SecretString, SecretsError> {
    let bytes = Zeroizing::new(random_bytes::<SIGNING_KEY_BYTES_MIN>()?);
    Ok(SecretString::from(format!("{SIGNING_KEY_PREFIX}{}", BASE64.encode(*bytes))))
}

/// The bytes of a signing key.
pub(super) fn signing_key(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let bytes = BASE64.decode(text.strip_prefix(SIGNING_KEY_PREFIX)?).map(Zeroizing::new).ok()?;
    (SIGNING_KEY_BYTES_MIN..=SIGNING_KEY_BYTES_MAX).contains(&bytes.len()).then_some(bytes)
}

fn end_of(text: &str) -> String {
    let skipped = text.trim_end_matches(['/', '=']).chars().count().saturating_sub(4);
    text.trim_end_matches(['/', '=']).chars().skip(skipped).collect()
}

/// The secrets of a channel.
#[derive(Debug, Default)]
pub(super) struct ChannelSecrets {
    /// The one in force.
    pub current: Option<SecretString>,
    /// The one before it, while it still signs.
    pub previous: Option<SecretString>,
}

impl Control {
    /// The secrets of a channel, if they are at hand.
    pub(super) async fn channel_secrets(&self, channel: &Channel) -> Result<ChannelSecrets, SecretsError> {
        let Some(note) = &channel.secret else { return Ok(ChannelSecrets::default()) };
        let has_previous = note.previous_until.is_some_and(|until| self.now() < until);
        let (vault, place, id) = (self.vault.clone(), channel.means.place(), channel.id);
        blocking(move || {
            let previous = if has_previous { vault.get(&previous_name(id), &place)? } else { None };
            Ok(ChannelSecrets { current: vault.get(&name(id), &place)?, previous })
        })
        .await
    }

    /// The secret of a channel, if it is at hand.
    pub async fn channel_secret(&self, channel: &Channel) -> Result<Option<SecretString>, SecretsError> {
        Ok(self.channel_secrets(channel).await?.current)
    }

    /// Seals a channel's secret, bound to its place. The one before it is kept to sign beside it if `keeps_previous`.
    pub async fn store_channel_secret(
        &self,
        channel: &Channel,
        secret: SecretString,
        keeps_previous: bool,
    ) -> Result<(), SecretsError> {
        let (vault, place, id) = (self.vault.clone(), channel.means.place(), channel.id);
        blocking(move || {
            match vault.get(&name(id), &place) {
                Ok(Some(previous)) if keeps_previous => vault.put(&previous_name(id), &place, &previous)?,
                _ => vault.remove(&previous_name(id))?,
            }
            vault.put(&name(id), &place, &SecretString::from(secret.expose_secret()))
        })
        .await
    }

    /// Forgets a channel's secrets.
    pub async fn forget_channel_secret(&self, id: ChannelId) -> Result<(), SecretsError> {
        let vault = self.vault.clone();
        blocking(move || {
            vault.remove(&previous_name(id))?;
            vault.remove(&name(id))
        })
        .await
    }
}

fn name(id: ChannelId) -> String {
    format!("channel:{id}")
}

fn previous_name(id: ChannelId) -> String {
    format!("channel:{id}:previous")
}

#[cfg(test)]
mod tests {
    use signalbox_core::alert::Means;

    use super::*;

    fn channel(means: Means) -> Channel {
        Channel { means, is_local: false, ..Channel::desktop() }
    }

    #[test]
    fn a_new_signing_key_is_taken_and_a_short_or_empty_one_is_refused() {
        let webhook = channel(Means::Webhook { url: "https://a.example".parse().unwrap() });
        let key = new_signing_key().unwrap();
        let hint = check_secret(&webhook, key.expose_secret()).unwrap();
        assert!(hint.starts_with("whsec_…") && hint.chars().count() == 11);
        let short = format!("whsec_{}", BASE64.encode([7; 31]));
        for refused in ["", "whsec_", "whsec_!!", &short, "hunter2"] {
            assert!(check_secret(&webhook, refused).is_err(), "{refused}");
        }
    }

    #[test]
    fn of_a_webhooks_url_only_host_and_end_are_shown_and_of_a_password_nothing() {
        let discord = channel(Means::Discord);
        let hint = check_secret(&discord, "https://discord.com/api/webhooks/1/abcdefgh").unwrap();
        assert_eq!(hint, "discord.com …efgh");
        assert!(check_secret(&discord, "https://127.0.0.1/hook").is_err());
        assert!(check_secret(&discord, "http://discord.com/hook").is_err());
        let email = channel(Means::Email {
            host: "mail.example".to_owned(),
            port: 465,
            security: signalbox_core::alert::Security::Tls,
            username: Some("me".to_owned()),
            from: "me@mail.example".to_owned(),
            to: vec!["you@mail.example".to_owned()],
        });
        assert_eq!(check_secret(&email, "pw").unwrap(), "set");
        assert!(check_secret(&email, "two\nlines").is_err() && check_secret(&email, "").is_err());
    }
}
