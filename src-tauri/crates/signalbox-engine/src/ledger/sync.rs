//! The syncer: with [`Durability::Power`](signalbox_store::Durability) an entry is written once it is on the disk, and one
//! sync serves everybody who came while the one before it ran.

use std::sync::{Arc, PoisonError};

use super::Shared;

/// Starts the syncer's thread, if there is to be one. It ends when the ledger is closed and everything is on the disk.
pub(super) fn start(shared: &Arc<Shared>) -> std::io::Result<()> {
    if !shared.is_synced {
        return Ok(());
    }
    let shared = Arc::clone(shared);
    std::thread::Builder::new().name("ledger-sync".to_owned()).spawn(move || sync_all(&shared)).map(drop)
}

fn sync_all(shared: &Shared) {
    let mut synced = 0;
    loop {
        let (file, written) = {
            let front = shared.front();
            let nothing_to_do = |front: &mut super::Front| front.written == synced && !front.closed;
            let front =
                shared.appended.wait_while(front, nothing_to_do).unwrap_or_else(PoisonError::into_inner);
            if front.written == synced {
                return;
            }
            (front.journal.file(), front.written)
        };
        // Records that are not in this file are in one that was synced when it ended.
        if let Err(error) = file.map_or(Ok(()), |file| file.sync_data()) {
            // What the system still had to write may be gone from its memory by now; only a new start can tell.
            tracing::error!(%error, "the journal cannot be brought to the disk; nothing is taken any more");
            shared.close();
            let why = format!("the journal cannot be brought to the disk: {error}");
            shared.synced.send_modify(|synced| *synced = Err(why.into()));
            return;
        }
        synced = written;
        shared.synced.send_modify(|until| *until = Ok(synced));
    }
}
