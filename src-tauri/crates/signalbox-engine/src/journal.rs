//! The write-ahead journal: what the ledger has taken and the database does not have yet.
//!
//! Entries are appended to segment files in the data directory, one `write` each, and that is all a request waits for. The
//! ledger's applier commits them to the database a moment later and deletes a segment once everything in it is there.
//! What a killed process leaves behind is applied by the next start, before anything is served; entries may be applied
//! twice without harm, because the database inserts a request once, settles it once and counts it once.

mod record;
mod segment;

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub(crate) use record::encode;
pub(crate) use segment::{Next, Reader};

/// Bytes after which a new segment begins. After a crash at most one segment that was applied is read again, so it is
/// small; beginning one costs the request that does it a tenth of a millisecond, so it is not tiny.
const SEGMENT_BYTES: u64 = 4 * 1024 * 1024;

/// A place in the journal: the end of some record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Position {
    /// Which segment.
    pub(crate) segment: u64,
    /// Bytes from its beginning.
    pub(crate) offset: u64,
}

impl Position {
    /// Where the first record of a segment begins.
    pub(crate) const fn beginning_of(segment: u64) -> Self {
        Self { segment, offset: segment::BEGINNING }
    }
}

/// The folder of an installation's journal.
#[derive(Debug, Clone)]
pub(crate) struct Folder(Arc<Path>);

impl Folder {
    /// The journal's folder in a data directory; it need not exist.
    pub(crate) fn of(data_dir: &Path) -> Self {
        Self(data_dir.join("journal").into())
    }

    /// Makes the folder, readable by its owner only, if it is not there.
    pub(crate) fn make(&self) -> io::Result<()> {
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&self.0)
    }

    /// Where it is.
    pub(crate) fn path(&self) -> PathBuf {
        self.0.to_path_buf()
    }

    /// A file in it that is no segment.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// The numbers of the segments, oldest first.
    pub(crate) fn segments(&self) -> io::Result<Vec<u64>> {
        segment::list(&self.0)
    }

    /// Reads on from the end of a record.
    pub(crate) fn read_on(&self, from: Position) -> io::Result<Reader> {
        Reader::open(&self.0, from)
    }

    /// Reads a segment that an earlier run left behind. `None` when it does not begin as a segment does.
    pub(crate) fn read_left_over(&self, number: u64) -> io::Result<Option<Reader>> {
        Reader::open_left_over(&self.0, number)
    }

    /// Deletes a segment. That it is gone already is fine.
    pub(crate) fn delete(&self, number: u64) -> io::Result<()> {
        segment::delete(&self.0, number)
    }

    /// Takes a segment that cannot be used out of the journal and keeps it; returns where.
    pub(crate) fn keep_aside(&self, number: u64) -> io::Result<PathBuf> {
        segment::keep_aside(&self.0, number)
    }
}

/// The segment being written.
#[derive(Debug)]
struct Open {
    number: u64,
    file: Arc<File>,
    length: u64,
}

/// The writing side of the journal.
#[derive(Debug)]
pub(crate) struct Journal {
    folder: Folder,
    /// Whether what is in a segment must be on the disk before the next one begins.
    synced: bool,
    segment_bytes: u64,
    open: Option<Open>,
    /// The number of the next segment.
    next: u64,
}

impl Journal {
    /// A journal that goes on after the segments there are. Nothing is written yet.
    pub(crate) fn new(folder: Folder, synced: bool) -> io::Result<Self> {
        let next = folder.segments()?.last().map_or(1, |last| last + 1);
        Ok(Self { folder, synced, segment_bytes: SEGMENT_BYTES, open: None, next })
    }

    #[cfg(test)]
    pub(crate) const fn with_segments_of(mut self, bytes: u64) -> Self {
        self.segment_bytes = bytes;
        self
    }

    /// Puts another file in place of the current segment's.
    #[cfg(test)]
    pub(crate) fn replace_file(&mut self, file: File) {
        if let Some(open) = &mut self.open {
            open.file = Arc::new(file);
        }
    }

    /// Where reading must begin to see everything that is appended from now on.
    pub(crate) fn end(&self) -> Position {
        match &self.open {
            Some(open) => Position { segment: open.number, offset: open.length },
            None => Position::beginning_of(self.next),
        }
    }

    /// The file with the latest records; those before it are on the disk if they have to be.
    pub(crate) fn file(&self) -> Option<Arc<File>> {
        self.open.as_ref().map(|open| Arc::clone(&open.file))
    }

    /// Appends a record that [`encode`] made; when it returns, the operating system has it, and it ends there.
    ///
    /// Errors: the operating system's; then the journal is as it was, and the next record may fit.
    pub(crate) fn append(&mut self, record: &[u8]) -> io::Result<Position> {
        let length = u64::try_from(record.len()).unwrap_or(u64::MAX);
        let is_full = self.open.as_ref().is_none_or(|open| {
            open.length > segment::BEGINNING && open.length.saturating_add(length) > self.segment_bytes
        });
        if is_full {
            self.begin_segment()?;
        }
        let Some(open) = &mut self.open else { return Err(io::ErrorKind::NotFound.into()) };
        let mut file = &*open.file;
        if let Err(error) = file.write_all(record) {
            // What was written of it must not stand before the next record.
            let back = file.set_len(open.length).and_then(|()| file.seek(SeekFrom::Start(open.length)));
            if back.is_err() {
                self.open = None;
            }
            return Err(error);
        }
        open.length += length;
        Ok(Position { segment: open.number, offset: open.length })
    }

    /// Ends the current segment; the next record begins another.
    pub(crate) fn end_segment(&mut self) -> io::Result<()> {
        match self.open.take() {
            Some(open) if self.synced => open.file.sync_data(),
            _ => Ok(()),
        }
    }

    fn begin_segment(&mut self) -> io::Result<()> {
        self.end_segment()?;
        let file = segment::create(&self.folder.0, self.next, self.synced)?;
        self.open = Some(Open { number: self.next, file: Arc::new(file), length: segment::BEGINNING });
        self.next += 1;
        Ok(())
    }
}

#[cfg(test)]
pub(crate) mod samples;
#[cfg(test)]
mod tests;
