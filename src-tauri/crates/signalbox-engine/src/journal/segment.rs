//! A segment: one file of records.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use signalbox_store::LedgerEntry;

use super::Position;
use super::record::{FRAME, Frame};

/// What every segment begins with; the digit is the version of the format.
const MAGIC: &[u8; 8] = b"SBXJRNL1";
/// Where the first record of a segment is.
pub(super) const BEGINNING: u64 = MAGIC.len() as u64;
/// Bytes read at once.
const BUFFER: usize = 128 * 1024;
/// What segments are called, after their number.
const EXTENSION: &str = "journal";
/// What a segment is called once it turned out to be damaged, or its entries were refused.
const KEPT_ASIDE: &str = "damaged";

fn path_of(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("{number:016}.{EXTENSION}"))
}

/// The numbers of the segments in a folder, oldest first. No folder has none.
pub(super) fn list(folder: &Path) -> io::Result<Vec<u64>> {
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut numbers = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == EXTENSION) {
            numbers.extend(path.file_stem().and_then(|stem| stem.to_str()?.parse::<u64>().ok()));
        }
    }
    numbers.sort_unstable();
    Ok(numbers)
}

/// A new segment, readable by its owner only. `synced`: its name is on the disk before it is used.
pub(super) fn create(folder: &Path, number: u64, synced: bool) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let path = path_of(folder, number);
    let mut file = options.open(&path)?;
    let begun = file.write_all(MAGIC).and_then(|()| if synced { sync_folder(folder) } else { Ok(()) });
    if let Err(error) = begun {
        drop(file);
        let _ = std::fs::remove_file(&path);
        return Err(error);
    }
    Ok(file)
}

#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Elsewhere a folder cannot be opened; the file system writes names out by itself.
#[cfg(not(unix))]
fn sync_folder(_folder: &Path) -> io::Result<()> {
    Ok(())
}

/// Deletes a segment. That it is gone already is fine.
pub(super) fn delete(folder: &Path, number: u64) -> io::Result<()> {
    match std::fs::remove_file(path_of(folder, number)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

/// Takes a damaged segment out of the journal and keeps it; returns where.
pub(super) fn keep_aside(folder: &Path, number: u64) -> io::Result<PathBuf> {
    let path = path_of(folder, number);
    let aside = path.with_extension(KEPT_ASIDE);
    std::fs::rename(path, &aside)?;
    Ok(aside)
}

/// What comes next in a segment.
#[derive(Debug)]
pub(crate) enum Next {
    /// An entry.
    Entry(LedgerEntry),
    /// No more: the segment ends with a whole record.
    End,
    /// No more: the last record was not written to its end. Nobody was told that it was.
    Torn,
    /// This record cannot be used, and why. Those after it may be.
    Unusable(String),
    /// Nothing from here on can be used, and why.
    Lost(String),
}

/// Reads a segment.
#[derive(Debug)]
pub(crate) struct Reader {
    file: BufReader<File>,
    at: Position,
    body: Vec<u8>,
}

impl Reader {
    /// Opens a segment at the end of one of its records, or at its beginning.
    pub(super) fn open(folder: &Path, at: Position) -> io::Result<Self> {
        let mut file = BufReader::with_capacity(BUFFER, File::open(path_of(folder, at.segment))?);
        file.seek(SeekFrom::Start(at.offset))?;
        Ok(Self { file, at, body: Vec::new() })
    }

    /// Opens a segment that an earlier run left behind. `None` when it does not begin as a segment does.
    pub(super) fn open_left_over(folder: &Path, number: u64) -> io::Result<Option<Self>> {
        let mut reader = Self::open(folder, Position { segment: number, offset: 0 })?;
        let mut magic = [0; MAGIC.len()];
        let read = reader.fill(&mut magic)?;
        reader.at.offset = BEGINNING;
        // A process that dies as it makes a segment leaves it empty; nothing was in it.
        Ok((read == 0 || &magic == MAGIC).then_some(reader))
    }

    /// After the last record that was read.
    pub(crate) const fn position(&self) -> Position {
        self.at
    }

    /// The next record.
    ///
    /// Errors: the operating system's.
    pub(crate) fn next(&mut self) -> io::Result<Next> {
        let mut bytes = [0; FRAME];
        let read = self.fill(&mut bytes)?;
        if read == 0 {
            return Ok(Next::End);
        }
        if read < FRAME {
            return Ok(Next::Torn);
        }
        let Some(frame) = Frame::read(&bytes) else {
            // After a power cut a file may have the length it was to get, and zeros for contents.
            let torn = bytes == [0; FRAME] && self.only_zeros_follow()?;
            let lost = || format!("from byte {} on it is damaged", self.at.offset);
            return Ok(if torn { Next::Torn } else { Next::Lost(lost()) });
        };
        let length = u64::from(frame.length);
        self.body.clear();
        let read = (&mut self.file).take(length).read_to_end(&mut self.body)?;
        if u64::try_from(read).unwrap_or(u64::MAX) < length {
            return Ok(Next::Torn);
        }
        let began = self.at.offset;
        self.at.offset += length + FRAME as u64;
        Ok(match frame.entry(&self.body) {
            Ok(entry) => Next::Entry(entry),
            Err(why) => Next::Unusable(format!("the record at byte {began} cannot be used: {why}")),
        })
    }

    /// Reads as much as there is, up to the whole of `bytes`; returns how much.
    fn fill(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let mut filled = 0;
        while filled < bytes.len() {
            match self.file.read(&mut bytes[filled..]) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(filled)
    }

    fn only_zeros_follow(&mut self) -> io::Result<bool> {
        loop {
            let bytes = self.file.fill_buf()?;
            if bytes.is_empty() {
                return Ok(true);
            }
            if bytes.iter().any(|byte| *byte != 0) {
                return Ok(false);
            }
            let length = bytes.len();
            self.file.consume(length);
        }
    }
}
