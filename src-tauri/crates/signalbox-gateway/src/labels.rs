//! Whom a request is for and how its client labels it: bounded, because both go into the ledger.

use std::time::Duration;

use axum::http::HeaderMap;
use serde_json::{Map, Value};
use signalbox_core::ids::ApprovalId;
use signalbox_engine::dispatch::Payload;

use crate::fault::Fault;

/// Longest user. Units: characters. Anthropic's own command line sends about 170.
const USER_CHARS_MAX: usize = 256;
/// Longest time a client may give. Units: milliseconds.
const TIMEOUT_MS_MAX: u64 = 3_600_000;
/// Longest idempotency key, as other APIs have it. Units: characters.
const IDEMPOTENCY_KEY_CHARS_MAX: usize = 255;
/// Most tags on one request.
const TAGS_MAX: usize = 16;
/// Longest name of a tag. Units: characters.
const TAG_NAME_CHARS_MAX: usize = 64;
/// Longest value of a tag. Units: characters.
const TAG_VALUE_CHARS_MAX: usize = 128;

/// A header of ours as text; `None` when it is not there or empty.
///
/// Errors: sent twice, or not UTF-8.
pub(crate) fn text<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, Fault> {
    let mut values = headers.get_all(name).iter();
    let (Some(value), second) = (values.next(), values.next()) else { return Ok(None) };
    if second.is_some() {
        return Err(Fault::invalid(format!("The header {name} is there more than once.")));
    }
    let text = std::str::from_utf8(value.as_bytes())
        .map_err(|_| Fault::invalid(format!("The header {name} is not UTF-8.")))?;
    Ok(Some(text.trim()).filter(|text| !text.is_empty()))
}

/// The user from `x-signalbox-user`, else from where the client's API has it: `user`, `safety_identifier` or
/// `metadata.user_id`.
///
/// Errors: the header is too long. What the body says was meant for the provider, so it is only cut.
pub(crate) fn user(headers: &HeaderMap, payload: &Payload) -> Result<Option<String>, Fault> {
    if let Some(user) = text(headers, "x-signalbox-user")? {
        if user.chars().count() > USER_CHARS_MAX {
            return Err(Fault::invalid(format!(
                "The header x-signalbox-user has more than {USER_CHARS_MAX} characters."
            )));
        }
        return Ok(Some(user.to_owned()));
    }
    let in_body = match payload {
        Payload::Json(body) => user_in(body),
        Payload::Audio(upload) => {
            upload.fields.iter().find(|(name, _)| name == "user").map(|(_, user)| user.as_str())
        }
    };
    let user =
        in_body.map(|user| user.chars().filter(|c| !c.is_control()).take(USER_CHARS_MAX).collect::<String>());
    Ok(user.filter(|user| !user.is_empty()))
}

fn user_in(body: &Map<String, Value>) -> Option<&str> {
    let user = body.get("user").or_else(|| body.get("safety_identifier"));
    user.or_else(|| body.get("metadata").and_then(|metadata| metadata.get("user_id"))).and_then(Value::as_str)
}

/// How long the client waits: `x-signalbox-timeout-ms`, or what the vendors' own client libraries say in seconds.
///
/// Errors: no whole number of milliseconds above 0.
pub(crate) fn deadline(headers: &HeaderMap) -> Result<Option<Duration>, Fault> {
    if let Some(text) = text(headers, "x-signalbox-timeout-ms")? {
        let millis = text.parse().ok().filter(|millis| (1..=TIMEOUT_MS_MAX).contains(millis));
        return millis.map(|millis| Some(Duration::from_millis(millis))).ok_or_else(|| {
            Fault::invalid(format!(
                "The header x-signalbox-timeout-ms must be a whole number from 1 to {TIMEOUT_MS_MAX}."
            ))
        });
    }
    // Not ours: what cannot be read there says nothing.
    let stainless = headers.get("x-stainless-timeout").and_then(|value| value.to_str().ok());
    let seconds: Option<u64> = stainless.and_then(|text| text.trim().split('.').next()?.parse().ok());
    Ok(seconds.filter(|seconds| (1..=TIMEOUT_MS_MAX / 1_000).contains(seconds)).map(Duration::from_secs))
}

/// What makes the request the same one when it is sent again.
///
/// Errors: it is too long.
pub(crate) fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Fault> {
    let Some(key) = text(headers, "idempotency-key")? else { return Ok(None) };
    if key.chars().count() > IDEMPOTENCY_KEY_CHARS_MAX {
        return Err(Fault::invalid(format!(
            "The header idempotency-key has more than {IDEMPOTENCY_KEY_CHARS_MAX} characters."
        )));
    }
    Ok(Some(key.to_owned()))
}

/// The approval the request was given.
///
/// Errors: no id of one.
pub(crate) fn approval(headers: &HeaderMap) -> Result<Option<ApprovalId>, Fault> {
    let Some(text) = text(headers, "x-signalbox-approval")? else { return Ok(None) };
    text.parse().map(Some).map_err(|_| {
        Fault::invalid("The header x-signalbox-approval is no approval's id, such as apr_0193f0c1d2e37a5b8c9d0e1f2a3b4c5d.")
    })
}

/// Whether the client wants no answer from the cache.
///
/// Errors: a word other than `off`.
pub(crate) fn no_cache(headers: &HeaderMap) -> Result<bool, Fault> {
    match text(headers, "x-signalbox-cache")? {
        None => Ok(false),
        Some("off") => Ok(true),
        Some(_) => Err(Fault::invalid("The header x-signalbox-cache can only say `off`.")),
    }
}

/// The tags in `x-signalbox-tags: team=growth,env=prod`.
///
/// Errors: not of that form, too many, too long, or a name twice.
pub(crate) fn tags(headers: &HeaderMap) -> Result<Vec<(String, String)>, Fault> {
    let Some(text) = text(headers, "x-signalbox-tags")? else { return Ok(Vec::new()) };
    let mut tags: Vec<(String, String)> = Vec::new();
    for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let tag = tag(part).map_err(|why| {
            let shown: String = part.chars().take(80).collect();
            Fault::invalid(format!(
                "The tag `{shown}` in x-signalbox-tags {why}; write team=growth,env=prod."
            ))
        })?;
        if tags.iter().any(|(name, _)| *name == tag.0) {
            return Err(Fault::invalid(format!("x-signalbox-tags has `{}` twice.", tag.0)));
        }
        tags.push(tag);
        if tags.len() > TAGS_MAX {
            return Err(Fault::invalid(format!("x-signalbox-tags has more than {TAGS_MAX} tags.")));
        }
    }
    Ok(tags)
}

fn tag(part: &str) -> Result<(String, String), &'static str> {
    let (name, value) = part.split_once('=').ok_or("has no `=`")?;
    let (name, value) = (name.trim(), value.trim());
    if name.is_empty() || value.is_empty() {
        return Err("needs a name and a value");
    }
    if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')) {
        return Err("has a name with other characters than letters, digits, _ - and .");
    }
    if name.len() > TAG_NAME_CHARS_MAX || value.chars().count() > TAG_VALUE_CHARS_MAX {
        return Err("is too long");
    }
    Ok((name.to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};
    use serde_json::json;

    use super::*;

    fn header(name: &'static str, value: &str) -> HeaderMap {
        let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
        HeaderMap::from_iter([(HeaderName::from_static(name), value)])
    }

    fn payload(body: &Value) -> Payload {
        Payload::Json(std::sync::Arc::new(body.as_object().unwrap().clone()))
    }

    fn user_of(headers: &HeaderMap, body: &Value) -> Option<String> {
        user(headers, &payload(body)).unwrap()
    }

    #[test]
    fn the_header_names_the_user_before_the_body_does() {
        let body = json!({"user": "body", "metadata": {"user_id": "meta"}});
        assert_eq!(user_of(&header("x-signalbox-user", " jörg "), &body), Some("jörg".to_owned()));
        assert_eq!(user_of(&HeaderMap::new(), &body), Some("body".to_owned()));
        let meta = json!({"metadata": {"user_id": "meta"}});
        assert_eq!(user_of(&HeaderMap::new(), &meta), Some("meta".to_owned()));
        assert_eq!(user_of(&HeaderMap::new(), &json!({"user": 7})), None);
    }

    #[test]
    fn a_long_or_multi_line_user_cannot_fill_the_ledger() {
        let body = json!({"user": format!("a\nb{}", "c".repeat(10_000))});
        let user_in_body = user_of(&HeaderMap::new(), &body).unwrap();
        assert!(user_in_body.starts_with("abc") && user_in_body.chars().count() == USER_CHARS_MAX);
        let long = header("x-signalbox-user", &"u".repeat(USER_CHARS_MAX + 1));
        assert!(user(&long, &payload(&json!({}))).is_err());
    }

    #[test]
    fn the_clients_patience_is_read_from_our_header_or_its_librarys() {
        let of = |name, text: &str| deadline(&header(name, text));
        let millis = |ms| Some(Duration::from_millis(ms));
        assert_eq!(of("x-signalbox-timeout-ms", "1500").unwrap(), millis(1_500));
        assert_eq!(of("x-stainless-timeout", "600").unwrap(), millis(600_000));
        assert_eq!(of("x-stainless-timeout", "2.5").unwrap(), millis(2_000));
        for nothing in ["", "soon", "0", "-1", "99999999999999999999"] {
            assert_eq!(of("x-stainless-timeout", nothing).unwrap(), None, "{nothing}");
        }
        for bad in ["0", "-1", "1.5", "3600001", "soon"] {
            assert!(of("x-signalbox-timeout-ms", bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_cache_can_be_declined_and_an_idempotency_key_is_bounded() {
        assert!(no_cache(&header("x-signalbox-cache", "off")).unwrap());
        assert!(!no_cache(&HeaderMap::new()).unwrap());
        assert!(no_cache(&header("x-signalbox-cache", "on")).is_err());
        let longest = "k".repeat(IDEMPOTENCY_KEY_CHARS_MAX);
        assert_eq!(idempotency_key(&header("idempotency-key", &longest)).unwrap(), Some(longest.clone()));
        assert!(idempotency_key(&header("idempotency-key", &format!("{longest}k"))).is_err());
        assert_eq!(idempotency_key(&header("idempotency-key", " ")).unwrap(), None);
    }

    #[test]
    fn tags_are_pairs_within_limits() {
        let of = |text: &str| tags(&header("x-signalbox-tags", text));
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(of("team=growth, env=prod,").unwrap(), [pair("team", "growth"), pair("env", "prod")]);
        assert_eq!(of("q=a=b").unwrap(), [pair("q", "a=b")]);
        assert_eq!(of("").unwrap(), []);
        let many: Vec<String> = (0..=TAGS_MAX).map(|n| format!("t{n}=v")).collect();
        for bad in
            ["team", "=x", "team=", "a b=c", "a=1,a=2", &many.join(","), &format!("a={}", "x".repeat(129))]
        {
            assert!(of(bad).is_err(), "{bad}");
        }
    }
}
