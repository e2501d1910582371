//! Usage of the Responses API: totals that contain their details, and what the provider's own tools used beside them.

use serde_json::{Map, Value, json};
use signalbox_core::usage::{Unit, Usage};

use crate::chat::Report;
use crate::dialect::usage_number::{Unbelievable, count, detail};

/// What a response, complete or the one that ends a stream, says was used.
pub(crate) fn of_answer(response: &Value) -> Option<Report> {
    let usage = response.get("usage").filter(|usage| !usage.is_null())?;
    let usage = usage.as_object().and_then(|fields| disjoint(fields, response).ok());
    Some(Report { usage, complete: true, charged: None })
}

/// Takes the totals apart so that no token is counted twice.
fn disjoint(fields: &Map<String, Value>, response: &Value) -> Result<Usage, Unbelievable> {
    let input = count(fields, "input_tokens")?.ok_or(Unbelievable)?;
    let output = count(fields, "output_tokens")?.unwrap_or(0);
    let details = detail(fields, "input_tokens_details");
    let cached = count(details, "cached_tokens")?.unwrap_or(0);
    let written = count(details, "cache_write_tokens")?.unwrap_or(0);
    let audio = count(details, "audio_tokens")?.unwrap_or(0);
    // Kept for hours: the longer of the two ways there are.
    let written_long = count(detail(details, "cache_write_tokens_details"), "ttl_12h_tokens")?.unwrap_or(0);
    let written_short = written.checked_sub(written_long).ok_or(Unbelievable)?;
    let fresh = [cached, written, audio].into_iter().try_fold(input, u64::checked_sub).ok_or(Unbelievable)?;
    let reasoning = count(detail(fields, "output_tokens_details"), "reasoning_tokens")?.unwrap_or(0);
    let visible = output.checked_sub(reasoning).ok_or(Unbelievable)?;
    // What the total has beyond its parts was billed and not shown.
    let beyond = match count(fields, "total_tokens")?.filter(|total| *total > 0) {
        Some(total) => total.checked_sub(input.saturating_add(output)).ok_or(Unbelievable)?,
        None => 0,
    };
    let (image_in, image_out) = image_generation(response)?;
    Ok(Usage::default()
        .with(Unit::InputTokens, fresh)
        .with(Unit::CachedInputTokens, cached)
        .with(Unit::CacheWrite5mTokens, written_short)
        .with(Unit::CacheWrite1hTokens, written_long)
        .with(Unit::AudioInputTokens, audio)
        .with(Unit::OutputTokens, visible)
        .with(Unit::ReasoningTokens, reasoning.saturating_add(beyond))
        .with(Unit::ImageInputTokens, image_in)
        .with(Unit::ImageOutputTokens, image_out)
        .with(Unit::WebSearches, web_searches(response)?))
}

/// Searches the provider bills: its own count, or the calls that searched. Opening a page it found costs nothing.
fn web_searches(response: &Value) -> Result<u64, Unbelievable> {
    let own = response.pointer("/tool_usage/web_search").and_then(Value::as_object);
    if let Some(own) = own.map(|own| count(own, "num_requests")).transpose()?.flatten() {
        return Ok(own);
    }
    let items = response.get("output").and_then(Value::as_array).into_iter().flatten();
    Ok(crate::tokens::as_u64(items.filter(|item| is_search(item)).count()))
}

fn is_search(item: &Value) -> bool {
    let text = |path| item.pointer(path).and_then(Value::as_str);
    text("/type") == Some("web_search_call")
        && text("/status") != Some("failed")
        && matches!(text("/action/type"), None | Some("search"))
}

/// Tokens of the picture tool, which stand beside the model's own and have the prices of pictures.
fn image_generation(response: &Value) -> Result<(u64, u64), Unbelievable> {
    let Some(own) = response.pointer("/tool_usage/image_gen").and_then(Value::as_object) else {
        return Ok((0, 0));
    };
    Ok((count(own, "input_tokens")?.unwrap_or(0), count(own, "output_tokens")?.unwrap_or(0)))
}

/// Usage in the form of this API: totals that contain their details.
pub(crate) fn write(usage: &Usage) -> Value {
    let (input, output) = (usage.tokens_in(), usage.tokens_out());
    let cached = usage.get(Unit::CachedInputTokens).saturating_add(usage.get(Unit::CachedAudioInputTokens));
    let written = usage.get(Unit::CacheWrite5mTokens).saturating_add(usage.get(Unit::CacheWrite1hTokens));
    json!({
        "input_tokens": input,
        "input_tokens_details": {"cached_tokens": cached, "cache_write_tokens": written},
        "output_tokens": output,
        "output_tokens_details": {"reasoning_tokens": usage.get(Unit::ReasoningTokens)},
        "total_tokens": input.saturating_add(output),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(response: &Value) -> Option<Usage> {
        of_answer(response).unwrap().usage
    }

    fn fixture(text: &str) -> Option<Usage> {
        read(&serde_json::from_str(text).unwrap())
    }

    #[test]
    fn totals_come_apart_into_disjoint_units() {
        let expected = Usage::default()
            .with(Unit::InputTokens, 86)
            .with(Unit::CachedInputTokens, 1_920)
            .with(Unit::OutputTokens, 108)
            .with(Unit::ReasoningTokens, 192);
        let found =
            fixture(include_str!("../../../tests/fixtures/openai_responses/complete_cached_reasoning.json"));
        assert_eq!(found, Some(expected));
        let written = json!({"usage": {
            "input_tokens": 1_000, "output_tokens": 10, "total_tokens": 1_010,
            "input_tokens_details": {
                "cached_tokens": 100, "cache_write_tokens": 600,
                "cache_write_tokens_details": {"ttl_30m_tokens": 400, "ttl_12h_tokens": 200},
            },
        }});
        let expected = Usage::default()
            .with(Unit::InputTokens, 300)
            .with(Unit::CachedInputTokens, 100)
            .with(Unit::CacheWrite5mTokens, 400)
            .with(Unit::CacheWrite1hTokens, 200)
            .with(Unit::OutputTokens, 10);
        assert_eq!(read(&written), Some(expected));
    }

    #[test]
    fn what_a_total_holds_beyond_its_parts_was_thought() {
        let usage = read(&json!({"usage": {"input_tokens": 10, "output_tokens": 40, "total_tokens": 110}}));
        let expected = Usage::default()
            .with(Unit::InputTokens, 10)
            .with(Unit::OutputTokens, 40)
            .with(Unit::ReasoningTokens, 60);
        assert_eq!(usage, Some(expected));
    }

    #[test]
    fn searches_are_counted_by_the_provider_or_else_by_the_calls_that_searched() {
        let body = |more: Value| {
            let mut body = json!({"usage": {"input_tokens": 5, "output_tokens": 1}});
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            read(&body).unwrap().get(Unit::WebSearches)
        };
        let call = |action: Value, status: &str| json!({"type": "web_search_call", "id": "ws_1", "status": status, "action": action});
        let output = json!([
            call(json!({"type": "search", "queries": ["a"]}), "completed"),
            call(json!({"type": "open_page", "url": "https://e.com"}), "completed"),
            call(json!({"type": "search"}), "failed"),
            call(Value::Null, "completed"),
            {"type": "message", "content": []},
        ]);
        assert_eq!(body(json!({"output": output})), 2);
        assert_eq!(body(json!({"output": output, "tool_usage": {"web_search": {"num_requests": 5}}})), 5);
        assert_eq!(body(json!({"output": []})), 0);
    }

    #[test]
    fn pictures_made_by_the_providers_tool_are_not_forgotten() {
        let image_gen = json!({"input_tokens": 50, "output_tokens": 1_056, "total_tokens": 1_106});
        let usage = read(&json!({
            "usage": {"input_tokens": 5, "output_tokens": 1}, "tool_usage": {"image_gen": image_gen},
        }));
        let usage = usage.unwrap();
        assert_eq!((usage.get(Unit::ImageInputTokens), usage.get(Unit::ImageOutputTokens)), (50, 1_056));
    }

    #[test]
    fn a_lie_is_not_believed() {
        for lie in [
            json!("many"),
            json!([]),
            json!({}),
            json!({"output_tokens": 5}),
            json!({"input_tokens": -1}),
            json!({"input_tokens": 1.5}),
            json!({"input_tokens": "10"}),
            json!({"input_tokens": u64::MAX, "output_tokens": u64::MAX, "total_tokens": u64::MAX}),
            json!({"input_tokens": 10, "output_tokens": 5, "total_tokens": 12}),
            json!({"input_tokens": 10, "input_tokens_details": {"cached_tokens": 11}}),
            json!({"input_tokens": 10, "input_tokens_details": {"cached_tokens": 6, "cache_write_tokens": 5}}),
            json!({"input_tokens": 10, "input_tokens_details": {"cache_write_tokens": 5, "cache_write_tokens_details": {"ttl_12h_tokens": 6}}}),
            json!({"input_tokens": 10, "output_tokens": 5, "output_tokens_details": {"reasoning_tokens": 6}}),
        ] {
            assert_eq!(read(&json!({"usage": lie})), None, "{lie}");
        }
        let searches =
            json!({"usage": {"input_tokens": 1}, "tool_usage": {"web_search": {"num_requests": -1}}});
        assert_eq!(read(&searches), None);
        assert_eq!(of_answer(&json!({"usage": null})), None);
        assert_eq!(of_answer(&json!({})), None);
    }

    #[test]
    fn what_is_written_reads_back_the_same() {
        let usage = Usage::default()
            .with(Unit::InputTokens, 5)
            .with(Unit::CachedInputTokens, 7)
            .with(Unit::CacheWrite5mTokens, 11)
            .with(Unit::OutputTokens, 13)
            .with(Unit::ReasoningTokens, 17);
        assert_eq!(read(&json!({"usage": write(&usage)})), Some(usage));
    }
}
