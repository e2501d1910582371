//! A request's body in the one form that is hashed and shown: fields in order, every character visible.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use super::Digest;

/// Longest text that is shown whole. Units: characters. A longer one is shown by its beginning, its length and its hash.
const TEXT_CHARS_MAX: usize = 16_384;
/// Longest picture of a body. Units: characters.
const SHOWN_CHARS_MAX: usize = 262_144;
/// Fields whose value is a setting, never somebody's text.
const PARAMETERS: &[&str] = &[
    "dimensions",
    "encoding_format",
    "frequency_penalty",
    "language",
    "max_completion_tokens",
    "max_output_tokens",
    "max_tokens",
    "n",
    "parallel_tool_calls",
    "presence_penalty",
    "reasoning_effort",
    "response_format",
    "seed",
    "speed",
    "stream",
    "temperature",
    "tool_choice",
    "top_k",
    "top_p",
    "voice",
];

/// A body in its canonical form: two that mean the same are the same bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Canonical(Value);

impl Canonical {
    /// Of a body.
    pub fn of(body: &Map<String, Value>) -> Self {
        Self(sorted(&Value::Object(body.clone())))
    }

    /// SHA-256 of its bytes.
    pub fn digest(&self) -> Digest {
        Digest::of_json(&self.0)
    }

    /// For a person: the same value, indented, with hidden characters made visible and very long texts cut; what is cut is
    /// told by its length and hash.
    pub fn shown(&self) -> String {
        let mut shown = cut(self.0.clone());
        // What is hidden within a text would otherwise be escaped by JSON or not seen at all.
        make_visible(&mut shown);
        let text = serde_json::to_string_pretty(&shown).unwrap_or_default();
        match text.char_indices().nth(SHOWN_CHARS_MAX) {
            None => text,
            Some((end, _)) => {
                let left = text.chars().count().saturating_sub(SHOWN_CHARS_MAX);
                format!(
                    "{}\n… {left} more characters; the whole body has the SHA-256 {}",
                    &text[..end],
                    self.digest()
                )
            }
        }
    }

    /// Its settings, and how much there is of what is not shown here: nobody's text.
    pub fn parameters(&self) -> Vec<(String, String)> {
        let Value::Object(body) = &self.0 else { return Vec::new() };
        let mut parameters: Vec<(String, String)> = body
            .iter()
            .filter(|(name, _)| PARAMETERS.contains(&name.as_str()))
            .map(|(name, value)| {
                let kind = value.get("type").and_then(Value::as_str);
                let text = match (value, kind) {
                    (Value::String(text), _) => text.clone(),
                    (Value::Object(_), Some(kind)) => kind.to_owned(),
                    (other, _) => other.to_string(),
                };
                (name.clone(), visible(&text.chars().take(80).collect::<String>()))
            })
            .collect();
        for name in ["messages", "input", "tools"] {
            if let Some(Value::Array(items)) = body.get(name) {
                parameters.push((format!("{name} (count)"), items.len().to_string()));
            }
        }
        parameters
    }
}

/// With the fields of every object in order.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(object) => {
            let mut fields: Vec<(&String, &Value)> = object.iter().collect();
            fields.sort_unstable_by_key(|(name, _)| *name);
            Value::Object(fields.into_iter().map(|(name, value)| (name.clone(), sorted(value))).collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(sorted).collect()),
        other => other.clone(),
    }
}

/// With long texts (pictures, recordings, documents) shortened.
fn cut(value: Value) -> Value {
    match value {
        Value::String(text) => {
            let Some((end, _)) = text.char_indices().nth(TEXT_CHARS_MAX) else { return Value::String(text) };
            let left = text.chars().count().saturating_sub(TEXT_CHARS_MAX);
            let digest = Digest::of(text.as_bytes());
            Value::String(format!(
                "{}… {left} more characters; the whole text has the SHA-256 {digest}",
                &text[..end]
            ))
        }
        Value::Array(items) => Value::Array(items.into_iter().map(cut).collect()),
        Value::Object(object) => {
            Value::Object(object.into_iter().map(|(name, value)| (name, cut(value))).collect())
        }
        other => other,
    }
}

fn make_visible(value: &mut Value) {
    match value {
        Value::String(text) => *text = visible(text),
        Value::Array(items) => items.iter_mut().for_each(make_visible),
        Value::Object(object) => {
            let fields = std::mem::take(object);
            for (name, mut field) in fields {
                make_visible(&mut field);
                object.insert(visible(&name), field);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The text with each character that nobody would see, or that changes how others are read, written as `⟨U+202E⟩`.
pub fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if is_hidden(character) {
            // Writing into a text cannot fail.
            let _ = write!(shown, "⟨U+{:04X}⟩", u32::from(character));
        } else {
            shown.push(character);
        }
    }
    shown
}

/// Controls but line breaks and tabs, direction marks, joiners, blanks without a width, variation selectors and tags.
///
/// Source: the general categories Cc, Cf, Zl and Zp and the property `Default_Ignorable_Code_Point` of
/// <https://www.unicode.org/Public/UCD/latest/ucd/>.
fn is_hidden(character: char) -> bool {
    match character {
        '\n' | '\t' => false,
        character if character.is_control() => true,
        '\u{00AD}'
        | '\u{034F}'
        | '\u{0600}'..='\u{0605}'
        | '\u{061C}'
        | '\u{06DD}'
        | '\u{070F}'
        | '\u{0890}'..='\u{0891}'
        | '\u{08E2}'
        | '\u{115F}'..='\u{1160}'
        | '\u{17B4}'..='\u{17B5}'
        | '\u{180B}'..='\u{180F}'
        | '\u{200B}'..='\u{200F}'
        | '\u{2028}'..='\u{202E}'
        | '\u{2060}'..='\u{206F}'
        | '\u{2800}'
        | '\u{3164}'
        | '\u{FE00}'..='\u{FE0F}'
        | '\u{FEFF}'
        | '\u{FFA0}'
        | '\u{FFF0}'..='\u{FFFB}'
        | '\u{110BD}'
        | '\u{110CD}'
        | '\u{13430}'..='\u{1343F}'
        | '\u{1BCA0}'..='\u{1BCA3}'
        | '\u{1D173}'..='\u{1D17A}'
        | '\u{E0000}'..='\u{E0FFF}' => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn canonical(value: &Value) -> Canonical {
        Canonical::of(value.as_object().unwrap())
    }

    #[test]
    fn the_order_of_fields_does_not_count_and_everything_else_does() {
        let body = json!({"b": [1, {"y": 1, "x": 2}], "a": "é"});
        let other_order = json!({"a": "é", "b": [1, {"x": 2, "y": 1}]});
        assert_eq!(canonical(&body).digest(), canonical(&other_order).digest());
        for other in [
            json!({"a": "é", "b": [{"x": 2, "y": 1}, 1]}),
            json!({"a": "e\u{301}", "b": [1, {"x": 2, "y": 1}]}),
            json!({"a": "é", "b": [1.0, {"x": 2, "y": 1}]}),
            json!({"a": "é", "b": [1, {"x": 2, "y": "1"}]}),
            json!({"a": "é", "b": [1, {"x": 2, "y": 1}], "c": null}),
        ] {
            assert_ne!(canonical(&body).digest(), canonical(&other).digest(), "{other}");
        }
    }

    #[test]
    fn what_would_not_be_seen_is_written_out() {
        let body = json!({"messages": [{"content": "pay \u{202e}100\u{200b}\u{e0041} now\u{feff}\r"}]});
        let shown = canonical(&body).shown();
        assert!(shown.contains("pay ⟨U+202E⟩100⟨U+200B⟩⟨U+E0041⟩ now⟨U+FEFF⟩⟨U+000D⟩"), "{shown}");
        let named = json!({"te\u{200d}mperature": 1});
        assert!(canonical(&named).shown().contains("te⟨U+200D⟩mperature"));
    }

    #[test]
    fn what_is_too_long_to_show_is_named_by_its_length_and_hash() {
        let picture = "x".repeat(TEXT_CHARS_MAX + 7);
        let shown = canonical(&json!({"image": picture})).shown();
        assert!(
            shown.contains("… 7 more characters")
                && shown.contains(&Digest::of(picture.as_bytes()).to_string())
        );
        let many = json!({"messages": vec!["y".repeat(TEXT_CHARS_MAX); 40]});
        let shown = canonical(&many).shown();
        assert!(shown.chars().count() < SHOWN_CHARS_MAX + 200);
        assert!(shown.ends_with(&canonical(&many).digest().to_string()));
    }

    #[test]
    fn parameters_hold_settings_and_nobodys_text() {
        let body = json!({
            "messages": [{"role": "user", "content": "secret"}], "input": "secret", "system": "secret",
            "max_tokens": 5, "temperature": 0.5, "stream": true, "response_format": {"type": "json_schema", "schema": "secret"},
            "tools": [{"name": "secret"}],
        });
        let parameters = canonical(&body).parameters();
        assert!(!format!("{parameters:?}").contains("secret"));
        let of =
            |name: &str| parameters.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
        assert_eq!((of("max_tokens"), of("response_format")), (Some("5"), Some("json_schema")));
        assert_eq!((of("messages (count)"), of("tools (count)")), (Some("1"), Some("1")));
    }

    proptest! {
        #[test]
        fn no_hidden_character_is_left(text in "\\PC{0,20}|[\\u{0}-\\u{2ff}\\u{2000}-\\u{2100}\\u{fe00}-\\u{feff}\\u{e0000}-\\u{e0200}]{0,20}") {
            let shown = visible(&text);
            prop_assert!(!shown.chars().any(is_hidden), "{shown:?}");
            // Nothing is lost: as many characters, each either itself or written out.
            let written = shown.chars().filter(|c| *c == '⟨').count() - text.chars().filter(|c| *c == '⟨').count();
            prop_assert_eq!(written, text.chars().filter(|c| is_hidden(*c)).count());
        }
    }
}
