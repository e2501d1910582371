//! The surfaces that are no conversations, feedback and figures.

use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};
use signalbox_testkit::{Reply, TestApp};

/// A second of silence: 16 kHz, mono, 16 bits.
fn wav() -> Vec<u8> {
    let (rate, bytes) = (16_000_u32, 32_000_u32);
    let mut wav = Vec::new();
    wav.extend(b"RIFF");
    wav.extend((36 + bytes).to_le_bytes());
    wav.extend(b"WAVEfmt ");
    wav.extend(16_u32.to_le_bytes());
    wav.extend(1_u16.to_le_bytes());
    wav.extend(1_u16.to_le_bytes());
    wav.extend(rate.to_le_bytes());
    wav.extend((rate * 2).to_le_bytes());
    wav.extend(2_u16.to_le_bytes());
    wav.extend(16_u16.to_le_bytes());
    wav.extend(b"data");
    wav.extend(bytes.to_le_bytes());
    wav.resize(wav.len() + 32_000, 0);
    wav
}

async fn transcribe(app: &TestApp, form: Form) -> Reply {
    let request = app.http.post(app.url("/v1/audio/transcriptions")).bearer_auth(&app.key).multipart(form);
    app.send(request).await.unwrap()
}

fn form() -> Form {
    Form::new().text("model", "op:audio_transcription").part("file", Part::bytes(wav()).file_name("a.wav"))
}

#[tokio::test]
async fn a_recording_is_written_down_and_metered_by_its_length() {
    let app = TestApp::start().await.unwrap();
    app.set_route("audio_transcription", &["simulator/sim-transcribe"]).await.unwrap();
    let reply = transcribe(&app, form()).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    assert!(reply.body["text"].is_string(), "{}", reply.body);
    assert_eq!(reply.header("x-signalbox-operation"), "audio_transcription");
    let record = app.record(reply.request_id().unwrap()).await.unwrap();
    let usage = record.settlement.unwrap().usage();
    assert!(usage.get(signalbox_core::usage::Unit::AudioMilliseconds) > 0, "{usage:?}");
    app.verify().await.unwrap();
}

#[tokio::test]
async fn a_form_that_is_none_is_refused_in_words_and_nothing_is_written() {
    let app = TestApp::start().await.unwrap();
    let json = app.post("/v1/audio/transcriptions", &json!({"model": "op:audio_transcription"}));
    let reply = app.send(json).await.unwrap();
    assert_eq!((reply.status, reply.code()), (415, "unsupported_media_type"));
    let reply = transcribe(&app, Form::new().text("model", "op:audio_transcription")).await;
    assert_eq!((reply.status, reply.code()), (400, "invalid_request"), "{}", reply.body);
    let reply = transcribe(&app, form().text("x", "y".repeat(70_000))).await;
    assert_eq!(reply.status, 400, "{}", reply.body);
    let report = app.verify().await.unwrap();
    assert_eq!((report.settled, report.open), (0, 0));
}

#[tokio::test]
async fn text_is_spoken_and_the_answer_is_sound() {
    let app = TestApp::start().await.unwrap();
    app.set_route("text_to_speech", &["simulator/sim-speech"]).await.unwrap();
    let body = json!({"model": "op:text_to_speech", "input": "Guten Tag", "voice": "alloy"});
    let response = app.post("/v1/audio/speech", &body).send().await.unwrap();
    assert_eq!(response.status(), 200);
    let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
    assert!(header("content-type").starts_with("audio/"), "{}", header("content-type"));
    assert_eq!(header("x-signalbox-operation"), "text_to_speech");
    assert!(!response.bytes().await.unwrap().is_empty());
}

#[tokio::test]
async fn vectors_come_for_an_operation_that_makes_them_and_an_endpoint_serves_only_its_own_work() {
    let app = TestApp::start().await.unwrap();
    let body = json!({"model": "op:chat_message", "input": "hello"});
    let reply = app.send(app.post("/v1/embeddings", &body)).await.unwrap();
    assert_eq!((reply.status, reply.code()), (400, "capability_mismatch"), "{}", reply.body);
    let chat = json!({"model": "op:text_to_speech", "messages": [{"role": "user", "content": "hello"}]});
    let reply = app.send(app.post("/v1/chat/completions", &chat)).await.unwrap();
    assert_eq!((reply.status, reply.code()), (400, "capability_mismatch"), "{}", reply.body);
}

#[tokio::test]
async fn a_program_says_how_good_its_own_answer_was_and_nobody_elses() {
    let app = TestApp::start().await.unwrap();
    app.set_route("chat_message", &["simulator/sim-chat"]).await.unwrap();
    let answer = app.chat("op:chat_message", "hello").await.unwrap();
    let id = answer.request_id().unwrap();
    app.settled(id).await.unwrap();
    let said = json!({"request_id": id.to_string(), "score": 0.8, "comment": "good"});
    let reply = app.send(app.post("/v1/feedback", &said)).await.unwrap();
    assert_eq!(reply.status, 201, "{}", reply.body);
    assert_eq!(app.engine.control.store.feedback(id).await.unwrap()[0].score, 800);

    let other = app.create_key(&[]).await.unwrap();
    let foreign = app.http.post(app.url("/v1/feedback")).bearer_auth(&other).json(&said);
    assert_eq!(app.send(foreign).await.unwrap().status, 404);
    let wrong = app.post("/v1/feedback", &json!({"request_id": id.to_string(), "score": 7}));
    assert_eq!(app.send(wrong).await.unwrap().status, 400);
}

#[tokio::test]
async fn figures_are_for_key_holders_and_say_what_the_ledger_says() {
    let app = TestApp::start().await.unwrap();
    app.set_route("chat_message", &["simulator/sim-chat"]).await.unwrap();
    let answer = app.chat("op:chat_message", "hello").await.unwrap();
    app.settled(answer.request_id().unwrap()).await.unwrap();
    let nobody = app.send(app.http.get(app.url("/metrics"))).await.unwrap();
    assert_eq!(nobody.status, 401);
    let request = app.http.get(app.url("/metrics")).bearer_auth(&app.key);
    let text = request.send().await.unwrap().text().await.unwrap();
    assert!(text.contains("signalbox_requests_by_outcome_total{outcome=\"succeeded\"} 1"), "{text}");
    assert_eq!(serde_json::from_str::<Value>(&text).ok(), None);
}
