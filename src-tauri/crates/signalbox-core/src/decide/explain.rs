//! A decision in words, for people.

use super::{Acceptance, Candidate, Decision, Rejection, Score, Verdict};
use crate::route::Strategy;

/// Why a candidate stands where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// 1 is tried first; `None` when it is not tried.
    pub order: Option<u32>,
    /// A machine word: `first`, `standby`, `pinned`, `nothing_set_up`, `preferred`, `degraded`, `last_resort`, or why it was
    /// rejected.
    pub code: &'static str,
    /// In words.
    pub reason: String,
    /// What it was ordered by, in words, e.g. `$0.00021` or `412 ms`.
    pub score: Option<String>,
}

impl Decision {
    /// Each candidate with its explanation, in the decision's order.
    pub fn explain(&self) -> impl Iterator<Item = (&Candidate, Explanation)> {
        let mut order = 0;
        self.candidates.iter().map(move |candidate| {
            order += u32::from(candidate.is_accepted());
            let order = candidate.is_accepted().then_some(order);
            let (code, reason) = self.because(candidate, order);
            let score = candidate.score.map(|score| score.in_words());
            (candidate, Explanation { order, code, reason, score })
        })
    }

    /// Why the first target of the chain is the first, in words that follow "because"; `None` when nothing can be tried.
    pub fn why_first(&self) -> Option<String> {
        let first = self.chain().next()?;
        Some(match first.verdict {
            Verdict::Accepted(Acceptance::Pinned) => "the client asked for it".to_owned(),
            Verdict::Accepted(Acceptance::NothingSetUp) => {
                "no target of the chain has been set up yet".to_owned()
            }
            Verdict::Accepted(Acceptance::Preferred) => {
                format!("the rule {} prefers it", self.rule_in_words())
            }
            Verdict::Accepted(Acceptance::LastResort) => {
                "there is no other target, although it would be left alone otherwise".to_owned()
            }
            Verdict::Accepted(Acceptance::Degraded) => {
                "there is no better one, although too many of its calls fail".to_owned()
            }
            Verdict::Accepted(Acceptance::Chain) | Verdict::Rejected(_) => self.why_by_strategy(first),
        })
    }

    /// Why nothing can be tried, in words; for the client when the chain is empty.
    pub fn rejections_in_words(&self) -> String {
        let reasons: Vec<String> = self
            .candidates
            .iter()
            .filter_map(|candidate| {
                let reason = candidate.rejection()?;
                Some(format!("{}: {}", candidate.target, self.rejected(candidate, reason)))
            })
            .collect();
        if reasons.is_empty() { "the route has no targets".to_owned() } else { reasons.join("; ") }
    }

    fn because(&self, candidate: &Candidate, order: Option<u32>) -> (&'static str, String) {
        let is_first = order == Some(1);
        match candidate.verdict {
            Verdict::Accepted(Acceptance::Chain) if is_first => ("first", self.why_by_strategy(candidate)),
            Verdict::Accepted(Acceptance::Chain) => {
                ("standby", "next in order, if those before it fail".to_owned())
            }
            Verdict::Accepted(Acceptance::Pinned) => {
                ("pinned", "the client asked for this target".to_owned())
            }
            Verdict::Accepted(Acceptance::NothingSetUp) => (
                "nothing_set_up",
                "no target of the chain has been set up yet, so the simulator answers".to_owned(),
            ),
            Verdict::Accepted(Acceptance::Preferred) => {
                ("preferred", format!("the rule {} prefers it", self.rule_in_words()))
            }
            Verdict::Accepted(Acceptance::Degraded) => {
                ("degraded", "at most half of its recent calls were answered, so it comes last".to_owned())
            }
            Verdict::Accepted(Acceptance::LastResort) => {
                let despite = candidate.despite.map_or("it is unwell", Rejection::in_words);
                ("last_resort", format!("{despite}, but there is no other target"))
            }
            Verdict::Rejected(reason) => (reason.as_str(), self.rejected(candidate, reason)),
        }
    }

    fn rejected(&self, candidate: &Candidate, reason: Rejection) -> String {
        let words = match reason {
            Rejection::RuledOut => format!("the rule {} wants other targets", self.rule_in_words()),
            _ => reason.in_words().to_owned(),
        };
        match candidate.until.and_then(crate::time::Timestamp::to_chrono) {
            Some(until) => format!("{words}, until {}", until.format("%H:%M:%S UTC")),
            None => words,
        }
    }

    fn rule_in_words(&self) -> String {
        self.rule.as_ref().map_or_else(|| "that matched".to_owned(), |rule| format!("“{}”", rule.name))
    }

    fn why_by_strategy(&self, first: &Candidate) -> String {
        let by = match self.strategy {
            Strategy::Priority => None,
            Strategy::Cheapest => Some("this request costs least there"),
            Strategy::Fastest => Some("it usually answers soonest"),
            Strategy::Quality => Some("its quality is the highest"),
            Strategy::Balanced => Some("its mix of cost, time and quality is the best"),
            Strategy::Weighted if matches!(first.score, Some(Score::Weight { drawn: true, .. })) => {
                Some("the draw by weight fell on it")
            }
            Strategy::Weighted => Some("it weighs most of those that can be used"),
        };
        let score = first.score.map(|score| score.in_words());
        let is_only_one = self.chain().nth(1).is_none();
        let skipped = self.candidates.len() - self.chain().count();
        match (by, score) {
            (Some(by), Some(score)) if !is_only_one => format!("{by}: {score}"),
            _ if skipped == 0 => "it is the first of the chain".to_owned(),
            _ => format!("it is the first usable target; {skipped} of the chain cannot be used"),
        }
    }
}
