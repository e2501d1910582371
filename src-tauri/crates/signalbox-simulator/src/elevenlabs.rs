//! `ElevenLabs`' wire.
//!
//! Source: "Create speech", "Create transcript" and "Errors" of the published API reference.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::audio::file::{mp3, pcm};
use crate::audio::{Heard, WORD_MILLIS, seconds};
use crate::dials::{Dials, ErrorKind};
use crate::media::{Asked, Made};
use crate::multipart;
use crate::prompt::words;
use crate::usage::reported;
use crate::vendor::VendorError;

/// The voices that are listed; any other id is spoken too.
const VOICES: [(&str, &str); 2] = [("21m00Tcm4TlvDq8ikWAM", "Rachel"), ("JBFqnCBsd6RMkjVDRZzb", "George")];

fn error(status: StatusCode, word: &str, message: &str) -> VendorError {
    (status, json!({"detail": {"status": word, "message": message}}))
}

/// A request the vendor would refuse.
pub(crate) fn invalid(message: &str) -> VendorError {
    let fault = json!({"type": "value_error", "loc": ["body"], "msg": message});
    (StatusCode::UNPROCESSABLE_ENTITY, json!({"detail": [fault]}))
}

/// The vendor's answer to a fault; none where the fault is no error answer.
pub(crate) fn of_fault(kind: ErrorKind) -> Option<VendorError> {
    Some(match kind {
        ErrorKind::RateLimit => error(
            StatusCode::TOO_MANY_REQUESTS,
            "too_many_concurrent_requests",
            "Too many concurrent requests. Your current subscription is associated with a maximum of 2 concurrent requests.",
        ),
        ErrorKind::InsufficientQuota => error(
            StatusCode::UNAUTHORIZED,
            "quota_exceeded",
            "This request exceeds your quota of 10000. You have 0 credits remaining.",
        ),
        ErrorKind::Overloaded => error(
            StatusCode::TOO_MANY_REQUESTS,
            "system_busy",
            "We are experiencing heavy traffic, please try again later.",
        ),
        ErrorKind::ServerError => error(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal_server_error",
            "Something went wrong on our side.",
        ),
        ErrorKind::InvalidKey => error(StatusCode::UNAUTHORIZED, "invalid_api_key", "Invalid API key"),
        ErrorKind::PermissionDenied => error(
            StatusCode::UNAUTHORIZED,
            "missing_permissions",
            "The API key you used is missing the permission text_to_speech to execute this operation.",
        ),
        ErrorKind::ModelNotFound => {
            error(StatusCode::BAD_REQUEST, "model_not_found", "A model with model ID sim does not exist.")
        }
        ErrorKind::BadRequest => invalid("Field required"),
        ErrorKind::ContextLength => error(
            StatusCode::BAD_REQUEST,
            "max_character_limit_exceeded",
            "This request's text has 50000 characters and exceeds the character limit of 10000 characters.",
        ),
        ErrorKind::ContentFilter => error(
            StatusCode::FORBIDDEN,
            "content_against_policy",
            "The text you are trying to use may violate our terms of service.",
        ),
        ErrorKind::None
        | ErrorKind::BadGateway
        | ErrorKind::Timeout
        | ErrorKind::Refusal
        | ErrorKind::Malformed
        | ErrorKind::Empty
        | ErrorKind::Drop => return None,
    })
}

/// `POST /v1/text-to-speech/{voice}`. The head says what it cost, unless usage is missing.
pub(crate) fn speech(asked: &Asked, voice: &str) -> Result<Made, VendorError> {
    if voice.len() < 10 || !voice.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        let message = format!("A voice with voice_id {voice} was not found.");
        return Err(error(StatusCode::NOT_FOUND, "voice_not_found", &message));
    }
    let body: Value = serde_json::from_slice(&asked.body).map_err(|error| invalid(&error.to_string()))?;
    let known = ["text", "model_id", "voice_settings", "language_code", "seed"];
    let unknown = body.as_object().and_then(|map| map.keys().find(|key| !known.contains(&key.as_str())));
    if let Some(unknown) = unknown {
        return Err(invalid(&format!("Extra inputs are not permitted: {unknown}")));
    }
    let Some(text) = body.get("text").and_then(Value::as_str).filter(|text| !text.is_empty()) else {
        return Err(invalid("Field required: text"));
    };
    let speed = body.pointer("/voice_settings/speed").map_or(Some(1.0), Value::as_f64);
    if !speed.is_some_and(|speed| (0.7..=1.2).contains(&speed)) {
        return Err(error(
            StatusCode::BAD_REQUEST,
            "invalid_voice_settings",
            "Speed must be between 0.7 and 1.2",
        ));
    }
    let model = body.get("model_id").and_then(Value::as_str).unwrap_or("eleven_multilingual_v2");
    let query = asked.parts.uri.query().unwrap_or_default();
    let format =
        query.split('&').find_map(|pair| pair.strip_prefix("output_format=")).unwrap_or("mp3_44100_128");
    let millis = words(text).saturating_mul(WORD_MILLIS);
    let (sound, content_type) = match format {
        "mp3_44100_128" => (mp3(millis), "audio/mpeg"),
        "pcm_24000" => (pcm(millis), "audio/pcm"),
        _ => return Err(error(StatusCode::BAD_REQUEST, "invalid_output_format", "Invalid output format")),
    };
    let cost = reported(json!({"characters": text.chars().count()}), &asked.dials);
    let cost = cost.and_then(|cost| cost.get("characters").map(ToString::to_string));
    let headers = cost.map(|cost| ("character-cost", cost)).into_iter().collect();
    Ok(Made { model: model.to_owned(), body: sound.into(), content_type, headers })
}

/// `POST /v1/speech-to-text`. It does not say how long the recording is, as the vendor does not.
pub(crate) fn transcription(asked: &Asked) -> Result<Made, VendorError> {
    let Some(parts) = multipart::parts(&asked.parts.headers, &asked.body) else {
        return Err(invalid("Could not parse the form"));
    };
    let text = |name: &str| {
        let part = parts.iter().find(|part| part.name == name && part.file_name.is_none());
        part.and_then(|part| std::str::from_utf8(part.bytes).ok()).filter(|text| !text.is_empty())
    };
    let Some(model) = text("model_id") else {
        return Err(invalid("Field required: model_id"));
    };
    let Some(file) = parts.iter().find(|part| part.name == "file" && !part.bytes.is_empty()) else {
        return Err(invalid("Field required: file"));
    };
    let heard = Heard::of(file.bytes, &asked.dials);
    let word = |(start, end, word): &(u64, u64, &str)| {
        let (start, end) = (seconds(*start), seconds(*end));
        json!({"text": word, "start": start, "end": end, "type": "word", "speaker_id": "speaker_0"})
    };
    let answer = json!({
        "language_code": text("language_code").unwrap_or("eng"), "language_probability": 0.98,
        "text": heard.text(), "words": heard.words.iter().map(word).collect::<Vec<_>>(),
    });
    Ok(Made::json(model, &answer))
}

/// `GET /v1/models`.
pub(crate) fn models(dials: &Dials) -> Value {
    let model = |name: &String| json!({"model_id": name, "name": name, "can_do_text_to_speech": true});
    dials.models.iter().map(model).collect()
}

/// `GET /v1/voices`.
pub(crate) fn voices(_: &Dials) -> Value {
    let voice = |(id, name): &(&str, &str)| json!({"voice_id": id, "name": name, "category": "premade"});
    json!({"voices": VOICES.iter().map(voice).collect::<Vec<_>>()})
}
