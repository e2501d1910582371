//! The model map of `LiteLLM`: one flat object per model, dollars per single unit, the unit in the member's name.
//!
//! A member's name is a base (`input_cost_per_token`), perhaps a context bound (`_above_200k_tokens`) and perhaps a
//! service (`_batches`, `_flex`, `_priority`).

use std::collections::{BTreeMap, BTreeSet};

use super::object::Object;
use super::{CardBuilder, Decimal, Format, Found, ImportError, ImportedModel, Skipped};
use super::{page, provider_name, shown};
use crate::ids::ModelName;
use crate::money::UnitPrice;
use crate::operation::Capability;
use crate::price::PriceCard;
use crate::rate;
use crate::time::Timestamp;
use crate::usage::Unit;

/// Members that describe the file instead of a model.
const NOT_MODELS: &[&str] = &["sample_spec", "fallback_generalizations"];

/// Services with prices of their own that our cards do not have.
const SERVICES: &[&str] = &["flex", "priority", "ultrafast", "balanced", "decisions", "fast"];

/// Reads the map.
pub(super) fn read(text: &str) -> Result<Found, ImportError> {
    let map: Object<'_> = serde_json::from_str(text).map_err(ImportError::Malformed)?;
    if let Some(name) = map.twice {
        return Err(ImportError::Duplicate { name: shown(&name) });
    }
    let mut models = Vec::new();
    let mut skipped = Vec::new();
    let mut looks_right = false;
    for (name, value) in map.members {
        if NOT_MODELS.contains(&name.as_str()) {
            continue;
        }
        let entry: Object<'_> = serde_json::from_str(value.get()).map_err(|cause| ImportError::Entry {
            format: Format::LiteLlm,
            name: shown(&name),
            cause,
        })?;
        looks_right |= entry.get("litellm_provider").is_some();
        match model(&name, &entry) {
            Ok(model) => models.push(model),
            Err(entry) => skipped.push(entry),
        }
    }
    if looks_right { Ok((models, skipped)) } else { Err(ImportError::UnknownFormat) }
}

fn model(listed: &str, entry: &Object<'_>) -> Result<ImportedModel, Skipped> {
    let skip = |provider, reason: String| Skipped { provider, name: shown(listed), reason };
    let own_provider = entry.text("litellm_provider");
    let Some(own_provider) = own_provider else {
        return Err(skip(None, "it names no provider".to_owned()));
    };
    let Some(provider) = provider_name(&own_provider) else {
        return Err(skip(None, format!("`{}` cannot be a provider's name", shown(&own_provider))));
    };
    let because = |reason: String| skip(Some(provider.clone()), reason);
    if let Some(name) = &entry.twice {
        return Err(because(format!("it says `{}` twice", shown(name))));
    }
    let bare = listed.strip_prefix(&format!("{own_provider}/")).unwrap_or(listed);
    let name = ModelName::new(bare).map_err(|error| because(error.to_string()))?;
    let capabilities = capabilities(entry).map_err(&because)?;
    let mut prices = Prices::of(&capabilities);
    for (key, value) in &entry.members {
        prices.member(key, value.get());
    }
    prices.per_minute(entry);
    let card = prices.finish(entry).map_err(&because)?;
    if let Some(missing) = card.lacks(&capabilities) {
        return Err(because(prices.with_notes(missing)));
    }
    let notes = prices.builder.notes;
    Ok(ImportedModel {
        provider: provider.clone(),
        name,
        aliases: Vec::new(),
        capabilities,
        context_window: entry.count("max_input_tokens"),
        max_output: entry.count("max_output_tokens"),
        cards: vec![card],
        notes,
    })
}

/// What a mode can do; an error where no operation of ours is of that mode.
fn capabilities(entry: &Object<'_>) -> Result<Vec<Capability>, String> {
    let mode = entry.text("mode");
    let mut capabilities = match mode.as_deref() {
        Some("chat" | "responses") => vec![Capability::Chat],
        Some("embedding") => vec![Capability::Embedding],
        Some("audio_transcription") => vec![Capability::Transcription],
        Some("audio_speech") => vec![Capability::Speech],
        Some(other) => return Err(format!("no operation uses models of the mode `{}`", shown(other))),
        None => return Err("it names no mode, so its use is not known".to_owned()),
    };
    if capabilities == [Capability::Chat] {
        if entry.is_true("supports_vision") {
            capabilities.push(Capability::Vision);
        }
        if entry.is_true("supports_audio_input") {
            capabilities.push(Capability::AudioInput);
        }
    }
    Ok(capabilities)
}

/// A member's name, taken apart.
struct Key<'a> {
    base: &'a str,
    above: Option<u64>,
    service: Option<&'a str>,
}

impl<'a> Key<'a> {
    fn of(name: &'a str) -> Self {
        let service = name.rsplit_once('_').filter(|(_, last)| *last == "batches" || SERVICES.contains(last));
        let (name, service) = service.map_or((name, None), |(rest, service)| (rest, Some(service)));
        let bound = name.rsplit_once("_above_").and_then(|(rest, bound)| {
            let thousands: u64 = bound.strip_suffix("k_tokens")?.parse().ok()?;
            Some((rest, thousands.checked_mul(1_000)?))
        });
        match bound {
            Some((base, above)) => Self { base, above: Some(above), service },
            None => Self { base: name, above: None, service },
        }
    }
}

/// Unit and number of units that a base names.
fn unit_of(base: &str) -> Option<(Unit, u64)> {
    Some(match base {
        "input_cost_per_token" => (Unit::InputTokens, 1),
        "output_cost_per_token" => (Unit::OutputTokens, 1),
        "cache_read_input_token_cost" | "input_cost_per_token_cache_hit" => (Unit::CachedInputTokens, 1),
        "cache_creation_input_token_cost" => (Unit::CacheWrite5mTokens, 1),
        "cache_creation_input_token_cost_above_1hr" => (Unit::CacheWrite1hTokens, 1),
        "output_cost_per_reasoning_token" => (Unit::ReasoningTokens, 1),
        "input_cost_per_audio_token" => (Unit::AudioInputTokens, 1),
        "cache_read_input_audio_token_cost" => (Unit::CachedAudioInputTokens, 1),
        "output_cost_per_audio_token" => (Unit::AudioOutputTokens, 1),
        "input_cost_per_image_token" => (Unit::ImageInputTokens, 1),
        "output_cost_per_image_token" => (Unit::ImageOutputTokens, 1),
        "input_cost_per_second" | "output_cost_per_second" | "input_cost_per_audio_per_second" => {
            (Unit::AudioMilliseconds, 1_000)
        }
        "input_cost_per_character" => (Unit::Characters, 1),
        "output_cost_per_image" => (Unit::Images, 1),
        "input_cost_per_request" => (Unit::Requests, 1),
        _ => return None,
    })
}

/// Whether work of that kind is billed by the unit. A rate per second of a chat model, say, is for machine time.
fn is_billed_by(capabilities: &[Capability], unit: Unit) -> bool {
    match unit {
        Unit::AudioMilliseconds => capabilities.contains(&Capability::Transcription),
        Unit::Characters => capabilities.contains(&Capability::Speech),
        Unit::Images | Unit::ImageOutputTokens | Unit::WebSearches => {
            capabilities.contains(&Capability::Chat)
        }
        _ => true,
    }
}

/// Whether a member looks like a price.
fn is_price(name: &str) -> bool {
    ["cost", "price", "pricing"].iter().any(|part| name.contains(part)) || name.ends_with("_multiplier")
}

/// The prices of one entry as they are read.
struct Prices<'a> {
    capabilities: &'a [Capability],
    builder: CardBuilder,
    batch: BTreeMap<(u64, Unit), UnitPrice>,
    services: BTreeSet<String>,
}

impl<'a> Prices<'a> {
    fn of(capabilities: &'a [Capability]) -> Self {
        Self {
            capabilities,
            builder: CardBuilder::default(),
            batch: BTreeMap::new(),
            services: BTreeSet::new(),
        }
    }

    /// Reads one member of the entry.
    fn member(&mut self, name: &str, value: &str) {
        match name {
            "search_context_cost_per_query" => return self.searches(value),
            "tiered_pricing" => return self.tiers(value),
            "off_peak_pricing" => {
                return self
                    .say("the cheaper rates at off-peak hours are not modelled: the peak rates are taken");
            }
            "regional_endpoint_uplift_multiplier"
            | "regional_processing_uplift_multiplier_eu"
            | "regional_processing_uplift_multiplier_us" => {
                return self.say("surcharges of regions are not modelled");
            }
            _ => {}
        }
        // Prices in a vendor's own currency stand beside the same prices in dollars.
        if !is_price(name) || name.contains("_dbu_") || value == "null" {
            return;
        }
        let key = Key::of(name);
        if let Some(service) = key.service.filter(|service| *service != "batches") {
            self.services.insert(service.to_owned());
            return;
        }
        self.rate(name, &key, value);
    }

    fn rate(&mut self, name: &str, key: &Key<'_>, value: &str) {
        let number = match Decimal::parse(value.trim_matches('"')) {
            Ok(number) => number,
            Err(bad) => return self.builder.refuse(name, &bad),
        };
        let unit = unit_of(key.base).filter(|(unit, _)| is_billed_by(self.capabilities, *unit));
        let Some((unit, quantity)) = unit else {
            if !number.is_zero() {
                self.builder.unknown_unit(name);
            }
            return;
        };
        if number.is_zero() && unit == Unit::OutputTokens && self.capabilities == [Capability::Embedding] {
            // Vectors are no output that could be billed.
            return;
        }
        if key.service.is_some() {
            if let Some(price) =
                number.dollars_for(quantity, rate::lot(unit).units).filter(|_| !number.is_zero())
            {
                self.batch.insert((key.above.unwrap_or(0), unit), price);
            }
            return;
        }
        let known = self.builder.units.get(&unit).copied().filter(|_| key.above.is_none());
        if let (Some(known), false) = (known, number.is_zero()) {
            // Two members for one unit, e.g. `output_cost_per_second` beside `input_cost_per_second`.
            if !number.is_about(known, quantity) {
                self.builder.note(format!(
                    "{} contradicts another rate of {unit}; the higher one is kept",
                    shown(name)
                ));
            }
            let higher = number
                .dollars_for(quantity, known.per())
                .is_some_and(|price| rate::change_permille(known, price).is_some_and(|change| change > 0));
            if !higher {
                return;
            }
        }
        self.builder.take(key.above, unit, name, number, quantity);
    }

    /// A search costs the same whatever its size, or it cannot be said what it costs.
    fn searches(&mut self, value: &str) {
        const NAME: &str = "search_context_cost_per_query";
        let Ok(sizes) = serde_json::from_str::<Object<'_>>(value) else {
            return self.builder.note(format!("{NAME} is not imported: it is no list of sizes"));
        };
        let numbers: Result<Vec<Decimal>, _> =
            sizes.members.iter().map(|(_, value)| Decimal::parse(value.get())).collect();
        match numbers.as_deref() {
            Ok([first, rest @ ..]) if rest.iter().all(|other| other == first) => {
                if is_billed_by(self.capabilities, Unit::WebSearches) {
                    self.builder.take(None, Unit::WebSearches, NAME, *first, 1);
                }
            }
            Ok([]) => {}
            Ok(_) => self
                .say("searches are not imported: their price depends on a size that requests do not report"),
            Err(bad) => self.builder.refuse(NAME, bad),
        }
    }

    /// Tiers as a list of ranges; the first begins at 0 and is the base.
    fn tiers(&mut self, value: &str) {
        let Ok(ranges) = serde_json::from_str::<Vec<Object<'_>>>(value) else {
            return self.builder.note("tiered_pricing is not imported: it is no list of ranges".to_owned());
        };
        for range in ranges {
            let bounds: Option<Vec<Decimal>> = range.get("range").and_then(|text| {
                let ends: Vec<&serde_json::value::RawValue> = serde_json::from_str(text).ok()?;
                ends.iter().map(|end| Decimal::parse(end.get()).ok()).collect()
            });
            let Some(from) = bounds.and_then(|ends| ends.first().copied()).and_then(Decimal::whole) else {
                self.builder
                    .note("tiered_pricing has a range without bounds, which is not imported".to_owned());
                continue;
            };
            for (name, value) in range.members.iter().filter(|(name, _)| is_price(name)) {
                let mut key = Key::of(name);
                if key.service.is_none() && key.above.is_none() {
                    key.above = Some(from).filter(|from| *from > 0);
                    self.rate(name, &key, value.get());
                }
            }
        }
    }

    /// The published rate per minute or hour, where the rate per second is that rate rounded.
    fn per_minute(&mut self, entry: &Object<'_>) {
        let Some(metadata) = entry.object("metadata") else { return };
        let Some(per_second) = entry.get("input_cost_per_second").and_then(|text| Decimal::parse(text).ok())
        else {
            return;
        };
        for (name, quantity) in
            [("original_pricing_per_minute", 60_000), ("original_pricing_per_hour", 3_600_000)]
        {
            let published = metadata
                .get(name)
                .and_then(|text| Decimal::parse(text).ok())
                .and_then(|number| number.dollars_for(quantity, quantity));
            let Some(published) = published else { continue };
            if per_second.is_about(published, 1_000) {
                if let Some(price) = self.builder.units.get_mut(&Unit::AudioMilliseconds) {
                    *price = published;
                }
            } else {
                self.builder.note(format!("{name} does not fit the rate per second, which is kept"));
            }
            return;
        }
    }

    /// The card, when the entry has one.
    fn finish(&mut self, entry: &Object<'_>) -> Result<PriceCard, String> {
        if let Some(implausible) = self.builder.implausible.take() {
            return Err(format!("refused: {implausible}"));
        }
        self.leave_out_doubles();
        if !self.services.is_empty() {
            let services: Vec<&str> = self.services.iter().map(String::as_str).collect();
            let note = format!(
                "rates of the services {} are not modelled: their calls are priced at the standard rate",
                services.join(", ")
            );
            self.builder.note(note);
        }
        if let Some(day) = entry.text("deprecation_date") {
            self.builder.note(format!("its provider retires it on {}", shown(&day)));
        }
        let only_zeros = !self.builder.zeros.is_empty();
        let batch_percent = self.batch_percent();
        let source = entry.text("source").and_then(|text| page(&text));
        if self.builder.is_empty() {
            let card_notes = std::mem::take(&mut self.builder.notes);
            let unusable = card_notes.into_iter().filter(|note| note.contains("not imported"));
            let reasons: Vec<String> = unusable.collect();
            return Err(match (reasons.is_empty(), only_zeros) {
                (false, _) => reasons.join("; "),
                (true, true) => "all its prices are 0, which may mean free, inherited or unknown".to_owned(),
                (true, false) => "it names no price".to_owned(),
            });
        }
        let mut card = self.builder.card(Timestamp::default(), source);
        card.batch_percent = batch_percent;
        Ok(card)
    }

    /// One and the same thing priced in two units is billed in one of them.
    fn leave_out_doubles(&mut self) {
        let has = |unit: Unit| self.builder.units.contains_key(&unit);
        let by_tokens = has(Unit::InputTokens) || has(Unit::AudioInputTokens) || has(Unit::AudioOutputTokens);
        if by_tokens && has(Unit::AudioMilliseconds) {
            self.builder.units.remove(&Unit::AudioMilliseconds);
            self.say("billed by tokens: the rate per second beside them is an estimate and is left out");
        }
        let has = |unit: Unit| self.builder.units.contains_key(&unit);
        if has(Unit::ImageOutputTokens) && has(Unit::Images) {
            self.builder.units.remove(&Unit::Images);
            self.say("billed by tokens: the rate per image beside them is an estimate and is left out");
        }
        let has = |unit: Unit| self.builder.units.contains_key(&unit);
        if self.capabilities == [Capability::Speech]
            && has(Unit::AudioOutputTokens)
            && has(Unit::OutputTokens)
        {
            self.builder.units.remove(&Unit::OutputTokens);
            self.say("the rate of text output is left out: a speech model writes none");
        }
    }

    /// What share of the standard price a batch pays, if that is one whole percentage.
    fn batch_percent(&mut self) -> Option<u32> {
        let standard = |prices: &CardBuilder, (above, unit): (u64, Unit)| {
            let units = if above == 0 { Some(&prices.units) } else { prices.tiers.get(&above) };
            units.and_then(|units| units.get(&unit)).copied()
        };
        let mut shares: Vec<(Unit, Option<u32>)> = Vec::new();
        for (place, batch) in &self.batch {
            let Some(standard) = standard(&self.builder, *place) else { continue };
            shares.push((place.1, percent_of(*batch, standard)));
        }
        let (_, first) = shares.iter().find(|(unit, _)| !is_cached(*unit))?;
        let Some(percent) = *first else {
            self.say("batches are priced in full: their rates are no whole percentage of the standard rates");
            return None;
        };
        if shares.iter().any(|(unit, share)| !is_cached(*unit) && *share != Some(percent)) {
            self.say("batches are priced in full: their rates are not one percentage of the standard rates");
            return None;
        }
        if shares.iter().any(|(_, share)| *share != Some(percent)) {
            self.say("in a batch cached input has a share of its own, which is not modelled");
        }
        Some(percent).filter(|percent| *percent < 100)
    }

    fn with_notes(&self, reason: &str) -> String {
        let mut parts = vec![reason.to_owned()];
        parts.extend(self.builder.notes.iter().filter(|note| note.contains("not imported")).cloned());
        parts.join("; ")
    }

    fn say(&mut self, note: &str) {
        self.builder.note(note.to_owned());
    }
}

const fn is_cached(unit: Unit) -> bool {
    matches!(
        unit,
        Unit::CachedInputTokens
            | Unit::CachedAudioInputTokens
            | Unit::CacheWrite5mTokens
            | Unit::CacheWrite1hTokens
    )
}

/// `part` as a whole percentage of `whole`.
fn percent_of(part: UnitPrice, whole: UnitPrice) -> Option<u32> {
    let part_scaled = i128::from(part.nano_usd().as_nanos()) * i128::from(whole.per()) * 100;
    let whole_scaled = i128::from(whole.nano_usd().as_nanos()) * i128::from(part.per());
    if whole_scaled == 0 || part_scaled % whole_scaled != 0 {
        return None;
    }
    u32::try_from(part_scaled / whole_scaled).ok().filter(|percent| (1..=100).contains(percent))
}
