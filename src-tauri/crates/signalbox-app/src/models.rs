//! Models of a provider and their prices.

use std::collections::BTreeMap;

use signalbox_core::change::ChangeKind;
use signalbox_core::ids::{ModelName, ProviderName};
use signalbox_core::money::UnitPrice;
use signalbox_core::operation::Capability;
use signalbox_core::price::CardOrigin;
use signalbox_core::price::{PriceCard, usd_per_million};
use signalbox_core::provider::Model;
use signalbox_core::rate;
use signalbox_core::route::Target;
use signalbox_core::snapshot::ModelEntry;
use signalbox_core::usage::Unit;
use signalbox_store::ConfigWrite;

use crate::app::{App, Caller, Role, json};
use crate::error::{AppError, Code};
use crate::propose::{Plan, ProposedChange};
use crate::{dto, view};

/// Adds a model, or gives a known one a new price from now on; what was charged before stays as it was.
///
/// Errors: unknown provider, a price that is not plain decimal dollars or is absurd, only one of the two prices.
pub async fn add(
    app: &App,
    caller: &Caller,
    input: dto::ModelInput,
) -> Result<dto::Proposed<dto::Model>, AppError> {
    let name = format!("{}/{}", input.provider, input.model);
    let outcome = app.propose(caller, &ProposedChange::Model(input)).await?;
    outcome.shown(async || find(app, &name).await).await
}

async fn find(app: &App, name: &str) -> Result<dto::Model, AppError> {
    let live = app.live().await?;
    let entry = name.parse::<Target>().ok().and_then(|target| live.snapshot.models.get(&target));
    entry.map(|entry| view::model(entry, app.now())).ok_or_else(|| AppError::not_found("model", name))
}

pub(crate) async fn plan(app: &App, input: &dto::ModelInput) -> Result<Plan, AppError> {
    let live = app.live().await?;
    let provider =
        ProviderName::new(&input.provider).ok().filter(|name| live.snapshot.providers.contains_key(name));
    let provider = provider.ok_or_else(|| AppError::not_found("provider", &input.provider))?;
    let name =
        ModelName::new(&input.model).map_err(|error| AppError::invalid("model", format!("{error}.")))?;
    let target = Target { provider: provider.clone(), model: name.clone() };
    let known = live.snapshot.models.get(&target);
    let model = Model {
        quality: known.and_then(|entry| entry.model.quality),
        provider,
        name,
        capabilities: known.map_or_else(|| vec![Capability::Chat], |entry| entry.model.capabilities.clone()),
        context_window: input.context_window.or_else(|| known.and_then(|entry| entry.model.context_window)),
        max_output: known.and_then(|entry| entry.model.max_output),
    };
    let card = card_of(input, app)?;
    if known.is_some() && card.is_none() && input.context_window.is_none() {
        return Err(AppError::new(Code::AlreadyExists, format!("There is a model {target} already.")));
    }
    let mut writes = vec![ConfigWrite::PutModel { model: model.clone() }];
    let mut cards = known.map(|entry| entry.cards.clone()).unwrap_or_default();
    if let Some(card) = card {
        writes.push(ConfigWrite::PutPriceCard { target: target.clone(), card: card.clone() });
        cards.push(card);
    }
    let after = ModelEntry { model, cards, breach: None };
    let verb = if known.is_some() { "has a new price" } else { "is added" };
    let unpriced = if after.cards.is_empty() { ", unpriced" } else { "" };
    Ok(Plan {
        kind: ChangeKind::Model,
        subject: target.to_string(),
        sentence: format!("{target} {verb}{unpriced}"),
        before: known.map(state_json).transpose()?,
        after: Some(state_json(&after)?),
        writes,
    })
}

/// The model of a target, with its provider's name in front, for lists.
pub async fn list(app: &App, caller: &Caller) -> Result<Vec<(String, dto::Model)>, AppError> {
    caller.must_be(Role::Viewer)?;
    let live = app.live().await?;
    let now = app.now();
    let mut models: Vec<_> = live
        .snapshot
        .models
        .iter()
        .map(|(target, entry)| (target.provider.to_string(), view::model(entry, now)))
        .collect();
    models.sort_by(|left, right| (&left.0, &left.1.name).cmp(&(&right.0, &right.1.name)));
    Ok(models)
}

/// What the history keeps of a model.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct ModelState {
    pub(crate) model: Model,
    pub(crate) cards: Vec<PriceCard>,
}

impl From<&ModelEntry> for ModelState {
    fn from(entry: &ModelEntry) -> Self {
        Self { model: entry.model.clone(), cards: entry.cards.clone() }
    }
}

pub(crate) fn state_json(entry: &ModelEntry) -> Result<String, AppError> {
    json(&ModelState::from(entry))
}

fn card_of(input: &dto::ModelInput, app: &App) -> Result<Option<PriceCard>, AppError> {
    let fields = [
        ("input_usd_per_mtok", Unit::InputTokens, &input.input_usd_per_mtok),
        ("cached_input_usd_per_mtok", Unit::CachedInputTokens, &input.cached_input_usd_per_mtok),
        ("output_usd_per_mtok", Unit::OutputTokens, &input.output_usd_per_mtok),
    ];
    let mut units = BTreeMap::new();
    for (field, unit, text) in fields {
        if let Some(text) = text.as_deref().map(str::trim).filter(|text| !text.is_empty()) {
            units.insert(unit, price(field, unit, text)?);
        }
    }
    if units.is_empty() {
        return Ok(None);
    }
    for (field, unit) in
        [("input_usd_per_mtok", Unit::InputTokens), ("output_usd_per_mtok", Unit::OutputTokens)]
    {
        if !units.contains_key(&unit) {
            return Err(AppError::invalid(
                field,
                "A priced model needs a price for input and for output; 0 means free.",
            ));
        }
    }
    Ok(Some(PriceCard {
        effective_from: app.now(),
        units,
        tiers: Vec::new(),
        source_url: None,
        as_of: None,
        origin: CardOrigin::Own,
        batch_percent: None,
    }))
}

fn price(field: &str, unit: Unit, text: &str) -> Result<UnitPrice, AppError> {
    let price = usd_per_million(text).map_err(|error| AppError::invalid(field, format!("{error}.")))?;
    rate::check(unit, price).map_err(|error| AppError::invalid(field, format!("{error}.")))?;
    Ok(price)
}
