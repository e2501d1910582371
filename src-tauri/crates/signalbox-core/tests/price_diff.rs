//! What a price list would change, and that it changes nothing by itself.
#![expect(clippy::unwrap_used, reason = "tests stop at the first fault")]

use std::collections::{BTreeMap, BTreeSet, HashMap};

use signalbox_core::catalogue::Catalogue;
use signalbox_core::money::{NanoUsd, UnitPrice};
use signalbox_core::operation::Capability;
use signalbox_core::price::{PriceCard, PriceTier, card_at, usd_per_million};
use signalbox_core::price_import::diff::{Installed, PriceDiff, diff};
use signalbox_core::price_import::read;
use signalbox_core::provider::Model;
use signalbox_core::route::Target;
use signalbox_core::snapshot::ModelEntry;
use signalbox_core::time::Timestamp;
use signalbox_core::usage::Unit;

fn now() -> Timestamp {
    Timestamp::parse("2026-11-21T12:00:00Z").unwrap()
}

fn price(usd: &str) -> UnitPrice {
    usd_per_million(usd).unwrap()
}

fn model(target: &str, cards: Vec<PriceCard>) -> (Target, ModelEntry) {
    let target: Target = target.parse().unwrap();
    let model = Model {
        provider: target.provider.clone(),
        name: target.model.clone(),
        capabilities: vec![Capability::Chat],
        context_window: None,
        max_output: None,
        quality: None,
    };
    (target, ModelEntry { model, cards, breach: None })
}

fn card(prices: &[(Unit, &str)]) -> PriceCard {
    PriceCard::of_tokens(Timestamp::default(), prices.iter().map(|(unit, usd)| (*unit, price(usd))))
}

/// An installation whose providers a list knows by the given names.
fn compared(text: &str, providers: &[(&str, &[&str])], models: Vec<(Target, ModelEntry)>) -> PriceDiff {
    let providers: BTreeMap<_, BTreeSet<_>> = providers
        .iter()
        .map(|(name, names)| {
            (name.parse().unwrap(), names.iter().map(|name| name.parse().unwrap()).collect())
        })
        .collect();
    let models: HashMap<Target, ModelEntry> = models.into_iter().collect();
    let list = read(text).unwrap();
    diff(&list, &Installed { providers: &providers, models: &models, now: now() })
}

fn litellm(members: &str) -> String {
    format!(r#"{{"m": {{"litellm_provider": "openai", "mode": "chat", {members}}}}}"#)
}

const PLAIN: &[(Unit, &str)] = &[(Unit::InputTokens, "2"), (Unit::OutputTokens, "8")];
const SAME: &str = r#""input_cost_per_token": 2e-06, "output_cost_per_token": 8e-06"#;

#[test]
fn the_same_price_in_other_words_is_unchanged() {
    let millions = |nanos| UnitPrice::new(NanoUsd::from_nanos(nanos), 1_000).unwrap();
    let mut other_lots = card(&[]);
    other_lots.units =
        BTreeMap::from([(Unit::InputTokens, millions(2_000_000)), (Unit::OutputTokens, millions(8_000_000))]);
    for entry in [card(PLAIN), other_lots] {
        let found =
            compared(&litellm(SAME), &[("openai", &["openai"])], vec![model("openai/m", vec![entry])]);
        assert_eq!(found.unchanged.len(), 1, "{found:?}");
    }
    // A rate per second is a rate per minute, rounded.
    let minute = UnitPrice::new(NanoUsd::from_nanos(1_850_000), 60_000).unwrap();
    let by_time = PriceCard::of_tokens(Timestamp::default(), [(Unit::AudioMilliseconds, minute)]);
    let text = r#"{"m": {"litellm_provider": "groq", "mode": "audio_transcription", "input_cost_per_second": 3.083e-05}}"#;
    let found = compared(text, &[("groq", &["groq"])], vec![model("groq/m", vec![by_time])]);
    assert_eq!(found.unchanged.len(), 1, "{found:?}");
    // A cached rate that repeats the fresh one says nothing new either.
    let repeats = format!(r#"{SAME}, "cache_read_input_token_cost": 2e-06"#);
    let found =
        compared(&litellm(&repeats), &[("openai", &["openai"])], vec![model("openai/m", vec![card(PLAIN)])]);
    assert_eq!(found.unchanged.len(), 1, "{found:?}");
}

#[test]
fn what_a_list_does_not_price_keeps_its_price() {
    let mut own = card(PLAIN);
    own.units.insert(Unit::WebSearches, UnitPrice::new(NanoUsd::from_nanos(10_000_000), 1).unwrap());
    own.units.insert(Unit::AudioInputTokens, price("32"));
    own.batch_percent = Some(50);
    own.tiers = vec![PriceTier {
        above_input_tokens: 200_000,
        units: BTreeMap::from([(Unit::InputTokens, price("4")), (Unit::AudioInputTokens, price("64"))]),
    }];
    let text = litellm(
        r#""input_cost_per_token": 1e-06, "output_cost_per_token": 8e-06, "input_cost_per_token_above_200k_tokens": 4e-06"#,
    );
    let found = compared(&text, &[("openai", &["openai"])], vec![model("openai/m", vec![own.clone()])]);
    let changed = &found.changed[0];
    assert_eq!(changed.changes.len(), 1, "{:?}", changed.changes);
    assert_eq!((changed.changes[0].unit, changed.changes[0].permille), (Unit::InputTokens, Some(-500)));
    assert_eq!(changed.batch_percent, None);
    let after = &changed.cards[0];
    assert_eq!(after.effective_from, now());
    assert_eq!(after.unit_price(Unit::AudioInputTokens, 200_001), Some(price("64")));
    assert_eq!(after.units.get(&Unit::WebSearches), own.units.get(&Unit::WebSearches));
    assert_eq!(after.batch_percent, Some(50));
    assert!(
        changed.notes.iter().any(|note| note.contains("audio_input_tokens, web_searches")),
        "{:?}",
        changed.notes
    );
}

#[test]
fn a_big_jump_a_lost_tier_and_a_cache_dearer_than_fresh_input_are_suspicious() {
    let mut own = card(PLAIN);
    own.tiers = vec![PriceTier {
        above_input_tokens: 200_000,
        units: BTreeMap::from([(Unit::InputTokens, price("4"))]),
    }];
    let text = litellm(
        r#""input_cost_per_token": 2.9e-06, "output_cost_per_token": 3e-05, "cache_read_input_token_cost": 3e-06"#,
    );
    let found = compared(&text, &[("openai", &["openai"])], vec![model("openai/m", vec![own])]);
    let suspicious = found.changed[0].suspicious.join("; ");
    assert!(suspicious.contains("the price of output_tokens rises by 275 %"), "{suspicious}");
    assert!(suspicious.contains("the list has no rates above 200000 tokens"), "{suspicious}");
    assert!(
        suspicious.contains("the price of cached_input_tokens would be above that of input_tokens"),
        "{suspicious}"
    );
    assert!(!suspicious.contains("the price of input_tokens rises"), "45 % is no jump: {suspicious}");
    let bounds: BTreeSet<_> =
        found.changed[0].changes.iter().map(|change| change.above_input_tokens).collect();
    assert_eq!(bounds, BTreeSet::from([None, Some(200_000)]), "tier by tier");
}

#[test]
fn models_come_in_only_for_providers_that_are_there_and_under_their_names() {
    let text = r#"{
        "openai-model": {"litellm_provider": "openai", "mode": "chat", "input_cost_per_token": 1e-06, "output_cost_per_token": 1e-06},
        "azure/a": {"litellm_provider": "azure", "mode": "chat", "input_cost_per_token": 1e-06, "output_cost_per_token": 1e-06},
        "azure/zero": {"litellm_provider": "azure", "mode": "chat", "input_cost_per_token": 0, "output_cost_per_token": 0},
        "groq/zero": {"litellm_provider": "groq", "mode": "chat", "input_cost_per_token": 0, "output_cost_per_token": 0}
    }"#;
    let providers: &[(&str, &[&str])] =
        &[("work", &["work", "openai"]), ("play", &["openai"]), ("groq", &["groq"])];
    let bare = model("play/openai-model", Vec::new());
    let found = compared(text, providers, vec![bare]);
    let new: Vec<(String, bool)> = found.new.iter().map(|one| (one.target.to_string(), one.known)).collect();
    assert_eq!(new, [("play/openai-model".to_owned(), true), ("work/openai-model".to_owned(), false)]);
    assert_eq!(found.skipped.iter().map(|one| one.name.as_str()).collect::<Vec<_>>(), ["groq/zero"]);
    assert_eq!(found.other_providers, BTreeMap::from([("azure_openai".to_owned(), 2)]));
}

#[test]
fn dated_prices_stay_dated_and_an_alias_is_priced_as_its_model() {
    let text = r#"[{"id": "openai", "models": [{"id": "m", "match": {"or": [{"equals": "m-latest"}]}, "prices": [
        {"prices": {"input_mtok": 9, "output_mtok": 9}},
        {"constraint": {"start_date": "2026-06-01"}, "prices": {"input_mtok": 3, "output_mtok": 8}},
        {"constraint": {"start_date": "2027-01-01"}, "prices": {"input_mtok": 4, "output_mtok": 8}}
    ]}]}]"#;
    let found = compared(text, &[("openai", &["openai"])], vec![model("openai/m-latest", vec![card(PLAIN)])]);
    assert!(found.new.is_empty(), "its name is known as another: {:?}", found.new);
    let cards = &found.changed[0].cards;
    let dated: Vec<_> =
        cards.iter().map(|card| (card.effective_from, card.units[&Unit::InputTokens])).collect();
    let next = Timestamp::parse("2027-01-01T00:00:00Z").unwrap();
    assert_eq!(dated, [(now(), price("3")), (next, price("4"))]);
    // With the price of today the same, the planned one is still news.
    let today = card(&[(Unit::InputTokens, "3"), (Unit::OutputTokens, "8")]);
    let found = compared(text, &[("openai", &["openai"])], vec![model("openai/m-latest", vec![today])]);
    assert_eq!((found.changed.len(), found.changed[0].changes.len()), (1, 0));
}

#[test]
fn a_batch_share_that_changes_is_a_change() {
    let text = litellm(&format!(
        r#"{SAME}, "input_cost_per_token_batches": 1e-06, "output_cost_per_token_batches": 4e-06"#
    ));
    let found = compared(&text, &[("openai", &["openai"])], vec![model("openai/m", vec![card(PLAIN)])]);
    assert_eq!(found.changed[0].batch_percent, Some((None, Some(50))));
    assert!(found.changed[0].changes.is_empty());
}

/// The real lists against the shipped catalogue, where they are at hand.
#[test]
fn the_shipped_catalogue_agrees_with_the_real_lists_on_nearly_every_model() {
    let catalogue = Catalogue::shipped().unwrap();
    let providers: BTreeMap<_, BTreeSet<_>> = catalogue
        .providers
        .iter()
        .map(|preset| (preset.name.clone(), BTreeSet::from([preset.name.clone()])))
        .collect();
    let models: HashMap<Target, ModelEntry> = catalogue
        .models
        .iter()
        .map(|entry| {
            let target = Target { provider: entry.model.provider.clone(), model: entry.model.name.clone() };
            (target, entry.clone())
        })
        .collect();
    for name in ["litellm-model-prices.json", "genai-prices-v2.json"] {
        let path = format!("{}/../../../../shared/data/{name}", env!("CARGO_MANIFEST_DIR"));
        let Ok(text) = std::fs::read_to_string(path) else {
            println!("skipped: {name} is not beside the repository in shared/data");
            continue;
        };
        let list = read(&text).unwrap();
        let found = diff(&list, &Installed { providers: &providers, models: &models, now: now() });
        let told = || found.changed.iter().map(|one| one.target.to_string()).collect::<Vec<_>>().join(", ");
        let (changed_max, unchanged_min) = if name.starts_with("litellm") { (22, 100) } else { (16, 55) };
        assert!(found.changed.len() <= changed_max, "{name}: {}", told());
        assert!(found.unchanged.len() >= unchanged_min, "{name}: {}", found.unchanged.len());
        assert!(found.changed.iter().all(|one| card_at(&models[&one.target].cards, now()).is_some()));
        assert!(found.new.iter().all(|one| !one.cards.is_empty()));
    }
}
