//! Prices: what units cost, since when, by whom, and lists to import them from.

use serde::{Deserialize, Serialize};
use specta::Type;

use super::{Counter, Instant, Money};

#[derive(Debug, Clone, Default, Serialize, Deserialize, Type)]
#[serde(default)]
pub struct PriceFilter {
    /// Part of `provider/model`, in any case.
    pub search: Option<String>,
    pub provider: Option<String>,
    pub capability: Option<String>,
    /// Only models without a price now.
    pub unpriced_only: bool,
    /// `shipped`, `imported` or `own`: whose the price in force is.
    pub origin: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct PricePage {
    /// By `provider/model`.
    pub rows: Vec<PriceRow>,
    pub next: Option<String>,
    /// Of all pages.
    pub total: u32,
    /// Models without a price now, whatever the filter.
    pub unpriced: u32,
    /// Models that are left out because of a bill, whatever the filter; `provider/model`.
    pub blocked: Vec<String>,
}

/// A model with what it costs now.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct PriceRow {
    /// `provider/model`.
    pub target: String,
    pub provider: String,
    pub model: String,
    pub capabilities: Vec<String>,
    pub context_window: Option<u32>,
    /// The card in force; absent when unpriced.
    pub card: Option<PriceCard>,
    /// The card that follows at a date.
    pub planned: Option<PriceCard>,
    /// Whether an operation's route leads to it.
    pub in_use: bool,
    /// Why it is left out, if it is.
    pub block: Option<ModelBlock>,
}

/// A bill above all that a request could come to by the model's price. No route leads to the model until it has another
/// price, or an admin unblocks it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct ModelBlock {
    pub since: Instant,
    pub request_id: String,
    /// The most the request could come to.
    pub bound: Money,
    /// What it was billed at; that is what was charged.
    pub cost: Money,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize, Type)]
pub struct UnblockInput {
    /// `provider/model`.
    pub target: String,
    pub reason: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct PriceHistory {
    pub row: PriceRow,
    /// Newest first, planned ones included.
    pub cards: Vec<PriceCard>,
    /// What the shipped catalogue says about the model.
    pub note: Option<String>,
    /// Names that bill as the model.
    pub aliases: Vec<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct PriceCard {
    pub effective_from: Instant,
    pub state: CardState,
    /// `shipped`, `imported` or `own`.
    pub origin: String,
    pub source_url: Option<String>,
    /// `YYYY-MM-DD`
    pub as_of: Option<String>,
    /// Share a batch pays, in percent; absent: in full.
    pub batch_percent: Option<u32>,
    /// Empty when the card ends the one before it: the model is unpriced from then on.
    pub rates: Vec<PriceRate>,
    pub tiers: Vec<PriceTier>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum CardState {
    Past,
    InForce,
    Planned,
}

/// What a lot of a unit costs.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct PriceRate {
    /// E.g. `input_tokens`.
    pub unit: String,
    /// E.g. `1M tokens`, `minute`, `1k characters`.
    pub lot: String,
    /// Nano-dollars for the lot, rounded to one where the exact price is finer.
    pub amount: Money,
    /// Decimal dollars for the lot, e.g. `0.27`, as [`PriceInput`] takes them.
    pub usd: String,
    /// The exact price: `exact_amount` nano-dollars buy `exact_per` units.
    pub exact_amount: Money,
    pub exact_per: Counter,
}

/// Rates of requests that read more than so many tokens; units that are not listed keep theirs.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct PriceTier {
    pub above_input_tokens: Counter,
    pub rates: Vec<PriceRate>,
}

/// New prices of a model, as somebody types them.
#[derive(Debug, Clone, Default, Serialize, Deserialize, Type)]
#[serde(default)]
pub struct PriceInput {
    /// `provider/model`.
    pub target: String,
    /// Units that are not named keep their price.
    pub rates: Vec<RateInput>,
    /// Replaces all tiers; absent: they stay.
    pub tiers: Option<Vec<TierInput>>,
    /// 1 to 99; 100: a batch pays in full; absent: stays.
    pub batch_percent: Option<u32>,
    /// From when; absent: from now on. Never in the past.
    pub effective_from: Option<Instant>,
    /// Where the price is from.
    pub source_url: Option<String>,
    pub reason: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct RateInput {
    /// E.g. `input_tokens`.
    pub unit: String,
    /// Decimal dollars for the unit's lot, e.g. `0.27`; 0 means free; empty: no price any more.
    pub usd: String,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct TierInput {
    pub above_input_tokens: Counter,
    pub rates: Vec<RateInput>,
}

/// What new prices would change.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct PricePreview {
    pub before: Option<PriceCard>,
    pub after: PriceCard,
    pub changes: Vec<RateChange>,
    /// What an ordinary call costs before and after.
    pub sample: SampleCost,
    pub warnings: Vec<String>,
}

/// A rate before and after.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct RateChange {
    pub unit: String,
    pub lot: String,
    /// In requests that read more than so many tokens.
    pub above_input_tokens: Option<Counter>,
    /// Decimal dollars for the lot; absent: unpriced.
    pub before: Option<String>,
    pub after: Option<String>,
    /// E.g. `-12.5`; absent where there is nothing to compare.
    pub percent: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct SampleCost {
    /// E.g. `1,000 tokens in, 500 out`.
    pub call: String,
    /// Absent: unpriced.
    pub before: Option<Money>,
    pub after: Option<Money>,
}

/// A model whose requests had no known cost lately.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct UnpricedModel {
    /// `provider/model`.
    pub target: String,
    /// Requests of the last 30 days without a known cost.
    pub requests: u32,
    /// Whether it has a price by now.
    pub priced_now: bool,
    /// What the shipped catalogue knows under this name or an alias.
    pub suggestion: Option<PriceCard>,
}

/// A price list: a file of this machine, or its text.
#[derive(Debug, Clone, Default, Serialize, Deserialize, Type)]
#[serde(default)]
pub struct PriceListInput {
    pub path: Option<String>,
    pub text: Option<String>,
}

/// What a price list would change. Nothing is in force before it is applied.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct PriceImportPreview {
    /// Names this preview when it is applied, within the hour.
    pub token: String,
    /// What the list is, e.g. `LiteLLM model map`.
    pub format: String,
    pub new: Vec<NewPrice>,
    pub changed: Vec<ChangedPrice>,
    /// `provider/model`.
    pub unchanged: Vec<String>,
    pub skipped: Vec<SkippedPrice>,
    /// Entries for providers this installation does not have.
    pub other_providers: Vec<OtherProvider>,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct NewPrice {
    /// `provider/model`.
    pub target: String,
    /// Whether the installation has the model, without a price.
    pub known: bool,
    pub capabilities: Vec<String>,
    /// The price that would hold, then those that follow at a date.
    pub cards: Vec<PriceCard>,
    pub notes: Vec<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct ChangedPrice {
    /// `provider/model`.
    pub target: String,
    pub changes: Vec<RateChange>,
    /// In percent; 100: in full.
    pub batch_percent_before: u32,
    pub batch_percent_after: u32,
    /// Reasons to look twice; empty when there is none.
    pub suspicious: Vec<String>,
    pub notes: Vec<String>,
    /// The price that would hold, then those that follow at a date.
    pub cards: Vec<PriceCard>,
    pub in_use: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct SkippedPrice {
    pub name: String,
    pub reason: String,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct OtherProvider {
    pub name: String,
    pub entries: u32,
}

/// Which models of a preview get their listed price.
#[derive(Debug, Clone, Default, Serialize, Deserialize, Type)]
#[serde(default)]
pub struct PriceImportChoice {
    pub token: String,
    /// `provider/model`; nothing is applied that is not named.
    pub targets: Vec<String>,
    /// From when; absent: from now on. Never in the past.
    pub effective_from: Option<Instant>,
    pub reason: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct PriceImportResult {
    pub new: u32,
    pub changed: u32,
    /// As the history tells it.
    pub sentence: String,
}
