//! Circuit breakers: when a target is left alone, and when it is tried again.
//!
//! A circuit is *closed* while calls go through. Enough failures inside a window *open* it; after a while it is
//! *half-open* and lets one call through as a *probe*: its success closes the circuit, its failure opens it again. An
//! admin can *hold* it open or reset it. Beside that, a target *cools down* for as long as its provider asks.
//!
//! What counts as a failure:
//! - a fault of the client's own request never does, whoever reports it;
//! - a refused credential opens the circuit at once;
//! - a rate limit with `Retry-After` is a wish to wait, so it only cools the target down. Without one it cools down
//!   briefly, and from the second such answer inside the window on it counts as a failure too;
//! - everything else for which the chain goes on counts.
//!
//! A [`Permit`] is handed in by value, so a call reports once. It counts only in the generation it was given in: each
//! transition and each reset begins a new one, so what comes in late says nothing about the present.
//!
//! The settings are arguments, not state: an edit counts from the next call on.

use serde::{Deserialize, Serialize};

use crate::failure::FailureKind;
use crate::ids::RequestId;
use crate::time::{MICROS_PER_SECOND, Timestamp};

/// Most failures a circuit may wait for: each is kept until it falls out of the window.
pub const FAILURES_MAX: u32 = 100;

/// Longest cool-down. Afterwards one call learns the provider's present wish, which costs it nothing.
pub const COOL_DOWN_MAX_US: i64 = 3_600 * MICROS_PER_SECOND;

/// Cool-down after a rate limit that names no time: short enough to be waited for by a request that has nowhere to go.
pub const COOL_DOWN_UNNAMED_US: i64 = 2 * MICROS_PER_SECOND;

/// When a probe that never reported is given up: the longest a complete answer may take, and a bit.
pub const PROBE_EXPIRES_US: i64 = 330 * MICROS_PER_SECOND;

/// How far apart the instants of concurrent calls may lie. What lies further ahead was noted before the clock was set
/// back, and its end cannot be waited for.
const CLOCK_SLACK_US: i64 = MICROS_PER_SECOND;

/// When a circuit opens and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct BreakerSettings {
    /// Failures inside the window that open it; held within 1 and [`FAILURES_MAX`].
    pub failures: u32,
    /// Length of the window. Units: seconds.
    pub window_s: u32,
    /// How long it stays open before one call may probe. Units: seconds.
    pub open_s: u32,
}

impl Default for BreakerSettings {
    fn default() -> Self {
        Self { failures: 3, window_s: 300, open_s: 300 }
    }
}

impl BreakerSettings {
    fn failures_to_open(self) -> usize {
        usize::try_from(self.failures.clamp(1, FAILURES_MAX)).unwrap_or(1)
    }

    fn window_us(self) -> i64 {
        i64::from(self.window_s) * MICROS_PER_SECOND
    }

    fn open_us(self) -> i64 {
        i64::from(self.open_s) * MICROS_PER_SECOND
    }
}

/// Where a circuit stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Circuit {
    /// Calls go through.
    Closed,
    /// No call goes through until its time is over.
    Open,
    /// One call at a time goes through as a probe.
    HalfOpen,
    /// An admin keeps it open until it is reset.
    Held,
}

impl Circuit {
    /// Every standing.
    pub const ALL: &'static [Self] = &[Self::Closed, Self::Open, Self::HalfOpen, Self::Held];

    /// The word on the wire and in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half_open",
            Self::Held => "held",
        }
    }

    /// The standing of that word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|circuit| circuit.as_str() == word)
    }
}

/// Why a circuit moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// Enough failures inside the window.
    Failures,
    /// The provider refused the credential.
    InvalidKey,
    /// It had been open for long enough, and a call came.
    OpenTimeOver,
    /// A call came for which there was no other target.
    LastResort,
    /// The probe was answered.
    ProbeSucceeded,
    /// The probe failed.
    ProbeFailed,
    /// An admin holds it open.
    HeldByAdmin,
    /// An admin reset it, or its credential was replaced.
    Reset,
}

impl Cause {
    /// Every cause.
    pub const ALL: &'static [Self] = &[
        Self::Failures,
        Self::InvalidKey,
        Self::OpenTimeOver,
        Self::LastResort,
        Self::ProbeSucceeded,
        Self::ProbeFailed,
        Self::HeldByAdmin,
        Self::Reset,
    ];

    /// The word on the wire and in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Failures => "failures",
            Self::InvalidKey => "invalid_key",
            Self::OpenTimeOver => "open_time_over",
            Self::LastResort => "last_resort",
            Self::ProbeSucceeded => "probe_succeeded",
            Self::ProbeFailed => "probe_failed",
            Self::HeldByAdmin => "held_by_admin",
            Self::Reset => "reset",
        }
    }

    /// The cause of that word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|cause| cause.as_str() == word)
    }

    /// The cause in words for a person.
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::Failures => "too many calls failed",
            Self::InvalidKey => "the provider refused the credential",
            Self::OpenTimeOver => "one call may probe again",
            Self::LastResort => "a request had no other target, so its call probes",
            Self::ProbeSucceeded => "the probe was answered",
            Self::ProbeFailed => "the probe failed",
            Self::HeldByAdmin => "held open by an admin",
            Self::Reset => "reset",
        }
    }
}

/// One failure that counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CountedFailure {
    /// When it was reported.
    pub at: Timestamp,
    /// Why the call failed.
    pub kind: FailureKind,
    /// The request whose call it was, where there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<RequestId>,
}

/// A move of a circuit, to be stored and shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transition {
    /// When.
    pub at: Timestamp,
    /// Where it stood.
    pub from: Circuit,
    /// Where it stands now.
    pub to: Circuit,
    /// Why.
    pub cause: Cause,
    /// The failures that opened it, oldest first; empty for every other move.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failures: Vec<CountedFailure>,
}

/// Leave to make one call. It is handed back with the report of how the call went; one that is dropped without a report
/// was an ordinary call that nobody counts, or a probe that expires.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "report how the call went: succeeded, failed or cancelled"]
pub struct Permit {
    generation: u64,
    probe: Option<u64>,
}

impl Permit {
    /// Whether the circuit waits for this very call.
    pub const fn is_probe(&self) -> bool {
        self.probe.is_some()
    }
}

/// A permit, and the move it made.
#[derive(Debug, PartialEq, Eq)]
pub struct Permitted {
    /// For the call.
    pub permit: Permit,
    /// The circuit's move to half-open, when this permit made it.
    pub transition: Option<Transition>,
}

/// In which role a call may go through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// As one of many.
    Call,
    /// As the one the circuit waits for.
    Probe,
}

/// Why no call goes through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Block {
    /// Too many calls failed.
    CircuitOpen,
    /// A probe is on its way.
    Probing,
    /// The provider refused the credential.
    InvalidKey,
    /// An admin holds the circuit open.
    Held,
    /// The provider asked to wait.
    CoolingDown,
}

impl Block {
    /// Whether it is the provider's word on one account, which says nothing of another account there.
    pub const fn is_about_account(self) -> bool {
        matches!(self, Self::InvalidKey | Self::CoolingDown)
    }
}

/// No call goes through now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Blocked {
    /// From when on one may; `None` when no clock decides that.
    pub until: Option<Timestamp>,
    /// Why.
    pub why: Block,
}

/// How a call failed, as far as the circuit is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FailedCall {
    /// Why.
    pub kind: FailureKind,
    /// How long the provider asks to wait, in microseconds, if it said so.
    pub retry_after_us: Option<i64>,
    /// The request whose call it was, where there was one.
    pub request: Option<RequestId>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "circuit", rename_all = "snake_case")]
enum State {
    Closed,
    Open {
        since: Timestamp,
    },
    HalfOpen {
        /// A restart takes the probe's caller with it, so the probe is not kept.
        #[serde(skip)]
        probe: Option<Probe>,
    },
    Held,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Probe {
    number: u64,
    began: Timestamp,
}

impl Probe {
    fn is_awaited(self, now: Timestamp) -> bool {
        let age_us = now.micros_since(self.began);
        (-CLOCK_SLACK_US..PROBE_EXPIRES_US).contains(&age_us)
    }
}

/// The circuit of one target. Serialised, it survives a restart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Breaker {
    state: State,
    generation: u64,
    probes: u64,
    /// Failures of this generation, oldest first; at most [`FAILURES_MAX`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    failures: Vec<CountedFailure>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cooling_until: Option<Timestamp>,
    /// The last rate limit that named no time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    unnamed_limit_at: Option<Timestamp>,
    #[serde(default)]
    key_refused: bool,
}

impl Default for Breaker {
    fn default() -> Self {
        Self {
            state: State::Closed,
            generation: 0,
            probes: 0,
            failures: Vec::new(),
            cooling_until: None,
            unnamed_limit_at: None,
            key_refused: false,
        }
    }
}

impl Breaker {
    /// Where it stands.
    pub const fn circuit(&self) -> Circuit {
        match self.state {
            State::Closed => Circuit::Closed,
            State::Open { .. } => Circuit::Open,
            State::HalfOpen { .. } => Circuit::HalfOpen,
            State::Held => Circuit::Held,
        }
    }

    /// Until when its provider asks to wait; `None` when it does not.
    pub fn cooling_until(&self, now: Timestamp) -> Option<Timestamp> {
        // No cool-down is longer than the longest, so one that seems to be was noted before the clock was set back.
        self.cooling_until
            .filter(|until| now < *until && until.micros_since(now) <= COOL_DOWN_MAX_US + CLOCK_SLACK_US)
    }

    /// Whether the provider refused the credential, and nothing has shown since that it takes it again.
    pub const fn is_key_refused(&self) -> bool {
        self.key_refused
    }

    /// From when on an open circuit lets a probe through; `None` when it is not open.
    pub fn probe_at(&self, settings: BreakerSettings) -> Option<Timestamp> {
        match self.state {
            State::Open { since } => Some(since.plus_micros(settings.open_us())),
            State::Closed | State::HalfOpen { .. } | State::Held => None,
        }
    }

    /// Failures that count at `now`.
    pub fn failures_counted(&self, settings: BreakerSettings, now: Timestamp) -> usize {
        self.failures.iter().filter(|failure| is_inside(failure.at, settings, now)).count()
    }

    /// Whether a call would get a permit, and in which role.
    ///
    /// Errors: [`Blocked`]. What an admin or the provider said comes before what failures say.
    pub fn check(&self, settings: BreakerSettings, now: Timestamp) -> Result<Admission, Blocked> {
        let still_open = match self.state {
            State::Open { since } => {
                let open_for_us = now.micros_since(since);
                (-CLOCK_SLACK_US..settings.open_us()).contains(&open_for_us)
            }
            State::Closed | State::HalfOpen { .. } => false,
            State::Held => return Err(Blocked { until: None, why: Block::Held }),
        };
        if still_open && self.key_refused {
            return Err(Blocked { until: self.probe_at(settings), why: Block::InvalidKey });
        }
        if let Some(until) = self.cooling_until(now) {
            return Err(Blocked { until: Some(until), why: Block::CoolingDown });
        }
        if still_open {
            return Err(Blocked { until: self.probe_at(settings), why: Block::CircuitOpen });
        }
        match self.state {
            State::Closed => Ok(Admission::Call),
            State::HalfOpen { probe: Some(probe) } if probe.is_awaited(now) => {
                Err(Blocked { until: None, why: Block::Probing })
            }
            State::Open { .. } | State::HalfOpen { .. } | State::Held => Ok(Admission::Probe),
        }
    }

    /// Leave for one call.
    ///
    /// Errors: [`Blocked`], as [`Self::check`] says.
    pub fn permit(&mut self, settings: BreakerSettings, now: Timestamp) -> Result<Permitted, Blocked> {
        match self.check(settings, now)? {
            Admission::Call => Ok(self.ordinary_call()),
            Admission::Probe => Ok(self.probe(Cause::OpenTimeOver, now)),
        }
    }

    /// Leave for the call of a request that has no other target: an open circuit does not stop it. It probes before its
    /// time, or goes along while another call probes.
    ///
    /// Errors: [`Blocked`] when an admin holds the circuit, the credential is refused, or the provider asks to wait.
    pub fn permit_last_resort(
        &mut self,
        settings: BreakerSettings,
        now: Timestamp,
    ) -> Result<Permitted, Blocked> {
        match self.check(settings, now) {
            Ok(Admission::Call) | Err(Blocked { why: Block::Probing, .. }) => Ok(self.ordinary_call()),
            Ok(Admission::Probe) => Ok(self.probe(Cause::OpenTimeOver, now)),
            Err(Blocked { why: Block::CircuitOpen, .. }) => Ok(self.probe(Cause::LastResort, now)),
            Err(blocked) => Err(blocked),
        }
    }

    /// The call was answered.
    #[expect(clippy::needless_pass_by_value, reason = "a permit is spent by its report")]
    pub fn succeeded(&mut self, permit: Permit, now: Timestamp) -> Option<Transition> {
        if !self.is_awaited_probe(&permit) {
            return None;
        }
        self.forget();
        Some(self.go(State::Closed, Cause::ProbeSucceeded, Vec::new(), now))
    }

    /// The call failed.
    pub fn failed(
        &mut self,
        permit: Permit,
        call: FailedCall,
        settings: BreakerSettings,
        now: Timestamp,
    ) -> Option<Transition> {
        let is_probe = self.is_awaited_probe(&permit);
        let is_ordinary = matches!(self.state, State::Closed) && permit.generation == self.generation;
        if !is_probe && !is_ordinary {
            return None;
        }
        if !self.counts(call, is_probe, settings, now) {
            self.cancelled(permit);
            return None;
        }
        let failure = CountedFailure { at: now, kind: call.kind, request: call.request };
        let (cause, failures) = if call.kind == FailureKind::InvalidKey {
            (Cause::InvalidKey, vec![failure])
        } else if is_probe {
            (Cause::ProbeFailed, vec![failure])
        } else {
            self.failures.retain(|failure| is_inside(failure.at, settings, now));
            self.failures.push(failure);
            if self.failures.len() < settings.failures_to_open() {
                return None;
            }
            (Cause::Failures, std::mem::take(&mut self.failures))
        };
        self.failures.clear();
        Some(self.go(State::Open { since: now }, cause, failures, now))
    }

    /// The call ended without showing anything about the target, e.g. because the client went away. A probe is given
    /// back: the next call may be one.
    #[expect(clippy::needless_pass_by_value, reason = "a permit is spent by its report")]
    pub fn cancelled(&mut self, permit: Permit) {
        if self.is_awaited_probe(&permit) {
            self.state = State::HalfOpen { probe: None };
        }
    }

    /// Keeps it open until it is reset.
    pub fn hold(&mut self, now: Timestamp) -> Option<Transition> {
        (self.state != State::Held).then(|| self.go(State::Held, Cause::HeldByAdmin, Vec::new(), now))
    }

    /// Closes it and forgets what it knew, also a cool-down and a refused credential. Calls on their way do not count.
    pub fn reset(&mut self, now: Timestamp) -> Option<Transition> {
        self.forget();
        if self.state == State::Closed {
            self.generation += 1;
            return None;
        }
        Some(self.go(State::Closed, Cause::Reset, Vec::new(), now))
    }

    const fn ordinary_call(&self) -> Permitted {
        Permitted { permit: Permit { generation: self.generation, probe: None }, transition: None }
    }

    fn probe(&mut self, cause: Cause, now: Timestamp) -> Permitted {
        self.probes += 1;
        let probe = Probe { number: self.probes, began: now };
        let half_open = State::HalfOpen { probe: Some(probe) };
        let transition = match self.state {
            State::HalfOpen { .. } => {
                self.state = half_open;
                None
            }
            State::Closed | State::Open { .. } | State::Held => {
                Some(self.go(half_open, cause, Vec::new(), now))
            }
        };
        Permitted { permit: Permit { generation: self.generation, probe: Some(probe.number) }, transition }
    }

    fn is_awaited_probe(&self, permit: &Permit) -> bool {
        match self.state {
            State::HalfOpen { probe: Some(probe) } => {
                permit.generation == self.generation && permit.probe == Some(probe.number)
            }
            State::HalfOpen { probe: None } | State::Closed | State::Open { .. } | State::Held => false,
        }
    }

    /// Notes what the failure asks for, and says whether it speaks against the target.
    fn counts(
        &mut self,
        call: FailedCall,
        is_probe: bool,
        settings: BreakerSettings,
        now: Timestamp,
    ) -> bool {
        let named_us = call.retry_after_us.filter(|wait_us| *wait_us > 0);
        match (call.kind, named_us) {
            (FailureKind::RateLimit, Some(wait_us)) => {
                self.cool_down(wait_us, now);
                false
            }
            (FailureKind::RateLimit, None) => {
                self.cool_down(COOL_DOWN_UNNAMED_US, now);
                let last = self.unnamed_limit_at.replace(now);
                is_probe || last.is_some_and(|at| is_inside(at, settings, now))
            }
            (FailureKind::Overloaded, Some(wait_us)) => {
                self.cool_down(wait_us, now);
                true
            }
            (FailureKind::InvalidKey, _) => {
                self.key_refused = true;
                true
            }
            (kind, _) => kind.speaks_against_target(),
        }
    }

    /// A second cool-down extends the first when it is longer, and never shortens it.
    fn cool_down(&mut self, wait_us: i64, now: Timestamp) {
        let until = now.plus_micros(wait_us.min(COOL_DOWN_MAX_US));
        self.cooling_until = Some(self.cooling_until(now).map_or(until, |earlier| earlier.max(until)));
    }

    fn forget(&mut self) {
        self.failures.clear();
        self.cooling_until = None;
        self.unnamed_limit_at = None;
        self.key_refused = false;
    }

    fn go(&mut self, to: State, cause: Cause, failures: Vec<CountedFailure>, at: Timestamp) -> Transition {
        let from = self.circuit();
        self.state = to;
        self.generation += 1;
        Transition { at, from, to: self.circuit(), cause, failures }
    }
}

/// Whether what happened at `at` lies inside the window that ends now.
fn is_inside(at: Timestamp, settings: BreakerSettings, now: Timestamp) -> bool {
    (-CLOCK_SLACK_US..settings.window_us()).contains(&now.micros_since(at))
}

#[cfg(test)]
mod tests;
