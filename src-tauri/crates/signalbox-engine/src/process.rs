//! What a process that holds secrets does not leave behind when it falls.

use std::panic::PanicHookInfo;

/// Words of a panic at least this long that have a digit in them are taken for secrets.
const SECRET_CHARS_MIN: usize = 16;

/// Turns core dumps off and takes what may be a secret out of what a panic says. For the start of a program.
pub fn leave_no_secrets_behind() {
    #[cfg(unix)]
    if let Err(error) = no_core_dumps() {
        tracing::warn!(%error, "core dumps cannot be turned off");
    }
    std::panic::set_hook(Box::new(report));
}

/// A dump of memory would hold every secret that is open.
#[cfg(unix)]
fn no_core_dumps() -> rustix::io::Result<()> {
    use rustix::process::{Resource, Rlimit, setrlimit};
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })
}

fn report(panic: &PanicHookInfo<'_>) {
    let words = panic.payload_as_str().unwrap_or("no words");
    let place = panic.location().map_or_else(|| "nowhere".to_owned(), ToString::to_string);
    tracing::error!(%place, words = redacted(words), "a fault of ours");
}

/// The text without words that look like keys, tokens or encoded bytes.
fn redacted(text: &str) -> String {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "_-+/=.%~".contains(c);
    let looks_secret =
        |word: &str| word.len() >= SECRET_CHARS_MIN && word.bytes().any(|byte| byte.is_ascii_digit());
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        shown.push_str(if looks_secret(word) { "[redacted]" } else { word });
        let next = after.find(is_part).unwrap_or(after.len());
        let (between, after) = after.split_at(next);
        shown.push_str(between);
        rest = after;
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_panic_says_is_kept_but_for_what_may_be_a_key() {
        for (said, kept) in [
            (
                "index out of bounds: the len is 3 but the index is 7",
                "index out of bounds: the len is 3 but the index is 7",
            ),
            (
                "called `Result::unwrap()` on an `Err` value: Elapsed",
                "called `Result::unwrap()` on an `Err` value: Elapsed",
            ),
            ("Bearer sk-proj-Zq7Lw9Vt3XnJ5m.", "Bearer [redacted]"),
            (r#"{"key":"sbx_live_Xk4Vb8Nm2Cq6Wz9Lf3Hd7J"}"#, r#"{"key":"[redacted]"}"#),
            ("c2VjcmV0IG9mIGEgdmF1bHQx and \u{1f4a5}", "[redacted] and \u{1f4a5}"),
            ("", ""),
        ] {
            assert_eq!(redacted(said), kept);
        }
    }

    #[cfg(unix)]
    #[test]
    fn no_core_is_dumped() {
        use rustix::process::{Resource, getrlimit};
        no_core_dumps().unwrap();
        assert_eq!(getrlimit(Resource::Core).current, Some(0));
    }
}
