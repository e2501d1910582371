//! Anthropic's usage: input excludes what the cache served or took, output includes thinking.

use serde_json::{Map, Value, json};
use signalbox_core::usage::{Unit, Usage};

use crate::chat::Report;
use crate::dialect::usage_number::{Unbelievable, count, detail};

/// What a complete answer says was used.
pub(crate) fn of_answer(body: &Value) -> Option<Report> {
    body.get("usage").filter(|usage| !usage.is_null()).map(|usage| match usage.as_object() {
        Some(fields) => of_fields(fields, true),
        None => Report { usage: None, complete: true, charged: None },
    })
}

/// What `fields` say was used; `complete` when the output is counted to its end.
pub(super) fn of_fields(fields: &Map<String, Value>, complete: bool) -> Report {
    Report { usage: disjoint(fields).ok(), complete, charged: None }
}

fn disjoint(fields: &Map<String, Value>) -> Result<Usage, Unbelievable> {
    let input = count(fields, "input_tokens")?.ok_or(Unbelievable)?;
    let output = count(fields, "output_tokens")?.unwrap_or(0);
    let read = count(fields, "cache_read_input_tokens")?.unwrap_or(0);
    let (written_5m, written_1h) = written(fields)?;
    let thought = count(detail(fields, "output_tokens_details"), "thinking_tokens")?.unwrap_or(0);
    let visible = output.checked_sub(thought).ok_or(Unbelievable)?;
    let searches = count(detail(fields, "server_tool_use"), "web_search_requests")?.unwrap_or(0);
    Ok(Usage::default()
        .with(Unit::InputTokens, input)
        .with(Unit::CachedInputTokens, read)
        .with(Unit::CacheWrite5mTokens, written_5m)
        .with(Unit::CacheWrite1hTokens, written_1h)
        .with(Unit::OutputTokens, visible)
        .with(Unit::ReasoningTokens, thought)
        .with(Unit::WebSearches, searches))
}

/// Tokens written to the two caches. With the provider's own tools the split covers only its first round, while the sum
/// covers all of them: the rest goes where the known part went.
fn written(fields: &Map<String, Value>) -> Result<(u64, u64), Unbelievable> {
    let split = detail(fields, "cache_creation");
    let short = count(split, "ephemeral_5m_input_tokens")?.unwrap_or(0);
    let long = count(split, "ephemeral_1h_input_tokens")?.unwrap_or(0);
    let Some(sum) = count(fields, "cache_creation_input_tokens")? else { return Ok((short, long)) };
    let rest = sum.checked_sub(short.saturating_add(long)).ok_or(Unbelievable)?;
    if short == 0 && long > 0 {
        Ok((0, long.saturating_add(rest)))
    } else {
        Ok((short.saturating_add(rest), long))
    }
}

/// Lays a later report of a stream over the earlier ones. Its counts are running totals: they replace, they do not add,
/// and as a total cannot fall, a smaller one is a field the provider did not fill in.
pub(super) fn lay_over(known: &mut Map<String, Value>, later: &Map<String, Value>) {
    for (key, value) in later {
        let stays = match (known.get(key).and_then(Value::as_u64), value.as_u64()) {
            (Some(before), Some(now)) => before > now,
            _ => value.is_null(),
        };
        if !stays {
            known.insert(key.clone(), value.clone());
        }
    }
}

/// Usage in Anthropic's form.
pub(crate) fn write(usage: &Usage) -> Value {
    let input = [Unit::InputTokens, Unit::AudioInputTokens, Unit::ImageInputTokens]
        .into_iter()
        .fold(0_u64, |sum, unit| sum.saturating_add(usage.get(unit)));
    let read = usage.get(Unit::CachedInputTokens).saturating_add(usage.get(Unit::CachedAudioInputTokens));
    let written = usage.get(Unit::CacheWrite5mTokens).saturating_add(usage.get(Unit::CacheWrite1hTokens));
    json!({
        "input_tokens": input,
        "cache_creation_input_tokens": written,
        "cache_read_input_tokens": read,
        "output_tokens": usage.tokens_out(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(usage: &Value) -> Option<Usage> {
        of_answer(&json!({"usage": usage})).unwrap().usage
    }

    #[test]
    fn cache_reads_and_both_kinds_of_writes_stand_beside_the_input() {
        let body =
            serde_json::from_str(include_str!("../../../tests/fixtures/anthropic/complete_cached.json"))
                .unwrap();
        let expected = Usage::default()
            .with(Unit::InputTokens, 21)
            .with(Unit::CachedInputTokens, 188_086)
            .with(Unit::CacheWrite5mTokens, 456)
            .with(Unit::CacheWrite1hTokens, 100)
            .with(Unit::OutputTokens, 393);
        assert_eq!(of_answer(&body).unwrap().usage, Some(expected));
    }

    #[test]
    fn writes_past_the_known_split_go_where_the_known_part_went() {
        let written = |sum: Value, short: u64, long: u64| {
            let split = json!({"ephemeral_5m_input_tokens": short, "ephemeral_1h_input_tokens": long});
            let usage = read(
                &json!({"input_tokens": 1, "cache_creation_input_tokens": sum, "cache_creation": split}),
            )?;
            Some((usage.get(Unit::CacheWrite5mTokens), usage.get(Unit::CacheWrite1hTokens)))
        };
        assert_eq!(written(json!(900), 300, 0), Some((900, 0)));
        assert_eq!(written(json!(900), 0, 300), Some((0, 900)));
        assert_eq!(written(json!(900), 300, 200), Some((700, 200)));
        assert_eq!(written(Value::Null, 300, 200), Some((300, 200)));
        assert_eq!(written(json!(100), 300, 0), None);
    }

    #[test]
    fn a_lie_is_not_believed() {
        for lie in [
            json!(7),
            json!({}),
            json!({"input_tokens": -1, "output_tokens": 1}),
            json!({"input_tokens": "1", "output_tokens": 1}),
            json!({"input_tokens": 1, "output_tokens": 1e12}),
            json!({"input_tokens": 1, "output_tokens": 0.5}),
            json!({"input_tokens": 1, "output_tokens": 5, "output_tokens_details": {"thinking_tokens": 6}}),
            json!({"input_tokens": 1, "cache_read_input_tokens": -3}),
        ] {
            assert_eq!(read(&lie), None, "{lie}");
        }
    }

    #[test]
    fn later_totals_replace_earlier_ones_and_an_unfilled_field_hides_nothing() {
        let Value::Object(mut known) =
            json!({"input_tokens": 25, "cache_read_input_tokens": 7, "output_tokens": 1})
        else {
            panic!("an object");
        };
        let Value::Object(later) =
            json!({"input_tokens": 0, "cache_read_input_tokens": null, "output_tokens": 15})
        else {
            panic!("an object");
        };
        lay_over(&mut known, &later);
        assert_eq!(
            Value::Object(known),
            json!({"input_tokens": 25, "cache_read_input_tokens": 7, "output_tokens": 15})
        );
    }

    #[test]
    fn what_is_written_reads_back_the_same() {
        let usage = Usage::default()
            .with(Unit::InputTokens, 5)
            .with(Unit::CachedInputTokens, 7)
            .with(Unit::CacheWrite5mTokens, 11)
            .with(Unit::OutputTokens, 13);
        assert_eq!(read(&write(&usage)), Some(usage));
    }
}
