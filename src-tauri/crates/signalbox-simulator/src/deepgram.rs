//! Deepgram's wire.
//!
//! Source: "Pre-Recorded Audio" and "Errors" of the published API reference.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::audio::file::{mp3, pcm, wav};
use crate::audio::{Heard, WORD_MILLIS, seconds};
use crate::dials::{Dials, ErrorKind};
use crate::media::{Asked, Made};
use crate::prompt::words;
use crate::usage::reported;
use crate::vendor::VendorError;

fn error(status: StatusCode, code: &str, message: &str) -> VendorError {
    (
        status,
        json!({"err_code": code, "err_msg": message, "request_id": "00000000-0000-0000-0000-000000000000"}),
    )
}

/// A request the vendor would refuse.
pub(crate) fn invalid(message: &str) -> VendorError {
    error(StatusCode::BAD_REQUEST, "Bad Request", &format!("Bad Request: {message}"))
}

/// The vendor's answer to a fault; none where the fault is no error answer.
pub(crate) fn of_fault(kind: ErrorKind) -> Option<VendorError> {
    Some(match kind {
        ErrorKind::RateLimit => error(
            StatusCode::TOO_MANY_REQUESTS,
            "TOO_MANY_REQUESTS",
            "Too many requests. Please try again later.",
        ),
        ErrorKind::InsufficientQuota => error(
            StatusCode::PAYMENT_REQUIRED,
            "ASR_PAYMENT_REQUIRED",
            "Project does not have enough credits for an ASR request and does not have an overage agreement.",
        ),
        ErrorKind::Overloaded => {
            error(StatusCode::SERVICE_UNAVAILABLE, "SERVICE_UNAVAILABLE", "Service unavailable.")
        }
        ErrorKind::ServerError => {
            error(StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL_SERVER_ERROR", "Internal server error.")
        }
        ErrorKind::InvalidKey => error(StatusCode::UNAUTHORIZED, "INVALID_AUTH", "Invalid credentials."),
        ErrorKind::PermissionDenied => {
            let body = json!({
                "category": "FORBIDDEN", "message": "Insufficient permissions.",
                "details": "Your key has no access to this feature.", "request_id": "00000000-0000-0000-0000-000000000000",
            });
            (StatusCode::FORBIDDEN, body)
        }
        ErrorKind::ModelNotFound => error(
            StatusCode::FORBIDDEN,
            "INSUFFICIENT_PERMISSIONS",
            "Project does not have access to the requested model.",
        ),
        ErrorKind::BadRequest | ErrorKind::ContentFilter => {
            invalid("failed to process audio: corrupt or unsupported data")
        }
        ErrorKind::ContextLength => {
            error(StatusCode::PAYLOAD_TOO_LARGE, "PAYLOAD_TOO_LARGE", "The audio is larger than 2 GB.")
        }
        ErrorKind::None
        | ErrorKind::BadGateway
        | ErrorKind::Timeout
        | ErrorKind::Refusal
        | ErrorKind::Malformed
        | ErrorKind::Empty
        | ErrorKind::Drop => return None,
    })
}

/// What `/v1/listen` understands here.
const KNOWN: [&str; 8] = [
    "model",
    "smart_format",
    "utterances",
    "language",
    "detect_language",
    "keyterm",
    "keywords",
    "punctuate",
];

/// `POST /v1/listen`.
pub(crate) fn listen(asked: &Asked) -> Result<Made, VendorError> {
    let query = asked.parts.uri.query().unwrap_or_default();
    let pairs: Vec<(&str, &str)> = query.split('&').filter_map(|pair| pair.split_once('=')).collect();
    let one = |name: &str| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| *value);
    if let Some((unknown, _)) = pairs.iter().find(|(key, _)| !KNOWN.contains(key)) {
        return Err(invalid(&format!("unknown query parameter {unknown}")));
    }
    let model = one("model").unwrap_or("base");
    if one("keyterm").is_some() && !model.starts_with("nova-3") && !model.starts_with("sim") {
        return Err(invalid("Keyterms are only supported for nova-3"));
    }
    let is_sound = asked.parts.headers.get("content-type").is_some_and(|kind| {
        let kind = kind.as_bytes();
        kind.starts_with(b"audio/") || kind.starts_with(b"video/") || kind == b"application/octet-stream"
    });
    if asked.body.is_empty() || !is_sound {
        return Err(invalid("failed to process audio: corrupt or unsupported data"));
    }
    let heard = Heard::of(&asked.body, &asked.dials);
    let word = |(start, end, word): &(u64, u64, &str)| {
        let plain = word.trim_matches('.').to_lowercase();
        let (start, end) = (seconds(*start), seconds(*end));
        json!({"word": plain, "start": start, "end": end, "confidence": 0.99, "punctuated_word": word})
    };
    let words: Vec<Value> = heard.words.iter().map(word).collect();
    let utterance = |(start, end, text): (u64, u64, String)| {
        let (start, end) = (seconds(start), seconds(end));
        json!({"start": start, "end": end, "confidence": 0.99, "channel": 0, "transcript": text, "words": []})
    };
    let utterances: Vec<Value> = heard.sentences().into_iter().map(utterance).collect();
    let mut channel =
        json!({"alternatives": [{"transcript": heard.text(), "confidence": 0.99, "words": words}]});
    if one("detect_language") == Some("true") {
        channel["detected_language"] = json!("en");
    }
    let mut answer = json!({
        "metadata": {"transaction_key": "deprecated", "request_id": "sim", "channels": 1, "models": [model]},
        "results": {"channels": [channel]},
    });
    // The vendor writes more digits than it bills.
    let written = format!("{}.{:03}313", heard.millis / 1000, heard.millis % 1000);
    let length = json!({"duration": serde_json::from_str::<Value>(&written).unwrap_or_default()});
    if let Some(duration) = reported(length, &asked.dials).and_then(|length| length.get("duration").cloned())
    {
        answer["metadata"]["duration"] = duration;
    }
    if one("utterances") == Some("true") {
        answer["results"]["utterances"] = Value::Array(utterances);
    }
    Ok(Made::json(model, &answer))
}

/// `POST /v1/speak`. The head says how many characters it took, unless usage is missing.
///
/// Source: "Single Text Request" of the published API reference.
pub(crate) fn speak(asked: &Asked) -> Result<Made, VendorError> {
    let query = asked.parts.uri.query().unwrap_or_default();
    let pairs: Vec<(&str, &str)> = query.split('&').filter_map(|pair| pair.split_once('=')).collect();
    let one = |name: &str| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| *value);
    let known = ["model", "encoding", "container", "sample_rate", "bit_rate"];
    if let Some((unknown, _)) = pairs.iter().find(|(key, _)| !known.contains(key)) {
        return Err(invalid(&format!("unknown query parameter {unknown}")));
    }
    let model = one("model").unwrap_or("aura-asteria-en");
    if model.starts_with("aura") && model.trim_start_matches("aura-2").matches('-').count() < 2 {
        return Err(error(
            StatusCode::BAD_REQUEST,
            "INVALID_QUERY_PARAMETER",
            "No such model/version/voice combination found.",
        ));
    }
    let body: serde_json::Map<String, Value> = serde_json::from_slice(&asked.body)
        .map_err(|error| invalid(&format!("Json deserialize error: {error}")))?;
    let text = body.get("text").and_then(Value::as_str).filter(|text| !text.is_empty() && body.len() == 1);
    let Some(text) = text else {
        return Err(invalid("Json deserialize error: missing field `text`"));
    };
    let characters = text.chars().count();
    if characters > 2000 {
        let message = "Input text exceeds maximum character limit of 2000.";
        return Err(error(StatusCode::PAYLOAD_TOO_LARGE, "INPUT_TEXT_TOO_LONG", message));
    }
    let millis = words(text).saturating_mul(WORD_MILLIS);
    let (sound, content_type) = match (one("encoding").unwrap_or("mp3"), one("container")) {
        ("mp3", None) => (mp3(millis), "audio/mpeg"),
        ("linear16", Some("wav")) => (wav(millis), "audio/wav"),
        ("linear16", Some("none")) => (pcm(millis), "audio/l16;rate=24000"),
        _ => return Err(invalid("the simulator speaks mp3 and linear16")),
    };
    let count = reported(json!({"characters": characters}), &asked.dials);
    let count = count.and_then(|count| count.get("characters").map(ToString::to_string));
    let headers = count.map(|count| ("dg-char-count", count)).into_iter().collect();
    Ok(Made { model: model.to_owned(), body: sound.into(), content_type, headers })
}

/// `GET /v1/models`: what transcribes, apart from what speaks.
pub(crate) fn models(dials: &Dials) -> Value {
    let model =
        |name: &String| json!({"name": name, "canonical_name": name, "architecture": "sim", "batch": true});
    json!({"stt": dials.models.iter().map(model).collect::<Vec<_>>(), "tts": []})
}

/// `GET /v1/auth/token`.
pub(crate) fn token(_: &Dials) -> Value {
    json!({"api_key_id": "00000000-0000-0000-0000-000000000000", "scopes": ["member"]})
}
