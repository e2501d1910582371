//! Version 2 of genai-prices: providers with models, dollars per million or thousand, tiers, prices by date or time of day.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::object::Object;
use super::{CardBuilder, Decimal, Format, Found, ImportError, ImportedModel, Skipped};
use super::{page, provider_name, shown};
use crate::ids::{ModelName, ProviderName};
use crate::money::UnitPrice;
use crate::operation::Capability;
use crate::price::PriceCard;
use crate::rate;
use crate::time::Timestamp;
use crate::usage::Unit;

#[derive(Deserialize)]
struct FileProvider<'a> {
    id: String,
    #[serde(default)]
    pricing_urls: Vec<String>,
    #[serde(borrow)]
    models: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct FileModel<'a> {
    id: String,
    #[serde(borrow, default)]
    r#match: Option<&'a RawValue>,
    #[serde(default)]
    context_window: Option<u32>,
    #[serde(default)]
    deprecated: bool,
    #[serde(borrow)]
    prices: &'a RawValue,
}

/// Prices that hold under a condition. The last whose condition is met counts.
#[derive(Deserialize)]
struct Conditional<'a> {
    #[serde(borrow, default)]
    constraint: Option<Object<'a>>,
    #[serde(borrow)]
    prices: Object<'a>,
}

#[derive(Deserialize)]
struct Tiered<'a> {
    #[serde(borrow)]
    base: &'a RawValue,
    #[serde(borrow)]
    tiers: Vec<Tier<'a>>,
}

#[derive(Deserialize)]
struct Tier<'a> {
    start: u64,
    #[serde(borrow)]
    price: &'a RawValue,
}

/// Reads the list.
pub(super) fn read(text: &str) -> Result<Found, ImportError> {
    let providers: Vec<&RawValue> = serde_json::from_str(text).map_err(ImportError::Malformed)?;
    let mut models = Vec::new();
    let mut skipped = Vec::new();
    let mut seen = std::collections::HashSet::new();
    for raw in providers {
        let entry =
            |name: &str, cause| ImportError::Entry { format: Format::GenaiPrices, name: shown(name), cause };
        let Ok(provider) = serde_json::from_str::<FileProvider<'_>>(raw.get()) else {
            return Err(ImportError::UnknownFormat);
        };
        for raw in provider.models {
            let model: FileModel<'_> =
                serde_json::from_str(raw.get()).map_err(|cause| entry(&provider.id, cause))?;
            if !seen.insert((provider.id.clone(), model.id.clone())) {
                return Err(ImportError::Duplicate { name: shown(&format!("{}/{}", provider.id, model.id)) });
            }
            match read_model(&provider.id, &provider.pricing_urls, &model) {
                Ok(model) => models.push(model),
                Err(model) => skipped.push(model),
            }
        }
    }
    Ok((models, skipped))
}

fn read_model(
    listed_provider: &str,
    pages: &[String],
    file: &FileModel<'_>,
) -> Result<ImportedModel, Skipped> {
    let skip =
        |provider: Option<ProviderName>, reason: String| Skipped { provider, name: shown(&file.id), reason };
    let Some(provider) = provider_name(listed_provider) else {
        return Err(skip(None, format!("`{}` cannot be a provider's name", shown(listed_provider))));
    };
    let because = |reason: String| skip(Some(provider.clone()), reason);
    let name = ModelName::new(&file.id).map_err(|error| because(error.to_string()))?;
    let mut notes = Vec::new();
    let source = pages.first().and_then(|url| page(url));
    let cards = cards(file.prices, source.as_deref(), &mut notes).map_err(&because)?;
    let newest = cards.last().ok_or_else(|| because("it names no price".to_owned()))?;
    let capabilities = capabilities(&file.id, newest).map_err(&because)?;
    if let Some(missing) = cards.iter().find_map(|card| card.lacks(&capabilities)) {
        return Err(because(missing.to_owned()));
    }
    if file.deprecated {
        notes.push("the list calls it deprecated".to_owned());
    }
    let aliases = file.r#match.map(|rule| aliases(rule.get(), &name)).unwrap_or_default();
    Ok(ImportedModel {
        provider,
        name,
        aliases,
        capabilities,
        context_window: file.context_window,
        max_output: None,
        cards,
        notes,
    })
}

/// The list has no kinds of models; prices and names tell them apart.
fn capabilities(name: &str, card: &PriceCard) -> Result<Vec<Capability>, String> {
    let name = name.to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| name.contains(word));
    if says(&["realtime", "-live", "image", "rerank", "moderation", "ocr", "veo", "imagen", "lyria"]) {
        return Err("no operation uses models of its kind".to_owned());
    }
    let has = |unit: Unit| card.units.contains_key(&unit);
    Ok(if says(&["tts", "speech"]) || has(Unit::Characters) {
        vec![Capability::Speech]
    } else if says(&["whisper", "transcri"]) || has(Unit::AudioMilliseconds) {
        vec![Capability::Transcription]
    } else if says(&["embed"]) || !has(Unit::OutputTokens) {
        vec![Capability::Embedding]
    } else if has(Unit::AudioInputTokens) {
        vec![Capability::Chat, Capability::AudioInput]
    } else {
        vec![Capability::Chat]
    })
}

/// Names that match exactly. Rules such as "begins with" are left to whoever names a model.
fn aliases(rule: &str, own: &ModelName) -> Vec<ModelName> {
    let mut names = Vec::new();
    let Ok(rule) = serde_json::from_str::<Object<'_>>(rule) else { return names };
    let either: Vec<Object<'_>> =
        rule.get("or").and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    for rule in std::iter::once(&rule).chain(&either) {
        let name = rule.text("equals").and_then(|text| ModelName::new(&text).ok());
        names.extend(name.filter(|name| name != own));
    }
    names.sort();
    names.dedup();
    names
}

/// The cards in order of their first instant.
fn cards(
    prices: &RawValue,
    source_url: Option<&str>,
    notes: &mut Vec<String>,
) -> Result<Vec<PriceCard>, String> {
    let malformed = |error: serde_json::Error| format!("its prices cannot be read: {error}");
    let entries: Vec<Conditional<'_>> = if prices.get().starts_with('[') {
        serde_json::from_str(prices.get()).map_err(malformed)?
    } else {
        let prices = serde_json::from_str(prices.get()).map_err(malformed)?;
        vec![Conditional { constraint: None, prices }]
    };
    let mut by_start: BTreeMap<Timestamp, PriceCard> = BTreeMap::new();
    for Conditional { constraint, prices } in entries {
        let when = When::of(constraint)?;
        let card = card(&prices, source_url, notes)?;
        let Some(mut card) = card else { continue };
        match when {
            When::From(start) => {
                card.effective_from = start;
                by_start.insert(start, card);
            }
            When::TimeOfDay => {
                let Some(whole_day) = by_start.values_mut().last() else {
                    return Err("its price depends on the time of day only, which is not modelled".to_owned());
                };
                keep_dearer(whole_day, card);
                notes.push("its price depends on the time of day: the dearest is taken".to_owned());
            }
        }
    }
    notes.dedup();
    Ok(by_start.into_values().collect())
}

enum When {
    From(Timestamp),
    TimeOfDay,
}

impl When {
    fn of(constraint: Option<Object<'_>>) -> Result<Self, String> {
        let Some(constraint) = constraint else { return Ok(Self::From(Timestamp::default())) };
        let names: Vec<&str> = constraint.members.iter().map(|(name, _)| name.as_str()).collect();
        match names.as_slice() {
            ["start_date"] => {
                let day = constraint.text("start_date").unwrap_or_default();
                Timestamp::parse(&format!("{day}T00:00:00Z"))
                    .map(Self::From)
                    .map_err(|_| format!("`{}` is no date", shown(&day)))
            }
            ["start_time", "end_time"] | ["end_time", "start_time"] => Ok(Self::TimeOfDay),
            _ => Err(format!("its price depends on `{}`, which is not known here", shown(&names.join(", ")))),
        }
    }
}

/// Takes over each rate that is higher than the one already there.
fn keep_dearer(kept: &mut PriceCard, other: PriceCard) {
    for (unit, price) in other.units {
        let dearer = |known: UnitPrice| rate::change_permille(known, price).is_some_and(|change| change > 0);
        if kept.units.get(&unit).is_none_or(|known| dearer(*known)) {
            kept.units.insert(unit, price);
        }
    }
}

/// Unit and number of units that a price is for.
fn unit_of(key: &str) -> Option<(Unit, u64)> {
    const MILLION: u64 = 1_000_000;
    Some(match key {
        "input_mtok" | "input_text_mtok" => (Unit::InputTokens, MILLION),
        "output_mtok" | "output_text_mtok" => (Unit::OutputTokens, MILLION),
        "cache_read_mtok" | "cache_text_read_mtok" => (Unit::CachedInputTokens, MILLION),
        "cache_write_mtok" | "cache_write_5m_mtok" => (Unit::CacheWrite5mTokens, MILLION),
        "cache_write_1h_mtok" => (Unit::CacheWrite1hTokens, MILLION),
        "output_reasoning_mtok" => (Unit::ReasoningTokens, MILLION),
        "input_audio_mtok" => (Unit::AudioInputTokens, MILLION),
        "cache_audio_read_mtok" => (Unit::CachedAudioInputTokens, MILLION),
        "output_audio_mtok" => (Unit::AudioOutputTokens, MILLION),
        "input_image_mtok" => (Unit::ImageInputTokens, MILLION),
        "output_image_mtok" => (Unit::ImageOutputTokens, MILLION),
        "input_audio_minutes" => (Unit::AudioMilliseconds, 60_000),
        "input_mchars" => (Unit::Characters, MILLION),
        "web_searches_kcount" => (Unit::WebSearches, 1_000),
        "requests_kcount" => (Unit::Requests, 1_000),
        _ => return None,
    })
}

/// One card without its date; `None` when it prices nothing.
fn card(
    prices: &Object<'_>,
    source_url: Option<&str>,
    notes: &mut Vec<String>,
) -> Result<Option<PriceCard>, String> {
    let mut builder = CardBuilder::default();
    for (key, value) in &prices.members {
        let Some((unit, quantity)) = unit_of(key) else {
            builder.unknown_unit(key);
            continue;
        };
        let mut take = |above: Option<u64>, text: &str| match Decimal::parse(text) {
            Ok(number) => builder.take(above, unit, key, number, quantity),
            Err(bad) => builder.refuse(key, &bad),
        };
        match serde_json::from_str::<Tiered<'_>>(value.get()) {
            Ok(Tiered { base, tiers }) => {
                take(None, base.get());
                for tier in tiers {
                    take(Some(tier.start), tier.price.get());
                }
            }
            Err(_) => take(None, value.get()),
        }
    }
    if let Some(implausible) = builder.implausible.take() {
        return Err(format!("refused: {implausible}"));
    }
    if builder.is_empty() {
        return if builder.notes.is_empty() && builder.zeros.is_empty() {
            Ok(None)
        } else if builder.notes.is_empty() {
            Err("all its prices are 0, which may mean free, inherited or unknown".to_owned())
        } else {
            Err(builder.notes.join("; "))
        };
    }
    let card = builder.card(Timestamp::default(), source_url.map(str::to_owned));
    for note in builder.notes {
        if !notes.contains(&note) {
            notes.push(note);
        }
    }
    Ok(Some(card))
}
