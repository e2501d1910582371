//! Cards, rates and changes as they are shown.

use signalbox_core::meter::{UsageSource, price_usage};
use signalbox_core::money::{NanoUsd, Rounding, UnitPrice};
use signalbox_core::operation::Capability;
use signalbox_core::price::{PriceCard, ServiceMode, card_at};
use signalbox_core::price_import::diff::RateChange;
use signalbox_core::rate;
use signalbox_core::route::Target;
use signalbox_core::snapshot::ModelEntry;
use signalbox_core::time::Timestamp;
use signalbox_core::usage::{Unit, Usage};

use super::block;
use crate::{dto, view};

/// A model with what it costs now.
pub(super) fn row(target: &Target, entry: &ModelEntry, now: Timestamp, in_use: bool) -> dto::PriceRow {
    let planned = entry.cards.iter().filter(|card| card.effective_from > now);
    dto::PriceRow {
        target: target.to_string(),
        provider: target.provider.to_string(),
        model: target.model.to_string(),
        capabilities: view::capabilities(entry),
        context_window: entry.model.context_window,
        card: card_at(&entry.cards, now).map(|card| shown(card, &entry.cards, now)),
        planned: planned.min_by_key(|card| card.effective_from).map(|card| shown(card, &entry.cards, now)),
        in_use,
        block: block::shown(entry, now),
    }
}

/// A card among the others of its model.
pub(super) fn shown(card: &PriceCard, all: &[PriceCard], now: Timestamp) -> dto::PriceCard {
    let begun = all.iter().map(|card| card.effective_from).filter(|from| *from <= now).max();
    let state = if card.effective_from > now {
        dto::CardState::Planned
    } else if Some(card.effective_from) == begun {
        dto::CardState::InForce
    } else {
        dto::CardState::Past
    };
    dto::PriceCard {
        effective_from: card.effective_from.into(),
        state,
        origin: card.origin.as_str().to_owned(),
        source_url: card.source_url.clone(),
        as_of: card.as_of.clone(),
        batch_percent: card.batch_percent,
        rates: card.units.iter().map(|(unit, price)| rate(*unit, *price)).collect(),
        tiers: card
            .tiers
            .iter()
            .map(|tier| dto::PriceTier {
                above_input_tokens: tier.above_input_tokens.into(),
                rates: tier.units.iter().map(|(unit, price)| rate(*unit, *price)).collect(),
            })
            .collect(),
    }
}

fn rate(unit: Unit, price: UnitPrice) -> dto::PriceRate {
    let lot = rate::lot(unit);
    let amount = per_lot(unit, price);
    dto::PriceRate {
        unit: unit.as_str().to_owned(),
        lot: lot.name.to_owned(),
        amount: amount.into(),
        usd: amount.to_string(),
        exact_amount: price.nano_usd().into(),
        exact_per: price.per().into(),
    }
}

/// What the unit's lot costs, to the nano-dollar; held at the largest amount.
fn per_lot(unit: Unit, price: UnitPrice) -> NanoUsd {
    price.cost(rate::lot(unit).units, Rounding::HalfEven).unwrap_or(NanoUsd::from_nanos(i64::MAX))
}

/// A rate before and after.
pub(super) fn change(change: &RateChange) -> dto::RateChange {
    let usd = |price: Option<UnitPrice>| price.map(|price| per_lot(change.unit, price).to_string());
    dto::RateChange {
        unit: change.unit.as_str().to_owned(),
        lot: rate::lot(change.unit).name.to_owned(),
        above_input_tokens: change.above_input_tokens.map(Into::into),
        before: usd(change.before),
        after: usd(change.after),
        percent: change.permille.map(percent),
    }
}

/// Tenths of a percent as `-12.5`.
fn percent(permille: i64) -> String {
    let sign = if permille < 0 { "-" } else { "" };
    let (whole, tenth) = (permille.unsigned_abs() / 10, permille.unsigned_abs() % 10);
    if tenth == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{tenth}") }
}

/// A change in a few words, e.g. `input_tokens $1.25 → $1 per 1M tokens`.
pub(super) fn told(change: &RateChange) -> String {
    let usd = |price: Option<UnitPrice>| match price {
        Some(price) => format!("${}", per_lot(change.unit, price)),
        None => "no price".to_owned(),
    };
    let above = change.above_input_tokens.map(|bound| format!(" above {bound} tokens")).unwrap_or_default();
    let lot = rate::lot(change.unit).name;
    format!("{}{above} {} → {} per {lot}", change.unit, usd(change.before), usd(change.after))
}

/// What an ordinary call of the model costs by either card.
pub(super) fn sample(
    capabilities: &[Capability],
    before: Option<&PriceCard>,
    after: &PriceCard,
) -> dto::SampleCost {
    let (call, usage) = ordinary_call(capabilities, after);
    let cost = |card: &PriceCard| {
        let cards = std::slice::from_ref(card);
        let at = card.effective_from;
        let cost = price_usage(cards, at, &usage, UsageSource::Reported, None, ServiceMode::Standard);
        cost.total.map(dto::Money::from)
    };
    dto::SampleCost { call: call.to_owned(), before: before.and_then(cost), after: cost(after) }
}

fn ordinary_call(capabilities: &[Capability], card: &PriceCard) -> (&'static str, Usage) {
    let none = Usage::default();
    let has = |unit: Unit| card.units.contains_key(&unit);
    match capabilities.first() {
        Some(Capability::Embedding) => ("1,000 tokens in", none.with(Unit::InputTokens, 1_000)),
        Some(Capability::Transcription) if has(Unit::AudioMilliseconds) => {
            ("a minute of sound", none.with(Unit::AudioMilliseconds, 60_000))
        }
        Some(Capability::Transcription) => {
            let heard = if has(Unit::AudioInputTokens) { Unit::AudioInputTokens } else { Unit::InputTokens };
            (
                "a minute of sound (600 tokens), 200 tokens out",
                none.with(heard, 600).with(Unit::OutputTokens, 200),
            )
        }
        Some(Capability::Speech) if has(Unit::Characters) => {
            ("1,000 characters", none.with(Unit::Characters, 1_000))
        }
        Some(Capability::Speech) => {
            let said =
                if has(Unit::AudioOutputTokens) { Unit::AudioOutputTokens } else { Unit::OutputTokens };
            (
                "250 tokens in, a minute of speech (1,200 tokens)",
                none.with(Unit::InputTokens, 250).with(said, 1_200),
            )
        }
        Some(Capability::Chat | Capability::Vision | Capability::AudioInput) => {
            ("1,000 tokens in, 500 out", none.with(Unit::InputTokens, 1_000).with(Unit::OutputTokens, 500))
        }
        None => ("an image", none.with(Unit::Images, 1)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_told_in_dollars_per_lot_and_tenths_of_a_percent() {
        let price = |nanos| UnitPrice::new(NanoUsd::from_nanos(nanos), 1_000_000).ok();
        let told_of = RateChange {
            above_input_tokens: Some(200_000),
            unit: Unit::InputTokens,
            before: price(1_250_000_000),
            after: price(1_000_000_000),
            permille: Some(-200),
        };
        assert_eq!(told(&told_of), "input_tokens above 200000 tokens $1.25 → $1 per 1M tokens");
        assert_eq!(change(&told_of).percent.as_deref(), Some("-20"));
        assert_eq!((percent(-5), percent(333)), ("-0.5".to_owned(), "33.3".to_owned()));
    }
}
