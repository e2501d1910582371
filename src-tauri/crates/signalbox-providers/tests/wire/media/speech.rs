use super::*;

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
        assert_eq!(failure.kind, FailureKind::Unsupported, "{failure:?}");
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
        assert!(failure.kind == FailureKind::Unsupported && failure.message.contains(words), "{failure}");
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
