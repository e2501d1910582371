//! Identities: one newtype per entity, UUIDv7 inside, with a prefix on the wire; and validated names.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Text that is not an id or name of the wanted kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidId {
    /// The wire form of an id has the wrong prefix or is no UUID.
    #[error("`{text}` is not an id of the form `{prefix}…`")]
    Malformed {
        /// The expected prefix.
        prefix: &'static str,
        /// What was given.
        text: String,
    },
    /// A name breaks the rule for its kind.
    #[error("`{text}` is not a valid {kind}: {rule}")]
    Name {
        /// What the name was meant to name.
        kind: &'static str,
        /// What was given, shortened.
        text: String,
        /// The rule in words.
        rule: &'static str,
    },
}

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Uuid);

        impl $name {
            /// What the wire form starts with.
            pub const PREFIX: &'static str = $prefix;

            /// A new id; ids made later in this process sort later.
            pub fn generate() -> Self {
                Self(Uuid::now_v7())
            }

            /// The id of a stored row.
            pub const fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// The bare UUID, for storage.
            pub const fn as_uuid(self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "{}"), self.0.simple())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                text.strip_prefix($prefix)
                    .and_then(|hex| Uuid::try_parse(hex).ok())
                    .map(Self)
                    .ok_or_else(|| InvalidId::Malformed { prefix: $prefix, text: shortened(text) })
            }
        }

        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

uuid_id!(
    /// One AI call as the client made it.
    RequestId,
    "req_"
);
uuid_id!(
    /// An API key of a program.
    KeyId,
    "key_"
);
uuid_id!(
    /// One entry of the change history.
    ChangeId,
    "chg_"
);
uuid_id!(
    /// One running instance of the engine.
    NodeId,
    "node_"
);
uuid_id!(
    /// One step of a target's circuit.
    HealthEventId,
    "hev_"
);

uuid_id!(
    /// A limit on spending.
    BudgetId,
    "bud_"
);
uuid_id!(
    /// A question that a person decides: a request or a change.
    ApprovalId,
    "apr_"
);
uuid_id!(
    /// Something a person should know of.
    AlertId,
    "alr_"
);
uuid_id!(
    /// A way alerts take to a person.
    ChannelId,
    "chn_"
);
uuid_id!(
    /// One telling of an alert on one channel.
    DeliveryId,
    "dlv_"
);

impl ChannelId {
    /// The notifications of the desktop: the one channel that is always there.
    pub const DESKTOP: Self = Self(Uuid::from_u128(0x0000_0000_0000_7000_8000_0000_0000_0001));
}
/// Longest accepted name; long enough for any vendor's model name, short enough to index and to show.
pub const NAME_CHARS_MAX: usize = 128;

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $kind:literal, $rule:literal, $accepts:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Checks the rule and wraps the text.
            pub fn new(text: &str) -> Result<Self, InvalidId> {
                let accepts: fn(&str) -> bool = $accepts;
                if text.is_empty() || text.chars().count() > NAME_CHARS_MAX || !accepts(text) {
                    return Err(InvalidId::Name { kind: $kind, text: shortened(text), rule: $rule });
                }
                Ok(Self(Arc::from(text)))
            }

            /// The text itself.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&*self.0, f)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                Self::new(text)
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                Self::new(&text).map_err(serde::de::Error::custom)
            }
        }
    };
}

name!(
    /// A kind of AI work, e.g. `email_analysis`.
    OperationId,
    "operation",
    "lower-case letters, digits and _, at most 128",
    |text| text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
);
name!(
    /// A provider, e.g. `deepseek`. It is the provider's identity in routes and in the ledger, so it cannot be changed.
    ProviderName,
    "provider name",
    "lower-case letters, digits, - and _, at most 128",
    |text| text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-')
);
name!(
    /// A model as its provider names it, e.g. `openai/gpt-oss-120b` on an aggregator.
    ModelName,
    "model name",
    "visible ASCII without spaces, commas or quotes, at most 128",
    |text| text.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b',' | b'"' | b'\''))
);
name!(
    /// A person, e.g. `anna`. It is who they are in the history, so it cannot be changed.
    PersonName,
    "name of a person",
    "lower-case letters, digits and . - _ @, at most 128",
    |text| text
        .bytes()
        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'_' | b'@'))
);

/// The beginning of a text, so that hostile input cannot fill a log or a message.
fn shortened(text: &str) -> String {
    const SHOWN_CHARS: usize = 60;
    let mut short: String = text.chars().take(SHOWN_CHARS).collect();
    if text.chars().nth(SHOWN_CHARS).is_some() {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_survives_the_wire_and_no_other_prefix_is_taken_for_it() {
        let id = RequestId::generate();
        assert_eq!(id.to_string().parse::<RequestId>(), Ok(id));
        assert!(id.to_string().replace("req_", "key_").parse::<RequestId>().is_err());
        assert!("req_".parse::<RequestId>().is_err());
    }

    #[test]
    fn names_refuse_empty_overlong_and_foreign_characters() {
        assert!(OperationId::new("email_analysis").is_ok());
        for bad in ["", "Email", "a b", "a/b", &"x".repeat(129)] {
            assert!(OperationId::new(bad).is_err(), "{bad}");
        }
        assert!(ModelName::new("openai/gpt-oss-120b:free").is_ok());
        for bad in ["", "two words", "comma,", "über", "tab\t"] {
            assert!(ModelName::new(bad).is_err(), "{bad}");
        }
    }
}
