//! Price cards: what a model's units cost from a date on.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::money::{NanoUsd, UnitPrice};
use crate::operation::Capability;
use crate::time::Timestamp;
use crate::usage::Unit;

/// Prices of one model from `effective_from` until the next card of the model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriceCard {
    /// First instant these prices hold.
    pub effective_from: Timestamp,
    /// Price per unit.
    pub units: BTreeMap<Unit, UnitPrice>,
    /// Other prices for requests with a large context; sorted by rising bound.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tiers: Vec<PriceTier>,
    /// The vendor's price page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_url: Option<String>,
    /// Day the page was read, `YYYY-MM-DD`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_of: Option<String>,
    /// Who says so.
    #[serde(default)]
    pub origin: CardOrigin,
    /// Share of the price a batch pays, in percent; `None`: a batch pays the whole price.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch_percent: Option<u32>,
}

/// Who says what a card says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CardOrigin {
    /// The catalogue that came with this version.
    #[default]
    Shipped,
    /// A price list that was imported.
    Imported,
    /// An admin of this installation.
    Own,
}

impl CardOrigin {
    /// Every origin.
    pub const ALL: &'static [Self] = &[Self::Shipped, Self::Imported, Self::Own];

    /// The word on the wire and in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Shipped => "shipped",
            Self::Imported => "imported",
            Self::Own => "own",
        }
    }

    /// The origin of that word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|origin| origin.as_str() == word)
    }
}

/// Prices that replace the card's when a request reads more than `above_input_tokens`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriceTier {
    /// The whole request is priced by this tier when its input exceeds this many tokens.
    pub above_input_tokens: u64,
    /// Only the units that change.
    pub units: BTreeMap<Unit, UnitPrice>,
}

impl PriceCard {
    /// A card with token prices only.
    pub fn of_tokens(effective_from: Timestamp, prices: impl IntoIterator<Item = (Unit, UnitPrice)>) -> Self {
        Self {
            effective_from,
            units: prices.into_iter().collect(),
            tiers: Vec::new(),
            source_url: None,
            as_of: None,
            origin: CardOrigin::Shipped,
            batch_percent: None,
        }
    }

    /// The price of `unit` in a request that reads `tokens_in` tokens.
    ///
    /// A unit without a price of its own takes the price vendors then charge: reasoning as output, cache reads and writes
    /// as fresh input, images as input. Never the other way round, and never 0: audio, searches and other extras without
    /// a price have none, and the request is unpriced.
    pub fn unit_price(&self, unit: Unit, tokens_in: u64) -> Option<UnitPrice> {
        let own = |unit: Unit| {
            let tier = self.tiers.iter().rev().find(|tier| tokens_in > tier.above_input_tokens);
            tier.and_then(|tier| tier.units.get(&unit)).or_else(|| self.units.get(&unit)).copied()
        };
        let mut unit = unit;
        loop {
            match own(unit) {
                Some(price) => return Some(price),
                None => unit = billed_as(unit)?,
            }
        }
    }

    /// The price of `unit` in a request of `mode` that reads `tokens_in` tokens: in a batch the share that batches pay.
    ///
    /// The discount is part of the price, so that quantity × price is rounded once. A card without [`Self::batch_percent`]
    /// prices batches in full. Calls and searches are never discounted: vendors lower tokens, sound and characters only.
    pub fn unit_price_in(&self, mode: ServiceMode, unit: Unit, tokens_in: u64) -> Option<UnitPrice> {
        let price = self.unit_price(unit, tokens_in)?;
        match (mode, self.batch_percent) {
            (ServiceMode::Batch, Some(percent)) if is_discounted(unit) => share(price, percent),
            _ => Some(price),
        }
    }

    /// The price a model that does this needs and the card does not have, in words; `None` when what the model is asked for
    /// can be priced.
    pub fn lacks(&self, capabilities: &[Capability]) -> Option<&'static str> {
        let has = |unit: Unit| self.units.contains_key(&unit);
        capabilities.iter().find_map(|capability| match capability {
            Capability::Chat if !has(Unit::InputTokens) => Some("a chat model without a price of input"),
            Capability::Chat if !has(Unit::OutputTokens) => Some("a chat model without a price of output"),
            Capability::Embedding if !has(Unit::InputTokens) => {
                Some("an embedding model without a price of input")
            }
            Capability::Transcription
                if !(has(Unit::AudioMilliseconds)
                    || has(Unit::AudioInputTokens)
                    || has(Unit::InputTokens)) =>
            {
                Some("a transcription model without a price of sound")
            }
            Capability::Speech
                if !(has(Unit::Characters) || has(Unit::AudioOutputTokens) || has(Unit::OutputTokens)) =>
            {
                Some("a speech model without a price of characters or sound")
            }
            _ => None,
        })
    }

    /// The highest price one of `units` can have in a request that reads at most `tokens_in_max` tokens, whichever tier
    /// it ends up in; `None` when none of them has a price.
    pub fn highest_price(&self, units: &[Unit], tokens_in_max: u64) -> Option<UnitPrice> {
        self.prices(units, tokens_in_max).max_by(|left, right| per_unit_order(*left, *right))
    }

    /// Every price one of `units` can have in a request that reads at most `tokens_in_max` tokens.
    pub(crate) fn prices<'a>(
        &'a self,
        units: &'a [Unit],
        tokens_in_max: u64,
    ) -> impl Iterator<Item = UnitPrice> + 'a {
        let tiers = self.tiers.iter().map(|tier| tier.above_input_tokens);
        let starts = tiers.filter(move |bound| *bound < tokens_in_max).map(|bound| bound.saturating_add(1));
        std::iter::once(0)
            .chain(starts)
            .flat_map(move |tokens_in| units.iter().filter_map(move |unit| self.unit_price(*unit, tokens_in)))
    }
}

/// How a call is served, where that has a price of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ServiceMode {
    /// At once.
    #[default]
    Standard,
    /// Within a day, in the vendor's batch service.
    Batch,
}

/// Whether a batch's discount applies to the unit.
const fn is_discounted(unit: Unit) -> bool {
    !matches!(unit, Unit::Requests | Unit::WebSearches)
}

/// `percent` of a price, exactly.
fn share(price: UnitPrice, percent: u32) -> Option<UnitPrice> {
    let nanos = price.nano_usd().as_nanos().checked_mul(i64::from(percent))?;
    let (amount, per) =
        if nanos % 100 == 0 { (nanos / 100, price.per()) } else { (nanos, price.per().checked_mul(100)?) };
    UnitPrice::new(NanoUsd::from_nanos(amount), per).ok()
}

/// What a unit without a price of its own is billed as.
const fn billed_as(unit: Unit) -> Option<Unit> {
    match unit {
        Unit::CacheWrite1hTokens => Some(Unit::CacheWrite5mTokens),
        Unit::CachedInputTokens | Unit::CacheWrite5mTokens | Unit::ImageInputTokens => {
            Some(Unit::InputTokens)
        }
        Unit::ReasoningTokens => Some(Unit::OutputTokens),
        Unit::CachedAudioInputTokens => Some(Unit::AudioInputTokens),
        Unit::InputTokens
        | Unit::OutputTokens
        | Unit::AudioInputTokens
        | Unit::AudioOutputTokens
        | Unit::ImageOutputTokens
        | Unit::AudioMilliseconds
        | Unit::Characters
        | Unit::Images
        | Unit::Requests
        | Unit::WebSearches => None,
    }
}

/// Compares prices that may be for different numbers of units.
fn per_unit_order(left: UnitPrice, right: UnitPrice) -> std::cmp::Ordering {
    let cross = |price: UnitPrice, per: u64| i128::from(price.nano_usd().as_nanos()) * i128::from(per);
    cross(left, right.per()).cmp(&cross(right, left.per()))
}

/// The card in force at `at`: the latest that has begun. A card without any price ends the one before it: from then on
/// the model is unpriced.
pub fn card_at(cards: &[PriceCard], at: Timestamp) -> Option<&PriceCard> {
    let begun = cards.iter().filter(|card| card.effective_from <= at);
    begun.max_by_key(|card| card.effective_from).filter(|card| !card.units.is_empty())
}

/// A price typed in dollars per million units.
pub fn usd_per_million(text: &str) -> Result<UnitPrice, crate::money::MoneyError> {
    let amount = NanoUsd::parse_usd(text)?;
    UnitPrice::per_million(amount).map_err(|_| crate::money::MoneyError::NotDecimal(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn price(text: &str) -> UnitPrice {
        usd_per_million(text).unwrap()
    }

    fn card() -> PriceCard {
        PriceCard {
            tiers: vec![PriceTier {
                above_input_tokens: 200_000,
                units: BTreeMap::from([(Unit::InputTokens, price("6"))]),
            }],
            ..PriceCard::of_tokens(
                Timestamp::from_micros(0),
                [
                    (Unit::InputTokens, price("3")),
                    (Unit::OutputTokens, price("15")),
                    (Unit::CacheWrite5mTokens, price("3.75")),
                ],
            )
        }
    }

    #[test]
    fn cached_tokens_without_a_cache_price_cost_what_fresh_ones_do_and_never_nothing() {
        assert_eq!(card().unit_price(Unit::CachedInputTokens, 0), Some(price("3")));
        assert_eq!(card().unit_price(Unit::CacheWrite1hTokens, 0), Some(price("3.75")));
        assert_eq!(card().unit_price(Unit::ReasoningTokens, 0), Some(price("15")));
    }

    #[test]
    fn audio_and_searches_without_a_price_have_none() {
        for unit in [Unit::AudioInputTokens, Unit::AudioOutputTokens, Unit::WebSearches, Unit::Images] {
            assert_eq!(card().unit_price(unit, 0), None, "{unit}");
        }
    }

    #[test]
    fn a_tier_begins_one_token_above_its_bound_and_keeps_unnamed_prices() {
        assert_eq!(card().unit_price(Unit::InputTokens, 200_000), Some(price("3")));
        assert_eq!(card().unit_price(Unit::InputTokens, 200_001), Some(price("6")));
        assert_eq!(card().unit_price(Unit::OutputTokens, 200_001), Some(price("15")));
    }

    #[test]
    fn the_latest_card_that_has_begun_is_in_force() {
        let cards: Vec<PriceCard> = [0, 100, 200]
            .map(|start| PriceCard { effective_from: Timestamp::from_micros(start), ..card() })
            .to_vec();
        let at =
            |now| card_at(&cards, Timestamp::from_micros(now)).map(|card| card.effective_from.as_micros());
        assert_eq!((at(-1), at(0), at(199), at(200)), (None, Some(0), Some(100), Some(200)));
    }

    #[test]
    fn a_card_without_prices_ends_the_one_before_it() {
        let end = PriceCard::of_tokens(Timestamp::from_micros(100), []);
        let cards = [card(), end];
        assert!(card_at(&cards, Timestamp::from_micros(99)).is_some());
        assert_eq!(card_at(&cards, Timestamp::from_micros(100)), None);
    }

    #[test]
    fn the_highest_price_looks_into_every_tier_the_request_may_end_up_in() {
        let units = [Unit::InputTokens, Unit::CacheWrite5mTokens];
        assert_eq!(card().highest_price(&units[..1], 200_000), Some(price("3")));
        assert_eq!(card().highest_price(&units, 200_000), Some(price("3.75")));
        assert_eq!(card().highest_price(&units, 200_001), Some(price("6")));
        let cheaper_above = PriceCard {
            tiers: vec![PriceTier {
                above_input_tokens: 10,
                units: BTreeMap::from([(Unit::InputTokens, price("1"))]),
            }],
            ..card()
        };
        assert_eq!(cheaper_above.highest_price(&units[..1], 1_000), Some(price("3")));
        assert_eq!(card().highest_price(&[Unit::AudioInputTokens], 1_000), None);
    }

    #[test]
    fn a_batch_pays_its_share_of_every_unit_but_calls_and_searches() {
        let mut card = PriceCard { batch_percent: Some(50), ..card() };
        card.units.insert(Unit::WebSearches, price("10000"));
        let batch = |card: &PriceCard, unit| card.unit_price_in(ServiceMode::Batch, unit, 0);
        assert_eq!(batch(&card, Unit::InputTokens), Some(price("1.5")));
        assert_eq!(batch(&card, Unit::WebSearches), Some(price("10000")));
        assert_eq!(card.unit_price_in(ServiceMode::Standard, Unit::InputTokens, 0), Some(price("3")));
        card.batch_percent = None;
        assert_eq!(batch(&card, Unit::InputTokens), Some(price("3")));
        let odd = UnitPrice::new(NanoUsd::from_nanos(3), 1_000).unwrap();
        assert_eq!(share(odd, 33), UnitPrice::new(NanoUsd::from_nanos(99), 100_000).ok());
    }
}
