//! What an approval is bound to: the one request, to the byte.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};

use crate::ids::{KeyId, OperationId};
use crate::ledger::Surface;
use crate::money::NanoUsd;
use crate::route::Target;

/// A SHA-256, in hexadecimal on the wire.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// Of bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// Of a value's JSON, whose fields have a fixed order.
    pub(super) fn of_json<T: Serialize>(value: &T) -> Self {
        // Our own types always have a JSON; one that had none would fit nothing.
        serde_json::to_vec(value).map_or(Self([0; 32]), |bytes| Self::of(&bytes))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        let bytes = hex::decode(&*text).map_err(serde::de::Error::custom)?;
        <[u8; 32]>::try_from(bytes).map(Self).map_err(|_| serde::de::Error::custom("no SHA-256"))
    }
}

/// A request as an approval knows it. Two are the same when every field is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// Through which API it comes.
    pub surface: Surface,
    /// What kind of work it is.
    pub operation: OperationId,
    /// With which key; `None` for the window's own.
    pub key: Option<KeyId>,
    /// For whom, as the client says.
    pub user: Option<String>,
    /// The client's own labels.
    pub tags: Vec<(String, String)>,
    /// The target the client insists on.
    pub pinned: Option<Target>,
    /// The route it was asked on: another one may send it elsewhere.
    pub route_version: u32,
    /// Of the body's canonical form.
    pub body: Digest,
    /// The most it may cost; `None`: that is not known.
    pub ceiling: Option<NanoUsd>,
}

/// In what a request is not the one that was approved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Difference {
    /// Another API.
    #[error("it came through another API")]
    Surface,
    /// Another operation.
    #[error("it was for another operation")]
    Operation,
    /// Another key.
    #[error("it was asked with another API key")]
    Key,
    /// Another user.
    #[error("it was asked for another user")]
    User,
    /// Other labels.
    #[error("it had other tags")]
    Tags,
    /// Another pin.
    #[error("it asked for another model")]
    Pinned,
    /// Another route.
    #[error("the route has changed since it was asked")]
    RouteVersion,
    /// Another text, or other parameters.
    #[error("its body was another one")]
    Body,
}

impl Terms {
    /// Over everything, the ceiling included: what a person agrees to.
    pub fn digest(&self) -> Digest {
        Digest::of_json(self)
    }

    /// Over everything but the ceiling: what makes two requests the same question, whatever the prices and the targets'
    /// health are at the moment.
    pub fn fingerprint(&self) -> Digest {
        Digest::of_json(&Self { ceiling: None, ..self.clone() })
    }

    /// The first thing in which the other is not the same question.
    pub fn difference(&self, other: &Self) -> Option<Difference> {
        let Self { surface, operation, key, user, tags, pinned, route_version, body, ceiling: _ } = self;
        let differs = [
            (*surface != other.surface, Difference::Surface),
            (*operation != other.operation, Difference::Operation),
            (*key != other.key, Difference::Key),
            (*user != other.user, Difference::User),
            (*tags != other.tags, Difference::Tags),
            (*pinned != other.pinned, Difference::Pinned),
            (*route_version != other.route_version, Difference::RouteVersion),
            (*body != other.body, Difference::Body),
        ];
        differs.into_iter().find_map(|(differs, what)| differs.then_some(what))
    }
}
