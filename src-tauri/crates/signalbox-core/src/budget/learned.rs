//! How long answers really are: what a request holds, while it runs, instead of the most it could cost.

/// Answers that must have been seen before what is usual is believed.
pub const OBSERVATIONS_MIN: u64 = 30;
/// Answers after which older ones count half, so that a change of habit shows within a few hundred.
const OBSERVATIONS_MAX: u64 = 1_024;
/// Bars per doubling: a bar's upper edge is at most an eighth above any answer in it.
const BARS_PER_DOUBLING: u32 = 8;
const BARS: usize = 64 * BARS_PER_DOUBLING as usize;

/// A histogram of answers' lengths. Units: tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswerSizes {
    bars: Box<[u32]>,
    seen: u64,
}

impl Default for AnswerSizes {
    fn default() -> Self {
        Self { bars: vec![0; BARS].into_boxed_slice(), seen: 0 }
    }
}

impl AnswerSizes {
    /// Notes one answer.
    pub fn note(&mut self, tokens: u64) {
        if self.seen >= OBSERVATIONS_MAX {
            for count in &mut self.bars {
                *count /= 2;
            }
            self.seen = self.bars.iter().map(|count| u64::from(*count)).sum();
        }
        if let Some(count) = self.bars.get_mut(bar_of(tokens)) {
            *count = count.saturating_add(1);
            self.seen += 1;
        }
    }

    /// A length that 95 of 100 answers do not pass; `None` while too few were seen.
    pub fn p95(&self) -> Option<u64> {
        if self.seen < OBSERVATIONS_MIN {
            return None;
        }
        let rank = self.seen.saturating_mul(95).div_ceil(100);
        let mut below = 0;
        self.bars.iter().enumerate().find_map(|(bar, count)| {
            below += u64::from(*count);
            (below >= rank).then(|| upper_edge(bar))
        })
    }
}

fn bar_of(tokens: u64) -> usize {
    let Some(doubling) = tokens.checked_ilog2() else { return 0 };
    let within = if doubling < 3 { tokens << (3 - doubling) } else { tokens >> (doubling - 3) };
    // `within` is 8 to 15: the bar within the doubling.
    let bar = u64::from(doubling * BARS_PER_DOUBLING) + (within - u64::from(BARS_PER_DOUBLING));
    usize::try_from(bar).unwrap_or(BARS - 1).min(BARS - 1)
}

/// The longest answer of a bar.
fn upper_edge(bar: usize) -> u64 {
    let bar = u32::try_from(bar).unwrap_or(u32::MAX);
    let (doubling, within) = (bar / BARS_PER_DOUBLING, bar % BARS_PER_DOUBLING);
    let above = u128::from(BARS_PER_DOUBLING + within + 1) << doubling;
    u64::try_from(above.div_ceil(u128::from(BARS_PER_DOUBLING)) - 1).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn an_answer_is_never_above_the_edge_of_its_bar_and_never_far_below_it(tokens in 1..u64::MAX / 4) {
            let edge = upper_edge(bar_of(tokens));
            prop_assert!(edge >= tokens, "{edge} < {tokens}");
            prop_assert!(edge <= tokens + tokens / 8 + 1, "{edge} is far above {tokens}");
        }

        #[test]
        fn at_least_95_of_100_answers_fit_what_is_usual(mut answers in proptest::collection::vec(0..20_000_u64, 30..400)) {
            let mut sizes = AnswerSizes::default();
            for tokens in &answers {
                sizes.note(*tokens);
            }
            let p95 = sizes.p95().unwrap();
            let fitting = answers.iter().filter(|tokens| **tokens <= p95).count();
            prop_assert!(fitting * 100 >= answers.len() * 95);
            answers.sort_unstable();
            let exact = answers[(answers.len() * 95).div_ceil(100) - 1];
            prop_assert!(p95 <= exact + exact / 8 + 1, "{p95} is far above {exact}");
        }
    }

    #[test]
    fn nothing_is_usual_until_thirty_answers_were_seen_and_new_habits_push_old_ones_out() {
        let mut sizes = AnswerSizes::default();
        for _ in 0..29 {
            sizes.note(100);
        }
        assert_eq!(sizes.p95(), None);
        sizes.note(100);
        assert!(sizes.p95().is_some_and(|tokens| (100..=112).contains(&tokens)));
        for _ in 0..10_000 {
            sizes.note(4_000);
        }
        assert!(sizes.p95().is_some_and(|tokens| tokens >= 4_000));
        for _ in 0..10_000 {
            sizes.note(10);
        }
        assert!(sizes.p95().is_some_and(|tokens| tokens <= 12));
    }
}
