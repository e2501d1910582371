//! From domain values to what crosses the border.

use signalbox_core::decide::{Rejection, readiness};
use signalbox_core::meter::CostStatus;
use signalbox_core::money::NanoUsd;
use signalbox_core::operation::Capability;
use signalbox_core::price::{PriceCard, card_at};
use signalbox_core::route::Target;
use signalbox_core::snapshot::{ModelEntry, Snapshot};
use signalbox_core::time::Timestamp;
use signalbox_core::usage::Unit;

use crate::dto;

impl From<NanoUsd> for dto::Money {
    fn from(amount: NanoUsd) -> Self {
        Self(amount.as_nanos().to_string())
    }
}

impl From<Timestamp> for dto::Instant {
    fn from(instant: Timestamp) -> Self {
        Self(instant.to_string())
    }
}

impl From<i64> for dto::Counter {
    fn from(count: i64) -> Self {
        Self(count.to_string())
    }
}

impl From<u64> for dto::Counter {
    fn from(count: u64) -> Self {
        Self(count.to_string())
    }
}

impl From<CostStatus> for dto::CostStatus {
    fn from(status: CostStatus) -> Self {
        match status {
            CostStatus::Exact => Self::Exact,
            CostStatus::ProviderCharged => Self::ProviderCharged,
            CostStatus::Estimated => Self::Estimated,
            CostStatus::Unpriced => Self::Unpriced,
        }
    }
}

/// A count for a figure on a screen, held at the largest.
pub fn count(count: i64) -> u32 {
    u32::try_from(count.max(0)).unwrap_or(u32::MAX)
}

/// Microseconds as milliseconds for a screen.
pub fn milliseconds(micros: i64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a duration on a screen; 2^53 microseconds are 285 years")]
    let micros = micros as f64;
    micros / 1_000.0
}

/// Whether requests would go to the target now, and if not, why.
pub fn ready(snapshot: &Snapshot, target: &Target, capability: Capability) -> dto::Readiness {
    match readiness(snapshot, target, capability) {
        None => is_ready(),
        Some(reason) => not_ready(reason),
    }
}

pub fn is_ready() -> dto::Readiness {
    dto::Readiness { ready: true, code: "ready".to_owned(), text: "ready".to_owned() }
}

pub fn not_ready(reason: Rejection) -> dto::Readiness {
    dto::Readiness { ready: false, code: reason.as_str().to_owned(), text: reason.in_words().to_owned() }
}

/// The price of a million `unit`s; `None` when unpriced or priced in other lots.
pub fn per_million(card: Option<&PriceCard>, unit: Unit) -> Option<dto::Money> {
    let price = card?.unit_price(unit, 0)?;
    let amount = price.cost(1_000_000, signalbox_core::money::Rounding::HalfEven).ok()?;
    Some(amount.into())
}

pub fn model(entry: &ModelEntry, now: Timestamp) -> dto::Model {
    let card = card_at(&entry.cards, now);
    dto::Model {
        name: entry.model.name.to_string(),
        capabilities: capabilities(entry),
        context_window: entry.model.context_window,
        input_per_mtok: per_million(card, Unit::InputTokens),
        cached_input_per_mtok: per_million(card, Unit::CachedInputTokens),
        output_per_mtok: per_million(card, Unit::OutputTokens),
        priced: card.is_some(),
        price_source: card.map(|card| dto::PriceSource {
            url: card.source_url.clone(),
            as_of: card.as_of.clone(),
            effective_from: card.effective_from.into(),
        }),
    }
}

pub fn capabilities(entry: &ModelEntry) -> Vec<String> {
    entry.model.capabilities.iter().map(|capability| capability.as_str().to_owned()).collect()
}

/// Reads an instant a client sent.
pub fn instant(field: &str, text: &dto::Instant) -> Result<Timestamp, crate::AppError> {
    Timestamp::parse(&text.0)
        .map_err(|_| crate::AppError::invalid(field, format!("`{:.40}` is not an RFC 3339 time.", text.0)))
}
