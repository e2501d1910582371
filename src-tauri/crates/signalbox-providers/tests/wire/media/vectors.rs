use super::*;

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
    assert_eq!(failure.kind, FailureKind::Unsupported);
    assert!(failure.message.starts_with("input: "), "{failure}");
    assert_eq!(simulator.observed().received, 0);
}
