//! The room an answer's headers say the provider leaves.
//!
//! Source: `OpenAI`'s rate-limit headers (<https://platform.openai.com/docs/guides/rate-limits>), Anthropic's
//! (<https://docs.anthropic.com/en/api/rate-limits>), and the plain names that compatible servers use.

use std::time::Duration;

use chrono::DateTime;
use reqwest::header::{DATE, HeaderMap};
use signalbox_core::health::RateHeadroom;
use signalbox_core::time::Timestamp;

/// Numbers from here on are instants in seconds since the Unix epoch, not waits.
const EPOCH_SECONDS_FROM: f64 = 1e9;
/// Numbers from here on are instants in milliseconds.
const EPOCH_MILLIS_FROM: f64 = 1e12;

/// What is left of a provider's limits, as an answer's headers say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Headroom {
    /// Requests that may still come.
    pub remaining_requests: Option<u64>,
    /// Requests per period.
    pub limit_requests: Option<u64>,
    /// Tokens that may still come.
    pub remaining_tokens: Option<u64>,
    /// Tokens per period.
    pub limit_tokens: Option<u64>,
    /// How long until what is used up comes back.
    pub resets_in: Option<Duration>,
}

impl Headroom {
    /// What the headers say; `None` when they say nothing.
    pub(crate) fn of(headers: &HeaderMap) -> Option<Self> {
        let requests = Limit::of(headers, REQUESTS);
        let tokens = Limit::of(headers, TOKENS);
        let used_up = [&requests, &tokens].into_iter().filter(|limit| limit.remaining == Some(0));
        let resets_in = used_up.filter_map(|limit| limit.resets_in).max();
        let headroom = Self {
            remaining_requests: requests.remaining,
            limit_requests: requests.limit,
            remaining_tokens: tokens.remaining,
            limit_tokens: tokens.limit,
            resets_in: resets_in.or(requests.resets_in).or(tokens.resets_in),
        };
        let says_something = headroom.remaining_requests.is_some() || headroom.remaining_tokens.is_some();
        says_something.then_some(headroom)
    }

    /// As it is kept: with instants in place of waits.
    pub fn seen_at(&self, now: Timestamp) -> RateHeadroom {
        let after = |wait: Duration| now.plus_micros(i64::try_from(wait.as_micros()).unwrap_or(i64::MAX));
        RateHeadroom {
            remaining_requests: self.remaining_requests,
            limit_requests: self.limit_requests,
            remaining_tokens: self.remaining_tokens,
            limit_tokens: self.limit_tokens,
            resets_at: self.resets_in.map(after),
            seen_at: now,
        }
    }
}

/// Names of one limit's headers: remaining, limit, reset; by vendor.
type Names = [[&'static str; 3]; 3];

const REQUESTS: Names = [
    ["x-ratelimit-remaining-requests", "x-ratelimit-limit-requests", "x-ratelimit-reset-requests"],
    [
        "anthropic-ratelimit-requests-remaining",
        "anthropic-ratelimit-requests-limit",
        "anthropic-ratelimit-requests-reset",
    ],
    ["x-ratelimit-remaining", "x-ratelimit-limit", "x-ratelimit-reset"],
];

const TOKENS: Names = [
    ["x-ratelimit-remaining-tokens", "x-ratelimit-limit-tokens", "x-ratelimit-reset-tokens"],
    [
        "anthropic-ratelimit-tokens-remaining",
        "anthropic-ratelimit-tokens-limit",
        "anthropic-ratelimit-tokens-reset",
    ],
    [
        "anthropic-ratelimit-input-tokens-remaining",
        "anthropic-ratelimit-input-tokens-limit",
        "anthropic-ratelimit-input-tokens-reset",
    ],
];

#[derive(Default)]
struct Limit {
    remaining: Option<u64>,
    limit: Option<u64>,
    resets_in: Option<Duration>,
}

impl Limit {
    fn of(headers: &HeaderMap, names: Names) -> Self {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
        let known = names.iter().find(|[remaining, _, _]| headers.contains_key(*remaining));
        let Some([remaining, limit, reset]) = known else { return Self::default() };
        let count = |name| text(name).and_then(|value: &str| value.parse().ok());
        let answered_at = text(DATE.as_str()).and_then(|date| DateTime::parse_from_rfc2822(date).ok());
        Self {
            remaining: count(remaining),
            limit: count(limit),
            resets_in: text(reset).and_then(|value| wait(value, answered_at)),
        }
    }
}

/// How long it is until a reset: `6m0s`, `1.5`, an instant in RFC 3339, or one since the Unix epoch. An instant is compared
/// with the answer's own clock, so that ours need not agree with the provider's.
fn wait(text: &str, answered_at: Option<DateTime<chrono::FixedOffset>>) -> Option<Duration> {
    if let Ok(at) = DateTime::parse_from_rfc3339(text) {
        return (at - answered_at?).max(chrono::TimeDelta::zero()).to_std().ok();
    }
    let Ok(number) = text.parse::<f64>() else { return spelt_out(text) };
    if number < EPOCH_SECONDS_FROM {
        return Duration::try_from_secs_f64(number).ok();
    }
    let seconds = if number < EPOCH_MILLIS_FROM { number } else { number / 1e3 };
    let at = Duration::try_from_secs_f64(seconds).ok()?;
    let now = Duration::from_secs(u64::try_from(answered_at?.timestamp()).ok()?);
    Some(at.saturating_sub(now))
}

/// A duration such as `1h2m3.5s` or `20ms`.
fn spelt_out(text: &str) -> Option<Duration> {
    let (mut rest, mut sum) = (text, Duration::ZERO);
    while !rest.is_empty() {
        let digits = rest.find(|char: char| !char.is_ascii_digit() && char != '.')?;
        let (number, tail) = rest.split_at(digits);
        let unit = tail.find(|char: char| char.is_ascii_digit()).unwrap_or(tail.len());
        let (word, tail) = tail.split_at(unit);
        let in_seconds = match word {
            "ms" => 1e-3,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3_600.0,
            "d" => 86_400.0,
            _ => return None,
        };
        sum = sum.checked_add(Duration::try_from_secs_f64(number.parse::<f64>().ok()? * in_seconds).ok()?)?;
        rest = tail;
    }
    Some(sum)
}

#[cfg(test)]
mod tests {
    use reqwest::header::{HeaderName, HeaderValue};

    use super::*;

    fn of(pairs: &[(&'static str, &'static str)]) -> Option<Headroom> {
        let headers = pairs
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect();
        Headroom::of(&headers)
    }

    #[test]
    fn openais_headers_are_read_and_the_reset_is_that_of_what_is_used_up() {
        let headroom = of(&[
            ("x-ratelimit-limit-requests", "60"),
            ("x-ratelimit-remaining-requests", "59"),
            ("x-ratelimit-reset-requests", "1s"),
            ("x-ratelimit-limit-tokens", "150000"),
            ("x-ratelimit-remaining-tokens", "0"),
            ("x-ratelimit-reset-tokens", "6m0.5s"),
        ])
        .unwrap();
        assert_eq!((headroom.remaining_requests, headroom.limit_requests), (Some(59), Some(60)));
        assert_eq!((headroom.remaining_tokens, headroom.limit_tokens), (Some(0), Some(150_000)));
        assert_eq!(headroom.resets_in, Some(Duration::from_millis(360_500)));
        let seen = headroom.seen_at(Timestamp::from_micros(0));
        assert_eq!(seen.resets_at, Some(Timestamp::from_micros(360_500_000)));
    }

    #[test]
    fn anthropics_instants_are_measured_by_its_own_clock() {
        let headroom = of(&[
            ("date", "Sat, 21 Nov 2026 12:00:00 GMT"),
            ("anthropic-ratelimit-requests-limit", "50"),
            ("anthropic-ratelimit-requests-remaining", "0"),
            ("anthropic-ratelimit-requests-reset", "2026-11-21T12:00:30Z"),
        ]);
        assert_eq!(headroom.unwrap().resets_in, Some(Duration::from_secs(30)));
    }

    #[test]
    fn every_way_to_say_when_is_understood_and_nonsense_says_nothing() {
        let date = DateTime::parse_from_rfc2822("Sat, 21 Nov 2026 12:00:00 GMT").ok();
        let epoch = date.unwrap().timestamp();
        for (text, expected_ms) in [
            ("20ms", Some(20)),
            ("1h2m3s", Some(3_723_000)),
            ("1.5", Some(1_500)),
            ("", Some(0)),
            ("soon", None),
            ("-1", None),
            ("5 minutes", None),
        ] {
            assert_eq!(wait(text, date), expected_ms.map(Duration::from_millis), "{text}");
        }
        assert_eq!(wait(&(epoch + 9).to_string(), date), Some(Duration::from_secs(9)));
        assert_eq!(wait(&((epoch + 9) * 1_000).to_string(), date), Some(Duration::from_secs(9)));
        assert_eq!(of(&[("x-ratelimit-limit-requests", "60")]), None);
        assert_eq!(of(&[("x-ratelimit-remaining", "many")]), None);
    }
}
