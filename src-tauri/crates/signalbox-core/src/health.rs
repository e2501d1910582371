//! How well a target serves: its circuit, its calls of the last hour, its latest failures, the room its provider leaves.
//!
//! Counts are kept per minute for an hour, durations per five minutes; what is older falls out when new calls come in, so
//! memory is bounded whatever the traffic. A target is judged by the calls of the last [`WINDOW_MINUTES`], and after its
//! circuit closed only by those since: the outage it has recovered from must not keep traffic away.

mod failover_cap;
mod summary;
mod window;

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

pub use failover_cap::{FAILOVERS_PER_HOUR, FailoverCap};
pub use summary::{HealthState, HealthSummary, roll_up};
pub use window::{Counts, DURATION_MAX_US, Durations, MinuteCounts, STRIP_MINUTES};

use crate::breaker::{
    Admission, Block, Blocked, Breaker, BreakerSettings, COOL_DOWN_UNNAMED_US, Circuit, FailedCall, Permit,
    Permitted, Transition,
};
use crate::failure::FailureKind;
use crate::ids::RequestId;
use crate::time::{MICROS_PER_SECOND, Timestamp};
use window::Window;

/// Minutes by which a target is judged: long enough to see five calls of a small installation, short enough to forget.
pub const WINDOW_MINUTES: u32 = 15;

/// Calls it takes to call a target unhealthy by its success rate.
pub const CALLS_TO_JUDGE: u64 = 5;

/// Failures kept for the eye.
pub const FAILURES_NOTED: usize = 10;

/// Characters of a failure's message that are kept.
const MESSAGE_CHARS_MAX: usize = 300;

/// For how long the usual duration of answers stands before it is worked out anew; it is asked for by every request.
const USUAL_KEPT_US: i64 = MICROS_PER_SECOND;

/// A call that was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answered {
    /// From dispatch to the last byte, in microseconds.
    pub latency_us: i64,
    /// From dispatch to the first token, in microseconds; `None` where there is none.
    pub first_token_us: Option<i64>,
}

/// A call that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failed {
    /// Why.
    pub kind: FailureKind,
    /// The provider's words.
    pub message: String,
    /// Its HTTP status, if there was an answer.
    pub http_status: Option<u16>,
    /// From dispatch to the failure, in microseconds.
    pub latency_us: i64,
    /// How long the provider asks to wait, in microseconds.
    pub retry_after_us: Option<i64>,
    /// The request whose call it was.
    pub request: Option<RequestId>,
}

/// One of the last failures of a target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailureNote {
    /// When it was reported.
    pub at: Timestamp,
    /// Why.
    pub kind: FailureKind,
    /// The provider's words, shortened.
    pub message: String,
    /// From dispatch to the failure, in microseconds.
    pub latency_us: i64,
    /// Its HTTP status, if there was an answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http_status: Option<u16>,
    /// The request whose call it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<RequestId>,
}

/// What a provider's headers said about the room it leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RateHeadroom {
    /// Requests that may still come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remaining_requests: Option<u64>,
    /// Requests per period.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit_requests: Option<u64>,
    /// Tokens that may still come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remaining_tokens: Option<u64>,
    /// Tokens per period.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit_tokens: Option<u64>,
    /// When what is used up comes back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resets_at: Option<Timestamp>,
    /// When the headers were read.
    pub seen_at: Timestamp,
}

impl RateHeadroom {
    /// Until when the provider is better left alone, because nothing is left; `None` when something is, or nobody said until
    /// when.
    ///
    /// Vendors name the instant at which *everything* is back; the first bit of it is back sooner. So this is a short
    /// pause at most, and the next answer says how it is then.
    pub fn exhausted_until(&self, now: Timestamp) -> Option<Timestamp> {
        let is_used_up = self.remaining_requests == Some(0) || self.remaining_tokens == Some(0);
        let until = self.resets_at?.min(self.seen_at.plus_micros(COOL_DOWN_UNNAMED_US));
        (is_used_up && now >= self.seen_at && now < until).then_some(until)
    }
}

/// What a routing decision sees of a target's health.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TargetView {
    /// Why no call goes through, if none does.
    pub blocked: Option<Blocked>,
    /// Whether the next call would be its circuit's probe.
    pub is_probe_due: bool,
    /// Whether at most half of its judged calls were answered.
    pub is_degraded: bool,
    /// Share of answered calls in the window, in basis points; `None` without calls.
    pub success_bp: Option<u32>,
    /// Usual duration of an answer, in microseconds; `None` without answers in the last hour.
    pub p50_us: Option<i64>,
    /// Until when the operation leaves the target alone because it had to fail over from it too often. The engine fills
    /// it from its [`FailoverCap`].
    pub capped_until: Option<Timestamp>,
    /// Whether as many calls are on their way there as may be. The engine fills it from its own count.
    pub is_full: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Usual {
    at: Timestamp,
    p50_us: Option<i64>,
}

/// The health of one target. Serialised, it survives a restart.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct TargetHealth {
    breaker: Breaker,
    #[serde(default)]
    window: Window,
    /// Latest first.
    #[serde(default)]
    failures: VecDeque<FailureNote>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    headroom: Option<RateHeadroom>,
    /// Calls before this do not count in judging it.
    #[serde(default)]
    judged_from: Timestamp,
    #[serde(skip)]
    usual: Option<Usual>,
}

impl TargetHealth {
    /// Its circuit.
    pub const fn breaker(&self) -> &Breaker {
        &self.breaker
    }

    /// Its last failures, latest first.
    pub fn failures(&self) -> impl Iterator<Item = &FailureNote> {
        self.failures.iter()
    }

    /// The room its provider left when last heard of.
    pub const fn headroom(&self) -> Option<&RateHeadroom> {
        self.headroom.as_ref()
    }

    /// The last [`STRIP_MINUTES`] minutes, oldest first, the current one last; a minute without calls is there too.
    pub fn strip(&self, now: Timestamp) -> Vec<MinuteCounts> {
        self.window.strip(now)
    }

    /// Whether a call would get a permit, and in which role.
    ///
    /// Errors: [`Blocked`]; a provider that has no room left counts as cooling down.
    pub fn check(&self, settings: BreakerSettings, now: Timestamp) -> Result<Admission, Blocked> {
        let admission = self.breaker.check(settings, now)?;
        match self.exhausted_until(now) {
            Some(until) => Err(Blocked { until: Some(until), why: Block::CoolingDown }),
            None => Ok(admission),
        }
    }

    /// Leave for one call.
    ///
    /// Errors: [`Blocked`], as [`Self::check`] says.
    pub fn permit(&mut self, settings: BreakerSettings, now: Timestamp) -> Result<Permitted, Blocked> {
        self.check(settings, now)?;
        self.breaker.permit(settings, now)
    }

    /// Leave for the call of a request that has no other target; see [`Breaker::permit_last_resort`].
    ///
    /// Errors: [`Blocked`] when an admin holds the circuit, the credential is refused, or the provider asks to wait.
    pub fn permit_last_resort(
        &mut self,
        settings: BreakerSettings,
        now: Timestamp,
    ) -> Result<Permitted, Blocked> {
        if let Some(until) = self.exhausted_until(now) {
            return Err(Blocked { until: Some(until), why: Block::CoolingDown });
        }
        self.breaker.permit_last_resort(settings, now)
    }

    /// The call was answered.
    pub fn succeeded(&mut self, permit: Permit, answered: Answered, now: Timestamp) -> Option<Transition> {
        self.window.answered(answered.latency_us, answered.first_token_us, now);
        let transition = self.breaker.succeeded(permit, now);
        self.follow(transition)
    }

    /// The call failed.
    pub fn failed(
        &mut self,
        permit: Permit,
        failed: &Failed,
        settings: BreakerSettings,
        now: Timestamp,
    ) -> Option<Transition> {
        self.window.failed(failed.kind, now);
        let call =
            FailedCall { kind: failed.kind, retry_after_us: failed.retry_after_us, request: failed.request };
        self.failures.truncate(FAILURES_NOTED - 1);
        self.failures.push_front(FailureNote {
            at: now,
            kind: failed.kind,
            message: failed.message.chars().take(MESSAGE_CHARS_MAX).collect(),
            latency_us: failed.latency_us,
            http_status: failed.http_status,
            request: failed.request,
        });
        let transition = self.breaker.failed(permit, call, settings, now);
        self.follow(transition)
    }

    /// The call ended without showing anything about the target, e.g. because the client went away.
    pub fn cancelled(&mut self, permit: Permit, now: Timestamp) {
        self.window.cancelled(now);
        self.breaker.cancelled(permit);
    }

    /// The permit was not used: no call was made.
    pub fn unused(&mut self, permit: Permit) {
        self.breaker.cancelled(permit);
    }

    /// Notes what an answer's headers said.
    pub const fn note_headroom(&mut self, headroom: RateHeadroom) {
        self.headroom = Some(headroom);
    }

    /// An admin keeps the circuit open until it is reset.
    pub fn hold(&mut self, now: Timestamp) -> Option<Transition> {
        let transition = self.breaker.hold(now);
        self.follow(transition)
    }

    /// An admin resets it, or its credential was replaced: it is called again, and judged by what comes now.
    pub fn reset(&mut self, now: Timestamp) -> Option<Transition> {
        self.judged_from = now;
        self.headroom = None;
        self.breaker.reset(now)
    }

    /// What a decision sees. The engine adds what only it knows.
    pub fn view(&mut self, settings: BreakerSettings, now: Timestamp) -> TargetView {
        let admission = self.check(settings, now);
        TargetView {
            blocked: admission.err(),
            is_probe_due: admission == Ok(Admission::Probe),
            is_degraded: self.is_degraded(now),
            success_bp: self.window.counts(WINDOW_MINUTES, now).success_bp(),
            p50_us: self.usual_us(now),
            capped_until: None,
            is_full: false,
        }
    }

    /// Whether at most half of the calls by which it is judged were answered; of fewer than [`CALLS_TO_JUDGE`] nobody can
    /// tell.
    pub fn is_degraded(&self, now: Timestamp) -> bool {
        let counts = self.window.counts_since(WINDOW_MINUTES, self.judged_from, now);
        counts.judged() >= CALLS_TO_JUDGE && u64::from(counts.succeeded) * 2 <= counts.judged()
    }

    /// Whether its circuit is not open and more than half of its judged calls were answered.
    pub fn is_healthy(&self, now: Timestamp) -> bool {
        !matches!(self.breaker.circuit(), Circuit::Open | Circuit::Held) && !self.is_degraded(now)
    }

    /// Everything a screen shows of it.
    pub fn summary(&self, settings: BreakerSettings, now: Timestamp) -> HealthSummary {
        summary::of_target(self, settings, now)
    }

    fn exhausted_until(&self, now: Timestamp) -> Option<Timestamp> {
        self.headroom.and_then(|headroom| headroom.exhausted_until(now))
    }

    /// The usual duration in the window, or, for a target that had no answers in it, in the last hour.
    fn usual_us(&mut self, now: Timestamp) -> Option<i64> {
        if let Some(usual) = self.usual
            && (0..USUAL_KEPT_US).contains(&now.micros_since(usual.at))
        {
            return usual.p50_us;
        }
        let p50_us = self
            .window
            .latency(WINDOW_MINUTES, now)
            .or_else(|| self.window.latency(window::STRIP, now))
            .map(|durations| durations.p50_us);
        self.usual = Some(Usual { at: now, p50_us });
        p50_us
    }

    fn follow(&mut self, transition: Option<Transition>) -> Option<Transition> {
        if let Some(transition) = &transition
            && transition.to == Circuit::Closed
        {
            self.judged_from = transition.at;
        }
        transition
    }
}

#[cfg(test)]
mod tests;
