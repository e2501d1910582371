//! What an admin does to circuits, and what a replaced or accepted credential does.

use std::sync::atomic::Ordering;

use signalbox_core::ids::{ModelName, ProviderName};
use signalbox_core::route::Target;

use super::{ByHand, HealthBoard, lock};
use crate::check::{self, Checked};
use crate::engine::Engine;
use crate::error::EngineError;
use crate::events::Topic;
use crate::live::Live;

/// Who acts when nobody does by hand.
const OURSELVES: &str = "signalbox";

/// Which circuits are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Circuits {
    /// Whose.
    pub provider: ProviderName,
    /// Of which model; `None`: of every one.
    pub model: Option<ModelName>,
}

impl Engine {
    /// Keeps circuits open until they are reset. Says how many moved.
    pub fn hold_circuits(&self, which: &Circuits, actor: &str, reason: Option<&str>) -> usize {
        let targets = self.targets_of(which);
        targets.iter().filter(|target| self.health.hold(target, actor, reason)).count()
    }

    /// Closes circuits with a clean slate: cool-downs, refused credentials and failovers are forgotten too. Says how many
    /// were not closed before.
    pub fn reset_circuits(&self, which: &Circuits, actor: &str, reason: Option<&str>) -> usize {
        let targets = self.targets_of(which);
        targets.iter().filter(|target| self.health.reset(target, actor, reason)).count()
    }

    /// Asks a provider for its models, which costs nothing. When it answers, circuits that its refusal of the credential
    /// opened are closed. `None`: there is no such provider.
    ///
    /// Errors: secrets cannot be read. What is wrong with the provider is in the result.
    pub async fn probe(&self, provider: &ProviderName) -> Result<Option<Checked>, EngineError> {
        let live = self.live();
        let Some(entry) = live.snapshot.providers.get(provider) else { return Ok(None) };
        let checked =
            check::check(&self.control, &entry.provider, self.simulator(), &self.kill_switch.flow()).await?;
        if checked.models.is_ok() {
            self.health.credential_accepted(provider, "the provider takes the credential");
        }
        Ok(Some(checked))
    }

    /// The targets that exist, and those that are only known of.
    fn targets_of(&self, which: &Circuits) -> Vec<Target> {
        let is_meant = |target: &&Target| {
            target.provider == which.provider
                && which.model.as_ref().is_none_or(|model| *model == target.model)
        };
        let live = self.live();
        let mut targets: Vec<Target> = live.snapshot.models.keys().filter(is_meant).cloned().collect();
        let known = self.health.slots();
        targets.extend(known.iter().map(|slot| &slot.target).filter(is_meant).cloned());
        targets.sort_unstable();
        targets.dedup();
        targets
    }
}

impl HealthBoard {
    pub(super) fn hold(&self, target: &Target, actor: &str, reason: Option<&str>) -> bool {
        let slot = self.slot(target);
        let mut health = slot.health();
        let transition = health.hold(self.0.clock.now());
        let moved = transition.is_some();
        if let Some(transition) = transition {
            self.0.announce(&slot, &health, &transition, Some(by_hand(actor, reason)));
        }
        moved
    }

    fn reset(&self, target: &Target, actor: &str, reason: Option<&str>) -> bool {
        let slot = self.slot(target);
        lock(&self.0.caps).forget(target);
        let mut health = slot.health();
        let transition = health.reset(self.0.clock.now());
        let moved = transition.is_some();
        if let Some(transition) = transition {
            self.0.announce(&slot, &health, &transition, Some(by_hand(actor, reason)));
        } else {
            slot.is_changed.store(true, Ordering::Release);
            self.0.events.publish(Topic::Health);
        }
        moved
    }

    /// The provider takes the credential: circuits that its refusal opened are closed. One that an admin holds is not.
    pub(crate) fn credential_accepted(&self, provider: &ProviderName, why: &str) {
        for slot in self.slots().iter().filter(|slot| slot.target.provider == *provider) {
            let mut health = slot.health();
            let breaker = health.breaker();
            if !breaker.is_key_refused() || breaker.circuit() == signalbox_core::breaker::Circuit::Held {
                continue;
            }
            if let Some(transition) = health.reset(self.0.clock.now()) {
                self.0.announce(slot, &health, &transition, Some(by_hand(OURSELVES, Some(why))));
            }
        }
    }

    /// A provider whose credential or address was replaced since `before` is tried again.
    pub(crate) fn follow_credentials(&self, before: &Live, now: &Live) {
        for (name, entry) in &now.snapshot.providers {
            let Some(old) = before.snapshot.providers.get(name) else { continue };
            let (old, new) = (&old.provider, &entry.provider);
            if old.credential != new.credential || old.base_url != new.base_url || old.auth != new.auth {
                self.credential_accepted(name, "the credential or the address was replaced");
            }
        }
    }
}

fn by_hand(actor: &str, reason: Option<&str>) -> ByHand {
    ByHand { actor: actor.to_owned(), reason: reason.map(str::to_owned) }
}
