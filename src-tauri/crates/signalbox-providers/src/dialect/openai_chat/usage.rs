//! `OpenAI`'s usage: totals that contain their details. They are taken apart here, once.

use serde_json::{Map, Value, json};
use signalbox_core::money::NanoUsd;
use signalbox_core::usage::{Unit, Usage};

use crate::chat::Report;
use crate::dialect::usage_number::{Unbelievable, count, detail};

/// What an answer, complete or one chunk of a stream, says was used.
///
/// Beside `usage` it may stand in `x_groq.usage` (Groq) or in the choice (Moonshot).
pub(crate) fn of_answer(body: &Value) -> Option<Report> {
    let places = ["/usage", "/x_groq/usage", "/choices/0/usage"];
    let usage = places.iter().find_map(|place| body.pointer(place).filter(|usage| !usage.is_null()))?;
    let Some(fields) = usage.as_object() else {
        return Some(Report { usage: None, complete: true, charged: None });
    };
    Some(Report { usage: disjoint(fields).ok(), complete: true, charged: charged(fields) })
}

/// Takes the totals apart so that no token is counted twice.
fn disjoint(fields: &Map<String, Value>) -> Result<Usage, Unbelievable> {
    let prompt = count(fields, "prompt_tokens")?.ok_or(Unbelievable)?;
    let completion = count(fields, "completion_tokens")?.unwrap_or(0);
    let total = count(fields, "total_tokens")?.filter(|total| *total > 0);
    let input = Input::read(fields, prompt)?;
    let output = Output::read(fields, prompt, completion, total)?;
    Ok(Usage::default()
        .with(Unit::InputTokens, input.fresh)
        .with(Unit::CachedInputTokens, input.cached)
        .with(Unit::CacheWrite5mTokens, input.written)
        .with(Unit::AudioInputTokens, input.audio)
        .with(Unit::CachedAudioInputTokens, input.cached_audio)
        .with(Unit::OutputTokens, output.visible)
        .with(Unit::ReasoningTokens, output.reasoning)
        .with(Unit::AudioOutputTokens, output.audio)
        .with(Unit::ImageOutputTokens, output.image))
}

/// Disjoint parts of the prompt.
struct Input {
    fresh: u64,
    cached: u64,
    written: u64,
    audio: u64,
    cached_audio: u64,
}

impl Input {
    fn read(fields: &Map<String, Value>, prompt: u64) -> Result<Self, Unbelievable> {
        let details = detail(fields, "prompt_tokens_details");
        // OpenAI's place, then DeepSeek's, then Moonshot's.
        let cached = match count(details, "cached_tokens")? {
            Some(cached) => cached,
            None => match count(fields, "prompt_cache_hit_tokens")? {
                Some(hit) => hit,
                None => count(fields, "cached_tokens")?.unwrap_or(0),
            },
        };
        let written = count(details, "cache_write_tokens")?.unwrap_or(0);
        let audio = count(details, "audio_tokens")?.unwrap_or(0);
        let cached_audio = count(detail(details, "cached_tokens_details"), "audio_tokens")?.unwrap_or(0);
        let cached = cached.checked_sub(cached_audio).ok_or(Unbelievable)?;
        let audio = audio.checked_sub(cached_audio).ok_or(Unbelievable)?;
        let fresh = [cached, written, audio, cached_audio]
            .into_iter()
            .try_fold(prompt, u64::checked_sub)
            .ok_or(Unbelievable)?;
        Ok(Self { fresh, cached, written, audio, cached_audio })
    }
}

/// Disjoint parts of the completion.
struct Output {
    visible: u64,
    reasoning: u64,
    audio: u64,
    image: u64,
}

impl Output {
    /// `OpenAI` counts reasoning inside `completion_tokens`; Google's and xAI's compatible endpoints leave it out, which
    /// only the total gives away. Either way the parts add up to the provider's own total.
    fn read(
        fields: &Map<String, Value>,
        prompt: u64,
        completion: u64,
        total: Option<u64>,
    ) -> Result<Self, Unbelievable> {
        let details = detail(fields, "completion_tokens_details");
        let named = count(details, "reasoning_tokens")?.or(count(fields, "reasoning_tokens")?).unwrap_or(0);
        let audio = count(details, "audio_tokens")?.unwrap_or(0);
        let image = count(details, "image_tokens")?.unwrap_or(0);
        let beyond = match total {
            None => 0,
            Some(total) => total.checked_sub(prompt.saturating_add(completion)).ok_or(Unbelievable)?,
        };
        let inside = if named <= beyond { 0 } else { named };
        let reasoning = inside.saturating_add(beyond);
        let visible =
            [inside, audio, image].into_iter().try_fold(completion, u64::checked_sub).ok_or(Unbelievable)?;
        Ok(Self { visible, reasoning, audio, image })
    }
}

/// The amount an aggregator names, in dollars: `OpenRouter`'s `cost` (with its upstream's part when the upstream bills the
/// user's own key) or Perplexity's `cost.total_cost`.
fn charged(fields: &Map<String, Value>) -> Option<NanoUsd> {
    let amount = |value: &Value| value.as_number().and_then(|number| dollars(&number.to_string()));
    let cost = match fields.get("cost")? {
        Value::Object(parts) => return amount(parts.get("total_cost")?),
        cost => amount(cost)?,
    };
    let own_key = fields.get("is_byok").and_then(Value::as_bool).unwrap_or(false);
    let upstream = detail(fields, "cost_details").get("upstream_inference_cost").filter(|_| own_key);
    let charged = match upstream.and_then(amount) {
        Some(upstream) => cost.checked_add(upstream)?,
        None => cost,
    };
    (charged <= CHARGED_MAX).then_some(charged)
}

/// No single call costs this much; who says so is not believed. Units: $100,000.
const CHARGED_MAX: NanoUsd = NanoUsd::from_nanos(100_000 * 1_000_000_000);

/// Dollars as a JSON number is written, `1.4e-6` included, rounded up to a nano-dollar. Nothing negative.
fn dollars(text: &str) -> Option<NanoUsd> {
    const NANO_DIGITS: i32 = 9;
    const SHIFT_MAX: u32 = 18;
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits: i128 = format!("{whole}{fraction}").parse().ok().filter(|digits| *digits >= 0)?;
    let shift = exponent.checked_add(NANO_DIGITS)?.checked_sub(i32::try_from(fraction.len()).ok()?)?;
    if shift > 0 && shift.unsigned_abs() > SHIFT_MAX {
        return None;
    }
    let power = 10_i128.checked_pow(shift.unsigned_abs().min(SHIFT_MAX))?;
    let nanos = if shift >= 0 { digits.checked_mul(power)? } else { digits.checked_add(power - 1)? / power };
    i64::try_from(nanos).ok().map(NanoUsd::from_nanos)
}

/// Usage in `OpenAI`'s form: totals that contain their details.
pub(crate) fn write(usage: &Usage) -> Value {
    let (prompt, completion) = (usage.tokens_in(), usage.tokens_out());
    let cached = usage.get(Unit::CachedInputTokens).saturating_add(usage.get(Unit::CachedAudioInputTokens));
    let audio_in = usage.get(Unit::AudioInputTokens).saturating_add(usage.get(Unit::CachedAudioInputTokens));
    json!({
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt.saturating_add(completion),
        "prompt_tokens_details": {"cached_tokens": cached, "audio_tokens": audio_in},
        "completion_tokens_details": {
            "reasoning_tokens": usage.get(Unit::ReasoningTokens),
            "audio_tokens": usage.get(Unit::AudioOutputTokens),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nanos(text: &str) -> Option<i64> {
        dollars(text).map(NanoUsd::as_nanos)
    }

    #[test]
    fn an_amount_is_read_as_it_is_written_and_rounded_up_never_to_nothing() {
        assert_eq!(nanos("0.00014"), Some(140_000));
        assert_eq!(nanos("1.4e-6"), Some(1_400));
        assert_eq!(nanos("2"), Some(2_000_000_000));
        assert_eq!(nanos("0"), Some(0));
        assert_eq!(nanos("1e-12"), Some(1));
        assert_eq!(nanos("1e-2147483648"), Some(1));
        assert_eq!(nanos("0.0000000014"), Some(2));
        for bad in ["-1", "-0.5", "1e300", "1e-2147483649", "x", ""] {
            assert_eq!(nanos(bad), None, "{bad}");
        }
    }

    fn read(usage: &Value) -> Report {
        of_answer(&json!({"usage": usage})).unwrap()
    }

    fn units(usage: &Value) -> Vec<(Unit, u64)> {
        read(usage).usage.unwrap_or_else(|| panic!("{usage}")).iter().collect()
    }

    fn fixture(text: &str) -> Report {
        of_answer(&serde_json::from_str(text).unwrap()).unwrap()
    }

    #[test]
    fn every_vendors_published_usage_comes_apart_into_disjoint_units() {
        let table = [
            (
                include_str!("../../../tests/fixtures/openai/complete.json"),
                vec![(Unit::InputTokens, 19), (Unit::OutputTokens, 10)],
            ),
            (
                include_str!("../../../tests/fixtures/openai/complete_cached_reasoning.json"),
                vec![
                    (Unit::InputTokens, 86),
                    (Unit::CachedInputTokens, 1920),
                    (Unit::OutputTokens, 108),
                    (Unit::ReasoningTokens, 192),
                ],
            ),
            (
                include_str!("../../../tests/fixtures/openai/complete_audio.json"),
                vec![
                    (Unit::InputTokens, 4),
                    (Unit::CachedInputTokens, 3),
                    (Unit::OutputTokens, 8),
                    (Unit::AudioInputTokens, 8),
                    (Unit::CachedAudioInputTokens, 2),
                    (Unit::AudioOutputTokens, 25),
                ],
            ),
            (
                include_str!("../../../tests/fixtures/openai/deepseek.json"),
                vec![
                    (Unit::InputTokens, 6),
                    (Unit::CachedInputTokens, 1024),
                    (Unit::OutputTokens, 20),
                    (Unit::ReasoningTokens, 40),
                ],
            ),
            (
                include_str!("../../../tests/fixtures/openai/gemini.json"),
                vec![(Unit::InputTokens, 5), (Unit::OutputTokens, 3), (Unit::ReasoningTokens, 50)],
            ),
            (
                include_str!("../../../tests/fixtures/openai/openrouter.json"),
                vec![
                    (Unit::InputTokens, 44),
                    (Unit::CachedInputTokens, 100),
                    (Unit::CacheWrite5mTokens, 50),
                    (Unit::OutputTokens, 8),
                    (Unit::ReasoningTokens, 4),
                ],
            ),
        ];
        for (text, expected) in table {
            let mut found: Vec<_> = fixture(text).usage.unwrap().iter().collect();
            let mut expected = expected;
            found.sort_unstable();
            expected.sort_unstable();
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn the_parts_add_up_to_the_providers_own_total_whether_or_not_reasoning_is_inside() {
        let usage = |completion: u64, reasoning: u64, total: u64| {
            json!({
                "prompt_tokens": 10, "completion_tokens": completion, "total_tokens": total,
                "completion_tokens_details": {"reasoning_tokens": reasoning},
            })
        };
        let out = |visible, reasoning| {
            vec![(Unit::InputTokens, 10), (Unit::OutputTokens, visible), (Unit::ReasoningTokens, reasoning)]
        };
        assert_eq!(units(&usage(100, 60, 110)), out(40, 60));
        assert_eq!(units(&usage(40, 60, 110)), out(40, 60));
        assert_eq!(units(&usage(40, 0, 110)), out(40, 60));
        assert_eq!(units(&usage(100, 60, 115)), out(40, 65));
    }

    #[test]
    fn an_amount_the_provider_names_is_taken_over() {
        let charged = |usage: &Value| read(usage).charged.map(NanoUsd::as_nanos);
        let openrouter = fixture(include_str!("../../../tests/fixtures/openai/openrouter.json"));
        assert_eq!(openrouter.charged, Some(NanoUsd::from_nanos(950_000)));
        let own_key =
            json!({"cost": 0.001, "is_byok": true, "cost_details": {"upstream_inference_cost": 0.02}});
        assert_eq!(charged(&own_key), Some(21_000_000));
        assert_eq!(charged(&json!({"cost": {"total_cost": 0.006}})), Some(6_000_000));
        for lie in [json!({"cost": -1}), json!({"cost": "1"}), json!({"cost": 1e300}), json!({"cost": []})] {
            assert_eq!(charged(&lie), None, "{lie}");
        }
    }

    #[test]
    fn a_lie_is_not_believed() {
        let lies = [
            json!("many"),
            json!([]),
            json!({}),
            json!({"completion_tokens": 5}),
            json!({"prompt_tokens": -1, "completion_tokens": 5}),
            json!({"prompt_tokens": 1.5, "completion_tokens": 5}),
            json!({"prompt_tokens": "10", "completion_tokens": 5}),
            json!({"prompt_tokens": 1_000_000_001_u64, "completion_tokens": 5}),
            json!({"prompt_tokens": u64::MAX, "completion_tokens": u64::MAX, "total_tokens": u64::MAX}),
            json!({"prompt_tokens": 10, "completion_tokens": null, "total_tokens": 5}),
            json!({"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 12}),
            json!({"prompt_tokens": 10, "completion_tokens": 5, "prompt_tokens_details": {"cached_tokens": 11}}),
            json!({"prompt_tokens": 10, "prompt_tokens_details": {"cached_tokens": 8, "audio_tokens": 3}}),
            json!({"prompt_tokens": 10, "prompt_tokens_details": {"cached_tokens": 1, "cached_tokens_details": {"audio_tokens": 2}}}),
            json!({"prompt_tokens": 10, "completion_tokens": 5, "completion_tokens_details": {"reasoning_tokens": 6}}),
            json!({"prompt_tokens": 10, "completion_tokens": 5, "completion_tokens_details": {"audio_tokens": 4, "reasoning_tokens": 2}}),
        ];
        for lie in lies {
            assert_eq!(read(&lie).usage, None, "{lie}");
        }
    }

    #[test]
    fn usage_is_found_wherever_a_vendor_puts_it_and_null_is_none() {
        let usage = json!({"prompt_tokens": 3, "completion_tokens": 2, "cached_tokens": 1});
        let expected = Usage::default()
            .with(Unit::InputTokens, 2)
            .with(Unit::CachedInputTokens, 1)
            .with(Unit::OutputTokens, 2);
        for body in [
            json!({"usage": usage}),
            json!({"usage": null, "x_groq": {"usage": usage}}),
            json!({"choices": [{"usage": usage}]}),
        ] {
            assert_eq!(of_answer(&body).unwrap().usage, Some(expected), "{body}");
        }
        assert_eq!(of_answer(&json!({"usage": null, "choices": []})), None);
    }

    #[test]
    fn what_is_written_reads_back_the_same() {
        let usage = Usage::default()
            .with(Unit::InputTokens, 5)
            .with(Unit::CachedInputTokens, 7)
            .with(Unit::AudioInputTokens, 11)
            .with(Unit::OutputTokens, 13)
            .with(Unit::ReasoningTokens, 17)
            .with(Unit::AudioOutputTokens, 19);
        assert_eq!(read(&write(&usage)).usage, Some(usage));
    }
}
