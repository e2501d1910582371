//! Whose use a budget counts.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::BudgetFault;
use crate::ids::{KeyId, OperationId, ProviderName};
use crate::route::Target;

/// Characters of a user's name that tell users apart; as many as the ledger keeps.
const MEMBER_CHARS_MAX: usize = 256;

/// Whose use a budget counts.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "kind", content = "value", rename_all = "snake_case")]
pub enum Scope {
    /// Everybody's.
    Global,
    /// One operation's.
    Operation(OperationId),
    /// One user's, as clients name them. It takes the place of a budget for each user of the same period.
    User(Member),
    /// One API key's.
    Key(KeyId),
    /// What goes to one provider.
    Provider(ProviderName),
    /// What goes to one model.
    Model(Target),
    /// Requests with one label.
    Tag(Tag),
    /// Each user's own, from their first request on.
    EachUser,
    /// Each operation's own, from its first request on.
    EachOperation,
}

/// A label that clients put on requests.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Tag {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// One of those for whom a budget has a purse of their own; empty where all share one.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "Box<str>")]
pub struct Member(Arc<str>);

impl Member {
    /// All together.
    pub fn everyone() -> Self {
        Self(Arc::from(""))
    }

    /// One, by name. What the ledger would not keep of a name does not tell two apart here either.
    pub fn named(name: &str) -> Self {
        let end = name.char_indices().nth(MEMBER_CHARS_MAX).map_or(name.len(), |(end, _)| end);
        let name = name.get(..end).unwrap_or(name);
        if name.contains('\0') { Self(name.replace('\0', "\u{fffd}").into()) } else { Self(name.into()) }
    }

    /// The name; empty for all together.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is all together.
    pub fn is_everyone(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<Box<str>> for Member {
    fn from(name: Box<str>) -> Self {
        Self::named(&name)
    }
}

impl fmt::Display for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

/// Who asks, and for what kind of work: by this the budgets of a request are found.
#[derive(Debug, Clone, Copy)]
pub struct Spender<'a> {
    /// What kind of work.
    pub operation: &'a OperationId,
    /// For whom, as the client says.
    pub user: Option<&'a str>,
    /// Whose key it is, if it is somebody's.
    pub owner: Option<&'a str>,
    /// With which key.
    pub key: Option<KeyId>,
    /// The client's labels.
    pub tags: &'a [(String, String)],
}

impl Scope {
    /// The word for its kind.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Global => "global",
            Self::Operation(_) => "operation",
            Self::User(_) => "user",
            Self::Key(_) => "key",
            Self::Provider(_) => "provider",
            Self::Model(_) => "model",
            Self::Tag(_) => "tag",
            Self::EachUser => "each_user",
            Self::EachOperation => "each_operation",
        }
    }

    /// Whether it counts by target: then a shortfall keeps a request from that target alone.
    pub const fn is_of_target(&self) -> bool {
        matches!(self, Self::Provider(_) | Self::Model(_))
    }

    /// Whether each user or operation has a purse of their own.
    pub const fn is_for_each(&self) -> bool {
        matches!(self, Self::EachUser | Self::EachOperation)
    }

    /// Whose purse a request to `target` uses; `None` when it is not counted.
    pub fn member(&self, spender: &Spender<'_>, target: &Target) -> Option<Member> {
        let is_counted = match self {
            Self::Global => true,
            Self::Operation(operation) => operation == spender.operation,
            Self::User(user) => spender.user.is_some_and(|name| Member::named(name) == *user),
            Self::Key(key) => spender.key == Some(*key),
            Self::Provider(provider) => *provider == target.provider,
            Self::Model(model) => model == target,
            Self::Tag(tag) => {
                spender.tags.iter().any(|(name, value)| *name == tag.name && *value == tag.value)
            }
            Self::EachUser => {
                return spender.user.map(Member::named).filter(|member| !member.is_everyone());
            }
            Self::EachOperation => return Some(Member::named(spender.operation.as_str())),
        };
        is_counted.then(Member::everyone)
    }

    pub(super) fn fault(&self) -> Option<BudgetFault> {
        let message = match self {
            Self::User(user) if user.is_everyone() => "The user's name must not be empty.",
            Self::Tag(tag) if tag.name.is_empty() => "The label's name must not be empty.",
            _ => return None,
        };
        Some(BudgetFault { field: "scope", message: message.to_owned() })
    }
}

/// In a few words for a person, e.g. `user alice`.
impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Global => f.write_str("everything"),
            Self::Operation(operation) => write!(f, "operation {operation}"),
            Self::User(user) => write!(f, "user {user}"),
            Self::Key(key) => write!(f, "key {key}"),
            Self::Provider(provider) => write!(f, "provider {provider}"),
            Self::Model(target) => write!(f, "model {target}"),
            Self::Tag(Tag { name, value }) => write!(f, "label {name}={value}"),
            Self::EachUser => f.write_str("each user"),
            Self::EachOperation => f.write_str("each operation"),
        }
    }
}
