//! What changed, for whoever watches: the window refetches, the log line tells.

use tokio::sync::broadcast;

/// A kind of thing that changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Topic {
    /// The gateway's state or what is in flight.
    Status,
    /// Requests began or ended; sums changed.
    Requests,
    /// Operations or routes.
    Operations,
    /// Providers, models, prices or credentials.
    Providers,
    /// How targets serve: circuits, failures, cool-downs; also a target that has no price.
    Health,
    /// Price cards.
    Prices,
    /// API keys.
    Keys,
    /// The change history.
    Changes,
    /// Budgets, or what they hold.
    Budgets,
    /// What waits for a person's decision.
    Approvals,
    /// Toggles and the kill switch.
    Toggles,
    /// Alerts, channels, deliveries.
    Alerts,
    /// People and their roles.
    People,
}

/// Topics every configuration change may touch.
pub const CONFIGURATION: [Topic; 11] = [
    Topic::Status,
    Topic::Operations,
    Topic::Providers,
    Topic::Prices,
    Topic::Keys,
    Topic::Changes,
    Topic::Budgets,
    Topic::Approvals,
    Topic::Toggles,
    Topic::Alerts,
    Topic::People,
];

/// How many topics a slow watcher may lag behind before it is told only that it lagged.
const BACKLOG: usize = 256;

/// The bus of topics. Publishing never waits, whoever listens.
#[derive(Debug, Clone)]
pub struct Events(broadcast::Sender<Topic>);

impl Default for Events {
    fn default() -> Self {
        Self(broadcast::channel(BACKLOG).0)
    }
}

impl Events {
    /// Tells that something of this kind changed.
    pub fn publish(&self, topic: Topic) {
        // An error only says that nobody listens.
        let _ = self.0.send(topic);
    }

    /// From now on, hears of changes.
    pub fn subscribe(&self) -> broadcast::Receiver<Topic> {
        self.0.subscribe()
    }
}
