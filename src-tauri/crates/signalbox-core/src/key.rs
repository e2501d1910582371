//! API keys of programs: what a key may do. Its secret exists only as a keyed hash.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ids::{KeyId, OperationId};
use crate::time::Timestamp;

/// What every API key starts with.
pub const KEY_PREFIX: &str = "sbx_live_";

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
    /// The last four characters, to tell keys apart.
    pub last4: String,
    /// Operations it may use; empty means all.
    pub operations: BTreeSet<OperationId>,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it no longer opens anything.
    pub revoked_at: Option<Timestamp>,
    /// How much it may ask for.
    #[serde(default)]
    pub limits: KeyLimits,
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

impl ApiKey {
    /// Whether requests with this key may be served at `now`.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none_or(|revoked| now < revoked)
    }

    /// Whether it may use the operation.
    pub fn may_use(&self, operation: &OperationId) -> bool {
        self.operations.is_empty() || self.operations.contains(operation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_opens_its_operations_until_it_is_revoked() {
        let chat = OperationId::new("chat_message").unwrap();
        let other = OperationId::new("job_planning").unwrap();
        let mut key = ApiKey {
            limits: KeyLimits::default(),
            id: KeyId::generate(),
            name: "crm".to_owned(),
            last4: "a91f".to_owned(),
            operations: BTreeSet::new(),
            created_at: Timestamp::from_micros(0),
            revoked_at: Some(Timestamp::from_micros(10)),
        };
        assert!(key.may_use(&chat) && key.may_use(&other));
        key.operations.insert(chat.clone());
        assert!(key.may_use(&chat) && !key.may_use(&other));
        assert!(key.is_live(Timestamp::from_micros(9)) && !key.is_live(Timestamp::from_micros(10)));
    }
}
