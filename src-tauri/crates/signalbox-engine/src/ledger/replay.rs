//! What a killed process left in the journal is brought into the database before anything else happens.

use std::path::PathBuf;

use signalbox_store::{LedgerConnection, LedgerEntry};

use super::applier::{BATCH_ENTRIES_MAX, Patience, apply};
use super::{claim, failed_at};
use crate::control::Control;
use crate::error::EngineError;
use crate::journal::{Folder, Next};

/// Applies what a killed instance left behind, so that the database can be read as if it had ended well. Does nothing
/// while an instance runs: that one does it.
///
/// Errors: the journal cannot be read, the database refuses.
pub async fn apply_left_over(control: &Control) -> Result<(), EngineError> {
    let folder = Folder::of(&control.data_dir);
    let failed = failed_at(&control.data_dir);
    if folder.segments().map_err(&failed)?.is_empty() {
        return Ok(());
    }
    let Some(_until_the_end) = claim(&folder).map_err(&failed)? else { return Ok(()) };
    replay(&folder, &mut control.store.ledger().await?).await
}

/// Applies every segment and deletes it. A damaged one is read as far as it can be, kept aside and reported.
pub(super) async fn replay(folder: &Folder, connection: &mut LedgerConnection) -> Result<(), EngineError> {
    let failed = |source| EngineError::DataDirectory { path: folder.path(), source };
    let mut replay = Replay { connection, batch: Vec::with_capacity(BATCH_ENTRIES_MAX), applied: 0 };
    for number in folder.segments().map_err(failed)? {
        let faults = replay.segment(folder, number).await?;
        if faults.is_empty() {
            folder.delete(number).map_err(failed)?;
        } else {
            let kept: PathBuf = folder.keep_aside(number).map_err(failed)?;
            let faults = faults.join("; ");
            tracing::error!(kept = %kept.display(), faults, "entries of the journal could not be used and are kept aside");
        }
    }
    if replay.applied > 0 {
        tracing::warn!(
            entries = replay.applied,
            "the journal of an earlier run was brought into the database"
        );
    }
    Ok(())
}

struct Replay<'a> {
    connection: &'a mut LedgerConnection,
    batch: Vec<LedgerEntry>,
    applied: usize,
}

impl Replay<'_> {
    /// Applies what can be read of a segment; returns what is wrong with the rest.
    async fn segment(&mut self, folder: &Folder, number: u64) -> Result<Vec<String>, EngineError> {
        let failed = |source| EngineError::DataDirectory { path: folder.path(), source };
        let mut faults = Vec::new();
        let Some(mut reader) = folder.read_left_over(number).map_err(failed)? else {
            return Ok(vec!["it does not begin as a journal does".to_owned()]);
        };
        loop {
            match reader.next().map_err(failed)? {
                Next::Entry(entry) => self.batch.push(entry),
                Next::Unusable(why) => faults.push(why),
                Next::Lost(why) => {
                    faults.push(why);
                    break;
                }
                Next::End => break,
                Next::Torn => {
                    // Whoever wrote it was not told that it is written.
                    tracing::warn!(
                        segment = number,
                        "the last record of the journal was not written to its end"
                    );
                    break;
                }
            }
            if self.batch.len() == BATCH_ENTRIES_MAX {
                self.apply(&mut faults).await?;
            }
        }
        self.apply(&mut faults).await?;
        Ok(faults)
    }

    async fn apply(&mut self, faults: &mut Vec<String>) -> Result<(), EngineError> {
        let refused = apply(self.connection, &self.batch, &mut Patience::short()).await?;
        faults.extend(refused.into_iter().map(|refused| refused.to_string()));
        self.applied += self.batch.len();
        self.batch.clear();
        Ok(())
    }
}
