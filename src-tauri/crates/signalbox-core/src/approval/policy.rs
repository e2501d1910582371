//! When a person is asked before a request goes out.

use std::fmt;
use std::ops::RangeInclusive;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::money::NanoUsd;
use crate::operation::Operation;
use crate::rule::{Condition, ConditionFault, Facts, InvalidCondition};

/// How long a client may be kept waiting for a person. Units: seconds. Most client libraries give up after ten minutes.
pub const HOLD_S_MAX: u32 = 540;
/// How long a request may wait for a person. Units: seconds.
pub const EXPIRES_S: RangeInclusive<u32> = 60..=2_592_000;
/// The same, unless the route says otherwise: a day.
pub const EXPIRES_S_USUAL: u32 = 86_400;

/// When a route's requests need a person, and how long they wait for one. Any of the conditions is enough.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApprovalPolicy {
    /// Every request does.
    #[serde(default)]
    pub always: bool,
    /// Those that may cost more than this do, and those of which nobody knows what they cost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub above: Option<NanoUsd>,
    /// Those do whose budgets have passed their warning.
    #[serde(default)]
    pub budget_warned: bool,
    /// Those do that meet this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<ApprovalRule>,
    /// How long the client is kept waiting before it is told to come back. Units: seconds.
    #[serde(default)]
    pub hold_s: u32,
    /// How long an approval can be decided and used. Units: seconds.
    #[serde(default = "usual_expiry")]
    pub expires_s: u32,
}

const fn usual_expiry() -> u32 {
    EXPIRES_S_USUAL
}

impl Default for ApprovalPolicy {
    fn default() -> Self {
        Self {
            always: false,
            above: None,
            budget_warned: false,
            rule: None,
            hold_s: 0,
            expires_s: EXPIRES_S_USUAL,
        }
    }
}

/// What a policy looks at.
#[derive(Debug, Clone, Copy)]
pub struct ApprovalFacts<'a> {
    /// What a route's rules look at.
    pub facts: Facts<'a>,
    /// The operation.
    pub operation: &'a Operation,
    /// The most the request may cost; `None`: nobody knows.
    pub estimate: Option<NanoUsd>,
    /// Names of the budgets that pay for it and have passed their warning.
    pub warned: &'a [String],
}

/// Why a person is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "why", rename_all = "snake_case")]
pub enum Reason {
    /// The route wants that for every request.
    Always,
    /// It may cost more than this, or nobody knows what.
    Above {
        /// The limit.
        limit: NanoUsd,
    },
    /// A budget has passed its warning.
    BudgetWarned {
        /// Its name.
        budget: String,
    },
    /// It meets the route's rule.
    Rule {
        /// As it is written.
        rule: String,
    },
    /// Nobody can tell whether it meets the route's rule; then a person is asked.
    RuleFault {
        /// Why.
        fault: String,
    },
    /// A budget has not enough left, and says that a person may let a request through nevertheless.
    BudgetUsedUp {
        /// Its name.
        budget: String,
    },
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Always => f.write_str("every request of this operation needs a person"),
            Self::Above { limit } => write!(f, "it may cost more than ${limit}"),
            Self::BudgetWarned { budget } => write!(f, "the budget “{budget}” has passed its warning"),
            Self::Rule { rule } => write!(f, "it meets the rule {rule}"),
            Self::RuleFault { fault } => write!(f, "the rule of this operation cannot be evaluated: {fault}"),
            Self::BudgetUsedUp { budget } => {
                write!(f, "the budget “{budget}” is at its limit; a person may let this request pass")
            }
        }
    }
}

impl ApprovalPolicy {
    /// Whether it ever asks.
    pub const fn asks_at_all(&self) -> bool {
        self.always || self.above.is_some() || self.budget_warned || self.rule.is_some()
    }

    /// Whether it looks at how budgets stand.
    pub const fn looks_at_budgets(&self) -> bool {
        self.budget_warned || self.rule.is_some()
    }

    /// Why a person has to be asked; nothing when nobody has.
    pub fn reasons(&self, facts: &ApprovalFacts<'_>) -> Vec<Reason> {
        let mut reasons = Vec::new();
        if self.always {
            reasons.push(Reason::Always);
        }
        if let Some(limit) = self.above
            && facts.estimate.is_none_or(|estimate| estimate > limit)
        {
            reasons.push(Reason::Above { limit });
        }
        if self.budget_warned {
            reasons.extend(facts.warned.iter().map(|budget| Reason::BudgetWarned { budget: budget.clone() }));
        }
        match self.rule.as_ref().map(|rule| (rule, rule.is_met(facts))) {
            Some((rule, Ok(true))) => reasons.push(Reason::Rule { rule: rule.to_string() }),
            Some((_, Err(fault))) => reasons.push(Reason::RuleFault { fault: fault.to_string() }),
            Some((_, Ok(false))) | None => {}
        }
        reasons
    }
}

/// A condition on a request that also sees its operation (`operation.criticality`) and `estimate_usd`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApprovalRule(Condition);

impl ApprovalRule {
    /// Reads a rule.
    ///
    /// Errors: in words for whoever wrote it.
    pub fn new(text: &str) -> Result<Self, InvalidCondition> {
        Condition::for_approval(text).map(Self)
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Whether a request meets it.
    ///
    /// Errors: nobody can tell, e.g. for a tag the request does not have.
    pub fn is_met(&self, facts: &ApprovalFacts<'_>) -> Result<bool, ConditionFault> {
        self.0.is_met_by(facts)
    }
}

impl fmt::Display for ApprovalRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for ApprovalRule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for ApprovalRule {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::new(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::decide::Features;
    use crate::ids::OperationId;
    use crate::ledger::Surface;
    use crate::meter::Bound;
    use crate::operation::{Capability, Criticality};
    use crate::time::Timestamp;

    fn operation(criticality: Criticality) -> Operation {
        Operation {
            id: OperationId::new("email_analysis").unwrap(),
            description: String::new(),
            capability: Capability::Chat,
            criticality,
            enabled: true,
            batch_eligible: false,
            cacheable: false,
            cache_ttl_s: None,
            allowed_providers: BTreeSet::new(),
        }
    }

    fn asked(
        policy: &ApprovalPolicy,
        criticality: Criticality,
        estimate: Option<i64>,
        warned: &[&str],
    ) -> Vec<Reason> {
        let (operation, warned) =
            (operation(criticality), warned.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
        let features = Features::of(Surface::OpenaiChat, Bound { tokens_in: 40, ..Bound::default() });
        policy.reasons(&ApprovalFacts {
            facts: Facts { operation: &operation.id, features: &features, now: Timestamp::default() },
            operation: &operation,
            estimate: estimate.map(NanoUsd::from_nanos),
            warned: &warned,
        })
    }

    fn rule(text: &str) -> ApprovalPolicy {
        ApprovalPolicy { rule: Some(ApprovalRule::new(text).unwrap()), ..ApprovalPolicy::default() }
    }

    #[test]
    fn nobody_is_asked_by_a_policy_that_says_nothing() {
        let policy = ApprovalPolicy::default();
        assert!(!policy.asks_at_all() && asked(&policy, Criticality::High, None, &["day"]).is_empty());
    }

    #[test]
    fn a_person_is_asked_above_the_limit_and_where_nobody_knows_the_cost() {
        let limit = NanoUsd::from_nanos(500_000_000);
        let policy = ApprovalPolicy { above: Some(limit), ..ApprovalPolicy::default() };
        assert!(asked(&policy, Criticality::Low, Some(500_000_000), &[]).is_empty());
        assert_eq!(asked(&policy, Criticality::Low, Some(500_000_001), &[]), [Reason::Above { limit }]);
        assert_eq!(asked(&policy, Criticality::Low, None, &[]), [Reason::Above { limit }]);
    }

    #[test]
    fn a_rule_sees_the_operation_and_the_estimate() {
        let policy = rule(r#"operation.criticality == "high" && estimate_usd > 0.5"#);
        assert!(asked(&policy, Criticality::High, Some(500_000_000), &[]).is_empty());
        assert!(asked(&policy, Criticality::Medium, Some(600_000_000), &[]).is_empty());
        assert_eq!(asked(&policy, Criticality::High, Some(600_000_000), &[]).len(), 1);
        assert_eq!(
            asked(&policy, Criticality::High, None, &[]).len(),
            1,
            "an unknown cost is above any amount"
        );
        let policy = rule(
            r#"operation.id == "email_analysis" && operation.capability == "chat" && input_tokens == 40"#,
        );
        assert_eq!(asked(&policy, Criticality::Low, Some(1), &[]).len(), 1);
        let whole = rule("estimate_usd >= 1");
        assert_eq!(asked(&whole, Criticality::Low, Some(1_000_000_000), &[]).len(), 1);
    }

    #[test]
    fn a_rule_that_cannot_be_evaluated_asks_a_person() {
        let policy = rule(r#"tags.team == "growth""#);
        assert!(matches!(asked(&policy, Criticality::Low, Some(1), &[])[..], [Reason::RuleFault { .. }]));
    }

    #[test]
    fn a_warned_budget_asks_only_where_the_route_says_so() {
        let policy = ApprovalPolicy { budget_warned: true, ..ApprovalPolicy::default() };
        let named = |budget: &str| Reason::BudgetWarned { budget: budget.to_owned() };
        assert_eq!(
            asked(&policy, Criticality::Low, Some(1), &["day", "team"]),
            [named("day"), named("team")]
        );
        assert!(asked(&policy, Criticality::Low, Some(1), &[]).is_empty());
        let every = ApprovalPolicy { always: true, ..ApprovalPolicy::default() };
        assert_eq!(asked(&every, Criticality::Low, Some(0), &["day"]), [Reason::Always]);
        let ruled = rule("budget_warned && input_tokens > 1");
        assert_eq!(asked(&ruled, Criticality::Low, Some(0), &["day"]).len(), 1);
        assert!(asked(&ruled, Criticality::Low, Some(0), &[]).is_empty());
    }

    #[test]
    fn a_rule_that_means_nothing_is_refused_when_it_is_written() {
        for bad in [
            "",
            "estimate_usd",
            "operation == \"chat\"",
            "unknown > 1",
            "operation.criticality > 3",
            "operation.critical == \"high\"",
        ] {
            assert!(ApprovalRule::new(bad).is_err(), "{bad}");
        }
        assert!(Condition::new("estimate_usd > 1.0").is_err(), "routes do not know what a request costs yet");
    }
}
