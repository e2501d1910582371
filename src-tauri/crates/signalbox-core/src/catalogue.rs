//! The shipped catalogue: well-known providers, their models and dated price cards.
//!
//! It seeds an installation and fills in the models of a provider that is added later; from then on the installation's
//! own rows count. `data/README.md` says where the figures come from.

use std::collections::BTreeMap;

use serde::Deserialize;
use url::Url;

use crate::ids::{ModelName, ProviderName};
use crate::money::UnitPrice;
use crate::operation::Capability;
use crate::price::{CardOrigin, PriceCard, PriceTier};
use crate::provider::{Auth, CredentialSource, Model, Provider, ProviderKind};
use crate::snapshot::ModelEntry;
use crate::time::Timestamp;
use crate::usage::Unit;

/// Providers and models as shipped with this version.
#[derive(Debug, Clone)]
pub struct Catalogue {
    /// Well-known providers, in the order they are offered.
    pub providers: Vec<Preset>,
    /// Their models.
    pub models: Vec<ModelEntry>,
}

/// A well-known provider.
#[derive(Debug, Clone, Deserialize)]
pub struct Preset {
    /// Suggested name.
    pub name: ProviderName,
    /// What the vendor calls itself.
    pub label: String,
    /// Which adapter speaks to it.
    pub kind: ProviderKind,
    /// Where it is.
    pub base_url: Url,
    /// Whether it wants a credential.
    pub needs_credential: bool,
    /// How the credential travels.
    #[serde(default)]
    pub auth: Auth,
}

impl Preset {
    /// The provider as it is added: enabled, its credential still to come.
    pub fn to_provider(&self) -> Provider {
        Provider {
            name: self.name.clone(),
            kind: self.kind,
            base_url: self.base_url.clone(),
            enabled: true,
            credential: if self.needs_credential {
                CredentialSource::Missing
            } else {
                CredentialSource::NotNeeded
            },
            auth: self.auth.clone(),
            max_concurrent: None,
            version: 1,
        }
    }
}

/// The shipped file cannot be read: a fault of the build.
#[derive(Debug, thiserror::Error)]
#[error("the shipped price catalogue is damaged")]
pub struct DamagedCatalogue(#[from] serde_json::Error);

#[derive(Deserialize)]
struct File {
    providers: Vec<Preset>,
    models: Vec<FileModel>,
}

#[derive(Deserialize)]
struct FileModel {
    provider: ProviderName,
    model: ModelName,
    capabilities: Vec<Capability>,
    context_window: Option<u32>,
    max_output: Option<u32>,
    quality: Option<u32>,
    prices: Vec<FileCard>,
}

#[derive(Deserialize)]
struct FileCard {
    #[serde(deserialize_with = "start_of_day")]
    effective_from: Timestamp,
    source_url: Option<String>,
    as_of: Option<String>,
    units: BTreeMap<Unit, UnitPrice>,
    #[serde(default)]
    tiers: Vec<PriceTier>,
    batch_percent: Option<u32>,
}

fn start_of_day<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
    let day = String::deserialize(deserializer)?;
    Timestamp::parse(&format!("{day}T00:00:00Z")).map_err(serde::de::Error::custom)
}

impl Catalogue {
    /// Reads the shipped file.
    ///
    /// Errors: only when the build shipped a damaged file; a test holds that it does not.
    pub fn shipped() -> Result<Self, DamagedCatalogue> {
        let file: File = serde_json::from_str(include_str!("../data/catalogue.json"))?;
        let models = file.models.into_iter().map(ModelEntry::from).collect();
        Ok(Self { providers: file.providers, models })
    }

    /// The preset of that name.
    pub fn preset(&self, name: &str) -> Option<&Preset> {
        self.providers.iter().find(|preset| preset.name.as_str() == name)
    }

    /// The models of the provider of that name.
    pub fn models_of<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a ModelEntry> + 'a {
        self.models.iter().filter(move |entry| entry.model.provider.as_str() == name)
    }
}

impl From<FileModel> for ModelEntry {
    fn from(file: FileModel) -> Self {
        let cards = file
            .prices
            .into_iter()
            .map(|card| PriceCard {
                effective_from: card.effective_from,
                units: card.units,
                tiers: card.tiers,
                source_url: card.source_url,
                as_of: card.as_of,
                origin: CardOrigin::Shipped,
                batch_percent: card.batch_percent,
            })
            .collect();
        let model = Model {
            provider: file.provider,
            name: file.model,
            capabilities: file.capabilities,
            context_window: file.context_window,
            max_output: file.max_output,
            quality: file.quality,
        };
        Self { model, cards }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::price::card_at;

    /// The day this version's figures were read.
    fn today() -> Timestamp {
        Timestamp::parse("2026-11-21T12:00:00Z").unwrap()
    }

    #[test]
    fn the_shipped_catalogue_prices_at_least_sixty_models_with_source_and_date() {
        let catalogue = Catalogue::shipped().unwrap();
        assert!(catalogue.models.len() >= 60);
        for entry in &catalogue.models {
            let name = &entry.model.name;
            assert!(!entry.cards.is_empty(), "{name} has no price");
            for card in &entry.cards {
                assert!(card.source_url.as_deref().is_some_and(|url| url.starts_with("https://")), "{name}");
                assert!(card.as_of.as_deref().is_some_and(|day| day.len() == 10), "{name}");
                assert!(card.tiers.is_sorted_by_key(|tier| tier.above_input_tokens), "{name}");
            }
        }
    }

    #[test]
    fn every_chat_model_has_a_price_for_input_and_output_today_and_cached_input_is_never_dearer() {
        for entry in Catalogue::shipped().unwrap().models {
            if !entry.model.capabilities.contains(&Capability::Chat) {
                continue;
            }
            let name = &entry.model.name;
            let Some(card) = card_at(&entry.cards, today()) else { continue };
            let price =
                |unit| card.unit_price(unit, 0).unwrap_or_else(|| panic!("{name} has no {unit}")).nano_usd();
            assert!(price(Unit::CachedInputTokens) <= price(Unit::InputTokens), "{name}");
            assert!(price(Unit::OutputTokens) >= price(Unit::InputTokens), "{name}");
        }
    }

    #[test]
    fn no_model_and_no_provider_is_listed_twice_and_each_model_has_its_provider() {
        let catalogue = Catalogue::shipped().unwrap();
        let providers: HashSet<_> = catalogue.providers.iter().map(|preset| &preset.name).collect();
        assert_eq!(providers.len(), catalogue.providers.len());
        let mut seen = HashSet::new();
        for entry in &catalogue.models {
            assert!(providers.contains(&entry.model.provider), "{}", entry.model.provider);
            assert!(seen.insert((&entry.model.provider, &entry.model.name)), "{} twice", entry.model.name);
        }
    }
}
