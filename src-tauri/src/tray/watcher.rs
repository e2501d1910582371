//! Whether a Linux desktop shows tray icons. They are a protocol of the session bus: a *watcher* knows the icons, and a *host*,
//! a panel, shows them. A watcher without a host shows nothing.

use std::time::Duration;

use zbus::Connection;
use zbus::zvariant::OwnedValue;

const WATCHER: &str = "org.kde.StatusNotifierWatcher";
const HAS_HOST: &str = "IsStatusNotifierHostRegistered";
/// Longest wait for the answer; who is slower shows nothing either.
const PATIENCE: Duration = Duration::from_secs(1);

/// Whether somebody shows tray icons now; no when nobody answers.
pub async fn has_host() -> bool {
    match tokio::time::timeout(PATIENCE, ask()).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(error)) => {
            tracing::debug!(%error, "nobody shows tray icons");
            false
        }
        Err(_) => false,
    }
}

async fn ask() -> zbus::Result<bool> {
    let bus = Connection::session().await?;
    let property = (WATCHER, HAS_HOST);
    let interface = Some("org.freedesktop.DBus.Properties");
    let answer =
        bus.call_method(Some(WATCHER), "/StatusNotifierWatcher", interface, "Get", &property).await?;
    let value: OwnedValue = answer.body().deserialize()?;
    Ok(bool::try_from(value)?)
}
