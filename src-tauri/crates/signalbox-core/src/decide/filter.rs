//! What keeps a target out whatever the strategy: configuration, the request, the health of the moment.

use super::{Features, Rejection};
use crate::breaker::Blocked;
use crate::health::TargetView;
use crate::key::ApiKey;
use crate::ledger::Work;
use crate::meter::{Bound, estimate};
use crate::money::NanoUsd;
use crate::operation::Capability;
use crate::route::Target;
use crate::snapshot::{ModelEntry, Snapshot};
use crate::time::Timestamp;

/// The model of a target that can serve the request at all.
///
/// Errors: why it cannot.
pub(super) fn usable<'a>(
    snapshot: &'a Snapshot,
    target: &Target,
    capability: Capability,
    features: &Features<'_>,
    key: Option<&ApiKey>,
) -> Result<&'a ModelEntry, Rejection> {
    if key.is_some_and(|key| !key.may_reach(target)) {
        return Err(Rejection::KeyNotAllowed);
    }
    let provider = snapshot.providers.get(&target.provider).ok_or(Rejection::ProviderUnknown)?;
    if !provider.provider.enabled {
        return Err(Rejection::ProviderDisabled);
    }
    if !provider.provider.kind.does(capability.work()) {
        return Err(Rejection::NoAdapter);
    }
    if !snapshot.is_credential_ready(&target.provider, key) {
        return Err(Rejection::NoCredential);
    }
    let entry = snapshot.models.get(target).ok_or(Rejection::ModelUnknown)?;
    let can = |capability: Capability| entry.model.capabilities.contains(&capability);
    let is_chat = capability.work() == Work::Chat;
    let sees = !is_chat || !features.has_images || can(Capability::Vision);
    let hears = !is_chat || !features.has_audio || can(Capability::AudioInput);
    if !can(capability) || !sees || !hears {
        return Err(Rejection::WrongCapability);
    }
    // The bound is an upper one, up to twice what the model counts; only what cannot fit is kept from it.
    let needed_at_least = features.bound.tokens_in / 2;
    if entry.model.context_window.is_some_and(|window| needed_at_least > u64::from(window)) {
        return Err(Rejection::ContextWindow);
    }
    Ok(entry)
}

/// What the request costs there at most; `None` when a price is missing.
pub(super) fn priced(entry: &ModelEntry, bound: Bound, now: Timestamp) -> Option<NanoUsd> {
    estimate(&entry.cards, now, bound).ok().flatten()
}

/// The most it costs on any model of the provider that does this kind of work, in place of a price that is missing.
pub(super) fn priced_as_the_dearest(
    snapshot: &Snapshot,
    target: &Target,
    capability: Capability,
    bound: Bound,
    now: Timestamp,
) -> Option<NanoUsd> {
    let family = snapshot.models.iter().filter(|(known, entry)| {
        known.provider == target.provider && entry.model.capabilities.contains(&capability)
    });
    family.filter_map(|(_, entry)| priced(entry, bound, now)).max()
}

/// What keeps calls away at the moment, and until when. What the provider said of the installation's account does not
/// keep an owner's own away.
pub(super) fn unwell(view: &TargetView, own_credential: bool) -> Option<(Rejection, Option<Timestamp>)> {
    let concerns_it = |blocked: &Blocked| !(own_credential && blocked.why.is_about_account());
    let blocked = view.blocked.filter(concerns_it);
    let blocked = blocked.map(|blocked| (Rejection::from(blocked.why), blocked.until));
    // What not even a last resort overrides comes first.
    if let Some((why, _)) = blocked
        && why.last_resort_rank().is_none()
    {
        return blocked;
    }
    if view.is_full {
        return Some((Rejection::AtCapacity, None));
    }
    blocked.or_else(|| view.capped_until.map(|until| (Rejection::FailoverCap, Some(until))))
}
