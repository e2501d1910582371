//! Providers and their models.

use serde::{Deserialize, Serialize};
use url::Url;

use crate::ids::{ModelName, ProviderName};
use crate::ledger::Work;
use crate::operation::Capability;
use crate::time::Timestamp;

/// Which adapter speaks to the provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProviderKind {
    /// `OpenAI` and every server compatible with it.
    Openai,
    /// Anthropic's Messages API.
    Anthropic,
    /// Google's Gemini API.
    Gemini,
    /// Deepgram's speech recognition and synthesis.
    Deepgram,
    /// `ElevenLabs`' speech synthesis and recognition.
    Elevenlabs,
    /// Edge's speech synthesis.
    EdgeTts,
    /// The built-in rehearsal provider.
    Simulator,
}

impl ProviderKind {
    /// Every kind.
    pub const ALL: &'static [Self] = &[
        Self::Openai,
        Self::Anthropic,
        Self::Gemini,
        Self::Deepgram,
        Self::Elevenlabs,
        Self::EdgeTts,
        Self::Simulator,
    ];

    /// The word on the wire and in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Openai => "openai",
            Self::Anthropic => "anthropic",
            Self::Gemini => "gemini",
            Self::Deepgram => "deepgram",
            Self::Elevenlabs => "elevenlabs",
            Self::EdgeTts => "edge_tts",
            Self::Simulator => "simulator",
        }
    }

    /// The kind of that word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.as_str() == word)
    }

    /// What the kind's adapter can be asked for.
    pub const fn work(self) -> &'static [Work] {
        match self {
            Self::Openai | Self::Gemini | Self::Simulator => {
                &[Work::Chat, Work::Embedding, Work::Transcription, Work::Speech]
            }
            Self::Anthropic => &[Work::Chat],
            Self::Deepgram | Self::Elevenlabs => &[Work::Transcription, Work::Speech],
            Self::EdgeTts => &[Work::Speech],
        }
    }

    /// Whether the kind's adapter can be asked for `work`.
    pub fn does(self, work: Work) -> bool {
        self.work().contains(&work)
    }

    /// Whether this build can call providers of the kind.
    pub const fn has_adapter(self) -> bool {
        !self.work().is_empty()
    }

    /// Whether a provider of the kind stays off until somebody turns it on: Edge's service is undocumented, free of any
    /// promise, and its terms are unclear.
    pub const fn is_experimental(self) -> bool {
        matches!(self, Self::EdgeTts)
    }
}

/// Where the credential comes from. The secret itself is never here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "source", rename_all = "snake_case")]
pub enum CredentialSource {
    /// The provider asks for none (a local server).
    NotNeeded,
    /// None has been given yet.
    Missing,
    /// In the secret store under the provider's name.
    Stored {
        /// The last four characters at most, e.g. `…a91f`.
        hint: String,
        /// When it was given.
        set_at: Timestamp,
    },
    /// Read from this environment variable when the node starts.
    Environment {
        /// Name of the variable.
        variable: String,
    },
}

/// How the credential travels.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(tag = "scheme", rename_all = "snake_case")]
pub enum Auth {
    /// As the adapter's vendor wants it: a bearer token at `OpenAI`-compatible servers.
    #[default]
    Vendor,
    /// In a header of this name, e.g. Azure's `api-key`.
    Header {
        /// Name of the header, in lower case.
        name: String,
    },
    /// Exchanged for a token that expires (`OAuth` 2.0 client credentials); the stored credential is the client's secret.
    ClientCredentials {
        /// Where tokens are given.
        token_url: Url,
        /// As whom.
        client_id: String,
        /// What for, where the server asks.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        scope: Option<String>,
    },
}

/// An account at a vendor, or a server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provider {
    /// Its identity; it cannot be changed.
    pub name: ProviderName,
    /// Which adapter speaks to it.
    pub kind: ProviderKind,
    /// Where it is. The credential is bound to this URL's origin.
    pub base_url: Url,
    /// Whether requests may go there.
    pub enabled: bool,
    /// Where its credential comes from.
    pub credential: CredentialSource,
    /// How its credential travels.
    #[serde(default)]
    pub auth: Auth,
    /// Calls at once at most; `None` for no limit of ours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_concurrent: Option<u32>,
    /// Grows by one with each applied change.
    pub version: u32,
}

/// A URL no provider can have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidBaseUrl {
    /// Not a URL at all.
    #[error("`{0}` is not a URL such as https://api.example.com/v1")]
    Malformed(String),
    /// Neither http nor https.
    #[error("a provider's URL begins with https:// (or http:// for a server on this machine)")]
    Scheme,
    /// Plain http to another machine would send the credential in the clear.
    #[error("http:// is accepted only for this machine; use https:// for {0}")]
    PlainHttp(String),
    /// A secret in the URL would be stored and shown.
    #[error("a provider's URL must not contain a user name, password, query or fragment")]
    Extras,
}

/// Checks where a provider may be: https, or http on this machine; no credentials, query or fragment in the URL.
pub fn check_base_url(text: &str) -> Result<Url, InvalidBaseUrl> {
    let url =
        Url::parse(text.trim()).map_err(|_| InvalidBaseUrl::Malformed(text.chars().take(80).collect()))?;
    if !url.username().is_empty()
        || url.password().is_some()
        || url.query().is_some()
        || url.fragment().is_some()
    {
        return Err(InvalidBaseUrl::Extras);
    }
    match (url.scheme(), url.host()) {
        ("https", Some(_)) => Ok(url),
        ("http", Some(host)) if is_this_machine(&host) => Ok(url),
        ("http", Some(host)) => Err(InvalidBaseUrl::PlainHttp(host.to_string())),
        _ => Err(InvalidBaseUrl::Scheme),
    }
}

fn is_this_machine(host: &url::Host<&str>) -> bool {
    match host {
        url::Host::Domain(name) => *name == "localhost",
        url::Host::Ipv4(address) => address.is_loopback(),
        url::Host::Ipv6(address) => address.is_loopback(),
    }
}

/// One model of a provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Model {
    /// Whose.
    pub provider: ProviderName,
    /// As the provider names it.
    pub name: ModelName,
    /// What it can do.
    pub capabilities: Vec<Capability>,
    /// Tokens it can read and write together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context_window: Option<u32>,
    /// Tokens it can write.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_output: Option<u32>,
    /// How good its answers are, in tenths from 0 to 100, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quality: Option<u32>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_provider_is_https_or_on_this_machine_and_its_url_holds_no_secret() {
        for good in [
            "https://api.deepseek.com/v1",
            "http://127.0.0.1:11434/v1",
            "http://localhost:1",
            "http://[::1]:9/v1",
        ] {
            assert!(check_base_url(good).is_ok(), "{good}");
        }
        assert_eq!(check_base_url("nonsense"), Err(InvalidBaseUrl::Malformed("nonsense".to_owned())));
        assert_eq!(check_base_url("file:///etc/passwd"), Err(InvalidBaseUrl::Scheme));
        assert_eq!(
            check_base_url("http://example.com"),
            Err(InvalidBaseUrl::PlainHttp("example.com".to_owned()))
        );
        for bad in ["https://u:p@example.com", "https://example.com/?key=1", "https://example.com/#x"] {
            assert_eq!(check_base_url(bad), Err(InvalidBaseUrl::Extras), "{bad}");
        }
    }

    #[test]
    fn every_kind_is_its_word() {
        for kind in ProviderKind::ALL {
            assert_eq!(ProviderKind::from_word(kind.as_str()), Some(*kind));
        }
    }
}
