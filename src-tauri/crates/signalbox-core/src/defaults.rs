//! What every installation starts with: ten operations with their routes, eight providers, the simulator's models.

use std::collections::BTreeSet;

use crate::catalogue::{Catalogue, DamagedCatalogue};
use crate::ids::{InvalidId, ModelName, OperationId, ProviderName};
use crate::money::{NanoUsd, UnitPrice};
use crate::operation::{Capability, Criticality, Operation};
use crate::price::PriceCard;
use crate::provider::{Auth, CredentialSource, Model, Provider, ProviderKind};
use crate::route::{Route, RouteTarget};
use crate::snapshot::{ModelEntry, OperationEntry};
use crate::time::Timestamp;
use crate::usage::Unit;

/// The name of the built-in provider.
pub const SIMULATOR: &str = "simulator";

/// Providers of a new installation, besides the simulator.
const PROVIDERS: [&str; 7] =
    ["deepseek", "gemini", "openai", "anthropic", "deepgram", "elevenlabs", "edge_tts"];

const CHAT: &[&str] = &["deepseek/deepseek-flash", "gemini/gemini-3.8-flash"];
const SYNTHESIS: &[&str] = &["gemini/gemini-3.8-flash", "deepseek/deepseek-flash"];
const VIDEO: &[&str] = &["gemini/gemini-3.8-flash"];
const TRANSCRIPTION: &[&str] = &["deepgram/nova-3", "openai/whisper-1"];
const SPEECH: &[&str] = &["edge_tts/edge-tts", "elevenlabs/eleven_multilingual_v2"];

/// A new installation's configuration.
#[derive(Debug, Clone)]
pub struct Defaults {
    /// Operations with their routes.
    pub operations: Vec<OperationEntry>,
    /// Providers, none of them with a credential.
    pub providers: Vec<Provider>,
    /// Their models with price cards.
    pub models: Vec<ModelEntry>,
}

/// The shipped defaults do not fit together: a fault of the build.
#[derive(Debug, thiserror::Error)]
pub enum BrokenDefaults {
    /// The catalogue cannot be read.
    #[error(transparent)]
    Catalogue(#[from] DamagedCatalogue),
    /// A name breaks its rule.
    #[error(transparent)]
    Name(#[from] InvalidId),
    /// The simulator's URL or price is wrong.
    #[error("the simulator's defaults are damaged")]
    Simulator,
}

struct Row {
    id: &'static str,
    description: &'static str,
    capability: Capability,
    criticality: Criticality,
    targets: &'static [&'static str],
}

const fn row(
    id: &'static str,
    description: &'static str,
    capability: Capability,
    criticality: Criticality,
    targets: &'static [&'static str],
) -> Row {
    Row { id, description, capability, criticality, targets }
}

const OPERATIONS: [Row; 10] = [
    row("chat_message", "Answers people in a conversation.", Capability::Chat, Criticality::High, CHAT),
    row("agent_execution", "Steps of an agent that uses tools.", Capability::Chat, Criticality::High, CHAT),
    row(
        "memory_synthesis",
        "Condenses what was said into notes.",
        Capability::Chat,
        Criticality::Medium,
        SYNTHESIS,
    ),
    row("sentiment_analysis", "Rates the mood of a text.", Capability::Chat, Criticality::Low, SYNTHESIS),
    row("video_understanding", "Describes images and video.", Capability::Vision, Criticality::Medium, VIDEO),
    row(
        "audio_transcription",
        "Writes down speech.",
        Capability::Transcription,
        Criticality::Medium,
        TRANSCRIPTION,
    ),
    row("text_to_speech", "Reads text aloud.", Capability::Speech, Criticality::Low, SPEECH),
    row("email_analysis", "Sorts and summarises mail.", Capability::Chat, Criticality::Low, SYNTHESIS),
    row(
        "intent_classification",
        "Tells what a request is about.",
        Capability::Chat,
        Criticality::Low,
        SYNTHESIS,
    ),
    row(
        "job_planning",
        "Plans jobs as steps a person approves.",
        Capability::Chat,
        Criticality::Medium,
        CHAT,
    ),
];

/// Operations that may wait for a batch.
const BATCH_ELIGIBLE: [&str; 2] = ["memory_synthesis", "sentiment_analysis"];
/// Operations whose identical requests may share an answer.
const CACHEABLE: [&str; 1] = ["text_to_speech"];
/// Operations that an admin has to turn on first.
const DISABLED: [&str; 1] = ["email_analysis"];

impl Defaults {
    /// A new installation's configuration.
    ///
    /// Errors: only when the build is broken; a test holds that it is not.
    pub fn of_new_installation() -> Result<Self, BrokenDefaults> {
        let catalogue = Catalogue::shipped()?;
        let presets = PROVIDERS.iter().filter_map(|name| catalogue.preset(name));
        let mut providers: Vec<Provider> =
            presets.map(crate::catalogue::Preset::to_provider).map(off_while_experimental).collect();
        let mut models: Vec<ModelEntry> =
            PROVIDERS.iter().flat_map(|name| catalogue.models_of(name)).cloned().collect();
        providers.push(simulator()?);
        models.extend(simulator_models()?);
        let operations = OPERATIONS.iter().map(operation).collect::<Result<_, InvalidId>>()?;
        Ok(Self { operations, providers, models })
    }
}

fn operation(row: &Row) -> Result<OperationEntry, InvalidId> {
    let id = OperationId::new(row.id)?;
    let operation = Operation {
        id: id.clone(),
        description: row.description.to_owned(),
        capability: row.capability,
        criticality: row.criticality,
        enabled: !DISABLED.contains(&row.id),
        batch_eligible: BATCH_ELIGIBLE.contains(&row.id),
        cacheable: CACHEABLE.contains(&row.id),
        cache_ttl_s: None,
        allowed_providers: BTreeSet::new(),
    };
    let targets = row
        .targets
        .iter()
        .map(|text| Ok(RouteTarget::of(text.parse()?)))
        .collect::<Result<_, InvalidId>>()?;
    Ok(OperationEntry { operation, route: Route::of(id, targets) })
}

/// The built-in provider. Its URL is a placeholder: the engine knows the port it really listens on.
fn simulator() -> Result<Provider, BrokenDefaults> {
    Ok(Provider {
        name: ProviderName::new(SIMULATOR)?,
        kind: ProviderKind::Simulator,
        base_url: "http://127.0.0.1/v1".parse().map_err(|_| BrokenDefaults::Simulator)?,
        enabled: true,
        credential: CredentialSource::NotNeeded,
        auth: Auth::default(),
        max_concurrent: None,
        version: 1,
    })
}

/// A service that promises nothing is used only by who turned it on.
fn off_while_experimental(provider: Provider) -> Provider {
    Provider { enabled: !provider.kind.is_experimental(), ..provider }
}

/// One model per kind of work, and a second one for conversations so that a failover can be rehearsed. They cost nothing, and say so: known zero prices are not missing prices.
fn simulator_models() -> Result<Vec<ModelEntry>, BrokenDefaults> {
    use Unit::{AudioInputTokens, AudioMilliseconds, Characters, InputTokens, OutputTokens};
    let chat = [InputTokens, OutputTokens, AudioInputTokens];
    Ok(vec![
        simulator_model("sim-chat", &[Capability::Chat, Capability::Vision], &chat)?,
        simulator_model("sim-backup", &[Capability::Chat, Capability::Vision], &chat)?,
        simulator_model("sim-embed", &[Capability::Embedding], &[InputTokens])?,
        simulator_model("sim-transcribe", &[Capability::Transcription], &[AudioMilliseconds])?,
        simulator_model("sim-speech", &[Capability::Speech], &[Characters])?,
    ])
}

fn simulator_model(
    name: &str,
    capabilities: &[Capability],
    units: &[Unit],
) -> Result<ModelEntry, BrokenDefaults> {
    let free = UnitPrice::per_million(NanoUsd::ZERO).map_err(|_| BrokenDefaults::Simulator)?;
    let card = PriceCard::of_tokens(Timestamp::from_micros(0), units.iter().map(|unit| (*unit, free)));
    let model = Model {
        provider: ProviderName::new(SIMULATOR)?,
        name: ModelName::new(name)?,
        capabilities: capabilities.to_vec(),
        context_window: capabilities.contains(&Capability::Chat).then_some(1_000_000),
        max_output: None,
        quality: None,
    };
    Ok(ModelEntry { model, cards: vec![card], breach: None })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::route::check_targets;

    #[test]
    fn a_new_installation_has_ten_operations_whose_targets_all_exist_with_the_right_capability() {
        let defaults = Defaults::of_new_installation().unwrap();
        assert_eq!(defaults.operations.len(), 10);
        assert_eq!(defaults.providers.len(), 8);
        for entry in &defaults.operations {
            assert_eq!(check_targets(&entry.route.targets), []);
            for card in &entry.route.targets {
                let model = defaults
                    .models
                    .iter()
                    .find(|known| {
                        known.model.provider == card.target.provider && known.model.name == card.target.model
                    })
                    .unwrap_or_else(|| panic!("{} is not in the catalogue", card.target));
                assert!(model.model.capabilities.contains(&entry.operation.capability), "{}", card.target);
            }
        }
        let disabled: Vec<_> = defaults
            .operations
            .iter()
            .filter(|entry| !entry.operation.enabled)
            .map(|e| e.operation.id.as_str())
            .collect();
        assert_eq!(disabled, ["email_analysis"]);
    }

    #[test]
    fn the_simulator_has_a_free_model_for_every_kind_of_work_and_edge_stays_off() {
        let defaults = Defaults::of_new_installation().unwrap();
        for capability in
            [Capability::Chat, Capability::Embedding, Capability::Transcription, Capability::Speech]
        {
            let serves = |entry: &&ModelEntry| {
                entry.model.provider.as_str() == SIMULATOR && entry.model.capabilities.contains(&capability)
            };
            let entry = defaults.models.iter().find(serves).unwrap();
            assert!(entry.cards[0].units.values().all(|price| price.nano_usd() == NanoUsd::ZERO));
        }
        let off = defaults.providers.iter().filter(|provider| !provider.enabled);
        assert_eq!(off.map(|provider| provider.name.as_str()).collect::<Vec<_>>(), ["edge_tts"]);
    }
}
