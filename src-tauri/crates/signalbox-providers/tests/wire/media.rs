//! Vectors, transcripts and speech over real sockets.

use signalbox_core::catalogue::Catalogue;
use signalbox_core::failure::FailureKind;
use signalbox_core::meter::{CostStatus, UsageSource, estimate, price_usage};
use signalbox_core::money::{NanoUsd, UnitPrice};
use signalbox_core::price::{PriceCard, ServiceMode, usd_per_million};
use signalbox_core::time::Timestamp;
use signalbox_core::usage::{Unit, Usage};
use signalbox_providers::{AudioUpload, CallAnswer, inspect};
use signalbox_simulator::{Dials, ErrorKind, RunningSimulator, Simulator, UsageOverride};

use super::hostile::Hostile;
use super::*;

/// Those who write speech down, each with a model it is asked for and a form of it that all have.
const SCRIBES: [(ProviderKind, &str); 5] = [
    (ProviderKind::Openai, "whisper-1"),
    (ProviderKind::Openai, "gpt-4o-transcribe"),
    (ProviderKind::Deepgram, "nova-3"),
    (ProviderKind::Elevenlabs, "scribe_v2"),
    (ProviderKind::Simulator, "whisper-sim"),
];

const SPEAKERS: [(ProviderKind, &str); 5] = [
    (ProviderKind::Openai, "tts-1"),
    (ProviderKind::Deepgram, "aura-2"),
    (ProviderKind::Elevenlabs, "eleven_multilingual_v2"),
    (ProviderKind::EdgeTts, "edge-tts"),
    (ProviderKind::Simulator, "sim-speech"),
];

async fn simulator(dials: Dials) -> RunningSimulator {
    Simulator::bind_ephemeral(dials).await.unwrap()
}

fn at(simulator: &RunningSimulator, kind: ProviderKind) -> Account {
    let base_url = match kind {
        ProviderKind::Openai | ProviderKind::Simulator => simulator.base_url_openai(),
        _ => simulator.origin(),
    };
    let account = account(kind, &base_url);
    if kind == ProviderKind::EdgeTts { Account { credential: None, ..account } } else { account }
}

fn of_model(call: Call, model: &str) -> Call {
    Call { model: ModelName::new(model).unwrap(), ..call }
}

fn embedding(body: Value) -> Call {
    of_model(call(Surface::OpenaiEmbeddings, body), "sim-embed")
}

fn speech(model: &str, body: Value) -> Call {
    of_model(call(Surface::OpenaiSpeech, body), model)
}

/// Two seconds of silence.
fn wav() -> Vec<u8> {
    let mut wav =
        b"RIFF\x24\x77\x01\0WAVEfmt \x10\0\0\0\x01\0\x01\0\xc0\x5d\0\0\x80\xbb\0\0\x02\0\x10\0data\0\x77\x01\0".to_vec();
    wav.resize(44 + 96_000, 0);
    wav
}

fn recording(model: &str, fields: &[(&str, &str)]) -> Call {
    let fields = fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let upload = AudioUpload {
        bytes: wav().into(),
        file_name: "hello.wav".to_owned(),
        content_type: Some("audio/wav".to_owned()),
        fields: std::iter::once(("model".to_owned(), "op:audio_transcription".to_owned()))
            .chain(fields)
            .collect(),
    };
    let timeouts = Timeouts { first_byte: Duration::from_secs(10), idle: Duration::from_secs(10) };
    let model = ModelName::new(model).unwrap();
    Call { surface: Surface::OpenaiTranscription, payload: Payload::Audio(Arc::new(upload)), model, timeouts }
}

fn json_of(answer: &CallAnswer) -> Value {
    serde_json::from_slice(&answer.body).unwrap()
}

fn hello_speech() -> Value {
    json!({"model": "op:text_to_speech", "input": "one two three", "voice": "alloy"})
}

#[tokio::test]
async fn vectors_are_the_same_whoever_makes_them() {
    let simulator = simulator(Dials::default()).await;
    let body = json!({"model": "op:x", "input": ["one two", "three"], "dimensions": 16});
    let mut vectors = Vec::new();
    for kind in [ProviderKind::Openai, ProviderKind::Simulator, ProviderKind::Gemini] {
        let answer = providers().complete(&at(&simulator, kind), &embedding(body.clone())).await.unwrap();
        let (source, tokens) = (answer.metering.source, answer.metering.usage);
        // Google reports none: two texts of three words are three tokens to us, too.
        let expected =
            if kind == ProviderKind::Gemini { UsageSource::Estimated } else { UsageSource::Reported };
        assert_eq!((source, tokens), (expected, Usage::default().with(Unit::InputTokens, 3)), "{kind:?}");
        assert_eq!(answer.content_type, "application/json");
        let body = json_of(&answer);
        assert_eq!((&body["object"], &body["usage"]["total_tokens"]), (&json!("list"), &json!(3)));
        vectors.push((body["data"][0]["embedding"].clone(), body["data"][1]["index"].clone()));
    }
    let rounded = |vector: &Value| -> Vec<i64> {
        let numbers = vector.as_array().unwrap().iter();
        numbers.map(|number| format!("{:.0}", number.as_f64().unwrap() * 1e6).parse().unwrap()).collect()
    };
    assert!(vectors.iter().all(|(vector, index)| rounded(vector) == rounded(&vectors[0].0) && *index == 1));
    let sent = simulator.observed().requests;
    assert_eq!(sent[0].body["model"], "sim-embed", "the client's name of the model stays here");
    assert_eq!(sent[2].path, "/v1beta/models/sim-embed:batchEmbedContents");
}

#[tokio::test]
async fn vectors_come_in_base64_to_clients_that_ask_for_it() {
    let simulator = simulator(Dials::default()).await;
    let body = json!({"input": "one", "encoding_format": "base64", "dimensions": 4});
    let mut texts = Vec::new();
    for kind in [ProviderKind::Openai, ProviderKind::Gemini] {
        let answer = providers().complete(&at(&simulator, kind), &embedding(body.clone())).await.unwrap();
        texts.push(json_of(&answer)["data"][0]["embedding"].as_str().unwrap().to_owned());
    }
    assert_eq!(texts[0], texts[1]);
    assert_eq!(simulator.observed().requests[1].path, "/v1beta/models/sim-embed:embedContent");
}

#[tokio::test]
async fn more_texts_than_a_batch_holds_become_several_calls_and_one_answer() {
    let simulator = simulator(Dials::default()).await;
    let texts: Vec<String> = (0..250).map(|number| format!("text {number}")).collect();
    let call = embedding(json!({ "input": texts }));
    let account = at(&simulator, ProviderKind::Gemini);
    let answer = providers().complete(&account, &call).await.unwrap();
    let data = json_of(&answer)["data"].as_array().unwrap().clone();
    assert_eq!((data.len(), &data[249]["index"]), (250, &json!(249)));
    assert_eq!(simulator.observed().received, 3);

    // What the first calls used is on the bill when a later one fails.
    let dials = Dials { error: ErrorKind::RateLimit, error_rate: 0.5, ..Dials::default() };
    simulator.dials().set(dials);
    let failure = providers().complete(&account, &call).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::RateLimit);
    let metering = failure.metering.unwrap();
    assert!(metering.usage.tokens_in() > 0 && metering.source == UsageSource::Estimated);
}

#[tokio::test]
async fn token_numbers_are_for_the_vendor_of_their_vocabulary() {
    let simulator = simulator(Dials::default()).await;
    let call = embedding(json!({"input": [[1, 2], [3]]}));
    let answer = providers().complete(&at(&simulator, ProviderKind::Openai), &call).await.unwrap();
    assert_eq!(json_of(&answer)["data"].as_array().unwrap().len(), 2);
    simulator.forget();
    let failure = providers().complete(&at(&simulator, ProviderKind::Gemini), &call).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::BadRequest);
    assert!(failure.message.starts_with("input: "), "{failure}");
    assert_eq!(simulator.observed().received, 0);
}

#[tokio::test]
async fn a_transcript_is_the_same_in_every_form_whoever_makes_it() {
    let simulator = simulator(Dials::default()).await;
    let said = "This is what was said.";
    for (kind, model) in SCRIBES {
        let account = at(&simulator, kind);
        let forms: &[&str] = match model {
            "gpt-4o-transcribe" => &["json", "text"],
            _ => &["json", "text", "srt", "vtt", "verbose_json"],
        };
        for form in forms {
            let call = recording(model, &[("response_format", form), ("language", "en")]);
            let answer = providers().complete(&account, &call).await.unwrap();
            let text = std::str::from_utf8(&answer.body).unwrap();
            let has_text = match *form {
                "json" | "verbose_json" => json_of(&answer)["text"] == said,
                "text" => text == format!("{said}\n"),
                "srt" => text == format!("1\n00:00:00,000 --> 00:00:02,000\n{said}\n\n"),
                _ => text == format!("WEBVTT\n\n00:00:00.000 --> 00:00:02.000\n{said}\n\n"),
            };
            assert!(has_text, "{model} {form}: {text}");
            let kind = if form.ends_with("json") { "application/json" } else { "text/" };
            assert!(answer.content_type.starts_with(kind), "{form}: {}", answer.content_type);
            if *form == "verbose_json" {
                let body = json_of(&answer);
                assert_eq!((&body["duration"], &body["task"]), (&json!(2.0), &json!("transcribe")), "{body}");
                assert_eq!(body["segments"][0]["end"], json!(2.0), "{body}");
            }
        }
    }
}

#[tokio::test]
async fn a_transcript_is_metered_by_what_its_provider_bills() {
    let simulator = simulator(Dials::default()).await;
    let time = Usage::default().with(Unit::AudioMilliseconds, 2_000);
    let tokens = Usage::default().with(Unit::AudioInputTokens, 20).with(Unit::OutputTokens, 5);
    for (kind, model) in SCRIBES {
        let call = recording(model, &[]);
        let metering = providers().complete(&at(&simulator, kind), &call).await.unwrap().metering;
        let (expected, source) = match model {
            "gpt-4o-transcribe" => (tokens, UsageSource::Reported),
            // Its vendor says nothing; the file does.
            "scribe_v2" => (time, UsageSource::Estimated),
            _ => (time, UsageSource::Reported),
        };
        assert_eq!((metering.usage, metering.source), (expected, source), "{model}");
    }
}

#[tokio::test]
async fn the_fields_of_a_form_reach_each_vendor_in_its_own_words() {
    let simulator = simulator(Dials::default()).await;
    let fields =
        [("language", "de"), ("prompt", "Signalbox, NanoUsd"), ("temperature", "0.2"), ("stream", "false")];
    let ask = async |kind, model: &str| {
        simulator.forget();
        providers().complete(&at(&simulator, kind), &recording(model, &fields)).await.unwrap();
        simulator.observed().requests[0].clone()
    };
    let openai = ask(ProviderKind::Openai, "whisper-1").await;
    assert_eq!(openai.body["model"], "whisper-1");
    assert_eq!(openai.body["response_format"], "verbose_json", "for the duration, which is billed");
    assert_eq!((&openai.body["temperature"], &openai.body["stream"]), (&json!("0.2"), &Value::Null));
    assert_eq!(
        openai.body["file"],
        json!({"file_name": "hello.wav", "content_type": "audio/wav", "bytes": 96_044})
    );
    let deepgram = ask(ProviderKind::Deepgram, "nova-3").await;
    let query =
        "model=nova-3&smart_format=true&utterances=true&language=de&keyterm=Signalbox&keyterm=NanoUsd";
    assert_eq!(deepgram.path, format!("/v1/listen?{query}"));
    assert_eq!((deepgram.body_bytes, &*deepgram.headers["content-type"]), (96_044, "audio/wav"));
    let older = ask(ProviderKind::Deepgram, "nova-2").await;
    assert!(older.path.contains("keywords=Signalbox"), "{}", older.path);
    let elevenlabs = ask(ProviderKind::Elevenlabs, "scribe_v2").await;
    assert_eq!(
        (&elevenlabs.body["model_id"], &elevenlabs.body["language_code"]),
        (&json!("scribe_v2"), &json!("de"))
    );
    let keys: Vec<String> =
        simulator.observed().requests.iter().map(|request| request.path.clone()).collect();
    assert!(keys.iter().all(|path| !path.contains(SECRET)));
}

#[tokio::test]
async fn word_times_are_given_to_who_asks_for_them() {
    let simulator = simulator(Dials::default()).await;
    let fields = [("response_format", "verbose_json"), ("timestamp_granularities[]", "word")];
    let call = recording("nova-3", &fields);
    let answer = providers().complete(&at(&simulator, ProviderKind::Deepgram), &call).await.unwrap();
    let body = json_of(&answer);
    assert_eq!(body["words"][1], json!({"word": "is", "start": 0.4, "end": 0.8}));
    assert_eq!(body.get("segments"), None);
}

#[tokio::test]
async fn gemini_writes_down_what_it_hears_and_bills_tokens() {
    let simulator = simulator(Dials { missing_usage: true, ..Dials::default() }).await;
    let account = at(&simulator, ProviderKind::Gemini);
    let call = recording("gemini-3.8-flash", &[("language", "en")]);
    let answer = providers().complete(&account, &call).await.unwrap();
    assert!(json_of(&answer)["text"].as_str().unwrap().contains("Write down word for word"));
    // 32 tokens a second, two seconds.
    assert_eq!(answer.metering.usage.get(Unit::AudioInputTokens), 64);
    assert_eq!(
        (answer.metering.source, answer.metering.usage.get(Unit::OutputTokens) > 0),
        (UsageSource::Estimated, true)
    );
    let sent = &simulator.observed().requests[0].body["contents"][0]["parts"];
    assert_eq!(sent[1]["inlineData"]["mimeType"], "audio/wav");

    simulator.dials().set(Dials::default());
    let reported = providers().complete(&account, &call).await.unwrap().metering;
    assert_eq!(reported.source, UsageSource::Reported);
    let failure =
        providers().complete(&account, &recording("g", &[("response_format", "srt")])).await.unwrap_err();
    assert_eq!(failure.message, "response_format: vendor has no `srt`; it has json, text");
}

#[tokio::test]
async fn a_form_a_model_cannot_write_is_refused_with_those_it_can() {
    let simulator = simulator(Dials::default()).await;
    for (kind, model, form) in [
        (ProviderKind::Openai, "gpt-4o-transcribe", "srt"),
        (ProviderKind::Openai, "whisper-1", "diarized_json"),
        (ProviderKind::Deepgram, "nova-3", "diarized_json"),
    ] {
        let call = recording(model, &[("response_format", form)]);
        let failure = providers().complete(&at(&simulator, kind), &call).await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::BadRequest);
        assert!(failure.message.contains("it has json, text"), "{failure}");
    }
    assert_eq!(simulator.observed().received, 0);
}

/// A card with a price of time and, as price lists write it, an output that costs nothing.
fn card(per_minute: i64) -> PriceCard {
    let minute = UnitPrice::new(NanoUsd::from_nanos(per_minute), 60_000).unwrap();
    let free = usd_per_million("0").unwrap();
    PriceCard::of_tokens(
        Timestamp::from_micros(0),
        [(Unit::AudioMilliseconds, minute), (Unit::OutputTokens, free), (Unit::InputTokens, free)],
    )
}

#[tokio::test]
async fn a_transcription_is_never_priced_zero_because_its_output_rate_is_zero() {
    let simulator = simulator(Dials::default()).await;
    let now = Timestamp::from_micros(1);
    for missing in [false, true] {
        simulator.dials().set(Dials { missing_usage: missing, ..Dials::default() });
        for (kind, model) in [(ProviderKind::Openai, "whisper-1"), (ProviderKind::Deepgram, "nova-3")] {
            let call = recording(model, &[("response_format", "text")]);
            let metering = providers().complete(&at(&simulator, kind), &call).await.unwrap().metering;
            let priced = |cards: &[PriceCard]| {
                price_usage(cards, now, &metering.usage, metering.source, None, ServiceMode::Standard)
            };
            let cost = priced(&[card(6_000_000)]);
            let status = if missing { CostStatus::Estimated } else { CostStatus::Exact };
            // Two seconds of $0.006 a minute.
            assert_eq!((cost.status, cost.total), (status, Some(NanoUsd::from_nanos(200_000))), "{model}");
            let without_a_card = priced(&[]);
            assert_eq!((without_a_card.status, without_a_card.total), (CostStatus::Unpriced, None));
        }
    }
}

#[tokio::test]
async fn what_is_reserved_for_a_shipped_model_covers_what_its_call_then_costs() {
    let simulator = simulator(Dials::default()).await;
    let catalogue = Catalogue::shipped().unwrap();
    let now = Timestamp::from_micros(1_800_000_000_000_000);
    let vectors = || embedding(json!({"input": ["one two", "three"]}));
    for (kind, target, call) in [
        (ProviderKind::Openai, "openai/text-embedding-3-small", vectors()),
        (ProviderKind::Gemini, "gemini/gemini-embedding-001", vectors()),
        (ProviderKind::Openai, "openai/whisper-1", recording("whisper-1", &[])),
        (ProviderKind::Openai, "openai/gpt-4o-transcribe", recording("gpt-4o-transcribe", &[])),
        (ProviderKind::Gemini, "gemini/gemini-3.5-transcribe", recording("gemini-3.5-transcribe", &[])),
        (ProviderKind::Deepgram, "deepgram/nova-3", recording("nova-3", &[])),
        (ProviderKind::Elevenlabs, "elevenlabs/scribe_v2", recording("scribe_v2", &[])),
        (ProviderKind::Openai, "openai/tts-1", speech("tts-1", hello_speech())),
        (ProviderKind::Openai, "openai/gpt-4o-mini-tts", speech("gpt-4o-mini-tts", hello_speech())),
        (ProviderKind::Deepgram, "deepgram/aura-2", speech("aura-2", hello_speech())),
        (ProviderKind::Gemini, "gemini/gemini-3.8-flash-tts", speech("gemini-3.8-flash-tts", hello_speech())),
        (ProviderKind::Elevenlabs, "elevenlabs/eleven_v3", speech("eleven_v3", hello_speech())),
        (ProviderKind::EdgeTts, "edge_tts/edge-tts", speech("edge-tts", hello_speech())),
    ] {
        let (provider, model) = target.split_once('/').unwrap();
        let of_provider = catalogue.models.iter().filter(|entry| entry.model.provider.as_str() == provider);
        let cards = &of_provider.clone().find(|entry| entry.model.name.as_str() == model).unwrap().cards;
        let bound = inspect(call.surface, &call.payload).unwrap().bound;
        let reserved = estimate(cards, now, bound).unwrap().unwrap();
        let metering = providers().complete(&at(&simulator, kind), &call).await.unwrap().metering;
        let cost = price_usage(cards, now, &metering.usage, metering.source, None, ServiceMode::Standard);
        let spent = cost.total.unwrap();
        assert!(spent <= reserved, "{target}: {spent} of {reserved}");
        assert_eq!(spent == NanoUsd::ZERO, provider == "edge_tts", "{target}: {spent}");
    }
}

#[tokio::test]
async fn a_lie_about_the_length_is_counted_by_us_instead() {
    let simulator = simulator(Dials::default()).await;
    for lie in [
        UsageOverride::Zero,
        UsageOverride::Negative,
        UsageOverride::Huge,
        UsageOverride::Overflow,
        UsageOverride::Nulls,
    ] {
        simulator.dials().set(Dials { usage_override: lie, ..Dials::default() });
        for (kind, model) in SCRIBES {
            let call = recording(model, &[]);
            let metering = providers().complete(&at(&simulator, kind), &call).await.unwrap().metering;
            assert_eq!(metering.source, UsageSource::Estimated, "{lie:?} of {model}");
            let expected = match model {
                "gpt-4o-transcribe" => (Unit::AudioInputTokens, 20),
                _ => (Unit::AudioMilliseconds, 2_000),
            };
            assert_eq!(metering.usage.get(expected.0), expected.1, "{lie:?} of {model}");
        }
        let call = speech("eleven_v3", hello_speech());
        let metering =
            providers().complete(&at(&simulator, ProviderKind::Elevenlabs), &call).await.unwrap().metering;
        assert_eq!((metering.source, metering.usage.get(Unit::Characters)), (UsageSource::Estimated, 13));
    }
}

#[tokio::test]
async fn speech_comes_from_everyone_and_its_characters_are_counted() {
    let simulator = simulator(Dials::default()).await;
    for (kind, model) in SPEAKERS {
        let call = speech(model, hello_speech());
        let answer = providers().complete(&at(&simulator, kind), &call).await.unwrap();
        assert_eq!(answer.content_type, "audio/mpeg");
        assert!(answer.body.starts_with(&[0xFF, 0xFB]), "{kind:?}");
        let expected = Usage::default().with(Unit::Characters, 13);
        let reported = matches!(kind, ProviderKind::Elevenlabs | ProviderKind::Deepgram);
        let source = if reported { UsageSource::Reported } else { UsageSource::Estimated };
        assert_eq!((answer.metering.usage, answer.metering.source), (expected, source), "{kind:?}");
    }
}

#[tokio::test]
async fn models_that_speak_in_tokens_are_counted_by_how_long_they_speak() {
    let simulator = simulator(Dials::default()).await;
    for format in ["wav", "mp3", "pcm"] {
        let mut body = hello_speech();
        body["response_format"] = json!(format);
        body["instructions"] = json!("warmly");
        let call = speech("gpt-4o-mini-tts", body);
        let metering =
            providers().complete(&at(&simulator, ProviderKind::Openai), &call).await.unwrap().metering;
        // Three words of 400 ms are 1.2 s; an MP3 ends with a whole frame.
        let spoken = metering.usage.get(Unit::AudioOutputTokens);
        assert!((25..=27).contains(&spoken), "{format}: {spoken}");
        assert!(metering.usage.get(Unit::InputTokens) >= 4 && metering.source == UsageSource::Estimated);
        assert_eq!(metering.usage.get(Unit::Characters), 0, "not billed twice");
    }
}

#[tokio::test]
async fn wishes_a_speaker_cannot_grant_are_refused_with_those_it_can() {
    let simulator = simulator(Dials::default()).await;
    for (kind, field, wish, words) in [
        (ProviderKind::Elevenlabs, "response_format", json!("flac"), "it has mp3, opus, wav, pcm"),
        (ProviderKind::Elevenlabs, "voice", json!("../admin"), "it has alloy, ash"),
        (ProviderKind::Elevenlabs, "speed", json!(3), "0.7 to 1.2"),
        (ProviderKind::Deepgram, "speed", json!(2), "normal speed"),
        (ProviderKind::Deepgram, "voice", json!("a/b"), "it has alloy, ash"),
        (ProviderKind::Deepgram, "input", json!("x ".repeat(1_001)), "2000 characters"),
        (ProviderKind::EdgeTts, "response_format", json!("wav"), "it has mp3"),
        (ProviderKind::EdgeTts, "voice", json!("' /><x"), "en-GB-SoniaNeural"),
    ] {
        let mut body = hello_speech();
        body[field] = wish;
        let failure = providers().complete(&at(&simulator, kind), &speech("aura-2", body)).await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::BadRequest, "{failure:?}");
        assert!(failure.message.starts_with(field) && failure.message.contains(words), "{failure}");
    }
    assert_eq!(simulator.observed().received, 0);
}

#[tokio::test]
async fn elevenlabs_gets_its_own_words_and_a_wav_gets_its_header() {
    let simulator = simulator(Dials::default()).await;
    let mut body = hello_speech();
    body["response_format"] = json!("wav");
    body["speed"] = json!(1.1);
    body["voice"] = json!("onyx");
    let account = at(&simulator, ProviderKind::Elevenlabs);
    let answer = providers().complete(&account, &speech("eleven_v3", body)).await.unwrap();
    assert_eq!((&answer.body[..4], answer.body.len()), (b"RIFF".as_slice(), 44 + 1200 * 48));
    assert_eq!(answer.content_type, "audio/wav");
    let sent = &simulator.observed().requests[0];
    assert_eq!(sent.path, "/v1/text-to-speech/nPczCjzI2devNBz1zQrb?output_format=pcm_24000");
    assert_eq!(
        sent.body,
        json!({"text": "one two three", "model_id": "eleven_v3", "voice_settings": {"speed": 1.1}})
    );
    assert_eq!(sent.credential.as_ref().unwrap().header, "xi-api-key");
}

#[tokio::test]
async fn gemini_speaks_in_samples_and_bills_tokens_of_sound() {
    let simulator = simulator(Dials::default()).await;
    let account = at(&simulator, ProviderKind::Gemini);
    let ask = async |more: Value| {
        let mut body = hello_speech();
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        providers().complete(&account, &speech("gemini-3.8-flash-tts", body)).await
    };
    // Three words of 400 ms at 24 kHz; 25 tokens a second.
    let answer = ask(json!({"instructions": "warmly"})).await.unwrap();
    assert_eq!((&*answer.content_type, answer.body.len()), ("audio/wav", 44 + 4 * 400 * 48));
    let expected = Usage::default().with(Unit::InputTokens, 4).with(Unit::AudioOutputTokens, 40);
    assert_eq!((answer.metering.usage, answer.metering.source), (expected, UsageSource::Reported));
    let sent = &simulator.observed().requests[0].body;
    assert_eq!(sent["contents"][0]["parts"][0]["text"], "warmly:\none two three");
    let voice = "/generationConfig/speechConfig/voiceConfig/prebuiltVoiceConfig/voiceName";
    assert_eq!(sent.pointer(voice), Some(&json!("Kore")));
    assert_eq!(ask(json!({"response_format": "pcm"})).await.unwrap().body.len(), 3 * 400 * 48);

    simulator.dials().set(Dials { missing_usage: true, ..Dials::default() });
    let counted = ask(json!({})).await.unwrap().metering;
    // 1.2 s at 32 tokens, the most a second has.
    assert_eq!((counted.source, counted.usage.get(Unit::AudioOutputTokens)), (UsageSource::Estimated, 39));
    for (wish, words) in [
        (json!({"response_format": "mp3"}), "it has wav, pcm"),
        (json!({"voice": "../x"}), "it has alloy"),
        (json!({"speed": 2}), "normal speed"),
    ] {
        let failure = ask(wish).await.unwrap_err();
        assert!(failure.kind == FailureKind::BadRequest && failure.message.contains(words), "{failure}");
    }
}

#[tokio::test]
async fn deepgrams_voices_are_part_of_its_models_names() {
    let simulator = simulator(Dials::default()).await;
    for (model, voice, name) in [
        ("aura-2", "alloy", "aura-2-asteria-en"),
        ("aura-2", "thalia", "aura-2-thalia-en"),
        ("aura", "luna-en", "aura-luna-en"),
        ("aura-2-zeus-en", "alloy", "aura-2-zeus-en"),
    ] {
        simulator.forget();
        let mut body = hello_speech();
        body["voice"] = json!(voice);
        body["response_format"] = json!("wav");
        let call = speech(model, body);
        let answer = providers().complete(&at(&simulator, ProviderKind::Deepgram), &call).await.unwrap();
        assert_eq!(answer.content_type, "audio/wav");
        let query = format!("model={name}&encoding=linear16&container=wav&sample_rate=24000");
        assert_eq!(simulator.observed().requests[0].path, format!("/v1/speak?{query}"));
    }
}

#[tokio::test]
async fn a_long_text_is_spoken_by_edge_in_pieces() {
    let simulator = simulator(Dials::default()).await;
    let account = at(&simulator, ProviderKind::EdgeTts);
    let mut body = hello_speech();
    body["input"] = json!("räksmörgås & Brot ".repeat(220));
    body["voice"] = json!("sv-SE-SofieNeural");
    let answer = providers().complete(&account, &speech("edge-tts", body)).await.unwrap();
    // 660 words of 400 ms, in frames of 417 bytes and 26 ms.
    assert!(answer.body.len() > 417 * 10_000, "{}", answer.body.len());
    let sockets =
        simulator.observed().requests.iter().filter(|request| request.path.contains("/edge/v1")).count();
    assert_eq!(sockets, 2);
    assert_eq!(providers().list_models(&account).await.unwrap(), ["edge-tts"]);
}

#[tokio::test]
async fn edge_is_asked_again_by_its_own_clock_when_it_says_ours_is_wrong() {
    use std::sync::Mutex;

    use axum::Router;
    use axum::http::{StatusCode, Uri};

    let asked: Arc<Mutex<Vec<String>>> = Arc::default();
    let seen = Arc::clone(&asked);
    let answer = move |uri: Uri| {
        let token = uri.query().unwrap().split("Sec-MS-GEC=").nth(1).unwrap()[..64].to_owned();
        let first = uri.path().ends_with("/voices/list");
        seen.lock().unwrap().push(token);
        let date = if first { "Sat, 21 Nov 2026 14:00:00 GMT" } else { "Sat, 21 Nov 2026 15:00:00 GMT" };
        async move { (if first { StatusCode::OK } else { StatusCode::FORBIDDEN }, [("date", date)], "") }
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let service = Router::new().fallback(answer);
    tokio_util::task::TaskTracker::new().spawn(async move { axum::serve(listener, service).await });
    let failure = providers()
        .complete(&account(ProviderKind::EdgeTts, &url), &speech("edge-tts", hello_speech()))
        .await
        .unwrap_err();
    assert_eq!((failure.kind, failure.http_status), (FailureKind::BadResponse, Some(403)));
    assert!(failure.message.contains("experimental"), "{failure}");
    let asked = asked.lock().unwrap().clone();
    assert_eq!(asked.len(), 3, "the clock, a token of two o'clock, a token of three o'clock, and no more");
    assert_ne!(asked[1], asked[2]);
}

#[tokio::test]
async fn edge_breaking_off_is_never_a_success() {
    let simulator = simulator(Dials::default()).await;
    let account = at(&simulator, ProviderKind::EdgeTts);
    let mut call = speech("edge-tts", hello_speech());
    call.timeouts.idle = Duration::from_millis(150);
    for (dials, kind) in [
        (Dials { truncate_after_chunks: Some(2), ..Dials::default() }, FailureKind::Truncated),
        (Dials { stall_after_chunks: Some(2), ..Dials::default() }, FailureKind::Timeout),
        (Dials { error: ErrorKind::InvalidKey, ..Dials::default() }, FailureKind::BadResponse),
        (Dials { error: ErrorKind::RateLimit, ..Dials::default() }, FailureKind::RateLimit),
        (Dials { error: ErrorKind::ServerError, ..Dials::default() }, FailureKind::ServerError),
        (Dials { error: ErrorKind::Drop, ..Dials::default() }, FailureKind::Truncated),
        (Dials { error: ErrorKind::Empty, ..Dials::default() }, FailureKind::BadResponse),
    ] {
        let told = format!("{dials:?}");
        // Its clock is asked first, which is not what fails here.
        let providers = providers();
        simulator.dials().set(Dials::default());
        providers.complete(&account, &call).await.unwrap();
        simulator.dials().set(dials);
        let failure = providers.complete(&account, &call).await.unwrap_err();
        assert_eq!(failure.kind, kind, "{told}: {failure:?}");
    }
    simulator.dials().set(Dials::default());
    let mut body = hello_speech();
    body["voice"] = json!("en-US-NobodyNeural");
    let failure = providers().complete(&account, &speech("edge-tts", body)).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::ModelNotFound);
}

#[tokio::test]
async fn every_vendors_errors_keep_their_meaning() {
    let simulator = simulator(Dials::default()).await;
    let calls = || {
        [
            (ProviderKind::Openai, embedding(json!({"input": "x"}))),
            (ProviderKind::Gemini, embedding(json!({"input": "x"}))),
            (ProviderKind::Openai, recording("whisper-1", &[])),
            (ProviderKind::Deepgram, recording("nova-3", &[])),
            (ProviderKind::Elevenlabs, recording("scribe_v2", &[])),
            (ProviderKind::Openai, speech("tts-1", hello_speech())),
            (ProviderKind::Elevenlabs, speech("eleven_v3", hello_speech())),
            (ProviderKind::Deepgram, speech("aura-2", hello_speech())),
        ]
    };
    for (error, kind) in [
        (ErrorKind::RateLimit, FailureKind::RateLimit),
        (ErrorKind::InsufficientQuota, FailureKind::OutOfCredit),
        (ErrorKind::Overloaded, FailureKind::Overloaded),
        (ErrorKind::ServerError, FailureKind::ServerError),
        (ErrorKind::BadGateway, FailureKind::ServerError),
        (ErrorKind::InvalidKey, FailureKind::InvalidKey),
        (ErrorKind::PermissionDenied, FailureKind::InvalidKey),
        (ErrorKind::ModelNotFound, FailureKind::ModelNotFound),
        (ErrorKind::BadRequest, FailureKind::BadRequest),
        (ErrorKind::ContextLength, FailureKind::ContextLength),
        (ErrorKind::Drop, FailureKind::Truncated),
        (ErrorKind::Malformed, FailureKind::BadResponse),
        (ErrorKind::Empty, FailureKind::BadResponse),
    ] {
        simulator.dials().set(Dials { error, retry_after_s: Some(3), ..Dials::default() });
        for (vendor, call) in calls() {
            // Google says that an empty account is a rate limit.
            let kind = match (vendor, error) {
                (ProviderKind::Gemini, ErrorKind::InsufficientQuota) => continue,
                _ => kind,
            };
            let failure = providers().complete(&at(&simulator, vendor), &call).await.unwrap_err();
            assert_eq!(failure.kind, kind, "{error:?} from {vendor:?} {:?}: {failure:?}", call.surface);
            assert!(!failure.message.is_empty() && !failure.message.contains('<'), "{failure:?}");
            if error == ErrorKind::RateLimit {
                assert_eq!(failure.retry_after, Some(Duration::from_secs(3)));
            }
        }
    }
}

#[tokio::test]
async fn sound_that_stops_before_its_end_is_a_failure_that_may_be_billed() {
    let simulator = simulator(Dials { truncate_after_chunks: Some(0), ..Dials::default() }).await;
    for (kind, call) in [
        (ProviderKind::Elevenlabs, speech("eleven_v3", hello_speech())),
        (ProviderKind::Openai, recording("whisper-1", &[])),
    ] {
        let failure = providers().complete(&at(&simulator, kind), &call).await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::Truncated, "{failure:?}");
        let metering = failure.metering.unwrap();
        assert!(!metering.usage.is_empty() && metering.source == UsageSource::Estimated);
    }
}

#[tokio::test]
async fn published_answers_are_read_to_the_millisecond_and_the_token() {
    let time = |millis| Usage::default().with(Unit::AudioMilliseconds, millis);
    let tokens = Usage::default()
        .with(Unit::InputTokens, 4)
        .with(Unit::AudioInputTokens, 10)
        .with(Unit::OutputTokens, 45);
    for (kind, model, text, usage, start) in [
        (
            ProviderKind::Deepgram,
            "nova-3",
            include_str!("../fixtures/deepgram/listen.json"),
            time(25_933),
            "1\n00:00:00,080 --> 00:00:00,320\nYeah.\n\n2\n00:00:00,320 --> 00:00:03,120\nAs much as it's worth celebrating.",
        ),
        (
            ProviderKind::Openai,
            "whisper-1",
            include_str!("../fixtures/openai_audio/whisper_verbose.json"),
            // What it bills, not what it heard.
            time(9_000),
            "1\n00:00:00,000 --> 00:00:03,320\nThe beach was a popular spot on a hot summer day.",
        ),
        (
            ProviderKind::Openai,
            "voxtral-mini-2507",
            include_str!("../fixtures/openai_audio/voxtral.json"),
            time(203_000),
            "1\n00:00:00,000 -->",
        ),
        (
            ProviderKind::Elevenlabs,
            "scribe_v1",
            include_str!("../fixtures/elevenlabs/speech_to_text.json"),
            time(2_000),
            "1\n00:00:00,119 --> 00:00:00,560\nHello world!\n\n",
        ),
    ] {
        let server = Hostile::new(200, "application/json", text).serve().await;
        let call = recording(model, &[("response_format", "srt")]);
        let answer = providers().complete(&account(kind, &server), &call).await.unwrap();
        assert_eq!(answer.metering.usage, usage, "{model}");
        let body = std::str::from_utf8(&answer.body).unwrap();
        assert!(body.starts_with(start), "{model}: {body}");
    }
    let text = include_str!("../fixtures/openai_audio/gpt_4o_transcribe.json");
    let server = Hostile::new(200, "application/json", text).serve().await;
    let call = recording("gpt-4o-mini-transcribe-2025-12-15", &[]);
    let answer = providers().complete(&account(ProviderKind::Openai, &server), &call).await.unwrap();
    assert_eq!((answer.metering.usage, answer.metering.source), (tokens, UsageSource::Reported));
    assert_eq!(answer.body, text.as_bytes(), "in the client's own form nothing is touched");
}

#[tokio::test]
async fn what_is_no_speech_is_refused_whatever_its_status() {
    for (kind, body) in [
        ("application/json", r#"{"error":{"message":"no such voice","code":"invalid_value"}}"#),
        ("application/json", "{}"),
        ("text/html", "<html>Sign in</html>"),
        ("audio/mpeg", ""),
    ] {
        let server = Hostile::new(200, kind, body).serve().await;
        for provider in [ProviderKind::Openai, ProviderKind::Elevenlabs] {
            let call = speech("tts-1", hello_speech());
            let failure = providers().complete(&account(provider, &server), &call).await.unwrap_err();
            assert!(
                matches!(failure.kind, FailureKind::BadResponse | FailureKind::ServerError),
                "{kind}: {failure:?}"
            );
        }
    }
}

#[tokio::test]
async fn who_does_another_kind_of_work_is_not_called() {
    let simulator = simulator(Dials::default()).await;
    for (kind, call) in [
        (ProviderKind::Anthropic, embedding(json!({"input": "x"}))),
        (ProviderKind::Deepgram, call(Surface::OpenaiChat, hello())),
        (ProviderKind::EdgeTts, recording("m", &[])),
    ] {
        let failure = providers().complete(&at(&simulator, kind), &call).await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::ModelNotFound, "{failure}");
        assert!(failure.kind.fails_over());
    }
    let failure =
        providers().stream(&at(&simulator, ProviderKind::Openai), &embedding(json!({"input": "x"}))).await;
    assert_eq!(failure.unwrap_err().kind, FailureKind::BadRequest);
    assert_eq!(simulator.observed().received, 0);
}

#[tokio::test]
async fn the_free_check_proves_the_key_of_every_vendor() {
    let simulator = simulator(Dials::default()).await;
    for kind in [ProviderKind::Deepgram, ProviderKind::Elevenlabs] {
        simulator.dials().set(Dials::default());
        assert_eq!(providers().list_models(&at(&simulator, kind)).await.unwrap().len(), 2, "{kind:?}");
        simulator.dials().set(Dials { api_key: Some("another".to_owned()), ..Dials::default() });
        let failure = providers().list_models(&at(&simulator, kind)).await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::InvalidKey, "{failure:?}");
        assert!(!failure.to_string().contains(SECRET));
    }
}
