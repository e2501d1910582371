//! Usage as vendors report it, priced by the shipped cards. Every figure is computed by hand: quantity × dollars per million
//! × 1,000 is the amount in nano-dollars (a dollar per million tokens is 1,000 nano-dollars per token).
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests stop at the first fault")]

use std::collections::BTreeMap;

use signalbox_core::catalogue::Catalogue;
use signalbox_core::meter::{Bound, Cost, CostStatus, UsageSource, estimate, price_usage};
use signalbox_core::money::{NanoUsd, UnitPrice};
use signalbox_core::price::{PriceCard, PriceTier, ServiceMode, usd_per_million};
use signalbox_core::route::Target;
use signalbox_core::time::Timestamp;
use signalbox_core::usage::{Unit, Usage};

fn now() -> Timestamp {
    Timestamp::parse("2026-11-21T12:00:00Z").unwrap()
}

fn cards(target: &str) -> Vec<PriceCard> {
    let target: Target = target.parse().unwrap();
    let catalogue = Catalogue::shipped().unwrap();
    let entry = catalogue.models_of(target.provider.as_str()).find(|entry| entry.model.name == target.model);
    entry.unwrap_or_else(|| panic!("{target} is not in the catalogue")).cards.clone()
}

fn usage(quantities: &[(Unit, u64)]) -> Usage {
    quantities.iter().copied().collect()
}

fn priced(cards: &[PriceCard], quantities: &[(Unit, u64)], mode: ServiceMode) -> Cost {
    price_usage(cards, now(), &usage(quantities), UsageSource::Reported, None, mode)
}

#[track_caller]
fn costs(target: &str, quantities: &[(Unit, u64)], nanos: i64) {
    let cost = priced(&cards(target), quantities, ServiceMode::Standard);
    assert_eq!(
        (cost.status, cost.total),
        (CostStatus::Exact, Some(NanoUsd::from_nanos(nanos))),
        "{target}: {cost:?}"
    );
}

#[track_caller]
fn costs_in_a_batch(target: &str, quantities: &[(Unit, u64)], nanos: i64) {
    let cost = priced(&cards(target), quantities, ServiceMode::Batch);
    assert_eq!(
        (cost.status, cost.total),
        (CostStatus::Exact, Some(NanoUsd::from_nanos(nanos))),
        "{target}: {cost:?}"
    );
}

// Complaints 1 and 16: a missing price became 0.

#[test]
fn an_unpriced_model_is_unpriced_and_never_free() {
    let words = [(Unit::InputTokens, 1_000), (Unit::OutputTokens, 1)];
    for cards in [Vec::new(), cards("openai/whisper-1")] {
        let cost = priced(&cards, &words, ServiceMode::Standard);
        assert_eq!((cost.status, cost.total), (CostStatus::Unpriced, None));
        assert!(cost.lines.iter().all(|line| line.cost.is_none()));
    }
}

#[test]
fn cached_tokens_without_a_cache_price_are_billed_as_input_and_never_at_nothing() {
    // gpt-5.5-pro has no price of cached input: 1,000 + 9,000 tokens at $30.
    let card = cards("openai/gpt-5.5-pro");
    assert!(!card[0].units.contains_key(&Unit::CachedInputTokens));
    costs("openai/gpt-5.5-pro", &[(Unit::InputTokens, 1_000), (Unit::CachedInputTokens, 9_000)], 300_000_000);
}

// Complaint 2: only the first breakdown of cache writes was priced.

#[test]
fn five_minute_and_hour_cache_writes_are_both_priced_beside_searches() {
    // claude-sonnet-4-6: 2,000 at $3, 10,000 at $3.75, 4,000 at $6, 50,000 read at $0.30, 700 out at $15, 3 searches at $0.01.
    costs(
        "anthropic/claude-sonnet-4-6",
        &[
            (Unit::InputTokens, 2_000),
            (Unit::CacheWrite5mTokens, 10_000),
            (Unit::CacheWrite1hTokens, 4_000),
            (Unit::CachedInputTokens, 50_000),
            (Unit::OutputTokens, 700),
            (Unit::WebSearches, 3),
        ],
        6_000_000 + 37_500_000 + 24_000_000 + 15_000_000 + 10_500_000 + 30_000_000,
    );
}

// Complaints 3, 5, 11 and 13: cached tokens were billed as fresh ones.

#[test]
fn cached_input_is_priced_as_cached_input() {
    // gpt-5: 1,000 fresh at $1.25, 9,000 cached at $0.125, 100 out at $10.
    costs(
        "openai/gpt-5",
        &[(Unit::InputTokens, 1_000), (Unit::CachedInputTokens, 9_000), (Unit::OutputTokens, 100)],
        1_250_000 + 1_125_000 + 1_000_000,
    );
}

// Complaint 4: usage the provider reported was replaced by a local estimate.

#[test]
fn reported_usage_is_exact_and_counted_usage_says_that_it_is_an_estimate() {
    let quantities = [(Unit::InputTokens, 1_000), (Unit::CachedInputTokens, 600), (Unit::OutputTokens, 100)];
    let by = |source| {
        price_usage(&cards("openai/gpt-5"), now(), &usage(&quantities), source, None, ServiceMode::Standard)
    };
    assert_eq!(by(UsageSource::Reported).status, CostStatus::Exact);
    assert_eq!(by(UsageSource::Estimated).status, CostStatus::Estimated);
    assert_eq!(by(UsageSource::Reported).total, by(UsageSource::Estimated).total);
}

// Complaint 7: with reasoning, all other output was ignored. Complaint 17: details were added on top of totals.

#[test]
fn reasoning_and_visible_output_are_both_billed_and_each_once() {
    // gpt-5: 12 at $1.25; 640 thought and 210 visible at $10.
    costs(
        "openai/gpt-5",
        &[(Unit::InputTokens, 12), (Unit::ReasoningTokens, 640), (Unit::OutputTokens, 210)],
        15_000 + 6_400_000 + 2_100_000,
    );
}

// Complaint 8: a zero output rate hid the rate per second. Complaint 9: transcription always cost 0.

#[test]
fn a_zero_output_rate_does_not_hide_the_rate_per_second() {
    let mut card = cards("deepgram/nova-3").remove(0);
    card.units.insert(Unit::OutputTokens, usd_per_million("0").unwrap());
    let cost = priced(&[card], &[(Unit::AudioMilliseconds, 60_000)], ServiceMode::Standard);
    assert_eq!(cost.total, Some(NanoUsd::from_nanos(4_400_000)));
}

#[test]
fn a_minute_of_transcription_costs_its_share_to_the_millisecond() {
    // Deepgram $0.0044, OpenAI $0.006, ElevenLabs $0.22 an hour. A nano-dollar's half goes to the even neighbour.
    for (target, milliseconds, nanos) in [
        ("deepgram/nova-3", 1, 73),
        ("deepgram/nova-3", 59_999, 4_399_927),
        ("deepgram/nova-3", 60_000, 4_400_000),
        ("openai/whisper-1", 1, 100),
        ("openai/whisper-1", 59_999, 5_999_900),
        ("openai/whisper-1", 60_000, 6_000_000),
        ("openai/gpt-transcribe", 90_000, 6_750_000),
        ("elevenlabs/scribe_v2", 3_600_000, 220_000_000),
        ("elevenlabs/scribe_v2", 60_000, 3_666_667),
        ("mistral/voxtral-mini-2602", 61_000, 3_050_000),
    ] {
        costs(target, &[(Unit::AudioMilliseconds, milliseconds)], nanos);
    }
}

#[test]
fn transcription_by_tokens_tells_sound_from_text() {
    // gpt-4o-transcribe: 14 text at $2.50, 1,100 sound at $6, 230 out at $10.
    costs(
        "openai/gpt-4o-transcribe",
        &[(Unit::InputTokens, 14), (Unit::AudioInputTokens, 1_100), (Unit::OutputTokens, 230)],
        35_000 + 6_600_000 + 2_300_000,
    );
}

// Complaint 10: cache writes were counted twice in streams.

#[test]
fn cache_writes_are_no_part_of_fresh_input() {
    // claude-haiku-4-5: 3 at $1, 20,000 written at $1.25, 8 out at $5.
    costs(
        "anthropic/claude-haiku-4-5",
        &[(Unit::InputTokens, 3), (Unit::CacheWrite5mTokens, 20_000), (Unit::OutputTokens, 8)],
        3_000 + 25_000_000 + 40_000,
    );
}

// Complaint 12: an own price sheet was ignored, or off by a hundred.

#[test]
fn the_newest_card_that_has_begun_is_the_one_that_counts() {
    let mut cards = cards("openai/gpt-5");
    let own = PriceCard::of_tokens(
        now(),
        [
            (Unit::InputTokens, usd_per_million("0.77").unwrap()),
            (Unit::OutputTokens, usd_per_million("1").unwrap()),
        ],
    );
    cards.push(own);
    let quantities = [(Unit::InputTokens, 1_000_000)];
    let at = |instant| {
        price_usage(&cards, instant, &usage(&quantities), UsageSource::Reported, None, ServiceMode::Standard)
            .total
    };
    assert_eq!(at(now()), Some(NanoUsd::from_nanos(770_000_000)));
    assert_eq!(
        at(now().plus_micros(-1)),
        Some(NanoUsd::from_nanos(1_250_000_000)),
        "what was sent before stays"
    );
}

// Complaint 14: cached sound could only be priced as fresh sound.

#[test]
fn cached_audio_is_priced_as_cached_audio() {
    // gemini-2.5-flash: 100 text at $0.30, 500 sound at $1, 2,000 cached sound at $0.10, 50 out at $2.50.
    costs(
        "gemini/gemini-2.5-flash",
        &[
            (Unit::InputTokens, 100),
            (Unit::AudioInputTokens, 500),
            (Unit::CachedAudioInputTokens, 2_000),
            (Unit::OutputTokens, 50),
        ],
        30_000 + 500_000 + 200_000 + 125_000,
    );
    let own = PriceCard::of_tokens(
        now(),
        [
            (Unit::AudioInputTokens, usd_per_million("10").unwrap()),
            (Unit::CachedAudioInputTokens, usd_per_million("0.30").unwrap()),
        ],
    );
    let cost = priced(&[own], &[(Unit::CachedAudioInputTokens, 1_000_000)], ServiceMode::Standard);
    assert_eq!(cost.total, Some(NanoUsd::from_nanos(300_000_000)));
}

#[test]
fn sound_in_and_out_has_prices_of_its_own() {
    // gpt-audio: 20 text at $2.50, 300 sound at $32, 40 text out at $10, 900 sound out at $64.
    costs(
        "openai/gpt-audio",
        &[
            (Unit::InputTokens, 20),
            (Unit::AudioInputTokens, 300),
            (Unit::OutputTokens, 40),
            (Unit::AudioOutputTokens, 900),
        ],
        50_000 + 9_600_000 + 400_000 + 57_600_000,
    );
    // gpt-4o-mini-tts: 30 text at $0.60, 500 sound out at $12.
    costs(
        "openai/gpt-4o-mini-tts",
        &[(Unit::InputTokens, 30), (Unit::AudioOutputTokens, 500)],
        18_000 + 6_000_000,
    );
}

// Complaint 15: input was counted twice, because for one vendor it includes the cache and for the other not.

#[test]
fn the_total_is_the_sum_of_disjoint_lines() {
    let quantities = [(Unit::InputTokens, 400), (Unit::CachedInputTokens, 600), (Unit::OutputTokens, 10)];
    let cost = priced(&cards("openai/gpt-5"), &quantities, ServiceMode::Standard);
    assert_eq!(cost.lines.len(), 3);
    assert_eq!(cost.lines.iter().map(|line| line.quantity).sum::<u64>(), 1_010);
    assert_eq!(Some(cost.lines.iter().filter_map(|line| line.cost).sum()), cost.total);
}

#[test]
fn speech_is_priced_by_the_character() {
    costs("openai/tts-1", &[(Unit::Characters, 1)], 15_000);
    costs("openai/tts-1-hd", &[(Unit::Characters, 4_096)], 122_880_000);
    costs("elevenlabs/eleven_multilingual_v2", &[(Unit::Characters, 1_000)], 80_000_000);
    costs("edge_tts/edge-tts", &[(Unit::Characters, 1_000_000)], 0);
}

#[test]
fn embeddings_calls_images_and_searches_are_priced_in_their_own_units() {
    costs("openai/text-embedding-3-small", &[(Unit::InputTokens, 8_191)], 163_820);
    // sonar: 100 in and 200 out at $1, and $0.012 for the call, which no vendor reports.
    costs(
        "perplexity/sonar",
        &[(Unit::InputTokens, 100), (Unit::OutputTokens, 200)],
        100_000 + 200_000 + 12_000_000,
    );
    costs("xai/grok-imagine-image", &[(Unit::Images, 3)], 60_000_000);
    costs(
        "gemini/gemini-3-pro-image",
        &[(Unit::InputTokens, 10), (Unit::ImageOutputTokens, 1_120)],
        20_000 + 134_400_000,
    );
}

#[test]
fn a_tier_is_a_cliff_for_every_token_of_the_request() {
    // gemini-2.5-pro: at 200,000 tokens $1.25 and $10; one more and all of them cost $2.50 and $15, cached ones $0.25.
    costs(
        "gemini/gemini-2.5-pro",
        &[(Unit::InputTokens, 200_000), (Unit::OutputTokens, 1_000)],
        250_000_000 + 10_000_000,
    );
    costs(
        "gemini/gemini-2.5-pro",
        &[(Unit::InputTokens, 200_001), (Unit::OutputTokens, 1_000)],
        500_002_500 + 15_000_000,
    );
    costs(
        "gemini/gemini-2.5-pro",
        &[(Unit::InputTokens, 1), (Unit::CachedInputTokens, 200_000), (Unit::OutputTokens, 1_000)],
        2_500 + 50_000_000 + 15_000_000,
    );
    // claude-haiku-5-5 steps at 100,000: $0.10 to $0.50, hour writes from $0.20 to $1.
    costs("anthropic/claude-haiku-5-5", &[(Unit::CacheWrite1hTokens, 100_000)], 20_000_000);
    costs("anthropic/claude-haiku-5-5", &[(Unit::CacheWrite1hTokens, 100_001)], 100_001_000);
}

#[test]
fn a_batch_pays_its_share_once_per_line_and_searches_in_full() {
    // claude-sonnet-4-6 at half: 1,000 at $1.50, 333 cached at $0.15, 77 out at $7.50, one search at $0.01.
    costs_in_a_batch(
        "anthropic/claude-sonnet-4-6",
        &[
            (Unit::InputTokens, 1_000),
            (Unit::CachedInputTokens, 333),
            (Unit::OutputTokens, 77),
            (Unit::WebSearches, 1),
        ],
        1_500_000 + 49_950 + 577_500 + 10_000_000,
    );
    // grok-4.3 at 80 %: 1,000 at $1, 100 out at $2.
    costs_in_a_batch(
        "xai/grok-4.3",
        &[(Unit::InputTokens, 1_000), (Unit::OutputTokens, 100)],
        1_000_000 + 200_000,
    );
    // whisper-large-v3 at half of $0.111 an hour: a minute is 925,000.
    costs_in_a_batch("groq/whisper-large-v3", &[(Unit::AudioMilliseconds, 60_000)], 925_000);
    // nova-3 has no batch price: in full.
    costs_in_a_batch("deepgram/nova-3", &[(Unit::AudioMilliseconds, 60_000)], 4_400_000);
}

#[test]
fn a_batch_on_a_tier_pays_its_share_of_the_tier() {
    costs_in_a_batch(
        "gemini/gemini-2.5-pro",
        &[(Unit::InputTokens, 200_001), (Unit::OutputTokens, 1_000)],
        250_001_250 + 7_500_000,
    );
}

#[test]
fn a_batch_is_rounded_after_the_discount_and_only_then() {
    // Half of 3 nano-dollars a unit is 1.5, 3, 4.5, 7.5: a half goes to the even neighbour. Rounding before the discount
    // would make something of the half nano-dollar in the last row.
    let card = |nanos, per| PriceCard {
        batch_percent: Some(50),
        ..PriceCard::of_tokens(
            now(),
            [(Unit::InputTokens, UnitPrice::new(NanoUsd::from_nanos(nanos), per).unwrap())],
        )
    };
    let nanos = |card: PriceCard, quantity| {
        priced(&[card], &[(Unit::InputTokens, quantity)], ServiceMode::Batch).total.unwrap().as_nanos()
    };
    assert_eq!([1, 2, 3, 5].map(|quantity| nanos(card(3, 1), quantity)), [2, 3, 4, 8]);
    assert_eq!([1, 2, 3, 4, 6].map(|quantity| nanos(card(1, 1), quantity)), [0, 1, 2, 2, 3]);
    assert_eq!([2, 6, 7].map(|quantity| nanos(card(1, 2), quantity)), [0, 2, 2]);
}

#[test]
fn a_card_with_its_own_tiers_of_sound_is_priced_by_the_tier_of_the_whole_request() {
    let price = |text| usd_per_million(text).unwrap();
    let card = PriceCard {
        tiers: vec![PriceTier {
            above_input_tokens: 100,
            units: BTreeMap::from([(Unit::CachedAudioInputTokens, price("0.6"))]),
        }],
        ..PriceCard::of_tokens(
            now(),
            [
                (Unit::InputTokens, price("1")),
                (Unit::OutputTokens, price("1")),
                (Unit::AudioInputTokens, price("10")),
                (Unit::CachedAudioInputTokens, price("0.3")),
            ],
        )
    };
    let cost = |fresh| {
        let quantities = [(Unit::InputTokens, fresh), (Unit::CachedAudioInputTokens, 60)];
        priced(std::slice::from_ref(&card), &quantities, ServiceMode::Standard).total.unwrap().as_nanos()
    };
    assert_eq!(cost(40), 40_000 + 18_000);
    assert_eq!(cost(41), 41_000 + 36_000);
}

#[test]
fn every_shipped_model_can_be_reserved_for_what_it_does() {
    let words = Bound { tokens_in: 1_000, tokens_out_max: 500, ..Bound::default() };
    let sound = Bound { audio_milliseconds: 60_000, tokens_out_max: 500, ..Bound::default() };
    let speech = Bound { characters: 1_000, tokens_in: 300, audio_tokens_out_max: 2_000, ..Bound::default() };
    for entry in Catalogue::shipped().unwrap().models {
        for capability in &entry.model.capabilities {
            let bound = match capability.as_str() {
                "embedding" => Bound { tokens_in: 1_000, ..Bound::default() },
                "transcription" => sound,
                "speech" => speech,
                _ => words,
            };
            let estimated = estimate(&entry.cards, now(), bound).unwrap();
            let free = entry.model.provider.as_str() == "edge_tts";
            assert!(
                estimated.is_some_and(|amount| free || amount > NanoUsd::ZERO),
                "{} for {}: {estimated:?}",
                entry.model.name,
                capability.as_str()
            );
        }
    }
}
