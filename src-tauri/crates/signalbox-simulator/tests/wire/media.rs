use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};
use signalbox_simulator::{Dials, ErrorKind};

use crate::{Bench, KEY};

/// A second of silence.
fn wav() -> Vec<u8> {
    let mut wav =
        b"RIFF\xa4\xbb\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\xc0\x5d\0\0\x80\xbb\0\0\x02\0\x10\0data\x80\xbb\0\0"
            .to_vec();
    wav.resize(44 + 48_000, 0);
    wav
}

fn form(model: &'static str) -> Form {
    let file = Part::bytes(wav()).file_name("a.wav").mime_str("audio/wav").unwrap();
    Form::new().text("model", model).part("file", file)
}

async fn transcribed(bench: &Bench, form: Form) -> (u16, Value) {
    let request = bench.http.post(bench.url("/v1/audio/transcriptions")).bearer_auth(KEY).multipart(form);
    let response = request.send().await.unwrap();
    (response.status().as_u16(), serde_json::from_str(&response.text().await.unwrap()).unwrap_or_default())
}

#[tokio::test]
async fn vectors_count_words_and_are_the_same_as_numbers_and_as_base64() {
    let bench = Bench::new(Dials::default()).await;
    let ask = async |body: Value| -> Value {
        let request = bench.http.post(bench.url("/v1/embeddings")).bearer_auth(KEY).json(&body);
        request.send().await.unwrap().json().await.unwrap()
    };
    let floats = ask(json!({"model": "sim-embed", "input": ["one two", "three"], "dimensions": 8})).await;
    assert_eq!(floats["usage"], json!({"prompt_tokens": 3, "total_tokens": 3}));
    assert_eq!(floats["data"][1]["embedding"].as_array().unwrap().len(), 8);
    let text =
        ask(json!({"model": "sim-embed", "input": "three", "dimensions": 8, "encoding_format": "base64"}))
            .await;
    assert_eq!(text["data"][0]["embedding"].as_str().unwrap().len(), 44);
    for bad in [json!({"input": "x"}), json!({"model": "m", "input": []}), json!({"model": "m", "input": 7})]
    {
        assert!(ask(bad).await["error"]["message"].is_string());
    }
}

#[tokio::test]
async fn a_recording_says_a_word_per_started_400_milliseconds() {
    let bench = Bench::new(Dials::default()).await;
    let (_, whisper) = transcribed(&bench, form("whisper-1")).await;
    assert_eq!(whisper, json!({"text": "This is what"}));
    let (_, verbose) = transcribed(&bench, form("whisper-1").text("response_format", "verbose_json")).await;
    assert_eq!((&verbose["duration"], &verbose["segments"][0]["end"]), (&json!(1.0), &json!(1.0)));
    let (_, tokens) = transcribed(&bench, form("gpt-4o-transcribe")).await;
    assert_eq!(tokens["usage"]["input_token_details"]["audio_tokens"], 10);
    let observed = bench.simulator.observed();
    assert_eq!(observed.requests[0].body["file"]["bytes"], 48_044);
    for bad in [
        form("gpt-4o-transcribe").text("response_format", "srt"),
        form("whisper-1").text("voice", "alloy"),
        Form::new().text("model", "whisper-1"),
    ] {
        let (status, error) = transcribed(&bench, bad).await;
        assert_eq!((status, &error["error"]["type"]), (400, &json!("invalid_request_error")));
    }
}

#[tokio::test]
async fn speech_is_a_file_that_plays() {
    let bench = Bench::new(Dials::default()).await;
    for (format, kind, start, bytes) in [
        ("wav", "audio/wav", b"RIFF".as_slice(), 44 + 2 * 9_600),
        ("mp3", "audio/mpeg", &[0xFF, 0xFB], 16 * 417),
        ("pcm", "audio/pcm", &[0, 0], 2 * 9_600),
    ] {
        let body = json!({"model": "tts-1", "input": "hello", "voice": "alloy", "response_format": format});
        let request = bench.http.post(bench.url("/v1/audio/speech")).bearer_auth(KEY).json(&body);
        let response = request.send().await.unwrap();
        assert_eq!(response.headers()["content-type"], kind);
        let sound = response.bytes().await.unwrap();
        assert!(sound.starts_with(start) && sound.len() == bytes, "{format}: {}", sound.len());
    }
}

#[tokio::test]
async fn each_vendor_refuses_in_its_own_shape() {
    let bench = Bench::new(Dials { api_key: Some("right".to_owned()), ..Dials::default() }).await;
    let listen = bench.http.post(bench.url("/v1/listen")).header("authorization", "Token wrong").body(wav());
    let error: Value = listen.send().await.unwrap().json().await.unwrap();
    assert_eq!(error["err_code"], "INVALID_AUTH");
    let speak =
        bench.http.post(bench.url("/v1/text-to-speech/21m00Tcm4TlvDq8ikWAM")).header("xi-api-key", "wrong");
    let error: Value = speak.json(&json!({"text": "x"})).send().await.unwrap().json().await.unwrap();
    assert_eq!(error["detail"]["status"], "invalid_api_key");
    let observed = bench.simulator.observed();
    assert!(observed.requests.iter().all(|request| request.credential.is_some()), "{observed:?}");

    bench.simulator.dials().set(Dials { error: ErrorKind::InsufficientQuota, ..Dials::default() });
    let listen = bench.http.post(bench.url("/v1/listen?model=nova-3")).header("authorization", "Token x");
    let listen = listen.header("content-type", "audio/wav").body(wav()).send().await.unwrap();
    assert_eq!(listen.status(), 402);
    let error: Value = listen.json().await.unwrap();
    assert_eq!(error["err_code"], "ASR_PAYMENT_REQUIRED");
}

#[tokio::test]
async fn lists_are_told_apart_by_their_key() {
    let bench = Bench::new(Dials::default()).await;
    let list = async |name: &str, value: &str| -> Value {
        let request = bench.http.get(bench.url("/v1/models")).header(name, value);
        request.send().await.unwrap().json().await.unwrap()
    };
    assert_eq!(list("authorization", "Token x").await["stt"][0]["canonical_name"], "sim-small");
    assert_eq!(list("xi-api-key", "x").await[0]["model_id"], "sim-small");
    assert_eq!(list("authorization", "Bearer x").await["data"][0]["id"], "sim-small");
}

#[tokio::test]
async fn a_token_is_given_for_the_right_secret() {
    let bench = Bench::new(Dials { api_key: Some("right".to_owned()), ..Dials::default() }).await;
    let ask = async |body: &'static str| {
        let request = bench.http.post(bench.url("/oauth/token"));
        let response =
            request.header("content-type", "application/x-www-form-urlencoded").body(body).send().await;
        let response = response.unwrap();
        (response.status().as_u16(), response.json::<Value>().await.unwrap())
    };
    let (status, token) =
        ask("grant_type=client_credentials&client_id=a&client_secret=right&scope=expires%3A30").await;
    assert_eq!(
        (status, &token["expires_in"], &token["access_token"]),
        (200, &json!(30), &json!("sim-token-1"))
    );
    let (status, error) = ask("grant_type=client_credentials&client_id=a&client_secret=wrong").await;
    assert_eq!((status, &error["error"]), (401, &json!("invalid_client")));
    assert_eq!(bench.simulator.observed().requests[0].body, Value::Null, "the secret is in no record");
}
