//! Reading JSON that a client wrote, with the path of what is wrong.

use serde_json::{Map, Value};

use crate::inspect::InvalidRequest;

/// A fault at `path`.
pub(super) fn fault(path: &str, message: impl Into<String>) -> InvalidRequest {
    InvalidRequest { path: path.to_owned(), message: message.into() }
}

/// The value of `key`; null counts as absent.
pub(super) fn given<'a>(map: &'a Map<String, Value>, key: &str) -> Option<&'a Value> {
    map.get(key).filter(|value| !value.is_null())
}

/// The object at `path`.
pub(super) fn object<'a>(value: &'a Value, path: &str) -> Result<&'a Map<String, Value>, InvalidRequest> {
    value.as_object().ok_or_else(|| fault(path, "must be an object"))
}

/// The list at `key`, empty when absent.
pub(super) fn list<'a>(
    map: &'a Map<String, Value>,
    key: &str,
    path: &str,
) -> Result<&'a [Value], InvalidRequest> {
    match given(map, key) {
        None => Ok(&[]),
        Some(value) => {
            value.as_array().map(Vec::as_slice).ok_or_else(|| fault(&join(path, key), "must be a list"))
        }
    }
}

/// The text at `key`, which must be there.
pub(super) fn text<'a>(
    map: &'a Map<String, Value>,
    key: &str,
    path: &str,
) -> Result<&'a str, InvalidRequest> {
    given(map, key).and_then(Value::as_str).ok_or_else(|| fault(&join(path, key), "must be a text"))
}

/// The text at `key`, if there is one.
pub(super) fn maybe_text<'a>(map: &'a Map<String, Value>, key: &str) -> Option<&'a str> {
    map.get(key).and_then(Value::as_str)
}

/// The number at `key`, if it is given.
pub(super) fn maybe_number(map: &Map<String, Value>, key: &str) -> Result<Option<f64>, InvalidRequest> {
    match given(map, key) {
        None => Ok(None),
        Some(value) => value.as_f64().map(Some).ok_or_else(|| fault(key, "must be a number")),
    }
}

/// The whole number at `key`, if it is given.
pub(super) fn maybe_count(map: &Map<String, Value>, key: &str) -> Result<Option<u64>, InvalidRequest> {
    match given(map, key) {
        None => Ok(None),
        Some(value) => value.as_u64().map(Some).ok_or_else(|| fault(key, "must be a whole number")),
    }
}

/// `a.b`, or `b` at the root.
pub(super) fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}
