//! What a person should know of: budgets near their limit, circuits that opened, approvals that wait.

use serde::{Deserialize, Serialize};

use crate::ids::AlertId;
use crate::time::Timestamp;

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
    ($($(#[$doc:meta])* $name:ident = $word:literal, $severity:ident;)*) => {
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

            /// How much it matters, unless an admin says otherwise.
            pub const fn usual_severity(self) -> Severity {
                match self {
                    $(Self::$name => Severity::$severity,)*
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
    BudgetThreshold = "budget_threshold", Warning;
    /// A budget has nothing left.
    BudgetExhausted = "budget_exhausted", Critical;
    /// A budget will not last until its period ends, if spending goes on like this.
    OverspendForecast = "overspend_forecast", Warning;
    /// Far more spent or asked for than usual.
    Anomaly = "anomaly", Warning;
    /// A target's circuit opened.
    CircuitOpened = "circuit_opened", Warning;
    /// A target's circuit closed again.
    CircuitClosed = "circuit_closed", Info;
    /// A target was left too often in an hour and is not tried again for a while.
    FailoverLimit = "failover_limit", Warning;
    /// A provider refuses its credential.
    CredentialInvalid = "credential_invalid", Critical;
    /// A request or a change waits for a person.
    ApprovalWaiting = "approval_waiting", Info;
    /// An approval will soon be too late.
    ApprovalExpiring = "approval_expiring", Warning;
    /// A target without a price answered.
    UnpricedUsage = "unpriced_usage", Warning;
    /// A provider's bill differs from the ledger.
    ReconciliationOff = "reconciliation_off", Warning;
    /// A schedule did not run when it should have.
    ScheduleMissed = "schedule_missed", Warning;
    /// A batch ended with failures.
    BatchFailures = "batch_failures", Warning;
    /// A job does not get on.
    JobStalled = "job_stalled", Warning;
    /// Far more tokens than usual.
    TokenSpike = "token_spike", Warning;
    /// A stored row of a locked toggle did not say what the code says.
    ToggleTampered = "toggle_tampered", Critical;
    /// The change history does not fit together.
    HistoryBroken = "history_broken", Critical;
    /// Little room is left on the disk.
    DiskNearlyFull = "disk_nearly_full", Critical;
    /// All traffic was stopped or let go again by hand.
    KillSwitch = "kill_switch", Critical;
    /// What a request cost passed what was held for it.
    Overrun = "overrun", Warning;
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
