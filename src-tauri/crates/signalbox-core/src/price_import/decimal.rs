//! Numbers of a price list, read from their text. No binary floating point is involved at any step.

use crate::money::{NanoUsd, UnitPrice};

/// Digits that are kept. No vendor states a price finer; a file written by a program that computes in binary has more
/// (`1.5000000000000002e-06`), and those are noise.
const DIGITS_MAX: usize = 12;
/// Longest text that is taken for a number.
const TEXT_CHARS_MAX: usize = 64;
/// Powers of ten beyond this are no price.
const EXPONENT_MAX: i32 = 40;
/// How many zeros [`UnitPrice::per`] may get so that an amount is whole nano-dollars.
const FINER_STEPS: u32 = 12;
/// A nano-dollar is 10⁻⁹ dollars.
const NANO_DIGITS: i32 = 9;

/// A number of zero or more, exactly as written: `digits × 10^exponent`, without trailing zeros.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decimal {
    digits: u64,
    exponent: i32,
    rounded: bool,
}

/// Text that is no usable number of dollars.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadNumber {
    /// Not a decimal number.
    #[error("is not a number")]
    NotANumber,
    /// Prices are zero or more.
    #[error("is negative")]
    Negative,
    /// Too large or too small for a price.
    #[error("is beyond any price")]
    OutOfRange,
}

impl Decimal {
    /// From JSON's notation of a number, e.g. `2.5e-06` or `0.27`.
    ///
    /// Errors: anything else, negative numbers, and powers of ten beyond 40.
    pub fn parse(text: &str) -> Result<Self, BadNumber> {
        let text = text.trim();
        if text.len() > TEXT_CHARS_MAX {
            return Err(BadNumber::NotANumber);
        }
        let (negative, text) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent_of(exponent)?),
            None => (text, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        if whole.is_empty() || !whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit()) {
            return Err(BadNumber::NotANumber);
        }
        let all = format!("{whole}{fraction}");
        let significant = all.trim_start_matches('0');
        let scale = exponent - i32::try_from(fraction.len()).map_err(|_| BadNumber::OutOfRange)?;
        let number = Self::of_digits(significant, scale)?;
        if negative && number.digits != 0 { Err(BadNumber::Negative) } else { Ok(number) }
    }

    /// The digits rounded half-even to [`DIGITS_MAX`].
    fn of_digits(significant: &str, scale: i32) -> Result<Self, BadNumber> {
        let kept = significant.len().min(DIGITS_MAX);
        let (head, tail) = significant.split_at(kept);
        let mut digits: u64 =
            if head.is_empty() { 0 } else { head.parse().map_err(|_| BadNumber::NotANumber)? };
        let half = format!("5{}", "0".repeat(tail.len().saturating_sub(1)));
        // Texts of the same length compare like the numbers they write.
        let up = !tail.is_empty() && (tail > half.as_str() || (tail == half && digits % 2 == 1));
        digits += u64::from(up);
        let mut exponent = scale + i32::try_from(tail.len()).map_err(|_| BadNumber::OutOfRange)?;
        while digits != 0 && digits.is_multiple_of(10) {
            digits /= 10;
            exponent += 1;
        }
        if digits == 0 {
            exponent = 0;
        }
        if exponent.abs() > EXPONENT_MAX {
            return Err(BadNumber::OutOfRange);
        }
        Ok(Self { digits, exponent, rounded: tail.bytes().any(|digit| digit != b'0') })
    }

    /// Whether it is 0.
    pub const fn is_zero(self) -> bool {
        self.digits == 0
    }

    /// Whether digits were left out as noise of binary arithmetic.
    pub const fn is_rounded(self) -> bool {
        self.rounded
    }

    /// As a whole number, if it is one.
    pub fn whole(self) -> Option<u64> {
        let power = u32::try_from(self.exponent).ok()?;
        self.digits.checked_mul(10_u64.checked_pow(power)?)
    }

    /// The price when this many dollars buy `quantity` units, written for `per` units or, so that it stays whole
    /// nano-dollars, for ten, a hundred … times as many.
    ///
    /// `None` when the price has no exact form in that range.
    pub fn dollars_for(self, quantity: u64, per: u64) -> Option<UnitPrice> {
        (0..=FINER_STEPS).find_map(|step| {
            let factor = 10_u64.checked_pow(step)?;
            let per = per.checked_mul(factor)?;
            let nanos = self.nanos(quantity, per)?;
            UnitPrice::new(NanoUsd::from_nanos(nanos), per).ok()
        })
    }

    /// Nano-dollars for `per` units, if that is a whole number.
    fn nanos(self, quantity: u64, per: u64) -> Option<i64> {
        let power = self.exponent + NANO_DIGITS;
        let ten_to = |power: u32| 10_i128.checked_pow(power);
        let mut numerator = i128::from(self.digits).checked_mul(i128::from(per))?;
        let mut denominator = i128::from(quantity);
        if power >= 0 {
            numerator = numerator.checked_mul(ten_to(power.unsigned_abs())?)?;
        } else {
            denominator = denominator.checked_mul(ten_to(power.unsigned_abs())?)?;
        }
        if denominator == 0 || numerator % denominator != 0 {
            return None;
        }
        i64::try_from(numerator / denominator).ok()
    }

    /// Whether the other number differs from this by at most half a percent: the same price, rounded elsewhere.
    pub fn is_about(self, other: UnitPrice, quantity: u64) -> bool {
        let Some(mine) = self.dollars_for(quantity, other.per()) else { return false };
        let scaled =
            |price: UnitPrice, per: u64| i128::from(price.nano_usd().as_nanos()).checked_mul(i128::from(per));
        let (Some(left), Some(right)) = (scaled(mine, other.per()), scaled(other, mine.per())) else {
            return false;
        };
        (left - right).abs().saturating_mul(200) <= right
    }
}

fn exponent_of(text: &str) -> Result<i32, BadNumber> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || digits.len() > 4 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(BadNumber::NotANumber);
    }
    text.parse().map_err(|_| BadNumber::NotANumber)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn per_million(text: &str) -> (i64, u64) {
        let price = Decimal::parse(text).unwrap().dollars_for(1, 1_000_000).unwrap();
        (price.nano_usd().as_nanos(), price.per())
    }

    #[test]
    fn a_price_per_token_becomes_exact_nano_dollars_per_million() {
        assert_eq!(per_million("2.5e-06"), (2_500_000_000, 1_000_000));
        assert_eq!(per_million("1e-08"), (10_000_000, 1_000_000));
        assert_eq!(per_million("0.00000125"), (1_250_000_000, 1_000_000));
        assert_eq!(per_million("7.5E-8"), (75_000_000, 1_000_000));
        assert_eq!(per_million("0"), (0, 1_000_000));
    }

    #[test]
    fn a_price_finer_than_a_nano_dollar_per_million_keeps_its_digits_by_a_larger_lot() {
        assert_eq!(per_million("2.384185791e-16"), (2_384_185_791, 10_000_000_000_000_000));
        assert_eq!(per_million("1.00000000001e-6"), (100_000_000_001, 100_000_000));
    }

    #[test]
    fn noise_of_binary_arithmetic_is_taken_off_and_said_so() {
        let noisy = Decimal::parse("1.5000000000000002e-06").unwrap();
        assert!(noisy.is_rounded());
        assert_eq!(
            noisy.dollars_for(1, 1_000_000),
            Decimal::parse("1.5e-6").unwrap().dollars_for(1, 1_000_000)
        );
        assert_eq!(per_million("2.9999999999999998e-07"), (300_000_000, 1_000_000));
        assert!(!Decimal::parse("2.5e-06").unwrap().is_rounded());
        assert!(!Decimal::parse("1.50000000000000000000").unwrap().is_rounded());
    }

    #[test]
    fn what_is_no_price_is_refused_with_its_reason() {
        for text in
            ["", "-", ".", "1.2.3", "0x10", "NaN", "Infinity", "1e", "1e+", "e5", "1,5", "½", "1e99999"]
        {
            assert_eq!(Decimal::parse(text), Err(BadNumber::NotANumber), "{text}");
        }
        assert_eq!(Decimal::parse(&"9".repeat(65)), Err(BadNumber::NotANumber));
        assert_eq!(Decimal::parse("-1e-6"), Err(BadNumber::Negative));
        assert_eq!(Decimal::parse("-0.0").unwrap(), Decimal::parse("0").unwrap());
        assert_eq!(Decimal::parse("1e400"), Err(BadNumber::OutOfRange));
        assert_eq!(Decimal::parse("1e-400"), Err(BadNumber::OutOfRange));
    }

    #[test]
    fn a_rate_per_second_is_recognised_as_a_rounded_rate_per_minute() {
        let per_minute = Decimal::parse("0.0043").unwrap().dollars_for(60_000, 60_000).unwrap();
        assert!(Decimal::parse("7.167e-05").unwrap().is_about(per_minute, 1_000));
        assert!(!Decimal::parse("7.3e-05").unwrap().is_about(per_minute, 1_000));
    }

    proptest! {
        #[test]
        fn a_price_written_per_token_says_the_same_as_the_price_per_million(nanos in 1..1_000_000_000_000_i64) {
            let text = format!("{nanos}e-15");
            let price = Decimal::parse(&text).unwrap().dollars_for(1, 1_000_000).unwrap();
            prop_assert_eq!((price.nano_usd().as_nanos(), price.per()), (nanos, 1_000_000));
        }

        #[test]
        fn no_text_makes_the_reader_panic(text in ".{0,80}") {
            if let Ok(number) = Decimal::parse(&text) {
                let _ = number.dollars_for(1, 1_000_000);
                let _ = number.dollars_for(1_000, 1);
            }
        }
    }
}
