//! Routes: an operation's ordered targets.

use std::collections::HashSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::approval::ApprovalPolicy;
use crate::ids::{InvalidId, ModelName, OperationId, ProviderName};
use crate::rule::Condition;

/// A provider's model, as it stands in a route: `provider/model`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Target {
    /// Whose account.
    pub provider: ProviderName,
    /// Which model of it.
    pub model: ModelName,
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.provider, self.model)
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Splits at the first slash: model names may contain more of them.
impl FromStr for Target {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let (provider, model) = text.split_once('/').ok_or_else(|| InvalidId::Name {
            kind: "target",
            text: text.chars().take(60).collect(),
            rule: "provider/model, e.g. deepseek/deepseek-chat",
        })?;
        Ok(Self { provider: ProviderName::new(provider)?, model: ModelName::new(model)? })
    }
}

impl Serialize for Target {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Target {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// How the next target is picked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// In the order of the chain.
    Priority,
    /// The lowest estimated cost of this request first.
    Cheapest,
    /// The shortest usual time to an answer first.
    Fastest,
    /// The best answers first.
    Quality,
    /// The best mix of cost, time and quality first, by the route's [`Balance`].
    Balanced,
    /// Shares of the traffic, by the targets' weights.
    Weighted,
}

impl Strategy {
    /// Every strategy.
    pub const ALL: &'static [Self] =
        &[Self::Priority, Self::Cheapest, Self::Fastest, Self::Quality, Self::Balanced, Self::Weighted];

    /// The word on the wire and in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Priority => "priority",
            Self::Cheapest => "cheapest",
            Self::Fastest => "fastest",
            Self::Quality => "quality",
            Self::Balanced => "balanced",
            Self::Weighted => "weighted",
        }
    }

    /// The strategy of that word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|strategy| strategy.as_str() == word)
    }
}

/// How much cost, time and quality count in [`Strategy::Balanced`]. Units: percent; together 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Balance {
    /// Weight of the cost.
    pub cost: u32,
    /// Weight of the time.
    pub latency: u32,
    /// Weight of the quality.
    pub quality: u32,
}

impl Default for Balance {
    fn default() -> Self {
        Self { cost: 50, latency: 30, quality: 20 }
    }
}

/// One card of the chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouteTarget {
    /// Where requests go.
    pub target: Target,
    /// Whether it takes part.
    pub enabled: bool,
    /// Its share where shares count.
    #[serde(default = "one")]
    pub weight: u32,
    /// How long it may take to begin to answer, in milliseconds; `None`: as long as usual.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u32>,
    /// Tokens its answers may have at most; `None`: as the client asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_output: Option<u32>,
}

const fn one() -> u32 {
    1
}

impl RouteTarget {
    /// The plain card of a target.
    pub const fn of(target: Target) -> Self {
        Self { target, enabled: true, weight: 1, timeout_ms: None, max_output: None }
    }
}

/// Picks targets by what a request is like, before the strategy orders them. The first rule that matches counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouteRule {
    /// What a person calls it.
    pub name: String,
    /// Which requests it is for.
    pub when: Condition,
    /// What it does to its targets.
    pub effect: RuleEffect,
    /// Targets of the chain.
    pub targets: Vec<Target>,
}

/// What a rule does to its targets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RuleEffect {
    /// They are tried first; the others remain.
    Prefer,
    /// Only they are tried.
    Only,
}

impl RuleEffect {
    /// The word on the wire and in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Prefer => "prefer",
            Self::Only => "only",
        }
    }

    /// The effect of that word.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Prefer, Self::Only].into_iter().find(|effect| effect.as_str() == word)
    }
}

/// An operation's ordered targets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Route {
    /// Whose route.
    pub operation: OperationId,
    /// Grows by one with each applied change; an edit names the version it was made from.
    pub version: u32,
    /// How the next target is picked.
    pub strategy: Strategy,
    /// Tried in this order.
    pub targets: Vec<RouteTarget>,
    /// Looked at in this order before the strategy.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<RouteRule>,
    /// What counts how much in [`Strategy::Balanced`].
    #[serde(default)]
    pub balance: Balance,
    /// How long a request may take over all its attempts, in milliseconds; `None`: as long as usual.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline_ms: Option<u32>,
    /// When its requests need a person; `None`: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<ApprovalPolicy>,
}

impl Route {
    /// The plain first route of an operation: its targets in order.
    pub fn of(operation: OperationId, targets: Vec<RouteTarget>) -> Self {
        Self {
            operation,
            version: 1,
            strategy: Strategy::Priority,
            targets,
            rules: Vec::new(),
            balance: Balance::default(),
            deadline_ms: None,
            approval: None,
        }
    }
}

/// Longest chain: each hop costs the client time, and nobody has this many equals.
pub const TARGETS_MAX: usize = 16;

/// A fault of a route, and where it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRoute {
    /// A chain of nothing serves nobody.
    #[error("a route needs at least one target")]
    Empty,
    /// More than [`TARGETS_MAX`].
    #[error("a route has at most {TARGETS_MAX} targets, this one has {0}")]
    TooLong(usize),
    /// The same target twice would only repeat its failure.
    #[error("{target} stands in the chain twice")]
    Duplicate {
        /// Index of the second one.
        index: usize,
        /// Which target.
        target: Target,
    },
}

impl InvalidRoute {
    /// Path of the faulty field, for forms.
    pub fn field(&self) -> String {
        match self {
            Self::Empty | Self::TooLong(_) => "targets".to_owned(),
            Self::Duplicate { index, .. } => format!("targets[{index}].model"),
        }
    }
}

/// Every fault of a chain, so that a form can show them all at once.
pub fn check_targets(targets: &[RouteTarget]) -> Vec<InvalidRoute> {
    let mut faults = Vec::new();
    if targets.is_empty() {
        faults.push(InvalidRoute::Empty);
    }
    if targets.len() > TARGETS_MAX {
        faults.push(InvalidRoute::TooLong(targets.len()));
    }
    let mut seen = HashSet::new();
    for (index, card) in targets.iter().enumerate() {
        if !seen.insert(&card.target) {
            faults.push(InvalidRoute::Duplicate { index, target: card.target.clone() });
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_splits_at_the_first_slash() {
        let target: Target = "openrouter/openai/gpt-oss-120b".parse().unwrap();
        assert_eq!((target.provider.as_str(), target.model.as_str()), ("openrouter", "openai/gpt-oss-120b"));
        assert!("no-slash".parse::<Target>().is_err());
        assert!("deepseek/".parse::<Target>().is_err());
    }

    #[test]
    fn every_fault_of_a_chain_is_listed() {
        let card = RouteTarget::of("a/b".parse().unwrap());
        assert_eq!(check_targets(&[]), [InvalidRoute::Empty]);
        let faults = check_targets(&vec![card; TARGETS_MAX + 1]);
        assert_eq!(faults.len(), 1 + TARGETS_MAX);
        assert_eq!(faults[1].field(), "targets[1].model");
    }
}
