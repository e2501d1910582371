//! Where a person is told.

use serde::{Deserialize, Serialize};
use url::Url;

use super::Severity;
use crate::ids::ChannelId;
use crate::time::Timestamp;

/// A place where alerts are told. What it needs to be secret is in the vault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Channel {
    /// Its identity.
    pub id: ChannelId,
    /// What a person calls it.
    pub name: String,
    /// Whether it is used.
    pub enabled: bool,
    /// The mildest alert that is told there, unless a rule names the channel.
    pub least: Severity,
    /// Whether the place may be on this machine or in its network, and without encryption.
    pub is_local: bool,
    /// By which means.
    pub means: Means,
    /// What is known of its secret.
    pub secret: Option<SecretNote>,
    /// Grows with each change.
    pub version: u32,
}

/// What may be shown of a secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretNote {
    /// Enough to recognise it, e.g. `discord.com …k3Qa`.
    pub hint: String,
    /// Since when it is set.
    pub set_at: Timestamp,
    /// Until when the one before it still signs, too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_until: Option<Timestamp>,
}

/// By which means a channel tells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Means {
    /// The desktop's own notifications, where there is a desktop.
    Desktop {
        /// Whether the alert's sentence is shown, perhaps on a locked screen; otherwise only what it is about.
        shows_text: bool,
    },
    /// A Discord webhook. Its URL is the secret.
    Discord,
    /// A webhook as Slack, Mattermost and others take it. Its URL is the secret.
    Slack,
    /// Any program that takes signed JSON. The key of the signature is the secret.
    Webhook {
        /// Where.
        url: Url,
    },
    /// E-mail by SMTP. The password is the secret, if the server asks for one.
    Email {
        /// The mail server's name.
        host: String,
        /// Its port.
        port: u16,
        /// How the connection is encrypted.
        security: Security,
        /// Who signs in; nobody does when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        username: Option<String>,
        /// The sender's address.
        from: String,
        /// The receivers' addresses.
        to: Vec<String>,
    },
}

/// How a connection to a mail server is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Security {
    /// From the first byte, as on port 465.
    Tls,
    /// After asking for it, as on port 587; a server that cannot is not used.
    StartTls,
    /// Not at all; for local servers only.
    None,
}

impl Security {
    /// Every way.
    pub const ALL: &'static [Self] = &[Self::Tls, Self::StartTls, Self::None];

    /// The word on the wire and in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tls => "tls",
            Self::StartTls => "start_tls",
            Self::None => "none",
        }
    }

    /// The way of that word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|security| security.as_str() == word)
    }
}

/// Whether a channel can tell without a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretNeed {
    /// There is none.
    None,
    /// The URL itself.
    Url,
    /// The key of the signature.
    SigningKey,
    /// The password of the one who signs in.
    Password,
}

impl Means {
    /// The words of all means.
    pub const WORDS: &'static [&'static str] = &["desktop", "discord", "slack", "webhook", "email"];

    /// The word on the wire and in the store.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Desktop { .. } => "desktop",
            Self::Discord => "discord",
            Self::Slack => "slack",
            Self::Webhook { .. } => "webhook",
            Self::Email { .. } => "email",
        }
    }

    /// Which secret it cannot do without.
    pub const fn secret_need(&self) -> SecretNeed {
        match self {
            Self::Desktop { .. } | Self::Email { username: None, .. } => SecretNeed::None,
            Self::Discord | Self::Slack => SecretNeed::Url,
            Self::Webhook { .. } => SecretNeed::SigningKey,
            Self::Email { username: Some(_), .. } => SecretNeed::Password,
        }
    }

    /// What its secret is bound to: it does not open for another place.
    pub fn place(&self) -> String {
        match self {
            Self::Desktop { .. } | Self::Discord | Self::Slack => self.as_str().to_owned(),
            Self::Webhook { url } => url.origin().ascii_serialization(),
            Self::Email { host, port, username, .. } => {
                format!("smtp://{}@{host}:{port}", username.as_deref().unwrap_or_default())
            }
        }
    }
}

impl Channel {
    /// The desktop's notifications as they are until somebody changes them. There is one such channel.
    pub fn desktop() -> Self {
        Self {
            id: ChannelId::DESKTOP,
            name: "Desktop notifications".to_owned(),
            enabled: true,
            least: Severity::Warning,
            is_local: true,
            means: Means::Desktop { shows_text: false },
            secret: None,
            version: 0,
        }
    }

    /// Whether it could tell: it is on, and the secret it needs is set.
    pub const fn is_ready(&self) -> bool {
        self.enabled && (self.secret.is_some() || matches!(self.means.secret_need(), SecretNeed::None))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_bound_to_the_place_it_is_sent_to() {
        let webhook = |url: &str| Means::Webhook { url: url.parse().unwrap() };
        assert_eq!(webhook("https://a.example/x").place(), webhook("https://a.example/y").place());
        assert_ne!(webhook("https://a.example/x").place(), webhook("https://b.example/x").place());
        assert_ne!(webhook("https://a.example/x").place(), webhook("https://a.example:8443/x").place());
        assert_ne!(Means::Slack.place(), Means::Discord.place());
    }

    #[test]
    fn a_channel_without_the_secret_it_needs_is_not_ready() {
        let desktop = Channel::desktop();
        assert!(desktop.is_ready());
        let discord = Channel { means: Means::Discord, ..desktop };
        assert!(!discord.is_ready());
        let note =
            SecretNote { hint: String::new(), set_at: Timestamp::from_micros(0), previous_until: None };
        let ready = Channel { secret: Some(note), ..discord };
        assert!(ready.is_ready());
        assert!(!Channel { enabled: false, ..ready }.is_ready());
    }

    #[test]
    fn means_are_tagged_with_their_word() {
        let means = [
            Means::Desktop { shows_text: true },
            Means::Discord,
            Means::Slack,
            Means::Webhook { url: "https://a.example".parse().unwrap() },
        ];
        for means in means {
            let json = serde_json::to_value(&means).unwrap();
            assert_eq!(json["kind"], means.as_str());
            assert!(Means::WORDS.contains(&means.as_str()));
            assert_eq!(serde_json::from_value::<Means>(json).unwrap(), means);
        }
        for security in Security::ALL {
            assert_eq!(Security::from_word(security.as_str()), Some(*security));
        }
    }
}
