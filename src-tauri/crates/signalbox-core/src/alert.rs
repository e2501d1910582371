//! What a person should know of: budgets near their limit, circuits that opened, approvals that wait.
//!
//! [`rule`] says which alerts are told, where and when; [`channel`] is where; [`delivery`] is when a failed one is tried again.

pub mod channel;
pub mod delivery;
pub mod quiet;
pub mod rule;

pub use channel::{Channel, Means, Security};
pub use delivery::{Cause, DeliveryState, next_try};
pub use quiet::QuietHours;
pub use rule::{AlertRule, Alerting, Escalation, Planned};

use serde::{Deserialize, Serialize};

use crate::ids::AlertId;
use crate::time::Timestamp;

/// Units: seconds.
const MINUTE: u32 = 60;
/// Units: seconds.
const HOUR: u32 = 60 * MINUTE;
/// Units: seconds.
const DAY: u32 = 24 * HOUR;
/// As long as the longest period of a budget that has an end. Units: seconds.
const MONTH: u32 = 31 * DAY;

/// How much it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Good to know.
    Info,
    /// Somebody should look.
    Warning,
    /// Money or traffic is at stake now.
    Critical,
}

impl Severity {
    /// Every severity, mildest first.
    pub const ALL: &'static [Self] = &[Self::Info, Self::Warning, Self::Critical];

    /// The word on the wire and in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }

    /// The severity of that word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|severity| severity.as_str() == word)
    }
}

macro_rules! alert_kinds {
    ($($(#[$doc:meta])* $name:ident = $word:literal, $title:literal, $severity:ident, $window_s:expr;)*) => {
        /// What it is about.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum AlertKind {
            $($(#[$doc])* $name,)*
        }

        impl AlertKind {
            /// Every kind.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The word on the wire and in the store.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $word,)*
                }
            }

            /// In a few words for a person.
            pub const fn title(self) -> &'static str {
                match self {
                    $(Self::$name => $title,)*
                }
            }

            /// How much it matters, unless an admin says otherwise.
            pub const fn usual_severity(self) -> Severity {
                match self {
                    $(Self::$name => Severity::$severity,)*
                }
            }

            /// How long one state is told once, unless an admin says otherwise. Units: seconds.
            pub const fn usual_window_s(self) -> u32 {
                match self {
                    $(Self::$name => $window_s,)*
                }
            }

            /// The kind of that word.
            pub fn from_word(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|kind| kind.as_str() == word)
            }
        }
    };
}

alert_kinds! {
    /// A budget has passed one of its thresholds.
    BudgetThreshold = "budget_threshold", "Budget threshold passed", Warning, MONTH;
    /// A budget has nothing left.
    BudgetExhausted = "budget_exhausted", "Budget exhausted", Critical, MONTH;
    /// A budget will not last until its period ends, if spending goes on like this.
    OverspendForecast = "overspend_forecast", "Budget will not last", Warning, DAY;
    /// Far more spent or asked for than usual.
    Anomaly = "anomaly", "Unusual spending", Warning, DAY;
    /// A target's circuit opened.
    CircuitOpened = "circuit_opened", "Circuit opened", Warning, HOUR;
    /// A target's circuit closed again.
    CircuitClosed = "circuit_closed", "Circuit closed", Info, HOUR;
    /// A target was left too often in an hour and is not tried again for a while.
    FailoverLimit = "failover_limit", "Failover limit reached", Warning, HOUR;
    /// A provider refuses its credential.
    CredentialInvalid = "credential_invalid", "Provider refuses its key", Critical, DAY;
    /// An API key will soon open nothing any more.
    KeyExpiring = "key_expiring", "API key expires soon", Warning, MONTH;
    /// A request or a change waits for a person.
    ApprovalWaiting = "approval_waiting", "Approval waiting", Info, DAY;
    /// An approval will soon be too late.
    ApprovalExpiring = "approval_expiring", "Approval expires soon", Warning, DAY;
    /// A target without a price answered.
    UnpricedUsage = "unpriced_usage", "Usage without a price", Warning, DAY;
    /// A provider's bill differs from the ledger.
    ReconciliationOff = "reconciliation_off", "Bill differs from the ledger", Warning, DAY;
    /// A schedule did not run when it should have.
    ScheduleMissed = "schedule_missed", "Schedule missed", Warning, HOUR;
    /// A batch ended with failures.
    BatchFailures = "batch_failures", "Batch ended with failures", Warning, DAY;
    /// A job does not get on.
    JobStalled = "job_stalled", "Job stalled", Warning, HOUR;
    /// Far more tokens than usual.
    TokenSpike = "token_spike", "Token spike", Warning, HOUR;
    /// A stored row of a locked toggle did not say what the code says.
    ToggleTampered = "toggle_tampered", "Locked toggle was tampered with", Critical, HOUR;
    /// The change history does not fit together.
    HistoryBroken = "history_broken", "Change history is broken", Critical, DAY;
    /// Little room is left on the disk.
    DiskNearlyFull = "disk_nearly_full", "Disk nearly full", Critical, DAY;
    /// All traffic was stopped or let go again by hand.
    KillSwitch = "kill_switch", "Kill switch", Critical, MINUTE;
    /// What a request cost passed what was held for it.
    Overrun = "overrun", "Cost passed its reservation", Warning, HOUR;
    /// A bill was higher than a model's price allows, and the model is left out.
    ModelBlocked = "model_blocked", "Model blocked by its bill", Critical, DAY;
}

impl AlertKind {
    /// Whether it cannot be switched off: somebody has worked past the program.
    pub const fn is_always_on(self) -> bool {
        matches!(self, Self::ToggleTampered | Self::HistoryBroken)
    }

    /// The kind whose state of the same key is over when this one is raised.
    pub const fn ends(self) -> Option<Self> {
        match self {
            Self::CircuitClosed => Some(Self::CircuitOpened),
            Self::BudgetThreshold
            | Self::BudgetExhausted
            | Self::OverspendForecast
            | Self::Anomaly
            | Self::CircuitOpened
            | Self::FailoverLimit
            | Self::CredentialInvalid
            | Self::KeyExpiring
            | Self::ApprovalWaiting
            | Self::ApprovalExpiring
            | Self::UnpricedUsage
            | Self::ReconciliationOff
            | Self::ScheduleMissed
            | Self::BatchFailures
            | Self::JobStalled
            | Self::TokenSpike
            | Self::ToggleTampered
            | Self::HistoryBroken
            | Self::DiskNearlyFull
            | Self::KillSwitch
            | Self::Overrun
            | Self::ModelBlocked => None,
        }
    }
}

/// One thing to know of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    /// Its identity.
    pub id: AlertId,
    /// When it came up.
    pub at: Timestamp,
    /// What it is about.
    pub kind: AlertKind,
    /// Which thing, e.g. the budget's id or the target.
    pub subject: String,
    /// In one sentence for a person, without secrets or prompts.
    pub sentence: String,
    /// Alerts of one kind with the same key are one state: told once, until its window is over. E.g. budget, period and
    /// threshold.
    pub key: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_leads_back_to_its_kind_and_severity() {
        for kind in AlertKind::ALL {
            assert_eq!(AlertKind::from_word(kind.as_str()), Some(*kind));
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
        for severity in Severity::ALL {
            assert_eq!(Severity::from_word(severity.as_str()), Some(*severity));
        }
        assert!(AlertKind::from_word("nothing").is_none() && Severity::from_word("loud").is_none());
    }
}
