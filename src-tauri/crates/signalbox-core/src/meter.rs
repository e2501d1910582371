//! From usage to money: what an attempt cost, line by line, and how sure that is.

use serde::{Deserialize, Serialize};

use crate::money::{MoneyError, NanoUsd, Rounding, UnitPrice};
use crate::price::{PriceCard, card_at};
use crate::time::Timestamp;
use crate::usage::{Unit, Usage};

/// How a cost came about. The order is the order of trust: a request is as sure as its least sure attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CostStatus {
    /// Reported usage at known prices.
    Exact,
    /// The provider named the amount itself.
    ProviderCharged,
    /// The provider reported no usage; it was counted by us.
    Estimated,
    /// A price is missing, so the cost is unknown. It is never taken for 0.
    Unpriced,
}

impl CostStatus {
    /// The word on the wire and in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::ProviderCharged => "provider_charged",
            Self::Estimated => "estimated",
            Self::Unpriced => "unpriced",
        }
    }

    /// The status of that word.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Exact, Self::ProviderCharged, Self::Estimated, Self::Unpriced]
            .into_iter()
            .find(|status| status.as_str() == word)
    }
}

/// Where the quantities come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UsageSource {
    /// The provider said so.
    Reported,
    /// Counted by us, because the provider did not say or was not believable.
    Estimated,
}

/// `quantity × price = cost` for one unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CostLine {
    /// What was billed.
    pub unit: Unit,
    /// How many.
    pub quantity: u64,
    /// At which price; `None` when the card has none.
    pub price: Option<UnitPrice>,
    /// Rounded half-even once, here.
    pub cost: Option<NanoUsd>,
}

/// Which card priced it, so that a later price change never rewrites history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardRef {
    /// First instant of the card.
    pub effective_from: Timestamp,
    /// The vendor's price page.
    pub source_url: Option<String>,
    /// Day the page was read.
    pub as_of: Option<String>,
}

/// What one attempt cost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cost {
    /// How sure it is.
    pub status: CostStatus,
    /// The sum; `None` exactly when unpriced.
    pub total: Option<NanoUsd>,
    /// One line per unit used.
    pub lines: Vec<CostLine>,
    /// The card used, if there was one.
    pub card: Option<CardRef>,
}

impl Cost {
    /// An attempt that used nothing, e.g. because no connection came about.
    pub const fn nothing() -> Self {
        Self { status: CostStatus::Exact, total: Some(NanoUsd::ZERO), lines: Vec::new(), card: None }
    }
}

/// Prices `usage` by the card in force when the request was dispatched.
///
/// `charged` is the amount the provider itself named, if it did: it then is the total, and the lines explain what we
/// would have computed. A missing card or unit price, or a sum past the range, makes the cost `unpriced`.
pub fn price_usage(
    cards: &[PriceCard],
    dispatched_at: Timestamp,
    usage: &Usage,
    source: UsageSource,
    charged: Option<NanoUsd>,
) -> Cost {
    if usage.is_empty() && charged.is_none() && source == UsageSource::Reported {
        return Cost::nothing();
    }
    let card = card_at(cards, dispatched_at);
    let lines = cost_lines(card, usage);
    let computed = lines.iter().try_fold(NanoUsd::ZERO, |sum, line| sum.checked_add(line.cost?));
    let (status, total) = match (charged, computed, source) {
        (Some(charged), _, _) => (CostStatus::ProviderCharged, Some(charged)),
        (None, Some(sum), UsageSource::Reported) => (CostStatus::Exact, Some(sum)),
        (None, Some(sum), UsageSource::Estimated) if card.is_some() => (CostStatus::Estimated, Some(sum)),
        (None, None, _) | (None, Some(_), UsageSource::Estimated) => (CostStatus::Unpriced, None),
    };
    let card = card.map(|card| CardRef {
        effective_from: card.effective_from,
        source_url: card.source_url.clone(),
        as_of: card.as_of.clone(),
    });
    Cost { status, total, lines, card }
}

fn cost_lines(card: Option<&PriceCard>, usage: &Usage) -> Vec<CostLine> {
    let tokens_in = usage.tokens_in();
    usage
        .iter()
        .map(|(unit, quantity)| {
            let price = card.and_then(|card| card.unit_price(unit, tokens_in));
            let cost = price.and_then(|price| price.cost(quantity, Rounding::HalfEven).ok());
            CostLine { unit, quantity, price, cost }
        })
        .collect()
}

/// What a request may use at most, before it is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Bound {
    /// Tokens that go in.
    pub tokens_in: u64,
    /// Tokens that may come out.
    pub tokens_out_max: u64,
    /// Whether the client asks the provider to write its prompt cache, which costs more than reading afresh.
    pub may_write_cache: bool,
    /// Characters to be spoken.
    pub characters: u64,
    /// Milliseconds of sound to be written down.
    pub audio_milliseconds: u64,
    /// Tokens of sound that may come out, where speech is billed so.
    pub audio_tokens_out_max: u64,
}

/// Upper estimate of what a request of that bound costs, each part rounded up.
///
/// `None` when a price is missing: a reservation cannot be made from a guess.
/// Errors: [`MoneyError::Overflow`] past 9.2 billion dollars.
pub fn estimate(cards: &[PriceCard], now: Timestamp, bound: Bound) -> Result<Option<NanoUsd>, MoneyError> {
    let Some(card) = card_at(cards, now) else { return Ok(None) };
    let input = card.input_price_max(bound.tokens_in, bound.may_write_cache);
    let output = card.unit_price(Unit::OutputTokens, bound.tokens_in);
    let (Some(input), Some(output)) = (input, output) else { return Ok(None) };
    let parts = input
        .cost(bound.tokens_in, Rounding::Up)?
        .checked_add(output.cost(bound.tokens_out_max, Rounding::Up)?)
        .ok_or(MoneyError::Overflow)?;
    Ok(Some(parts))
}

/// The cost of a request: the sum of its attempts, as sure as the least sure of them.
pub fn sum_costs<'a>(costs: impl IntoIterator<Item = &'a Cost>) -> (CostStatus, Option<NanoUsd>) {
    costs.into_iter().fold((CostStatus::Exact, Some(NanoUsd::ZERO)), |(status, total), cost| {
        let total = match (total, cost.total) {
            (Some(sum), Some(part)) => sum.checked_add(part),
            _ => None,
        };
        let status = status.max(cost.status);
        (if total.is_none() { CostStatus::Unpriced } else { status }, total)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::price::usd_per_million;

    const NOW: Timestamp = Timestamp::from_micros(1_000);

    fn cards() -> Vec<PriceCard> {
        let price = |text| usd_per_million(text).unwrap();
        vec![PriceCard::of_tokens(
            Timestamp::from_micros(0),
            [
                (Unit::InputTokens, price("3")),
                (Unit::CachedInputTokens, price("0.3")),
                (Unit::CacheWrite5mTokens, price("3.75")),
                (Unit::OutputTokens, price("15")),
            ],
        )]
    }

    #[test]
    fn cost_is_the_exact_sum_of_its_lines() {
        let usage = Usage::default()
            .with(Unit::InputTokens, 1_000)
            .with(Unit::CachedInputTokens, 600)
            .with(Unit::OutputTokens, 8);
        let cost = price_usage(&cards(), NOW, &usage, UsageSource::Reported, None);
        assert_eq!(cost.status, CostStatus::Exact);
        assert_eq!(cost.total, Some(NanoUsd::from_nanos(3_000_000 + 180_000 + 120_000)));
        assert_eq!(cost.lines.len(), 3);
    }

    #[test]
    fn an_unknown_price_is_unpriced_and_never_zero() {
        let usage = Usage::default().with(Unit::InputTokens, 5).with(Unit::AudioOutputTokens, 1);
        for cards in [Vec::new(), cards()] {
            let cost = price_usage(&cards, NOW, &usage, UsageSource::Reported, None);
            assert_eq!((cost.status, cost.total), (CostStatus::Unpriced, None));
        }
        let before_any_card = Timestamp::from_micros(-1);
        let cost = price_usage(&cards(), before_any_card, &usage, UsageSource::Estimated, None);
        assert_eq!((cost.status, cost.total), (CostStatus::Unpriced, None));
    }

    #[test]
    fn absurd_usage_is_unpriced_instead_of_wrapping_around() {
        let usage = Usage::default().with(Unit::OutputTokens, u64::MAX);
        let cost = price_usage(&cards(), NOW, &usage, UsageSource::Reported, None);
        assert_eq!((cost.status, cost.total), (CostStatus::Unpriced, None));
    }

    #[test]
    fn an_amount_named_by_the_provider_wins_over_our_arithmetic() {
        let usage = Usage::default().with(Unit::InputTokens, 5);
        let charged = Some(NanoUsd::from_nanos(42));
        let cost = price_usage(&cards(), NOW, &usage, UsageSource::Reported, charged);
        assert_eq!((cost.status, cost.total), (CostStatus::ProviderCharged, charged));
    }

    #[test]
    fn a_request_is_as_sure_as_its_least_sure_attempt() {
        let exact = Cost { total: Some(NanoUsd::from_nanos(5)), ..Cost::nothing() };
        let estimated = Cost { status: CostStatus::Estimated, ..exact.clone() };
        let unpriced = Cost { status: CostStatus::Unpriced, total: None, ..exact.clone() };
        assert_eq!(sum_costs([&exact, &estimated]), (CostStatus::Estimated, Some(NanoUsd::from_nanos(10))));
        assert_eq!(sum_costs([&unpriced, &exact]), (CostStatus::Unpriced, None));
        assert_eq!(sum_costs([]), (CostStatus::Exact, Some(NanoUsd::ZERO)));
    }

    #[test]
    fn without_a_card_there_is_no_estimate() {
        assert_eq!(estimate(&[], NOW, Bound::default()), Ok(None));
    }

    proptest! {
        #[test]
        fn the_estimate_bounds_every_cost_within_its_bound(
            fresh in 0..300_000_u64, cached in 0..300_000_u64, written in 0..300_000_u64, out in 0..100_000_u64,
        ) {
            let usage = Usage::default()
                .with(Unit::InputTokens, fresh)
                .with(Unit::CachedInputTokens, cached)
                .with(Unit::CacheWrite5mTokens, written)
                .with(Unit::OutputTokens, out);
            let bound = Bound {
                tokens_in: usage.tokens_in(), tokens_out_max: usage.tokens_out(), may_write_cache: written > 0,
                ..Bound::default()
            };
            let cost = price_usage(&cards(), NOW, &usage, UsageSource::Reported, None);
            prop_assert!(cost.total <= estimate(&cards(), NOW, bound).unwrap());
        }

        #[test]
        fn the_total_is_the_sum_of_the_lines_whatever_the_usage(quantities in proptest::collection::vec(0..10_000_000_u64, 4)) {
            let units = [Unit::InputTokens, Unit::CachedInputTokens, Unit::OutputTokens, Unit::ReasoningTokens];
            let usage: Usage = units.into_iter().zip(quantities).collect();
            let cost = price_usage(&cards(), NOW, &usage, UsageSource::Reported, None);
            let lines: NanoUsd = cost.lines.iter().filter_map(|line| line.cost).sum();
            prop_assert_eq!(cost.total, Some(lines));
        }
    }
}
