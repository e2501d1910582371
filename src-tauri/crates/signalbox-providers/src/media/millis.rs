//! Times of sound in whole milliseconds: read from a vendor's decimal seconds and written back as such, never through a
//! float.

use serde_json::{Number, Value};

/// No recording lasts longer; who says so is not believed. Units: milliseconds. Thirty days.
const MILLIS_MAX: u64 = 30 * 24 * 3600 * 1000;

/// Milliseconds of a number of seconds as it is written, e.g. `25.933313`, rounded to the nearest one. `None` for what is
/// negative, no number, or beyond reason.
pub(super) fn of_seconds(seconds: &Value) -> Option<u64> {
    match seconds {
        Value::Number(number) => of_number(number),
        Value::String(text) => of_text(text),
        _ => None,
    }
}

fn of_number(number: &Number) -> Option<u64> {
    of_text(&number.to_string())
}

/// Thousandths of a decimal text such as `1.5` or `2e-3`, rounded half up.
pub(super) fn of_text(text: &str) -> Option<u64> {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = || whole.bytes().chain(fraction.bytes());
    if digits().next().is_none() || !digits().all(|digit| digit.is_ascii_digit()) || text.len() > 40 {
        return None;
    }
    // Where the point of the thousandths stands, counted from the first digit.
    let kept = i32::try_from(whole.len()).ok()?.checked_add(exponent)?.checked_add(3)?;
    let mut millis = 0_u64;
    let mut digits = digits();
    for _ in 0..kept.max(0) {
        let digit = digits.next().map_or(0, |digit| u64::from(digit - b'0'));
        millis = millis.checked_mul(10)?.checked_add(digit)?;
        if millis > MILLIS_MAX {
            return None;
        }
    }
    let rounds_up = kept >= 0 && digits.next().is_some_and(|digit| digit >= b'5');
    Some(millis.saturating_add(u64::from(rounds_up))).filter(|millis| *millis <= MILLIS_MAX)
}

/// Milliseconds as JSON seconds, e.g. `25.933`.
pub(super) fn to_seconds(millis: u64) -> Value {
    let text = format!("{}.{:03}", millis / 1000, millis % 1000);
    serde_json::from_str(&text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn seconds_become_the_nearest_millisecond() {
        for (seconds, millis) in [
            (json!(25.933_313), 25_933),
            (json!(25.933_5), 25_934),
            (json!(0), 0),
            (json!(8), 8_000),
            (json!(0.000_4), 0),
            (json!(0.000_5), 1),
            (json!(1e-7), 0),
            (json!(1.5e3), 1_500_000),
            (json!("12.25"), 12_250),
        ] {
            assert_eq!(of_seconds(&seconds), Some(millis), "{seconds}");
        }
    }

    #[test]
    fn what_is_no_time_is_none() {
        for bad in [
            json!(-1),
            json!(null),
            json!("1:30"),
            json!(1e12),
            json!(""),
            json!("."),
            json!([1]),
            json!("1e999"),
        ] {
            assert_eq!(of_seconds(&bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn a_time_survives_its_seconds(millis in 0..MILLIS_MAX) {
            prop_assert_eq!(of_seconds(&to_seconds(millis)), Some(millis));
        }

        #[test]
        fn any_text_is_read_or_refused_and_never_a_panic(text in "\\PC{0,24}|[0-9.eE+-]{0,24}") {
            let _ = of_text(&text);
        }
    }
}
