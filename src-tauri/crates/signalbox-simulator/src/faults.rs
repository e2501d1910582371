//! Which requests go wrong, decided by their position alone so that a test can say which.

use crate::dials::{Dials, ErrorKind};

/// Millionths: `error_rate` is compared in integers, so that "every fourth" never drifts.
const PARTS: u64 = 1_000_000;

/// What happens to the request at `position` (0 for the first one since the dials were set).
pub(crate) fn fault_at(dials: &Dials, position: u64) -> ErrorKind {
    if dials.fail_first_n > 0 {
        let kind = if dials.error == ErrorKind::None { ErrorKind::ServerError } else { dials.error };
        return if position < dials.fail_first_n { kind } else { ErrorKind::None };
    }
    if dials.error == ErrorKind::None {
        return ErrorKind::None;
    }
    let share = parts(dials.error_rate);
    let failed_before = position.saturating_mul(share) / PARTS;
    let failed_after = position.saturating_add(1).saturating_mul(share) / PARTS;
    if failed_after > failed_before { dials.error } else { ErrorKind::None }
}

/// A share as millionths.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "dials are checked to lie between 0 and 1 and the value is clamped again here"
)]
fn parts(share: f64) -> u64 {
    (share.clamp(0.0, 1.0) * 1e6).round() as u64
}

/// A seeded wait from 0 to `jitter_ms`, the same for the same seed and position.
pub(crate) fn jitter_ms(dials: &Dials, position: u64) -> u64 {
    match dials.jitter_ms {
        0 => 0,
        most => mixed(dials.seed.wrapping_add(position)) % most.saturating_add(1),
    }
}

/// The finaliser of splitmix64: neighbouring inputs give unrelated outputs.
fn mixed(input: u64) -> u64 {
    let mut z = input.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failing(dials: &Dials, requests: u64) -> Vec<u64> {
        (0..requests).filter(|position| fault_at(dials, *position) != ErrorKind::None).collect()
    }

    #[test]
    fn a_rate_of_a_quarter_fails_every_fourth_request() {
        let dials = Dials { error: ErrorKind::ServerError, error_rate: 0.25, ..Dials::default() };
        assert_eq!(failing(&dials, 12), vec![3, 7, 11]);
    }

    #[test]
    fn the_rate_is_kept_exactly_over_many_requests() {
        let dials = Dials { error: ErrorKind::Overloaded, error_rate: 0.037, ..Dials::default() };
        assert_eq!(failing(&dials, 100_000).len(), 3_700);
    }

    #[test]
    fn the_first_n_fail_and_no_other() {
        let dials = Dials { fail_first_n: 2, ..Dials::default() };
        assert_eq!(failing(&dials, 10), vec![0, 1]);
        assert_eq!(fault_at(&dials, 0), ErrorKind::ServerError);
    }

    #[test]
    fn jitter_stays_in_its_range_and_repeats_for_its_seed() {
        let dials = Dials { jitter_ms: 10, seed: 7, ..Dials::default() };
        let first: Vec<u64> = (0..50).map(|position| jitter_ms(&dials, position)).collect();
        let again: Vec<u64> = (0..50).map(|position| jitter_ms(&dials, position)).collect();
        assert_eq!(first, again);
        assert!(first.iter().all(|wait| *wait <= 10));
        assert!(first.iter().any(|wait| *wait != first[0]));
    }
}
