//! Numbers in a provider's usage, and which of them are believed.

use serde_json::{Map, Value};

/// A usage that contradicts itself or reason. It is not repaired: what it hides is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unbelievable;

/// More tokens than any call can use.
const TOKENS_MAX: u64 = 1_000_000_000;

/// The count at `key`; absent and null are none, anything but a sensible whole number is not believed.
pub(super) fn count(fields: &Map<String, Value>, key: &str) -> Result<Option<u64>, Unbelievable> {
    match fields.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => value.as_u64().filter(|count| *count <= TOKENS_MAX).map(Some).ok_or(Unbelievable),
    }
}

/// The object of details at `key`, empty when there is none.
pub(super) fn detail<'a>(fields: &'a Map<String, Value>, key: &str) -> &'a Map<String, Value> {
    static NONE: std::sync::LazyLock<Map<String, Value>> = std::sync::LazyLock::new(Map::new);
    fields.get(key).and_then(Value::as_object).unwrap_or(&NONE)
}
