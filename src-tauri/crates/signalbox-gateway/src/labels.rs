//! Whom a request is for and how its client labels it: bounded, because both go into the ledger.

use axum::http::HeaderMap;
use serde_json::{Map, Value};

use crate::fault::Fault;

/// Longest user. Units: characters. Anthropic's own command line sends about 170.
const USER_CHARS_MAX: usize = 256;
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

/// The user from `x-signalbox-user`, else from where the client's API has it: `user` or `metadata.user_id`.
///
/// Errors: the header is too long. What the body says was meant for the provider, so it is only cut.
pub(crate) fn user(headers: &HeaderMap, body: &Map<String, Value>) -> Result<Option<String>, Fault> {
    if let Some(user) = text(headers, "x-signalbox-user")? {
        if user.chars().count() > USER_CHARS_MAX {
            return Err(Fault::invalid(format!(
                "The header x-signalbox-user has more than {USER_CHARS_MAX} characters."
            )));
        }
        return Ok(Some(user.to_owned()));
    }
    let in_body =
        body.get("user").or_else(|| body.get("metadata").and_then(|metadata| metadata.get("user_id")));
    let user = in_body
        .and_then(Value::as_str)
        .map(|user| user.chars().filter(|c| !c.is_control()).take(USER_CHARS_MAX).collect::<String>());
    Ok(user.filter(|user| !user.is_empty()))
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

    fn user_of(headers: &HeaderMap, body: &Value) -> Option<String> {
        user(headers, body.as_object().unwrap()).unwrap()
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
        assert!(user(&long, &Map::new()).is_err());
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
