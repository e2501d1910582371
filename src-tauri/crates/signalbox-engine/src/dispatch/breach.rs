//! Bills above all that a request can come to.

use signalbox_core::breach::Breach;
use signalbox_core::ledger::Attempt;
use signalbox_core::meter::{Bound, estimate};
use signalbox_core::price::card_at;
use signalbox_providers::{Payload, input_at_most};

use super::attempt::output_field;
use super::run::Run;

impl Run {
    /// The breach, if an attempt's bill is above all its request can come to by the price in force. Nothing is claimed where
    /// somebody else could make the request longer, so that nobody is suspected of what we only guessed.
    pub(super) fn breach_of(&self, attempt: &Attempt) -> Option<Breach> {
        let (cost, target) = (attempt.cost.total?, &attempt.target);
        let candidate =
            self.start.decision.candidates.iter().find(|candidate| candidate.target == *target)?;
        // What it usually costs at most is never above what it can come to; most requests are done with here.
        if candidate.estimate.is_some_and(|estimate| cost <= estimate) {
            return None;
        }
        let bound = self.bound_of(attempt)?;
        let cards = &self.live.snapshot.models.get(target)?.cards;
        let at = self.start.started_at.plus_micros(attempt.started_us);
        let card = card_at(cards, at)?.effective_from;
        let bound = estimate(cards, at, bound).ok().flatten()?;
        let (at, request) = (self.start.started_at.plus_micros(attempt.finished_us), self.start.id);
        (cost > bound).then_some(Breach { at, request, bound, cost, card })
    }

    /// The most the call could use: a token for each byte, and the limit of the answer that went out with it.
    fn bound_of(&self, attempt: &Attempt) -> Option<Bound> {
        let asked = self.start.decision.asked?.bound;
        let tokens_in = input_at_most(self.start.surface, &self.payload)?;
        let tokens_out_max = if asked.open_answers == 0 {
            asked.tokens_out_max
        } else {
            self.limit_sent(attempt)?.saturating_mul(asked.open_answers)
        };
        Some(Bound { tokens_in, tokens_out_max, ..asked })
    }

    /// How long an answer might be by what was sent, where the client did not say.
    fn limit_sent(&self, attempt: &Attempt) -> Option<u64> {
        let target = &attempt.target;
        let Payload::Json(sent) = self.payload_for(target, self.card(target)) else { return None };
        let field = output_field(self.start.surface, target, |field| sent.contains_key(field))?;
        sent.get(field)?.as_u64()
    }
}
