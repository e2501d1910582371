//! A bill above all that a request can come to by its price: either the price or the provider's count is wrong.

use serde::{Deserialize, Serialize};

use crate::ids::RequestId;
use crate::money::NanoUsd;
use crate::price::{PriceCard, card_at};
use crate::time::Timestamp;

/// The bill because of which a model is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Breach {
    /// When it came.
    pub at: Timestamp,
    /// For which request.
    pub request: RequestId,
    /// The most that request could come to by the price.
    pub bound: NanoUsd,
    /// What it did come to.
    pub cost: NanoUsd,
    /// First instant of the card it was priced by.
    pub card: Timestamp,
}

impl Breach {
    /// Whether it still keeps the model of these cards out: it does while the price that was wrong is the one in force.
    pub fn holds(&self, cards: &[PriceCard], now: Timestamp) -> bool {
        card_at(cards, now).is_some_and(|card| card.effective_from == self.card)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::price::usd_per_million;
    use crate::usage::Unit;

    #[test]
    fn a_breach_holds_until_another_price_is_in_force() {
        let price = (Unit::InputTokens, usd_per_million("1").unwrap());
        let from = |micros| PriceCard::of_tokens(Timestamp::from_micros(micros), [price]);
        let at = Timestamp::from_micros(50);
        let breach = Breach {
            at,
            request: RequestId::generate(),
            bound: NanoUsd::from_nanos(1),
            cost: NanoUsd::from_nanos(2),
            card: Timestamp::from_micros(10),
        };
        let cards = [from(1), from(10), from(100)];
        assert!(breach.holds(&cards, at) && breach.holds(&cards, Timestamp::from_micros(99)));
        assert!(!breach.holds(&cards, Timestamp::from_micros(100)), "a planned price has come into force");
        assert!(!breach.holds(&[from(10), from(49)], at), "an admin has set another one");
        assert!(!breach.holds(&[], at));
    }
}
