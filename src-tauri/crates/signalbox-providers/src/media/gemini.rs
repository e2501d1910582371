//! Gemini: vectors, transcripts made by models that hear, and speech.
//!
//! Source: ai.google.dev/api, "Embeddings", "Generating content", and its guides to audio and to speech.

mod speech;

use async_trait::async_trait;
use base64::Engine as _;
use reqwest::Method;
use serde_json::{Map, Value, json};
use signalbox_core::failure::FailureKind;
use signalbox_core::usage::{Unit, Usage};
use url::Url;

use super::embedding::{self, EmbeddingRequest, Inputs};
use super::openai::usage_in_words;
use super::recording::Recording;
use super::transcript::{Form, Transcript};
use super::{Reply, estimated, json_of, json_request, refused, reported, unsupported, upload_of, written};
use crate::adapter::{EmbeddingAdapter, TranscriptionAdapter};
use crate::auth::Scheme;
use crate::call::{Account, Call, CallAnswer, CallError, Metering};
use crate::dialect::gemini;
use crate::failure::failed;
use crate::http::Http;
use crate::request::{join, versioned};
use crate::tokens;

/// Where the vendor wants its key.
const KEY: Scheme = Scheme::Header("x-goog-api-key");

/// Most texts of one call. Source: the vendor's limit of a batch.
const BATCH_MAX: usize = 100;

/// Tokens of a second of sound. Source: the vendor's guide to tokens.
const TOKENS_PER_SECOND_HEARD: u64 = 32;

/// What transcripts are written as: the model hears no times.
const FORMS: [Form; 2] = [Form::Json, Form::Text];

/// What the model is told to do.
const TASK: &str = "Write down word for word what is said in this recording, in the language it is said in. \
                    Answer with the transcript alone. Where nothing is said, answer with nothing.";

/// Gemini's API beside its chats.
#[derive(Debug)]
pub(crate) struct GeminiMedia {
    http: Http,
}

impl GeminiMedia {
    /// Over this client.
    pub fn new(http: &Http) -> Self {
        Self { http: http.clone() }
    }

    /// Vectors of at most [`BATCH_MAX`] texts, and the tokens the provider says it read.
    async fn batch(
        &self,
        account: &Account,
        call: &Call,
        texts: &[&str],
        dimensions: Option<u64>,
    ) -> Result<(Vec<Vec<f64>>, Option<u64>, u16), CallError> {
        let model = format!("models/{}", call.model);
        let requests: Vec<Value> = texts.iter().map(|text| embed_request(&model, text, dimensions)).collect();
        let (verb, body) = match requests.as_slice() {
            [one] => ("embedContent", one.clone()),
            many => ("batchEmbedContents", json!({ "requests": many })),
        };
        let url = at(account, call, verb);
        let wait = call.timeouts.first_byte;
        let outgoing = json_request(Method::POST, url, Some(written(&body)?), KEY, wait);
        let reply = Reply::to(&self.http, account, outgoing, call.timeouts.idle, || None).await?;
        let answer = reply.json(account)?;
        let vectors = vectors_of(&answer).filter(|vectors| vectors.len() == texts.len());
        let Some(vectors) = vectors else {
            return Err(reply.bad(&format!("{} answered without a vector for each text", account.name)));
        };
        let tokens = answer.pointer("/usageMetadata/promptTokenCount").and_then(Value::as_u64);
        Ok((vectors, tokens.filter(|tokens| *tokens > 0), reply.status))
    }
}

#[async_trait]
impl EmbeddingAdapter for GeminiMedia {
    async fn embed(&self, account: &Account, call: &Call) -> Result<CallAnswer, CallError> {
        let request = EmbeddingRequest::read(json_of(call)?).map_err(refused)?;
        let Inputs::Texts(texts) = &request.inputs else {
            let message =
                format!("input: {} reads texts, not token numbers of another vocabulary", account.name);
            return Err(failed(FailureKind::Unsupported, None, message));
        };
        let mut vectors = Vec::with_capacity(texts.len());
        let (mut said, mut status) = (Some(0_u64), 200);
        for batch in texts.chunks(BATCH_MAX) {
            let answered = self.batch(account, call, batch, request.dimensions).await;
            let (more, tokens, answered_with) =
                answered.map_err(|error| billed_so_far(error, texts, &vectors))?;
            vectors.extend(more);
            said = said.zip(tokens).map(|(sum, tokens)| sum.saturating_add(tokens));
            status = answered_with;
        }
        let metering = match said {
            Some(tokens) => reported(of_input(tokens)),
            None => estimated(of_input(request.tokens(tokens::SETTLE_BYTES_EXACT))),
        };
        let body = embedding::answer(&vectors, request.base64, call.model.as_str(), &metering.usage);
        Ok(CallAnswer {
            body: body.to_string().into(),
            content_type: "application/json".into(),
            metering,
            http_status: status,
            // Google's answers carry no such headers.
            headroom: None,
        })
    }
}

#[async_trait]
impl TranscriptionAdapter for GeminiMedia {
    async fn transcribe(&self, account: &Account, call: &Call) -> Result<CallAnswer, CallError> {
        let recording = Recording::read(upload_of(call)?).map_err(refused)?;
        if !FORMS.contains(&recording.form) {
            let (wanted, has) = (recording.form.as_str(), Form::words(&FORMS));
            return Err(unsupported(account, "response_format", wanted, &has));
        }
        let task = task(&recording);
        let body = written(&generate_request(&recording, &task))?;
        let url = at(account, call, "generateContent");
        let outgoing = json_request(Method::POST, url, Some(body), KEY, call.timeouts.first_byte);
        let bill = || Some(heard(None, &recording, &task, ""));
        let reply = Reply::to(&self.http, account, outgoing, call.timeouts.idle, bill).await?;
        let answer = reply.json(account)?;
        let text = text_of(&answer);
        let metering = heard(Some(&answer), &recording, &task, text.as_deref().unwrap_or_default());
        let Some(text) = text else {
            let error = reply.bad(&format!("{} answered without a transcript", account.name));
            let kind = if is_blocked(&answer) { FailureKind::ContentFilter } else { error.kind };
            return Err(CallError { kind, metering: Some(metering), ..error });
        };
        let transcript = Transcript {
            text: text.trim().to_owned(),
            language: recording.language.map(str::to_owned),
            duration: recording.millis(),
            ..Transcript::default()
        };
        let usage = usage_in_words(&metering.usage);
        let body = transcript.write(recording.form, recording.granularity, &usage);
        Ok(reply.answer(body, recording.form.content_type(), metering))
    }
}

fn at(account: &Account, call: &Call, verb: &str) -> Url {
    let tail = format!("/models/{}:{verb}", call.model);
    join(&account.base_url, &versioned(&account.base_url, "/v1beta", &tail))
}

fn embed_request(model: &str, text: &str, dimensions: Option<u64>) -> Value {
    let mut request = Map::from_iter([
        ("model".to_owned(), json!(model)),
        ("content".to_owned(), json!({"parts": [{"text": text}]})),
    ]);
    request.extend(dimensions.map(|count| ("outputDimensionality".to_owned(), json!(count))));
    Value::Object(request)
}

/// The vectors of `embedContent` or `batchEmbedContents`.
fn vectors_of(answer: &Value) -> Option<Vec<Vec<f64>>> {
    let values = |embedding: &Value| -> Option<Vec<f64>> {
        embedding.get("values")?.as_array()?.iter().map(Value::as_f64).collect()
    };
    match answer.get("embedding") {
        Some(one) => Some(vec![values(one)?]),
        None => answer.get("embeddings")?.as_array()?.iter().map(values).collect(),
    }
}

/// Earlier parts of a request in several calls are billed although a later one failed.
fn billed_so_far(error: CallError, texts: &[&str], made: &[Vec<f64>]) -> CallError {
    if made.is_empty() {
        return error;
    }
    let request = EmbeddingRequest {
        inputs: Inputs::Texts(texts.iter().take(made.len()).copied().collect()),
        dimensions: None,
        base64: false,
    };
    let tokens = request.tokens(tokens::SETTLE_BYTES_EXACT);
    CallError { metering: Some(estimated(of_input(tokens))), ..error }
}

fn of_input(tokens: u64) -> Usage {
    Usage::default().with(Unit::InputTokens, tokens)
}

fn task(recording: &Recording<'_>) -> String {
    let language = recording.language.map(|language| format!("The language is `{language}`."));
    let prompt = recording
        .prompt
        .map(|prompt| format!("These words may come up, or the recording continues this text: {prompt}"));
    let lines = [Some(TASK.to_owned()), language, prompt].into_iter().flatten();
    lines.collect::<Vec<_>>().join("\n")
}

fn generate_request(recording: &Recording<'_>, task: &str) -> Value {
    let data = base64::engine::general_purpose::STANDARD.encode(&recording.upload.bytes);
    let sound = json!({"inlineData": {"mimeType": recording.content_type(), "data": data}});
    json!({
        "contents": [{"role": "user", "parts": [{"text": task}, sound]}],
        "generationConfig": {"temperature": 0},
    })
}

/// What the model said, its thoughts left out; `None` when there is no answer of it.
fn text_of(answer: &Value) -> Option<String> {
    let candidate = answer.pointer("/candidates/0")?;
    let reason = candidate.get("finishReason").and_then(Value::as_str).unwrap_or("STOP");
    let parts = candidate.pointer("/content/parts").and_then(Value::as_array);
    let said = |part: &Value| {
        let is_thought = part.get("thought").and_then(Value::as_bool).unwrap_or(false);
        part.get("text").and_then(Value::as_str).filter(|_| !is_thought).map(str::to_owned)
    };
    match (parts, reason) {
        (Some(parts), _) => Some(parts.iter().filter_map(said).collect()),
        // Silence is an answer too.
        (None, "STOP") => Some(String::new()),
        (None, _) => None,
    }
}

fn is_blocked(answer: &Value) -> bool {
    let reason = answer.pointer("/candidates/0/finishReason").and_then(Value::as_str).unwrap_or_default();
    answer.pointer("/promptFeedback/blockReason").is_some()
        || ["SAFETY", "PROHIBITED_CONTENT", "BLOCKLIST", "SPII", "RECITATION"].contains(&reason)
}

/// What a transcript used: tokens, sound apart from text.
fn heard(answer: Option<&Value>, recording: &Recording<'_>, task: &str, text: &str) -> Metering {
    let said = answer.and_then(gemini::usage::of_answer).and_then(|report| report.usage);
    if let Some(usage) = said.filter(|usage| usage.tokens_in() > 0) {
        return reported(usage);
    }
    let audio = recording.millis_max().saturating_mul(TOKENS_PER_SECOND_HEARD).div_ceil(1000);
    let count = |text: &str| tokens::count(text, tokens::SETTLE_BYTES_EXACT);
    let usage = of_input(count(task)).with(Unit::AudioInputTokens, audio);
    estimated(usage.with(Unit::OutputTokens, count(text)))
}
