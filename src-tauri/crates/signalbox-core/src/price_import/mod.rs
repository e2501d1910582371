//! Price lists of others: read into neutral models, compared with what is installed.
//!
//! Two formats are known: the model map of `LiteLLM` and version 2 of genai-prices. Reading is pure and exact: numbers are
//! taken from their text, never through binary floating point. Nothing is guessed and nothing is dropped in silence: what
//! cannot be said in our units is named in a note, what cannot be used at all is listed with its reason. Nothing of a list
//! is in force before somebody chose it.

mod decimal;
pub mod diff;
mod genai;
mod litellm;
mod object;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::ids::{ModelName, ProviderName};
use crate::money::UnitPrice;
use crate::operation::Capability;
use crate::price::{CardOrigin, PriceCard, PriceTier};
use crate::rate;
use crate::time::Timestamp;
use crate::usage::Unit;

use decimal::{BadNumber, Decimal};

/// Largest list that is read. The known ones have 0.4 and 3 MB. Units: bytes.
pub const BYTES_MAX: usize = 32 * 1024 * 1024;
/// Longest text of a list that is shown again. Units: characters.
const SHOWN_CHARS: usize = 160;

/// Whose format a list has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// `model_prices_and_context_window.json` of `LiteLLM`.
    LiteLlm,
    /// `prices/new_data/v2/data.json` of pydantic's genai-prices.
    GenaiPrices,
}

impl Format {
    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::LiteLlm => "litellm",
            Self::GenaiPrices => "genai_prices",
        }
    }

    /// What a person calls it.
    pub const fn label(self) -> &'static str {
        match self {
            Self::LiteLlm => "LiteLLM model map",
            Self::GenaiPrices => "genai-prices",
        }
    }
}

/// A list that was read.
#[derive(Debug, Clone)]
pub struct PriceList {
    /// Its format.
    pub format: Format,
    /// Models with at least one usable price, by provider and name.
    pub models: Vec<ImportedModel>,
    /// Entries that cannot be used.
    pub skipped: Vec<Skipped>,
}

/// A model of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedModel {
    /// Its provider, by our name where we know the provider, else by the list's.
    pub provider: ProviderName,
    /// As the provider names it.
    pub name: ModelName,
    /// Other names that bill as this model.
    pub aliases: Vec<ModelName>,
    /// What it can do, as far as the list tells.
    pub capabilities: Vec<Capability>,
    /// Tokens it can read and write together.
    pub context_window: Option<u32>,
    /// Tokens it can write.
    pub max_output: Option<u32>,
    /// Its prices. A card without a date in the list has the epoch as its first instant.
    pub cards: Vec<PriceCard>,
    /// What a person should know: left out, rounded, not modelled.
    pub notes: Vec<String>,
}

/// An entry of a list that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// Its provider, as [`ImportedModel::provider`], if it has one.
    pub provider: Option<ProviderName>,
    /// Its name in the list.
    pub name: String,
    /// Why, for a person.
    pub reason: String,
}

/// A list that cannot be read at all.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// More than any price list.
    #[error("the list has {bytes} bytes; {BYTES_MAX} are read at most")]
    TooLarge {
        /// How many it has.
        bytes: usize,
    },
    /// Not JSON, or cut off.
    #[error("the list is not well-formed JSON: {0}")]
    Malformed(#[source] serde_json::Error),
    /// JSON, but neither format.
    #[error("this is neither a LiteLLM model map nor a genai-prices list (version 2)")]
    UnknownFormat,
    /// The same name twice: which one is meant cannot be known.
    #[error("`{name}` is listed twice, so it is not clear which prices are meant")]
    Duplicate {
        /// Which name.
        name: String,
    },
    /// An entry has not the form its format prescribes.
    #[error("`{name}` has not the form of a {} list: {cause}", format.label())]
    Entry {
        /// Which format.
        format: Format,
        /// Which entry.
        name: String,
        /// What is wrong.
        #[source]
        cause: serde_json::Error,
    },
}

/// Reads a list in whichever format it has.
///
/// Errors: [`ImportError`]; a list is read whole or not at all, single unusable models are in [`PriceList::skipped`].
pub fn read(text: &str) -> Result<PriceList, ImportError> {
    if text.len() > BYTES_MAX {
        return Err(ImportError::TooLarge { bytes: text.len() });
    }
    let text = text.trim_start_matches('\u{feff}').trim_start();
    let (format, (models, skipped)) = match text.as_bytes().first() {
        Some(b'{') => (Format::LiteLlm, litellm::read(text)?),
        Some(b'[') => (Format::GenaiPrices, genai::read(text)?),
        _ => {
            // Says where the fault is when it is no JSON at all.
            serde_json::from_str::<serde::de::IgnoredAny>(text).map_err(ImportError::Malformed)?;
            return Err(ImportError::UnknownFormat);
        }
    };
    let (models, doubles) = without_contradictions(models);
    let mut list = PriceList { format, models, skipped };
    list.skipped.extend(doubles);
    list.models.sort_by(|left, right| (&left.provider, &left.name).cmp(&(&right.provider, &right.name)));
    list.skipped.sort_by(|left, right| (&left.provider, &left.name).cmp(&(&right.provider, &right.name)));
    Ok(list)
}

/// What a format's reader found.
type Found = (Vec<ImportedModel>, Vec<Skipped>);

/// A model may be listed under two names that mean one (`m` and `provider/m`). Equal prices are one model, different ones none.
fn without_contradictions(models: Vec<ImportedModel>) -> Found {
    let mut by_name: BTreeMap<(ProviderName, ModelName), ImportedModel> = BTreeMap::new();
    let mut contradicted = BTreeSet::new();
    for model in models {
        let key = (model.provider.clone(), model.name.clone());
        match by_name.get(&key) {
            Some(known) if !same_prices(known, &model) => {
                contradicted.insert(key);
            }
            Some(_) => {}
            None => {
                by_name.insert(key, model);
            }
        }
    }
    let skipped = contradicted
        .into_iter()
        .map(|(provider, name)| {
            by_name.remove(&(provider.clone(), name.clone()));
            let reason = "it is listed twice with different prices".to_owned();
            Skipped { provider: Some(provider), name: name.to_string(), reason }
        })
        .collect();
    (by_name.into_values().collect(), skipped)
}

fn same_prices(left: &ImportedModel, right: &ImportedModel) -> bool {
    left.cards.len() == right.cards.len()
        && left.cards.iter().zip(&right.cards).all(|(left, right)| {
            (left.effective_from, &left.units, &left.tiers, left.batch_percent)
                == (right.effective_from, &right.units, &right.tiers, right.batch_percent)
        })
}

/// Our name of a list's provider; its own name where we have none.
///
/// `None` when the name cannot be a provider's.
fn provider_name(listed: &str) -> Option<ProviderName> {
    let ours = match listed {
        "google" => "gemini",
        "azure" => "azure_openai",
        "x-ai" | "x_ai" => "xai",
        "text-completion-openai" => "openai",
        "cohere_chat" => "cohere",
        "together" => "together_ai",
        "fireworks" => "fireworks_ai",
        "moonshotai" => "moonshot",
        "voyageai" => "voyage",
        other => other,
    };
    ProviderName::new(ours).ok()
}

/// Collects the prices of one card, with what is to be said about them.
#[derive(Debug, Default)]
struct CardBuilder {
    units: BTreeMap<Unit, UnitPrice>,
    tiers: BTreeMap<u64, BTreeMap<Unit, UnitPrice>>,
    zeros: BTreeSet<String>,
    notes: Vec<String>,
    implausible: Option<rate::Implausible>,
}

impl CardBuilder {
    /// Takes the price of a unit: `number` dollars buy `quantity` units. `key` is the list's name for it.
    ///
    /// 0 is not taken: in lists it may mean free, inherited or unknown.
    fn take(&mut self, above: Option<u64>, unit: Unit, key: &str, number: Decimal, quantity: u64) {
        if number.is_zero() {
            self.zeros.insert(shown(key));
            return;
        }
        let per = match unit {
            // Price pages quote characters by the thousand or the million; the catalogue keeps millions.
            Unit::Characters => 1_000_000,
            _ => rate::lot(unit).units.max(if unit == Unit::AudioMilliseconds { quantity } else { 1 }),
        };
        let Some(price) = number.dollars_for(quantity, per) else {
            self.note(format!("{} is not imported: it has no exact price in nano-dollars", shown(key)));
            return;
        };
        if let Err(implausible) = rate::check(unit, price) {
            self.implausible.get_or_insert(implausible);
            return;
        }
        if number.is_rounded() {
            self.note(format!("{} has noise of binary arithmetic, which is taken off", shown(key)));
        }
        let units = match above {
            None => &mut self.units,
            Some(bound) => self.tiers.entry(bound).or_default(),
        };
        units.insert(unit, price);
    }

    /// Refuses a price that is not one.
    fn refuse(&mut self, key: &str, bad: &BadNumber) {
        self.note(format!("{} is not imported: it {bad}", shown(key)));
    }

    /// Refuses a price of a unit that our ledger does not have.
    fn unknown_unit(&mut self, key: &str) {
        self.note(format!("unknown unit `{}` is not imported: what it bills stays unpriced", shown(key)));
    }

    fn note(&mut self, note: String) {
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    fn is_empty(&self) -> bool {
        self.units.is_empty()
    }

    /// The card. Tiers without a base price for their unit stay: below the bound the unit is unpriced.
    fn card(&mut self, effective_from: Timestamp, source_url: Option<String>) -> PriceCard {
        if !self.zeros.is_empty() {
            let zeros: Vec<String> = std::mem::take(&mut self.zeros).into_iter().collect();
            self.note(format!("not imported, zero may mean unknown: {}", zeros.join(", ")));
        }
        let tiers = std::mem::take(&mut self.tiers);
        PriceCard {
            effective_from,
            units: std::mem::take(&mut self.units),
            tiers: tiers
                .into_iter()
                .map(|(above_input_tokens, units)| PriceTier { above_input_tokens, units })
                .collect(),
            source_url,
            as_of: None,
            origin: CardOrigin::Imported,
            batch_percent: None,
        }
    }
}

/// A page's address, if a browser may be sent there.
fn page(text: &str) -> Option<String> {
    let url = url::Url::parse(text).ok()?;
    let plain = url.scheme() == "https" && url.username().is_empty() && url.password().is_none();
    (plain && text.len() <= 300 && !text.chars().any(char::is_control)).then(|| url.to_string())
}

/// Text of a list as it may be shown: one line, not endless, nothing that moves a cursor or hides itself.
fn shown(text: &str) -> String {
    let visible = |c: &char| {
        !c.is_control()
            && !matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
    };
    let mut short: String = text.chars().filter(visible).take(SHOWN_CHARS).collect();
    if text.chars().filter(visible).nth(SHOWN_CHARS).is_some() {
        short.push('…');
    }
    short
}

impl fmt::Display for Skipped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.reason)
    }
}
