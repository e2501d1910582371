//! Speech of Gemini's models.

use async_trait::async_trait;
use base64::Engine as _;
use bytes::Bytes;
use reqwest::Method;
use serde_json::{Value, json};
use signalbox_core::failure::FailureKind;
use signalbox_core::usage::Unit;

use super::{GeminiMedia, KEY, at, is_blocked, of_input};
use crate::adapter::SpeechAdapter;
use crate::call::{Account, Call, CallAnswer, CallError, Metering};
use crate::dialect::gemini;
use crate::failure::failed;
use crate::media::spoken::{AudioFormat, SpeechRequest};
use crate::media::{
    Reply, container, estimated, json_of, json_request, refused, reported, unsupported, written,
};
use crate::tokens::{self, as_u64};

/// Tokens of a second of sound. Source: the vendor's guide to tokens.
const TOKENS_PER_SECOND_SPOKEN: u64 = 32;

/// Samples a second, unless the answer says otherwise.
const HERTZ: u32 = 24_000;

/// What sound is given in. Where the client names no format it gets a WAV file, which every player knows.
const FORMATS: [AudioFormat; 2] = [AudioFormat::Wav, AudioFormat::Pcm];

/// A voice of the vendor's for each name of `OpenAI`'s voices.
const VOICES: [(&str, &str); 13] = [
    ("alloy", "Kore"),
    ("ash", "Puck"),
    ("ballad", "Algenib"),
    ("cedar", "Charon"),
    ("coral", "Aoede"),
    ("echo", "Orus"),
    ("fable", "Fenrir"),
    ("marin", "Leda"),
    ("nova", "Zephyr"),
    ("onyx", "Charon"),
    ("sage", "Callirrhoe"),
    ("shimmer", "Achernar"),
    ("verse", "Iapetus"),
];

#[async_trait]
impl SpeechAdapter for GeminiMedia {
    async fn speak(&self, account: &Account, call: &Call) -> Result<CallAnswer, CallError> {
        let request = SpeechRequest::read(json_of(call)?).map_err(refused)?;
        let format = format_of(account, &request)?;
        let text = match request.instructions {
            Some(how) => format!("{how}:\n{}", request.input),
            None => request.input.to_owned(),
        };
        let body = written(&generate_request(account, &request, &text)?)?;
        let url = at(account, call, "generateContent");
        let outgoing = json_request(Method::POST, url, Some(body), KEY, call.timeouts.first_byte);
        let bill = || Some(spoken(None, &text, 0));
        let reply = Reply::to(&self.http, account, outgoing, call.timeouts.idle, bill).await?;
        let answer = reply.json(account)?;
        let Some((samples, hertz)) = samples_of(&answer) else {
            let error = reply.bad(&format!("{} answered without any sound", account.name));
            let kind = if is_blocked(&answer) { FailureKind::ContentFilter } else { error.kind };
            return Err(CallError { kind, metering: Some(spoken(Some(&answer), &text, 0)), ..error });
        };
        // 16 bits a sample.
        let millis = as_u64(samples.len()).saturating_mul(500).div_ceil(u64::from(hertz.max(1)));
        let metering = spoken(Some(&answer), &text, millis);
        let body = match format {
            AudioFormat::Pcm => Bytes::from(samples),
            _ => container::wav_of_pcm16(&samples, hertz).into(),
        };
        Ok(reply.answer(body, format.content_type(), metering))
    }
}

fn format_of(account: &Account, request: &SpeechRequest<'_>) -> Result<AudioFormat, CallError> {
    if request.speed != 1000 {
        let message = format!("speed: {} speaks at its normal speed alone", account.name);
        return Err(failed(FailureKind::Unsupported, None, message));
    }
    if !request.names_format {
        return Ok(AudioFormat::Wav);
    }
    if FORMATS.contains(&request.format) {
        return Ok(request.format);
    }
    let (wanted, has) = (request.format.as_str(), AudioFormat::words(&FORMATS));
    Err(unsupported(account, "response_format", wanted, &has))
}

fn generate_request(account: &Account, request: &SpeechRequest<'_>, text: &str) -> Result<Value, CallError> {
    let known = VOICES.iter().find(|(name, _)| request.voice.eq_ignore_ascii_case(name));
    let voice = known.map_or(request.voice, |(_, voice)| voice);
    if voice.len() > 40 || !voice.bytes().all(|byte| byte.is_ascii_alphabetic()) {
        let has = format!("{} and names such as Kore", VOICES.map(|(name, _)| name).join(", "));
        return Err(unsupported(account, "voice", voice, &has));
    }
    Ok(json!({
        "contents": [{"role": "user", "parts": [{"text": text}]}],
        "generationConfig": {
            "responseModalities": ["AUDIO"],
            "speechConfig": {"voiceConfig": {"prebuiltVoiceConfig": {"voiceName": voice}}},
        },
    }))
}

/// 16-bit samples and how many there are a second: `audio/L16;codec=pcm;rate=24000`.
fn samples_of(answer: &Value) -> Option<(Vec<u8>, u32)> {
    let parts = answer.pointer("/candidates/0/content/parts")?.as_array()?;
    let sound = parts.iter().find_map(|part| part.get("inlineData"))?;
    let kind = sound.get("mimeType").and_then(Value::as_str).unwrap_or_default();
    let rate = kind.split(';').find_map(|field| field.trim().strip_prefix("rate=")?.parse().ok());
    let data = sound.get("data")?.as_str()?;
    let samples = base64::engine::general_purpose::STANDARD.decode(data).ok()?;
    (!samples.is_empty()).then_some((samples, rate.unwrap_or(HERTZ)))
}

/// What speech used: tokens of text in, and of sound out.
fn spoken(answer: Option<&Value>, text: &str, millis: u64) -> Metering {
    let said = answer.and_then(gemini::usage::of_answer).and_then(|report| report.usage);
    if let Some(usage) = said.filter(|usage| usage.tokens_in() > 0 && (millis == 0 || usage.tokens_out() > 0))
    {
        return reported(usage);
    }
    let read = of_input(tokens::count(text, tokens::SETTLE_BYTES_EXACT));
    estimated(
        read.with(Unit::AudioOutputTokens, millis.saturating_mul(TOKENS_PER_SECOND_SPOKEN).div_ceil(1000)),
    )
}
