//! Conditions on requests, as an admin writes them.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A condition on a request, in the Common Expression Language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition(String);

/// A text that is no condition.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidCondition(String);

impl Condition {
    /// Reads a condition.
    ///
    /// Errors: [`InvalidCondition`].
    pub fn new(text: &str) -> Result<Self, InvalidCondition> {
        if text.trim().is_empty() {
            return Err(InvalidCondition("a condition must not be empty".to_owned()));
        }
        Ok(Self(text.to_owned()))
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Condition {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Condition {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::new(&text).map_err(serde::de::Error::custom)
    }
}
