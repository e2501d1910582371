//! Values on their way into and out of the database.

use std::borrow::Cow;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use sqlx::types::Json;

use crate::StoreError;

/// JSON that is written as it is.
pub(crate) type JsonText = Json<Box<RawValue>>;

/// Characters of a text that is part of an index or of a rollup's key. Source: `PostgreSQL` refuses index rows above
/// about 2,700 bytes; 256 characters are at most 1,024.
const LABEL_CHARS_MAX: usize = 256;

/// What stands in place of the character NUL, which `PostgreSQL` stores in no text.
const NUL_SHOWN_AS: &str = "\u{fffd}";

/// Free text as both databases can store it.
pub(crate) fn clean(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { text.replace('\0', NUL_SHOWN_AS).into() } else { text.into() }
}

/// Free text that is indexed: clean, and cut at [`LABEL_CHARS_MAX`].
pub(crate) fn label(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(LABEL_CHARS_MAX) {
        Some((end, _)) => clean(text.get(..end).unwrap_or_default()),
        None => clean(text),
    }
}

/// A value as JSON both databases can store.
pub(crate) fn json(value: &impl Serialize) -> Result<JsonText, StoreError> {
    let unfit = |error: serde_json::Error| StoreError::Corrupt { detail: error.to_string() };
    let text = serde_json::to_string(value).map_err(unfit)?;
    let text = if text.contains("\\u0000") { without_escaped_nul(&text) } else { text };
    RawValue::from_string(text).map(Json).map_err(unfit)
}

/// Replaces `\u0000` in JSON text, but not where the backslash is itself escaped.
fn without_escaped_nul(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        clean.push_str(before);
        if let Some(after) = escape.strip_prefix("\\u0000") {
            clean.push_str("\\ufffd");
            rest = after;
        } else {
            // Every other escape begins with a backslash and one ASCII character; its digits may follow as they are.
            let end = escape.len().min(2);
            clean.push_str(&escape[..end]);
            rest = &escape[end..];
        }
    }
    clean.push_str(rest);
    clean
}

/// A stored JSON value as its type.
pub(crate) fn parsed<T: DeserializeOwned>(
    column: &str,
    stored: &Json<Box<RawValue>>,
) -> Result<T, StoreError> {
    serde_json::from_str(stored.0.get()).map_err(|error| corrupt(column, error))
}

/// A stored JSON value as its type; a column that an older version did not write is the default.
pub(crate) fn or_default<T: DeserializeOwned + Default>(
    column: &str,
    stored: Option<&JsonText>,
) -> Result<T, StoreError> {
    stored.map_or_else(|| Ok(T::default()), |stored| parsed(column, stored))
}

/// A stored value as its domain type; `what` names the column.
pub(crate) fn valid<T, E: std::fmt::Display>(column: &str, value: Result<T, E>) -> Result<T, StoreError> {
    value.map_err(|error| corrupt(column, error))
}

/// A stored word as the enum it stands for.
pub(crate) fn word<T>(
    column: &str,
    word: &str,
    from_word: impl Fn(&str) -> Option<T>,
) -> Result<T, StoreError> {
    from_word(word).ok_or_else(|| corrupt(column, format_args!("unknown word `{word}`")))
}

/// A stored whole number as a narrower one.
pub(crate) fn number<T: TryFrom<i64>>(column: &str, stored: i64) -> Result<T, StoreError> {
    T::try_from(stored).map_err(|_| corrupt(column, format_args!("{stored} is out of range")))
}

/// A stored value that is part of a row that must have it.
pub(crate) fn present<T>(column: &str, stored: Option<T>) -> Result<T, StoreError> {
    stored.ok_or_else(|| corrupt(column, "missing"))
}

/// A hash of 32 bytes.
pub(crate) fn hash(column: &str, stored: &[u8]) -> Result<[u8; 32], StoreError> {
    stored.try_into().map_err(|_| corrupt(column, "not 32 bytes"))
}

/// A quantity as the database holds it, held at the largest `i64`.
pub(crate) fn counted(quantity: u64) -> i64 {
    i64::try_from(quantity).unwrap_or(i64::MAX)
}

pub(crate) fn corrupt(column: &str, reason: impl std::fmt::Display) -> StoreError {
    StoreError::Corrupt { detail: format!("{column}: {reason}") }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn json_of_any_text_has_no_nul_and_is_otherwise_the_same(text in "[\\\\u0\u{0}\"a-c{}💥]{0,24}") {
            let Json(stored) = json(&text).unwrap();
            prop_assert!(!without_escaped_nul(stored.get()).is_empty());
            let read: String = serde_json::from_str(stored.get()).unwrap();
            prop_assert_eq!(read, text.replace('\0', NUL_SHOWN_AS));
        }
    }

    #[test]
    fn a_label_is_cut_between_characters() {
        assert_eq!(label(&"💥".repeat(300)).chars().count(), LABEL_CHARS_MAX);
        assert_eq!(label("short"), "short");
        assert_eq!(label("a\0b"), "a\u{fffd}b");
    }
}
