use std::fs::OpenOptions;

use proptest::prelude::*;
use signalbox_store::LedgerEntry;

use super::samples::{Said, any_entry, begun, said, settled, start, traffic};
use super::*;

fn folder() -> (tempfile::TempDir, Folder) {
    let dir = tempfile::tempdir().unwrap();
    let folder = Folder::of(dir.path());
    folder.make().unwrap();
    (dir, folder)
}

/// Writes entries into one segment and returns its bytes and where each record ends.
fn written(folder: &Folder, entries: &[LedgerEntry]) -> (Vec<u8>, Vec<usize>) {
    let mut journal = Journal::new(folder.clone(), false).unwrap();
    let ends = entries
        .iter()
        .map(|entry| journal.append(&encode(entry).unwrap()).unwrap())
        .map(|end| usize::try_from(end.offset).unwrap())
        .collect();
    (std::fs::read(segment_file(folder, 1)).unwrap(), ends)
}

fn segment_file(folder: &Folder, number: u64) -> PathBuf {
    folder.file(&format!("{number:016}.journal"))
}

/// What a segment gives: its entries, and what was wrong with it.
fn read(folder: &Folder, number: u64) -> (Vec<LedgerEntry>, Vec<String>, bool) {
    let (mut entries, mut faults) = (Vec::new(), Vec::new());
    let Some(mut reader) = folder.read_left_over(number).unwrap() else {
        return (entries, vec!["no segment".to_owned()], false);
    };
    loop {
        match reader.next().unwrap() {
            Next::Entry(entry) => entries.push(entry),
            Next::Unusable(why) => faults.push(why),
            Next::Lost(why) => {
                faults.push(why);
                return (entries, faults, false);
            }
            Next::End => return (entries, faults, false),
            Next::Torn => return (entries, faults, true),
        }
    }
}

fn all_said(entries: &[LedgerEntry]) -> Vec<Said> {
    entries.iter().map(said).collect()
}

proptest! {
    #[test]
    fn any_entry_reads_back_as_it_was_written(entries in proptest::collection::vec(any_entry(), 1..4)) {
        let (_dir, folder) = folder();
        written(&folder, &entries);
        let (found, faults, torn) = read(&folder, 1);
        prop_assert_eq!(all_said(&found), all_said(&entries));
        prop_assert!(faults.is_empty() && !torn, "{:?}", faults);
    }
}

#[test]
fn a_record_cut_anywhere_is_ignored_and_those_before_it_are_not() {
    let (_dir, folder) = folder();
    let entries = traffic(2);
    let (bytes, ends) = written(&folder, &entries);
    for cut in ends[2] + 1..ends[3] {
        std::fs::write(segment_file(&folder, 1), &bytes[..cut]).unwrap();
        let (found, faults, torn) = read(&folder, 1);
        assert_eq!(all_said(&found), all_said(&entries[..3]), "cut at {cut}");
        assert!(faults.is_empty() && torn, "cut at {cut}: {faults:?}");
    }
}

#[test]
fn a_length_that_was_written_without_its_contents_is_a_record_cut_short() {
    let (_dir, folder) = folder();
    let entries = traffic(1);
    let (mut bytes, _) = written(&folder, &entries);
    bytes.extend([0; 4_096]);
    std::fs::write(segment_file(&folder, 1), &bytes).unwrap();
    let (found, faults, torn) = read(&folder, 1);
    assert_eq!(all_said(&found), all_said(&entries));
    assert!(faults.is_empty() && torn, "{faults:?}");
}

#[test]
fn one_flipped_bit_anywhere_is_noticed_and_nothing_else_is_read_than_was_written() {
    let (_dir, folder) = folder();
    let entries = traffic(2);
    let (bytes, ends) = written(&folder, &entries);
    let expected = all_said(&entries);
    for at in 0..ends[1] {
        let mut damaged = bytes.clone();
        damaged[at] ^= 1 << (at % 8);
        std::fs::write(segment_file(&folder, 1), &damaged).unwrap();
        let (found, faults, _) = read(&folder, 1);
        assert!(!faults.is_empty(), "a flip of byte {at} went unnoticed");
        assert!(all_said(&found).iter().all(|entry| expected.contains(entry)), "byte {at}");
    }
}

#[test]
fn after_a_damaged_body_the_records_that_follow_are_still_read() {
    let (_dir, folder) = folder();
    let entries = traffic(2);
    let (mut bytes, ends) = written(&folder, &entries);
    bytes[ends[1] - 5] ^= 1;
    std::fs::write(segment_file(&folder, 1), &bytes).unwrap();
    let (found, faults, _) = read(&folder, 1);
    assert_eq!(all_said(&found), [said(&entries[0]), said(&entries[2]), said(&entries[3])]);
    assert_eq!(faults.len(), 1);
}

#[test]
fn a_full_segment_is_followed_by_the_next_and_a_new_run_goes_on_after_the_last() {
    let (_dir, folder) = folder();
    let mut journal = Journal::new(folder.clone(), true).unwrap().with_segments_of(3_000);
    let entries = traffic(10);
    for entry in &entries {
        journal.append(&encode(entry).unwrap()).unwrap();
    }
    let segments = folder.segments().unwrap();
    assert!(segments.len() > 2, "{segments:?}");
    let found: Vec<_> = segments.iter().flat_map(|number| read(&folder, *number).0).collect();
    assert_eq!(all_said(&found), all_said(&entries));
    let mut next = Journal::new(folder.clone(), false).unwrap();
    let last = *segments.last().unwrap();
    assert_eq!(next.append(&encode(&begun(&start())).unwrap()).unwrap().segment, last + 1);
}

#[test]
fn a_record_larger_than_a_segment_has_one_of_its_own() {
    let (_dir, folder) = folder();
    let mut journal = Journal::new(folder.clone(), false).unwrap().with_segments_of(100);
    let entries = traffic(2);
    for (number, entry) in (1..).zip(&entries) {
        assert_eq!(journal.append(&encode(entry).unwrap()).unwrap().segment, number);
    }
}

#[test]
fn the_payload_of_a_request_is_written_once_with_its_start() {
    let (_dir, folder) = folder();
    let mut start = start();
    start.payload = Some("{\"secret\":\"once\"}".to_owned());
    let (bytes, _) = written(&folder, &[begun(&start), settled(&start)]);
    let text = String::from_utf8_lossy(&bytes);
    assert_eq!(text.matches("once").count(), 1);
}

#[cfg(unix)]
#[test]
fn the_journal_is_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let (_dir, folder) = folder();
    written(&folder, &traffic(1));
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&folder.path()), mode(&segment_file(&folder, 1))), (0o700, 0o600));
}

/// A disk that is full, as the system plays it.
#[cfg(target_os = "linux")]
#[test]
fn what_a_full_disk_refuses_is_not_there_and_what_comes_when_there_is_room_is() {
    let (_dir, folder) = folder();
    let mut journal = Journal::new(folder.clone(), false).unwrap();
    let entries = traffic(2);
    journal.append(&encode(&entries[0]).unwrap()).unwrap();
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    journal.replace_file(full);
    let refused = journal.append(&encode(&entries[1]).unwrap());
    assert_eq!(refused.unwrap_err().kind(), io::ErrorKind::StorageFull);
    journal.append(&encode(&entries[2]).unwrap()).unwrap();
    let found: Vec<_> =
        folder.segments().unwrap().into_iter().flat_map(|number| read(&folder, number).0).collect();
    assert_eq!(all_said(&found), [said(&entries[0]), said(&entries[2])]);
}
