//! Gemini's usage: a prompt that contains what came from the cache, answers that leave thinking out, and the kinds of
//! content in lists beside the totals. They are taken apart here, once.

use serde_json::{Map, Value};
use signalbox_core::usage::{Unit, Usage};

use crate::chat::Report;
use crate::dialect::usage_number::{Unbelievable, count};

/// What a complete answer says was used.
pub(crate) fn of_answer(body: &Value) -> Option<Report> {
    of_chunk(body, searches(body), true)
}

/// What one chunk of a stream says was used up to here; `complete` when the model has stopped.
pub(super) fn of_chunk(body: &Value, searches: u64, complete: bool) -> Option<Report> {
    let usage = body.get("usageMetadata").filter(|usage| !usage.is_null())?;
    let usage = usage.as_object().and_then(|fields| disjoint(fields, searches).ok());
    Some(Report { usage, complete, charged: None })
}

/// Searches that Google bills: each query, but for the models before the third generation once for all of them.
///
/// Source: "Grounding with Google Search" of the pricing page.
pub(super) fn searches(body: &Value) -> u64 {
    let queries = body.pointer("/candidates/0/groundingMetadata/webSearchQueries").and_then(Value::as_array);
    let made = queries.map_or(0, |queries| crate::tokens::as_u64(queries.len()));
    let model = body.get("modelVersion").and_then(Value::as_str).unwrap_or_default();
    let by_prompt = ["gemini-1", "gemini-2"].iter().any(|old| model.starts_with(old));
    if by_prompt { made.min(1) } else { made }
}

/// Takes the totals apart so that no token is counted twice.
fn disjoint(fields: &Map<String, Value>, searches: u64) -> Result<Usage, Unbelievable> {
    let total = |key| count(fields, key);
    let prompt = total("promptTokenCount")?.ok_or(Unbelievable)?;
    let input = Input::read(fields, prompt)?;
    // What the provider's own tools gave the model to read is no part of the prompt.
    let from_tools = total("toolUsePromptTokenCount")?.unwrap_or(0);
    let output = Output::read(fields, prompt, from_tools)?;
    Ok(Usage::default()
        .with(Unit::InputTokens, input.text.saturating_add(from_tools))
        .with(Unit::CachedInputTokens, input.cached)
        .with(Unit::AudioInputTokens, input.audio)
        .with(Unit::CachedAudioInputTokens, input.cached_audio)
        .with(Unit::ImageInputTokens, input.image)
        .with(Unit::OutputTokens, output.visible)
        .with(Unit::ReasoningTokens, output.reasoning)
        .with(Unit::AudioOutputTokens, output.audio)
        .with(Unit::ImageOutputTokens, output.image)
        .with(Unit::WebSearches, searches))
}

/// Tokens by kind of content. Pictures and films cost alike, documents are read as text.
#[derive(Debug, Clone, Copy, Default)]
struct Kinds {
    text: u64,
    audio: u64,
    image: u64,
}

impl Kinds {
    /// The list at `key`; `None` when there is none.
    fn read(fields: &Map<String, Value>, key: &str) -> Result<Option<Self>, Unbelievable> {
        let list = match fields.get(key) {
            None | Some(Value::Null) => return Ok(None),
            Some(Value::Array(list)) => list,
            Some(_) => return Err(Unbelievable),
        };
        let mut kinds = Self::default();
        for detail in list {
            let detail = detail.as_object().ok_or(Unbelievable)?;
            let tokens = count(detail, "tokenCount")?.unwrap_or(0);
            let kind = match detail.get("modality").and_then(Value::as_str) {
                Some("AUDIO") => &mut kinds.audio,
                Some("IMAGE" | "VIDEO") => &mut kinds.image,
                _ => &mut kinds.text,
            };
            *kind = kind.saturating_add(tokens);
        }
        Ok((!list.is_empty()).then_some(kinds))
    }

    const fn sum(self) -> u64 {
        self.text.saturating_add(self.audio).saturating_add(self.image)
    }
}

/// Disjoint parts of the prompt.
struct Input {
    text: u64,
    audio: u64,
    image: u64,
    /// Text and pictures from the cache.
    cached: u64,
    cached_audio: u64,
}

impl Input {
    fn read(fields: &Map<String, Value>, prompt: u64) -> Result<Self, Unbelievable> {
        let cached = count(fields, "cachedContentTokenCount")?.unwrap_or(0);
        let fresh = prompt.checked_sub(cached).ok_or(Unbelievable)?;
        let from_cache = Kinds::read(fields, "cacheTokensDetails")?;
        let all = match (Kinds::read(fields, "promptTokensDetails")?, from_cache) {
            // Some answers list only what was read afresh.
            (Some(listed), Some(from_cache)) if cached > 0 && listed.sum() == fresh => Kinds {
                text: 0,
                audio: listed.audio.saturating_add(from_cache.audio),
                image: listed.image.saturating_add(from_cache.image),
            },
            (Some(listed), _) => listed,
            (None, from_cache) => from_cache.unwrap_or_default(),
        };
        let text = less(prompt, [all.audio, all.image])?;
        let cache = if let Some(kinds) = from_cache {
            Kinds { text: less(cached, [kinds.audio, kinds.image])?, ..kinds }
        } else {
            // What came from the cache is not said: the cheapest of it, so that the estimate is from above.
            let of_text = cached.min(text);
            let of_image = cached.saturating_sub(of_text).min(all.image);
            Kinds { text: of_text, image: of_image, audio: less(cached, [of_text, of_image])? }
        };
        Ok(Self {
            text: less(text, [cache.text])?,
            audio: less(all.audio, [cache.audio])?,
            image: less(all.image, [cache.image])?,
            cached: cache.text.saturating_add(cache.image),
            cached_audio: cache.audio,
        })
    }
}

/// Disjoint parts of the answer.
struct Output {
    visible: u64,
    reasoning: u64,
    audio: u64,
    image: u64,
}

impl Output {
    /// The parts add up to the provider's own total: what that has beyond them was thought.
    fn read(fields: &Map<String, Value>, prompt: u64, from_tools: u64) -> Result<Self, Unbelievable> {
        let said = count(fields, "candidatesTokenCount")?.unwrap_or(0);
        let thought = count(fields, "thoughtsTokenCount")?.unwrap_or(0);
        let named = prompt.saturating_add(said).saturating_add(thought);
        let beyond = match count(fields, "totalTokenCount")?.filter(|total| *total > 0) {
            None => 0,
            // With or without what the provider's tools gave it to read.
            Some(total) => total.checked_sub(named).ok_or(Unbelievable)?.saturating_sub(from_tools),
        };
        let kinds = Kinds::read(fields, "candidatesTokensDetails")?.unwrap_or_default();
        Ok(Self {
            visible: less(said, [kinds.audio, kinds.image])?,
            reasoning: thought.saturating_add(beyond),
            audio: kinds.audio,
            image: kinds.image,
        })
    }
}

/// `total` without its `parts`, which must not be more.
fn less<const N: usize>(total: u64, parts: [u64; N]) -> Result<u64, Unbelievable> {
    parts.into_iter().try_fold(total, u64::checked_sub).ok_or(Unbelievable)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(usage: &Value) -> Option<Usage> {
        of_answer(&json!({"usageMetadata": usage})).unwrap().usage
    }

    fn units(units: &[(Unit, u64)]) -> Usage {
        units.iter().copied().collect()
    }

    fn kind(modality: &str, tokens: u64) -> Value {
        json!({"modality": modality, "tokenCount": tokens})
    }

    #[test]
    fn every_published_usage_comes_apart_into_disjoint_units() {
        let table = [
            (
                include_str!("../../../tests/fixtures/gemini/complete.json"),
                vec![(Unit::InputTokens, 8), (Unit::OutputTokens, 10)],
            ),
            (
                include_str!("../../../tests/fixtures/gemini/complete_cached.json"),
                vec![
                    (Unit::InputTokens, 29),
                    (Unit::CachedInputTokens, 696_190),
                    (Unit::OutputTokens, 214),
                    (Unit::ReasoningTokens, 96),
                ],
            ),
            (
                include_str!("../../../tests/fixtures/gemini/complete_thinking.json"),
                vec![(Unit::InputTokens, 10), (Unit::OutputTokens, 15), (Unit::ReasoningTokens, 142)],
            ),
            (
                include_str!("../../../tests/fixtures/gemini/complete_tools.json"),
                vec![(Unit::InputTokens, 86), (Unit::OutputTokens, 35), (Unit::ReasoningTokens, 61)],
            ),
            (
                include_str!("../../../tests/fixtures/gemini/complete_audio.json"),
                vec![
                    (Unit::InputTokens, 12),
                    (Unit::CachedInputTokens, 100),
                    (Unit::AudioInputTokens, 1000),
                    (Unit::CachedAudioInputTokens, 920),
                    (Unit::ImageInputTokens, 258),
                    (Unit::OutputTokens, 20),
                ],
            ),
            (include_str!("../../../tests/fixtures/gemini/blocked.json"), vec![(Unit::InputTokens, 9)]),
        ];
        for (text, expected) in table {
            let report = of_answer(&serde_json::from_str(text).unwrap()).unwrap();
            assert_eq!(report.usage, Some(units(&expected)), "{text}");
            assert!(report.complete);
        }
    }

    #[test]
    fn cached_sound_is_its_own_unit_whether_or_not_the_details_contain_the_cache() {
        let expected = Some(units(&[
            (Unit::InputTokens, 40),
            (Unit::CachedInputTokens, 60),
            (Unit::AudioInputTokens, 300),
            (Unit::CachedAudioInputTokens, 700),
        ]));
        let usage = |details: Value| {
            json!({
                "promptTokenCount": 1100, "cachedContentTokenCount": 760, "totalTokenCount": 1100,
                "promptTokensDetails": details, "cacheTokensDetails": [kind("TEXT", 60), kind("AUDIO", 700)],
            })
        };
        assert_eq!(read(&usage(json!([kind("TEXT", 100), kind("AUDIO", 1000)]))), expected);
        assert_eq!(read(&usage(json!([kind("TEXT", 40), kind("AUDIO", 300)]))), expected);
    }

    #[test]
    fn a_cache_whose_content_is_not_named_is_taken_for_the_cheapest() {
        let usage = |cached: u64| {
            read(&json!({
                "promptTokenCount": 1000, "cachedContentTokenCount": cached,
                "promptTokensDetails": [kind("TEXT", 100), kind("IMAGE", 200), kind("AUDIO", 700)],
            }))
            .unwrap()
        };
        let units = [Unit::CachedInputTokens, Unit::CachedAudioInputTokens, Unit::AudioInputTokens];
        let of = |cached| units.map(|unit| usage(cached).get(unit));
        assert_eq!(of(80), [80, 0, 700]);
        assert_eq!(of(250), [250, 0, 700]);
        assert_eq!(of(500), [300, 200, 500]);
        assert_eq!(usage(500).tokens_in(), 1000);
    }

    #[test]
    fn the_parts_add_up_to_the_providers_own_total() {
        let usage = |total: u64| {
            json!({
                "promptTokenCount": 27, "candidatesTokenCount": 45, "thoughtsTokenCount": 31,
                "toolUsePromptTokenCount": 1000, "totalTokenCount": total,
            })
        };
        let read_as = |thought| {
            Some(units(&[
                (Unit::InputTokens, 1027),
                (Unit::OutputTokens, 45),
                (Unit::ReasoningTokens, thought),
            ]))
        };
        assert_eq!(read(&usage(1103)), read_as(31));
        assert_eq!(read(&usage(103)), read_as(31));
        assert_eq!(read(&usage(0)), read_as(31));
        assert_eq!(read(&usage(1110)), read_as(38));
        assert_eq!(read(&usage(102)), None);
    }

    #[test]
    fn sound_and_pictures_that_are_made_are_no_text() {
        let usage = json!({
            "promptTokenCount": 5, "candidatesTokenCount": 1400, "totalTokenCount": 1405,
            "candidatesTokensDetails": [kind("TEXT", 10), kind("IMAGE", 1290), kind("AUDIO", 100)],
        });
        let expected = Some(units(&[
            (Unit::InputTokens, 5),
            (Unit::OutputTokens, 10),
            (Unit::AudioOutputTokens, 100),
            (Unit::ImageOutputTokens, 1290),
        ]));
        assert_eq!(read(&usage), expected);
    }

    #[test]
    fn searches_are_counted_as_each_generation_bills_them() {
        let body = |model: &str, queries: Value| {
            json!({
                "candidates": [{"groundingMetadata": {"webSearchQueries": queries}}],
                "usageMetadata": {"promptTokenCount": 5, "candidatesTokenCount": 2},
                "modelVersion": model,
            })
        };
        let made =
            |model, queries| of_answer(&body(model, queries)).unwrap().usage.unwrap().get(Unit::WebSearches);
        assert_eq!(made("gemini-3.8-flash", json!(["a", "b"])), 2);
        assert_eq!(made("gemini-2.5-flash", json!(["a", "b"])), 1);
        assert_eq!(made("gemini-3.8-flash", json!([])), 0);
        assert_eq!(made("gemini-3.8-flash", json!("a")), 0);
    }

    #[test]
    fn a_lie_is_not_believed_and_no_usage_is_none() {
        for lie in [
            json!("many"),
            json!([]),
            json!({}),
            json!({"candidatesTokenCount": 5}),
            json!({"promptTokenCount": -1, "candidatesTokenCount": 5}),
            json!({"promptTokenCount": 0.5, "candidatesTokenCount": 5}),
            json!({"promptTokenCount": "10", "candidatesTokenCount": 5}),
            json!({"promptTokenCount": 1_000_000_001_u64}),
            json!({"promptTokenCount": u64::MAX, "candidatesTokenCount": u64::MAX, "totalTokenCount": u64::MAX}),
            json!({"promptTokenCount": 1e30}),
            json!({"promptTokenCount": 10, "cachedContentTokenCount": 11}),
            json!({"promptTokenCount": 10, "thoughtsTokenCount": -3}),
            json!({"promptTokenCount": 10, "promptTokensDetails": [kind("AUDIO", 11)]}),
            json!({"promptTokenCount": 10, "promptTokensDetails": {"AUDIO": 1}}),
            json!({"promptTokenCount": 10, "promptTokensDetails": [7]}),
            json!({"promptTokenCount": 10, "promptTokensDetails": [{"modality": "AUDIO", "tokenCount": -1}]}),
            json!({"promptTokenCount": 10, "cachedContentTokenCount": 5, "cacheTokensDetails": [kind("AUDIO", 6)]}),
            json!({"promptTokenCount": 10, "candidatesTokenCount": 5, "candidatesTokensDetails": [kind("IMAGE", 6)]}),
            json!({"promptTokenCount": 10, "candidatesTokenCount": 5, "totalTokenCount": 12}),
        ] {
            assert_eq!(read(&lie), None, "{lie}");
        }
        assert_eq!(of_answer(&json!({"usageMetadata": null, "candidates": []})), None);
    }
}
