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
