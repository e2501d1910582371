//! What the simulator says it used: the truth, or the lie that a dial asks for.

use serde_json::{Number, Value, json};

use crate::answer::Answer;
use crate::dials::{Dials, UsageOverride};
use crate::prompt::Prompt;

/// True token counts, disjoint: nothing is contained in anything else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Counts {
    pub fresh_input: u64,
    pub cached: u64,
    pub cache_write_5m: u64,
    pub cache_write_1h: u64,
    pub visible_output: u64,
    pub reasoning: u64,
}

impl Counts {
    pub fn of(prompt: &Prompt<'_>, answer: &Answer, dials: &Dials) -> Self {
        Self {
            fresh_input: dials.input_tokens.unwrap_or_else(|| prompt.input_tokens()),
            cached: dials.cached_tokens,
            cache_write_5m: dials.cache_write_tokens,
            cache_write_1h: dials.cache_write_1h_tokens,
            visible_output: answer.output_tokens(),
            reasoning: dials.reasoning_tokens,
        }
    }

    /// `OpenAI`'s usage: the prompt contains cached and written tokens, the completion contains reasoning.
    ///
    /// Source: `CompletionUsage` of the official client.
    pub fn openai(&self) -> Value {
        let cache_write = self.cache_write_5m + self.cache_write_1h;
        let prompt = self.fresh_input + self.cached + cache_write;
        let completion = self.visible_output + self.reasoning;
        let mut usage = json!({
            "prompt_tokens": prompt,
            "completion_tokens": completion,
            "total_tokens": prompt + completion,
            "prompt_tokens_details": {"cached_tokens": self.cached, "audio_tokens": 0},
            "completion_tokens_details": {
                "reasoning_tokens": self.reasoning,
                "audio_tokens": 0,
                "accepted_prediction_tokens": 0,
                "rejected_prediction_tokens": 0,
            },
        });
        if cache_write > 0 {
            usage["prompt_tokens_details"]["cache_write_tokens"] = json!(cache_write);
        }
        usage
    }

    /// The usage of `OpenAI`'s responses: the same totals under other names.
    ///
    /// Source: `ResponseUsage` of the official client.
    pub fn responses(&self) -> Value {
        let cache_write = self.cache_write_5m + self.cache_write_1h;
        let input = self.fresh_input + self.cached + cache_write;
        let output = self.visible_output + self.reasoning;
        let mut usage = json!({
            "input_tokens": input,
            "input_tokens_details": {"cached_tokens": self.cached, "cache_write_tokens": cache_write},
            "output_tokens": output,
            "output_tokens_details": {"reasoning_tokens": self.reasoning},
            "total_tokens": input + output,
        });
        if self.cache_write_1h > 0 {
            usage["input_tokens_details"]["cache_write_tokens_details"] =
                json!({"ttl_30m_tokens": self.cache_write_5m, "ttl_12h_tokens": self.cache_write_1h});
        }
        usage
    }

    /// Gemini's usage: the prompt contains what came from the cache, the candidates leave thoughts out. What is 0 is not
    /// named.
    ///
    /// Source: `UsageMetadata` of the API reference.
    pub fn gemini(&self) -> Value {
        let prompt = self.fresh_input + self.cached + self.cache_write_5m + self.cache_write_1h;
        let of_text = |tokens: u64| json!([{"modality": "TEXT", "tokenCount": tokens}]);
        let mut usage = json!({
            "promptTokenCount": prompt,
            "totalTokenCount": prompt + self.visible_output + self.reasoning,
            "promptTokensDetails": of_text(prompt),
        });
        if self.visible_output > 0 {
            usage["candidatesTokenCount"] = json!(self.visible_output);
            usage["candidatesTokensDetails"] = of_text(self.visible_output);
        }
        if self.reasoning > 0 {
            usage["thoughtsTokenCount"] = json!(self.reasoning);
        }
        if self.cached > 0 {
            usage["cachedContentTokenCount"] = json!(self.cached);
            usage["cacheTokensDetails"] = of_text(self.cached);
        }
        usage
    }

    /// Anthropic's usage: input excludes the cache, output contains thinking.
    ///
    /// Source: `Usage` of the official client.
    pub fn anthropic(&self) -> Value {
        let mut usage = json!({
            "input_tokens": self.fresh_input,
            "cache_creation_input_tokens": self.cache_write_5m + self.cache_write_1h,
            "cache_read_input_tokens": self.cached,
            "cache_creation": {
                "ephemeral_5m_input_tokens": self.cache_write_5m,
                "ephemeral_1h_input_tokens": self.cache_write_1h,
            },
            "output_tokens": self.visible_output + self.reasoning,
            "service_tier": "standard",
        });
        if self.reasoning > 0 {
            usage["output_tokens_details"] = json!({"thinking_tokens": self.reasoning});
        }
        usage
    }
}

/// What is reported instead of `truth`; none when usage is missing.
pub(crate) fn reported(truth: Value, dials: &Dials) -> Option<Value> {
    if let Some(raw) = &dials.usage_raw {
        return Some(raw.clone());
    }
    if dials.missing_usage {
        return None;
    }
    Some(match dials.usage_override {
        UsageOverride::None => truth,
        lie => each_number(truth, &|number| lied(number, lie)),
    })
}

fn each_number(value: Value, lie: &dyn Fn(&Number) -> Value) -> Value {
    match value {
        Value::Number(number) => lie(&number),
        Value::Object(fields) => {
            Value::Object(fields.into_iter().map(|(name, field)| (name, each_number(field, lie))).collect())
        }
        Value::Array(fields) => {
            Value::Array(fields.into_iter().map(|field| each_number(field, lie)).collect())
        }
        other => other,
    }
}

fn lied(number: &Number, lie: UsageOverride) -> Value {
    let truth = number.as_i64().unwrap_or(i64::MAX);
    match lie {
        UsageOverride::None => json!(number),
        UsageOverride::Zero => json!(0),
        UsageOverride::Negative => json!(-truth.max(1)),
        UsageOverride::Tenfold => json!(truth.saturating_mul(10)),
        UsageOverride::Huge => json!(i64::MAX),
        UsageOverride::Overflow => json!(1e30),
        UsageOverride::Strings => json!(truth.to_string()),
        UsageOverride::Fractions => json!(0.5),
        UsageOverride::Nulls => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COUNTS: Counts = Counts {
        fresh_input: 100,
        cached: 40,
        cache_write_5m: 20,
        cache_write_1h: 5,
        visible_output: 10,
        reasoning: 7,
    };

    #[test]
    fn openai_totals_contain_their_details() {
        let usage = COUNTS.openai();
        assert_eq!(usage["prompt_tokens"], 165);
        assert_eq!(usage["completion_tokens"], 17);
        assert_eq!(usage["total_tokens"], 182);
        assert_eq!(usage["prompt_tokens_details"]["cached_tokens"], 40);
        assert_eq!(usage["prompt_tokens_details"]["cache_write_tokens"], 25);
        assert_eq!(usage["completion_tokens_details"]["reasoning_tokens"], 7);
    }

    #[test]
    fn anthropic_input_excludes_the_cache() {
        let usage = COUNTS.anthropic();
        assert_eq!(usage["input_tokens"], 100);
        assert_eq!(usage["cache_read_input_tokens"], 40);
        assert_eq!(usage["cache_creation_input_tokens"], 25);
        assert_eq!(usage["cache_creation"]["ephemeral_1h_input_tokens"], 5);
        assert_eq!(usage["output_tokens"], 17);
    }

    #[test]
    fn geminis_prompt_contains_the_cache_and_its_candidates_no_thoughts() {
        let usage = COUNTS.gemini();
        assert_eq!(usage["promptTokenCount"], 165);
        assert_eq!(usage["cachedContentTokenCount"], 40);
        assert_eq!((&usage["candidatesTokenCount"], &usage["thoughtsTokenCount"]), (&json!(10), &json!(7)));
        assert_eq!(usage["totalTokenCount"], 182);
    }

    #[test]
    fn a_lie_reaches_every_count_and_nothing_else() {
        let dials = Dials { usage_override: UsageOverride::Negative, ..Dials::default() };
        let usage = reported(COUNTS.anthropic(), &dials).unwrap();
        assert_eq!(usage["output_tokens"], -17);
        assert_eq!(usage["cache_creation"]["ephemeral_1h_input_tokens"], -5);
        assert_eq!(usage["service_tier"], "standard");
    }

    #[test]
    fn missing_usage_is_no_usage() {
        let dials = Dials { missing_usage: true, ..Dials::default() };
        assert_eq!(reported(COUNTS.openai(), &dials), None);
    }
}
