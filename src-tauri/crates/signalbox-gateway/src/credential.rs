//! The API key a request presents: `Authorization: Bearer …` as `OpenAI` clients send it, or `x-api-key` as Anthropic's do.

use axum::http::{HeaderMap, header};

use crate::fault::Fault;

const HOW: &str = "Send it as `Authorization: Bearer <key>` or `x-api-key: <key>`.";

/// The presented key; empty when there is none, so that refusing costs the same as looking one up.
///
/// Errors: more than one key, or one that cannot be text.
pub(crate) fn presented(headers: &HeaderMap) -> Result<&str, Fault> {
    let bearer = one(headers, header::AUTHORIZATION.as_str())?.map(|value| {
        let (scheme, token) = value.split_once(' ').unwrap_or((value, ""));
        if scheme.eq_ignore_ascii_case("bearer") { token.trim() } else { "" }
    });
    let api_key = one(headers, "x-api-key")?.map(str::trim);
    match (bearer, api_key) {
        (Some(bearer), Some(api_key)) if bearer != api_key => Err(Fault::invalid_key(
            "The request has two different API keys, in `Authorization` and in `x-api-key`; send one.",
        )),
        (bearer, api_key) => Ok(bearer.or(api_key).unwrap_or_default()),
    }
}

/// The words for a request without a key.
pub(crate) fn missing() -> Fault {
    Fault::invalid_key(format!(
        "The request has no API key. {HOW} Create one in Signalbox or with `signalbox-node keys create`."
    ))
}

fn one<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, Fault> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => value
            .to_str()
            .map(Some)
            .map_err(|_| Fault::invalid_key(format!("The API key in `{name}` has characters no key has."))),
        (Some(_), Some(_)) => {
            Err(Fault::invalid_key(format!("The request has more than one `{name}` header.")))
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    fn key(pairs: &[(&str, &str)]) -> Result<String, u16> {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(
                name.parse::<HeaderName>().unwrap(),
                HeaderValue::from_bytes(value.as_bytes()).unwrap(),
            );
        }
        presented(&headers).map(str::to_owned).map_err(|fault| fault.status.as_u16())
    }

    #[test]
    fn both_clients_ways_of_sending_a_key_are_read() {
        for pairs in [
            &[("authorization", "Bearer k")][..],
            &[("authorization", "bearer  k ")],
            &[("x-api-key", "k")],
            &[("x-api-key", "k"), ("authorization", "Bearer k")],
        ] {
            assert_eq!(key(pairs), Ok("k".to_owned()), "{pairs:?}");
        }
    }

    #[test]
    fn other_schemes_present_nothing_and_contradictions_are_refused() {
        for pairs in
            [&[][..], &[("authorization", "Basic azpr")], &[("authorization", "k")], &[("authorization", "")]]
        {
            assert_eq!(key(pairs), Ok(String::new()), "{pairs:?}");
        }
        for pairs in [
            &[("x-api-key", "a"), ("authorization", "Bearer b")][..],
            &[("authorization", "Bearer k"), ("authorization", "Bearer k")],
            &[("x-api-key", "ü")],
        ] {
            assert_eq!(key(pairs), Err(401), "{pairs:?}");
        }
    }
}
