//! Back to former prices. A card that was in force stays in the books: the former prices hold again as a new card.

use signalbox_core::price::{CardOrigin, PriceCard};
use signalbox_core::route::Target;
use signalbox_core::snapshot::{ModelEntry, Snapshot};
use signalbox_core::time::Timestamp;
use signalbox_store::ConfigWrite;

use super::free_instant;
use crate::app::App;
use crate::error::{AppError, Code};
use crate::models::ModelState;

/// What the history keeps of a change of prices: the models it touched.
#[derive(serde::Serialize, serde::Deserialize)]
pub(crate) struct PricesState {
    pub(crate) models: Vec<ModelState>,
}

impl From<ModelState> for PricesState {
    fn from(model: ModelState) -> Self {
        Self { models: vec![model] }
    }
}

/// What puts prices back, and how the models stand before and after that.
pub(crate) struct Restored {
    pub(crate) writes: Vec<ConfigWrite>,
    pub(crate) before: PricesState,
    pub(crate) after: PricesState,
}

/// Puts every model that a change touched back to the prices it had before that change, from now on. A model the change
/// brought in goes again.
///
/// Errors: [`Code::Refused`] when such a model is in a route by now, and when nothing is left to put back.
pub(crate) async fn restore(
    app: &App,
    before: PricesState,
    after: PricesState,
) -> Result<Restored, AppError> {
    let live = app.live().await?;
    let now = app.now();
    let mut restored = Restored {
        writes: Vec::new(),
        before: PricesState { models: Vec::new() },
        after: PricesState { models: Vec::new() },
    };
    for touched in after.models {
        let target = target_of(&touched);
        let Some(current) = live.snapshot.models.get(&target) else { continue };
        let was = before.models.iter().find(|was| target_of(was) == target);
        let writes = match was {
            Some(was) => former_prices(&target, was, current, now),
            None => vec![removal(&live.snapshot, &target)?],
        };
        if writes.is_empty() {
            continue;
        }
        restored.before.models.push(ModelState::from(current));
        if was.is_some() {
            restored.after.models.push(with(current, &writes));
        }
        restored.writes.extend(writes);
    }
    if restored.writes.is_empty() {
        return Err(AppError::new(
            Code::Refused,
            "The prices are what they were before, or the models are gone.",
        ));
    }
    Ok(restored)
}

fn target_of(state: &ModelState) -> Target {
    Target { provider: state.model.provider.clone(), model: state.model.name.clone() }
}

fn removal(snapshot: &Snapshot, target: &Target) -> Result<ConfigWrite, AppError> {
    let mut users = snapshot.operations.values();
    if let Some(user) = users.find(|entry| entry.route.targets.iter().any(|card| card.target == *target)) {
        let message =
            format!("{target} came in with this change and is in the route of {} by now.", user.operation.id);
        return Err(AppError::new(Code::Refused, message));
    }
    Ok(ConfigWrite::RemoveModel { target: target.clone() })
}

/// The writes after which, from now on, each instant has the price it had by the former cards.
fn former_prices(
    target: &Target,
    was: &ModelState,
    current: &ModelEntry,
    now: Timestamp,
) -> Vec<ConfigWrite> {
    let mut writes = Vec::new();
    if was.model != current.model {
        writes.push(ConfigWrite::PutModel { model: was.model.clone() });
    }
    let wanted = in_force(&was.cards, now);
    if !is_same(Some(&wanted), begun(&current.cards, now)) {
        writes.push(put(target, PriceCard { effective_from: free_instant(&current.cards, now), ..wanted }));
    }
    // Cards that have not begun were never in force, so they may be replaced.
    for card in current.cards.iter().filter(|card| card.effective_from > now) {
        let wanted = in_force(&was.cards, card.effective_from);
        if !is_same(Some(&wanted), Some(card)) {
            writes.push(put(target, PriceCard { effective_from: card.effective_from, ..wanted }));
        }
    }
    let planned = was.cards.iter().filter(|card| card.effective_from > now);
    let is_there =
        |card: &PriceCard| current.cards.iter().any(|own| own.effective_from == card.effective_from);
    writes.extend(planned.filter(|card| !is_there(card)).map(|card| put(target, card.clone())));
    writes
}

fn put(target: &Target, card: PriceCard) -> ConfigWrite {
    ConfigWrite::PutPriceCard { target: target.clone(), card }
}

/// The latest card that has begun, one without prices included.
fn begun(cards: &[PriceCard], at: Timestamp) -> Option<&PriceCard> {
    cards.iter().filter(|card| card.effective_from <= at).max_by_key(|card| card.effective_from)
}

/// The card in force at `at`; where there was none, one without prices, which says just that.
fn in_force(cards: &[PriceCard], at: Timestamp) -> PriceCard {
    begun(cards, at)
        .cloned()
        .unwrap_or_else(|| PriceCard { origin: CardOrigin::Own, ..PriceCard::of_tokens(at, []) })
}

/// Whether two cards say the same, apart from when they begin. No card says the same as one without prices.
fn is_same(left: Option<&PriceCard>, right: Option<&PriceCard>) -> bool {
    let said = |card: &PriceCard| PriceCard { effective_from: Timestamp::default(), ..card.clone() };
    match (left, right) {
        (Some(left), Some(right)) => said(left) == said(right),
        (Some(one), None) | (None, Some(one)) => one.units.is_empty(),
        (None, None) => true,
    }
}

/// A model as it will stand after the writes.
fn with(current: &ModelEntry, writes: &[ConfigWrite]) -> ModelState {
    let mut state = ModelState::from(current);
    for write in writes {
        match write {
            ConfigWrite::PutModel { model } => state.model = model.clone(),
            ConfigWrite::PutPriceCard { card, .. } => {
                state.cards.retain(|own| own.effective_from != card.effective_from);
                state.cards.push(card.clone());
            }
            _ => {}
        }
    }
    state
}
