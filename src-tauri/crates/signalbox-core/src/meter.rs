//! From usage to money: what an attempt cost, line by line, and how sure that is.

use serde::{Deserialize, Serialize};

use crate::money::{MoneyError, NanoUsd, Rounding, UnitPrice};
use crate::price::{PriceCard, ServiceMode, card_at};
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
    mode: ServiceMode,
) -> Cost {
    if usage.is_empty() && charged.is_none() && source == UsageSource::Reported {
        return Cost::nothing();
    }
    let card = card_at(cards, dispatched_at);
    let lines = cost_lines(card, usage, mode);
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

fn cost_lines(card: Option<&PriceCard>, usage: &Usage, mode: ServiceMode) -> Vec<CostLine> {
    let tokens_in = usage.tokens_in();
    with_the_call(card, usage)
        .iter()
        .map(|(unit, quantity)| {
            let price = card.and_then(|card| card.unit_price_in(mode, unit, tokens_in));
            let cost = price.and_then(|price| price.cost(quantity, Rounding::HalfEven).ok());
            CostLine { unit, quantity, price, cost }
        })
        .collect()
}

/// Where a call itself is billed, an answered one counts as one: no vendor reports that beside its tokens.
fn with_the_call(card: Option<&PriceCard>, usage: &Usage) -> Usage {
    let billed = card.is_some_and(|card| card.units.contains_key(&Unit::Requests));
    if billed && !usage.is_empty() && usage.get(Unit::Requests) == 0 {
        usage.with(Unit::Requests, 1)
    } else {
        *usage
    }
}

/// What a request may use at most, before it is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Bound {
    /// Tokens that go in.
    #[serde(skip_serializing_if = "is_zero")]
    pub tokens_in: u64,
    /// Tokens that may come out.
    #[serde(skip_serializing_if = "is_zero")]
    pub tokens_out_max: u64,
    /// Whether the client asks the provider to write its prompt cache, which costs more than reading afresh.
    #[serde(skip_serializing_if = "is_false")]
    pub may_write_cache: bool,
    /// Characters to be spoken.
    #[serde(skip_serializing_if = "is_zero")]
    pub characters: u64,
    /// Milliseconds of sound to be written down.
    #[serde(skip_serializing_if = "is_zero")]
    pub audio_milliseconds: u64,
    /// Tokens of sound that may come out, where speech is billed so.
    #[serde(skip_serializing_if = "is_zero")]
    pub audio_tokens_out_max: u64,
    /// Answers whose length the client does not limit: `tokens_out_max` is then what such answers usually have at most.
    #[serde(skip_serializing_if = "is_zero")]
    pub open_answers: u64,
}

impl Bound {
    /// The same request where an answer that the client does not limit may have `tokens`, if that is known.
    #[must_use]
    pub fn with_answers_of(self, tokens: Option<u64>) -> Self {
        match tokens {
            Some(tokens) if self.open_answers > 0 => {
                Self { tokens_out_max: tokens.saturating_mul(self.open_answers), ..self }
            }
            Some(_) | None => self,
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
const fn is_zero(count: &u64) -> bool {
    *count == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
const fn is_false(flag: &bool) -> bool {
    !*flag
}

/// Tokens that a second of sound becomes at most, where sound is billed by tokens. Gemini makes 32 of it, OpenAI 10.
const SOUND_TOKENS_PER_SECOND: u64 = 32;
/// Tokens a character of text becomes at most: one per byte.
const TOKENS_PER_CHARACTER: u64 = 4;
/// Tokens of sound that speaking a character makes at most: 50 a second, at 5 characters a second.
const SOUND_TOKENS_PER_CHARACTER: u64 = 10;

/// Upper estimate of what a request of that bound costs, each part rounded up.
///
/// It holds whatever the provider counts the request as: the highest price counts that input (fresh, cached, written to a
/// cache where the client asks for that, images) or output (visible, thought, drawn) can have, in every tier the request may
/// reach. Sound is priced by its length, else by the tokens it can become; speech by its characters, else by tokens. Batches
/// cost at most this.
///
/// `None` when a price is missing: a reservation cannot be made from a guess.
/// Errors: [`MoneyError::Overflow`] past 9.2 billion dollars.
pub fn estimate(cards: &[PriceCard], now: Timestamp, bound: Bound) -> Result<Option<NanoUsd>, MoneyError> {
    let Some(card) = card_at(cards, now) else { return Ok(None) };
    parts(card, bound).iter().try_fold(Some(NanoUsd::ZERO), |sum, part| {
        let (Some(sum), Some(cost)) = (sum, part.cost(card)?) else { return Ok(None) };
        sum.checked_add(cost).map(Some).ok_or(MoneyError::Overflow)
    })
}

/// Some quantity that the provider may count as any of these units.
struct Part {
    units: &'static [Unit],
    quantity: u64,
    /// The unit that must have a price, unless the part is already paid for in another unit.
    needs: Option<Unit>,
    /// Tokens the whole request may read.
    tokens_in: u64,
}

fn parts(card: &PriceCard, bound: Bound) -> [Part; 7] {
    const READ: &[Unit] = &[Unit::InputTokens, Unit::CachedInputTokens, Unit::ImageInputTokens];
    const READ_OR_WRITTEN: &[Unit] = &[
        Unit::InputTokens,
        Unit::CachedInputTokens,
        Unit::ImageInputTokens,
        Unit::CacheWrite5mTokens,
        Unit::CacheWrite1hTokens,
    ];
    const HEARD: &[Unit] = &[Unit::AudioInputTokens, Unit::CachedAudioInputTokens, Unit::InputTokens];
    const MADE: &[Unit] = &[Unit::OutputTokens, Unit::ReasoningTokens, Unit::ImageOutputTokens];

    let prices = |unit: Unit| card.units.contains_key(&unit);
    let by_length = bound.audio_milliseconds > 0 && prices(Unit::AudioMilliseconds);
    let by_characters = bound.characters > 0 && prices(Unit::Characters);
    let or = |given: u64, derived: u64| if given == 0 { derived } else { given };
    let (mut tokens_in, mut sound_out) = (bound.tokens_in, bound.audio_tokens_out_max);
    if !by_characters {
        tokens_in = or(tokens_in, bound.characters.saturating_mul(TOKENS_PER_CHARACTER));
        sound_out = or(sound_out, bound.characters.saturating_mul(SOUND_TOKENS_PER_CHARACTER));
    }
    let heard = bound.audio_milliseconds.saturating_mul(SOUND_TOKENS_PER_SECOND).div_ceil(1_000);
    let hears_tokens = prices(Unit::AudioInputTokens) || !by_length;
    let heard_as = if prices(Unit::AudioInputTokens) { Unit::AudioInputTokens } else { Unit::InputTokens };

    // What is paid by length or by character need not have a price of tokens; where it has one, it may come on top.
    let paid_otherwise = by_length || by_characters;
    let needs = |unit: Unit| (!paid_otherwise).then_some(unit);
    let tokens_in_max = tokens_in.saturating_add(heard);
    let part = |units, quantity, needs| Part { units, quantity, needs, tokens_in: tokens_in_max };
    [
        part(if bound.may_write_cache { READ_OR_WRITTEN } else { READ }, tokens_in, needs(Unit::InputTokens)),
        part(HEARD, if hears_tokens { heard } else { 0 }, needs(heard_as)),
        part(MADE, bound.tokens_out_max, needs(Unit::OutputTokens)),
        part(&[Unit::AudioOutputTokens], sound_out, needs(Unit::AudioOutputTokens)),
        part(&[Unit::AudioMilliseconds], if by_length { bound.audio_milliseconds } else { 0 }, None),
        part(&[Unit::Characters], if by_characters { bound.characters } else { 0 }, None),
        part(&[Unit::Requests], u64::from(prices(Unit::Requests)), None),
    ]
}

impl Part {
    /// The most it can cost; `None` when it needs a price it does not have.
    fn cost(&self, card: &PriceCard) -> Result<Option<NanoUsd>, MoneyError> {
        if self.quantity == 0 {
            return Ok(Some(NanoUsd::ZERO));
        }
        if self.needs.is_some_and(|unit| card.unit_price(unit, 0).is_none()) {
            return Ok(None);
        }
        let Some(highest) = card.highest_price(self.units, self.tokens_in) else {
            return Ok(Some(NanoUsd::ZERO));
        };
        let cost = highest.cost(self.quantity, Rounding::Up)?;
        // Each unit is a line of its own, and each line may be rounded up by half a nano-dollar.
        let is_whole =
            |price: UnitPrice| price.nano_usd().as_nanos().unsigned_abs().is_multiple_of(price.per());
        let is_one = self.units.len() == 1 || card.prices(self.units, self.tokens_in).all(is_whole);
        let lines = if is_one { 0 } else { self.units.len() };
        let slack = NanoUsd::from_nanos(i64::try_from(lines).unwrap_or(0));
        cost.checked_add(slack).map(Some).ok_or(MoneyError::Overflow)
    }
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
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::price::{PriceTier, usd_per_million};

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
        let cost = price_usage(&cards(), NOW, &usage, UsageSource::Reported, None, ServiceMode::Standard);
        assert_eq!(cost.status, CostStatus::Exact);
        assert_eq!(cost.total, Some(NanoUsd::from_nanos(3_000_000 + 180_000 + 120_000)));
        assert_eq!(cost.lines.len(), 3);
    }

    #[test]
    fn an_unknown_price_is_unpriced_and_never_zero() {
        let usage = Usage::default().with(Unit::InputTokens, 5).with(Unit::AudioOutputTokens, 1);
        for cards in [Vec::new(), cards()] {
            let cost = price_usage(&cards, NOW, &usage, UsageSource::Reported, None, ServiceMode::Standard);
            assert_eq!((cost.status, cost.total), (CostStatus::Unpriced, None));
        }
        let before_any_card = Timestamp::from_micros(-1);
        let cost = price_usage(
            &cards(),
            before_any_card,
            &usage,
            UsageSource::Estimated,
            None,
            ServiceMode::Standard,
        );
        assert_eq!((cost.status, cost.total), (CostStatus::Unpriced, None));
    }

    #[test]
    fn absurd_usage_is_unpriced_instead_of_wrapping_around() {
        let usage = Usage::default().with(Unit::OutputTokens, u64::MAX);
        let cost = price_usage(&cards(), NOW, &usage, UsageSource::Reported, None, ServiceMode::Standard);
        assert_eq!((cost.status, cost.total), (CostStatus::Unpriced, None));
    }

    #[test]
    fn an_amount_named_by_the_provider_wins_over_our_arithmetic() {
        let usage = Usage::default().with(Unit::InputTokens, 5);
        let charged = Some(NanoUsd::from_nanos(42));
        let cost = price_usage(&cards(), NOW, &usage, UsageSource::Reported, charged, ServiceMode::Standard);
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
    fn without_a_card_or_a_price_it_needs_there_is_no_estimate() {
        assert_eq!(estimate(&[], NOW, Bound::default()), Ok(None));
        let speech = Bound { audio_tokens_out_max: 1, ..Bound::default() };
        assert_eq!(estimate(&cards(), NOW, speech), Ok(None));
        let sound = Bound { audio_milliseconds: 1, tokens_out_max: 1, ..Bound::default() };
        let only_output = [PriceCard::of_tokens(NOW, [(Unit::OutputTokens, usd_per_million("1").unwrap())])];
        assert_eq!(estimate(&only_output, NOW, sound), Ok(None));
    }

    fn one_price(unit: Unit, nanos: i64, per: u64) -> [PriceCard; 1] {
        [PriceCard::of_tokens(NOW, [(unit, UnitPrice::new(NanoUsd::from_nanos(nanos), per).unwrap())])]
    }

    fn nanos(cards: &[PriceCard], bound: Bound) -> Option<i64> {
        estimate(cards, NOW, bound).unwrap().map(NanoUsd::as_nanos)
    }

    #[test]
    fn speech_by_the_character_and_sound_by_the_minute_need_no_price_of_tokens() {
        let speech =
            Bound { characters: 1_000, tokens_in: 300, audio_tokens_out_max: 9_000, ..Bound::default() };
        assert_eq!(nanos(&one_price(Unit::Characters, 15_000_000_000, 1_000_000), speech), Some(15_000_000));
        let sound = Bound { audio_milliseconds: 90_000, tokens_out_max: 500, ..Bound::default() };
        assert_eq!(nanos(&one_price(Unit::AudioMilliseconds, 4_400_000, 60_000), sound), Some(6_600_000));
        assert_eq!(nanos(&one_price(Unit::AudioMilliseconds, 0, 60_000), sound), Some(0), "known to be free");
    }

    #[test]
    fn sound_and_speech_billed_by_tokens_are_bounded_by_what_they_can_become() {
        let price = |text| usd_per_million(text).unwrap();
        let listens = [PriceCard::of_tokens(
            NOW,
            [
                (Unit::InputTokens, price("2.5")),
                (Unit::AudioInputTokens, price("6")),
                (Unit::OutputTokens, price("10")),
            ],
        )];
        // A minute is at most 1,920 tokens at $6 per million, and 100 tokens come out at $10.
        let minute = Bound { audio_milliseconds: 60_000, tokens_out_max: 100, ..Bound::default() };
        assert_eq!(nanos(&listens, minute), Some(11_520_000 + 1_000_000));
        let speaks = [PriceCard::of_tokens(
            NOW,
            [(Unit::InputTokens, price("0.6")), (Unit::AudioOutputTokens, price("12"))],
        )];
        // 10 characters are at most 40 tokens of text, and 100 tokens of sound unless the request says how many.
        let line = Bound { characters: 10, ..Bound::default() };
        assert_eq!(nanos(&speaks, line), Some(24_000 + 1_200_000));
        let said = Bound { tokens_in: 3, audio_tokens_out_max: 50, ..line };
        assert_eq!(nanos(&speaks, said), Some(1_800 + 600_000));
    }

    #[test]
    fn an_embedding_needs_no_price_of_output_and_a_call_with_a_price_counts_once() {
        let embedding = Bound { tokens_in: 1_000, ..Bound::default() };
        let mut cards = one_price(Unit::InputTokens, 20_000_000, 1_000_000);
        assert_eq!(nanos(&cards, embedding), Some(20_000));
        cards[0].units.insert(Unit::Requests, UnitPrice::new(NanoUsd::from_nanos(5_000_000), 1).unwrap());
        assert_eq!(nanos(&cards, embedding), Some(20_000 + 5_000_000));
        let usage = Usage::default().with(Unit::InputTokens, 1_000);
        let cost = price_usage(&cards, NOW, &usage, UsageSource::Reported, None, ServiceMode::Standard);
        assert_eq!(cost.total, Some(NanoUsd::from_nanos(5_020_000)));
        let reported = price_usage(
            &cards,
            NOW,
            &usage.with(Unit::Requests, 1),
            UsageSource::Reported,
            None,
            ServiceMode::Standard,
        );
        assert_eq!(reported.total, cost.total, "not counted again when the adapter reports it");
    }

    #[test]
    fn a_bound_no_money_can_pay_is_an_overflow_and_not_a_small_number() {
        let bound = Bound { tokens_in: u64::MAX, tokens_out_max: u64::MAX, ..Bound::default() };
        assert_eq!(estimate(&cards(), NOW, bound), Err(MoneyError::Overflow));
    }

    fn any_bound() -> impl Strategy<Value = Bound> {
        let quantity = || prop_oneof![Just(0_u64), 1..500_000_u64];
        (quantity(), quantity(), any::<bool>(), quantity(), quantity(), quantity()).prop_map(
            |(tokens_in, tokens_out_max, may_write_cache, characters, audio_milliseconds, sound)| Bound {
                tokens_in,
                tokens_out_max,
                may_write_cache,
                characters,
                audio_milliseconds,
                open_answers: 0,
                audio_tokens_out_max: sound,
            },
        )
    }

    /// Some usage that a request of that bound may have: each quantity is split among the units it may be counted as.
    fn usage_within(bound: Bound, shares: &[u64]) -> Usage {
        let mut usage = Usage::default();
        let mut split = |total: u64, units: &[Unit]| {
            let mut left = total;
            for unit in units {
                let share = (total * shares[*unit as usize] / 1_000).min(left);
                usage.set(*unit, usage.get(*unit) + share);
                left -= share;
            }
        };
        let mut read = vec![Unit::InputTokens, Unit::CachedInputTokens, Unit::ImageInputTokens];
        if bound.may_write_cache {
            read.extend([Unit::CacheWrite5mTokens, Unit::CacheWrite1hTokens]);
        }
        split(bound.tokens_in, &read);
        split(bound.audio_milliseconds * 32 / 1_000, &[Unit::AudioInputTokens, Unit::CachedAudioInputTokens]);
        split(bound.tokens_out_max, &[Unit::OutputTokens, Unit::ReasoningTokens]);
        split(bound.audio_tokens_out_max, &[Unit::AudioOutputTokens]);
        split(bound.characters, &[Unit::Characters]);
        split(bound.audio_milliseconds, &[Unit::AudioMilliseconds]);
        usage
    }

    proptest! {
        #[test]
        fn the_estimate_bounds_every_cost_within_its_bound_on_any_card(
            prices in proptest::collection::vec(proptest::option::weighted(0.8, (0..40_000_000_000_i64, 1..2_000_000_u64)), 16),
            tiers in proptest::collection::vec((0..400_000_u64, 0..16_usize, 0..40_000_000_000_i64), 0..3),
            batch_percent in proptest::option::of(1..=100_u32),
            bound in any_bound(),
            shares in proptest::collection::vec(0..=1_000_u64, 16),
            in_batch in any::<bool>(),
        ) {
            let price = |nanos, per| UnitPrice::new(NanoUsd::from_nanos(nanos), per).unwrap();
            let units = Unit::ALL.iter().zip(prices).filter_map(|(unit, own)| Some((*unit, own?)));
            let mut card = PriceCard::of_tokens(Timestamp::from_micros(0), units.map(|(unit, (nanos, per))| (unit, price(nanos, per))));
            card.batch_percent = batch_percent;
            card.tiers = tiers.into_iter().map(|(above_input_tokens, unit, nanos)| PriceTier {
                above_input_tokens,
                units: BTreeMap::from([(Unit::ALL[unit], price(nanos, 1_000_000))]),
            }).collect();
            card.tiers.sort_by_key(|tier| tier.above_input_tokens);
            let cards = [card];
            let mode = if in_batch { ServiceMode::Batch } else { ServiceMode::Standard };
            let cost = price_usage(&cards, NOW, &usage_within(bound, &shares), UsageSource::Reported, None, mode);
            if let (Some(cost), Some(estimate)) = (cost.total, estimate(&cards, NOW, bound).unwrap()) {
                prop_assert!(cost <= estimate, "{cost} > {estimate}");
            }
        }

        #[test]
        fn a_cost_is_that_of_the_card_in_force_at_dispatch_whatever_is_added_later(
            starts in proptest::collection::btree_map(0..1_000_i64, 1..1_000_000_000_i64, 1..8),
            later in proptest::collection::vec((1_001..2_000_i64, 1..1_000_000_000_i64), 0..4),
            dispatched in 0..=1_000_i64,
            tokens in 1..1_000_000_u64,
        ) {
            let card = |(start, nanos): (i64, i64)| PriceCard::of_tokens(
                Timestamp::from_micros(start),
                [(Unit::InputTokens, UnitPrice::per_million(NanoUsd::from_nanos(nanos)).unwrap())],
            );
            let mut cards: Vec<PriceCard> = starts.iter().map(|(start, nanos)| card((*start, *nanos))).collect();
            let usage = Usage::default().with(Unit::InputTokens, tokens);
            let at = Timestamp::from_micros(dispatched);
            let cost = |cards: &[PriceCard]| price_usage(cards, at, &usage, UsageSource::Reported, None, ServiceMode::Standard);
            let first = cost(&cards);
            let in_force = starts.range(..=dispatched).next_back();
            let expected = in_force.map(|(_, nanos)| UnitPrice::per_million(NanoUsd::from_nanos(*nanos)).unwrap());
            prop_assert_eq!(first.total, expected.map(|price| price.cost(tokens, Rounding::HalfEven).unwrap()));
            prop_assert_eq!(first.card.as_ref().map(|card| card.effective_from.as_micros()), in_force.map(|(start, _)| *start));
            cards.extend(later.into_iter().map(card));
            cards.reverse();
            prop_assert_eq!(cost(&cards), first, "neither later cards nor their order change it");
        }

        #[test]
        fn the_total_is_the_sum_of_the_lines_whatever_the_usage(quantities in proptest::collection::vec(0..10_000_000_u64, 4)) {
            let units = [Unit::InputTokens, Unit::CachedInputTokens, Unit::OutputTokens, Unit::ReasoningTokens];
            let usage: Usage = units.into_iter().zip(quantities).collect();
            let cost = price_usage(&cards(), NOW, &usage, UsageSource::Reported, None, ServiceMode::Standard);
            let lines: NanoUsd = cost.lines.iter().filter_map(|line| line.cost).sum();
            prop_assert_eq!(cost.total, Some(lines));
        }
    }
}
