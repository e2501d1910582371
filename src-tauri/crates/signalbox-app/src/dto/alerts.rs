//! Alerts: the inbox, where and when they are told, what became of each telling.

use serde::{Deserialize, Serialize};
use specta::Type;

use super::Instant;

/// How much an alert matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum AlertSeverity {
    Info,
    Warning,
    Critical,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize, Type)]
#[serde(default)]
pub struct AlertFilter {
    /// E.g. `circuit_opened`.
    pub kind: Option<String>,
    pub severity: Option<AlertSeverity>,
    /// Only what nobody acknowledged and what still holds.
    pub open: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct AlertPage {
    /// Newest first.
    pub rows: Vec<Alert>,
    pub next: Option<String>,
}

/// Alerts that nobody acknowledged and that still hold.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct OpenAlerts {
    pub info: u32,
    pub warning: u32,
    pub critical: u32,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct Alert {
    pub id: String,
    pub kind: String,
    /// The kind in a few words.
    pub title: String,
    pub severity: AlertSeverity,
    /// Which thing, e.g. `openai/gpt` or a budget's id.
    pub subject: String,
    pub sentence: String,
    pub first_at: Instant,
    pub last_at: Instant,
    /// How often it came up.
    pub times: u32,
    pub acknowledged_at: Option<Instant>,
    pub acknowledged_by: Option<String>,
    /// When it was over by itself.
    pub resolved_at: Option<Instant>,
}

/// What becomes of alerts of one kind.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct AlertRule {
    pub kind: String,
    pub title: String,
    pub enabled: bool,
    /// False for what says that somebody worked past the program.
    pub can_be_off: bool,
    pub severity: AlertSeverity,
    pub usual_severity: AlertSeverity,
    /// Ids; absent: every channel that takes the severity.
    pub channels: Option<Vec<String>>,
    pub quiet: Option<QuietHours>,
    /// How long one state is told once.
    pub window_s: u32,
    pub usual_window_s: u32,
    pub escalation: Option<AlertEscalation>,
    /// Whether nobody has changed it.
    pub is_usual: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct AlertRuleInput {
    pub kind: String,
    pub enabled: bool,
    pub severity: AlertSeverity,
    pub channels: Option<Vec<String>>,
    pub quiet: Option<QuietHours>,
    pub window_s: u32,
    pub escalation: Option<AlertEscalation>,
    pub reason: Option<String>,
}

/// When what is not critical waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct QuietHours {
    /// E.g. `22:00`.
    pub from: String,
    /// The first minute that is not quiet, e.g. `07:00`.
    pub until: String,
    /// E.g. `Europe/Berlin`.
    pub zone: String,
}

/// A second round when nobody acknowledges.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct AlertEscalation {
    pub after_min: u32,
    /// Ids.
    pub channels: Vec<String>,
}

/// A place where alerts are told.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct AlertChannel {
    pub id: String,
    pub name: String,
    pub enabled: bool,
    /// The mildest alert that is told there, unless a rule names the channel.
    pub least: AlertSeverity,
    /// Whether it may be on this machine or in its network, and without encryption.
    pub local: bool,
    pub means: ChannelMeans,
    pub secret_need: ChannelSecretNeed,
    pub secret: Option<ChannelSecret>,
    /// Whether alerts can be told there now.
    pub ready: bool,
    /// Why not, for a person.
    pub problem: Option<String>,
    pub version: u32,
    /// The newest delivery.
    pub last: Option<AlertDelivery>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ChannelMeans {
    Desktop {
        /// Whether the alert's sentence is shown, perhaps on a locked screen.
        shows_text: bool,
    },
    Discord,
    /// Slack, Mattermost and others.
    Slack,
    /// Signed JSON for any program.
    Webhook {
        url: String,
    },
    Email {
        host: String,
        port: u32,
        security: MailSecurity,
        username: Option<String>,
        from: String,
        to: Vec<String>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum MailSecurity {
    /// From the first byte, as on port 465.
    Tls,
    /// After asking for it, as on port 587.
    StartTls,
    /// Not at all; local servers only.
    None,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum ChannelSecretNeed {
    None,
    /// The webhook's URL itself.
    Url,
    /// The key of the signature.
    SigningKey,
    /// The password of the mail account.
    Password,
}

/// What may be shown of a secret.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct ChannelSecret {
    pub hint: String,
    pub set_at: Instant,
    /// Until when the one before it still signs, too.
    pub previous_until: Option<Instant>,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct AlertChannelInput {
    pub name: String,
    pub enabled: bool,
    pub least: AlertSeverity,
    pub local: bool,
    pub means: ChannelMeans,
}

/// A channel as it shall be; its means keep their kind.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct AlertChannelPatch {
    pub id: String,
    pub base_version: u32,
    pub channel: AlertChannelInput,
}

/// What came of trying a channel.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct ChannelTrial {
    pub sent: bool,
    /// What the receiver or the way to it said, if it did not go.
    pub problem: Option<String>,
}

/// The new key itself was put on the clipboard by the backend; the window never sees it.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct SigningKeyMade {
    pub channel: AlertChannel,
    /// False when there is no clipboard: then the key was written to `saved_to`, readable by the owner only.
    pub copied: bool,
    pub saved_to: Option<String>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize, Type)]
#[serde(default)]
pub struct DeliveryFilter {
    pub state: Option<DeliveryState>,
    /// An id.
    pub channel: Option<String>,
    /// An id.
    pub alert: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    /// It will be tried, or tried again.
    Waiting,
    Sent,
    /// The receiver will not take it.
    Failed,
    /// Nobody needs it any more.
    Dropped,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct DeliveryPage {
    /// Newest first.
    pub rows: Vec<AlertDelivery>,
    pub next: Option<String>,
}

/// One telling of one alert on one channel.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct AlertDelivery {
    pub id: String,
    /// Absent: somebody tried the channel.
    pub alert_id: Option<String>,
    pub channel_id: String,
    /// What the channel was called.
    pub channel: String,
    /// `desktop`, `discord`, `slack`, `webhook`, `email`.
    pub means: String,
    /// `raised`, `escalated`, `test`.
    pub cause: String,
    pub state: DeliveryState,
    pub tries: u32,
    pub created_at: Instant,
    /// When it is tried next.
    pub due_at: Instant,
    pub ended_at: Option<Instant>,
    /// What the last try failed of.
    pub error: Option<String>,
}
