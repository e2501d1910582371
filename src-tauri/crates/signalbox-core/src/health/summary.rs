//! Health in one word and a few numbers, for one target or for all of a provider's.

use std::cmp::{Ordering, Reverse};

use serde::{Deserialize, Serialize};

use super::window::Window;
use super::{Counts, Durations, RateHeadroom, TargetHealth, WINDOW_MINUTES};
use crate::breaker::{Block, BreakerSettings, Circuit};
use crate::time::Timestamp;

/// Health in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HealthState {
    /// It serves.
    Healthy,
    /// It serves, but too many of its calls fail.
    Degraded,
    /// Its circuit is open.
    Open,
    /// One call finds out whether it serves again, or the next one will.
    Probing,
    /// An admin keeps its circuit open.
    Held,
    /// Its provider asked to wait.
    CoolingDown,
    /// Its provider refuses the credential.
    CredentialBad,
    /// Nobody called it lately.
    NoData,
}

impl HealthState {
    /// Every state, the best first.
    pub const ALL: &'static [Self] = &[
        Self::Healthy,
        Self::NoData,
        Self::Degraded,
        Self::CoolingDown,
        Self::Probing,
        Self::Open,
        Self::CredentialBad,
        Self::Held,
    ];

    /// The word on the wire and in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Degraded => "degraded",
            Self::Open => "open",
            Self::Probing => "probing",
            Self::Held => "held",
            Self::CoolingDown => "cooling_down",
            Self::CredentialBad => "credential_bad",
            Self::NoData => "no_data",
        }
    }

    /// The state in words for a person.
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Degraded => "at most half of its recent calls were answered",
            Self::Open => "its circuit is open after too many failures",
            Self::Probing => "one call finds out whether it serves again",
            Self::Held => "an admin holds its circuit open",
            Self::CoolingDown => "its provider asked to wait",
            Self::CredentialBad => "its provider refuses the credential",
            Self::NoData => "no calls lately",
        }
    }

    /// Whether requests go there now.
    pub const fn serves(self) -> bool {
        match self {
            Self::Healthy | Self::Degraded | Self::NoData => true,
            Self::Open | Self::Probing | Self::Held | Self::CoolingDown | Self::CredentialBad => false,
        }
    }
}

/// Health in a few numbers, over the last [`WINDOW_MINUTES`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HealthSummary {
    /// In one word.
    pub state: HealthState,
    /// Whether no circuit is open and more than half of the judged calls were answered.
    pub is_healthy: bool,
    /// Whether a provider refuses the credential.
    pub is_credential_bad: bool,
    /// When the state may change for the better by itself.
    pub until: Option<Timestamp>,
    /// How the calls went.
    pub counts: Counts,
    /// How long the answers took.
    pub latency: Option<Durations>,
    /// How long they took to begin.
    pub first_token: Option<Durations>,
    /// The room the provider left when last heard of.
    pub headroom: Option<RateHeadroom>,
}

impl HealthSummary {
    /// Share of answered calls, in basis points; `None` without calls.
    pub fn success_bp(&self) -> Option<u32> {
        self.counts.success_bp()
    }

    /// The better one first: healthy, then the higher success rate, then the shorter usual answer. What nobody has called
    /// counts as answering, and as the slowest.
    pub fn rank(&self, other: &Self) -> Ordering {
        let key = |summary: &Self| {
            (
                !summary.is_healthy,
                Reverse(summary.success_bp().unwrap_or(10_000)),
                summary.latency.map_or(i64::MAX, |latency| latency.p50_us),
            )
        };
        key(self).cmp(&key(other))
    }
}

pub(super) fn of_target(target: &TargetHealth, settings: BreakerSettings, now: Timestamp) -> HealthSummary {
    let counts = target.window.counts(WINDOW_MINUTES, now);
    let (state, until) = state_of(target, &counts, settings, now);
    HealthSummary {
        state,
        is_healthy: target.is_healthy(now),
        is_credential_bad: target.breaker.is_key_refused(),
        until,
        counts,
        latency: target.window.latency(WINDOW_MINUTES, now),
        first_token: target.window.first_token(WINDOW_MINUTES, now),
        headroom: target.headroom,
    }
}

fn state_of(
    target: &TargetHealth,
    counts: &Counts,
    settings: BreakerSettings,
    now: Timestamp,
) -> (HealthState, Option<Timestamp>) {
    let circuit = target.breaker.circuit();
    let blocked = target.check(settings, now).err();
    let until = blocked.and_then(|blocked| blocked.until);
    let state = match (circuit, blocked.map(|blocked| blocked.why)) {
        (Circuit::Held, _) => HealthState::Held,
        (Circuit::Open | Circuit::HalfOpen, _) if target.breaker.is_key_refused() => {
            HealthState::CredentialBad
        }
        (Circuit::Open, Some(_)) => HealthState::Open,
        (_, Some(Block::CoolingDown)) => HealthState::CoolingDown,
        (Circuit::Open | Circuit::HalfOpen, _) => HealthState::Probing,
        (Circuit::Closed, _) if target.is_degraded(now) => HealthState::Degraded,
        (Circuit::Closed, _) if counts.calls() == 0 => HealthState::NoData,
        (Circuit::Closed, _) => HealthState::Healthy,
    };
    (state, until)
}

/// Several targets as one: a provider's. It serves while one of them does, and is only as healthy as all of them.
///
/// `None` without targets.
pub fn roll_up<'a>(
    targets: impl Iterator<Item = &'a TargetHealth> + Clone,
    settings: BreakerSettings,
    now: Timestamp,
) -> Option<HealthSummary> {
    let mut summaries = targets.clone().map(|target| of_target(target, settings, now));
    let mut all = summaries.next()?;
    for summary in summaries {
        all.counts.add(&summary.counts);
        all.state = together(all.state, summary.state);
        all.is_healthy &= summary.is_healthy;
        all.is_credential_bad |= summary.is_credential_bad;
        all.until = [all.until, summary.until].into_iter().flatten().min();
        let seen_at = |headroom: &Option<RateHeadroom>| headroom.map(|headroom| headroom.seen_at);
        if seen_at(&summary.headroom) > seen_at(&all.headroom) {
            all.headroom = summary.headroom;
        }
    }
    if all.state.serves() {
        all.until = None;
    }
    all.latency = Window::latency_of_all(targets.clone().map(|target| &target.window), WINDOW_MINUTES, now);
    all.first_token = Window::first_token_of_all(targets.map(|target| &target.window), WINDOW_MINUTES, now);
    Some(all)
}

/// The word for two targets: the same for equals; nothing known adds nothing; a refused credential concerns all; one that
/// serves and one that does not are a degraded whole; of two that do not serve, the sooner to recover speaks.
fn together(one: HealthState, other: HealthState) -> HealthState {
    let place = |state: HealthState| HealthState::ALL.iter().position(|known| *known == state);
    match (one, other) {
        _ if one == other => one,
        (HealthState::CredentialBad, _) | (_, HealthState::CredentialBad) => HealthState::CredentialBad,
        (HealthState::NoData, served) | (served, HealthState::NoData) if served.serves() => served,
        _ if one.serves() || other.serves() => HealthState::Degraded,
        _ if place(one) < place(other) => one,
        _ => other,
    }
}
