//! What a call may cost: the most, and what calls like it usually come to.

use signalbox_core::budget::{Amount, Claim};
use signalbox_core::decide;
use signalbox_core::ids::OperationId;
use signalbox_core::meter::{Bound, estimate};
use signalbox_core::money::NanoUsd;
use signalbox_core::route::Target;
use signalbox_core::time::Timestamp;

use crate::live::Live;

/// A claim for one call of `target`. `usual` is a length that answers seldom pass, if that is known.
///
/// The most is a bound: the answer is counted at what the client, the route or the model allows it at most, and where
/// nobody limits it, it is limited (`tokens_out_max`). A target without a price claims its provider's dearest one.
pub(super) fn claim(
    live: &Live,
    operation: &OperationId,
    target: &Target,
    bound: Bound,
    usual: Option<u64>,
    now: Timestamp,
) -> Claim {
    let most = bound.with_answers_of(tokens_out_max(live, operation, target));
    let usual = usual.map(|tokens| tokens.saturating_mul(most.open_answers.max(1)));
    let tokens_out_max = usual.map_or(most.tokens_out_max, |usual| usual.min(most.tokens_out_max));
    let likely = Bound { tokens_out_max, ..most };
    let amount = |bound: Bound| Amount {
        cost: cost(live, operation, target, bound, now),
        tokens: bound
            .tokens_in
            .saturating_add(bound.tokens_out_max)
            .saturating_add(bound.audio_tokens_out_max),
        requests: 0,
    };
    Claim { likely: amount(likely), most: amount(most) }
}

/// How long one answer may get where the client does not say: what the route's card or the model allows.
pub(crate) fn tokens_out_max(live: &Live, operation: &OperationId, target: &Target) -> Option<u64> {
    let entry = live.snapshot.operations.get(operation);
    let card = entry.and_then(|entry| entry.route.targets.iter().find(|card| card.target == *target));
    let of_card = card.and_then(|card| card.max_output);
    let of_model = live.snapshot.models.get(target).and_then(|entry| entry.model.max_output);
    of_card.into_iter().chain(of_model).min().map(u64::from)
}

/// What is beyond all money is as much as there is: no budget has room for it.
fn cost(live: &Live, operation: &OperationId, target: &Target, bound: Bound, now: Timestamp) -> NanoUsd {
    const BEYOND: NanoUsd = NanoUsd::from_nanos(i64::MAX);
    let cards = live.snapshot.models.get(target).map_or(&[][..], |entry| &entry.cards);
    match estimate(cards, now, bound) {
        Ok(Some(cost)) => cost,
        Ok(None) => {
            let capability = live.snapshot.operations.get(operation).map(|entry| entry.operation.capability);
            let dearest = capability.and_then(|capability| {
                decide::estimate_at_the_dearest(&live.snapshot, target, capability, bound, now)
            });
            dearest.unwrap_or_default()
        }
        Err(_) => BEYOND,
    }
}
