use super::*;

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
        assert_eq!(failure.kind, FailureKind::Unsupported);
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
            include_str!("../../fixtures/deepgram/listen.json"),
            time(25_933),
            "1\n00:00:00,080 --> 00:00:00,320\nYeah.\n\n2\n00:00:00,320 --> 00:00:03,120\nAs much as it's worth celebrating.",
        ),
        (
            ProviderKind::Openai,
            "whisper-1",
            include_str!("../../fixtures/openai_audio/whisper_verbose.json"),
            // What it bills, not what it heard.
            time(9_000),
            "1\n00:00:00,000 --> 00:00:03,320\nThe beach was a popular spot on a hot summer day.",
        ),
        (
            ProviderKind::Openai,
            "voxtral-mini-2507",
            include_str!("../../fixtures/openai_audio/voxtral.json"),
            time(203_000),
            "1\n00:00:00,000 -->",
        ),
        (
            ProviderKind::Elevenlabs,
            "scribe_v1",
            include_str!("../../fixtures/elevenlabs/speech_to_text.json"),
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
    let text = include_str!("../../fixtures/openai_audio/gpt_4o_transcribe.json");
    let server = Hostile::new(200, "application/json", text).serve().await;
    let call = recording("gpt-4o-mini-transcribe-2025-12-15", &[]);
    let answer = providers().complete(&account(ProviderKind::Openai, &server), &call).await.unwrap();
    assert_eq!((answer.metering.usage, answer.metering.source), (tokens, UsageSource::Reported));
    assert_eq!(answer.body, text.as_bytes(), "in the client's own form nothing is touched");
}
