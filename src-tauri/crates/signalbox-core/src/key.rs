//! API keys of programs: what a key may do. Its secret exists only as a keyed hash.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::ids::{InvalidId, KeyId, OperationId, ProviderName};
use crate::route::Target;
use crate::time::{MICROS_PER_SECOND, Timestamp};

/// What every API key starts with.
pub const KEY_PREFIX: &str = "sbx_live_";

const DAY_US: i64 = 86_400 * MICROS_PER_SECOND;
/// A key that expires within this time is marked, so that it is replaced before programs are refused.
const EXPIRES_SOON_US: i64 = 7 * DAY_US;
/// A key nobody used for this time is marked: most likely nobody needs it, and nobody would miss it if it leaked.
const IDLE_US: i64 = 90 * DAY_US;

/// HMAC-SHA256 of a key under the installation's pepper.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyHash(pub [u8; 32]);

impl fmt::Debug for KeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyHash(…)")
    }
}

/// A program's key, without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiKey {
    /// Its identity.
    pub id: KeyId,
    /// What a person calls it.
    pub name: String,
    /// Who answers for it, by name; `None` when nobody said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// The last four characters, to tell keys apart.
    pub last4: String,
    /// Operations it may use; empty means all.
    pub operations: BTreeSet<OperationId>,
    /// Where its requests may go; empty means anywhere.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub targets: BTreeSet<TargetScope>,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it no longer opens anything, as was said in advance; `None`: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// From when on it no longer opens anything.
    pub revoked_at: Option<Timestamp>,
    /// The secret before the last rotation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub former: Option<FormerSecret>,
    /// How much it may ask for.
    #[serde(default)]
    pub limits: KeyLimits,
    /// Its owner's own credentials at providers, instead of the installation's.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub own_credentials: BTreeMap<ProviderName, OwnCredential>,
}

/// Part of where a key's requests may go: `provider`, or one `provider/model`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TargetScope {
    /// Every model of a provider, also ones added later.
    Provider(ProviderName),
    /// One model.
    Target(Target),
}

/// A secret that was replaced and opens for a while longer, so that programs can be given the new one in peace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormerSecret {
    /// Its last four characters.
    pub last4: String,
    /// Until when it opens.
    pub until: Timestamp,
}

/// An owner's own credential at a provider, without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnCredential {
    /// The last four characters at most, e.g. `…a91f`.
    pub hint: String,
    /// When it was given.
    pub set_at: Timestamp,
}

/// How much a key may ask for. What is absent has no limit of the key's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct KeyLimits {
    /// Requests that may begin in a minute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requests_per_minute: Option<u32>,
    /// Requests that may run at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concurrent: Option<u32>,
    /// Bytes a request's body may have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body_bytes: Option<u32>,
}

/// How near a key's end is when a person is told of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ExpiryNotice {
    /// Within a week.
    Week,
    /// Within a day.
    Day,
}

impl ExpiryNotice {
    /// In words, e.g. of a sentence: `within a week`.
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::Week => "within a week",
            Self::Day => "within a day",
        }
    }
}

/// Whether a key opens anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyStanding {
    /// It does.
    Active,
    /// It did until then.
    Expired(Timestamp),
    /// Somebody ended it then.
    Revoked(Timestamp),
}

impl ApiKey {
    /// A key that may use everything, without limits and without an end.
    pub fn new(name: &str, last4: &str, created_at: Timestamp) -> Self {
        Self {
            id: KeyId::generate(),
            name: name.to_owned(),
            owner: None,
            last4: last4.to_owned(),
            operations: BTreeSet::new(),
            targets: BTreeSet::new(),
            created_at,
            expires_at: None,
            revoked_at: None,
            former: None,
            limits: KeyLimits::default(),
            own_credentials: BTreeMap::new(),
        }
    }

    /// Whether it opens anything at `now`, and if not, why.
    pub fn standing(&self, now: Timestamp) -> KeyStanding {
        let passed = |at: Option<Timestamp>| at.filter(|at| *at <= now);
        match (passed(self.revoked_at), passed(self.expires_at)) {
            (Some(at), _) => KeyStanding::Revoked(at),
            (None, Some(at)) => KeyStanding::Expired(at),
            (None, None) => KeyStanding::Active,
        }
    }

    /// Whether requests with this key may be served at `now`.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.standing(now) == KeyStanding::Active
    }

    /// Whether it still opens and will expire within a week.
    pub fn expires_soon(&self, now: Timestamp) -> bool {
        let soon = |at: Timestamp| at.micros_since(now) <= EXPIRES_SOON_US;
        self.is_live(now) && self.expires_at.is_some_and(soon)
    }

    /// What a person should be told of its end at `now`: first a week and then a day before. A key that was made for less
    /// time than that is not told of: whoever made it knows.
    pub fn expiry_notice(&self, now: Timestamp) -> Option<ExpiryNotice> {
        let end = self.expires_at.filter(|_| self.is_live(now))?;
        let is_due =
            |within_us| end.micros_since(now) <= within_us && end.micros_since(self.created_at) > within_us;
        if is_due(DAY_US) {
            return Some(ExpiryNotice::Day);
        }
        is_due(EXPIRES_SOON_US).then_some(ExpiryNotice::Week)
    }

    /// Whether it opens and nobody used it for 90 days, or since it was made.
    pub fn is_idle(&self, last_used: Option<Timestamp>, now: Timestamp) -> bool {
        let since = last_used.unwrap_or(self.created_at).max(self.created_at);
        self.is_live(now) && now.micros_since(since) >= IDLE_US
    }

    /// The replaced secret, while it opens at `now`.
    pub fn former_at(&self, now: Timestamp) -> Option<&FormerSecret> {
        self.former.as_ref().filter(|former| now < former.until)
    }

    /// Whether it may use the operation.
    pub fn may_use(&self, operation: &OperationId) -> bool {
        self.operations.is_empty() || self.operations.contains(operation)
    }

    /// Whether its requests may go to the target.
    pub fn may_reach(&self, target: &Target) -> bool {
        self.targets.is_empty() || self.targets.iter().any(|scope| scope.holds(target))
    }

    /// Whether its requests to the provider are made with its owner's own credential.
    pub fn has_own_credential(&self, provider: &ProviderName) -> bool {
        self.own_credentials.contains_key(provider)
    }
}

impl TargetScope {
    /// Whether the target is part of it.
    pub fn holds(&self, target: &Target) -> bool {
        match self {
            Self::Provider(provider) => *provider == target.provider,
            Self::Target(own) => own == target,
        }
    }
}

impl fmt::Display for TargetScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Provider(provider) => provider.fmt(f),
            Self::Target(target) => target.fmt(f),
        }
    }
}

impl FromStr for TargetScope {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        if text.contains('/') {
            text.parse().map(Self::Target)
        } else {
            ProviderName::new(text).map(Self::Provider)
        }
    }
}

impl Serialize for TargetScope {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TargetScope {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(micros: i64) -> Timestamp {
        Timestamp::from_micros(micros)
    }

    fn target(text: &str) -> Target {
        text.parse().unwrap()
    }

    #[test]
    fn a_key_opens_its_operations_until_it_is_revoked() {
        let chat = OperationId::new("chat_message").unwrap();
        let other = OperationId::new("job_planning").unwrap();
        let mut key = ApiKey { revoked_at: Some(at(10)), ..ApiKey::new("crm", "a91f", at(0)) };
        assert!(key.may_use(&chat) && key.may_use(&other));
        key.operations.insert(chat.clone());
        assert!(key.may_use(&chat) && !key.may_use(&other));
        assert!(key.is_live(at(9)) && !key.is_live(at(10)));
    }

    #[test]
    fn a_key_opens_until_it_expires_and_is_marked_a_week_before() {
        let key = ApiKey { expires_at: Some(at(8 * DAY_US)), ..ApiKey::new("crm", "a91f", at(0)) };
        assert!(key.is_live(at(0)) && !key.expires_soon(at(0)));
        assert!(key.is_live(at(DAY_US)) && key.expires_soon(at(DAY_US)));
        assert_eq!(key.standing(at(8 * DAY_US)), KeyStanding::Expired(at(8 * DAY_US)));
        assert!(!key.expires_soon(at(8 * DAY_US)));
        let revoked = ApiKey { revoked_at: Some(at(9 * DAY_US)), ..key };
        assert_eq!(revoked.standing(at(9 * DAY_US)), KeyStanding::Revoked(at(9 * DAY_US)));
    }

    #[test]
    fn the_end_of_a_key_is_told_a_week_and_a_day_before_and_not_once_it_is_over() {
        let key = ApiKey { expires_at: Some(at(30 * DAY_US)), ..ApiKey::new("crm", "a91f", at(0)) };
        for (now, notice) in [
            (0, None),
            (23 * DAY_US - 1, None),
            (23 * DAY_US, Some(ExpiryNotice::Week)),
            (29 * DAY_US - 1, Some(ExpiryNotice::Week)),
            (29 * DAY_US, Some(ExpiryNotice::Day)),
            (30 * DAY_US, None),
        ] {
            assert_eq!(key.expiry_notice(at(now)), notice, "{now}");
        }
        let revoked = ApiKey { revoked_at: Some(at(1)), ..key.clone() };
        assert_eq!(revoked.expiry_notice(at(29 * DAY_US)), None);
        let short = ApiKey { created_at: at(27 * DAY_US), ..key.clone() };
        assert_eq!(short.expiry_notice(at(28 * DAY_US)), None, "it was made for three days");
        assert_eq!(short.expiry_notice(at(29 * DAY_US)), Some(ExpiryNotice::Day));
        assert_eq!(ApiKey { expires_at: None, ..key }.expiry_notice(at(29 * DAY_US)), None);
    }

    #[test]
    fn a_key_is_idle_after_ninety_days_without_use_unless_it_is_dead_anyway() {
        let key = ApiKey::new("crm", "a91f", at(0));
        assert!(!key.is_idle(None, at(IDLE_US - 1)) && key.is_idle(None, at(IDLE_US)));
        assert!(!key.is_idle(Some(at(1)), at(IDLE_US)));
        let dead = ApiKey { revoked_at: Some(at(1)), ..key };
        assert!(!dead.is_idle(None, at(IDLE_US)));
    }

    #[test]
    fn a_key_reaches_the_providers_and_models_of_its_scope_and_nothing_else() {
        let mut key = ApiKey::new("crm", "a91f", at(0));
        assert!(key.may_reach(&target("deepseek/deepseek-flash")));
        key.targets = ["deepseek", "openrouter/openai/o3"].map(|text| text.parse().unwrap()).into();
        for inside in ["deepseek/deepseek-flash", "deepseek/x", "openrouter/openai/o3"] {
            assert!(key.may_reach(&target(inside)), "{inside}");
        }
        for outside in ["deepseek2/deepseek-flash", "openrouter/openai/o3-mini", "simulator/sim-chat"] {
            assert!(!key.may_reach(&target(outside)), "{outside}");
        }
        let text = serde_json::to_string(&key.targets).unwrap();
        assert_eq!(text, r#"["deepseek","openrouter/openai/o3"]"#);
        assert_eq!(serde_json::from_str::<BTreeSet<TargetScope>>(&text).unwrap(), key.targets);
        assert!("Not A Provider".parse::<TargetScope>().is_err());
    }

    #[test]
    fn a_replaced_secret_opens_until_its_overlap_is_over() {
        let former = FormerSecret { last4: "0000".to_owned(), until: at(5) };
        let key = ApiKey { former: Some(former.clone()), ..ApiKey::new("crm", "a91f", at(0)) };
        assert_eq!(key.former_at(at(4)), Some(&former));
        assert_eq!(key.former_at(at(5)), None);
    }
}
