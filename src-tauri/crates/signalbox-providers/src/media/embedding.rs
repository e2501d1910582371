//! A request for vectors, and the answer in `OpenAI`'s form.

use base64::Engine as _;
use serde_json::{Map, Value, json};
use signalbox_core::usage::{Unit, Usage};

use crate::inspect::{InvalidRequest, fault, given, positive};
use crate::tokens::{self, as_u64};

/// Most inputs of one request. Source: `OpenAI`'s API reference, the strictest of the vendors'.
const INPUTS_MAX: usize = 2048;

/// A request for vectors, read and checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct EmbeddingRequest<'a> {
    pub inputs: Inputs<'a>,
    /// Length of the vectors, where the client wants another than the model's own.
    pub dimensions: Option<u64>,
    /// Whether vectors are wanted as base64 of little-endian 32-bit floats, as `OpenAI`'s own clients do.
    pub base64: bool,
}

/// What vectors are wanted of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Inputs<'a> {
    Texts(Vec<&'a str>),
    /// Numbers of a vocabulary; only the vendor of that vocabulary can read them.
    Tokens(u64),
}

impl<'a> EmbeddingRequest<'a> {
    /// Reads `body`.
    ///
    /// Errors: [`InvalidRequest`] with the JSON path.
    pub fn read(body: &'a Map<String, Value>) -> Result<Self, InvalidRequest> {
        let inputs = match body.get("input") {
            None | Some(Value::Null) => return Err(fault("input", "is missing")),
            Some(Value::String(text)) if text.is_empty() => return Err(fault("input", "must not be empty")),
            Some(Value::String(text)) => Inputs::Texts(vec![text]),
            Some(Value::Array(list)) => inputs(list)?,
            Some(_) => return Err(fault("input", "must be a text or a list of texts")),
        };
        let base64 = match given(body, "encoding_format").map(Value::as_str) {
            None | Some(Some("float")) => false,
            Some(Some("base64")) => true,
            Some(_) => return Err(fault("encoding_format", "must be float or base64")),
        };
        Ok(Self { inputs, dimensions: positive(body, "dimensions")?, base64 })
    }

    /// Tokens that are read, of texts counted exactly up to `exact_bytes` and from above beyond.
    pub fn tokens(&self, exact_bytes: usize) -> u64 {
        match &self.inputs {
            Inputs::Tokens(tokens) => *tokens,
            Inputs::Texts(texts) => {
                let mut exact_left = exact_bytes;
                texts.iter().fold(0_u64, |sum, text| {
                    let tokens = tokens::count(text, exact_left);
                    exact_left = exact_left.saturating_sub(text.len());
                    sum.saturating_add(tokens)
                })
            }
        }
    }
}

fn inputs(list: &[Value]) -> Result<Inputs<'_>, InvalidRequest> {
    if list.is_empty() {
        return Err(fault("input", "must not be empty"));
    }
    if list.iter().all(Value::is_u64) {
        return Ok(Inputs::Tokens(as_u64(list.len())));
    }
    if list.len() > INPUTS_MAX {
        return Err(fault("input", format!("must have at most {INPUTS_MAX} entries")));
    }
    if list.iter().all(Value::is_array) {
        let mut tokens = 0_u64;
        for (index, numbers) in list.iter().enumerate() {
            let numbers = numbers.as_array().map(Vec::as_slice).unwrap_or_default();
            if numbers.is_empty() || !numbers.iter().all(Value::is_u64) {
                return Err(fault(format!("input[{index}]"), "must be a list of token numbers"));
            }
            tokens = tokens.saturating_add(as_u64(numbers.len()));
        }
        return Ok(Inputs::Tokens(tokens));
    }
    let texts = list.iter().enumerate().map(|(index, text)| match text.as_str() {
        Some("") => Err(fault(format!("input[{index}]"), "must not be empty")),
        Some(text) => Ok(text),
        None => Err(fault(format!("input[{index}]"), "must be a text")),
    });
    texts.collect::<Result<_, _>>().map(Inputs::Texts)
}

/// The answer in `OpenAI`'s form.
pub(super) fn answer(vectors: &[Vec<f64>], base64: bool, model: &str, usage: &Usage) -> Value {
    let tokens = usage.get(Unit::InputTokens);
    let data: Vec<Value> = vectors
        .iter()
        .enumerate()
        .map(|(index, vector)| {
            let embedding = if base64 { json!(in_base64(vector)) } else { json!(vector) };
            json!({"object": "embedding", "index": index, "embedding": embedding})
        })
        .collect();
    json!({
        "object": "list", "data": data, "model": model,
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
    })
}

/// Little-endian 32-bit floats.
#[expect(clippy::cast_possible_truncation, reason = "the form has 32 bits; a vector has no more to say")]
fn in_base64(vector: &[f64]) -> String {
    let bytes: Vec<u8> = vector.iter().flat_map(|number| (*number as f32).to_le_bytes()).collect();
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(value: Value) -> Map<String, Value> {
        let Value::Object(map) = value else { panic!("a body is an object") };
        map
    }

    #[test]
    fn texts_and_tokens_are_read_alone_and_in_lists() {
        for (input, tokens) in [
            (json!("hello world"), 2),
            (json!(["hello world", "hello"]), 3),
            (json!([1, 2, 3]), 3),
            (json!([[1, 2], [3]]), 3),
        ] {
            let body = body(json!({"input": input}));
            assert_eq!(EmbeddingRequest::read(&body).unwrap().tokens(1000), tokens, "{body:?}");
        }
    }

    #[test]
    fn a_clients_fault_is_named_by_its_path() {
        let many = vec!["x"; INPUTS_MAX + 1];
        for (bad, path) in [
            (json!({}), "input"),
            (json!({"input": null}), "input"),
            (json!({"input": ""}), "input"),
            (json!({"input": []}), "input"),
            (json!({"input": 7}), "input"),
            (json!({"input": many}), "input"),
            (json!({"input": ["a", ""]}), "input[1]"),
            (json!({"input": ["a", 7]}), "input[1]"),
            (json!({"input": [[1], []]}), "input[1]"),
            (json!({"input": [[1], ["a"]]}), "input[1]"),
            (json!({"input": "a", "dimensions": 0}), "dimensions"),
            (json!({"input": "a", "encoding_format": "hex"}), "encoding_format"),
        ] {
            assert_eq!(EmbeddingRequest::read(&body(bad.clone())).unwrap_err().path, path, "{bad}");
        }
    }

    #[test]
    fn vectors_are_numbers_or_little_endian_base64() {
        let usage = Usage::default().with(Unit::InputTokens, 5);
        let vectors = [vec![1.0, -0.5], vec![0.25, 0.0]];
        let floats = answer(&vectors, false, "m", &usage);
        assert_eq!(floats["data"][1]["embedding"], json!([0.25, 0.0]));
        assert_eq!(floats["usage"], json!({"prompt_tokens": 5, "total_tokens": 5}));
        let encoded = answer(&vectors, true, "m", &usage);
        assert_eq!(encoded["data"][0]["embedding"], "AACAPwAAAL8=");
    }
}
