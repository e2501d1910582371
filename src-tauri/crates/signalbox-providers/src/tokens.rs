//! Counting tokens without the provider.
//!
//! The vocabulary is `OpenAI`'s `o200k`; other vendors publish none, and for them the count is an estimate, marked as such
//! wherever it is stored.

use bpe_openai::o200k_base;

/// How much text is counted exactly before a call. More costs more time than its accuracy is worth there.
pub(crate) const RESERVE_BYTES_EXACT: usize = 4 * 1024;

/// How much text is counted exactly after a call, when the count becomes a cost.
pub(crate) const SETTLE_BYTES_EXACT: usize = 256 * 1024;

/// Bytes a token has at the least, over long texts: a little below what prose has, so that the count is an upper one.
const TOKEN_BYTES_MIN: u64 = 3;

/// Loads the vocabulary, which takes long enough that the first request should not have to wait for it.
pub fn warm() {
    o200k_base();
}

/// Tokens of so many bytes that were not looked at.
pub(crate) const fn of_bytes(bytes: u64) -> u64 {
    bytes.div_ceil(TOKEN_BYTES_MIN)
}

/// Tokens of `text`, exact when it has at most `exact_bytes_max` bytes, else an upper estimate.
pub(crate) fn count(text: &str, exact_bytes_max: usize) -> u64 {
    if text.len() <= exact_bytes_max {
        as_u64(o200k_base().count(text))
    } else {
        of_bytes(as_u64(text.len()))
    }
}

/// A length as the width that quantities have.
pub(crate) fn as_u64(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_texts_are_counted_exactly_and_long_ones_from_above() {
        assert_eq!(count("", RESERVE_BYTES_EXACT), 0);
        assert_eq!(count("hello world", RESERVE_BYTES_EXACT), 2);
        let prose = "The quick brown fox jumps over the lazy dog. ".repeat(200);
        let reserved = count(&prose, RESERVE_BYTES_EXACT);
        assert_eq!(reserved, as_u64(prose.len()).div_ceil(3));
        assert!(count(&prose, SETTLE_BYTES_EXACT) < reserved);
    }

    #[test]
    fn hostile_text_is_counted_too() {
        for text in ["\u{0}", "👩‍👩‍👧‍👦", "\u{202e}", "   \n\t ", &"a".repeat(5000), &" ".repeat(4000)]
        {
            assert!(count(text, SETTLE_BYTES_EXACT) > 0);
        }
    }
}
