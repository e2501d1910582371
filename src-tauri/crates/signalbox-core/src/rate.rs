//! How people write prices: the lot a unit is priced by, and which prices cannot be meant.

use std::fmt;

use crate::money::{NanoUsd, Rounding, UnitPrice};
use crate::usage::Unit;

/// The number of units that price pages quote a price for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lot {
    /// How many units.
    pub units: u64,
    /// In words, after "per": `1M tokens`, `minute`.
    pub name: &'static str,
}

/// The lot of a unit.
pub const fn lot(unit: Unit) -> Lot {
    match unit {
        Unit::InputTokens
        | Unit::CachedInputTokens
        | Unit::CacheWrite5mTokens
        | Unit::CacheWrite1hTokens
        | Unit::OutputTokens
        | Unit::ReasoningTokens
        | Unit::AudioInputTokens
        | Unit::CachedAudioInputTokens
        | Unit::AudioOutputTokens
        | Unit::ImageInputTokens
        | Unit::ImageOutputTokens => Lot { units: 1_000_000, name: "1M tokens" },
        Unit::AudioMilliseconds => Lot { units: 60_000, name: "minute" },
        Unit::Characters => Lot { units: 1_000, name: "1k characters" },
        Unit::Images => Lot { units: 1, name: "image" },
        Unit::Requests => Lot { units: 1, name: "request" },
        Unit::WebSearches => Lot { units: 1, name: "search" },
    }
}

/// Lowest and highest believable price of a unit's lot. Units: nano-dollars.
///
/// Tokens: $0.001 to $1,000 per million. The dearest model ever sold took $600, the cheapest embedding $0.01; a price per
/// token written where a price per million belongs, or the other way round, is a million times off and lands outside.
const fn believable(unit: Unit) -> (i64, i64) {
    match unit {
        Unit::AudioMilliseconds | Unit::Characters => (10_000, 10_000_000_000),
        Unit::Images | Unit::WebSearches => (10_000, 100_000_000_000),
        Unit::Requests => (1_000, 100_000_000_000),
        _ => (1_000_000, 1_000_000_000_000),
    }
}

/// A price that nobody can mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Implausible {
    /// The unit.
    pub unit: Unit,
    /// Its price.
    pub price: UnitPrice,
    too_low: bool,
}

impl std::error::Error for Implausible {}

impl fmt::Display for Implausible {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Lot { units, name } = lot(self.unit);
        let shown = self.price.cost(units, Rounding::HalfEven);
        match &shown {
            Ok(amount) if *amount > NanoUsd::ZERO => write!(f, "${amount} per {name} for {}", self.unit)?,
            Ok(_) => write!(f, "less than $0.000000001 per {name} for {}", self.unit)?,
            Err(_) => write!(f, "more than 9.2 billion dollars per {name} for {}", self.unit)?,
        }
        let (typed, meant) = match (units, self.too_low) {
            (1_000_000, true) => ("a price per token", "per million"),
            (1_000_000, false) => ("a price per million", "per token"),
            (_, true) => ("a price of one unit", "of the whole lot"),
            (_, false) => ("a price of many units", "of one lot"),
        };
        write!(f, " looks like {typed} typed as {meant}")
    }
}

/// Refuses a price that is off by so much that it must have been meant for another number of units. 0 passes: it means free.
pub fn check(unit: Unit, price: UnitPrice) -> Result<(), Implausible> {
    if price.nano_usd() == NanoUsd::ZERO {
        return Ok(());
    }
    let (lowest, highest) = believable(unit);
    // price.nano / price.per against bound / lot, without dividing.
    let mine = i128::from(price.nano_usd().as_nanos()) * i128::from(lot(unit).units);
    let bound = |nanos: i64| i128::from(nanos) * i128::from(price.per());
    let too_low = mine < bound(lowest);
    if too_low || mine > bound(highest) {
        return Err(Implausible { unit, price, too_low });
    }
    Ok(())
}

/// Whether two prices are the same amount per unit, whatever lots they are written for.
pub fn same(left: UnitPrice, right: UnitPrice) -> bool {
    let cross = |price: UnitPrice, per: u64| i128::from(price.nano_usd().as_nanos()) * i128::from(per);
    cross(left, right.per()) == cross(right, left.per())
}

/// By how much a price changes. Units: tenths of a percent of `before`, rounded to the nearest; `None` when it was 0.
pub fn change_permille(before: UnitPrice, after: UnitPrice) -> Option<i64> {
    let old = i128::from(before.nano_usd().as_nanos()) * i128::from(after.per());
    let new = i128::from(after.nano_usd().as_nanos()) * i128::from(before.per());
    if old == 0 {
        return None;
    }
    let doubled = (new - old).checked_mul(2_000)?;
    let rounded = (doubled + if doubled < 0 { -old } else { old }) / (2 * old);
    Some(i64::try_from(rounded).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn per_million(usd: &str) -> UnitPrice {
        UnitPrice::per_million(NanoUsd::parse_usd(usd).unwrap()).unwrap()
    }

    #[test]
    fn a_price_per_token_typed_as_per_million_is_refused_in_these_words() {
        for (usd, words) in [
            ("0.0000025", "looks like a price per token typed as per million"),
            ("0.000999999", "looks like a price per token typed as per million"),
            ("2500000", "looks like a price per million typed as per token"),
            ("1000.000000001", "looks like a price per million typed as per token"),
        ] {
            let refused = check(Unit::InputTokens, per_million(usd)).unwrap_err().to_string();
            assert!(
                refused.contains(words) && refused.contains(&format!("${usd} per 1M tokens")),
                "{refused}"
            );
        }
        for usd in ["0", "0.001", "0.02", "600", "1000"] {
            assert_eq!(check(Unit::OutputTokens, per_million(usd)), Ok(()), "{usd}");
        }
    }

    #[test]
    fn each_unit_has_its_own_believable_range() {
        let nano = |nanos, per| UnitPrice::new(NanoUsd::from_nanos(nanos), per).unwrap();
        assert_eq!(check(Unit::AudioMilliseconds, nano(4_400_000, 60_000)), Ok(()));
        assert!(check(Unit::AudioMilliseconds, nano(4_400_000, 1)).is_err());
        assert_eq!(check(Unit::Characters, nano(15_000_000_000, 1_000_000)), Ok(()));
        assert!(check(Unit::Characters, nano(15_000_000_000, 1)).is_err());
        assert_eq!(check(Unit::WebSearches, nano(10_000_000, 1)), Ok(()));
        assert!(check(Unit::Images, nano(40_000_000, 1_000_000)).is_err());
    }

    #[test]
    fn prices_compare_across_lots_and_changes_are_rounded_tenths_of_a_percent() {
        let nano = |nanos, per| UnitPrice::new(NanoUsd::from_nanos(nanos), per).unwrap();
        assert!(same(nano(6_000_000, 60_000), nano(100_000, 1_000)));
        assert!(!same(nano(6_000_000, 60_000), nano(100_001, 1_000)));
        assert_eq!(change_permille(nano(2, 1), nano(3, 1)), Some(500));
        assert_eq!(change_permille(nano(3, 1), nano(2, 1)), Some(-333));
        assert_eq!(change_permille(nano(3, 1), nano(1, 1)), Some(-667));
        assert_eq!(change_permille(nano(100, 1_000), nano(1, 10)), Some(0));
        assert_eq!(change_permille(nano(0, 1), nano(1, 1)), None);
    }
}
