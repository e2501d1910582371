//! Looks at the ends of API keys, so that whoever uses one hears of it before their programs are refused.

use std::sync::Weak;
use std::time::Duration;

use signalbox_core::alert::AlertKind;
use signalbox_core::key::ApiKey;
use signalbox_core::time::Timestamp;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::engine::Engine;
use crate::spend::{Finding, Told};

/// How often it is looked.
const LOOK_EVERY: Duration = Duration::from_mins(1);

/// Keys whose end a person should know of at `now`.
pub fn expiring<'a>(keys: impl IntoIterator<Item = &'a ApiKey>, now: Timestamp) -> Vec<Finding> {
    let finding = |key: &ApiKey| {
        let (notice, end) = key.expiry_notice(now).zip(key.expires_at)?;
        let within = notice.in_words();
        let owner = key.owner.as_ref().map(|owner| format!(", owner {owner}")).unwrap_or_default();
        Some(Finding {
            kind: AlertKind::KeyExpiring,
            subject: key.id.to_string(),
            key: format!("{} {end} {within}", key.id),
            sentence: format!(
                "The key {} (…{}{owner}) expires {within}, at {}. Then its programs are refused.",
                key.name,
                key.last4,
                end.to_the_minute()
            ),
        })
    };
    let mut found: Vec<Finding> = keys.into_iter().filter_map(finding).collect();
    found.sort_by(|a, b| a.key.cmp(&b.key));
    found
}

/// Tells of each end once a week and once a day before it.
pub(crate) async fn watch(engine: Weak<Engine>, stop: CancellationToken) {
    let mut told = Told::default();
    let mut tick = tokio::time::interval(LOOK_EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            () = stop.cancelled() => return,
        }
        let Some(engine) = engine.upgrade() else { return };
        let live = engine.live();
        for finding in told.news(expiring(live.snapshot.keys.values(), engine.control.now())) {
            engine.alerts.raise(finding.kind, &finding.subject, &finding.key, finding.sentence);
        }
    }
}
