//! Prices: what models cost, since when and by whose word; own prices; lists to import.
//!
//! A price is never edited once it was in force: every change is a new card from now (or a later day) on, and an entry of the
//! history that can be reverted.

pub mod block;
mod cards;
pub mod import;
pub(crate) mod restore;

use std::collections::{BTreeMap, BTreeSet};

use signalbox_core::change::ChangeKind;
use signalbox_core::money::{NanoUsd, UnitPrice};
use signalbox_core::operation::Capability;
use signalbox_core::price::{CardOrigin, PriceCard, PriceTier, card_at};
use signalbox_core::price_import::diff;
use signalbox_core::rate;
use signalbox_core::rollup::{Step, Sums};
use signalbox_core::route::Target;
use signalbox_core::snapshot::{ModelEntry, Snapshot};
use signalbox_core::time::Timestamp;
use signalbox_core::usage::Unit;
use signalbox_store::{ConfigWrite, GroupBy, RollupQuery};

use crate::app::{App, Caller, Role, json, reason, sentence};
use crate::error::AppError;
use crate::models::ModelState;
use crate::propose::{Plan, ProposedChange};
use crate::{dto, view};
use restore::PricesState;

/// Most rows of a page.
const PAGE_ROWS_MAX: u32 = 500;
/// How far back requests without a known cost are counted. Units: days.
const UNPRICED_DAYS: i64 = 30;
/// Most tiers a model may have; vendors have one, at most three.
const TIERS_MAX: usize = 8;
/// How many changes a sentence of the history names.
const TOLD_MAX: usize = 3;

/// A page of models with what they cost now, by name.
///
/// Errors: an unknown capability or origin, a cursor that is not one of ours.
pub async fn page(
    app: &App,
    caller: &Caller,
    filter: dto::PriceFilter,
    cursor: Option<String>,
    limit: u32,
) -> Result<dto::PricePage, AppError> {
    caller.must_be(Role::Viewer)?;
    let filter = Filter::of(filter)?;
    let after: Option<Target> = cursor
        .map(|text| text.parse().map_err(|_| AppError::invalid("cursor", "The cursor is not one of ours.")))
        .transpose()?;
    let live = app.live().await?;
    let now = app.now();
    let in_use = targets_in_use(&live.snapshot);
    let models = &live.snapshot.models;
    let mut found: Vec<_> =
        models.iter().filter(|(target, entry)| filter.accepts(target, entry, now)).collect();
    found.sort_by_key(|(target, _)| target.to_string());
    let total = found.len();
    let limit = usize::try_from(limit.clamp(1, PAGE_ROWS_MAX)).unwrap_or(1);
    let rest: Vec<_> = found
        .into_iter()
        .filter(|(target, _)| after.as_ref().is_none_or(|after| target.to_string() > after.to_string()))
        .collect();
    let next =
        (rest.len() > limit).then(|| rest.get(limit - 1).map(|(target, _)| target.to_string())).flatten();
    let rows = rest
        .into_iter()
        .take(limit)
        .map(|(target, entry)| cards::row(target, entry, now, in_use.contains(target)))
        .collect();
    let unpriced = models.values().filter(|entry| card_at(&entry.cards, now).is_none()).count();
    let mut blocked: Vec<String> = models
        .iter()
        .filter(|(_, entry)| entry.breach_at(now).is_some())
        .map(|(target, _)| target.to_string())
        .collect();
    blocked.sort();
    let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    Ok(dto::PricePage { rows, next, total: count(total), unpriced: count(unpriced), blocked })
}

/// Every price a model had, has, and is planned to have.
pub async fn history(app: &App, caller: &Caller, target: &str) -> Result<dto::PriceHistory, AppError> {
    caller.must_be(Role::Viewer)?;
    let live = app.live().await?;
    let (target, entry) = known(&live.snapshot, target)?;
    let now = app.now();
    let mut dated: Vec<&PriceCard> = entry.cards.iter().collect();
    dated.sort_by_key(|card| std::cmp::Reverse(card.effective_from));
    let facts = catalogue_facts(app, &live.snapshot, &target);
    Ok(dto::PriceHistory {
        row: cards::row(&target, entry, now, targets_in_use(&live.snapshot).contains(&target)),
        cards: dated.into_iter().map(|card| cards::shown(card, &entry.cards, now)).collect(),
        note: facts.as_ref().and_then(|facts| facts.note.clone()),
        aliases: facts
            .map(|facts| facts.aliases.iter().map(ToString::to_string).collect())
            .unwrap_or_default(),
    })
}

/// What new prices would change, without changing anything.
///
/// Errors: as [`set`].
pub async fn preview(
    app: &App,
    caller: &Caller,
    input: dto::PriceInput,
) -> Result<dto::PricePreview, AppError> {
    caller.must_be(Role::Viewer)?;
    let live = app.live().await?;
    let draft = Draft::of(app, &live.snapshot, &input)?;
    Ok(draft.preview(app.now()))
}

/// Gives a model prices of one's own from now or a later day on. What was charged before stays as it was.
///
/// Errors: unknown model or unit; a price that is not plain decimal dollars or that nobody can mean; a day in the past;
/// prices that leave what the model does without one.
pub async fn set(
    app: &App,
    caller: &Caller,
    input: dto::PriceInput,
) -> Result<dto::Proposed<dto::PriceRow>, AppError> {
    let name = input.target.clone();
    let outcome = app.propose(caller, &ProposedChange::Price(input)).await?;
    outcome.shown(async || row(app, &name).await).await
}

pub(crate) async fn plan(app: &App, input: &dto::PriceInput) -> Result<Option<Plan>, AppError> {
    let live = app.live().await?;
    let draft = Draft::of(app, &live.snapshot, input)?;
    if !draft.changes_something() {
        return Ok(None);
    }
    let mut after = draft.entry.clone();
    after.cards.push(draft.after.clone());
    Ok(Some(Plan {
        kind: ChangeKind::Price,
        subject: draft.target.to_string(),
        sentence: draft.sentence(app.now()),
        before: Some(json(&PricesState::of([&draft.entry]))?),
        after: Some(json(&PricesState::of([&after]))?),
        writes: vec![ConfigWrite::PutPriceCard { target: draft.target, card: draft.after }],
    }))
}

async fn row(app: &App, name: &str) -> Result<dto::PriceRow, AppError> {
    let live = app.live().await?;
    let (target, entry) = known(&live.snapshot, name)?;
    Ok(cards::row(&target, entry, app.now(), targets_in_use(&live.snapshot).contains(&target)))
}

/// Models whose requests had no known cost lately, most of them first.
pub async fn unpriced(app: &App, caller: &Caller) -> Result<Vec<dto::UnpricedModel>, AppError> {
    caller.must_be(Role::Viewer)?;
    let now = app.now();
    let query = RollupQuery {
        step: Step::Day,
        from: now.plus_micros(-UNPRICED_DAYS * Step::Day.micros()),
        to: now.plus_micros(1),
        group_by: GroupBy::Model,
        operation: None,
    };
    let mut sums: BTreeMap<String, Sums> = BTreeMap::new();
    for row in app.control().store.rollups(&query).await? {
        if !row.simulated && row.sums.unpriced > 0 {
            sums.entry(row.key).or_default().add(&row.sums);
        }
    }
    let live = app.live().await?;
    let mut models: Vec<dto::UnpricedModel> = sums
        .into_iter()
        .filter_map(|(key, sums)| {
            let target: Target = key.parse().ok()?;
            let entry = live.snapshot.models.get(&target);
            let card = entry.and_then(|entry| card_at(&entry.cards, now));
            let suggestion = preset_name(app, &live.snapshot, &target)
                .and_then(|preset| app.catalogue().billed_as(&preset, &target.model))
                .and_then(|known| {
                    card_at(&known.cards, now).map(|card| cards::shown(card, &known.cards, now))
                });
            Some(dto::UnpricedModel {
                target: key,
                requests: view::count(sums.unpriced),
                priced_now: card.is_some(),
                suggestion,
            })
        })
        .collect();
    models.sort_by(|left, right| {
        right.requests.cmp(&left.requests).then_with(|| left.target.cmp(&right.target))
    });
    Ok(models)
}

/// A client's filter in the domain's terms.
struct Filter {
    search: Option<String>,
    provider: Option<String>,
    capability: Option<Capability>,
    unpriced_only: bool,
    origin: Option<CardOrigin>,
}

impl Filter {
    fn of(filter: dto::PriceFilter) -> Result<Self, AppError> {
        let given = |text: Option<String>| reason(text);
        let capability = given(filter.capability).map(|word| {
            Capability::from_word(&word).ok_or_else(|| {
                AppError::invalid("capability", format!("There is no capability `{word:.40}`."))
            })
        });
        let origin = given(filter.origin).map(|word| {
            CardOrigin::from_word(&word)
                .ok_or_else(|| AppError::invalid("origin", format!("There is no origin `{word:.40}`.")))
        });
        Ok(Self {
            search: given(filter.search).map(|text| text.to_lowercase()),
            provider: given(filter.provider),
            capability: capability.transpose()?,
            unpriced_only: filter.unpriced_only,
            origin: origin.transpose()?,
        })
    }

    fn accepts(&self, target: &Target, entry: &ModelEntry, now: Timestamp) -> bool {
        let card = card_at(&entry.cards, now);
        self.search.as_ref().is_none_or(|part| target.to_string().to_lowercase().contains(part))
            && self.provider.as_ref().is_none_or(|name| target.provider.as_str() == name)
            && self.capability.is_none_or(|wanted| entry.model.capabilities.contains(&wanted))
            && !(self.unpriced_only && card.is_some())
            && self.origin.is_none_or(|wanted| card.is_some_and(|card| card.origin == wanted))
    }
}

/// New prices, checked, beside the ones they follow.
struct Draft {
    target: Target,
    entry: ModelEntry,
    /// The card that would hold then.
    before: Option<PriceCard>,
    after: PriceCard,
}

impl Draft {
    fn of(app: &App, snapshot: &Snapshot, input: &dto::PriceInput) -> Result<Self, AppError> {
        let (target, entry) = known(snapshot, &input.target)?;
        let start = start(app, input.effective_from.as_ref())?;
        let before = card_at(&entry.cards, start).cloned();
        let mut after = before.clone().unwrap_or_else(|| PriceCard::of_tokens(start, []));
        after.effective_from = free_instant(&entry.cards, start);
        after.origin = CardOrigin::Own;
        (after.source_url, after.as_of) = source(app, input.source_url.as_deref())?;
        apply_rates(&mut after.units, &input.rates, "rates")?;
        if let Some(tiers) = &input.tiers {
            after.tiers = parse_tiers(tiers)?;
        }
        // A tier of a unit that has no price any more would price it above the bound only.
        for tier in &mut after.tiers {
            tier.units.retain(|unit, _| after.units.contains_key(unit));
        }
        after.tiers.retain(|tier| !tier.units.is_empty());
        if let Some(percent) = input.batch_percent {
            if !(1..=100).contains(&percent) {
                return Err(AppError::invalid(
                    "batch_percent",
                    "A batch pays 1 to 100 percent of the price.",
                ));
            }
            after.batch_percent = Some(percent).filter(|percent| *percent < 100);
        }
        if !after.units.is_empty()
            && let Some(lacking) = after.lacks(&entry.model.capabilities)
        {
            let message = format!("{target} would be {lacking}. 0 means free.");
            return Err(AppError::invalid("rates", message));
        }
        Ok(Self { target, entry: entry.clone(), before, after })
    }

    fn changes(&self) -> Vec<diff::RateChange> {
        let nothing = PriceCard::of_tokens(Timestamp::default(), []);
        diff::changes(self.before.as_ref().unwrap_or(&nothing), &self.after)
    }

    fn changes_something(&self) -> bool {
        !self.changes().is_empty()
            || self.before.as_ref().and_then(|card| card.batch_percent) != self.after.batch_percent
    }

    fn preview(&self, now: Timestamp) -> dto::PricePreview {
        let changes = self.changes();
        let mut warnings: Vec<String> =
            diff::dearer_from_cache(&self.after).iter().map(|text| sentence(text)).collect();
        warnings.extend(changes.iter().filter_map(big_change));
        let free = |price: &UnitPrice| price.nano_usd() == NanoUsd::ZERO;
        let freed: Vec<&str> =
            self.after.units.iter().filter(|(_, price)| free(price)).map(|(unit, _)| unit.as_str()).collect();
        if !freed.is_empty() {
            warnings.push(format!("Free from then on: {}.", freed.join(", ")));
        }
        if self.after.units.is_empty() {
            warnings.push("Without any price its requests will be marked unpriced.".to_owned());
        }
        if self.entry.cards.iter().any(|card| card.effective_from > self.after.effective_from) {
            warnings.push("A later price is planned already and stays planned.".to_owned());
        }
        if !self.changes_something() {
            warnings.push("Nothing changes.".to_owned());
        }
        let mut cards = self.entry.cards.clone();
        cards.push(self.after.clone());
        dto::PricePreview {
            before: self.before.as_ref().map(|card| cards::shown(card, &cards, now)),
            after: cards::shown(&self.after, &cards, now),
            changes: changes.iter().map(cards::change).collect(),
            sample: cards::sample(&self.entry.model.capabilities, self.before.as_ref(), &self.after),
            warnings,
        }
    }

    fn sentence(&self, now: Timestamp) -> String {
        let changes = self.changes();
        let mut told: Vec<String> = changes.iter().take(TOLD_MAX).map(cards::told).collect();
        if changes.len() > TOLD_MAX {
            told.push(format!("and {} more", changes.len() - TOLD_MAX));
        }
        if told.is_empty() {
            told.push("the share of batches".to_owned());
        }
        let when = if self.after.effective_from > now {
            format!("from {} on", self.after.effective_from)
        } else {
            "from now on".to_owned()
        };
        format!("{} has own prices {when}: {}", self.target, told.join(", "))
    }
}

fn big_change(change: &diff::RateChange) -> Option<String> {
    let permille = change.permille.filter(|permille| permille.abs() > 500)?;
    let word = if permille > 0 { "rises" } else { "falls" };
    Some(format!("The price of {} {word} by {} %.", change.unit, permille.abs() / 10))
}

/// Puts typed rates into a card's units; an empty one takes the unit's price away.
fn apply_rates(
    units: &mut BTreeMap<Unit, UnitPrice>,
    rates: &[dto::RateInput],
    field: &str,
) -> Result<(), AppError> {
    let mut named = BTreeSet::new();
    for (index, rate) in rates.iter().enumerate() {
        let at = |part: &str| format!("{field}[{index}].{part}");
        let unit = Unit::from_word(rate.unit.trim()).ok_or_else(|| {
            AppError::invalid(&at("unit"), format!("There is no unit `{:.40}`.", rate.unit))
        })?;
        if !named.insert(unit) {
            return Err(AppError::invalid(&at("unit"), format!("{unit} is named twice.")));
        }
        let text = rate.usd.trim();
        if text.is_empty() {
            units.remove(&unit);
            continue;
        }
        let wrong = |message: String| AppError::invalid(&at("usd"), sentence(&message));
        let amount = NanoUsd::parse_usd(text).map_err(|error| wrong(error.to_string()))?;
        let price =
            UnitPrice::new(amount, rate::lot(unit).units).map_err(|error| wrong(error.to_string()))?;
        rate::check(unit, price).map_err(|error| wrong(error.to_string()))?;
        units.insert(unit, price);
    }
    Ok(())
}

fn parse_tiers(tiers: &[dto::TierInput]) -> Result<Vec<PriceTier>, AppError> {
    if tiers.len() > TIERS_MAX {
        return Err(AppError::invalid("tiers", format!("A model has at most {TIERS_MAX} tiers.")));
    }
    let mut parsed: BTreeMap<u64, BTreeMap<Unit, UnitPrice>> = BTreeMap::new();
    for (index, tier) in tiers.iter().enumerate() {
        let at = |part: &str| format!("tiers[{index}].{part}");
        let bound = tier.above_input_tokens.0.trim().parse::<u64>().ok().filter(|bound| *bound > 0);
        let bound = bound.ok_or_else(|| {
            AppError::invalid(
                &at("above_input_tokens"),
                "A tier begins above a number of tokens, e.g. 200000.",
            )
        })?;
        let mut units = BTreeMap::new();
        apply_rates(&mut units, &tier.rates, &at("rates"))?;
        if parsed.insert(bound, units).is_some() {
            return Err(AppError::invalid(&at("above_input_tokens"), "Two tiers begin at the same number."));
        }
    }
    let tier = |(above_input_tokens, units)| PriceTier { above_input_tokens, units };
    Ok(parsed.into_iter().map(tier).collect())
}

/// Where a price is from, and the day that was read.
fn source(app: &App, text: Option<&str>) -> Result<(Option<String>, Option<String>), AppError> {
    let Some(text) = text.map(str::trim).filter(|text| !text.is_empty()) else { return Ok((None, None)) };
    let url = url::Url::parse(text).ok().filter(|url| url.scheme() == "https" && url.password().is_none());
    let url = url.ok_or_else(|| {
        AppError::invalid("source_url", "A source is an address that begins with https://.")
    })?;
    Ok((Some(url.to_string()), Some(day(app.now()))))
}

/// From when a price shall hold.
fn start(app: &App, given: Option<&dto::Instant>) -> Result<Timestamp, AppError> {
    let now = app.now();
    let Some(given) = given else { return Ok(now) };
    let start = view::instant("effective_from", given)?;
    if start < now {
        let message = "A price cannot begin in the past: what was charged stays as it was.";
        return Err(AppError::invalid("effective_from", message));
    }
    Ok(start)
}

/// The first instant from `start` on at which no card of the model begins, so that no card is replaced.
fn free_instant(cards: &[PriceCard], start: Timestamp) -> Timestamp {
    let taken: BTreeSet<Timestamp> = cards.iter().map(|card| card.effective_from).collect();
    let mut free = start;
    while taken.contains(&free) {
        free = free.plus_micros(1);
    }
    free
}

/// `YYYY-MM-DD`
fn day(instant: Timestamp) -> String {
    instant.to_string().chars().take(10).collect()
}

fn known<'a>(snapshot: &'a Snapshot, text: &str) -> Result<(Target, &'a ModelEntry), AppError> {
    let target = text.trim().parse::<Target>().ok();
    let found = target.and_then(|target| snapshot.models.get(&target).map(|entry| (target, entry)));
    found.ok_or_else(|| AppError::not_found("model", text))
}

fn targets_in_use(snapshot: &Snapshot) -> BTreeSet<&Target> {
    snapshot.operations.values().flat_map(|entry| &entry.route.targets).map(|card| &card.target).collect()
}

/// The well-known provider a target's provider is, whatever it is called here.
fn preset_name(app: &App, snapshot: &Snapshot, target: &Target) -> Option<String> {
    let provider = &snapshot.providers.get(&target.provider)?.provider;
    let preset = app.catalogue().preset_of(provider.name.as_str(), &provider.base_url)?;
    Some(preset.name.to_string())
}

fn catalogue_facts(
    app: &App,
    snapshot: &Snapshot,
    target: &Target,
) -> Option<signalbox_core::catalogue::Facts> {
    let preset = preset_name(app, snapshot, target)?;
    let model = &app.catalogue().billed_as(&preset, &target.model)?.model;
    let known = Target { provider: model.provider.clone(), model: model.name.clone() };
    app.catalogue().facts(&known).cloned()
}

impl PricesState {
    /// Models as they stand.
    fn of<'a>(entries: impl IntoIterator<Item = &'a ModelEntry>) -> Self {
        Self { models: entries.into_iter().map(ModelState::from).collect() }
    }
}
