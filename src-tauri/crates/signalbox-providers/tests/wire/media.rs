//! Vectors, transcripts and speech over real sockets.

mod speech;
mod transcripts;
mod vectors;

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
async fn who_does_another_kind_of_work_is_not_called() {
    let simulator = simulator(Dials::default()).await;
    for (kind, call) in [
        (ProviderKind::Anthropic, embedding(json!({"input": "x"}))),
        (ProviderKind::Deepgram, call(Surface::OpenaiChat, hello())),
        (ProviderKind::EdgeTts, recording("m", &[])),
    ] {
        let failure = providers().complete(&at(&simulator, kind), &call).await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::Unsupported, "{failure}");
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
