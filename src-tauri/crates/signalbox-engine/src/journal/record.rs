//! A record: twelve bytes of frame, then the entry as JSON.
//!
//! JSON, because a later version reads what an earlier one left behind, and a person can; it is written in microseconds.
//! The frame is the length of the JSON, the CRC-32 of the JSON and the CRC-32 of those two, each four bytes, least
//! significant first. The last one tells a length that is damaged from a record that was not written to its end.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use signalbox_core::ledger::{NextCall, RequestStart, Settlement};
use signalbox_store::LedgerEntry;

/// Bytes of a frame.
pub(super) const FRAME: usize = 12;
/// Bytes most records fit into.
const USUAL: usize = 2_048;

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Written<'a> {
    Start(&'a RequestStart),
    Call(&'a NextCall),
    Settle { start: &'a RequestStart, settlement: &'a Settlement },
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Read {
    Start(Box<RequestStart>),
    Call(Box<NextCall>),
    Settle { start: Box<RequestStart>, settlement: Box<Settlement> },
}

/// An entry as a record. The start within a settlement is without its payload: it was written when it began.
pub(crate) fn encode(entry: &LedgerEntry) -> serde_json::Result<Vec<u8>> {
    let mut record = Vec::with_capacity(USUAL);
    record.resize(FRAME, 0);
    match entry {
        LedgerEntry::Start(start) => serde_json::to_writer(&mut record, &Written::Start(start))?,
        LedgerEntry::Call(call) => serde_json::to_writer(&mut record, &Written::Call(call))?,
        LedgerEntry::Settle { start, settlement } if start.payload.is_none() => {
            serde_json::to_writer(&mut record, &Written::Settle { start, settlement })?;
        }
        LedgerEntry::Settle { start, settlement } => {
            let start = &RequestStart { payload: None, ..RequestStart::clone(start) };
            serde_json::to_writer(&mut record, &Written::Settle { start, settlement })?;
        }
    }
    let frame = frame_of(&record[FRAME..]).ok_or_else(|| {
        serde::ser::Error::custom("an entry of four gigabytes is more than a record can hold")
    })?;
    record[..FRAME].copy_from_slice(&frame);
    Ok(record)
}

fn frame_of(body: &[u8]) -> Option<[u8; FRAME]> {
    let mut frame = [0; FRAME];
    frame[..4].copy_from_slice(&u32::try_from(body.len()).ok()?.to_le_bytes());
    frame[4..8].copy_from_slice(&crc32fast::hash(body).to_le_bytes());
    let check = crc32fast::hash(&frame[..8]);
    frame[8..].copy_from_slice(&check.to_le_bytes());
    Some(frame)
}

/// What a frame says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) length: u32,
    check: u32,
}

impl Frame {
    /// `None` when it is damaged.
    pub(super) fn read(bytes: &[u8; FRAME]) -> Option<Self> {
        let number = |at: usize| Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
        let intact = crc32fast::hash(&bytes[..8]) == number(8)?;
        intact.then_some(Self { length: number(0)?, check: number(4)? })
    }

    /// The entry in the record's body.
    ///
    /// Errors: in words, what is wrong with it.
    pub(super) fn entry(self, body: &[u8]) -> Result<LedgerEntry, String> {
        if crc32fast::hash(body) != self.check {
            return Err("its checksum does not fit".to_owned());
        }
        match serde_json::from_slice(body) {
            Ok(Read::Start(start)) => Ok(LedgerEntry::Start(Arc::from(start))),
            Ok(Read::Call(call)) => Ok(LedgerEntry::Call(Arc::from(call))),
            Ok(Read::Settle { start, settlement }) => {
                Ok(LedgerEntry::Settle { start: Arc::from(start), settlement: Arc::from(settlement) })
            }
            Err(error) => Err(format!("it is no entry this version knows: {error}")),
        }
    }
}
