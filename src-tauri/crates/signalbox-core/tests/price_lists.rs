//! Price lists of others, read: every rule on small lists of our own, and the real lists where they are at hand.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by panicking and says what it skips"
)]

use signalbox_core::ids::ModelName;
use signalbox_core::money::{NanoUsd, UnitPrice};
use signalbox_core::operation::Capability;
use signalbox_core::price::{CardOrigin, PriceCard};
use signalbox_core::price_import::{BYTES_MAX, Format, ImportError, ImportedModel, PriceList, read};
use signalbox_core::time::Timestamp;
use signalbox_core::usage::Unit;

const LITELLM: &str = include_str!("fixtures/prices/litellm.json");
const GENAI: &str = include_str!("fixtures/prices/genai.json");

fn model<'a>(list: &'a PriceList, provider: &str, name: &str) -> &'a ImportedModel {
    let found =
        list.models.iter().find(|model| model.provider.as_str() == provider && model.name.as_str() == name);
    found.unwrap_or_else(|| panic!("{provider}/{name} is not imported: {:?}", reason(list, name)))
}

fn reason<'a>(list: &'a PriceList, name: &str) -> Option<&'a str> {
    list.skipped.iter().find(|entry| entry.name == name).map(|entry| entry.reason.as_str())
}

fn said(model: &ImportedModel, words: &str) {
    assert!(model.notes.iter().any(|note| note.contains(words)), "{words}: {:?}", model.notes);
}

/// The price of a unit of the first card as (nano-dollars, units).
fn own(model: &ImportedModel, unit: Unit) -> Option<(i64, u64)> {
    price_of(&model.cards[0], unit)
}

fn price_of(card: &PriceCard, unit: Unit) -> Option<(i64, u64)> {
    card.units.get(&unit).map(|price| (price.nano_usd().as_nanos(), price.per()))
}

fn per_million(usd: &str) -> UnitPrice {
    UnitPrice::per_million(NanoUsd::parse_usd(usd).unwrap()).unwrap()
}

#[test]
fn a_model_map_is_read_with_every_unit_tier_and_batch_share() {
    let list = read(LITELLM).unwrap();
    assert_eq!(list.format, Format::LiteLlm);
    let chat = model(&list, "openai", "chat-tiered");
    assert_eq!(chat.capabilities, [Capability::Chat, Capability::Vision, Capability::AudioInput]);
    assert_eq!((chat.context_window, chat.max_output), (Some(272_000), Some(128_000)));
    let card = &chat.cards[0];
    for (unit, usd) in [
        (Unit::InputTokens, "2.5"),
        (Unit::CachedInputTokens, "0.25"),
        (Unit::OutputTokens, "15"),
        (Unit::AudioInputTokens, "32"),
        (Unit::CachedAudioInputTokens, "0.4"),
        (Unit::AudioOutputTokens, "64"),
    ] {
        assert_eq!(card.units.get(&unit), Some(&per_million(usd)), "{unit}");
    }
    assert_eq!(own(chat, Unit::WebSearches), Some((10_000_000, 1)));
    assert_eq!(card.tiers.len(), 1);
    assert_eq!(card.tiers[0].above_input_tokens, 200_000);
    assert_eq!(card.unit_price(Unit::OutputTokens, 200_001), Some(per_million("22.5")));
    assert_eq!(card.unit_price(Unit::CachedInputTokens, 200_001), Some(per_million("0.25")));
    assert_eq!(card.batch_percent, Some(50));
    assert_eq!((card.origin, card.effective_from), (CardOrigin::Imported, Timestamp::default()));
    assert_eq!(card.source_url.as_deref(), Some("https://prices.example/models"));
    said(chat, "flex, priority are not modelled");
    said(chat, "retires it on 2027-02-26");

    let writes = model(&list, "anthropic", "cache-writes");
    let card = &writes.cards[0];
    assert_eq!(card.units.get(&Unit::CacheWrite5mTokens), Some(&per_million("3.75")));
    assert_eq!(card.units.get(&Unit::CacheWrite1hTokens), Some(&per_million("6")));
    assert_eq!(card.unit_price(Unit::CacheWrite1hTokens, 200_001), Some(per_million("12")));
    assert_eq!(card.units.get(&Unit::ReasoningTokens), Some(&per_million("20")));
    assert_eq!(card.batch_percent, Some(50));
    said(writes, "in a batch cached input has a share of its own");
    assert_eq!(card.source_url, None, "no address a browser must not open");
    let ranges = model(&list, "groq", "ranges");
    assert_eq!(own(ranges, Unit::InputTokens), Some((50_000_000, 1_000_000)));
    assert_eq!(ranges.cards[0].unit_price(Unit::OutputTokens, 256_001), Some(per_million("2")));
}

#[test]
fn a_zero_output_rate_does_not_hide_the_rate_per_second() {
    let list = read(LITELLM).unwrap();
    let nova = model(&list, "deepgram", "by-the-second");
    assert_eq!(
        own(nova, Unit::AudioMilliseconds),
        Some((4_300_000, 60_000)),
        "the published rate per minute"
    );
    said(nova, "not imported, zero may mean unknown: output_cost_per_second");
    let scribe = model(&list, "elevenlabs", "by-the-hour");
    assert_eq!(own(scribe, Unit::AudioMilliseconds), Some((220_000_000, 3_600_000)));
    let whisper = model(&list, "openai", "whisper");
    assert_eq!(
        own(whisper, Unit::AudioMilliseconds),
        Some((6_000_000, 60_000)),
        "once, though it is named twice"
    );
    assert!(whisper.notes.is_empty(), "{:?}", whisper.notes);
}

#[test]
fn what_is_priced_in_two_units_is_billed_in_one() {
    let list = read(LITELLM).unwrap();
    let hears = model(&list, "openai", "token-transcribe");
    assert_eq!(own(hears, Unit::AudioMilliseconds), None);
    assert_eq!(own(hears, Unit::AudioInputTokens), Some((6_000_000_000, 1_000_000)));
    said(hears, "the rate per second beside them is an estimate");
    let speaks = model(&list, "openai", "speaks-tokens");
    assert_eq!(
        (own(speaks, Unit::OutputTokens), own(speaks, Unit::AudioOutputTokens).is_some()),
        (None, true)
    );
    assert_eq!(own(model(&list, "openai", "speaks"), Unit::Characters), Some((15_000_000_000, 1_000_000)));
    let sonar = model(&list, "perplexity", "by-search-size");
    assert_eq!(own(sonar, Unit::Requests), Some((5_000_000, 1)));
    assert_eq!(own(sonar, Unit::WebSearches), None);
    said(sonar, "searches are not imported");
}

#[test]
fn a_zero_is_never_imported_as_free() {
    for text in [LITELLM, GENAI] {
        let list = read(text).unwrap();
        let cards = list.models.iter().flat_map(|model| &model.cards);
        let mut prices = cards.flat_map(|card| {
            card.units.values().chain(card.tiers.iter().flat_map(|tier| tier.units.values()))
        });
        assert!(prices.all(|price| price.nano_usd() > NanoUsd::ZERO));
    }
    let list = read(LITELLM).unwrap();
    let inherits = model(&list, "deepseek", "zero-writes");
    said(inherits, "zero may mean unknown: cache_creation_input_token_cost");
    said(inherits, "off-peak hours are not modelled");
    assert_eq!(inherits.cards[0].unit_price(Unit::CacheWrite5mTokens, 0), Some(per_million("0.28")));
    assert_eq!(own(inherits, Unit::CachedInputTokens), Some((28_000_000, 1_000_000)));
    let vectors = model(&list, "openai", "vectors");
    assert!(vectors.notes.is_empty(), "vectors are no output: {:?}", vectors.notes);
    assert_eq!(
        reason(&list, "all-zero"),
        Some("all its prices are 0, which may mean free, inherited or unknown")
    );
    assert!(
        reason(&list, "half-zero")
            .unwrap()
            .starts_with("a chat model without a price of output; not imported, zero")
    );
    let list = read(GENAI).unwrap();
    assert_eq!(
        reason(&list, "zero"),
        Some("all its prices are 0, which may mean free, inherited or unknown")
    );
    assert_eq!(reason(&list, "free"), Some("it names no price"));
}

#[test]
fn unknown_units_are_named_and_a_model_of_nothing_else_is_skipped() {
    let list = read(LITELLM).unwrap();
    said(
        model(&list, "gemini", "partly-unknown"),
        "unknown unit `google_maps_grounding_cost_per_query` is not imported",
    );
    let why = reason(&list, "only-unknown").unwrap();
    assert!(why.contains("`input_cost_per_fortnight`"), "{why}");
    let list = read(GENAI).unwrap();
    said(model(&list, "gemini", "sees-video"), "unknown unit `input_video_mtok`");
    said(model(&list, "gemini", "sees-video"), "deprecated");
    assert!(reason(&list, "only-unknown").unwrap().contains("unknown unit `input_gpixels`"));
    assert!(reason(&list, "by-the-moon").unwrap().contains("depends on `moon`"));
}

#[test]
fn a_price_per_token_typed_as_per_million_is_refused() {
    let list = read(LITELLM).unwrap();
    let typed = |name| reason(&list, name).unwrap_or_default().to_owned();
    assert!(typed("typed-per-million").contains("looks like a price per million typed as per token"));
    assert!(typed("typed-far-too-low").contains("looks like a price per token typed as per million"));
    assert!(typed("negative").contains("input_cost_per_token is not imported: it is negative"));
    assert!(typed("no-number").contains("input_cost_per_token is not imported: it is not a number"));
    assert_eq!(own(model(&list, "xai", "as-text"), Unit::InputTokens), Some((2_000_000_000, 1_000_000)));
    let noisy = model(&list, "mistral", "noisy");
    assert_eq!(own(noisy, Unit::InputTokens), Some((1_500_000_000, 1_000_000)));
    assert_eq!(own(noisy, Unit::OutputTokens), Some((4_286_000_000, 1_000_000)));
    said(noisy, "noise of binary arithmetic");
    let list = read(GENAI).unwrap();
    assert!(reason(&list, "typed-per-token").unwrap().contains("typed as per million"));
}

#[test]
fn dated_tiered_and_timed_prices_of_the_second_format_become_cards() {
    let list = read(GENAI).unwrap();
    assert_eq!(list.format, Format::GenaiPrices);
    let dated = model(&list, "gemini", "tiered-by-date");
    let starts: Vec<String> = dated.cards.iter().map(|card| card.effective_from.to_string()).collect();
    assert_eq!(
        starts,
        ["1970-01-01T00:00:00.000000Z", "2026-03-13T00:00:00.000000Z", "2027-01-01T00:00:00.000000Z"]
    );
    assert_eq!(dated.cards[0].unit_price(Unit::InputTokens, 200_001), Some(per_million("6")));
    assert_eq!(own(dated, Unit::WebSearches), Some((10_000_000, 1)));
    assert_eq!(own(dated, Unit::CacheWrite1hTokens), Some((6_000_000_000, 1_000_000)));
    assert!(dated.cards[1].tiers.is_empty());
    assert_eq!(dated.aliases.iter().map(ModelName::as_str).collect::<Vec<_>>(), ["tiered-latest"]);
    assert_eq!(dated.cards[0].source_url.as_deref(), Some("https://ai.google.dev/pricing"));
    let hears = model(&list, "gemini", "hears");
    assert_eq!(hears.capabilities, [Capability::Chat, Capability::AudioInput]);
    assert_eq!(own(hears, Unit::ReasoningTokens), Some((4_000_000_000, 1_000_000)));
    let timed = model(&list, "deepseek", "by-the-hour");
    assert_eq!(own(timed, Unit::InputTokens), Some((550_000_000, 1_000_000)));
    assert_eq!(own(timed, Unit::OutputTokens), Some((3_000_000_000, 1_000_000)));
    said(timed, "the dearest is taken");
    assert_eq!(
        own(model(&list, "gemini", "writes-down"), Unit::AudioMilliseconds),
        Some((6_000_000, 60_000))
    );
    assert_eq!(own(model(&list, "gemini", "speaks"), Unit::Characters), Some((15_000_000_000, 1_000_000)));
    assert_eq!(model(&list, "gemini", "embedding-1").capabilities, [Capability::Embedding]);
    assert_eq!(own(model(&list, "perplexity", "sonar"), Unit::Requests), Some((12_000_000, 1)));
}

#[test]
fn names_that_contradict_each_other_are_never_chosen_between() {
    let list = read(LITELLM).unwrap();
    assert_eq!(list.models.iter().filter(|model| model.name.as_str() == "same").count(), 1);
    assert_eq!(reason(&list, "torn"), Some("it is listed twice with different prices"));
    assert!(list.models.iter().all(|model| model.name.as_str() != "torn"));
    assert_eq!(reason(&list, "says-twice"), Some("it says `input_cost_per_token` twice"));
    let twice = r#"{"m": {"litellm_provider": "openai"}, "m": {"litellm_provider": "openai"}}"#;
    assert_eq!(
        read(twice).unwrap_err().to_string(),
        "`m` is listed twice, so it is not clear which prices are meant"
    );
    let model = r#"{"id": "m", "match": {}, "prices": {}}"#;
    let twice = format!(r#"[{{"id": "p", "models": [{model}, {model}]}}]"#);
    assert!(matches!(read(&twice), Err(ImportError::Duplicate { name }) if name == "p/m"));
}

#[test]
fn entries_without_use_are_listed_with_their_reason_and_hostile_names_are_disarmed() {
    let list = read(LITELLM).unwrap();
    assert_eq!(reason(&list, "draws"), Some("no operation uses models of the mode `image_generation`"));
    assert_eq!(reason(&list, "without-mode"), Some("it names no mode, so its use is not known"));
    assert_eq!(reason(&list, "without-provider"), Some("it names no provider"));
    assert!(
        reason(&list, "two words").unwrap().contains("not a valid model name"),
        "without the hidden character"
    );
    assert!(list.skipped.iter().all(|entry| entry.name != "sample_spec"));
    assert!(list.models.iter().any(|model| model.provider.as_str() == "elsewhere"));
}

#[test]
fn what_is_no_price_list_is_refused_with_a_clear_error() {
    let message = |text: &str| read(text).unwrap_err().to_string();
    for text in ["", "null", "42", "\"prices\"", "{}", "[1]", r#"{"a": {"b": 1}}"#, r#"[{"name": "x"}]"#] {
        assert!(
            ["neither a LiteLLM model map", "not well-formed JSON"]
                .iter()
                .any(|words| message(text).contains(words)),
            "{text}: {}",
            message(text)
        );
    }
    assert!(message("<html>").contains("not well-formed JSON"), "{}", message("<html>"));
    assert!(message(&LITELLM[..LITELLM.len() / 2]).contains("not well-formed JSON"));
    assert!(message(r#"{"m": 5}"#).contains("`m` has not the form of a LiteLLM model map list"));
    assert!(
        message(r#"[{"id": "p", "models": [5]}]"#).contains("`p` has not the form of a genai-prices list")
    );
    let huge = " ".repeat(BYTES_MAX + 1);
    assert!(message(&huge).contains("are read at most"));
    let deep =
        format!(r#"{{"m": {{"litellm_provider": "openai", "mode": "chat", "x": {}}}}}"#, "[".repeat(100_000));
    assert!(message(&deep).contains("not well-formed JSON"));
    let nested = format!(
        r#"{{"m": {{"litellm_provider": "openai", "mode": "chat", "tiered_pricing": {}{}}}}}"#,
        "[".repeat(50_000),
        "]".repeat(50_000)
    );
    assert_eq!(read(&nested).unwrap().models.len(), 0);
}

#[test]
fn a_byte_order_mark_is_no_reason_to_refuse_a_list() {
    assert!(read(&format!("\u{feff}{GENAI}")).is_ok());
}

proptest::proptest! {
    #[test]
    fn no_text_makes_a_reader_panic(cut in 0..LITELLM.len(), noise in "[\\[\\]{}\",:0-9eE.\\-a-z]{0,12}") {
        for text in [LITELLM, GENAI] {
            let cut = (0..=cut.min(text.len())).rev().find(|index| text.is_char_boundary(*index)).unwrap_or(0);
            let _ = read(&format!("{}{noise}{}", &text[..cut], &text[cut..]));
        }
        let _ = read(&noise);
    }
}

/// A list that is too large for the repository, where it is at hand.
fn real(name: &str) -> Option<String> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../../shared/data/");
    let text = std::fs::read_to_string(format!("{path}{name}")).ok();
    if text.is_none() {
        println!("skipped: {name} is not beside the repository in shared/data");
    }
    text
}

#[test]
fn the_real_model_map_is_read_whole_with_known_prices() {
    let Some(text) = real("litellm-model-prices.json") else { return };
    let list = read(&text).unwrap();
    // 4,242 names, two of which are no models; 11 are listed twice with the same prices.
    assert_eq!((list.models.len(), list.skipped.len()), (3_234, 995));
    assert!(list.skipped.iter().all(|entry| !entry.reason.is_empty()));
    let usd = |provider, name, unit| {
        own(model(&list, provider, name), unit)
            .map(|(nanos, per)| (NanoUsd::from_nanos(nanos).to_string(), per))
    };
    let expected: &[(&str, &str, Unit, &str, u64)] = &[
        ("openai", "gpt-5", Unit::InputTokens, "1.25", 1_000_000),
        ("openai", "gpt-5", Unit::CachedInputTokens, "0.125", 1_000_000),
        ("openai", "gpt-5", Unit::OutputTokens, "10", 1_000_000),
        ("openai", "gpt-5", Unit::WebSearches, "0.01", 1),
        ("openai", "text-embedding-3-small", Unit::InputTokens, "0.02", 1_000_000),
        ("openai", "tts-1", Unit::Characters, "15", 1_000_000),
        ("openai", "whisper-1", Unit::AudioMilliseconds, "0.006", 60_000),
        ("anthropic", "claude-sonnet-4-5", Unit::CacheWrite1hTokens, "6", 1_000_000),
        ("anthropic", "claude-sonnet-4-5", Unit::CacheWrite5mTokens, "3.75", 1_000_000),
        ("anthropic", "claude-haiku-5-5", Unit::CachedInputTokens, "0.01", 1_000_000),
        ("gemini", "gemini-2.5-pro", Unit::InputTokens, "1.25", 1_000_000),
        ("gemini", "gemini-2.5-pro", Unit::WebSearches, "0.035", 1),
        ("deepseek", "deepseek-flash", Unit::CachedInputTokens, "0.006", 1_000_000),
        ("deepgram", "nova-3", Unit::AudioMilliseconds, "0.0043", 60_000),
        ("elevenlabs", "scribe_v1", Unit::AudioMilliseconds, "0.22", 3_600_000),
        ("elevenlabs", "eleven_multilingual_v2", Unit::Characters, "180", 1_000_000),
        ("groq", "whisper-large-v3", Unit::AudioMilliseconds, "0.0018498", 60_000),
        ("cohere", "embed-v4.0", Unit::InputTokens, "0.12", 1_000_000),
    ];
    for (provider, name, unit, amount, per) in expected {
        assert_eq!(
            usd(provider, name, *unit),
            Some(((*amount).to_owned(), *per)),
            "{provider}/{name} {unit}"
        );
    }
    let haiku = &model(&list, "anthropic", "claude-haiku-5-5").cards[0];
    assert_eq!(haiku.unit_price(Unit::CacheWrite1hTokens, 100_001), Some(per_million("1")));
    assert_eq!(haiku.batch_percent, Some(50));
    let pro = &model(&list, "gemini", "gemini-2.5-pro").cards[0];
    assert_eq!(pro.unit_price(Unit::OutputTokens, 200_001), Some(per_million("15")));
    let by_the_second = list.models.iter().filter(|model| own(model, Unit::AudioMilliseconds).is_some());
    assert!(by_the_second.count() >= 55, "models billed by time keep their rate beside a zero");
    let free = list.models.iter().flat_map(|model| &model.cards).flat_map(|card| card.units.values());
    assert!(free.into_iter().all(|price| price.nano_usd() > NanoUsd::ZERO));
}

#[test]
fn the_real_genai_list_is_read_whole_with_known_prices() {
    let Some(text) = real("genai-prices-v2.json") else { return };
    let list = read(&text).unwrap();
    // 1,466 models; 157 name no price.
    assert_eq!((list.models.len(), list.skipped.len()), (1_284, 182));
    let cards = |provider, name| &model(&list, provider, name).cards;
    let opus = cards("anthropic", "claude-opus-4-6");
    assert_eq!(opus.len(), 2);
    assert_eq!(opus[0].unit_price(Unit::OutputTokens, 200_001), Some(per_million("37.5")));
    assert_eq!(opus[1].unit_price(Unit::OutputTokens, 200_001), Some(per_million("25")));
    assert_eq!(opus[1].effective_from.to_string(), "2026-03-13T00:00:00.000000Z");
    let sonnet = &cards("anthropic", "claude-sonnet-4-5")[0];
    assert_eq!(sonnet.unit_price(Unit::CacheWrite1hTokens, 200_001), Some(per_million("12")));
    assert_eq!(price_of(sonnet, Unit::WebSearches), Some((10_000_000, 1)));
    assert_eq!(price_of(&cards("perplexity", "sonar")[0], Unit::Requests), Some((12_000_000, 1)));
    assert_eq!(
        price_of(&cards("perplexity", "sonar-deep-research")[0], Unit::ReasoningTokens),
        Some((3_000_000_000, 1_000_000))
    );
    said(model(&list, "deepseek", "deepseek-reasoner"), "the dearest is taken");
    assert_eq!(list.models.iter().filter(|model| model.provider.as_str() == "gemini").count(), 39);
}
