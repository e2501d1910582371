//! Where a request goes, and why: a pure function over one snapshot and what is known of the targets' health.
//!
//! A target is tried unless something keeps it out: the configuration, the request (work it cannot do, a window it does
//! not fit), the rule that matched, a missing price, or its health. The rest is ordered by the route's strategy. The last
//! target is never left alone because of an open circuit: a call that may fail is better than none.

mod explain;
mod features;
mod filter;
mod order;
mod reason;
mod views;

use serde::{Deserialize, Serialize};

pub use explain::Explanation;
pub use features::{Asked, Complexity, Features};
pub use order::Score;
pub use reason::{Acceptance, Rejection};
pub use views::HealthViews;

use crate::ids::OperationId;
use crate::key::ApiKey;
use crate::ledger::Surface;
use crate::meter::Bound;
use crate::money::NanoUsd;
use crate::operation::Capability;
use crate::provider::{CredentialSource, ProviderKind};
use crate::retry::WAIT_MAX_US;
use crate::route::{Route, RouteRule, RouteTarget, RuleEffect, Strategy, Target};
use crate::rule::Facts;
use crate::snapshot::{OperationEntry, Snapshot, UnpricedPolicy};
use crate::time::Timestamp;
use order::Contender;

/// What the router needs to know of a request.
#[derive(Debug, Clone, Copy)]
pub struct Ask<'a> {
    /// What kind of work it is.
    pub operation: &'a OperationId,
    /// The one target the client insists on, if it does.
    pub pinned: Option<&'a Target>,
    /// The key it came with, which may narrow where it goes; `None` for the window's own requests.
    pub key: Option<&'a ApiKey>,
    /// What it is like.
    pub features: Features<'a>,
    /// What is known of the targets it may go to; [`targets`] says which those are.
    pub health: &'a HealthViews,
    /// Any number that is spread evenly over requests, e.g. the last bits of the request's id: it decides draws by weight.
    pub lot: u64,
}

impl<'a> Ask<'a> {
    /// A request without a pin, while nothing is known of anybody's health.
    pub const fn of(operation: &'a OperationId, features: Features<'a>) -> Self {
        Self { operation, pinned: None, key: None, features, health: HealthViews::NONE, lot: 0 }
    }
}

/// The outcome of routing, stored with the request and shown as "why this model?".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// How targets were ordered.
    pub strategy: Strategy,
    /// The rule that matched, if one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<MatchedRule>,
    /// Rules that could not be evaluated for this request; they did not match.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rule_faults: Vec<RuleFault>,
    /// What was decided on besides the configuration, so that the request can be decided again; rows written before it was
    /// kept have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<Asked>,
    /// Every target considered: first those to try, in order, then the rejected ones.
    pub candidates: Vec<Candidate>,
}

/// The rule that matched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MatchedRule {
    /// What a person calls it.
    pub name: String,
    /// What it does to its targets.
    pub effect: RuleEffect,
}

/// A rule that could not be evaluated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleFault {
    /// What a person calls it.
    pub name: String,
    /// Why.
    pub fault: String,
}

/// One target considered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidate {
    /// Where it would go.
    pub target: Target,
    /// What became of it.
    #[serde(flatten)]
    pub verdict: Verdict,
    /// Whether it is called with the caller's own credential, at the owner's own cost.
    #[serde(default, skip_serializing_if = "is_false")]
    pub own_credential: bool,
    /// Upper estimate of this request's cost there; `None` when unpriced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub estimate: Option<NanoUsd>,
    /// Whether the estimate is made from the provider's dearest price because the model has none.
    #[serde(default, skip_serializing_if = "is_false")]
    pub is_estimate_assumed: bool,
    /// From when on the reason no longer holds, where a clock decides that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// What it was ordered by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<Score>,
    /// For a last resort: why it would otherwise be left alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub despite: Option<Rejection>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
const fn is_false(flag: &bool) -> bool {
    !*flag
}

/// What became of a candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verdict", content = "reason", rename_all = "snake_case")]
pub enum Verdict {
    /// It is tried, in its order.
    Accepted(Acceptance),
    /// It is not tried.
    Rejected(Rejection),
}

/// Why no decision can be taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecideError {
    /// There is no operation of that name.
    #[error("there is no operation `{0}`")]
    UnknownOperation(OperationId),
    /// It is switched off.
    #[error("the operation `{0}` is switched off")]
    OperationDisabled(OperationId),
}

impl Candidate {
    /// A candidate of which no more is known.
    pub const fn of(target: Target, verdict: Verdict, estimate: Option<NanoUsd>) -> Self {
        Self {
            target,
            verdict,
            own_credential: false,
            estimate,
            is_estimate_assumed: false,
            until: None,
            score: None,
            despite: None,
        }
    }

    /// Whether it is tried.
    pub const fn is_accepted(&self) -> bool {
        matches!(self.verdict, Verdict::Accepted(_))
    }

    /// Whether its call goes out although its circuit may be open, because there is no other target.
    pub const fn is_last_resort(&self) -> bool {
        self.despite.is_some()
    }

    const fn rejection(&self) -> Option<Rejection> {
        match self.verdict {
            Verdict::Rejected(reason) => Some(reason),
            Verdict::Accepted(_) => None,
        }
    }
}

impl Decision {
    /// A decision no rule had a part in.
    pub const fn of(strategy: Strategy, candidates: Vec<Candidate>) -> Self {
        Self { strategy, rule: None, rule_faults: Vec::new(), asked: None, candidates }
    }

    /// The targets to try, in order.
    pub fn chain(&self) -> impl Iterator<Item = &Candidate> {
        self.candidates.iter().filter(|candidate| candidate.is_accepted())
    }

    /// Whether every target was rejected because the request is too long for it.
    pub fn is_too_long(&self) -> bool {
        let too_long =
            |candidate: &Candidate| candidate.verdict == Verdict::Rejected(Rejection::ContextWindow);
        !self.candidates.is_empty() && self.candidates.iter().all(too_long)
    }

    /// Whether every target was rejected because the caller's key may not use it.
    pub fn is_out_of_scope(&self) -> bool {
        let out = |candidate: &Candidate| candidate.verdict == Verdict::Rejected(Rejection::KeyNotAllowed);
        !self.candidates.is_empty() && self.candidates.iter().all(out)
    }

    /// Whether whoever answers is called with the caller's own credential.
    pub fn is_at_own_cost(&self) -> bool {
        self.chain().next().is_some() && self.chain().all(|candidate| candidate.own_credential)
    }

    /// When the first of the targets that cool down is back, if there is nothing to try until then; what a request may wait
    /// for (`retry::wait_for_soonest`).
    pub fn cools_until(&self) -> Option<Timestamp> {
        if self.chain().next().is_some() {
            return None;
        }
        let cooling = |candidate: &&Candidate| candidate.verdict == Verdict::Rejected(Rejection::CoolingDown);
        self.candidates.iter().filter(cooling).filter_map(|candidate| candidate.until).min()
    }

    /// When the first target that cannot be tried may be, as far as a clock decides that; for a client that has to come
    /// back. `None` when there is something to try.
    pub fn back_at(&self) -> Option<Timestamp> {
        if self.chain().next().is_some() {
            return None;
        }
        self.candidates.iter().filter_map(|candidate| candidate.until).min()
    }

    /// Whether nothing can be tried only because of what passes by itself: the client may come back.
    pub fn is_passing(&self) -> bool {
        self.chain().next().is_none()
            && self.candidates.iter().filter_map(Candidate::rejection).any(Rejection::passes)
    }

    /// The most it may cost, whichever target of the chain answers; `None` when one of them is unpriced.
    pub fn estimate_max(&self) -> Option<NanoUsd> {
        self.chain()
            .map(|candidate| candidate.estimate)
            .try_fold(NanoUsd::ZERO, |max, cost| Some(max.max(cost?)))
    }
}

/// The targets a decision will consider, so that the engine looks up the health of those alone.
pub fn targets<'a>(
    snapshot: &'a Snapshot,
    operation: &OperationId,
    pinned: Option<&'a Target>,
) -> impl Iterator<Item = &'a Target> {
    let route = snapshot.operations.get(operation).filter(|_| pinned.is_none());
    let chain = route.map_or(&[][..], |entry| entry.route.targets.as_slice());
    pinned.into_iter().chain(chain.iter().map(|card| &card.target))
}

/// Decides where a request goes.
///
/// Errors: an unknown or disabled operation. An empty chain is no error: it is a decision with reasons.
pub fn decide(snapshot: &Snapshot, ask: &Ask<'_>, now: Timestamp) -> Result<Decision, DecideError> {
    let entry = snapshot
        .operations
        .get(ask.operation)
        .ok_or_else(|| DecideError::UnknownOperation(ask.operation.clone()))?;
    if !entry.operation.enabled {
        return Err(DecideError::OperationDisabled(ask.operation.clone()));
    }
    let pinned;
    let cards = match ask.pinned {
        Some(target) => {
            pinned = [RouteTarget::of(target.clone())];
            &pinned[..]
        }
        None => entry.route.targets.as_slice(),
    };
    let (rule, rule_faults) = match ask.pinned {
        Some(_) => (None, Vec::new()),
        None => first_match(&entry.route, ask, now),
    };
    let considering = Considering { snapshot, entry, ask, rule, now };
    let mut candidates: Vec<Candidate> = Vec::with_capacity(cards.len());
    let mut contenders: Vec<Contender> = Vec::with_capacity(cards.len());
    for (place, card) in cards.iter().enumerate() {
        let (candidate, contender) = considering.consider(place, card);
        candidates.push(candidate);
        contenders.extend(contender);
    }
    let drawn = (entry.route.strategy == Strategy::Weighted && ask.pinned.is_none())
        .then(|| order::draw(shares(cards, &candidates), ask.lot));
    let balance = entry.route.balance;
    order::order(&mut contenders, entry.route.strategy, balance, drawn.flatten(), &ask.features);
    if contenders.is_empty() {
        call_the_last_resort(&mut candidates, now);
    }
    if !candidates.iter().any(Candidate::is_accepted)
        && ask.pinned.is_none()
        && let Some(simulator) = considering.simulator_in_place_of(&candidates)
    {
        candidates.insert(0, simulator);
    } else {
        candidates = in_order(candidates, &contenders);
    }
    let rule = rule.map(|rule| MatchedRule { name: rule.name.clone(), effect: rule.effect });
    let asked = Some(Asked::of(&ask.features));
    Ok(Decision { strategy: entry.route.strategy, rule, rule_faults, asked, candidates })
}

/// Whether a target could be tried now, and if not, why; for screens that show a chain's readiness.
pub fn readiness(snapshot: &Snapshot, target: &Target, capability: Capability) -> Option<Rejection> {
    let features = Features::of(Surface::OpenaiChat, Bound::default());
    filter::usable(snapshot, target, capability, &features, None).err()
}

/// The most a request costs on any model of the target's provider that does this kind of work, in place of a price that is
/// missing; `None` when none has a price.
pub fn estimate_at_the_dearest(
    snapshot: &Snapshot,
    target: &Target,
    capability: Capability,
    bound: Bound,
    now: Timestamp,
) -> Option<NanoUsd> {
    filter::priced_as_the_dearest(snapshot, target, capability, bound, now)
}

/// The weights of the targets that take part in a draw: those that serve, and those that will again.
fn shares<'a>(
    cards: &'a [RouteTarget],
    candidates: &'a [Candidate],
) -> impl Iterator<Item = (usize, u32)> + Clone + 'a {
    let pairs = cards.iter().zip(candidates).enumerate();
    let takes_part = |candidate: &Candidate| candidate.rejection().is_none_or(Rejection::passes);
    pairs.filter_map(move |(place, (card, candidate))| takes_part(candidate).then_some((place, card.weight)))
}

/// The first rule the request meets, and those nobody can tell of.
fn first_match<'a>(
    route: &'a Route,
    ask: &Ask<'_>,
    now: Timestamp,
) -> (Option<&'a RouteRule>, Vec<RuleFault>) {
    let facts = Facts { operation: ask.operation, features: &ask.features, now };
    let mut faults = Vec::new();
    for rule in &route.rules {
        match rule.when.is_met(&facts) {
            Ok(true) => return (Some(rule), faults),
            Ok(false) => {}
            Err(fault) => faults.push(RuleFault { name: rule.name.clone(), fault: fault.to_string() }),
        }
    }
    (None, faults)
}

/// Everything by which one target after the other is looked at.
struct Considering<'a> {
    snapshot: &'a Snapshot,
    entry: &'a OperationEntry,
    ask: &'a Ask<'a>,
    rule: Option<&'a RouteRule>,
    now: Timestamp,
}

impl Considering<'_> {
    /// What becomes of a target, and what it is ordered by if it is tried.
    fn consider(&self, place: usize, card: &RouteTarget) -> (Candidate, Option<Contender>) {
        let ask = self.ask;
        let mut candidate = Candidate::of(card.target.clone(), Verdict::Accepted(Acceptance::Chain), None);
        candidate.own_credential = ask.key.is_some_and(|key| key.has_own_credential(&card.target.provider));
        let mut contender = Contender::new(place, card.weight);
        let kept_out = self.keep_out(card, &mut candidate, &mut contender);
        let view = ask.health.get(&card.target);
        let unwell = || filter::unwell(view, candidate.own_credential);
        if let Some((reason, until)) = kept_out.map(|reason| (reason, None)).or_else(unwell) {
            candidate.verdict = Verdict::Rejected(reason);
            candidate.until = until;
            return (candidate, None);
        }
        contender.estimate = candidate.estimate;
        contender.p50_us = view.p50_us;
        contender.is_degraded = view.is_degraded;
        let prefers = self.rule.filter(|rule| rule.effect == RuleEffect::Prefer);
        contender.preferred =
            prefers.and_then(|rule| rule.targets.iter().position(|target| *target == card.target));
        candidate.verdict = Verdict::Accepted(match ask.pinned {
            Some(_) => Acceptance::Pinned,
            None if view.is_degraded => Acceptance::Degraded,
            None if contender.preferred.is_some() => Acceptance::Preferred,
            None => Acceptance::Chain,
        });
        (candidate, Some(contender))
    }

    /// Why the target is out whatever its health. Notes its price and quality on the way.
    fn keep_out(
        &self,
        card: &RouteTarget,
        candidate: &mut Candidate,
        contender: &mut Contender,
    ) -> Option<Rejection> {
        let (snapshot, ask, now) = (self.snapshot, self.ask, self.now);
        let (target, bound) = (&card.target, ask.features.bound);
        if let Some(entry) = snapshot.models.get(target) {
            candidate.estimate = filter::priced(entry, bound, now);
            contender.quality = entry.model.quality;
        }
        let is_blocked = snapshot.models.get(target).is_some_and(|entry| entry.breach_at(now).is_some());
        if !card.enabled {
            return Some(Rejection::TargetDisabled);
        }
        let operation = &self.entry.operation;
        if let Err(reason) = filter::usable(snapshot, target, operation.capability, &ask.features, ask.key) {
            return Some(reason);
        }
        if is_blocked {
            return Some(Rejection::BillAboveBound);
        }
        if !self.may_go_to(target) {
            return Some(Rejection::ProviderNotAllowed);
        }
        if let Some(rule) = self.rule
            && rule.effect == RuleEffect::Only
            && !rule.targets.contains(target)
        {
            return Some(Rejection::RuledOut);
        }
        if candidate.estimate.is_some() {
            return None;
        }
        match snapshot.settings.unpriced {
            UnpricedPolicy::Allow => None,
            UnpricedPolicy::Block => Some(Rejection::Unpriced),
            UnpricedPolicy::FamilyMaximum => {
                candidate.estimate =
                    filter::priced_as_the_dearest(snapshot, target, operation.capability, bound, now);
                candidate.is_estimate_assumed = candidate.estimate.is_some();
                candidate.estimate.is_none().then_some(Rejection::Unpriced)
            }
        }
    }

    fn may_go_to(&self, target: &Target) -> bool {
        let allowed = &self.entry.operation.allowed_providers;
        allowed.is_empty() || allowed.contains(&target.provider)
    }

    /// The simulator, while no provider has been connected. It never stands in for a target that is merely down, switched
    /// off or without its key: an invented answer in production would be worse than an error.
    fn simulator_in_place_of(&self, rejected: &[Candidate]) -> Option<Candidate> {
        let snapshot = self.snapshot;
        let nothing_set_up = rejected.iter().all(|candidate| match candidate.verdict {
            // Nobody turned off what nobody turned on.
            Verdict::Rejected(Rejection::ProviderDisabled) => {
                let provider = snapshot.providers.get(&candidate.target.provider);
                provider.is_some_and(|entry| entry.provider.kind.is_experimental())
            }
            Verdict::Rejected(reason) => reason.is_not_set_up(),
            Verdict::Accepted(_) => false,
        });
        let brings_its_own = self.ask.key.is_some_and(|key| !key.own_credentials.is_empty());
        if !nothing_set_up || brings_its_own || is_any_connected(snapshot) {
            return None;
        }
        let is_simulator = |target: &&Target| {
            let provider = snapshot.providers.get(&target.provider);
            provider.is_some_and(|entry| entry.provider.kind == ProviderKind::Simulator)
        };
        let mut models: Vec<&Target> = snapshot.models.keys().filter(is_simulator).collect();
        models.sort();
        let capability = self.entry.operation.capability;
        models.into_iter().filter(|target| self.may_go_to(target)).find_map(|target| {
            let entry =
                filter::usable(snapshot, target, capability, &self.ask.features, self.ask.key).ok()?;
            let estimate = filter::priced(entry, self.ask.features.bound, self.now);
            let verdict = Verdict::Accepted(Acceptance::NothingSetUp);
            Some(Candidate::of(target.clone(), verdict, estimate))
        })
    }
}

/// Whether the installation has a provider of its own. A credential that cannot be found at the moment (an unset variable,
/// a sealed vault) is still one that was given: programs rely on it by then.
pub fn is_any_connected(snapshot: &Snapshot) -> bool {
    snapshot.providers.values().any(|entry| {
        let kind = entry.provider.kind;
        kind != ProviderKind::Simulator
            && !kind.is_experimental()
            && entry.provider.credential != CredentialSource::Missing
    })
}

/// Lets the target through that it takes least to try, unless one that cools down is back so soon that the request can wait
/// for it.
fn call_the_last_resort(candidates: &mut [Candidate], now: Timestamp) {
    let is_worth_waiting = |candidate: &Candidate| {
        candidate.rejection() == Some(Rejection::CoolingDown)
            && candidate.until.is_some_and(|until| until.micros_since(now) <= WAIT_MAX_US)
    };
    if candidates.iter().any(is_worth_waiting) {
        return;
    }
    let rank = |candidate: &Candidate| candidate.rejection().and_then(Rejection::last_resort_rank);
    let last = candidates.iter_mut().filter_map(|candidate| Some((rank(candidate)?, candidate)));
    if let Some((_, candidate)) = last.min_by_key(|(rank, _)| *rank) {
        candidate.despite = candidate.rejection();
        candidate.verdict = Verdict::Accepted(Acceptance::LastResort);
    }
}

/// First the targets to try, in the contenders' order, then the rest in the chain's.
fn in_order(candidates: Vec<Candidate>, contenders: &[Contender]) -> Vec<Candidate> {
    let mut left: Vec<Option<Candidate>> = candidates.into_iter().map(Some).collect();
    let mut ordered = Vec::with_capacity(left.len());
    for contender in contenders {
        if let Some(mut candidate) = left.get_mut(contender.place).and_then(Option::take) {
            candidate.score = contender.score;
            ordered.push(candidate);
        }
    }
    // A last resort is no contender.
    let (accepted, rejected): (Vec<_>, Vec<_>) = left.into_iter().flatten().partition(Candidate::is_accepted);
    ordered.extend(accepted);
    ordered.extend(rejected);
    ordered
}

#[cfg(test)]
mod tests;
