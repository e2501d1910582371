//! The applier: brings entries from the journal into the database, in order and many at a time.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use signalbox_store::{LedgerConnection, LedgerEntry, StoreError};
use tokio_util::sync::CancellationToken;

use super::{Shared, Trouble, error_chain};
use crate::events::{Events, Topic};
use crate::journal::{Folder, Next, Position};

/// Entries per transaction. Larger ones cost a little less per entry, but make requests wait for the processor and other
/// processes for the database.
pub(super) const BATCH_ENTRIES_MAX: usize = 128;
/// Bytes of their records; payloads make entries large.
const BATCH_BYTES_MAX: u64 = 4 * 1024 * 1024;
/// How long entries are gathered. A request that starts and ends within it is inserted once instead of twice.
const GATHER: Duration = Duration::from_millis(50);
/// How often nothing may have come before the applier sleeps until it is woken.
const EMPTY_ROUNDS_MAX: u32 = 20;
/// Pause before a refused commit is tried again; it doubles up to the longest.
const PAUSE_FIRST: Duration = Duration::from_millis(20);
const PAUSE_LONGEST: Duration = Duration::from_secs(2);
/// How often a commit is tried while nobody can wait long: at the start and at the end.
const TRIES_SHORT: u32 = 8;

/// Lets requests go first where there are more threads than processors. Threads that this one starts inherit it, among
/// them the one that writes to `SQLite`.
pub(super) fn give_way_to_requests() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::nice(NICE) {
        tracing::debug!(%error, "the ledger's thread keeps its priority");
    }
}

/// How much lower the priority is; about a tenth of a processor is left when requests could take all of it.
#[cfg(target_os = "linux")]
const NICE: i32 = 10;

/// How long to try.
#[derive(Debug)]
pub(super) struct Patience {
    pause: Duration,
    /// `None`: for ever.
    tries_left: Option<u32>,
}

impl Patience {
    /// A few seconds.
    pub(super) const fn short() -> Self {
        Self { pause: PAUSE_FIRST, tries_left: Some(TRIES_SHORT) }
    }
}

/// Commits entries; returns what the database says of those it will never take.
///
/// Errors: it takes none of them at the moment.
pub(super) async fn apply(
    connection: &mut LedgerConnection,
    entries: &[LedgerEntry],
    patience: &mut Patience,
) -> Result<Vec<StoreError>, StoreError> {
    match commit(connection, entries, patience).await {
        Ok(()) => return Ok(Vec::new()),
        Err(error) if !error.is_of_the_data() => return Err(error),
        Err(_) => {}
    }
    // One by one, so that a bad entry does not take the others with it.
    let mut refused = Vec::new();
    for entry in entries {
        match commit(connection, std::slice::from_ref(entry), patience).await {
            Err(error) if error.is_of_the_data() => refused.push(error),
            result => result?,
        }
    }
    Ok(refused)
}

async fn commit(
    connection: &mut LedgerConnection,
    entries: &[LedgerEntry],
    patience: &mut Patience,
) -> Result<(), StoreError> {
    loop {
        let error = match connection.commit(entries).await {
            Err(error) if !error.is_of_the_data() => error,
            result => return result,
        };
        if patience.tries_left == Some(0) {
            return Err(error);
        }
        patience.tries_left = patience.tries_left.map(|tries| tries - 1);
        tokio::time::sleep(patience.pause).await;
        patience.pause = PAUSE_LONGEST.min(patience.pause * 2);
    }
}

/// Entries on their way into the database.
struct Batch {
    entries: Vec<LedgerEntry>,
    bytes: u64,
    /// How many entries were appended until its end.
    until: u64,
    end: Position,
}

/// The one who brings entries into the database.
pub(super) struct Applier {
    shared: Arc<Shared>,
    folder: Folder,
    connection: LedgerConnection,
    events: Events,
    /// The end of the last entry that was applied.
    at: Position,
    /// How many were applied.
    applied: u64,
    /// The oldest segment there is.
    oldest: u64,
    /// Whether the oldest segment has entries that the database will never take.
    keep_aside: bool,
}

impl Applier {
    pub(super) fn new(
        shared: Arc<Shared>,
        folder: Folder,
        connection: LedgerConnection,
        events: Events,
    ) -> Self {
        let at = shared.front().journal.end();
        let oldest = at.segment;
        Self { shared, folder, connection, events, at, applied: 0, oldest, keep_aside: false }
    }

    /// Applies what comes until the ledger is closed and everything is in the database.
    pub(super) async fn run(mut self, stop: CancellationToken) {
        let mut empty_rounds = 0;
        loop {
            let batch = match self.take() {
                Ok(batch) => batch,
                Err(error) => return self.halt(&error, &stop).await,
            };
            if let Some(batch) = batch {
                empty_rounds = 0;
                let is_full = batch.entries.len() == BATCH_ENTRIES_MAX;
                if !self.bring(batch, &stop).await {
                    return self.end(false);
                }
                if is_full {
                    continue;
                }
            } else if self.shared.front().closed {
                return self.end(true);
            } else {
                empty_rounds += 1;
            }
            self.rest(empty_rounds > EMPTY_ROUNDS_MAX, &stop).await;
        }
    }

    /// Waits until there is something to do, and then a moment for more of it.
    async fn rest(&self, nothing_came: bool, stop: &CancellationToken) {
        let shared = &self.shared;
        let something_came = async {
            if nothing_came && self.sleeps() {
                shared.wake.notified().await;
            }
            tokio::time::sleep(GATHER).await;
        };
        tokio::select! {
            () = something_came => {}
            () = shared.hurry.notified() => {}
            () = stop.cancelled(), if !shared.front().closed => shared.close(),
        }
        shared.idle.store(false, Ordering::SeqCst);
    }

    /// Announces that it wants to be woken, unless something has come meanwhile.
    fn sleeps(&self) -> bool {
        self.shared.idle.store(true, Ordering::SeqCst);
        self.shared.front().written == self.applied
    }

    /// The entries that come next, from memory or else from the journal.
    fn take(&self) -> io::Result<Option<Batch>> {
        let mut batch = Batch { entries: Vec::new(), bytes: 0, until: self.applied, end: self.at };
        let in_journal_until = {
            let mut front = self.shared.front();
            while batch.has_room() && front.queue.front().is_some_and(|next| next.number == batch.until) {
                let Some(next) = front.queue.pop_front() else { break };
                front.queue_bytes -= next.bytes;
                batch.bytes += next.bytes as u64;
                batch.until += 1;
                batch.end = next.end;
                batch.entries.push(next.entry);
            }
            front.queue.front().map_or(front.written, |next| next.number)
        };
        if batch.entries.is_empty() && in_journal_until > batch.until {
            self.read(&mut batch, in_journal_until)?;
        }
        Ok((!batch.entries.is_empty()).then_some(batch))
    }

    fn read(&self, batch: &mut Batch, until: u64) -> io::Result<()> {
        let mut reader = self.folder.read_on(batch.end)?;
        while batch.until < until && batch.has_room() {
            match reader.next()? {
                Next::Entry(entry) => {
                    batch.bytes += reader.position().offset - batch.end.offset;
                    batch.until += 1;
                    batch.end = reader.position();
                    batch.entries.push(entry);
                }
                Next::End | Next::Torn => {
                    reader = self.folder.read_on(Position::beginning_of(batch.end.segment + 1))?;
                    batch.end = reader.position();
                }
                Next::Unusable(why) | Next::Lost(why) => return Err(io::Error::other(why)),
            }
        }
        Ok(())
    }

    /// Applies a batch, however long it takes; whether it did. Once the ledger is to stop it does not wait for long.
    async fn bring(&mut self, batch: Batch, stop: &CancellationToken) -> bool {
        let mut patience = Patience::short();
        loop {
            match apply(&mut self.connection, &batch.entries, &mut patience).await {
                Ok(refused) => {
                    for error in &refused {
                        let error = error_chain(error);
                        tracing::error!(
                            error,
                            "the database will not take an entry; its segment will be kept aside"
                        );
                    }
                    self.keep_aside |= !refused.is_empty();
                    break;
                }
                Err(error) if stop.is_cancelled() => {
                    tracing::error!(
                        error = error_chain(&error),
                        "the database does not take the ledger's last entries; the next start tries again"
                    );
                    return false;
                }
                Err(error) => self.tell_trouble(&error),
            }
            patience = Patience { pause: PAUSE_LONGEST, tries_left: Some(1) };
        }
        self.advance(&batch);
        true
    }

    fn tell_trouble(&self, error: &StoreError) {
        let is_lasting = matches!(
            error,
            StoreError::ReadOnly { .. } | StoreError::Unwritable { .. } | StoreError::Corrupt { .. }
        );
        tracing::error!(
            error = error_chain(error),
            "the database does not take the ledger's entries; they wait in the journal"
        );
        let trouble = Trouble { why: error.to_string().into(), is_lasting };
        self.shared.progress.send_modify(|progress| progress.trouble = Some(trouble));
    }

    fn advance(&mut self, batch: &Batch) {
        self.applied = batch.until;
        self.at = batch.end;
        self.shared.waiting.fetch_sub(batch.bytes, Ordering::Relaxed);
        self.shared.progress.send_modify(|progress| {
            if progress.trouble.take().is_some() {
                tracing::info!("the database takes the ledger's entries again");
            }
            progress.applied = batch.until;
        });
        self.events.publish(Topic::Requests);
        self.clear_before(batch.end.segment);
    }

    /// Deletes the segments that are in the database, or keeps one aside.
    fn clear_before(&mut self, segment: u64) {
        while self.oldest < segment {
            let cleared = if std::mem::take(&mut self.keep_aside) {
                self.folder.keep_aside(self.oldest).map(drop)
            } else {
                self.folder.delete(self.oldest)
            };
            if let Err(error) = cleared {
                tracing::warn!(%error, "a segment of the journal that is done with stays; the next start applies it again");
            }
            self.oldest += 1;
        }
    }

    /// The journal cannot be read: what is in it stays there for the next start, and nothing new begins.
    async fn halt(self, error: &io::Error, stop: &CancellationToken) {
        tracing::error!(%error, "the journal cannot be read; nothing new is served until the next start");
        let why = format!("the journal cannot be read: {error}").into();
        let trouble = Trouble { why, is_lasting: true };
        self.shared.progress.send_modify(|progress| progress.trouble = Some(trouble));
        while !self.shared.front().closed && !stop.is_cancelled() {
            tokio::select! {
                () = self.shared.hurry.notified() => {}
                () = stop.cancelled() => {}
            }
        }
        self.end(false);
    }

    /// The last step. With everything applied no segment stays behind.
    fn end(mut self, is_all_applied: bool) {
        if is_all_applied {
            if let Err(error) = self.shared.front().journal.end_segment() {
                tracing::warn!(%error, "the journal cannot be closed");
            }
            self.clear_before(self.at.segment + 1);
        }
    }
}

/// However it ends, also by a fault of ours: nothing is taken any more that nobody would apply.
impl Drop for Applier {
    fn drop(&mut self) {
        self.shared.close();
        self.shared.progress.send_modify(|progress| progress.ended = true);
    }
}

impl Batch {
    fn has_room(&self) -> bool {
        self.entries.len() < BATCH_ENTRIES_MAX && self.bytes < BATCH_BYTES_MAX
    }
}
