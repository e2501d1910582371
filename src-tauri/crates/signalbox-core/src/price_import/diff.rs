//! What a price list would change in an installation. Pure: it says what would be written, and writes nothing.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{ImportedModel, PriceList, Skipped};
use crate::ids::ProviderName;
use crate::money::UnitPrice;
use crate::price::{PriceCard, card_at};
use crate::rate;
use crate::route::Target;
use crate::snapshot::ModelEntry;
use crate::time::Timestamp;
use crate::usage::Unit;

/// A change beyond this is pointed out. Units: tenths of a percent.
const SUSPICIOUS_PERMILLE: i64 = 500;

/// The installation a list is compared with.
#[derive(Debug)]
pub struct Installed<'a> {
    /// For each provider of the installation, the names a list may know it by.
    pub providers: &'a BTreeMap<ProviderName, BTreeSet<ProviderName>>,
    /// Its models.
    pub models: &'a HashMap<Target, ModelEntry>,
    /// The instant the comparison is for.
    pub now: Timestamp,
}

/// A list beside an installation.
#[derive(Debug, Clone, Default)]
pub struct PriceDiff {
    /// Models the installation does not have, or has without a price.
    pub new: Vec<NewModel>,
    /// Models whose price would change.
    pub changed: Vec<ChangedModel>,
    /// Models whose price is what the list says.
    pub unchanged: Vec<Target>,
    /// Entries for the installation's providers that cannot be used, with the reason.
    pub skipped: Vec<Skipped>,
    /// How many entries are for providers the installation does not have, by provider.
    pub other_providers: BTreeMap<String, usize>,
}

/// A model that would come in with its price.
#[derive(Debug, Clone)]
pub struct NewModel {
    /// What it would be called here.
    pub target: Target,
    /// As the list has it; the provider's name is the list's.
    pub model: ImportedModel,
    /// The prices that would hold, and those that follow at a date.
    pub cards: Vec<PriceCard>,
    /// Whether the installation has the model, without a price.
    pub known: bool,
}

/// A model whose price would change.
#[derive(Debug, Clone)]
pub struct ChangedModel {
    /// Which one.
    pub target: Target,
    /// Each rate that changes.
    pub changes: Vec<RateChange>,
    /// The share a batch pays, in percent, before and after, when it changes.
    pub batch_percent: Option<(Option<u32>, Option<u32>)>,
    /// What a person should look at twice.
    pub suspicious: Vec<String>,
    /// What was left out or not modelled.
    pub notes: Vec<String>,
    /// The prices that would hold, and those that follow at a date.
    pub cards: Vec<PriceCard>,
}

/// A rate before and after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RateChange {
    /// In requests that read more than this many tokens; `None` below every bound.
    pub above_input_tokens: Option<u64>,
    /// The unit.
    pub unit: Unit,
    /// What a unit costs now, by a rate of its own or one it is billed as; `None`: unpriced.
    pub before: Option<UnitPrice>,
    /// What it would cost.
    pub after: Option<UnitPrice>,
    /// The change in tenths of a percent, where both are known and the old one is not 0.
    pub permille: Option<i64>,
}

/// Compares a list with an installation.
pub fn diff(list: &PriceList, installed: &Installed<'_>) -> PriceDiff {
    let mut diff = PriceDiff::default();
    let here = |listed: &ProviderName| -> Vec<ProviderName> {
        let known = installed.providers.iter().filter(|(_, names)| names.contains(listed));
        known.map(|(name, _)| name.clone()).collect()
    };
    for model in &list.models {
        let providers = here(&model.provider);
        if providers.is_empty() {
            *diff.other_providers.entry(model.provider.to_string()).or_default() += 1;
        }
        for provider in providers {
            compare(model, &provider, installed, &mut diff);
        }
    }
    for entry in &list.skipped {
        match &entry.provider {
            Some(listed) if here(listed).is_empty() => {
                *diff.other_providers.entry(listed.to_string()).or_default() += 1;
            }
            _ => diff.skipped.push(entry.clone()),
        }
    }
    diff
}

/// A list's name may be the installation's own or one that bills as it.
fn compare(model: &ImportedModel, provider: &ProviderName, installed: &Installed<'_>, diff: &mut PriceDiff) {
    let names = std::iter::once(&model.name).chain(&model.aliases);
    let targets: Vec<Target> = names
        .map(|name| Target { provider: provider.clone(), model: name.clone() })
        .filter(|target| installed.models.contains_key(target))
        .collect();
    if targets.is_empty() {
        let target = Target { provider: provider.clone(), model: model.name.clone() };
        diff.new.push(new_model(target, model, installed.now, false));
    }
    for target in targets {
        let Some(entry) = installed.models.get(&target) else { continue };
        let Some(current) = card_at(&entry.cards, installed.now) else {
            diff.new.push(new_model(target, model, installed.now, true));
            continue;
        };
        let cards = cards_from(model, installed.now, &entry.cards);
        let Some(after) = cards.first() else { continue };
        let changes = changes(current, after);
        let batch_percent = (current.batch_percent != after.batch_percent)
            .then_some((current.batch_percent, after.batch_percent));
        let follows = cards.iter().skip(1).any(|card| !entry.cards.iter().any(|known| is_same(known, card)));
        if changes.is_empty() && batch_percent.is_none() && !follows {
            diff.unchanged.push(target);
            continue;
        }
        let suspicious = suspicious(&changes, current, after);
        let notes = notes(model, entry, &cards, installed.now);
        diff.changed.push(ChangedModel { target, changes, batch_percent, suspicious, notes, cards });
    }
}

fn new_model(target: Target, model: &ImportedModel, now: Timestamp, known: bool) -> NewModel {
    NewModel { target, model: model.clone(), cards: cards_from(model, now, &[]), known }
}

/// The list's prices from `now` on: the one that holds now, dated now, then those of later dates.
///
/// What the list does not price keeps the price it has: a list without searches does not make searches unpriced.
fn cards_from(model: &ImportedModel, now: Timestamp, own: &[PriceCard]) -> Vec<PriceCard> {
    let first = card_at(&model.cards, now).map(|card| PriceCard { effective_from: now, ..card.clone() });
    let later = model.cards.iter().filter(|card| card.effective_from > now).cloned();
    first
        .into_iter()
        .chain(later)
        .map(|mut card| {
            if let Some(current) = card_at(own, card.effective_from) {
                for (unit, price) in &current.units {
                    let listed = card.units.entry(*unit).or_insert(*price);
                    if is_rounded(*price, *listed) {
                        *listed = *price;
                    }
                }
                card.batch_percent = card.batch_percent.or(current.batch_percent);
                keep_tiers(&mut card, current);
            }
            card
        })
        .collect()
}

/// Whether a listed rate is the current one but for rounding: lists state rates per second that are published per minute.
fn is_rounded(current: UnitPrice, listed: UnitPrice) -> bool {
    rate::change_permille(current, listed) == Some(0)
}

/// A unit that only the current card prices keeps its tiers too, where the bounds are the same.
fn keep_tiers(card: &mut PriceCard, current: &PriceCard) {
    for tier in &mut card.tiers {
        let old = current.tiers.iter().find(|old| old.above_input_tokens == tier.above_input_tokens);
        for (unit, price) in old.into_iter().flat_map(|old| &old.units) {
            tier.units.entry(*unit).or_insert(*price);
        }
    }
}

fn is_same(left: &PriceCard, right: &PriceCard) -> bool {
    left.effective_from == right.effective_from
        && left.batch_percent == right.batch_percent
        && changes(left, right).is_empty()
}

/// Each rate that differs, below every bound and above each.
pub fn changes(before: &PriceCard, after: &PriceCard) -> Vec<RateChange> {
    let tiers = || before.tiers.iter().chain(&after.tiers);
    let bounds: BTreeSet<u64> = tiers().map(|tier| tier.above_input_tokens).collect();
    let units: BTreeSet<Unit> = before
        .units
        .keys()
        .chain(after.units.keys())
        .chain(tiers().flat_map(|tier| tier.units.keys()))
        .copied()
        .collect();
    let mut changes = Vec::new();
    for above in std::iter::once(None).chain(bounds.into_iter().map(Some)) {
        let tokens_in = above.map_or(0, |bound| bound.saturating_add(1));
        for unit in &units {
            let (old, new) = (before.unit_price(*unit, tokens_in), after.unit_price(*unit, tokens_in));
            let same = match (old, new) {
                (Some(old), Some(new)) => rate::same(old, new),
                (old, new) => old.is_none() && new.is_none(),
            };
            if !same {
                let permille = old.zip(new).and_then(|(old, new)| rate::change_permille(old, new));
                changes.push(RateChange {
                    above_input_tokens: above,
                    unit: *unit,
                    before: old,
                    after: new,
                    permille,
                });
            }
        }
    }
    changes
}

fn suspicious(changes: &[RateChange], before: &PriceCard, after: &PriceCard) -> Vec<String> {
    let bounds =
        |card: &PriceCard| -> Vec<u64> { card.tiers.iter().map(|tier| tier.above_input_tokens).collect() };
    let mut reasons = Vec::new();
    if after.tiers.is_empty() {
        let lost =
            bounds(before).into_iter().map(|bound| format!("the list has no rates above {bound} tokens"));
        reasons.extend(lost);
    }
    for change in changes {
        let above =
            change.above_input_tokens.map(|bound| format!(" above {bound} tokens")).unwrap_or_default();
        let unit = change.unit;
        match (change.before, change.after, change.permille) {
            (Some(_), None, _) => reasons.push(format!("the price of {unit}{above} would be gone")),
            (_, _, Some(permille)) if permille.abs() > SUSPICIOUS_PERMILLE => {
                let word = if permille > 0 { "rises" } else { "falls" };
                reasons.push(format!("the price of {unit}{above} {word} by {} %", permille.abs() / 10));
            }
            _ => {}
        }
    }
    reasons.extend(dearer_from_cache(after));
    reasons
}

/// Reading from a cache is never dearer than reading afresh; where it is, the two are likely swapped.
pub fn dearer_from_cache(card: &PriceCard) -> Vec<String> {
    let bounds = std::iter::once(0).chain(card.tiers.iter().map(|tier| tier.above_input_tokens + 1));
    let pairs = [
        (Unit::CachedInputTokens, Unit::InputTokens),
        (Unit::CachedAudioInputTokens, Unit::AudioInputTokens),
    ];
    let mut reasons = Vec::new();
    for tokens_in in bounds {
        for (cached, fresh) in pairs {
            let rates = card.unit_price(fresh, tokens_in).zip(card.unit_price(cached, tokens_in));
            let dearer = rates.and_then(|(fresh, cached)| rate::change_permille(fresh, cached));
            if dearer.is_some_and(|change| change > 0) {
                reasons.push(format!("the price of {cached} would be above that of {fresh}"));
            }
        }
    }
    reasons.dedup();
    reasons
}

fn notes(model: &ImportedModel, entry: &ModelEntry, cards: &[PriceCard], now: Timestamp) -> Vec<String> {
    let mut notes = model.notes.clone();
    let named = |card: &PriceCard| card.units.keys().copied().collect::<BTreeSet<_>>();
    let listed: BTreeSet<Unit> = model.cards.iter().flat_map(named).collect();
    let kept: Vec<&str> = cards
        .first()
        .map(|card| {
            card.units.keys().filter(|unit| !listed.contains(unit)).map(|unit| unit.as_str()).collect()
        })
        .unwrap_or_default();
    if !kept.is_empty() {
        notes.push(format!("the list does not price {}: they keep their price", kept.join(", ")));
    }
    let planned = |cards: &[PriceCard]| cards.iter().any(|card| card.effective_from > now);
    if planned(&entry.cards) && !planned(cards) {
        notes.push("a later price is planned already and stays planned".to_owned());
    }
    notes
}
