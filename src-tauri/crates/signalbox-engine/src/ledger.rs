//! The ledger writer: one task owns the only write connection and commits whatever has queued up, so that one commit
//! serves many requests and nobody waits for a lock.

use std::time::Duration;

use signalbox_store::{LedgerConnection, LedgerEntry, StoreError};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Entries per transaction; more would only make the first one wait.
const BATCH_MAX: usize = 256;
/// Entries that may wait; past it callers wait, which slows intake instead of filling memory.
const QUEUE_MAX: usize = 4_096;
/// How often a commit is tried while the database is busy or full.
const TRIES: u32 = 5;
/// Pause before the second try; it doubles each time.
const FIRST_PAUSE: Duration = Duration::from_millis(20);

/// The ledger did not take an entry. Money paths stop there: nothing is served that is not written.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the ledger cannot be written: {0}")]
pub struct LedgerError(String);

struct Job {
    entry: LedgerEntry,
    done: oneshot::Sender<Result<(), LedgerError>>,
}

/// The queue to the writer.
#[derive(Debug, Clone)]
pub struct Ledger(mpsc::Sender<Job>);

impl Ledger {
    /// Starts the writer. Once `stop` is cancelled it writes what has queued up, takes no more and ends.
    pub fn start(connection: LedgerConnection, tasks: &TaskTracker, stop: CancellationToken) -> Self {
        let (queue, jobs) = mpsc::channel(QUEUE_MAX);
        tasks.spawn(write_all(connection, jobs, stop));
        Self(queue)
    }

    /// Writes an entry and returns once it is committed.
    pub async fn write(&self, entry: LedgerEntry) -> Result<(), LedgerError> {
        let stopped = || LedgerError("the ledger writer has stopped".to_owned());
        let (done, committed) = oneshot::channel();
        self.0.send(Job { entry, done }).await.map_err(|_| stopped())?;
        committed.await.map_err(|_| stopped())?
    }
}

async fn write_all(mut connection: LedgerConnection, mut jobs: mpsc::Receiver<Job>, stop: CancellationToken) {
    let mut batch = Vec::with_capacity(BATCH_MAX);
    loop {
        let received = tokio::select! {
            biased;
            received = jobs.recv_many(&mut batch, BATCH_MAX) => received,
            () = stop.cancelled(), if !jobs.is_closed() => {
                jobs.close();
                continue;
            }
        };
        if received == 0 {
            return;
        }
        let (entries, waiters): (Vec<_>, Vec<_>) = batch.drain(..).map(|job| (job.entry, job.done)).unzip();
        match commit(&mut connection, &entries).await {
            Ok(()) => waiters.into_iter().for_each(|done| answer(done, Ok(()))),
            // A busy or full database refuses the next entry as well; asking for each would only keep everybody waiting.
            Err(error) if entries.len() == 1 || is_transient(&error) => refuse(&error, waiters),
            Err(_) => one_by_one(&mut connection, &entries, waiters).await,
        }
    }
}

/// A batch that fails as a whole is tried entry by entry, so that one bad entry does not take the others with it.
async fn one_by_one(
    connection: &mut LedgerConnection,
    entries: &[LedgerEntry],
    waiters: Vec<oneshot::Sender<Result<(), LedgerError>>>,
) {
    for (entry, done) in entries.iter().zip(waiters) {
        match commit(connection, std::slice::from_ref(entry)).await {
            Ok(()) => answer(done, Ok(())),
            Err(error) => refuse(&error, vec![done]),
        }
    }
}

async fn commit(connection: &mut LedgerConnection, entries: &[LedgerEntry]) -> Result<(), StoreError> {
    let mut pause = FIRST_PAUSE;
    for _ in 1..TRIES {
        match connection.commit(entries).await {
            Err(error) if is_transient(&error) => tokio::time::sleep(pause).await,
            result => return result,
        }
        pause *= 2;
    }
    connection.commit(entries).await
}

/// Whether trying again soon may help.
const fn is_transient(error: &StoreError) -> bool {
    matches!(error, StoreError::Busy { .. } | StoreError::Full { .. })
}

fn refuse(error: &StoreError, waiters: Vec<oneshot::Sender<Result<(), LedgerError>>>) {
    tracing::error!(error = %error_chain(error), "the ledger refused an entry");
    for done in waiters {
        answer(done, Err(LedgerError(error.to_string())));
    }
}

fn answer(done: oneshot::Sender<Result<(), LedgerError>>, result: Result<(), LedgerError>) {
    // Whoever asked may have gone meanwhile; the entry is written all the same.
    let _ = done.send(result);
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
