//! Which alerts are told, where and when.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{AlertKind, Cause, Channel, QuietHours, Severity};
use crate::ids::ChannelId;
use crate::time::{MICROS_PER_SECOND, Timestamp};

/// Longest window, so that a state is told at least once a year. Units: seconds.
pub const WINDOW_S_MAX: u32 = 366 * 24 * 3_600;
/// Longest wait for an acknowledgement. Units: minutes.
pub const ESCALATION_MIN_MAX: u32 = 7 * 24 * 60;

/// What becomes of alerts of one kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertRule {
    /// Whether they are kept and told at all.
    pub enabled: bool,
    /// How much they matter.
    pub severity: Severity,
    /// Where they are told; `None`: on every channel that takes their severity.
    pub channels: Option<Vec<ChannelId>>,
    /// When what is not critical waits.
    pub quiet: Option<QuietHours>,
    /// How long one state is told once. Units: seconds.
    pub window_s: u32,
    /// Who is told if nobody acknowledges.
    pub escalation: Option<Escalation>,
}

/// A second round.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Escalation {
    /// How long an acknowledgement is waited for. Units: minutes.
    pub after_min: u32,
    /// Where it is told then.
    pub channels: Vec<ChannelId>,
}

/// A delivery that is due at some time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Planned {
    /// Where.
    pub channel: ChannelId,
    /// When.
    pub at: Timestamp,
    /// Why.
    pub cause: Cause,
}

impl AlertRule {
    /// The rule of a kind until an admin says otherwise.
    pub const fn usual(kind: AlertKind) -> Self {
        Self {
            enabled: true,
            severity: kind.usual_severity(),
            channels: None,
            quiet: None,
            window_s: kind.usual_window_s(),
            escalation: None,
        }
    }

    /// Whether an alert of a state that was told at `since` is the same alert.
    pub const fn is_same(&self, since: Timestamp, now: Timestamp) -> bool {
        now.micros_since(since) < self.window_s as i64 * MICROS_PER_SECOND
    }

    /// Where and when a new alert is told.
    pub fn plan(&self, channels: &[Channel], now: Timestamp) -> Vec<Planned> {
        let first = channels.iter().filter(|channel| match &self.channels {
            Some(named) => named.contains(&channel.id),
            None => channel.least <= self.severity,
        });
        let at = self.release(now);
        let first = first.map(move |channel| (channel, at, Cause::Raised));
        let second = self.escalation.iter().flat_map(|escalation| {
            let waited = i64::from(escalation.after_min).saturating_mul(60 * MICROS_PER_SECOND);
            let at = self.release(now.plus_micros(waited));
            let named = channels.iter().filter(|channel| escalation.channels.contains(&channel.id));
            named.map(move |channel| (channel, at, Cause::Escalated))
        });
        let ready = first.chain(second).filter(|(channel, ..)| channel.is_ready());
        ready.map(|(channel, at, cause)| Planned { channel: channel.id, at, cause }).collect()
    }

    /// What is critical never waits.
    fn release(&self, now: Timestamp) -> Timestamp {
        match &self.quiet {
            Some(quiet) if self.severity < Severity::Critical => quiet.release(now),
            _ => now,
        }
    }
}

/// Everything an admin has said about alerts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Alerting {
    /// Rules that differ from the usual one.
    pub rules: BTreeMap<AlertKind, AlertRule>,
    /// Channels, in the order in which they were added; the desktop is first.
    pub channels: Vec<Channel>,
}

impl Alerting {
    /// From what is stored; the desktop's channel is there in any case.
    pub fn new(rules: BTreeMap<AlertKind, AlertRule>, mut channels: Vec<Channel>) -> Self {
        if !channels.iter().any(|channel| channel.id == ChannelId::DESKTOP) {
            channels.push(Channel::desktop());
        }
        channels.sort_by_key(|channel| (channel.id != ChannelId::DESKTOP, channel.id));
        Self { rules, channels }
    }

    /// The rule of a kind. What says that somebody worked past the program is never off.
    pub fn rule(&self, kind: AlertKind) -> AlertRule {
        let mut rule = self.rules.get(&kind).cloned().unwrap_or_else(|| AlertRule::usual(kind));
        rule.enabled |= kind.is_always_on();
        rule
    }

    /// A channel.
    pub fn channel(&self, id: ChannelId) -> Option<&Channel> {
        self.channels.iter().find(|channel| channel.id == id)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::alert::channel::{Means, SecretNote};

    const NOON: &str = "2026-11-21T12:00:00Z";

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    fn channel(least: Severity) -> Channel {
        let note = SecretNote { hint: String::new(), set_at: at(NOON), previous_until: None };
        Channel {
            id: ChannelId::generate(),
            least,
            means: Means::Discord,
            secret: Some(note),
            ..Channel::desktop()
        }
    }

    #[test]
    fn without_a_list_every_ready_channel_that_takes_the_severity_is_told_at_once() {
        let (info, warning, critical) =
            (channel(Severity::Info), channel(Severity::Warning), channel(Severity::Critical));
        let off = Channel { enabled: false, ..channel(Severity::Info) };
        let bare = Channel { secret: None, ..channel(Severity::Info) };
        let channels = [info.clone(), warning.clone(), critical, off, bare];
        let plan = AlertRule::usual(AlertKind::CircuitOpened).plan(&channels, at(NOON));
        let told: Vec<ChannelId> = plan.iter().map(|planned| planned.channel).collect();
        assert_eq!(told, [info.id, warning.id]);
        assert!(plan.iter().all(|planned| planned.at == at(NOON) && planned.cause == Cause::Raised));
    }

    #[test]
    fn a_list_is_followed_whatever_the_severity_and_nobody_listed_means_the_inbox_alone() {
        let critical = channel(Severity::Critical);
        let rule =
            AlertRule { channels: Some(vec![critical.id]), ..AlertRule::usual(AlertKind::CircuitClosed) };
        assert_eq!(rule.plan(&[critical.clone(), channel(Severity::Info)], at(NOON)).len(), 1);
        let rule = AlertRule { channels: Some(Vec::new()), ..rule };
        assert!(rule.plan(&[critical], at(NOON)).is_empty());
    }

    #[test]
    fn quiet_hours_hold_back_what_is_not_critical_and_escalations_too() {
        let (first, second) = (channel(Severity::Info), channel(Severity::Critical));
        let channels = [first.clone(), second.clone()];
        let night = QuietHours::new(22 * 60, 7 * 60, "UTC").unwrap();
        let rule = AlertRule {
            quiet: Some(night),
            escalation: Some(Escalation { after_min: 30, channels: vec![second.id] }),
            ..AlertRule::usual(AlertKind::CircuitOpened)
        };
        let plan = rule.plan(&channels, at("2026-11-21T21:45:00Z"));
        let morning = at("2026-11-22T07:00:00Z");
        assert_eq!(
            plan,
            [
                Planned { channel: first.id, at: at("2026-11-21T21:45:00Z"), cause: Cause::Raised },
                Planned { channel: second.id, at: morning, cause: Cause::Escalated },
            ]
        );
        assert_eq!(rule.plan(&channels, at("2026-11-21T23:00:00Z"))[0].at, morning);
        let critical = AlertRule { severity: Severity::Critical, ..rule };
        let plan = critical.plan(&channels, at("2026-11-21T23:00:00Z"));
        assert!(plan.iter().all(|planned| planned.at <= at("2026-11-21T23:30:00Z")));
    }

    #[test]
    fn what_says_that_somebody_worked_past_the_program_cannot_be_switched_off() {
        let off = |kind| (kind, AlertRule { enabled: false, ..AlertRule::usual(kind) });
        let rules = [off(AlertKind::ToggleTampered), off(AlertKind::HistoryBroken), off(AlertKind::Anomaly)];
        let alerting = Alerting::new(rules.into(), Vec::new());
        assert!(alerting.rule(AlertKind::ToggleTampered).enabled);
        assert!(alerting.rule(AlertKind::HistoryBroken).enabled);
        assert!(!alerting.rule(AlertKind::Anomaly).enabled);
        assert_eq!(alerting.channels, [Channel::desktop()]);
    }

    proptest! {
        #[test]
        fn however_often_a_state_comes_up_it_is_told_once_per_window(
            window_s in 1_u32..5_000,
            steps in prop::collection::vec(0_i64..3_000, 1..80),
        ) {
            let rule = AlertRule { window_s, ..AlertRule::usual(AlertKind::BudgetThreshold) };
            let (mut now, mut told): (_, Vec<Timestamp>) = (at(NOON), Vec::new());
            for step in steps {
                now = now.plus_micros(step * MICROS_PER_SECOND);
                if !told.last().is_some_and(|since| rule.is_same(*since, now)) {
                    told.push(now);
                }
            }
            for pair in told.windows(2) {
                prop_assert!(pair[1].micros_since(pair[0]) >= i64::from(window_s) * MICROS_PER_SECOND);
            }
        }
    }
}
