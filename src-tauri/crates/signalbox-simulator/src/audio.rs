//! Sound by rule, and the paths of `OpenAI` and Gemini for it.
//!
//! - A recording says one word of [`SENTENCE`] for each started [`WORD_MILLIS`] it lasts (the dial `output_tokens` says how
//!   many instead). It lasts what its WAV header says, else a millisecond per 16 bytes.
//! - Speech is silence that lasts [`WORD_MILLIS`] per word of the text.

pub(crate) mod file;

use serde_json::{Map, Value, json};

use self::file::{mp3, pcm, wav, wav_millis};
use crate::dials::Dials;
use crate::gemini;
use crate::media::{Asked, Made};
use crate::multipart;
use crate::openai;
use crate::prompt::words;
use crate::usage::reported;
use crate::vendor::VendorError;

/// What every recording says, over and over.
const SENTENCE: [&str; 5] = ["This", "is", "what", "was", "said."];

/// How long a word takes. Units: milliseconds.
pub(crate) const WORD_MILLIS: u64 = 400;

/// Tokens of a second of sound in models that count so.
const TOKENS_PER_SECOND: u64 = 10;

/// What a recording says, and when. Units: milliseconds.
#[derive(Debug, Clone)]
pub(crate) struct Heard {
    pub millis: u64,
    pub words: Vec<(u64, u64, &'static str)>,
}

impl Heard {
    /// What `sound` says.
    pub fn of(sound: &[u8], dials: &Dials) -> Self {
        let millis = wav_millis(sound).unwrap_or(sound.len() as u64 / 16).max(1);
        let count = dials.output_tokens.unwrap_or(millis.div_ceil(WORD_MILLIS)).max(1);
        let word = |index: u64| {
            let at = |index: u64| millis.saturating_mul(index) / count;
            let word = SENTENCE[usize::try_from(index % SENTENCE.len() as u64).unwrap_or(0)];
            (at(index), at(index + 1), word)
        };
        Self { millis, words: (0..count).map(word).collect() }
    }

    pub fn text(&self) -> String {
        self.words.iter().map(|(_, _, word)| *word).collect::<Vec<_>>().join(" ")
    }

    /// Sentences, each with its first and last moment.
    pub fn sentences(&self) -> Vec<(u64, u64, String)> {
        let sentence = |words: &[(u64, u64, &str)]| {
            let text = words.iter().map(|(_, _, word)| *word).collect::<Vec<_>>().join(" ");
            let (start, end) =
                (words.first().map_or(0, |word| word.0), words.last().map_or(0, |word| word.1));
            (start, end, text)
        };
        self.words.chunks(SENTENCE.len()).map(sentence).collect()
    }
}

/// Milliseconds as JSON seconds.
pub(crate) fn seconds(millis: u64) -> Value {
    serde_json::from_str(&format!("{}.{:03}", millis / 1000, millis % 1000)).unwrap_or_default()
}

fn invalid<T>(message: &str, param: &'static str) -> Result<T, VendorError> {
    Err(openai::error::invalid(message, Some(param)))
}

/// `POST /v1/audio/transcriptions`. As at the vendor, Whisper says how long a recording is in `verbose_json` alone, and models
/// that count tokens have no form but `json`.
///
/// Source: "Create transcription" of the published API reference.
pub(crate) fn transcription(asked: &Asked) -> Result<Made, VendorError> {
    let Some(parts) = multipart::parts(&asked.parts.headers, &asked.body) else {
        return invalid("Could not parse multipart form", "file");
    };
    let text = |name: &str| {
        let part = parts.iter().find(|part| part.name == name && part.file_name.is_none());
        part.and_then(|part| std::str::from_utf8(part.bytes).ok())
    };
    let Some(model) = text("model").filter(|model| !model.is_empty()) else {
        return invalid("you must provide a model parameter", "model");
    };
    let file = parts.iter().find(|part| part.name == "file" && part.file_name.is_some());
    let Some(file) = file.filter(|file| !file.bytes.is_empty()) else {
        return invalid("Invalid file: a file is required", "file");
    };
    let known = [
        "model",
        "file",
        "response_format",
        "language",
        "prompt",
        "temperature",
        "timestamp_granularities[]",
    ];
    if let Some(unknown) = parts.iter().find(|part| !known.contains(&part.name)) {
        return invalid(&format!("Unrecognized request argument supplied: {}", unknown.name), "file");
    }
    let form = text("response_format").unwrap_or("json");
    let counts_tokens = model.starts_with("gpt-4o");
    let forms: &[&str] =
        if counts_tokens { &["json"] } else { &["json", "text", "srt", "vtt", "verbose_json"] };
    if !forms.contains(&form) {
        return invalid(
            &format!("response_format '{form}' is not compatible with model '{model}'."),
            "response_format",
        );
    }
    if text("timestamp_granularities[]").is_some() && form != "verbose_json" {
        return invalid("timestamp_granularities needs verbose_json", "timestamp_granularities");
    }
    let heard = Heard::of(file.bytes, &asked.dials);
    let body = match form {
        "json" => with_usage(model, &heard, asked),
        "verbose_json" => verbose(&heard, text("language"), asked),
        _ => {
            let (body, content_type) = (plain(&heard, form).into(), "text/plain; charset=utf-8");
            return Ok(Made { model: model.to_owned(), body, content_type, headers: Vec::new() });
        }
    };
    Ok(Made::json(model, &body))
}

/// `json` with what was used, as each family of models says it: Whisper says nothing.
fn with_usage(model: &str, heard: &Heard, asked: &Asked) -> Value {
    let mut body = json!({"text": heard.text()});
    let usage = if model.starts_with("gpt-4o") {
        let audio = heard.millis.saturating_mul(TOKENS_PER_SECOND).div_ceil(1000);
        let output = heard.words.len() as u64;
        json!({
            "type": "tokens", "input_tokens": audio, "output_tokens": output, "total_tokens": audio + output,
            "input_token_details": {"text_tokens": 0, "audio_tokens": audio},
        })
    } else if model.contains("whisper") {
        return body;
    } else {
        json!({"type": "duration", "seconds": seconds(heard.millis)})
    };
    if let Some(usage) = reported(usage, &asked.dials) {
        body["usage"] = usage;
    }
    body
}

fn verbose(heard: &Heard, language: Option<&str>, asked: &Asked) -> Value {
    let segment = |(id, (start, end, text)): (usize, (u64, u64, String))| {
        json!({
            "id": id, "seek": 0, "start": seconds(start), "end": seconds(end), "text": text, "tokens": [],
            "temperature": 0.0, "avg_logprob": -0.2, "compression_ratio": 1.1, "no_speech_prob": 0.01,
        })
    };
    let segments: Vec<Value> = heard.sentences().into_iter().enumerate().map(segment).collect();
    let mut body = Map::from_iter([
        ("task".to_owned(), json!("transcribe")),
        ("language".to_owned(), json!(language.unwrap_or("english"))),
    ]);
    let length = json!({"duration": seconds(heard.millis)});
    if let Some(Value::Object(length)) = reported(length, &asked.dials) {
        body.extend(length);
    }
    body.insert("text".to_owned(), json!(heard.text()));
    body.insert("segments".to_owned(), Value::Array(segments));
    Value::Object(body)
}

fn plain(heard: &Heard, form: &str) -> String {
    let clock = |millis: u64, point: char| {
        let seconds = millis / 1000;
        let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
        format!("{hours:02}:{minutes:02}:{:02}{point}{:03}", seconds % 60, millis % 1000)
    };
    if form == "text" {
        return format!("{}\n", heard.text());
    }
    let point = if form == "srt" { ',' } else { '.' };
    let lines = heard.sentences().into_iter().enumerate().map(|(index, (start, end, text))| {
        let number = if form == "srt" { format!("{}\n", index + 1) } else { String::new() };
        format!("{number}{} --> {}\n{text}\n\n", clock(start, point), clock(end, point))
    });
    let head = if form == "srt" { "" } else { "WEBVTT\n\n" };
    std::iter::once(head.to_owned()).chain(lines).collect()
}

/// `POST /v1/audio/speech`. It speaks `mp3`, `wav` and `pcm`.
///
/// Source: "Create speech" of the published API reference.
pub(crate) fn speech(asked: &Asked) -> Result<Made, VendorError> {
    let body: Value = serde_json::from_slice(&asked.body)
        .map_err(|error| openai::error::invalid(&format!("We could not parse the body: {error}"), None))?;
    let text = |name: &str| body.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let Some(model) = text("model") else {
        return invalid("you must provide a model parameter", "model");
    };
    let Some(input) = text("input") else {
        return invalid("Input should be a valid string", "input");
    };
    if input.chars().count() > 4096 {
        return invalid("String should have at most 4096 characters", "input");
    }
    if text("voice").is_none() {
        return invalid("Field required: voice", "voice");
    }
    let millis = words(input).saturating_mul(WORD_MILLIS);
    let (body, content_type) = match text("response_format").unwrap_or("mp3") {
        "mp3" => (mp3(millis), "audio/mpeg"),
        "wav" => (wav(millis), "audio/wav"),
        "pcm" => (pcm(millis), "audio/pcm"),
        _ => return invalid("the simulator speaks mp3, wav and pcm", "response_format"),
    };
    Ok(Made { model: model.to_owned(), body: body.into(), content_type, headers: Vec::new() })
}

/// Whether a Gemini model speaks, as the vendor's do whose names say so.
pub(crate) fn is_gemini_speech(model: &str) -> bool {
    model.ends_with("-tts")
}

/// `POST /v1beta/models/{model}:generateContent` of a model that speaks.
///
/// Source: "Speech generation" of the published guides.
pub(crate) fn gemini_speech(asked: &Asked) -> Result<Made, VendorError> {
    let refused = |message: &str| gemini::error::invalid(message);
    let path = asked.parts.uri.path().strip_prefix("/v1beta/models/").unwrap_or_default();
    let model = path.rsplit_once(':').map_or(path, |(model, _)| model);
    let body: Value = serde_json::from_slice(&asked.body)
        .map_err(|error| refused(&format!("Invalid JSON payload received. {error}")))?;
    let config = body.get("generationConfig").unwrap_or(&Value::Null);
    if config.get("responseModalities") != Some(&json!(["AUDIO"])) {
        return Err(refused("Model does not support the requested response modalities: TEXT"));
    }
    let voice = config.pointer("/speechConfig/voiceConfig/prebuiltVoiceConfig/voiceName");
    if voice.and_then(Value::as_str).is_none_or(|name| !name.starts_with(|first: char| first.is_uppercase()))
    {
        return Err(refused("Voice name is not supported."));
    }
    let Some(text) = body.pointer("/contents/0/parts/0/text").and_then(Value::as_str) else {
        return Err(refused("* GenerateContentRequest.contents: contents is not specified"));
    };
    let millis = words(text).saturating_mul(WORD_MILLIS);
    let (input, output) = (words(text), millis.saturating_mul(25).div_ceil(1000));
    let data = file::base64(&pcm(millis));
    let mut answer = json!({
        "candidates": [{
            "content": {"parts": [{"inlineData": {"mimeType": "audio/L16;codec=pcm;rate=24000", "data": data}}], "role": "model"},
            "finishReason": "STOP", "index": 0,
        }],
        "modelVersion": model,
    });
    let usage = json!({
        "promptTokenCount": input, "candidatesTokenCount": output, "totalTokenCount": input + output,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": input}],
        "candidatesTokensDetails": [{"modality": "AUDIO", "tokenCount": output}],
    });
    if let Some(usage) = reported(usage, &asked.dials) {
        answer["usageMetadata"] = usage;
    }
    Ok(Made::json(model, &answer))
}
