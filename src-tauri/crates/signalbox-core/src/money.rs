//! Money in whole nano-dollars, and unit prices. There is no float between a price page and a printed cost.

use std::fmt;
use std::iter::Sum;

use serde::{Deserialize, Serialize};

/// Nano-dollars in one US dollar.
pub const NANOS_PER_USD: i64 = 1_000_000_000;

/// An amount of money. Units: nano-dollars (1 USD = 1,000,000,000), so an `i64` reaches ±9.2 billion dollars.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NanoUsd(i64);

/// An amount that cannot be represented. It is always an error, never silently 0.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// The text is no plain decimal number.
    #[error("`{0}` is not an amount in US dollars such as 0.27")]
    NotDecimal(String),
    /// More digits than a nano-dollar has.
    #[error("`{0}` has digits below a billionth of a dollar")]
    TooFine(String),
    /// Beyond ±9.2 billion dollars.
    #[error("the amount is beyond 9.2 billion dollars")]
    Overflow,
}

impl NanoUsd {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// From whole nano-dollars.
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// Whole nano-dollars.
    pub const fn as_nanos(self) -> i64 {
        self.0
    }

    /// From decimal dollars such as `0.27` or `-3`.
    ///
    /// Errors: anything that is not exactly a whole number of nano-dollars; nothing is rounded.
    pub fn parse_usd(text: &str) -> Result<Self, MoneyError> {
        let not_decimal = || MoneyError::NotDecimal(text.chars().take(40).collect());
        let trimmed = text.trim();
        let (negative, digits) = match trimmed.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, trimmed),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let all_digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        if (whole.is_empty() && fraction.is_empty()) || !all_digits(whole) || !all_digits(fraction) {
            return Err(not_decimal());
        }
        let significant = fraction.trim_end_matches('0');
        if significant.len() > 9 {
            return Err(MoneyError::TooFine(text.chars().take(40).collect()));
        }
        let digits_of = |part: &str| -> Result<i128, MoneyError> {
            if part.is_empty() { Ok(0) } else { part.parse().map_err(|_| MoneyError::Overflow) }
        };
        let nanos = digits_of(whole)?
            .checked_mul(i128::from(NANOS_PER_USD))
            .and_then(|nanos| nanos.checked_add(digits_of(&format!("{significant:0<9}")).ok()?))
            .ok_or(MoneyError::Overflow)?;
        i64::try_from(if negative { -nanos } else { nanos }).map(Self).map_err(|_| MoneyError::Overflow)
    }

    /// The sum, or `None` past the range.
    pub const fn checked_add(self, other: Self) -> Option<Self> {
        match self.0.checked_add(other.0) {
            Some(nanos) => Some(Self(nanos)),
            None => None,
        }
    }

    /// The sum, held at the end of the range; for totals that are shown, never for a limit that is enforced.
    #[must_use]
    pub const fn saturating_add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl NanoUsd {
    /// For a sentence: `$50.00`, rounded to cents; what is less than a cent keeps all its digits.
    pub fn in_dollars(self) -> String {
        const NANOS_PER_CENT: u64 = NANOS_PER_USD.unsigned_abs() / 100;
        let nanos = self.0.unsigned_abs();
        if 0 < nanos && nanos < NANOS_PER_CENT {
            return format!("{}${}", if self.0 < 0 { "-" } else { "" }, Self(self.0.abs()));
        }
        let cents = nanos / NANOS_PER_CENT + u64::from(nanos % NANOS_PER_CENT >= NANOS_PER_CENT / 2);
        format!("{}${}.{:02}", if self.0 < 0 { "-" } else { "" }, cents / 100, cents % 100)
    }
}

impl Sum for NanoUsd {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, Self::saturating_add)
    }
}

/// Exact decimal dollars without trailing zeros, e.g. `0.000333`.
impl fmt::Display for NanoUsd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanos = self.0.unsigned_abs();
        let unit = NANOS_PER_USD.unsigned_abs();
        let sign = if self.0 < 0 { "-" } else { "" };
        write!(f, "{sign}{}", nanos / unit)?;
        let fraction = format!("{:09}", nanos % unit);
        let significant = fraction.trim_end_matches('0');
        if significant.is_empty() { Ok(()) } else { write!(f, ".{significant}") }
    }
}

impl fmt::Debug for NanoUsd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "${self}")
    }
}

/// The price of `per` units, e.g. 0.27 USD per million tokens or 0.0044 USD per 60,000 milliseconds.
///
/// A quotient keeps prices such as "per minute" exact, which a fixed "per million units" would round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "UnitPriceFields")]
pub struct UnitPrice {
    nano_usd: NanoUsd,
    per: u64,
}

#[derive(Deserialize)]
struct UnitPriceFields {
    nano_usd: NanoUsd,
    per: u64,
}

/// A price that makes no sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPrice {
    /// Prices are zero or more.
    #[error("a price cannot be negative")]
    Negative,
    /// "Per zero units" has no meaning.
    #[error("a price must be for at least one unit")]
    PerNothing,
}

impl TryFrom<UnitPriceFields> for UnitPrice {
    type Error = InvalidPrice;

    fn try_from(fields: UnitPriceFields) -> Result<Self, InvalidPrice> {
        Self::new(fields.nano_usd, fields.per)
    }
}

/// How a quotient becomes whole nano-dollars.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rounding {
    /// To the nearest, ties to even: for settlement, so that many roundings do not drift.
    HalfEven,
    /// Up: for reservations and estimates, so that they stay upper bounds.
    Up,
}

impl UnitPrice {
    /// A price of `nano_usd` for `per` units.
    pub fn new(nano_usd: NanoUsd, per: u64) -> Result<Self, InvalidPrice> {
        if nano_usd < NanoUsd::ZERO {
            return Err(InvalidPrice::Negative);
        }
        if per == 0 {
            return Err(InvalidPrice::PerNothing);
        }
        Ok(Self { nano_usd, per })
    }

    /// The price of a million units.
    pub fn per_million(nano_usd: NanoUsd) -> Result<Self, InvalidPrice> {
        Self::new(nano_usd, 1_000_000)
    }

    /// The amount for [`Self::per`] units.
    pub const fn nano_usd(self) -> NanoUsd {
        self.nano_usd
    }

    /// How many units the amount buys.
    pub const fn per(self) -> u64 {
        self.per
    }

    /// What `quantity` units cost.
    ///
    /// Errors: [`MoneyError::Overflow`] past 9.2 billion dollars.
    pub fn cost(self, quantity: u64, rounding: Rounding) -> Result<NanoUsd, MoneyError> {
        let numerator = i128::from(self.nano_usd.as_nanos()) * i128::from(quantity);
        let denominator = i128::from(self.per);
        let (floor, rest) = (numerator.div_euclid(denominator), numerator.rem_euclid(denominator));
        let up = match rounding {
            Rounding::Up => rest > 0,
            Rounding::HalfEven => rest * 2 > denominator || (rest * 2 == denominator && floor % 2 != 0),
        };
        i64::try_from(floor + i128::from(up)).map(NanoUsd).map_err(|_| MoneyError::Overflow)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn usd(text: &str) -> NanoUsd {
        NanoUsd::parse_usd(text).unwrap()
    }

    #[test]
    fn dollars_are_read_exactly_or_refused() {
        assert_eq!(usd("0.27").as_nanos(), 270_000_000);
        assert_eq!(usd("-3").as_nanos(), -3_000_000_000);
        assert_eq!(usd(".000000001").as_nanos(), 1);
        assert_eq!(usd("1.5000000000000").as_nanos(), 1_500_000_000);
        for bad in ["", "-", ".", "1e5", "1,5", "0x1", "nan", "--1", "1.2.3", "½"] {
            assert!(matches!(NanoUsd::parse_usd(bad), Err(MoneyError::NotDecimal(_))), "{bad}");
        }
        assert!(matches!(NanoUsd::parse_usd("0.0000000001"), Err(MoneyError::TooFine(_))));
        assert_eq!(NanoUsd::parse_usd("9223372037"), Err(MoneyError::Overflow));
        assert_eq!(NanoUsd::parse_usd(&"9".repeat(80)), Err(MoneyError::Overflow));
    }

    #[test]
    fn a_sentence_has_cents_and_never_rounds_an_amount_to_nothing() {
        assert_eq!(usd("50").in_dollars(), "$50.00");
        assert_eq!(usd("-0.255").in_dollars(), "-$0.26");
        assert_eq!(usd("0.000333").in_dollars(), "$0.000333");
        assert_eq!(NanoUsd::ZERO.in_dollars(), "$0.00");
        assert_eq!(NanoUsd::from_nanos(i64::MIN).in_dollars(), "-$9223372036.85");
    }

    #[test]
    fn half_a_nano_dollar_goes_to_the_even_neighbour_and_a_reservation_always_up() {
        let price = UnitPrice::new(NanoUsd::from_nanos(1), 2).unwrap();
        let settled: Vec<i64> =
            (0..6).map(|quantity| price.cost(quantity, Rounding::HalfEven).unwrap().as_nanos()).collect();
        assert_eq!(settled, [0, 0, 1, 2, 2, 2]);
        let reserved: Vec<i64> =
            (0..6).map(|quantity| price.cost(quantity, Rounding::Up).unwrap().as_nanos()).collect();
        assert_eq!(reserved, [0, 1, 1, 2, 2, 3]);
    }

    #[test]
    fn a_price_per_minute_is_exact() {
        let deepgram = UnitPrice::new(usd("0.0044"), 60_000).unwrap();
        assert_eq!(deepgram.cost(90_000, Rounding::HalfEven), Ok(usd("0.0066")));
    }

    #[test]
    fn nonsense_prices_are_refused() {
        assert_eq!(UnitPrice::new(NanoUsd::from_nanos(-1), 1), Err(InvalidPrice::Negative));
        assert_eq!(UnitPrice::new(NanoUsd::ZERO, 0), Err(InvalidPrice::PerNothing));
        assert!(serde_json::from_str::<UnitPrice>(r#"{"nano_usd":1,"per":0}"#).is_err());
    }

    proptest! {
        #[test]
        fn printed_dollars_read_back_the_same(nanos in any::<i64>()) {
            let amount = NanoUsd::from_nanos(nanos);
            prop_assert_eq!(NanoUsd::parse_usd(&amount.to_string()), Ok(amount));
        }

        #[test]
        fn a_settlement_never_exceeds_its_reservation_and_is_within_half_a_nano_dollar(
            nanos in 0..10_000_000_000_i64, per in 1..2_000_000_u64, quantity in 0..100_000_000_u64,
        ) {
            let price = UnitPrice::new(NanoUsd::from_nanos(nanos), per).unwrap();
            let settled = price.cost(quantity, Rounding::HalfEven);
            let reserved = price.cost(quantity, Rounding::Up);
            if let (Ok(settled), Ok(reserved)) = (settled, reserved) {
                prop_assert!(settled <= reserved);
                let exact = i128::from(nanos) * i128::from(quantity);
                let error = (i128::from(settled.as_nanos()) * i128::from(per) - exact).abs() * 2;
                prop_assert!(error <= i128::from(per));
            }
        }
    }
}
