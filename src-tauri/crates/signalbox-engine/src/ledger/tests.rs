use std::fs::OpenOptions;
use std::path::PathBuf;

use signalbox_core::ledger::{RequestStart, Settlement};
use signalbox_store::{Backend, LedgerReport, Store};

use super::applier::Applier;
use super::*;
use crate::clock::SystemClock;
use crate::control::Options;
use crate::events::Topic;
use crate::journal::samples::{begun, end_of, settled, start, traffic};
use crate::secrets::Keychain;

/// Far beyond what applying takes.
const LONG: Duration = Duration::from_mins(1);

async fn opened(dir: &tempfile::TempDir, durability: Durability) -> Control {
    let options = Options {
        data_dir: dir.path().to_owned(),
        database_url: None,
        durability,
        keychain: Keychain::Unused,
    };
    let control = Control::open(&options, Arc::new(SystemClock)).await.unwrap();
    assert_eq!(control.store.backend(), Backend::Sqlite);
    control
}

/// A ledger and what ends it.
struct Running {
    control: Control,
    ledger: Ledger,
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl Running {
    async fn start(dir: &tempfile::TempDir, durability: Durability) -> Self {
        let control = opened(dir, durability).await;
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        let ledger = Ledger::start(&control, Events::default(), &tasks, stop.clone()).await.unwrap();
        Self { control, ledger, tasks, stop }
    }

    async fn stop(self) -> Control {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
        self.control
    }
}

async fn report(store: &Store) -> LedgerReport {
    let report = store.verify_ledger().await.unwrap();
    assert!(report.is_clean(), "{:#?}", report.first_differences);
    report
}

/// Puts entries into the journal as a process that is killed before it applies them does.
fn left_behind(dir: &tempfile::TempDir, entries: &[LedgerEntry]) -> Vec<PathBuf> {
    let folder = Folder::of(dir.path());
    folder.make().unwrap();
    let mut journal = Journal::new(folder, false).unwrap().with_segments_of(8_000);
    for entry in entries {
        journal.append(&journal::encode(entry).unwrap()).unwrap();
    }
    files_in(dir, "journal")
}

fn files_in(dir: &tempfile::TempDir, extension: &str) -> Vec<PathBuf> {
    let files = std::fs::read_dir(dir.path().join("journal")).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> =
        files.filter(|path| path.extension().is_some_and(|found| found == extension)).collect();
    files.sort();
    files
}

#[tokio::test]
async fn what_was_written_is_in_the_database_after_a_stop_and_no_journal_stays_behind() {
    let dir = tempfile::tempdir().unwrap();
    let running = Running::start(&dir, Durability::Process).await;
    for entry in traffic(700) {
        running.ledger.write(entry).await.unwrap();
    }
    let control = running.stop().await;
    let report = report(&control.store).await;
    assert_eq!((report.settled, report.open), (700, 0));
    assert!(files_in(&dir, "journal").is_empty());
}

#[tokio::test]
async fn a_reader_that_waits_sees_what_was_written_before_and_hears_of_it() {
    let dir = tempfile::tempdir().unwrap();
    let control = opened(&dir, Durability::Process).await;
    let (events, tasks, stop) = (Events::default(), TaskTracker::new(), CancellationToken::new());
    let mut heard = events.subscribe();
    let ledger = Ledger::start(&control, events, &tasks, stop).await.unwrap();
    let start = start();
    ledger.write(begun(&start)).await.unwrap();
    assert!(ledger.caught_up(LONG).await);
    assert_eq!(control.store.open_requests().await.unwrap().len(), 1);
    assert_eq!(heard.recv().await.unwrap(), Topic::Requests);
    ledger.write(settled(&start)).await.unwrap();
    assert!(ledger.caught_up(LONG).await);
    assert!(control.store.open_requests().await.unwrap().is_empty());
    assert_eq!(ledger.waiting_bytes(), 0);
}

#[tokio::test]
async fn a_kill_between_journal_and_database_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let open = start();
    let entries: Vec<_> = traffic(40).into_iter().chain([begun(&open)]).collect();
    assert!(left_behind(&dir, &entries).len() > 2);
    let running = Running::start(&dir, Durability::Process).await;
    let report = report(&running.control.store).await;
    assert_eq!((report.settled, report.open), (40, 1));
    assert!(files_in(&dir, "journal").is_empty());
    // A request that was open when the process was killed goes on where it was.
    running.ledger.write(settled(&open)).await.unwrap();
    assert!(running.ledger.caught_up(LONG).await);
    assert!(running.control.store.open_requests().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_journal_that_is_applied_twice_counts_once() {
    let dir = tempfile::tempdir().unwrap();
    let segments = left_behind(&dir, &traffic(30));
    let copies: Vec<_> = segments.iter().map(|path| std::fs::read(path).unwrap()).collect();
    for _ in 0..2 {
        let control = Running::start(&dir, Durability::Process).await.stop().await;
        assert_eq!(report(&control.store).await.settled, 30);
        assert!(files_in(&dir, "journal").is_empty());
        for (path, bytes) in segments.iter().zip(&copies) {
            std::fs::write(path, bytes).unwrap();
        }
    }
}

#[tokio::test]
async fn a_record_that_was_cut_short_is_ignored_and_everything_before_it_is_there() {
    let dir = tempfile::tempdir().unwrap();
    let segments = left_behind(&dir, &traffic(2));
    let last = segments.last().unwrap();
    let bytes = std::fs::read(last).unwrap();
    std::fs::write(last, &bytes[..bytes.len() - 1]).unwrap();
    let control = Running::start(&dir, Durability::Process).await.stop().await;
    let report = report(&control.store).await;
    assert_eq!((report.settled, report.open), (1, 1));
    assert!(files_in(&dir, "damaged").is_empty() && files_in(&dir, "journal").is_empty());
}

#[tokio::test]
async fn a_damaged_segment_is_kept_aside_and_what_can_be_read_of_it_is_applied() {
    let dir = tempfile::tempdir().unwrap();
    let segments = left_behind(&dir, &traffic(40));
    let mut bytes = std::fs::read(&segments[1]).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&segments[1], &bytes).unwrap();
    let control = Running::start(&dir, Durability::Process).await.stop().await;
    let report = report(&control.store).await;
    assert!(report.settled + report.open >= 39, "{report:?}");
    let kept = files_in(&dir, "damaged");
    assert_eq!(kept.len(), 1);
    assert_eq!(std::fs::read(&kept[0]).unwrap(), bytes, "to the byte");
    assert!(files_in(&dir, "journal").is_empty());
}

#[tokio::test]
async fn a_command_beside_no_instance_applies_what_was_left_and_beside_one_leaves_it_alone() {
    let dir = tempfile::tempdir().unwrap();
    left_behind(&dir, &traffic(5));
    let control = opened(&dir, Durability::Process).await;
    apply_left_over(&control).await.unwrap();
    assert_eq!(report(&control.store).await.settled, 5);
    assert!(files_in(&dir, "journal").is_empty());

    let running = Running::start(&dir, Durability::Process).await;
    for entry in traffic(1) {
        running.ledger.write(entry).await.unwrap();
    }
    let segments = files_in(&dir, "journal");
    apply_left_over(&control).await.unwrap();
    assert_eq!(files_in(&dir, "journal"), segments);
}

#[tokio::test]
async fn an_entry_the_database_will_never_take_holds_up_nobody_and_is_kept_aside() {
    let dir = tempfile::tempdir().unwrap();
    let running = Running::start(&dir, Durability::Process).await;
    let bad = start();
    let mut end: Settlement = end_of(&bad);
    end.attempts.push(end.attempts[0].clone());
    let mut entries = traffic(3);
    entries.insert(2, begun(&bad));
    let end = LedgerEntry::Settle { start: Arc::new(bad), settlement: Arc::new(end) };
    entries.insert(3, end);
    for entry in entries {
        running.ledger.write(entry).await.unwrap();
    }
    let control = running.stop().await;
    let report = report(&control.store).await;
    assert_eq!((report.settled, report.open), (3, 1));
    assert_eq!((files_in(&dir, "damaged").len(), files_in(&dir, "journal").len()), (1, 0));
}

/// A disk that is full, as the system plays it.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn what_a_full_disk_does_not_take_is_refused_and_never_there() {
    let dir = tempfile::tempdir().unwrap();
    let running = Running::start(&dir, Durability::Process).await;
    let requests: Vec<RequestStart> = (0..3).map(|_| start()).collect();
    running.ledger.write(begun(&requests[0])).await.unwrap();
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    running.ledger.0.0.front().journal.replace_file(full);
    let refused = running.ledger.write(begun(&requests[1])).await.unwrap_err();
    assert!(
        refused.to_string().starts_with("the ledger cannot be written: the journal refuses"),
        "{refused}"
    );
    running.ledger.write(begun(&requests[2])).await.unwrap();
    let control = running.stop().await;
    let open = control.store.open_requests().await.unwrap();
    let mut ids: Vec<_> = open.iter().map(|open| open.start.id).collect();
    ids.sort();
    assert_eq!(ids, [requests[0].id, requests[2].id]);
}

#[tokio::test]
async fn with_power_an_entry_is_written_once_it_is_on_the_disk() {
    let dir = tempfile::tempdir().unwrap();
    let running = Running::start(&dir, Durability::Power).await;
    let writes = traffic(20).into_iter().map(|entry| async {
        running.ledger.write(entry).await.unwrap();
        let shared = &running.ledger.0.0;
        shared.synced.borrow().clone().unwrap()
    });
    let synced = futures::future::join_all(writes).await;
    assert!(synced.iter().all(|synced| *synced >= 1));
    assert_eq!(synced.last(), Some(&40));
    assert_eq!(report(&running.stop().await.store).await.settled, 20);
}

/// A file that cannot be synced plays the disk that fails.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn with_power_nothing_is_taken_any_more_once_the_disk_fails() {
    let dir = tempfile::tempdir().unwrap();
    let running = Running::start(&dir, Durability::Power).await;
    running.ledger.write(begun(&start())).await.unwrap();
    let unsyncable = OpenOptions::new().write(true).open("/dev/null").unwrap();
    running.ledger.0.0.front().journal.replace_file(unsyncable);
    let refused = running.ledger.write(begun(&start())).await.unwrap_err();
    assert!(refused.to_string().contains("cannot be brought to the disk"), "{refused}");
    assert!(running.ledger.write(begun(&start())).await.is_err());
}

/// A ledger whose applier does not run yet.
fn unapplied(dir: &tempfile::TempDir, waiting_max: u64) -> (Arc<Shared>, Ledger, Folder) {
    let folder = Folder::of(dir.path());
    folder.make().unwrap();
    let journal = Journal::new(folder.clone(), false).unwrap().with_segments_of(100_000);
    let shared = Shared::new(journal, false, waiting_max);
    (Arc::clone(&shared), Ledger(Arc::new(Handle(shared))), folder)
}

#[tokio::test]
async fn more_than_memory_holds_waits_in_the_journal_and_is_applied_in_order() {
    let dir = tempfile::tempdir().unwrap();
    let control = opened(&dir, Durability::Process).await;
    let (shared, ledger, folder) = unapplied(&dir, WAITING_MAX);
    let connection = control.store.ledger().await.unwrap();
    let applier = Applier::new(Arc::clone(&shared), folder, connection, Events::default());
    let requests = QUEUE_ENTRIES_MAX / 2 + 500;
    for entry in traffic(requests) {
        ledger.write(entry).await.unwrap();
    }
    assert_eq!(shared.front().queue.len(), QUEUE_ENTRIES_MAX);
    let stop = CancellationToken::new();
    stop.cancel();
    applier.run(stop).await;
    let report = report(&control.store).await;
    assert_eq!((report.settled, report.open), (requests as u64, 0));
    assert_eq!(ledger.waiting_bytes(), 0);
    assert!(files_in(&dir, "journal").is_empty());
}

#[tokio::test(start_paused = true)]
async fn when_the_database_is_away_for_long_new_requests_are_refused_and_running_ones_still_settle() {
    let dir = tempfile::tempdir().unwrap();
    let (shared, ledger, _) = unapplied(&dir, 20_000);
    let mut running = Vec::new();
    let refused = loop {
        let start = start();
        match ledger.write(begun(&start)).await {
            Ok(()) => running.push(start),
            Err(error) => break error,
        }
    };
    assert!(refused.to_string().contains("wait for the database"), "{refused}");
    assert!(shared.waiting.load(Ordering::Relaxed) < 22_000);
    for start in &running {
        ledger.write(settled(start)).await.unwrap();
    }
    // As soon as the database takes something, the next request may begin.
    let waits = ledger.write(begun(&start()));
    let applies = async {
        shared.waiting.store(0, Ordering::Relaxed);
        shared.progress.send_modify(|progress| progress.applied = 1);
    };
    let (taken, ()) = tokio::join!(waits, applies);
    taken.unwrap();
}

#[tokio::test]
async fn a_database_that_cannot_be_written_at_all_stops_new_requests_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let (shared, ledger, _) = unapplied(&dir, WAITING_MAX);
    let trouble = Trouble { why: "the database can only be read".into(), is_lasting: true };
    shared.progress.send_modify(|progress| progress.trouble = Some(trouble));
    let start = start();
    let refused = ledger.write(begun(&start)).await.unwrap_err();
    assert_eq!(refused.to_string(), "the ledger cannot be written: the database can only be read");
    ledger.write(settled(&start)).await.unwrap();
}

#[tokio::test]
async fn after_a_stop_nothing_is_taken() {
    let dir = tempfile::tempdir().unwrap();
    let running = Running::start(&dir, Durability::Process).await;
    let ledger = running.ledger.clone();
    running.stop().await;
    assert!(ledger.write(begun(&start())).await.is_err());
}
