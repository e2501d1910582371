//! Price lists of others: shown beside what is in force, and taken over model by model, as somebody chooses.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use signalbox_core::change::ChangeKind;
use signalbox_core::ids::{ChangeId, ProviderName};
use signalbox_core::price::PriceCard;
use signalbox_core::price_import::diff::{ChangedModel, Installed, NewModel, PriceDiff, diff};
use signalbox_core::price_import::{self, BYTES_MAX, PriceList};
use signalbox_core::provider::{Model, ProviderKind};
use signalbox_core::route::Target;
use signalbox_core::snapshot::{ModelEntry, Snapshot};
use signalbox_core::time::{MICROS_PER_SECOND, Timestamp};
use signalbox_store::ConfigWrite;

use super::restore::PricesState;
use super::{cards, day, free_instant, start, targets_in_use};
use crate::app::{App, Caller, Role, json, sentence};
use crate::dto;
use crate::error::{AppError, Code};
use crate::models::ModelState;
use crate::propose::{Plan, ProposedChange};

/// How long a preview can be applied. Units: microseconds.
const PREVIEW_MICROS: i64 = 3_600 * MICROS_PER_SECOND;
/// Previews that are kept; an older one makes place for a newer.
const PREVIEWS_MAX: usize = 4;

/// Price lists that were previewed and not applied yet.
#[derive(Debug, Default)]
pub(crate) struct PendingImports(Mutex<Vec<Pending>>);

#[derive(Debug, Clone)]
struct Pending {
    token: String,
    at: Timestamp,
    list: std::sync::Arc<PriceList>,
    seen: std::sync::Arc<PriceDiff>,
}

impl PendingImports {
    fn keep(&self, pending: Pending) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= PREVIEWS_MAX {
            all.remove(0);
        }
        all.push(pending);
    }

    fn find(&self, token: &str, now: Timestamp) -> Option<Pending> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter().find(|one| one.token == token && now.micros_since(one.at) <= PREVIEW_MICROS).cloned()
    }

    fn forget(&self, token: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|one| one.token != token);
    }
}

/// Reads a list and compares it with what is in force. Nothing is changed.
///
/// Errors: a file that cannot be read, is no price list or is too large.
pub async fn preview(
    app: &App,
    caller: &Caller,
    input: dto::PriceListInput,
) -> Result<dto::PriceImportPreview, AppError> {
    caller.must_be(Role::Admin)?;
    let (field, text) = text_of(input).await?;
    // Megabytes of JSON take a moment, in which other commands go on.
    let read = tokio::task::spawn_blocking(move || price_import::read(&text)).await;
    let list = read
        .map_err(|error| AppError::internal("read the price list", &error))?
        .map_err(|error| AppError::invalid(field, sentence(&error.to_string())))?;
    let live = app.live().await?;
    let now = app.now();
    let seen = compare(app, &live.snapshot, &list, now);
    let token = ChangeId::generate().to_string();
    let shown = shown(&token, &list, &seen, &live.snapshot, now);
    let (list, seen) = (std::sync::Arc::new(list), std::sync::Arc::new(seen));
    app.imports().keep(Pending { token, at: now, list, seen });
    Ok(shown)
}

/// Gives the chosen models the prices the preview showed, as new cards and in one entry of the history.
///
/// Errors: [`Code::NotFound`] for a preview that is older than an hour; a target the preview does not have;
/// [`Code::Conflict`] when a chosen price is not what it was when the preview was made.
pub async fn apply(
    app: &App,
    caller: &Caller,
    choice: dto::PriceImportChoice,
) -> Result<dto::Proposed<dto::PriceImportResult>, AppError> {
    caller.must_be(Role::Admin)?;
    let now = app.now();
    let start = start(app, choice.effective_from.as_ref())?;
    let pending = app.imports().find(&choice.token, now).ok_or_else(|| {
        AppError::new(Code::NotFound, "The preview of this price list is gone. Read the list again.")
    })?;
    let live = app.live().await?;
    let targets = chosen(&choice.targets)?;
    still_as_seen(&pending.seen, &compare(app, &live.snapshot, &pending.list, now), &targets)?;
    let at_start = compare(app, &live.snapshot, &pending.list, start);
    let chosen = ChosenPrices::of(&pending.list, &at_start, &targets, &choice, start);
    let (new, changed, sentence) = (chosen.new, chosen.changed, chosen.sentence.clone());
    let outcome = app.propose(caller, &ProposedChange::PriceList(chosen)).await?;
    app.imports().forget(&choice.token);
    outcome.shown(async || Ok(dto::PriceImportResult { new, changed, sentence })).await
}

/// What was chosen from a list: it stays the same however long it waits to be approved.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ChosenPrices {
    format: String,
    sentence: String,
    new: u32,
    changed: u32,
    /// The models with the list's cards; those that begin at `compared_for` begin with the change.
    models: Vec<ModelState>,
    compared_for: Timestamp,
    effective_from: Option<dto::Instant>,
    pub(crate) reason: Option<String>,
}

impl ChosenPrices {
    fn of(
        list: &PriceList,
        diff: &PriceDiff,
        targets: &BTreeSet<Target>,
        choice: &dto::PriceImportChoice,
        compared_for: Timestamp,
    ) -> Self {
        let new: Vec<_> = diff.new.iter().filter(|one| targets.contains(&one.target)).collect();
        let changed: Vec<_> = diff.changed.iter().filter(|one| targets.contains(&one.target)).collect();
        let models = new
            .iter()
            .map(|one| ModelState { model: model(one), cards: one.cards.clone() })
            .chain(
                changed.iter().map(|one| ModelState { model: named(&one.target), cards: one.cards.clone() }),
            )
            .collect();
        let providers: BTreeSet<&str> = targets.iter().map(|target| target.provider.as_str()).collect();
        let providers: Vec<&str> = providers.into_iter().collect();
        let sentence = format!(
            "Prices are imported from {}: {} new, {} changed ({})",
            list.format.label(),
            new.len(),
            changed.len(),
            providers.join(", ")
        );
        let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        Self {
            format: list.format.as_str().to_owned(),
            sentence,
            new: count(new.len()),
            changed: count(changed.len()),
            models,
            compared_for,
            effective_from: choice.effective_from.clone(),
            reason: choice.reason.clone(),
        }
    }
}

/// What the chosen prices would write.
///
/// Errors: [`Code::Refused`] when there is nothing to write.
pub(crate) async fn plan(app: &App, chosen: &ChosenPrices) -> Result<Plan, AppError> {
    let live = app.live().await?;
    let now = app.now();
    let start = start(app, chosen.effective_from.as_ref())?;
    let mut taken = Taken::default();
    for state in &chosen.models {
        taken.put(&live.snapshot, state, chosen.compared_for, start, now);
    }
    if taken.writes.is_empty() {
        return Err(AppError::new(Code::Refused, "Nothing of this list changes a price at that time."));
    }
    Ok(Plan {
        kind: ChangeKind::Price,
        subject: chosen.format.clone(),
        sentence: chosen.sentence.clone(),
        before: Some(json(&PricesState::of(taken.before.iter()))?),
        after: Some(json(&PricesState::of(taken.after.iter()))?),
        writes: taken.writes,
    })
}

/// The field it came from, and the list.
async fn text_of(input: dto::PriceListInput) -> Result<(&'static str, String), AppError> {
    match (input.path, input.text) {
        (Some(path), None) => Ok(("path", read_file(path.trim()).await?)),
        (None, Some(text)) => Ok(("text", text)),
        _ => Err(AppError::invalid("path", "Name a file, or paste its text.")),
    }
}

async fn read_file(path: &str) -> Result<String, AppError> {
    let wrong = |message: String| AppError::invalid("path", message);
    let shown: String = path.chars().take(200).collect();
    let about = tokio::fs::metadata(Path::new(path)).await;
    let about = about.map_err(|error| wrong(format!("`{shown}` cannot be read: {error}.")))?;
    if !about.is_file() {
        return Err(wrong(format!("`{shown}` is no file.")));
    }
    if about.len() > BYTES_MAX as u64 {
        return Err(wrong(format!("`{shown}` has {} bytes; {BYTES_MAX} are read at most.", about.len())));
    }
    let bytes = tokio::fs::read(Path::new(path)).await;
    let bytes = bytes.map_err(|error| wrong(format!("`{shown}` cannot be read: {error}.")))?;
    String::from_utf8(bytes).map_err(|_| wrong(format!("`{shown}` is no text.")))
}

fn compare(app: &App, snapshot: &Snapshot, list: &PriceList, now: Timestamp) -> PriceDiff {
    let own = snapshot.providers.values().map(|entry| &entry.provider);
    let providers: BTreeMap<ProviderName, BTreeSet<ProviderName>> = own
        .filter(|provider| provider.kind != ProviderKind::Simulator)
        .map(|provider| {
            let preset = app.catalogue().preset_of(provider.name.as_str(), &provider.base_url);
            let names = preset.map(|preset| preset.name.clone()).into_iter().chain([provider.name.clone()]);
            (provider.name.clone(), names.collect())
        })
        .collect();
    diff(list, &Installed { providers: &providers, models: &snapshot.models, now })
}

fn shown(
    token: &str,
    list: &PriceList,
    diff: &PriceDiff,
    snapshot: &Snapshot,
    now: Timestamp,
) -> dto::PriceImportPreview {
    let in_use = targets_in_use(snapshot);
    let card = |cards: &[PriceCard]| cards.iter().map(|card| cards::shown(card, cards, now)).collect();
    let new = |new: &NewModel| dto::NewPrice {
        target: new.target.to_string(),
        known: new.known,
        capabilities: new.model.capabilities.iter().map(|word| word.as_str().to_owned()).collect(),
        cards: card(&new.cards),
        notes: new.model.notes.iter().map(|note| sentence(note)).collect(),
    };
    let changed = |changed: &ChangedModel| {
        let (before, after) = changed.batch_percent.unwrap_or_else(|| {
            let now = changed.cards.first().and_then(|card| card.batch_percent);
            (now, now)
        });
        dto::ChangedPrice {
            target: changed.target.to_string(),
            changes: changed.changes.iter().map(cards::change).collect(),
            batch_percent_before: before.unwrap_or(100),
            batch_percent_after: after.unwrap_or(100),
            suspicious: changed.suspicious.iter().map(|reason| sentence(reason)).collect(),
            notes: changed.notes.iter().map(|note| sentence(note)).collect(),
            cards: card(&changed.cards),
            in_use: in_use.contains(&changed.target),
        }
    };
    dto::PriceImportPreview {
        token: token.to_owned(),
        format: list.format.label().to_owned(),
        new: diff.new.iter().map(new).collect(),
        changed: diff.changed.iter().map(changed).collect(),
        unchanged: diff.unchanged.iter().map(ToString::to_string).collect(),
        skipped: diff
            .skipped
            .iter()
            .map(|entry| dto::SkippedPrice { name: entry.name.clone(), reason: sentence(&entry.reason) })
            .collect(),
        other_providers: diff
            .other_providers
            .iter()
            .map(|(name, entries)| dto::OtherProvider {
                name: name.clone(),
                entries: u32::try_from(*entries).unwrap_or(u32::MAX),
            })
            .collect(),
    }
}

fn chosen(texts: &[String]) -> Result<BTreeSet<Target>, AppError> {
    let parse = |(index, text): (usize, &String)| {
        text.trim()
            .parse::<Target>()
            .map_err(|error| AppError::invalid(&format!("targets[{index}]"), sentence(&error.to_string())))
    };
    let targets: BTreeSet<Target> = texts.iter().enumerate().map(parse).collect::<Result<_, _>>()?;
    if targets.is_empty() {
        return Err(AppError::invalid(
            "targets",
            "Choose at least one model; nothing is taken over by itself.",
        ));
    }
    Ok(targets)
}

/// Nothing may be written that was not shown.
fn still_as_seen(seen: &PriceDiff, now: &PriceDiff, targets: &BTreeSet<Target>) -> Result<(), AppError> {
    for target in targets {
        let changes = |diff: &PriceDiff| {
            diff.changed
                .iter()
                .find(|one| one.target == *target)
                .map(|one| (one.changes.clone(), one.batch_percent))
        };
        let known = |diff: &PriceDiff| diff.new.iter().find(|one| one.target == *target).map(|one| one.known);
        if changes(seen).is_none() && known(seen).is_none() {
            let message = format!("{target} is not among the new and changed prices of the preview.");
            return Err(AppError::invalid("targets", message));
        }
        if changes(seen) != changes(now) || known(seen) != known(now) {
            let message =
                format!("The price of {target} has changed since the preview. Read the list again.");
            return Err(AppError::new(Code::Conflict, message));
        }
    }
    Ok(())
}

/// What the chosen part of a list writes.
#[derive(Default)]
struct Taken {
    writes: Vec<ConfigWrite>,
    before: Vec<ModelEntry>,
    after: Vec<ModelEntry>,
}

impl Taken {
    fn put(
        &mut self,
        snapshot: &Snapshot,
        chosen: &ModelState,
        compared_for: Timestamp,
        start: Timestamp,
        now: Timestamp,
    ) {
        let target = Target { provider: chosen.model.provider.clone(), model: chosen.model.name.clone() };
        let existing = snapshot.models.get(&target);
        self.before.extend(existing.cloned());
        let mut entry = existing.cloned().unwrap_or_else(|| ModelEntry {
            model: chosen.model.clone(),
            cards: Vec::new(),
            breach: None,
        });
        if existing.is_none() {
            self.writes.push(ConfigWrite::PutModel { model: entry.model.clone() });
        }
        for card in &chosen.cards {
            let mut card = PriceCard { as_of: Some(day(now)), ..card.clone() };
            if card.effective_from <= compared_for {
                card.effective_from = free_instant(&entry.cards, start);
            }
            entry.cards.retain(|own| own.effective_from != card.effective_from);
            entry.cards.push(card.clone());
            self.writes.push(ConfigWrite::PutPriceCard { target: target.clone(), card });
        }
        self.after.push(entry);
    }
}

fn model(new: &NewModel) -> Model {
    Model {
        provider: new.target.provider.clone(),
        name: new.target.model.clone(),
        capabilities: new.model.capabilities.clone(),
        context_window: new.model.context_window,
        max_output: new.model.max_output,
        quality: None,
    }
}

/// A model that is there already: only its name counts.
fn named(target: &Target) -> Model {
    Model {
        provider: target.provider.clone(),
        name: target.model.clone(),
        capabilities: Vec::new(),
        context_window: None,
        max_output: None,
        quality: None,
    }
}
