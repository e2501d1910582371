//! Watches the disk under the data directory: a full one stops the ledger, and with it all traffic.

use std::path::{Path, PathBuf};
use std::time::Duration;

use signalbox_core::alert::AlertKind;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::alerts::Alerts;

/// How often it is looked at.
const LOOK_EVERY: Duration = Duration::from_mins(1);
/// Less is little on any disk. Units: bytes.
const LITTLE_BYTES: u64 = 1 << 30;
/// More is enough on any disk. Units: bytes.
const ENOUGH_BYTES: u64 = 10 << 30;

/// Room on a disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Room {
    /// Units: bytes.
    free: u64,
    /// Units: bytes.
    total: u64,
}

impl Room {
    fn under(folder: &Path) -> std::io::Result<Self> {
        Ok(Self { free: fs4::available_space(folder)?, total: fs4::total_space(folder)? })
    }

    /// Whether less than a twentieth is free, or very little; never while much is.
    const fn is_little(self) -> bool {
        self.free < LITTLE_BYTES || (self.free < self.total / 20 && self.free < ENOUGH_BYTES)
    }
}

/// Looks at the disk under `folder` until `stop`.
pub(crate) async fn watch(folder: PathBuf, alerts: Alerts, stop: CancellationToken) {
    let mut tick = tokio::time::interval(LOOK_EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            () = stop.cancelled() => return,
        }
        let looked_at = folder.clone();
        match tokio::task::spawn_blocking(move || Room::under(&looked_at)).await {
            Ok(Ok(room)) if room.is_little() => {
                let mebibytes = room.free >> 20;
                let sentence = format!("The disk of the data directory has {mebibytes} MiB left.");
                alerts.raise(AlertKind::DiskNearlyFull, "data directory", "disk", sentence);
            }
            Ok(Ok(_)) | Err(_) => {}
            Ok(Err(error)) => tracing::debug!(%error, "the room on the disk cannot be read"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn little_room_is_a_share_of_small_disks_and_an_amount_of_large_ones() {
        const GIB: u64 = 1 << 30;
        for (free, total, is_little) in [
            (GIB / 2, 8 * GIB, true),
            (GIB / 2, 4_000 * GIB, true),
            (2 * GIB, 20 * GIB, false),
            (4 * GIB, 100 * GIB, true),
            (20 * GIB, 4_000 * GIB, false),
        ] {
            assert_eq!(Room { free, total }.is_little(), is_little, "{free} of {total}");
        }
    }

    #[test]
    fn the_room_under_a_folder_can_be_read() {
        let folder = tempfile::tempdir().unwrap();
        let room = Room::under(folder.path()).unwrap();
        assert!(room.total > 0 && room.free <= room.total);
    }
}
