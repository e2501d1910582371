//! Price cards: what a model's units cost from a date on.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::money::{NanoUsd, UnitPrice};
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

    /// The highest price a plain input token can have in a request of `tokens_in` tokens; cache writes cost more than
    /// fresh input, so an upper estimate needs it when the client may write to the cache.
    pub fn input_price_max(&self, tokens_in: u64, may_write_cache: bool) -> Option<UnitPrice> {
        const PLAIN: &[Unit] = &[Unit::InputTokens];
        const CACHED: &[Unit] = &[Unit::InputTokens, Unit::CacheWrite5mTokens, Unit::CacheWrite1hTokens];
        let units = if may_write_cache { CACHED } else { PLAIN };
        units
            .iter()
            .filter_map(|unit| self.unit_price(*unit, tokens_in))
            .max_by(|left, right| per_unit_order(*left, *right))
    }
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

/// The card in force at `at`: the latest that has begun.
pub fn card_at(cards: &[PriceCard], at: Timestamp) -> Option<&PriceCard> {
    cards.iter().filter(|card| card.effective_from <= at).max_by_key(|card| card.effective_from)
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
    fn the_highest_input_price_counts_cache_writes_only_when_they_can_happen() {
        assert_eq!(card().input_price_max(0, false), Some(price("3")));
        assert_eq!(card().input_price_max(0, true), Some(price("3.75")));
    }
}
