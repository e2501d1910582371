//! Tells the windows and the tray what has changed, at most four times a second, whatever the traffic.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use signalbox_app::dto::CacheTag;
use signalbox_engine::events::Topic;
use specta::Type;
use tauri::{AppHandle, Runtime};
use tauri_specta::Event;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::Instant;

use crate::tray;

/// Least time between two messages to the window.
const PAUSE: Duration = Duration::from_millis(250);

/// Queries that carry one of these tags are stale.
#[derive(Debug, Clone, Serialize, Deserialize, Type, Event)]
pub struct CacheTagsChanged {
    /// What changed.
    pub tags: Vec<CacheTag>,
}

const ALL: [CacheTag; 13] = [
    CacheTag::Status,
    CacheTag::Requests,
    CacheTag::Operations,
    CacheTag::Providers,
    CacheTag::Health,
    CacheTag::Prices,
    CacheTag::Keys,
    CacheTag::Changes,
    CacheTag::Budgets,
    CacheTag::Approvals,
    CacheTag::Toggles,
    CacheTag::Alerts,
    CacheTag::People,
];

/// Makes the windows and the tray read everything again.
pub async fn everything_changed<R: Runtime>(app: &AppHandle<R>) {
    tell(app, ALL.to_vec()).await;
}

/// Gathers topics and passes them on as tags until the engine is gone.
pub async fn forward<R: Runtime>(app: AppHandle<R>, mut topics: Receiver<Topic>) {
    let mut next_at = Instant::now();
    let mut waiting = BTreeSet::new();
    loop {
        let due = tokio::time::sleep_until(next_at);
        let topic = tokio::select! {
            topic = topics.recv() => topic,
            () = due, if !waiting.is_empty() => {
                tell(&app, std::mem::take(&mut waiting).into_iter().collect()).await;
                next_at = Instant::now() + PAUSE;
                continue;
            }
        };
        match topic {
            Ok(topic) => {
                waiting.insert(CacheTag::from(topic));
            }
            Err(RecvError::Lagged(_)) => waiting.extend(ALL),
            Err(RecvError::Closed) => return,
        }
    }
}

async fn tell<R: Runtime>(app: &AppHandle<R>, tags: Vec<CacheTag>) {
    let changed = CacheTagsChanged { tags };
    if let Err(error) = changed.emit(app) {
        tracing::debug!(%error, "the window could not be told of a change");
    }
    tray::refresh(app, &changed.tags).await;
}
