//! Vectors by rule: each word adds to one direction, so that texts with words in common point the same way.
//!
//! A token is a word, as in chats. Vectors have 64 directions unless the request says otherwise, and length 1.

use axum::http::Uri;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::audio::file::base64;
use crate::gemini;
use crate::media::{Asked, Made};
use crate::openai;
use crate::prompt::words;
use crate::usage::reported;
use crate::vendor::VendorError;

/// Directions of a vector, unless the request says otherwise.
const DIMENSIONS: usize = 64;

/// Most directions a request may ask for.
const DIMENSIONS_MAX: usize = 3072;

#[derive(Debug, Deserialize)]
struct OpenAiRequest {
    model: Option<String>,
    input: Option<Input>,
    encoding_format: Option<String>,
    dimensions: Option<usize>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Input {
    Text(String),
    Texts(Vec<String>),
    Tokens(Vec<u64>),
    TokenLists(Vec<Vec<u64>>),
}

impl Input {
    fn texts(self) -> Vec<String> {
        let text = |tokens: Vec<u64>| tokens.iter().map(u64::to_string).collect::<Vec<_>>().join(" ");
        match self {
            Self::Text(text) => vec![text],
            Self::Texts(texts) => texts,
            Self::Tokens(tokens) => vec![text(tokens)],
            Self::TokenLists(lists) => lists.into_iter().map(text).collect(),
        }
    }
}

/// `POST /v1/embeddings`.
///
/// Source: `EmbeddingCreateParams` of the official client.
pub(crate) fn openai(asked: &Asked) -> Result<Made, VendorError> {
    let invalid = |message: &str, param: &'static str| Err(openai::error::invalid(message, Some(param)));
    let request: OpenAiRequest = serde_json::from_slice(&asked.body)
        .map_err(|error| openai::error::invalid(&format!("We could not parse the body: {error}"), None))?;
    let Some(model) = request.model.filter(|model| !model.is_empty()) else {
        return invalid("you must provide a model parameter", "model");
    };
    let texts = request.input.map(Input::texts).unwrap_or_default();
    if texts.is_empty() || texts.len() > 2048 || texts.iter().any(String::is_empty) {
        return invalid("'$.input' is invalid.", "input");
    }
    let dimensions = request.dimensions.unwrap_or(DIMENSIONS);
    if dimensions == 0 || dimensions > DIMENSIONS_MAX {
        return invalid("Invalid value for 'dimensions'.", "dimensions");
    }
    let as_text = match request.encoding_format.as_deref() {
        None | Some("float") => false,
        Some("base64") => true,
        Some(_) => return invalid("'encoding_format' must be 'float' or 'base64'.", "encoding_format"),
    };
    let data: Vec<Value> = texts
        .iter()
        .enumerate()
        .map(|(index, text)| {
            let vector = vector(text, dimensions);
            let embedding = if as_text { json!(in_base64(&vector)) } else { json!(vector) };
            json!({"object": "embedding", "index": index, "embedding": embedding})
        })
        .collect();
    let tokens: u64 = texts.iter().map(|text| words(text)).sum();
    let mut body = json!({"object": "list", "data": data, "model": model});
    if let Some(usage) = reported(json!({"prompt_tokens": tokens, "total_tokens": tokens}), &asked.dials) {
        body["usage"] = usage;
    }
    Ok(Made::json(&model, &body))
}

/// Whether a URL asks Gemini for vectors.
pub(crate) fn is_gemini(uri: &Uri) -> bool {
    uri.path().ends_with(":embedContent") || uri.path().ends_with(":batchEmbedContents")
}

/// `POST /v1beta/models/{model}:embedContent` and `:batchEmbedContents`. Usage is not reported, as the vendor does not.
///
/// Source: "Embeddings" of the published API reference.
pub(crate) fn gemini(asked: &Asked) -> Result<Made, VendorError> {
    let invalid = |message: &str| gemini::error::invalid(message);
    let path = asked.parts.uri.path().strip_prefix("/v1beta/models/").unwrap_or_default();
    let (model, method) = path.rsplit_once(':').unwrap_or_default();
    let body: Value = serde_json::from_slice(&asked.body)
        .map_err(|error| invalid(&format!("Invalid JSON payload received. {error}")))?;
    let one = |request: &Value, named: bool| -> Result<Value, VendorError> {
        let known = ["model", "content", "taskType", "title", "outputDimensionality"];
        if let Some(unknown) =
            request.as_object().and_then(|map| map.keys().find(|key| !known.contains(&key.as_str())))
        {
            return Err(invalid(&format!("Invalid JSON payload received. Unknown name \"{unknown}\"")));
        }
        if named && request.get("model").and_then(Value::as_str) != Some(&format!("models/{model}")) {
            return Err(invalid(
                "* BatchEmbedContentsRequest.requests[0].model: unexpected model name format",
            ));
        }
        let parts = request.pointer("/content/parts").and_then(Value::as_array);
        let text = parts.into_iter().flatten().filter_map(|part| part.get("text")?.as_str());
        let text = text.collect::<Vec<_>>().join(" ");
        let dimensions = request.get("outputDimensionality").and_then(Value::as_u64);
        let dimensions = dimensions.map_or(Some(DIMENSIONS), |count| usize::try_from(count).ok());
        match dimensions.filter(|count| (1..=DIMENSIONS_MAX).contains(count)) {
            Some(dimensions) if !text.is_empty() => Ok(json!({"values": vector(&text, dimensions)})),
            _ => Err(invalid("* EmbedContentRequest.content: contents is not specified")),
        }
    };
    let answer = if method == "embedContent" {
        json!({"embedding": one(&body, false)?})
    } else {
        let requests = body.get("requests").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        if requests.is_empty() || requests.len() > 100 {
            return Err(invalid(
                "* BatchEmbedContentsRequest.requests: at most 100 requests can be in one batch",
            ));
        }
        let embeddings: Result<Vec<Value>, VendorError> =
            requests.iter().map(|request| one(request, true)).collect();
        json!({"embeddings": embeddings?})
    };
    Ok(Made::json(model, &answer))
}

/// The vector of a text: the same text, the same vector.
fn vector(text: &str, dimensions: usize) -> Vec<f32> {
    let mut sums = vec![0.0_f32; dimensions];
    for word in text.to_lowercase().split_whitespace() {
        // FNV-1a.
        let hash = word.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        let direction = usize::try_from(hash % dimensions as u64).unwrap_or(0);
        if let Some(sum) = sums.get_mut(direction) {
            *sum += 1.0;
        }
    }
    let length = sums.iter().map(|sum| sum * sum).sum::<f32>().sqrt();
    if length > 0.0 {
        for sum in &mut sums {
            *sum /= length;
        }
    }
    sums
}

/// Little-endian floats.
fn in_base64(vector: &[f32]) -> String {
    base64(&vector.iter().flat_map(|number| number.to_le_bytes()).collect::<Vec<u8>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_with_words_in_common_point_the_same_way() {
        let product = |left: &str, right: &str| -> f32 {
            vector(left, 64).iter().zip(vector(right, 64)).map(|(left, right)| left * right).sum()
        };
        assert!(product("the red fox", "the red fox") > 0.999);
        assert!(product("the red fox", "the red dog") > product("the red fox", "seven seas"));
    }

    #[test]
    fn base64_is_that_of_little_endian_floats() {
        assert_eq!(in_base64(&[1.0, -0.5]), "AACAPwAAAL8=");
        assert_eq!(in_base64(&[0.0]), "AAAAAA==");
    }
}
