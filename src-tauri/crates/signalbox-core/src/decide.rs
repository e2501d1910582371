//! Where a request goes, and why: a pure function over one snapshot.

mod features;

use serde::{Deserialize, Serialize};

pub use features::{Complexity, Features};

use crate::ids::OperationId;
use crate::meter::{Bound, estimate};
use crate::money::NanoUsd;
use crate::operation::Capability;
use crate::provider::{CredentialSource, ProviderKind};
use crate::route::{RouteTarget, Strategy, Target};
use crate::snapshot::Snapshot;
use crate::time::Timestamp;

/// What the router needs to know of a request.
#[derive(Debug, Clone)]
pub struct Ask<'a> {
    /// What kind of work it is.
    pub operation: &'a OperationId,
    /// The one target the client insists on, if it does.
    pub pinned: Option<&'a Target>,
    /// Whether it contains images, which not every model reads.
    pub has_images: bool,
    /// What it may use at most.
    pub bound: Bound,
}

/// The outcome of routing, stored with the request and shown as "why this model?".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// How targets were ordered.
    pub strategy: Strategy,
    /// Every target considered: first those to try, in order, then the rejected ones.
    pub candidates: Vec<Candidate>,
}

/// One target considered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidate {
    /// Where it would go.
    pub target: Target,
    /// What became of it.
    #[serde(flatten)]
    pub verdict: Verdict,
    /// Upper estimate of this request's cost there; `None` when unpriced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub estimate: Option<NanoUsd>,
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

/// Why a target is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Acceptance {
    /// Its place in the chain.
    Chain,
    /// The client insisted on it.
    Pinned,
    /// No target of the chain is set up yet, so the simulator answers.
    NothingSetUp,
}

/// Why a target is not tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rejection {
    /// Switched off in the route.
    TargetDisabled,
    /// There is no provider of that name.
    ProviderUnknown,
    /// Switched off as a whole.
    ProviderDisabled,
    /// Providers of its kind do not do this kind of work.
    NoAdapter,
    /// It has no credential yet.
    NoCredential,
    /// The provider has no model of that name.
    ModelUnknown,
    /// The model cannot do this kind of work.
    WrongCapability,
    /// The request does not fit the model's context window.
    ContextWindow,
}

impl Rejection {
    /// The machine word, as clients and the window see it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TargetDisabled => "target_disabled",
            Self::ProviderUnknown => "provider_unknown",
            Self::ProviderDisabled => "provider_disabled",
            Self::NoAdapter => "no_adapter",
            Self::NoCredential => "no_credential",
            Self::ModelUnknown => "model_unknown",
            Self::WrongCapability => "wrong_capability",
            Self::ContextWindow => "context_window",
        }
    }

    /// The reason in words for a person.
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::TargetDisabled => "switched off in this route",
            Self::ProviderUnknown => "there is no such provider",
            Self::ProviderDisabled => "the provider is switched off",
            Self::NoAdapter => "providers of this kind do not do this kind of work",
            Self::NoCredential => "the provider has no credential yet",
            Self::ModelUnknown => "the provider has no model of this name here",
            Self::WrongCapability => "the model cannot do this kind of work",
            Self::ContextWindow => "the request is longer than the model's context window",
        }
    }

    /// Whether it only means that the installation has not been set up that far.
    const fn is_not_set_up(self) -> bool {
        matches!(self, Self::ProviderUnknown | Self::NoAdapter | Self::NoCredential)
    }
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

impl Decision {
    /// The targets to try, in order.
    pub fn chain(&self) -> impl Iterator<Item = &Candidate> {
        self.candidates.iter().filter(|candidate| matches!(candidate.verdict, Verdict::Accepted(_)))
    }

    /// Why nothing can be tried, in words; for the client when the chain is empty.
    pub fn rejections_in_words(&self) -> String {
        let reasons: Vec<String> = self
            .candidates
            .iter()
            .filter_map(|candidate| match candidate.verdict {
                Verdict::Rejected(reason) => Some(format!("{}: {}", candidate.target, reason.in_words())),
                Verdict::Accepted(_) => None,
            })
            .collect();
        if reasons.is_empty() { "the route has no targets".to_owned() } else { reasons.join("; ") }
    }

    /// Whether every target was rejected because the request is too long for it.
    pub fn is_too_long(&self) -> bool {
        let too_long =
            |candidate: &Candidate| candidate.verdict == Verdict::Rejected(Rejection::ContextWindow);
        !self.candidates.is_empty() && self.candidates.iter().all(too_long)
    }

    /// The most it may cost, whichever target of the chain answers; `None` when one of them is unpriced.
    pub fn estimate_max(&self) -> Option<NanoUsd> {
        self.chain()
            .map(|candidate| candidate.estimate)
            .try_fold(NanoUsd::ZERO, |max, cost| Some(max.max(cost?)))
    }
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
    let capability = entry.operation.capability;
    let pinned;
    let (cards, acceptance) = match ask.pinned {
        Some(target) => {
            pinned = [RouteTarget::of(target.clone())];
            (&pinned[..], Acceptance::Pinned)
        }
        None => (entry.route.targets.as_slice(), Acceptance::Chain),
    };
    let mut accepted = Vec::with_capacity(cards.len());
    let mut rejected = Vec::new();
    for card in cards {
        let estimate = estimate_on(snapshot, &card.target, ask.bound, now);
        let target = card.target.clone();
        match reject(snapshot, card, capability, ask) {
            None => accepted.push(Candidate { target, verdict: Verdict::Accepted(acceptance), estimate }),
            Some(reason) => rejected.push(Candidate { target, verdict: Verdict::Rejected(reason), estimate }),
        }
    }
    if accepted.is_empty()
        && ask.pinned.is_none()
        && let Some(simulator) = simulator_in_place_of(snapshot, &rejected, capability, ask, now)
    {
        accepted.push(simulator);
    }
    accepted.append(&mut rejected);
    Ok(Decision { strategy: entry.route.strategy, candidates: accepted })
}

/// Whether a target could be tried now, and if not, why; for screens that show a chain's readiness.
pub fn readiness(snapshot: &Snapshot, target: &Target, capability: Capability) -> Option<Rejection> {
    let card = RouteTarget::of(target.clone());
    let operation = OperationId::new("readiness").ok()?;
    let ask = Ask { operation: &operation, pinned: None, has_images: false, bound: Bound::default() };
    reject(snapshot, &card, capability, &ask)
}

fn reject(
    snapshot: &Snapshot,
    card: &RouteTarget,
    capability: Capability,
    ask: &Ask<'_>,
) -> Option<Rejection> {
    if !card.enabled {
        return Some(Rejection::TargetDisabled);
    }
    let Some(provider) = snapshot.providers.get(&card.target.provider) else {
        return Some(Rejection::ProviderUnknown);
    };
    if !provider.provider.enabled {
        return Some(Rejection::ProviderDisabled);
    }
    if !provider.provider.kind.does(capability.work()) {
        return Some(Rejection::NoAdapter);
    }
    if !provider.credential_ready {
        return Some(Rejection::NoCredential);
    }
    let Some(entry) = snapshot.models.get(&card.target) else {
        return Some(Rejection::ModelUnknown);
    };
    let capabilities = &entry.model.capabilities;
    if !capabilities.contains(&capability) || (ask.has_images && !capabilities.contains(&Capability::Vision))
    {
        return Some(Rejection::WrongCapability);
    }
    // The bound is an upper one, up to twice what the model counts; only what cannot fit is kept from it.
    let needed_at_least = ask.bound.tokens_in / 2;
    if entry.model.context_window.is_some_and(|window| needed_at_least > u64::from(window)) {
        return Some(Rejection::ContextWindow);
    }
    None
}

fn estimate_on(snapshot: &Snapshot, target: &Target, bound: Bound, now: Timestamp) -> Option<NanoUsd> {
    let entry = snapshot.models.get(target)?;
    estimate(&entry.cards, now, bound).ok().flatten()
}

/// Whether the installation has a provider of its own. A credential that cannot be found at the moment (an unset variable,
/// a sealed vault) is still one that was given: programs rely on it by then.
fn is_any_connected(snapshot: &Snapshot) -> bool {
    snapshot.providers.values().any(|entry| {
        let kind = entry.provider.kind;
        kind != ProviderKind::Simulator
            && !kind.is_experimental()
            && entry.provider.credential != CredentialSource::Missing
    })
}

/// The simulator, while no provider has been connected. It never stands in for a target that is merely down, switched off
/// or without its key: an invented answer in production would be worse than an error.
fn simulator_in_place_of(
    snapshot: &Snapshot,
    rejected: &[Candidate],
    capability: Capability,
    ask: &Ask<'_>,
    now: Timestamp,
) -> Option<Candidate> {
    let nothing_set_up = rejected.iter().all(|candidate| match candidate.verdict {
        // Nobody turned off what nobody turned on.
        Verdict::Rejected(Rejection::ProviderDisabled) => {
            let provider = snapshot.providers.get(&candidate.target.provider);
            provider.is_some_and(|entry| entry.provider.kind.is_experimental())
        }
        Verdict::Rejected(reason) => reason.is_not_set_up(),
        Verdict::Accepted(_) => false,
    });
    if !nothing_set_up || is_any_connected(snapshot) {
        return None;
    }
    let mut models: Vec<&Target> = snapshot
        .models
        .keys()
        .filter(|target| {
            snapshot
                .providers
                .get(&target.provider)
                .is_some_and(|entry| entry.provider.kind == ProviderKind::Simulator)
        })
        .collect();
    models.sort();
    models.into_iter().find_map(|target| {
        let card = RouteTarget::of(target.clone());
        let verdict = Verdict::Accepted(Acceptance::NothingSetUp);
        match reject(snapshot, &card, capability, ask) {
            None => Some(Candidate {
                target: target.clone(),
                verdict,
                estimate: estimate_on(snapshot, target, ask.bound, now),
            }),
            Some(_) => None,
        }
    })
}

#[cfg(test)]
mod tests;
