//! The shipped catalogue: well-known providers, their models and dated price cards.
//!
//! It seeds an installation and fills in the models of a provider that is added later; from then on the installation's
//! own rows count. `data/README.md` says where the figures come from.

use std::collections::{BTreeMap, HashMap};

use serde::Deserialize;
use url::Url;

use crate::ids::{ModelName, ProviderName};
use crate::money::UnitPrice;
use crate::operation::Capability;
use crate::price::{CardOrigin, PriceCard, PriceTier};
use crate::provider::{Auth, CredentialSource, Model, Provider, ProviderKind};
use crate::route::Target;
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
    facts: HashMap<Target, Facts>,
}

/// What is known of a model beside its prices.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// Other names that bill as the model.
    pub aliases: Vec<ModelName>,
    /// What was decided where sources differ, what is not modelled, when its provider retires it.
    pub note: Option<String>,
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
    /// What a person has to fill in or should know.
    #[serde(default)]
    pub hint: Option<String>,
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
    #[serde(default)]
    aliases: Vec<ModelName>,
    note: Option<String>,
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
        let facts = file.models.iter().map(|model| (model.target(), model.facts())).collect();
        let models = file.models.into_iter().map(ModelEntry::from).collect();
        Ok(Self { providers: file.providers, models, facts })
    }

    /// The preset of that name.
    pub fn preset(&self, name: &str) -> Option<&Preset> {
        self.providers.iter().find(|preset| preset.name.as_str() == name)
    }

    /// The preset that a provider of that name at that place is, whatever it is called: the one of its name if it is at the
    /// same origin, else one at its origin. Each resource of Azure has an origin of its own below one domain.
    pub fn preset_of(&self, name: &str, base_url: &Url) -> Option<&Preset> {
        let is_there = |preset: &&Preset| {
            preset.base_url.origin() == base_url.origin()
                || domain_of_resources(preset)
                    .is_some_and(|domain| base_url.host_str().is_some_and(|host| host.ends_with(domain)))
        };
        let there = || self.providers.iter().filter(is_there);
        there()
            .find(|preset| preset.name.as_str() == name)
            .or_else(|| there().find(|preset| preset.needs_credential))
    }

    /// What is known of a model beside its prices.
    pub fn facts(&self, target: &Target) -> Option<&Facts> {
        self.facts.get(target)
    }

    /// The model of a preset's provider that bills under `name`: by its own name or an alias.
    pub fn billed_as(&self, provider: &str, name: &ModelName) -> Option<&ModelEntry> {
        let is_alias = |entry: &&ModelEntry| {
            let facts = self
                .facts
                .get(&Target { provider: entry.model.provider.clone(), model: entry.model.name.clone() });
            facts.is_some_and(|facts| facts.aliases.contains(name))
        };
        let of_provider = || self.models.iter().filter(|entry| entry.model.provider.as_str() == provider);
        of_provider().find(|entry| entry.model.name == *name).or_else(|| of_provider().find(is_alias))
    }

    /// The models of the provider of that name.
    pub fn models_of<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a ModelEntry> + 'a {
        self.models.iter().filter(move |entry| entry.model.provider.as_str() == name)
    }
}

/// The domain below which each customer has a host of its own.
fn domain_of_resources(preset: &Preset) -> Option<&'static str> {
    (preset.name.as_str() == "azure_openai").then_some(".openai.azure.com")
}

impl FileModel {
    fn target(&self) -> Target {
        Target { provider: self.provider.clone(), model: self.model.clone() }
    }

    fn facts(&self) -> Facts {
        Facts { aliases: self.aliases.clone(), note: self.note.clone() }
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
        Self { model, cards, breach: None }
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
    fn every_unit_that_vendors_bill_by_is_priced_for_some_model() {
        let catalogue = Catalogue::shipped().unwrap();
        let cards = || catalogue.models.iter().flat_map(|entry| &entry.cards);
        for unit in Unit::ALL {
            // Thinking is billed as output by every provider of the catalogue.
            let priced = cards().any(|card| card.units.contains_key(unit));
            assert_eq!(priced, *unit != Unit::ReasoningTokens, "{unit}");
        }
    }

    #[test]
    fn every_shipped_price_is_believable_and_free_only_where_that_is_known() {
        for entry in Catalogue::shipped().unwrap().models {
            let name = &entry.model.name;
            for card in &entry.cards {
                assert_eq!(card.origin, CardOrigin::Shipped);
                assert!(card.batch_percent.is_none_or(|percent| (1..100).contains(&percent)), "{name}");
                let tiers = card.tiers.iter().flat_map(|tier| &tier.units);
                for (unit, price) in card.units.iter().chain(tiers) {
                    assert_eq!(crate::rate::check(*unit, *price), Ok(()), "{name}");
                    let is_free = price.nano_usd() == crate::money::NanoUsd::ZERO;
                    assert!(!is_free || entry.model.provider.as_str() == "edge_tts", "{name} {unit}");
                }
                assert_eq!(
                    crate::price_import::diff::dearer_from_cache(card),
                    Vec::<String>::new(),
                    "{name}"
                );
            }
            assert!(entry.model.quality.is_none_or(|quality| quality <= 100), "{name}");
        }
    }

    #[test]
    fn a_card_of_the_future_waits_for_its_day() {
        let catalogue = Catalogue::shipped().unwrap();
        let argon = catalogue.models_of("gemini").find(|entry| entry.cards.len() > 1).unwrap();
        let next = argon.cards.iter().map(|card| card.effective_from).max().unwrap();
        assert!(next > today());
        let at = |instant| card_at(&argon.cards, instant).unwrap().effective_from;
        assert!(at(next.plus_micros(-1)) < next);
        assert_eq!(at(next), next);
    }

    #[test]
    fn a_model_is_found_by_an_alias_and_tells_what_is_known_of_it() {
        let catalogue = Catalogue::shipped().unwrap();
        let dated = ModelName::new("gpt-5-2025-08-07").unwrap();
        assert_eq!(catalogue.billed_as("openai", &dated).unwrap().model.name.as_str(), "gpt-5");
        assert!(catalogue.billed_as("anthropic", &dated).is_none());
        let facts = catalogue.facts(&"openai/gpt-5".parse().unwrap()).unwrap();
        assert!(
            facts.aliases.contains(&dated)
                && facts.note.as_deref().is_some_and(|note| note.contains("2026-12-11"))
        );
        let quality = |target: &str| {
            let target: Target = target.parse().unwrap();
            catalogue
                .models_of(target.provider.as_str())
                .find(|entry| entry.model.name == target.model)
                .unwrap()
                .model
                .quality
        };
        assert!(quality("anthropic/claude-opus-4-8") > quality("anthropic/claude-opus-4-7"));
        assert_eq!(quality("openai/text-embedding-3-small"), None);
    }

    #[test]
    fn a_provider_is_recognised_by_its_place_whatever_it_is_called() {
        let catalogue = Catalogue::shipped().unwrap();
        let preset = |name: &str, url: &str| {
            catalogue.preset_of(name, &Url::parse(url).unwrap()).map(|preset| preset.name.to_string())
        };
        assert_eq!(preset("work", "https://api.openai.com/v1").as_deref(), Some("openai"));
        assert_eq!(
            preset("azure", "https://contoso.openai.azure.com/openai/v1").as_deref(),
            Some("azure_openai")
        );
        assert_eq!(preset("openai", "https://elsewhere.example/v1"), None);
        assert_eq!(preset("ollama", "http://127.0.0.1:11434/v1").as_deref(), Some("ollama"));
        assert_eq!(preset("mine", "http://127.0.0.1:11434/v1"), None, "any server may be at that port");
        let azure = catalogue.preset("azure_openai").unwrap();
        assert_eq!(azure.auth, Auth::Header { name: "api-key".to_owned() });
        assert!(matches!(catalogue.preset("github_copilot").unwrap().auth, Auth::ClientCredentials { .. }));
        assert_eq!(catalogue.preset("gemini").unwrap().kind, ProviderKind::Gemini);
    }

    #[test]
    fn no_model_and_no_provider_is_listed_twice_and_each_model_has_its_provider() {
        let catalogue = Catalogue::shipped().unwrap();
        let providers: HashSet<_> = catalogue.providers.iter().map(|preset| &preset.name).collect();
        assert_eq!(providers.len(), catalogue.providers.len());
        let mut seen = HashSet::new();
        for entry in &catalogue.models {
            assert!(providers.contains(&entry.model.provider), "{}", entry.model.provider);
            let target = Target { provider: entry.model.provider.clone(), model: entry.model.name.clone() };
            let aliases = catalogue.facts(&target).unwrap().aliases.clone();
            for name in aliases.into_iter().chain([entry.model.name.clone()]) {
                assert!(seen.insert((&entry.model.provider, name.clone())), "{name} twice");
            }
        }
    }
}
