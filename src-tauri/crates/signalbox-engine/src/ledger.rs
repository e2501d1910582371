//! The ledger: takes an entry as soon as its journal has it, and brings it into the database a moment later.
//!
//! Writing appends one record to the [journal] from the task that asks, which takes microseconds. A thread
//! of its own, the [applier], commits entries in order and many at a time to the database, where screens read them. What
//! waits between the two is bounded; past the bound requests wait, and are refused when that does not help.

mod applier;
mod replay;
mod sync;

use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use signalbox_store::{Durability, LedgerEntry};
use tokio::sync::{Notify, oneshot, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::control::Control;
use crate::error::EngineError;
use crate::events::Events;
use crate::journal::{self, Folder, Journal, Position};

pub use replay::apply_left_over;

/// Bytes of journal that may wait for the database: a burst of a hundred thousand requests, or some minutes of a database
/// that is away.
const WAITING_MAX: u64 = 256 * 1024 * 1024;
/// How long a request waits for room before it is refused.
const ROOM_PATIENCE: Duration = Duration::from_secs(5);
/// Entries that wait in memory as well; more are read from the journal when it is their turn.
const QUEUE_ENTRIES_MAX: usize = 4_096;
/// Bytes of their records.
const QUEUE_BYTES_MAX: usize = 16 * 1024 * 1024;
/// How long a start waits for an instance that is ending to let go of the journal.
const CLAIM_PATIENCE: Duration = Duration::from_secs(10);
const CLAIM_PAUSE: Duration = Duration::from_millis(20);

/// The ledger did not take an entry. Money paths stop there: nothing is served that is not written.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the ledger cannot be written: {0}")]
pub struct LedgerError(String);

/// The way into the ledger. Clones lead into the same one; with the last of them gone it ends, as after a stop.
#[derive(Debug, Clone)]
pub struct Ledger(Arc<Handle>);

#[derive(Debug)]
struct Handle(Arc<Shared>);

impl Drop for Handle {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// What requests, the applier and the syncer share.
#[derive(Debug)]
struct Shared {
    front: Mutex<Front>,
    /// Tells the syncer that there is something to sync; only with [`Durability::Power`].
    appended: Condvar,
    is_synced: bool,
    waiting_max: u64,
    /// Bytes of journal that wait for the database.
    waiting: AtomicU64,
    /// Whether the applier sleeps until it is woken, because nothing has come for a while.
    idle: AtomicBool,
    wake: Notify,
    /// Wakes the applier from gathering, because somebody waits for it.
    hurry: Notify,
    progress: watch::Sender<Progress>,
    /// How many entries are on the disk, or why none gets there any more.
    synced: watch::Sender<Result<u64, Arc<str>>>,
}

/// Where entries arrive.
#[derive(Debug)]
struct Front {
    journal: Journal,
    /// The entries to be applied next, or some of them.
    queue: VecDeque<Queued>,
    queue_bytes: usize,
    /// How many entries were ever appended.
    written: u64,
    /// Whether the last record was refused; it is said once, however many follow.
    refuses: bool,
    closed: bool,
}

/// An entry that need not be read from the journal.
#[derive(Debug)]
struct Queued {
    /// How many were appended before it.
    number: u64,
    entry: LedgerEntry,
    bytes: usize,
    end: Position,
}

/// How far the applier is.
#[derive(Debug, Clone, Default)]
struct Progress {
    /// How many entries are in the database.
    applied: u64,
    /// Why it does not get on, if it does not.
    trouble: Option<Trouble>,
    ended: bool,
}

/// Why entries do not get into the database.
#[derive(Debug, Clone)]
struct Trouble {
    /// In words.
    why: Arc<str>,
    /// Whether waiting does not help: then no new request begins.
    is_lasting: bool,
}

impl Ledger {
    /// Applies what an earlier run left behind and begins to take entries. Once `stop` is cancelled it takes no more,
    /// applies what it has and ends; `tasks` waits for that.
    ///
    /// Errors: another process has the journal, the journal cannot be read or made, the database refuses.
    pub async fn start(
        control: &Control,
        events: Events,
        tasks: &TaskTracker,
        stop: CancellationToken,
    ) -> Result<Self, EngineError> {
        let folder = Folder::of(&control.data_dir);
        folder.make().map_err(failed_at(&control.data_dir))?;
        let claim = claim_patiently(&folder, &control.data_dir).await?;
        let (started_to, started) = oneshot::channel();
        let (store, durability) = (control.store.clone(), control.durability);
        let data_dir = Arc::clone(&control.data_dir);
        let running = tasks.token();
        let work = async move {
            let open = async {
                let mut connection = store.ledger().await?;
                replay::replay(&folder, &mut connection).await?;
                let is_synced = durability == Durability::Power;
                let journal = Journal::new(folder.clone(), is_synced).map_err(failed_at(&data_dir))?;
                let shared = Shared::new(journal, is_synced, WAITING_MAX);
                sync::start(&shared).map_err(failed_at(&data_dir))?;
                Ok::<_, EngineError>((connection, shared))
            };
            match open.await {
                Err(error) => drop(started_to.send(Err(error))),
                Ok((connection, shared)) => {
                    let ledger = Self(Arc::new(Handle(Arc::clone(&shared))));
                    if started_to.send(Ok(ledger)).is_ok() {
                        applier::Applier::new(shared, folder, connection, events).run(stop).await;
                    }
                }
            }
        };
        let thread = std::thread::Builder::new().name("ledger".to_owned()).spawn(move || {
            let _until_the_end = (running, claim);
            applier::give_way_to_requests();
            match tokio::runtime::Builder::new_current_thread().enable_all().build() {
                Ok(runtime) => runtime.block_on(work),
                Err(error) => tracing::error!(%error, "the ledger's thread cannot run"),
            }
        });
        thread.map_err(failed_at(&control.data_dir))?;
        started.await.map_err(|_| EngineError::ShuttingDown)?
    }

    /// Writes an entry and returns once nothing that the configured durability names can lose it.
    ///
    /// Errors: the journal cannot be written or is full; the entry is not written then.
    pub async fn write(&self, entry: LedgerEntry) -> Result<(), LedgerError> {
        let shared = &self.0.0;
        let record = journal::encode(&entry).map_err(|error| LedgerError(error.to_string()))?;
        if matches!(entry, LedgerEntry::Start(_)) {
            shared.room().await?;
        }
        let number = shared.append(entry, &record)?;
        if shared.idle.load(Ordering::SeqCst) && shared.idle.swap(false, Ordering::SeqCst) {
            shared.wake.notify_one();
        }
        if shared.is_synced { shared.until_synced(number).await } else { Ok(()) }
    }

    /// Waits until everything written so far can be read from the database, and says whether it came to that within
    /// `patience`.
    pub async fn caught_up(&self, patience: Duration) -> bool {
        let shared = &self.0.0;
        let written = shared.front().written;
        if shared.progress.borrow().applied >= written {
            return true;
        }
        shared.hurry.notify_one();
        let mut progress = shared.progress.subscribe();
        let there = progress.wait_for(|progress| progress.applied >= written || progress.ended);
        let there = tokio::time::timeout(patience, there).await;
        there.is_ok_and(|progress| progress.is_ok_and(|progress| progress.applied >= written))
    }

    /// Bytes of journal that wait for the database.
    pub fn waiting_bytes(&self) -> u64 {
        self.0.0.waiting.load(Ordering::Relaxed)
    }
}

impl Shared {
    fn new(journal: Journal, is_synced: bool, waiting_max: u64) -> Arc<Self> {
        let front = Front {
            journal,
            queue: VecDeque::new(),
            queue_bytes: 0,
            written: 0,
            refuses: false,
            closed: false,
        };
        Arc::new(Self {
            front: Mutex::new(front),
            appended: Condvar::new(),
            is_synced,
            waiting_max,
            waiting: AtomicU64::new(0),
            idle: AtomicBool::new(false),
            wake: Notify::new(),
            hurry: Notify::new(),
            progress: watch::Sender::new(Progress::default()),
            synced: watch::Sender::new(Ok(0)),
        })
    }

    fn front(&self) -> MutexGuard<'_, Front> {
        // Nothing in there is left half done by a panic: the journal's own steps do not panic.
        self.front.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes no more entries.
    fn close(&self) {
        self.front().closed = true;
        self.hurry.notify_one();
        self.appended.notify_all();
    }

    /// Waits until another request may begin.
    async fn room(&self) -> Result<(), LedgerError> {
        let has_room = || self.waiting.load(Ordering::Relaxed) < self.waiting_max;
        let lasting = |progress: &Progress| {
            let trouble = progress.trouble.as_ref().filter(|trouble| trouble.is_lasting);
            trouble.map(|trouble| LedgerError(trouble.why.to_string()))
        };
        if let Some(refusal) = lasting(&self.progress.borrow()) {
            return Err(refusal);
        }
        if has_room() {
            return Ok(());
        }
        let mut progress = self.progress.subscribe();
        let may_go_on = progress.wait_for(|now| has_room() || lasting(now).is_some() || now.ended);
        let _ = tokio::time::timeout(ROOM_PATIENCE, may_go_on).await;
        let now = self.progress.borrow();
        match (lasting(&now), has_room()) {
            (Some(refusal), _) => Err(refusal),
            (None, true) => Ok(()),
            (None, false) => {
                let mebibytes = self.waiting_max / (1024 * 1024);
                let slow = "it is slower than the requests";
                let why = now.trouble.as_ref().map_or(slow, |trouble| &*trouble.why);
                Err(LedgerError(format!("{mebibytes} MiB wait for the database: {why}")))
            }
        }
    }

    /// Appends a record and returns how many entries there are with it.
    fn append(&self, entry: LedgerEntry, record: &[u8]) -> Result<u64, LedgerError> {
        let mut front = self.front();
        if front.closed {
            return Err(LedgerError("it has stopped".to_owned()));
        }
        let end = match front.journal.append(record) {
            Ok(end) => end,
            Err(error) => {
                if !std::mem::replace(&mut front.refuses, true) {
                    tracing::error!(%error, "the journal cannot be written; nothing is served until it can");
                }
                return Err(LedgerError(format!("the journal refuses: {error}")));
            }
        };
        if std::mem::take(&mut front.refuses) {
            tracing::info!("the journal can be written again");
        }
        let number = front.written;
        front.written += 1;
        self.waiting.fetch_add(record.len() as u64, Ordering::Relaxed);
        if front.queue.len() < QUEUE_ENTRIES_MAX && front.queue_bytes + record.len() <= QUEUE_BYTES_MAX {
            front.queue_bytes += record.len();
            front.queue.push_back(Queued { number, entry, bytes: record.len(), end });
        }
        if self.is_synced {
            self.appended.notify_one();
        }
        Ok(number + 1)
    }

    async fn until_synced(&self, number: u64) -> Result<(), LedgerError> {
        let mut synced = self.synced.subscribe();
        let stopped = |_| LedgerError("it has stopped".to_owned());
        let synced = synced
            .wait_for(|synced| synced.as_ref().map_or(true, |synced| *synced >= number))
            .await
            .map_err(stopped)?;
        synced.as_ref().map(drop).map_err(|why| LedgerError(why.to_string()))
    }
}

/// Held while a process writes or applies a journal; the operating system lets go of it even after `kill -9`.
#[derive(Debug)]
struct Claim {
    _file: File,
}

/// Claims the journal; `None` while another process has it.
fn claim(folder: &Folder) -> io::Result<Option<Claim>> {
    let file = File::create(folder.file("lock"))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(Claim { _file: file })),
        Err(std::fs::TryLockError::WouldBlock) => Ok(None),
        Err(std::fs::TryLockError::Error(error)) => Err(error),
    }
}

async fn claim_patiently(folder: &Folder, data_dir: &Path) -> Result<Claim, EngineError> {
    let mut tries_left = CLAIM_PATIENCE.as_millis() / CLAIM_PAUSE.as_millis();
    loop {
        if let Some(claim) = claim(folder).map_err(failed_at(data_dir))? {
            return Ok(claim);
        }
        if tries_left == 0 {
            return Err(EngineError::AlreadyRunning { path: data_dir.to_owned() });
        }
        tries_left -= 1;
        tokio::time::sleep(CLAIM_PAUSE).await;
    }
}

fn failed_at(data_dir: &Path) -> impl Fn(io::Error) -> EngineError {
    move |source| EngineError::DataDirectory { path: data_dir.to_owned(), source }
}

/// An error with everything beneath it, for the one log line it gets.
pub fn error_chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests;
